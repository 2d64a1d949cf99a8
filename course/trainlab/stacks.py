"""Many small networks trained at once, for questions that one run cannot answer: which rule needs fewer epochs?"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trainlab.runtime import device

MakeOptimizer = Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer]


def two_moons(n: int = 300, noise: float = 0.1, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Two interleaved half circles of points, one a class, from scikit-learn.

    Args:
        n: number of points, half of them in each class.
        noise: standard deviation of the Gaussian noise on each coordinate; the circles have radius 1.
        seed: of the points and the noise.

    Returns:
        The points (n, 2), float32, and their classes (n,), int64, 0 or 1, on the course's device.
    """
    from sklearn.datasets import make_moons

    points, classes = make_moons(n, noise=noise, random_state=seed)
    return torch.tensor(points, dtype=torch.float32, device=device()), torch.tensor(classes, device=device())


class NetStack(nn.Module):
    """Equal fully connected ReLU networks side by side, each with its own seed; one pass runs all of them.

    A small network spends its time on the overhead of each operation, not on arithmetic, so five cost about
    as much as one. They do not touch each other: train on the *sum* of their losses, and each network's
    gradient is its own. That holds for rules that treat each number for itself (SGD, momentum, Adam, ...), not
    for those that look at a whole tensor or norm (clipping by norm, Muon).

    Weights are drawn by Glorot's uniform rule, biases are 0.

    Args:
        sizes: inputs, hidden layers, outputs of each network, such as `[2, 12, 13, 13, 2]`.
        seeds: one network for each.
    """

    def __init__(self, sizes: Sequence[int], seeds: Iterable[int]):
        super().__init__()
        self.seeds = list(seeds)
        draws = [torch.Generator().manual_seed(seed) for seed in self.seeds]
        layers = list(itertools.pairwise(sizes))
        self.weights = nn.ParameterList(
            torch.stack([_glorot(shape, draw) for draw in draws]) for shape in layers
        )
        self.biases = nn.ParameterList(torch.zeros(len(self.seeds), 1, n_out) for _, n_out in layers)
        self.to(device())

    def forward(self, x: Tensor) -> Tensor:
        """Scores (networks, B, outputs) of points (B, inputs) for all, or (networks, B, inputs) for each."""
        z = x if x.dim() == 3 else x.expand(len(self.seeds), *x.shape)
        for index, (weight, bias) in enumerate(zip(self.weights, self.biases, strict=True)):
            z = torch.baddbmm(bias, z.relu() if index else z, weight)
        return z


def train_stack(
    nets: NetStack,
    x: Tensor,
    y: Tensor,
    make_optimizer: MakeOptimizer,
    *,
    epochs: int,
    batch_size: int | None = None,
    until: float | None = None,
    every: int = 1,
) -> pd.DataFrame:
    """Train each network of the stack on the cross-entropy, with batches in an order of its own.

    Args:
        nets: trained in place.
        x: points (n, inputs).
        y: classes (n,).
        make_optimizer: builds the optimiser of all networks from their parameters.
        epochs: passes over the points, at most.
        batch_size: points a batch; the last of an epoch may be smaller. None takes all points at once.
        until: stop when every network that is still finite has had a loss below this.
        every: epochs between two looks at the loss on all points; looking costs time, which is not counted.

    Returns:
        One row for each network and look: `seed`, `epoch` (0 is the start), `updates`, `seconds` (of training, for
        the whole stack, which one network alone would take about as well), `loss` and `accuracy` on all points.
    """
    optimizer = make_optimizer(nets.parameters())
    draws = [torch.Generator().manual_seed(1000 + seed) for seed in nets.seeds]
    size = len(y) if batch_size is None else batch_size
    best = torch.full((len(nets.seeds),), torch.inf)
    looks, seconds, updates = [], 0.0, 0
    for epoch in range(epochs + 1):
        if epoch % every == 0:
            loss, accuracy = _look(nets, x, y)
            looks.append((epoch, updates, seconds, loss.tolist(), accuracy.tolist()))
            best = torch.minimum(best, loss.nan_to_num(torch.inf))
            if until is not None and bool(((best < until) | ~loss.isfinite()).all()):
                break
        if epoch == epochs:
            break
        started = time.perf_counter()
        order = torch.stack([torch.randperm(len(y), generator=draw) for draw in draws]).to(y.device)
        for index in order.split(size, dim=1):
            optimizer.zero_grad()
            _losses(nets(x[index]), y[index]).sum().backward()
            optimizer.step()
            updates += 1
        seconds += time.perf_counter() - started
    return _table(nets.seeds, looks)


def reached(curves: pd.DataFrame, loss: float) -> pd.DataFrame:
    """When each network first had a loss below `loss`.

    Args:
        curves: from `train_stack`.
        loss: the threshold.

    Returns:
        One row a network: `seed`, `epochs`, `updates`, `seconds`; nan where it never did.
    """
    first = curves[curves["loss"] < loss].groupby("seed", sort=False)[["epoch", "updates", "seconds"]].first()
    first = first.reindex(curves["seed"].unique()).astype(float)
    return first.rename(columns={"epoch": "epochs"}).rename_axis("seed").reset_index()


def _glorot(shape: tuple[int, int], draw: torch.Generator) -> Tensor:
    return nn.init.xavier_uniform_(torch.empty(shape), generator=draw)


def _losses(scores: Tensor, y: Tensor) -> Tensor:
    """Mean cross-entropy of each network (networks,), for scores (networks, B, classes) and y (networks, B)."""
    return F.cross_entropy(scores.transpose(1, 2), y, reduction="none").mean(1)


@torch.no_grad()
def _look(nets: NetStack, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    scores, classes = nets(x), y.expand(len(nets.seeds), -1)
    return _losses(scores, classes).cpu(), (scores.argmax(2) == classes).float().mean(1).cpu()


def _table(seeds: list[int], looks: list[tuple]) -> pd.DataFrame:
    epoch, updates, seconds, loss, accuracy = zip(*looks, strict=True)
    repeat = {"epoch": epoch, "updates": updates, "seconds": seconds}
    columns = {name: np.repeat(values, len(seeds)) for name, values in repeat.items()}
    names = np.tile(seeds, len(looks))
    return pd.DataFrame({"seed": names, **columns, "loss": np.ravel(loss), "accuracy": np.ravel(accuracy)})
