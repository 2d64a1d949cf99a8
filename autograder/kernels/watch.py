"""Watch what a sandbox uses as a whole, and end it when that is too much.

The kernel's own limits count each process for itself, and not at all for a grader that runs as root.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from autograder.kernels.sandbox import Running

_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Allowance:
    """What all processes of a sandbox may use together: memory in MiB, processes, threads."""

    memory_mb: int
    processes: int
    threads: int


class Watch(threading.Thread):
    """Looks four times a second; `reason` says why the sandbox was ended, "" if it was not."""

    def __init__(self, sandbox: Running, allowance: Allowance, interval: float = 0.25):
        super().__init__(name=f"watch-{sandbox.first}", daemon=True)
        self.reason = ""
        self._sandbox, self._allowance, self._interval = sandbox, allowance, interval
        self._over = threading.Event()

    def run(self) -> None:
        """Look until the sandbox is gone or `stop` is called."""
        while not self._over.wait(self._interval) and self._sandbox.process.poll() is None:
            if reason := excess(self._sandbox.first, self._allowance):
                self.reason = reason
                self._sandbox.kill()

    def stop(self) -> None:
        """Look no more."""
        self._over.set()


def excess(first: int, allowance: Allowance) -> str:
    """What the processes in the sandbox of process `first` use too much of, "" if nothing."""
    processes = threads = pages = 0
    for process in _together_with(first):
        with suppress(OSError, IndexError, ValueError):
            stat = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
            sizes = Path(f"/proc/{process}/statm").read_text().split()
            threads += int(stat[17])
            pages += int(sizes[1]) - int(sizes[2])
        processes += 1
    memory = pages * _PAGE >> 20
    used = {
        f"more than {allowance.memory_mb} MB of memory": memory > allowance.memory_mb,
        f"more than {allowance.processes} processes": processes > allowance.processes,
        f"more than {allowance.threads} threads": threads > allowance.threads,
    }
    return next((what for what, too_much in used.items() if too_much), "")


def _together_with(first: int) -> Iterator[int]:
    """The processes in the process namespace of `first`."""
    with suppress(OSError):
        own = os.stat(f"/proc/{first}/ns/pid").st_ino
        for name in os.listdir("/proc"):
            with suppress(OSError):
                if name.isdigit() and os.stat(f"/proc/{name}/ns/pid").st_ino == own:
                    yield int(name)
