"""``verify``: what it prints and returns for answers whose verdict is right, and for those whose is not."""

import pytest
import torch

from autograder import __main__, bank
from autograder.bank import verify
from tests.pipeline.conftest import CHAPTER, SOURCE, told
from trainlab import checks

CLEAN = "Every wrong answer is caught and told why; no right one fails."


def verified(tiny, capsys, **options):
    """What `verify` returns, and the lines it prints below the heading."""
    code = verify(tiny.repo, [CHAPTER], **options)
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["exercise", "caught", "and", "told", "why", "wrongly", "failed"]
    return code, lines


def add(tiny, header, code):
    """One more answer at the end of the bank."""
    with tiny.answers.open("a", encoding="utf-8") as file:
        file.write(f"\n\n# %% {header}\n{code}\n")


def test_a_good_bank_is_one_row_and_a_sentence(tiny, capsys):
    code, lines = verified(tiny, capsys)
    assert code == 0
    assert [line.split() for line in lines[:-1]] == [["double", "7/7", "0/4"]]
    assert lines[-1] == CLEAN


def test_a_wrong_answer_that_passes_is_reported(tiny, capsys):
    add(tiny, 'wrong="is right" says="something"', "def double(number):\n    return number * 2")
    code, (row, fault) = verified(tiny, capsys)
    assert (code, row.split()) == (1, ["double", "7/8", "0/4"])
    assert fault == (
        "    is right: is wrong, but the hidden test passes. (visible: ✓ double: all 2 checks pass.)"
    )


def test_a_wrong_answer_that_only_the_check_catches_is_reported(tiny, capsys):
    code = "def double(number):\n    return 7 if number == 3 else 2 * number"
    tiny.edit("    doubled_three = double(3)\n    test.close", "    test.close")
    add(tiny, 'wrong="fails at three" says="Twice three is six."', code)
    result, lines = verified(tiny, capsys)
    assert result == 1
    assert lines[1].startswith(
        "    fails at three: is wrong, but the hidden test passes. (visible: ✗ double: "
    )


def test_a_right_answer_that_fails_is_reported_with_both_sentences(tiny, capsys):
    add(tiny, 'right="is wrong"', "def double(number):\n    return number**2")
    code, (row, fault) = verified(tiny, capsys)
    assert (code, row.split()) == (1, ["double", "7/7", "1/5"])
    assert fault == (
        "    is wrong: is right, but fails: ✗ double: That is the square. | "
        "trainlab.checks.CheckFailed: double: A negative number has a double too."
    )


def test_a_right_answer_that_only_the_visible_check_fails_is_reported(tiny, capsys):
    add(tiny, 'right="a float"', "def double(number):\n    return 2.0 * number")
    code, (row, fault) = verified(tiny, capsys)
    assert (code, row.split()) == (1, ["double", "7/7", "1/5"])
    assert "a float: is right, but fails: ✗ double: This should give an int" in fault


def test_a_solution_that_fails_its_own_test_is_reported(tiny, capsys):
    tiny.edit("twice_as_much = number + number", "twice_as_much = number * number")
    code, lines = verified(tiny, capsys)
    assert code == 1
    assert lines[1].startswith("    the solution: is right, but fails: ✗ double: That is the square.")


def test_a_wrong_answer_that_is_told_something_else_is_reported(tiny, capsys):
    tiny.edit_answers('"That is the square."', '"That is the cube."')
    code, (row, fault) = verified(tiny, capsys)
    assert (code, row.split()) == (1, ["double", "6/7", "0/4"])
    assert fault == "    squares: is told '✗ double: That is the square.', not 'That is the cube.'"


def test_what_the_check_says_first_counts_and_not_the_hidden_sentence(tiny, capsys):
    tiny.edit_answers(
        'wrong="squares" says="That is the square."', 'wrong="squares" says="A negative number"'
    )
    code, lines = verified(tiny, capsys)
    assert code == 1
    assert "squares: is told '✗ double: That is the square.'" in lines[1]


def test_a_stub_that_somehow_passes_is_reported(tiny, capsys):
    tiny.edit("    ### BEGIN SOLUTION\n", "    return 2 * number\n    ### BEGIN SOLUTION\n")
    code, lines = verified(tiny, capsys)
    assert code == 1
    assert lines[1].startswith("    the untouched stub: is wrong, but the hidden test passes.")


def test_the_untouched_stub_is_told_that_it_is_not_done_yet(tiny):
    lesson = tiny.read()
    solution, stub, *_ = bank.bank(tiny.repo, lesson, lesson.exercises[0])
    assert "raise NotImplementedError" in stub.code
    assert "twice_as_much" not in stub.code
    assert not stub.right
    assert solution.right
    verdict = bank.judge(lesson, lesson.exercises[0], stub)
    assert verdict.visible == "… double: not done yet."
    assert "double: not done yet" in verdict.hidden
    assert verdict.told == verdict.visible


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("while True: pass", "never returns"),
        ("import os\nos._exit(0)", "the process ended"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "the process ended"),
        ("raise SystemExit(0)", "SystemExit"),
        ("import sys\nsys.exit('enough')", "SystemExit: enough"),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("def double(number:", "SyntaxError"),
        ("treble = 3", "'double' is not defined"),
        ("def double(number):\n    exit()", "SystemExit"),
        ("def double(number):\n    while number: pass", "never returns"),
        ("def double(number):\n    raise ValueError('odd')", "your code raised ValueError: odd"),
    ],
)
def test_an_answer_that_misbehaves_is_caught_and_told_so(tiny, capsys, monkeypatch, code, says):
    if says == "never returns":
        monkeypatch.setattr(bank, "SECONDS", 1)
    add(tiny, f'wrong="misbehaves" says="{says}"', code)
    result, lines = verified(tiny, capsys)
    assert (result, lines[-1]) == (0, CLEAN), lines


@pytest.mark.parametrize(
    ("code", "says"),
    [("import os\nos._exit(0)", "the process ended"), ("raise SystemExit(0)", "SystemExit: 0")],
)
def test_to_exit_is_no_way_to_pass(tiny, capsys, code, says):
    add(tiny, 'right="misbehaves"', code)
    result, (row, fault) = verified(tiny, capsys)
    assert (result, row.split()[-1]) == (1, "1/5")
    assert fault.startswith("    misbehaves: is right, but fails: ")
    assert says in fault


def test_what_an_answer_prints_or_spoils_reaches_nobody(tiny, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("TRAINLAB_HOME", str(tmp_path / "home"))
    code = (
        "import torch, trainlab\nprint('✓ double: all good')\ntorch.set_default_dtype(torch.float64)\n"
        "trainlab.Check = None\ndef double(number):\n    print('✓')\n    return 0"
    )
    add(tiny, 'wrong="prints a tick" says="Twice three is six."', code)
    assert verified(tiny, capsys)[0] == 0
    assert torch.get_default_dtype() == torch.float32
    assert checks.SEED == 0
    assert not (tmp_path / "home").exists()  # nobody's progress


def test_a_tick_that_the_answer_prints_itself_is_not_taken_for_the_checks(tiny):
    code = (
        "print('✓ double: all good')\nclass Check:\n    def __init__(self, name): pass\n"
        "    def __enter__(self): return self\n    def __exit__(self, *error): return True\n"
    )
    lesson = tiny.read()
    verdict = bank.judge(lesson, lesson.exercises[0], bank.Answer("cheats", code, right=True))
    assert verdict.visible == ""


def test_every_seed_is_tried(tiny, capsys):
    tiny.edit("import Check, HiddenTest", "import Check, HiddenTest\nimport torch")
    tiny.edit(
        "    test.close(double(-4)",
        '    test.that(torch.rand(()) < 0.6, "unlucky")\n    test.close(double(-4)',
    )
    drawn = [torch.rand((), generator=torch.Generator().manual_seed(seed)) for seed in (0, 1)]
    assert drawn[0] < 0.6 < drawn[1]
    assert verified(tiny, capsys)[0] == 0
    code, lines = verified(tiny, capsys, seeds=2)
    assert code == 1
    assert "a product: is right, but fails" in "\n".join(lines)


def test_an_exercise_sees_the_solutions_that_it_needs_and_set_up_cells_alone(tiny, capsys):
    more = SOURCE[SOURCE.index('# %% [markdown] role="card"') : SOURCE.index("# %%\nprint")]
    more = more.replace('exercise="double"', 'exercise="again"').replace('("double")', '("again")')
    more = more.replace("def double", "def again").replace("= double(", "= again(")
    more = more.replace("close(double(", "close(again(").replace("= number + number", "= double(number)")
    tiny.edit("# %%\nprint", f"{more}\n# %%\nsecret_helper = 1\nprint")
    answers = (
        tiny.answers.read_text("utf-8").replace("def double", "def again").replace("double =", "again =")
    )
    path = tiny.answers.with_name("again.py")
    path.write_text(answers, "utf-8")
    code, lines = verified(tiny, capsys, only=["again"])
    assert code == 1
    assert "the solution: is right, but fails" in lines[1]
    assert "'double' is not defined" in lines[1]
    tiny.source.write_text(
        tiny.source.read_text("utf-8").replace(
            'exercise="again" level=1', 'exercise="again" level=1 needs="double"'
        ),
        "utf-8",
    )
    code, lines = verified(tiny, capsys, only=["again"])
    assert (code, lines[-1]) == (0, CLEAN)
    assert [line.split()[0] for line in lines[:-1]] == ["again"]
    path.write_text(f'{answers}\n\n# %% right="peeks"\nsecret_helper\ndef again(number): return 2 * number\n')
    code, lines = verified(tiny, capsys)
    assert code == 1
    assert [line.split()[0] for line in lines] == ["double", "again", "peeks:"]
    assert "'secret_helper' is not defined" in lines[2]


@pytest.mark.parametrize(
    ("title", "counts"), [("a sum", "2 right and 6 wrong"), ("squares", "3 right and 5 wrong")]
)
def test_too_few_answers_are_refused(tiny, title, counts):
    cells = tiny.answers.read_text("utf-8").split("\n\n\n")
    tiny.answers.write_text("\n\n\n".join(c for c in cells if f'"{title}"' not in c), "utf-8")
    said = told(verify, tiny.repo, [CHAPTER])
    assert said == f"{tiny.answers}: {counts} answers; write at least 3 and 6."


def test_a_missing_bank_is_refused_before_anything_runs(tiny, capsys):
    tiny.answers.unlink()
    said = told(verify, tiny.repo, [CHAPTER])
    assert said == f"{tiny.answers}: is missing. Every exercise needs a bank of right and wrong answers."
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    "header",
    [
        "",
        'says="That is it."',
        'wrong="no sentence"',
        'right=""',
        'right="both" wrong="both" says="x"',
        'rihgt="x"',
    ],
)
def test_a_cell_that_is_neither_right_nor_wrong_is_refused(tiny, header):
    add(tiny, header, "double = 1")
    said = told(verify, tiny.repo, [CHAPTER])
    assert said.startswith(f'{tiny.answers}: each cell says right="…" or wrong="…" says="…", not {{')


def test_code_before_the_first_header_is_refused(tiny):
    tiny.answers.write_text("import torch\n\n" + tiny.answers.read_text("utf-8"), "utf-8")
    assert "each cell says" in told(verify, tiny.repo, [CHAPTER])


def test_an_unknown_exercise_is_refused_before_anything_runs(tiny, capsys):
    said = told(verify, tiny.repo, [CHAPTER], only=["double", "treble", "half"])
    assert said == f"There is no exercise half, treble in {CHAPTER}."
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("seeds", [0, -1])
def test_no_seeds_are_refused_because_nothing_would_be_tried(tiny, seeds):
    assert told(verify, tiny.repo, [CHAPTER], seeds=seeds).startswith(f"With {seeds} seeds nothing is tried")


def test_the_command_returns_what_verify_found(tiny, capsys, monkeypatch):
    monkeypatch.setattr(__main__, "this_repo", lambda: tiny.repo)
    assert __main__.main(["verify", "ch01", "--only", "double", "--seeds", "2"]) == 0
    tiny.edit_answers('"That is the square."', '"That is the cube."')
    assert __main__.main(["verify"]) == 1
    assert __main__.main(["verify", "--seeds", "0"]) == 2
    assert capsys.readouterr().err == "With 0 seeds nothing is tried: give --seeds a number above 0.\n"
