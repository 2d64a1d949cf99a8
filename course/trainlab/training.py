"""The ordinary training loop and its counterpart, the evaluation, once the lessons have taught them."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm.auto import tqdm

from trainlab.data import Dataset, Split, batches

if TYPE_CHECKING:
    import pandas as pd

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass
class History:
    """What `fit` saw, one row an epoch.

    Attributes:
        rows: dicts with `epoch` (from 1), `train_loss` (mean over the samples of the epoch, each loss taken
            before its update), `valid_loss`, `valid_accuracy` (0 to 1), `learning_rate` (of the epoch's last
            batch) and `seconds` (training only, without the evaluation).
        diverged: True where a loss became nan or infinite; the last row is then the epoch in which it
            happened.
    """

    rows: list[dict[str, float]] = field(default_factory=list)
    diverged: bool = False

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a pandas table."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    @property
    def last(self) -> dict[str, float]:
        """The row of the last epoch; raises `IndexError` before the first one."""
        return self.rows[-1]


def fit(
    model: nn.Module,
    data: Dataset,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    batch_size: int = 128,
    loss_fn: Loss = F.cross_entropy,
    scheduler: Any = None,
    step_scheduler_each: Literal["batch", "epoch"] = "batch",
    max_norm: float | None = None,
    seed: int = 0,
    bar: bool = True,
    on_batch: Callable[[int, float], object] | None = None,
) -> History:
    """Train `model` in place on `data.train` and evaluate it on `data.valid` after each epoch.

    The order of the batches has a generator of its own, so it depends on `seed` alone. Dropout and the like
    draw from torch's global generator: call `seed_everything` before building the model to repeat those too.

    Args:
        model: any module that maps a batch to scores (B, classes); it is trained on the device it is on.
        data: has `.train` and `.valid`; `.test` is not touched.
        optimizer: built on the model's parameters.
        epochs: passes over the training data, at least 1.
        batch_size: samples a batch; the last batch of an epoch may be smaller.
        loss_fn: maps (scores, labels) to the mean loss of the batch.
        scheduler: a learning-rate scheduler of `torch.optim.lr_scheduler`; `ReduceLROnPlateau` follows
            `valid_loss`.
        step_scheduler_each: step the scheduler after each "batch" or each "epoch".
        max_norm: clip the norm of the whole gradient to this; None leaves it alone.
        seed: of the order of the batches.
        bar: show a progress bar, unless `TQDM_DISABLE` is set; pass False inside `sweep`, which has its own.
        on_batch: called as `on_batch(step, loss)` after each update, steps counted from 0 over the whole run;
            the gradients of the step are still in place.

    Returns:
        The `History`. A loss that becomes nan or infinite ends the training early, with `diverged=True`.

    Raises:
        ValueError: for no epochs, an empty batch, or a scheduler that cannot be stepped as asked.
    """
    _check(epochs, batch_size, scheduler, step_scheduler_each)
    train = data.train.to(_device_of(model))
    order = torch.Generator().manual_seed(seed)
    history, steps = History(), itertools.count()
    total = epochs * math.ceil(len(train) / batch_size)

    def after_update(loss: float) -> None:
        if scheduler is not None and step_scheduler_each == "batch":
            scheduler.step()
        if on_batch is not None:
            on_batch(next(steps), loss)
        progress.update()

    with progress_bar(total=total, desc="training", bar=bar) as progress:
        for epoch in range(1, epochs + 1):
            started = time.perf_counter()
            loader = batches(train, batch_size, generator=order)
            trained = _train_epoch(model, loader, optimizer, loss_fn, max_norm, after_update)
            seconds = time.perf_counter() - started
            valid = evaluate(model, data.valid, loss_fn)
            valid = {"valid_loss": valid["loss"], "valid_accuracy": valid["accuracy"]}
            history.rows.append({"epoch": epoch, **trained, **valid, "seconds": seconds})
            progress.set_postfix(epoch=epoch, valid_accuracy=f"{valid['valid_accuracy']:.3f}")
            history.diverged = not math.isfinite(trained["train_loss"] + valid["valid_loss"])
            if history.diverged:
                break
            if scheduler is not None and step_scheduler_each == "epoch":
                scheduler.step(*([valid["valid_loss"]] if _is_plateau(scheduler) else []))
    return history


def evaluate(
    model: nn.Module,
    split: Split,
    loss_fn: Loss = F.cross_entropy,
    batch_size: int = 1024,
) -> dict[str, float]:
    """Mean loss and accuracy over a split, in evaluation mode and without gradients.

    Every sample weighs the same, whatever the size of its batch. Afterwards each part of the model is in the
    mode (training or evaluation) in which it was before.

    Args:
        model: maps a batch to scores (B, classes).
        split: images and labels; brought to the model's device.
        loss_fn: maps (scores, labels) to the mean loss of the batch.
        batch_size: samples a batch; it changes speed and memory, not the result.

    Returns:
        `{"loss": ..., "accuracy": ...}`, accuracy from 0 to 1.

    Raises:
        ValueError: if the split is empty.
    """
    if not len(split):
        raise ValueError("The split is empty, so it has no mean loss: evaluate on one with samples.")
    loss = correct = 0.0
    with _evaluation_mode(model), torch.no_grad():
        for x, y in batches(split.to(_device_of(model)), batch_size, shuffle=False):
            scores = model(x)
            loss += loss_fn(scores, y).item() * len(y)
            # Not torchmetrics: for this one line, it imports torchvision, scipy and matplotlib (about 2 s).
            correct += (scores.argmax(1) == y).sum().item()
    return {"loss": loss / len(split), "accuracy": correct / len(split)}


def binary_accuracy(model: nn.Module, x: Tensor, labels: Tensor) -> float:
    """Share of the samples that a net with a single output, the logit, puts on the right side of zero.

    A logit above 0 is a probability above one half, and an answer of 1. The model runs in evaluation mode and
    without gradients; afterwards each part of it is in the mode in which it was before.

    Args:
        model: maps (B, ...) to logits (B, 1) or (B,).
        x: all samples, in one batch, on the model's device.
        labels: (B,), 0 or 1, of any dtype.

    Returns:
        The accuracy, 0 to 1.

    Raises:
        ValueError: if there is no sample, or not one logit and one label for each.
    """
    if not len(x):
        raise ValueError("There is no sample, so there is no accuracy: evaluate on some.")
    with _evaluation_mode(model), torch.no_grad():
        logits = model(x)
    if logits.shape not in ((len(x), 1), (len(x),)) or labels.shape != (len(x),):
        raise ValueError(
            f"Binary accuracy needs one logit and one label a sample, not logits {tuple(logits.shape)} "
            f"and labels {tuple(labels.shape)} for {len(x)} samples."
        )
    return ((logits.flatten() > 0) == (labels > 0.5)).float().mean().item()


def progress_bar(*args: Any, bar: bool = True, **options: Any) -> tqdm:
    """A tqdm bar that clears itself and stays silent with `bar=False` or where `TQDM_DISABLE` is set."""
    # tqdm reads the variable only when it is imported, and its notebook bar not at all.
    silent = not bar or os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    return tqdm(*args, leave=False, disable=silent, **options)


def _train_epoch(
    model: nn.Module,
    loader: Iterable[tuple[Tensor, Tensor]],
    optimizer: torch.optim.Optimizer,
    loss_fn: Loss,
    max_norm: float | None,
    after_update: Callable[[float], None],
) -> dict[str, float]:
    """One pass, cut short by the first loss that is nan or infinite, which then shows in `train_loss`."""
    model.train()
    seen, summed = 0, 0.0
    for x, y in loader:
        rate = optimizer.param_groups[0]["lr"]
        optimizer.zero_grad()
        loss = loss_fn(model(x), y)
        value = loss.item()
        seen, summed = seen + len(y), summed + value * len(y)
        if not math.isfinite(value):
            break
        loss.backward()
        if max_norm is not None:
            nn.utils.clip_grad_norm_(model.parameters(), max_norm)
        optimizer.step()
        after_update(value)
    return {"train_loss": summed / seen, "learning_rate": rate}


@contextlib.contextmanager
def _evaluation_mode(model: nn.Module) -> Iterator[None]:
    # Each module's own mode is kept: a model may have frozen (evaluating) parts while it trains.
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _device_of(model: nn.Module) -> torch.device:
    parameter = next(model.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device


def _is_plateau(scheduler: Any) -> bool:
    return isinstance(scheduler, torch.optim.lr_scheduler.ReduceLROnPlateau)


def _check(epochs: int, batch_size: int, scheduler: Any, each: str) -> None:
    if epochs < 1 or batch_size < 1:
        raise ValueError(
            f"Training needs at least one epoch and one sample a batch, not {epochs=}, {batch_size=}."
        )
    if each not in ("batch", "epoch"):
        raise ValueError(f'step_scheduler_each is "batch" or "epoch", not {each!r}.')
    if each == "batch" and _is_plateau(scheduler):
        raise ValueError('ReduceLROnPlateau waits for the validation loss: pass step_scheduler_each="epoch".')
