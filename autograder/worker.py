"""Grade one submission, anywhere: everything needed comes with the call, everything made goes back with the result.

The work is nbgrader's own autograde and feedback, in a course of its own that lasts as long as the call. No worker
touches the class's gradebook or folders, so that a worker that dies leaves nothing half done.
"""

from __future__ import annotations

import re
import tempfile
import threading
import warnings
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute, NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution
from sqlalchemy.exc import SAWarning
from traitlets import Unicode
from traitlets.config import Config

from autograder import ledger, records
from autograder.apart import ApartExecute
from autograder.defuse import Defuse
from autograder.execute import quiet_environment
from autograder.feedback import VERSION, exercise, sentence, settings, stopped
from autograder.records import Record
from autograder.results import Result, read_result
from autograder.scratch import claim
from autograder.staging import stage
from autograder.submission import Handed
from autograder.verdict import Verdict

_PLAIN = re.compile(r"\w[\w.@+-]*")  # what nbgrader can look for in a path
_one_at_a_time = threading.Lock()  # a call sets the environment of its process


@dataclass(frozen=True)
class Kit:
    """What grading an assignment takes.

    Attributes:
        assignment: its name.
        tests: the version of its tests.
        config: nbgrader's configuration and ours.
        course_id: as in the gradebook.
        environment: variables of the kernels.
        gradebook: an SQLite file with the assignment and no learner.
        released: the notebooks as the learners got them.
        extras: other files of the assignment's source, by relative path, which are laid over the learner's.
    """

    assignment: str
    tests: str
    config: Config
    course_id: str
    environment: dict[str, str]
    gradebook: bytes
    released: dict[str, NotebookNode]
    extras: dict[str, bytes]


@dataclass(frozen=True)
class Job:
    """One submission to be graded.

    Attributes:
        student: who handed it in.
        handed: what.
        before: what the gradebook knows of an earlier grading, scores by hand above all.
        mends: a sentence for each thing that was mended already.
    """

    student: str
    handed: Handed
    before: Record | None = None
    mends: Sequence[str] = ()


@dataclass(frozen=True)
class Graded:
    """What came of one submission.

    Attributes:
        result: the scores with their reasons.
        record: for the gradebook; None if it could not be graded.
        autograded: files for the folder of that name, by relative path.
        feedback: the same for the learner's pages.
    """

    result: Result
    record: Record | None = None
    autograded: dict[str, bytes] = field(default_factory=dict)
    feedback: dict[str, bytes] = field(default_factory=dict)


def grade(kit: Kit, job: Job, scratch: str | None = None) -> Graded:
    """Grade one submission in a folder of its own below `scratch`.

    Raises:
        OSError: if the machine fails: a full disk, no sandbox to be had.
    """
    with (
        _one_at_a_time,
        tempfile.TemporaryDirectory(prefix="grade-", dir=scratch, ignore_cleanup_errors=True) as root,
        quiet_environment(**kit.environment),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter(
            "ignore", SAWarning
        )  # nbgrader's own use of SQLAlchemy, which nobody here can mend
        return _Desk(kit, job, Path(root)).grade()


def grade_elsewhere(kit: Kit, tool: str, job: Job) -> Graded:
    """Grade one submission in a process that the grader did not start and whose machine may be another.

    Args:
        kit: what it takes.
        tool: the version of the grader, which the scores will say that they were made with.
        job: whose submission.

    Raises:
        OSError: if the machine fails.
        RuntimeError: if another version is installed here.
    """
    if ledger.tool() != tool:
        raise RuntimeError(f"a worker has version {ledger.tool()} of the grader installed instead of {tool}")
    with _one_at_a_time:
        folder = claim()
    return grade(kit, job, folder)


class Stamp(NbGraderPreprocessor):
    """Writes into the graded notebook by which tests it was graded, and when."""

    text = Unicode("", help="What to write.").tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        """Add it to the metadata of `nb`, in place."""
        nb.metadata[VERSION] = self.text
        return nb, resources


class _Desk:
    """A course of one learner, laid out in a folder."""

    def __init__(self, kit: Kit, job: Job, root: Path):
        self.kit, self.job, self.root = kit, job, root
        self.learner = job.student if _PLAIN.fullmatch(job.student) else "learner"
        self.api = NbGraderAPI(config=_config(kit, root))

    def grade(self) -> Graded:
        """Stage, autograde, write feedback, and gather what was made."""
        self._lay_out()
        staged = stage(self.job.handed, self.kit.released, self._folder("submitted"))
        mends = [*self.job.mends, *staged]
        for step in (self.api.autograde, self.api.generate_feedback):
            outcome = step(self.kit.assignment, self.learner)
            if not outcome["success"]:
                why = f"cannot be graded: {first_error(outcome)}"
                return Graded(Result(self.job.student, reasons=[why], mends=mends))
        folders = self._folder("autograded"), self._folder("feedback")
        with self._gradebook() as gradebook:
            record = records.read(gradebook, self.kit.assignment, self.learner)
            rows = gradebook.find_submission(self.kit.assignment, self.learner)
            result = read_result(self.job.student, rows, _sentences(folders[0]))
        result.mends = mends
        return Graded(result, record, *map(files_in, folders))

    def _lay_out(self) -> None:
        (self.root / "gradebook.db").write_bytes(self.kit.gradebook)
        for name, content in self.kit.extras.items():
            path = self.root / "source" / self.kit.assignment / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        if self.job.before:
            with self._gradebook() as gradebook:
                gradebook.update_or_create_student(self.learner)
                records.write(gradebook, self.kit.assignment, self.learner, self.job.before)
                gradebook.db.commit()

    def _gradebook(self) -> Gradebook:
        return Gradebook(self.api.coursedir.db_url, self.kit.course_id)

    def _folder(self, step: str) -> Path:
        return self.root / step / self.learner / self.kit.assignment


def _config(kit: Kit, root: Path) -> Config:
    """The course's own configuration, with our steps in nbgrader's lists, for a course in `root`."""
    config = deepcopy(kit.config)
    config.CourseDirectory = Config(root=str(root), course_id=kit.course_id)
    config.Exchange.root = str(root / "exchange")
    steps = (
        config.Autograde.get("autograde_preprocessors") or Autograde.autograde_preprocessors.default_args[0]
    )
    config.Autograde.autograde_preprocessors = [
        kept
        for step in steps
        for kept in ([ApartExecute, Verdict, Defuse, Stamp] if step is Execute else [step])
    ]
    config.Stamp.text = f"tests {kit.tests}, graded {date.today().isoformat()}"
    config.merge(settings())
    return config


def _sentences(folder: Path) -> dict[tuple[str, str], str]:
    """For each graded cell that failed, the sentence that says why."""
    return {
        (path.stem, name): told
        for path in sorted(folder.glob("*.ipynb"))
        for name, told in _told(nbformat.read(path, as_version=4).cells)
    }


def _told(cells: list[NotebookNode]) -> Iterator[tuple[str, str]]:
    """Of an answer that was stopped, the test can only say that something is missing."""
    code = [cell for cell in cells if cell.cell_type == "code"]
    names = [(cell, cell.metadata.get("nbgrader", {}).get("grade_id", "")) for cell in code]
    halted = {exercise(name): why for cell, name in names if is_solution(cell) and (why := stopped(cell))}
    for cell, name in names:
        if is_grade(cell) and (told := sentence(cell, reveal=True)):
            why = halted.get(exercise(name))
            yield name, f"{exercise(name)}: the answer's cell: {why}." if why else told


def files_in(folder: Path) -> dict[str, bytes]:
    """The plain files of a folder and those below it, by relative path."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def first_error(outcome: dict) -> str:
    """The first exception that nbgrader logged, in one line; its own summary says only that there was one."""
    text = f"{outcome.get('log', '')}\n{outcome.get('error', '')}"
    found = re.findall(r"^\s*(?:\w+\.)*(\w*(?:Error|JSON\w*|Exception)): (.*)$", text, flags=re.M)
    named = [": ".join(f) for f in found if f[0] != "NbGraderException"]
    return named[0][:200] if named else "nbgrader gives no reason; see its log"
