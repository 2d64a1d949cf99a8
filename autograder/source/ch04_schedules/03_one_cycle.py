# ---
# jupyter:
#   lesson:
#     title: 1cycle, and which schedule?
#     minutes: 85
# ---

# %% [markdown]
# 91.9 % on CIFAR-10 after 100 epochs, where the usual schedule had 90.3 % after 800: with results like this one Smith (2018) made a schedule famous that looks
# reckless. Raise the learning rate *during* training, to a height at which many a network would fall to pieces had you begun there, and come down again. The schedule is called **1cycle**, the effect
# super-convergence.
#
# Two questions are behind it. How high may the rate go, and how does one find out without training ten times? And once each schedule has its own best peak: does the shape matter
# at all? In this lesson you will
#
# - sweep the rate over six powers of ten in a few seconds, and read off where it breaks,
# - build 1cycle with PyTorch's conventions, rate and momentum, and see what happens when its clock is set wrong,
# - put super-convergence to a fair test, small enough for your machine,
# - race nine schedules at equal budget, each at its own peak, and say what such a table can tell and what it cannot.
#
# You need: the two lessons before this one, and momentum's effective rate $\eta/(1-\mu)$.

# %% role="setup"
import copy
import math

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler
from torch.optim.lr_scheduler import LRScheduler

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %%
device = lab.device()
clothes = lab.fashion_mnist(flat=True).take(
    train=budget(8_000, fast=1_000), valid=2_000, test=budget(5_000, fast=1_000)
)
clothes = clothes.to(device)
n_inputs, n_classes = clothes.train[:1][0].shape[1], len(clothes.classes)
batch_size = 64
clothes


# %%
def dense_net(seed):
    """784-100-100-10, ReLU; the same weights for the same seed."""
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Linear(n_inputs, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU()),
        nn.Linear(100, n_classes),
    ).to(device)


def nesterov(parameters, lr):
    return torch.optim.SGD(parameters, lr=lr, momentum=0.9, nesterov=True)


# %% [markdown]
# ## How high may it go?
#
# A learning rate can be wrong by a factor of a thousand, so one looks for it in factors, not in steps. Training ten networks at ten rates answers the question, and takes ten trainings.
#
# Smith's (2017) idea: train *one* network for a hundred batches or so, and raise the rate a little after each. At first it is so small that nothing happens. Then the loss begins to fall, falls fast,
# falls no more, and finally flies off. One short run has visited all rates. The raising is the exponential schedule that you know, with $\gamma > 1$: from $\eta_\text{low}$ to $\eta_\text{high}$ in $n$ rates,
#
# $$\eta_i = \eta_\text{low}\left(\frac{\eta_\text{high}}{\eta_\text{low}}\right)^{i/(n-1)},\qquad i = 0, \dots, n-1.$$
#
# This is called the learning-rate **range test**, or the learning-rate finder.
#
# **Predict, then run.** Our network has two hidden layers of 100, the optimiser is Nesterov with momentum 0.9. At which rate does the loss begin to fall, at which does it fly off? And will five networks with other seeds agree?


# %%
sweep_low, sweep_high, sweep_steps = 1e-5, 10.0, 120


def range_test(seed):
    """Rates and losses of one exponential sweep, made of parts that you know."""
    optimizer = nesterov((model := dense_net(seed)).parameters(), lr=sweep_low)
    gamma = (sweep_high / sweep_low) ** (1 / (sweep_steps - 1))
    rows = []
    lab.fit(
        model,
        clothes.take(train=sweep_steps * batch_size),
        optimizer,
        epochs=math.ceil(sweep_steps * batch_size / len(clothes.train)),
        batch_size=batch_size,
        scheduler=lr_scheduler.ExponentialLR(optimizer, gamma),
        seed=seed,
        bar=False,
        on_batch=lambda step, loss: rows.append(
            {"rate": sweep_low * gamma**step, "loss": loss}
        ),
    )
    return rows


tests = lab.repeat(range_test, budget(range(5), fast=range(2)))
falls = tests[tests.loss < 2.0].groupby("seed").rate.min()
flies = tests[(tests.loss > 4.0) & (tests.rate > 1e-2)].groupby("seed").rate.min()
pd.DataFrame({"falls below 2.0 at": falls, "above 4.0 at": flies}).round(4)


# %%
def plot_tests(tests):
    fig, ax = lab.figure(height=3.4)
    for index, (seed, run) in enumerate(tests.groupby("seed")):
        style = lab.line_style(index) | {"marker": "none"}
        ax.semilogx(run.rate, run.loss, linewidth=1, label=f"seed {seed}", **style)
    ax.set(xlabel="learning rate η", ylabel="loss of the batch", ylim=(0, 5))
    ax.legend(fontsize=9, handlelength=3, loc="upper left")
    return fig


lab.show(
    plot_tests(tests),
    alt="Loss of a batch against the learning rate, logarithmic from 0.00001 to 10, for five seeds. All lines are "
    "flat at 2.3 up to about 0.003, fall to about 1 between 0.01 and 0.2, and leave the picture between "
    "0.2 and 1.",
)

# %% [markdown]
# Up to about 0.003 nearly nothing happens. The loss falls below 2.0 just under 0.01, and there the five seeds agree within a factor of one and a half. Somewhere between 0.2 and 1 the loss flies off, to $10^7$ and beyond. This end is less sharp: the seeds differ by a factor of two or three, as a single unlucky batch decides. Between the two
# lie one and a half powers of ten in which to look. That took less than a second a network.
#
# Three cautions before you build your own.
#
# - **It spoils the network.** A sweep ends in ruins by design. It must work on a copy, or put everything back: weights, but also the running statistics of batch norm, gradients, and the mode of each module.
# - **It is noisy.** Each point is one batch. Smooth before you look for a minimum.
# - **It is short.** A hundred steps say where the *early* landscape breaks. They do not know that a lower rate would end lower after ten epochs, nor that a higher one would be bearable after a warm-up.

# %% [markdown] role="card" exercise="lr_finder" level=3 minutes=15 topic="Finding a rate" doc="https://docs.pytorch.org/docs/stable/optim.html#per-parameter-options"
# ### The range test
#
# Write a sweep that leaves no traces. There are `steps` rates, geometric from `low` to `high`, both included. Step $i$ takes one batch $(x, y)$ in training mode, computes the loss `loss_fn(model(x), y)`, notes it, and makes **one** update with rate $\eta_i$. One
# optimiser, `make_optimizer(parameters, lr=low)`, serves for the whole sweep, so that its momentum lives on; the rate is set in **all** of its groups. `batches` is a list; when it is used up, it begins again.
#
# The sweep ends early, after noting it, with the first loss that is not finite or is above `stop` times the first one.
#
# Return two vectors of equal length, without a graph: the rates tried, and the losses noted (each *before* the update with its rate). **Afterwards `model` is as it was**: the same parameter objects with the same values and the same `.grad`, the buffers, the mode of every module.


# %% role="stub" exercise="lr_finder"
def lr_finder(
    model: nn.Module,
    make_optimizer,
    batches: list,
    low: float = 1e-5,
    high: float = 10.0,
    steps: int = 100,
    stop: float = 4.0,
    loss_fn=F.cross_entropy,
) -> tuple[torch.Tensor, torch.Tensor]:
    """The loss at exponentially rising learning rates (Smith, 2017), without a trace on the model.

    Args:
        model: maps x to scores; the same afterwards in every respect.
        make_optimizer: called once, as make_optimizer(parameters, lr=low).
        batches: pairs (x, y), taken in turn, and again from the first.
        low, high: the first and the last rate, 0 < low < high.
        steps: number of rates, at least 2.
        stop: the sweep ends with the first loss above `stop` times the first loss, or not finite.
        loss_fn: maps (scores, y) to the mean loss of the batch.

    Returns:
        Rates (n,) and losses (n,) with n ≤ steps; each loss was taken before the update with its rate.
    """
    ### BEGIN SOLUTION
    trial = copy.deepcopy(model).train()  # what is never touched need not be put back
    optimizer = make_optimizer(trial.parameters(), lr=low)
    rates = torch.logspace(math.log10(low), math.log10(high), steps, dtype=torch.float64)
    losses = []
    for step, rate in enumerate(rates.tolist()):
        for group in optimizer.param_groups:
            group["lr"] = rate
        x, y = batches[step % len(batches)]
        optimizer.zero_grad()
        loss = loss_fn(trial(x), y)
        losses.append(loss.item())
        if not math.isfinite(losses[-1]) or losses[-1] > stop * losses[0]:
            break
        loss.backward()
        optimizer.step()
    return rates[: len(losses)], torch.tensor(losses, dtype=torch.float64)
    ### END SOLUTION


# %% role="check" exercise="lr_finder"
with Check("lr_finder") as check:
    # One weight w, inputs 1, targets 0, squared error: the loss is w², and a step multiplies w by 1 - 2η.
    model = nn.Linear(1, 1, bias=False)
    nn.init.ones_(model.weight)
    weight, ones, zeros = model.weight, torch.ones(1, 1), torch.zeros(1, 1)
    settings = {"low": 0.1, "high": 0.8, "steps": 4, "loss_fn": F.mse_loss}
    with check.case("four rates from 0.1 to 0.8, but a single batch: it is used four times"):
        got = lr_finder(model, torch.optim.SGD, [(ones, zeros)], **settings)
    check.that(
        isinstance(got, tuple | list) and len(got) == 2,
        "Two things should come back: the rates and the losses.",
    )
    rates, losses = got
    check.shape(rates, (4,), "Four rates were asked for.")
    check.close(
        rates,
        torch.tensor([0.1, 0.2, 0.4, 0.8]),
        "Four rates from 0.1 to 0.8 should be 0.1, 0.2, 0.4, 0.8: each a fixed multiple of the one before.",
        known=[
            (torch.linspace(0.1, 0.8, 4), "These rates are evenly spaced; multiply instead."),
            (
                torch.tensor([0.1, 0.168179, 0.282843, 0.475683]),
                "The last rate should be `high`: with `steps` rates there are steps − 1 gaps.",
            ),
            (
                torch.tensor([0.168179, 0.282843, 0.475683, 0.8]),
                "The first rate should be `low`: with `steps` rates there are steps − 1 gaps.",
            ),
        ],
    )
    check.shape(losses, (4,), "One loss a rate.")
    check.close(
        losses,
        torch.tensor([1.0, 0.64, 0.2304, 0.009216]),
        "The weight goes 1, 0.8, 0.48, 0.096, so the losses before the updates are 1, 0.64, 0.2304, 0.009216.",
        known=[
            (
                torch.tensor([0.64, 0.2304, 0.009216, 0.00331776]),
                "These are the losses after the updates; note each one before.",
            ),
            (
                torch.ones(4),
                "The loss does not change: is there an update after each batch, of the very model that is asked?",
            ),
            (
                torch.tensor([1.0, 0.64, 0.4096, 0.262144]),
                "All updates have the first rate: set `lr` in the optimiser's groups.",
            ),
            (
                torch.tensor([1.0, 0.64, 0.4096, 0.147456]),
                "The second update still has the first rate: set the rate before the step.",
            ),
            (
                torch.tensor([1.0, 0.36, 0.0144, 0.005184]),
                "The first update has the second rate already: it should be made with `low`.",
            ),
            (
                torch.tensor([1.0, 0.64, 0.0064, 2.027776]),
                "Gradients add up from step to step: clear them before each `backward()`.",
            ),
        ],
    )
    check.that(
        model.weight is weight and weight.item() == 1.0,
        "The model is trained afterwards. Put the weights back, or work on a copy. (A state_dict is no copy.)",
    )
    check.that(weight.grad is None, "A gradient is left on the model.")
    two = [(ones, zeros), (ones, ones)]
    losses = lr_finder(model, torch.optim.SGD, two, **settings)[1]
    check.shape(
        losses,
        (4,),
        "With two batches, of targets 0 and 1, no loss is above 4 times the *first*, so nothing ends the sweep early.",
    )
    check.close(
        losses,
        torch.tensor([1.0, 0.04, 0.7744, 0.678976]),
        "With two batches, of targets 0 and 1, the losses of four steps should be 1, 0.04, 0.774, 0.679.",
        known=[
            (
                torch.tensor([1.0, 0.64, 0.2304, 0.009216]),
                "All steps have the first batch: take the next one at each step, and begin again after the last.",
            )
        ],
    )
    for what, bad in (
        ("The second loss is nan", [(ones, zeros), (ones, math.nan * ones)]),
        ("The first loss is infinite", [(1e30 * ones, zeros)]),
    ):
        noted = len(bad)  # 2 and 1
        with check.case(f"a loss that is not finite. {what}"):
            losses = lr_finder(model, torch.optim.SGD, bad, **settings)[1]
        check.shape(
            losses,
            (noted,),
            f"{what}: the first loss that is not finite is noted and ends the sweep. (With nan every comparison is "
            "False, and so is inf > 4 · inf: ask math.isfinite.)",
        )
    settings |= {"low": 0.1, "high": 0.4, "steps": 3}  # the rates 0.1, 0.2, 0.4
    made = []

    def heavy_ball(parameters, lr):
        made.append(lr)
        return torch.optim.SGD(parameters, lr=lr, momentum=0.9)

    check.close(
        lr_finder(model, heavy_ball, [(ones, zeros)], **settings)[1],
        torch.tensor([1.0, 0.64, 0.0144]),
        "With momentum 0.9 and rates 0.1, 0.2, 0.4 the weight goes 1, 0.8, 0.12, so the losses are 1, 0.64, 0.0144.",
        known=[
            (
                torch.tensor([1.0, 0.64, 0.2304]),
                "The momentum gets lost from step to step: make one optimiser, before the loop, for the whole sweep.",
            )
        ],
    )
    check.that(len(made) == 1, "`make_optimizer` should be called once, before the loop.")
    # Weight 1, bias 0: the loss is (w + b)², and if both have the rate η, a step multiplies w + b by 1 - 4η.
    both = nn.Linear(1, 1)
    nn.init.ones_(both.weight), nn.init.zeros_(both.bias)

    def in_groups(parameters, lr):
        return torch.optim.SGD([{"params": [p]} for p in parameters], lr=lr)

    check.close(
        lr_finder(both, in_groups, [(ones, zeros)], **settings)[1],
        torch.tensor([1.0, 0.36, 0.0144]),
        "With weight and bias in two groups and rates 0.1, 0.2, 0.4 the losses should be 1, 0.36, 0.0144.",
        known=[
            (
                torch.tensor([1.0, 0.36, 0.0576]),
                "Only one of the two groups gets the new rate: set it in every group of `optimizer.param_groups`.",
            )
        ],
    )
    # Batch norm makes -1 and 1 of 0 and 2 while it trains; as it evaluates, its running statistics are still 0 and 1.
    norm, spread = nn.Sequential(nn.BatchNorm1d(1)).eval(), torch.tensor([[0.0], [2.0]])
    losses = lr_finder(norm, torch.optim.SGD, [(spread, torch.zeros(2, 1))], **settings)[1]
    check.close(
        losses[:1],
        torch.tensor([1.0]),
        "Batch norm of the inputs 0 and 2 gives −1 and 1 in training mode, so the first loss is 1.",
        known=[
            (
                torch.tensor([2.0]),
                "The batches are not taken in training mode: batch norm still uses its running statistics. `train()` "
                "comes before the sweep.",
            )
        ],
        rtol=1e-3,
    )
    settings |= {"low": 0.1, "high": 1000.0, "steps": 5}
    rates, losses = lr_finder(model, torch.optim.SGD, [(ones, zeros)], **settings)
    ends = (
        "With rates 0.1, 1, 10, … the losses are 1, 0.64, 0.64, 231: the last is above 4 times the first, "
        "so it is noted and ends the sweep."
    )
    check.shape(losses, (4,), ends)
    check.close(losses, torch.tensor([1.0, 0.64, 0.64, 231.04]), ends)
    check.shape(rates, (4,), "There should be as many rates as losses.")
    settings |= {"low": 0.4, "high": 6.4}
    losses = lr_finder(model, torch.optim.SGD, [(ones, zeros)], **settings)[1]
    check.shape(
        losses,
        (5,),
        "Losses of 1, 0.04, 0.014, 0.07, 2.03 do not end the sweep: none is above 4 times the *first*.",
    )
    noisy = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).eval()
    noisy[0].train()
    before = copy.deepcopy(noisy.state_dict())
    pairs = [(torch.randn(8, 3), torch.tensor([0, 1] * 4)) for _ in range(4)]
    with check.case("a network with batch norm"):
        lr_finder(noisy, torch.optim.SGD, pairs, low=0.01, high=1.0, steps=6)
    check.that(
        all(torch.equal(value, before[name]) for name, value in noisy.state_dict().items()),
        "Batch norm's running statistics, or some weights, are not what they were.",
    )
    check.that(
        [module.training for module in noisy] == [True, False, False] and not noisy.training,
        "Each module should be in the mode (training or evaluation) in which it was before.",
    )


# %% [markdown] role="hints" exercise="lr_finder"
# <details><summary>Hint 1: leave no trace</summary>
#
# There are two ways. Remember everything and restore it at the end: much can be forgotten. Or never touch the original: `copy.deepcopy`.
#
# </details>
# <details><summary>Hint 2: the rates</summary>
#
# `low * (high / low) ** (i / (steps - 1))`, or `torch.logspace`, which wants exponents. A rate is set by `for group in optimizer.param_groups: group["lr"] = rate`.
#
# </details>
# <details><summary>Hint 3: the order within a step</summary>
#
# Set the rate, take `batches[i % len(batches)]`, clear the gradients, forward, note the loss, leave the loop if it is bad, backward, step.
#
# </details>

# %% role="test" exercise="lr_finder" points=3
# Graded with hidden tests: momentum, groups, batch norm, divergence, gradients and modes that must survive.
### BEGIN HIDDEN TESTS
with HiddenTest("lr_finder") as test:

    def reference(model, make, batches, low, high, steps, stop, loss_fn):
        """The sweep, in place, on a model that may be spoilt."""
        model.train()
        optimizer, found = make(list(model.parameters()), low), []
        for i in range(steps):
            rate = math.exp(math.log(low) + (math.log(high) - math.log(low)) * i / (steps - 1))
            for group in optimizer.param_groups:
                group["lr"] = rate
            for p in model.parameters():
                p.grad = None
            x, y = batches[i % len(batches)]
            loss = loss_fn(model(x), y)
            found.append((rate, loss.item()))
            if not math.isfinite(found[-1][1]) or found[-1][1] > stop * found[0][1]:
                break
            loss.backward()
            optimizer.step()
        return torch.tensor(found, dtype=torch.float64).unbind(1)

    def in_two_groups(parameters, lr):
        first, *rest = parameters
        groups = [{"params": [first]}, {"params": rest}]
        return torch.optim.SGD(groups, lr=lr, momentum=0.9, nesterov=True)

    class Twice(nn.Module):
        """A network with batch norm, a part that evaluates and a frozen weight."""

        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(5, 8), nn.BatchNorm1d(8), nn.Tanh())
            self.head = nn.Linear(8, 3)
            self.frozen = nn.Parameter(torch.ones(3), requires_grad=False)

        def forward(self, x):
            return self.head(self.body(x)) * self.frozen

    cases = (
        ("plain SGD", torch.optim.SGD, 1e-3, 3e3, 9, 1.5, F.cross_entropy),
        ("momentum, two groups", in_two_groups, 1e-4, 3.0, 7, 1e9, F.cross_entropy),
        ("Adam", torch.optim.Adam, 1e-5, 0.1, 6, 4.0, F.cross_entropy),
        ("two rates", torch.optim.SGD, 0.01, 0.5, 2, 4.0, F.cross_entropy),
        ("label smoothing", torch.optim.SGD, 0.01, 0.5, 3, 4.0, None),
    )
    for name, make, low, high, steps, stop, loss_fn in cases:
        loss_fn = loss_fn or nn.CrossEntropyLoss(label_smoothing=0.3)
        model = Twice().double()
        model.body.eval()
        batches = [
            (torch.randn(12, 5, dtype=torch.float64), torch.randint(3, (12,))) for _ in range(4)
        ]
        for p in model.head.parameters():
            p.grad = torch.full_like(p, 7.0)
        want_rates, want = reference(
            copy.deepcopy(model), make, batches, low, high, steps, stop, loss_fn
        )
        before = {k: v.clone() for k, v in model.state_dict().items()}
        parameters = list(model.parameters())
        modes = [m.training for m in model.modules()]
        made = []

        def counted(params, lr, make=make, made=made):
            made.append(lr)
            return make(params, lr)

        with test.case(name):
            got = lr_finder(
                model,
                counted,
                batches,
                low=low,
                high=high,
                steps=steps,
                stop=stop,
                loss_fn=loss_fn,
            )
        test.that(
            isinstance(got, tuple | list) and len(got) == 2,
            "Two things should come back: the rates and the losses.",
        )
        rates, losses = got
        test.is_a(rates, torch.Tensor)
        test.is_a(losses, torch.Tensor)
        test.that(
            not losses.requires_grad and losses.dim() == 1 and losses.shape == rates.shape,
            "Rates and losses should be two vectors of equal length, without a graph.",
        )
        test.close(
            losses[:3],
            want[:3],
            "The first losses are off. Training mode, the next batch at each step, gradients cleared?",
        )
        test.shape(
            rates,
            tuple(want_rates.shape),
            "The sweep ends after `steps` rates, or with the first loss above `stop` times the first.",
        )
        test.close(
            rates, want_rates, "A rate is off: geometric from `low` to `high`, both included."
        )
        test.close(
            losses,
            want,
            "The losses are off. One optimiser for the whole sweep, the rate set in all of its groups, "
            "gradients cleared, batches in turn?",
            rtol=1e-3,
        )
        test.that(len(made) == 1, "One optimiser should serve for the whole sweep.")
        test.that(
            [id(p) for p in model.parameters()] == [id(p) for p in parameters],
            "The model has new parameter objects: an optimiser made before has lost them.",
        )
        test.that(
            all(torch.equal(v, before[k]) for k, v in model.state_dict().items()),
            "Weights or buffers of the model have changed. (A state_dict is no copy.)",
        )
        test.that(
            [m.training for m in model.modules()] == modes,
            "A module is left in another mode: parts of a model may evaluate while others train.",
        )
        test.that(
            all(p.grad is None for p in model.body.parameters())
            and all(
                p.grad is not None and bool((p.grad == 7).all())
                for p in model.head.parameters()
            ),
            "The gradients that were on the model before should still be there, and no others.",
        )
        test.that(
            [p.requires_grad for p in model.parameters()].count(False) == 1
            and not model.frozen.requires_grad,
            "`requires_grad` of a parameter has changed.",
        )
    # a loss that leaves the finite numbers at once, and defaults
    model = nn.Linear(2, 2)
    wild = [(torch.full((4, 2), 1e30), torch.tensor([0, 1, 0, 1]))]
    with test.case("rates so high that the loss is not finite; default loss"):
        rates, losses = lr_finder(
            model, torch.optim.SGD, wild, low=1e5, high=1e20, steps=9, stop=1e35
        )
    test.that(
        len(losses) == len(rates) < 9 and not math.isfinite(losses[-1]),
        "A loss that is not finite is noted, and ends the sweep.",
    )
    test.that(
        all(bool(p.isfinite().all()) for p in model.parameters()),
        "After a sweep that ended in nan the model is spoilt.",
    )
    huge = [(torch.full((1, 1), 1e30), torch.zeros(1, 1))]
    with test.case("a first loss that is infinite"):
        losses = lr_finder(
            nn.Linear(1, 1),
            torch.optim.SGD,
            huge,
            low=0.1,
            high=1.0,
            steps=5,
            loss_fn=F.mse_loss,
        )[1]
    test.that(
        len(losses) == 1, "A first loss that is infinite is noted, and ends the sweep at once."
    )
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 2.0)
    square = [(torch.ones(1, 1), torch.zeros(1, 1))]
    limits = {"low": 0.4, "high": 6.4, "steps": 5, "stop": 3.0, "loss_fn": F.mse_loss}
    with test.case("a loss that falls, and rises again to twice the first one"):
        losses = lr_finder(model, torch.optim.SGD, square, **limits)[1]
    test.shape(losses, (5,), "The limit is `stop` times the *first* loss, not the lowest.")
    limits |= {"high": 12.8, "steps": 6, "stop": 1.5}
    with test.case("a loss that rises again to twice the first one, with a limit of 1.5"):
        losses = lr_finder(model, torch.optim.SGD, square, **limits)[1]
    test.shape(losses, (5,), "The sweep ends with the first loss above `stop` times the first.")
    calm = [(torch.zeros(4, 2), torch.tensor([0, 1, 0, 1]))]
    with test.case("defaults: 100 rates from 1e-5 to 10"):
        rates, losses = lr_finder(nn.Linear(2, 2, bias=False), torch.optim.SGD, calm)
    test.shape(rates, (100,), "The default is 100 rates.")
    test.close(
        torch.stack([rates[0], rates[-1]]).double(),
        torch.tensor([1e-5, 10.0], dtype=torch.float64),
        "The default rates run from 1e-5 to 10.",
        atol=1e-9,
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="lr_finder"
# A copy costs memory for one more set of weights and saves a list of things to remember: weights, running statistics, `num_batches_tracked`, gradients, and a mode for every module (a fine-tuned network often has parts that evaluate while the rest trains). It also survives Ctrl-C in the middle of a sweep. `state_dict()` by itself
# is no copy: its tensors *are* the weights, and "restoring" from it restores the ruins. And the optimiser must be one and the same throughout: a fresh one at each step would have no momentum, and with it a ten times higher limit.

# %% [markdown]
# ## Where to point
#
# Now read a rate off the curve. The lowest loss is already too late: there the rate is so high that what is gained is being lost again. Folk rules say "the steepest point", or "a tenth of where the minimum is". We take the second, and smooth first, with the running mean that you
# know from Adam, bias correction included:
#
# $$m_i = \beta m_{i-1} + (1-\beta) L_i,\qquad \hat L_i = \frac{m_i}{1 - \beta^{\,i+1}},\qquad m_{-1} = 0.$$
#
# Smoothing has a price. The mean looks back over some $1/(1-\beta)$ losses, so its minimum comes later than that of the loss, and the margin has to make up for it.

# %% [markdown] role="card" exercise="pick_rate" level=2 minutes=10 topic="Finding a rate" doc="https://docs.pytorch.org/docs/stable/generated/torch.argmin.html"
# ### A rate to start from
#
# From the `rates` and `losses` of a sweep, cut off everything from the first loss on that is not finite. Smooth the losses by the formula above with $\beta$ = `smooth` (0 leaves them as they are), find the rate at which $\hat L$ is lowest (the first, if there are several), and return that rate divided by `margin`, as a Python float.
#
# If no loss is left, raise a `ValueError`. Leave both tensors as they are.


# %% role="stub" exercise="pick_rate"
def pick_rate(
    rates: torch.Tensor, losses: torch.Tensor, smooth: float = 0.9, margin: float = 10.0
) -> float:
    """A learning rate well below the one at which a range test had its lowest smoothed loss.

    Args:
        rates: rising learning rates (n,).
        losses: the loss at each (n,), possibly nan or infinite at some place.
        smooth: β of the running mean, 0 ≤ β < 1; the mean is bias-corrected as in Adam.
        margin: what the rate at the minimum is divided by.

    Returns:
        The rate, a float.

    Raises:
        ValueError: if the first loss already is not finite, or there is none.
    """
    ### BEGIN SOLUTION
    mean, lowest, pick = 0.0, math.inf, None
    pairs = zip(rates.tolist(), losses.tolist(), strict=True)
    for i, (rate, loss) in enumerate(pairs, start=1):
        if not math.isfinite(loss):
            break
        mean = smooth * mean + (1 - smooth) * loss
        corrected = mean / (1 - smooth**i)
        if corrected < lowest:
            lowest, pick = corrected, rate
    if pick is None:
        raise ValueError("There is no finite loss to choose by.")
    return pick / margin
    ### END SOLUTION


# %% role="check" exercise="pick_rate"
with Check("pick_rate") as check:
    rates = torch.tensor([0.001, 0.01, 0.1, 1.0, 10.0])
    losses = torch.tensor([2.3, 2.0, 1.0, 0.5, 9.0])
    with check.case(
        "smooth=0, where 1 − βⁱ⁺¹ is 1 for every loss; is the exponent of the first one 1?"
    ):
        got = pick_rate(rates, losses, smooth=0.0, margin=20.0)
    check.is_a(
        got, float, "The rate should be a Python float: `.item()` makes one of a tensor."
    )
    check.close(
        got,
        0.05,
        "Without smoothing the lowest loss, 0.5, is at rate 1; with a margin of 20 that gives 0.05.",
        known=[
            (1.0, "That is the rate at the minimum itself: divide it by `margin`."),
            (20.0, "You multiply by the margin; the pick should lie below the minimum."),
            (0.1, "The margin is an argument: here it is 20, not 10."),
            (0.15, "That is the position of the minimum, not the rate there."),
            (0.025, "That is the loss divided by the margin; divide the rate."),
            (0.5, "That is the highest loss. The lowest counts."),
            (
                5e-5,
                "That is the very first rate. With smooth=0 the mean should be the loss itself: β goes with the old "
                "mean, 1 − β with the loss.",
            ),
        ],
    )
    # Smoothed with β = 0.8 these are 8.00, 6.33, 4.15, 3.17, 2.82, 2.87, 3.15.
    rates = torch.tensor([0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4], dtype=torch.float64)
    losses = torch.tensor([8.0, 5.0, 1.0, 1.25, 2.0, 3.0, 4.0])
    check.close(
        pick_rate(rates, losses, smooth=0.8),
        0.16,
        "Smoothed with 0.8 the losses are 8, 6.33, 4.15, 3.17, 2.82, 2.87, …: lowest at rate 1.6, so 0.16.",
        known=[
            (0.04, "That is where the raw loss is lowest: smooth it first."),
            (
                0.08,
                "The smoothing is too weak: β goes with the old mean and 1 − β with the loss, not the other way round.",
            ),
            (
                0.32,
                "The exponent of the bias correction is one too small: for the first loss, i = 0, it is 1.",
            ),
            (
                0.01,
                "The mean starts at 0, so without bias correction its first values are far too low: divide by 1 − βⁱ⁺¹.",
            ),
            (
                0.64,
                "Is your mean started at the first loss? The formula starts at 0 and corrects the bias.",
            ),
            (1.6, "The default margin is 10."),
        ],
    )
    check.that(losses.tolist() == [8, 5, 1, 1.25, 2, 3, 4], "`losses` has changed.")
    spoilt = torch.tensor([3.0, 2.0, 1.0, math.nan, math.inf, 0.1, 0.0])
    with check.case("a curve that ends in nan"):
        got = pick_rate(rates, spoilt, smooth=0.0)
    check.that(
        isinstance(got, float) and math.isfinite(got),
        "With a nan among the losses the pick is no number.",
    )
    check.close(
        got,
        0.04,
        "From the first loss on that is not finite, nothing counts, not even what comes after it.",
        known=[
            (0.08, "torch.argmin takes nan for the lowest of all: cut the losses before it."),
            (
                0.64,
                "Losses behind the first that is not finite do not count either: the network was broken by then.",
            ),
        ],
    )
    raised = ""
    try:
        pick_rate(rates[:2], torch.tensor([math.nan, 1.0]))
    except Exception as error:
        raised = type(error).__name__
    check.that(
        raised == "ValueError", "Where the first loss is not finite, raise a ValueError."
    )


# %% [markdown] role="hints" exercise="pick_rate"
# <details><summary>Hint 1: one loop is enough</summary>
#
# Go through rates and losses together. Leave the loop at the first loss that is not `math.isfinite`. Keep the running mean, and the best corrected value so far with its rate.
#
# </details>
# <details><summary>Hint 2: the correction</summary>
#
# If you count the losses from 1, the corrected mean of number $i$ is `mean / (1 - smooth**i)`. For the first one that gives the loss itself.
#
# </details>
# <details><summary>Hint 3: nothing left</summary>
#
# If no rate has been kept when the loop is over, there was no finite loss: `raise ValueError(...)`.
#
# </details>

# %% role="test" exercise="pick_rate" points=2
# Graded with hidden tests: noise, smoothing, margins, nan and infinity, dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("pick_rate") as test:

    def smoothed(losses, smooth):
        """The weighted means of all losses so far: what the corrected running means should be."""
        age = torch.arange(len(losses))[:, None] - torch.arange(len(losses))[None]
        weights = (smooth ** age.clamp(min=0).double()) * (age >= 0)
        return (weights @ losses.double()) / weights.sum(1)

    for n, smooth, margin, dtype in (
        (100, 0.9, 10.0, torch.float64),
        (250, 0.98, 4.0, torch.float64),
        (60, 0.5, 3.0, torch.float32),
        (40, 0.0, 10.0, torch.float32),
        (1, 0.9, 10.0, torch.float64),
    ):
        for _ in range(6):
            rates = torch.logspace(-5, 1, max(n, 2), dtype=dtype)[:n]
            x = torch.linspace(-5, 1, n, dtype=torch.float64)
            curve = 2.3 - 1.6 * torch.sigmoid(3 * (x + 2)) + torch.exp(4 * (x - 0.2))
            losses = (curve + 0.3 * torch.rand(n, dtype=torch.float64)).to(dtype)
            want = (rates.double()[smoothed(losses, smooth).argmin()] / margin).item()
            kept = losses.clone(), rates.clone()
            with test.case(f"{n} rates, smooth={smooth}, margin={margin}, {dtype}"):
                got = pick_rate(rates, losses, smooth=smooth, margin=margin)
            test.is_a(got, float, "The rate should be a Python float.")
            test.close(
                got,
                want,
                "The pick is off: the minimum of the bias-corrected running mean, divided by the margin.",
                known=[
                    (
                        (rates.double()[losses.argmin()] / margin).item(),
                        "Smooth before you search.",
                    ),
                    (want * margin, "Divide the rate at the minimum by `margin`."),
                ],
                atol=0.0,
            )
            test.that(
                torch.equal(losses, kept[0]) and torch.equal(rates, kept[1]),
                "`rates` or `losses` has changed.",
            )
    for smooth in (0.6, 0.8, 0.9) * 6:  # so few losses that the correction decides
        rates = torch.logspace(-3, 0, 9, dtype=torch.float64)
        losses = 1 + 8 * torch.rand(9, dtype=torch.float64)
        test.close(
            pick_rate(rates, losses, smooth, margin=1.0),
            rates[smoothed(losses, smooth).argmin()].item(),
            "With nine losses the pick is off. Is the bias correction 1 − βⁱ⁺¹, with i = 0 for the first loss, and "
            "is β the weight of the old mean?",
            atol=0.0,
        )
    rates = torch.tensor([1e-3, 1e-2, 1e-1, 1.0, 10.0])
    for bad in (math.nan, math.inf, -math.inf):
        losses = torch.tensor([2.0, 1.5, bad, 1.0, 0.5])
        with test.case(f"{bad} in the middle"):
            got = pick_rate(rates, losses)
        test.close(
            got,
            1e-3,
            "From the first loss on that is nan, inf or −inf, nothing counts.",
            atol=0.0,
        )
        raised = ""
        try:
            pick_rate(rates, torch.tensor([bad, 1.5, 1.0, 1.0, 0.5]))
        except Exception as error:
            raised = type(error).__name__
        test.that(raised == "ValueError", f"A first loss of {bad} should raise a ValueError.")
    raised = ""
    try:
        pick_rate(torch.empty(0), torch.empty(0))
    except Exception as error:
        raised = type(error).__name__
    test.that(raised == "ValueError", "No losses at all should raise a ValueError.")
    tie = pick_rate(rates, torch.tensor([3.0, 1.0, 1.0, 2.0, 1.0]), smooth=0.0, margin=1.0)
    test.close(tie, 1e-2, "Of several equal minima the first one counts.", atol=0.0)
    high = pick_rate(rates, torch.tensor([3e3, 2e3, 1e3, 9e3, 9e3]), smooth=0.0)
    test.close(high, 1e-2, "Losses may be large: the scale should not matter.", atol=0.0)
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="pick_rate"
# Bias correction matters for a practical reason: without it the mean starts near 0, the lowest value of the whole curve is the very first, and the finder recommends a tenth of the smallest rate, whatever the network. The trap with nan is of the same kind: `torch.argmin` and `numpy.argmin` take nan for the minimum, so
# that a sweep which exploded properly recommends the rate at which it exploded. Neither mistake raises an error. In pandas, `Series.ewm(alpha=1 - β).mean()` is this running mean, correction included.

# %%
found = {}
with needs("lr_finder", "pick_rate"):
    order = torch.Generator().manual_seed(0)
    some = list(lab.batches(clothes.train, batch_size, generator=order))
    for seed in budget(range(5), fast=range(2)):
        rates, losses = lr_finder(
            dense_net(seed), nesterov, some, sweep_low, sweep_high, sweep_steps
        )
        found[seed] = pick_rate(rates, losses)
    smoothed = pd.Series(losses.tolist()).ewm(alpha=0.1).mean()
    fig, ax = lab.figure(height=3)
    ax.semilogx(rates, losses, ".", color="0.6", label="loss of the batch")
    ax.semilogx(rates, smoothed, label="smoothed, β = 0.9")
    ax.axvline(found[seed], color="k", linestyle="--", label=f"the pick, {found[seed]:.3g}")
    ax.set(xlabel="learning rate η", ylabel="loss", ylim=(0, 4))
    ax.legend(fontsize=9)
    lab.show(
        fig,
        alt="One sweep: the losses of the batches as dots, their running mean as a line that falls from 2.3 to "
        f"below 1 and then rises steeply, and a dashed vertical line at the pick, {found[seed]:.3g}.",
    )
    print("picks of the seeds:", *(f"{pick:.3g}" for pick in found.values()))

# %% [markdown]
# ## 1cycle
#
# A range test ruins a network because the rate only goes up. What if one turned round in time? 1cycle is a single tour:
#
# - **up**, from a low rate $\eta_0$ to the peak $\eta_1$, about ten times as high,
# - **down** again, at the same pace or more slowly,
# - and at the very end **far below** the start, by some powers of ten, so that the network settles.
#
# The rise is a long warm-up, the fall an annealing: nothing that you have not met. What is special is the height of the peak, and a second wheel that turns against the first: while the rate rises, **momentum falls**, from 0.95 to 0.85, and rises again as the rate falls. The effective rate is $\eta/(1-\mu)$, so
# momentum takes back a part of what the rate does. A rate that rises 25-fold becomes an effective rate that rises $25\cdot\frac{1-0.95}{1-0.85} \approx 8$-fold.
#
# Why should a high rate be good for anything but speed? Smith and Topin (2018) argue that it regularises: big noisy steps do not fit into narrow valleys. They conclude that with 1cycle one should turn the other regularisers down.
#
# PyTorch's `OneCycleLR` has its own conventions, and nearly everybody trips over one of them.
#
# | | PyTorch's default | Smith (2018), roughly |
# |---|---|---|
# | start | `max_lr / div_factor`, 25 | peak / 10 |
# | end | start `/ final_div_factor`, 10⁴: **of the start**, so 250,000 times below the peak | start / 100, or less |
# | shape | cosine, two phases, the peak after 30 % of the steps | straight lines, three phases: up, down to the start, far below |
# | rate of the optimiser | overwritten, whatever it was | |
# | momentum | overwritten as well: 0.95 → 0.85 → 0.95, of Adam β₁ | 0.95 → 0.85 → 0.95 |
# | clock | `total_steps`, counted in **batches** | |
#
# The last line is the one that hurts.

# %% [markdown] role="card" exercise="epochs_to_steps" level=1 minutes=6 topic="1cycle" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html"
# ### How many steps?
#
# A schedule by the batch must know how many updates there will be. Return their number for `epochs` passes over `n` samples in batches of `batch_size`, each epoch shuffled anew (no batch reaches from one epoch into the next).
#
# A smaller last batch counts like any other, unless `drop_last`. With `accumulate` above 1, gradients are collected over that many batches before each update; batches left over at the end of an epoch get an update of their own.
#
# If an epoch holds no batch at all, raise a `ValueError`.


# %% role="stub" exercise="epochs_to_steps"
def epochs_to_steps(
    n: int, batch_size: int, epochs: int, drop_last: bool = False, accumulate: int = 1
) -> int:
    """Number of updates of a training run: the `total_steps` of a schedule.

    Args:
        n: training samples.
        batch_size: samples a batch.
        epochs: passes over the samples.
        drop_last: leave out a smaller last batch of each epoch.
        accumulate: batches whose gradients are collected before an update.

    Returns:
        The number of updates, an int.

    Raises:
        ValueError: if an epoch has no batch.
    """
    ### BEGIN SOLUTION
    batches = n // batch_size if drop_last else -(-n // batch_size)
    if batches == 0:
        raise ValueError(f"{n} samples make no batch of {batch_size}.")
    return epochs * -(-batches // accumulate)
    ### END SOLUTION


# %% role="check" exercise="epochs_to_steps"
with Check("epochs_to_steps") as check:
    got = epochs_to_steps(1000, 64, 3)
    check.that(
        isinstance(got, int), "The number of steps should be an int: OneCycleLR insists on it."
    )
    check.close(
        got,
        48,
        "1,000 samples make 15 batches of 64 and one of 40: 16 updates an epoch, 48 in three.",
        known=[
            (45, "The smaller last batch of each epoch counts, too."),
            (
                46,
                "Batches do not reach from one epoch into the next: round up each epoch, not the total.",
            ),
            (
                47,
                "Batches do not reach from one epoch into the next: round up each epoch, not the total.",
            ),
            (16, "That is one epoch."),
            (
                51,
                "960 + 40 samples: 16 batches an epoch. Is one added although nothing asks for it?",
            ),
        ],
    )
    check.close(
        epochs_to_steps(1024, 64, 3),
        48,
        "1,024 samples make exactly 16 batches of 64.",
        known=[(51, "Where n is a multiple of the batch size there is no further batch.")],
    )
    check.close(
        epochs_to_steps(1000, 64, 3, drop_last=True),
        45,
        "With `drop_last` the batch of 40 is left out: 15 updates an epoch.",
    )
    check.close(
        epochs_to_steps(1000, 64, 3, accumulate=3),
        18,
        "16 batches, three to an update: five updates, and one for the batch left over; 18 in three epochs.",
        known=[
            (
                16,
                "What is left over at the end of an epoch gets an update of its own, in each epoch.",
            ),
            (15, "What is left over at the end of an epoch gets an update of its own."),
            (144, "Accumulation makes fewer updates, not more."),
            (48, "`accumulate` makes no difference: three batches to an update here."),
        ],
    )
    check.close(
        epochs_to_steps(1000, 64, 3, drop_last=True, accumulate=4),
        12,
        "`drop_last` leaves 15 batches. Four to an update are three updates, and one for the three left over; 12 in "
        "three epochs.",
        known=[
            (
                9,
                "`drop_last` drops a smaller *batch*. The three batches that are left over after three updates are "
                "whole ones, and get an update of their own.",
            ),
        ],
    )
    check.close(
        epochs_to_steps(1000, 64, 3, drop_last=True, accumulate=3),
        15,
        "`drop_last` leaves 15 batches, three to an update: five updates, 15 in three epochs.",
        known=[(18, "The batch of 40 is counted here, although `drop_last` leaves it out.")],
    )
    raised = ""
    try:
        epochs_to_steps(50, 64, 3, drop_last=True)
    except Exception as error:
        raised = type(error).__name__
    check.that(
        raised == "ValueError",
        "50 samples, batches of 64 and drop_last: no batch at all, so a ValueError.",
    )


# %% [markdown] role="hints" exercise="epochs_to_steps"
# <details><summary>Hint 1: two roundings</summary>
#
# First from samples to batches, up or down; then from batches to updates, up. Both within an epoch.
#
# </details>
# <details><summary>Hint 2: rounding up</summary>
#
# `math.ceil(a / b)`, or `-(-a // b)`, which stays among the integers.
#
# </details>

# %% role="test" exercise="epochs_to_steps" points=1
# Graded with hidden tests: many sizes, counted by a DataLoader.
### BEGIN HIDDEN TESTS
with HiddenTest("epochs_to_steps") as test:
    for n, size in ((1, 1), (5, 8), (8, 8), (9, 8), (50_000, 128), (60_000, 60), (97, 10)):
        for drop_last in (False, True):
            loader = torch.utils.data.DataLoader(range(n), size, drop_last=drop_last)
            for accumulate in (1, 2, 4, 7, 1000):
                for epochs in (1, 2, 7):
                    if len(loader) == 0:
                        continue
                    one = len(loader) // accumulate + (len(loader) % accumulate > 0)
                    with test.case(
                        f"{n=}, batch_size={size}, {epochs=}, {drop_last=}, {accumulate=}"
                    ):
                        got = epochs_to_steps(
                            n, size, epochs, drop_last=drop_last, accumulate=accumulate
                        )
                    test.that(isinstance(got, int), "The number of steps should be an int.")
                    test.close(
                        got,
                        one * epochs,
                        "The number of updates is off for "
                        + ("drop_last" if drop_last else "a smaller last batch")
                        + (" and accumulation." if accumulate > 1 else "."),
                    )
    for n, drop_last in ((0, False), (0, True), (7, True)):
        raised = ""
        try:
            epochs_to_steps(n, 8, 2, drop_last=drop_last)
        except Exception as error:
            raised = type(error).__name__
        test.that(
            raised == "ValueError",
            f"{n} samples in batches of 8, drop_last={drop_last}: no batch, so a ValueError.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="epochs_to_steps"
# With a `DataLoader` all of this is `epochs * math.ceil(len(loader) / accumulate)`, since `len(loader)` counts batches. Rounding the total instead of each epoch is off by up to one step an epoch: enough for `OneCycleLR` to raise an error in the last epoch of a long night, when it is stepped more often than it was promised.

# %% [markdown] role="card" exercise="one_cycle_rates" level=2 minutes=10 topic="1cycle" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.OneCycleLR.html"
# ### PyTorch's curve
#
# Return all the rates of `OneCycleLR` in its default form, one for each step $t = 0, \dots, T-1$, as a float64 tensor of shape `(T,)`. There are three fixed rates,
#
# $$\eta_\text{start} = \frac{\eta_\text{max}}{\texttt{div\_factor}},\qquad \eta_\text{max},\qquad \eta_\text{end} = \frac{\eta_\text{start}}{\texttt{final\_div\_factor}},$$
#
# and two half waves of the cosine between them. From $a$ to $b$, at the fraction $s$ of the way, each is $b + \tfrac12 (a - b)(1 + \cos \pi s)$. The rise lasts from step 0 to the (possibly fractional) step $k = \texttt{pct\_start}\cdot T - 1$, the fall from $k$ to the last step, $T - 1$.
#
# You may take $0 < k < T - 1$.


# %% role="stub" exercise="one_cycle_rates"
def one_cycle_rates(
    max_lr: float,
    total_steps: int,
    pct_start: float = 0.3,
    div_factor: float = 25.0,
    final_div_factor: float = 1e4,
) -> torch.Tensor:
    """The learning rates of torch's OneCycleLR with cosine annealing and two phases.

    Args:
        max_lr: the peak.
        total_steps: number of steps T.
        pct_start: share of the steps in which the rate rises.
        div_factor: peak over start.
        final_div_factor: start over end.

    Returns:
        Rates (T,), float64, of steps 0 to T - 1.
    """
    ### BEGIN SOLUTION
    start, turn = max_lr / div_factor, pct_start * total_steps - 1
    end = start / final_div_factor
    t = torch.arange(total_steps, dtype=torch.float64)
    rise = max_lr + (start - max_lr) / 2 * (1 + torch.cos(math.pi * t / turn))
    fall_share = (t - turn) / (total_steps - 1 - turn)
    fall = end + (max_lr - end) / 2 * (1 + torch.cos(math.pi * fall_share))
    return torch.where(t <= turn, rise, fall)
    ### END SOLUTION


# %% role="check" exercise="one_cycle_rates"
with Check("one_cycle_rates") as check:
    got = one_cycle_rates(1.0, 10, pct_start=0.4)
    check.is_a(got, torch.Tensor)
    check.shape(got, (10,), "One rate for each of the steps 0 to 9.")
    check.that(got.dtype == torch.float64, "The rates should be float64.")
    check.close(
        got[0],
        torch.tensor(0.04),
        "The start should be the peak divided by 25.",
        known=[
            (torch.tensor(1.0), "The curve starts at the peak: it should rise first."),
            (torch.tensor(0.1), "The start is the peak divided by `div_factor`, 25."),
        ],
    )
    check.close(
        got[3],
        torch.tensor(1.0),
        "With T = 10 and pct_start = 0.4 the peak should be at step 0.4 · 10 − 1 = 3.",
        known=[
            (
                torch.tensor(0.04 + 0.96 * (1 - math.cos(math.pi * 3 / 4)) / 2),
                "Your peak is at step 4. PyTorch's is at pct_start · T − 1.",
            ),
        ],
    )
    check.close(
        got[1],
        torch.tensor(0.28),
        "A third of the way up, the half wave should be at 0.28.",
        known=[
            (
                torch.tensor(0.36),
                "That is a straight line; the rise is half a wave of the cosine.",
            ),
            (
                torch.tensor(0.76),
                "The half wave runs backwards: it should begin flat at the start.",
            ),
        ],
    )
    check.close(
        got[6],
        torch.tensor(0.500002),
        "Step 6 is half of the way down from step 3 to step 9: about 0.5.",
        known=[
            (
                torch.tensor(4e-6 + (1 - 4e-6) / 2 * (1 + math.cos(math.pi * 3 / 7))),
                "The fall ends at the last step, T − 1 = 9, not at T.",
            ),
            (torch.tensor(0.52), "The fall ends far below the start."),
            (
                torch.tensor(0.50005),
                "The end is `final_div_factor` below the *start*, not below the peak.",
            ),
        ],
        rtol=1e-6,
    )
    check.close(
        got[9],
        torch.tensor(4e-6),
        "The last rate should be the start divided by 10⁴.",
        known=[
            (
                torch.tensor(1e-4),
                "The end is `final_div_factor` below the *start*, not below the peak.",
            ),
            (torch.tensor(0.04), "The end is the start divided by `final_div_factor`."),
        ],
        atol=1e-9,
    )
    # k = 2.5 is no step: the highest of the six rates lies below the peak.
    got = one_cycle_rates(2.0, 7, pct_start=0.5, div_factor=10.0, final_div_factor=2.0)
    check.close(
        got[[0, 2, 3, 6]],
        torch.tensor([0.2, 1.828115, 1.905920, 0.1], dtype=torch.float64),
        "With T = 7 and pct_start = 0.5 the turn is at 2.5, between two steps: do not round it. "
        "(Here the peak is 2, the start a tenth, the end half of that.)",
    )


# %% [markdown] role="hints" exercise="one_cycle_rates"
# <details><summary>Hint 1: one wave for both</summary>
#
# Write a small function `wave(a, b, s)` first. Its share $s$ is $t/k$ on the way up, and $(t - k)/(T - 1 - k)$ on the way down.
#
# </details>
# <details><summary>Hint 2: all steps at once</summary>
#
# With `t = torch.arange(total_steps, dtype=torch.float64)`, compute both halves for all steps and choose with `torch.where(t <= k, rise, fall)`.
#
# </details>

# %% role="test" exercise="one_cycle_rates" points=2
# Graded with hidden tests: against OneCycleLR at every step, other lengths, shares and factors.
### BEGIN HIDDEN TESTS
with HiddenTest("one_cycle_rates") as test:
    for peak, steps, pct, div, final in (
        (0.1, 100, 0.3, 25.0, 1e4),
        (3.0, 37, 0.45, 10.0, 100.0),
        (1e-3, 251, 0.1, 4.0, 1.0),
        (0.02, 11, 0.85, 25.0, 1e4),
        (7.0, 5, 0.5, 2.0, 50.0),
    ):
        optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(()))], lr=1.0, momentum=0.9)
        scheduler = lr_scheduler.OneCycleLR(
            optimizer,
            peak,
            total_steps=steps,
            pct_start=pct,
            div_factor=div,
            final_div_factor=final,
        )
        want = []
        for _ in range(steps):
            want.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        want = torch.tensor(want, dtype=torch.float64)
        settings = {"pct_start": pct, "div_factor": div, "final_div_factor": final}
        if (pct, div, final) == (0.3, 25.0, 1e4):
            settings = {}
        with test.case(f"{peak=}, {steps=}, {settings}"):
            got = one_cycle_rates(peak, steps, **settings)
        test.shape(got, (steps,), "One rate for each step.")
        test.that(got.dtype == torch.float64, "The rates should be float64.")
        test.close(
            got[-1],
            want[-1],
            "The last rate is off: the start divided by `final_div_factor`, at step T − 1.",
            rtol=1e-6,
            atol=1e-12,
        )
        test.close(got[0], want[0], "The first rate is off: the peak divided by `div_factor`.")
        test.close(
            got,
            want,
            "A rate differs from OneCycleLR's: the turn is at pct_start · T − 1, which may be a fraction, "
            "and both halves are half waves of the cosine.",
            rtol=1e-6,
            atol=1e-12,
        )
        test.that(not got.requires_grad, "The rates should carry no graph.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="one_cycle_rates"
# The two "− 1" are fence posts: $T$ steps have $T - 1$ gaps, and the last of them must already stand at the end. That the turn may fall between two steps looks untidy, but rounding it would make the curve jump when `total_steps` changes by one. The end is a quarter of a millionth of the peak: for all practical purposes the
# last percent of the steps only averages out noise.

# %% [markdown]
# Here is the curve, and what the two wheels make of it together, from `lab.rate_curve`, which asks an optimiser that is thrown away.


# %%
def one_cycle(optimizer, total_steps, peak, **settings):
    return lr_scheduler.OneCycleLR(optimizer, peak, total_steps=total_steps, **settings)


SMITH = {
    "pct_start": 0.45,
    "anneal_strategy": "linear",
    "three_phase": True,
    "div_factor": 10.0,
    "final_div_factor": 100.0,
}
shapes = {
    name: lab.rate_curve(
        lambda optimizer, settings=settings: one_cycle(optimizer, 200, 1.0, **settings),
        200,
        lr=1.0,
        momentum=0.9,
    ).assign(effective=lambda curve: curve.lr / (1 - curve.momentum))
    for name, settings in {"PyTorch's default": {}, "Smith's three phases": SMITH}.items()
}


def plot_shapes(shapes):
    fig, axes = lab.figure(1, 3, height=2.9)
    labels = {"lr": "rate / peak", "momentum": "momentum", "effective": "effective rate / peak"}
    for ax, (column, label) in zip(axes, labels.items(), strict=True):
        for index, (name, curve) in enumerate(shapes.items()):
            style = lab.line_style(index) | {"marker": "none"}
            ax.plot(curve.step, curve[column], label=name, **style)
        ax.set(xlabel="step (batch)", title=label)
    axes[0].set_ylim(-0.05, 1.5)  # room for the legend
    axes[0].legend(fontsize=8, handlelength=3, loc="upper right")
    return fig


lab.show(
    plot_shapes(shapes),
    alt="Three panels over 200 steps for PyTorch's default form and Smith's three phases. The rate rises "
    "to 1 at step 59 or 89 and falls, to almost 0. Momentum is the mirror image, from 0.95 down to 0.85 "
    "and back. The effective rate, rate over one minus momentum, peaks at 6.7.",
)
default = shapes["PyTorch's default"]
rise_of = {c: default[c].max() / default[c].iloc[0] for c in ("lr", "effective")}
print(
    f"the rate rises {rise_of['lr']:.1f}-fold, the effective rate {rise_of['effective']:.1f}-fold"
)

# %% [markdown]
# ## Two ways to set the clock wrong
#
# `OneCycleLR` counts batches. What happens to those who step it once an epoch, as the schedules of the first lesson are often used? Or whose `total_steps` is twice the number there will be? None of it raises an error.
#
# **Predict, then run.** Four epochs, peak 0.1. Right clock; stepped once an epoch; `total_steps` twice too large. Which of the two mistakes costs more? Look at the rates that the batches get before you answer.

# %%
epochs = budget(4, fast=2)
few_clothes = clothes.take(train=budget(4_000, fast=600))
total = epochs * math.ceil(len(few_clothes.train) / batch_size)


def clock(mistake, seed):
    """Test accuracy of 1cycle with a peak of 0.1, its clock right or wrong, and the rate of the last epoch."""
    optimizer = nesterov((model := dense_net(seed)).parameters(), lr=0.1)
    scheduler = one_cycle(optimizer, 2 * total if mistake == "twice too long" else total, 0.1)
    run = lab.fit(
        model,
        few_clothes,
        optimizer,
        epochs=epochs,
        batch_size=batch_size,
        scheduler=scheduler,
        step_scheduler_each="epoch" if mistake == "once an epoch" else "batch",
        seed=seed,
        bar=False,
    )
    return {
        "accuracy": lab.evaluate(model, clothes.valid)["accuracy"],
        "last_rate": run.last["learning_rate"],
    }


clocks = lab.sweep(
    clock,
    {"mistake": ["none", "once an epoch", "twice too long"]},
    budget(range(5), fast=range(2)),
)
print(clocks.groupby("mistake", sort=False).last_rate.mean().to_string())
lab.paired_difference(clocks, by="mistake", value="accuracy", baseline="none").round(4)

# %% [markdown]
# The table of rates tells the story (`last_rate` is that of the last batch). Stepped once an epoch, the schedule never leaves its foot: all batches are trained at about 0.004, the peak over 25, as if there were no schedule. With a clock that runs half as fast as it should, the rate is still at 0.08 when training stops, near its peak: all of the risk, none of the
# settling. Each mistake costs some two to five points here (`mean` is the difference to the right clock, and its interval leaves out 0 both times). Which of the two costs more, five seeds do not tell: the intervals overlap. And neither *looks* broken: the loss falls, the accuracy is decent. So draw the rates that your batches really got.

# %% [markdown] role="card" exercise="OneCycle" level=3 minutes=15 topic="1cycle" doc="https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
# ### Smith's three phases, both wheels
#
# Write `get_lr` of a scheduler that moves rate **and** momentum along straight lines. With $T$ = `total_steps` and $k = 0.45\,T - 1$ (possibly a fraction; do not round it):
#
# | at step | 0 | $k$ | $2k$ | $T - 1$ and later |
# |---|---|---|---|---|
# | rate / peak | 0.1 | 1 | 0.1 | 0.001 |
# | momentum | `high` | `low` | `high` | `high` |
#
# - The peak of each parameter group is the rate that the optimiser was built with. The base class keeps them in `self.base_lrs`, one a group, and counts the steps in `self.last_epoch` (0 at the start, whatever the name says).
# - `get_lr()` returns the list of rates, one a group; the base class writes them into the groups. The momentum you set yourself, in every group of `self.optimizer.param_groups`: `"momentum"`, where there is one; where there is `"betas"` instead, its first number (groups hold it as a tuple; $\beta_2$ stays). Where there is neither, leave the group alone.
# - A run that is stopped and resumed by `state_dict` goes on as if nothing had happened: all you need to know is `self.last_epoch`.
#
# You may take $T \ge 10$. It is `OneCycleLR(..., three_phase=True, anneal_strategy="linear", pct_start=0.45, div_factor=10, final_div_factor=100)`.


# %% role="stub" exercise="OneCycle"
class OneCycle(LRScheduler):
    """1cycle in Smith's form (2018): rate up, down, and far below; momentum the other way round.

    Args:
        optimizer: its groups' rates are the peaks.
        total_steps: number of updates T, at least 10.
        low: momentum (or β₁) at the peak of the rate.
        high: momentum (or β₁) at the start and at the end.
    """

    def __init__(self, optimizer, total_steps: int, low: float = 0.85, high: float = 0.95):
        self.total_steps, self.low, self.high = total_steps, low, high
        super().__init__(optimizer)  # calls get_lr once, for step 0

    def get_lr(self) -> list[float]:
        """The rates of step `self.last_epoch`, one a group; sets the groups' momentum, too."""
        ### BEGIN SOLUTION
        turn = 0.45 * self.total_steps - 1
        knots = [0, turn, 2 * turn, self.total_steps - 1]
        share = float(np.interp(self.last_epoch, knots, [0.1, 1, 0.1, 0.001]))
        momentum = float(
            np.interp(self.last_epoch, knots, [self.high, self.low, self.high, self.high])
        )
        for group in self.optimizer.param_groups:
            if "momentum" in group:
                group["momentum"] = momentum
            elif "betas" in group:
                group["betas"] = (momentum, *group["betas"][1:])
        return [share * peak for peak in self.base_lrs]
        ### END SOLUTION


# %% role="check" exercise="OneCycle"
with Check("OneCycle") as check:
    check.that(
        issubclass(OneCycle, LRScheduler), "OneCycle should be a subclass of LRScheduler."
    )
    weights = [nn.Parameter(torch.zeros(2)) for _ in range(2)]
    groups = [{"params": weights[:1]}, {"params": weights[1:], "lr": 5.0}]
    optimizer = torch.optim.SGD(groups, lr=0.5, momentum=0.9)
    try:
        scheduler = OneCycle(optimizer, 20)
    except TypeError as error:
        check.that(
            "itera" not in str(error),
            "`get_lr` should return a list with one rate for each group: the base class hands them out. Is yours a "
            "bare number, or is the `return` missing?",
        )
        raise
    seen = []
    for _ in range(23):
        seen.append([(group["lr"], group["momentum"]) for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    seen = torch.tensor(seen, dtype=torch.float64)
    # T = 20: k = 8, so the knots are at steps 0, 8, 16 and 19.
    check.close(
        seen[0, 0, 0],
        torch.tensor(0.05),
        "A peak of 0.5 should start at 0.05.",
        known=[
            (
                torch.tensor(0.5),
                "The rate starts at the peak: is a rate multiplied by its share?",
            ),
            (
                torch.tensor(0.1),
                "That is the share of the peak; multiply it by the group's peak.",
            ),
            (torch.tensor(0.02), "The start is a tenth of the peak here, not a 25th."),
        ],
    )
    check.close(
        seen[[4, 8, 12, 16], 0, 0],
        torch.tensor([0.275, 0.5, 0.275, 0.05], dtype=torch.float64),
        "For T = 20 and a peak of 0.5, steps 4, 8, 12 and 16 should have 0.275, 0.5, 0.275, 0.05.",
        known=[
            (
                torch.tensor([0.25, 0.45, 0.35, 0.15], dtype=torch.float64),
                "Your peak is at step 0.45 T = 9; it belongs at 0.45 T − 1, and the end of the fall at twice that.",
            ),
            (
                torch.tensor([0.275, 0.5, 0.32, 0.14], dtype=torch.float64),
                "The second phase should end at 2k = 16: as long as the first.",
            ),
            (
                torch.tensor([8.30908e-4, 3.78625e-4, 9.48916e-5, 2.86713e-7]).double(),
                "Each rate is a share of the rate before: multiply the peaks, which stand in self.base_lrs.",
            ),
        ],
    )
    check.close(
        seen[[17, 19], 0, 0],
        torch.tensor([0.0335, 0.0005], dtype=torch.float64),
        "In the third phase the rate should fall from 0.05 at step 16 to 0.0005 at step 19, in a straight line.",
    )
    check.close(
        seen[20:, 0, 0],
        torch.full((3,), 0.0005, dtype=torch.float64),
        "After the last step the rate should stay where it is.",
    )
    check.close(
        seen[:, 1, 0],
        10 * seen[:, 0, 0],
        "The second group has a peak of 5, ten times the first's: each group has a peak of its own.",
    )
    check.close(
        seen[[0, 4, 8, 12, 16, 19, 22], 0, 1],
        torch.tensor([0.95, 0.9, 0.85, 0.9, 0.95, 0.95, 0.95], dtype=torch.float64),
        "Momentum at steps 0, 4, 8, 12, 16, 19 should be 0.95, 0.9, 0.85, 0.9, 0.95, 0.95.",
        known=[
            (torch.full((7,), 0.9, dtype=torch.float64), "The momentum is not set."),
            (
                torch.tensor([0.85, 0.9, 0.95, 0.9, 0.85, 0.85, 0.85], dtype=torch.float64),
                "Momentum turns the wrong way: it is high while the rate is low.",
            ),
        ],
    )
    check.close(seen[:, 1, 1], seen[:, 0, 1], "Every group should get the momentum.")
    # T = 21: k = 8.45 is no step.
    odd = torch.optim.SGD(weights[:1], lr=1.0, momentum=0.9)
    scheduler, path = OneCycle(odd, 21), []
    for _ in range(21):
        path.append(odd.param_groups[0]["lr"])
        odd.step()
        scheduler.step()
    rounded = "For T = 21 your rate is highest at step {}: k = 0.45 · 21 − 1 = 8.45 lies between two steps; do not round it."
    check.close(
        torch.tensor([float(path[step]) for step in (8, 9, 17)]),
        torch.tensor([0.9520710, 0.9414201, 0.0968065]),
        "For T = 21 the knots are at 0, 8.45, 16.9 and 20 (not rounded): with a peak of 1, steps 8, 9 and 17 should "
        "have 0.952, 0.941 and 0.0968.",
        known=[
            (torch.tensor([1.0, 0.8875, 0.07525]), rounded.format(8)),
            (torch.tensor([0.9, 1.0, 0.2]), rounded.format(9)),
            (
                torch.full((3,), 0.001),
                "A second schedule goes on where the first one ended: keep what you need in `self`.",
            ),
        ],
    )
    adam = torch.optim.AdamW(weights, lr=0.01, betas=(0.9, 0.98))
    with check.case("AdamW, whose groups have betas instead of momentum"):
        scheduler = OneCycle(adam, 20, low=0.8, high=0.9)
    check.that(
        isinstance(adam.param_groups[0]["betas"], tuple)
        and len(adam.param_groups[0]["betas"]) == 2,
        'A group\'s "betas" should stay a tuple of two.',
    )
    for _ in range(8):
        adam.step()
        scheduler.step()
    check.close(
        torch.tensor(adam.param_groups[0]["betas"]),
        torch.tensor([0.8, 0.98]),
        "At the peak Adam's β₁ should be at `low`, 0.8 here, and its β₂ what it was.",
        known=[
            (
                torch.tensor([0.9, 0.98]),
                "Adam's β₁ is not moved: it is the first of the group's \"betas\".",
            ),
            (torch.tensor([0.85, 0.98]), "`low` and `high` are arguments: here 0.8 and 0.9."),
        ],
    )
    with check.case("Adagrad, which has neither"):
        OneCycle(torch.optim.Adagrad(weights, lr=0.1), 20)


# %% [markdown] role="hints" exercise="OneCycle"
# <details><summary>Hint 1: straight lines</summary>
#
# `np.interp(step, knots, values)` is the straight line through given points, constant beyond the ends. Make a float of what it returns.
#
# </details>
# <details><summary>Hint 2: two tables</summary>
#
# The four knots of the table serve both lines. What comes out of the first is a *share*: `[share * peak for peak in self.base_lrs]`.
#
# </details>
# <details><summary>Hint 3: betas</summary>
#
# A tuple cannot be changed, so put a new one into the group: `(momentum, group["betas"][1])`.
#
# </details>

# %% role="test" exercise="OneCycle" points=3
# Graded with hidden tests: against OneCycleLR at every step, groups, Adam, resumed runs.
### BEGIN HIDDEN TESTS
with HiddenTest("OneCycle") as test:
    test.that(
        isinstance(OneCycle, type) and issubclass(OneCycle, LRScheduler),
        "OneCycle should be a subclass of LRScheduler.",
    )

    def settings_of(optimizer):
        """Rate and momentum (or β₁, or 0) of each group."""
        return [
            (float(g["lr"]), g.get("momentum", g.get("betas", (0.0,))[0]))
            for g in optimizer.param_groups
        ]

    makers = {
        "SGD": lambda g: torch.optim.SGD(g, lr=0.3, momentum=0.5, nesterov=True),
        "Adam": lambda g: torch.optim.Adam(g, lr=0.3, betas=(0.5, 0.97)),
        "RMSprop": lambda g: torch.optim.RMSprop(g, lr=0.3),
    }
    for steps in (10, 23):
        for name, make in makers.items():
            low, high = (0.85, 0.95) if steps == 23 else (0.6, 0.99)
            runs = []
            for ours in (False, True):
                ws = [nn.Parameter(torch.zeros(1)) for _ in range(3)]
                optimizer = make(
                    [{"params": ws[:1]}, {"params": ws[1:2], "lr": 0.02}, {"params": ws[2:]}]
                )
                if ours:
                    chosen = {} if steps == 23 else {"low": low, "high": high}
                    with test.case(f"{name}, {steps} steps, {chosen}"):
                        scheduler = OneCycle(optimizer, steps, **chosen)
                else:
                    scheduler = lr_scheduler.OneCycleLR(
                        optimizer,
                        [0.3, 0.02, 0.3],
                        total_steps=steps,
                        pct_start=0.45,
                        anneal_strategy="linear",
                        three_phase=True,
                        div_factor=10.0,
                        final_div_factor=100.0,
                        base_momentum=low,
                        max_momentum=high,
                    )
                rows = []
                for _ in range(steps):
                    rows.append(settings_of(optimizer))
                    optimizer.step()
                    scheduler.step()
                runs.append(torch.tensor(rows, dtype=torch.float64))
            want, got = runs
            test.close(
                got[..., 0],
                want[..., 0],
                "A rate is off: straight lines through steps 0, k, 2k and T − 1, k not rounded, each group "
                "with its own peak.",
                atol=1e-9,
            )
            test.close(
                got[..., 1],
                want[..., 1],
                "Momentum (of Adam: β₁) is off: high, low at the peak of the rate, high again, in every group.",
                atol=1e-9,
            )
            with test.case("some steps more than total_steps"):
                for _ in range(3):
                    optimizer.step()
                    scheduler.step()
            test.close(
                torch.tensor(settings_of(optimizer), dtype=torch.float64),
                torch.tensor([(p / 1000, high) for p in (0.3, 0.02, 0.3)], dtype=torch.float64),
                "After the last step rate and momentum should stay where they are.",
                atol=1e-9,
            )
            if name == "Adam":
                test.that(
                    all(
                        isinstance(g["betas"], tuple) and len(g["betas"]) == 2
                        for g in optimizer.param_groups
                    ),
                    'A group\'s "betas" should stay a tuple of two.',
                )
                test.that(
                    all(g["betas"][1] == 0.97 for g in optimizer.param_groups),
                    "β₂ should stay what it was.",
                )
    for make in (
        lambda p: torch.optim.Adagrad(p, lr=0.1),
        lambda p: torch.optim.Adadelta(p, lr=0.1),
    ):
        optimizer = make([nn.Parameter(torch.zeros(1))])
        keys = set(optimizer.param_groups[0]) | {"initial_lr"}
        with test.case("an optimiser with neither momentum nor betas"):
            scheduler = OneCycle(optimizer, 12)
            for _ in range(12):
                optimizer.step()
                scheduler.step()
        test.that(
            set(optimizer.param_groups[0]) <= keys,
            "An optimiser without momentum got one: leave such groups alone.",
        )
        test.close(
            float(optimizer.param_groups[0]["lr"]),
            1e-4,
            "An optimiser without momentum should still have its rate moved.",
            atol=1e-9,
        )
    # stopped and resumed
    weights = [nn.Parameter(torch.zeros(1))]
    optimizer = torch.optim.SGD(weights, lr=0.4, momentum=0.9)
    scheduler = OneCycle(optimizer, 16)
    for step in range(16):
        if step == 5:
            saved = copy.deepcopy((optimizer.state_dict(), scheduler.state_dict()))
            second = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.4, momentum=0.9)
            resumed = OneCycle(second, 16)
            second.load_state_dict(saved[0])
            resumed.load_state_dict(saved[1])
        optimizer.step()
        scheduler.step()
        if step >= 5:
            second.step()
            resumed.step()
            test.close(
                torch.tensor(settings_of(second)),
                torch.tensor(settings_of(optimizer)),
                "Resumed from its state_dict, the schedule goes elsewhere: compute from self.last_epoch alone.",
                rtol=1e-7,
            )
    # two schedules at once
    pair = [torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.4, momentum=0.9) for _ in "ab"]
    turns = [OneCycle(o, steps) for o, steps in zip(pair, (20, 40), strict=True)]
    for _ in range(8):
        for o, s in zip(pair, turns, strict=True):
            o.step()
            s.step()
    test.close(
        torch.tensor([float(o.param_groups[0]["lr"]) for o in pair]),
        torch.tensor([0.4, 0.04 + 0.36 * 8 / 17]),
        "Two schedules at the same time disturb each other: keep what you need in self.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="OneCycle"
# The value of a step depends on nothing but its number: such a schedule is in *closed form*, and can be drawn, resumed and tested without being run. Setting the momentum inside `get_lr` is a side effect in a function that is called "get"; PyTorch's own `OneCycleLR` does the same, because the base class offers
# no other place that is visited exactly once a step. Reading the peak off the optimiser is friendlier than PyTorch's way, where `max_lr` is given a second time and silently overrules what the optimiser was built with.
# %% [markdown]
# ## Super-convergence, put to the test
#
# Now the famous claim: 1cycle reaches in a fraction of the epochs what a usual schedule needs all of them for. Smith and Topin (2018) showed it for deep residual networks on 50,000 images,
# with batches of up to a thousand on several GPUs, thousands of steps and peaks of up to 3, and with the other regularisers turned down. They also report that the advantage grows where labelled images are few.
#
# We have few images, and one processor: 1,536 photographs, a residual network with batch norm so small that eight epochs take seconds, batches of 64. Both schedules get the same network, optimiser and weight decay, and each its own best peak (three tried, two seeds of their own, validation images). Then five fresh seeds on test images:
#
# - **step**: constant, divided by ten after 50 % and after 80 % of the steps, for 8 epochs and for 2;
# - **1cycle**: PyTorch's default, for 8 epochs, and for 2, a quarter.
#
# **Predict, then run.** Who wins at equal epochs? Does 1cycle in two epochs reach the step schedule in eight?


# %%
photos = lab.cifar10().take(train=budget(1_536, fast=320), valid=2_000, test=2_000).to(device)
photos_watch = photos.take(
    valid=100
)  # what `fit` looks at after each epoch; we judge at the end
long_epochs, short_epochs = budget((8, 2), fast=(2, 1))


class Residual(nn.Module):
    """Two 3 × 3 convolutions with batch norm, and a way around them."""

    def __init__(self, n_in, n_out, stride=1):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(n_in, n_out, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
            nn.ReLU(),
            nn.Conv2d(n_out, n_out, 3, padding=1, bias=False),
            nn.BatchNorm2d(n_out),
        )
        same = n_in == n_out and stride == 1
        self.around = nn.Identity() if same else nn.Conv2d(n_in, n_out, 1, stride, bias=False)

    def forward(self, x):
        return F.relu(self.body(x) + self.around(x))


def residual_net(seed):
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(3, 16, 4, stride=4, bias=False), nn.BatchNorm2d(16), nn.ReLU()),
        *(Residual(16, 16), Residual(16, 32, stride=2)),
        *(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(32, len(photos.classes))),
    ).to(device)


def train_photos(schedule, epochs, peak, seed, split="test"):
    model = residual_net(seed)
    optimizer = torch.optim.SGD(
        model.parameters(), lr=peak, momentum=0.9, nesterov=True, weight_decay=5e-4
    )
    steps = epochs * math.ceil(len(photos.train) / batch_size)
    if schedule == "1cycle":
        scheduler = one_cycle(optimizer, steps, peak)
    else:
        drops = [round(0.5 * steps), round(0.8 * steps)]
        scheduler = lr_scheduler.MultiStepLR(optimizer, drops, gamma=0.1)
    lab.fit(
        model,
        photos_watch,
        optimizer,
        epochs=epochs,
        batch_size=batch_size,
        scheduler=scheduler,
        seed=seed,
        bar=False,
    )
    return {"accuracy": lab.evaluate(model, getattr(photos, split))["accuracy"]}


def contender(frame):
    """The column by which the four contenders are told apart."""
    names = frame.schedule + ", " + frame.epochs.astype(str) + " epochs"
    return frame.assign(contender=names)


# %%
PHOTO_PEAKS = {
    ("step", long_epochs): [0.05, 0.15, 0.45],
    ("step", short_epochs): [0.017, 0.05, 0.15],
    ("1cycle", long_epochs): [0.017, 0.05, 0.15],
    ("1cycle", short_epochs): [0.017, 0.05, 0.15],
}
photo_tuning = pd.concat(
    lab.sweep(
        lambda schedule, epochs, peak, seed: train_photos(
            schedule, epochs, peak, seed, split="valid"
        ),
        {
            "schedule": [schedule],
            "epochs": [epochs],
            "peak": budget(peaks, fast=peaks[:1]),
        },
        budget(range(100, 102), fast=[100]),
    )
    for (schedule, epochs), peaks in PHOTO_PEAKS.items()
)
photo_best = lab.best(
    photo_tuning, by=["schedule", "epochs"], over="peak", value="accuracy"
).set_index(["schedule", "epochs"])
photo_runs = contender(
    lab.sweep(
        lambda schedule, epochs, seed: train_photos(
            schedule, epochs, photo_best.peak[schedule, epochs], seed
        ),
        {"schedule": ["step", "1cycle"], "epochs": [long_epochs, short_epochs]},
        budget(range(5), fast=range(2)),
    )
)
step_long = f"step, {long_epochs} epochs"
cycle_long = f"1cycle, {long_epochs} epochs"
step_short, cycle_short = f"step, {short_epochs} epochs", f"1cycle, {short_epochs} epochs"
photo_gap = lab.paired_difference(
    photo_runs, by="contender", value="accuracy", baseline=step_long
).set_index("contender")
print(photo_best[["peak", "mean", "at_edge"]].round(3), "\n")
print(lab.summary(photo_runs, by="contender", value="accuracy").round(3).to_string(index=False))
photo_gap.round(3)


# %%
def plot_photos(tuning, runs):
    fig, (left, right) = lab.figure(1, 2, height=3.2)
    means = contender(tuning).groupby(["contender", "peak"], sort=False).accuracy.mean()
    table = lab.summary(runs, by="contender", value="accuracy")
    for index, row in enumerate(table.itertuples()):
        style = lab.line_style(index)
        line = means[row.contender]
        left.semilogx(line.index, line, label=row.contender, markersize=6, **style)
        bar = [[row.mean - row.low], [row.high - row.mean]]
        right.errorbar(row.mean, index, xerr=bar, capsize=4, **style | {"linestyle": "none"})
        runs_here = runs[runs.contender == row.contender].accuracy
        right.plot(runs_here, [index + 0.25] * len(runs_here), "|", color="0.5")
    peaks = sorted(tuning.peak.unique())
    left.set_xticks(peaks, [f"{peak:g}" for peak in peaks])
    left.minorticks_off()
    left.set(xlabel="peak rate", ylabel="validation accuracy", title="Tuning, two seeds")
    left.legend(fontsize=8, handlelength=3)
    right.set(yticks=range(len(table)), yticklabels=table.contender, ylim=(-0.5, 3.6))
    right.set(xlabel="test accuracy", title="Five fresh seeds, 95 % intervals")
    return fig


lab.show(
    plot_photos(photo_tuning, photo_runs),
    alt="Left: validation accuracy against the peak rate for step and 1cycle, eight and two epochs; the two lines "
    "of eight epochs lie about ten points above those of two. Right: test accuracies of the five seeds with "
    "intervals. The two contenders with eight epochs are close together near 0.40, those with two near 0.29.",
)

# %% [markdown]
# At a quarter of the epochs 1cycle is more than ten points behind the full step schedule. **On this network and at this budget there is no super-convergence.**
#
# At equal epochs, eight or two, the intervals of the two schedules overlap, and for eight that of the difference reaches 0: no lead is shown. Watch how easily one could have been: on the *validation* images of the tuning (left) 1cycle lies above step at every peak that both have tried, with two seeds; on the *test* images and fresh seeds (right) it is the other way round. A trial with 2,000 images and other peaks had 1cycle a point ahead. Such is the luck of
# seeds and draws at this size. No peak was chosen at the edge of its grid (`at_edge`), but between 0.05 and 0.15 the curves on the left are nearly flat, so that the choice there was nearly by lot: a finer search would move these numbers by a point, not by ten.
#
# That does not refute the paper; it says where its claim ends. What had Smith and Topin that we have not? Above all *time to waste*. Their step schedule took tens of thousands of steps, most of them on a plateau between two drops. A schedule that runs through in a quarter of them saves the waiting. Our eight epochs are 192 steps, in which nothing has settled: the number of steps is the bottleneck,
# and no schedule makes 48 steps do the work of 192. Besides, they had a deep network, 50,000 images with augmentation, large batches (whose gradients are clean enough for a rate of 3), and took weight decay down for 1cycle; ours was the same for both. A factor of four is a statement about a baseline as much as about a method. Ask what the slow contender did with its time.

# %% [markdown]
# ## Which schedule?
#
# Three lessons, many curves. Is there a best one? The last race of the chapter's schedules: one dense network, 4,000 photographs of clothes, four epochs in batches of 64, Nesterov with momentum 0.9, and a peak for each schedule, chosen from a grid on validation images with three seeds of their own. Then five fresh seeds on test images.
#
# 1cycle comes twice: as PyTorch has it, and with its second wheel stopped, momentum 0.9 throughout. The restarts come after 1/7 and 3/7 of the steps, so that the last round ends with the run. The plateau schedule listens to the loss on the validation images, divides by three whenever an epoch brings no improvement, and thereby sees images that the others do not.
#
# **Predict, then run.** Rank the nine. By how many points does the first beat the second, and by how many the last?

# %%
race_epochs = budget(4, fast=2)
race_steps = race_epochs * math.ceil(len(few_clothes.train) / batch_size)
warm_steps = race_steps // 10


def warm_up_cosine(optimizer):
    warm = lr_scheduler.LinearLR(optimizer, 0.1, total_iters=warm_steps)
    rest = lr_scheduler.CosineAnnealingLR(optimizer, race_steps - warm_steps)
    return lr_scheduler.SequentialLR(optimizer, [warm, rest], [warm_steps])


def restarts(optimizer):
    return lr_scheduler.CosineAnnealingWarmRestarts(
        optimizer, math.ceil(race_steps / 7), T_mult=2
    )


SCHEDULES = {
    "constant": lambda o, peak: None,
    "exponential, to 2 %": lambda o, peak: lr_scheduler.ExponentialLR(
        o, 0.02 ** (1 / race_steps)
    ),
    "linear, to 0": lambda o, peak: lr_scheduler.LinearLR(o, 1.0, 0.0, race_steps),
    "cosine": lambda o, peak: lr_scheduler.CosineAnnealingLR(o, race_steps),
    "warm-up + cosine": lambda o, peak: warm_up_cosine(o),
    "restarts": lambda o, peak: restarts(o),
    "plateau, ÷ 3": lambda o, peak: lr_scheduler.ReduceLROnPlateau(o, factor=1 / 3, patience=0),
    "1cycle": lambda o, peak: one_cycle(o, race_steps, peak),
    "1cycle, momentum 0.9": lambda o, peak: one_cycle(
        o, race_steps, peak, cycle_momentum=False
    ),
}


def race(schedule, peak, seed, split="test"):
    optimizer = nesterov((model := dense_net(seed)).parameters(), lr=peak)
    run = lab.fit(
        model,
        few_clothes,
        optimizer,
        epochs=race_epochs,
        batch_size=batch_size,
        scheduler=SCHEDULES[schedule](optimizer, peak),
        step_scheduler_each="epoch" if schedule.startswith("plateau") else "batch",
        seed=seed,
        bar=False,
    )
    accuracy = (
        math.nan
        if run.diverged
        else lab.evaluate(model, getattr(few_clothes, split))["accuracy"]
    )
    return {"accuracy": accuracy}


RACE_PEAKS = {name: [0.03, 0.06, 0.12] for name in SCHEDULES}
RACE_PEAKS |= {
    "constant": [0.01, 0.02, 0.04],
    "plateau, ÷ 3": [0.04, 0.08, 0.16],
    "exponential, to 2 %": [0.06, 0.12, 0.24],
}
race_tuning = pd.concat(
    lab.sweep(
        lambda schedule, peak, seed: race(schedule, peak, seed, split="valid"),
        {"schedule": [name], "peak": budget(peaks, fast=peaks[:1])},
        budget(range(100, 103), fast=[100]),
    )
    for name, peaks in RACE_PEAKS.items()
)
race_best = lab.best(race_tuning, by="schedule", over="peak", value="accuracy").set_index(
    "schedule"
)
race_runs = lab.sweep(
    lambda schedule, seed: race(schedule, race_best.peak[schedule], seed),
    {"schedule": list(SCHEDULES)},
    budget(range(5), fast=range(2)),
)
race_table = lab.summary(race_runs, by="schedule", value="accuracy").join(
    race_best[["peak", "at_edge"]], on="schedule"
)
race_table.sort_values("mean", ascending=False).round(4)


# %%
def shape_of(name):
    """The curve of a schedule over the race, as a share of its peak; the plateau schedule has none of its own."""
    return lab.rate_curve(lambda o: SCHEDULES[name](o, 1.0), race_steps, lr=1.0, momentum=0.9)


def plot_race(table):
    fig, axes = lab.figure(2, 4, height=1.7)
    drawn = [name for name in SCHEDULES if name not in ("plateau, ÷ 3", "1cycle, momentum 0.9")]
    for ax, name in zip(axes.flat, drawn, strict=False):
        if name == "constant":
            ax.plot([0, race_steps], [1, 1])
        else:
            curve = shape_of(name)
            ax.plot(curve.step, curve.lr)
        ax.set(ylim=(-0.05, 1.1), xticks=[0, race_steps], xticklabels=["0", "end"])
        ax.set_title(name, fontsize=10)
        ax.label_outer()
    axes[0, 0].set(ylabel="rate / peak")
    axes[1, 0].set(ylabel="rate / peak")
    axes.flat[-1].axis("off")
    return fig


lab.show(
    plot_race(race_table),
    alt="Seven small panels with the rate as a share of the peak over the race: constant, exponential, linear, "
    "cosine, warm-up and cosine, cosine with two restarts, 1cycle.",
)


# %%
def plot_ranking(table):
    fig, ax = lab.figure(height=3.4)
    ordered = table.sort_values("mean").reset_index()
    for place, row in ordered.iterrows():
        style = lab.line_style(0 if row.schedule == "constant" else 1) | {"linestyle": "none"}
        bar = [[row["mean"] - row.low], [row.high - row["mean"]]]
        ax.errorbar(row["mean"], place, xerr=bar, capsize=4, **style)
    ax.set(yticks=range(len(ordered)), yticklabels=ordered.schedule)
    ax.set(xlabel="test accuracy, mean and 95 % interval over five seeds")
    return fig


lab.show(
    plot_ranking(race_table),
    alt="Test accuracy of the nine schedules with intervals, sorted. The constant rate and the plateau schedule are "
    "last, by two to three points and with by far the widest intervals; the other seven lie within a point.",
)
lab.paired_difference(
    race_runs, by="schedule", value="accuracy", baseline="constant"
).sort_values("mean", ascending=False).round(4)

# %% [markdown]
# What is clear: **a rate that stays high to the end loses two to three points**, and makes the result a matter of luck: the constant rate has by far wider intervals than those that come down. The plateau schedule shares its fate here. Four epochs bring it three or four occasions to divide, and while the loss still falls, it takes none of them. It is made for long runs.
#
# What is not clear: the order of the rest. (`mean` is the lead over the constant rate, seed by seed.) Six of them stand within half a point, the exponential a little behind. So ask more sharply, and compare them with one of their own, the cosine.

# %%
against_cosine = lab.paired_difference(
    race_runs[race_runs.schedule != "constant"],
    by="schedule",
    value="accuracy",
    baseline="cosine",
).set_index("schedule")
against_cosine.round(4)

# %% [markdown]
# Linear, cosine, warm-up, restarts and both forms of 1cycle: no interval leaves out 0, and the means lie within half a point. Only the exponential, which spends most of the run at low rates, is behind by half a point, and the plateau schedule by three.
#
# Even of a small difference that does leave out 0 one should think twice. Look at the column `peak` of the table above. A schedule whose peak was chosen a little unluckily, by three seeds and 2,000 validation images, pays for it in all five of its final runs, and no interval over those seeds knows: in a trial with two seeds for the tuning the cosine got half of its present peak, and was "significantly" behind its
# twin with a warm-up. The interval answers "what if the *seeds* were others?", not "what if the *tuning* were repeated?". And with seven comparisons at 95 %, up to one in three such tables contains a false alarm even where there is nothing to find.
#
# So the advice is short. Let the rate come down, to a hundredth of the peak or less, by the end of the run. Choose the shape for convenience: cosine or linear if the length is known, a warm-up in front if the start is rough (large batches, deep networks, Adam), plateau if the length is not known. And spend your effort on the peak. The second wheel of 1cycle, its momentum, does not pay here: with momentum at 0.9 throughout it is not worse.
#
# ## Was the finder right?
#
# The race has tried several peaks. So now we can judge the finder, which took two seconds: does its pick lie where the accuracy is highest?


# %%
def plot_verdict(tuning, found):
    fig, ax = lab.figure(height=3.2)
    means = tuning.groupby(["schedule", "peak"], sort=False).accuracy.mean()
    for index, name in enumerate(["constant", "cosine", "1cycle"]):
        line = means[name]
        ax.semilogx(line.index, line, label=name, markersize=6, **lab.line_style(index))
    for pick in found.values():
        ax.axvline(pick, color="0.5", linewidth=1, linestyle="--")
    ax.axvline(flies.median(), color="k", linestyle=":", label="range test: above 4.0")
    ticks = [0.02, 0.05, 0.1, 0.2, 0.5]
    ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    ax.minorticks_off()
    ax.set(xlabel="peak rate", ylabel="validation accuracy")
    ax.legend(fontsize=9, handlelength=3, loc="center right")
    return fig


lab.show(
    plot_verdict(race_tuning, found),
    alt="Validation accuracy against the peak rate for constant, cosine and 1cycle; dashed lines mark the picks of the finder, a dotted "
    "line the median rate at which the range test flew off. Cosine and 1cycle are best near 0.06, two to four times the "
    "picks; the constant rate is best at 0.04 or below; all are far below the dotted line.",
)

# %% [markdown]
# The picks (dashed) stand where the constant rate is best, near 0.02, and below the best peaks of the others by a factor of two to four: a safe start, and the right order of magnitude, for two seconds of work. The place where the range test flies off (dotted) is some ten times too high. So the finder does what it can: it tells you where to centre a search over a few rates. It does not replace the search, and the margin of ten is folklore, not a law:
# it suits a constant rate better than a schedule that comes down.

# %% [markdown]
# ## Play with it
#
# Turn the knobs of `OneCycleLR` and watch rate, momentum and effective rate. When does the effective rate peak: with the rate, before, after? What happens for a `pct_start` near 0 or 1?

# %%
from ipywidgets import Checkbox, FloatSlider, interact


@interact(
    pct_start=FloatSlider(0.3, min=0.05, max=0.9, step=0.05, continuous_update=False),
    div=FloatSlider(25, min=1, max=50, step=1, continuous_update=False),
    cycle_momentum=Checkbox(True),
    three_phase=Checkbox(False),
)
def explore(pct_start, div, cycle_momentum, three_phase):
    settings = {
        "pct_start": min(pct_start, 0.45) if three_phase else pct_start,
        "div_factor": div,
        "cycle_momentum": cycle_momentum,
        "three_phase": three_phase,
    }
    curve = lab.rate_curve(
        lambda o: one_cycle(o, 200, 1.0, **settings), 200, lr=1.0, momentum=0.9
    )
    effective = curve.lr / (1 - curve.momentum)
    fig, (left, right) = lab.figure(1, 2, height=2.8)
    left.plot(curve.step, curve.lr, label="rate / peak")
    left.plot(curve.step, curve.momentum, "--", label="momentum")
    right.plot(curve.step, effective)
    left.set(xlabel="step")
    left.legend(fontsize=9)
    right.set(xlabel="step", title="effective rate / peak")
    lab.show(
        fig,
        alt=f"Rate and momentum of 1cycle over 200 steps, and the effective rate, which peaks at {effective.max():.1f} "
        f"at step {effective.idxmax()}.",
    )


# %% [markdown]
# ## What we measured

# %%
accuracy = photo_runs.groupby("contender").accuracy.mean()
ranking = race_runs.groupby("schedule").accuracy.mean()
over_constant = (ranking - ranking["constant"]).drop("constant")
clock_means = clocks.groupby("mistake").accuracy.mean()

anneals = over_constant.drop("plateau, ÷ 3")
fall_low, fall_high = falls.min(), falls.max()

with Claims(clothes) as claim:
    claim(
        "range test: the loss falls below 2.0 near 0.01, the seeds within a factor of two",
        fall_low > 0.004 and fall_high < 0.02 and fall_high < 2 * fall_low,
        weaker=fall_high < 10 * fall_low,
    )
    claim(
        "range test: it flies off between 0.15 and 1.5",
        len(flies) == len(falls) and flies.min() > 0.15 and flies.max() < 1.5,
        weaker=flies.max() < 10,
    )
    claim(
        "1cycle: the rate rises 25-fold, the effective rate 8 to 9-fold",
        abs(rise_of["lr"] - 25) < 0.5 and 8 < rise_of["effective"] < 9,
    )
    claim(
        "a clock set wrong costs a point or more",
        max(clock_means.drop("none")) < clock_means["none"] - 0.005,
        weaker=max(clock_means.drop("none")) < clock_means["none"] + 0.1,
    )
    claim(
        "photographs, equal epochs: step and 1cycle within five points of each other",
        abs(accuracy[cycle_long] - accuracy[step_long]) < 0.05,
        weaker=abs(accuracy[cycle_long] - accuracy[step_long]) < 0.3,
    )
    claim(
        "photographs: in a quarter of the epochs 1cycle is more than five points behind step",
        accuracy[cycle_short] < accuracy[step_long] - 0.05,
        weaker=accuracy[cycle_short] < accuracy[step_long] + 0.3,
    )
    claim(
        "clothes: each schedule that comes down by itself is ahead of the constant rate",
        anneals.min() > 0.005,
        weaker=anneals.min() > -0.3,
    )
    claim(
        "clothes: linear, cosine, warm-up, restarts and 1cycle within a point and a half",
        np.ptp(anneals.drop("exponential, to 2 %")) < 0.015,
        weaker=np.ptp(anneals) < 0.4,
    )
    claim(
        "clothes: 1cycle gains less than a point from moving its momentum",
        ranking["1cycle"] - ranking["1cycle, momentum 0.9"] < 0.01,
        weaker=ranking["1cycle"] - ranking["1cycle, momentum 0.9"] < 0.3,
    )
    if found:
        claim(
            "the picks of the finder: between 0.005 and 0.06",
            min(found.values()) > 0.005 and max(found.values()) < 0.06,
            weaker=max(found.values()) < 1,
        )

# %% [markdown]
# ## In short
#
# | | what it is | in PyTorch |
# |---|---|---|
# | range test | one batch a rate, $\eta_i = \eta_\text{low}(\eta_\text{high}/\eta_\text{low})^{i/(n-1)}$, on a copy | `ExponentialLR` with $\gamma > 1$, or by hand |
# | pick | the rate at the smoothed minimum, divided by 10 | by hand |
# | 1cycle | up to the peak, down, far below; momentum the other way round | `OneCycleLR(opt, max_lr, total_steps=...)`, `step()` after each **batch** |
# | total steps | epochs × batches an epoch, each epoch rounded up | `epochs * len(loader)` |
#
# - The range test says where the early landscape breaks. It gives a range for the search, not the best rate.
# - `OneCycleLR` overwrites the rate and the momentum of the optimiser, ends 250,000 times below its peak, and counts batches.
# - A schedule is compared at its *own* peak. With that, all that end near 0 are hard to tell apart; what matters is that they do.
# - "Four times faster" is a claim about a network, a data set and a budget. On ours it does not hold.
#
# **Read on.** Smith (2017), *Cyclical learning rates for training neural networks*: the range test. Smith and Topin (2018), *Super-convergence*. Smith (2018), *A disciplined approach to neural network hyper-parameters*. Loshchilov and Hutter (2017), *SGDR*, on cosine and restarts. Goyal et al. (2017), on warm-up.
# The next lesson puts the chapter to work: a ladder of improvements on MNIST, and which of its rungs hold.

# %%
lab.show_progress("ch04")
