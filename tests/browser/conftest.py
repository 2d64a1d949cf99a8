"""A real JupyterLab on loopback and a real Chromium in front of it."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# No call home: a test talks to the server it started and to nobody else.
QUIET = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-gpu",
]


@pytest.fixture(scope="session")
def browser():
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api", reason="needs playwright: pip install playwright")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=QUIET, chromium_sandbox=False)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    context.set_default_timeout(60_000)
    yield context.new_page()
    context.close()


@contextmanager
def jupyter(folder: Path, settings: Path):
    """JupyterLab serving `folder`; yields its address."""
    tracker = settings / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    tracker.parent.mkdir(parents=True, exist_ok=True)
    tracker.write_text('{"windowingMode": "none"}')  # keep cells in the page that are scrolled out of view
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        sys.executable,
        "-m",
        "jupyterlab",
        f"--notebook-dir={folder}",
        f"--port={port}",
        "--no-browser",
    ]
    command += ["--port-retries=0", "--allow-root", "--IdentityProvider.token=", "--ServerApp.password="]
    command += ["--ServerApp.disable_check_xsrf=True"]  # for `start_kernel`
    command += ["--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
    # Its own progress: other tests of this process pass exercises, and the count would begin with theirs. Its own
    # workspaces: else the next server reopens the notebook of the last and asks for its lost kernel.
    environment = {
        **os.environ,
        "JUPYTERLAB_SETTINGS_DIR": str(settings),
        "JUPYTERLAB_WORKSPACES_DIR": str(settings / "workspaces"),
        "TRAINLAB_HOME": str(settings / "progress"),
    }
    log = (settings / "jupyter.log").open("w")
    server = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_for(f"{url}/api", server, Path(log.name))
        yield url
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def start_kernel(url: str, notebook: str) -> None:
    """Start the kernel before the page opens, which then joins it.

    Left to itself on a busy machine, JupyterLab now and then starts two kernels and shuts down the one that runs
    the cells, or asks which kernel to take.
    """
    session = {"path": notebook, "name": notebook, "type": "notebook", "kernel": {"name": "python3"}}
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{url}/api/sessions", json.dumps(session).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as reply:
        assert reply.status == 201


def _wait_for(url: str, server: subprocess.Popen, log: Path) -> None:
    for _ in range(120):
        try:
            urllib.request.urlopen(url, timeout=5)
            return
        except OSError:
            assert server.poll() is None, log.read_text()
            time.sleep(0.5)
    raise AssertionError(f"JupyterLab does not answer:\n{log.read_text()}")
