"""What stock nbgrader does with one case and one honest classmate, in a box of its own so that nothing is harmed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from nbgrader.api import MissingEntry

from autograder.grading import Course
from autograder.repo import this_repo
from tests.attacks import watch
from tests.attacks.assignment import ASSIGNMENT, POINTS, write
from tests.attacks.bait import Trap, trap
from tests.attacks.case import Case
from tests.attacks.catalogue import CASES
from tests.attacks.run import hand_in

_HONEST = "z_last"
_PLACES = ("hidden", "classmate", "gradebook", "environment", "home", "tmp", "shm", "connection", "source")
# In front of the line that counts: attacks write into the same pipe.
_TOLD = "measured: "
_PATIENCE = 120


def measure(case: Case) -> str:
    """One line: points of the case and of the classmate behind it, and what else was seen.

    Raises:
        FileNotFoundError: without bubblewrap; such things are not run in the open.
    """
    home, prefix = Path.home(), Path(sys.base_prefix)
    seen = ["--ro-bind", str(prefix), str(prefix)] if home in prefix.parents else []
    box = ["bwrap", "--unshare-all", "--new-session", "--die-with-parent", "--uid", "1000", "--gid", "1000"]
    box += [
        "--ro-bind",
        "/",
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--tmpfs",
        "/tmp",
        "--tmpfs",
        "/var/tmp",
    ]
    repo = this_repo().root
    box += ["--tmpfs", str(home), *seen, "--ro-bind", str(repo), str(repo), "--chdir", str(repo)]
    command = [*box, sys.executable, "-m", "tests.attacks.stock", case.id]
    # nbgrader calls `alembic` by its bare name.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1"}
    try:
        told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=_PATIENCE)
    except subprocess.TimeoutExpired:
        return f"hangs for more than {_PATIENCE} s"
    lines = [line for line in told.stdout.splitlines() if line.startswith(_TOLD)]
    return lines[-1].removeprefix(_TOLD) if lines else "takes the whole box down"


def _inside(case: Case) -> str:
    """The same, inside the box."""
    with tempfile.TemporaryDirectory(prefix="c-", ignore_cleanup_errors=True) as folder:
        root = Path(folder, "course")
        with trap(root, Path(folder)) as set_out:
            write(root, set_out.secret("hidden"))
            _nbgrader(root, "generate_assignment", ASSIGNMENT)
            course = Course.at(root)
            with course.gradebook() as gradebook:
                gradebook.add_student("0_first", last_name=set_out.secret("gradebook"))
            hand_in(course, [case], [_HONEST], set_out)
            watch.adopt_orphans()
            before, files = watch.descendants(), watch.course_files(root)
            code = _nbgrader(root, "autograde", ASSIGNMENT)
            seen = _seen(course, case, set_out, before, files)
    return ", ".join([*seen, f"exit code {code}"])


def _nbgrader(root: Path, *words: str) -> int:
    # Not in this process's group: some attacks kill their group.
    command = [sys.executable, "-m", "nbgrader", *words]
    return subprocess.run(
        command, cwd=root, capture_output=True, check=False, start_new_session=True
    ).returncode


def _seen(course: Course, case: Case, set_out: Trap, before: set[int], files: dict[str, str]) -> list[str]:
    told = [f"{_points(course, case.student)} (due {sum(case.earns.values()):g})"]
    if (honest := _points(course, _HONEST)) != f"{sum(POINTS.values()):g}":
        told.append(f"classmate {honest}")
    outputs = "".join(
        p.read_text("utf-8", "replace")
        for p in (course.root / "autograded").glob(f"{case.student}/*/*.ipynb")
    )
    told += [
        f"leaks {place}" for place in _PLACES if case.spies and f"FOUND {set_out.secret(place)}" in outputs
    ]
    left = watch.survivors(before, patience=2)
    told += [f"{len(left)} processes left"] if left else []
    after = watch.course_files(course.root)
    told += [f"{name} changed" for name in files if files[name] != after.get(name)]
    told += [f"{name} called" for name in sorted(set(set_out.calls))]
    told += ["the victim killed"] if set_out.victim.poll() is not None else []
    kept = watch.marked_files(set_out.bait.mark, course.root)
    return told + ([f"{len(kept)} files left"] if kept else [])


def _points(course: Course, who: str) -> str:
    with course.gradebook() as gradebook:
        try:
            notebooks = gradebook.find_submission(ASSIGNMENT, who).notebooks
        except MissingEntry:
            return "no marks"
        grades = [g for n in notebooks for g in n.grades if g.name.endswith("-test")]
        if not grades or any(g.auto_score is None for g in grades):
            return "no marks"
        return f"{sum(g.score for g in grades):g}"


if __name__ == "__main__":
    _case = next(case for case in CASES if case.id == sys.argv[1])
    print(f"\n{_TOLD}{_inside(_case)}")
