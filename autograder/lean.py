"""Execute without the cells that no grade hangs on."""

from __future__ import annotations

import re
from typing import Any

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution
from traitlets import Bool

from autograder.enduring import EnduringExecute, clear
from autograder.needed import names, needed

# A name that only came into being at run time: `exec`, a file that another cell wrote.
_MISSING = re.compile(r"name '(\w+)' is not defined|No module named '(\w+)")


class LeanExecute(EnduringExecute):
    """Runs answers, tests and what they hang on; experiments stay as they are, without outputs.

    Where a cell then misses a name that one of the cells left out would have made, the notebook is run again,
    whole: the points are those of a whole run.
    """

    everything = Bool(False, help="Run every cell, as stock nbgrader does.").tag(config=True)

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._left_out: set[int] = set()

    def preprocess(
        self, nb: NotebookNode, resources: ResourcesDict, **kwargs: Any
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute the needed cells of `nb`, in place."""
        self._left_out = set() if self.everything else _idle(nb)
        done = super().preprocess(nb, resources, **kwargs)
        if self._left_out and _misses(nb, self._left_out):
            self.log.info("A cell misses what another makes at run time: running the whole notebook.")
            clear(nb)
            self._left_out = set()
            done = super().preprocess(nb, resources, **kwargs)
        return done

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Execute one cell, unless it was left out."""
        if index in self._left_out:
            return cell, resources
        return super().preprocess_cell(cell, resources, index)


def _idle(nb: NotebookNode) -> set[int]:
    """Positions of the code cells that nothing graded hangs on."""
    code = [i for i, cell in enumerate(nb.cells) if cell.cell_type == "code"]
    graded = {k for k, i in enumerate(code) if is_grade(nb.cells[i]) or is_solution(nb.cells[i])}
    run = {code[k] for k in needed([nb.cells[i].source for i in code], graded)}
    return set(code) - run


def _misses(nb: NotebookNode, left_out: set[int]) -> bool:
    """Whether an error names what a cell that was left out would have bound or, with a magic, may have made."""
    made = [names(nb.cells[i].source) for i in left_out]
    bound = set().union(*(fact.binds | fact.changes for fact in made))
    errors = (o for cell in nb.cells for o in cell.get("outputs", []) if o.output_type == "error")
    found = (match for error in errors for match in _MISSING.finditer(f"{error.evalue}"))
    return any(match[2] or match[1] in bound or _makes_names(nb, left_out) for match in found)


def _makes_names(nb: NotebookNode, left_out: set[int]) -> bool:
    return any(re.search(r"\b(?:exec|globals|setattr|vars)\b", nb.cells[i].source) for i in left_out)
