"""Lay out what a learner handed in as nbgrader wants to find it; what was handed in stays as it is.

The staged copy is the released notebook with the learner's answers (see `intake`). Nothing else of the
submission goes on but small plain files: no link, no folder, no second notebook.
"""

from __future__ import annotations

import re
import shutil
import stat
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import parse_utc

from autograder.handed import MAX_BYTES, Unreadable, read
from autograder.intake import bring_back

MAX_EXTRA_BYTES = 50 << 20
_STAMP = "timestamp.txt"
# What a file manager or a browser makes of a name that is taken: "a (1)", "a-Copy1", "Copy of a", "a_final".
_COPY = r"(?:copy of |kopie von )?{}(?:[ _-]*(?:\(\d+\)|copy ?\d*|\d+|final|new|solved|v\d+))*"


def stage(handed_in: Path, released: dict[str, NotebookNode], staged: Path) -> list[str]:
    """Fill the folder `staged` from the folder `handed_in`, and say what was mended or cannot be used.

    A notebook that cannot be read is replaced by the untouched one, so that it counts as not done, the reason
    stands in it, and the learner's other notebooks are graded. One that was not handed in is left out.

    Args:
        handed_in: a learner's folder of one assignment; it is only read.
        released: the released notebooks, by name.
        staged: replaced, if it is there.
    """
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    said, used = [], set()
    for name, notebook in released.items():
        path, mends = _find(handed_in, name, set(released))
        if path is None:
            continue
        used.add(path)
        mended, more = _brought_back(path, notebook)
        mends += more
        _write(mended, mends, staged / f"{name}.ipynb")
        said += [f"{name}: {mend}" for mend in mends]
    return said + _copy_extras(handed_in, used, staged)


def _find(folder: Path, name: str, names: set[str]) -> tuple[Path | None, list[str]]:
    """The learner's file of the notebook `name`, under this name or the only one that is nearly called so."""
    exact = folder / f"{name}.ipynb"
    if exact.is_symlink() or exact.exists():
        return exact, []
    near = re.compile(_COPY.format(re.escape(name)), flags=re.I)
    found = [p for p in sorted(folder.glob("*.ipynb")) if near.fullmatch(p.stem) and p.stem not in names]
    if len(found) == 1:
        return found[0], [f"The file was called {found[0].name}; it was taken for {name}.ipynb."]
    return None, []


def _brought_back(path: Path, released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    try:
        cells, mends = read(_bytes(path))
        notebook, more = bring_back(released, cells)
    except Unreadable as reason:
        return released.copy(), [f"It could not be read and counts as not done: {reason}"]
    return notebook, mends + more


def _bytes(path: Path) -> bytes:
    """The bytes of a plain file; a link could point at anything, with the instructor's rights."""
    if path.is_symlink() or not path.is_file():
        raise Unreadable(f"{path.name} is no plain file.")
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"{error.strerror}.") from error


def _write(notebook: NotebookNode, mends: list[str], path: Path) -> None:
    """Write the notebook; its mends stand in front, where formgrader and the feedback page show them."""
    if mends:
        items = "\n".join(f"- {mend}" for mend in mends)
        note = nbformat.v4.new_markdown_cell(
            f"**Before grading, this notebook was mended:**\n\n{items}", id="intake"
        )
        notebook = nbformat.from_dict({**notebook, "cells": [note, *notebook.cells]})
    nbformat.write(notebook, path)


def _copy_extras(folder: Path, used: set[Path], staged: Path) -> list[str]:
    """Copy the small plain files beside the notebooks, such as data or a time stamp that can be read."""
    left_out, room = [], MAX_EXTRA_BYTES
    for path in sorted(folder.iterdir()):
        if path in used:
            continue
        facts = path.lstat()
        room -= facts.st_size
        if path.suffix == ".ipynb" or not stat.S_ISREG(facts.st_mode) or room < 0:
            left_out.append(path.name)
        elif path.name != _STAMP or _is_time(path):
            shutil.copyfile(path, staged / path.name)
        else:
            left_out.append(path.name)
    return [f"Left out: {', '.join(left_out)}."] if left_out else []


def _is_time(path: Path) -> bool:
    try:
        return parse_utc(path.read_text("utf-8").strip()) is not None
    except (ValueError, OverflowError):
        return False
