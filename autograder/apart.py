"""Execute whose tests run apart: in a kernel of their own, with stand-ins for what the learner wrote.

The learner's kernel runs the notebook. Where a test stands, it answers, over a socket that the two kernels share and
nobody else has, whatever the test asks of the learner's functions and objects (see `autograder.trust`). The test's
kernel has run the instructor's own set-up and no line of the learner's.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from queue import Empty
from typing import Any

from jupyter_core.utils import run_sync
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from traitlets import Dict

from autograder.enduring import see_that_it_stays
from autograder.execute import KernelClient, KernelManager
from autograder.ground import Ground, is_test
from autograder.lean import LeanExecute

_ANSWER = "__import__('autograder.trust.learner_side', fromlist='_').answer({}, globals())"
_BEGIN = "__import__('autograder.trust.test_side', fromlist='_').begin({}, globals(), {!r}, {!r})"
_END = "__import__('autograder.trust.test_side', fromlist='_').end()"
# Seconds that the learner's kernel has to come back after a test, and once more after an interrupt.
_GRACE, _LAST_GRACE = 1.0, 5.0


class ApartExecute(LeanExecute):
    """Runs tests in a kernel that no learner's code has entered; all else as before."""

    grounds = Dict(help="Name of a notebook → what its tests stand on.").tag(config=True)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._ground: Ground | None = None
        self._calls: dict[int, int] = {}  # test cell → which of the sockets is its own
        self._judge: tuple[KernelManager, KernelClient] | None = None
        self._prepared = 0  # cells of the ground that the test's kernel has run

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict, **kwargs: Any
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute the cells of `nb`, in place; in one kernel where nothing is known of its tests' ground."""
        self._ground = self.grounds.get(resources["metadata"].get("name"))
        self._calls = {}
        for index, cell in enumerate(nb.cells):
            name = cell.metadata.get("nbgrader", {}).get("grade_id")
            if self._ground and is_test(cell) and name in self._ground.tests:
                # Nothing else is ever run there, whatever a cell claims to be.
                cell.source = self._ground.tests[name]
                self._calls[index] = len(self._calls)
        return super().preprocess(nb, resources, **kwargs)

    @contextmanager
    def setup_kernel(self, **kwargs: Any) -> Iterator[None]:
        """Start both kernels, with a pair of connected sockets for each test, and end both."""
        if not self._calls:
            with super().setup_kernel(**kwargs):
                yield
            return
        with contextlib.ExitStack() as kernels, contextlib.ExitStack() as ends:
            pairs = [[ends.enter_context(end) for end in socket.socketpair()] for _ in self._calls]
            ours, theirs = ([pair[k].fileno() for pair in pairs] for k in (0, 1))
            kernels.enter_context(super().setup_kernel(given=theirs, **kwargs))
            kernels.enter_context(self._another_kernel(ours))
            ends.close()  # each kernel has its copies: where one dies, the other must find the socket closed
            yield

    @contextmanager
    def _another_kernel(self, given: list[int]) -> Iterator[None]:
        learners = self.km, self.kc
        self.km = self.kc = None
        try:
            self.km = self.create_kernel_manager()
            self.start_new_kernel(given=given)
            self.start_new_kernel_client()
            self._judge, self._prepared = (self.km, self.kc), 0
        finally:
            self.km, self.kc = learners
        try:
            yield
        finally:
            with self._judging():
                self._cleanup_kernel()
            self._judge = None

    @contextmanager
    def _judging(self) -> Iterator[None]:
        """Let what is executed be executed in the test's kernel."""
        learners, watched = (self.km, self.kc), self._provisioner
        self.km, self.kc = self._judge
        self._provisioner = self.km.provisioner
        try:
            yield
        finally:
            self.km, self.kc = learners
        self._provisioner = watched  # after an error, the one that may know why

    async def async_execute_cell(
        self, cell: NotebookNode, cell_index: int, *args: Any, **kwargs: Any
    ) -> NotebookNode:
        """Execute one cell, a test in its own kernel while the learner's kernel answers."""
        if cell_index not in self._calls:
            return await super().async_execute_cell(cell, cell_index, *args, **kwargs)
        async with self._answering(self._calls[cell_index]):
            with self._judging():
                await self._begin(cell, self._calls[cell_index])
                try:
                    return await super().async_execute_cell(cell, cell_index, *args, **kwargs)
                finally:
                    await self._ask(_END, self._patience(cell))

    execute_cell = run_sync(async_execute_cell)

    async def _begin(self, cell: NotebookNode, call: int) -> None:
        stands_on = self._ground.before[cell.metadata.nbgrader.grade_id]
        for source in self._ground.cells[self._prepared : stands_on]:
            await self._ask(source, self._patience(cell))
        self._prepared = max(self._prepared, stands_on)
        descriptor = self.km.provisioner.given[call]
        begin = _BEGIN.format(descriptor, cell.source, sorted(self._ground.answers))
        await self._ask(begin, self._patience(cell))

    async def _ask(self, code: str, seconds: float) -> None:
        """Let the test's kernel run some code of ours.

        Raises:
            CellTimeoutError: if it takes longer than that.
            DeadKernelError: if the kernel is gone.
        """
        running = asyncio.ensure_future(_run(self.kc, code))
        if not await self._done(running, seconds):
            raise CellTimeoutError("The test's kernel does not come back.")

    @contextlib.asynccontextmanager
    async def _answering(self, call: int) -> Iterator[None]:
        """Let the learner's kernel answer a test, and see that it comes back.

        Raises:
            CellTimeoutError: if it does not.
            DeadKernelError: if it is gone.
        """
        code = _ANSWER.format(self.km.provisioner.given[call])
        answering, hushing = (asyncio.ensure_future(t) for t in (_run(self.kc, code), _hush(self.kc)))
        try:
            yield
            if not await self._done(answering, _GRACE):
                await self.km.interrupt_kernel()
                if not await self._done(answering, _LAST_GRACE):
                    raise CellTimeoutError("The learner's kernel does not come back.")
            see_that_it_stays(answering.result())
        finally:
            for task in (answering, hushing):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task

    async def _done(self, task: asyncio.Future, seconds: float) -> bool:
        """Whether a kernel's reply comes in time.

        Raises:
            DeadKernelError: if the kernel is gone.
        """
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not task.done():
            await asyncio.wait({task}, timeout=0.1)
            if not task.done() and not await self.km.is_alive():
                raise DeadKernelError("Kernel died")
        return task.done()


async def _run(client: KernelClient, code: str) -> dict:
    return await client.execute(code, silent=True, store_history=False, reply=True, timeout=None)


async def _hush(client: KernelClient) -> None:
    """Take what a kernel prints while nobody listens, so that it fills no queue."""
    while True:
        with suppress(Empty):
            await client.iopub_channel.get_msg(timeout=None)
