"""Table H: what honest people leave in their notebooks."""

from __future__ import annotations

from tests.attacks.assignment import RIGHT
from tests.attacks.case import HandIn, accident, answered, but, doctored, first

_LEAKY = "def leaky(z, a=0.1):\n    {}\n    return torch.where(z < 0, a * z, z)"


def _cell_above(source: str, **answers: str) -> HandIn:
    """Everything right, and a cell of the learner's own in front of the first answer."""

    def insert(raw: dict) -> None:
        cell = {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
        raw["cells"].insert(3, {**cell, "id": "my-own"})

    return doctored(insert, **answers)


def _in_setup(source: str) -> HandIn:
    """Everything right, and more lines in the cell of imports."""

    def add(raw: dict) -> None:
        raw["cells"][1]["source"] += f"\n{source}"

    return doctored(add)


def _redefined_below(raw: dict) -> None:
    cell = {"cell_type": "code", "metadata": {}, "source": "def leaky(z):\n    pass", "outputs": []}
    raw["cells"].append({**cell, "execution_count": None, "id": "below"})


ACCIDENTS = [
    accident("H00", "nothing at all: an honest notebook", "fine", answered()),
    accident("H01", "a !command that fails", "fine", first("!no-such-command --at-all")),
    accident("H02", "%matplotlib qt", "fine", _in_setup("%matplotlib qt")),
    accident("H03", "%matplotlib widget without ipympl", "fine", _in_setup("%matplotlib widget")),
    accident(
        "H04",
        "a warning in a right function",
        "unfair 0: any stderr is a failure",
        answered(leaky=_LEAKY.format("import warnings; warnings.warn('slow')")),
    ),
    accident(
        "H05",
        "a progress bar in a right function",
        "unfair 0: any stderr is a failure",
        answered(leaky=_LEAKY.format("from tqdm import tqdm; list(tqdm(range(9), disable=False))")),
    ),
    accident(
        "H06",
        "a log message in a right function",
        "unfair 0: any stderr is a failure",
        answered(leaky=_LEAKY.format("import logging; logging.warning('here')")),
    ),
    accident("H07", "print debugging", "fine", answered(leaky=_LEAKY.format("print(z, a)"))),
    accident(
        "H08",
        "a function renamed",
        "0 with NameError",
        answered(leaky=RIGHT["leaky"].replace("leaky", "leaky_relu")),
        but(leaky=0),
        says="'leaky' is not defined",
    ),
    accident(
        "H09",
        ".cuda() where the grader has none",
        "0",
        answered(leaky="def leaky(z, a=0.1):\n    z = z.cuda()\n    return torch.where(z < 0, a * z, z)"),
        but(leaky=0),
        says="leaky: ",
    ),
    accident(
        "H10", "float64 left on as the default", "fine", first("torch.set_default_dtype(torch.float64)")
    ),
    accident(
        "H11",
        "gradients left off, seeds set, threads changed",
        "fine",
        first("torch.set_grad_enabled(False); torch.manual_seed(0); torch.set_num_threads(3)"),
    ),
    accident(
        "H12",
        "half of an exercise right",
        "fine: partial credit",
        answered(spread="def spread(xs):\n    return min(xs), 0, sum(xs) / len(xs)"),
        but(spread=2),
    ),
    accident(
        "H13",
        "20 figures",
        "fine, slow",
        answered(
            drawing="import matplotlib.pyplot as plt\nfor _ in range(20):\n    plt.figure()\nplt.show()"
        ),
    ),
    accident(
        "H14",
        "raise NotImplementedError() left above the answer",
        "0",
        answered(leaky=_LEAKY.format("raise NotImplementedError")),
        but(leaky=0),
        says="leaky: NotImplementedError",
    ),
    accident(
        "H15",
        "a training cell of 20 s, longer than a cell may take",
        "fine",
        _cell_above("import time; time.sleep(20)"),
    ),
    accident(
        "H16",
        "from google.colab import drive",
        "fine",
        _in_setup("from google.colab import drive\ndrive.mount('/content')"),
    ),
    accident("H17", "os.chdir('/')", "fine", first("import os; os.chdir('/')")),
    accident(
        "H18",
        "the grader's own names used for something else",
        "fine",
        first("In = Out = z = low = points = 3"),
    ),
    accident("H19", "redefined, wrongly, at the end", "fine", doctored(_redefined_below)),
    accident(
        "H20",
        "traceback.print_exc()",
        "fine",
        first("import traceback\ntry:\n    1 / 0\nexcept ZeroDivisionError:\n    traceback.print_exc()"),
    ),
    accident(
        "H21",
        "curly quotes in one answer",
        "0 for that exercise",
        answered(answer="text = “forty-two”\nanswer = 42"),
        but(answer=0),
        says="answer: ",
    ),
    accident(
        "H22",
        "ipywidgets.interact left in",
        "fine",
        first("import ipywidgets\nipywidgets.interact(lambda x: x, x=(0, 9))"),
    ),
    accident(
        "H23", "a number of numpy's", "fine", answered(answer="import numpy as np\nanswer = np.int64(42)")
    ),
    accident("H24", "input() left in", "fine", _cell_above("name = input('Who? ')")),
    accident("H25", "%load_ext autoreload", "fine", first("%load_ext autoreload\n%autoreload 2")),
    accident(
        "H26",
        "the essay and the drawing left blank",
        "0 automatically",
        answered(why=None, drawing=None),
        by_hand=(),
    ),
    accident("H27", "a line added to the imports", "fine", _in_setup("import math, collections")),
    accident(
        "H28",
        "a helper in an extra cell above",
        "fine",
        _cell_above(
            "def slope(z, a):\n    return torch.where(z < 0, a * z, z)",
            leaky="def leaky(z, a=0.1):\n    return slope(z, a)",
        ),
    ),
    accident(
        "H29",
        "breakpoint() left in",
        "fine",
        answered(leaky=_LEAKY.format("breakpoint() if a is None else 0")),
    ),
    accident("H30", "a cell magic on an answer", "fine", answered(answer="%%time\nanswer = 42")),
    accident(
        "H31", "a comment with emoji, umlauts, right-to-left script", "fine", first("# 🎉 Übung تمرين \u200f")
    ),
    accident(
        "H32",
        "a right function that also shows a table",
        "fine",
        answered(
            leaky=_LEAKY.format("from IPython.display import display, HTML; display(HTML('<table></table>'))")
        ),
    ),
    accident("H33", "a value shown at the end of an answer", "fine", answered(answer="answer = 42\nanswer")),
    accident(
        "H34",
        "a helper written to a file by one cell and imported by the answer",
        "fine",
        first("open('helper.py', 'w').write('slope = 0.1')\nimport helper"),
    ),
]
