"""Hand jobs to any `concurrent.futures.Executor`, a few ahead of its workers, and go on when a worker dies."""

from __future__ import annotations

import contextlib
import gc
import itertools
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from multiprocessing import forkserver
from typing import Any, TypeVar

from autograder.repo import UserError

if sys.platform != "win32":
    import resource

T = TypeVar("T")
_ANSWER = "10s"  # a scheduler that takes longer is not there
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
        with _uninterrupted():  # it hands its signal mask on to the workers, so that none of them is, either
            forkserver.ensure_running()
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
def cluster(address: str) -> Iterator[tuple[Executor, int]]:
    """The workers of a Dask cluster and the number of their threads.

    Dask itself gives what a worker that dies was busy with to another one.

    Raises:
        UserError: if Dask is not installed or nobody answers at `address`, or not any more.
    """
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise UserError("A cluster needs Dask: pip install distributed.") from None
    try:
        client = Client(address, timeout=_ANSWER)
    except (OSError, ValueError) as error:
        raise UserError(f"No Dask scheduler answers at {address} ({error}).") from error
    with client:
        crew = client.get_executor(pure=False)
        try:
            yield crew, sum(client.nthreads().values())
        except CancelledError:
            raise UserError(
                f"The Dask scheduler at {address} is gone. What is done is kept; the same command goes on from there."
            ) from None
        finally:
            crew.shutdown(wait=False)  # what is not done by now is not wanted any more


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
    if sys.platform != "win32":
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})  # kernels must be interruptible
    gc.freeze()  # what came with the fork stays shared, and no search for garbage goes through it again
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if sys.platform.startswith("linux"):
        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (_MEMORY, most))  # a kernel sets its own


def _end_with_parent() -> None:
    """Wait for the end of the process that wants the results; the queue of jobs would never say so."""
    multiprocessing.parent_process().join()
    os._exit(1)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until the end of the `with`."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
