"""Stand-ins: what one process holds of a function, a class, an iterator or an object of the other.

Every use asks the other side. In the process of the tests a stand-in takes no part in comparisons and is neither true
nor false: it is equal to itself alone, and asking whether it is equal to something else is an error, so that no
obliging ``__eq__`` passes a test. Private names never cross.
"""

from __future__ import annotations

import types
from typing import Any

import torch

from autograder.trust import graph
from autograder.trust.names import Foreign

# What an object may define for Python itself to call.
SPECIAL = (
    *("__call__", "__len__", "__getitem__", "__setitem__", "__contains__", "__iter__", "__next__"),
    *("__enter__", "__exit__", "__float__", "__int__", "__index__"),
    *("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__", "__truediv__", "__rtruediv__"),
    *("__pow__", "__neg__", "__abs__", "__matmul__"),
)


class StandIn:
    """What all stand-ins share."""

    def __eq__(self, other: object) -> bool:
        if self is other or not self._peer.trusted:
            return self is other
        raise TypeError(f"a {type(self).__name__} of the other process cannot be compared")

    def __hash__(self) -> int:
        return id(self)

    def __bool__(self) -> bool:
        if not self._peer.trusted:
            return True
        raise TypeError(f"a {type(self).__name__} of the other process is neither true nor false")

    def __reduce_ex__(self, _protocol: int) -> Any:
        raise TypeError(f"a {type(self).__name__} of the other process cannot be copied")


class Function(StandIn):
    """A function, or anything else that can only be called."""

    def __init__(self, peer: Any, name: str):
        self._peer, self.__name__, self.__qualname__ = peer, name, name
        self._pulls: dict[int, Function] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function gives for these arguments."""
        if graph.transformed(args) and not kwargs:
            return graph.Call.apply(self, 0, *args)
        return self._peer.call(self, None, args, kwargs)

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __deepcopy__(self, _memo: dict) -> Function:
        return self

    def pull(self, count: int) -> Function:
        """The gradient of this function."""
        if count not in self._pulls:
            self._pulls[count] = self._peer.ask("pull", self, count)
        return self._pulls[count]


class Iterator(StandIn):
    """An iterator; each step asks for the next value."""

    def __init__(self, peer: Any):
        self._peer = peer

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        value = self._peer.ask("next", self)
        if type(value) is not tuple or len(value) > 1:
            raise TypeError("no next value came")
        if not value:
            raise StopIteration
        return value[0]


def forward(peer: Any, name: str) -> types.FunctionType:
    """A method that asks the other side to call its own."""

    def method(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        return peer.call(self, name, args, kwargs)

    method.__name__ = method.__qualname__ = name
    return method


class _ClassOfAnother(Foreign):
    """The type of classes that are written on the other side: making an instance asks there."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """An instance, made on the other side."""
        return self.__dict__["_peer"].call(self, None, args, kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or "_peer" not in self.__dict__:
            raise AttributeError(name)
        return self.__dict__["_peer"].ask("get", self, name)


def make_class(peer: Any, name: str, anchor: type, methods: list, own: list, special: list) -> type:
    """The class that stands in for one of the other side.

    Args:
        peer: who asks.
        name: its name.
        anchor: the nearest class above it that both sides know, `object` at least.
        methods: public names of what can be called.
        own: public names that are not the anchor's.
        special: those of `SPECIAL` that are not the anchor's.
    """
    native = issubclass(anchor, torch.nn.Module)
    body: dict[str, Any] = {"_peer": peer}
    body |= {n: forward(peer, n) for n in special if n in SPECIAL}
    body["__deepcopy__"] = lambda self, _memo: peer.ask("copy", self)
    if native:
        for n in own:
            if n not in methods and hasattr(torch.nn.Module, n):
                continue
            body[n] = forward(peer, n) if n in methods else _attribute(peer, n)
        body |= {"__getattr__": _module_get(peer), "__setattr__": _module_set(peer)}
        return _ClassOfAnother(name, (anchor,), body)
    calls = frozenset(methods)
    body |= {"__getattribute__": _object_get(peer, calls), "__setattr__": _object_set(peer)}
    if "__len__" in special:
        body["__bool__"] = lambda self: len(self) > 0
    elif anchor is not object:
        body["__bool__"] = lambda self: True  # `given or default` is how training code is written
    return _ClassOfAnother(name, (StandIn, *((anchor,) if anchor is not object else ())), body)


def blank(cls: type) -> Any:
    """An instance of a stand-in class, nothing in it yet."""
    made = object.__new__(cls)
    if isinstance(made, torch.nn.Module):
        made.__dict__.update(torch.nn.Module().__dict__)  # `__init__` would set properties
    return made


def _attribute(peer: Any, name: str) -> property:
    return property(
        lambda self: peer.ask("get", self, name),
        lambda self, value: peer.ask("set", self, name, value),
    )


def _module_get(peer: Any) -> types.FunctionType:
    def __getattr__(self: Any, name: str) -> Any:  # noqa: N807
        try:
            return torch.nn.Module.__getattr__(self, name)
        except AttributeError:
            if name.startswith("_"):
                raise
        return peer.ask("get", self, name)

    return __getattr__


def _module_set(peer: Any) -> types.FunctionType:
    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        held = any(name in self.__dict__.get(part, ()) for part in ("_parameters", "_buffers", "_modules"))
        parts = (torch.nn.Parameter, torch.nn.Module)
        local = held or name == "training" or name.startswith("_") or not peer.trusted
        if local or isinstance(value, parts) or callable(value):
            torch.nn.Module.__setattr__(self, name, value)
        else:
            peer.ask("set", self, name, value)

    return __setattr__


def _object_get(peer: Any, calls: frozenset) -> types.FunctionType:
    def __getattribute__(self: Any, name: str) -> Any:  # noqa: N807
        if name.startswith("_"):
            return object.__getattribute__(self, name)
        held = object.__getattribute__(self, "__dict__")
        if name in held:
            return held[name]
        if name in calls:
            return types.MethodType(forward(peer, name), self)
        return peer.ask("get", self, name)

    return __getattribute__


def _object_set(peer: Any) -> types.FunctionType:
    def __setattr__(self: Any, name: str, value: Any) -> None:  # noqa: N807
        if name.startswith("_") or isinstance(value, types.FunctionType | types.MethodType):
            object.__setattr__(self, name, value)  # such as the wrapper that a scheduler puts around `step`
        else:
            peer.ask("set", self, name, value)

    return __setattr__
