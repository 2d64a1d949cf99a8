"""Jobs go to workers, results come back, whoever dies on the way."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from functools import partial

import pytest

from autograder import crew
from autograder.repo import UserError


def double(number):
    if number == 13:
        raise ValueError("unlucky")
    return 2 * number


def kill_at(deadly, marks, number):
    """Ends its process at one number; `once` only the first time."""
    once, at = deadly
    mark = os.path.join(marks, "died")
    if number == at and not (once and os.path.exists(mark)):
        open(mark, "w").close()
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_every_job_comes_back_with_its_result_or_its_error():
    outcomes = dict(crew.run(range(20), double, partial(crew.local, 2), 4))
    error = outcomes.pop(13)
    assert isinstance(error, ValueError)
    assert outcomes == {number: 2 * number for number in range(20) if number != 13}


def test_jobs_are_taken_only_as_they_are_needed():
    taken = []

    def jobs():
        for number in range(10):
            taken.append(number)
            yield number

    with ThreadPoolExecutor(1) as pool:
        results = crew.run(jobs(), double, lambda: nullcontext(pool), 3)
        next(results)
        assert len(taken) <= 4
        results.close()


def test_a_worker_that_dies_once_costs_nothing(tmp_path):
    function = partial(kill_at, (True, 5), str(tmp_path))
    assert dict(crew.run(range(12), function, partial(crew.local, 2), 4)) == {n: n for n in range(12)}


def test_a_job_that_kills_every_worker_is_named_and_the_others_go_on(tmp_path):
    function = partial(kill_at, (False, 5), str(tmp_path))
    outcomes = dict(crew.run(range(12), function, partial(crew.local, 2), 4))
    assert isinstance(outcomes.pop(5), crew.WorkerDied)
    assert outcomes == {n: n for n in range(12) if n != 5}


def test_whoever_stops_early_does_not_wait_for_the_workers():
    started = time.monotonic()
    results = crew.run([0.1, 600, 600], time.sleep, partial(crew.local, 2), 3)
    assert next(results)[0] == 0.1
    results.close()
    assert time.monotonic() - started < 300


def test_a_crew_that_breaks_while_jobs_are_handed_out_is_replaced():
    class Broken(ThreadPoolExecutor):
        def submit(self, *args):
            raise crew.BrokenExecutor

    made = []

    @contextmanager
    def executor():
        made.append(Broken(1) if not made else ThreadPoolExecutor(1))
        with made[-1] as pool:
            yield pool

    assert dict(crew.run([1, 2, 3], double, executor, 2)) == {1: 2, 2: 4, 3: 6}


def test_a_cluster_that_nobody_answers_for_is_one_line():
    pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    with (
        pytest.raises(UserError, match="No Dask scheduler answers at tcp://127"),
        crew.cluster("tcp://127.0.0.1:1"),
    ):
        pass
