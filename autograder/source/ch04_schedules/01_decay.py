# ---
# jupyter:
#   lesson:
#     title: High first, then low
#     minutes: 85
# ---

# %% [markdown]
# Of all the numbers you set before a training run, the learning rate matters most, and no single value of it is right. A high rate covers ground, and then rattles about the minimum without ever settling. A low rate settles, if you have the patience to wait until it arrives.
# So take both, one after the other. Nearly every network you have heard of was trained with a rate that ends far below where it began, and in PyTorch the change costs two lines.
#
# It also costs a whole family of silent bugs. A schedule that is stepped in the wrong place raises no error; the run just ends a few points lower, or stands still from its second minute on. After this lesson you can
#
# - say *why* high-first-then-low works, with a formula for the best rate at each step in the one case where there is one,
# - write the four classical decays, exponential, linear, interval and cosine, with or without a delay, and get PyTorch's values at every step,
# - put `scheduler.step()` where it belongs, and recognise from the curve of the rate that it is somewhere else,
# - draw a schedule without using it up,
# - compare a decay with a constant rate fairly.
#
# You need: `torch.optim.SGD` and an ordinary training loop. We write $\eta$ for the learning rate, or just **rate**.

# %% role="setup"
import copy
import math
import warnings
from functools import partial
from numbers import Number

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from torch.optim import lr_scheduler

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).take(
    train=budget(4_000, fast=600), valid=budget(2_000, fast=500), test=budget(10_000, fast=500)
)
data = data.to(device)
n_inputs, n_classes = data.train[:1][0].shape[1], len(data.classes)
data

# %% [markdown]
# ## A bowl in the dark
#
# The smallest case that shows everything has one weight: a bowl $f(w) = \tfrac12 w^2$ with its minimum at 0. We descend on *noisy* gradients, as with mini-batches: instead of $w$ we are told $w + \xi$, where $\xi$ has mean 0 and
# variance 1. One step is $w \leftarrow w - \eta\,(w + \xi) = (1-\eta)\,w - \eta\,\xi$. Square it and take the mean; the cross term vanishes, since the noise is new at each step:
#
# $$E_{t+1} = (1-\eta)^2 E_t + \eta^2, \qquad E_t = \text{mean of } w_t^2$$
#
# The first term is what is left of the old error; it wants a rate near 1. The second is noise carried in by the step; it wants a rate near 0. With a constant rate the two balance at the **noise floor**
#
# $$E_\infty = \frac{\eta}{2-\eta} \approx \frac\eta2,$$
#
# and there the run stays for ever: half the rate, half the floor, twice the way to it.
#
# **Predict, then run.** Start at $w = 10$, so $E_0 = 100$. Compare the rates 2.1, 0.001, 0.5 and 0.02, all constant, with a fifth run that takes 0.5 for 20 steps and 0.02 from then on. Which is lowest after 100 steps? And after 300?


# %%
def bowl_errors(rates, start=100.0):
    """Mean squared distance to the minimum before and after each step, from the formula."""
    errors = [start]
    for rate in rates:
        errors.append((1 - rate) ** 2 * errors[-1] + rate**2)
    return np.array(errors)


def walk_the_bowl(rates, walkers=2_000, seed=0):
    """The same, averaged over walkers who really draw the noise."""
    draw = torch.Generator().manual_seed(seed)
    w = torch.full((walkers,), 10.0, dtype=torch.float64)
    errors = [w.square().mean().item()]
    for rate in rates:
        w -= rate * (w + torch.randn(walkers, dtype=w.dtype, generator=draw))
        errors.append(w.square().mean().item())
    return np.array(errors)


STEPS = 300
BOWL_RATES = {
    "too high, 2.1": [2.1] * STEPS,
    "too low, 0.001": [0.001] * STEPS,
    "high, 0.5": [0.5] * STEPS,
    "low, 0.02": [0.02] * STEPS,
    "high, then low": [0.5] * 20 + [0.02] * (STEPS - 20),
}
bowl = {name: bowl_errors(rates) for name, rates in BOWL_RATES.items()}
walked = {name: walk_the_bowl(rates) for name, rates in BOWL_RATES.items()}
pd.DataFrame({name: errors[[0, 20, 100, 300]] for name, errors in bowl.items()}).set_axis(
    [f"step {t}" for t in (0, 20, 100, 300)]
).T.map("{:.3g}".format)


# %%
def plot_bowl():
    fig, ax = lab.figure(height=3.6)
    for index, (name, errors) in enumerate(bowl.items()):
        style = lab.line_style(index)
        ax.semilogy(errors, label=name, **style | {"marker": ""})
        ax.semilogy(
            range(0, STEPS + 1, 20),
            walked[name][::20],
            **style | {"linestyle": ""},
            markersize=4,
        )
    ax.set(xlabel="step", ylabel="mean squared error", ylim=(3e-3, 1e4), xlim=(0, STEPS))
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, handlelength=3)
    return fig


lab.show(
    plot_bowl(),
    alt="Mean squared error on the noisy bowl against the step, logarithmic; lines are the formula, markers "
    "2,000 simulated walkers, and they agree. Rate 2.1 leaves the picture upwards at once. 0.001 hardly falls. 0.5 "
    "drops to 0.33 within ten steps and stays there. 0.02 falls along a straight line and reaches 0.01 near step "
    "300. High, then low follows 0.5 for 20 steps and then falls to 0.01, which it reaches by step 150.",
)

# %% [markdown]
# Lines are the formula, markers are two thousand walkers who really drew the noise. After 100 steps "high, then low" is more than ten times closer than either of the rates it is made of. After 300 steps the patient low rate has caught up, as it must: the floor knows only the rate of the last stretch. **The early rate decides how
# soon you arrive, the late rate how close.** (And beyond $\eta = 2$ the factor $(1-\eta)^2$ exceeds 1, and nothing helps.)
#
# ### The best rate at each step
#
# On this bowl we can do better than guess. For given $E_t$, the right-hand side of the recursion is a parabola in $\eta$. Its minimum lies at
#
# $$\eta_t^\ast = \frac{E_t}{E_t + 1}, \qquad\text{where}\qquad E_{t+1} = \frac{E_t}{E_t+1}, \quad\text{that is,}\quad \frac1{E_{t+1}} = \frac1{E_t} + 1.$$
#
# From a smaller error the same rates lead to a smaller one later, so being greedy at each step is best over the whole run. With $E_0 = 100$ the rates are $\eta_t^\ast = 1/(t + 1.01)$: **nearly 1 while the error outweighs the noise, then falling like $1/t$.**
# Nobody told the formula to begin high and end low.


# %%
def best_constant(steps, rates=None):
    """The lowest final error that a constant rate reaches, and the rate."""
    rates = np.geomspace(1e-3, 1, 1_000) if rates is None else rates
    return min((bowl_errors([rate] * steps)[-1], rate) for rate in rates)


def best_linear(steps):
    """The same for a rate that falls along a straight line, towards 0 after the last step."""
    peaks = np.geomspace(1e-3, 1, 200)
    return min((bowl_errors(peak * (1 - np.arange(steps) / steps))[-1], peak) for peak in peaks)


best_rates, error = [], 100.0
for _ in range(STEPS):
    best_rates.append(error / (error + 1))
    error = error / (error + 1)
ideal = bowl_errors(best_rates)
ends = pd.DataFrame(
    {
        steps: {
            "best constant rate": best_constant(steps)[0],
            "linear to 0, best peak": best_linear(steps)[0],
            "best rate at each step": ideal[steps],
        }
        for steps in (30, 100, 300)
    }
).rename_axis(columns="error after … steps")
ends.round(4)

# %% [markdown]
# With 300 steps the best constant rate is left with three times the error of the best schedule, and the gap widens with the length of the run. The straight line to 0 in the middle row knows nothing of the bowl but a tuned peak, and comes within a factor of two.
#
# Why not take $1/t$ for everything? Because it needs the curvature. Here it is 1. In a direction of curvature $h$, the rate $c/t$ takes the squared error down like $t^{-2ch}$, and where $ch$ is small that is next to nothing: after a thousand steps, $c\,h = 0.1$ has left more than a fifth of it. A network has
# curvatures over many powers of ten. Decays that stay high for longer, and then come down all the way, are more forgiving, and they are the ones that we shall build.
#
# ## Four learning curves, and a fifth
#
# Does a network behave like a bowl? We train 784-50-10 on 4,000 photographs of clothes, three epochs with batches of 16, by plain SGD. That is few images and small batches, on purpose: the noisier the gradients, the more there is to see. The loss is averaged over stretches of 50 batches, each before its update.
#
# **Predict, then run.** The rate of the fifth run drops from 0.1 to 0.01 after two of three epochs. How will the curve look there: a kink, a cliff, or nothing at all?

# %%
EPOCHS, BATCH = budget(3, fast=2), 16
TOTAL = EPOCHS * math.ceil(len(data.train) / BATCH)  # updates
x_train, y_train = data.train[:]


def train_nets(seeds, lr, make_scheduler=None, each="batch", *, epochs=EPOCHS, batch=BATCH):
    """Train one net for each seed, side by side, with plain SGD; each has batches in an order of its own.

    Returns the nets, their losses (updates, nets), each taken before the update, and the rates used (updates).
    """
    nets = lab.NetStack([n_inputs, 50, n_classes], seeds)
    optimizer = torch.optim.SGD(nets.parameters(), lr=lr)
    scheduler = make_scheduler(optimizer) if make_scheduler else None
    draws = [torch.Generator().manual_seed(1_000 + seed) for seed in nets.seeds]
    losses, rates = [], []
    for _ in range(epochs):
        order = torch.stack([torch.randperm(len(y_train), generator=draw) for draw in draws])
        for index in order.to(device).split(batch, dim=1):
            scores = nets(x_train[index]).transpose(1, 2)
            loss = F.cross_entropy(scores, y_train[index], reduction="none").mean(1)
            optimizer.zero_grad()
            loss.sum().backward()  # the sum: each net has its own gradient
            losses.append(loss.detach())
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            if scheduler and each == "batch":
                scheduler.step()
        if scheduler and each == "epoch":
            scheduler.step()
    return nets, torch.stack(losses).cpu(), np.array(rates)


@torch.no_grad()
def accuracies(nets, split):
    x, y = split[:]
    return (nets(x).argmax(2) == y).float().mean(1).tolist()


drop_late = partial(lr_scheduler.MultiStepLR, milestones=[TOTAL * 2 // 3], gamma=0.1)
CURVES = {
    "too high, 1.0": (1.0, None),
    "too low, 0.002": (0.002, None),
    "high, 0.1": (0.1, None),
    "low, 0.01": (0.01, None),
    "high, then low": (0.1, drop_late),
}
WINDOW = budget(50, fast=10)
curve_seeds = range(budget(8, fast=2))
rows = []
for curve, (lr, make_scheduler) in CURVES.items():
    _, losses, _ = train_nets(curve_seeds, lr, make_scheduler)
    for start in range(0, TOTAL - WINDOW + 1, WINDOW):
        means = losses[start : start + WINDOW].mean(0).tolist()
        for seed, loss in zip(curve_seeds, means, strict=True):
            rows.append({"curve": curve, "seed": seed, "update": start + WINDOW, "loss": loss})
curves = pd.DataFrame(rows)
last_window = curves[curves["update"] == curves["update"].max()]
lab.summary(last_window, by="curve", value="loss").round(3)

# %%
ax = lab.band(curves, x="update", y="loss", by="curve", ylabel="training loss", log=True)
ax.set(ylim=(0.3, 10), yticks=[0.5, 1, 2, 5, 10], yticklabels=["0.5", "1", "2", "5", "10"])
ax.axvline(TOTAL * 2 / 3, color="0.5", linewidth=1)
lab.show(
    ax.figure,
    alt="Training loss, logarithmic, against updates for five rates, with bands over eight seeds. Rate 1.0 starts above "
    "the picture and wavers down towards 2.3. 0.002 falls slowly to about 0.7. 0.1 falls fastest and ends near "
    "0.47; 0.01 starts more slowly and ends just above it. High, then low lies on the curve of 0.1 for two epochs, falls "
    "off a cliff when the rate drops, at the grey line, and ends lowest, near 0.36.",
)

# %% [markdown]
# A cliff. The rates 0.1 and 0.01 end close together, and for opposite reasons: one rattles, the other has not arrived. The run that begins with the one and ends with the other leaves both a quarter behind, and needs less than a hundred updates for it. Its weights had been circling above the floor of the valley all along, and now they sink into it.
# The other two are as on the bowl: 1.0 throws the weights so far out in the first steps that they never recover ($\ln 10 = 2.30$ is the loss of guessing among ten classes), and 0.002 will get there, next week.
#
# So far this compares one good choice with some bad ones, and proves nothing about decays in general. The fair question, *each* schedule at *its own* best rate against the *best* constant one, is put at the end of the lesson. First we must be able to build them, and to switch them on without a mistake.
#
# ## Where `step()` belongs
#
# A scheduler in PyTorch is a counter that writes into the optimiser. On creation it writes the first rate into `param_groups`, and each `scheduler.step()` counts one further and writes the next. It knows neither epochs nor batches. What its unit of time is, *you* decide by where you call it:
#
# ```python
# for epoch in range(epochs):
#     for x, y in batches:
#         ...
#         loss.backward()
#         optimizer.step()
#         scheduler.step()      # here: the unit is a batch
#     scheduler.step()          # or here: the unit is an epoch. Never both!
# ```
#
# In either place it comes **after** `optimizer.step()`. The first rate is there already; a scheduler that goes first skips it. PyTorch notices, and says so, in a warning:

# %%
weight = nn.Parameter(torch.ones(1))
optimizer = torch.optim.SGD([weight], lr=0.4)
halving = lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
weight.grad = torch.ones(1)
skipped = []
with warnings.catch_warnings(record=True) as warned:
    warnings.simplefilter("always")
    for _ in range(3):
        halving.step()  # in the wrong place
        skipped.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
print("rates used:", skipped, "(0.4 never was)")
print("the warning:", str(warned[0].message).split(". ")[0])

# %% [markdown] role="card" exercise="train_epoch" level=3 minutes=12 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/optim.html#how-to-adjust-learning-rate"
# ### One epoch with a scheduler
#
# Train `model` for one pass over `batches`, an iterable of pairs `x, y`, and return the list of the rates that were **used**: for each update, the `"lr"` of the optimiser's first parameter group.
#
# - `each="batch"`: one step of the scheduler after each update. `each="epoch"`: one step, after the last update of the pass.
# - `scheduler` may be `None`: then the rate is left alone.
# - The model is put into training mode first, and left in it.
# - Gradients do not add up over batches, and those that were there before the call do not count.
#
# `batches` can be gone through once, and may have no length. The loss of a batch is `loss_fn(model(x), y)`.


# %% role="stub" exercise="train_epoch"
def train_epoch(
    model: nn.Module, batches, loss_fn, optimizer, scheduler=None, each: str = "epoch"
) -> list[float]:
    """One pass over the batches, with the scheduler stepped where it belongs.

    Args:
        model: trained in place, in training mode.
        batches: iterable of pairs x, y; at least one.
        loss_fn: maps (model(x), y) to the loss of the batch.
        optimizer: built on the model's parameters.
        scheduler: a scheduler of that optimiser, or None.
        each: "batch" or "epoch", the scheduler's unit of time.

    Returns:
        The rate of the first parameter group in each update, one number a batch.
    """
    ### BEGIN SOLUTION
    model.train()
    used = []
    for inputs, targets in batches:
        optimizer.zero_grad()
        loss_fn(model(inputs), targets).backward()
        used.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if scheduler is not None and each == "batch":
            scheduler.step()  # once an update
    if scheduler is not None and each == "epoch":
        scheduler.step()  # once a pass
    return used
    ### END SOLUTION


# %% role="check" exercise="train_epoch"
with Check("train_epoch") as check:
    # Loss θ·x: the gradient is the batch itself, so θ moves by rate times batch.
    line = nn.Linear(1, 1, bias=False)
    line.eval()
    nn.init.zeros_(line.weight)
    line.weight.grad = torch.full((1, 1), 100.0)  # left over from something else
    optimizer = torch.optim.SGD(line.parameters(), lr=0.4)
    halving = lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    pairs = [(torch.tensor([[v]]), torch.zeros(1, 1)) for v in (1.0, 10.0, 100.0)]

    def difference(score, y):
        return (score - y).mean()

    with check.case('three batches, each="batch"'):
        rates = train_epoch(line, iter(pairs), difference, optimizer, halving, each="batch")
    check.is_a(rates, list)
    check.that(
        len(rates) == 3,
        f"Three batches are three updates, so the list should have three rates, not {len(rates)}.",
    )
    check.that(
        all(isinstance(rate, Number) for rate in rates), "The rates should be plain numbers."
    )
    check.close(
        torch.tensor(rates),
        torch.tensor([0.4, 0.2, 0.1]),
        'each="batch", 0.4 halved after each update: the rates used are 0.4, 0.2, 0.1.',
        known=[
            (
                torch.tensor([0.2, 0.1, 0.05]),
                "The list begins with 0.2. Either the scheduler steps before the optimiser, so that the first rate is "
                "never used, or you note the rate after the scheduler's step: note what the update uses.",
            ),
            (
                torch.tensor([0.4, 0.4, 0.4]),
                "The list has 0.4 three times. Either the scheduler does not step after every update, or you note "
                "something else than the rate in the optimiser's group, which is what changes.",
            ),
        ],
    )
    moved = -line.weight.item()
    check.close(
        moved,
        0.4 * 1 + 0.2 * 10 + 0.1 * 100,
        "The list is right, but the weight is not where those rates take it.",
        known=[
            (0.0, "The weight has not moved: is `optimizer.step()` called?"),
            (
                0.2 * 1 + 0.1 * 10 + 0.05 * 100,
                "The list is right, but the updates used the next rate: the scheduler steps before the optimiser.",
            ),
            (
                0.4 * 1 + 0.2 * 11 + 0.1 * 111,
                "Gradients add up over the batches: clear them before each `backward`.",
            ),
            (
                0.4 * 101 + 0.2 * 111 + 0.1 * 211,
                "Gradients add up over the batches, and those from before the call count too.",
            ),
            (
                0.4 * 101 + 0.2 * 10 + 0.1 * 100,
                "The gradient from before the call counts in the first update: clear before `backward`, not after "
                "the step.",
            ),
        ],
        rtol=1e-4,
    )
    check.that(line.training, "The model should be in training mode: `model.train()`.")
    check.close(
        optimizer.param_groups[0]["lr"],
        0.05,
        'After three batches with each="batch" the scheduler should have stepped three times: the next rate is 0.05.',
        known=[
            (
                0.025,
                'With each="batch" there is one step too many: none comes after the pass.',
            )
        ],
    )
    with check.case('three batches, each="epoch"'):
        rates = train_epoch(line, iter(pairs), difference, optimizer, halving, each="epoch")
    check.close(
        torch.tensor(rates),
        torch.tensor([0.05, 0.05, 0.05]),
        'With each="epoch" the rate should stay the same during the pass.',
        known=[
            (
                torch.tensor([0.05, 0.025, 0.0125]),
                'With each="epoch" the scheduler steps after every update, as with each="batch": its one step '
                "belongs behind the loop.",
            ),
            (
                torch.full((3,), 0.025),
                'With each="epoch" the scheduler should step after the pass, not before it.',
            ),
        ],
    )
    check.close(
        optimizer.param_groups[0]["lr"],
        0.025,
        'With each="epoch" the scheduler should step once, after the pass.',
        known=[(0.05, 'With each="epoch" the scheduler has not stepped at all.')],
    )
    with check.case("no scheduler"):
        rates = train_epoch(line, iter(pairs), difference, optimizer)
    check.close(
        torch.tensor(rates),
        torch.full((3,), 0.025),
        "Without a scheduler the rate should stay as it is.",
    )


# %% [markdown] role="hints" exercise="train_epoch"
# <details><summary>Hint 1: the order in a batch</summary>
#
# Clear the gradients, run forward and `backward()`, note the rate, update, then (perhaps) step the scheduler.
#
# </details>
# <details><summary>Hint 2: the rate in use</summary>
#
# `optimizer.param_groups` is a list of dicts. The number under `"lr"` in the first is what the next `optimizer.step()` will use; note it before the scheduler replaces it.
#
# </details>
# <details><summary>Hint 3: two places, one condition each</summary>
#
# One `scheduler.step()` inside the loop, if the unit is a batch; one behind the loop, if it is an epoch. Both only if there is a scheduler.
#
# </details>

# %% role="test" exercise="train_epoch" points=3
# Graded with hidden tests: other models, optimisers and schedulers, both units of time, over several epochs.
### BEGIN HIDDEN TESTS
with HiddenTest("train_epoch") as test:

    def plain_epochs(model, epochs, optimizer, scheduler, each):
        """What is wanted, written out; the rates used and the rate that comes next."""
        rates = []
        for pairs in epochs:
            model.train()
            for x, y in pairs:
                model.zero_grad()
                F.cross_entropy(model(x), y).backward()
                rates.append(optimizer.param_groups[0]["lr"])
                optimizer.step()
                if scheduler is not None and each == "batch":
                    scheduler.step()
            if scheduler is not None and each == "epoch":
                scheduler.step()
        return rates, optimizer.param_groups[0]["lr"]

    def two_rates(model, lr):
        """SGD with momentum and a slower second group."""
        groups = [
            {"params": model[0].parameters()},
            {"params": model[-1].parameters(), "lr": lr / 3},
        ]
        return torch.optim.SGD(groups, lr=lr, momentum=0.9)

    def adam(model, lr):
        return torch.optim.Adam(model.parameters(), lr=lr)

    for make_optimizer, make_scheduler, each in (
        (two_rates, partial(lr_scheduler.CosineAnnealingLR, T_max=7), "batch"),
        (two_rates, partial(lr_scheduler.ExponentialLR, gamma=0.6), "epoch"),
        (adam, partial(lr_scheduler.StepLR, step_size=2, gamma=0.3), "batch"),
        (adam, partial(lr_scheduler.LambdaLR, lr_lambda=lambda t: 1 / (1 + t)), "epoch"),
        (two_rates, None, "batch"),
        (adam, None, "epoch"),
    ):
        first = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh(), nn.Linear(4, 2))
        sizes = (5, 5, 3)  # the last batch is smaller
        epochs = [
            [(torch.randn(n, 3), torch.randint(2, (n,))) for n in sizes] for _ in range(3)
        ]
        outcomes = []
        for theirs in (False, True):
            model = copy.deepcopy(first)
            optimizer = make_optimizer(model, 0.05)
            scheduler = make_scheduler(optimizer) if make_scheduler else None
            for parameter in model.parameters():
                parameter.grad = torch.ones_like(parameter)
            if theirs:
                used = []
                for pairs in epochs:
                    model.eval()
                    given = ((x.clone(), y.clone()) for x, y in pairs)
                    with test.case(f"each={each!r}, {'a' if scheduler else 'no'} scheduler"):
                        rates = train_epoch(
                            model=model,
                            batches=given,
                            loss_fn=F.cross_entropy,
                            optimizer=optimizer,
                            scheduler=scheduler,
                            each=each,
                        )
                    test.is_a(rates, (list, tuple))
                    test.that(
                        len(rates) == len(sizes),
                        "The list should have one rate for each batch of this pass.",
                    )
                    test.that(model.training, "The model should be put into training mode.")
                    used += [float(rate) for rate in rates]
                upcoming = optimizer.param_groups[0]["lr"]
            else:
                used, upcoming = plain_epochs(model, epochs, optimizer, scheduler, each)
            state = torch.cat(
                [v.detach().double().flatten() for v in model.state_dict().values()]
            )
            outcomes.append((used, upcoming, state))
        (want_used, want_next, want_state), (got_used, got_next, got_state) = outcomes
        test.close(
            torch.tensor(got_used),
            torch.tensor(want_used),
            f"With each={each!r} the rates of three epochs are not those that the updates should use.",
            known=[
                (
                    torch.tensor([*want_used[1:], want_next]),
                    "The list holds the rate after the scheduler's step: note what the update uses.",
                )
            ]
            if scheduler is not None and each == "batch"
            else (),
        )
        test.close(
            got_next,
            want_next,
            f"With each={each!r} the rate that comes next is wrong: how often does the scheduler step in a pass?",
        )
        test.close(
            got_state,
            want_state,
            "The rates are right, but the trained weights are not: are the gradients cleared before each "
            "`backward`, is the model in training mode, and does the optimiser step before the scheduler?",
            rtol=1e-4,
            atol=1e-5,
        )
    lone = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(lone.parameters(), lr=0.3)
    scheduler = lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    with test.case("the default unit of time, with a generator as batches"):
        train_epoch(
            lone,
            ((torch.ones(1, 2), torch.zeros(1)) for _ in range(4)),
            lambda s, y: s.sum(),
            optimizer,
            scheduler,
        )
    test.close(
        optimizer.param_groups[0]["lr"],
        0.15,
        "Without `each` the unit of time is an epoch: the scheduler should step once in a pass.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="train_epoch"
# The rate is noted *before* the update and before the scheduler, because "the rate now" means something else at each line: after the last line of the loop it is the rate of the *next* batch. Logs that note it there are shifted by one, which is harmless until the day on which you compare two runs.
# `scheduler.get_last_lr()` gives the same numbers: in spite of its name, the rates that stand in the groups now, one for each group. Clearing the gradients just before `backward` rather than after the update makes the function proof against what its caller left behind.

# %% [markdown]
# ## Seven runs, five of them wrong
#
# (The course's own loop, `lab.fit`, takes a `scheduler` and the same choice, `step_scheduler_each="batch"` or `"epoch"`. The loop of this lesson, `train_nets` above, is written out because it trains eight nets side by side, as in the chapter on optimisers.)
#
# What do mistakes look like from outside? Here are two decays done right, and what becomes of them in the ways that people really get them wrong. Same nets, same seeds, four epochs; the exponential goes to a hundredth of the first rate, so its $\gamma$ is $0.01^{1/4} = 0.32$ for an epoch.
#
# | run | what is done |
# |---|---|
# | exponential, right | `ExponentialLR` with the $\gamma$ of an epoch, stepped once an epoch |
# | cosine, right | `CosineAnnealingLR` with `T_max` in batches, stepped once a batch |
# | each batch | the same exponential, stepped once a batch |
# | too rarely | its $\gamma$ meant for a batch, stepped once an epoch |
# | never | created, and never stepped |
# | drawn first | its curve was drawn before training, by stepping the very scheduler that trains |
# | waves | the cosine with `T_max` in epochs, stepped once a batch |
#
# **Predict, then run.** Which mistake costs most? Which ones would you notice without looking at the rate?

# %%
PLACE_EPOCHS = budget(4, fast=2)
PLACE_STEPS = PLACE_EPOCHS * math.ceil(len(data.train) / BATCH)


def exponential(steps):
    """A maker of schedulers that come to a hundredth after so many steps."""
    return partial(lr_scheduler.ExponentialLR, gamma=0.01 ** (1 / steps))


def cosine(steps):
    return partial(lr_scheduler.CosineAnnealingLR, T_max=steps)


def drawn_first(optimizer):
    """The bug of a thousand notebooks: a picture of the schedule, taken with the schedule itself."""
    scheduler = exponential(PLACE_EPOCHS)(optimizer)
    picture = []
    for _ in range(PLACE_EPOCHS):
        picture.append(scheduler.get_last_lr()[0])
        optimizer.step()  # without gradients it does nothing, but it keeps the warning away
        scheduler.step()
    return scheduler


PLACES = {
    "exponential, right": (exponential(PLACE_EPOCHS), "epoch"),
    "cosine, right": (cosine(PLACE_STEPS), "batch"),
    "each batch": (exponential(PLACE_EPOCHS), "batch"),
    "too rarely": (exponential(PLACE_STEPS), "epoch"),
    "never": (None, "epoch"),
    "drawn first": (drawn_first, "epoch"),
    "waves": (cosine(PLACE_EPOCHS), "batch"),
}
place_seeds = range(budget(8, fast=2))
rates_seen, rows = {}, []
for run, (make_scheduler, each) in PLACES.items():
    nets, losses, rates_seen[run] = train_nets(
        place_seeds, 0.1, make_scheduler, each, epochs=PLACE_EPOCHS
    )
    scores = accuracies(nets, data.valid)
    train_loss = losses[-WINDOW:].mean(0).tolist()
    for seed, accuracy, loss in zip(place_seeds, scores, train_loss, strict=True):
        rows.append({"run": run, "seed": seed, "accuracy": accuracy, "train loss": loss})
places = pd.DataFrame(rows)
place_table = lab.summary(places, by="run", value="accuracy")
place_table.join(places.groupby("run")["train loss"].mean(), on="run").round(3)


# %%
def plot_places():
    fig, axes = lab.figure(1, 2, height=3.4)
    halves = (
        ["exponential, right", "each batch", "too rarely", "never", "drawn first"],
        ["cosine, right", "waves"],
    )
    order = list(PLACES)
    for ax, names in zip(axes, halves, strict=True):
        for name in names:
            style = lab.line_style(order.index(name)) | {"markevery": PLACE_STEPS // 8}
            ax.plot(np.maximum(rates_seen[name], 1e-12), label=name, markersize=4, **style)
        ax.set(xlabel="update", ylabel="rate")
        ax.legend(fontsize=9, handlelength=3)
    axes[0].set(yscale="log", ylim=(1e-9, 1), title="Exponential, done in five ways")
    axes[1].set(xlim=(0, 40), ylim=(0, 0.13), title="Cosine, done in two: the first 40 updates")
    return fig


lab.show(
    plot_places(),
    alt="The rate of each update. Left, logarithmic: the right exponential goes down in four stairs from 0.1 to "
    "0.003; stepped each batch, it drops out of the picture within a dozen updates; too rarely and never stay at 0.1 "
    "and cover one another; drawn first begins at 0.001 and falls in stairs from there. Right, the first 40 updates: the "
    "right cosine is level at 0.1, the other swings between 0.1 and 0, down and up in eight updates.",
)

# %% [markdown]
# Two of the mistakes are loud. Stepped once a batch, the exponential falls by a factor of three with every *batch*: after six updates the rate is a thousandth of what it was, and the run is over before it began. Drawn first, it starts below where it should have ended.
#
# The other three are the dangerous ones. "Too rarely" and "never" are runs at a constant rate, and look like any other. "Waves" sweeps down and up every eight updates, and so trains at half the peak on average, which is not bad at all. Each converges, each gives a plausible number, and each ends two to four points below the same decay done right. **No curve of the loss will tell you. Log the rate, for each update, and look at it once**: `optimizer.param_groups[0]["lr"]`.
#
# The remedy for the drawing costs a line. `lab.rate_curve(make_scheduler, steps, lr=...)` builds an optimiser of its own around a single dummy weight, puts a *fresh* scheduler on it, steps both, and throws them away. It takes a function that makes a scheduler, not a scheduler:

# %%
lab.rate_curve(lambda opt: lr_scheduler.ExponentialLR(opt, gamma=0.5), 4, lr=0.4)

# %% [markdown]
# ## The classical decays
#
# From here on a schedule is a function: in goes the number of the step, counted from 0, out comes the rate. Whether a step is an epoch or a batch is left to you, as ever.
#
# **Exponential.** Each epoch multiplies the rate by the same $\gamma < 1$:
#
# $$\eta_n = \eta_0\,\gamma^n$$
#
# With $\gamma = 0.9$ the rate is down to 35 % after 10 epochs and to 12 % after 20; it halves every $\ln 2/(-\ln\gamma) = 6.6$ epochs. On a logarithmic axis that is a straight line. `ExponentialLR` does it, and its $\gamma$ belongs to *one call* of `step()`. To spread an epoch's factor evenly over its $B$ batches, step once a batch with $\gamma^{1/B}$.

# %% [markdown] role="card" exercise="exponential_rate" level=1 minutes=5 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.ExponentialLR.html"
# ### Exponential decay, by the epoch or by the batch
#
# Return the rate of step number `step`, counted from 0, where $\gamma$ is the factor of **an epoch** and an epoch has `steps_per_epoch` steps. Within an epoch the rate falls evenly, by the same factor at each step. With `steps_per_epoch=1`, the default, steps are epochs.


# %% role="stub" exercise="exponential_rate"
def exponential_rate(
    step: int, initial: float, gamma: float, steps_per_epoch: int = 1
) -> float:
    """The rate of an exponential decay.

    Args:
        step: number of the step, 0 for the first.
        initial: rate of step 0.
        gamma: the factor of one epoch, above 0; a factor above 1 makes the rate grow.
        steps_per_epoch: steps in an epoch, at least 1.

    Returns:
        The rate of that step.
    """
    ### BEGIN SOLUTION
    return initial * gamma ** (step / steps_per_epoch)
    ### END SOLUTION


# %% role="check" exercise="exponential_rate"
with Check("exponential_rate") as check:
    first = exponential_rate(0, 0.2, 0.9)
    check.is_a(first, (Number, torch.Tensor))
    check.close(first, 0.2, "Step 0 should have the initial rate itself.")
    check.close(
        exponential_rate(10, 0.2, 0.9),
        0.0697357,
        "With γ = 0.9, step 10 should have 35 % of the initial rate.",
        known=[
            (0.18, "That is the rate of step 1: the factor is applied once for every step."),
            (
                0.0774841,
                "That is the rate of step 9: step 0 comes before any decay, step 10 after ten.",
            ),
            (
                0.0627621,
                "That is the rate of step 11: step 0 comes before any decay, step 10 after ten.",
            ),
            (1.8, "γ is to the power of the step, not times it."),
            (2e-11, "That is (1 − γ)ⁿ: the rate is multiplied by γ itself."),
            (2.46820e-5, "That is e^(−γn). Here γ is what one step multiplies by."),
            (0.0, "That is a straight line down. Each step multiplies."),
            (0.348678, "That is the share that is left: the initial rate is missing."),
        ],
        atol=1e-12,
    )
    check.close(
        exponential_rate(250, 0.2, 0.81, steps_per_epoch=500),
        0.18,
        "Half an epoch with γ = 0.81 should multiply the rate by the square root, 0.9.",
        known=[
            (0.2, "Within an epoch the rate should fall too, not only at its end."),
            (
                0.162,
                "That is the rate after a whole epoch, and this is the middle of the first.",
            ),
            (
                0.181,
                "Within an epoch the rate should fall by the same factor at each step, not along a line.",
            ),
        ],
    )


# %% [markdown] role="hints" exercise="exponential_rate"
# <details><summary>Hint 1: how many epochs are over?</summary>
#
# After `step` steps, a number of epochs that need not be whole.
#
# </details>
# <details><summary>Hint 2: the factor of a step</summary>
#
# If $B$ equal factors make $\gamma$ together, each is $\gamma^{1/B}$, and $n$ of them make $\gamma^{n/B}$.
#
# </details>

# %% role="test" exercise="exponential_rate" points=1
# Graded with hidden tests: other rates, factors and lengths, against PyTorch's scheduler.
### BEGIN HIDDEN TESTS
with HiddenTest("exponential_rate") as test:
    for initial, gamma, per_epoch in (
        (0.1, 0.9, 1),
        (2.0, 0.5, 3),
        (1e-4, 0.999, 7),
        (0.03, 1.5, 1),
        (0.3, 0.01, 40),
        (0.7, 1.0, 5),
    ):
        make = partial(lr_scheduler.ExponentialLR, gamma=gamma ** (1 / per_epoch))
        wanted = lab.rate_curve(make, 60, lr=initial).lr.tolist()
        for step, want in enumerate(wanted):
            got = exponential_rate(
                step=step, initial=initial, gamma=gamma, steps_per_epoch=per_epoch
            )
            test.close(
                got,
                want,
                "The rate differs from ExponentialLR's: after `step` steps, step / steps_per_epoch epochs are over."
                if per_epoch > 1
                else "The rate of an epoch differs from ExponentialLR's.",
                known=[(initial * gamma**step, "steps_per_epoch makes no difference.")]
                if per_epoch > 1
                else (),
                atol=0,
            )
        if per_epoch == 1:
            test.close(
                exponential_rate(17, initial, gamma),
                wanted[17],
                "Without `steps_per_epoch` every step is an epoch.",
                atol=0,
            )
    test.close(
        exponential_rate(5_000, 3.0, 0.998, 1),
        3.0 * math.exp(5_000 * math.log(0.998)),
        "After thousands of steps the rate is wrong.",
        rtol=1e-2,  # 0.998 in float32, raised to 5,000
        atol=0,
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="exponential_rate"
# `ExponentialLR` never computes a power: it multiplies the rate that it finds by $\gamma$ at each call. The two agree to about thirteen digits after ten thousand steps. Note what changes with the unit: $\gamma = 0.9$ for an epoch of 250 batches is $0.9996$ for a batch, and the one in the place of the other multiplies the rate by $4 \cdot 10^{-12}$ in the first epoch, or by nothing to speak of.

# %% [markdown]
# **To a given end.** Usually you know where the rate should end rather than its factor. Say there are $N$ epochs, the first is to run at $\alpha_0$ and the last at $\alpha_N$. Books write the straight line as
#
# $$\alpha_t = \alpha_0 - (\alpha_0 - \alpha_N)\,\frac tN$$
#
# and the exponential as $\alpha_t = \alpha_0\,\delta^{\,t}$ with $\delta = (\alpha_N/\alpha_0)^{1/(N-1)}$, often on the same page. Look at the fence and its posts: these two do not agree on what $N$ is. Number the $N$ epochs $0, \dots, N-1$. The exponential's last epoch has $\alpha_0\,\delta^{N-1} = \alpha_N$, as wanted. The line's last epoch has
# $t/N = 1 - 1/N$, and $\alpha_N$ itself comes only *after* the run. **$N$ epochs have $N-1$ gaps between them.** With ten epochs from 0.1 to 0.001, the line divided by 10 instead of 9 ends at 0.0109, eleven times too high.
#
# PyTorch counts gaps: `LinearLR(optimizer, start_factor=1.0, end_factor=0.01, total_iters=9)` is at its end with epoch number 9, the tenth, and stays there. Its factors are shares of the optimiser's `lr`, and the first is a third unless you say otherwise: the class is made for rates that rise. For a line to zero (`PolynomialLR(total_iters=N, power=1)`) dividing by $N$ is the better choice: an epoch with rate 0 would be wasted.

# %% [markdown] role="card" exercise="decay_to" level=2 minutes=10 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.LinearLR.html"
# ### Decay to a final rate
#
# There are `epochs` epochs, numbered from 0. The first runs at `initial`, the **last one** at `final`. Return the rate of epoch number `epoch`, on a straight line (`shape="linear"`) or with a constant factor (`shape="exponential"`).
#
# - Past the last epoch the rate stays `final`.
# - If there is only one epoch, it runs at `initial`.
# - Any other `shape` is a `ValueError`, in every epoch, and also where there is only one.
# - `final` may be the larger one: the same formulas then make the rate rise.


# %% role="stub" exercise="decay_to"
def decay_to(
    epoch: int, epochs: int, initial: float, final: float, shape: str = "linear"
) -> float:
    """The rate on the way from `initial` in the first epoch to `final` in the last.

    Args:
        epoch: number of the epoch, 0 for the first.
        epochs: how many there are, at least 1.
        initial: rate of the first epoch, above 0.
        final: rate of the last epoch, above 0, smaller or larger.
        shape: "linear" or "exponential".

    Returns:
        The rate of that epoch.

    Raises:
        ValueError: for another shape.
    """
    ### BEGIN SOLUTION
    if shape not in ("linear", "exponential"):
        raise ValueError(f'shape is "linear" or "exponential", not {shape!r}.')
    done = min(epoch / (epochs - 1), 1.0) if epochs > 1 else 0.0
    if shape == "linear":
        return initial + (final - initial) * done
    return initial * (final / initial) ** done
    ### END SOLUTION


# %% role="check" exercise="decay_to"
with Check("decay_to") as check:
    first = decay_to(0, 5, 0.4, 0.1)
    check.is_a(first, (Number, torch.Tensor))
    check.close(first, 0.4, "The first of five epochs, number 0, should run at `initial`.")
    check.close(
        decay_to(4, 5, 0.4, 0.1),
        0.1,
        "The last of five epochs, number 4, should run at `final`.",
        known=[
            (
                0.16,
                "The last epoch is not at `final` yet: five epochs have four gaps between them.",
            ),
            (0.4, "The rate has not changed in the last epoch."),
        ],
    )
    check.close(
        decay_to(1, 5, 0.4, 0.1),
        0.325,
        "From 0.4 to 0.1 in five epochs, the line should pass 0.325 in epoch 1.",
    )
    check.close(
        decay_to(2, 5, 0.4, 0.1, shape="exponential"),
        0.2,
        "From 0.4 to 0.1 in five epochs with a constant factor, the middle epoch should have 0.2.",
        known=[
            (0.25, "That is the middle of the straight line; `shape` makes no difference."),
            (0.2297397, "The constant factor is off: five epochs have four gaps between them."),
            (0.8, "The factor is upside down: it is `final` over `initial`."),
            (
                0.025,
                "The factor of *all* gaps together is final / initial: each has a root of it.",
            ),
        ],
    )
    for shape in ("linear", "exponential"):
        check.close(
            decay_to(9, 5, 0.4, 0.1, shape),
            0.1,
            "Past the last epoch the rate should stay at `final`.",
        )
        with check.case(f'a single epoch, shape="{shape}"'):
            alone = decay_to(0, 1, 0.4, 0.1, shape)
        check.close(alone, 0.4, "A single epoch should run at `initial`.")
    for epoch, epochs, where in (
        (1, 5, ""),
        (0, 5, ", in the first epoch too: look at the shape before anything else"),
        (9, 5, ", past the last epoch too: look at the shape before anything else"),
        (0, 1, ", with a single epoch too: look at the shape before anything else"),
    ):
        refused = False
        try:
            decay_to(epoch, epochs, 0.4, 0.1, "quadratic")
        except ValueError:
            refused = True
        check.that(
            refused,
            f'A shape that is neither should be a ValueError{where}. "quadratic" gives none.',
        )


# %% [markdown] role="hints" exercise="decay_to"
# <details><summary>Hint 1: how far along?</summary>
#
# Compute first what share of the way is done, 0 in the first epoch and 1 in the last. Both shapes need it.
#
# </details>
# <details><summary>Hint 2: the edges</summary>
#
# Past the end the share stays 1. If there is one epoch, it is 0, and the division must not happen.
#
# </details>
# <details><summary>Hint 3: the two shapes</summary>
#
# The line adds a share of the difference, $\text{final} - \text{initial}$. The exponential multiplies by a power of the quotient, $\text{final} / \text{initial}$, with the share as exponent.
#
# </details>

# %% role="test" exercise="decay_to" points=2
# Graded with hidden tests: both shapes, other lengths, rising rates, against PyTorch's schedulers.
### BEGIN HIDDEN TESTS
with HiddenTest("decay_to") as test:
    for epochs, initial, final in (
        (10, 0.1, 0.001),
        (2, 1.0, 0.5),
        (7, 0.05, 0.15),
        (50, 3.0, 1e-7),
        (3, 0.2, 0.2),
    ):
        gaps = epochs - 1
        line = partial(
            lr_scheduler.LinearLR,
            start_factor=min(final / initial, 1.0) if final <= initial else 1.0,
            end_factor=1.0,
            total_iters=gaps,
        )
        if final < initial:  # torch wants factors from 0 to 1, so the line is read backwards
            wanted = lab.rate_curve(line, epochs, lr=initial).lr.tolist()[::-1]
        else:
            wanted = [initial + (final - initial) * (t / gaps) for t in range(epochs)]
        curve = partial(lr_scheduler.ExponentialLR, gamma=(final / initial) ** (1 / gaps))
        factors = lab.rate_curve(curve, epochs, lr=initial).lr.tolist()
        for shape, rates in (("linear", wanted), ("exponential", factors)):
            slack = 1e-6 * max(initial, final) if shape == "linear" else 0.0  # float32 will do
            for epoch, want in enumerate(rates + [final] * 3):
                place = "past the last epoch" if epoch >= epochs else "within the run"
                with test.case(f"{epochs} epochs, {place}, shape={shape!r}"):
                    got = decay_to(
                        epoch=epoch, epochs=epochs, initial=initial, final=final, shape=shape
                    )
                told = (
                    "Past the last epoch the rate should stay at `final`."
                    if epoch >= epochs
                    else "A rate within the run is wrong, with `final` below `initial`."
                    if final <= initial
                    else "A rate is wrong where `final` is larger than `initial`: the same formulas should hold."
                )
                test.close(got, want, f"{told} (shape={shape!r})", rtol=1e-4, atol=slack)
        test.close(
            decay_to(1, epochs, initial, final),
            wanted[1],
            "Without `shape` the decay should be linear.",
            atol=1e-9,
        )
    for shape in ("linear", "exponential"):
        with test.case("a single epoch"):
            alone = decay_to(0, 1, 0.3, 0.02, shape)
        test.close(alone, 0.3, "A single epoch should run at `initial`.")
    for shape in ("cosine", "Linear", ""):
        for epoch, epochs in ((0, 4), (2, 4), (3, 4), (8, 4), (0, 1)):
            refused = False
            try:
                decay_to(epoch, epochs, 0.3, 0.02, shape)
            except ValueError:
                refused = True
            test.that(
                refused,
                "A shape that is neither should be a ValueError, in every epoch, and with a single one.",
            )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="decay_to"
# Both shapes are one idea: a share from 0 to 1 of the way, on an ordinary scale or on a logarithmic one. Halfway along, the line has the arithmetic mean of the two ends and the exponential the geometric one, which is smaller; from 0.1 to 0.001 that is 0.05 against 0.01, so the exponential spends most of the run low. Clamping the *share* rather than the rate
# (`max(rate, final)`) keeps the function right for rates that rise.

# %% [markdown]
# **Delayed.** The exponential falls fastest at the very beginning, when the run is still far from anything that noise could spoil. So wait, at the first rate, until the quick progress is over, and decay then. Any schedule can be delayed, which makes this a function of functions.

# %% [markdown] role="card" exercise="delayed_rate" level=2 minutes=8 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.SequentialLR.html"
# ### Wait, then decay
#
# `rate` is a schedule: a function from a step number (0, 1, 2, …) to a rate. Return the schedule that stays at `rate`'s first value during the steps $0, \dots,$ `wait` $- 1$ and then runs through `rate` **from its beginning**: step `wait` has the value of `rate` at 0, step `wait + 1` that at 1, and so on.
#
# The result is again a function of the step number. `rate` knows no negative steps.


# %% role="stub" exercise="delayed_rate"
def delayed_rate(rate, wait: int):
    """A schedule that starts later.

    Args:
        rate: a function from a step number, 0 or more, to a rate.
        wait: steps to stay at the first rate, 0 or more.

    Returns:
        A function from a step number, 0 or more, to a rate.
    """
    ### BEGIN SOLUTION
    return lambda step: rate(max(step - wait, 0))
    ### END SOLUTION


# %% role="check" exercise="delayed_rate"
with Check("delayed_rate") as check:

    def eighths(step):
        """The schedule to be delayed: 8, 4, 2, 1, …"""
        if step < 0:
            raise ValueError(f"rate knows no step {step}")
        return 8 / 2**step

    late = delayed_rate(eighths, 3)
    check.that(
        callable(late),
        "delayed_rate should return a function, to be called with a step number. Is the `return` missing, or did you "
        "return a rate?",
    )
    with check.case("8, 4, 2, … delayed by 3, asked for the steps 0 to 6"):
        rates = [late(step) for step in range(7)]
    check.that(
        all(isinstance(rate, Number) for rate in rates),
        "The function that you return should return a rate: is a `return` missing inside it?",
    )
    check.close(
        torch.tensor(rates, dtype=torch.float64),
        torch.tensor([8, 8, 8, 8, 4, 2, 1], dtype=torch.float64),
        "8, 4, 2, … delayed by 3 should be 8, 8, 8, then 8, 4, 2, 1.",
        known=[
            (
                torch.tensor([8, 8, 8, 1, 0.5, 0.25, 0.125]),
                "After the wait the rate jumps: `rate` should then start from its beginning.",
            ),
            (
                torch.tensor([8, 8, 8, 4, 2, 1, 0.5]),
                "Step 3 should have the value of `rate` at 0: three steps of waiting, numbers 0, 1 and 2, come before.",
            ),
            (
                torch.tensor([8, 8, 8, 8, 8, 4, 2]),
                "The wait is one step too long: step 3 has the value of `rate` at 0, and step 4 that at 1.",
            ),
            (
                torch.tensor([8, 8, 8, 8, 0.5, 0.25, 0.125]),
                "After the wait the rate jumps: `rate` should then start from its beginning.",
            ),
            (
                torch.tensor([8, 4, 2, 1, 0.5, 0.25, 0.125]),
                "`wait` makes no difference.",
            ),
            (
                torch.tensor([1, 0.5, 0.25, 0.125, 0.0625, 0.03125, 0.015625]),
                "That is `rate` ahead of time. To be late, ask it for an *earlier* step.",
            ),
            (
                torch.zeros(7),
                "While waiting the rate stays at `rate`'s first value; it is not 0.",
            ),
            (
                torch.tensor([0, 0, 0, 8, 4, 2, 1]),
                "While waiting the rate stays at `rate`'s first value; it is not 0.",
            ),
        ],
    )
    check.close(
        late(4),
        4.0,
        "Asked again for step 4, the schedule answers otherwise: the rate should depend on the step, not on the calls "
        "before.",
    )
    check.close(
        delayed_rate(eighths, 0)(2), 2.0, "With wait = 0 nothing should change: step 2 has 2."
    )


# %% [markdown] role="hints" exercise="delayed_rate"
# <details><summary>Hint 1: a function that returns a function</summary>
#
# Define a function of `step` inside, with `def` or `lambda`, and return it without calling it. It may use `rate` and `wait`.
#
# </details>
# <details><summary>Hint 2: what does `rate` see?</summary>
#
# During the wait it is asked for step 0, again and again; afterwards for the steps that have passed since.
#
# </details>

# %% role="test" exercise="delayed_rate" points=2
# Graded with hidden tests: other schedules and waits, several at once, delays of delays.
### BEGIN HIDDEN TESTS
with HiddenTest("delayed_rate") as test:

    def strict(values):
        """A schedule from a list, which refuses steps below 0."""

        def look_up(step):
            if step < 0:
                raise ValueError("rate was asked for a negative step")
            return values[step]

        return look_up

    falling = [0.5 * 0.7**t for t in range(60)]
    rising = [0.01 * (t + 1) for t in range(60)]
    odd = [0.3, 0.9, 0.1, 0.7, *([0.2] * 56)]
    made = [
        (delayed_rate(rate=strict(values), wait=wait), values, wait)
        for values in (falling, rising, odd)
        for wait in (0, 1, 4, 11)
    ]
    for late, values, wait in made:
        test.that(callable(late), "delayed_rate should return a function of the step.")
        wanted = [values[0]] * wait + values[:20]
        with test.case(f"a delay of {wait}, steps from 0 on"):
            got = [late(step) for step in range(len(wanted))]
        test.that(
            all(isinstance(rate, (Number, torch.Tensor)) for rate in got),
            "The function that you return should return a rate.",
        )
        test.close(
            torch.tensor([float(rate) for rate in got]),
            torch.tensor(wanted),
            f"A schedule delayed by {wait} has wrong rates. Is it right for rates that rise, and for several "
            "delayed schedules side by side?",
        )
        test.close(
            late(wait + 3),
            values[3],
            "Asked out of order, the delayed schedule answers otherwise.",
        )
    twice = delayed_rate(delayed_rate(strict(falling), 3), 2)
    with test.case("a delay of a delay"):
        got = [float(twice(step)) for step in range(9)]
    test.close(
        torch.tensor(got),
        torch.tensor([falling[0]] * 5 + falling[:4]),
        "A delay of 2 on top of a delay of 3 should be a delay of 5.",
    )
    together = partial(
        lr_scheduler.SequentialLR,
        milestones=[4],
    )
    torch_rates = lab.rate_curve(
        lambda opt: together(
            opt,
            [
                lr_scheduler.ConstantLR(opt, factor=1.0, total_iters=4),
                lr_scheduler.ExponentialLR(opt, gamma=0.7),
            ],
        ),
        15,
        lr=0.5,
    ).lr.tolist()
    late = delayed_rate(strict(falling), 4)
    test.close(
        torch.tensor([float(late(step)) for step in range(15)]),
        torch.tensor(torch_rates),
        "The delayed exponential differs from PyTorch's SequentialLR.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="delayed_rate"
# One line delays anything, because a schedule as a function has no memory. PyTorch's schedulers are counters, so there the same takes two of them and a third that hands over: `SequentialLR(optimizer, [ConstantLR(optimizer, factor=1.0, total_iters=wait), ExponentialLR(optimizer, gamma)], milestones=[wait])`. Mind `ConstantLR`'s default factor, which
# is a third. Its function-shaped relative is `LambdaLR(optimizer, f)`, where `f` gives the *share* of the optimiser's rate: `f = delayed_rate(lambda n: gamma**n, wait)`.

# %% [markdown]
# **Interval**, or step decay: leave the rate alone for $k$ epochs, then multiply it by $\gamma$, and so on, `StepLR(optimizer, step_size=k, gamma=γ)`. In a list of epochs instead of a fixed interval it is `MultiStepLR(milestones=[30, 60, 80], gamma=0.1)`, the schedule behind a decade of image classifiers. Its stairs are what the bowl of this lesson did, by hand.

# %% [markdown] role="card" exercise="step_rate" level=1 minutes=4 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.StepLR.html"
# ### Every few epochs
#
# Return the rate of epoch number `epoch`, counted from 0, if the rate is multiplied by `factor` after every `every` epochs. With `every=4` the epochs 0 to 3 have the initial rate, 4 to 7 have `factor` times that, 8 to 11 have `factor` squared times that.


# %% role="stub" exercise="step_rate"
def step_rate(epoch: int, initial: float, factor: float, every: int) -> float:
    """The rate of an interval decay.

    Args:
        epoch: number of the epoch, 0 for the first.
        initial: rate of the first `every` epochs.
        factor: what the rate is multiplied by each time.
        every: epochs between two changes, at least 1.

    Returns:
        The rate of that epoch.
    """
    ### BEGIN SOLUTION
    return initial * factor ** (epoch // every)
    ### END SOLUTION


# %% role="check" exercise="step_rate"
with Check("step_rate") as check:
    rates = [step_rate(epoch, 0.8, 0.25, 4) for epoch in (0, 3, 4, 7, 8, 13)]
    for rate in rates:
        check.is_a(rate, (Number, torch.Tensor))
    multiples = "Only the epochs that `every` divides are lower: the rate should stay down, and fall again."
    check.close(
        torch.tensor(rates, dtype=torch.float64),
        torch.tensor([0.8, 0.8, 0.2, 0.2, 0.05, 0.0125], dtype=torch.float64),
        "0.8 times 0.25 every 4 epochs: the epochs 0, 3, 4, 7, 8, 13 should have 0.8, 0.8, 0.2, 0.2, 0.05, 0.0125.",
        known=[
            (
                torch.tensor([0.8, 0.282843, 0.2, 0.0707107, 0.05, 0.00883883]),
                "The rate falls at every epoch. Between two changes it should stay as it is.",
            ),
            (
                torch.tensor([0.8, 0.2, 0.2, 0.05, 0.05, 0.0125]),
                "The first change comes an epoch too early: the epochs 0, 1, 2 and 3 are four, and 4 is the next.",
            ),
            (
                torch.tensor([0.8, 0.8, 0.8, 0.2, 0.2, 0.0125]),
                "The changes come too late: epoch 4 is already the fifth.",
            ),
            (
                torch.tensor([3.2, 0.8, 0.8, 0.2, 0.2, 0.0125]),
                "Epoch 0 is above the initial rate, and each change comes an epoch late: epochs count from 0 here, so "
                "take nothing away before you divide.",
            ),
            (torch.tensor([0.2, 0.8, 0.2, 0.8, 0.2, 0.8]), multiples),
            (torch.tensor([0.8, 0.8, 0.2, 0.8, 0.2, 0.8]), multiples),
            (
                torch.tensor([0.8, 0.8, 0.2, 0.2, 0.2, 0.2]),
                "The rate changes only once: it should be multiplied again after another 4 epochs.",
            ),
            (
                torch.tensor([0.8, 0.8, 0.2, 0.2, 0.4, 0.6]),
                "The factors multiply: after two changes it is the factor squared, not twice the factor.",
            ),
            (
                torch.tensor([0.8, 0.0125, 0.8, 0.0125, 0.8, 0.2]),
                "`%` gives what is left over. How often has `every` gone by?",
            ),
            (
                torch.tensor([0.8, 0.0125, 0.003125, 4.8828e-05, 1.2207e-05, 1.1921e-08]),
                "`every` makes no difference yet.",
            ),
            (
                torch.tensor([0.8, 0.8, 0.6, 0.6, 0.45, 0.3375]),
                "That is 1 − factor each time: the rate is multiplied by the factor itself.",
            ),
        ],
    )


# %% [markdown] role="hints" exercise="step_rate"
# <details><summary>Hint 1: how many changes so far?</summary>
#
# Count for yourself: none in the epochs 0 to 3, one in 4 to 7, two in 8 to 11.
#
# </details>
# <details><summary>Hint 2: the operator</summary>
#
# Whole division, `//`.
#
# </details>

# %% role="test" exercise="step_rate" points=1
# Graded with hidden tests: other intervals and factors, against PyTorch's scheduler.
### BEGIN HIDDEN TESTS
with HiddenTest("step_rate") as test:
    for initial, factor, every in (
        (0.1, 0.1, 30),
        (2.0, 0.5, 1),
        (1e-3, 0.9, 7),
        (0.2, 1.3, 3),
        (0.6, 0.25, 10),
    ):
        make = partial(lr_scheduler.StepLR, step_size=every, gamma=factor)
        wanted = lab.rate_curve(make, 65, lr=initial).lr.tolist()
        for epoch, want in enumerate(wanted):
            got = step_rate(epoch=epoch, initial=initial, factor=factor, every=every)
            edge = "At a change" if epoch % every == 0 else "Between two changes"
            test.close(
                got, want, f"{edge} the rate differs from StepLR's, with every={every}.", atol=0
            )
    test.close(
        step_rate(1_000_000, 0.5, 0.5, 500_000),
        0.125,
        "Very far along the rate is wrong, with a very long interval.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="step_rate"
# Stairs are the easiest schedule to reason about, since each piece is a run at a constant rate, and you can see its noise floor. Their price is two more numbers to choose, the interval and the factor, and the cliff of the picture above is what they are chosen by: the rate is dropped once the curve has gone flat. The next lesson lets the run itself decide when that is.

# %% [markdown]
# **Cosine.** Half a wave of a cosine, from the top to the bottom (Loshchilov and Hutter, 2017):
#
# $$\eta_t = \eta_{\min} + \tfrac12\,(\eta_{\max} - \eta_{\min})\left(1 + \cos\frac{\pi t}{T}\right)$$
#
# It leaves the top slowly, is steepest in the middle, and lands softly. There is nothing to choose but the peak and the length, which is much of its charm. Once more mind the posts: $\eta_{\min}$ is reached at $t = T$. With $T$ = the number of steps, the steps $0, \dots, T-1$ are used, and none is spent at a rate of zero.
#
# And mind the end. If you train on after step $T$, PyTorch's `CosineAnnealingLR` **climbs back up** the next half wave: at $2T$ it is at its peak again. Now and then this is wanted; mostly it is the trace of a `T_max` that does not fit the run. Yours shall stay down.

# %% [markdown] role="card" exercise="cosine_rate" level=2 minutes=6 topic="Schedules" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.lr_scheduler.CosineAnnealingLR.html"
# ### Cosine decay
#
# Return the rate of step number `step`, counted from 0, on the half wave from `peak` at step 0 to `low` at step $T$ = `steps`. Past that the rate stays `low`.


# %% role="stub" exercise="cosine_rate"
def cosine_rate(step: int, steps: int, peak: float, low: float = 0.0) -> float:
    """The rate of a cosine decay.

    Args:
        step: number of the step, 0 for the first.
        steps: T, at least 1: the number of the step at which the rate is `low` for the first time.
        peak: rate of step 0.
        low: rate of step `steps` and all later ones.

    Returns:
        The rate of that step.
    """
    ### BEGIN SOLUTION
    share = min(step / steps, 1.0)
    return low + (peak - low) / 2 * (1 + math.cos(math.pi * share))
    ### END SOLUTION


# %% role="check" exercise="cosine_rate"
with Check("cosine_rate") as check:
    first = cosine_rate(0, 8, 0.4)
    check.is_a(first, (Number, torch.Tensor))
    check.close(
        first,
        0.4,
        "Step 0 should have the peak.",
        known=[(0.0, "The wave is upside down: it should start at the peak.")],
    )
    check.close(
        cosine_rate(8, 8, 0.4),
        0.0,
        "Step 8 of 8 should have the lowest rate, 0.",
        known=[
            (
                0.4,
                "At step T the rate is at its peak, again or still. By then the angle should be half a turn: π, in radians "
                "(not 2π, and not degrees).",
            ),
            (0.2, "At step T the wave is in the middle: it should go through half a turn, π."),
            (0.308060, "The angle at step T should be π: is π missing?"),
            (0.0120615, "The wave is not down at step T: here T is `steps`, not one more."),
        ],
    )
    check.close(
        cosine_rate(2, 8, 0.4),
        0.3414214,
        "A quarter of the way from 0.4 to 0, the rate should still be 0.341.",
        known=[
            (0.3, "That is a straight line."),
            (0.3246980, "At step 2 the wave is too far along: T is `steps`, not one less."),
            (0.3695518, "That is a quarter of a turn in all. It should be half a turn."),
        ],
    )
    check.close(
        cosine_rate(2, 8, 0.4, low=0.1),
        0.3560660,
        "With low = 0.1, a quarter of the way down from 0.4 the rate should be 0.356.",
        known=[
            (0.3414214, "`low` makes no difference yet."),
            (
                0.4414214,
                "The wave is added to `low` at its full height: it should span peak − low.",
            ),
            (0.2560660, "The wave has the right height, but `low` is not added."),
        ],
    )
    check.close(
        cosine_rate(12, 8, 0.4),
        0.0,
        "Past step T the rate should stay at `low`.",
        known=[
            (
                0.2,
                "Past step T the rate climbs again, as PyTorch's does. Here it should stay down.",
            )
        ],
    )


# %% [markdown] role="hints" exercise="cosine_rate"
# <details><summary>Hint 1: the share of the way</summary>
#
# First the share that is done, from 0 to 1, and never more than 1. `math.cos` takes radians, and $\pi$ is half a turn.
#
# </details>
# <details><summary>Hint 2: from the wave to the rate</summary>
#
# $1 + \cos$ goes from 2 to 0, so half of it goes from 1 to 0. Stretch that to the height from `low` to `peak`, and lift it by `low`.
#
# </details>

# %% role="test" exercise="cosine_rate" points=2
# Graded with hidden tests: other lengths, peaks and lowest rates, past the end, against PyTorch's scheduler.
### BEGIN HIDDEN TESTS
with HiddenTest("cosine_rate") as test:
    for steps, peak, low in (
        (10, 0.1, 0.0),
        (1, 0.5, 0.05),
        (37, 2.0, 0.3),
        (400, 1e-3, 1e-5),
        (6, 0.2, 0.2),
    ):
        make = partial(lr_scheduler.CosineAnnealingLR, T_max=steps, eta_min=low)
        wanted = lab.rate_curve(make, steps + 1, lr=peak).lr.tolist()
        for step, want in enumerate(wanted):
            got = cosine_rate(step=step, steps=steps, peak=peak, low=low)
            test.close(
                got,
                want,
                "A rate between the peak and the lowest differs from CosineAnnealingLR's."
                if 0 < step < steps
                else "The first or the last rate is wrong: `peak` at step 0, `low` at step `steps`.",
                rtol=1e-4,
                atol=1e-6 * peak,
            )
        for step in (steps + 1, steps + steps // 2 + 1, 2 * steps, 5 * steps + 3):
            test.close(
                cosine_rate(step, steps, peak, low),
                low,
                "Past step T the rate should stay at `low`, not climb again.",
                atol=1e-6 * peak,
            )
    test.close(
        cosine_rate(3, 12, 0.8),
        0.4 * (1 + math.sqrt(0.5)),
        "Without `low` the wave should end at 0.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="cosine_rate"
# The curve has two useful properties and no deep reason. It is flat at the top, so it works as a decay with a delay built in; and near the bottom it behaves like $\tfrac14\pi^2\,\eta_{\max}\,s^2$ in the share $s$ that is left, so the rate passes through all small values quickly but not abruptly. The mean rate is half the peak, just as for a straight line to 0.

# %% [markdown]
# ## All of them at once
#
# Do your functions agree with PyTorch at *every* step? Here is the comparison over 24 epochs, and the curves.

# %%
EPOCHS_DRAWN = 24
TORCH = {
    "exponential": lambda opt: lr_scheduler.ExponentialLR(opt, gamma=0.9),
    "linear to 5 %": lambda opt: lr_scheduler.LinearLR(
        opt, start_factor=1.0, end_factor=0.05, total_iters=EPOCHS_DRAWN - 1
    ),
    "exponential to 5 %": lambda opt: lr_scheduler.ExponentialLR(
        opt, gamma=0.05 ** (1 / (EPOCHS_DRAWN - 1))
    ),
    "delayed exponential": lambda opt: lr_scheduler.SequentialLR(
        opt,
        [
            lr_scheduler.ConstantLR(opt, factor=1.0, total_iters=10),
            lr_scheduler.ExponentialLR(opt, gamma=0.8),
        ],
        milestones=[10],
    ),
    "every 4 epochs": lambda opt: lr_scheduler.StepLR(opt, step_size=4, gamma=0.6),
    "cosine": lambda opt: lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS_DRAWN),
}
torch_curves = {
    name: lab.rate_curve(make, EPOCHS_DRAWN, lr=0.1).lr.to_numpy()
    for name, make in TORCH.items()
}

with needs("exponential_rate", "decay_to", "delayed_rate", "step_rate", "cosine_rate"):
    ours = {
        "exponential": lambda n: exponential_rate(n, 0.1, 0.9),
        "linear to 5 %": lambda n: decay_to(n, EPOCHS_DRAWN, 0.1, 0.005),
        "exponential to 5 %": lambda n: decay_to(n, EPOCHS_DRAWN, 0.1, 0.005, "exponential"),
        "delayed exponential": delayed_rate(lambda n: exponential_rate(n, 0.1, 0.8), 10),
        "every 4 epochs": lambda n: step_rate(n, 0.1, 0.6, 4),
        "cosine": lambda n: cosine_rate(n, EPOCHS_DRAWN, 0.1),
    }
    for name, curve in torch_curves.items():
        gap = max(abs(ours[name](n) / rate - 1) for n, rate in enumerate(curve))
        print(f"{name:20} largest relative difference to PyTorch: {gap:.0e}")


# %%
def plot_curves():
    fig, axes = lab.figure(1, 2, height=3.6)
    for index, (name, curve) in enumerate(torch_curves.items()):
        style = lab.line_style(index) | {"markevery": 4}
        if name == "every 4 epochs":
            style |= {"drawstyle": "steps-post"}
        for ax in axes:
            ax.plot(curve, label=name, markersize=4, linewidth=1.4, **style)
    axes[0].set(xlabel="epoch", ylabel="rate", title="Rate")
    axes[1].set(xlabel="epoch", yscale="log", title="The same, logarithmic")
    axes[1].legend(fontsize=8, handlelength=3, loc="lower left")
    return fig


lab.show(
    plot_curves(),
    alt="Rates of six schedules from 0.1 over 24 epochs, on an ordinary and on a logarithmic axis. The two "
    "exponentials are straight on the logarithmic axis; the linear one is straight on the ordinary axis, and on the "
    "other bends down at the end, as the cosine does much more. The delayed one is level for ten epochs; the interval "
    "decay goes down in stairs.",
)

# %% [markdown]
# On the right you see what the left hides: how much of the run is spent at *small* rates. Line and cosine are above half the peak for half the run, and the cosine comes down through the last powers of ten in a few epochs. The exponentials give each power of ten the same number of epochs.
#
# ### A rate changed by hand
#
# One more thing that the formulas do not show. Most of PyTorch's schedulers multiply the rate they *find*; that is called the chainable form, and it lets you put two on one optimiser. `LambdaLR` computes each rate anew from the first one. As long as nobody else touches the rate, the two are equal. Now halve it by hand before epoch 3:


# %%
def with_a_hand(make_scheduler):
    """The rates of six epochs, halved by hand before epoch 3."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.8)
    scheduler = make_scheduler(optimizer)
    rates = []
    for epoch in range(6):
        if epoch == 3:
            optimizer.param_groups[0]["lr"] /= 2
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return rates


by_hand = pd.DataFrame(
    {
        "ExponentialLR(0.5)": with_a_hand(partial(lr_scheduler.ExponentialLR, gamma=0.5)),
        "LambdaLR(0.5ⁿ)": with_a_hand(
            partial(lr_scheduler.LambdaLR, lr_lambda=lambda n: 0.5**n)
        ),
    }
)
by_hand.rename_axis("epoch").T

# %% [markdown]
# The exponential goes on from the halved rate. `LambdaLR` forgets it with the next step. Neither is wrong, but know which one you have when something else (a schedule that listens, a person, a resumed run) writes into the same group.
#
# ## Is it worth it? A fair race
#
# Back to the clothes. Five schedules, three epochs each: constant, exponential to a fiftieth, stairs (a tenth after half of the run, a hundredth after four fifths), linear and cosine to 0, all stepped once a batch. Each at **its own** best initial rate, chosen on the validation images; then fresh seeds, judged on the test images, which we have not used so far.
#
# **Predict, then run.** Which rate will the constant schedule choose, compared with the decays: higher, lower, the same?

# %%
RACE = {
    "constant": None,
    "exponential": lambda opt: lr_scheduler.ExponentialLR(opt, gamma=0.02 ** (1 / TOTAL)),
    "stairs": partial(
        lr_scheduler.MultiStepLR, milestones=[TOTAL // 2, TOTAL * 4 // 5], gamma=0.1
    ),
    "linear": partial(lr_scheduler.PolynomialLR, total_iters=TOTAL, power=1.0),
    "cosine": cosine(TOTAL),
}


def race(schedule, lr, seeds, split):
    nets, _, _ = train_nets(seeds, lr, RACE[schedule])
    return [
        {"schedule": schedule, "lr": lr, "seed": seed, "accuracy": accuracy}
        for seed, accuracy in zip(seeds, accuracies(nets, split), strict=True)
    ]


rates_tried = budget([0.02, 0.04, 0.08, 0.16, 0.32], fast=[0.06, 0.2])
tuning_seeds = range(100, 100 + budget(8, fast=2))
tuning = pd.DataFrame(
    [
        row
        for schedule in RACE
        for lr in rates_tried
        for row in race(schedule, lr, tuning_seeds, data.valid)
    ]
)
chosen = lab.best(tuning, by="schedule", over="lr", value="accuracy").set_index("schedule")
race_seeds = range(budget(10, fast=2))
results = pd.DataFrame(
    [
        row
        for schedule in RACE
        for row in race(schedule, chosen.lr[schedule], race_seeds, data.test)
    ]
)
table = lab.summary(results, by="schedule", value="accuracy")
table.join(chosen[["lr", "at_edge"]], on="schedule").round(4)

# %%
gains = lab.paired_difference(results, by="schedule", value="accuracy", baseline="constant")
gains.round(4)


# %%
def plot_race():
    fig, ax = lab.figure(height=3.2)
    means = tuning.groupby(["schedule", "lr"], sort=False).accuracy.mean()
    for index, schedule in enumerate(RACE):
        line = means[schedule]
        ax.semilogx(line.index, line, label=schedule, markersize=5, **lab.line_style(index))
    ax.set_xticks(rates_tried, [f"{rate:g}" for rate in rates_tried])
    ax.minorticks_off()
    ax.set(
        xlabel="initial rate", ylabel="validation accuracy", ylim=budget((0.74, 0.845), None)
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, handlelength=3)
    return fig


lab.show(
    plot_race(),
    alt="Validation accuracy against the initial rate for five schedules. The constant rate is best at 0.04 and falls "
    "steeply beyond 0.08. Line and cosine lie on one another, highest at 0.08 and nearly as high at 0.16. "
    "Stairs are a little lower and fall sooner; the exponential is lowest at small rates and best at 0.16. At 0.32 "
    "exponential, line and cosine have lost five to eight points, and constant and stairs have left the picture.",
)

# %% [markdown]
# The decays choose a rate two to four times as high as the constant one, and end higher: by two points of accuracy for the line and the cosine, by one and a half or so for the stairs, by a little more than one for the exponential, and every interval leaves out 0. Each had the same number of updates and a rate of its own, so this is what a decay is worth *here*, with small batches and a short run; where gradients are less noisy, expect less. The seeds agree better, too: compare `sd`. A constant rate hands in whatever the last few batches did to it.
#
# Look at the rate that the constant schedule chose: its 0.04 is a *compromise*, too low for the beginning and too high for the end. And look at the right end of the picture. At 0.16 the constant rate has lost more than three points, line and cosine less than one. **A decay forgives a peak that is too high**, since every run comes down through the right rates in the end. That alone would be worth the two lines of code.
#
# What the race does *not* show is which shape is best. The line and the cosine cannot be told apart. Exponential and stairs are behind them, but they have numbers of their own (how low to end, when to drop) which nobody tuned. The lesson "1cycle, and which schedule?" goes into that.

# %% [markdown]
# ## Play with it
#
# The noisy bowl once more. Choose the shape of the decay, its peak and where it ends, and try to come close to the best schedule there is. Which shapes forgive a peak that is too high?

# %%
from ipywidgets import Dropdown, FloatLogSlider, interact

SHAPES = {
    "constant": lambda share, end: np.ones_like(share),
    "linear": lambda share, end: 1 - (1 - end) * share,
    "exponential": lambda share, end: end**share,
    "stairs": lambda share, end: end ** (np.floor(3 * share) / 2),
    "cosine": lambda share, end: end + (1 - end) / 2 * (1 + np.cos(np.pi * share)),
}


@interact(
    shape=Dropdown(options=list(SHAPES), value="linear"),
    peak=FloatLogSlider(0.1, min=-2.5, max=0.25, step=0.05, continuous_update=False),
    end=FloatLogSlider(0.02, min=-3, max=0, step=0.1, continuous_update=False),
)
def explore(shape, peak, end):
    rates = peak * SHAPES[shape](np.arange(STEPS) / STEPS, end)
    fig, (left, right) = lab.figure(1, 2, height=3)
    left.semilogy(rates, label=shape, linestyle="-")
    left.semilogy(best_rates, label="best", linestyle="--")
    errors = bowl_errors(rates)
    right.semilogy(errors, linestyle="-")
    right.semilogy(ideal, linestyle="--")
    left.set(xlabel="step", ylabel="rate", title=f"{shape}, peak {peak:.3g}, end {end:.3g}")
    right.set(
        xlabel="step",
        ylabel="mean squared error",
        title=f"error {errors[-1] / ideal[-1]:.1f} × the best",
    )
    left.legend(handlelength=3)
    lab.show(
        fig,
        alt=f"Rate and error of a {shape} schedule with peak {peak:.3g} on the noisy bowl, beside those of the best "
        f"schedule; the final error is {errors[-1] / ideal[-1]:.1f} times the lowest possible.",
    )


# %% [markdown]
# ## What we measured

# %%
late_mean = last_window.groupby("curve").loss.mean()
place_mean = places.groupby("run").accuracy.mean()
gain = gains.set_index("schedule")["mean"]
spread = results.groupby("schedule").accuracy.std()
tuned = tuning.groupby(["schedule", "lr"]).accuracy.mean().unstack()
lost_at_016 = (tuned.max(axis=1) - tuned[0.16]) if 0.16 in tuned else tuned.max(axis=1) * 0

with Claims(data) as claim:
    claim(
        "the bowl: the walkers bear the formula out within 15 %",
        all(np.abs(walked[name][1:] / bowl[name][1:] - 1).max() < 0.15 for name in bowl),
    )
    claim(
        "the bowl: a constant rate ends at η / (2 − η)",
        abs(bowl["high, 0.5"][-1] / (0.5 / 1.5) - 1) < 1e-9,
    )
    claim(
        "after 100 steps high-then-low is more than ten times closer than its parts; after 300 low has caught up",
        bowl["high, then low"][100] < min(bowl["high, 0.5"][100], bowl["low, 0.02"][100]) / 10
        and bowl["low, 0.02"][300] < 1.1 * bowl["high, then low"][300],
    )
    claim(
        "the best rates are 1 / (t + 1.01), and lead to 1 / (t + 0.01)",
        max(abs(rate * (t + 1.01) - 1) for t, rate in enumerate(best_rates)) < 1e-9
        and abs(ideal[STEPS] * (STEPS + 0.01) - 1) < 1e-9,
    )
    claim(
        "300 steps: the best constant rate leaves three times the least error, linear less than twice",
        3 < ends.loc["best constant rate", 300] / ideal[300] < 3.5
        and ends.loc["linear to 0, best peak", 300] < 2 * ideal[300],
    )
    claim(
        "clothes: the drop takes the loss at least 15 % below either rate alone",
        late_mean["high, then low"]
        < 0.85 * min(late_mean["high, 0.1"], late_mean["low, 0.01"]),
        weaker=late_mean["high, then low"] < 1.1 * late_mean["high, 0.1"],
    )
    claim(
        "rate 1.0 learns nothing in three epochs, 0.002 is the slowest of the others",
        late_mean["too high, 1.0"] > 2
        and late_mean["too low, 0.002"] > 1.2 * late_mean["low, 0.01"],
        weaker=late_mean["too high, 1.0"] > late_mean["high, then low"]
        and late_mean["too low, 0.002"] > late_mean["low, 0.01"],
    )
    claim(
        "a scheduler that goes first skips the first rate, with a warning",
        skipped[0] == 0.2 and warned,
    )
    claim(
        "an epoch's γ stepped once a batch costs more than 30 points, drawing first more than 10",
        place_mean["each batch"] < place_mean["exponential, right"] - 0.3
        and place_mean["drawn first"] < place_mean["exponential, right"] - 0.1,
        weaker=place_mean["each batch"] < place_mean["exponential, right"],
    )
    claim(
        "never, too rarely and waves are silent: one to seven points below the cosine done right",
        all(
            0.01 < place_mean["cosine, right"] - place_mean[run] < 0.07
            for run in ("never", "too rarely", "waves")
        ),
        weaker=all(
            place_mean[run] > place_mean["each batch"]
            for run in ("never", "too rarely", "waves")
        ),
    )
    claim(
        "the torch curves: 35 % after 10 epochs, 12 % after 20; the exponentials are straight in the logarithm",
        abs(torch_curves["exponential"][10] / 0.1 - 0.35) < 0.005
        and abs(torch_curves["exponential"][20] / 0.1 - 0.12) < 0.005
        and np.ptp(np.diff(np.log(torch_curves["exponential to 5 %"]))) < 1e-9,
    )
    claim(
        "the race: line and cosine gain more than a point over the best constant rate",
        min(gain["linear"], gain["cosine"]) > 0.01,
        weaker=min(gain["linear"], gain["cosine"]) > -0.1,
    )
    claim(
        "the race: exponential and stairs gain, too",
        min(gain["exponential"], gain["stairs"]) > 0.003,
        weaker=min(gain["exponential"], gain["stairs"]) > -0.2,
    )
    claim(
        "the race: line and cosine are within half a point of one another",
        abs(gain["linear"] - gain["cosine"]) < 0.005,
        weaker=abs(gain["linear"] - gain["cosine"]) < 0.1,
    )
    claim(
        "the race: the seeds of the constant rate differ at least one and a half times as much as those of line and cosine",
        spread["constant"] > 1.5 * max(spread["linear"], spread["cosine"]),
        weaker=True,
    )
    claim(
        "a peak of 0.16: the constant rate loses more than two points of its best, line and cosine less than one",
        lost_at_016["constant"] > 0.02 and lost_at_016[["linear", "cosine"]].max() < 0.01,
        weaker=True,
    )

# %% [markdown]
# ## In short
#
# | decay | rate of step $n$, counted from 0 | in PyTorch (`torch.optim.lr_scheduler`) |
# |---|---|---|
# | exponential | $\eta_0\gamma^n$ | `ExponentialLR(opt, gamma)` |
# | line to $\alpha_N$ in $N$ epochs | $\alpha_0 - (\alpha_0-\alpha_N)\,n/(N-1)$ | `LinearLR(opt, 1.0, α_N/α_0, total_iters=N-1)` |
# | exponential to $\alpha_N$ | $\alpha_0\,(\alpha_N/\alpha_0)^{n/(N-1)}$ | `ExponentialLR` with $\gamma = (\alpha_N/\alpha_0)^{1/(N-1)}$ |
# | line to 0 after $T$ steps | $\eta_0\,(1 - n/T)$ | `PolynomialLR(opt, total_iters=T, power=1.0)` |
# | delayed by $w$ | the schedule's rate at $\max(n - w, 0)$ | `SequentialLR` of `ConstantLR(opt, 1.0, w)` and the schedule |
# | interval | $\eta_0\,\gamma^{\lfloor n/k \rfloor}$ | `StepLR(opt, k, gamma)`, `MultiStepLR(opt, milestones, gamma)` |
# | cosine | $\eta_{\min} + \frac12(\eta_{\max}-\eta_{\min})(1+\cos\frac{\pi n}{T})$ | `CosineAnnealingLR(opt, T_max=T, eta_min)`; climbs again after $T$ |
#
# - With noisy gradients the early rate decides how soon you arrive, the late rate how close. A constant rate is a compromise between the two.
# - `scheduler.step()` comes after `optimizer.step()`, once an epoch *or* once a batch, and every number of the schedule (γ, `T_max`, milestones) is in that unit.
# - A scheduler is used up by stepping it. Draw with `lab.rate_curve`, and log the rate that each update used.
# - Compare schedules each at its own peak. A decay wants a higher one than a constant rate, and forgives one that is too high.
#
# **Read on.** Robbins and Monro (1951), who asked how a rate must fall so that noise is averaged away: $\sum\eta_t = \infty$, $\sum\eta_t^2 < \infty$. Darken and Moody (1990), *Note on learning rate schedules for stochastic optimization*, "search, then converge". Loshchilov and Hutter (2017), the cosine.
# Smith, Kindermans, Ying and Le (2018), *Don't decay the learning rate, increase the batch size*. Defazio, Cutkosky, Mehta and Mishchenko (2023), who make a case for the straight line to 0. The next lesson has schedules that listen to the loss, rise, and start again.

# %%
lab.show_progress("ch04")
