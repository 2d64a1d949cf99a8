"""The feedback page: a summary in front, a sentence a test, and no hidden code."""

import html
import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbgrader.preprocessors import GetGrades
from nbgrader.utils import compute_checksum

from autograder.feedback import VERSION, HideTests, Summary
from tests.grading.lessons import cell, small_lesson

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


WHERE = {"notebook": "n1", "assignment": "ps1", "student": "ada"}
pytestmark = pytest.mark.filterwarnings(
    "ignore::sqlalchemy.exc.SAWarning"
)  # nbgrader's own use of SQLAlchemy


class Submission:
    """The small lesson as `ada` handed it in and a gradebook knows it: nothing done, until a test says otherwise."""

    def __init__(self, gradebook):
        self.gradebook = gradebook
        self.notebook = small_lesson()
        gradebook.add_assignment("ps1")
        gradebook.add_notebook("n1", "ps1")
        for part in self.notebook.cells:
            if "nbgrader" in part.metadata:
                self._add(part, part.metadata.nbgrader)
        gradebook.add_student("ada")
        gradebook.add_submission("ps1", "ada")
        for name in ("first-test", "second-test", "third-test", "why-answer"):
            self.grade(name, 0)

    def _add(self, part, facts):
        facts.checksum = compute_checksum(part)
        if facts.grade:
            points, kind = facts.points, part.cell_type
            self.gradebook.add_grade_cell(facts.grade_id, "n1", "ps1", max_score=points, cell_type=kind)
        if facts.solution:
            self.gradebook.add_solution_cell(facts.grade_id, "n1", "ps1")

    def cell(self, name):
        return next(part for part in self.notebook.cells if part.id == name)

    def grade(self, name, points, *, by_hand=False):
        grade = self.gradebook.find_grade(name, "n1", "ps1", "ada")
        grade.auto_score, grade.needs_manual_grade = points, by_hand
        self.gradebook.db.commit()

    def comment(self, name, text):
        self.gradebook.find_comment(name, "n1", "ps1", "ada").manual_comment = text
        self.gradebook.db.commit()

    def answered(self, name, *outputs):
        """The stub of exercise `name` filled in; its test ended with these outputs."""
        self.cell(f"{name}-stub").source = f"def {name}(x):\n    return x"
        self.cell(f"{name}-test").outputs = [nbformat.from_dict(output) for output in outputs]

    def summary(self):
        """The cell in front of the page."""
        resources = {"nbgrader": {**WHERE, "db_url": str(self.gradebook.engine.url)}}
        for step in (GetGrades(), Summary(), HideTests()):
            self.notebook, resources = step.preprocess(self.notebook, resources)
        return self.notebook.cells[0].source

    def lines(self):
        """The summary as a learner reads it: heading, lines of the table, what stands below."""
        parts = BeautifulSoup(self.summary(), "html.parser").find_all(["h2", "tr", "p"])
        return [part.get_text(" ", strip=True) for part in parts]


@pytest.fixture
def submission(gradebook):
    return Submission(gradebook)


def test_what_was_never_touched_is_not_done_and_not_wrong(submission):
    assert submission.lines() == [
        "0 of 6 points",
        "Exercise Points",
        "○ first 0 / 1 not done yet",
        "○ second 0 / 1 not done yet",
        "○ third 0 / 1 not done yet",
        "○ why 0 / 3 not done yet",
    ]


def test_each_exercise_has_its_points_and_the_sentence_of_the_check(submission):
    submission.answered("first")
    submission.answered("second", error("CheckFailed", "second: the sign is wrong; see `x`."))
    submission.answered("third", error("KeyboardInterrupt", ""))
    submission.cell("why-answer").source = "Because."
    submission.grade("first-test", 1)
    submission.grade("why-answer", None, by_hand=True)
    assert submission.lines() == [
        "1 of 6 points, and 3 more wait for a person",
        "Exercise Points",
        "✓ first 1 / 1",
        "✗ second 0 / 1 the sign is wrong; see x .",
        "✗ third 0 / 1 ran longer than the time limit and was stopped.",
        "… why 0 / 3 waits for a person to read it",
    ]


def test_points_by_hand_stand_there_and_a_comment_is_pointed_to(submission):
    submission.cell("why-answer").source = "Because."
    submission.grade("why-answer", 2.5)
    submission.comment("why-answer", "Good, but *why*?")
    submission.answered("first", error("CheckFailed", "first: mind the sign."))
    submission.comment("first-stub", "As we said on Monday.")
    lines = submission.lines()
    assert lines[2] == "✗ first 0 / 1 mind the sign. See the comment."
    assert lines[-1] == "◐ why 2.5 / 3 See the comment."


def test_partial_credit_is_told_as_what_it_is(submission):
    submission.answered("first")
    submission.grade("first-test", 0.25)
    assert submission.lines()[2] == "◐ first 0.25 / 1"
    assert [o.text for o in submission.cell("first-test").outputs] == ["◐ 0.25 of 1 points."]


def test_a_stub_line_that_was_left_behind_is_not_done_either(submission):
    submission.answered("first", error("CheckFailed", "first: not done yet: the line is still reached."))
    assert submission.lines()[2] == "○ first 0 / 1 not done yet: the line is still reached."


def test_a_cell_that_ran_too_long_is_named_by_its_first_line(submission):
    plain = cell("code", "\nwhile True:  # <b>\n    pass")
    plain.outputs = [nbformat.from_dict(error("CellTimeoutError", ""))]
    submission.notebook.cells.append(plain)
    assert submission.lines()[-1] == (
        "The cell that begins with while True:  # <b> : ran longer than the time limit and was stopped."
    )


def test_the_version_of_the_tests_stands_below(submission):
    submission.notebook.metadata[VERSION] = "tests 3f2a91c, graded 2026-11-21"
    assert submission.lines()[-1] == "tests 3f2a91c, graded 2026-11-21"


def test_the_summary_tells_nothing_of_a_hidden_test(submission):
    submission.answered("first", error("NameError", "name 'secret' is not defined: 42"))
    submission.cell("first-test").source = HIDDEN_TEST
    assert submission.lines()[2] == "✗ first 0 / 1 NameError in the test."
    assert "secret" not in str(submission.notebook)


HOSTILE = "<img src=x onerror=alert(1)>\n\n![x](https://example.org/x.png)\r\r\x0b\u2028<script>\x85\n `<b>`"


@pytest.mark.parametrize("name", ["CheckFailed", "AssertionError", HOSTILE])
def test_no_error_gets_markup_into_the_summary(submission, name):
    submission.answered("first", error(name, HOSTILE))
    submission.notebook.metadata[VERSION] = HOSTILE
    left = submission.summary()
    found = {tag.name for tag in BeautifulSoup(left, "html.parser").find_all(True)}
    assert found <= {"div", "h2", "table", "thead", "tbody", "tr", "th", "td", "a", "br", "p", "code"}
    assert left.splitlines() == [left]  # one block of HTML, in which Markdown has no say
    assert html.unescape(left).count("<img src=x onerror=alert(1)>") == 2


def test_every_exercise_leads_to_its_cell(submission):
    targets = re.findall('href="#([^"]+)"', submission.summary())
    assert targets == ["first-test", "second-test", "third-test", "why-answer"]
