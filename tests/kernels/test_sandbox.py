"""What a submission sees of the machine that grades it, in warm and in cold kernels."""

import errno
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from autograder.kernels import sandbox as module
from autograder.kernels.sandbox import HOME, WORK, Sandbox, refuse_if_missing
from autograder.repo import UserError
from tests.kernels.conftest import said

SECRET = "a-secret-of-the-host"

AUTOGRADER = Path(__file__).parents[2] / "autograder"


@pytest.fixture(params=["warm", "cold"])
def ask(request, run, monkeypatch, tmp_path):
    """Asks a sandboxed kernel for the values of expressions."""
    monkeypatch.setenv("SECRET", SECRET)
    (tmp_path / "data.csv").write_text("1,2")
    (tmp_path / "lesson.ipynb").write_text(SECRET)

    def ask(*expressions):
        notebook = run(*(f"print({e})" for e in expressions), warm=request.param == "warm")
        return [said(cell) for cell in notebook.cells]

    return ask


def test_the_working_folder_holds_copies_of_the_data_and_no_notebook(ask, tmp_path):
    folder, names, _ = ask(
        "__import__('os').getcwd()",
        "__import__('os').listdir('.')",
        "open('data.csv', 'w').write('changed')",
    )
    assert (folder, names) == (WORK, "['data.csv']")
    assert (tmp_path / "data.csv").read_text() == "1,2"


def test_the_environment_is_its_own(ask):
    variables, home = ask("dict(__import__('os').environ)", "__import__('os').path.expanduser('~')")
    assert SECRET not in variables
    assert str(Path.home()) not in variables.replace(str(Path(sys.prefix)), "").replace(HOME, "")
    assert home == HOME


@pytest.mark.parametrize(
    "path",
    [Path.home(), Path(__file__), AUTOGRADER / "source", AUTOGRADER / "master", "/var", "/root", "/sys"],
)
def test_nothing_of_the_host_is_there(ask, path):
    listed = "__import__('os').walk('{0}').__next__()[2] if __import__('os').path.exists('{0}') else []"
    assert ask(listed.format(path)) == ["[]"]


def test_of_the_grader_there_is_what_answers_a_test_and_no_more(ask):
    assert ask(f"sorted(__import__('os').listdir({str(AUTOGRADER)!r}))") == [
        "['__init__.py', 'needed.py', 'trust']"
    ]


def test_what_can_be_read_cannot_be_written(ask):
    places = [
        "/",
        "/usr",
        "/etc",
        "/dev",
        "/run",
        sys.prefix,
        "/proc/sys/kernel/core_pattern",
        "/proc/sysrq-trigger",
    ]
    write = "open('{0}/x' if __import__('os').path.isdir('{0}') else '{0}', 'w')"
    for answer in ask(*(write.format(place) for place in places)):
        assert any(f"[Errno {number}]" in answer for number in (1, 2, 13, 30)), answer


def test_no_file_of_the_kernels_settings_can_be_opened_for_writing(ask):
    walk = "for folder, _, names in __import__('os').walk('/proc/sys') for name in names"
    assert ask(f"sum(__import__('os').access(folder + '/' + name, 2) {walk})") == ["0"]


def test_no_other_process_is_seen(ask):
    assert int(ask("sum(name.isdigit() for name in __import__('os').listdir('/proc'))")[0]) <= 6


def test_no_privilege_is_left(ask):
    status = "[line.split()[1] for line in open('/proc/self/status') if line[:6] in ('CapEff', 'CapPrm', 'NoNewP')]"
    assert ask(status) == ["['0000000000000000', '0000000000000000', '1']"]


def test_no_namespace_can_be_made_inside(ask):
    if not module._no_more_namespaces():
        pytest.skip("needs bubblewrap 0.8 or newer")
    assert "failed" in ask("__import__('subprocess').getoutput('unshare --user true')")[0]


def test_no_network_not_even_the_hosts_loopback(ask):
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        port = server.getsockname()[1]
        refused, routes, interfaces = ask(
            f"__import__('socket').create_connection(('127.0.0.1', {port}), 3)",
            "len(open('/proc/net/route').readlines()[1:])",
            "[name for _, name in __import__('socket').if_nameindex()]",
        )
        with pytest.raises(BlockingIOError):  # nobody waits to be let in
            server.accept()
    assert refused.startswith("[Errno")
    assert routes == "0"
    assert interfaces == "['lo']"


FILL = """
for place in ('/tmp', '/home/learner', '/dev/shm'):
    for number in range(4):
        try:
            with open(f'{place}/{number}', 'wb') as file:
                file.write(bytes(8 << 20))
        except OSError as error:
            print(error.errno)
            break
"""
START = """
import sys, tempfile, time
from autograder.kernels.sandbox import Sandbox
command = ['/bin/sh', '-c', 'sleep 1000']
log = tempfile.TemporaryFile()
print(Sandbox().start(command, b'', stdin=0, stdout=1, stderr=log).first, flush=True)
time.sleep(1000)
"""


def test_what_can_be_written_is_limited(run):
    full = str(errno.ENOSPC)
    assert said(run(FILL, disk_mb=16).cells[0]).split() == [full] * 3


def test_it_ends_with_its_starter(sandbox):
    command = [sys.executable, "-c", START]
    with subprocess.Popen(command, stdout=-1, stdin=subprocess.DEVNULL, text=True) as starter:
        first = int(starter.stdout.readline())
        assert not gone(first, patience=0.5)
        starter.kill()
    assert gone(first)


def gone(process, patience=10.0):
    """Whether a process ends within so many seconds; one that has ended but was not waited for counts."""
    until = time.monotonic() + patience
    while time.monotonic() < until:
        try:
            if "State:\tZ" in Path(f"/proc/{process}/status").read_text():
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def test_a_command_that_cannot_be_started_is_an_error_with_its_reason(sandbox, tmp_path):
    with (tmp_path / "log").open("w+b") as log, pytest.raises(RuntimeError, match="bubblewrap"):
        Sandbox(disk_mb=-1).start(["/bin/true"], b"{}", stdin=0, stdout=1, stderr=log)


def test_where_there_is_no_bubblewrap_the_refusal_names_it(monkeypatch):
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setattr(module.shutil, "which", lambda _: None)
    with pytest.raises(UserError, match=r"apt-get install bubblewrap.*--no-sandbox"):
        refuse_if_missing()


def test_where_it_may_not_work_the_refusal_says_why(monkeypatch, tmp_path):
    fake = tmp_path / "bwrap"
    fake.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2; exit 1\n")
    fake.chmod(0o755)
    monkeypatch.setattr(module.sys, "platform", "linux")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(UserError, match="No permissions to create new namespace"):
        refuse_if_missing()
