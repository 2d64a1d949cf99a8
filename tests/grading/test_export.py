"""The table of grades as it leaves the house: any reader gets the names back, and no spreadsheet runs one."""

import csv
import subprocess
import sys
from datetime import datetime

import pandas as pd
import pytest
from nbgrader.plugins import CsvExportPlugin

from autograder.export import COLUMNS, SafeCsvExport, write

PEOPLE = {
    "ada": {"first_name": "Ada", "last_name": "Lovelace", "email": "ada@example.org"},
    "zoë": {"first_name": "Zoë", "last_name": "Ångström", "email": None},
    "idle": {},
}
HOSTILE = [
    "Smith, John",
    'the "Rock"',
    "two\nlines",
    "two\r\nlines",
    "a\rb",
    "O'Neil; DROP TABLE",
    "=1+1",
    "+1",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    '=HYPERLINK("https://example.org?"&A1,"x")',
]

# nbgrader's own use of SQLAlchemy, which nobody here can mend
pytestmark = pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SAWarning")


@pytest.fixture
def class_of_three(gradebook):
    """One assignment of a test and a question; two of three handed in, one question waits."""
    gradebook.add_assignment("ps1", duedate="2026-11-20")
    gradebook.add_notebook("n1", "ps1")
    for name, points in (("f-test", 2), ("why-answer", 3)):
        gradebook.add_grade_cell(name, "n1", "ps1", max_score=points, cell_type="code")
    for who, facts in PEOPLE.items():
        gradebook.add_student(who, **facts)
    for who, points in (("ada", 2.0), ("zoë", 0.5)):
        gradebook.add_submission("ps1", who, timestamp=datetime(2026, 11, 19, 12))
        grade = gradebook.find_grade("f-test", "n1", "ps1", who)
        grade.auto_score, grade.needs_manual_grade = points, False
        gradebook.find_grade("why-answer", "n1", "ps1", who).needs_manual_grade = who == "zoë"
    gradebook.db.commit()
    return gradebook


def exported(plugin, gradebook, path, **traits):
    made = plugin(to=str(path), **traits)
    made.export(gradebook)
    return path


def rows(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def ada(records):
    return next(record for record in records if record["student_id"] == "ada")


def test_harmless_names_give_the_table_of_stock_nbgrader(class_of_three, tmp_path):
    ours = exported(SafeCsvExport, class_of_three, tmp_path / "ours.csv")
    stock = exported(CsvExportPlugin, class_of_three, tmp_path / "stock.csv")
    assert ours.read_text("utf-8") == stock.read_text()
    assert len(rows(ours)) == len(PEOPLE)


@pytest.mark.parametrize("choice", [{"student": ["ada"]}, {"assignment": ["ps1"]}, {"assignment": ["other"]}])
def test_the_same_choice_as_stock_nbgrader(class_of_three, tmp_path, choice):
    ours = exported(SafeCsvExport, class_of_three, tmp_path / "ours.csv", **choice)
    stock = exported(CsvExportPlugin, class_of_three, tmp_path / "stock.csv", **choice)
    assert ours.read_text("utf-8") == stock.read_text()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_comes_back_and_is_no_formula(class_of_three, tmp_path, name):
    class_of_three.update_or_create_student("ada", first_name=name, last_name=name, email=name)
    path = exported(SafeCsvExport, class_of_three, tmp_path / "grades.csv")
    shown = f"'{name}" if name[0] in "=+-@\t\r" else name
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    for read in (ada(rows(path)), ada(frame.to_dict("records"))):
        assert [read[column] for column in ("first_name", "last_name", "email")] == [shown] * 3
        assert float(read["score"]) == 2.0
    assert list(frame.columns) == list(COLUMNS)
    assert len(frame) == len(PEOPLE)


def test_numbers_stay_numbers_below_zero_too(tmp_path):
    write(tmp_path / "t.csv", ["name", "score"], [{"name": "-1", "score": -1.5}])
    assert rows(tmp_path / "t.csv") == [{"name": "'-1", "score": "-1.5"}]


def test_points_an_exercise_stand_in_a_second_file(class_of_three, tmp_path):
    exported(SafeCsvExport, class_of_three, tmp_path / "g.csv", exercises=str(tmp_path / "e.csv"))
    found = {
        (r["student_id"], r["exercise"]): (r["score"], r["max_score"], r["by_hand"])
        for r in rows(tmp_path / "e.csv")
    }
    assert found == {
        ("ada", "f-test"): ("2.0", "2.0", ""),
        ("ada", "why-answer"): ("0.0", "3.0", ""),
        ("zoë", "f-test"): ("0.5", "2.0", ""),
        ("zoë", "why-answer"): ("0.0", "3.0", "waits"),
    }


def test_whoever_fails_half_way_leaves_the_old_file(tmp_path):
    def broken():
        yield {"a": 1}
        raise OSError("disk full")

    path = tmp_path / "grades.csv"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"):
        write(path, ["a"], broken())
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"grades.csv": "old"}


def test_stock_export_takes_it_from_our_configuration(class_of_three, repo, tmp_path):
    ours = str(repo.root / "autograder")
    settings = f'c = get_config()\nload_subconfig("nbgrader_config.py", path={ours!r})\n'
    (tmp_path / "nbgrader_config.py").write_text(f"{settings}c.CourseDirectory.root = {str(tmp_path)!r}\n")
    class_of_three.update_or_create_student("ada", first_name="=1+1")
    command = [sys.executable, "-m", "nbgrader", "export", "--to=stock.csv"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert ada(rows(tmp_path / "stock.csv"))["first_name"] == "'=1+1"
