"""The table of grades as CSV that every spreadsheet reads and none runs: ``nbgrader export`` takes it as a plugin.

Typed in a course's folder: ``nbgrader export --exporter autograder.export.SafeCsvExport --to grades.csv``.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from nbgrader.api import Assignment, Gradebook, MissingEntry, Student
from nbgrader.plugins import ExportPlugin
from traitlets import Unicode

_ASSIGNMENT = ("assignment", "duedate", "timestamp")
_STUDENT = ("student_id", "last_name", "first_name", "email")
_SCORE = ("raw_score", "late_submission_penalty", "score", "max_score")
COLUMNS = _ASSIGNMENT + _STUDENT + _SCORE  # nbgrader's own, in its order
EXERCISE_COLUMNS = ("assignment", "notebook", "exercise", "student_id", "score", "max_score", "by_hand")
# A spreadsheet takes a text that begins so for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

Row = dict[str, object]


class SafeCsvExport(ExportPlugin):
    """nbgrader's columns, quoted, with names that no spreadsheet runs."""

    exercises = Unicode("", help="A second file, with a line for each exercise; none if empty.").tag(
        config=True
    )

    def export(self, gradebook: Gradebook) -> None:
        """Write the file `to`, and `exercises` if it is named.

        Args:
            gradebook: is only read.
        """
        target = Path(self.to or "grades.csv")
        self.log.info("Exporting grades to %s", target)
        write(target, COLUMNS, self._grades(gradebook))
        if self.exercises:
            write(Path(self.exercises), EXERCISE_COLUMNS, self._points(gradebook))

    def _grades(self, gradebook: Gradebook) -> Iterator[Row]:
        for assignment, student in self._chosen(gradebook):
            row = {column: getattr(student, column, None) for column in _STUDENT}
            row |= {"student_id": student.id, "assignment": assignment.name, "duedate": assignment.duedate}
            yield row | _scores(gradebook, assignment, student)

    def _points(self, gradebook: Gradebook) -> Iterator[Row]:
        for assignment, student in self._chosen(gradebook):
            try:
                submission = gradebook.find_submission(assignment.name, student.id)
            except MissingEntry:
                continue  # who handed in nothing has no exercises; the grades say so
            for notebook in submission.notebooks:
                known = {"assignment": assignment.name, "notebook": notebook.name, "student_id": student.id}
                for grade in notebook.grades:
                    facts = {"exercise": grade.name, "score": grade.score, "max_score": grade.max_score}
                    yield known | facts | {"by_hand": "waits" if grade.needs_manual_grade else ""}

    def _chosen(self, gradebook: Gradebook) -> Iterator[tuple[Assignment, Student]]:
        """Everybody's assignments, or those that the command line names."""
        wanted = [{str(name) for name in names} for names in (self.assignment, self.student)]
        for assignment in gradebook.assignments:
            for student in gradebook.students:
                named = zip(wanted, (assignment.name, student.id), strict=True)
                if all(not names or name in names for names, name in named):
                    yield assignment, student


def write(path: Path, columns: Iterable[str], rows: Iterable[Row]) -> None:
    """Write rows as CSV: beside `path` first, so that nobody ever finds half a file there.

    Args:
        path: replaced, once the new file is whole.
        columns: the header, and what is taken from each row.
        rows: numbers stay numbers, nothing for None, and text that begins like a formula gets an apostrophe.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        # Both characters of a line's end, as RFC 4180 has it: `csv` quotes only the breaks that it uses itself.
        with unfinished.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, list(columns), lineterminator="\r\n")
            table.writeheader()
            table.writerows({name: _field(value) for name, value in row.items()} for row in rows)
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _scores(gradebook: Gradebook, assignment: Assignment, student: Student) -> Row:
    """What a learner reached; nothing handed in is zero points."""
    row: Row = dict.fromkeys(_SCORE, 0.0) | {"timestamp": None, "max_score": assignment.max_score}
    try:
        submission = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        return row
    penalty = submission.late_submission_penalty or 0.0
    row |= {"timestamp": submission.timestamp, "late_submission_penalty": penalty}
    return row | {"raw_score": submission.score, "score": max(0.0, submission.score - penalty)}


def _field(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
