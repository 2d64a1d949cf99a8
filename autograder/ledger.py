"""What was graded, from which files, by which tests: a table beside nbgrader's own, in the same gradebook.

It is written in the same transaction as the scores, so that either both are there or neither is.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from nbgrader.api import Gradebook
from sqlalchemy import Column, DateTime, MetaData, String, Table, Text, delete, insert, select

from autograder.results import Result

_METADATA = MetaData()
_LEDGER = Table(
    "autograder_ledger",
    _METADATA,
    Column("assignment", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("submission", String(64), nullable=False),
    Column("tests", String(64), nullable=False),
    Column("tool", String(64), nullable=False),
    Column("graded_at", DateTime, nullable=False),
    Column("result", Text, nullable=False),
)
_RELEASED = Table(
    "autograder_released",
    _METADATA,
    Column("assignment", String(128), primary_key=True),
    Column("tests", String(64), nullable=False),
)
_DECISIVE = ("ipykernel", "IPython", "nbclient", "nbconvert", "nbgrader", "numpy", "torch")


@dataclass(frozen=True)
class Entry:
    """One grading: the hash of what was handed in, the versions of tests and tool, the result."""

    submission: str
    tests: str
    tool: str
    result: Result


def open_ledger(gradebook: Gradebook) -> None:
    """Make the tables if they are not there."""
    _METADATA.create_all(gradebook.engine)


def entries(gradebook: Gradebook, assignment: str) -> dict[str, Entry]:
    """The last grading of each learner."""
    rows = gradebook.db.execute(select(_LEDGER).where(_LEDGER.c.assignment == assignment)).mappings()
    return {
        row["student"]: Entry(
            row["submission"], row["tests"], row["tool"], Result(**json.loads(row["result"]))
        )
        for row in rows
    }


def times(gradebook: Gradebook, assignment: str) -> list[datetime]:
    """When the learners were graded, in that order."""
    rows = gradebook.db.execute(select(_LEDGER.c.graded_at).where(_LEDGER.c.assignment == assignment))
    return sorted(rows.scalars())


def enter(gradebook: Gradebook, assignment: str, entry: Entry) -> None:
    """Write one grading; the caller commits."""
    student = entry.result.student
    gradebook.db.execute(
        delete(_LEDGER).where(_LEDGER.c.assignment == assignment, _LEDGER.c.student == student)
    )
    row = {
        "assignment": assignment,
        "student": student,
        "submission": entry.submission,
        "tests": entry.tests,
        "tool": entry.tool,
        "graded_at": datetime.now(timezone.utc).replace(tzinfo=None),
        "result": json.dumps(asdict(entry.result)),
    }
    gradebook.db.execute(insert(_LEDGER).values(**row))


def released(gradebook: Gradebook, assignment: str) -> str:
    """The version of the tests that the gradebook knows, "" if it was filled by somebody else."""
    found = gradebook.db.execute(select(_RELEASED.c.tests).where(_RELEASED.c.assignment == assignment))
    return found.scalar() or ""


def enter_release(gradebook: Gradebook, assignment: str, tests: str) -> None:
    """Note which version of the tests the gradebook was filled with."""
    gradebook.db.execute(delete(_RELEASED).where(_RELEASED.c.assignment == assignment))
    gradebook.db.execute(insert(_RELEASED).values(assignment=assignment, tests=tests))
    gradebook.db.commit()


@cache
def tool(packages: tuple[str, ...] = ("trainlab",)) -> str:
    """The version of whatever else a score hangs on: this package, the toolkit, what runs the notebooks."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for folder in (here, here / "kernels", *(here.parent / "course" / package for package in packages)):
        for path in sorted(folder.glob("*.py")):
            digest.update(path.read_bytes())
    for name in _DECISIVE:
        try:
            digest.update(f"{name} {version(name)}".encode())
        except PackageNotFoundError:
            continue
    return digest.hexdigest()[:7]
