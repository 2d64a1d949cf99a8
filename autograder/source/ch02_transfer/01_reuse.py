# ---
# jupyter:
#   lesson:
#     title: Standing on another net's shoulders
#     minutes: 100
# ---

# %% [markdown]
# You have twenty labelled pictures and need a classifier by tonight. Somebody next door has a network that was trained on tens of thousands of pictures of *something else*. Its first layers know what a sleeve looks like, where a garment
# ends and the background begins. Why not take those layers, put a new output on top, and begin from there?
#
# That is **transfer learning**. It is one of the best ideas in the field, and one of the most oversold. A well-known demonstration takes a net from 72 % to 93 % with it. In this lesson you rebuild that demonstration, get the same
# leap, and then take it apart, until you know which part of it is transfer and which part is a baseline that was never trained. After it you can
#
# - reuse the layers of a net without harming the net they come from,
# - freeze them, really freeze them, and thaw them layer by layer while the optimiser runs,
# - give each layer a learning rate of its own,
# - compare two ways of training so that a sceptic believes you: paired draws, an interval, and enough of them.
#
# You need: the chapter on initialisation, mean and standard deviation, and the idea of a 95 % interval.

# %% role="setup"
import copy
import functools
import math
from dataclasses import replace
from numbers import Number

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from scipy import stats
from torch import nn

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %% [markdown]
# ## Two tasks, and a teacher
#
# Fashion-MNIST has ten classes. We cut it in two:
#
# - **Task A**: eight classes, many labelled images. The net next door was trained on it. We call it *model A*.
# - **Task B**: the other two, T-shirt/top against pullover. Model A has never seen either. We have **20 labelled images**, ten of each.
#
# One detail can matter more than it should: how the pixels are scaled. The toolkit standardises them (mean 0, standard deviation 1 over the training images); the demonstration we are going to rebuild divides them by 255. Networks that learn from 20 images may be
# sensitive to that, so every contender will be allowed to try both. For each scale there is a teacher of its own.

# %%
device = lab.device()
clothes = lab.fashion_mnist(flat=True).to(device)
CLASSES_A, CLASSES_B = (1, 3, 4, 5, 6, 7, 8, 9), (0, 2)
SCALES = ("standardised", "0 to 1")


def pick(split, classes, scale):
    """The images of some classes, which are numbered anew from 0, in one of the two scales."""
    wanted = torch.tensor(classes, device=split.labels.device)
    keep = torch.isin(split.labels, wanted)
    labels = torch.searchsorted(wanted, split.labels[keep])
    if scale == "0 to 1":
        split = replace(
            split, mean=torch.zeros_like(split.mean), std=torch.ones_like(split.std)
        )
    return replace(split, images=split.images[keep], labels=labels)


def task(classes, scale):
    parts = {
        name: pick(getattr(clothes, name), classes, scale)
        for name in ("train", "valid", "test")
    }
    return replace(clothes, classes=tuple(clothes.classes[c] for c in classes), **parts)


task_a = {
    scale: task(CLASSES_A, scale).take(train=budget(20_000, fast=1_500)) for scale in SCALES
}
task_b = {scale: task(CLASSES_B, scale) for scale in SCALES}
task_b["standardised"]


# %%
def draw(n, seed, scale="standardised"):
    """n labelled training images of task B, as many of each class; their labels as 0. and 1."""
    split, generator = task_b[scale].train, torch.Generator().manual_seed(seed)
    labels = split.labels.cpu()
    rows = []
    for label in (0, 1):
        own = torch.nonzero(labels == label).flatten()
        rows.append(own[torch.randperm(len(own), generator=generator)[: n // 2]])
    x, y = split[torch.cat(rows).to(device)]
    return x, y.to(torch.float32)


images = draw(20, seed=0, scale="0 to 1")[0].reshape(2, 10, 28, 28).cpu()
fig, axes = lab.figure(2, 10, height=0.9)
for row, name in enumerate(task_b["0 to 1"].classes):
    for col in range(10):
        axes[row, col].imshow(images[row, col], cmap="gray_r")
        axes[row, col].set(xticks=[], yticks=[])
    axes[row, 0].set_ylabel(name, fontsize=9)
lab.show(
    fig,
    alt="All the labelled images of one draw: ten T-shirts or tops in the first row, ten pullovers in the "
    "second. The pullovers have long sleeves that hang down at the sides.",
)


# %% [markdown]
# The net is as plain as can be: three hidden layers of 100 units with ReLU and He's initialisation, then an output. The teacher learns task A in two passes over 20,000 images. We train five teachers for each scale, from five seeds, so that what we find
# does not hang on one of them.


# %%
def dense(n_outputs, norm=False):
    """784-100-100-100-n_outputs with ReLU, He's initialisation, optionally with batch normalisation."""
    layers = []
    for n_inputs in (784, 100, 100):
        layers += [
            nn.Linear(n_inputs, 100),
            *([nn.BatchNorm1d(100)] if norm else []),
            nn.ReLU(),
        ]
    model = nn.Sequential(*layers, nn.Linear(100, n_outputs))
    for layer in model:
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return model.to(device)


def teach(scale, seed, norm=False):
    """A teacher: `dense` trained on task A, and its accuracy on task A's validation images."""
    torch.manual_seed(seed)
    model, epochs, size = dense(len(CLASSES_A), norm), 2, 128
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    updates = epochs * math.ceil(len(task_a[scale].train) / size)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=updates)
    settings = {"epochs": epochs, "batch_size": size, "scheduler": scheduler, "seed": seed}
    history = lab.fit(model, task_a[scale], optimizer, **settings, bar=False)
    return model.eval(), history.last["valid_accuracy"]


N_TEACHERS = budget(5, fast=2)
taught = {scale: [teach(scale, seed) for seed in range(N_TEACHERS)] for scale in SCALES}
teachers = {scale: [model for model, _ in pairs] for scale, pairs in taught.items()}
taught_accuracy = {s: float(np.mean([acc for _, acc in p])) for s, p in taught.items()}
print({scale: f"{acc:.1%} on task A" for scale, acc in taught_accuracy.items()})

# %% [markdown]
# **Predict, then run.** Show the teacher T-shirts and pullovers. It has no word for either, and must answer with one of its eight. What does it call a pullover? And a T-shirt? If it gives both the same name, can it be of any use to us?

# %%
teacher = teachers["standardised"][0]
x, y = task_b["standardised"].valid[:]
with torch.no_grad():
    called = teacher(x).argmax(1)
names = pd.DataFrame(
    {
        name: torch.bincount(called[y == label], minlength=len(CLASSES_A)).cpu()
        / (y == label).sum().item()
        for label, name in enumerate(task_b["standardised"].classes)
    },
    index=task_a["standardised"].classes,
)
favourite = names.idxmax()
print({name: f"mostly {word}, {names[name][word]:.0%}" for name, word in favourite.items()})

fig, ax = lab.figure(height=2.7)
places = np.arange(len(names))
for k, (name, hatch) in enumerate(zip(names, ("", "///"), strict=True)):
    ax.bar(
        places + 0.4 * k - 0.2,
        100 * names[name],
        width=0.38,
        label=f"a {name}",
        color=lab.line_style(k)["color"],
        hatch=hatch,
        edgecolor="white",
    )
ax.set_xticks(places, names.index)
ax.set(ylabel="share (%)", xlabel="what the teacher calls it")
ax.legend(fontsize=9)
lab.show(
    fig,
    alt="Two bars for each of the teacher's eight classes: the share of T-shirts and of pullovers that it "
    "calls so. Both are mostly called shirts; of the rest, the pullovers are called coats and the T-shirts dresses.",
)

# %% [markdown]
# Both are mostly called *shirts*: 84 % of the T-shirts, 57 % of the pullovers. That sounds hopeless, until you look at the rest. Of the pullovers 41 % are taken for coats, and hardly any of the T-shirts; of those 13 % pass for dresses, and hardly any pullover does. Somewhere inside, the teacher seems to tell long sleeves from short ones. It has merely never been asked about them.
#
# So the last layer speaks the wrong language, but what it is told by the layers below is worth hearing. We want those 100 numbers of the last hidden layer, the **features**, and an output of our own.
#
# ## Take the layers, leave the net
#
# Three rules for borrowing. Take all layers but the last. Put a new output on top, freshly drawn, since the old one answers another question. And take **copies**: a layer is an object, and a layer that stands in two nets is one layer. Train the new net, and the old one changes with it.

# %% [markdown] role="card" exercise="reuse_layers" level=1 minutes=8 topic="Reusing layers" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html"
# ### Borrow layers
#
# `model_a` is an `nn.Sequential` whose last layer is an `nn.Linear`, the head. Return a new `nn.Sequential` with as many layers: **copies** of all but the last, in the same order, then a **new** `nn.Linear` that takes as many inputs as the old head and has `n_outputs` outputs and a bias, in the dtype and on the device of the old head. The new head is trainable and keeps the initial weights that `nn.Linear` draws by itself: copy none, set no seed. Model A may have no other layer than its head.
#
# Nothing that is later done to the new net may change `model_a`, and the reverse. `model_a` stays as it is. Layers may hold more than weights: a copy has the same buffers too, such as the running statistics of batch normalisation, and the same `requires_grad` flags; their mode and their `.grad` nobody looks at.


# %% role="stub" exercise="reuse_layers"
def reuse_layers(model_a: nn.Sequential, n_outputs: int = 1) -> nn.Sequential:
    """A net that begins with copies of another net's layers and ends with a new head.

    Args:
        model_a: any layers, the last of them an nn.Linear; left as it is.
        n_outputs: outputs of the new head.

    Returns:
        A new nn.Sequential of len(model_a) layers that shares no memory with `model_a`.
    """
    ### BEGIN SOLUTION
    old = model_a[-1]
    head = nn.Linear(
        old.in_features, n_outputs, device=old.weight.device, dtype=old.weight.dtype
    )
    return nn.Sequential(*copy.deepcopy(model_a[:-1]), head)
    ### END SOLUTION


# %% role="check" exercise="reuse_layers"
with Check("reuse_layers") as check:
    model_a = nn.Sequential(
        nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 4, dtype=torch.float32)
    )
    model_a(3 + torch.randn(32, 6))  # fills the running statistics
    before = copy.deepcopy(model_a.state_dict())
    with check.case("Linear(6, 5), BatchNorm1d, ReLU, Linear(5, 4), and n_outputs=2"):
        model_b = reuse_layers(model_a, n_outputs=2)
    check.is_a(model_b, nn.Sequential)
    check.that(model_b is not model_a, "That is model A itself: return a new net.")
    check.that(
        len(model_a) == 4
        and isinstance(model_a[-1], nn.Linear)
        and model_a[-1].out_features == 4,
        "Model A has lost its own head, or got another: put nothing into it and take nothing out.",
    )
    check.that(
        len(model_b) == 4,
        f"The new net should have 4 layers like model A, but it has {len(model_b)}: unpack the borrowed "
        "layers with a star, and do not forget the head.",
    )
    head = model_b[-1]
    check.is_a(head, nn.Linear, "The last layer should be a new nn.Linear.")
    check.that(
        (head.in_features, head.out_features) == (5, 2),
        f"The head should be Linear(5, 2), but it is Linear({head.in_features}, {head.out_features}).",
    )
    check.that(head.bias is not None, "The new head should have a bias.")
    x = torch.randn(7, 6)
    model_a.eval()
    model_b.eval()
    check.close(
        model_b[:-1](x).detach(),
        model_a[:-1](x).detach(),
        "The borrowed layers compute something else than model A's: are all weights and buffers copied, "
        "none drawn anew?",
    )
    with torch.no_grad():
        for tensor in model_b.state_dict().values():
            tensor.add_(1)
    check.that(
        all(torch.equal(before[k], v) for k, v in model_a.state_dict().items()),
        "When the new net changes, model A changes with it: they share layers. Slicing and `list(...)` "
        "make no copies; `copy.deepcopy` does.",
    )
    same = reuse_layers(model_a, n_outputs=4)[-1].weight.detach()
    check.that(
        not torch.equal(same, model_a[-1].weight),
        "With 4 outputs the new head has the old head's weights: it should be drawn afresh.",
    )


# %% [markdown] role="hints" exercise="reuse_layers"
# <details><summary>Hint 1: cut</summary>
#
# An `nn.Sequential` can be sliced like a list: `model_a[:-1]` is a Sequential of the *same* layer objects, all but the last.
#
# </details>
# <details><summary>Hint 2: copy</summary>
#
# `copy.deepcopy(module)` copies a module with all that hangs on it: weights, buffers, sub-modules. `copy.copy` copies the outer shell only.
#
# </details>
# <details><summary>Hint 3: join</summary>
#
# `nn.Sequential(*layers, head)`. The old head knows its width, `model_a[-1].in_features`, and its weight knows `device` and `dtype`, which `nn.Linear` takes as keywords.
#
# </details>

# %% role="test" exercise="reuse_layers" points=2
# Graded with hidden tests: other nets, dtypes, buffers, frozen teachers, changes in both directions, a fresh head.
### BEGIN HIDDEN TESTS
with HiddenTest("reuse_layers") as test:
    for dtype, n_outputs, build in (
        (torch.float32, 1, lambda: [nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 5)]),
        (torch.float64, 3, lambda: [nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Linear(6, 3)]),
        (
            torch.float32,
            7,
            lambda: [
                nn.Conv2d(1, 2, 3),
                nn.BatchNorm2d(2),
                nn.Flatten(),
                nn.Sequential(nn.Linear(8, 9, bias=False), nn.ReLU()),
                nn.Linear(9, 2, bias=False),
            ],
        ),
        (torch.float32, 2, lambda: [nn.Linear(5, 3)]),
    ):
        model_a = nn.Sequential(*build()).to(dtype)
        shape = (
            (12, 1, 4, 4) if isinstance(model_a[0], nn.Conv2d) else (12, model_a[0].in_features)
        )
        model_a(5 + torch.randn(shape, dtype=dtype))
        width, n_layers = model_a[-1].in_features, len(model_a)
        model_a.eval()
        next(model_a.parameters()).requires_grad_(n_layers == 1)  # partly frozen
        flags = [p.requires_grad for p in model_a.parameters()]
        before = copy.deepcopy(model_a.state_dict())
        x = torch.randn(shape, dtype=dtype)
        want_a = model_a(x).detach()
        want = model_a[:-1](x).detach()
        with test.case(f"{n_layers} layers in {dtype}, n_outputs={n_outputs}"):
            model_b = reuse_layers(model_a=model_a, n_outputs=n_outputs)
        test.is_a(model_b, nn.Sequential)
        test.that(
            len(model_b) == n_layers and len(model_a) == n_layers,
            "Both nets should have as many layers as model A had: unpack the borrowed ones, and leave model A whole.",
        )
        head = model_b[-1]
        test.is_a(head, nn.Linear, "The last layer should be a new nn.Linear.")
        test.that(
            head.bias is not None, "The new head should have a bias, whatever the old one had."
        )
        test.shape(head.weight, (n_outputs, width), "The head takes what the old head took.")
        test.that(
            head.weight.dtype == dtype and head.bias.dtype == dtype,
            "The new head should have the dtype of the old one.",
        )
        test.that(
            head.weight.requires_grad and head.bias.requires_grad,
            "The new head should be trainable.",
        )
        body_flags = [p.requires_grad for p in model_b[:-1].parameters()]
        test.that(
            body_flags == flags[: len(body_flags)]
            and flags == [p.requires_grad for p in model_a.parameters()],
            "The `requires_grad` flags of the borrowed layers should be those of model A, which keeps its own.",
        )
        model_b.eval()
        test.close(
            model_b[:-1](x).detach(),
            want,
            "The borrowed layers compute something else than model A's: weights and buffers should be copied, and "
            "all layers taken.",
        )
        test.close(model_a(x).detach(), want_a, "Model A computes something else than before.")
        test.that(
            all(torch.equal(before[k], v) for k, v in model_a.state_dict().items()),
            "Model A's weights or buffers have changed: leave it as it is.",
        )
        model_b.train()
        model_b(9 + x).sum().backward()
        test.that(
            all(p.grad is None for p in model_a.parameters()),
            "Gradients of the new net arrive in model A: the layers are shared, not copied.",
        )
        with torch.no_grad():
            for tensor in model_b.state_dict().values():
                tensor.add_(1)
        test.that(
            all(torch.equal(before[k], v) for k, v in model_a.state_dict().items()),
            "When the new net changes, model A changes with it: layers or buffers are shared.",
        )
        frozen_b = copy.deepcopy(model_b.state_dict())
        with torch.no_grad():
            for tensor in model_a.state_dict().values():
                tensor.mul_(0)
        test.that(
            all(torch.equal(frozen_b[k], v) for k, v in model_b.state_dict().items()),
            "When model A changes, the new net changes with it: layers or buffers are shared.",
        )
    model_a = nn.Sequential(nn.Linear(400, 300), nn.ReLU(), nn.Linear(300, 50))
    nn.init.constant_(model_a[-1].weight, 7.0)
    nn.init.constant_(model_a[-1].bias, 7.0)
    first, second = (reuse_layers(model_a, 50)[-1] for _ in range(2))
    test.that(
        not torch.equal(first.weight, second.weight),
        "Two calls give equal heads: the head should be drawn at random, and no seed set.",
    )
    bound = 1 / math.sqrt(300)
    test.that(
        all(
            h.weight.abs().max() <= bound and h.weight.std() > bound / 2
            for h in (first, second)
        )
        and first.bias.abs().max() <= bound,
        "The head is not freshly initialised as nn.Linear does it: does it have weights of the old head?",
    )
    test.that(
        reuse_layers(model_a)[-1].out_features == 1, "`n_outputs` should be 1 by default."
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="reuse_layers"
# `model_a[:-1]` is a new list around the old layers, as `a[:-1]` of a Python list would be. `deepcopy` follows every reference and keeps the structure, buffers and flags included, so a layer that was frozen in the teacher is frozen in the copy as well. The head is *not* copied, not even where the number of outputs happens to fit:
# each row of its weight stands for one of the teacher's classes, and from there the way to yours may be longer than from nowhere.

# %% [markdown]
# What does the mistake cost? Train a net for task B on 20 images, once with copied layers and once with shared ones, and ask the teacher about *its own* task before and after. (The pixel scale is the standardised one, the rate a quick one.)
#
# **Predict, then run.** Twenty steps on twenty pictures: how many points does the teacher lose?


# %%
BATCH = 20  # so 20 images are one batch and an epoch is one step; of 200 images it is ten


def binary_loss(scores, y):
    """Mean cross-entropy of scores (n, 1), one logit a sample, for labels (n,) of 0. and 1."""
    return F.binary_cross_entropy_with_logits(scores.squeeze(1), y)


def train_b(model, x, y, optimizer, steps, watch=None, seed=0, to_none=True):
    """Train on task B for so many steps, in shuffled batches of at most 20, calling `watch(step)` after each."""
    order, left = torch.Generator().manual_seed(seed), torch.empty(0, dtype=torch.int64)
    for step in range(1, steps + 1):
        if len(left) < min(BATCH, len(y)):
            left = torch.randperm(len(y), generator=order)
        batch, left = left[:BATCH].to(device), left[BATCH:]
        optimizer.zero_grad(set_to_none=to_none)
        binary_loss(model(x[batch]), y[batch]).backward()
        optimizer.step()
        if watch is not None:
            watch(step)


def with_new_head(layers):
    """A net for task B from a list of layers and a fresh head."""
    return nn.Sequential(*layers, nn.Linear(100, 1, device=device))


own_task = task_a["standardised"].valid
mistake = {"before": lab.evaluate(teacher, own_task)["accuracy"]}
x, y = draw(20, seed=0)
for way in ("copied", "shared"):
    borrowed = copy.deepcopy(teacher)  # so that our real teacher survives this cell
    torch.manual_seed(0)
    layers = borrowed[:-1] if way == "shared" else copy.deepcopy(borrowed[:-1])
    model = with_new_head(layers)
    train_b(model, x, y, torch.optim.Adam(model.parameters(), lr=3e-3), steps=20)
    mistake[way] = lab.evaluate(borrowed, own_task)["accuracy"]
print({way: f"{acc:.1%}" for way, acc in mistake.items()})

# %% [markdown]
# With copies nothing happens to the teacher: 91.5 % before and after, to the last digit. With shared layers it falls to 49 %. Nothing warns you. The net for task B works, its loss goes down, and somewhere else in the program a model that was finished has stopped working.

# %% [markdown]
# ## One output for two classes
#
# Two classes need one output. Call it the logit $z$; then $p = \sigma(z) = 1/(1+e^{-z})$ is the probability of a pullover ($y=1$), and the loss is the binary cross-entropy
#
# $$-y\ln\sigma(z) - (1-y)\ln(1-\sigma(z)).$$
#
# Computed like that it fails for $z = 200$: in float32 $\sigma(200)$ is exactly 1, and $\ln(1-1)$ is minus infinity. `nn.BCEWithLogitsLoss` (or the function `F.binary_cross_entropy_with_logits`) takes the *logit* and computes the same number as $\max(z,0) - zy + \ln(1+e^{-|z|})$, which is safe. So the net ends in a plain `nn.Linear`, **no sigmoid in the net**.
# For the decision no sigmoid is needed either: $p > \tfrac12$ is the same as $z > 0$.
#
# **Predict, then run.** A net says $z = 200$ for a T-shirt ($y = 0$): as sure as can be, and wrong. The right loss is 200. What do the three ways of computing it say, and what is the gradient, the only thing that could change the net's mind?

# %%
WAYS_OF_BCE = {
    "the formula": lambda z, y: -torch.log(1 - torch.sigmoid(z)).mean(),
    "sigmoid, then nn.BCELoss": lambda z, y: nn.BCELoss()(torch.sigmoid(z), y),
    "nn.BCEWithLogitsLoss": lambda z, y: nn.BCEWithLogitsLoss()(z, y),
}
wrong_and_sure = []
for way, loss_of in WAYS_OF_BCE.items():
    z = torch.tensor([200.0], requires_grad=True)
    loss = loss_of(z, torch.tensor([0.0]))
    loss.backward()
    wrong_and_sure.append({"computed as": way, "loss": loss.item(), "gradient": z.grad.item()})
wrong_and_sure = pd.DataFrame(wrong_and_sure).set_index("computed as")
wrong_and_sure

# %% [markdown]
# The formula is infinite, and its gradient is no number. `nn.BCELoss` quietly cuts the logarithm off at −100 and returns a wrong loss with a gradient of **zero**: the net is as wrong as it can be and never hears of it. Only the loss that takes the logit gets both right. It needs no 200 for this; in float32, $\sigma(z)$ is exactly 1 from about $z = 17$ on.
#
# Two more things go wrong in practice: labels that are integers where the loss wants floats of the logit's dtype, and a shape $(n, 1)$ against $(n)$.
#
# ## Frozen, and really frozen
#
# The new head begins with random weights. Its first gradients can be large, and they are of little use: they tell the borrowed layers to serve an output that does not yet know what it wants. So the usual recipe (we shall test it) is to **freeze** the borrowed layers at first and to train the head alone. In PyTorch that means `requires_grad_(False)` for their parameters. Autograd then computes
# no gradient for them, and an optimiser skips a parameter whose `.grad` is `None`.
#
# Is the body frozen now? If it has batch normalisation, no. In training mode such a layer normalises with the mean and variance of the *batch*, and moves its running statistics towards them at each forward pass, with or without gradients. They are buffers, not parameters; `requires_grad` means nothing to them. Only `eval()` stops it.
#
# **Predict, then run.** A teacher with batch normalisation; its body gets `requires_grad_(False)`, and a head for task B is trained on our twenty pictures for a hundred steps, once with the body in training mode and once in evaluation mode. Then the old head is put back on, and the teacher is asked about its own task. It has not had a single gradient.

# %%
normed, normed_accuracy = teach("standardised", seed=0, norm=True)
thaw = {"before": lab.evaluate(normed, own_task)["accuracy"]}
for mode in ("train", "eval"):
    torch.manual_seed(0)
    body = copy.deepcopy(normed[:-1]).requires_grad_(False)
    head = nn.Linear(100, 1, device=device)
    body.train(mode == "train")
    model = nn.Sequential(body, head)
    train_b(model, x, y, torch.optim.Adam(head.parameters(), lr=1e-2), steps=100)
    thaw[mode] = lab.evaluate(nn.Sequential(body, normed[-1]), own_task)["accuracy"]
print({mode: f"{acc:.1%}" for mode, acc in thaw.items()})

# %% [markdown]
# In evaluation mode the teacher has not noticed anything, 91.4 % before and after. In training mode it has dropped to 65 %, with every weight where it was: its running statistics are now those of twenty T-shirts and pullovers, and its own eight classes are normalised with numbers that are not theirs. And note when the damage is done: `model.train()` at the beginning of each epoch, the first line of nearly every training loop, switches the frozen part back on.

# %% [markdown] role="card" exercise="frozen_step" level=2 minutes=12 topic="Freezing" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.BCEWithLogitsLoss.html"
# ### One step with a frozen body
#
# Write one training step for the head alone. `body` maps a batch `x` to features $(n, d)$, `head` maps those to logits $(n, 1)$; `y` holds the labels 0 and 1 as **integers**, shape $(n)$; `optimizer` holds the parameters of the head.
#
# - The body works in evaluation mode (leave it in that mode), and nothing of it changes: no parameter, no buffer, no `.grad`. Do not rely on its `requires_grad` flags: somebody may have forgotten them, so run it without autograd, and leave the flags alone.
# - The head works in training mode; it may be more than one layer.
# - The loss is the mean binary cross-entropy of the logits. Gradients of an earlier step must not linger.
# - Return the loss before the update, as a Python float.


# %% role="stub" exercise="frozen_step"
def frozen_step(
    body: nn.Module,
    head: nn.Module,
    x: torch.Tensor,
    y: torch.Tensor,
    optimizer: torch.optim.Optimizer,
) -> float:
    """One step of the optimiser on the head, on top of a body that stays exactly as it is.

    Args:
        body: maps x to features (n, d).
        head: maps features to logits (n, 1).
        x: a batch of n ≥ 1 inputs.
        y: labels (n,), int64, 0 or 1.
        optimizer: on the head's parameters.

    Returns:
        The loss of the batch before the update.
    """
    ### BEGIN SOLUTION
    body.eval()
    head.train()
    with torch.no_grad():
        features = body(x)
    scores = head(features).squeeze(1)
    loss = F.binary_cross_entropy_with_logits(scores, y.to(scores.dtype))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()
    ### END SOLUTION


# %% role="check" exercise="frozen_step"
with Check("frozen_step") as check:
    # Features (1, 0) and (0, 1); a head of zeros gives logits 0: loss ln 2, gradient of a logit (½ − y)/2.
    body = nn.Linear(2, 2, bias=False)
    head = nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        body.weight.copy_(torch.eye(2))
        head.weight.zero_()
    optimizer = torch.optim.SGD(head.parameters(), lr=4.0)
    x, y = torch.eye(2), torch.tensor([1, 0])
    with check.case("two samples, labels (1, 0) as int64, a body whose flags nobody has set"):
        loss = frozen_step(body, head, x, y, optimizer)
    check.is_a(
        loss,
        float,
        "The loss should be returned as a Python float: `.item()` makes one of a tensor.",
    )
    check.close(
        loss,
        math.log(2),
        "With logits of 0 the mean loss is ln 2.",
        known=[
            (2 * math.log(2), "That is the sum over the batch; the mean was asked for."),
            (
                0.0,
                "The loss is 0: softmax over a single output is always 1. Use the *binary* cross-entropy.",
            ),
            (math.log(1 + math.exp(-1)), "That is the loss after the update."),
            (
                (math.log(1 + math.exp(-0.5)) + math.log(1 + math.exp(0.5))) / 2,
                "There is a sigmoid too many: this loss wants logits.",
            ),
        ],
    )
    check.that(
        body.weight.grad is None,
        "The body got gradients. Compute its features under `torch.no_grad()`.",
    )
    check.close(
        head.weight.detach(),
        torch.tensor([[1.0, -1.0]]),
        "With rate 4 the head should move from (0, 0) to (1, −1).",
        known=[
            (
                torch.zeros(1, 2),
                "The head has not moved: backward() and step() come after the loss.",
            ),
            (
                torch.tensor([[2.0, -2.0]]),
                "The head moved twice as far: the loss should be the mean, and there should be one step.",
            ),
            (
                torch.tensor([[0.25, -0.25]]),
                "The head moved a quarter of the way: a sigmoid before this loss flattens its gradient.",
            ),
            (
                torch.tensor([[-1.0, 1.0]]),
                "The head moved uphill: are the labels the other way round?",
            ),
        ],
    )
    frozen_step(body, head, x, y, optimizer)
    step = 4 * (1 - 1 / (1 + math.exp(-1))) / 2
    check.close(
        head.weight.detach(),
        torch.tensor([[1 + step, -1 - step]]),
        "The second step is off.",
        known=[
            (
                torch.tensor([[2 + step, -2 - step]]),
                "The second step contains the gradients of the first: clear them.",
            )
        ],
    )
    body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    head = nn.Linear(4, 1)
    before = copy.deepcopy(body.state_dict())
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    with check.case("a body with batch normalisation and dropout, in training mode"):
        frozen_step(body, head, torch.full((3, 3), 5.0), torch.tensor([1, 0, 1]), optimizer)
    check.that(
        all(torch.equal(v, before[k]) for k, v in body.state_dict().items()),
        "The running statistics of the body's batch normalisation have moved: put the body in evaluation mode "
        "before it is called.",
    )
    check.that(
        not any(m.training for m in body.modules()), "The body should stay in evaluation mode."
    )
    check.that(
        all(p.requires_grad for p in body.parameters()),
        "Leave the flags of the body alone: `torch.no_grad()` needs none.",
    )
    check.that(
        all(p.grad is None for p in body.parameters()),
        "The body got gradients. Compute its features under `torch.no_grad()`.",
    )
    head.eval()
    with check.case("a batch of one sample"):
        frozen_step(body, head, torch.ones(1, 3), torch.tensor([1]), optimizer)
    check.that(head.training, "The head should be in training mode.")


# %% [markdown] role="hints" exercise="frozen_step"
# <details><summary>Hint 1: two modes, one wall</summary>
#
# `body.eval()`, `head.train()`. The wall between them is `with torch.no_grad():` around the call of the body and around nothing else.
#
# </details>
# <details><summary>Hint 2: shapes and types</summary>
#
# `F.binary_cross_entropy_with_logits(z, t)` wants `z` and `t` of the same shape, and `t` in floating point. `squeeze(1)` removes the axis of length one; a bare `squeeze()` also removes the batch axis when there is one sample. `y.to(z.dtype)` gives floats.
#
# </details>
# <details><summary>Hint 3: order</summary>
#
# Loss, `optimizer.zero_grad()`, `loss.backward()`, `optimizer.step()`, and `loss.item()` at the end.
#
# </details>

# %% role="test" exercise="frozen_step" points=2
# Graded with hidden tests: many steps against a float64 formula, norms in body and head, stale gradients, one sample.
### BEGIN HIDDEN TESTS
with HiddenTest("frozen_step") as test:
    for dtype, n, momentum in ((torch.float64, 5, 0.9), (torch.float32, 1, 0.0)):
        body = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Dropout(0.3))
        body = body.to(dtype)
        body(2 + torch.randn(40, 3, dtype=dtype))
        head = nn.Linear(4, 1).to(dtype)
        for p in head.parameters():
            p.grad = torch.full_like(p, 100.0)  # left over from somewhere
        optimizer = torch.optim.SGD(head.parameters(), lr=0.3, momentum=momentum)
        frozen_before = copy.deepcopy(body.state_dict())
        # The oracle: logistic regression on the features, its gradient written out.
        body.eval()
        xs = [torch.randn(n, 3, dtype=dtype) for _ in range(6)]
        features = [body(x).detach().double() for x in xs]
        ys = [torch.randint(0, 2, (n,)) for _ in xs]
        w, b = head.weight.detach().double().clone()[0], head.bias.detach().double().clone()[0]
        v, c = torch.zeros_like(w), torch.zeros_like(b)
        body.train()
        for x, f, y in zip(xs, features, ys, strict=True):
            z, t = f @ w + b, y.double()
            want = float((z.clamp(min=0) - z * t + torch.log1p(torch.exp(-z.abs()))).mean())
            pull = (torch.sigmoid(z) - t) / n
            v, c = momentum * v + pull @ f, momentum * c + pull.sum()
            w, b = w - 0.3 * v, b - 0.3 * c
            kept = x.clone(), y.clone()
            with test.case(f"{n} samples in {dtype}"):
                loss = frozen_step(body=body, head=head, x=x, y=y, optimizer=optimizer)
            test.is_a(loss, float, "The loss should be a Python float.")
            test.close(
                loss, want, "The loss should be the mean one, of the logits, before the update."
            )
            test.that(
                torch.equal(x, kept[0]) and torch.equal(y, kept[1]), "The batch was changed."
            )
            test.close(
                head.weight.detach()[0],
                w,
                "The head's weights are off: are old gradients cleared, is the body in evaluation mode, and is the "
                "given optimiser stepped once?",
                atol=1e-5,
            )
            test.close(head.bias.detach()[0], b, "The head's bias is off.", atol=1e-5)
            test.that(
                all(torch.equal(a, frozen_before[k]) for k, a in body.state_dict().items()),
                "The body has changed: its parameters, or the running statistics of its batch normalisation.",
            )
            test.that(all(p.grad is None for p in body.parameters()), "The body got gradients.")
            test.that(
                not any(m.training for m in body.modules()),
                "The body should be in evaluation mode, all parts of it.",
            )
            test.that(
                all(p.requires_grad for p in body.parameters()),
                "The flags of the body have changed: leave them alone.",
            )
            body.train()  # somebody calls model.train() between two steps
    # a body whose parameters are frozen already, a head with batch normalisation that was left in eval mode
    body = nn.Linear(2, 3).requires_grad_(False)
    head = nn.Sequential(nn.BatchNorm1d(3), nn.Linear(3, 1)).eval()
    twin = copy.deepcopy(head).train()
    optimizer = torch.optim.SGD(head.parameters(), lr=0.1)
    x, y = torch.randn(8, 2), torch.tensor([0, 1, 1, 1, 0, 1, 0, 1])
    logits = twin(body(x)).squeeze(1)
    want = nn.BCEWithLogitsLoss()(logits, y.float())
    want.backward()
    expected = [p.detach() - 0.1 * p.grad for p in twin.parameters()]
    loss = frozen_step(body, head, x, y, optimizer)
    test.close(
        loss, want.item(), "A head with batch normalisation should run in training mode."
    )
    for got, w in zip(head.parameters(), expected, strict=True):
        test.close(got.detach(), w, "A head of several layers should be trained as a whole.")
    test.that(
        all(torch.allclose(a, b) for a, b in zip(head.buffers(), twin.buffers(), strict=True)),
        "The head's running statistics should move once: one forward pass in training mode.",
    )
    test.that(
        not any(p.requires_grad for p in body.parameters()),
        "The flags of the body have changed: leave them alone.",
    )
    # logits so large that a sigmoid in float32 is exactly 0 or 1
    body, head = nn.Identity(), nn.Linear(1, 1, bias=False)
    nn.init.constant_(head.weight, 1.0)
    optimizer = torch.optim.SGD(head.parameters(), lr=0.0)
    x, y = torch.tensor([[300.0], [-300.0]]), torch.tensor([0, 1])
    test.close(
        frozen_step(body, head, x, y, optimizer),
        300.0,
        "Large logits give a wrong loss: let the loss take the logits, with no sigmoid of your own.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="frozen_step"
# Freezing has three faces, and it takes all three: no *gradient* (here by `no_grad`, in a larger net by `requires_grad_(False)`), no *statistics* (by `eval`), and no *dropout* in the frozen part (by `eval` too). The pleasant side: a frozen body needs no backward pass, and since its features never change they can be computed once and kept, after which the
# head trains in milliseconds. And the loss takes the logits for a reason: $\sigma(300)$ is exactly 1 in float32, and $\ln(1-1)$ is minus infinity.

# %% [markdown]
# ## Thaw, from the top
#
# Once the head knows what it wants, the borrowed layers may follow. The usual order is **from the top**: the layers near the output are the ones most specialised on the old task, and have most to relearn; those near the input see strokes and edges that serve both. And gently, at a lower rate.
#
# How hard can that be? Two switches are involved, and they do not know of each other. `requires_grad` tells *autograd* for which parameters to compute gradients. The list given to the *optimiser* tells it which parameters to move, and its `step` asks one question only: is there something in `.grad`?
#
# **Predict, then run.** Ten steps of Adam, then the last hidden layer is switched, then ten more. Twice the layer was frozen and is thawed: by its flag alone, with an optimiser that was built on the head, or by its flag and a new parameter group. Twice it was training and is frozen by its flag, and `zero_grad` sets its gradients to `None`, as it does by
# default, or to zeros, as it did before PyTorch 2.0. In which of the four does the layer move after the switch?


# %%
def switch(way):
    """Ten steps, a switch of the last hidden layer, ten more: how far the layer moves after the switch."""
    torch.manual_seed(0)
    model = with_new_head(copy.deepcopy(teacher[:-1]))
    layer, thaw = model[-3], way.startswith("thawed")
    model[:-1].requires_grad_(not thaw)
    optimizer = torch.optim.Adam((model[-1] if thaw else model).parameters(), lr=1e-3)
    train_b(model, x, y, optimizer, steps=10)
    before = layer.weight.detach().clone()
    layer.requires_grad_(thaw)
    if way == "thawed: flag and group":
        optimizer.add_param_group({"params": list(layer.parameters()), "lr": 1e-3})
    to_none = way != "frozen: flag, gradients to zero"
    train_b(model, x, y, optimizer, steps=10, to_none=to_none)
    moved = (layer.weight.detach() - before).norm().item()
    left = None if layer.weight.grad is None else layer.weight.grad.norm().item()
    return {"way": way, "moved by": moved, "norm of .grad": left}


x, y = draw(20, seed=0)
switched = pd.DataFrame(
    switch(way)
    for way in (
        "thawed: flag alone",
        "thawed: flag and group",
        "frozen: flag, gradients to None",
        "frozen: flag, gradients to zero",
    )
).set_index("way")
switched.round(3)

# %% [markdown]
# The first row is the trap that costs people days. Autograd dutifully fills `.grad`, the loss falls, because the head goes on learning, and the layer stands still to the last bit: the optimiser has never heard of it. (Nor does its `zero_grad` clear what it does not hold, so ten steps of gradients have piled up.)
# The last row is the opposite trap: the layer is frozen, its gradient is zero, and it *moves*, since Adam's average of earlier gradients is not zero. Momentum and weight decay do the same. With `None` the optimiser skips it.
#
# So whoever thaws must tell the optimiser, with `optimizer.add_param_group({"params": [...], "lr": ...})`; and whoever freezes must leave no gradient behind.

# %% [markdown] role="card" exercise="unfreeze_top_" level=3 minutes=15 topic="Freezing" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.Optimizer.add_param_group.html"
# ### Unfreeze the top
#
# The *layers* of `model` are its children that hold parameters. A ReLU or a dropout does not count, a batch normalisation does, and a child that is itself a block of several modules is one layer. Change the model and its running optimiser so that
#
# - the last `n_layers` layers are trainable, and all others are frozen (`n_layers` may be 0, or more than there are),
# - a frozen parameter has no gradient left, so that an optimiser which holds it skips it,
# - the optimiser holds every trainable parameter. Those that it does not hold yet are added as **one** new group with learning rate `lr`. Groups that are there already stay as they are, with their rates and the state they have gathered; where nothing is new, no group is added.
#
# The function returns nothing.


# %% role="stub" exercise="unfreeze_top_"
def unfreeze_top_(
    model: nn.Sequential, n_layers: int, optimizer: torch.optim.Optimizer, lr: float
) -> None:
    """Make the top layers trainable, freeze the others, and let the optimiser know.

    Args:
        model: its children that hold parameters are the layers; the last one is the top. Changed in place.
        n_layers: how many layers to train, at least 0.
        optimizer: in use already; it may hold any of the parameters. Changed in place.
        lr: learning rate of the parameters that it does not hold yet.
    """
    ### BEGIN SOLUTION
    layers = [child for child in model if any(True for _ in child.parameters())]
    n_frozen = max(len(layers) - n_layers, 0)
    for index, layer in enumerate(layers):
        layer.requires_grad_(index >= n_frozen)
        if index < n_frozen:
            layer.zero_grad(set_to_none=True)
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    new = [p for layer in layers[n_frozen:] for p in layer.parameters() if id(p) not in held]
    if new:
        optimizer.add_param_group({"params": new, "lr": lr})
    ### END SOLUTION


# %% role="check" exercise="unfreeze_top_"
with Check("unfreeze_top_") as check:
    model = nn.Sequential(
        nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)
    )
    optimizer = torch.optim.SGD(model[-1].parameters(), lr=0.5)
    with check.case(
        "three Linear layers with ReLUs between, the optimiser holds the top one, n_layers=2"
    ):
        unfreeze_top_(model, 2, optimizer, lr=0.1)
    flags = [all(p.requires_grad for p in model[k].parameters()) for k in (0, 2, 4)]
    check.that(
        flags != [True, True, False] and flags != [True, False, False],
        "The bottom was unfrozen: the top is the end of the Sequential.",
    )
    check.that(
        flags != [False, False, True],
        "Only the last layer is trainable with n_layers=2: a ReLU holds no parameters and does not count.",
    )
    check.that(
        flags[1] and flags[2], "With n_layers=2 the last two Linear layers should be trainable."
    )
    check.that(not flags[0], "The first layer should be frozen.")
    groups = optimizer.param_groups
    check.that(
        len(groups) > 1 or len(groups[0]["params"]) == 2,
        "The thawed parameters joined the old group and share its rate: they should make a new group with rate `lr`.",
    )
    check.that(
        len(groups) > 1,
        "The optimiser knows nothing of the layer that was thawed: it would never move. See `add_param_group`.",
    )
    check.that(
        len(groups) == 2,
        f"The optimiser should have one new group, for all new parameters, but it has {len(groups) - 1}.",
    )
    check.that(
        groups[0]["lr"] == 0.5, "The rate of the group that was there should stay what it was."
    )
    check.that(groups[1]["lr"] == 0.1, "The new group should have the rate `lr`.")
    check.that(
        {id(p) for p in groups[1]["params"]} == {id(p) for p in model[2].parameters()},
        "The new group should hold the parameters that are new to the optimiser and trainable, and no others.",
    )
    with check.case("the same call again: nothing is new"):
        unfreeze_top_(model, 2, optimizer, lr=0.01)
    check.that(
        [g["lr"] for g in optimizer.param_groups] == [0.5, 0.1],
        "A second call with the same n_layers should change nothing in the optimiser.",
    )
    model(torch.ones(4, 2)).sum().backward()
    with check.case("n_layers=0, after a backward pass"):
        unfreeze_top_(model, 0, optimizer, lr=0.01)
    check.that(
        not any(p.requires_grad for p in model.parameters()),
        "With n_layers=0 everything should be frozen. (Careful: `layers[-0:]` is the whole list.)",
    )
    before = copy.deepcopy(model.state_dict())
    optimizer.step()
    check.that(
        all(torch.equal(v, before[k]) for k, v in model.state_dict().items()),
        "A frozen layer still moves: its old gradient is in `.grad`, and the optimiser looks at nothing else. Set it to None.",
    )
    with check.case("n_layers=4, more than there are"):
        unfreeze_top_(model, 4, optimizer, lr=0.02)
    check.that(
        all(p.requires_grad for p in model.parameters()),
        "With n_layers beyond the number of layers all should be trainable.",
    )
    check.that(
        [g["lr"] for g in optimizer.param_groups] == [0.5, 0.1, 0.02],
        "Then the first layer is the only one that is new to the optimiser.",
    )


# %% [markdown] role="hints" exercise="unfreeze_top_"
# <details><summary>Hint 1: the layers</summary>
#
# Make a list of the children for which `list(child.parameters())` is not empty. How many of them are to be frozen? Not fewer than 0. Slice from the front with that number, for `[-0:]` means everything.
#
# </details>
# <details><summary>Hint 2: who is new?</summary>
#
# `p in some_list` compares tensors number by number, which is not what you want, and fails. Compare identities: a set of `id(p)` over all `group["params"]` of `optimizer.param_groups`.
#
# </details>
# <details><summary>Hint 3: the parts</summary>
#
# `layer.requires_grad_(flag)` switches a whole module, `layer.zero_grad(set_to_none=True)` drops its gradients, and `optimizer.add_param_group({"params": new, "lr": lr})` raises an error where a parameter is held already. Call it only if `new` is not empty.
#
# </details>

# %% role="test" exercise="unfreeze_top_" points=3
# Graded with hidden tests: other nets and optimisers, blocks, thawing in stages, stale gradients, state that is kept.
### BEGIN HIDDEN TESTS
with HiddenTest("unfreeze_top_") as test:

    def block_net():
        return nn.Sequential(
            nn.Linear(3, 4),
            nn.BatchNorm1d(4),
            nn.ReLU(),
            nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 4)),
            nn.Dropout(0.0),
            nn.PReLU(),
            nn.Flatten(),
            nn.Linear(4, 2),
            nn.Identity(),
        )

    LAYERS = (0, 1, 3, 5, 7)  # the children that hold parameters
    for n_layers in (0, 1, 2, 3, 5, 6, 50):
        model = block_net()
        x = torch.randn(6, 3)
        model(x).sum().backward()  # gradients from an earlier phase
        model[0].requires_grad_(n_layers % 2 == 0)
        optimizer = torch.optim.SGD(model[7].parameters(), lr=0.5, weight_decay=0.1)
        with test.case(f"five layers, one of them a block, n_layers={n_layers}"):
            unfreeze_top_(model=model, n_layers=n_layers, optimizer=optimizer, lr=0.25)
        trainable = LAYERS[max(5 - n_layers, 0) :]
        for k in LAYERS:
            flags = {p.requires_grad for p in model[k].parameters()}
            test.that(
                flags == {k in trainable},
                "The wrong layers are trainable: the last n_layers children that hold parameters, blocks as a whole, "
                "and all others frozen.",
            )
            if k not in trainable:
                test.that(
                    all(p.grad is None for p in model[k].parameters()),
                    "A frozen layer still has a gradient, so that an optimiser would go on moving it.",
                )
        held = [id(p) for g in optimizer.param_groups for p in g["params"]]
        wanted = {id(p) for k in trainable for p in model[k].parameters()}
        top = {id(p) for p in model[7].parameters()}
        test.that(len(held) == len(set(held)), "The optimiser holds a parameter twice.")
        test.that(
            wanted <= set(held),
            "The optimiser does not hold all trainable parameters: those it does not get never move.",
        )
        test.that(
            top <= set(held),
            "Parameters that the optimiser held are gone: groups that are there already stay as they are.",
        )
        test.that(
            set(held) == wanted | top,
            "The optimiser got parameters that are frozen: add the trainable ones only.",
        )
        n_groups = 1 if n_layers <= 1 else 2
        test.that(
            len(optimizer.param_groups) == n_groups,
            "Add one group for all new parameters, and none where nothing is new.",
        )
        test.that(
            [g["lr"] for g in optimizer.param_groups] == [0.5, 0.25][:n_groups],
            "Old groups keep their rate, the new one has `lr`.",
        )
        model.train()
        frozen_before = {k: copy.deepcopy(list(model[k].parameters())) for k in LAYERS}
        optimizer.zero_grad()
        if n_layers:
            model(x).square().sum().backward()
        optimizer.step()
        for k in LAYERS:
            moved = any(
                not torch.equal(p, q)
                for p, q in zip(model[k].parameters(), frozen_before[k], strict=True)
            )
            test.that(
                moved == (k in trainable and n_layers > 0),
                "After a step a frozen layer has moved, or a thawed one has not.",
            )
    # in stages, with a state to lose, as Adam has it
    model = block_net()
    optimizer = torch.optim.Adam(model[7].parameters(), lr=0.01)
    for n_layers, rate in ((1, 0.9), (2, 0.008), (4, 0.004), (3, 0.7), (5, 0.001)):
        unfreeze_top_(model, n_layers, optimizer, rate)
        optimizer.zero_grad()
        model(x).square().sum().backward()
        optimizer.step()
    test.that(
        [g["lr"] for g in optimizer.param_groups] == [0.01, 0.008, 0.004, 0.001],
        "Thawed in stages, each stage should add one group with its own rate, and a stage that brings nothing new none.",
    )
    steps = [
        float(optimizer.state[model[7].weight]["step"]),
        float(optimizer.state[model[0].weight]["step"]),
    ]
    test.that(
        steps == [5.0, 1.0],
        "The optimiser's state was lost or is that of another optimiser: change the one that was given, and keep its groups.",
    )
    # an optimiser that holds everything from the start
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for _ in range(2):
        optimizer.zero_grad(set_to_none=False)
        model(torch.randn(4, 2)).sum().backward()
        optimizer.step()
    with test.case("an optimiser that holds all parameters already"):
        unfreeze_top_(model, 1, optimizer, 0.05)
    before = copy.deepcopy(model.state_dict())
    optimizer.step()
    test.that(
        all(torch.equal(v, before[k]) for k, v in model.state_dict().items() if k[0] != "2"),
        "An optimiser that holds all moves a layer that was frozen: its gradient of the step before is still there.",
    )
    optimizer.zero_grad()
    model(torch.randn(4, 2)).sum().backward()
    optimizer.step()
    test.that(
        not torch.equal(model[2].weight, before["2.weight"]),
        "The top layer does not move any more.",
    )
    test.that(
        len(optimizer.param_groups) == 1, "Nothing is new here: no group should be added."
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="unfreeze_top_"
# `requires_grad` speaks to autograd, `param_groups` to the optimiser, and neither knows of the other. Whoever changes one has to change the other, which is why so many people simply give *all* parameters to the optimiser at the beginning and switch `requires_grad` alone: parameters without a gradient are skipped, weight decay and momentum included. That works, with one rate for all, and as long as `zero_grad` sets the gradients
# to `None`, its default since PyTorch 2.0; with zeros in their place momentum would let a frozen layer roll on. A new optimiser for each phase, the other common way, forgets Adam's moments.

# %% [markdown]
# ## A rate for each layer
#
# Thawing in stages is a staircase: each layer has rate 0 at first, and then all at once the rate of its stage. **Discriminative learning rates** (Howard and Ruder, 2018) are a ramp: from the beginning all layers learn, the head at the full rate, each layer below it at a fraction of the rate above:
#
# $$\eta_k = \eta\, q^k, \qquad k = 0 \text{ for the head},\ 1 \text{ for the layer below it},\ \dots$$
#
# Howard and Ruder use $q = 1/2.6$ for language models. With $q = 0.3$ and four layers, the first one learns $0.3^3 = 0.027$ times as fast as the head: nearly frozen, yet not quite. In PyTorch each rate is a **parameter group**, a dict such as `{"params": [...], "lr": 0.003}`, and a list of them goes where the parameters would: `torch.optim.Adam(groups)`.

# %% [markdown] role="card" exercise="rate_groups" level=2 minutes=10 topic="Discriminative rates" doc="https://docs.pytorch.org/docs/stable/optim.html#per-parameter-options"
# ### Parameter groups
#
# Return a list of parameter groups for `model`, one for each layer that has trainable parameters, in any order. Layers are again the children that hold parameters. The last layer has the rate $\eta$ = `lr`, the one before it $\eta q$, the one before that $\eta q^2$, and so on, with $q$ = `factor`.
#
# Every trainable parameter stands in exactly one group. Frozen ones are left out, also where a layer is frozen only in part, and the flags stay as they are. But a frozen layer **still counts**: if the layer just below the head is frozen, the one below that has the rate $\eta q^2$ all the same. If everything is frozen, the list is empty.


# %% role="stub" exercise="rate_groups"
def rate_groups(model: nn.Module, lr: float, factor: float = 0.3) -> list[dict]:
    """Parameter groups with rates that fall from the last layer to the first.

    Args:
        model: its children that hold parameters are the layers, the first one nearest to the input.
        lr: learning rate η of the last layer.
        factor: q, the ratio of a layer's rate to that of the next one, 0 < q ≤ 1.

    Returns:
        Dicts with "params" (a list of parameters that require gradients) and "lr" (a float).
    """
    ### BEGIN SOLUTION
    layers = [list(child.parameters()) for child in model.children()]
    layers = [parameters for parameters in layers if parameters]
    groups = []
    for depth, parameters in enumerate(reversed(layers)):
        trainable = [p for p in parameters if p.requires_grad]
        if trainable:
            groups.append({"params": trainable, "lr": lr * factor**depth})
    return groups
    ### END SOLUTION


# %% role="check" exercise="rate_groups"
with Check("rate_groups") as check:
    model = nn.Sequential(
        nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1)
    )
    groups = rate_groups(model, lr=0.1, factor=0.5)
    check.is_a(groups, list)
    check.that(
        all(isinstance(g, dict) and {"params", "lr"} <= set(g) for g in groups),
        'Each group should be a dict with "params" and "lr".',
    )
    check.that(
        len(groups) != 5,
        "There is a group for each child. A ReLU has no parameters, so it is no layer and takes no rate.",
    )
    check.that(
        len(groups) != 6,
        "There is a group for each parameter: a layer's weight and bias belong together.",
    )
    check.that(
        len(groups) == 3, f"Three layers make three groups, but there are {len(groups)}."
    )
    check.that(
        all(isinstance(g["params"], (list, tuple)) for g in groups),
        '"params" should be a list: a generator such as `layer.parameters()` is empty after its first use.',
    )
    rate = {id(p): g["lr"] for g in groups for p in g["params"]}
    check.that(
        set(rate) == {id(p) for p in model.parameters()},
        "Each parameter of the model should stand in a group, biases included.",
    )
    check.that(
        sum(len(g["params"]) for g in groups) == 6, "A parameter stands in more than one group."
    )
    rates = torch.tensor([rate[id(model[k].weight)] for k in (0, 2, 4)])
    check.close(
        rates,
        torch.tensor([0.025, 0.05, 0.1]),
        "From the first layer to the last, the rates should be 0.025, 0.05 and 0.1.",
        known=[
            (
                torch.tensor([0.1, 0.05, 0.025]),
                "The other way round: the *last* layer is the fastest.",
            ),
            (
                torch.tensor([0.0125, 0.025, 0.05]),
                "The last layer should have the full rate, η q⁰.",
            ),
            (torch.tensor([0.4, 0.2, 0.1]), "Below the head the rates should fall, not grow."),
            (
                torch.tensor([0.00625, 0.025, 0.1]),
                "The ReLUs are counted: only children that hold parameters are layers.",
            ),
            (
                torch.tensor([0.05, 0.05, 0.1]),
                "Each layer has a rate of its own: η q^k, not ηq for all.",
            ),
            (torch.tensor([0.1, 0.1, 0.1]), "All layers have the same rate."),
        ],
    )
    model[2].requires_grad_(False)
    with check.case("the middle layer frozen"):
        groups = rate_groups(model, lr=0.1, factor=0.5)
    rate = {id(p): g["lr"] for g in groups for p in g["params"]}
    check.that(
        id(model[2].weight) not in rate, "A frozen parameter should not stand in any group."
    )
    check.that(len(groups) == 2, "A layer that is frozen as a whole makes no group.")
    check.close(
        rate[id(model[0].weight)],
        0.025,
        "A frozen layer still counts as a step of the ramp.",
        known=[
            (0.05, "The frozen layer was not counted: the layer below it keeps its rate, η q².")
        ],
    )


# %% [markdown] role="hints" exercise="rate_groups"
# <details><summary>Hint 1: from the top</summary>
#
# Collect the parameters of each child in a list, drop the empty lists, and go through the rest with `enumerate(reversed(...))`: the counter is the exponent.
#
# </details>
# <details><summary>Hint 2: frozen ones</summary>
#
# First decide what counts as a layer, then filter by `p.requires_grad`, in this order. A group that is left empty is not added.
#
# </details>

# %% role="test" exercise="rate_groups" points=2
# Graded with hidden tests: blocks, partly frozen layers, other factors, used by a real optimiser.
### BEGIN HIDDEN TESTS
with HiddenTest("rate_groups") as test:

    class Named(nn.Module):
        """Not a Sequential: children are children."""

        def __init__(self):
            super().__init__()
            self.stem = nn.Linear(3, 4)
            self.norm = nn.BatchNorm1d(4)
            self.act = nn.SiLU()
            self.block = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4, bias=False))
            self.drop = nn.Dropout(0.1)
            self.head = nn.Linear(4, 2)

    deep = nn.Sequential(*(nn.Linear(2, 2) for _ in range(7)), nn.Softplus())
    part = nn.Sequential(nn.Linear(2, 2), nn.GELU(), nn.Linear(2, 2), nn.Linear(2, 2))
    part[0].bias.requires_grad_(False)
    part[3].requires_grad_(False)
    for model, lr, factor in (
        (Named(), 1e-2, 0.3),
        (deep, 0.5, 1 / 2.6),
        (part, 2.0, 0.1),
        (nn.Sequential(nn.ReLU(), nn.Linear(1, 1)), 1e-3, 0.5),
        (Named().requires_grad_(False), 0.1, 0.5),
        (Named(), 0.2, 1.0),
    ):
        layers = [c for c in model.children() if sum(p.numel() for p in c.parameters())]
        wanted = {}
        for k, layer in enumerate(layers):
            for p in layer.parameters():
                if p.requires_grad:
                    wanted[id(p)] = lr * math.pow(factor, len(layers) - 1 - k)
        n_groups = sum(any(p.requires_grad for p in c.parameters()) for c in layers)
        flags = [p.requires_grad for p in model.parameters()]
        with test.case(f"{len(layers)} layers, factor {factor:.2g}"):
            groups = rate_groups(model=model, lr=lr, factor=factor)
        test.is_a(groups, list)
        test.that(
            all(isinstance(g, dict) and {"params", "lr"} <= set(g) for g in groups),
            'Each group should be a dict with "params" and "lr".',
        )
        test.that(
            all(isinstance(g["params"], (list, tuple)) for g in groups),
            '"params" should be a list.',
        )
        test.that(
            len(groups) == n_groups,
            "There should be one group for each layer with trainable parameters, a block being one layer.",
        )
        test.that(
            flags == [p.requires_grad for p in model.parameters()],
            "Leave `requires_grad` as it is.",
        )
        found = [(id(p), g["lr"]) for g in groups for p in g["params"]]
        test.that(len(found) == len(dict(found)), "A parameter stands in more than one group.")
        test.that(
            set(dict(found)) == set(wanted),
            "The groups should hold the trainable parameters, all of them and no others.",
        )
        for key, rate in found:
            test.is_a(rate, Number)
            test.close(
                rate,
                wanted[key],
                "A rate is off: η q^k with k counted from the last layer that holds parameters, frozen layers included.",
                atol=0.0,
            )
    model = nn.Sequential(nn.Linear(2, 2, bias=False), nn.Linear(2, 1, bias=False))
    optimizer = torch.optim.SGD(rate_groups(model, 1.0), lr=99.0)
    start = [p.detach().clone() for p in model.parameters()]
    for p in model.parameters():
        p.grad = torch.ones_like(p)
    optimizer.step()
    moved = [(a - b.detach()).mean() for a, b in zip(start, model.parameters(), strict=True)]
    test.close(
        torch.stack(moved),
        torch.tensor([0.3, 1.0]),
        "With the default factor of 0.3 the lower layer should move 0.3 times as far as the head.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="rate_groups"
# A group is nothing but a set of parameters with its own hyperparameters; most schedulers multiply the rates of all groups by the same number, so the ramp survives them. (`OneCycleLR` does not: it replaces the rates by its own `max_lr`, unless you give it a list with one value for each group.) With $q = 1$ it is ordinary fine-tuning, with $q \to 0$ a frozen body: the two recipes of this lesson are the ends of one dial. A frozen layer counts because the rate should say how deep a layer lies, not in which phase of the training you happen to be.

# %% [markdown]
# Staircase and ramp, built from your own functions, on one draw of 20 images. One draw proves nothing (you will see in a moment how little), so do not ask which is better. See that they run, and that the optimiser of the staircase ends with a group for each storey.

# %%
x, y = draw(20, seed=0)
with needs("reuse_layers", "unfreeze_top_", "rate_groups"):
    judge = task_b["standardised"].valid[:]
    torch.manual_seed(0)
    model = reuse_layers(teacher)
    optimizer = torch.optim.Adam(model[-1].parameters(), lr=1e-2)
    for n_layers, lr in ((1, 1e-2), (2, 3e-3), (3, 1e-3), (4, 3e-4)):
        unfreeze_top_(model, n_layers, optimizer, lr)
        train_b(model, x, y, optimizer, steps=10)
        print(f"staircase, {n_layers} trained: {lab.binary_accuracy(model, *judge):.1%}")
    print("its rates:", [group["lr"] for group in optimizer.param_groups])

    model = reuse_layers(teacher)
    train_b(model, x, y, torch.optim.Adam(rate_groups(model, lr=3e-3)), steps=40)
    print(f"ramp: {lab.binary_accuracy(model, *judge):.1%}")

# %% [markdown]
# ## The famous leap
#
# Now all is in place for the demonstration. In Géron's textbook (2025) a net for T-shirt against pullover learns from 20 images, once from scratch, once on borrowed layers. Pixels are divided by 255, plain SGD runs at $\eta = 0.001$ for about 20 epochs with a batch size of 32; the borrowed layers are frozen for the first 4 epochs. From scratch it reaches 71.6 %,
# with borrowed layers 92.5 %. Here is the same recipe with our teachers, judged on validation images. One run each, seed 0.
#
# **Predict, then run.** Will the leap be there? And how many *steps* does the optimiser make in 20 epochs?


# %%
def whole(split):
    """All images of a split at once, labels as 0. and 1."""
    x, y = split[:]
    return x, y.to(torch.float32)


judges = {
    (scale, part): whole(getattr(task_b[scale], part))
    for scale in SCALES
    for part in ("valid", "test")
}


def fresh():
    """A net for task B from scratch: only its body is new, its head is drawn like that of a borrowed net."""
    return with_new_head(dense(1)[:-1])


def borrow(scale, seed):
    """A net for task B on a teacher's layers; draw number `seed` borrows from teacher `seed` mod 5."""
    return with_new_head(copy.deepcopy(teachers[scale][seed % N_TEACHERS][:-1]))


def book(seed, way, scale="0 to 1", lr=1e-3, steps=20, frozen=4):
    """The book's recipe; a batch holds all 20 images, so an epoch is one step."""
    x, y = draw(20, seed, scale)
    torch.manual_seed(seed)
    model = fresh() if way == "from scratch" else borrow(scale, seed)
    if way == "borrowed":
        model[:-1].requires_grad_(False)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)  # without a gradient, no step
    rows = []

    def watch(step):
        if step == frozen:
            model.requires_grad_(True)
        if step in (1, 2, 5, 10, 20, 50, 100, 200, 500):
            rows.append(
                {
                    "steps": step,
                    "accuracy": lab.binary_accuracy(model, *judges[scale, "valid"]),
                    "on the 20 images": lab.binary_accuracy(model, x, y),
                }
            )

    train_b(model, x, y, optimizer, steps, watch)
    return rows


WAYS = ["from scratch", "borrowed"]
one_run = {way: book(0, way)[-1]["accuracy"] for way in WAYS}
print({way: f"{acc:.1%}" for way, acc in one_run.items()})

# %% [markdown]
# From 54 % to 80 %: we have our leap, a larger one even than the book's. (Twenty images fit into one batch of 32, so an epoch is *one* step. Keep that in mind.)
#
# A single run of each is an anecdote. Which twenty images were drawn? Which random head? Which teacher? Repeat it for thirty draws, each with its own images, its own seed, and one of the five teachers; both contenders get the same images.

# %%
N_DRAWS = budget(30, fast=4)
literal = lab.sweep(book, {"way": WAYS}, range(N_DRAWS))
literal = literal[literal.steps == 20]
gaps = (
    literal[literal.way == "borrowed"].accuracy.to_numpy()
    - literal[literal.way == "from scratch"].accuracy.to_numpy()
)
print(f"smallest gap {gaps.min():+.1%}, largest {gaps.max():+.1%}")
lab.summary(literal, "way", "accuracy").round(3)

# %% [markdown]
# The mean gain is 21 points. But look at its spread: from 31 points *down* to 53 points up. From scratch the standard deviation is 12 points from one draw to the next, with borrowed layers 15.
#
# Choose the seed, and you can print any of these stories. That is **p-hacking**, and nobody needs to be dishonest to do it: one tries a few settings, one stops when the picture looks right. (Géron tells his readers frankly that he looked for a setting with a strong improvement.) But the *mean* gap is huge too, and no choice of seed explains that. Something else is going on.
#
# Look at what the net from scratch does on **its own 20 training images**.
#
# **Predict, then run.** A net with 99,000 weights and 20 images. What is its accuracy on those 20 after the recipe? And what happens if we simply let both go on?

# %%
longer = lab.sweep(
    lambda seed, way: book(seed, way, steps=budget(500, fast=50)),
    {"way": WAYS},
    range(budget(6, fast=3)),
)
own = literal.groupby("way")["on the 20 images"].mean()
print("after 20 steps:", {way: f"{acc:.0%} of its own 20 images" for way, acc in own.items()})
fig, axes = lab.figure(1, 2, height=3.1)
for ax, column, title in zip(
    axes,
    ("on the 20 images", "accuracy"),
    ("20 training images", "validation images"),
    strict=True,
):
    lab.band(
        longer.assign(percent=100 * longer[column]),
        "steps",
        "percent",
        "way",
        ax=ax,
        legend=False,
    )
    ax.axvline(20, color="grey", linestyle=":", linewidth=1)
    ax.set(xscale="log", ylabel="accuracy (%)", title=title, ylim=(45, 102))
axes[1].legend(fontsize=9, handlelength=3, loc="lower right")
lab.show(
    fig,
    alt="Accuracy against the number of SGD steps on a logarithmic axis, with 95 % bands; left on the 20 training "
    "images, right on validation images. At 20 steps, where the recipe stops (dotted), the net from scratch knows "
    "but 70 % of its training images and is behind on validation images. It goes on rising, and by 500 steps it is level with the borrowed one on both sides.",
)
at = longer.groupby(["way", "steps"])[["on the 20 images", "accuracy"]].mean()
at.unstack("way").round(3)

# %% [markdown]
# After 20 steps the net from scratch has not even learned the 20 images in front of it: on average over the thirty draws it gets 58 % of them right. Nobody would call that net trained. Let both run on (six of the draws), and after 500 steps with the same rate it knows 97.5 % of them, and on images that it has not seen it arrives where the borrowed one arrives: 93.7 % against 93.3 %.
#
# That is the whole secret of the leap: **twenty epochs on twenty images with a batch size of 32 are twenty steps.** At a rate of 0.001 the net from scratch had not been trained. The comparison asked which of two nets is further along after twenty tiny steps, and the one that started with finished layers is. That is a fair question about *speed*. It is not the question that was printed above the table.
#
# ## Paired, with an interval
#
# So we want a comparison that survives a sceptic. First the arithmetic. Each draw gives a pair: the same 20 images, once with, once without borrowing. A lucky draw lifts both, so look at the **differences** $d_i$ and forget the rest. With their mean $\bar d$ and their standard deviation $s$ (with $n-1$ in the denominator),
#
# $$\bar d \pm t_{n-1}\,\frac{s}{\sqrt n}$$
#
# covers the true mean difference in 95 % of all such experiments (exactly if the differences are normal and independent, otherwise roughly), where $t_{n-1}$ is the 97.5 % quantile of Student's distribution with $n-1$ degrees of freedom: 2.05 for 30 draws, 2.78 for five, 12.7 for two. (`scipy.stats.t.ppf` knows it. The familiar 1.96 is its limit for many draws.)

# %% [markdown] role="card" exercise="paired_interval" level=2 minutes=8 topic="Honest evaluation" doc="https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.t.html"
# ### The interval of a difference
#
# `new[i]` and `old[i]` are the accuracies of two methods on draw $i$. Return `(mean, low, high)`, three floats: the mean of new minus old, and the two ends of its t-interval with coverage `level`.
#
# Both may be lists, tuples, NumPy arrays or 1-d tensors, of floats or of whole numbers; leave them unchanged, and compute in float64. Raise a `ValueError` if they have different lengths, or fewer than two numbers (none at all included).


# %% role="stub" exercise="paired_interval"
def paired_interval(new, old, level: float = 0.95) -> tuple[float, float, float]:
    """Mean paired difference with its t-interval.

    Args:
        new: n ≥ 2 numbers, one a draw.
        old: the baseline's numbers on the same draws, in the same order.
        level: coverage of the interval, between 0 and 1.

    Returns:
        (mean, low, high) of new − old.

    Raises:
        ValueError: if the lengths differ, or there are fewer than two pairs.
    """
    ### BEGIN SOLUTION
    new, old = np.asarray(new, dtype=float), np.asarray(old, dtype=float)
    n = len(new)
    if len(old) != n or n < 2:
        raise ValueError(f"Two or more pairs are needed, not {n} against {len(old)} numbers.")
    differences = new - old
    mean = differences.mean()
    half = stats.t.ppf((1 + level) / 2, n - 1) * differences.std(ddof=1) / math.sqrt(n)
    return float(mean), float(mean - half), float(mean + half)
    ### END SOLUTION


# %% role="check" exercise="paired_interval"
with Check("paired_interval") as check:
    old, new = [0.50, 0.70, 0.90, 0.60], [0.52, 0.70, 0.94, 0.62]
    with check.case("two lists of four numbers"):
        result = paired_interval(new, old)
    check.is_a(result, (tuple, list))
    check.that(len(result) == 3, "Return three numbers: mean, low, high.")
    mean, low, high = result
    for number in result:
        check.is_a(number, Number)
    check.close(
        mean,
        0.02,
        "The differences are 0.02, 0, 0.04, 0.02: their mean is 0.02.",
        known=[(-0.02, "That is old minus new.")],
    )
    # s² = (0 + 0.0004 + 0.0004 + 0) / 3, so s/√n = √(0.0008/12); t with 3 degrees of freedom is 3.182.
    error = math.sqrt(0.0008 / 12)
    check.that(low < mean < high, "The order is mean, low, high, with low < mean < high.")
    check.close(
        high - mean,
        3.182446 * error,
        "The half-width should be t · s / √n, with t = 3.182.",
        known=[
            (1.959964 * error, "That is 1.96, the normal quantile. With four draws t is 3.18."),
            (2.353363 * error, "That is the one-sided quantile: leave 2.5 % on *each* side."),
            (2.776445 * error, "That t has n degrees of freedom: it should be n − 1."),
            (
                3.182446 * error * math.sqrt(3 / 4),
                "The standard deviation has n in its denominator; it should be n − 1 (`ddof=1`).",
            ),
            (3.182446 * error * 2, "Divide by √n: it is the error of a *mean*."),
            (3.182446 * error / 2, "You divide by n: the error of a mean falls with √n."),
            (
                3.182446 * math.sqrt((0.0875 + 0.0963) / 12),
                "That is the interval of two independent samples. Subtract pair by pair first.",
            ),
        ],
    )
    check.close(mean - low, high - mean, "The mean should lie in the middle.")
    narrow = paired_interval(new, old, level=0.5)
    check.close(
        narrow[2] - narrow[0],
        0.764892 * error,
        "With level=0.5 the half-width should be 0.765 s/√n.",
        known=[(3.182446 * error, "`level` makes no difference yet.")],
    )
    for pair, what in (
        (([0.1, 0.2, 0.3], [0.1]), "three numbers against one"),
        (([0.1], [0.2]), "one pair"),
    ):
        refused = False
        with check.case(what):
            try:
                paired_interval(*pair)
            except ValueError:
                refused = True
        check.that(refused, f"A ValueError is wanted for {what}.")


# %% [markdown] role="hints" exercise="paired_interval"
# <details><summary>Hint 1: differences first</summary>
#
# Make arrays of floats (`np.asarray(new, dtype=float)`), compare their lengths *before* you subtract (NumPy stretches a single number without a word), and work with the differences from there on.
#
# </details>
# <details><summary>Hint 2: the quantile</summary>
#
# For `level=0.95`, 2.5 % stay outside on each side: `stats.t.ppf((1 + level) / 2, n - 1)`.
#
# </details>
# <details><summary>Hint 3: n − 1</summary>
#
# NumPy's `std` divides by $n$ unless it is told `ddof=1`; torch's divides by $n-1$ unless told otherwise.
#
# </details>

# %% role="test" exercise="paired_interval" points=2
# Graded with hidden tests: other lengths, levels and kinds of input, against scipy's paired t-test.
### BEGIN HIDDEN TESTS
with HiddenTest("paired_interval") as test:
    for n, level, kind in (
        (2, 0.95, list),
        (5, 0.9, np.asarray),
        (30, 0.95, torch.tensor),
        (12, 0.99, tuple),
        (200, 0.5, np.asarray),
    ):
        old = (80 + 5 * torch.randn(n, dtype=torch.float64)).tolist()
        new = [value + gap for value, gap in zip(old, torch.randn(n).tolist(), strict=True)]
        fit = stats.ttest_rel(new, old)
        want = fit.confidence_interval(confidence_level=level)
        middle = float(np.mean(np.subtract(new, old)))
        given_new, given_old = kind(new), kind(old)
        with test.case(f"{n} pairs, level {level}, {kind.__name__}"):
            result = paired_interval(new=given_new, old=given_old, level=level)
        test.is_a(result, (tuple, list))
        test.that(len(result) == 3, "Return three numbers: mean, low, high.")
        for number in result:
            test.is_a(number, Number)
        test.that(
            list(map(float, given_new)) == list(map(float, kind(new)))
            and list(map(float, given_old)) == list(map(float, kind(old))),
            "Your function changes its arguments.",
        )
        slack = 1e-3 if kind is torch.tensor else 1e-6  # torch.tensor makes float32 of a list
        test.close(result[0], middle, "The mean difference, new minus old, is off.", atol=slack)
        test.close(
            result[1],
            float(want.low),
            "The lower end is off: t with n − 1, s with n − 1, √n?",
            atol=slack,
        )
        test.close(
            result[2],
            float(want.high),
            "The upper end is off: t with n − 1, s with n − 1, √n?",
            atol=slack,
        )
    counts = paired_interval([3, 4, 8], [1, 1, 1])
    test.close(counts[0], 4.0, "Whole numbers should work like any others.")
    for pair, what in (
        (([0.1, 0.2], [0.1, 0.2, 0.3]), "two numbers against three"),
        ((np.ones(4), np.ones(1)), "four against one, which NumPy would stretch"),
        (([0.3], [0.2]), "a single pair"),
        (([], []), "no pair"),
    ):
        refused = False
        with test.case(what):
            try:
                paired_interval(*pair)
            except ValueError:
                refused = True
        test.that(
            refused,
            "A ValueError is wanted for different lengths and for fewer than two pairs.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="paired_interval"
# The interval of two *independent* samples adds the variances of both methods, the luck of the draw included, twice over. In the differences, what the draw does to both alike is gone. How much that saves hangs on their correlation $\rho$: for equal variances $\sigma^2$, the differences have the variance $2\sigma^2(1-\rho)$. With $\rho = 0$ pairing gains nothing, and costs nothing but a few degrees of freedom.
# `lab.paired_difference` computes the same numbers for a whole table.

# %% [markdown]
# ## The race, run fairly
#
# Now the race again. The rules:
#
# - **Everything else is alike**: the images, the order of the batches, Adam, and the head, which is a new `nn.Linear` with the weights that it draws by itself, on a borrowed body as on a fresh one.
# - **Everybody is tuned**: the scale of the pixels, the learning rate of Adam, and when to stop. Two scales, five or six rates and five numbers of steps make 50 or 60 settings for each.
# - Tuning uses six draws that are used for nothing else, and task B's thousand validation images. (With 20 labels nobody has a thousand more for validation. It is a luxury that we grant to all contenders alike, to learn what each is capable of. In earnest you would need cross-validation on the 20, and all would do worse.)
# - The result is reported on the **test images**, for thirty fresh draws, paired.
#
# The contenders: *no hidden layer*, which is logistic regression on the pixels, to know what a net is worth at all; *from scratch*; *frozen* (head only); *fine-tuned* (all layers at one rate from the first step on); *thawed* (ten steps for the head alone, then all layers, at that rate); and *ramp* (all layers, with the rates of `rate_groups` and $q = 0.3$).
#
# **Predict, then run.** By how many points does the best borrowed net beat the one from scratch? And does the one from scratch beat logistic regression?


# %%
HALF_DECADES = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
RATES = {
    "no hidden layer": HALF_DECADES[1:6],
    "from scratch": HALF_DECADES[:5],
    "frozen": HALF_DECADES[1:],
    "fine-tuned": HALF_DECADES[:6],
    "thawed": HALF_DECADES[:5],
    "ramp": HALF_DECADES[2:],
}
THAW = 10  # steps for which "thawed" trains its head alone


def ramp(model, lr, factor=0.3):
    """Parameter groups whose rates fall by `factor` from one linear layer to the one below it."""
    layers = [layer for layer in model if isinstance(layer, nn.Linear)]
    return [
        {"params": list(layer.parameters()), "lr": lr * factor**depth}
        for depth, layer in enumerate(reversed(layers))
    ]


def run(seed, method, scale, lr, n=20, part="valid", looks=(20,)):
    """Train one contender on draw `seed` of n images; its accuracy on a split of task B at each look."""
    x, y = draw(n, seed, scale)
    judge, truth = judges[scale, part]
    torch.manual_seed(seed)
    if method == "no hidden layer":
        model = nn.Sequential(nn.Linear(784, 1)).to(device)
    else:
        model = fresh() if method == "from scratch" else borrow(scale, seed)
    if method == "frozen":  # a body that never changes need compute its features only once
        with torch.no_grad():
            x, judge = model[:-1](x), model[:-1](judge)
        model = model[-1:]
    if method == "thawed":
        model[:-1].requires_grad_(False)
    groups = ramp(model, lr) if method == "ramp" else model.parameters()
    rows = []

    def watch(step):
        if method == "thawed" and step == THAW:
            model.requires_grad_(True)
        if step in looks:
            rows.append({"steps": step, "accuracy": lab.binary_accuracy(model, judge, truth)})

    optimizer = torch.optim.Adam(groups, lr=lr, fused=True)
    train_b(model, x, y, optimizer, max(looks), watch, seed)
    return rows


TUNED = ["scale", "lr", "steps"]


def stops(method, n):
    """The numbers of steps to choose from; a head alone, and other numbers of images, may need more."""
    if method == "frozen":
        return budget((20, 50, 100, 200, 400), fast=(5, 15))
    return budget((3, 5, 10, 20, 50) if n == 20 else (10, 20, 50, 100, 200), fast=(5, 15))


def tune(methods, n=20, scales=SCALES):
    """Validation accuracy of each contender at each scale, rate and step, on draws used for nothing else."""
    tables = []
    for method in methods:
        rates = budget(RATES[method], fast=RATES[method][2:4])
        trial = functools.partial(run, n=n, looks=stops(method, n))
        grid = {"method": [method], "scale": scales, "lr": rates}
        tables.append(lab.sweep(trial, grid, range(1000, budget(1006, fast=1002))))
    return pd.concat(tables, ignore_index=True)


def edge_lead(table):
    """By how many points the best setting at an edge of its grid beats the best one inside, at most."""
    leads = []
    for _, group in table.groupby("method"):
        means = group.groupby(TUNED, as_index=False).accuracy.mean()
        ends = [means[dial].isin([means[dial].min(), means[dial].max()]) for dial in TUNED[1:]]
        edge = ends[0] | ends[1]
        leads.append(means[edge].accuracy.max() - means[~edge].accuracy.max())
    return 100 * max(leads)


tuning = tune(RATES)
best20 = lab.best(tuning, "method", "accuracy", over=TUNED)
best20.round({"mean": 3})

# %% [markdown]
# All but the ramp prefer pixels between 0 and 1, the net from scratch included. (`at_edge` would say that a pick is the smallest or the largest number tried, of the rates or of the steps: something better might lie outside. It says so nowhere, and that took some widening. Tuning is an experiment too, with a scatter of its own: six draws can hardly tell neighbours apart, and with another of the near-equals a gain can move by half a point.)


# %%
def race(best, n=20, seeds=range(N_DRAWS)):
    """Each contender at its best setting, on fresh draws, judged on the test images."""
    tables = [
        lab.repeat(
            lambda seed, c=c: run(seed, c.method, c.scale, c.lr, n, "test", (c.steps,)), seeds
        ).assign(method=c.method)
        for c in best.itertuples()
    ]
    return pd.concat(tables, ignore_index=True)


fair = {20: race(best20)}
lab.summary(fair[20], "method", "accuracy").round(4)

# %%
gain20 = lab.paired_difference(fair[20], "method", "accuracy", "from scratch")
with needs("paired_interval"):
    table = fair[20].pivot(index="seed", columns="method", values="accuracy")
    mine = paired_interval(table["fine-tuned"].tolist(), table["from scratch"].tolist())
    print("fine-tuned, by your own function:", [f"{value:+.2%}" for value in mine])
gain20.round(4)

# %% [markdown]
# The gain is gone. Fine-tuning is level with the net from scratch, 0.0 points with an interval from −0.7 to 0.7, and thawing late gains 0.1 points, from −0.3 to 0.6. The ramp and the frozen body come out *behind*, by 1.4 and 1.8 points, and their intervals exclude zero. And the first row? Logistic regression, which has no hidden layer and borrows nothing, is as good as any of them.
#
# What has become of the 21 points? Nearly all of them were missing steps, as the run of 500 steps has shown. But not quite all. In an earlier version of this very race fine-tuning came out *one point* ahead, and the interval, from 0.3 to 1.8, excluded zero. Two small things were different. The grids were smaller: for the net from scratch the steps began at 10 and the rates ended at 0.003, and in that corner lay its pick. And its head was drawn with He's initialisation like the rest of the net, 2.4 times as large as the heads of the borrowed nets. With wider grids for all and like heads for all the point was gone. **An interval covers the luck of the draw. It does not cover what you have done to one side and not to the other.**
#
# And the scale of the pixels, how much does it matter? Here is the best validation accuracy of each contender at either scale, on the six draws of the tuning.

# %%
by_scale = lab.best(tuning, ["method", "scale"], "accuracy", over=["lr", "steps"])
by_scale.pivot(index="method", columns="scale", values="mean").loc[list(RATES)].round(3)


# %%
def in_points(frame, method, baseline="from scratch"):
    """Differences draw by draw, in points."""
    wide = frame.pivot(index="seed", columns="method", values="accuracy")
    return 100 * (wide[method] - wide[baseline]).to_numpy()


def interval(values):
    """Mean and 95 % t-interval, by scipy."""
    mean, error = values.mean(), stats.sem(values)
    half = stats.t.ppf(0.975, len(values) - 1) * error
    return mean, mean - half, mean + half


rows = [
    ("the book's recipe", 100 * gaps),
    *((name, in_points(fair[20], name)) for name in ("fine-tuned", "thawed", "ramp", "frozen")),
    ("no hidden layer", in_points(fair[20], "no hidden layer")),
]
fig, axes = lab.figure(1, 2, height=3.3)
for ax, limits in zip(axes, (None, (-6, 6)), strict=True):
    for place, (_, values) in enumerate(rows):
        style = lab.line_style(place)
        wobble = np.linspace(-0.25, 0.25, len(values))
        dots = {"color": style["color"], "markersize": 3.5, "alpha": 0.5, "linestyle": ""}
        ax.plot(values, place + wobble, marker=style["marker"], **dots)
        mean, low, high = interval(values)
        ax.plot([low, high], [place, place], color="black", linewidth=2.5, linestyle="-")
        ax.plot([mean], [place], marker="|", markersize=12, color="black", linestyle="")
    ax.axvline(0, color="grey", linewidth=1, linestyle="-")
    ax.set_yticks(range(len(rows)), [name for name, _ in rows] if ax is axes[0] else [])
    ax.invert_yaxis()
    ax.set(xlabel="gain over scratch (points)", xlim=limits)
axes[0].set_title("all draws, mean, 95 % interval")
axes[1].set_title("the same, enlarged")
lab.show(
    fig,
    alt="Gain over the net from scratch in points, one dot a draw, with mean and 95 % interval; left at full width, right "
    "enlarged around zero. In the book's recipe the dots scatter from about −30 to +50 around a mean of 21. In all "
    "fair comparisons the means lie within two points of zero: fine-tuned, thawed and no hidden layer at zero, ramp and frozen left of it. "
    "Most of their dots lie within four points; the right panel ends at ±6.",
)

# %% [markdown]
# Standardised pixels cost everybody but the ramp between 0.5 and 2.1 points, borrower or not. And the picture puts the accounts side by side: the same layers, the same images, and a gain of 21 points or of none, depending on how well the *other* side was treated.
#
# Why is there nothing to borrow? Ask logistic regression, which has one weight for each pixel and no secrets. Here are its weights, averaged over the thirty draws of 20 images.
#
# **Predict, then run.** Which pixels speak for a pullover? Which for a T-shirt?

# %%
plain = best20.set_index("method").loc["no hidden layer"]
weights = []
for seed in range(N_DRAWS):
    x, y = draw(20, seed, plain.scale)
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(784, 1)).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=plain.lr)
    train_b(model, x, y, optimizer, plain.steps, seed=seed)
    weights.append(model[0].weight.detach().reshape(28, 28).cpu())
weights = torch.stack(weights).mean(0)
x, y = judges["0 to 1", "valid"]
typical = {k: x[y == k].mean(0).reshape(28, 28).cpu() for k in (0, 1)}
sleeves = (typical[1] - typical[0]).flatten()
alike = torch.corrcoef(torch.stack([sleeves, weights.flatten()]))[0, 1].item()
print(f"correlation of the weights with 'pullover minus T-shirt': {alike:.2f}")

fig, axes = lab.figure(1, 3, height=2.8)
axes[0].imshow(typical[0], cmap="gray_r")
axes[1].imshow(typical[1], cmap="gray_r")
reach = weights.abs().max().item()
shown = axes[2].imshow(weights, cmap="PuOr_r", vmin=-reach, vmax=reach)
fig.colorbar(shown, ax=axes[2], label="weight")
titles = ("mean T-shirt", "mean pullover", f"mean weights of {N_DRAWS} nets")
for ax, title in zip(axes, titles, strict=True):
    ax.set(xticks=[], yticks=[], title=title)
    ax.grid(False)
lab.show(
    fig,
    alt="Three pictures of 28 by 28 pixels: the mean T-shirt, with short sleeves at the height of the shoulders; the mean "
    "pullover, with long sleeves that hang down left and right of the trunk; and the weights of logistic regression, "
    "largest in two vertical stripes where the pullover's sleeves hang, and strongly negative at the ends of short sleeves and at the hem.",
)

# %% [markdown]
# For a pullover speak the pixels left and right of the trunk, where the long sleeves hang; for a T-shirt the ends of its short sleeves, further out and higher up, and the hem at the lower edge, which a pullover often does not reach. All these are at much the same place in every image. (The average over thirty draws has smoothed the picture; a single set of weights is noisier.) Twenty images are enough for 93.5 % with them, and there is not much that a hidden layer, learned or borrowed, could add. **Transfer pays where the new task needs features that the few images cannot teach.** Here they can. (The next lesson looks for tasks where they cannot.)
#
# Three things the intervals do not know. The settings were chosen on six draws, and six others would choose other near-equals. All draws are judged on the same 2,000 test images, so the interval speaks of other draws of the twenty, judged on *these* images. And six draws share each teacher, so thirty draws are not quite thirty independent experiments. Is there a lucky teacher among the five? Take the mean gain of each.

# %%
differences = pd.Series(in_points(fair[20], "fine-tuned"), name="gain")
by_teacher = differences.groupby(differences.index % N_TEACHERS).agg(
    draws="count", mean="mean", sd="std", error="sem"
)
by_teacher.index.name = "teacher"
by_teacher = by_teacher.rename(columns={"error": "sd / √draws"})
print("five means as the data:", [f"{value:+.2f}" for value in interval(by_teacher["mean"])])
by_teacher.round(2)

# %% [markdown]
# Each of these means has an uncertainty of its own, its standard deviation divided by $\sqrt 6$, in the last column: between 0.2 and 1.4 points. The means reach from −0.4 to 0.7, no further apart than such uncertainties explain; but six draws each could not show a small difference. With the five means as the data, for whoever counts teachers and not draws, the gain is 0.0 points, from −0.6 to 0.5: the same answer.
#
# ## Six labels, or two hundred
#
# If borrowed layers are worth something because labels are few, then with fewer labels they should be worth more, and with many nothing. The same race with 6 and with 200 images, everybody tuned anew.
#
# **Predict, then run.** By how many points does fine-tuning win with 6 images? With 200?

# %%
SIZES = (6, 20, 200)
FEW = ["from scratch", "frozen", "fine-tuned"]
best_n, tunings = {20: best20[best20.method.isin(FEW)]}, {20: tuning}
for n in (6, 200):
    tunings[n] = tune(FEW, n, ["0 to 1"])
    best_n[n] = lab.best(tunings[n], "method", "accuracy", over=TUNED)
    fair[n] = race(best_n[n], n)
settings = pd.concat([best_n[n].assign(labels=n) for n in SIZES])
print({n: f"edges lead by {edge_lead(tunings[n]):+.2f} points" for n in SIZES})
settings[["labels", "method", *TUNED, "at_edge"]]

# %%
gains = pd.concat(
    [
        lab.paired_difference(
            fair[n][fair[n].method.isin(FEW)], "method", "accuracy", "from scratch"
        ).assign(labels=n, scratch=fair[n][fair[n].method == "from scratch"].accuracy.mean())
        for n in SIZES
    ]
)
tuned_200 = in_points(fair[200], "fine-tuned")
print("fine-tuned, 200 labels, the five worst draws:", np.sort(tuned_200)[:5].round(1))
print(f"their median: {np.median(tuned_200):+.1f} points")
change = interval(in_points(fair[6], "fine-tuned") - tuned_200)
print("gain with 6 labels minus gain with 200:", [f"{value:+.1f}" for value in change])
gains[["labels", "scratch", "method", "mean", "low", "high", "sd", "excludes_zero"]].round(4)

# %%
fig, ax = lab.figure(height=3)
for index, (method, group) in enumerate(gains.groupby("method", sort=False)):
    spots = np.arange(len(SIZES)) + 0.12 * (index - 0.5)
    middle = 100 * group["mean"]
    reach = 100 * np.array([group["mean"] - group["low"], group["high"] - group["mean"]])
    ax.errorbar(
        spots,
        middle,
        yerr=reach,
        capsize=4,
        label=method,
        markersize=6,
        **lab.line_style(index),
    )
ax.axhline(0, color="grey", linewidth=1, linestyle="-")
ax.set_xticks(range(len(SIZES)), [f"{n} labels" for n in SIZES])
ax.set(
    ylabel="gain over scratch (points)", title="What borrowed layers are worth, 95 % intervals"
)
ax.legend(handlelength=3)
lab.show(
    fig,
    alt="Gain of frozen and fine-tuned nets over the net from scratch in points, with 95 % intervals, for 6, 20 and "
    "200 labelled images. Fine-tuning falls from 0.6 points to zero and to −0.9, the frozen body lies between one and two "
    "points below zero throughout; the intervals are widest for 6 labels.",
)

# %% [markdown]
# With 6 labels fine-tuning is 0.6 points ahead, with 20 level, with 200 behind by 0.9. That looks like the story, more gain where labels are fewer. How much of it do we know? The interval for 6 labels goes from −0.3 to 1.5, so even there a gain is not shown. What is shown is the trend: the gain with 6 labels exceeds that with 200 by 1.5 points, from 0.4 to 2.6. And the loss with 200? The pick is the rate 0.01. On most draws it does about as well as scratch, the median difference is −0.3 points; but four draws of the thirty lose 3.7 to 6.2 and pull the mean down. Six draws of tuning did not show that. So the loss is more that of a bold setting than that of fine-tuning.
#
# The frozen body *costs* something at every size, between 1.1 and 1.8 points, and each interval excludes zero. It was free to go on for 400 steps, and no pick of it lies at an edge: this time it is not missing steps. The images could have taught the layers something, and the freeze forbade it. (One pick does lie at an edge: with 6 labels the net from scratch takes the most steps, 200. That is harmless, for it has long known its six images, and the best setting inside the grid is within 0.03 points of it.)
#
# How large would an experiment have to be?
#
# ## How many draws does it take?
#
# "No gain was found" is a weak sentence. Perhaps the experiment was too small to find one. How small is too small can be known *before* the experiment, roughly, from two numbers: the effect $\delta$ one would like to see, and the standard deviation $s$ of the paired differences, from a pilot of a few draws.
#
# The mean of $n$ differences scatters with $s/\sqrt n$. To call the result significant we ask it to lie more than $z_{1-\alpha/2}\, s/\sqrt n$ from zero, with $\alpha = 1 - \text{level}$. To be *above* that line in a share `power` of all experiments, the true effect must lie a further $z_\text{power}\, s/\sqrt n$ beyond it, where $z_q$ is the $q$ quantile of the standard normal distribution:
#
# $$\delta \ge (z_{1-\alpha/2} + z_\text{power})\frac{s}{\sqrt n}\qquad\Longleftrightarrow\qquad n \ge \left(\frac{(z_{1-\alpha/2} + z_\text{power})\,s}{\delta}\right)^2$$
#
# With the customary 95 % and a power of 80 %, the bracket is $1.96 + 0.84 = 2.80$. So $n \approx 7.85\,s^2/\delta^2$: **half the effect takes four times the draws.** (The normal quantiles stand in for Student's, which would make the equation implicit in $n$; where the formula gives fewer than ten, add two.)

# %% [markdown] role="card" exercise="draws_needed" level=2 minutes=8 topic="Honest evaluation" doc="https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.norm.html"
# ### Draws needed
#
# Return the smallest whole number of paired draws, as an `int`, that satisfies the inequality above, **and at least 2**, since one draw has no interval. `sd` and `effect` are in the same unit; the effect may be negative (a loss is as visible as a gain). An effect of 0 can never be seen: raise a `ValueError`.


# %% role="stub" exercise="draws_needed"
def draws_needed(sd: float, effect: float, power: float = 0.8, level: float = 0.95) -> int:
    """Paired draws that an experiment needs, by the normal approximation.

    Args:
        sd: standard deviation of the paired differences, at least 0.
        effect: the mean difference that should be seen, in the unit of `sd`; its sign does not matter.
        power: probability that the interval excludes zero if the effect is real, at least 0.5.
        level: coverage of the two-sided interval.

    Returns:
        The number of draws, at least 2.

    Raises:
        ValueError: if the effect is 0.
    """
    ### BEGIN SOLUTION
    if effect == 0:
        raise ValueError("An effect of 0 cannot be seen with any number of draws.")
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return max(2, math.ceil((z * sd / effect) ** 2))
    ### END SOLUTION


# %% role="check" exercise="draws_needed"
with Check("draws_needed") as check:
    n = draws_needed(sd=3.2, effect=1.0)
    check.is_a(n, int, "The number of draws should be a Python int.")
    # (1.95996 + 0.84162)² · 3.2² = 80.37
    check.that(
        n != 64,
        "The quantile is one-sided: a two-sided interval leaves 2.5 % on each side, 1.96.",
    )
    check.that(n != 80, "80.4 draws: round *up*, 80 are too few.")
    check.that(
        n != 40,
        "That is 1.96 only: with so few draws you see the effect every other time. Add z_power.",
    )
    check.that(
        n != 9, "9 comes out without the square, or with `level` in the place of α = 1 − level."
    )
    check.that(n != 47, "The two quantiles are squared one by one: first add the two.")
    check.that(
        n != 2, "Is the fraction upside down? The scatter stands above, the effect below."
    )
    check.that(
        n != 13,
        "z_power is subtracted: the quantile of 0.8 is +0.84, that of 0.2 is −0.84.",
    )
    check.that(n != 8, "`sd` counts squared: n grows with s²/δ².")
    check.that(
        n != 161,
        "The differences are paired: their own standard deviation counts, no factor 2.",
    )
    check.that(n != 108, "The power is one-sided: its quantile is z(0.8) = 0.84.")
    check.that(n == 81, f"With s = 3.2 and δ = 1 it should be 81 draws, not {n}.")
    check.that(
        draws_needed(3.2, 0.5) == 322,
        "Half the effect needs four times the draws, before rounding up: 322.",
    )
    check.that(
        draws_needed(3.2, 1.0, power=0.95) == 134,
        "With a power of 95 % it should be 134 draws.",
    )
    check.that(
        draws_needed(3.2, 1.0, level=0.99) == 120, "With level 0.99 it should be 120 draws."
    )
    with check.case("a negative effect"):
        check.that(
            draws_needed(3.2, -1.0) == 81, "A loss of 1 is as visible as a gain of 1: 81 draws."
        )
    check.that(
        draws_needed(0.1, 5.0) == 2, "However large the effect, at least 2 draws are needed."
    )
    refused = False
    with check.case("an effect of 0"):
        try:
            draws_needed(1.0, 0.0)
        except ValueError:
            refused = True
    check.that(refused, "A ValueError is wanted for an effect of 0.")


# %% [markdown] role="hints" exercise="draws_needed"
# <details><summary>Hint 1: quantiles</summary>
#
# `stats.norm.ppf(q)` is $z_q$. What stays outside the interval is split in two halves, so its quantile is that of `(1 + level) / 2`. The power is on one side only.
#
# </details>
# <details><summary>Hint 2: whole draws</summary>
#
# `math.ceil` rounds up and gives an `int`. `max(2, ...)` takes care of the large effects.
#
# </details>

# %% role="test" exercise="draws_needed" points=2
# Graded with hidden tests: other effects, powers and levels, against simulated experiments and a grid of values.
### BEGIN HIDDEN TESTS
with HiddenTest("draws_needed") as test:
    # quantiles from the inverse of erf, in float64
    def z_of(q):
        return float(math.sqrt(2) * torch.erfinv(torch.tensor(2 * q - 1, dtype=torch.float64)))

    for sd, effect in (
        (1.7, 1.9),
        (12.0, 20.0),
        (0.017, 0.004),
        (3, 1),
        (2.5, -0.6),
        (1e-3, 4e-5),
    ):
        for power, level in ((0.8, 0.95), (0.9, 0.95), (0.5, 0.9), (0.99, 0.999)):
            exact = ((z_of(0.5 + level / 2) + z_of(power)) * sd / effect) ** 2
            want = max(2, math.ceil(exact))
            if abs(exact - round(exact)) < 1e-6:
                continue
            with test.case(f"sd {sd}, effect {effect}, power {power}, level {level}"):
                n = draws_needed(sd=sd, effect=effect, power=power, level=level)
            test.is_a(n, int, "The number of draws should be a Python int.")
            test.that(
                n == want,
                "A number of draws is off: two-sided level, one-sided power, squared, rounded up, at least 2?",
            )
    test.that(
        draws_needed(1.0, 0.5) == 32, "The defaults are a power of 0.8 and a level of 0.95."
    )
    test.that(
        draws_needed(0.0, 1.0) == 2, "Without any scatter two draws are enough, and needed."
    )
    test.that(draws_needed(1.0, 100.0) == 2, "One draw has no interval: at least 2.")
    # in simulated experiments the effect is found about as often as promised
    for power in (0.8, 0.95):
        n = draws_needed(sd=3.0, effect=0.5, power=power)
        test.is_a(n, int, "The number of draws should be a Python int.")
        test.that(100 < n < 1000, "A small effect takes some hundreds of draws.")
        means = 0.5 + 3.0 / math.sqrt(n) * torch.randn(40_000, dtype=torch.float64)
        found = (means > 1.959964 * 3.0 / math.sqrt(n)).double().mean().item()
        test.that(
            abs(found - power) < 0.015,
            "In simulated experiments of that size the effect is not found as often as promised.",
        )
    for zero in (0.0, 0):
        refused = False
        with test.case("an effect of 0"):
            try:
                draws_needed(1.0, zero)
            except ValueError:
                refused = True
        test.that(refused, "A ValueError is wanted for an effect of 0.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="draws_needed"
# A power of 50 % means $z = 0$: if the true effect lies exactly on the line of significance, half of the experiments miss it. An experiment with too few draws does worse than miss effects. Those that it finds are the ones that were lucky, and it reports them too large. So a literature of small experiments that prints only what was significant overstates its effects, even if everybody in it is honest.

# %% [markdown]
# Let us see formula and truth side by side. The standard deviation is that of our own differences (fine-tuned minus scratch, 20 labels, everybody tuned). Suppose borrowing really brought **1 point**: a computer experiment draws $n$ normal numbers with that mean, makes the t-interval, and notes whether it lies above zero, twenty thousand times for each $n$. Beside it the same with two
# *independent* groups, the way one would compare if each method had drawn images of its own: the error of the mean is larger, and the interval has $2(n-1)$ degrees of freedom instead of $n-1$.
#
# **Predict, then run.** With how many draws does the paired experiment find one point in 80 % of the cases? And two points?

# %%
wide = fair[20].pivot(index="seed", columns="method", values="accuracy")
spread = {
    "paired": in_points(fair[20], "fine-tuned").std(ddof=1),
    "two groups": 100 * wide[["fine-tuned", "from scratch"]].var(ddof=1).sum() ** 0.5,
}
EFFECT = 1.0


def simulated_power(design, n):
    """Share of simulated experiments whose t-interval lies above zero, and the mean that these report."""
    size, random = (budget(20_000, fast=4_000), n), np.random.default_rng(n)
    if design == "paired":
        samples = [random.normal(EFFECT, spread["paired"], size)]
    else:  # two samples of n, with the same scatter each
        sd = spread["two groups"] / math.sqrt(2)
        samples = [random.normal(EFFECT, sd, size), random.normal(0, sd, size)]
    mean = samples[0].mean(1) - sum(other.mean(1) for other in samples[1:])
    error = np.sqrt(sum(sample.var(1, ddof=1) for sample in samples) / n)
    freedom = len(samples) * (n - 1)
    found = mean > stats.t.ppf(0.975, freedom) * error
    return {"power": found.mean(), "reported": mean[found].mean()}


chances = pd.DataFrame(
    [
        {"design": design, "draws": n, **simulated_power(design, n)}
        for design in spread
        for n in (3, 5, 7, 10, 14, 20, 30, 45, 60)
    ]
)
z = stats.norm.ppf([0.975, 0.8]).sum()
scatter = {**spread, "paired, book's recipe": 100 * gaps.std(ddof=1)}
formula = pd.DataFrame(
    {gain: {d: (z * sd / gain) ** 2 for d, sd in scatter.items()} for gain in (2, 1, 0.5)}
)
formula.columns.name = "a true gain of … points"
rho = wide[["fine-tuned", "from scratch"]].corr().iloc[0, 1]
print({design: f"s = {sd:.2f} points" for design, sd in scatter.items()}, f"ρ = {rho:.2f}")
np.ceil(formula).astype(int)

# %%
fig, (left, right) = lab.figure(1, 2, height=3)
for index, (design, group) in enumerate(chances.groupby("design", sort=False)):
    style = lab.line_style(index)
    left.plot(group.draws, 100 * group.power, label=design, markersize=4, **style)
    left.axvline(formula.loc[design, EFFECT], color=style["color"], linestyle=":", linewidth=1)
    right.plot(group.draws, group.reported, label=design, markersize=4, **style)
left.axhline(80, color="grey", linewidth=1, linestyle=":")
right.axhline(EFFECT, color="grey", linewidth=1, linestyle=":")
left.set(ylabel="experiments that find it (%)", title="A true gain of 1 point")
right.set(ylabel="reported gain (points)", title="Mean of the experiments that found it")
for ax in (left, right):
    ax.set(xscale="log", xlabel="draws per method")
    ax.set_xticks([3, 5, 10, 20, 45], ["3", "5", "10", "20", "45"])
    ax.minorticks_off()
left.legend(handlelength=3, fontsize=9)
lab.show(
    fig,
    alt="Left: share of simulated experiments that find a gain of one point against the number of draws, paired and "
    "with two groups; dotted lines mark 80 % and the numbers of the formula. Right: the mean gain that the successful "
    "experiments report; with few draws it lies far above the true one (dotted).",
)

with needs("draws_needed"):
    for gain in (2, 1, 0.5):
        print(f"to see {gain:g}: {draws_needed(spread['paired'], gain)} paired draws")

# %% [markdown]
# **How many draws to see two points?** Seven, if the draws are paired and both sides are tuned; add the two that the formula forgets. With the book's recipe it would take some 900: a net that stops half-way stops at a place that luck decides, and its scatter drowns everything. A better experiment is rarely a longer one. It is one with less noise.
#
# One point takes 27 draws, and we had thirty: if there were a whole point to gain, we should have found it in about four cases of five. Half a point takes 106. So where an interval of ours includes zero, look at its upper end: 0.7 points with 20 labels. Read: *no gain of one point*; whether there is half a point, our experiment cannot say.
#
# Three things to take from the picture. First, the formula is a little optimistic: where its dotted line stands, the curve is still just below 80 %. Two more draws make up for it, which is much on top of seven and little on top of forty. Second, pairing saves draws in proportion to how much of the luck both contenders share. Here they share hardly any ($\rho = 0.12$), so 27 draws do where two groups would need 30 each, and with three draws the two groups are even a little ahead, for 4 degrees of freedom make a narrower interval than 2. Whether luck is shared you learn by pairing, and it costs next to nothing. Third, the right-hand panel: an experiment that is too small, and finds something nevertheless, reports a gain that is too large, because only the lucky ones get past the line. **A small experiment that succeeds is not to be believed to the letter**, and one run of each has no interval at all.

# %% [markdown]
# ## Play with it
#
# One draw of 20 images, trained before your eyes. Find a draw on which borrowing *hurts*; then a rate at which it saves the day. (All three nets get the same rate here, which by now you know to be unfair.)

# %%
from ipywidgets import Dropdown, FloatLogSlider, IntSlider, interact


@interact(
    seed=IntSlider(0, min=0, max=29, continuous_update=False),
    lr=FloatLogSlider(1e-3, min=-4, max=-1.5, step=0.25, continuous_update=False),
    scale=Dropdown(options=SCALES),
)
def explore(seed, lr, scale):
    looks = (1, 2, 3, 5, 7, 10, 14, 20, 30)
    fig, ax = lab.figure(height=2.8)
    ends = {}
    for index, method in enumerate(("from scratch", "frozen", "fine-tuned")):
        rows = run(seed, method, scale, lr, looks=looks)
        ends[method] = rows[-1]["accuracy"]
        ax.plot(
            looks,
            [100 * row["accuracy"] for row in rows],
            label=method,
            **lab.line_style(index),
        )
    ax.set(
        xscale="log",
        xlabel="steps of Adam",
        ylabel="validation accuracy (%)",
        title=f"draw {seed}",
    )
    ax.legend(handlelength=3)
    told = ", ".join(f"{method} {acc:.0%}" for method, acc in ends.items())
    lab.show(fig, alt=f"Validation accuracy over 30 steps on draw {seed}; at the end: {told}.")


# %% [markdown]
# ## What we measured

# %%
means20 = lab.summary(fair[20], "method", "accuracy").set_index("method")["mean"]
lead20 = 100 * (means20 - means20["from scratch"])
lead = 100 * gains.set_index(["labels", "method"])["mean"]
literal_means = literal.groupby("way").accuracy.mean()
last = at.index.get_level_values("steps").max()
scratch, borrowed = at.loc["from scratch"], at.loc["borrowed"]
paired_at = chances[chances.design == "paired"].set_index("draws")

with Claims(clothes) as claim:
    claim(
        "the teachers reach about 91 % on task A",
        all(0.89 < acc < 0.94 for acc in taught_accuracy.values()),
        weaker=all(acc > 0.5 for acc in taught_accuracy.values()),
    )
    claim(
        "pullovers are called coats ten times as often as T-shirts are",
        names["Pullover"]["Coat"] > 10 * names["T-shirt/top"]["Coat"]
        if not clothes.is_offline
        else True,
        weaker=(names.sum() - 1).abs().max() < 1e-4,
    )
    claim(
        "shared layers cost the teacher more than 10 points, copied ones nothing at all",
        mistake["copied"] == mistake["before"] and mistake["before"] - mistake["shared"] > 0.1,
        weaker=mistake["copied"] == mistake["before"] and mistake["shared"] < mistake["before"],
    )
    claim(
        "z = 200 for label 0: only the loss of the logit gives 200 and a gradient of 1; nn.BCELoss gives 100 and 0",
        np.isclose(wrong_and_sure.loc["nn.BCEWithLogitsLoss"], [200, 1]).all()
        and np.isclose(wrong_and_sure.loc["sigmoid, then nn.BCELoss"], [100, 0]).all()
        and math.isinf(wrong_and_sure.loss["the formula"]),
    )
    claim(
        "thawed by its flag alone a layer does not move at all; frozen with zeros for gradients it does",
        list(switched["moved by"] > 0) == [False, True, False, True],
    )
    claim(
        "a frozen body in training mode costs it more than 5 points, in evaluation mode nothing",
        thaw["eval"] == thaw["before"] and thaw["before"] - thaw["train"] > 0.05,
        weaker=thaw["eval"] == thaw["before"] and thaw["train"] < thaw["before"],
    )
    claim(
        "the book's recipe: borrowed layers lead by 8 to 30 points on average",
        0.08 < literal_means["borrowed"] - literal_means["from scratch"] < 0.3,
        weaker=abs(literal_means["borrowed"] - literal_means["from scratch"]) < 0.6,
    )
    claim(
        "and from one draw to the next the lead varies by more than 40 points",
        np.ptp(gaps) > 0.4,
        weaker=np.ptp(gaps) > 0,
    )
    claim(
        "after 20 steps the net from scratch knows less than 80 % of its own 20 images, after 500 over 90 %",
        own["from scratch"] < 0.8 and scratch.loc[last, "on the 20 images"] > 0.9,
        weaker=own["from scratch"] < 0.95,
    )
    claim(
        "after 500 steps the lead has shrunk to less than 3 points",
        abs(borrowed.loc[last, "accuracy"] - scratch.loc[last, "accuracy"]) < 0.03,
        weaker=abs(borrowed.loc[last, "accuracy"] - scratch.loc[last, "accuracy"]) < 0.5,
    )
    claim(
        "tuned, the net from scratch takes pixels from 0 to 1",
        best20.set_index("method").scale["from scratch"] == "0 to 1",
        weaker=best20.scale.isin(SCALES).all(),
    )
    claim(
        "no setting at an edge of its grid beats the best one inside by half a point",
        max(edge_lead(table) for table in tunings.values()) < 0.5,
        weaker=all(len(table) > 0 for table in tunings.values()),
    )
    claim(
        "20 labels, all tuned: fine-tuning is within 1.5 points of scratch, and so is logistic regression",
        abs(lead20["fine-tuned"]) < 1.5 and abs(lead20["no hidden layer"]) < 1.5,
        weaker=abs(lead20["fine-tuned"]) < 40 and abs(lead20["no hidden layer"]) < 40,
    )
    claim(
        "20 labels: neither thawing late nor a ramp of rates gains a point over plain fine-tuning",
        max(lead20[m] - lead20["fine-tuned"] for m in ("thawed", "ramp")) < 1,
        weaker=max(lead20[m] - lead20["fine-tuned"] for m in ("thawed", "ramp")) < 40,
    )
    claim(
        "the weights of logistic regression resemble the difference of the mean images",
        alike > 0.4,
        weaker=alike > 0,
    )
    claim(
        "a frozen body gains nothing over scratch, with 20 labels or with 200",
        lead20["frozen"] < 0 and lead[200, "frozen"] < 0,
        weaker=lead20["frozen"] < 40,
    )
    claim(
        "fine-tuning gains less than 3 points with 6 labels, and less than 1 with 200",
        lead[6, "fine-tuned"] < 3 and lead[200, "fine-tuned"] < 1,
        weaker=lead[6, "fine-tuned"] < 45 and lead[200, "fine-tuned"] < 40,
    )
    claim(
        "to see one point takes some 10 to 70 paired draws, and thirty find it in more than half of the cases",
        10 < formula.loc["paired", EFFECT] < 70 and paired_at.power[30] > 0.5,
        weaker=0 <= formula.loc["paired", EFFECT] < math.inf,
    )
    claim(
        "to see two points: fewer than 20 paired draws if all are tuned, more than 300 with the book's recipe",
        formula.loc["paired", 2] < 20 and formula.loc["paired, book's recipe", 2] > 300,
        weaker=np.isfinite(formula.to_numpy()).all(),
    )
    claim(
        "experiments with 5 draws that find it report too much, on average by a tenth or more",
        paired_at.reported[5] > 1.1 * EFFECT,
        weaker=paired_at.reported[5] > 0.9 * EFFECT,
    )

# %% [markdown]
# ## In short
#
# | | what it does | in PyTorch | watch out |
# |---|---|---|---|
# | reuse | begin with finished layers | `nn.Sequential(*copy.deepcopy(a[:-1]), head)` | without the copy, the teacher changes |
# | freeze | train the head alone | `body.requires_grad_(False)` **and** `body.eval()` | batch normalisation drifts in training mode |
# | thaw | top layers first | `optimizer.add_param_group(...)` | an optimiser moves what it holds, no more |
# | ramp | lower layers learn more slowly | parameter groups, $\eta q^k$ | frozen layers count too |
# | one logit | two classes | `BCEWithLogitsLoss`, decide by $z > 0$ | no sigmoid in the net; float labels |
#
# - Before you believe in a gain, look at the baseline. Has it learned its own training images? Was it given its own best scale, rate and number of steps? Does it beat the simplest model there is?
# - Borrowed layers made the net faster. Whether they make it *better* in the end depends on whether the labels you have suffice to learn the features.
# - Pair the draws, give the interval, and say how small an effect your experiment could have seen: about $2.8\,s/\sqrt n$.
#
# **Read on.** Yosinski, Clune, Bengio and Lipson (2014), *How transferable are features in deep neural networks?* Howard and Ruder (2018), *Universal language model fine-tuning for text classification*. Kornblith, Shlens and Le (2019), *Do better ImageNet models transfer better?* He, Girshick and Dollár (2019), *Rethinking ImageNet pre-training*: much the same lesson on more than 100,000 images, where a net from scratch catches up once it is trained for long enough.
# Gelman and Carlin (2014), on experiments too small for their effect. The next lesson asks *what* transfers, and lets convolutions have their turn.

# %%
lab.show_progress("ch02")
