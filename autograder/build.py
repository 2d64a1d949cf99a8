"""``build``: every source into its three views, written only if all of them could be made.

Nothing here is clever on purpose: `rendered` makes a dictionary from path to text, `write` puts it on the
disk, `differences` holds it against what is there.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

from nbformat import NotebookNode

from autograder import lint, views
from autograder.execute import CellError, execute
from autograder.lesson import Lesson, SourceError, read
from autograder.repo import Repo, UserError


def read_all(repo: Repo, chapters: Iterable[str]) -> list[Lesson]:
    """Every lesson of the chapters.

    Raises:
        UserError: listing the problems of all sources, one line each.
    """
    lessons, problems = [], []
    for path in (p for chapter in chapters for p in repo.lessons(chapter)):
        try:
            lessons.append(read(path))
        except SourceError as error:
            problems += error.problems
    names = [
        (e.name, f"{lesson.path}:{e.cells['card'].line}") for lesson in lessons for e in lesson.exercises
    ]
    first: dict[str, str] = {}
    for name, place in names:
        if name in first:
            problems.append(f"{place}: exercise {name!r} exists already, at {first[name]}.")
        first.setdefault(name, place)
    if problems:
        raise UserError("\n".join(problems))
    return lessons


def rendered(repo: Repo, lessons: list[Lesson]) -> dict[Path, str]:
    """Path → text of every notebook made from the lessons; solved ones keep outputs that still belong to them."""
    files: dict[Path, str] = {}
    for lesson in lessons:
        master = views.master(lesson, repo.slug)
        files[repo.master / lesson.notebook] = views.written(master)
        files[repo.course / lesson.notebook] = views.written(views.released(master))
        solved = views.solved(lesson, repo.slug)
        files[repo.solutions / lesson.notebook] = views.written(
            _with_outputs(solved, _on_disk(repo.solutions / lesson.notebook))
        )
    return files


def index(lessons: Iterable[Lesson]) -> str:
    """The list of the lessons' exercises, for the learner's progress view."""
    rows = [
        {
            "chapter": lesson.chapter,
            "lesson": lesson.meta["title"],
            "exercise": exercise.name,
            "topic": exercise.cells["card"].meta["topic"],
            "level": exercise.cells["card"].meta["level"],
            "points": exercise.points,
        }
        for lesson in lessons
        for exercise in lesson.exercises
    ]
    return json.dumps(rows, indent=1, ensure_ascii=False) + "\n"


def _wanted(repo: Repo, chapters: list[str]) -> tuple[list[Lesson], dict[Path, str]]:
    """The lessons of the chapters, and path → text of all that a build makes of them."""
    every = read_all(repo, repo.chapters())  # the index lists all chapters
    lessons = [lesson for lesson in every if lesson.chapter in chapters]
    return lessons, {**rendered(repo, lessons), repo.index: index(every)}


def build(repo: Repo, chapters: list[str], *, run: bool = False, again: bool = False) -> list[Path]:
    """Write what differs from its source, and say which files those were.

    Args:
        repo: the repository.
        chapters: folders of the lessons.
        run: execute the solutions whose code changed since they ran, or which ran under wrong conditions. Each is
            written as soon as it is done, so that a failure costs the others nothing. One that fails is kept
            as far as it came, in `repo.failed`.
        again: with `run`, execute the others too.

    Raises:
        UserError: listing the problems of all sources, before anything is written; if a cell of a solution fails;
            or if a file cannot be written.
    """
    lessons, files = _wanted(repo, chapters)
    changed = _write(files) + _remove(_orphans(repo, chapters, files))
    for lesson in lessons if run else []:
        if again or not lint.is_solved(repo, lesson):
            changed += _write(_executed(repo, lesson))
    return list(dict.fromkeys(changed))


def _executed(repo: Repo, lesson: Lesson) -> dict[Path, str]:
    path, failed = repo.solutions / lesson.notebook, repo.failed / lesson.notebook
    solved = views.solved(lesson, repo.slug)
    try:
        ran = execute(deepcopy(solved), path, TRAINLAB_FAST="0", TRAINLAB_OFFLINE="0")
    except CellError as error:
        _write({failed: views.written(error.notebook)})
        raise UserError(f"{error}\nWhat it put out until then is kept in {failed}") from error
    if failed.exists():
        _remove([failed])
    return {path: views.written(_with_outputs(solved, ran))}


def _write(files: dict[Path, str]) -> list[Path]:
    """Write the files that differ from what is there, and say which."""
    changed = [path for path, text in files.items() if not path.exists() or _differs(path, text)]
    with _telling():
        for path in changed:
            _replace(path, files[path])
    return changed


def _remove(paths: list[Path]) -> list[Path]:
    with _telling():
        for path in paths:
            path.unlink()
    return paths


@contextmanager
def _telling() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise UserError(
            f"Cannot write {error.filename}: {error.strerror}. Are you the owner of the folder?"
        ) from error


def check(repo: Repo, chapters: list[str]) -> list[str]:
    """Every reason why the generated files are not what a build would make; empty if all is well."""
    lessons, files = _wanted(repo, chapters)
    problems = []
    for path, text in files.items():
        name = path.relative_to(repo.root)
        if not path.exists():
            problems.append(f"{name}: is missing; run `python -m autograder build`.")
        elif _differs(path, text):
            problems.append(
                f"{name}: differs from its source; edit the source and run `python -m autograder build`."
            )
    problems += [
        f"{p.relative_to(repo.root)}: has no source; run `python -m autograder build`."
        for p in _orphans(repo, chapters, files)
    ]
    for lesson in lessons:
        problems += lint.lesson_problems(repo, lesson)
    return problems


def _differs(path: Path, text: str) -> bool:
    return path.read_text("utf-8", errors="replace") != text  # bytes that are no text differ too


def _orphans(repo: Repo, chapters: Iterable[str], files: Iterable[Path]) -> list[Path]:
    """Generated notebooks whose source is gone, alone or with its whole chapter."""
    rooms = (repo.master, repo.course, repo.solutions)
    gone = {p.name for room in rooms for p in room.glob("ch[0-9]*_*")} - set(repo.chapters())
    folders = gone | set(chapters)
    there = {p for room in rooms for folder in folders for p in (room / folder).glob("*.ipynb")}
    return sorted(there - set(files))


def _on_disk(path: Path) -> NotebookNode | None:
    try:
        return lint.on_disk(path)
    except (OSError, ValueError):
        return None


def _with_outputs(notebook: NotebookNode, ran: NotebookNode | None) -> NotebookNode:
    """The outputs that `ran` has, and nothing else of it, if it ran exactly this code; none if it did not."""
    if ran is None or [c.source for c in _code(ran)] != [c.source for c in _code(notebook)]:
        return notebook
    for new, old in zip(_code(notebook), _code(ran), strict=True):
        new.outputs, new.execution_count = old.outputs, old.execution_count
    if "widgets" in ran.metadata:
        notebook.metadata.widgets = ran.metadata.widgets
    return notebook


def _code(notebook: NotebookNode) -> list[NotebookNode]:
    return [c for c in notebook.cells if c.cell_type == "code"]


def _replace(path: Path, text: str) -> None:
    """Write so that the file is either the old or the new one, never half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=path.parent, prefix=".build-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(part, 0o644)
        os.replace(part, path)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
