# ---
# jupyter:
#   lesson:
#     title: Smooth and gated activations
#     minutes: 95
# ---

# %% [markdown]
# Two networks, one data set, twelve activations. In the first network, six plain layers, SwiGLU, the
# activation inside most of today's large language models, does not learn at all: 10 %, pure guessing, at
# every learning rate we try. In the second network, with a normalisation and a shortcut round each block, it
# is in the upper half. SELU, which beats ReLU in the plain network, falls behind it there.
#
# So "which activation is best?" is half a question. This lesson builds the modern candidates from one idea
# and then asks the whole one. At the end of it you can
#
# - write GELU, Swish, Mish and ReLU² yourself, exact, and with gradients that survive huge inputs,
# - build SwiGLU, the feed-forward block of transformers, and give it a fair number of parameters,
# - say why squares and products are dangerous in a plain deep network and harmless behind a normalisation,
# - read a comparison of activations: quality and cost, with intervals.
#
# You need: the two lessons before this one, and the normal distribution.

# %% role="setup"
import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget

_ = torch.set_flush_denormal(True)  # numbers below 1e-38 count as 0, which is faster

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).take(train=10_000, valid=2_000, test=5_000).to(device)
n_inputs, n_classes = data.train[:1][0].shape[1], len(data.classes)
data

# %% [markdown]
# ## One idea: the input times a gate
#
# ReLU can be read as a product: $\operatorname{relu}(z) = z \cdot \mathbb 1[z > 0]$. The second factor is a
# **gate**, open or shut, and $z$ itself decides which. Nearly everything in this lesson keeps the product and
# changes the gate:
#
# | activation | the gate that $z$ is multiplied by |
# |---|---|
# | ReLU | a step: 0 below zero, 1 above |
# | GELU | $\Phi(z)$, the probability that a standard normal number is smaller than $z$ |
# | SiLU, also called Swish | $\sigma(z)$, the sigmoid |
# | Mish | $\tanh(\ln(1 + e^z))$ |
# | Hardswish | a straight ramp from 0 at $-3$ to 1 at $3$ |
# | ReLU² | $\operatorname{relu}(z)$: the gate keeps on opening |
# | GLU, SwiGLU | a gate computed from *other* weights than the value |
#
# **Predict, then run.** Below is the gallery of this chapter, each with its slope. Some of the twelve fall
# and rise again as $z$ grows: which? And whose slope exceeds 1 somewhere?


# %%
GALLERY = {
    "ReLU": F.relu,
    "leaky ReLU, 0.2": lambda z: F.leaky_relu(z, 0.2),
    "ELU": F.elu,
    "SELU": F.selu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "GELU": F.gelu,
    "SiLU (Swish)": F.silu,
    "Mish": F.mish,
    "ReLU6": F.relu6,
    "Hardsigmoid": F.hardsigmoid,
    "Hardswish": F.hardswish,
}


def slope_of(function, grid):
    """The slope of an elementwise function at each point of `grid`."""
    z = grid.clone().requires_grad_()
    return torch.autograd.grad(function(z).sum(), z)[0]


def plot_gallery(gallery):
    grid = torch.linspace(-4, 4, 401, dtype=torch.float64)
    fig, axes = lab.figure(3, 4, height=1.9)
    for ax, (name, function) in zip(axes.flat, gallery.items(), strict=True):
        ax.plot(grid, function(grid), "-", label="f")
        ax.plot(grid, slope_of(function, grid), "--", label="its slope f′")
        ax.axhline(0, color="grey", linewidth=0.8)
        ax.set(xlim=(-4, 4), ylim=(-1.9, 3.2), title=name)
    for ax in axes[-1]:
        ax.set_xlabel("z")
    handles, names = axes[0, 0].get_legend_handles_labels()
    fig.legend(handles, names, loc="outside lower center", ncols=2, frameon=False)
    return fig


lab.show(
    plot_gallery(GALLERY),
    alt="Twelve small panels with an activation and its slope over z from -4 to 4. GELU, SiLU, Mish and "
    "Hardswish dip below 0 for negative z and come back; their slopes fall below 0 on the left and exceed 1 on "
    "the right, Hardswish's along a straight line with a jump at either end. The slopes of ReLU, leaky ReLU, "
    "ReLU6 and SELU jump at 0.",
)


# %%
def minimum_of(function):
    """Where an activation is lowest, and how low: the pair (z, f(z))."""
    grid = torch.linspace(-6, 6, 120_001, dtype=torch.float64)
    values = function(grid)
    return grid[values.argmin()].item(), values.min().item()


minima = {
    name: minimum_of(GALLERY[name]) for name in ("GELU", "SiLU (Swish)", "Mish", "Hardswish")
}
steepest = {
    name: slope_of(GALLERY[name], torch.linspace(-6, 6, 12_001, dtype=torch.float64))
    .max()
    .item()
    for name in minima
}
pd.DataFrame(minima, index=["z of the minimum", "minimum"]).T.assign(
    steepest=pd.Series(steepest)
).round(3)

# %% [markdown]
# Four of them, if you count the cheap stand-in. GELU, SiLU, Mish and Hardswish are **not monotonic**: they
# dip below 0 and return. All four are steeper than 1 somewhere on the right; SELU is so on the whole
# right and just left of 0. (ReLU6
# differs from ReLU only beyond 6, outside the picture.)
#
# What is it good for? Two things can be said with confidence. A unit with a smooth gate is never quite dead:
# for a negative $z$ the slope is small, but it is exactly 0 at one point only, not on a half-line. And no
# kink means a loss surface without kinks, on which the curvature changes gradually. Whether that shows in the
# accuracy is a matter for the race at the end.

# %% [markdown]
# ## GELU: a gate that leaves it to chance
#
# Dropout multiplies an input by a random 0 or 1, without looking at it. ReLU multiplies it by 0 or 1 by
# looking at nothing else. Hendrycks and Gimpel (2016) put the two together: multiply $z$ by a random gate
# that is open **with probability** $\Phi(z)$, so that large inputs almost always pass and very negative ones
# almost never do. Then take the expectation, and the randomness is gone:
#
# $$\operatorname{gelu}(z) = z\,\Phi(z), \qquad \Phi(z) = \tfrac12\left(1 + \operatorname{erf}\frac{z}{\sqrt2}\right)$$
#
# $\Phi$ is the distribution function of $\mathcal N(0, 1)$, which is roughly how a unit's $z$ is distributed
# in a well initialised network. The minimum is about $-0.17$, near $z = -0.75$.

# %% [markdown] role="card" exercise="gelu" level=1 minutes=8 topic="Smooth activations" doc="https://docs.pytorch.org/docs/stable/special.html#torch.special.erf"
# ### GELU, exact
#
# Return $z\,\Phi(z)$ for every entry of $z$, a tensor of any shape, float32 or float64, and keep shape, dtype
# and $z$ itself as they are.
#
# *Exact* means: to the accuracy of the dtype. The well-known approximations, with $\tanh$ or with the
# sigmoid, are not accepted; you will meet them below. Values and gradients must be finite (not nan) up to
# $|z| = 10^4$, and autograd must be able to follow.
#
# `F.gelu` would do it all: write it yourself.


# %% role="stub" exercise="gelu"
def gelu(z: torch.Tensor) -> torch.Tensor:
    """Hendrycks and Gimpel's (2016) Gaussian error linear unit, exact.

    Args:
        z: any shape, float32 or float64.

    Returns:
        z * Phi(z), Phi the distribution function of N(0, 1); the shape and dtype of `z`.
    """
    ### BEGIN SOLUTION
    return 0.5 * z * (1 + torch.erf(z / math.sqrt(2)))
    ### END SOLUTION


# %% role="check" exercise="gelu"
with Check("gelu") as check:
    z = torch.tensor([[-3.0, -0.75, -0.2], [0.4, 1.0, 2.5]], dtype=torch.float64)
    before, right = z.clone(), F.gelu(z)
    pdf = torch.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    got = gelu(z)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2, 3))
    check.that(got.dtype == torch.float64, "float64 goes in, so float64 should come out.")
    check.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
    check.close(
        got,
        right,
        "The values are not z·Φ(z).",
        known=[
            (2 * right, "Twice too large: Φ is ½(1 + erf(…)). Is the ½ missing?"),
            (right / z, "That is Φ(z), the gate alone. The activation is z times its gate."),
            (F.gelu(z * 2**0.5) / 2**0.5, "The √2 inside erf is missing: erf(z / √2)."),
            (F.gelu(2 * z) / 2, "You multiply by √2 inside erf. Divide: erf(z / √2)."),
            (2 * right - z, "That is z·erf(z / √2). Φ is ½(1 + erf(…)): 1 and ½ are missing."),
            (right - z / 2, "The 1 is missing: Φ is ½(1 + erf(…))."),
            (F.gelu(z / 2**0.5) * 2**0.5, "You divide by 2 inside erf. It is √2: erf(z / √2)."),
            (z - right, "That is z·Φ(−z): the gate shuts where it should open."),
            (z * pdf, "That is z times the normal density. Φ is its integral, from −∞ to z."),
            (F.gelu(z, approximate="tanh"), "That is the tanh approximation. Use erf."),
            (z * torch.sigmoid(1.702 * z), "That is the approximation with 1.702. Use erf."),
            (F.silu(z), "That is SiLU: its gate is the sigmoid. GELU's is Φ."),
            (F.relu(z), "That is ReLU: its gate is a step. GELU's is Φ."),
            (
                z / 2 + 2 * right / z - 1,
                "Mind the brackets: z and the ½ multiply the whole of 1 + erf.",
            ),
            (
                0.5 + right - z / 2,
                "Mind the brackets: z and the ½ multiply the whole of 1 + erf.",
            ),
        ],
        rtol=1e-6,
    )
    check.close(gelu(0 * z), 0 * z, "At z = 0 the result should be 0.")
    lowest = gelu(torch.linspace(-2, 0, 2001)).min().item()
    check.that(abs(lowest + 0.17) < 0.001, "In float32, the minimum should be about −0.17.")


# %% [markdown] role="hints" exercise="gelu"
# <details><summary>Hint 1: the gate first</summary>
#
# Compute $\Phi(z)$ alone and test it: $\Phi(0) = 0.5$, $\Phi(1.96) \approx 0.975$,
# $\Phi(-1.96) \approx 0.025$.
#
# </details>
# <details><summary>Hint 2: the error function</summary>
#
# `torch.erf` works entry by entry, at the precision of the dtype, and autograd knows its derivative.
#
# </details>
# <details><summary>Hint 3: nearly there</summary>
#
# With `u = torch.erf(z / 2**0.5)` the gate is `(1 + u) / 2`. One factor is missing.
#
# </details>

# %% role="test" exercise="gelu" points=1
# Graded with hidden tests: other shapes and dtypes, float64 accuracy, gradients, huge inputs.
### BEGIN HIDDEN TESTS
with HiddenTest("gelu") as test:
    wide = 3 * torch.randn(4, 50, dtype=torch.float64)
    cases = {
        "one number": torch.tensor(0.7, dtype=torch.float64),
        "a vector": torch.linspace(-9, 9, 301, dtype=torch.float64),
        "a matrix": wide,
        "a transposed tensor": (2 * torch.randn(3, 5, 7, dtype=torch.float64)).transpose(0, 2),
        "a batch of 1": torch.tensor([[-1.3]], dtype=torch.float64),
    }
    for name, z in cases.items():
        want, before = F.gelu(z), z.clone()
        approximations = [
            (F.gelu(z, approximate="tanh"), "That is the tanh approximation, not exact."),
            (z * torch.sigmoid(1.702 * z), "That is the approximation with 1.702, not exact."),
        ]
        for dtype, rtol, atol in (
            (torch.float64, 1e-9, 1e-12),
            (torch.float32, 1e-4, 1e-6),
        ):
            got = gelu(z.to(dtype))
            test.is_a(got, torch.Tensor)
            test.shape(got, tuple(z.shape), f"The shape of {name} must not change.")
            test.that(got.dtype == dtype, f"The dtype must not change: {dtype} went in.")
            test.close(
                got,
                want,
                f"For {name} in {dtype} the values are not z·Φ(z) to the accuracy of the dtype: "
                "is a constant rounded, or an approximation in it?",
                known=approximations,
                rtol=rtol,
                atol=atol,
            )
        gelu(z)
        test.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
        test.that(
            not z.requires_grad,
            "z itself was changed: it requires gradients now. Leave that switch to the caller.",
        )
        up = torch.randn(z.shape, dtype=torch.float64)
        x = z.clone().requires_grad_()
        (slope,) = torch.autograd.grad(F.gelu(x), x, up)
        y = gelu(x)
        test.that(y.requires_grad, "Autograd cannot follow: something cuts the graph.")
        (got,) = torch.autograd.grad(y, x, up, allow_unused=True)
        test.that(
            got is not None,
            "Autograd does not lead back to z: compute with z itself, not with a copy cut off from it.",
        )
        test.close(
            got,
            slope,
            f"The gradient for {name} is wrong: does part of the result not depend on z for autograd?",
            rtol=1e-8,
            atol=1e-10,
        )
    for dtype in (torch.float32, torch.float64):
        huge = torch.tensor([-1e4, -300.0, -40.0, 40.0, 300.0, 1e4], dtype=dtype)
        x = huge.clone().requires_grad_()
        y = gelu(x)
        test.close(y, huge.clamp(min=0), "For huge |z| the result should be 0 or z.", atol=1e-4)
        (slope,) = torch.autograd.grad(y.sum(), x)
        test.close(slope, (huge > 0).to(dtype), "For huge |z| the slope should be 0 or 1.")
        x = torch.tensor([-1e4, -1.0, 0.0, 2.0, 1e4], dtype=dtype, requires_grad=True)
        want, y = F.gelu(x), gelu(x)
        slope, got = (torch.autograd.grad(v.sum(), x)[0] for v in (want, y))
        mixed = (
            "In a tensor of huge and ordinary numbers {} is wrong: treat each entry by itself."
        )
        test.close(y, want, mixed.format("a value"), atol=1e-4)
        test.close(got[2], slope[2], "At z = 0 the slope should be ½.")
        test.close(got, slope, mixed.format("a slope"))
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="gelu"
# The gate is between 0 and 1, so $\operatorname{gelu}(z)$ lies between 0 and $z$. From
# $\Phi(z) + \Phi(-z) = 1$ follows $\operatorname{gelu}(z) - \operatorname{gelu}(-z) = z$, a good test for any
# gate with that symmetry (ReLU and SiLU pass it, Mish does not). The slope is $\Phi(z) + z\varphi(z)$,
# $\varphi$ being the density. Its largest value is $1.13$ at $z = \sqrt2$, its smallest $-0.13$ at $-\sqrt2$.
# `erf` saturates at ±1 without ever overflowing, which is why huge inputs need no special care here. They
# will with Mish.

# %% [markdown]
# ### Two approximations, and why you meet them
#
# `erf` used to be slow, so the original paper offers two substitutes:
#
# $$z\,\sigma(1.702\,z) \qquad\text{and}\qquad \tfrac z2\left(1 + \tanh\!\Big(\sqrt{\tfrac{2}{\pi}}\,\big(z + 0.044715\,z^3\big)\Big)\right)$$
#
# The second is `nn.GELU(approximate="tanh")`; GPT-2 was trained with it. If you load someone's weights, use
# the form they were trained with. How far off are they?

# %%
z = torch.linspace(-6, 6, 24_001, dtype=torch.float64)
APPROXIMATIONS = {
    "z σ(1.702 z)": z * torch.sigmoid(1.702 * z),
    "with tanh": F.gelu(z, approximate="tanh"),
}
worst_error = {name: (v - F.gelu(z)).abs().max().item() for name, v in APPROXIMATIONS.items()}
fig, axes = lab.figure(1, 2, height=2.5)
for ax, (name, value), style in zip(axes, APPROXIMATIONS.items(), ("-", "--"), strict=True):
    ax.plot(z, value - F.gelu(z), style)
    ax.set(xlabel="z", ylabel="error", title=f"{name}: off by at most {worst_error[name]:.1e}")
lab.show(
    fig,
    alt="Error of the two approximations of GELU over z. The one with 1.702 is off by at most 0.02, near "
    "±2.3, the one with tanh by at most 0.0005, near ±2.7.",
)

# %% [markdown]
# The sigmoid form is off by up to 0.02, the tanh form by less than a thousandth. So GELU *is* nearly a Swish,
# with $\beta = 1.702$. That is our next activation.

# %% [markdown]
# ## Swish: let the network choose the gate
#
# Put the sigmoid in the place of $\Phi$, with a factor $\beta$ that says how sharp the gate is:
#
# $$\operatorname{swish}_\beta(z) = z\,\sigma(\beta z)$$
#
# $\beta = 1$ is **SiLU**, the sigmoid linear unit (Elfwing, Uchibe and Doya, 2018; the GELU paper had named
# it in passing). Ramachandran, Zoph and Le (2017) found the family again by an automatic search over formulas
# and called it Swish. $\beta = 0$ leaves $z/2$, a linear layer; for $\beta \to \infty$ the gate is a step and
# we are back at ReLU. Since $\beta$ leads from linear to ReLU without a jump, it can be **learnt** like a
# weight, one number a layer.
#
# (Conventions differ: "Swish" in papers often means $\beta = 1$, and PyTorch has only that one, as `nn.SiLU`
# and `F.silu`.)

# %% [markdown] role="card" exercise="Swish" level=2 minutes=12 topic="Smooth activations" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.parameter.Parameter.html"
# ### Swish with a learnt β
#
# Complete the module `Swish`: $z\,\sigma(\beta z)$, entry by entry, for a $z$ of any shape with at least one
# dimension.
#
# - $\beta$ is **one** trainable number, a parameter of the module with the name `beta` (shape `()` or
#   `(1,)`), which starts at the value given.
# - Each module has its own.
# - Gradients must reach both $z$ and $\beta$, and every value of $\beta$ is allowed: 0 too, negative ones, and
#   large ones such as 200, where neither values nor gradients may become nan.
# - A float32 $z$ gives a float32 result. After `module.double()` the module works in float64.


# %% role="stub" exercise="Swish"
class Swish(nn.Module):
    """Ramachandran, Zoph and Le's (2017) activation z * sigmoid(beta * z) with a learnt beta.

    Args:
        beta: starting value, a float; 1 is SiLU, 0 is z / 2.
    """

    def __init__(self, beta: float = 1.0):
        super().__init__()
        ### BEGIN SOLUTION
        self.beta = nn.Parameter(torch.tensor(beta))
        ### END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """Apply the activation to `z`, (any shape); the result has the same shape."""
        ### BEGIN SOLUTION
        return z * torch.sigmoid(self.beta * z)
        ### END SOLUTION


# %% role="check" exercise="Swish"
with Check("Swish") as check:
    z = torch.tensor([[-4.0, -1.2, -0.3], [0.5, 1.0, 3.0]])
    before, module = z.clone(), Swish(beta=2.0)
    check.is_a(module, nn.Module)
    got = module(z)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2, 3))
    check.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
    check.that(
        got.dtype == torch.float32,
        "A float32 z should give a float32 result: which dtype has β?",
    )
    for beta in (1.0, 2.0):
        right = F.silu(beta * z) / beta
        check.close(
            Swish(beta=beta)(z),
            right,
            f"With β = {beta:g} the values are not z·σ(βz).",
            known=[
                (F.silu(z), "β makes no difference in your answer."),
                (beta * right, "There is one β too many: it stands inside the sigmoid only."),
                (beta * F.silu(z), "β belongs inside the sigmoid: it makes the gate sharper."),
                (
                    right / z,
                    "That is the gate σ(βz) alone. The activation is z times its gate.",
                ),
                (z - right, "The gate shuts where it should open: mind the sign in σ(βz)."),
                (F.silu(z / beta) * beta, "You divide by β inside the sigmoid; multiply."),
            ],
        )
    names = [name for name, _ in module.named_parameters()]
    check.that(names, "The module has no parameter: β cannot be learnt. Look at nn.Parameter.")
    check.that(names == ["beta"], f"There should be one parameter, `beta`; there are {names}.")
    check.that(
        tuple(module.beta.shape) in ((), (1,)),
        "β should be one number for the whole module, of shape () or (1,).",
    )
    check.that(module.beta.requires_grad, "β should be trainable: its requires_grad is False.")
    check.close(
        Swish(beta=0.0)(z),
        z / 2,
        "With β = 0 the gate is ½ everywhere: the result is z/2.",
        known=[(F.silu(z), "With β = 0 you get β = 1: is 0 taken for a missing value?")],
    )
    out = module(z)
    check.that(
        out.requires_grad,
        "No gradient reaches β: use the parameter itself, no `.item()`, no `.data`.",
    )
    out.sum().backward()
    check.that(
        module.beta.grad is not None,
        "No gradient reaches β: use the parameter itself, no `.item()`, no `.data`.",
    )


# %% [markdown] role="hints" exercise="Swish"
# <details><summary>Hint 1: what makes a number trainable?</summary>
#
# A module's parameters are the attributes that are `nn.Parameter`s. A plain tensor or float is invisible to
# the optimiser.
#
# </details>
# <details><summary>Hint 2: where?</summary>
#
# Make it in `__init__`, after `super().__init__()`, so that every module gets its own: `nn.Parameter` takes a
# tensor of floats.
#
# </details>
# <details><summary>Hint 3: nearly there</summary>
#
# In `forward`, the gate is the sigmoid of `self.beta` times `z`. Avoid the short cut of dividing `F.silu` by
# β: it fails at β = 0.
#
# </details>

# %% role="test" exercise="Swish" points=2
# Graded with hidden tests: other β, shapes and dtypes, both gradients, saving and loading.
### BEGIN HIDDEN TESTS
with HiddenTest("Swish") as test:
    first, second = Swish(), Swish(beta=2.0)
    for module in (first, second):
        test.is_a(module, nn.Module)
        names = [name for name, _ in module.named_parameters()]
        test.that(
            names == ["beta"], "The module should have one parameter with the name `beta`."
        )
        test.that(
            tuple(module.beta.shape) in ((), (1,)),
            "β should be one number for the whole module, of shape () or (1,).",
        )
    test.close(float(first.beta), 1.0, "Without an argument β should be 1: each has its own.")
    test.close(float(second.beta), 2.0, "β should start at the value given: each has its own.")
    test.that(first.beta.requires_grad, "β should be trainable.")
    out = first(torch.ones(3))
    test.that(out.requires_grad, "No gradient reaches β: something cuts the graph.")
    out.sum().backward()
    test.that(second.beta.grad is None, "Two modules share their β; each should have its own.")
    for beta in (1.0, 1.75, 0.25, -0.75, 5.0):  # exact in float32 too
        for shape in ((1,), (17,), (6, 9), (2, 3, 4, 5)):
            z = 2 * torch.randn(shape, dtype=torch.float64)
            up = torch.randn(shape, dtype=torch.float64)
            x, b = z.clone().requires_grad_(), torch.tensor(beta).double().requires_grad_()
            want = F.silu(b * x) / b
            want_z, want_b = torch.autograd.grad(want, (x, b), up)
            module = Swish(beta).double()
            x = z.clone().requires_grad_()
            got = module(x)
            test.is_a(got, torch.Tensor)
            test.shape(got, shape, "The shape must not change.")
            test.that(got.dtype == torch.float64, "After .double() the result is float64.")
            test.close(
                got,
                want,
                "The values are not z·σ(βz).",
                known=[(F.silu(z), "β makes no difference.")],
                rtol=1e-8,
                atol=1e-9,
            )
            test.that(torch.equal(x, z), "z itself was changed: compute a new tensor.")
            test.that(got.requires_grad, "Autograd cannot follow: something cuts the graph.")
            got.backward(up)
            test.that(
                module.beta.grad is not None, "No gradient reaches β: something cuts the graph."
            )
            test.that(x.grad is not None, "No gradient reaches z: something cuts the graph.")
            test.close(x.grad, want_z, "The gradient of z is wrong.", rtol=1e-7, atol=1e-8)
            test.close(
                module.beta.grad.sum(),
                want_b,
                "The gradient of β is wrong.",
                rtol=1e-7,
                atol=1e-8,
            )
    z = torch.randn(5, 8)
    module = Swish(beta=0.0)
    out = module(z)
    test.close(
        out, z / 2, "With β = 0 the result is z/2: does your formula divide by β?", atol=1e-6
    )
    test.that(out.dtype == torch.float32, "A float32 z should give a float32 result.")
    test.that(out.requires_grad, "At β = 0 no gradient reaches β: is 0 a special case?")
    out.sum().backward()
    test.that(module.beta.grad is not None, "At β = 0 no gradient reaches β.")
    test.that(
        module.beta.grad.isfinite().all(),
        "At β = 0 the gradient of β is nan: something is still divided by β.",
    )
    test.close(
        module.beta.grad.sum(),
        z.square().sum() / 4,
        "At β = 0 the gradient of β should be the sum of z²/4.",
        rtol=1e-4,
    )
    module, x = Swish(beta=200.0), torch.tensor([-50.0, -3.0, 3.0, 50.0], requires_grad=True)
    steep = module(x)
    test.close(
        steep, torch.tensor([0.0, 0.0, 3.0, 50.0]), "For a huge β it should be ReLU, not nan."
    )
    steep.sum().backward()
    test.that(
        x.grad.isfinite().all() and module.beta.grad.isfinite().all(),
        "With β = 200 the values are right, but a gradient is nan: does e^(−βz) overflow?",
    )
    near = torch.tensor([-0.01, 0.004, 0.02])
    test.close(
        module(near),
        F.silu(200 * near) / 200,
        "With β = 200 the values near z = 0 are wrong: is β kept within bounds?",
    )
    first, second = Swish(), Swish(beta=2.0)
    first.load_state_dict(second.state_dict())
    test.close(
        first(z),
        second(z),
        "After loading the other's state_dict both should agree: is β in it?",
    )
    with torch.no_grad():
        first.beta.fill_(0.5)
    test.close(
        first(z),
        2 * F.silu(z / 2),
        "When β is changed later, as by an optimiser, forward should see it.",
    )
    test.close(
        second.eval()(z),
        F.silu(2 * z) / 2,
        "In evaluation mode it should be the same function.",
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="Swish"
# `nn.Parameter` does three things at once: it makes the tensor a leaf that requires gradients, registers it
# under the attribute's name (so the optimiser and `state_dict` find it), and lets `.to` and `.double` move
# it. The gradient of $\beta$ is the sum of $z^2\sigma'(\beta z)$ times the gradient that arrives from above,
# over *all* the entries that share it; it can therefore be large, and a learning rate that suits weights may
# move $\beta$ fast. Exclude it from weight
# decay, as you would the slope of a PReLU: decay pulls $\beta$ towards 0, and 0 is a linear network.

# %% [markdown]
# ### What does the network choose?
#
# Four hidden layers, each with a `Swish` of its own, start at $\beta = 1$ and train for three epochs. Before
# your code joins an experiment, `joins` compares its values and gradients with PyTorch's; if they differ, it
# prints a line and the experiment does without.
#
# **Predict, then run.** Where does $\beta$ go: towards ReLU (up), towards linear (down), or nowhere? Do early
# and late layers agree?


# %%
def joins(exercise, pairs):
    """Whether the learner's own code gives a reference's values and gradients; if not, say that it waits.

    `pairs()` gives pairs of functions of a tensor: the learner's and the reference.
    """
    probe = torch.linspace(-5, 5, 96, device=device).reshape(8, 12)
    try:
        for pair in pairs():
            found = []
            for function in pair:
                z = probe.clone().requires_grad_()
                value = function(z)
                found.append([value, *torch.autograd.grad(value.square().sum(), z)])
            torch.testing.assert_close(*found, rtol=1e-3, atol=1e-4)
    except Exception:  # unsolved, wrong, or in error: its check says which
        print(f"… Your {exercise} joins here once it passes its check.")
        return False
    return True


def swish_pairs():
    first, second = Swish(beta=1.0).to(device), Swish(beta=2.0).to(device)
    yield first, F.silu
    yield second, lambda z: F.silu(2 * z) / 2
    yield lambda z: first.double()(z.double()), lambda z: F.silu(z.double())
    # one number each, of its own, through which the gradient flows
    yield lambda z: z * second.beta.reshape(()) / first.beta.reshape(()), lambda z: 2 * z
    yield (
        lambda z: torch.func.functional_call(second, {"beta": z.max()}, (z,)),
        lambda z: F.silu(z * z.max()) / z.max(),
    )


def he_linear(fan_in, fan_out):
    layer = nn.Linear(fan_in, fan_out)
    nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    nn.init.zeros_(layer.bias)
    return layer


def watch_beta(seed, depth=4):
    """Train a network of Swish layers and note each β on its way."""
    torch.manual_seed(seed)
    layers = []
    for fan_in, fan_out in pairwise([n_inputs] + [100] * depth):
        layers += [he_linear(fan_in, fan_out), Swish()]
    model = nn.Sequential(*layers, he_linear(100, n_classes)).to(device)
    gates = [module for module in model if isinstance(module, Swish)]
    rows = []

    def note(step, _loss):
        if step % 10 == 0:
            rows.extend(
                {"step": step, "layer": str(k), "beta": gate.beta.item()}
                for k, gate in enumerate(gates, start=1)
            )

    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    lab.fit(
        model, data, optimizer, epochs=budget(3, fast=1), seed=seed, bar=False, on_batch=note
    )
    return rows


final_beta = None
if joins("Swish", swish_pairs):
    betas = lab.repeat(watch_beta, range(budget(5, fast=2)))
    fig, ax = lab.figure(height=3)
    lab.band(betas, "step", "beta", by="layer", ax=ax, ylabel="β")
    ax.axhline(1, color="grey", linewidth=0.8)
    ax.set(title="The learnt β of each layer, mean and 95 % band over the seeds")
    lab.show(
        fig,
        alt="The learnt β of four Swish layers over the training steps. All start at 1 and sink within the "
        "first epoch, the last layer's furthest.",
    )
    final_beta = betas[betas.step == betas.step.max()]
    display(lab.summary(final_beta, by="layer", value="beta").round(3))

# %% [markdown]
# In all four layers $\beta$ sinks below 1, in the full run on average furthest in the last: given the choice, the network
# takes gates *softer* than SiLU's, on the way from ReLU to linear. Two warnings before you read much into it.
# $\beta$ is still moving when training ends, and how far it gets depends on the learning rate. And a
# parameter that moves need not help: whether a learnt $\beta$ beats a fixed 1 is one of the questions of the
# race at the end.

# %% [markdown]
# ## Mish, and a gradient that is nan behind a perfect value
#
# Mish (Misra, 2019) takes for its gate the hyperbolic tangent of the **softplus**, $\ln(1 + e^z)$, which is
# itself a smooth ReLU:
#
# $$\operatorname{mish}(z) = z\,\tanh\big(\ln(1 + e^z)\big)$$
#
# Its curve lies close to SiLU's. What is worth learning from it is a numerical trap. In float32 $e^z$
# overflows to infinity from $z \approx 89$ on. Softplus, written as in the formula, is then infinite too; but
# $\tanh(\infty) = 1$, which is the right gate. All's well that ends well?

# %%
z = torch.tensor([1.0, 80.0, 100.0], requires_grad=True)
gate = torch.tanh(torch.log(1 + torch.exp(z)))
(naive_gradient,) = torch.autograd.grad(gate.sum(), z)
print("gate    ", gate.detach().tolist())
print("gradient", naive_gradient.tolist())

# %% [markdown]
# The value is perfect and the gradient is nan: backpropagation multiplies the slope of the logarithm,
# $1/\infty = 0$, by the slope of the exponential, $\infty$. One such entry in a batch, and this step turns
# the unit's weights and **every layer in front of it into nan**, while the loss you printed last looked fine. (`torch.where`
# does not help if the bad branch is still computed: its gradient is multiplied by 0, and $0 \cdot \infty$ is
# nan.) The remedy is a softplus that never forms $e^z$ for large $z$.

# %% [markdown] role="card" exercise="mish" level=1 minutes=8 topic="Smooth activations" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softplus.html"
# ### Mish, stable
#
# Return $z \tanh(\ln(1+e^z))$ for every entry of $z$, a tensor of any shape, float32 or float64, and keep
# shape, dtype and $z$ itself as they are. Values **and gradients** must be right up to $|z| = 10^4$ in both
# dtypes: the slope there is 1 on the right and 0 on the left.
#
# `F.mish` would do it all: write it yourself. Other functions of PyTorch are welcome.


# %% role="stub" exercise="mish"
def mish(z: torch.Tensor) -> torch.Tensor:
    """Misra's (2019) activation z * tanh(softplus(z)), without overflow.

    Args:
        z: any shape, float32 or float64.

    Returns:
        The activation, with the shape and dtype of `z`; finite gradients for |z| up to 1e4.
    """
    ### BEGIN SOLUTION
    return z * torch.tanh(F.softplus(z))
    ### END SOLUTION


# %% role="check" exercise="mish"
with Check("mish") as check:
    z = torch.tensor([[-3.0, -1.2, -0.2], [0.4, 1.0, 2.5]], dtype=torch.float64)
    before, right, soft = z.clone(), F.mish(z), F.softplus(z)
    got = mish(z)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2, 3))
    check.that(got.dtype == torch.float64, "float64 goes in, so float64 should come out.")
    check.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
    check.close(
        got,
        right,
        "The values are not z·tanh(ln(1 + eᶻ)).",
        known=[
            (right / z, "That is the gate alone. The activation is z times its gate."),
            (z * soft, "The tanh is missing: the gate is tanh(softplus(z))."),
            (soft, "That is softplus, ln(1 + eᶻ). Its tanh is the gate."),
            (z * torch.tanh(z), "The softplus is missing: the gate is tanh(softplus(z))."),
            (z * torch.tanh(torch.exp(z)), "The logarithm is missing: softplus is ln(1 + eᶻ)."),
            (
                z * F.softplus(torch.tanh(z)),
                "The order is wrong: tanh outside, softplus inside.",
            ),
            (z * torch.sigmoid(soft), "That has a sigmoid in it; Mish has a tanh."),
            (
                z * torch.tanh(torch.log1p(1 + z.exp())),
                "There is one 1 too many: log1p adds its own.",
            ),
            (z * torch.tanh(soft / math.log(2)), "The logarithm is the natural one, not log2."),
            (
                z * torch.tanh(soft / math.log(10)),
                "The logarithm is the natural one, not log10.",
            ),
            (F.silu(z), "That is SiLU: its gate is the sigmoid."),
            (torch.tanh(z * soft), "Mind the brackets: z stands outside the tanh."),
            (F.gelu(z), "That is GELU: its gate is Φ."),
        ],
        rtol=1e-6,
    )
    far = torch.tensor([-1e4, -100.0, 100.0, 1e4], requires_grad=True)
    out = mish(far)
    check.close(
        out, torch.tensor([0.0, 0.0, 100.0, 1e4]), "For huge |z| it should be 0 or z, not nan."
    )
    check.that(out.requires_grad, "Autograd cannot follow: something cuts the graph.")
    out.sum().backward()
    check.that(
        far.grad is not None,
        "Autograd does not lead back to z: compute with z itself, not with a copy cut off from it.",
    )
    check.that(
        not far.grad.isnan().any(),
        "The value at z = 100 is right, but its gradient is nan: eᶻ overflows on the way.",
    )
    check.close(
        far.grad, torch.tensor([0.0, 0.0, 1.0, 1.0]), "For huge |z| the slope should be 0 or 1."
    )


# %% [markdown] role="hints" exercise="mish"
# <details><summary>Hint 1: who has solved this before?</summary>
#
# PyTorch has softplus as a function of its own, stable for large inputs.
#
# </details>
# <details><summary>Hint 2: by hand, if you like</summary>
#
# $\ln(1 + e^z)$ is `torch.logaddexp` of $z$ and a tensor of zeros, because $e^0 = 1$.
#
# </details>
# <details><summary>Hint 3: nearly there</summary>
#
# The gate is `torch.tanh` of what `F.softplus` gives. Multiply by `z`.
#
# </details>

# %% role="test" exercise="mish" points=1
# Graded with hidden tests: other shapes and dtypes, gradients, huge inputs in both directions.
### BEGIN HIDDEN TESTS
with HiddenTest("mish") as test:
    cases = {
        "one number": torch.tensor(-0.7, dtype=torch.float64),
        "a vector": torch.linspace(-30, 30, 301, dtype=torch.float64),
        "a matrix": 3 * torch.randn(4, 50, dtype=torch.float64),
        "a transposed tensor": (2 * torch.randn(3, 5, 7, dtype=torch.float64)).transpose(0, 2),
        "a batch of 1": torch.tensor([[-1.3]], dtype=torch.float64),
    }
    for name, z in cases.items():
        x, up = z.clone().requires_grad_(), torch.randn(z.shape, dtype=torch.float64)
        want = F.mish(x)
        (slope,) = torch.autograd.grad(want, x, up)
        before = z.clone()
        for dtype, rtol, atol in (
            (torch.float64, 1e-7, 1e-8),
            (torch.float32, 1e-4, 2e-6),
        ):
            got = mish(z.to(dtype))
            test.is_a(got, torch.Tensor)
            test.shape(got, tuple(z.shape), f"The shape of {name} must not change.")
            test.that(got.dtype == dtype, f"The dtype must not change: {dtype} went in.")
            test.close(
                got,
                want,
                f"For {name} in {dtype} the values are not z·tanh(softplus(z)).",
                rtol=rtol,
                atol=atol,
            )
        mish(z)
        test.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
        test.that(
            not z.requires_grad,
            "z itself was changed: it requires gradients now. Leave that switch to the caller.",
        )
        x = z.clone().requires_grad_()
        y = mish(x)
        test.that(y.requires_grad, "Autograd cannot follow: something cuts the graph.")
        (got,) = torch.autograd.grad(y, x, up, allow_unused=True)
        test.that(
            got is not None,
            "Autograd does not lead back to z: compute with z itself, not with a copy cut off from it.",
        )
        test.close(
            got,
            slope,
            f"The gradient for {name} is wrong.",
            rtol=1e-6,
            atol=1e-6,
        )
    for dtype in (torch.float32, torch.float64):
        huge = torch.tensor([-1e4, -800.0, -95.0, -50.0, 50.0, 95.0, 800.0, 1e4], dtype=dtype)
        x = huge.clone().requires_grad_()
        y = mish(x)
        test.close(y, huge.clamp(min=0), "For huge |z| the result should be 0 or z.", atol=1e-5)
        (slope,) = torch.autograd.grad(y.sum(), x)
        test.that(not slope.isnan().any(), f"A gradient is nan in {dtype}: eᶻ overflows.")
        test.close(
            slope, (huge > 0).to(dtype), "For huge |z| the slope should be 0 or 1.", atol=1e-5
        )
        x = torch.tensor([-1e4, -1.0, 0.0, 2.0, 1e4], dtype=dtype, requires_grad=True)
        want, y = F.mish(x), mish(x)
        slope, got = (torch.autograd.grad(v.sum(), x)[0] for v in (want, y))
        mixed = (
            "In a tensor of huge and ordinary numbers {} is wrong: treat each entry by itself."
        )
        test.close(y, want, mixed.format("a value"), atol=1e-5)
        test.close(got, slope, mixed.format("a slope"), atol=1e-5)
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="mish"
# `F.softplus` returns $z$ itself beyond a threshold (20, where $\ln(1+e^z) - z$ is below $10^{-8}$), so no
# exponential overflows, and its gradient is written down as a sigmoid instead of being left to the chain
# rule. The general lesson: **a stable forward pass says nothing about the backward pass**. Wherever a formula
# saturates *after* an overflow, look at the gradient of an extreme input. `torch.logaddexp`, `log1p`,
# `expm1`, `log_softmax` and the losses "with logits" exist for this reason.

# %% [markdown]
# ## ReLU²: the gate that keeps on opening
#
# $$\operatorname{relu}^2(z) = \max(0, z)^2$$
#
# An automatic search over transformers (So et al., 2021, "Primer") came back with this as the simpler of its
# two main finds: square the ReLU in the feed-forward block. It needs one multiplication more than ReLU, gives true zeros as
# ReLU does (**sparse** outputs, which hardware can skip), and at 0 it has no kink: its slope
# $2\operatorname{relu}(z)$ is continuous.

# %% [markdown] role="card" exercise="relu_squared" level=1 minutes=5 topic="Smooth activations" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.relu.html"
# ### ReLU squared
#
# Return $\max(0, z)^2$ for every entry of $z$, a tensor of any shape, float32 or float64, and keep shape,
# dtype and $z$ itself as they are, and compute to the accuracy of the dtype. The gradient must be
# $2\max(0, z)$: exactly 0 for $z \le 0$.


# %% role="stub" exercise="relu_squared"
def relu_squared(z: torch.Tensor) -> torch.Tensor:
    """The squared ReLU of So et al. (2021).

    Args:
        z: any shape, float32 or float64.

    Returns:
        max(0, z) ** 2, with the shape and dtype of `z`.
    """
    ### BEGIN SOLUTION
    return torch.relu(z).square()
    ### END SOLUTION


# %% role="check" exercise="relu_squared"
with Check("relu_squared") as check:
    z = torch.tensor([[-2.0, -0.5, 0.0], [0.5, 1.5, 3.0]], requires_grad=True)
    before = z.detach().clone()
    got = relu_squared(z)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2, 3))
    check.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
    check.close(
        got,
        torch.tensor([[0.0, 0.0, 0.0], [0.25, 2.25, 9.0]]),
        "The values are not max(0, z)².",
        known=[
            (
                torch.tensor([[4.0, 0.25, 0.0], [0.25, 2.25, 9.0]]),
                "Negative z came through: apply ReLU first, then square.",
            ),
            (
                torch.tensor([[-4.0, -0.25, 0.0], [0.25, 2.25, 9.0]]),
                "Negative z came through with its sign: below 0 the result is 0.",
            ),
            (torch.tensor([[0.0, 0.0, 0.0], [0.5, 1.5, 3.0]]), "That is ReLU; square it."),
            (torch.tensor([[0.0, 0.0, 0.0], [1.0, 3.0, 6.0]]), "Twice is not squared."),
            (
                torch.tensor([[0.0, 0.0, 0.0], [0.125, 1.125, 4.5]]),
                "There is a factor ½ too many: its slope would be relu(z), not twice that.",
            ),
            (
                torch.tensor([[0.0, 0.0, 0.0], [0.25, 1.0, 1.0]]),
                "The value is cut off at 1: only the lower end is cut off, at 0.",
            ),
        ],
    )
    check.that(got.requires_grad, "Autograd cannot follow: something cuts the graph.")
    (slope,) = torch.autograd.grad(got.sum(), z, allow_unused=True)
    check.that(
        slope is not None,
        "Autograd does not lead back to z: compute with z itself, not with a copy cut off from it.",
    )
    check.close(
        slope,
        torch.tensor([[0.0, 0.0, 0.0], [1.0, 3.0, 6.0]]),
        "The values are right, but the slope is not 2·max(0, z).",
        known=[
            (
                torch.tensor([[0.0, 0.0, 0.0], [0.5, 1.5, 3.0]]),
                "The slope is half of what it should be: one of the two factors is hidden from autograd.",
            )
        ],
    )


# %% [markdown] role="hints" exercise="relu_squared"
# <details><summary>Hint 1: which first?</summary>
#
# Squaring first would turn negative numbers into positive ones, and ReLU would find nothing left to cut.
#
# </details>
# <details><summary>Hint 2: a square</summary>
#
# Any of `x**2`, `x * x` and `Tensor.square` will do, on the result of the ReLU.
#
# </details>

# %% role="test" exercise="relu_squared" points=1
# Graded with hidden tests: other shapes and dtypes, gradients, large and tiny inputs.
### BEGIN HIDDEN TESTS
with HiddenTest("relu_squared") as test:
    for dtype, rtol in ((torch.float32, 1e-4), (torch.float64, 1e-9)):
        cases = {
            "one number": torch.tensor(-0.7, dtype=dtype),
            "a vector": torch.linspace(-9, 9, 301, dtype=dtype),
            "a matrix": 3 * torch.randn(4, 50, dtype=dtype),
            "a transposed tensor": torch.randn(3, 5, 7, dtype=dtype).transpose(0, 2),
            "a batch of 1": torch.tensor([[1.3]], dtype=dtype),
            "large numbers": torch.tensor([-1e4, 1e4, 300.0, -1e-9, 1e-9, 0.0], dtype=dtype),
        }
        for name, z in cases.items():
            positive = z > 0
            want = torch.where(positive, z * z, torch.zeros_like(z))
            slope = torch.where(positive, 2 * z, torch.zeros_like(z))
            before = z.clone()
            got = relu_squared(z)
            test.is_a(got, torch.Tensor)
            test.shape(got, tuple(z.shape), f"The shape of {name} must not change.")
            test.that(got.dtype == dtype, f"The dtype must not change: {dtype} went in.")
            test.close(
                got,
                want,
                f"For {name} the values are not max(0, z)² to the accuracy of the dtype.",
                known=[(before.square(), "Negative z came through: ReLU first, then square.")],
                rtol=rtol,
                atol=0,
            )
            test.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
            test.that(
                not z.requires_grad,
                "z itself was changed: it requires gradients now. Leave that switch to the caller.",
            )
            x = before.clone().requires_grad_()
            y = relu_squared(x)
            test.that(y.requires_grad, "Autograd cannot follow: something cuts the graph.")
            up = torch.randn(z.shape, dtype=dtype)
            (got,) = torch.autograd.grad(y, x, up, allow_unused=True)
            test.that(
                got is not None,
                "Autograd does not lead back to z: compute with z itself, not with a copy cut off from it.",
            )
            test.close(
                got,
                up * slope,
                f"For {name} the slope is not 2·max(0, z).",
                known=[
                    (up * slope / 2, "The slope is half of 2·max(0, z): is a factor detached?"),
                    (slope, "A backward of your own must multiply by the incoming gradient."),
                ],
                rtol=rtol,
                atol=0,
            )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="relu_squared"
# Read as a product, $z\cdot\operatorname{relu}(z)$, this is the family's pattern with a gate that is not
# bounded by 1. That is its strength (units can interact by multiplication, as in the gated layers below) and
# its weakness: **degree two**. Ten times the input is a hundred times the output, and the slope grows with
# the input as well. Behind a normalisation layer, which fixes the scale of $z$, that is harmless; in a plain
# stack it is not, as we are about to see.

# %% [markdown]
# ### What a square does to outliers, and to depth
#
# **Predict, then run.** A plain network of six layers gets an image that is 10 % too bright (its standardised
# values, for which noise stands in here, are multiplied by 1.1). With ReLU the last layer's activations are 10 % larger. And with ReLU²?
#
# Each network starts with the weights that keep a signal of unit mean square: $\sigma = g/\sqrt{f_\text{in}}$
# with $g^2 = 1/\mathbb E[f(z)^2]$ for $z \sim \mathcal N(0, 1)$. The function below *measures* that gain, as
# lesson 1 advised; for ReLU it finds He's $\sqrt 2$, for SELU it finds 1. (The first layer, whose inputs have
# not been through an activation, has $g = 1$.)


# %%
def unit_gain(function, inputs=1):
    """The gain 1/√E[f(z)²] for standard normal z; `inputs` says how many numbers f takes for one."""
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(400_000, inputs, generator=generator)
    return 1 / function(z).square().mean().sqrt().item()


def louder(function, gain, seed, depth=6, width=200, factor=1.1):
    """How many times larger each layer's rms becomes when the input is `factor` times larger."""
    generator = torch.Generator().manual_seed(seed)
    quiet = torch.randn(64, width, generator=generator, dtype=torch.float64)
    loud, rows, g = factor * quiet, [{"layer": 0, "growth": factor}], 1.0
    for layer in range(1, depth + 1):
        draw = torch.randn(width, width, generator=generator, dtype=torch.float64)
        weight = draw * g / math.sqrt(width)
        quiet, loud = function(quiet @ weight), function(loud @ weight)
        ratio = (loud.square().mean() / quiet.square().mean()).sqrt().item()
        rows.append({"layer": layer, "growth": ratio})
        g = gain
    return rows


def relu_squared_pairs():
    def reference(z):
        return z * (z + z.abs()) / 2

    yield relu_squared, reference
    yield lambda z: relu_squared(z.double()), lambda z: reference(z.double())
    yield lambda z: relu_squared(z.max()), lambda z: reference(z.max())


loudness = None
if joins("relu_squared", relu_squared_pairs):
    BOTH = {"ReLU": F.relu, "GELU": F.gelu, "ReLU²": relu_squared}
    gains = {name: unit_gain(function) for name, function in BOTH.items()}
    loudness = lab.sweep(
        lambda activation, seed: louder(BOTH[activation], gains[activation], seed),
        {"activation": list(BOTH)},
        seeds=range(5),
    )
    fig, ax = lab.figure(height=3)
    lab.band(loudness, "layer", "growth", by="activation", ax=ax, log=True)
    ax.set(ylabel="rms, loud ÷ quiet", title="An input 10 % louder, layer by layer")
    lab.show(
        fig,
        alt="Ratio of the root mean square of a network with an input 10 % louder to that with the original one, over six "
        "layers, logarithmic. ReLU stays at 1.1; GELU rises slightly; ReLU² bends upwards to several hundred.",
    )
    noise = torch.randn(1_000_000, generator=torch.Generator().manual_seed(0))
    top_share = {}
    for name in ("ReLU", "ReLU²"):
        energy = BOTH[name](noise).square().sort(descending=True).values
        top_share[name] = (energy[: len(noise) // 100].sum() / energy.sum()).item()
        zeros = (BOTH[name](noise) == 0).float().mean()
        ten = (BOTH[name](torch.tensor(10.0)) / BOTH[name](torch.tensor(1.0))).item()
        print(
            f"{name:6} zeros {zeros:.0%}, the largest 1 % of the outputs carry {top_share[name]:.0%} of the sum of "
            f"squares, ten times the input is {ten:.0f} times the output"
        )
    print(
        loudness[loudness.layer == 6].groupby("activation", sort=False).growth.mean().round(2)
    )

# %% [markdown]
# ReLU hands the 10 % on unchanged, however deep the network is:
# $\operatorname{relu}(cz) = c\operatorname{relu}(z)$ for $c > 0$. ReLU² squares it at every layer. Without
# biases that is exact: after $k$ layers a factor $c$ has become $c^{2^k}$, and $1.1^{64} \approx 446$. The
# *logarithm* of any error in the scale **doubles with every layer**. GELU's error grows too, but gently.
#
# No initialisation repairs this. A gain can make the average image fit; the image 10 % brighter than average
# still explodes, the darker one dies out. In the language of the lesson before: the fixed point of the length
# is unstable, with slope 2. The squares also concentrate a layer's energy in few entries, so single outliers
# weigh more.

# %% [markdown]
# ## GLU: a gate with weights of its own
#
# So far $z$ gates itself. Dauphin et al. (2017) gave the gate its own weights: two linear maps of the same
# $\mathbf x$, one for the value and one for the gate,
#
# $$\operatorname{GLU}(\mathbf x) = (\mathbf W_1\mathbf x + \mathbf b_1) \otimes \sigma(\mathbf W_2 \mathbf x + \mathbf b_2),$$
#
# where $\otimes$ multiplies entry by entry. One unit can now open another's gate: "pass this feature on *if*
# that one is present". And on the value's path there is no saturating function, so its gradient is only
# multiplied by the gate.
#
# In practice one linear layer computes both: it is made **twice as wide**, and its output is cut into two
# halves along the last dimension. Which half is the gate? Conventions differ: PyTorch's `F.glu` gates with
# the *second* half, many transformer codes with the *first*. Swapped halves raise no error, and a network
# trained from scratch does just as well with them; only with loaded weights do you get nonsense. In this course **the
# first half is the gate**.

# %% [markdown] role="card" exercise="gated" level=1 minutes=8 topic="Gated activations" doc="https://docs.pytorch.org/docs/stable/generated/torch.chunk.html"
# ### Two halves
#
# Cut $z$ of shape `(..., 2n)` along its **last** dimension into a first half $\mathbf z_1$ and a second half
# $\mathbf z_2$ and return $\operatorname{gate}(\mathbf z_1) \otimes \mathbf z_2$, shape `(..., n)`. There may
# be any number of dimensions in front, including none. `gate` is any function or module that maps a tensor to one
# of the same shape; call it on the whole first half.
#
# If the last dimension is odd, raise a `ValueError`. (Some ways of cutting give unequal parts instead of an
# error, and for width 3 the product of 2 and 1 columns is even computed, by broadcasting.)


# %% role="stub" exercise="gated"
def gated(
    z: torch.Tensor, gate: Callable[[torch.Tensor], torch.Tensor] = torch.sigmoid
) -> torch.Tensor:
    """Dauphin et al.'s (2017) gated linear unit, with any gate; the FIRST half is the gate.

    Args:
        z: shape (..., 2 n).
        gate: maps a tensor to a tensor of the same shape; the sigmoid makes it GLU.

    Returns:
        gate(first half) * second half, shape (..., n).

    Raises:
        ValueError: if the last dimension is odd.
    """
    ### BEGIN SOLUTION
    if z.shape[-1] % 2:
        raise ValueError(
            f"The last dimension must be even to be halved, but it is {z.shape[-1]}."
        )
    first, second = z.chunk(2, dim=-1)
    return gate(first) * second
    ### END SOLUTION


# %% role="check" exercise="gated"
with Check("gated") as check:
    z = torch.tensor([[0.5, -1.0, 2.0, 3.0], [1.5, 0.2, -0.4, -2.0]])
    before = z.clone()
    right = F.glu(z.roll(2, dims=-1), dim=-1)  # PyTorch's gate is the second half
    got = gated(z, torch.sigmoid)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2, 2), "Each half has 2 of the 4 columns.")
    check.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
    half, rest = (
        torch.tensor([[0.5, -1.0], [1.5, 0.2]]),
        torch.tensor([[2.0, 3.0], [-0.4, -2.0]]),
    )
    even, odd = z[:, ::2], z[:, 1::2]
    check.close(
        got,
        right,
        "The values are not gate(first half) times second half.",
        known=[
            (F.glu(z), "The halves are swapped: here the first one is the gate."),
            (torch.sigmoid(even) * odd, "You take every other column; cut into halves."),
            (torch.sigmoid(odd) * even, "You take every other column; cut into halves."),
            (
                F.silu(half),
                "That is the first half times its own gate; the second is the value.",
            ),
            (
                F.silu(rest),
                "That is the second half times its own gate; the first is the gate.",
            ),
            (right / rest, "That is the gate alone; multiply the second half by it."),
            (half * rest, "The gate function is not applied."),
            (
                right * torch.sigmoid(rest) / rest,
                "The gate function is for the first half only.",
            ),
            (half * right, "The first half is in it twice: it opens the gate, no more."),
            (right / rest + rest, "Multiply by the gate, do not add it."),
            (
                torch.sigmoid(half * rest),
                "Apply the gate to the first half before multiplying.",
            ),
        ],
    )
    check.close(
        gated(z, gate=torch.exp),
        torch.tensor([[3.297443, 1.103638], [-1.792676, -2.442806]]),
        "With another gate, the exponential, the values are off: is `gate` used?",
    )
    check.shape(gated(torch.ones(2, 6, 8)), (2, 6, 4), "Cut along the last dimension.")
    try:
        gated(torch.ones(2, 3))
        raised = None
    except Exception as error:
        raised = error
    check.that(
        isinstance(raised, ValueError),
        "A last dimension of 3 cannot be halved: raise a ValueError "
        f"(it raised {type(raised).__name__ if raised else 'nothing'}).",
    )


# %% [markdown] role="hints" exercise="gated"
# <details><summary>Hint 1: the last dimension</summary>
#
# `z.shape[-1]` is its size, `dim=-1` its number, `z[..., :n]` its first `n` entries, however many dimensions
# stand in front.
#
# </details>
# <details><summary>Hint 2: two at once</summary>
#
# `torch.chunk` cuts a tensor into a number of parts, and you can unpack them into two names.
#
# </details>
# <details><summary>Hint 3: the odd case</summary>
#
# Test `z.shape[-1] % 2` before anything else and `raise ValueError` with a sentence in it.
#
# </details>

# %% role="test" exercise="gated" points=1
# Graded with hidden tests: other shapes and gates, gradients, odd widths.
### BEGIN HIDDEN TESTS
with HiddenTest("gated") as test:
    gates = {
        "sigmoid": torch.sigmoid,
        "SiLU": F.silu,
        "GELU": nn.GELU(),
        "ReLU": torch.relu,
        "identity": lambda a: a,
        "running sum": lambda a: a.cumsum(dim=-1),
    }
    for shape in ((2,), (10,), (1, 2), (6, 4), (4, 4), (2, 6, 8), (2, 3, 4, 6)):
        z = torch.randn(shape, dtype=torch.float64)
        n, before = shape[-1] // 2, z.clone()
        for name, function in gates.items():
            x = z.clone().requires_grad_()
            first, second = x[..., :n], x[..., n:]
            want = function(first) * second
            up = torch.randn(want.shape, dtype=torch.float64)
            (slope,) = torch.autograd.grad(want, x, up)
            swapped = (function(second) * first).detach()
            got = gated(z, gate=function)
            test.is_a(got, torch.Tensor)
            test.shape(got, (*shape[:-1], n), "The last dimension is halved, no other.")
            test.that(got.dtype == torch.float64, "The dtype must not change.")
            test.close(
                got,
                want,
                f"With the gate {name} the values are not gate(first half) times second half.",
                known=[(swapped, "The halves are swapped: the first one is the gate.")],
                rtol=1e-9,
                atol=1e-12,
            )
            test.that(torch.equal(z, before), "z itself was changed: compute a new tensor.")
            test.that(
                not z.requires_grad,
                "z itself was changed: it requires gradients now. Leave that switch to the caller.",
            )
            x = z.clone().requires_grad_()
            y = gated(x, function)
            test.that(y.requires_grad, "Autograd cannot follow: something cuts the graph.")
            (got,) = torch.autograd.grad(y, x, up, allow_unused=True)
            test.that(
                got is not None,
                "Autograd does not lead back to z: compute with z itself, not with a copy cut off from it.",
            )
            test.close(
                got,
                slope,
                f"With the gate {name} the gradient is wrong: it flows through both halves.",
                rtol=1e-8,
                atol=1e-10,
            )
    bad = torch.randn(7, 5, 6).transpose(1, 2)[:, :, ::1]
    test.shape(gated(bad[:, :, :4]), (7, 6, 2), "A tensor that is not contiguous must do.")
    for front in ((), (4,), (2, 5)):
        seen = set()

        def noting(a, seen=seen):
            seen.add(tuple(a.shape))
            return torch.sigmoid(a)

        gated(torch.randn(*front, 6), gate=noting)
        test.that(
            seen == {(*front, 3)},
            "Call the gate on the first half alone, all of it at once and with all its dimensions: "
            f"of z with shape {(*front, 6)} it should get {(*front, 3)}, but it gets {sorted(seen)}.",
        )
    even = torch.randn(3, 8)
    test.close(
        gated(even),
        F.glu(even.roll(4, dims=-1), dim=-1),
        "Without an argument the gate should be the sigmoid.",
    )
    for shape in ((1,), (3,), (2, 5), (4, 2, 7)):
        try:
            gated(torch.ones(shape))
            raised = None
        except Exception as error:
            raised = error
        test.that(
            isinstance(raised, ValueError),
            f"A last dimension of {shape[-1]} should raise a ValueError; it raises "
            f"{type(raised).__name__ if raised else 'no error'}.",
        )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="gated"
# `dim=-1` instead of a number makes the function work for vectors, batches and sequences alike. The default
# gate gives GLU; `F.silu` gives SwiGLU's core, `F.gelu` GEGLU's, `torch.relu` ReGLU's, the identity a
# bilinear layer (Shazeer, 2020, tried them all). Compare `F.glu(z)`: it equals `gated` on swapped halves. A
# check on *shape* alone can never find that mistake, nor can a training run from scratch: the network just
# learns the mirror image.

# %% [markdown]
# ## SwiGLU: the feed-forward block of transformers
#
# A transformer's feed-forward block used to be Linear → ReLU → Linear. Shazeer (2020) put a gated layer with
# a Swish in the place of the first two:
#
# $$\mathbf z = \mathbf W_\text{in}\,\mathbf x, \qquad \mathbf z_1, \mathbf z_2 = \text{halves of } \mathbf z, \qquad \operatorname{SwiGLU}(\mathbf x) = \mathbf W_\text{out}\,\big(\operatorname{swish}_\beta(\mathbf z_1) \otimes \mathbf z_2\big)$$
#
# with $\operatorname{swish}_\beta(z) = z\,\sigma(\beta z)$, usually $\beta = 1$ and no biases. (Some texts
# write $\operatorname{silu}(\beta \mathbf z_1)$, which is $\beta$ times as much; the next matrix can absorb
# the factor.)
#
# **A fair width.** From $d$ inputs through $h$ hidden units to $d$ outputs, the plain block has $2dh$
# weights. The gated block has three matrices' worth, $3dh'$. For the same number of parameters it must be
# narrower:
#
# $$3 d h' = 2 d h \quad\Longrightarrow\quad h' = \tfrac23 h$$
#
# With the usual $h = 4d$ this is $h' = \tfrac83 d$, the odd number in so many model descriptions.

# %% [markdown] role="card" exercise="SwiGLU" level=2 minutes=12 topic="Gated activations" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Linear.html" needs="gated"
# ### The SwiGLU block
#
# Complete the module:
#
# - `inner`, **one** `nn.Linear` without bias from `n_inputs` to `2 * n_hidden`, and `outer`, one `nn.Linear`
#   without bias from `n_hidden` to `n_outputs`. These are its only parameters, and in its `state_dict` they
#   are called `inner.weight` and `outer.weight`.
# - `forward` takes `x` of shape `(..., n_inputs)`, with any number of dimensions in front, including none, and
#   returns `(..., n_outputs)`: outer$(\operatorname{swish}_\beta(\mathbf z_1) \otimes \mathbf z_2)$. The
#   **first** half $\mathbf z_1$ of inner's output is the gate.
# - `beta` is a fixed number here, not learnt, and may be any float, 0 too.
#
# Leave the layers as PyTorch initialises them. You may use your `gated`.


# %% role="stub" exercise="SwiGLU"
class SwiGLU(nn.Module):
    """Shazeer's (2020) gated feed-forward block.

    Args:
        n_inputs: size of the last dimension of the input.
        n_hidden: size of each half.
        n_outputs: size of the last dimension of the output.
        beta: sharpness of the gate z * sigmoid(beta * z), fixed.
    """

    def __init__(self, n_inputs: int, n_hidden: int, n_outputs: int, beta: float = 1.0):
        super().__init__()
        ### BEGIN SOLUTION
        self.inner = nn.Linear(n_inputs, 2 * n_hidden, bias=False)
        self.outer = nn.Linear(n_hidden, n_outputs, bias=False)
        self.beta = beta
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Map `x`, (..., n_inputs), to (..., n_outputs)."""
        ### BEGIN SOLUTION
        z1, z2 = self.inner(x).chunk(2, dim=-1)
        return self.outer(z1 * torch.sigmoid(self.beta * z1) * z2)
        ### END SOLUTION


# %% role="check" exercise="SwiGLU"
with Check("SwiGLU") as check:
    torch.manual_seed(0)
    block = SwiGLU(5, 4, 3, beta=2.0)
    check.is_a(block, nn.Module)
    found = {name: tuple(value.shape) for name, value in block.state_dict().items()}
    wanted = {"inner.weight": (8, 5), "outer.weight": (3, 4)}
    check.that(
        not any(name.endswith("bias") for name in found),
        "There is a bias: both layers are asked for without (`bias=False`).",
    )
    check.that(
        "beta" not in found,
        "β is in the state_dict: here it is a fixed number, no parameter.",
    )
    check.that(
        found.keys() == wanted.keys(),
        f"The state_dict should hold {sorted(wanted)}, but holds {sorted(found)}.",
    )
    check.that(
        found["inner.weight"] == (8, 5),
        f"inner should lead from 5 inputs to 2 · 4 units; its weight is {found['inner.weight']}.",
    )
    check.that(
        found["outer.weight"] == (3, 4),
        f"outer should lead from 4 units to 3 outputs; its weight is {found['outer.weight']}.",
    )
    x = torch.randn(2, 6, 5)
    w_in, w_out = (block.state_dict()[name].double() for name in wanted)
    z1, z2 = (x.double() @ w_in.T)[..., :4], (x.double() @ w_in.T)[..., 4:]
    got = block(x)
    check.is_a(got, torch.Tensor)
    check.shape(got, (2, 6, 3))
    swish1, swish2 = F.silu(2 * z1) / 2, F.silu(2 * z2) / 2
    check.close(
        got,
        (swish1 * z2) @ w_out.T,
        "The values are not outer(swish(z₁) ⊗ z₂).",
        known=[
            ((swish2 * z1) @ w_out.T, "The halves are swapped: the first one is the gate."),
            ((swish1 * swish2) @ w_out.T, "Only the first half goes through Swish."),
            ((2 * swish1 * z2) @ w_out.T, "β is too often in it: z·σ(βz), not silu(βz)."),
            ((F.silu(z1) * z2) @ w_out.T, "β makes no difference in your answer."),
            (
                (torch.sigmoid(2 * z1) * z2) @ w_out.T,
                "That is GLU, with a sigmoid gate. SwiGLU's gate is z₁·σ(βz₁).",
            ),
            (swish1 @ w_out.T, "The second half, the value, is missing."),
            ((z1 * z2) @ w_out.T, "The Swish is missing: the first half goes through it."),
            ((F.gelu(z1) * z2) @ w_out.T, "That is GEGLU. SwiGLU's gate is z₁·σ(βz₁)."),
        ],
        atol=1e-5,
    )


# %% [markdown] role="hints" exercise="SwiGLU"
# <details><summary>Hint 1: draw the shapes</summary>
#
# `(..., n_inputs)` → inner → `(..., 2 n_hidden)` → two halves `(..., n_hidden)` → product → outer →
# `(..., n_outputs)`.
#
# </details>
# <details><summary>Hint 2: what to keep in __init__</summary>
#
# Two `nn.Linear(..., bias=False)` under the names `inner` and `outer`, and β as a plain attribute: a float is
# no parameter.
#
# </details>
# <details><summary>Hint 3: the gate</summary>
#
# The gate is a function of the first half alone, which `gated` can take as its argument; mind that β stands
# only inside the sigmoid.
#
# </details>

# %% role="test" exercise="SwiGLU" points=2
# Graded with hidden tests: other sizes, β, shapes and dtypes, gradients, saving and loading.
### BEGIN HIDDEN TESTS
with HiddenTest("SwiGLU") as test:
    for n_inputs, n_hidden, n_outputs, beta in (
        (5, 4, 3, 1.0),
        (8, 8, 8, 1.75),  # exact in float32 too
        (3, 7, 1, 0.5),
        (1, 1, 6, -1.5),
        (6, 5, 2, 0.0),
    ):
        block = SwiGLU(n_inputs, n_hidden, n_outputs, beta=beta).double()
        test.is_a(block, nn.Module)
        found = {name: tuple(value.shape) for name, value in block.state_dict().items()}
        wanted = {
            "inner.weight": (2 * n_hidden, n_inputs),
            "outer.weight": (n_outputs, n_hidden),
        }
        test.that(
            found == wanted,
            "The state_dict should hold inner.weight, (2 n_hidden, n_inputs), and outer.weight, "
            "(n_outputs, n_hidden), and nothing else.",
        )
        test.that(
            sorted(name for name, _ in block.named_parameters()) == sorted(wanted),
            "The weights of inner and outer should be parameters, and the only ones.",
        )
        for front in ((), (1,), (9,), (2, 6), (2, 3, 4)):
            x = 2 * torch.randn(*front, n_inputs, dtype=torch.float64)
            w_in, w_out = (block.state_dict()[k].clone().requires_grad_() for k in wanted)
            leaf = x.clone().requires_grad_()
            z1, z2 = (leaf @ w_in.T)[..., :n_hidden], (leaf @ w_in.T)[..., n_hidden:]
            gate = F.silu(beta * z1) / beta if beta else z1 / 2
            want = (gate * z2) @ w_out.T
            up = torch.randn(want.shape, dtype=torch.float64)
            slopes = torch.autograd.grad(want, (leaf, w_in, w_out), up)
            swapped = ((F.silu(beta * z2) / beta if beta else z2 / 2) * z1) @ w_out.T
            mine = x.clone().requires_grad_()
            block.zero_grad()
            got = block(mine)
            test.is_a(got, torch.Tensor)
            test.shape(got, (*front, n_outputs), "Any number of dimensions may stand in front.")
            test.that(got.dtype == torch.float64, "After .double() the result is float64.")
            test.close(
                got,
                want,
                "The values are not outer(swish(z₁) ⊗ z₂).",
                known=[
                    (swapped, "The halves are swapped: the first one is the gate."),
                    (beta * want, "β is too often in it: z·σ(βz), not silu(βz)."),
                    (
                        (F.silu(z1) * z2) @ w_out.T,
                        "β makes no difference."
                        if beta
                        else "With β = 0 you get β = 1: is 0 taken for a missing value?",
                    ),
                ],
                rtol=1e-8,
                atol=1e-9,
            )
            test.that(torch.equal(mine, x), "x itself was changed: compute a new tensor.")
            test.that(got.requires_grad, "Autograd cannot follow: something cuts the graph.")
            got.backward(up)
            parts = {"x": mine} | {name: block.get_parameter(name) for name in wanted}
            for (name, part), slope in zip(parts.items(), slopes, strict=True):
                test.that(part.grad is not None, f"No gradient reaches {name}.")
                test.close(
                    part.grad, slope, f"The gradient of {name} is wrong.", rtol=1e-7, atol=1e-8
                )
    wide = SwiGLU(100, 150, 200)
    for name, weight in wide.state_dict().items():
        bound = weight.shape[1] ** -0.5  # nn.Linear draws from U(−bound, bound)
        size = weight.square().mean().item() / bound**2
        test.that(
            weight.abs().max() <= bound * 1.0001 and abs(size - 1 / 3) < 0.012,
            f"{name} is not as nn.Linear initialises it: leave the layers as they are.",
        )
    first, second = SwiGLU(4, 6, 2), SwiGLU(4, 6, 2)
    x = torch.randn(4, 5).T
    test.that(
        not torch.equal(first(x), second(x)),
        "Two blocks are equal: each draws its own weights.",
    )
    first.load_state_dict(second.state_dict())
    test.close(first(x), second(x), "After loading the other's state_dict both should agree.")
    test.close(first(x), first.eval()(x), "In evaluation mode it should be the same function.")
    third = SwiGLU(n_inputs=4, n_hidden=6, n_outputs=2, beta=1.0)
    third.load_state_dict(second.state_dict())
    test.close(third(x), second(x), "Without an argument β should be 1.")
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="SwiGLU"
# One wide `inner` does the work of two matrices in a single call, which is faster than two calls on the same
# input. The product makes the block, for large inputs, **quadratic** in $\mathbf x$: like ReLU² it doubles
# the logarithm of every error in the scale, and it is used only behind a normalisation. With $\beta = 0$ the
# gate is $z_1/2$ and the block a product of two linear maps, a bilinear layer; Shazeer found even that one to
# work. He offers no explanation and attributes the success, in the paper's last sentence, to divine
# benevolence.

# %% [markdown]
# Does the rule of two thirds give equal numbers? Your block against a plain one, with $d = 64$ and $h = 128$:


# %%
def swiglu_pairs():
    block = SwiGLU(12, 8, 5).to(device)
    w_in, w_out = (block.state_dict()[f"{name}.weight"].T for name in ("inner", "outer"))
    # F.glu gates with the second half: roll the halves into each other's place
    yield block, lambda z: ((z @ w_in)[..., :8] * F.glu((z @ w_in).roll(8, -1))) @ w_out
    yield lambda z: z * sum(p.numel() for p in block.parameters()), lambda z: z * 232


n_gated = None
if joins("SwiGLU", swiglu_pairs):
    plain_block = nn.Sequential(
        nn.Linear(64, 128, bias=False), nn.ReLU(), nn.Linear(128, 64, bias=False)
    )
    n_plain, n_gated, n_same_width = (
        sum(p.numel() for p in m.parameters())
        for m in (plain_block, SwiGLU(64, round(128 * 2 / 3), 64), SwiGLU(64, 128, 64))
    )
    print(f"plain: {n_plain:,}   SwiGLU, two thirds as wide: {n_gated:,}", end="   ")
    print(f"SwiGLU, equally wide: {n_same_width:,}")

# %% [markdown]
# ## Cheap stand-ins
#
# On a phone without a fast exponential one replaces smooth curves by straight pieces:
#
# $$\operatorname{relu6}(z) = \min(\max(0, z), 6),\qquad \operatorname{hardsigmoid}(z) = \frac{\operatorname{relu6}(z + 3)}{6},\qquad \operatorname{hardswish}(z) = z\cdot\operatorname{hardsigmoid}(z)$$
#
# ReLU6 is the odd one out: its cap is not there to imitate anything, but to keep activations in a fixed range
# for arithmetic with 8 bits. Hardtanh is $\min(\max(-1, z), 1)$. Hardswish made its name in MobileNetV3
# (Howard et al., 2019). How close are they?

# %%
z = torch.linspace(-8, 8, 16_001, dtype=torch.float64)
STAND_INS = {
    "Hardsigmoid": ("sigmoid", F.hardsigmoid, torch.sigmoid),
    "Hardtanh": ("tanh", F.hardtanh, torch.tanh),
    "Hardswish": ("SiLU", F.hardswish, F.silu),
}
gaps = {}
for name, (original, cheap, smooth) in STAND_INS.items():
    gap = (cheap(z) - smooth(z)).abs()
    gaps[name] = gap.max().item()
    print(
        f"{name:11} is off {original} by at most {gaps[name]:.3f}, at |z| = {z[gap.argmax()].abs():.2f}"
    )

# %% [markdown]
# Hardswish is off by 0.14 at its two corners, and it has true zeros: left of $-3$ it is dead as ReLU is. Use
# it when measurements on your device say that it pays, not on principle.

# %% [markdown]
# ## What does it cost?
#
# The time of an activation is measured, not looked up. **Predict, then run.** Nanoseconds per element,
# forward, and forward with backward, for a million numbers (a tenth of it in fast mode): is GELU twice as
# slow as ReLU on your device, ten times, or the same? And how much of a whole layer's time is that?
#
# Your own `Swish`, `relu_squared` and `gated` take part once their values and gradients are right.


# %%
class Elementwise(nn.Module):
    """A module around a function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, z):
        return self.function(z)


ENTRANTS = {
    "ReLU": nn.ReLU,
    "leaky 0.2": lambda: nn.LeakyReLU(0.2),
    "PReLU": nn.PReLU,
    "ELU": nn.ELU,
    "SELU": nn.SELU,
    "tanh": nn.Tanh,
    "GELU": nn.GELU,
    "SiLU": nn.SiLU,
    "Mish": nn.Mish,
}
if joins("Swish", swish_pairs):
    ENTRANTS["Swish, β learnt"] = Swish
if joins("relu_squared", relu_squared_pairs):
    ENTRANTS["ReLU²"] = lambda: Elementwise(relu_squared)
if joins(
    "gated",
    lambda: [(lambda z: gated(z, F.silu), lambda z: z[..., :6] * F.glu(z.roll(6, -1)))],
):
    ENTRANTS["SwiGLU"] = lambda: Elementwise(lambda z: gated(z, F.silu))


# %%
from torch.utils.benchmark import Timer


def time_per_element(module, width, rows):
    """Nanoseconds per output, forward and forward with backward: (forward, both)."""
    module = module.to(device)
    z = torch.randn(rows, width, device=device, requires_grad=True)
    up = torch.ones_like(module(z))
    names = {"module": module, "z": z, "up": up, "torch": torch}
    times = []
    for statement in (
        "with torch.no_grad(): module(z)",
        "torch.autograd.grad(module(z), z, up)",
    ):
        timer = Timer(statement, globals=names, num_threads=torch.get_num_threads())
        runs = [
            timer.blocked_autorange(min_run_time=budget(0.03, fast=0.001))
            for _ in range(budget(3, fast=1))
        ]
        times.append(min(run.median for run in runs) / up.numel() * 1e9)
    return times


CANDIDATES = {
    **ENTRANTS,
    "ReLU6": nn.ReLU6,
    "Hardswish": nn.Hardswish,
    "GELU, tanh form": lambda: nn.GELU(approximate="tanh"),
    "a linear layer, 1000 inputs": lambda: nn.Linear(1000, 1000),
}
rows = budget(1000, fast=100)
time_per_element(nn.ReLU(), 1000, rows)  # the first timing pays for what all share
cost = pd.DataFrame(
    {
        name: time_per_element(make(), 2000 if name == "SwiGLU" else 1000, rows)
        for name, make in CANDIDATES.items()
    },
    index=["forward, ns", "with backward, ns"],
).T
for column in list(cost):
    cost[column.replace("ns", "÷ ReLU")] = cost[column] / cost.loc["ReLU", column]
print(
    f"device: {device.type}, threads: {torch.get_num_threads()}, float32, {rows * 1000:,} elements"
)
cost.round(2)

# %% [markdown]
# Absolute times belong to your device; read the ratios. Things to look for:
#
# - Activations with a **fused** kernel of their own (one pass over memory) cost about as much as ReLU
#   wherever memory is the bottleneck. On a GPU that is nearly everywhere; on a CPU, ELU, SELU and above all
#   Mish often stand out, because of exponentials and logarithms.
# - A formula composed of several PyTorch calls, like your Swish and ReLU², pays for every intermediate
#   tensor, once forward and once more backward. Three cheap operations can cost more than a complicated one.
#   (`torch.compile` can fuse them.) PReLU and Swish also sum up the gradient of their parameter.
# - "Cheap" stand-ins save time only where the original is slow: compare Hardswish with SiLU, and the tanh
#   form of GELU with the exact one.
# - A linear layer with 1000 inputs costs many times what its activation does, per output. In wide layers the
#   choice hardly shows in the time of a step; in thin layers and on small devices it does.

# %% [markdown]
# ## Which one?
#
# Now the race, in two networks of about the same size. Every entrant starts with a signal of unit mean square
# (`unit_gain` from above), gets the same two passes over 8,000 images, the same batches, a rate that falls
# linearly to 0, and **its own** peak rate, chosen on validation images with other seeds. SwiGLU is two thirds
# as wide (which leaves it some 15 % more parameters in the plain network).
#
# - **plain**: six layers of Linear → activation, as in lesson 1.
# - **blocks**: three blocks $\mathbf x + \mathbf W_2 f(\mathbf W_1 \operatorname{norm}(\mathbf x))$. The
#   shortcut "$\mathbf x\, +$" and the layer normalisation, which gives each image's features mean 0 and
#   variance 1, are the subject of the next lesson; this is how a transformer uses its activation.
#
# **Predict, then run.** Order ReLU, ELU, SiLU, ReLU² and SwiGLU for each of the two networks.


# %%
def linear(fan_in, fan_out, gain, bias=True):
    """A linear layer with normal weights of standard deviation gain / √fan_in and zero biases."""
    layer = nn.Linear(fan_in, fan_out, bias=bias)
    nn.init.normal_(layer.weight, std=gain / math.sqrt(fan_in))
    if bias:
        nn.init.zeros_(layer.bias)
    return layer


class Block(nn.Module):
    """x + W₂ f(W₁ norm(x)): a residual block around one activation."""

    def __init__(self, entrant, width=64, hidden=128):
        super().__init__()
        doubled = 2 if entrant == "SwiGLU" else 1
        hidden = round(hidden * 2 / 3) if doubled == 2 else hidden
        self.body = nn.Sequential(
            nn.LayerNorm(width),
            linear(width, doubled * hidden, 1.0, bias=False),
            ENTRANTS[entrant](),
            linear(hidden, width, GAINS[entrant], bias=False),
        )

    def forward(self, x):
        return x + self.body(x)


def build_blocks(entrant):
    body = [Block(entrant) for _ in range(3)]
    head = linear(64, n_classes, 0.1)
    return nn.Sequential(linear(n_inputs, 64, 1.0), *body, nn.LayerNorm(64), head)


def build_plain(entrant, depth=6):
    doubled, width = (2, 67) if entrant == "SwiGLU" else (1, 100)
    layers, gain = [], 1.0  # nothing has gone through an activation in front of the first layer
    for fan_in in [n_inputs] + [width] * (depth - 1):
        layers += [linear(fan_in, doubled * width, gain), ENTRANTS[entrant]()]
        gain = GAINS[entrant]
    return nn.Sequential(*layers, linear(width, n_classes, 0.1 * gain))


def race(net, entrant, lr, seed, split="test"):
    torch.manual_seed(seed)
    model = NETS[net](entrant).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    steps = race_epochs * math.ceil(len(race_data.train) / 128)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1, 0, steps)
    lab.fit(
        model, race_data, optimizer, epochs=race_epochs, seed=seed, scheduler=falling, bar=False
    )
    return {"accuracy": lab.evaluate(model, getattr(race_data, split))["accuracy"]}


def contest(net):
    """Tune every entrant on the validation images, then race: the runs, and the table of the chosen rates."""
    tuning = lab.sweep(
        lambda entrant, lr, seed: race(net, entrant, lr, seed, split="valid"),
        {"entrant": list(ENTRANTS), "lr": RATES[net]},
        seeds=budget([100, 101], fast=[100]),
    )
    chosen = lab.best(tuning, by="entrant", over="lr", value="accuracy").set_index("entrant")
    runs = lab.sweep(
        lambda entrant, seed: race(net, entrant, chosen.lr[entrant], seed),
        {"entrant": list(ENTRANTS)},
        seeds=range(budget(5, fast=2)),
    )
    return runs, chosen[["lr", "at_edge"]]


race_data = data.take(
    **budget({"train": 8_000}, fast={"train": 1_000, "valid": 200, "test": 500})
)
race_epochs = budget(2, fast=1)
NETS = {"plain": build_plain, "blocks": build_blocks}
RATES = {
    "plain": budget([0.01, 0.03, 0.1], fast=[0.03]),
    "blocks": budget([0.015, 0.05, 0.15, 0.45], fast=[0.1]),
}
GAINS = {
    name: unit_gain(make(), 2 if name == "SwiGLU" else 1) for name, make in ENTRANTS.items()
}
results = {net: contest(net) for net in NETS}
versus_relu = {
    net: lab.paired_difference(runs, by="entrant", value="accuracy", baseline="ReLU")
    for net, (runs, _) in results.items()
}
verdict = pd.concat(
    {
        net: lab.summary(runs, by="entrant", value="accuracy")
        .set_index("entrant")[["mean", "low", "high"]]
        .join(rates)
        for net, (runs, rates) in results.items()
    },
    axis=1,
)
verdict.round(4)

# %% [markdown]
# (The text speaks of the full run on the real images. `at_edge` says that the best rate was the smallest or
# the largest of the grid, so a wider one could only help that entrant; for a network that learns at none of
# them it means nothing.)
#
# The same seed gives all entrants the same batches, so we compare pair by pair, in percentage points of
# accuracy:


# %%
def plot_verdict(versus):
    fig, axes = lab.figure(1, 2, height=4.2)
    for ax, (net, table) in zip(axes, versus.items(), strict=True):
        for place, row in enumerate(table.itertuples()):
            middle, low, high = 100 * row.mean, 100 * row.low, 100 * row.high
            if middle < -10:
                ax.text(0, place, f" {middle:+.0f} points", va="center", color="C3")
                continue
            style = (
                {"fmt": "o", "color": "C0"}
                if row.excludes_zero
                else {"fmt": "s", "color": "grey"}
            )
            ax.errorbar(
                middle, place, xerr=[[middle - low], [high - middle]], capsize=3, **style
            )
        ax.axvline(0, color="grey", linewidth=0.8)
        ax.set(
            yticks=range(len(table)),
            yticklabels=table.entrant,
            xlabel="points of test accuracy, minus ReLU",
            title=net,
        )
        ax.set_ylim(len(table) - 0.4, -0.6)  # the first at the top
    return fig


lab.show(
    plot_verdict(versus_relu),
    alt="Differences in test accuracy to ReLU with 95 % intervals, in two panels. In the plain network ELU, SELU and "
    "tanh lead, ReLU² and SwiGLU lie 70 points below. In the network of blocks ReLU² and SwiGLU lead, ELU and SELU trail.",
)
for net, table in versus_relu.items():
    clear = table[table.excludes_zero]
    better, worse = (clear[clear["mean"] > 0].entrant, clear[clear["mean"] < 0].entrant)
    print(f"{net}: {len(clear)} of {len(table)} intervals exclude 0", end="; ")
    print(
        f"better than ReLU: {', '.join(better) or 'none'}; worse: {', '.join(worse) or 'none'}"
    )
display(
    pd.concat(
        {
            net: t.set_index("entrant")[["mean", "low", "high"]] * 100
            for net, t in versus_relu.items()
        },
        axis=1,
    ).round(2)
)

# %% [markdown]
# More of the 22 intervals exclude 0 than the one or so that chance alone would bring, so there are real
# differences, *in these two networks*. (Which of the smaller ones make it changes with the seeds: a
# comparison whose interval only just excludes 0 is a hint, no result.) Now the honest part:
#
# - **They are small.** Leaving out ReLU² and SwiGLU, the best and the worst are less than two points apart in
#   either network.
# - **They do not travel.** In the plain network SELU and ELU beat ReLU by about a point (tanh's mean is ahead
#   too; see its interval): with nothing else to keep the signal centred, an activation with negative values
#   may help. Behind a normalisation that job is taken, and SELU falls behind ReLU (so does ELU on the mean,
#   by less).
# - **Degree two needs a norm.** ReLU² and SwiGLU guess in the plain network, at any rate, for the reason you
#   plotted above. In the blocks ReLU² beats ReLU at the same number of parameters, and SwiGLU stands in the
#   upper half.
# - **A learnt β buys nothing here**: the accuracy is that of SiLU. (Two epochs at a falling rate may give it
#   little time to move; that it moves in longer training you saw above, that it helps nobody has seen.)
#
# What we have *not* shown: that the order holds for larger networks, longer training or other data. The usual
# rules of thumb agree with the table as far as it goes: **ReLU** is the default; **SiLU or GELU** for deeper
# networks with normalisation, **SwiGLU** in transformers; **ReLU, leaky ReLU, ReLU² or Hardswish** where
# latency counts; SELU for plain dense stacks.

# %% [markdown]
# ## Play with it
#
# Choose two activations and look at value, slope and curvature side by side. Find the pair that is hardest to
# tell apart. Where is the curvature of a piecewise straight function? (All in one spike, cut off at the edge.)

# %%
from ipywidgets import Dropdown, interact

PANEL = {**GALLERY, "Hardtanh": F.hardtanh}
if joins("relu_squared", relu_squared_pairs):
    PANEL["ReLU² (yours)"] = relu_squared
if joins("Swish", swish_pairs):
    for beta in (0.3, 1.702, 10.0):
        PANEL[f"Swish, β = {beta:g} (yours)"] = Swish(beta).double()


@interact(
    first=Dropdown(options=list(PANEL), value="GELU"),
    second=Dropdown(options=list(PANEL), value="Hardswish"),
)
def compare(first, second):
    grid = torch.linspace(-5, 5, 1001, dtype=torch.float64)
    fig, axes = lab.figure(1, 3, height=2.7)
    for name, style in ((first, "-"), (second, "--")):
        value, slope = PANEL[name](grid).detach(), slope_of(PANEL[name], grid)
        curvature = np.gradient(slope.numpy(), grid.numpy())
        for ax, line in zip(axes, (value, slope, curvature), strict=True):
            ax.plot(grid, line, style, label=name)
    for ax, title, limits in zip(
        axes, ("value", "slope", "curvature"), ((-2, 5), (-0.5, 2), (-1, 3)), strict=True
    ):
        ax.set(xlabel="z", title=title, ylim=limits)
    axes[0].legend(fontsize=8)
    lab.show(
        fig,
        alt=f"Value, slope and curvature of {first} and {second} for z from -5 to 5, as lines.",
    )


# %% [markdown] role="question" exercise="which_activation" minutes=10
# ### A misplaced ReLU, and three choices
#
# In your own words, at most ten sentences: (a) A colleague's classifier ends in Linear → ReLU →
# cross-entropy. It trains, but stalls early, and some classes are never predicted. What does the last ReLU do
# to logits and gradients, and does replacing it with GELU cure it? (b) Choose an activation, with a reason,
# for a plain dense network of 30 layers; for the feed-forward block of a transformer; for a small network on
# a phone. (c) Why do ReLU² and SwiGLU fail in the plain network of the race, and why would a better gain at
# initialisation not save them?

# %% [markdown] role="answer" exercise="which_activation" points=3
# (a) Logits behind a ReLU cannot be negative: an unlikely class can get no score below 0, so with $K$ classes
# the network can make one probable only by a very large logit of its own. Worse, where a class's logit is cut
# to 0 no gradient flows for that example; if its unit is negative for every example, the class is dead and is
# never predicted. GELU leaves a little gradient, but still keeps logits above −0.17 and so distorts what
# cross-entropy expects: the cure is to remove the activation, since an output layer for logits is linear. (b)
# Plain and 30 layers deep: SELU with LeCun's initialisation, tanh, or a ReLU with He's, since their scale
# stays under control; our plain race had ELU, SELU and tanh ahead. Transformer block: SwiGLU at two thirds of
# the width (or GELU, or ReLU²), because a normalisation stands in front and gates pay there. Phone: ReLU, or
# Hardswish if it measures well on the device, because they need no exponential. (c) Both are of degree two
# for large inputs, so an error of the scale is squared in each layer and its logarithm doubles; images differ
# in brightness, so whatever the gain, some explode or die out after a few layers. A gain shifts the fixed
# point but does not change its slope of 2; only something that measures and resets the scale in every layer,
# a normalisation, does.

# %% [markdown]
# ## What we measured
#
# Every figure that the text above relies on, asserted on this machine, with a margin.

# %%
mean = {net: runs.groupby("entrant").accuracy.mean() for net, (runs, _) in results.items()}
plain, blocks = mean["plain"], mean["blocks"]
usual = [name for name in blocks.index if name not in ("ReLU²", "SwiGLU")]

with Claims(data) as claim:
    z_low, low = minima["GELU"]
    claim(
        "GELU's minimum is −0.17, near z = −0.75",
        abs(low + 0.17) < 0.001 and abs(z_low + 0.75) < 0.01,
    )
    claim(
        "GELU, SiLU, Mish and Hardswish are steeper than 1 somewhere, by 8 to 50 %",
        all(1.08 < slope < 1.51 for slope in steepest.values()),
    )
    claim(
        "z σ(1.702 z) is off GELU by 0.02, the tanh form by less than 0.001",
        abs(worst_error["z σ(1.702 z)"] - 0.02) < 0.001 and worst_error["with tanh"] < 0.001,
    )
    claim(
        "softplus by its formula has a gradient of nan at z = 100, and a finite one at 80",
        naive_gradient[2].isnan() and naive_gradient[1].isfinite(),
    )
    claim("Hardswish is off SiLU by 0.14", abs(gaps["Hardswish"] - 0.142) < 0.001)
    claim(
        "the measured gains are √2 for ReLU and 1 for SELU, within 1 %",
        abs(GAINS["ReLU"] / math.sqrt(2) - 1) < 0.01 and abs(GAINS["SELU"] - 1) < 0.01,
    )
    if final_beta is not None:
        beta_end = final_beta.groupby("layer").beta.mean()
        claim(
            "β ends below 1 in every layer, on the mean of the seeds, and lower in the last than in the first",
            (beta_end < 1).all() and beta_end["4"] < beta_end["1"],
            weaker=final_beta.beta.between(-5, 5).all(),
        )
    if "Swish, β learnt" in ENTRANTS:
        claim(
            "a learnt β is within 1 point of SiLU in both networks",
            all(abs(m["Swish, β learnt"] - m["SiLU"]) < 0.01 for m in mean.values()),
            weaker=all(abs(m["Swish, β learnt"] - m["SiLU"]) < 0.2 for m in mean.values()),
        )
    if loudness is not None:
        deep = loudness[loudness.layer == 6].groupby("activation").growth.mean()
        claim(
            "10 % louder: after six layers still 10 % with ReLU, 1.1⁶⁴ ≈ 446 times with ReLU²",
            abs(deep["ReLU"] - 1.1) < 1e-4 and abs(deep["ReLU²"] / 1.1**64 - 1) < 0.01,
        )
        claim("with GELU it is less than threefold", 1.1 < deep["GELU"] < 3)
        claim(
            "the largest 1 % carry 14 % of the sum of squares with ReLU, 37 % with ReLU²",
            abs(top_share["ReLU"] - 0.144) < 0.01 and abs(top_share["ReLU²"] - 0.37) < 0.02,
        )
    if "ReLU²" in ENTRANTS:
        claim("plain network: ReLU² does no better than guessing", plain["ReLU²"] < 0.15)
        claim(
            "blocks: ReLU² beats ReLU on the mean of the seeds",
            blocks["ReLU²"] > blocks["ReLU"],
            weaker=blocks["ReLU²"] > 0.05,
        )
    if n_gated is not None:
        claim(
            "SwiGLU two thirds as wide has the plain block's parameters within 1 %",
            abs(n_gated / n_plain - 1) < 0.01,
        )
    if "SwiGLU" in ENTRANTS:
        claim("plain network: SwiGLU does no better than guessing", plain["SwiGLU"] < 0.15)
        claim(
            "blocks: SwiGLU stands in the upper half",
            blocks["SwiGLU"] > blocks.median(),
            weaker=blocks["SwiGLU"] > 0.05,
        )
    claim(
        "plain network: ELU, SELU and tanh beat ReLU on the mean of the seeds",
        min(plain[["ELU", "SELU", "tanh"]]) > plain["ReLU"],
        weaker=min(plain[["ELU", "SELU", "tanh"]]) > 0.05,
    )
    claim(
        "blocks: ELU and SELU stay behind ReLU",
        max(blocks[["ELU", "SELU"]]) < blocks["ReLU"],
        weaker=min(blocks[["ELU", "SELU"]]) > 0.05,
    )
    claim(
        "leaving out ReLU² and SwiGLU, all lie within 2 points of each other in either network",
        all(m[usual].max() - m[usual].min() < 0.02 for m in mean.values()),
        weaker=blocks[usual].min() > 0.05,
    )
    claim(
        "at least 5 of the intervals exclude 0; chance alone would give about one",
        sum(table.excludes_zero.sum() for table in versus_relu.values()) >= 5,
        weaker=sum(len(table) for table in versus_relu.values()) == 2 * len(ENTRANTS) - 2,
    )
    claim(
        "a linear layer with 1000 inputs costs more than twice a ReLU, per output",
        cost.loc["a linear layer, 1000 inputs", "forward, ÷ ReLU"] > 2,
        weaker=(cost > 0).all(axis=None),
    )

# %% [markdown]
# ## In short
#
# | activation | $f(z)$ | in PyTorch | where |
# |---|---|---|---|
# | GELU | $z\,\Phi(z)$ | `nn.GELU()`, or `nn.GELU("tanh")` for weights trained with it | transformers |
# | SiLU, Swish | $z\,\sigma(\beta z)$ | `nn.SiLU()` for $\beta = 1$ | deeper networks with normalisation |
# | Mish | $z\tanh(\ln(1 + e^z))$ | `nn.Mish()` | as SiLU, slower |
# | ReLU² | $\max(0, z)^2$ | by hand | behind a normalisation; sparse |
# | GLU | $\sigma(\mathbf z_1)\otimes\mathbf z_2$ | `F.glu` (gate: second half) | gates; double the width |
# | SwiGLU | $\operatorname{swish}(\mathbf z_1)\otimes\mathbf z_2$ | by hand | transformers' feed-forward, at two thirds of the width |
# | ReLU6, Hardswish, Hardsigmoid | straight pieces | `nn.ReLU6()`, `nn.Hardswish()`, `nn.Hardsigmoid()` | phones, after measuring |
#
# - Nearly all of them are the input times a gate. What differs is how the gate opens, and whether it has
#   weights of its own.
# - Degree two (ReLU², GLU with a linear gate, SwiGLU) needs a normalisation in front: plain stacks double the
#   logarithm of every scale error.
# - ReLU is a sound default. Take SiLU or GELU for deeper networks with normalisation, SwiGLU in transformers,
#   ReLU, leaky ReLU, ReLU² or Hardswish where time counts. Then measure in *your* network: rank lists do not
#   travel.
# - A finite value does not mean a finite gradient. Test extreme inputs both ways.
#
# **Read on.** Hendrycks and Gimpel (2016), *Gaussian Error Linear Units*. Ramachandran, Zoph and Le (2017),
# *Searching for Activation Functions*. Elfwing, Uchibe and Doya (2018). Misra (2019), *Mish*. Dauphin, Fan,
# Auli and Grangier (2017) on gated linear units. Shazeer (2020), *GLU Variants Improve Transformer*. So et
# al. (2021), *Primer*. Howard et al. (2019), *Searching for MobileNetV3*. The next lesson supplies what ReLU²
# and SwiGLU were missing here: normalisation.

# %%
lab.show_progress("ch01")
