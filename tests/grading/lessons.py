"""A small lesson of three exercises and a question, as it is released and as it comes back."""

import json

import nbformat

from autograder.handed import read
from autograder.intake import bring_back

STUB = "def {0}(x):\n    raise NotImplementedError  # your answer goes here"
ANSWER = "def {0}(x):\n    return x + {1}"
ESSAY = "Because the variance of a sum of independent numbers is the sum of their variances."


def cell(kind, text, name="", **facts):
    new = nbformat.v4.new_code_cell if kind == "code" else nbformat.v4.new_markdown_cell
    made = new(text, id=name or f"plain-{abs(hash(text)) % 10**8}")
    if facts:
        made.metadata["nbgrader"] = {"grade_id": name, "schema_version": 3, "task": False, **facts}
    return made


def stub(name):
    return cell("code", STUB.format(name), f"{name}-stub", solution=True, grade=False, locked=False)


def a_test(name):
    text = f"# The grader's test\nassert {name}(1)"
    return cell("code", text, f"{name}-test", solution=False, grade=True, locked=True, points=1)


def small_lesson():
    cells = [cell("markdown", "# A lesson"), cell("code", "import math")]
    for name in ("first", "second", "third"):
        cells += [
            cell("markdown", f"### {name}"),
            stub(name),
            cell("code", f"print({name})"),
            a_test(name),
        ]
    essay = cell(
        "markdown",
        "*Your answer goes here.*",
        "why-answer",
        solution=True,
        grade=True,
        locked=False,
        points=3,
    )
    return nbformat.v4.new_notebook(cells=[*cells, cell("markdown", "Why?"), essay])


def solved(released):
    """The learner's cells as JSON, everything answered."""
    cells = json.loads(nbformat.writes(released))["cells"]
    for number, raw in enumerate(cells):
        name = raw["metadata"].get("nbgrader", {}).get("grade_id", "")
        if name.endswith("-stub"):
            raw["source"] = ANSWER.format(name.removesuffix("-stub"), number)
        if name == "why-answer":
            raw["source"] = ESSAY
    return cells


def file_of(cells, **document):
    return json.dumps(
        {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells, **document}
    ).encode()


def mended(released, raw):
    cells, mends = read(raw)
    notebook, more = bring_back(released, cells)
    nbformat.validate(notebook)
    return notebook, mends + more


def texts(notebook):
    return {c.metadata.nbgrader.grade_id: c.source for c in notebook.cells if "nbgrader" in c.metadata}


def answers(cells):
    return {
        raw["metadata"]["nbgrader"]["grade_id"]: raw["source"]
        for raw in cells
        if raw["metadata"].get("nbgrader", {}).get("solution")
    }


def by_name(cells, name):
    return next(raw for raw in cells if raw["metadata"].get("nbgrader", {}).get("grade_id") == name)
