"""The answer bank: every wrong answer is caught and told why, no right one fails."""

import pytest

from autograder.bank import bank, problems
from autograder.build import read_all
from autograder.repo import this_repo

LESSONS = read_all(this_repo(), this_repo().chapters())
EXERCISES = [(lesson, exercise) for lesson in LESSONS for exercise in lesson.exercises]
by_name = pytest.mark.parametrize(("lesson", "exercise"), EXERCISES, ids=[e.name for _, e in EXERCISES])


@by_name
def test_every_verdict_is_right(repo, lesson, exercise):
    found = {a.title: problems(lesson, exercise, a) for a in bank(repo, lesson, exercise)}
    assert {title: p for title, p in found.items() if p} == {}


@by_name
def test_no_verdict_hangs_on_luck(repo, lesson, exercise):
    """The solution and the answers that draw random numbers in an order of their own, over other seeds."""
    right = [a for a in bank(repo, lesson, exercise) if a.right]
    assert {a.title: p for a in right if (p := problems(lesson, exercise, a, seeds=5))} == {}


@by_name
def test_no_file_holds_two_answers_of_one_title(repo, lesson, exercise):
    titles = [a.title for a in bank(repo, lesson, exercise)]
    assert len(titles) == len(set(titles))
