"""Tensors that both processes hold: the same numbers, the same memory shared between the same views.

A tensor crosses as its place in a storage and the storage as its bytes. Both sides remember what they have sent or
received; before every message they compare, and what has changed since is sent along: numbers, `.grad`,
`requires_grad`, another storage or dtype (``p.data = …``). So a tensor that is filled in place on one side is filled
on the other, in its old memory, and a view of it follows.

Of a storage only the bytes that some shared tensor covers are sent: a column leaves the rest of its matrix behind.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch.autograd.graph import GradientEdge
from torch.multiprocessing.reductions import StorageWeakRef

from autograder.trust.wire import WireError, dtype, product

# Tensors that are looked at although a message does not name them: a function of the learner's may hold them, and
# change them when it is called; a test says what it does.
_RECENT, _RECENT_IN_TESTS = 16, 4
MAX_BYTES = (
    256 << 20
)  # of a storage, and of a tensor as it appears: an expanded one appears larger than it is

_differ = ctypes.CDLL(None).memcmp
_differ.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t)


class _Memory:
    """A storage that both sides hold."""

    def __init__(self, number: int, storage: torch.UntypedStorage, strong: bool, whole: bool):
        self.number, self.size = number, storage.nbytes()
        self.held = storage if strong else None
        self.alive = StorageWeakRef(storage)
        self.address = storage.data_ptr()
        self.covered = None if whole else np.zeros(self.size, bool)  # None: all of it
        self.seen: bytes | None = None  # what both sides know
        self._looked_at: bytes | None = None  # what it held then, where it is not covered too

    def storage(self) -> torch.UntypedStorage:
        """The storage itself.

        Raises:
            WireError: if it is no more.
        """
        found = (
            self.held if self.held is not None else torch.UntypedStorage._new_with_weak_ptr(self.alive.cdata)
        )
        if found is None:
            raise WireError("no such storage")
        return found

    def cover(self, tensor: torch.Tensor) -> None:
        """Let `tensor` be seen on the other side, too."""
        if self.covered is None or not tensor.numel():
            return
        items = tensor.itemsize
        places = torch.arange(self.size // items)
        places = (
            places.as_strided(tensor.size(), tensor.stride(), tensor.storage_offset()).reshape(-1).numpy()
        )
        rows = self.covered[: self.size // items * items].reshape(-1, items)
        if rows[places].all():
            return
        rows[places] = True
        self.seen = self._looked_at = None
        if self.covered.all():
            self.covered = None

    def news(self) -> bytes | None:
        """Its bytes, those that are not covered as zeros; None if they are what both sides know."""
        known = self._looked_at
        if known is not None and not (self.size and _differ(self.address, known, self.size)):
            return None
        self._looked_at = data = ctypes.string_at(self.address, self.size) if self.size else b""
        now = data if self.covered is None else (np.frombuffer(data, np.uint8) * self.covered).tobytes()
        if now == self.seen:
            return None
        self.seen = now
        return now

    def write(self, data: bytes) -> None:
        """Take over the covered bytes of `data`."""
        if len(data) != self.size:
            raise WireError("a storage of another size")
        if self.size:
            if self.covered is not None:
                old = ctypes.string_at(self.address, self.size)
                data = np.where(self.covered, *(np.frombuffer(d, np.uint8) for d in (data, old))).tobytes()
            ctypes.memmove(self.address, data, self.size)
        self.news()


class _Shared:
    """A tensor that both sides hold."""

    def __init__(self, number: int, tensor: torch.Tensor, strong: bool, gone: Callable):
        self.number = number
        self.held = tensor if strong else None
        self.ref = weakref.ref(tensor, gone)
        self.function = tensor.grad_fn  # one that has another since is another tensor to autograd
        self.facts: list | None = None  # what both sides know
        self.glance: tuple = ()  # what has to differ before the facts can
        self.key = id(tensor)


class Tensors:
    """The tensors that this process shares with the other.

    Args:
        number: gives the next free number of this side.
        strong: whether to keep them until the other side lets them go, or as long as somebody else does.
        graph: `graph(tensor)` names what a result hangs on, None for a leaf.
        attach: `attach(number, tensor, names)` is `tensor` with such a history.
    """

    def __init__(self, number: Callable[[], int], strong: bool, graph: Callable, attach: Callable):
        self._number, self._strong, self._graph, self._attach = number, strong, graph, attach
        self._memories: dict[int, _Memory] = {}
        self._by_address: dict[int, _Memory] = {}
        self._shared: dict[int, _Shared] = {}
        self._by_id: dict[int, _Shared] = {}
        self.histories: dict[int, torch.Tensor] = {}  # results that the other side may want the gradient of
        self.edges: dict[
            int, GradientEdge
        ] = {}  # what such results hang on here, whose tensor may be no more
        self._fresh: list[_Shared] = []
        self._gone: list[int] = []
        self._kept: list[torch.Tensor] = []  # until the other side can know that they are no more
        self._named: dict[int, None] = {}  # tensors, in the order in which messages last named them
        self._since = 0  # how many of them since the last message
        self._bereft: set[int] = set()  # storages that have lost a tensor

    def find(self, number: int) -> torch.Tensor:
        """The tensor of that number.

        Raises:
            WireError: if there is none.
        """
        shared = self._shared.get(number) if type(number) is int else None
        tensor = shared.ref() if shared else self.histories.get(number) if type(number) is int else None
        if tensor is None:
            raise WireError("no such tensor")
        return tensor

    def share(self, tensor: torch.Tensor) -> int:
        """The number of a tensor, a new one if it has none."""
        shared = self._by_id.get(id(tensor))
        if shared is None or shared.ref() is not tensor or shared.function is not tensor.grad_fn:
            if type(tensor) not in (torch.Tensor, torch.nn.Parameter):
                tensor = tensor.as_subclass(torch.Tensor)
            if tensor.layout != torch.strided or tensor.device.type != "cpu" or tensor.is_quantized:
                raise TypeError(f"a tensor of kind {tensor.layout}, {tensor.device} cannot cross")
            if tensor.is_conj() or tensor.is_neg():
                tensor = tensor.resolve_conj().resolve_neg()
            shared = self._remember(self._number(), tensor)
            self._fresh.append(shared)
        self._name(shared.number)
        return shared.number

    def _name(self, number: int) -> None:
        self._named.pop(number, None)
        self._named[number] = None
        self._since += 1

    def _remember(self, number: int, tensor: torch.Tensor) -> _Shared:
        key = id(tensor)

        def gone(_: Any) -> None:
            if self._shared.get(number) is shared:
                del self._shared[number]
                self._named.pop(number, None)
                self._gone.append(number)
                if shared.facts:
                    self._bereft.add(shared.facts[1])
            if self._by_id.get(key) is shared:
                del self._by_id[key]

        shared = _Shared(number, tensor, self._strong, gone)
        self._kept.append(tensor)
        self._shared[number] = self._by_id[key] = shared
        return shared

    def _memory(self, tensor: torch.Tensor) -> _Memory:
        storage = tensor.untyped_storage()
        memory = self._by_address.get(storage._cdata)
        if memory is None or memory.alive.expired() or memory.size != storage.nbytes():
            if storage.nbytes() > MAX_BYTES:
                raise WireError("a tensor too large to cross")
            memory = _Memory(self._number(), storage, self._strong, whole=self._strong)
            self._memories[memory.number] = self._by_address[storage._cdata] = memory
        memory.cover(tensor)
        return memory

    def _facts(self, shared: _Shared, tensor: torch.Tensor) -> list:
        """All about a tensor but its numbers; the list that is known, if nothing has changed."""
        grad = tensor.grad if tensor.is_leaf else None
        number = None if grad is None else self.share(grad)
        place = (tensor.data_ptr(), tensor.size(), tensor.stride(), tensor.dtype)
        glance = (*place, tensor.requires_grad, number)
        if shared.facts is not None and glance == shared.glance:
            return shared.facts
        known = shared.facts is not None and place == shared.glance[:4] and place[0]
        shared.glance = glance
        return [
            shared.number,
            shared.facts[1] if known else self._memory(tensor).number,
            str(tensor.dtype).removeprefix("torch."),
            tensor.storage_offset(),
            list(tensor.size()),
            list(tensor.stride()),
            tensor.requires_grad,
            isinstance(tensor, torch.nn.Parameter),
            number,
            shared.facts[9] if shared.facts else self._graph(tensor),
        ]

    def news(self, buffers: list[bytes]) -> dict:
        """What has changed since the last message; bytes go into `buffers`.

        All that this message names is looked at, and what was named of late.
        """
        told: list[list] = []
        done: dict[int, int] = {}  # tensor → its storage
        recent = _RECENT if self._strong else _RECENT_IN_TESTS
        for number in list(islice(reversed(self._named), self._since + recent)):
            if shared := self._shared.get(number):  # the garbage collector may have taken it since
                self._tell(shared, told, done)
        while self._fresh:
            self._tell(self._fresh.pop(), told, done)
        self._since = 0
        memories = []
        for number in dict.fromkeys(done.values()):
            memory = self._memories[number]
            if (now := memory.news()) is not None:
                memories.append([memory.number, memory.size, len(buffers)])
                buffers.append(now)
        for number in list(self._bereft):
            memory = self._memories.get(number)
            if memory is None or memory.alive.expired():
                self._bereft.discard(number)
                if memory is not None:
                    self._forget(memory)
        gone, self._gone = self._gone, []
        return {"memories": memories, "tensors": told, "gone": gone}

    def _tell(self, shared: _Shared, told: list, done: dict) -> None:
        tensor = shared.ref()
        if tensor is None or shared.number in done:
            return
        done[shared.number] = 0
        facts = self._facts(shared, tensor)
        done[shared.number] = facts[1]
        if facts is not shared.facts:
            if shared.facts is None and facts[9] is not None:
                self.histories[shared.number] = tensor
            if facts != shared.facts:
                told.append(facts)
            shared.facts = facts
        if facts[8] is not None:
            self._tell(self._shared[facts[8]], told, done)

    def _forget(self, memory: _Memory) -> None:
        del self._memories[memory.number]
        self._gone.append(memory.number)
        if self._by_address.get(memory.alive.cdata) is memory:
            del self._by_address[memory.alive.cdata]

    def hear(self, news: dict, buffers: list[bytes]) -> None:
        """Take over what has changed on the other side."""
        for number in news["gone"]:
            self._let_go(number)
        written, fresh = set(), {}
        for number, size, place in news["memories"]:
            data = buffers[place]
            memory = self._memories.get(number)
            if memory is None:
                if size != len(data):
                    raise WireError("a storage of another size")
                fresh[number] = data
            else:
                memory.write(data)
                written.add(number)
        made: dict[int, torch.UntypedStorage] = {}
        later = []
        for facts in news["tensors"]:
            number = facts[0]
            shared = self._shared.get(number)
            tensor = shared.ref() if shared else None
            if tensor is None:
                later.append((facts, self._view(facts, fresh, made)))
                continue
            if shared.facts is None or facts[1:6] != shared.facts[1:6]:
                self._kept.append(tensor.detach())  # its old storage may be put back
                tensor.data = self._view(facts, fresh, made)
            if tensor.is_leaf and tensor.requires_grad != facts[6]:
                tensor.requires_grad_(bool(facts[6]))
        later.sort(key=lambda one: one[0][9] is not None)  # leaves before what hangs on them
        for facts, base in later:
            self._make(facts, base)
        for facts in news["tensors"]:
            shared = self._shared.get(facts[0])
            tensor = shared.ref() if shared else None
            if tensor is None:
                continue
            if tensor.is_leaf:
                grad = None if facts[8] is None else self.find(facts[8])
                if tensor.grad is not grad:
                    tensor.grad = grad
            shared.facts = self._facts(shared, tensor)
            shared.facts[9] = facts[9]
            self._name(shared.number)
        if written:
            self._notice(written)

    def release(self) -> None:
        """The other side rests: what it is told to be gone it will not name again."""
        self._kept.clear()

    def _notice(self, written: set[int]) -> None:
        """Tell autograd that these storages have changed."""
        for shared in self._shared.values():
            tensor = shared.ref()
            if (
                tensor is not None
                and shared.facts
                and shared.facts[1] in written
                and not tensor.is_inference()
            ):
                torch.autograd.graph.increment_version(tensor)

    def _let_go(self, number: int) -> None:
        shared = self._shared.pop(number, None)
        self._named.pop(number, None)
        if shared and self._by_id.get(shared.key) is shared:
            del self._by_id[shared.key]
        memory = self._memories.pop(number, None)
        if memory and self._by_address.get(memory.alive.cdata) is memory:
            del self._by_address[memory.alive.cdata]

    def _view(self, facts: list, fresh: dict, made: dict) -> torch.Tensor:
        """A tensor without history at the place that `facts` names."""
        _, number, name, offset, sizes, strides, *_ = facts
        kind = dtype(name)
        items = product(sizes) * kind.itemsize
        product(strides)
        if items > MAX_BYTES or len(strides) != len(sizes) or type(offset) is not int or offset < 0:
            raise WireError("no such tensor")
        last = offset + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True))
        if number in fresh and number not in made:
            storage = torch.UntypedStorage(len(fresh[number]))
            memory = _Memory(number, storage, self._strong, whole=True)
            memory.write(fresh[number])
            made[number] = storage
            self._memories[number] = self._by_address[storage._cdata] = memory
        memory = self._memories.get(number)
        if memory is None:
            raise WireError("no such storage")
        storage = memory.storage()
        if items and (last + 1) * kind.itemsize > storage.nbytes():
            raise WireError("a tensor beyond its storage")
        if memory.covered is not None and number not in made:
            probe = _Memory(number, storage, False, whole=False)
            probe.cover(torch.empty(0, dtype=kind).set_(storage, offset, sizes, strides))
            if probe.covered is None or (probe.covered & ~memory.covered).any():
                raise WireError("a view of what was never shown")
        return torch.empty(0, dtype=kind).set_(storage, offset, sizes, strides)

    def _make(self, facts: list, base: torch.Tensor) -> torch.Tensor:
        number, history = facts[0], facts[9]
        if history is not None:
            tensor = self._attach(number, base, history)
        elif facts[7]:
            tensor = torch.nn.Parameter(base, requires_grad=bool(facts[6]))
        else:
            tensor = base.requires_grad_(bool(facts[6]))
        self._remember(number, tensor)
        return tensor
