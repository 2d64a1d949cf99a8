import pytest

from tests.grading.classroom import a_class, copied, watch
from tests.grading.lessons import small_lesson


@pytest.fixture(scope="session")
def released():
    """The small lesson, as the learners got it."""
    return small_lesson()


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
