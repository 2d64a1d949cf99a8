"""``demo``: the instructor's tour, on a class of made-up learners whose notebooks are real.

It lays out an nbgrader course in ``demo/``, releases the first lesson, hands in a class of submissions (good,
wrong in catalogued ways, saved by other editors, damaged), grades it and explains every score.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from autograder.bank import bank
from autograder.build import build, read_all
from autograder.course import Course
from autograder.demo_class import CLASS
from autograder.execute import quiet_environment
from autograder.grading import Options, export, grade_class, release
from autograder.kernels.sandbox import available
from autograder.lesson import Lesson
from autograder.repo import Repo, UserError
from autograder.results import Result, table

CHAPTER, LESSON = "ch01_unstable_gradients", "01_initialisation"
# The one who answers the written questions of the guide, and what a person has given for the first of them.
WRITER, GUIDE, QUESTION = "ada", ("ch06_capstone", "02_guide"), "may_weights_be_equal"
BY_HAND = (1.0, "Right about training. But *why* does no step tell the units apart?")
ESSAY = "Initialisation keeps the signal at one scale through all layers, so that every layer can learn."
EQUAL_WEIGHTS = "All units of a layer would compute the same and get the same gradient, and so stay the same."
MARK = ".made-by-demo"
_CONFIG = """\
# Made by `python -m autograder`: the course's own settings, in a place of their own.
c = get_config()
load_subconfig("nbgrader_config.py", path={autograder!r})
c.CourseDirectory.root = {root!r}
c.CourseDirectory.release_directory = "release"
c.Execute.timeout = {timeout}
"""
_PATIENCE = 20  # seconds; one of the class loops for ever

Answers = dict[str, str]


def demo(repo: Repo, *, formgrader: bool = False, port: int = 8888) -> int:
    """Build, release, hand in, grade, explain; with `formgrader`, serve the result (an earlier one if there is)."""
    root = repo.root / "demo"
    if formgrader:
        _free(port)
    if (graded := earlier(repo, root)) is None:
        _tour(repo, root)
    elif not formgrader:
        print(
            f"The class in {root.name}/ is graded already, by these tests; delete the folder to see it again."
        )
        _explain(repo, Course.at(root), graded)
    return serve(root, port) if formgrader else 0


def _tour(repo: Repo, root: Path) -> None:
    print("1. Building the lessons ...")
    build(repo, repo.chapters())
    print(f"2. Releasing {CHAPTER} in a course of its own, {root.name}/ ...")
    course = lay_out(repo, root)
    release(course, CHAPTER)
    print(f"3. {len(CLASS)} learners hand in ...")
    hand_in(repo, course)
    print("4. Grading with nbgrader (half a minute; one of them loops for ever) ...")
    sandbox = available()
    if not sandbox:
        print(
            "   Without a sandbox: this class means no harm. (For yours, on Linux: apt-get install bubblewrap.)"
        )
    results = grade_class(course, CHAPTER, course.students(CHAPTER), Options(sandbox=sandbox))
    print(
        f"5. {WRITER} hands in the written questions of {GUIDE[0]}; a person reads one, as in formgrader ..."
    )
    grade_by_hand(repo, course, Options(sandbox=sandbox))
    (root / MARK).write_text(json.dumps([fingerprint(repo), [asdict(r) for r in results]]), "utf-8")
    _explain(repo, course, results)


def _explain(repo: Repo, course: Course, results: list[Result]) -> None:
    print(f"\n{table(results)}\n\nWho they are:")
    print("\n".join(f"  {name:6}{member.story}" for name, member in CLASS.items()))
    print(f"\nGrades:     {export(course).relative_to(repo.root)}")
    print(f"Feedback:   {course.path('feedback', 'NAME', CHAPTER).relative_to(repo.root)}/{LESSON}.html")
    print(f"By hand:    {course.path('feedback', WRITER, GUIDE[0]).relative_to(repo.root)}/{GUIDE[1]}.html")
    print("Formgrader: python -m autograder demo --formgrader")


def earlier(repo: Repo, root: Path) -> list[Result] | None:
    """The results of an earlier demo at `root`, if nothing has changed since that could change them."""
    try:
        made_from, results = json.loads((root / MARK).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return [Result(**r) for r in results] if made_from == fingerprint(repo) else None


def fingerprint(repo: Repo) -> str:
    """A hash of all that a score of the demo hangs on: the lesson, the answers, the toolkit, the grader."""
    package = repo.root / "autograder"
    below = Path(CHAPTER) / LESSON
    files = [
        repo.source / f"{below}.py",
        *package.glob("*.py"),
        *package.glob("kernels/*.py"),
        *package.glob("trust/*.py"),
        repo.source / GUIDE[0] / f"{GUIDE[1]}.py",
        *(repo.course / "trainlab").glob("*.py"),
    ]
    files += (repo.answers / below).glob("*.py")
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def lay_out(
    repo: Repo,
    root: Path,
    chapter: str = CHAPTER,
    lessons: Sequence[str] = (LESSON,),
    timeout: int = _PATIENCE,
) -> Course:
    """A fresh nbgrader course at `root` with some built lessons; an earlier one there is replaced.

    Args:
        repo: where the lessons are.
        root: the folder.
        chapter: the assignment.
        lessons: its notebooks.
        timeout: seconds that a cell may run.

    Raises:
        UserError: if `root` holds something that was not made here, or cannot be written.
    """
    if root.exists() and not (root / MARK).exists():
        raise UserError(f"{root} is in the way and no demo made it: move it elsewhere.")
    try:
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
        (root / MARK).touch()
        _add(repo, root, chapter, lessons)
        config = _CONFIG.format(autograder=str(repo.root / "autograder"), root=str(root), timeout=timeout)
        (root / "nbgrader_config.py").write_text(config, "utf-8")
    except OSError as error:
        raise UserError(f"Cannot write the course: {error.filename}: {error.strerror}.") from error
    return Course.at(root)


def _add(repo: Repo, root: Path, chapter: str, lessons: Sequence[str]) -> None:
    (root / "master" / chapter).mkdir(parents=True)
    for lesson in lessons:
        below = Path(chapter, f"{lesson}.ipynb")
        shutil.copy(repo.master / below, root / "master" / below)


def hand_in(repo: Repo, course: Course) -> None:
    """Place every learner's notebook where ``nbgrader collect`` would."""
    lesson = next(lesson for lesson in read_all(repo, [CHAPTER]) if lesson.name == LESSON)
    right, wrong = _answers(repo, lesson)
    released = course.path("release", ".", CHAPTER) / f"{LESSON}.ipynb"
    for name, member in CLASS.items():
        solved = {e: code for e, code in right.items() if member.only is None or e in member.only}
        solved |= {e: wrong[e, title] for e, title in member.wrong.items()}
        path = course.path("submitted", name, CHAPTER) / released.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(member.saved(filled(nbformat.read(released, as_version=4), solved)))


def grade_by_hand(repo: Repo, course: Course, options: Options) -> None:
    """Grade the written questions of `WRITER`: the rest waits in formgrader, one is done as formgrader does it."""
    chapter, name = GUIDE
    _add(repo, course.root, chapter, [name])
    release(course, chapter)
    lesson = next(lesson for lesson in read_all(repo, [chapter]) if lesson.name == name)
    released = nbformat.read(course.path("release", ".", chapter) / f"{name}.ipynb", as_version=4)
    path = course.path("submitted", WRITER, chapter) / f"{name}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(filled(released, {q["answer"].exercise: EQUAL_WEIGHTS for q in lesson.questions}), path)
    grade_class(course, chapter, [WRITER], options)
    with course.gradebook() as gradebook:
        grade, comment = (
            find(f"{QUESTION}-answer", name, chapter, WRITER)
            for find in (gradebook.find_grade, gradebook.find_comment)
        )
        grade.manual_score, comment.manual_comment = BY_HAND
        grade.needs_manual_grade = False
        gradebook.db.commit()
    course.pages.generate_feedback(chapter, WRITER)


def filled(notebook: NotebookNode, answers: Answers) -> NotebookNode:
    """A released notebook with the stubs of some exercises, and the boxes of some questions, filled in."""
    for cell in notebook.cells:
        exercise, role = cell.id.rpartition("-")[::2]
        if role in ("stub", "answer") and exercise in answers:
            cell.source = answers[exercise]
    return notebook


def _answers(repo: Repo, lesson: Lesson) -> tuple[Answers, dict[tuple[str, str], str]]:
    """The solution of each exercise, and every wrong answer of the bank by exercise and title."""
    banks = {e.name: bank(repo, lesson, e) for e in lesson.exercises}
    right = {name: answers[0].code for name, answers in banks.items()}
    right |= {question["answer"].exercise: ESSAY for question in lesson.questions}
    return right, {(name, a.title): a.code for name, answers in banks.items() for a in answers}


def serve(root: Path, port: int) -> int:
    """Open JupyterLab with formgrader on the course; returns when it is stopped."""
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={root}", f"--port={port}"]
    command += ["--port-retries=0", "--LabApp.default_url=/formgrader"]
    if getattr(os, "geteuid", lambda: 1)() == 0:
        command.append("--allow-root")  # inside a container the user is often root
    print("Opening formgrader (Ctrl-C twice stops it) ...")
    with quiet_environment():
        return subprocess.run(command, cwd=root, check=False).returncode


def _free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise UserError(f"Port {port} is in use: choose another with --port.") from error
