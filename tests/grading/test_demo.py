"""The instructor's tour, end to end, with nbgrader itself."""

import csv
import html
import json
import re
from dataclasses import asdict

import nbformat
import pytest
from nbgrader.api import MissingEntry

from autograder.__main__ import main
from autograder.course import Course
from autograder.demo import (
    BY_HAND,
    CHAPTER,
    GUIDE,
    LESSON,
    MARK,
    QUESTION,
    WRITER,
    earlier,
    fingerprint,
    grade_by_hand,
    hand_in,
    lay_out,
)
from autograder.demo_class import CLASS
from autograder.grading import Options, export, grade, grade_class, release
from autograder.lesson import HIDDEN
from autograder.repo import UserError
from autograder.results import table
from autograder.views import without
from tests.grading.expected import OPTIONS, POINTS, SCORES, UNREADABLE


@pytest.fixture(scope="module")
def course(repo, tmp_path_factory):
    course = lay_out(repo, tmp_path_factory.mktemp("class") / "demo")
    release(course, CHAPTER)
    hand_in(repo, course)
    return course


@pytest.fixture(scope="module")
def results(course):
    return {r.student: r for r in grade_class(course, CHAPTER, course.students(CHAPTER), OPTIONS)}


def test_everyone_who_handed_in_is_in_the_table(results):
    assert results.keys() == CLASS.keys() == SCORES.keys() | {UNREADABLE}


@pytest.mark.parametrize("who", SCORES)
def test_points(results, who):
    assert results[who].earned == SCORES[who]
    assert results[who].possible == POINTS


def test_a_file_that_cannot_be_read_counts_as_not_done_with_the_reason(course, results):
    lou = results[UNREADABLE]
    assert lou.possible == POINTS
    assert lou.score == 0
    assert any("It could not be read and counts as not done" in mend for mend in lou.mends)
    page = course.path("feedback", UNREADABLE, CHAPTER) / f"{LESSON}.html"
    assert "It could not be read" in page.read_text("utf-8")
    assert "(mended) 01_initialisation: It could not be read" in table(list(results.values()))


def test_a_deleted_test_is_put_back_and_said(course, results):
    assert results["jana"].mends == [
        f"{LESSON}: Missing cells of the released notebook were put back: he_std-test."
    ]
    page = course.path("feedback", "jana", CHAPTER) / f"{LESSON}.html"
    assert "were put back: he_std-test." in page.read_text("utf-8")


def test_what_editors_do_to_a_file_is_no_mend(results):
    assert [who for who in ("ada", "hana", "ivo") if results[who].mends] == []


def test_what_was_handed_in_stays_as_it_was(course, results, repo, tmp_path):
    fresh = lay_out(repo, tmp_path / "fresh")
    release(fresh, CHAPTER)
    hand_in(repo, fresh)
    for who in CLASS:
        before, after = (c.path("submitted", who, CHAPTER) / f"{LESSON}.ipynb" for c in (fresh, course))
        assert before.read_bytes() == after.read_bytes()


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("ben", "not done yet"),
        ("dia", "he_std: This is the variance"),
        ("eli", "it is the fan-out"),
        ("fay", "init_he: your code raised AttributeError"),
        ("ivo", "other than the last nn.Linear changed"),
        ("kim", "glorot_uniform_: ran longer than the time limit"),
    ],
)
def test_every_lost_point_has_its_reason(results, who, sentence):
    lost = sum(earned < POINTS[e] for e, earned in results[who].earned.items())
    assert len(results[who].reasons) == lost
    assert any(sentence in reason for reason in results[who].reasons)


def test_the_essays_wait_for_a_person(results):
    assert results["ada"].by_hand == ["zero_weights"]
    assert results["ben"].by_hand == []  # left blank: 0 points, nothing to read


def test_a_written_answer_is_graded_by_hand(course, results, repo):
    grade_by_hand(repo, course, OPTIONS)
    chapter, lesson = GUIDE
    with course.gradebook() as gradebook:
        grades = gradebook.find_submission_notebook(lesson, chapter, WRITER).grades
        # The others wait for whoever tries formgrader.
        assert sum(grade.needs_manual_grade for grade in grades) == 6
        assert gradebook.find_grade(f"{QUESTION}-answer", lesson, chapter, WRITER).score == BY_HAND[0]
    page = (course.path("feedback", WRITER, chapter) / f"{lesson}.html").read_text("utf-8")
    assert "no step tell the units apart" in page


def test_feedback_tells_the_same_sentence(course, results):
    page = course.path("feedback", "dia", CHAPTER) / f"{LESSON}.html"
    assert "This is the variance" in page.read_text("utf-8")


def test_feedback_holds_no_hidden_test(course, results, repo):
    master = nbformat.read(repo.root / "autograder" / "master" / CHAPTER / f"{LESSON}.ipynb", as_version=4)
    tests = [c.source for c in master.cells if c.id.endswith("-test")]
    public = "\n".join(c.source for c in master.cells if not c.id.endswith("-test"))
    public += "\n".join(without(text, HIDDEN, body=True) for text in tests)
    lines = {line.strip() for text in tests for line in text.splitlines()}
    told = [line for line in lines if len(line) > 20 and line not in public]
    assert len(told) > 50
    for who in CLASS:
        page = course.path("feedback", who, CHAPTER) / f"{LESSON}.html"
        text = html.unescape(re.sub("<[^>]*>", "", page.read_text("utf-8")))
        assert [line for line in told if line in text] == []


def test_a_folder_whose_name_would_act_in_formgrader_is_refused(course):
    result = grade_class(course, CHAPTER, ["<b>eve"], OPTIONS)[0]
    assert result.possible == {}
    assert result.reasons == [
        "cannot be graded: rename the folder, '<>' would act in formgrader and in paths."
    ]


def test_grades_are_exported(course, results):
    with export(course).open(encoding="utf-8") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file) if row["assignment"] == CHAPTER}
    for who, scores in SCORES.items():
        assert float(rows[who]["score"]) == sum(scores.values())


def test_what_has_not_changed_is_not_graded_again(course, results, monkeypatch):
    monkeypatch.setattr("autograder.crew.run", None)  # nobody is called
    students = course.students(CHAPTER)
    assert grade_class(course, CHAPTER, students, OPTIONS) == [results[who] for who in students]


@pytest.mark.parametrize(
    "kernels",
    [{"warm": True}, {"warm": False}, {"sandbox": False}],
    ids=["forked in the sandbox", "started in the sandbox", "without a sandbox"],
)
def test_every_kind_of_kernel_gives_the_same(course, results, kernels):
    if kernels.get("sandbox", True) and not OPTIONS.sandbox:
        pytest.skip("needs bubblewrap and user namespaces: apt-get install bubblewrap")
    students = ["ben", "dia", "fay", "hana"]
    again = grade_class(course, CHAPTER, students, Options(force=True, **kernels))
    assert again == [results[who] for who in students]


def test_a_folder_that_is_no_course_is_one_line(tmp_path, capsys):
    assert main(["grade", "ch01", "--course", str(tmp_path)]) == 2
    assert "is no nbgrader course" in capsys.readouterr().err


def test_a_class_that_handed_in_nothing_is_one_line(repo, tmp_path):
    empty = lay_out(repo, tmp_path / "empty")
    with pytest.raises(UserError, match="Nobody handed in ch01_unstable_gradients: put notebooks into"):
        grade(empty, "ch01")
    with pytest.raises(UserError, match="No single chapter is called 'ch77'"):
        grade(empty, "ch77")


def test_the_demo_overwrites_only_a_demo(repo, tmp_path):
    (tmp_path / "thesis.txt").touch()
    with pytest.raises(UserError, match="is in the way and no demo made it"):
        lay_out(repo, tmp_path)
    assert (tmp_path / "thesis.txt").exists()


def test_a_place_that_cannot_be_written_is_one_line(repo, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="Cannot write the course"):
        lay_out(repo, tmp_path / "file" / "demo")


def test_a_second_tour_takes_the_earlier_results_unless_something_changed(
    repo, tmp_path, results, monkeypatch
):
    known = list(results.values())
    (tmp_path / MARK).write_text(json.dumps([fingerprint(repo), [asdict(r) for r in known]]), "utf-8")
    assert earlier(repo, tmp_path) == known
    monkeypatch.setattr("autograder.demo.fingerprint", lambda _: "something changed")
    assert earlier(repo, tmp_path) is None
    (tmp_path / MARK).write_text("")  # laid out, but never graded to its end
    assert earlier(repo, tmp_path) is None


def test_a_course_reads_its_own_gradebook(course):
    with course.gradebook() as gradebook, pytest.raises(MissingEntry):
        gradebook.find_student("nobody")
    assert Course.at(course.root).students(CHAPTER) == sorted(CLASS)
