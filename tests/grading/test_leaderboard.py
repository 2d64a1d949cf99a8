"""Who stands where in the challenge, from the gradebook alone."""

import csv
import re
from datetime import datetime

import pytest

from autograder.__main__ import main
from autograder.course import Course
from autograder.leaderboard import as_html, as_text, board
from autograder.repo import UserError

# ada and cai are equal; eli was not graded yet, fay handed in nothing
POINTS = {"ada": 4.91, "ben": 5.95, "cai": 4.91, "dia": 0.0, "eli": None}

# nbgrader's own use of SQLAlchemy, which nobody here can mend
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture
def ranked(gradebook):
    """A gradebook with the challenge and another exercise in one assignment, and a second assignment without."""
    for assignment, exercises in (("ch06_capstone", ("challenger", "other")), ("ch05_else", ("other",))):
        gradebook.add_assignment(assignment)
        gradebook.add_notebook("n1", assignment)
        for exercise in exercises:
            gradebook.add_grade_cell(f"{exercise}-test", "n1", assignment, max_score=6, cell_type="code")
    for who in (*POINTS, "fay"):
        gradebook.add_student(who, first_name=who.title(), last_name="<b>Li</b>")
    for who, points in POINTS.items():
        gradebook.add_submission("ch06_capstone", who, timestamp=datetime(2026, 11, 19))
        for exercise, score in (("challenger", points), ("other", 1.0)):
            grade = gradebook.find_grade(f"{exercise}-test", "n1", "ch06_capstone", who)
            grade.auto_score, grade.needs_manual_grade = score, False
    gradebook.db.commit()
    return gradebook


@pytest.fixture
def course(repo, tmp_path):
    """The course whose gradebook lies in `tmp_path`, if there is one."""
    ours = str(repo.root / "autograder")
    settings = f'c = get_config()\nload_subconfig("nbgrader_config.py", path={ours!r})\n'
    (tmp_path / "nbgrader_config.py").write_text(f"{settings}c.CourseDirectory.root = {str(tmp_path)!r}\n")
    return Course.at(tmp_path)


def test_equal_points_share_a_place_and_the_next_counts_on(ranked):
    rows = board(ranked).rows
    assert [(r.place, r.student_id) for r in rows if r.place != 2] == [
        (1, "ben"),
        (4, "dia"),
        (None, "eli"),
    ]
    assert {r.student_id for r in rows if r.place == 2} == {"ada", "cai"}
    assert [r.points for r in rows] == [5.95, 4.91, 4.91, 0.0, None]
    assert {r.of for r in rows} == {6}


def test_a_score_by_hand_counts(ranked):
    grade = ranked.find_grade("challenger-test", "n1", "ch06_capstone", "dia")
    grade.manual_score = 6.0
    ranked.db.commit()
    assert board(ranked).rows[0].student_id == "dia"


def test_names_are_shown_only_if_asked_for(ranked):
    found = board(ranked)
    quiet, open_ = as_text(found), as_text(found, names=True)
    page, open_page = as_html(found), as_html(found, names=True)
    for who in (*POINTS, "fay"):
        assert not any(re.search(rf"\b{who}\b", text, re.I) for text in (quiet, page))
    for who in POINTS:
        assert f"{who} ({who.title()} <b>Li</b>)" in open_
        assert f"{who} ({who.title()} &lt;b&gt;Li&lt;/b&gt;)" in open_page
    assert "fay" not in open_
    assert "<b>" not in open_page


def test_who_has_no_points_yet_is_said(ranked):
    text = as_text(board(ranked))
    assert "not graded" in text
    assert text.endswith("Handed in and not graded yet: 1.\nNothing handed in: 1.")


def test_aliases_are_stable_and_differ(ranked):
    def aliases():
        return {r.student_id: r.alias for r in board(ranked).rows}

    first = aliases()
    assert len(set(first.values())) == len(POINTS)
    ranked.find_grade("challenger-test", "n1", "ch06_capstone", "ada").auto_score = 6.0
    ranked.add_submission("ch06_capstone", "fay")
    ranked.db.commit()
    assert {who: alias for who, alias in aliases().items() if who in first} == first


def test_a_clash_of_aliases_is_told_apart(ranked, monkeypatch):
    monkeypatch.setattr("autograder.leaderboard._alias", lambda _number: "amber heron")
    aliases = [r.alias for r in board(ranked).rows]
    assert all(re.fullmatch("amber heron [0-9a-f]{4}", alias) for alias in aliases)


@pytest.mark.parametrize(
    ("chapter", "exercise", "says"),
    [
        ("ch05", "challenger", "ch05_else has no exercise 'challenger'"),
        ("ch99", "challenger", "It is in: ch06_capstone."),
        ("", "other", "It is in: ch05_else, ch06_capstone."),
        ("", "nothing", "none of the gradebook's assignments"),
    ],
)
def test_what_cannot_be_ranked_is_one_clear_line(ranked, chapter, exercise, says):
    with pytest.raises(UserError, match=re.escape(says)) as error:
        board(ranked, chapter, exercise)
    assert "\n" not in str(error.value)


def test_without_a_gradebook_one_line_and_none_is_made(course, tmp_path, capsys):
    assert main(["leaderboard", "--course", str(course.root)]) == 2
    error = capsys.readouterr().err
    assert error.startswith("There is no gradebook")
    assert error.count("\n") == 1
    assert not (tmp_path / "gradebook.db").exists()


def test_the_command_prints_and_writes(ranked, course, tmp_path, capsys):
    command = ["leaderboard", "ch06", "--course", str(course.root)]
    page, table = tmp_path / "board.html", tmp_path / "board.csv"
    assert main([*command, "--to", str(page)]) == 0
    assert "challenger, ch06_capstone: 4 ranked" in capsys.readouterr().out
    assert page.read_text("utf-8") == as_html(board(ranked))
    assert main([*command, "--names", "--to", str(table)]) == 0
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["place"], r["points"]) for r in rows] == [
        ("1", "5.95"),
        ("2", "4.91"),
        ("2", "4.91"),
        ("4", "0.0"),
        ("", ""),
    ]
    assert rows[0]["student_id"] == "ben"
    assert main([*command, "--to", str(tmp_path / "board.txt")]) == 2
    assert "written as .html or .csv" in capsys.readouterr().err
