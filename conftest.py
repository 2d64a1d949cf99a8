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


@pytest.fixture(scope="session")
def repo() -> Repo:
    """The repository that is tested."""
    return this_repo()
