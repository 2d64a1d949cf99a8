"""A repository small enough to be built in milliseconds: one lesson with one exercise and one question."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode

from autograder.build import build
from autograder.lesson import Lesson, SourceError, read
from autograder.repo import Repo, UserError

CHAPTER, LESSON = "ch01_small_numbers", "01_doubling"

SOURCE = '''\
# ---
# jupyter:
#   lesson:
#     title: Doubling
#     minutes: 5
# ---

# %% [markdown]
# Twice as much is often enough.

# %% role="setup"
from trainlab import Check, HiddenTest

# %% [markdown] role="card" exercise="double" level=1 minutes=2 topic="Arithmetic" doc="https://example.org/double"
# ### Twice as much
#
# Write `double(number)`.

# %% role="stub" exercise="double"
def double(number):
    """Twice `number`."""
    ### BEGIN SOLUTION
    twice_as_much = number + number
    return twice_as_much
    ### END SOLUTION


# %% role="check" exercise="double"
with Check("double") as check:
    doubled_three = double(3)
    check.is_a(doubled_three, int)
    check.close(doubled_three, 6, "Twice three is six.", known=[(9, "That is the square.")])

# %% [markdown] role="hints" exercise="double"
# <details><summary>A nudge</summary>Begin with addition.</details>
# <details><summary>Nearly there</summary>Add the number to itself.</details>

# %% role="test" exercise="double" points=2
# Graded with other numbers.
### BEGIN HIDDEN TESTS
with HiddenTest("double") as test:
    doubled_three = double(3)
    test.close(double(-4), -8, "A negative number has a double too.")
    test.close(double(number=0.25), 0.5, "A fraction has a double too.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="double"
# Adding a number to itself counts it twice.

# %%
print("nothing to solve in an experiment")

# %% [markdown] role="question" exercise="halves" minutes=3
# ### Two halves
#
# What does `double` make of a half?

# %% [markdown] role="answer" exercise="halves" points=4
# A whole, because two halves are one.
'''

ANSWERS = """\
# %% right="a product"
def double(number):
    return 2 * number


# %% right="a sum"
def double(number):
    return sum([number, number])


# %% right="a function without a name"
double = lambda number: number * 2


# %% wrong="squares" says="That is the square."
def double(number):
    return number**2


# %% wrong="returns nothing" says="Is the `return` missing?"
def double(number):
    number + number


# %% wrong="knows three only" says="A negative number has a double too."
def double(number):
    return 6


# %% wrong="forgets the sign" says="A negative number has a double too."
def double(number):
    return 2 * abs(number)


# %% wrong="whole numbers only" says="A fraction has a double too."
def double(number):
    return 2 * int(number)


# %% wrong="renames the argument" says="unexpected keyword argument"
def double(x):
    return 2 * x
"""


def replace(path: Path, old: str, new: str) -> None:
    """Replace `old`, which must stand in the file exactly once, by `new`."""
    text = path.read_text("utf-8")
    assert text.count(old) == 1, f"{path.name} has {old!r} {text.count(old)} times, not once"
    path.write_text(text.replace(old, new), "utf-8")


@dataclass(frozen=True)
class Tiny:
    """The repository, its files by what they are, and what tests do to them."""

    repo: Repo

    @property
    def source(self) -> Path:
        return self.repo.source / CHAPTER / f"{LESSON}.py"

    @property
    def answers(self) -> Path:
        return self.repo.answers / CHAPTER / LESSON / "double.py"

    @property
    def master(self) -> Path:
        return self.repo.master / CHAPTER / f"{LESSON}.ipynb"

    @property
    def release(self) -> Path:
        return self.repo.course / CHAPTER / f"{LESSON}.ipynb"

    @property
    def solved(self) -> Path:
        return self.repo.solutions / CHAPTER / f"{LESSON}.ipynb"

    def edit(self, old: str, new: str) -> None:
        """Replace `old` in the source; it must stand there exactly once."""
        replace(self.source, old, new)

    def edit_answers(self, old: str, new: str) -> None:
        """Replace `old` in the bank; it must stand there exactly once."""
        replace(self.answers, old, new)

    def add_lesson(self, text: str, name: str = "02_more", chapter: str = CHAPTER) -> Path:
        """Write the source of one more lesson, and say where."""
        path = self.repo.source / chapter / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return path

    def read(self) -> Lesson:
        return read(self.source)

    def problems(self) -> list[str]:
        """What `read` says of the source, which must not be in order; each without the path before it."""
        with pytest.raises(SourceError) as error:
            self.read()
        start = f"{self.source}:"
        assert all(p.startswith(start) for p in error.value.problems), error.value.problems
        return [p.removeprefix(start) for p in error.value.problems]

    def line(self, text: str, nth: int = 0) -> int:
        """The number of the source's line that begins with `text`."""
        lines = self.source.read_text("utf-8").splitlines()
        return [n for n, line in enumerate(lines, 1) if line.strip().startswith(text)][nth]

    def cell(self, header: str) -> str:
        """The one cell of the source whose header begins so, up to the next header."""
        parts = self.source.read_text("utf-8").split("\n# %%")
        (found,) = ("# %%" + p + "\n" for p in parts if f"# %%{p}".startswith(header))
        return found

    def build(self, **options: bool) -> list[Path]:
        return build(self.repo, self.repo.chapters(), **options)

    def files(self) -> dict[Path, bytes]:
        """Every file of the repository."""
        return {p: p.read_bytes() for p in sorted(self.repo.root.rglob("*")) if p.is_file()}

    def change(self, path: Path, how: Callable[[NotebookNode], None]) -> None:
        """Change a notebook on the disk behind the build's back."""
        notebook = nbformat.read(path, as_version=4)
        how(notebook)
        nbformat.write(notebook, path)

    def pretend_run(self) -> None:
        """Give the solved notebook what a run would have given it, without the seconds of a kernel."""
        self.change(self.solved, _pretend_run)


def _pretend_run(notebook: NotebookNode) -> None:
    code = [c for c in notebook.cells if c.cell_type == "code"]
    for number, cell in enumerate(code, 1):
        cell.execution_count = number
    cell_of(notebook, "double-check").outputs = [printed("✓ double: all 2 checks pass.\n")]


def printed(text: str) -> NotebookNode:
    """The output of a cell that prints `text`."""
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def cell_of(notebook: NotebookNode, ident: str) -> NotebookNode:
    """The one cell of that id."""
    (cell,) = (c for c in notebook.cells if c.id == ident)
    return cell


def text_of(notebook: NotebookNode) -> str:
    """All that stands in the cells."""
    return "\n".join(c.source for c in notebook.cells)


def told(function: Callable, *args: object, **kwargs: object) -> str:
    """The text of the UserError that the call must end in."""
    with pytest.raises(UserError) as error:
        function(*args, **kwargs)
    return str(error.value)


@pytest.fixture
def tiny(tmp_path: Path) -> Tiny:
    """A fresh repository with sources and bank, not yet built."""
    tiny = Tiny(Repo(tmp_path / "repository"))
    for path, text in ((tiny.source, SOURCE), (tiny.answers, ANSWERS)):
        path.parent.mkdir(parents=True)
        path.write_text(text, "utf-8")
    project = '[project]\nname = "tiny"\nurls.Repository = "https://github.com/someone/tiny"\n'
    (tiny.repo.root / "pyproject.toml").write_text(project, "utf-8")
    return tiny


@pytest.fixture
def built(tiny: Tiny) -> Tiny:
    """The same, built, and as if its solutions had been executed: nothing is wrong with it."""
    tiny.build()
    tiny.pretend_run()
    return tiny
