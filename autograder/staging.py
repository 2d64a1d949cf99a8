"""Lay out what a learner handed in as nbgrader wants to find it; what was handed in stays as it is.

The staged copy is the released notebook with the learner's answers (see `intake`). Nothing else of the
submission goes on but small plain files: no link, no folder, no second notebook.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.arrivals import STAMP, read_stamp
from autograder.handed import Unreadable, read
from autograder.intake import bring_back
from autograder.submission import Handed

MAX_EXTRA_BYTES = 50 << 20
# What a file manager or a browser makes of a name that is taken: "a (1)", "a-Copy1", "Copy of a", "a_final".
_COPY = r"(?:copy of |kopie von )?{}(?:[ _-]*(?:\(\d+\)|copy ?\d*|\d+|final|new|solved|v\d+))*"


def stage(handed: Handed, released: dict[str, NotebookNode], staged: Path) -> list[str]:
    """Fill the folder `staged` with what was handed in, and say what was mended or cannot be used.

    A notebook that cannot be read is replaced by the untouched one, so that it counts as not done, the reason
    stands in it, and the learner's other notebooks are graded. One that was not handed in is left out, unless
    none was: nbgrader has nothing to say of a learner without a notebook.

    Args:
        handed: the files of one learner.
        released: the released notebooks, by name.
        staged: replaced, if it is there.
    """
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    said, used = [], set()
    found = {name: _find(handed, name, set(released)) for name in released}
    none = not any(file for file, _ in found.values())
    for name, (file, mends) in found.items():
        if file:
            used.add(file)
            mended, more = _brought_back(handed, file, released[name])
        elif none:
            mended, more = released[name], ["It was not handed in and counts as not done."]
        else:
            continue
        mends += more
        _write(mended, mends, staged / f"{name}.ipynb")
        said += [f"{name}: {mend}" for mend in mends]
    return said + _keep_extras(handed, used, staged)


def _find(handed: Handed, name: str, names: set[str]) -> tuple[str | None, list[str]]:
    """The learner's file of the notebook `name`, under this name or the only one that is nearly called so."""
    exact = f"{name}.ipynb"
    known = sorted([*handed.files, *handed.refused])
    if exact in known:
        return exact, []
    near = re.compile(_COPY.format(re.escape(name)) + r"\.ipynb", flags=re.I)
    found = [file for file in known if near.fullmatch(file) and file.removesuffix(".ipynb") not in names]
    if len(found) == 1:
        return found[0], [f"The file was called {found[0]}; it was taken for {exact}."]
    return None, []


def _brought_back(handed: Handed, file: str, released: NotebookNode) -> tuple[NotebookNode, list[str]]:
    try:
        if file in handed.refused:
            raise Unreadable(handed.refused[file])
        cells, mends = read(handed.files[file])
        notebook, more = bring_back(released, cells)
    except Unreadable as reason:
        return released, [f"It could not be read and counts as not done: {reason}"]
    return notebook, mends + more


def _write(notebook: NotebookNode, mends: list[str], path: Path) -> None:
    """Write the notebook; its mends stand in front, where formgrader and the feedback page show them."""
    if mends:
        items = "\n".join(f"- {mend}" for mend in mends)
        note = nbformat.v4.new_markdown_cell(
            f"**Before grading, this notebook was mended:**\n\n{items}", id="intake"
        )
        notebook = nbformat.from_dict({**notebook, "cells": [note, *notebook.cells]})
    nbformat.write(notebook, path)


def _keep_extras(handed: Handed, used: set[str], staged: Path) -> list[str]:
    """Write the small files beside the notebooks, such as data or a time stamp that can be read."""
    left_out, room = [name for name in handed.refused if name not in used], MAX_EXTRA_BYTES
    for name, content in handed.files.items():
        if name in used:
            continue
        room -= len(content)
        if name.endswith(".ipynb") or room < 0 or (name == STAMP and not read_stamp(content)):
            left_out.append(name)
        else:
            (staged / name).write_bytes(content)
    return [f"Left out: {', '.join(sorted(left_out))}."] if left_out else []
