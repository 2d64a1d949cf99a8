"""A Dask cluster grades instead of local processes: two workers of its own, one of which dies at work."""

import contextlib
import os
import signal
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from autograder import crew, ledger
from autograder.grading import Options, grade_class
from autograder.kernels.sandbox import refuse_if_missing
from autograder.repo import UserError
from tests.grading.classroom import LEARNERS, earned, hand_in, kept_whole, written
from tests.grading.processes import PATIENCE, in_sandboxes, still_there


@pytest.fixture(scope="module")
def distributed():
    """Dask, whose workers keep their temporary files in a folder with a short name."""
    try:
        refuse_if_missing()
    except UserError as missing:
        pytest.skip(str(missing))
    return pytest.importorskip("distributed", reason="needs Dask: pip install distributed")


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory(prefix="d-") as folder:
        yield Path(folder)


@pytest.fixture(scope="module")
def cluster(distributed, folder):
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("TMPDIR", str(folder))
        with local_cluster(distributed, folder, 2) as cluster:
            yield cluster


def local_cluster(distributed, folder, workers):
    dask = pytest.importorskip("dask")
    with dask.config.set(temporary_directory=str(folder)):
        return distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=":0")


def at_work(cluster):
    """The processes of a worker that is busy with a submission, itself first: children of this process, no others."""
    own = set(psutil.Process().children(recursive=True))
    for nanny in cluster.workers.values():
        with contextlib.suppress(psutil.Error):
            worker = psutil.Process(nanny.pid)
            below = worker.children(recursive=True)
            if worker in own and in_sandboxes(worker):
                return [worker, *below]
    return []


def test_it_gives_the_points_that_local_workers_give(small_class, cluster):
    results = grade_class(small_class, "ps1", list(LEARNERS), Options(scheduler=cluster.scheduler_address))
    assert {r.student: r.earned for r in results} == {who: earned(who) for who in LEARNERS}
    kept_whole(small_class, LEARNERS)
    assert sorted(written(small_class)) == sorted(LEARNERS)


def test_a_worker_that_is_killed_costs_nobody_a_point(small_class, cluster):
    killed = []

    def kill():
        deadline = time.monotonic() + PATIENCE
        while not killed and time.monotonic() < deadline:
            killed.extend(at_work(cluster))
        for worker in killed[:1]:
            worker.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    results = grade_class(small_class, "ps1", list(LEARNERS), Options(scheduler=cluster.scheduler_address))
    killer.join()
    assert len(killed) > 1
    assert still_there(killed) == []
    assert {r.student: r.earned for r in results} == {who: earned(who) for who in LEARNERS}
    kept_whole(small_class, LEARNERS)
    assert sorted(written(small_class)) == sorted(LEARNERS)


def test_ctrl_c_is_one_line_and_what_is_graded_stays(start, small_class, cluster):
    hand_in(small_class, "ps1", LEARNERS[0], [], seconds=2 * PATIENCE)  # nobody waits for her
    grader = start("--scheduler", cluster.scheduler_address)
    grader.until(grader.has_graded(1))
    os.killpg(grader.process.pid, signal.SIGINT)
    assert grader.done() == (130, ["Stopped. What is done is kept; the same command goes on from there."], "")
    kept_whole(small_class, written(small_class))
    assert LEARNERS[0] not in written(small_class)
    cluster.scale(0)  # a worker is still busy with her
    while cluster.workers:
        time.sleep(0.05)
    cluster.scale(2)


def test_a_worker_with_another_version_of_the_grader_grades_nobody(small_class, cluster, monkeypatch):
    monkeypatch.setattr(ledger, "tool", lambda: "another")
    (result,) = grade_class(small_class, "ps1", ["ada"], Options(scheduler=cluster.scheduler_address))
    assert "of the grader installed instead of another" in result.reasons[0]
    assert written(small_class) == []


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:9", "nonsense"])
def test_an_address_without_a_scheduler_is_one_line(small_class, distributed, monkeypatch, address):
    monkeypatch.setattr(crew, "_ANSWER", "1s")
    with pytest.raises(UserError, match=f"^No Dask scheduler answers at {address} "):
        grade_class(small_class, "ps1", ["ada"], Options(scheduler=address))


def test_a_scheduler_that_goes_away_is_one_line_and_what_is_graded_stays(small_class, distributed, folder):
    with local_cluster(distributed, folder, 1) as cluster:

        def close():
            while not written(small_class):
                time.sleep(0.05)
            cluster.close()

        threading.Thread(target=close, daemon=True).start()
        with pytest.raises(UserError, match=r"^The Dask scheduler at .* is gone\. What is done is kept"):
            grade_class(small_class, "ps1", list(LEARNERS), Options(scheduler=cluster.scheduler_address))
    assert 1 <= len(written(small_class)) < len(LEARNERS)
    kept_whole(small_class, written(small_class))
