"""What counts as a test's verdict, and what does not."""

import nbformat
import pytest
from nbgrader.utils import determine_grade

from autograder.verdict import Verdict
from tests.grading.lessons import a_test, stub


def value(text):
    return nbformat.v4.new_output("execute_result", data={"text/plain": text}, execution_count=1)


def error(name="AssertionError"):
    return nbformat.v4.new_output("error", ename=name, evalue="", traceback=[])


def printed(text, name="stdout"):
    return nbformat.v4.new_output("stream", name=name, text=text)


def points(*outputs, source="check()", of=4):
    """What nbgrader makes of the outputs of a test, after ours."""
    cell = a_test("f")
    cell.source, cell.metadata.nbgrader.points, cell.outputs = source, of, list(outputs)
    cell, _ = Verdict().preprocess_cell(cell, {}, 0)
    nbformat.validate(nbformat.v4.new_notebook(cells=[cell]))
    return determine_grade(cell)[0]


@pytest.mark.parametrize(
    ("outputs", "expected"),
    [
        ([], 4),
        ([error()], 0),
        ([value("4"), error()], 0),
        ([value("nan"), error()], 0),
        ([printed("hello")], 4),
        ([printed("a warning", "stderr")], 4),
        ([printed("a warning", "stderr"), error()], 0),
    ],
)
def test_an_error_decides_and_chatter_does_not(outputs, expected):
    assert points(*outputs) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3", 3),
        ("2.5", 2.5),
        ("0", 0),
        ("-1", 0),
        ("nan", 0),
        ("inf", 4),
        ("999", 4),
        ("[3]", 3),
        ("None", 4),
    ],
)
def test_partial_credit_is_kept_within_its_bounds(text, expected):
    assert points(value(text)) == expected


def test_a_number_that_the_learners_code_displays_is_no_credit():
    assert points(value("1"), source="assert f(1) == 2") == 4
    assert points(value("4"), value("1"), source="score()") == 1, "the test's own value comes last"


def test_an_output_that_nobody_expects_is_no_credit_and_no_error():
    odd = nbformat.v4.new_output("execute_result", data={"text/html": "<b>4</b>"}, execution_count=1)
    assert points(odd) == 4


def test_answers_that_a_person_grades_are_left_alone():
    cell = stub("f")
    cell.metadata.nbgrader.update(grade=True, points=2)
    cell.outputs = [value("nan"), printed("x", "stderr")]
    kept, _ = Verdict().preprocess_cell(cell.copy(), {}, 0)
    assert kept.outputs == cell.outputs
