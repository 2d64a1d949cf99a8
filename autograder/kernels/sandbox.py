"""A bubblewrap sandbox: an empty machine with a read-only Python on it, and nothing else of the host.

Inside there is no network, no other process, no environment but the given one, and no file of the host that can be
written. All that can be written lies in memory, is limited in size, and is gone with the sandbox.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO

from autograder.repo import UserError

HOME, WORK, RUN = "/home/learner", "/home/learner/work", "/run/kernel"
CONNECTION = f"{RUN}/kernel.json"
_SYSTEM = (
    *("/etc/alternatives", "/etc/fonts", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d"),
    *("/etc/localtime", "/etc/mime.types"),
)
# Where the grader runs as root, bubblewrap leaves these writable to whoever has root's number outside.
_KERNEL_SETTINGS = ("acpi", "bus", "fs", "irq", "pressure", "scsi", "sys", "sysrq-trigger")
_REFUSAL = (
    "Submissions run in a sandbox, and {why}. {what}; or grade with --no-sandbox: then every submission runs with "
    "your own rights."
)


@dataclass(frozen=True)
class Sandbox:
    """What a sandbox shows and how much may be written in it.

    Attributes:
        readable: more of the host, read-only: folders or files.
        files: name → content of the files in the working folder, which are copies.
        disk_mb: how much may be written, in each of the places where that is possible.
    """

    readable: tuple[str, ...] = ()
    files: dict[str, bytes] = field(default_factory=dict)
    disk_mb: int = 256

    def start(
        self,
        command: list[str],
        connection: bytes,
        *,
        stdin: int,
        stdout: int,
        stderr: IO,
        given: Sequence[int] = (),
    ) -> Running:
        """Start `command` in a sandbox of its own.

        Args:
            command: what runs in it; the sandbox ends with it.
            connection: content of the file `CONNECTION`.
            stdin: file descriptor that it reads.
            stdout: file descriptor that it writes, or `subprocess.PIPE`.
            stderr: file that takes complaints.
            given: more descriptors that the command finds, under the same numbers.

        Raises:
            RuntimeError: with bubblewrap's own words, if it cannot.
        """
        files = {CONNECTION: connection} | {f"{WORK}/{n}": data for n, data in self.files.items()}
        descriptors = {path: _in_memory(data) for path, data in files.items()}
        told, tell = os.pipe()
        arguments = [*self._arguments(), "--info-fd", str(tell)]
        for path, descriptor in descriptors.items():
            arguments += ["--file", str(descriptor), path]
        try:
            process = subprocess.Popen(
                ["bwrap", *arguments, *_read_only(), "--", *command],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                env={"PATH": os.environ["PATH"]},
                pass_fds=[tell, *descriptors.values(), *given],
                start_new_session=True,
            )
        finally:
            for descriptor in [tell, *descriptors.values()]:
                os.close(descriptor)
        facts = _facts(told)
        if not facts:
            process.wait()
            stderr.seek(0)
            raise RuntimeError(f"bubblewrap: {stderr.read(500).decode(errors='replace').strip()}")
        return Running(process, facts["child-pid"])

    def _arguments(self) -> list[str]:
        namespaces = [f"--unshare-{name}" for name in ("user", "ipc", "pid", "net", "uts", "cgroup-try")]
        arguments = [
            *namespaces,
            *_no_more_namespaces(),
            "--uid",
            "1000",
            "--gid",
            "1000",
            "--hostname",
            "sandbox",
        ]
        arguments += ["--die-with-parent", "--clearenv", "--proc", "/proc", "--dev", "/dev"]
        for name in _KERNEL_SETTINGS:
            if Path("/proc", name).exists():
                arguments += ["--ro-bind", f"/proc/{name}", f"/proc/{name}"]
        for place in (HOME, RUN, "/tmp", "/dev/shm"):
            size = 1 if place == RUN else self.disk_mb
            arguments += ["--perms", "0700", "--size", str(size << 20), "--tmpfs", place]
        arguments += ["--dir", WORK, "--chdir", WORK, "--ro-bind", "/usr", "/usr"]
        for name in ("bin", "sbin", "lib", "lib32", "lib64"):
            path = Path("/") / name
            if path.is_symlink():
                arguments += ["--symlink", os.readlink(path), str(path)]
            elif path.is_dir():
                arguments += ["--ro-bind", str(path), str(path)]
        for path in (*_SYSTEM, *_python(), *self.readable):
            arguments += ["--ro-bind-try", path, path]
        return arguments


@dataclass
class Running:
    """A sandbox that runs: bubblewrap's own process, and the process number of the first one inside."""

    process: subprocess.Popen
    first: int

    def outside(self, path: str) -> str:
        """What `path` in the sandbox is called outside."""
        return f"/proc/{self.first}/root{path}"

    def kill(self) -> None:
        """End it with all processes in it."""
        self.process.kill()


def refuse_if_missing() -> None:
    """Try the sandbox.

    Raises:
        UserError: if it cannot be used, with what to do about it.
    """
    if not sys.platform.startswith("linux"):
        raise UserError(_REFUSAL.format(why="that needs Linux", what="Grade in a Linux container"))
    if not shutil.which("bwrap"):
        raise UserError(_REFUSAL.format(why="bubblewrap is missing", what="apt-get install bubblewrap"))
    command = ["bwrap", *Sandbox()._arguments(), *_read_only(), "--", "/bin/sh", "-c", ":"]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        why = f"bubblewrap cannot make one here ({tried.stderr.strip()})"
        raise UserError(_REFUSAL.format(why=why, what="Allow user namespaces"))


def available() -> bool:
    """Whether the sandbox can be used here."""
    try:
        refuse_if_missing()
    except UserError:
        return False
    return True


def in_place(packages: Iterable[str]) -> list[str]:
    """Folders of those `packages` that are installed as a link into somebody's working copy."""
    specs = [spec for package in packages if (spec := importlib.util.find_spec(package))]
    folders = [folder for spec in specs for folder in spec.submodule_search_locations or []]
    return [folder for folder in folders if not folder.startswith(sys.prefix)]


@cache
def _no_more_namespaces() -> list[str]:
    """Forbid new user namespaces inside, from where the system offers more to attack; bubblewrap 0.8 can."""
    told = subprocess.run(["bwrap", "--help"], capture_output=True, text=True, check=False).stdout
    return ["--disable-userns"] if "--disable-userns" in told else []


def _python() -> list[str]:
    return [folder for folder in {sys.base_prefix: 0, sys.prefix: 0} if not folder.startswith("/usr")]


def _facts(told: int) -> dict:
    """What bubblewrap tells of itself, {} if it ends without a word."""
    text = b""
    with os.fdopen(told, "rb", buffering=0) as info:
        while b"}" not in text and (more := info.read(4096)):
            text += more
    return json.loads(text) if text else {}


def _read_only() -> list[str]:
    return ["--remount-ro", "/dev", "--remount-ro", "/"]


def _in_memory(data: bytes) -> int:
    descriptor = os.memfd_create("given")
    with os.fdopen(os.dup(descriptor), "wb") as file:
        file.write(data)
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
