"""Carry one learner's scores from one gradebook to another, whole or not at all."""

from __future__ import annotations

import contextlib
import sqlite3
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    GradeCell,
    MissingEntry,
    Notebook,
    SolutionCell,
    SourceCell,
    SubmittedAssignment,
    SubmittedNotebook,
    TaskCell,
)
from sqlalchemy import select

Cell = tuple[str, str]  # notebook, grade_id

_GRADE = ("auto_score", "manual_score", "extra_credit", "needs_manual_grade")
_COMMENT = ("auto_comment", "manual_comment")
_BY_HAND = ("manual_score", "extra_credit", "manual_comment")


@dataclass
class Record:
    """What a gradebook knows of one submission: the columns of its rows, by notebook and cell."""

    timestamp: datetime | None = None
    extension: timedelta | None = None
    penalties: dict[str, float] = field(default_factory=dict)
    grades: dict[Cell, dict[str, Any]] = field(default_factory=dict)
    comments: dict[Cell, dict[str, Any]] = field(default_factory=dict)


def read(gradebook: Gradebook, assignment: str, student: str) -> Record | None:
    """The record of a submission, None if there is none."""
    submission = _submission(gradebook, assignment, student)
    if submission is None:
        return None
    record = Record(submission.timestamp, submission.extension)
    for notebook in submission.notebooks:
        record.penalties[notebook.name] = notebook.late_submission_penalty or 0.0
        for grade in notebook.grades:
            record.grades[notebook.name, grade.cell.name] = {name: getattr(grade, name) for name in _GRADE}
        for comment in notebook.comments:
            record.comments[notebook.name, comment.cell.name] = {n: getattr(comment, n) for n in _COMMENT}
    return record


def write(gradebook: Gradebook, assignment: str, student: str, record: Record) -> None:
    """Put a record into `gradebook`, where learner and assignment are known; the caller commits.

    Of a submission that `gradebook` knows already, what a person enters (a score or a comment by hand) stays.
    """
    submission, by_hand = _submission(gradebook, assignment, student), _BY_HAND
    if submission is None:
        submission, by_hand = _new_submission(gradebook, assignment, student), ()
        submission.extension = record.extension
    submission.timestamp = record.timestamp
    for notebook in submission.notebooks:
        name = notebook.notebook.name
        notebook.late_submission_penalty = record.penalties.get(name, 0.0)
        for rows, known in ((notebook.grades, record.grades), (notebook.comments, record.comments)):
            for row in rows:
                for column, value in known.get((name, row.cell.name), {}).items():
                    if column not in by_hand:
                        setattr(row, column, value)


def scratch(file: Path, course_id: str) -> Gradebook:
    """A new gradebook in `file`, for a worker.

    It has a table already, because into an empty file nbgrader writes the version of its layout, which only an
    upgrade reads, and runs alembic for two seconds to find it.
    """
    with contextlib.closing(sqlite3.connect(file)) as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
    return Gradebook(f"sqlite:///{file}", course_id)


def copy_structure(gradebook: Gradebook, assignment: str, copy: Gradebook) -> None:
    """Make `copy`, an empty gradebook of the same course, know the assignment and its cells, and no learner."""
    assignments = select(Assignment.id).where(Assignment.name == assignment)
    notebooks = select(Notebook.id).where(Notebook.assignment_id.in_(assignments))
    cells = select(BaseCell.id).where(BaseCell.notebook_id.in_(notebooks))
    wanted = {
        Assignment: Assignment.name == assignment,
        Notebook: Notebook.assignment_id.in_(assignments),
        SourceCell: SourceCell.notebook_id.in_(notebooks),
        BaseCell: BaseCell.notebook_id.in_(notebooks),
        **{kind: kind.__table__.c.id.in_(cells) for kind in (GradeCell, SolutionCell, TaskCell)},
    }
    for kind, condition in wanted.items():
        found = gradebook.db.execute(select(kind.__table__).where(condition)).mappings().all()
        if found:
            copy.db.execute(kind.__table__.insert(), [dict(row) for row in found])
    copy.db.commit()


def _submission(gradebook: Gradebook, assignment: str, student: str) -> SubmittedAssignment | None:
    try:
        return gradebook.find_submission(assignment, student)
    except MissingEntry:
        return None


def _new_submission(gradebook: Gradebook, assignment: str, student: str) -> SubmittedAssignment:
    """Its empty rows, which wait for the caller's commit; those that nbgrader makes are there at once."""
    known = gradebook.find_assignment(assignment)
    with gradebook.db.no_autoflush:
        submission = SubmittedAssignment(assignment=known, student=gradebook.find_student(student))
        for notebook in known.notebooks:
            rows = SubmittedNotebook(notebook=notebook, assignment=submission)
            rows.grades = [Grade(cell=cell) for cell in (*notebook.grade_cells, *notebook.task_cells)]
            rows.comments = [Comment(cell=cell) for cell in (*notebook.solution_cells, *notebook.task_cells)]
        gradebook.db.add(submission)  # last: it takes along what hangs on it by now, and nothing that follows
    return submission
