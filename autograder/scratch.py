"""One folder for all temporary files of a process: what a killed one left in its own, the next one removes."""

from __future__ import annotations

import atexit
import contextlib
import os
import shutil
import tempfile
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

_PREFIX, _LOCK = "autograder-", ".lock"


@cache
def claim() -> str:
    """Use a new folder for all temporary files of this process, and of those it starts, until it ends."""
    sweep()
    folder, lock = _claimed()
    tempfile.tempdir = str(folder)
    # The second is where Jupyter writes how a kernel is reached, in a file for each.
    os.environ.update(TMPDIR=str(folder), JUPYTER_RUNTIME_DIR=str(folder / "runtime"))
    atexit.register(_leave, folder, lock)
    return str(folder)


def sweep() -> None:
    """Remove the folders of those that have ended without removing them."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != getattr(os, "getuid", int)():
            continue  # another user's, who may have laid a trap in it
        with contextlib.suppress(OSError, Timeout), FileLock(folder / _LOCK, timeout=0):
            shutil.rmtree(folder, ignore_errors=True)


def _claimed() -> tuple[Path, FileLock]:
    """A new folder and the lock on it, which its owner's end releases, whatever that end is."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
        lock = FileLock(folder / _LOCK, timeout=0)
        # Somebody's sweep may come between the two lines above.
        with contextlib.suppress(FileNotFoundError, Timeout):
            lock.acquire()
            return folder, lock


def _leave(folder: Path, lock: FileLock) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    lock.release()
