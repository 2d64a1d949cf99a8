"""Exceptions that cross: the same built-in class on the other side, with the same text and the learner's own line."""

from __future__ import annotations

import builtins
import linecache
import traceback
from collections.abc import Iterable
from types import TracebackType
from typing import Any

from autograder.trust.wire import WireError

# These would end a loop of the caller's, or be filtered.
_STEERING = (StopIteration, StopAsyncIteration, Warning)
_LONGEST = 2_000


def describe(error: BaseException) -> dict:
    """What the other side is told of an error."""
    names = [cls.__name__ for cls in type(error).__mro__ if getattr(builtins, cls.__name__, None) is cls]
    arguments = list(error.args) if _plain(error.args) else [_text(error)]
    arguments = [a[:_LONGEST] if isinstance(a, str) else a for a in arguments]
    return {"name": type(error).__name__, "bases": names, "args": arguments, "line": _line(error)}


def rebuild(told: dict) -> Exception:
    """The error that the other side tells of.

    Raises:
        WireError: if it tells of none.
    """
    name, bases, arguments, line = (told.get(k) for k in ("name", "bases", "args", "line"))
    kinds = (type(name), type(bases), type(arguments))
    if kinds != (str, list, list) or not _plain(arguments):
        raise WireError("no error")
    known = (getattr(builtins, base, None) for base in bases if type(base) is str)
    base = next((c for c in known if isinstance(c, type) and issubclass(c, Exception)), Exception)
    if issubclass(base, _STEERING):
        base = Exception
    cls = base if base.__name__ == name else type(name, (base,), {})
    try:
        error = cls(*arguments)
    except Exception:
        error = type(name, (Exception,), {})(*map(str, arguments))
    return error.with_traceback(_frame(line)) if line else error


def _plain(arguments: Iterable) -> bool:
    return all(type(a) in (str, int, float, bool, type(None)) for a in arguments)


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return ""


def _line(error: BaseException) -> list | None:
    """Function, number and text of the notebook's line that raised."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if "ipykernel_" in frame.filename or frame.filename.startswith("<ipython-input"):
            return [frame.name, frame.lineno, frame.line]
    return None


def _frame(line: Any) -> TracebackType | None:
    """A traceback that ends in that line, for whoever looks for the learner's own.

    Raises:
        WireError: if it is no line.
    """
    if (
        type(line) is not list
        or [type(part) for part in line] != [str, int, str]
        or not 0 < line[1] < 100_000
    ):
        raise WireError("no line")
    name, number, text = line
    file = f"<ipython-input-{number}-{abs(hash(text))}>"
    linecache.cache[file] = (len(text), None, [""] * (number - 1) + [text[:200] + "\n"], file)
    code = compile("\n" * (number - 1) + "raise Exception", file, "exec")
    try:
        exec(code.replace(co_name=name if name.isidentifier() else "cell"), {})
    except Exception as error:
        return error.__traceback__.tb_next
    return None
