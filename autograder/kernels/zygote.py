"""A warm process, with torch and its like imported, that forks a kernel for each request.

Importing torch takes seconds and a fork takes milliseconds. The process has one thread, runs nobody's code and knows
nothing of the course. A request names a sandbox that bubblewrap has built; the forked child joins all of its
namespaces, gives up every privilege, takes on its limits, and becomes an IPython kernel.

Linux 5.8 or newer: one `setns` for all namespaces of a process.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from pathlib import Path

# What an IPython kernel imports while it starts.
_KERNEL = (
    *("ipykernel.debugger", "ipykernel.ipkernel", "ipykernel.kernelapp", "IPython.core.completerlib"),
    *("IPython.core.debugger", "IPython.core.oinspect", "IPython.extensions.storemagic"),
)
_NAMESPACES = {
    "cgroup": 0x02000000,
    "ipc": 0x08000000,
    "mnt": 0x00020000,
    "net": 0x40000000,
    "pid": 0x20000000,
    "user": 0x10000000,
    "uts": 0x04000000,
}
_BACKEND = "module://matplotlib_inline.backend_inline"
_MUST = ("mnt", "net", "pid", "user")
_KILL_WITH_PARENT, _ADOPT_ORPHANS, _NO_NEW_PRIVILEGES, _DROP_BOUND, _AMBIENT, _CLEAR_AMBIENT = (
    1,
    36,
    38,
    24,
    47,
    4,
)
_CAPABILITIES_3 = 0x20080522
FIRST_GIVEN = 4
_MOST_DESCRIPTORS = 200  # Linux sends no more than 253 at a time
_HIGH = 600  # out of the way while the numbers are dealt out

_libc = ctypes.CDLL(None, use_errno=True)


class Zygote:
    """A running zygote, as seen by whoever wants kernels from it."""

    def __init__(self, address: str, process: subprocess.Popen | None = None):
        self.address, self._process = address, process

    @classmethod
    def start(cls, preload: list[str], *, threads: int = 1) -> Zygote:
        """Start one that has imported what it can of `preload`.

        Raises:
            RuntimeError: if it does not come up, with its own words.
        """
        folder = tempfile.mkdtemp(prefix="zygote-")
        address = str(Path(folder, "socket"))
        kept = {k: v for k, v in os.environ.items() if k in ("HOME", "LANG", "LC_ALL", "PATH", "TZ")}
        count = {f"{name}_NUM_THREADS": str(threads) for name in ("OMP", "OPENBLAS", "MKL")}
        process = subprocess.Popen(
            [sys.executable, __file__, address, *preload],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**kept, **count, "MPLBACKEND": _BACKEND, "PYDEVD_DISABLE_FILE_VALIDATION": "1"},
            cwd="/",
            start_new_session=True,
        )
        zygote = cls(address, process)
        atexit.register(zygote.stop)
        if not process.stdout.readline():
            zygote.stop()
            raise RuntimeError(f"the warm process did not start: {process.stderr.read().decode()[-500:]}")
        return zygote

    def fork(self, request: dict, descriptors: list[int]) -> int:
        """The process number of a new kernel.

        Args:
            request: the arguments of `_become_kernel`, and ``sandbox``, a process number in the sandbox to join.
            descriptors: one that is open as long as the kernel lives, one for what it prints, and any more, which
                the kernel finds from number `FIRST_GIVEN` on, in their order.

        Raises:
            OSError: if the zygote does not answer.
            RuntimeError: if it cannot, with the reason.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as connection:
            connection.settimeout(30)
            connection.connect(self.address)
            socket.send_fds(connection, [json.dumps(request).encode()], descriptors)
            reply = json.loads(connection.recv(1 << 16) or '{"error": "the warm process has ended"}')
        if "error" in reply:
            raise RuntimeError(reply["error"])
        return reply["pid"]

    def stop(self) -> None:
        """End it, if this process started it; kernels that it forked live on in their sandboxes."""
        if self._process is None:
            return
        atexit.unregister(self.stop)
        self._process.kill()
        self._process.wait()
        shutil.rmtree(Path(self.address).parent, ignore_errors=True)


def main(address: str, *preload: str) -> None:
    """Serve requests at `address` until the starter of this process ends."""
    _checked(_libc.prctl(_KILL_WITH_PARENT, signal.SIGKILL, 0, 0, 0), "prctl")
    _checked(_libc.prctl(_ADOPT_ORPHANS, 1, 0, 0, 0), "prctl")
    for module in (*_KERNEL, *preload):
        with contextlib.suppress(Exception):  # it will fail in the kernel too, where somebody reads why
            importlib.import_module(module)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(address)
        os.chmod(address, 0o600)
        listener.listen(64)
        listener.settimeout(1)
        gc.collect()
        gc.freeze()
        os.write(1, b"ready\n")
        while True:
            with contextlib.suppress(TimeoutError):
                _serve(listener.accept()[0])
            _reap()


def _serve(connection: socket.socket) -> None:
    with connection:
        connection.settimeout(10)
        message, descriptors, *_ = socket.recv_fds(connection, 1 << 20, _MOST_DESCRIPTORS)
        between = os.fork() if message else -1
        if between == 0:
            _answer(connection, json.loads(message), descriptors)
        for descriptor in descriptors:
            os.close(descriptor)
        if between > 0:
            os.waitpid(between, 0)


def _answer(connection: socket.socket, request: dict, descriptors: list[int]) -> None:
    """Join the sandbox and fork once more: only a child is born into the other process namespace."""
    try:
        _join(request.pop("sandbox"))
        kernel = os.fork()
        if kernel == 0:
            connection.close()
            _run(request, descriptors)
        connection.send(json.dumps({"pid": kernel}).encode())
    except BaseException as error:
        connection.send(json.dumps({"error": repr(error)}).encode())
    finally:
        os._exit(0)


def _run(request: dict, descriptors: list[int]) -> None:
    try:
        _become_kernel(*descriptors, **request)
    except SystemExit:
        pass
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)


def _become_kernel(
    life: int,
    log: int,
    *given: int,
    arguments: list[str],
    environment: dict[str, str],
    folder: str,
    limits: dict[str, int],
) -> None:
    """Run an IPython kernel in this process, without privileges.

    Args:
        life: descriptor that stays open as long as the kernel lives.
        log: descriptor for what it prints.
        given: descriptors that are the kernel's to use.
        arguments: of the kernel's command line.
        environment: its whole environment.
        folder: where it works.
        limits: name of a limit in `resource` → its value.
    """
    os.setsid()
    _give_up_privileges()
    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))
    _keep_only(life, log, given)
    for number in (signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE):
        signal.signal(number, signal.SIG_IGN if number == signal.SIGPIPE else signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    _reseed()
    from ipykernel.kernelapp import IPKernelApp

    sys.argv = ["ipykernel_launcher", *arguments]
    app = IPKernelApp.instance()
    app.initialize(arguments)
    app.start()


def _join(process: int) -> None:
    """Enter every namespace of `process` that is not ours already."""
    own = {name: os.readlink(f"/proc/self/ns/{name}") for name in _NAMESPACES}
    other = {name: os.readlink(f"/proc/{process}/ns/{name}") for name in _NAMESPACES}
    differ = [name for name in _NAMESPACES if own[name] != other[name]]
    if missing := [name for name in _MUST if name not in differ]:
        raise RuntimeError(f"process {process} is in no sandbox: it shares {', '.join(missing)}")
    descriptor = os.pidfd_open(process)
    _checked(_libc.setns(descriptor, sum(_NAMESPACES[name] for name in differ)), "setns")
    os.close(descriptor)


def _give_up_privileges() -> None:
    _checked(_libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0), "no_new_privs")
    _libc.prctl(_AMBIENT, _CLEAR_AMBIENT, 0, 0, 0)
    for capability in range(64):
        if _libc.prctl(_DROP_BOUND, capability, 0, 0, 0):
            break  # there are no more of them
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITIES_3, 0), (ctypes.c_uint32 * 6)()
    _checked(_libc.capset(header, none), "capset")


def _keep_only(life: int, log: int, given: Sequence[int]) -> None:
    """Close every inherited descriptor but these: output, 3 for `life`, and from `FIRST_GIVEN` on the given ones."""
    high = [os.dup2(one, _HIGH + k) for k, one in enumerate((life, log, *given))]
    os.closerange(3, _HIGH)
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (high[1], 1), (high[1], 2)):
        os.dup2(source, target)
    for target, source in enumerate((high[0], *high[2:]), FIRST_GIVEN - 1):
        os.dup2(source, target, inheritable=False)
    os.closerange(FIRST_GIVEN + len(given), 65536)


def _reseed() -> None:
    """Forked copies must not draw each other's "random" numbers."""
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    if "torch" in sys.modules:
        sys.modules["torch"].seed()


def _reap() -> None:
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _checked(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    sys.path.pop(0)  # the folder of this file, which no kernel should import from
    # That of the grader instead; of its files a sandbox shows those alone that answer a test.
    sys.path.append(str(Path(__file__).parents[2]))
    main(*sys.argv[1:])
