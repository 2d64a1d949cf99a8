import logging
import math
import warnings

import numpy as np
import pytest
import torch

from trainlab import checks
from trainlab.checks import Check, CheckFailed, Claims, HiddenTest, needs


@pytest.fixture(autouse=True)
def recorded(monkeypatch):
    seen = []
    monkeypatch.setattr(checks, "record", lambda *outcome: seen.append(outcome))
    return seen


def told(capsys, climb):
    with Check("f") as check:
        climb(check)
    return capsys.readouterr().out.strip()


def test_a_check_that_passes_counts_its_rungs(capsys, recorded):
    def climb(check):
        check.that(True, "never told")
        check.shape(torch.zeros(2, 3), (2, 3))
        check.close(0.5, 0.5, "never told")

    assert told(capsys, climb).startswith("✓ f: all 3 checks pass")
    assert recorded == [("f", "passed")]


def test_a_failed_rung_ends_the_climb_with_its_sentence(capsys, recorded):
    def climb(check):
        check.that(False, "Look at the slope.")
        raise RuntimeError("never reached")

    assert told(capsys, climb) == "✗ f: Look at the slope."
    assert recorded == [("f", "failed")]


def test_an_unsolved_exercise_is_not_done_yet(capsys, recorded):
    def climb(check):
        raise NotImplementedError

    assert told(capsys, climb) == "… f: not done yet."
    assert recorded == [("f", "todo")]


def test_a_missing_name_asks_about_the_cell(capsys):
    def climb(check):
        exec("g()", {})

    out = told(capsys, climb)
    assert "'g' is not defined" in out
    assert "Has its cell been run" in out


def test_an_error_of_the_learner_is_told_not_raised(capsys):
    assert "ZeroDivisionError" in told(capsys, lambda check: 1 / 0)


def test_an_error_comes_with_the_case_that_was_tried(capsys):
    def body(check):
        with check.case("an empty list"):
            check.that(True, "")
        with check.case("a zero"):
            math.log(0)

    assert told(capsys, body).endswith("This was the case: a zero.")
    assert "the case" not in told(capsys, lambda check: 1 / 0)


def test_a_case_does_not_hide_a_rungs_own_sentence(capsys):
    def body(check):
        with check.case("a zero"):
            check.that(False, "Off.")

    assert told(capsys, body) == "✗ f: Off."


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_check_never_swallows_the_learners_stop(error):
    with pytest.raises(error), Check("f"):
        raise error


@pytest.mark.parametrize(
    ("got", "want"),
    [
        (float("nan"), 1.0),
        (float("nan"), float("nan")),
        (torch.tensor([]), torch.tensor([1.0])),
        (torch.ones(3), torch.ones(3, 1)),
        (torch.ones(3), 1.0),
        (torch.tensor([1.0, float("nan")]), torch.ones(2)),
        (1.001, 1.0),
    ],
)
def test_close_is_not_fooled(got, want):
    with pytest.raises(CheckFailed, match=r"^f: (off|This should be)"), HiddenTest("f") as test:
        test.close(got, want, "off")


@pytest.mark.parametrize("got", [2, 2.0, np.float32(2), np.int64(2), torch.tensor(2.0), torch.tensor(2)])
def test_close_takes_every_kind_of_number(got):
    with HiddenTest("f") as test:
        test.close(got, 2.0, "off")


def test_close_knows_a_mistake_when_it_sees_one(capsys):
    known = [(4.0, "That is the square.")]
    assert "That is the square." in told(capsys, lambda c: c.close(4.0, 2.0, "off", known=known))


def test_only_the_visible_check_shows_figures(capsys):
    assert "Expected 2, got 3" in told(capsys, lambda c: c.close(3.0, 2.0, "off"))
    with pytest.raises(CheckFailed) as failure, HiddenTest("f") as test:
        test.close(3.0, 2.0, "off")
    assert "2" not in str(failure.value)


def test_none_asks_for_the_return(capsys):
    assert "Is the `return` missing?" in told(capsys, lambda c: c.close(None, 2.0, "off"))


def test_kinds_have_their_articles(capsys):
    said = told(capsys, lambda c: c.is_a([3], int))
    assert "This should give an int, but it gives a list." in said
    said = told(capsys, lambda c: c.is_a(3, (float, list)))
    assert "This should give a float or a list, but it gives an int." in said


def test_a_hidden_test_raises_one_clean_sentence():
    with pytest.raises(CheckFailed, match="f: your code raised ValueError: bad") as failure, HiddenTest("f"):
        raise ValueError("bad")
    assert failure.value.__suppress_context__


def test_a_hidden_test_is_not_escaped_by_exit():
    with pytest.raises(CheckFailed, match="SystemExit"), HiddenTest("f"):
        raise SystemExit(0)


def test_a_time_limit_still_interrupts_a_hidden_test():
    with pytest.raises(KeyboardInterrupt), HiddenTest("f"):
        raise KeyboardInterrupt


def test_noise_in_a_hidden_test_reaches_nobody(capsys):
    with HiddenTest("f"):
        print("debugging")
        warnings.warn("careful", stacklevel=1)
        logging.getLogger("learner").warning("careful")
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_a_hidden_test_starts_clean_and_leaves_no_trace():
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    try:
        with HiddenTest("f") as test:
            first = torch.rand(2)
            test.that(first.dtype == torch.float32, "float32")
            test.that(torch.is_grad_enabled(), "grad")
        with HiddenTest("f"):
            assert torch.equal(torch.rand(2), first)
        assert torch.get_default_dtype() == torch.float64
        assert not torch.is_grad_enabled()
        assert torch.equal(torch.rand(3), expected)
    finally:
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)


def test_an_experiment_waits_for_its_exercise(capsys):
    with needs("f", "g"):
        raise NotImplementedError
    with needs("f"):
        exec("f()", {})
    assert capsys.readouterr().out.count("This experiment starts once f") == 2


def test_an_experiment_does_not_hide_other_names():
    with pytest.raises(NameError), needs("f"):
        exec("h()", {})


def test_claims_are_all_printed_and_raised_together(capsys, monkeypatch):
    monkeypatch.delenv("TRAINLAB_FAST")
    with pytest.raises(AssertionError, match=r"one; two$"), Claims() as claim:
        claim("one", False)
        claim("two", torch.tensor(False), weaker=True)
        claim("three", True)
    assert capsys.readouterr().out.splitlines() == ["✗ one", "✗ two", "✓ three"]


def test_a_short_budget_tests_the_weaker_form_and_says_so(capsys, monkeypatch):
    monkeypatch.setenv("TRAINLAB_FAST", "1")
    with Claims() as claim:
        claim("strong", False, weaker=True)
    assert "a weaker form, because of fast mode" in capsys.readouterr().out
    with pytest.raises(AssertionError), Claims() as claim:
        claim("no way out", False)


def test_a_wrong_shape_is_named(capsys):
    assert "should be one number, but it is a tensor of shape (3,)" in told(
        capsys, lambda c: c.close(torch.ones(3), 1.0, "off")
    )


def test_an_error_of_torch_is_no_stub(capsys):
    def climb(check):
        raise NotImplementedError("\"log_softmax\" not implemented for 'Long'")

    assert "your code raised NotImplementedError" in told(capsys, climb)
    with pytest.raises(NotImplementedError), needs("f"):
        raise NotImplementedError("of torch")


def test_autograd_left_switched_off_is_told_and_put_right(capsys):
    try:
        assert "switched off" in told(capsys, lambda c: torch.set_grad_enabled(False))
        assert torch.is_grad_enabled()
        with pytest.raises(CheckFailed, match="switched off"), HiddenTest("f"):
            torch.set_grad_enabled(False)
        assert torch.is_grad_enabled()
    finally:
        torch.set_grad_enabled(True)
