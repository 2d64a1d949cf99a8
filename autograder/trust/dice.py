"""The random states across the two processes: torch's own, and that of Python's `random`.

The learner's code draws on from where the test stands, and finds every state that the test sets. The test does not
take over a state that it has not had itself: one that was made up could make its next draws all zeros. Where the
learner's code has drawn or seeded, the test goes on from a seed of its own, made of that state, of the one that the
test has called from and of a key: the same again for the same calls from the same state, and nothing to aim at. The
learner's code hears of it only when it is called next; a function of the test's that it calls leaves its state alone,
unless that draws as well.
"""

from __future__ import annotations

import hashlib
import random
import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

_PYTHON = "<B625IBd"  # version, state, whether there is a normal number left, and which


@dataclass
class _Die:
    """One random state: how to read, set and seed it, and what both sides know of it."""

    get: Callable[[], bytes]
    put: Callable[[bytes], None]
    seed: Callable[[int], object]
    known: bytes | None = None
    base: bytes = b""  # with which the test last called the learner's code
    owed: bool = False  # that code has not heard of the test's state
    had: dict[bytes, None] = field(default_factory=dict)


class Dice:
    """What both sides know of the states.

    Args:
        trusted: whether this is the process of the tests.
        key: that nobody else has, of at most 64 bytes.
    """

    def __init__(self, trusted: bool, key: bytes = b""):
        self._trusted, self._key = trusted, key
        self._dice = [
            _Die(_torchs, _set_torchs, torch.manual_seed),
            _Die(_pythons, _set_pythons, random.seed),
        ]

    def news(self, *, within: bool) -> list[tuple[int, bytes]]:
        """The states that the other side does not know, with the number of each.

        Args:
            within: whether the other side is in the middle of something.
        """
        news = []
        for number, die in enumerate(self._dice):
            state = die.get()
            if not within:
                die.base = state
            if state == die.known and (within or not die.owed):
                continue
            die.known, die.owed = state, False
            if self._trusted:
                die.had[state] = None
            news.append((number, state))
        return news

    def hear(self, number: int, state: bytes) -> None:
        """The other side has another state now."""
        die = self._dice[number]
        if self._trusted and state not in die.had:
            mixed = hashlib.blake2b(die.base + state, key=self._key, digest_size=7)
            die.seed(int.from_bytes(mixed.digest(), "big"))
            die.known, die.owed = die.get(), True
        else:
            die.put(state)
            die.known = state


def _torchs() -> bytes:
    return torch.get_rng_state().numpy().tobytes()


def _set_torchs(state: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


def _pythons() -> bytes:
    version, numbers, left = random.getstate()
    return struct.pack(_PYTHON, version, *numbers, left is not None, left or 0.0)


def _set_pythons(state: bytes) -> None:
    version, *numbers, is_left, left = struct.unpack(_PYTHON, state)
    random.setstate((version, tuple(numbers), left if is_left else None))
