"""What the outputs of a test say about its points, read with care before nbgrader reads them.

nbgrader takes the first output of a test for its verdict: a number that the learner's code displayed counts as
partial credit, ``nan`` or -1 as full marks, a warning as none. Here the test's own last expression may give partial
credit, within its bounds, an error gives none, and nothing else counts.
"""

from __future__ import annotations

import ast
import math

from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade, is_solution


class Verdict(NbGraderPreprocessor):
    """Leaves in each test the outputs that decide; stands between the execution and nbgrader's reading of it."""

    def preprocess_cell(
        self, cell: NotebookNode, resources: ResourcesDict, index: int
    ) -> tuple[NotebookNode, ResourcesDict]:
        """Sort the outputs of one test, in place."""
        if cell.cell_type == "code" and is_grade(cell) and not is_solution(cell):
            cell.outputs = decisive(cell)
        return cell, resources


def decisive(cell: NotebookNode) -> list[NotebookNode]:
    """The outputs of a test without those that could be mistaken for its verdict."""
    errors = [output for output in cell.outputs if output.output_type == "error"]
    if errors:
        return errors[-1:]
    results = [output for output in cell.outputs if output.output_type == "execute_result"]
    shown = [o for o in cell.outputs if o.output_type == "display_data" or o.get("name") == "stdout"]
    if not (results and _ends_in_a_value(cell.source)):
        return shown
    credit = _credit(results[-1], cell.metadata.nbgrader.points)
    return [credit, *shown] if credit else shown


def _credit(result: NotebookNode, points: float) -> NotebookNode | None:
    """Partial credit between 0 and `points`; None if the value is no number, which means all of them."""
    text = result.get("data", {}).get("text/plain", "")
    try:
        value = float("".join(text).strip("[]"))
    except (TypeError, ValueError):
        return None
    value = 0.0 if math.isnan(value) else min(max(value, 0.0), float(points))
    return NotebookNode(
        output_type="execute_result", data={"text/plain": f"{value:g}"}, metadata={}, execution_count=None
    )


def _ends_in_a_value(source: str) -> bool:
    try:
        return isinstance(ast.parse(source).body[-1], ast.Expr)
    except (SyntaxError, ValueError, IndexError):
        return True  # a magic; what it shows is its own
