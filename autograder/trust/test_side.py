"""The process of the tests: it finds the learner's names, as stand-ins, and asks for what they do."""

from __future__ import annotations

import builtins
import contextlib
import hashlib
import socket
from collections.abc import Collection, Iterator

from autograder.needed import names
from autograder.trust.peer import Ended, Peer, hang_up


@contextlib.contextmanager
def learner(
    connection: socket.socket,
    namespace: dict,
    source: str,
    seconds: float | None = None,
    answers: Collection[str] = (),
) -> Iterator[Peer]:
    """Run a test of this source, in `namespace`, with the learner's names bound in it.

    Args:
        connection: to the learner's process, which serves.
        namespace: global names of the test; afterwards they are what they were.
        source: of the test; the names that it reads are those that are asked for.
        seconds: until a process that does not answer counts as gone; None waits for ever.
        answers: names that are the learner's though the namespace has them.
    """
    connection.settimeout(seconds)
    peer = Peer(connection, trusted=True, key=hashlib.blake2b(source.encode()).digest())
    before = {name: namespace[name] for name in answers if name in namespace}
    facts, bound = names(source), set()
    for name in sorted(facts.reads | facts.later):
        known = (name in namespace and name not in answers) or hasattr(builtins, name)
        if known or name.startswith("_"):
            continue
        with contextlib.suppress(Ended):
            if found := peer.ask("name", name):
                namespace[name] = found[0]
                bound.add(name)
    try:
        yield peer
    finally:
        for name in bound:
            namespace.pop(name, None)
        namespace.update({name: before[name] for name in bound & before.keys()})
        peer.end()


_open = contextlib.ExitStack()


def begin(descriptor: int, namespace: dict, source: str, answers: Collection[str]) -> None:
    """The same for a test that a kernel runs next: until `end`.

    Args:
        descriptor: of the socket.
        namespace: as in `learner`.
        source: as in `learner`.
        answers: as in `learner`.
    """
    connection = _open.enter_context(socket.socket(fileno=descriptor))
    _open.callback(hang_up, connection)
    _open.enter_context(learner(connection, namespace, source, answers=answers))


def end() -> None:
    """The test that began last is over; the learner's process is told so, or finds the socket closed."""
    _open.close()
