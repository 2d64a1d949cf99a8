"""The open challenge gives partial credit: a point a rung, and one times the accuracy."""

import ast
import math

import pytest

from autograder.bank import bank
from autograder.build import read_all
from autograder.lesson import SOLUTION
from autograder.repo import this_repo
from autograder.views import without

CHAPTER, EXERCISE = "ch06_capstone", "challenger"


@pytest.fixture(scope="module")
def lesson():
    lessons = read_all(this_repo(), [CHAPTER])
    return next(lesson for lesson in lessons if any(e.name == EXERCISE for e in lesson.exercises))


@pytest.fixture(scope="module")
def points(lesson):
    """Runs an answer of the bank as the grader does, and gives the value of the test's last expression."""
    exercises = {e.name: e for e in lesson.exercises}
    challenge = exercises[EXERCISE]
    stubs = [without(exercises[n].cells["stub"].text, SOLUTION) for n in challenge.needs]
    answers = {a.title: a.code for a in bank(this_repo(), lesson, challenge)}

    def points(title):
        names = {"__name__": "__main__"}
        for cell in (*(c.text for c in lesson.cells if c.role == "setup"), *stubs, answers[title]):
            exec(cell, names)
        body = ast.parse(challenge.cells["test"].text).body
        exec(compile(ast.Module(body[:-1], []), "test", "exec"), names)
        assert isinstance(body[-1], ast.Expr), "the value of the last line is the credit"
        value = eval(compile(ast.Expression(body[-1].value), "test", "eval"), names)
        return value, names["RUNGS"]

    return points


@pytest.mark.parametrize(
    ("title", "rungs"),
    [("the solution", 5), ("88 units and nothing else", 1)],
)
def test_a_point_a_rung_and_one_times_the_accuracy(points, title, rungs):
    value, thresholds = points(title)
    accuracy, reached = math.modf(value)
    assert reached == rungs == sum(accuracy >= threshold for threshold in thresholds)


def test_the_points_of_the_exercise_have_room_for_all_of_it(lesson):
    challenge = next(e for e in lesson.exercises if e.name == EXERCISE)
    assert challenge.points == 6
