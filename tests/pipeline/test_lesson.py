"""The strict reader: the good source passes, and whatever is wrong is said with file, line and sentence."""

import pytest

from autograder.lesson import MARKERS, SourceError, misspelt, read

STUB = "    ### BEGIN SOLUTION\n    twice_as_much"
LAST = "return twice_as_much\n    ### END SOLUTION\n"
CHECK = 'with Check("double") as check:\n'
CARD, TEST = '# %% [markdown] role="card"', '# %% role="test"'
ROOM = '# %% role="check" exercise="double"'  # the header of a code cell that has no keys but these
QUESTION = '# %% [markdown] role="question"'

# What is done to the source, and what must be said: the beginning of the line, and a part of the sentence.
PROBLEMS = {
    "a region that the cell does not close": (
        {LAST: "return twice_as_much\n"},
        [("### BEGIN SOLUTION", "'### BEGIN SOLUTION' is not closed before the cell ends.")],
    ),
    "a solution marker in a check": (
        {CHECK: f"### BEGIN SOLUTION\n{CHECK}"},
        [
            ("### BEGIN SOLUTION", "'### BEGIN SOLUTION' does not belong into a cell with role 'check'."),
            ("### BEGIN SOLUTION", "is not closed"),
        ],
    ),
    "a marker of hidden tests in an experiment": (
        {'print("nothing': '### BEGIN HIDDEN TESTS\n### END HIDDEN TESTS\nprint("nothing'},
        [
            (
                "### BEGIN HIDDEN TESTS",
                "'### BEGIN HIDDEN TESTS' does not belong into a cell with role 'none'",
            ),
            ("### END HIDDEN TESTS", "'### END HIDDEN TESTS' does not belong into a cell with role 'none'"),
        ],
    ),
    "a region inside a region": (
        {STUB: f"    ### BEGIN SOLUTION\n{STUB}"},
        [("### BEGIN SOLUTION", "'### BEGIN SOLUTION' stands inside '### BEGIN SOLUTION' of line 22.")],
    ),
    "an end too many": (
        {LAST: f"{LAST}    ### END SOLUTION\n"},
        [("### END SOLUTION", "'### END SOLUTION' closes nothing.")],
    ),
    "an end of the other kind": (
        {LAST: "return twice_as_much\n    ### END HIDDEN TESTS\n"},
        [
            ("### END HIDDEN TESTS", "does not belong into a cell with role 'stub'"),
            ("### END HIDDEN TESTS", "'### END HIDDEN TESTS' closes nothing."),
        ],
    ),
    "a misspelt marker": (
        {LAST: "return twice_as_much\n    ### End Solution\n"},
        [
            ("### BEGIN SOLUTION", "is not closed"),
            ("### End Solution", "'### End Solution' looks like a marker; write '### END SOLUTION'."),
        ],
    ),
    "markers behind code, which nbgrader would obey": (
        {
            STUB: "    twice_as_much",
            "= number + number": "= number + number  ### BEGIN SOLUTION",
            LAST: "return twice_as_much  ### END SOLUTION\n",
        },
        [
            ("twice_as_much =", "looks like a marker; write '### BEGIN SOLUTION'"),
            ("return twice_as_much", "looks like a marker; write '### END SOLUTION'"),
        ],
    ),
    "no title": ({"title: Doubling": "name: Doubling"}, [("# ---", "names no lesson title and minutes")]),
    "no minutes": ({"#     minutes: 5\n": ""}, [("# ---", "names no lesson title and minutes")]),
    "a lesson that is no mapping": (
        {"lesson:\n#     title: Doubling\n#     minutes: 5": "lesson: Doubling"},
        [("# ---", "names no lesson title and minutes")],
    ),
    "a header that is no YAML": (
        {"title: Doubling": "title: [Doubling"},
        [("# ---", "cannot be read: while parsing a flow sequence")],
    ),
    "a cell before the first header": (
        {"# %% [markdown]\n# Twice": "x = 1\n\n# %% [markdown]\n# Twice"},
        [("# ---", "12 cells, but 11 lines begin with '# %%'.")],
    ),
    "what looks like a header in a string": (
        {'print("nothing': 'x = """\n# %%\n"""\nprint("nothing'},
        [("# ---", "11 cells, but 12 lines begin with '# %%'.")],
    ),
    "an exercise of two cells": (
        {'role="question" exercise="halves" minutes=3': 'role="why" exercise="other"'}
        | {'role="answer" exercise="halves" points=4': 'role="why" exercise="other"'},
        [
            (
                '# %% [markdown] role="why" exercise="other"',
                "exercise 'other' has no card cell, has no stub cell, has no check cell, has no hints cell, "
                "has no test cell, has a why cell too many.",
            )
        ],
    ),
    "a question without an answer": (
        {'role="answer" exercise="halves" points=4': ""},
        [(QUESTION, "exercise 'halves' has no answer cell.")],
    ),
    "two questions of one name": (
        {'role="answer" exercise="halves" points=4': 'role="question" exercise="halves" minutes=3'},
        [(QUESTION, "exercise 'halves' has no answer cell, has a question cell too many.")],
    ),
    "a question that is called like an exercise": (
        {'role="question" exercise="halves"': 'role="question" exercise="double"'},
        [
            (CARD, "exercise 'double' has a question cell too many."),
            ('# %% [markdown] role="answer"', "exercise 'halves' has no question cell."),
        ],
    ),
    "an exercise that is needed but comes nowhere": (
        {"level=1": 'level=1 needs="halves treble"'},
        [(CARD, "'double' needs halves, treble, which is no earlier exercise.")],
    ),
    "an exercise that needs itself": (
        {"level=1": 'level=1 needs="double"'},
        [(CARD, "'double' needs double, which is no earlier exercise.")],
    ),
    "a key without quotes": (
        {'# %% role="setup"': "# %% role=setup"},
        [("# %% role=setup", 'the header cannot be read: write each key as key="value", with quotes.')],
    ),
    "keys without a role": (
        {"# %%\nprint": '# %% minutes=1 level=2\nprint("?")\nprint'},
        [("# %% minutes=1", "a cell without a role has no use for level, minutes.")],
    ),
    "a role that does not exist": (
        {'# %% role="setup"': '# %% role="set-up"'},
        [('# %% role="set-up"', "there is no role 'set-up'; the roles are setup, card, stub, check,")],
    ),
    "a role that is a number": (
        {'# %% role="setup"': "# %% role=3"},
        [("# %% role=3", "there is no role '3'; the roles are")],
    ),
    "prose where code belongs": (
        {'# %% role="setup"\n': '# %% [markdown] role="setup"\n# '},
        [('# %% [markdown] role="setup"', "a setup is a code cell, not markdown.")],
    ),
    "code where prose belongs": (
        {'# %% [markdown] role="why"': '# %% role="why"'},
        [('# %% role="why"', "a why is a markdown cell, not code.")],
    ),
    "a key that is missing": (
        {' topic="Arithmetic" doc="https://example.org/double"': ""},
        [(CARD, "a card cell must say doc, topic.")],
    ),
    "a key that is not for this role": (
        {ROOM: f"{ROOM} minutes=2 points=1"},
        [(ROOM, "a check cell has no use for minutes, points.")],
    ),
    "points that are no number": (
        {"points=2": 'points="2"'},
        [(TEST, "points must be a whole number above 0, not '2'.")],
    ),
    "points of zero": ({"points=2": "points=0"}, [(TEST, "points must be a whole number above 0, not 0.")]),
    "half a point": ({"points=2": "points=0.5"}, [(TEST, "points must be a whole number above 0, not 0.5.")]),
    "points that are true": (
        {"points=2": "points=True"},
        [(TEST, "points must be a whole number above 0, not True.")],
    ),
    "minutes that are no number": (
        {"minutes=3": 'minutes="three"'},
        [(QUESTION, "minutes must be a whole number above 0, not 'three'.")],
    ),
    "a card without a heading": (
        {"### Twice as much": "## Twice as much"},
        [(CARD, "a card begins with a heading: '### What it is about'.")],
    ),
    "a level of four": ({"level=1": "level=4"}, [(CARD, "level is 1, 2 or 3, not 4.")]),
    "a level that is true": ({"level=1": "level=True"}, [(CARD, "level is 1, 2 or 3, not True.")]),
    "a stub that marks no solution": (
        {STUB: "    twice_as_much", LAST: "return twice_as_much\n"},
        [('# %% role="stub"', "the stub of 'double' marks no solution ('### BEGIN SOLUTION').")],
    ),
    "a stub without a docstring": (
        {'    """Twice `number`."""\n': ""},
        [('# %% role="stub"', "the stub of 'double' has no docstring.")],
    ),
    "a check of something else": (
        {'Check("double")': 'Check("treble")'},
        [(ROOM, 'the visible check has no `with Check("double")`.')],
    ),
    "a single hint": (
        {"# <details><summary>A nudge</summary>Begin with addition.</details>\n": ""},
        [('# %% [markdown] role="hints"', "hints are two or three folds, each <details> closed.")],
    ),
    "a hint that is not closed": (
        {"Begin with addition.</details>": "Begin with addition."},
        [('# %% [markdown] role="hints"', "hints are two or three folds, each <details> closed.")],
    ),
    "four hints": (
        {"Begin with addition.</details>": "Begin.</details>" + "<details>Go on.</details>" * 2},
        [('# %% [markdown] role="hints"', "hints are two or three folds, each <details> closed.")],
    ),
    "a test that is not hidden": (
        {"### BEGIN HIDDEN TESTS\n": "", "### END HIDDEN TESTS\n": ""},
        [(TEST, 'the test hides nothing: put `with HiddenTest("double")` between the hidden markers.')],
    ),
    "a test of something else": (
        {'HiddenTest("double")': 'HiddenTest("treble")'},
        [(TEST, "the test hides nothing")],
    ),
}


@pytest.mark.parametrize(("edits", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong_is_said_with_its_line(tiny, edits, expected):
    for old, new in edits.items():
        tiny.edit(old, new)
    problems = tiny.problems()
    for begins, part in expected:
        (said,) = (p for p in problems if part in p)
        lines = tiny.source.read_text("utf-8").splitlines()
        assert lines[int(said.partition(": ")[0]) - 1].strip().startswith(begins), said
    assert len(problems) == len(expected), problems


def test_the_good_source_is_read_without_a_problem(tiny):
    lesson = tiny.read()
    assert (lesson.chapter, lesson.name, lesson.points) == ("ch01_small_numbers", "01_doubling", 6)
    assert lesson.meta == {"title": "Doubling", "minutes": 5}
    (exercise,) = lesson.exercises
    assert (exercise.name, exercise.number, exercise.points, exercise.needs) == ("double", 1, 2, [])
    assert list(exercise.cells) == ["card", "stub", "check", "hints", "test", "why"]
    (question,) = lesson.questions
    assert question["question"].text.startswith("### Two halves")
    assert question["answer"].text == "A whole, because two halves are one."


def test_every_cell_knows_the_line_it_begins_on(tiny):
    lines = tiny.source.read_text("utf-8").splitlines()
    cells = tiny.read().cells
    assert [c.line for c in cells] == [n for n, line in enumerate(lines, 1) if line.startswith("# %%")]
    check = next(c for c in cells if c.role == "check")
    assert lines[check.line] == check.text.splitlines()[0] == CHECK.strip()


def test_a_second_exercise_may_need_the_first_and_gets_the_next_number(tiny):
    cells = [f'# %% role="{r}"' for r in ("stub", "check", "test")]
    cells += [f'# %% [markdown] role="{r}"' for r in ("card", "hints", "why")]
    text = "".join(sorted(map(tiny.cell, cells), key=tiny.source.read_text("utf-8").find))
    more = text.replace('"double"', '"again"').replace("level=1", 'level=2 needs="double"')
    tiny.edit("# %%\nprint", f"{more}\n# %%\nprint")
    numbers = {e.name: (e.number, e.needs) for e in tiny.read().exercises}
    assert numbers == {"double": (1, []), "again": (2, ["double"])}
    text = tiny.source.read_text("utf-8")
    tiny.source.write_text(
        text.replace('needs="double"', "").replace("level=1", 'level=1 needs="again"'), "utf-8"
    )
    assert tiny.problems() == [
        f"{tiny.line(CARD)}: 'double' needs again, which is no earlier exercise."
    ]  # it comes, but later


def test_an_earlier_question_is_nothing_that_an_exercise_can_need(tiny):
    question = tiny.cell(QUESTION) + tiny.cell('# %% [markdown] role="answer"')
    tiny.edit(question.rstrip("\n"), "")
    card = tiny.cell(CARD)
    tiny.edit(card, f"{question}\n{card}")
    assert len(tiny.read().questions) == 1
    tiny.edit("level=1", 'level=1 needs="halves"')
    assert tiny.problems() == [f"{tiny.line(CARD)}: 'double' needs halves, which is no earlier exercise."]


@pytest.mark.parametrize(
    ("first", "second"), [("card", "stub"), ("stub", "check"), ("check", "hints"), ("hints", "test")]
)
def test_cells_in_another_order_are_named(tiny, first, second):
    headers = {r: f'# %% [markdown] role="{r}"' for r in ("card", "hints")}
    one, two = (tiny.cell(headers.get(r, f'# %% role="{r}"')) for r in (first, second))
    tiny.edit(f"{one}{two}", f"{two}{one}")
    (problem,) = tiny.problems()
    line = min(tiny.line(CARD), tiny.line('# %% role="stub"'))  # where the exercise begins
    assert problem.startswith(f"{line}: the cells of 'double' stand in the order [")
    assert f"'{second}', '{first}'" in problem
    assert problem.endswith("write ['card', 'stub', 'check', 'hints', 'test', 'why'].")


@pytest.mark.parametrize("role", ["card", "stub", "check", "hints", "test", "why"])
def test_a_missing_cell_is_named(tiny, role):
    header = f'# %% [markdown] role="{role}"' if role in ("card", "hints", "why") else f'# %% role="{role}"'
    tiny.edit(tiny.cell(header), "")
    first = tiny.line('# %% role="stub"' if role == "card" else CARD)
    assert tiny.problems() == [f"{first}: exercise 'double' has no {role} cell."]


def test_a_cell_that_comes_twice_is_named(tiny):
    cell = tiny.cell('# %% [markdown] role="why"')
    tiny.edit(cell, f"{cell}{cell}")
    assert tiny.problems() == [f"{tiny.line(CARD)}: exercise 'double' has a why cell too many."]


def test_a_region_that_the_file_does_not_close(tiny):
    text = tiny.source.read_text("utf-8")
    tiny.source.write_text(text[: text.index("### END HIDDEN TESTS")], "utf-8")
    said = f"{tiny.line('### BEGIN HIDDEN')}: '### BEGIN HIDDEN TESTS' is not closed before the file ends."
    assert said in tiny.problems()


def test_several_problems_are_reported_together_in_the_order_of_their_lines(tiny):
    tiny.edit("title: Doubling", "name: Doubling")
    tiny.edit("level=1", "level=9")
    tiny.edit(LAST, "return twice_as_much\n")
    tiny.edit("points=2", "points=-1")
    tiny.edit('role="answer" exercise="halves" points=4', 'role="answer" exercise="halves"')
    problems = tiny.problems()
    assert [int(p.partition(":")[0]) for p in problems] == [
        1,
        tiny.line(CARD),
        tiny.line("### BEGIN SOLUTION"),
        tiny.line(TEST),
        tiny.line('# %% [markdown] role="answer"'),
    ]
    with pytest.raises(SourceError) as error:
        read(tiny.source)
    assert str(error.value).count("\n") == 4
    assert all(line.startswith(f"{tiny.source}:") for line in str(error.value).splitlines())


def test_a_file_that_is_no_text_is_one_problem(tiny):
    tiny.source.write_bytes(b"\xff" + tiny.source.read_bytes())
    assert [p.partition(":")[0] for p in tiny.problems()] == ["1"]
    assert "cannot be read" in tiny.problems()[0]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("### begin solution", "### BEGIN SOLUTION"),
        ("#BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("## BEGIN SOLUTION", "### BEGIN SOLUTION"),
        ("#### END SOLUTION", "### END SOLUTION"),
        ("###END SOLUTION", "### END SOLUTION"),
        ("### BEGIN  SOLUTION", "### BEGIN SOLUTION"),
        ("### BEGIN_SOLUTION", "### BEGIN SOLUTION"),
        ("### BEGIN SOLUTIONS", "### BEGIN SOLUTION"),
        ("### BEGIN SOLUTON", "### BEGIN SOLUTION"),
        ("### END SOLUTION.", "### END SOLUTION"),
        ("### BEGIN HIDDEN TEST", "### BEGIN HIDDEN TESTS"),
        ("### BEGIN HIDEN TESTS", "### BEGIN HIDDEN TESTS"),
        ("# end hidden tests", "### END HIDDEN TESTS"),
        ("# ### END HIDDEN TESTS", "### END HIDDEN TESTS"),
        ("return total  ### END SOLUTION", "### END SOLUTION"),
        ('print("BEGIN HIDDEN TESTS")', "### BEGIN HIDDEN TESTS"),
    ],
)
def test_a_misspelt_marker_is_recognised(line, meant):
    assert misspelt(line) == meant


@pytest.mark.parametrize(
    "line",
    [
        *MARKERS,
        "",
        "###",
        "# solution",
        "# the solution",
        "# A solution begins with a sum.",
        "# Begin with the solution of the equation.",
        "# hidden tests",
        "# In the end, a test is all that counts.",
        "## Resolution",
        "# %% end",
        "begin solution",
        "solution = begin + end",
        "x = 1  # the solution begins here",
        "### END",
    ],
)
def test_a_marker_or_another_comment_is_not_taken_for_a_misspelt_one(line):
    assert misspelt(line) == ""


def test_comments_about_solutions_stand_in_a_source_unharmed(tiny):
    tiny.edit(
        'print("nothing', '# the solution\n# hidden tests\nsolution = "none"  # solution\nprint("nothing'
    )
    tiny.edit("# Twice as much is often enough.", "# ## Resolution\n#\n# We test what is hidden at the end.")
    assert len(tiny.read().cells) == 11
