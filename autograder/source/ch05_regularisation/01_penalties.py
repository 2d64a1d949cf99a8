# ---
# jupyter:
#   lesson:
#     title: "Penalties, and what they believe"
#     minutes: 110
# ---

# %% [markdown]
# Here is a network that has learned its sixty training points by heart: loss 0.004, hardly a mistake. Shown new points from the same source, it is wrong about one in seven, and so sure of itself that its loss is *worse than
# that of a coin*. Whoever looks at the training loss alone sees a triumph.
#
# The oldest cure is to charge for large weights: add a penalty to the loss. It is one line of code, it has been reinvented under half a dozen names, and behind it stands a question that sounds more like philosophy: what did you believe about the weights *before* you saw any
# data? After this lesson you can
#
# - tell over-fitting from under-fitting by two numbers,
# - write L2, and say by which factor it differs from `weight_decay`, and from which parameters it should stay away,
# - write L1 so that it really gives zeros, which the obvious way does not,
# - read a loss as a likelihood and a penalty as a prior, and compute the most probable weight by hand,
# - cut nine weights in ten out of a network, and check what that costs.
#
# You need: cross-entropy, SGD and Adam. A little probability: densities, logarithms, Bayes' rule.

# %% role="setup"
import copy
import math

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# Every normalisation layer of PyTorch is of one of these types.
NORMS = (nn.modules.batchnorm._NormBase, nn.LayerNorm, nn.GroupNorm, nn.RMSNorm)

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
data = data.take(valid=budget(2_000, fast=500), test=budget(5_000, fast=500))
n_inputs, n_classes = data.train[:1][0].shape[1], len(data.classes)
data

# %% [markdown]
# ## Two ways to be wrong
#
# Two moons again, but blurred: noise of standard deviation 0.3 pushes many points over to the other side. The best possible border between the classes is a smooth S. A point on the wrong side of it is an **outlier**, and a good
# classifier gives it up for lost.
#
# We train networks with one hidden layer of 1 to 128 ReLU units, and one with two layers of 64, on 60 points, and look at the loss on those, and on 2,000 fresh ones, which stand for all that are still to come. Each contender is ten networks, each with points and
# initial weights of its own.
#
# **Predict, then run.** Which width has the lowest training loss? Which has the lowest loss on fresh points? What would a coin get, that gives each class ½?

# %%
MOON_SEEDS = range(budget(10, fast=2))
N_POINTS, MOON_STEPS = 60, budget(1000, fast=120)


def draw_moons(n, seeds):
    """Points and classes of a fresh draw for each seed: (networks, n, 2) and (networks, n)."""
    draws = [lab.two_moons(n, noise=0.3, seed=seed) for seed in seeds]
    return tuple(torch.stack(part) for part in zip(*draws, strict=True))


def moon_losses(nets, x, y):
    """Mean cross-entropy of each network of a stack, on points of its own or on common ones."""
    scores = nets(x).transpose(1, 2)
    return F.cross_entropy(scores, y.expand(len(nets.seeds), -1), reduction="none").mean(1)


def train_moons(sizes, seeds, lam=0.0, steps=MOON_STEPS):
    """A stack of networks, each trained on 60 points of its own; λ‖w‖² on the weights, not on the biases."""
    nets = lab.NetStack(sizes, seeds)
    x, y = draw_moons(N_POINTS, [1000 + seed for seed in seeds])
    # Adam adds weight_decay times w to the gradient, and λ‖w‖² has the gradient 2λw.
    groups = [
        {"params": list(nets.weights), "weight_decay": 2 * lam},
        {"params": list(nets.biases), "weight_decay": 0.0},
    ]
    optimizer = torch.optim.Adam(groups, lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        moon_losses(nets, x, y).sum().backward()
        optimizer.step()
    return nets


fresh = {
    "valid": lab.two_moons(2_000, noise=0.3, seed=500_000),
    "test": lab.two_moons(4_000, noise=0.3, seed=600_000),
}


@torch.no_grad()
def moon_rows(nets, split="valid"):
    """One row a network: losses on its own points and on fresh ones, accuracy on the fresh ones."""
    own = draw_moons(N_POINTS, [1000 + seed for seed in nets.seeds])
    x, y = fresh[split]
    columns = {
        "seed": nets.seeds,
        "training loss": moon_losses(nets, *own).tolist(),
        "fresh loss": moon_losses(nets, x, y).tolist(),
        "fresh accuracy": (nets(x).argmax(2) == y).float().mean(1).tolist(),
    }
    return pd.DataFrame(columns)


SHAPES = {
    "1 unit": [2, 1, 2],
    "2 units": [2, 2, 2],
    "4 units": [2, 4, 2],
    "8 units": [2, 8, 2],
    "32 units": [2, 32, 2],
    "128 units": [2, 128, 2],
    "64 + 64 units": [2, 64, 64, 2],
}
moon_nets = {name: train_moons(sizes, MOON_SEEDS) for name, sizes in SHAPES.items()}
widths = pd.concat([moon_rows(nets).assign(network=name) for name, nets in moon_nets.items()])
means = widths.groupby("network", sort=False)[["training loss", "fresh loss", "fresh accuracy"]]
means.mean().round(3)


# %%
def draw_border(ax, nets, title):
    """The first network of a stack: its probability of class 1, its border, and its training points."""
    across, up = torch.linspace(-2, 3, 120), torch.linspace(-1.6, 2.1, 100)
    grid = torch.stack(torch.meshgrid(across, up, indexing="xy"), -1).reshape(-1, 2)
    with torch.no_grad():
        share = nets(grid.to(device))[0].softmax(1)[:, 1].reshape(100, 120).cpu()
    ax.contourf(across, up, share, levels=np.linspace(0, 1, 11), cmap="RdBu_r", alpha=0.6)
    ax.contour(across, up, share, levels=[0.5], colors="k", linewidths=1.5)
    x, y = (part[0].cpu() for part in draw_moons(N_POINTS, [1000 + nets.seeds[0]]))
    for label, marker, color in ((0, "o", "#0072B2"), (1, "^", "#D55E00")):
        points = x[y == label].T
        ax.plot(*points, marker, color=color, markersize=4.5, markeredgecolor="w", linewidth=0)
    ax.set(xlabel="$x_1$", title=title)
    ax.grid(False)


def plot_borders(nets_by_name, titles):
    fig, axes = lab.figure(1, len(nets_by_name), height=2.6)
    for ax, nets, title in zip(axes, nets_by_name, titles, strict=True):
        draw_border(ax, nets, title)
        ax.label_outer()
    axes[0].set_ylabel("$x_2$")
    return fig


chosen = ["1 unit", "4 units", "64 + 64 units"]
lab.show(
    plot_borders([moon_nets[name] for name in chosen], chosen),
    alt="Three panels with the same 60 points of two blurred moons. One unit: a straight border, "
    "which cuts off the ends of both moons. Four units: a border with a few corners between the moons. "
    "64 + 64 units: a border that bends around single points and makes bays for them, nearly all "
    "of the plane in the full colour of one class.",
)

# %%
long = widths.melt(["network", "seed"], ["training loss", "fresh loss"], "points", "loss")
long["points"] = long["points"].map({"training loss": "training", "fresh loss": "fresh"})
order = list(SHAPES)
long["place"] = long.network.map(order.index)
fig, ax = lab.figure(height=3)
lab.band(long, "place", "loss", "points", ax=ax, log=True, xlabel="hidden units")
ax.set_xticks(
    range(len(order)), [name.removesuffix("s").removesuffix(" unit") for name in order]
)
ax.axhline(math.log(2), color="k", linestyle=":", linewidth=1)
ax.text(0, math.log(2) * 1.1, "a coin, ln 2")
lab.show(
    fig,
    alt="Loss against hidden units, logarithmic, geometric means with bands over ten networks. The training loss falls "
    "from 0.4 to about 0.0003 (a geometric mean: the ordinary one of the table, 0.004, is that of the worst runs). "
    "The loss on fresh points falls a little up to 4 units and then rises, to the height of a coin at 32 units, and "
    "to 2 at the right end.",
)

# %% [markdown]
# The network with one unit **under-fits**: its border is too stiff for the moons, and it is about equally poor on training points and fresh ones. From some eight units on the networks **over-fit**. The training loss goes on falling, the loss on fresh points turns and rises, and the **gap** between the two is the symptom
# to look for. The large networks spend their freedom on bays around outliers, and colour nearly the whole plane in the full tone of one class: certainty that sixty points cannot give.
#
# Now compare accuracy with loss. From the best network to the largest the accuracy falls by three points or so, and the loss rises sixfold, to three times the $\ln 2 = 0.69$ of a coin. The border is a little worse. The *confidence* is a disaster. Keep this in mind for the whole chapter: regularisation may do
# little for the share of right answers, and much for what the probabilities are worth.
#
# We could take four units and be content. But for images we have no picture to choose by, and a network that is barely large enough is hard to train. The other way is to take the large network and make complexity cost something.
#
# ## L2: pay for the square
#
# $$L(w) = \text{loss}(w) + \lambda \sum_i w_i^2$$
#
# Why would small weights mean simple functions? In a network of ReLUs, scale all weights of a layer by ½ and what comes out has half the slope. Sharp corners between points of different classes need steep slopes, and steep slopes need large weights. With $\lambda > 0$ the network may still have them, where the data pay for
# them: the sum of many points can, a single outlier hardly.
#
# The gradient of the penalty is $2\lambda w$: a pull towards 0 in proportion to the weight itself. Names for it: *Tikhonov regularisation*, *ridge regression* (Hoerl and Kennard, 1970), *weight decay* (Krogh and Hertz, 1992).

# %% [markdown] role="card" exercise="l2_penalty" level=1 minutes=6 topic="Weight decay" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html"
# ### The L2 penalty
#
# Return $\lambda \sum_i w_i^2$ over all numbers of all given tensors, as a tensor with a single number (shape `()`) that can be added to a loss and differentiated.
#
# $\lambda$ is `strength`. `parameters` is anything that can be looped over once, such as `model.parameters()`, and holds at least one tensor. Mind the conventions: no factor ½, no mean, no root.


# %% role="stub" exercise="l2_penalty"
def l2_penalty(parameters, strength: float) -> torch.Tensor:
    """The L2 penalty λ Σ w² of some parameters.

    Args:
        parameters: iterable of tensors of any shapes, at least one; all of one dtype.
        strength: λ, at least 0.

    Returns:
        A tensor () of the parameters' dtype, through which gradients reach all of them.
    """
    ### BEGIN SOLUTION
    return strength * sum(p.square().sum() for p in parameters)
    ### END SOLUTION


# %% role="check" exercise="l2_penalty"
with Check("l2_penalty") as check:
    row = nn.Parameter(torch.tensor([3.0, -4.0]))
    table = nn.Parameter(torch.tensor([[1.0, 2.0], [2.0, 0.0]]))
    got = l2_penalty([row, table], 0.1)
    check.is_a(got, torch.Tensor)
    check.shape(got, ())
    check.close(
        got,
        torch.tensor(3.4),
        "For (3, −4) and (1, 2, 2, 0) the squares sum to 34, so with λ = 0.1 the penalty should be 3.4.",
        known=[
            (torch.tensor(1.7), "There is a factor ½ in it. Here the penalty is λ Σ w²."),
            (torch.tensor(34.0), "λ is missing."),
            (torch.tensor(0.8), "You add up norms: their squares are wanted, Σ w²."),
            (torch.tensor(0.1 * math.sqrt(34)), "That is λ times the norm: square it."),
            (torch.tensor(1.475), "You take a mean over the numbers of a tensor; sum them."),
            (torch.tensor(3.4 / 6), "You take a mean over all numbers; sum them."),
            (torch.tensor(1.2), "That is λ Σ |w|, the L1 penalty."),
            (torch.tensor(2.6), "You square the sum of a tensor; sum the squares."),
            (torch.tensor(1.6), "You square the sum of all numbers; sum the squares."),
            (torch.tensor(0.34), "λ got under the square: λ Σ w², not Σ (λw)²."),
            (torch.tensor(0.9), "Only the last tensor counts: add all of them up."),
            (torch.tensor(2.5), "Only the first tensor counts: add all of them up."),
        ],
    )
    check.that(
        got.requires_grad,
        "The penalty has no graph, so it pulls at nothing. Do not use `.item()`, `.data` or `.detach()`.",
    )
    got.backward()
    for parameter in (row, table):
        check.close(
            parameter.grad,
            0.2 * parameter.detach(),
            "The gradient of the penalty should be 2λw in every tensor.",
        )
    with check.case("a generator, which can be looped over only once"):
        got = l2_penalty(nn.Linear(1, 1).parameters(), 0.0)
    check.shape(got, ())
    got = l2_penalty([torch.full((3,), 2.0, dtype=torch.float64)], 1.0)
    check.that(
        isinstance(got, torch.Tensor) and got.dtype == torch.float64,
        "The dtype of the parameters should be kept.",
    )


# %% [markdown] role="hints" exercise="l2_penalty"
# <details><summary>Hint 1: one tensor</summary>
#
# `p.square()` or `p**2`, then `.sum()`. A tensor with a single number is left, with its graph.
#
# </details>
# <details><summary>Hint 2: all of them</summary>
#
# Python's own `sum` adds tensors too: give it a generator expression.
#
# </details>

# %% role="test" exercise="l2_penalty" points=1
# Graded with hidden tests: many shapes, generators, dtypes, the gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("l2_penalty") as test:
    for dtype, strength in (
        (torch.float32, 0.3),
        (torch.float64, 1e-4),
        (torch.float64, 2.0),
        (torch.float32, 0.0),
    ):
        shapes = [(4, 3), (), (5,), (2, 3, 2, 2), (1, 1), (0, 2)]
        values = [torch.randn(s, dtype=torch.float64) * 10 for s in shapes]
        values = [v.to(dtype) for v in values]
        want = strength * sum((v.double() ** 2).sum() for v in values)
        parameters = [nn.Parameter(v.clone()) for v in values]
        with test.case(f"six tensors of {dtype}, given as a generator, strength={strength}"):
            got = l2_penalty(parameters=(p for p in parameters), strength=strength)
        test.is_a(got, torch.Tensor)
        test.shape(got, ())
        test.that(got.dtype == dtype, "The dtype of the parameters should be kept.")
        test.close(
            got,
            want,
            "The penalty is not λ Σ w² over all numbers of all tensors, scalars and biases included.",
            known=[(want / 2, "There is a factor ½ in it. Here the penalty is λ Σ w².")],
            rtol=1e-5,
            atol=0,
        )
        test.that(got.requires_grad, "The penalty has no graph, so it pulls at nothing.")
        got.backward()
        for parameter, value in zip(parameters, values, strict=True):
            test.that(
                torch.equal(parameter.detach(), value), "Your function changes a parameter."
            )
            test.that(parameter.grad is not None, "No gradient reaches one of the tensors.")
            test.close(
                parameter.grad,
                2 * strength * value,
                "The gradient of the penalty should be 2λw in every tensor.",
                rtol=1e-5,
            )
    zero = nn.Parameter(torch.zeros(3))
    with test.case("a tensor of zeros alone"):
        got = l2_penalty([zero], 0.5)
    test.close(got, torch.tensor(0.0), "A tensor of zeros should cost nothing.")
    got.backward()
    test.close(zero.grad, torch.zeros(3), "At 0 the pull of L2 is 0.")
    weight = nn.Parameter(torch.tensor([2.0]))
    ((weight - 5).square().sum() + l2_penalty([weight], 4.0)).backward()
    test.close(
        weight.grad, torch.tensor([10.0]), "Added to a loss, the penalty should add 2λw."
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="l2_penalty"
# The penalty is a part of the loss like any other: it has a graph, and autograd finds $2\lambda w$ by itself. Three conventions are about, $\lambda\sum w^2$, $\frac\lambda2\sum w^2$ and $\lambda$ times the *mean* square, and a $\lambda$ copied from one into another is off by a factor of 2 or of the number of weights.
# The squared norm is better computed without a root in between: $\sqrt{\cdot}$ has no derivative at 0.

# %% [markdown]
# ### How much?
#
# Now the large network, 64 + 64 units, on the same sixty points, with seven values of $\lambda$. The penalty is on the weights of the layers, not on the biases; soon we shall see why.
#
# **Predict, then run.** As λ grows, the training loss can only rise. What does the loss on fresh points do, and how much of the damage of the last section can λ repair?

# %%
LAMBDAS = budget([1e-4, 1e-3, 3e-3, 1e-2, 3e-2, 0.1], fast=[1e-4, 1e-2, 0.1])
big = SHAPES["64 + 64 units"]
decayed = {lam: train_moons(big, MOON_SEEDS, lam) for lam in LAMBDAS}
decayed[0.0] = moon_nets["64 + 64 units"]
strengths = pd.concat([moon_rows(nets).assign(λ=lam) for lam, nets in decayed.items()])
strengths.attrs["grid"] = ["λ"]
strength_means = strengths.groupby("λ")[
    ["training loss", "fresh loss", "fresh accuracy"]
].mean()
moon_lam = float(strength_means["fresh loss"].idxmin())
print(f"lowest loss on fresh validation points: λ = {moon_lam:g}")
strength_means.round(3)

# %%
long = strengths[strengths["λ"] > 0].melt(
    ["λ", "seed"], ["training loss", "fresh loss"], "points", "loss"
)
fig, ax = lab.figure(height=3)
ax.set_xscale("log")
lab.band(long, "λ", "loss", "points", ax=ax, log=True, xlabel="λ")
ax.axhline(math.log(2), color="k", linestyle=":", linewidth=1)
ax.text(2e-3, math.log(2) * 1.1, "a coin, ln 2")
lab.show(
    fig,
    alt="Loss against λ, both logarithmic, geometric means with bands over ten networks. The training loss rises "
    "from 0.01 to nearly that of a coin. The loss on fresh points falls from 0.9, above a coin, to 0.27 near λ = "
    "0.01, where the two lines meet, and rises with the training loss after that.",
)
shown = [decayed[lam] for lam in (LAMBDAS[0], moon_lam, LAMBDAS[-1])]
lab.show(
    plot_borders(shown, [f"λ = {lam:g}" for lam in (LAMBDAS[0], moon_lam, LAMBDAS[-1])]),
    alt="Three panels with the same 60 points. With the smallest λ the border bends around single points. With "
    "the best λ it is a smooth S between the moons, with a broad pale zone along it. With the largest λ all of the "
    "plane is pale.",
)

# %%
verdict = pd.concat([moon_rows(decayed[lam], "test").assign(λ=lam) for lam in (0.0, moon_lam)])
verdict = {
    value: lab.paired_difference(verdict, by="λ", value=value, baseline=0.0)
    for value in ("fresh loss", "fresh accuracy")
}
pd.concat(verdict, names=["on 4,000 test points"]).droplevel(1).round(3)

# %% [markdown]
# The left side of the first figure is over-fitting, the right side under-fitting, and one knob leads through all of it. At $\lambda = 0.01$ the network with over 4,000 weights is better than any small network of the first section, and its two losses are nearly equal. The best border is the smooth S; the outliers are given up for lost, and near the border the colours are pale: the network says that it does not know. At $\lambda = 0.1$ the price is so high that it says so everywhere.
#
# The last table is the verdict on points that chose nothing, network by network against itself without a penalty. The loss falls by about two, to near a quarter, and this time the accuracy gains as well, by 3.6 points, with an interval from 1 to 6: with sixty points, over-fitting is that bad.
#
# ## The factor of two, and which optimiser
#
# An optimiser with `weight_decay=wd` adds $\mathrm{wd}\cdot w$ to the gradient. The penalty $\lambda\sum w^2$ adds $2\lambda w$. So
#
# $$\mathrm{wd} = 2\lambda,$$
#
# and this is where most ported settings go wrong by a factor of two. **Predict, then run.** We train a network for fifty steps, once with the penalty in the loss and once with `weight_decay`, and compare all weights **bit for bit**. With which optimisers will there be no difference at all?


# %%
def fifty_steps(make_optimizer, in_loss=0.0, **options):
    """All weights, float32 on the CPU, after 50 steps with λ in the loss or in the optimiser."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 16), nn.Tanh(), nn.Linear(16, 2))
    x, y = (part.cpu() for part in lab.two_moons(seed=1))
    optimizer = make_optimizer(model.parameters(), **options)
    for _ in range(50):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        if in_loss:
            squares = [
                F.mse_loss(p, torch.zeros_like(p), reduction="sum") for p in model.parameters()
            ]
            loss = loss + in_loss * sum(squares)
        loss.backward()
        optimizer.step()
    return torch.cat([p.detach().flatten() for p in model.parameters()])


OPTIMIZERS = {
    "SGD": (torch.optim.SGD, {"lr": 0.1}),
    "SGD, momentum 0.9": (torch.optim.SGD, {"lr": 0.01, "momentum": 0.9}),
    "Adam": (torch.optim.Adam, {"lr": 0.01}),
    "AdamW": (torch.optim.AdamW, {"lr": 0.01}),
}
gaps = []
for name, (make, options) in OPTIMIZERS.items():
    for lam in (2**-7, 0.01):
        by_hand = fifty_steps(make, lam, weight_decay=0.0, **options)
        for factor in (1, 2):
            built_in = fifty_steps(make, weight_decay=factor * lam, **options)
            gap = (by_hand - built_in).abs().max().item()
            gaps.append({"optimiser": name, "λ": lam, "wd": f"wd = {factor}λ", "gap": gap})
gaps = pd.DataFrame(gaps).set_index(["optimiser", "λ", "wd"]).gap
print("largest difference of a weight; 0 means equal to the last bit")
print(gaps.unstack([1, 2]).loc[list(OPTIMIZERS)].map("{:.1e}".format).to_string())

# %% [markdown]
# With $\lambda = 2^{-7}$ and $\mathrm{wd} = 2\lambda$ SGD arrives at exactly the same numbers: 0, not 1e-9. Multiplying by a power of two only shifts the exponent, so no rounding happens on either way, and what is left is the same sum. With $\lambda = 0.01$ the product is rounded before it is
# added on the first way, and on the second, by most processors, together with the sum; so the last digits may differ. With $\mathrm{wd} = \lambda$ the difference is hundreds of thousands of times larger: a different penalty.
#
# Adam agrees as well, since PyTorch's `Adam(weight_decay=...)` *is* L2. But it divides the pull by the root of its mean squared gradient, with all the rest, so that weights with large gradients are hardly pulled at all, as you saw in "Adaptive methods". **AdamW** takes the pull out of that machinery, $w \leftarrow (1 - \eta\,\mathrm{wd})\,w$, and is
# another method, which no penalty in the loss can imitate. With Adam-like rules it is the one to use, and its `weight_decay` has another scale: numbers such as 0.01 to 0.3 are usual. In short:
#
# | | what is added to the gradient | share by which a weight shrinks per step |
# |---|---|---|
# | $\lambda\sum w^2$ in the loss | $2\lambda w$ | $2\eta\lambda$ (SGD) |
# | `SGD(weight_decay=wd)` | $\mathrm{wd}\cdot w$ | $\eta\cdot\mathrm{wd}$ |
# | `Adam(weight_decay=wd)` | $\mathrm{wd}\cdot w$, then divided | depends on the gradients |
# | `AdamW(weight_decay=wd)` | nothing | $\eta\cdot\mathrm{wd}$ |
#
# ## Whom to spare
#
# **Predict, then run.** A line is fitted to temperatures, once given in °C and once in K, with an L2 penalty on both slope *and* bias. Do the two lines say the same? And a layer is followed by batch norm: what happens to its output if all of its weights are divided by ten?

# %%
hours = torch.linspace(-1, 1, 9, dtype=torch.float64)
celsius = 15 + 5 * hours


def ridge_line(x, y, lam, spare_bias):
    """Slope and bias that minimise the mean squared error + λ(slope² + bias²), or + λ·slope²."""
    columns = torch.stack([x, torch.ones_like(x)], 1)
    price = torch.diag(torch.tensor([lam, 0.0 if spare_bias else lam], dtype=x.dtype))
    return torch.linalg.solve(columns.T @ columns / len(x) + price, columns.T @ y / len(x))


noon = {
    (unit, spare): ridge_line(hours, celsius + zero, 0.1, spare)[1].item() - zero
    for unit, zero in (("°C", 0.0), ("K", 273.15))
    for spare in (False, True)
}
for (unit, spare), value in noon.items():
    print(f"bias {'spared' if spare else 'charged'}, {unit:2}: at noon {value:6.2f} °C")

torch.manual_seed(0)
block = nn.Sequential(nn.Linear(20, 30), nn.BatchNorm1d(30))
batch = torch.randn(64, 20)
before = block(batch).detach()
cost = block[0].weight.square().sum().item()
with torch.no_grad():
    block[0].weight /= 10
    block[0].bias /= 10
norm_change = (block(batch) - before).abs().max().item() / before.std().item()
print(
    f"before batch norm: penalty {cost:.1f} to {block[0].weight.square().sum():.3f},", end=" "
)
print(f"output changed by at most {norm_change:.1%} of its standard deviation")

# %% [markdown]
# It is 15 °C at noon. With the bias charged, the line says 13.6 if you calculate in degrees Celsius, and $-11$ if in kelvin. A bias says where zero is, which is a convention. It does not make a function more complicated, so there is no reason to pull it towards 0.
#
# Before a normalisation the scale of the weights is meaningless, and the penalty has nothing to hold on to: the function stays as it is (up to the small ε in the denominator), only the price falls. What decay still does there is to keep the weights from growing, and so the *effective learning rate* from fading (van Laarhoven, 2017). The **gains** $\gamma$
# and **shifts** $\beta$ of the normalisation layers themselves have their natural place near 1 and 0. Decay would pull the gains to 0, that is, towards switching the layer off.
#
# So it is common practice to charge weight matrices and kernels only. PyTorch's optimisers charge everything, unless you give them **parameter groups**.

# %% [markdown] role="card" exercise="decay_groups" level=2 minutes=12 topic="Weight decay" doc="https://docs.pytorch.org/docs/stable/optim.html"
# ### Groups with and without decay
#
# Return a list of two dicts for an optimiser, each with the keys `"params"` (a list) and `"weight_decay"`: first the parameters that are decayed, with `weight_decay`; then the others, with `0.0`.
#
# A parameter is **decayed** if it has two dimensions or more *and* does not belong to a normalisation layer. The tuple `NORMS` in the set-up cell holds the types of those, for `isinstance`; some have gains with several dimensions, such as `nn.LayerNorm((3, 4))`.
#
# - Both dicts are always there; a list may be empty.
# - Every parameter of the model stands in exactly one list, once, in the order of `model.parameters()`. A weight that two layers share is one parameter.


# %% role="stub" exercise="decay_groups"
def decay_groups(model: nn.Module, weight_decay: float) -> list[dict]:
    """Parameter groups that spare biases and normalisation layers from weight decay.

    Args:
        model: any module.
        weight_decay: of the group that is decayed.

    Returns:
        `[{"params": [...], "weight_decay": weight_decay}, {"params": [...], "weight_decay": 0.0}]`.
    """
    ### BEGIN SOLUTION
    of_norms = {id(p) for m in model.modules() if isinstance(m, NORMS) for p in m.parameters()}
    decayed, spared = [], []
    for p in model.parameters():
        (decayed if p.dim() >= 2 and id(p) not in of_norms else spared).append(p)
    return [
        {"params": decayed, "weight_decay": weight_decay},
        {"params": spared, "weight_decay": 0.0},
    ]
    ### END SOLUTION


# %% role="check" exercise="decay_groups"
with Check("decay_groups") as check:
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
    got = decay_groups(model, 0.1)
    check.is_a(got, list)
    check.that(
        len(got) == 2 and all(isinstance(g, dict) and "params" in g for g in got),
        'There should be two dicts, each with a list "params".',
    )
    check.that(
        [g.get("weight_decay") for g in got] == [0.1, 0.0],
        '"weight_decay" should be the given one in the first dict, and 0.0 in the second.',
    )
    check.that(
        all(isinstance(g["params"], list) for g in got),
        '"params" should be a list: a generator is used up after one look.',
    )
    check.that(
        all(isinstance(p, nn.Parameter) for g in got for p in g["params"]),
        '"params" should hold the parameters themselves, not their names or copies.',
    )
    names = {id(p): name for name, p in model.named_parameters()}
    first, second = ([names.get(id(p), "a stranger") for p in g["params"]] for g in got)
    check.that(
        sorted(first + second) == sorted(names.values()),
        f"Each parameter should stand in one list, once. There are {sorted(names.values())}, you give {first} and {second}.",
    )
    check.that("1.weight" not in first, "A gain of batch norm is decayed: spare it.")
    check.that(not any("bias" in name for name in first), "A bias is decayed: spare it.")
    check.that(
        first == ["0.weight", "3.weight"],
        f"Decayed should be ['0.weight', '3.weight'], in this order, not {first}.",
    )
    check.that(
        second == ["0.bias", "1.weight", "1.bias", "3.bias"],
        f"The others should stand in the order of `model.parameters()`, not {second}.",
    )
    field = nn.Sequential(nn.LayerNorm((3, 4)), nn.Flatten(), nn.Linear(12, 2, bias=False))
    with check.case("a layer norm over two dimensions"):
        got = decay_groups(field, 0.1)
    check.that(
        [len(g["params"]) for g in got] == [1, 2],
        "nn.LayerNorm((3, 4)) has gains and shifts of two dimensions: they belong to a normalisation layer, so spare them.",
    )
    check.that(
        [len(g["params"]) for g in decay_groups(nn.Linear(2, 2, bias=False), 0.1)] == [1, 0],
        "A model that is one layer without a bias should give one parameter to decay, and an empty second list.",
    )
    torch.optim.AdamW(decay_groups(model, 0.1), lr=0.1)


# %% [markdown] role="hints" exercise="decay_groups"
# <details><summary>Hint 1: whose parameter is it?</summary>
#
# A parameter does not know its module. Go through `model.modules()` first, and note the parameters of those that are normalisation layers.
#
# </details>
# <details><summary>Hint 2: how to note a tensor</summary>
#
# `p in some_list` compares tensors number by number, and fails. Keep `id(p)` in a set, or use a set of parameters: they are hashed by identity.
#
# </details>
# <details><summary>Hint 3: the order, and shared weights</summary>
#
# The second loop goes over `model.parameters()`, which names every parameter once, in order, and sorts them into two lists.
#
# </details>

# %% role="test" exercise="decay_groups" points=2
# Graded with hidden tests: convolutions, all kinds of norms, shared and frozen weights, a step of AdamW.
### BEGIN HIDDEN TESTS
with HiddenTest("decay_groups") as test:

    class Odd(nn.Module):
        """Parameters of its own, a matrix called bias, a gain called weight, a shared matrix."""

        def __init__(self):
            super().__init__()
            self.temperature = nn.Parameter(torch.ones(()))
            self.bias = nn.Parameter(torch.randn(2, 3))
            self.embed = nn.Embedding(7, 4)
            self.body = nn.Sequential(nn.Linear(4, 4), nn.RMSNorm(4), nn.PReLU())
            self.head = nn.Linear(4, 7)
            self.head.weight = self.embed.weight

    def frozen():
        model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 2))
        for p in model[0].parameters():
            p.requires_grad_(False)
        return model

    conv = nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.GroupNorm(2, 4),
        nn.Sequential(nn.ConvTranspose2d(4, 3, 2, bias=False), nn.BatchNorm2d(3)),
        nn.InstanceNorm2d(3, affine=True),
        nn.Conv1d(3, 2, 1),
        nn.LayerNorm((2, 3, 4)),
        nn.BatchNorm2d(2, affine=False),
    )
    cases = {
        "convolutions and four kinds of norms": (
            conv,
            {"0.weight", "2.0.weight", "4.weight"},
        ),
        "a shared weight, a scalar, a PReLU, a matrix called bias": (
            Odd(),
            {"bias", "embed.weight", "body.0.weight"},
        ),
        "a frozen layer": (frozen(), {"0.weight", "1.weight"}),
        "attention": (nn.MultiheadAttention(4, 2), {"in_proj_weight", "out_proj.weight"}),
        "a norm alone": (nn.LayerNorm((2, 2)), set()),
        "no parameters at all": (nn.ReLU(), set()),
    }
    for what, (model, decayed_names) in cases.items():
        names = {id(p): name for name, p in model.named_parameters()}
        values = [p.detach().clone() for p in model.parameters()]
        wanted = [[n for n in names.values() if (n in decayed_names) == d] for d in (1, 0)]
        with test.case(what):
            got = decay_groups(model=model, weight_decay=0.25)
        test.is_a(got, list)
        test.that(
            len(got) == 2 and all(isinstance(g, dict) and "params" in g for g in got),
            f'There should always be two dicts with a list "params" (here: {what}).',
        )
        test.that(
            [g.get("weight_decay") for g in got] == [0.25, 0.0],
            "The decays should be the given one and 0.0.",
        )
        test.that(all(isinstance(g["params"], list) for g in got), '"params" should be a list.')
        found = [[names.get(id(p), "a stranger") for p in g["params"]] for g in got]
        test.that(
            len(found[0] + found[1]) == len(set(found[0] + found[1])),
            f"A parameter stands in the lists twice (here: {what}).",
        )
        test.that(
            set(found[0] + found[1]) == set(names.values()),
            f"A parameter is missing, or is not the model's own (here: {what}).",
        )
        for name in found[0]:
            test.that(
                name in decayed_names,
                f"`{name}` is decayed, but it has fewer than two dimensions or belongs to a norm (here: {what}).",
            )
        test.that(
            set(found[0]) == decayed_names,
            f"A weight with two dimensions or more is spared, and belongs to no norm (here: {what}).",
        )
        test.that(
            found == wanted, f"The order should be that of `model.parameters()` ({what})."
        )
        test.that(
            all(torch.equal(p, v) for p, v in zip(model.parameters(), values, strict=True)),
            "Your function changes a parameter.",
        )
    model = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Linear(4, 2))
    values = [p.detach().clone() for p in model.parameters()]
    optimizer = torch.optim.AdamW(decay_groups(model, 0.5), lr=0.1)
    for p in model.parameters():
        p.grad = torch.zeros_like(p)
    optimizer.step()
    for p, value in zip(model.parameters(), values, strict=True):
        test.close(
            p.detach(),
            value * (0.95 if p.dim() == 2 else 1.0),
            "Under AdamW with gradients of zero only the matrices should shrink.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="decay_groups"
# Names are poor witnesses: the gain of a norm is called `weight` like a matrix, and your own parameters are called what you like. The number of dimensions alone is a good rule of thumb, and fails only for norms over several dimensions. The module type says it for certain. Tied weights are the trap of the loop over modules: the
# same parameter is met twice, and an optimiser refuses groups that share a parameter. A module without parameters, or without norms, needs no special case, and an optimiser takes an empty group.

# %% [markdown]
# ## L1: pay for the absolute value
#
# $$L(w) = \text{loss}(w) + \lambda \sum_i |w_i|$$
#
# The pull of L2, $2\lambda w$, fades as a weight comes near 0. The last bit of the way it hardly pulls at all, and no weight ever arrives. The pull of L1 is $\lambda\,\mathrm{sign}(w)$: **constant**, down to the end. So it should bring to 0 every weight that the data do not hold with at least the force $\lambda$, and make the network **sparse**. (In statistics it is
# the *lasso*; Tibshirani, 1996.)
#
# **Predict, then run.** One weight, whose loss is $\tfrac12(w - 0.2)^2$: it would like to be 0.2. We charge $0.3\,|w|$ or $0.3\,w^2$, start at 1, and walk down with a rate of 0.1. Where does each end? Is any of them exactly 0?

# %%
WISH, PRICE, RATE = 0.2, 0.3, 0.1


def one_weight(kind, steps=100):
    """The path of a weight from 1 under ½(w - 0.2)² and a penalty."""
    w = torch.tensor(1.0, dtype=torch.float64)
    path = [w.item()]
    for _ in range(steps):
        pull = {"L2": 2 * PRICE * w, "L1, gradient": PRICE * w.sign()}.get(kind, 0.0)
        w = w - RATE * (w - WISH + pull)
        if kind == "L1, proximal":
            w = F.softshrink(w, RATE * PRICE)
        path.append(w.item())
    return np.array(path)


KINDS = ["none", "L2", "L1, gradient", "L1, proximal"]
pulled = {kind: one_weight(kind) for kind in KINDS}
for kind, path in pulled.items():
    print(f"{kind:13} the last three: {path[-3:].round(5)}")

wishes = torch.linspace(-1, 1, 201)
ends = {"none": wishes, "L2": wishes / (1 + 2 * PRICE), "L1": F.softshrink(wishes, PRICE)}
fig, (left, right) = lab.figure(1, 2, height=3)
for index, (kind, path) in enumerate(pulled.items()):
    style = lab.line_style(index) | {"marker": None}
    left.plot(np.sign(path) * np.abs(path) ** 0.5, label=kind, **style)
for index, (kind, end) in enumerate(ends.items()):
    right.plot(wishes, end, label=kind, **lab.line_style(index) | {"marker": None})
ticks = [-0.01, 0, 0.01, 0.1, 0.5, 1]
left.set_yticks([math.copysign(abs(t) ** 0.5, t) for t in ticks], [f"{t:g}" for t in ticks])
left.set(xlabel="step", ylabel="w (axis stretched near 0)", title="A weight that wants 0.2")
right.set(xlabel="what the data want", ylabel="where the minimum is", title="Shrink or cut")
left.legend(handlelength=3, fontsize=9)
right.legend(handlelength=3, fontsize=9)
lab.show(
    fig,
    alt="Left: paths of one weight from 1. Without penalty it comes to 0.2, with L2 to 0.125; the L1 gradient "
    "brings it near 0, where it jumps up and down for ever; the proximal step brings it to 0, where it stays. "
    "Right: minimum against wish. L2 is a straight line through 0 with a smaller slope; L1 is flat at 0 between "
    "-0.3 and 0.3, and runs parallel to the diagonal outside.",
)

# %% [markdown]
# The **minimum** of the L1 problem is exactly 0, as the right-hand picture says: whoever wants less than λ gets nothing, all others get λ less. (L2 takes a share of everybody, and leaves nobody with nothing.) But **gradient descent does not get there.** At 0 the
# absolute value has a corner and no derivative; what autograd returns is a *subgradient*. Each step is a fixed length towards 0, and the last one jumps over it. The weight **hovers**: close to 0, never at it. A smaller rate makes the hops smaller, and no zeros.
#
# The repair is to treat the penalty not by its slope but by its minimum. Take the step for the loss alone, to a point $v$. Then ask: which $w$ is the best compromise between staying near $v$ and being cheap?
#
# $$w = \arg\min_u\; \frac{1}{2\eta}(u - v)^2 + \lambda|u|$$
#
# Right of 0 the slope is $(u - v)/\eta + \lambda$, which vanishes at $u = v - \eta\lambda$, if that is right of 0. Left of 0 it is $u = v + \eta\lambda$. Where neither is on its own side, that is for $|v| \le \eta\lambda$, the corner itself is the minimum: $u = 0$. In one line, with $t = \eta\lambda$,
#
# $$S_t(v) = \mathrm{sign}(v)\,\max(|v| - t,\ 0),$$
#
# the **soft threshold**. What would cross the zero stops there.

# %% [markdown] role="card" exercise="soft_threshold" level=1 minutes=6 topic="Sparsity" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softshrink.html"
# ### The soft threshold
#
# Return $S_t(v) = \mathrm{sign}(v)\,\max(|v| - t,\ 0)$, number by number, with $t$ = `amount` $\ge 0$. The result is a new tensor with the shape and dtype of `v`, which stays as it is.
#
# (PyTorch has it, as the name of an activation function. Here you build it from simpler ones.)


# %% role="stub" exercise="soft_threshold"
def soft_threshold(v: torch.Tensor, amount: float) -> torch.Tensor:
    """Bring every number nearer to 0 by `amount`, and stop there.

    Args:
        v: any shape, float32 or float64; left as it is.
        amount: t, at least 0.

    Returns:
        sign(v) · max(|v| - t, 0) as a new tensor, in the shape and dtype of `v`.
    """
    ### BEGIN SOLUTION
    return v.sign() * (v.abs() - amount).clamp(min=0)
    ### END SOLUTION


# %% role="check" exercise="soft_threshold"
with Check("soft_threshold") as check:
    v = torch.tensor([2.0, -2.0, 0.5, -0.5, 0.25, 0.0])
    got = soft_threshold(v, 0.5)
    check.is_a(got, torch.Tensor)
    check.shape(got, (6,))
    check.that(
        v.tolist() == [2.0, -2.0, 0.5, -0.5, 0.25, 0.0],
        "Your function changes `v`: return a new tensor.",
    )
    check.close(
        got,
        torch.tensor([1.5, -1.5, 0.0, 0.0, 0.0, 0.0]),
        "With t = 0.5 the numbers 2, −2, 0.5, −0.5, 0.25, 0 should become 1.5, −1.5, 0, 0, 0, 0.",
        known=[
            (
                torch.tensor([2.0, -2.0, 0.0, 0.0, 0.0, 0.0]),
                "That is the hard threshold: large numbers should come nearer to 0 as well, by t.",
            ),
            (
                torch.tensor([2.0, -2.0, 0.5, -0.5, 0.0, 0.0]),
                "That is the hard threshold: large numbers should come nearer to 0 as well, by t.",
            ),
            (torch.tensor([1.5, 1.5, 0.0, 0.0, 0.0, 0.0]), "The sign of v got lost."),
            (
                torch.tensor([1.5, 0.0, 0.0, 0.0, 0.0, 0.0]),
                "Negative numbers are cut off; they should come nearer to 0 as well.",
            ),
            (
                torch.tensor([1.5, -1.5, 0.0, 0.0, -0.25, 0.0]),
                "0.25 was carried across the zero. What would cross it stops there.",
            ),
            (
                torch.tensor([1.5, -1.5, 0.0, 0.0, -0.25, -0.5]),
                "0.25 was carried across the zero. What would cross it stops there.",
            ),
            (
                torch.tensor([1.5, -2.5, 0.0, 0.0, 0.0, 0.0]),
                "What is kept comes nearer to 0: from a negative number t is not subtracted, it is added.",
            ),
            (
                torch.tensor([1.5, -2.0, 0.5, -0.5, 0.25, 0.0]),
                "Only numbers above t are changed. Those below −t come nearer to 0 too, and those between become 0.",
            ),
            (
                torch.tensor([1.5, -2.5, 0.0, -1.0, -0.25, -0.5]),
                "You subtract t from all; negative numbers should get t added.",
            ),
            (
                torch.tensor([0.5, -0.5, 0.5, -0.5, 0.25, 0.0]),
                "You cut off what is *larger* than t. That part is what should be kept.",
            ),
        ],
    )
    check.that(got.data_ptr() != v.data_ptr(), "The result shares memory with `v`.")
    table = torch.tensor([[1.0, -3.0], [0.2, 0.0]], dtype=torch.float64)
    got = soft_threshold(table, 0.0)
    check.shape(got, (2, 2))
    check.that(got.dtype == torch.float64, "The dtype of `v` should be kept.")
    check.close(got, table, "With t = 0 nothing should change.")


# %% [markdown] role="hints" exercise="soft_threshold"
# <details><summary>Hint 1: size and sign apart</summary>
#
# `v.abs()` and `v.sign()`. Deal with the size first.
#
# </details>
# <details><summary>Hint 2: not below 0</summary>
#
# `.clamp(min=0)`, or `torch.relu`.
#
# </details>

# %% role="test" exercise="soft_threshold" points=1
# Graded with hidden tests: shapes, dtypes, many amounts, and that it is the minimum it claims to be.
### BEGIN HIDDEN TESTS
with HiddenTest("soft_threshold") as test:
    for shape in ((50,), (3, 7), (), (2, 0), (2, 3, 4)):
        for dtype in (torch.float32, torch.float64):
            for amount in (0.0, 0.03, 0.7, 100.0):
                v = torch.randn(shape, dtype=dtype)
                v.view(-1)[:1] = 0.0
                exact = v.double()
                want = torch.where(
                    exact.abs() > amount, exact - amount * exact.sign(), torch.zeros(())
                )
                with test.case(f"shape {shape}, {dtype}, amount={amount}"):
                    got = soft_threshold(v=v, amount=amount)
                test.is_a(got, torch.Tensor)
                test.shape(got, shape)
                test.that(got.dtype == dtype, "The dtype of `v` should be kept.")
                test.that(torch.equal(v.double(), exact), "Your function changes `v`.")
                test.close(
                    got,
                    want,
                    f"Not sign(v) · max(|v| − t, 0) for t = {amount}.",
                    known=[
                        (
                            exact * (exact.abs() > amount),
                            "That is the hard threshold: large numbers come nearer to 0 too.",
                        )
                    ],
                    rtol=1e-5,
                )
                test.that(
                    bool((got[want == 0] == 0).all()),
                    "What is no larger than t should be exactly 0, not merely small.",
                )
    u = torch.linspace(-4, 4, 8001, dtype=torch.float64)
    for point, amount in ((1.7, 0.6), (-2.2, 0.9), (0.4, 0.5), (-0.1, 3.0)):
        lowest = u[((u - point) ** 2 / 2 + amount * u.abs()).argmin()]
        got = soft_threshold(torch.tensor([point], dtype=torch.float64), amount)
        test.close(
            got,
            lowest[None],
            "It should be the minimum of ½(u − v)² + t|u|.",
            atol=2e-3,
        )
    v = torch.tensor([[1.0, -2.0], [3.0, 0.1]]).t()
    test.close(
        soft_threshold(v, 0.5),
        torch.tensor([[0.5, 2.5], [-1.5, 0.0]]),
        "A transposed matrix should do too.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="soft_threshold"
# `v - v.clamp(-t, t)` is the same function: take away what is within reach. The zeros are exact because they come out of a comparison with 0, not out of a subtraction that nearly cancels. Exactness is the point: a weight of $10^{-9}$ has to be stored and multiplied like any other. As an activation the function is called
# `softshrink`; in signal processing it removes noise (Donoho, 1995).

# %% [markdown]
# ## A step that makes zeros
#
# A **proximal step** is then: the optimiser's own step for the loss, without any penalty; after it, $w \leftarrow S_{\eta\lambda}(w)$. For gradient descent on all data this is the method ISTA (Daubechies, Defrise and De Mol, 2004), and with a small enough rate it converges to the minimum of loss + λ‖w‖₁ where the loss is convex. After Adam the same threshold $\eta\lambda$ for all
# weights is a convention, not that minimum: Adam's steps have a length of their own for each weight. It relates to L1 as AdamW's decay relates to L2, and it is good at what we want it for.

# %% [markdown] role="card" exercise="proximal_step" level=2 minutes=12 topic="Sparsity" needs="soft_threshold" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.step.html"
# ### The proximal step
#
# An optimiser keeps whatever else stands in a group's dict. So we write the strength of L1 there: `{"params": [...], "l1": 0.1}`. Write the function that is called in the place of `optimizer.step()`:
#
# 1. It takes the optimiser's own step.
# 2. Then, in every group with the key `"l1"`, it replaces each parameter that has a gradient by its soft threshold with $t$ = the group's `"lr"` times its `"l1"`.
#
# Parameters change **in place**, and stay leaves of autograd. Groups without the key, and parameters whose `grad` is `None`, see nothing but step 1. A schedule changes `"lr"` during training, so read it each time. The function returns nothing. You may use your `soft_threshold`.


# %% role="stub" exercise="proximal_step"
def proximal_step(optimizer: torch.optim.Optimizer) -> None:
    """One step of an optimiser, and the soft threshold of L1 after it.

    Args:
        optimizer: any of torch's, with gradients in place. Groups with a key "l1" are thresholded
            by their "lr" times their "l1".
    """
    ### BEGIN SOLUTION
    optimizer.step()
    with torch.no_grad():
        for group in optimizer.param_groups:
            if "l1" in group:
                for p in group["params"]:
                    if p.grad is not None:
                        p.copy_(soft_threshold(p, group["lr"] * group["l1"]))
    ### END SOLUTION


# %% role="check" exercise="proximal_step"
with Check("proximal_step") as check:
    charged = nn.Parameter(torch.tensor([1.0, 0.12, -0.3]))
    spared, unused = nn.Parameter(torch.tensor([0.01])), nn.Parameter(torch.tensor([0.02]))
    window = charged.detach()  # looks at the same memory
    optimizer = torch.optim.SGD(
        [{"params": [unused, charged], "l1": 0.5}, {"params": [spared]}], lr=0.1
    )
    charged.grad, spared.grad = torch.tensor([2.0, 1.0, -2.0]), torch.zeros(1)
    with check.case("two groups, one of them without l1; one parameter without a gradient"):
        returned = proximal_step(optimizer)
    check.that(returned is None, "The function should return nothing.")
    check.that(
        torch.is_grad_enabled(), "Autograd is left switched off: use `with torch.no_grad():`."
    )
    check.close(
        charged.detach(),
        torch.tensor([0.75, 0.0, -0.05]),
        "From (1, 0.12, −0.3) with the gradient (2, 1, −2) and η = 0.1, SGD goes to (0.8, 0.02, −0.1). The threshold "
        "is 0.1 · 0.5, so (0.75, 0, −0.05) should be left.",
        known=[
            (
                torch.tensor([1.0, 0.12, -0.3]),
                "The parameter has not moved. Is the optimiser's own step taken?",
            ),
            (
                torch.tensor([0.8, 0.02, -0.1]),
                "That is the optimiser's own step. Is the threshold applied, and in place, also behind a "
                "parameter that has no gradient?",
            ),
            (
                torch.tensor([0.75, -0.03, -0.05]),
                "The threshold comes after the step, not before it. (Or the weight was carried across 0.)",
            ),
            (
                torch.tensor([0.3, 0.0, 0.0]),
                "The threshold is the learning rate times l1, not l1 alone.",
            ),
            (
                torch.tensor([0.7, 0.0, 0.0]),
                "The threshold is the learning rate times l1, not the learning rate alone.",
            ),
            (
                torch.tensor([0.95, 0.07, -0.25]),
                "Only the threshold is there; the step is not.",
            ),
        ],
    )
    check.that(
        torch.equal(window, charged.detach()),
        "The parameter was given new memory: change its numbers in place.",
    )
    check.close(
        spared.detach(), torch.tensor([0.01]), "A group without l1 should not be thresholded."
    )
    check.close(
        unused.detach(),
        torch.tensor([0.02]),
        "A parameter without a gradient takes no step, so it should not be thresholded either.",
    )
    check.that(charged.requires_grad and charged.is_leaf, "The parameter is no leaf any more.")
    optimizer.param_groups[0]["lr"] = 0.01
    charged.grad = torch.zeros(3)
    proximal_step(optimizer)
    check.close(
        charged.detach(),
        torch.tensor([0.745, 0.0, -0.045]),
        "With the rate lowered to 0.01 the threshold should be 0.01 · 0.5: read the rate from the group each time.",
    )


# %% [markdown] role="hints" exercise="proximal_step"
# <details><summary>Hint 1: the loops</summary>
#
# `optimizer.param_groups` is a list of dicts. `"l1" in group` asks for the key; `group["params"]` is a list.
#
# </details>
# <details><summary>Hint 2: in place</summary>
#
# Under `torch.no_grad()`, `p.copy_(other)` writes the numbers of another tensor into the parameter. `p = ...` would only give another tensor the name `p`.
#
# </details>

# %% role="test" exercise="proximal_step" points=2
# Graded with hidden tests: several optimisers, groups, a rate that changes, shapes and dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("proximal_step") as test:
    makers = {
        "SGD": lambda g: torch.optim.SGD(g, lr=0.3),
        "SGD with momentum": lambda g: torch.optim.SGD(g, lr=0.1, momentum=0.9),
        "AdamW": lambda g: torch.optim.AdamW(g, lr=0.05, weight_decay=0.1),
    }
    for what, make in makers.items():
        for dtype in (torch.float32, torch.float64):
            starts = [torch.randn(s, dtype=dtype) for s in ((4, 3), (6,), (5, 2), (), (3,))]
            starts[2] = starts[2].t()
            strengths = (0.7, 2.0, 0.0)
            plan = [[torch.randn(s.shape, dtype=dtype) for s in starts] for _ in range(6)]
            plan[2][0] = plan[4][2] = None
            finals = []
            for by_oracle in (True, False):
                params = [nn.Parameter(s.clone()) for s in starts]
                windows = [p.detach() for p in params]
                groups = [
                    {"params": params[:2], "l1": strengths[0]},
                    {"params": params[2:3], "l1": strengths[1], "lr": 0.02},
                    {"params": params[3:4]},
                    {"params": params[4:], "l1": strengths[2]},
                ]
                optimizer = make(groups)
                for t, row in enumerate(plan):
                    for p, g in zip(params, row, strict=True):
                        p.grad = None if g is None else g.clone()
                    if t == 3:
                        for group in optimizer.param_groups:
                            group["lr"] *= 0.25
                    if by_oracle:
                        optimizer.step()
                        for group in optimizer.param_groups:
                            t_group = group["lr"] * group.get("l1", 0.0)
                            for p in group["params"]:
                                if p.grad is not None:
                                    p.data = F.softshrink(p.data, t_group)
                    else:
                        with test.case(f"{what}, step {t}"):
                            returned = proximal_step(optimizer=optimizer)
                        test.that(returned is None, "The function should return nothing.")
                        for p, g in zip(params, row, strict=True):
                            test.that(
                                (p.grad is None) == (g is None)
                                and (g is None or torch.equal(p.grad, g)),
                                "A gradient was changed: it is not yours to clear.",
                            )
                finals.append([p.detach().clone() for p in params])
                if not by_oracle:
                    test.that(
                        all(p.requires_grad and p.is_leaf for p in params),
                        "A parameter is no leaf of autograd any more.",
                    )
                    test.that(
                        all(
                            torch.equal(p.detach(), w)
                            for p, w in zip(params, windows, strict=True)
                        ),
                        "A parameter was given new memory: change its numbers in place.",
                    )
            told = (
                "Six steps end elsewhere: first the step, then the threshold, group by group, with the group's own "
                "and present rate; a parameter without a gradient is left alone.",
                "A second parameter of a group ends elsewhere.",
                "A group with a rate of its own ends elsewhere: its threshold is its own lr times its own l1.",
                "A group without l1 should not be thresholded.",
                "A group with l1 = 0 should not be thresholded.",
            )
            for want, got, sentence in zip(*finals, told, strict=True):
                test.that(got.dtype == dtype, "The dtype of a parameter must not change.")
                test.close(got, want, f"{what}: {sentence}", rtol=1e-4, atol=1e-5)
                test.that(
                    torch.equal(got == 0, want == 0),
                    "The zeros should be exact, and where the threshold puts them.",
                )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="proximal_step"
# The order matters. A threshold *before* the step would be undone by it: a weight at 0 moves on with the next gradient, and is not 0 when the network is used. The threshold is $\eta\lambda$, not $\lambda$, since each step pays for the time it covers; over $1/\eta$ steps a weight without any gradient loses about $\lambda$, whatever the rate.
#

# %% [markdown]
# ### Four networks, counted
#
# Time for a real network: 784-100-10 on 1,000 photographs of clothes, 600 steps of AdamW at 0.003 with batches of 50. Four contenders: no penalty; weight decay; L1 as a term of the loss; L1 as a proximal step. Biases are always spared.
#
# Weight decay and L1 in the loss have their λ chosen by accuracy on validation images, as usual. From the proximal step we want zeros, so its rule is another one: **the smallest λ of the list that sets 85 % of the weights to 0.** (We had another rule at first, the largest λ that cost less than a point, and changed it after it had left 56 % of the weights non-zero: for this one contender the test images were looked at twice.) Then five fresh draws of the 1,000 images and of the initial weights, and
# the test images, once.
#
# **Predict, then run.** What will it cost to lose 85 % of the weights: nothing, a point or two of accuracy, ten? And how many exact zeros will L1 in the loss give?

# %%
CLOTHES_STEPS = budget(600, fast=60)


def wardrobe(seed, n=1_000):
    """A draw of n training images, standardised, with their labels."""
    index = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(seed))[:n]
    return data.train[index.to(device)]


def new_net(seed):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(n_inputs, 100), nn.ReLU(), nn.Linear(100, n_classes)).to(
        device
    )


def matrices(model):
    return [p for p in model.parameters() if p.dim() >= 2]


def train(model, x, y, method="none", lam=0.0, steps=CLOTHES_STEPS, seed=0):
    """AdamW at 0.003 with one of four penalties on the weight matrices."""
    groups = [
        {
            "params": matrices(model),
            "weight_decay": lam if method == "weight decay" else 0.0,
        },
        {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=3e-3)
    draw = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        index = torch.randint(len(y), (50,), generator=draw).to(device)
        loss = F.cross_entropy(model(x[index]), y[index])
        if method == "L1 in the loss":
            loss = loss + lam * sum(w.abs().sum() for w in matrices(model))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if method == "L1, proximal":
            with torch.no_grad():
                for w in matrices(model):
                    w.copy_(F.softshrink(w, lam * optimizer.param_groups[0]["lr"]))
    return model


@torch.no_grad()
def inspect(model, split):
    weights = torch.cat([w.flatten() for w in matrices(model)])
    scores = lab.evaluate(model, split)
    return {
        "accuracy": 100 * scores["accuracy"],
        "loss": scores["loss"],
        "zeros": 100 * (weights == 0).float().mean().item(),
        "below 0.001": 100 * (weights.abs() < 1e-3).float().mean().item(),
    }


trained = {}  # the networks, for later


def clothes(method, lam, seed, split="valid"):
    model = train(new_net(seed), *wardrobe(seed), method, lam, seed=seed)
    trained[method, seed] = model
    return inspect(model, getattr(data, split))


PRICES = {
    "none": [0.0],
    "weight decay": budget([0.1, 0.3, 1.0], fast=[0.3]),
    "L1 in the loss": budget([3e-5, 3e-4, 1e-3], fast=[1e-3]),
    "L1, proximal": budget([0.1, 0.2, 0.3, 0.35, 0.4], fast=[0.1, 0.3]),
}
tuning_seeds = range(100, 100 + budget(2, fast=1))
tuning = {
    method: lab.sweep(clothes, {"method": [method], "lam": prices}, tuning_seeds)
    for method, prices in PRICES.items()
}
by_price = pd.concat(
    {
        method: frame.groupby("lam")[["accuracy", "zeros", "below 0.001"]].mean()
        for method, frame in tuning.items()
    },
    names=["method", "λ"],
)
picked = {method: by_price.loc[method].accuracy.idxmax() for method in PRICES}
prices = by_price.loc["L1, proximal"].zeros
enough = prices.index[prices >= 85]
picked["L1, proximal"] = min(enough, default=prices.index[-1])
print({method: float(lam) for method, lam in picked.items()})
by_price.round(1)

# %%
seeds = range(budget(5, fast=2))
finals = pd.concat(
    [
        lab.sweep(
            lambda method, seed: clothes(method, picked[method], seed, "test"),
            {"method": [method]},
            seeds,
        )
        for method in PRICES
    ],
    ignore_index=True,
)
measured = ["accuracy", "loss", "zeros", "below 0.001"]
clothes_table = finals.groupby("method", sort=False)[measured].mean()
clothes_leads = {
    value: lab.paired_difference(finals, by="method", value=value, baseline="none")
    for value in ("accuracy", "loss")
}
print(clothes_table.round(2).to_string())
pd.concat(clothes_leads, names=["against none"]).droplevel(1).round(2)


# %%
def plot_sparsity(tuning):
    fig, (left, right) = lab.figure(1, 2, height=3.2)
    means = tuning["L1, proximal"].groupby("lam")[["accuracy", "zeros"]].mean()
    for index, column in enumerate(means):
        left.plot(means[column], label=column, **lab.line_style(index))
    left.legend(handlelength=3, loc="lower right")
    left.set(title="The proximal step", xlabel="λ", ylabel="%", ylim=(0, 102))
    sizes = np.geomspace(1e-6, 1, 60)
    for index, method in enumerate(PRICES):
        model = trained[method, 0]
        weights = torch.cat([w.detach().flatten() for w in matrices(model)]).abs().cpu().numpy()
        share = np.searchsorted(np.sort(weights), sizes) / len(weights)
        style = lab.line_style(index) | {"markevery": 8, "markersize": 4}
        right.semilogx(sizes, 100 * share, label=method, **style)
    right.set(
        xlabel="size", ylabel="% of weights smaller than that", title="One network of each"
    )
    right.legend(handlelength=3, fontsize=9)
    return fig


lab.show(
    plot_sparsity(tuning),
    alt="Left: percentages against λ of the proximal step: zeros rise from 40 to 90 percent of the "
    "weights, accuracy stays near 80 and falls a little at the right. Right: share of weights smaller than a size, "
    "for one network of each method. The proximal one begins near 90 percent, since so many are exactly 0; "
    "L1 in the loss rises from 0.00001 on, the other two only from 0.001 on.",
)

# %% [markdown]
# **L1 in the loss sets not a single weight to 0, at no λ.** What it makes is many weights that are *small*, as the right-hand picture shows: its curve is far above that of no penalty, and still begins at the bottom. The proximal step makes **89 % exact zeros.** They cost a point and a half of accuracy (interval 0.8 to 2.2), and the loss on test images falls from 0.87 to 0.61. On the validation images 72 % zeros cost
# about a point.
#
# Look at what the search for accuracy has picked for the other two: the weakest λ of the list, both times. On these images no penalty buys accuracy, and stronger ones cost some. What they buy is better probabilities: all three lower the loss, and the intervals leave out 0. The moons had both; real images make the difference plain.
#
# ## What a loss believes
#
# Why the square, why the absolute value? Both look like taste. They are beliefs, and there is a dictionary.
#
# **The loss.** A network with a softmax says how probable each class is, $p(y\mid x, w)$. If the samples are independent, the probability of all observed labels is the product, the **likelihood** of $w$. Its negative logarithm is a sum,
#
# $$-\log p(\text{data}\mid w) = -\sum_{i=1}^n \log p(y_i\mid x_i, w),$$
#
# and that is $n$ times our mean cross-entropy. To minimise it is to ask: *with which weights would these labels be least surprising?* The answer is the **maximum-likelihood estimate, MLE**. For regression suppose $y = f(x, w) + \varepsilon$ with Gaussian noise of standard deviation $\sigma$: the negative logarithm is $\sum_i (y_i - f(x_i, w))^2 / 2\sigma^2$ plus a constant, and
# the squared error falls out. (Laplace noise gives the absolute error.)
#
# **The penalty.** Bayes' rule turns the question round: *which weights are most probable, given the data?*
#
# $$p(w\mid\text{data}) \propto p(\text{data}\mid w)\; p(w), \qquad -\log p(w\mid\text{data}) = \underbrace{-\log p(\text{data}\mid w)}_{n\,\times\,\text{loss}}\ \underbrace{-\log p(w)}_{n\,\times\,\text{penalty}} + \text{const.}$$
#
# $p(w)$ is the **prior**, what you believed before there were data. The $w$ that minimises the sum is the **maximum a posteriori estimate, MAP**. Now look up:
#
# | prior on each weight | $-\log p(w)$ | penalty on the *mean* cross-entropy |
# |---|---|---|
# | flat | constant | none: MAP = MLE |
# | Gaussian, std $\tau$ | $w^2/2\tau^2$ | L2 with $\lambda = 1/(2n\tau^2)$, `weight_decay` $= 1/(n\tau^2)$ |
# | Laplace, scale $b$: $\ p(w) = e^{-\lvert w\rvert/b}/2b$ | $\lvert w\rvert/b$ | L1 with $\lambda = 1/(nb)$ |
#
# Mind the $n$. Our losses are *means* over samples, so one and the same belief means a λ that falls with $1/n$: the more data, the less the prior counts. A λ that was tuned on a tenth of the data is too large for all of it.
#
# Let us have the dictionary checked by `torch.distributions`, which knows nothing of penalties.

# %%
torch.manual_seed(0)
x, y = (part.cpu() for part in lab.two_moons(40, noise=0.3, seed=3))
x, w = x.double(), nn.Parameter(torch.randn(2, 2, dtype=torch.float64))
n = len(y)
centre, spread = torch.zeros((), dtype=x.dtype), torch.tensor(0.7, dtype=x.dtype)
PRIORS = {
    "Gaussian": (
        torch.distributions.Normal(centre, spread),
        w.square().sum() / (2 * n * spread**2),
    ),
    "Laplace": (torch.distributions.Laplace(centre, spread), w.abs().sum() / (n * spread)),
}
dictionary = {}
for name, (prior, penalty) in PRIORS.items():
    likelihood = torch.distributions.Categorical(logits=x @ w).log_prob(y).sum()
    posterior = -(likelihood + prior.log_prob(w).sum())
    (by_bayes,) = torch.autograd.grad(posterior, w)
    (by_penalty,) = torch.autograd.grad(F.cross_entropy(x @ w, y) + penalty, w)
    dictionary[name] = (by_bayes - n * by_penalty).abs().max().item()
    print(f"{name:8} prior: the gradients differ by at most {dictionary[name]:.0e}")

# %% [markdown]
# ## The most probable weight
#
# A model with a single weight is small enough for the whole posterior to be seen, and for MAP to be computed by hand:
#
# $$y_i = w x_i + \varepsilon_i, \qquad \varepsilon_i \sim \mathcal N(0, \sigma^2).$$
#
# Write $a = \sum x_i y_i$ and $c = \sum x_i^2$. Up to a constant the negative log likelihood is $\frac{1}{2\sigma^2}(c\,w^2 - 2a\,w)$. Add the negative log prior, and ask where the slope is 0. Without a prior that is $w = a/c$. For the other two do it yourself, with pencil and paper; the Laplace prior has a corner at 0, and you have met such a minimum before.

# %% [markdown] role="card" exercise="map_estimate" level=3 minutes=15 topic="Priors" needs="soft_threshold" doc="https://docs.pytorch.org/docs/stable/distributions.html#laplace"
# ### MAP by hand
#
# Return the most probable $w$ as a tensor with a single number (shape `()`), in closed form: no search, no training. $\sigma$ is `noise`. `prior` is
#
# - `"flat"`: then `scale` plays no role, and the result is the MLE;
# - `"gaussian"`: $w \sim \mathcal N(0, \tau^2)$ with the *standard deviation* $\tau$ = `scale`;
# - `"laplace"`: $p(w) \propto e^{-|w|/b}$ with $b$ = `scale`;
#
# and a `ValueError` is raised for any other. Where the data are too weak to move a Laplace prior, the result is exactly 0. You may use your `soft_threshold`. `x` and `y` are vectors of the same length and dtype, which the result keeps; not all of `x` are 0.


# %% role="stub" exercise="map_estimate"
def map_estimate(
    x: torch.Tensor, y: torch.Tensor, noise: float, prior: str, scale: float = 1.0
) -> torch.Tensor:
    """The most probable weight of y = w x + Gaussian noise.

    Args:
        x: inputs (n,), n at least 1, not all 0.
        y: observations (n,).
        noise: standard deviation σ of the noise, above 0.
        prior: "flat", "gaussian" or "laplace".
        scale: standard deviation τ of the Gaussian or scale b of the Laplace prior, above 0.

    Returns:
        The maximum of the posterior, a tensor () of the dtype of `x`.

    Raises:
        ValueError: for any other prior.
    """
    ### BEGIN SOLUTION
    a, c = x @ y, x @ x
    if prior == "flat":
        return a / c
    if prior == "gaussian":
        return a / (c + noise**2 / scale**2)
    if prior == "laplace":
        return soft_threshold(a, noise**2 / scale) / c
    raise ValueError(f'prior is "flat", "gaussian" or "laplace", not {prior!r}.')
    ### END SOLUTION


# %% role="check" exercise="map_estimate"
with Check("map_estimate") as check:
    x, y = torch.tensor([1.0, 2.0, -1.0]), torch.tensor([2.0, 3.0, 1.0])  # a = 7, c = 6
    got = map_estimate(x, y, 1.0, "flat")
    check.is_a(got, torch.Tensor)
    check.shape(got, (), "One weight, one number.")
    check.close(
        got,
        torch.tensor(7 / 6),
        "Without a prior the estimate should be Σxy / Σx² = 7/6.",
        known=[
            (torch.tensor(3.0), "That is Σy / Σx. Least squares gives Σxy / Σx²."),
            (torch.tensor(2.5 / 3), "That is the mean of y/x. Least squares gives Σxy / Σx²."),
            (torch.tensor(0.5), "You divide by Σy²: it is Σxy / Σx²."),
            (torch.tensor(7 / 3), "You divide by n: it is Σxy / Σx²."),
            (torch.tensor(1.0), "Without a prior nothing is added to Σx²."),
        ],
    )
    gauss = map_estimate(x, y, noise=3.0, prior="gaussian", scale=0.4)
    check.is_a(gauss, torch.Tensor)
    check.shape(gauss, ())
    check.close(
        gauss,
        torch.tensor(7 / 62.25),
        "With σ = 3 and a Gaussian prior of τ = 0.4 the slope (cw − a)/σ² + w/τ² should be 0.",
        known=[
            (torch.tensor(7 / 6), "The Gaussian prior makes no difference yet."),
            (torch.tensor(7 / 12.25), "The noise is missing: the prior adds σ²/τ² to Σx²."),
            (torch.tensor(7 / 15), "τ is missing: the prior adds σ²/τ² to Σx²."),
            (
                torch.tensor(7 / 24.75),
                "You divide the prior by n. Here the likelihood is a sum over the samples, not a mean: "
                "the prior adds σ²/τ² to Σx², whatever n is.",
            ),
            (
                torch.tensor(7 / 174.75),
                "The prior counts n times in yours. It counts once, and each sample once: it adds σ²/τ² to Σx².",
            ),
            (torch.tensor(7 / 7.44), "You multiply by τ²: the prior adds σ²/τ² to Σx²."),
            (
                torch.tensor(7 / 28.5),
                "Is `scale` the variance in yours? It is τ, the standard deviation.",
            ),
            (torch.tensor(7 / 13.5), "Both enter as squares: the prior adds σ²/τ² to Σx²."),
            (torch.tensor(7 / 118.5), "A factor 2 too much: the ½ stands before both squares."),
            (
                torch.tensor(7 / 34.125),
                "A factor 2 too little: the ½ stands before both squares.",
            ),
            (torch.tensor(7 / (6 + 0.16 / 9)), "Upside down: the prior adds σ²/τ², not τ²/σ²."),
        ],
    )
    laplace = map_estimate(x, y, noise=3.0, prior="laplace", scale=6.0)
    check.is_a(laplace, torch.Tensor)
    check.shape(laplace, ())
    check.close(
        laplace,
        torch.tensor(5.5 / 6),
        "With σ = 3 and a Laplace prior of b = 6 the slope (cw − a)/σ² + 1/b should be 0.",
        known=[
            (torch.tensor(7 / 6), "The Laplace prior makes no difference yet."),
            (
                torch.tensor(0.0),
                "A prior of scale 6 is too wide to bring this weight to 0: Σxy, before it is divided, is cut by σ²/b.",
            ),
            (
                torch.tensor(6.5 / 6),
                "The noise enters as its square, and n plays no part: Σxy is cut by σ²/b.",
            ),
            (
                torch.tensor(2.5 / 6),
                "The prior counts n times in yours. It counts once: Σxy is cut by σ²/b.",
            ),
            (torch.tensor((7 - 1 / 6) / 6), "The noise is missing: Σxy is cut by σ²/b."),
            (
                torch.tensor(7 / 6 - 1 / 6),
                "You cut Σxy / Σx² by 1/b: it is Σxy that is cut, by σ²/b.",
            ),
            (torch.tensor(4.0 / 6), "A factor 2 too much: Σxy is cut by σ²/b."),
            (torch.tensor(6.25 / 6), "A factor 2 too little: Σxy is cut by σ²/b."),
            (torch.tensor(8.5 / 6), "The prior pushes the weight away from 0: mind the sign."),
            (
                torch.tensor(7 / 6.25),
                "That is the Gaussian prior. The slope of |w|/b is constant.",
            ),
            (
                torch.tensor((7 - 1.5 * math.sqrt(2)) / 6),
                "`scale` is b itself, not the standard deviation b√2.",
            ),
        ],
    )
    weak = map_estimate(x, -y, noise=2.0, prior="laplace", scale=0.5)
    check.close(
        weak,
        torch.tensor(0.0),
        "With b = 0.5 the corner wins, |Σxy| = 7 ≤ σ²/b = 8: the estimate should be 0.",
    )
    check.close(
        map_estimate(x, -y, noise=2.0, prior="laplace", scale=2.0),
        torch.tensor(-5 / 6),
        "With all y turned round the estimate should turn its sign.",
    )
    try:
        map_estimate(x, y, 1.0, "cauchy")
    except ValueError:
        refused = True
    else:
        refused = False
    check.that(refused, 'A prior such as "cauchy" should raise a ValueError.')


# %% [markdown] role="hints" exercise="map_estimate"
# <details><summary>Hint 1: the Gaussian prior</summary>
#
# The slope of $\frac{1}{2\sigma^2}(cw^2 - 2aw) + \frac{w^2}{2\tau^2}$ is $\frac{cw - a}{\sigma^2} + \frac{w}{\tau^2}$. Where is it 0? Multiply by $\sigma^2$ first.
#
# </details>
# <details><summary>Hint 2: the Laplace prior</summary>
#
# For $w > 0$ the slope is $\frac{cw - a}{\sigma^2} + \frac1b$, so $cw = a - \sigma^2/b$, if that is positive. For $w < 0$ it is the same with a plus. Otherwise the corner is the minimum. That is a soft threshold of $a$.
#
# </details>
# <details><summary>Hint 3: tensors</summary>
#
# `x @ y` is $\sum x_i y_i$, a tensor with a single number.
#
# </details>

# %% role="test" exercise="map_estimate" points=3
# Graded with hidden tests: all priors, strong and weak data, one sample, dtypes, a search on a grid.
### BEGIN HIDDEN TESTS
with HiddenTest("map_estimate") as test:
    for n, noise, scale, slope in (
        (1, 0.5, 1.0, 0.8),
        (5, 1.5, 0.3, -1.2),
        (40, 0.7, 2.0, 0.5),
        (8, 3.0, 0.2, 0.1),
        (300, 1.0, 0.05, -0.4),
    ):
        for dtype in (torch.float64, torch.float32):
            x = torch.randn(n, dtype=torch.float64)
            y = slope * x + noise * torch.randn(n, dtype=torch.float64)
            x, y = x.to(dtype), y.to(dtype)
            exact_x, exact_y = x.double(), y.double()
            grid = torch.linspace(-6, 6, 24_001, dtype=torch.float64)
            squares = (exact_x**2).sum() * grid**2 - 2 * (exact_x * exact_y).sum() * grid
            priors = {
                "flat": torch.zeros_like(grid),
                "gaussian": -torch.distributions.Normal(0.0, scale).log_prob(grid),
                "laplace": -torch.distributions.Laplace(0.0, scale).log_prob(grid),
            }
            a, c = (exact_x * exact_y).sum(), (exact_x**2).sum()
            cut = noise**2 / scale
            formulas = {
                "flat": a / c,
                "gaussian": a / (c + (noise / scale) ** 2),
                "laplace": torch.where(a.abs() > cut, (a - cut * a.sign()) / c, 0 * a),
            }
            for prior, cost in priors.items():
                lowest = grid[(squares / (2 * noise**2) + cost).argmin()]
                with test.case(f"{prior} prior, n = {n}, noise={noise}, scale={scale}"):
                    got = map_estimate(x=x, y=y, noise=noise, prior=prior, scale=scale)
                test.is_a(got, torch.Tensor)
                test.shape(got, (), "One weight, one number.")
                test.that(got.dtype == dtype, "The dtype of `x` should be kept.")
                if lowest.abs() < 5.99:
                    test.close(
                        got,
                        lowest,
                        f"With the {prior} prior there are more probable weights (n = {n}, σ = {noise}, scale {scale}).",
                        rtol=0,
                        atol=1e-3,
                    )
                want = formulas[prior]
                test.close(
                    got,
                    want,
                    f"With the {prior} prior the estimate is near the maximum, not at it: a closed form is exact.",
                    rtol=1e-4 if dtype == torch.float32 else 1e-6,
                    atol=1e-5 if dtype == torch.float32 else 1e-7,
                )
                if prior == "laplace" and a.abs() < 0.99 * cut:
                    test.that(
                        got == 0, "Where the corner wins, the estimate should be exactly 0."
                    )
            test.that(
                torch.equal(x.double(), exact_x) and torch.equal(y.double(), exact_y),
                "Your function changes `x` or `y`.",
            )
    x, y = torch.tensor([1.0, -2.0, 3.0]), torch.tensor([0.5, 1.0, 2.0])
    mle = torch.tensor(4.5 / 14)
    test.close(map_estimate(x, y, 3.0, "flat"), mle, "The MLE does not depend on the noise.")
    for prior in ("gaussian", "laplace"):
        with test.case(f"a {prior} prior of infinite width, scale=math.inf"):
            wide = map_estimate(x, y, 3.0, prior, scale=math.inf)
        test.close(wide, mle, "With a prior of infinite width MAP should be the MLE.")
    for prior, want in (("gaussian", 4.5 / 23), ("laplace", 0.0)):
        test.close(
            map_estimate(x, y, 3.0, prior),
            torch.tensor(want),
            "Without `scale` the default, 1, should be used.",
        )
    for prior in ("cauchy", "Gauss", ""):
        try:
            map_estimate(x, y, 1.0, prior)
        except ValueError:
            continue
        test.that(False, f"The prior {prior!r} should raise a ValueError.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="map_estimate"
# Ridge and lasso, each in one line. Under the Gaussian prior the prior acts like $\sigma^2/\tau^2$ of additional $\sum x^2$ with observations of 0: "imaginary data" that say *nothing here*. Under the Laplace prior the *evidence* $\sum xy$ is cut by the soft threshold before it is divided. In both, only $\sigma^2$ relative to the prior matters: noisy data have to
# argue against the prior with less weight. For many weights the Gaussian case stays a linear system, $(X^\top X + \frac{\sigma^2}{\tau^2} I)\,w = X^\top y$; the Laplace case has no closed form any more, unless the columns of $X$ are orthogonal, and the proximal step does it by iteration.

# %% [markdown]
# ### The whole posterior
#
# **Predict, then run.** The true weight is 0.5, and the noise is twice as large, $\sigma = 1$. Under a Gaussian and a Laplace prior of the same standard deviation, 0.5, how does the most probable weight change as 2, 10 and 100 samples come in? Where do the two priors still differ at the end?

# %%
TRUE_WEIGHT, SIGMA, TAU = 0.5, 1.0, 0.5
draw = torch.Generator().manual_seed(13)
stream_x = torch.randn(100, generator=draw, dtype=torch.float64)
stream_y = TRUE_WEIGHT * stream_x + SIGMA * torch.randn(
    100, generator=draw, dtype=torch.float64
)
SCALES = {"gaussian": TAU, "laplace": TAU / math.sqrt(2)}  # a Laplace's std is b√2
axis = torch.linspace(-1.5, 2, 3501, dtype=torch.float64)


def densities(n, prior):
    """Prior, likelihood and posterior of n samples on the axis; the latter two as densities in w."""
    x, y = stream_x[:n], stream_y[:n]
    kind = {"gaussian": torch.distributions.Normal, "laplace": torch.distributions.Laplace}
    log_prior = kind[prior](0.0, SCALES[prior]).log_prob(axis)
    log_likelihood = -((y - axis[:, None] * x) ** 2).sum(1) / (2 * SIGMA**2)
    logs = {"likelihood": log_likelihood, "posterior": log_likelihood + log_prior}
    width = axis[1] - axis[0]
    curves = {
        name: (log - log.max()).exp() / ((log - log.max()).exp().sum() * width)
        for name, log in logs.items()
    }
    return {"prior": log_prior.exp(), **curves}


fig, axes = lab.figure(2, 3, height=2)
peaks = []
for row, prior in zip(axes, SCALES, strict=True):
    for ax, n in zip(row, (2, 10, 100), strict=True):
        curves = densities(n, prior)
        peak = axis[curves["posterior"].argmax()].item()
        mle = axis[curves["likelihood"].argmax()].item()
        peaks.append({"prior": prior, "samples": n, "MLE": mle, "top of the posterior": peak})
        for line, (name, curve) in zip((":", "--", "-"), curves.items(), strict=True):
            ax.plot(axis, curve, line, label=name, linewidth=1.5)
        ax.axvline(peak, color="k", linewidth=0.8)
        ax.set_title(f"{prior.title()} prior, {n} samples", fontsize=10)
    row[0].set_ylabel("density")
for ax in axes[1]:
    ax.set_xlabel("w")
axes[0, 2].legend(fontsize=8, handlelength=3, loc="upper left")
lab.show(
    fig,
    alt="Two rows, Gaussian and Laplace prior, three columns, 2, 10 and 100 samples: densities of prior, likelihood and "
    "posterior over the weight, with a vertical line at the top of the posterior. With 2 samples the posterior looks like "
    "the prior, and under the Laplace prior its top is the corner at 0. With 100 samples posterior and "
    "likelihood nearly coincide in both rows.",
)
peaks = pd.DataFrame(peaks)
with needs("soft_threshold", "map_estimate"):
    peaks["map_estimate"] = [
        map_estimate(stream_x[:n], stream_y[:n], SIGMA, prior, SCALES[prior]).item() + 0.0
        for prior, n in zip(peaks["prior"], peaks["samples"], strict=True)
    ]
peaks.round(3)

# %% [markdown]
# After two samples the most plausible weight *on the data alone* is 0.83. The Gaussian prior concedes 0.34 of it, the Laplace prior nothing: its corner holds until $|\sum xy|$ exceeds $\sigma^2/b$. After ten samples it still concedes much less. After a hundred there is less than 0.01 between the two, and 0.03 at most between them and the MLE. **Data overwhelm a prior.** You can even count it: this Gaussian prior adds $\sigma^2/\tau^2 = 4$ to $\sum x^2$, so it weighs as much as four samples with $x = \pm 1$ and $y = 0$.
#
# One caution. The Laplace prior does *not* say that weights are 0: it is a density, and the probability of exactly 0 is none. The zeros are a property of the **top** of the posterior, at which the corner sits; its mean is not 0, nor is any sample from it. Whoever really believes in zeros has to write a prior with a lump at 0. L1 is popular since it is convex and
# gives zeros, not since anybody believes in it.
#
# ## Occam's razor, with numbers
#
# "Do not suppose more than you need" is the oldest regulariser. Bayes' rule contains it, without any penalty being written down. Compare not weights but whole models $M$, by their **evidence**
#
# $$p(\text{data}\mid M) = \int p(\text{data}\mid w, M)\,p(w\mid M)\,dw,$$
#
# the probability that the model, *with weights drawn from its prior*, would have produced just these data. A flexible model can produce nearly anything, so it must spread its probability over nearly everything, and little is left for any one data set. A rigid model can produce little, and bets on it heavily. The winner is the simplest model that could well have made the data (MacKay, 1992).
#
# For polynomials with Gaussian priors the integral has a closed form. Twelve points of a parabola with noise; degrees 0 to 9.
#
# **Predict, then run.** Which degree has the lowest training error, which the highest evidence, and how often is the latter the right one, over 200 data sets?

# %%
POLY_NOISE, POLY_TAU, DEGREES = 0.3, 1.0, range(10)
POLY_SETS = budget(200, fast=60)


def parabola(x):
    return 1 - 2 * x**2 + 0.3 * x


def fit_polynomial(x, y, degree):
    """Evidence, training error, and errors of MLE and MAP against the true curve."""
    draw = np.polynomial.legendre.legvander
    design, grid = draw(x, degree), np.linspace(-1, 1, 101)
    # Under the prior the data are Gaussian with this covariance.
    covariance = POLY_NOISE**2 * np.eye(len(x)) + POLY_TAU**2 * design @ design.T
    evidence = -0.5 * (y @ np.linalg.solve(covariance, y) + np.linalg.slogdet(covariance)[1])
    mle = np.linalg.lstsq(design, y, rcond=None)[0]
    ridge = (POLY_NOISE / POLY_TAU) ** 2 * np.eye(degree + 1)
    best = np.linalg.solve(design.T @ design + ridge, design.T @ y)
    off = draw(grid, degree) @ np.stack([mle, best], 1) - parabola(grid)[:, None]
    errors = np.sqrt((off**2).mean(0))
    return {
        "degree": degree,
        "log evidence": evidence - len(x) / 2 * math.log(2 * math.pi),
        "training error": np.sqrt(((design @ mle - y) ** 2).mean()),
        "error, MLE": errors[0],
        "error, MAP": errors[1],
    }


def polynomial_set(seed):
    draw = np.random.RandomState(seed)
    x = draw.uniform(-1, 1, 12)
    y = parabola(x) + POLY_NOISE * draw.randn(12)
    return [fit_polynomial(x, y, degree) for degree in DEGREES]


polynomials = lab.repeat(polynomial_set, range(POLY_SETS))
picks = {
    "training error": polynomials.loc[polynomials.groupby("seed")["training error"].idxmin()],
    "log evidence": polynomials.loc[polynomials.groupby("seed")["log evidence"].idxmax()],
}
right_degree = {name: (frame.degree == 2).mean() for name, frame in picks.items()}
print({name: f"chooses degree 2 in {share:.0%}" for name, share in right_degree.items()})
polynomial_medians = polynomials.groupby("degree").median().drop(columns="seed")
polynomial_medians.round(3)

# %%
fig, (left, right) = lab.figure(1, 2, height=3)
for index, column in enumerate(["training error", "error, MLE", "error, MAP"]):
    left.semilogy(polynomial_medians[column], label=column, **lab.line_style(index))
right.plot(polynomial_medians["log evidence"], **lab.line_style(3))
left.set(xlabel="degree", ylabel="root mean square error", title=f"Medians of {POLY_SETS} sets")
right.set(xlabel="degree", ylabel="log evidence", title="Occam's razor")
left.legend(handlelength=3)
lab.show(
    fig,
    alt="Left: errors against the degree, logarithmic. The training error falls all the way. The error of MLE against the true "
    "curve is lowest at degree 2 and rises more than two-hundredfold up to degree 9; that of MAP rises only to about 0.37. Right: "
    "the log evidence jumps up at degree 2 and then falls slowly.",
)

# %% [markdown]
# The training error falls with every degree and would always choose the ninth. The evidence jumps up where the model first can make a parabola, then sinks by a third of a unit to nearly one with every degree that is not needed, and is right in 85 % of the sets (80 % of 200 others). It has never seen a validation point.
#
# Look at the left figure, too. The maximum-likelihood polynomial of degree 9 is off by more than 30, the same polynomial with a prior by 0.37; the right degree by 0.15. **With a sensible prior a model that is too large is no disaster, only somewhat worse than the right one.** That is the common practice with networks: take a large one, and regularise. Whole evidences are out of reach there, since the integral runs over millions of weights; so
# we choose λ on validation data instead.
#
# ## Cut instead of shrink
#
# A simpler way to sparsity: train as you like, then set the smallest weights to 0. That is **pruning** by magnitude. (LeCun, Denker and Solla, 1990, weighed by curvature; Han et al., 2015, made plain magnitude popular.) PyTorch does it with `torch.nn.utils.prune`: the layer keeps `weight_orig`, a parameter, and `weight_mask`, a buffer of zeros and ones, and computes
# `weight` as their product before every forward pass. So the gradient of a cut weight is 0, and training can go on without it coming back.

# %%
layer = nn.Linear(4, 2)
prune.l1_unstructured(layer, "weight", amount=0.5)
print("parameters:", [name for name, _ in layer.named_parameters()])
print("mask:", layer.weight_mask.tolist())
layer(torch.ones(1, 4)).sum().backward()
print("gradient of weight_orig:", layer.weight_orig.grad.tolist())
prune.remove(layer, "weight")  # makes the zeros permanent: an ordinary parameter again
print("after remove:", [name for name, _ in layer.named_parameters()])

# %% [markdown] role="card" exercise="prune_smallest" level=2 minutes=12 topic="Sparsity" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.prune.global_unstructured.html"
# ### Prune globally
#
# The scale of the weights differs from layer to layer, and so does what can be spared. Write the **global** form: of *all* numbers in all given tensors together, the smallest in size are cut. Return a list of masks, one for each tensor, in its shape and dtype: 0 where a number is cut, 1 elsewhere.
#
# Exactly `round(amount * n)` numbers are cut, where $n$ counts all of them. Among numbers of equal size it does not matter which; but there may be many of those, and the count stays exact. The weights stay as they are, and the masks have no graph.


# %% role="stub" exercise="prune_smallest"
def prune_smallest(weights: list[torch.Tensor], amount: float) -> list[torch.Tensor]:
    """Masks that cut the smallest of all weights, by absolute value.

    Args:
        weights: tensors of any shapes, all of one dtype and device; left as they are.
        amount: share of all numbers that is cut, 0 to 1.

    Returns:
        One mask for each tensor, in its shape and dtype; round(amount · n) zeros in all, ones elsewhere.
    """
    ### BEGIN SOLUTION
    sizes = torch.cat([w.detach().flatten().abs() for w in weights])
    mask = torch.ones_like(sizes)
    mask[sizes.argsort()[: round(amount * len(sizes))]] = 0
    parts = mask.split([w.numel() for w in weights])
    return [part.view(w.shape) for part, w in zip(parts, weights, strict=True)]
    ### END SOLUTION


# %% role="check" exercise="prune_smallest"
with Check("prune_smallest") as check:
    small = nn.Parameter(torch.tensor([[0.1, -0.2], [0.3, -0.4]]))
    large = nn.Parameter(torch.tensor([6.0, 0.25, -5.0, 7.0]))
    got = prune_smallest([small, large], 0.5)
    check.is_a(got, (list, tuple))
    check.that(len(got) == 2, "There should be one mask for each tensor.")
    check.shape(got[0], (2, 2))
    check.shape(got[1], (4,))
    check.that(
        all(((m == 0) | (m == 1)).all() for m in got),
        "A mask holds zeros and ones only; you seem to give something else.",
    )
    check.that(
        all(m.dtype == torch.float32 for m in got), "The masks should have the weights' dtype."
    )
    flat = torch.cat([m.flatten() for m in got])
    check.close(
        flat,
        torch.tensor([0.0, 0.0, 0.0, 1.0, 1.0, 0.0, 1.0, 1.0]),
        "Of 0.1, −0.2, 0.3, −0.4 and 6, 0.25, −5, 7 half should be cut: 0.1, −0.2, 0.3 and 0.25.",
        known=[
            (
                torch.tensor([0.0, 0.0, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0]),
                "Half of *each* tensor is cut. Compare the sizes of all numbers with each other.",
            ),
            (
                torch.tensor([0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 1.0]),
                "Signs count in yours: it is the size, |w|, that decides.",
            ),
            (
                torch.tensor([1.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 1.0]),
                "Signs count in yours, and each tensor is cut for itself.",
            ),
            (
                torch.tensor([0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 1.0]),
                "`argsort` gives the places of the numbers in order of size, not the rank of each number.",
            ),
            (
                torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0]),
                "You cut the largest, or 1 means cut: 0 should stand where a small number is cut.",
            ),
        ],
    )
    check.that(not any(m.requires_grad for m in got), "The masks have a graph: detach.")
    check.that(
        small.flatten().tolist() == torch.tensor([0.1, -0.2, 0.3, -0.4]).tolist(),
        "The weights themselves have changed; return masks only.",
    )
    counts = [
        sum(int((m == 0).sum()) for m in prune_smallest([small, large], amount))
        for amount in (0.0, 0.25, 0.7, 1.0)
    ]
    check.that(
        counts == [0, 2, 6, 8],
        f"Of 8 numbers 0, 25, 70 and 100 % should cut 0, 2, 6 and 8 (5.6 is rounded), not {counts}.",
    )
    ties = prune_smallest([torch.zeros(10), torch.ones(10)], 0.25)
    check.that(
        int((ties[0] == 0).sum()) == 5 and int((ties[1] == 0).sum()) == 0,
        "Ten zeros and ten ones, a quarter cut: exactly five of the zeros should go, although all are equally small.",
    )


# %% [markdown] role="hints" exercise="prune_smallest"
# <details><summary>Hint 1: all together</summary>
#
# `torch.cat` of the flattened sizes gives one long vector. What you decide there has to be cut into pieces again at the end: `.split` takes a list of lengths.
#
# </details>
# <details><summary>Hint 2: an exact count</summary>
#
# A threshold ("all below the k-th smallest") cuts too many or too few if numbers are equal. `argsort`, or `topk(k, largest=False)`, gives you k *places*.
#
# </details>

# %% role="test" exercise="prune_smallest" points=2
# Graded with hidden tests: many shapes, ties, all shares, PyTorch's own global pruning.
### BEGIN HIDDEN TESTS
with HiddenTest("prune_smallest") as test:
    for shapes in ([(5, 4), (3,), (2, 3, 2, 2), (1, 1)], [(7,)], [(30, 20), (20, 40)]):
        for dtype in (torch.float32, torch.float64):
            for amount in (0.0, 0.03, 0.5, 0.9, 0.999, 1.0):
                weights = [
                    nn.Parameter(torch.randn(s, dtype=dtype) * 3.0**-i)
                    for i, s in enumerate(shapes)
                ]
                before = [w.detach().clone() for w in weights]
                holders = []
                for w in before:
                    holders.append(nn.Module())
                    holders[-1].weight = nn.Parameter(w.clone())
                count = round(amount * sum(w.numel() for w in before))
                prune.global_unstructured(
                    [(h, "weight") for h in holders],
                    pruning_method=prune.L1Unstructured,
                    amount=count,
                )
                want = [h.weight_mask for h in holders]
                alone = []
                for w in before:
                    order = w.abs().flatten().argsort()[: round(amount * w.numel())]
                    alone.append(torch.ones(w.numel()).index_fill(0, order, 0).view(w.shape))
                with test.case(f"shapes {shapes}, amount={amount}"):
                    got = prune_smallest(weights=weights, amount=amount)
                test.is_a(got, (list, tuple))
                test.that(len(got) == len(before), "There should be one mask for each tensor.")
                for mask, shape in zip(got, shapes, strict=True):
                    test.shape(mask, shape)
                    test.that(mask.dtype == dtype, "The masks should have the weights' dtype.")
                    test.that(not mask.requires_grad, "The masks have a graph: detach.")
                flat, wanted, local = (
                    torch.cat([m.double().flatten() for m in ms]) for ms in (got, want, alone)
                )
                test.that(
                    all(
                        torch.equal(w.detach(), b) for w, b in zip(weights, before, strict=True)
                    ),
                    "The weights themselves have changed; return masks only.",
                )
                test.that(
                    bool(((flat == 0) | (flat == 1)).all()), "A mask holds zeros and ones only."
                )
                test.close(
                    flat,
                    wanted,
                    f"Not the smallest of all numbers together are cut, or not {amount:.1%} of them.",
                    known=[
                        (
                            local,
                            "Each tensor is pruned for itself. Compare all numbers with each other.",
                        ),
                        (1 - wanted, "Ones and zeros are exchanged: 0 is cut."),
                    ],
                )
    sparse = torch.randn(40, 30) * (torch.rand(40, 30) > 0.9)
    for amount in (0.2, 0.5, 0.95):
        got = prune_smallest([sparse.clone(), torch.ones(300)], amount)
        zeros = [int((m == 0).sum()) for m in got]
        test.that(
            sum(zeros) == round(amount * 1500),
            "Most weights are 0 already, so many are equal: the count of cut ones should still be exact.",
        )
        test.that(
            amount > 0.6 or zeros[1] == 0, "Ones are cut while zeros are kept: sizes decide."
        )
    for n, amount, cut in ((5, 0.5, 2), (7, 0.5, 4), (10, 0.26, 3), (10, 0.24, 2)):
        got = prune_smallest([torch.arange(1.0, n + 1)], amount)[0]
        test.that(
            int((got == 0).sum()) == cut,
            f"{amount:.0%} of {n} numbers: round(amount * n) is {cut}.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="prune_smallest"
# One vector makes "global" trivial, and places instead of a threshold make the count exact. That matters more than it seems: after L1 nine weights in ten are 0, and a comparison such as `sizes > threshold` with the threshold at 0 cuts ninety per cent where ten were asked for. Global pruning has one danger, too: with extreme amounts it may
# empty a layer completely, and then nothing passes through the network any more.

# %% [markdown]
# ### Prune, and train on
#
# The dense networks of this lesson's images, after their 600 steps, lose 0 to 98 % of their weights, by PyTorch's own global pruning. Three versions: the smallest are cut, and that is all; the smallest are cut, and training goes on for 150 steps; and, as a control, *random* weights are cut, with the same 150 steps. (At 0 % these train on as well, so that
# equal budgets are compared.) There is nothing to choose here, so we look at test images at once. And the networks of the proximal step get 150 further steps as well, *without* the penalty and with their zeros held at 0.
#
# **Predict, then run.** How many percent can be cut without any training afterwards? And with? Is the size of a weight a better guide than a coin?

# %%
SHARES = budget([0.0, 0.5, 0.8, 0.9, 0.95, 0.98], fast=[0.0, 0.9])
TUNE_STEPS = budget(150, fast=30)


def pruned(dense, kind, share):
    model = copy.deepcopy(dense)
    layers = [(m, "weight") for m in model if isinstance(m, nn.Linear)]
    prune.global_unstructured(layers, pruning_method=kind, amount=share)
    return model


def make_permanent(model):
    for m in model:
        if prune.is_pruned(m):
            prune.remove(m, "weight")
    return model


def hold_zeros(sparse):
    """A copy whose zeros stay zeros, because they are masked."""
    model = copy.deepcopy(sparse)
    for m in model:
        if isinstance(m, nn.Linear):
            prune.custom_from_mask(m, "weight", (m.weight != 0).to(m.weight.dtype))
    return model


def free_survivors(seed):
    """The network of the proximal step, trained on without a penalty; its zeros are held."""
    model = hold_zeros(trained["L1, proximal", seed])
    train(model, *wardrobe(seed), steps=TUNE_STEPS, seed=1000 + seed)
    return inspect(make_permanent(model), data.test)


def cut_and_tune(seed):
    images = wardrobe(seed)
    dense = trained["none", seed]
    rows = []
    for share in SHARES:
        torch.manual_seed(seed)  # for the random masks
        smallest, again = (pruned(dense, prune.L1Unstructured, share) for _ in range(2))
        chance = pruned(dense, prune.RandomUnstructured, share)
        versions = {
            "smallest, no training": again,
            "smallest, trained on": train(
                smallest, *images, steps=TUNE_STEPS, seed=1000 + seed
            ),
            "random, trained on": train(chance, *images, steps=TUNE_STEPS, seed=1000 + seed),
        }
        for name, model in versions.items():
            found = inspect(make_permanent(model), data.test)
            rows.append({"version": name, "cut": 100 * share, **found})
    return rows


cutting, survivors = lab.repeat(cut_and_tune, seeds), lab.repeat(free_survivors, seeds)
cut_means = cutting.groupby(["version", "cut"], sort=False).accuracy.mean().unstack(0)
tuned = cutting[cutting.version == "smallest, trained on"]
cut_cost = lab.paired_difference(tuned, by="cut", value="accuracy", baseline=0.0)
print(cut_means.round(1).to_string())
print(f"\nproximal L1, trained on: {survivors.zeros.mean():.1f} % zeros,", end=" ")
print(f"accuracy {survivors.accuracy.mean():.1f} %")
print("\nsmallest cut, trained on, against 0 % cut:")
cut_cost.round(2)

# %%
fig, ax = lab.figure(height=3.2)
evenly = {cut: index for index, cut in enumerate(100 * s for s in SHARES)}
lab.band(
    cutting.assign(place=cutting.cut.map(evenly)),
    "place",
    "accuracy",
    "version",
    ax=ax,
    xlabel="weights cut, %",
    ylabel="test accuracy, %",
)
stars = {
    "proximal L1": (finals[finals.method == "L1, proximal"], "*"),
    "proximal L1, trained on": (survivors, "P"),
}
for name, (frame, marker) in stars.items():
    place = np.interp(frame.zeros.mean(), list(evenly), list(evenly.values()))
    ax.plot(place, frame.accuracy.mean(), marker, color="k", markersize=11, label=name)
ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, handlelength=3)
ax.set_xticks(list(evenly.values()), [f"{cut:g}" for cut in evenly])
lab.show(
    fig,
    alt="Test accuracy against the share of weights cut. Without further training the accuracy holds up to a point "
    "and then collapses. With further training the smallest can be cut up to about 95 percent at little cost. With random masks "
    "the accuracy falls earlier. A star and a plus, close together at 89 percent, mark the networks of proximal L1 before and after training on, just below the line of the smallest.",
)

# %%
sparse_net = trained["L1, proximal", 0]
weight = sparse_net[0].weight.detach()
kept = int((weight != 0).sum())
dense_bytes = 4 * weight.numel()
# By rows: a float32 and the number of its column for each non-zero, and where each row begins.
sparse_bytes = 8 * kept + 4 * (len(weight) + 1)
print(
    f"first layer: {dense_bytes / 1000:.0f} kB dense, {sparse_bytes / 1000:.0f} kB as sparse rows"
)

# %% [markdown]
# Without any training afterwards half of the weights can go at hardly any price. With 80 % the accuracy is down by three points, and from there it collapses. But give the rest 150 steps to adjust, and **95 % of the weights can go**: 79.5 %, against 79.1 for the network that lost nothing and got the same steps. (Those cost it more than a point: the restart with a fresh optimiser shakes it. Cut networks are even ahead of it here, by
# about a point, and some of the intervals exclude 0; but they are not better than the network was *before* the restart, so do not build on it.) At 98 % the end is reached.
#
# Size is a good guide: with 95 % cut, *random* masks are eight points behind. But look also at how long chance keeps up. At 50 % it makes hardly a difference which half goes. The network was far larger than 1,000 images ask for, and that is one reason why pruning works so well in such experiments.
#
# The network of the proximal step, with 89 % zeros, comes from 79.0 to 79.5 % with its 150 steps. L1 taxes the survivors too, and without the tax they recover a little. A dense network with 90 % cut by size and trained on is at 80.2. So if zeros are all that you want, train, cut, and train on: in this comparison L1 is not better at it.
#
# And what are zeros good for? Memory, first: 66 kB in the place of 314 for the first layer. Each non-zero is stored with the number of its column, which takes as much room as itself, so that with fewer than half zeros nothing would be gained. Time is another matter. An ordinary matrix product multiplies zeros as slowly as anything else. Unstructured zeros save time only with special kernels and at very high sparsity; where time counts, whole units or channels are pruned (`prune.ln_structured`), and the matrices become smaller.
#
# ## Play with it
#
# The network with 64 + 64 units on sixty points. Move λ through four powers of ten and watch the border; switch between L2 and L1, and count the zeros. At which λ does the border become a straight line, and at which does the network give up?

# %%
from ipywidgets import Dropdown, FloatLogSlider, IntSlider, interact


@interact(
    penalty=Dropdown(options=["L2", "L1, proximal"], value="L2"),
    lam=FloatLogSlider(0.003, min=-5, max=-1, step=0.25, continuous_update=False),
    seed=IntSlider(0, min=0, max=9, continuous_update=False),
)
def explore(penalty, lam, seed):
    nets = lab.NetStack(big, [seed])
    x, y = draw_moons(N_POINTS, [1000 + seed])
    decay = 2 * lam if penalty == "L2" else 0.0
    groups = [
        {"params": list(nets.weights), "weight_decay": decay},
        {"params": list(nets.biases)},
    ]
    optimizer = torch.optim.Adam(groups, lr=0.01)
    for _ in range(budget(500, fast=50)):
        optimizer.zero_grad()
        moon_losses(nets, x, y).sum().backward()
        optimizer.step()
        if penalty != "L2":
            with torch.no_grad():
                for w in nets.weights:
                    w.copy_(F.softshrink(w, 0.01 * lam))
    zeros = np.mean([(w == 0).float().mean().item() for w in nets.weights])
    row = moon_rows(nets).iloc[0]
    losses = f"loss {row['training loss']:.2f} training, {row['fresh loss']:.2f} fresh"
    fig, ax = lab.figure(height=3.4)
    draw_border(ax, nets, f"{penalty}, λ = {lam:.2g}: {losses}, {zeros:.0%} zeros")
    ax.set_ylabel("$x_2$")
    lab.show(
        fig,
        alt=f"Border of a network with {penalty} and λ = {lam:.2g} between two blurred moons: {losses}, "
        f"{zeros:.0%} of its weights are 0.",
    )


# %% [markdown]
# ## What we measured

# %%
nets = widths.groupby("network")[["training loss", "fresh loss", "fresh accuracy"]].mean()
large, coin = nets.loc["64 + 64 units"], math.log(2)
best_lam = strength_means.loc[moon_lam]
loss_lead, accuracy_lead = (verdict[v].iloc[0] for v in ("fresh loss", "fresh accuracy"))
top = peaks.set_index(["prior", "samples"])["top of the posterior"]
sparse = clothes_leads["accuracy"].set_index("method").loc["L1, proximal"]

with Claims(data) as claim:
    claim(
        "one unit under-fits: training and fresh loss within 0.1 of each other, both above 0.3",
        abs(nets.diff(axis=1).loc["1 unit", "fresh loss"]) < 0.1
        and nets.loc["1 unit"].drop("fresh accuracy").min() > 0.3,
    )
    claim(
        "64 + 64 units over-fit: training loss below 0.03, fresh loss above that of a coin",
        large["training loss"] < 0.03 and large["fresh loss"] > coin,
        weaker=large["fresh loss"] > large["training loss"] + 0.1,
    )
    claim(
        "from the best width to the largest: accuracy less than 6 points down, loss more than 3 times up",
        nets["fresh accuracy"].max() - large["fresh accuracy"] < 0.06
        and large["fresh loss"] > 3 * nets["fresh loss"].min(),
        weaker=nets["fresh accuracy"].max() - large["fresh accuracy"] < 0.1,
    )
    claim(
        "the best λ is 0.003 or 0.01; there the two losses are within 0.2 of each other, the fresh one below 0.32",
        moon_lam in (0.003, 0.01)
        and abs(best_lam["fresh loss"] - best_lam["training loss"]) < 0.2
        and best_lam["fresh loss"] < 0.32,
        weaker=moon_lam in (1e-4, 0.01),
    )
    claim(
        "with λ = 0.1 the fresh loss is within 0.15 of a coin's",
        abs(strength_means.loc[0.1, "fresh loss"] - coin) < 0.15,
    )
    claim(
        "on test points the best λ lowers the loss (by more than 0.8, interval below 0) and raises the mean accuracy",
        loss_lead["mean"] < -0.8 and loss_lead.high < 0 and accuracy_lead["mean"] > 0,
        weaker=loss_lead["mean"] < 0,
    )
    claim(
        "SGD, momentum, Adam: λ = 2⁻⁷ in the loss and weight_decay = 2λ agree to the last bit, λ = 0.01 within 1e-5",
        all(
            gaps[rule, 2**-7, "wd = 2λ"] == 0 and gaps[rule, 0.01, "wd = 2λ"] < 1e-5
            for rule in list(OPTIMIZERS)[:3]
        ),
    )
    claim(
        "wd = λ is wrong by more than 0.005 everywhere, and so is AdamW in all cases",
        gaps.xs("wd = 1λ", level="wd").min() > 0.005 and gaps["AdamW"].min() > 0.005,
    )
    claim(
        "bias charged: 13.6 °C from Celsius, −11 from kelvin; spared: 15 from both",
        abs(noon["°C", False] - 13.6) < 0.05
        and abs(noon["K", False] + 11.2) < 0.05
        and all(abs(noon[unit, True] - 15) < 1e-9 for unit in ("°C", "K")),
    )
    claim(
        "weights ten times smaller before batch norm: output changed by less than 2 %",
        norm_change < 0.02,
    )
    claim(
        "one weight: 0.2, 0.125, hovering within 0.06 of 0, exactly 0",
        abs(pulled["none"][-1] - 0.2) < 1e-4
        and abs(pulled["L2"][-1] - 0.125) < 1e-4
        and 0.001 < np.abs(pulled["L1, gradient"][-50:]).max() < 0.06
        and (pulled["L1, proximal"][-50:] == 0).all(),
    )
    claim(
        "weight decay and L1 in the loss give no exact zeros, at no λ tried (below 0.1 %)",
        max(clothes_table.zeros["weight decay"], tuning["L1 in the loss"].zeros.max()) < 0.1,
    )
    claim(
        "the proximal step: 82 to 95 % exact zeros for less than 4 points of accuracy, and a lower loss",
        82 < clothes_table.zeros["L1, proximal"] < 95
        and sparse["mean"] > -4
        and clothes_table.loss["L1, proximal"] < clothes_table.loss["none"] - 0.1,
        weaker=clothes_table.zeros["L1, proximal"] > 20,
    )
    claim("penalty = −log prior: the gradients agree (1e-12)", max(dictionary.values()) < 1e-12)
    claim(
        "two samples: the top is near 0.34 under the Gaussian, 0 under the Laplace prior; a hundred: within 0.04 of 0.53",
        abs(top["gaussian", 2] - 0.338) < 0.002
        and abs(top["laplace", 2]) < 0.002
        and max(abs(top["gaussian", 100] - 0.53), abs(top["laplace", 100] - 0.53)) < 0.04,
    )
    claim(
        "the evidence finds degree 2 in 70 to 97 % of the sets, the training error never",
        0.7 < right_degree["log evidence"] < 0.97 and right_degree["training error"] == 0,
    )
    claim(
        "degree 9: MLE off by more than 5, MAP by less than 0.5",
        polynomial_medians.loc[9, "error, MLE"] > 5
        and polynomial_medians.loc[9, "error, MAP"] < 0.5,
    )
    claim(
        "nothing trained afterwards: half can be cut for less than 2 points, 95 % cost more than 12",
        cut_means["smallest, no training"][0.0]
        - cut_means["smallest, no training"].get(50.0, 0)
        < 2
        and cut_means["smallest, no training"][0.0]
        - cut_means["smallest, no training"].get(95.0, 0)
        > 12,
        weaker=cut_means["smallest, no training"][90.0]
        < cut_means["smallest, no training"][0.0] + 5,
    )
    claim(
        "trained on: up to 95 % cut at a loss of less than 2 points, 98 % lose more than 2",
        (cut_cost[cut_cost.cut <= 95]["mean"] > -2).all()
        and (cut_cost[cut_cost.cut > 97]["mean"] < -2).all(),
        weaker=(cut_cost[cut_cost.cut <= 95]["mean"] > -25).all(),
    )
    claim(
        "95 % cut, trained on: the smallest are ahead of random ones by more than 4 points",
        cut_means["smallest, trained on"].get(95.0, 0)
        > cut_means["random, trained on"].get(95.0, 0) + 4,
        weaker=cut_means["smallest, trained on"][90.0]
        > cut_means["random, trained on"][90.0] - 5,
    )
    claim(
        "proximal L1, trained on without the penalty: within 2.5 points of the dense network",
        abs(survivors.accuracy.mean() - clothes_table.accuracy["none"]) < 2.5,
        weaker=survivors.accuracy.mean() > clothes_table.accuracy["none"] - 15,
    )

# %% [markdown]
# ## In short
#
# | penalty | prior | pull | minimum | in PyTorch |
# |---|---|---|---|---|
# | L2, $\lambda\sum w^2$ | Gaussian | $2\lambda w$, fades | all smaller, none 0 | `SGD(..., weight_decay=2λ)`; with Adam rather `AdamW` |
# | L1, $\lambda\sum\lvert w\rvert$ | Laplace | $\lambda\,\mathrm{sign}(w)$, constant | many exactly 0 | own step, then `F.softshrink(w, lr * λ)` |
# | pruning | – | none | the smallest cut | `prune.global_unstructured(...)`, train on |
#
# - Over-fitting is a gap between training and fresh data. It shows in the loss long before it shows in the accuracy.
# - Spare biases and normalisation layers: parameter groups.
# - The gradient of L1 never gives a zero; its soft threshold does.
# - Loss = −log likelihood, penalty = −log prior; with a mean loss, the same belief is a λ that falls with $1/n$.
# - Zeros save memory in a sparse format. They save time only where hardware and library make use of them.
#
# **Read on.** Hoerl and Kennard (1970), *Ridge regression*. Krogh and Hertz (1992), *A simple weight decay can improve generalization*. Tibshirani (1996), *Regression shrinkage and selection via the lasso*. MacKay (1992), *Bayesian interpolation*. Daubechies, Defrise and De Mol (2004), on the proximal iteration. Van Laarhoven (2017), *L2 regularization versus batch and weight normalization*.
# Loshchilov and Hutter (2019), *Decoupled weight decay regularization*. Han, Pool, Tran and Dally (2015), *Learning both weights and connections*; Frankle and Carbin (2019), *The lottery ticket hypothesis*. The next lesson switches units off at random, and asks a network for its doubts.

# %%
lab.show_progress("ch05")
