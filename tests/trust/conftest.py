"""Two processes: this one is the test's, a forked child the learner's."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
from collections.abc import Callable, Iterator

import pytest

from autograder.trust.learner_side import serve
from autograder.trust.test_side import learner

BEGIN = "import copy\nimport math\nimport torch\nfrom torch import nn\nfrom torch.nn import functional as F\n"


class Across:
    """Runs tests here against code over there."""

    def __init__(self, connection: socket.socket):
        self.connection = connection

    def run(self, test: str, *, seconds: float = 20, **names: object) -> dict:
        """Run `test`; its global names afterwards."""
        namespace = {"__name__": "__main__", **names}
        exec(BEGIN, namespace)
        with learner(self.connection, namespace, test, seconds) as peer:
            exec(test, namespace)
        return namespace | {"peer": peer}


@contextlib.contextmanager
def _process(work: Callable[[socket.socket], None]) -> Iterator[Across]:
    ours, theirs = socket.socketpair()

    def child() -> None:
        ours.close()
        try:
            work(theirs)
        finally:
            os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    theirs.close()
    try:
        yield Across(ours)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        ours.close()


@pytest.fixture
def across():
    """``across(code)``: a process with the learner's `code`, as an `Across`."""
    with contextlib.ExitStack() as stack:

        def start(code: str) -> Across:
            def work(connection: socket.socket) -> None:
                namespace: dict = {"__name__": "__main__"}
                exec(BEGIN + code, namespace)
                serve(connection, namespace)

            return stack.enter_context(_process(work))

        yield start


@pytest.fixture
def hostile():
    """``hostile(work)``: a process in which `work` is called with the bare connection."""
    with contextlib.ExitStack() as stack:
        yield lambda work: stack.enter_context(_process(work))
