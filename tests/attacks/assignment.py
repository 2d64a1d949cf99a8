"""A small nbgrader assignment in stock style, as anybody may write one: five exercises, two questions, no toolkit."""

from __future__ import annotations

from pathlib import Path

import nbformat
from nbformat import NotebookNode

ASSIGNMENT, NOTEBOOK = "ps1", "p1"
# The points of the hidden tests; nbgrader's gradebook knows an exercise by its test, "leaky-test".
POINTS = {"leaky": 3.0, "relu_": 2.0, "answer": 2.0, "total": 2.0, "spread": 3.0}
BY_HAND = ("drawing", "why")

_SOLVED = {
    "leaky": "def leaky(z, a=0.1):\n    {0}\n    return torch.where(z < 0, a * z, z)\n    {1}",
    "relu_": "def relu_(z):\n    {0}\n    z.clamp_(min=0)\n    {1}",
    "answer": "{0}\nanswer = 42\n{1}",
    "total": "def total(xs):\n    {0}\n    return sum(xs)\n    {1}",
    "spread": "def spread(xs):\n    {0}\n    return min(xs), max(xs), sum(xs) / len(xs)\n    {1}",
}
RIGHT = {name: code.format("", "").strip() for name, code in _SOLVED.items()} | {
    "why": "Because a slope of zero lets nothing through on the way back.",
    "drawing": "picture = [x * x for x in range(5)]",
}
# An answer to every exercise, and not a point for any.
WRONG = {
    "leaky": "def leaky(z, a=0.1):\n    return z",
    "relu_": "def relu_(z):\n    pass",
    "answer": "answer = 0",
    "total": "def total(xs):\n    return 0",
    "spread": "def spread(xs):\n    return 0, 0, 0",
}
# "{secret}" stands for a word that nobody but the instructor may ever read.
_TESTS = {
    "leaky": """\
z = torch.tensor([-2.0, -1.0, 0.0, 3.0])
assert leaky(z).shape == z.shape, "leaky: the shape must stay"
### BEGIN HIDDEN TESTS
# {secret}
z = torch.linspace(-5, 5, 101)
assert torch.allclose(leaky(z), torch.nn.functional.leaky_relu(z, 0.1)), "leaky: mind the negative side"
torch.testing.assert_close(leaky(z, 0.3), torch.nn.functional.leaky_relu(z, 0.3))
### END HIDDEN TESTS""",
    "relu_": """\
z = torch.ones(3)
relu_(z)
assert z.shape == (3,)
### BEGIN HIDDEN TESTS
z = torch.linspace(-1, 1, 21)
expected = z.relu()
relu_(z)
assert torch.equal(z, expected), "relu_: z itself must change"
### END HIDDEN TESTS""",
    "answer": """\
assert answer is not None
### BEGIN HIDDEN TESTS
assert answer == 42
### END HIDDEN TESTS""",
    "total": """\
assert total([0]) == 0
### BEGIN HIDDEN TESTS
numbers = [1, 2, 3.5]
assert total(numbers) == sum(numbers)
### END HIDDEN TESTS""",
    "spread": """\
# A point each for the lowest, the highest and the mean.
low, high, mean = spread([4.0, 1.0, 7.0])
### BEGIN HIDDEN TESTS
low, high, mean = spread([6.0, -2.0, 5.0])
### END HIDDEN TESTS
int(low == -2) + int(high == 6) + int(mean == 3)""",
}
_CONFIG = """\
c = get_config()
c.Execute.timeout = 6
{more}
c.CourseDirectory.root = {root!r}
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
"""
# Small, so that what an attack uses up before it is stopped is small too, and soon used up.
_LIMITS = """\
load_subconfig("nbgrader_config.py", path={settings!r})
c.SandboxProvisioner.memory_mb = 1200
c.SandboxProvisioner.processes = 40
c.SandboxProvisioner.disk_mb = 64
c.Execute.timeout = 5"""


def write(root: Path, secret: str, settings: Path | None = None) -> None:
    """Lay out an nbgrader course at `root` with this one assignment.

    Args:
        root: a folder that is not there yet.
        secret: stands in a hidden test, and must never be seen.
        settings: a folder whose ``nbgrader_config.py`` the course's own builds on; None for stock nbgrader.
    """
    more = _LIMITS.format(settings=str(settings)) if settings else ""
    folder = root / "source" / ASSIGNMENT
    folder.mkdir(parents=True)
    (root / "nbgrader_config.py").write_text(_CONFIG.format(root=str(root), more=more), "utf-8")
    nbformat.write(master(secret), folder / f"{NOTEBOOK}.ipynb")


def master(secret: str) -> NotebookNode:
    """The instructor's notebook, solved, with its hidden tests."""
    cells = [_text("# Slopes"), _code("import torch", "setup")]
    for name, points in POINTS.items():
        cells += [_text(f"### {name}"), _answer(name), _test(name, points, secret)]
    cells += [_text("### drawing"), _by_hand(_code(_solution("drawing"), "drawing-answer"), 4)]
    cells += [_text("### why\nWhy does it leak?"), _by_hand(_text("*Your words.*", "why-answer"), 2)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return notebook


def answered(released: NotebookNode, answers: dict[str, str]) -> NotebookNode:
    """The released notebook with the answers of some exercises and questions."""
    for cell in released.cells:
        name, role = cell.id.rpartition("-")[::2]
        if role in ("stub", "answer") and name in answers:
            cell.source = answers[name]
    return released


def _solution(name: str) -> str:
    code = _SOLVED.get(name, "{0}\n" + RIGHT[name] + "\n{1}")
    return code.format("### BEGIN SOLUTION", "### END SOLUTION")


def _answer(name: str) -> NotebookNode:
    return _graded(_code(_solution(name), f"{name}-stub"), solution=True, grade=False, locked=False)


def _test(name: str, points: float, secret: str) -> NotebookNode:
    source = _TESTS[name].replace("{secret}", secret)
    return _graded(_code(source, f"{name}-test"), solution=False, grade=True, locked=True, points=points)


def _by_hand(cell: NotebookNode, points: float) -> NotebookNode:
    return _graded(cell, solution=True, grade=True, locked=False, points=points)


def _graded(cell: NotebookNode, **facts: object) -> NotebookNode:
    cell.metadata["nbgrader"] = {"grade_id": cell.id, "schema_version": 3, "task": False, **facts}
    return cell


def _code(source: str, ident: str) -> NotebookNode:
    return nbformat.v4.new_code_cell(source, id=ident)


def _text(source: str, ident: str = "") -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source, **({"id": ident} if ident else {}))
