"""One class of all cases and some honest learners, graded once, and everything that can be seen afterwards."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from nbconvert.filters import markdown2html
from nbgrader.utils import is_grade

from autograder.grading import Course, Result, look, release, table
from autograder.repo import this_repo
from tests.attacks import watch
from tests.attacks.assignment import ASSIGNMENT, POINTS, RIGHT, write
from tests.attacks.bait import Trap, trap
from tests.attacks.case import Case, Files, Link, answered

# Seconds for the whole class; far more than it takes, so that a hang is an error and not a wait for ever.
_PATIENCE = 1800


@dataclass
class Run:
    """What a run left behind.

    Attributes:
        results: learner → what the grader says.
        seconds: how long grading took.
        leaks: learner → secrets that stand in the outputs, on the pages or in the reasons.
        acts: learner → markup that a browser would run.
        kept: learner → the names of the files in the autograded folder.
        changed: the course's own files and rows that are no longer what they were.
        processes: what still runs.
        files: what attacks left behind, or grading in the temporary folder.
        calls: which of the test's listeners were called.
        victim: whether the process that attacks were to kill is alive.
        table: what the instructor sees.
        printed: all that grading wrote to the terminal.
    """

    results: dict[str, Result]
    seconds: float
    leaks: dict[str, set[str]] = field(default_factory=dict)
    acts: dict[str, list[str]] = field(default_factory=dict)
    kept: dict[str, set[str]] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    processes: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)
    victim: bool = False
    table: str = ""
    printed: str = ""
    mark: str = ""


@dataclass(frozen=True)
class Laid:
    """A course in which everybody has handed in."""

    course: Course
    tmp: Path
    set_out: Trap


def run(cases: Iterable[Case], honest: Iterable[str]) -> Run:
    """Grade a class of these cases among these honest learners."""
    with laid_out(cases, honest) as laid:
        return _watched(laid)


@contextlib.contextmanager
def laid_out(cases: Iterable[Case], honest: Iterable[str]) -> Iterator[Laid]:
    """A course with a released assignment, its gradebook, and everybody's submission; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="c-") as folder:
        root, tmp = Path(folder, "course"), Path(folder, "tmp")
        tmp.mkdir()
        with trap(root, Path(folder)) as set_out:
            write(root, set_out.secret("hidden"), this_repo().root / "autograder")
            course = Course.at(root)
            release(course, ASSIGNMENT)
            with course.gradebook() as gradebook:
                gradebook.add_student("0_first", last_name=set_out.secret("gradebook"))
            look(course, ASSIGNMENT)  # the deadline, before which nobody handed in
            hand_in(course, cases, honest, set_out)
            yield Laid(course, tmp, set_out)


def hand_in(course: Course, cases: Iterable[Case], honest: Iterable[str], set_out: Trap) -> None:
    """Place everybody's files where ``nbgrader collect`` would."""

    def released() -> nbformat.NotebookNode:
        return course.released(ASSIGNMENT)["p1"]

    mine = answered(leaky=f"# {set_out.secret('classmate')}\n{RIGHT['leaky']}")
    for who in honest:
        _put(course.root / "submitted" / who / ASSIGNMENT, mine(released(), set_out.bait))
    for case in cases:
        _put(course.root / "submitted" / case.student / ASSIGNMENT, case.hand_in(released(), set_out.bait))


def _put(folder: Path, files: Files) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, Link):
            path.symlink_to(content.target)
        else:
            path.write_bytes(content)


def _watched(laid: Laid) -> Run:
    course, mark = laid.course, laid.set_out.bait.mark
    watch.adopt_orphans()
    before = watch.descendants()
    files, rows = watch.course_files(course.root), watch.released_rows(course.root)
    start = time.monotonic()
    results, printed = _graded(laid)
    done = Run({r.student: r for r in results}, time.monotonic() - start, mark=mark)
    done.processes = watch.survivors(before)
    done.changed = _differences(files, watch.course_files(course.root))
    done.changed += _differences(rows, watch.released_rows(course.root))
    done.files = watch.marked_files(mark, course.root) + [str(p) for p in laid.tmp.rglob("*")]
    done.calls, done.victim = laid.set_out.calls, laid.set_out.victim.poll() is None
    done.table, done.printed = table(results), printed
    for who, result in done.results.items():
        done.leaks[who] = _leaks(course, result, laid.set_out)
        done.acts[who] = _acts(course, who, mark)
        done.kept[who] = {str(p.name) for p in _files(course, "autograded", who)}
    return done


def _graded(laid: Laid) -> tuple[list[Result], str]:
    """What the grader says, and all that was written to its terminal while it ran.

    It has a process of its own, so that whatever is still there when that has ended was left behind, and a
    temporary folder of its own for the same reason.

    Raises:
        RuntimeError: if the grader did not reach its end: a submission stopped the class.
    """
    written, printed = laid.tmp.parent / "results.json", laid.tmp.parent / "printed"
    command = [sys.executable, "-m", "tests.attacks.grade", str(laid.course.root), str(written)]
    with printed.open("wb") as file:
        ended = subprocess.run(
            command,
            cwd=this_repo().root,
            env={**os.environ, "TMPDIR": str(laid.tmp)},
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
            timeout=_PATIENCE,
        )
    text = printed.read_text("utf-8", "replace")
    if ended.returncode or not written.exists():
        raise RuntimeError(f"the grader ended with {ended.returncode}: {text[-2000:]}")
    return [Result(**facts) for facts in json.loads(written.read_text("utf-8"))], text


def _leaks(course: Course, result: Result, set_out: Trap) -> set[str]:
    pages = [p.read_text("utf-8", "replace") for p in _files(course, "feedback", result.student)]
    outputs = [str(o) for cell in _cells(course, result.student) for o in _learners_outputs(cell)]
    text = "\n".join([*pages, *outputs, *result.reasons, *result.mends])
    return set(re.findall(rf"canary-(\w+)-{set_out.word}", text))


def _learners_outputs(cell: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """All outputs but a failed test's own traceback, which is the instructor's to read and quotes the test."""
    return [o for o in cell.get("outputs", []) if not (is_grade(cell) and o.output_type == "error")]


def _acts(course: Course, who: str, mark: str) -> list[str]:
    """What would run in a browser: on the feedback page, or in formgrader from the notebook's texts and outputs."""
    texts = [p.read_text("utf-8", "replace") for p in _files(course, "feedback", who) if p.suffix == ".html"]
    scripts = []
    for cell in _cells(course, who):
        texts += [markdown2html(cell.source)] if cell.cell_type == "markdown" else []
        for data in (output.get("data", {}) for output in cell.get("outputs", [])):
            scripts += [kind for kind in data if "javascript" in kind or "svg" in kind]
            texts += [data["text/html"]] if "text/html" in data else []
            texts += [markdown2html(data["text/markdown"])] if "text/markdown" in data else []
    return [found for text in texts for found in watch.acting(text, mark)] + scripts


def _cells(course: Course, who: str) -> list[nbformat.NotebookNode]:
    notebooks = [p for p in _files(course, "autograded", who) if p.suffix == ".ipynb"]
    return [cell for path in notebooks for cell in nbformat.read(path, as_version=4).cells]


def _files(course: Course, step: str, who: str) -> list[Path]:
    folder = course.root / step / who
    return [Path(at, name) for at, _, names in os.walk(folder) for name in names]


def _differences(before: dict, after: dict) -> list[str]:
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))


def verdict(case: Case, done: Run) -> str:
    """ "ok", or what is not as it must be."""
    result = done.results.get(case.student)
    if result is None:
        return "FAIL: not graded"
    wrong = []
    if result.earned != case.earns or result.possible != POINTS:
        wrong.append("points")
    if tuple(sorted(result.by_hand)) != case.by_hand:
        wrong.append("by hand")
    if case.says not in "\n".join(result.reasons + result.mends):
        wrong.append("reason")
    if done.leaks[case.student]:
        wrong.append("secrets")
    if done.acts[case.student]:
        wrong.append("markup")
    return f"FAIL: {', '.join(wrong)}" if wrong else "ok"
