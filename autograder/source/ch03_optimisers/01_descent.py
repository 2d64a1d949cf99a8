# ---
# jupyter:
#   lesson:
#     title: Gradient descent, one step at a time
#     minutes: 90
# ---

# %% [markdown]
# Train one small network on the same 300 points in three ways, always at the learning rate 0.01: with all points in every step, with 32 of
# them, with a single one. The first way needs some 7,000 epochs, the second 700, the third 30. Is the third the best? If you answer yes, you are
# in good company: many a textbook prints such a table, and counts in epochs.
#
# In this lesson we take gradient descent apart and find out what that table measures. At the end you can
#
# - say why a loss has to be smooth, and smooth one yourself,
# - predict from the curvature whether a step crawls, lands or leaps,
# - write an optimiser with PyTorch's interface, batches that are dealt fairly, and a large batch that fits into a small memory,
# - compare batch sizes honestly, and not be fooled by the noise of a learning curve.
#
# You need: PyTorch's training loop, and the chain rule.

# %% role="setup"
import copy
import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %%
device = lab.device()

# %% [markdown]
# ## An error that you cannot roll down
#
# The smallest classifier there is: points on a line, two classes, and **one** parameter, the split $s$. What lies to the right of it is called class
# $+1$, what lies to the left $-1$. We want few mistakes, so why not let the share of mistakes be the loss?
#
# **Predict, then run.** What does the share of mistakes look like, drawn against $s$? And what is its slope at the point where you happen to stand?

# %%
generator = torch.Generator().manual_seed(3)
classes = torch.tensor([-1.0, 1.0]).repeat_interleave(20)
points = torch.randn(40, generator=generator) + classes
splits = torch.linspace(-4, 4, 2001)


def staircase_error(x, y, split):
    """Share of the points (n,) on the wrong side of each split (m,)."""
    right_of_split = x > split.unsqueeze(-1)
    return (right_of_split != (y > 0)).double().mean(-1)


stairs = staircase_error(points, classes, splits)
moved = (stairs.diff() != 0).double().mean()
best_split = splits[stairs.argmin()].item()
print(f"fewest mistakes: {stairs.min():.1%}, at the split {best_split:.2f}")
print(f"the error changes between neighbouring splits in {moved:.1%} of the places")

# %%
fig, ax = lab.figure(height=2.8)
ax.plot(splits, stairs, "-", label="share of mistakes")
for sign, marker, name in ((-1, "o", "class −1"), (1, "^", "class +1")):
    here = points[classes == sign]
    ax.plot(
        here,
        torch.full_like(here, -0.05 - 0.03 * (sign < 0)),
        marker,
        markersize=4,
        label=name,
        linestyle="none",
    )
ax.set(xlabel="split s", ylabel="error")
ax.legend(loc="upper center", fontsize=9)
lab.show(
    fig,
    alt="The share of mistakes against the split: a staircase that falls from 0.5 at the left to 0.1 "
    "near 0 and climbs back to 0.5, in flat steps, some of them against the trend. Below it the points of the two classes, which overlap around 0.",
)

# %% [markdown]
# A staircase. Move the split a little and usually no point changes sides: the slope is **0 nearly everywhere**, and where it is not 0 there is none.
# Gradient descent, which knows nothing but the slope where it stands, would never take a step. That is why we train on one number and report another: a smooth
# **loss** to descend, and the error, or accuracy, to read.
#
# The mildest way to smooth a staircase is to blur each stair. A point $x_i$ with class $y_i = \pm 1$ is on the wrong side when $y_i\,(s - x_i) > 0$. Let it count
# not as 0 or 1, but as *how much* it is on the wrong side, through the sigmoid $\sigma(z) = 1/(1 + e^{-z})$:
#
# $$E(s) = \frac 1n \sum_{i=1}^{n} \sigma\!\left(\frac{y_i\,(s - x_i)}{\tau}\right)$$
#
# The width $\tau$ says how far from the split a point still takes notice.

# %% [markdown] role="card" exercise="smooth_error" level=1 minutes=8 topic="Gradient descent" doc="https://docs.pytorch.org/docs/stable/generated/torch.sigmoid.html"
# ### The error as a smooth curve
#
# Return $E(s)$ for several splits at once: points and classes have the shape `(n,)`, the splits `(m,)`, and so has the result, one error for each split. $\tau$ is `width`.
#
# Autograd must be able to go through it to the splits. Value **and** gradient are to be finite even where $z$ is $\pm 10{,}000$, and $e^{10{,}000}$ is no float.


# %% role="stub" exercise="smooth_error"
def smooth_error(
    x: torch.Tensor, y: torch.Tensor, split: torch.Tensor, width: float = 1.0
) -> torch.Tensor:
    """Share of misclassified points, with each stair blurred by a sigmoid.

    Args:
        x: the points, (n,), float32 or float64.
        y: their classes, (n,), of the same dtype: −1 belongs to the left of the split, +1 to the right.
        split: the split points to try, (m,), of the same dtype; may require gradients.
        width: scale of the blur, above 0; the limit 0 is the staircase.

    Returns:
        The mean over the points of σ(y (split − x) / width), one for each split, (m,), in the dtype of the inputs.
    """
    ### BEGIN SOLUTION
    return torch.sigmoid(y * (split[:, None] - x) / width).mean(dim=1)
    ### END SOLUTION


# %% role="check" exercise="smooth_error"
with Check("smooth_error") as check:
    x, y = torch.tensor([0.0, 1.0, 4.0]), torch.tensor([-1.0, 1.0, 1.0])
    split = torch.tensor([1.0, 2.0], requires_grad=True)
    error = smooth_error(x, y, split, 0.5)
    check.is_a(error, torch.Tensor)
    check.shape(error, (2,), "One error for each split: average over the points alone.")
    # σ(−2), σ(0), σ(−6) and σ(−4), σ(2), σ(−4)
    check.close(
        error.detach(),
        torch.tensor([0.2072252, 0.3055898]),
        "Points 0, 1, 4 of classes −1, +1, +1 and width 0.5: the errors at the splits 1 and 2 are off.",
        known=[
            (
                torch.tensor([0.7927748, 0.6944102]),
                "That is the share that is right: the sign inside the sigmoid is turned.",
            ),
            (
                torch.tensor([0.6216756, 0.9167694]),
                "That is the sum over the points. Take their mean.",
            ),
            (
                torch.tensor([0.4610899, 0.6269324]),
                "The classes make no difference: y turns the sign for the points of class −1.",
            ),
            (
                torch.tensor([0.3533221, 0.3867807]),
                "You multiply by the width. A small width should make the curve steep: divide.",
            ),
            (
                torch.tensor([0.2721224, 0.3231548]),
                "The width makes no difference in your answer.",
            ),
            (
                torch.tensor([0.1666667, 0.3333333]),
                "That is the staircase itself, with half a mistake for a point on the split. Blur it.",
            ),
            (
                torch.tensor([0.0, 1 / 3]),
                "That is the staircase itself. Blur it with the sigmoid.",
            ),
        ],
    )
    check.that(error.requires_grad, "The error should depend on the splits through autograd.")
    error.sum().backward()
    check.close(
        split.grad,
        torch.tensor([0.0983153, 0.0699957]),
        "The values are right, but not the slopes at the two splits.",
    )
    sharp = torch.tensor([0.3, 2.0], requires_grad=True)
    error = smooth_error(x, y, sharp, 1e-4)
    check.close(
        error.detach(),
        torch.tensor([0.0, 1 / 3]),
        "With width 0.0001 the curve should be the staircase: 0 mistakes at 0.3, 1 of 3 at 2.",
    )
    error.sum().backward()
    check.that(
        bool(torch.isfinite(sharp.grad).all()),
        "With width 0.0001 the gradient is nan: exp overflows. torch has a sigmoid that does not.",
    )


# %% [markdown] role="hints" exercise="smooth_error"
# <details><summary>Hint 1: every split with every point</summary>
#
# You need an (m, n) table: the splits as a column, the points as a row. `split.unsqueeze(1)` turns (m,) into (m, 1), and broadcasting does the rest.
#
# </details>
# <details><summary>Hint 2: which mean?</summary>
#
# The mean over the points, which lie along dimension 1 of the table. What is left has one entry for each split.
#
# </details>

# %% role="test" exercise="smooth_error" points=1
# Graded with hidden tests: other sizes and dtypes, a single point, tiny widths, the gradient.
### BEGIN HIDDEN TESTS
with HiddenTest("smooth_error") as test:
    for n, m, width, dtype in (
        (7, 4, 0.3, torch.float32),
        (1, 1, 1.0, torch.float64),
        (50, 50, 2.5, torch.float64),
        (1, 6, 0.1, torch.float32),
        (9, 1, 40.0, torch.float32),
        (20, 10, 0.05, torch.float64),
    ):
        x = torch.randn(n, dtype=dtype) * 2
        y = torch.where(torch.rand(n) < 0.5, -1.0, 1.0).to(dtype)
        split = torch.randn(m, dtype=dtype)
        split[0] = x[0]  # a point on the split: z = 0
        split.requires_grad_()
        z = torch.stack(
            [y.double() * (s - x.double()) / width for s in split.detach().double()]
        )
        want = (1 + torch.tanh(z / 2)).mean(1) / 2
        slope = (y.double() / (4 * width * torch.cosh(z / 2).square())).mean(1)
        flipped = (1 - torch.tanh(z / 2)).mean(1) / 2
        before = x.clone(), y.clone()
        error = smooth_error(x, y, split, width=width)
        test.is_a(error, torch.Tensor)
        test.shape(error, (m,), "One error for each split, also if there is only one.")
        test.close(
            error.detach(),
            want,
            "The error is not the mean over the points of σ(y (split − x) / width).",
            known=[(flipped, "The sign inside the sigmoid is turned.")],
        )
        test.that(error.dtype == dtype, "The dtype of the result should be that of the inputs.")
        if dtype == torch.float64:
            test.close(
                error.detach(),
                want,
                "With float64 the digits of float32 are right, the rest are not: keep to the dtype of the inputs "
                "all the way, and do not clamp z tightly.",
                rtol=1e-9,
                atol=1e-12,
            )
        test.that(error.requires_grad, "Autograd cannot go through to the splits.")
        (grad,) = torch.autograd.grad(error.sum(), split, allow_unused=True)
        test.that(grad is not None, "Autograd cannot go through to the splits.")
        test.close(grad, slope, "The slope of the error is off.", rtol=1e-3, atol=1e-5)
        test.that(
            torch.equal(x, before[0]) and torch.equal(y, before[1]),
            "The points or classes have changed: work on new tensors.",
        )
    x, y = (
        torch.tensor([-3.0, 2.0]),
        torch.tensor([1.0, -1.0]),
    )  # both on the wrong side, widely
    split = torch.zeros(1, requires_grad=True)
    error = smooth_error(x, y, split, 1e-6)
    test.close(error.detach(), torch.tensor([1.0]), "With a tiny width this is the staircase.")
    (grad,) = torch.autograd.grad(error.sum(), split)
    test.that(bool(torch.isfinite(grad).all()), "With a tiny width the gradient is not finite.")
    split = torch.zeros(1, requires_grad=True)
    error = smooth_error(x, -y, split, 1e-6)
    test.close(error.detach(), torch.tensor([0.0]), "With a tiny width this is the staircase.")
    (grad,) = torch.autograd.grad(error.sum(), split)
    test.that(bool(torch.isfinite(grad).all()), "With a tiny width the gradient is not finite.")
    test.close(
        smooth_error(x, y, torch.tensor([0.5])),
        torch.tensor([(1 / (1 + math.exp(-3.5)) + 1 / (1 + math.exp(-1.5))) / 2]),
        "Without a width given it should be 1.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="smooth_error"
# A wide blur has a slope everywhere but forgets where the stairs were; a narrow one is faithful and flat. Each choice of loss makes that trade. The cross-entropy replaces $\sigma(z)$ by $\log(1 + e^{z})$, which keeps a
# slope however wrong a point is: at $z = 10$ the sigmoid's slope is 0.00005, so a hopeless point is given up, while the cross-entropy still pulls with 0.99995. (`1 / (1 + torch.exp(-z))` has the right value at $z = -100$
# and the gradient nan: autograd multiplies $\infty$ by 0. The built-in sigmoid uses $\sigma' = \sigma(1-\sigma)$.)

# %%
with needs("smooth_error"):
    fig, (left, right) = lab.figure(1, 2, height=3)
    left.plot(splits, stairs, "-", color="grey", label="staircase")
    for i, width in enumerate((0.05, 0.3, 1.0)):
        s = splits.clone().requires_grad_()
        blurred = smooth_error(points, classes, s, width)
        (slope,) = torch.autograd.grad(blurred.sum(), s)
        style = lab.line_style(i) | {"marker": ""}
        left.plot(splits, blurred.detach(), label=f"width {width:g}", **style)
        right.plot(splits, slope, **style)
        lowest = splits[blurred.argmin()].item()
        print(
            f"width {width:4g}: lowest at the split {lowest:5.2f}, slope at −3: {slope[250]:.1e}"
        )
    left.set(xlabel="split s", ylabel="error")
    right.set(xlabel="split s", ylabel="slope")
    left.legend(fontsize=8, loc="lower right")
    lab.show(
        fig,
        alt="Left: the staircase and its smooth versions with widths 0.05, 0.3 and 1; the narrow one follows the stairs "
        "with rounded corners, the wide one is a smooth shallow valley. Right: their slopes; the narrow one's jumps up and down, "
        "the wide one's changes sign once, near 0.",
    )

# %% [markdown]
# Look at the slopes. The narrow blur keeps bumps of the staircase, where a walker may come to rest, and far out it is nearly as flat as the stairs; the wide one has one valley and leads to it from far away. Here
# the bottom of each lies among the splits with the fewest mistakes. It need not: the smooth curve is a stand-in.
#
# ## Steps of constant rate
#
# Now we can roll. **Gradient descent** repeats
#
# $$\theta \leftarrow \theta - \eta\,\nabla L(\theta)$$
#
# with a learning rate $\eta$. Let us give it a valley that it can hardly fail in, a Gaussian turned upside down,
#
# $$f(x) = -e^{-2x^2},\qquad f'(x) = 4x\,e^{-2x^2},\qquad f''(0) = 4,$$
#
# and start at $x = 0.8$, on its right-hand slope.
#
# **Predict, then run.** Seven rates: 0.025, 0.05, 0.1, ⅛, then 0.5, 0.75 and 1. Which gets closest within ten steps? What does the walk with 0.75 look like after a hundred?


# %%
def valley(w):
    """An upside-down Gaussian; points (..., 1) to losses (...)."""
    return -torch.exp(-2 * w[..., 0].square())


def walk(surface, lr, start=0.8, steps=100):
    return lab.descend(surface, [start], lambda ps: torch.optim.SGD(ps, lr=lr), steps)[:, 0]


RATES = (0.025, 0.05, 0.1, 0.125, 0.5, 0.75, 1.0)
walks = {lr: walk(valley, lr) for lr in RATES}
for lr, path in walks.items():
    inside = (path.abs() < 0.04).nonzero().flatten()
    arrival = (
        f"within 0.04 after {inside[0]:2} steps" if len(inside) else "never within 0.04   "
    )
    end = ", ".join(f"{x:7.4f}" for x in path[-3:].tolist())
    print(f"rate {lr:<5g} {arrival}; steps 98 to 100: {end}")

# %%
fig, (left, middle, right) = lab.figure(1, 3, height=3.1)
grid = torch.linspace(-1.5, 1.5, 300)
left.plot(grid, valley(grid[:, None]), color="grey")
for lr, marker in ((0.125, "o"), (0.75, "^")):
    path = walks[lr][:9]
    left.plot(path, valley(path[:, None]), marker + "--", markersize=5, label=f"rate {lr:g}")
left.legend(fontsize=8, loc="upper center")
left.set(xlabel="x", ylabel="f(x)", title="Eight steps", ylim=(-1.08, 0.5))
for ax, rates, title in (
    (middle, (0.025, 0.05, 0.1, 0.125), "Small rates: crawl"),
    (right, (0.5, 0.75, 1.0), "Large rates: bounce"),
):
    for i, lr in enumerate(rates):
        style = lab.line_style(i) | {"markersize": 3, "linewidth": 1.2}
        ax.plot(walks[lr][:31], label=f"{lr:g}", **style)
    ax.set(xlabel="step", ylabel="x", title=title, ylim=(-1.05, 1.2))
    ax.legend(fontsize=8, loc="upper right", ncols=2, handlelength=3)
lab.show(
    fig,
    alt="Left: the valley with the first eight steps at rates 1/8, which slide to the bottom on the right side, and 0.75, "
    "which end up jumping between both slopes. Middle: x over 30 steps for the rates 0.025 to 1/8, smooth decays, the larger "
    "the rate the faster. Right: rates 0.5, 0.75 and 1; the first alternates in sign and shrinks slowly, the second settles "
    "into two points, the third jumps about.",
)

# %% [markdown]
# Up to ⅛, the quickest of the seven, each halving of the rate about doubles the number of steps. At 0.5 the walk overshoots; it still gets there, in ever smaller hops that hardly shrink; 0.75 has found two points, one on each slope, and jumps from one to the other for ever. At
# rate 1 it does not even repeat itself. Mind that a constant rate does not mean constant *steps*: the step is $\eta f'(x)$ and shrinks with the slope. That is why small rates settle by themselves, and why far out, where the Gaussian is flat, even a large rate crawls.
#
# ### Where is the border?
#
# Close to its minimum a smooth valley is a parabola, $f \approx f(0) + \tfrac12 \lambda x^2$, where the **curvature** $\lambda$ is the second derivative there. The gradient is $\lambda x$, so a step is a multiplication:
#
# $$x \leftarrow x - \eta\lambda x = (1 - \eta\lambda)\,x$$
#
# The distance shrinks if and only if
#
# $$|1 - \eta\lambda| < 1 \quad\Longleftrightarrow\quad 0 < \eta < \frac 2\lambda$$
#
# Up to $1/\lambda$ it comes down on one side, at $1/\lambda$ it lands in one step, between $1/\lambda$ and $2/\lambda$ it changes sides and still shrinks, beyond $2/\lambda$ it diverges. Here $\lambda = 4$, so the border is $0.5$, which is
# what we saw. (On it a parabola would bounce for ever; the Gaussian is less steep than its parabola, and so it creeps.)
#
# With many parameters there is one curvature for each principal direction, and **one** rate for all. The steepest direction sets the limit, $\eta < 2/\lambda_\max$, and the flattest the pace: each step multiplies it by $1 - \eta\lambda_\min$.
#
# **Predict, then run.** A bowl with curvatures 1 and 50. How many steps take the flat direction to 1/1000 of its start, at half the largest permitted rate? And what happens 2 % above it?


# %%
def bowl(w):
    """A bowl with curvatures 1 and 50; points (..., 2) to losses (...)."""
    return (w * w * w.new_tensor([1.0, 50.0])).sum(-1) / 2


limit = 2 / 50
shares = (0.5, 0.98, 1.02)
bowls = {
    share: lab.descend(
        bowl, [1.0, 1.0], lambda ps, s=share: torch.optim.SGD(ps, lr=s * limit), 400
    )
    for share in shares
}
for share, path in bowls.items():
    # Half of the border lands in one step, and there is no second one to compare.
    first, last = (0, 1) if share == 0.5 else (360, 400)
    measured = (path[last, 1] / path[first, 1]).abs().item() ** (1 / (last - first))
    theory = abs(1 - share * limit * 50)
    thousandth = (path[:, 0].abs() < 1e-3).nonzero().flatten()[:1].tolist()
    print(
        f"{share:4.2f} · 2/λ: steep direction × {measured:.4f} a step (theory {theory:.4f}), "
        f"flat one below 1/1000 after {thousandth or 'more than 400'} steps"
    )

# %%
fig, axes = lab.figure(1, 3, height=2.6)
for ax, (share, path) in zip(axes, bowls.items(), strict=True):
    lab.contours(ax, bowl, (-0.4, 1.1), (-1.6, 1.6), levels=12)
    ax.plot(*path[:60].T, "o-", markersize=3, linewidth=0.8)
    ax.set(xlabel="flat direction", title=f"η = {share:g} · 2/λmax")
axes[0].set(ylabel="steep direction")
lab.show(
    fig,
    alt="Three walks of 60 steps on an elongated bowl from (1, 1). At half the limit the steep direction is gone in one step and "
    "the walk creeps along the flat one. At 0.98 of the limit it zigzags across the valley, slowly shrinking. At 1.02 the zigzag grows.",
)

# %% [markdown]
# At half the limit the steep direction is dealt with in one step, and the flat one takes 342 to come down to a thousandth; the ratio $\lambda_\max/\lambda_\min$, the **condition number**, is the price of having one rate for all. Two per cent above the limit, the steep direction grows
# at every step, slowly at first. A walk that starts with almost nothing in the steep direction does not show it for a while: the loss falls along the flat one, then climbs, faster and faster, while the weights jump from side to side. That is the picture of a rate just above the border. The next two lessons of this chapter (momentum, adaptive rates) are answers to the price of unequal curvatures.
#
# ### Jumping valleys
#
# A rate that is too large for one valley may be right for another. Let us put a wide, shallow valley at $-2.5$ beside the narrow, deep one at 0.
#
# **Predict, then run.** From 0.8, on the rim of the deep valley: where does rate 0.125 end, where does rate 2?


# %%
def two_valleys(w):
    """A narrow deep valley at 0 and a wide shallow one at −2.5."""
    x = w[..., 0]
    return -torch.exp(-2 * x.square()) - 0.4 * torch.exp(-((x + 2.5) ** 2) / 1.28)


jumps = {lr: walk(two_valleys, lr, steps=300) for lr in (0.125, 2.0)}
for lr, path in jumps.items():
    print(
        f"rate {lr:g}: ends at {path[-1]:.3f}, loss {two_valleys(path[-1:, None]).item():.3f}"
    )

# %%
from ipywidgets import Dropdown, FloatLogSlider, FloatSlider, interact

LANDSCAPES = {"two valleys": two_valleys, "one valley": valley}


@interact(
    lr=FloatLogSlider(2.0, min=-2, max=0.7, step=0.05, continuous_update=False),
    start=FloatSlider(0.8, min=-3.5, max=1.5, step=0.1, continuous_update=False),
    landscape=Dropdown(options=list(LANDSCAPES)),
)
def explore(lr, start, landscape):
    surface = LANDSCAPES[landscape]
    path = walk(surface, lr, start, steps=60)
    fig, (left, right) = lab.figure(1, 2, height=2.8, title=f"rate {lr:.3g}, from {start:.1f}")
    grid = torch.linspace(-5, 3, 400)
    left.plot(grid, surface(grid[:, None]), color="grey")
    left.plot(path, surface(path[:, None]), "o-", markersize=3, linewidth=0.6)
    left.set(xlabel="x", ylabel="loss", xlim=(-5, 3))
    right.plot(path, "o-", markersize=3, linewidth=0.8)
    right.set(xlabel="step", ylabel="x", ylim=(-5, 3))
    lab.show(
        fig,
        alt=f"Sixty steps of gradient descent at rate {lr:.3g} from {start:.1f}: on the curve at the left, and as x against the "
        f"step at the right. It ends at {path[-1]:.2f}.",
    )


# %% [markdown]
# The large rate cannot stay in the deep valley, whose curvature of 4 allows 0.5, so it is thrown about until it falls into the wide one, where the curvature is $0.4/0.64 = 0.625$ and the limit 3.2. **A constant rate chooses valleys by their width.** That may be bad luck, as here, where the deep one is
# better. With networks it is often said to be good luck, since wide valleys seem to generalise better; that is a conjecture with many friends, not a law. Play with the slider: find a rate that bounces inside the deep valley without leaving it, and, in the landscape with one valley, one that hops out of it to where
# the ground is flat and nothing moves any more.
#
# ## An optimiser, as PyTorch wants it
#
# Everything so far was one line of arithmetic. To put that line between `loss.backward()` and the next batch, PyTorch has an interface, `torch.optim.Optimizer`, and all rules of this chapter will be written in it. Its base class does the book-keeping:
#
# - `super().__init__(params, defaults)` takes an iterable of parameters, such as `model.parameters()`, **or** a list of dicts, the *groups*, such as `[{"params": head}, {"params": body, "lr": 0.001}]`. `defaults` is a dict, such as `{"lr": 0.1}`: what a group does not say for itself it gets from there.
# - `self.param_groups` is then a list of dicts, each with a list `"params"` and its own `"lr"`. Schedulers change `group["lr"]` **while training runs**. So read it in every step; a copy in an attribute would never hear of the change.
# - `self.state` is for what a rule remembers about each parameter (velocities and the like, from the next lesson on). Plain descent remembers nothing.
# - `zero_grad()`, `state_dict()`, `load_state_dict()` and `add_param_group()` come for free.
#
# What is left for you is `__init__` and `step`. In `step`, a parameter has its gradient in `.grad`, or `None` there if it took no part in the loss. The update has to be done in place, because the model, and others, hold these very tensors; and without autograd, because
# an update is no part of the loss.
#
# `step(closure=None)` takes one optional argument. Some rules want to evaluate the loss more than once a step, so they are given a function, the *closure*, that computes the loss, calls `backward()` and returns the loss. A rule that does not need it runs it once, before the update, **with autograd on**, and returns
# what it returned.

# %% [markdown] role="card" exercise="PlainSGD" level=2 minutes=15 topic="Gradient descent" doc="https://docs.pytorch.org/docs/stable/optim.html#base-class"
# ### Gradient descent as an optimiser
#
# Write `PlainSGD(params, lr)`, a subclass of `torch.optim.Optimizer` that does $\theta \leftarrow \theta - \eta\,\nabla L$ in each `step()`:
#
# - for every parameter of every group, with the rate that its group has **now**; where `.grad` is `None` the parameter stays as it is;
# - in place: the parameter's numbers change, in the same memory; the gradients stay as they are (setting them to zero is the business of `zero_grad`);
# - with a closure, `step` calls it once, before the update and with autograd on, even if the caller has switched it off, and returns what it returned; without one it returns `None`;
# - a negative `lr` raises a `ValueError`; a rate of 0 is allowed.


# %% role="stub" exercise="PlainSGD"
class PlainSGD(torch.optim.Optimizer):
    """Gradient descent with a constant rate: θ ← θ − lr · gradient (Cauchy, 1847)."""

    def __init__(self, params, lr: float):
        """Take the parameters, or groups of them, and the rate of groups that name none.

        Args:
            params: iterable of tensors, or list of dicts with "params" and, possibly, an "lr" of their own.
            lr: the learning rate, at least 0.

        Raises:
            ValueError: if lr is negative.
        """
        ### BEGIN SOLUTION
        if lr < 0:
            raise ValueError(f"A learning rate is at least 0, not {lr}.")
        super().__init__(params, {"lr": lr})
        ### END SOLUTION

    def step(self, closure: Callable | None = None):
        """Update all parameters in place; with a closure, call it first and return its loss."""
        ### BEGIN SOLUTION
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        with torch.no_grad():
            for group in self.param_groups:
                for parameter in group["params"]:
                    if parameter.grad is not None:
                        parameter.sub_(parameter.grad, alpha=group["lr"])
        return loss
        ### END SOLUTION


# %% role="check" exercise="PlainSGD"
with Check("PlainSGD") as check:
    weight, unused = nn.Parameter(torch.tensor([1.0, 2.0])), nn.Parameter(torch.ones(3))
    early = nn.Parameter(torch.ones(1))
    early.grad = torch.ones(1)
    window = weight.detach()  # the same memory
    weight.grad = gradient = torch.tensor([10.0, -4.0])
    optimizer = PlainSGD(iter([early, unused, weight]), lr=0.1)
    check.is_a(optimizer, torch.optim.Optimizer)
    check.that(
        getattr(optimizer, "param_groups", None),
        "There are no `param_groups`: hand the parameters and the defaults to the base class.",
    )
    check.that(
        "lr" in optimizer.param_groups[0],
        'The group has no "lr": put it into the dict of defaults for the base class.',
    )
    with check.case("one parameter has a gradient, the other has None"):
        returned = optimizer.step()
    check.that(
        early.item() == 1 or weight.tolist() != [1, 2],
        "The first parameter moved, the third did not: the step ends too soon. Where a gradient is None, "
        "`continue` with the next parameter; `return` after the loops.",
    )
    check.close(
        weight.detach(),
        torch.tensor([0.0, 2.4]),
        "From (1, 2) with the gradient (10, −4) and rate 0.1 a step should lead to (0, 2.4).",
        known=[
            (
                torch.tensor([1.0, 2.0]),
                "The parameter did not move. `p = p - …` only gives the name p to a new tensor: change it in place.",
            ),
            (torch.tensor([2.0, 1.6]), "It climbs: the gradient is to be subtracted."),
            (torch.tensor([-9.0, 6.0]), "The rate is missing."),
        ],
    )
    check.close(
        window,
        torch.tensor([0.0, 2.4]),
        "The parameter was given new memory. Whoever shares the old one sees old numbers: write into it.",
    )
    check.that(
        weight.is_leaf and weight.requires_grad,
        "Autograd recorded the update: do it under torch.no_grad().",
    )
    check.that(
        weight.grad is gradient and gradient.tolist() == [10, -4],
        "The gradient has changed: `step` only reads it.",
    )
    check.that(unused.tolist() == [1, 1, 1], "A parameter without a gradient should stay.")
    check.that(returned is None, "Without a closure `step` should return None.")
    optimizer.param_groups[0]["lr"] = 0.5  # as a scheduler does
    optimizer.step()
    check.close(
        weight.detach(),
        torch.tensor([-5.0, 4.4]),
        'With group["lr"] set to 0.5 the next step should lead to (−5, 4.4).',
        known=[
            (
                torch.tensor([-1.0, 2.8]),
                'The rate of the first step was used again: read group["lr"] in each step.',
            )
        ],
    )
    first, second = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(2, 1))
    first.grad, second.grad = torch.ones(1), torch.ones(2, 1)
    optimizer = PlainSGD([{"params": [first], "lr": 1.0}, {"params": [second]}], lr=0.25)
    optimizer.step()
    check.close(
        first.detach(),
        torch.tensor([-1.0]),
        "A group with a rate of 1 of its own did not use it.",
        known=[
            (
                torch.tensor([-0.25]),
                'A group with its own rate used the default: read group["lr"].',
            )
        ],
    )
    check.close(
        second.detach(),
        torch.full((2, 1), -0.25),
        "The second group should move with the default rate.",
        known=[
            (torch.zeros(2, 1), "Only the first group moved: walk through all of them."),
            (torch.full((2, 1), -1.0), "The second group used the rate of the first."),
        ],
    )
    calls, optimizer = [], PlainSGD([weight], lr=0.1)

    def closure():
        calls.append(torch.is_grad_enabled())
        optimizer.zero_grad()
        loss = (weight * 2).sum()
        if loss.requires_grad:
            loss.backward()
        return loss

    with torch.no_grad(), check.case("step is given a closure"):
        loss = optimizer.step(closure)
    check.that(calls, "The closure was not called.")
    check.that(len(calls) == 1, f"The closure was called {len(calls)} times: once is enough.")
    check.that(calls[0], "The closure ran without autograd: call it with autograd switched on.")
    check.is_a(loss, torch.Tensor, "`step` should return what the closure returned.")
    check.close(
        loss.item(),
        -1.2,
        "`step` should return the loss before the update.",
        known=[
            (
                -2.4,
                "The closure was called after the update: call it first, and use its gradient.",
            )
        ],
    )
    check.close(
        weight.detach(),
        torch.tensor([-5.2, 4.2]),
        "With a closure, the update should use the gradient that the closure has just computed.",
    )
    for lr, fine in ((0.0, True), (-0.1, False)):
        raised = None
        try:
            PlainSGD([weight], lr=lr)
        except Exception as error:
            raised = type(error).__name__
        told = (
            f"A rate of 0 is allowed, but it raised {raised}."
            if fine
            else f"A rate of −0.1 should raise a ValueError, but it raised {raised or 'nothing'}."
        )
        check.that(raised == (None if fine else "ValueError"), told)


# %% [markdown] role="hints" exercise="PlainSGD"
# <details><summary>Hint 1: the constructor</summary>
#
# Look at `lr`, then call the base class with two arguments: the parameters as they came, and a dict of defaults with one entry. The base class sorts out iterables and groups.
#
# </details>
# <details><summary>Hint 2: the step</summary>
#
# Two loops, one inside the other: over `self.param_groups`, and over the `"params"` of each. Tensors have methods whose names end in `_` that work in place.
#
# </details>
# <details><summary>Hint 3: the closure</summary>
#
# `with torch.enable_grad():` switches autograd on for a block, whatever it was before. Let the block that calls the closure come first, and the update in a block of `torch.no_grad()` afterwards.
#
# </details>

# %% role="test" exercise="PlainSGD" points=3
# Graded with hidden tests: several steps, groups, schedulers, dtypes, closures, saving and loading.
### BEGIN HIDDEN TESTS
with HiddenTest("PlainSGD") as test:
    for dtype, lr in ((torch.float32, 0.05), (torch.float64, 0.3)):
        model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3)).to(dtype)
        model[0].bias.requires_grad_(False)
        model.register_parameter("temperature", nn.Parameter(torch.tensor(1.5, dtype=dtype)))
        model.register_parameter("idle", nn.Parameter(torch.ones(2, dtype=dtype)))
        twin = copy.deepcopy(model)
        windows = [p.detach() for p in model.parameters()]
        optimizer = PlainSGD(model.parameters(), lr)
        other = torch.optim.SGD(twin.parameters(), lr=lr)
        test.is_a(optimizer, torch.optim.Optimizer)
        for _step in range(4):
            x, y = torch.randn(6, 5, dtype=dtype), torch.randint(3, (6,))
            for net, rule in ((model, optimizer), (twin, other)):
                rule.zero_grad()
                F.cross_entropy(net(x) * net.temperature, y).backward()
            gradients = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
            other.step()
            returned = optimizer.step()
            test.that(returned is None, "Without a closure `step` should return None.")
            for p, q, window, gradient in zip(
                model.parameters(), twin.parameters(), windows, gradients, strict=True
            ):
                test.close(
                    p.detach(),
                    q.detach(),
                    "After some steps the parameters are not where θ ← θ − η∇L leads.",
                    rtol=1e-4 if dtype == torch.float32 else 1e-10,
                )
                test.that(p.dtype == dtype, "The dtype of a parameter must not change.")
                test.that(p.is_leaf, "A parameter is no leaf any more: update under no_grad.")
                test.that(
                    torch.equal(window, p.detach()), "Update in place, in the same memory."
                )
                test.that(
                    (p.grad is None and gradient is None)
                    or (p.grad is not None and torch.equal(p.grad, gradient)),
                    "`step` changed a gradient: it should only read it.",
                )
    optimizer.zero_grad()
    test.that(
        all(p.grad is None or not p.grad.any() for p in model.parameters()),
        "`zero_grad` does not work any more: leave it to the base class.",
    )

    strided = nn.Parameter(torch.arange(6.0).reshape(2, 3).t())
    strided.grad = torch.ones(2, 3).t() * 2
    PlainSGD([strided], lr=0.5).step()
    test.close(
        strided.detach(),
        torch.arange(6.0).reshape(2, 3).t() - 1,
        "A parameter that is a transposed view was not updated.",
    )

    groups = [nn.Parameter(torch.zeros(2)) for _ in range(4)]
    for p in groups:
        p.grad = torch.tensor([1.0, -2.0])
    optimizer = PlainSGD([{"params": groups[:2]}, {"params": groups[2], "lr": 0.7}], lr=0.1)
    optimizer.add_param_group({"params": [groups[3]], "lr": 0.3})
    optimizer.step()
    for p, lr in zip(groups, (0.1, 0.1, 0.7, 0.3), strict=True):
        test.close(
            p.detach(),
            torch.tensor([-lr, 2 * lr]),
            "Each group, also one that is added later, should move with its own rate.",
        )
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 10.0**-t)
    scheduler.step()
    optimizer.step()
    for p, lr in zip(groups, (0.11, 0.11, 0.77, 0.33), strict=True):
        test.close(
            p.detach(),
            torch.tensor([-lr, 2 * lr]),
            'A scheduler lowered the rates, and the steps did not follow: read group["lr"] in each step.',
        )

    saved = copy.deepcopy(optimizer.state_dict())
    fresh = PlainSGD(
        [{"params": groups[:2]}, {"params": groups[2]}, {"params": groups[3]}], lr=9.0
    )
    fresh.load_state_dict(saved)
    test.that(
        [round(g["lr"], 6) for g in fresh.param_groups] == [0.01, 0.07, 0.03],
        "The rates do not survive `state_dict` and `load_state_dict`.",
    )
    start = groups[0].detach().clone()
    fresh.step()
    test.close(
        groups[0].detach(),
        start - 0.01 * torch.tensor([1.0, -2.0]),
        "After `load_state_dict` the step should use the loaded rate.",
    )

    resting = nn.Parameter(torch.ones(1))
    resting.grad = torch.ones(1)
    PlainSGD([{"params": [resting], "lr": 0.0}], lr=0.5).step()
    test.close(resting.item(), 1.0, "A group with the rate 0 should rest, not use the default.")

    weight, calls, made = nn.Parameter(torch.tensor([3.0])), [], []
    optimizer = PlainSGD([weight], lr=0.25)

    def closure():
        calls.append(torch.is_grad_enabled())
        optimizer.zero_grad()
        loss = weight.square().sum()
        if loss.requires_grad:
            loss.backward()
        made.append(loss)
        return loss

    for want, loss in ((1.5, 9.0), (0.75, 2.25)):
        calls.clear()
        with torch.no_grad():
            returned = optimizer.step(closure=closure)
            switched_on = torch.is_grad_enabled()
        test.that(len(calls) == 1, "The closure should be called exactly once a step.")
        test.that(calls[0], "The closure should run with autograd on.")
        test.that(returned is not None, "`step` should return what the closure returned.")
        test.close(float(returned), loss, "`step` should return the loss before the update.")
        test.close(weight.item(), want, "The update should use the closure's gradient.")
        test.that(
            returned is made[-1],
            "`step` should return the very thing that the closure returned, as it is.",
        )
        test.that(
            not switched_on,
            "The caller had switched autograd off, and `step` leaves it on: use `with torch.enable_grad():`.",
        )
    with test.case("the closure returns something that is no tensor"):
        returned = optimizer.step(lambda: "seven")
    test.that(returned == "seven", "`step` should return whatever the closure returned.")
    test.close(
        weight.item(),
        0.0,
        "A closure that leaves the gradients alone: the update should use those that are there, and zero none.",
    )

    for lr in (-1e-8, -1.0):
        raised = None
        try:
            PlainSGD([nn.Parameter(torch.zeros(1))], lr=lr)
        except Exception as error:
            raised = type(error).__name__
        test.that(
            raised == "ValueError",
            f"A negative rate should raise a ValueError, but it raised {raised or 'nothing'}.",
        )
    still = nn.Parameter(torch.ones(1))
    still.grad = torch.ones(1)
    PlainSGD([still], lr=0).step()
    test.close(still.item(), 1.0, "A rate of 0 should leave the parameter where it is.")
    with torch.enable_grad():
        weight = nn.Parameter(torch.ones(2))
        (weight * 3).sum().backward()
        PlainSGD([weight], 0.1).step()
        test.that(torch.is_grad_enabled(), "`step` leaves autograd switched off.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="PlainSGD"
# The decorator `@torch.no_grad()` on `step` does as well as the block, and then the closure needs `torch.enable_grad()` inside: so several of PyTorch's own optimisers are written (the others use a decorator of their own, to the same effect). `parameter.data -= …` works too and is older style. Reading `group["lr"]` in each step is what makes schedulers possible;
# skipping `None` is what makes frozen layers possible. A gradient of zeros and `None` are not the same thing: for plain descent they happen to have the same effect, but a rule with memory keeps moving on a zero gradient.

# %%
with needs("PlainSGD"):
    own = lab.descend(valley, [0.8], lambda ps: PlainSGD(ps, lr=0.75), 100)[:, 0]
    print(
        f"your own walk at rate 0.75 differs from torch.optim.SGD's by at most "
        f"{(own - walks[0.75]).abs().max():.1e}"
    )

# %% [markdown]
# ## Batch, stochastic, mini-batch
#
# The loss of a data set is a mean over its $n$ samples, $L = \frac 1n \sum_i L_i$, and so its gradient is a mean of gradients:
#
# $$\nabla L = \frac 1n \sum_{i=1}^n \nabla L_i \;\approx\; \frac 1B \sum_{i \in \text{batch}} \nabla L_i$$
#
# A mean can be *estimated* from a sample, and an estimate from a few is cheap. Three names for three sizes of $B$:
#
# - **batch** (or full-batch) gradient descent uses all $n$ samples for each update: the exact gradient, one update an epoch;
# - **stochastic** gradient descent, in the strict sense, uses one: $n$ updates an epoch, each a rough guess;
# - **mini-batch** gradient descent lies between, with $n/B$ updates an epoch.
#
# (Usage differs: nearly everyone says "SGD" for the mini-batch form, and "batch" for a mini-batch. `torch.optim.SGD` does not know which it is; it takes the gradient it finds.)
#
# An **epoch** is one pass in which each sample is used once. The samples are dealt like cards, shuffled anew each time, and not drawn with replacement: in $n$ draws with replacement about $1/e$, 37 %, of the samples would not turn up at all.

# %% [markdown] role="card" exercise="minibatches" level=2 minutes=12 topic="Batch size" doc="https://docs.pytorch.org/docs/stable/generated/torch.randperm.html"
# ### Deal the batches
#
# Write `minibatches`, which gives one epoch of shuffled batches `(x_batch, y_batch)`, one after the other, to be used as `for xb, yb in minibatches(x, y, 32, generator):`
#
# - each sample once, in a random order, all orders equally likely; `x` and `y` stay paired, whatever shapes they have after the first dimension;
# - `batch_size` samples each, the last batch holds what is left and may be smaller; if `batch_size` is $n$ or more there is one batch;
# - randomness comes from `generator`, a `torch.Generator` on the CPU, and from it alone: the global random state stays untouched, the same state of the generator gives the same order, and since drawing moves the generator on, the next epoch has another one; don't reseed it;
# - `batch_size` below 1 raises a `ValueError`, at the call or when the first batch is asked for;
# - `x` and `y` themselves stay as they are.


# %% role="stub" exercise="minibatches"
def minibatches(
    x: torch.Tensor, y: torch.Tensor, batch_size: int, generator: torch.Generator
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """One epoch of shuffled batches.

    Args:
        x: inputs (n, ...), n at least 1.
        y: targets (n, ...).
        batch_size: samples a batch; the last one may be smaller.
        generator: the only source of randomness, on the CPU.

    Yields:
        (x_batch, y_batch), shapes (B, ...) with the same samples in the same order.

    Raises:
        ValueError: if batch_size is below 1.
    """
    ### BEGIN SOLUTION
    if batch_size < 1:
        raise ValueError(f"A batch has at least one sample, not {batch_size}.")
    order = torch.randperm(len(x), generator=generator)
    for index in order.split(batch_size):
        yield x[index], y[index]
    ### END SOLUTION


# %% role="check" exercise="minibatches"
with Check("minibatches") as check:
    x, y = torch.arange(20.0).reshape(10, 2), torch.arange(10)
    torch.manual_seed(0)
    state = torch.get_rng_state()
    generator = torch.Generator().manual_seed(1)
    epoch = minibatches(x, y, 4, generator)
    check.that(
        hasattr(epoch, "__iter__"), "The result should be something to loop over with `for`."
    )
    epoch = list(epoch)
    check.that(
        all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in epoch),
        "Each batch should be a pair (x_batch, y_batch).",
    )
    sizes = [len(yb) for _, yb in epoch]
    check.that(
        sizes != [4, 4], "Ten samples in batches of 4: the last two are missing. Deal them too."
    )
    check.that(
        sizes == [4, 4, 2],
        f"Ten samples in batches of 4 should come as 4, 4 and 2, but they come as {sizes}.",
    )
    check.shape(epoch[0][0], (4, 2), "x keeps what comes after its first dimension.")
    check.that(
        all(xb.dtype == x.dtype and yb.dtype == y.dtype for xb, yb in epoch),
        "The dtypes of x and y should stay: classes are integers, and have to remain so.",
    )
    dealt = torch.cat([yb for _, yb in epoch])
    check.that(
        dealt.unique().numel() == 10,
        "Some samples came more than once, others not at all: deal them without replacement.",
    )
    check.that(
        all(torch.equal(xb[:, 0], 2.0 * yb) for xb, yb in epoch),
        "x and y have lost each other: use the same order for both.",
    )
    check.that(x[:, 0].tolist() == list(range(0, 20, 2)), "x itself was shuffled: make copies.")
    check.that(not torch.equal(dealt, y), "The samples come in their old order: shuffle them.")
    check.that(
        torch.equal(torch.get_rng_state(), state),
        "The global random state was used or set. Draw from the `generator` you are given.",
    )
    again = torch.cat([yb for _, yb in minibatches(x, y, 4, generator)])
    check.that(
        not torch.equal(again, dealt),
        "The next epoch has the same order: let the generator run on, without seeding it anew.",
    )
    same = minibatches(x, y, 4, torch.Generator().manual_seed(1))
    check.that(
        torch.equal(torch.cat([yb for _, yb in same]), dealt),
        "A generator with the same seed gave another order: draw from it alone.",
    )
    check.that(
        [len(yb) for _, yb in minibatches(x, y, 99, generator)] == [10],
        "A batch size above the number of samples should give one batch with all of them.",
    )
    for size in (0, -1):
        raised = None
        try:
            list(minibatches(x, y, size, generator))
        except Exception as error:
            raised = type(error).__name__
        check.that(
            raised == "ValueError",
            f"A batch size of {size} should raise a ValueError, but it raised {raised or 'nothing'}.",
        )


# %% [markdown] role="hints" exercise="minibatches"
# <details><summary>Hint 1: shuffle the numbers, not the samples</summary>
#
# Draw one random order of the indices 0 … n − 1. `torch.randperm` takes a generator, by name.
#
# </details>
# <details><summary>Hint 2: cut it up</summary>
#
# Slices of that order, each `batch_size` long, index `x` and `y` alike. A slice beyond the end is simply shorter; `Tensor.split` does the same.
#
# </details>
# <details><summary>Hint 3: a function that gives many things</summary>
#
# With `yield` in the loop in place of `return`, the function becomes a generator (Python's, not torch's): it hands out a pair, waits, and goes on. Note that its first line runs only when the first pair is asked for.
#
# </details>

# %% role="test" exercise="minibatches" points=2
# Graded with hidden tests: other sizes and shapes, many epochs, the randomness, the errors.
### BEGIN HIDDEN TESTS
import random

with HiddenTest("minibatches") as test:
    python_state = random.getstate()
    numpy_state = str(np.random.get_state(legacy=False))
    for n, size, shape in (
        (7, 3, (2, 3)),
        (1, 1, ()),
        (12, 4, (5,)),
        (5, 1, (1,)),
        (6, 6, ()),
        (3, 50, (2,)),
        (9, 4, ()),
    ):
        x, y = torch.randn(n, *shape, dtype=torch.float64), torch.randn(n, 2)
        y[:, 0] = torch.arange(n)
        before = x.clone(), y.clone()
        state, generator = torch.get_rng_state(), torch.Generator().manual_seed(n)
        epoch = minibatches(x, y, batch_size=size, generator=generator)
        test.that(hasattr(epoch, "__iter__"), "The result should be something to loop over.")
        epoch = [(pair, torch.equal(torch.get_rng_state(), state)) for pair in epoch]
        between = all(same for _, same in epoch)
        epoch = [pair for pair, _ in epoch]
        test.that(
            all(isinstance(pair, (tuple, list)) and len(pair) == 2 for pair in epoch),
            "Each batch should be a pair (x_batch, y_batch).",
        )
        test.that(
            [len(xb) for xb, _ in epoch] == [min(size, n - i) for i in range(0, n, size)],
            "The batches should have `batch_size` samples each, and the last one what is left.",
        )
        for xb, yb in epoch:
            test.shape(xb, (len(yb), *shape))
            test.shape(yb, (len(xb), 2))
            test.that(xb.dtype == torch.float64, "The dtype of x must not change.")
            index = yb[:, 0].long()
            test.that(
                torch.equal(yb, before[1][index]) and torch.equal(xb, before[0][index]),
                "x and y have lost each other: use the same order for both.",
            )
        dealt = torch.cat([yb[:, 0] for _, yb in epoch]).long()
        test.that(
            sorted(dealt.tolist()) == list(range(n)), "Each sample should come exactly once."
        )
        test.that(
            torch.equal(x, before[0]) and torch.equal(y, before[1]), "x or y was changed."
        )
        test.that(
            torch.equal(torch.get_rng_state(), state), "The global random state was touched."
        )
        test.that(
            between,
            "While the loop runs, the global random state is another: what is done with a batch would see it.",
        )
        test.that(
            random.getstate() == python_state
            and str(np.random.get_state(legacy=False)) == numpy_state,
            "The global random state of Python or NumPy was touched: draw from `generator`.",
        )
        test.that(
            generator.initial_seed() == n,
            "The generator was seeded anew. Draw from it, and let it run on.",
        )
        test.that(
            n == 1
            or size < n
            or not torch.equal(
                generator.get_state(), torch.Generator().manual_seed(n).get_state()
            ),
            "If all samples fit into one batch, nothing was drawn: they are to be shuffled all the same.",
        )
        test.that(
            n == 1
            or not torch.equal(
                generator.get_state(), torch.Generator().manual_seed(n).get_state()
            ),
            "The generator was not drawn from, or was seeded anew.",
        )
    # Few epochs of many samples, since each batch is asked for: bounds at six standard deviations and more.
    n, epochs, generator = 60, 40, torch.Generator().manual_seed(5)
    x = torch.arange(n)
    orders = torch.stack(
        [torch.cat([xb for xb, _ in minibatches(x, x, 30, generator)]) for _ in range(epochs)]
    )
    test.that(
        not (orders[:, :29] < orders[:, 1:30]).all(),
        "Within a batch the samples are always in their old order: every order should be equally likely.",
    )
    decks = orders[:, :30].sort(dim=1).values.unique(dim=0)
    rolled = (orders[:, 1:] - orders[:, :-1]) % n == 1
    test.that(
        decks.shape[0] == epochs and rolled.double().mean() < 0.5,
        "Over many epochs only a few orders come up, or the same samples always share a batch: a new random order of all samples is needed each time.",
    )
    places = orders.argsort(dim=1).double()
    sigma = math.sqrt((n * n - 1) / 12 / epochs)
    drift = torch.stack([torch.corrcoef(torch.stack([x, row]))[0, 1] for row in places]).mean()
    test.that(
        (places.mean(0) - (n - 1) / 2).abs().max() < 6 * sigma
        and abs(drift.item()) < 6 / math.sqrt((n - 1) * epochs),
        "Some samples come early more often than others: every order should be equally likely.",
    )
    batch_of = places // 30
    together = (batch_of[:, 1:] == batch_of[:, :-1]).double().mean().item()
    sigma = math.sqrt(0.25 / (epochs * (n - 1)))
    test.that(
        abs(together - 29 / 59) < 7 * sigma,
        "Neighbours share a batch too often or never: shuffle the samples, not whole batches or within them.",
    )
    first, second = (
        torch.cat([xb for xb, _ in minibatches(x, x, 4, torch.Generator().manual_seed(s))])
        for s in (3, 3)
    )
    test.that(
        torch.equal(first, second), "The same generator state should give the same order."
    )
    test.that(
        all(yb.dtype == torch.long for _, yb in minibatches(x, x, 4, generator)),
        "The dtype of y must not change: classes are integers.",
    )
    used = torch.Generator().manual_seed(3)
    torch.rand(1, generator=used)
    orders = [
        torch.cat([xb for xb, _ in minibatches(many, many, 8, g)])
        for many in [torch.arange(30)]
        for g in (torch.Generator().manual_seed(3), used)
    ]
    test.that(
        not torch.equal(*orders),
        "A generator that has been drawn from deals as if it were new: its state counts, not its seed.",
    )
    for size in (0, -1, -7):
        raised = None
        try:
            list(minibatches(x, x, size, torch.Generator()))
        except Exception as error:
            raised = type(error).__name__
        test.that(
            raised == "ValueError",
            f"A batch size of {size} should raise a ValueError, but it raised {raised or 'nothing'}.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="minibatches"
# This is what `DataLoader(TensorDataset(x, y), batch_size, shuffle=True, generator=generator)` does, without fetching the samples one by one: for data that fits into memory, indexing with a permutation is several times faster. A generator of its own keeps the order of the batches apart from dropout and
# initialisation, so that a change there does not deal other cards here. Sampling without replacement has one more virtue: within an epoch the errors of the batches cancel, because their mean is the exact gradient (as long as the weights stand still and the batches are equally large).

# %% [markdown]
# ### The race
#
# Two interleaved half moons, 150 points each; a network 2-12-13-13-2 with ReLU and Glorot's uniform draw; SGD at rate 0.01, whatever the batch. It is the set-up of Glassner (2021), who reports that the error was about 0 after 20,000 epochs with all points in a batch, 5,000 with 32, and 400 with one.
# We stop the clock when the loss over all points is below 0.01, for five networks at once.
#
# **Predict, then run.** You know the epochs from the top of this lesson. Which of the three needs the fewest *updates*? The fewest seconds?

# %%
SIZES = [2, 12, 13, 13, 2]
WAYS = {"batch (300)": None, "mini-batch (32)": 32, "stochastic (1)": 1}
PER_EPOCH = {"batch (300)": 1, "mini-batch (32)": 10, "stochastic (1)": 300}
moons_x, moons_y = lab.two_moons(300, noise=0.1, seed=0)
threshold = budget(0.01, fast=0.3)


def train_moons(batch_size, lr, seeds, epochs, until=threshold, every=1):
    """Learning curves of one network a seed, from `lab.train_stack`, until all are below `until`."""
    return lab.train_stack(
        lab.NetStack(SIZES, seeds),
        moons_x,
        moons_y,
        lambda ps: torch.optim.SGD(ps, lr=lr),
        epochs=epochs,
        batch_size=batch_size,
        until=until,
        every=every,
    )


caps = {"batch (300)": 20_000, "mini-batch (32)": 2_000, "stochastic (1)": 100}
curves = pd.concat(
    train_moons(size, 0.01, range(5), caps[way], every=10 if size is None else 1).assign(
        way=way
    )
    for way, size in WAYS.items()
)
shared = pd.concat(
    lab.reached(curves[curves.way == way], threshold).assign(way=way) for way in WAYS
)
print(f"median of five networks until the loss is below {threshold}, all at rate 0.01")
medians = shared.groupby("way", sort=False)[["epochs", "updates", "seconds"]].median()
medians.assign(**{"epochs in Glassner (2021)": [20_000, 5_000, 400]}).round(1)


# %%
def plot_race(curves):
    fig, axes = lab.figure(1, 2, height=3.2)
    started = curves[curves.epoch > 0]
    for ax, x in zip(axes, ("epoch", "updates"), strict=True):
        ax.set_xscale("log")
        lab.band(started, x, "loss", by="way", ax=ax, log=True, legend=False)
        ax.axhline(threshold, color="grey", linewidth=0.8)
        ax.set(xlabel={"epoch": "epochs", "updates": "updates"}[x])
    axes[1].set(ylabel="")
    axes[0].legend(fontsize=9, loc="lower left", handlelength=3)
    return fig


lab.show(
    plot_race(curves),
    alt="Loss on all points for batch, mini-batch and stochastic gradient descent at rate 0.01, both axes logarithmic. Against "
    "epochs the three curves are a factor of ten and of about 25 apart. Against updates they lie on top of each other, the "
    "stochastic one jagged and a little to the right at the end. A grey line marks the loss at which the clock stops.",
)

# %% [markdown]
# (The text speaks of the full run; in fast mode the threshold is 0.3, and every count smaller.) Three columns, three different tables. In epochs the stochastic way wins by a factor of about 250. In **updates** the three are nearly the same (the stochastic way needs about a fifth more): the curves, which lay far apart, fall on top of each other. In seconds
# the order depends on how long your machine takes for an update with 1 point and with 300, which for a network as small as this is nearly the same.
#
# Why the same number of updates? At a small rate each update is a small step, and many small steps in a row see almost the same landscape. Their noise averages out, their sum is what the exact gradient would have done. Think of $\eta$ as a stretch of time: the walk follows the curve
# $\dot\theta = -\nabla L(\theta)$, the **gradient flow**, and after $t$ updates it has travelled the time $\eta\,t$, *whatever the batch*. If that is so, two predictions follow, and both can be tested: the batch and the mini-batch way need, from the same start, the same number of updates; and with twice the rate, half of them.

# %%
doubled = lab.reached(train_moons(None, 0.02, range(5), 10_000, every=5), threshold)
by_seed = shared.pivot(index="seed", columns="way", values="updates")
ratios = pd.DataFrame(
    {
        "mini-batch / batch": by_seed["mini-batch (32)"] / by_seed["batch (300)"],
        "stochastic / batch": by_seed["stochastic (1)"] / by_seed["batch (300)"],
        "rate 0.02 / rate 0.01": doubled.set_index("seed").updates / by_seed["batch (300)"],
    }
).melt(var_name="ratio of updates", ignore_index=False)
lab.summary(ratios.reset_index(), by="ratio of updates", value="value").round(3)

# %% [markdown]
# Both hold, to a per cent or two for most networks. (`low` and `high` are the 95 % interval of the mean over the five networks. With other seeds a network now and then takes another turn, and is ten per cent off.) The stochastic way needs somewhat more: with single points, even 0.01 is not quite small. So the table with the epochs measures one thing only, how many updates fit into an epoch: 1, 10, 300.
# That is no virtue of the gradient, it is arithmetic. It *is* a virtue of the bill, because an epoch is what you pay for when each sample costs: a gradient from one sample moves you as far as one from three hundred, at a three-hundredth of the samples.
#
# Our counts differ from Glassner's, although the order is the same. His runs stop elsewhere and his points have other noise; a loss that falls slowly towards 0 crosses "about 0" at a place that depends on all of that. His updates are 20,000, 50,000 and 120,000. Reference numbers for a curve's tail are worth their order of magnitude.
#
# ### Each at its own rate
#
# At one shared small rate the three had to come out alike. The rate was chosen for none of them. What if each may choose?
#
# **Predict, then run.** Whose best rate is the largest, and why? Who needs the fewest updates then?

# %%
GRIDS = {
    "batch (300)": [0.3, 1.0, 3.0],
    "mini-batch (32)": [0.1, 0.3, 1.0],
    "stochastic (1)": [0.01, 0.03, 0.1],
}
limits = budget(
    {"batch (300)": 500, "mini-batch (32)": 200, "stochastic (1)": 60},
    fast={"batch (300)": 100, "mini-batch (32)": 30, "stochastic (1)": 8},
)


def epochs_needed(way, lr, seeds):
    """Epochs of each network, the limit where it did not arrive, and whether it did."""
    found = lab.reached(train_moons(WAYS[way], lr, seeds, limits[way]), threshold)
    arrived = found.epochs.notna()
    return found.fillna({"epochs": limits[way]}).assign(way=way, lr=lr, arrived=arrived)


tuning = pd.concat(
    epochs_needed(way, lr, range(100, 110)) for way, rates in GRIDS.items() for lr in rates
)
chosen = lab.best(tuning, by="way", value="epochs", mode="min", over="lr").set_index("way")
tuned = pd.concat(epochs_needed(way, chosen.lr[way], range(200, 220)) for way in WAYS)
table = lab.summary(tuned, by="way", value="epochs").set_index("way").drop(columns="sd")
table["updates"] = table["mean"] * pd.Series(PER_EPOCH)
groups = tuned.groupby("way", sort=False)
table["seconds"], table["arrived"] = groups.seconds.mean(), groups.arrived.sum()
table.join(chosen[["lr", "at_edge"]]).round(2)

# %% [markdown]
# (`mean` is in epochs, over twenty fresh networks, `low` and `high` its 95 % interval; a network that did not arrive counts with the limit of 500, 200 or 60 epochs, and `arrived` says how many did. `at_edge` would say that the best rate was the smallest or largest tried.) Now the columns part, and the other way round. The exact gradient bears a rate ten to thirty times as large as that of a single point (there 0.1 does nearly as well as 0.03; and the exact gradient walks so close to the border that now and then a network does not arrive). It needs the **fewest updates**; the single point still needs the fewest epochs,
# which means the fewest looks at samples. In between lies the mini-batch. And a table that read 250 to 1 in epochs has shrunk to about 7 to 1: most of it was the shared rate.
#
# So which is best? It depends on what costs. On a device where an update with 300 points takes hardly longer than one with a single point, updates cost, and here the whole batch wins. With millions of samples nobody can afford the exact gradient for every update. Everyone ends in between:
# a batch as large as the device handles *for the price of one*, and a rate to go with it.
#
# ## How noisy is a batch?
#
# If a batch is drawn at random, its gradient $\hat g$ is an unbiased estimate of the exact $g$. The variance of a mean of $B$ independent draws is one $B$-th of that of a single one. Since we deal without replacement, there is a correction that makes the noise vanish at $B = n$:
#
# $$\mathbb E\,\lVert \hat g - g\rVert^2 = \frac{\sigma^2}{B}\cdot\frac{n - B}{n - 1},\qquad \sigma^2 = \frac 1n\sum_i \lVert\nabla L_i - g\rVert^2$$
#
# So the noise falls like $1/\sqrt B$: four times the samples, four times the price, half the noise. We check it on one network, fresh and after some training, with 6,000 batches of each size.
#
# **Predict, then run.** With one sample a batch, is the noise longer or shorter than the gradient? And does training make it better or worse?


# %%
def moon_net(seed):
    """The same network, as an ordinary module."""
    torch.manual_seed(seed)
    layers = []
    for n_in, n_out in pairwise(SIZES):
        linear = nn.Linear(n_in, n_out)
        nn.init.xavier_uniform_(linear.weight)
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.ReLU()]
    return nn.Sequential(*layers[:-1]).to(device)


def sample_gradients(model, x, y):
    """The gradient of each sample's loss as one long row, (n, parameters), float64 on the CPU."""
    weights = {name: p.detach() for name, p in model.named_parameters()}

    def loss(weights, x, y):
        out = torch.func.functional_call(model, weights, (x.unsqueeze(0),))
        return F.cross_entropy(out, y.unsqueeze(0))

    each = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(weights, x, y)
    return torch.cat([g.flatten(1) for g in each.values()], 1).double().cpu()


def noise_by_size(gradients, sizes, draws=6_000, seed=0):
    """Root mean square distance between a batch's gradient and the exact one, measured and in theory."""
    n, exact = len(gradients), gradients.mean(0)
    deviations = gradients - exact
    spread = deviations.square().sum(1).mean()
    generator = torch.Generator().manual_seed(seed)
    rank = torch.rand(draws, n, generator=generator).argsort(1)
    for size in sizes:
        batch_means = (rank < size).double() @ deviations / size
        measured = batch_means.square().sum(1).mean().sqrt()
        theory = (spread / size * (n - size) / (n - 1)).sqrt()
        norm = exact.norm()
        yield {
            "size": size,
            "noise": (measured / norm).item(),
            "theory": (theory / norm).item(),
        }


model = moon_net(0)
optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
noises, powers = [], [1, 2, 4, 8, 16, 32, 64, 128, 256]
for stage, steps in (("fresh", 0), ("after 60 updates", 60), ("after 200 updates", 140)):
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(model(moons_x), moons_y).backward()
        optimizer.step()
    rows = noise_by_size(sample_gradients(model, moons_x, moons_y), powers)
    noises += [{"stage": stage, **row} for row in rows]
noises = pd.DataFrame(noises)

# %%
fig, ax = lab.figure(height=3)
for i, (stage, part) in enumerate(noises.groupby("stage", sort=False)):
    color, marker = lab.line_style(i)["color"], lab.line_style(i)["marker"]
    ax.plot(part["size"], part.noise, marker, color=color, linestyle="none", label=stage)
    ax.plot(part["size"], part.theory, "-", color=color, linewidth=1)
ax.plot([], [], "-", color="black", linewidth=1, label="formula")
ax.axhline(1, color="grey", linestyle="--", linewidth=1, label="noise = gradient")
ax.set(xscale="log", yscale="log", xlabel="batch size B", ylabel="noise / gradient")
ax.legend(fontsize=9, ncols=2)
lab.show(
    fig,
    alt="Noise of the batch gradient relative to the length of the exact one, against the batch size, both logarithmic. For a network fresh, "
    "half trained and trained the measured points lie on the formula's lines, which fall with slope −1/2 and bend down towards "
    "300. The longer it was trained the higher its line.",
)
slopes = {}
for stage, part in noises[noises["size"] <= 32].groupby("stage", sort=False):
    slopes[stage] = np.polyfit(np.log(part["size"]), np.log(part.noise), 1)[0]
    print(
        f"{stage}: slope {slopes[stage]:.3f} for B up to 32, noise / gradient {part.noise.iloc[0]:.1f} at B = 1"
    )

# %% [markdown]
# The points lie on the line. Note the dashed grey line: above it the noise is **longer than the gradient itself**, and the more so the further training has come, because the exact gradient shrinks while the samples go on to disagree about what is left to do. After 200 updates, at a loss below 0.01, even 32 samples give a gradient that is mostly noise. Small batches then mostly walk at random, with a slight drift
# downhill. That they arrive at all is the work of the average over many steps. It also suggests a cure for the end of training: a smaller rate, or a larger batch. Learning-rate schedules, a chapter to come, take the first.
#
# ### Larger batch, larger rate
#
# If $\eta \times$ updates is the time travelled, then a batch $k$ times as large makes $k$ times fewer updates an epoch and travels $k$ times less far, unless $\eta$ grows with it. That is the **linear scaling rule** (Goyal et al., 2017): *when you multiply the batch by $k$, multiply the rate by $k$.*
#
# **Predict, then run.** From $B = 32$ and $\eta = 0.1$ we go to 8, 128 and 300, once with the rate scaled along and once without. What happens to the epochs until the loss is below 0.1?

# %%
scaling = []
for size in (8, 32, 128, 300):
    for rule, lr in (("η scaled with B", 0.1 * size / 32), ("η = 0.1", 0.1)):
        found = lab.reached(train_moons(size, lr, range(5), 500, until=0.1), 0.1)
        scaling.append(found.assign(size=size, rule=rule, lr=lr))
scaling = pd.concat(scaling)
scaled = scaling.groupby(["rule", "size"], sort=False)[["lr", "epochs", "updates"]].median()
scaled.unstack("rule").swaplevel(axis=1).sort_index(axis=1).round(3)

# %% [markdown]
# With the rate fixed, the *updates* stay about the same, and the epochs grow with the batch: the large batch wastes its samples. With the rate scaled along, it is the *epochs* that stay about the same, from 8 to 128, at a sixteenth of the updates. With 300 the rule breaks. Its rate of 0.94 is too large for the curvature, the walk bounces from side to side,
# and no batch, however exact, moves that border: $2/\lambda_\max$ knows nothing of $B$. So the rule has an upper end, which is also the end of what larger batches can buy (McCandlish et al., 2018, put it near the batch whose noise is as long as the gradient). For Adam, whose steps do not grow with the gradient, a
# square root in place of the factor is common.
#
# ## What a batch costs
#
# Why not always take one sample, then? Because of the price of an update. We time forward, backward and step of a network 784-300-100-10 on your device.

# %%
import time


def microseconds(size, repeats, steps=5):
    """Time of one training step with `size` samples: the fastest of `repeats` blocks of `steps`."""
    model = nn.Sequential(
        nn.Linear(784, 300), nn.ReLU(), nn.Linear(300, 100), nn.ReLU(), nn.Linear(100, 10)
    ).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    x, y = torch.randn(size, 784, device=device), torch.randint(10, (size,), device=device)
    fastest = math.inf
    for _ in range(repeats):
        started = time.perf_counter()
        for _ in range(steps):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), y)
            loss.backward()
            optimizer.step()
        loss.item()  # waits for a GPU to finish
        fastest = min(fastest, (time.perf_counter() - started) / steps * 1e6)
    return fastest


torch.manual_seed(0)
prices = pd.DataFrame({"size": [1, 4, 16, 64, 256, 1024]})
prices["µs a step"] = [microseconds(size, budget(12, fast=5)) for size in prices["size"]]
prices["µs a sample"] = prices["µs a step"] / prices["size"]
prices.round(1)

# %% [markdown]
# Read the column of the step downwards: at first it grows slowly. A step has a fixed price (every layer's operations have to be launched, and the weights read from memory), and sixteen samples cost less than twice as much as one. Then it grows in proportion, and the price of a *sample* levels off. On a CPU that bend comes at some tens of
# samples, on a GPU at hundreds or thousands. Left of the bend you pay for updates and small batches waste the device; right of it you pay for samples and large batches waste the samples. Batches of 32 to 512 are common because they lie near the bend, and rarely because anybody has shown that they learn better.
#
# (Loading may cost more than learning. If the images are decoded one by one from files, that dominates everything above; data that fits into memory should be kept there as tensors and indexed, as `minibatches` does.)
#
# ### A batch larger than memory
#
# Sometimes the rate asks for a batch that does not fit: backpropagation keeps the activations of every sample of the batch until it has passed them, so memory grows with $B$. But a mean can be taken piece by piece. `backward()` **adds** to `.grad`, which is the reason why you have to zero it, and here it is of use: send the batch through in *micro-batches*,
# let the gradients pile up, and step once. This is called **gradient accumulation**.
#
# One trap: the pieces need not be equal. The mean over seven samples is not the mean of the means over four and three. If the batch of $n$ is cut into pieces of $n_1, n_2, \dots$ samples with mean losses $\ell_1, \ell_2, \dots$, then
#
# $$L = \frac 1n \sum_j n_j\,\ell_j$$

# %% [markdown] role="card" exercise="accumulate_step" level=2 minutes=12 topic="Batch size" doc="https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html"
# ### One step, piece by piece
#
# Do one training step on the batch `(x, y)`, with no more than `micro` samples in the network at once. The update must be that of the whole batch in one go.
#
# - Forget old gradients, then cut the batch, in its order, into pieces of `micro` samples; the last may be smaller. Call `backward()` for each piece before the next one goes forward, so that only one piece's activations are in memory.
# - `loss_fn` returns the **mean** over the samples it is given. Weigh each piece by its share of the batch.
# - One `optimizer.step()`, at the end.
# - Return the mean loss of the whole batch (before the update) as a Python float.
#
# (The models here treat each sample for itself. With batch normalisation the pieces would have statistics of their own, and no weighting can mend that.)


# %% role="stub" exercise="accumulate_step"
def accumulate_step(
    model: nn.Module,
    loss_fn: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
    x: torch.Tensor,
    y: torch.Tensor,
    optimizer: torch.optim.Optimizer,
    micro: int,
) -> float:
    """One update with the gradient of the whole batch, computed in pieces.

    Args:
        model: maps (B, ...) to what loss_fn wants, each sample for itself.
        loss_fn: maps (outputs, targets) to the mean loss over the samples, a scalar.
        x: inputs (n, ...).
        y: targets (n, ...).
        optimizer: built on the model's parameters.
        micro: samples that go through the network at once, at least 1; may be larger than n.

    Returns:
        The mean loss over the n samples, before the update.
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    total = 0.0
    for x_piece, y_piece in zip(x.split(micro), y.split(micro), strict=True):
        share = len(x_piece) / len(x)
        loss = loss_fn(model(x_piece), y_piece) * share
        loss.backward()
        total += loss.item()
    optimizer.step()
    return total
    ### END SOLUTION


# %% role="check" exercise="accumulate_step"
class Graphs(torch.autograd.Function):
    """Passes its input on, and counts the forward passes whose backward pass is still to come."""

    @staticmethod
    def forward(ctx, x, log):
        ctx.log = log
        log["waiting"] += 1
        log["most"] = max(log["most"], log["waiting"])
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        ctx.log["waiting"] -= 1
        return gradient, None


class Watched(nn.Module):
    """A linear model w · x with w = 1 that keeps a log of what goes through it."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))
        self.log = {"waiting": 0, "most": 0, "largest": 0, "pieces": []}

    def forward(self, x):
        self.log["largest"] = max(self.log["largest"], len(x))
        if not torch.is_grad_enabled():
            return x * self.weight  # no activations are kept
        self.log["pieces"].append(len(x))
        return Graphs.apply(x * self.weight, self.log)


with Check("accumulate_step") as check:
    # Losses 1, 4 | 9 in pieces of two. The gradient of the whole is 28/3, the loss 14/3.
    x, y = torch.tensor([[1.0], [2.0], [3.0]]), torch.zeros(3, 1)
    model = Watched()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.15)
    model.weight.grad = torch.full((1,), 100.0)  # left over from an earlier step
    turned = []

    def squares(outputs, targets):
        turned.append(targets.requires_grad)
        return F.mse_loss(outputs, targets)

    loss = accumulate_step(model, squares, x, y, optimizer, 2)
    check.that(model.log["largest"] > 0, "The batch never went through the model.")
    check.that(
        model.log["largest"] <= 2,
        f"{model.log['largest']} samples went through the model at once, with micro = 2: cut the batch.",
    )
    check.that(
        model.log["most"] == 1,
        "All pieces went forward before the first went backward, so that all activations were kept: "
        "call `backward()` for each piece.",
    )
    check.that(turned, "`loss_fn` was not called: use the loss that you are given.")
    check.that(not any(turned), "`loss_fn` takes the outputs first, then the targets.")
    check.that(
        model.log["pieces"] != [1, 1, 1],
        "The samples go through one by one, but micro = 2: two at once are allowed, and faster.",
    )
    check.close(
        model.weight.detach(),
        torch.tensor([-0.4]),
        "Inputs 1, 2, 3, targets 0, weight 1, rate 0.15: the update should lead to 1 − 0.15 · 28/3 = −0.4.",
        known=[
            (torch.tensor([1.0]), "The weight did not move: is `step()` called?"),
            (
                torch.tensor([-0.725]),
                "You average the pieces, 2 samples and 1, as if they were equal: weigh each by its number of samples.",
            ),
            (
                torch.tensor([-2.45]),
                "The pieces are added up without weights: each should count by its share of the batch.",
            ),
            (
                torch.tensor([-15.4]),
                "The gradient of an earlier step was still there: set it to zero first.",
            ),
            (
                torch.tensor([0.1]),
                "Only the last piece has an effect: do not zero the gradients between the pieces.",
            ),
            (
                torch.tensor([-1.7]),
                "Only the last piece has an effect, without its weight: do not zero the gradients between the pieces.",
            ),
            (
                torch.tensor([0.5]),
                "The last, smaller piece is missing. It counts too.",
            ),
            (
                torch.tensor([0.25]),
                "The last, smaller piece is missing. It counts too.",
            ),
            (
                torch.tensor([-0.425]),
                "There was an update after each piece. Step once, at the end.",
            ),
            (
                torch.tensor([0.05]),
                "There was an update after each piece. Step once, at the end.",
            ),
            (
                torch.tensor([-3.2]),
                "That is the gradient of the sum: divide by the number of samples of the batch.",
            ),
            (
                torch.tensor([-1.1]),
                "You divide by `micro`. The share of a piece is its samples over those of the whole batch.",
            ),
            (
                torch.tensor([-1.3]),
                "You weigh each piece by micro / n, but the last one is smaller: use its own number of samples.",
            ),
            (
                torch.tensor([-0.45]),
                "There was an update after each piece. Step once, at the end.",
            ),
            (
                torch.tensor([-1.175]),
                "There was an update after each piece. Step once, at the end.",
            ),
        ],
    )
    check.is_a(loss, float, "Return the loss as a Python float.")
    check.close(
        loss,
        14 / 3,
        "The mean loss of the batch before the update should be (1 + 4 + 9) / 3.",
        known=[
            (
                5.75,
                "You return the mean of the pieces' losses, as if they were equal: weigh them.",
            ),
            (
                9.0,
                "You return the loss of the last piece. The mean of the whole batch is asked for.",
            ),
            (3.0, "You return the weighted loss of the last piece. Add them all up."),
            (11.5, "You return the sum of the pieces' losses, without weights."),
            (14.0, "You return the sum over the samples: divide by their number."),
        ],
    )
    model = Watched()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.15)
    with check.case("micro is larger than the batch"):
        loss = accumulate_step(model, F.mse_loss, x, y, optimizer, micro=50)
    check.close(
        model.weight.detach(),
        torch.tensor([-0.4]),
        "With `micro` larger than the batch there is one piece, and the same update.",
    )


# %% [markdown] role="hints" exercise="accumulate_step"
# <details><summary>Hint 1: what backward does</summary>
#
# `backward()` adds to what is in `.grad`. So zero once, before the loop, and step once, after it.
#
# </details>
# <details><summary>Hint 2: the weight of a piece</summary>
#
# Multiply a piece's mean loss by (its samples / all samples) *before* `backward()`: what scales a loss scales its gradient. The weighted losses of all pieces add up to the mean of the batch.
#
# </details>
# <details><summary>Hint 3: the cutting</summary>
#
# `x.split(micro)` gives consecutive pieces; the last has what is left over. `loss.item()` gives you the number without keeping the graph.
#
# </details>

# %% role="test" exercise="accumulate_step" points=2
# Graded with hidden tests: uneven pieces, other losses and optimisers, several steps, memory.
### BEGIN HIDDEN TESTS
with HiddenTest("accumulate_step") as test:

    class _Tap(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, log):
            ctx.log = log
            log["open"] += 1
            log["most"] = max(log["most"], log["open"])
            return x.clone()

        @staticmethod
        def backward(ctx, gradient):
            ctx.log["open"] -= 1
            return gradient, None

    class _Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 3))
            self.idle = nn.Parameter(torch.ones(2))
            self.log = {"open": 0, "most": 0, "largest": 0, "pieces": [], "modes": set()}

        def forward(self, x):
            self.log["largest"] = max(self.log["largest"], len(x))
            if not torch.is_grad_enabled():
                return self.body(x)  # no activations are kept
            self.log["pieces"].append(x.detach().clone())
            self.log["modes"].add(self.training)
            return _Tap.apply(self.body(x), self.log)

    def _squared(out, y):
        return (out - F.one_hot(y, 3)).square().sum(1).mean()

    makers = {
        "SGD": lambda ps: torch.optim.SGD(ps, lr=0.3),
        "momentum": lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9),
        "Adam": lambda ps: torch.optim.Adam(ps, lr=0.05),
    }
    for n, micro, rule, loss_fn in (
        (7, 3, "SGD", F.cross_entropy),
        (10, 4, "momentum", _squared),
        (9, 8, "Adam", F.cross_entropy),
        (8, 4, "SGD", _squared),
        (5, 1, "momentum", F.cross_entropy),
        (6, 100, "SGD", F.cross_entropy),
        (1, 1, "SGD", _squared),
        (4, 4, "Adam", _squared),
    ):
        model = _Net().double()
        twin = copy.deepcopy(model)
        optimizer, other = makers[rule](model.parameters()), makers[rule](twin.parameters())
        for p in model.parameters():
            p.grad = torch.full_like(p, 50.0)
        model.idle.grad = None
        for _step in range(3):
            x, y = torch.randn(n, 4, dtype=torch.float64), torch.randint(3, (n,))
            before = x.clone(), y.clone()
            other.zero_grad()
            want = loss_fn(twin(x), y)
            want.backward()
            other.step()
            model.log["pieces"].clear()
            got = accumulate_step(model, loss_fn, x, y, optimizer, micro=micro)
            test.that(model.log["largest"] > 0, "The batch never went through the model.")
            test.that(
                model.log["largest"] <= micro,
                "More than `micro` samples went through the model at once.",
            )
            test.that(
                model.log["most"] == 1,
                "Several pieces were forward before the first went backward: all their activations were kept.",
            )
            for p, q in zip(model.parameters(), twin.parameters(), strict=True):
                test.close(
                    p.detach(),
                    q.detach(),
                    "The update is not that of the whole batch: zeroed once, weighted by samples, stepped once?",
                    rtol=1e-8,
                    atol=1e-9,
                )
            test.is_a(got, float, "Return the loss as a Python float.")
            test.close(
                got,
                want.item(),
                "The loss returned is not the mean over the whole batch before the update.",
                rtol=1e-8,
            )
            test.that(
                torch.equal(x, before[0]) and torch.equal(y, before[1]), "x or y was changed."
            )
            test.that(
                [len(piece) for piece in model.log["pieces"]]
                == [min(micro, n - i) for i in range(0, n, micro)],
                "The pieces should have `micro` samples each, and the last one what is left: smaller ones waste time.",
            )
            test.that(
                torch.equal(torch.cat(model.log["pieces"]), x),
                "The pieces should follow the order of the batch.",
            )
            test.that(
                model.log["modes"] == {True} and model.training,
                "The network was in training mode and should stay in it: this is a training step.",
            )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="accumulate_step"
# Weighing before `backward()` costs nothing and needs no second pass over the gradients. Dividing by the number of pieces is right only if all are equal; with four samples and one, the last sample would count four times as much as each of the others. The same trap is set wherever losses are
# means over varying numbers, for example over the words of sentences of different length. In time nothing is gained: the same samples go through. Compared with plain small batches, accumulation buys a larger $B$, which pays where the noise is what limits the rate.

# %% [markdown]
# ## Curves that lie
#
# The loss of a network trained on small batches does not fall, it *jitters* downwards, with a sudden spike now and then, where some batch pointed the wrong way. The curve of full-batch descent is smooth. That matters when somebody reads the curve: for instance a rule that ends the training once the validation loss stops falling, **early stopping**. The impatient version: stop at the first epoch that is
# worse than the one before it.
#
# We train on 100 noisy moons, watch the loss on 100 others after each epoch, and let both ways make about the same number of updates at the same rate.
#
# **Predict, then run.** How far do the two get before the validation loss rises for the first time, as a share of the way to its lowest point?


# %%
def watch(batch_size, lr, epochs, seeds, noise=0.2, n=100):
    """Validation loss after each epoch, (networks, epochs)."""
    x, y = lab.two_moons(n, noise=noise, seed=1)
    unseen_x, unseen_y = lab.two_moons(n, noise=noise, seed=2)

    def losses(scores, targets):
        return F.cross_entropy(scores.transpose(1, 2), targets, reduction="none").mean(1)

    nets = lab.NetStack(SIZES, seeds)
    optimizer = torch.optim.SGD(nets.parameters(), lr=lr)
    deals = [torch.Generator().manual_seed(seed) for seed in nets.seeds]
    history = []
    for _ in range(epochs):
        order = torch.stack([torch.randperm(n, generator=deal) for deal in deals]).to(device)
        for index in order.split(batch_size, dim=1):
            optimizer.zero_grad()
            losses(nets(x[index]), y[index]).sum().backward()
            optimizer.step()
        with torch.no_grad():
            history.append(losses(nets(unseen_x), unseen_y.expand(len(seeds), -1)).cpu())
    return torch.stack(history, 1).numpy()


def early_stop(curve, patience):
    """The epoch at which `patience` epochs in a row have brought no new best, and the best until then."""
    best = 0
    for epoch, loss in enumerate(curve):
        if loss < curve[best]:
            best = epoch
        elif epoch - best >= patience:
            break
    return epoch, best


watched_seeds = list(budget(range(20), fast=range(6)))
histories = {
    "batch (100)": watch(100, 0.1, 1_300, watched_seeds),
    "mini-batch (10)": watch(10, 0.1, 130, watched_seeds),
}
stops = []
for way, patience in (("batch (100)", 1), ("mini-batch (10)", 1), ("mini-batch (10)", 20)):
    for seed, curve in zip(watched_seeds, histories[way], strict=True):
        stop, best = early_stop(curve, patience)
        stops.append(
            {
                "rule": f"{way}, patience {patience}",
                "seed": seed,
                "share of the way": stop / max(curve.argmin(), 1),
                "loss given away": curve[best] - curve.min(),
            }
        )
stops = pd.DataFrame(stops)
shares_of_way = lab.summary(stops, by="rule", value="share of the way")
given_away = lab.summary(stops, by="rule", value="loss given away")
lowest = {way: curves_.min(1).mean() for way, curves_ in histories.items()}
print("lowest validation loss:", {way: round(float(low), 3) for way, low in lowest.items()})
pd.concat({"share of the way": shares_of_way, "loss given away": given_away}).drop(
    columns="sd"
).round(3)


# %%
def plot_stops(histories, net=0):
    fig, axes = lab.figure(1, 2, height=3)
    for ax, (way, curves_) in zip(axes, histories.items(), strict=True):
        curve = curves_[net]
        ax.plot(np.arange(1, len(curve) + 1), curve, linewidth=1)
        stop, low = early_stop(curve, 1)[0], curve.argmin()
        ax.plot(stop + 1, curve[stop], "s", markersize=7, label="first rise")
        ax.plot(low + 1, curve[low], "*", markersize=12, label="lowest")
        ax.set(xlabel="epoch", ylabel="validation loss", title=way, ylim=(0, None))
    axes[0].legend()
    return fig


lab.show(
    plot_stops(histories),
    alt="Validation loss of one network against the epoch. Left: full batch, a smooth curve down to a minimum near epoch 500 and a "
    "slow rise; its first rise comes more than half way down. Right: mini-batches of ten, a jagged curve; its first rise comes after about ten of "
    "some 80 epochs, high up.",
)

# %% [markdown]
# The jagged curve fools the impatient rule after some ten epochs, long before there is anything to stop for: it ends at a loss of 0.32 where 0.08 could be reached (`loss given away` is the difference; `mean`, with `low` and `high` as its 95 % interval). The smooth curve fools it much less; but not never: a validation loss may rise a little and fall again without any noise. The remedy is **patience**: stop only when a number of epochs in a row has brought
# no new best, *and keep the weights of the best epoch*. With a patience of 20 nearly nothing is given away, for the price of 20 epochs too many.
#
# Two more ways to be honest with a jagged curve: judge on more validation samples (the curve of the *validation* loss jitters because the weights do, and then again because 100 samples are few), and never report the best epoch of a noisy run as its result without saying so. The lowest of a hundred noisy numbers is low by luck as well.
#
# ## Offline and online
#
# All of the above was **offline** learning: a fixed set, gone through again and again. In **online** learning the samples come in a stream, and none comes back: clicks, sensor readings, prices. There is no epoch and no shuffling, the batch is what has arrived since the last update, down to a single sample. The formula of the update is the same; what
# changes is what may go wrong. Neighbours in a stream resemble each other (night follows day), so a run of similar samples pulls the weights their way, and what they teach may overwrite what came before. And the world may drift, so that a rate that shrinks to nothing, fine for a fixed set, would stop listening. On the other hand, a stream that never repeats cannot be learnt by heart: each
# sample's loss, taken *before* its update, is an honest test. Training a language model on a text larger than it will ever finish is close to online learning.

# %% [markdown] role="question" exercise="epochs_or_updates" minutes=10
# ### What is wrong with counting epochs?
#
# In your own words, at most ten sentences. (a) A colleague reports: "At our usual rate of 0.01, mini-batches of 32 need ten times fewer epochs than the full batch. The noise of small batches makes them learn ten times better." What explains the factor more simply, and what two further things would you have them measure? (b) To fill a new GPU they raise the batch
# from 32 to 256, keep the rate, and after the same number of epochs the network is worse. Why, what would you try, and where must it fail? (c) Another GPU holds only 64 samples. How do you get the update of a batch of 256 all the same, and what does it not buy you?

# %% [markdown] role="answer" exercise="epochs_or_updates" points=3
# (a) An epoch of mini-batches contains many more updates (for 300 points ten, for the full batch one), and at a small shared rate every update moves the weights about equally far along the same gradient flow. So the factor of ten is the number of updates in an epoch and says nothing about noise. I would ask for the number of updates and the seconds until the same loss, and for the comparison with
# each way at its own best rate, over several seeds. (b) The same epochs are an eighth of the updates, so at the same rate the network has travelled an eighth as far. I would multiply the rate by eight (linear scaling, perhaps with a warm-up) or train for more epochs; it fails once the rate comes near $2/\lambda_\max$, which depends on the curvature and not on the batch. (c) Gradient accumulation: four pieces of 64, each
# loss weighted by its share of the samples, gradients added up, one step. The update is the same, but the time is not shortened, since as many samples go through the network as before, and batch normalisation would still see only 64 at a time.

# %% [markdown]
# ## What we measured
#
# Every figure that the text above relies on, asserted on this machine, with a margin.

# %%
ratio = ratios.groupby("ratio of updates").value
epochs_tuned = tuned.groupby("way").epochs.mean()
updates_tuned = epochs_tuned * pd.Series(PER_EPOCH)
fits, noisy = noises, noises.set_index(["stage", "size"]).noise
scaled_epochs = scaled.loc["η scaled with B"].epochs
fixed_updates = scaled.loc["η = 0.1"].updates
way_share = shares_of_way.set_index("rule")["mean"]
given = given_away.set_index("rule")
impatient, patient = "mini-batch (10), patience 1", "mini-batch (10), patience 20"
arrive = {lr: int((path.abs() < 0.04).nonzero()[0]) for lr, path in walks.items() if lr <= 0.5}

with Claims() as claim:
    claim("the staircase is flat in more than 95 of 100 places", moved < 0.05)
    claim(
        "small rates crawl: 0.025 needs between 1.7 and 2.3 times the steps of 0.05, and that those of 0.1",
        1.7 < arrive[0.025] / arrive[0.05] < 2.3 and 1.7 < arrive[0.05] / arrive[0.1] < 2.3,
    )
    claim(
        "rate 0.5 is at last there, after more than 5 times the steps of 1/8",
        arrive[0.5] > 5 * arrive[0.125],
    )
    claim(
        "rate 0.75 ends between two points, ±0.45; rate 1 does not settle",
        abs(abs(walks[0.75][-1]) - 0.45) < 0.005
        and abs(walks[0.75][-1] + walks[0.75][-2]) < 1e-3
        and abs(walks[1.0][-1] - walks[1.0][-3]) > 0.01,
    )
    claim(
        "the border is 2/λ: 2 % below it each step multiplies the walk by 0.96, 2 % above it by 1.04",
        abs((bowls[0.98][1, 1] / bowls[0.98][0, 1]).item() + 0.96) < 1e-6
        and abs((bowls[1.02][1, 1] / bowls[1.02][0, 1]).item() + 1.04) < 1e-6,
    )
    claim(
        "at half the limit the flat direction needs 340 to 344 steps to a thousandth",
        340 <= int((bowls[0.5][:, 0] < 1e-3).nonzero()[0]) <= 344,
    )
    claim(
        "rate 1/8 stays in the deep valley, rate 2 ends in the wide one",
        abs(jumps[0.125][-1]) < 0.05 and abs(jumps[2.0][-1] + 2.5) < 0.05,
    )
    claim(
        "at rate 0.01 the epochs differ by a factor between 180 and 330",
        180 < medians.epochs["batch (300)"] / medians.epochs["stochastic (1)"] < 330,
        weaker=medians.epochs["batch (300)"] > 100 * medians.epochs["stochastic (1)"],
    )
    claim(
        "the updates of batch and mini-batch agree within 4 % for the typical network, 12 % on the mean",
        abs(ratio.median()["mini-batch / batch"] - 1) < 0.04
        and abs(ratio.mean()["mini-batch / batch"] - 1) < 0.12,
        weaker=abs(ratio.mean()["mini-batch / batch"] - 1) < 0.15,
    )
    claim(
        "stochastic descent needs between 0.8 and 1.8 times the updates",
        0.8 < ratio.mean()["stochastic / batch"] < 1.8,
    )
    claim(
        "with twice the rate half the updates, within 3 %",
        abs(ratio.mean()["rate 0.02 / rate 0.01"] - 0.5) < 0.015,
    )
    claim(
        "at their own rates: fewest epochs for the single point, most for the whole batch",
        epochs_tuned["stochastic (1)"]
        < epochs_tuned["mini-batch (32)"]
        < epochs_tuned["batch (300)"],
    )
    claim(
        "the batch's own rate is at least ten times that of the single point",
        chosen.lr["batch (300)"] >= 10 * chosen.lr["stochastic (1)"],
    )
    claim(
        "nearly all networks arrive",
        (groups.arrived.mean() >= 0.8).all(),
        weaker=(groups.arrived.mean() >= 0.5).all(),
    )
    claim(
        "and fewest updates for the whole batch, by more than a factor of 10 against the single point",
        updates_tuned["batch (300)"] < updates_tuned["mini-batch (32)"]
        and 10 * updates_tuned["batch (300)"] < updates_tuned["stochastic (1)"],
    )
    claim(
        "the factor in epochs has shrunk below 15",
        epochs_tuned["batch (300)"] < 15 * epochs_tuned["stochastic (1)"],
    )
    claim(
        "the noise of a batch is what the formula says, within 15 %",
        ((fits.noise / fits.theory - 1).abs() < 0.15).all(),
    )
    claim(
        "with one sample the noise is longer than the gradient, after 200 updates even with 32",
        noisy["fresh", 1] > 1.3 and noisy["after 200 updates", 32] > 1.3,
    )
    claim(
        "it falls with a slope of −1/2, within 0.06",
        all(abs(slope + 0.5) < 0.06 for slope in slopes.values()),
    )
    claim(
        "scaling the rate with the batch: from 8 to 128 the epochs stay within a third of those at 32",
        ((scaled_epochs.loc[[8, 128]] / scaled_epochs[32] - 1).abs() < 0.33).all(),
    )
    claim("and at 300 the rule breaks", scaled_epochs[300] > 1.4 * scaled_epochs[32])
    claim(
        "at a fixed rate the updates stay within a third of those at 32",
        ((fixed_updates / fixed_updates[32] - 1).abs() < 0.33).all(),
    )
    claim(
        "the first rise of a jagged curve comes before a third of the way, that of the smooth one after",
        way_share[impatient] < 0.33 < way_share["batch (100), patience 1"],
    )
    claim(
        "the jagged curve gives away more than the smooth one, the intervals apart; patience saves it",
        given.low[impatient] > given.high["batch (100), patience 1"]
        and given["mean"][patient] < given["mean"][impatient] / 5,
        weaker=given["mean"][impatient] > given["mean"]["batch (100), patience 1"],
    )
    claim(
        "stopped by the first rise, the jagged curve ends above three times the loss that it could reach",
        given["mean"][impatient] > 2 * lowest["mini-batch (10)"],
        weaker=given["mean"][impatient] > lowest["mini-batch (10)"],
    )

# %% [markdown]
# ## In short
#
# | | batch | mini-batch | stochastic |
# |---|---|---|---|
# | samples an update | all $n$ | $B$, usually 32 to 512 | 1 |
# | updates an epoch | 1 | $n/B$ | $n$ |
# | noise of the gradient | 0 | $\sigma/\sqrt B$ | $\sigma$ |
# | at a small shared rate | the same number of updates | the same | the same, or a few more |
# | at its own best rate | largest rate, fewest updates | between | smallest rate, fewest epochs |
# | uses the device | fully, if it fits | well | badly |
#
# - An error is a staircase; train on a smooth stand-in and report the error.
# - Gradient descent is stable where $\eta < 2/\lambda_\max$. Far below it crawls, above it bounces, and from a valley too narrow for its rate it leaps.
# - $\eta \times$ updates is the distance in time. Compare batch sizes by updates, samples and seconds, each at its own rate, never by epochs alone.
# - Batch times $k$: rate times $k$, until the curvature says no. Batch too large for the memory: accumulate, and weigh the pieces.
# - Jagged curves need patience.
#
# **Read on.** Cauchy (1847), three pages. Robbins and Monro (1951) on noisy steps. LeCun, Bottou, Orr and Müller (1998), *Efficient BackProp*, for curvature and rates. Bottou, Curtis and Nocedal (2018), *Optimization Methods for Large-Scale Machine Learning*. Goyal et al. (2017) on linear scaling. McCandlish et al. (2018) on the noise scale.
# Cohen et al. (2021) found that full-batch descent on networks drives the curvature up until $\lambda_\max$ hovers at $2/\eta$: the border is a place where training lives. Glassner (2021), *Deep Learning: A Visual Approach*, for the moons. In the next lesson, the walk gets momentum.

# %%
lab.show_progress("ch03")
