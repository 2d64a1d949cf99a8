"""``grade``: a class through nbgrader's own flow, one submission at a time, with reasons for every score.

Nothing of nbgrader is replaced. `NbGraderAPI` runs the same autograde, feedback and gradebook as the stock
commands, once for each learner, so that a submission that cannot be graded stops nobody else's.
"""

from __future__ import annotations

import logging
import re
import warnings
from copy import deepcopy
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import nbformat
from nbconvert.preprocessors import CSSHTMLHeaderPreprocessor
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.preprocessors import Execute, GetGrades
from nbgrader.utils import is_grade
from sqlalchemy.exc import SAWarning
from tqdm import tqdm
from traitlets.config import Config

from autograder.config import NAME, load
from autograder.execute import quiet_environment
from autograder.export import SafeCsvExport
from autograder.feedback import Defuse, HideTests, sentence
from autograder.lean import LeanExecute
from autograder.repo import UserError, matching
from autograder.staging import stage

STAGED = "staged"


@dataclass(frozen=True)
class Course:
    """An nbgrader course on disk: a folder with an ``nbgrader_config.py``."""

    root: Path
    config: Config
    environment: dict[str, str]

    @classmethod
    def at(cls, folder: str | Path) -> Course:
        """The course in `folder`.

        Raises:
            UserError: if there is no nbgrader configuration.
        """
        root = Path(folder).resolve()
        if not (root / NAME).is_file():
            raise UserError(f"{folder} is no nbgrader course: it has no {NAME}. Name one with --course.")
        config, environment = load(root)
        config.CourseDirectory.root = str(root)
        return cls(root, config, environment)

    @cached_property
    def api(self) -> NbGraderAPI:
        """nbgrader's own interface to this course."""
        return NbGraderAPI(config=self.config)

    @cached_property
    def staged(self) -> NbGraderAPI:
        """The same for mended submissions, without experiments, and with tests that stay hidden."""
        config = deepcopy(self.config)
        config.CourseDirectory.submitted_directory = STAGED
        config.Autograde.autograde_preprocessors = [
            kept
            for step in Autograde.autograde_preprocessors.default_args[0]
            for kept in ([LeanExecute, Defuse] if step is Execute else [step])
        ]
        config.LeanExecute = config.Execute
        config.GenerateFeedback.preprocessors = [GetGrades, HideTests, CSSHTMLHeaderPreprocessor]
        return NbGraderAPI(config=config)

    def gradebook(self) -> Gradebook:
        """The gradebook, to be used in a `with`."""
        return Gradebook(self.api.coursedir.db_url, self.api.course_id)

    def path(self, step: str, student: str, assignment: str) -> Path:
        """Where one submission is kept at a step: "submitted", "staged", "autograded" or "feedback"."""
        directory = STAGED if step == "staged" else getattr(self.api.coursedir, f"{step}_directory")
        return Path(self.api.coursedir.format_path(directory, student, assignment))

    def assignment(self, name: str) -> str:
        """The full name of the assignment that begins with `name`.

        Raises:
            UserError: if none or more than one does.
        """
        known = sorted(self.api.get_source_assignments())
        found = matching(name, known)
        if len(found) != 1 or not name:
            raise UserError(f"No single chapter is called {name!r}. There are: {', '.join(known) or 'none'}.")
        return found[0]

    def released(self, assignment: str) -> dict[str, NotebookNode]:
        """The notebooks that the learners were given, by name.

        Raises:
            UserError: if they are gone.
        """
        folder = self.path("release", ".", assignment)
        notebooks = {p.stem: nbformat.read(p, as_version=4) for p in sorted(folder.glob("*.ipynb"))}
        if not notebooks:
            raise UserError(
                f"{folder} holds no notebook: run `nbgrader generate_assignment {assignment} --force` in {self.root}."
            )
        return notebooks

    def students(self, assignment: str) -> list[str]:
        """Who handed in."""
        below = self.path("submitted", "*", assignment)
        return sorted(p.parent.name for p in below.parents[1].glob(f"*/{assignment}") if p.is_dir())


@dataclass
class Result:
    """The score of one learner, exercise by exercise, and a sentence for every point that is missing."""

    student: str
    earned: dict[str, float] = field(default_factory=dict)
    possible: dict[str, float] = field(default_factory=dict)
    by_hand: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    mends: list[str] = field(default_factory=list)

    @property
    def score(self) -> float:
        """Points from the hidden tests."""
        return sum(self.earned.values())

    @property
    def maximum(self) -> float:
        """Points that the hidden tests could give."""
        return sum(self.possible.values())


def grade(course: Course, chapter: str) -> int:
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
    results = grade_class(course, assignment, students)
    print(table(results))
    print(f"\nGrades: {export(course)}\nFeedback: {course.path('feedback', 'NAME', assignment)}")
    return int(any(not r.possible for r in results))


def grade_class(course: Course, assignment: str, students: list[str]) -> list[Result]:
    """Autograde and write feedback for each of the students; whoever fails takes nobody along."""
    released = course.released(assignment)
    with quiet_environment(**course.environment), warnings.catch_warnings():
        warnings.simplefilter(
            "ignore", SAWarning
        )  # nbgrader's own use of SQLAlchemy, which nobody here can mend
        return [
            _grade_one(course, assignment, student, released)
            for student in tqdm(students, desc=assignment, unit="submission")
        ]


def release(course: Course, assignment: str) -> None:
    """Put the assignment into the gradebook, as ``nbgrader generate_assignment`` does, unless it is there.

    Raises:
        UserError: with nbgrader's own words if it cannot.
    """
    with course.gradebook() as gradebook:
        try:
            if gradebook.find_assignment(assignment).notebooks:
                return
        except MissingEntry:
            pass
    outcome = course.api.generate_assignment(assignment, force=True)
    if not outcome["success"]:
        raise UserError(f"nbgrader cannot release {assignment}: {_first_error(outcome)}")


def export(course: Course) -> Path:
    """Write nbgrader's table of grades, and one with a line for each exercise beside it; say where the first is."""
    path = course.root / "exports" / "grades.csv"
    path.parent.mkdir(exist_ok=True)
    plugin = SafeCsvExport(to=str(path), exercises=str(path.with_name("exercises.csv")))
    plugin.log.setLevel(logging.WARNING)
    with course.gradebook() as gradebook:
        plugin.export(gradebook)
    return path


def table(results: list[Result]) -> str:
    """A line a learner with the score, and below it a line for each reason."""
    width = max(len(r.student) for r in results)
    lines = []
    for r in results:
        score = f"{r.score:g}/{r.maximum:g}" if r.possible else "not graded"
        hand = f"  (+ {len(r.by_hand)} by hand)" if r.by_hand else ""
        lines.append(f"{r.student:{width}}  {score:>10}{hand}")
        lines += [f"{'':{width}}      {reason}" for reason in r.reasons]
        lines += [f"{'':{width}}      (mended) {mend}" for mend in r.mends]
    return "\n".join(lines)


def _grade_one(course: Course, assignment: str, student: str, released: dict[str, NotebookNode]) -> Result:
    folders = course.path("submitted", student, assignment), course.path("staged", student, assignment)
    mends = stage(folders[0], released, folders[1])
    outcome = course.staged.autograde(assignment, student)
    if not outcome["success"]:
        return Result(student, reasons=[f"cannot be graded: {_first_error(outcome)}"], mends=mends)
    feedback = course.staged.generate_feedback(assignment, student)
    result = _read_result(course, assignment, student)
    result.mends = mends
    if not feedback["success"]:
        result.reasons.append(f"no feedback was written: {_first_error(feedback)}")
    return result


def _read_result(course: Course, assignment: str, student: str) -> Result:
    result = Result(student)
    with course.gradebook() as gradebook:
        for notebook in gradebook.find_submission(assignment, student).notebooks:
            sentences = _sentences(course.path("autograded", student, assignment) / f"{notebook.name}.ipynb")
            for grade in notebook.grades:
                name, kind = grade.name.rpartition("-")[::2]
                if kind == "answer":
                    result.by_hand += [name] if grade.needs_manual_grade else []
                    continue
                result.earned[name], result.possible[name] = grade.auto_score or 0.0, grade.max_score
                if result.earned[name] < grade.max_score:
                    result.reasons.append(
                        sentences.get(grade.name, f"{name}: no points, and no error either")
                    )
    return result


def _sentences(path: Path) -> dict[str, str]:
    """For each graded cell that failed, the sentence that says why."""
    cells = nbformat.read(path, as_version=4).cells
    return {
        cell.metadata.nbgrader.grade_id: told
        for cell in filter(is_grade, cells)
        if (told := sentence(cell, reveal=True))
    }


def _first_error(outcome: dict) -> str:
    """The first exception that nbgrader logged, in one line; its own summary says only that there was one."""
    text = f"{outcome.get('log', '')}\n{outcome.get('error', '')}"
    found = re.findall(r"^\s*(?:\w+\.)*(\w*(?:Error|JSON\w*|Exception)): (.*)$", text, flags=re.M)
    named = [": ".join(f) for f in found if f[0] != "NbGraderException"]
    return named[0][:200] if named else "nbgrader gives no reason; see its log"
