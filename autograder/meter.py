"""``python -m autograder.meter REPORT FOLDER COMMAND…``: run a command, report what it and all its processes used.

A process of its own, because it adopts what the command leaves behind: the helpers of `multiprocessing` end after
the process that started them, and nobody else would count what they and the workers below them used.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

_ADOPT_ORPHANS = 36
_INTERVAL = 0.25
# How the command lines of our own processes look, see `crew` and `kernels.zygote`.
_FORKSERVER, _ZYGOTE = "multiprocessing.forkserver", "kernels/zygote.py"


@dataclass(frozen=True)
class Memory:
    """Memory in MB, where a page that several processes share counts for each of them in part.

    Attributes:
        everything: all processes of the command.
        worker: one worker with its sandbox.
        shared: the warm processes that workers and kernels are forked from.
        with_share: one worker with its sandbox and its part of `shared`.
    """

    everything: float = 0.0
    worker: float = 0.0
    shared: float = 0.0
    with_share: float = 0.0

    def peak(self, other: Memory) -> Memory:
        """The larger of each two."""
        return Memory(*map(max, astuple(self), astuple(other)))


@dataclass(frozen=True)
class Used:
    """What a command used: seconds of the clock and of processors, and memory at its peaks; and how it ended."""

    code: int
    wall: float
    cpu: float
    memory: Memory


@dataclass(frozen=True)
class Process:
    """A process as ``/proc`` shows it.

    Attributes:
        number: its own.
        parent: number of the process that started it, or adopted it.
        command: its command line.
        space: which process namespace it is in; every sandbox has one of its own.
    """

    number: int
    parent: int
    command: str
    space: int


def measured(command: list[str], folder: Path, log: Path) -> Used:
    """Run `command` in `folder`; what it prints goes into the file `log`."""
    report = log.with_suffix(".json")
    meter = [sys.executable, "-m", __name__, str(report), str(folder)]
    with log.open("wb") as printed:
        subprocess.run(
            [*meter, *command],
            cwd=Path(__file__).parent.parent,
            stdout=printed,
            stderr=subprocess.STDOUT,
            check=True,
        )
    facts = json.loads(report.read_text("utf-8"))
    return Used(**facts | {"memory": Memory(**facts["memory"])})


def main(report: str, folder: str, *command: str) -> None:
    """Run `command` to the end of the last process that it started, and write what they used into `report`."""
    ctypes.CDLL(None).prctl(_ADOPT_ORPHANS, 1, 0, 0, 0)
    sampler = _Sampler()
    sampler.start()
    start = time.perf_counter()
    process = subprocess.Popen(command, cwd=folder)
    while (ended := os.wait())[0] != process.pid:
        pass  # an orphan
    wall, process.returncode = time.perf_counter() - start, os.waitstatus_to_exitcode(ended[1])
    with suppress(ChildProcessError):
        while os.wait():
            pass
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    facts = Used(process.returncode, wall, used.ru_utime + used.ru_stime, sampler.peak)
    Path(report).write_text(json.dumps(asdict(facts)), "utf-8")


class _Sampler(threading.Thread):
    """Looks four times a second how much memory the processes below this one use."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.peak = Memory()

    def run(self) -> None:
        """Look until this process ends."""
        while True:
            before = below(os.getpid(), listed())
            now = memory(before, megabytes)
            # A kernel that is forked between two readings would count twice, in its parent's share and in its own.
            if below(os.getpid(), listed()) == before:
                self.peak = self.peak.peak(now)
            time.sleep(_INTERVAL)


def listed() -> Iterator[Process]:
    """All processes that can be looked into."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, ValueError):  # it has ended, or is not ours
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            command = (folder / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
            yield Process(int(folder.name), parent, command, os.stat(folder / "ns" / "pid").st_ino)


def below(root: int, processes: Iterable[Process]) -> list[Process]:
    """Those of the processes that descend from `root`."""
    processes, known, more = list(processes), set(), {root}
    while more:
        known |= more
        more = {p.number for p in processes if p.parent in known} - known
    return [p for p in processes if p.number in known - {root}]


def megabytes(process: Process) -> float:
    """The process's share of what it uses; 0 if it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{process.number}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) / 1024
    return 0.0


def memory(processes: list[Process], size: Callable[[Process], float]) -> Memory:
    """What the processes of one command use now."""
    sizes = {p: size(p) for p in processes}
    forked = {p.number: p for p in processes if _FORKSERVER in p.command}
    servers = [p for p in forked.values() if p.parent not in forked]
    workers = [p for p in forked.values() if p.parent in {server.number for server in servers}]
    here = {p.space for p in servers}
    zygotes = [p for p in processes if _ZYGOTE in p.command and p.space in here]
    shared = sum(sizes[p] for p in [*servers, *zygotes])
    worker = max((sum(sizes[p] for p in _with_sandbox(w, processes)) for w in workers), default=0.0)
    with_share = worker + shared / len(workers) if workers else 0.0
    return Memory(sum(sizes.values()), worker, shared, with_share)


def _with_sandbox(worker: Process, processes: list[Process]) -> list[Process]:
    """A worker, what it started, and the kernel in its sandbox, which another process started."""
    own = [worker, *below(worker.number, processes)]
    spaces = {p.space for p in own} - {worker.space}
    return [p for p in processes if p in own or p.space in spaces]


if __name__ == "__main__":
    main(*sys.argv[1:])
