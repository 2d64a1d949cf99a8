"""Objects that both processes know by number: one has the object, the other a stand-in, or both have a copy.

Copies are kept of what torch's own code reaches into: modules, the parameter groups of optimisers, generators, and
files in memory. What has changed in them goes along with the next message.
"""

from __future__ import annotations

import copy
import functools
import io
import types
import weakref
from collections.abc import Iterator as Iterable
from typing import Any

import torch
from torch import nn

from autograder.trust import frames, graph, modules, names, wire
from autograder.trust.stand_ins import SPECIAL, Function, Iterator, StandIn, blank, make_class
from autograder.trust.wire import WireError

_CALLABLE = (
    *(types.FunctionType, types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType),
    *(functools.partial, graph.Pull, type(functools.lru_cache(len))),
)
_STATEFUL = (nn.Module, torch.optim.Optimizer, torch.Generator, io.BytesIO)
_MAX_FILE = 64 << 20
_PLAIN_OPTIONS = (bool, int, float, str, type(None), tuple)  # a tuple of numbers, such as betas


class Uncrossable(TypeError):
    """Something that cannot be known on the other side."""


class Objects:
    """The numbers of this end, and what they stand for.

    Args:
        peer: the end.
    """

    def __init__(self, peer: Any):
        self._peer = peer
        self._held: dict[int, Any] = {}  # number → object, or a weak reference to it
        self._numbers: dict[int, int] = {}  # id → number
        self._fresh: list[tuple[int, Any]] = []
        self._states: dict[int, Any] = {}  # of those that have a state: what both sides know of it
        self._glances: dict[int, tuple | None] = {}  # of modules and optimisers
        self._gone: list[int] = []
        self._arrived: list = []  # until the other side can know that they are no more
        self._copies: weakref.WeakSet = weakref.WeakSet()  # modules that the other side has asked for
        self._named: dict[str, Any] = {}  # what has crossed by name
        self._names: dict[int, str] = {}

    def refer(self, value: Any) -> list:
        """How `value` is written on the wire.

        Raises:
            Uncrossable: if it cannot be.
        """
        if isinstance(value, torch.Tensor):
            return ["tensor", self._peer.tensors.share(value)]
        if path := self._names.get(id(value)) or names.path_of(value, trusted=self._peer.trusted):
            self._named[path] = value
            self._names[id(value)] = path
            return ["global", path]
        return ["object", self._share(value)]

    def resolve(self, tag: str, parts: list) -> Any:
        """What was written so.

        Raises:
            WireError: if nothing is.
        """
        if tag == "tensor" and len(parts) == 1:
            return self._peer.tensors.find(parts[0])
        if tag == "global" and len(parts) == 1:
            return self._by_name(parts[0])
        if tag == "object" and len(parts) == 1:
            return self._find(parts[0])
        raise WireError("no value")

    def _by_name(self, path: Any) -> Any:
        if type(path) is str and path in self._named:
            return self._named[path]
        value = names.find(path, trusted=self._peer.trusted)
        self._named[path] = value
        self._names[id(value)] = path
        return value

    def _find(self, number: Any) -> Any:
        held = self._now(number) if type(number) is int else None
        if held is None:
            raise WireError("no such object")
        return held

    def _now(self, number: int) -> Any:
        """What has that number, None if it is no more."""
        held = self._held.get(number)
        return held() if isinstance(held, weakref.ref) else held

    def _share(self, value: Any) -> int:
        number = self._numbers.get(id(value))
        if number is None or self._now(number) is not value:
            number = self._peer.number()
            self._keep(number, value)
            self._fresh.append((number, value))
        return number

    def _keep(self, number: int, value: Any) -> None:
        """Remember `value`; the process of the tests lets go of the learner's objects as soon as the test does."""
        key = id(value)
        mine = number % 2 == self._peer.parity
        if (
            self._peer.trusted
            and not mine
            and isinstance(value, StandIn | nn.Module)
            and not isinstance(value, type)
        ):

            def gone(_: Any) -> None:
                if self._held.pop(number, None) is not None:
                    self._gone.append(number)
                    self._forget(number)
                if self._numbers.get(key) == number:
                    del self._numbers[key]

            self._held[number] = weakref.ref(value, gone)
        else:
            self._held[number] = value
        self._numbers[key] = number
        if isinstance(value, _STATEFUL):
            self._states[number] = None

    def news(self) -> dict:
        """What is new or has changed."""
        made, states = [], {}
        while True:
            while self._fresh:
                number, value = self._fresh.pop()
                made.append([number, *self._describe(value)])
            for number, known in list(self._states.items()):
                value = self._now(number)
                if value is None or (known is not None and self._same(number, value)):
                    continue
                state = self._state(value)
                if state is not None and state != known:
                    self._states[number] = states[number] = state
            if not self._fresh:
                break
        gone, self._gone = self._gone, []
        return {"made": made, "states": list(states.items()), "gone": gone}

    def _same(self, number: int, value: Any) -> bool:
        """Whether a module or optimiser is at first sight what it was; its tensors are named all the same."""
        if not isinstance(value, nn.Module | torch.optim.Optimizer):
            return False
        glance = modules.glance if isinstance(value, nn.Module) else _glance
        before, now = self._glances.get(number), glance(value)
        self._glances[number] = now
        if before is None or now is None or before[0] != now[0]:
            return False
        for part in now[1]:
            if isinstance(part, torch.Tensor):
                self._peer.tensors.share(part)
        return True

    def hear(self, news: dict) -> None:
        """Take over what is new or has changed on the other side."""
        for number in news["gone"]:
            held = self._held.pop(number, None)
            self._forget(number)
            if held is not None and self._numbers.get(id(held)) == number:
                del self._numbers[id(held)]
        for number, kind, *parts in sorted(news["made"], key=lambda one: one[1] != "class"):
            if number in self._held or number % 2 == self._peer.parity:
                raise WireError("a number that is taken")
            value = _MAKERS[kind](self, *parts)
            self._arrived.append(value)
            self._keep(number, value)
        for number, state in news["states"]:
            value = self._find(number)
            self._update(number, value, state)
            self._states[number] = self._state(value)
            self._glances.pop(number, None)

    def _forget(self, number: int) -> None:
        self._states.pop(number, None)
        self._glances.pop(number, None)

    def copied(self, value: Any) -> Any:
        """A copy that the other side has asked for, and may change as its own."""
        made = copy.deepcopy(value)
        if isinstance(made, nn.Module):
            self._copies.update(made.modules())
        return made

    def release(self) -> None:
        """The other side rests: what it is told to be gone it will not name again."""
        self._arrived.clear()

    def _describe(self, value: Any) -> tuple:
        """Kind and facts of something that the other side has not seen."""
        if isinstance(value, type):
            return ("class", *_class_facts(value))
        if isinstance(value, nn.Module) and modules.is_torchs(type(value)):
            return "module", self._class_of(value)
        if isinstance(value, torch.Generator):
            return ("generator",)
        if isinstance(value, io.BytesIO):
            return ("file",)
        if isinstance(value, _CALLABLE):
            return "function", str(getattr(value, "__name__", type(value).__name__))
        if isinstance(value, Iterable):
            return ("iterator",)
        if self._peer.trusted and not _may_leave(type(value)):
            raise Uncrossable(f"a {type(value).__name__} cannot be given to the learner's code")
        return "instance", self._share(type(value))

    def _state(self, value: Any) -> Any:
        """What both sides should know of it; None if it has no state that crosses."""
        if isinstance(value, nn.Module):
            return [self._class_of(value), *modules.state(value, lambda part: wire.encode(part, self))]
        if isinstance(value, torch.optim.Optimizer):
            held = value.__dict__.get("param_groups")
            return None if held is None else wire.encode(held, self)
        if isinstance(value, torch.Generator):
            return wire.encode(value.get_state().numpy().tobytes(), self)
        if isinstance(value, io.BytesIO) and not value.closed:
            return [wire.encode(value.getvalue(), self), value.tell()]
        return None

    def _update(self, number: int, value: Any, state: Any) -> None:
        if isinstance(value, nn.Module):
            free = not self._peer.trusted or number % 2 != self._peer.parity or value in self._copies
            cls = self._find_class(state[0])
            if free and type(value) is not cls:
                value.__class__ = cls
            modules.update(value, state[1:], lambda part: wire.decode(part, self), free=free)
        elif isinstance(value, torch.optim.Optimizer):
            groups = merge(value.__dict__.get("param_groups"), state, self)
            value.__dict__["param_groups"] = groups
        elif isinstance(value, torch.Generator):
            value.set_state(torch.frombuffer(bytearray(wire.decode(state, self)), dtype=torch.uint8))
        elif isinstance(value, io.BytesIO):
            content = wire.decode(state[0], self)
            if len(content) > _MAX_FILE:
                raise WireError("a file too large to cross")
            value.seek(0)
            value.truncate()
            value.write(content)
            value.seek(int(state[1]))
        else:
            raise WireError("no state")

    def _make_class(self, name: str, anchor: str, *parts: list) -> type:
        facts = [[p for p in part if type(p) is str and p.isidentifier()] for part in parts]
        above = names.find(anchor, trusted=True)
        return make_class(self._peer, str(name), above, *facts)

    def _make_instance(self, number: int) -> Any:
        cls = self._find(number)
        if not isinstance(cls, type):
            raise WireError("no class")
        return blank(cls)

    def _make_module(self, path: str) -> nn.Module:
        return blank(self._find_class(path))

    def _class_of(self, module: nn.Module) -> str | int:
        """The path of one of torch's own classes, the number of another."""
        cls = type(module)
        return names.path_of(cls, trusted=False) if modules.is_torchs(cls) else self._share(cls)

    def _find_class(self, told: Any) -> type[nn.Module]:
        cls = names.find(told, trusted=True) if type(told) is str else self._find(told)
        if not isinstance(cls, type) or not issubclass(cls, nn.Module):
            raise WireError("no class of modules")
        if type(told) is str and not modules.is_torchs(cls):
            raise WireError("no class of torch's")
        return cls


_MAKERS = {
    "class": Objects._make_class,
    "module": Objects._make_module,
    "instance": Objects._make_instance,
    "generator": lambda _objects: torch.Generator(),
    "file": lambda _objects: io.BytesIO(),
    "iterator": lambda objects: Iterator(objects._peer),
    "function": lambda objects, name: Function(objects._peer, str(name)),
}


def _glance(optimizer: torch.optim.Optimizer) -> tuple[list, list] | None:
    """What has to differ before the groups of an optimiser can, and their parameters; None if that cannot be told."""
    groups = optimizer.__dict__.get("param_groups")
    if type(groups) is not list or not all(type(group) is dict for group in groups):
        return None
    params = [group.get("params") for group in groups]
    options = [{k: v for k, v in group.items() if k != "params"} for group in groups]
    plain = all(type(v) in _PLAIN_OPTIONS for group in options for v in group.values())
    if not plain or not all(type(held) is list for held in params):
        return None
    return [options, [[*map(id, held)] for held in params]], [p for held in params for p in held]


def _class_facts(cls: type) -> tuple:
    """Name, nearest class that both sides have, and what is public in it."""
    anchor = names.anchor(cls)
    own = [
        c for c in cls.__mro__ if c is not object and not issubclass(anchor, c) and c.__module__ != "builtins"
    ]
    methods = [n for n in dir(cls) if not n.startswith("_") and callable(_get(cls, n))]
    added = sorted({n for c in own for n in vars(c) if not n.startswith("_")})
    special = [n for n in SPECIAL if any(n in vars(c) for c in own)]
    path = "builtins:object" if anchor is object else names.path_of(anchor, trusted=False)
    return cls.__name__, path, methods, added, special


def _get(cls: type, name: str) -> Any:
    try:
        return getattr(cls, name)
    except Exception:
        return None


def _may_leave(cls: type) -> bool:
    """Whether the process of the tests may show such an object: one of the notebook's, or of torch's training."""
    return (
        isinstance(cls, names.Foreign)
        or cls.__module__ == "__main__"
        or cls.__module__.startswith(("torch.nn.", "torch.optim.", "torch.utils.data."))
    )


def merge(old: Any, new: Any, objects: Objects) -> Any:
    """`old` changed in place into what `new` is written for, as far as it is a list, dict, set or array.

    Returns:
        `old` where that is possible, something new where it is not.
    """
    tag, parts = (new[0], new[1:]) if type(new) is list and new else (None, [])
    if tag == type(old).__name__ and tag in ("list", "tuple"):
        items = [merge(old[i] if i < len(old) else None, part, objects) for i, part in enumerate(parts)]
        if len(items) == len(old) and all(a is b for a, b in zip(items, old, strict=True)):
            return old
        if tag == "tuple":
            return tuple(items)
        old[:] = items
        return old
    if tag in ("dict", "odict") and isinstance(old, dict):
        pairs = [(wire.decode(key, objects), part) for key, part in parts]
        found = {key: merge(old.get(key), part, objects) for key, part in pairs}
        if list(old) != list(found) or any(old[key] is not found[key] for key in old):
            old.clear()
            old.update(found)
        return old
    value = wire.decode(new, objects)
    if (
        type(value) is type(old)
        and isinstance(value, int | float | str | bytes)
        and (value == old or value != value)
    ):
        return old
    if tag == "frame" and frames.replace(old, value):
        return old
    if tag == "set" and type(old) is set:
        old.clear()
        old.update(value)
        return old
    if tag == "array" and type(old) is type(value) and old.shape == value.shape:
        old[...] = value
        return old
    return value
