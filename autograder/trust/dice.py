"""torch's random state across the two processes.

The learner's code draws on from where the test stands, and finds every state that the test sets. The test does not
take over a state that it has not had itself: one that was made up could make its next draws all zeros. Where the
learner's code has drawn, it goes on from a new seed instead.
"""

from __future__ import annotations

import random

import torch


class Dice:
    """What both sides know of the state.

    Args:
        trusted: whether this is the process of the tests.
    """

    def __init__(self, trusted: bool):
        self._trusted = trusted
        self._known: bytes | None = None
        self._had: dict[bytes, None] = {}
        self._seeds: random.Random | None = None

    def news(self) -> bytes | None:
        """The state, if the other side does not know it."""
        state = torch.get_rng_state().numpy().tobytes()
        if state == self._known:
            return None
        self._known = state
        if self._trusted:
            self._had[state] = None
        return state

    def hear(self, state: bytes) -> None:
        """The other side has another state now."""
        if self._trusted and state not in self._had:
            self._seeds = self._seeds or random.Random(torch.initial_seed())
            torch.manual_seed(self._seeds.getrandbits(63))
            self._known = None
        else:
            torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))
            self._known = state
