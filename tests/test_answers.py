"""The answer bank: every wrong answer is caught and told why, no right one fails, in one process and across two."""

from autograder.bank import bank, faults, judge, problems
from autograder.build import read_all
from autograder.repo import this_repo

SEEDS = 2  # of the hidden test, for right answers: no verdict may hang on luck; `verify --seeds 5` tries more
LESSONS = read_all(this_repo(), this_repo().chapters())


class Bank:
    """The tests of a chapter's bank: a class each, so that the chapters can be judged side by side."""

    def test_every_verdict_is_right(self, repo, lesson, exercise):
        answers = bank(repo, lesson, exercise)
        found = {a.title: judged(lesson, exercise, a) for a in answers}
        assert len(found) == len(answers), "two answers have one title"
        assert {title: said for title, said in found.items() if said} == {}


for _chapter in this_repo().chapters():
    globals()[f"Test_{_chapter}"] = type(f"Test_{_chapter}", (Bank,), {"chapter": _chapter})


def pytest_generate_tests(metafunc):
    chosen = [(s, e) for s in LESSONS if s.chapter == metafunc.cls.chapter for e in s.exercises]
    metafunc.parametrize(("lesson", "exercise"), chosen, ids=[exercise.name for _, exercise in chosen])


def judged(lesson, exercise, answer):
    """What is wrong with the verdicts on an answer.

    A second process is the dearer half: here it judges the right answers, and those wrong ones that nothing but the
    hidden test stands against. `verify --across` judges all of them.
    """
    if answer.right:
        more = problems(lesson, exercise, answer, range(1, SEEDS))
        return more + problems(lesson, exercise, answer, across=True)
    verdict = judge(lesson, exercise, answer)
    if verdict.visible.startswith("✓"):
        verdict = judge(lesson, exercise, answer, across=True)
    return list(faults(answer, verdict))
