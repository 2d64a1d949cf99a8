"""The feedback page: what a learner gets to see of a graded notebook.

`Summary` puts in front what one looks for first, `HideTests` keeps tests hidden, and `settings` makes nbgrader's
own `generate_feedback` use both.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.preprocessors import GetGrades, NbGraderPreprocessor
from nbgrader.server_extensions.formgrader import handlers
from nbgrader.utils import compute_checksum, is_grade, is_solution, is_task
from traitlets import Bool
from traitlets.config import Config

from autograder.defuse import Defuse, Preprocessed
from autograder.enduring import STOPPED
from autograder.lesson import HIDDEN
from autograder.page import Page
from autograder.views import without

VERSION = (
    "autograder"  # in a notebook's metadata: a sentence that says by which tests it was graded, and when
)
_LONGEST = 300  # characters of an error's own words
_TOO_LONG = ("KeyboardInterrupt", "CellTimeoutError")


def settings() -> Config:
    """nbgrader's configuration for these pages, to be merged into a course's."""
    config = Config()
    config.GenerateFeedback.preprocessors = [GetGrades, Defuse, Summary, HideTests, CSSHTMLHeaderPreprocessor]
    config.GenerateFeedback.exporter_class = Page
    config.HTMLExporter.template_file = "page.html.j2"  # which template it belongs to, nbgrader says itself
    config.HTMLExporter.extra_template_basedirs = [
        str(Path(__file__).parent / "templates"),
        handlers.template_path,
    ]
    return config


class HideTests(NbGraderPreprocessor):
    """Leaves of each test the sentence for the learner: no hidden code, no traceback through it."""

    reveal = Bool(False, help="Show the hidden tests and their tracebacks.").tag(config=True)

    def preprocess_cell(self, cell: NotebookNode, resources: dict, index: int) -> Preprocessed:
        """Shorten one test cell, in place."""
        if self.reveal or cell.cell_type != "code" or not is_grade(cell):
            return cell, resources
        cell.source = without(cell.source, HIDDEN, body=True)
        cell.outputs = [NotebookNode(output_type="stream", name="stdout", text=_verdict(cell))]
        return cell, resources


class Summary(NbGraderPreprocessor):
    """Puts a cell in front: the score, a line for each exercise, what was stopped, and which tests these were.

    It goes behind `GetGrades`, which brings the scores, and in front of `HideTests`, which takes the errors away.
    """

    def preprocess(self, nb: NotebookNode, resources: dict) -> Preprocessed:
        """Add the cell to `nb`, in place."""
        rows = list(_rows(nb, _waiting(resources)))
        facts = resources["nbgrader"]
        parts = [
            _score(rows, facts["score"], facts["max_score"], facts["late_penalty"]),
            _table(rows),
            # a test says so in its own line
            *(_stopped(cell) for cell in nb.cells if stopped(cell) and not is_grade(cell)),
        ]
        if isinstance(version := nb.metadata.get(VERSION), str):
            parts.append(f'<p class="version">{_words(version)}</p>')
        # One block of HTML, in which nothing is Markdown and nothing a formula.
        text = f'<div class="summary tex2jax_ignore">{"".join(parts)}</div>'
        nb.cells.insert(0, nbformat.v4.new_markdown_cell(text, id="summary"))
        return nb, resources


@dataclass(frozen=True)
class Row:
    """One exercise or question in the summary.

    Attributes:
        grade_id: nbgrader's name of the graded cell.
        score: points so far.
        points: points there are.
        mark: one sign.
        words: what there is to say.
        waits: whether a person still has to read it.
    """

    grade_id: str
    score: float
    points: float
    mark: str
    words: str = ""
    waits: bool = False


def sentence(cell: NotebookNode, *, reveal: bool = False) -> str:
    """Why a graded cell lost its points, "" if it did not; with `reveal` in the words of any error.

    A check says itself what is wrong. The words of another error may hold what the test expects.
    """
    error = _error(cell)
    if error is None:
        return ""
    name = exercise(cell.metadata.nbgrader.grade_id)
    if error.ename == "CheckFailed":
        return error.evalue
    if why := stopped(cell):
        return f"{name}: {why}."
    if reveal:
        return f"{name}: {error.ename}: {error.evalue[:_LONGEST]}"
    said = error.evalue.splitlines()[0][:_LONGEST] if error.ename == "AssertionError" and error.evalue else ""
    return f"{name}: {said or f'{error.ename} in the test.'}"


def stopped(cell: NotebookNode) -> str:
    """Why a cell could not run to its end, "" if it could, or failed by itself."""
    error = _error(cell)
    if error is None or error.ename not in (STOPPED, *_TOO_LONG):
        return ""
    return error.evalue if error.ename == STOPPED else "ran longer than the time limit and was stopped"


def exercise(grade_id: str) -> str:
    """The exercise that a graded cell belongs to: its name without the role."""
    return re.sub(r"-(?:answer|stub|test)$", "", grade_id)


def _verdict(cell: NotebookNode) -> str:
    """One line on a graded test: why it failed, or how many of its points it gave."""
    if told := sentence(cell):
        return f"✗ {told}"
    score, points = (cell.metadata.nbgrader.get(name) for name in ("score", "points"))
    if score is not None and score < points:
        return f"◐ {score:g} of {points:g} points."
    return "✓ All points."


def _rows(nb: NotebookNode, waiting: set[str]) -> Iterator[Row]:
    solutions = [cell for cell in nb.cells if is_solution(cell) or is_task(cell)]
    untouched = {exercise(_name(cell)) for cell in solutions if _is_untouched(cell)}
    commented = {exercise(_name(cell)) for cell in solutions if cell.metadata.nbgrader.get("comment")}
    for cell in nb.cells:
        if not is_grade(cell) and not is_task(cell):
            continue
        name, facts = _name(cell), cell.metadata.nbgrader
        score, points = facts.get("score") or 0.0, facts.get("points") or 0.0
        mark, words = _judged(cell, score, points)
        if not score and exercise(name) in untouched:
            mark, words = "○", "not done yet"
        elif name in waiting:
            mark, words = "…", "waits for a person to read it"
        elif exercise(name) in commented:
            words = f"{words} See the comment.".strip()
        yield Row(name, score, points, mark, words, waits=mark == "…")


def _judged(cell: NotebookNode, score: float, points: float) -> tuple[str, str]:
    """Sign and words for a cell that was graded: not done is not wrong."""
    if score >= points:
        return "✓", ""
    told = sentence(cell).removeprefix(f"{exercise(_name(cell))}: ")
    if told.startswith("not done yet"):
        return "○", told
    return "◐" if score else "✗", told


def _score(rows: list[Row], score: float, maximum: float, penalty: float) -> str:
    waiting = sum(row.points for row in rows if row.waits)
    more = f", and {waiting:g} more wait for a person" if waiting else ""
    late = f" ({penalty:g} taken off because it came late)" if penalty else ""
    return f"<h2>{score:g} of {maximum:g} points{more}{late}</h2>"


def _table(rows: list[Row]) -> str:
    lines = (
        f'<tr><td>{row.mark}</td><td><a href="#{html.escape(row.grade_id)}">{_words(exercise(row.grade_id))}</a></td>'
        f'<td class="points">{row.score:g} / {row.points:g}</td><td>{_words(row.words)}</td></tr>'
        for row in rows
    )
    head = "<tr><th></th><th>Exercise</th><th>Points</th><th></th></tr>"
    return f"<table><thead>{head}</thead><tbody>{''.join(lines)}</tbody></table>"


def _stopped(cell: NotebookNode) -> str:
    first = next((line for line in cell.source.splitlines() if line.strip()), "")
    return f"<p>The cell that begins with <code>{_words(first[:100])}</code>: {_words(stopped(cell))}.</p>"


def _words(text: str) -> str:
    """Plain words as HTML on one line; what stands between backticks is code."""
    lines = "<br>".join(html.escape(line) for line in text.splitlines() if line.strip())
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", lines)


def _waiting(resources: dict) -> set[str]:
    """Names of the cells that a person has to grade."""
    facts = resources["nbgrader"]
    with Gradebook(facts["db_url"]) as gradebook:
        notebook = gradebook.find_submission_notebook(
            facts["notebook"], facts["assignment"], facts["student"]
        )
        return {grade.name for grade in notebook.grades if grade.needs_manual_grade}


def _is_untouched(cell: NotebookNode) -> bool:
    return cell.metadata.nbgrader.get("checksum") == compute_checksum(cell)


def _error(cell: NotebookNode) -> NotebookNode | None:
    return next((output for output in cell.get("outputs", []) if output.output_type == "error"), None)


def _name(cell: NotebookNode) -> str:
    return cell.metadata.nbgrader.grade_id
