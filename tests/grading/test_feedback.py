"""What is shown afterwards: a sentence a test, no hidden code, and nothing that a browser would run."""

import json
import re

import nbformat
import pytest

from autograder.feedback import Defuse, HideTests, harmless
from tests.grading.lessons import cell

HIDDEN_TEST = """\
# Other shapes, float64.
### BEGIN HIDDEN TESTS
secret = 42
assert f(1) == secret
### END HIDDEN TESTS"""


def graded(*outputs, source=HIDDEN_TEST):
    made = cell("code", source, "f-test", solution=False, grade=True, locked=True, points=1)
    made.outputs = [nbformat.from_dict(output) for output in outputs]
    return made


def error(name, text):
    return {
        "output_type": "error",
        "ename": name,
        "evalue": text,
        "traceback": ["assert f(1) == secret  # 42"],
    }


def hidden(cell, **traits):
    return HideTests(**traits).preprocess_cell(cell, {}, 0)[0]


@pytest.mark.parametrize(
    ("outputs", "sentence"),
    [
        ([], "✓ All points."),
        ([{"output_type": "stream", "name": "stdout", "text": "secret 42"}], "✓ All points."),
        ([error("CheckFailed", "f: the sign is wrong.")], "✗ f: the sign is wrong."),
        ([error("KeyboardInterrupt", "")], "✗ f: ran longer than the time limit and was stopped."),
        ([error("CellTimeoutError", "")], "✗ f: ran longer than the time limit and was stopped."),
        ([error("AssertionError", "mind the sign")], "✗ f: mind the sign"),
        ([error("AssertionError", "")], "✗ f: AssertionError in the test."),
        ([error("NameError", "name 'secret' is not defined")], "✗ f: NameError in the test."),
    ],
)
def test_a_test_leaves_one_sentence(outputs, sentence):
    shown = hidden(graded(*outputs))
    assert shown.source == "# Other shapes, float64."
    assert [o.text for o in shown.outputs] == [sentence]
    assert "42" not in str(shown)


def test_tests_can_be_revealed():
    failed = graded(error("AssertionError", ""))
    assert hidden(failed, reveal=True) == graded(error("AssertionError", ""))


def test_answers_and_experiments_keep_their_code_and_outputs():
    plain = cell("code", HIDDEN_TEST)
    plain.outputs = [nbformat.from_dict(error("ValueError", "x"))]
    assert hidden(plain.copy()) == plain


@pytest.mark.parametrize(
    "text",
    [
        "a < b & c > d, and $x<y$ or $a \\\\& b$",
        "# Title\n\n**bold** `x < 3` [link](https://example.org)\n\n- [ ] item",
        "<details open><summary>Hint</summary>\n\nText.\n\n</details>",
        "&lt;script&gt; in words",
        '<img alt="a figure" src="data:image/png;base64,AAAA" style="max-width: 100%;">',
    ],
)
def test_harmless_text_keeps_its_meaning(text):
    assert harmless(text).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text.replace(
        "&lt;", "<"
    ).replace("&gt;", ">")


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)></svg>",
    "<iframe src='https://example.org'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<details ontoggle=alert(1) open>x</details>",
    "<style>body {display: none}</style>",
    "<object data=x></object><embed src=x>",
    "<form action=/delete><button>Go</button></form>",
    "<base href=https://example.org><meta http-equiv=refresh content=0>",
    "<p style='background: url(https://example.org)'>x</p>",
    "<img src='https://example.org/spy.png'>",
    "<a href='data:text/html,x'>x</a>",
    "<img src='data:image/svg+xml,x'>",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_markup_that_acts_becomes_text(attack):
    for text in (attack, f"Fine words. {attack} More."):
        left = harmless(text)
        assert not re.search(r"<(?:script|svg|iframe|style|object|embed|form|button|base|meta)", left)
        assert not re.search(r"<[^>]*(?:\son\w+=|javascript:|url\(|spy|text/html|svg)", left)


@pytest.mark.parametrize("attack", ATTACKS[:3])
def test_no_output_and_no_text_of_a_notebook_acts(attack):
    code = cell("code", "display(...)")
    data = {
        "text/html": [attack],
        "application/javascript": "alert(1)",
        "image/svg+xml": attack,
        "text/plain": "x",
    }
    code.outputs = [nbformat.v4.new_output("display_data", data=data, metadata={})]
    cells = [code, cell("markdown", attack), nbformat.v4.new_raw_cell(attack)]
    for part in cells:
        Defuse().preprocess_cell(part, {}, 0)
    assert code.outputs[0].data.keys() == {"text/html", "text/plain"}
    assert not any(
        word in json.dumps(cells) for word in ("<script", '<img src=\\"x\\" on', "<svg", "onerror=alert(1)>")
    )


def test_figures_and_tables_are_kept():
    code = cell("code", "fig")
    table = "<table><tbody><tr><td>1</td></tr></tbody></table>"
    data = {"image/png": "iVBOR", "text/plain": "<Figure>", "text/html": table}
    code.outputs = [nbformat.v4.new_output("display_data", data=data)]
    Defuse().preprocess_cell(code, {}, 0)
    assert code.outputs[0].data == data
