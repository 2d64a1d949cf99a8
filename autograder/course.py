"""An nbgrader course on disk: its configuration, folders, gradebook and learners."""

from __future__ import annotations

import hashlib
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps import NbGraderAPI
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from traitlets.config import Config

from autograder.config import NAME, load
from autograder.feedback import settings
from autograder.repo import UserError, matching

PATIENCE = 60  # seconds that a lock of SQLite is waited for: formgrader writes too


@dataclass(frozen=True)
class Course:
    """An nbgrader course: a folder with an ``nbgrader_config.py``.

    Attributes:
        root: the folder.
        config: what the file sets.
        environment: the variables it wants for the kernels.
    """

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
        """nbgrader's own interface to this course, which waits for whoever else writes into the gradebook."""
        api = NbGraderAPI(config=self.config)
        api.coursedir.db_url = _patient(api.coursedir.db_url)
        return api

    @cached_property
    def pages(self) -> NbGraderAPI:
        """The same interface, whose feedback pages are ours."""
        config = deepcopy(self.config)
        config.merge(settings())
        api = NbGraderAPI(config=config)
        api.coursedir.db_url = self.api.coursedir.db_url
        return api

    def gradebook(self) -> Gradebook:
        """The gradebook, to be used in a `with`.

        Raises:
            UserError: if it cannot be opened.
        """
        url = self.api.coursedir.db_url
        try:
            return Gradebook(url, self.api.course_id)
        except SQLAlchemyError as error:
            why = str(getattr(error, "orig", error)).strip().splitlines()[0]
            raise UserError(f"The gradebook {make_url(url)!r} cannot be opened: {why}") from error

    def path(self, step: str, student: str, assignment: str) -> Path:
        """Where one submission is kept at a step: "submitted", "autograded" or "feedback"."""
        directory = getattr(self.api.coursedir, f"{step}_directory")
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

    def source(self, assignment: str) -> dict[str, NotebookNode]:
        """The instructor's notebooks, by name: solutions and hidden tests stand in them."""
        folder = self.path("source", ".", assignment)
        return {p.stem: nbformat.read(p, as_version=4) for p in sorted(folder.glob("*.ipynb"))}

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
        return self._with("submitted", assignment)

    def graded(self, assignment: str) -> list[str]:
        """Whose submission was graded."""
        return self._with("autograded", assignment)

    def _with(self, step: str, assignment: str) -> list[str]:
        below = self.path(step, "*", assignment).parents[1]
        return sorted(p.parent.name for p in below.glob(f"*/{assignment}") if p.is_dir())

    def tests(self, assignment: str) -> str:
        """The version of an assignment's tests, seven hexadecimal digits: a hash of its source and other files."""
        digest = hashlib.sha256()
        folder = self.path("source", ".", assignment)
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(str(path.relative_to(folder)).encode())
            digest.update(path.read_bytes())
        return digest.hexdigest()[:7]

    def knows(self, assignment: str) -> bool:
        """Whether the assignment is in the gradebook."""
        with self.gradebook() as gradebook:
            try:
                return bool(gradebook.find_assignment(assignment).notebooks)
            except MissingEntry:
                return False


def _patient(db_url: str) -> str:
    """The address of a gradebook; SQLite's own patience with another writer is five seconds."""
    url = make_url(db_url)
    if url.get_backend_name() != "sqlite" or "timeout" in url.query:
        return db_url
    return url.update_query_dict({"timeout": str(PATIENCE)}).render_as_string(hide_password=False)
