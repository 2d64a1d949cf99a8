"""The answer bank: every wrong answer is caught and told why, no right one fails."""

import pytest

from autograder.bank import bank, problems
from autograder.build import read_all
from autograder.repo import this_repo

SEEDS = 3  # of the hidden test, for right answers: no verdict may hang on luck; `verify --seeds 5` tries more
LESSONS = read_all(this_repo(), this_repo().chapters())
EXERCISES = [(lesson, exercise) for lesson in LESSONS for exercise in lesson.exercises]
by_name = pytest.mark.parametrize(("lesson", "exercise"), EXERCISES, ids=[e.name for _, e in EXERCISES])


@by_name
def test_every_verdict_is_right_in_one_process_and_across_two(repo, lesson, exercise):
    found = {}
    for answer in bank(repo, lesson, exercise):
        found[answer.title] = problems(lesson, exercise, answer, across=True)
        if answer.right:
            found[answer.title] += problems(lesson, exercise, answer, range(1, SEEDS))
    assert {title: p for title, p in found.items() if p} == {}


@by_name
def test_no_file_holds_two_answers_of_one_title(repo, lesson, exercise):
    titles = [a.title for a in bank(repo, lesson, exercise)]
    assert len(titles) == len(set(titles))
