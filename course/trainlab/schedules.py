"""What a learning-rate schedule does, seen without training anything."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import pandas as pd
import torch


def rate_curve(
    make_scheduler: Callable[[torch.optim.Optimizer], Any],
    steps: int,
    *,
    make_optimizer: Callable[..., torch.optim.Optimizer] = torch.optim.SGD,
    losses: Iterable[float] | None = None,
    **settings: float,
) -> pd.DataFrame:
    """The settings that a schedule gives to each step, from an optimiser that is thrown away.

    The optimiser and the scheduler that train are never touched: a schedule that was drawn is used up.

    Args:
        make_scheduler: takes an optimiser and returns the scheduler.
        steps: how many steps, or epochs, to look at.
        make_optimizer: called with one parameter and `settings`.
        losses: what is passed to `scheduler.step(loss)` after each step, for schedules that look at a loss;
            one number a step.
        **settings: of the optimiser, such as `lr=0.1, momentum=0.9`.

    Returns:
        A row a step: `step` (from 0), `lr`, and `momentum` (of Adam: β₁) where the optimiser has one.

    Raises:
        ValueError: for no steps, or fewer losses than steps.
    """
    if steps < 1:
        raise ValueError(f"A curve needs at least one step, not {steps}.")
    heard = None if losses is None else [float(loss) for loss in losses]
    if heard is not None and len(heard) < steps:
        raise ValueError(f"{steps} steps need as many losses, not {len(heard)}.")
    optimizer = make_optimizer([torch.nn.Parameter(torch.zeros(()))], **settings)
    scheduler = make_scheduler(optimizer)
    rows = []
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".*scheduler.* before .*optimizer.*")  # nothing is trained
        for step in range(steps):
            rows.append({"step": step, **_settings_now(optimizer.param_groups[0])})
            optimizer.step()
            scheduler.step(*([] if heard is None else [heard[step]]))
    return pd.DataFrame(rows)


def _settings_now(group: dict[str, Any]) -> dict[str, float]:
    now = {"lr": float(group["lr"])}
    if "betas" in group:
        now["momentum"] = group["betas"][0]
    elif "momentum" in group:
        now["momentum"] = group["momentum"]
    return now
