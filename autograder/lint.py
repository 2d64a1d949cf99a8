"""What must be true of generated notebooks, whoever or whatever made them.

`build --check` compares bytes first; these rules look at the files themselves, so that a fault in the
build itself (or in nbgrader) cannot hand learners an answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.ground import unfit
from autograder.lesson import HIDDEN, MARKERS, SOLUTION, Lesson, misspelt
from autograder.repo import Repo
from autograder.views import without

PLACEHOLDERS = ("raise NotImplementedError", "*Your answer goes here.*")
# lines that say nothing about how an exercise is solved
_BOILERPLATE = re.compile(
    r"#.*|with torch\.(no_grad|inference_mode)\(\):|return \w+|(try|else|finally):"
    r"|optimizer\.(zero_grad|step)\(\)|loss\.backward\(\)|super\(\)\.__init__\(\)"
)
SHORT = "a weaker form, because of"  # what `Claims` prints in fast mode or on the offline set
AUTHORSHIP = ("authors", "author", "colab", "vscode", "toc", "celltoolbar", "execution")


def lesson_problems(repo: Repo, lesson: Lesson) -> Iterator[str]:
    """One line for each rule that the lesson's released or solved notebook breaks."""
    for room, rules in ((repo.course, _released), (repo.solutions, _solved)):
        path = room / lesson.notebook
        try:
            notebook = on_disk(path)
        except (OSError, ValueError) as error:
            yield f"{path.relative_to(repo.root)}: cannot be read: {error}"
            continue
        for problem in rules(lesson, notebook):
            yield f"{path.relative_to(repo.root)}: {problem}"
    for exercise in lesson.exercises:
        for problem in unfit(exercise.cells["test"].text):
            yield f"{lesson.chapter}/{lesson.name}: the hidden test of {exercise.name!r} {problem}"


def is_solved(repo: Repo, lesson: Lesson) -> bool:
    """Whether the solved notebook on disk ran as it should, all its checks passing."""
    return not any(_solved(lesson, on_disk(repo.solutions / lesson.notebook)))


def on_disk(path: Path) -> NotebookNode:
    """The notebook at `path`.

    Raises:
        OSError: if there is none.
        ValueError: if the file is anything but a notebook.
    """
    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except (nbformat.ValidationError, AttributeError) as error:  # JSON, but no notebook
        raise ValueError(str(error).partition("\n")[0]) from error
    return notebook


def _released(lesson: Lesson, notebook: NotebookNode) -> Iterator[str]:
    yield from _clean(notebook)
    text = "\n".join(c.source for c in notebook.cells)
    shown = {line.strip() for line in text.splitlines()}
    for exercise in lesson.exercises:
        stub, test = exercise.cells["stub"].text, exercise.cells["test"].text
        for line in sorted((secret(stub, SOLUTION) | (secret(test, HIDDEN) - _public(lesson))) & shown):
            yield f"leaks a line of {exercise.name!r}: `{line}`"
        yield from _stub(exercise.name, stub, notebook)
    for question in lesson.questions:
        if question["answer"].text in text:
            yield f"leaks the model answer of {question['answer'].exercise!r}"


def _clean(notebook: NotebookNode) -> Iterator[str]:
    for key in AUTHORSHIP:
        if key in notebook.metadata or any(key in c.metadata for c in notebook.cells):
            yield f"carries {key!r} in its metadata"
    for cell in notebook.cells:
        if cell.get("outputs") or cell.get("execution_count"):
            yield f"cell {cell.id!r} kept its output"
        for line in map(str.strip, cell.source.splitlines()):
            if line in MARKERS or misspelt(line):
                yield f"cell {cell.id!r} has the marker `{line}`"


def _stub(name: str, source: str, notebook: NotebookNode) -> Iterator[str]:
    """Every line of the stub is a line of the solution, or holds the place of one."""
    solution = {line.strip() for line in source.splitlines()}
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") != f"{name}-stub":
            continue
        for line in map(str.strip, cell.source.splitlines()):
            if line not in solution and not line.startswith(PLACEHOLDERS):
                yield f"the stub of {name!r} has a line that its solution has not: `{line}`"


def _solved(lesson: Lesson, notebook: NotebookNode) -> Iterator[str]:
    code = [c for c in notebook.cells if c.cell_type == "code"]
    if any(c.execution_count is None for c in code):
        yield "was not executed since its code changed; run `python -m autograder build --execute`."
        return
    if any(SHORT in o.get("text", "") for c in code for o in c.outputs):
        yield "was rendered on a short budget or without its data; run `build --execute` with neither"
    for error in _widget_errors(notebook):
        yield f"a widget fails: {error}"
    for exercise in lesson.exercises:
        shown = "".join(
            o.get("text", "") for c in code if c.id == f"{exercise.name}-check" for o in c.outputs
        )
        if not shown.startswith(f"✓ {exercise.name}"):
            yield f"the check of {exercise.name!r} does not pass on the solution: {shown.strip()!r}"


def _widget_errors(notebook: NotebookNode) -> Iterator[str]:
    """Errors inside interactive outputs: `interact` shows them there instead of failing the cell."""
    states = notebook.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    for model in states.get("state", {}).values():
        for output in model["state"].get("outputs", []):
            if output["output_type"] == "error":
                yield f"{output['ename']}: {output['evalue']}"


def secret(text: str, markers: tuple[str, str]) -> set[str]:
    """The telling lines between markers: not those that also stand outside, nor what every answer has."""
    public = {line.strip() for line in without(text, markers, body=True).splitlines()}
    inside = {line.strip() for line in without(text, markers).splitlines()} - public
    return {line for line in inside if len(line) > 12 and not _BOILERPLATE.fullmatch(line)}


def _public(lesson: Lesson) -> set[str]:
    """Lines that the author shows on purpose: a hidden test may set up its model as the visible check does.

    A line of a solution has no such excuse: where an experiment shows it, it gives the exercise away.
    """
    cells = (without(without(c.text, HIDDEN, body=True), SOLUTION, body=True) for c in lesson.cells)
    return {line.strip() for text in cells for line in text.splitlines()}
