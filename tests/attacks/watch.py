"""What is looked at before and after a run: files, rows, processes, and what a page or a table would do."""

from __future__ import annotations

import ctypes
import hashlib
import os
import site
import sqlite3
import sys
import time
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import psutil
import torch

from autograder.repo import this_repo

# What grading makes; all else in a course's folder belongs to the instructor.
_MADE = {"autograded", "feedback", "staged", "exports"}
_NOTES = ("gradebook.db", ".grading-")
_RELEASED = [
    "assignment",
    "base_cell",
    "grade_cells",
    "notebook",
    "solution_cells",
    "source_cell",
    "task_cells",
]
_PR_SET_CHILD_SUBREAPER = 36


def course_files(root: Path) -> dict[str, str]:
    """Every file of the course that grading must leave alone, with a hash of its bytes."""
    return {
        str(path.relative_to(root)): _hash(path)
        for path in sorted(root.rglob("*"))
        if path.relative_to(root).parts[0] not in _MADE and not path.name.startswith(_NOTES)
    }


def released_rows(root: Path) -> dict[str, list[tuple]]:
    """All that the gradebook says about the assignment itself: its tests, their points and sources."""
    with sqlite3.connect(root / "gradebook.db") as base:
        return {
            name: sorted(base.execute(f"select * from {name}").fetchall(), key=repr) for name in _RELEASED
        }


def adopt_orphans() -> None:
    """Let whoever loses its parent become this process's child, so that nobody can hide from `descendants`."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants() -> set[int]:
    """The processes below this one that are alive."""
    return {p.pid for p in psutil.Process().children(recursive=True) if _alive(p)}


def survivors(before: set[int], patience: float = 5) -> list[str]:
    """What still runs that was not there before, after a few seconds to end by itself."""
    end = time.monotonic() + patience
    while (left := descendants() - before) and time.monotonic() < end:
        time.sleep(0.1)
    return sorted(filter(None, map(_words, left)))


def marked_files(mark: str, *folders: Path) -> list[str]:
    """Files with the mark of an attack in their name: below `folders`, or where a next run would meet them."""
    homes = [Path.home() / below for below in (".", ".ipython/profile_default/startup", ".jupyter")]
    system = [Path(p) for p in ("/tmp", "/var/tmp", "/dev/shm", "/usr", "/etc", "/")]
    packages = [Path(p) for p in {*site.getsitepackages(), site.getusersitepackages(), *sys.path}]
    near = [*homes, *system, *packages, Path(torch.__file__).parent, this_repo().root, Path.cwd()]
    found = {str(path) for folder in near if folder.is_dir() for path in folder.glob(f"*{mark}*")}
    return sorted(found | {str(path) for folder in folders for path in folder.rglob(f"*{mark}*")})


def control_characters(text: str) -> list[str]:
    """The characters of a printed text, but for its line ends, that a terminal obeys or that hide."""
    kinds = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
    return sorted({repr(c) for c in text if unicodedata.category(c) in kinds and c != "\n"})


def acting(page: str, mark: str) -> list[str]:
    """The markup with the mark that a browser would run."""
    parser = _Acting(mark)
    parser.feed(page)
    return parser.found


class _Acting(HTMLParser):
    def __init__(self, mark: str):
        super().__init__()
        self.mark, self.found, self.inside = mark, [], ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        for name, value in attrs:
            runs = name.startswith("on") or (value or "").strip().lower().startswith(
                ("javascript:", "data:text")
            )
            if runs and self.mark in (value or ""):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_data(self, data: str) -> None:
        if self.inside in ("script", "style", "iframe", "svg") and self.mark in data:
            self.found.append(f"<{self.inside}>{data[:200]}")

    def handle_endtag(self, tag: str) -> None:
        self.inside = ""


def _hash(path: Path) -> str:
    if path.is_symlink():
        return f"link to {os.readlink(path)}"
    return "a folder" if path.is_dir() else hashlib.sha256(path.read_bytes()).hexdigest()


def _alive(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def _words(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""
