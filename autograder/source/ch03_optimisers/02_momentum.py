# ---
# jupyter:
#   lesson:
#     title: Momentum and Nesterov
#     minutes: 90
# ---

# %% [markdown]
# Gradient descent has no memory. Each step it looks at the slope under its feet, moves, and forgets. In a long narrow valley that
# is a costly habit: it bounces between the walls, which it finds steep, and hardly moves along the floor, which it finds flat. On a plateau it stops altogether,
# however fast it arrived.
#
# Give it a memory of one number per weight, and a valley that is a thousand times more curved across than along takes twenty times fewer steps. The change
# is one line, `momentum=0.9`, and almost every training run you will ever see contains it in some form. After this lesson you can
#
# - write momentum as PyTorch does, as an optimiser with state, and say how other libraries differ,
# - say how fast it ends up, how far it rolls on flat ground, and what happens for $\mu \to 1$,
# - derive Nesterov's version and PyTorch's strange-looking formula for it,
# - tell a real gain of momentum from a learning rate ten times larger in disguise.
#
# You need: the previous lesson, and the sum of a geometric series, $1 + \mu + \mu^2 + \dots = \frac1{1-\mu}$.

# %% role="setup"
import copy
import math
from numbers import Number

import numpy as np
import pandas as pd
import torch
from torch import nn

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget


def follow(make_optimizer, start, gradients):
    """Where an optimiser takes one parameter under given gradients: all positions, the start first."""
    parameter = nn.Parameter(start.clone())
    optimizer = make_optimizer([parameter])
    path = [start.clone()]
    for gradient in gradients:
        parameter.grad = gradient.clone()
        optimizer.step()
        path.append(parameter.detach().clone())
    return torch.stack(path)


# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).take(
    train=budget(10_000, fast=1_000), valid=2_000, test=budget(10_000, fast=2_000)
)
data = data.to(device)
n_inputs, n_classes = data.train[:1][0].shape[1], len(data.classes)
data

# %% [markdown]
# ## A valley that is steep one way and flat the other
#
# The simplest valley is a bowl, $f(x, y) = \tfrac12 (x^2 + \kappa y^2)$, stretched by $\kappa$, the **condition number**: the largest curvature over the
# smallest. Gradient descent multiplies $x$ by $1 - \eta$ at each step and $y$ by $1 - \eta\kappa$. For $y$ not to explode we need $\eta < 2/\kappa$, and then $x$ shrinks
# by at most a share of $2/\kappa$ a step. The best compromise, $\eta = 2/(1+\kappa)$, makes both factors equally bad, $\pm\frac{\kappa - 1}{\kappa + 1} \approx \pm(1 - 2/\kappa)$:
# about $\tfrac12\kappa \ln 10$ steps for each decimal place.
#
# Now let the ball have mass. A velocity $v$ adds up the gradients, and loses a share of itself at each step:
#
# $$v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta v$$
#
# $g$ is the gradient at $\theta$, $v$ begins at 0, and the **momentum** $\mu$ lies between 0 (no memory) and 1 (no friction); 0.9 is the usual number. Across the valley the gradient changes its sign
# from step to step, and its contributions cancel. Along the valley they all point the same way, and add up. Polyak (1964) called it the *heavy ball*, and showed that on this bowl the best pair is
#
# $$\eta = \left(\frac{2}{1+\sqrt\kappa}\right)^2,\quad \mu = \left(\frac{\sqrt\kappa-1}{\sqrt\kappa+1}\right)^2,\quad\text{with a factor of}\ \sqrt\mu = \frac{\sqrt\kappa-1}{\sqrt\kappa+1}\ \text{a step in the long run.}$$
#
# It is the factor of gradient descent with $\kappa$ replaced by its **square root**.
#
# **Predict, then run.** The bowl is stretched by $\kappa = 1000$. Gradient descent with the best possible rate needs about 7,000 steps to come a million times closer to the minimum. How many does momentum need?


# %%
def best_plain(kappa):
    return {"lr": 2 / (1 + kappa)}


def best_momentum(kappa):
    root = math.sqrt(kappa)
    return {"lr": (2 / (1 + root)) ** 2, "momentum": ((root - 1) / (root + 1)) ** 2}


def bowl(kappa):
    """The loss of points (..., 2)."""
    return lambda point: (point[..., 0] ** 2 + kappa * point[..., 1] ** 2) / 2


def walk(surface, start, steps, **settings):
    """The path of torch's own SGD on a surface."""
    return lab.descend(surface, start, lambda p: torch.optim.SGD(p, **settings), steps)


def steps_to(tolerance, kappa, lr, momentum=0.0):
    """Steps on the bowl from (1, 1) until the distance to the minimum has shrunk to `tolerance` of the first."""
    curvature, place, velocity = np.array([1.0, kappa]), np.ones(2), np.zeros(2)
    for step in range(1, 100_000):
        velocity = momentum * velocity + curvature * place
        place = place - lr * velocity
        if np.linalg.norm(place) < tolerance * math.sqrt(2):
            return step
    return math.nan


KAPPAS = [2, 3, 10, 30, 100, 300, 1000]
needed = pd.DataFrame(
    {
        "κ": KAPPAS,
        "gradient descent": [steps_to(1e-6, k, **best_plain(k)) for k in KAPPAS],
        "momentum": [steps_to(1e-6, k, **best_momentum(k)) for k in KAPPAS],
    }
)
steep = needed[needed["κ"] >= 10]
slopes = {
    name: np.polyfit(np.log(steep["κ"]), np.log(steep[name]), 1)[0]
    for name in ("gradient descent", "momentum")
}
print("slopes from κ = 10 on:", {name: round(slope, 2) for name, slope in slopes.items()})
needed


# %%
def plot_bowl(needed, kappa=30):
    fig, (left, right) = lab.figure(1, 2, height=3.4)
    lab.contours(left, bowl(kappa), (-1.5, 10.5), (-3.4, 3.4), levels=12)
    for index, (name, settings) in enumerate(
        {"gradient descent": best_plain(kappa), "momentum": best_momentum(kappa)}.items()
    ):
        style = lab.line_style(index)
        path = walk(bowl(kappa), (10.0, 1.0), 30, **settings)
        left.plot(*path.T, label=name, markersize=3, linewidth=1.2, **style)
        right.loglog(needed["κ"], needed[name], label=name, markersize=5, **style)
    left.set(xlabel="x", ylabel="y", title=f"30 steps on a bowl with κ = {kappa}")
    right.set(
        xlabel="condition number κ", ylabel="steps", title="Steps to come 10⁶ times closer"
    )
    left.legend(fontsize=9, handlelength=3, loc="lower left")
    right.legend(fontsize=9, handlelength=3)
    return fig


lab.show(
    plot_bowl(needed),
    alt="Left: 30 steps on a bowl stretched by 30, from the right. Gradient descent zigzags between "
    "the walls and is still on its way; momentum swings wide at first, then settles at the minimum. "
    "Right: steps needed against the condition number, both axes logarithmic. Gradient descent rises "
    "with slope 1, momentum with about half of it; at 1000 they are 6900 and 315.",
)

# %% [markdown]
# 315 instead of 6,908. On logarithmic axes gradient descent rises with slope 1, momentum with about ½: **the steps grow with $\sqrt\kappa$ instead of $\kappa$.** And the best $\mu$ is no
# constant of nature. It grows with $\kappa$: 0.27 for $\kappa = 10$, 0.88 for $\kappa = 1000$. Read backwards, 0.9 is made for a $\kappa$ of about 1,400.
#
# Look at the left-hand picture as well. Momentum does not *avoid* the zigzag. It begins with swings wider than those of gradient descent, since its best rate is larger. It gains because what it picks up along the floor stays with it.
#
# (Both contenders know $\kappa$ here, and have the best settings there are. With a network you know neither, so we shall have to search.)

# %% [markdown] role="card" exercise="Momentum" level=2 minutes=15 topic="Momentum" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html"
# ### Momentum as an optimiser
#
# Write the `step` of an optimiser that does, for each parameter $\theta$ with gradient $g$,
#
# $$v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta v$$
#
# The first $v$ equals $g$ (a copy of it). $\eta$ is the `"lr"` and $\mu$ the `"momentum"` of the parameter's **group** (`self.param_groups` is a list of dicts with `"params"` and these two); schedulers change them during training, so read them
# anew at each step. Further:
#
# - Keep each $v$ in `self.state[parameter]`, a dict that is yours to fill. Then `state_dict` saves it, and a run that is resumed from it continues exactly.
# - A parameter with `grad = None` is skipped: neither it nor its $v$ changes.
# - Parameters change **in place**. The gradients stay as they are, and $v$ shares no memory with them.
# - `step()` returns `None`. `step(closure)` first calls `closure()`, which computes loss and gradients and so needs autograd switched on, and returns what the closure returned.
#
# `torch.optim.SGD(momentum=...)` is what you are rebuilding.


# %% role="stub" exercise="Momentum"
class Momentum(torch.optim.Optimizer):
    """Gradient descent with momentum (Polyak, 1964), in PyTorch's form.

    Args:
        params: iterable of parameters, or of dicts, one a group, with "params" and their own "lr", "momentum".
        lr: learning rate η of the groups that name none.
        momentum: μ of the groups that name none, 0 ≤ μ < 1.
    """

    def __init__(self, params, lr: float, momentum: float = 0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def step(self, closure=None):
        """One update of all parameters that have a gradient; returns the closure's loss, or None."""
        ### BEGIN SOLUTION
        loss = None if closure is None else closure()
        with torch.no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    if p.grad is None:
                        continue
                    state = self.state[p]
                    if "v" not in state:
                        state["v"] = torch.zeros_like(p)
                    state["v"].mul_(group["momentum"]).add_(p.grad)
                    p.sub_(group["lr"] * state["v"])
        return loss
        ### END SOLUTION


# %% role="check" exercise="Momentum"
with Check("Momentum") as check:
    check.that(
        issubclass(Momentum, torch.optim.Optimizer),
        "Momentum should be a subclass of torch.optim.Optimizer.",
    )
    weight, unused = nn.Parameter(torch.tensor([1.0, -2.0])), nn.Parameter(torch.ones(1))
    window = weight.detach()  # looks at the same memory
    optimizer = Momentum([unused, weight], lr=0.1, momentum=0.9)
    weight.grad = gradient = torch.tensor([2.0, -1.0])
    with check.case("two parameters, the first without a gradient"):
        returned = optimizer.step()
    check.that(returned is None, "`step()` without a closure should return None.")
    check.that(
        torch.is_grad_enabled(),
        "`step` leaves autograd switched off. Use `with torch.no_grad():`, which switches it back on.",
    )
    check.close(
        weight.detach(),
        torch.tensor([0.8, -1.9]),
        "From (1, −2) with η = 0.1, the gradient (2, −1) should lead to (0.8, −1.9): the first v is g.",
        known=[
            (
                torch.tensor([1.0, -2.0]),
                "The parameter has not moved. Is it changed in place, by the new v rather than the old, and is it "
                "reached although the parameter before it has no gradient?",
            ),
            (
                torch.tensor([0.98, -1.99]),
                "The first step is ten times too short: is there a factor 1 − μ? PyTorch's v is a sum, "
                "not an average.",
            ),
            (
                torch.tensor([0.82, -1.91]),
                "The first step is 0.9 of what it should be: μ multiplies the old v only, not g.",
            ),
            (
                torch.tensor([0.62, -1.81]),
                "The first step is 1.9 g. Either that is g + μv, which is Nesterov's, or v began as g and the rule "
                "was applied on top. Here the step is v, and the first v is g.",
            ),
            (
                torch.tensor([0.64, -1.82]),
                "The first step is 1.8 g: your v is the tensor `.grad` itself. Keep a copy.",
            ),
            (torch.tensor([1.2, -2.1]), "The step goes uphill: v is subtracted from θ."),
        ],
    )
    check.that(
        torch.equal(window, weight.detach()),
        "The parameter was given new memory: change its numbers in place.",
    )
    check.that(
        weight.grad is gradient and torch.equal(gradient, torch.tensor([2.0, -1.0])),
        "The gradient was changed: work on tensors of your own.",
    )
    gradient.copy_(torch.tensor([1.0, 3.0]))  # the next gradient, in the same memory
    optimizer.step()
    check.close(
        weight.detach(),
        torch.tensor([0.52, -2.11]),
        "The second gradient, (1, 3), makes v = 0.9 · (2, −1) + (1, 3) = (2.8, 2.1), and θ = (0.52, −2.11).",
        known=[
            (
                torch.tensor([0.7, -2.2]),
                "The second step is −ηg: the old v is forgotten, or is not put back.",
            ),
            (
                torch.tensor([0.61, -2.47]),
                "The new gradient came in place of the old v: your v is the tensor `.grad` itself. "
                "Keep a copy.",
            ),
            (
                torch.tensor([0.62, -2.44]),
                "The new gradient came in place of the old v: your v is the tensor `.grad` itself. "
                "Keep a copy.",
            ),
            (
                torch.tensor([0.5, -2.1]),
                "The old v counts in full: it is to be multiplied by μ.",
            ),
            (
                torch.tensor([0.61, -1.84]),
                "From the second step on the gradient is damped by 1 − μ: v is a sum, not an average.",
            ),
            (
                torch.tensor([0.682, -2.191]),
                "The rate has got into v: multiply a new tensor by η, and leave v itself as it is.",
            ),
        ],
    )
    check.that(
        torch.equal(gradient, torch.tensor([1.0, 3.0])),
        "The second step changed the gradient: your v is the tensor `.grad` itself. Keep a copy.",
    )
    optimizer.param_groups[0]["lr"] = 0.01
    weight.grad = torch.zeros(2)
    optimizer.step()
    check.close(
        weight.detach(),
        torch.tensor([0.4948, -2.1289]),
        "With the rate lowered to 0.01 and a gradient of zeros, the third step should be 0.01 · 0.9 · (2.8, 2.1).",
        known=[
            (
                torch.tensor([0.268, -2.299]),
                "The third step still has the old rate. Read the rate from the group at each step, and "
                "keep it out of v: PyTorch's v is a sum of gradients, not of steps.",
            ),
            (
                torch.tensor([0.52, -2.11]),
                "A gradient of zeros is not None: the ball rolls on.",
            ),
        ],
    )
    check.that(
        torch.equal(unused.detach(), torch.ones(1)),
        "A parameter without a gradient should stay where it is.",
    )
    slow, fast = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    groups = [{"params": [slow], "lr": 0.1, "momentum": 0.5}, {"params": [fast]}]
    optimizer = Momentum(groups, lr=1.0, momentum=0.9)
    for _ in range(2):
        slow.grad, fast.grad = torch.ones(1), torch.ones(1)
        optimizer.step()
    check.close(
        torch.stack([slow.detach(), fast.detach()]).flatten(),
        torch.tensor([-0.25, -2.9]),
        "Two groups: two gradients of 1 should move the one with η = 0.1, μ = 0.5 to −0.25, and the one "
        "with η = 1, μ = 0.9 to −2.9. Each group has its own rate and momentum.",
    )
    one, two = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    pair = Momentum([one, two], lr=1.0, momentum=0.5)
    for _ in range(2):
        one.grad, two.grad = torch.ones(1), -torch.ones(1)
        pair.step()
    check.close(
        torch.stack([one.detach(), two.detach()]).flatten(),
        torch.tensor([-2.5, 2.5]),
        "Two parameters of one group with opposite gradients should part: each has a v of its own.",
    )
    saved = copy.deepcopy(optimizer.state_dict())
    twins = [nn.Parameter(slow.detach().clone()), nn.Parameter(fast.detach().clone())]
    resumed = Momentum([{"params": [p]} for p in twins], lr=1.0)
    resumed.load_state_dict(saved)
    for parameters, runner in (((slow, fast), optimizer), (twins, resumed)):
        for parameter in parameters:
            parameter.grad = torch.ones(1)
        with check.case("a run resumed from state_dict"):
            runner.step()
    check.that(
        torch.equal(slow, twins[0]) and torch.equal(fast, twins[1]),
        "Resumed from its state_dict, the run goes elsewhere: keep each v in self.state[parameter].",
    )
    target = nn.Parameter(torch.tensor([3.0]))
    optimizer = Momentum([target], lr=0.1)

    def half_square():
        """The closure of a loss ½θ²: clears the gradient, computes it, returns the loss."""
        optimizer.zero_grad()
        value = (target**2).sum() / 2
        value.backward()
        return value

    with check.case("a step with a closure"):
        returned = optimizer.step(half_square)
    check.is_a(
        returned, (Number, torch.Tensor), "`step(closure)` should return the closure's loss."
    )
    check.close(returned, 4.5, "`step(closure)` should return the closure's loss.")
    check.close(
        target.detach(),
        torch.tensor([2.7]),
        "With a closure, call it first: it computes the gradient that the step uses.",
    )


# %% [markdown] role="hints" exercise="Momentum"
# <details><summary>Hint 1: the loops</summary>
#
# Two loops, one over the groups, one over a group's `"params"`. Where `.grad` is `None`, continue with the next. The
# changes belong under `torch.no_grad()`, the call of the closure before it.
#
# </details>
# <details><summary>Hint 2: where v comes from</summary>
#
# `self.state[p]` is an empty dict at first. If it has no velocity yet, put one in: zeros like the parameter. From zeros, the general rule gives $v = g$ at the first step without a special case.
#
# </details>
# <details><summary>Hint 3: in place</summary>
#
# Tensors have methods that end in an underscore, such as `mul_`, `add_` and `sub_`. Use them on the velocity and the parameter, never on the gradient.
#
# </details>

# %% role="test" exercise="Momentum" points=3
# Graded with hidden tests: groups, rates that change, missing gradients, resumed runs, shapes and dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("Momentum") as test:
    test.that(
        isinstance(Momentum, type) and issubclass(Momentum, torch.optim.Optimizer),
        "Momentum should be a subclass of torch.optim.Optimizer.",
    )
    for dtype in (torch.float32, torch.float64):
        starts = [torch.randn(s, dtype=dtype) for s in ((3, 4), (5,), (), (0, 2))]
        starts.append(torch.randn(2, 6, dtype=dtype).t())
        plan = [
            [torch.randn(s.shape, dtype=dtype) * 10 ** (t % 3) for s in starts]
            for t in range(9)
        ]
        plan[0][1] = plan[3][0] = plan[4][0] = None
        plan[2][4].zero_()  # no slope, yet the ball rolls on
        runs = []
        for make in (torch.optim.SGD, Momentum):
            params = [nn.Parameter(s.clone()) for s in starts]
            windows = [p.detach() for p in params]
            groups = [
                {"params": params[:2], "lr": 0.03, "momentum": 0.5},
                {"params": params[2:]},
            ]
            optimizer = make(groups, lr=0.2, momentum=0.8)
            history = []
            for t, row in enumerate(plan):
                given = [None if g is None else g.clone() for g in row]
                for p, g in zip(params, given, strict=True):
                    p.grad = g
                if t == 6:
                    optimizer.param_groups[0]["lr"] *= 0.1
                    optimizer.param_groups[1]["momentum"] = 0.3
                returned = optimizer.step()
                history.append([p.detach().clone() for p in params])
                test.that(returned is None, "`step()` without a closure should return None.")
                test.that(
                    all(
                        p.grad is g and (g is None or torch.equal(g, r))
                        for p, g, r in zip(params, given, row, strict=True)
                    ),
                    "A gradient was changed or replaced: work on tensors of your own.",
                )
            runs.append(history)
            test.that(
                all(p in optimizer.state for p in params),
                "Keep each v in self.state[parameter], not in the group or in an attribute.",
            )
            test.that(
                all(torch.equal(p.detach(), w) for p, w in zip(params, windows, strict=True)),
                "A parameter was given new memory: change its numbers in place.",
            )
        scale = 1e-4 if dtype == torch.float32 else 1e-11
        for t, (want, got) in enumerate(zip(*runs, strict=True)):
            for w, g in zip(want, got, strict=True):
                test.that(g.dtype == dtype, "The dtype of a parameter must not change.")
                test.close(
                    g,
                    w,
                    "The rate or the momentum changed in the middle of the run, and the path differs from there: "
                    "read both from the group at each step, and keep the rate out of v."
                    if t >= 6
                    else "A path differs from torch.optim.SGD's: each group with its own rate and momentum, "
                    "every parameter with its own v, None skipped?",
                    rtol=1e-4,
                    atol=1e-3,
                )
                test.close(
                    g,
                    w,
                    "In float64 the path has the digits of float32 only: v should have the dtype of its parameter.",
                    rtol=scale,
                    atol=scale * 10,
                )
    # the next gradient comes in the same memory, as after zero_grad(set_to_none=False)
    paths = []
    for make in (torch.optim.SGD, Momentum):
        p = nn.Parameter(torch.ones(4, dtype=torch.float64))
        optimizer = make([p], lr=0.1, momentum=0.7)
        for t in range(4):
            optimizer.zero_grad(set_to_none=False)
            (p * torch.arange(1.0, 5.0) * (t + 1)).sum().backward()
            optimizer.step()
        paths.append(p.detach().clone())
    test.close(
        paths[1],
        paths[0],
        "With zero_grad(set_to_none=False) the path differs: v shares memory with `.grad`. Keep a copy.",
    )
    # resumed from a state_dict: the same numbers to the last bit
    plan = [torch.randn(6) for _ in range(6)]
    p = nn.Parameter(torch.randn(6))
    twin = nn.Parameter(p.detach().clone())
    optimizer = Momentum([p], lr=0.05, momentum=0.95)
    for t, g in enumerate(plan):
        if t == 3:
            saved = copy.deepcopy(optimizer.state_dict())
            twin = nn.Parameter(p.detach().clone())
            resumed = Momentum([twin], lr=1.0, momentum=0.1)
            resumed.load_state_dict(saved)
        for parameter, runner in ((p, optimizer), (twin, resumed if t >= 3 else None)):
            if runner is not None:
                parameter.grad = g.clone()
                runner.step()
    test.that(
        torch.equal(p, twin),
        "Resumed from its state_dict, the run goes elsewhere: keep each v in self.state[parameter], "
        "and rate and momentum in the group.",
    )
    # the closure
    p, calls, values = nn.Parameter(torch.full((2,), 3.0)), [], []
    optimizer = Momentum([p], lr=0.1, momentum=0.5)

    def count_and_square():
        calls.append(torch.is_grad_enabled())
        optimizer.zero_grad()
        value = (p**2).sum() / 2
        value.backward()
        values.append(value)
        return value

    with test.case("a step with a closure, called as step(closure=...)"):
        losses = [optimizer.step(closure=count_and_square) for _ in range(2)]
    test.that(
        all(isinstance(v, (Number, torch.Tensor)) for v in losses),
        "`step(closure)` should return the closure's loss.",
    )
    test.that(len(calls) == 2, "The closure should be called once in each step.")
    test.close(losses[1], 7.29, "`step(closure)` should return the closure's loss.")
    test.that(
        losses[1] is values[1],
        "`step(closure)` should return what the closure returned, as it is: no number made of it, no copy.",
    )
    test.close(
        p.detach(),
        torch.full((2,), 2.28),
        "With a closure, call it first: it computes the gradient that the step uses.",
    )
    test.that(p.requires_grad and p.is_leaf, "A parameter is no leaf of autograd any more.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="Momentum"
# The state lives in `self.state`, keyed by the parameter, because that is what `state_dict` walks through: a list of your own would work until the first crash at three in the morning, when the run is resumed with all velocities
# at zero. PyTorch stores a *copy* of the first gradient for the reason the check looked for. With `zero_grad(set_to_none=False)` the tensor in `.grad` lives on and is filled anew, and a $v$ that is the same tensor
# would be wiped with it. The closure runs with autograd on, so the common decorator `@torch.no_grad()` on the whole of `step` needs a `with torch.enable_grad():` around the call.

# %% [markdown]
# ## Terminal speed
#
# What does the memory hold? Unroll the rule. After $t$ steps
#
# $$\eta v_t = \eta\left(g_t + \mu g_{t-1} + \mu^2 g_{t-2} + \dots + \mu^{t-1} g_1\right)$$
#
# A gradient that is $k$ steps old counts with weight $\eta\mu^k$. Those weights fade, but they do not sum to 1, nor to $\eta$: their sum tends to $\eta / (1-\mu)$. **Momentum is a sum of gradients, not an average.** If the gradient stays the same, the step grows,
# like the speed of a stone that falls through water, until what friction takes equals what the slope gives. With $\mu = 0.9$ this
# **terminal speed** is ten times $\eta g$.
#
# **Predict, then run.** How many steps does it take to reach 90 % of the terminal speed with $\mu = 0.9$? With 0.99?

# %%
constant = [torch.ones(1, dtype=torch.float64)] * 600
strides = {}
for mu in (0.0, 0.5, 0.9, 0.99):
    path = follow(
        lambda p, mu=mu: torch.optim.SGD(p, lr=1.0, momentum=mu),
        torch.zeros(1, dtype=torch.float64),
        constant,
    )
    strides[mu] = -path.flatten().diff().numpy()
    reached = int(np.argmax(strides[mu] >= 0.9 / (1 - mu))) + 1
    print(
        f"μ = {mu:<5} last step {strides[mu][-1]:6.2f} times ηg, 90 % of it after {reached} steps"
    )

fig, (left, right) = lab.figure(1, 2, height=3)
for index, (mu, stride) in enumerate(strides.items()):
    style = lab.line_style(index) | {"marker": ""}
    left.semilogy(range(1, 301), stride[:300], label=f"μ = {mu}", **style)
    right.plot(range(31), mu ** np.arange(31.0), label=f"μ = {mu}", **style)
left.set(xlabel="step", ylabel="length of the step, in ηg", title="Under a constant gradient")
right.set(
    xlabel="age k of a gradient, in steps", ylabel="weight, in η", title="What is remembered"
)
right.legend(handlelength=3)
lab.show(
    fig,
    alt="Left: length of the step under a constant gradient, logarithmic. It rises and levels off at 1, "
    "2, 10 and 100 times ηg for μ = 0, 0.5, 0.9 and 0.99; the last takes more than 200 steps. Right: weight of "
    "past gradients against their age; 0.9 forgets within about 30 steps, 0.99 hardly begins to.",
)

# %% [markdown]
# 22 steps and 230. The memory is about $1/(1-\mu)$ steps long, and $\ln 10 = 2.3$ times that brings 90 % of the speed. So **raising $\mu$ at the same $\eta$ raises the learning rate** in every direction in which gradients agree: the *effective rate* is $\eta/(1-\mu)$.
#
# Here conventions differ. Write $m \leftarrow \beta m + (1-\beta) g$, $\theta \leftarrow \theta - \eta m$, and you have an **average** of gradients, whose terminal speed is $\eta g$ whatever $\beta$ is. Adam's first moment is of this kind,
# and so is "momentum" in some papers and libraries. `torch.optim.SGD` has a `dampening` $\tau$, $v \leftarrow \mu v + (1-\tau) g$, with which $\tau = \mu$ comes close: only the very first $v$ is $g$, undamped. A rate tuned for the sum is ten times too small for the average.

# %% [markdown] role="card" exercise="terminal_speed" level=1 minutes=6 topic="Momentum" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html"
# ### Terminal speed
#
# The gradient is the same at each step. Return $\eta v_t$, what is subtracted from $\theta$ at step number $t$ = `steps` (the first step is number 1), in closed form, which serves a million steps as well as one. `steps` may be `math.inf`, which is the default: then return the terminal speed, the limit for
# $t \to \infty$.
#
# `gradient` is a tensor of any shape; so is the result. $0 \le \mu < 1$.


# %% role="stub" exercise="terminal_speed"
def terminal_speed(
    lr: float, momentum: float, gradient: torch.Tensor, steps: float = math.inf
) -> torch.Tensor:
    """The step of SGD with momentum (PyTorch's form, from rest) under a constant gradient.

    Args:
        lr: learning rate η.
        momentum: μ, at least 0 and below 1.
        gradient: the constant gradient, any shape.
        steps: number t of the step, 1 for the first; math.inf for the limit.

    Returns:
        η v_t, in the shape and dtype of `gradient`, which stays as it is.
    """
    ### BEGIN SOLUTION
    return lr * gradient * (1 - momentum**steps) / (1 - momentum)
    ### END SOLUTION


# %% role="check" exercise="terminal_speed"
with Check("terminal_speed") as check:
    slope = torch.tensor([[2.0], [-4.0]])
    with check.case("no steps given, so math.inf of them: a closed form, no loop"):
        limit = terminal_speed(0.2, 0.9, slope)
    check.shape(limit, (2, 1))
    check.close(
        limit,
        torch.tensor([[4.0], [-8.0]]),
        "η = 0.2 and μ = 0.9 under the gradient (2, −4) should end at the speed (4, −8): 0.2 times 10.",
        known=[
            (
                torch.tensor([[0.4], [-0.8]]),
                "That is ηg, the speed without momentum (or of an average). The weights of the past "
                "gradients sum to more than η.",
            ),
            (
                torch.tensor([[0.04], [-0.08]]),
                "You multiply by 1 − μ where the sum divides by it.",
            ),
            (
                torch.tensor([[3.6], [-7.2]]),
                "The newest gradient is missing: its weight is η μ⁰.",
            ),
            (torch.tensor([[20.0], [-40.0]]), "The learning rate is missing."),
            (torch.tensor([[-4.0], [8.0]]), "Return ηv, which is subtracted; the sign is g's."),
        ],
    )
    check.that(
        torch.equal(slope, torch.tensor([[2.0], [-4.0]])), "Your function changes `gradient`."
    )
    check.close(
        terminal_speed(0.2, 0.9, slope, steps=2),
        torch.tensor([[0.76], [-1.52]]),
        "The second step should be η(g + μg) = 0.38 g.",
        known=[
            (
                torch.tensor([[1.084], [-2.168]]),
                "That is step 3: at step t the oldest gradient has weight η μ^(t−1).",
            ),
            (
                torch.tensor([[0.4], [-0.8]]),
                "That is the first step: the weights are counted from μ⁰.",
            ),
            (torch.tensor([[4.0], [-8.0]]), "`steps` makes no difference yet."),
            (
                torch.tensor([[1.16], [-2.32]]),
                "That is the whole way after two steps; the second step alone was asked for.",
            ),
        ],
    )
    with check.case("no momentum, μ = 0"):
        plain = terminal_speed(0.1, 0.0, slope, steps=5)
    check.close(
        plain,
        torch.tensor([[0.2], [-0.4]]),
        "Without momentum every step should be ηg.",
    )


# %% [markdown] role="hints" exercise="terminal_speed"
# <details><summary>Hint 1: which sum</summary>
#
# The unrolled rule above with all $g$ equal: $\eta g$ times a geometric series with $t$ terms.
#
# </details>
# <details><summary>Hint 2: its value</summary>
#
# $1 + \mu + \dots + \mu^{t-1} = \dfrac{1 - \mu^t}{1 - \mu}$, and Python knows that `0.9**math.inf` is 0.
#
# </details>

# %% role="test" exercise="terminal_speed" points=1
# Graded with hidden tests: other rates, momenta, shapes, dtypes and numbers of steps, against a simulation.
### BEGIN HIDDEN TESTS
with HiddenTest("terminal_speed") as test:
    for lr, mu, shape, dtype in (
        (0.03, 0.5, (4, 2), torch.float64),
        (2.0, 0.95, (), torch.float64),
        (0.1, 0.0, (3,), torch.float32),
        (0.01, 0.99, (1, 5), torch.float32),
        (0.5, 0.8, (), torch.float32),
    ):
        gradient = torch.randn(shape, dtype=dtype)
        kept = gradient.clone()
        path = follow(
            lambda p, lr=lr, mu=mu: torch.optim.SGD(p, lr=lr, momentum=mu),
            torch.zeros(shape, dtype=torch.float64),
            [gradient.double()] * 40,
        )
        for t in (1, 2, 3, 17, 40):
            got = terminal_speed(lr=lr, momentum=mu, gradient=gradient, steps=t)
            test.shape(got, shape)
            test.close(
                got,
                path[t - 1] - path[t],
                "A step before the limit is wrong: at step t the weights run from η μ⁰ to η μ^(t−1).",
                atol=1e-7,
            )
            test.that(got.dtype == dtype, "The result should have the dtype of the gradient.")
        got = terminal_speed(lr, mu, gradient)
        test.shape(got, shape)
        test.close(
            got,
            lr * kept.double() * sum(mu**k for k in range(4000)),
            "The limit is wrong: the weights η μ^k of all past gradients are to be summed.",
            atol=1e-7,
        )
        test.that(torch.equal(gradient, kept), "Your function changes `gradient`.")
        test.that(got.dtype == dtype, "The result should have the dtype of the gradient.")
        with test.case("steps=float('inf')"):
            infinite = terminal_speed(lr, mu, gradient, steps=float("inf"))
        test.close(
            infinite, got, "`steps=math.inf` should give the limit, as the default does."
        )
    test.close(
        terminal_speed(1e-6, 1 - 1e-6, torch.ones(3)),
        torch.ones(3),
        "For a μ very close to 1 the limit is too small: it is cut off after so many steps. Use the closed form.",
        rtol=0.1,  # 1 − μ has one digit only where μ is kept in float32
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="terminal_speed"
# Friction takes a share $1-\mu$ of the velocity at each step and the slope gives $g$. The speed is constant when $(1-\mu) v = g$, which is the limit without any series. The speed approaches it like $1 - \mu^t$, so a run shorter than a few times $1/(1-\mu)$ steps never gets there.

# %% [markdown]
# ## No friction, no rest
#
# If 0.9 is good and 0.99 sometimes better, why not 0.99999? Drop a ball into the plainest bowl, $f = \tfrac12\theta^2$, from 1, at rate 0.1.
#
# **Predict, then run.** After how many steps does it stay within 0.01 of the minimum, for each $\mu$?


# %%
def swing(mu, steps, lr=0.1, nesterov=False):
    """Positions of SGD with momentum in the bowl ½θ², from 1."""
    settings = {"lr": lr, "momentum": mu, "nesterov": nesterov}
    path = walk(lambda point: (point**2).sum(-1) / 2, (1.0,), steps, **settings)
    return path.flatten().numpy()


def settled(path, tolerance=0.01):
    """The step from which on |θ| stays below `tolerance`; inf if that never begins."""
    outside = np.flatnonzero(np.abs(path) >= tolerance)
    return math.inf if outside[-1] == len(path) - 1 else int(outside[-1]) + 1


swings = {mu: swing(mu, 1_100 if mu > 0.95 else 250) for mu in (0.0, 0.5, 0.9, 0.99, 0.99999)}
for mu, path in swings.items():
    print(
        f"μ = {mu:<8} settled after {settled(path)} steps, "
        f"lowest point {path.min():6.3f}, largest swing at the end {np.abs(path[-100:]).max():.2g}"
    )

fig, ax = lab.figure(height=2.8)
for index, mu in enumerate((0.5, 0.9, 0.99, 0.99999)):
    ax.plot(swings[mu][:250], label=f"μ = {mu}", **lab.line_style(index) | {"marker": ""})
ax.set(xlabel="step", ylabel="θ", title="A ball in the bowl ½θ², rate 0.1")
ax.legend(loc="upper left", bbox_to_anchor=(1, 1), handlelength=3)
lab.show(
    fig,
    alt="Position over 250 steps. With μ = 0.5 the ball runs straight to 0; with 0.9 it overshoots to "
    "−0.6 and rests after about 80 steps; with 0.99 it swings to −0.96 and fades slowly; with 0.99999 it swings "
    "between 1 and −1 without visible loss.",
)

# %% [markdown]
# A momentum of 0.5 rests soonest, after 15 steps, and hardly passes the minimum; 0.9 needs 81 and overshoots by 0.6. With 0.99999 the ball passes the minimum every ten steps and is nowhere near stopping. Its swings shrink with $\sqrt{\mu}^{\,t}$, a factor of $0.995$ in a
# thousand steps: it would take more than **900,000 steps** to come within 0.01. The minimum is not the problem, for the ball crosses it all the time. Getting rid of the speed is.
#
# So this plain bowl is *slower* with momentum 0.9 than without ($\mu=0$: 44 steps). There is no valley here, nothing to gather speed along, and the rate could simply be 1. Momentum pays where curvatures differ.

# %% [markdown]
# ## Crossing a plateau
#
# Memory has a second use. Where the ground is flat, $g = 0$, plain gradient descent stops dead. A ball with momentum coasts: each step is $\mu$ times the one before.
#
# Our landscape is a slope, then a plain, then a bowl behind it, and a plain again. The bowl is as deep as the slope is high.
#
# **Predict, then run.** Four balls start on the slope, with $\mu$ = 0, 0.5, 0.9 and 0.99. One reaches the bowl and stays. Which, and what becomes of the others?


# %%
def terrain(point):
    """Height above one coordinate: a slope down at 0, a plain, a bowl at 4, a plain."""
    x = point[..., 0]
    return torch.sigmoid(-8 * x) - torch.exp(-2 * (x - 4) ** 2)


rolls = {
    mu: walk(terrain, (-0.4,), budget(1_000, fast=400), lr=0.05, momentum=mu)
    for mu in (0.0, 0.5, 0.9, 0.99)
}
ends = {mu: path[-1].item() for mu, path in rolls.items()}
for mu, path in rolls.items():
    print(
        f"μ = {mu:<5} ends at {ends[mu]:6.2f}; its last step was {(path[-1] - path[-2]).item():.1e}"
    )

fig, (top, bottom) = lab.figure(2, 1, height=2.3)
ground = torch.linspace(-1, 9, 500)[:, None]
top.plot(ground, terrain(ground), color="black", linestyle="-")
for index, (mu, path) in enumerate(rolls.items()):
    style = lab.line_style(index)
    bottom.plot(path.clamp(max=20), label=f"μ = {mu}", **style | {"marker": ""})
    if ends[mu] < 9:
        top.plot(
            path[-1], terrain(path[-1]), style["marker"], color=style["color"], markersize=8
        )
    else:
        top.annotate(
            "", (9, 0.12), (7.6, 0.12), arrowprops={"arrowstyle": "->", "color": style["color"]}
        )
top.set(
    xlabel="position",
    ylabel="height",
    title="Where they are after 1,000 steps (arrow: far outside)",
)
bottom.set(xlabel="step", ylabel="position", ylim=(-1, 12), xlim=(0, 200))
bottom.axhline(4, color="grey", linestyle=":", linewidth=1)
bottom.legend(loc="upper left", bbox_to_anchor=(1, 1), handlelength=3)
lab.show(
    fig,
    alt="Above: the landscape, a slope down to a plain, a bowl at 4, a plain. The balls with μ = 0 and 0.5 "
    "rest on the first plain near 1, the one with 0.9 in the bowl, the one with 0.99 has left to the right. Below: "
    "position over the steps; 0.9 swings into the bowl at 4 (dotted) and stays, 0.99 shoots through it.",
)

# %% [markdown]
# Plain descent and $\mu = 0.5$ are stranded on the plain: after a thousand steps they creep by a ten-thousandth a step, slower and slower, and the bowl is 3 away. Momentum 0.9 brings enough speed down the slope to cross,
# and loses enough of it to stay. 0.99 has too little friction: it flies through the bowl, out over the far rim, and comes to rest far outside. Too little and too much are both failures, and *which $\mu$ is right depends on the landscape and on $\eta$*.
#
# How much is just enough? Put a number on the coasting.

# %% [markdown] role="card" exercise="momentum_to_cross" level=2 minutes=8 topic="Momentum" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html"
# ### Just enough to cross
#
# A ball comes down a slope; its **last** step there has length `last_step` and ends exactly at the edge of a plain. On the plain the gradient is 0, so the next step is $\mu$ times as long, the one after it $\mu^2$ times, and so on. The far edge is `width` away.
#
# Return the $\mu$ at which the ball would come to rest exactly at the far edge, after infinitely many steps; any larger one crosses. `width` may be 0.


# %% role="stub" exercise="momentum_to_cross"
def momentum_to_cross(last_step: float, width: float) -> float:
    """The momentum that just carries a ball over a plain without any gradient.

    Args:
        last_step: length of the last step before the plain, above 0.
        width: of the plain, at least 0, in the same unit; the ball stands at its edge.

    Returns:
        μ, at least 0 and below 1.
    """
    ### BEGIN SOLUTION
    return width / (last_step + width)
    ### END SOLUTION


# %% role="check" exercise="momentum_to_cross"
with Check("momentum_to_cross") as check:
    mu = momentum_to_cross(1.0, 9.0)
    check.is_a(mu, Number)
    check.close(
        mu,
        0.9,
        "A last step of 1 and a plain of 9 need μ = 0.9: 0.9 + 0.81 + 0.729 + … = 9.",
        known=[
            (
                8 / 9,
                "You count the last step on the slope as part of the crossing: on the plain the first step is "
                "already μ times as long.",
            ),
            (0.1, "That is 1 − μ, the friction."),
            (
                1 / 9,
                "That is a ratio of two lengths. Sum the steps on the plain, then solve for μ.",
            ),
            (9.0, "That is above 1: sum the steps on the plain, then solve for μ."),
            (10.0, "That is 1/(1 − μ). Solve for μ."),
        ],
    )
    check.close(
        momentum_to_cross(0.5, 0.125),
        0.2,
        "A last step of 0.5 and a plain of 0.125 need μ = 0.2: 0.1 + 0.02 + 0.004 + … = 0.125.",
        known=[
            (0.25, "The first step alone crosses with 0.25, but the later ones help."),
            (1 / 9, "The length of the last step is not heeded."),
        ],
    )
    with check.case("a plain of width 0"):
        none = momentum_to_cross(1.0, 0.0)
    check.close(none, 0.0, "A plain of width 0 needs no momentum.")


# %% [markdown] role="hints" exercise="momentum_to_cross"
# <details><summary>Hint 1: the whole way</summary>
#
# Write the way on the plain as a sum. Its first term is $\mu\Delta$, where $\Delta$ is the last step on the slope.
#
# </details>
# <details><summary>Hint 2: the equation</summary>
#
# $\Delta\,(\mu + \mu^2 + \dots) = \Delta\,\frac{\mu}{1-\mu} = w$. Multiply by $1-\mu$ and collect the terms with $\mu$.
#
# </details>

# %% role="test" exercise="momentum_to_cross" points=2
# Graded with hidden tests: other lengths, long and short plains, against a simulation.
### BEGIN HIDDEN TESTS
with HiddenTest("momentum_to_cross") as test:
    for last_step, width in ((2.0, 3.0), (0.3, 0.01), (1e-4, 5e-4), (7.5, 60.0), (3, 12)):
        mu = momentum_to_cross(last_step=last_step, width=width)
        test.is_a(mu, Number)
        test.that(0 <= mu < 1, "A momentum lies between 0 and 1.")
        way, stride = 0.0, float(last_step)
        for _ in range(5000):
            stride *= mu
            way += stride
        test.that(
            way < width * (1 + 1e-4),
            "Your momentum rolls too far: it should come to rest at the far edge, not beyond.",
        )
        test.that(
            way > width * (1 - 1e-4), "Your momentum is too small: the ball stops on the plain."
        )
    wide = momentum_to_cross(1e-3, 1e3)
    test.is_a(wide, Number)
    test.close(
        1 - wide,
        1e-6,
        "A very wide plain needs a μ close to 1, but yours is too close or not close enough: is it "
        "rounded, limited, or enlarged to be sure?",
        rtol=0.05,  # 1 − μ has little more than one digit where μ was kept in float32
        atol=0.0,
    )
    test.close(momentum_to_cross(0.2, 0.0), 0.0, "A plain of width 0 needs no momentum.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="momentum_to_cross"
# The coasting distance is the last step times $\mu/(1-\mu)$: 1 for 0.5, 9 for 0.9, 99 for 0.99. Widen the plain tenfold and the friction $1-\mu$ has to fall about tenfold. On the landscape above, a larger $\mu$ helps twice, since the ball also
# leaves the slope faster. And real plateaus are not quite flat: a gradient of $10^{-3}$ that keeps its direction is summed up tenfold by 0.9.

# %% [markdown]
# ## Two forms of one rule
#
# Textbooks and some libraries (Keras, and Sutskever's papers) put the rate *inside* the memory. With $\beta$ for the momentum,
#
# $$m \leftarrow \beta m - \eta g, \qquad \theta \leftarrow \theta + m \qquad\text{(classic)}$$
#
# $$v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta v \qquad\text{(PyTorch)}$$
#
# Put $m = -\eta v$ and $\beta = \mu$ and one becomes the other, **as long as $\eta$ stays the same**. So which is it? Mostly nobody needs to care, until a schedule changes $\eta$.

# %% [markdown] role="card" exercise="classic_momentum_step" level=1 minutes=6 topic="Momentum" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html"
# ### One step in the classic form
#
# Write one step of the classic form as a pure function: return the **new** $\theta$ and the **new** $m$, in this order, and leave the arguments as they are. All three tensors have the same shape, which may be any.


# %% role="stub" exercise="classic_momentum_step"
def classic_momentum_step(
    theta: torch.Tensor, m: torch.Tensor, gradient: torch.Tensor, lr: float, beta: float = 0.9
) -> tuple[torch.Tensor, torch.Tensor]:
    """One step of momentum with the learning rate inside the memory.

    Args:
        theta: parameters.
        m: the memory, the step before; zeros at first.
        gradient: of the loss at `theta`.
        lr: learning rate η.
        beta: share of the memory that is kept.

    Returns:
        (theta, m) after the step, new tensors of the same shape and dtype.
    """
    ### BEGIN SOLUTION
    m = beta * m - lr * gradient
    return theta + m, m
    ### END SOLUTION


# %% role="check" exercise="classic_momentum_step"
with Check("classic_momentum_step") as check:
    theta, m = torch.tensor([1.0, -2.0]), torch.tensor([0.5, 0.25])
    gradient = torch.tensor([2.0, -1.0])
    before = [t.clone() for t in (theta, m, gradient)]
    result = classic_momentum_step(theta, m, gradient, lr=0.1, beta=0.8)
    check.is_a(result, (tuple, list))
    check.that(len(result) == 2, "Return two tensors: the new θ and the new m.")
    check.that(
        all(torch.equal(a, b) for a, b in zip((theta, m, gradient), before, strict=True)),
        "Your function changes its arguments: compute new tensors.",
    )
    new_theta, new_m = result
    check.shape(new_theta, (2,))
    check.shape(new_m, (2,))
    check.close(
        new_m,
        torch.tensor([0.2, 0.3]),
        "m = (0.5, 0.25), g = (2, −1), η = 0.1, β = 0.8 should give m = 0.8 m − 0.1 g = (0.2, 0.3).",
        known=[
            (torch.tensor([1.2, -1.7]), "That is the new θ: return (θ, m), in this order."),
            (torch.tensor([1.3, -1.75]), "That is a θ, moved by the old m, in the place of m."),
            (
                torch.tensor([2.4, -0.8]),
                "That is PyTorch's form, βm + g. Here the rate and the minus sign stand inside m.",
            ),
            (
                torch.tensor([0.6, 0.1]),
                "The sign of the gradient: m should grow downhill, −ηg.",
            ),
            (
                torch.tensor([0.36, 0.22]),
                "The gradient is damped by 1 − β: the classic form takes all of ηg.",
            ),
            (torch.tensor([0.24, 0.28]), "β multiplies the old m only, not ηg."),
            (
                torch.tensor([-1.6, 1.2]),
                "The rate is missing in m: it is a step, −ηg included.",
            ),
            (torch.tensor([-0.16, 0.12]), "η multiplies the gradient only, not βm."),
            (torch.tensor([0.3, 0.35]), "The old m counts in full: multiply it by β."),
            (
                torch.tensor([0.25, 0.325]),
                "β is an argument, and 0.8 here: do not fix it at 0.9.",
            ),
            (torch.tensor([0.5, 0.25]), "That is the old m: return the new one."),
        ],
    )
    check.close(
        new_theta,
        torch.tensor([1.2, -1.7]),
        "θ should move by the new m, to (1.2, −1.7).",
        known=[
            (torch.tensor([1.5, -1.75]), "θ moved by the old m: update m first, then θ."),
            (torch.tensor([0.8, -2.3]), "m points downhill already: add it to θ."),
            (
                torch.tensor([0.8, -1.9]),
                "θ moved by −ηg alone, without memory: it moves by the new m.",
            ),
            (torch.tensor([1.02, -1.97]), "The rate is in m already: θ + m, not θ + ηm."),
            (
                torch.tensor([0.98, -2.03]),
                "The rate is in m already, and so is the sign: θ + m.",
            ),
            (
                torch.tensor([0.96, -1.66]),
                "That is Nesterov's form, which comes later: here θ moves by m alone.",
            ),
        ],
    )


# %% [markdown] role="hints" exercise="classic_momentum_step"
# <details><summary>Hint 1: order</summary>
#
# First the new $m$, from the old one and the gradient; then $\theta$ plus the *new* $m$.
#
# </details>
# <details><summary>Hint 2: pure</summary>
#
# `m *= beta` would change the caller's tensor. `beta * m` makes a new one.
#
# </details>

# %% role="test" exercise="classic_momentum_step" points=1
# Graded with hidden tests: many steps against PyTorch at a constant rate, other shapes and dtypes, a rate that changes.
### BEGIN HIDDEN TESTS
with HiddenTest("classic_momentum_step") as test:
    for shape, dtype, lr, beta in (
        ((3, 2), torch.float64, 0.05, 0.9),
        ((), torch.float64, 1.0, 0.3),
        ((7,), torch.float32, 0.2, 0.0),
        ((), torch.float32, 0.5, 0.6),
    ):
        start = torch.randn(shape, dtype=dtype)
        gradients = [torch.randn(shape, dtype=dtype) for _ in range(12)]
        want = follow(
            lambda p, lr=lr, beta=beta: torch.optim.SGD(p, lr=lr, momentum=beta),
            start,
            gradients,
        )
        theta, m = start.clone(), torch.zeros(shape, dtype=dtype)
        for t, gradient in enumerate(gradients, start=1):
            kept = [a.clone() for a in (theta, m, gradient)]
            result = classic_momentum_step(
                theta=theta, m=m, gradient=gradient, lr=lr, beta=beta
            )
            test.is_a(result, (tuple, list))
            test.that(len(result) == 2, "Return two tensors: the new θ and the new m.")
            test.that(
                all(torch.equal(a, b) for a, b in zip((theta, m, gradient), kept, strict=True)),
                "Your function changes its arguments: compute new tensors.",
            )
            for new in result:
                test.shape(new, shape)
                test.that(new.dtype == dtype, "The dtype should stay as it is.")
            theta, m = result
            test.close(
                theta,
                want[t],
                "At a constant rate the path should be that of torch.optim.SGD with the same momentum: are `lr` "
                "and `beta` those of the call?",
                atol=1e-5,
            )
            test.close(
                m,
                want[t] - want[t - 1],
                "m should be the step that θ has just made.",
                atol=1e-5,
            )
    theta, m, gradient = torch.zeros(2), torch.tensor([1.0, -3.0]), torch.tensor([10.0, 10.0])
    theta, m = classic_momentum_step(theta, m, gradient, lr=0.0)
    test.close(
        theta,
        torch.tensor([0.9, -2.7]),
        "With a rate of 0 the ball should roll on: what is in m was scaled by its own rate already "
        "(and β is 0.9 by default).",
    )
    test.close(m, torch.tensor([0.9, -2.7]), "With a rate of 0, the new m should be βm.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="classic_momentum_step"
# $m$ is a memory of *steps*, each taken at the rate of its time; $v$ is a memory of *gradients*, all rescaled by the rate of today. The last test shows the difference at its barest: with $\eta = 0$ PyTorch's ball stands still, the classic one coasts.

# %% [markdown]
# Now drop the rate. In a bowl stretched by 30, both forms run at rate 0.05 for five steps, until the ball is in full motion; then the rate falls to a tenth, as a schedule would do it.
#
# To run the classic form with torch's own SGD, carry the speed over by hand: at the drop we multiply the velocity buffer $v$ by $\eta_\text{old}/\eta_\text{new}$, which keeps $m = -\eta v$ as it was.
#
# **Predict, then run.** Which of the two forms slows down at once, and by how much does the next step of each differ from the one before?


# %%
def drop(form, at=5, steps=60, lr=0.05, factor=0.1):
    """The path in the stretched bowl when the rate falls at step `at`, in either form."""
    point = nn.Parameter(torch.tensor([10.0, 1.0], dtype=torch.float64))
    optimizer = torch.optim.SGD([point], lr=lr, momentum=0.9)
    path = [point.detach().clone()]
    for step in range(steps):
        if step == at:
            optimizer.param_groups[0]["lr"] *= factor
            if form == "classic":
                optimizer.state[point]["momentum_buffer"] /= factor
        optimizer.zero_grad()
        bowl(30)(point).backward()
        optimizer.step()
        path.append(point.detach().clone())
    return torch.stack(path).numpy()


drops = {form: drop(form) for form in ("classic", "PyTorch")}
for form, path in drops.items():
    lengths = np.abs(np.diff(path[:, 0]))
    print(f"{form:8} step 5: {lengths[4]:.3f} along x, step 6: {lengths[5]:.3f}")

fig, ax = lab.figure(height=2.8)
for index, (form, path) in enumerate(drops.items()):
    ax.plot(path[:, 0], label=form, **lab.line_style(index) | {"marker": ""})
ax.axvline(5, color="grey", linestyle=":", label="rate × 0.1")
ax.set(xlabel="step", ylabel="x", title="A drop of the learning rate in the two forms")
ax.legend(handlelength=3)
lab.show(
    fig,
    alt="Position along the valley over 60 steps, the same for both forms until the rate drops at step "
    "5. Then PyTorch's bends to a tenth of its speed at once and settles near 0, while the classic one "
    "rolls on through 0 to −7 and returns slowly.",
)

# %% [markdown]
# Until the drop the paths are equal. Then PyTorch's ball brakes within one step to a tenth of its speed: $v$ is a sum of gradients, and the new rate rescales all of it. The classic ball keeps nine tenths of its step. It forgets its momentum at its own pace, rolls through the minimum at 0 and up the other side to −7, where PyTorch's hardly passes 0.
#
# Neither is wrong. With a smooth schedule the difference is small. After a sharp drop they differ for about $1/(1-\mu)$ steps, and after a sharp *rise* PyTorch's form leaps, since its old gradients are rescaled upwards too. If a run ported from one library to another goes astray at the steps of its schedule, you know where to look.

# %% [markdown]
# ## Nesterov: look before you leap
#
# The heavy ball learns about the opposite wall only once it stands on it. But we *know* where momentum is going to carry us: from $\theta$ to about $\theta + \beta m$. Nesterov (1983) takes the gradient **there**:
#
# $$m \leftarrow \beta m - \eta \nabla f(\theta + \beta m), \qquad \theta \leftarrow \theta + m$$
#
# If the ground rises ahead, the ball brakes one step earlier. So it overshoots less, at the same price of one gradient a step.
#
# There is a practical snag. A training loop computes gradients at the weights the network *has*, not at $\theta + \beta m$. The way out (Bengio, Boulanger-Lewandowski and Pascanu, 2013) is to store the look-ahead point itself. Call it $\varphi = \theta + \beta m$, and write $v = -m/\eta$ as before. One step, with $g = \nabla f(\varphi)$, gives $v' = \beta v + g$, and
#
# $$\varphi' = \underbrace{\varphi + \eta\beta v}_{\theta} - \eta v' - \eta\beta v' = \varphi - \eta\left(v' - \beta v\right) - \eta\beta v' = \varphi - \eta\,(g + \beta v').$$
#
# The old $v$ has gone. What is left is PyTorch's form, in which "$\theta$" is the look-ahead point and $\mu = \beta$:
#
# $$v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta\,(g + \mu v)$$
#
# **Predict, then run.** We run the literal form on a stretched bowl, and PyTorch's, and compare where PyTorch *is* with where the literal form *looks*. How far apart are they after 50 steps?

# %%
stretched = bowl(30)


def literal_nesterov(start, steps, lr=0.02, beta=0.9):
    """The points at which Nesterov's rule, as it is written above, takes its gradients."""
    place, speed, looked = torch.tensor(start, dtype=torch.float64), torch.zeros(2).double(), []
    slope_at = torch.func.grad(stretched)
    for _ in range(steps):
        ahead = place + beta * speed
        looked.append(ahead)
        speed = beta * speed - lr * slope_at(ahead)
        place = place + speed
    return torch.stack(looked)


looked = literal_nesterov((10.0, 1.0), 51)
shadow = walk(stretched, (10.0, 1.0), 50, lr=0.02, momentum=0.9, nesterov=True)
gap = (looked - shadow).abs().max().item()
heavy = walk(stretched, (10.0, 1.0), 50, lr=0.02, momentum=0.9)
print(f"largest distance between the two forms of Nesterov: {gap:.1e}")
print(f"for comparison, from Nesterov to the heavy ball:    {(heavy - shadow).abs().max():.2f}")

# %% [markdown]
# Equal up to rounding: the two have the same losses at the same points. (As with momentum, this holds while $\eta$ is constant. At the end of training, $\varphi$ and $\theta$ have met, since $m$ has faded.)

# %% [markdown] role="card" exercise="Nesterov" level=3 minutes=12 topic="Nesterov" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html"
# ### Nesterov as an optimiser
#
# The same optimiser as `Momentum`, with PyTorch's form of Nesterov's rule:
#
# $$v \leftarrow \mu v + g, \qquad \theta \leftarrow \theta - \eta\,(g + \mu v)\quad\text{with the new } v$$
#
# All else is as there: $\eta$ and $\mu$ read from the group at each step, $v$ in `self.state[parameter]` so that a resumed run continues exactly, the first $v$ is $g$, parameters without a gradient are skipped, parameters change in place, gradients do not change and share no memory with $v$,
# `step(closure)` calls the closure first, with autograd on, and returns what the closure returned; `step()` returns `None`. Start from your own `Momentum` by copying its text; the test of this exercise does not see that class.


# %% role="stub" exercise="Nesterov"
class Nesterov(torch.optim.Optimizer):
    """Nesterov's accelerated gradient (1983) in PyTorch's form, which keeps the look-ahead point.

    Args:
        params: iterable of parameters, or of dicts, one a group, with "params" and their own "lr", "momentum".
        lr: learning rate η of the groups that name none.
        momentum: μ of the groups that name none, 0 ≤ μ < 1.
    """

    def __init__(self, params, lr: float, momentum: float = 0.9):
        super().__init__(params, {"lr": lr, "momentum": momentum})

    def step(self, closure=None):
        """One update of all parameters that have a gradient; returns the closure's loss, or None."""
        ### BEGIN SOLUTION
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            rate, mu = group["lr"], group["momentum"]
            for p in (p for p in group["params"] if p.grad is not None):
                with torch.no_grad():
                    v = mu * self.state[p].get("v", torch.zeros_like(p)) + p.grad
                    p -= rate * (p.grad + mu * v)
                self.state[p]["v"] = v
        return loss
        ### END SOLUTION


# %% role="check" exercise="Nesterov"
with Check("Nesterov") as check:
    check.that(
        issubclass(Nesterov, torch.optim.Optimizer),
        "Nesterov should be a subclass of torch.optim.Optimizer.",
    )
    weight, unused = nn.Parameter(torch.tensor([1.0, -2.0])), nn.Parameter(torch.ones(1))
    window = weight.detach()
    optimizer = Nesterov([unused, weight], lr=0.1, momentum=0.9)
    weight.grad = gradient = torch.tensor([2.0, -1.0])
    with check.case("two parameters, the first without a gradient"):
        returned = optimizer.step()
    check.that(returned is None, "`step()` without a closure should return None.")
    check.that(
        torch.is_grad_enabled(),
        "`step` leaves autograd switched off. Use `with torch.no_grad():`, which switches it back on.",
    )
    check.that(
        weight.grad is gradient and torch.equal(gradient, torch.tensor([2.0, -1.0])),
        "The gradient was changed: g + μv has to be a new tensor.",
    )
    check.close(
        weight.detach(),
        torch.tensor([0.62, -1.81]),
        "From (1, −2) with η = 0.1, μ = 0.9, g = (2, −1): v = g, and the step is 0.1 · (g + 0.9 g).",
        known=[
            (
                torch.tensor([1.0, -2.0]),
                "The parameter has not moved. Is it changed in place, and is it "
                "reached although the parameter before it has no gradient?",
            ),
            (
                torch.tensor([0.8, -1.9]),
                "The first step is ηg. Either that is plain momentum, or g + μv was taken with the old v. The "
                "first step, too, is g + μv with the new v, which is g.",
            ),
            (torch.tensor([0.6, -1.8]), "The step is g + v: v is to be multiplied by μ."),
            (torch.tensor([0.82, -1.91]), "The step is μv: the gradient itself is missing."),
            (torch.tensor([1.38, -2.19]), "The step goes uphill."),
            (
                torch.tensor([0.458, -1.729]),
                "The first v is 1.9 g: it began as g, and the rule was applied on top. The first v is g.",
            ),
        ],
    )
    check.that(
        torch.equal(window, weight.detach()),
        "The parameter was given new memory: change its numbers in place.",
    )
    gradient.copy_(torch.tensor([1.0, 3.0]))  # the next gradient, in the same memory
    optimizer.step()
    check.close(
        weight.detach(),
        torch.tensor([0.268, -2.299]),
        "The second gradient, (1, 3), makes v = (2.8, 2.1), and the step is 0.1 · (g + 0.9 v) = (0.352, 0.489).",
        known=[
            (
                torch.tensor([0.43, -2.38]),
                "The second step knows no v: the old one is not kept.",
            ),
            (
                torch.tensor([0.278, -2.836]),
                "The new gradient came in place of the old v: your v is the tensor `.grad` itself. Keep a copy.",
            ),
            (
                torch.tensor([0.349, -2.623]),
                "The new gradient came in place of the old v: your v is the tensor `.grad` itself. Keep a copy.",
            ),
            (
                torch.tensor([0.1222, -2.2261]),
                "What is stored is g + μv, the step. Store v, and make the step from it.",
            ),
            (
                torch.tensor([0.2842, -2.3071]),
                "What is stored is μv: multiply a new tensor by μ, and leave v itself as it is.",
            ),
            (
                torch.tensor([0.25, -2.29]),
                "The second step is μg + v: μ belongs to v.",
            ),
        ],
    )
    check.that(
        torch.equal(gradient, torch.tensor([1.0, 3.0])),
        "The second step changed the gradient: work on tensors of your own.",
    )
    optimizer.param_groups[0]["lr"] = 0.01
    weight.grad = torch.zeros(2)
    optimizer.step()
    check.close(
        weight.detach(),
        torch.tensor([0.24532, -2.31601]),
        "With the rate lowered to 0.01 and a gradient of zeros, the third step should be 0.01 · 0.81 · (2.8, 2.1).",
        known=[
            (
                torch.tensor([0.0412, -2.4691]),
                "The third step still has the old rate: read it from the group at each step, and keep it out of v.",
            ),
            (
                torch.tensor([0.268, -2.299]),
                "A gradient of zeros is not None: the ball rolls on in the third step.",
            ),
        ],
    )
    check.that(
        torch.equal(unused.detach(), torch.ones(1)),
        "A parameter without a gradient should stay where it is.",
    )
    slow, fast = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    optimizer = Nesterov(
        [{"params": [slow], "lr": 0.1, "momentum": 0.5}, {"params": [fast]}],
        lr=1.0,
        momentum=0.9,
    )
    for _ in range(2):
        slow.grad, fast.grad = torch.ones(1), torch.ones(1)
        optimizer.step()
    check.close(
        torch.stack([slow.detach(), fast.detach()]).flatten(),
        torch.tensor([-0.325, -4.61]),
        "Two groups: two gradients of 1 should move the one with η = 0.1, μ = 0.5 to −0.325, and the one "
        "with η = 1, μ = 0.9 to −4.61. Each group has its own rate and momentum.",
    )
    one, two = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    pair = Nesterov([one, two], lr=1.0, momentum=0.5)
    for _ in range(2):
        one.grad, two.grad = torch.ones(1), -torch.ones(1)
        pair.step()
    check.close(
        torch.stack([one.detach(), two.detach()]).flatten(),
        torch.tensor([-3.25, 3.25]),
        "Two parameters of one group with opposite gradients should part: each has a v of its own.",
    )
    saved = copy.deepcopy(optimizer.state_dict())
    twins = [nn.Parameter(slow.detach().clone()), nn.Parameter(fast.detach().clone())]
    resumed = Nesterov([{"params": [p]} for p in twins], lr=1.0)
    resumed.load_state_dict(saved)
    for parameters, runner in (((slow, fast), optimizer), (twins, resumed)):
        for parameter in parameters:
            parameter.grad = torch.ones(1)
        with check.case("a run resumed from state_dict"):
            runner.step()
    check.that(
        torch.equal(slow, twins[0]) and torch.equal(fast, twins[1]),
        "Resumed from its state_dict, the run goes elsewhere: keep each v in self.state[parameter].",
    )
    target = nn.Parameter(torch.tensor([3.0]))
    optimizer = Nesterov([target], lr=0.1, momentum=0.5)

    def half_square():
        """The closure of a loss ½θ²: clears the gradient, computes it, returns the loss."""
        optimizer.zero_grad()
        value = (target**2).sum() / 2
        value.backward()
        return value

    with check.case("a step with a closure"):
        returned = optimizer.step(half_square)
    check.is_a(
        returned, (Number, torch.Tensor), "`step(closure)` should return the closure's loss."
    )
    check.close(returned, 4.5, "`step(closure)` should return the closure's loss.")
    check.close(
        target.detach(),
        torch.tensor([2.55]),
        "With a closure, call it first: it computes the gradient that the step uses.",
    )


# %% [markdown] role="hints" exercise="Nesterov"
# <details><summary>Hint 1: what changes</summary>
#
# Only the line that moves the parameter. $v$ is the same as in `Momentum`, and is stored in the same way.
#
# </details>
# <details><summary>Hint 2: the order</summary>
#
# First the new $v$. Then a new tensor, gradient plus $\mu$ times that $v$. Then the parameter minus $\eta$ times it. `grad.add_` would write into the gradient; `grad.add` makes a new tensor.
#
# </details>

# %% role="test" exercise="Nesterov" points=3
# Graded with hidden tests: groups, rates that change, missing gradients, resumed runs, and the literal look-ahead form.
### BEGIN HIDDEN TESTS
with HiddenTest("Nesterov") as test:
    test.that(
        isinstance(Nesterov, type) and issubclass(Nesterov, torch.optim.Optimizer),
        "Nesterov should be a subclass of torch.optim.Optimizer.",
    )

    def torch_nesterov(params, lr, momentum):
        return torch.optim.SGD(params, lr=lr, momentum=momentum, nesterov=True)

    for dtype in (torch.float32, torch.float64):
        starts = [torch.randn(s, dtype=dtype) for s in ((2, 5), (4,), (), (0, 3))]
        starts.append(torch.randn(3, 4, dtype=dtype).t())
        plan = [
            [torch.randn(s.shape, dtype=dtype) * 10 ** (t % 3) for s in starts]
            for t in range(9)
        ]
        plan[0][1] = plan[3][0] = plan[4][0] = None
        plan[2][4].zero_()  # no slope, yet the ball rolls on
        runs = []
        for make in (torch_nesterov, Nesterov):
            params = [nn.Parameter(s.clone()) for s in starts]
            windows = [p.detach() for p in params]
            groups = [
                {"params": params[:2], "lr": 0.03, "momentum": 0.5},
                {"params": params[2:]},
            ]
            optimizer = make(groups, lr=0.2, momentum=0.8)
            history = []
            for t, row in enumerate(plan):
                given = [None if g is None else g.clone() for g in row]
                for p, g in zip(params, given, strict=True):
                    p.grad = g
                if t == 6:
                    optimizer.param_groups[0]["lr"] *= 0.1
                    optimizer.param_groups[1]["momentum"] = 0.3
                returned = optimizer.step()
                history.append([p.detach().clone() for p in params])
                test.that(returned is None, "`step()` without a closure should return None.")
                test.that(
                    all(
                        p.grad is g and (g is None or torch.equal(g, r))
                        for p, g, r in zip(params, given, row, strict=True)
                    ),
                    "A gradient was changed or replaced: work on tensors of your own.",
                )
            runs.append(history)
            test.that(
                all(p in optimizer.state for p in params),
                "Keep each v in self.state[parameter], not in the group or in an attribute.",
            )
            test.that(
                all(torch.equal(p.detach(), w) for p, w in zip(params, windows, strict=True)),
                "A parameter was given new memory: change its numbers in place.",
            )
        scale = 1e-4 if dtype == torch.float32 else 1e-11
        for t, (want, got) in enumerate(zip(*runs, strict=True)):
            for w, g in zip(want, got, strict=True):
                test.that(g.dtype == dtype, "The dtype of a parameter must not change.")
                test.close(
                    g,
                    w,
                    "The rate or the momentum changed in the middle of the run, and the path differs from there: "
                    "read both from the group at each step, and keep the rate out of v."
                    if t >= 6
                    else "A path differs from torch.optim.SGD's with nesterov=True: each group with its own rate "
                    "and momentum, every parameter with its own v, None skipped?",
                    rtol=1e-4,
                    atol=1e-3,
                )
                test.close(
                    g,
                    w,
                    "In float64 the path has the digits of float32 only: v should have the dtype of its parameter.",
                    rtol=scale,
                    atol=scale * 10,
                )
    # at a constant rate: the points where the literal form takes its gradients
    curvature = torch.tensor([1.0, 7.0, 0.2], dtype=torch.float64)
    place, speed = torch.ones(3, dtype=torch.float64), torch.zeros(3, dtype=torch.float64)
    looked = []
    for _ in range(25):
        ahead = place + 0.8 * speed
        looked.append(ahead)
        speed = 0.8 * speed - 0.1 * curvature * ahead
        place = place + speed
    p, at = nn.Parameter(torch.ones(3, dtype=torch.float64)), []
    optimizer = Nesterov([p], lr=0.1, momentum=0.8)
    for _ in range(25):
        at.append(p.detach().clone())
        optimizer.zero_grad(set_to_none=False)
        (curvature * p**2 / 2).sum().backward()
        optimizer.step()
    test.close(
        torch.stack(at),
        torch.stack(looked),
        "With zero_grad(set_to_none=False) the path leaves the look-ahead points of Nesterov's literal form: "
        "does v share memory with `.grad`?",
        rtol=1e-9,
        atol=1e-12,
    )
    plan = [torch.randn(6) for _ in range(6)]
    p = nn.Parameter(torch.randn(6))
    twin = nn.Parameter(p.detach().clone())
    optimizer = Nesterov([p], lr=0.05, momentum=0.95)
    for t, g in enumerate(plan):
        if t == 3:
            saved = copy.deepcopy(optimizer.state_dict())
            twin = nn.Parameter(p.detach().clone())
            resumed = Nesterov([twin], lr=1.0, momentum=0.1)
            resumed.load_state_dict(saved)
        for parameter, runner in ((p, optimizer), (twin, resumed if t >= 3 else None)):
            if runner is not None:
                parameter.grad = g.clone()
                runner.step()
    test.that(
        torch.equal(p, twin),
        "Resumed from its state_dict, the run goes elsewhere: keep each v in self.state[parameter], "
        "and rate and momentum in the group.",
    )
    p, calls, values = nn.Parameter(torch.full((2,), 3.0)), [], []
    optimizer = Nesterov([p], lr=0.1, momentum=0.5)

    def count_and_square():
        calls.append(1)
        optimizer.zero_grad()
        value = (p**2).sum() / 2
        value.backward()
        values.append(value)
        return value

    with test.case("a step with a closure, called as step(closure=...)"):
        losses = [optimizer.step(closure=count_and_square) for _ in range(2)]
    test.that(
        all(isinstance(v, (Number, torch.Tensor)) for v in losses),
        "`step(closure)` should return the closure's loss.",
    )
    test.that(len(calls) == 2, "The closure should be called once in each step.")
    test.close(losses[1], 6.5025, "`step(closure)` should return the closure's loss.")
    test.that(
        losses[1] is values[1],
        "`step(closure)` should return what the closure returned, as it is: no number made of it, no copy.",
    )
    test.close(
        p.detach(),
        torch.full((2,), 2.0925),
        "With a closure, call it first: it computes the gradient that the step uses.",
    )
    test.that(p.requires_grad and p.is_leaf, "A parameter is no leaf of autograd any more.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="Nesterov"
# The newest gradient gets the weight $1 + \mu$ instead of 1, all older ones a weight of $\mu^{k+1}$ instead of $\mu^k$. Their sum is still $1/(1-\mu)$, so the terminal speed is the same. Nesterov's rule trusts the present more and the past less, and that is all the looking
# ahead there is in PyTorch's formula.

# %% [markdown]
# ## Less overshoot, and when
#
# **Predict, then run.** Back into the bowl $\tfrac12\theta^2$, from 1, with the same rate and momentum for both. How much does Nesterov's correction take off the overshoot? Does the rate matter?

# %%
rows = []
for lr in (0.01, 0.1, 0.3):
    for mu in (0.9, 0.99):
        pair = [
            swing(mu, 950 if mu > 0.95 else 120, lr, nesterov) for nesterov in (False, True)
        ]
        names = ("momentum", "Nesterov")
        row = {"lr": lr, "μ": mu}
        row |= {f"overshoot, {n}": -p.min() for n, p in zip(names, pair, strict=True)}
        row |= {f"settled, {n}": settled(p) for n, p in zip(names, pair, strict=True)}
        rows.append(row)
overshoot = pd.DataFrame(rows)
overshoot.round(3)

# %% [markdown]
# Nesterov overshoots less in every row and rests sooner, and **the gain grows with $\eta$**. With $\mu = 0.9$ it rests after 82 steps instead of 85 at rate 0.01, and after 18 instead of 84 at rate 0.3. That is no accident. Let $\lambda$ be the curvature, here 1. The gradient at $\theta + \beta m$ differs from the one at $\theta$ by $\lambda\beta m$, so
#
# $$m \leftarrow \beta m - \eta\lambda(\theta + \beta m) = \beta(1 - \eta\lambda)\,m - \eta\lambda\theta.$$
#
# Looking ahead is extra friction: instead of $1-\beta$, the ball now loses about $1 - \beta + \eta\lambda$ of its speed at each step. So looking ahead matters when $\eta\lambda$ is not small against $1-\beta$. With $\mu = 0.99$ even the rate 0.01 is enough: the friction doubles, and 912 steps become 445.
#
# The price is on the other side. On steep ground ($\eta\lambda$ large) the heavy ball is stable up to $\eta\lambda = 2(1+\mu)$, which is 3.8 for $\mu = 0.9$; Nesterov only up to $\frac{2(1+\mu)}{1+2\mu} = 1.36$, less than the 2 of plain descent. Keep it in mind when you tune.


# %%
def is_stable(lr, **settings):
    path = walk(lambda point: (point**2).sum(-1) / 2, (1.0,), 200, lr=lr, **settings)
    return bool(path[-1].abs().nan_to_num(torch.inf) < 1)


for name, settings, border in (
    ("gradient descent", {}, 2.0),
    ("momentum 0.9", {"momentum": 0.9}, 2 * 1.9),
    ("Nesterov 0.9", {"momentum": 0.9, "nesterov": True}, 2 * 1.9 / 2.8),
):
    print(
        f"{name:17} border {border:.3f}: stable 2 % below it: {is_stable(0.98 * border, **settings)}, "
        f"2 % above: {is_stable(1.02 * border, **settings)}"
    )

# %% [markdown]
# ## The race through the valley
#
# A curved valley at last: Rosenbrock's banana, $f = (1-x)^2 + 20\,(y - x^2)^2$, gentler than the original with its 100. Its floor bends and falls so slowly that the last stretch to the minimum at $(1, 1)$ takes most of the steps.
#
# Each rule gets the rate that serves *it* best: the one with the lowest loss after 150 steps, as a mean of $\log_{10}$ over several starting points. A rate at which any start diverges is out.
#
# **Predict, then run.** Who wins, and by how many powers of ten? Which of the three can afford the largest rate?

# %%
RULES = {
    "plain SGD": {},
    "momentum": {"momentum": 0.9},
    "Nesterov": {"momentum": 0.9, "nesterov": True},
}
STARTS = [(-1.2, 1.0), (-1.5, 1.5), (-0.8, 2.0), (-0.9, 1.2), (-0.5, 1.5)]


def valley(point):
    x, y = point[..., 0], point[..., 1]
    return (1 - x) ** 2 + 20 * (y - x**2) ** 2


def banana(rule, lr, seed, steps=150):
    """log10 of the loss at the end, from the starting point number `seed`."""
    loss = valley(walk(valley, STARTS[seed], steps, lr=lr, **RULES[rule])[-1]).item()
    return {"log10 loss": math.log10(loss + 1e-30)}


valley_rates = budget(
    [1e-3, 2e-3, 4e-3, 6e-3, 8e-3, 1e-2, 1.4e-2, 2e-2], fast=[2e-3, 4e-3, 1e-2]
)
trials = lab.sweep(
    banana, {"rule": list(RULES), "lr": valley_rates}, budget(range(5), fast=range(2))
)
guide = lab.best(trials, by="rule", over="lr", value="log10 loss", mode="min").set_index("rule")
guide.round(4)


# %%
def animate_race(guide, start=STARTS[0], steps=150, frames=30):
    paths = {
        name: walk(valley, start, steps, lr=guide.lr[name], **settings)
        for name, settings in RULES.items()
    }
    fig, ax = lab.figure(height=3.6)
    lab.contours(ax, valley, (-1.8, 1.8), (-0.8, 2.4), levels=14, log=True)
    ax.plot(1, 1, "*", color="black", markersize=12)
    lines = []
    for index, (name, path) in enumerate(paths.items()):
        style = lab.line_style(index)
        (line,) = ax.plot(*path[:1].T, markersize=4, markevery=[-1], label=name, **style)
        lines.append((line, path))
    ax.set(xlabel="x", ylabel="y")
    ax.legend(loc="lower left", handlelength=3)

    def draw(frame):
        now = round(frame * steps / (frames - 1))
        for line, path in lines:
            line.set_data(*path[: now + 1].T)
        ax.set_title(f"step {now:3}")

    lab.animate(
        fig,
        draw,
        frames,
        alt="Three paths through a banana-shaped valley to the minimum at (1, 1), each at its own best "
        "rate. Plain SGD creeps along the floor and has not arrived after 150 steps; momentum and Nesterov run "
        "ahead and reach the star.",
    )


animate_race(guide, frames=budget(30, fast=3))

# %% [markdown]
# (Here and below the text speaks of the full run, on the real images where there are images; fast mode cuts the budgets.)
#
# `at_edge` says whether the chosen rate is the smallest or the largest that we tried (then the best may lie outside). Momentum and Nesterov come within about a hundredth of the minimum or closer, plain descent is still on its way: at nearly the largest rate that it survives, its loss ends powers of ten above theirs. The two with memory chose *smaller* rates, and still go faster, since along the floor their steps
# add up tenfold. Nesterov had to take the smallest, as its narrower border of stability suggests, and pays for it here. Do not read a law into who wins between those two: the rates were chosen and judged on the same five starting points, in one valley, on a coarse grid.

# %% [markdown]
# ## Ten times the rate in disguise
#
# From bowls to a network. Two moons, 300 points, and networks of three hidden layers (12, 13 and 13 units), as in the previous lesson; batches of 32. We count epochs until the loss over all points falls below 0.01. A textbook comparison (Glassner, 2021) sets $\eta = 0.01$ for everyone, switches momentum on, and reports epochs falling from about
# 5,000 to 600, and with Nesterov to 425.
#
# **Predict, then run.** Plain SGD at rate 0.01, momentum 0.9 at rate 0.01, and plain SGD at rate 0.1. Which two of the three take about the same number of epochs?

# %%
points, classes = lab.two_moons()
cap, target = budget(1_000, fast=70), budget(0.01, fast=0.03)


def moons(rule, effective, seeds, epochs):
    """Epochs that each of a stack of networks needs; one that has not arrived counts as `epochs`."""
    settings = RULES[rule]
    lr = effective * (1 - settings.get("momentum", 0.0))
    curves = lab.train_stack(
        lab.NetStack([2, 12, 13, 13, 2], seeds),
        points,
        classes,
        lambda parameters: torch.optim.SGD(parameters, lr=lr, **settings),
        epochs=epochs,
        batch_size=32,
        until=target,
    )
    arrived = lab.reached(curves, target)
    return [
        {"net": net, "epochs": n if n == n else epochs, "arrived": n == n}
        for net, n in zip(arrived.seed, arrived.epochs, strict=True)
    ]


def gather(rules_and_rates, seeds, epochs):
    rows = [
        {"rule": rule, "effective": effective, **row}
        for rule, effective in rules_and_rates
        for row in moons(rule, effective, seeds, epochs)
    ]
    return pd.DataFrame(rows).rename(columns={"net": "seed"})


tuning_nets = range(100, 100 + budget(20, fast=4))
same_lr = gather([("plain SGD", 0.01), ("momentum", 0.1), ("plain SGD", 0.1)], tuning_nets, cap)
same_lr["contender"] = same_lr.rule + same_lr.effective.map(
    {0.01: ", η/(1−μ) = 0.01", 0.1: ", η/(1−μ) = 0.1"}
)
lab.summary(same_lr, by="contender", value="epochs").round(1)

# %% [markdown]
# (A net that has not arrived by the end counts as the last epoch. `mean` is the mean over twenty nets, `low` and `high` its 95 % interval, `sd` the spread from net to net.)
#
# Momentum at $\eta = 0.01$ is some nine times faster than plain SGD at 0.01, and no faster than plain SGD at 0.1. The whole miracle was a rate ten times larger. Any comparison at equal $\eta$ compares $\eta$ with $\eta/(1-\mu)$.
#
# So we compare at equal **effective** rate, over a range, and then each at its best.
#
# **Predict, then run.** Where on the axis of effective rates will the three lines coincide, and where will they part?

# %%
effective_rates = budget([0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.5], fast=[0.4, 0.7])
moon_tuning = gather(
    [(rule, e) for rule in RULES for e in effective_rates], tuning_nets, epochs=150
)
moon_best = lab.best(moon_tuning, by="rule", over="effective", value="epochs", mode="min")
moon_best = moon_best.set_index("rule")
fresh_nets = range(budget(30, fast=4))
moon_results = pd.concat(
    [gather([(rule, moon_best.effective[rule])], fresh_nets, epochs=150) for rule in RULES],
    ignore_index=True,
)

fig, ax = lab.figure(height=3.2)
lab.band(
    moon_tuning,
    "effective",
    "epochs",
    by="rule",
    ax=ax,
    log=True,
    xlabel="effective rate η/(1−μ)",
    ylabel=f"epochs to a loss of {target}",
)
ax.set_xscale("log")
lab.show(
    fig,
    alt="Epochs to a loss of 0.01 against the effective rate, logarithmic, for plain SGD, momentum and "
    "Nesterov with 95 % bands. At 0.1 and 0.2 the three lines lie on one another or nearly so. Beyond 0.7 plain "
    "SGD turns steeply upwards, while the other two are below 20 epochs around 1 and rise later.",
)
moon_table = lab.summary(moon_results, by="rule", value="epochs")
moon_table["median"] = moon_results.groupby("rule", sort=False).epochs.median().to_numpy()
moon_table["arrived"] = moon_results.groupby("rule", sort=False).arrived.sum().to_numpy()
moon_table.join(moon_best[["effective", "at_edge"]], on="rule").round(2)

# %%
lab.paired_difference(moon_results, by="rule", value="epochs", baseline="momentum").round(1)

# %% [markdown]
# At the smallest effective rate the lines coincide: there, momentum **is** a larger learning rate and nothing else. They part where plain SGD begins to suffer from the walls of its valleys. Momentum cancels what goes back and forth, so it can afford a larger effective rate, and there it
# saves about a third of the epochs (a fifth, with one of five other sets of nets): an honest gain, where the shared rate showed a ninefold one. Read the last table for plain SGD against momentum: `mean` is the difference in epochs, net by net, `low` and `high` its 95 % interval, and `excludes_zero` says whether that leaves out 0.
#
# And the famous gain of Nesterov, 600 to 425 epochs? At the rate of that comparison (effective 0.1) the lines of momentum and Nesterov lie on one another, as the analysis of the bowl predicts for small steps. At their best rates the last table is the judge: its interval encloses 0, so no lead has been shown. Nesterov's median is lower, but it chose a bolder rate, and now and then a net pays for that with very many epochs: compare `sd`.

# %% [markdown]
# ## Does it survive real images?
#
# One more network, 784-100-10 on 10,000 photographs of clothes, three epochs at a constant rate, twice: with batches of 32, where the gradients are noisy, and of 1,000, where they are far less so, but there are only thirty steps to take. Each rule at its own rate, chosen on validation images; then ten fresh seeds, judged on test images.
#
# **Predict, then run.** In which of the two regimes will Nesterov's correction be worth something over plain momentum?


# %%
def clothes(rule, effective, batch_size, seed, split="test"):
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(n_inputs, 100), nn.ReLU(), nn.Linear(100, n_classes))
    model = model.to(device)
    settings = RULES[rule]
    lr = effective * (1 - settings.get("momentum", 0.0))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, **settings)
    lab.fit(
        model,
        data,
        optimizer,
        epochs=budget(3, fast=2),
        batch_size=batch_size,
        seed=seed,
        bar=False,
    )
    return {"accuracy": lab.evaluate(model, getattr(data, split))["accuracy"]}


GRIDS = {
    32: budget([0.01, 0.02, 0.05, 0.1], fast=[0.05]),
    1000: budget([0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0], fast=[0.2, 1.0]),
}
image_tuning, image_best, image_results = {}, {}, {}
for size, grid in GRIDS.items():
    image_tuning[size] = lab.sweep(
        lambda rule, effective, seed, size=size: clothes(rule, effective, size, seed, "valid"),
        {"rule": list(RULES), "effective": grid},
        seeds=range(100, 100 + budget(3, fast=1)),
    )
    found = lab.best(image_tuning[size], by="rule", over="effective", value="accuracy")
    image_best[size] = found.set_index("rule")
    image_results[size] = lab.sweep(
        lambda rule, seed, size=size: clothes(
            rule, image_best[size].effective[rule], size, seed
        ),
        {"rule": list(RULES)},
        seeds=range(budget(10, fast=2)),
    )


# %%
def plot_images(image_tuning):
    fig, axes = lab.figure(1, 2, height=3.2)
    for ax, (size, frame) in zip(axes, image_tuning.items(), strict=True):
        means = frame.groupby(["rule", "effective"], sort=False).accuracy.mean()
        for index, rule in enumerate(RULES):
            line = means[rule]
            ax.semilogx(line.index, line, label=rule, markersize=5, **lab.line_style(index))
        ax.set(xlabel="effective rate η/(1−μ)", title=f"batches of {size}")
    axes[0].set(ylabel="validation accuracy")
    axes[1].legend(handlelength=3, loc="lower left")
    return fig


lab.show(
    plot_images(image_tuning),
    alt="Validation accuracy against the effective rate for plain SGD, momentum and Nesterov. Left, "
    "batches of 32: closest at 0.01; from 0.05 on plain SGD is three or more points below the other "
    "two. Right, batches of 1000: at 0.02 plain SGD leads by six points; it peaks at 0.73 near 0.05 and falls to "
    "0.2 as the rate grows. The others rise from 0.6 to nearly 0.8, Nesterov to just above it.",
)
for size, frame in image_results.items():
    table = lab.summary(frame, by="rule", value="accuracy")
    print(f"batches of {size}")
    print(
        table.join(image_best[size][["effective", "at_edge"]], on="rule")
        .round(4)
        .to_string(index=False)
    )
leads = {
    size: lab.paired_difference(frame, by="rule", value="accuracy", baseline="momentum")
    for size, frame in image_results.items()
}
pd.concat(leads, names=["batch"]).droplevel(1).round(4)

# %% [markdown]
# In the last table the baseline is momentum. Against it plain SGD loses some two points of accuracy with batches of 32 (with other seeds we saw one) and four or five with 1,000: here momentum is worth having at both batch sizes. Nesterov's correction splits the two. With noisy gradients (32) its difference to momentum is smaller than the interval can resolve. With large, clean
# steps (1,000) it is worth two or three points more. That fits the bowl: the look ahead is worth $\eta$ times curvature, and the noise must not drown it.
#
# Look at the left ends of the lines, too. With batches of 32 the rules differ least there: what plain SGD lacks, it lacks at larger rates, where the memory smooths the bouncing. With batches of 1,000 plain SGD is even ahead on the left: a memory
# of about ten steps takes a good part of thirty to fill, so momentum gets less than its effective rate. On the right the same slow start may help it, since its first steps are a tenth as long as those of plain SGD: part of its gain in so short a run may be a warm-up.
#
# The verdict: **momentum is worth having, nearly free, and smaller than its legend.** Use 0.9, and tune the rate anew when you change it: start by dividing $\eta$ by ten when you go from 0 to 0.9. Switch Nesterov on if you like, and tune with it: it costs next to nothing, and helps where steps are large and gradients clean.

# %% [markdown]
# ## Play with it
#
# The bowl stretched by 30, its floor along $x$. Find the $\mu$ that arrives soonest at rate 0.02; then raise $\mu$ to 0.99, and switch Nesterov on. Where is the border of stability? (Highest curvature 30: plain descent up to 2/30.)

# %%
from ipywidgets import Checkbox, FloatLogSlider, FloatSlider, interact


@interact(
    mu=FloatSlider(
        0.8, min=0, max=0.995, step=0.005, readout_format=".3f", continuous_update=False
    ),
    lr=FloatLogSlider(0.02, min=-3, max=-0.8, step=0.05, continuous_update=False),
    nesterov=Checkbox(False),
)
def explore(mu, lr, nesterov):
    path = walk(stretched, (10.0, 1.0), 100, lr=lr, momentum=mu, nesterov=nesterov and mu > 0)
    fig, (left, right) = lab.figure(1, 2, height=3)
    lab.contours(left, stretched, (-11, 11), (-2.5, 2.5), levels=14)
    left.plot(*path.T, marker="o", markersize=3, linewidth=1)
    right.semilogy(path.norm(dim=1).clamp(1e-16, 1e16), linestyle="-")
    left.set(xlabel="x", ylabel="y", title="100 steps")
    right.set(xlabel="step", ylabel="distance", title=f"η = {lr:.3g}, μ = {mu:.3f}")
    end = path[-1].norm().item()
    lab.show(
        fig,
        alt=f"Path in the bowl with rate {lr:.3g}, momentum {mu:.3f}, Nesterov {nesterov}: after 100 "
        f"steps {end:.2g} from the minimum.",
    )


# %% [markdown] role="question" exercise="too_much_momentum" minutes=10
# ### Too much momentum
#
# In your own words, at most ten sentences: (a) A colleague sets `momentum=0.99999` "because more memory is better", and leaves $\eta$ as it was with 0.9. What happens at the start of training, what in the neighbourhood of a minimum, and why? Give numbers. (b) A second colleague reports: "With momentum 0.9 my network needs nine times fewer epochs,
# at the same learning rate." Which control run do you ask for? (c) A training run is ported from a library with the classic form to PyTorch. Its schedule divides $\eta$ by ten at epoch 30. What differs around epoch 30, for how long, and what could be done if it mattered?

# %% [markdown] role="answer" exercise="too_much_momentum" points=3
# (a) The terminal speed is $\eta g/(1-\mu)$, a hundred thousand times $\eta g$ where it was ten times, so the effective rate has grown by a factor of $10^4$. It takes about $1/(1-\mu) = 10^5$ steps to get there, so at first nothing seems wrong: the speed simply grows with every step in which the gradients agree. Near a minimum the ball arrives with that speed, and friction takes only $10^{-5}$ of it per step: it overshoots, comes back, and
# overshoots again, its swings shrinking like $\sqrt\mu^{\,t}$, a factor of 0.995 in a thousand steps; it may also fly out of the basin altogether. Noise in the gradients is summed over $10^5$ steps, too. (b) Plain SGD at ten times the rate, since $\eta/(1-\mu) = 10\,\eta$; better, both rules over a range of rates, each judged at its own best, with several seeds. On two moons the first control removes the whole gain, and the second leaves a factor of about one and a half.
# (c) In the classic form $m$ holds steps taken at the old rate, which fade over some $1/(1-\beta)$ steps; in PyTorch's form the new rate multiplies the whole memory, so the speed drops to a tenth at once. After a few tens of steps the forms agree again (on the rule, though not on where they are). To have the old behaviour, multiply the momentum buffers by $\eta_\text{old}/\eta_\text{new}$ at the drop, or let the rate fall gradually.

# %% [markdown]
# ## What we measured

# %%
row = overshoot.set_index(["lr", "μ"])
moon_means = moon_results.groupby("rule").epochs.mean()
at = same_lr.groupby(["rule", "effective"]).epochs.mean()
small = moon_tuning[moon_tuning.effective == min(effective_rates)].groupby("rule").epochs.mean()
image_means = {size: f.groupby("rule").accuracy.mean() for size, f in image_results.items()}
image_lead = {size: m["momentum"] - m["plain SGD"] for size, m in image_means.items()}
image_look = {size: m["Nesterov"] - m["momentum"] for size, m in image_means.items()}
brake = {form: np.abs(np.diff(path[:, 0]))[4:6] for form, path in drops.items()}

with Claims(data) as claim:
    claim(
        "steps grow like κ for gradient descent (slope 0.97 to 1.03), like its root with momentum (0.45 to 0.6)",
        0.97 < slopes["gradient descent"] < 1.03 and 0.45 < slopes["momentum"] < 0.6,
    )
    claim(
        "κ = 1000: more than 20 times fewer steps with momentum",
        needed["gradient descent"].iloc[-1] > 20 * needed["momentum"].iloc[-1],
    )
    claim(
        "terminal speed: 1, 2, 10 and 100 times ηg, within 1 %",
        all(abs(s[-1] * (1 - mu) - 1) < 0.01 for mu, s in strides.items()),
    )
    claim(
        "the plain bowl: μ = 0.5 settles first, 0.9 later than 0; 0.99999 keeps 95 % of its swing for 1,000 steps",
        settled(swings[0.5])
        < settled(swings[0.0])
        < settled(swings[0.9])
        < settled(swings[0.99])
        and np.abs(swings[0.99999][900:1000]).max() > 0.95,
    )
    claim(
        "the plateau: 0 and 0.5 are stranded, 0.9 rests in the bowl, 0.99 has left",
        ends[0.0] < 1.5 and ends[0.5] < 1.5 and abs(ends[0.9] - 4) < 0.01 and ends[0.99] > 8,
    )
    claim(
        "the rate drops tenfold: PyTorch's step falls below a fifth, the classic one keeps 80 %",
        brake["PyTorch"][1] < 0.2 * brake["PyTorch"][0]
        and brake["classic"][1] > 0.8 * brake["classic"][0],
    )
    claim("Nesterov's two forms visit the same points", gap < 1e-9)
    claim(
        "Nesterov overshoots less in every row; sooner at rest: hardly at 0.01, four times at 0.3 (μ = 0.9), twice at 0.01 (μ = 0.99)",
        (overshoot["overshoot, Nesterov"] < overshoot["overshoot, momentum"]).all()
        and row.loc[(0.01, 0.9), "settled, Nesterov"]
        > 0.9 * row.loc[(0.01, 0.9), "settled, momentum"]
        and row.loc[(0.3, 0.9), "settled, Nesterov"]
        < row.loc[(0.3, 0.9), "settled, momentum"] / 4
        and 1.8
        < row.loc[(0.01, 0.99), "settled, momentum"]
        / row.loc[(0.01, 0.99), "settled, Nesterov"]
        < 2.2,
    )
    claim(
        "the valley: momentum and Nesterov end more than two powers of ten below plain SGD",
        max(guide["mean"]["momentum"], guide["mean"]["Nesterov"])
        < guide["mean"]["plain SGD"] - 2,
        weaker=max(guide["mean"]["momentum"], guide["mean"]["Nesterov"])
        < guide["mean"]["plain SGD"],
    )
    claim(
        "two moons at η = 0.01: momentum is more than five times faster than plain SGD",
        at["plain SGD", 0.01] > 5 * at["momentum", 0.1],
        weaker=at["plain SGD", 0.01] > 1.2 * at["momentum", 0.1],
    )
    claim(
        "at equal effective rate 0.1 they are within 15 % of each other",
        abs(at["momentum", 0.1] / at["plain SGD", 0.1] - 1) < 0.15,
    )
    claim(
        "at the smallest effective rate Nesterov is within 15 % of momentum",
        abs(small["Nesterov"] / small["momentum"] - 1) < 0.15,
        weaker=abs(small["Nesterov"] / small["momentum"] - 1) < 0.4,
    )
    claim(
        "at their own best rates momentum needs between 30 % and 85 % of plain SGD's epochs",
        0.3 < moon_means["momentum"] / moon_means["plain SGD"] < 0.85,
        weaker=moon_means["momentum"] < 1.1 * moon_means["plain SGD"],
    )
    claim(
        "images: plain SGD is behind momentum by half a point to 7 points, with both batch sizes",
        all(0.005 < lead < 0.07 for lead in image_lead.values()),
        weaker=all(lead > -0.2 for lead in image_lead.values()),
    )
    claim(
        "images: Nesterov gains more than a point over momentum with batches of 1,000",
        image_look[1000] > 0.01,
        weaker=image_look[1000] > -0.2,
    )
    claim(
        "images: with batches of 32 it is within a point and a half of momentum",
        abs(image_look[32]) < 0.015,
        weaker=abs(image_look[32]) < 0.2,
    )

# %% [markdown]
# ## In short
#
# | | rule | terminal speed | in PyTorch |
# |---|---|---|---|
# | momentum | $v \leftarrow \mu v + g,\ \theta \leftarrow \theta - \eta v$ | $\eta g/(1-\mu)$ | `torch.optim.SGD(params, lr, momentum=0.9)` |
# | Nesterov | the same $v$, $\theta \leftarrow \theta - \eta (g + \mu v)$ | $\eta g/(1-\mu)$ | `..., nesterov=True` |
# | classic form | $m \leftarrow \beta m - \eta g,\ \theta \leftarrow \theta + m$ | $\eta g/(1-\beta)$ | equal while $\eta$ is constant |
# | average | $m \leftarrow \beta m + (1-\beta) g,\ \theta \leftarrow \theta - \eta m$ | $\eta g$ | nearly `dampening=β`; inside Adam |
#
# - In a valley of condition $\kappa$, momentum needs some $\sqrt\kappa$ steps where descent needs $\kappa$: what goes to and fro cancels, what agrees adds up.
# - The effective rate is $\eta/(1-\mu)$. Compare at equal effective rate, or each rule at its best; never at equal $\eta$.
# - Flat ground is crossed by coasting, the last step times $\mu/(1-\mu)$. Too much momentum leaves the bowl, or swings in it for ages.
# - Nesterov brakes earlier: it adds $\eta$ times the curvature to the friction $1-\mu$. It is stable over a smaller range of rates.
#
# **Read on.** Polyak (1964), *Some methods of speeding up the convergence of iteration methods*. Nesterov (1983). Sutskever, Martens, Dahl and Hinton (2013), *On the importance of initialization and momentum in deep learning*. Goh (2017), *Why momentum really works*.
# Kidambi, Netrapalli, Jain and Kakade (2018), on when momentum does not help with noisy gradients. The next lesson gives each weight a rate of its own.

# %%
lab.show_progress("ch03")
