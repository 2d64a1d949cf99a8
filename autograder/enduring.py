"""nbgrader's own Execute, which outlives what it runs.

A cell that ends its process, fills the memory, loops past every interrupt or prints without end costs the points that
hang on it and no others: the kernel is replaced, the notebook is run again without that cell, and the cell says why.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from jupyter_client.provisioning import KernelProvisionerBase
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader.preprocessors import Execute
from traitlets import Bool, Integer

from autograder.execute import KernelManager
from autograder.kernels.provisioner import SandboxedKernelManager

STOPPED = "Stopped"
_INTERRUPT, _KILL = 4, 64  # when a cell has printed so many times what is kept
_PROCESS_ENDED = "it ended the Python process: exit(), os._exit() or a crash"


class EnduringExecute(Execute):
    """Runs every cell that can be run, and says of each other one why not."""

    sandboxed = Bool(True, help="False: what learners wrote runs with the grader's own rights.").tag(
        config=True
    )
    total_timeout = Integer(900, help="Seconds for all cells of a notebook, restarts included.").tag(
        config=True
    )
    max_output = Integer(4 << 20, help="Bytes of output kept of a cell.").tag(config=True)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self.kernel_manager_class = SandboxedKernelManager if self.sandboxed else KernelManager
        self.shutdown_kernel = "immediate"
        self.timeout_func = self._patience
        self._stopped: dict[int, str] = {}  # cell → why it is not run again
        self._deadline = 0.0
        self._now: int | None = None  # the cell that runs
        self._flooding: int | None = None  # the cell that had to be killed for what it prints
        self._printed = 0  # bytes, by that cell
        self._provisioner: KernelProvisionerBase | None = None
        self._rescue: asyncio.Future | None = None

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict, **kwargs: Any
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute the cells of `nb`, in place, with as many kernels as that takes."""
        self._deadline = time.monotonic() + self.total_timeout
        self._stopped.clear()
        while True:
            self._now = self._flooding = None
            try:
                return super().preprocess(nb, resources, **kwargs)
            except (DeadKernelError, CellTimeoutError) as error:
                if self._now is None:
                    raise  # no cell is to blame
                blamed = self._now if self._flooding is None else self._flooding
                self._stopped[blamed] = self._why(error)
                clear(nb)

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute one cell, unless it stopped an earlier run or there is no time left."""
        if cell.cell_type != "code":
            return cell, resources
        why = self._stopped.get(index)
        if not why and time.monotonic() >= self._deadline:
            why = f"not run: the notebook had used up its {self.total_timeout} seconds"
        if why:
            cell.outputs = [new_output("error", ename=STOPPED, evalue=why, traceback=[f"{STOPPED}: {why}"])]
            return cell, resources
        self._now, self._printed, self._provisioner = index, 0, self.km.provisioner
        return super().preprocess_cell(cell, resources, index)

    def output(self, outs: list, msg: dict, display_id: str | None, cell_index: int) -> NotebookNode | None:
        """Keep an output of the kernel, as long as the cell's share of them lasts."""
        before, self._printed = self._printed, self._printed + _size(msg["content"])
        if self._printed <= self.max_output:
            return super().output(outs, msg, display_id, cell_index)
        if before <= self.max_output:
            if msg["msg_type"] == "stream":
                msg["content"]["text"] = msg["content"]["text"][: self.max_output - before]
                super().output(outs, msg, display_id, cell_index)
            outs.append(new_output("stream", name="stdout", text="\n… more was printed than is kept.\n"))
        if before <= _INTERRUPT * self.max_output < self._printed:
            self._rescue = asyncio.ensure_future(self.km.interrupt_kernel())
        if before <= _KILL * self.max_output < self._printed:
            self._flooding = cell_index  # the end may be noticed in the next cell only
            self._rescue = asyncio.ensure_future(self._provisioner.kill())
        return None

    def _patience(self, cell: NotebookNode) -> float:
        return max(1.0, min(self.timeout or self.total_timeout, self._deadline - time.monotonic()))

    def _why(self, error: Exception) -> str:
        """Why the cell that runs now had to be stopped, for the learner."""
        if used := getattr(self._provisioner, "reason", ""):
            return f"it used {used} and was stopped"
        if isinstance(error, CellTimeoutError):
            return f"it ran longer than {self.timeout} seconds, would not be interrupted, and was stopped"
        if self._flooding is not None:
            return "it printed without end and was stopped"
        return _PROCESS_ENDED


def clear(nb: NotebookNode) -> None:
    """Take all outputs out of `nb`."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)


def _size(content: dict) -> int:
    """Roughly, the bytes of an output."""
    return sum(
        len(str(part)) for key in ("text", "data", "traceback", "evalue") if (part := content.get(key))
    )
