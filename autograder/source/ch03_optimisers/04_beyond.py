# ---
# jupyter:
#   lesson:
#     title: Beyond first order, and which one?
#     minutes: 95
# ---

# %% [markdown]
# A course on deep learning that many people have taken shows a table: nine optimisers, one network, one run each. Plain SGD reaches 87 % on clothes,
# Adam 42 %, AdamW and NAdam about 20 %. The table is real, and anybody can reproduce it. It is also worthless, and at the end of this lesson you can say
# exactly why, and put a better one beside it.
#
# You have built all of these rules yourself by now, so from here on we use PyTorch's. Two questions are left: can a method that looks at *curvature* do better
# than all of them, and which optimiser should you take? You will
#
# - race eight rules through one valley,
# - write Newton's step, see what it is worth and why nobody trains networks with it,
# - multiply by a Hessian that would not fit into your memory,
# - meet the rules that buy a little curvature for a little money: L-BFGS, Shampoo, Muon, and Lion, which buys none,
# - write a fair race, and build for each rule a landscape on which it wins.
#
# You need: the three lessons before this one, gradients and eigenvalues.

# %% role="setup"
import math
import time
from functools import partial

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

_ = torch.set_flush_denormal(True)

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
n_classes = len(data.classes)
data

# %% [markdown]
# ## Eight rules, one valley
#
# Rosenbrock's banana is a valley along the parabola $y = x^2$: steep across, nearly flat along, and bent, so that yesterday's direction is wrong today.
# We take a mild form of it,
#
# $$f(x, y) = (1 - x)^2 + 10\,(y - x^2)^2,$$
#
# with its minimum of 0 at $(1, 1)$, and start at $(-1.5, 1.5)$, up on the other arm. Each rule walks 80 steps on exact gradients, at **its own best rate**: the one
# of a fine grid that ends lowest.
#
# **Predict, then run.** Which of the eight ends lowest? Which one hardly arrives?


# %%
def valley(w):
    """Rosenbrock's valley, a tenth as steep as the original; w (..., 2) -> (...)."""
    x, y = w[..., 0], w[..., 1]
    return (1 - x) ** 2 + 10 * (y - x**2) ** 2


optim = torch.optim
RULES = {
    "SGD": lambda p, lr: optim.SGD(p, lr=lr),
    "momentum": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9),
    "Nesterov": lambda p, lr: optim.SGD(p, lr=lr, momentum=0.9, nesterov=True),
    "AdaGrad": lambda p, lr: optim.Adagrad(p, lr=lr),
    "RMSProp": lambda p, lr: optim.RMSprop(p, lr=lr),
    "Adadelta": lambda p, lr: optim.Adadelta(p, lr=lr),
    "Adam": lambda p, lr: optim.Adam(p, lr=lr),
    "NAdam": lambda p, lr: optim.NAdam(p, lr=lr),
    "AdaMax": lambda p, lr: optim.Adamax(p, lr=lr),
    "AdamW": lambda p, lr: optim.AdamW(p, lr=lr),
}
WALKERS = list(RULES)[:8]
walk_start, walk_steps = (-1.5, 1.5), 80


def walk(rule, lr, surface=valley, steps=walk_steps):
    """The path of a rule and the losses along it; nan from where it left the finite numbers."""
    path = lab.descend(surface, walk_start, lambda p: RULES[rule](p, lr), steps)
    return path, surface(path)


def end_of(rule, lr):
    last = walk(rule, lr)[1][-1].item()
    return last if math.isfinite(last) else math.inf


walk_rates = np.geomspace(1e-3, 100, budget(26, fast=11)).round(5).tolist()
trials = pd.DataFrame(
    [{"rule": rule, "lr": lr, "end": end_of(rule, lr)} for rule in WALKERS for lr in walk_rates]
)
tuned_walk = trials.loc[trials.groupby("rule", sort=False).end.idxmin()].set_index("rule")
paths = {rule: walk(rule, tuned_walk.lr[rule]) for rule in WALKERS}
below = {
    rule: int((losses < 0.01).nonzero()[0]) if (losses < 0.01).any() else None
    for rule, (_, losses) in paths.items()
}
tuned_walk.assign(first_below_001=pd.Series(below, dtype="Int64")).rename(
    columns={
        "lr": "best rate",
        "end": "loss after 80 steps",
        "first_below_001": "steps to 0.01",
    }
)

# %%
LEVELS = np.geomspace(0.03, 60, 12)


def moving_race(paths, frames):
    """A figure of all walkers on the valley and the function that moves it on."""
    fig, ax = lab.figure(height=4.2)
    lab.contours(ax, valley, (-2, 2), (-1, 3), levels=LEVELS)
    ax.plot(1, 1, "k*", markersize=13)
    lines = []
    for index, rule in enumerate(paths):
        lines += ax.plot(
            [], [], label=rule, markevery=[-1], markersize=7, **lab.line_style(index)
        )
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, handlelength=3)
    ax.set(xlabel="x", ylabel="y")

    def draw(frame):
        step = round(walk_steps * (frame + 1) / frames)
        for line, (path, _) in zip(lines, paths.values(), strict=True):
            line.set_data(path[: step + 1, 0], path[: step + 1, 1])
        ax.set_title(f"Each at its own best rate, step {step}")

    return fig, draw


frames = budget(36, fast=6)
lab.animate(
    *moving_race(paths, frames),
    frames,
    alt="Eight optimisers walk through a bent valley from the upper left to the star at (1, 1). Some "
    "jump straight to the floor of the valley, some overshoot and swing back; those with momentum "
    "run along the floor, plain SGD and Adadelta creep.",
)


# %%
def plot_paths(paths):
    fig, axes = lab.figure(2, 4, height=2.1)
    for index, (ax, (rule, (path, losses))) in enumerate(
        zip(axes.flat, paths.items(), strict=True)
    ):
        lab.contours(ax, valley, (-2, 2), (-1, 3), levels=LEVELS)
        ax.plot(1, 1, "k*", markersize=9)
        style = lab.line_style(index) | {"linestyle": "-"}
        ax.plot(path[:, 0], path[:, 1], markersize=3, linewidth=1, **style)
        ax.set_title(f"{rule}: {losses[-1]:.1g}", fontsize=10)
        ax.label_outer()
    return fig


lab.show(
    plot_paths(paths),
    alt="Eight panels with the contours of the valley and the path of one rule each, the final loss "
    "in the title. Every rule reaches the floor of the valley soon; how far along the bend it then "
    "comes in 80 steps is what tells them apart.",
)

# %% [markdown]
# Nesterov runs along the floor as on rails and ends lowest. Plain SGD and Adadelta find the floor at once and then creep: along it there is hardly any slope. Momentum gets there too, by way of every wall. The adaptive rules
# take the large rates that a *final* loss rewards: AdaGrad leaves the picture in one step and is back with the next, Adam makes a wide turn, and RMSProp, whose steps do not shrink as the slope does, ends up hopping across the floor.
#
# Before you write home about the winner: this is *one* surface, *one* start and *one* budget. On the roundest of all surfaces, $\lVert w\rVert^2$, the ranking of the last
# lessons turns over.


# %%
def round_bowl(w):
    """‖w‖², whose contours are circles."""
    return w.square().sum(-1)


def plot_round():
    fig, axes = lab.figure(1, 2, height=3.4)
    for index, (ax, beta) in enumerate(zip(axes, (0.0, 0.9), strict=True)):
        lab.contours(ax, round_bowl, (-2, 2), (-2, 2), levels=9)
        rolling = partial(optim.SGD, lr=0.1, momentum=beta)
        path = lab.descend(round_bowl, (-1.5, 1.5), rolling, 40)
        ax.plot(path[:, 0], path[:, 1], markersize=4, **lab.line_style(index))
        title = f"momentum {beta:g}: {round_bowl(path[-1]):.1e} after 40 steps"
        ax.set(xlabel="$w_1$", ylabel="$w_2$", title=title, aspect="equal")
    return fig


lab.show(
    plot_round(),
    alt="Circular contours. Without momentum the path runs straight into the centre. With momentum "
    "0.9 it runs through the centre, up the other side and back, several times.",
)

# %% [markdown]
# On circles the negative gradient points at the minimum from everywhere. There is nothing for momentum to smooth, and what it adds is overshoot: the path runs through the minimum and swings.
# Keep that in mind for the end of the lesson.

# %% [markdown]
# ## Newton: ask the curvature
#
# All rules so far know the slope $g = \nabla L(w)$ and guess the rest. Suppose we knew the **Hessian** too, the matrix of second derivatives,
# $H_{ij} = \partial^2 L / \partial w_i \partial w_j$. Then near $w$
#
# $$L(w + d) \approx L(w) + g^\top d + \tfrac12\, d^\top H d,$$
#
# and we can ask where this parabola is flat. Set its gradient $g + H d$ to zero:
#
# $$w \leftarrow w - H^{-1} g$$
#
# That is Newton's step. It has no learning rate: each direction is divided by its own curvature, so a bowl 1,000 times as steep one way as the other is no harder
# than a round one. If $L$ *is* a parabola, a single step lands on its flat point.
#
# Two practical remarks. One does not invert $H$: solving $H d = g$ is cheaper and more accurate. And PyTorch differentiates its own gradients, so you need not do
# second derivatives by hand: see `torch.func.hessian`, or `torch.autograd.grad(..., create_graph=True)`, whose results can be differentiated again.

# %% [markdown] role="card" exercise="newton_step" level=2 minutes=10 topic="Second order" doc="https://docs.pytorch.org/docs/stable/generated/torch.func.hessian.html"
# ### Newton's step
#
# Return $w - H^{-1} g$ for a loss of a vector. `loss` is a function that maps a tensor of shape `(n,)` to a tensor with a single number, made of PyTorch's operations. Use the whole
# Hessian, not its diagonal. You may take it to be invertible.
#
# The result is a new tensor of `w`'s shape and dtype, **without a graph** (its `requires_grad` is `False`). Leave `w` as it is: its values, its `requires_grad`, which may be either, and its
# `.grad`.


# %% role="stub" exercise="newton_step"
def newton_step(loss, w: torch.Tensor) -> torch.Tensor:
    """One Newton step for a function of a vector.

    Args:
        loss: maps a tensor (n,) to a tensor () with torch's operations, twice differentiable.
        w: the point (n,), float32 or float64, n at least 1; left as it is.

    Returns:
        w - H⁻¹ g as a new tensor (n,) of w's dtype, without a graph.
    """
    ### BEGIN SOLUTION
    point = w.detach()
    g, hessian = torch.func.grad(loss)(point), torch.func.hessian(loss)(point)
    return point - torch.linalg.solve(hessian, g)
    ### END SOLUTION


# %% role="check" exercise="newton_step"
with Check("newton_step") as check:
    # 1.5a² + ab + b² - 5a - 5b: slope (3a + b - 5, a + 2b - 5), Hessian ((3, 1), (1, 2)), minimum (1, 2).
    def parabola(w):
        return 1.5 * w[0] ** 2 + w[0] * w[1] + w[1] ** 2 - 5 * w.sum()

    w = torch.tensor([4.0, -3.0], requires_grad=True)
    got = newton_step(parabola, w)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2,))
    check.close(
        got,
        torch.tensor([1.0, 2.0]),
        "On this parabola one step from (4, −3) should land on the minimum, (1, 2).",
        known=[
            (torch.tensor([7.0, -8.0]), "You walk uphill: the step is subtracted."),
            (torch.tensor([3.0, -5.0]), "That is H⁻¹g. The new point is w minus that."),
            (torch.tensor([-3.0, 5.0]), "That is the step alone: add it to w."),
            (
                torch.tensor([0.0, 4.0]),
                "That is a gradient step, w − g; the Hessian is missing.",
            ),
            (torch.tensor([-1.0, 7.0]), "You multiply by H; divide: solve H d = g."),
            (
                torch.tensor([4 - 4 / 3, 0.5]),
                "You divide by the diagonal of H alone; its other entries count too.",
            ),
            (
                torch.tensor([2.4, 1.2]),
                "You use the diagonal of the inverse alone; its other entries count too.",
            ),
        ],
    )
    check.that(not got.requires_grad, "The result still hangs on a graph: detach it.")
    check.that(w.tolist() == [4.0, -3.0], "`w` itself has changed: return a new tensor.")
    check.that(
        w.requires_grad and w.grad is None,
        "Leave `w` as it is: its `requires_grad` or its `.grad` has changed.",
    )
    # Σ w⁴ has slope 4w³ and curvature 12w²: each step takes a third of the way.
    w = torch.tensor([3.0, -6.0, 0.3], dtype=torch.float64)
    got = newton_step(lambda w: (w**4).sum(), w)
    check.that(
        isinstance(got, torch.Tensor) and got.dtype == torch.float64,
        "The dtype of `w` should be kept.",
    )
    check.close(
        got,
        torch.tensor([2.0, -4.0, 0.2], dtype=torch.float64),
        "On Σ w⁴ a step should take every coordinate a third of the way to 0.",
        known=[(torch.zeros(3), "Is it one step? You seem to go on to the minimum.")],
    )
    check.that(not w.requires_grad, "Leave `w` as it is: its `requires_grad` has changed.")
    got = newton_step(lambda w: (w[0] ** 2 - w[1] ** 2) / 2, torch.tensor([3.0, 0.5]))
    check.close(
        got,
        torch.zeros(2),
        "On a saddle Newton's step goes to the flat point, (0, 0), like anywhere else.",
    )


# %% [markdown] role="hints" exercise="newton_step"
# <details><summary>Hint 1: two ingredients</summary>
#
# `torch.func.grad(f)` and `torch.func.hessian(f)` are *functions*: they take a point, and give a vector and a matrix.
#
# </details>
# <details><summary>Hint 2: no graph, nothing touched</summary>
#
# Work with `w.detach()` from the first line on. It shares the numbers of `w` and nothing else, and what you compute from it has no graph.
#
# </details>
# <details><summary>Hint 3: instead of inverting</summary>
#
# `torch.linalg.solve(A, b)` gives the $d$ with $A d = b$, for a matrix $A$ and a vector $b$.
#
# </details>

# %% role="test" exercise="newton_step" points=2
# Graded with hidden tests: parabolas up to condition 10⁶, other functions, saddles, one dimension, dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("newton_step") as test:
    for n, condition in ((1, 1.0), (2, 50.0), (5, 1e4), (12, 1e6)):
        turn = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64)).Q
        A = turn @ torch.diag(torch.logspace(0, math.log10(condition), n).double()) @ turn.T
        A, target = (A + A.T) / 2, torch.randn(n, dtype=torch.float64)
        w = torch.randn(n, dtype=torch.float64) * 3
        before = w.clone()
        slope = A @ (before - target)
        with test.case(f"a parabola of {n} variables, float64"):
            got = newton_step(lambda w, m=A, t=target: (w - t) @ m @ (w - t) / 2, w)
        test.is_a(got, torch.Tensor)
        test.shape(got, (n,))
        test.close(
            got,
            target,
            "On a parabola one step should land on the minimum, however steep it is one way. (In w's own precision?)",
            known=[
                (before - slope / A.diagonal(), "Use the whole Hessian, not its diagonal."),
                (before - slope, "That is a gradient step; the Hessian is missing."),
                (2 * before - target, "You walk uphill: the step is subtracted."),
                (before - target, "That is H⁻¹g alone. The new point is w minus that."),
            ],
            rtol=1e-6,
            atol=1e-6,
        )
        test.that(got.dtype == torch.float64, "The dtype of `w` should be kept.")
        test.that(torch.equal(w, before), "`w` itself has changed: return a new tensor.")
        test.that(
            not w.requires_grad and w.grad is None,
            "Leave `w` as it is: its `requires_grad` or its `.grad` has changed.",
        )

    def bumpy(w):
        return torch.logsumexp(w, 0) + (w**4).sum() / 12 + (w[:-1] * w[1:]).sum() ** 2 + w[0]

    for dtype, tolerance in ((torch.float64, 1e-8), (torch.float32, 2e-3)):
        for requires in (False, True):
            w = torch.tensor([1.0, -0.7, 1.4, 2.2], dtype=dtype, requires_grad=requires)
            exact = w.detach().double()
            g = torch.autograd.functional.jacobian(bumpy, exact)
            H = torch.autograd.functional.hessian(bumpy, exact)
            want = exact - torch.linalg.inv(H) @ g
            with test.case(f"a loss that is no parabola, {dtype}, requires_grad={requires}"):
                got = newton_step(bumpy, w)
            test.shape(got, (4,))
            test.close(
                got,
                want,
                "On a loss that is no parabola the step is not w − H⁻¹g. (In w's own precision, and with all of H?)",
                known=[(exact - g / H.diagonal(), "Use the whole Hessian, not its diagonal.")],
                rtol=tolerance,
                atol=tolerance,
            )
            test.that(got.dtype == dtype, "The dtype of `w` should be kept.")
            test.that(not got.requires_grad, "The result still hangs on a graph: detach it.")
            test.that(
                w.requires_grad == requires and w.grad is None,
                "Leave `w` as it is: its `requires_grad` or its `.grad` has changed.",
            )
            test.that(
                torch.equal(w.detach().double(), exact),
                "`w` itself has changed: return a new one.",
            )
    saddle = newton_step(lambda w: w[0] * w[1] - w[2] ** 2, torch.tensor([2.0, -1.0, 4.0]))
    test.close(
        saddle,
        torch.zeros(3),
        "On a saddle the step should go to the flat point like anywhere else.",
    )
    tiny = newton_step(lambda w: 1e-12 * torch.cosh(w).sum(), torch.ones(2).double())
    test.close(
        tiny,
        (1 - torch.tanh(torch.ones(2))).double(),
        "A loss 1e-12 times as large has the same step: is something added to H?",
    )
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    w.grad = torch.tensor([7.0, 8.0])
    got = newton_step(lambda w: torch.cosh(w).sum(), w)
    test.that(
        w.grad is not None and w.grad.tolist() == [7.0, 8.0],
        "Leave `w` as it is: the `.grad` that it came with has changed.",
    )
    want = w.detach() - torch.tanh(w.detach())
    test.close(got, want, "A `.grad` that `w` came with must not enter the step.", rtol=1e-3)
    strided = torch.tensor([[1.0, 9.0], [2.0, 9.0], [-3.0, 9.0]])[:, 0]
    test.close(
        newton_step(lambda w: torch.cosh(w).sum(), strided),
        torch.tensor([1.0, 2.0, -3.0]) - torch.tanh(torch.tensor([1.0, 2.0, -3.0])),
        "A point that is a column of a matrix should do too.",
        rtol=1e-3,
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="newton_step"
# Substitute $w = Mv$ with any invertible $M$: the gradient becomes $M^\top g$, the Hessian $M^\top H M$, and Newton's step in $v$ is the same step in $w$. The method does not see
# how the variables are scaled or mixed, and that is what makes the condition number irrelevant. Gradient descent depends on both; Adam, which rescales each variable for itself, is (nearly) blind to scaling, not to mixing.
# Nothing in the derivation says *minimum*: the step goes where the parabola is flat.


# %% [markdown]
# ### What it is worth, and where it walks
#
# **Predict, then run.** A bowl in six dimensions has curvatures from 1 to $\kappa$. Gradient descent takes the best possible constant rate, $2/(1+\kappa)$. How many steps does each need to come from
# $10^0$ to within $10^{-6}$ of the minimum, for $\kappa = 10$ and for $\kappa = 10{,}000$?

# %%
with needs("newton_step"):
    rows = []
    for kappa in (10, 100, 1_000, 10_000):
        curvature = torch.logspace(0, math.log10(kappa), 6, dtype=torch.float64)
        w, steps = torch.ones(6, dtype=torch.float64), 0
        while w.abs().max() > 1e-6 and steps < 5:
            w, steps = newton_step(lambda w, c=curvature: (c * w**2).sum() / 2, w), steps + 1
        shrink = (kappa - 1) / (kappa + 1)  # of the slowest coordinates, a step
        rows.append(
            {
                "κ": kappa,
                "gradient descent": math.ceil(math.log(1e-6) / math.log(shrink)),
                "Newton": steps,
            }
        )
    print(pd.DataFrame(rows).to_string(index=False))

# %% [markdown]
# One step, whatever $\kappa$; gradient descent pays in proportion to $\kappa$. Now a landscape with more than a bowl in it. The surface
#
# $$s(x, y) = \tfrac12 x^2 + \tfrac14 y^4 - \tfrac12 y^2$$
#
# has two minima, at $(0, \pm 1)$, and a **saddle** between them at $(0, 0)$, where it curves up along $x$ and down along $y$.
#
# **Predict, then run.** Gradient descent and Newton start at $(1.5,\ 0.2)$, on the slope between the saddle and the upper minimum. Where does each end?


# %%
def two_valleys(w):
    """A saddle at (0, 0) between minima at (0, 1) and (0, -1); w (..., 2) -> (...)."""
    x, y = w[..., 0], w[..., 1]
    return x**2 / 2 + y**4 / 4 - y**2 / 2


def follow(step, surface, start, count):
    """The points that a function `step(surface, w)` visits, (count + 1, 2)."""
    points = [torch.tensor(start, dtype=torch.float64)]
    for _ in range(count):
        points.append(step(surface, points[-1]))
    return torch.stack(points)


def plot_walks(walks):
    fig, ax = lab.figure(height=3.6)
    lab.contours(ax, two_valleys, (-1, 2), (-1.5, 1.5), levels=np.linspace(-0.25, 1.5, 22))
    ax.plot([0, 0], [1, -1], "k*", markersize=13, linestyle="none", label="minima")
    ax.plot(0, 0, "kx", markersize=10, linestyle="none", label="saddle")
    for index, (name, path) in enumerate(walks.items()):
        ax.plot(path[:, 0], path[:, 1], label=name, markersize=6, **lab.line_style(index))
    ax.set(xlabel="x", ylabel="y")
    ax.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False, handlelength=3)
    return fig


gentle = lab.descend(two_valleys, (1.5, 0.2), lambda p: optim.SGD(p, lr=0.3), 30)
with needs("newton_step"):
    newton_path = follow(newton_step, two_valleys, (1.5, 0.2), 6)
    lab.show(
        plot_walks({"gradient descent": gentle, "Newton": newton_path}),
        alt="Contours with a saddle at (0, 0) between two minima at (0, 1) and (0, -1). From (1.5, 0.2) "
        "gradient descent bends up to the minimum at (0, 1). Newton's path goes to the saddle and stays.",
    )

# %% [markdown]
# Newton walks into the saddle and stays there. Along $y$ the curvature is *negative*, and dividing the slope by a negative number turns the step round: uphill. Newton's method seeks flat points of
# any kind, and a loss in many dimensions has far more saddles than minima (Dauphin et al., 2014): with $n$ curvatures, a minimum needs all of them positive.
#
# ## Saddles: keep the size, drop the sign
#
# Dauphin et al. propose what the figure suggests. Take $H$ apart into its eigenvectors $Q$ and curvatures $\lambda_i$, $H = Q\,\mathrm{diag}(\lambda)\,Q^\top$, and divide by their absolute values:
#
# $$w \leftarrow w - Q\,\operatorname{diag}\!\left(\frac{1}{|\lambda_i| + \delta}\right) Q^\top g$$
#
# The **damping** $\delta$ is an old friend of all second-order methods (Levenberg, 1944; Marquardt, 1963). Where a curvature is nearly 0, Newton would jump to the horizon; $\delta$ bounds the step. With $\delta$ much larger than
# all curvatures, what is left is gradient descent with the rate $1/\delta$.

# %% [markdown] role="card" exercise="saddle_free_step" level=2 minutes=10 topic="Second order" doc="https://docs.pytorch.org/docs/stable/generated/torch.linalg.eigh.html"
# ### Away from saddles
#
# Return $w - Q\,\mathrm{diag}\bigl(1/(|\lambda_i| + \delta)\bigr)\,Q^\top g$. The bars are around the **eigenvalues** of the Hessian, not around its entries, and $\delta \ge 0$ stands outside of them. With $\delta > 0$ the Hessian may be singular; with
# $\delta = 0$ you may take it to be invertible.
#
# As before: `loss` maps `(n,)` to one number; the result is new, of `w`'s shape and dtype, without a graph; `w` is left as it is.


# %% role="stub" exercise="saddle_free_step"
def saddle_free_step(loss, w: torch.Tensor, damping: float = 1e-3) -> torch.Tensor:
    """One damped step of saddle-free Newton (Dauphin et al., 2014).

    Args:
        loss: maps a tensor (n,) to a tensor () with torch's operations, twice differentiable.
        w: the point (n,), float32 or float64, n at least 1; left as it is.
        damping: δ, added to each absolute eigenvalue; at least 0.

    Returns:
        The new point (n,) of w's dtype, without a graph.
    """
    ### BEGIN SOLUTION
    w = w.detach()
    values, vectors = torch.linalg.eigh(torch.func.hessian(loss)(w))
    along = vectors.T @ torch.func.grad(loss)(w)
    return w - vectors @ (along / (values.abs() + damping))
    ### END SOLUTION


# %% role="check" exercise="saddle_free_step"
with Check("saddle_free_step") as check:
    # a²/2 - 2ab + b²/2 curves by -1 along (1, 1) and by 3 along (1, -1): two numbers, each for itself.
    def ridge(w):
        return (w[0] ** 2 + w[1] ** 2) / 2 - 2 * w[0] * w[1]

    def point(sum_part, difference_part):
        return torch.tensor([sum_part + difference_part, sum_part - difference_part])

    w = point(2.0, 1.0).requires_grad_()
    got = saddle_free_step(ridge, w, damping=0.25)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2,))
    check.close(
        got,
        point(3.6, 1 / 13),
        "Along (1, 1), with curvature −1, the point should move from 2 to 2 + 2/1.25; along (1, −1), with curvature 3, "
        "from 1 to 1 − 3/3.25.",
        known=[
            (
                point(-2 / 3, 1 / 13),
                "The signs of the curvatures are still there: take their absolute values.",
            ),
            (
                point(2 + 2 / 0.75, 1 / 13),
                "Damping stands outside of the bars: |λ| + δ, not |λ + δ|.",
            ),
            (
                point(10.0, 1 / 13),
                "Negative curvatures were cut off at 0; the size |λ| should be kept.",
            ),
            (
                point(4.0, 0.0),
                "The damping makes no difference here: it is added to every |λ|, no lower limit for them.",
            ),
            (point(0.0, 0.0), "That is Newton's step, into the saddle."),
            (
                point(2 + 2 / 3.25, 5.0),
                "You took absolute values of the entries of H. They belong around its eigenvalues.",
            ),
            (point(2 - 1.6, 1 + 12 / 13), "You walk uphill: the step is subtracted."),
            (point(-1.6, 12 / 13), "That is the step alone; the new point is w minus it."),
            (
                point(2 + 2 * 1.25, 1 - 3 * 3.25),
                "You multiply by |λ| + δ. Divide by it.",
            ),
        ],
    )
    check.that(not got.requires_grad, "The result still hangs on a graph: detach it.")
    check.close(w.detach(), point(2.0, 1.0), "`w` itself has changed: return a new tensor.")
    check.that(
        w.requires_grad and w.grad is None,
        "Leave `w` as it is: its `requires_grad` or its `.grad` has changed.",
    )
    w = point(2.0, 1.0).double()
    got = saddle_free_step(ridge, w)
    check.that(
        isinstance(got, torch.Tensor) and got.dtype == torch.float64,
        "The dtype of `w` should be kept.",
    )
    check.close(
        got,
        point(2 + 2 / 1.001, 1 - 3 / 3.001).double(),
        "Without `damping` the default, 0.001, should be used.",
        known=[(point(4.0, 0.0).double(), "The default damping of 0.001 is not used.")],
        rtol=1e-6,
    )
    # A Hessian whose eigenvectors are no mirror image of themselves: Q and its transpose differ.
    hill = torch.tensor(
        [[2.0, 1.0, 0.0], [1.0, -3.0, 2.0], [0.0, 2.0, 1.0]], dtype=torch.float64
    )
    w = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    got = saddle_free_step(lambda w: w @ hill @ w / 2, w, damping=0.5)
    # The root of H² has the eigenvalues |λ|.
    values, vectors = torch.linalg.eig((hill @ hill).to(torch.complex128))
    size = (vectors @ torch.diag(values**0.5) @ torch.linalg.inv(vectors)).real
    check.close(
        got,
        w - torch.linalg.inv(size + 0.5 * torch.eye(3)) @ hill @ w,
        "Three weights with a Hessian of no special form: the step is off. Is it Qᵀ that turns g, and Q that turns back?",
    )
    flat = saddle_free_step(
        lambda w: w[0] ** 2 + 0 * w[1], torch.tensor([1.0, 5.0]), damping=2.0
    )
    check.close(
        flat,
        torch.tensor([0.5, 5.0]),
        "With damping, a direction without any curvature (a singular Hessian) must not hurt.",
    )


# %% [markdown] role="hints" exercise="saddle_free_step"
# <details><summary>Hint 1: which decomposition?</summary>
#
# A Hessian is symmetric. `torch.linalg.eigh` is made for symmetric matrices: it returns the eigenvalues, and the eigenvectors as the *columns* of a matrix.
#
# </details>
# <details><summary>Hint 2: read the formula from the right</summary>
#
# $Q^\top g$ says how much slope there is along each eigenvector. Divide each of these numbers by its own $|\lambda_i| + \delta$. $Q$ turns the result back.
#
# </details>

# %% role="test" exercise="saddle_free_step" points=2
# Graded with hidden tests: bowls, saddles and flat directions, large and no damping, dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("saddle_free_step") as test:
    for n, damping in ((1, 0.5), (2, 0.0), (4, 1e-3), (7, 0.3), (7, 1e4)):
        turn = torch.linalg.qr(torch.randn(n, n, dtype=torch.float64)).Q
        bend = torch.linspace(-2.0, 5.0, n + 1, dtype=torch.float64)[:n] + 0.1
        A = turn @ torch.diag(bend) @ turn.T
        A, w = (A + A.T) / 2, torch.randn(n, dtype=torch.float64)
        before, inside = w.clone(), turn.T @ w
        with test.case(
            f"{n} curvatures from {bend[0]:.2g} to {bend[-1]:.2g}, damping={damping:g}"
        ):
            got = saddle_free_step(lambda w, m=A: w @ m @ w / 2, w, damping=damping)
        test.is_a(got, torch.Tensor)
        test.shape(got, (n,))
        size = bend.abs() + damping
        test.close(
            got,
            turn @ (inside * (1 - bend / size)),
            "The step is not Q diag(1/(|λ| + δ)) Qᵀ g, subtracted from w.",
            known=[
                (
                    turn @ (inside * (1 - bend / (bend + damping))),
                    "The signs of the curvatures are still there: take their absolute values.",
                ),
                (
                    turn @ (inside * (1 - bend / (bend + damping).abs())),
                    "Damping stands outside of the bars: |λ| + δ, not |λ + δ|.",
                ),
                (
                    turn @ (inside * (1 - bend.sign())),
                    "The damping makes no difference here: it is added to every |λ|.",
                ),
                (
                    turn @ (inside * (1 - bend / (bend.abs() + 1e-3))),
                    "The default damping was used in place of the one given (0 counts too).",
                ),
                (
                    turn @ (inside * (1 + bend / size)),
                    "You walk uphill: the step is subtracted.",
                ),
            ],
            rtol=1e-6,
            atol=1e-8,
        )
        test.that(got.dtype == torch.float64, "The dtype of `w` should be kept.")
        test.that(torch.equal(w, before), "`w` itself has changed: return a new tensor.")

    def bumpy(w):
        return torch.sin(w).sum() + (w[:-1] * w[1:]).sum() + torch.logsumexp(2 * w, 0)

    for dtype, tolerance in ((torch.float64, 1e-8), (torch.float32, 1e-3)):
        for requires in (False, True):
            w = torch.tensor([0.4, -1.1, 2.0], dtype=dtype, requires_grad=requires)
            exact = w.detach().double()
            g = torch.autograd.functional.jacobian(bumpy, exact)
            H = torch.autograd.functional.hessian(bumpy, exact)
            U, S, _ = torch.linalg.svd(H)  # |H| = U S Uᵀ for a symmetric H
            want = exact - torch.linalg.solve(U @ torch.diag(S) @ U.T + 1e-3 * torch.eye(3), g)
            with test.case(f"a loss that is no parabola, default damping, {dtype}"):
                got = saddle_free_step(bumpy, w)
            test.shape(got, (3,))
            test.close(
                got,
                want,
                "On a loss that is no parabola, with the default damping, the step is off. (In w's own precision?)",
                rtol=tolerance,
                atol=tolerance,
            )
            test.that(got.dtype == dtype, "The dtype of `w` should be kept.")
            test.that(not got.requires_grad, "The result still hangs on a graph: detach it.")
            test.that(
                w.requires_grad == requires and w.grad is None,
                "Leave `w` as it is: its `requires_grad` or its `.grad` has changed.",
            )
            test.that(torch.equal(w.detach().double(), exact), "`w` itself has changed.")
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    w.grad = torch.tensor([7.0, 8.0])
    got = saddle_free_step(lambda w: torch.cosh(w).sum(), w, damping=1.0)
    test.that(
        w.grad is not None and w.grad.tolist() == [7.0, 8.0],
        "Leave `w` as it is: the `.grad` that it came with has changed.",
    )
    want = w.detach() - torch.sinh(w.detach()) / (torch.cosh(w.detach()) + 1)
    test.close(got, want, "A `.grad` that `w` came with must not enter the step.", rtol=1e-3)
    still = saddle_free_step(lambda w: (w**4).sum(), torch.zeros(3), damping=0.1)
    test.close(still, torch.zeros(3), "Where slope and curvature are 0, the point should stay.")
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="saddle_free_step"
# Along each eigenvector the parabola is a curve of one variable, $\lambda_i t^2/2 + g_i t$, and $-g_i/|\lambda_i|$ is always downhill: towards the flat point where the curve is a valley, away from it where it is a hill. In the first case the step
# is Newton's; in the second it has Newton's length and the opposite sign. Dauphin et al. justify the length with a trust region: it is how far one may go until the linear model of the loss is off by a given amount.

# %%
with needs("newton_step", "saddle_free_step"):
    walks = {
        "gradient descent": gentle,
        "Newton": follow(newton_step, two_valleys, (1.5, 0.2), 6),
        "saddle-free": follow(saddle_free_step, two_valleys, (1.5, 0.2), 6),
    }
    lab.show(
        plot_walks(walks),
        alt="The same contours. The saddle-free path turns away from the saddle at (0, 0) and reaches the "
        "minimum at (0, 1) in a few steps; Newton's ends in the saddle, gradient descent takes many "
        "more steps to the same minimum.",
    )

# %% [markdown]
# ## The price
#
# So why does nobody train networks like this? Count.

# %%
# One network for the rest of the lesson: 784-100-100-10, ReLU, PyTorch's own initialisation.


def network():
    return nn.Sequential(
        *(nn.Linear(784, 100), nn.ReLU(), nn.Linear(100, 100), nn.ReLU()),
        nn.Linear(100, n_classes),
    )


n_parameters = sum(
    math.prod(shape) + shape[0] for shape in ((100, 784), (100, 100), (n_classes, 100))
)
print(f"parameters of 784-100-100-{n_classes}: {n_parameters:,}")
print(
    f"entries of the Hessian: {n_parameters**2:.2e}, in float32 {4 * n_parameters**2 / 1e9:.0f} GB"
)
print(f"multiplications to solve H d = g, about n³/3: {n_parameters**3 / 3:.1e}")

# %% [markdown]
# A network that fits on a floppy disk has a Hessian of 32 GB, and solving with it takes $10^{14}$ operations: for one step, and on the gradient of a minibatch that will be different next time.
#
# But often one does not need the matrix, only what it *does* to a vector. Pearlmutter (1994) saw that this costs no more than a few gradients. $Hv$ is the derivative of the gradient in direction $v$,
#
# $$Hv = \left.\frac{\mathrm d}{\mathrm d t}\, \nabla L(w + t v)\right|_{t=0} = \nabla_w\bigl(\nabla L(w)^\top v\bigr),$$
#
# and both forms can be had exactly from automatic differentiation: the left one by one pass forward through the gradient, the right one by differentiating a single number, $g^\top v$, once more.

# %% role="setup"


class Meter(TorchDispatchMode):
    """Watches the tensor operations of a `with` block, those of backward passes too, and stops it at a limit."""

    def __init__(self, operations=1_000, entries=20_000):
        super().__init__()
        self.left, self.entries = operations, entries

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        result = function(*args, **(kwargs or {}))
        self.left -= 1
        if self.left < 0:
            raise RuntimeError("far too many operations; are the rows of H taken one by one?")
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor) and leaf.numel() > self.entries:
                raise RuntimeError(
                    "a tensor of far too many entries; is the whole of H formed?"
                )
        return result


# %% [markdown] role="card" exercise="hessian_vector" level=2 minutes=10 topic="Second order" doc="https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html"
# ### Times the Hessian, without the Hessian
#
# Return $Hv$, **exactly** (no finite differences), for a `loss` that maps `w` to one number and is not linear. Here `w` may have any shape, and `v` and the result have the same one; if you lay all of them out as vectors, it is an ordinary product.
#
# Never form $H$, and do not go through its rows one by one. With 1,000 weights the tests allow tensors of up to 20,000 entries ($H$ has a million) and 1,000 tensor operations (a pass for each row takes several thousand). `Meter` in the cell
# above counts both, and stops your code with an error where it goes beyond.
#
# The result is a new tensor of `w`'s dtype without a graph. Leave `w` and `v` as they are: values, `requires_grad`, `.grad`.


# %% role="stub" exercise="hessian_vector"
def hessian_vector(loss, w: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
    """The product of the loss's Hessian at `w` with `v` (Pearlmutter, 1994), in the memory of a few gradients.

    Args:
        loss: maps a tensor of w's shape to a tensor () with torch's operations, twice differentiable.
        w: the point, of any shape, float32 or float64; left as it is.
        v: the direction, of w's shape and dtype; left as it is.

    Returns:
        H v as a new tensor of w's shape and dtype, without a graph.
    """
    ### BEGIN SOLUTION
    w = w.detach().requires_grad_()  # a new tensor, on the same numbers
    (slope,) = torch.autograd.grad(loss(w), w, create_graph=True)
    return torch.autograd.grad(slope, w, grad_outputs=v.detach())[0]
    ### END SOLUTION


# %% role="check" exercise="hessian_vector"
with Check("hessian_vector") as check:
    # a²b + 3b² at (1, 2): slope (4, 13), Hessian ((4, 2), (2, 6)).
    w, v = torch.tensor([1.0, 2.0]), torch.tensor([1.0, -1.0])
    with check.case("two weights without requires_grad; the slope has to keep its graph"):
        got = hessian_vector(lambda w: w[0] ** 2 * w[1] + 3 * w[1] ** 2, w, v)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2,), "H v is a vector, with one entry for each weight.")
    check.close(
        got,
        torch.tensor([2.0, -4.0]),
        "((4, 2), (2, 6)) times (1, −1) should be (2, −4).",
        known=[
            (torch.tensor([6.0, 8.0]), "That is H times a vector of ones: where is v?"),
            (
                torch.tensor([4.0, -6.0]),
                "That is the diagonal of H times v; the rest counts too.",
            ),
            (
                torch.tensor([4.0, -13.0]),
                "That is the gradient times v, not differentiated again.",
            ),
            (torch.tensor([6.0, -8.0]), "You sum the rows of H first, then multiply by v."),
            (torch.tensor([4.0, 13.0]), "That is the gradient."),
        ],
    )
    check.that(not got.requires_grad, "The result still hangs on a graph: detach it.")
    check.that(
        not w.requires_grad and w.grad is None,
        "Leave `w` as it is: its `requires_grad` or its `.grad` has changed.",
    )
    matrix = torch.arange(6.0, dtype=torch.float64).view(2, 3)
    w = (matrix / 7).requires_grad_()
    with check.case("w and v of shape (2, 3): any shape will do"):
        got = hessian_vector(lambda w: torch.exp(2 * w).sum(), w, matrix)
    check.shape(got, (2, 3), "`w` may have any shape, and the result has the same.")
    check.that(got.dtype == torch.float64, "The dtype of `w` should be kept.")
    check.close(
        got,
        4 * matrix * torch.exp(2 * matrix / 7),
        "The product is close, not exact: no finite differences, and no float32 on the way.",
        rtol=1e-10,
        atol=1e-10,
    )
    check.that(not got.requires_grad, "The result still hangs on a graph: detach it.")
    check.that(
        w.requires_grad and w.grad is None,
        "Leave `w` as it is: its `requires_grad` or its `.grad` has changed.",
    )
    check.that(
        torch.equal(w.detach(), matrix / 7) and matrix[1, 2] == 5,
        "`w` or `v` itself has changed.",
    )
    with check.case("1,000 weights, the meter running"), Meter():
        hessian_vector(
            lambda w: (w[1:] * w[:-1]).sin().sum(), torch.ones(1_000), torch.ones(1_000)
        )


# %% [markdown] role="hints" exercise="hessian_vector"
# <details><summary>Hint 1: a gradient that remembers</summary>
#
# `torch.autograd.grad(loss(w), w, create_graph=True)` gives a gradient that can itself be differentiated. `w` must require gradients for that; `w.detach().requires_grad_()` is a new tensor on the same numbers, so that the caller's
# `w` stays as it is.
#
# </details>
# <details><summary>Hint 2: one number to differentiate</summary>
#
# $Hv$ is the gradient of the number $g^\top v$, with $v$ held constant. Differentiating each $g_i$ for itself would give $H$ row by row.
#
# </details>
# <details><summary>Hint 3: nearly there</summary>
#
# `torch.autograd.grad(outputs, inputs, grad_outputs=...)` multiplies each output by the number that you give, sums, and differentiates. It always returns a tuple.
#
# </details>

# %% role="test" exercise="hessian_vector" points=2
# Graded with hidden tests: other losses and shapes, exactness in float64, memory and operations counted.
### BEGIN HIDDEN TESTS
with HiddenTest("hessian_vector") as test:

    def mixed(w):
        flat = w.flatten()
        return (
            torch.logsumexp(flat, 0) * flat[0]
            + (flat[:-1] * flat[1:]).sin().sum()
            + flat[-1] ** 3
        )

    for shape in ((2,), (5,), (3, 4), (2, 1, 3)):
        for dtype, tolerance in ((torch.float64, 1e-12), (torch.float32, 1e-4)):
            for requires in (False, True):
                w = torch.randn(shape, dtype=dtype, requires_grad=requires)
                v = torch.randn(shape, dtype=dtype)
                exact, direction = w.detach().double().clone(), v.double().clone()
                size = exact.numel()
                H = torch.autograd.functional.hessian(mixed, exact).reshape(size, size)
                g = torch.autograd.functional.jacobian(mixed, exact)
                with test.case(f"w of shape {shape}, {dtype}, requires_grad={requires}"):
                    got = hessian_vector(mixed, w, v)
                test.is_a(got, torch.Tensor)
                test.shape(got, shape)
                test.close(
                    got,
                    (H @ direction.flatten()).reshape(shape),
                    "The product is not H v. (It should be exact: no finite differences.)",
                    known=[
                        (H.sum(1).reshape(shape), "That is H times ones: where is v?"),
                        (
                            (H.diagonal() * direction.flatten()).reshape(shape),
                            "That is the diagonal of H times v; the rest counts too.",
                        ),
                        (
                            g * direction,
                            "That is the gradient times v, not differentiated again.",
                        ),
                    ],
                    rtol=tolerance,
                    atol=10 * tolerance,
                )
                test.that(got.dtype == dtype, "The dtype of `w` should be kept.")
                test.that(
                    not got.requires_grad, "The result still hangs on a graph: detach it."
                )
                test.that(
                    w.requires_grad == requires and w.grad is None,
                    "Leave `w` as it is: its `requires_grad` or its `.grad` has changed.",
                )
                test.that(
                    not v.requires_grad and v.grad is None,
                    "Leave `v` as it is: it has changed.",
                )
                test.that(
                    torch.equal(w.detach().double(), exact)
                    and torch.equal(v.double(), direction),
                    "`w` or `v` itself has changed.",
                )
    # A wave so short that no step of a difference fits: the smooth losses above leave room for those.
    w, v = torch.tensor([0.3, -0.8, 1.1]).double(), torch.tensor([1.0, 2.0, -0.5]).double()
    test.close(
        hessian_vector(lambda w: (1e5 * w).sin().sum(), w, v),
        -1e10 * (1e5 * w).sin() * v,
        "The product is close, not exact: no finite differences.",
        rtol=1e-8,
        atol=1.0,
    )
    w = torch.tensor([1.0, -2.0], requires_grad=True)
    w.grad = torch.tensor([7.0, 8.0])
    got = hessian_vector(lambda w: (w**3).sum(), w, torch.ones(2))
    test.that(
        w.grad is not None and w.grad.tolist() == [7.0, 8.0],
        "Leave `w` as it is: the `.grad` that it came with has changed.",
    )
    test.close(got, 6 * w.detach(), "A `.grad` that `w` came with must not enter the product.")
    w, v = torch.linspace(-1, 1, 12).view(3, 4).T, torch.ones(4, 3, requires_grad=True)
    want = 6 * w.clone()
    got = hessian_vector(lambda w: (w**3).sum(), w, v)
    test.close(got, want, "A transposed `w` and a `v` that requires gradients should do too.")
    test.that(not got.requires_grad, "The result still hangs on the graph of `v`: detach it.")
    test.that(v.requires_grad and v.grad is None, "Leave `v` as it is: it has changed.")
    test.close(
        hessian_vector(lambda w: w.square().prod(), torch.ones(3), torch.zeros(3)),
        torch.zeros(3),
        "H times 0 should be 0.",
    )
    w, v = torch.randn(1_000), torch.randn(1_000)

    def long(w):
        return (w[1:] * w[:-1]).cos().sum() + w.square().sum() ** 2 / 1_000

    want = torch.autograd.functional.hvp(long, w.double(), v.double())[1]
    with test.case("1,000 weights, the meter running"), Meter():
        got = hessian_vector(long, w, v)
    test.close(got, want, "With 1,000 weights the product is not H v.", rtol=1e-3, atol=1e-3)
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="hessian_vector"
# Backpropagation gives the gradient of one number for a small multiple of the cost of computing that number. $g^\top v$ is one number, and computing it costs about one gradient; so its gradient costs a small multiple of that. The size of $H$ never enters.
# The other way, `torch.func.jvp(torch.func.grad(loss), (w,), (v,))`, pushes $v$ forward through the gradient, and needs less memory, since no second graph is kept. Finite differences cost the same two gradients and lose half of the digits.

# %% [markdown]
# ### What one does with it
#
# Multiply a vector by $H$ again and again, and it turns towards the direction of the sharpest curvature: the power iteration finds the eigenvalue that is largest in absolute value, here the positive $\lambda_\text{max}$, of a matrix that we never see. You know what that number is good for: on a bowl
# gradient descent is stable up to the rate $2/\lambda_\text{max}$.
#
# **Predict, then run.** Our network, fresh from its initialisation, on 512 images: is $2/\lambda_\text{max}$ nearer to 0.01, 0.1 or 1? And does the loss obey it, although it is no bowl?


# %%
def as_function(model, x, y):
    """The loss as a function of one long vector of all parameters, and that vector."""
    shapes = {name: p.shape for name, p in model.named_parameters()}
    vector = torch.cat([p.detach().flatten() for p in model.parameters()])

    def loss(w):
        pieces = w.split([shape.numel() for shape in shapes.values()])
        weights = {
            name: piece.view(shape)
            for (name, shape), piece in zip(shapes.items(), pieces, strict=True)
        }
        return F.cross_entropy(torch.func.functional_call(model, weights, (x,)), y)

    return loss, vector


torch.manual_seed(0)
loss, vector = as_function(network().to(device), *data.train[:512])
with needs("hessian_vector"):
    v, began = torch.randn_like(vector), time.perf_counter()
    for _ in range(30):
        v = hessian_vector(loss, vector, v / v.norm())
    sharpest = v.norm().item()
    seconds = (time.perf_counter() - began) / 30
    print(
        f"λ_max = {sharpest:.2f}, limit 2/λ_max = {2 / sharpest:.2f}; {seconds * 1e3:.0f} ms a product"
    )
    for share in (0.3, 3):
        w, rows = vector.clone(), []
        for step in range(13):
            if step % 3 == 0:
                for _ in range(15):  # v starts where the last look ended, so few rounds do
                    v = hessian_vector(loss, w, v / v.norm())
                rows.append({"step": step, "loss": loss(w).item(), "λ_max": v.norm().item()})
            w.requires_grad_()
            w = (w - share * 2 / sharpest * torch.autograd.grad(loss(w), w)[0]).detach()
        print(f"\nrate = {share} × the limit at the start")
        print(pd.DataFrame(rows).round(2).to_string(index=False))

# %% [markdown]
# Products with a matrix of 32 GB, in milliseconds. At the start the limit is near 0.7. At three times the limit the loss explodes, as on any bowl. At 0.3 times the limit it falls; but look at the last column: the curvature does not stay.
# Within a dozen steps $\lambda_\text{max}$ has grown several times over, until the rate that was safe is at its new limit and the loss stalls. Cohen et al. (2021) found that this is the rule: full-batch gradient descent sharpens its surroundings until $\lambda_\text{max} \approx 2/\eta$, and goes on at this *edge of stability*. The bowl is a
# good picture for a step, not for a journey.
#
# ## L-BFGS: curvature from the steps themselves
#
# There is a way to learn the curvature for nothing. After each step one knows how much the gradient has changed, $y = g_\text{new} - g_\text{old}$, over which distance, $s = w_\text{new} - w_\text{old}$; and $Hs \approx y$. **L-BFGS** (Liu and Nocedal, 1989) keeps
# the last $m$ such pairs and builds from them, in $O(mn)$, the product of an approximate $H^{-1}$ with the gradient. A line search finds the length of the step, so there is no learning rate to tune. In PyTorch it is `torch.optim.LBFGS` (ask for the line search with `line_search_fn="strong_wolfe"`; without it the steps have a fixed rate); since it evaluates the loss several
# times a step, `step` wants a function, the *closure*.
#
# It needs to see the same loss every time: two gradients of different minibatches differ for other reasons than curvature. So: small data, full batch. The two moons, where 03 raced the others.
#
# **Predict, then run.** Gradient descent, Nesterov and Adam on the full batch, each at its own best rate, against L-BFGS with its line search and nothing tuned. We count evaluations of the gradient until the loss is below 0.01.


# %%
def evaluations(make, seed, most, goal=0.01):
    """Number of gradients until the loss on all points is below `goal`; `most` if that never happens."""
    net, count = lab.NetStack([2, 12, 13, 13, 2], [seed]), 0
    optimizer, lowest = make(net.parameters()), math.inf

    def closure():
        nonlocal count, lowest
        optimizer.zero_grad()
        value = F.cross_entropy(net(moons_x)[0], moons_y)
        value.backward()
        if lowest >= goal:  # what a step does after it has arrived is not counted
            count, lowest = count + 1, min(lowest, value.item())
        return value

    while lowest >= goal and count < most:
        optimizer.step(closure)
    return min(count, most)


moons_x, moons_y = lab.two_moons()
FULL_BATCH = {
    "gradient descent": (RULES["SGD"], [0.3, 1.0, 2.0]),
    "Nesterov": (RULES["Nesterov"], [0.1, 0.2, 0.4]),
    "Adam": (RULES["Adam"], [0.03, 0.06, 0.12]),
    "L-BFGS": (lambda p, lr: optim.LBFGS(p, lr=lr, line_search_fn="strong_wolfe"), [1.0]),
}
most = budget(500, fast=200)


def moons(rule, lr, seed):
    make, _ = FULL_BATCH[rule]
    return {"gradients": evaluations(lambda p: make(p, lr), seed, most)}


moon_tuning = pd.concat(
    lab.sweep(
        moons, {"rule": [rule], "lr": rates}, budget(range(100, 105), fast=range(100, 102))
    )
    for rule, (_, rates) in FULL_BATCH.items()
)
moon_best = lab.best(moon_tuning, by="rule", over="lr", value="gradients", mode="min")
moon_lr = moon_best.set_index("rule").lr
moon_runs = lab.sweep(
    lambda rule, seed: moons(rule, moon_lr[rule], seed),
    {"rule": list(FULL_BATCH)},
    budget(range(10), fast=range(3)),
)
lab.summary(moon_runs, by="rule", value="gradients").merge(
    moon_best[["rule", "lr", "at_edge"]]
).round(2)

# %% [markdown]
# (`low` and `high` are the ends of the 95 % interval of the mean; `at_edge` would say that the best rate was the first or last of its grid. The text speaks of the full run.)
# L-BFGS arrives after about 30 gradients, gradient descent after more than 100, Nesterov in between, with seeds that differ widely. Adam at its best rate comes so close to L-BFGS that ten seeds cannot separate them. But Adam had to be tuned first, and L-BFGS was not. On a smooth full-batch problem it is still the first thing to try.
#
# ## Curvature by the layer: Shampoo, Muon, and Lion, which wants none
#
# Between $n$ numbers (Adam's $v$) and $n^2$ (Newton's $H$) lies a middle road: use that the weights of a layer are a **matrix** $W$ of shape $(a, b)$ with a gradient $G$ of the same shape.
#
# - **Shampoo** (Gupta, Koren and Singer, 2018) keeps two small matrices, $L \leftarrow L + GG^\top$ of shape $(a, a)$ and $R \leftarrow R + G^\top G$ of shape $(b, b)$, and steps along $L^{-1/4}\, G\, R^{-1/4}$. Together they stand for a matrix of $ab \times ab$, their
#   Kronecker product: AdaGrad that knows about mixtures, at the cost of a few roots of matrices now and then. **SOAP** (Vyas et al., 2024) runs Adam in the basis of the eigenvectors of these two matrices.
# - **Muon** (Jordan et al., 2024) takes Nesterov's momentum $M = U S V^\top$ and steps along $UV^\top$: all singular values become 1, so no direction of the matrix is left behind. That is Shampoo's step when its memory is the present gradient alone. No decomposition is computed: five rounds of a
#   Newton–Schulz iteration, $X \leftarrow aX + b\,(XX^\top)X + c\,(XX^\top)^2X$, come close enough. It is made for matrices only (its authors leave the input and output layers out, too; our small network gives it all three); biases go to AdamW. In PyTorch: `torch.optim.Muon`.
# - **Lion** (Chen et al., 2023) was found by a search over programs. It keeps one momentum $m$ and steps by a *sign*: $w \leftarrow w - \eta\,\operatorname{sign}(\beta_1 m + (1-\beta_1) g)$, then $m \leftarrow \beta_2 m + (1-\beta_2) g$, with $\beta_1 = 0.9$, $\beta_2 = 0.99$. Every weight moves by $\eta$ in every
#   step, so $\eta$ is some three to ten times smaller than Adam's. Half of Adam's memory, no curvature at all.
#
# First the heart of Muon. **Predict, then run.** A momentum matrix has singular values from 0.001 to 10. What will Newton–Schulz make of them in five rounds?

# %%
torch.manual_seed(0)
U, V = (torch.linalg.qr(torch.randn(40, 8)).Q for _ in range(2))
spectrum = torch.logspace(1, -3, 8)
X = U @ torch.diag(spectrum) @ V.T
X = X / X.norm()  # no singular value above 1, as the iteration needs
rounds = [torch.linalg.svdvals(X)[:8]]
for _ in range(5):
    A = X @ X.T  # the coefficients are those of PyTorch's Muon
    X = 3.4445 * X + (-4.775 * A + 2.0315 * A @ A) @ X
    rounds.append(torch.linalg.svdvals(X)[:8])
pd.DataFrame(torch.stack(rounds).numpy().round(4)).rename_axis("round").rename(
    columns=lambda k: f"σ{k + 1}"
)

# %% [markdown]
# The first row is the matrix as it starts, scaled to norm 1. Each round multiplies small singular values by about 3.4 and then keeps them near 1, within 0.68 and 1.16: "about 1" is all one asks for. The largest five are there after five rounds and the sixth nearly so, although they began a factor of 700 apart; what
# began smaller than a thousandth of the norm is on its way. Only products of matrices were needed, and these are what a GPU does best.
#
# Lion, Shampoo and SOAP come from a library, `pytorch-optimizer`; where it is not installed, the race goes on without them. (`pip install pytorch-optimizer`; its only needs are PyTorch and NumPy.) Shampoo is used in its practical form, which cuts large matrices into blocks of 128, takes roots only every 20 steps and lets
# another rule set the *length* of its steps ("grafting", here on SGD).


# %%
class Both:
    """Two optimisers that step together, for parameters of two kinds."""

    def __init__(self, first, second):
        self.members = (first, second)
        self.param_groups = first.param_groups + second.param_groups

    def zero_grad(self):
        for member in self.members:
            member.zero_grad()

    def step(self):
        for member in self.members:
            member.step()

    @property
    def state(self):
        return self.members[0].state | self.members[1].state


def muon(parameters, lr):
    """Muon for the matrices, AdamW for the rest, at one rate: "match_rms_adamw" gives the steps AdamW's size."""
    parameters = list(parameters)
    matrices = [p for p in parameters if p.dim() == 2]
    rest = [p for p in parameters if p.dim() != 2]
    size = {"weight_decay": 0.0, "adjust_lr_fn": "match_rms_adamw"}
    return Both(optim.Muon(matrices, lr=lr, **size), optim.AdamW(rest, lr=lr, weight_decay=0.0))


NETWORK_RULES = {**RULES, "Muon": muon}
try:
    import pytorch_optimizer
except ImportError:
    print(
        "pytorch-optimizer is not installed: the race goes on without Lion, Shampoo and SOAP."
    )
else:
    blocks = {"block_size": 128, "start_preconditioning_step": 10, "graft_type": 1}
    NETWORK_RULES |= {
        "Lion": lambda p, lr: pytorch_optimizer.Lion(p, lr=lr),
        "Shampoo": lambda p, lr: pytorch_optimizer.ScalableShampoo(
            p, lr=lr, preconditioning_compute_steps=20, **blocks
        ),
        "SOAP": lambda p, lr: pytorch_optimizer.SOAP(p, lr=lr, weight_decay=0.0),
    }

# %% [markdown]
# ## The table that everybody shows
#
# Folklore first. Stars as you find them in textbooks and blogs, from one to three:
#
# | rule | speed | quality of the end | numbers of memory a weight |
# |---|---|---|---|
# | SGD | ★ | ★★★ | 0 |
# | momentum, Nesterov | ★★ | ★★★ | 1 |
# | AdaGrad | ★★★ | ★ (stops too early) | 1 |
# | RMSProp, Adadelta | ★★★ | ★★ or ★★★ | 1, 2 |
# | Adam, AdaMax, NAdam | ★★★ | ★★ or ★★★ | 2 |
# | AdamW | ★★★ | ★★★ | 2 |
#
# Now the measured one, in the style of the course that we began with: one network, 784-100-100-10, 8,000 images, two epochs, batches of 128, and for everybody the same rate, 0.05.
# (The text speaks of the full run on the real images; the fast mode and the built-in digits are too short a race to rank anybody.)
#
# **Predict, then run.** Who is first, who is last?

# %%
race_data = data.take(train=budget(8_000, fast=1_500), valid=2_000)
race_epochs = budget(2, fast=1)


def numbers_in(state):
    """How many numbers the tensors hold that stand anywhere in an optimiser's state."""
    if isinstance(state, torch.Tensor):
        return state.numel()
    if isinstance(state, dict):
        return sum(numbers_in(value) for value in state.values())
    if isinstance(state, list | tuple):
        return sum(numbers_in(value) for value in state)
    return numbers_in(vars(state)) if hasattr(state, "__dict__") else 0


def train(rule, lr, seed, split="test", epochs=race_epochs):
    torch.manual_seed(seed)
    model = network().to(device)
    optimizer = NETWORK_RULES[rule](model.parameters(), lr)
    run = lab.fit(model, race_data, optimizer, epochs=epochs, seed=seed, bar=False)
    return {
        "accuracy": lab.evaluate(model, getattr(race_data, split))["accuracy"],
        "seconds": run.frame.seconds.sum(),
        "memory": numbers_in(optimizer.state) / n_parameters,
    }


SHARED_RATE = 0.05
shared = lab.sweep(
    lambda rule, seed: train(rule, SHARED_RATE, seed),
    {"rule": list(RULES)},
    budget(range(5), fast=range(2)),
)
lab.summary(shared, by="rule", value="accuracy").sort_values("mean", ascending=False).round(3)

# %% [markdown]
# In kind it is the famous table: Nesterov and momentum on top, Adam more than ten points behind, NAdam and RMSProp at the end, and NAdam's runs so far apart that one of them could have shown nearly anything. (The course had a longer training and another network: 87 % for SGD, 42 % for Adam.)
#
# But look at what was compared. A rate of 0.05 means for SGD: move by 0.05 times the gradient. For momentum it is ten times that in the long run. For Adam it means: move each weight by about 0.05 *per step*, whatever the gradient; our weights start between ±0.036 and ±0.1. The number is the same, the unit is not. The table
# measures how far 0.05 is from each rule's own range.
#
# ## The table that one should show
#
# Each rule at its own best rate: chosen on validation images and on seeds of its own, judged on test images with fresh seeds. Same network, same data, same number of steps.
#
# **Predict, then run.** How far are first and last apart now? Where does Adam stand, and does any of the newcomers win?

# %%
GRIDS = {
    "SGD": [0.1, 0.2, 0.5],
    "momentum": [0.02, 0.05, 0.1],
    "Nesterov": [0.02, 0.05, 0.1],
    "AdaGrad": [0.005, 0.01, 0.02],
    "RMSProp": [0.0005, 0.001, 0.002],
    "Adadelta": [0.2, 0.5, 1],
    "Adam": [0.002, 0.005, 0.01],
    "NAdam": [0.0005, 0.001, 0.002],
    "AdaMax": [0.005, 0.01, 0.02],
    "AdamW": [0.002, 0.005, 0.01],
    "Muon": [0.002, 0.005, 0.01],
    "Lion": [0.001, 0.002, 0.005],
    "Shampoo": [0.02, 0.05, 0.1],
    "SOAP": [0.002, 0.005, 0.01],
}
tuning = pd.concat(
    lab.sweep(
        lambda rule, lr, seed: train(rule, lr, seed, split="valid"),
        {"rule": [rule], "lr": budget(GRIDS[rule], fast=GRIDS[rule][:2])},
        budget(range(100, 103), fast=[100]),
    )
    for rule in NETWORK_RULES
)
chosen = lab.best(tuning, by="rule", over="lr", value="accuracy").set_index("rule")
results = lab.sweep(
    lambda rule, seed: train(rule, chosen.lr[rule], seed),
    {"rule": list(NETWORK_RULES)},
    budget(range(6), fast=range(2)),
)
cost = results.groupby("rule")[["seconds", "memory"]].min()  # of the quietest run
cost["time"] = cost.seconds / cost.seconds["SGD"]
table = lab.summary(results, by="rule", value="accuracy").join(
    chosen[["lr", "at_edge"]], on="rule"
)
table = table.join(cost[["time", "memory"]], on="rule").sort_values("mean", ascending=False)
table.drop(columns="n").round(3)


# %%
def plot_tables(shared, table):
    fig, ax = lab.figure(height=4.4)
    ordered = table.sort_values("mean")
    once = lab.summary(shared, by="rule", value="accuracy").set_index("rule")
    for place, row in enumerate(ordered.itertuples()):
        if row.rule in once.index:
            old = once.loc[row.rule]
            ax.plot([old["mean"], row.mean], [place, place], "-", color="0.8", zorder=1)
            bar = [[old["mean"] - old["low"]], [old["high"] - old["mean"]]]
            ax.errorbar(
                old["mean"],
                place,
                xerr=bar,
                fmt="s",
                color=lab.line_style(1)["color"],
                capsize=3,
            )
        bar = [[row.mean - row.low], [row.high - row.mean]]
        ax.errorbar(
            row.mean, place, xerr=bar, fmt="o", color=lab.line_style(0)["color"], capsize=3
        )
    ax.plot([], [], "s", color=lab.line_style(1)["color"], label="at the shared rate, 0.05")
    ax.plot([], [], "o", color=lab.line_style(0)["color"], label="at its own best rate")
    ax.set(yticks=range(len(ordered)), yticklabels=ordered.rule, xlim=(0, 1))
    ax.set(xlabel="test accuracy after two epochs, mean and 95 % interval over seeds")
    ax.legend(loc="lower left")
    return fig


lab.show(
    plot_tables(shared, table),
    alt="One row a rule, with the test accuracy at the shared rate as an orange square and at its own "
    "rate as a blue dot. The squares are scattered from about 0.4 to 0.82, the dots all lie close "
    "together between 0.78 and 0.86.",
)

# %% [markdown]
# (`time` is the time of a run in multiples of SGD's, from the quietest run of each; it depends on your machine. `memory` is counted: numbers in the optimiser's state for each weight.)
#
# The forty points between first and last have shrunk to six among the ten classical rules, and most of these lie within two points of each other. Adam, last but two in the other table, stands with momentum, Nesterov, AdamW and AdaMax. Compare the rates, too: momentum's own best *is* about 0.05, SGD's is several times larger, Adam's ten times smaller. The famous table did
# not rank optimisers. It asked whose range contains 0.05.

# %%
against_adam = lab.paired_difference(results, by="rule", value="accuracy", baseline="Adam")
against_adam.sort_values("mean", ascending=False).round(3)

# %% [markdown]
# `mean` is the lead over Adam in accuracy, seed by seed, and `excludes_zero` says whether the 95 % interval `low` to `high` leaves out 0. Two rules are clearly ahead: SOAP by three to four points, Muon by about two. Shampoo's lead is at the limit of what six seeds can show, Lion's is not shown (it has half of Adam's memory to its credit). Plain SGD is clearly behind at this budget. For momentum, Nesterov, AdamW and AdaMax
# nothing is shown either way; nor do the intervals exclude a difference of a point. (With thirteen comparisons at 95 %, up to one in two such tables contains a false alarm. The leads of SOAP and Muon are too large for that.)
#
# **Predict, then run.** The newcomers' steps are dearer. Give Adam three times the steps, six epochs at the rate that was best for two. Is it still behind?

# %%
patient = lab.sweep(
    lambda rule, seed: train(rule, chosen.lr[rule], seed, epochs=3 * race_epochs),
    {"rule": ["Adam"]},
    budget(range(6), fast=range(2)),
).assign(rule="Adam, three times the steps")
newcomers = [rule for rule in ("Muon", "Shampoo", "SOAP") if rule in NETWORK_RULES]
together = pd.concat([results[results.rule.isin(newcomers)], patient])
print(lab.summary(patient, by="rule", value="accuracy").round(3).to_string(index=False))
lab.paired_difference(
    together, by="rule", value="accuracy", baseline="Adam, three times the steps"
).round(3)

# %% [markdown]
# With three times the steps Adam gains one to three points (it depends on the rate that was chosen): that is where Muon and Shampoo are after two epochs, and of SOAP's lead a point or two is left. So the newcomers do what they promise, *fewer steps*; whether that is less *time* depends on the price of a step. On this CPU and for matrices this small, one of Muon's costs about two of Adam's, one of SOAP's about six.
# In a large network on a GPU the forward and backward pass dwarf the optimiser, and the same saving of steps is worth far more.
#
# ## Do adaptive methods generalise worse?
#
# Wilson et al. (2017) reported that adaptive methods find solutions that fit the training set as well and do worse on the test set; Géron's book gives the matching advice: when Adam disappoints, try Nesterov. Others found the gap closed once all
# of Adam's numbers were tuned (Choi et al., 2019). Two epochs cannot say anything about it. So: 2,000 images and 30 epochs, after which about nine training images in ten are known.
#
# **Predict, then run.** Adam against Nesterov, each at its best rate on validation images.


# %%
def train_long(rule, lr, seed, split="test"):
    torch.manual_seed(seed)
    model = network().to(device)
    lab.fit(
        model,
        small_data,
        NETWORK_RULES[rule](model.parameters(), lr),
        epochs=budget(30, fast=2),
        seed=seed,
        bar=False,
    )
    return {
        "train": lab.evaluate(model, small_data.train)["accuracy"],
        "accuracy": lab.evaluate(model, getattr(small_data, split))["accuracy"],
    }


small_data = data.take(train=budget(2_000, fast=1_000), valid=2_000)
LONG_GRIDS = {"Adam": [0.0001, 0.0003, 0.001], "Nesterov": [0.003, 0.01, 0.03]}
long_tuning = pd.concat(
    lab.sweep(
        lambda rule, lr, seed: train_long(rule, lr, seed, split="valid"),
        {"rule": [rule], "lr": rates},
        budget(range(100, 102), fast=[100]),
    )
    for rule, rates in LONG_GRIDS.items()
)
long_best = lab.best(long_tuning, by="rule", over="lr", value="accuracy").set_index("rule")
long_lr = long_best.lr
long = lab.sweep(
    lambda rule, seed: train_long(rule, long_lr[rule], seed),
    {"rule": list(LONG_GRIDS)},
    budget(range(6), fast=range(2)),
)
print(
    long.groupby("rule", sort=False)[["train", "accuracy"]]
    .mean()
    .join(long_best[["lr", "at_edge"]])
    .round(4)
)
gap = lab.paired_difference(long, by="rule", value="accuracy", baseline="Adam")
gap.round(4)

# %% [markdown]
# Here we see no difference: the interval of the gap, about a point to either side, contains 0. That does not refute Wilson et al., whose networks and data sets were larger; it says that "adaptive methods generalise worse" is no law of nature, and that a difference, if your problem has one, must be measured on your problem, with both rules tuned.
#
# ## A race that is fair
#
# You have now seen the recipe several times. Write it down once: the same start for everybody, the same number of steps, and each rule at the best rate *for itself*.

# %% [markdown] role="card" exercise="fair_race" level=2 minutes=12 topic="No free lunch" doc="https://docs.pytorch.org/docs/stable/optim.html"
# ### A fair race
#
# `rules` maps names to functions: `make([w], rate)` gives an optimiser of the one parameter `w`. For each rule try each rate of `rates`: a **fresh** copy of `start` and a fresh optimiser, `steps` updates, and then the loss *at the point where it ended*.
#
# Return a dictionary, in the order of `rules`: `name -> (rate, loss)`, two floats, with the rule's lowest final loss and the rate that gave it. A final loss that is nan or infinite counts as `math.inf`, so it never beats a finite one. Of equally good rates the first in the list wins, also where all end at `math.inf`.
#
# `start` (of any floating-point dtype, with or without `requires_grad`) stays as it is, the walk has its dtype, and with `steps=0` everybody stays at the start.


# %% role="stub" exercise="fair_race"
def fair_race(loss, start: torch.Tensor, rules: dict, rates: list, steps: int) -> dict:
    """Race optimisers on one loss, each at its own best rate.

    Args:
        loss: maps a point of `start`'s shape to a tensor () with torch's operations.
        start: the first point of every walk; left as it is.
        rules: name -> function that maps ([w], rate) to an optimiser, such as `torch.optim.SGD`.
        rates: learning rates to try, at least one.
        steps: updates of each walk, at least 0.

    Returns:
        name -> (best rate, final loss there), floats; the loss is `math.inf` where no rate ended finite.
    """
    ### BEGIN SOLUTION
    table = {}
    for name, make in rules.items():
        ends = []
        for rate in rates:
            w = start.detach().clone().requires_grad_()
            optimizer = make([w], rate)
            for _ in range(steps):
                optimizer.zero_grad()
                loss(w).backward()
                optimizer.step()
            value = loss(w).item()
            ends.append(value if math.isfinite(value) else math.inf)
        lowest = ends.index(min(ends))
        table[name] = (float(rates[lowest]), ends[lowest])
    return table
    ### END SOLUTION


# %% role="check" exercise="fair_race"
with Check("fair_race") as check:
    # On w²/2 a step of SGD multiplies w by 1 - rate, so three steps from 2 at rate 1/2 leave 1/4.
    start = torch.tensor([2.0])
    plain = {"plain": torch.optim.SGD}
    got = fair_race(lambda w: w.square().sum() / 2, start, plain, [0.5], 3)
    check.is_a(got, dict)
    check.that(list(got) == ["plain"], "The names of the rules should be the keys.")
    check.that(
        isinstance(got["plain"], tuple) and len(got["plain"]) == 2,
        "Each value should be a tuple of two floats: (rate, loss).",
    )
    check.that(
        all(isinstance(number, float) for number in got["plain"]),
        "Rate and loss should be Python floats: `.item()` makes one of a tensor.",
    )
    check.close(got["plain"][0], 0.5, "The first of the two is the rate.")
    check.close(
        got["plain"][1],
        1 / 32,
        "w ends at 1/4, where w²/2 is 1/32.",
        known=[
            (1 / 8, "That is the loss before the last step."),
            (2.0, "That is the loss at the start."),
            (1 / 128, "That is one step too many."),
            (1.53125, "Old gradients add up: clear them before each `backward()`."),
        ],
    )
    check.that(
        start.tolist() == [2.0] and not start.requires_grad,
        "`start` has changed: walk on a copy.",
    )
    rules = {
        "plain": torch.optim.SGD,
        "heavy": lambda p, lr: torch.optim.SGD(p, lr=lr, momentum=0.5),
    }
    got = fair_race(lambda w: w.square().sum() / 2, start, rules, [0.1, 0.5, 1.5, 0.3], 3)
    check.that(list(got) == ["plain", "heavy"], "One entry a rule, in the order of `rules`.")
    check.close(
        got["plain"][0],
        0.5,
        "0.5 and 1.5 leave the same |w|: of equally good rates the first wins.",
        known=[
            (1.5, "0.5 and 1.5 leave the same |w|: of equally good rates the first wins."),
            (
                0.1,
                "Rate 0.1 leaves the *highest* loss, or does each rate start from a fresh copy?",
            ),
            (
                0.3,
                "0.3 is best for momentum, not here: own best rate for each rule, and a fresh copy of `start` for each rate.",
            ),
        ],
    )
    # Momentum 1/2 at rate 0.5: 2 → 1 → 0 → -0.5; at rate 0.3: 2 → 1.4 → 0.68 → 0.116.
    check.close(
        got["heavy"][0],
        0.3,
        "Each rule has its own best rate: momentum's is 0.3 here.",
        known=[
            (
                0.5,
                "0.3 is better: each rule at its own best rate, judged by where the walk *ends*.",
            )
        ],
    )
    check.close(
        got["heavy"][1],
        0.116**2 / 2,
        "Momentum at rate 0.3 ends at 0.116. Is the optimiser a fresh one for each rate?",
        rtol=1e-3,
    )
    with check.case("a rate at which the walk leaves the finite numbers"):
        got = fair_race(lambda w: (w**4).sum(), start, plain, [1e9, 0.01], 12)
    check.close(
        got["plain"][0],
        0.01,
        "Rate 1e9 ends in nan, which must not win. (Compare with nan, and the answer is always False.)",
    )
    with check.case("no rate that stays finite"):
        got = fair_race(lambda w: (w**4).sum(), start, plain, [1e9], 12)
    check.that(
        got["plain"] == (1e9, math.inf),
        f"Where no rate ends finite, the first one and math.inf are expected, not {got['plain']}.",
    )
    with check.case("a start with requires_grad=True"):
        held = fair_race(
            lambda w: w.square().sum(), start.clone().requires_grad_(), plain, [0.25], 1
        )
    check.close(
        held["plain"][1], 1.0, "A start that requires gradients should race like any other."
    )
    with check.case("steps=0"):
        got = fair_race(lambda w: w.square().sum() / 2, start, plain, [0.1], 0)
    check.close(got["plain"][1], 2.0, "With steps=0 the loss is that of the start.")


# %% [markdown] role="hints" exercise="fair_race"
# <details><summary>Hint 1: three loops</summary>
#
# Rules, rates, steps, from the outside in. Everything that remembers (the point, the optimiser) is made inside the loop over rates.
#
# </details>
# <details><summary>Hint 2: the copy</summary>
#
# `start.detach().clone()` has its own memory and no graph. Let it require gradients, and it is a leaf that an optimiser accepts.
#
# </details>
# <details><summary>Hint 3: nan</summary>
#
# `nan < x` is False, and so is `x < nan`, so `min` may return either. Turn whatever is not `math.isfinite` into `math.inf` before you compare. `min` itself keeps the first of equals.
#
# </details>

# %% role="test" exercise="fair_race" points=2
# Graded with hidden tests: other surfaces, rules with memory, ties, divergence, dtypes, nothing touched.
### BEGIN HIDDEN TESTS
with HiddenTest("fair_race") as test:
    bend = torch.tensor([1.0, 12.0], dtype=torch.float64)
    goal = torch.tensor([0.5, -2.0], dtype=torch.float64)

    seen = set()

    def bowl(w):
        seen.add(w.dtype)
        return (bend.to(w.dtype) * (w - goal.to(w.dtype)) ** 2).sum() / 2

    def by_hand(start, rate, steps, beta):
        """Final loss of SGD with momentum `beta`, in float64 and without autograd."""
        w, m = start.detach().double().clone(), torch.zeros(2, dtype=torch.float64)
        for _ in range(steps):
            m = beta * m + bend * (w - goal)
            w = w - rate * m
        value = float((bend * (w - goal) ** 2).sum() / 2)
        return value if math.isfinite(value) else math.inf

    betas = {"rolling": 0.8, "plain": 0.0, "heavy": 0.95}
    rules = {
        name: lambda p, rate, beta=beta: torch.optim.SGD(p, lr=rate, momentum=beta)
        for name, beta in betas.items()
    }
    # Few steps where surface and rules are the test's own: each asks for its gradient.
    for rates, steps in (
        ([0.15, 0.01, 0.1], 3),
        ([1e200, 0.12], 2),
        ([0.1, 0.2], 0),
    ):
        for dtype, requires in ((torch.float64, False), (torch.float32, True)):
            start = torch.tensor([3.0, 1.0], dtype=dtype, requires_grad=requires)
            if dtype == torch.float32 and rates[0] != 0.15:
                continue
            want = {
                name: min(
                    (by_hand(start, rate, steps, beta), k) for k, rate in enumerate(rates)
                )
                for name, beta in betas.items()
            }
            seen.clear()
            with test.case(f"rates {rates}, {steps} steps, {dtype}, requires_grad={requires}"):
                got = fair_race(bowl, start, rules, rates, steps)
            test.is_a(got, dict)
            test.that(seen == {dtype}, "The walk should have the dtype of `start`.")
            test.that(
                list(got) == list(rules), "One entry for each rule, in the order of `rules`."
            )
            for name, (value, place) in want.items():
                test.that(
                    isinstance(got[name], tuple) and len(got[name]) == 2,
                    "Each value should be a tuple (rate, loss).",
                )
                test.that(
                    all(isinstance(number, float) for number in got[name]),
                    "Rate and loss should be Python floats.",
                )
                rate, end = got[name]
                test.close(
                    rate,
                    rates[place],
                    "A rate is not the best of the list for its rule (of equals the first; nan never wins).",
                )
                test.close(
                    end,
                    value,
                    "A final loss is off. Fresh copy, fresh optimiser, and the loss after the last step?",
                    rtol=1e-3 if dtype == torch.float32 else 1e-8,
                    atol=1e-6 if dtype == torch.float32 else 1e-12,
                )
            test.that(
                start.tolist() == [3.0, 1.0]
                and start.requires_grad == requires
                and start.grad is None,
                "`start` has changed: walk on a copy.",
            )
    # a long race, on a surface and by rules that are torch's
    makers = {"Adam": torch.optim.Adam, "SGD": torch.optim.SGD, "Rprop": torch.optim.Rprop}
    start, rates, want = torch.tensor([3.0, 1.0, -2.0]).double(), [0.004, 0.02, 0.01], {}
    for name, make in makers.items():
        ends = []
        for rate in rates:
            w = start.clone().requires_grad_()
            optimizer = make([w], rate)
            for _ in range(40):
                optimizer.zero_grad()
                torch.var(w).backward()
                optimizer.step()
            ends.append(torch.var(w).item())
        want[name] = min((end, rate) for end, rate in zip(ends, rates, strict=True))
    with test.case("40 steps of torch's own rules"):
        got = fair_race(torch.var, start, makers, rates, 40)
    for name, (end, rate) in want.items():
        test.close(got[name][0], rate, "A rate is not the best of the list for its rule.")
        test.close(
            got[name][1],
            end,
            "A final loss is off. Fresh copy, fresh optimiser, and the loss after the last step?",
            rtol=1e-8,
            atol=1e-12,
        )
    adam = {"adam": lambda p, rate: torch.optim.Adam(p, lr=rate)}
    start = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    got = fair_race(lambda w: w.sum(1).sum() ** 2, start, adam, [0.25, 0.5], 1)
    test.close(
        got["adam"][1],
        (10 - 4 * 0.5) ** 2,
        "Adam's first step moves each weight by its rate, whatever the shape of `start`.",
        rtol=1e-3,
    )
    got = fair_race(
        lambda w: (w**4).sum(), torch.tensor([5.0]), {"a": torch.optim.SGD}, [7.0, 1e9], 5
    )
    test.that(
        got["a"] == (7.0, math.inf),
        "Where no rate ends finite, the first rate and math.inf should be given.",
    )
    got = fair_race(
        lambda w: 0 * w.sum() + 3, torch.ones(1), {"a": torch.optim.SGD}, [3, 1, 2], 2
    )
    test.that(got["a"] == (3.0, 3.0), "Of equally good rates the first in the list should win.")
    test.that(
        isinstance(got["a"][0], float), "The rate should be a float, also if `rates` has ints."
    )
    got = fair_race(
        lambda w: -(w**4).sum(), torch.ones(1), {"a": torch.optim.SGD}, [1e9, 0.01], 3
    )
    test.that(
        got["a"][0] == 0.01, "A loss of minus infinity counts as math.inf too: it must not win."
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="fair_race"
# Everything that could make the race unfair sits in a detail. An optimiser that is reused carries the momentum of the last rate into the next; a start that is not copied gives later rates a head start; a loss taken before the last step favours rules that overshoot;
# and nan, which compares as False with everything, wins or loses depending on where it stands in the list. The race is still generous in one respect: it picks the best rate on the very loss that it reports. On data that would be peeking, and one would pick on validation and report on test.

# %% [markdown]
# ## No free lunch
#
# Is there a rule that wins every fair race? Wolpert and Macready (1997) proved, for search in a finite set, that averaged over *all possible* problems with equal weight, no search method beats any other: what one gains here it loses there. That average is taken mostly over
# problems without any structure, which nobody has, so the theorem does not say that all optimisers are equally good on *yours*. It says that a rule which wins does so because its assumptions fit the landscape, and that somewhere there is a landscape where they do not.
#
# So let us find these landscapes. The referee below lets three rules walk 50 steps from $(1, 1)$, each at the best of 25 rates between 0.001 and 1,000: plain SGD, momentum (0.9), and Adam (default betas). All rates walk side by side, so a loss must take a batch of points.

# %% role="setup"
ARENA_RATES = torch.logspace(-3, 3, 25, dtype=torch.float64)


def referee(surface, steps=50):
    """Final losses of three rules on a surface, from (1, 1), each at the best of `ARENA_RATES`.

    Args:
        surface: maps points (..., 2), float64, to their losses (...), none of them below 0.
        steps: updates of each walk.

    Returns:
        name -> final loss, for "sgd", "momentum", "adam"; not below 1e-12, so that nobody wins by a rounding error.
    """
    table = {}
    for rule in ("sgd", "momentum", "adam"):
        points = torch.ones(len(ARENA_RATES), 2, dtype=torch.float64)
        first, second = torch.zeros_like(points), torch.zeros_like(points)
        for step in range(1, steps + 1):
            points.requires_grad_()
            (slopes,) = torch.autograd.grad(surface(points).sum(), points)
            if rule == "sgd":
                move = slopes
            elif rule == "momentum":
                move = first = 0.9 * first + slopes
            else:
                first, second = 0.9 * first + 0.1 * slopes, 0.999 * second + 0.001 * slopes**2
                scale = (second / (1 - 0.999**step)).sqrt() + 1e-8
                move = first / (1 - 0.9**step) / scale
            points = points.detach() - ARENA_RATES[:, None] * move
        ends = surface(points).detach()
        table[rule] = (
            ends[ends.isfinite()].clamp(min=1e-12).min().item()
            if ends.isfinite().any()
            else math.inf
        )
    return table


# %%
for name, surface in {
    "the valley, turned round": lambda w: valley(-w),
    "‖w‖²": round_bowl,
}.items():
    print(f"{name:25}", *(f"{rule} {end:.1e}  " for rule, end in referee(surface).items()))

# %% [markdown] role="card" exercise="arena" level=3 minutes=20 topic="No free lunch" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html"
# ### A landscape for everybody
#
# Write `arena(rule)`: for "sgd", "momentum" and "adam" it returns a loss on which that rule **wins the referee's race by a factor of 5**: its final loss is at most a fifth of that of each of the other two. Any other name raises a `ValueError`.
#
# A loss is a function that maps points of shape `(..., 2)`, float64, to losses of shape `(...)`, float64 too: index from the end, `w[..., 0]`. It must be honest: on the square from −5 to 5 it is finite and never below 0, its value at a point depends on that point
# alone (not on other points of the batch or on earlier calls), and the gradient that autograd finds is its slope (the tests compare it with central differences at random points of the square).
# The minimum may lie anywhere; shifting it is how you choose where the rules start.
#
# There are many answers. Think of what each rule assumes: which shape makes momentum pointless? For which shape is Adam's rescaling, coordinate by coordinate, exactly right, and for which is it blind? Then call `referee` and experiment; some trial is part of it.


# %% role="stub" exercise="arena"
def arena(rule: str):
    """A loss of two numbers on which a given rule wins the referee's race by a factor of at least 5.

    Args:
        rule: "sgd", "momentum" or "adam".

    Returns:
        A function that maps points (..., 2) to losses (...), both float64, finite and at least 0 on [-5, 5]².

    Raises:
        ValueError: for any other name.
    """
    ### BEGIN SOLUTION
    if (
        rule == "sgd"
    ):  # round: the slope points at the minimum, there is nothing to smooth or rescale
        return lambda w: w.square().sum(-1) / 2
    if rule == "adam":  # a ravine along an axis: rescaling each coordinate makes it round
        return lambda w: (1_000 * w[..., 0] ** 2 + w[..., 1] ** 2) / 2
    if (
        rule == "momentum"
    ):  # a long diagonal ravine: nothing to gain from rescaling, a long way to roll

        def ravine(w):
            across, along = w[..., 0] - w[..., 1], w[..., 0] + w[..., 1] - 10
            return (200 * (across - 0.1) ** 2 + along**2) / 4

        return ravine
    raise ValueError(f'rule is "sgd", "momentum" or "adam", not {rule!r}.')
    ### END SOLUTION


# %% role="check" exercise="arena"
with Check("arena") as check:
    torch.manual_seed(0)
    spots = torch.rand(200, 2, dtype=torch.float64) * 10 - 5
    here = spots.clone()
    for rule in ("sgd", "momentum", "adam"):
        surface = arena(rule)
        check.that(
            callable(surface), f'arena("{rule}") should return a function of the points.'
        )
        with check.case(f'the loss of "{rule}" on 200 points at once'):
            values = surface(spots)
        check.shape(values, (200,), "One loss for each point: index w[..., 0] and w[..., 1].")
        check.that(
            values.dtype == torch.float64,
            f'The loss for "{rule}" should be float64, as the points are: is it float32 on the way?',
        )
        check.that(
            torch.equal(spots, here),
            f'The loss for "{rule}" changes the points themselves: compute with new tensors.',
        )
        check.that(
            bool((values.isfinite() & (values >= 0)).all()),
            f'The loss for "{rule}" should be finite and at least 0 on the square.',
        )
        with check.case(f'the loss of "{rule}" on a single point'):
            alone = surface(spots[7])
        check.shape(alone, (), "A single point (2,) should give a single number.")
        check.close(
            alone,
            values[7],
            f'The loss for "{rule}" should depend on the point alone, not on its neighbours in the batch.',
        )
        with check.case(f'the race on the loss of "{rule}"'):
            ends = referee(surface)
        winner = min(ends, key=ends.get)
        check.that(winner == rule, f'On the arena for "{rule}", {winner} ends lowest: {ends}.')
        others = min(end for name, end in ends.items() if name != rule)
        check.that(
            ends[rule] * 5 <= others,
            f'"{rule}" wins its arena, but not by a factor of 5: {ends}.',
        )
        check.close(
            surface(spots),
            values,
            f'The loss for "{rule}" changed between two calls: it must not remember.',
        )
        probe = spots.clone().requires_grad_()
        (slope,) = torch.autograd.grad(surface(probe).sum(), probe)
        steps = 1e-5 * torch.eye(2, dtype=torch.float64)
        numeric = torch.stack(
            [(surface(spots + d) - surface(spots - d)) / 2e-5 for d in steps], -1
        )
        size = slope.abs().max().item()
        check.close(
            slope,
            numeric,
            f'The gradient of the loss for "{rule}" is not its slope.',
            rtol=1e-3,
            atol=1e-4 * size,
        )
    raised = ""
    try:
        arena("luck")
    except Exception as error:
        raised = type(error).__name__
    check.that(raised == "ValueError", 'arena("luck") should raise a ValueError.')


# %% [markdown] role="hints" exercise="arena"
# <details><summary>Hint 1: bowls are enough</summary>
#
# Three parabolas will do: a round one, one stretched along an axis, one stretched along a diagonal. A diagonal one is written in $u = w_1 + w_2$ and $v = w_1 - w_2$.
#
# </details>
# <details><summary>Hint 2: SGD and Adam</summary>
#
# On circles a single step of the right length ends the race. With $\kappa$ of some hundreds along an axis, SGD and momentum are limited by the steep coordinate; Adam does not notice.
#
# </details>
# <details><summary>Hint 3: momentum</summary>
#
# A ravine along a diagonal, $\kappa$ about 200, whose minimum lies far away *along* the ravine, so that the way from $(1, 1)$ is long and nearly straight, with a small part across it. Try a few distances.
#
# </details>

# %% role="test" exercise="arena" points=3
# Graded with hidden tests: the referee's race on your three landscapes, and that they are honest.
### BEGIN HIDDEN TESTS
with HiddenTest("arena") as test:
    torch.manual_seed(1)
    spots = torch.rand(300, 2, dtype=torch.float64) * 10 - 5
    here = spots.clone()

    def race(surface):
        """`referee`, all rules in one batch: final losses, and what the walks were told on their way."""
        points = torch.ones(3, len(ARENA_RATES), 2, dtype=torch.float64)
        speed, first, second = (torch.zeros_like(points[0]) for _ in range(3))
        heard = []
        for step in range(1, 51):
            points.requires_grad_()
            losses = surface(points)
            (slopes,) = torch.autograd.grad(losses.sum(), points)
            points = points.detach()
            heard.append((points, losses.detach(), slopes))
            sgd, momentum, adam = slopes
            speed = 0.9 * speed + momentum
            first, second = 0.9 * first + 0.1 * adam, 0.999 * second + 0.001 * adam**2
            scale = (second / (1 - 0.999**step)).sqrt() + 1e-8
            moves = torch.stack([sgd, speed, first / (1 - 0.9**step) / scale])
            points = points - ARENA_RATES[:, None] * moves
        ends = surface(points).detach()
        ends = torch.where(ends.isfinite(), ends.clamp(min=1e-12), math.inf).amin(1).tolist()
        return dict(zip(("sgd", "momentum", "adam"), ends, strict=True)), heard

    for rule in ("adam", "sgd", "momentum"):
        surface = arena(rule)
        test.that(callable(surface), f'arena("{rule}") should return a function of the points.')
        with test.case(f'the loss of "{rule}" on 300 points at once'):
            values = surface(spots)
        test.shape(values, (300,), "One loss for each point: index w[..., 0] and w[..., 1].")
        test.that(
            values.dtype == torch.float64,
            f'The loss for "{rule}" should be float64, as the points are: is it float32 on the way?',
        )
        test.that(
            torch.equal(spots, here),
            f'The loss for "{rule}" changes the points themselves: compute with new tensors.',
        )
        values = values.detach().clone()
        test.that(
            bool((values.isfinite() & (values >= 0)).all()),
            f'The loss for "{rule}" should be finite and at least 0 on the square.',
        )
        with test.case(f'the loss of "{rule}" on points of shape (4, 25, 2)'):
            grid = surface(spots[:100].view(4, 25, 2))
        test.shape(grid, (4, 25), "Points (4, 25, 2) should give losses (4, 25).")
        test.close(
            grid.flatten(),
            values[:100],
            f'The loss for "{rule}" should depend on the point alone, not on the batch.',
        )
        test.close(
            surface(spots[:25]),
            values[:25],
            f'The loss for "{rule}" should depend on the point alone, not on the batch.',
        )
        singles = torch.stack([surface(spot) for spot in spots[:5]])
        test.close(
            singles,
            values[:5],
            f'The loss for "{rule}" should depend on the point alone, not on the batch.',
        )
        with test.case(f'the race on the loss of "{rule}"'):
            ends, heard = race(surface)
        winner = min(ends, key=ends.get)
        test.that(winner == rule, f'On the arena for "{rule}", {winner} ends lowest.')
        others = min(end for name, end in ends.items() if name != rule)
        test.that(
            ends[rule] * 5 <= others, f'"{rule}" wins its arena, but not by a factor of 5.'
        )
        order = torch.randperm(300)
        test.close(
            surface(spots[order]),
            values[order],
            f'The loss for "{rule}" changed between two calls: it must not remember.',
        )
        points, losses, pulls = (
            torch.cat([p.flatten(0, 1) for p in part]) for part in zip(*heard, strict=True)
        )
        within = (points.abs() <= 5).all(1)
        points = points[within].requires_grad_()
        again = surface(points)
        test.close(
            again,
            losses[within],
            f'The loss for "{rule}" is another after the race than in it: it remembers.',
            atol=1e-10,
        )
        (slope,) = torch.autograd.grad(again.sum(), points)
        test.close(
            slope,
            pulls[within],
            f'The gradient of the loss for "{rule}" is another after the race than in it.',
            atol=1e-8,
        )
        probe = spots.clone().requires_grad_()
        (slope,) = torch.autograd.grad(surface(probe).sum(), probe)
        few = spots[:25].clone().requires_grad_()
        test.close(
            surface(few),
            values[:25],
            f'The loss for "{rule}" should not depend on whether the points require gradients.',
        )
        (few_slopes,) = torch.autograd.grad(surface(few).sum(), few)
        test.close(
            few_slopes,
            slope[:25],
            f'The gradient of the loss for "{rule}" should depend on the point alone, not on the batch.',
        )
        steps = 1e-5 * torch.eye(2, dtype=torch.float64)
        up, down = surface(spots + torch.stack([steps, -steps]).unsqueeze(2))
        numeric = ((up - down) / 2e-5).T
        test.close(
            slope,
            numeric,
            f'The gradient of the loss for "{rule}" is not its slope.',
            rtol=1e-3,
            atol=1e-4 * slope.abs().max().item(),
        )
    for name in ("Adam, please", "adamw", "SGD", ""):
        raised = ""
        try:
            arena(name)
        except Exception as error:
            raised = type(error).__name__
        test.that(
            raised == "ValueError",
            f'Any name but "sgd", "momentum" and "adam" should raise a ValueError, {name!r} too.',
        )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="arena"
# Each landscape is a rule's assumption, made of stone. SGD assumes one scale for all directions; on circles it needs one step, and everything cleverer only disturbs it. Adam assumes that scales differ from coordinate to coordinate, along the axes; it divides each by its own. Momentum assumes that the useful direction stays the same
# while the useless ones alternate, whatever the axes; and at $\kappa \approx 200$, on a way as long as this, 0.9 is about right. Turn Adam's ravine by 45° and its advantage is gone; give momentum a round bowl and it swings.

# %%
with needs("arena"):
    fig, axes = lab.figure(1, 3, height=3.4)
    box = (-6.0, 8.0)
    for ax, rule in zip(axes, ("sgd", "momentum", "adam"), strict=True):
        surface = arena(rule)
        lab.contours(ax, surface, box, box, levels=np.geomspace(0.1, 1e4, 11))
        ax.plot(1, 1, "ko", label="start")
        ax.set(title=f"an arena for {rule}", aspect="equal")
        ends = referee(surface)
        print(f"{rule:9}", *(f"{name} {end:.1e}  " for name, end in ends.items()))
    lab.show(
        fig,
        alt="The contours of three landscapes, one for each of SGD, momentum and Adam, and the start at "
        "(1, 1). In the model answer: circles, a long ravine along the diagonal, a ravine along an axis.",
    )

# %% [markdown]
# ## Which one, then?
#
# Networks are neither circles nor diagonal ravines, and nobody has a theorem for them. What experience and the table above support:
#
# - **Start with AdamW** at a rate near 0.001 for a few trial runs over a factor of 3. It is rarely far from the best and forgives a rate that is off by a little.
# - **When it disappoints, try Nesterov** with a tuned rate and a schedule: for image networks it has been at least as good for years, with half of the memory.
# - **For large matrices and long runs, Muon, Shampoo or SOAP** are worth a trial when time is money: they need fewer steps, at a higher price for each.
# - **Full batch and small data: L-BFGS.**
# - Whatever you choose: tune the rate. It matters more than the rule.

# %% [markdown]
# ## Play with it
#
# Pick a rule and a rate, and see the path. Can you find a rate at which Adam circles? One at which momentum flies out? Look for the edge between "works" and "leaves the picture": is it equally sharp for all rules?

# %%
from ipywidgets import Dropdown, FloatSlider, interact

TERRAINS = {"valley": valley, "circles": round_bowl, "two valleys": two_valleys}


@interact(
    rule=Dropdown(options=list(RULES), value="Adam"),
    log_rate=FloatSlider(
        -1, min=-4, max=2, step=0.1, continuous_update=False, description="log10 rate"
    ),
    terrain=Dropdown(options=list(TERRAINS)),
)
def explore(rule, log_rate, terrain):
    surface = TERRAINS[terrain]
    path, losses = walk(rule, 10**log_rate, surface)
    fig, (left, right) = lab.figure(1, 2, height=3.2)
    lab.contours(left, surface, (-2, 2), (-1.5, 3), levels=12)
    left.plot(path[:, 0], path[:, 1], ".-", linewidth=1, markersize=4)
    left.set(xlabel="x", ylabel="y", title=f"{rule}, rate {10**log_rate:.2g}")
    right.semilogy(losses.clamp(min=1e-12))
    right.set(xlabel="step", ylabel="loss")
    lab.show(
        fig,
        alt=f"Left: the path of {rule} at rate {10**log_rate:.2g} over the contours of {terrain}. "
        "Right: its loss by step, logarithmic.",
    )


# %% [markdown] role="question" exercise="nine_optimisers" minutes=10
# ### Nine optimisers, one seed
#
# A colleague shows you a table: nine optimisers, one network, one run each, all at a learning rate of 0.05. Adam is last but one, and the colleague concludes that adaptive methods do not suit your data.
# In at most ten sentences: (a) What is wrong with the table? Name at least three things. (b) What would you run instead, and what would you report? (c) Suppose that your own table shows rule A 0.4 points ahead of rule B, with an interval from −0.1 to 0.9, over five seeds. What do you tell your colleague?

# %% [markdown] role="answer" exercise="nine_optimisers" points=3
# (a) A shared rate is not an equal chance: 0.05 multiplies a gradient in SGD, ten gradients' worth in momentum, and is itself the size of the step in Adam, so the table measures how far 0.05 is from each rule's range. One run each cannot tell the rule from the luck of its seed; there is no interval. If the numbers are on the test set
# and anything was chosen by them, they are optimistic; and equal numbers of steps are not equal time or memory. (b) The same network, data and budget for all; for each rule a grid of rates (widened when the best lies at its edge), chosen on validation images with seeds of their own; then at least five fresh seeds each, judged on test images; reported with
# 95 % intervals, paired differences to a baseline, and seconds and memory next to the accuracy. I would repeat it on a second network or budget before I said "our data". (c) That we do not know which is better: the interval contains 0. If there is a difference, it is likely below one point; then the cheaper or more familiar rule is the better choice, or more seeds are needed.

# %% [markdown]
# ## What we measured
#
# Every figure that the text above relies on, asserted on this machine, with a margin.

# %%
ends = {rule: losses[-1].item() for rule, (_, losses) in paths.items()}
swing = [
    round_bowl(
        lab.descend(round_bowl, (-1.5, 1.5), partial(optim.SGD, lr=0.1, momentum=m), 40)
    )[-1]
    for m in (0.0, 0.9)
]
moon_mean = moon_runs.groupby("rule").gradients.mean()
at_shared, at_best = (f.groupby("rule").accuracy.mean() for f in (shared, results))
classical = at_best[list(RULES)]

with Claims(data) as claim:
    claim(
        "in the valley Nesterov ends lower than momentum", ends["Nesterov"] < ends["momentum"]
    )
    claim("in the valley plain SGD does not come below 0.01", ends["SGD"] > 0.01)
    claim("on circles momentum ends 1,000 times higher", swing[1] > 1_000 * swing[0])
    claim("a Hessian of 8e9 entries, 32 GB", abs(4 * n_parameters**2 / 1e9 - 32) < 1)
    claim(
        "Newton–Schulz: six singular values between 0.5 and 1.3 after five rounds",
        bool(((rounds[5][:6] > 0.5) & (rounds[5][:6] < 1.3)).all()) and rounds[5][7] < 0.2,
    )
    claim(
        "L-BFGS needs less than half of gradient descent's evaluations",
        moon_mean["L-BFGS"] < moon_mean["gradient descent"] / 2,
        weaker=moon_mean["L-BFGS"] < moon_mean["gradient descent"],
    )
    claim(
        "L-BFGS needs fewer than Nesterov",
        moon_mean["L-BFGS"] < moon_mean["Nesterov"],
        weaker=moon_mean["L-BFGS"] < 2 * moon_mean["Nesterov"],
    )
    claim(
        "shared rate: Adam is at least five points behind Nesterov",
        at_shared["Adam"] < at_shared["Nesterov"] - 0.05,
        weaker=at_shared["Adam"] < at_shared["Nesterov"] + 0.2,
    )
    claim(
        "shared rate: RMSProp is at least twenty points behind Nesterov",
        at_shared["RMSProp"] < at_shared["Nesterov"] - 0.2,
        weaker=at_shared["RMSProp"] < at_shared["Nesterov"] + 0.05,
    )
    claim(
        "own rates: Adam and Nesterov within three points of each other",
        abs(at_best["Adam"] - at_best["Nesterov"]) < 0.03,
        weaker=abs(at_best["Adam"] - at_best["Nesterov"]) < 0.3,
    )
    claim(
        "own rates: the ten classical rules lie less than half as far apart as at the shared one",
        np.ptp(classical) < np.ptp(at_shared) / 2,
        weaker=np.ptp(classical) < np.ptp(at_shared) * 1.5,
    )
    claim(
        "own rates: plain SGD is behind Adam",
        at_best["SGD"] < at_best["Adam"],
        weaker=at_best["SGD"] < at_best["Adam"] + 0.1,
    )
    for rule in set(newcomers) - {"Shampoo"}:
        claim(
            f"own rates: {rule} is ahead of Adam on the mean of the seeds",
            at_best[rule] > at_best["Adam"],
            weaker=at_best[rule] > at_best["Adam"] - 0.1,
        )
    claim(
        "Adam gains from three times the steps",
        patient.accuracy.mean() > at_best["Adam"],
        weaker=patient.accuracy.mean() > at_best["Adam"] - 0.05,
    )
    claim(
        "Adam keeps two numbers for each weight, momentum one, SGD none",
        [round(cost.memory[rule]) for rule in ("Adam", "momentum", "SGD")] == [2, 1, 0],
    )
    claim(
        "30 epochs: Adam and Nesterov within three points on the test set",
        abs(gap["mean"].iloc[0]) < 0.03,
        weaker=abs(gap["mean"].iloc[0]) < 0.3,
    )

# %% [markdown]
# ## In short
#
# | method | memory | a step is | take it |
# |---|---|---|---|
# | SGD, momentum, Nesterov | 0 to 1 n | the slope, smoothed | tuned and scheduled, for image networks; `SGD(..., nesterov=True)` |
# | Adam, AdamW | 2 n | each coordinate by its own scale | first, for nearly everything |
# | Lion | 1 n | a sign | where memory is short; a smaller rate |
# | Muon | 1 n | the momentum matrix with all singular values 1 | matrices, above all of hidden layers; the rest to AdamW |
# | Shampoo, SOAP | matrices of $a^2 + b^2$ a layer | gradient between two roots of matrices | long runs where steps are dear |
# | L-BFGS | 2 m n | curvature from the last m steps | small data, full batch |
# | Newton | n² | $H^{-1}g$ | a handful of parameters; beware of saddles |
#
# - A comparison at a shared rate says nothing about the rules. Own best rate, fresh seeds, intervals.
# - The Hessian has $n^2$ entries, but $Hv$ costs a few gradients.
# - No rule wins everywhere: each is an assumption about the landscape.
#
# **Read on.** Pearlmutter (1994), *Fast exact multiplication by the Hessian*. Wolpert and Macready (1997). Dauphin et al. (2014) on saddle points. Wilson et al. (2017), *The marginal value of adaptive gradient methods*, and Choi et al. (2019), *On empirical comparisons of optimizers*, which answers it. Schmidt, Schneider and Hennig (2021), *Descending through
# a crowded valley*: fifteen optimisers, and no clear winner. Gupta, Koren and Singer (2018) on Shampoo, Chen et al. (2023) on Lion, Jordan et al. (2024) on Muon. The next chapter lets the rate change during training, which matters more than most of this lesson.

# %%
lab.show_progress("ch03")
