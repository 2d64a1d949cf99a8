"""Read a lesson's source, strictly: what is wrong is said with file and line, and nothing is guessed.

A source is a jupytext ``py:percent`` file. The header of a cell says what it is for::

    # %% role="test" exercise="he_std" points=2

Cells without a role are prose or experiments and go to every view. The others are listed in `ROLES`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import jupytext
import yaml

SOLUTION = ("### BEGIN SOLUTION", "### END SOLUTION")
HIDDEN = ("### BEGIN HIDDEN TESTS", "### END HIDDEN TESTS")
MARKERS = (*SOLUTION, *HIDDEN)
EXERCISE = ("card", "stub", "check", "hints", "test", "why")
QUESTION = ("question", "answer")

# role: (cell type, keys that must be there, keys that may be there)
ROLES: dict[str, tuple[str, set[str], set[str]]] = {
    "setup": ("code", set(), set()),
    "card": ("markdown", {"exercise", "level", "minutes", "topic", "doc"}, {"needs"}),
    "stub": ("code", {"exercise"}, set()),
    "check": ("code", {"exercise"}, set()),
    "hints": ("markdown", {"exercise"}, set()),
    "test": ("code", {"exercise", "points"}, set()),
    "why": ("markdown", {"exercise"}, set()),
    "question": ("markdown", {"exercise", "minutes"}, set()),
    "answer": ("markdown", {"exercise", "points"}, set()),
}
_COMMON = {"role", "tags", "lines_to_next_cell"}


class SourceError(Exception):
    """All that is wrong with a source, one ``file:line: sentence`` each."""

    def __init__(self, problems: list[str]):
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass
class Cell:
    """One cell of a source: its kind, its text, its header's keys, the line it begins on."""

    kind: str
    text: str
    meta: dict
    line: int

    @property
    def role(self) -> str:
        """The role named in the header; empty for prose and experiments."""
        return str(self.meta.get("role", ""))

    @property
    def exercise(self) -> str:
        """The exercise or question that the cell belongs to; empty for none."""
        return self.meta.get("exercise", "")


@dataclass
class Exercise:
    """One exercise with its cells by role; `number` counts from 1 through the lesson."""

    name: str
    number: int
    cells: dict[str, Cell]

    @property
    def points(self) -> int:
        """What the hidden test is worth."""
        return self.cells["test"].meta["points"]

    @property
    def needs(self) -> list[str]:
        """Earlier exercises whose solution this one calls."""
        return str(self.cells["card"].meta.get("needs", "")).split()


@dataclass
class Lesson:
    """A lesson as written: metadata of the header, cells, exercises and written questions."""

    path: Path
    meta: dict
    cells: list[Cell]
    exercises: list[Exercise] = field(default_factory=list)
    questions: list[dict[str, Cell]] = field(default_factory=list)

    @property
    def chapter(self) -> str:
        """The folder's name, which is nbgrader's assignment."""
        return self.path.parent.name

    @property
    def name(self) -> str:
        """The file's name without its suffix, which is nbgrader's notebook."""
        return self.path.stem

    @property
    def notebook(self) -> Path:
        """Where the lesson's notebook stands in each generated room."""
        return Path(self.chapter) / f"{self.name}.ipynb"

    @cached_property
    def points(self) -> int:
        """Of all exercises and written questions together."""
        return sum(e.points for e in self.exercises) + sum(q["answer"].meta["points"] for q in self.questions)


def read(path: Path) -> Lesson:
    """Read and check one source file.

    Raises:
        SourceError: naming every problem with its line.
    """
    try:
        text = path.read_text("utf-8")
        notebook = jupytext.reads(text, fmt="py:percent")
    except (UnicodeDecodeError, yaml.YAMLError) as error:
        raise SourceError([f"{path}:1: cannot be read: {' '.join(str(error).split())}"]) from error
    problems = list(_markers(text))
    lines = [n for n, line in enumerate(text.splitlines(), 1) if line.startswith("# %%")]
    if len(lines) != len(notebook.cells):
        raise SourceError(
            [f"{path}:1: {len(notebook.cells)} cells, but {len(lines)} lines begin with '# %%'."]
        )
    cells = [
        Cell(c.cell_type, c.source, dict(c.metadata), n) for c, n in zip(notebook.cells, lines, strict=True)
    ]
    meta = notebook.metadata.get("lesson")
    lesson = Lesson(path, dict(meta) if isinstance(meta, dict) else {}, cells)
    problems += _structure(lesson)
    if problems:
        raise SourceError([f"{path}:{line}: {what}" for line, what in sorted(problems)])
    return lesson


Problem = tuple[int, str]


def _markers(text: str) -> Iterator[Problem]:
    """Markers that are nested, unclosed, out of order, misspelt, or in a cell they do not belong to."""
    opened: tuple[int, str] | None = None
    role = ""
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if line.startswith("# %%"):
            if opened:
                yield opened[0], f"'{opened[1]}' is not closed before the cell ends."
            opened, role = None, _role_of(line)
        elif stripped in MARKERS:
            begins = stripped in (SOLUTION[0], HIDDEN[0])
            if role != ("stub" if stripped in SOLUTION else "test"):
                yield number, f"'{stripped}' does not belong into a cell with role {role or 'none'!r}."
            if begins and opened:
                yield number, f"'{stripped}' stands inside '{opened[1]}' of line {opened[0]}."
            if not begins and (not opened or opened[1].split()[2:] != stripped.split()[2:]):
                yield number, f"'{stripped}' closes nothing."
            opened = (number, stripped) if begins else None
        elif meant := misspelt(stripped):
            yield number, f"'{stripped}' looks like a marker; write '{meant}'."
    if opened:
        yield opened[0], f"'{opened[1]}' is not closed before the file ends."


def misspelt(line: str) -> str:
    """The marker that a line was probably meant to be; empty if it is a marker or nothing like one.

    nbgrader takes a line for a marker wherever its words stand in it, behind code or in a string too.
    """
    if line in MARKERS:
        return ""
    bare = {m.lstrip("# "): m for m in MARKERS}
    if inside := [m for m in bare if m in line]:
        return bare[inside[0]]
    if not line.startswith("#"):
        return ""
    words = re.sub(r"[#\s]+", " ", line).strip().upper()
    # 0.86 is just above what plain "hidden tests" and "the solution" have in common with a marker
    found = difflib.get_close_matches(words, bare, n=1, cutoff=0.86)
    return bare[found[0]] if found else ""


def _role_of(header: str) -> str:
    found = re.search(r'\brole="(\w+)"', header)
    return found.group(1) if found else ""


def _structure(lesson: Lesson) -> Iterator[Problem]:
    """Fill the lesson's exercises and questions; yield what does not fit together."""
    if not {"title", "minutes"} <= lesson.meta.keys():
        yield 1, "the header names no lesson title and minutes (jupyter: lesson: title: …, minutes: …)."
    for cell in lesson.cells:
        yield from _header(cell)
    names = list(dict.fromkeys(c.exercise for c in lesson.cells if c.exercise))
    earlier: list[str] = []
    for name in names:
        cells = [c for c in lesson.cells if c.exercise == name]
        wanted = QUESTION if cells[0].role in QUESTION else EXERCISE
        needs = str(cells[0].meta.get("needs", "")).split()
        if unknown := [n for n in needs if n not in earlier]:
            yield cells[0].line, f"{name!r} needs {', '.join(unknown)}, which is no earlier exercise."
        earlier += [name] if wanted is EXERCISE else []
        roles = [c.role for c in cells]
        if sorted(roles) != sorted(wanted):
            missing = [r for r in wanted if r not in roles]
            twice = sorted({r for r in roles if roles.count(r) > 1 or r not in wanted})
            what = [f"has no {r} cell" for r in missing] + [f"has a {r} cell too many" for r in twice]
            yield cells[0].line, f"exercise {name!r} {', '.join(what)}."
            continue
        if tuple(roles) != wanted:
            yield cells[0].line, f"the cells of {name!r} stand in the order {roles}; write {list(wanted)}."
        by_role = {c.role: c for c in cells}
        if wanted is QUESTION:
            lesson.questions.append(by_role)
            continue
        yield from _exercise(name, by_role)
        lesson.exercises.append(Exercise(name, len(lesson.exercises) + 1, by_role))


def _header(cell: Cell) -> Iterator[Problem]:
    if not cell.role:
        if "incorrectly_encoded_metadata" in cell.meta:
            yield cell.line, 'the header cannot be read: write each key as key="value", with quotes.'
        elif extra := cell.meta.keys() - _COMMON:
            yield cell.line, f"a cell without a role has no use for {', '.join(sorted(extra))}."
        return
    if cell.role not in ROLES:
        yield cell.line, f"there is no role {cell.role!r}; the roles are {', '.join(ROLES)}."
        return
    kind, must, may = ROLES[cell.role]
    if cell.kind != kind:
        yield cell.line, f"a {cell.role} is a {kind} cell, not {cell.kind}."
    if missing := must - cell.meta.keys():
        yield cell.line, f"a {cell.role} cell must say {', '.join(sorted(missing))}."
    if extra := cell.meta.keys() - must - may - _COMMON:
        yield cell.line, f"a {cell.role} cell has no use for {', '.join(sorted(extra))}."
    for key in ("points", "minutes"):
        number = cell.meta.get(key, 1)
        if type(number) is not int or number < 1:  # True is an int too
            yield cell.line, f"{key} must be a whole number above 0, not {number!r}."


def _exercise(name: str, cells: dict[str, Cell]) -> Iterator[Problem]:
    card, stub, check, hints, test = (cells[r] for r in EXERCISE[:5])
    if not card.text.startswith("### "):
        yield card.line, "a card begins with a heading: '### What it is about'."
    level = card.meta.get("level")
    if type(level) is not int or level not in (1, 2, 3):
        yield card.line, f"level is 1, 2 or 3, not {level!r}."
    if SOLUTION[0] not in stub.text:
        yield stub.line, f"the stub of {name!r} marks no solution ('{SOLUTION[0]}')."
    if '"""' not in stub.text:
        yield stub.line, f"the stub of {name!r} has no docstring."
    if f'Check("{name}")' not in check.text:
        yield check.line, f'the visible check has no `with Check("{name}")`.'
    folds = hints.text.count("<details>")
    if folds not in (2, 3) or folds != hints.text.count("</details>"):
        yield hints.line, "hints are two or three folds, each <details> closed."
    if HIDDEN[0] not in test.text or f'HiddenTest("{name}")' not in test.text:
        yield (
            test.line,
            f'the test hides nothing: put `with HiddenTest("{name}")` between the hidden markers.',
        )
