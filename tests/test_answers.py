"""The answer bank: every wrong answer is caught and told why, no right one fails."""

import pytest

from autograder.bank import Answer, bank, judge, problems, verify
from autograder.build import read_all
from autograder.repo import UserError, this_repo

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


def test_verify_reports_what_slips_through(repo, capsys, monkeypatch):
    lesson, exercise = EXERCISES[0]
    solution = bank(repo, lesson, exercise)[0]
    fakes = [
        Answer("passes by mistake", solution.code, right=False, says="wrong"),
        Answer("fails by mistake", "def nothing(): pass", right=True),
        Answer("is told something else", "def nothing(): pass", right=False, says="quite another thing"),
        Answer("exits", "import os; os._exit(0)", right=False, says="the process ended"),
    ]
    monkeypatch.setattr("autograder.bank.bank", lambda *_: fakes)
    monkeypatch.setattr(lesson, "exercises", [exercise])
    monkeypatch.setattr("autograder.bank.read_all", lambda *_: [lesson])
    assert verify(repo, repo.chapters()) == 1
    out = capsys.readouterr().out
    assert "passes by mistake: is wrong, but the hidden test passes" in out
    assert "fails by mistake: is right, but fails" in out
    assert "is told something else: is told" in out
    assert "exits:" not in out
    assert out.splitlines()[1].split() == [exercise.name, "1/3", "1/1"]


def test_an_answer_that_never_returns_is_stopped(monkeypatch):
    lesson, exercise = EXERCISES[0]
    monkeypatch.setattr("autograder.bank.SECONDS", 1)
    verdict = judge(lesson, exercise, Answer("loops", "while True: pass", right=False))
    assert verdict.hidden == "never returns"


def test_a_bank_that_is_missing_or_too_small_is_one_line(repo, tmp_path, monkeypatch):
    lesson, exercise = EXERCISES[0]
    monkeypatch.setattr(type(repo), "answers", tmp_path)
    with pytest.raises(UserError, match="is missing"):
        bank(repo, lesson, exercise)
    path = tmp_path / lesson.chapter / lesson.name / f"{exercise.name}.py"
    path.parent.mkdir(parents=True)
    path.write_text('# %% right="one"\nx = 1\n')
    with pytest.raises(UserError, match="1 right and 0 wrong answers; write at least 3 and 6"):
        bank(repo, lesson, exercise)
    path.write_text('# %% wrong="without a sentence"\nx = 1\n')
    with pytest.raises(UserError, match="each cell says"):
        bank(repo, lesson, exercise)
