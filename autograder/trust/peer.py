"""One end of the connection: asks the other process, answers it, and keeps what both hold the same on both sides.

Only one side runs at a time: the other waits for its answer. While it waits it may be asked in turn, for a loss
function that the test gave to the learner's code, say. With every question and every answer goes what has changed
since the last one in the tensors, modules, parameter groups and generators that both sides know.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch._C._functorch import peek_interpreter_stack
from torch._functorch.pyfunctorch import temporarily_clear_interpreter_stack
from torch.utils._python_dispatch import _disable_current_modes, _get_current_dispatch_mode_stack

from autograder.trust import errors, graph, wire
from autograder.trust.dice import Dice
from autograder.trust.objects import Objects, merge
from autograder.trust.stand_ins import SPECIAL
from autograder.trust.tensors import Tensors
from autograder.trust.wire import Gone, WireError

_MAX_DEPTH = 40  # questions within questions


def hang_up(connection: socket.socket) -> None:
    """Let the other end know that nobody listens any more, whoever still holds the socket here."""
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


class Ended(Exception):
    """The learner's process is gone, or does not speak as agreed."""


class Peer:
    """One of the two ends.

    Args:
        connection: a stream socket.
        trusted: True in the process of the tests, which believes nothing.
        namespace: the global names that the other side may ask for.
        key: see `Dice`.
    """

    def __init__(
        self, connection: socket.socket, *, trusted: bool, namespace: dict | None = None, key: bytes = b""
    ):
        self.connection, self.trusted, self.namespace = connection, trusted, namespace or {}
        self._reader = connection.makefile("rb")
        self.parity = int(not trusted)
        self._last = self.parity
        self.tensors = Tensors(
            self.number,
            not trusted,
            lambda t: graph.history(self, t),
            lambda *told: graph.attach(self, *told),
        )
        self.objects = Objects(self)
        self._dice = Dice(trusted, key)
        self._raised: dict[int, BaseException] = {}
        self._depth = 0
        self.cut: frozenset[int] = frozenset()  # see `graph.slopes`
        self.ended = ""  # why nothing can be asked any more

    def number(self) -> int:
        """The next number for something of this side's; those of the other are odd if these are even."""
        self._last += 2
        return self._last

    def call(self, target: Any, name: str | None, args: tuple, kwargs: dict) -> Any:
        """Call `target`, or its method `name`, on the other side; what it changes in place is changed here."""
        return self.ask("call", target, name, args, kwargs)

    def ask(self, what: str, *parts: Any) -> Any:
        """The other side's answer.

        Raises:
            Ended: if there is none to be had.
            Uncrossable: if the question cannot be put.
            Exception: what the other side raised.
        """
        if self.ended:
            raise Ended(self.ended)
        if self._depth >= _MAX_DEPTH:
            raise RecursionError("maximum recursion depth exceeded")
        self._depth += 1
        try:
            self._say({"op": what}, parts)
            while "op" in (message := self._listen()):
                self._answer(message)
            with self._reading():
                if "changed" in message:
                    merge(parts[2:], ["tuple", *message["changed"]], self.objects)
                value = wire.decode(message.get("value"), self.objects)
                error = self._error(message["error"]) if "error" in message else None
        except Gone:
            self.ended = self.ended or "the process ended"
            raise Ended(self.ended) from None
        except KeyboardInterrupt:
            if self.trusted:
                self.ended = "it was interrupted"
            raise
        finally:
            self._depth -= 1
            if not self._depth:
                self.tensors.release()
                self.objects.release()
        if error is not None:
            raise error
        return value

    def end(self) -> None:
        """Ask nothing more."""
        if not self.ended:
            self.ended = "the test is over"
            with contextlib.suppress(Gone):
                self._say({"op": "end"})

    def serve(self) -> None:
        """Answer until the other side says "end" or is gone."""
        with contextlib.suppress(Gone):
            while (message := self._listen())["op"] != "end":
                self._answer(message)

    def _answer(self, message: dict) -> None:
        try:
            with self._reading():
                parts = wire.decode(message["value"], self.objects)
                operation = _OPERATIONS.get(message["op"])
                if operation is None or type(parts) is not tuple:
                    raise WireError("no such question")
            value = operation(self, *parts)
            reply = {}
            if message["op"] == "call":
                with _Quietly():
                    now = [wire.encode(part, self.objects) for part in parts[2:]]
                if repr(now) != repr(message["value"][3:]):
                    reply["changed"] = now
            self._say(reply, value)
        except (Gone, Ended):
            raise
        except BaseException as error:
            if self.trusted and isinstance(error, KeyboardInterrupt):
                raise
            self._say({"error": self._tell(error)})

    def _do_call(self, target: Any, name: str | None, args: tuple, kwargs: dict) -> Any:
        function = target if name is None else getattr(target, _public(name, SPECIAL))
        return function(*args, **kwargs)

    def _do_get(self, target: Any, name: str) -> Any:
        return getattr(target, _public(name))

    def _do_set(self, target: Any, name: str, value: Any) -> None:
        if self.trusted and not type(target).__module__.startswith("torch."):
            raise AttributeError(f"{name} of the test's own object cannot be set")
        setattr(target, _public(name), value)

    def _do_copy(self, target: Any) -> Any:
        return self.objects.copied(target)

    def _do_next(self, iterator: Iterator) -> tuple:
        for value in iterator:
            return (value,)
        return ()

    def _do_name(self, name: str) -> tuple:
        return (self.namespace[name],) if name in self.namespace else ()

    def _do_slopes(self, number: int, leaves: list, above: torch.Tensor, again: bool) -> tuple:
        return graph.slopes(self, number, leaves, above, again)

    def _do_pull(self, function: Callable, count: int) -> graph.Pull:
        return graph.Pull(function, int(count))

    def _say(self, message: dict, value: Any = None) -> None:
        """Send `message` with `value`, and what has changed here."""
        message["grad"] = torch.is_grad_enabled()
        buffers: list[bytes] = []
        with _Quietly():
            if "error" not in message:
                message["value"] = wire.encode(value, self.objects)
            message["objects"] = self.objects.news()
            message["tensors"] = self.tensors.news(buffers)
            message["dice"] = []
            within = "op" not in message or self._depth > 1
            for number, state in self._dice.news(within=within):
                message["dice"].append([number, len(buffers)])
                buffers.append(state)
        wire.send(self.connection, message, buffers)

    def _listen(self) -> dict:
        """The next message, after what it says has changed there is changed here."""
        try:
            message, buffers = wire.receive(self._reader)
        except WireError as error:
            raise self._broken(error) from error
        with self._reading():
            if type(message) is not dict:
                raise WireError("no message")
            self.tensors.hear(message["tensors"], buffers)
            self.objects.hear(message["objects"])
            for number, place in message["dice"]:
                self._dice.hear(number, buffers[place])
            grad = message["grad"] is True
        torch.set_grad_enabled(grad)
        return message

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Make something of what the other side has sent.

        Raises:
            Ended: in the process of the tests, if that is not as agreed.
        """
        try:
            with _Quietly():
                yield
        except Exception as error:
            raise self._broken(error) from error

    def _broken(self, error: Exception) -> Exception:
        if not self.trusted:
            return error
        self.ended = "the process does not answer as agreed"
        return Ended(self.ended)

    def _tell(self, error: BaseException) -> dict:
        """An error of this side's; one that came from the other side goes back as what it was."""
        if number := getattr(error, "_number", None):
            return {"number": number}
        number = self.number()
        self._raised[number] = error
        return errors.describe(error) | {"mine": number}

    def _error(self, told: dict) -> BaseException:
        if "number" in told:
            return self._raised[told["number"]]
        error = errors.rebuild(told)
        error._number = int(told["mine"])
        return error


class _Quietly:
    """Nothing that is done here is recorded, counted, transformed or differentiated."""

    def __enter__(self) -> None:
        self._stack = None
        self._grad = torch.is_grad_enabled()
        if (
            torch.is_inference_mode_enabled()
            or peek_interpreter_stack()
            or _get_current_dispatch_mode_stack()
        ):
            self._stack = contextlib.ExitStack()
            self._stack.enter_context(torch.inference_mode(False))
            self._stack.enter_context(_disable_current_modes())
            if peek_interpreter_stack():
                self._stack.enter_context(temporarily_clear_interpreter_stack())
        torch._C._set_grad_enabled(False)

    def __exit__(self, *_: object) -> None:
        if self._stack:
            self._stack.close()
        torch._C._set_grad_enabled(self._grad)


_OPERATIONS = {
    name: getattr(Peer, f"_do_{name}")
    for name in ("call", "get", "set", "copy", "next", "name", "slopes", "pull")
}


def _public(name: Any, but: tuple = ()) -> str:
    if type(name) is not str or (name.startswith("_") and name not in but):
        raise AttributeError(f"{name} does not cross: it is private")
    return name
