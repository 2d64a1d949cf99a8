"""Stock ``nbgrader`` commands, typed in the course's folder, give what our command gives."""

import csv
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.demo import CHAPTER, LESSON, hand_in, lay_out
from tests.grading.expected import SCORES, UNREADABLE

# Stock nbgrader runs every cell of everybody's notebook, half a minute each. These hand in plain files, and what
# their answers are worth in one process is what the bank tries.
_LEFT_OUT = ("ada", "ben", "cai", "dia", "eli", "fay", "gus", "kim")
_CLASS = {who: scores for who, scores in SCORES.items() if who not in _LEFT_OUT}


def nbgrader(course: Path, *args: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-m", "nbgrader", *args], cwd=course, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def course(repo, tmp_path_factory) -> Course:
    """A third of the demo class, released, graded, answered and exported by stock commands alone."""
    course = lay_out(repo, tmp_path_factory.mktemp("stock") / "demo")
    assert nbgrader(course.root, "generate_assignment", CHAPTER).returncode == 0
    hand_in(repo, course)
    for who in _LEFT_OUT:
        shutil.rmtree(course.root / "submitted" / who)
    graded = nbgrader(course.root, "autograde", CHAPTER)
    assert graded.returncode == 1, (
        "one submission is no notebook, and stock nbgrader says so in its exit code"
    )
    assert nbgrader(course.root, "generate_feedback", CHAPTER).returncode == 0
    assert nbgrader(course.root, "export").returncode == 0
    return course


@pytest.mark.parametrize("who", _CLASS)
def test_points(course, who):
    with course.gradebook() as gradebook:
        submission = gradebook.find_submission(CHAPTER, who)
        grades = [g for n in submission.notebooks for g in n.grades if g.name.endswith("-test")]
        assert {g.name.removesuffix("-test"): g.auto_score for g in grades} == SCORES[who]


def test_export_and_feedback(course):
    with (course.root / "grades.csv").open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert {who: float(rows[who]["score"]) for who in _CLASS} == {
        w: sum(s.values()) for w, s in _CLASS.items()
    }
    pages = {p.parts[-3] for p in (course.root / "feedback").rglob(f"{LESSON}.html")}
    assert pages == set(_CLASS)
    assert UNREADABLE not in pages


def test_generate_assignment_in_autograder_rewrites_course_byte_for_byte(repo, tmp_path):
    ignore = shutil.ignore_patterns(
        "trainlab", "submitted", "autograded", "feedback", "gradebook.db", "__pycache__"
    )
    shutil.copytree(repo.root / "autograder", tmp_path / "autograder", ignore=ignore)
    (tmp_path / "course").mkdir()
    done = nbgrader(tmp_path / "autograder", "generate_assignment", CHAPTER)
    assert done.returncode == 0, done.stderr
    for path in (repo.course / CHAPTER).glob("*"):
        if path.suffix == ".ipynb":
            assert (tmp_path / "course" / CHAPTER / path.name).read_bytes() == path.read_bytes()
