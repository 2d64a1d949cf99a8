"""``leaderboard``: who stands where in an exercise that gives partial credit, read from the gradebook alone.

The open challenge returns its score as nbgrader's partial credit, so the points in the gradebook are as fine as the
ranking needs. Nothing is written there, and nothing else is read.
"""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nbgrader.api import Assignment, Grade, Gradebook
from sqlalchemy.engine import make_url

from autograder import export
from autograder.course import Course
from autograder.feedback import exercise as exercise_of
from autograder.repo import UserError, matching
from autograder.results import shown

EXERCISE = "challenger"
_COLUMNS = ("place", "alias", "points", "of")
_WHO = ("student_id", "first_name", "last_name")
_FIRST = """
amber ancient autumn azure bold brave bright brisk calm clever copper coral crimson curious daring dusty
eager early emerald fair fleet gentle golden grand happy hidden humble indigo ivory jade keen kind late
lively lucky lunar mellow merry misty modest noble olive patient proud quick quiet rapid royal scarlet
silent silver solar steady still sturdy sunny swift tidal velvet vivid wandering warm
"""
_SECOND = """
badger bear beaver bison condor crane cricket curlew deer dolphin dove eagle egret falcon ferret finch
fox frog gecko goose grebe hare hawk hedgehog heron ibex jackal jay kestrel kite koala lark lemur lizard
lynx marten mole moose newt ocelot orca osprey otter owl panda pelican plover puffin quail rabbit raven
robin salmon seal sparrow stork swan tapir tern toad trout turtle walrus wren
"""


@dataclass(frozen=True)
class Row:
    """One line of the board.

    Attributes:
        place: from 1; who has the same points shares it, and the next one counts all before. None without points.
        alias: what a learner is called where names are not shown.
        points: None where the exercise is not graded yet.
        of: points that it could give.
        student_id: whose line it is.
        first_name: "" if the gradebook does not know it.
        last_name: likewise.
    """

    place: int | None
    alias: str
    points: float | None
    of: float
    student_id: str
    first_name: str = ""
    last_name: str = ""


@dataclass(frozen=True)
class Board:
    """The board of one exercise, best first, the ungraded last; and how many have handed in nothing."""

    assignment: str
    exercise: str
    rows: Sequence[Row]
    missing: int


def leaderboard(
    course: Course,
    chapter: str = "",
    *,
    exercise: str = EXERCISE,
    names: bool = False,
    to: Path | None = None,
) -> int:
    """Print the board, and write it to `to` as well if that is given; returns 0.

    Args:
        course: whose gradebook is read.
        chapter: the assignment or its beginning; "" for the one that has the exercise.
        exercise: whose points count.
        names: show who stands behind the aliases.
        to: a file that ends in .html or .csv.

    Raises:
        UserError: if there is no gradebook, or nothing in it to rank, or `to` ends in something else.
    """
    if to is not None and to.suffix not in (".html", ".csv"):
        raise UserError(f"{to}: a leaderboard is written as .html or .csv.")
    _refuse_if_missing(course)
    with course.gradebook() as gradebook:
        found = board(gradebook, chapter, exercise)
    print(as_text(found, names=names))
    if to is not None:
        try:
            _write(found, to, names)
        except OSError as error:
            raise UserError(f"{to} cannot be written: {error.strerror}.") from error
        print(f"wrote {to}")
    return 0


def board(gradebook: Gradebook, chapter: str = "", exercise: str = EXERCISE) -> Board:
    """Who stands where.

    Args:
        gradebook: is only read.
        chapter: the assignment or its beginning; "" for the one that has the exercise.
        exercise: its name, without the role of a cell.

    Raises:
        UserError: if no assignment of the gradebook, or more than one, is called so and has the exercise.
    """
    assignment = _assignment(gradebook, chapter, exercise)
    submissions = assignment.submissions
    aliases = _aliases([submission.id for submission in submissions])
    rows = [
        Row(None, alias, *_points(grade), who.id, who.first_name or "", who.last_name or "")
        for alias, submission in zip(aliases, submissions, strict=True)
        for who in [submission.student]
        for notebook in submission.notebooks
        for grade in notebook.grades
        if exercise_of(grade.name) == exercise
    ]
    handed_in = {row.student_id for row in rows}
    missing = sum(student.id not in handed_in for student in gradebook.students)
    return Board(assignment.name, exercise, _ranked(rows), missing)


def as_text(found: Board, *, names: bool = False) -> str:
    """The board as lines for a terminal."""
    head = ("", "", "points", "")[: 3 + names]
    table = [head, *(tuple(map(shown, _fields(row, names))) for row in found.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join((place.rjust(widths[0]), alias.ljust(widths[1]), points.rjust(widths[2]), *who)).rstrip()
        for place, alias, points, *who in table
    ]
    return "\n".join([_title(found), *lines, *_remarks(found)])


def as_html(found: Board, *, names: bool = False) -> str:
    """The board as a page of its own, which loads nothing and runs nothing."""
    head = ("", "Who", "Points", "Name")[: 3 + names]
    rows = [head, *(_fields(row, names) for row in found.rows)]
    cells = ["".join(f"<td>{html.escape(field)}</td>" for field in row) for row in rows]
    body = "\n".join(f"<tr>{row}</tr>" for row in cells[1:])
    remarks = "".join(f"<p>{html.escape(remark)}</p>" for remark in _remarks(found))
    title = html.escape(_title(found))
    return _PAGE.format(title=title, head=cells[0].replace("td>", "th>"), body=body, remarks=remarks)


def _write(found: Board, to: Path, names: bool) -> None:
    if to.suffix == ".html":
        to.write_text(as_html(found, names=names), "utf-8")
        return
    columns = _COLUMNS + (_WHO if names else ())
    export.write(to, columns, ({name: getattr(row, name) for name in columns} for row in found.rows))


def _refuse_if_missing(course: Course) -> None:
    """Without this, SQLite would make an empty gradebook where none was."""
    url = make_url(course.api.coursedir.db_url)
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).is_file():
        raise UserError(
            f"There is no gradebook {url.database}: grade the class first, `python -m autograder grade CHAPTER`."
        )


def _assignment(gradebook: Gradebook, chapter: str, exercise: str) -> Assignment:
    known = {assignment.name: assignment for assignment in gradebook.assignments}
    having = [name for name, assignment in known.items() if _has(assignment, exercise)]
    found = matching(chapter, having)
    if len(found) == 1:
        return known[found[0]]
    if not found and (called := matching(chapter, list(known))) and chapter:
        raise UserError(f"{', '.join(called)} has no exercise {exercise!r}.")
    there = (
        f"It is in: {', '.join(sorted(having))}."
        if having
        else "It is in none of the gradebook's assignments."
    )
    raise UserError(f"No single assignment {chapter!r} has an exercise {exercise!r}. {there}")


def _has(assignment: Assignment, exercise: str) -> bool:
    return any(
        exercise_of(c.name) == exercise for notebook in assignment.notebooks for c in notebook.grade_cells
    )


def _points(grade: Grade) -> tuple[float | None, float]:
    """The score, None before anybody or anything gave one, and the most that there is."""
    waits = grade.auto_score is None and grade.manual_score is None
    return (None if waits or grade.needs_manual_grade else grade.score), grade.max_score


def _aliases(numbers: Sequence[str]) -> list[str]:
    """Two words for each of the random numbers that nbgrader gave to the submissions, and more where these clash.

    They stay the same as long as the gradebook lives, and without it nobody can compute whose they are.
    """
    short = [_alias(int(number, 16)) for number in numbers]
    return [
        f"{alias} {number[-4:]}" if short.count(alias) > 1 else alias
        for alias, number in zip(short, numbers, strict=True)
    ]


def _alias(number: int) -> str:
    first, second = _FIRST.split(), _SECOND.split()
    return f"{first[number % len(first)]} {second[number // len(first) % len(second)]}"


def _ranked(rows: Sequence[Row]) -> list[Row]:
    """Best first; equal points share a place and stand in the order of their aliases."""
    graded = sorted((r for r in rows if r.points is not None), key=lambda r: (-round(r.points, 6), r.alias))
    ranked: list[Row] = []
    for count, row in enumerate(graded, start=1):
        tie = ranked and math.isclose(ranked[-1].points, row.points, abs_tol=1e-6)
        ranked.append(replace(row, place=ranked[-1].place if tie else count))
    return ranked + sorted((r for r in rows if r.points is None), key=lambda r: r.alias)


def _fields(row: Row, names: bool) -> tuple[str, ...]:
    place = "–" if row.place is None else f"{row.place}"
    points = "not graded" if row.points is None else f"{row.points:g} / {row.of:g}"
    who = f"{row.student_id} ({row.first_name} {row.last_name})".replace("( )", "").strip()
    return (place, row.alias, points, who)[: 3 + names]


def _title(found: Board) -> str:
    return f"{found.exercise}, {found.assignment}: {sum(r.points is not None for r in found.rows)} ranked"


def _remarks(found: Board) -> Iterator[str]:
    waiting = sum(row.points is None for row in found.rows)
    if waiting:
        yield f"Handed in and not graded yet: {waiting}."
    if found.missing:
        yield f"Nothing handed in: {found.missing}."


_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto; padding: 0 1rem; color: #222 }}
h1 {{ font-size: 1.3rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ padding: .3rem .6rem; text-align: left; border-bottom: 1px solid #ddd }}
:is(th, td):is(:first-child, :nth-child(3)) {{ text-align: right; font-variant-numeric: tabular-nums }}
</style>
</head>
<body>
<h1>{title}</h1>
<table>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
{remarks}
</body>
</html>
"""
