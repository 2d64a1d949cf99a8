import pytest

from tests.grading.lessons import small_lesson


@pytest.fixture(scope="session")
def released():
    """The small lesson, as the learners got it."""
    return small_lesson()
