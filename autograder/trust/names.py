"""Functions and classes that both processes have: they cross by name."""

from __future__ import annotations

import importlib
import sys
from functools import lru_cache
from types import BuiltinFunctionType, FunctionType
from typing import Any

import torch

from autograder.trust.wire import WireError

_ROOTS = frozenset({"torch", "math", "numpy", "builtins", "operator", "functools", "statistics"})
_LOOSE = ("torch", "torch.nn.functional", "torch.special", "torch.linalg", "torch.nn.init", "math", "numpy")
_BELIEVED = ("torch.nn.modules.", "torch.optim.")  # whose classes the learner's side may name
_BASES = (torch.nn.Module, torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)


def path_of(value: Any, *, trusted: bool) -> str | None:
    """The name by which the other side knows `value` as well, None if it has none.

    Args:
        value: anything.
        trusted: whether the other side believes it, or only what `find` allows the learner's.
    """
    if not isinstance(value, type | FunctionType | BuiltinFunctionType) or isinstance(value, Foreign):
        return None
    path = _path(value)
    return path if path and (trusted or _believed(path, value)) else None


class Foreign(type):
    """Marks the classes that stand in for others; see `stand_ins`."""


@lru_cache(1024)
def _path(value: Any) -> str | None:
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    told = isinstance(module, str) and isinstance(name, str) and module.partition(".")[0] in _ROOTS
    if told and _look(module, name) is value:
        return f"{module}:{name}"
    if isinstance(value, BuiltinFunctionType | FunctionType):
        for module in _LOOSE:
            if getattr(sys.modules.get(module), value.__name__, None) is value:
                return f"{module}:{value.__name__}"
    return None


def _look(module: str, name: str) -> Any:
    found = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found


def _believed(path: str, value: Any) -> bool:
    return path.startswith(_BELIEVED) and isinstance(value, type) and issubclass(value, _BASES)


def find(path: Any, *, trusted: bool) -> Any:
    """What has that name.

    Args:
        path: module and qualified name, with a colon between.
        trusted: whether this is the process of the tests; it takes only torch's modules, optimisers and schedulers.

    Raises:
        WireError: if there is no such thing.
    """
    if path == "builtins:object":
        return object
    if type(path) is not str or path.count(":") != 1:
        raise WireError("no name")
    module, name = path.split(":")
    if not trusted:
        importlib.import_module(module)
    value = _look(module, name)
    if value is None or (trusted and not _believed(path, value)):
        raise WireError(f"no {path}")
    return value


def anchor(cls: type) -> type:
    """The nearest class above `cls`, itself included, that both sides have; `object` at least."""
    return next((c for c in cls.__mro__ if _believed(_path(c) or "", c)), object)
