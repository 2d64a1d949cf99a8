"""Scores move between gradebooks whole, and the note of them with them."""

import os
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from nbgrader.api import Gradebook, MissingEntry

from autograder import ledger, records
from autograder.ledger import Entry
from autograder.results import Result, read_result, shown, table

WHEN = datetime(2026, 11, 21, 10)


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    """A gradebook with one assignment; nbgrader takes a second to make an empty one."""
    path = tmp_path_factory.mktemp("template") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)  # for nbgrader's alembic
        with Gradebook(f"sqlite:///{path}", "c") as book:
            empty = path.read_bytes()
            book.add_assignment("ps1", duedate=WHEN)
            book.add_notebook("p1", "ps1")
            for name in ("f-test", "g-test", "why-answer"):
                book.add_grade_cell(name, "p1", "ps1", max_score=3, cell_type="code")
            book.add_solution_cell("why-answer", "p1", "ps1")
            book.add_source_cell("f-test", "p1", "ps1", source="assert f", cell_type="code")
            book.add_student("ada")
    return empty, path.read_bytes()


@pytest.fixture
def empty(template, tmp_path):
    (tmp_path / "copy.db").write_bytes(template[0])
    with Gradebook(f"sqlite:///{tmp_path}/copy.db", "c") as book:
        yield book


@pytest.fixture
def gradebook(template, tmp_path):
    (tmp_path / "gradebook.db").write_bytes(template[1])
    with Gradebook(f"sqlite:///{tmp_path}/gradebook.db", "c") as book:
        yield book


@pytest.fixture
def copy(gradebook, empty):
    records.copy_structure(gradebook, "ps1", empty)
    empty.add_student("ada")
    return empty


def graded(book, student="ada", score=2.0):
    book.add_submission("ps1", student, timestamp=WHEN)
    for name in ("f-test", "g-test"):
        grade = book.find_grade(name, "p1", "ps1", student)
        grade.auto_score, grade.needs_manual_grade = score, False
    book.db.commit()
    return book.find_submission("ps1", student)


def test_a_copy_knows_the_assignment_and_no_learner(gradebook, empty):
    graded(gradebook)
    gradebook.add_assignment("ps2")
    records.copy_structure(gradebook, "ps1", empty)
    assert [a.name for a in empty.assignments] == ["ps1"]
    assert empty.find_assignment("ps1").duedate == WHEN
    assert [c.name for c in empty.find_notebook("p1", "ps1").grade_cells] == [
        "f-test",
        "g-test",
        "why-answer",
    ]
    assert empty.find_source_cell("f-test", "p1", "ps1").source == "assert f"
    assert empty.students == []


def test_a_record_arrives_as_it_left(gradebook, copy):
    submission = graded(copy)
    submission.extension = timedelta(hours=1)
    submission.notebooks[0].late_submission_penalty = 0.5
    copy.db.commit()
    record = records.read(copy, "ps1", "ada")
    records.write(gradebook, "ps1", "ada", record)
    gradebook.db.commit()
    assert records.read(gradebook, "ps1", "ada") == record
    assert gradebook.find_submission("ps1", "ada").score == submission.score == 4


def test_who_is_not_there_has_no_record(gradebook):
    assert records.read(gradebook, "ps1", "ada") is None


def test_nothing_is_there_before_the_commit(gradebook, copy):
    graded(copy)
    records.write(gradebook, "ps1", "ada", records.read(copy, "ps1", "ada"))
    gradebook.db.rollback()
    with pytest.raises(MissingEntry):
        gradebook.find_submission("ps1", "ada")


def test_what_a_person_entered_stays(gradebook, copy):
    graded(gradebook, score=1.0)
    before = records.read(gradebook, "ps1", "ada")
    by_hand = gradebook.find_grade("why-answer", "p1", "ps1", "ada")
    by_hand.manual_score, by_hand.extra_credit = 3.0, 1.0
    gradebook.find_comment("why-answer", "p1", "ps1", "ada").manual_comment = "Well said."
    gradebook.db.commit()
    records.write(copy, "ps1", "ada", before)
    copy.find_grade("f-test", "p1", "ps1", "ada").auto_score = 2.0
    copy.db.commit()
    records.write(gradebook, "ps1", "ada", records.read(copy, "ps1", "ada"))
    gradebook.db.commit()
    assert (by_hand.manual_score, by_hand.extra_credit) == (3.0, 1.0)
    assert gradebook.find_comment("why-answer", "p1", "ps1", "ada").manual_comment == "Well said."
    assert gradebook.find_grade("f-test", "p1", "ps1", "ada").auto_score == 2.0


def test_what_a_person_took_back_stays_taken_back(gradebook, copy):
    graded(gradebook)
    grade = gradebook.find_grade("why-answer", "p1", "ps1", "ada")
    grade.manual_score = 3.0
    gradebook.db.commit()
    before = records.read(gradebook, "ps1", "ada")
    grade.manual_score = None
    gradebook.db.commit()
    records.write(gradebook, "ps1", "ada", before)
    assert grade.manual_score is None


def test_scores_and_their_note_are_there_together_or_not_at_all(gradebook, copy):
    ledger.open_ledger(gradebook)
    graded(copy)
    result = Result("ada", {"f": 2.0}, {"f": 3.0}, tests="abc")
    records.write(gradebook, "ps1", "ada", records.read(copy, "ps1", "ada"))
    ledger.enter(gradebook, "ps1", Entry("files", "abc", "tool", result))
    gradebook.db.rollback()
    assert (records.read(gradebook, "ps1", "ada"), ledger.entries(gradebook, "ps1")) == (None, {})
    for tests in ("abc", "abd"):
        records.write(gradebook, "ps1", "ada", records.read(copy, "ps1", "ada"))
        ledger.enter(gradebook, "ps1", Entry("files", tests, "tool", result))
        gradebook.db.commit()
    assert ledger.entries(gradebook, "ps1") == {"ada": Entry("files", "abd", "tool", result)}
    assert ledger.entries(gradebook, "ps2") == {}


def test_the_ledger_does_not_trouble_nbgrader(gradebook):
    ledger.open_ledger(gradebook)
    graded(gradebook)
    ledger.enter(gradebook, "ps1", Entry("files", "abc", "tool", Result("ada")))
    gradebook.db.commit()
    with Gradebook(str(gradebook.engine.url), "c") as again:
        assert again.find_submission("ps1", "ada").score == 4
        again.remove_student("ada")
        assert again.students == []


def test_a_result_is_read_from_the_rows(gradebook):
    result = read_result("ada", graded(gradebook), {("p1", "f-test"): "f: This is the variance."})
    assert (result.earned, result.possible) == ({"f": 2.0, "g": 2.0}, {"f": 3.0, "g": 3.0})
    assert result.reasons == ["f: This is the variance.", "g: 2 of 3 points."]
    assert result.by_hand == ["why"]


def test_exercises_of_one_name_in_two_notebooks_are_both_counted(gradebook):
    gradebook.add_notebook("p2", "ps1")
    gradebook.add_grade_cell("f-test", "p2", "ps1", max_score=1, cell_type="code")
    result = read_result("ada", graded(gradebook), {})
    assert result.possible == {"f": 3.0, "g": 3.0, "p2/f": 1.0}


def test_the_table_steers_no_terminal():
    result = Result("a\x1b]0;x\x07da", {"f": 0}, {"f": 1}, reasons=["f: \x1b[2J\u202eboo\nnew line"])
    assert all(c.isprintable() or c == "\n" for c in table([result]))
    assert len(table([result]).splitlines()) == 2
    assert shown("zwei Wörter – σ²") == "zwei Wörter – σ²"
