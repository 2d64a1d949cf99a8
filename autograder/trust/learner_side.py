"""The learner's process while a test runs: it answers, in silence and from a clean numerical state.

Nothing here is trusted. Whoever replaces it changes what the learner's own code is said to do.
"""

from __future__ import annotations

import contextlib
import io
import logging
import socket
import warnings

import torch
from torch.utils.hooks import RemovableHandle

from autograder.trust.peer import Peer, hang_up


class _Nowhere(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


def serve(connection: socket.socket, namespace: dict) -> None:
    """Answer for the names of `namespace` until the test is over."""
    RemovableHandle.next_id = max(RemovableHandle.next_id, 1 << 40)  # a hook of the test's has another number
    level, dtype, grad = logging.root.manager.disable, torch.get_default_dtype(), torch.is_grad_enabled()
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices=[]))
        stack.enter_context(contextlib.redirect_stdout(_Nowhere()))
        stack.enter_context(contextlib.redirect_stderr(_Nowhere()))
        stack.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        logging.disable(logging.CRITICAL)
        torch.set_default_dtype(torch.float32)
        torch.set_grad_enabled(True)
        try:
            Peer(connection, trusted=False, namespace=namespace).serve()
        finally:
            logging.disable(level)
            torch.set_default_dtype(dtype)
            torch.set_grad_enabled(grad)


def answer(descriptor: int, namespace: dict) -> None:
    """Serve on the socket of that descriptor, and hang up."""
    with socket.socket(fileno=descriptor) as connection:
        try:
            serve(connection, namespace)
        finally:
            hang_up(connection)
