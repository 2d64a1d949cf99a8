import shutil
import tempfile
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograder.config import load
from tests.grading.classroom import a_class, copied, watch
from tests.grading.lessons import small_lesson
from tests.grading.processes import Grader


@pytest.fixture(scope="session")
def released():
    """The small lesson, as the learners got it."""
    return small_lesson()


@pytest.fixture(scope="session")
def empty_gradebook(repo, tmp_path_factory):
    """The file of a gradebook without entries; nbgrader takes seconds to make one."""
    load(repo.root / "autograder")  # so that nbgrader finds its `alembic`
    path = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    Gradebook(f"sqlite:///{path}").close()
    return path


@pytest.fixture
def gradebook(empty_gradebook, tmp_path):
    """An empty gradebook, where a course in `tmp_path` has it."""
    path = shutil.copy(empty_gradebook, tmp_path)
    with Gradebook(f"sqlite:///{path}") as gradebook:
        yield gradebook


@pytest.fixture(scope="session")
def handed_in(repo, tmp_path_factory):
    """A small class that has handed in and is not graded; to be copied, not changed."""
    course = a_class(repo, tmp_path_factory.mktemp("small") / "class", "ps1")
    watch(course)
    return course


@pytest.fixture
def small_class(handed_in, tmp_path):
    """A small class that has handed in, for one test alone."""
    return copied(handed_in, tmp_path / "class")


@pytest.fixture
def ground():
    """A folder for temporary files, with a short name: paths of sockets are."""
    folder = Path(tempfile.mkdtemp(prefix="t-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def start(repo, small_class, ground):
    """Starts a grader of the small class."""
    started = []

    def start(*options):
        started.append(Grader(repo, small_class, ground, *options))
        return started[-1]

    yield start
    for grader in started:
        grader.end()
