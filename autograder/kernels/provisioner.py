"""A kernel provisioner for `jupyter_client`: every kernel in a sandbox of its own, forked warm or started cold.

The kernel's sockets lie in the sandbox's own memory and are reached from outside through ``/proc``: no network, and
no folder of the host that a learner could fill.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import EntryPoint
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

import zmq.asyncio
from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import KernelSpecManager
from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner
from traitlets import Bool, Integer, List, Unicode, default

from autograder.execute import KernelManager
from autograder.kernels.sandbox import CONNECTION, HOME, RUN, WORK, Running, Sandbox, in_place
from autograder.kernels.watch import Allowance, Watch
from autograder.kernels.zygote import FIRST_GIVEN, Zygote

_ADDRESS = f"{RUN}/socket"
_TRUST = ("autograder.trust.learner_side", "autograder.trust.test_side")
_ROOT = Path(__file__).parents[2]  # where the package lies
_TRUST_FILES = [
    find_spec(name).origin for name in ("autograder", "autograder.needed")
]  # none with a test in it
_WAITER = "echo; read forever"
_MAX_FILES, _MAX_MESSAGE = 200, 64 << 20
_KEPT = ("LANG", "LC_ALL", "NBGRADER_EXECUTION", "TZ")
_KEPT_PREFIXES = ("TRAINLAB_", "TQDM_")

_zygotes: dict[tuple, Zygote] = {}


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel in a sandbox; its limits are set as ``c.SandboxProvisioner.…``."""

    warm = Bool(True, help="Fork kernels from a process that has everything imported.").tag(config=True)
    zygote = Unicode("", help="Address of a running one; by default each grader starts its own.").tag(
        config=True
    )
    preload = List(
        Unicode(),
        [
            "torch",
            "torchvision",
            "numpy",
            "pandas",
            "scipy.stats",
            "matplotlib.pyplot",
            "ipywidgets",
            "tqdm.auto",
        ],
        help="What the warm process imports, as far as it is there.",
    ).tag(config=True)
    packages = List(
        Unicode(), ["trainlab"], help="Packages installed in place that a submission may import."
    ).tag(config=True)
    readable = List(Unicode(), help="More folders that a submission may read.").tag(config=True)
    memory_mb = Integer(4096, help="Memory of all processes together.").tag(config=True)
    disk_mb = Integer(256, help="What may be written in each of /tmp, the home and the working folder.").tag(
        config=True
    )
    processes = Integer(64, help="Processes at a time.").tag(config=True)
    threads = Integer(512, help="Threads at a time, of all processes together.").tag(config=True)
    open_files = Integer(1024, help="Open files of a process.").tag(config=True)
    cpu_s = Integer(1800, help="Processor seconds of one process.").tag(config=True)

    sandbox: Running | None = None
    watch: Watch | None = None
    process: subprocess.Popen | None = None
    printed: IO | None = None
    given: Sequence[int] = ()

    @property
    def imports(self) -> list[str]:
        """What the warm process imports: `preload`, and what a test and an answer need to talk to each other."""
        return [*self.preload, *_TRUST]

    @property
    def reason(self) -> str:
        """What the submission used too much of, if that is why it was ended."""
        return self.watch.reason if self.watch else ""

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Choose sockets in the sandbox and the environment of the kernel."""
        manager = self.parent
        manager.transport, manager.ip = "ipc", _ADDRESS
        kwargs = await super().pre_launch(**kwargs)
        kwargs["env"] = self._environment(kwargs["env"])
        return kwargs

    async def launch_kernel(
        self, cmd: list[str], *, given: Sequence[int] = (), **kwargs: Any
    ) -> KernelConnectionInfo:
        """Start the kernel; a cold one if no warm one is to be had.

        Args:
            cmd: its command line.
            given: descriptors that it shall have; `self.given` says afterwards under which numbers.
            **kwargs: its folder and environment.
        """
        self.given = given
        folder = Path(kwargs.get("cwd") or ".")
        connection = Path(self.parent.connection_file).read_bytes()
        arguments = [CONNECTION if a == os.path.realpath(self.parent.connection_file) else a for a in cmd]
        launch = self._launch_warm if self.warm else self._launch_cold
        try:
            launch(arguments, kwargs["env"], folder, connection)
        except (OSError, RuntimeError, ValueError) as error:
            if not self.warm:
                raise
            self.log.warning("No warm kernel (%s): starting a cold one.", error)
            self._end()
            self._launch_cold(arguments, kwargs["env"], folder, connection)
        self.process, self.pid = self.sandbox.process, self.sandbox.process.pid
        allowance = Allowance(self.memory_mb, self.processes + 2, self.threads)  # two are bubblewrap's and sh
        self.watch = Watch(self.sandbox, allowance)
        self.watch.start()
        self.parent.ip = self.sandbox.outside(_ADDRESS)
        self.connection_info = self.parent.get_connection_info()
        return self.connection_info

    async def send_signal(self, signum: int) -> None:
        """Kill the whole sandbox; interrupts go as messages, which need no process number."""
        if self.sandbox and signum in (signal.SIGKILL, signal.SIGTERM):
            self.sandbox.kill()

    async def wait(self) -> int | None:
        """Wait for the end; the base class looks only ten times a second."""
        while self.process and self.process.poll() is None:
            await asyncio.sleep(0.005)
        return await super().wait()

    async def cleanup(self, restart: bool = False) -> None:
        """End what is left."""
        self._end()
        await super().cleanup(restart=restart)

    def _end(self) -> None:
        if self.watch:
            self.watch.stop()
        if self.sandbox:
            self.sandbox.kill()
            self.sandbox.process.wait()
            for stream in filter(None, (self.sandbox.process.stdout,)):
                stream.close()
        if self.printed:
            self.printed.close()
        self.sandbox = self.printed = None

    def _launch_warm(self, command: list[str], env: dict, folder: Path, connection: bytes) -> None:
        """Fork it into a sandbox whose own command ends when the last copy of a pipe's end is closed."""
        held, life = os.pipe()
        self.printed = log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        try:
            waiter = ["/bin/sh", "-c", _WAITER]
            self.sandbox = self._sandbox(folder).start(
                waiter, connection, stdin=held, stdout=subprocess.PIPE, stderr=log
            )
            if not self.sandbox.process.stdout.readline():
                log.seek(0)
                raise RuntimeError(f"bubblewrap: {log.read(500).decode(errors='replace').strip()}")
            request = {
                "sandbox": self.sandbox.first,
                "arguments": command[command.index("-f") :],
                "environment": env,
                "folder": WORK,
                "limits": self._limits(),
            }
            self._zygote().fork(request, [life, log.fileno(), *self.given])
            self.given = range(FIRST_GIVEN, FIRST_GIVEN + len(self.given))
        finally:
            os.close(held)
            os.close(life)

    def _launch_cold(self, command: list[str], env: dict, folder: Path, connection: bytes) -> None:
        self.printed = log = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        limits = [f"--{k.removeprefix('RLIMIT_').lower()}={v}" for k, v in self._limits().items()]
        variables = [f"{name}={value}" for name, value in env.items()] + [f"PYTHONPATH={_ROOT}"]
        full = ["/usr/bin/env", "-i", *variables, "prlimit", *limits, "--", *command]
        with open(os.devnull) as null:
            self.sandbox = self._sandbox(folder).start(
                full, connection, stdin=null.fileno(), stdout=log.fileno(), stderr=log, given=self.given
            )

    def _sandbox(self, folder: Path) -> Sandbox:
        """One whose working folder holds copies of the data files; notebooks hold the hidden tests."""
        found = [p for p in sorted(folder.iterdir()) if p.is_file() and p.suffix != ".ipynb"][:_MAX_FILES]
        readable = (*in_place([*self.packages, "autograder.trust"]), *_TRUST_FILES, *self.readable)
        return Sandbox(readable, {p.name: p.read_bytes() for p in found}, self.disk_mb)

    def _zygote(self) -> Zygote:
        if self.zygote:
            return Zygote(self.zygote)
        key = (os.getpid(), *self.imports)
        if key not in _zygotes:
            _zygotes[key] = Zygote.start(self.imports)
        return _zygotes[key]

    def _limits(self) -> dict[str, int]:
        return {
            "RLIMIT_DATA": self.memory_mb << 20,
            "RLIMIT_FSIZE": self.disk_mb << 20,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CPU": self.cpu_s,
            "RLIMIT_CORE": 0,
        }

    def _environment(self, env: dict[str, str]) -> dict[str, str]:
        kept = {k: v for k, v in env.items() if k in _KEPT or k.startswith(_KEPT_PREFIXES)}
        return kept | {
            **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1"),
            "HOME": HOME,
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TMPDIR": "/tmp",
            "USER": "learner",
        }


class SandboxedKernelManager(KernelManager):
    """Starts kernels by the specification beside this file, whatever is installed on the machine."""

    @default("kernel_spec_manager")
    def _specs_beside_this_file(self) -> KernelSpecManager:
        factory = KernelProvisionerFactory.instance()
        name = f"{SandboxProvisioner.__module__}:{SandboxProvisioner.__name__}"
        factory.provisioners["sandbox"] = EntryPoint("sandbox", name, factory.GROUP_NAME)
        folder = Path(__file__).with_name("specs")
        return KernelSpecManager(kernel_dirs=[str(folder)], ensure_native_kernel=False)

    @default("context")
    def _context_with_limits(self) -> zmq.asyncio.Context:
        """No message of a kernel may fill the grader's memory; and none should wait long for the kernel."""
        self._created_context = True
        context = zmq.asyncio.Context()
        context.setsockopt(zmq.MAXMSGSIZE, _MAX_MESSAGE)
        context.setsockopt(zmq.RECONNECT_IVL, 10)
        return context
