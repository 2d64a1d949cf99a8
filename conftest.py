"""What every test and every kernel of a test finds in its environment; here, so that `pytest course` does too."""

import os
import tempfile

# Set on import, before any worker or kernel starts: notebooks run on their fast budget, one thread for each of
# the parallel processes, no progress bars, and a progress file that is nobody's.
os.environ["TRAINLAB_FAST"] = "1"
os.environ["TQDM_DISABLE"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MPLBACKEND"] = "Agg"
os.environ["TRAINLAB_HOME"] = tempfile.mkdtemp(prefix="trainlab-home-")

import pytest

from autograder.repo import Repo, this_repo


@pytest.hookimpl(tryfirst=True)  # xdist reads the marks at this same hook
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say what stays together on one process: a file, for its fixtures, or the answers to one lesson's exercises."""
    for item in items:
        lesson = getattr(item, "callspec", None) and item.callspec.params.get("lesson")
        together = (
            f"{lesson.chapter}/{lesson.name}" if lesson else item.path.relative_to(item.config.rootpath)
        )
        item.add_marker(pytest.mark.xdist_group(str(together)))


@pytest.fixture(scope="session")
def repo() -> Repo:
    """The repository that is tested."""
    return this_repo()
