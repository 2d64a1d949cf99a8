"""Tests run in a kernel of their own: the same points, and nothing that the learner's code does reaches them."""

import nbformat
import pytest
from traitlets.config import Config

from autograder.apart import ApartExecute
from autograder.grading import Options, grade_class
from autograder.ground import ground
from autograder.kernels.sandbox import available
from autograder.repo import UserError
from tests.grading.classroom import LEARNERS, a_class, earned
from tests.grading.lessons import a_test, cell, stub

SETUP = "import math\nLIMIT = 3"
TESTS = {"f": "assert f(LIMIT) == math.factorial(3)", "g": "assert g(2) == 4"}
RIGHT = {"f": "def f(n):\n    return 1 if n < 2 else n * f(n - 1)", "g": "def g(n):\n    return n * n"}
ENDED = "it ended the Python process: exit(), os._exit() or a crash"
_DEAF = """while True:
        try:
            while True:
                pass
        except BaseException:
            pass"""


def notebook(setup=SETUP, between="", **answers):
    """A lesson of two exercises with these answers instead of the right ones."""
    cells = [cell("code", setup)]
    for name, code in {**RIGHT, **answers}.items():
        answer, test = stub(name), a_test(name)
        answer.source, test.source = code, TESTS[name]
        cells += [answer, cell("code", between), test] if between else [answer, test]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
    return made


@pytest.fixture
def run(tmp_path):
    """Grades a notebook by the tests of another: test → what its error says, "" for none."""
    if not available():
        pytest.skip("needs bubblewrap and user namespaces: apt-get install bubblewrap")

    def run(submission, source=None, warm=True, timeout=20, total_timeout=900):
        config = Config()
        config.SandboxProvisioner = Config({"preload": [], "warm": warm})
        config.ApartExecute.grounds = {"p": ground(source or notebook())}
        execute = ApartExecute(
            timeout=timeout, total_timeout=total_timeout, config=config, extra_arguments=["--log-level=40"]
        )
        execute.log.setLevel("CRITICAL")
        execute.preprocess(submission, {"metadata": {"path": str(tmp_path), "name": "p"}})
        tests = [c for c in submission.cells if c.id.endswith("-test")]
        return {c.id[0]: "".join(f"{o.ename}: {o.evalue}" for o in c.outputs if "ename" in o) for c in tests}

    return run


@pytest.mark.parametrize("warm", [True, False])
def test_right_answers_pass(run, warm):
    assert run(notebook(), warm=warm) == {"f": "", "g": ""}


def test_an_answer_cannot_bend_what_the_test_uses(run):
    bent = "import math\nmath.factorial = lambda n: 0\nLIMIT = 0\n"
    told = run(notebook(setup="import math\nLIMIT = 0", f=f"{bent}def f(n):\n    return 0"))
    assert told == {"f": "AssertionError: ", "g": ""}


def test_the_text_of_a_test_never_enters_the_learners_process(run):
    spy = """
def {0}(n):
    import gc
    words = chr(97) + "ssert {0}("  # no constant that holds them
    seen = [*In, *(s for s in map(repr, gc.get_objects()) if len(s) < 9999)]
    return {1} if any(words in s for s in seen) else 0"""
    spies = {name: spy.format(name, value) for name, value in (("f", 6), ("g", 4))}
    assert run(notebook(**spies)) == dict.fromkeys("fg", "AssertionError: ")


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("import os\n    os._exit(0)", ENDED),
        ("exit()", ENDED),
        ("while True:\n        pass", "CellTimeoutError"),
        (_DEAF, "would not be interrupted"),
    ],
)
def test_an_answer_that_does_not_come_back_costs_itself(run, body, says):
    # An end is noticed when it comes: if not, there would be no time left for the other test.
    times = {"timeout": 3000, "total_timeout": 60} if says == ENDED else {"timeout": 3}
    told = run(notebook(f=f"def f(n):\n    {body}"), **times)
    assert (says in told["f"], told["g"]) == (True, "")


@pytest.mark.parametrize("name", ["mine", "f-test"])
def test_a_cell_that_claims_to_be_a_test_runs_with_the_learners_code(run, name):
    forged = a_test("f")
    forged.id, forged.metadata.nbgrader.grade_id = "forged", name
    forged.source = "import math\nmath.factorial = lambda n: 0"
    submission = notebook(f="def f(n):\n    return 0")
    submission.cells.insert(1, forged)
    assert run(submission, source=notebook())["f"] == "AssertionError: "


def test_a_cell_that_uses_an_answer_runs_where_the_answer_is(run):
    made = notebook()
    made.cells.insert(2, cell("code", "made = f(4)"))
    made.cells[3].source = "assert made == math.factorial(4)"
    assert run(made, source=made) == {"f": "", "g": ""}


def test_a_name_made_at_run_time_is_the_learners(run):
    made = notebook(g="exec('def g(n): return n * n')")
    assert run(made, source=made) == {"f": "", "g": ""}


@pytest.mark.parametrize("apart", [True, False])
def test_a_class_has_the_points_of_one_process(small_class, apart):
    results = grade_class(small_class, "ps1", list(LEARNERS), Options(sandbox=available(), apart=apart))
    assert {r.student: r.earned for r in results} == {who: earned(who) for who in LEARNERS}


def test_a_test_that_looks_into_the_code_is_refused_before_anything_is_graded(repo, tmp_path):
    course = a_class(repo, tmp_path / "class", "ps1", learners=["ada"])
    path = course.path("source", ".", "ps1") / "p1.ipynb"
    path.write_text(path.read_text().replace("assert double(3) == 6", "assert double.__code__"))
    with pytest.raises(UserError, match=r"p1: double-test looks into .*__code__.*\n.*--one-process"):
        grade_class(course, "ps1", ["ada"], Options(sandbox=True))


def test_ground_is_what_no_answer_has_a_part_in():
    cells = [
        cell("code", "import math\ndata = [1, 2]\nunused = 0"),
        cell("code", "def helper(x):\n    return f(x)"),
        cell(
            "code",
            "import statistics\ndef f(x):\n    return x",
            "f-stub",
            solution=True,
            grade=False,
            locked=False,
        ),
        cell("code", "made = f(data)"),
        cell(
            "code",
            "assert helper(data) == made and statistics.mean(data)",
            "f-test",
            solution=False,
            grade=True,
            locked=True,
            points=1,
        ),
    ]
    found = ground(nbformat.v4.new_notebook(cells=cells))
    assert found.cells == (cells[0].source, "import statistics")
    assert (found.tests, found.before) == ({"f-test": cells[4].source}, {"f-test": 2})
    assert found.answers == {"f", "helper", "made"}
