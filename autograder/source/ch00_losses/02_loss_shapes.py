# ---
# jupyter:
#   lesson:
#     title: Losses with a purpose, and the landscape
#     minutes: 60
# ---

# %% [markdown]
# A detector looks at ten thousand patches of a photograph, and ten of them hold a face. After a minute of training it is sure of nearly every empty patch: each costs
# it a loss of 0.01. Each face still costs 2.3. Add up, and the ten thousand solved cases make four fifths of the loss, the ten that
# matter one fifth.
#
# Cross-entropy is a good default, not a law. A loss is a statement of *what you mind*, and you may rewrite it. Rewriting also has a price, and a famous loss may do less for you
# than moving one threshold. In this lesson you
#
# - write the focal loss and class weights, and find out which of them raises the recall of a rare class, and what it costs,
# - write the multi-class hinge loss, which stops when it is content, and compare it with cross-entropy, which never is,
# - look at the loss as a landscape over the weights: slices, valleys, equal minima, and the saddle points that crowd high dimensions.

# %% role="setup"
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %%
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve

device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
data

# %% [markdown]
# ## Easy examples shout together
#
# Write $p_t$ for the probability that the network gives to the true class. Cross-entropy is $-\log p_t$, small for an easy example and never quite zero. Lin, Goyal, Girshick, He
# and Dollár (2017) turn the easy ones down:
#
# $$\operatorname{FL} = (1 - p_t)^\gamma\,(-\log p_t)$$
#
# This is the **focal loss**. With $\gamma = 0$ it is cross-entropy; the larger $\gamma$, the less an example counts that is already well classified. (The paper also multiplies by a class weight $\alpha_t$. We keep
# that apart: it is a different idea, and comes next.)
#
# **Predict, then run.** The detector above: 10,000 easy patches with $p_t = 0.99$ and 10 hard ones with $p_t = 0.1$. With $\gamma = 0$ the hard ones have a fifth of the whole loss. And with
# $\gamma = 1$, or $2$?


# %%
def focal_of_margin(margin, gamma):
    """Focal loss of two classes, from the true score's lead over the other: p_t is its sigmoid."""
    return torch.sigmoid(-margin) ** gamma * F.softplus(-margin)


easy, hard = (torch.logit(torch.tensor(p, dtype=torch.float64)) for p in (0.99, 0.1))
shares = {}
for gamma in (0, 1, 2, 5):
    from_easy = 10_000 * focal_of_margin(easy, gamma)
    from_hard = 10 * focal_of_margin(hard, gamma)
    shares[gamma] = (from_hard / (from_easy + from_hard)).item()
    print(
        f"γ = {gamma}: easy {from_easy:9.4f}, hard {from_hard:7.3f}, share of the hard {shares[gamma]:6.1%}"
    )


# %%
def plot_focal(gammas):
    """Loss and push of the focal loss against p_t, one line a γ."""
    fig, (left, right) = lab.figure(1, 2, height=3.2)
    p = torch.linspace(0.005, 0.995, 400, dtype=torch.float64)
    for i, gamma in enumerate(gammas):
        margin = torch.logit(p).requires_grad_()
        loss = focal_of_margin(margin, gamma)
        (slope,) = torch.autograd.grad(loss.sum(), margin)
        style = lab.line_style(i) | {"marker": ""}
        left.plot(p, loss.detach(), label=f"γ = {gamma:g}", **style)
        right.plot(p, -slope, label=f"γ = {gamma:g}", **style)
    left.set(xlabel="p of the true class", ylabel="loss", ylim=(0, 5), title="What it costs")
    right.set(
        xlabel="p of the true class", ylabel="push on the margin", title="How hard it pushes"
    )
    left.legend(handlelength=3)
    return fig


lab.show(
    plot_focal([0, 1, 2, 5]),
    alt="Left: the focal loss against the probability of the true class; all lines start high at 0 and end "
    "at 0 for p = 1, and the larger gamma, the earlier they get there. Right: the push on the margin. "
    "Cross-entropy is a straight line from 1 to 0; with gamma 2 the push is above it below p = 0.3 and "
    "far below it above p = 0.6; with gamma 5 it peaks near p = 0.05.",
)

# %% [markdown]
# With $\gamma = 1$ nearly all of the loss comes from the hard examples, with $2$ practically all. The right-hand picture shows the gradient, which is what training feels. The "push" says how strongly the loss wants to raise the margin, the true
# score's lead over the other (here there are two classes); it is minus the slope of the loss. With $\gamma = 2$ a case at $p_t = 0.9$ keeps three hundredths of its push, and a hard one, below $p_t \approx 0.3$, even a bit
# *harder* than with cross-entropy: raising $p_t$ now pays twice, through the logarithm and through the factor in front. The second way exists only if the gradient flows through the factor, too.

# %% [markdown] role="card" exercise="focal_loss" level=2 minutes=10 topic="Class imbalance" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html"
# ### The focal loss, from logits
#
# For a batch of logits and true classes, return the **mean** over the batch of $(1 - p_t)^\gamma\,(-\log p_t)$, where $p_t$ is the softmax probability of the sample's true class. The result is a
# tensor of no dimensions, ready for `backward()`, which treats the factor $(1 - p_t)^\gamma$ as part of the loss.
#
# $\gamma$ is 0 or at least 1 (in between, $(1 - p)^\gamma$ has an infinite slope at $p = 1$). Loss and gradient must be finite for logits from −100 to 100, where a probability may round to exactly 0 or 1.


# %% role="stub" exercise="focal_loss"
def focal_loss(logits: torch.Tensor, labels: torch.Tensor, gamma: float = 2.0) -> torch.Tensor:
    """Focal loss of Lin et al. (2017), without class weights, for any number of classes.

    Args:
        logits: scores before the softmax, (B, K), float32 or float64.
        labels: true classes, (B,), int64.
        gamma: 0 (cross-entropy), or at least 1.

    Returns:
        Mean over the batch, shape ().
    """
    ### BEGIN SOLUTION
    log_p = F.log_softmax(logits, dim=1).gather(1, labels.unsqueeze(1)).squeeze(1)
    missing = 1 - log_p.exp()
    return -(missing**gamma * log_p).mean()
    ### END SOLUTION


# %% role="check" exercise="focal_loss"
with Check("focal_loss") as check:
    # Two samples with p = (0.8, 0.15, 0.05); the first is of class 0, the second of class 2.
    p = torch.tensor([[0.8, 0.15, 0.05], [0.8, 0.15, 0.05]], dtype=torch.float64)
    logits, truth = p.log() + torch.tensor([[0.0], [3.0]]), torch.tensor([0, 2])
    loss = focal_loss(logits, truth)
    check.is_a(loss, torch.Tensor)
    check.shape(loss, (), "Take the mean over the batch.")
    check.close(
        loss,
        1.3562865,
        "Two samples with p_t = 0.8 and 0.05 and γ = 2 should have a loss of 1.35629.",
        known=[
            (
                0.0751497,
                "You weight by p_t^γ: that turns the hard examples down. It is 1 − p_t that counts.",
            ),
            (-1.3562865, "The sign is wrong: −log p_t is positive."),
            (2.712573, "You sum over the batch; take the mean."),
            (1.6094379, "That is cross-entropy: the factor (1 − p_t)^γ is missing."),
            (
                1.0299798,
                "You take the mean first and the factor afterwards: each sample has a factor of its own.",
            ),
            (1.4452575, "The factor (1 − p_t) stands there once, not with the power γ = 2."),
            (
                0.3390716,
                "That is with the paper's α = 0.25, which the card leaves out: no class weight here.",
            ),
            (
                1.3831949,
                "The softmax runs over the batch; it belongs along the classes, dim=1.",
            ),
            (0.5052446, "Softmax twice: `cross_entropy` and `log_softmax` take logits."),
            (
                0.4520955,
                "You average over all B × K entries, zeros included. Average over the samples.",
            ),
        ],
    )
    unlike = torch.tensor([[0.8, 0.15, 0.05], [0.1, 0.2, 0.7]], dtype=torch.float64).log()
    check.close(
        focal_loss(unlike, truth),
        0.0205132,
        "Two samples with p_t = 0.8 and 0.7 should have a loss of 0.02051.",
        known=[
            (
                1.1524422,
                "You read every row at the labels of all rows, B × B numbers. Take one a row: its own label's.",
            )
        ],
    )
    check.close(
        focal_loss(logits, truth, gamma=1.0),
        1.4452575,
        "With γ = 1 the same two samples should have a loss of 1.44526.",
        known=[(1.3562865, "γ = 2 is fixed in your code: use the argument.")],
    )
    check.close(
        focal_loss(logits, truth, gamma=0.0),
        1.6094379,
        "With γ = 0 it should be cross-entropy, 1.60944 here.",
    )
    logits.requires_grad_()
    loss = focal_loss(logits, truth)
    check.that(loss.requires_grad, "No gradient flows from the loss: something was detached.")
    (slope,) = torch.autograd.grad(loss, logits, allow_unused=True)
    check.that(
        slope is not None,
        "No gradient reaches the logits: the loss is a new tensor without history (`.item()`? `torch.tensor(...)`?).",
    )
    check.close(
        slope[1],
        torch.tensor([0.9496607, 0.1780614, -1.1277221], dtype=torch.float64) / 2,
        "The gradient with respect to the second sample's logits is off.",
        known=[
            (
                torch.tensor([0.722, 0.135375, -0.857375], dtype=torch.float64) / 2,
                "The factor (1 − p_t)^γ is treated as a constant. Let the gradient flow through it.",
            ),
            (
                torch.tensor([0.2276607, 0.0426864, -0.2703471], dtype=torch.float64) / 2,
                "The logarithm is treated as a constant. Let the gradient flow through it as well.",
            ),
        ],
    )
    sure = torch.tensor([[100.0, -100.0, 0.0], [100.0, -100.0, 0.0]], requires_grad=True)
    for gamma in (2.0, 1.0, 0.0):
        loss = focal_loss(sure, torch.tensor([0, 1]), gamma)
        check.close(
            loss,
            100.0,
            f"Logits (100, −100, 0), once right and once wrong, γ = {gamma:g}: the mean of 0 and 200 is 100. "
            "Where a probability rounds to 0 or 1, or is clamped, its logarithm is lost: stay with logits.",
        )
        (slope,) = torch.autograd.grad(loss, sure)
        check.that(
            slope.isfinite().all(),
            f"With logits of ±100 and γ = {gamma:g} the gradient is not finite, although the loss is.",
        )


# %% [markdown] role="hints" exercise="focal_loss"
# <details><summary>Hint 1: where to begin</summary>
#
# Begin with the *logarithm* of the probabilities. PyTorch has a softmax that returns it, and never overflows.
#
# </details>
# <details><summary>Hint 2: one entry a row</summary>
#
# Each row needs the entry of its own true class: `gather` along dimension 1, or an index made of `torch.arange` and the labels. (Or get all −log p_t at once from `F.cross_entropy`
# with `reduction="none"`.)
#
# </details>
# <details><summary>Hint 3: p_t from its logarithm</summary>
#
# The exponential of log p_t is p_t, safely between 0 and 1. Do not detach it; multiply, and take the mean last.
#
# </details>

# %% role="test" exercise="focal_loss" points=2
# Graded with hidden tests: other shapes, dtypes and γ, gradients, very confident logits, a batch of one.
### BEGIN HIDDEN TESTS
with HiddenTest("focal_loss") as test:
    for dtype, batch, classes, gamma in (
        (torch.float64, 7, 4, 2.0),
        (torch.float32, 5, 10, 0.0),
        (torch.float64, 1, 3, 1.0),
        (torch.float32, 6, 2, 5.0),
        (torch.float64, 9, 5, 1.5),
        (torch.float64, 4, 4, 0.0),
    ):
        logits = (torch.randn(classes, batch, dtype=dtype) * 2).T.requires_grad_()
        truth = torch.randint(classes, (batch,))
        z = logits.detach().double().clone()
        before, labels_before = logits.detach().clone(), truth.clone()
        q = z.exp() / z.exp().sum(1, keepdim=True)
        p_t = torch.stack([row[c] for row, c in zip(q, truth.tolist(), strict=True)])
        want = ((1 - p_t).pow(gamma) * p_t.log().neg()).sum() / batch
        strength = (1 - p_t).pow(gamma) - (
            gamma * p_t * (1 - p_t).pow(gamma - 1) * p_t.log() if gamma else 0
        )
        direction = q - torch.eye(classes, dtype=torch.float64)[truth]
        want_slope = strength[:, None] * direction / batch
        constant = (1 - p_t).pow(gamma)[:, None] * direction / batch
        loss = focal_loss(logits, truth, gamma=gamma)
        test.is_a(loss, torch.Tensor)
        test.shape(loss, (), "One number for the batch.")
        test.that(loss.dtype == dtype, "The loss should have the dtype of the logits.")
        test.close(
            loss,
            want,
            f"For {classes} classes and γ = {gamma:g} the loss is off.",
            known=[(want * batch, "You sum over the batch; take the mean.")],
        )
        test.that(
            loss.requires_grad, "No gradient flows from the loss: something was detached."
        )
        (slope,) = torch.autograd.grad(loss, logits, allow_unused=True)
        test.that(slope is not None, "No gradient reaches the logits.")
        test.close(
            slope,
            want_slope,
            "The gradient is off although the loss is right.",
            known=[
                (constant, "The factor (1 − p_t)^γ is treated as a constant: do not detach it.")
            ],
            atol=1e-6,
        )
        test.that(
            torch.equal(logits.detach(), before) and torch.equal(truth, labels_before),
            "The arguments changed: do not work in place on them.",
        )
    default = torch.tensor([[1.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    margins = torch.tensor([1.0, -2.0], dtype=torch.float64)
    want = (torch.sigmoid(-margins).square() * F.softplus(-margins)).mean()
    test.close(
        focal_loss(default, torch.tensor([0, 0])), want, "Without an argument γ should be 2."
    )
    easy = torch.tensor([[8.0, 0.0]], dtype=torch.float64)
    test.close(
        focal_loss(easy, torch.tensor([0])),
        (torch.sigmoid(-easy[0, 0]).square() * F.softplus(-easy[0, 0])).item(),
        "For one sample with p_t = 0.9997 in float64 the loss is off: no floor belongs under 1 − p_t, "
        "and no float32 in between.",
        atol=0.0,
    )
    for dtype in (torch.float32, torch.float64):
        for gamma in (0.0, 1.0, 1.5, 2.0, 5.0):
            sure = torch.tensor(
                [[100.0, -100.0], [-100.0, 100.0], [-100.0, -100.0]], dtype=dtype
            )
            sure.requires_grad_()
            loss = focal_loss(sure, torch.tensor([0, 0, 1]), gamma)
            want = (0 + 200 + 0.5**gamma * math.log(2)) / 3
            test.close(
                loss,
                want,
                "With very confident logits, ±100, the loss is off: it should be finite, and nothing cut off.",
            )
            (slope,) = torch.autograd.grad(loss, sure)
            test.that(
                slope.isfinite().all(),
                "Very confident logits, ±100, should have a finite gradient, also where p_t is exactly 1.",
            )
            test.close(
                slope[:2],
                torch.tensor([[0.0, 0.0], [-1.0, 1.0]]) / 3,
                "A sure and wrong sample should be pushed at full strength, a sure and right one not at all.",
            )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="focal_loss"
# `log_softmax` never takes the logarithm of a rounded 0, so $-\log p_t = 200$ comes out as 200. Softmax followed by `log` gives infinity there, and its gradient nan. The power is harmless for $\gamma \ge 1$ and
# for 0; for $0 < \gamma < 1$ its slope at $p_t = 1$ is infinite, and infinity times zero is nan, which is why the card leaves those out. Where $1 - p_t$ itself has to be accurate to the last digit, take
# `-torch.expm1(log_p)`: $1 - 0.99999997$ has hardly any digits left in float32.

# %% [markdown]
# ## Weights: pay more for what is rare
#
# The older remedy is blunter. Give each class a weight, large where there are few samples, so that all classes bring the same total weight into the loss. **Inverse frequency** does this: with $n_c$ samples
# of class $c$, $n$ in all and $K$ classes,
#
# $$w_c = \frac{n}{K\,n_c}, \qquad \text{so that}\quad \sum_{i} w_{y_i} = n.$$
#
# The weights average 1 **over the samples**, so the scale of the loss, and with it the useful learning rates, stay roughly where they were.

# %% [markdown] role="card" exercise="class_weights" level=1 minutes=6 topic="Class imbalance" doc="https://docs.pytorch.org/docs/stable/generated/torch.bincount.html"
# ### Inverse frequency weights
#
# From the labels of a training set, return one weight per class, inversely proportional to its number of samples, scaled so that their mean over the **samples** is 1.
#
# A class may be absent. It gets weight 0, and the others are scaled as if it did not exist: $K$ is the number of classes that do occur.


# %% role="stub" exercise="class_weights"
def class_weights(labels: torch.Tensor, n_classes: int) -> torch.Tensor:
    """Weights inversely proportional to the frequency of each class.

    Args:
        labels: classes of the samples, (n,), int64, n at least 1, in any order.
        n_classes: number of classes there may be; labels lie between 0 and n_classes - 1.

    Returns:
        Weights (n_classes,), float32 (torch's default dtype): their mean over the samples is 1, and 0 stands
        for a class without samples.
    """
    ### BEGIN SOLUTION
    counts = torch.bincount(labels, minlength=n_classes)
    occurs = counts > 0
    weights = len(labels) / (occurs.sum() * counts.clamp(min=1))
    return torch.where(occurs, weights, 0.0)
    ### END SOLUTION


# %% role="check" exercise="class_weights"
with Check("class_weights") as check:
    weights = class_weights(torch.tensor([0, 1, 0, 0]), 2)
    check.shape(weights, (2,), "One weight a class.")
    check.that(weights.is_floating_point(), "The weights should be floating-point numbers.")
    check.close(
        weights,
        torch.tensor([2 / 3, 2.0]),
        "Three samples of class 0 and one of class 1 should have the weights 2/3 and 2.",
        known=[
            (
                torch.tensor([1 / 3, 1.0]),
                "That is 1/n_c: scale it to a mean of 1. (A `set` of tensors counts samples, not classes.)",
            ),
            (
                torch.tensor([0.5, 1.0]),
                "You add 1 to the counts; take them as they are, and treat absent classes apart.",
            ),
            (torch.tensor([4 / 3, 4.0]), "That is n/n_c, whose mean over the samples is K."),
            (torch.tensor([0.75, 0.25]), "Those are the frequencies; weight by their inverse."),
            (
                torch.tensor([0.5, 1.5]),
                "Their mean over the *classes* is 1. Over the samples it should be.",
            ),
            (
                torch.tensor([0.25, 0.75]),
                "Their sum is 1. Their mean over the samples should be 1, and 1 minus the frequency is no inverse.",
            ),
        ],
    )
    check.that(
        weights.dtype == torch.get_default_dtype(),
        f"The weights should be float32, but they are {weights.dtype}.",
    )
    weights = class_weights(torch.tensor([3, 1, 1, 1]), 5)
    check.shape(weights, (5,), "Classes that do not occur need an entry as well.")
    check.that(
        weights.isfinite().all(),
        "A class without samples has no finite weight: do not divide by 0.",
    )
    check.that((weights[[0, 2, 4]] == 0).all(), "A class without samples should have weight 0.")
    check.close(
        weights,
        torch.tensor([0.0, 2 / 3, 0.0, 2.0, 0.0]),
        "Labels 3, 1, 1, 1 of five classes: the weights should be 0, 2/3, 0, 2, 0.",
        known=[
            (
                torch.tensor([0.0, 4 / 15, 0.0, 0.8, 0.0]),
                "K counts all five classes; only two of them occur.",
            ),
        ],
    )


# %% [markdown] role="hints" exercise="class_weights"
# <details><summary>Hint 1: counting</summary>
#
# `torch.bincount` counts how often each integer occurs. Without `minlength` it stops at the largest label it sees.
#
# </details>
# <details><summary>Hint 2: the absent ones</summary>
#
# Divide only where the count is above 0 (a mask as index, or `torch.where`), and let the mask's sum be $K$.
#
# </details>

# %% role="test" exercise="class_weights" points=1
# Graded with hidden tests: many classes, absent ones, a single class, a single sample.
### BEGIN HIDDEN TESTS
with HiddenTest("class_weights") as test:
    cases = [
        (torch.randint(7, (500,)), 7),
        (torch.randint(3, (50,)) * 2, 9),
        (torch.tensor([0]), 1),
        (torch.tensor([2, 2, 2]), 4),
        (torch.cat([torch.zeros(9_999, dtype=torch.int64), torch.tensor([1])]), 2),
        (torch.arange(40).view(20, 2).T[1] % 6, 6),
    ]
    for labels, n_classes in cases:
        before = labels.clone()
        counts = [before.tolist().count(c) for c in range(n_classes)]
        present = sum(n > 0 for n in counts)
        want = torch.tensor([len(before) / (present * n) if n else 0.0 for n in counts])
        weights = class_weights(labels=labels, n_classes=n_classes)
        test.shape(weights, (n_classes,), "One weight a class, absent ones included.")
        test.that(
            weights.dtype == torch.float32,
            f"The weights should be float32, not {weights.dtype}.",
        )
        test.that(weights.isfinite().all(), "A class without samples should have weight 0.")
        test.that(
            all(w == 0 for w, n in zip(weights.tolist(), counts, strict=True) if n == 0),
            "A class without samples should have weight 0.",
        )
        test.close(
            weights[before].double().mean().item(),
            1.0,
            "The mean of the weights over the samples should be 1.",
        )
        test.close(weights, want, "The weights should be inversely proportional to the counts.")
        test.that(torch.equal(labels, before), "The labels changed: do not work in place.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="class_weights"
# Each class that occurs brings $n_c \cdot n/(K n_c) = n/K$ into the sum, and $K$ of those make $n$. In PyTorch the weights go into `F.cross_entropy(logits, labels, weight=w)`. Mind its `mean`: it divides by the sum of
# the weights *in this batch*, not by the number of samples, so one rare sample in a batch of common ones changes the scale of all others. Written as $\frac1B\sum_i w_{y_i}\ell_i$, as in the experiment below, it does not.

# %% [markdown]
# ## One shirt in twenty
#
# The claim that made the focal loss famous is about imbalance. Let us test it. From Fashion-MNIST we take T-shirts and shirts, which even people confuse, and keep so few shirts that they are **5 %** of the training set. Five contenders:
# cross-entropy, cross-entropy with inverse frequency weights, and the focal loss with $\gamma = 1, 2, 5$. All have the same small network and the same eight epochs, and each its own learning rate, chosen on validation images.
#
# What shall we measure? At 1 in 20, calling everything a T-shirt is 95 % accurate. So:
#
# - **Recall**: which share of the shirts is found? **Precision**: which share of the alarms is right? Both with the usual threshold $p = \frac12$, and at a share of 5 % shirts. (We test on all images of both classes and weight them to 1 in 20.)
# - **Average precision**: the mean precision over all recalls, whatever the threshold. It judges the *order* in which the network puts the images. The learning rate is chosen by it, too.
# - The recall of the same network at the threshold that leaves a precision of one half.
#
# **Predict, then run.** Which of the five finds the most shirts at $p = \frac12$? Which has the best average precision?


# %%
COMMON, RARE, SHARE = 0, 6, 0.05  # labels of T-shirts and shirts, and the share of shirts


def pair_of_classes(split, keep=None, seed=0):
    """Images of the two classes, and 1 for a shirt; `keep` thins out the shirts to that share."""
    common, rare = ((split.labels == c).nonzero().squeeze(1) for c in (COMMON, RARE))
    if keep:
        order = torch.randperm(len(rare), generator=torch.Generator().manual_seed(seed))
        rare = rare[order[: round(len(common) * keep / (1 - keep))].to(rare.device)]
    x, y = split[torch.cat([common, rare])]
    return x, (y == RARE).float()


# name: (γ, whether the classes are weighted)
CONTENDERS = {
    "cross-entropy": (0, False),
    "weighted": (0, True),
    "focal, γ = 1": (1, False),
    "focal, γ = 2": (2, False),
    "focal, γ = 5": (5, False),
}
exam = {part: pair_of_classes(getattr(data, part)) for part in ("valid", "test")}


def judge(scores, y):
    """Quality of scores for shirts, at a share of 5 % shirts."""
    y, scores = y.cpu(), scores.cpu()
    weight = torch.where(y == 1, SHARE / y.mean(), (1 - SHARE) / (1 - y.mean()))
    precision, recall, _ = precision_recall_curve(y, scores, sample_weight=weight)
    result = {"average precision": average_precision_score(y, scores, sample_weight=weight)}
    result["recall at precision ½"] = recall[precision >= 0.5].max()
    for name, threshold in (("", 0.0), (", p > 1/20", -math.log(1 / SHARE - 1))):
        alarm = scores > threshold
        found, false = ((alarm & (y == c)).sum() / (y == c).sum() for c in (1, 0))
        alarms = SHARE * found + (1 - SHARE) * false
        result["recall" + name] = found.item()
        result["precision" + name] = (SHARE * found / alarms).item() if alarms else math.nan
    grid = np.linspace(0.02, 0.98, 49)  # precision_recall_curve gives falling recalls
    result["curve"] = np.interp(grid, recall[::-1], precision[::-1])
    return result


def detector(contender, lr, seed, part="test"):
    gamma, weighted = CONTENDERS[contender]
    x, y = pair_of_classes(data.train, keep=SHARE, seed=seed)
    rarity = y.mean()
    weight = torch.where(y == 1, 0.5 / rarity, 0.5 / (1 - rarity)) if weighted else y * 0 + 1
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(x.shape[1], 64), nn.ReLU(), nn.Linear(64, 1)).to(device)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    order = torch.Generator().manual_seed(seed)
    for _ in range(budget(8, fast=4)):
        for batch in torch.randperm(len(y), generator=order).to(device).split(64):
            margin = model(x[batch]).squeeze(1) * (2 * y[batch] - 1)
            loss = (weight[batch] * focal_of_margin(margin, gamma)).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    x, y = exam[part]
    with torch.no_grad():
        return judge(model(x).squeeze(1).nan_to_num(), y)


tuning = lab.sweep(
    lambda contender, lr, seed: detector(contender, lr, seed, part="valid"),
    {
        "contender": list(CONTENDERS),
        "lr": budget([1e-3, 3e-3, 1e-2, 3e-2, 1e-1], fast=[3e-3, 3e-2]),
    },
    seeds=budget(range(100, 103), fast=[100]),
)
chosen = lab.best(tuning, by="contender", over="lr", value="average precision").set_index(
    "contender"
)
found = lab.sweep(
    lambda contender, seed: detector(contender, chosen.lr[contender], seed),
    {"contender": list(CONTENDERS)},
    budget(range(10), fast=range(2)),
)
MEASURES = ["recall", "precision", "average precision", "recall at precision ½"]
means = found.groupby("contender", sort=False)[
    [*MEASURES, "recall, p > 1/20", "precision, p > 1/20"]
].mean()
means[MEASURES].join(chosen[["lr", "at_edge"]]).round(3)


# %%
def plot_detectors(found, means):
    fig, ax = lab.figure(height=3.8)
    grid = np.linspace(0.02, 0.98, 49)
    for i, (name, runs) in enumerate(found.groupby("contender", sort=False)):
        style = lab.line_style(i)
        marker = style.pop("marker")
        line = {"marker": marker, "markevery": []}  # the marker shows in the legend only
        ax.plot(grid, np.stack(runs.curve).mean(0), label=name, **style, **line)
        ax.plot(
            *means.loc[name, ["recall", "precision"]],
            marker,
            color=style["color"],
            markersize=9,
            markeredgecolor="black",
        )
    ax.plot(
        *means.loc["cross-entropy", ["recall, p > 1/20", "precision, p > 1/20"]],
        "*",
        color="black",
        markersize=14,
        label="cross-entropy, threshold p > 1/20",
    )
    ax.set(xlabel="recall", ylabel="precision at 1 shirt in 20", xlim=(0, 1), ylim=(0, 1.02))
    ax.legend(handlelength=3, loc="lower left", fontsize=9)
    return fig


lab.show(
    plot_detectors(found, means),
    alt="Precision against recall for five losses, mean of the runs. The five curves lie almost on each other, "
    "falling from 1 to about 0.1. The markers for the threshold one half: cross-entropy and the focal losses sit "
    "together at a recall of about 0.5 and a precision between 0.8 and 0.9, the weighted loss at a recall of 0.8 and a "
    "precision of 0.25. A star marks cross-entropy with the threshold 1/20, beside the marker of the weighted loss.",
)

# %%
comparison = {
    measure: lab.paired_difference(found, "contender", measure, "cross-entropy").set_index(
        "contender"
    )
    for measure in MEASURES
}
pd.concat(comparison)[["mean", "low", "high", "excludes_zero"]].round(3)

# %% [markdown]
# (The text speaks of the full run on the real images; in fast mode, or on the built-in digits, there are too few rare images to say anything. `at_edge` would say that the best rate was the smallest or
# largest that we tried. In the second table `mean` is the contender minus cross-entropy, seed by seed, `low` and `high` bound it with 95 % confidence, and `excludes_zero` says whether 0 lies
# outside.)
#
# - **The focal loss hardly moves the recall.** It lies within five points of cross-entropy's for all three $\gamma$, and where it is a little above, precision tends to pay. (Such small differences hang on the seeds, and on the rate that tuning happened to pick: with other seeds they change their sign.) The
#   reason: the focal loss treats a shirt and a T-shirt with the same $p_t$ alike. It turns down what is *easy*, not what is *common*, and leaves the place where $p = \frac12$ is crossed where it was.
# - **Class weights raise it, and you pay.** They find nearly four shirts in five instead of one in two; but of their alarms only a quarter or so is right, instead of nearly nine in ten.
# - **No loss made a better detector.** In average precision none gains two points on cross-entropy, and at a precision of one half none finds three points more: the curves lie nearly on each other. What the weights changed is where on that curve the threshold ½ falls, the **operating point**.
#
# And that you can have after training, for nothing: move the threshold, here to $1/20$. Why there? The weights count each shirt 19 times as much as a T-shirt, which multiplies the odds $p : (1 - p)$ by 19. So where plain cross-entropy says $1/20$, odds of
# 1 : 19, the weighted network says $\frac12$. The star in the figure is plain cross-entropy with an alarm from $p = 1/20$ on, and it stands beside the weighted loss. It needs neither a new loss nor a new run, and you can set it on validation images to the recall or the
# precision you need. So with imbalance: first choose the measure, then the threshold, and only then ask whether another loss beats that *on the curve*. The focal loss earned its fame with thousands of
# easy patches for each object, in detectors that otherwise did not train well at all. Five per cent is not that.
#
# One more thing, before you set a threshold on a focal loss. **Predict, then run.** Of all cases that look like this one, 5 % are shirts. Which output $p$ makes the expected loss smallest, for $\gamma = 0$, 2 and 5?

# %%
p_grid = torch.linspace(0.001, 0.999, 9_981, dtype=torch.float64)
lead = torch.logit(p_grid)
honest = {}
for gamma in (0, 2, 5):
    for truth in (0.05, 0.6):
        expected = truth * focal_of_margin(lead, gamma) + (1 - truth) * focal_of_margin(
            -lead, gamma
        )
        honest[gamma, truth] = p_grid[expected.argmin()].item()
    print(
        f"γ = {gamma}: says {honest[gamma, 0.05]:.3f} where 0.05 is true, {honest[gamma, 0.6]:.3f} where 0.6 is true"
    )

# %% [markdown]
# Cross-entropy is honest: its best output is the true probability. The focal loss prefers to be modest, on the same side of ½ but nearer to it (Charoenphakdee, Vongkulchart, Chairatanakul and Sugiyama, 2021). So its outputs are not probabilities, and a threshold of $1/20$ on them means
# something else. The same modesty can be welcome in networks that are too sure of themselves (Mukhoti et al., 2020).

# %% [markdown]
# ## Play with it
#
# Move $\gamma$ and watch the easy end of the curves. Where does the push peak? Between which two steps of $\gamma$ does a case at $p_t = 0.6$ come down to half the push that cross-entropy gives it?

# %%
from ipywidgets import FloatSlider, interact


@interact(gamma=FloatSlider(2.0, min=0.0, max=8.0, step=0.25, continuous_update=False))
def explore(gamma):
    lab.show(
        plot_focal([0, gamma]),
        alt=f"Focal loss and its push on the margin for γ = 0 and γ = {gamma:g}, against p_t.",
    )


# %% [markdown]
# ## The hinge: content with a margin
#
# Support vector machines ask for less than a probability. The true class $c$ should lead every other class $j$ by a **margin** $m$, usually 1. Only what falls short costs anything:
#
# $$L = \sum_{j \ne c} \max(0,\; s_j - s_c + m)$$
#
# $s$ are the scores of one sample; over a batch we take the mean. This is the multi-class hinge of Weston and Watkins (1999). Conventions differ, so look before you compare numbers: `F.multi_margin_loss` divides the sum by the number of classes
# $K$; Crammer and Singer (2001) take the largest violation in place of the sum; and some square each term.
#
# **Predict, then run.** One rival, and a true score that leads it by 3. What do the two losses still charge, the hinge with $m = 1$ and cross-entropy?


# %%
def plot_hinge():
    fig, (left, right) = lab.figure(1, 2, height=2.8)
    lead = torch.linspace(-2, 4, 241, dtype=torch.float64)
    curves = {"hinge": (1 - lead).clamp(min=0), "cross-entropy": F.softplus(-lead)}
    for i, (name, loss) in enumerate(curves.items()):
        style = lab.line_style(i) | {"marker": ""}
        left.plot(lead, loss, label=name, **style)
        right.plot(lead[1:], -loss.diff() / lead.diff(), label=name, **style)
    left.set(xlabel="lead of the true score", ylabel="loss", title="What it costs")
    right.set(xlabel="lead of the true score", ylabel="push", title="How hard it pushes")
    left.legend(handlelength=3)
    return fig


lab.show(
    plot_hinge(),
    alt="Left: hinge and cross-entropy of two classes against the lead of the true score. The hinge falls in a straight "
    "line to 0 at a lead of 1 and is flat from there; cross-entropy bends towards 0 and never reaches it. Right: "
    "the hinge's push is 1 below a lead of 1 and 0 above; that of cross-entropy falls smoothly from 1 towards 0.",
)

# %% [markdown]
# The hinge costs exactly 0 from a lead of 1 on: the line is flat, and a flat line has no gradient. Cross-entropy still charges 0.05 at a lead of 3, and never quite nothing.

# %% [markdown] role="card" exercise="multiclass_hinge" level=2 minutes=8 topic="Margins" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.multi_margin_loss.html"
# ### The multi-class hinge loss
#
# Return the mean over the batch of $\sum_{j \ne c} \max(0, s_j - s_c + m)$, as a tensor of no dimensions that can be differentiated. Do not divide by the number of classes, and leave out $j = c$. `F.multi_margin_loss` comes close;
# write it yourself.


# %% role="stub" exercise="multiclass_hinge"
def multiclass_hinge(
    scores: torch.Tensor, labels: torch.Tensor, margin: float = 1.0
) -> torch.Tensor:
    """Hinge loss of Weston and Watkins (1999): each rival that comes within the margin costs.

    Args:
        scores: (B, K), float32 or float64; K may be 1, then there are no rivals and the loss is 0.
        labels: true classes, (B,), int64.
        margin: by how much the true score should lead, at least 0.

    Returns:
        Sum over the rivals, mean over the batch, shape ().
    """
    ### BEGIN SOLUTION
    own = scores.gather(1, labels.unsqueeze(1))
    shortfall = (scores - own + margin).clamp(min=0)
    rival = torch.ones_like(scores).scatter(1, labels.unsqueeze(1), 0.0)
    return (shortfall * rival).sum(dim=1).mean()
    ### END SOLUTION


# %% role="check" exercise="multiclass_hinge"
with Check("multiclass_hinge") as check:
    scores = torch.tensor([[2.0, 1.5, -1.0], [0.5, 2.0, 1.0]], requires_grad=True)
    truth = torch.tensor([0, 0])
    loss = multiclass_hinge(scores, truth)
    check.is_a(loss, torch.Tensor)
    check.shape(loss, (), "Sum over the rivals, then take the mean over the batch.")
    check.close(
        loss,
        2.25,
        "Scores (2, 1.5, −1) and (0.5, 2, 1), both of class 0: losses 0.5 and 2.5 + 1.5, mean 2.25.",
        known=[
            (3.25, "The true class itself is in the sum (j = c), which adds the margin."),
            (0.75, "You divide by the number of classes, as PyTorch does. The card does not."),
            (1.125, "You average over the rivals. The card sums over them."),
            (
                1.5,
                "That is the largest violation only (Crammer and Singer). Sum over all rivals.",
            ),
            (4.375, "That is the squared hinge."),
            (4.5, "You sum over the batch; take the mean."),
            (1.0, "The margin is missing."),
            (
                3.0,
                "The sign is turned round: a rival's score minus the true one, plus the margin.",
            ),
            (1.25, "A rival far behind earns credit: what is below 0 should count as 0."),
            (
                2.0,
                "Each rival counts by itself: one that trails by less than the margin costs, one far behind offsets nothing.",
            ),
            (
                4.0,
                "That is one class against the rest, each score with a margin around 0. Compare rivals with the true score.",
            ),
        ],
    )
    check.that(loss.requires_grad, "No gradient flows from the loss: something was detached.")
    check.that(
        scores.tolist() == [[2.0, 1.5, -1.0], [0.5, 2.0, 1.0]],
        "The scores changed: do not work in place on them.",
    )
    with check.case(
        "the gradient; to leave out j = c, use `torch.where` or a mask, not an assignment in place"
    ):
        (slope,) = torch.autograd.grad(loss, scores, allow_unused=True)
    check.that(
        slope is not None,
        "No gradient reaches the scores: the loss is a new tensor without history (`.item()`? `torch.tensor(...)`?).",
    )
    check.close(
        slope,
        torch.tensor([[-0.5, 0.5, 0.0], [-1.0, 0.5, 0.5]]),
        "The gradient should be ±1/B for each violation: the rival down, the true score up.",
    )
    check.close(
        multiclass_hinge(scores.detach(), truth, margin=2.0),
        3.75,
        "With margin 2 the losses are 1.5 and 6, mean 3.75.",
        known=[(2.25, "The margin 1 is fixed in your code: use the argument.")],
    )
    check.close(
        multiclass_hinge(scores.detach(), torch.tensor([2, 1]), margin=1.0),
        3.75,
        "With true classes 2 and 1 the losses are 7.5 and 0, mean 3.75.",
        known=[
            (2.25, "Your code does not look at the labels."),
            (7.5, "You divide by the samples that violate a margin; take the mean over all."),
        ],
    )
    check.close(
        multiclass_hinge(torch.zeros(2, 3), torch.tensor([0, 2])),
        2.0,
        "All three scores equal: both rivals lack the whole margin, so the loss is 2.",
        known=[
            (
                0.0,
                "A rival that ties with the true class is left out: go by the label, not by the score.",
            )
        ],
    )
    with check.case("a single class, so no rivals"):
        lonely = multiclass_hinge(torch.tensor([[3.0], [-1.0]]), torch.tensor([0, 0]))
    check.is_a(
        lonely,
        torch.Tensor,
        "With a single class the loss should still be a tensor, of value 0.",
    )
    check.close(lonely, 0.0, "With a single class there are no rivals: the loss is 0.")


# %% [markdown] role="hints" exercise="multiclass_hinge"
# <details><summary>Hint 1: the true score, one a row</summary>
#
# `gather` picks the true class's score of each row. Keep it as a column, (B, 1), and it subtracts from the whole row.
#
# </details>
# <details><summary>Hint 2: leaving out j = c</summary>
#
# There the shortfall is exactly the margin, whatever the scores. Set those entries to 0 with a mask (or take the margin off again) before you sum.
#
# </details>

# %% role="test" exercise="multiclass_hinge" points=2
# Graded with hidden tests: other shapes, dtypes and margins, gradients, one class, a batch of one.
### BEGIN HIDDEN TESTS
with HiddenTest("multiclass_hinge") as test:
    for dtype, batch, classes, margin in (
        (torch.float64, 8, 5, 1.0),
        (torch.float32, 6, 10, 0.5),
        (torch.float64, 1, 4, 3.0),
        (torch.float32, 5, 2, 1.0),
        (torch.float64, 7, 3, 0.0),
    ):
        scores = torch.randn(classes, batch, dtype=dtype).T.requires_grad_()
        truth = torch.randint(classes, (batch,))
        before, labels_before = scores.detach().clone(), truth.clone()
        twin = before.double().requires_grad_()
        want = F.multi_margin_loss(twin, labels_before, margin=margin) * classes
        (want_slope,) = torch.autograd.grad(want, twin)
        want = want.detach()
        loss = multiclass_hinge(scores, truth, margin=margin)
        test.is_a(loss, torch.Tensor)
        test.shape(loss, (), "One number for the batch.")
        test.that(loss.dtype == dtype, "The loss should have the dtype of the scores.")
        test.close(
            loss,
            want,
            f"For {classes} classes and margin {margin:g} the loss is off.",
            known=[
                (want + margin, "The true class is in the sum: leave out j = c."),
                (want / classes, "Do not divide by the number of classes."),
                (want * batch, "Take the mean over the batch."),
            ],
        )
        test.that(
            loss.requires_grad, "No gradient flows from the loss: something was detached."
        )
        (slope,) = torch.autograd.grad(loss, scores, allow_unused=True)
        test.that(slope is not None, "No gradient reaches the scores.")
        test.close(slope, want_slope, "The gradient is off although the loss is right.")
        test.that(
            torch.equal(scores.detach(), before) and torch.equal(truth, labels_before),
            "The arguments changed: do not work in place on them.",
        )
    far = torch.tensor([[9.0, 1.0, 2.0], [0.0, -4.0, 5.5]], dtype=torch.float64)
    far.requires_grad_()
    loss = multiclass_hinge(far, torch.tensor([0, 2]))
    test.close(loss, 0.0, "Where every margin holds the loss should be exactly 0.", atol=0.0)
    test.that(
        isinstance(loss, torch.Tensor) and loss.requires_grad,
        "Where every margin holds the loss should still be a tensor that can be differentiated: "
        "do not leave out the terms of value 0.",
    )
    (slope,) = torch.autograd.grad(loss, far)
    test.close(
        slope,
        torch.zeros(2, 3),
        "Where every margin holds the gradient should be exactly 0.",
        atol=0.0,
    )
    test.close(
        multiclass_hinge(torch.zeros(2, 3), torch.tensor([0, 2])),
        2.0,
        "With all scores equal each rival costs the margin: leave out j = c by its place, not by its score.",
    )
    huge = torch.tensor([[1e30, -1e30, 0.0]])
    test.close(
        multiclass_hinge(huge, torch.tensor([1])),
        3e30,
        "With scores of ±1e30 the loss is off: leave out j = c by a mask, not by a number such as −1e9.",
    )
    lonely = multiclass_hinge(torch.tensor([[2.0]], dtype=torch.float64), torch.tensor([0]))
    test.is_a(lonely, torch.Tensor)
    test.close(lonely, 0.0, "With a single class there are no rivals: the loss is 0.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="multiclass_hinge"
# For $j = c$ the term is $\max(0, m) = m$, a constant: it moves the loss and not the gradient, which is why the mistake trains just as well and is found only by comparing numbers. Each violated margin pushes with the
# same strength, ±1, however large the violation; and one that holds does not push at all.

# %% [markdown]
# ## The lazy loss and the restless one
#
# Three clouds of points in the plane, far enough apart that straight lines separate them, and a linear classifier. We train it by gradient descent on all points, once with the hinge and once with cross-entropy, for
# 20,000 steps.
#
# **Predict, then run.** All points are soon classified correctly. What do the weights do from then on, with each loss?


# %%
def blobs(seed, n=150):
    """Three separable clouds in the plane, and their classes."""
    draw = torch.Generator().manual_seed(seed)
    angle = torch.arange(3, dtype=torch.float64) * 2 * math.pi / 3
    y = torch.arange(n) % 3
    noise = torch.randn(n, 2, generator=draw, dtype=torch.float64).clamp(-2.5, 2.5)
    return 2 * torch.stack([angle.cos(), angle.sin()], 1)[y] + 0.4 * noise, y


def long_run(loss_fn, seed, steps, lr=0.1):
    """Train a linear classifier for long; a row at steps spaced evenly in the logarithm."""
    x, y = blobs(seed)
    x = torch.cat([x, torch.ones(len(x), 1)], dim=1)  # the bias is one more weight
    w = torch.zeros(3, 3, dtype=torch.float64, requires_grad=True)
    looks = set(np.geomspace(1, steps, 40).round().astype(int).tolist())
    rows = []
    for step in range(1, steps + 1):
        scores = x @ w
        (slope,) = torch.autograd.grad(loss_fn(scores, y), w)
        with torch.no_grad():
            w -= lr * slope
        if step in looks:
            rows.append(
                {"step": step, "weight": w.norm().item(), "gradient": slope.norm().item()}
                | {"accuracy": (scores.argmax(1) == y).double().mean().item()}
            )
    return rows


LAZY = {
    "hinge": lambda s, y: 3 * F.multi_margin_loss(s, y),  # PyTorch divides by the 3 classes
    "cross-entropy": F.cross_entropy,
}
long_steps = budget(20_000, fast=2_000)
longer = lab.sweep(
    lambda loss, seed: long_run(LAZY[loss], seed, long_steps),
    {"loss": list(LAZY)},
    budget(range(5), fast=range(2)),
)


# %%
def plot_long(longer):
    fig, (left, right) = lab.figure(1, 2, height=3.2)
    lab.band(longer, "step", "weight", by="loss", ax=left, legend=False)
    floor = longer.assign(gradient=longer.gradient.clip(lower=1e-9))
    lab.band(floor, "step", "gradient", by="loss", ax=right, log=True, legend=False)
    left.set(xscale="log", ylabel="norm of the weights", xlabel="step")
    right.set(
        xscale="log",
        ylabel="norm of the gradient",
        xlabel="step",
        ylim=(3e-10, None),
    )
    left.legend(handlelength=3)
    return fig


lab.show(
    plot_long(longer),
    alt="Left: norm of the weights against the step, logarithmic. The hinge's line rises for a hundred steps or two and is flat "
    "from then on; that of cross-entropy rises in a straight line to the end. Right: norm of the gradient. The hinge's "
    "drops to the floor, which stands for exactly 0; that of cross-entropy falls steadily like 1/step.",
)
last = longer[longer.step == long_steps]
last.groupby("loss")[["weight", "gradient", "accuracy"]].mean()

# %% [markdown]
# The hinge is **lazy**: as soon as every margin holds, the loss is exactly 0, the gradient is exactly 0, and the weights never move again. (The bottom edge of the right-hand picture stands for 0.) Cross-entropy is **restless**: on separable
# data no finite weights are best, since, once all points are right, doubling all scores always lowers it. The norm of the weights grows with the logarithm of the time, for ever, at a gradient that falls like one over the step.
#
# Neither is simply better. Soudry, Hoffer, Nacson, Gunasekar and Srebro (2018) show that the restless growth turns a linear classifier slowly towards the one with the widest margin. The same growth makes networks over-confident
# long after the accuracy has stopped improving, and is one of the reasons for weight decay and label smoothing. The hinge ignores solved examples altogether, cross-entropy never does, and the focal loss lies between the two.

# %% [markdown]
# ## The loss as a landscape
#
# So far the loss was a function of the *scores*. For training it is a function of the **weights**: a height over a space of thousands of dimensions, in which an optimiser walks downhill. We cannot see such a space, but
# we can cut it. Take the weights $\theta$, a direction $d$ of the same shape, and plot $L(\theta + t\,d)$ against the step $t$.


# %% [markdown] role="card" exercise="loss_along" level=2 minutes=12 topic="Loss landscape" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.parameters"
# ### A cut through the landscape
#
# Return the losses of a model at $\theta + t\,d$ for each step $t$, as a list of Python floats, in the order of the steps. $\theta$ are the model's weights, frozen ones included, at the time of the call, and each step starts there. `loss_fn(model)` gives the loss of the
# model it is handed. `direction` holds one tensor for each parameter, in the order of `model.parameters()`, in memory of its own; take it as it is, without scaling.
#
# A measurement leaves no trace. Afterwards every parameter holds **exactly** the numbers it had before, to the last bit, **also if `loss_fn` raises an error** half-way; that error goes on to the caller. `.grad` and `direction` stay as they are, and autograd
# records nothing: the loss that `loss_fn` computes does not require gradients. (Leave the mode of the model alone; what `loss_fn` does to its buffers is not your concern.)


# %% role="stub" exercise="loss_along"
def loss_along(model: nn.Module, loss_fn, direction, steps) -> list[float]:
    """Losses along a straight line through the model's weights, which are left as they were.

    Args:
        model: any module with parameters.
        loss_fn: maps the model to its loss, a tensor of shape (); it may raise an error.
        direction: list of tensors, shaped like `model.parameters()`, in that order.
        steps: numbers, in any order: a list, a range or a tensor (n,).

    Returns:
        The loss at weights + step · direction for each step, as floats.
    """
    ### BEGIN SOLUTION
    weights = list(model.parameters())
    start = [weight.detach().clone() for weight in weights]
    losses = []
    with torch.no_grad():
        try:
            for step in steps:
                for weight, origin, way in zip(weights, start, direction, strict=True):
                    weight.copy_(origin + step * way)
                losses.append(loss_fn(model).item())
        finally:
            for weight, origin in zip(weights, start, strict=True):
                weight.copy_(origin)
    return losses
    ### END SOLUTION


# %% role="check" exercise="loss_along"
with Check("loss_along") as check:
    torch.manual_seed(0)
    line = nn.Linear(1, 1)
    with torch.no_grad():
        line.weight.fill_(1.0)
        line.bias.fill_(2.0)
    recorded = []

    def height(model):  # (w + b)², 9 at the start
        loss = model(torch.ones(1, 1)).square().sum()
        recorded.append(loss.requires_grad)
        return loss

    way = [torch.full((1, 1), 0.5), torch.ones(1)]
    losses = loss_along(line, height, way, [0, 2, -1])
    check.is_a(losses, list)
    check.that(
        all(isinstance(loss, float) for loss in losses),
        "The list should hold Python floats: `.item()` makes one of a tensor.",
    )
    check.that(len(losses) == 3, f"Three steps should give three losses, not {len(losses)}.")
    check.close(
        torch.tensor(losses),
        torch.tensor([9.0, 36.0, 2.25]),
        "For w = 1, b = 2 and the direction (0.5, 1), the loss (w + b)² at steps 0, 2, −1 should be 9, 36, 2.25.",
        known=[
            (
                torch.tensor([9.0, 36.0, 20.25]),
                "Each step was taken from where the last one ended. Count each from the start "
                "(and mind that `state_dict()` is no copy).",
            ),
            (torch.tensor([9.0, 0.0, 20.25]), "The direction is subtracted; add it."),
            (torch.tensor([9.0, 20.25, 36.0]), "You go through 0, 1, 2. Use the steps given."),
            (
                torch.tensor([2.25, 9.0, 36.0]),
                "The losses should be in the order of the steps.",
            ),
            (torch.tensor([9.0, 9.0, 9.0]), "The weights did not move."),
            (torch.tensor([9.0, 16.0, 6.25]), "Only the first parameter moved."),
            (
                torch.tensor([9.0, 32.29969, 2.750155]),
                "The direction was scaled to length 1. Take it as it is.",
            ),
        ],
    )
    check.that(
        not any(recorded), "Autograd records the losses: compute them under `torch.no_grad()`."
    )
    model = nn.Sequential(nn.Linear(3, 20), nn.Tanh(), nn.Linear(20, 2))
    start = [p.detach().clone() for p in model.parameters()]
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    points = torch.randn(8, 3)
    way = [torch.randn_like(p) for p in start]
    memory = [d.clone() for d in way]
    loss_along(model, lambda m: m(points).square().mean(), way, torch.linspace(-3, 3, 7))
    now = list(model.parameters())
    check.that(
        all(torch.allclose(p, s, atol=1e-4) for p, s in zip(now, start, strict=True)),
        "After the last step the weights are not what they were.",
    )
    check.that(
        all(torch.equal(p, s) for p, s in zip(now, start, strict=True)),
        "The weights came back only up to rounding. Keep a copy; adding and subtracting is not exact.",
    )
    check.that(
        all(p.grad is not None and torch.equal(p.grad, torch.ones_like(p)) for p in now),
        "`.grad` of a parameter changed.",
    )
    check.that(
        all(torch.equal(d, m) for d, m in zip(way, memory, strict=True)),
        "The tensors in `direction` changed: work on copies.",
    )
    calls = []

    def fragile(model):
        calls.append(1)
        if len(calls) == 2:
            raise ZeroDivisionError("the second loss fails, on purpose")
        return model(points).mean()

    try:
        loss_along(model, fragile, way, [1.0, 2.0, 3.0])
        passed_on = False
    except ZeroDivisionError:
        passed_on = True
    check.that(passed_on, "An error of `loss_fn` should go on to the caller, and it did not.")
    check.that(
        all(torch.equal(p, s) for p, s in zip(model.parameters(), start, strict=True)),
        "`loss_fn` raised an error, and the weights were left where they were then: restore them in a `finally`.",
    )


# %% [markdown] role="hints" exercise="loss_along"
# <details><summary>Hint 1: before you move</summary>
#
# Copy every parameter (`detach`, then `clone`: without the copy it is a second name for the same memory). Each step starts from the copy.
#
# </details>
# <details><summary>Hint 2: writing into a parameter</summary>
#
# Under `torch.no_grad()` a parameter can be filled in place with `copy_`.
#
# </details>
# <details><summary>Hint 3: whatever happens</summary>
#
# `try: ... finally: ...` runs its second block after success and after an error alike, and lets the error pass on. That is the place to write the copies back.
#
# </details>

# %% role="test" exercise="loss_along" points=3
# Graded with hidden tests: deeper models, float64, frozen parameters, exact restoration, errors, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("loss_along") as test:
    for dtype in (torch.float32, torch.float64):
        model = nn.Sequential(
            nn.Linear(4, 9), nn.Tanh(), nn.Linear(9, 5), nn.Tanh(), nn.Linear(5, 1)
        )
        model = model.to(dtype)
        with torch.no_grad():  # float64 weights that no float32 copy can hold
            for p in model.parameters():
                p.mul_(1.1)
        model[2].bias.requires_grad_(False)
        x, y = torch.randn(12, 4, dtype=dtype), torch.randn(12, 1, dtype=dtype)
        parameters = list(model.parameters())
        start = [p.detach().clone() for p in parameters]
        needed = [p.requires_grad for p in parameters]
        parameters[0].grad = torch.full_like(parameters[0], 3.0)
        way = [torch.randn_like(p) for p in start]
        memory = [d.clone() for d in way]
        steps = [0.5, -2.0, 0.0, 1.0, 0.5]
        names = [name for name, _ in model.named_parameters()]
        want, without_frozen = [], []
        for t in steps:
            moved = {n: s + t * d for n, s, d in zip(names, start, memory, strict=True)}
            for wanted in (want, without_frozen):
                output = torch.func.functional_call(model, moved, (x,))
                wanted.append(F.mse_loss(output, y).item())
                moved["2.bias"] = start[3]
        recorded = []

        def error_of(candidate, x=x, y=y, recorded=recorded):
            loss = F.mse_loss(candidate(x), y)
            recorded.append(loss.requires_grad)
            return loss

        for given in (steps, torch.tensor(steps, dtype=dtype)):
            with test.case(
                "one parameter is frozen, and its direction stands in the list as well"
            ):
                losses = loss_along(model=model, loss_fn=error_of, direction=way, steps=given)
            test.is_a(losses, list)
            test.that(
                all(isinstance(v, float) for v in losses), "The list should hold Python floats."
            )
            test.that(len(losses) == len(want), "There should be one loss for each step.")
            test.close(
                torch.tensor(losses, dtype=torch.float64),
                torch.tensor(want, dtype=torch.float64),
                "The losses along the line are off: is each step counted from the weights at the start?",
                known=[
                    (
                        torch.tensor(without_frozen, dtype=torch.float64),
                        "A frozen parameter (no `requires_grad`) did not move. It has a direction, too.",
                    )
                ],
            )
            now = list(model.parameters())
            test.that(
                all(a is b for a, b in zip(now, parameters, strict=True)),
                "The model has new parameter objects: an optimiser would go on with the old ones.",
            )
            test.that(
                all(torch.equal(p, s) for p, s in zip(now, start, strict=True)),
                "Afterwards the weights are not exactly what they were.",
            )
            test.that(
                [p.requires_grad for p in now] == needed,
                "`requires_grad` of a parameter changed.",
            )
            test.that(
                now[0].grad is not None
                and bool((now[0].grad == 3).all())
                and now[1].grad is None,
                "`.grad` of a parameter changed.",
            )
            test.that(
                all(torch.equal(d, m) for d, m in zip(way, memory, strict=True)),
                "The tensors in `direction` changed.",
            )
        test.that(not any(recorded), "Autograd records the losses: use `torch.no_grad()`.")
        test.that(loss_along(model, error_of, way, []) == [], "No steps should give no losses.")
        with torch.no_grad():
            loss_along(model, error_of, way, [1.0])
            test.that(
                not torch.is_grad_enabled(),
                "Called under `torch.no_grad()`, your code switches autograd on: use `with torch.no_grad():`.",
            )

        for fatal in (1, 3):
            calls = []

            def fragile(candidate, calls=calls, fatal=fatal, x=x):
                calls.append(1)
                if len(calls) == fatal:
                    raise KeyError("on purpose")
                return candidate(x).mean()

            raised = ""
            try:
                loss_along(model, fragile, way, [1.0, 2.0, 3.0, 4.0])
            except Exception as error:
                raised = type(error).__name__
            test.that(
                raised == "KeyError",
                "An error of `loss_fn` should go on to the caller as it is.",
            )
            test.that(
                all(torch.equal(p, s) for p, s in zip(model.parameters(), start, strict=True)),
                "After an error of `loss_fn` the weights are not exactly what they were.",
            )
        stepped = torch.optim.SGD(model.parameters(), lr=0.1)
        F.mse_loss(model(x), y).backward()
        stepped.step()
        test.that(
            not torch.equal(model[0].weight, start[0]),
            "Afterwards the model cannot be trained any more.",
        )
        trained = F.mse_loss(model(x), y).item()
        test.close(
            loss_along(model, error_of, way, [0.0])[0],
            trained,
            "After a step of training the losses are off: start from the weights as you find them now.",
        )

    class Scaled(nn.Module):  # a parameter outside any layer, and buffers between the others
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(1.5))
            self.first, self.norm, self.last = (
                nn.Linear(4, 6),
                nn.BatchNorm1d(6),
                nn.Linear(6, 1),
            )

        def forward(self, x):
            return self.scale * self.last(self.norm(self.first(x)).tanh())

    model, x = Scaled(), torch.randn(12, 4)
    names = [name for name, _ in model.named_parameters()]
    start = [p.detach().clone() for p in model.parameters()]
    way = [torch.randn_like(s) for s in start]
    moved = {n: s + 0.7 * d for n, s, d in zip(names, start, way, strict=True)}
    want = torch.func.functional_call(model, moved, (x,)).square().mean().item()
    with test.case("a module of its own kind, with BatchNorm, so with buffers as well"):
        losses = loss_along(model, lambda m: m(x).square().mean(), way, [0.7])
    test.close(
        torch.tensor(losses, dtype=torch.float64),
        torch.tensor([want], dtype=torch.float64),
        "For a module of its own kind, with BatchNorm, the loss is off: move what `model.parameters()` gives, "
        "all of it and nothing else, and leave the mode alone.",
    )
    test.that(
        all(torch.equal(p, s) for p, s in zip(model.parameters(), start, strict=True)),
        "Afterwards the weights of a module with BatchNorm are not exactly what they were.",
    )
    test.that(model.training, "The mode of the model changed: leave it as it is.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="loss_along"
# $(\theta + t d) - t d$ is not $\theta$ in floating point: the sum was rounded. So only a copy restores the weights exactly, and `finally` makes sure of it. A deep copy of the model to walk with does as well, at the price of a second model in memory. A
# measurement that changes what it measures is the worst kind of bug: the curves look right, and the training that follows is not the one you started.

# %% [markdown]
# With your instrument, look at a real network: 784-64-10, before and after two epochs on 5,000 images. The direction is random, but made comparable as Li, Xu, Taylor, Studer and Goldstein (2018) propose: each unit's part of it is scaled to
# the length of that unit's weights (**filter normalisation**), and biases stay. Without it a network with larger weights would look flatter for no other reason. The second direction is the gradient's, scaled to the same whole length.
#
# **Predict, then run.** How much does a *random* step of half the weights' length change the loss of the trained network? And one of a tenth of their length along the gradient?


# %%
def like_filters(weights, seed=0):
    """A random direction: rows as long as those of each weight matrix, zeros for biases."""
    draw = torch.Generator().manual_seed(seed)
    direction = []
    for weight in weights:
        part = torch.randn(weight.shape, generator=draw).to(weight) * (weight.dim() > 1)
        lengths = weight.detach().norm(dim=-1, keepdim=True)
        direction.append(part * lengths / part.norm(dim=-1, keepdim=True).clamp(min=1e-12))
    return direction


def plot_cuts(cuts, t):
    fig, axes = lab.figure(1, 2, height=3.0)
    for ax, (title, lines) in zip(axes, cuts.items(), strict=True):
        for i, (name, losses) in enumerate(lines.items()):
            ax.plot(t, losses, label=name, **lab.line_style(i) | {"marker": ""})
        ax.set(title=title, xlabel="step, 1 = length of the weights", ylim=(0, 6))
    axes[0].set(ylabel="loss")
    axes[0].legend(handlelength=3)
    return fig


sample = data.take(train=budget(5_000, fast=1_000), valid=500)
x_cut, y_cut = sample.train[:1_000]
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(x_cut.shape[1], 64), nn.ReLU(), nn.Linear(64, 10)).to(device)
cuts, t = {}, np.linspace(-1, 1, 41)
with needs("loss_along"):
    for title in ("before training", "after two epochs"):
        F.cross_entropy(net(x_cut), y_cut).backward()
        random = like_filters(net.parameters())
        uphill = [p.grad.clone() for p in net.parameters()]
        length, steep = (torch.cat([d.flatten() for d in g]).norm() for g in (random, uphill))
        cuts[title] = {
            name: loss_along(net, lambda m: F.cross_entropy(m(x_cut), y_cut), way, t.tolist())
            for name, way in (
                ("random direction", random),
                ("along the gradient", [g * length / steep for g in uphill]),
            )
        }
        if title == "before training":
            optimizer = torch.optim.SGD(net.parameters(), lr=0.03, momentum=0.9)
            lab.fit(net, sample, optimizer, epochs=2, batch_size=64, bar=False)
            net.zero_grad()
    lab.show(
        plot_cuts(cuts, t),
        alt="Loss along two lines through the weights, before and after training. In the random direction a wide, "
        "smooth bowl or plain; along the gradient it is much steeper: before training downhill on one side, afterwards a narrow gorge.",
    )
    for title, lines in cuts.items():
        for name, losses in lines.items():
            print(
                f"{title:17} {name:19} t = 0: {losses[20]:.3f}, t = 0.1: {losses[22]:.3f}, t = 0.5: {losses[30]:.3f}"
            )

# %% [markdown]
# In a random direction even half the weights' length adds only about a fifth to the loss: the trained network sits in a wide and harmless bowl. Along the gradient a tenth of the length is enough to make it several times as large. That is the usual picture: a few steep directions and very many flat ones. It is also a warning about such pictures. A cut
# shows one or two directions of tens of thousands, and a random one will almost surely miss the steep ones.
#
# ### One weight at a time, and a valley
#
# From here on a network small enough to measure thoroughly: two moons, 300 points, and two hidden layers of 16 ReLU units, trained from ten seeds side by side. First we vary a **single weight** and hold all others; then we cut along two random, filter-normalised directions at once.
#
# **Predict, then run.** Which curves of a single weight are simple bowls, and in which layers might they have bends and plateaus?

# %%
moons, classes = lab.two_moons(300, noise=0.1, seed=0)
walkers = lab.NetStack([2, 16, 16, 2], range(budget(10, fast=4)))
trained = lab.train_stack(
    walkers, moons, classes, lambda p: torch.optim.Adam(p, lr=0.01), epochs=400, every=400
)
print(f"losses at the end: {trained[trained.epoch == 400].loss.round(4).tolist()}")


@torch.no_grad()
def heights(weights, biases):
    """Losses (S,) of S networks at once: lists of weights (S, in, out) and biases (S, 1, out)."""
    z = moons.expand(len(weights[0]), *moons.shape)
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        z = torch.baddbmm(bias, z.relu() if index else z, weight)
    truth = classes.expand(len(z), -1)
    return F.cross_entropy(z.transpose(1, 2), truth, reduction="none").mean(1)


def network(index):
    """Weights and biases of one of the trained networks, each with a leading dimension of 1."""
    parts = (walkers.weights, walkers.biases)
    return tuple([p.detach()[index : index + 1] for p in part] for part in parts)


def one_weight(layer, row, column, offsets):
    """Loss of the first network while one of its weights varies."""
    weights, biases = network(0)
    weights = [w.repeat(len(offsets), 1, 1) for w in weights]
    weights[layer][:, row, column] += offsets
    return heights(weights, [b.expand(len(offsets), -1, -1) for b in biases])


offsets = torch.linspace(-6, 6, budget(121, fast=61), device=device)
curves = {
    (layer, row, column): one_weight(layer, row, column, offsets).cpu().double()
    for layer, weight in enumerate(walkers.weights)
    for row in range(weight.shape[1])
    for column in range(weight.shape[2])
}
# Convex: the slope never falls. (A share of 0.1 % of the largest change of slope is left to rounding.)
bends = {key: curve.diff(n=2) for key, curve in curves.items()}
convex = pd.DataFrame(
    [
        {"layer": key[0] + 1, "convex": bool(b.min() > -1e-3 * b.abs().max() - 1e-5)}
        for key, b in bends.items()
    ]
)
convex.groupby("layer").convex.agg(["size", "mean"]).rename(
    columns={"size": "weights", "mean": "share of convex curves"}
).round(2)


# %%
def plane(seed=0):
    """The loss over the plane of two random directions through the first network."""
    weights, biases = network(0)
    # stored as (in, out): a unit's weights are a column
    across, up = (like_filters([w[0].T for w in weights], s) for s in (seed, seed + 1))

    def surface(points):
        flat = points.reshape(-1, 2).to(device, torch.float32)
        parts = []
        for some in flat.split(500):
            moved = [
                w + some[:, 0, None, None] * a.T + some[:, 1, None, None] * u.T
                for w, a, u in zip(weights, across, up, strict=True)
            ]
            parts.append(heights(moved, [b.expand(len(some), -1, -1) for b in biases]))
        return torch.cat(parts).cpu().double().reshape(points.shape[:-1])

    return surface


def plot_landscape(curves, surface):
    fig, (left, right) = lab.figure(1, 2, height=3.6)
    last_layer = [k for k in curves if k[0] == 2][:2]
    bent = [
        min((k for k in curves if k[0] == layer), key=lambda k: bends[k].min().item())
        for layer in (1, 0)  # the most bent curve of each hidden layer
    ]
    for i, key in enumerate([*last_layer, *bent]):
        style = lab.line_style(i) | {"marker": ""}
        name = f"layer {key[0] + 1}" + (", another" if i == 1 else "")
        left.semilogy(offsets.cpu(), curves[key], label=name, **style)
    left.set(xlabel="change of one weight", ylabel="loss", title="One weight's curve")
    left.legend(handlelength=3, fontsize=9)
    lab.contours(
        right, surface, (-1.2, 1.2), (-1.2, 1.2), log=True, resolution=budget(60, fast=30)
    )
    right.plot(0, 0, "*", color=lab.line_style(1)["color"], markersize=12)
    right.set(xlabel="first direction", ylabel="second direction", aspect="equal")
    right.set(title="Lines of equal loss, log-spaced")
    return fig


lab.show(
    plot_landscape(curves, plane()),
    alt="Left: the loss while one weight changes, on a logarithmic axis. Two weights of the last layer give wide bowls, one weight of each hidden layer a "
    "curve with a narrow dip, bends and plateaus. Right: lines of equal loss over two random directions: one valley "
    "around the star at the trained network, elongated and not quite round.",
)

# %% [markdown]
# The curves of the **last** layer are convex, every one: with the layers below held fixed, the scores are linear in these weights, and cross-entropy is convex in the scores. In the **hidden** layers only about half of the curves are, and in the first hidden layer hardly any: they have bends and plateaus. (ReLU switches units on and off along the way.) Training a deep
# network is not convex, but it is no wilderness either: seen from this trained network, the two-dimensional cut is one valley.
#
# ## Are there bad minima?
#
# The old fear was that gradient descent gets caught in a **local minimum**, a dip far above the **global** one, the lowest of all. Let us count. Networks with a single hidden layer of 2 to 32 units, thirty seeds each, all points in each step, 1,500 steps of Adam.
#
# **Predict, then run.** For which widths do runs end high above the best one?

# %%
WIDTHS = budget([2, 4, 8, 16, 32], fast=[2, 32])
width_seeds = range(budget(30, fast=10))
ends = []
for width in WIDTHS:
    stack = lab.NetStack([2, width, 2], width_seeds)
    course = lab.train_stack(
        stack,
        moons,
        classes,
        lambda p: torch.optim.Adam(p, lr=0.03),
        epochs=budget(1_500, fast=250),
        every=250,
    )
    final = course[course.epoch == course.epoch.max()]
    ends += [
        {"width": width, "seed": s, "loss": v}
        for s, v in zip(final.seed, final.loss, strict=True)
    ]
ends = pd.DataFrame(ends)
stuck = ends.assign(stuck=ends.loss > 0.1).groupby("width").stuck.mean()


def plot_ends(ends):
    fig, ax = lab.figure(height=2.8)
    for place, (_, part) in enumerate(ends.groupby("width")):
        spread = np.linspace(-0.3, 0.3, len(part))
        ax.semilogy(
            place + spread, part.loss, color=lab.line_style(0)["color"], marker="o", ls="", ms=4
        )
    ax.axhline(0.1, color="grey", linestyle=":")
    ax.set(xticks=range(ends.width.nunique()), xticklabels=sorted(ends.width.unique()))
    ax.set(xlabel="hidden units", ylabel="loss at the end")
    return fig


lab.show(
    plot_ends(ends),
    alt="Loss at the end of thirty runs for each width, logarithmic, with a dotted line at 0.1. With 2 units all end above 0.2, with 4 most do and some "
    "reach 0.001, with 8 most reach 0.001 and some are stuck near 0.2, with 16 nearly all and with 32 all are below 0.001.",
)
print(
    "share of runs that end above 0.1: "
    + ", ".join(f"{width} units {share:.0%}" for width, share in stuck.items())
)

# %% [markdown]
# Bad ends exist, and they come in shelves: many runs stop at the same few heights. Two units never got lower. Four can, as the lucky runs show, and yet roughly half of the runs or more stay on a shelf. (Whether each shelf is a true minimum or a very long plateau, a run cannot tell; for you it is the same.) With 32 units none is caught. **Width is the cure**: more
# directions, more ways around. That is why bad minima are rarely the first suspect in a large network, and often the right one in a tiny one.
#
# ## Many minima, all alike
#
# The ten networks with two hidden layers from before all ended at about the same loss. Did they find the same weights? We draw a straight line from one to the next and look at the loss on the way. And we do the same with a network and **its own twin**, whose hidden units
# have been put in another order.
#
# **Predict, then run.** How far apart are the losses of a network and its twin? How high does the loss rise between them?


# %%
def shuffled(weights, biases, seed):
    """The same function: the units of each hidden layer in another order, with all that hangs on them."""
    draw = torch.Generator().manual_seed(seed)
    weights, biases = [w.clone() for w in weights], [b.clone() for b in biases]
    for layer in range(len(weights) - 1):
        order = torch.randperm(weights[layer].shape[2], generator=draw).to(device)
        weights[layer], biases[layer] = weights[layer][:, :, order], biases[layer][:, :, order]
        weights[layer + 1] = weights[layer + 1][:, order]
    return weights, biases


share = torch.linspace(0, 1, 41, device=device)[:, None, None]


def between(first, second):
    """Losses on the straight line between two networks."""
    line = [
        [(1 - share) * a + share * b for a, b in zip(*parts, strict=True)]
        for parts in zip(first, second, strict=True)
    ]
    return heights(*line).cpu().double()


paths = {"two seeds": [], "a network and its twin": []}
twins_apart = 0.0
for k in range(len(walkers.seeds)):
    twin = shuffled(*network(k), seed=k)
    twins_apart = max(twins_apart, (heights(*network(k)) - heights(*twin)).abs().item())
    paths["two seeds"].append(between(network(k), network((k + 1) % len(walkers.seeds))))
    paths["a network and its twin"].append(between(network(k), twin))
barriers = {name: torch.stack(p).amax(1) for name, p in paths.items()}
ends_of_paths = torch.stack(paths["two seeds"])[:, 0]


def plot_paths(paths):
    fig, ax = lab.figure(height=3.0)
    for i, (name, lines) in enumerate(paths.items()):
        style = lab.line_style(i) | {"marker": ""}
        for j, line in enumerate(lines):
            label = name if j == 0 else None
            ax.semilogy(share.flatten().cpu(), line, label=label, linewidth=1, **style)
    ax.set(xlabel="share of the way", ylabel="loss")
    ax.legend(handlelength=3, loc="lower center")
    return fig


lab.show(
    plot_paths(paths),
    alt="Loss on the straight line between two trained networks, and between a network and its reordered twin, "
    "logarithmic. All lines start and end near 0.001 and rise in between to a height of 0.1 to 2.",
)
for name, tops in barriers.items():
    print(
        f"{name:23} ends at most {ends_of_paths.max():.4f}, tops from {tops.min():.2f} to {tops.max():.2f}"
    )
print(f"losses of twins differ by at most {twins_apart:.0e}")

# %% [markdown]
# The twin computes *the same function*: only the names of its units have changed. Yet on the straight line to it the loss climbs about a hundredfold or more. With 16 units in each of two hidden layers there are $(16!)^2 \approx 4 \cdot 10^{26}$ such orders, and as many copies of every minimum, all equally deep. So "the"
# minimum does not exist, and most of what separates two seeds may be nothing but names (Entezari et al., 2022; Ainsworth et al., 2023, reorder the units of one network to match another, and much of the barrier goes).
#
# ## Saddles: the common obstacle
#
# At a **critical point** the gradient is zero. The **Hessian**, the matrix of second derivatives, tells which kind it is. All its eigenvalues positive: a minimum. All negative: a maximum. Both signs: a **saddle**, up in some directions and
# down in others. A rough argument says which to expect. If the signs were coin tosses, $n$ of them would all be heads with probability $2^{-n}$. The eigenvalues of a random symmetric matrix also push each other apart, which makes it rarer still.
#
# **Predict, then run.** Draw random symmetric matrices with normal entries. Which share has only positive eigenvalues, for $n = 1$ to 6?

# %%
draw = torch.Generator().manual_seed(0)
draws = budget(100_000, fast=20_000)
positive = {}
for n in range(1, 7):
    matrix = torch.randn(draws, n, n, generator=draw, dtype=torch.float64)
    eigenvalues = torch.linalg.eigvalsh(matrix + matrix.mT)
    positive[n] = (eigenvalues > 0).all(dim=1).double().mean().item()
    print(f"n = {n}: {positive[n]:.5f} of the matrices, coin tosses {0.5**n:.5f}")

# %% [markdown]
# The share falls faster than exponentially (like $e^{-cn^2}$; Dean and Majumdar, 2006). A network's Hessian is no such random matrix, so this is a guess, not a proof. Dauphin, Pascanu, Gulcehre, Cho, Ganguli and Bengio (2014) went and looked, and so do we. A
# net of 17 weights (two moons, four tanh units, a touch of weight decay) is small enough for its exact Hessian. From points on the way of gradient descent we search for a nearby point with zero gradient, whatever its kind, by making the *gradient's norm* fall.
#
# **Predict, then run.** Of the critical points found high up, how many will be minima?


# %%
tiny_x, tiny_y = (v.cpu() for v in lab.two_moons(60, noise=0.1, seed=0))
tiny_x, tiny_sign = tiny_x.double(), 2.0 * tiny_y.double() - 1


def tiny_loss(w, units=4, decay=1e-3):
    """Loss of a 2-4-1 tanh network whose 17 weights are one vector."""
    hidden = torch.tanh(tiny_x @ w[: 2 * units].view(2, units) + w[2 * units : 3 * units])
    score = hidden @ w[3 * units : 4 * units] + w[-1]
    return F.softplus(-tiny_sign * score).mean() + decay / 2 * w.square().sum()


slopes = torch.func.vmap(torch.func.grad(tiny_loss))
hessians = torch.func.vmap(torch.func.hessian(tiny_loss))


def critical_points(seed, starts, after, rounds):
    """Points with zero gradient near the way of gradient descent: their loss and Hessian's eigenvalues."""
    draw = torch.Generator().manual_seed(seed)
    w, seen = torch.randn(starts, 17, generator=draw, dtype=torch.float64), []
    for step in range(max(after) + 1):
        if step in after:
            seen.append(w)
        w = w - 0.3 * slopes(w)
    w = torch.cat(seen)
    gradient, damping = slopes(w), torch.full((len(w), 1, 1), 1e-2, dtype=torch.float64)
    for _ in range(rounds):  # Levenberg and Marquardt's rule, for the equation gradient = 0
        h = hessians(w)
        system = h @ h + damping * torch.eye(17, dtype=torch.float64)
        trial = w - torch.linalg.solve(system, h @ gradient[:, :, None])[:, :, 0]
        slope = slopes(trial)
        better = slope.norm(dim=1, keepdim=True) < gradient.norm(dim=1, keepdim=True)
        w, gradient = torch.where(better, trial, w), torch.where(better, slope, gradient)
        damping = (damping * torch.where(better, 1 / 3, 4.0)[:, :, None]).clamp(1e-14, 1e6)
    w = w[gradient.norm(dim=1) < 1e-9]
    spectrum = torch.linalg.eigvalsh(hessians(w))
    return pd.DataFrame(
        {
            "loss": torch.func.vmap(tiny_loss)(w),
            "down": (spectrum < -1e-8).sum(1),  # directions in which the loss falls
        }
    )


critical = critical_points(
    seed=0,
    starts=budget(40, fast=15),
    after=budget((0, 30, 100, 1_000, 5_000), fast=(0, 1_000)),
    rounds=budget(60, fast=40),
)
distinct = critical.round(3).drop_duplicates()
minima = critical[critical.down == 0]


def plot_critical(critical):
    fig, ax = lab.figure(height=3.0)
    jitter = np.random.default_rng(0).uniform(-0.15, 0.15, len(critical))
    for kind, marker, i in (("minimum", "o", 0), ("saddle", "^", 1)):
        chosen = (critical.down == 0) == (kind == "minimum")
        color = lab.line_style(i)["color"]
        ax.plot(
            critical.loss[chosen],
            (critical.down + jitter)[chosen],
            marker,
            color=color,
            label=kind,
            alpha=0.6,
        )
    ax.set(xlabel="loss", ylabel="directions downhill, of 17")
    ax.legend()
    return fig


lab.show(
    plot_critical(critical),
    alt="Critical points of a net with 17 weights: loss against the number of negative eigenvalues. All minima lie at the "
    "lowest loss, near 0.08. Saddles there have one direction downhill, those near 0.3 two to six, those at 0.69 four.",
)
print(
    f"{len(critical)} points found, {len(distinct)} different; {len(minima)} are minima, "
    f"with losses from {minima.loss.min():.3f} to {minima.loss.max():.3f}"
)

# %% [markdown]
# (Of the points found many are the same one, or its mirror images.) Higher up there are only saddles, and by and large the higher, the more ways lead down. All minima we found lie at the very bottom, at nearly the same loss. Starts of our own choice and one tiny network prove little; but that is the pattern Dauphin et al. report for larger networks: **what stands in the way is rarely a bad minimum and often a saddle.** Near a saddle the gradient is tiny, and
# the run creeps along a plateau; then it finds one of the ways down and the loss falls as if something had clicked. Momentum, noise from small batches, and step sizes for each weight help to leave sooner, which is a subject of the chapter on optimisers.

# %% [markdown] role="question" exercise="which_loss" minutes=10
# ### Rare faults and stuck runs
#
# In your own words, at most ten sentences: (a) A factory has one faulty part in 500. A colleague replaces cross-entropy by a weighted loss, the recall at threshold ½ rises from 30 % to 85 %, and they report a better model. What do you ask to see, and which cheaper change would you compare with? (b) Your
# classifier separates the training data perfectly, but its weights and its confidence keep growing. Explain why with cross-entropy, and why it would not happen with a hinge loss. (c) A run has had the same loss for 2,000 steps and a gradient close to zero. A friend says "local minimum". Which other
# explanation is at least as likely in a large network, and how could a measurement tell the two apart?

# %% [markdown] role="answer" exercise="which_loss" points=3
# (a) I ask for the precision at that recall, or better the whole precision-recall curve of both models at the true share of 1 in 500, over several seeds with each loss at its own learning rate. Weights move the operating point, and so does moving the threshold of the old model, which costs nothing: only if the new
# curve lies above the old one is it a better model. (b) Once all points are right, doubling all scores still lowers cross-entropy, since it reaches 0 only at infinite margins; on separable data no finite weights are optimal, so the gradient never becomes 0 and the norm grows, ever more slowly (like log t). The
# hinge is exactly 0, and its gradient too, as soon as all margins hold. (c) A saddle or a plateau: in high dimension nearly all critical points well above the bottom have directions that lead down. Look at the smallest eigenvalue of the Hessian (for large networks by Hessian-vector products): clearly negative means a saddle.
# Simpler, go on with a little noise or momentum, or evaluate the loss along several directions, and see whether it falls. (Dead units or vanishing gradients should be excluded first.)

# %% [markdown]
# ## What we measured

# %%
cases = torch.tensor([0.1, 0.2, 0.5, 0.9], dtype=torch.float64)
leads = torch.logit(cases).requires_grad_()
push = {g: torch.autograd.grad(focal_of_margin(leads, g).sum(), leads)[0].neg() for g in (0, 2)}
ratio = push[2] / push[0]
gain = {m: comparison[m]["mean"] for m in MEASURES}
focal = ["focal, γ = 1", "focal, γ = 2", "focal, γ = 5"]
norms = longer.pivot_table(index="step", columns=["loss", "seed"], values="weight")


def growth(decade):
    """Growth of cross-entropy's weights over the last decade of steps (0) or the one before (1)."""
    at = np.log10(long_steps) - np.array([decade, decade + 1])
    later, earlier = np.interp(at, np.log10(norms.index), norms["cross-entropy"].mean(axis=1))
    return later - earlier


convex_share = convex.groupby("layer").convex.mean()
upper = critical[critical.loss > 0.12]

with Claims(data) as claim:
    claim(
        "ten hard patches among 10,000 easy ones: a fifth of the loss", 0.17 < shares[0] < 0.21
    )
    claim(
        "with γ = 1 more than 90 % of it, with γ = 2 more than 99 %",
        shares[1] > 0.9 and shares[2] > 0.99,
    )
    claim(
        "γ = 2 pushes harder than cross-entropy at p = 0.2, and with 2 to 4 % of it at 0.9",
        ratio[1] > 1 and 0.02 < ratio[3] < 0.04,
    )
    claim(
        "focal, γ = 1, 2 and 5: recall within 5 points of cross-entropy's",
        (gain["recall"][focal].abs() < 0.05).all(),
        weaker=(means["average precision"] > SHARE).all(),
    )
    claim(
        "weighted: recall more than 20 points higher, precision more than 40 points lower",
        gain["recall"]["weighted"] > 0.2 and gain["precision"]["weighted"] < -0.4,
        weaker=means.recall["weighted"] > means.recall["cross-entropy"] - 0.1,
    )
    claim(
        "no loss gains two points of average precision, or three of recall at precision ½",
        (gain["average precision"] < 0.02).all()
        and (gain["recall at precision ½"] < 0.03).all(),
        weaker=(means["average precision"] > SHARE).all(),
    )
    claim(
        "cross-entropy with the threshold 1/20 stands beside the weighted loss: recall within 10 points",
        abs(means.loc["cross-entropy", "recall, p > 1/20"] - means.recall["weighted"]) < 0.1,
        weaker=means.loc["cross-entropy", "recall, p > 1/20"] >= means.recall["cross-entropy"],
    )
    claim(
        "cross-entropy's best output is the true probability, the focal loss's is nearer to ½",
        abs(honest[0, 0.05] - 0.05) < 0.001
        and 0.05 < honest[2, 0.05] < honest[5, 0.05] < 0.5
        and 0.5 < honest[5, 0.6] < honest[2, 0.6] < 0.6,
    )
    claim(
        "hinge: in the end the gradient is exactly 0",
        last[last.loss == "hinge"].gradient.max() == 0,
    )
    claim(
        "cross-entropy: the last two decades of steps add about as much to the weights",
        0.6 < growth(0) / growth(1) < 1.6,
    )
    claim("both classify all points correctly", last.accuracy.min() == 1)
    if cuts:  # once loss_along passes
        at_random, uphill = cuts["after two epochs"].values()
        claim(
            "trained network: half the weights' length at random adds less than two fifths to the loss, "
            "a tenth along the gradient makes it more than three times as large",
            at_random[30] < 1.4 * at_random[20] and uphill[22] > 3 * uphill[20],
            weaker=uphill[22] - uphill[20] > at_random[22] - at_random[20],
        )
    claim(
        "one weight's curve: convex for all weights of the last layer, "
        "for at most two in three of the hidden ones and one in four of the first",
        convex_share[3] == 1
        and convex[convex.layer < 3].convex.mean() < 2 / 3
        and convex_share[1] < 1 / 4,
    )
    claim(
        "2 hidden units: all runs end above 0.1; 32 units: none, or one of thirty",
        stuck[2] == 1 and stuck[32] < 0.05,
        weaker=stuck[2] > stuck[32] + 0.5,
    )
    claim(
        "4 units: between a third and nine tenths of the runs do, and no more with each width",
        1 / 3 < stuck.get(4, 0.5) < 0.9 and stuck.is_monotonic_decreasing,
        weaker=stuck.is_monotonic_decreasing,
    )
    claim(
        "the networks all end below 0.005, and each line to the next one rises above 0.05",
        ends_of_paths.max() < 0.005 and barriers["two seeds"].min() > 0.05,
    )
    claim(
        "a twin has the same loss, and on the line to it the loss rises more than 60-fold",
        twins_apart < 1e-5 and (barriers["a network and its twin"] > 60 * ends_of_paths).all(),
    )
    claim(
        "random symmetric matrices: fewer than one in 1,000 of size 5 has only positive eigenvalues",
        positive[5] < 1e-3 and all(positive[n] < 0.9 * 0.5**n for n in range(2, 7)),
    )
    claim(
        "critical points: some are minima, all of these near the bottom",
        len(minima) > 0 and (minima.loss < 0.12).all(),
    )
    claim("above a loss of 0.12 all are saddles", len(upper) > 0 and (upper.down > 0).all())
    claim(
        "the higher the point, the more directions lead down (rank correlation above 0.5)",
        distinct.loss.corr(distinct.down, method="spearman") > 0.5,
        weaker=distinct.loss.corr(distinct.down, method="spearman") > 0,
    )

# %% [markdown]
# ## In short
#
# | loss | formula for one sample | in PyTorch | when |
# |---|---|---|---|
# | cross-entropy | $-\log p_t$ | `F.cross_entropy(logits, y)` | the default; its outputs are probabilities |
# | weighted | $w_y\,(-\log p_t)$ | `F.cross_entropy(logits, y, weight=w)`, which divides by the weights of the batch | more recall at the threshold ½; compare with a moved threshold |
# | focal | $(1-p_t)^\gamma(-\log p_t)$ | write it from `log_softmax` | masses of easy examples; outputs no longer probabilities |
# | hinge | $\sum_{j\ne c}\max(0, s_j - s_c + m)$ | $K\cdot$ `F.multi_margin_loss(scores, y)` | margins; stops when content |
#
# - With imbalance choose the measure first, then the threshold, then, if the whole curve demands it, the loss.
# - Cross-entropy never stops pushing on separable data; a hinge does, exactly.
# - A cut shows one direction of thousands. Measure without leaving a trace.
# - Minima come in vast numbers of equal copies; bad ones plague narrow networks; in high dimension expect saddles.
#
# **Read on.** Lin et al. (2017), *Focal loss for dense object detection*. Weston and Watkins (1999) and Crammer and Singer (2001) on the multi-class hinge. Soudry et al. (2018) on the restless loss. Dauphin et al. (2014) on saddle points, and Li et al. (2018), *Visualizing the loss
# landscape of neural nets*. The next chapters ask how an optimiser should walk in such a landscape, and from where to start.

# %%
lab.show_progress("ch00")
