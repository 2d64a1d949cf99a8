"""The score of one learner, exercise by exercise, with a sentence for every point that is missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from nbgrader.api import SubmittedAssignment

from autograder.feedback import exercise
from autograder.records import Record


@dataclass
class Result:
    """One learner's outcome.

    Attributes:
        student: whose.
        earned: exercise → points from its hidden test.
        possible: exercise → points that it could give.
        by_hand: written questions that wait for a person.
        reasons: a sentence for each exercise that lost points.
        mends: a sentence for each thing that was put right in the files.
        tests: the version of the tests.
    """

    student: str
    earned: dict[str, float] = field(default_factory=dict)
    possible: dict[str, float] = field(default_factory=dict)
    by_hand: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    mends: list[str] = field(default_factory=list)
    tests: str = ""

    @property
    def score(self) -> float:
        """Points from the hidden tests."""
        return sum(self.earned.values())

    @property
    def maximum(self) -> float:
        """Points that the hidden tests could give."""
        return sum(self.possible.values())


def read_result(
    student: str, submission: SubmittedAssignment, sentences: Mapping[tuple[str, str], str]
) -> Result:
    """The result in the rows of a gradebook.

    Args:
        student: whose.
        submission: the rows.
        sentences: why a cell lost points, by notebook and cell.
    """
    result = Result(student)
    for notebook in submission.notebooks:
        answers = {cell.name for cell in (*notebook.notebook.solution_cells, *notebook.notebook.task_cells)}
        for grade in notebook.grades:
            name = exercise(grade.name)
            if grade.name in answers:
                result.by_hand += [name] if grade.needs_manual_grade else []
                continue
            key = name if name not in result.possible else f"{notebook.name}/{name}"
            result.earned[key], result.possible[key] = grade.auto_score or 0.0, grade.max_score
            if result.earned[key] < grade.max_score:
                partly = f"{result.earned[key]:g} of {grade.max_score:g} points"
                silent = f"{partly}." if result.earned[key] else "no points, and no error either."
                why = sentences.get((notebook.name, grade.name), silent)
                result.reasons.append(why if why.startswith(name) else f"{name}: {why}")
    return result


def waiting(record: Record, questions: list[str]) -> list[str]:
    """Those of the questions that still wait for a person."""
    cells = {exercise(cell) for (_, cell), grade in record.grades.items() if grade["needs_manual_grade"]}
    return [question for question in questions if question in cells]


def table(results: list[Result]) -> str:
    """A line a learner with the score, and below it a line for each reason."""
    width = max(len(shown(r.student)) for r in results)
    lines = []
    for r in results:
        score = f"{r.score:g}/{r.maximum:g}" if r.possible else "not graded"
        hand = f"  (+ {len(r.by_hand)} by hand)" if r.by_hand else ""
        lines.append(f"{shown(r.student):{width}}  {score:>10}{hand}")
        lines += [f"{'':{width}}      {shown(reason)}" for reason in r.reasons]
        lines += [f"{'':{width}}      (mended) {shown(mend)}" for mend in r.mends]
    return "\n".join(lines)


def shown(text: str) -> str:
    """`text` in one line, without the characters that would steer a terminal."""
    return "".join(c if c.isprintable() else " " if c.isspace() else "�" for c in text)
