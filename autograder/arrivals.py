"""When a submission arrived, by what the collector saw, whatever the file beside it says.

A learner writes ``timestamp.txt`` and can write any date into it. Each look at the folder of submissions (`receive`,
and every grading) notes who has handed in what; what a look finds new has arrived since the look before. A time stamp
is believed as far as it lies between the two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.utils import parse_utc
from sqlalchemy import Column, DateTime, MetaData, String, Table, delete, insert, select

from autograder.submission import Handed

STAMP = "timestamp.txt"
_MAX_STAMP = 200  # bytes
_METADATA = MetaData()
_ARRIVED = Table(
    "autograder_arrivals",
    _METADATA,
    Column("assignment", String(128), primary_key=True),
    Column("student", String(128), primary_key=True),
    Column("content", String(64), nullable=False),
    Column("after", DateTime, nullable=True),
    Column("seen", DateTime, nullable=False),
)
_LOOKS = Table(
    "autograder_looks",
    _METADATA,
    Column("assignment", String(128), primary_key=True),
    Column("seen", DateTime, nullable=False),
)


@dataclass(frozen=True)
class Arrival:
    """What the collector knows of a submission; times are UTC and naive, as nbgrader's are.

    Attributes:
        content: a hash of what was handed in, the time stamp left out.
        after: the last look at which it was not there; None if there was none before.
        seen: the first look at which it was.
    """

    content: str
    after: datetime | None
    seen: datetime


def look(
    gradebook: Gradebook, assignment: str, found: Iterable[tuple[str, Handed]], now: datetime | None = None
) -> list[str]:
    """Note who has handed in what by now, and keep it.

    Args:
        gradebook: the class's.
        assignment: its name.
        found: every learner with what is in the folder; a class need not fit into memory at once.
        now: the time at which this look began, UTC; None for the clock's.

    Returns:
        The learners whose submission is new or has changed.
    """
    now = now or datetime.now(timezone.utc).replace(tzinfo=None)
    known = arrivals(gradebook, assignment)
    before = gradebook.db.execute(select(_LOOKS.c.seen).where(_LOOKS.c.assignment == assignment)).scalar()
    new = {
        student: Arrival(content, before, now)
        for student, handed in found
        if (content := _unstamped(handed).version) != (known[student].content if student in known else "")
    }
    for student, arrival in new.items():
        gradebook.db.execute(
            delete(_ARRIVED).where(_ARRIVED.c.assignment == assignment, _ARRIVED.c.student == student)
        )
        row = {"assignment": assignment, "student": student, **asdict(arrival)}
        gradebook.db.execute(insert(_ARRIVED).values(**row))
    # Last: a look that is stopped half-way has seen nothing.
    gradebook.db.execute(delete(_LOOKS).where(_LOOKS.c.assignment == assignment))
    gradebook.db.execute(insert(_LOOKS).values(assignment=assignment, seen=now))
    gradebook.db.commit()
    return sorted(new)


def arrivals(gradebook: Gradebook, assignment: str) -> dict[str, Arrival]:
    """What is known of each learner."""
    _METADATA.create_all(gradebook.engine)
    rows = gradebook.db.execute(select(_ARRIVED).where(_ARRIVED.c.assignment == assignment)).mappings()
    return {row["student"]: Arrival(row["content"], row["after"], row["seen"]) for row in rows}


def stamped(handed: Handed, arrival: Arrival) -> tuple[Handed, list[str]]:
    """The submission with a time stamp that can be believed, and a sentence if that is another than it had.

    Without an earlier look the stamp stays as it is, or absent: then nobody knows better.
    """
    claimed = read_stamp(handed.files.get(STAMP, b""))
    if arrival.after is None or (claimed and arrival.after <= claimed <= arrival.seen):
        return handed, []
    when = arrival.seen if claimed and claimed > arrival.seen else arrival.after
    files = {**handed.files, STAMP: f"{when:%Y-%m-%d %H:%M:%S.%f} UTC".encode()}
    between = f"{arrival.after:%Y-%m-%d %H:%M} and {arrival.seen:%Y-%m-%d %H:%M} UTC"
    said = [f"{STAMP} says {claimed:%Y-%m-%d %H:%M}, but it arrived between {between}."] if claimed else []
    return replace(handed, files=files, refused=_but_stamp(handed.refused)), said


def read_stamp(content: bytes) -> datetime | None:
    """The time that a ``timestamp.txt`` names, UTC and naive; None if it names none."""
    if not content.strip() or len(content) > _MAX_STAMP:
        return None
    try:
        return parse_utc(content.decode().strip())
    except (
        Exception
    ):  # a learner's text, and a parser that raises more than it says: it must not stop the class
        return None


def _unstamped(handed: Handed) -> Handed:
    return Handed(_but_stamp(handed.files), _but_stamp(handed.refused))


def _but_stamp(named: Mapping[str, Any]) -> dict[str, Any]:
    return {name: what for name, what in named.items() if name != STAMP}
