"""What hidden tests stand on: the cells that no answer has a part in, and the names that answers make.

A test that runs in a process of its own needs the imports and data of the notebook there, from the instructor's own
copy, and asks the learner's process for everything else. Which is which is read from the instructor's notebook, whose
answers are the solutions; what a learner wrote has no say in it.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from nbformat import NotebookNode
from nbgrader.utils import is_grade, is_solution

from autograder.needed import Names, names, needed, python

# Of a learner's function only what it does can be seen across two processes; see autograder/trust/THREATS.md.
_INSIDE = re.compile(r"inspect\.get\w+|__(?:code|closure|globals|defaults|wrapped)__|gc\.get\w+|sys\._\w+")


@dataclass(frozen=True)
class Ground:
    """What the tests of a notebook stand on.

    Attributes:
        cells: sources that run beside the tests, in order.
        tests: a test's name → its source.
        before: a test's name → how many of the cells stand before it.
        answers: names that come from the learner's process: those that answers bind, and what is made of them.
    """

    cells: tuple[str, ...]
    tests: dict[str, str]
    before: dict[str, int]
    answers: frozenset[str]


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell is a test that gives points by itself."""
    return cell.cell_type == "code" and is_grade(cell) and not is_solution(cell)


def unfit(test: str) -> Iterator[str]:
    """What a test does that finds nothing in another process than the learner's."""
    for found in _INSIDE.findall(test):
        yield f"looks into the learner's code (`{found}`), which it cannot from another process"


def ground(notebook: NotebookNode) -> Ground:
    """What the tests of the instructor's notebook stand on."""
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    tests = {i for i, cell in enumerate(code) if is_test(cell)}
    answers = {i for i, cell in enumerate(code) if is_solution(cell)}
    theirs, made = _theirs([names(cell.source) for cell in code], tests, answers)
    run = needed([cell.source for cell in code], tests) - tests - theirs
    cells, sources, before = [], {}, {}
    for i, cell in enumerate(code):
        if i in tests:
            name = cell.metadata.nbgrader.grade_id
            sources[name], before[name] = cell.source, len(cells)
        elif i in run:
            cells.append(cell.source)
        elif i in answers:
            cells += _imports(cell.source)
    return Ground(tuple(cells), sources, before, frozenset(made))


def _theirs(facts: list[Names], tests: set[int], answers: set[int]) -> tuple[set[int], set[str]]:
    """The answers with all cells that use what they bind, and the names that all these bind, but for imports."""
    theirs, since = set(answers), {}
    imports = set().union(*(fact.imports for fact in facts))
    while True:
        for i in sorted(theirs):
            for name in (facts[i].binds | facts[i].changes) - imports:
                since[name] = min(i, since.get(name, i))
        more = {i for i, fact in enumerate(facts) if i not in tests | theirs and _uses(fact, i, since)}
        if not more:
            return theirs, set(since)
        theirs |= more


def _uses(fact: Names, at: int, since: dict[str, int]) -> bool:
    """Whether a cell uses a name that an earlier cell of the learner's binds, or calls later what uses any."""
    return any(since.get(name, math.inf) < at for name in fact.reads) or not since.keys().isdisjoint(
        fact.later
    )


def _imports(source: str) -> Iterator[str]:
    """The imports of an answer, which a test may use as well: modules do not cross."""
    for node in python(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield ast.unparse(node)
