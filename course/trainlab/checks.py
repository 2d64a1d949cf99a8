"""The two faces of a test: `Check`, which the learner sees, and `HiddenTest`, which grades.

Both are ladders of the same rungs, each with a sentence that says what is wrong and what to look at.
A `Check` prints the first sentence that fails and never stops the notebook; a `HiddenTest` raises it,
because nbgrader gives the points of a cell that runs without an error.
"""

from __future__ import annotations

import contextlib
import io
import logging
import math
import traceback
import warnings
from collections.abc import Iterable, Iterator
from numbers import Number
from typing import Any

import torch

from trainlab.progress import record
from trainlab.runtime import is_fast

STUB = "raise NotImplementedError"
SEED = 0  # of every hidden test; the answer bank varies it to prove that no verdict hangs on luck


class CheckFailed(AssertionError):
    """A rung that does not hold; its text is the sentence for the learner."""


class _Ladder:
    """Rungs to climb one after another; the first that fails ends the climb."""

    def __init__(self, exercise: str):
        self.exercise = exercise
        self.climbed = 0
        self._grad = True
        self._case = ""

    def _remember_grad_mode(self) -> None:
        self._grad = torch.is_grad_enabled()

    def _restore_grad_mode(self) -> CheckFailed | None:
        """Put autograd's switch back; the failure to tell of if an answer left it turned."""
        turned = torch.is_grad_enabled() != self._grad
        torch.set_grad_enabled(self._grad)
        told = (
            "your code leaves autograd switched off. Use `with torch.no_grad():`, which switches it back on."
        )
        return CheckFailed(told) if turned and self._grad else None

    def that(self, condition: Any, sentence: str) -> None:
        """Climb if `condition` is true, else fail with `sentence`."""
        if not bool(condition):
            raise CheckFailed(sentence)
        self.climbed += 1

    @contextlib.contextmanager
    def case(self, what: str) -> Iterator[None]:
        """Name the case that the body tries, for the sentence about an error that the learner's code raises.

        ``with check.case("no parameter has a gradient"): ...``. A rung that fails speaks for itself.
        """
        self._case = what
        yield  # after an error the name stays, to be told
        self._case = ""

    def is_a(self, value: Any, kind: type | tuple[type, ...], sentence: str = "") -> None:
        """Climb if `value` is an instance of `kind`; the default sentence names both types."""
        self.that(isinstance(value, kind), sentence or _wrong_kind(value, kind))

    def shape(self, value: Any, expected: tuple[int, ...], sentence: str = "") -> None:
        """Climb if `value` is a tensor of exactly the shape `expected`."""
        if not isinstance(value, torch.Tensor):
            raise CheckFailed(_wrong_kind(value, torch.Tensor))
        told = f"The shape should be {tuple(expected)}, but it is {tuple(value.shape)}. {sentence}"
        self.that(tuple(value.shape) == tuple(expected), told.strip())

    def close(
        self,
        got: Any,
        want: Any,
        sentence: str,
        *,
        known: Iterable[tuple[Any, str]] = (),
        rtol: float = 1e-4,
        atol: float = 1e-6,
    ) -> None:
        """Climb if `got` is numerically `want`, shapes included; nan is close to nothing.

        Args:
            got: a number or tensor from the learner.
            want: the right value.
            sentence: told if `got` is wrong in a way nobody foresaw.
            known: pairs `(wrong value, sentence)`: mistakes worth a sentence of their own.
            rtol: relative tolerance.
            atol: absolute tolerance.
        """
        if not isinstance(got, (Number, torch.Tensor)):
            raise CheckFailed(_wrong_kind(got, (Number, torch.Tensor)))
        if _close(got, want, rtol, atol):
            self.climbed += 1
            return
        if _shape(got) != _shape(want):
            raise CheckFailed(f"This should be {_form(want)}, but it is {_form(got)}.")
        for wrong, reason in known:
            if _close(got, wrong, rtol, atol):
                raise CheckFailed(reason)
        raise CheckFailed(f"{sentence}{self._figures(got, want)}")

    def _figures(self, got: Any, want: Any) -> str:
        """What to add about the values themselves: nothing, so that a hidden value stays hidden."""
        return ""

    def _explain(self, error: BaseException) -> str:
        """One sentence for whatever the learner's code raised."""
        if isinstance(error, CheckFailed):
            return str(error)
        if _is_stub(error):
            return f"not done yet: the line `{STUB}` is still reached. Put your answer in its place."
        if isinstance(error, NameError) and not isinstance(error, UnboundLocalError):
            return f"{error}. Has its cell been run, and does it still have the name it was given?"
        said = f": {error}" if str(error) else ""
        told = f"your code raised {type(error).__name__}{said}{_where(error)}"
        return f"{told.rstrip('.')}. This was the case: {self._case}." if self._case else told


class Check(_Ladder):
    """The visible check of an exercise: ``with Check("he_std") as check: ...``.

    Prints one line: a tick with the number of rungs, "not done yet", or what is wrong. It never
    raises on the learner's account, so that a half-solved notebook still runs to its end. The outcome
    goes to the learner's own progress file.
    """

    def __enter__(self) -> Check:
        self._remember_grad_mode()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        turned = self._restore_grad_mode()
        if error is not None and not isinstance(error, Exception):
            return False  # Ctrl-C and exit() are the learner's to use
        error = error or turned
        if error is None:
            record(self.exercise, "passed")
            print(f"✓ {self.exercise}: all {self.climbed} checks pass.")
        elif _is_stub(error):
            record(self.exercise, "todo")
            print(f"… {self.exercise}: not done yet.")
        else:
            record(self.exercise, "failed")
            print(f"✗ {self.exercise}: {self._explain(error)}")
        return True

    def _figures(self, got: Any, want: Any) -> str:
        if isinstance(got, Number) and isinstance(want, Number):
            return f" (Expected {want:.6g}, got {got:.6g}.)"
        return ""


class HiddenTest(_Ladder):
    """A graded test: ``with HiddenTest("he_std") as test: ...``; raises `CheckFailed` on the first failure.

    The body runs in a clean numerical state (seeded, float32, gradients on), whatever the notebook left
    behind, and what the learner's code prints, warns or logs in it costs no point: nbgrader would take
    any text on stderr for a failure.
    """

    def __init__(self, exercise: str):
        super().__init__(exercise)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> HiddenTest:
        self._stack.enter_context(_clean_state(SEED))
        self._stack.enter_context(_silence())
        self._remember_grad_mode()
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        error = error or self._restore_grad_mode()
        self._stack.close()
        if error is None or isinstance(error, KeyboardInterrupt):
            return False
        raise CheckFailed(f"{self.exercise}: {self._explain(error)}") from None


@contextlib.contextmanager
def needs(*exercises: str) -> Iterator[None]:
    """Run an experiment that uses the learner's own code; say what it waits for if that is not done.

    Args:
        exercises: the names that the body uses.
    """
    waiting = f"… This experiment starts once {' and '.join(exercises)} pass{'es' * (len(exercises) == 1)}."
    try:
        yield
    except NotImplementedError as error:
        if not _is_stub(error):
            raise
        print(waiting)
    except NameError as error:
        if error.name not in exercises:
            raise
        print(waiting)


class Claims:
    """The closing cell of a lesson: every figure that its prose states, asserted.

    ``with Claims(data) as claim: claim("He trains 30 layers", accuracy > 0.6, weaker=accuracy > 0.15)``.
    A claim that hangs on the full budget or the real data names something `weaker`, which is what is
    asserted in fast mode or on the offline set. All claims are printed; the failed ones are raised
    together at the end.

    Args:
        data: the lesson's data set, or None if no claim depends on one.
    """

    def __init__(self, data: Any = None):
        self._short = "fast mode" if is_fast() else ""
        if data is not None and data.is_offline:
            self._short = "the offline set"
        self._failed: list[str] = []

    def __enter__(self) -> Claims:
        return self

    def __call__(self, statement: str, holds: Any, *, weaker: Any = None) -> None:
        """Print whether `statement` holds; under a short budget test `weaker` in its place, if given."""
        lowered = bool(self._short) and weaker is not None
        holds = bool(weaker if lowered else holds)
        note = f"  [a weaker form, because of {self._short}]" if lowered else ""
        print(f"{'✓' if holds else '✗'} {statement}{note}")
        if not holds:
            self._failed.append(statement)

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if error is None and self._failed:
            raise AssertionError("This run does not bear out: " + "; ".join(self._failed))
        return False


def _close(got: Any, want: Any, rtol: float, atol: float) -> bool:
    """Equal within tolerance, shape first: `allclose` alone is true for an empty tensor and broadcasts."""
    if isinstance(got, Number) and isinstance(want, Number):
        return math.isclose(got, want, rel_tol=rtol, abs_tol=atol)
    a, b = (torch.as_tensor(v).detach().to("cpu", torch.float64) for v in (got, want))
    return a.shape == b.shape and torch.allclose(a, b, rtol=rtol, atol=atol)


def _is_stub(error: BaseException) -> bool:
    """Whether a stub raised this; torch's own NotImplementedErrors come with a text."""
    return isinstance(error, NotImplementedError) and not error.args


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(value.shape) if isinstance(value, torch.Tensor) else ()


def _form(value: Any) -> str:
    return f"a tensor of shape {_shape(value)}" if _shape(value) else "one number"


def _wrong_kind(value: Any, kind: type | tuple[type, ...]) -> str:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    names = " or ".join(_a({Number: "number"}.get(k, k.__name__)) for k in kinds)
    forgot = " Is the `return` missing?" if value is None else ""
    return f"This should give {names}, but it gives {_describe(value)}.{forgot}"


def _describe(value: Any) -> str:
    if value is None:
        return "None"
    if isinstance(value, torch.Tensor):
        return f"a Tensor of shape {tuple(value.shape)}"
    return _a(type(value).__name__)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIOaeio' else 'a'} {name}"


def _where(error: BaseException) -> str:
    """The learner's own line that raised, if it stands in a notebook cell."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if _in_notebook(f.filename)]
    if not frames or not frames[-1].line:
        return ""
    return f"  (in `{frames[-1].name}`, line {frames[-1].lineno}: `{frames[-1].line}`)"


def _in_notebook(filename: str) -> bool:
    return "ipykernel_" in filename or filename.startswith("<ipython-input")


@contextlib.contextmanager
def _clean_state(seed: int) -> Iterator[None]:
    """Seeded, float32, gradients on; everything as it was afterwards."""
    dtype = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.set_default_dtype(torch.float32)
        torch.manual_seed(seed)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)


class _Nowhere(io.TextIOBase):
    """A stream that keeps nothing, so that a flood of output costs no memory either."""

    def write(self, text: str) -> int:
        return len(text)


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Drop what is printed, warned and logged."""
    level = logging.root.manager.disable
    nowhere = _Nowhere()
    with contextlib.redirect_stdout(nowhere), contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        try:
            yield
        finally:
            logging.disable(level)
