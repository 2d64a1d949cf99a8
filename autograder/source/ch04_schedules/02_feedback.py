# ---
# jupyter:
#   lesson:
#     title: Schedules that listen, rise and restart
#     minutes: 110
# ---

# %% [markdown]
# The schedules of the last lesson are timetables. They know the number of the epoch and nothing else: at epoch 30 the rate falls, whether the network has long stopped learning or was just getting going. And
# they all go one way, down.
#
# Both habits can be dropped. A schedule can *listen* to the loss and act on what it hears. It can *rise*, at the start of a run or in the middle of it, and it can start over. You will
#
# - build PyTorch's most used listener, `ReduceLROnPlateau`, with the same decisions at every step,
# - build an older one, the bold driver, find out what it does in the long run, and why it needs a quiet road,
# - warm up a rate, and measure what that buys,
# - restart a schedule, and ask whether it is the restart that helps,
# - write a scheduler of your own that *raises* the rate on a plateau, and learn that a plateau has two causes with opposite cures,
# - stop a run and resume it so that it continues to the last bit as if nothing had happened.
#
# You need: the previous lesson, and momentum.

# %% role="setup"
import copy
import dataclasses
import io
import itertools
import math
import pickle
import tempfile
from functools import partial
from numbers import Number
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import (
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    ReduceLROnPlateau,
    SequentialLR,
)

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs


def rates_heard(make_scheduler, heard, lrs=(0.1,)):
    """The rates of all groups after each `scheduler.step(value)`: a tensor (values, groups), float64."""
    groups = [{"params": [nn.Parameter(torch.zeros(1))], "lr": lr} for lr in lrs]
    optimizer = torch.optim.SGD(groups, lr=1.0)
    scheduler = make_scheduler(optimizer)
    rates = []
    for value in heard:
        optimizer.step()
        scheduler.step(value)
        rates.append([float(group["lr"]) for group in optimizer.param_groups])
    return torch.tensor(rates, dtype=torch.float64)


def column(*numbers):
    """The rates of one group, as `rates_heard` gives them: a tensor (n, 1), float64."""
    return torch.tensor(numbers, dtype=torch.float64).unsqueeze(1)


# %% [markdown]
# The networks of this lesson look at every other pixel of the clothes, 14 × 14 of them: that costs a few points of accuracy, and makes a run of a dozen epochs a matter of a second.


# %%
def coarse(split):
    """Every other row and column of the images."""
    return dataclasses.replace(split, images=split.images[:, ::2, ::2].contiguous())


device = lab.device()
data = lab.fashion_mnist(flat=True).take(
    train=budget(8_000, fast=1_000), valid=2_000, test=budget(10_000, fast=1_000)
)
parts = {name: coarse(getattr(data, name)) for name in ("train", "valid", "test")}
data = dataclasses.replace(data, **parts).to(device)
n_inputs, n_classes = data.train[:1][0].shape[1], len(data.classes)


def clothes_net(seed, depth=1, width=100):
    """A network of `depth` hidden layers, with He's initialisation."""
    torch.manual_seed(seed)
    layers, n = [], n_inputs
    for _ in range(depth):
        layer = nn.Linear(n, width)
        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
        nn.init.zeros_(layer.bias)
        layers, n = [*layers, layer, nn.ReLU()], width
    return nn.Sequential(*layers, nn.Linear(n, n_classes)).to(device)


data

# %% [markdown]
# ## A schedule that listens
#
# Every timetable asks you to guess, before the run, when the network will have got all it can out of the present rate. Why not look? Keep the rate while the validation loss improves. Once it has not improved for a while, lower the rate, and carry on. This is **performance scheduling**, and in PyTorch
#
# ```python
# scheduler = ReduceLROnPlateau(optimizer, mode="min", factor=0.1, patience=10)
# ...
# scheduler.step(valid_loss)  # once an epoch, after the evaluation, with the number to listen to
# ```
#
# It is the only scheduler of PyTorch's whose `step` wants an argument. What sounds like one rule is made of four small decisions, and whoever has to explain a run that decayed too early needs all of them:
#
# - **What is an improvement?** Not any decrease: the loss has to come below `best · (1 − threshold)`, with a threshold of $10^{-4}$ unless you say otherwise, and *best* is the best loss so far, not the last one. With `mode="max"`, for an accuracy, it has to rise above `best · (1 + threshold)`.
# - **How long is a while?** `patience` is the number of bad epochs in a row that are *tolerated*. With a patience of 2 it is the third that lowers the rate.
# - **And then?** The count starts anew. For `cooldown` epochs after a cut, bad epochs are not even counted: the network is given time to settle.
# - **Where does it end?** No cut goes below `min_lr`.
#
# Two conventions to know. The threshold is relative, so for a *negative* number, such as a log-likelihood, it works backwards (a slightly worse value passes for an improvement): use `threshold_mode="abs"` there. And PyTorch skips a cut that would change the rate by less than `eps`, $10^{-8}$; we leave that one out.

# %% [markdown] role="card" exercise="PlateauDecay" level=2 minutes=15 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ReduceLROnPlateau.html"
# ### Performance scheduling by hand
#
# Write `step`, which is told a `metric` once an epoch. It does three things, in this order:
#
# 1. If the metric is **better**, it becomes `self.best`, and the count of bad epochs is 0. If not, the count grows by 1. Better means: less than `best · (1 − threshold)` for mode `"min"`, more than `best · (1 + threshold)` for mode `"max"`.
# 2. If a **cooldown** is still running (`self.cooling > 0`), it gets one epoch shorter, and the count of bad epochs is 0.
# 3. If the count is **greater than** `patience`: in every group of the optimiser the rate is multiplied by `factor`, though to no less than `min_lr`; a rate that lies below `min_lr` already stays as it is. The count is 0 again, and `self.cooling` becomes `cooldown`.
#
# `best` begins at ±∞, so that the first metric always is an improvement. The metric is a number or a tensor with one number. `step` returns `None`. Nothing of PyTorch's own scheduler is needed; you are rebuilding its decisions.


# %% role="stub" exercise="PlateauDecay"
class PlateauDecay:
    """Lowers the rate of an optimiser when a metric has stopped improving.

    Args:
        optimizer: its groups' "lr" are changed in place.
        mode: "min" if the metric should fall, such as a loss; "max" if it should rise.
        factor: of each cut, 0 < factor < 1.
        patience: bad epochs in a row that are tolerated.
        threshold: share of `best` by which a metric (positive) must beat it.
        cooldown: epochs after a cut in which bad epochs are not counted.
        min_lr: no cut goes below this rate.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ):
        self.optimizer, self.mode, self.factor = optimizer, mode, factor
        self.patience, self.threshold = patience, threshold
        self.cooldown, self.min_lr = cooldown, min_lr
        self.best = math.inf if mode == "min" else -math.inf
        self.bad_epochs = 0
        self.cooling = 0

    def step(self, metric: float | torch.Tensor) -> None:
        """Take note of an epoch's metric, and cut the rates where it is time."""
        ### BEGIN SOLUTION
        metric = float(metric)
        if self.mode == "min":
            better = metric < self.best * (1 - self.threshold)
        else:
            better = metric > self.best * (1 + self.threshold)
        if better:
            self.best = metric
            self.bad_epochs = 0
        else:
            self.bad_epochs += 1

        if self.cooling > 0:
            self.cooling -= 1
            self.bad_epochs = 0

        if self.bad_epochs > self.patience:
            for group in self.optimizer.param_groups:
                lowered = max(group["lr"] * self.factor, self.min_lr)
                group["lr"] = min(group["lr"], lowered)
            self.bad_epochs = 0
            self.cooling = self.cooldown
        ### END SOLUTION


# %% role="check" exercise="PlateauDecay"
with Check("PlateauDecay") as check:

    def hear(losses, lrs=(0.1,), **settings):
        return rates_heard(lambda o: PlateauDecay(o, **settings), losses, lrs)

    probe = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    check.that(PlateauDecay(probe).step(1.0) is None, "`step` should return None.")
    check.close(
        hear([1.0, 0.8, 0.8, 0.8, 0.8, 0.8], factor=0.5, patience=1),
        column(0.1, 0.1, 0.1, 0.05, 0.05, 0.025),
        "With losses 1, then 0.8 five times, patience 1 and factor ½, the second bad epoch in a row should halve "
        "the rate, and the fourth halve it again.",
        known=[
            (
                column(*[0.1] * 6),
                "The rate never falls. Is the new rate put back into `group['lr']`, and does a loss that stays the same count as bad?",
            ),
            (
                column(0.1, 0.1, 0.05, 0.025, 0.0125, 0.00625),
                "One epoch too early: `patience` bad epochs are tolerated, the next one cuts.",
            ),
            (
                column(0.1, 0.1, 0.1, 0.05, 0.025, 0.0125),
                "After a cut the count of bad epochs should start anew at 0.",
            ),
            (
                column(0.1, 0.05, 0.05, 0.025, 0.025, 0.0125),
                "The first loss should always count as an improvement, and so should a lower one.",
            ),
            (
                column(0.1, 0.1, 0.1, 0.1, 0.05, 0.05),
                "One epoch too late: the first bad epoch beyond `patience` cuts.",
            ),
        ],
    )
    check.close(
        hear([1.0, 0.5, 0.7, 0.6, 0.55], factor=0.5, patience=2),
        column(0.1, 0.1, 0.1, 0.1, 0.05),
        "Losses 1, 0.5, 0.7, 0.6, 0.55 with patience 2 should cut at the last.",
        known=[
            (
                column(*[0.1] * 5),
                "0.7, 0.6, 0.55 are bad epochs, although each is below the one before it: compare with the best loss "
                "so far, which is 0.5.",
            )
        ],
    )
    check.close(
        hear([1.0, 0.9, 1.0, 0.8, 1.0, 0.7, 1.0], factor=0.5, patience=1),
        column(*[0.1] * 7),
        "Every other epoch improves, so with patience 1 nothing should be cut: an improvement sets the count to 0.",
    )
    check.close(
        hear([1.0, 0.994, 0.988, 0.987, 0.986], factor=0.5, patience=1, threshold=0.01),
        column(0.1, 0.1, 0.1, 0.1, 0.05),
        "Threshold 0.01, losses 1, 0.994, 0.988, 0.987, 0.986: only 0.988 is an improvement, by more than 1 % on 1.",
        known=[
            (
                column(*[0.1] * 5),
                "The threshold makes no difference: 0.987 is no improvement on 0.988.",
            ),
            (
                column(0.1, 0.1, 0.05, 0.05, 0.025),
                "0.994 is no improvement, so `best` should stay 1; then 0.988 is one.",
            ),
        ],
    )
    check.close(
        hear([0.5, 0.6, 0.6, 0.7, 0.6, 0.65], mode="max", factor=0.5, patience=1),
        column(0.1, 0.1, 0.1, 0.1, 0.1, 0.05),
        'With mode="max" a higher metric is better: 0.5, 0.6, 0.6, 0.7, 0.6, 0.65 with patience 1 cuts at the last.',
    )
    rising = [0.5, 0.48, 0.47, 0.6, 0.63, 0.65]
    check.close(
        hear(rising, mode="max", factor=0.5, patience=1, threshold=0.1),
        column(0.1, 0.1, 0.05, 0.05, 0.05, 0.025),
        'With mode="max", threshold 0.1 and patience 1, the metrics 0.5, 0.48, 0.47, 0.6, 0.63, 0.65 should cut at '
        "0.47 and at 0.65: only 0.6 is an improvement.",
        known=[
            (
                column(*[0.1] * 6),
                'With mode="max" a metric that is a little *lower* than the best passes for an improvement: the '
                "threshold lifts the bar, to best · (1 + threshold).",
            ),
            (
                column(0.1, 0.1, 0.05, 0.05, 0.05, 0.05),
                'With mode="max" the threshold makes no difference: 0.63 is not 10 % above 0.6.',
            ),
        ],
    )
    check.close(
        hear([1.0] * 8, factor=0.5, patience=0, cooldown=2),
        column(0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125),
        "Patience 0 and a cooldown of 2, the loss stays at 1: a cut at the 2nd, 5th and 8th epoch.",
        known=[
            (
                column(0.1, *[0.1 / 2**k for k in range(1, 8)]),
                "The cooldown makes no difference.",
            ),
            (
                column(0.1, 0.05, 0.05, 0.025, 0.025, 0.0125, 0.0125, 0.00625),
                "The cooldown is one epoch too short. Mind the order: it is shortened before the count is "
                "looked at, and begins after the cut.",
            ),
            (
                column(0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025),
                "The epoch after the cooldown is an ordinary one, and with patience 0 it cuts.",
            ),
        ],
    )
    check.close(
        hear([1.0] * 8, factor=0.5, patience=1, cooldown=2),
        column(0.1, 0.1, 0.05, 0.05, 0.05, 0.05, 0.025, 0.025),
        "Patience 1 and a cooldown of 2, the loss stays at 1: a cut at the 3rd epoch and at the 7th.",
        known=[
            (
                column(0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025),
                "Bad epochs of the cooldown are counted, so the next cut comes too early: in each of them the count "
                "is set to 0.",
            )
        ],
    )
    check.close(
        hear([1.0, 1.0, 0.5, 0.9, 0.7, 0.6], factor=0.5, patience=0, cooldown=2),
        column(0.1, 0.05, 0.05, 0.05, 0.025, 0.025),
        "Losses 1, 1, 0.5, 0.9, 0.7, 0.6 with patience 0 and a cooldown of 2: cuts at the 2nd epoch and at the 5th, "
        "the first after the cooldown, where 0.7 is no improvement on 0.5.",
        known=[
            (
                column(*[0.1, 0.05, 0.05, 0.05, 0.05, 0.05]),
                "The 0.5 came during the cooldown and should be the best from then on: a cooldown stops the count, "
                "not the ears.",
            ),
            (
                column(0.1, 0.05, 0.05, 0.05, 0.05, 0.025),
                "The 0.5 came during the cooldown, which gets shorter in that epoch as in any other.",
            ),
            (
                column(0.1, 0.05, 0.05, 0.025, 0.025, 0.025),
                "The 0.5 came during the cooldown, which does not end with it.",
            ),
        ],
    )
    check.close(
        hear([1.0] * 4, lrs=(0.1, 0.004), factor=0.1, patience=0, min_lr=0.005),
        torch.tensor([[0.1, 0.004], [0.01, 0.004], [0.005, 0.004], [0.005, 0.004]]),
        "Two groups at 0.1 and 0.004 with min_lr = 0.005: the first goes to 0.01 and 0.005, the other stays.",
        known=[
            (
                torch.tensor([[0.1, 0.004], [0.01, 0.005], [0.005, 0.005], [0.005, 0.005]]),
                "A rate that lies below `min_lr` already should stay as it is: a cut never raises a rate.",
            ),
            (
                torch.tensor([[0.1, 0.004], [0.01, 4e-4], [0.001, 4e-5], [1e-4, 4e-6]]),
                "`min_lr` makes no difference.",
            ),
        ],
    )


# %% [markdown] role="hints" exercise="PlateauDecay"
# <details><summary>Hint 1: three paragraphs</summary>
#
# Write the three steps of the card as three separate `if`s, in that order. None of them is the `else` of another.
#
# </details>
# <details><summary>Hint 2: better</summary>
#
# Compute one truth value first, in one way for `"min"` and in another for `"max"`. Only where it is true does `self.best` change.
#
# </details>
# <details><summary>Hint 3: the floor</summary>
#
# `max(rate * factor, min_lr)` keeps a cut above the floor. For a rate that was below the floor all along, it would be a rise: take the smaller one of the old rate and that.
#
# </details>

# %% role="test" exercise="PlateauDecay" points=3
# Graded with hidden tests: the decisions of ReduceLROnPlateau, in both modes, with all settings, on long random runs.
### BEGIN HIDDEN TESTS
with HiddenTest("PlateauDecay") as test:

    def both(heard, lrs=(0.1,), **settings):
        want = rates_heard(lambda o: ReduceLROnPlateau(o, eps=0.0, **settings), heard, lrs)
        with test.case(f"settings {settings}"):
            got = rates_heard(lambda o: PlateauDecay(o, **settings), heard, lrs)
        return got, want

    def eventful(start, end, **settings):
        """Of 8 random runs of 24 epochs the one with the most cuts and improvements: each step is asked for."""
        runs = []
        for _ in range(8):
            heard = torch.linspace(start, end, 24) + 0.1 * torch.randn(24)
            heard = (heard.clamp(min=0.05) * 50).round() / 50
            heard = (heard.double() + 0.007).tolist()  # ties, but none right at a threshold
            optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
            judge, events = ReduceLROnPlateau(optimizer, eps=0.0, **settings), 0
            for value in heard:
                best, rate = judge.best, optimizer.param_groups[0]["lr"]
                judge.step(value)
                events += (judge.best != best) + 2 * (optimizer.param_groups[0]["lr"] != rate)
            runs.append((events, heard))
        return max(runs)[1]

    cases = [
        (
            {"factor": 0.5, "patience": 3},
            "patience 3: the fourth bad epoch in a row cuts, then the count is 0 again.",
        ),
        (
            {"factor": 0.5, "patience": 0},
            "patience 0: the first epoch that is no improvement cuts.",
        ),
        (
            {"factor": 0.3, "patience": 1, "threshold": 0.05},
            "threshold 0.05: only what is 5 % below the best counts as better, and only that becomes the best.",
        ),
        (
            {"factor": 0.7, "patience": 1, "threshold": 0.0},
            "threshold 0: an equal loss is no improvement.",
        ),
        (
            {"factor": 0.5, "patience": 1, "cooldown": 3},
            "cooldown 3: for three epochs after a cut, bad epochs are not counted, though the best is kept up to date.",
        ),
        ({"factor": 0.2, "patience": 0, "min_lr": 1e-3}, "min_lr: no cut goes below it."),
    ]
    for settings, sentence in cases:
        for mode in ("min", "max"):
            ends = (1.0, 0.6) if mode == "min" else (0.4, 0.8)
            heard = eventful(*ends, mode=mode, **settings)
            got, want = both(heard, mode=mode, **settings)
            test.close(
                got,
                want,
                f'mode "{mode}", {sentence}',
                atol=1e-12,
            )
    for mode, heard in (
        ("min", [1.0, 0.96, 0.93, 0.9, 0.87, 0.84, 0.9, 0.9]),
        ("max", [1.0, 1.04, 1.07, 1.11, 1.14, 1.18, 1.1, 1.1]),
    ):
        got, want = both(heard, mode=mode, factor=0.3, patience=1, threshold=0.05)
        test.close(got, want, f'mode "{mode}", slow gains: {cases[2][1]}', atol=1e-12)
    for mode, heard in (
        ("min", [1.0, 1.0, 1.0, 0.5, *[0.8] * 6]),
        ("max", [1.0, 1.0, 1.0, 1.5, *[1.2] * 6]),
    ):
        got, want = both(heard, mode=mode, **cases[4][0])
        test.close(got, want, f'mode "{mode}", {cases[4][1]}', atol=1e-12)
    heard = [1.0, *[1.1] * 9]
    got, want = both(heard, lrs=(0.5, 0.02, 1e-4), factor=0.1, patience=1, min_lr=1e-3)
    test.close(
        got[:, 2], want[:, 2], "A rate below min_lr was raised: a cut never raises a rate."
    )
    test.close(got, want, "Each group's own rate is cut, and none goes below min_lr.")
    got, want = both([1.0] * 13)
    test.close(got, want, "The defaults should be PyTorch's: factor 0.1, patience 10.")

    # the rate is changed by somebody else in the meantime
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = PlateauDecay(optimizer, factor=0.5, patience=0)
    scheduler.step(1.0)
    optimizer.param_groups[0]["lr"] = 0.8
    scheduler.step(1.0)
    test.close(
        optimizer.param_groups[0]["lr"],
        0.4,
        "The rate was set to 0.8 from outside before a cut by ½: multiply the rate that the group has now.",
    )
    # a tensor that is written into again and again
    running = torch.zeros(())
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler, seen = PlateauDecay(optimizer, factor=0.5, patience=0), []
    for value in (1.0, 0.5, 0.7, 0.4, 0.45):
        running.fill_(value)
        test.that(scheduler.step(running) is None, "`step` should return None.")
        seen.append(float(optimizer.param_groups[0]["lr"]))
    test.close(
        torch.tensor(seen),
        torch.tensor([0.1, 0.1, 0.05, 0.05, 0.025]),
        "The metric came as a tensor that is overwritten each epoch: keep its number, float(metric), not the tensor.",
    )
    # two schedulers do not share anything
    one, two = (torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1) for _ in range(2))
    first, second = (PlateauDecay(o, factor=0.5, patience=1) for o in (one, two))
    for _ in range(3):
        first.step(1.0)
    second.step(2.0)
    test.close(
        one.param_groups[0]["lr"],
        0.05,
        "Two schedulers at once: the first one's rate is wrong.",
    )
    test.close(two.param_groups[0]["lr"], 0.1, "Two schedulers at once disturb each other.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="PlateauDecay"
# The whole scheduler is three numbers of memory and three `if`s, and the order of the `if`s is where implementations part. A cooldown is shortened *before* the count is looked at, so a cooldown of 2 skips exactly two epochs. `best` moves only on a real improvement; if it crept along with every small gain, a loss that improves by half a threshold an epoch would look like a plateau for ever, although
# it improves by a full threshold every other epoch. And the factor multiplies the rate that is in the group *now*, so performance scheduling can be combined with whatever else changes the rate.

# %% [markdown]
# Here it is at work: one run at a first rate of 0.1 for each of three patiences, with a factor of 0.3 and a threshold of 0.01. (One run each: this shows what it *does*, not what it is worth.)


# %%
def listen(rule, lr, seed, epochs):
    """Train with momentum at a constant rate or with PyTorch's ReduceLROnPlateau; the model and its history."""
    model = clothes_net(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    scheduler = None
    if rule != "constant":
        patience = int(rule.split()[-1])
        scheduler = ReduceLROnPlateau(optimizer, factor=0.3, patience=patience, threshold=0.01)
    history = lab.fit(
        model,
        data,
        optimizer,
        epochs=epochs,
        scheduler=scheduler,
        step_scheduler_each="epoch",
        seed=seed,
        bar=False,
    )
    return model, history


fig, (left, right) = lab.figure(1, 2, height=3.2)
for index, rule in enumerate(["patience 0", "patience 1", "patience 4"]):
    frame = listen(rule, 0.1, seed=7, epochs=budget(20, fast=3))[1].frame
    for ax, what in ((left, "valid_loss"), (right, "learning_rate")):
        ax.plot(frame.epoch, frame[what], label=rule, markersize=4, **lab.line_style(index))
left.set(xlabel="epoch", ylabel="validation loss")
right.set(xlabel="epoch", ylabel="rate", yscale="log")
right.legend(handlelength=3)
lab.show(
    fig,
    alt="Validation loss and rate by epoch of three runs with patience 0, 1 and 4. The loss jumps up and down until "
    "the first cut and moves less after it, with patience 4 still up and down. The less the patience, the earlier the cuts come; each is a step down by "
    "0.3 on the logarithmic axis of the rate.",
)

# %% [markdown]
# Until the first cut the three runs are one and the same. The cut comes after epoch 3 with no patience, after 6 with a patience of 1, after 12 with 4, and each time the loss drops at once: the network stood in a valley and jumped from wall to wall. (With a patience of 4 it goes on jumping after its first cut, if less, and its loss ends highest.) Then the cuts go on, since on a level loss every epoch is bad. With patience 0 the rate comes to rest below $10^{-8}$, where PyTorch skips further cuts (`eps`). In practice `min_lr`, or early stopping, ends this.
#
# **Predict, then run.** Now what it is worth: twelve epochs at a constant rate, or with performance scheduling (factor 0.3, patience 1), from first rates between 0.01 and 0.3, five seeds each. Where will the two differ most: at low rates or at high ones? And each at *its own* best rate, judged on test images?

# %%
LISTEN_EPOCHS = budget(12, fast=3)
listen_tuning = lab.sweep(
    lambda rule, lr, seed: listen(rule, lr, seed, LISTEN_EPOCHS)[1].last,
    {
        "rule": ["constant", "patience 1"],
        "lr": budget([0.01, 0.03, 0.1, 0.3], fast=[0.03, 0.3]),
    },
    seeds=range(100, 100 + budget(5, fast=1)),
)
listen_best = lab.best(listen_tuning, "rule", "valid_accuracy", over="lr").set_index("rule")
listen_test = lab.sweep(
    lambda rule, seed: lab.evaluate(
        listen(rule, listen_best.lr[rule], seed, LISTEN_EPOCHS)[0], data.test
    ),
    {"rule": ["constant", "patience 1"]},
    seeds=range(budget(5, fast=2)),
)
forgiven = {
    lr: lab.paired_difference(frame, "rule", "valid_accuracy", "constant")
    for lr, frame in listen_tuning.groupby("lr")
}
forgiven = pd.concat(forgiven, names=["first rate"]).droplevel(1)
listen_gain = lab.paired_difference(listen_test, "rule", "accuracy", "constant")
print(listen_best[["lr", "mean", "at_edge"]].round(4).to_string())
print("\nvalidation accuracy, difference to a constant rate:")
print(forgiven.drop(columns="rule").round(4).to_string())
print("\ntest accuracy, each at its own best rate:")
print(lab.summary(listen_test, "rule", "accuracy").round(4).to_string(index=False))
listen_gain.round(4)

# %%
ax = lab.band(
    listen_tuning,
    "lr",
    "valid_accuracy",
    "rule",
    xlabel="first rate",
    ylabel="validation accuracy",
)
ax.set_xscale("log")
lab.show(
    ax.figure,
    alt="Validation accuracy after 12 epochs against the first rate, from 0.01 to 0.3. At 0.01 the two rules are level; from 0.03 on "
    "performance scheduling is above, and the constant rate falls further and further behind as the rate grows.",
)

# %% [markdown]
# At 0.01 there is nothing to be seen: the interval contains 0. The higher the first rate, the more performance scheduling forgives: about a point at 0.03 (0.3 to 1.7), two at 0.1 (0.9 to 3.1), and five at 0.3 (2.7 to 8.1), where the constant rate falls to 78 %. Its best first rate is three times as high as the best constant one. And even best against best it is 1.3 points ahead on the test images (0.7 to 1.9).
#
# **A listener that may only lower the rate should be started high.** One warning: it listens to the validation images, so they take part in the training, if only a little. That is why the last word was the test set's.

# %% [markdown]
# ### Play with it
#
# A loss curve for trying out: it falls, is level from about epoch 25 on, and jitters all the way. The rate does not act back on it here; you only see where a listener would cut. Find a setting that does not cut before epoch 25, and cuts soon after. What does a larger threshold do to a slow but steady fall? What is a cooldown good for?

# %%
from ipywidgets import FloatLogSlider, IntSlider, interact

epochs = np.arange(60)
jitter = 0.04 * np.random.default_rng(3).standard_normal(len(epochs))
made_up = 0.5 + np.exp(-epochs / 7) + jitter


@interact(
    patience=IntSlider(0, min=0, max=10, continuous_update=False),
    log_threshold=FloatLogSlider(
        1e-4, min=-4, max=-1, step=0.25, continuous_update=False, description="threshold"
    ),
    cooldown=IntSlider(0, min=0, max=10, continuous_update=False),
)
def explore(patience, log_threshold, cooldown):
    def make(optimizer):
        return ReduceLROnPlateau(
            optimizer, factor=0.3, patience=patience, threshold=log_threshold, cooldown=cooldown
        )

    rates = lab.rate_curve(make, len(epochs), lr=0.1, losses=made_up).lr.to_numpy()
    cuts = np.flatnonzero(np.diff(rates) < 0)
    fig, ax = lab.figure(height=2.8)
    ax.plot(epochs, made_up, **lab.line_style(0), markersize=3, label="loss")
    ax.vlines(cuts, 0.3, 1.6, color="black", linestyle=":", label="cut")
    ax.set(xlabel="epoch", ylabel="loss", title=f"{len(cuts)} cuts")
    ax.legend()
    lab.show(
        fig,
        alt=f"A jittering loss that is level from epoch 25 on. With patience {patience}, threshold {log_threshold:.2g} and "
        f"cooldown {cooldown} the rate is cut after epochs {cuts.tolist()}.",
    )


# %% [markdown]
# ## The bold driver
#
# A schedule that only ever lowers the rate has to start high enough. An older listener (Vogl and others, 1988; Battiti, 1989, who gave it its name) goes both ways, at each step: while the error falls, press the accelerator a little; when it rises, brake hard.
#
# $$\eta \leftarrow \begin{cases} 1.05\,\eta & \text{if the loss fell} \\ \tfrac12\,\eta & \text{if it rose} \end{cases}$$
#
# The gentle factor is usually between 1.01 and 1.05. The original also takes back a step that made the loss rise; we do without, since that costs a copy of all weights.

# %% [markdown] role="card" exercise="BoldDriver" level=1 minutes=10 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
# ### The bold driver
#
# Write `step(loss)`, which compares a loss with the one of the **previous call**:
#
# - lower: the rate of every group is multiplied by `up`,
# - higher: by `down`,
# - equal, or the first call: nothing changes.
#
# A loss that is not finite (`nan` or `inf`) counts as higher, even in the first call, and is **not remembered**: the next loss is compared with the last finite one, if there was one. The loss is a number or a tensor with one number. `step` returns `None`.


# %% role="stub" exercise="BoldDriver"
class BoldDriver:
    """Raises the rate a little while the loss falls, and cuts it when the loss rises.

    Args:
        optimizer: its groups' "lr" are changed in place.
        up: factor after a loss that fell, at least 1.
        down: factor after a loss that rose, between 0 and 1.
    """

    def __init__(self, optimizer: torch.optim.Optimizer, up: float = 1.05, down: float = 0.5):
        self.optimizer, self.up, self.down = optimizer, up, down
        self.before = None

    def step(self, loss: float | torch.Tensor) -> None:
        """Compare with the loss of the previous call, and change the rates."""
        ### BEGIN SOLUTION
        loss = float(loss)
        factor = 1.0
        if not math.isfinite(loss):
            factor = self.down
        else:
            if self.before is not None and loss < self.before:
                factor = self.up
            elif self.before is not None and loss > self.before:
                factor = self.down
            self.before = loss
        for group in self.optimizer.param_groups:
            group["lr"] *= factor
        ### END SOLUTION


# %% role="check" exercise="BoldDriver"
with Check("BoldDriver") as check:

    def drive(losses, lrs=(1.0,), **settings):
        return rates_heard(lambda o: BoldDriver(o, **settings), losses, lrs)

    probe = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    check.that(BoldDriver(probe).step(1.0) is None, "`step` should return None.")
    check.close(
        drive([1.0, 0.8, 0.9, 0.85]),
        column(1.0, 1.05, 0.525, 0.55125),
        "Losses 1, 0.8, 0.9, 0.85 from a rate of 1: falls, rises, falls should give 1.05, 0.525, 0.55125.",
        known=[
            (
                column(1.0, 1.0, 1.0, 1.0),
                "The rate never changes: put it back into `group['lr']`.",
            ),
            (
                column(1.0, 1.05, 0.525, 0.2625),
                "0.85 is lower than 0.9, the loss before it: compare with the previous loss, not the best one.",
            ),
            (
                column(1.0, 0.5, 0.525, 0.2625),
                "You brake when the loss falls: it is the other way round.",
            ),
            (
                column(1.05, 1.1025, 0.55125, 0.5788125),
                "The first call has nothing to compare with, and should change nothing.",
            ),
            (
                column(1.0, 1.05, 0.525, 0.575),
                "The rate is multiplied, by 1.05 or ½; nothing is added to it.",
            ),
            (
                column(1.0, 1.05, 0.5, 1.05),
                "The factor applies to the rate as it is now, not to the first one.",
            ),
            (
                column(1.0, 1.05, 0.525, 0.525 * 1.05**2),
                "A factor is applied twice.",
            ),
        ],
    )
    check.close(
        drive([1.0, 1.0, 2.0, 2.0, 1.5], up=1.01, down=0.1),
        column(1.0, 1.0, 0.1, 0.1, 0.101),
        "Equal losses should leave the rate alone, and `up` and `down` be used: losses 1, 1, 2, 2, 1.5 with 1.01 and "
        "0.1 give 1, 1, 0.1, 0.1, 0.101.",
        known=[
            (
                column(1.0, 0.1, 0.01, 0.001, 0.00101),
                "An equal loss counts as higher with you: it should change nothing.",
            ),
            (
                column(1.0, 1.01, 0.101, 0.10201, 0.1030301),
                "An equal loss counts as lower with you: it should change nothing.",
            ),
            (
                column(1.0, 1.0, 0.5, 0.5, 0.525),
                "`up` and `down` make no difference: use those that were given.",
            ),
        ],
    )
    check.close(
        drive([1.0, 0.9], lrs=(1.0, 0.01)),
        torch.tensor([[1.0, 0.01], [1.05, 0.0105]]),
        "With two groups at 1 and 0.01, a loss that falls should raise both, to 1.05 and 0.0105.",
    )
    check.close(
        drive([1.0, math.nan, 0.9]),
        column(1.0, 0.5, 0.525),
        "Losses 1, nan, 0.9: nan counts as higher, and 0.9 is then compared with 1.",
        known=[
            (
                column(1.0, 1.0, 1.0),
                "nan is neither lower nor higher for `<` and `>`: ask math.isfinite.",
            ),
            (column(1.0, 1.0, 1.05), "nan should count as higher: ask math.isfinite."),
            (column(1.0, 0.5, 0.5), "nan should not be remembered: 0.9 is lower than 1."),
            (column(1.0, 0.5, 0.25), "nan should not be remembered: 0.9 is lower than 1."),
        ],
    )
    check.close(
        drive([math.inf, 5.0, 4.0]),
        column(0.5, 0.5, 0.525),
        "Losses inf, 5, 4: inf brakes, 5 is the first finite one and changes nothing, 4 is lower.",
        known=[
            (column(1.0, 1.0, 1.05), "A first loss of inf should brake."),
            (
                column(0.5, 0.525, 0.55125),
                "inf should not be remembered: 5 has nothing to be compared with.",
            ),
            (
                column(1.0, 1.05, 1.1025),
                "A first loss of inf should brake, and not be remembered.",
            ),
        ],
    )


# %% [markdown] role="hints" exercise="BoldDriver"
# <details><summary>Hint 1: a factor first</summary>
#
# Find the factor (`self.up`, `self.down` or 1), then multiply every group's rate by it. That leaves one loop at the end.
#
# </details>
# <details><summary>Hint 2: what is remembered</summary>
#
# `self.before` becomes the loss of *this* call, whether it rose or fell, as long as it is finite. Set it last, after the comparison.
#
# </details>
# <details><summary>Hint 3: nan</summary>
#
# Every comparison with `nan` is false. So the first question is `math.isfinite(loss)`.
#
# </details>

# %% role="test" exercise="BoldDriver" points=2
# Graded with hidden tests: long sequences, several groups, rates changed from outside, losses that are not finite.
### BEGIN HIDDEN TESTS
with HiddenTest("BoldDriver") as test:
    got = rates_heard(BoldDriver, [0.0, -1.0, -3.0, -2.0], (1.0,))
    test.close(
        got,
        column(1.0, 1.05, 1.1025, 0.55125),
        "Losses 0, −1, −3, −2: zero is a loss like any other, and so are negative ones.",
        known=[
            (
                column(1.0, 1.0, 1.05, 0.525),
                "A previous loss of 0 is not a missing one: ask `is None`.",
            )
        ],
    )
    for up, down in ((1.05, 0.5), (1.01, 0.25), (1.2, 0.9)):
        for _ in range(1):
            heard = (torch.rand(30).double() * 9).round().tolist()  # with equal neighbours
            exponents = np.cumsum([0] + [(b < a) - 0 for a, b in itertools.pairwise(heard)])
            brakes = np.cumsum([0] + [(b > a) - 0 for a, b in itertools.pairwise(heard)])
            path = torch.tensor(up**exponents * down**brakes)
            with test.case("a long sequence of losses, two groups"):
                got = rates_heard(
                    lambda o, u=up, d=down: BoldDriver(o, up=u, down=d), heard, (2.0, 1e-3)
                )
            test.close(
                got,
                path.unsqueeze(1) * torch.tensor([2.0, 1e-3], dtype=torch.float64),
                "A long sequence: lower than the previous loss times `up`, higher times `down`, equal unchanged, in every group.",
                atol=1e-200,
            )
    got = rates_heard(BoldDriver, [3.0, 2.0, 2.5], (1.0,))
    test.close(got, column(1.0, 1.05, 0.525), "The defaults should be 1.05 and 0.5.")
    got = rates_heard(
        BoldDriver, [math.nan, math.inf, 3.0, -math.inf, math.nan, 2.0, math.inf, 4.0], (1.0,)
    )
    test.close(
        got,
        column(0.5, 0.25, 0.25, 0.125, 0.0625, 0.065625, 0.0328125, 0.01640625),
        "Losses that are not finite (−inf too) brake and are not remembered: the next is compared with the last finite one.",
    )
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    driver = BoldDriver(optimizer)
    driver.step(2.0)
    optimizer.param_groups[0]["lr"] = 10.0
    driver.step(1.0)
    test.close(
        float(optimizer.param_groups[0]["lr"]),
        10.5,
        "The rate was set to 10 from outside: multiply the rate that the group has now.",
    )
    running, seen = torch.zeros(()), []
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=1.0)
    driver = BoldDriver(optimizer)
    for value in (1.0, 0.5, 0.7):
        running.fill_(value)
        test.that(driver.step(loss=running) is None, "`step` should return None.")
        seen.append(float(optimizer.param_groups[0]["lr"]))
    test.close(
        torch.tensor(seen),
        torch.tensor([1.0, 1.05, 0.525]),
        "The loss came as a tensor that is overwritten each time: keep its number, float(loss), not the tensor.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="BoldDriver"
# Comparing with the *previous* loss makes the driver forgetful: after an accident it is content as soon as things get better, however bad they still are. That is what lets it recover from a rate far too high. A listener that compared with the best loss would go on braking until that loss is reached again. `nan` has to be asked for by name, as it answers `False` to every comparison; a driver that takes this for
# "not lower, not higher" drives on at full speed with a broken network.

# %% [markdown]
# **Where does it drive to?** A rise costs a factor of 2, a fall gives back 5 %. If a share $p$ of the steps are rises, the logarithm of the rate changes by $(1-p)\ln 1.05 - p \ln 2$ a step on average, and it comes to rest where that is 0:
#
# $$p = \frac{\ln 1.05}{\ln 1.05 + \ln 2} = 6.6\,\%$$
#
# (with 1.01 it is 1.4 %). The first rate does not occur in it. The bold driver does not look for the *best* rate: it looks for the rate at which one step in fifteen goes wrong, from wherever it starts.
#
# **Predict, then run.** Networks for the two moons of the last chapter, trained on all 300 points at once, from first rates between 0.001 and 3. A constant rate of 0.001 is hopelessly slow, one of 3 diverges. In how many steps does the bold driver reach a loss of 0.02 from either? And what will it do when each loss comes from another batch of 16 points?
#
# (Six networks for each first rate, all trained at once as one stack, so every network has a rate of its own: a tensor instead of an optimiser's number.)


# %%
moons, moon_classes = lab.two_moons()
STARTS = [0.001, 0.01, 0.1, 0.3, 1.0, 3.0]
NETS = budget(6, fast=2)
DRIVE_STEPS = budget(600, fast=300)


def scores_of(nets, x, activation):
    """Scores (networks, n, 2) of points (n, 2) or (networks, n, 2), with any activation between the layers."""
    z = x if x.dim() == 3 else x.expand(len(nets.seeds), *x.shape)
    for index, (weight, bias) in enumerate(zip(nets.weights, nets.biases, strict=True)):
        z = torch.baddbmm(bias, activation(z) if index else z, weight)
    return z


def drive(bold, activation=torch.relu, batch=None, steps=DRIVE_STEPS, first_seed=0):
    """Losses and rates (steps, starts, networks) of gradient descent, from every first rate of STARTS."""
    seeds = list(range(first_seed, first_seed + NETS)) * len(STARTS)
    nets = lab.NetStack([2, 12, 13, 13, 2], seeds)
    rates = torch.tensor(STARTS).repeat_interleave(NETS).reshape(-1, 1, 1).to(moons.device)
    draw, before = torch.Generator().manual_seed(first_seed), None
    losses, history = [], []
    for _ in range(steps):
        x, y = moons, moon_classes.expand(len(seeds), -1)
        if batch is not None:
            index = torch.randint(len(moons), (len(seeds), batch), generator=draw).to(x.device)
            x, y = x[index], moon_classes[index]
        nets.zero_grad()
        scores = scores_of(nets, x, activation).transpose(1, 2)
        loss = F.cross_entropy(scores, y, reduction="none").mean(1)
        loss.sum().backward()
        now = loss.detach().reshape(-1, 1, 1)
        if bold and before is not None:
            rates = torch.where(now < before, rates * 1.05, rates)
            rates = torch.where((now > before) | ~now.isfinite(), rates * 0.5, rates)
        before = now
        losses.append(now.flatten())
        history.append(rates.flatten())
        with torch.no_grad():
            for p in nets.parameters():
                p -= rates * p.grad
    shape = (steps, len(STARTS), NETS)
    return torch.stack(losses).cpu().reshape(shape), torch.stack(history).cpu().reshape(shape)


def steps_to(losses, threshold=0.02):
    """First step at which each network is below the threshold, nan where it never is: (starts, networks)."""
    below = losses < threshold
    first = below.int().argmax(0).double()
    return torch.where(below.any(0), first, torch.nan)


runs = {"constant rate": drive(False), "bold driver": drive(True)}
noisy = drive(True, batch=16, steps=200)
smooth = drive(True, activation=torch.tanh)
needed = {name: steps_to(losses) for name, (losses, _) in runs.items()}
table = pd.DataFrame({"first rate": STARTS})
for name, steps in needed.items():
    arrived, medians = (~steps.isnan()).sum(1), steps.nanmedian(1).values
    table[name] = [f"{m:.0f} ({n} of {NETS})" for m, n in zip(medians, arrived, strict=True)]
losses = runs["bold driver"][0]
# rises among the steps from the 100th on, while the networks still learn
active = (losses[:-1] > 1e-3) & (torch.arange(len(losses) - 1).reshape(-1, 1, 1) > 100)
rises = ((losses[1:] > losses[:-1]) & active).sum() / active.sum()
asleep = {
    name: (rates[-1] < 1e-3).float().mean().item()
    for name, (_, rates) in {"ReLU": runs["bold driver"], "tanh": smooth}.items()
}
print("median steps to a loss of 0.02, and how many networks arrive")
print(table.to_string(index=False))
print(
    f"share of steps that go up, from step 100 on: {rises:.1%}; predicted {math.log(1.05) / math.log(2.1):.1%}"
)
print(f"rate after 200 steps with batches of 16: {noisy[1][-1].median():.0e} (median)")
print("all points: share of networks with a rate below 0.001 at the end:", asleep)


# %%
def plot_drivers():
    fig, axes = lab.figure(2, 2, height=2.8)
    panels = {
        "all points, ReLU": runs["bold driver"][1],
        "all points, tanh": smooth[1],
        "batches of 16": noisy[1],
    }
    for ax, (title, rates) in zip(axes.flat, panels.items(), strict=False):
        for index, start in enumerate(STARTS):
            line = rates[:, index].median(1).values
            style = lab.line_style(index)
            ax.semilogy(line, label=f"{start:g}", markevery=50, markersize=4, **style)
        ax.set(xlabel="step", ylabel="rate (median)", title=title)
    axes[0, 0].set(ylim=(1e-6, 10))
    axes[0, 1].set(ylim=(1e-6, 10))
    axes[1, 0].set(ylim=(1e-30, 10))
    axes[0, 1].legend(title="first rate", fontsize=8, title_fontsize=8, handlelength=3, ncols=2)
    for index, (name, steps) in enumerate(needed.items()):
        style = lab.line_style(index)
        axes[1, 1].semilogx(
            STARTS, steps.nanmedian(1).values, label=name, markersize=5, **style
        )
    axes[1, 1].set(
        xlabel="first rate", ylabel="steps (median)", title="all points, ReLU: steps to 0.02"
    )
    axes[1, 1].legend(fontsize=8, handlelength=3)
    return fig


lab.show(
    plot_drivers(),
    alt="Four panels. All points, ReLU: the bold driver's rates from six first rates between 0.001 and 3 run together near "
    "0.3 within some 200 steps, and between 200 and 450 they begin to sink. All points, tanh: they run together likewise and stay near 0.4. Batches "
    "of 16: all six fall in a straight line on a logarithmic axis, to below 1e-25 in 200 steps. Last, steps to a loss of 0.02 against the first "
    "rate: a constant rate arrives at 0.1, 0.3 and 1 only, the bold driver from all six, within 120 to 300 steps.",
)

# %% [markdown]
# Over a range of 3,000 in the first rate, the bold driver arrives with every network, in some 120 to 300 steps. The rates run together within 200 steps; after that, seven or eight steps in a hundred go up, close to the 6.6 of the formula. Of the constant rates only three arrive (0.1 with five networks of six), but the best of them, 1, needs 80 steps, fewer than the driver from any start. That is the bargain. **It does not beat a tuned rate, and it saves you the tuning.**
#
# The lower left panel is why you do not find it in PyTorch. With batches of 16 the loss goes up about every second time, simply because the next batch is another one. Half of the steps rise where 6.6 % is the balance, so the rate shrinks by some 28 % a step, and soon the training has stopped for good. The driver cannot tell a bad step from a hard batch. It belongs on roads without noise: full batches, or one number an epoch that hardly jitters. A listener for noisy numbers needs what `ReduceLROnPlateau` has, patience.
#
# And the first panel holds a surprise. There is no noise, yet after some 200 to 400 steps the rates of about half of the networks sink (with other seeds it was a quarter), and do not come back. Is it the arithmetic? No: in float64 it happens as well. It is the ReLU. Its kinks make creases in the loss, and a walker that has come upon a crease which is a little valley crosses it with every step, however short: the loss rises every second time, the driver brakes, and ends in the crease. With tanh in place of ReLU, no creases, the rates stay up. The rule takes for granted that a step which is short enough goes down, and for ReLU that holds everywhere but on the creases.

# %% [markdown]
# ## Warm-up
#
# Every schedule so far begins with its highest rate, and that is the moment when the network can bear it least. Its weights are random, its gradients large and pointing here and there, momentum and Adam's averages have seen nothing yet. A **warm-up** climbs to the full rate during the first few percent of the run:
#
# ```python
# LinearLR(optimizer, start_factor=0.1, end_factor=1.0, total_iters=3)  # 10 %, 40 %, 70 %, 100 %, 100 %, ...
# ```
#
# With `total_iters=3` there are *four* rates on the way, since the one before the first `step` counts. The unit is up to you, as always: if `step` is called after every batch, these are batches. More often you want a warm-up of your own making, and `LambdaLR` takes any function of the number of steps.

# %% [markdown] role="card" exercise="warmup_factor" level=1 minutes=8 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LambdaLR.html"
# ### Warm-up as one line
#
# `LambdaLR(optimizer, f)` sets the rate to *first rate* × `f(t)` after $t$ calls of `step`, and to *first rate* × `f(0)` when it is built. Write such an `f` for a linear warm-up: for `warmup` steps the factor climbs evenly from `start`, at step 0, to 1, at step `warmup`, and it stays 1 from then on.
#
# With `start=0.1` and `warmup=3` the factors are 10 %, 40 %, 70 %, 100 %, 100 %, … Without a warm-up, `warmup=0`, the factor is always 1. Return a plain number.


# %% role="stub" exercise="warmup_factor"
def warmup_factor(step: int, warmup: int, start: float = 0.1) -> float:
    """Factor of the rate at a step, for a linear warm-up.

    Args:
        step: how many steps have been taken, from 0.
        warmup: steps until the full rate is reached; 0 for none.
        start: the factor at step 0, between 0 and 1.

    Returns:
        A number from `start` to 1.
    """
    ### BEGIN SOLUTION
    if step >= warmup:
        return 1.0
    return start + (1 - start) * step / warmup
    ### END SOLUTION


# %% role="check" exercise="warmup_factor"
with Check("warmup_factor") as check:
    first = warmup_factor(0, 3)
    check.is_a(first, Number)
    check.close(
        first,
        0.1,
        "The first step should have the factor `start`.",
        known=[
            (0.4, "That is the factor of step 1. Steps count from 0."),
            (0.0, "The climb begins at `start`, not at 0."),
            (
                1.0,
                "The first factor should be `start`, the last one 1. Is the climb upside down?",
            ),
            (
                1.1,
                "The climb from `start` to 1 has a height of 1 − start; is yours upside down?",
            ),
        ],
    )
    factors = torch.tensor([float(warmup_factor(t, 3)) for t in range(6)])
    check.close(
        factors,
        torch.tensor([0.1, 0.4, 0.7, 1.0, 1.0, 1.0]),
        "With 3 steps of warm-up from 10 % the factors should be 0.1, 0.4, 0.7, 1, 1, 1.",
        known=[
            (
                torch.tensor([0.1, 0.4, 0.7, 1.0, 1.3, 1.6]),
                "After the warm-up the factor should stay at 1.",
            ),
            (
                torch.tensor([0.1, 0.55, 1.0, 1.0, 1.0, 1.0]),
                "The full rate comes one step too early: it is reached at step `warmup`, not at `warmup - 1`.",
            ),
            (
                torch.tensor([0.1, 1 / 3, 2 / 3, 1.0, 1.0, 1.0]),
                "That is step / warmup, held above `start`. The climb should be even, with a height of 1 − start.",
            ),
            (
                torch.tensor([0.1, 0.1 + 1 / 3, 0.1 + 2 / 3, 1.0, 1.0, 1.0]),
                "The climb from `start` to 1 has a height of 1 − start, not 1.",
            ),
            (
                torch.tensor([0.1, 0.1 ** (2 / 3), 0.1 ** (1 / 3), 1.0, 1.0, 1.0]),
                "That climbs by a constant factor. The warm-up asked for is linear.",
            ),
            (
                torch.tensor([0.1, 0.1, 0.1, 1.0, 1.0, 1.0]),
                "It does not climb: is there an integer division `//`?",
            ),
        ],
    )
    with check.case("no warm-up, warmup=0"):
        none = warmup_factor(0, 0)
    check.close(none, 1.0, "Without a warm-up (`warmup=0`) the factor should be 1.")
    check.close(
        warmup_factor(5, 10, start=0.5), 0.75, "Half-way up from start = 0.5 should be 0.75."
    )


# %% [markdown] role="hints" exercise="warmup_factor"
# <details><summary>Hint 1: three numbers of a straight line</summary>
#
# Where does it begin, how high does it climb in all, and what share of the way is done at `step`?
#
# </details>
# <details><summary>Hint 2: the top</summary>
#
# Deal with `step >= warmup` first. That takes care of `warmup=0` as well.
#
# </details>

# %% role="test" exercise="warmup_factor" points=1
# Graded with hidden tests: LinearLR at every step, other starts and lengths, no warm-up.
### BEGIN HIDDEN TESTS
with HiddenTest("warmup_factor") as test:
    for start, warmup in ((0.1, 3), (0.25, 1), (0.5, 7), (1e-3, 40), (1.0, 5)):
        optimizers = [torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3) for _ in range(2)]
        oracle = LinearLR(optimizers[0], start_factor=start, end_factor=1.0, total_iters=warmup)
        with test.case(f"in a LambdaLR, start {start}, {warmup} steps"):
            mine = LambdaLR(
                optimizers[1], lambda t, w=warmup, s=start: warmup_factor(t, w, start=s)
            )
        rates = []
        for _ in range(warmup + 4):
            rates.append([float(o.param_groups[0]["lr"]) for o in optimizers])
            for optimizer, scheduler in zip(optimizers, (oracle, mine), strict=True):
                optimizer.step()
                scheduler.step()
        rates = torch.tensor(rates, dtype=torch.float64)
        test.close(
            rates[:, 1],
            rates[:, 0],
            "In a LambdaLR the rates should be LinearLR's at every step: `start` at step 0, full at step `warmup`, then constant.",
        )
    test.close(
        torch.tensor([float(warmup_factor(t, 4, start=0.0)) for t in range(6)]),
        torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0, 1.0]),
        "From start = 0 in four steps the factors should be 0, ¼, ½, ¾, 1, 1.",
    )
    test.close(float(warmup_factor(2, 3)), 0.7, "The default of `start` should be 0.1.")
    for t in (0, 1, 100):
        test.close(
            warmup_factor(t, 0), 1.0, "Without a warm-up (`warmup=0`) the factor is always 1."
        )
    test.is_a(warmup_factor(step=1, warmup=2), Number)
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="warmup_factor"
# $f(t) = s + (1 - s)\,t/T$ up to $T$, then 1. `LinearLR` gets the same numbers in a roundabout way: it multiplies the *present* rate by the ratio of two neighbouring factors. So it can work on top of others that do likewise, but its errors add up, and it cannot start from 0 (PyTorch refuses `start_factor=0`). `LambdaLR` computes each rate afresh from the first one: exact, at home in one line, and blind to whatever else has changed the rate.

# %% [markdown]
# ### And what comes after the warm-up?
#
# A warm-up is a beginning. The schedule that follows must hold its breath meanwhile, and there are two ways to get this wrong. Here is the first, beside two ways to get it right, with a warm-up of 5 steps, and `ExponentialLR` with $\gamma = 0.9$ to follow. `lab.rate_curve` draws a schedule with an optimiser of its own, as in the last lesson.


# %%
class Both:
    """Two schedulers that are both stepped each time: what a careless loop does."""

    def __init__(self, *schedulers):
        self.schedulers = schedulers

    def step(self):
        """Step them all."""
        for scheduler in self.schedulers:
            scheduler.step()


def warm(optimizer):
    return LinearLR(optimizer, start_factor=0.1, total_iters=5)


def decay(optimizer):
    return ExponentialLR(optimizer, gamma=0.9)


def in_turn(optimizer):
    return SequentialLR(optimizer, [warm(optimizer), decay(optimizer)], milestones=[5])


def one_lambda(optimizer):
    """The same without SequentialLR: warm-up times decay, by the number of steps."""
    return LambdaLR(optimizer, lambda t: 0.1 + 0.18 * t if t < 5 else 0.9 ** (t - 5))


SEQUELS = {
    "both at once": lambda o: Both(warm(o), decay(o)),
    "SequentialLR": in_turn,
    "one LambdaLR": one_lambda,
}
sequels = {name: lab.rate_curve(make, 20, lr=1.0) for name, make in SEQUELS.items()}
fig, ax = lab.figure(height=3)
for index, (name, curve) in enumerate(sequels.items()):
    ax.plot(
        curve.step,
        curve.lr,
        label=name,
        markersize=6 - 2 * (index == 2),
        **lab.line_style(index),
    )
ax.set(xlabel="step", ylabel="rate / full rate", xticks=range(0, 20, 5))
ax.legend(handlelength=3)
lab.show(
    fig,
    alt="Rates of 20 steps. Both at once: the rate climbs to 0.59 only and falls from there. SequentialLR and the one LambdaLR coincide: 0.1, 0.28 and so on up to 1 "
    "at step 5, then down by a tenth each step.",
)
pd.DataFrame({name: curve.lr.round(3) for name, curve in sequels.items()}).head(9).T

# %% [markdown]
# **Both at once** is wrong: the decay runs during the warm-up too, and the rate never reaches its peak: 59 % of it, $0.9^5$. `SequentialLR` hands over at the milestone. At step 5 the second schedule starts with *its* step 0, the full rate. (`ReduceLROnPlateau` cannot be a part of it, since its `step` wants a loss: with that one, step the warm-up until it is over, and only then the other.)
#
# The second way to get it wrong is silent. Put `LinearLR` and a scheduler that writes absolute rates, such as a `LambdaLR`, on the same optimiser and step both. If the absolute one is stepped last, it wipes out the warm-up; if `LinearLR` is, it multiplies what it finds by a factor that was made for another rate, and overshoots the peak. If you mix, multiply factors in one `LambdaLR`; you can read off what it does.
#
# ### The rugged early landscape
#
# Why should the beginning be special? Measure it. The steepest curvature of the loss, the largest eigenvalue $\lambda$ of its Hessian, sets the border of stability: for momentum, $\eta < 2(1 + \mu)/\lambda$. It can be had without the Hessian, from a few products $Hv$, as in the last chapter. Two networks, with one hidden layer and with eight, trained at a modest 0.02, without any warm-up.
#
# **Predict, then run.** During the first epoch, will the curvature rise, fall, or stay?


# %%
def sharpness(model, x, y, rounds=12):
    """Largest eigenvalue of the Hessian of the loss on a batch, by power iteration."""
    weights = list(model.parameters())
    loss = F.cross_entropy(model(x), y)
    slopes = torch.autograd.grad(loss, weights, create_graph=True)
    draw, value = torch.Generator().manual_seed(0), 0.0
    v = [torch.randn(w.shape, generator=draw).to(w.device) for w in weights]
    for _ in range(rounds):
        length = torch.sqrt(sum((part**2).sum() for part in v))
        v = [part / length for part in v]
        product = torch.autograd.grad(slopes, weights, v, retain_graph=True)
        value = sum((a * b).sum() for a, b in zip(v, product, strict=True)).item()
        v = product
    return value


LOOKS = budget([0, 1, 3, 6, 10, 15, 21, 28, 38, 50, 62], fast=[0, 2, 6])
probe_x, probe_y = data.train[:512]


def curvature_run(depth, seed, lr=0.02):
    """Rows of step and curvature, over the first epoch."""
    model = clothes_net(seed, depth)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    rows = [{"step": 0, "curvature": sharpness(model, probe_x, probe_y)}]

    def look(step, loss):
        if step + 1 in LOOKS:
            rows.append({"step": step + 1, "curvature": sharpness(model, probe_x, probe_y)})

    lab.fit(model, data, optimizer, epochs=1, seed=seed, bar=False, on_batch=look)
    return rows


curvature = lab.sweep(
    lambda depth, seed: curvature_run(depth, seed),
    {"depth": [1, 8]},
    seeds=range(budget(5, fast=1)),
)
peak_curvature = curvature.groupby(["depth", "seed"]).curvature.max().groupby("depth").mean()
late_curvature = (
    curvature[curvature.step == curvature.step.max()].groupby("depth").curvature.mean()
)
ax = lab.band(
    curvature.assign(network=curvature.depth.map({1: "1 hidden layer", 8: "8 hidden layers"})),
    "step",
    "curvature",
    "network",
    log=True,
    xlabel="step",
    ylabel="largest curvature",
)
for rate in (0.05, 0.2):
    ax.axhline(2 * 1.9 / rate, color="grey", linestyle=":", linewidth=1)
    ax.text(0, 2 * 1.9 / rate * 1.04, f"limit of η = {rate}", fontsize=8, color="dimgrey")
lab.show(
    ax.figure,
    alt="Largest curvature of the loss against the step, two networks. That of eight hidden layers falls at first, then leaps to "
    "several times its first value within some twenty steps, and comes down slowly. That of one hidden layer falls a little, rises to about twice that and sinks slowly. "
    "Dotted lines mark the limits of stability for rates of 0.05 and 0.2.",
)
pd.DataFrame({"highest": peak_curvature, "after one epoch": late_curvature}).round(1)

# %% [markdown]
# Both, one after the other, most of all in the deep network. Its curvature falls for the first steps, then, once the loss begins to come down, leaps to some five times its first value within about twenty steps, and comes down slowly; after one epoch it is still above the first value. At its height it lies above the limit for $\eta = 0.05$, the dotted line, though the run itself, at 0.02, is stable. After one epoch 0.05 would be safe. That is the **rugged early landscape**, and the case for a warm-up: the peak rate that the later run can use is too much for the first steps. The shallow network does the same on a small scale: on average its curvature falls from 10 to 7, rises to 17, and stays below the limit for 0.2.
#
# A case is not yet a gain. So take the deep network, two epochs of a cosine, with a warm-up over the first fifth of the steps or without. And take it with two optimisers, since Adam has a reason of its own. Its first steps have the size of the *rate*, in every coordinate, however uncertain the gradient: $m/\sqrt v$ is ±1 at step 1, and its averages rest on a handful of batches for a while (Liu and others, 2020).
#
# **Predict, then run.** Each peak rate is chosen on validation images, then five fresh seeds are judged on test images. Which of the two optimisers gains from the warm-up, and at which rates?


# %%
OPTIMIZERS = {
    "momentum": partial(torch.optim.SGD, momentum=0.9),
    "AdamW": partial(torch.optim.AdamW, fused=device.type == "cpu"),
}
WARM_PEAKS = {
    "momentum": budget([0.01, 0.02, 0.05], fast=[0.02]),
    "AdamW": budget([0.001, 0.003, 0.01], fast=[0.01]),
}
STARTS_OF = ["cosine alone", "warm-up, then cosine"]


def warm_run(start, name, peak, seed):
    """Train the deep network for two epochs; the model and its history."""
    model, epochs = clothes_net(seed, depth=8), 2
    optimizer = OPTIMIZERS[name](model.parameters(), lr=peak)
    total = epochs * math.ceil(len(data.train) / 128)
    climb = round(0.2 * total) if start != "cosine alone" else 0

    def factor(t):
        if t < climb:
            return 0.01 + 0.99 * t / climb
        return 0.5 * (1 + math.cos(math.pi * (t - climb) / (total - climb)))

    scheduler = LambdaLR(optimizer, factor)
    history = lab.fit(
        model, data, optimizer, epochs=epochs, scheduler=scheduler, seed=seed, bar=False
    )
    return model, history


warm_tuning, warm_best, warm_test, warm_gain = {}, {}, {}, {}
for name, peaks in WARM_PEAKS.items():
    warm_tuning[name] = lab.sweep(
        lambda start, peak, seed, name=name: {
            "accuracy": warm_run(start, name, peak, seed)[1].last["valid_accuracy"]
        },
        {"start": STARTS_OF, "peak": peaks},
        seeds=range(100, 100 + budget(5 if name == "AdamW" else 2, fast=2)),
    )
    found = lab.best(warm_tuning[name], "start", "accuracy", over="peak")
    warm_best[name] = found.set_index("start")
    warm_test[name] = lab.sweep(
        lambda start, seed, name=name: lab.evaluate(
            warm_run(start, name, warm_best[name].peak[start], seed)[0], data.test
        ),
        {"start": STARTS_OF},
        seeds=range(budget(5, fast=2)),
    )
    warm_gain[name] = lab.paired_difference(
        warm_test[name], "start", "accuracy", "cosine alone"
    )
same_peak = {
    peak: lab.paired_difference(frame, "start", "accuracy", "cosine alone")
    for peak, frame in warm_tuning["AdamW"].groupby("peak")
}
same_peak = pd.concat(same_peak, names=["peak"]).droplevel(1).drop(columns="start")


# %%
def plot_warm(warm_tuning):
    fig, axes = lab.figure(1, 2, height=3.2)
    for ax, (name, frame) in zip(axes, warm_tuning.items(), strict=True):
        means = frame.groupby(["start", "peak"]).accuracy.mean()
        for index, start in enumerate(STARTS_OF):
            line = means[start]
            ax.plot(line.index, line, label=start, markersize=5, **lab.line_style(index))
        ax.set(xlabel="peak rate", title=name, xscale="log")
        ax.set_xticks(WARM_PEAKS[name], [f"{peak:g}" for peak in WARM_PEAKS[name]])
        ax.minorticks_off()
    axes[0].set(ylabel="validation accuracy")
    axes[0].legend(handlelength=3, loc="upper left", fontsize=9)
    return fig


lab.show(
    plot_warm(warm_tuning),
    alt="Validation accuracy against the peak rate, with and without warm-up, for the deep network. Momentum: the cosine alone is up "
    "to a point above. AdamW: they are close at 0.001 and 0.003; at 0.01 the line of the cosine alone falls, the one with warm-up stays level.",
)
for name in OPTIMIZERS:
    print(warm_best[name][["peak", "mean", "at_edge"]].round(4).to_string())
    print(
        lab.summary(warm_test[name], "start", "accuracy").round(4).to_string(index=False), "\n"
    )
print("test accuracy, gain of the warm-up, each at its own best peak:")
print(
    pd.concat(warm_gain, names=["optimiser"])
    .droplevel(1)
    .drop(columns="start")
    .round(4)
    .to_string()
)
print("\nAdamW, validation accuracy, gain of the warm-up at one and the same peak:")
same_peak.round(4)

# %% [markdown]
# At its own best peak, neither optimiser gains anything that the interval can tell from 0. Whoever tunes the rate does not need the warm-up here: the best peak of the cosine alone is one that the first steps survive. With momentum that holds even at 0.05, beyond the dotted limit: without a warm-up it does as well there as at 0.02, and on the validation images it is ahead at all three peaks (two seeds each). The limit was measured along a run at 0.02, and it does not foretell the accuracy of another. Where the warm-up shows is in the last table, at a rate three times too high for AdamW: there it saves three points (0.7 to 5.2; in a trial with 10,000 images it was two, and the interval just reached 0). With a warm-up both optimisers chose the highest peak of their grid (`at_edge`), so that its best may lie higher still. **A warm-up buys tolerance rather than accuracy.** That is worth having, for a fifth of the steps or fewer: rates are rarely tuned to a factor of three, and in a large network one bad start is dear.
#
# (Larger claims are made for warm-up, and for other networks they hold: transformers whose norm comes after the sum hardly train without one, and the very large batches of Goyal and others (2017) needed it. Ours is a plain network of eight layers, and a run of 126 steps.)

# %% [markdown]
# ## Warm restarts
#
# Why not start over? Let the rate follow a cosine down, then throw it back to the peak and let it come down again, more slowly (Loshchilov and Hutter, 2017, who call it SGDR). The *weights* stay where they are, hence a *warm* restart. In PyTorch
#
# ```python
# CosineAnnealingWarmRestarts(optimizer, T_0=10, T_mult=2)  # rounds of 10, 20, 40, ... steps
# ```
#
# `T_0` is the length of the first round, in whatever unit you call `step`, and each round is `T_mult` times as long as the one before. Two reasons are given for it. The leap in the rate throws the weights out of a poor valley. And each round ends with a low rate, so a usable network lies ready at each of these ends, not only at the last.

# %% [markdown] role="card" exercise="restart_rate" level=2 minutes=12 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingWarmRestarts.html"
# ### The rate with warm restarts
#
# Round 0 lasts `first` steps, each further round `mult` times as long as the one before. In a round of $T$ steps, the rate at its step $t = 0, \dots, T-1$ is
#
# $$\eta = \eta_\text{min} + \tfrac12(\eta_\text{max} - \eta_\text{min})\left(1 + \cos\frac{\pi t}{T}\right)$$
#
# Return it for a `step` counted from the start of training. $\eta_\text{max}$ is `peak`, $\eta_\text{min}$ is `floor`; `step`, `first` and `mult` are whole numbers, `mult` at least 1, and there is no end to the rounds. At the first step of *each* round the rate is exactly `peak`. Beware of logarithms here: `math.log(243, 3)` is 4.999….


# %% role="stub" exercise="restart_rate"
def restart_rate(
    step: int, peak: float, first: int, mult: int = 2, floor: float = 0.0
) -> float:
    """Learning rate of cosine annealing with warm restarts.

    Args:
        step: steps (or epochs) since the start of training, from 0.
        peak: rate at the start of each round.
        first: length of the first round, in steps.
        mult: how many times longer each round is than the one before.
        floor: the rate that a round runs towards, and never quite reaches.

    Returns:
        The rate at that step, a number.
    """
    ### BEGIN SOLUTION
    length = first
    while step >= length:
        step -= length
        length *= mult
    return floor + (peak - floor) * (1 + math.cos(math.pi * step / length)) / 2
    ### END SOLUTION


# %% role="check" exercise="restart_rate"
with Check("restart_rate") as check:
    start = restart_rate(0, peak=0.2, first=4)
    check.is_a(start, Number)
    check.close(start, 0.2, "The first step should have the peak rate, 0.2.")
    rates = torch.tensor([float(restart_rate(t, peak=1.0, first=2)) for t in range(8)])
    check.close(
        rates[:2],
        torch.tensor([1.0, 0.5]),
        "A first round of 2 steps from peak 1 should have the rates 1 and ½.",
        known=[
            (
                torch.tensor([1.0, 0.0]),
                "The floor is reached too early: the angle is πt/T, with T the length of the round (not T − 1, nor 2πt/T).",
            ),
            (
                torch.tensor([1.0, 0.853553]),
                "The first round should last `first` steps: `mult` makes the *further* ones longer.",
            ),
        ],
    )
    shoulder = (1 + math.cos(math.pi / 4)) / 2  # 0.853553
    check.close(
        rates,
        torch.tensor([1.0, 0.5, 1.0, shoulder, 0.5, 1 - shoulder, 1.0, 0.9619398]),
        "first=2 and mult=2 make rounds that start at steps 0, 2 and 6, with rates 1, 0.5 | 1, 0.854, 0.5, 0.146 | 1, 0.962.",
        known=[
            (
                torch.tensor([1.0, 0.5] * 4),
                "All rounds have the same length: each should be `mult` times as long as the one before.",
            ),
            (
                torch.tensor([1.0, 0.5, 1.0, shoulder, 0.5, 1 - shoulder, 1.0, 0.9330127]),
                "The third round should last 8 steps: each is `mult` times as long as the one before, not `first` longer.",
            ),
            (
                torch.tensor([1.0, 0.5, 0.0, shoulder, 0.5, 1 - shoulder, 0.0, 0.9619398]),
                "At steps 2 and 6 the floor should not be reached, but the next round begin, with the peak: a round "
                "is over as soon as its length has gone by (`>=`, not `>`).",
            ),
            (
                torch.tensor([1.0, 0.5, 0.0, 1.0, shoulder, 0.5, 1 - shoulder, 0.0]),
                "Each round is one step too long: a round of T steps has t = 0, …, T − 1.",
            ),
            (
                torch.tensor([1.0, 0.5, 0.5, shoulder, 1.0, shoulder, 0.5, 1 - shoulder]),
                "Take away the round that is over first, and make the next one longer after that: you subtract the "
                "length of the wrong round.",
            ),
            (
                torch.tensor([1.0, 0.5, 1.0, shoulder, 0.5, 1 - shoulder, 1.0, 0.9903926]),
                "The third round should last 8 steps, twice the second: `mult` is applied more than once a round.",
            ),
            (
                torch.tensor([1.0, 0.5, 0.0, 0.5, 1.0, 0.5, 0.0, 0.5]),
                "The rate climbs back along the cosine. A restart jumps.",
            ),
            (
                torch.tensor([1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]),
                "There are no restarts.",
            ),
            (
                torch.tensor(
                    [1.0, 0.5, 0.5, 1 - shoulder, 0.0, 1 - shoulder, 1 - shoulder, 0.0380602]
                ),
                "Count t from the start of the round, not of training: subtract the rounds that are over.",
            ),
        ],
    )
    flat = torch.tensor([float(restart_rate(t, 0.5, 3, mult=1, floor=0.2)) for t in range(6)])
    check.close(
        flat,
        torch.tensor([0.5, 0.425, 0.275] * 2),
        "With peak 0.5, floor 0.2, rounds of 3 steps each (mult=1) the rates should be 0.5, 0.425, 0.275, then the same again.",
        known=[
            (torch.tensor([0.5, 0.375, 0.125] * 2), "`floor` makes no difference."),
            (
                torch.tensor([0.7, 0.575, 0.325] * 2),
                "The cosine should span from `floor` to `peak`, a height of peak − floor.",
            ),
            (
                torch.tensor([0.5, 0.375, 0.125] * 2).clamp(min=0.2),
                "`floor` is where the cosine ends, not a lid on it from below.",
            ),
            (
                torch.tensor([0.5, 0.425, 0.275, 0.5, 0.4799038, 0.425]),
                "`mult` makes no difference, your rounds always double. With mult=1 they all last 3 steps.",
            ),
        ],
    )
    check.close(
        restart_rate(26, 1.0, 2, mult=3),
        1.0,
        "first=2 and mult=3 make rounds of 2, 6, 18, 54 steps. The last of these starts at step 26, with the peak.",
        known=[
            (
                0.75,
                "The rounds last 2, 6, 18, 54 steps here, each three times the one before; yours grow by the same "
                "amount every time.",
            )
        ],
    )


# %% [markdown] role="hints" exercise="restart_rate"
# <details><summary>Hint 1: two questions</summary>
#
# How long is the round in which `step` falls, and how far into it are we? The rest is the cosine of the previous lesson.
#
# </details>
# <details><summary>Hint 2: take rounds away</summary>
#
# Begin with a length of `first`. As long as `step` does not fit into the round, subtract the round from it, and make the next one longer.
#
# </details>
# <details><summary>Hint 3: the loop</summary>
#
# `while step >= length: step -= length; length *= mult`
#
# </details>

# %% role="test" exercise="restart_rate" points=2
# Graded with hidden tests: CosineAnnealingWarmRestarts at every step, other lengths and factors, late rounds.
### BEGIN HIDDEN TESTS
with HiddenTest("restart_rate") as test:
    for peak, first, mult, floor in (
        (0.1, 5, 2, 0.0),
        (0.3, 1, 2, 0.01),
        (1.0, 7, 1, 0.2),
        (2.0, 2, 3, 1e-3),
        (0.05, 10, 4, 0.0),
    ):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=peak)
        scheduler = CosineAnnealingWarmRestarts(optimizer, first, T_mult=mult, eta_min=floor)
        want, got = [], []
        for t in range(130):
            want.append(float(optimizer.param_groups[0]["lr"]))
            with test.case(f"step {t}, first={first}, mult={mult}, floor={floor}"):
                got.append(float(restart_rate(t, peak, first, mult=mult, floor=floor)))
            optimizer.step()
            scheduler.step()
        test.close(
            torch.tensor(got, dtype=torch.float64),
            torch.tensor(want, dtype=torch.float64),
            f"first={first}, mult={mult}, floor={floor}: the rates should be CosineAnnealingWarmRestarts' at each of 130 steps.",
            rtol=1e-5,
        )
    # the first step of late rounds: here a logarithm is off by one round
    for mult in (2, 3, 5, 7, 10):
        begin = 0
        for k in range(12):
            test.close(
                float(restart_rate(begin, 0.7, 3, mult=mult)),
                0.7,
                f"mult={mult}, step {begin}: round {k} begins here, so the rate is the peak. (A logarithm that is rounded down is off by one.)",
            )
            if k:
                last = restart_rate(begin - 1, 0.7, 3, mult=mult)
                test.that(
                    0 <= last < 0.7 * 0.6,
                    f"mult={mult}, step {begin - 1}: the last step of a round should be nearest to the floor.",
                )
            begin += 3 * mult**k
    test.close(
        float(restart_rate(7, 1.0, 2)), 0.9619398, "The defaults should be mult=2, floor=0."
    )
    test.is_a(restart_rate(step=3, peak=1.0, first=2), Number)
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="restart_rate"
# The loop runs once a round, and rounds grow so fast that a million steps are a handful of turns. The closed form is $n = \lfloor\log_m(1 + t(m-1)/T_0)\rfloor$ rounds done, and it is a trap: at the start of a round the logarithm is a whole number in theory, and a hair below it in floating point. PyTorch uses it where you pass an epoch, `scheduler.step(epoch)`. With $T_0 = 1$ and `T_mult=3`, `step(121)` should begin a round with the peak rate, and gives the floor.

# %% [markdown]
# **Does it climb out of valleys?** A line with ripples is the simplest landscape with many poor minima: $f(x) = 0.02\,x^2 + \tfrac12(1 - \cos 2x)$. Its valleys lie about $\pi$ apart, the deepest is at 0, and a walker who starts at 15 with a small rate ends near 15, at a loss of almost 5.
# A thousand walkers start anywhere between −20 and 20, with noise on their slopes as a mini-batch would put it there. They have 700 steps: at a constant rate, on one cosine, or on three rounds of 100, 200 and 400. Each schedule gets the peak rate that is best for it.
#
# **Predict, then run.** Which of the two ends lower: the one long cosine, or three rounds of it?


# %%
def ripples(x):
    """The loss at places x."""
    return 0.02 * x**2 + 0.5 * (1 - np.cos(2 * x))


WALK = 700
rounds = [0.5 * (1 + np.cos(np.pi * np.arange(n) / n)) for n in (100, 200, 400)]
SHAPES = {
    "constant": np.ones(WALK),
    "one cosine": 0.5 * (1 + np.cos(np.pi * np.arange(WALK) / WALK)),
    "restarts": np.concatenate(rounds),
}


def wander(schedule, peak, seed, record=False):
    """Mean loss of the walkers at the end; with `record` after each step."""
    rng = np.random.default_rng(seed)
    x, means = rng.uniform(-20, 20, 1000), []
    for share in SHAPES[schedule]:
        slope = 0.04 * x + np.sin(2 * x) + rng.standard_normal(x.size)
        x = x - peak * share * slope
        if record:
            means.append(ripples(x).mean())
    return np.array(means) if record else {"loss": ripples(x).mean()}


walk_tuning = lab.sweep(
    lambda schedule, peak, seed: wander(schedule, peak, seed),
    {"schedule": list(SHAPES), "peak": [0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9, 1.1, 1.3]},
    seeds=range(100, 100 + budget(3, fast=1)),
)
walk_best = lab.best(walk_tuning, "schedule", "loss", "min", over="peak").set_index("schedule")
walks = lab.sweep(
    lambda schedule, seed: wander(schedule, walk_best.peak[schedule], seed),
    {"schedule": list(SHAPES)},
    seeds=range(budget(10, fast=3)),
)
print(walk_best[["peak", "at_edge"]].to_string())
lab.summary(walks, "schedule", "loss").round(4)


# %%
def plot_walks():
    fig, (left, right) = lab.figure(1, 2, height=3.3)
    for index, schedule in enumerate(SHAPES):
        style = lab.line_style(index)
        line = walk_tuning[walk_tuning.schedule == schedule].groupby("peak").loss.mean()
        left.plot(line.index, line, label=schedule, markersize=5, **style)
        path = wander(schedule, walk_best.peak[schedule], 0, record=True)
        right.semilogy(path, label=schedule, markevery=100, markersize=5, **style)
    left.set(xlabel="peak rate", ylabel="mean loss at the end", title="700 steps")
    right.set(xlabel="step", ylabel="mean loss of the walkers", title="each at its best peak")
    right.legend(handlelength=3)
    return fig


lab.show(
    plot_walks(),
    alt="Left: mean final loss of a thousand walkers against the peak rate. At 0.05 all three schedules end above 2; "
    "cosine and restarts fall to about 0.2 and lie on one another, the constant rate turns up again. Right: loss by step "
    "at the best peaks; the restarts dip at 100 and 300 steps and leap up after each, the one cosine comes down at the end.",
)

# %% [markdown]
# At small rates everybody is stuck; at a constant rate that is large enough to climb, nobody settles. Both cosines do what neither can: they climb first and settle then. But the *restarts* add nothing. The one long cosine, from the same peak and in the same number of steps, ends a little lower: it spends more steps at the rates at which the walkers just about still climb. **What frees them from poor valleys is the high rate, not the return to it.** Nor do restarts save a run whose peak is too low: up to 0.5 the two lines in the left-hand panel lie on one another.
#
# The second reason is another matter. Look at step 300 in the right-hand panel, the end of the second round: the restarts are below the one cosine there. (At step 100 they are not; a hundred steps are too few to climb.) So on to the clothes: fourteen epochs, one cosine or rounds of 2, 4 and 8, each at its own peak.


# %%
ROUNDS = budget([2, 4, 8], fast=[1, 2, 4])
EPOCHS = sum(ROUNDS)


def rounds_run(schedule, peak, seed):
    """Validation accuracy after each epoch."""
    model = clothes_net(seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=peak, momentum=0.9)
    steps = math.ceil(len(data.train) / 128)
    if schedule == "restarts":
        scheduler = CosineAnnealingWarmRestarts(optimizer, ROUNDS[0] * steps, T_mult=2)
    else:
        scheduler = CosineAnnealingLR(optimizer, EPOCHS * steps)
    return lab.fit(
        model, data, optimizer, epochs=EPOCHS, scheduler=scheduler, seed=seed, bar=False
    )


PEAKS = {"one cosine": [0.02, 0.04, 0.08], "restarts": [0.04, 0.08, 0.16]}
round_tuning = pd.concat(
    lab.sweep(
        lambda schedule, peak, seed: rounds_run(schedule, peak, seed).last,
        {"schedule": [schedule], "peak": budget(peaks, fast=[0.04])},
        seeds=range(100, 100 + budget(2, fast=1)),
    )
    for schedule, peaks in PEAKS.items()
)
round_best = lab.best(round_tuning, "schedule", "valid_accuracy", over="peak").set_index(
    "schedule"
)
round_runs = lab.sweep(
    lambda schedule, seed: rounds_run(schedule, round_best.peak[schedule], seed).rows,
    {"schedule": ["one cosine", "restarts"]},
    seeds=range(budget(5, fast=2)),
)
ENDS = [int(e) for e in np.cumsum(ROUNDS)]
anytime = {
    epoch: lab.paired_difference(
        round_runs[round_runs.epoch == epoch], "schedule", "valid_accuracy", "one cosine"
    )
    for epoch in ENDS
}
print(round_best[["peak", "mean", "at_edge"]].round(4).to_string())
pd.concat(anytime, names=["epoch"]).droplevel(1).round(4)

# %%
ax = lab.band(
    round_runs,
    "epoch",
    "valid_accuracy",
    "schedule",
    xlabel="epoch",
    ylabel="validation accuracy",
)
for end in ENDS[:-1]:
    ax.axvline(end, color="grey", linestyle=":", linewidth=1)
lab.show(
    ax.figure,
    alt="Validation accuracy by epoch, mean of the seeds with a band. With restarts the line is close to that of the one cosine "
    "up to epoch 6, the end of its second round, falls back after it by a point, and ends half a point below the other.",
)

# %% [markdown]
# Nothing comes of it here. At the ends of the first two rounds, epochs 2 and 6, the intervals contain 0, although the rate of the one cosine is still at 95 % and 61 % of its peak. Behind epoch 6 you see the price: the leap of the rate costs a point, and it takes until epoch 10 to be back above. And at the end of the run the restarts are half a point behind (0.2 to 0.8 on the validation images).
#
# How far is that to be trusted? Look at `at_edge`. By two seeds each, the one cosine chose the highest peak of its grid and the restarts the lowest of theirs, 0.08 and 0.04. In a trial with 10,000 images it was the other way round, and then the restarts were a point ahead at epoch 6 (0.5 to 1.5) and level at the end. Between these two peaks two seeds cannot decide, and the choice moves the curves as much as the restarts do.
#
# So what we measured is a schedule that does little harm and no good at the end (the next lesson's race finds much the same). What is left is its honest use: a run whose length is **not known beforehand**. A cosine needs to know its end; restarts can be stopped at the end of any round.

# %% [markdown]
# ## A scheduler of your own, and two kinds of plateau
#
# `ReduceLROnPlateau` has an opinion: when the loss stops falling, the rate is too *high*. Suppose you think the opposite, that the network has come to flat ground and ought to step out. No scheduler of PyTorch's does that. So write one: a subclass of `LRScheduler`, which saves and loads like all the others.

# %% [markdown] role="card" exercise="BoostOnPlateau" level=3 minutes=25 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LRScheduler.html"
# ### A scheduler of your own: push on a plateau
#
# Write a subclass of `LRScheduler` that *raises* the rates for a while when the loss has stopped falling. `step(loss)` is called once an epoch:
#
# 1. The loss is **better** if it is less than `best · (1 − threshold)`. Then it becomes the best, and the count of bad epochs is 0; if not, the count grows by 1. The first loss is always better.
# 2. If a boost is running, it gets one epoch shorter, and the count is 0. **Otherwise**, if the count is greater than `patience`, a boost begins, of `length` epochs, and the count is 0.
# 3. Every group's rate is its first rate times `boost` while a boost is running, and exactly its first rate at all other times.
#
# So a boost holds for `length` epochs of training, and then bad epochs are counted anew. How PyTorch's base class works:
#
# - `super().step()` adds 1 to `self.last_epoch`, asks **your** `get_lr()` for a list of rates, one a group, and puts them into the groups. `self.base_lrs` is the list of the first rates.
# - `super().__init__(optimizer)` itself calls `self.step()` once, **without a loss**: that sets the rates of the first epoch. So your `step` needs a default, that call must not count as an epoch, and what `step` and `get_lr` use has to exist *before* the call of `super().__init__`.
# - `state_dict()` holds all attributes of `self` but the optimiser: keep plain numbers in them, and your scheduler can be saved and resumed.


# %% role="stub" exercise="BoostOnPlateau"
class BoostOnPlateau(LRScheduler):
    """Multiplies all rates for a few epochs when the loss has stopped falling.

    Args:
        optimizer: the rates of its groups are the first rates.
        patience: bad epochs in a row that are tolerated.
        boost: factor of the rates during a boost.
        length: epochs that a boost lasts, at least 1.
        threshold: share of the best loss (positive) by which a loss must beat it.
    """

    def __init__(
        self,
        optimizer: torch.optim.Optimizer,
        patience: int = 5,
        boost: float = 10.0,
        length: int = 3,
        threshold: float = 1e-3,
    ):
        ### BEGIN SOLUTION
        self.patience, self.boost = patience, boost
        self.length, self.threshold = length, threshold
        self.best_loss = math.inf
        self.bad = self.boosted = 0
        super().__init__(optimizer)
        ### END SOLUTION

    def get_lr(self) -> list[float]:
        """The rates of all groups, in order."""
        ### BEGIN SOLUTION
        factor = self.boost if self.boosted else 1.0
        return [rate * factor for rate in self.base_lrs]
        ### END SOLUTION

    def step(self, loss: float | torch.Tensor | None = None) -> None:
        """Take note of an epoch's loss (None: the call from the base class), and set the rates."""
        ### BEGIN SOLUTION
        if loss is not None:
            loss = float(loss)
            if loss < self.best_loss * (1 - self.threshold):
                self.best_loss, self.bad = loss, 0
            else:
                self.bad += 1
            if self.boosted:
                self.boosted -= 1
                self.bad = 0
            elif self.bad > self.patience:
                self.boosted = self.length
                self.bad = 0
        super().step()
        ### END SOLUTION


# %% role="check" exercise="BoostOnPlateau"
with Check("BoostOnPlateau") as check:

    def push(losses, lrs=(0.1,), **settings):
        return rates_heard(lambda o: BoostOnPlateau(o, **settings), losses, lrs)

    check.that(
        isinstance(BoostOnPlateau, type) and issubclass(BoostOnPlateau, LRScheduler),
        "BoostOnPlateau should be a subclass of LRScheduler.",
    )
    probe = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    with check.case(
        "the scheduler is built, and the base class calls step() without a loss: does that work, and does "
        "everything exist that it uses? Does get_lr give a list of rates?"
    ):
        pushing = BoostOnPlateau(probe)
    check.close(
        probe.param_groups[0]["lr"], 0.1, "Building the scheduler should leave the rate at 0.1."
    )
    check.that(
        pushing.last_epoch == 0,
        "After it is built, `last_epoch` should be 0: call super().__init__ and let the base class count.",
    )
    settings = {"patience": 1, "boost": 10.0, "length": 2}
    check.close(
        push([1.0, 0.5, 0.5, 0.5], **settings),
        column(0.1, 0.1, 0.1, 1.0),
        "Losses 1, 0.5, 0.5, 0.5 with patience 1: the second bad epoch in a row should raise 0.1 to 1.",
        known=[
            (column(*[0.1] * 4), "The rate is never raised."),
            (
                column(0.1, 0.1, 1.0, 1.0),
                "One epoch too early: `patience` bad epochs are tolerated, the next one starts the boost.",
            ),
            (
                column(0.1, 0.1, 0.1, 0.01),
                "The rate should be multiplied by `boost`, not divided.",
            ),
        ],
    )
    check.close(
        push([1.0, 0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6, 0.6], **settings),
        column(0.1, 0.1, 0.1, 1.0, 1.0, 0.1, 0.1, 1.0, 1.0),
        "A boost of 2 epochs, then 0.1 again, and after two further bad epochs the next boost: "
        "0.1, 0.1, 0.1, 1, 1, 0.1, 0.1, 1, 1.",
        known=[
            (
                column(0.1, 0.1, 0.1, 1.0, 0.1, 0.1, 1.0, 0.1, 0.1),
                "The boost is one epoch too short: with `length=2` two epochs are trained at the higher rate.",
            ),
            (
                column(0.1, 0.1, 0.1, 1.0, 1.0, 1.0, 0.1, 0.1, 1.0),
                "The boost is one epoch too long.",
            ),
            (
                column(0.1, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
                "The boost never ends.",
            ),
            (
                column(0.1, 0.1, 0.1, 1.0, 1.0, 1.0, 1.0, 10.0, 10.0),
                "The boosts pile up: start from `self.base_lrs`, not from the present rate.",
            ),
            (
                column(0.1, 0.1, 0.1, 1.0, 10.0, 10.0, 10.0, 100.0, 1000.0),
                "In each epoch of a boost the present rate is multiplied once more: multiply the first rates, "
                "`self.base_lrs`.",
            ),
            (
                column(0.1, 0.1, 0.1, 1.0, 1.0, 0.1, 1.0, 1.0, 0.1),
                "Bad epochs of the boost are counted: while it runs, the count should be 0.",
            ),
        ],
    )
    check.close(
        push([1.0, 0.9995, 0.999, 0.5, 0.7, 0.6], patience=1, boost=3.0, threshold=0.01),
        column(0.1, 0.1, 0.3, 0.3, 0.3, 0.1),
        "Threshold 0.01: 0.9995 and 0.999 are no improvements on 1, so a boost of three epochs should begin there.",
    )
    check.close(
        push([1.0] * 4, lrs=(0.1, 0.02), **settings),
        torch.tensor([[0.1, 0.02], [0.1, 0.02], [1.0, 0.2], [1.0, 0.2]]),
        "Two groups, at 0.1 and 0.02, should both be raised tenfold.",
    )
    for _ in range(3):
        probe.step()
        returned = pushing.step(1.0)
    check.that(returned is None, "`step` should return None.")
    check.that(
        pushing.last_epoch == 3 and np.allclose(pushing.get_last_lr(), [0.1]),
        "After three steps `last_epoch` should be 3 and `get_last_lr()` the list of the rates: end `step` with super().step().",
    )


# %% [markdown] role="hints" exercise="BoostOnPlateau"
# <details><summary>Hint 1: who does what</summary>
#
# `__init__` stores settings and counters, then calls the base class. `step` only counts, and ends with `super().step()`. `get_lr` only looks at the counters, and returns a list.
#
# </details>
# <details><summary>Hint 2: one counter for the boost</summary>
#
# Keep the number of boosted epochs that are left. It becomes `length` when a boost begins, and loses 1 in each later call. The rate is raised while it is above 0.
#
# </details>
# <details><summary>Hint 3: the call without a loss</summary>
#
# Put all the counting into `if loss is not None:`, and `super().step()` after it, outside.
#
# </details>

# %% role="test" exercise="BoostOnPlateau" points=3
# Graded with hidden tests: long runs with all settings, several groups, saved and resumed, the base class's bookkeeping.
### BEGIN HIDDEN TESTS
with HiddenTest("BoostOnPlateau") as test:

    def expected(losses, patience, boost, length, threshold):
        """Factor of the rate after each loss."""
        best, bad, until, factors = math.inf, 0, -1, []
        for epoch, loss in enumerate(losses):
            better = loss < best * (1 - threshold)
            best, bad = (loss, 0) if better else (best, bad + 1)
            if epoch <= until:
                bad = 0
            elif bad > patience:
                until, bad = epoch + length, 0
            factors.append(boost if epoch < until else 1.0)
        return torch.tensor(factors, dtype=torch.float64)

    for patience, boost, length, threshold in (
        (2, 10.0, 3, 1e-3),
        (0, 2.0, 1, 0.0),
        (0, 5.0, 2, 0.02),
        (1, 3.0, 1, 0.1),
        (4, 1.5, 5, 1e-3),
    ):
        for _ in range(1):
            losses = torch.linspace(1.0, 0.5, 30).double() + 0.1 * torch.randn(30).double()
            losses = ((losses * 100).round() / 100 + 0.0033).clamp(min=0.05).tolist()
            want = expected(losses, patience, boost, length, threshold)
            with test.case(f"{patience=}, {boost=}, {length=}, {threshold=}"):
                got = rates_heard(
                    lambda o, p=patience, b=boost, n=length, t=threshold: BoostOnPlateau(
                        o, patience=p, boost=b, length=n, threshold=t
                    ),
                    losses,
                    (0.2, 1e-3),
                )
            test.close(
                got[:, 0],
                0.2 * want,
                f"{patience=}, {boost=}, {length=}, {threshold=}: the rates of a long run. Better than the best by "
                "the threshold? A count that is 0 after a better loss, and during a boost? `length` epochs, then the first rate?",
            )
            test.close(got[:, 1], 1e-3 * want, "The second group's rates are wrong.")
    got = rates_heard(BoostOnPlateau, [1.0] * 16, (0.1,))
    test.close(
        got,
        column(*[0.1] * 6, *[1.0] * 3, *[0.1] * 6, 1.0),
        "The defaults should be patience 5, boost 10, length 3.",
    )
    # torch's own bookkeeping, and the optimiser's step is what trains
    weight = nn.Parameter(torch.ones(2))
    optimizer = torch.optim.SGD([{"params": [weight], "lr": 0.5}], lr=1.0)
    scheduler = BoostOnPlateau(optimizer, patience=0, boost=4.0, length=1)
    running = torch.zeros(())
    for epoch, value in enumerate((1.0, 1.0, 1.0), start=1):
        optimizer.step()
        running.fill_(value)
        test.that(scheduler.step(running) is None, "`step` should return None.")
        test.that(
            scheduler.last_epoch == epoch, "`last_epoch` should count the calls of `step`."
        )
        test.close(
            torch.tensor([float(r) for r in scheduler.get_last_lr()]),
            torch.tensor([float(g["lr"]) for g in optimizer.param_groups]),
            "`get_last_lr()` should be the rates of the groups: end `step` with super().step().",
        )
    # a loss that comes in a tensor that is overwritten
    optimizer = torch.optim.SGD([nn.Parameter(torch.ones(2))], lr=0.5)
    scheduler, seen = BoostOnPlateau(optimizer, patience=0, boost=4.0, length=1), []
    for value in (1.0, 0.5, 0.7, 0.8, 0.45, 0.44):
        optimizer.step()
        running.fill_(value)
        scheduler.step(running)
        seen.append(float(optimizer.param_groups[0]["lr"]))
    test.close(
        torch.tensor(seen),
        torch.tensor([0.5, 0.5, 2.0, 0.5, 0.5, 0.5]),
        "The loss came as a tensor that is overwritten each epoch: keep its number, float(loss), not the tensor.",
    )
    # saved in the middle of a boost and resumed: the same rates as without a stop
    losses = [1.0, 1.0, 1.0, 1.0, 0.9, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    settings = {"patience": 1, "boost": 10.0, "length": 3}
    whole = rates_heard(lambda o: BoostOnPlateau(o, **settings), losses, (0.1,))
    for stop in (1, 3, 4):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        scheduler = BoostOnPlateau(optimizer, **settings)
        for loss in losses[:stop]:
            optimizer.step()
            scheduler.step(loss)
        file = io.BytesIO()
        with test.case(
            "the scheduler's state_dict saved and loaded: are there only plain numbers in it?"
        ):
            torch.save([optimizer.state_dict(), scheduler.state_dict()], file)
            file.seek(0)
            saved = torch.load(file)
        other = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
        resumed = BoostOnPlateau(other, **settings)
        other.load_state_dict(saved[0])
        resumed.load_state_dict(saved[1])
        rates = []
        for loss in losses[stop:]:
            other.step()
            resumed.step(loss)
            rates.append([float(other.param_groups[0]["lr"])])
        test.close(
            torch.tensor(rates, dtype=torch.float64),
            whole[stop:],
            "Saved and resumed through state_dict(), the rates differ from those of an uninterrupted run: keep every "
            "counter in an attribute of its own, a plain number.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="BoostOnPlateau"
# The base class keeps the books (`last_epoch`, `get_last_lr`, the warning about the order of calls, `state_dict`), so a scheduler of your own is three small methods. The one trap is the call of `step` inside `super().__init__`: attributes set after it do not exist yet, and a `step` without a default for the loss stops there. PyTorch's `ReduceLROnPlateau` avoids both by not calling `super().__init__` at all. Computing each rate from
# `base_lrs` rather than from the present one makes "back to where it was" exact: multiplied by ten and divided by ten, thousands of times, 0.1 would slowly become something else.

# %% [markdown]
# **Who is right?** Two loss curves that look alike: they fall, then run level. One belongs to a walker on a *shelf*, $f(x) = \tfrac12(1 - \tanh 2x) + \tfrac12(1 - \tanh 2(x - 4))$: two steps down, and a stretch between them with hardly any slope. The other belongs to walkers in a *bowl*, $f(x) = 0.1\,x^2$, whose slopes are noisy: they have arrived, and hop about.
# In both, the first rate is 0.3, and an epoch is ten steps.
#
# **Predict, then run.** A listener that lowers the rate, one that raises it, and a constant rate: which is best on the shelf, which in the bowl?


# %%
def ground(place, x, rng):
    """Losses and slopes at places x, as numpy arrays."""
    if place == "shelf":
        a, b = np.tanh(2 * x), np.tanh(2 * (x - 4))
        return 1 - (a + b) / 2, a**2 + b**2 - 2
    return 0.1 * x**2, 0.2 * x + rng.standard_normal(x.shape)


def two_plateaus(make_scheduler, place, seed, epochs=120):
    """Mean loss of ten walkers after each epoch."""
    rng = np.random.default_rng(seed)
    x = rng.normal(-0.5, 0.05, 10) if place == "shelf" else rng.normal(0, 6, 10)
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.3)
    scheduler = make_scheduler(optimizer)
    losses = []
    for _ in range(epochs):
        rate = float(optimizer.param_groups[0]["lr"])
        for _ in range(10):
            x = x - rate * ground(place, x, rng)[1]
        optimizer.step()
        losses.append(ground(place, x, rng)[0].mean())
        scheduler.step(losses[-1])
    return losses


class Constant:
    """A scheduler that does nothing."""

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def step(self, loss):
        """Ignore the loss."""


plateaus = None
with needs("BoostOnPlateau"):
    listeners = {
        "constant": Constant,
        "lowers the rate": partial(ReduceLROnPlateau, factor=0.3, patience=5, threshold=1e-3),
        "raises the rate": partial(BoostOnPlateau, patience=5, boost=10.0, length=3),
    }
    plateaus = pd.DataFrame(
        [
            {"place": place, "listener": name, "seed": seed, "epoch": epoch, "loss": loss}
            for place in ("shelf", "bowl")
            for name, make in listeners.items()
            for seed in range(budget(10, fast=2))
            for epoch, loss in enumerate(two_plateaus(make, place, seed), start=1)
        ]
    )
    fig, axes = lab.figure(1, 2, height=3.3)
    for ax, (place, frame) in zip(axes, plateaus.groupby("place", sort=False), strict=True):
        lab.band(frame, "epoch", "loss", "listener", ax=ax, log=True, legend=False)
        ax.set_title({"shelf": "a shelf: no slope", "bowl": "a bowl: noise"}[place])
    axes[0].legend(fontsize=9, handlelength=3)
    lab.show(
        fig,
        alt="Two panels, loss by epoch on a logarithmic axis. On the shelf the constant rate stays at 1 until about epoch 99, "
        "the one that raises the rate drops to near 0 at about epoch 45 of 120, the one that lowers it stays at 1. In the bowl all fall, then the constant rate hovers "
        "around 0.08, the raised one leaps above it again and again, and the lowered one falls to below 0.01.",
    )
    late = plateaus[plateaus.epoch > plateaus.epoch.max() - 20]
    late = late.groupby(["place", "listener", "seed"], sort=False).loss.mean().reset_index()
    print("mean loss of the last 20 epochs")
    print(lab.summary(late, ["place", "listener"], "loss").round(4).to_string(index=False))
    off = plateaus[(plateaus.place == "shelf") & (plateaus.loss < 0.1)]
    off = off.groupby(["listener", "seed"]).epoch.min().groupby("listener").median()
    print("epochs until the shelf is left:", off.to_dict())

# %% [markdown]
# On the shelf the listener that *raises* the rate leaves it in less than half the time, and the one that lowers it never leaves. In the bowl it is the other way round: lowering brings the loss to about a ninth of the constant rate's, raising makes it five to six times as high. **A plateau has two causes, with opposite cures.** Either there is no slope, then step out; or the steps are too long for the valley they are in, then shorten them.
#
# The loss curve does not tell which. A few minutes of trial do: save the run, continue it for a few epochs at a third of the rate and at three times the rate, and see which of them comes down. In practice the bowl is by far the more frequent of the two, and the opinion of `ReduceLROnPlateau` a good first guess. It also explains an old surprise: the sudden drop of the loss at each cut is no sign that the network has "learned to learn". It stood in the bowl all the time, and the noise has been turned down.
#
# (Nothing was tuned here, on purpose: the two places are caricatures, made so that each listener is right once.)

# %% [markdown]
# ## Stop and resume
#
# A run of three days is interrupted on the second. You have saved the weights; so you build the model, load them, build optimiser and scheduler as the script does, and train on. The loss leaps, and it may take long to come down to where it was. What has been lost?
#
# Nearly everything but the weights. The optimiser's momentum is at zero. The scheduler believes that this is epoch 0, and with a warm-up it starts to warm up. The batches come in the order of the first day again, and dropout repeats its masks. Each of these is a *state*, and each can be saved.
#
# A scheduler keeps its place in `last_epoch`, the number of calls of `step` so far. (Its constructor has an argument of that name, meant for resuming; it needs an `initial_lr` in every group of the optimiser, and knows nothing of `best`, patience or rounds. `load_state_dict` restores all of that, so prefer it.) One thing that loading a scheduler's state does **not** do is to set the rate: that lies in the optimiser. And building a scheduler sets the optimiser's rates, so build it first, and load the states after it.

# %% [markdown] role="card" exercise="Checkpoint" level=3 minutes=20 topic="Schedules" doc="https://docs.pytorch.org/tutorials/beginner/saving_loading_models.html"
# ### Stop and resume, to the last bit
#
# Write `save` and `load`. A run consists of four objects: a model, an optimiser, a scheduler, and `order`, the `torch.Generator` that shuffles the batches. `save(file, epoch)` writes all that the rest of the run depends on into a file, `load(file)` puts it into the four objects of *another* run, built by the same code with other random numbers, and returns the epoch. The continued run must be
# identical to an uninterrupted one, bit for bit, on the CPU. So:
#
# - model, optimiser and scheduler each have a `state_dict()` and a `load_state_dict(...)`,
# - a generator has `get_state()` and `set_state(...)`,
# - dropout and the like draw from torch's **global** generator: `torch.get_rng_state()` and `torch.set_rng_state(...)`. Put that one back last.
#
# `file` is whatever `torch.save` and `torch.load` take: a path or an open binary file. Save only tensors, numbers, strings, lists and dicts, no objects: `torch.load(file)` refuses other things by default, and rightly, since a file that may hold any object may run any program. Saving changes nothing in the run.


# %% role="stub" exercise="Checkpoint"
class Checkpoint:
    """Saves a run in a file and continues it from there.

    Args:
        model: any module.
        optimizer: of its parameters.
        scheduler: of the optimiser.
        order: the generator that shuffles the batches, on the CPU.
    """

    def __init__(self, model, optimizer, scheduler, order: torch.Generator):
        self.model, self.optimizer = model, optimizer
        self.scheduler, self.order = scheduler, order

    def save(self, file, epoch: int) -> None:
        """Write the state of the run, and the number of epochs done, to a file."""
        ### BEGIN SOLUTION
        parts = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scheduler": self.scheduler.state_dict(),
            "order": self.order.get_state(),
            "global": torch.get_rng_state(),
            "epoch": epoch,
        }
        torch.save(parts, file)
        ### END SOLUTION

    def load(self, file) -> int:
        """Put a saved state into the four objects and torch's global generator; returns the epochs done."""
        ### BEGIN SOLUTION
        parts = torch.load(file)
        self.model.load_state_dict(parts["model"])
        self.scheduler.load_state_dict(parts["scheduler"])
        self.optimizer.load_state_dict(parts["optimizer"])
        self.order.set_state(parts["order"])
        torch.set_rng_state(parts["global"])
        return parts["epoch"]
        ### END SOLUTION


# %% role="check" exercise="Checkpoint"
with Check("Checkpoint") as check:

    def small_run(seed):
        """The four objects of a run: a network with dropout, momentum, a cosine, an order of batches."""
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(4, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 2)
        )
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1 * seed, momentum=0.9)
        scheduler = CosineAnnealingLR(optimizer, T_max=10)
        return model, optimizer, scheduler, torch.Generator().manual_seed(seed)

    def small_epochs(run, epochs):
        """Train a run on; the rates of the epochs."""
        model, optimizer, scheduler, order = run
        x, y = torch.linspace(-2, 2, 48).reshape(12, 4), torch.arange(12) % 2
        rates = []
        for _ in range(epochs):
            rates.append(optimizer.param_groups[0]["lr"])
            for index in torch.randperm(12, generator=order).split(4):
                optimizer.zero_grad()
                F.cross_entropy(model(x[index]), y[index]).backward()
                optimizer.step()
            scheduler.step()
        return torch.tensor(rates, dtype=torch.float64)

    def same(a, b):
        """Whether two states hold equal numbers."""
        if isinstance(a, torch.Tensor):
            return isinstance(b, torch.Tensor) and torch.equal(a, b)
        if isinstance(a, dict):
            return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
        if isinstance(a, list):
            return len(a) == len(b) and all(map(same, a, b))
        return a == b

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "run.pt"
        run = small_run(1)
        small_epochs(run, 2)
        noise = torch.get_rng_state()
        states = [copy.deepcopy(part.state_dict()) for part in run[:3]]
        order_state = run[3].get_state()
        check.that(Checkpoint(*run).save(file, 2) is None, "`save` should return None.")
        check.that(file.is_file(), "`save` should write the file: torch.save(..., file).")
        check.that(
            all(same(p.state_dict(), s) for p, s in zip(run[:3], states, strict=True))
            and torch.equal(order_state, run[3].get_state())
            and torch.equal(noise, torch.get_rng_state()),
            "Saving has changed the run.",
        )
        rates = small_epochs(run, 3)
        other = small_run(2)
        small_epochs(other, 1)
        with check.case("load in a run that has its own weights, rate and order"):
            try:
                epoch = Checkpoint(*other).load(file)
            except pickle.UnpicklingError:
                check.that(
                    False,
                    "torch.load refuses your file, for it holds a whole object. Save state dicts, the states of "
                    "generators (tensors) and numbers.",
                )
    check.is_a(
        epoch,
        int,
        "`load` should return the number of epochs, an int like the one that was saved. Is the `return` missing?",
    )
    check.that(epoch == 2, "`load` should return the epoch that was saved.")
    for part, state, told in zip(
        other[:3],
        states,
        (
            "The model is not the saved one: parameters and buffers should be.",
            "The optimiser is not in the saved state: its rate and its momentum should be. (If the scheduler is "
            "loaded, why not the optimiser?)",
            "The scheduler is not in the saved state.",
        ),
        strict=True,
    ):
        check.that(same(part.state_dict(), state), told)
    check.that(
        torch.equal(other[3].get_state(), order_state),
        "The batches would come in another order: `order` should be in the saved state.",
    )
    check.that(
        torch.equal(torch.get_rng_state(), noise),
        "Dropout would draw other masks: torch's global generator should be in the saved state, put back last.",
    )
    check.close(
        small_epochs(other, 3),
        rates,
        "The continued run has other rates than the uninterrupted one.",
    )
    check.that(
        same(other[0].state_dict(), run[0].state_dict()),
        "Three epochs later the continued run differs from the uninterrupted one.",
    )


# %% [markdown] role="hints" exercise="Checkpoint"
# <details><summary>Hint 1: one dict</summary>
#
# Six things go into a dict: three state dicts, two states of generators, and the epoch. `torch.save(that, file)`, and `torch.load(file)` gives it back.
#
# </details>
# <details><summary>Hint 2: a generator</summary>
#
# `self.order.get_state()` is a tensor of bytes; a file with the generator object itself would not load again. `self.order.set_state(tensor)` puts it back.
#
# </details>

# %% role="test" exercise="Checkpoint" points=3
# Graded with hidden tests: Adam and momentum, batch norm and dropout, several schedulers, open files.
### BEGIN HIDDEN TESTS
with HiddenTest("Checkpoint") as test:

    def build(kind, seed):
        torch.manual_seed(seed)
        model = nn.Sequential(
            nn.Linear(5, 9), nn.BatchNorm1d(9), nn.ReLU(), nn.Dropout(0.4), nn.Linear(9, 3)
        )
        if kind == "plateau":
            groups = [{"params": [p], "lr": 0.02 * seed} for p in model.parameters()]
            optimizer = torch.optim.Adam(groups)
            scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
        elif kind == "warm-up, then cosine":
            optimizer = torch.optim.SGD(model.parameters(), lr=0.2 * seed, momentum=0.9)
            scheduler = SequentialLR(
                optimizer,
                [LinearLR(optimizer, 0.1, total_iters=3), CosineAnnealingLR(optimizer, 6)],
                [3],
            )
        else:
            optimizer = torch.optim.AdamW(model.parameters(), lr=0.01 * seed, amsgrad=True)
            scheduler = CosineAnnealingWarmRestarts(optimizer, 2, T_mult=2)
        return model, optimizer, scheduler, torch.Generator().manual_seed(100 + seed)

    points, classes = torch.randn(30, 5), torch.randint(3, (30,))

    def go_on(run, epochs):
        """Train on; what happened: the losses and the rates."""
        model, optimizer, scheduler, order = run
        seen = []
        for _ in range(epochs):
            total = 0.0
            for index in torch.randperm(30, generator=order).split(10):
                optimizer.zero_grad()
                loss = F.cross_entropy(model(points[index]), classes[index])
                loss.backward()
                optimizer.step()
                total += loss.item()
            if isinstance(scheduler, ReduceLROnPlateau):
                scheduler.step(1.0)
            else:
                scheduler.step()
            seen.append([total, *(float(g["lr"]) for g in optimizer.param_groups)])
        return torch.tensor(seen, dtype=torch.float64)

    def flat(state):
        """All numbers and tensors of a state, in order."""
        if isinstance(state, dict):
            return [leaf for key in state for leaf in flat(state[key])]
        if isinstance(state, (list, tuple)):
            return [leaf for part in state for leaf in flat(part)]
        return [state]

    def equal(a, b):
        a, b = flat(a), flat(b)
        return len(a) == len(b) and all(
            torch.equal(u, v)
            if isinstance(u, torch.Tensor) and isinstance(v, torch.Tensor)
            else u == v
            for u, v in zip(a, b, strict=True)
        )

    # files in memory: where tests have a process of their own, it has another disk
    for kind, stop in (
        ("warm-up, then cosine", 2),
        ("plateau", 4),
        ("restarts", 3),
        ("restarts", 0),
    ):
        file = io.BytesIO()
        run = build(kind, 1)
        go_on(run, stop)
        states = [copy.deepcopy(part.state_dict()) for part in run[:3]]
        states += [run[3].get_state(), torch.get_rng_state()]
        with test.case(f"save, {kind}, after {stop} epochs, in an open file"):
            test.that(Checkpoint(*run).save(file, stop) is None, "`save` should return None.")
        now = [part.state_dict() for part in run[:3]] + [
            run[3].get_state(),
            torch.get_rng_state(),
        ]
        test.that(equal(now, states), "Saving has changed the run.")
        want = go_on(run, 5)
        test.that(file.getvalue(), "`save` should write the file: torch.save(..., file).")
        file = io.BytesIO(file.getvalue())
        other = build(kind, 2)
        go_on(other, 1)
        parameters = list(other[0].parameters())
        torch.manual_seed(77)
        with test.case(f"load, {kind}"):
            try:
                epoch = Checkpoint(*other).load(file)
            except pickle.UnpicklingError:
                test.that(False, "torch.load refuses your file, for it holds a whole object.")
        test.is_a(epoch, int, "`load` should return the number of epochs, an int.")
        test.that(epoch == stop, "`load` should return the epoch that was saved, 0 included.")
        for part, state, name in zip(
            [p.state_dict() for p in other[:3]] + [other[3].get_state(), torch.get_rng_state()],
            states,
            (
                "The model (parameters and buffers)",
                "The optimiser (rates, momentum, step counts)",
                "The scheduler",
                "`order`, the generator of the batches,",
                "torch's global generator, from which dropout draws,",
            ),
            strict=True,
        ):
            test.that(
                equal(part, state), f"{name} is not in the saved state after `load`. ({kind})"
            )
        test.that(
            all(p is q for p, q in zip(parameters, other[0].parameters(), strict=True)),
            "Fill the model that is there: its parameters must stay the same objects.",
        )
        got = go_on(other, 5)
        test.that(
            torch.equal(got, want) and equal(other[0].state_dict(), run[0].state_dict()),
            f"The continued run is not identical to the uninterrupted one, bit for bit. ({kind})",
        )
    # two checkpoints of one run: the earlier one must not follow the later
    run = build("restarts", 1)
    early, late = io.BytesIO(), io.BytesIO()
    keeper = Checkpoint(*run)
    go_on(run, 1)
    weights = copy.deepcopy(run[0].state_dict())
    keeper.save(early, 1)
    go_on(run, 2)
    keeper.save(late, 3)
    early.seek(0)
    test.that(
        keeper.load(early) == 1,
        "Two checkpoints of one run: the earlier one gives another epoch.",
    )
    test.that(
        equal(run[0].state_dict(), weights),
        "Going back to an earlier checkpoint in the same run should bring back its weights.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="Checkpoint"
# Whatever a run reads and changes belongs in the file: weights and buffers, momentum and rates, the scheduler's counters, and every source of chance. A file has another virtue. `model.state_dict()` does not copy: it holds the very tensors that training goes on to change, so a "checkpoint" that is kept in a variable silently follows the run. (Then `copy.deepcopy` it.) Two things the exercise left out: on a GPU add `torch.cuda.get_rng_state_all()`, and expect
# last-bit differences where a kernel adds in no fixed order; and with workers or mixed precision, save the state of the loader and of the `GradScaler`, too.

# %% [markdown]
# **What does each part do?** A run of eight epochs on the clothes, with warm-up, cosine, momentum and dropout, is stopped after four and resumed in fresh objects: once with everything, and once each with one part left out, that is, as the script builds it.
#
# **Predict, then run.** Which omission does the greatest damage in the first epoch after the stop, and which in the end?


# %%
RESUME_EPOCHS, STOP = 8, 4
few = data.train.take(budget(4_000, fast=500))


def fresh_run(seed):
    """Model, optimiser, scheduler and order of a run, as a script builds them."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Linear(n_inputs, 100), nn.ReLU(), nn.Dropout(0.2), nn.Linear(100, n_classes)
    ).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    warm = LinearLR(optimizer, start_factor=0.1, total_iters=2)
    cosine = CosineAnnealingLR(optimizer, RESUME_EPOCHS - 2)
    scheduler = SequentialLR(optimizer, [warm, cosine], milestones=[2])
    return model, optimizer, scheduler, torch.Generator().manual_seed(seed)


def train_on(run, epochs, first=0):
    """Rows of loss and rate, one an epoch."""
    model, optimizer, scheduler, order = run
    rows = []
    for epoch in range(first, epochs):
        rate, total = optimizer.param_groups[0]["lr"], 0.0
        model.train()
        for x, y in lab.batches(few, 64, generator=order):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(y)
        scheduler.step()
        rows.append({"epoch": epoch + 1, "loss": total / len(few), "rate": rate})
    return rows


def resumed(missing, whole, file):
    """The second half of a run that was stopped, with one part not restored; the gap of its weights to the whole run's."""
    file.seek(0)
    run, spare = fresh_run(1), fresh_run(1)
    names = ("model", "optimizer", "scheduler", "order")
    with torch.random.fork_rng(devices=[]):
        # a part that is left out stays as it was built: the saved state goes to its spare
        Checkpoint(
            *(s if n == missing else r for n, r, s in zip(names, run, spare, strict=True))
        ).load(file)
        if missing == "global generator":
            torch.manual_seed(1)
        rows = train_on(run, RESUME_EPOCHS, STOP)
    gap = max(
        (p - q).abs().max().item()
        for p, q in zip(whole[0].parameters(), run[0].parameters(), strict=True)
    )
    return rows, gap


continued = None
with needs("Checkpoint"):
    whole, file = fresh_run(1), io.BytesIO()
    before = train_on(whole, STOP)
    Checkpoint(*whole).save(file, STOP)
    after = train_on(whole, RESUME_EPOCHS, STOP)
    omissions = ["nothing", "model", "optimizer", "scheduler", "order", "global generator"]
    continued = {name: resumed(name, whole, file) for name in omissions}
    fig, (left, right) = lab.figure(1, 2, height=3.3)
    for index, name in enumerate(omissions[:4]):
        frame = pd.DataFrame(before + continued[name][0])
        for ax, what in ((left, "rate"), (right, "loss")):
            ax.plot(frame.epoch, frame[what], label=name, markersize=5, **lab.line_style(index))
    left.set(xlabel="epoch", ylabel="rate")
    right.set(xlabel="epoch", ylabel="training loss")
    left.legend(title="left out", handlelength=3, fontsize=9, loc="upper left")
    lab.show(
        fig,
        alt="Rate and training loss of a run stopped after epoch 4 and resumed. With nothing left out both lines go on smoothly. "
        "Without the optimiser the rate differs from epoch 5 on, without the scheduler from epoch 6 on, where the loss leaps up; without the model it starts high again.",
    )
    display_rows = [
        {
            "left out": name,
            "highest rate": max(r["rate"] for r in rows),
            "loss in epoch 5": rows[0]["loss"],
            "loss in epoch 8": rows[-1]["loss"],
            "identical curve": [r["loss"] for r in rows] == [r["loss"] for r in after],
            "largest gap of a weight": gap,
        }
        for name, (rows, gap) in continued.items()
    ]
    print(pd.DataFrame(display_rows).to_string(index=False, float_format="{:.4f}".format))

# %% [markdown]
# With everything restored, the continued run *is* the run: the same losses to the last digit, and not one weight that differs. Then look at the rates.
#
# - **Without the model** the run starts over, with a rate that is made for its second half. In epoch 5 this does the greatest damage: a loss of 0.97 instead of 0.52.
# - **Without the optimiser** the rate is the one that the script's fresh optimiser has, a tenth of 0.1, since a warm-up was just built, and the momentum is zero. The scheduler does know that it is epoch 5. But PyTorch's schedulers mostly compute the next rate *from the present one*, by a factor; so its cosine goes on from there, seven times too low. The training loss even looks good at first, as it does after any cut of the rate, and at the end it is the higher one: 0.41 against 0.37.
# - **Without the scheduler** the warm-up runs again. It multiplies the present rate by 5.5, expecting to find a tenth of the peak, and finds three quarters of it: in epoch 6 the rate is four times the peak, and the loss follows it. Of all omissions this does the most harm in the end (0.92 against 0.37), and in epoch 5 there is nothing to be seen of it.
# - **Without the order or the global generator** nothing dramatic happens: another run, as good as the first. But it is another run. For a result that others are to reproduce, that is the difference that counts.

# %% [markdown]
# ## What we measured

# %%
at_rate = forgiven["mean"]
leap = peak_curvature / curvature[curvature.step == 0].groupby("depth").curvature.mean()
adam, sgd = (warm_gain[name].iloc[0] for name in ("AdamW", "momentum"))

with Claims(data) as claim:
    claim(
        "performance scheduling: no difference to speak of at a first rate of 0.01, more than half a point gained at "
        "0.1, more than three at 0.3",
        abs(at_rate.get(0.01, 1)) < 0.01
        and at_rate.get(0.1, 0) > 0.005
        and at_rate[0.3] > 0.03,
        weaker=bool((at_rate > -0.2).all()),
    )
    claim(
        "each at its own best rate it gains on the test set, by at most two and a half points",
        0.003 < listen_gain["mean"].iloc[0] < 0.025,
        weaker=abs(listen_gain["mean"].iloc[0]) < 0.2,
    )
    arrived = {name: (~steps.isnan()).float().mean(1) for name, steps in needed.items()}
    tuned = needed["constant rate"][4].nanmedian().item()
    driven = needed["bold driver"].nanmedian(1).values
    claim(
        "bold driver: from every first rate at least eight networks in ten arrive; at a constant 0.001, 0.01 or 3 none",
        bool((arrived["bold driver"] >= 0.8).all())
        and arrived["constant rate"][[0, 1, 5]].sum() == 0,
        weaker=bool((arrived["bold driver"][2:5] > 0).all()),
    )
    claim(
        "bold driver: in 100 to 450 steps, and not as fast as the best constant rate",
        bool((driven > 100).all() and (driven < 450).all() and (driven > 1.1 * tuned).all()),
        weaker=bool(driven[4] > tuned),
    )
    claim(
        "bold driver: between 5 % and 10 % of the steps go up",
        0.05 < rises < 0.10,
        weaker=rises < 0.2,
    )
    claim(
        "bold driver, batches of 16: the rate is below 1e-15 after 200 steps",
        noisy[1][-1].median() < 1e-15,
    )
    claim(
        "bold driver, all points: with ReLU more than a tenth of the rates end below 0.001, with tanh hardly any",
        asleep["ReLU"] > 0.1 and asleep["tanh"] < 0.05,
        weaker=asleep["tanh"] < 0.2,
    )
    walk_mean = walks.groupby("schedule").loss.mean()
    claim(
        "ripples: both cosines end below 60 % of the best constant rate's loss",
        max(walk_mean["one cosine"], walk_mean["restarts"]) < 0.6 * walk_mean["constant"],
    )
    claim(
        "ripples: the restarts do not end lower than the one cosine",
        walk_mean["restarts"] > walk_mean["one cosine"],
    )
    claim(
        "both at once: the rate never exceeds 60 % of the peak; SequentialLR and LambdaLR agree",
        sequels["both at once"].lr.max() < 0.6
        and np.allclose(sequels["SequentialLR"].lr, sequels["one LambdaLR"].lr),
    )
    claim(
        "eight layers: the curvature leaps to more than 2.5 times its first value, and highest it is four times the shallow network's",
        leap[8] > 2.5 and peak_curvature[8] > 4 * peak_curvature[1],
        weaker=peak_curvature[8] > 0,
    )
    claim(
        "warm-up, each at its own best peak: both optimisers within two points, with and without",
        all(abs(gain) < 0.02 for gain in (adam["mean"], sgd["mean"])),
        weaker=all(abs(gain) < 0.4 for gain in (adam["mean"], sgd["mean"])),
    )
    claim(
        "warm-up, AdamW at 0.01: not behind by a point",
        same_peak["mean"][0.01] > -0.01,
        weaker=same_peak["mean"][0.01] > -0.3,
    )
    claim(
        "clothes: at no end of a round are restarts and the one cosine more than two and a half points apart, at the last less than one",
        all(abs(frame["mean"].iloc[0]) < 0.025 for frame in anytime.values())
        and abs(anytime[ENDS[-1]]["mean"].iloc[0]) < 0.01,
        weaker=all(abs(frame["mean"].iloc[0]) < 0.6 for frame in anytime.values()),
    )
    if plateaus is not None:
        ends = late.groupby(["place", "listener"]).loss.mean()
        claim(
            "shelf: off in less than 60 % of the epochs with the raised rate, never with the lowered one",
            off["raises the rate"] < 0.6 * off["constant"] and "lowers the rate" not in off,
        )
        claim(
            "bowl: lowering brings the loss below a fifth, raising above twice that of the constant rate",
            ends["bowl", "lowers the rate"] < ends["bowl", "constant"] / 5
            and ends["bowl", "raises the rate"] > 2 * ends["bowl", "constant"],
        )
    if continued is not None:
        claim(
            "resumed with everything: the same losses and the same weights, bit for bit (on a CPU)",
            device.type != "cpu"
            or (
                continued["nothing"][1] == 0
                and [r["loss"] for r in continued["nothing"][0]] == [r["loss"] for r in after]
            ),
        )
        claim(
            "resumed without the scheduler: the rate climbs above twice the peak",
            max(r["rate"] for r in continued["scheduler"][0]) > 0.2,
        )

# %% [markdown]
# ## In short
#
# | schedule | listens to | the rate | in PyTorch |
# |---|---|---|---|
# | performance | validation loss, once an epoch | × factor after more than `patience` epochs without a new best | `ReduceLROnPlateau(optimizer, factor=0.3, patience=2)` |
# | bold driver | a loss without noise, each step | × 1.05 after a fall, × ½ after a rise | none |
# | warm-up | nothing | from 10 % up to 100 % in the first steps | `LinearLR`, or a `LambdaLR`; joined by `SequentialLR` |
# | warm restarts | nothing | cosine rounds of $T_0, T_0 m, T_0 m^2, \dots$ | `CosineAnnealingWarmRestarts(optimizer, T_0, T_mult)` |
# | your own | anything | `get_lr()` says | subclass `LRScheduler` |
#
# - Patience counts the bad epochs that are *tolerated*; better means by a threshold, and than the best so far.
# - The bold driver finds the rate at which 6.6 % of the steps go wrong. It needs a quiet road.
# - A plateau means no slope, or too much noise. The cures are opposite.
# - To resume: model, optimiser, scheduler, and every generator. The rate lies in the optimiser, the place in the scheduler.
#
# **Read on.** Battiti (1989) and Vogl et al. (1988) on the bold driver. Loshchilov and Hutter (2017), *SGDR: Stochastic gradient descent with warm restarts*. Goyal et al. (2017), who made warm-up popular with very large batches; Gilmer et al. (2022) on the curvature behind it. Huang et al. (2017), *Snapshot ensembles*, which put the networks at the ends of the rounds to use. The next lesson rises and falls
# just once: 1cycle.

# %%
lab.show_progress("ch04")
