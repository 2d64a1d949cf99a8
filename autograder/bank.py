"""``verify``: every answer of the bank against visible check and hidden test, without kernels.

The bank has one file an exercise, ``tests/answers/<chapter>/<lesson>/<exercise>.py``, a cell an answer::

    # %% right="with nn.init"
    # %% wrong="forgets the square root" says="its square root"

`says` is part of the sentence that this learner must be told, by the visible check, or in the feedback
where only the hidden test catches the mistake. The solution and the untouched stub are tried as well.
"""

from __future__ import annotations

import contextlib
import gc
import io
import multiprocessing
import os
import signal
import socket
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import jupytext

from autograder import needed, views
from autograder.build import read_all
from autograder.lesson import SOLUTION, Exercise, Lesson
from autograder.repo import Repo, UserError

NEVER = "never returns"  # what is said of an answer that does not come back
SECONDS = 45  # until an answer counts as such
MIN_RIGHT, MIN_WRONG = 3, 6


@dataclass(frozen=True)
class Answer:
    """One answer: what it is called, its code, and for a wrong one what its author must be told."""

    title: str
    code: str
    right: bool
    says: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the visible check printed and the hidden test raised, beside the answer and in a process of its own.

    `hidden` and `apart` are empty if it passed; `apart` is None if that was not tried.
    """

    visible: str
    hidden: str
    apart: str | None = None

    @property
    def told(self) -> str:
        """What reaches the learner first: the visible check's sentence, or else the feedback's."""
        return self.hidden if self.visible.startswith("✓") else self.visible


def verify(
    repo: Repo, chapters: list[str], seeds: int = 1, only: Sequence[str] = (), across: bool = False
) -> int:
    """Run the bank, print a row an exercise with its faults below, and return 0 only if there are none.

    Raises:
        UserError: before anything runs, if an exercise in `only` does not exist, a bank is not complete, or there
            is no seed to run with.
    """
    if seeds < 1:
        raise UserError(f"With {seeds} seeds nothing is tried: give --seeds a number above 0.")
    chosen = [
        (lesson, exercise, bank(repo, lesson, exercise))
        for lesson in read_all(repo, chapters)
        for exercise in lesson.exercises
        if not only or exercise.name in only
    ]
    if unknown := set(only) - {exercise.name for _, exercise, _ in chosen}:
        raise UserError(f"There is no exercise {', '.join(sorted(unknown))} in {', '.join(chapters)}.")
    print(f"{'exercise':24} {'caught and told why':>20} {'wrongly failed':>16}")
    faulty = False
    for lesson, exercise, answers in chosen:
        found = {a: problems(lesson, exercise, a, range(seeds), across) for a in answers}
        wrong, right = ([a for a in answers if a.right is kind] for kind in (False, True))
        caught, failed = sum(not found[a] for a in wrong), sum(bool(found[a]) for a in right)
        row = f"{exercise.name:24} {caught:>14}/{len(wrong):<5} {failed:>12}/{len(right):<5}"
        print(row, *(f"    {a.title}: {p}" for a in answers for p in found[a]), sep="\n", flush=True)
        faulty |= any(found.values())
    if not faulty:
        print("Every wrong answer is caught and told why; no right one fails.")
    return int(faulty)


@cache
def _warm(setup: tuple[str, ...]) -> None:
    """Import here, once, what a lesson needs: every answer's process starts as a copy of this one."""
    import torch

    # The first optimiser makes torch import its compiler, the first forward derivative its rules for these: seconds
    # that no child should spend again.
    torch.optim.SGD([torch.zeros(1)], lr=1.0)
    torch.func.hessian(torch.sum)(torch.zeros(1))
    names: dict = {}
    for cell in setup:
        exec(cell, names)
    gc.collect()
    gc.freeze()  # a collection in a child would touch, and so copy, all that it shares with this process


def _warm_across(test: str) -> None:
    """The same for a test in a process of its own."""
    from autograder.trust import learner_side, test_side  # noqa: F401

    needed.names(test)  # remembered by the children


def groundwork(lesson: Lesson, exercise: Exercise) -> list[str]:
    """The cells that an answer to `exercise` stands on: the set-up, and solutions of the exercises that it needs."""
    others = {e.name: e for e in lesson.exercises}
    return _setup(lesson) + [views.without(others[n].cells["stub"].text, SOLUTION) for n in exercise.needs]


def _setup(lesson: Lesson) -> list[str]:
    return [c.text for c in lesson.cells if c.role == "setup"]


def bank(repo: Repo, lesson: Lesson, exercise: Exercise) -> list[Answer]:
    """The solution, the untouched stub, and every answer on file.

    Raises:
        UserError: if the file is missing, too small, or an answer is neither right nor wrong.
    """
    path = repo.answers / lesson.chapter / lesson.name / f"{exercise.name}.py"
    solution = views.without(exercise.cells["stub"].text, SOLUTION)
    released = views.released(views.master(lesson, repo.slug))
    stub = next(c.source for c in released.cells if c.id == f"{exercise.name}-stub")
    answers = [
        Answer("the solution", solution, right=True),
        Answer("the untouched stub", stub, right=False, says="not done yet"),
        *_on_file(path),
    ]
    n_right, n_wrong = (sum(a.right is kind for a in answers[2:]) for kind in (True, False))
    if n_right < MIN_RIGHT or n_wrong < MIN_WRONG:
        raise UserError(
            f"{path}: {n_right} right and {n_wrong} wrong answers; write at least {MIN_RIGHT} and {MIN_WRONG}."
        )
    return answers


def problems(
    lesson: Lesson, exercise: Exercise, answer: Answer, seeds: Iterable[int] = (0,), across: bool = False
) -> list[str]:
    """What is wrong with the verdicts on an answer, over these seeds of the hidden test."""
    found = (faults(answer, judge(lesson, exercise, answer, seed, across)) for seed in seeds)
    return sorted({fault for one in found for fault in one})


def faults(answer: Answer, verdict: Verdict) -> Iterator[str]:
    """What is wrong with one verdict on an answer."""
    if beside := _problem(answer, verdict):
        yield beside
    if verdict.apart is not None and (apart := _problem(answer, Verdict(verdict.visible, verdict.apart))):
        yield f"{apart} (the test in a process of its own)"


def _problem(answer: Answer, verdict: Verdict) -> str:
    if answer.right:
        passes = verdict.visible.startswith("✓") and not verdict.hidden
        return "" if passes else f"is right, but fails: {verdict.visible} | {verdict.hidden}"
    if not verdict.hidden:
        return f"is wrong, but the hidden test passes. (visible: {verdict.visible})"
    return "" if answer.says in verdict.told else f"is told {verdict.told!r}, not {answer.says!r}"


def judge(lesson: Lesson, exercise: Exercise, answer: Answer, seed: int = 0, across: bool = False) -> Verdict:
    """The verdict on one answer, in a process of its own: an answer may loop, exit or spoil torch.

    Args:
        lesson: where the exercise stands.
        exercise: which one.
        answer: to it.
        seed: of the hidden test.
        across: run the hidden test in a process of its own as well; see `autograder.trust`.
    """
    if "fork" not in multiprocessing.get_all_start_methods():
        raise UserError("The answer bank needs a system that can fork: Linux, macOS, or WSL on Windows.")
    setup = _setup(lesson)
    _warm(tuple(setup))
    cells = groundwork(lesson, exercise)
    check, test = (exercise.cells[role].text for role in ("check", "test"))
    # Of an answer that never returns this is known: it need not be waited for long.
    seconds = SECONDS / 5 if answer.says == NEVER else SECONDS
    if not across:
        with _process(_learn, None, cells, answer.code, check, test, seed) as learner:
            return Verdict(*_heard(learner, seconds)[:2])
    _warm_across(test)
    ours, theirs = socket.socketpair()
    with (
        _process(_learn, (ours, theirs), cells, answer.code, check, test, seed) as learner,
        _process(_test, (theirs, ours), setup, test, seed) as judge,
    ):
        ours.close(), theirs.close()
        (visible, hidden, failed), (apart, *_) = _heard(learner, seconds), _heard(judge, seconds)
        return Verdict(visible, hidden, failed or apart)


@contextlib.contextmanager
def _process(target: Callable, *args: Any) -> Iterator[Connection]:
    """A process that runs `target` with a pipe and `args`, and what it sends; afterwards all its own are killed."""
    context = multiprocessing.get_context("fork")  # torch is loaded already: a child costs milliseconds
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_leads, args=(target, there, *args))
    process.start()
    there.close()
    try:
        yield here
    finally:
        with contextlib.suppress(ProcessLookupError):  # not even its own group yet, or no more
            os.killpg(process.pid, signal.SIGKILL)
        process.kill()
        process.join()


def _leads(target: Callable, *args: Any) -> None:
    os.setpgid(0, 0)
    target(*args)


def _heard(pipe: Connection, seconds: float) -> tuple[str, ...]:
    """What a process sends; where nothing comes, why not."""
    try:
        if pipe.poll(seconds):
            return pipe.recv()
        return f"✗ {NEVER}", NEVER, ""
    except EOFError:
        return "✗ the process ended", "the process ended", ""


def _learn(
    pipe: Connection, ends: tuple | None, cells: list[str], answer: str, check: str, test: str, seed: int
) -> None:
    """The learner's process: answer, visible check, test; with `ends`, a copy of it answers a test elsewhere."""
    names = _prepared(cells, seed)
    failed, visible = _seen(answer, check, names)
    if ends and os.fork():
        from autograder.trust.learner_side import serve

        pipe.close()
        ends[1].close()
        serve(ends[0], names)
        return
    with _silently():
        hidden = failed or _error(test, names)
    pipe.send((visible, hidden, failed))
    os._exit(0)


def _test(pipe: Connection, ends: tuple, setup: list[str], test: str, seed: int) -> None:
    """The process of the test, which has never run the answer."""
    from autograder.trust.test_side import learner

    ends[1].close()
    names = _prepared(setup, seed)
    with _silently(), learner(ends[0], names, test):
        apart = _error(test, names)
    pipe.send((apart,))


def _prepared(cells: list[str], seed: int) -> dict:
    """The global names after these cells."""
    import torch

    from trainlab import checks

    torch.set_num_threads(1)  # a pool of threads does not survive a fork
    checks.SEED = seed
    checks.record = lambda *_: None  # the bank is nobody's progress
    names: dict = {"__name__": "__main__"}
    with _silently():
        for cell in cells:
            exec(cell, names)
    return names


def _seen(answer: str, check: str, names: dict) -> tuple[str, str]:
    """What the answer's cell raised, and the last line that its author sees."""
    with _silently() as out:
        failed = _error(answer, names)
        out.truncate(0), out.seek(0)
        crashed = _error(check, names)
        visible = (failed or crashed or out.getvalue()).strip()
    return failed, visible.splitlines()[-1] if visible else ""


@contextlib.contextmanager
def _silently() -> Iterator[io.StringIO]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        yield out


def _error(code: str, names: dict) -> str:
    """Run one cell; what it raised, in one line, or nothing."""
    try:
        exec(code, names)
    except BaseException as error:  # a wrong answer may raise anything, SystemExit too
        return traceback.format_exception_only(error)[-1].strip()
    return ""


def _on_file(path: Path) -> Iterator[Answer]:
    if not path.exists():
        raise UserError(f"{path}: is missing. Every exercise needs a bank of right and wrong answers.")
    for cell in jupytext.read(path, fmt="py:percent").cells:
        title = cell.metadata.get("right") or cell.metadata.get("wrong")
        right = "right" in cell.metadata
        both = right and "wrong" in cell.metadata
        if not title or both or (not right and not cell.metadata.get("says")):
            raise UserError(
                f'{path}: each cell says right="…" or wrong="…" says="…", not {dict(cell.metadata)}.'
            )
        yield Answer(title, cell.source, right, cell.metadata.get("says", ""))
