import shutil

import pytest
from nbgrader.api import Gradebook

from autograder.config import load
from tests.grading.lessons import small_lesson


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
