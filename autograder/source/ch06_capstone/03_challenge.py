# ---
# jupyter:
#   lesson:
#     title: The open challenge
#     minutes: 150
# ---

# %% [markdown]
# Until now every exercise had one right answer. This one has none. You get a small task that nobody has seen before, a budget, and the question that all of deep learning comes down to in practice: **how good can you make it with what you have?**
#
# You may use everything: any architecture, any optimiser, any trick of the course or of your own. What counts is the accuracy on images that you never see, and what it costs is limited: in numbers that the network may keep, and in computing time.
#
# Before you start, the lesson shows you how to spend such a budget. You will
#
# - make more images out of the few that you have,
# - measure what pays and what does not, on tasks that do not count,
# - climb five rungs,
# - and see why whoever stands at the top of a leaderboard is usually a little worse than it says.
#
# You need: a training loop that you trust, and whatever you liked best of the five chapters before.

# %% role="setup"
import math
import time
from dataclasses import dataclass
from functools import cache
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

SIDE, CLASSES = 10, 10
LABELLED, HELD_OUT = 400, 1_000
PARAMETERS, LAPS = 10_000, 20
RUNGS = (0.45, 0.60, 0.70, 0.77, 0.83)


@dataclass(frozen=True)
class Task:
    """Images (N, 1, 10, 10), float32 from 0 to 1, and labels (N,), int64 from 0 to 9: some to train on, and new ones."""

    images: torch.Tensor
    labels: torch.Tensor
    new_images: torch.Tensor
    new_labels: torch.Tensor


@cache
def handwriting():
    """scikit-learn's digits, (1797, 8, 8) from 0 to 1, and their classes."""
    digits = load_digits()
    return torch.from_numpy(digits.images).float() / 16, torch.from_numpy(digits.target).long()


def draw_task(seed, labelled=LABELLED, held_out=HELD_OUT):
    """The task number `seed`: handwriting turned, renamed, moved about and soiled, as the dice will have it."""
    dice = torch.Generator().manual_seed(seed)
    ink, kind = handwriting()
    n = labelled + held_out
    chosen = torch.randperm(len(kind), generator=dice)[:n]
    labels = torch.randperm(CLASSES, generator=dice)[kind[chosen]]
    turns, mirrored, inverted = (
        torch.randint(sides, (), generator=dice).item() for sides in (4, 2, 2)
    )
    ink = ink[chosen].rot90(turns, (1, 2))
    ink = F.pad(ink.flip(2) if mirrored else ink, (1, 1, 1, 1))
    down, right = torch.randint(-1, 2, (2, n, 1), generator=dice)
    rows, columns = (torch.arange(SIDE) - down) % SIDE, (torch.arange(SIDE) - right) % SIDE
    ink = ink[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]
    paper = (0.6 + 0.4 * torch.rand(n, 1, 1, generator=dice)) * ink
    paper = paper + 0.15 * torch.randn(n, SIDE, SIDE, generator=dice)
    images = (1 - paper if inverted else paper).clamp(0, 1)[:, None]
    return Task(images[:labelled], labels[:labelled], images[labelled:], labels[labelled:])


def out_of_bounds(*_, **__):
    """Stands where scikit-learn reads its digits from the disk, while a challenger works."""
    raise PermissionError(
        "scikit-learn's digits are locked away while your function runs, since the new images are among "
        "them. Learn from the images that you are given"
    )


def fence():
    """A context in which `load_digits`, `handwriting` and `draw_task` raise: a fence, not a wall."""
    handwriting.cache_clear()
    reads = "sklearn.datasets._base.load_gzip_compressed_csv_data"
    return patch(reads, out_of_bounds, create=True)


def lap():
    """CPU seconds of 200 plain training steps of a 100-64-10 network, 50 images each: four times those of 50 steps."""
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        images, labels = torch.rand(50, SIDE * SIDE), torch.randint(CLASSES, (50,))
        net = nn.Sequential(nn.Linear(SIDE * SIDE, 64), nn.ReLU(), nn.Linear(64, CLASSES))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        for step in range(60):
            if step == 10:  # the first steps warm up
                started = time.process_time()
            optimizer.zero_grad()
            F.cross_entropy(net(images), labels).backward()
            optimizer.step()
        return 4 * (time.process_time() - started)


@dataclass(frozen=True)
class Trial:
    """What a challenger has shown on one task: share of the new images that are right, numbers kept, laps used."""

    accuracy: float
    numbers: int
    laps: float


def climb(ladder, challenger, task):
    """Let `challenger` train on a task, hold it to the rules, and measure; `ladder` is a check or a test."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        before = lap()
        images, labels = task.images.clone(), task.labels.clone()
        with fence(), ladder.case("a task with 400 images"):
            started = time.process_time()
            net = challenger(images, labels, seconds=LAPS * before)
            used = time.process_time() - started
        laps = used / before
        if laps > LAPS:  # perhaps the machine has slowed down since
            laps = used / max(before, lap())
        ladder.is_a(net, nn.Module)
        numbers = sum(value.numel() for value in net.state_dict().values())
        ladder.that(
            0 < numbers <= PARAMETERS,
            f"The network keeps {numbers:,} numbers, and {PARAMETERS:,} are allowed (at least one): "
            "parameters and buffers, all that `state_dict()` holds.",
        )
        ladder.that(
            laps <= LAPS,
            f"Your function took {laps:.0f} laps of CPU time, and {LAPS} are allowed.",
        )
        scores = answers(ladder, net, task.new_images)
        accuracy = (scores.argmax(1) == task.new_labels).float().mean().item()
        ladder.that(
            accuracy > 0.2,
            f"{accuracy:.0%} of the new images are right, and guessing gives 10 %. Has the network been "
            "trained, on these images and these labels? (The classes are renamed for each task.)",
        )
        ladder.that(
            accuracy >= RUNGS[0],
            f"{accuracy:.1%} of the new images are right; the first rung is at {RUNGS[0]:.0%}.",
        )
        return Trial(accuracy, numbers, laps)
    finally:
        torch.set_num_threads(threads)


@torch.no_grad()
def answers(ladder, net, images):
    """The scores of the trained network, (B, 10), if they are what the rules ask for."""
    net.eval()
    with ladder.case("new images of shape (1000, 1, 10, 10), in evaluation mode"):
        scores = net(images.clone())
    ladder.shape(scores, (len(images), CLASSES), "Ten scores an image, one a class.")
    ladder.that(bool(scores.isfinite().all()), "Some scores are nan or infinite.")
    with ladder.case("three images instead of a thousand"):
        few = net(images[:3].clone())
    ladder.close(
        few,
        scores[:3],
        "An image gets other scores if other images are in the batch, or when it is asked again. In evaluation "
        "mode each image should be judged alone, and without dice.",
        atol=1e-3,
        rtol=1e-3,
    )
    net.load_state_dict({name: torch.zeros_like(v) for name, v in net.state_dict().items()})
    empty = net(images[:50].clone()).softmax(1)
    ladder.that(
        torch.allclose(empty, empty[:1].expand_as(empty), atol=1e-4, equal_nan=True),
        "With all its numbers at 0 the network still tells images apart: it keeps something outside of its "
        "parameters and buffers. All that it has learned should be in `state_dict()`.",
    )
    return scores


def points_of(accuracy):
    """A point for each rung that is reached, and one times the accuracy itself."""
    return round(sum(accuracy >= rung for rung in RUNGS) + accuracy, 3)


# %% [markdown]
# ## The task
#
# A **task** is drawn from a number, its seed. It takes 1,400 of scikit-learn's handwritten digits, and then throws dice: all images are turned by 0, 90, 180 or 270 degrees, perhaps mirrored, perhaps white on black; the ten classes are renamed. These dice are thrown once, for the whole task. Each image is then moved by up to one pixel in both directions (of ten, which is a lot), drawn with
# more or less ink, and covered with noise. You get 400 images with labels. The accuracy is measured on the 1,000 others.
#
# So no trained network fits as it is, and what you *do* with 400 images is everything. The 1,000 others are digits of scikit-learn's as well: whoever loads those, or brings weights that were trained on them, has seen the answers. That is out of bounds, and while your function runs, `load_digits` raises an error, and with it `handwriting` and `draw_task`. (This is a fence and not a wall. Who climbs over it has won nothing.) `draw_task(0)`, `draw_task(1)` and so on are there to practise. The one that counts has a seed that you do not know.

# %%
PRACTICE = {seed: draw_task(seed) for seed in (0, 2)}


def plot_tasks(tasks):
    fig, axes = lab.figure(2 * len(tasks), CLASSES, height=0.8)
    for number, (seed, task) in enumerate(tasks.items()):
        for kind in range(CLASSES):
            images = task.images[task.labels == kind][:2, 0]
            for row, image in enumerate(images):
                ax = axes[2 * number + row, kind]
                ax.imshow(image, cmap="gray", vmin=0, vmax=1)
                ax.set(xticks=[], yticks=[])
                if row == 0:
                    ax.set_title(f"{kind}", fontsize=9)
        axes[2 * number, 0].set_ylabel(f"task {seed}", fontsize=9)
    return fig


lab.show(
    plot_tasks(PRACTICE),
    alt="Two practice tasks, each as two rows of ten small grey images, one column a class. The digits are turned, "
    "mirrored or inverted, noisy, and not centred; class 0 of the first task is another digit than class 0 of the second.",
)

# %% [markdown]
# ## The budget
#
# **10,000 numbers.** All that the trained network keeps counts: parameters, and buffers such as the running statistics of batch norm. (A dense network of 100-88-10 has 9,778.) Nothing may be hidden elsewhere, in a list or a global: the test sets all of them to 0 and looks whether the network still knows anything.
#
# **20 laps.** Seconds mean nothing across machines, so the test measures yours first. A *lap* is the CPU time of 200 plain training steps of a small network (100-64-10, batches of 50), measured before your function runs. If it took too many, a lap is measured once more, and the slower one counts. Your function may take 20 of them, on one thread. It is told how many seconds that is. CPU time does not run while the machine is busy with something
# else. All the same, plan for half of the budget: then no unlucky measurement can hurt you.
#
# And three rules of fairness: your function learns from the 400 images that it is given and from nothing else; in evaluation mode the network judges each image alone (no statistics of the batch that it happens to sit in); and it gives the same answer when it is asked again.
#
# **Points.** A point for each of five rungs, 45, 60, 70, 77 and 83 % of the new images. The sixth point is the accuracy itself: 0.912 gives 0.912. Nobody gets all of it; it is there because a leaderboard needs more than five places. So 5.912 in the gradebook reads: five rungs, 91.2 %.
#
# What would you try first? We begin with what most people would.


# %%
def batches_of(n, size=50):
    """Endless batches of indices, each epoch in a new order."""
    while True:
        yield from torch.randperm(n).split(size)


def dense(width=64, depth=1, dropout=0.0, batch_norm=False, standardise=True):
    """100 inputs, hidden layers of ReLU, 10 scores; a batch norm in front brings the pixels to mean 0 and spread 1."""
    # Without a scale of its own: in front of another norm nothing would hold that scale away from 0.
    layers, size = [nn.BatchNorm2d(1, affine=False)] if standardise else [], SIDE * SIDE
    layers += [nn.Flatten()]
    for _ in range(depth):
        linear = nn.Linear(size, width)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="relu")
        nn.init.zeros_(linear.bias)
        layers += [linear]
        layers += [nn.BatchNorm1d(width)] if batch_norm else []
        layers += [nn.ReLU()] + ([nn.Dropout(dropout)] if dropout else [])
        size = width
    return nn.Sequential(*layers, nn.Linear(size, CLASSES))


def moved(images, reach):
    """Each image moved by up to `reach` pixels, its edges repeated: a rough cousin of what you will write.

    `grid_sample` looks each pixel up at a place of its own, in units in which an image reaches from -1 to 1.
    """
    height, width = images.shape[-2:]
    down, right = torch.randint(-reach, reach + 1, (2, len(images), 1, 1))
    y, x = down + torch.arange(height)[:, None], right + torch.arange(width)
    places = torch.broadcast_tensors(2 * x / (width - 1) - 1, 2 * y / (height - 1) - 1)
    return F.grid_sample(
        images,
        torch.stack(places, -1),
        mode="nearest",
        padding_mode="border",
        align_corners=True,
    )


def train(net, images, labels, *, lr, steps=500, decay=0.0, reach=0, cycle=False):
    """AdamW, with moved images and 1cycle if asked for; returns the network in evaluation mode."""
    optimizer = torch.optim.AdamW(net.parameters(), lr=lr, weight_decay=decay, fused=True)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda _: 1.0)
    if cycle:
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps)
    net.train()
    for _, index in zip(range(steps), batches_of(len(labels)), strict=False):
        x = moved(images[index], reach) if reach else images[index]
        optimizer.zero_grad()
        F.cross_entropy(net(x), labels[index]).backward()
        optimizer.step()
        scheduler.step()
    return net.eval()


@torch.no_grad()
def right_share(net, images, labels):
    return (net(images).argmax(1) == labels).float().mean().item()


# %% [markdown]
# ## More images than you have
#
# 400 images, about 40 a class. A digit that is moved by a pixel is still the same digit, so each image stands for nine that cost nothing: **augmentation**. For each batch you draw new positions, so that no two epochs see the same images. What the network learns by heart in one epoch is of no use in the next.
#
# It is the only regulariser that knows something about the world: it says *which* changes do not matter. That is also its danger. Mirrored letters are other letters, and a 6 that is turned is a 9.
#
# What enters at the edge when an image moves? Zeros, if the paper is black. Here it may be white.

# %% [markdown] role="card" exercise="shifted" level=2 minutes=15 topic="Augmentation" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.pad.html"
# ### Each image moved its own way
#
# Return a batch in which each image has been moved by an offset of its own, drawn anew in each call: rows and columns each by a whole number from $-r$ to $r$, **both ends included**, all $(2r+1)^2$ offsets equally likely.
#
# - `images` has shape $(B, C, H, W)$ and any floating-point dtype; the result has the same, and is a new tensor, for $r=0$ too. All channels of an image move together. The argument stays as it is.
# - What leaves the image is lost: nothing comes in again at the other side. What enters is `fill`.
# - `reach` is an `int` from 0 (nothing moves) to less than $H$ and $W$.
#
# Use torch's random numbers (`torch.randint`), so that a seed repeats them.


# %% role="stub" exercise="shifted"
def shifted(images: torch.Tensor, reach: int, fill: float = 0.0) -> torch.Tensor:
    """Move each image of a batch by a random offset of its own.

    Args:
        images: (B, C, H, W).
        reach: the largest offset in pixels, in both directions; 0 moves nothing.
        fill: the value of the pixels that enter.

    Returns:
        A new tensor of the same shape and dtype.
    """
    ### BEGIN SOLUTION
    n, channels, height, width = images.shape
    padded = F.pad(images, (reach,) * 4, value=fill)
    down, right = torch.randint(2 * reach + 1, (2, n, 1))
    rows = (down + torch.arange(height))[:, None, :, None]
    columns = (right + torch.arange(width))[:, None, None, :]
    which = torch.arange(n)[:, None, None, None], torch.arange(channels)[:, None, None]
    return padded[which[0], which[1], rows, columns]
    ### END SOLUTION


# %% role="check" exercise="shifted"
with Check("shifted") as check:
    torch.manual_seed(0)
    dots = torch.zeros(600, 2, 7, 9)
    dots[:, 0, 3, 4], dots[:, 1, 3, 4] = 1.0, 2.0  # one dot in the middle of each channel
    kept = dots.clone()
    out = shifted(dots, reach=2)
    check.shape(out, (600, 2, 7, 9))
    check.that(
        torch.equal(dots, kept), "Your function changes its argument: make a new tensor."
    )
    check.that(
        bool(((out[:, 0] == 1).sum((1, 2)) == 1).all()),
        "An image with a single dot should have a single dot afterwards.",
    )
    place = out[:, 0].flatten(1).argmax(1)
    down, right = place // 9 - 3, place % 9 - 4
    check.that(
        place.unique().numel() > 1,
        "All images of the batch are moved by the same offset. Draw one for each image.",
    )
    check.that(
        torch.equal(out[:, 1].flatten(1).argmax(1), place),
        "The channels of an image are moved apart: they should move together.",
    )
    check.that(
        bool((down != right).any()) and bool((down != -right).any()),
        "Images are moved along a diagonal only: rows and columns need an offset each.",
    )
    for name, offset in (("rows", down), ("columns", right)):
        found = sorted(offset.unique().tolist())
        check.that(
            found == [-2, -1, 0, 1, 2],
            f"With reach=2 the {name} should move by −2, −1, 0, 1 or 2, but yours move by {found}. "
            "(`torch.randint` leaves out its upper end.)",
        )
    check.that(not torch.equal(out, shifted(dots, reach=2)), "Two calls move the images alike.")
    paper = torch.full((300, 1, 5, 5), 7.0)
    paper[:, :, 0] = 1.0  # the top row is marked
    out = shifted(paper, reach=1, fill=-3.0)
    went_down = out[:, 0, 1, 2] == 1.0
    check.that(
        bool((out[went_down, 0, 0, 2] == -3.0).all()),
        "Where an image moves down, its top row should be `fill`.",
    )
    check.that(
        bool((out[:, 0, 4, 2] != 1.0).all()),
        "The top row comes in again at the bottom. What leaves the image should be lost.",
    )
    with check.case("reach=0"):
        out = shifted(paper, reach=0)
    check.that(torch.equal(out, paper), "With reach=0 nothing should move.")


# %% [markdown] role="hints" exercise="shifted"
# <details><summary>Hint 1: a larger sheet</summary>
#
# Put a frame of `reach` pixels around all images: `F.pad(images, (reach,) * 4, value=fill)`. Now a moved image is nothing but a *window* of the old size, cut out of the larger one.
#
# </details>
# <details><summary>Hint 2: a window for each image</summary>
#
# The window's corner is a random number from 0 to $2r$ in each direction, which is $2r+1$ possibilities. A loop over the batch with slices is right, and slow. `torch.stack` puts the pieces together again.
#
# </details>
# <details><summary>Hint 3: without a loop</summary>
#
# Indexing with tensors does all windows at once: `padded[which, channel, rows, columns]`, where `which` has shape $(B,1,1,1)$, `channel` $(C,1,1)$, `rows` $(B,1,H,1)$ and `columns` $(B,1,1,W)$. They broadcast to $(B,C,H,W)$.
#
# </details>

# %% role="test" exercise="shifted" points=2
# Graded with hidden tests: other shapes, dtypes, reaches and fills, the distribution of the offsets.
### BEGIN HIDDEN TESTS
with HiddenTest("shifted") as test:
    for (n, channels, height, width), reach, fill, dtype in (
        ((900, 1, 6, 6), 1, 0.0, torch.float32),
        ((2500, 3, 4, 7), 2, -1.0, torch.float64),
        ((50, 2, 9, 5), 0, 3.0, torch.float32),
        ((1, 1, 8, 8), 3, 0.5, torch.float32),
        ((400, 1, 3, 3), 2, 9.0, torch.float64),
    ):
        # every pixel its own number, so that each offset shows
        images = 1 + torch.arange(n * channels * height * width, dtype=dtype).reshape(
            n, channels, height, width
        )
        images = images / images.numel()
        frame = torch.full((n, channels, height + 2 * reach, width + 2 * reach), fill)
        frame = frame.to(dtype)
        frame[:, :, reach : reach + height, reach : reach + width] = images
        offsets = [(a, b) for a in range(2 * reach + 1) for b in range(2 * reach + 1)]
        windows = torch.stack([frame[:, :, a : a + height, b : b + width] for a, b in offsets])
        kept, leaf = images.clone(), images.clone()
        with test.case(f"shape {(n, channels, height, width)}, reach={reach}, fill={fill}"):
            out = shifted(images=leaf, reach=reach, fill=fill)
        test.shape(out, (n, channels, height, width))
        test.that(out.dtype == dtype, "The result should have the dtype of the images.")
        test.that(torch.equal(leaf, kept), "Your function changes its argument.")
        out.add_(0)
        test.that(
            out.data_ptr() != leaf.data_ptr(),
            "With reach=0, too, a new tensor should come back.",
        )
        fits = (windows == out).flatten(2).all(2)
        test.that(
            bool(fits.any(0).all()),
            f"With reach={reach} and fill={fill} an image came out that is no moved one: each should keep its "
            "pixels, all channels moved alike, nothing wrapped around, `fill` where pixels enter.",
        )
        if n >= 400:
            share = fits.double().mean(1)
            even = 1 / len(offsets)
            test.that(
                bool((share - even).abs().max() <= 6 * math.sqrt(even * (1 - even) / n)),
                f"With reach={reach} the {len(offsets)} offsets should be equally likely, both ends included.",
            )
            test.that(
                not torch.equal(out, shifted(images, reach, fill)), "Two calls are alike."
            )
    torch.manual_seed(5)
    first = shifted(torch.rand(40, 1, 5, 5), 1)
    torch.manual_seed(5)
    test.that(
        torch.equal(first, shifted(torch.rand(40, 1, 5, 5), 1)),
        "The same seed of torch should repeat the offsets.",
    )
    white = torch.ones(64, 1, 4, 4)
    test.that(bool((shifted(white, 1) == 0).any()), "Without an argument `fill` should be 0.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="shifted"
# Indexing with broadcast tensors is cheap, so the augmentation is not what limits your laps: in the table below it adds about one to four. Note what the test for uniform offsets asks for: with an off-by-one, `randint(-reach, reach)`, the images still move about and no loss curve would show it, but the world drifts to the upper left.

# %% [markdown]
# ## What pays
#
# Nine recipes on the same tasks, 500 steps each. All but the first begin with a batch norm for the pixels, which standardises them. Each recipe gets its own learning rate from four candidates, chosen on three tasks that are not used again; then it meets eight other tasks, and we print the mean of its accuracy over them with a 95 % interval, the laps that it took, and the lead over "88 units", task by task.
#
# **Predict, then run.** Which of the changes gains most on 400 images: standardised pixels, a wider layer, a second layer with batch norm, dropout, weight decay, 1cycle, or moved images? Which gain nothing?

# %%
RECIPES = {
    "88, raw pixels": ({"width": 88, "standardise": False}, {}),
    "40 units": ({"width": 40}, {}),
    "88 units": ({"width": 88}, {}),
    "2 × 55, batch norm": ({"width": 55, "depth": 2, "batch_norm": True}, {}),
    "88, dropout 0.5": ({"width": 88, "dropout": 0.5}, {}),
    "88, weight decay 1": ({"width": 88}, {"decay": 1.0}),
    "88, 1cycle": ({"width": 88}, {"cycle": True}),
    "88, moved": ({"width": 88}, {"reach": 1}),
    "88, moved, 1cycle": ({"width": 88}, {"reach": 1, "cycle": True}),
}


def recipe_run(seed, recipe, lr):
    """Accuracy and seconds of one recipe on the task number `seed`."""
    task = draw_task(seed)
    build, how = RECIPES[recipe]
    torch.manual_seed(seed)
    started = time.process_time()
    net = train(
        dense(**build), task.images, task.labels, lr=lr, steps=budget(500, fast=60), **how
    )
    seconds = time.process_time() - started
    return {"accuracy": right_share(net, task.new_images, task.new_labels), "seconds": seconds}


rates = {"recipe": list(RECIPES), "lr": budget([0.003, 0.01, 0.03, 0.1], fast=[0.003])}
search = lab.sweep(recipe_run, rates, budget(range(100, 103), fast=[100]))
own = lab.best(search, by="recipe", value="accuracy")
print(search.groupby(["recipe", "lr"], sort=False).accuracy.mean().unstack().round(3))
own.drop(columns="n").round(3)

# %%
own_rate = own.set_index("recipe").lr
races = lab.sweep(
    lambda recipe, seed: recipe_run(seed, recipe, own_rate[recipe]),
    {"recipe": list(RECIPES)},
    budget(range(200, 208), fast=[200, 201]),
)
one_lap = min(lap() for _ in range(3))
standing = lab.summary(races, by="recipe", value="accuracy").drop(columns="sd")
standing["laps"] = standing.recipe.map(races.groupby("recipe").seconds.median()) / one_lap
leads = lab.paired_difference(races, "recipe", "accuracy", baseline="88 units")
print(standing.round(3).to_string(index=False))
moving = races[races.recipe.str.startswith("88, moved")]
cycle_on_moved = lab.paired_difference(moving, "recipe", "accuracy", baseline="88, moved")
print(
    "\n1cycle on moved images:",
    cycle_on_moved.drop(columns=["n", "sd"]).round(3).to_dict("records"),
)
leads.drop(columns=["n", "sd"]).round(3)

# %% [markdown]
# Every one of these networks knows its 400 images by heart, or could. What separates them is what they make of others, and there one change stands out: **moved images bring 14 points** (13 to 15), more than any other change. Standardised pixels come next, with twelve (8 to 17): about half of the tasks are black on white, and then most raw pixels are close to 1. The step from 40 to 88 units brings four. Dropout costs nearly three points (1 to 4), 1cycle by itself three and a half (2 to 5), and a second layer with batch norm, at the same budget of numbers, seven (4 to 9). More of what is not missing helps little, or harms.
#
# Look at weight decay in the first table. At the rate 0.01 it is two points ahead of "88 units". But "88 units" prefers 0.03, and where each has its own rate nothing is left of the lead (−1.0 to +0.4 points). With a grid that ended at 0.01 we would have praised weight decay for a rate that the other was not allowed to try. No recipe chose an end of its rates this time.
#
# And 1cycle on top of moved images? Two points (0.8 to 3.0) here, but on eight other tasks, with rates chosen anew, we saw none that chance could not explain. What did come back there: the lead of moved images, some fifteen points; and whatever lost here lost there.
#
# (What the text says holds for the full run. The accuracy of one recipe differs from task to task by several points; that is why all of them met the same tasks.)
#
# ## Yours
#
# Five habits that pay in a contest like this, and in most projects:
#
# 1. **Write the measure first.** It is written: the cell behind your function runs it on one practice task, the one under "Where do you stand?" on five, as often as you like.
# 2. **Start from something that works,** and change one thing at a time. A run takes a second, so nothing has to be guessed.
# 3. **Look at several tasks.** Between two of them the accuracy differs by as much as most ideas bring. Compare task by task.
# 4. **Spend the budget on what limits you.** Is the training accuracy near 100 % and the other far below? Then more width brings little: more than twice the units were worth four points, moved images fourteen.
# 5. **Leave a margin.** Half of the laps, and a network that is not tuned to one task.

# %% [markdown] role="card" exercise="challenger" level=3 minutes=60 topic="Open challenge" doc="https://docs.pytorch.org/docs/stable/nn.html" needs="shifted"
# ### Your best network
#
# Write a function that gets 400 images and their labels, trains a network of your choice on them, and returns it.
#
# - `images` is $(400, 1, 10, 10)$, float32, from 0 to 1; `labels` is $(400,)$, int64, from 0 to 9. `seconds` is the CPU time that you may use, on this machine. You may ignore it if you know that you need less.
# - The returned `nn.Module` maps images $(B, 1, 10, 10)$ to scores $(B, 10)$, the largest for the class that it believes in. It keeps at most 10,000 numbers in its `state_dict()`, and nothing elsewhere.
# - It is put into evaluation mode before it is asked, with gradients off. There it judges each image alone, and repeats itself when asked again.
# - Everything runs on the CPU, on one thread.
#
# The hidden test draws a task from a seed of its own. **Rungs: 45, 60, 70, 77, 83 % of 1,000 new images, one point each; the sixth point is the accuracy.** (80.3 % earn 4.803 points, 44 % earn 0.44.) Whoever breaks a rule of the budget (10,000 numbers, 20 laps) gets nothing, so leave a margin. You may call your `shifted`, and all that is defined above, such as `dense` and `train`; train on the given images only: scikit-learn's digits are locked away while your function runs.


# %% role="stub" exercise="challenger"
def challenger(images: torch.Tensor, labels: torch.Tensor, seconds: float) -> nn.Module:
    """Train the best network that the budget allows.

    Args:
        images: (N, 1, 10, 10), float32, from 0 to 1.
        labels: (N,), int64, from 0 to 9.
        seconds: CPU seconds that the call may take.

    Returns:
        A network from images (B, 1, 10, 10) to scores (B, 10), with at most 10,000 numbers.
    """
    ### BEGIN SOLUTION
    steps, size = 150, 50
    net = nn.Sequential(
        nn.BatchNorm2d(1),
        nn.Conv2d(1, 16, 3, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1, bias=False), nn.MaxPool2d(2), nn.BatchNorm2d(32), nn.ReLU(),
        nn.Flatten(), nn.Linear(128, CLASSES),
    )  # fmt: skip
    optimizer = torch.optim.AdamW(net.parameters(), lr=0.02, weight_decay=0.05)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.02, total_steps=steps)
    paper = images.median().item()
    order = torch.empty(0, dtype=torch.int64)
    for _ in range(steps):
        if len(order) < size:
            order = torch.randperm(len(labels))
        index, order = order[:size], order[size:]
        optimizer.zero_grad()
        F.cross_entropy(net(shifted(images[index], 1, paper)), labels[index]).backward()
        optimizer.step()
        cycle.step()
    return net
    ### END SOLUTION


# %% role="check" exercise="challenger"
with Check("challenger") as check:
    torch.manual_seed(0)
    climb(check, challenger, draw_task(0))

# %% [markdown] role="hints" exercise="challenger"
# <details><summary>Hint 1: the first rung</summary>
#
# `dense(88)` and `train` above, with the best rate of the table, are a challenger already: build, train, return. They got 64.6 % in the table: the first rung for sure, and the second on most tasks. Then look at the table for what to add.
#
# </details>
# <details><summary>Hint 2: the middle rungs</summary>
#
# Moved images, with a `fill` that is the colour of the paper (`images.median()` knows it), and a rate that comes down to 0. Do not forget `net.train()` if you look at it in evaluation mode in between.
#
# </details>
# <details><summary>Hint 3: the last rung</summary>
#
# A dense layer has to learn each stroke anew at every place. A convolution learns it once. Two of 3 × 3, each with pooling, batch norm and ReLU behind it, and one dense layer at the end fit well into the budget of numbers; choose the channels so that the second has more than the first. Each step costs about three times as much as one of a dense network: count the laps.
#
# </details>

# %% role="test" exercise="challenger" points=6
# Graded with hidden tests: the rules and the rungs, on a task that nobody has seen. 4.803 points are four rungs and 80.3 %.
### BEGIN HIDDEN TESTS
with HiddenTest("challenger") as test:
    seen = climb(test, challenger, draw_task(71_000 + torch.randint(1_000, ()).item()))
points_of(seen.accuracy)
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="challenger"
# The solution is deliberately plain: two convolutions, batch norm, AdamW, 1cycle, images moved by one pixel, 150 steps in about a third of the budget (6 to 9 laps when this page was made). It reaches 86 to 89 % on the five practice tasks below, 88 % on average. What it does not do, and you may: average the last weights, train two smaller networks and add their scores, stretch and turn the images a little, soften labels, search its settings over twenty practice tasks.

# %% [markdown]
# ## Where do you stand?
#
# The same measure on other tasks, as often as you like. Judge by the mean, and by the worst. (The column `points` is what the gradebook would say; a broken rule gets a column of its own.)


# %%
def standing_of(contender, seeds):
    """Measure a challenger on several practice tasks; a rule that it breaks stands in the column `because`."""
    rows = []
    for seed in seeds:
        torch.manual_seed(seed)
        try:
            seen = climb(HiddenTest("challenger"), contender, draw_task(seed))
        except AssertionError as broken:
            rows.append({"task": seed, "points": 0.0, "because": str(broken)})
        else:
            facts = {"accuracy": seen.accuracy, "numbers": seen.numbers, "laps": seen.laps}
            rows.append({"task": seed, **facts, "points": points_of(seen.accuracy)})
    order = ["task", "accuracy", "numbers", "laps", "points", "because"]
    return pd.DataFrame(rows, columns=order).dropna(axis=1, how="all")


yours = None
with needs("challenger", "shifted"):
    yours = standing_of(challenger, budget(range(1, 6), fast=[1]))
    print(yours.round(3).to_string(index=False))

# %% [markdown]
# ## The twentieth try
#
# In a contest with a public leaderboard you hand in, look at your score, change something, hand in again, and keep the best. Or you do it alone, with a validation set. What is the best of $k$ scores worth?
#
# The cleanest experiment: take tries that are *equally good*, as nearly as one can. We train the same recipe with 40 different seeds on one task, and split its 1,000 new images at random into a public and a private half. Of $k$ tries we keep the one with the best public score, and look at its private one. Then we split anew, a thousand times.
#
# **Predict, then run.** The tries differ by nothing but their seeds. By how many points does the public score of the best of 20 exceed its private one?


# %%
def right_or_wrong(seed, task):
    """Which of the new images a small network gets right, (1000,)."""
    torch.manual_seed(seed)
    net = train(dense(64), task.images, task.labels, lr=0.003, steps=budget(200, fast=40))
    with torch.no_grad():
        return net(task.new_images).argmax(1) == task.new_labels


def best_of(tries, hits, splits=1000):
    """Mean public and private accuracy of the publicly best of so many tries, over random splits of the images."""
    dice = np.random.default_rng(0)
    public, private = [], []
    for _ in range(splits):
        chosen = hits[dice.permutation(len(hits))[:tries]]
        order = dice.permutation(hits.shape[1])
        half = len(order) // 2
        scores = chosen[:, order[:half]].mean(1)
        winner = scores.argmax()
        public.append(scores[winner])
        private.append(chosen[winner, order[half:]].mean())
    return {"tries": tries, "public": np.mean(public), "private": np.mean(private)}


contest = draw_task(300)
hits = torch.stack([right_or_wrong(seed, contest) for seed in range(budget(40, fast=6))])
hits = hits.numpy()
luck = pd.DataFrame(
    [best_of(tries, hits) for tries in (1, 2, 5, 10, 20, 40) if tries <= len(hits)]
)
luck["promised too much"] = luck.public - luck.private
luck.round(4)


# %%
def plot_luck(luck):
    fig, ax = lab.figure(height=2.8)
    for i, name in enumerate(("public", "private")):
        ax.plot(
            luck.tries,
            100 * luck[name],
            label=f"{name} half of the images",
            **lab.line_style(i),
        )
    ax.set(
        xscale="log", xlabel="tries, of which the publicly best is kept", ylabel="accuracy (%)"
    )
    ax.set_xticks(luck.tries, [f"{k}" for k in luck.tries])
    ax.minorticks_off()
    ax.legend()
    return fig


lab.show(
    plot_luck(luck),
    alt="Accuracy of the publicly best of k tries against k from 1 to 40, on a logarithmic axis: on the public half "
    "it climbs by several points, on the private half by a fraction of that.",
)

# %% [markdown]
# The public score of the winner climbs with the number of tries, by 3.4 points up to 20 of them, and the private one follows with 1.4. So the tries were not quite equally good: some seeds do make a better network for this task, and the choice finds a little of that. The rest is luck. The best of 20 promises nearly two points that are not there, although nobody cheated, and no network was trained on a single one of these images. What was fitted to them is the *choice*.
#
# The cure is an old one: choose on one set, report on another that has chosen nothing. Your practice tasks are the first, the hidden task is the second. And since all of the class meet the *same* hidden task once, the leaderboard is fair among you; but whoever leads it has, on average, been lucky too.

# %% [markdown] role="question" exercise="the_best_of_twenty" minutes=8
# ### The best of twenty
#
# In at most eight sentences: (a) A colleague tries 20 learning rates on one validation set of 500 images and reports "88.4 % validation accuracy with the best one". Why is that number too high, even though no network was trained on a validation image? (b) What does the size of the error depend on? Name two things. (c) How do you report a number that is not too high, without giving up the search?

# %% [markdown] role="answer" exercise="the_best_of_twenty" points=2
# (a) Each of the 20 scores is the true accuracy plus luck, because 500 images are a sample. The largest score is likely to belong to a try with good luck, so the maximum overestimates the accuracy of its own winner. (b) On the number of tries (the maximum of $k$ equally good, independent tries lies about 1.9 standard deviations above the mean for $k=20$, and never more than $\sqrt{2\ln k}$ on average), and on the number of images (one standard deviation is $\sqrt{p(1-p)/n}$, 1.5 points for $n=500$ and $p=0.88$; tries that are judged on the same images share a part of that luck). If the tries truly differ by much more than that, the winner is mostly better, and the error is small. (c) Choose on the validation images, then measure the chosen one, once, on test images that took no part in any choice; or, with few data, on an outer fold of nested cross-validation.

# %% [markdown]
# ## What we measured

# %%
lead = leads.set_index("recipe")
share = standing.set_index("recipe")["mean"]

gains = luck.set_index("tries")
many = gains.index.max()

with Claims() as claim:
    claim(
        "the score reads as promised: 4.803 for 80.3 %, 0.45 is the first rung",
        points_of(0.803) == 4.803 and points_of(0.45) == 1.45 and points_of(0.449) == 0.449,
    )
    claim(
        "moved images lead by more than 10 points, and the interval is above 5",
        lead["mean"]["88, moved"] > 0.10 and lead["low"]["88, moved"] > 0.05,
        weaker=lead["mean"]["88, moved"] > -0.2,
    )
    claim(
        "no recipe chose the lowest or the highest of its rates",
        not own.at_edge.any(),
        weaker=True,
    )
    claim(
        "no other single change is ahead by 3 points; dropout, 1cycle and the second layer are behind",
        lead["mean"].drop(["88, moved", "88, moved, 1cycle"]).max() < 0.03
        and lead["mean"][["88, dropout 0.5", "88, 1cycle", "2 × 55, batch norm"]].max() < 0,
        weaker=lead["mean"].drop(["88, moved", "88, moved, 1cycle"]).max() < 0.3,
    )
    claim(
        "raw pixels are more than 4 points behind standardised ones, 40 units 1 to 8 behind 88",
        lead["mean"]["88, raw pixels"] < -0.04 and -0.08 < lead["mean"]["40 units"] < -0.01,
        weaker=lead["mean"]["88, raw pixels"] < 0.2,
    )
    claim(
        "moved images: with 1cycle at most 2 points worse and 5 better than without",
        -0.02 < cycle_on_moved["mean"].item() < 0.05,
        weaker=abs(cycle_on_moved["mean"].item()) < 0.5,
    )
    claim(
        "the best of 20 or more tries promises 0.5 to 5 points too much, a single try less than 0.5",
        0.005 < gains["promised too much"][many] < 0.05
        and abs(gains["promised too much"][1]) < 0.005,
        weaker=gains["promised too much"][many] > 0,
    )
    claim(
        "its private score rises with the number of tries, too, by 0.3 points or more",
        gains.private[many] > gains.private[1] + 0.003,
        weaker=gains.private[many] > gains.private[1] - 0.05,
    )
    claim(
        "its public score gains more than its private one",
        gains.public[many] - gains.public[1] > gains.private[many] - gains.private[1],
    )

# %% [markdown]
# ## In short
#
# - A contest is a measure, a budget and a rule against looking. Write the measure first.
# - What limits you decides what helps: with few images it is more images, or a network that knows something about images.
# - Compare on several tasks, pairwise, each recipe at its own rate.
# - The best of many tries has been lucky. Choose on one set, report on another.
#
# **Read on.** Simard, Steinkraus and Platt (2003), *Best practices for convolutional neural networks applied to visual document analysis*, on how much invented images bring. Blum and Hardt (2015), *The ladder: a reliable leaderboard for machine learning competitions*. Recht, Roelofs, Schmidt and Shankar (2019), *Do ImageNet classifiers generalize to ImageNet?*, who built a new test set, with a comforting and an uncomfortable answer.
#
# This is the end of the course. What you can do now is not to know which method is best, but how to find out.

# %%
lab.show_progress("ch06")
