"""Hand jobs to any `concurrent.futures.Executor`, a few ahead of its workers, and go on when a worker dies."""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import multiprocessing
import signal
import sys
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from typing import Any, TypeVar

from autograder.repo import UserError

if sys.platform != "win32":
    import resource

T = TypeVar("T")
_DIE_WITH_PARENT = 1
_MEMORY = 3 << 30  # of a worker itself; a file made to fill it is an error for its learner alone


class WorkerDied(Exception):
    """A worker ended twice while it was busy with this job."""


def run(
    jobs: Iterable[T],
    function: Callable[[T], Any],
    executor: Callable[[], contextlib.AbstractContextManager[Executor]],
    ahead: int,
) -> Iterator[tuple[T, Any]]:
    """Pairs of job and result, or exception, in the order in which they are done.

    Args:
        jobs: taken one by one, never more than `ahead` before the results.
        function: what a worker does with a job.
        executor: makes the workers, and makes them again if one of them takes all others along.
        ahead: jobs handed out at a time.
    """
    jobs, suspects = iter(jobs), []
    while lost := (yield from _with_one_crew(jobs, function, executor, ahead)):
        suspects += lost
    for job in suspects:  # alone, so that it is clear which of them was to blame
        if (yield from _with_one_crew(iter([job]), function, executor, 1)):
            yield job, WorkerDied("the process that graded it died, twice")


@contextlib.contextmanager
def local(workers: int) -> Iterator[Executor]:
    """So many processes on this machine; whatever ends this one early, or the `with`, ends them at once."""
    method = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
    context = multiprocessing.get_context(method)
    if method == "forkserver":
        context.set_forkserver_preload(["autograder.worker"])
    others = multiprocessing.active_children()
    crew = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin)
    try:
        yield crew
    except BaseException:
        for child in multiprocessing.active_children():
            if child not in others:
                child.kill()
        raise
    finally:
        crew.shutdown(cancel_futures=True)


@contextlib.contextmanager
def cluster(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster, which brings back by itself what a worker that dies was busy with.

    Raises:
        UserError: if Dask is not installed or nobody answers at `address`.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise UserError("A cluster needs Dask: pip install distributed.") from None
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise UserError(f"No Dask scheduler answers at {address} ({error}).") from error
    with client, client.get_executor(pure=False) as crew:
        yield crew


def _with_one_crew(
    jobs: Iterator[T],
    function: Callable[[T], Any],
    executor: Callable[[], contextlib.AbstractContextManager[Executor]],
    ahead: int,
) -> Generator[tuple[T, Any], None, list[T]]:
    """Work until the jobs are done or the crew is broken; returns the jobs that were lost with it."""
    pending: dict[Future, T] = {}
    lost: list[T] = []
    with executor() as crew:
        while True:
            for job in itertools.islice(jobs, 0 if lost else ahead - len(pending)):
                try:
                    pending[crew.submit(function, job)] = job
                except BrokenExecutor:
                    lost.append(job)
            if not pending:
                return lost
            for future in wait(pending, return_when=FIRST_COMPLETED).done:
                job, error = pending.pop(future), future.exception()
                if isinstance(error, BrokenExecutor):
                    lost.append(job)
                else:
                    yield job, error or future.result()


def _begin() -> None:
    """What a worker does first: leave Ctrl-C to its parent, end with it, and bound its own memory."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL, 0, 0, 0)
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, most))  # a kernel sets its own
