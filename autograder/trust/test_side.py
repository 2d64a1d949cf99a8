"""The process of the tests: it finds the learner's names, as stand-ins, and asks for what they do."""

from __future__ import annotations

import builtins
import contextlib
import socket
from collections.abc import Iterator

from autograder.needed import names
from autograder.trust.peer import Ended, Peer


@contextlib.contextmanager
def learner(
    connection: socket.socket, namespace: dict, source: str, seconds: float | None = None
) -> Iterator[Peer]:
    """Run a test of this source, in `namespace`, with the learner's names bound in it.

    Names that the namespace has already stay what they are.

    Args:
        connection: to the learner's process, which serves.
        namespace: global names of the test.
        source: of the test; the names that it reads are those that are asked for.
        seconds: until a process that does not answer counts as gone; None waits for ever.
    """
    connection.settimeout(seconds)
    peer = Peer(connection, trusted=True)
    bound = []
    facts = names(source)
    for name in sorted(facts.reads | facts.later):
        if name in namespace or hasattr(builtins, name) or name.startswith("_"):
            continue
        with contextlib.suppress(Ended):
            if found := peer.ask("name", name):
                namespace[name] = found[0]
                bound.append(name)
    try:
        yield peer
    finally:
        for name in bound:
            namespace.pop(name, None)
        peer.end()
