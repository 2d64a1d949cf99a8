"""``bench``: this grader against stock nbgrader, on one class.

Both grade the same submissions by the same configuration on the same machine: stock nbgrader in its one process,
ours by the command that instructors type, which also writes the feedback, and once more with tests and answers in
one process. Then ours alone grades a small and a large class: a submission must cost the same in both. Seconds say
as much of the machine as of the grader, so they are shown but not judged; only scores that differ are an error.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import nbformat

from autograder import ledger
from autograder.bank import NEVER, Answer, bank
from autograder.build import read_all
from autograder.course import Course
from autograder.demo import ESSAY, Answers, filled, lay_out
from autograder.grading import release
from autograder.kernels.sandbox import refuse_if_missing
from autograder.lesson import Lesson
from autograder.meter import Used, measured
from autograder.ratios import Comparison, Run, Scores, steady
from autograder.repo import Repo, UserError, matching

TIMEOUT = 60  # seconds that a cell may run, as in the course itself
# An endless loop measures the time limit alone, and stock nbgrader has no points for who ends the kernel.
_LEFT_OUT = (NEVER, "SystemExit")


class Bench:
    """A chapter, and classes that hand it in, each in a course of its own."""

    def __init__(self, repo: Repo, chapter: str, lessons: Sequence[str], folder: Path):
        self.repo, self.chapter, self.folder = repo, repo.chapter(chapter), folder
        self.lessons = _chosen(read_all(repo, [self.chapter]), lessons)
        self._banks = {s.name: {e.name: bank(repo, s, e) for e in s.exercises} for s in self.lessons}

    def stock(self, submissions: int) -> Run:
        """A class graded by nbgrader alone."""
        course = self._handed_in("stock", submissions)
        used = self._measured(
            course, [sys.executable, "-m", "nbgrader", "autograde", self.chapter], course.root
        )
        return Run(submissions, used, scores(course, self.chapter))

    def ours(self, name: str, submissions: int, *options: str) -> Run:
        """A class graded by the command of this package with these options, in a course called `name`."""
        course = self._handed_in(name, submissions)
        command = [sys.executable, "-m", "autograder", "grade", self.chapter, *options]
        used = self._measured(course, [*command, "--course", str(course.root)], self.repo.root)
        with course.gradebook() as gradebook:
            done = ledger.times(gradebook, self.chapter)
        if len(done) < submissions:
            raise UserError(f"Only {len(done)} of {submissions} were graded; see {course.root}/bench.log.")
        return Run(submissions, used, scores(course, self.chapter), steady(done, _cores()))

    def _handed_in(self, name: str, submissions: int) -> Course:
        names = [lesson.name for lesson in self.lessons]
        course = lay_out(self.repo, self.folder / name, self.chapter, names, TIMEOUT)
        release(course, self.chapter)
        for lesson in self.lessons:
            released = nbformat.read(course.path("release", ".", self.chapter) / f"{lesson.name}.ipynb", 4)
            for number in range(submissions):
                answers = answered(number, lesson, self._banks[lesson.name])
                path = course.path("submitted", f"learner_{number:03}", self.chapter) / f"{lesson.name}.ipynb"
                path.parent.mkdir(parents=True, exist_ok=True)
                nbformat.write(filled(deepcopy(released), answers), path)
        return course

    def _measured(self, course: Course, command: list[str], folder: Path) -> Used:
        print(f"{course.root.name}: {' '.join(command[2:5])} ...", flush=True)
        return measured(command, folder, course.root / "bench.log")


def bench(
    repo: Repo,
    chapter: str,
    lessons: Sequence[str] = (),
    submissions: int = 48,
    scaling: tuple[int, int] = (24, 96),
    keep: Path | None = None,
) -> int:
    """Measure, compare, print the table.

    Args:
        repo: where the lessons and the answers are.
        chapter: what is handed in.
        lessons: beginnings of the names of its lessons; all of them if there are none.
        submissions: how many are graded by both.
        scaling: the sizes of a small and a large class.
        keep: a folder for the courses, which are thrown away otherwise.

    Returns:
        0, or 1 if a score differs.

    Raises:
        UserError: if there is no sandbox, or fewer than two submissions, from which nothing follows.
    """
    refuse_if_missing()
    small, large = scaling
    if min(submissions, small, large) < 2:
        raise UserError("From one submission nothing follows: bench wants at least 2 in each class.")
    with _folder(keep) as folder:
        subject = Bench(repo, chapter, lessons, folder)
        print(f"{subject.chapter}: {', '.join(s.name for s in subject.lessons)}; {_cores()} cores")
        stock, ours = subject.stock(submissions), subject.ours("ours", submissions)
        beside = subject.ours("ours-in-one-process", submissions, "--one-process")
        # The machine may be busier in one minute than in the next: the small class frames the large one.
        runs = [subject.ours(f"ours-{i}-of-{n}", n) for i, n in enumerate((small, large, small))]
    compared = Comparison(stock, ours, beside, runs[::2], runs[1:2])
    print(f"\n{compared}")
    return int(bool(compared.differing))


def answered(number: int, lesson: Lesson, banks: Mapping[str, Sequence[Answer]]) -> Answers:
    """What the learner of this number answers: one exercise in three wrong, and every answer of the bank in turn.

    No two learners hand in the same text: what is found once may not be found again without looking.
    """
    chosen = {question["answer"].exercise: ESSAY for question in lesson.questions}
    for place, (exercise, answers) in enumerate(banks.items()):
        right = (number + place) % 3 > 0
        fitting = [a for a in answers if a.right is right and a.says not in _LEFT_OUT]
        chosen[exercise] = f"{fitting[number // 3 % len(fitting)].code}\n# Handed in by learner {number}."
    return chosen


def scores(course: Course, assignment: str) -> Scores:
    """The points of every graded cell in the gradebook, None where a person has to give them."""
    with course.gradebook() as gradebook:
        return {
            (submission.student.id, notebook.name, grade.name): grade.auto_score
            for submission in gradebook.find_assignment(assignment).submissions
            for notebook in submission.notebooks
            for grade in notebook.grades
        }


def _chosen(lessons: list[Lesson], names: Sequence[str]) -> list[Lesson]:
    known = [lesson.name for lesson in lessons]
    if unknown := [name for name in names if not matching(name, known)]:
        raise UserError(f"No lesson is called {' or '.join(unknown)}. There are: {', '.join(known)}.")
    wanted = {found for name in names for found in matching(name, known)}
    return [lesson for lesson in lessons if lesson.name in wanted or not names]


def _cores() -> int:
    return len(os.sched_getaffinity(0))


@contextlib.contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep:
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        yield Path(folder)
