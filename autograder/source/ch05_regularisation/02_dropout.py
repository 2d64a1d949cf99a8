# ---
# jupyter:
#   lesson:
#     title: Dropout, and doubt
#     minutes: 95
# ---

# %% [markdown]
# A team in which everybody knows that anybody may be ill tomorrow works differently: nobody becomes indispensable, and what matters is known by several. Dropout runs a network like that. In every training step it sends half of the
# units home, at random, and the rest has to do the work.
#
# The rule fits into one line, and the line gives three things: less overfitting, an average over an astronomical number of networks at the price of one, and, if you leave it on after training, a network that can say "I am not sure". After this lesson you can
#
# - write dropout as PyTorch does, tell the conventions of books apart, and say where it does not belong,
# - say exactly in what sense dropout averages networks, and where that stops being exact,
# - derive the version that SELU networks need,
# - ask a trained network for its doubt, and measure whether that doubt is honest.
#
# You need: mean and variance, the cross-entropy, and, for alpha dropout, SELU from "Activations that stay alive".

# %% role="setup"
import dataclasses
import itertools
import math

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

_ = torch.set_flush_denormal(True)
ALPHA_PRIME = -1.7580993408473766  # -λα: what SELU tends to on the far left
DROPOUT_LAYERS = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
)

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
data = data.take(valid=budget(2_000, fast=500), test=budget(4_000, fast=500))
n_inputs, n_classes = data.train[:1][0].shape[1], len(data.classes)
data

# %% [markdown]
# ## A thousand pictures by heart
#
# Regularisation matters where data are scarce, so we make them scarce: each run in this lesson draws 1,000 of the 55,000 training images, and trains a network with 178,000 weights
# on them. 178 for each picture are enough to learn the pictures by heart.
#
# **Predict, then run.** How many of its 1,000 training images will it get right? How many new ones? And how sure will it be of the new ones that it gets *wrong*?


# %%
N_TRAIN, BATCH, STEPS = 1_000, 50, budget(500, fast=60)


def make_net(p):
    """784-200-100-10 with dropout behind both hidden layers."""
    return nn.Sequential(
        nn.Linear(n_inputs, 200), nn.ReLU(), nn.Dropout(p),
        nn.Linear(200, 100), nn.ReLU(), nn.Dropout(p),
        nn.Linear(100, n_classes),
    ).to(device)  # fmt: skip


@torch.no_grad()
def look(net, x, y):
    """Loss and accuracy in evaluation mode; the mode is put back."""
    mode = net.training
    scores = net.eval()(x)
    net.train(mode)
    return F.cross_entropy(scores, y).item(), (scores.argmax(1) == y).float().mean().item()


def train(p, lr, seed, steps=STEPS, every=0, watch=None):
    """Train on a fresh draw of 1,000 images.

    Returns the network in evaluation mode, its training images, and, every so many steps, what `watch(net, x, y)` saw.
    """
    torch.manual_seed(seed)
    order = torch.Generator().manual_seed(seed)
    draw = torch.randperm(len(data.train), generator=order)[:N_TRAIN].to(device)
    x, y = data.train[draw]
    net = make_net(p)
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=0, fused=True)
    epochs = (torch.randperm(len(y), generator=order).split(BATCH) for _ in itertools.count())
    batches = itertools.islice(itertools.chain.from_iterable(epochs), steps)
    seen, losses = [], []
    for step, index in enumerate(batches, start=1):
        index = index.to(device)
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x[index]), y[index])
        loss.backward()
        optimizer.step()
        losses.append(loss.detach())
        if every and step % every == 0:
            noisy = torch.stack(losses[-every:]).mean().item()
            seen.append({"step": step, "training, dropout on": noisy, **watch(net, x, y)})
    return net.eval(), (x, y), seen


valid_x, valid_y = data.valid[:]
net, (train_x, train_y), _ = train(p=0, lr=1e-3, seed=1000)
with torch.no_grad():
    confidence, predicted = net(valid_x).softmax(1).max(1)
right = predicted == valid_y
by_heart = {
    "training images right": look(net, train_x, train_y)[1],
    "new images right": right.float().mean().item(),
    "mean confidence where right": confidence[right].mean().item(),
    "mean confidence where wrong": confidence[~right].mean().item(),
}
for what, share in by_heart.items():
    print(f"{what:28} {share:6.1%}")

# %% [markdown]
# (What the text says of numbers holds for the full run on the real images. Fast mode and the built-in digits show less.)
#
# 99 % of the training images, four fifths of the new ones, and where it is wrong it still says "80 % sure". The gap between the first two numbers is **overfitting**; the last one is its more dangerous sister, **overconfidence**. This lesson works on both.
#
# ## The rule
#
# In each training step, throw a coin for each unit of a layer, for each image in the batch. With probability $p$ the unit is dropped:
#
# $$y_i = \frac{m_i\, x_i}{1-p},\qquad m_i = \begin{cases} 0 & \text{with probability } p\\ 1 & \text{with probability } 1-p\end{cases}\qquad\text{(training)},\qquad\qquad y_i = x_i \quad\text{(evaluation)}.$$
#
# The division keeps the expectation, $\mathbb E\, y_i = x_i$: the next layer receives sums of the usual size, though from fewer terms. That is Srivastava et al. (2014) in the *inverted* form, which all libraries use.
#
# **Conventions.** In PyTorch, Keras and JAX's libraries $p$ is the probability to be *dropped*. The original paper and old TensorFlow name the probability to be *kept*: their 0.8 is our 0.2. The paper also leaves training unscaled and multiplies the weights by the keep probability after training. Sensible rates go from 0.1 to 0.5: small on
# inputs and in wide networks with much data, large where data are scarce.
#
# Why should that help? A unit can no longer rely on one particular partner, since the partner is missing half of the time. Units that are only good in company of certain others, "co-adapted" ones, are what learning by heart is made of.

# %% [markdown] role="card" exercise="Dropout" level=2 minutes=12 topic="Dropout" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Dropout.html"
# ### Dropout
#
# Write the module. **Training mode:** each element becomes 0 with probability `p`, by a coin of its own, thrown anew in every call; each element that stays is divided by $1 - p$. **Evaluation mode:** the input passes unchanged.
#
# - `p` is the probability to be *dropped*, from 0 to 1. Raise a `ValueError` in the constructor for anything else. With $p = 1$ everything is dropped (zeros, no `nan`).
# - Keep it in `self.p` and read it there in each call, so that it can be changed during training.
# - Inputs have any shape, float32 or float64; the output keeps both, and the input stays as it is. Gradients pass where the input passed, with the same factor.
#
# `nn.Dropout` and `F.dropout` are what you are writing. `torch.rand_like` and `torch.bernoulli` are yours to use.


# %% role="stub" exercise="Dropout"
class Dropout(nn.Module):
    """Inverted dropout (Srivastava et al., 2014): noise in training, the identity in evaluation."""

    def __init__(self, p: float = 0.5):
        """Take the probability to drop an element, 0 <= p <= 1; ValueError otherwise."""
        ### BEGIN SOLUTION
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"p is a probability from 0 to 1, not {p}.")
        self.p = p
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x with random elements at 0 and the others divided by 1 - p (training), or x (evaluation)."""
        ### BEGIN SOLUTION
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        factor = 1 / (1 - self.p) if self.p < 1 else 0.0
        return x * keep * factor
        ### END SOLUTION


# %% role="check" exercise="Dropout"
with Check("Dropout") as check:
    torch.manual_seed(0)
    module = Dropout(p=0.2)
    check.is_a(module, nn.Module)
    module.eval()
    x = torch.tensor([[1.0, -2.0], [5.0, 10.0]])
    kept = x.clone()
    out = module(x)
    check.shape(out, (2, 2))
    check.close(
        out,
        kept,
        "In evaluation mode the input should pass unchanged.",
        known=[
            (
                kept * 0.8,
                "In evaluation mode you multiply by 1 − p. That is the original form; in the inverted one the "
                "scaling is done in training, and evaluation changes nothing.",
            ),
            (kept / 0.8, "In evaluation mode nothing is divided either."),
        ],
    )
    module.train()
    ones = torch.ones(200, 300)
    out = module(ones)
    check.shape(out, (200, 300))
    check.that(bool((ones == 1).all()), "Your module changes its input: make a new tensor.")
    check.that(
        bool((out == 0).any()), "In training mode nothing is dropped. Look at `self.training`."
    )
    zeros = (out == 0).float()
    check.that(
        abs(zeros.mean() - 0.8) > 0.05,
        "With p = 0.2, four fifths are dropped: p is the probability to be dropped, not kept.",
    )
    check.that(
        abs(zeros.mean() - 0.2) < 0.02,
        f"With p = 0.2 about a fifth of the elements should be 0, but {zeros.mean():.0%} are.",
    )
    check.that(
        zeros.mean(0).max() < 1 and zeros.mean(1).max() < 1,
        "Whole rows or columns are dropped together: each element has a coin of its own.",
    )
    check.close(
        out.max().item(),
        1.25,
        "With p = 0.2 an element that stays should become 1 / (1 − p) = 1.25 times as large.",
        known=[
            (
                1.0,
                "What stays is not divided by 1 − p, so the sum of a layer's inputs shrinks.",
            ),
            (5.0, "You divide by p; what stays is divided by 1 − p."),
            (0.8, "You multiply by 1 − p; what stays is divided by it."),
        ],
    )
    check.that(
        not torch.equal(out, module(ones)),
        "Two calls drop the same elements: throw the coins in `forward`.",
    )
    leaf = torch.randn(1000, requires_grad=True)
    out = module(leaf)
    check.that(out.requires_grad, "No gradient flows back to the input.")
    out.sum().backward()
    check.close(
        leaf.grad,
        torch.where(out == 0, 0.0, 1.25),
        "The gradient of an input should be 0 where it was dropped, and 1.25 elsewhere.",
    )
    for p in (-0.1, 1.5):
        try:
            Dropout(p)
        except ValueError:
            continue
        check.that(False, f"`Dropout({p})` should raise a ValueError.")
    with check.case("p = 1, where everything is dropped"):
        out = Dropout(p=1.0)(torch.ones(3))
    check.close(out, torch.zeros(3), "With p = 1 all should be 0. (0 divided by 0 is nan.)")


# %% [markdown] role="hints" exercise="Dropout"
# <details><summary>Hint 1: which mode am I in?</summary>
#
# Every module has `self.training`; `.train()` and `.eval()` set it, for all its children too.
#
# </details>
# <details><summary>Hint 2: a coin for each element</summary>
#
# `torch.rand_like(x)` holds a number for each element, uniform between 0 and 1. A comparison with `p` makes a mask of it. Which of the two sides has probability $p$?
#
# </details>
# <details><summary>Hint 3: the gradient, and p = 1</summary>
#
# Multiply `x` by the mask, and autograd multiplies the gradient by it. For $p = 1$ the factor $1/(1-p)$ does not exist: answer that case before you divide.
#
# </details>

# %% role="test" exercise="Dropout" points=3
# Graded with hidden tests: rates, shapes, dtypes, both modes, gradients, the independence of the coins.
### BEGIN HIDDEN TESTS
with HiddenTest("Dropout") as test:
    module = Dropout()
    test.is_a(module, nn.Module)
    test.that(not list(module.parameters()), "Nothing is learned: there are no parameters.")
    test.that(abs(module.p - 0.5) < 1e-12, "Without an argument `self.p` should be 0.5.")
    for dtype, chances in ((torch.float32, (0.1, 0.9)), (torch.float64, (0.0, 0.5))):
        for p in chances:
            module = Dropout(p=p)
            base = torch.randn(100, 120, dtype=dtype).t()
            base[base.abs() < 0.01] = 1.0
            factor = torch.tensor(1 / (1 - p), dtype=torch.float64)
            for training in (True, False, True):
                module.train(training)
                leaf = base.clone().requires_grad_()
                with test.case(f"p = {p}, {'training' if training else 'evaluation'}, {dtype}"):
                    out = module(leaf)
                test.shape(out, (120, 100))
                test.that(out.dtype == dtype, "The output should have the dtype of the input.")
                test.that(torch.equal(leaf, base), "The input has changed: make a new tensor.")
                test.that(out.requires_grad, "No gradient flows back to the input.")
                gate = (out != 0).detach().double()
                if not training:
                    test.that(
                        torch.equal(out, base),
                        "In evaluation mode the input should pass unchanged.",
                    )
                    gate, factor_now = torch.ones_like(gate), 1.0
                else:
                    factor_now = factor
                    dropped = 1 - gate
                    sigma = math.sqrt(p * (1 - p))
                    test.that(
                        abs(dropped.mean() - p) <= 6 * sigma / math.sqrt(12_000),
                        f"With p = {p} the share of dropped elements is {dropped.mean():.3f}.",
                    )
                    for dim in (0, 1):
                        n = dropped.shape[dim]
                        test.that(
                            (dropped.mean(dim) - p).abs().max() <= 7 * sigma / math.sqrt(n),
                            "Rows or columns share their coins: each element has one of its own.",
                        )
                    if p > 0:
                        test.that(
                            not torch.equal(gate, (module(leaf) != 0).double()),
                            "Two calls drop the same elements: throw the coins in `forward`.",
                        )
                test.close(
                    out.detach().double(),
                    base.double() * gate * factor_now,
                    "What stays should be x / (1 − p), what is dropped 0.",
                    rtol=1e-5 if dtype == torch.float32 else 1e-12,
                )
                (slope,) = torch.autograd.grad(out.sum(), leaf)
                test.close(
                    slope.double(),
                    gate * factor_now,
                    "The gradient should pass where the input passed, with the same factor.",
                    rtol=1e-5 if dtype == torch.float32 else 1e-12,
                )
    module = Dropout(p=0.3)
    many = torch.stack([(module(torch.ones(10)) == 0).float().sum() for _ in range(90)])
    test.that(
        many.std() > 0,
        "Each call drops exactly the same number of elements. The coins are independent, so the number varies.",
    )
    test.that(
        0.3 < many.var() / 2.1 < 2.2,  # six standard deviations and more, of 90 draws
        "The number of dropped elements does not vary as that of independent coins.",
    )
    cube = (Dropout(p=0.5)(torch.ones(30, 30, 30)) == 0).float()
    test.that(
        all(cube.mean(dim).max() < 1 for dim in range(3)),
        "In a tensor of three dimensions whole lines are dropped together: each element has a coin of its own.",
    )
    first, second = Dropout(p=0.5), Dropout(p=0.5)
    test.that(
        not torch.equal(first(torch.ones(100)), second(torch.ones(100))),
        "Two modules drop the same elements: do not fix the seed.",
    )
    module.p = 0.9
    out = module(torch.ones(20_000))
    test.that(
        abs((out == 0).float().mean() - 0.9) < 0.02 and abs(out.max().item() - 10) < 1e-3,
        "`module.p = 0.9` was set after construction, and makes no (or half a) difference: read self.p in each call.",
    )
    net = nn.Sequential(nn.Identity(), nn.Sequential(Dropout(p=0.5)))
    test.that(
        torch.equal(net.eval()(torch.ones(50)), torch.ones(50)),
        "Inside a model that is put in evaluation mode it still drops: look at self.training.",
    )
    for p in (1.0, 1):
        with test.case("p = 1, where everything is dropped"):
            module = Dropout(p=p)
            leaf = torch.randn(4, 5, requires_grad=True)
            out = module(leaf)
        test.close(out.detach(), torch.zeros(4, 5), "With p = 1 all should be 0, not nan.")
        test.that(torch.equal(module.eval()(leaf), leaf), "With p = 1 evaluation passes all.")
    for shape in ((), (1,), (0, 3), (2, 3, 4, 5)):
        for training in (True, False):
            test.shape(Dropout(p=0.4).train(training)(torch.randn(shape)), shape)
    zeros = Dropout(p=0.5)(torch.zeros(30))
    test.that(bool((zeros == 0).all()), "Zeros stay zeros.")
    for p in (-0.01, 1.01, 2):
        raised = False
        try:
            Dropout(p=p)
        except ValueError:
            raised = True
        test.that(raised, f"`Dropout({p})` should raise a ValueError.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="Dropout"
# The division by $1-p$ keeps the expectation: $\mathbb E\,y = (1-p)\cdot\frac{x}{1-p} + p\cdot 0 = x$. The original paper left training unscaled and multiplied the *weights* by the keep probability afterwards; the inverted form does the same at the other
# end, so that a trained network needs no after-treatment and evaluation costs nothing. The comparison `rand >= p` is right at both ends: `rand_like` gives numbers in $[0, 1)$, so $p = 0$ keeps all. Nothing had to be done for the gradient: the mask is a constant
# to autograd, and the derivative of $x \cdot m$ is $m$.


# %% [markdown]
# ## The mask is a gate, in both directions
#
# A dropped unit sends nothing forward. So it is not to blame for the loss, and receives no gradient: in this step, for this image, its weights do not learn. Each step trains a different, thinner network.
#
# **Predict, then run.** A layer of 8 units with dropout 0.5, one image. How many rows of its weight's gradient will be zero? And with a batch of 64 images?

# %%
torch.manual_seed(0)
layer, readout = nn.Linear(20, 8), nn.Linear(8, 1)
for n_images in (1, 64):
    layer.zero_grad()
    gated = F.dropout(layer(torch.randn(n_images, 20)), p=0.5, training=True)
    readout(gated).sum().backward()
    idle = (layer.weight.grad == 0).all(dim=1).sum().item()
    print(f"{n_images:2} images: {idle} of 8 units get no gradient at all")
    if n_images == 1:
        dropped, idle_one = (gated == 0).sum().item(), idle

# %% [markdown]
# With one image, exactly the dropped units; with 64, none: each image has masks of its own, and the gradient is their mean. That is why dropout does not simply slow down a part of the network: in every batch every unit learns something, each from another half of the images.

# %% [markdown]
# ## How much?
#
# A fair trial: the rates $p = 0$, 0.2, 0.5 and 0.8, equal steps for all, AdamW without weight decay (we want to see dropout alone). Dropout makes gradients noisier, so each $p$ gets its own learning rate, the one with the lowest validation loss among three, on seeds of their own. (For 0.8, which wants longer steps, the three are a notch higher.) Then five fresh seeds; a seed is a new draw of 1,000 images *and* new weights.
#
# **Predict, then run.** Which $p$ will have the smallest gap between training and validation accuracy? Which one the best validation accuracy? (They need not be the same.)


# %%
@torch.no_grad()
def votes(net, x, passes):
    """The logits of `passes` sub-networks, (passes, B, C): dropout stays on. For later."""
    mode = net.training
    below, above = net[:2], net[2:].train()
    hidden = below(x)  # nothing is dropped down here: once is enough
    scores = torch.stack([above(hidden) for _ in range(passes)])
    net.train(mode)
    return scores


RATES = budget([0.0, 0.2, 0.5, 0.8], fast=[0.0, 0.5])
LEARNING_RATES = {
    p: budget([3e-4, 1e-3, 3e-3] if p > 0.5 else [1e-4, 3e-4, 1e-3], fast=[1e-3]) for p in RATES
}


def tuning_run(p, lr, seed):
    """Validation losses: of the plain pass, and of the vote that comes later in this lesson."""
    net = train(p, lr, seed)[0]
    vote = votes(net, valid_x, budget(20, fast=2)).softmax(2).mean(0)
    return [
        {"method": "one pass", "loss": look(net, valid_x, valid_y)[0]},
        {"method": "vote", "loss": F.nll_loss(vote.log(), valid_y).item()},
    ]


tuning_seeds = range(100, 100 + budget(2, fast=1))
tuning = pd.concat(
    [
        lab.sweep(tuning_run, {"p": [p], "lr": rates}, tuning_seeds)
        for p, rates in LEARNING_RATES.items()
    ],
    ignore_index=True,
)
one_pass = tuning[tuning.method == "one pass"]
best = lab.best(one_pass, by="p", value="loss", mode="min", over="lr").set_index("p")
best.round(4)

# %%
nets, curves = {}, []


def watch_losses(net, x, y):
    few_x, few_y = valid_x[:1000], valid_y[:1000]
    return {
        "training, dropout off": look(net, x, y)[0],
        "validation": look(net, few_x, few_y)[0],
    }


def final_run(p, seed):
    net, (x, y), seen = train(
        p, best.lr[p], seed, every=budget(50, fast=30), watch=watch_losses
    )
    nets[p, seed] = net
    curves.extend({"p": p, "seed": seed, **row} for row in seen)
    train_accuracy = look(net, x, y)[1]
    loss, accuracy = look(net, valid_x, valid_y)
    return {
        "training accuracy": train_accuracy,
        "validation accuracy": accuracy,
        "gap": train_accuracy - accuracy,
        "validation loss": loss,
    }


SEEDS = range(budget(5, fast=2))
final = lab.sweep(final_run, {"p": RATES}, seeds=SEEDS)
curves = pd.DataFrame(curves)
final.groupby("p").mean().drop(columns="seed").round(3)


# %%
def plot_rates(final, curves, p):
    fig, (left, right) = lab.figure(1, 2, height=3.4)
    for index, part in enumerate(("training accuracy", "validation accuracy")):
        means = lab.summary(final, by="p", value=part)
        bars = [means["mean"] - means["low"], means["high"] - means["mean"]]
        left.errorbar(
            means["p"], means["mean"], yerr=bars, label=part, capsize=3, **lab.line_style(index)
        )
    left.set(xlabel="dropout rate p", ylabel="accuracy", title="The gap closes from above")
    left.legend(fontsize=9, handlelength=3)
    chosen = curves[curves.p == p]
    for part in ("training, dropout on", "training, dropout off", "validation"):
        lab.band(chosen, "step", part, ax=right, legend=False, ylabel="cross-entropy")
        right.lines[-1].set_label(part)
    right.set(title=f"p = {p}: three losses")
    right.legend(fontsize=9, handlelength=3)
    return fig


lab.show(
    plot_rates(final, curves, 0.5),
    alt="Left: training and validation accuracy against the dropout rate, with intervals. Training accuracy "
    "falls from about 0.95 without dropout to below 0.8 with 0.8; validation accuracy stays near 0.8 up to 0.5, then "
    "drops. Right: three losses of the networks with 0.5 during training. Highest for most of the run is the training loss with "
    "dropout on, lowest the training loss with dropout off; the validation loss lies between them.",
)
lab.paired_difference(final, by="p", value="validation accuracy", baseline=0.0).round(3)

# %% [markdown]
# Look at the left-hand picture again. The gap closes from *above*: with more dropout the network remembers less of its training images, while on new ones it is hardly better or worse (the last table; with five other seeds the gain of 0.2 was gone, and 0.5 lost a point); with 0.8 it has begun to know too little. Anybody who expected a
# jump in accuracy should keep the validation *loss* in view: with 0.2 and 0.5 it is lower than without. The network makes about as many mistakes as before, and is less sure of them. That is what this kind of regularisation buys, and the end of this lesson measures it.
#
# The right-hand picture holds a classic surprise. The training loss that the loop prints is *higher* than the validation loss, for most of the run. Nothing is wrong: the loop measures a network with half of its units missing, validation a complete one. With dropout off, the training loss lies where it belongs. **Compare losses in the same mode**, which means evaluation mode.

# %% [markdown]
# ## Never on the outputs
#
# A hidden unit that is missing can be replaced by its colleagues. An output cannot: nobody else predicts this number. Take a squared error and an output $\hat y$ with dropout behind it. The mean of the loss over the coins is
#
# $$\mathbb E\left(y - \frac{m\hat y}{1-p}\right)^2 = (y - \hat y)^2 + \frac{p}{1-p}\,\hat y^2 .$$
#
# The second term is a penalty on the prediction itself, and the best answer to it is $\hat y = (1-p)\,y$: a network that knows the truth perfectly, and says half of it. With cross-entropy, the score of the right class is dropped to 0 every so often, however large it is. Let the right class have the score $s$ and the nine others $-s$:

# %%
COINS = torch.tensor(list(itertools.product((0.0, 1.0), repeat=10)), dtype=torch.float64)


def loss_with_dropped_scores(s, p):
    """Cross-entropy, averaged over all 2¹⁰ masks, of the scores (s, -s, ..., -s); class 0 is right."""
    chance = torch.where(COINS == 1, 1 - p, p).prod(1)
    scores = COINS * torch.tensor([s] + [-s] * 9, dtype=torch.float64) / (1 - p)
    losses = F.cross_entropy(
        scores, torch.zeros(len(COINS), dtype=torch.long), reduction="none"
    )
    return (chance * losses).sum().item()


sizes = np.linspace(0, 12, 49)
fig, ax = lab.figure(height=3)
floors = {}
for index, p in enumerate((0.0, 0.1, 0.2, 0.5)):
    line = [loss_with_dropped_scores(s, p) for s in sizes]
    floors[p] = loss_with_dropped_scores(200.0, p)
    ax.plot(
        sizes,
        line,
        label=f"p = {p}: at least {floors[p]:.2f}",
        markevery=8,
        **lab.line_style(index),
    )
ax.set(xlabel="score s of the right class (the others −s)", ylabel="mean cross-entropy")
ax.legend(handlelength=3)
lab.show(
    fig,
    alt="Mean cross-entropy against the size of the scores, for dropout on the ten scores with p = 0, "
    "0.1, 0.2 and 0.5. Without dropout it falls to 0; otherwise it levels off at 0.05, 0.19 and 0.83.",
)

# a regression that could fit perfectly: y = 3x, dropout 0.5 behind the only unit
torch.manual_seed(0)
x = torch.randn(2000, 1)
slope = nn.Linear(1, 1, bias=False)
optimizer = torch.optim.SGD(slope.parameters(), lr=0.02)
trail = []
for _ in range(1000):
    optimizer.zero_grad()
    F.mse_loss(F.dropout(slope(x), p=0.5, training=True), 3 * x).backward()
    optimizer.step()
    trail.append(slope.weight.item())
learned_slope = float(np.mean(trail[-500:]))
print(f"true slope 3, learned with dropout on the output: {learned_slope:.2f}")

# %% [markdown]
# However sure the network is, half of the time its best score is taken away, and 0.83 remain. The regression learns 1.5 where 3 is right. So: behind hidden layers, sparingly on inputs, never on outputs.
#
# The formula above says more, by the way. Put dropout on the *inputs* of a linear model, and the mean loss is the ordinary one plus $\frac{p}{1-p}\sum_j w_j^2\, x_j^2$: an L2 penalty, with a strength for each weight that grows with its input. There, dropout is weight decay in disguise. In deep networks it is more than that, but the family resemblance stays.

# %% [markdown]
# ## A vote of $2^n$ networks
#
# Each mask picks a sub-network. A layer with $n$ units has $2^n$ of them, all with the same weights, and training with dropout trains each a little, whenever its mask comes up. In evaluation mode we would like to have their **mean opinion**, each network weighted by its probability. That is an ensemble, the oldest trick for better predictions, and here we want
# it at the price of a single pass. Is the plain network, with nothing dropped, this mean?
#
# With three inputs we can check: $2^3 = 8$ networks.

# %% [markdown] role="card" exercise="ensemble_mean" level=2 minutes=10 topic="Dropout" doc="https://docs.pytorch.org/docs/stable/generated/torch.cartesian_prod.html"
# ### The mean of all sub-networks
#
# `f` is a network with $n$ inputs: it maps a vector of shape `(n,)` to a tensor of some shape. Dropout on the inputs picks one of $2^n$ masks $m \in \{0, 1\}^n$. Return the exact expectation,
#
# $$\sum_{m} \underbrace{(1-p)^{k(m)}\, p^{\,n-k(m)}}_{\text{probability of the mask}}\; f\!\left(\frac{m \odot x}{1-p}\right),$$
#
# with $k(m)$ the number of inputs that the mask keeps, and $\odot$ the product element by element. Do not sample: go through all the masks. $0 \le p < 1$, and $n$ is at most 12.
#
# Call `f` with one vector at a time, of `x`'s dtype. The result has the shape of what `f` returns.


# %% role="stub" exercise="ensemble_mean"
def ensemble_mean(f, x: torch.Tensor, p: float) -> torch.Tensor:
    """The exact expectation of a network's output under dropout on its inputs.

    Args:
        f: maps a vector (n,) of x's dtype to a tensor of any one shape.
        x: the inputs (n,), float32 or float64, n from 1 to 12.
        p: probability to drop an input, 0 <= p < 1.

    Returns:
        The mean of f over all 2ⁿ masks, weighted by their probability, in the shape of f's output.
    """
    ### BEGIN SOLUTION
    total = 0.0
    for mask in itertools.product((0.0, 1.0), repeat=len(x)):
        kept = sum(mask)
        weight = (1 - p) ** kept * p ** (len(x) - kept)
        total = total + weight * f(
            torch.tensor(mask, dtype=x.dtype, device=x.device) * x / (1 - p)
        )
    return total
    ### END SOLUTION


# %% role="check" exercise="ensemble_mean"
with Check("ensemble_mean") as check:
    x, seen = torch.tensor([1.0, 2.0, 6.0], dtype=torch.float64), []

    def product(z):
        """(a + 1)(b + 1)(c + 1): each input has an expectation of its own, 1 + its value."""
        seen.append(z.clone())
        return (z + 1).prod()

    got = ensemble_mean(product, x, 0.2)
    check.is_a(got, torch.Tensor)
    check.that(
        len(seen) >= 8,
        f"Three inputs have 2³ = 8 masks, but `f` was called {len(seen)} times.",
    )
    check.that(
        all(isinstance(z, torch.Tensor) and z.shape == (3,) for z in seen),
        "`f` should be called with one vector of shape (3,) at a time.",
    )
    check.that(
        all(z.dtype == torch.float64 for z in seen), "`f` should get vectors of x's dtype."
    )
    check.close(
        got,
        torch.tensor(42.0, dtype=torch.float64),
        "For (a+1)(b+1)(c+1) at (1, 2, 6) with p = 0.2, the mean should be 2 · 3 · 7 = 42.",
        known=[
            (
                torch.tensor(1.625 * 2.25 * 4.75),
                "All masks count the same in your mean: weigh them.",
            ),
            (
                torch.tensor(1.25 * 1.5 * 2.5),
                "The weights are swapped: p is for a dropped input.",
            ),
            (torch.tensor(1.8 * 2.6 * 5.8), "What is kept has to be divided by 1 − p."),
            (
                torch.tensor(41.992),
                "The mask that drops everything is missing: f(0) counts too.",
            ),
            (
                torch.tensor(336.0),
                "That is eight times too much: the weights already sum to 1.",
            ),
            (
                torch.tensor(42 / 8),
                "The weights already sum to 1: do not divide by 2ⁿ as well.",
            ),
        ],
    )
    check.that(x.tolist() == [1, 2, 6], "Your function changes `x`.")
    check.close(
        ensemble_mean(torch.square, torch.tensor([4.0]), 0.2),
        torch.tensor([20.0]),
        "The square of a single input 4 with p = 0.2 is 5² four times out of five, else 0: 20 on average.",
        known=[
            (
                torch.tensor([80.0]),
                "p and 1 − p are swapped throughout: p is for a dropped input.",
            ),
            (
                torch.tensor([16.0]),
                "That is f(x) itself; the square of a mean is not the mean of squares.",
            ),
        ],
    )
    with check.case("p = 0, where nothing is ever dropped"):
        got = ensemble_mean(lambda z: torch.stack([z.sum(), z.prod()]), x, 0.0)
    check.shape(got, (2,))
    check.close(got, torch.tensor([9.0, 12.0]), "With p = 0 the mean should be f(x) itself.")


# %% [markdown] role="hints" exercise="ensemble_mean"
# <details><summary>Hint 1: all the masks</summary>
#
# `itertools.product((0, 1), repeat=n)` runs through all tuples of $n$ zeros and ones.
#
# </details>
# <details><summary>Hint 2: the weight of a mask</summary>
#
# The coins are independent, so probabilities multiply: a factor of $1-p$ for each kept input and of $p$ for each dropped one. In Python `0.0 ** 0` is 1, which is what $p = 0$ needs.
#
# </details>
# <details><summary>Hint 3: one mask</summary>
#
# `torch.tensor(mask, dtype=x.dtype) * x / (1 - p)` is what `f` gets. Add up weight times result.
#
# </details>

# %% role="test" exercise="ensemble_mean" points=2
# Graded with hidden tests: one to five inputs, other rates, linear and bent networks, outputs of any shape.
### BEGIN HIDDEN TESTS
with HiddenTest("ensemble_mean") as test:
    for n, p, dtype in (
        (1, 0.3, torch.float64),
        (3, 0.5, torch.float32),
        (4, 0.1, torch.float64),
        (2, 0.75, torch.float64),
        (5, 0.2, torch.float32),
    ):
        x = torch.randn(n, dtype=dtype) + 0.5
        before = x.clone()
        weight, bias = torch.randn(5, n, dtype=dtype), torch.randn(5, dtype=dtype)
        bits = (torch.arange(2**n)[:, None] >> torch.arange(n)) & 1
        kept = bits.double().sum(1)
        chance = (1 - p) ** kept * p ** (n - kept)
        inputs = bits.double() * before.double() / (1 - p)
        for name, bend in (
            ("a linear layer", lambda z: z),
            ("a ReLU layer", torch.relu),
            ("a quadratic layer", torch.square),
        ):
            outputs = bend(inputs @ weight.double().T + bias.double())
            want = chance @ outputs
            with test.case(f"{name}, n = {n}, p = {p}, {dtype}"):
                got = ensemble_mean(
                    lambda z, bend=bend, w=weight, b=bias: bend(w @ z + b), x, p=p
                )
            test.is_a(got, torch.Tensor)
            test.shape(got, (5,))
            test.close(
                got,
                want,
                f"The mean over the sub-networks of {name} with {n} inputs and p = {p} is wrong.",
                known=[
                    (outputs.mean(0), "The masks are not weighted by their probability."),
                    (
                        bend(weight.double() @ before.double() + bias.double()),
                        "That is the output without dropout. It equals the mean only for linear layers.",
                    ),
                ]
                if name != "a linear layer"
                else [(outputs.mean(0), "The masks are not weighted by their probability.")],
                rtol=1e-4,
                atol=1e-4 if dtype == torch.float32 else 1e-5,
            )
            test.that(torch.equal(x, before), "`x` has changed.")
    x = torch.tensor([2.0, -1.0])
    for shape in ((), (1,), (2, 3)):
        got = ensemble_mean(lambda z, s=shape: z.sum() * torch.ones(s), x, p=0.4)
        test.shape(got, shape)
        test.close(got, torch.ones(shape), "For a sum the mean should be the sum itself.")
    got = ensemble_mean(lambda z: z.sum() + 7.0, torch.zeros(5), p=0.6)
    test.close(got, torch.tensor(7.0), "The weights of all masks should sum to 1.")
    got = ensemble_mean(lambda z: (z == 0).all().float(), torch.ones(3), p=0.5)
    test.close(got, torch.tensor(0.125), "The mask that drops everything is missing.")
    got = ensemble_mean(lambda z: z[0] ** 2, x, p=0.0)
    test.close(got, torch.tensor(4.0), "With p = 0 the mean should be f(x).")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="ensemble_mean"
# Eight networks, one set of weights. The exponents of $1-p$ and $p$ add up to $n$ in each term, so the weights are the terms of $\big((1-p) + p\big)^n = 1$, multiplied out. The check's product function was chosen because independent inputs have a mean that factors: $(1+a)(1+b)(1+c)$ at
# any $p$. Note that the number of networks doubles with each unit: a hidden layer of 100 has $2^{100}$, so nobody will enumerate those, and all we can do is sample, or use the shortcut that comes next.


# %% [markdown]
# **Predict, then run.** One unit with three inputs, once without an activation, once with ReLU, once with a sigmoid. For which of them is the mean of the eight sub-networks the output of the whole one?

# %%
inputs = torch.tensor([2.0, 1.0, -1.0], dtype=torch.float64)
weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
UNITS = {
    "linear": lambda z: z @ weights + 0.3,
    "ReLU": lambda z: (z @ weights + 0.3).relu(),
    "sigmoid": lambda z: (z @ weights + 0.3).sigmoid(),
}
table = torch.tensor(
    [[0.1, -0.4, 0.3], [1.0, 0.2, -0.5], [-0.7, 0.6, 0.8]], dtype=torch.float64
)


def classifier(z):
    """Log-probabilities of three classes: one layer and a softmax."""
    return (table @ z).log_softmax(dim=0)


with needs("ensemble_mean"):
    for name, unit in UNITS.items():
        whole, vote = unit(inputs).item(), ensemble_mean(unit, inputs, 0.5).item()
        print(f"{name:8} the whole network {whole:6.3f}, mean of the eight {vote:6.3f}")
    whole = classifier(inputs).exp()
    vote = ensemble_mean(lambda z: classifier(z).exp(), inputs, 0.5)
    geometric = ensemble_mean(classifier, inputs, 0.5).softmax(dim=0)
    for name, p in (
        ("whole network", whole),
        ("arithmetic mean", vote),
        ("geometric mean", geometric),
    ):
        print(f"softmax, {name:16}", p.numpy().round(4))

# %% [markdown]
# Exactly for the linear unit; for the others not. A mean passes through sums and products with constants, but not through a bend: ReLU is convex, so the mean of its outputs is never below the output at the mean (Jensen), and here it is 1.03 against 0.
#
# The last three lines hold a small wonder. For one layer with a softmax, the whole network *is* a mean of the eight, though not the arithmetic one: it is their **geometric** mean, rescaled to sum to 1. The softmax turns means of scores into geometric means of probabilities, and scores are linear. (Arithmetic and geometric vote differ: remember that for later.)
#
# A deep network bends many times, so there evaluation mode is an approximation to the vote, known as *weight scaling*. How good it is will be a matter of measurement.

# %% [markdown]
# ## SELU wants a dropout of its own
#
# Self-normalising networks keep the mean of their activations at 0 and the standard deviation at 1, through any number of layers, with nothing but the right activation and LeCun's initialisation. Ordinary dropout spares the mean, but not the variance: for mean 0 it becomes $\frac{1}{1-p}$ times as large.
#
# Klambauer et al. (2017) drop differently. A unit is not set to 0 but to $\alpha' = -\lambda\alpha = -1.758$, the value of a SELU that is thoroughly off, and a fixed linear map repairs the moments afterwards.

# %% [markdown] role="card" exercise="AlphaDropout" level=3 minutes=15 topic="Dropout" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.AlphaDropout.html"
# ### Alpha dropout
#
# Write the module. **Training mode:** each element is kept with probability $1-p$; elsewhere $\alpha'$ (`ALPHA_PRIME`, −1.758…) is put in its place. Then *all* elements are mapped by $z \mapsto a z + b$. **Evaluation mode:** the input passes unchanged.
#
# Work out $a > 0$ and $b$, which depend on $p$ and $\alpha'$ alone, from the demand: if the input has mean 0 and variance 1, so has the output. $0 \le p < 1$.
#
# As before: a coin for each element, thrown anew in every call; any shape, float32 or float64, kept; the input stays as it is; gradients pass where the input was kept. `nn.AlphaDropout` and `F.alpha_dropout` are what you are writing.


# %% role="stub" exercise="AlphaDropout"
class AlphaDropout(nn.Module):
    """Dropout for self-normalising networks (Klambauer et al., 2017)."""

    def __init__(self, p: float = 0.1):
        """Take the probability to replace an element, 0 <= p < 1."""
        ### BEGIN SOLUTION
        super().__init__()
        self.p = p
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """a · (x or α′) + b in training, x in evaluation."""
        ### BEGIN SOLUTION
        if not self.training:
            return x
        a = ((1 - self.p) * (1 + self.p * ALPHA_PRIME**2)) ** -0.5
        b = -a * self.p * ALPHA_PRIME
        keep = torch.rand_like(x) >= self.p
        return a * torch.where(keep, x, ALPHA_PRIME) + b
        ### END SOLUTION


# %% role="check" exercise="AlphaDropout"
with Check("AlphaDropout") as check:
    torch.manual_seed(0)
    module = AlphaDropout(p=0.2)
    check.is_a(module, nn.Module)
    module.eval()
    x = torch.tensor([[1.0, -2.0], [5.0, 10.0]])
    kept = x.clone()
    out = module(x)
    check.shape(out, (2, 2))
    check.close(out, kept, "In evaluation mode the input should pass unchanged.")
    module.train()
    x = torch.randn(500, 400)
    kept = x.clone()
    out = module(x)
    check.shape(out, (500, 400))
    check.that(torch.equal(x, kept), "Your module changes its input: make a new tensor.")
    floor = (
        out.flatten().mode().values
    )  # what is put in place of the dropped ones, after the map
    share = (out == floor).float().mean().item()
    check.that(
        share > 0.01,
        "In training mode the dropped elements should all have one and the same value.",
    )
    check.that(
        abs(share - 0.2) < 0.02,
        f"With p = 0.2 about a fifth should be replaced, but {share:.0%} are.",
    )
    check.that(
        floor.item() != 0,
        "The dropped elements are 0. Here they become α′, and then a · α′ + b.",
    )
    check.that(
        abs(floor.item() - ALPHA_PRIME) > 1e-4,
        "The dropped elements are α′ itself: z ↦ az + b comes after, and for them too.",
    )
    check.that(
        abs(out.mean()) < 0.02,
        f"An input with mean 0 and variance 1 should keep both, but the mean becomes {out.mean():.3f}. "
        "Look at b.",
    )
    check.that(
        abs(out.std() - 1) < 0.02,
        f"An input with mean 0 and variance 1 should keep both, but the variance becomes {out.var():.3f}. "
        "Look at a.",
    )
    check.close(
        floor.item(),
        -1.23616,
        "With p = 0.2 a dropped element should end at a · α′ + b = −1.23616.",
    )
    check.that(
        not torch.equal(out, module(x)),
        "Two calls replace the same elements: throw the coins in `forward`.",
    )
    check.close(AlphaDropout(p=0.0)(x), x, "With p = 0 nothing should change: a = 1 and b = 0.")


# %% [markdown] role="hints" exercise="AlphaDropout"
# <details><summary>Hint 1: the mean</summary>
#
# Before the map, an element is $x$ (mean 0) with probability $1-p$ and $\alpha'$ with probability $p$. So its mean is $p\,\alpha'$. After the map it should be 0: $a\,p\,\alpha' + b = 0$.
#
# </details>
# <details><summary>Hint 2: the variance</summary>
#
# Its mean square is $(1-p)\cdot 1 + p\,\alpha'^2$. Subtract the square of the mean, $p^2\alpha'^2$, and the variance is $(1-p)(1 + p\,\alpha'^2)$. Multiplied by $a^2$ it should be 1.
#
# </details>
# <details><summary>Hint 3: in code</summary>
#
# `torch.where(mask, x, value)` takes a number for `value`. The map is applied to its result, dropped elements included.
#
# </details>

# %% role="test" exercise="AlphaDropout" points=3
# Graded with hidden tests: both values exactly, moments, gradients, modes, rates, shapes, dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("AlphaDropout") as test:
    module = AlphaDropout()
    test.is_a(module, nn.Module)
    test.that(not list(module.parameters()), "Nothing is learned: there are no parameters.")
    low = -1.7580993408473766
    for dtype in (torch.float32, torch.float64):
        for p in (0.05, 0.1, 0.3, 0.6):
            mean, square = p * low, (1 - p) + p * low**2
            a = 1 / math.sqrt(square - mean**2)
            b = -a * mean
            base = torch.randn(300, 200, dtype=dtype).t()
            base[(base - low).abs() < 0.01] = 1.0  # what is kept must be told from what is not
            leaf = base.clone().requires_grad_()
            module = AlphaDropout(p=p)
            with test.case(f"p = {p}, {dtype}"):
                out = module(leaf)
            test.shape(out, (200, 300))
            test.that(out.dtype == dtype, "The output should have the dtype of the input.")
            test.that(torch.equal(leaf, base), "The input has changed: make a new tensor.")
            test.that(out.requires_grad, "No gradient flows back to the input.")
            got = out.detach().double()
            tight = 1e-5
            dropped = (got - (a * low + b)).abs() < tight
            for dim in (0, 1):
                n = dropped.shape[dim]
                test.that(
                    (dropped.double().mean(dim) - p).abs().max()
                    <= 7 * math.sqrt(p * (1 - p) / n),
                    "Rows or columns share their coins: each element has one of its own.",
                )
            share = dropped.double().mean()
            test.that(
                abs(share - p) <= 6 * math.sqrt(p * (1 - p) / 60_000),
                f"With p = {p} a share of {share:.3f} is replaced by aα′ + b. (Is p dropped or kept, and are a and b right?)",
            )
            test.close(
                got[~dropped],
                (a * base.double() + b)[~dropped],
                "The elements that are kept should become ax + b.",
                known=[
                    ((base.double())[~dropped], "The kept elements go through the map too.")
                ],
                rtol=tight,
                atol=tight,
            )
            (slope,) = torch.autograd.grad(out.sum(), leaf)
            test.close(
                slope.double(),
                torch.where(dropped, 0.0, a),
                "The gradient should be a where the element was kept, 0 where it was replaced.",
                rtol=1e-5,
            )
            test.that(
                not torch.equal(module(leaf), out),
                "Two calls replace the same elements: throw the coins in `forward`.",
            )
            test.that(
                torch.equal(module.eval()(leaf), base),
                "In evaluation mode the input should pass unchanged.",
            )
            test.that(
                not torch.equal(module.train()(leaf), base),
                "Back in training mode nothing is dropped.",
            )
    cube = AlphaDropout(p=0.5)(torch.ones(40, 30, 20))
    cube = (cube == cube.min()).float()
    test.that(
        all(cube.mean(dim).max() < 1 for dim in range(3)),
        "In a tensor of three dimensions whole lines are replaced together: each element has a coin of its own.",
    )
    # a unit is alive again in the next layer: SELU layers stay at mean 0 and deviation 1
    z = torch.randn(2000, 100)
    for _ in range(8):
        z = AlphaDropout(p=0.2)(F.selu(z @ torch.randn(100, 100) / 10))
    test.that(
        abs(z.mean()) < 0.1 and abs(z.std() - 1) < 0.1,
        "After eight SELU layers mean and deviation have left 0 and 1.",
    )
    for shape in ((), (1,), (0, 3), (2, 3, 4, 5)):
        for training in (True, False):
            test.shape(AlphaDropout(p=0.4).train(training)(torch.randn(shape)), shape)
    x = torch.randn(7)
    test.close(AlphaDropout(p=0.0)(x), x, "With p = 0 nothing should change.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="AlphaDropout"
# $a = \big((1-p)(1+p\,\alpha'^2)\big)^{-1/2}$ and $b = -a\,p\,\alpha'$. The value $\alpha'$ is where SELU flattens out on the left, so a dropped unit looks to the next layer like one that is thoroughly switched off, not like one that hesitates at 0. Both moments hold for *every* $p$, but only for inputs with mean 0 and variance 1 to begin
# with: behind a ReLU, whose outputs have a positive mean, alpha dropout does nothing sensible.


# %% [markdown]
# **Predict, then run.** Forty SELU layers, LeCun initialisation, dropout behind each of them: what is the standard deviation at the end, with $p = 0.1$ and with $p = 0.5$?


# %%
def depths(drop, seed, depth=40, width=200):
    """Mean and standard deviation behind each of the SELU layers of a fresh network."""
    draw = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    z, rows = torch.randn(300, width, generator=draw), []
    for layer in range(1, depth + 1):
        weight = torch.randn(width, width, generator=draw) / math.sqrt(width)
        z = drop(F.selu(z @ weight))
        rows.append({"layer": layer, "mean": z.mean().item(), "deviation": z.std().item()})
    return rows


DROPS = {
    "none": lambda z: z,
    "dropout 0.1": lambda z: F.dropout(z, 0.1),
    "dropout 0.5": lambda z: F.dropout(z, 0.5),
    "alpha dropout 0.1": lambda z: F.alpha_dropout(z, 0.1, training=True),
    "alpha dropout 0.5": lambda z: F.alpha_dropout(z, 0.5, training=True),
}
moments = lab.sweep(
    lambda drop, seed: depths(DROPS[drop], seed),
    {"drop": list(DROPS)},
    seeds=range(budget(5, fast=2)),
)
at_end = moments[moments.layer == 40].groupby("drop", sort=False)[["mean", "deviation"]].mean()
ax = lab.band(moments, "layer", "deviation", by="drop", log=True, ylabel="standard deviation")
lab.show(
    ax.figure,
    alt="Standard deviation behind each of 40 SELU layers, logarithmic. Without dropout and with alpha "
    "dropout of 0.1 and 0.5 it stays at 1. With plain dropout of 0.1 it settles near 1.3; "
    "with 0.5 it grows without end, to about 30.",
)
at_end.round(2)

# %% [markdown]
# With 0.1, SELU's own pull towards 1 still wins, and the deviation settles at 1.27. With 0.5 it loses: mean and deviation grow until the network is nowhere near the range it was made for. Alpha dropout stays at 0 and 1 at both rates.
#
# Two warnings. It belongs behind SELU and nothing else. And it protects the *moments*; whether it also generalises better than a small plain dropout is a question for a measurement with your data.

# %% [markdown]
# ## Leave it on
#
# Evaluation mode asks the whole network once, as a stand-in for the vote. The alternative is to hold the vote: leave dropout on, send the same image through some hundred sub-networks, and **average their probabilities**,
#
# $$\bar p(c \mid x) = \frac1T \sum_{t=1}^T \operatorname{softmax}\big(z_t(x)\big)_c,$$
#
# where $z_t$ are the logits of pass $t$. Gal and Ghahramani (2016) showed that this can be read as approximate Bayesian inference, and called it **Monte Carlo dropout**. It needs no new training: any network with dropout layers will do. And it yields a second number: the standard deviation over the passes. If a hundred sub-networks agree, the answer does not hang on who was at home; if they quarrel, the network is in doubt.
#
# *Probabilities*, not logits. If half of the voters are certain of a shirt and half are certain of a coat, the mean of their probabilities is fifty-fifty. The mean of their logits can come out on either side, and be sure of it: the softmax of mean logits is the geometric mean, in which the more extreme voter wins.

# %% [markdown] role="card" exercise="mc_predict" level=3 minutes=15 topic="Uncertainty" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.train"
# ### Predict with dropout on
#
# `model` maps a batch to logits `(B, C)`. Run it `passes` times, each time with new masks, and return the **mean of the probabilities** (softmax over the classes, pass by pass) and their **standard deviation** over the passes, both `(B, C)`. Divide the variance by `passes`, not by `passes - 1`: one pass has a deviation of 0.
#
# - During the passes only the **dropout layers** are in training mode: modules that are instances of one of `DROPOUT_LAYERS`, at any depth. Everything else, batch norm above all, is in evaluation mode, whatever mode it was in before.
# - Afterwards each module is in the mode in which it was before. Nothing else of the model has changed.
# - The results carry no graph.


# %% role="stub" exercise="mc_predict"
def mc_predict(
    model: nn.Module, x: torch.Tensor, passes: int = 100
) -> tuple[torch.Tensor, torch.Tensor]:
    """Monte Carlo dropout (Gal and Ghahramani, 2016).

    Args:
        model: maps x to logits (B, C); left as it was, the mode of each of its modules included.
        x: a batch, (B, ...).
        passes: number of passes, each with new masks, at least 1.

    Returns:
        Mean and standard deviation (divided by `passes`) of the probabilities, each (B, C), without a graph.
    """
    ### BEGIN SOLUTION
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    for layer, _ in modes:
        if isinstance(layer, DROPOUT_LAYERS):
            layer.train()
    with torch.no_grad():
        draws = torch.stack([model(x).softmax(dim=1) for _ in range(passes)])
    for module, training in modes:
        module.training = training
    return draws.mean(dim=0), draws.std(dim=0, correction=0)
    ### END SOLUTION


# %% role="check" exercise="mc_predict"
with Check("mc_predict") as check:
    torch.manual_seed(0)
    # one input 1, dropped or doubled, times (3, 0): the logits are (0, 0) or (6, 0)
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(1, 2, bias=False))
    model[1].weight = nn.Parameter(torch.tensor([[3.0], [0.0]]))
    model.eval()
    x, likely = torch.ones(500, 1), 1 / (1 + math.exp(-6))
    got = mc_predict(model, x, passes=200)
    check.is_a(got, (tuple, list), "Return two tensors, `mean, std`.")
    check.that(len(got) == 2, f"Return two tensors, `mean, std`, not {len(got)}.")
    mean, std = got
    check.shape(mean, (500, 2))
    check.shape(std, (500, 2))
    check.close(
        mean.sum(dim=1),
        torch.ones(500),
        "The mean probabilities of an image should sum to 1: take the softmax over the classes, in each pass.",
    )
    check.that(
        float(std.max()) > 1e-4,
        "All passes agree: are the dropout layers in training mode, although the model is in evaluation mode?",
    )
    check.close(
        mean[:, 0].mean().item(),
        (0.5 + likely) / 2,
        "Half of the passes say 0.5, half 0.9975, so the mean should be about 0.749.",
        known=[
            (
                1 / (1 + math.exp(-3)),
                "You average the logits and take the softmax of that. Average the probabilities.",
            ),
        ],
        atol=0.008,
    )
    check.close(
        std[:, 0].mean().item(),
        (likely - 0.5) / 2,
        "The standard deviation over the passes should be about 0.249.",
        known=[
            (((likely - 0.5) / 2) ** 2, "That is the variance."),
            (
                (likely - 0.5) / 2 / math.sqrt(200),
                "Do not divide by √passes: the spread itself.",
            ),
        ],
        atol=0.008,
    )
    check.that(
        not (mean.requires_grad or std.requires_grad),
        "The results carry a graph: work under `torch.no_grad()`.",
    )
    check.that(
        not any(module.training for module in model.modules()),
        "The model was in evaluation mode, and is not any more: put every module back.",
    )
    check.close(
        mc_predict(model, x, passes=1)[1],
        torch.zeros(500, 2),
        "One pass has a deviation of 0, not nan: divide the variance by `passes`.",
    )
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(1, 2), nn.BatchNorm1d(2))
    before = model[2].running_mean.clone()
    model.train()
    mean, std = mc_predict(model, x, passes=3)
    check.that(
        torch.equal(before, model[2].running_mean),
        "Your passes change the running statistics of a batch norm: only dropout layers belong in training mode.",
    )
    check.that(
        all(module.training for module in model.modules()),
        "The model was in training mode, and is not any more: put every module back.",
    )
    check.that(
        all(p.requires_grad for p in model.parameters()),
        "The model's parameters are frozen for good: leave `requires_grad` alone.",
    )
    # parts inside parts, two kinds of dropout, some modules in training mode and some not
    model = nn.Sequential(
        nn.Linear(1, 4), nn.Sequential(nn.ReLU(), nn.Dropout(0.5)), nn.AlphaDropout(0.5),
        nn.BatchNorm1d(4), nn.Linear(4, 2),
    )  # fmt: skip
    model[1][0].eval(), model[3].eval()
    modes, switched_on = [module.training for module in model.modules()], set()
    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda m, *_: switched_on.add(type(m).__name__) if m.training else None
            )
    with check.case("parts inside parts, in mixed modes"):
        mc_predict(model, x, passes=2)
    stay_off = {"Dropout", "AlphaDropout"} - switched_on
    check.that(
        not stay_off,
        f"{' and '.join(stay_off)} stays off in the passes: all kinds in DROPOUT_LAYERS are to be on, also those "
        "inside a part of the model.",
    )
    others = sorted(switched_on - {"Dropout", "AlphaDropout"})
    check.that(
        not others,
        f"Something other than dropout was in training mode during the passes: {', '.join(others)}.",
    )
    check.that(
        [module.training for module in model.modules()] == modes,
        "Before, some modules were in training mode and others not. Afterwards each should be put back into its own mode.",
    )


# %% [markdown] role="hints" exercise="mc_predict"
# <details><summary>Hint 1: who is in which mode?</summary>
#
# `model.modules()` runs through the model and all modules inside, at any depth; each has `.training`. Note all modes first. Then `model.eval()`, and `.train()` for those that are an instance of `DROPOUT_LAYERS` (`isinstance` takes a tuple).
#
# </details>
# <details><summary>Hint 2: the passes</summary>
#
# `torch.stack` makes one tensor `(passes, B, C)` of a list of probabilities. Mean and standard deviation are taken over its first dimension. `std` divides by $n-1$ unless you give it `correction=0`.
#
# </details>
# <details><summary>Hint 3: back again</summary>
#
# `model.train(mode)` sets all children as well. To restore each module for itself, assign `module.training = mode`.
#
# </details>

# %% role="test" exercise="mc_predict" points=3
# Graded with hidden tests: nested models, images, batch norm, mixed modes, several kinds of dropout, moments.
### BEGIN HIDDEN TESTS
with HiddenTest("mc_predict") as test:

    class Watcher(nn.Module):
        """Adds nothing, and notes the modes in which it was called."""

        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(2))

        def forward(self, x):
            self.seen[int(self.training)] += 1
            return x

    for p, dtype in ((0.5, torch.float32), (0.2, torch.float64), (0.8, torch.float32)):
        scores = torch.tensor([[2.0], [-1.0], [0.5]], dtype=dtype)
        model = nn.Sequential(nn.Sequential(nn.Dropout(p)), nn.Linear(1, 3, bias=False))
        model[1].weight = nn.Parameter(scores.clone())
        base = torch.tensor([[1.0], [-1.0]], dtype=dtype).repeat_interleave(400, dim=0)
        x = base.clone()
        wide = scores.double().T * torch.tensor([[1.0], [-1.0]]).double()
        on, off = (wide / (1 - p)).softmax(1), torch.full((2, 3), 1 / 3).double()
        want = (1 - p) * on + p * off
        spread = math.sqrt(p * (1 - p)) * (on - off).abs()
        for mode in (True, False):
            model.train(mode)
            with test.case(f"p = {p}, the model in {'training' if mode else 'evaluation'}"):
                got = mc_predict(model, x, passes=120)
            test.that(
                isinstance(got, (tuple, list)) and len(got) == 2,
                "Return two tensors, `mean, std`.",
            )
            mean, std = got
            test.shape(mean, (800, 3))
            test.shape(std, (800, 3))
            test.that(torch.equal(x, base), "`x` has changed.")
            test.that(
                not (mean.requires_grad or std.requires_grad), "The results carry a graph."
            )
            test.that(
                float(std.max()) > 1e-3,
                "All passes agree: a dropout layer inside a part of the model stays off.",
            )
            for half in (0, 1):
                rows = slice(400 * half, 400 * half + 400)
                # 48,000 draws: six of their standard errors
                room = 6 * spread[half].max().item() / math.sqrt(48_000) + 1e-6
                test.close(
                    mean[rows].double().mean(0),
                    want[half],
                    "The mean of the probabilities is wrong.",
                    known=[
                        (
                            wide[half].softmax(0),
                            "You average the logits: average probabilities.",
                        )
                    ],
                    atol=room,
                    rtol=0,
                )
                test.close(
                    std[rows].double().square().mean(0).sqrt(),
                    spread[half] * math.sqrt(119 / 120),
                    "The standard deviation of the probabilities over the passes is wrong.",
                    rtol=0.04,
                )
            test.that(
                all(m.training == mode for m in model.modules()),
                "Afterwards some module is in another mode than before.",
            )
        mean, std = mc_predict(model, x, passes=2)
        values = torch.stack([torch.zeros(3).double(), (on[0] - off[0]).abs() / 2])
        test.that(
            bool(((std[:400].double()[:, None] - values).abs() < 1e-3).any(1).all()),
            "For two passes the deviation is half the difference of the two: divide the variance by `passes`.",
        )
        mean, std = mc_predict(model, x, passes=1)
        test.close(
            std, torch.zeros(800, 3), "One pass has a deviation of 0, not nan.", atol=1e-5
        )
        test.that(
            bool(
                ((mean[:400].double()[:, None] - torch.stack([on[0], off[0]])).abs() < 1e-4)
                .all(2)
                .any(1)
                .all()
            ),
            "A single pass should give the probabilities of one sub-network for each image.",
        )
    # images, other kinds of dropout, batch norm, everything in a mode of its own
    watcher, within = Watcher(), Watcher()
    model = nn.Sequential(
        nn.Conv2d(1, 6, 3),
        nn.BatchNorm2d(6),
        watcher,
        nn.Sequential(nn.ReLU(), nn.Dropout2d(0.4), within),
        nn.Flatten(),
        nn.AlphaDropout(0.3),
        nn.Linear(6 * 36, 4),
        nn.RReLU(-3.0, 3.0),
    )
    model(torch.randn(50, 1, 8, 8) * 2 + 1)  # running statistics worth the name
    watcher.seen.zero_(), within.seen.zero_()
    model.train()
    model[1].eval()
    model[5].eval()
    model[3][1].eval()
    modes = [m.training for m in model.modules()]
    state = {k: v.clone() for k, v in model.state_dict().items() if not k.endswith("seen")}
    model[0].weight.grad = kept = torch.ones_like(model[0].weight)
    x = torch.randn(5, 1, 8, 8)
    with test.case("a convolutional network whose modules are in mixed modes"):
        mean, std = mc_predict(model, x, passes=20)
    test.shape(mean, (5, 4))
    test.close(
        mean.sum(1), torch.ones(5), "The mean probabilities of an image should sum to 1."
    )
    test.that(
        float(std.max()) > 1e-3, "Dropout2d and AlphaDropout, inside and outside, stay off."
    )
    test.that(
        [m.training for m in model.modules()] == modes,
        "Each module should be put back into its own mode: they were mixed before.",
    )
    test.that(
        watcher.seen[1] == 0 and within.seen[1] == 0,
        "Something other than dropout was in training mode during the passes.",
    )
    test.that(
        all(torch.equal(v, state[k]) for k, v in model.state_dict().items() if k in state),
        "Parameters or running statistics of the model have changed.",
    )
    test.that(
        model[0].weight.grad is kept and bool((kept == 1).all()),
        "The gradients of the model have changed.",
    )
    test.that(
        all(p.requires_grad for p in model.parameters()), "Parameters were frozen for good."
    )
    for kind in (nn.Dropout2d(0.6), nn.AlphaDropout(0.6), nn.Dropout(0.6)):
        lone = nn.Sequential(kind, nn.Flatten(), nn.Linear(12, 3)).eval()
        spread = mc_predict(lone, torch.randn(6, 3, 2, 2), passes=10)[1]
        test.that(float(spread.max()) > 1e-3, f"{type(kind).__name__} stays off in the passes.")
    plain = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.RReLU(-3.0, 3.0)).train()
    with torch.no_grad():
        x = torch.randn(9, 3)
        want = plain.eval()(x).softmax(1)
        plain.train()
    mean, std = mc_predict(plain, x, passes=4)
    test.close(
        mean,
        want,
        "A model without dropout should give its probabilities in evaluation mode: nothing else is noisy.",
        atol=1e-5,
    )
    test.that(bool((std < 1e-3).all()), "A model without dropout should have a deviation of 0.")
    sure = nn.Sequential(nn.Dropout(0.0), nn.Linear(1, 2, bias=False))
    sure[1].weight = nn.Parameter(torch.tensor([[800.0], [-800.0]]))
    mean, _ = mc_predict(sure, torch.ones(2, 1), passes=2)
    test.close(
        mean,
        torch.tensor([[1.0, 0.0]] * 2),
        "Large logits overflow: use the library's softmax, not exp.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="mc_predict"
# The order matters: first note the modes, then `model.eval()`, then the dropout layers. `model.train()` alone would also switch batch norm to the statistics of the batch, and let it *learn* from the test images; such a model gets worse by being asked. The last loop assigns the attribute instead of calling `.train(mode)`, which would reach down
# and overwrite the children's modes. Should an error occur inside the passes, the model would stay in a mixed state; a library would put the restoring into a `finally`.

# %% [markdown] role="card" exercise="McDropout" level=1 minutes=5 topic="Uncertainty" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.dropout.html"
# ### A layer that is always on
#
# Write `McDropout(p)`, which does in **both** modes what dropout does in training: drops with probability `p`, divides what stays by $1-p$, throws new coins in every call. It should be usable wherever an `nn.Dropout` stood: without parameters and buffers, so that a trained `state_dict` fits; `p` in `self.p`, 0.5 unless given. `F.dropout` is yours to use this time.


# %% role="stub" exercise="McDropout"
class McDropout(nn.Module):
    """Dropout that ignores evaluation mode."""

    def __init__(self, p: float = 0.5):
        """Take the probability to drop an element, 0 <= p <= 1."""
        ### BEGIN SOLUTION
        super().__init__()
        self.p = p
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x with random elements at 0 and the others divided by 1 - p, in training and evaluation."""
        ### BEGIN SOLUTION
        return F.dropout(x, self.p, training=True)
        ### END SOLUTION


# %% role="check" exercise="McDropout"
with Check("McDropout") as check:
    torch.manual_seed(0)
    module = McDropout(p=0.2)
    check.is_a(module, nn.Module)
    ones = torch.ones(100, 200)
    for mode in ("training", "evaluation"):
        module.train(mode == "training")
        out = module(ones)
        check.shape(out, (100, 200))
        check.that(bool((ones == 1).all()), "Your module changes its input.")
        check.that(bool((out == 0).any()), f"In {mode} mode nothing is dropped.")
        share = (out == 0).float().mean()
        check.that(
            abs(share - 0.2) < 0.02,
            f"In {mode} mode, with p = 0.2, {share:.0%} of the elements are dropped.",
        )
        check.close(
            out.max().item(), 1.25, f"In {mode} mode what stays should be divided by 1 − p."
        )
        check.that(
            not torch.equal(out, module(ones)), f"In {mode} mode two calls are the same."
        )
    check.that(not module.state_dict(), "The state_dict should be empty: nothing is learned.")


# %% [markdown] role="hints" exercise="McDropout"
# <details><summary>Hint 1: who decides?</summary>
#
# `F.dropout(x, p, training)` leaves the decision to its third argument, and looks at no module.
#
# </details>
# <details><summary>Hint 2: another way</summary>
#
# `.eval()` calls `self.train(False)`. A subclass of `nn.Dropout` could refuse to listen. Either way will do.
#
# </details>

# %% role="test" exercise="McDropout" points=1
# Graded with hidden tests: inside models in both modes, rates, gradients, state_dict, shapes.
### BEGIN HIDDEN TESTS
with HiddenTest("McDropout") as test:
    test.is_a(McDropout(), nn.Module)
    test.that(abs(McDropout().p - 0.5) < 1e-12, "Without an argument `self.p` should be 0.5.")
    for p, dtype in ((0.1, torch.float32), (0.5, torch.float64), (0.9, torch.float32)):
        module = McDropout(p=p)
        net = nn.Sequential(nn.Identity(), nn.Sequential(module))
        for mode in (False, True, False):
            test.that(net.train(mode) is net, "`.train()` and `.eval()` should go on working.")
            test.that(
                isinstance(module.eval(), nn.Module), "`.eval()` should return the module."
            )
            net.train(mode)
            x = (torch.randn(100, 200, dtype=dtype).abs() + 0.1).requires_grad_()
            before = x.detach().clone()
            with test.case(f"p = {p} inside a model in {'training' if mode else 'evaluation'}"):
                out = net(x)
            test.shape(out, (100, 200))
            test.that(out.dtype == dtype, "The dtype should be kept.")
            test.that(torch.equal(x, before), "The input has changed.")
            gate = (out != 0).detach()
            test.that(
                abs((~gate).double().mean() - p) < 6 * math.sqrt(p * (1 - p) / 20_000),
                "Inside a model, in one of its modes, the share of dropped elements is not p.",
            )
            test.close(
                out.detach(), before * gate / (1 - p), "What stays should be divided by 1 − p."
            )
            (slope,) = torch.autograd.grad(out.sum(), x)
            test.close(slope, gate / (1 - p), "The gradient should pass where the input did.")
            test.that(not torch.equal(net(x), out), "Two calls drop the same elements.")
    trained = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 2))
    twin = nn.Sequential(nn.Linear(3, 4), McDropout(0.3), nn.Linear(4, 2))
    with test.case("load_state_dict of a network that had nn.Dropout in this place"):
        twin.load_state_dict(trained.state_dict())
    x = torch.randn(64, 3)
    test.that(
        not torch.equal(twin.eval()(x), twin(x)), "In evaluation mode two passes are the same."
    )
    with torch.no_grad():
        test.that(not torch.equal(twin(x), twin(x)), "Under no_grad two passes are the same.")
    test.close(
        McDropout(p=0.0).eval()(torch.ones(3)), torch.ones(3), "With p = 0 nothing is dropped."
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="McDropout"
# One argument. The price is a layer that surprises people: `model.eval()` no longer makes a model deterministic, and every tool that relies on it (evaluation loops, export, tests) sees noise. It is the right thing in a model that is *served* with its doubt; in research code a function like `mc_predict` says more plainly what happens.

# %% [markdown]
# In a network it takes the old one's place, and the trained weights:

# %%
with needs("McDropout"):
    served = nn.Sequential(
        *(
            McDropout(layer.p) if isinstance(layer, nn.Dropout) else layer
            for layer in nets[0.5, 0]
        )
    ).eval()
    with torch.no_grad():
        for _ in range(3):
            print(served(valid_x[:1]).softmax(1).cpu().numpy().round(2)[0])

# %% [markdown]
# ## What does it doubt?
#
# The nets of this lesson have no layer but dropout that cares about the mode, so the experiments get by with `votes`, a shorter function from above. It uses one more trick: what lies *below* the first dropout layer is the same in every pass, and is computed once.
#
# Here are the six validation images about which the voters of one network ($p = 0.5$) quarrel most.

# %%
PASSES = budget(100, fast=20)
torch.manual_seed(0)
opinions = votes(nets[0.5, 0], valid_x, PASSES).softmax(2)
vote, spread = opinions.mean(0), opinions.std(0)
predicted = vote.argmax(1)
doubt = spread.gather(1, predicted[:, None]).flatten()


def plot_doubt(order):
    fig, axes = lab.figure(2, 6, height=1.9)
    for column, index in enumerate(order):
        top, bottom = axes[:, column]
        top.imshow(data.valid.images[index].cpu(), cmap="gray_r")
        top.set_title(data.classes[valid_y[index]], fontsize=10)
        top.axis("off")
        ranks = vote[index].topk(3).indices
        bars = vote[index, ranks].cpu(), spread[index, ranks].cpu()
        bottom.barh(range(3), bars[0], 0.4, xerr=bars[1], color="#56B4E9", capsize=2)
        for place, c in enumerate(ranks.tolist()):
            bottom.text(0.03, place - 0.25, data.classes[c], fontsize=9)
        bottom.set(
            xlim=(0, 1.1),
            ylim=(-0.8, 2.4),
            yticks=[],
            xlabel="probability" if column == 0 else "",
        )
        bottom.invert_yaxis()
    return fig


lab.show(
    plot_doubt(doubt.argsort(descending=True)[:6].tolist()),
    alt="Six validation images with their true class above, and below each the three most probable classes as "
    "bars with whiskers of one standard deviation. No bar is far above one half, and the whiskers are "
    "nearly as long as the bars.",
)

# %% [markdown]
# The bars are the mean probabilities, the whiskers one standard deviation of the votes. Whiskers as long as the bars mean that which answer wins depends on who is at home. The single pass would have given you the bars only, and other ones.
#
# ## Is the doubt honest?
#
# Two measures of a forecast that is given in probabilities:
#
# - The **negative log-likelihood** (NLL), $-\frac1N\sum_i \log p(y_i \mid x_i)$: the cross-entropy again. It is a *proper* score: its expectation is lowest for whoever gives the true probabilities. It punishes being sure and wrong without mercy.
# - **Calibration**: of all the predictions made with 80 % confidence, 80 % should be right. The mean distance between the two is the *expected calibration error* (Naeini et al., 2015).
#
# ECE is easy to read and easy to fool. Whoever answers every image with the frequencies of the classes is perfectly calibrated and perfectly useless. So look at both, and at the accuracy.

# %% [markdown] role="card" exercise="expected_calibration_error" level=2 minutes=12 topic="Uncertainty" doc="https://docs.pytorch.org/docs/stable/generated/torch.bucketize.html"
# ### Expected calibration error
#
# The **confidence** of a prediction is its largest probability, the predicted class the one that has it. Sort the predictions by confidence into `bins` bins of equal width; bin $b = 1, \dots, M$ holds those with confidence in $\left(\frac{b-1}{M}, \frac bM\right]$. Return
#
# $$\text{ECE} = \sum_{b} \frac{n_b}{N}\,\big|\,\text{acc}_b - \text{conf}_b\,\big|,$$
#
# with the number $n_b$ of predictions in the bin, the share $\text{acc}_b$ of them that are right, and their mean confidence $\text{conf}_b$. Empty bins count nothing. The result is one number: a float, or a tensor of shape `()`.


# %% role="stub" exercise="expected_calibration_error"
def expected_calibration_error(
    probabilities: torch.Tensor, labels: torch.Tensor, bins: int = 15
) -> float:
    """How far confidence and accuracy are apart, on average over bins of confidence.

    Args:
        probabilities: of the classes, (N, C), rows that sum to 1, float32 or float64.
        labels: right classes, (N,), int64.
        bins: number M of bins of equal width between 0 and 1, each closed on the right.

    Returns:
        The weighted mean of |accuracy - confidence| over the bins, from 0 to 1.
    """
    ### BEGIN SOLUTION
    confidence, predicted = probabilities.max(dim=1)
    correct = (predicted == labels).to(confidence.dtype)
    bin_of = (confidence * bins).ceil().clamp(1, bins).long() - 1
    error = 0.0
    for b in bin_of.unique():
        inside = bin_of == b
        gap = correct[inside].mean() - confidence[inside].mean()
        error += inside.sum().item() / len(labels) * gap.abs().item()
    return error
    ### END SOLUTION


# %% role="check" exercise="expected_calibration_error"
with Check("expected_calibration_error") as check:
    # confidences 0.9 (right), 0.8 (wrong), 0.7 (right), and, in the lower bin of two, 0.45 (right)
    rows = torch.tensor([[0.9, 0.1, 0.0], [0.1, 0.8, 0.1], [0.1, 0.2, 0.7], [0.45, 0.3, 0.25]])
    right = torch.tensor([0, 2, 2, 0])
    got = expected_calibration_error(rows, right, bins=2)
    squares = 0.75 * (2 / 15) ** 2 + 0.25 * 0.55**2
    check.close(
        got,
        0.2375,
        "Two bins: three predictions with confidence 0.8 and accuracy 2/3, one with 0.45 and 1, "
        "so the error is 3/4 · 0.1333 + 1/4 · 0.55 = 0.2375.",
        known=[
            ((2 / 15 + 0.55) / 2, "Each bin counts with the share of predictions in it, n/N."),
            (
                -0.0375,
                "Take the absolute value in each bin: over- and underconfidence do not cancel.",
            ),
            (
                0.0375,
                "Over- and underconfidence cancel in your sum: the absolute value belongs in each bin.",
            ),
            (
                0.55,
                "That is the largest gap of a bin. The weighted mean of the gaps is asked for.",
            ),
            (
                0.4375,
                "That is the mean of |right or wrong − confidence| over single predictions. "
                "Compare the means of bins, and of as many as `bins` says.",
            ),
            (0.95, "The sum is not divided by N."),
            (math.sqrt(squares), "You square the gaps; the absolute value is meant."),
            (squares, "You square the gaps; the absolute value is meant."),
        ],
    )
    with check.case("ten bins, eight of them empty"):
        got = expected_calibration_error(rows[[0, 3]], right[[0, 3]], bins=10)
    check.that(
        not math.isnan(float(got)), "The mean of an empty bin is nan: leave empty bins out."
    )
    check.close(
        got, 0.325, "Two predictions, both right, with confidences 0.9 and 0.45, make 0.325."
    )
    with check.case("a confidence of exactly 1"):
        got = expected_calibration_error(torch.eye(3), torch.tensor([0, 1, 0]), bins=10)
    check.close(
        got,
        1 / 3,
        "Confidence 1 belongs to the last bin. Three of them, two right, make 1/3.",
        known=[(0.0, "Predictions with confidence 1 get lost: they belong to the last bin.")],
    )
    check.close(
        expected_calibration_error(torch.eye(4), torch.arange(4)),
        0.0,
        "Always sure and always right is perfectly calibrated.",
    )
    half = torch.tensor([[0.5, 0.25, 0.25], [0.5, 0.3, 0.2], [0.75, 0.125, 0.125]])
    check.close(
        expected_calibration_error(half, torch.tensor([0, 0, 1]), bins=2),
        1 / 3 + 0.25,
        "A confidence on the border of two bins belongs to the lower one: bins are closed on the right.",
    )


# %% [markdown] role="hints" exercise="expected_calibration_error"
# <details><summary>Hint 1: confidence and prediction at once</summary>
#
# `probabilities.max(dim=1)` gives both: the largest value of each row, and where it stands.
#
# </details>
# <details><summary>Hint 2: the bins</summary>
#
# `torch.bucketize(confidence, borders)` gives the number of the bin, closed on the right unless told otherwise; `torch.linspace(0, 1, bins + 1)` are the borders. Or: `(confidence * bins).ceil()`. Or a loop over `b` with a mask `(confidence > low) & (confidence <= high)`.
#
# </details>
# <details><summary>Hint 3: empty bins</summary>
#
# The mean of nothing is `nan`. Skip a bin whose mask has no element.
#
# </details>

# %% role="test" exercise="expected_calibration_error" points=2
# Graded with hidden tests: thousands of predictions, numbers of bins and classes, borders, empty bins, dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("expected_calibration_error") as test:
    for n, classes, bins, heat, dtype in (
        (3000, 10, 15, 2.0, torch.float32),
        (2000, 2, 10, 1.0, torch.float64),
        (500, 100, 7, 3.0, torch.float32),
        (40, 3, 50, 2.0, torch.float64),
        (1, 5, 15, 1.0, torch.float32),
        (800, 4, 1, 4.0, torch.float64),
    ):
        p = (torch.randn(n, classes, dtype=torch.float64) * heat).softmax(1).to(dtype)
        y = torch.where(torch.rand(n) < 0.6, p.argmax(1), torch.randint(classes, (n,)))
        kept = (p.clone(), y.clone())
        top, hit = p.double().max(1).values, (p.argmax(1) == y).double()
        want, plain, most = 0.0, [], 0.0
        for b in range(bins):
            inside = (top > b / bins) & (top <= (b + 1) / bins)
            if inside.any():
                gap = abs((hit[inside].mean() - top[inside].mean()).item())
                want += inside.double().mean().item() * gap
                plain.append(gap)
        with test.case(f"{n} predictions of {classes} classes in {bins} bins, {dtype}"):
            got = (
                expected_calibration_error(p, y)
                if bins == 15
                else expected_calibration_error(p, y, bins=bins)
            )
        test.close(
            got,
            want,
            "The error of many predictions is wrong.",
            known=[
                (sum(plain) / len(plain), "Each bin counts with its share of predictions."),
                (sum(plain) / bins, "Each bin counts with its share of predictions."),
                (max(plain), "That is the largest gap, not the weighted mean."),
            ],
            rtol=1e-4,
            atol=1e-5,
        )
        test.that(
            torch.equal(p, kept[0]) and torch.equal(y, kept[1]), "An argument has changed."
        )
    # the border: 0.5 with an even number of bins, 1 with any
    p = torch.tensor([[0.5, 0.25, 0.25]] * 3 + [[0.625, 0.25, 0.125]])
    for bins, want in ((2, 0.75 * abs(1 / 3 - 0.5) + 0.25 * 0.625), (4, 0.75 / 6 + 0.625 / 4)):
        got = expected_calibration_error(p, torch.tensor([0, 1, 2, 2]), bins=bins)
        test.close(got, want, "Bins are closed on the right.")
    p = torch.tensor([[0.5, 0.25, 0.25]] * 3 + [[0.625, 0.25, 0.125]])
    got = expected_calibration_error(p, torch.tensor([0, 1, 2, 0]), bins=2)
    test.close(
        got,
        0.75 * (0.5 - 1 / 3) + 0.25 * 0.375,
        "A confidence on the border belongs to the lower bin: bins are closed on the right.",
    )
    for bins in (1, 5, 15):
        got = expected_calibration_error(
            torch.eye(6), torch.tensor([0, 1, 2, 3, 3, 3]), bins=bins
        )
        test.close(got, 1 / 3, "Predictions with confidence 1 belong to the last bin.")
    sure = torch.tensor([[0.96, 0.04]]).repeat(100, 1)
    labels = (torch.arange(100) >= 60).long()
    test.close(
        expected_calibration_error(sure, labels),
        0.36,
        "Bins that are empty should count nothing, and make no nan.",
    )
    shy = 1 - sure
    test.close(
        expected_calibration_error(shy, 1 - labels),
        0.36,
        "The predicted class is the one with the largest probability, whichever its number.",
    )
    p = torch.full((8, 8), 1 / 8, dtype=torch.float64)
    p[:, 3] += 1e-9
    test.close(
        expected_calibration_error(p, torch.full((8,), 3)),
        7 / 8,
        "Underconfidence counts too: right every time at a confidence of 1/8 is an error of 7/8.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="expected_calibration_error"
# The absolute value stands inside the sum: otherwise ECE would only compare overall accuracy with overall confidence, and a model that is overconfident where it is sure and timid where it is not would look perfect. The bins are a compromise. With one bin errors cancel; with as many bins as predictions
# every bin is "90 % sure, 100 % right" or "90 % sure, 0 % right", and the measure loses its meaning.

# %% [markdown]
# ## Medicine for the overconfident
#
# Now the question of this lesson: does the vote give better probabilities than a single pass of the same network? We watch both while five networks with $p = 0.5$ train twice as long as before, at 0.001, the learning rate that many people never change.
#
# **Predict, then run.** A mean of differing opinions is softer than one of them. When is that good, and when is it bad?


# %%
def error_of(probabilities, labels, bins=15):
    """The calibration error once more, from one sum a bin: Σ (right - confidence)."""
    top, predicted = probabilities.double().max(1)
    surplus = (predicted == labels).double() - top
    index = (top * bins).ceil().long().clamp(1, bins) - 1
    return torch.bincount(index, weights=surplus, minlength=bins).abs().sum().item() / len(top)


def judge(probabilities, labels):
    return {
        "accuracy": (probabilities.argmax(1) == labels).double().mean().item(),
        "NLL": F.nll_loss(probabilities.clamp_min(1e-30).log(), labels).item(),
        "ECE": error_of(probabilities, labels),
    }


@torch.no_grad()
def single(net, x):
    """The probabilities of the one pass with nothing dropped."""
    mode = net.training
    probabilities = net.eval()(x).softmax(1)
    net.train(mode)
    return probabilities


LONG = budget(1_000, fast=60)
long_nets = {}


def long_run(seed):
    def watch(net, _x, _y):
        many = votes(net, valid_x, budget(20, fast=3)).softmax(2).mean(0)
        return {"one pass": judge(single(net, valid_x), valid_y), "vote": judge(many, valid_y)}

    every = budget(100, fast=30)
    long_nets[seed], _, seen = train(0.5, 1e-3, seed, LONG, every=every, watch=watch)
    return [
        {"step": row["step"], "method": method, **row[method]}
        for row in seen
        for method in ("one pass", "vote")
    ]


timeline = lab.repeat(long_run, SEEDS)


# %%
def plot_timeline(timeline):
    fig, axes = lab.figure(1, 2, height=3.2)
    for ax, value in zip(axes, ("NLL", "ECE"), strict=True):
        lab.band(timeline, "step", value, by="method", ax=ax, legend=False)
    axes[0].set(ylabel="negative log-likelihood")
    axes[1].set(ylabel="expected calibration error")
    axes[1].legend(handlelength=3)
    return fig


lab.show(
    plot_timeline(timeline),
    alt="Left: negative log-likelihood on validation images during 1,000 steps. At first the vote is above the single "
    "pass; they cross after some 400 steps, then the single pass rises, while the vote stays low. Right: the "
    "calibration error does the same: the vote starts at nearly 0.09 and ends near 0.03, the single pass the other way round.",
)

# %% [markdown]
# The lines cross. Up to some 300 steps the vote is *worse*: the single pass is about right in its confidence, and the vote, softer, is too modest. As training goes on, the weights grow and the network learns its images by heart; the single pass becomes overconfident, and now the softness of the vote is what it lacks. **The vote is a medicine against overconfidence, and medicine is for the ill.**

# %%
long_draws = {seed: votes(net, valid_x, PASSES) for seed, net in long_nets.items()}


def reliability(probabilities, labels, bins=10):
    """Mean confidence and accuracy of the bins that hold at least 20 predictions."""
    top, predicted = probabilities.cpu().max(1)
    frame = pd.DataFrame({"confidence": top, "right": (predicted == labels.cpu()).float()})
    groups = frame.groupby(pd.cut(frame.confidence, np.linspace(0, 1, bins + 1)), observed=True)
    return groups.mean()[groups.size() >= 20]


def plot_calibration(draws):
    fig, (left, right) = lab.figure(1, 2, height=3.4)
    labels = valid_y.repeat(len(draws))
    pooled = {
        "one pass": torch.cat([single(long_nets[seed], valid_x) for seed in draws]),
        "vote": torch.cat([z.softmax(2).mean(0) for z in draws.values()]),
    }
    left.plot([0, 1], [0, 1], color="black", linewidth=0.8, linestyle="-")
    for index, (name, probabilities) in enumerate(pooled.items()):
        points = reliability(probabilities, labels)
        left.plot(
            points.confidence, points.right, label=name, markersize=5, **lab.line_style(index)
        )
    left.set(xlabel="confidence", ylabel="share that is right", title="Reliability")
    left.legend(handlelength=3)
    counts = [t for t in (1, 2, 5, 10, 20, 50, 100) if t <= PASSES]
    rows = []
    for seed, z in draws.items():
        for t in counts:
            means = {
                "probabilities": z[:t].softmax(2).mean(0),
                "logits": z[:t].mean(0).softmax(1),
            }
            for name, probabilities in means.items():
                rows.append(
                    {"seed": seed, "passes": t, "mean of": name} | judge(probabilities, valid_y)
                )
    rows = pd.DataFrame(rows)
    right.set_xscale("log")
    lab.band(rows, "passes", "NLL", by="mean of", ax=right, legend=False)
    right.set(ylabel="negative log-likelihood", title="How many passes, and of what?")
    right.legend(title="mean of", handlelength=3)
    return fig, rows


fig, passes_table = plot_calibration(long_draws)
lab.show(
    fig,
    alt="Left: share of right predictions against confidence. The single pass runs well below the diagonal, the vote "
    "just below it. Right: negative log-likelihood against the number of passes, logarithmic. For the mean "
    "of the probabilities it falls steeply up to about 20 passes; the mean of the logits settles far above.",
)
passes_table.groupby(["mean of", "passes"])[["accuracy", "NLL", "ECE"]].mean().round(3)

# %% [markdown]
# Left, the thousand-step networks at the end: the single pass lies below the diagonal, right less often than it says; the vote is nearer to it. Right, the mean of *logits* soon settles, hardly better than the one pass with nothing dropped (the right end of the blue line above). That is weight scaling again, the geometric vote. What helps is averaging the probabilities, and it needs passes: a single noisy pass is worse than anything else, twenty are nearly there, and a hundred are plenty.
#
# ## The trial, on test images
#
# Two comparisons, on test images that nothing has seen so far.
#
# 1. **The same networks**, those of the thousand steps: one pass against the vote. As a control a third contender, which needs a single pass: **temperature scaling** (Guo et al., 2017) divides all logits by one number $\tau$, the one with the lowest NLL on the validation images. It cannot change a single decision; it only makes the network more modest, or less.
# 2. **Each at its own best**: no dropout, dropout with one pass, dropout with the vote, each with the rate and learning rate that had the lowest validation loss *for its own way of predicting*.
#
# **Predict, then run.** How much of the vote's gain does the single number $\tau$ reach?

# %%
test_x, test_y = data.test[:]


def own_best(method, only_dropout=True):
    rows = tuning[(tuning.method == method) & ((tuning.p > 0) == only_dropout)]
    pick = lab.best(rows, by="method", value="loss", mode="min", over=["p", "lr"]).iloc[0]
    return pick.p, pick.lr


def temperature(net):
    """The divisor of the logits with the lowest loss on the validation images."""
    with torch.no_grad():
        z = net(valid_x)
    candidates = np.geomspace(0.4, 8, 80)
    return min(candidates, key=lambda tau: F.cross_entropy(z / tau, valid_y).item())


def predict_by(way, net, x):
    if way == "vote":
        return votes(net, x, PASSES).softmax(2).mean(0)
    probabilities = single(net, x)
    if way == "temperature":
        return (probabilities.clamp_min(1e-30).log() / temperature(net)).softmax(1)
    return probabilities


def trained(p, lr, seed):
    """From the shelf, where it stands there."""
    return nets[p, seed] if best.lr[p] == lr else train(p, lr, seed)[0]


SETTINGS = {
    "none": own_best("one pass", only_dropout=False),
    "one pass": own_best("one pass"),
    "vote": own_best("vote"),
}
print({name: f"p = {p}, learning rate {lr:g}" for name, (p, lr) in SETTINGS.items()})


def trial_run(seed):
    shelf = {name: trained(*setting, seed) for name, setting in SETTINGS.items()}
    contenders = {
        "1,000 steps, one pass": (long_nets[seed], "one pass"),
        "1,000 steps, vote": (long_nets[seed], "vote"),
        "1,000 steps, temperature": (long_nets[seed], "temperature"),
        "tuned, no dropout": (shelf["none"], "one pass"),
        "tuned, one pass": (shelf["one pass"], "one pass"),
        "tuned, vote": (shelf["vote"], "vote"),
    }
    return [
        {"contender": name, **judge(predict_by(way, net, test_x), test_y)}
        for name, (net, way) in contenders.items()
    ]


trial = lab.repeat(trial_run, SEEDS)
for value in ("accuracy", "NLL", "ECE"):
    print(f"\n{value}")
    print(lab.summary(trial, by="contender", value=value).round(4).to_string(index=False))

# %%
same = trial[trial.contender.str.startswith("1,000")]
own = trial[trial.contender.str.startswith("tuned")]
differences = {
    ("same networks", value): lab.paired_difference(
        same, by="contender", value=value, baseline="1,000 steps, one pass"
    )
    for value in ("accuracy", "NLL", "ECE")
} | {
    ("own best", value): lab.paired_difference(
        own, by="contender", value=value, baseline="tuned, one pass"
    )
    for value in ("accuracy", "NLL", "ECE")
}
vote_now = predict_by("vote", long_nets[0], test_x)
drawn = torch.multinomial(vote_now, 1).flatten()
print(
    f"ECE of a perfectly honest forecaster on as many images: {error_of(vote_now, drawn):.3f}"
)
pd.concat(differences, names=["comparison", "value"]).droplevel(2).round(4)

# %% [markdown]
# **The same networks.** The vote lowers the NLL from 0.73 to 0.58 and the calibration error from 9.6 % to 3.2 %, with intervals far from 0; the accuracy moves by two tenths of a point. (An ECE of 0 is out of reach, by the way: even a forecaster whose probabilities are exactly true would score 0.01 to 0.02 here, by the luck of the finite sample.) And the single number $\tau$, at the price of one pass? It reaches the same NLL, 0.58, and about the same calibration error, 2.7 %. Nearly all that the vote did for
# the probabilities was to make them more modest.
#
# **Each at its own best.** Both ways of predicting chose $p = 0.2$ (the smallest rate on offer above 0) and a learning rate three times smaller than in the first comparison, half as many steps. So trained, dropout with a single pass beats no dropout by 0.05 in NLL and 2 points in ECE (in accuracy the interval encloses 0). On top of that the vote improves the NLL by 0.01 and the ECE by another 2 points, for a hundred passes instead of one.
#
# So does Monte Carlo dropout "improve calibration"? It softens. For networks that were trained too long that is a large gain, for well-tuned ones a small one, and for those that are timid already, as in the first steps above, it is a loss. If probabilities are all you want, fit a temperature first; it is the cheaper medicine, and it can also cure timidity. But there is something a temperature cannot do.
#
# ## What it has never seen
#
# A network that knows nothing but clothes will call a handwritten 3 a bag or a shirt: it has no other words. But it might hesitate. We show it digits, standardised like the clothes, and ask for a **score of doubt**. How well does the score tell digits from clothes? We measure the chance that a random digit has a higher score than a random test image of clothes (it is the area under the ROC curve): 0.5 is guessing, 1 is perfect.
#
# Four scores, from the same networks: the *hesitation*, 1 − confidence, of the one pass and of the vote; the *entropy* of the one pass, $-\sum_c p_c \log p_c$; and the *quarrel*, the standard deviations over the passes, summed over the classes. And a use closer to home: if a person looks after the 20 % of the test images with the highest score, how many of the others are right?
#
# **Predict, then run.** Which score is best at digits? Which one at finding the network's own mistakes?


# %%
usual_x, usual_y = data.test[: budget(1_000, fast=200)]
digits = lab.mnist().test.images[: len(usual_y)].to(device)
strange_x = dataclasses.replace(data.test, images=digits)[: len(usual_y)][0]


def doubts(net, x):
    """Four scores of doubt for each image, and what was predicted."""
    one = single(net, x)
    many = votes(net, x, PASSES).softmax(2)
    return {
        "hesitation, one pass": 1 - one.max(1).values,
        "entropy, one pass": -(one * one.clamp_min(1e-30).log()).sum(1),
        "hesitation, vote": 1 - many.mean(0).max(1).values,
        "quarrel of the voters": many.std(0).sum(1),
    }, one.argmax(1)


def chance_of_more(strange, usual):
    """The probability that a random strange score exceeds a random usual one; ties count half."""
    n = len(strange)
    ranks = pd.Series(torch.cat([strange, usual]).double().cpu().numpy()).rank()
    return (ranks[:n].sum() - n * (n + 1) / 2) / (n * len(usual))


def doubt_run(seed):
    usual, predicted = doubts(long_nets[seed], usual_x)
    strange, _ = doubts(long_nets[seed], strange_x)
    rows = []
    for name in usual:
        surest = usual[name].argsort()[: int(0.8 * len(usual_y))]
        kept = (predicted == usual_y)[surest].float().mean().item()
        rows.append(
            {
                "score": name,
                "digits told": chance_of_more(strange[name], usual[name]),
                "accuracy of the surest 80 %": kept,
            }
        )
    return rows


doubt_scores = lab.repeat(doubt_run, SEEDS)
for value in ("digits told", "accuracy of the surest 80 %"):
    print(value)
    print(lab.summary(doubt_scores, by="score", value=value).round(3).to_string(index=False))

# %% [markdown]
# The quarrel recognises nine digits out of ten as strange, in the sense of the measure above; the hesitation of the single pass only three out of four. A single pass can be *sure* of a digit: somewhere far from all clothes the scores are large. But the sub-networks are sure of different things there, and that is what the quarrel sees. No temperature brings this out, since it is not in the single pass.
#
# For finding the network's own mistakes on ordinary images, however, a hundred passes buy nothing: all four scores leave 88 or 89 % right among the surest four fifths, and the quarrel is not the best of them. Doubt has two sources. Some images are *ambiguous*: every sub-network says "shirt or coat, half and half", and more data would not help. Others are *unknown*: each sub-network says something else. The quarrel measures the second kind,
# hesitation mixes both. (One kind of strangeness, one network and one data set: test it with yours before you rely on it.)
#
# ## Play with it
#
# Sixty points of two interleaved moons, much noise, and two hidden layers of 64: an invitation to learn the noise by heart. Raise the rate $p$. What happens to the border, and to the gap? Where does it become too much?

# %%
from ipywidgets import FloatSlider, IntSlider, interact

few, few_classes = lab.two_moons(60, noise=0.35, seed=1)
many, many_classes = lab.two_moons(1000, noise=0.35, seed=2)


@interact(
    p=FloatSlider(0.5, min=0, max=0.95, step=0.05, continuous_update=False),
    seed=IntSlider(0, min=0, max=9, continuous_update=False),
)
def explore(p, seed):
    torch.manual_seed(seed)
    net = nn.Sequential(
        nn.Linear(2, 64), nn.ReLU(), nn.Dropout(p),
        nn.Linear(64, 64), nn.ReLU(), nn.Dropout(p), nn.Linear(64, 2),
    ).to(device)  # fmt: skip
    optimizer = torch.optim.Adam(net.parameters(), lr=0.01, fused=True)
    for _ in range(budget(400, fast=30)):
        optimizer.zero_grad()
        F.cross_entropy(net(few), few_classes).backward()
        optimizer.step()
    net.eval()
    side = torch.linspace(-2.2, 3.2, 80, device=device)
    grid = torch.cartesian_prod(side, side)
    with torch.no_grad():
        area = net(grid).softmax(1)[:, 1].reshape(80, 80).T.cpu()
    known, new = look(net, few, few_classes)[1], look(net, many, many_classes)[1]
    fig, ax = lab.figure(height=3.4)
    side = side.cpu()
    shades = ax.contourf(
        side, side, area, levels=np.linspace(0, 1, 11), cmap="RdBu_r", alpha=0.6
    )
    fig.colorbar(shades, ax=ax, label="probability of class 1")
    for c, marker in ((0, "o"), (1, "^")):
        points = few[few_classes == c].cpu()
        ax.scatter(*points.T, marker=marker, edgecolor="black", color=("#0072B2", "#D55E00")[c])
    ax.set(
        xlabel="x",
        ylabel="y",
        ylim=(-2, 2.5),
        title=f"p = {p}: {known:.0%} of 60, {new:.0%} of new points, gap {known - new:+.0%}",
    )
    lab.show(
        fig,
        alt=f"Two moons and the class border of a network trained with dropout {p}: {known:.0%} of the "
        f"training points right and {new:.0%} of new ones.",
    )


# %% [markdown]
# ## What we measured

# %%
mean = final.groupby("p").mean().reindex([0.0, 0.2, 0.5, 0.8])
three = curves[curves.p == 0.5].groupby("step").mean()
halfway = three.iloc[(len(three) - 1) // 2]
sides = timeline.pivot(index=["seed", "step"], columns="method")
lead = {v: (sides[v]["vote"] - sides[v]["one pass"]).unstack() for v in ("NLL", "ECE")}
of = passes_table.groupby(["mean of", "passes"])["NLL"].mean()
most = passes_table.passes.max()
alone = sides["NLL"]["one pass"].unstack().iloc[:, -1].mean()
vote_gain, cooled = differences["same networks", "NLL"]["mean"]
tuned_change = differences["own best", "NLL"].set_index("contender")["mean"]
moved = pd.concat(
    [differences[pair, "accuracy"]["mean"] for pair in ("same networks", "own best")]
)
told, surest = (
    doubt_scores.groupby("score")[name].mean()
    for name in ("digits told", "accuracy of the surest 80 %")
)
plain_deviation = at_end["deviation"]

with Claims(data) as claim:
    claim(
        "by heart: over 98 % of the training images, 75 to 85 % of new ones, and over 70 % sure where wrong",
        by_heart["training images right"] > 0.98
        and 0.75 < by_heart["new images right"] < 0.85
        and by_heart["mean confidence where wrong"] > 0.7,
        weaker=by_heart["training images right"] > by_heart["new images right"] - 0.05,
    )
    claim("one image: the dropped units, and only they, get no gradient", idle_one == dropped)
    claim(
        "scores dropped with p = 0.5: a loss of 0.83 remains, with 0.2 of 0.19",
        abs(floors[0.5] - 0.831) < 0.001 and abs(floors[0.2] - 0.185) < 0.001,
    )
    claim("dropout 0.5 on the output: 1.5 is learned for 3", abs(learned_slope - 1.5) < 0.1)
    claim(
        "40 SELU layers: dropout 0.1 settles at 1.2 to 1.35, 0.5 explodes, alpha dropout stays at 1",
        1.2 < plain_deviation["dropout 0.1"] < 1.35
        and plain_deviation["dropout 0.5"] > 10
        and all(abs(plain_deviation[f"alpha dropout {p}"] - 1) < 0.05 for p in (0.1, 0.5)),
    )
    claim(
        "p = 0.5: the gap is less than two thirds of that without dropout, since training accuracy falls by more than 3 points",
        mean.gap[0.5] < mean.gap[0.0] * 2 / 3
        and mean["training accuracy"][0.5] < mean["training accuracy"][0.0] - 0.03,
        weaker=mean["training accuracy"][0.5] < mean["training accuracy"][0.0] + 0.05,
    )
    claim(
        "validation accuracy: 0.2 and 0.5 within 3 points of no dropout, 0.8 more than 3 below",
        all(
            abs(mean["validation accuracy"][p] - mean["validation accuracy"][0.0]) < 0.03
            for p in (0.2, 0.5)
        )
        and mean["validation accuracy"][0.8] < mean["validation accuracy"][0.0] - 0.03,
        weaker=mean["validation accuracy"][0.5] > 0.3,
    )
    claim(
        "validation loss: lower with 0.2 than without",
        mean["validation loss"][0.2] < mean["validation loss"][0.0],
        weaker=mean["validation loss"][0.5] < 3,
    )
    claim(
        "p = 0.5, halfway: training loss with dropout on > validation loss > training loss with dropout off",
        halfway["training, dropout on"]
        > halfway["validation"]
        > halfway["training, dropout off"],
        weaker=halfway["training, dropout on"] > halfway["training, dropout off"],
    )
    claim(
        "step 100: the vote has the higher NLL and ECE, in the mean and for NLL in every run",
        (lead["NLL"].iloc[:, 0] > 0).all() and lead["ECE"].iloc[:, 0].mean() > 0.01,
        weaker=lead["NLL"].notna().all().all(),
    )
    claim(
        "step 1,000: the vote has the lower NLL and ECE in every run",
        (lead["NLL"].iloc[:, -1] < 0).all() and (lead["ECE"].iloc[:, -1] < 0).all(),
        weaker=lead["ECE"].notna().all().all(),
    )
    claim(
        "the mean of probabilities is lower in NLL than the mean of logits by more than 0.04",
        of["probabilities", most] < of["logits", most] - 0.04,
        weaker=abs(of["probabilities", most] - of["logits", most]) < 0.5,
    )
    claim(
        "20 passes come within 0.04 of 100, and the mean of logits within 0.05 of the one pass",
        of["probabilities", 20] - of["probabilities", most] < 0.04
        and abs(of["logits", most] - alone) < 0.05,
        weaker=abs(of["logits", most] - alone) < 0.2,
    )
    claim(
        "same networks, test: the vote lowers the NLL by more than 0.07, the temperature to within 0.05 of it; both intervals exclude 0",
        vote_gain < -0.07
        and abs(vote_gain - cooled) < 0.05
        and differences["same networks", "NLL"].excludes_zero.all(),
        weaker=cooled < 0.05,
    )
    claim(
        "same networks, test: vote and temperature lower the ECE by more than 0.03",
        (differences["same networks", "ECE"]["mean"] < -0.03).all(),
        weaker=differences["same networks", "ECE"]["mean"].notna().all(),
    )
    claim(
        "tuned, test: no dropout has a higher NLL than dropout; the vote changes it by less than 0.04",
        tuned_change["tuned, no dropout"] > 0 and abs(tuned_change["tuned, vote"]) < 0.04,
        weaker=abs(tuned_change["tuned, vote"]) < 0.5,
    )
    claim(
        "test accuracy: no contender more than 2.5 points from its baseline",
        (moved.abs() < 0.025).all(),
        weaker=(moved.abs() < 0.3).all(),
    )
    claim(
        "digits: the quarrel tells them more often than 85 %, and 5 points better than the other scores",
        told["quarrel of the voters"] > 0.85
        and (told.drop("quarrel of the voters") < told["quarrel of the voters"] - 0.05).all(),
        weaker=told.between(0, 1).all(),
    )
    claim(
        "own mistakes: among the surest 80 % all scores leave 86 to 93 % right, the quarrel no more than the others",
        surest.between(0.86, 0.93).all() and surest["quarrel of the voters"] < surest.max(),
        weaker=surest.between(0, 1).all(),
    )

# %% [markdown]
# ## In short
#
# | | training | evaluation | in PyTorch |
# |---|---|---|---|
# | dropout | $m x/(1-p)$, a coin for each element | $x$ | `nn.Dropout(p)`, behind hidden layers |
# | alpha dropout | $a\,(x \text{ or } \alpha') + b$ | $x$ | `nn.AlphaDropout(p)`, behind SELU only |
# | MC dropout | as dropout | mean of the probabilities of $T \approx 100$ noisy passes | yours: `mc_predict`, `McDropout` |
# | temperature | nothing | softmax$(z/\tau)$ | one number, fitted on validation data |
#
# - $p$ is the probability to be dropped. 0.1 to 0.5, never on outputs; tune the learning rate with it.
# - The mask gates the gradient too. Training losses with dropout on are not comparable with validation losses.
# - Evaluation mode is the exact mean of all sub-networks for linear units, the geometric one for one softmax layer, and an approximation beyond.
# - Average probabilities, not logits. The vote softens: it repairs overconfident networks and spoils those that are honest already.
# - Judge probabilities by NLL and ECE, on data that chose nothing.
#
# **Read on.** Srivastava, Hinton, Krizhevsky, Sutskever and Salakhutdinov (2014), *Dropout: a simple way to prevent neural networks from overfitting*. Baldi and Sadowski (2013), *Understanding dropout*, on the geometric mean. Klambauer, Unterthiner, Mayr and Hochreiter (2017), *Self-normalizing neural networks*. Gal and Ghahramani (2016), *Dropout as a Bayesian approximation*.
# Guo, Pleiss, Sun and Weinberger (2017), *On calibration of modern neural networks*. Lakshminarayanan, Pritzel and Blundell (2017), on ensembles of real networks, which cost more and are usually better still. The next lesson asks which regulariser to take.

# %%
lab.show_progress("ch05")
