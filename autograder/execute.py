"""Run a notebook from top to bottom, as a learner would, and keep its outputs."""

from __future__ import annotations

import math
import os
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from queue import Empty

from jupyter_client import AsyncKernelClient, AsyncKernelManager
from jupyter_client.channels import AsyncZMQSocketChannel
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets import Type

from autograder.repo import UserError

# ipykernel warns at every start that its loopback socket is not encrypted; errors are still shown.
KERNEL_ARGUMENTS = ["--log-level=40"]


class CellError(UserError):
    """A cell failed; `notebook` holds what was put out until then, the error included."""

    def __init__(self, told: str, notebook: NotebookNode):
        super().__init__(told)
        self.notebook = notebook


@contextmanager
def quiet_environment(**extra: str):
    """The environment for kernels that nobody watches: no progress bars, and a progress file of their own.

    One thread each: small networks gain nothing from more, and on a busy machine threads that spin while they
    wait for each other turn one minute into ten.
    """
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update({"OMP_NUM_THREADS": "1", **extra, "TQDM_DISABLE": "1", "TRAINLAB_HOME": home})
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)


class Channel(AsyncZMQSocketChannel):
    """A channel on which messages arrive; whatever else a kernel's process may send is passed over."""

    async def get_msg(self, timeout: float | None = None) -> dict:
        """The next message.

        Raises:
            Empty: if none arrives within `timeout` seconds; None waits for ever.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            try:
                message = await super().get_msg(timeout)
                if _is_message(message):
                    return message
            except (LookupError, TypeError, ValueError):
                pass  # no signature, no JSON, no dictionary, no header
            if deadline is not None:
                timeout = deadline - time.monotonic()
                if timeout <= 0:
                    raise Empty


def _is_message(message: dict) -> bool:
    parts = ("header", "parent_header", "metadata", "content")
    return all(isinstance(message.get(part), dict) for part in parts) and isinstance(message["msg_type"], str)


class ShellChannel(Channel):
    """A shell channel that looks again every second while it waits for a reply.

    nbclient answers a widget by a plain send on this socket, and ZeroMQ, which tells of an arrival only once, may
    tell it to that send: a reply that arrives in the same moment would never be noticed, and the run would hang.
    """

    async def get_msg(self, timeout: float | None = None) -> dict:
        """The next message.

        Raises:
            Empty: if none arrives within `timeout` seconds; None waits for ever.
        """
        deadline = math.inf if timeout is None else time.monotonic() + timeout
        while True:
            try:
                return await super().get_msg(max(0.0, min(1.0, deadline - time.monotonic())))
            except Empty:
                if time.monotonic() >= deadline:
                    raise


class IOPubChannel(Channel):
    """A channel of outputs that does not listen long for more, as long as `patience` says so."""

    patience: float | None = None

    async def get_msg(self, timeout: float | None = None) -> dict:
        """The next message.

        Raises:
            Empty: if none arrives within `timeout` seconds, or within `patience`.
        """
        known = [seconds for seconds in (timeout, self.patience) if seconds is not None]
        return await super().get_msg(min(known, default=None))


class KernelClient(AsyncKernelClient):
    """nbclient's own, with a patient shell channel, and ready as soon as the kernel is."""

    shell_channel_class = Type(ShellChannel)
    iopub_channel_class = Type(IOPubChannel)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel answers on both channels.

        The base class then listens for a fifth of a second whether there is more to throw away. nbclient throws away
        by itself what belongs to no cell of its own, so a moment is enough.
        """
        self.iopub_channel.patience = 0.02
        try:
            await super().wait_for_ready(timeout)
        finally:
            self.iopub_channel.patience = None


class KernelManager(AsyncKernelManager):
    """nbclient's own, whose clients have a patient shell channel."""

    client_factory = Type(KernelClient)


def execute(notebook: NotebookNode, path: Path, *, timeout: int = 900, **environment: str) -> NotebookNode:
    """`notebook` with the outputs of a fresh kernel, run in the folder of `path` under more `environment`.

    Raises:
        CellError: if a cell fails, with the cell's own error at its end, or if it runs for longer than `timeout`
            seconds or ends its kernel.
        UserError: if the folder cannot be made.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Cannot write {error.filename}: {error.strerror}.") from error
    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_manager_class=KernelManager,
        record_timing=False,
        extra_arguments=KERNEL_ARGUMENTS,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        with quiet_environment(**environment):
            return client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise CellError(f"{path}: a cell fails.\n{error}", client.nb) from error
