"""A loss of two numbers: walk down it with an optimiser, draw it from above."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor, nn

Surface = Callable[[Tensor], Tensor]


def descend(
    surface: Surface,
    start: Sequence[float],
    make_optimizer: Callable[[Iterable[nn.Parameter]], torch.optim.Optimizer],
    steps: int,
) -> Tensor:
    """Walk down a surface with an optimiser, on exact gradients.

    Args:
        surface: maps points (..., n) to their losses (...), with torch's operations.
        start: the first point (n,).
        make_optimizer: builds the optimiser from the list that holds the one parameter, the point; its `step` may
            take a closure.
        steps: number of updates.

    Returns:
        The points (steps + 1, n), float64 on the CPU, the start first; nan from where the walk left the finite
        numbers.
    """
    point = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    optimizer = make_optimizer([point])
    path = torch.full((steps + 1, len(point)), torch.nan, dtype=torch.float64)
    path[0] = point.detach()

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = surface(point)
        loss.backward()
        return loss

    for step in range(1, steps + 1):
        optimizer.step(closure)
        if not torch.isfinite(point).all():
            break
        path[step] = point.detach()
    return path


def contours(
    ax: Axes,
    surface: Surface,
    x: tuple[float, float],
    y: tuple[float, float],
    *,
    levels: int | Sequence[float] = 18,
    log: bool = False,
    resolution: int = 160,
) -> None:
    """Draw lines of equal loss, grey, with the axes' limits at `x` and `y`.

    Args:
        ax: where to draw.
        surface: maps points (..., 2) to their losses (...).
        x: left and right limit.
        y: lower and upper limit.
        levels: how many lines, or their losses.
        log: space the lines evenly in the logarithm of the loss; the losses must be above 0.
        resolution: points along each axis.
    """
    across, up = torch.linspace(*x, resolution), torch.linspace(*y, resolution)
    grid = torch.stack(torch.meshgrid(across, up, indexing="xy"), -1).double()
    with torch.no_grad():
        z = surface(grid).numpy()
    if log and isinstance(levels, int):
        levels = np.geomspace(max(z.min(), 1e-12), z.max(), levels)
    ax.contour(across, up, z, levels=levels, colors="0.6", linewidths=0.7, linestyles="solid")
    ax.set(xlim=x, ylim=y)
    ax.grid(False)
