"""Autograd through calls that cross.

A result that hangs on a history arrives as the output of `Across`: its leaves on this side are the tensors on which
it hangs on the other, and its backward asks there. The answer has a history of its own where one is wanted, so
gradients of gradients cross, too.

Under torch.func there is nothing to hang on a history: `Call` is what a stand-in does there, a call that knows its
derivative. That is a function on the other side as well (`Pull`), which has a derivative in turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._C._functorch import is_functorch_wrapped_tensor, is_legacy_batchedtensor
from torch.fx.experimental.proxy_tensor import get_proxy_mode


class Across(torch.autograd.Function):
    """A tensor whose history lies in the other process."""

    @staticmethod
    def forward(
        ctx: Any, peer: Any, number: int, box: list, _token: torch.Tensor, *leaves: torch.Tensor
    ) -> torch.Tensor:
        """The tensor in `box`."""
        ctx.peer, ctx.number, ctx.leaves = peer, number, [peer.tensors.share(leaf) for leaf in leaves]
        return box.pop()

    @staticmethod
    def backward(ctx: Any, slope: torch.Tensor) -> tuple:
        """The gradients of the leaves, as the other process says."""
        if not ctx.leaves or ctx.number in ctx.peer.cut:
            return None, None, None, None, *(None for _ in ctx.leaves)
        found = _in_rows(ctx, slope) if is_legacy_batchedtensor(slope) else _slopes_of(ctx, slope)
        return None, None, None, None, *found


def _slopes_of(ctx: Any, slope: torch.Tensor) -> list[torch.Tensor | None]:
    answer = ctx.peer.ask("slopes", ctx.number, ctx.leaves, slope, torch.is_grad_enabled())
    if type(answer) is not tuple or len(answer) != len(ctx.leaves):
        raise RuntimeError("no gradients came back")
    return [s if isinstance(s, torch.Tensor) else None for s in answer]


def _in_rows(ctx: Any, slopes: torch.Tensor) -> list[torch.Tensor | None]:
    """The same for a batch of slopes, ``torch.autograd.grad(…, is_grads_batched=True)``: one question for each."""
    level = torch._C._vmapmode_increment_nesting() - 1
    torch._C._vmapmode_decrement_nesting()
    rows = [_slopes_of(ctx, slope) for slope in torch._remove_batch_dim(slopes, level, 1, 0)]
    leaves = (
        None if any(row is None for row in found) else torch.stack(found) for found in zip(*rows, strict=True)
    )
    return [None if found is None else torch._add_batch_dim(found, 0, level) for found in leaves]


def attach(peer: Any, number: int, tensor: torch.Tensor, names: list[int]) -> torch.Tensor:
    """`tensor`, hanging on the tensors with those numbers."""
    leaves = [peer.tensors.find(name) for name in names]
    token = torch.zeros((), requires_grad=True)  # a result may hang on what this side does not know
    with torch.enable_grad():
        return Across.apply(peer, number, [tensor], token, *leaves)


def history(peer: Any, tensor: torch.Tensor) -> list[int] | None:
    """Numbers of the tensors on which `tensor` hangs, as far as they are or can be shared; None for a leaf."""
    if tensor.grad_fn is None:
        return None
    names, seen, todo = [], set(), [tensor.grad_fn]
    while todo:
        node = todo.pop()
        if node in seen:
            continue
        seen.add(node)
        if isinstance(node, Across._backward_cls) and node.peer is peer:
            names.append(node.number)
            peer.tensors.edges[node.number] = torch.autograd.graph.GradientEdge(node, 0)
        elif hasattr(node, "variable"):
            names.append(peer.tensors.share(node.variable))
        else:
            todo += [following for following, _ in node.next_functions if following is not None]
    return names


def slopes(peer: Any, number: int, names: list[int], above: torch.Tensor, again: bool) -> tuple:
    """The gradients of the tensors on which one of this side's hangs, as far as `history` has followed it.

    What lies behind a tensor of the other side's is followed there, and must not count here as well.

    Args:
        peer: whose tensors they are.
        number: the tensor's.
        names: what `history` gave for it.
        above: what arrives at it.
        again: whether the gradients should have a history of their own.
    """
    leaves = [peer.tensors.edges.get(name) or peer.tensors.find(name) for name in names]
    before, peer.cut = peer.cut, frozenset(names)
    try:
        with torch.enable_grad():
            return torch.autograd.grad(
                peer.tensors.find(number),
                leaves,
                above,
                retain_graph=True,
                create_graph=again,
                allow_unused=True,
            )
    finally:
        peer.cut = before


class Pull:
    """The gradient of a function of tensors: maps what arrives from above, and the arguments, to their gradients."""

    def __init__(self, function: Callable, count: int):
        self.function, self.count = function, count

    def __call__(self, count: int, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Gradients of the arguments, which follow `count` gradients of the results."""
        above = tensors[:count]
        inputs = [t if t.requires_grad else t.detach().requires_grad_() for t in tensors[count:]]
        with torch.enable_grad():
            outputs = self.function(self.count, *inputs) if self.count else self.function(*inputs)
            outputs = outputs if isinstance(outputs, tuple) else (outputs,)
            hanging = [(o, a) for o, a in zip(outputs, above, strict=True) if o.requires_grad]
            if not hanging:
                return tuple(torch.zeros_like(x) for x in inputs)
            ends, pulls = zip(*hanging, strict=True)
            found = torch.autograd.grad(ends, inputs, pulls, create_graph=True, allow_unused=True)
        return tuple(torch.zeros_like(x) if f is None else f for f, x in zip(found, inputs, strict=True))


def transformed(arguments: tuple) -> bool:
    """Whether a call stands under one of torch.func's transforms, or operations are being written down."""
    tensors = [a for a in arguments if isinstance(a, torch.Tensor)]
    return any(map(is_functorch_wrapped_tensor, tensors)) or bool(tensors and get_proxy_mode() is not None)


_noted_down: dict[int, Callable] = {}  # functions of the other process that have been written down


def _noted(far: Callable) -> int:
    _noted_down[id(far)] = far
    return id(far)


@torch.library.custom_op("autograder::call", mutates_args=())
def _call(number: int, count: int, tensors: list[torch.Tensor]) -> list[torch.Tensor]:
    """A call that crosses, as an operation that torch can write down and repeat."""
    far = _noted_down[number]
    result = far(count, *tensors) if count else far(*tensors)
    return [r.detach().clone() for r in (result if isinstance(result, tuple) else (result,))]


class Call(torch.autograd.Function):
    """A call of a function of the other process, for torch.func: it knows its derivatives and maps over batches."""

    @staticmethod
    def forward(far: Callable, count: int, *tensors: torch.Tensor) -> Any:
        """The result, without a history."""
        inputs = [t.detach() for t in tensors]
        if get_proxy_mode() is not None:
            result = torch.ops.autograder.call(_noted(far), count, inputs)
            return tuple(result) if count else result[0]
        result = far(count, *inputs) if count else far(*inputs)
        return tuple(r.detach() for r in result) if isinstance(result, tuple) else result.detach()

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple, output: Any) -> None:
        """Keep what the derivatives need."""
        ctx.far, ctx.count, *tensors = inputs
        ctx.single = not isinstance(output, tuple)
        kept = (*tensors, *((output,) if ctx.single else output))
        ctx.inputs = len(tensors)
        ctx.save_for_backward(*kept)
        ctx.save_for_forward(*kept)

    @staticmethod
    def backward(ctx: Any, *above: torch.Tensor) -> tuple:
        """The gradients, by another call that crosses."""
        inputs = ctx.saved_tensors[: ctx.inputs]
        found = Call.apply(ctx.far.pull(ctx.count), len(above), *above, *inputs)
        return None, None, *found

    @staticmethod
    def jvp(ctx: Any, _far: None, _count: None, *directions: torch.Tensor | None) -> Any:
        """The derivative along `directions`: the gradient of the gradient with respect to what arrives from above."""
        inputs, outputs = ctx.saved_tensors[: ctx.inputs], ctx.saved_tensors[ctx.inputs :]
        ways = [torch.zeros_like(x) if d is None else d for x, d in zip(inputs, directions, strict=True)]
        above = [torch.zeros_like(o) for o in outputs]
        twice = ctx.far.pull(ctx.count).pull(len(above))
        found = Call.apply(twice, len(ways), *ways, *above, *inputs)[: len(above)]
        return found[0] if ctx.single else tuple(found)

    @staticmethod
    def vmap(info: Any, in_dims: tuple, far: Callable, count: int, *tensors: torch.Tensor) -> tuple:
        """One call for each element of the batch."""
        rows = [
            Call.apply(
                far,
                count,
                *(t if d is None else t.select(d, i) for t, d in zip(tensors, in_dims[2:], strict=True)),
            )
            for i in range(info.batch_size)
        ]
        if not isinstance(rows[0], tuple):
            return torch.stack(rows), 0
        return tuple(map(torch.stack, zip(*rows, strict=True))), (0,) * len(rows[0])
