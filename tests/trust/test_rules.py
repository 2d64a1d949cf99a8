"""What `build --check` says of hidden tests that look where another process cannot."""

import pytest

from autograder.ground import unfit

TEST = "# Graded.\n### BEGIN HIDDEN TESTS\n{line}\n### END HIDDEN TESTS\n"


@pytest.mark.parametrize(
    "line", ["source = inspect.getsource(f)", "f.__code__.co_names", "f.__closure__[0]", "gc.get_objects()"]
)
def test_a_look_into_the_code_is_refused(line):
    (problem,) = unfit(TEST.format(line=line))
    assert "cannot from another process" in problem


def test_a_look_at_what_it_does_is_not():
    assert not list(unfit(TEST.format(line="test.close(f(2.0), 4.0, 'f squares.')")))
