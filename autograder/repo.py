"""Where things are: the rooms of the repository, and what a chapter is called."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class UserError(Exception):
    """Something that the person at the keyboard can put right; its text is one line that says how."""


@dataclass(frozen=True)
class Repo:
    """The rooms, below one root, so that a test can lay them out elsewhere."""

    root: Path

    @property
    def source(self) -> Path:
        """The one source of each lesson, ``<chapter>/<lesson>.py``."""
        return self.root / "autograder" / "source"

    @property
    def master(self) -> Path:
        """nbgrader's source directory: generated notebooks with solutions and hidden tests."""
        return self.root / "autograder" / "master"

    @property
    def course(self) -> Path:
        """nbgrader's release directory: the learner's notebooks."""
        return self.root / "course"

    @property
    def solutions(self) -> Path:
        """The solved notebooks, executed."""
        return self.root / "solutions"

    @property
    def failed(self) -> Path:
        """Solved notebooks in which a cell failed, with what they put out until then; for their author's eyes."""
        return self.root / "autograder" / "failed"

    @property
    def answers(self) -> Path:
        """The answer bank, ``<chapter>/<lesson>/<exercise>.py``."""
        return self.root / "tests" / "answers"

    @property
    def index(self) -> Path:
        """The list of all exercises, which the learner's progress view reads."""
        return self.course / "trainlab" / "exercises.json"

    @property
    def slug(self) -> str:
        """``owner/name`` of the public repository, from pyproject.toml."""
        project = tomllib.loads((self.root / "pyproject.toml").read_text("utf-8"))["project"]
        return project["urls"]["Repository"].removeprefix("https://github.com/").strip("/")

    def chapters(self) -> list[str]:
        """The names of all chapters that have a source, in order."""
        return sorted(p.name for p in self.source.glob("*") if any(p.glob("*.py")))

    def chapter(self, name: str) -> str:
        """The full name of the chapter that begins with `name`: ``ch01`` is enough.

        Raises:
            UserError: if no chapter or more than one begins so.
        """
        chapters = self.chapters()
        found = matching(name, chapters)
        if len(found) == 1 and name:
            return found[0]
        known = ", ".join(chapters) or "none"
        raise UserError(
            f"{'No' if not found else 'More than one'} chapter is called {name!r}. There are: {known}."
        )

    def lessons(self, chapter: str) -> list[Path]:
        """The source files of a chapter, in order."""
        return sorted((self.source / chapter).glob("*.py"))


def matching(name: str, known: list[str]) -> list[str]:
    """The one of `known` that is called `name`, or else all that begin so."""
    return [k for k in known if k == name] or [k for k in known if k.startswith(name)]


@cache
def this_repo() -> Repo:
    """The repository that this package stands in."""
    return Repo(Path(__file__).resolve().parent.parent)
