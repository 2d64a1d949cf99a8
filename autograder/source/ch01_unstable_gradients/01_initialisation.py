# ---
# jupyter:
#   lesson:
#     title: Initialisation
#     minutes: 100
# ---

# %% [markdown]
# Take a plain network 30 layers deep, PyTorch's default settings, and train it on photographs of clothes.
# It ends at 10 % accuracy: ten classes, pure guessing. Change nothing but the random numbers it starts from,
# and after one pass over 20,000 images it is right nearly two times in three.
#
# No layer was added, no optimiser changed. The first network was dead before its first step. At the end of this lesson you can tell from one batch, before any training, whether a
# network will learn, and you can make it so:
#
# - measure how signals and gradients travel through a deep network,
# - derive Glorot's, He's and LeCun's rules and write them yourself,
# - know what PyTorch does when you do nothing, and why it fails in deep networks,
# - find the two quiet mistakes: equal weights and an over-confident output layer.
#
# You need: PyTorch basics, the chain rule, and the variance of a sum.

# %% role="setup"
import math
from itertools import pairwise

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# A vanishing network computes with numbers so small that the CPU falls back to slow microcode for them
# ("denormals", below 1e-38). Rounding them to zero is up to 20 times faster, and a gradient that small
# trains nothing anyway. Where you see a gradient of exactly 0 below, it has fallen through this floor.
_ = torch.set_flush_denormal(True)

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
images, labels = data.train[:512]  # one fixed batch, standardised, to look at networks with
n_inputs, n_classes = images.shape[1], len(data.classes)
data

# %% [markdown]
# ## Variances add up
#
# One unit computes $z = \sum_i w_i x_i + b$. Draw the weights and the bias independently, with mean 0 and variances
# $\sigma_w^2$ and $\sigma_b^2$. Then the terms $w_i x_i$ are uncorrelated, whatever the inputs are, and **variances of
# uncorrelated terms add**:
#
# $$\operatorname{Var}(z) = f_\text{in}\,\sigma_w^2\,\mathbb{E}[x^2] + \sigma_b^2$$
#
# $f_\text{in}$, the **fan-in**, is the number of inputs of the unit, and $\mathbb E[x^2]$ their mean square: 1 if
# they are standardised (mean 0, variance 1). Nothing looks more natural than to draw weights
# and bias from $\mathcal N(0, 1)$.
#
# **Predict, then run.** A layer has 784 standardised inputs, and its weights and biases come from $\mathcal N(0, 1)$.
# How large is the standard deviation of its outputs? And how much of $\tanh(z)$ is then still sensitive to $z$?

# %%
generator = torch.Generator().manual_seed(0)
x = torch.randn(2_000, 784, generator=generator)
weight, bias = torch.randn(400, 784, generator=generator), torch.randn(400, generator=generator)
z = x @ weight.T + bias
flat = (z.abs() > 2).float().mean()
print(
    f"variance {z.var():.0f}, standard deviation {z.std():.1f}; {flat:.0%} of the units have |z| > 2"
)
print(
    f"mean activation: tanh {torch.tanh(z).mean():.2f}, sigmoid {torch.sigmoid(z).mean():.2f}"
)


# %%
def plot_saturation(z):
    fig, (left, right) = lab.figure(1, 2, height=3.2)
    grid = torch.linspace(-60, 60, 2001)
    for f, style in ((torch.tanh, "-"), (torch.sigmoid, "--")):
        left.plot(grid, f(grid), style, label=f.__name__)
        right.plot(
            grid,
            torch.func.vmap(torch.func.grad(f))(grid),
            style,
            label=f"slope of {f.__name__}",
        )
    density, edges = np.histogram(z.flatten().numpy(), bins=80, density=True)
    left.stairs(
        density / density.max(), edges, fill=True, alpha=0.25, color="grey", label="z (scaled)"
    )
    left.set(
        xlim=(-60, 60), xlabel="z", ylabel="activation", title="Where N(0, 1) weights put z"
    )
    right.set(
        xlim=(-8, 8),
        xlabel="z",
        ylabel="slope",
        title="Their slopes, factors of the gradient",
    )
    left.legend(fontsize=9)
    right.legend(fontsize=9, loc="upper right")
    return fig


lab.show(
    plot_saturation(z),
    alt="Left: tanh and sigmoid over z from -60 to 60, and behind them the histogram of z, a wide "
    "bell that lies almost wholly on the flat parts. Right: their slopes; tanh peaks at 1, the "
    "sigmoid at 0.25, both are near 0 beyond 5.",
)

# %% [markdown]
# 784 terms of variance 1 and one bias make 785, a standard deviation of 28. Tanh bends within ±2, the sigmoid within ±5,
# so nearly every unit sits on a flat end: it is **saturated**. Its output no longer depends on its input in any way that a gradient can
# feel, and backpropagation multiplies by that slope at every layer.
#
# The sigmoid is worse off than tanh twice over. Its slope never exceeds **0.25** (tanh reaches 1), so each layer shrinks
# the gradient at least fourfold unless the weights make up for it; and its outputs have mean 0.5, not 0, so the next
# layer's inputs are not centred even if yours were.

# %% [markdown]
# ## Fifty layers, forward and backward
#
# One layer forgives much; fifty compound. We need an instrument: how strong is the signal behind each layer, and how
# strong is the gradient that arrives there?
#
# By *signal* we mean what still **depends on the image**: the standard deviation of each unit over the batch, averaged
# over the units. (The spread over all numbers of a layer would deceive us: constant biases keep it up even after every
# trace of the image is gone.) By *gradient* we mean the norm of the loss's gradient with respect to the layer's weights.


# %% role="setup"
def deep_mlp(depth, width=100, activation=nn.ReLU, n_inputs=784, n_classes=10):
    """`depth` hidden layers of `width` units, each Linear → activation, and a linear output layer."""
    layers = []
    for fan_in, fan_out in pairwise([n_inputs] + [width] * depth):
        layers += [nn.Linear(fan_in, fan_out), activation()]
    return nn.Sequential(*layers, nn.Linear(width, n_classes))


def initialise(model, scheme):
    """Apply `scheme` to every weight matrix and zero the biases; None leaves PyTorch's own draw."""
    for layer in model.modules() if scheme else ():
        if isinstance(layer, nn.Linear):
            scheme(layer.weight)
            nn.init.zeros_(layer.bias)
    return model


def travel(model, x, y):
    """Signal and gradient norm layer by layer, for one forward and one backward pass."""
    hidden, signals = x, []
    for layer in model:
        hidden = layer(hidden)
        if not isinstance(layer, nn.Linear):
            signals.append(hidden.std(dim=0).mean().item())
    F.cross_entropy(hidden, y).backward()
    norms = [layer.weight.grad.norm().item() for layer in model if isinstance(layer, nn.Linear)]
    return [
        {"layer": k, "signal": s, "gradient": g}
        for k, (s, g) in enumerate(zip(signals, norms[:-1], strict=True), start=1)
    ]


SCHEMES = {
    "N(0, 1)": nn.init.normal_,
    "N(0, 0.01²)": lambda w: nn.init.normal_(w, std=0.01),
    "PyTorch's default": None,
    "Glorot": nn.init.xavier_normal_,
    "LeCun": lambda w: nn.init.kaiming_normal_(w, nonlinearity="linear"),
    "He": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
    "orthogonal × √2": lambda w: nn.init.orthogonal_(w, gain=math.sqrt(2)),
}

# %% [markdown]
# **Predict, then run.** Two of the seven schemes carry a ReLU network of 50 layers. Which? Which one
# *explodes*? And what do you get when you do nothing?


# %%
ACTIVATIONS = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}


def journey(activation, scheme, seed, depth=50):
    torch.manual_seed(seed)
    model = deep_mlp(
        depth, activation=ACTIVATIONS[activation], n_inputs=n_inputs, n_classes=n_classes
    )
    return travel(initialise(model, SCHEMES[scheme]).to(device), images, labels)


seeds = budget(range(5), fast=range(2))
journeys = lab.sweep(journey, {"activation": list(ACTIVATIONS), "scheme": list(SCHEMES)}, seeds)


# %%
def plot_journeys(frame, quantity):
    fig, axes = lab.figure(1, 3, height=3.6)
    for ax, (name, part) in zip(axes, frame.groupby("activation", sort=False), strict=True):
        # nan and inf leave the picture at the top; what underflowed to zero is drawn on the floor
        shown = part.assign(**{quantity: part[quantity].clip(1e-25, 1e20).fillna(1e20)})
        lab.band(shown, "layer", quantity, by="scheme", ax=ax, log=True, legend=ax is axes[-1])
        ax.set(
            title=name,
            xlabel="layer",
            ylabel=quantity if ax is axes[0] else "",
            ylim=(1e-26, 1e21),
        )
    return fig


lab.show(
    plot_journeys(journeys, "signal"),
    alt="Signal behind each of 50 layers for seven initialisations, logarithmic. With ReLU only He "
    "and orthogonal × √2 stay level; N(0, 1) explodes, the rest fall by up to 25 powers of ten. "
    "Tanh stays level except for the two smallest draws. With the sigmoid all but N(0, 1) fall by "
    "seven or more powers of ten within 20 layers.",
)
lab.show(
    plot_journeys(journeys, "gradient"),
    alt="Gradient norm at each of 50 layers. With ReLU only He and orthogonal × √2 are level at a "
    "useful height. Tanh with N(0, 1) grows to 1e18 towards layer 1. With the sigmoid every scheme "
    "but N(0, 1) falls by ten powers of ten or more towards layer 1.",
)

# %% [markdown]
# Four things to take from the two figures. (He's line lies under the orthogonal one, and Glorot's under LeCun's. A line along the top edge stands for overflow,
# inf or nan; one along the bottom edge for 0.)
#
# - **Level lines at a useful height are rare.** For ReLU only He and the scaled orthogonal draw carry the signal through
#   and bring the gradient back. (Glorot's and LeCun's gradients are level too, at $10^{-8}$: the weight gradient is made of
#   the signal from below and the error from above, and what one loses on its way up the other loses on its way down.) PyTorch's default lets the image fade out on the way: behind layer 50 hardly anything depends on it
#   any more (the line flattens where only the rounding errors of float32 are left).
# - **Level in the mean square is not level in the signal.** He keeps the mean square, as we shall derive; the signal still
#   falls, typically three- to tenfold over fifty layers, because deep ReLU networks make all images look more and more alike.
# - **Forward and backward are two different questions.** Tanh with $\mathcal N(0, 1)$ looks healthy forward, with outputs
#   near ±1 as they should be, while its gradient explodes to $10^{18}$ on the way back. Always look at both.
# - **No rule rescues the sigmoid.** With a slope of at most ¼ and uncentred outputs, depth 50 starves its first layers. Only
#   $\mathcal N(0, 1)$, ten times Glorot's $\sigma$ in these layers, is large enough to make up for the slope. It pays in
#   saturated units: a level line is necessary, not sufficient. That is why the
#   sigmoid left the hidden layers of deep networks.

# %% [markdown]
# ## Glorot: a compromise between two directions
#
# Going forward, a linear layer keeps the variance if $f_\text{in}\,\sigma^2 = 1$. Going backward the same matrix is
# used transposed: the gradient of one input sums over the layer's $f_\text{out}$ outputs (the **fan-out**), so it keeps
# its variance if $f_\text{out}\,\sigma^2 = 1$. Both hold only for square layers. Glorot and Bengio (2010) split the
# difference:
#
# $$\sigma^2 = \frac{1}{f_\text{avg}},\qquad f_\text{avg} = \frac{f_\text{in} + f_\text{out}}{2}$$
#
# The derivation takes the activation as linear around 0 with slope 1. The rule suits tanh and no activation at all; for
# softmax and the sigmoid it is used for want of better. To draw from a **uniform** distribution with that variance, remember
# that $\mathcal U(-r, r)$ has variance $r^2/3$:
#
# $$r = \sqrt{3\sigma^2} = \sqrt{\frac{3}{f_\text{avg}}}$$

# %% [markdown] role="card" exercise="glorot_uniform_" level=1 minutes=8 topic="Initialisation schemes" doc="https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.xavier_uniform_"
# ### Glorot's uniform draw
#
# Fill a weight matrix **in place** with draws from $\mathcal U(-r, r)$, $r = \sqrt{3 / f_\text{avg}}$, and return it.
#
# PyTorch stores the weight of `nn.Linear(f_in, f_out)` as a tensor of shape `(f_out, f_in)`. The tensor you get may be
# a parameter that requires gradients; autograd must not record the filling. A trailing underscore in PyTorch's names says
# "in place". `nn.init.xavier_uniform_` would do it all, and teach you its name: draw for yourself.


# %% role="stub" exercise="glorot_uniform_"
def glorot_uniform_(weight: torch.Tensor) -> torch.Tensor:
    """Fill `weight` in place from Glorot and Bengio's (2010) uniform distribution.

    Args:
        weight: matrix of shape (fan_out, fan_in), float32 or float64, possibly requiring gradients.

    Returns:
        The same tensor object, its entries independent draws from U(-r, r), r = sqrt(3 / f_avg).
    """
    ### BEGIN SOLUTION
    fan_out, fan_in = weight.shape
    r = math.sqrt(6 / (fan_in + fan_out))
    with torch.no_grad():
        return weight.uniform_(-r, r)
    ### END SOLUTION


# %% role="check" exercise="glorot_uniform_"
with Check("glorot_uniform_") as check:
    torch.manual_seed(0)
    weight = torch.full((300, 500), 7.0, requires_grad=True)
    memory = weight.detach()  # looks at the same numbers
    returned = glorot_uniform_(weight)
    check.is_a(returned, torch.Tensor)
    check.shape(weight, (300, 500))
    check.that(
        not (memory == 7).any(),
        "The tensor passed in still holds its old values: fill it in place.",
    )
    check.that(returned is weight, "Return the tensor that was passed in: no copy, no `.data`.")
    check.that(
        weight.min() < 0 < weight.max(),
        "Draws should lie on both sides of 0, between −r and r.",
    )
    check.that(
        weight.unique().numel() > 0.9 * weight.numel(),
        "Values repeat: each entry should be a draw of its own.",
    )
    check.that(
        (weight - weight.mean()).abs().max() < 3 * weight.std(),
        "The draws look normal. Uniform ones end at √3 σ.",
    )
    check.close(
        weight.abs().max().item(),
        math.sqrt(3 / 400),
        "The largest draw should come close to r = √(3 / f_avg).",
        known=[
            (
                math.sqrt(1 / 400),
                "Your bound is σ = √(1/f_avg). A uniform draw reaches √3 times further: r = √(3σ²).",
            ),
            (
                math.sqrt(3 / 400) / 2,
                "Your bound is r/2: from −r to r, the interval is 2r wide.",
            ),
            (
                math.sqrt(3 / 800),
                "Your bound uses f_in + f_out where it should use their average.",
            ),
            (
                math.sqrt(3 / 500),
                "Your bound uses f_in alone. Glorot averages fan-in and fan-out.",
            ),
            (
                math.sqrt(3 / 300),
                "Your bound uses f_out alone. Glorot averages fan-in and fan-out.",
            ),
            (math.sqrt(3 / 650), "Only f_out was halved: mind the brackets of the average."),
            (math.sqrt(3 / 550), "Only f_in was halved: mind the brackets of the average."),
            (3 / 400, "Your bound is 3/f_avg; its square root is missing."),
            (
                math.sqrt(3 / 400) * 5 / 3,
                "Your bound has a gain of 5/3 in it. Glorot's rule has none.",
            ),
            (math.sqrt(6 / 500), "That is He's uniform bound, √(6/f_in)."),
        ],
        rtol=2e-3,
    )
    check.close(
        weight.var().item(),
        1 / 400,
        "The variance of the draws should be 1 / f_avg.",
        rtol=0.03,
    )


# %% [markdown] role="hints" exercise="glorot_uniform_"
# <details><summary>Hint 1: which number is which fan?</summary>
#
# `weight.shape` is `(fan_out, fan_in)`: rows are outputs, columns are inputs.
#
# </details>
# <details><summary>Hint 2: a leaf that requires grad</summary>
#
# Changing a leaf in place is an error while autograd records. Do it inside `with torch.no_grad():`.
#
# </details>
# <details><summary>Hint 3: nearly there</summary>
#
# `Tensor.uniform_(low, high)` fills a tensor in place and returns it. All that is missing is `r`.
#
# </details>

# %% role="test" exercise="glorot_uniform_" points=2
# Graded with hidden tests: other shapes and dtypes, parameters of a layer, the shape of the distribution.
### BEGIN HIDDEN TESTS
with HiddenTest("glorot_uniform_") as test:
    for fan_out, fan_in in ((200, 700), (900, 150), (10, 6_000)):
        weight = torch.full((fan_out, fan_in), 9.0)
        memory, r = weight.detach(), math.sqrt(6 / (fan_in + fan_out))
        returned = glorot_uniform_(weight)
        test.is_a(returned, torch.Tensor)
        test.shape(weight, (fan_out, fan_in), "Fill the tensor, do not resize it.")
        test.that(
            not (memory == 9).any(),
            "The tensor passed in keeps old values: fill all of it in place.",
        )
        test.that(
            returned is weight, "Return the tensor that was passed in: no copy, no `.data`."
        )
        test.that(
            not weight.requires_grad, "A tensor that came without requires_grad must stay so."
        )
        test.that(bool(torch.isfinite(weight).all()), "Every entry should be a finite number.")
        test.that(
            weight.unique().numel() > 0.9 * weight.numel(),
            "Values repeat: each entry should be a draw of its own.",
        )
        largest = weight.abs().max().item()
        test.that(
            largest <= r * 1.0001,
            "Some draws lie outside ±r. Is r = √(3 / f_avg), and the draw uniform, not normal?",
        )
        test.that(
            largest > r * 0.995,
            "The draws do not reach ±r. Is r = √(3 / f_avg), with the average of both fans?",
        )
        test.that(
            abs(weight.mean().item()) < 0.02 * r,
            "The draws should be centred on 0: U(−r, r), not U(0, r).",
        )
        test.close(
            weight.var().item(), r * r / 3, "The variance should be 1 / f_avg.", rtol=0.03
        )
        middle = (weight.abs() < r / 2).float().mean().item()
        test.close(
            middle,
            0.5,
            "Half of the draws should lie in the inner half of (−r, r): is it uniform?",
            rtol=0.03,
        )
        rows = weight[:2].double()
        test.that(
            abs(torch.corrcoef(rows)[0, 1].item()) < 0.6,
            "Rows repeat each other: each entry is a draw of its own.",
        )
    first, second = (glorot_uniform_(torch.zeros(20, 20)).clone() for _ in range(2))
    test.that(
        not torch.equal(first, second),
        "Two calls give the same numbers: do not fix the seed inside.",
    )
    tiny = torch.stack([glorot_uniform_(torch.empty(1, 4)) for _ in range(80)])
    test.close(
        tiny.abs().max().item(),
        math.sqrt(3 / 2.5),
        "With fans 4 and 1 the average is 2.5: do not round it.",
        rtol=0.07,  # of 320 draws one comes so close, and 1.22 and 1 are farther away
    )
    layer = nn.Linear(60, 40)
    before = layer.weight
    glorot_uniform_(layer.weight)
    test.that(
        layer.weight is before and before.requires_grad,
        "The layer's parameter must stay the same, trainable tensor.",
    )
    test.that(
        before.is_leaf and before.grad_fn is None,
        "Autograd recorded the filling: do it under torch.no_grad().",
    )
    wide = torch.zeros(30, 50, dtype=torch.float64)
    test.that(
        glorot_uniform_(wide).dtype == torch.float64, "The dtype of the weight must not change."
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="glorot_uniform_"
# The compromise costs each direction a little: a layer from 100 to 300 units with $\sigma^2 = 1/200$ halves the
# variance going forward ($100/200$) and multiplies it by 1.5 going back. With $1/f_\text{in}$ the forward pass would be exact, and the backward
# errors $f_\text{out}/f_\text{in}$ multiply to last width over first width, whatever lies between: harmless in most networks, which is why He's rule
# can afford to look at one fan only. Only the variance enters the derivation, so uniform and normal draws are interchangeable in it.

# %% [markdown]
# ## He: ReLU throws half away
#
# ReLU sets the negative half of its inputs to zero. If $z$ is symmetric around 0, then
# $\mathbb E[\operatorname{relu}(z)^2] = \tfrac12 \operatorname{Var}(z)$: with $f_\text{in}\sigma^2 = 1$ each layer halves the mean square, and 50 layers
# leave $2^{-50} \approx 10^{-15}$ of it. He et al. (2015) put the missing factor back:
#
# $$\sigma^2 = \frac{2}{f_\text{in}}$$
#
# A leaky ReLU with slope $\alpha$ on the left loses less. It passes on $\tfrac12(1+\alpha^2)$ of the mean square, so
#
# $$\sigma^2 = \frac{2}{(1+\alpha^2)\,f_\text{in}}$$
#
# Note that the *mean square* is what a layer passes on, not the variance: ReLU's outputs are not centred. That is the
# $\mathbb E[x^2]$ of the very first formula.

# %% [markdown] role="card" exercise="he_std" level=1 minutes=5 topic="Initialisation schemes" doc="https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.calculate_gain"
# ### He's standard deviation
#
# Return the **standard deviation** $\sigma$ for weights in front of a leaky ReLU with slope $\alpha$ for negative inputs
# ($\alpha = 0$ is the plain ReLU).


# %% role="stub" exercise="he_std"
def he_std(fan_in: int, negative_slope: float = 0.0) -> float:
    """Standard deviation of He et al.'s (2015) initialisation.

    Args:
        fan_in: number of inputs of a unit, at least 1.
        negative_slope: slope of the leaky ReLU below 0; 0 for ReLU, 1 for no activation at all.

    Returns:
        The standard deviation of the weights.
    """
    ### BEGIN SOLUTION
    return math.sqrt(2 / ((1 + negative_slope**2) * fan_in))
    ### END SOLUTION


# %% role="check" exercise="he_std"
with Check("he_std") as check:
    check.close(
        he_std(784),
        math.sqrt(2 / 784),
        "σ for fan-in 784 and ReLU is off.",
        known=[
            (2 / 784, "That is the variance. The standard deviation is its square root."),
            (math.sqrt(1 / 784), "That is LeCun's √(1/f_in): ReLU needs twice the variance."),
            (
                math.sqrt(2 * 784),
                "You multiply by f_in. It belongs below the fraction bar: mind the brackets.",
            ),
        ],
    )
    check.close(
        he_std(784, negative_slope=0.2),
        math.sqrt(2 / (1.04 * 784)),
        "σ with slope 0.2 is off.",
        known=[
            (math.sqrt(2 / 784), "The slope makes no difference in your answer."),
            (math.sqrt(2 / (1.2 * 784)), "The slope enters squared: 1 + α², not 1 + α."),
            (
                math.sqrt(2 / 784) / 1.04,
                "The factor 1 + α² belongs under the root, with the variance.",
            ),
        ],
    )
    check.close(
        he_std(100, 1.0), 0.1, "A slope of 1 is no activation at all: σ should be √(1 / f_in)."
    )


# %% [markdown] role="hints" exercise="he_std"
# <details><summary>Hint 1: from variance to standard deviation</summary>
#
# Write down $\sigma^2$ first, exactly as in the formula above, then take one square root.
#
# </details>
# <details><summary>Hint 2: a case you can check by hand</summary>
#
# With slope 1 the factors 2 and $1 + \alpha^2 = 2$ cancel: `he_std(100, 1.0)` is $\sqrt{1/100} = 0.1$.
#
# </details>

# %% role="test" exercise="he_std" points=1
# Graded with hidden tests: other fans and slopes, negative slopes too, against PyTorch's own gain.
### BEGIN HIDDEN TESTS
with HiddenTest("he_std") as test:
    for fan_in in (1, 3, 50, 784, 12_345):
        sigma = he_std(fan_in)
        test.close(
            sigma,
            nn.init.calculate_gain("relu") / math.sqrt(fan_in),
            "σ for the plain ReLU is not √(2 / f_in).",
            known=[(2 / fan_in, "This is the variance 2 / f_in, not the standard deviation.")],
        )
        for slope in (0.01, 0.25, 1.0, 3.0, -0.5):
            gain = nn.init.calculate_gain("leaky_relu", slope)
            test.close(
                he_std(fan_in, slope),
                gain / math.sqrt(fan_in),
                "σ with a negative slope is not √(2 / ((1 + α²) f_in)).",
                known=[
                    (
                        math.sqrt(2 / fan_in),
                        "The slope makes no difference; the variance is divided by 1 + α².",
                    ),
                    (gain**2 / fan_in, "This is the variance, not the standard deviation."),
                ],
            )
    test.close(
        he_std(64, negative_slope=0.1),
        nn.init.calculate_gain("leaky_relu", 0.1) / 8,
        "The slope's name must stay.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="he_std"
# Half of a symmetric $z$ is kept with weight 1 and half with weight $\alpha$, so the mean square behind the activation
# is $\tfrac12(1+\alpha^2)\operatorname{Var}(z)$. Setting $f_\text{in}\sigma^2 \cdot \tfrac12(1+\alpha^2) = 1$ gives the
# formula. At $\alpha = 1$ nothing is lost and the rule turns into LeCun's. Because the square enters, a slope of 0.2 changes
# $\sigma$ by only 2 %; in fifty layers even that is a factor of $1.02^{50} \approx 2.7$.

# %% [markdown]
# ### Theory, marked on the measured curve
#
# If weights have $\sigma = g/\sqrt{f_\text{in}}$, then each layer multiplies the root mean square by
# $g\sqrt{(1+\alpha^2)/2}$. The critical **gain** is where that is 1, at $g = \sqrt{2/(1+\alpha^2)}$: $\sqrt 2$ for ReLU.
#
# **Predict, then run.** The gain misses its critical value by 10 %. What is left of the root mean square (rms) after 50
# layers: half of it, a tenth, a hundredth?


# %%
def growth_per_layer(gain, slope, seed, depth=50, width=200):
    """Factor by which one layer multiplies the root mean square, as a geometric mean over `depth` layers."""
    generator = torch.Generator().manual_seed(seed)
    hidden = torch.randn(
        64, width, generator=generator, dtype=torch.float64
    )  # squares of 1e-19 underflow float32
    start = hidden.square().mean()
    for _ in range(depth):
        weight = (
            torch.randn(width, width, generator=generator, dtype=torch.float64)
            * gain
            / math.sqrt(width)
        )
        hidden = F.leaky_relu(hidden @ weight.T, slope)
    return (hidden.square().mean() / start).item() ** (1 / (2 * depth))


gains = np.linspace(0.6, 2.2, budget(17, fast=5)).tolist()
growth = lab.sweep(
    lambda gain, slope, seed: {"growth": growth_per_layer(gain, slope, seed)},
    {"gain": gains, "slope": [0.0, 0.5, 1.0]},
    seeds,
)


# %%
def plot_growth(frame):
    fig, ax = lab.figure(height=3.6)
    lab.band(
        frame.assign(slope="slope " + frame.slope.astype(str)),
        "gain",
        "growth",
        by="slope",
        ax=ax,
    )
    ax.axhline(1, color="grey", linewidth=0.8)
    for slope in sorted(frame.slope.unique()):
        critical = math.sqrt(2 / (1 + slope**2))
        ax.plot(critical, 1, "k*", markersize=11)
        ax.annotate(
            f"√(2/(1+{slope:g}²))",
            (critical, 1),
            (-8, 10) if slope else (4, -18),
            textcoords="offset points",
            ha="right" if slope else "left",
        )
    ax.set(
        xlabel="gain g",
        ylabel="growth of the rms per layer",
        title="Stars: the theory. Lines: fifty measured layers",
    )
    return fig


lab.show(
    plot_growth(growth),
    alt="Growth of the root mean square per layer against the gain, three rising straight lines for slopes 0, 0.5 and 1. "
    "Each crosses 1 where the theory's star stands: at 1.41, 1.26 and 1.00.",
)
for share in (0.9, 1.1):
    left = growth_per_layer(share * math.sqrt(2), 0.0, seed=0) ** 50
    print(
        f"gain {share - 1:+.0%}: after 50 layers {left:.3g} of the rms, in theory {share**50:.3g}"
    )

# %% [markdown]
# The measured lines pass through the predicted points (ReLU's a hair below: at this width it loses a little under 1 % per layer more than theory says). And depth is merciless: a gain 10 % off leaves half a
# per cent of the rms, or blows it up a hundredfold.

# %% [markdown]
# ## LeCun: the same argument without an activation
#
# For an activation that is nearly linear around 0 and keeps the variance by itself, as SELU does in a lesson to come, only the
# fan-in matters (LeCun et al., 1998):
#
# $$\sigma^2 = \frac{1}{f_\text{in}}$$
#
# It equals Glorot's rule when $f_\text{in} = f_\text{out}$; for SELU the **normal** draw is the usual choice.
#
# What is the fan-in of a convolution? One output value sums over all input channels and all kernel positions:
# a weight of shape `(out_channels, in_channels, k_h, k_w)` has $f_\text{in} = c_\text{in} k_h k_w$. (With groups, PyTorch's
# weight already holds only the channels of one group, so the shape still tells the truth.)

# %% [markdown] role="card" exercise="lecun_normal_" level=2 minutes=10 topic="Initialisation schemes" doc="https://docs.pytorch.org/docs/stable/nn.init.html#torch.nn.init.kaiming_normal_"
# ### LeCun's normal draw, for linear and convolutional layers
#
# Fill a weight in place from $\mathcal N(0, 1/f_\text{in})$ and return it. It may belong to a linear layer, shape
# `(f_out, f_in)`, or to a convolution of any dimension, shape `(c_out, c_in, *kernel)`.


# %% role="stub" exercise="lecun_normal_"
def lecun_normal_(weight: torch.Tensor) -> torch.Tensor:
    """Fill `weight` in place from LeCun et al.'s (1998) normal distribution.

    Args:
        weight: shape (fan_out, fan_in) for a linear layer, (c_out, c_in, *kernel) for a 1-, 2- or 3-d
            convolution; possibly requiring gradients.

    Returns:
        The same tensor object, its entries independent draws from N(0, 1 / fan_in).
    """
    ### BEGIN SOLUTION
    fan_in = weight[0].numel()
    with torch.no_grad():
        return weight.normal_(0, math.sqrt(1 / fan_in))
    ### END SOLUTION


# %% role="check" exercise="lecun_normal_"
with Check("lecun_normal_") as check:
    torch.manual_seed(0)
    linear = torch.full((300, 500), 7.0, requires_grad=True)
    memory = linear.detach()  # looks at the same numbers
    returned = lecun_normal_(linear)
    check.is_a(returned, torch.Tensor)
    check.that(
        not (memory == 7).any(),
        "The tensor passed in still holds its old values: fill it in place.",
    )
    check.that(returned is linear, "Return the tensor that was passed in: no copy, no `.data`.")
    check.that(
        memory.unique().numel() > 0.9 * memory.numel(),
        "Values repeat: each entry should be a draw of its own.",
    )
    check.close(
        linear.std().item(),
        math.sqrt(1 / 500),
        "The standard deviation of a linear weight is off.",
        known=[
            (math.sqrt(1 / 300), "You used shape[0]. PyTorch's shape is (fan_out, fan_in)."),
            (
                1 / 500,
                "You passed the variance where the normal draw expects a standard deviation.",
            ),
            (math.sqrt(2 / 500), "That is He's 2/f_in. LeCun's numerator is 1."),
            (
                math.sqrt(1 / 400),
                "That is Glorot's average of both fans. LeCun uses fan-in alone.",
            ),
        ],
        rtol=0.02,
    )
    convolution = torch.full((64, 32, 3, 5), 7.0)
    lecun_normal_(convolution)
    check.that(
        convolution.unique().numel() > 0.9 * convolution.numel(),
        "In a convolution, values repeat: each entry should be a draw of its own.",
    )
    check.close(
        convolution.std().item(),
        math.sqrt(1 / 480),
        "The standard deviation of a convolution's weight is off.",
        known=[
            (
                math.sqrt(1 / 32),
                "For the convolution you counted input channels only; the kernel's positions add up too.",
            ),
            (
                math.sqrt(1 / 15),
                "For the convolution you counted the kernel only; the input channels add up too.",
            ),
            (math.sqrt(1 / 5), "For the convolution you used the last dimension only."),
            (
                math.sqrt(1 / 800),
                "This kernel is no square: count its height and width, 3 × 5.",
            ),
            (
                math.sqrt(1 / 288),
                "This kernel is no square: count its height and width, 3 × 5.",
            ),
            (
                math.sqrt(1 / 960),
                "That is the convolution's fan-out. PyTorch's shape is (c_out, c_in, *kernel).",
            ),
        ],
        rtol=0.02,
    )


# %% [markdown] role="hints" exercise="lecun_normal_"
# <details><summary>Hint 1: count by hand</summary>
#
# Count the terms of the sum behind *one* output: first for the shape (8, 4), then for (8, 4, 3, 3).
#
# </details>
# <details><summary>Hint 2: what one output sees</summary>
#
# `weight[0]` is everything that feeds output 0, whatever the number of dimensions. How many numbers are in it?
#
# </details>
# <details><summary>Hint 3: the call</summary>
#
# `Tensor.normal_(mean, std)` works in place; its second argument is a standard deviation, not a variance.
#
# </details>

# %% role="test" exercise="lecun_normal_" points=2
# Graded with hidden tests: linear layers and convolutions in one, two and three dimensions, dtypes, parameters.
### BEGIN HIDDEN TESTS
with HiddenTest("lecun_normal_") as test:
    shapes = {
        (250, 640): 640,
        (900, 40): 40,
        (40_000, 1): 1,
        (96, 20, 7): 140,
        (64, 16, 5, 3): 240,
        (80, 6, 3, 3, 5): 270,
    }
    for shape, fan_in in shapes.items():
        weight = torch.full(shape, 9.0)
        memory = weight.detach()
        returned = lecun_normal_(weight)
        test.is_a(returned, torch.Tensor)
        test.shape(weight, shape, "Fill the tensor, do not resize it.")
        test.that(
            not (memory == 9).any(),
            "The tensor passed in keeps old values: fill all of it in place.",
        )
        test.that(
            returned is weight, "Return the tensor that was passed in: no copy, no `.data`."
        )
        test.that(
            not weight.requires_grad, "A tensor that came without requires_grad must stay so."
        )
        test.that(
            weight.unique().numel() > 0.9 * weight.numel(),
            "Values repeat: each entry should be a draw of its own.",
        )
        kind = "a linear weight" if len(shape) == 2 else f"a {len(shape) - 2}-d convolution"
        test.close(
            weight.std().item(),
            math.sqrt(1 / fan_in),
            f"The standard deviation of {kind} is not √(1 / f_in).",
            known=[
                (
                    math.sqrt(1 / shape[1]),
                    f"For {kind} only the input channels count so far; the kernel's positions add up too.",
                ),
                (
                    math.sqrt(1 / shape[0]),
                    f"For {kind} shape[0] was taken for the fan-in; it is the fan-out.",
                ),
                (
                    1 / fan_in,
                    "The variance 1 / f_in was passed where a standard deviation belongs.",
                ),
                (math.sqrt(2 / fan_in), "That is He's variance 2 / f_in; LeCun's is 1 / f_in."),
                (
                    0.8796 * math.sqrt(1 / fan_in),
                    "The tails are cut off: the draw should be normal, untruncated.",
                ),
            ],
            rtol=0.04,
        )
        test.that(
            abs(weight.mean().item()) < 0.05 * weight.std().item(),
            "The draws should be centred on 0.",
        )
        tails = (weight.abs() > 2 * weight.std()).float().mean().item()
        test.that(
            0.035 < tails < 0.056,
            "4.6 % of normal draws lie beyond 2σ; yours do not: is the draw normal, untruncated?",
        )
    layer = nn.Conv2d(8, 16, 3)
    before = layer.weight
    lecun_normal_(layer.weight)
    test.that(
        layer.weight is before and before.requires_grad,
        "The layer's parameter must stay the same, trainable tensor.",
    )
    test.that(
        before.is_leaf and before.grad_fn is None,
        "Autograd recorded the filling: do it under torch.no_grad().",
    )
    test.that(
        lecun_normal_(torch.zeros(9, 9, dtype=torch.float64)).dtype == torch.float64,
        "The dtype must not change.",
    )
    first, second = (lecun_normal_(torch.zeros(20, 20)).clone() for _ in range(2))
    test.that(
        not torch.equal(first, second),
        "Two calls give the same numbers: do not fix the seed inside.",
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="lecun_normal_"
# `weight[0].numel()` counts exactly the terms of the sum that makes one output, and that is what the variance argument
# is about, so one line serves every kind of layer. PyTorch has this draw as
# `nn.init.kaiming_normal_(w, nonlinearity="linear")`. Mind the default of that function: without the argument it assumes
# a leaky ReLU with slope 0, which is He's rule.

# %% [markdown]
# ## What PyTorch does when you do nothing
#
# `nn.Linear` calls `kaiming_uniform_(weight, a=√5)`. In spite of its name that is *not* He's rule. The slope $a = \sqrt 5$ makes the
# variance $2/((1+5) f_\text{in})$, which means
#
# $$w \sim \mathcal U\!\left(-\tfrac{1}{\sqrt{f_\text{in}}},\; \tfrac{1}{\sqrt{f_\text{in}}}\right),\qquad \sigma^2 = \frac{1}{3 f_\text{in}}$$
#
# and the biases get the same draw. Against He's rule the weights are too small by $\sqrt 6$, against LeCun's by $\sqrt 3$: you could
# multiply by those numbers. Better to say what you mean with `nn.init`.

# %%
torch.manual_seed(0)
layer = nn.Linear(784, 1000)
bound, std = layer.weight.abs().max().item(), layer.weight.std().item()
print(
    f"largest |w|: {bound:.5f}   largest |b|: {layer.bias.abs().max():.5f}   1/√784 = {1 / 28:.5f}"
)
print(
    f"He's σ is {math.sqrt(2 / 784) / std:.3f} times larger (√6 = {math.sqrt(6):.3f}),", end=" "
)
print(f"LeCun's {math.sqrt(1 / 784) / std:.3f} times (√3 = {math.sqrt(3):.3f})")

# %% [markdown] role="card" exercise="init_he" level=2 minutes=12 topic="Initialising a model" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.apply"
# ### Initialise a whole model
#
# `model.apply(fn)` calls `fn` on every submodule and on the model itself. Write the `fn`:
#
# - the weight of every `nn.Linear` and `nn.Conv2d`: He's **normal** draw for ReLU, fan-in mode,
# - their biases: zero, where there is one,
# - everything else (normalisation layers, embeddings, containers): untouched.
#
# Use `nn.init`; you have written enough draws by hand.


# %% role="stub" exercise="init_he"
def init_he(module: nn.Module) -> None:
    """Initialise one module in place if it is linear or convolutional; for use with `model.apply`.

    Args:
        module: any module; all but `nn.Linear` and `nn.Conv2d` are left as they are.
    """
    ### BEGIN SOLUTION
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    ### END SOLUTION


# %% role="check" exercise="init_he"
with Check("init_he") as check:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(16, 128, 3, bias=False),
        nn.BatchNorm2d(128),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(256, 300),
    )
    conv, norm, linear = model[0], model[1], model[4]
    nn.init.constant_(norm.weight, 5.0)
    nn.init.constant_(norm.bias, 5.0)
    default = {layer: layer.weight.detach().clone() for layer in (conv, linear)}
    model.apply(init_he)
    for layer, name in ((linear, "linear weight"), (conv, "convolution")):
        check.that(
            not torch.equal(layer.weight, default[layer]),
            f"The {name} still has PyTorch's default draw.",
        )
        repeats = layer.weight.unique().numel() < 0.9 * layer.weight.numel()
        check.that(
            not repeats,
            f"In the {name}, values repeat: each entry should be a draw of its own.",
        )
    check.close(
        linear.weight.std().item(),
        math.sqrt(2 / 256),
        "The linear weight's standard deviation is not √(2/f_in).",
        known=[
            (
                math.sqrt(1 / (3 * 256)),
                "The linear weight has the variance of PyTorch's default draw. Which slope did you pass?",
            ),
            (
                math.sqrt(1 / 256),
                "The linear weight has LeCun's variance. For ReLU it is 2/f_in.",
            ),
            (
                math.sqrt(2 / 300),
                "The linear weight was drawn by fan-out. Look at the argument `mode`.",
            ),
            (2 / 256, "The variance 2/f_in was passed where a standard deviation belongs."),
        ],
        rtol=0.02,
    )
    check.close(
        conv.weight.std().item(),
        math.sqrt(2 / 144),
        "The convolution's standard deviation is not √(2/f_in).",
        known=[
            (
                math.sqrt(2 / 1152),
                "The convolution was drawn by fan-out. Look at the argument `mode`.",
            ),
            (
                math.sqrt(2 / 16),
                "For the convolution only input channels were counted; the kernel's positions add up too.",
            ),
        ],
        rtol=0.04,
    )
    check.that(
        linear.weight.abs().max() > 3 * linear.weight.std(),
        "The draw is not normal: it has no tails.",
    )
    check.is_a(
        linear.bias,
        nn.Parameter,
        "The linear layer has lost its bias. Set it to zero, do not remove it.",
    )
    check.that((linear.bias == 0).all(), "The bias of the linear layer should be zero.")
    check.that(
        (norm.weight == 5).all(),
        "The batch norm's weight was touched. Only Linear and Conv2d are meant.",
    )
    check.that(
        (norm.bias == 5).all(),
        "The bias of the BatchNorm2d was touched. Only Linear and Conv2d are meant.",
    )


# %% [markdown] role="hints" exercise="init_he"
# <details><summary>Hint 1: one module at a time</summary>
#
# `apply` does the walking. Your function looks at the one module it is handed: `isinstance(module, (A, B))`.
#
# </details>
# <details><summary>Hint 2: which function?</summary>
#
# He's draw is called after its author's first name: `nn.init.kaiming_normal_`. Zeros: `nn.init.zeros_`.
#
# </details>
# <details><summary>Hint 3: a layer without bias</summary>
#
# With `bias=False` the attribute is there, but it is `None`.
#
# </details>

# %% role="test" exercise="init_he" points=3
# Graded with hidden tests: nested models, layers without bias, groups, all that must stay untouched.
### BEGIN HIDDEN TESTS
with HiddenTest("init_he") as test:
    untouched = [
        nn.BatchNorm2d(6),
        nn.LayerNorm(12),
        nn.Embedding(50, 40),
        nn.GroupNorm(2, 8),
        nn.PReLU(),
        nn.Conv1d(3, 4, 2),
        nn.ConvTranspose2d(3, 4, 2),
    ]
    for module in untouched:
        for parameter in module.parameters():
            nn.init.constant_(parameter, 0.75)
    body = nn.Sequential(
        nn.Conv2d(12, 90, (3, 5)), nn.ReLU(), nn.Sequential(nn.Conv2d(90, 120, 1, bias=False))
    )
    grouped = nn.Conv2d(64, 128, 3, groups=4)
    head = nn.ModuleDict({"hidden": nn.Linear(320, 500), "out": nn.Linear(500, 70, bias=False)})
    model = nn.ModuleList([body, grouped, head, *untouched])
    parameters = dict(model.named_parameters())
    model.apply(init_he)
    after = dict(model.named_parameters())
    test.that(after.keys() == parameters.keys(), "Parameters were added or removed.")
    test.that(
        all(after[k] is parameters[k] for k in after),
        "Change the parameters in place; an optimiser made earlier must still see the same tensors.",
    )
    test.that(
        all(p.requires_grad and p.is_leaf for p in after.values()),
        "Change the parameters in place, and leave them trainable.",
    )
    fans = {body[0]: 180, body[2][0]: 90, grouped: 144, head["hidden"]: 320, head["out"]: 500}
    for layer, fan_in in fans.items():
        kind, weight = type(layer).__name__, layer.weight.detach()
        std = weight.std().item()
        test.that(
            weight.unique().numel() > 0.9 * weight.numel(),
            f"A {kind}'s values repeat: each is a draw of its own.",
        )
        test.close(
            std,
            math.sqrt(2 / fan_in),
            f"A {kind}'s weight does not have He's variance 2 / f_in.",
            known=[
                (
                    math.sqrt(1 / (3 * fan_in)),
                    f"A {kind} has the variance of PyTorch's default draw.",
                ),
                (
                    math.sqrt(1 / fan_in),
                    f"A {kind} has LeCun's variance 1 / f_in; ReLU needs 2 / f_in.",
                ),
                (
                    math.sqrt(2 / 576),
                    f"A {kind} with groups sees only its own group's channels: look at the weight's shape.",
                ),
            ],
            rtol=0.05,
        )
        tails = (weight.abs() > 2 * std).float().mean().item()
        test.that(
            0.03 < tails < 0.06,
            f"A {kind}'s weight is not normal: 4.6 % of the draws should lie beyond 2σ.",
        )
        test.that(
            layer.bias is None or bool((layer.bias == 0).all()), f"A {kind}'s bias is not zero."
        )
    for module in untouched:
        for parameter in module.parameters():
            kind = type(module).__name__
            test.that(
                bool((parameter == 0.75).all()),
                f"{kind} was touched. Only nn.Linear and nn.Conv2d are meant.",
            )
    twins = nn.Sequential(nn.Linear(30, 30), nn.Linear(30, 30)).apply(init_he)
    test.that(
        not torch.equal(twins[0].weight, twins[1].weight),
        "Two equal layers start equal: do not fix the seed inside.",
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="init_he"
# `apply` visits children first and the containers last, so a function that looks only at the module it is handed is enough.
# `isinstance` on the two classes, rather than "has a weight", keeps the others out: `kaiming_normal_` would raise an error on a batch norm's
# one-dimensional $\gamma$, and silently redraw every embedding. In-place changes keep the parameter objects, so the order of
# `apply` and of building the optimiser does not matter.

# %% [markdown]
# Your function on a network of 50 layers, next to what it replaces (a gradient of exactly 0 has underflowed):

# %%
with needs("init_he"):
    torch.manual_seed(1)
    mine = deep_mlp(50, n_inputs=n_inputs, n_classes=n_classes).apply(init_he).to(device)
    default = deep_mlp(50, n_inputs=n_inputs, n_classes=n_classes).to(device)
    for name, model in (("yours", mine), ("default", default)):
        first, *_, last = travel(model, images, labels)
        print(
            f"{name:8} signal behind layer 50: {last['signal']:.1e}   gradient at layer 1: {first['gradient']:.1e}"
        )

# %% [markdown]
# ## Orthogonal matrices keep lengths
#
# He's rule keeps the mean square *on average*. A square matrix with orthonormal rows, $QQ^\top = Q^\top Q = I$, keeps the length of **every**
# vector exactly: $\lVert Qx\rVert = \lVert x\rVert$, and backward too (Saxe et al., 2014). It is the classic choice for recurrent networks, where one matrix is
# applied again and again, and it is popular in GANs. For ReLU it takes the same factor $\sqrt 2$; with ReLU in between, and for a matrix that is not square, lengths
# are kept on average only.

# %%
torch.manual_seed(0)
q = nn.init.orthogonal_(torch.empty(100, 100, dtype=torch.float64))
gaussian = torch.randn(100, 100, dtype=torch.float64) / 10
v = torch.randn(100, dtype=torch.float64)
print(f"largest deviation of QQᵀ from I: {(q @ q.T - torch.eye(100)).abs().max():.1e}")
for name, matrix in (("orthogonal", q), ("gaussian", gaussian)):
    length = (torch.linalg.matrix_power(matrix, 50) @ v).norm() / v.norm()
    stretch = torch.linalg.svdvals(matrix)
    print(
        f"{name:10} length after 50 applications: {length:.1e} of the first; stretches by {stretch.min():.2f} to {stretch.max():.2f}"
    )

# %% [markdown]
# The Gaussian matrix has the right variance (that the length grew is this draw's accident), yet it crushes some directions and stretches others nearly twofold.
# Keep that in mind for the final race.

# %% [markdown]
# ## Biases may be equal, weights never
#
# Zero biases are fine. Zero weights are not, and neither is any other constant: if two hidden units start with equal weights, incoming *and* outgoing, they
# compute the same output, receive the same gradient and take the same step. They stay twins for ever, and a layer
# of 32 units is worth one. Random weights **break the symmetry**; the biases need not, because the weights already have.

# %% [markdown] role="card" exercise="gradient_spread" level=2 minutes=12 topic="Symmetry" doc="https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html"
# ### See the symmetry in the gradients
#
# Measure how far apart the first layer's units are *pushed*: after one backward pass of the cross-entropy, row $i$ of the first weight's
# gradient, $g_i$, belongs to hidden unit $i$. Return the largest absolute difference between any two units,
#
# $$\max_{i,k,j}\; \lvert g_{ij} - g_{kj} \rvert,$$
#
# where $j$ runs over the inputs. It is 0 if and only if all units get the same gradient.
# Gradients that lie in the model from an earlier backward pass must not count.


# %% role="stub" exercise="gradient_spread"
def gradient_spread(model: nn.Sequential, x: torch.Tensor, y: torch.Tensor) -> float:
    """Largest difference between the gradients of any two units of the first layer.

    Args:
        model: a network whose first layer, `model[0]`, is an `nn.Linear`; it ends in logits.
        x: inputs, shape (batch, features).
        y: class indices, shape (batch,), int64.

    Returns:
        max over units i, k and inputs j of |g[i, j] - g[k, j]|, g the gradient of the mean
        cross-entropy with respect to `model[0].weight`, shape (units, features).
    """
    ### BEGIN SOLUTION
    model.zero_grad()
    F.cross_entropy(model(x), y).backward()
    g = model[0].weight.grad
    return (g.amax(dim=0) - g.amin(dim=0)).max().item()
    ### END SOLUTION


# %% role="check" exercise="gradient_spread"
with Check("gradient_spread") as check:
    torch.manual_seed(0)
    x, y = torch.randn(64, 5), torch.randint(3, (64,))
    model = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Linear(8, 3))
    before = [p.detach().clone() for p in model.parameters()]
    g, out = torch.autograd.grad(
        F.cross_entropy(model(x), y), [model[0].weight, model[2].weight]
    )
    (soft,) = torch.autograd.grad(F.cross_entropy(model(x).softmax(1), y), model[0].weight)
    ordered = [(g[i] - g[k]).max().item() for i in range(8) for k in range(i)]
    reverse = [(g[k] - g[i]).max().item() for i in range(8) for k in range(i)]
    right = max(*ordered, *reverse)

    spread = gradient_spread(model, x, y)
    same = all(torch.equal(p, old) for p, old in zip(model.parameters(), before, strict=True))
    check.that(same, "Measuring must not change the model: its weights are not what they were.")
    check.close(
        spread,
        right,
        "The spread of this small network is off.",
        known=[
            (
                (g - g[0]).abs().max().item(),
                "You compare all units with the first; any two units are meant.",
            ),
            (
                g.diff(dim=0).abs().max().item(),
                "You compare each unit with its neighbour; any two units are meant.",
            ),
            (
                min(max(ordered), max(reverse)),
                "The absolute value is missing: g_i − g_k may be negative.",
            ),
            (
                (g.amax(1) - g.amin(1)).max().item(),
                "You compare inputs within one unit. Rows are units: compare along dim 0.",
            ),
            (
                (g.max() - g.min()).item(),
                "You mixed the inputs: compare two units at the same input j, then take the largest.",
            ),
            (
                (before[0].amax(0) - before[0].amin(0)).max().item(),
                "You compare the weights; their gradients are meant.",
            ),
            (
                (out.amax(0) - out.amin(0)).max().item(),
                "These are the output layer's gradients; the first layer's are meant.",
            ),
            (64 * right, "The loss is summed over the batch; its mean is meant."),
            (
                (soft.amax(0) - soft.amin(0)).max().item(),
                "There is a softmax before the cross-entropy, which has its own.",
            ),
            (
                0.0,
                "0 for a network with random weights: were the gradients cleared before you read them?",
            ),
        ],
    )
    again = gradient_spread(model, x, y)
    check.close(
        again,
        spread,
        "A second call gives another value: gradients add up in .grad until they are cleared.",
    )
    # equal units: each row of the first weight the same, and each column of the second
    nn.init.constant_(model[0].weight, 0.3)
    nn.init.zeros_(model[0].bias)
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[0.3], [-0.1], [0.2]]).expand(3, 8))
    check.close(gradient_spread(model, x, y), 0.0, "With equal units the spread should be 0.")


# %% [markdown] role="hints" exercise="gradient_spread"
# <details><summary>Hint 1: the order of things</summary>
#
# Clear old gradients, compute the loss, call `backward()`, look at `model[0].weight.grad`, shape (units, features).
#
# </details>
# <details><summary>Hint 2: the largest difference of any two</summary>
#
# No double loop: at each input, the largest difference between any two units is the maximum over units minus the minimum over units.
#
# </details>
# <details><summary>Hint 3: nearly there</summary>
#
# `g.amax(dim=0) - g.amin(dim=0)` has one entry per input. You want the largest, as a plain number: `.max().item()`.
#
# </details>

# %% role="test" exercise="gradient_spread" points=2
# Graded with hidden tests: other networks, stale gradients, equal and half-equal weights.
### BEGIN HIDDEN TESTS
with HiddenTest("gradient_spread") as test:
    for features, units, classes, activation in (
        (7, 4, 3, nn.ReLU),
        (3, 20, 6, nn.Tanh),
        (12, 2, 2, nn.Sigmoid),
    ):
        for _ in range(3):
            x, y = (
                2 * torch.randn(50, features, dtype=torch.float64),
                torch.randint(classes, (50,)),
            )
            model = nn.Sequential(
                nn.Linear(features, units), activation(), nn.Linear(units, classes)
            ).double()
            weights = [p.detach().clone() for p in model.parameters()]
            # the oracle is computed first, from tensors of its own
            w1, b1, w2, b2 = (p.clone().requires_grad_() for p in weights)
            loss = F.cross_entropy(activation()(x @ w1.T + b1) @ w2.T + b2, y)
            (g,) = torch.autograd.grad(loss, w1)
            (model(x).sum() * 10).backward()  # stale gradients of another loss
            both = g + model[0].weight.grad
            spread = gradient_spread(model, x, y)
            test.close(
                spread,
                max((a - b).abs().max().item() for a in g for b in g),
                "The spread is not the largest absolute difference between any two units' gradients.",
                known=[
                    (
                        (both.amax(0) - both.amin(0)).max().item(),
                        "Gradients of an earlier backward pass were counted: clear them first.",
                    ),
                    (
                        (g.amax(1) - g.amin(1)).max().item(),
                        "Inputs within a unit are compared; rows are units, so compare along dim 0.",
                    ),
                    (
                        (g.max() - g.min()).item(),
                        "Different inputs are mixed: compare two units at the same input.",
                    ),
                    (0.0, "The spread is 0 although the units differ."),
                ],
            )
            for parameter, weight in zip(model.parameters(), weights, strict=True):
                test.that(
                    torch.equal(parameter, weight),
                    "Measuring must not change the model's weights.",
                )
                test.that(parameter.requires_grad, "Measuring must leave the model trainable.")
    x, y = torch.randn(40, 6), torch.randint(3, (40,))
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 3))
    nn.init.constant_(model[0].weight, 0.2)
    nn.init.constant_(model[0].bias, 0.1)
    with torch.no_grad():
        model[2].weight.copy_(torch.tensor([[0.3], [-0.1], [0.2]]).expand(3, 5))
    test.close(
        gradient_spread(model, x, y),
        0.0,
        "Units with equal weights, incoming and outgoing, must have a spread of 0.",
    )
    with torch.no_grad():
        model[2].weight[0, 4] += 0.5
    test.that(
        gradient_spread(model, x, y) > 1e-5,
        "One unit's outgoing weights differ, so its gradient differs: the spread is not 0.",
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="gradient_spread"
# The gradient of unit $i$ is $\delta_i x^\top$, and $\delta_i$ depends only on the unit's outgoing weights and on its own pre-activation. If both agree
# with unit $k$'s, so do the gradients (with *all* output weights equal they even vanish, because $\sum_c (p_c - y_c) = 0$), and after the step so do the weights again: equality reproduces itself. It takes a difference in *either* layer
# to break it. Note also what the measure did not need: a double loop over pairs of units. The largest difference of any two numbers is maximum minus minimum.

# %% [markdown]
# **Predict, then run.** A network 784-32-10 is trained with all weights at 0.01, and once more with random ones. How many *different* hidden
# units does the first have in the end, and can it still learn something?


# %%
def train_symmetric(constant, seed):
    """Train 784-32-10 from equal or random weights; count the distinct hidden units afterwards."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(n_inputs, 32), nn.Tanh(), nn.Linear(32, n_classes)).to(
        device
    )
    if constant:
        initialise(model, lambda w: nn.init.constant_(w, 0.01))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    history = lab.fit(model, data, optimizer, epochs=budget(2, fast=1), seed=seed, bar=False)
    # equal up to rounding: a matrix product may sum its rows in different orders
    rows = model[0].weight.detach().cpu()
    distinct = int((torch.cdist(rows, rows) < 1e-3).float().sum(0).reciprocal().sum().round())
    return {"distinct units": distinct, "accuracy": history.last["valid_accuracy"]}


symmetry = lab.sweep(
    lambda constant, seed: train_symmetric(constant, seed), {"constant": [True, False]}, seeds
)
symmetry.groupby("constant")[["distinct units", "accuracy"]].mean().rename(
    {True: "equal", False: "random"}
)

# %% [markdown]
# One unit out of 32: the equal network is a single unit in disguise, and through one number between input and output it tells
# apart a few classes at best.

# %% [markdown]
# ## A small output layer: do not start over-confident
#
# Before training, a classifier knows nothing and should say so: equal probabilities for all $K$ classes, a loss of $\log K$ (2.303 for ten). If
# the first logits are large, it is confidently wrong instead. The first loss is then far higher, and the optimiser spends its first steps on nothing but taking that
# confidence back. The cure is to scale the last layer down, by 10 or so.

# %% [markdown] role="card" exercise="shrink_head_" level=3 minutes=15 topic="Initialising a model" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.modules"
# ### Shrink the head
#
# Divide the weight and the bias (where there is one) of the **last** `nn.Linear` of a model by `factor`, in place, and return the model.
#
# The last linear layer need not be the last module: the model may end in `nn.LogSoftmax` or be nested. "Last" means last in the
# order of `model.modules()`. The parameters must stay the same objects, since an optimiser may already hold them. A model without any
# `nn.Linear` is an error: raise `ValueError`.


# %% role="stub" exercise="shrink_head_"
def shrink_head_(model: nn.Module, factor: float = 10.0) -> nn.Module:
    """Scale the last linear layer down in place, so that the first logits are small.

    Args:
        model: any module that contains at least one `nn.Linear`.
        factor: what weight and bias are divided by, above 0.

    Returns:
        The same model.

    Raises:
        ValueError: if the model has no `nn.Linear`.
    """
    ### BEGIN SOLUTION
    linears = [module for module in model.modules() if isinstance(module, nn.Linear)]
    if not linears:
        raise ValueError("The model has no nn.Linear to shrink.")
    with torch.no_grad():
        for parameter in linears[-1].parameters():
            parameter /= factor
    return model
    ### END SOLUTION


# %% role="check" exercise="shrink_head_"
with Check("shrink_head_") as check:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(6, 5), nn.ReLU(), nn.Sequential(nn.Linear(5, 4), nn.LogSoftmax(dim=1))
    )
    body, head = model[0], model[2][0]
    held = list(model.parameters())  # as an optimiser holds them
    before = {name: value.clone() for name, value in model.state_dict().items()}
    returned = shrink_head_(model)
    check.that(returned is model, "Return the model that was passed in.")
    check.that(
        all(p is q for p, q in zip(model.parameters(), held, strict=True)),
        "The head has a new parameter that an optimiser does not know: change the old one in place.",
    )
    check.that(
        torch.equal(body.weight, before["0.weight"]),
        "The first layer changed. Only the last nn.Linear, nested or not, is meant.",
    )
    check.close(
        head.weight,
        before["2.0.weight"] / 10,
        "The head's weight should be a tenth of what it was.",
        known=[
            (
                before["2.0.weight"],
                "The head's weight has not changed. It is not the last module, but the last nn.Linear.",
            ),
            (before["2.0.weight"] * 10, "The head's weight was multiplied; divide it."),
        ],
    )
    check.close(
        head.bias,
        before["2.0.bias"] / 10,
        "The head's bias should be a tenth of what it was, too.",
    )
    single = nn.Linear(3, 2, bias=False)
    weight = single.weight.detach().clone()
    shrink_head_(single, factor=4.0)
    check.close(
        single.weight,
        weight / 4,
        "A single layer without bias, shrunk by 4, should be a quarter of what it was.",
        known=[(weight / 10, "The argument `factor` is ignored.")],
    )


# %% [markdown] role="hints" exercise="shrink_head_"
# <details><summary>Hint 1: find it wherever it is</summary>
#
# `model.modules()` walks the model and everything nested in it, in order. Collect the linear layers and take the last.
#
# </details>
# <details><summary>Hint 2: in place</summary>
#
# `layer.weight = ...` would make a new parameter, or fail. Under `torch.no_grad()`, `parameter.div_(factor)` changes the old one.
#
# </details>
# <details><summary>Hint 3: a layer without bias</summary>
#
# `layer.parameters()` yields only what is there: the weight, and the bias if the layer has one.
#
# </details>

# %% role="test" exercise="shrink_head_" points=3
# Graded with hidden tests: nested models, heads without bias, other factors, models with nothing to shrink.
### BEGIN HIDDEN TESTS
with HiddenTest("shrink_head_") as test:
    plain = nn.Sequential(nn.Linear(7, 9), nn.Tanh(), nn.Linear(9, 5))
    nested = nn.Sequential(
        nn.Conv2d(1, 2, 3),
        nn.Sequential(nn.Sequential(nn.Linear(8, 6, bias=False))),
        nn.Softmax(1),
    )
    mixed = nn.ModuleDict(
        {"body": nn.Linear(4, 4), "head": nn.Linear(4, 3), "norm": nn.BatchNorm1d(3)}
    )
    unsorted = nn.ModuleDict({"tail": nn.Linear(4, 4), "head": nn.Linear(4, 4)})
    conv_last = nn.Sequential(
        nn.Linear(6, 12), nn.Unflatten(1, (3, 4)), nn.Conv1d(3, 2, 1), nn.Embedding(3, 2)
    )
    frozen = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2)).requires_grad_(False)
    single = nn.Linear(5, 2)
    cases = (
        (plain, "2", 10.0),
        (nested, "1.0.0", 4.0),
        (mixed, "head", 25.0),
        (unsorted, "head", 3.0),
        (conv_last, "0", 5.0),
        (frozen, "1", 2.0),
        (single, "", 2.0),
    )
    for model, head, factor in cases:
        objects = dict(model.named_parameters())
        before = {name: p.detach().clone() for name, p in objects.items()}
        trainable = {name: p.requires_grad for name, p in objects.items()}
        returned = shrink_head_(model) if factor == 10 else shrink_head_(model, factor=factor)
        test.that(returned is model, "The model that was passed in must be returned.")
        after = dict(model.named_parameters())
        test.that(after.keys() == before.keys(), "Parameters were added or removed.")
        test.that(
            all(after[k] is objects[k] and after[k].is_leaf for k in after),
            "Change the parameters in place, under torch.no_grad(): an optimiser may already hold them.",
        )
        test.that(
            all(after[k].requires_grad == trainable[k] for k in after),
            "A parameter's requires_grad changed: what was trainable stays trainable, what was frozen stays frozen.",
        )
        for name, value in before.items():
            kind = "bias" if "bias" in name else "weight"
            if not name.startswith(head):
                test.close(after[name], value, "A layer other than the last nn.Linear changed.")
                continue
            test.close(
                after[name],
                value / factor,
                f"The {kind} of the last nn.Linear is not divided by the factor.",
                known=[
                    (
                        value,
                        f"The {kind} of the last nn.Linear has not changed. Look among all modules, nested ones too.",
                    ),
                    (value / 10, "The argument `factor` is ignored."),
                    (value * factor, "The head is multiplied by the factor; divide."),
                ],
            )
    try:
        shrink_head_(nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU()))
        raised = "nothing"
    except ValueError:
        raised = "ValueError"
    except Exception as error:
        raised = type(error).__name__
    test.that(
        raised == "ValueError",
        f"A model without any nn.Linear should raise a ValueError, but it raised {raised}.",
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="shrink_head_"
# With small logits $z$ the softmax is almost uniform, and the loss is $\log K$ plus small terms. Those of second order in $z$ shrink a hundredfold; the first-order one,
# $\bar z - z_y$ averaged over the batch, only tenfold, and it may have either sign. A few per cent of the excess are left. The hidden layers keep their scale, so the head's own
# gradient, which is made of *their* activations, is as strong as before; what flows back into them passes through the smaller head and is ten times weaker until the head has grown. Scaling the whole
# network down would buy the same first loss at the price of everything this lesson is about.


# %%
def first_loss(scheme, factor, seed):
    torch.manual_seed(seed)
    model = initialise(deep_mlp(2, n_inputs=n_inputs, n_classes=n_classes), SCHEMES[scheme]).to(
        device
    )
    logits = (
        model(images) / factor
    )  # what a head without bias gives once its weights are divided by `factor`
    return {"loss": F.cross_entropy(logits, labels).item()}


first = lab.sweep(first_loss, {"scheme": ["N(0, 1)", "He"], "factor": [1, 10]}, seeds)
print(f"log K = {math.log(n_classes):.3f}")
first.pivot_table(index="scheme", columns="factor", values="loss", sort=False).round(3)

# %% [markdown]
# He's draw starts about one above $\log K$ (its logits have a variance of about 2) and, with a head ten times smaller, on it. With $\mathcal N(0, 1)$ the first loss is in the thousands, and even a tenth of the
# head leaves it in the hundreds: the head cannot mend what 784 inputs and two layers have blown up.

# %% [markdown]
# ## The race: thirty layers, one epoch
#
# Does any of this matter for *training*? We give four schemes the same network (30 × 100, ReLU), the same data, the same single epoch and the same optimiser, SGD
# with momentum. Each scheme gets **its own best learning rate**: all try the same grid, judged on validation images. The winners then run
# again with ten fresh seeds, judged on test images, with 95 % intervals. One shared rate would be quicker, and would prove nothing.
#
# **Predict, then run.** Order the four schemes. By how much will the orthogonal draw beat He's, if it does?


# %%
def race(scheme, lr, seed, split="test"):
    torch.manual_seed(seed)
    model = deep_mlp(30, n_inputs=n_inputs, n_classes=n_classes)
    model = initialise(model, SCHEMES[scheme]).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    lab.fit(model, race_data, optimizer, epochs=race_epochs, seed=seed, bar=False)
    return {"accuracy": lab.evaluate(model, getattr(race_data, split))["accuracy"]}


race_data = data.take(train=budget(20_000, fast=2_000), valid=2_000)
race_epochs = 1
RACERS = ["PyTorch's default", "Glorot", "He", "orthogonal × √2"]
rates = budget([3e-4, 1e-3, 3e-3, 1e-2], fast=[1e-3, 3e-3])

tuning = lab.sweep(
    lambda scheme, lr, seed: race(scheme, lr, seed, split="valid"),
    {"scheme": RACERS, "lr": rates},
    seeds=budget(range(100, 103), fast=[100]),
)
chosen = lab.best(tuning, by="scheme", over="lr", value="accuracy").set_index("scheme")
results = lab.sweep(
    lambda scheme, seed: race(scheme, chosen.lr[scheme], seed),
    {"scheme": RACERS},
    budget(range(10), fast=range(2)),
)
table = lab.summary(results, by="scheme", value="accuracy")
table.join(chosen[["lr", "at_edge"]], on="scheme").round(4)


# %%
def plot_race(table):
    fig, ax = lab.figure(height=2.6)
    for place, row in enumerate(table.itertuples()):
        ax.errorbar(
            row.mean,
            place,
            xerr=[[row.mean - row.low], [row.high - row.mean]],
            fmt="os^D"[place],
            capsize=4,
        )
    ax.axvline(1 / n_classes, color="grey", linestyle=":", label="guessing")
    ax.set(
        yticks=range(len(table)),
        yticklabels=table.scheme,
        xlim=(0, 1),
        ylim=(-0.6, len(table) - 0.4),
    )
    ax.set(xlabel="test accuracy after one epoch, mean and 95 % interval over seeds")
    ax.legend(loc="lower right")
    return fig


lab.show(
    plot_race(table),
    alt="Test accuracy of four initialisations with 95 % intervals. PyTorch's default and Glorot "
    "stand on the line of guessing, He near 0.65, orthogonal × √2 near 0.7.",
)

# %% [markdown]
# (The text speaks of the full run on the real images; in fast mode, or on the built-in digits, nobody gets far. `at_edge` says that the best rate was the
# smallest or largest of the grid; for a network that learns at no rate it means nothing.)
#
# Two networks never left the start, and no learning rate in the grid could help them: their gradients are too small to move the weights. He's rule trains. The orthogonal draw
# does better still. Its matrices alone keep every length; the ReLUs between them do not, so this explains the lead only in part. How sure can we be of it? The same seed gives both networks the
# same batches, so we compare seed by seed:

# %%
lab.paired_difference(results, by="scheme", value="accuracy", baseline="He").round(3)

# %% [markdown]
# Read the row of the orthogonal draw: `mean` is its lead over He in accuracy, `low` and `high` its 95 % interval, and `excludes_zero` says whether that interval
# leaves out 0. The spread from seed to seed (`sd`) is about as large as the lead itself: now and then He wins a single pair of runs.
#
# Could we have known beforehand? The **health panel** takes one batch and one trial step (SGD, rate 0.1, on a copy). Look at the right-hand column: the gradients of
# the default spread over ten and more powers of ten from layer to layer, and its trial step leaves the first layers as they are ("-inf": no change at all). He's gradients
# overlap and each layer moves by a similar share. A share of $10^{-3}$ per step is usual in training; He's $10^{-2}$ says that the trial rate is too high for this network.
# The left-hand column agrees. Behind the first layers the default's activations shrink to a narrow spike, and about half of the units are 0 for every image of the batch; with He they stay
# spread out and far fewer units are dead. (The panel counts modules, so its layers have even numbers.)

# %%
torch.manual_seed(0)
PANELS = {
    "PyTorch's default": "gradients spread over a dozen powers of ten from layer to layer, updates "
    "rise from nothing to 1/1000 of the weights, about half of the units are dead",
    "He": "the gradients of all layers overlap, updates are about 1/100 of the weights in every "
    "layer, few units are dead in the early layers and less than half in the last",
}
for scheme, finding in PANELS.items():
    patient = deep_mlp(30, n_inputs=n_inputs, n_classes=n_classes)
    patient = initialise(patient, SCHEMES[scheme]).to(device)
    panel = lab.network_health(patient, images, labels).plot()
    panel.suptitle(f"{scheme}, before the first step")
    lab.show(panel, alt=f"Health panel of the 30-layer network, {scheme}: {finding}.")

# %% [markdown]
# ## Play with it
#
# Move the gain away from the critical value, then reduce the depth until the network forgives you. Change the activation, and find its critical gain by hand.
# SELU's is 1, which is LeCun's rule. (He's $\sqrt 2$ is *not* right for SiLU in deep networks. Try it: the next lesson explains why.)

# %%
from ipywidgets import Dropdown, FloatSlider, IntSlider, interact

PLAYGROUND = {**ACTIVATIONS, "SiLU": nn.SiLU, "SELU": nn.SELU}


@interact(
    depth=IntSlider(30, 2, 60, 2, continuous_update=False),
    gain=FloatSlider(1.4, min=0.4, max=3, step=0.05, continuous_update=False),
    activation=Dropdown(options=list(PLAYGROUND)),
)
def explore(depth, gain, activation):
    torch.manual_seed(0)
    model = deep_mlp(
        depth, activation=PLAYGROUND[activation], n_inputs=n_inputs, n_classes=n_classes
    )
    initialise(model, lambda w: nn.init.normal_(w, std=gain / math.sqrt(w.shape[1])))
    frame = pd.DataFrame(travel(model.to(device), images, labels))
    fig, axes = lab.figure(1, 2, height=2.8)
    for ax, quantity in zip(axes, ("signal", "gradient"), strict=True):
        ax.semilogy(frame.layer, frame[quantity].clip(1e-25, 1e20).fillna(1e20))
        ax.set(
            xlabel="layer",
            ylabel=quantity,
            ylim=(1e-12, 1e12),
            title=f"{activation}, gain {gain:.2f}",
        )
    lab.show(
        fig,
        alt=f"Signal and gradient over {depth} layers of {activation} with gain {gain:.2f}, logarithmic.",
    )


# %% [markdown] role="question" exercise="zero_weights" minutes=10
# ### Zero biases, zero weights, and what initialisation solves
#
# In your own words, at most ten sentences: (a) Which problem do Glorot's and He's rules solve, and which quantity do they hold constant? (b) Why may all
# biases start at zero, but not all weights? (c) A colleague shows you that the activations of their new network have the same spread in every layer, and calls
# the initialisation proven. Which further measurements from this lesson would you ask for, and why?

# %% [markdown] role="answer" exercise="zero_weights" points=3
# (a) In a deep network signals and gradients are multiplied by one factor per layer, so anything but a factor close to 1 makes them vanish or explode with depth, and the first
# layers stop learning or diverge. Both rules choose the variance of the weights so that this factor is 1, or as near as one number can bring it in both directions: Glorot averages the demands of the forward pass
# ($1/f_\text{in}$) and of the backward pass ($1/f_\text{out}$) for activations that are linear around 0; He keeps the mean square of the activations constant forward for ReLU, which drops half of
# it and so needs twice the variance. (b) Units with equal weights compute the same output, get the same gradient and stay equal: the layer is worth
# one unit; with all weights zero the gradients of the hidden layers vanish as well. Biases may be equal because random weights already make the units different.
# (c) Forward and backward are two questions: tanh with $\mathcal N(0, 1)$ has perfect activations and a gradient that explodes, so I would ask for the gradient norm of every
# layer. I would ask what the spread was taken over, because the spread over units can hide that nothing depends on the input any more; and for the first loss, which should be $\log K$, because
# an over-confident head shows in none of the hidden layers.

# %% [markdown]
# ## What we measured
#
# Every figure that the text above relies on, asserted on this machine, with a margin.

# %%
at = journeys.set_index(["activation", "scheme", "layer"]).sort_index()


def worst(activation, scheme, quantity, ratio=(1, 50)):
    """Smallest and largest ratio of a quantity between two layers over the seeds."""
    first, last = (at.loc[(activation, scheme, layer), quantity].to_numpy() for layer in ratio)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.min(last / first), np.max(last / first)


mean = results.groupby("scheme").accuracy.mean()
losses = first.groupby(["scheme", "factor"]).loss.mean()
units = symmetry.groupby("constant")["distinct units"]
theory = growth.gain * np.sqrt((1 + growth.slope**2) / 2)
he_back, default = worst("ReLU", "He", "gradient"), "PyTorch's default"

with Claims(data) as claim:
    claim(
        "784 standardised inputs and N(0, 1): a variance of 785, within 3 %",
        abs(z.var() / 785 - 1) < 0.03,
    )
    claim("more than 9 units in 10 then have |z| > 2", flat > 0.9)
    claim(
        "ReLU, He: after 50 layers between 1/100 of the signal and all of it is there",
        worst("ReLU", "He", "signal")[0] > 1 / 100 and worst("ReLU", "He", "signal")[1] < 1.5,
    )
    claim(
        "ReLU, He: the gradient stays within a factor of 30",
        he_back[0] > 1 / 30 and he_back[1] < 30,
    )
    claim(
        "ReLU, default: less than a millionth of the signal is left",
        worst("ReLU", default, "signal")[1] < 1e-6,
    )
    claim(
        "ReLU, Glorot: less than 1/100,000 is left", worst("ReLU", "Glorot", "signal")[1] < 1e-5
    )
    claim("tanh, N(0, 1): forward looks healthy", worst("tanh", "N(0, 1)", "signal")[0] > 0.5)
    claim(
        "tanh, N(0, 1): backward the gradient grows more than 1e12-fold",
        worst("tanh", "N(0, 1)", "gradient", (50, 1))[0] > 1e12,
    )
    claim(
        "sigmoid, Glorot: layer 1's gradient is below 1e-10 of layer 50's (it underflows)",
        worst("sigmoid", "Glorot", "gradient", (50, 1))[1] < 1e-10,
    )
    claim(
        "the growth per layer is g·√((1+α²)/2), within 6 %",
        ((growth.growth / theory - 1).abs() < 0.06).all(),
    )
    claim(
        "equal weights leave one distinct unit, random ones all 32",
        units.max()[True] == 1 and units.min()[False] == 32,
    )
    claim(
        "He with a head ten times smaller starts within 0.05 of log K",
        abs(losses["He", 10] - math.log(n_classes)) < 0.05,
    )
    claim(
        "N(0, 1) starts more than 100 times above log K",
        losses["N(0, 1)", 1] > 100 * math.log(n_classes),
    )
    claim(
        "30 layers, one epoch: He beats PyTorch's default by more than 30 points",
        mean["He"] > mean[default] + 0.3,
        weaker=mean["He"] > mean[default] - 0.05,
    )
    claim(
        "orthogonal × √2 beats He on the mean of the seeds",
        mean["orthogonal × √2"] > mean["He"],
        weaker=mean["orthogonal × √2"] > mean[default] - 0.05,
    )

# %% [markdown]
# ## In short
#
# | activation | draw | $\sigma^2$ | in PyTorch |
# |---|---|---|---|
# | none, tanh, sigmoid, softmax | Glorot | $1/f_\text{avg}$ | `nn.init.xavier_uniform_` |
# | ReLU and leaky ReLU | He | $2/((1+\alpha^2) f_\text{in})$ | `nn.init.kaiming_normal_(w, nonlinearity="relu")`; with slope `a=α, nonlinearity="leaky_relu"` |
# | ELU, GELU, SiLU, Mish, SwiGLU, ReLU² | He, by convention | $2/f_\text{in}$ | the same; in deep nets measure first |
# | SELU | LeCun, normal | $1/f_\text{in}$ | `nn.init.kaiming_normal_(w, nonlinearity="linear")` |
# | recurrent or very deep | orthogonal | $QQ^\top = I$ | `nn.init.orthogonal_(w, gain)` |
#
# - A deep network multiplies: keep the factor per layer at 1, forward and backward, and check both on one batch before you train.
# - PyTorch's default is not He's rule; its weights are $\sqrt 6$ too small for ReLU. It will do for shallow networks and kills deep ones.
# - Biases zero, weights random, head small: the first loss should be $\log K$.
#
# **Read on.** LeCun, Bottou, Orr and Müller (1998), *Efficient BackProp*. Glorot and Bengio (2010). Saxe, McClelland and Ganguli (2014) on orthogonal draws.
# He, Zhang, Ren and Sun (2015). The next lessons ask what the activation itself, normalisation and clipping can do.

# %%
lab.show_progress("ch01")
