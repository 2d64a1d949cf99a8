"""Grading runs what grades hang on, and gives the points of a whole run."""

import nbformat
import pytest

from autograder.lean import LeanExecute
from tests.grading.lessons import a_test, cell, stub


@pytest.fixture
def run(tmp_path):
    def run(*cells, **traits):
        notebook = nbformat.v4.new_notebook(cells=list(cells))
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
        execute = LeanExecute(timeout=60, extra_arguments=["--log-level=40"], **traits)
        execute.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
        return notebook

    return run


def answered(name, source):
    solved = stub(name)
    solved.source = source
    return solved


def printed(notebook):
    return [o.text for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "text" in o]


def errors(notebook):
    return [o.evalue for c in notebook.cells if c.cell_type == "code" for o in c.outputs if "evalue" in o]


def lesson(answer, experiment="print('an experiment')"):
    setup = cell("code", "import math")
    return [setup, cell("markdown", "# Text"), cell("code", experiment), answered("f", answer), a_test("f")]


def test_experiments_stay_as_they_are(run):
    notebook = run(*lesson("print('the answer')\ndef f(x): return math.sqrt(x)"))
    assert (printed(notebook), errors(notebook)) == (["the answer\n"], [])
    assert notebook.cells[2].execution_count is None


def test_an_answer_that_uses_an_experiment_gets_it(run):
    notebook = run(*lesson("def f(x): return scale", experiment="scale = 3"))
    assert errors(notebook) == []


def test_a_name_made_at_run_time_makes_the_whole_notebook_run(run):
    notebook = run(*lesson("def f(x): return scale", experiment="exec('scale = 3'); print('an experiment')"))
    assert (printed(notebook), errors(notebook)) == (["an experiment\n"], [])


def test_a_name_that_no_cell_makes_is_an_error_at_once(run):
    notebook = run(*lesson("def f(x): return nowhere"))
    assert errors(notebook) == ["name 'nowhere' is not defined"]
    assert printed(notebook) == []


def test_everything_can_be_asked_for(run):
    notebook = run(*lesson("def f(x): return 1"), everything=True)
    assert printed(notebook) == ["an experiment\n"]
