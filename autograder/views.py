"""Project a lesson into its three views: pure functions from a `Lesson` to a notebook.

`master` is what nbgrader calls the source notebook; `released` is what its own preprocessors make of it;
`solved` is the solutions track, still to be executed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable
from copy import deepcopy
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
from nbformat import NotebookNode
from nbgrader.converters import GenerateAssignment

from autograder.config import load
from autograder.lesson import HIDDEN, SOLUTION, Cell, Lesson

NBVAL_COMPARE = "nbval-check-output"
# Whose page a card links to, where it is not PyTorch's.
_OTHERS = {"docs.scipy.org": "SciPy", "scikit-learn.org": "scikit-learn"}
LEVELS = {1: "●○○", 2: "●●○", 3: "●●●"}
# grade, solution, locked: how nbgrader treats the cells of each role
_NBGRADER = {
    "stub": (False, True, False),
    "test": (True, False, True),
    "answer": (True, True, False),
}
_INSTALL = """\
# Does nothing where the course is installed; on Colab it installs the toolkit (about a minute).
try:
    import trainlab
except ModuleNotFoundError:
    %pip install --quiet "trainlab @ git+https://github.com/{slug}"
"""


def master(lesson: Lesson, slug: str) -> NotebookNode:
    """The notebook nbgrader starts from: solutions and hidden tests between their markers."""
    cells = [_graded(lesson, c) for c in lesson.cells if c.role != "why"]
    return _notebook(_front(lesson, slug, "course") + cells)


def released(notebook: NotebookNode) -> NotebookNode:
    """What ``nbgrader generate_assignment`` makes of a master, by the same preprocessors in the same order."""
    notebook = deepcopy(notebook)  # the preprocessors change what they are given
    resources: dict = {"unique_key": "build", "nbgrader": {}}
    for preprocessor in _release_preprocessors():
        notebook, resources = preprocessor.preprocess(notebook, resources)
    return notebook


def solved(lesson: Lesson, slug: str) -> NotebookNode:
    """The solutions track: no hidden tests, no markers, no nbgrader, and the paragraph "why it is so"."""
    cells = [_solved(lesson, c) for c in lesson.cells if c.role != "test"]
    return _notebook(_front(lesson, slug, "solutions") + cells)


def written(notebook: NotebookNode) -> str:
    """The bytes of the file, as nbgrader's own exporter writes them."""
    return nbformat.writes(notebook) + "\n"


def without(text: str, markers: Iterable[str], *, body: bool = False) -> str:
    """`text` without the marker lines, and with `body` without what they enclose."""
    opening, closing = markers
    if body:
        text = re.sub(rf"^[ \t]*{opening}\n.*?^[ \t]*{closing}\n?", "", text, flags=re.M | re.S)
    return re.sub(rf"^[ \t]*(?:{opening}|{closing})\n?", "", text, flags=re.M).rstrip("\n")


@cache
def _release_preprocessors() -> list:
    """nbgrader's own, but for the one that writes to a gradebook: a build has none."""
    config, _ = load(Path(__file__).parent)
    classes = [c for c in GenerateAssignment.preprocessors.default_args[0] if c.__name__ != "SaveCells"]
    return [c(config=config) for c in classes]


def _notebook(cells: list[NotebookNode]) -> NotebookNode:
    seen: dict[str, int] = {}
    for cell in cells:
        seen[cell.id] = seen.get(cell.id, 0) + 1
        cell.id += f"-{seen[cell.id]}" if seen[cell.id] > 1 else ""
    return nbformat.v4.new_notebook(
        cells=cells,
        metadata={
            "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
    )


def _cell(kind: str, text: str, name: str = "", **metadata: object) -> NotebookNode:
    """A cell whose id is its name, or else hangs on its text alone, so that one edit changes one id."""
    new: Callable = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}[kind]
    ident = name or hashlib.sha1(f"{kind}{text}".encode()).hexdigest()[:8]
    return new(text, metadata=metadata, id=ident)


def chapter_title(chapter: str) -> str:
    """``ch01_unstable_gradients`` → ``Chapter 1: Unstable gradients``."""
    number, _, words = chapter.partition("_")
    return f"Chapter {int(number.removeprefix('ch'))}: {words.replace('_', ' ').capitalize()}"


def _front(lesson: Lesson, slug: str, room: str) -> list[NotebookNode]:
    """Title, badge and the cell that installs the toolkit on Colab."""
    path = f"{room}/{lesson.notebook.as_posix()}"
    badge = (
        f"[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
        f"(https://colab.research.google.com/github/{slug}/blob/main/{path})"
    )
    facts = (
        f"{_many(len(lesson.exercises), 'coded exercise')} and {len(lesson.questions)} written, "
        f"{_many(lesson.points, 'point')}, about {_many(lesson.meta['minutes'], 'minute')}"
    )
    solved_note = (
        "**The solutions track: every exercise solved and explained.** " if room == "solutions" else ""
    )
    title = f"# {lesson.meta['title']}\n\n{chapter_title(lesson.chapter)} · {facts}\n\n{solved_note}{badge}"
    return [
        _cell("markdown", title, "title"),
        _cell("code", _INSTALL.format(slug=slug).rstrip(), "install"),
    ]


def _many(number: int, thing: str) -> str:
    return f"{number} {thing}{'s' * (number != 1)}"


def _stamped(lesson: Lesson, cell: Cell) -> str:
    """The cell's text; a card and a written question get their number and facts from the metadata."""
    if cell.role not in ("card", "question"):
        return cell.text
    heading, _, rest = cell.text.partition("\n")
    words = heading.removeprefix("### ")
    minutes = f"about {_many(cell.meta['minutes'], 'minute')}"
    if cell.role == "question":
        points = next(q["answer"] for q in lesson.questions if q["question"] is cell).meta["points"]
        facts = f"{minutes} · {_many(points, 'point')}, graded by a person"
        return f"### Written question · {words}\n\n*{facts}*\n{rest}"
    exercise = next(e for e in lesson.exercises if e.name == cell.exercise)
    points = _many(exercise.points, "point")
    page = f"[{_owner(cell.meta['doc'])}'s page]({cell.meta['doc']})"
    facts = f"{LEVELS[cell.meta['level']]} · {minutes} · {points} · {page}"
    return f"### Exercise {exercise.number} · {words}\n\n`{exercise.name}` · {facts}\n{rest}"


def _owner(address: str) -> str:
    """Whose documentation stands there."""
    return _OTHERS.get(urlsplit(address).hostname, "PyTorch")


def _tags(cell: Cell) -> dict:
    return {"tags": list(cell.meta["tags"])} if cell.meta.get("tags") else {}


def _graded(lesson: Lesson, cell: Cell) -> NotebookNode:
    name = f"{cell.exercise}-{cell.role}" if cell.exercise else ""
    metadata = {k: v for k, v in _tags(cell).items() if NBVAL_COMPARE not in v}  # a release has no outputs
    if cell.role == "check":
        # Plain to nbgrader, which puts a deleted test back behind the last cell that it manages and fails
        # where that one can neither be graded nor solved; JupyterLab still keeps it from being changed.
        metadata |= {"deletable": False, "editable": False}
    if cell.role in _NBGRADER:
        grade, solution, locked = _NBGRADER[cell.role]
        metadata["nbgrader"] = {
            "grade": grade,
            "grade_id": name,
            "locked": locked,
            "schema_version": 3,
            "solution": solution,
            "task": False,
            **({"points": cell.meta["points"]} if grade else {}),
        }
    return _cell(cell.kind, _stamped(lesson, cell), name, **metadata)


def _solved(lesson: Lesson, cell: Cell) -> NotebookNode:
    name = f"{cell.exercise}-{cell.role}" if cell.exercise else ""
    text = without(without(_stamped(lesson, cell), SOLUTION), HIDDEN, body=True)
    if cell.role == "answer":
        text = f"**A model answer.** {text}"
    if cell.role == "why":
        text = f"**Why it is so.** {text}"
    tags = {"tags": [NBVAL_COMPARE]} if cell.role == "check" else _tags(cell)
    return _cell(cell.kind, text, name, **tags)
