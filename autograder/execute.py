"""Run a notebook from top to bottom, as a learner would, and keep its outputs."""

from __future__ import annotations

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from autograder.repo import UserError

# ipykernel warns at every start that its loopback socket is not encrypted; errors are still shown.
KERNEL_ARGUMENTS = ["--log-level=40"]


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


def execute(notebook: NotebookNode, path: Path, *, timeout: int = 900, **environment: str) -> NotebookNode:
    """`notebook` with the outputs of a fresh kernel, run in the folder of `path` under more `environment`.

    Raises:
        UserError: if a cell fails, with the cell's own error at its end, if it runs for longer than `timeout`
            seconds or ends its kernel, or if the folder cannot be made.
    """
    folder = path.parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"Cannot write {error.filename}: {error.strerror}.") from error
    client = NotebookClient(
        notebook,
        timeout=timeout,
        record_timing=False,
        extra_arguments=KERNEL_ARGUMENTS,
        resources={"metadata": {"path": str(folder)}},
    )
    try:
        with quiet_environment(**environment):
            return client.execute()
    except (CellExecutionError, CellTimeoutError, DeadKernelError) as error:
        raise UserError(f"{path}: a cell fails.\n{error}") from error
