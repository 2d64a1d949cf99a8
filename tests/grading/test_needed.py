"""Which cells must run: all that can matter, and no more than that."""

import nbformat
import pytest

from autograder.needed import names, needed


@pytest.mark.parametrize(
    ("cells", "wanted", "expected"),
    [
        # what is read is run, and what that hangs on
        (["a = 1", "b = a", "c = 2", "test(b)"], {3}, {0, 1, 3}),
        (["def f(): return g()", "def g(): return k", "k = 3", "z = 1", "f()"], {4}, {0, 1, 2, 4}),
        (["import math", "import torch as t", "t.ones(1)"], {2}, {1, 2}),
        (["import os.path", "os.getcwd()"], {1}, {0, 1}),
        # the last certain value counts, and what changed it since
        (["a = 1", "a = 2", "print(a)"], {2}, {1, 2}),
        (["a = []", "a.append(1)", "print(a)"], {2}, {0, 1, 2}),
        (["a = {}", "a['k'] = 1", "print(a)"], {2}, {0, 1, 2}),
        (["a = 1", "a += 1", "print(a)"], {2}, {0, 1, 2}),
        (["m = Net()", "train(m)", "print(m)"], {2}, {0, 1, 2}),
        (["m = Net()", "h = train(model=m)", "print(m)"], {2}, {0, 1, 2}),
        (["a = 1", "if cond: a = 2", "print(a)"], {2}, {0, 1, 2}),
        (["a = 1", "for a in range(3): pass", "print(a)"], {2}, {0, 1, 2}),
        (["a = 1", "try: a = f()\nexcept E: pass", "print(a)"], {2}, {0, 1, 2}),
        (["a = 1", "with f() as a: pass", "print(a)"], {2}, {1, 2}),
        (["a = 1", "del a", "print(a)"], {2}, {1, 2}),
        (["class A: pass", "A.x = 1", "A().x"], {2}, {0, 1, 2}),
        # a function sees what is bound later, too
        (["def f(): return a", "a = 1", "a = 2", "f()"], {3}, {0, 1, 2, 3}),
        (["f = lambda: a", "a = 1", "f()"], {2}, {0, 1, 2}),
        # calling a function or a module does not change it
        (["def f(x): pass", "f(1)", "f(2)"], {2}, {0, 2}),
        (["import torch", "torch.manual_seed(0)", "torch.ones(1)"], {2}, {0, 2}),
        (["print(1)", "print(2)"], {1}, {1}),
        # names of its own need nobody
        (["x = 1", "with T() as t:\n    x = 2\n    print(x)"], {1}, {1}),
        (["x = 1", "[x for x in range(3)]"], {1}, {1}),
        (["x = 1", "def f(x): return x"], {1}, {1}),
        (["x = 1", "class A:\n    x = 2\n    y = x"], {1}, {1}),
        (["x = 1", "for x in range(2):\n    def g(): return x"], {1}, {1}),
        (["x = 1", "class A:\n    y = x"], {1}, {0, 1}),
        (["n = 3", "[n for _ in range(n)]"], {1}, {0, 1}),
        (["d = 1", "def f(a=d): pass"], {1}, {0, 1}),
        # what no name shows is always run
        (["%matplotlib inline", "a = 1"], {1}, {0, 1}),
        (["!pip list", "a = 1"], {1}, {0, 1}),
        (["from math import *", "a = 1"], {1}, {0, 1}),
        # a cell that cannot be read stops nobody
        (["def broken(:", "a = 1", "print(a)"], {2}, {1, 2}),
        (["x = 1", "%%time\ny = x", "print(y)"], {2}, {0, 1, 2}),
        (["x = 1", "%%bash\necho $x", "a = 1"], {2}, {1, 2}),
    ],
)
def test_the_needed_cells(cells, wanted, expected):
    assert needed(cells, wanted) == expected


def test_a_comprehension_reads_its_source_outside():
    assert names("[a for a in a]").reads == {"a"}


def test_a_method_reads_globals_when_it_is_called():
    assert names("class A:\n    def f(self): return scale * self.x").later == {"scale"}


def test_what_was_asked_before_is_answered_the_same_again():
    cells = ["a = []", "a.append(1)", "print(a)"]
    assert needed(cells, {2}) == needed(cells, {2}) == {0, 1, 2}
    assert names(cells[1]) is names(cells[1]), "most cells of a class are the same: they are read once"


def test_in_our_lessons_these_are_the_setup_the_stubs_and_the_tests(repo):
    for path in sorted((repo.root / "autograder" / "master").glob("*/*.ipynb")):
        cells = [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]
        graded = {i for i, c in enumerate(cells) if "nbgrader" in c.metadata}
        more = needed([c.source for c in cells], graded) - graded
        assert len(more) <= 6, f"{path.name}: {[cells[i].source.splitlines()[0] for i in sorted(more)]}"
