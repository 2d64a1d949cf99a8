"""A second call grades what has changed, and nothing else; what a person entered stays."""

import shutil

import pytest

from autograder import crew, ledger
from autograder.grading import Options, grade, grade_class, release
from autograder.kernels.sandbox import refuse_if_missing
from autograder.repo import UserError
from autograder.worker import files_in
from tests.grading.classroom import (
    HIDDEN,
    NOTEBOOK,
    by_hand,
    copied,
    earned,
    grade_by_hand,
    hand_in,
    written,
)

ADA, BEN, CAI = STUDENTS = ["ada", "ben", "cai"]


@pytest.fixture(scope="module")
def graded(handed_in, tmp_path_factory):
    try:
        refuse_if_missing()
    except UserError as missing:
        pytest.skip(str(missing))
    course = copied(handed_in, tmp_path_factory.mktemp("graded") / "class")
    results = grade_class(course, "ps1", STUDENTS)
    assert [r.earned for r in results] == [earned(who) for who in STUDENTS]
    assert {r.tests for r in results} == {course.tests("ps1")}
    return course


@pytest.fixture
def course(graded, tmp_path):
    return copied(graded, tmp_path / "class")


def graded_again(course, **options):
    """Who was graded by a second call, and the results of all."""
    before = len(written(course))
    release(course, "ps1")
    results = grade_class(course, "ps1", STUDENTS, Options(**options))
    return sorted(written(course)[before:]), {r.student: r for r in results}


def change_master(course, old, new):
    path = course.path("source", ".", "ps1") / f"{NOTEBOOK}.ipynb"
    path.write_text(path.read_text("utf-8").replace(old, new), "utf-8")


def test_nothing_has_changed(course):
    assert graded_again(course)[0] == []


def test_a_submission_has_changed(course):
    hand_in(course, "ps1", BEN, ["double"])
    who, results = graded_again(course)
    assert who == [BEN]
    assert results[BEN].earned == {"double": 1, "square": 0, "negate": 0}
    assert results[CAI].earned == earned(CAI)


def test_a_hidden_test_has_changed(course):
    before = course.tests("ps1")
    change_master(course, HIDDEN["square"], "square(3) is None")
    who, results = graded_again(course)
    assert who == STUDENTS
    assert {r.tests for r in results.values()} == {course.tests("ps1")} != {before}
    assert results[BEN].earned["square"] == 0 < earned(BEN)["square"]
    with course.gradebook() as gradebook:
        assert "square(3) is None" in gradebook.find_source_cell("square-test", NOTEBOOK, "ps1").source
    assert graded_again(course)[0] == []


def test_the_points_of_a_test_have_changed(course):
    change_master(course, '"points": 2.0', '"points": 5.0')
    who, results = graded_again(course)
    assert who == STUDENTS
    assert results[BEN].earned == {**earned(BEN), "square": 5}


def test_the_grader_itself_has_changed(course, monkeypatch):
    monkeypatch.setattr(ledger, "tool", lambda: "another")
    assert graded_again(course)[0] == STUDENTS
    assert graded_again(course)[0] == []


@pytest.mark.parametrize("step", ["autograded", "feedback"])
def test_somebody_has_deleted_what_was_made(course, step):
    shutil.rmtree(course.path(step, CAI, "ps1"))
    assert graded_again(course)[0] == [CAI]
    assert course.path(step, CAI, "ps1").is_dir()


def test_somebody_has_deleted_a_submission_from_the_gradebook(course):
    with course.gradebook() as gradebook:
        gradebook.remove_submission("ps1", CAI)
    assert graded_again(course)[0] == [CAI]


def test_force_grades_everyone(course):
    assert graded_again(course, force=True)[0] == STUDENTS


def test_who_could_not_be_graded_is_tried_again(course, monkeypatch):
    hand_in(course, "ps1", ADA, ["double", "square"])
    hand_in(course, "ps1", BEN, ["double", "square"])
    run = crew.run

    def broken(jobs, *others):
        first, *rest = jobs
        yield first, OSError(24, "Too many open files")
        yield from run(rest, *others)

    with monkeypatch.context() as patched:
        patched.setattr(crew, "run", broken)
        who, results = graded_again(course)
    assert who == [BEN]
    assert results[ADA].reasons == ["cannot be graded: OSError: [Errno 24] Too many open files"]
    assert results[BEN].score == 3
    who, results = graded_again(course)
    assert who == [ADA]
    assert results[ADA].score == 3


def test_the_exit_code_says_that_somebody_could_not_be_graded(course, monkeypatch, capsys):
    monkeypatch.setattr(crew, "run", lambda jobs, *_: ((job, OSError("no sandbox")) for job in jobs))
    assert grade(course, "ps1") == 1
    assert "not graded" in capsys.readouterr().out


def test_what_a_person_entered_stays_and_is_asked_for_another_look(course):
    """Nbgrader's own rule: where a test or a question has points by hand, a new run asks whether they still fit."""
    grade_by_hand(course, ADA, "why-answer", 2.5)
    grade_by_hand(course, ADA, "double-test", 0.5)
    who, results = graded_again(course)
    assert (who, results[ADA].by_hand, results[BEN].by_hand) == ([], [], ["why"])
    who, results = graded_again(course, force=True)
    assert (who, results[ADA].by_hand) == (STUDENTS, ["why"])
    assert by_hand(course, ADA, "why-answer") == (2.5, True)
    assert by_hand(course, ADA, "double-test") == (0.5, True)
    assert by_hand(course, BEN, "double-test") == (None, False)
    with course.gradebook() as gradebook:
        assert gradebook.find_submission("ps1", ADA).score == 3


def test_points_that_a_person_gives_meanwhile_stay(course, monkeypatch):
    run = crew.run

    def meanwhile(jobs, *others):
        jobs = list(jobs)
        grade_by_hand(course, ADA, "why-answer", 2)
        yield from run(jobs, *others)

    monkeypatch.setattr(crew, "run", meanwhile)
    hand_in(course, "ps1", ADA, ["double", "square"])
    assert graded_again(course)[0] == [ADA]
    assert by_hand(course, ADA, "why-answer")[0] == 2


def test_an_exercise_that_comes_later_is_refused_and_nothing_is_lost(course):
    """Nbgrader's own rule, too: a notebook with submissions keeps its cells."""
    before = files_in(course.path("release", ".", "ps1"))
    change_master(course, "double-stub", "triple-stub")
    with pytest.raises(UserError, match="cannot release ps1: RuntimeError: Cannot add or remove cells"):
        graded_again(course)
    assert files_in(course.path("release", ".", "ps1")) == before
    change_master(course, "triple-stub", "double-stub")
    assert graded_again(course)[0] == []
