"""What the attacks are tempted with: secrets to find, listeners to call, a process to kill."""

from __future__ import annotations

import os
import secrets
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from jupyter_core.paths import jupyter_runtime_dir

from autograder.repo import this_repo
from tests.attacks.case import Bait


@dataclass
class Trap:
    """All that was set out for one run, and what came of it."""

    bait: Bait
    word: str
    calls: list[str] = field(default_factory=list)
    victim: subprocess.Popen | None = None

    def secret(self, place: str) -> str:
        """The word that stands at one place and nowhere else."""
        return f"canary-{place}-{self.word}"


@contextmanager
def trap(course: Path, folder: Path) -> Iterator[Trap]:
    """Plant secrets, listen, start a victim; all of it is gone afterwards.

    Args:
        course: where the course lies, or will lie.
        folder: for the Unix socket; its path must be short.
    """
    word = secrets.token_hex(4)
    places = {"COURSE": str(course), "REPO": str(this_repo().root), "WORD": word}
    set_out = Trap(Bait(f"left-{word}", places), word)
    files = [
        _planted(set_out, places, "HOME_FILE", "home", Path.home(), ".txt"),
        _planted(set_out, places, "TMP_FILE", "tmp", Path("/tmp"), ".txt"),
        _planted(set_out, places, "SHM_FILE", "shm", Path("/dev/shm"), ".txt"),
        _planted(set_out, places, "CONNECTION_FILE", "connection", Path(jupyter_runtime_dir()), ".json"),
    ]
    places |= {"SOCKET": str(folder / "s"), "ABSTRACT": f"abstract-{word}", "VICTIM": f"victim-{word}"}
    sleep = [sys.executable, "-c", "import time; time.sleep(3600)", places["VICTIM"]]
    environment = {**os.environ, "SECRET": set_out.secret("environment")}
    set_out.victim = subprocess.Popen(sleep, env=environment)
    places["VICTIM_PID"] = str(set_out.victim.pid)
    try:
        with _listening(set_out, places), _environment(SECRET=set_out.secret("environment")):
            yield set_out
    finally:
        set_out.victim.kill()
        set_out.victim.wait()
        for file in filter(None, files):
            file.unlink(missing_ok=True)


def _planted(
    set_out: Trap, places: dict[str, str], name: str, place: str, folder: Path, suffix: str
) -> Path | None:
    """A file with a secret; None where nothing can be written, so that there is nothing to steal."""
    places[name] = str(folder / "nothing-there")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, path = tempfile.mkstemp(suffix, "bait-", folder)
    except OSError:
        return None
    with os.fdopen(handle, "w") as file:
        file.write(set_out.secret(place))
    places[name] = path
    return Path(path)


@contextmanager
def _listening(set_out: Trap, places: dict[str, str]) -> Iterator[None]:
    """Listen on loopback, a Unix socket and an abstract one; who calls is noted and told a secret."""
    loopback = socket.create_server(("127.0.0.1", 0))
    unix, abstract = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX)
    unix.bind(places["SOCKET"])
    abstract.bind("\0" + places["ABSTRACT"])
    places["PORT"] = str(loopback.getsockname()[1])
    names = {loopback: "loopback", unix: "a Unix socket", abstract: "an abstract Unix socket"}
    end, stop = os.pipe()
    for listener in (unix, abstract):
        listener.listen()

    def answer() -> None:
        while end not in (ready := select.select([*names, end], [], [])[0]):
            for listener in ready:
                caller, _ = listener.accept()
                set_out.calls.append(names[listener])
                with caller:
                    caller.send(set_out.secret("listener").encode())

    thread = threading.Thread(target=answer)
    thread.start()
    try:
        yield
    finally:
        os.write(stop, b".")
        thread.join()
        for handle in (end, stop):
            os.close(handle)
        for listener in names:
            listener.close()
        Path(places["SOCKET"]).unlink()


@contextmanager
def _environment(**more: str) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
