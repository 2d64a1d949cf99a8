"""Frames on a socket, and plain values as JSON: all that can pass between the two processes.

A frame is one JSON value and any number of raw buffers, which hold the numbers of tensors. Nothing here unpickles,
imports or evaluates. The process of the tests takes every byte as written by somebody who wants to deceive it:
sizes and depth are limited before anything is made of them, and values arrive as exact built-in types, whatever
subclass they had.
"""

from __future__ import annotations

import base64
import json
import math
import socket
import struct
from collections import OrderedDict, defaultdict, deque
from pathlib import PurePath
from typing import Any, BinaryIO, Protocol

import numpy as np
import torch

from autograder.trust import frames

MAX_FRAME = 512 << 20  # bytes
MAX_BUFFERS = 100_000
MAX_DEPTH = 60
_NUMBERS = frozenset(f"{kind}{bits}" for kind in ("int", "uint", "float") for bits in (8, 16, 32, 64)) - {
    "float8"
} | {"bool", "complex64", "complex128"}
_DTYPES = {
    name: value
    for name, value in vars(torch).items()
    if isinstance(value, torch.dtype) and name in str(value)
}


class WireError(Exception):
    """A message that breaks the rules."""


class Gone(Exception):
    """The other process has ended."""


class References(Protocol):
    """Who knows what a number on the wire stands for."""

    def refer(self, value: Any) -> list:
        """Something that is no plain value, as a tagged list."""

    def resolve(self, tag: str, parts: list) -> Any:
        """What such a list stands for."""


def send(connection: socket.socket, message: Any, buffers: list[bytes]) -> None:
    """Send one frame.

    Raises:
        WireError: if it is too large.
        Gone: if nobody is there to take it.
    """
    try:
        head = json.dumps(message, separators=(",", ":")).encode()
    except (ValueError, RecursionError) as error:
        raise WireError(str(error)) from None
    sizes = [len(head), *map(len, buffers)]
    if sum(sizes) > MAX_FRAME:
        raise WireError(f"{sum(sizes) >> 20} MB are too much to cross at once")
    try:
        connection.sendall(struct.pack(f"<I{len(sizes)}Q", len(sizes), *sizes) + head + b"".join(buffers))
    except OSError:
        raise Gone from None


def receive(reader: BinaryIO) -> tuple[Any, list[bytes]]:
    """Receive one frame.

    Raises:
        WireError: if it breaks the rules.
        Gone: if the other end is closed.
    """
    (count,) = struct.unpack("<I", _read(reader, 4))
    if not 1 <= count <= MAX_BUFFERS:
        raise WireError("no such number of buffers")
    sizes = struct.unpack(f"<{count}Q", _read(reader, 8 * count))
    if sum(sizes) > MAX_FRAME:
        raise WireError("too large")
    head, *buffers = (_read(reader, size) for size in sizes)
    try:
        return json.loads(head), buffers
    except (ValueError, RecursionError) as error:
        raise WireError(f"no JSON: {error}") from None


def _read(reader: BinaryIO, size: int) -> bytes:
    try:
        data = reader.read(size)
    except OSError:
        data = b""
    if len(data) < size:
        raise Gone
    return data


def encode(value: Any, references: References, depth: int = 0) -> Any:
    """`value` as JSON: numbers, strings and None as they are, all else as a list that begins with a tag.

    Raises:
        WireError: if it is too deep, or too large for an integer.
    """
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if kind in (int, float, str):
        return value
    if depth > MAX_DEPTH:
        raise WireError("nested too deeply")
    if kind in (list, tuple, set, frozenset):
        return [kind.__name__, *(encode(v, references, depth + 1) for v in value)]
    if kind in _MAPPINGS:
        pairs = (
            [encode(k, references, depth + 1), encode(v, references, depth + 1)] for k, v in value.items()
        )
        return [_MAPPINGS[kind], *pairs]
    special = _encode_special(value, references, depth)
    return references.refer(value) if special is None else special


_MAPPINGS = {dict: "dict", OrderedDict: "odict", defaultdict: "dict"}
_CONTAINERS = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}


def _encode_special(value: Any, references: References, depth: int) -> list | None:
    if isinstance(value, np.generic) and value.dtype.name in _NUMBERS:
        return ["number", value.dtype.name, _text(value.tobytes())]
    if isinstance(value, int):
        return int.__int__(value) if not isinstance(value, bool) else bool(value)
    if isinstance(value, float):
        return float.__float__(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, complex):
        return ["complex", value.real, value.imag]
    if isinstance(value, bytes | bytearray):
        return ["bytes", _text(bytes(value))]
    if isinstance(value, torch.Size):
        return ["size", *map(int, value)]
    if isinstance(value, tuple):  # a named one; its names stay behind
        return ["tuple", *(encode(v, references, depth + 1) for v in tuple.__iter__(value))]
    if isinstance(value, dict) and type(value).__module__ == "collections":  # a Counter
        return encode(dict(value), references, depth)
    if isinstance(value, deque):
        return encode(list(value), references, depth)
    if isinstance(value, type({}.keys()) | type({}.values()) | type({}.items())):
        return encode(list(value), references, depth)
    if isinstance(value, torch.dtype):
        return ["dtype", str(value).removeprefix("torch.")]
    if isinstance(value, torch.device):
        return ["device", str(value)]
    if isinstance(value, range):
        return ["range", value.start, value.stop, value.step]
    if isinstance(value, slice):
        return ["slice", *(encode(v, references, depth + 1) for v in (value.start, value.stop, value.step))]
    if isinstance(value, PurePath):
        return ["path", str(value)]
    if type(value).__module__.partition(".")[0] == "pandas":
        return frames.encode(value, lambda part: encode(part, references, depth + 1))
    if isinstance(value, np.ndarray) and value.dtype.name in _NUMBERS:
        return ["array", value.dtype.name, list(value.shape), _text(value.tobytes())]
    return {id(Ellipsis): ["..."], id(NotImplemented): ["notimplemented"]}.get(id(value))


def decode(value: Any, references: References, depth: int = 0) -> Any:
    """What `encode` made of a value, anew.

    Raises:
        WireError: if nothing is encoded so.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) is not list or not value or type(value[0]) is not str or depth > MAX_DEPTH:
        raise WireError("no value")
    tag, *parts = value
    try:
        if tag in _CONTAINERS:
            return _CONTAINERS[tag](decode(part, references, depth + 1) for part in parts)
        if tag in ("dict", "odict"):
            pairs = ((decode(k, references, depth + 1), decode(v, references, depth + 1)) for k, v in parts)
            return dict(pairs) if tag == "dict" else OrderedDict(pairs)
        if tag in _SPECIAL:
            return _SPECIAL[tag](*parts)
        if tag == "frame":
            return frames.decode(parts, lambda part: decode(part, references, depth + 1))
        if tag == "slice":
            return slice(*(decode(part, references, depth + 1) for part in parts))
    except WireError:
        raise
    except Exception as error:
        raise WireError(f"no {tag}: {error}") from None
    return references.resolve(tag, parts)


def _number(name: str, data: str) -> np.generic:
    return np.frombuffer(_raw(data), _numeric(name))[0]


def _array(name: str, shape: list[int], data: str) -> np.ndarray:
    return np.frombuffer(_raw(data), _numeric(name)).reshape(shape).copy()


def _numeric(name: str) -> np.dtype:
    if name not in _NUMBERS:
        raise WireError(f"no dtype {name!r}")
    return np.dtype(name)


def dtype(name: str) -> torch.dtype:
    """torch's dtype of that name.

    Raises:
        WireError: if there is none.
    """
    if type(name) is not str or name not in _DTYPES:
        raise WireError(f"no dtype {name!r}")
    return _DTYPES[name]


def _range(*limits: int) -> range:
    return range(*map(int, limits))


_SPECIAL = {
    "number": _number,
    "array": _array,
    "complex": lambda real, imag: complex(float(real), float(imag)),
    "bytes": lambda data: _raw(data),
    "size": lambda *sizes: torch.Size([int(size) for size in sizes]),
    "dtype": dtype,
    "device": lambda name: torch.device(str(name)),
    "range": _range,
    "path": lambda text: __import__("pathlib").Path(str(text)),
    "...": lambda: ...,
    "notimplemented": lambda: NotImplemented,
}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _raw(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def product(sizes: list[int]) -> int:
    """How many elements a tensor of these sizes has.

    Raises:
        WireError: if one of them is no size.
    """
    if type(sizes) is not list or any(type(size) is not int or size < 0 for size in sizes):
        raise WireError("no shape")
    return math.prod(sizes)
