# ---
# jupyter:
#   lesson:
#     title: Normalisation
#     minutes: 130
# ---

# %% [markdown]
# Take a network of ten sigmoid layers and train it for one epoch on 5,120 images. It guesses, at every learning rate you try. Now put one small
# layer in front of each sigmoid, `nn.BatchNorm1d`, and change nothing else. It is right about three times in four.
#
# Initialisation makes the *first* batch healthy. Normalisation keeps the following ones healthy, because it is part of the network
# and works at every step. It also has the most famous bug in deep learning, a weakness for small batches, and one trap that its reputation hides. You will
#
# - write batch norm yourself, forward, backward, and as a module with running statistics,
# - see the forgotten `model.eval()` at work, and write an evaluation that is immune to it,
# - measure what normalisation buys: learning rates, activations, careless initialisation, and what it costs,
# - melt it into the layer before it when training is over,
# - write layer norm, and know when to prefer it.
#
# You need: the lesson "Initialisation", and partial derivatives.

# %% role="setup"
import copy
import math
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

_ = torch.set_flush_denormal(True)  # the vanished numbers of a dead network cost time otherwise

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
images, labels = data.train[:512]  # one fixed batch, standardised, to look at networks with
n_inputs, n_classes = images.shape[1], len(data.classes)
data

# %% [markdown]
# ## A good start does not last
#
# He's rule gives every layer inputs of the right size, for the weights that we start with. Then the first step changes all weights at once, and the promise is void.
#
# **Predict, then run.** A ReLU network of ten layers starts from He's draw. By how much does the size of the pre-activations change
# during the first 40 steps, in layer 1 and in layer 10?

# %%
ACTIVATIONS = {"ReLU": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}
NORMS = {"none": None, "batch norm": nn.BatchNorm1d, "layer norm": nn.LayerNorm}


def normed_mlp(depth, norm="none", activation="ReLU", gain=None, order="before", width=100):
    """`depth` hidden layers Linear → norm → activation (order="after": Linear → activation → norm) and a head.

    Hidden weights are normal with σ = gain/√fan_in; None is √2 for ReLU (He) and 1 otherwise (LeCun).
    """
    if gain is None:
        gain = math.sqrt(2) if activation == "ReLU" else 1.0
    layers = []
    for fan_in in [n_inputs] + [width] * (depth - 1):
        linear = nn.Linear(fan_in, width, bias=norm == "none")
        nn.init.normal_(linear.weight, std=gain / math.sqrt(fan_in))
        if linear.bias is not None:
            nn.init.zeros_(linear.bias)
        block = [linear, ACTIVATIONS[activation]()]
        if norm != "none":
            block.insert(1 if order == "before" else 2, NORMS[norm](width))
        layers += block
    head = nn.Linear(width, n_classes)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head).to(device)


def train(model, data, lr, seed, epochs=1, batch_size=128, on_batch=None):
    """One run of SGD with momentum 0.9."""
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    return lab.fit(
        model,
        data,
        optimizer,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        bar=False,
        on_batch=on_batch,
    )


whole = (
    len(data.train) // 128 * 128
)  # whole batches: in training, batch norm refuses a last batch of one
small = data.take(
    train=min(whole, budget(5_120, fast=768)),
    valid=budget(1_000, fast=500),
    test=budget(1_000, fast=500),
)
seeds = budget(range(5), fast=range(2))


def drift(seed):
    torch.manual_seed(seed)
    model, rows = normed_mlp(10), []

    def look(step, _loss):
        hidden = images
        with torch.no_grad():
            for k, layer in enumerate(model[:-1]):
                hidden = layer(hidden)
                if k in (0, 8, 18):
                    size = hidden.square().mean().sqrt().item()
                    rows.append({"layer": k // 2 + 1, "step": step + 1, "size": size})

    look(-1, 0.0)
    train(model, small, 0.01, seed, on_batch=look)
    return rows


drifts = lab.sweep(drift, {}, seeds)

# %%
fig, ax = lab.figure(height=2.9)
lab.band(
    drifts.assign(layer="layer " + drifts.layer.astype(str)),
    "step",
    "size",
    by="layer",
    ax=ax,
    log=True,
)
ax.set(
    xlabel="step",
    ylabel="rms of the pre-activations",
    title="He's promise and what becomes of it",
)
lab.show(
    fig,
    alt="Root mean square of the pre-activations of layers 1, 5 and 10 over the first steps of training, logarithmic. "
    "Layer 1 grows by about a third; layer 10 first shrinks, then grows, by a factor of about five in all.",
)

# %% [markdown]
# (The text speaks of the full run on the real images; in fast mode, or on the built-in digits, nobody gets far.)
#
# Layer 1 sees the same images all the time, and grows by about a third. The later layers stand on moving ground: what layer 10 receives
# is the product of nine layers that all change at once. Its size first shrinks and then grows, about fivefold from its smallest to its largest value, within one epoch. He's rule knows
# nothing of that.
#
# ## Normalise inside the network
#
# We standardise the inputs of a network without a second thought. Ioffe and Szegedy (2015) do the same *inside*: **batch normalisation** takes each unit of a layer, and
# standardises it over the batch, at every step. For a batch of $B$ values $x_1, \dots, x_B$ of one unit,
#
# $$\mu = \frac1B\sum_i x_i,\qquad v = \frac1B\sum_i (x_i-\mu)^2,\qquad \hat x_i = \frac{x_i-\mu}{\sqrt{v+\varepsilon}},\qquad y_i = \gamma\,\hat x_i + \beta .$$
#
# $\varepsilon = 10^{-5}$ keeps a unit that is the same for the whole batch from dividing by zero. The variance is the **biased** one, divided by $B$, not by $B-1$:
# it need not estimate anything, it only has to make these $B$ numbers have variance 1. The scale $\gamma$ (it starts at 1) and the shift $\beta$ (it starts at 0) are
# learnt, one pair a unit. They give back what the standardisation took: if a unit should rather have mean 3, the network can say so
# in *one* parameter, instead of in all the weights of all the layers below.

# %% [markdown] role="card" exercise="batch_norm" level=2 minutes=10 topic="Batch normalisation" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm1d.html"
# ### Batch norm, forward
#
# Normalise a batch of shape `(B, F)` as in training: each of the `F` features over the `B` samples, by the four formulas above.
#
# Compute the variance from the deviations $x_i - \mu$ (or let `var` do it): the school formula $\mathbb E[x^2] - \mu^2$ loses all its digits when the mean
# is large. The result has the dtype of `x`, gradients flow through it to `x`, `gamma` and `beta`, and the arguments stay as they are.
# `F.batch_norm` would do it in one call. Write it yourself.


# %% role="stub" exercise="batch_norm"
def batch_norm(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float = 1e-5
) -> torch.Tensor:
    """Batch normalisation with the statistics of the batch (Ioffe and Szegedy, 2015).

    Args:
        x: a batch, shape (B, F), B at least 2, float32 or float64.
        gamma: scale of each feature, shape (F,).
        beta: shift of each feature, shape (F,).
        eps: added to the (biased) variance, under the root.

    Returns:
        The normalised, scaled and shifted batch, shape (B, F).
    """
    ### BEGIN SOLUTION
    mean = x.mean(dim=0)
    variance = x.var(dim=0, unbiased=False)
    return gamma * (x - mean) / torch.sqrt(variance + eps) + beta
    ### END SOLUTION


# %% role="check" exercise="batch_norm"
with Check("batch_norm") as check:
    # features with means 2 and 20, biased variances 1 and 100: by hand, the rows become −1 and +1
    x, one, zero = torch.tensor([[1.0, 10.0], [3.0, 30.0]]), torch.ones(2), torch.zeros(2)
    y = batch_norm(x, one, zero)
    check.is_a(y, torch.Tensor)
    check.shape(y, (2, 2))
    check.that(
        torch.equal(x, torch.tensor([[1.0, 10.0], [3.0, 30.0]])),
        "Your function changes `x` itself: compute a new tensor instead.",
    )
    h = math.sqrt(0.5)
    check.close(
        y,
        torch.tensor([[-1.0, -1.0], [1.0, 1.0]]),
        "[[1, 10], [3, 30]] should become [[−1, −1], [1, 1]].",
        known=[
            (
                torch.tensor([[-h, -h], [h, h]]),
                "That is the unbiased variance, divided by B − 1. Batch norm divides by B.",
            ),
            (
                torch.tensor([[-1.0, 1.0], [-1.0, 1.0]]),
                "You normalise each sample over its features. Each feature over the batch is meant: dim 0.",
            ),
            (
                F.layer_norm(x, (2, 2)),
                "You take one mean and one variance of all numbers. Each feature has its own: dim 0.",
            ),
            (
                torch.tensor([[-1.0, -6.5 / 13.5], [-2.5 / 4.5, 1.0]]),
                "Mean and variance run over dim 1, the features. Each feature over the batch is meant: dim 0.",
            ),
            (torch.ones(2, 2), "γ and β are swapped: γ multiplies, β is added."),
            (
                torch.tensor([[-1.0, -0.1], [1.0, 0.1]]),
                "You divide by the variance; divide by its square root.",
            ),
            (
                torch.tensor([[-1.0, -10.0], [1.0, 10.0]]),
                "The mean is gone, the spread is not 1 yet.",
            ),
            (
                torch.tensor([[1.0, 1.0], [3.0, 3.0]]),
                "The spread is 1, but the mean is still there.",
            ),
        ],
    )
    check.close(
        batch_norm(x[:, :1], one[:1], zero[:1], eps=3.0),
        torch.tensor([[-0.5], [0.5]]),
        "With variance 1 and eps 3, the divisor should be √(1 + 3) = 2.",
        known=[
            (
                torch.tensor([[-0.25], [0.25]]),
                "eps was added to the standard deviation; it belongs to the variance, under the root.",
            ),
            (torch.tensor([[-1.0], [1.0]]), "The argument `eps` makes no difference."),
        ],
    )
    check.close(
        batch_norm(x, torch.tensor([2.0, -3.0]), torch.tensor([10.0, 20.0])),
        torch.tensor([[8.0, 23.0], [12.0, 17.0]]),
        "γ = (2, −3) and β = (10, 20) should give [[8, 23], [12, 17]].",
        known=[
            (
                torch.tensor([[9.0, 19.0], [11.0, 21.0]]),
                "γ makes no difference in your answer.",
            ),
            (torch.tensor([[-2.0, 3.0], [2.0, -3.0]]), "β makes no difference in your answer."),
            (
                torch.tensor([[18.0, -57.0], [22.0, -63.0]]),
                "You add β before multiplying by γ. Scale first, then shift.",
            ),
        ],
    )


# %% [markdown] role="hints" exercise="batch_norm"
# <details><summary>Hint 1: over what?</summary>
#
# `x` has a row for each sample. "Each feature over the batch" runs down the rows, along dimension 0, and gives `F` means.
#
# </details>
# <details><summary>Hint 2: which variance?</summary>
#
# `Tensor.var` divides by $B-1$ unless told otherwise: look at its argument `unbiased` (or `correction`).
#
# </details>
# <details><summary>Hint 3: shapes</summary>
#
# `(B, F)` with `(F,)` broadcasts by itself: PyTorch lines shapes up from the right.
#
# </details>

# %% role="test" exercise="batch_norm" points=2
# Graded with hidden tests: other shapes and dtypes, two samples, large means, constant features, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("batch_norm") as test:
    near = torch.randn(256, 4)
    right = F.batch_norm(near.double(), None, None, training=True)
    test.close(
        batch_norm(near, torch.ones(4), torch.zeros(4)),
        right,
        "For 256 samples the result is wrong: μ and v are means over all samples, whatever their number.",
        known=[
            (
                right * math.sqrt(255 / 256),
                "The variance is the unbiased one; batch norm divides by B.",
            )
        ],
        atol=1e-5,
    )
    far = near + 1e4
    right = F.batch_norm(far.double(), None, None, training=True)
    y = batch_norm(far, torch.ones(4), torch.zeros(4))
    test.shape(y, (256, 4))
    test.that(
        bool((y - right).abs().max() < 0.05),
        "With a mean of 10,000 and a spread of 1 the digits are lost: take the variance of the deviations, not E[x²] − μ².",
    )
    for dtype, rtol, atol in ((torch.float32, 1e-4, 1e-5), (torch.float64, 1e-8, 1e-9)):
        for batch, features, eps in ((2, 3, 1e-5), (64, 5, 1e-5), (7, 7, 0.3), (3, 1, 1e-2)):
            x = torch.randn(batch, features, dtype=dtype) * 2 + 1
            gamma = torch.randn(features, dtype=dtype)
            beta = torch.randn(features, dtype=dtype)
            saved = [t.clone() for t in (x, gamma, beta)]
            wide = [t.double().requires_grad_() for t in saved]
            right = F.batch_norm(wide[0], None, None, wide[1], wide[2], training=True, eps=eps)
            pull = torch.randn(batch, features, dtype=torch.float64)
            slopes = torch.autograd.grad((right * pull).sum(), wide)
            centred = right.detach() - wide[2].detach()
            leaves = [t.requires_grad_() for t in (x, gamma, beta)]
            y = batch_norm(*leaves) if eps == 1e-5 else batch_norm(*leaves, eps=eps)
            test.is_a(y, torch.Tensor)
            test.shape(y, (batch, features))
            test.that(y.dtype == dtype, "The result should have the dtype of `x`.")
            test.that(
                all(torch.equal(t, old) for t, old in zip(leaves, saved, strict=True)),
                "An argument was changed: compute new tensors instead.",
            )
            test.close(
                y,
                right,
                "The normalised batch is wrong.",
                known=[
                    (
                        centred * math.sqrt((batch - 1) / batch) + wide[2].detach(),
                        "The variance is the unbiased one; batch norm divides by B.",
                    ),
                    (right.detach() - wide[2].detach(), "β is missing."),
                ],
                rtol=rtol,
                atol=atol,
            )
            test.that(
                y.requires_grad,
                "No gradient flows through your result: something was detached.",
            )
            if dtype == torch.float32 and batch == 2:
                continue  # there the gradient of x is a difference of nearly equal numbers
            got = torch.autograd.grad((y * pull.to(dtype)).sum(), leaves, allow_unused=True)
            for name, slope, want in zip(("x", "gamma", "beta"), got, slopes, strict=True):
                test.that(slope is not None, f"No gradient reaches `{name}`.")
                test.close(
                    slope,
                    want,
                    f"The gradient with respect to `{name}` is wrong: the mean and the variance depend on x too, "
                    "so let autograd see them.",
                    rtol=max(rtol, 1e-3 if dtype == torch.float32 else 0),
                    atol=atol * 10,
                )
    x = torch.randn(40, 6).T  # not contiguous
    right = F.batch_norm(x.double(), None, None, training=True)
    y = batch_norm(x, torch.ones(40), torch.zeros(40), eps=1e-5)
    test.close(y, right, "A batch that is not contiguous gives a wrong result.", atol=1e-5)
    flat = torch.full((5, 2), 3.0)
    y = batch_norm(flat, gamma=torch.ones(2), beta=torch.tensor([7.0, -1.0]))
    test.close(
        y,
        torch.tensor([[7.0, -1.0]]).expand(5, 2),
        "A feature that is the same in the whole batch should become β, not nan.",
        atol=1e-3,
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="batch_norm"
# Two lines of statistics and one of arithmetic, and yet something new: the output for one image depends on **which other images are in its batch**. Everything that is
# odd about batch norm, from the running statistics to its trouble with small batches, comes from there. Note where ε stands. Under the root it adds to the variance, so a
# unit with a spread below $\sqrt{10^{-5}} \approx 0.003$ is treated as (almost) constant, and is not blown up to full size.

# %% [markdown]
# ### Two consequences you can read off the formula
#
# **The bias before a batch norm does nothing.** Adding a constant to $x$ adds it to $\mu$ as well, and it is gone. Its gradient is zero, apart from rounding. Hence `bias=False` in a layer that is followed by a
# norm over the batch; $\beta$ takes over.
#
# **The scale of the weights before it does nothing either.** Multiply the weights by 100, and $x-\mu$ and $\sqrt v$ grow together. (Not the *gradient*: it becomes a hundred times smaller, relative to weights that are
# a hundred times larger. The learning rate and the scale of the weights are therefore one knob, not two; van Laarhoven, 2017.)
#
# **Predict, then run.** A batch norm follows a linear layer with a bias. How large are the gradients of its weight and of its bias, and what becomes of both, and of the output, when you multiply the weight by 100?

# %%
torch.manual_seed(0)
linear, norm = nn.Linear(n_inputs, 100).to(device), nn.BatchNorm1d(100).to(device)
target = torch.randn(len(images), 100).to(device)
consequences = []
for factor in (1, 100):
    with torch.no_grad():
        linear.weight *= factor
    linear.zero_grad()
    normed = norm(linear(images))
    (normed - target).square().sum().div(len(images)).backward()
    row = {"weights": f"× {factor}", "spread before": linear(images).std(dim=0).mean().item()}
    row |= {"spread after": normed.std(dim=0).mean().item()}
    row |= {"|∂W|": linear.weight.grad.norm().item(), "|∂b|": linear.bias.grad.norm().item()}
    consequences.append(row)
pd.DataFrame(consequences).set_index("weights").map("{:.2g}".format)

# %% [markdown]
# ## Backward
#
# Because $\mu$ and $v$ depend on every sample, the gradient of one sample depends on all. Let $g_i = \partial L/\partial y_i$ be what arrives from above.
# Two gradients are easy: $y_i = \gamma \hat x_i + \beta$, hence
#
# $$\frac{\partial L}{\partial \beta} = \sum_i g_i,\qquad \frac{\partial L}{\partial \gamma} = \sum_i g_i\,\hat x_i .$$
#
# For the third, write $\sigma = \sqrt{v+\varepsilon}$ and ask what moving *one* input $x_j$ does. It moves the mean by $\partial\mu/\partial x_j = 1/B$ and the spread by
# $\partial\sigma/\partial x_j = (x_j-\mu)/(B\sigma) = \hat x_j/B$. So, by the quotient rule,
#
# $$\frac{\partial \hat x_i}{\partial x_j} = \frac1\sigma\left(\delta_{ij} - \frac1B - \frac{\hat x_i\,\hat x_j}{B}\right),$$
#
# where $\delta_{ij}$ is 1 for $i=j$ and else 0. Multiply by $\gamma g_i$ and sum over $i$:
#
# $$\frac{\partial L}{\partial x_j} = \frac{\gamma}{\sigma}\Bigl(g_j - \overline{g} - \hat x_j\,\overline{g\,\hat x}\Bigr)$$
#
# A bar is a mean over the batch. Read it: from the gradient, batch norm takes away its mean and its part along $\hat x$. What is left can neither shift
# nor (up to ε) stretch the batch as a whole, and why should it? Either would be undone at once.

# %% [markdown] role="card" exercise="batch_norm_backward" level=3 minutes=18 topic="Batch normalisation" doc="https://docs.pytorch.org/docs/stable/notes/extending.html"
# ### Batch norm, backward
#
# Return the three gradients $\partial L/\partial x$, $\partial L/\partial\gamma$, $\partial L/\partial\beta$ of batch norm in training, in this order, for the gradient $g = \partial L/\partial y$ that arrives from above.
#
# Compute them by the formulas, without autograd (it is switched off where your function is called). The variance is the biased one, taken from the deviations as before; ε is under the root, and the arguments stay as they are.


# %% role="stub" exercise="batch_norm_backward"
def batch_norm_backward(
    grad_y: torch.Tensor, x: torch.Tensor, gamma: torch.Tensor, eps: float = 1e-5
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Gradients of batch normalisation in training mode.

    Args:
        grad_y: gradient of the loss with respect to the output, shape (B, F).
        x: the input of the forward pass, shape (B, F), B at least 2.
        gamma: scale of each feature, shape (F,).
        eps: as in the forward pass.

    Returns:
        (grad_x, grad_gamma, grad_beta), of shapes (B, F), (F,) and (F,).
    """
    ### BEGIN SOLUTION
    centred = x - x.mean(dim=0)
    inverse = torch.rsqrt(centred.square().mean(dim=0) + eps)
    x_hat = centred * inverse
    grad_gamma = (grad_y * x_hat).sum(dim=0)
    grad_beta = grad_y.sum(dim=0)
    grad_x = gamma * inverse * (grad_y - (grad_beta + x_hat * grad_gamma) / len(x))
    return grad_x, grad_gamma, grad_beta
    ### END SOLUTION


# %% role="check" exercise="batch_norm_backward"
with Check("batch_norm_backward") as check:
    torch.manual_seed(0)
    x, grad_y = 1 + 2 * torch.randn(6, 3).double(), torch.randn(6, 3).double()
    gamma = torch.tensor([1.5, -2.0, 0.5]).double()
    leaves = [t.clone().requires_grad_() for t in (x, gamma, torch.zeros(3).double())]
    y = F.batch_norm(leaves[0], None, None, leaves[1], leaves[2], training=True)
    right_x, right_gamma, right_beta = torch.autograd.grad(y, leaves, grad_y)
    # what comes out if mean and variance count as constants: batch norm as in evaluation
    with torch.no_grad():
        mean, var = x.mean(0), x.var(0, correction=0)
    frozen = F.batch_norm(leaves[0], mean, var, leaves[1])
    (naive,) = torch.autograd.grad(frozen, leaves[0], grad_y)
    shifted, sigma = naive - naive.mean(0), torch.sqrt(var + 1e-5)
    saved = [t.clone() for t in (grad_y, x, gamma)]
    with torch.no_grad():
        returned = batch_norm_backward(grad_y, x, gamma)
    check.is_a(returned, (tuple, list))
    check.that(len(returned) == 3, "Three gradients are asked for: of x, of γ and of β.")
    grad_x, grad_gamma, grad_beta = returned
    check.shape(grad_x, (6, 3), "The first is the gradient of x.")
    check.shape(grad_gamma, (3,), "The second is the gradient of γ.")
    check.shape(grad_beta, (3,), "The third is the gradient of β.")
    check.that(
        all(
            torch.equal(t, old) and not t.requires_grad
            for t, old in zip((grad_y, x, gamma), saved, strict=True)
        ),
        "Your function changes one of its arguments: compute new tensors instead.",
    )
    check.close(
        grad_beta,
        right_beta,
        "∂L/∂β is wrong.",
        known=[
            (right_gamma, "The last two are swapped: first γ's gradient, then β's."),
            (right_beta / 6, "∂L/∂β is the sum over the batch, not the mean."),
        ],
    )
    check.close(
        grad_gamma,
        right_gamma,
        "∂L/∂γ is wrong.",
        known=[
            (right_gamma / 6, "∂L/∂γ is the sum over the batch, not the mean."),
            ((grad_y * x).sum(0), "∂L/∂γ needs the normalised x̂; you used x."),
            (right_gamma * gamma, "∂L/∂γ is multiplied by γ; only ∂L/∂x is."),
            (
                right_gamma * math.sqrt(5 / 6),
                "Your x̂ uses the unbiased variance; batch norm divides by B.",
            ),
        ],
    )
    check.close(
        grad_x,
        right_x,
        "∂L/∂x is wrong.",
        atol=1e-4,
        known=[
            (naive, "You treat mean and variance as constants. Both depend on x."),
            (
                shifted,
                "You treat the variance as a constant: the term with x̂ is missing, or it holds the mean of x̂, which is 0, instead of the mean of g·x̂.",
            ),
            (naive + right_x - shifted, "The term with the mean of g is missing."),
            (2 * shifted - right_x, "Check the sign of the term with x̂."),
            (right_x / gamma, "γ is missing in ∂L/∂x."),
            (right_x * sigma, "The factor 1/σ is missing in ∂L/∂x."),
            (right_x / sigma, "∂L/∂x was divided by σ twice."),
            *(
                (
                    shifted - (shifted - right_x) * sigma**k,
                    "The term with x̂ has x − μ for x̂: divide by σ.",
                )
                for k in (1, 2)
            ),
            (
                naive - 6 * (naive - right_x),
                "The bars are means over the batch; you subtract sums.",
            ),
        ],
    )
    y = F.batch_norm(leaves[0], None, None, leaves[1], leaves[2], training=True, eps=0.5)
    want = torch.autograd.grad(y, leaves, grad_y)
    with torch.no_grad():
        got = batch_norm_backward(grad_y, x, gamma, eps=0.5)
    for name, mine, other, old in zip(
        ("x", "γ"), got, want, (right_x, right_gamma), strict=False
    ):
        check.close(
            mine,
            other,
            f"With eps = 0.5, ∂L/∂{name} is wrong: σ is √(v + ε) wherever it stands.",
            known=[(old, f"The argument `eps` makes no difference to ∂L/∂{name}.")],
            rtol=1e-3,
        )
    check.close(
        grad_x.sum(0),
        torch.zeros(3),
        "The gradients of x should add up to 0 over the batch: a common shift changes nothing.",
    )


# %% [markdown] role="hints" exercise="batch_norm_backward"
# <details><summary>Hint 1: what to compute first</summary>
#
# All three gradients are made of four things: $g$, $\gamma$, $1/\sigma$ and $\hat x$. Compute the last two exactly as in the forward pass.
#
# </details>
# <details><summary>Hint 2: the bars</summary>
#
# $\overline g$ and $\overline{g\hat x}$ have shape `(F,)`. They are the gradients of $\beta$ and $\gamma$, divided by $B$.
#
# </details>
# <details><summary>Hint 3: a test of your own</summary>
#
# Sum your $\partial L/\partial x$ over the batch: zero, whatever came in. If not, the term $\overline g$ is missing or is not a mean.
#
# </details>

# %% role="test" exercise="batch_norm_backward" points=3
# Graded with hidden tests: against autograd, with other shapes, dtypes and ε, with γ = 0 and batches of two.
### BEGIN HIDDEN TESTS
with HiddenTest("batch_norm_backward") as test:
    cases = ((2, 4, 1e-5), (9, 3, 1e-5), (33, 1, 0.5), (5, 5, 2.0), (2, 2, 1.0), (12, 3, 1e-3))
    for dtype in (torch.float64, torch.float32):
        rtol, atol = (1e-7, 1e-9) if dtype == torch.float64 else (2e-3, 2e-4)
        for batch, features, eps in cases:
            if dtype == torch.float32 and batch == 2 and eps < 0.1:
                continue  # there the right answer is a difference of nearly equal numbers
            x = (torch.randn(batch, features) * 3 - 2).to(dtype)
            grad_y = torch.randn(features, batch).to(dtype).T  # not contiguous
            gamma = torch.randn(features).to(dtype)
            if features > 2:
                gamma[1] = 0.0
            leaves = [
                t.double().clone().requires_grad_() for t in (x, gamma, torch.zeros(features))
            ]
            y = F.batch_norm(
                leaves[0], None, None, leaves[1], leaves[2], training=True, eps=eps
            )
            right = torch.autograd.grad(y, leaves, grad_y.double())
            with torch.no_grad():
                mean, var = leaves[0].mean(0), leaves[0].var(0, correction=0)
            frozen = F.batch_norm(leaves[0], mean, var, leaves[1], eps=eps)
            (naive,) = torch.autograd.grad(frozen, leaves[0], grad_y.double())
            saved = [t.clone() for t in (grad_y, x, gamma)]
            with torch.no_grad():
                if eps == 1e-5:
                    returned = batch_norm_backward(grad_y, x, gamma)
                else:
                    returned = batch_norm_backward(grad_y, x, gamma, eps=eps)
            test.is_a(returned, (tuple, list))
            test.that(len(returned) == 3, "Three gradients are asked for: of x, of γ and of β.")
            test.that(
                all(
                    torch.equal(t, old) and not t.requires_grad
                    for t, old in zip((grad_y, x, gamma), saved, strict=True)
                ),
                "An argument was changed: compute new tensors instead.",
            )
            shapes = ((batch, features), (features,), (features,))
            for name, got, want, shape in zip(
                ("x", "γ", "β"), returned, right, shapes, strict=True
            ):
                test.shape(got, shape, f"It is the gradient of {name}.")
                test.that(
                    got.dtype == dtype, f"The gradient of {name} should have the dtype of `x`."
                )
                test.that(
                    bool(torch.isfinite(got).all()), f"The gradient of {name} is not finite."
                )
                known = (
                    [(naive, "Mean and variance are treated as constants.")]
                    if name == "x"
                    else []
                )
                test.close(
                    got,
                    want,
                    f"The gradient of {name} is wrong for batch {batch}, {features} features, eps {eps:g}.",
                    known=known,
                    rtol=rtol,
                    atol=atol,
                )
    x, gamma = torch.randn(8, 3).double(), torch.ones(3).double()
    with torch.no_grad():
        grad_x, _, _ = batch_norm_backward(torch.full((8, 3), 4.0).double(), x=x, gamma=gamma)
    test.close(
        grad_x,
        torch.zeros(8, 3),
        "If all samples are pushed alike, nothing should reach x: a common shift is undone.",
        atol=1e-9,
    )
    far, grad_y = torch.randn(64, 3) + 1e4, torch.randn(64, 3)
    wide = far.double().requires_grad_()
    y = F.batch_norm(wide, None, None, training=True)
    (want,) = torch.autograd.grad(y, wide, grad_y.double())
    with torch.no_grad():
        grad_x, _, _ = batch_norm_backward(grad_y, far, torch.ones(3))
    test.that(
        bool((grad_x - want).abs().max() < 0.05),
        "With a mean of 10,000 and a spread of 1 the digits are lost: take the variance of the deviations, not E[x²] − μ².",
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="batch_norm_backward"
# The formula is a projection: of the vector $g$ (one number a sample) it keeps what is orthogonal to $(1, \dots, 1)$ and, apart from ε, to $\hat x$. With a batch of **two**
# these two directions already fill the plane, since $\hat x$ is $(-1, 1)$, whatever the inputs were. Hence next to nothing passes a batch norm backward when
# $B = 2$, and the forward pass has forgotten everything but the sign. Remember that for the small batches below. It is also a lesson in why one derives: autograd walks back through every
# operation of the forward pass for what is one line here, and a fused kernel computes just this line.

# %% [markdown]
# ## Running statistics
#
# What about a single image, after training? It has no batch to be compared with, and its class should not depend on who else is asking. So batch norm keeps moving averages of $\mu$ and $v$ while it trains, and
# uses *those* in evaluation:
#
# $$\hat\mu \leftarrow (1-m)\,\hat\mu + m\,\mu,\qquad \hat v \leftarrow (1-m)\,\hat v + m\,\tfrac{B}{B-1}\,v$$
#
# They are **buffers**: part of the `state_dict`, moved by `.to(device)`, but no parameters, since no gradient trains them. Two conventions to beware of:
#
# - PyTorch's `momentum` $m = 0.1$ is the weight of the **new** value. Elsewhere (in optimisers, in Keras, in most papers) momentum is the weight of the *old* one: PyTorch's 0.1 is Keras' 0.9.
# - The batch is normalised with the biased variance, but the running average takes the **unbiased** one, with $B-1$: now it does estimate something, the variance over all data.

# %% [markdown] role="card" exercise="BatchNorm1d" level=3 minutes=20 topic="Batch normalisation" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_buffer"
# ### Batch norm as a module
#
# Write `BatchNorm1d` for inputs of shape `(B, F)`, so that it can replace `nn.BatchNorm1d` and load its `state_dict`:
#
# - **parameters** `weight` (γ, ones) and `bias` (β, zeros), shape `(F,)`;
# - **buffers** `running_mean` (zeros) and `running_var` (ones), shape `(F,)`, and `num_batches_tracked` (an int64 scalar, 0);
# - **training mode**: normalise with the mean and the biased variance of the batch; update the running mean, the running variance (with the unbiased
#   variance of the batch) by the formulas above, and add 1 to `num_batches_tracked`. The updates carry no graph. A batch of one has no spread: raise `ValueError`, and leave the averages alone;
# - **evaluation mode**: normalise with the running statistics, for any batch size, and update nothing.


# %% role="stub" exercise="BatchNorm1d"
class BatchNorm1d(nn.Module):
    """Batch normalisation of (B, F) inputs, a stand-in for `nn.BatchNorm1d`.

    Args:
        num_features: F.
        eps: added to the variance, under the root.
        momentum: weight of the new batch in the running statistics (PyTorch's convention).

    Raises:
        ValueError: in training mode, for a batch of one.
    """

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        ### BEGIN SOLUTION
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        self.register_buffer("num_batches_tracked", torch.tensor(0))
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalise `x`, shape (B, F), according to the mode."""
        ### BEGIN SOLUTION
        if not self.training:
            return self._normalise(x, self.running_mean, self.running_var)
        if len(x) < 2:
            raise ValueError("A batch of one has no spread to normalise by.")
        mean, variance = x.mean(dim=0), x.var(dim=0, unbiased=False)
        with torch.no_grad():
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * len(x) / (len(x) - 1), self.momentum)
            self.num_batches_tracked += 1
        return self._normalise(x, mean, variance)

    def _normalise(self, x, mean, variance):
        return self.weight * (x - mean) / torch.sqrt(variance + self.eps) + self.bias
        ### END SOLUTION


# %% role="check" exercise="BatchNorm1d"
with Check("BatchNorm1d") as check:
    norm = BatchNorm1d(1)
    check.is_a(norm, nn.Module)
    check.that(
        {name for name, _ in norm.named_parameters()} == {"weight", "bias"},
        "The parameters should be `weight` and `bias`, these two: nn.Parameter makes a tensor one.",
    )
    check.that(
        {name for name, _ in norm.named_buffers()}
        == {"running_mean", "running_var", "num_batches_tracked"},
        "The buffers should be `running_mean`, `running_var` and `num_batches_tracked`: see register_buffer.",
    )
    fresh, model_state = norm.state_dict(), nn.BatchNorm1d(1).state_dict()
    check.that(
        fresh.keys() == model_state.keys(),
        "A `state_dict` should hold the five tensors that nn.BatchNorm1d's holds.",
    )
    for name, value in model_state.items():
        check.shape(fresh[name], tuple(value.shape), f"That is `{name}`.")
        check.close(fresh[name], value, f"`{name}` should start at {value.flatten()[0]:g}.")
    # a batch with mean 2, biased variance 4, unbiased variance 8
    x = torch.tensor([[0.0], [4.0]])
    y = norm(x)
    check.shape(y, (2, 1))
    check.close(
        y,
        torch.tensor([[-1.0], [1.0]]),
        "In training, 0 and 4 should become −1 and 1.",
        known=[
            (
                torch.tensor([[-1.0], [1.0]]) * math.sqrt(0.5),
                "The output was normalised with the unbiased variance. That one is for the running average only.",
            ),
            (x, "In training the statistics of the batch are used, not the running ones."),
            (
                (x - 0.2) / math.sqrt(1.7),
                "In training the statistics of the batch are used, not the running ones.",
            ),
        ],
    )
    check.close(
        norm.running_mean,
        torch.tensor([0.2]),
        "After one batch with mean 2 the running mean should be 0.9 · 0 + 0.1 · 2 = 0.2.",
        known=[
            (
                torch.tensor([1.8]),
                "momentum is the weight of the new value in PyTorch: you gave it to the old one.",
            ),
            (
                torch.tensor([2.0]),
                "The running mean is an average: mix the new value into the old one.",
            ),
            (torch.tensor([0.0]), "The running mean has not moved in training."),
        ],
    )
    check.close(
        norm.running_var,
        torch.tensor([1.7]),
        "After one batch with unbiased variance 8 the running variance should be 0.9 · 1 + 0.1 · 8.",
        known=[
            (
                torch.tensor([1.3]),
                "The running variance takes the unbiased variance of the batch, divided by B − 1.",
            ),
            (
                torch.tensor([7.3]),
                "momentum is the weight of the new value, for the variance too.",
            ),
            (
                torch.tensor([0.9 + 0.1 * math.sqrt(8)]),
                "You average the standard deviation; the variance is meant.",
            ),
            (torch.tensor([1.0]), "The running variance has not moved in training."),
        ],
    )
    check.that(
        int(norm.num_batches_tracked) == 1,
        "One batch was seen: num_batches_tracked should be 1.",
    )
    norm = BatchNorm1d(1)
    norm.load_state_dict(
        {
            "weight": torch.tensor([3.0]),
            "bias": torch.tensor([10.0]),
            "running_mean": torch.tensor([1.0]),
            "running_var": torch.tensor([4.0]),
            "num_batches_tracked": torch.tensor(5),
        }
    )
    norm.eval()
    y = norm(torch.tensor([[5.0]]))
    check.close(
        y,
        torch.tensor([[16.0]]),
        "In evaluation, with μ̂ = 1, v̂ = 4, γ = 3, β = 10, a 5 should become 3 · (5 − 1)/2 + 10 = 16.",
        known=[
            (
                torch.tensor([[13.0]]),
                "In evaluation you divide by the running variance; take its root.",
            ),
            (
                torch.tensor([[36.0]]),
                "In evaluation you add β before multiplying by γ. Scale first, then shift.",
            ),
            (torch.tensor([[2.0]]), "γ and β make no difference in evaluation."),
            (
                torch.tensor([[10.0]]),
                "In evaluation you still use the statistics of the batch: look at `self.training`.",
            ),
        ],
    )
    check.close(norm.running_mean, torch.tensor([1.0]), "In evaluation nothing may be updated.")
    check.close(
        BatchNorm1d(1, eps=5.0)(x),
        torch.tensor([[-2.0], [2.0]]) / 3,
        "With variance 4 and eps 5, the divisor should be √(4 + 5) = 3.",
        known=[
            (
                torch.tensor([[-2.0], [2.0]]) / 7,
                "eps was added to the standard deviation; it belongs to the variance, under the root.",
            ),
            (torch.tensor([[-1.0], [1.0]]), "The argument `eps` makes no difference."),
        ],
    )


# %% [markdown] role="hints" exercise="BatchNorm1d"
# <details><summary>Hint 1: three kinds of attribute</summary>
#
# `nn.Parameter` for what is trained, `self.register_buffer(name, tensor)` for what is remembered, plain numbers for `eps` and `momentum`. A counter is `torch.tensor(0)`.
#
# </details>
# <details><summary>Hint 2: which mode?</summary>
#
# Every module has `self.training`; `train()` and `eval()` set it. Nobody passes it to `forward`.
#
# </details>
# <details><summary>Hint 3: the update</summary>
#
# Under `torch.no_grad()`. Either in place (`mul_`, `add_`) or by assigning a new tensor: a name that was registered once stays a buffer.
# From the biased variance to the unbiased one: times $B/(B-1)$.
#
# </details>

# %% role="test" exercise="BatchNorm1d" points=3
# Graded with hidden tests: step by step next to nn.BatchNorm1d, in both modes, with its state_dict loaded both ways.
### BEGIN HIDDEN TESTS
with HiddenTest("BatchNorm1d") as test:
    state = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
    for dtype, options in (
        (torch.float32, {}),
        (torch.float64, {"eps": 0.2, "momentum": 0.35}),
        (torch.float32, {"momentum": 1.0}),
    ):
        rtol, atol = (1e-4, 1e-5) if dtype == torch.float32 else (1e-8, 1e-9)
        twin = nn.BatchNorm1d(4, **options).to(dtype)
        nn.init.normal_(twin.weight)
        nn.init.normal_(twin.bias)
        norm = BatchNorm1d(4, **options)
        test.is_a(norm, nn.Module)
        test.that(
            {k for k, _ in norm.named_parameters()} == {"weight", "bias"},
            "The parameters should be `weight` and `bias`, and no others.",
        )
        test.that(
            set(norm.state_dict()) == set(state),
            "The state_dict should have the five keys of nn.BatchNorm1d.",
        )
        for name, value in nn.BatchNorm1d(4).state_dict().items():
            test.close(
                norm.state_dict()[name],
                value,
                f"`{name}` does not start as nn.BatchNorm1d's does.",
            )
        test.that(
            all(p.requires_grad for p in norm.parameters()),
            "`weight` and `bias` are trained: they should require a gradient.",
        )
        moved = norm.to(dtype)
        kept = moved.state_dict()
        test.that(
            all(kept[k].dtype == dtype for k in state[:4]),
            "`.to(dtype)` should convert parameters and running statistics: are they registered?",
        )
        test.that(
            kept["num_batches_tracked"].dtype == torch.int64,
            "num_batches_tracked should be an integer tensor (int64).",
        )
        norm.load_state_dict(copy.deepcopy(twin.state_dict()))
        test.that(norm.training, "A new module should be in training mode.")
        for step, batch in enumerate((2, 16, 5, 3), start=1):
            x = torch.randn(batch, 4, dtype=dtype) * 3 + step
            saved, pull = x.clone(), torch.randn(batch, 4, dtype=dtype)
            other = x.clone().requires_grad_()
            want = twin(other)
            slopes = torch.autograd.grad((want * pull).sum(), [other, twin.weight, twin.bias])
            mine = x.requires_grad_()
            y = norm(mine)
            test.shape(y, (batch, 4))
            test.that(
                torch.equal(x, saved), "The input was changed: compute a new tensor instead."
            )
            test.that(y.dtype == dtype, "The output should have the dtype of the input.")
            test.close(
                y,
                want,
                "In training the output differs from nn.BatchNorm1d's.",
                rtol=rtol,
                atol=atol,
            )
            parameters = dict(norm.named_parameters())
            wanted = [mine, parameters["weight"], parameters["bias"]]
            test.that(y.requires_grad, "No gradient flows through the output.")
            got = torch.autograd.grad((y * pull).sum(), wanted, allow_unused=True)
            for name, slope, right in zip(("x", "weight", "bias"), got, slopes, strict=True):
                test.that(slope is not None, f"No gradient reaches `{name}`.")
                test.close(
                    slope,
                    right,
                    f"The gradient of `{name}` in training differs from nn.BatchNorm1d's: mean and variance belong to the graph.",
                    rtol=max(rtol, 2e-3 if dtype == torch.float32 else 0),
                    atol=2e-3 if dtype == torch.float32 and batch == 2 else atol * 20,
                )
            for name in state[2:]:
                kept = norm.state_dict(keep_vars=True)[name]
                test.that(
                    not kept.requires_grad,
                    f"`{name}` carries a graph: update it under torch.no_grad().",
                )
                test.close(
                    kept,
                    twin.state_dict()[name],
                    f"`{name}` differs from nn.BatchNorm1d's after {step} batches.",
                    rtol=rtol,
                    atol=atol,
                )
        test.that(
            norm.state_dict()["num_batches_tracked"].dtype == torch.int64,
            "num_batches_tracked should stay an integer tensor.",
        )
        test.that(
            {k for k, _ in norm.named_buffers()} == set(state[2:]),
            "After an update the running statistics should still be buffers.",
        )
        back = nn.BatchNorm1d(4, **options).to(dtype)
        back.load_state_dict(norm.state_dict())  # strict: the keys and shapes must fit
        norm.eval()
        back.eval()
        before = copy.deepcopy(norm.state_dict())
        for batch in (1, 9):
            x = torch.randn(batch, 4, dtype=dtype) * 5
            want = back(x).detach()
            x.requires_grad_()
            (slope,) = torch.autograd.grad(back(x).sum(), x)
            y = norm(x)
            test.shape(y, (batch, 4))
            test.close(
                y,
                want,
                "In evaluation the output differs from nn.BatchNorm1d's with the same state. "
                "The running variance needs eps under the root too, for any batch size.",
                rtol=rtol,
                atol=atol,
            )
            test.that(y.requires_grad, "In evaluation too, gradients should flow through.")
            (got,) = torch.autograd.grad(y.sum(), x, allow_unused=True)
            test.that(got is not None, "In evaluation no gradient reaches `x`.")
            test.close(
                got, slope, "The gradient of x in evaluation is wrong.", rtol=rtol, atol=atol
            )
        after = norm.state_dict()
        test.that(
            all(torch.equal(after[k], before[k]) for k in state),
            "In evaluation nothing may be updated.",
        )
    norm = BatchNorm1d(3)
    try:
        norm(torch.randn(1, 3))
        raised = "nothing"
    except ValueError:
        raised = "ValueError"
    except Exception as error:
        raised = type(error).__name__
    test.that(
        raised == "ValueError",
        f"A batch of one in training should raise a ValueError, but it raised {raised}.",
    )
    for name in (
        "running_mean",
        "running_var",
    ):  # PyTorch's own counts the batch before it refuses
        test.close(
            norm.state_dict()[name],
            nn.BatchNorm1d(3).state_dict()[name],
            f"A batch of one that is refused must not move the averages, but it changes `{name}`.",
        )
    first, second = BatchNorm1d(2), BatchNorm1d(2)
    first(torch.randn(6, 2) + 3)
    test.close(
        second.state_dict()["running_mean"],
        torch.zeros(2),
        "Two modules share their running statistics: make them in __init__.",
    )
    first, second = BatchNorm1d(2), BatchNorm1d(2)
    for value in first.state_dict().values():
        value.add_(1)
    for name, value in nn.BatchNorm1d(2).state_dict().items():
        test.close(
            second.state_dict()[name],
            value,
            f"Two modules share the tensor `{name}`: make a new one in each __init__.",
        )
    norm = BatchNorm1d(2)
    with torch.no_grad():
        norm(torch.randn(6, 2) + 3)
    test.that(
        int(norm.state_dict()["num_batches_tracked"]) == 1,
        "Under torch.no_grad() a module in training mode still trains: only `self.training` says the mode.",
    )
    nn.Sequential(norm).eval()(torch.randn(6, 2) + 3)
    test.that(
        int(norm.state_dict()["num_batches_tracked"]) == 1,
        "Inside a model, `model.eval()` does not reach your module: ask `self.training`, keep no flag of your own.",
    )
    test.close(
        BatchNorm1d(1, 3.0, 0.5)(torch.tensor([[0.0], [2.0]])),
        torch.tensor([[-0.5], [0.5]]),
        "BatchNorm1d(1, 3.0, 0.5) should have eps 3 and momentum 0.5: keep the order of the arguments.",
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="BatchNorm1d"
# A buffer is the third kind of state, between parameter and plain attribute: saved and moved like the first, untouched by the optimiser like the second. Forget to register it and everything works until you load a checkpoint, or move to a GPU.
# The updates must not carry a graph: else the running mean of step 1000 would hang on all the thousand batches before it, and memory would grow until the run dies. And note the asymmetry that confuses everyone once: biased variance out,
# unbiased variance into the average.

# %% [markdown]
# ### How fast, how noisy?
#
# A running average is a compromise. With a weight $m$ it remembers about $1/m$ batches. Each batch mean has a standard deviation of $s/\sqrt B$ (with $s$ the spread of the data), and averaging leaves
#
# $$\operatorname{sd}(\hat\mu) = \frac{s}{\sqrt B}\sqrt{\frac{m}{2-m}}$$
#
# of it, once the start is forgotten. A large $m$ is quick and noisy, a small one slow and smooth. Hence the rule: **the smaller the batches, the smaller the momentum** (and give it the time it then needs).
#
# **Predict, then run.** A unit has mean 3 and spread 2, the batches have 8 samples. After how many batches is the running mean close to 3, with $m$ = 0.01, 0.1 and 0.9?


# %%
def running_means(momentum, batch_size=8, units=1, steps=300):
    """The running means of `nn.BatchNorm1d` on batches from N(3, 2²), shape (steps, units)."""
    generator = torch.Generator().manual_seed(0)
    norm, trace = nn.BatchNorm1d(units, momentum=momentum), []
    with torch.no_grad():
        for _ in range(steps):
            norm(3 + 2 * torch.randn(batch_size, units, generator=generator))
            trace.append(norm.running_mean.tolist())
    return np.array(trace)


def plot_running(momenta, batch_size, ax):
    for index, momentum in enumerate(momenta):
        style = lab.plots.line_style(index) | {"marker": None}
        trace = running_means(momentum, batch_size)
        ax.plot(np.arange(1, len(trace) + 1), trace, label=f"m = {momentum:g}", **style)
    ax.axhline(3, color="grey", linewidth=0.8)
    ax.set(
        xlabel="batch",
        ylabel="running mean",
        ylim=(0, 5),
        title=f"Batches of {batch_size}; the true mean is 3",
    )
    ax.legend(loc="lower right")


fig, axes = lab.figure(1, 2, height=3.0)
for ax, batch_size in zip(axes, (8, 128), strict=True):
    plot_running((0.01, 0.1, 0.9), batch_size, ax)
lab.show(
    fig,
    alt="Running mean over 300 batches for momentum 0.01, 0.1 and 0.9, left with batches of 8, right of 128. Momentum 0.9 is at once "
    "near 3 and jitters, most with small batches; 0.1 needs about 30 batches and wobbles a little; 0.01 climbs smoothly and takes most of the 300.",
)
late = {m: running_means(m, units=200)[100:].std() for m in (0.1, 0.9)}
theory_late = {m: 2 / math.sqrt(8) * math.sqrt(m / (2 - m)) for m in late}
for m, spread in late.items():
    print(f"m = {m}: jitter of the running mean {spread:.3f}, in theory {theory_late[m]:.3f}")

# %% [markdown]
# Play with it. Which momentum would you take for batches of 2? (A small one, and then the patience of hundreds of batches.) What happens at $m = 1$? (Nothing is averaged: the last batch is all that is known.)

# %%
from ipywidgets import FloatLogSlider, IntSlider, interact


@interact(
    momentum=FloatLogSlider(0.1, min=-2.5, max=0, step=0.1, continuous_update=False),
    batch_size=IntSlider(8, 2, 256, continuous_update=False),
)
def explore_running(momentum, batch_size):
    fig, ax = lab.figure(height=2.7)
    plot_running((round(momentum, 4),), batch_size, ax)
    lab.show(fig, alt=f"Running mean for momentum {momentum:.3f} and batches of {batch_size}.")


# %% [markdown]
# ## The forgotten `eval()`
#
# Batch norm computes two different functions, and `model.train()` or `model.eval()` says which. Nobody is warned if it is the wrong one. Here is an evaluation as you will find it in
# many repositories, and a trained network for it to judge.

# %%
torch.manual_seed(0)
judged = normed_mlp(3, "batch norm")
train(judged, small, 0.03, seed=0, epochs=budget(3, fast=5))
healthy = lab.evaluate(judged, small.test)["accuracy"]
x_test, y_test = small.test[: len(small.test) // 100 * 100]


def leaky_accuracy(model, x, y, batch_size=256):
    """Share of right answers. It has a bug."""
    hits = 0
    for start in range(0, len(x), batch_size):
        scores = model(x[start : start + batch_size])
        hits += int((scores.argmax(1) == y[start : start + batch_size]).sum())
    return hits / len(x)


# %% [markdown]
# **Predict, then run.** The same network, the same thousand test images. Does the accuracy depend on the size of the evaluation's batches? On their order? Does judging change the network?

# %%
by_class = y_test.argsort()
symptoms = {}
for name, order, batch_size in (
    ("batches of 250", slice(None), 250),
    ("batches of 20", slice(None), 20),
    ("batches of 4", slice(None), 4),
    ("batches of 2", slice(None), 2),
    ("batches of 50, sorted by class", by_class, 50),
):
    patient = copy.deepcopy(judged).train()
    seen = leaky_accuracy(patient, x_test[order], y_test[order], batch_size)
    moved = (patient[1].running_mean - judged[1].running_mean) / judged[1].running_var.sqrt()
    symptoms[name] = {
        "leaky accuracy": seen,
        "layer 1's running means moved by": moved.abs().mean().item(),
        "true accuracy afterwards": lab.evaluate(patient, small.test)["accuracy"],
    }
print(f"true accuracy before: {healthy:.3f}")
pd.DataFrame(symptoms).T.round(3)

# %% [markdown]
# One network, five verdicts. Small batches are normalised by chance: of two images, each is compared with the other and with nothing else. Sorted by class, all 50 images of a batch are, say, trousers, and batch norm subtracts what they have
# in common: exactly that which makes them trousers. In large mixed batches the bug hides.
#
# The other two columns are the quiet damage. The leaky function **changes the network**: its running statistics have moved, by test data. The accuracy afterwards may be lower or, worse for your honesty, higher: the
# network has now seen the test set. (With batches of one PyTorch complains at last: `Expected more than 1 value per channel when training`.)

# %% [markdown] role="card" exercise="honest_accuracy" level=2 minutes=12 topic="Inference" doc="https://docs.pytorch.org/docs/stable/notes/autograd.html#locally-disabling-gradient-computation"
# ### Find and fix
#
# Write the accuracy as it should be computed: the share of samples whose largest score is at the label's place.
#
# - The model is called on at most `batch_size` samples at a time, in evaluation mode and without recording gradients.
# - Afterwards **every submodule** is in the mode in which it was before: a model that was training trains on, and a frozen batch norm in it stays frozen. That holds, too, when the model raises an error half-way (which you let pass).
# - Nothing else changes: no parameter, no gradient, no buffer.
#
# The last batch may be smaller, and every sample weighs the same.


# %% role="stub" exercise="honest_accuracy"
def honest_accuracy(
    model: nn.Module, x: torch.Tensor, y: torch.Tensor, batch_size: int = 256
) -> float:
    """Accuracy of a classifier, independent of the order and the size of the batches.

    Args:
        model: maps (n, ...) to scores (n, classes).
        x: inputs, shape (N, ...), N at least 1.
        y: class indices, shape (N,).
        batch_size: samples a call, at most.

    Returns:
        The share of right answers, from 0 to 1.
    """
    ### BEGIN SOLUTION
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    correct = 0
    try:
        with torch.no_grad():
            for inputs, targets in zip(x.split(batch_size), y.split(batch_size), strict=True):
                correct += (model(inputs).argmax(dim=1) == targets).sum().item()
    finally:
        for module, training in modes:
            module.training = training
    return correct / len(y)
    ### END SOLUTION


# %% role="check" exercise="honest_accuracy"
with Check("honest_accuracy") as check:
    torch.manual_seed(1)  # here no two mistakes give the same number
    # a fresh batch norm passes its inputs on in evaluation; in training it would remove the offset of class 0
    x, y = torch.randn(50, 3) + torch.tensor([1.5, 0.0, 0.0]), torch.randint(3, (50,))
    y[32:] = x[32:].max(dim=1).indices  # the last, smaller batch is all right
    model = nn.Sequential(nn.BatchNorm1d(3), nn.Sequential(nn.Dropout(0.5), nn.BatchNorm1d(3)))
    model[1][1].eval()  # frozen
    before = copy.deepcopy(model.state_dict())
    right = (x.max(dim=1).indices == y).double().mean().item()
    batch_means = np.mean(
        [
            (a.max(1).indices == b).double().mean()
            for a, b in ((x[:32], y[:32]), (x[32:], y[32:]))
        ]
    )
    accuracy = honest_accuracy(model, x, y, batch_size=32)
    state = model.state_dict()
    check.that(
        all(torch.equal(state[k], before[k]) for k in before),
        "Judging has changed the model's running statistics: it was not in evaluation mode.",
    )
    check.close(
        float(accuracy)
        if isinstance(accuracy, torch.Tensor) and accuracy.numel() == 1
        else accuracy,
        right,
        "The accuracy is wrong.",
        known=[
            (batch_means, "You average over batches. The last one is smaller: count samples."),
            (1 - right, "That is the share of wrong answers."),
            (
                50 * right,
                "That is the number of right answers; divide it by the number of samples.",
            ),
            (100 * right, "The accuracy should lie between 0 and 1, not in per cent."),
            (
                (x[:32].max(1).indices == y[:32]).sum().item() / 50,
                "The last, smaller batch is left out.",
            ),
            (
                (x[:32].max(1).indices == y[:32]).double().mean().item(),
                "The last, smaller batch is left out.",
            ),
            (
                (x[32:].max(1).indices == y[32:]).double().mean().item(),
                "Only the last batch was counted.",
            ),
        ],
    )
    check.that(
        model.training and model[0].training,
        "The model was training, and no longer is: put its mode back.",
    )
    check.that(
        not model[1][1].training,
        "A frozen batch norm was thawed: `model.train()` switches every submodule on. Remember each one's mode.",
    )


# %% [markdown] role="hints" exercise="honest_accuracy"
# <details><summary>Hint 1: two switches</summary>
#
# `eval()` changes what batch norm and dropout compute. `torch.no_grad()` stops autograd from recording. Neither does the other's work.
#
# </details>
# <details><summary>Hint 2: remember modes</summary>
#
# The mode is an attribute of each module, `training`. `model.modules()` walks them all: note each one's before you call `eval()`.
#
# </details>
# <details><summary>Hint 3: whatever happens</summary>
#
# Put the modes back in the `finally:` of a `try`. It runs after success and after an error alike, and the error goes on its way.
#
# </details>

# %% role="test" exercise="honest_accuracy" points=2
# Graded with hidden tests: sizes and orders of batches, frozen parts, dropout, a model that raises.
### BEGIN HIDDEN TESTS
with HiddenTest("honest_accuracy") as test:
    calls = []

    class SpyError(Exception):
        pass

    class Root(nn.Sequential):
        def forward(self, x):
            calls.append((len(x), torch.is_grad_enabled(), self.training))
            return super().forward(x)

    class Spy(nn.Module):
        def __init__(self, fails_at=None):
            super().__init__()
            self.fails_at = fails_at

        def forward(self, x):
            calls.append((len(x), torch.is_grad_enabled(), self.training))
            if self.fails_at is not None and len(calls) >= self.fails_at:
                raise SpyError("spy")
            return x

    def make(fails_at=None):
        model = Root(
            nn.Linear(5, 8),
            nn.BatchNorm1d(8),
            nn.Sequential(nn.ReLU(), nn.Dropout(0.4), Spy(fails_at), nn.BatchNorm1d(8)),
            nn.Linear(8, 4),
        )
        for norm in (model[1], model[2][3]):
            norm.running_mean.normal_()
            norm.running_var.uniform_(0.5, 2)
        model[2][3].eval()
        model[2][1].eval()
        return model

    def modes(model):
        return [module.training for module in model.modules()]

    for trial, (n, batch_size) in enumerate(((103, 10), (64, 64), (7, 1), (30, 500), (1, 4))):
        model = make()
        if trial in (1, 2):
            model.eval()
        model[2][2].train(trial != 1)  # in trial 2 it trains in a model that does not
        dtype = torch.float64 if trial == 3 else torch.float32
        model, x = model.to(dtype), torch.randn(n, 5, dtype=dtype) * 2 + 1
        reference = copy.deepcopy(model).eval()
        with torch.no_grad():
            scores = reference(x)
        y = scores.argmax(1)
        y[::3] = (y[::3] + 1) % 4
        right = (scores.argmax(1) == y).double().mean().item()
        F.cross_entropy(reference(x), y).backward()
        for p, q in zip(model.parameters(), reference.parameters(), strict=True):
            p.grad = q.grad.clone()
        grads = [p.grad.clone() for p in model.parameters()]
        model[0].requires_grad_(False)  # frozen, the others not
        learns = [p.requires_grad for p in model.parameters()]
        labels = y.clone()
        objects = list(model.parameters())
        state, mode, saved = copy.deepcopy(model.state_dict()), modes(model), x.clone()
        calls.clear()
        accuracy = honest_accuracy(model, x, y, batch_size=batch_size)
        seen = list(calls)
        test.is_a(accuracy, (float, int, torch.Tensor, np.floating))
        test.close(
            float(accuracy),
            right,
            "The accuracy is wrong: is the model in evaluation mode, and does every sample weigh the same?",
        )
        test.that(bool(seen), "The model was not called.")
        test.that(
            all(size <= batch_size for size, _, _ in seen),
            "The model was called on more than batch_size samples at a time.",
        )
        test.that(
            not any(recording for _, recording, _ in seen),
            "Autograd was recording: use torch.no_grad().",
        )
        test.that(
            not any(training for _, _, training in seen),
            "A submodule was in training mode while it was judged.",
        )
        test.that(
            modes(model) == mode,
            "A submodule is not in the mode in which it was before: frozen parts stay frozen, training ones train on.",
        )
        after = model.state_dict()
        test.that(
            all(torch.equal(after[k], state[k]) for k in state),
            "Judging changed the model's parameters or buffers.",
        )
        test.that(
            all(
                p is o
                and p.grad is not None
                and torch.equal(p.grad, g)
                and p.requires_grad is wanted
                for p, o, g, wanted in zip(
                    model.parameters(), objects, grads, learns, strict=True
                )
            ),
            "Judging changed the model's gradients or its parameters' requires_grad.",
        )
        test.that(torch.equal(x, saved), "The inputs were changed.")
        test.that(torch.equal(y, labels), "The labels were changed.")
    with torch.no_grad():
        honest_accuracy(model, x, y)
        recording = torch.is_grad_enabled()
    test.that(
        not recording,
        "Autograd was off and is on afterwards: `with torch.no_grad():` puts it back as it was.",
    )
    calls.clear()
    model = make(fails_at=3)
    mode = modes(model)
    try:
        honest_accuracy(
            model, torch.randn(20, 5), torch.zeros(20, dtype=torch.int64), batch_size=4
        )
        raised = ""
    except Exception as error:
        raised = type(error).__name__
    recording = torch.is_grad_enabled()
    test.that(raised, "The model raised an error and your function swallowed it: let it pass.")
    test.that(
        raised == "SpyError",
        f"The model's own error should pass as it is; from your function came a {raised}.",
    )
    test.that(
        recording,
        "After an error in the model autograd stays switched off. Use `with torch.no_grad():`.",
    )
    test.that(
        modes(model) == mode,
        "After an error in the model its modes were not put back: use try and finally.",
    )
    calls.clear()
    single = nn.BatchNorm2d(3)  # scores of shape (n, classes) from images
    model = nn.Sequential(single, nn.Flatten(), nn.Linear(12, 2))
    x, y = torch.randn(9, 3, 2, 2), torch.randint(2, (9,))
    right = (copy.deepcopy(model).eval()(x).argmax(1) == y).double().mean().item()
    test.close(float(honest_accuracy(model, x, y)), right, "The accuracy on images is wrong.")
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="honest_accuracy"
# Three separate mistakes hide in the leaky version. No `eval()`: the answers depend on the batch, and the running statistics drink test data. No `no_grad()`: memory for nothing. And the usual repair, `model.eval()` before and `model.train()`
# after, has a bug of its own: it thaws the batch norms that someone froze on purpose, as you will do in transfer learning. The `finally` costs one line and saves the reader of a
# traceback from a model that is stuck in the wrong mode. `trainlab`'s own `evaluate` does the same.

# %%
with needs("honest_accuracy"):
    judged.train()
    for batch_size in (1, 2, 250):
        print(
            f"batches of {batch_size}: {honest_accuracy(judged, x_test, y_test, batch_size):.3f}",
            end=";  ",
        )
    print(f"sorted: {honest_accuracy(judged, x_test[by_class], y_test[by_class], 50):.3f}")

# %% [markdown]
# ## Images and sequences
#
# What is a "unit" of a convolution? The channel: the same filter looks at every place of every image, so all places are samples of the same thing. For `[B, C, H, W]` batch norm takes **one mean and one
# variance per channel**, over $B \cdot H \cdot W$ numbers, and has $C$ pairs γ, β. `nn.BatchNorm1d`, `2d` and `3d` compute the same; the number only says
# how many spatial dimensions the module accepts: `1d` takes `(B, C)` or `(B, C, L)`, `2d` takes `(B, C, H, W)`, `3d` takes `(B, C, D, H, W)`.

# %% [markdown] role="card" exercise="batch_norm_channels" level=2 minutes=10 topic="Batch normalisation" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.BatchNorm2d.html"
# ### One mean per channel
#
# Write batch norm in training for `(B, C)`, `(B, C, L)`, `(B, C, H, W)` and `(B, C, D, H, W)` in one function: dimension 1 is the channel, and each channel is normalised over everything else, with the biased variance (taken from the deviations, as before) and ε under the root.
# `gamma` and `beta` have shape `(C,)` and belong to the channels, even where the last dimension happens to have the same size.


# %% role="stub" exercise="batch_norm_channels"
def batch_norm_channels(
    x: torch.Tensor, gamma: torch.Tensor, beta: torch.Tensor, eps: float = 1e-5
) -> torch.Tensor:
    """Batch normalisation in training mode with none to three spatial dimensions.

    Args:
        x: shape (B, C, *spatial), 0 to 3 spatial dimensions.
        gamma: scale of each channel, shape (C,).
        beta: shift of each channel, shape (C,).
        eps: added to the (biased) variance, under the root.

    Returns:
        The normalised batch, shaped like `x`.
    """
    ### BEGIN SOLUTION
    rest = [0, *range(2, x.dim())]
    shape = (1, -1, *[1] * (x.dim() - 2))
    variance, mean = torch.var_mean(x, dim=rest, unbiased=False, keepdim=True)
    x_hat = (x - mean) / torch.sqrt(variance + eps)
    return gamma.reshape(shape) * x_hat + beta.reshape(shape)
    ### END SOLUTION


# %% role="check" exercise="batch_norm_channels"
with Check("batch_norm_channels") as check:
    torch.manual_seed(0)
    gamma, beta = torch.tensor([2.0, -1.0, 0.5]), torch.tensor([0.0, 10.0, -20.0])
    for shape in ((5, 3), (4, 3, 3), (4, 3, 5, 3), (2, 3, 2, 2, 3)):
        x = 3 * torch.randn(shape) + torch.arange(3.0).view(3, *[1] * (len(shape) - 2))
        saved = x.clone()

        def affine(normed):
            return F.batch_norm(normed, torch.zeros(3), torch.ones(3), gamma, beta, eps=1e-12)

        right = F.batch_norm(x, None, None, gamma, beta, training=True)
        plain = F.batch_norm(x, None, None, training=True)
        n = x.numel() // 3
        y = batch_norm_channels(x, gamma, beta)
        check.shape(y, shape)
        check.that(
            torch.equal(x, saved), "Your function changes `x` itself: compute a new tensor."
        )
        check.that(
            torch.equal(gamma, torch.tensor([2.0, -1.0, 0.5]))
            and torch.equal(beta, torch.tensor([0.0, 10.0, -20.0])),
            "Your function changes `gamma` or `beta`: compute new tensors.",
        )
        g, b = (t.view(3, *[1] * (len(shape) - 2)) for t in (gamma, beta))
        known = [
            (
                affine(F.batch_norm(x.flatten(1), None, None, training=True).view(shape)),
                f"With shape {shape}, each position has a mean of its own. All positions of a channel share one.",
            ),
            (
                affine(F.layer_norm(x, shape[1:])),
                f"With shape {shape}, you normalise each sample by itself: the batch belongs to the average.",
            ),
            (
                affine(F.layer_norm(x, shape)),
                f"With shape {shape}, all channels share one mean. Each channel has its own.",
            ),
            (
                affine(plain * math.sqrt((n - 1) / n)),
                "That is the unbiased variance; divide by the number of values per channel.",
            ),
            (plain, "γ and β make no difference in your answer."),
            (plain + b, "γ makes no difference in your answer."),
            (right - b, "β makes no difference in your answer."),
            ((plain + b) * g, "You add β before multiplying by γ. Scale first, then shift."),
        ]
        if len(shape) > 2:
            aligned = affine(plain.movedim(-1, 1)).movedim(1, -1)
            mean, var = (
                x.transpose(0, 1).flatten(1).mean(1),
                x.transpose(0, 1).flatten(1).var(1),
            )
            slid = F.batch_norm(x.movedim(-1, 1), mean, var * (n - 1) / n).movedim(1, -1)
            known.append(
                (
                    affine(slid),
                    "The means are lined up with the last dimension instead of dimension 1: see `keepdim`.",
                )
            )
            known.append(
                (
                    aligned,
                    "γ and β are lined up with the last dimension. They belong to dimension 1.",
                )
            )
            known.append(
                (
                    affine(F.instance_norm(x)),
                    f"With shape {shape}, each image has its own mean. The batch belongs to the average.",
                )
            )
        check.close(y, right, f"The result for shape {shape} is wrong.", known=known, atol=1e-4)


# %% [markdown] role="hints" exercise="batch_norm_channels"
# <details><summary>Hint 1: which dimensions?</summary>
#
# Averages run over every dimension but 1. `mean` and `var` accept a list of dimensions; `x.dim()` says how many there are.
#
# </details>
# <details><summary>Hint 2: keep them</summary>
#
# With `keepdim=True` the mean has shape `(1, C, 1, …)` and broadcasts. γ and β need the same shape.
#
# </details>
# <details><summary>Hint 3: another way</summary>
#
# Or move the channels to the end with `movedim(1, -1)`. Then γ and β broadcast by themselves, and you normalise over everything but the last dimension. Move them back.
#
# </details>

# %% role="test" exercise="batch_norm_channels" points=2
# Graded with hidden tests: none to three spatial dimensions, dtypes, memory layouts, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("batch_norm_channels") as test:
    shapes = ((6, 4), (2, 1), (3, 5, 5), (1, 3, 7), (5, 2, 3, 2), (1, 4, 4, 4), (2, 3, 2, 4, 3))
    for dtype, rtol, atol in ((torch.float32, 1e-3, 1e-4), (torch.float64, 1e-8, 1e-9)):
        for shape in shapes:
            for eps in (1e-5, 0.5):
                x = 2 * torch.randn(shape, dtype=dtype) - 3
                gamma, beta = (torch.randn(shape[1], dtype=dtype) for _ in range(2))
                pull = torch.randn(shape, dtype=dtype)
                wide = [t.double().clone().requires_grad_() for t in (x, gamma, beta)]
                right = F.batch_norm(wide[0], None, None, *wide[1:], training=True, eps=eps)
                slopes = torch.autograd.grad((right * pull).sum(), wide)
                saved = [t.clone() for t in (x, gamma, beta)]
                leaves = [t.requires_grad_() for t in (x, gamma, beta)]
                y = (
                    batch_norm_channels(*leaves)
                    if eps == 1e-5
                    else batch_norm_channels(*leaves, eps=eps)
                )
                test.shape(y, shape)
                test.that(y.dtype == dtype, "The result should have the dtype of `x`.")
                test.that(
                    all(torch.equal(t, old) for t, old in zip(leaves, saved, strict=True)),
                    "An argument was changed: compute new tensors instead.",
                )
                test.close(
                    y,
                    right,
                    f"The result for shape {shape} and eps {eps:g} is wrong.",
                    rtol=rtol,
                    atol=atol,
                )
                test.that(y.requires_grad, "No gradient flows through your result.")
                if dtype == torch.float32:
                    continue
                got = torch.autograd.grad((y * pull).sum(), leaves, allow_unused=True)
                for name, slope, want in zip(("x", "gamma", "beta"), got, slopes, strict=True):
                    test.that(slope is not None, f"No gradient reaches `{name}`.")
                    test.close(
                        slope,
                        want,
                        f"The gradient of `{name}` is wrong: mean and variance depend on x too, so let autograd see them.",
                        rtol=1e-6,
                        atol=1e-8,
                    )
    x = torch.randn(4, 3, 5, 6).to(memory_format=torch.channels_last).flip(0)
    right = F.batch_norm(x.double(), None, None, training=True)
    y = batch_norm_channels(x=x, gamma=torch.ones(6)[::2], beta=torch.zeros(6)[::2], eps=1e-5)
    test.close(y, right, "Tensors in another memory layout give a wrong result.", atol=1e-4)
    far = torch.randn(16, 3, 4, 4) + 1e4
    right = F.batch_norm(far.double(), None, None, training=True)
    y = batch_norm_channels(far, torch.ones(3), torch.zeros(3))
    test.that(
        bool((y - right).abs().max() < 0.05),
        "With a mean of 10,000 and a spread of 1 the digits are lost: take the variance of the deviations, not E[x²] − μ².",
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="batch_norm_channels"
# Sharing the statistics over all places is what makes the layer compatible with a convolution: a pattern shifted by a pixel is normalised by the same numbers. It also gives batch norm many samples to average over: 8 images of 28 × 28 are 6,272 values a channel, though neighbours
# resemble each other and count for less. That is why convolutional networks feel small batches later than the dense network of our experiment below.

# %% [markdown]
# ### The sequence trap
#
# Text and time series come as `(B, T, F)`: the features **last**. `nn.BatchNorm1d(F)` wants them in dimension 1. If $T \ne F$ it raises an error. If you "repair" that with
# `reshape(B, F, T)`, or if $T = F$ by chance, nothing complains, and numbers of different features are mixed in each mean.

# %%
sequence = torch.zeros(1, 3, 2)
sequence[0] = torch.tensor([[1.0, 100.0], [2.0, 200.0], [3.0, 300.0]])  # 3 steps of 2 features
print("permuted:", sequence.permute(0, 2, 1)[0].tolist())
print(
    "reshaped:", sequence.reshape(1, 2, 3)[0].tolist(), " <- its rows are no features any more"
)

# %% [markdown] role="card" exercise="normalise_sequence" level=1 minutes=6 topic="Batch normalisation" doc="https://docs.pytorch.org/docs/stable/generated/torch.permute.html"
# ### Batch norm on sequences
#
# Apply an `nn.BatchNorm1d(F)` to sequences of shape `(B, T, F)`, so that each feature is normalised over all samples and all time steps, and return the same shape `(B, T, F)`. Call `norm` once, so that it works in
# its own mode and keeps its running statistics.


# %% role="stub" exercise="normalise_sequence"
def normalise_sequence(norm: nn.BatchNorm1d, x: torch.Tensor) -> torch.Tensor:
    """Batch normalisation of sequences, in the mode that `norm` is in.

    Args:
        norm: a module for F features.
        x: sequences, shape (B, T, F).

    Returns:
        The normalised sequences, shape (B, T, F).
    """
    ### BEGIN SOLUTION
    return norm(x.permute(0, 2, 1)).permute(0, 2, 1)
    ### END SOLUTION


# %% role="check" exercise="normalise_sequence"
with Check("normalise_sequence") as check:
    torch.manual_seed(0)
    for batch, steps, features in ((4, 6, 3), (3, 5, 5)):
        x = torch.randn(batch, steps, features) * 2 + 10 * torch.arange(features)
        norm = nn.BatchNorm1d(features)
        y = normalise_sequence(norm, x)
        check.shape(y, (batch, steps, features))
        check.close(
            y.mean(dim=(0, 1)),
            torch.zeros(features),
            f"With (B, T, F) = {(batch, steps, features)}, each feature should have mean 0 over samples and steps. Were axes mixed?",
            atol=1e-4,
        )
        check.close(
            y.square().mean(dim=(0, 1)),
            torch.ones(features),
            f"With (B, T, F) = {(batch, steps, features)}, each feature should have variance 1 over samples and steps.",
            atol=1e-3,
        )
        check.that(
            int(norm.num_batches_tracked) == 1,
            f"`norm` was called {int(norm.num_batches_tracked)} times. Call it once, on everything.",
        )
        # features were drawn 10 apart, so the right running means are 0.1 · (0, 10, 20, ...) or close
        check.that(
            (norm.running_mean - torch.arange(features)).abs().max() < 0.3,
            "The running statistics of `norm` are not those of the features: let `norm` itself see all of them.",
        )
        check.close(
            y[1, 2] * x[:, :, :].std(dim=(0, 1), correction=0) + x.mean(dim=(0, 1)),
            x[1, 2],
            "The numbers are normalised, but no longer where they were: bring the axes back in order.",
            rtol=1e-3,
            atol=1e-3,
        )


# %% [markdown] role="hints" exercise="normalise_sequence"
# <details><summary>Hint 1: what it wants</summary>
#
# `nn.BatchNorm1d` takes `(B, C, L)`, the features in the middle. You have them last.
#
# </details>
# <details><summary>Hint 2: there and back</summary>
#
# Swap two axes before the call, and swap them again behind it. `reshape` swaps nothing, it only cuts the same row of numbers elsewhere.
#
# </details>

# %% role="test" exercise="normalise_sequence" points=1
# Graded with hidden tests: other sizes (T = F among them), both modes, dtypes, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("normalise_sequence") as test:
    for dtype in (torch.float32, torch.float64):
        for batch, steps, features in (
            (4, 7, 3),
            (5, 4, 4),
            (6, 6, 6),
            (1, 9, 2),
            (8, 1, 3),
            (2, 3, 1),
        ):
            norm = nn.BatchNorm1d(features, momentum=0.4).to(dtype)
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
            twin = copy.deepcopy(norm)
            for mode in ("train", "train", "eval"):
                norm.train(mode == "train")
                twin.train(mode == "train")
                x = torch.randn(batch, steps, features, dtype=dtype) * 2 + 1
                x = x + torch.arange(features)
                saved, pull = x.clone(), torch.randn(batch, steps, features, dtype=dtype)
                other = x.clone().requires_grad_()
                want = twin(other.flatten(0, 1)).unflatten(0, (batch, steps))
                (slope,) = torch.autograd.grad((want * pull).sum(), other)
                x = x.requires_grad_()
                y = normalise_sequence(norm, x)
                where = f"with (B, T, F) = {(batch, steps, features)} in {mode} mode"
                test.shape(y, (batch, steps, features))
                test.that(torch.equal(x, saved), "The input was changed.")
                test.close(y, want, f"The result is wrong {where}.", rtol=1e-3, atol=1e-4)
                test.that(y.requires_grad, "No gradient flows through your result.")
                (got,) = torch.autograd.grad((y * pull).sum(), x, allow_unused=True)
                test.that(got is not None, "No gradient reaches `x`.")
                test.close(got, slope, f"The gradient is wrong {where}.", rtol=5e-3, atol=1e-3)
                test.that(
                    norm.training == (mode == "train"),
                    "The mode of `norm` is not what it was before.",
                )
                for name, value in twin.state_dict().items():
                    test.close(
                        norm.state_dict()[name],
                        value,
                        f"`norm`'s {name} is wrong {where}: call it once, on all samples and steps.",
                        rtol=1e-3,
                        atol=1e-4,
                    )
    x = torch.randn(3, 4, 5).transpose(0, 1)  # not contiguous
    norm = nn.BatchNorm1d(5)
    want = copy.deepcopy(norm)(x.flatten(0, 1)).unflatten(0, (4, 3))
    test.close(
        normalise_sequence(norm=norm, x=x),
        want,
        "A tensor that is not contiguous fails.",
        atol=1e-5,
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="normalise_sequence"
# `permute` gives the same numbers other names; `reshape` gives other numbers the same names. Flattening `(B, T)` into one long batch is just as right, since batch norm does not care about the order of its samples. Whether it is a good idea is another question:
# padded steps enter the mean like real ones, and the last steps of long sequences are few. Recurrent networks have it worse. The same layer runs at every time step, with other statistics at each, and a test sequence may be longer than any in training. There, and in transformers, layer norm is used.

# %% [markdown]
# ## What batch norm buys
#
# Now the race from the first paragraph. Nine networks, ten layers of 100 units each: three activations, each without a norm, with batch norm, and with *layer norm*, whose turn comes below. Equal data, one epoch, SGD with momentum. Each is
# trained at every rate of the same grid, with four seeds, and judged on validation images. The best rate of each then runs again, with five fresh seeds, on test images.
#
# **Predict, then run.** Which activation gains most? By what factor does the largest rate grow that still trains?


# %%
def race(activation, norm, lr, seed, split="test"):
    torch.manual_seed(seed)
    model = normed_mlp(10, norm, activation)
    train(model, small, lr, seed)
    return {"accuracy": lab.evaluate(model, getattr(small, split))["accuracy"]}


rates = budget([0.003, 0.01, 0.03, 0.1, 0.3, 1.0], fast=[0.03, 0.3])
tuning = lab.sweep(
    lambda activation, norm, lr, seed: race(activation, norm, lr, seed, split="valid"),
    {"activation": list(ACTIVATIONS), "norm": list(NORMS), "lr": rates},
    seeds=budget(range(100, 104), fast=[100]),
)
chosen = lab.best(tuning, by=["activation", "norm"], over="lr", value="accuracy")
at_best = chosen.set_index(["activation", "norm"]).lr
results = lab.sweep(
    lambda activation, norm, seed: race(activation, norm, at_best[activation, norm], seed),
    {"activation": list(ACTIVATIONS), "norm": list(NORMS)},
    seeds,
)
table = lab.summary(results, by=["activation", "norm"], value="accuracy")
table.merge(chosen[["activation", "norm", "lr", "at_edge"]]).round(3)

# %%
fig, axes = lab.figure(1, 3, height=3.0)
for ax, (activation, part) in zip(axes, tuning.groupby("activation", sort=False), strict=True):
    lab.band(part, "lr", "accuracy", by="norm", ax=ax, legend=ax is axes[-1])
    ax.axhline(1 / n_classes, color="grey", linewidth=0.8)
    ax.set(xscale="log", title=activation, ylim=(0, 0.9), xlabel="learning rate")
    ax.set_ylabel("accuracy (validation)" if ax is axes[0] else "")
lab.show(
    fig,
    alt="Validation accuracy after one epoch against the learning rate, for ReLU, tanh and sigmoid, without norm, with batch norm and "
    "with layer norm. Batch norm stays high up to a rate of 1 with ReLU and sigmoid; without a norm ReLU falls at 0.1 and the sigmoid "
    "guesses everywhere. With tanh all three fall between 0.1 and 1, batch norm last. Layer norm does not help the sigmoid.",
)
usable = (
    tuning.groupby(["activation", "norm", "lr"])
    .accuracy.mean()
    .loc[lambda a: a > 0.5]
    .reset_index()
)
usable.groupby(["activation", "norm"], sort=False).lr.max().unstack().reindex(
    columns=list(NORMS)
)

# %% [markdown]
# (The last table: the largest rate of the grid at which the mean accuracy is above one half; nan where there is none.)
#
# - **The sigmoid trains.** Without a norm it guesses at every rate; with batch norm it gets about three in four right, like the others. The pre-activations are centred and of size 1, so the sigmoid works where it bends, and the small
#   spread that it leaves is divided out again by the next norm.
# - **Higher rates.** With ReLU, batch norm still trains at rates at least ten times as high as the highest that the plain network survives; with tanh, at rates about three times as high. That tolerance is worth more than the lead at the best rate, some five points for ReLU and tanh: compare the intervals in the table.
# - **Layer norm** widens the range a little with ReLU, and does nothing for the sigmoid. Hold that thought until the end of the lesson.
#
# Ioffe and Szegedy reported the same on a grander scale: 14 times fewer steps to the accuracy of their Inception network, and, with an ensemble, 4.9 % top-5 validation error on ImageNet. *Why* it helps is disputed.
# They blamed "internal covariate shift", the moving ground of our first figure. Santurkar et al. (2018) put noise behind the norms, so that the shift was back, and the network trained as well as before; they, and
# others since, credit a smoother loss. Believe the measurements, and be careful with the story.
#
# One more gift: since each image is normalised by its chance companions, training is **noisy**, a little as with dropout, and that often regularises. In some cases, Ioffe and Szegedy report, it made dropout unnecessary.
#
# ### Fewer epochs, slower ones


# %%
def progress(norm, seed):
    torch.manual_seed(seed)
    history = train(
        normed_mlp(10, norm), small, at_best["ReLU", norm], seed, epochs=budget(3, fast=1)
    )
    return [{k: row[k] for k in ("epoch", "valid_accuracy", "seconds")} for row in history.rows]


courses = lab.sweep(progress, {"norm": ["none", "batch norm"]}, seeds)
lasting = courses.groupby("norm", sort=False).seconds.median()
slower = lasting["batch norm"] / lasting["none"]
print(f"on this machine, an epoch with batch norm takes {slower:.1f} times as long")
fig, ax = lab.figure(height=2.7)
lab.band(courses, "epoch", "valid_accuracy", by="norm", ax=ax)
ax.set(
    ylabel="accuracy (validation)",
    title="Ten ReLU layers, each at its own best rate for one epoch",
)
lab.show(
    fig,
    alt="Validation accuracy over three epochs, ReLU without norm and with batch norm. Both climb; batch norm starts higher, and from the second epoch on the bands overlap.",
)

# %% [markdown]
# What counts is accuracy for *time*: an epoch with batch norm is dearer, and it pays only if it saves more epochs than that. Here it is ahead after the first epoch, and from the second on the plain network, with He's draw and
# its own best rate, is level with it. Fast starts are what you may count on; the rest you must measure. (At a width of 100 the overhead is large. In a wide layer the matrix product dwarfs it.)
#
# ### Careless initialisation
#
# Is initialisation still worth the trouble? Five ReLU layers start from $\sigma = g/\sqrt{f_\text{in}}$, at twenty scales $g$ from 0.05 to 20 (He's is $\sqrt2$), without a norm and with batch norm. At every scale each gets its own best
# rate, chosen on validation images with one seed, then shown on test images with five others. The plain network may choose among four rates from 0.0001 to 0.1, batch norm only between the two largest: the smaller ones never suited it better.
#
# **Predict, then run.** Over which range of $g$ does the plain network learn? And with batch norm?


# %%
def from_scale(norm, gain, lr, seed, split="test"):
    torch.manual_seed(seed)
    model = normed_mlp(5, norm, gain=gain)
    train(model, small, lr, seed)
    return {"accuracy": lab.evaluate(model, getattr(small, split))["accuracy"]}


gains = [round(g, 3) for g in np.geomspace(0.05, 20, budget(20, fast=3)).tolist()]
scale_rates = {
    "none": budget([1e-4, 1e-3, 1e-2, 1e-1], fast=[1e-2, 1e-1]),
    "batch norm": budget([1e-2, 1e-1], fast=[1e-1]),
}
scale_tuning = pd.concat(
    lab.sweep(
        lambda norm, gain, lr, seed: from_scale(norm, gain, lr, seed, split="valid"),
        {"norm": [norm], "gain": gains, "lr": norm_rates},
        seeds=[100],
    )
    for norm, norm_rates in scale_rates.items()
)
scale_rate = lab.best(scale_tuning, by=["norm", "gain"], over="lr", value="accuracy")
scale_rate = scale_rate.set_index(["norm", "gain"]).lr
scales = lab.sweep(
    lambda norm, gain, seed: from_scale(norm, gain, scale_rate[norm, gain], seed),
    {"norm": list(scale_rates), "gain": gains},
    seeds,
)

# %%
fig, ax = lab.figure(height=3.0)
lab.band(scales, "gain", "accuracy", by="norm", ax=ax)
ax.axvline(math.sqrt(2), color="grey", linewidth=0.8)
ax.annotate("He", (math.sqrt(2), 0.02), (4, 0), textcoords="offset points")
ax.set(
    xscale="log", xlabel="gain g of the hidden weights", ylim=(0, 0.9), ylabel="accuracy (test)"
)
lab.show(
    fig,
    alt="Test accuracy against the gain of the initial weights from 0.05 to 20. Without a norm only the gains around He's √2 train, "
    "from about 0.6 to 6; with batch norm there is a plateau over the whole range, a little lower at both ends.",
)

# %% [markdown]
# A ridge without a norm, a plateau with one. The plain network gets more than half of the images right only where $g$ lies between about 0.6 and 6; batch norm does so at all twenty scales, the largest 400 times the smallest, and loses some ten points at the ends.
# He's rule is no longer a matter of life and death. (Remember that the rates were tuned: scale and rate are one knob.)

# %% [markdown]
# ### Before or after the activation? And as the very first layer?
#
# The paper puts batch norm between the linear layer and the activation; others swear by *after*. Nobody has to swear: measure, each order at its own best rate, pair by pair.
#
# The other question has an easy answer. A batch norm as the **first** layer standardises the inputs, so it can replace a scaler for raw features
# (and, unlike a scaler on your disk, cannot get lost: its running statistics are in the checkpoint). It *estimates* them along the way, of course, and batch by batch.
#
# **Predict, then run.** Before, or after? And what do raw pixels, 0 to 255, do to a network with three He-initialised layers?


# %%
def ordered(order, lr, seed, split="test"):
    torch.manual_seed(seed)
    model = normed_mlp(10, "batch norm", order=order)
    train(model, small, lr, seed)
    return {"accuracy": lab.evaluate(model, getattr(small, split))["accuracy"]}


order_tuning = lab.sweep(
    lambda order, lr, seed: ordered(order, lr, seed, split="valid"),
    {"order": ["before", "after"], "lr": budget([0.01, 0.03, 0.1, 0.3], fast=[0.03, 0.1])},
    seeds=budget(range(100, 102), fast=[100]),
)
order_rate = (
    lab.best(order_tuning, by="order", over="lr", value="accuracy").set_index("order").lr
)
orders = lab.sweep(
    lambda order, seed: ordered(order, order_rate[order], seed),
    {"order": ["before", "after"]},
    budget(range(10), fast=range(2)),
)
lab.paired_difference(orders, by="order", value="accuracy", baseline="before").round(3)

# %%
flat_scale = torch.full_like(
    small.train.std, 1 / 255
)  # dividing by this gives pixels 0..255 back
raw = replace(
    small,
    **{
        name: replace(getattr(small, name), mean=torch.zeros_like(flat_scale), std=flat_scale)
        for name in ("train", "valid", "test")
    },
)


def unscaled(inputs, lr, seed, split="test"):
    torch.manual_seed(seed)
    model = normed_mlp(3)
    if inputs == "raw, batch norm first":
        model.insert(0, nn.BatchNorm1d(n_inputs).to(device))
    source = small if inputs == "standardised" else raw
    train(model, source, lr, seed)
    return {"accuracy": lab.evaluate(model, getattr(source, split))["accuracy"]}


INPUTS = ["raw", "raw, batch norm first", "standardised"]
raw_tuning = lab.sweep(
    lambda inputs, lr, seed: unscaled(inputs, lr, seed, split="valid"),
    {"inputs": INPUTS, "lr": budget([1e-5, 1e-4, 1e-3, 1e-2, 1e-1], fast=[1e-5, 1e-2])},
    seeds=[100],
)
raw_best = lab.best(raw_tuning, by="inputs", over="lr", value="accuracy").set_index("inputs")
firsts = lab.sweep(
    lambda inputs, seed: unscaled(inputs, raw_best.lr[inputs], seed), {"inputs": INPUTS}, seeds
)
lab.summary(firsts, by="inputs", value="accuracy").join(raw_best[["lr"]], on="inputs").round(6)

# %% [markdown]
# Before or after: here the interval of the difference includes zero, or nearly so, and ten seeds are not enough to crown anyone. Take the paper's order, unless you measure something better on your own task.
#
# Raw pixels cost some ten points even at their own best rate, which is at least a hundred times smaller than the others'. With a batch norm in front they do about as well as standardised ones.
#
# ## Melted away: fusion for inference
#
# In evaluation the statistics are constants, and batch norm is a scale and a shift per channel. A linear layer followed by a scale and a shift is a linear layer:
#
# $$\gamma\,\frac{Wx + b - \hat\mu}{\sigma} + \beta \;=\; W'x + b',\qquad W' = \frac{\gamma}{\sigma} \otimes W,\qquad b' = \frac{\gamma}{\sigma}\otimes(b-\hat\mu) + \beta,\qquad \sigma=\sqrt{\hat v+\varepsilon}$$
#
# $\otimes$ multiplies each row of $W$ (each *output* channel) by its own number. The same holds for a convolution. The fused network computes the same, and the norm is gone: that is how networks are deployed.

# %% [markdown] role="card" exercise="fuse" level=3 minutes=18 topic="Inference" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.utils.fusion.fuse_conv_bn_eval.html"
# ### Fuse a layer with its batch norm
#
# Return a **new** layer that computes what `norm(layer(x))` computes in evaluation mode. `layer` is an `nn.Linear` or an `nn.Conv2d`, and the new one is of the same kind, with the same stride, padding, dilation, groups and padding mode.
#
# `layer` may lack a bias; the new layer has one. `norm` has a weight and a bias, and its own `eps`. Use its running statistics whatever mode it is in. Neither `layer` nor `norm` is changed, and the new layer
# shares no memory with them. Its weight and bias are parameters. (`torch.nn.utils.fusion` has such functions. Write your own.)


# %% role="stub" exercise="fuse"
def fuse(
    layer: nn.Linear | nn.Conv2d, norm: nn.BatchNorm1d | nn.BatchNorm2d
) -> nn.Linear | nn.Conv2d:
    """Fold an evaluating batch norm into the layer before it.

    Args:
        layer: linear or convolutional, with or without bias.
        norm: batch norm over the layer's outputs, with weight and bias.

    Returns:
        A new layer of the same kind, with a bias, equal to `norm(layer(x))` in evaluation mode.
    """
    ### BEGIN SOLUTION
    fused = copy.deepcopy(layer)
    with torch.no_grad():
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        old = torch.zeros_like(norm.running_mean) if layer.bias is None else layer.bias
        rows = scale.reshape(-1, *[1] * (layer.weight.dim() - 1))
        fused.weight = nn.Parameter(rows * layer.weight)
        fused.bias = nn.Parameter(scale * (old - norm.running_mean) + norm.bias)
    return fused
    ### END SOLUTION


# %% role="check" exercise="fuse"
with Check("fuse") as check:
    torch.manual_seed(0)
    # with eps = 1 the divisors are √(3 + 1) = 2 and √(15 + 1) = 4: easy to follow by hand
    layer, norm = nn.Linear(1, 2), nn.BatchNorm1d(2, eps=1.0)
    numbers = {
        layer.weight: [[2.0], [4.0]],
        layer.bias: [1.0, 3.0],
        norm.weight: [1.0, -2.0],
        norm.bias: [10.0, 20.0],
        norm.running_mean: [3.0, 1.0],
        norm.running_var: [3.0, 15.0],
    }
    with torch.no_grad():
        for tensor, values in numbers.items():
            tensor.copy_(torch.tensor(values))
    norm.eval()
    before = [copy.deepcopy(m.state_dict()) for m in (layer, norm)]
    fused = fuse(layer, norm)
    check.is_a(fused, nn.Linear)
    check.that(fused is not layer, "Return a new layer: the one passed in must not change.")
    check.that(
        all(
            torch.equal(m.state_dict()[k], v)
            for m, old in zip((layer, norm), before, strict=True)
            for k, v in old.items()
        ),
        "`layer` or `norm` has changed: put the new numbers into a new layer.",
    )
    check.shape(fused.weight, (2, 1))
    root3, root15 = math.sqrt(3), math.sqrt(15)
    check.close(
        fused.weight,
        torch.tensor([[1.0], [-2.0]]),
        "W = (2, 4), γ = (1, −2), σ = (2, 4) should give W′ = (1, −2).",
        known=[
            (
                torch.tensor([[0.5], [-0.5]]),
                "W′ was divided by the variance; divide by its root.",
            ),
            (torch.tensor([[1.0], [1.0]]), "γ is missing in W′."),
            (torch.tensor([[2.0], [4.0]]), "W′ is still W."),
            (torch.tensor([[2.0], [-8.0]]), "W was multiplied by γ, but not divided by σ."),
            (
                torch.tensor([[2 / root3], [-8 / root15]]),
                "σ is the root of the running variance plus `norm.eps`: you left eps out, or assumed 1e-5.",
            ),
            (
                torch.tensor([[2 / (root3 + 1)], [-8 / (root15 + 1)]]),
                "eps belongs under the root, to the variance.",
            ),
        ],
    )
    check.that(fused.bias is not None, "The new layer needs a bias.")
    check.shape(fused.bias, (2,))
    check.close(
        fused.bias,
        torch.tensor([9.0, 19.0]),
        "b = (1, 3), μ̂ = (3, 1), γ = (1, −2), σ = (2, 4), β = (10, 20) should give b′ = (9, 19).",
        known=[
            (torch.tensor([10.5, 18.5]), "The running mean is missing in b′."),
            (torch.tensor([8.5, 20.5]), "The layer's own bias is missing in b′."),
            (torch.tensor([9.5, 23.5]), "The layer's own bias needs the factor γ/σ as well."),
            (torch.tensor([-1.0, -1.0]), "β is missing in b′."),
            (torch.tensor([8.0, 22.0]), "b − μ̂ needs the factor γ/σ in b′."),
            (torch.tensor([9.0, 20.5]), "γ is missing in b′."),
            (torch.tensor([7.5, 17.5]), "The running mean needs the factor γ/σ as well in b′."),
            (torch.tensor([8.0, 16.0]), "σ is missing in b′: b − μ̂ is divided by it."),
            (
                torch.tensor([9.5, 19.75]),
                "b − μ̂ was divided by the variance; divide by its root.",
            ),
            (torch.tensor([-11.0, -21.0]), "The sign of β is wrong in b′."),
            (
                torch.tensor([11.0, 21.0]),
                "The sign of the running mean is wrong: b − μ̂, not μ̂ − b.",
            ),
        ],
    )
    check.that(
        isinstance(fused.weight, nn.Parameter) and isinstance(fused.bias, nn.Parameter),
        "The weight and the bias of the new layer should be parameters.",
    )
    conv, norm = (
        nn.Conv2d(4, 6, 3, stride=2, padding=1, groups=2, bias=False),
        nn.BatchNorm2d(6),
    )
    nn.init.uniform_(norm.running_mean)
    nn.init.uniform_(norm.running_var, 0.5, 2)
    x = torch.randn(2, 4, 7, 7)
    right = norm.eval()(conv(x)).detach()
    centred = F.batch_norm(conv(x), torch.zeros(6), norm.running_var).detach()
    fused = fuse(conv, norm)
    check.is_a(fused, nn.Conv2d)
    check.that(
        conv.bias is None, "`layer` had no bias and has one now: change the new layer only."
    )
    y = fused(x)
    check.shape(
        y,
        tuple(right.shape),
        "Does the new convolution have the stride and the padding of the old one?",
    )
    check.close(
        y,
        right,
        "The fused convolution differs from convolution and norm.",
        known=[
            (centred, "A layer without bias counts as b = 0: b′ still has −μ̂·γ/σ in it."),
            (
                centred - norm.running_mean.view(6, 1, 1),
                "A layer without bias counts as b = 0: then, too, μ̂ is divided by σ in b′.",
            ),
        ],
        rtol=1e-3,
        atol=1e-5,
    )


# %% [markdown] role="hints" exercise="fuse"
# <details><summary>Hint 1: a new layer like the old one</summary>
#
# `copy.deepcopy(layer)` has every option of the old one, and memory of its own. Then give it a new weight and a new bias.
#
# </details>
# <details><summary>Hint 2: each output channel its own factor</summary>
#
# $\gamma/\sigma$ has shape `(C,)`. The weight's dimension 0 is the output channel, for `nn.Linear` and `nn.Conv2d` alike, but broadcasting lines up the *last* dimension: reshape the factor to `(C, 1)` or `(C, 1, 1, 1)`.
#
# </details>
# <details><summary>Hint 3: no bias</summary>
#
# A layer without bias has `layer.bias is None`. It counts as zero. `fused.bias = nn.Parameter(...)` gives the copy one.
#
# </details>

# %% role="test" exercise="fuse" points=3
# Graded with hidden tests: linear layers and convolutions with all their options, other ε, γ of either sign and 0.
### BEGIN HIDDEN TESTS
with HiddenTest("fuse") as test:
    cases = (
        (nn.Linear(5, 7), nn.BatchNorm1d(7), (6, 5)),
        (nn.Linear(4, 4, bias=False), nn.BatchNorm1d(4, eps=0.3), (3, 4)),
        (nn.Linear(3, 1), nn.BatchNorm1d(1), (1, 3)),
        (nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), (2, 3, 6, 5)),
        (nn.Conv2d(5, 5, 5, padding=2, bias=False), nn.BatchNorm2d(5, eps=0.1), (2, 5, 6, 6)),
        (nn.Conv2d(4, 4, 3, groups=4, stride=2), nn.BatchNorm2d(4), (1, 4, 9, 9)),
        (
            nn.Conv2d(6, 9, (1, 3), groups=3, dilation=2, padding=(0, 2)),
            nn.BatchNorm2d(9),
            (2, 6, 8, 8),
        ),
        (
            nn.Conv2d(2, 3, 3, padding=1, padding_mode="reflect"),
            nn.BatchNorm2d(3),
            (2, 2, 5, 5),
        ),
        (
            nn.Conv2d(3, 4, (3, 2), stride=(1, 2), dilation=(1, 2), padding=(1, 0)),
            nn.BatchNorm2d(4),
            (2, 3, 6, 7),
        ),
        (nn.Conv2d(2, 6, 2, padding="same", bias=False), nn.BatchNorm2d(6), (2, 2, 5, 5)),
    )
    for trial, (layer, norm, shape) in enumerate(cases):
        dtype = torch.float64 if trial % 2 else torch.float32
        layer, norm = layer.to(dtype), norm.to(dtype)
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.01, 3)
        with torch.no_grad():
            if norm.num_features > 2:
                norm.weight[1] = 0.0
                norm.running_var[2] = 0.0 if norm.eps > 1e-3 else 0.1
        norm.train(trial % 3 == 0)
        layer.train(trial % 4 != 0)
        x = torch.randn(shape, dtype=dtype)
        with torch.no_grad():
            right = copy.deepcopy(norm).eval()(layer(x))
        state = [copy.deepcopy(m.state_dict()) for m in (layer, norm)]
        mode, own = norm.training, layer.training
        fused = fuse(layer, norm) if trial else fuse(layer=layer, norm=norm)
        kind = type(layer).__name__
        test.is_a(fused, nn.Module)
        test.that(type(fused) is type(layer), f"Fusing an nn.{kind} should give an nn.{kind}.")
        test.is_a(fused.weight, nn.Parameter, "The new weight should be a parameter.")
        test.is_a(fused.bias, nn.Parameter, "The new layer needs a bias that is a parameter.")
        test.that(
            fused.weight.is_leaf and fused.bias.is_leaf, "The new parameters hang on a graph."
        )
        test.that(fused.weight.dtype == dtype, "The dtype of the layer should be kept.")
        for m, old in zip((layer, norm), state, strict=True):
            now = m.state_dict()
            test.that(
                now.keys() == old.keys() and all(torch.equal(now[k], old[k]) for k in old),
                "`layer` or `norm` was changed.",
            )
        test.that(norm.training == mode, "The mode of `norm` was changed.")
        test.that(layer.training == own, "The mode of `layer` was changed.")
        test.that(
            all(t.requires_grad for m in (layer, norm) for t in m.parameters()),
            "The parameters of `layer` or `norm` were frozen: leave both as they are.",
        )
        y = fused(x).detach()
        test.shape(
            y,
            tuple(right.shape),
            f"The fused {kind} lacks an option of the old one (stride, padding, dilation?).",
        )
        test.close(
            y,
            right,
            f"The fused {kind} differs from layer and norm in evaluation (bias: {layer.bias is not None}, "
            f"eps: {norm.eps:g}, norm in training mode: {mode}).",
            rtol=1e-4 if dtype == torch.float32 else 1e-9,
            atol=1e-4 if dtype == torch.float32 else 1e-9,
        )
        bare = copy.deepcopy(layer)
        bare.weight, bare.bias = fused.weight, fused.bias
        test.close(
            bare(x),
            right,
            f"The new weight and bias alone do not give the result in a plain nn.{kind}: fold the norm into them, with no hook.",
            rtol=1e-4 if dtype == torch.float32 else 1e-9,
            atol=1e-4 if dtype == torch.float32 else 1e-9,
        )
        for option in (*nn.Linear.__constants__, *nn.Conv2d.__constants__):
            test.that(
                getattr(fused, option, None) == getattr(layer, option, None),
                f"The new layer's `{option}` is not the old one's.",
            )
        with torch.no_grad():
            fused.weight.add_(1.0)
            fused.bias.add_(1.0)
        now = layer.state_dict() | {f"norm.{k}": v for k, v in norm.state_dict().items()}
        old = state[0] | {f"norm.{k}": v for k, v in state[1].items()}
        test.that(
            all(torch.equal(now[k], old[k]) for k in old),
            "The new layer shares memory with the old ones: changing one changes the other.",
        )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="fuse"
# A chain of affine maps is one affine map, and in evaluation batch norm is affine because its statistics no longer depend on the input. In training they do, so nothing can be fused there. It also explains the options: stride, padding and groups say *which* inputs a
# number is multiplied with, γ/σ only says by how much. (Padding with zeros stays right because the norm comes *behind* the convolution. A norm in front could not be folded into a padded one: it would turn the padded zeros into something else.)

# %% [markdown]
# **Predict, then run.** A small convolutional network is trained and fused. How far apart are its scores before and after, how many predictions change, and how much time does it save?


# %%
def small_convnet():
    return nn.Sequential(
        nn.Unflatten(1, (1, 28, 28)),
        nn.Conv2d(1, 12, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(12),
        nn.ReLU(),
        nn.Conv2d(12, 24, 3, stride=2, padding=1, bias=False),
        nn.BatchNorm2d(24),
        nn.ReLU(),
        nn.Flatten(),
        nn.Linear(24 * 7 * 7, 64, bias=False),
        nn.BatchNorm1d(64),
        nn.ReLU(),
        nn.Linear(64, n_classes),
    ).to(device)


def fuse_all(model):
    """Fuse each batch norm of a sequential model with the layer before it."""
    layers = []
    for module in model:
        if isinstance(module, (nn.BatchNorm1d, nn.BatchNorm2d)):
            layers[-1] = fuse(layers[-1], module)
        else:
            layers.append(module)
    return nn.Sequential(*layers).eval()


def duration(model, x, repeats):
    with torch.no_grad():
        model(x)
        times = []
        for _ in range(repeats):
            started = time.perf_counter()
            model(x)[0, 0].item()  # .item() waits for a GPU
            times.append(time.perf_counter() - started)
    return np.median(times)


torch.manual_seed(0)
convnet = small_convnet()
train(convnet, small, 0.03, seed=0, epochs=budget(2, fast=1))
convnet.eval()
apart = changed = 0.0
with needs("fuse"), torch.no_grad():
    thin = fuse_all(convnet)
    old, new = convnet(x_test), thin(x_test)
    apart = ((old - new).abs().max() / old.abs().max()).item()
    changed = (old.argmax(1) != new.argmax(1)).float().mean().item()
    print(
        f"{len(convnet)} modules become {len(thin)}; accuracy {lab.evaluate(thin, small.test)['accuracy']:.3f}"
    )
    print(
        f"largest difference of the scores: {apart:.0e} of the largest score; predictions changed: {changed:.1%}"
    )
    before, after = (duration(m, x_test[:256], budget(20, fast=5)) for m in (convnet, thin))
    print(f"time for 256 images on this machine: {after / before:.2f} of what it was")

# %% [markdown]
# The same answers, to the rounding, with three layers fewer. (How much time that is depends on your machine and its load: run the cell twice before you believe it.)

# %% [markdown]
# ## Layer norm: each sample by itself
#
# All oddities of batch norm come from the batch. **Layer normalisation** (Ba, Kiros and Hinton, 2016) turns the picture by a quarter: it standardises each *sample* over its *features*. No other sample is involved, so there is nothing to remember,
# training and evaluation compute the same, and batches of one are welcome. γ and β are still one pair a feature.
#
# `nn.LayerNorm(normalized_shape)` is told which trailing dimensions to normalise over, and γ and β have exactly that shape. For images `[B, C, H, W]`:
#
# - `nn.LayerNorm([C, H, W])`: one mean per image, over all channels and places; $C \cdot H \cdot W$ pairs of γ and β;
# - `nn.LayerNorm([H, W])`: one mean per image **and channel**; $H \cdot W$ pairs, shared by the channels.

# %%
torch.manual_seed(0)
x = torch.randn(2, 3, 4, 4) + torch.tensor([0.0, 5.0, 10.0]).view(3, 1, 1)
for shape in ([3, 4, 4], [4, 4]):
    module = nn.LayerNorm(shape)
    means = module(x).mean(dim=(2, 3))[0].abs()
    print(
        f"LayerNorm({shape!s:9}): weight {tuple(module.weight.shape)!s:9}, |mean| of image 0's channels:",
        [round(m, 2) for m in means.tolist()],
    )

# %% [markdown] role="card" exercise="layer_norm" level=2 minutes=10 topic="Layer normalisation" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html"
# ### Layer norm, for any shape
#
# Normalise `x` over its **last** `len(normalized_shape)` dimensions (which have that shape), each leading index by itself, with the biased variance and ε under the root. Then scale by `weight` and shift by `bias`, both of shape `normalized_shape`.
#
# As before: the dtype stays, gradients flow, arguments are not changed, and the means may be large, so no $\mathbb E[x^2]-\mu^2$. A batch of one is as good as any. `F.layer_norm` would be too easy.


# %% role="stub" exercise="layer_norm"
def layer_norm(
    x: torch.Tensor,
    normalized_shape: tuple[int, ...],
    weight: torch.Tensor,
    bias: torch.Tensor,
    eps: float = 1e-5,
) -> torch.Tensor:
    """Layer normalisation (Ba, Kiros and Hinton, 2016).

    Args:
        x: shape (..., *normalized_shape), with at least one dimension to normalise over.
        normalized_shape: a tuple or list of sizes, the last dimensions of `x`.
        weight: scale, shape normalized_shape.
        bias: shift, shape normalized_shape.
        eps: added to the (biased) variance, under the root.

    Returns:
        The normalised tensor, shaped like `x`.
    """
    ### BEGIN SOLUTION
    last = tuple(range(-len(normalized_shape), 0))
    centred = x - x.mean(dim=last, keepdim=True)
    variance = centred.square().mean(dim=last, keepdim=True)
    return weight * centred / torch.sqrt(variance + eps) + bias
    ### END SOLUTION


# %% role="check" exercise="layer_norm"
with Check("layer_norm") as check:
    torch.manual_seed(0)
    # by hand: the rows have means 2 and 30, biased variances 1 and 100
    x = torch.tensor([[1.0, 3.0], [20.0, 40.0]])
    y = layer_norm(x, (2,), torch.ones(2), torch.zeros(2))
    check.shape(y, (2, 2))
    check.that(
        torch.equal(x, torch.tensor([[1.0, 3.0], [20.0, 40.0]])),
        "Your function changes `x` itself: compute a new tensor instead.",
    )
    h = math.sqrt(0.5)
    check.close(
        y,
        torch.tensor([[-1.0, 1.0], [-1.0, 1.0]]),
        "[[1, 3], [20, 40]] should become [[−1, 1], [−1, 1]].",
        known=[
            (
                torch.tensor([[-1.0, -1.0], [1.0, 1.0]]),
                "You normalise over the batch. Each row by itself is meant, over the last dimension.",
            ),
            (
                torch.tensor([[-h, h], [-h, h]]),
                "That is the unbiased variance. Layer norm divides by the number of features.",
            ),
            (
                torch.tensor([[-1.0, -2.7], [18.0, 1.0]]),
                "The rows' means were subtracted from the columns: keep the averaged dimension (keepdim).",
            ),
            (F.layer_norm(x, (2, 2)), "All numbers share one mean; each row has its own."),
            (
                torch.ones(2, 2),
                "weight and bias are swapped: weight multiplies, bias is added.",
            ),
            (
                torch.tensor([[-1.0, 1.0], [-0.1, 0.1]]),
                "You divide by the variance; take its root.",
            ),
            (
                torch.tensor([[-1.0, 1.0], [-10.0, 10.0]]),
                "The mean is gone, the spread is not 1 yet.",
            ),
        ],
    )
    check.close(
        layer_norm(x[:1], (2,), torch.ones(2), torch.zeros(2), eps=3.0),
        torch.tensor([[-0.5, 0.5]]),
        "With variance 1 and eps 3, the divisor should be √(1 + 3) = 2.",
        known=[
            (
                torch.tensor([[-0.25, 0.25]]),
                "eps was added to the standard deviation; it belongs to the variance, under the root.",
            ),
            (torch.tensor([[-1.0, 1.0]]), "The argument `eps` makes no difference."),
        ],
    )
    x = torch.randn(2, 3, 4, 5) + 10 * torch.arange(3.0).view(3, 1, 1)
    for shape in ((3, 4, 5), (4, 5), (5,)):
        weight, bias = torch.randn(shape), torch.randn(shape)
        with torch.no_grad():
            plain = F.layer_norm(x, shape)
            known = [
                (plain, "weight and bias make no difference in your answer."),
                (
                    torch.addcmul(bias, weight, F.layer_norm(x, (5,))),
                    f"With normalized_shape {shape}, only the last dimension was normalised.",
                ),
                (
                    torch.addcmul(bias, weight, F.layer_norm(x, (3, 4, 5))),
                    f"With normalized_shape {shape}, more than the last {len(shape)} dimensions were normalised.",
                ),
                (
                    torch.addcmul(bias, weight, F.batch_norm(x, None, None, training=True)),
                    f"With normalized_shape {shape}, you normalise each channel over the batch.",
                ),
                (plain * weight, "`bias` makes no difference in your answer."),
                (plain + bias, "`weight` makes no difference in your answer."),
                (
                    (plain + bias) * weight,
                    "You add `bias` before multiplying by `weight`. Scale first, then shift.",
                ),
            ]
        y = layer_norm(x, shape, weight, bias)
        check.close(
            y,
            F.layer_norm(x, shape, weight, bias),
            f"The result for normalized_shape {shape} is wrong.",
            known=known,
            rtol=1e-3,
            atol=1e-4,
        )


# %% [markdown] role="hints" exercise="layer_norm"
# <details><summary>Hint 1: counting from the end</summary>
#
# Dimensions may be negative: −1 is the last, −2 the one before. You need the last `len(normalized_shape)` of them.
#
# </details>
# <details><summary>Hint 2: keep the dimensions</summary>
#
# `mean(dim=…, keepdim=True)` leaves sizes of 1 behind, and then everything broadcasts. The weight and the bias line up from the right by themselves.
#
# </details>

# %% role="test" exercise="layer_norm" points=2
# Graded with hidden tests: other shapes and dtypes, batches of one, large means, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("layer_norm") as test:
    cases = (
        ((6, 5), (5,)),
        ((1, 9), (9,)),
        ((3, 4, 5), (5,)),
        ((3, 4, 4), (4, 4)),
        ((2, 3, 4, 2), (3, 4, 2)),
        ((3, 3, 3, 3), (3, 3)),
        ((7,), (7,)),
        ((2, 3, 2), (2, 3, 2)),
    )
    for dtype, rtol, atol in ((torch.float32, 1e-3, 1e-4), (torch.float64, 1e-8, 1e-9)):
        for index, (shape, last) in enumerate(cases):
            eps = (1e-5, 0.4)[index % 2]
            x = 3 * torch.randn(shape, dtype=dtype) + 2
            weight, bias = torch.randn(last, dtype=dtype), torch.randn(last, dtype=dtype)
            pull = torch.randn(shape, dtype=dtype)
            wide = [t.double().clone().requires_grad_() for t in (x, weight, bias)]
            right = F.layer_norm(wide[0], last, wide[1], wide[2], eps)
            slopes = torch.autograd.grad((right * pull).sum(), wide)
            saved = [t.clone() for t in (x, weight, bias)]
            x, weight, bias = (t.requires_grad_() for t in (x, weight, bias))
            if index % 2:
                y = layer_norm(
                    x, normalized_shape=list(last), weight=weight, bias=bias, eps=eps
                )
            else:
                y = layer_norm(x, last, weight, bias)
            told = f"for shape {shape}, normalized_shape {last} and eps {eps:g}"
            test.shape(y, shape)
            test.that(y.dtype == dtype, "The result should have the dtype of `x`.")
            test.that(
                all(
                    torch.equal(t, old) for t, old in zip((x, weight, bias), saved, strict=True)
                ),
                "An argument was changed: compute new tensors instead.",
            )
            test.close(y, right, f"The result is wrong {told}.", rtol=rtol, atol=atol)
            test.that(
                y.requires_grad,
                "No gradient flows through your result: something was detached.",
            )
            got = torch.autograd.grad((y * pull).sum(), [x, weight, bias], allow_unused=True)
            for name, slope, want in zip(("x", "weight", "bias"), got, slopes, strict=True):
                test.that(slope is not None, f"No gradient reaches `{name}`.")
                test.close(
                    slope,
                    want,
                    f"The gradient of `{name}` is wrong {told}: mean and variance depend on x too.",
                    rtol=5e-3 if dtype == torch.float32 else 1e-7,
                    atol=1e-3 if dtype == torch.float32 else 1e-8,
                )
    far = torch.randn(4, 256) + 1e4
    right = F.layer_norm(far.double(), (256,))
    y = layer_norm(far, (256,), torch.ones(256), torch.zeros(256))
    test.shape(y, (4, 256))
    test.that(
        bool((y - right).abs().max() < 0.05),
        "With a mean of 10,000 and a spread of 1 the digits are lost: take the variance of the deviations, not E[x²] − μ².",
    )
    y = layer_norm(torch.full((2, 3), 5.0), (3,), torch.ones(3), torch.tensor([1.0, 2.0, 3.0]))
    test.close(
        y,
        torch.tensor([[1.0, 2.0, 3.0]]).expand(2, 3),
        "A sample whose features are all equal should become the bias, not nan.",
        atol=1e-3,
    )
    x = torch.randn(6, 4, 5).permute(1, 2, 0)  # not contiguous
    y = layer_norm(x, (5, 6), torch.ones(5, 6), torch.zeros(5, 6))
    test.close(
        y,
        F.layer_norm(x, (5, 6)),
        "A tensor that is not contiguous gives a wrong result.",
        atol=1e-4,
    )
### END HIDDEN TESTS


# %% [markdown] role="why" exercise="layer_norm"
# Compare with your batch norm: the same four formulas, over other axes. Everything else follows. No running statistics, because a test sample brings its own; no `train` or `eval`; and γ, β per *feature* although the mean is per *sample*, so they are not interchangeable with them and could never be fused into the layer before:
# σ is different for each input. Fast inference is the one thing layer norm gives up.

# %% [markdown]
# ### Two relatives
#
# **GroupNorm** (Wu and He, 2018) normalises each sample over groups of channels: with one group it is layer norm over `[C, H, W]` (but γ, β per channel). It is a choice for convolutions with small batches. **RMSNorm** (Zhang and Sennrich, 2019) only divides by the root
# mean square, with no mean and no β: $y = \gamma\,x / \sqrt{\overline{x^2} + \varepsilon}$. It is a little cheaper and stands in most large language models. Both by formula, against PyTorch:

# %%
torch.manual_seed(0)
x = torch.randn(2, 6, 4, 4, dtype=torch.float64)
groups = x.reshape(2, 3, 2 * 4 * 4)  # three groups of two channels
by_hand = (groups - groups.mean(-1, keepdim=True)) / (
    groups.var(-1, correction=0, keepdim=True) + 1e-5
).sqrt()
group_error = (by_hand.view_as(x) - nn.GroupNorm(3, 6).double()(x)).abs().max().item()
rms = x / (x.square().mean(-1, keepdim=True) + 1e-6).sqrt()
rms_error = (rms - nn.RMSNorm(4, eps=1e-6).double()(x)).abs().max().item()
print(f"largest deviation: GroupNorm {group_error:.0e}, RMSNorm {rms_error:.0e}")

# %% [markdown]
# ## Small batches
#
# Large images or long sequences may leave room for two samples a batch. We train three ReLU layers with batches of 2 to 128, with batch norm and with layer norm, for the **same number of steps** (so small batches see fewer images:
# compare the two norms at one batch size, not the batch sizes with one another). Each is at its own best rate for each batch size (one seed chooses it, on validation images).
#
# **Predict, then run.** At which batch size does layer norm overtake batch norm?


# %%
def small_batches(norm, batch_size, lr, seed, split="test"):
    torch.manual_seed(seed)
    model = normed_mlp(3, norm)
    part = replace(small, train=data.train.take(min(whole, batch_size * budget(200, fast=25))))
    train(model, part, lr, seed, batch_size=batch_size)
    return {"accuracy": lab.evaluate(model, getattr(small, split))["accuracy"]}


batch_sizes = budget([2, 4, 8, 32, 128], fast=[2, 32])
contest = {"norm": ["batch norm", "layer norm"], "batch_size": batch_sizes}
batch_tuning = lab.sweep(
    lambda norm, batch_size, lr, seed: small_batches(norm, batch_size, lr, seed, split="valid"),
    contest | {"lr": budget([0.001, 0.003, 0.01, 0.03, 0.1], fast=[0.003, 0.01])},
    seeds=[100],
)
batch_rate = lab.best(batch_tuning, by=["norm", "batch_size"], over="lr", value="accuracy")
batch_rate = batch_rate.set_index(["norm", "batch_size"]).lr
batched = lab.sweep(
    lambda norm, batch_size, seed: small_batches(
        norm, batch_size, batch_rate[norm, batch_size], seed
    ),
    contest,
    seeds,
)
leads = [
    lab.paired_difference(part, by="norm", value="accuracy", baseline="batch norm").assign(
        batch_size=size
    )
    for size, part in batched.groupby("batch_size")
]
leads = pd.concat(leads).set_index("batch_size")[["mean", "low", "high", "excludes_zero"]]
leads.round(3)

# %%
fig, ax = lab.figure(height=2.8)
lab.band(batched, "batch_size", "accuracy", by="norm", ax=ax)
ax.set(
    xscale="log",
    xlabel="batch size",
    ylabel="accuracy (test)",
    ylim=(0, 0.9),
    xticks=batch_sizes,
)
ax.set_xticklabels(batch_sizes)
ax.minorticks_off()
lab.show(
    fig,
    alt="Test accuracy after equal numbers of steps against the batch size. At 2 batch norm stands far below layer norm; from 8 or so on the two are close.",
)

# %% [markdown]
# (The table gives layer norm minus batch norm, seed by seed, with the 95 % interval.)
#
# At two samples a batch, batch norm hardly learns: of each pair only the sign is left (with two values, $\hat x$ is $-1$ and $1$, whatever they were), and the running statistics describe something that training never computed. Layer norm does not care. At four the gap has shrunk to a few points, and from eight on batch norm is level or slightly ahead.
# (In convolutional networks each image brings many positions, and the trouble starts later. A *running* average cannot help, whatever its momentum: it is used in evaluation only, and the noise is in training.)

# %% [markdown]
# ## The trap: fifty layers
#
# So batch norm makes deep networks healthy? Take the instrument of the first lesson: signal (how much a unit's output varies from image to image) and gradient, layer by layer, in networks of fifty layers, before any training.
#
# **Predict, then run.** Where will the gradient be level: with batch norm, with layer norm, or without a norm? For ReLU, and for the sigmoid?


# %%
def normed_journey(activation, norm, seed, depth=50):
    torch.manual_seed(seed)
    model = normed_mlp(depth, norm, activation)
    hidden, signals = images, []
    for layer in model:
        hidden = layer(hidden)
        if isinstance(layer, tuple(ACTIVATIONS.values())):
            signals.append(hidden.std(dim=0).mean().item())
    F.cross_entropy(hidden, labels).backward()
    norms = [layer.weight.grad.norm().item() for layer in model if isinstance(layer, nn.Linear)]
    return [
        {"layer": k, "signal": s, "gradient": g}
        for k, (s, g) in enumerate(zip(signals, norms[:-1], strict=True), start=1)
    ]


journeys = lab.sweep(
    normed_journey, {"activation": ["ReLU", "sigmoid"], "norm": list(NORMS)}, seeds
)

# %%
fig, axes = lab.figure(2, 2, height=2.7)
for row, (activation, part) in zip(
    axes, journeys.groupby("activation", sort=False), strict=True
):
    for ax, quantity in zip(row, ("signal", "gradient"), strict=True):
        shown = part.assign(**{quantity: part[quantity].clip(1e-20)})
        lab.band(shown, "layer", quantity, by="norm", ax=ax, log=True, legend=ax is axes[0, 1])
        ax.set(title=f"{activation}: {quantity}", ylabel="")
        ax.set_ylim((1e-3, 1e5) if activation == "ReLU" else (1e-21, 1e3))
lab.show(
    fig,
    alt="Signal and gradient over fifty layers. ReLU: with batch norm the signal is level at 0.6, but the gradient grows from below 1 at layer 50 to several "
    "thousand at layer 1; without norm and with layer norm the gradient is about level, and the signal sinks about tenfold. Sigmoid: with batch norm both are level; without norm and with layer norm both vanish "
    "(the gradient below 1e-20 is drawn at 1e-20).",
)

# %% [markdown]
# With ReLU and batch norm every forward measurement is perfect, the most level line of all, and the **gradient explodes**, more than ten-thousandfold from layer 50 to layer 1. Forward and backward are two questions, once more.
#
# The reason takes four lines (Yang et al., 2019, do it properly). A ReLU behind a standardised unit passes on a mean square of ½, but part of that is its mean: its *variance* is only
# $\tfrac12 - \tfrac1{2\pi} = \tfrac{\pi-1}{2\pi}$. The next batch norm divides by the spread of what really varies, so it divides by less than the mean square would suggest, and amplifies. Backward, the ReLU's slope passes on ½ of the squared gradient.
# Per layer that makes
#
# $$\frac{1/2}{(\pi-1)/(2\pi)} = \frac{\pi}{\pi-1} \approx 1.467\ \text{for the square},\qquad \sqrt{1.467} \approx 1.21\ \text{for the gradient},$$
#
# and $1.21^{48} \approx 10{,}000$ from layer 50 to layer 2 (somewhat less at a width of 100, as you will see: the theory is for wide layers; and more at layer 1, which has eight times as many weights). Layer norm, which looks at the features of one sample, sees nearly the whole mean square there, and its gradient stays level.
#
# For the sigmoid it is the other way round. Nearly all of a sigmoid's output is its *mean*, the same for all images. Batch norm subtracts it, because it compares images, and what is left is the image. Layer norm compares the units of one image,
# keeps what the images have in common, and the image fades away (down to the rounding, where the curves of the signal end).

# %%
at = journeys.set_index(["activation", "norm", "seed", "layer"]).gradient.sort_index()
growth = (at["ReLU", "batch norm"].unstack()[10] / at["ReLU", "batch norm"].unstack()[40]) ** (
    1 / 30
)
print(
    f"measured growth per layer, layers 40 to 10: {growth.mean():.3f};  theory: {math.sqrt(math.pi / (math.pi - 1)):.3f}"
)

# %% [markdown]
# So why do networks of a hundred layers and more train with batch norm? Because they have **skip connections**: $x \leftarrow x + f(\operatorname{norm}(x))$. Each block adds to the signal instead of replacing it, and the gradient has a road on which nothing is multiplied.


# %%
class Residual(nn.Module):
    """x + Linear(ReLU(norm(x))): the norm comes first ("pre-norm")."""

    def __init__(self, width, norm):
        super().__init__()
        linear = nn.Linear(width, width)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        self.body = nn.Sequential(norm(width), nn.ReLU(), linear)

    def forward(self, x):
        return x + self.body(x)


def with_skips(norm, seed, depth=50, width=100):
    torch.manual_seed(seed)
    blocks = [Residual(width, NORMS[norm]) for _ in range(depth - 1)]
    ends = [NORMS[norm](width), nn.ReLU(), nn.Linear(width, n_classes)]
    model = nn.Sequential(nn.Linear(n_inputs, width), *blocks, *ends).to(device)
    F.cross_entropy(model(images), labels).backward()
    norms = [block.body[2].weight.grad.norm().item() for block in model[1:depth]]
    return {"first over last": norms[0] / norms[-1]}


skips = lab.sweep(with_skips, {"norm": ["batch norm", "layer norm"]}, seeds)
without = (
    at["ReLU", "batch norm"].unstack()[2] / at["ReLU", "batch norm"].unstack()[50]
).median()
print(
    f"gradient of the first 100 × 100 layer over that of the last, batch norm without skips: {without:,.0f}"
)
skips.groupby("norm", sort=False)["first over last"].median().round(1)

# %% [markdown]
# With skip connections, the first block's gradient is about ten times the last one's with batch norm, and about five times with layer norm. Without them, batch norm made that thousands.

# %% [markdown] role="question" exercise="which_norm" minutes=10
# ### Which norm, and what went wrong?
#
# In your own words, at most ten sentences: (a) A colleague's classifier has 92 % in validation during training. In production, where images come one at a time, it raises an error; with `batch_size=2` it runs, at 40 %. What happened, and which other damage should they check the saved model for?
# (b) A detector for large scans fits two images a batch on the GPU. Which norm would you use, and what do you give up? (c) "With batch norm, initialisation and depth no longer matter." Which of this lesson's measurements support that sentence, and which contradict it?

# %% [markdown] role="answer" exercise="which_norm" points=3
# (a) The model is in training mode: it normalises by the batch. One image has no spread, hence the error; with two, each is normalised by the other, and the answers depend on chance companions. `model.eval()` was forgotten in production (validation called it, or used large mixed batches).
# Every call in training mode has also moved the running statistics, so a model saved since then gives wrong answers even in evaluation mode: compare its buffers with the original checkpoint.
# (b) Layer norm or group norm, which do not look at the batch: at two samples batch norm hardly learned. I give up fusion (σ depends on the input, so the norm cannot be folded away), and perhaps the tolerance of high rates that batch norm showed. A smaller
# momentum would only steady the running statistics, not the noise in training. (c) For it: the plateau over the scale of the weights, the usable rates, the sigmoid network that trains. Against it: fifty ReLU layers with batch norm have perfect activations and a gradient that grows about 1.2-fold per layer, some ten-thousandfold in all;
# it takes skip connections to mend that. And "initialisation does not matter" holds only as far as the learning rate is tuned, since scale and rate are one knob.

# %% [markdown]
# ## What we measured
#
# Every figure that the text above relies on, asserted on this machine, with a margin.

# %%
means = results.groupby(["activation", "norm"]).accuracy.mean()
tuned = tuning.groupby(["activation", "norm", "lr"]).accuracy.mean()
size = drifts.set_index(["layer", "seed", "step"])["size"]
wander = np.log(size.groupby(["layer", "seed"]).max()) - np.log(
    size.groupby(["layer", "seed"]).min()
)
wander = np.exp(wander.groupby("layer").mean())
scale_means = scales.groupby(["norm", "gain"]).accuracy.mean()
learns = scale_means["none"][lambda accuracy: accuracy > 0.5].index
final = courses.query("epoch == epoch.max()").groupby("norm").valid_accuracy.mean()
leak = pd.DataFrame(symptoms).T
paired = lab.paired_difference(orders, by="order", value="accuracy", baseline="before")
first_means = firsts.groupby("inputs").accuracy.mean()
vertical = {
    (activation, norm): at[activation, norm].unstack()[1]
    / at[activation, norm].unstack()[50].clip(lower=1e-30)
    for activation in ("ReLU", "sigmoid")
    for norm in NORMS
}
level = vertical["ReLU", "layer norm"]
low, high = min(gains), max(gains)

with Claims(data) as claim:
    claim(
        "ten ReLU layers: layer 10's size changes more than 2.5-fold in one epoch",
        wander[10] > 2.5,
        weaker=wander[10] > 1.1,
    )
    claim("layer 1's by less than a factor of 2", wander[1] < 2)
    first_row, second_row = consequences
    claim(
        "before a batch norm the bias has no gradient: below 1/10,000 of the weight's",
        first_row["|∂b|"] < 1e-4 * first_row["|∂W|"],
    )
    claim(
        "weights × 100: the same spread behind the norm, a gradient 100 times smaller",
        abs(second_row["spread after"] / first_row["spread after"] - 1) < 0.01
        and 80 < first_row["|∂W|"] / second_row["|∂W|"] < 125,
    )
    claim(
        "the jitter of the running mean is s/√B·√(m/(2−m)), within 15 %",
        all(abs(late[m] / theory_late[m] - 1) < 0.15 for m in late),
    )
    claim(
        "without eval(): batches of 2, and batches sorted by class, cost more than 20 points",
        leak["leaky accuracy"].iloc[3:].max() < healthy - 0.2,
    )
    claim(
        "the leaky evaluation moves the running statistics",
        leak["layer 1's running means moved by"].iloc[1:].min() > 0.01,
    )
    claim(
        "ten sigmoid layers without a norm guess at every rate: below 20 %",
        tuned["sigmoid", "none"].max() < 0.2,
    )
    claim(
        "with batch norm they are right more than half of the time",
        means["sigmoid", "batch norm"] > 0.5,
        weaker=vertical["sigmoid", "batch norm"].min()
        > 0.01
        > vertical["sigmoid", "none"].max(),
    )
    claim(
        "layer norm does not rescue the sigmoid: below 20 %",
        tuned["sigmoid", "layer norm"].max() < 0.2,
    )
    claim(
        "ReLU at a rate of 0.3: batch norm above one half, no norm below 30 %",
        tuned["ReLU", "batch norm"][0.3] > 0.5 and tuned["ReLU", "none"][0.3] < 0.3,
        weaker=tuned["ReLU", "none"][0.3] < 0.3,
    )
    claim(
        "ReLU after three epochs: without and with batch norm are within 5 points",
        abs(final["batch norm"] - final["none"]) < 0.05,
        weaker=abs(final["batch norm"] - final["none"]) < 0.4,
    )
    claim(
        "batch norm is above one half at every scale",
        scale_means["batch norm"].min() > 0.5,
        weaker=scale_means["batch norm"].mean() > scale_means["none"].mean(),
    )
    claim(
        "without a norm only scales between 0.3 and 9 get there, He's among them",
        0.3 < learns.min() < math.sqrt(2) < learns.max() < 9,
        weaker=max(scale_means["none", low], scale_means["none", high]) < 0.3,
    )
    claim(
        "before and after the activation: the difference is below 10 points",
        abs(paired["mean"].iloc[0]) < 0.1,
        weaker=abs(paired["mean"].iloc[0]) < 0.3,
    )
    claim(
        "a batch norm in front of raw pixels is worth more than 5 points, and within 8 of standardised ones",
        first_means["raw, batch norm first"] > first_means["raw"] + 0.05
        and abs(first_means["raw, batch norm first"] - first_means["standardised"]) < 0.08,
        weaker=first_means["raw, batch norm first"] > first_means["raw"],
    )
    claim("fusing changes the scores by less than 1e-5 of the largest", apart < 1e-5)
    claim("and fewer than 1 prediction in 200", changed < 0.005)
    claim("GroupNorm and RMSNorm equal their formulas", max(group_error, rms_error) < 1e-9)
    claim(
        "batches of 2: layer norm leads batch norm by more than 20 points",
        leads["mean"][2] > 0.2,
        weaker=leads["mean"][2] > 0,
    )
    claim(
        "batches of 8 and more: the two are within 10 points",
        leads["mean"].loc[8:].abs().max() < 0.1,
        weaker=leads["mean"].loc[8:].abs().max() < 0.3,
    )
    claim(
        "50 ReLU layers with batch norm: the signal is level, within 25 %",
        journeys.query("activation == 'ReLU' and norm == 'batch norm'")
        .signal.between(0.45, 0.75)
        .all(),
    )
    claim(
        "but the gradient grows more than 5,000-fold from layer 50 to layer 1",
        vertical["ReLU", "batch norm"].min() > 5_000,
    )
    claim("by 1.21 per layer, within 4 %", abs(growth.mean() / 1.211 - 1) < 0.04)
    claim("layer norm, ReLU: within a factor of 30", level.min() > 1 / 30 and level.max() < 30)
    claim(
        "sigmoid: batch norm within a factor of 100, layer norm below a millionth",
        vertical["sigmoid", "batch norm"].min() > 1 / 100
        and vertical["sigmoid", "batch norm"].max() < 100
        and vertical["sigmoid", "layer norm"].max() < 1e-6,
    )
    claim(
        "skip connections: first over last gradient below 60 instead of above 1,000",
        skips["first over last"].max() < 60 and without > 1_000,
    )

# %% [markdown]
# ## In short
#
# | | batch norm | layer norm |
# |---|---|---|
# | averages over | the batch (and all places), per channel | the features of one sample |
# | training and evaluation | differ: `model.train()`, `model.eval()` | the same |
# | remembers | running mean and variance (buffers) | nothing |
# | small batches | bad at 2 to 4 samples | no matter |
# | at inference | melts into the layer before it | stays |
# | at home in | convolutional networks | transformers, recurrent networks |
# | in PyTorch | `nn.BatchNorm1d`, `2d`, `3d`; `momentum=0.1` is the weight of the *new* value | `nn.LayerNorm(normalized_shape)`; relatives `nn.GroupNorm`, `nn.RMSNorm` |
#
# - Biased variance for the batch, unbiased variance for the running average, ε under the root, `bias=False` in the layer before.
# - `eval()` before you judge, and every submodule's old mode back afterwards. Sequences: `permute`, never `reshape(B, F, T)`.
# - Batch norm forgives scales, rates and activations. It does not forgive depth without skip connections: forward perfect, backward 1.21 per layer.
#
# **Read on.** Ioffe and Szegedy (2015), *Batch Normalization*. Ba, Kiros and Hinton (2016), *Layer Normalization*. Wu and He (2018), *Group Normalization*. Zhang and Sennrich (2019) on RMSNorm.
# Santurkar et al. (2018) ask how batch norm helps; van Laarhoven (2017) what it does to the learning rate; Yang et al. (2019) why it makes gradients explode. The next lesson clips what still explodes.

# %%
lab.show_progress("ch01")
