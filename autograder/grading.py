"""``grade``: a class through nbgrader's own flow, in parallel, restartable, with reasons for every score.

Nothing of nbgrader is replaced. Workers run its autograde and feedback, each submission in a course of its own
(see `worker`); this process alone writes into the class's folders and gradebook, one submission at a time.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from nbformat import NotebookNode
from nbgrader.api import Gradebook, InvalidEntry
from sqlalchemy.exc import DataError, SAWarning, SQLAlchemyError
from tqdm import tqdm
from traitlets.config import Config

from autograder import arrivals, crew, ledger, records, worker
from autograder.course import Course
from autograder.export import SafeCsvExport
from autograder.ground import ground, is_test, unfit
from autograder.kernels.provisioner import SandboxProvisioner
from autograder.kernels.sandbox import refuse_if_missing
from autograder.kernels.zygote import Zygote
from autograder.ledger import Entry
from autograder.repo import UserError
from autograder.results import Result, shown, table, waiting
from autograder.submission import Handed
from autograder.worker import Graded, Job, Kit, files_in, first_error

_ODD = frozenset('<>&"`\\*?[]{}')  # formgrader writes a learner's name into its pages, nbgrader into patterns

_LONGEST = 128  # characters that the gradebook has room for


@dataclass(frozen=True)
class Options:
    """How a class is graded.

    Attributes:
        workers: processes at a time; 0 for one a processor.
        scheduler: address of a Dask cluster that works instead of them.
        force: grade what has not changed, too.
        sandbox: False gives submissions the grader's own rights.
        warm: fork kernels from a warm process instead of starting each anew.
        apart: run hidden tests in a process of their own, which takes the sandbox.
        reveal: show hidden tests and their errors on the feedback pages.
    """

    workers: int = 0
    scheduler: str = ""
    force: bool = False
    sandbox: bool = True
    warm: bool = True
    apart: bool = True
    reveal: bool = False


def grade(course: Course, chapter: str, options: Options | None = None) -> int:
    """Grade everyone who handed in, write feedback and ``exports/grades.csv``, print the table.

    Returns:
        0, or 1 if a submission could not be graded at all.
    """
    assignment = course.assignment(chapter)
    release(course, assignment)
    students = course.students(assignment)
    if not students:
        raise UserError(
            f"Nobody handed in {assignment}: put notebooks into {course.path('submitted', 'NAME', assignment)}."
        )
    look(course, assignment)
    results = grade_class(course, assignment, students, options)
    print(table(results))
    print(f"\nGrades: {export(course)}\nFeedback: {course.path('feedback', 'NAME', assignment)}")
    return int(any(not r.possible for r in results))


def grade_class(
    course: Course, assignment: str, students: list[str], options: Options | None = None
) -> list[Result]:
    """Grade those of the students whose submission, tests or grader have changed; the results of all.

    Whoever fails takes nobody along. What is graded is kept at once: stopped in any way, a second call goes on.

    Raises:
        UserError: if somebody else grades this assignment, nothing can be kept, or there is no sandbox.
    """
    options = options or Options()
    if options.sandbox:
        refuse_if_missing()
    for student in students:
        if student in ("", ".", "..") or "/" in student:
            raise UserError(f"{student!r} is no learner's name, but a way to another folder.")
    with (
        _or_one_line(),
        _alone(course, assignment),
        course.gradebook() as gradebook,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore", SAWarning)  # nbgrader's own use of SQLAlchemy
        ledger.open_ledger(gradebook)
        kit = _kit(course, assignment, gradebook, options)
        known = {} if options.force else ledger.entries(gradebook, assignment)
        results: dict[str, Result] = {}
        jobs = _jobs(course, kit, gradebook, students, known, results)
        with tqdm(total=len(students), desc=assignment, unit="submission", smoothing=0.1) as bar:
            for job, outcome in _graded(kit, options, jobs):
                graded = outcome if isinstance(outcome, Graded) else _failed(job, outcome)
                graded = replace(graded, result=replace(graded.result, tests=kit.tests))
                if graded.record:
                    graded = _kept(course, kit, gradebook, job, graded)
                results[job.student] = graded.result
                bar.update(len(results) - bar.n)
            bar.update(len(results) - bar.n)
    return [results[student] for student in students]


def receive(course: Course, chapter: str) -> int:
    """Note who has handed in what by now, so that no time stamp of later can say that it was earlier.

    Returns:
        0.
    """
    assignment = course.assignment(chapter)
    new = look(course, assignment)
    known = len(course.students(assignment))
    print(f"{assignment}: {known} handed in, {len(new)} of them new since the last look.")
    print("\n".join(map(shown, new)))
    return 0


def look(course: Course, assignment: str) -> list[str]:
    """The learners whose submission is new since the last look; it is noted when that was."""
    with _or_one_line(), _first_come(course), course.gradebook() as gradebook:
        found = (
            (who, Handed.in_folder(course.path("submitted", who, assignment)))
            for who in course.students(assignment)
            if not _odd(who) and len(who) <= _LONGEST  # grading says what is wrong with the others
        )
        return arrivals.look(gradebook, assignment, found)


def write_feedback(course: Course, chapter: str, *, reveal: bool = False) -> int:
    """Write everybody's feedback pages again, after a person has graded.

    Returns:
        0, or 1 if a page could not be written; each is named.
    """
    assignment = course.assignment(chapter)
    students = course.graded(assignment)
    if not students:
        raise UserError(f"Nobody's {assignment} is graded yet: python -m autograder grade {chapter}.")
    course.pages.config.HideTests.reveal = reveal
    failed = 0
    for student in tqdm(students, desc="feedback", unit="learner"):
        outcome = course.pages.generate_feedback(assignment, student)
        if not outcome["success"]:
            failed += 1
            tqdm.write(f"{shown(student)}: no feedback was written: {first_error(outcome)}")
    print(f"Feedback: {course.path('feedback', 'NAME', assignment)}")
    return int(failed > 0)


def release(course: Course, assignment: str) -> None:
    """Put the assignment into the gradebook, as ``nbgrader generate_assignment`` does, unless it is there as it is.

    Raises:
        UserError: with nbgrader's own words if it cannot, or if somebody grades the assignment meanwhile.
    """
    with _or_one_line(), _alone(course, assignment), _first_come(course):
        tests = course.tests(assignment)
        with course.gradebook() as gradebook:
            ledger.open_ledger(gradebook)
            if ledger.released(gradebook, assignment) == tests and course.knows(assignment):
                return
        folder = course.path("release", ".", assignment)
        before = files_in(folder)
        outcome = course.api.generate_assignment(assignment, force=True)
        if not outcome["success"]:
            if before:
                _replace_folder(folder, before)  # nbgrader removes it before it tries
            raise UserError(f"nbgrader cannot release {assignment}: {first_error(outcome)}")
        with course.gradebook() as gradebook:
            ledger.enter_release(gradebook, assignment, tests)


def export(course: Course) -> Path:
    """Write nbgrader's table of grades, and one with a line for each exercise beside it; say where the first is."""
    path = course.root / "exports" / "grades.csv"
    path.parent.mkdir(exist_ok=True)
    plugin = SafeCsvExport(to=str(path), exercises=str(path.with_name("exercises.csv")))
    plugin.log.setLevel("WARNING")
    with course.gradebook() as gradebook:
        plugin.export(gradebook)
    return path


def _jobs(
    course: Course,
    kit: Kit,
    gradebook: Gradebook,
    students: list[str],
    known: dict[str, Entry],
    results: dict[str, Result],
) -> Iterator[Job]:
    """What has to be graded; for the rest, the known results are put into `results`."""
    arrived = arrivals.arrivals(gradebook, kit.assignment)
    for student in students:
        if odd := _odd(student):
            why = (
                f"cannot be graded: rename the folder, {''.join(odd)!r} would act in formgrader and in paths."
            )
            results[student] = Result(student, reasons=[why])
            continue
        handed, mends = Handed.in_folder(course.path("submitted", student, kit.assignment)), []
        if student in arrived:
            handed, mends = arrivals.stamped(handed, arrived[student])
        before = records.read(gradebook, kit.assignment, student)
        gradebook.db.rollback()  # a transaction that waits for workers would hold up the database
        entry = known.get(student)
        kept = all(course.path(step, student, kit.assignment).is_dir() for step in ("autograded", "feedback"))
        if before and kept and entry and _stamp(entry) == (handed.version, kit.tests, _tool(kit)):
            results[student] = replace(entry.result, by_hand=waiting(before, entry.result.by_hand))
        else:
            yield Job(student, handed, before, mends)


def _odd(student: str) -> list[str]:
    """The characters of a learner's name with which nobody can be graded."""
    return sorted(c for c in set(student) if c in _ODD or not c.isprintable())


def _tool(kit: Kit) -> str:
    """What scores are said to be made with: beside the learner's code, a test is another one."""
    return ledger.tool() + (" apart" if kit.config.ApartExecute.get("grounds") else "")


def _stamp(entry: Entry) -> tuple[str, str, str]:
    return entry.submission, entry.tests, entry.tool


def _kept(course: Course, kit: Kit, gradebook: Gradebook, job: Job, graded: Graded) -> Graded:
    """Put files, scores and the note of it into the class's folders and gradebook, scores and note together.

    Returns:
        What was kept, or why the database does not take what is said of this learner.

    Raises:
        OSError: if there is no room, or no right, to write; what was kept before stays.
        SQLAlchemyError: the same of the database.
    """
    try:
        for step in ("autograded", "feedback"):
            _replace_folder(course.path(step, job.student, kit.assignment), getattr(graded, step))
        _enrol(gradebook, job.student)
        records.write(gradebook, kit.assignment, job.student, graded.record)
        entry = Entry(job.handed.version, kit.tests, _tool(kit), graded.result)
        ledger.enter(gradebook, kit.assignment, entry)
        gradebook.db.commit()
    except (DataError, InvalidEntry) as error:
        gradebook.db.rollback()
        return _failed(job, error)
    return graded


def _enrol(gradebook: Gradebook, student: str) -> None:
    """Make the learner known to the gradebook.

    Raises:
        InvalidEntry: if the gradebook has no room for such a name.
    """
    try:
        gradebook.update_or_create_student(student)
    except InvalidEntry:  # the grader of another assignment was faster: now the learner is known
        gradebook.update_or_create_student(student)


def _replace_folder(folder: Path, files: dict[str, bytes]) -> None:
    """Fill `folder` with the files in one step: it is never there by half."""
    new = folder.with_name(f".new-{folder.name}")
    shutil.rmtree(new, ignore_errors=True)  # left by somebody who was killed here
    try:
        new.mkdir(parents=True)
        for name, content in files.items():
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        shutil.rmtree(folder, ignore_errors=True)
        os.rename(new, folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _kit(course: Course, assignment: str, gradebook: Gradebook, options: Options) -> Kit:
    config = deepcopy(course.config)
    config.EnduringExecute.sandboxed = options.sandbox
    config.HideTests.reveal = options.reveal
    config.SandboxProvisioner.warm = options.warm
    if options.sandbox and options.apart:
        notebooks = course.source(assignment)
        _refuse_unfit(notebooks)
        config.ApartExecute.grounds = {name: ground(notebook) for name, notebook in notebooks.items()}
    config.CourseDirectory = Config()  # a worker has a course of its own, and no business with the gradebook
    source = course.path("source", ".", assignment)
    extras = [p for p in sorted(source.rglob("*")) if p.is_file() and p.suffix != ".ipynb"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "gradebook.db")
        with records.scratch(file, course.api.course_id) as copy:
            records.copy_structure(gradebook, assignment, copy)
        structure = file.read_bytes()
    return Kit(
        assignment,
        course.tests(assignment),
        config,
        course.api.course_id,
        course.environment,
        structure,
        course.released(assignment),
        {str(p.relative_to(source)): p.read_bytes() for p in extras},
    )


def _refuse_unfit(notebooks: dict[str, NotebookNode]) -> None:
    """Say before anything is graded which tests cannot run in a process of their own.

    Raises:
        UserError: if there are any.
    """
    tests = ((name, cell) for name, notebook in notebooks.items() for cell in filter(is_test, notebook.cells))
    found = [f"{n}: {c.metadata.nbgrader.grade_id} {why}." for n, c in tests for why in unfit(c.source)]
    if found:
        advice = "Let them judge what the code does; or grade with --one-process, as stock nbgrader does."
        raise UserError("\n".join([*found, advice]))


def _graded(kit: Kit, options: Options, jobs: Iterator[Job]) -> Iterator[tuple[Job, Graded | BaseException]]:
    """What comes of each job; workers are called only if there is one."""
    first = next(jobs, None)
    if first is None:
        return
    with _workers(kit, options) as (function, executor, ahead):
        yield from crew.run(itertools.chain([first], jobs), function, executor, ahead)


@contextlib.contextmanager
def _workers(kit: Kit, options: Options) -> Iterator[tuple[Callable[[Job], Graded], Callable, int]]:
    """What a worker does with a job, who the workers are, and how many jobs to hand out at a time."""
    if options.scheduler:
        with crew.cluster(options.scheduler) as (executor, threads):
            # At least one job: a cluster may wait for work before it gets workers.
            function = partial(worker.grade_elsewhere, kit, ledger.tool())
            yield function, lambda: contextlib.nullcontext(executor), 2 * max(threads, 1)
        return
    count = options.workers or _cores()
    with _warm_process(kit, options) as address, tempfile.TemporaryDirectory(prefix="grading-") as scratch:
        kit.config.SandboxProvisioner.zygote = address
        yield partial(worker.grade, kit, scratch=scratch), partial(crew.local, count), 2 * count


def _cores() -> int:
    """How many this process may use."""
    known = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1


@contextlib.contextmanager
def _warm_process(kit: Kit, options: Options) -> Iterator[str]:
    """The address of a process that all workers of this machine fork their kernels from, "" without one."""
    if not (options.sandbox and options.warm):
        yield ""
        return
    zygote = Zygote.start(SandboxProvisioner(config=kit.config).imports)
    try:
        yield zygote.address
    finally:
        zygote.stop()


@contextlib.contextmanager
def _alone(course: Course, assignment: str) -> Iterator[None]:
    """Nobody else grades the assignment meanwhile."""
    lock = FileLock(course.root / f".grading-{assignment}.lock", timeout=0)
    try:
        with lock:
            yield
    except Timeout:
        raise UserError(
            f"{assignment} is being graded by another process already: wait until it is done."
        ) from None


@contextlib.contextmanager
def _first_come(course: Course) -> Iterator[None]:
    """Others wait: nbgrader makes tables and courses without a thought for who else does."""
    with FileLock(course.root / ".gradebook.lock"):
        yield


@contextlib.contextmanager
def _or_one_line() -> Iterator[None]:
    """Say in one line that disk or database fail.

    Raises:
        UserError: instead of their own errors.
    """
    try:
        yield
    except (OSError, SQLAlchemyError) as error:
        why = getattr(error, "strerror", None) or str(getattr(error, "orig", error)).splitlines()[0]
        raise UserError(
            f"Stopped: grades cannot be written ({why}). Those before are kept; mend that, and the same command "
            "goes on from there."
        ) from error


def _failed(job: Job, error: BaseException) -> Graded:
    return Graded(Result(job.student, reasons=[f"cannot be graded: {type(error).__name__}: {error}"]))
