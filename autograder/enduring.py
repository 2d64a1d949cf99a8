"""nbgrader's own Execute, which outlives what it runs.

A cell that ends its process, fills the memory, loops past every interrupt or prints without end costs the points that
hang on it and no others: the kernel is replaced, the notebook is run again without that cell, and the cell says why.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from jupyter_client.provisioning import KernelProvisionerBase
from nbclient.client import CellExecutionComplete
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode, ValidationError, validate
from nbformat.v4 import new_output, output_from_msg
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
        self._decisive: list[NotebookNode] = []  # results and errors of that cell, whatever became of them
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
        self._decisive.clear()
        done = super().preprocess_cell(cell, resources, index)
        # A widget may have swallowed them, or the learner's code wiped them away.
        cell.outputs = [*filter(_valid, cell.outputs)]
        cell.outputs += [output for output in self._decisive if output not in cell.outputs]
        return done

    def process_message(self, msg: dict, cell: NotebookNode, cell_index: int) -> NotebookNode | None:
        """Take one message of the kernel, which anybody in its process may have written."""
        try:
            if msg["msg_type"] in ("execute_result", "error"):
                self._keep(output_from_msg(msg))
            return super().process_message(msg, cell, cell_index)
        except CellExecutionComplete:
            raise
        except Exception as error:
            self.log.debug("No message of a kernel: %s", error)
            return None

    def on_cell_executed(self, **kwargs: Any) -> None:
        """Note the cell's error; one that asks its kernel to exit is as good as one that ends it."""
        super().on_cell_executed(**kwargs)
        see_that_it_stays(kwargs["execute_reply"])

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

    def _keep(self, output: NotebookNode) -> None:
        """Keep a result or an error, of each kind the last, if it is one and not too long."""
        if _valid(output) and len(str(output)) <= self.max_output:
            others = [kept for kept in self._decisive if kept.output_type != output.output_type]
            self._decisive[:] = [*others, output]

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


def see_that_it_stays(reply: dict) -> None:
    """Take the reply of a kernel that is about to exit for its end.

    Raises:
        DeadKernelError: if something in it has called `exit`.
    """
    payload = reply["content"].get("payload")
    parts = payload if isinstance(payload, list) else []
    if any(isinstance(part, dict) and part.get("source") == "ask_exit" for part in parts):
        raise DeadKernelError("The kernel was asked to exit.")


def clear(nb: NotebookNode) -> None:
    """Take all outputs out of `nb`."""
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.update(outputs=[], execution_count=None)


def _valid(output: NotebookNode) -> bool:
    """Whether nbformat would take an output into a notebook."""
    try:
        validate(output, ref="output", version=4)
    except ValidationError:
        return False
    return True


def _size(content: dict) -> int:
    """Roughly, the bytes of an output."""
    return sum(
        len(str(part)) for key in ("text", "data", "traceback", "evalue") if (part := content.get(key))
    )
