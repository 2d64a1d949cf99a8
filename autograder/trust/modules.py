"""Modules that both processes hold: parameters, buffers, submodules, hooks and the mode are the same on both sides.

A module of one of torch's own classes is a real one on both sides and computes where it is called. One of a class of
the notebook computes where its class was written; the other side holds a stand-in for its methods, around the same
parameters and submodules.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from autograder.trust.wire import WireError

_PARTS = ("_parameters", "_buffers", "_modules")
_HOOKS = ("_forward_hooks", "_forward_pre_hooks")
_FLAGS = ("_forward_hooks_with_kwargs", "_forward_pre_hooks_with_kwargs", "_forward_hooks_always_called")
_KINDS = {"_parameters": nn.Parameter, "_buffers": torch.Tensor, "_modules": nn.Module}
_OWN = frozenset(nn.Module().__dict__)
_PLAIN = (bool, int, float, str, type(None), torch.Size, torch.dtype, torch.Tensor)


def is_torchs(cls: type) -> bool:
    """Whether both sides have this class of modules."""
    return cls.__module__.startswith("torch.nn.modules.") and issubclass(cls, nn.Module)


def state(module: nn.Module, encode: Callable[[Any], Any]) -> list:
    """What the other side should hold of `module`."""
    held = module.__dict__
    return [
        held.get("training", True),
        [[[name, encode(part)] for name, part in held[kind].items()] for kind in _PARTS],
        sorted(held["_non_persistent_buffers_set"]),
        [[[key, encode(hook)] for key, hook in held[kind].items()] for kind in _HOOKS],
        [sorted(held[kind]) for kind in _FLAGS],
        [[name, encode(value)] for name, value in _attributes(module)],
    ]


def glance(module: nn.Module) -> tuple[list, list]:
    """What has to differ before the state of `module` can, and what it is made of, to be kept as long as that."""
    held = module.__dict__
    dicts = [held[kind] for kind in (*_PARTS, *_HOOKS, *_FLAGS)]
    dicts.append(dict(_attributes(module)))
    kept = [type(module), *(value for values in dicts for value in values.values())]
    names = [tuple(values) for values in dicts]
    return [
        held.get("training", True),
        names,
        [*map(id, kept)],
        sorted(held["_non_persistent_buffers_set"]),
    ], kept


def update(module: nn.Module, told: list, decode: Callable[[Any], Any], *, free: bool) -> None:
    """Make `module` what the other side says it is.

    Args:
        module: of either side.
        told: what `state` says there.
        decode: turns what `encode` made back into a value.
        free: whether the other side may give it methods of its own; they could lie about all the rest.

    Raises:
        WireError: if that is no module.
    """
    training, parts, transient, hooks, flags, attributes = told
    held = module.__dict__
    held["training"] = bool(training)
    for kind, pairs in zip(_PARTS, parts, strict=True):
        found = {_name(name): decode(part) for name, part in pairs}
        if any(part is not None and not isinstance(part, _KINDS[kind]) for part in found.values()):
            raise WireError(f"no {kind}")
        _fill(held[kind], found)
    held["_non_persistent_buffers_set"] = set(map(_name, transient))
    for kind, pairs in zip(_HOOKS, hooks, strict=True):
        _fill(held[kind], {int(key): decode(hook) for key, hook in pairs})
    for kind, keys in zip(_FLAGS, flags, strict=True):
        _fill(held[kind], {int(key): True for key in keys})
    found = {_name(name): decode(value) for name, value in attributes}
    for name, value in _attributes(module):
        if name not in found and (free or not callable(value)):
            del held[name]
    for name, value in found.items():
        if _crosses(module, name, value) and (free or not callable(value)):
            held[name] = value


def _fill(old: dict, new: dict) -> None:
    if list(old) != list(new) or any(old[key] is not new[key] for key in old):
        old.clear()
        old.update(new)


def _attributes(module: nn.Module) -> list[tuple[str, Any]]:
    """Options of torch's own modules, such as `eps`; methods that some module has for itself, such as `train`."""
    return [(name, value) for name, value in module.__dict__.items() if _crosses(module, name, value)]


def _crosses(module: nn.Module, name: str, value: Any) -> bool:
    if name in _OWN or any(name in module.__dict__[kind] for kind in _PARTS):
        return False
    if hasattr(nn.Module, name):
        return not name.startswith("_") and _is_function(value)
    return is_torchs(type(module)) and (_plain(value) or _is_function(value))


def _is_function(value: Any) -> bool:
    return callable(value) and not isinstance(value, type | nn.Module)


def _plain(value: Any) -> bool:
    return isinstance(value, _PLAIN) or (isinstance(value, tuple | list) and all(map(_plain, value)))


def _name(name: Any) -> str:
    if type(name) is not str:
        raise WireError("no name")
    return name
