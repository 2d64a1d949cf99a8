"""The open challenge gives partial credit: a point a rung, and one times the accuracy."""

import ast
import math

import pytest

from autograder.bank import bank, groundwork
from autograder.build import read_all
from autograder.repo import this_repo

CHAPTER, EXERCISE = "ch06_capstone", "challenger"


def exercise_of(lesson):
    """The challenge itself; None in a lesson without it."""
    return next((e for e in lesson.exercises if e.name == EXERCISE), None)


@pytest.fixture(scope="module")
def lesson():
    return next(filter(exercise_of, read_all(this_repo(), [CHAPTER])))


@pytest.fixture(scope="module")
def points(lesson):
    """Runs an answer of the bank as the grader does, and gives the value of the test's last expression."""
    challenge = exercise_of(lesson)
    answers = {a.title: a.code for a in bank(this_repo(), lesson, challenge)}

    def points(title):
        names = {"__name__": "__main__"}
        for cell in (*groundwork(lesson, challenge), answers[title]):
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
    assert exercise_of(lesson).points == 6
