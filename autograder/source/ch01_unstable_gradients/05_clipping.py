# ---
# jupyter:
#   lesson:
#     title: Gradient clipping
#     minutes: 60
# ---

# %% [markdown]
# Training runs well for an hour. Then the loss jumps from 0.4 to 3,000, and everything the network had learnt is gone. One
# batch did it: its gradient was a thousand times longer than usual, and the optimiser took it at its word.
#
# Initialisation and normalisation keep the *typical* gradient healthy. Clipping is the guard for the untypical one. It is one
# line of code, nearly every large language model is trained with it, and it is easy to put in the wrong place. After this lesson you can
#
# - say where exploding gradients come from even in a well-initialised network,
# - clip by value and by norm, and say which of the two changes the direction,
# - put clipping where it belongs in a training step, and refuse a step that is beyond help,
# - choose the threshold from a measurement rather than by folklore.

# %% role="setup"
import copy
import math
from numbers import Number

import numpy as np
import torch
from matplotlib.patches import Circle, Rectangle
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
n_classes = len(data.classes)
data

# %% [markdown]
# ## One weight, fifty times
#
# A recurrent network reads a sequence step by step and uses **the same** weights at each step. Fifty steps make it a network of fifty
# layers with one weight matrix, so whatever that matrix does to a gradient, it does fifty times over.
#
# Take the smallest case: one number $w$ as the whole network, $h_t = w\,h_{t-1}$ with $h_0 = 1$, and a target of $\tfrac12$ after 50 steps.
#
# $$L(w) = \tfrac12\left(w^{50} - \tfrac12\right)^2, \qquad \frac{\mathrm dL}{\mathrm dw} = \left(w^{50} - \tfrac12\right) 50\,w^{49}$$
#
# For $w > 0$ the minimum lies at $w = 2^{-1/50} \approx 0.986$.
#
# **Predict, then run.** We start gradient descent at $w = 1.05$, a little to the right of the minimum, with a learning rate of 0.001. Where is $w$ after one
# step?


# %%
def wall(w):
    """The loss of fifty multiplications with w."""
    return (w**50 - 0.5) ** 2 / 2


def descend(w, lr, max_norm=math.inf, steps=100):
    """The path of gradient descent on `wall`, with the gradient clipped to `max_norm`."""
    path = [w]
    for _ in range(steps):
        gradient = (w**50 - 0.5) * 50 * w**49
        w -= lr * max(-max_norm, min(max_norm, gradient))
        path.append(w)
        if abs(w) > 1e5:  # w⁵⁰ no longer fits into a float
            break
    return path


free, clipped = descend(1.05, lr=1e-3), descend(1.05, lr=1e-3, max_norm=1)
timid = descend(0.8, lr=1e-3, max_norm=1)
for name, path in (
    ("from 1.05, free", free),
    ("from 1.05, clipped to 1", clipped),
    ("from 0.80, clipped to 1", timid),
):
    print(f"{name:24} w after 1 step {path[1]:9.4f}, after {len(path) - 1:3} {path[-1]:.4g}")


# %%
def plot_wall(path, title):
    fig, ax = lab.figure(height=3.2)
    w = np.linspace(0.75, 1.08, 400)
    ax.semilogy(w, wall(w), label="loss")
    path = np.array([w for w in path if 0.75 <= w <= 1.08])
    ax.plot(
        path, wall(path), "o", color=lab.line_style(1)["color"], markersize=4, label="steps"
    )
    ax.axvline(0.5 ** (1 / 50), color="grey", linestyle=":", label="minimum")
    ax.set(xlabel="w", ylabel="loss", ylim=(1e-4, 3e3), title=title)
    ax.legend(loc="upper left")
    return fig


lab.show(
    plot_wall(clipped, "Clipped to 1: even steps of 0.001 down the wall"),
    alt="The loss against w, logarithmic: almost flat at 0.125 up to 0.9, a narrow minimum at 0.986, "
    "then a wall that rises to 1000 at 1.08. The clipped path walks down the wall from 1.05 in "
    "even steps and ends in the minimum.",
)

# %% [markdown]
# The gradient at 1.05 is about 6,000. Times 0.001 that is a step of six, over the valley and out of the picture, to a place where $w^{50}$ has 35 digits. After the next step $w^{50}$ no longer fits into a float.
# A rate a thousand times smaller would survive the wall, and would need a thousand times as many steps everywhere else.
#
# **Clipping** keeps the direction and limits the length. The same rate now walks down the wall in even steps and settles in the minimum. (The orange dots; the free path is out of the picture at once.) From 0.80, on the
# plain, nothing has changed: the gradient there is below $10^{-3}$ and clipping only ever shortens. *It cures gradients that explode, never gradients that vanish.*

# %% [markdown]
# ## Two rules
#
# Write $g$ for the gradient of **all** parameters, laid end to end as one long vector.
#
# - **By value:** each entry on its own is limited to $[-c, c]$.
# - **By norm:** if $g$ is longer than $c$, scale all of it to length $c$:
#
# $$g \leftarrow g \cdot \min\left(1, \frac{c}{\lVert g\rVert}\right), \qquad \lVert g\rVert = \sqrt{\textstyle\sum_i g_i^2}$$
#
# **Predict, then run.** A gradient is $(0.9,\ 100)$, the threshold is 1. What does each rule make of it, and where does the result point?

# %%
gradient = torch.tensor([0.9, 100.0])
by_norm, by_value = nn.Parameter(torch.zeros(2)), nn.Parameter(torch.zeros(2))
by_norm.grad, by_value.grad = gradient.clone(), gradient.clone()
nn.utils.clip_grad_norm_([by_norm], max_norm=1.0)
nn.utils.clip_grad_value_([by_value], clip_value=1.0)


def angle(vector):
    """Direction of a vector in the plane, in degrees from the first axis."""
    return math.degrees(math.atan2(vector[1], vector[0]))


for name, vector in (
    ("as it was", gradient),
    ("by norm", by_norm.grad),
    ("by value", by_value.grad),
):
    first, second = vector.tolist()
    print(
        f"{name:10} ({first:.5g}, {second:.5g})  length {vector.norm():.4g}, {angle(vector):.1f}°"
    )


# %%
def plot_rules(vectors):
    fig, ax = lab.figure(height=3.4)
    for i, (name, vector) in enumerate(vectors.items()):
        style = lab.line_style(i) | {"linewidth": 2.2}
        del style["marker"]
        ax.annotate("", vector, (0, 0), arrowprops={"arrowstyle": "->", **style})
        ax.plot([], [], label=name, **style)
    ax.add_patch(Circle((0, 0), 1, fill=False, color="grey", linestyle="-."))
    ax.add_patch(Rectangle((-1, -1), 2, 2, fill=False, color="grey", linestyle=":"))
    ax.set(xlim=(-2.6, 4.2), ylim=(-0.15, 2.6), aspect="equal")
    ax.set(xlabel="first entry of the gradient", ylabel="second entry")
    ax.legend(loc="center right", handlelength=3)
    return fig


long = torch.tensor([0.9, 2.4])
lab.show(
    plot_rules(
        {
            "gradient (0.9, 2.4)": long,
            "by norm": long / long.norm(),
            "by value": torch.tensor([0.9, 1.0]),
        }
    ),
    alt="A gradient of (0.9, 2.4) as an arrow from the origin. Clipped by norm it is the same arrow, "
    "shortened to the grey unit circle. Clipped by value it ends at (0.9, 1), on the edge of the grey "
    "square, and points much further to the right.",
)

# %% [markdown]
# By norm, $(0.9, 100)$ becomes $(0.00899964,\ 0.9999595)$: as small as asked, and still pointing at 89.5°. By value it becomes $(0.9, 1)$, at 48°. The second
# weight, which the loss cares about a hundred times as much, now moves hardly further than the first. That is not always bad (Adam, too, evens out entries), but it is a different direction from the one that
# backpropagation found, and no longer the steepest way down. The figure shows a milder case, $(0.9,\ 2.4)$: the grey circle holds all gradients of norm up to 1, the grey square all whose entries lie in $[-1, 1]$.
#
# Clipping by norm is the usual choice, with $c = 1$ as the most common number. Mind that the norm is one number for the *whole* gradient. Clipping each tensor by its own norm would change the
# direction again.

# %% [markdown] role="card" exercise="clip_by_value_" level=1 minutes=6 topic="Clipping" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_value_.html"
# ### Clip by value
#
# After `loss.backward()` each parameter `p` carries its gradient in `p.grad`. Limit every entry of every gradient to $[-c, c]$, **in place**: the tensors in `.grad` stay the same
# objects in the same memory, with smaller numbers in it. A gradient may have any shape, that of a single number too, and may be a transposed view. A parameter that took no part in the loss has `grad = None`;
# leave it so. `parameters` is any iterable, a generator such as `model.parameters()` too. Nothing is returned.
#
# `nn.utils.clip_grad_value_` does it all. Write it yourself.


# %% role="stub" exercise="clip_by_value_"
def clip_by_value_(parameters, clip_value: float) -> None:
    """Limit each entry of each gradient to [-clip_value, clip_value], in place.

    Args:
        parameters: iterable of tensors of any shape, () too; their `.grad` has that shape, or is None.
        clip_value: the threshold, above 0.
    """
    ### BEGIN SOLUTION
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.grad.clamp_(-clip_value, clip_value)
    ### END SOLUTION


# %% role="check" exercise="clip_by_value_"
with Check("clip_by_value_") as check:
    weight, unused = nn.Parameter(torch.tensor([5.0, 5.0])), nn.Parameter(torch.ones(3))
    weight.grad = held = torch.tensor([0.9, 100.0])
    window = held.detach()  # the same memory
    returned = clip_by_value_([unused, weight], 1.0)
    check.that(
        torch.equal(weight.detach(), torch.tensor([5.0, 5.0])),
        "The weights themselves changed. It is their gradient, `.grad`, that is to be clipped.",
    )
    check.that(
        weight.grad is not None, "The gradient is gone: change its numbers, keep the tensor."
    )
    check.close(
        weight.grad,
        torch.tensor([0.9, 1.0]),
        "(0.9, 100) clipped to 1 by value should be (0.9, 1).",
        known=[
            (
                torch.tensor([0.9, 100.0]),
                "100 is still there: nothing was clipped, or only from below, or only up to a parameter "
                "without a gradient.",
            ),
            (
                torch.tensor([0.00899964, 0.9999595]),
                "That is clipping by norm, or scaling by the largest entry: one factor for all. "
                "Limit each entry on its own.",
            ),
            (torch.tensor([0.9, 0.0]), "What is too large is limited to 1, not removed."),
            (torch.tensor([1.0, 1.0]), "Only what is too large is limited; 0.9 stays 0.9."),
        ],
    )
    check.that(
        weight.grad is held,
        "There is a new tensor in `.grad`: change the numbers of the one that is there.",
    )
    check.that(
        torch.equal(window, held),
        "`.grad` was given new memory. Whoever shares the old one still sees the old numbers: write into it.",
    )
    check.that(
        unused.grad is None, "A parameter without a gradient should be left without one."
    )
    weight.grad = torch.tensor([-100.0, 0.2])
    clip_by_value_([weight], 0.5)
    check.close(
        weight.grad,
        torch.tensor([-0.5, 0.2]),
        "(−100, 0.2) clipped to 0.5 should be (−0.5, 0.2): large negative entries are limited too.",
        known=[(torch.tensor([0.5, 0.2]), "−100 became 0.5: it lost its sign.")],
    )
    check.that(returned is None, "Nothing should be returned.")


# %% [markdown] role="hints" exercise="clip_by_value_"
# <details><summary>Hint 1: what to walk through</summary>
#
# One loop over `parameters`; each has a `.grad`, which may be `None`.
#
# </details>
# <details><summary>Hint 2: limiting in place</summary>
#
# Look for a tensor method that limits values from below and above. Its name with a trailing underscore works in place.
#
# </details>

# %% role="test" exercise="clip_by_value_" points=1
# Graded with hidden tests: several parameters, a generator, other shapes, dtypes and thresholds.
### BEGIN HIDDEN TESTS
with HiddenTest("clip_by_value_") as test:
    for dtype, limit in ((torch.float32, 0.3), (torch.float64, 2.5), (torch.float32, 1e-4)):
        shapes = [(4, 7), (7,), (), (2, 3, 2, 2)]
        weights = [nn.Parameter(torch.randn(s, dtype=dtype)) for s in shapes]
        before = [w.detach().clone() for w in weights]
        gradients = [torch.randn(s, dtype=dtype) * 3 for s in shapes]
        expected = [g.clip(-limit, limit) for g in gradients]
        weights.insert(1, nn.Parameter(torch.zeros(3)))
        before.insert(1, torch.zeros(3))
        gradients.insert(1, None)
        expected.insert(1, None)
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        windows = [None if g is None else g.detach() for g in gradients]
        returned = clip_by_value_(iter(weights), clip_value=limit)
        test.that(
            all(torch.equal(w.detach(), b) for w, b in zip(weights, before, strict=True)),
            "The weights themselves changed; only their gradients should.",
        )
        for weight, gradient, window, want in zip(
            weights, gradients, windows, expected, strict=True
        ):
            if want is None:
                test.that(
                    weight.grad is None, "A parameter without a gradient should keep None."
                )
                continue
            test.that(weight.grad is not None, "A gradient is gone: change it in place.")
            test.close(
                weight.grad,
                want,
                "An entry is not limited to [−c, c]: every parameter, both signs, small entries kept?",
            )
            test.that(weight.grad.dtype == dtype, "The dtype of a gradient must not change.")
            test.that(
                weight.grad is gradient,
                "There is a new tensor in `.grad`: change the one that is there, in place.",
            )
            test.that(
                torch.equal(window, gradient),
                "`.grad` was given new memory; write the numbers into the old one.",
            )
        test.that(returned is None, "Nothing should be returned.")
    weight, gradient = nn.Parameter(torch.zeros(4, 7)), torch.randn(7, 4).t() * 3
    want = gradient.clip(-0.3, 0.3)
    weight.grad = gradient
    clip_by_value_([weight], 0.3)
    test.close(
        weight.grad,
        want,
        "A gradient that is a transposed view was not clipped: `flatten` and `reshape` make copies of such.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="clip_by_value_"
# In place, because others may hold the same tensor: an optimiser's flat view of all gradients, a logger, a second process that averages them. An assignment to `.grad` would leave them with the old numbers.
# Some libraries also keep all gradients in one block of memory, of which each `.grad` is a window.

# %% [markdown] role="card" exercise="clip_by_norm_" level=2 minutes=12 topic="Clipping" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.clip_grad_norm_.html"
# ### Clip by norm
#
# Scale all gradients by **one** factor, in place, so that the norm of the whole gradient (all entries of all parameters together) is at most `max_norm`. A gradient that is short enough
# stays as it is. Return the norm as it was **before** clipping, as a number or a tensor of no dimensions: it is worth plotting.
#
# As before, `.grad` may be `None`, and `parameters` may be a generator, which can be walked through only **once**. If no parameter has a gradient, the norm is 0. A gradient that is 0 everywhere stays 0.


# %% role="stub" exercise="clip_by_norm_"
def clip_by_norm_(parameters, max_norm: float) -> float:
    """Scale all gradients in place so that their common Euclidean norm is at most `max_norm`.

    Args:
        parameters: iterable of tensors of any shape, () too; their `.grad` has that shape, or is None.
        max_norm: the threshold, above 0.

    Returns:
        The norm of the whole gradient before clipping. (Pascanu, Mikolov and Bengio, 2013.)
    """
    ### BEGIN SOLUTION
    gradients = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.square().sum().item() for g in gradients))
    if norm > max_norm:
        for gradient in gradients:
            gradient.mul_(max_norm / norm)
    return norm
    ### END SOLUTION


# %% role="check" exercise="clip_by_norm_"
with Check("clip_by_norm_") as check:
    weight, unused = nn.Parameter(torch.tensor([5.0, 5.0])), nn.Parameter(torch.ones(3))
    weight.grad = held = torch.tensor([0.9, 100.0])
    window = held.detach()  # the same memory
    returned = clip_by_norm_(iter([unused, weight]), 1.0)
    check.is_a(returned, (Number, torch.Tensor))
    check.that(
        torch.equal(weight.detach(), torch.tensor([5.0, 5.0])),
        "The weights themselves changed. It is their gradient, `.grad`, that is to be clipped.",
    )
    check.that(
        weight.grad is not None, "The gradient is gone: change its numbers, keep the tensor."
    )
    check.close(
        weight.grad,
        torch.tensor([0.00899964, 0.9999595]),
        "(0.9, 100) clipped to norm 1 should be (0.00899964, 0.9999595).",
        known=[
            (
                torch.tensor([0.9, 100.0]),
                "The gradient is as long as before. Was the generator used up by a first loop, or a copy scaled?",
            ),
            (torch.tensor([0.9, 1.0]), "That is clipping by value."),
            (
                torch.tensor([0.9, 100.0]) / 10000.81,
                "You divide by the squared norm; its square root is missing.",
            ),
            (
                torch.tensor([0.9, 100.0]) / 100.9,
                "You divide by the sum of the absolute values. The norm is the root of the sum of squares.",
            ),
            (
                torch.tensor([0.9, 100.0]) / math.sqrt(50),
                "You divide by the norm of the weights. Take that of their gradients.",
            ),
        ],
    )
    check.that(
        weight.grad is held,
        "There is a new tensor in `.grad`: change the numbers of the one that is there.",
    )
    check.that(
        torch.equal(window, held),
        "`.grad` was given new memory. Whoever shares the old one still sees the old numbers: write into it.",
    )
    check.close(
        returned,
        100.00405,
        "The norm before clipping, about 100.004, should be returned.",
        known=[
            (1.0, "You return the norm after clipping. What it was before is worth knowing."),
            (10000.81, "You return the squared norm."),
        ],
    )
    first, second = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(2, 1))
    first.grad, second.grad = torch.tensor([-3.0]), torch.tensor([[4.0], [12.0]])
    norm = clip_by_norm_([first, second], 6.5)
    check.close(
        torch.cat([first.grad, second.grad.flatten()]),
        torch.tensor([-1.5, 2.0, 6.0]),
        "Two parameters with gradients (−3) and (4, 12) have one norm together, 13. To 6.5, all is halved.",
        known=[
            (
                torch.tensor([-3.0, 2.0554805, 6.1664415]),
                "Each parameter was clipped by its own norm. Use one norm for all of them.",
            ),
            (
                torch.tensor([-3.0, 4.0, 12.0]) * 6.5 / (3 + math.sqrt(160)),
                "You add up the norms of the parameters. Add their squares, then take the root.",
            ),
            (
                torch.tensor([-3.0, 4.0, 12.0]) * 6.5 / 12,
                "You divide by the largest entry. The norm is the root of the sum of squares.",
            ),
            (
                torch.tensor([-3.0, 2.0, 6.0]),
                "The first was left long: complete the norm before you scale any gradient.",
            ),
            (
                torch.tensor([-3.0, 4.0, 12.0]) / 13,
                "Everything was scaled to norm 1, not to max_norm.",
            ),
        ],
    )
    first.grad = torch.tensor([0.5])
    norm = clip_by_norm_([first], 6.5)
    check.close(
        first.grad,
        torch.tensor([0.5]),
        "A gradient of norm 0.5 should stay as it is under max_norm 6.5.",
        known=[
            (torch.tensor([6.5]), "A short gradient was made longer. Clipping only shortens.")
        ],
    )
    check.that(norm is not None, "Return the norm also where nothing had to be clipped.")
    first.grad = torch.zeros(1)
    with check.case("the gradient is 0 everywhere"):
        clip_by_norm_([first], 6.5)
    check.close(
        first.grad, torch.zeros(1), "A gradient of 0 should stay 0: do not divide by its norm."
    )
    with check.case("no parameter has a gradient"):
        norm = clip_by_norm_([unused], 1.0)
    check.that(norm is not None, "Without gradients the norm is 0: return that, not None.")
    check.close(norm, 0.0, "Without gradients the norm is 0.")


# %% [markdown] role="hints" exercise="clip_by_norm_"
# <details><summary>Hint 1: one norm from many tensors</summary>
#
# The square of the whole norm is the sum of the squares of all entries, whatever tensor they are in.
#
# </details>
# <details><summary>Hint 2: walking through a generator twice</summary>
#
# You need the gradients twice, for the norm and for the scaling. Put them into a list first, and leave out those that are `None` there.
#
# </details>
# <details><summary>Hint 3: when to scale</summary>
#
# Only if the norm is larger than `max_norm`; the factor is the ratio of the two, and it is the same for all. (So there is nothing to divide when the norm is 0.)
#
# </details>

# %% role="test" exercise="clip_by_norm_" points=2
# Graded with hidden tests: several parameters, a generator, both sides of the threshold, zero gradients, dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("clip_by_norm_") as test:
    for dtype, scale, limit in (
        (torch.float32, 3.0, 1.0),
        (torch.float64, 1e-3, 1e-4),
        (torch.float32, 1e-3, 1.0),
        (torch.float32, 1e6, 0.25),
        (torch.float32, 1.0, 5.0),
        (torch.float64, 0.0, 1.0),
    ):
        shapes = [(4, 7), (7,), (), (2, 3, 2, 2)]
        weights = [nn.Parameter(torch.randn(s, dtype=dtype)) for s in shapes]
        before = [w.detach().clone() for w in weights]
        gradients = [torch.randn(s, dtype=dtype) * scale for s in shapes]
        total = math.sqrt(sum(g.double().pow(2).sum().item() for g in gradients))
        factor = min(1.0, limit / total) if total else 1.0
        expected = [g.double() * factor for g in gradients]
        stretched = [g.double() * limit / (total or 1) for g in gradients]
        untouched = [g.double().clone() for g in gradients]
        windows = [g.detach() for g in gradients]
        for weight, gradient in zip(weights, gradients, strict=True):
            weight.grad = gradient
        bare = nn.Parameter(torch.zeros(3))
        returned = clip_by_norm_(iter([weights[0], bare, *weights[1:]]), max_norm=limit)
        test.is_a(returned, (Number, torch.Tensor))
        test.that(
            all(torch.equal(w.detach(), b) for w, b in zip(weights, before, strict=True)),
            "The weights themselves changed; only their gradients should.",
        )
        test.that(bare.grad is None, "A parameter without a gradient should keep None.")
        for weight, gradient, window, want, longer, old in zip(
            weights, gradients, windows, expected, stretched, untouched, strict=True
        ):
            test.that(weight.grad is not None, "A gradient is gone: change it in place.")
            test.that(
                bool(torch.isfinite(weight.grad).all()),
                "A gradient of zeros turned into nan: do not divide by a norm of 0.",
            )
            test.close(
                weight.grad / limit,
                want / limit,
                "All gradients should be scaled by one factor, min(1, c/norm) of the whole norm.",
                rtol=1e-3,  # PyTorch adds 1e-6 to the norm it divides by
                known=[
                    (
                        longer / limit,
                        "A gradient shorter than max_norm should be left alone, not stretched to it.",
                    ),
                    (
                        old / limit,
                        "A gradient longer than max_norm was left as it is: compare the norm of the whole.",
                    ),
                ],
            )
            test.that(weight.grad.dtype == dtype, "The dtype of a gradient must not change.")
            test.that(
                weight.grad is gradient,
                "There is a new tensor in `.grad`: change the one that is there, in place.",
            )
            test.that(
                torch.equal(window, gradient),
                "`.grad` was given new memory; write the numbers into the old one.",
            )
        test.close(
            returned / (total or 1),
            total / (total or 1),
            "What is returned should be the norm of the whole gradient before clipping.",
        )
    test.close(clip_by_norm_(iter([]), 1.0), 0.0, "Without parameters the norm is 0.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="clip_by_norm_"
# One factor for all keeps the direction: each entry keeps its share. PyTorch divides by $\lVert g\rVert + 10^{-6}$ and then limits the factor to 1, which spares it a branch and a synchronisation with the GPU; for a norm near 1 the difference is in the seventh digit. If
# a single entry is nan, so is the norm, and PyTorch's factor turns every gradient into nan. If one is infinite, the factor is 0: the finite entries become 0 and the infinite one nan ($\infty \cdot 0$). Clipping makes large gradients small. It cannot make broken ones whole, which is why the next
# exercise looks at the norm before it steps.

# %% [markdown]
# ## Where it goes
#
# A training step has four moves: zero the gradients, forward, backward, step. Clipping fits between exactly two of them: after `backward()`, which writes the gradients, and before `step()`, which reads them. Anywhere else it does nothing, without any error. That makes a misplaced
# line hard to find.
#
# Some steps should not be taken at all. Where the loss is nan or infinite, the gradient is as a rule broken too, and one update with it fills the weights with nan for good. Mixed-precision training meets such batches regularly and skips them; so shall we.

# %% [markdown] role="card" exercise="train_step" level=2 minutes=12 topic="Clipping" needs="clip_by_norm_" doc="https://docs.pytorch.org/docs/stable/optim.html#taking-an-optimization-step"
# ### A training step that guards itself
#
# Do one training step on the batch `(x, y)`: forget the old gradients, compute the loss and the new gradients, clip them to `max_norm`, update. **If the norm is nan or infinite, do not update**: parameters and the optimiser's memory stay as they are. Return
# the loss (of this batch, before the update) and the norm before clipping, both as Python floats, whether or not there was an update. The mode of the model is not your concern.
#
# Use your `clip_by_norm_`, or PyTorch's.


# %% role="stub" exercise="train_step"
def train_step(
    model: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    optimizer: torch.optim.Optimizer,
    loss_fn=F.cross_entropy,
    max_norm: float = 1.0,
) -> tuple[float, float]:
    """One step of training with the gradient clipped by its norm.

    Args:
        model: maps x to what loss_fn wants.
        x: batch of inputs, (B, ...).
        y: batch of targets, (B, ...).
        optimizer: built on the model's parameters.
        loss_fn: maps (outputs, y) to a scalar loss.
        max_norm: the threshold, above 0.

    Returns:
        (loss, norm): the batch's loss before the update, and the norm of the gradient before clipping.
    """
    ### BEGIN SOLUTION
    optimizer.zero_grad()
    loss = loss_fn(model(x), y)
    loss.backward()
    norm = float(clip_by_norm_(model.parameters(), max_norm))
    if math.isfinite(norm):
        optimizer.step()
    return loss.item(), norm
    ### END SOLUTION


# %% role="check" exercise="train_step"
with Check("train_step") as check:
    torch.manual_seed(0)
    model = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        model.weight.copy_(torch.tensor([[1.0, 1.0]]))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.25)
    x, y = torch.tensor([[3.0, 4.0]]), torch.tensor([[2.0]])  # error 5, gradient 10·(3, 4)
    model.weight.grad = torch.full((1, 2), 1000.0)  # left over from an earlier step
    result = train_step(model, x, y, optimizer, F.mse_loss, max_norm=2.0)
    check.that(
        isinstance(result, tuple) and len(result) == 2,
        "Return two things, the loss and the norm, separated by a comma and without brackets.",
    )
    loss, norm = result
    check.is_a(
        loss, float, "The loss should be a Python float: a tensor keeps the graph alive."
    )
    check.is_a(norm, float, "The norm should be a Python float.")
    check.close(
        loss,
        25.0,
        "The loss before the update should be (1·3 + 1·4 − 2)² = 25.",
        known=[
            (6.25, "That is the loss after the update. Compute it before."),
            (50.0, "That is the norm. Return the loss first, then the norm."),
            (0.0, "That is the cross-entropy. Use the `loss_fn` that is given."),
        ],
    )
    check.close(
        norm,
        50.0,
        "The gradient is 10·(3, 4), so its norm before clipping is 50.",
        known=[
            (2.0, "You return the norm after clipping."),
            (
                math.hypot(1030, 1040),
                "The gradient of an earlier step was still there: set it to zero first.",
            ),
            (
                1000 * math.sqrt(2),
                "You clipped before `backward()`, so what was clipped is the old gradient.",
            ),
            (0.0, "The norm was taken when there was no gradient: clip after `backward()`."),
        ],
    )
    check.close(
        model.weight.detach(),
        torch.tensor([[0.7, 0.6]]),
        "Clipped to 2, the gradient is (1.2, 1.6). With rate 0.25 the weights should become (0.7, 0.6).",
        known=[
            (
                torch.tensor([[1.0, 1.0]]),
                "The weights did not move: is `step()` called, and last?",
            ),
            (
                torch.tensor([[-6.5, -9.0]]),
                "The step was taken with the gradient unclipped: clip before `step()`.",
            ),
            (torch.tensor([[0.5, 0.5]]), "You clip by value. Clip by norm."),
            (torch.tensor([[0.85, 0.8]]), "You clip to 1 whatever `max_norm` says."),
        ],
    )
    broken = {
        "the inputs are infinite": (x * math.inf, F.mse_loss),
        "the loss is 0 and its gradient nan": (x, lambda out, y: (out * 0).sqrt().sum()),
    }
    for case, (inputs, loss_fn) in broken.items():
        with check.case(case):
            result = train_step(model, inputs, y, optimizer, loss_fn)
        check.that(
            bool(torch.isfinite(model.weight).all()),
            f"A broken batch turned the weights into nan ({case}): look at the norm, and where it is "
            "not finite, do not update.",
        )
        check.close(
            model.weight.detach(),
            torch.tensor([[0.7, 0.6]]),
            f"A batch whose gradient is not finite changed the weights ({case}): leave that step out.",
        )
        check.that(
            isinstance(result, tuple) and all(isinstance(number, float) for number in result),
            "Loss and norm are to be returned for a broken batch too.",
        )


# %% [markdown] role="hints" exercise="train_step"
# <details><summary>Hint 1: the norm comes for free</summary>
#
# `clip_by_norm_` returns it, so the clipping line is also the one that tells you whether to step.
#
# </details>
# <details><summary>Hint 2: the step that is not taken</summary>
#
# `math.isfinite` is false for nan and for both infinities, and `x == math.nan` is never true. A finite loss proves nothing: its gradient may still be broken.
#
# </details>
# <details><summary>Hint 3: floats</summary>
#
# `tensor.item()` turns a tensor with one number into a Python float and lets go of the graph behind it.
#
# </details>

# %% role="test" exercise="train_step" points=3
# Graded with hidden tests: several steps with momentum and with Adam, frozen layers, broken batches.
### BEGIN HIDDEN TESTS
with HiddenTest("train_step") as test:

    def reference(twin, x, y, optimizer, loss_fn, max_norm):
        for p in twin.parameters():
            p.grad = None
        loss = loss_fn(twin(x), y)
        if not torch.isfinite(loss):
            return loss.item(), math.nan
        loss.backward()
        norm = nn.utils.clip_grad_norm_(twin.parameters(), max_norm)
        optimizer.step()
        return loss.item(), norm.item()

    makers = {
        "SGD with momentum": lambda ps: torch.optim.SGD(ps, lr=0.2, momentum=0.9),
        "AdamW": lambda ps: torch.optim.AdamW(ps, lr=0.01),
    }
    for (name, make), frozen in zip(makers.items(), (False, True), strict=True):
        model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))
        model[0].weight.requires_grad_(not frozen)
        twin = copy.deepcopy(model)
        optimizer, other = (
            make([{"params": m[0].parameters()}, {"params": m[2].parameters()}])
            for m in (model, twin)
        )
        for p in model.parameters():  # left over from an earlier step
            p.grad = torch.ones_like(p) if p.requires_grad else None
        for step in range(8):
            x, y = torch.randn(16, 5) * (20 if step % 2 else 0.5), torch.randint(3, (16,))
            if step == 4:
                x[0, 0] = math.nan
            limit = (0.1, 1.0, 50.0)[step % 3]
            before = x.clone()
            loss, norm = reference(twin, x, y, other, F.cross_entropy, limit)
            result = train_step(model, x, y, optimizer, max_norm=limit)
            test.that(
                isinstance(result, tuple) and len(result) == 2,
                "Return two things, the loss and the norm, for a broken batch too.",
            )
            test.that(
                all(isinstance(number, float) for number in result),
                "Loss and norm should both be Python floats.",
            )
            test.that(
                torch.equal(x.nan_to_num(), before.nan_to_num()), "The batch was changed."
            )
            for own, right in zip(model.parameters(), twin.parameters(), strict=True):
                test.that(
                    bool(torch.isfinite(own).all()),
                    "A batch with a nan in it turned the weights into nan: skip such a step.",
                )
                test.close(
                    own.detach(),
                    right.detach(),
                    f"After step {step + 1} with {name} the weights are not those of a clipped step: zero, "
                    "forward, backward, clip, `optimizer.step()`, and no step (nor a decayed memory) for a broken batch.",
                    rtol=1e-3,
                    atol=1e-5,
                )
            if step == 4:
                test.that(
                    not math.isfinite(result[1]),
                    "For a broken batch the norm is nan: return that.",
                )
                test.that(
                    not math.isfinite(result[0]),
                    "The loss of a broken batch is nan: return that.",
                )
                continue
            test.close(
                result[0],
                loss,
                "The loss should be the batch's, before the update.",
                known=[(loss * len(x), "You multiply the loss by the size of the batch.")],
            )
            test.close(
                result[1],
                norm,
                "The norm should be that of the fresh gradient, before clipping.",
                rtol=1e-3,
            )
            test.that(
                model.training, "The model was left in evaluation mode; this is training."
            )

    class Root(nn.Module):
        """Its loss is finite; the gradient of `slope` is too, that of `root` is infinite or nan."""

        def __init__(self, factor):
            super().__init__()
            self.slope, self.root = nn.Parameter(torch.ones(3)), nn.Parameter(torch.zeros(3))
            self.factor = factor

        def forward(self, x):
            return x * self.slope + self.factor * self.root.sqrt()

    for factor in (1.0, 0.0):  # an infinite gradient, then nan
        model = Root(factor)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        x, y = torch.randn(6, 3), torch.randn(6, 3)
        loss = F.mse_loss(x, y).item()
        result = train_step(model, x, y, optimizer, F.mse_loss, max_norm=1.0)
        test.that(
            torch.equal(model.slope.detach(), torch.ones(3))
            and torch.equal(model.root.detach(), torch.zeros(3)),
            "The loss was finite, but an entry of the gradient was not, and the weights changed: it is the norm "
            "of the whole gradient that decides about the step.",
        )
        test.that(
            not math.isfinite(result[1]), "Where the gradient is not finite, nor is the norm."
        )
        test.close(result[0], loss, "The loss should be returned where no step is taken, too.")
    model = nn.Linear(4, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x, y = torch.randn(6, 4) * 1e6, torch.randn(6, 2)  # a huge gradient, but a finite one
    start = copy.deepcopy(model)
    want = F.l1_loss(start(x), y).item()
    loss, _ = train_step(model, x, y, optimizer, loss_fn=F.l1_loss, max_norm=1e-3)
    test.close(loss, want, "The loss should be that of the `loss_fn` that is given.")
    moved = torch.cat(
        [
            (a - b).detach().flatten()
            for a, b in zip(model.parameters(), start.parameters(), strict=True)
        ]
    )
    test.close(
        moved.norm().item(),
        1e-4,
        "With loss_fn and max_norm given, one step of SGD should be lr · max_norm long, however huge the gradient.",
        rtol=1e-2,
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="train_step"
# `step()` reads `.grad` and nothing else, so the last thing written there is what counts. Clipping before `backward()` trims the old gradient, or none; clipping after `step()` comes too late. With gradients accumulated over several small batches, clip once,
# after the last `backward()`. With mixed precision the gradients are scaled up by a known factor: `scaler.unscale_(optimizer)` first, or you compare the threshold with the wrong number.

# %% [markdown]
# ## A network that explodes
#
# Now a real one. We read an image of clothing row by row, 28 steps of 28 pixels, with a plain recurrent network: 64 units, ReLU, the recurrent matrix orthogonal, so that at the start
# the matrix itself changes no lengths, and only the ReLU and the new row do. What orthogonality gives at the start, training takes away: no rule holds the matrix there.


# %%
class RowReader(nn.Module):
    """Reads an image of `side` rows from top to bottom and classifies from the last state."""

    def __init__(self, side, width=64):
        super().__init__()
        self.side = side
        self.rnn = nn.RNN(side, width, nonlinearity="relu", batch_first=True)
        self.head = nn.Linear(width, n_classes)
        nn.init.xavier_uniform_(self.rnn.weight_ih_l0)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)
        nn.init.zeros_(self.rnn.bias_ih_l0)
        nn.init.zeros_(self.rnn.bias_hh_l0)

    def forward(self, x):
        states, _ = self.rnn(x.view(len(x), -1, self.side))
        return self.head(states[:, -1])


side = math.isqrt(data.train[:1][0].shape[1])
rows = data.take(train=budget(10_000, fast=1_200), valid=2_000)
GUARDS = {
    "none": {},
    "norm 1": {"norm": 1.0},
    "norm 0.2": {"norm": 0.2},
    "value 0.01": {"value": 0.01},
}


def train_reader(guard, lr, seed, split="valid", norms=None):
    """One epoch under a guard, by name or as a norm: the losses, and the accuracy at the end; norms go to `norms`."""
    torch.manual_seed(seed)
    model = RowReader(side).to(device)
    limits, losses = GUARDS.get(guard, {"norm": guard}), []
    if "value" in limits:
        for parameter in model.parameters():  # a hook runs as soon as a gradient is complete
            parameter.register_post_accumulate_grad_hook(
                lambda p: nn.utils.clip_grad_value_(p, limits["value"])
            )

    def note(_step, loss):
        losses.append(loss)
        if norms is not None:  # a limit of infinity measures and leaves all as it is
            norms.append(nn.utils.clip_grad_norm_(model.parameters(), math.inf).item())

    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    history = lab.fit(
        model,
        rows,
        optimizer,
        epochs=1,
        batch_size=64,
        max_norm=limits.get("norm"),
        seed=seed,
        bar=False,
        on_batch=note,
    )
    accuracy = lab.evaluate(model, getattr(rows, split))["accuracy"]
    return {
        "accuracy": accuracy,
        "lost": history.diverged or accuracy < 1.5 / n_classes,
        "losses": losses,
    }


# %% [markdown]
# **Predict, then run.** Ten networks, learning rate 0.1, each trained twice on the same batches: once without clipping, once clipped to norm 1. What will the curves look like, and how high will the highest loss be?

# %%
ten_seeds = budget(range(10), fast=range(2))
spikes = lab.sweep(
    lambda guard, seed: train_reader(guard, 0.1, seed), {"guard": ["none", "norm 1"]}, ten_seeds
)


# %%
def plot_spikes(frame):
    fig, axes = lab.figure(1, 2, height=3.4)
    for ax, (guard, part) in zip(axes, frame.groupby("guard", sort=False), strict=True):
        for i, losses in enumerate(part.losses):
            style = lab.line_style(i) | {"linewidth": 1, "marker": ""}
            ax.semilogy(np.clip(losses, 0.1, 1e6), **style)
            if part.lost.iloc[i] and len(losses) < max(map(len, frame.losses)):
                ax.plot(len(losses) - 1, min(losses[-1], 1e6), "kx", markersize=9)
        ax.axhline(math.log(n_classes), color="grey", linestyle=":", linewidth=1)
        ax.set(xlabel="step", title=f"clipping: {guard}", ylim=(0.3, 4e6))
    axes[0].set(ylabel="loss of the batch")
    return fig


lab.show(
    plot_spikes(spikes),
    alt="Loss of each batch for ten seeds at rate 0.1, logarithmic. Left, without clipping: the curves "
    "run along near 1.5, some with spikes to 10, then shoot up within a few steps, mostly to thousands "
    "and beyond, at different times, and break off (crosses). Right, clipped to norm 1: the same start, lower at "
    "the end, and no more than small spikes.",
)
spikes.groupby("guard", sort=False).agg(
    runs=("lost", "size"),
    lost=("lost", "sum"),
    accuracy=("accuracy", "mean"),
    highest_loss=("losses", lambda runs: f"{max(map(max, runs)):.3g}"),
).round(3)

# %% [markdown]
# (The text speaks of the full run on the real images; in fast mode, or on the built-in digits, nothing explodes. A cross ends a run whose loss was no longer finite, the dotted line is $\log 10$, the loss of guessing, and losses beyond a million are drawn at a million.) Until shortly before the crash the two look much alike. Then, mostly within two or three batches, all is lost: in most of the unclipped runs, and in none of the clipped ones. Nobody who watches the loss has time to react; the guard has to stand in the
# loop. (Why ten seeds? The crash comes early in some runs and late in others, and other sets of ten lose between six and all. With one seed you might have "shown" that clipping is not needed.)
#
# Your own guard stands the same test, and one that PyTorch's does not: in the middle of the epoch comes a batch with a nan in it.

# %%
with needs("train_step", "clip_by_norm_"):
    torch.manual_seed(0)
    guarded = RowReader(side).to(device)
    optimizer = torch.optim.SGD(guarded.parameters(), lr=0.1, momentum=0.9)
    steps = []
    for k, (x, y) in enumerate(lab.batches(rows.train, 64)):
        steps.append(train_step(guarded, x * math.nan if k == 10 else x, y, optimizer))
    own = lab.evaluate(guarded, rows.valid)["accuracy"]
    print(f"loss and norm of the broken batch: {steps[10]}; of the next: {steps[11]}")
    print(f"accuracy after the epoch {own:.2f}")

# %% [markdown]
# ## A fair comparison
#
# One rate for all proves little: 0.1 may simply suit clipped gradients better. So each guard gets its own best rate, chosen on validation images over four seeds, and the winners meet again on test images with ten fresh
# seeds. (In the figure, a run that diverged counts with the accuracy it ended at; the dotted line is guessing.)
#
# **Predict, then run.** How much does clipping gain once everybody has a rate of their own?

# %%
rates = budget([3e-3, 1e-2, 3e-2, 1e-1, 3e-1], fast=[1e-2, 1e-1])
tuning = lab.sweep(
    lambda guard, lr, seed: train_reader(guard, lr, seed),
    {"guard": list(GUARDS), "lr": rates},
    seeds=budget(range(100, 104), fast=[100]),
)
chosen = lab.best(tuning, by="guard", over="lr", value="accuracy").set_index("guard")
results = lab.sweep(
    lambda guard, seed: train_reader(guard, chosen.lr[guard], seed, split="test"),
    {"guard": list(GUARDS)},
    budget(range(20, 30), fast=range(20, 22)),
)
table = lab.summary(results, by="guard", value="accuracy")
table.join(chosen[["lr", "at_edge"]], on="guard").round(3)

# %%
ax = lab.band(tuning, "lr", "accuracy", by="guard", ylabel="validation accuracy")
ax.set(xscale="log", xlabel="learning rate", ylim=(0, 0.8))
ax.axhline(1 / n_classes, color="grey", linestyle=":", linewidth=1)
lab.show(
    ax.figure,
    alt="Validation accuracy against the learning rate for four guards, with 95 % bands. Without "
    "clipping it peaks a little below 0.6 at 0.01 to 0.03, is near guessing at 0.1 and at guessing at 0.3. Clipped "
    "to norm 1 or by value it peaks at 0.03, clipped to norm 0.2 only at 0.1, all at 0.6 to 0.65; norm 0.2 hardly "
    "falls at 0.3.",
)
lab.paired_difference(results, by="guard", value="accuracy", baseline="none").round(3)

# %% [markdown]
# Two findings, one loud and one quiet. Loud: **clipping widens the range of rates that train.** Without it, most or all runs are lost from rate 0.1 on; with norm 0.2 even 0.3 still learns. You no longer have to stay far below the cliff for fear of one bad
# batch. Quiet: once each guard has its own best rate, the gain is a few points. In the last table, `low` and `high` bound each guard's lead over no clipping, and where they enclose 0 the lead is not proven (`excludes_zero`). In the first table they bound the mean accuracy itself; `at_edge` would say that the best rate was the smallest or largest we tried.
#
# And clipping by value, for all its bent directions, does not end behind clipping by norm here. That the direction should be kept is an argument, not a law. Measure.

# %% [markdown]
# ## How bent is bent?
#
# How far does clipping by value turn a real gradient? We take one from a fresh network and 512 images, and clip it to three thresholds.

# %%
torch.manual_seed(0)
reader = RowReader(side).to(device)
x, y = rows.train[:512]
F.cross_entropy(reader(x), y).backward()
true = torch.cat([p.grad.flatten() for p in reader.parameters()])
angles = {}
for c in (0.01, 0.001, 1e-6):
    copies = [nn.Parameter(torch.zeros_like(true))]
    copies[0].grad = true.clone()
    nn.utils.clip_grad_value_(copies, c)
    bent = copies[0].grad
    angles[c] = math.degrees(
        math.acos(F.cosine_similarity(true, bent, dim=0).clamp(-1, 1).item())
    )
    print(
        f"by value {c:<6} {(bent != true).float().mean():7.1%} of the entries cut, turned by {angles[c]:4.1f}°"
    )

# %% [markdown]
# The tighter the threshold, the nearer the clipped gradient comes to keeping nothing but the *signs* of its entries. In the limit each weight moves by the same amount, which is a respectable optimiser in its own right (signSGD; Bernstein et al., 2018).
# Clipping by norm has a limit as well: if every step is clipped, only the direction is left of the gradient.
#
# **Predict, then run.** The same network, the same twenty batches: SGD at rate 0.1 with threshold 0.2, and at rate 1 with threshold 0.02. How far are the losses apart?


# %%
def first_losses(lr, max_norm, steps=20):
    torch.manual_seed(0)
    model, losses = RowReader(side).to(device), []
    lab.fit(
        model,
        rows.take(train=steps * 64),
        torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9),
        epochs=1,
        batch_size=64,
        max_norm=max_norm,
        bar=False,
        on_batch=lambda _step, loss: losses.append(loss),
    )
    return np.array(losses)


one, two = first_losses(lr=0.1, max_norm=0.2), first_losses(lr=1.0, max_norm=0.02)
apart = np.abs(one - two).max()
print(f"loss {one[0]:.3f} → {one[-1]:.3f}, and at most {apart:.1e} apart")

# %% [markdown]
# They are the same run, up to rounding: for SGD, with momentum or without, rate and threshold have become **one knob**. A threshold far below the usual norm still guards, since no step can be long, but it is also a second name for the learning rate. One that is a guard and nothing else cuts the rare long gradients and lets
# the common ones pass: train for a while without clipping, at a small and safe rate, look at the norms, and set the threshold at their upper end.

# %%
norms = []
for seed in ten_seeds[:5]:
    train_reader("none", 0.01, seed, norms=norms)
norms = np.array(norms)
quantiles = dict(
    zip((0.5, 0.9, 0.99, 1.0), np.quantile(norms, (0.5, 0.9, 0.99, 1.0)), strict=True)
)


def plot_norms(norms, quantiles):
    fig, ax = lab.figure(height=2.8)
    ax.hist(norms, bins=np.geomspace(norms.min(), norms.max(), 60), alpha=0.5)
    for (share, value), style in zip(quantiles.items(), ("-", "--", "-.", ":"), strict=True):
        ax.axvline(
            value, color="black", linestyle=style, label=f"{share:.0%} below {value:.1f}"
        )
    ax.set(xscale="log", xlabel="norm of the gradient", ylabel="number of steps")
    ax.legend(loc="upper left", handlelength=3)
    return fig


lab.show(
    plot_norms(norms, quantiles),
    alt="Histogram of the gradient's norm over all steps of the calm runs, logarithmic: most lie "
    "between 1 and 5, with a thin tail to the right. Lines mark the median, 90 %, 99 % and the "
    "largest.",
)

# %% [markdown]
# In these runs a threshold of 1 would have cut nearly all of the steps, and 0.2 every one: both act on the rate as much as they guard. The 99 % line touches one step in a hundred.
#
# **Predict, then run.** Is that enough? Back to rate 0.1, where the unguarded runs were lost, with the 99 % line as the threshold.

# %%
print(
    f"in the calm runs {(norms > 1).mean():.0%} of the steps have a norm above 1, {(norms > 0.2).mean():.0%} above 0.2"
)
measured = lab.sweep(
    lambda guard, seed: train_reader(guard, 0.1, seed), {"guard": [quantiles[0.99]]}, ten_seeds
)
print(
    f"rate 0.1, threshold {quantiles[0.99]:.1f}: {measured.lost.sum()} of {len(measured)} runs lost, "
    f"accuracy {measured.accuracy.mean():.3f}, highest loss {max(map(max, measured.losses)):.1f}"
)

# %% [markdown]
# Nearly. Without a guard most of these runs were lost; a threshold that hardly ever acts on a healthy step saves nearly all of them. It is no match for norm 1, which lost none at this rate and ended more accurate:
# that one also shortens the common steps, which are too long at 0.1. So begin at the 99 % line, and where losses still jump, tighten the threshold or lower the rate.

# %% [markdown]
# ## And with Adam?
#
# Adam divides each step by the recent size of the gradients, so it does not care whether they are all large. One *outlier* among small ones is another matter. It enters the average of squares with a weight
# of only $1 - \beta_2 = 0.001$, too little to tame the step, but enough to stay in the memory of that average for a long time.
#
# **Predict, then run.** One weight, Adam with rate 1, a gradient of 1 at every step except one gradient of 100 at step 1,000. How long is the step there, and how long is one a hundred steps later?


# %%
def adam_steps(max_norm, outlier=100.0, at=1_000, steps=1_500):
    """Length of each of Adam's steps; the gradient is 1, but once `outlier`."""
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer, path = torch.optim.Adam([weight], lr=1.0), [0.0]
    for t in range(steps):
        weight.grad = torch.full_like(weight, outlier if t == at else 1.0)
        nn.utils.clip_grad_norm_([weight], max_norm)
        optimizer.step()
        path.append(-weight.item())
    return np.diff(path)


adam = {"no clipping": adam_steps(math.inf), "clipped to norm 2": adam_steps(2.0)}


def plot_adam(adam):
    fig, ax = lab.figure(height=2.8)
    for (name, steps), style in zip(adam.items(), ("-", "--"), strict=True):
        ax.plot(np.arange(950, 1500), steps[950:], style, label=name)
    ax.set(xlabel="step", ylabel="length of Adam's step", ylim=(0, None))
    ax.legend()
    return fig


lab.show(
    plot_adam(adam),
    alt="Length of Adam's step around one gradient a hundred times too large. Without clipping it "
    "jumps to above 2, then drops to a quarter of the usual length and is still at a third 500 steps "
    "later. Clipped to norm 2 it stays near 1 throughout.",
)
print(
    f"highest step {adam['no clipping'].max():.1f}, a hundred steps later "
    f"{adam['no clipping'][1100]:.2f}, five hundred later {adam['no clipping'][-1]:.2f}"
)

# %% [markdown]
# One bad gradient makes Adam stumble twice: about ten steps that are too long, then hundreds that are too short, because the average of squares takes thousands of steps to forget. Clipping prevents both. That is one reason why the usual recipes for
# large transformers clip at norm 1 although they use Adam.
#
# ## Play with it
#
# Move the start up the wall. With `max_norm` at its right end nothing is clipped: find a rate that survives there, then see what that rate does on the plain at 0.8.

# %%
from ipywidgets import FloatLogSlider, FloatSlider, interact


@interact(
    start=FloatSlider(1.05, min=0.8, max=1.08, step=0.01, continuous_update=False),
    lr=FloatLogSlider(1e-3, min=-6, max=-1, step=0.25, continuous_update=False),
    max_norm=FloatLogSlider(1.0, min=-2, max=5, step=0.5, continuous_update=False),
)
def explore(start, lr, max_norm):
    path = descend(start, lr, max_norm, steps=300)
    end = f"after {len(path) - 1} steps w = {path[-1]:.4g}"
    lab.show(
        plot_wall(path, f"rate {lr:.2g}, clipped to {max_norm:.3g}: {end}"),
        alt=f"Path on the wall from {start:.2f}, rate {lr:.2g}, clipped to {max_norm:.3g}: {end}.",
    )


# %% [markdown] role="question" exercise="when_to_clip" minutes=10
# ### When to clip, and when not
#
# In your own words, at most ten sentences: (a) A colleague's deep network does not learn: the loss stays at $\log K$ ($K$ classes) and the first layers hardly change. They propose clipping. What do you say, and what would you measure? (b) A second colleague lowers the threshold from norm 1 to 0.01 and
# finds that the learning rate has to be about a hundred times larger than before. Why, and does their clipping still guard against anything? (c) Why should the threshold be compared with the norm of the whole gradient and not of each
# layer?

# %% [markdown] role="answer" exercise="when_to_clip" points=3
# (a) A loss at $\log K$ with first layers that do not move points to vanishing gradients; clipping only ever shortens, so it cannot help. I would plot the gradient's norm for each layer on one batch: if it falls towards the first
# layers, the remedies are initialisation, activation, normalisation or skip connections. (b) If the usual norm lies above 1, nearly every step was clipped before and still is. With plain SGD it has the length $\eta \cdot 0.01$ whatever the gradient: rate and threshold have become one knob, and
# a threshold a hundred times smaller needs a rate a hundred times larger. It still guards, since a rare huge gradient moves the weights no further than any other, but small gradients near the end of training no longer shrink the step on
# their own until they fall below the threshold, so the schedule of the rate has to do that. (c) Scaling the whole gradient by one factor keeps its direction, the one in which the loss falls fastest. A factor for each layer changes the direction: layers with large gradients
# lose their say, even when the whole step would have been harmless.

# %% [markdown]
# ## What we measured

# %%
best_rate = tuning.groupby(["guard", "lr"]).accuracy.mean().unstack("lr")
mean = results.groupby("guard").accuracy.mean()
lost = spikes.groupby("guard").lost.sum()
high, low = max(rates), 1 / n_classes

with Claims(data) as claim:
    claim(
        "one free step from 1.05 leaves the valley by more than 5; clipped, a hundred end in it",
        abs(free[1] - free[0]) > 5 and abs(clipped[-1] - 0.5 ** (1 / 50)) < 1e-3,
    )
    claim("clipping does not help on the plain", abs(timid[-1] - 0.8) < 1e-3)
    claim(
        "(0.9, 100) by norm is (0.00899964, 0.9999595), by value (0.9, 1)",
        torch.allclose(by_norm.grad, torch.tensor([0.00899964, 0.9999595]), rtol=1e-6)
        and torch.equal(by_value.grad, torch.tensor([0.9, 1.0])),
    )
    claim(
        "clipping by value turns the gradient, further the tighter it is",
        10 < angles[0.01] < angles[0.001] < 90,
    )
    claim("rate and threshold are one knob when every step is clipped", apart < 0.01)
    claim(
        "Adam: an outlier doubles a step, and from 100 to 500 steps later all are less than half",
        adam["no clipping"].max() > 2 and adam["no clipping"][1100:].max() < 0.5,
    )
    claim(
        "Adam: clipped to norm 2, no step is off by more than a quarter",
        np.abs(adam["clipped to norm 2"][1000:] - 1).max() < 0.25,
    )
    claim(
        "rate 0.1: without clipping at least three runs of ten are lost, clipped to norm 1 none",
        lost["none"] >= 3 and lost["norm 1"] == 0,
        weaker=lost["none"] >= lost["norm 1"],
    )
    claim(
        "rate 0.3: without clipping all is lost, with norm 0.2 at least 40 % are right",
        best_rate.loc["none", high] < 2.5 * low and best_rate.loc["norm 0.2", high] > 0.4,
        weaker=best_rate.loc["norm 0.2", high] > best_rate.loc["none", high] - 0.15,
    )
    claim(
        "at their own rates no guard is 5 points worse than none, and none gains 15",
        ((mean - mean["none"]).between(-0.05, 0.15)).all(),
        weaker=((mean - mean["none"]) > -0.3).all(),
    )
    claim(
        "clipping by value ends less than 3 points behind clipping to norm 1, if at all",
        mean["value 0.01"] > mean["norm 1"] - 0.03,
        weaker=mean["value 0.01"] > mean["norm 1"] - 0.3,
    )
    claim(
        "a threshold at the 99 % line: at rate 0.1 at most four runs of ten are lost, fewer than without",
        measured.lost.sum() <= 4 and measured.lost.sum() < lost["none"],
        weaker=measured.lost.sum() <= lost["none"] + 1,
    )
    claim(
        "in the calm runs at least 80 % of the steps have a norm above 1, 99 % above 0.2",
        (norms > 1).mean() > 0.8 and (norms > 0.2).mean() > 0.99,
        weaker=(norms > 0.2).mean() > 0.9,
    )
    claim(
        "one step in a hundred has a norm beyond twice the median",
        quantiles[0.99] > 2 * quantiles[0.5],
        weaker=quantiles[0.99] > quantiles[0.5],
    )

# %% [markdown]
# ## In short
#
# | | by norm | by value |
# |---|---|---|
# | rule | $g \cdot \min(1, c / \lVert g\rVert)$, one norm for all parameters | each entry limited to $[-c, c]$ |
# | direction | kept | changed, towards the signs |
# | in PyTorch | `nn.utils.clip_grad_norm_(model.parameters(), c)` | `nn.utils.clip_grad_value_(model.parameters(), c)` |
# | usual threshold | 1, or the 99 % line of the norms you see | no common one; measure |
#
# - Zero, forward, backward, **clip**, step. Anywhere else it does nothing, in silence.
# - It cures explosions only. Where gradients vanish, look at initialisation, activation and normalisation.
# - It widens the range of rates that train more than it raises the best result.
# - Log the norm that it returns: a climb of the norm is often an earlier sign of trouble than the loss.
#
# **Read on.** Pascanu, Mikolov and Bengio (2013), *On the difficulty of training recurrent neural networks*. Zhang, He, Sra and Jadbabaie (2020), *Why gradient clipping accelerates training*. Bernstein et al. (2018), *signSGD*. Le, Jaitly and Hinton (2015) on recurrent networks of ReLUs.

# %%
lab.show_progress("ch01")
