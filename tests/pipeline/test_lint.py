"""Each rule of ``build --check`` finds what it is for, in files that no build would have made."""

import nbformat
import pytest

from autograder import lint
from autograder.lesson import SOLUTION
from tests.pipeline.conftest import cell_of, printed


def problems(tiny):
    return list(lint.lesson_problems(tiny.repo, tiny.read()))


def released(tiny, *what):
    return [f"{tiny.release.relative_to(tiny.repo.root)}: {w}" for w in what]


def solved(tiny, *what):
    return [f"{tiny.solved.relative_to(tiny.repo.root)}: {w}" for w in what]


def add_to(ident, text):
    """A change that puts `text` behind what a cell says."""

    def change(notebook):
        cell_of(notebook, ident).source += f"\n{text}"

    return change


def test_a_good_lesson_has_no_problem(built):
    assert problems(built) == []


# ---- the release ----------------------------------------------------------------------------------------


def test_a_line_of_a_solution_is_a_leak_wherever_it_stands(built):
    line = "twice_as_much = number + number"
    for ident in ("double-hints", "install", "double-stub", "halves-question"):
        built.build()
        built.change(built.release, add_to(ident, f"   {line}"))
        assert released(built, f"leaks a line of 'double': `{line}`")[0] in problems(built), ident


def test_a_hidden_line_is_a_leak(built):
    line = 'test.close(double(-4), -8, "A negative number has a double too.")'
    built.change(built.release, add_to("double-test", f"    {line}"))
    assert problems(built) == released(built, f"leaks a line of 'double': `{line}`")


def test_a_build_that_left_its_solution_in_is_found(built):
    """The whole of it, as if nothing had been cleared."""
    built.release.write_bytes(built.master.read_bytes())
    found = problems(built)
    for part in (
        "leaks a line of 'double': `twice_as_much = number + number`",
        "leaks a line of 'double': `with HiddenTest(\"double\") as test:`",
        "leaks the model answer of 'halves'",
        "cell 'double-stub' has the marker `### BEGIN SOLUTION`",
        "cell 'double-stub' has the marker `### END SOLUTION`",
        "cell 'double-test' has the marker `### BEGIN HIDDEN TESTS`",
    ):
        assert released(built, part)[0] in found, part


def test_the_model_answer_is_a_leak(built):
    built.change(built.release, add_to("halves-answer", "So: A whole, because two halves are one. Clear?"))
    assert problems(built) == released(built, "leaks the model answer of 'halves'")


def test_what_an_experiment_shows_of_a_solution_is_a_leak_that_a_build_would_make(built):
    built.edit("# %%\nprint", "# %%\nnumber = 1\ntwice_as_much = number + number\nprint")
    built.build()
    assert released(built, "leaks a line of 'double': `twice_as_much = number + number`")[0] in problems(
        built
    )


@pytest.mark.parametrize(
    "line",
    [
        'print("nothing to solve in an experiment")',  # stands in an experiment too
        "doubled_three = double(3)",  # stands in the visible check too
        "# Graded with other numbers, and a long comment",  # a comment
        "with torch.inference_mode():",  # says nothing
        "y = double()",  # short
    ],
)
def test_a_hidden_line_that_is_public_on_purpose_is_no_leak(built, line):
    built.edit("    test.close(double(-4)", f"    {line}\n    test.close(double(-4)")
    built.build()
    built.change(built.release, add_to("double-test", line))
    assert problems(built) == []


@pytest.mark.parametrize(
    "line",
    [
        "return twice_as_much",
        "# a comment about sums",
        "with torch.no_grad():",
        "try:",
        "total = 4567",
        "optimizer.step()",
        "super().__init__()",
    ],
)
def test_a_line_that_does_not_solve_anything_is_no_secret(line):
    text = f"def f():\n    ### BEGIN SOLUTION\n    {line}\n    telling = solve_it(1)\n    ### END SOLUTION"
    assert lint.secret(text, SOLUTION) == {"telling = solve_it(1)"}


def test_a_line_of_thirteen_characters_is_long_enough_to_be_a_secret():
    text = "### BEGIN SOLUTION\ntotal = 45678\ntotal = 4567\n### END SOLUTION"
    assert lint.secret(text, SOLUTION) == {"total = 45678"}


def test_a_line_that_also_stands_outside_the_markers_is_no_secret():
    text = "total = total + 1\n### BEGIN SOLUTION\ntotal = total + 1\nother = total + 2\n### END SOLUTION"
    assert lint.secret(text, SOLUTION) == {"other = total + 2"}


def keep_output(notebook):
    cell_of(notebook, "install").outputs = [printed("installed\n")]


def keep_count(notebook):
    cell_of(notebook, "install").execution_count = 3


@pytest.mark.parametrize("change", [keep_output, keep_count])
def test_a_release_keeps_neither_outputs_nor_counts(built, change):
    built.change(built.release, change)
    assert problems(built) == released(built, "cell 'install' kept its output")


@pytest.mark.parametrize("key", ["authors", "author", "colab", "vscode", "toc", "celltoolbar", "execution"])
def test_a_release_names_no_author_and_no_editor(built, key):
    expected = released(built, f"carries {key!r} in its metadata")
    built.change(built.release, lambda n: n.metadata.update({key: [{"name": "x"}]}))
    assert problems(built) == expected
    built.build()
    assert problems(built) == []
    built.change(built.release, lambda n: cell_of(n, "double-card").metadata.update({key: {"x": 1}}))
    assert problems(built) == expected


@pytest.mark.parametrize(
    "line",
    [
        "### BEGIN SOLUTION",
        "    ### END HIDDEN TESTS",
        "### begin solution",
        "#### END SOLUTION",
        "# BEGIN HIDDEN TEST",
        "x = 1  ### BEGIN SOLUTION",
    ],
)
def test_a_release_has_no_marker_well_or_badly_spelt(built, line):
    built.change(built.release, add_to("double-hints", line))
    assert problems(built) == released(built, f"cell 'double-hints' has the marker `{line.strip()}`")


def test_a_release_may_talk_of_solutions_and_tests(built):
    built.change(built.release, add_to("double-hints", "## Resolution\n# the solution\n# hidden tests"))
    assert problems(built) == []


def test_a_stub_has_no_line_that_its_solution_has_not(built):
    built.change(built.release, add_to("double-stub", "    return number"))
    said = "the stub of 'double' has a line that its solution has not: `return number`"
    assert problems(built) == released(built, said)


def test_a_stub_may_hold_places_for_the_answer(built):
    built.change(built.release, add_to("double-stub", "    raise NotImplementedError  # a second place"))
    assert problems(built) == []


# ---- the solutions --------------------------------------------------------------------------------------


def test_solutions_that_were_never_executed_are_found(tiny):
    tiny.build()
    said = "was not executed since its code changed; run `python -m autograder build --execute`."
    assert problems(tiny) == solved(tiny, said)


def test_a_single_cell_that_was_not_executed_is_found(built):
    def forget(notebook):
        cell_of(notebook, "double-stub").execution_count = None

    built.change(built.solved, forget)
    assert [p.partition(": ")[2][:16] for p in problems(built)] == ["was not executed"]


@pytest.mark.parametrize("reason", ["fast mode", "the offline set"])
def test_solutions_rendered_on_a_short_budget_or_offline_are_found(built, reason):
    def shorten(notebook):
        output = printed(f"✓ a claim  [a weaker form, because of {reason}]\n")
        cell_of(notebook, "install").outputs = [output]

    built.change(built.solved, shorten)
    said = "was rendered on a short budget or without its data; run `build --execute` with neither"
    assert problems(built) == solved(built, said)


def test_the_words_of_a_short_budget_are_those_of_the_toolkit(monkeypatch, capsys):
    from trainlab import Claims

    monkeypatch.setenv("TRAINLAB_FAST", "1")
    with Claims() as claim:
        claim("strong", False, weaker=True)
    assert lint.SHORT in capsys.readouterr().out


def test_an_error_inside_a_widget_is_found(built):
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no slope", "traceback": []}
    fine = {"output_type": "stream", "name": "stdout", "text": "a slope"}
    states = {
        "1": {"model_name": "SliderModel", "state": {"value": 1}},
        "2": {"model_name": "OutputModel", "state": {"outputs": [fine]}},
        "3": {"model_name": "OutputModel", "state": {"outputs": [fine, error]}},
    }
    kind = "application/vnd.jupyter.widget-state+json"
    built.change(built.solved, lambda n: n.metadata.update(widgets={kind: {"state": states}}))
    assert problems(built) == solved(built, "a widget fails: ValueError: no slope")


@pytest.mark.parametrize(
    "shown", ["✗ double: Twice three is six.\n", "… double: not done yet.\n", "✓ treble: all pass.\n", ""]
)
def test_a_check_that_does_not_pass_on_its_solution_is_found(built, shown):
    def fail(notebook):
        cell_of(notebook, "double-check").outputs = [printed(shown)] if shown else []

    built.change(built.solved, fail)
    said = f"the check of 'double' does not pass on the solution: {shown.strip()!r}"
    assert problems(built) == solved(built, said)


# ---- files ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<<<<<<< HEAD\n",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b"null",
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code"}]}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "raw", "id": "a"}]}',
        b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": ['
        b'{"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": 1}]}',
        b'{"nbformat": 99, "nbformat_minor": 5, "metadata": {}, "cells": []}',
    ],
    ids=[
        "empty",
        "conflict",
        "bytes",
        "list",
        "mapping",
        "null",
        "bare cell",
        "half a cell",
        "no source",
        "future",
    ],
)
def test_a_notebook_that_cannot_be_read_is_one_line_and_can_be_built_anew(built, content):
    for path, says in ((built.release, released), (built.solved, solved)):
        good = path.read_bytes()
        path.write_bytes(content)
        (problem,) = problems(built)
        assert problem.startswith(says(built, "cannot be read: ")[0])
        assert "\n" not in problem
        assert built.build() == [path]
        path.write_bytes(good)
    assert problems(built) == []


def test_a_notebook_that_is_not_there_is_one_line(built):
    built.release.unlink()
    (problem,) = problems(built)
    assert problem.startswith(released(built, "cannot be read: ")[0])


def test_all_problems_of_both_notebooks_are_reported_together(built):
    built.change(built.release, keep_output)
    built.change(built.release, add_to("double-stub", "    return number"))
    built.change(built.solved, lambda n: cell_of(n, "double-check").update(outputs=[]))
    assert len(problems(built)) == 3


def test_what_a_build_makes_is_valid_to_jupyter(built):
    for path in (built.master, built.release, built.solved):
        nbformat.validate(nbformat.read(path, as_version=4))
