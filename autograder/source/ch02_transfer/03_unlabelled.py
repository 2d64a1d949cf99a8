# ---
# jupyter:
#   lesson:
#     title: Learning without labels
#     minutes: 95
# ---

# %% [markdown]
# Labels are dear. Somebody has to look at each picture and say what it is. Pictures themselves are cheap: they lie around in heaps. Twenty labels, twenty thousand pictures; is there nothing that a network could learn from the heap?
#
# There is, and the trick is to let the pictures ask the questions. Squeeze a picture through a narrow place and demand it back. Turn it on its side and ask which way is up. Cover a part of it and ask what was there. The answers cost nothing, for you knew them before you asked. Large language models get most of their training like that, on one question: *what is the next word?*
#
# In this lesson you build three such questions and a piece of history, and then hold a race that is fair to the net that never saw the heap. Not all that glitters will win. After it you can
#
# - build an autoencoder and say what it must beat,
# - pretrain a deep net greedily, layer by layer, as in 2006, and say which disease that eased and what cures it today,
# - make labels out of data: turned images and hidden patches, with the loss that belongs to them,
# - say what self-supervision is worth on a task, with an interval, and recognise a question that a net can answer without learning anything.
#
# You need: "Standing on another net's shoulders" (copied layers, a head, paired draws) and the cross-entropy.

# %% role="setup"
import copy
import functools
import itertools
import math

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %% [markdown]
# ## A heap, and twenty labels
#
# Two small tasks, each with **20 labelled images**, ten of each class. The *easy pair* is the one of the first lesson: T-shirt/top against pullover. The *hard pair* is pullover against shirt: both hang straight down, and many shirts have long sleeves too. Then only a row of buttons or a collar tells them apart, a few grey pixels in a picture of 28 × 28.
#
# And the heap: 20,000 training images of all ten classes, our three among them, with the labels taken off. (The labelled twenty come from the whole training set; about a third of them lie in the heap as well, without their labels.)

# %%
device = lab.device()
clothes = lab.fashion_mnist().to(device)
PAIRS = {"easy": (0, 2), "hard": (2, 6)}
SCALES = ("0 to 1", "standardised")
N_HEAP = budget(20_000, fast=1_500)


def pixels(images, scale="0 to 1"):
    """Images (n, 28, 28) of bytes as vectors (n, 784), in one of the two scales."""
    x = images.to(torch.float32).flatten(1) / 255
    if scale == "standardised":
        x = (x - clothes.train.mean) / clothes.train.std
    return x


def pair_of(split, pair, scale):
    """The images of a pair of classes, and 0. or 1. for the first or second of them."""
    first, second = PAIRS[pair]
    keep = (split.labels == first) | (split.labels == second)
    return pixels(split.images[keep], scale), (split.labels[keep] == second).float()


heap = {scale: pixels(clothes.train.images[:N_HEAP], scale) for scale in SCALES}
fresh = {scale: pixels(clothes.valid.images[:2_000], scale) for scale in SCALES}
pairs = {
    (part, pair, scale): pair_of(getattr(clothes, part), pair, scale)
    for part in ("train", "valid", "test")
    for pair in PAIRS
    for scale in SCALES
}


def draw(pair, seed, scale, n=20):
    """n labelled training images of a pair, as many of each class, and their labels."""
    x, y = pairs["train", pair, scale]
    generator = torch.Generator().manual_seed(seed)
    rows = []
    for label in (0, 1):
        own = torch.nonzero(y.cpu() == label).flatten()
        rows.append(own[torch.randperm(len(own), generator=generator)[: n // 2]])
    rows = torch.cat(rows).to(device)
    return x[rows], y[rows]


def show_images(rows, names, height=0.85):
    """Rows of images, each a tensor (n, 784) with pixels from 0 to 1, with a name for each row."""
    fig, axes = lab.figure(len(rows), len(rows[0]), height=height)
    for axis_row, images, name in zip(axes, rows, names, strict=True):
        for ax, image in zip(axis_row, images, strict=True):
            ax.imshow(image.reshape(28, 28).cpu(), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
            ax.grid(visible=False)
        axis_row[0].set_ylabel(name, fontsize=9, rotation=0, ha="right", va="center")
    return fig


_, pullover, shirt = (clothes.classes[k] for k in (0, 2, 6))
lab.show(
    show_images(list(draw("hard", 0, "0 to 1")[0].split(10)), [pullover, shirt]),
    alt="Two rows of ten small grey pictures, one draw of the hard pair. All ten pullovers above have long sleeves beside a straight "
    "body; most are plain, one has a pale block of print, two have stripes. The shirts below are less alike: some dark ones without sleeves or "
    "with a bare shoulder, two with short sleeves and a row of buttons, three or four with long sleeves, a few of them with a collar, and one with a "
    "large pattern.",
)

# %% [markdown]
# ## Squeeze it, and ask for it back
#
# The oldest question that needs no label is: *which picture was this?* An **autoencoder** has two halves. The encoder $f$ maps an image $x$ to a short vector, the **code**; the decoder $g$ maps the code back. The loss is what was lost on the way, for $n$ images of $d$ pixels
#
# $$\frac{1}{nd}\sum_{i=1}^{n} \lVert\, g(f(x_i)) - x_i \rVert^2 .$$
#
# If the code were as long as the image, both halves could pass everything through and learn nothing. The narrow place forces a choice: what is worth keeping about clothes? Hinton and Salakhutdinov made this work for deep nets in 2006. Our interest is in the encoder. After training the decoder goes into the bin, and on the encoder we put a head for the task that has labels: **unsupervised pretraining**.

# %% [markdown] role="card" exercise="autoencoder" level=1 minutes=9 topic="Autoencoders" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html"
# ### Two halves, mirrored
#
# `sizes` holds the number of inputs, the widths of the hidden layers, and last the length of the code. Return `nn.Sequential(encoder, decoder)`; both halves are an `nn.Sequential` themselves.
#
# - **Encoder**: an `nn.Linear` from each size to the next, each followed by an `nn.ReLU`. The code passes through a ReLU too: later it is the last hidden layer of a classifier.
# - **Decoder**: the same sizes backwards, a ReLU behind each linear layer **but the last**, which is bare: pixels may have any sign.
#
# `[784, 100, 30]` gives Linear(784, 100), ReLU, Linear(100, 30), ReLU and Linear(30, 100), ReLU, Linear(100, 784). Every layer has weights of its own, with a bias, initialised as `nn.Linear` does it. `sizes` has at least two numbers and stays as it is.


# %% role="stub" exercise="autoencoder"
def autoencoder(sizes: list[int]) -> nn.Sequential:
    """An autoencoder of fully connected layers with ReLU, its decoder the mirror image of its encoder.

    Args:
        sizes: inputs, hidden widths, length of the code; a list or tuple of at least two, left as it is.

    Returns:
        nn.Sequential(encoder, decoder), which maps (n, sizes[0]) to (n, sizes[0]).
    """
    ### BEGIN SOLUTION
    encoder, decoder = nn.Sequential(), nn.Sequential()
    for n_in, n_out in itertools.pairwise(sizes):
        encoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
    for n_in, n_out in itertools.pairwise(sizes[::-1]):
        decoder.extend([nn.Linear(n_in, n_out), nn.ReLU()])
    return nn.Sequential(encoder, decoder[:-1])
    ### END SOLUTION


# %% role="check" exercise="autoencoder"
with Check("autoencoder") as check:
    torch.manual_seed(0)
    sizes = [6, 5, 3]
    with check.case("sizes = [6, 5, 3]"):
        model = autoencoder(sizes)
    check.is_a(model, nn.Sequential)
    check.that(sizes == [6, 5, 3], "Your function changes the list `sizes`.")
    check.that(
        len(model) == 2 and all(isinstance(half, nn.Sequential) for half in model),
        "Return nn.Sequential(encoder, decoder): two parts, each an nn.Sequential.",
    )
    encoder, decoder = model
    check.that(
        [type(layer).__name__ for layer in encoder] == ["Linear", "ReLU"] * 2,
        "With three sizes the encoder should be Linear, ReLU, Linear, ReLU, but it is "
        f"{', '.join(type(layer).__name__ for layer in encoder) or 'empty'}.",
    )
    check.that(
        [type(layer).__name__ for layer in decoder] == ["Linear", "ReLU", "Linear"],
        "With three sizes the decoder should be Linear, ReLU, Linear (the last one bare), but it is "
        f"{', '.join(type(layer).__name__ for layer in decoder) or 'empty'}.",
    )
    shapes = [tuple(p.shape) for p in model.parameters() if p.dim() == 2]
    check.that(
        shapes == [(5, 6), (3, 5), (5, 3), (6, 5)],
        f"The linear layers should be 6→5, 5→3, 3→5, 5→6, but they are {', '.join(f'{b}→{a}' for a, b in shapes)}.",
    )
    x = torch.randn(200, 6)
    with check.case("a batch of shape (200, 6)"):
        check.shape(encoder(x), (200, 3), "The first part should give the code.")
        check.shape(model(x), (200, 6))


# %% [markdown] role="hints" exercise="autoencoder"
# <details><summary>Hint 1: neighbours</summary>
#
# `itertools.pairwise([784, 100, 30])` gives (784, 100) and (100, 30). What does it give for the list backwards, `sizes[::-1]`?
#
# </details>
# <details><summary>Hint 2: layer by layer</summary>
#
# Collect layers in a list and unpack it: `nn.Sequential(*layers)`. Do not write `sizes.reverse()`, which turns the caller's list round.
#
# </details>
# <details><summary>Hint 3: the bare end</summary>
#
# Give the decoder its ReLU everywhere, and leave the last entry out at the end: `layers[:-1]`.
#
# </details>

# %% role="test" exercise="autoencoder" points=2
# Graded with hidden tests: other depths, tuples, no shared weights, the signs of code and output, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("autoencoder") as test:
    for sizes in ([4, 3], (7, 7, 7, 7), [20, 16, 12, 8, 4], (5, 9)):
        kept = tuple(sizes)
        with test.case(f"sizes = {sizes}"):
            model = autoencoder(sizes=sizes)
        test.is_a(model, nn.Sequential)
        test.that(tuple(sizes) == kept, "Your function changes the list `sizes`.")
        test.that(
            len(model) == 2 and all(isinstance(half, nn.Sequential) for half in model),
            "Return nn.Sequential(encoder, decoder), each half an nn.Sequential.",
        )
        n_steps = len(kept) - 1
        kinds = [[type(layer).__name__ for layer in half] for half in model]
        test.that(
            kinds[0] == ["Linear", "ReLU"] * n_steps,
            "The encoder should have a ReLU behind each linear layer, the last one included.",
        )
        test.that(
            kinds[1] == (["Linear", "ReLU"] * n_steps)[:-1],
            "The decoder should have a ReLU behind each linear layer but the last.",
        )
        linear = [layer for half in model for layer in half if isinstance(layer, nn.Linear)]
        shape = [(layer.in_features, layer.out_features) for layer in linear]
        way = [*itertools.pairwise(kept), *itertools.pairwise(kept[::-1])]
        test.that(shape == way, "The sizes should go down to the code and back the same way.")
        test.that(
            len({id(layer) for layer in linear}) == 2 * n_steps
            and len({layer.weight.data_ptr() for layer in linear}) == 2 * n_steps,
            "Every layer should have weights of its own; some are shared.",
        )
        test.that(
            all(layer.bias is not None for layer in linear), "Every layer should have a bias."
        )
        x = torch.randn(64, kept[0])
        want = x.double()
        for k, layer in enumerate(linear):
            weight, bias = (p.detach().double() for p in (layer.weight, layer.bias))
            want = want @ weight.T + bias
            want = want.clamp(min=0) if k < 2 * n_steps - 1 else want
            if k == n_steps - 1:
                code = want
        with test.case(f"a batch of 64 for sizes = {sizes}"):
            got_code, got = model[0](x), model(x)
        test.close(got_code.double(), code, "The first half does not give the code.", atol=1e-5)
        test.close(got.double(), want, "The output is not decoder(encoder(x)).", atol=1e-5)
        test.that(bool((got < 0).any()), "No output is negative: is there a ReLU at the end?")
        got.square().sum().backward()
        test.that(
            all(p.grad is not None for p in model.parameters()),
            "Some weights get no gradient.",
        )
    wide = autoencoder([900, 600])
    bound = 1 / 30
    test.that(
        0.5 * bound < wide[0][0].weight.std() < bound
        and wide[0][0].weight.abs().max() <= bound,
        "The weights are not initialised as nn.Linear does it.",
    )
    test.that(
        0.5 * bound < wide[0][0].bias.std() < bound,
        "The biases are not initialised as nn.Linear does it.",
    )
    test.that(
        not torch.equal(autoencoder([5, 4])[0][0].weight, autoencoder([5, 4])[0][0].weight),
        "Two calls give the same weights: set no seed.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="autoencoder"
# The two ends of an autoencoder want different things. The code is going to be a hidden layer of another net, so it gets the activation that all hidden layers have. The output has to hit pixels, so it must be able to take any value that a pixel can take; a ReLU there would cut off everything below zero, which for standardised images is more than half of all pixels, and would pass no gradient where it has cut.

# %% [markdown]
# Before admiring an autoencoder, ask what it has to beat. Two humble rivals compress pictures too:
#
# - **the mean image**: whatever comes in, the mean of all training images comes out. That loses the variance of the pixels, by definition;
# - **PCA**: project onto the $k$ directions in which the images vary most. It has no hidden layer and needs no training, one decomposition is enough. And it is the best that *any* linear encoder and decoder with a code of length $k$ can do: a linear autoencoder trained to perfection arrives there (Baldi and Hornik, 1989).
#
# The autoencoder is the body of our classifier, 784-100-100-100, with the mirror image behind it. We train it on the heap for a few epochs.
#
# **Predict, then run.** Code of 100 numbers for all. What share of the variance do PCA and the autoencoder keep? Which one keeps more?


# %%
def he_(module):
    """He's initialisation for all linear layers, biases 0; moves the module to the device."""
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return module.to(device)


def dense_body():
    """784-100-100-100 with ReLU behind each layer: the body of all nets that race in this lesson."""
    layers = [f for n_in in (784, 100, 100) for f in (nn.Linear(n_in, 100), nn.ReLU())]
    return he_(nn.Sequential(*layers))


def dense_decoder():
    """100-100-100-784, bare at the end."""
    layers = [f for _ in range(2) for f in (nn.Linear(100, 100), nn.ReLU())]
    return he_(nn.Sequential(*layers, nn.Linear(100, 784)))


def restore_loss(model, x, generator):
    return F.mse_loss(model(x), x)


# name of a question -> what stands on the body while it is asked, and its loss
QUESTIONS = {"autoencoder": (dense_decoder, restore_loss)}
# The peak rate is the same for all questions: of 3e-3, 1e-2 and 3e-2 the best for autoencoder and
# rotation, and within 6 % of the loss at 3e-2 for the masked question.
EPOCHS, PEAK = budget(2, fast=1), 1e-2


def pretrain(question, scale, seed, images=None):
    """A body trained on one question about the heap, with its output, in evaluation mode; AdamW with 1cycle."""
    torch.manual_seed(seed)
    make_output, loss_of = QUESTIONS[question]
    model = nn.Sequential(dense_body(), make_output())
    x = heap[scale] if images is None else images
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=PEAK, fused=True)
    updates = EPOCHS * math.ceil(len(x) / 128)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK, total_steps=updates)
    for _ in range(EPOCHS):
        for index in torch.randperm(len(x), generator=generator).split(128):
            optimizer.zero_grad()
            loss_of(model, x[index.to(device)], generator).backward()
            optimizer.step()
            scheduler.step()
    return model.eval()


# %%
def keep_of(loss):
    """Share of the variance of the pixels that a mean squared error leaves."""
    return 1 - loss / spread


garments = fresh["0 to 1"]
middle = heap["0 to 1"].mean(0)
spread = F.mse_loss(middle.expand_as(garments), garments).item()
auto = pretrain("autoencoder", "0 to 1", seed=0)
with torch.no_grad():
    restored = auto(garments)
    # the directions in which the heap varies most, from its covariance matrix
    directions = torch.linalg.eigh(torch.cov(heap["0 to 1"].T)).eigenvectors.flip(1)


def project(k):
    """The images as PCA with k directions restores them."""
    return middle + (garments - middle) @ directions[:, :k] @ directions[:, :k].T


compressed = {
    "PCA, 100 directions": keep_of(F.mse_loss(project(100), garments).item()),
    "PCA, 10 directions": keep_of(F.mse_loss(project(10), garments).item()),
    "autoencoder, code of 100": keep_of(F.mse_loss(restored, garments).item()),
}
print({name: f"{share:.1%} of the variance" for name, share in compressed.items()})
with torch.no_grad():
    silent = (auto[0](garments) == 0).all(0).sum().item()
print(f"{silent} of the 100 numbers of its code are 0 for all fresh images")

fresh_y = clothes.valid.labels[: len(garments)]
pick = [k for c in (2, 6, 0, 3, 7, 8, 9) for k in torch.nonzero(fresh_y == c)[:1, 0].tolist()]
lab.show(
    show_images(
        [part[pick] for part in (garments, project(100), restored)],
        ["original", "PCA", "autoencoder"],
    ),
    alt="The same seven pieces in three rows: a pullover with an emblem, a spotted shirt, a T-shirt with a printed arch, a dress with straps, a "
    "low shoe, a bag with a handle and a boot. Restored by PCA they are blurred but whole: sleeves, straps and the bag's handle are there, the "
    "prints have become light and dark smears. Restored by the autoencoder they are grainy grey shapes: shirt and T-shirt look alike, with pale streaks "
    "where long sleeves would be, the dress is a column, the bag a block without a handle; shoe and boot come back best.",
)

# %% [markdown]
# (What the text says of numbers holds for the full run on the real images. Fast mode and the built-in digits show less.)
#
# The humble one wins, and by far: 91 % against about 70 %. PCA does with 10 directions what this autoencoder does with 100 numbers, of which 44 are dead ReLUs and say nothing at all. PCA computes the best linear answer by a formula, from the whole heap at once; the autoencoder has to find its own, step by step, through units that throw away half of what they see. With many more epochs, and more careful ones, it would probably come closer. So a net that reconstructs has shown nothing until it has been compared with PCA.
#
# For our purpose that is not the end of it. PCA's 100 numbers are linear in the pixels; a linear head on them can say nothing that logistic regression on the pixels could not say. The encoder's numbers are not linear. Whether they are *better* is what the race at the end will ask.
#
# One look more at the last row of the picture. Brightness and rough shape are there. Sleeves have turned pale, or grown where there were none; the bag has lost its handle. All this PCA can do better. Prints, seams and buttons are gone, and with them it would be hard for anybody: a button is four pixels of 784, and a loss that counts pixels has next to nothing to gain from it. Remember that when it comes to the hard pair.
#
# ## 2006: one layer at a time
#
# Autoencoders have a place in history. Around 2000, fully connected nets with more than two hidden layers were thought to be hardly trainable, and with the means of the day they were: sigmoid units, weights drawn small, and a gradient that had died before it reached the first layer. (The first chapter has shown you how.) In 2006, Hinton, Osindero and Teh found a way round: pretrain the layers **one by one**, from below, on
# unlabelled data, each on the outputs of the finished layer beneath it, and train the whole net on the labels only at the end. Their building block was the *restricted Boltzmann machine*, a net of two layers that learns to give its training data a high probability; a year later Bengio and others put a small autoencoder in its place, and it worked nearly as well. This **greedy layer-wise
# pretraining** started what is called deep learning today. So let us see what it did, and why hardly anybody uses it any more.

# %% [markdown] role="card" exercise="greedy_pretrain" level=3 minutes=15 topic="Autoencoders" doc="https://docs.pytorch.org/docs/stable/generated/torch.no_grad.html"
# ### Layer by layer
#
# `x` holds unlabelled vectors (n, d); `activation` is a class, `nn.Sigmoid` unless given. Build an encoder one layer at a time. For each width $w$ of `widths`, in order:
#
# 1. Make a small autoencoder for the current inputs, which have some length $m$: `nn.Sequential(nn.Sequential(nn.Linear(m, w), activation()), nn.Linear(w, m))`, in the dtype and on the device of `x`.
# 2. Call `train(model, inputs)`, once. It is given to you, trains all the parameters of `model` **in place** to reproduce `inputs`, and returns nothing.
# 3. Keep the trained encoder layer and its activation; forget the decoder. What the trained layer makes of the current inputs, **without a graph of gradients**, are the inputs of the next stage.
#
# Return a flat `nn.Sequential`: Linear, activation, Linear, activation, …, two modules for each width, all parameters trainable. `x` stays as it is.


# %% role="stub" exercise="greedy_pretrain"
def greedy_pretrain(
    x: torch.Tensor, widths: list[int], train, activation=nn.Sigmoid
) -> nn.Sequential:
    """A deep encoder, pretrained one layer at a time (Bengio, Lamblin, Popovici and Larochelle, 2007).

    Args:
        x: unlabelled data (n, d), float32 or float64; left as it is.
        widths: of the layers, at least one.
        train: train(model, inputs) trains a model in place to reproduce its inputs; returns nothing.
        activation: class of the activation, such as nn.Sigmoid.

    Returns:
        nn.Sequential of 2 * len(widths) modules, which maps (n, d) to (n, widths[-1]).
    """
    ### BEGIN SOLUTION
    encoder, inputs = nn.Sequential(), x
    for width in widths:
        n_in = inputs.shape[1]
        layer = nn.Sequential(nn.Linear(n_in, width), activation())
        model = nn.Sequential(layer, nn.Linear(width, n_in)).to(x)
        train(model, inputs)
        encoder.extend(layer)
        with torch.no_grad():
            inputs = layer(inputs)
    return encoder
    ### END SOLUTION


# %% role="check" exercise="greedy_pretrain"
with Check("greedy_pretrain") as check:
    torch.manual_seed(0)
    x, calls = torch.rand(40, 6), []
    kept = x.clone()

    def fill(model, inputs):
        """Stands in for training: notes what it gets, and fills the weights with numbers of its own."""
        stage = len(calls)
        calls.append(inputs)
        check.that(
            torch.is_grad_enabled(),
            "Autograd is switched off while `train` runs, so it cannot train: put only the codes under `no_grad`.",
        )
        check.is_a(model, nn.Module, "`train` should be called as train(model, inputs).")
        check.is_a(inputs, torch.Tensor, "`train` should be called as train(model, inputs).")
        check.that(
            not inputs.requires_grad,
            f"The inputs of stage {stage + 1} drag the graph of the stage below along: make the codes under `torch.no_grad()`.",
        )
        n_in, width = ((6, 5), (5, 3), (3, 4))[min(stage, 2)]
        check.that(
            tuple(inputs.shape) == (40, n_in),
            f"Stage {stage + 1} should be trained on {'`x`' if not stage else f'codes of length {n_in}'}, but its inputs "
            f"have the shape {tuple(inputs.shape)}.",
        )
        shapes = [tuple(p.shape) for p in model.parameters()]
        check.that(
            shapes == [(width, n_in), (width,), (n_in, width), (n_in,)],
            f"Stage {stage + 1} should train Linear({n_in}, {width}), its activation and Linear({width}, {n_in}), and "
            f"no other layer, but the parameters have the shapes {shapes}.",
        )
        with torch.no_grad():
            for k, p in enumerate(model.parameters()):
                p.copy_(torch.linspace(-1, 1, p.numel()).reshape(p.shape) * (stage + 1 + k))

    with check.case("x of shape (40, 6) and widths = [5, 3, 4]"):
        encoder = greedy_pretrain(x, [5, 3, 4], fill)
    check.is_a(encoder, nn.Sequential)
    check.that(torch.equal(x, kept), "Your function changes `x`.")
    check.that(
        len(calls) == 3, f"With three widths `train` should run three times, not {len(calls)}."
    )
    check.that(
        [type(layer).__name__ for layer in encoder] == ["Linear", "Sigmoid"] * 3,
        "With three widths the encoder should be Linear, Sigmoid, three times in a row, without the decoders, but it is "
        f"{', '.join(type(layer).__name__ for layer in encoder) or 'empty'}.",
    )
    check.close(calls[0], kept, "The first stage should be trained on `x`.")
    for stage in (1, 2):
        with torch.no_grad():
            codes = encoder[: 2 * stage](kept)
        check.close(
            calls[stage],
            codes,
            f"Stage {stage + 1} should be trained on what the layers below make of `x`, **after** their training, "
            "activation included.",
        )
    first = torch.linspace(-1, 1, 30).reshape(5, 6)
    check.close(
        encoder[0].weight.detach(),
        first,
        "The encoder should hold the layers that were trained.",
    )
    check.that(
        all(p.requires_grad for p in encoder.parameters()),
        "The layers you return are frozen: later they are to be fine-tuned.",
    )


# %% [markdown] role="hints" exercise="greedy_pretrain"
# <details><summary>Hint 1: two things to carry along</summary>
#
# The loop carries two things from stage to stage: the encoder so far, and the inputs of the next stage. It begins with an empty `nn.Sequential()` and with `x`.
#
# </details>
# <details><summary>Hint 2: keep hold of the layer</summary>
#
# Give the layer a name before it goes into the small autoencoder. `train` changes its weights in place, so afterwards your name points at a trained layer.
#
# </details>
# <details><summary>Hint 3: the codes</summary>
#
# Only after `train`: `with torch.no_grad(): inputs = layer(inputs)`. Not a decorator around the whole function, or else `train` has no gradients. For a flat result, `encoder.extend(layer)`.
#
# </details>

# %% role="test" exercise="greedy_pretrain" points=3
# Graded with hidden tests: other widths, dtypes and activations, the inputs of each stage, what is kept.
### BEGIN HIDDEN TESTS
with HiddenTest("greedy_pretrain") as test:

    def stand_in(x, widths, activation):
        """A `train` that judges what it gets and fills the weights with random numbers, and its log."""
        log = {"inputs": x.double().clone(), "stage": 0, "layers": []}

        def fill(model, inputs):
            now, stage = log["inputs"], log["stage"]
            ok = isinstance(model, nn.Module) and isinstance(inputs, torch.Tensor)
            test.that(ok, "`train` should be called as train(model, inputs).")
            test.that(stage < len(widths), "`train` runs more often than there are widths.")
            test.that(
                torch.is_grad_enabled(),
                "Autograd is switched off while `train` runs, so it cannot train anything.",
            )
            test.that(
                not inputs.requires_grad,
                "The inputs of a stage drag the graph of the stage below along.",
            )
            test.that(
                inputs.shape == now.shape and inputs.dtype == x.dtype,
                "A stage is trained on something else than the codes of the stage below, in the dtype of `x`.",
            )
            test.close(
                inputs.double(),
                now,
                "A stage is trained on something else than what the trained layers below make of `x`.",
                atol=1e-5,
            )
            parameters, n_in, width = list(model.parameters()), now.shape[1], widths[stage]
            test.that(
                [tuple(p.shape) for p in parameters]
                == [(width, n_in), (width,), (n_in, width), (n_in,)],
                "A stage should train one encoder layer and its decoder, with biases, and nothing else.",
            )
            test.that(
                all(p.dtype == x.dtype and p.requires_grad for p in parameters),
                "The parameters of a stage should be trainable, in the dtype of `x`.",
            )
            values = [torch.randn(p.shape, dtype=torch.float64) for p in parameters]
            with torch.no_grad():
                for p, value in zip(parameters, values, strict=True):
                    p.copy_(value)
            hidden = activation()(now @ values[0].T + values[1])
            test.close(
                model(inputs).detach().double(),
                hidden @ values[2].T + values[3],
                "A stage should be Linear, activation, Linear: the decoder ends bare.",
                atol=1e-3,
                rtol=1e-3,
            )
            log.update(inputs=hidden, stage=stage + 1)
            log["layers"].append(values[:2])

        return fill, log

    for n, d, widths, activation, dtype in (
        (30, 4, (7,), nn.Tanh, torch.float32),
        (50, 5, [3, 8], nn.ReLU, torch.float64),
        (20, 9, (6, 6, 6, 2), nn.Sigmoid, torch.float32),
    ):
        x = torch.randn(n, d, dtype=dtype)
        kept = x.clone()
        fill, log = stand_in(kept, widths, activation)
        with test.case(f"x of shape ({n}, {d}) in {dtype}, widths = {widths}"):
            encoder = greedy_pretrain(x=x, widths=widths, train=fill, activation=activation)
        test.is_a(encoder, nn.Sequential)
        test.that(torch.equal(x, kept), "Your function changes `x`.")
        test.that(log["stage"] == len(widths), "`train` should run once for each width.")
        test.that(
            len(encoder) == 2 * len(widths)
            and all(isinstance(layer, nn.Linear) for layer in encoder[::2])
            and all(isinstance(layer, activation) for layer in encoder[1::2]),
            "The encoder should be flat: Linear, activation, Linear, activation, … without any decoder.",
        )
        for layer, (weight, bias) in zip(encoder[::2], log["layers"], strict=True):
            told = "The encoder does not hold the layers that were trained, as they were then."
            test.close(layer.weight.detach().double(), weight, told)
            test.close(layer.bias.detach().double(), bias, told)
        test.that(
            all(p.requires_grad and p.is_leaf for p in encoder.parameters()),
            "The layers you return are frozen: later they are to be fine-tuned.",
        )
        test.close(
            encoder(kept).detach().double(),
            log["inputs"],
            "The encoder does not chain the trained layers.",
            atol=1e-5,
        )
    x = torch.rand(5, 3)
    fill, log = stand_in(x, [2], nn.Sigmoid)
    with test.case("no activation given: it should be nn.Sigmoid"):
        greedy_pretrain(x, [2], fill)
    test.that(log["stage"] == 1, "`train` should run once for each width.")
    firsts = []
    for _ in range(2):
        greedy_pretrain(
            x, [2], lambda model, _: firsts.append(next(model.parameters()).detach().clone())
        )
    test.that(
        len(firsts) == 2 and not torch.equal(*firsts),
        "Two calls begin with the same weights: set no seed.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="greedy_pretrain"
# "Greedy" is the word for an algorithm that takes the best next step and never comes back. Each stage solves a shallow problem, with one hidden layer, so that its gradient passes through one activation only and has nowhere to vanish. The price is that a lower layer is finished before the upper ones exist: it keeps what helps to reproduce *its* inputs, whether anybody above has a use for it or not. Detaching the codes is not a matter of speed alone. With the graph left in place, `train` would
# either fail at the second backward pass or send gradients into layers that are meant to be finished.

# %% [markdown]
# Now the old trouble, on purpose: a net with five hidden layers of 100 **sigmoid** units and a softmax on top, all ten classes, 5,000 labelled images, SGD with momentum. Four ways to start:
#
# - *from scratch*: Glorot's initialisation of 2010, which takes the slope of the activation for 1, while that of a sigmoid is 1/4 at most;
# - *greedy*: the five layers pretrained one by one on half of the heap, one epoch each;
# - *all at once*: the five layers pretrained together, as the encoder of one deep sigmoid autoencoder, for five epochs;
# - *ReLU from scratch*: the same net with ReLU and He's initialisation, without any pretraining.
#
# Each has its own best learning rate, one of 0.01, 0.03, 0.1, 0.3 and 1, chosen on a seed that is used for nothing else.
#
# **Predict, then run.** Which of the four learn anything at all? And does pretraining all layers *at once* help the sigmoid net?


# %%
DEPTH, SUPERVISED = 5, budget(6, fast=2)
labelled = clothes.train.take(budget(5_000, fast=600))
labelled_x, labelled_y = pixels(labelled.images), labelled.labels
pile = heap["0 to 1"][: N_HEAP // 2]  # enough to see who gets off the ground


def deep_body(activation, depth=DEPTH):
    """784 inputs, then layers of 100: He's initialisation for ReLU, Glorot's uniform one for sigmoid."""
    layers = [
        f for k in range(depth) for f in (nn.Linear(100 if k else 784, 100), activation())
    ]
    body = he_(nn.Sequential(*layers))
    return body if activation is nn.ReLU else glorot_(body)


def glorot_(module):
    for layer in module.modules():
        if isinstance(layer, nn.Linear):
            nn.init.xavier_uniform_(layer.weight)
    return module


def restore(model, inputs, epochs=1, peak=1e-2):
    """Train a model in place to reproduce its inputs: Adam with 1cycle."""
    optimizer = torch.optim.Adam(model.parameters(), lr=peak, fused=True)
    updates = epochs * math.ceil(len(inputs) / 128)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, total_steps=updates)
    for _ in range(epochs):
        for index in torch.randperm(len(inputs)).to(device).split(128):
            optimizer.zero_grad()
            F.mse_loss(model(inputs[index]), inputs[index]).backward()
            optimizer.step()
            scheduler.step()


@functools.cache
def started(start, seed):
    """The five hidden layers as one of the four ways leaves them."""
    torch.manual_seed(seed)
    body = deep_body(nn.ReLU if "ReLU" in start else nn.Sigmoid)
    if "greedy" in start:
        for k in range(0, len(body), 2):  # a stage trains body[k], reading what lies below
            inputs = body[:k](pile).detach()
            back = nn.Linear(100, inputs.shape[1], device=device)
            restore(nn.Sequential(body[k : k + 2], back), inputs)
    if "all at once" in start:
        back = glorot_(nn.Sequential(*deep_body(nn.Sigmoid)[2:], nn.Linear(100, 784))).to(
            device
        )
        restore(nn.Sequential(body, back), pile, epochs=DEPTH)
    return body


def health(start, seed):
    """Before the first step: how much the last hidden layer differs between images, and the first layer's gradient."""
    body = started(start, seed)
    model = nn.Sequential(*copy.deepcopy(body), nn.Linear(100, 10).to(device))
    x, y = labelled_x[:500], labelled_y[:500]
    F.cross_entropy(model(x), y).backward()
    return {
        "signal at the top": model[:-1](x).std(0).mean().item(),
        "gradient at the bottom": model[0].weight.grad.norm().item(),
    }


def supervise(seed, start, lr):
    """Accuracy on fresh images after each epoch of training on the labelled ones."""
    body = started(start, seed)
    torch.manual_seed(seed)
    model = nn.Sequential(*copy.deepcopy(body), nn.Linear(100, 10).to(device))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9, fused=True)
    rows = []
    for epoch in range(1, SUPERVISED + 1):
        for index in torch.randperm(len(labelled_y)).to(device).split(100):
            optimizer.zero_grad()
            F.cross_entropy(model(labelled_x[index]), labelled_y[index]).backward()
            optimizer.step()
        with torch.no_grad():
            hit = (model(fresh["0 to 1"]).argmax(1) == fresh_y).float().mean().item()
        rows.append({"epoch": epoch, "accuracy": hit})
    return rows


STARTS = [
    "sigmoid, from scratch",
    "sigmoid, greedy",
    "sigmoid, all at once",
    "ReLU, from scratch",
]
choice = lab.sweep(
    lambda seed, start, lr: supervise(seed, start, lr)[-1],
    {"start": STARTS, "lr": budget([0.01, 0.03, 0.1, 0.3, 1.0], fast=[0.1])},
    seeds=[101],  # on it "all at once" gets off the ground; else it would choose among guesses
)
best_lr = lab.best(choice, "start", "accuracy", over="lr").set_index("start")
history = lab.sweep(
    lambda seed, start: supervise(seed, start, best_lr.lr[start]),
    {"start": STARTS},
    seeds=range(budget(5, fast=2)),
)
fig, ax = lab.figure(height=3.2)
lab.band(
    history.assign(percent=100 * history.accuracy),
    "epoch",
    "percent",
    "start",
    ax=ax,
    ylabel="accuracy on fresh images (%)",
)
lab.show(
    fig,
    alt="Accuracy over six epochs of supervised training, with 95 % bands. The sigmoid net from scratch stays at 10 %. "
    "Pretrained greedily it climbs from 15 to about 50 %. Pretrained all at once it stays between 24 and 28 % on average, with a band that reaches "
    "from below 0 to nearly 60 %. The ReLU net from scratch begins near 70 % and ends at 81 %, far above all the others.",
)
ended = history[history.epoch == SUPERVISED]
by_seed = ended.pivot(index="start", columns="seed", values="accuracy").loc[STARTS]
states = lab.sweep(
    lambda seed, start: health(start, seed), {"start": STARTS}, range(budget(5, fast=2))
)
signals, slopes = (
    states.pivot(index="start", columns="seed", values=name).loc[STARTS]
    for name in ("signal at the top", "gradient at the bottom")
)
print("accuracy at the end, seed by seed", by_seed.round(3).to_string(), sep="\n")
print("signal at the top before the first step", signals.round(4).to_string(), sep="\n")
with needs("greedy_pretrain"):
    own = []
    for seed in range(budget(3, fast=1)):
        torch.manual_seed(seed)
        mine = greedy_pretrain(pile, [100] * DEPTH, restore)
        own.append(mine(labelled_x[:500]).std(0).mean().item())
    print(
        "the same for layers that your own greedy_pretrain has made:",
        *(f"{top:.4f}" for top in own),
    )
table = lab.summary(ended, "start", "accuracy").set_index("start")[["mean", "low", "high"]]
at_start = pd.DataFrame(
    {
        "signal at the top": signals.mean(axis=1),
        "gradient at the bottom": slopes.mean(axis=1),
    }
)
table.join(best_lr[["lr", "at_edge"]]).join(at_start).round(5)

# %% [markdown]
# So this is what the excitement was about. From scratch the sigmoid net guesses, at every one of the five learning rates. (So it does no harm that its pick stands at the edge of the grid, as `at_edge` says: there is nothing to pick from.) The table says why, before a single step is made: the last hidden layer gives nearly the same numbers whatever picture comes in, they differ by 0.0003, and the gradient that comes down to the first layer is nearly a thousand times smaller than that of the ReLU net. Nothing gets up, and nothing gets down. Pretrained one layer at a time, the very same net passes a signal to its top layer, some thirty times as large, and learns: 45 to 54 % on the five seeds.
#
# But look at the other lines. Pretraining all layers *at once* is a matter of luck: the deep sigmoid autoencoder has the same disease as the net it is to cure. On two of the five seeds it got over it in time, and the net ends at 53 and 58 %, here even above the greedy one; on the other three no signal arrives at the top, and the net guesses. The mean of 28 % is that of no net at all, and the band is enormous. (It even reaches below 0 %, where no accuracy can be: a *t*-interval knows nothing of that. In 2006 there was no Adam, which trains the autoencoders here.) And the best line, on each seed, belongs to the net that was not pretrained at all, and has ReLU and He's initialisation instead.
#
# (The signal behind your own `greedy_pretrain` is 0.0112, 0.0097 and 0.0084 on three seeds; the greedy nets above have between 0.0072 and 0.0109. Yours began with the weights of `nn.Linear`, those with Glorot's. But seeds differ by as much within either group, so these numbers show no effect of that.)
#
# The disease was never a lack of pictures. It was a signal that died on its way, and pretraining cured it by putting the weights where signals pass, not perfectly: after the same six epochs the net has come to about 50 %. Since initialisation, activations and normalisation do that for nothing, greedy pretraining has gone out of use. The idea *behind* it, to learn from the heap first, has not.

# %% [markdown]
# ## Labels that make themselves
#
# A person who has never seen a T-shirt can tell whether a photograph of one is upside down, if she knows how clothes hang. So turn the heap: each picture by 0, 90, 180 or 270 degrees, and ask which (Gidaris, Singh and Komodakis, 2018). Four classes, a softmax, the ordinary cross-entropy, and as many labels as you like. This is **self-supervision**: a supervised task whose labels are made from the data. The task
# itself is called a *pretext* or an *auxiliary* task, since nobody wants its answer. We want what a net must know in order to answer.

# %% [markdown] role="card" exercise="rotate_batch" level=2 minutes=10 topic="Self-supervision" doc="https://docs.pytorch.org/docs/stable/generated/torch.rot90.html"
# ### A quarter turn, or two, or three
#
# Make inputs and labels of the question "how far was this picture turned?". `images` has the shape (n, s, s), or (n, channels, s, s), and any dtype. For **each image on its own** draw a number $k$ of quarter turns from 0, 1, 2, 3, all equally likely, and turn the image **counter-clockwise** by $k \cdot 90°$, as you see it on the screen (rows run downwards).
#
# Return `(rotated, turns)`: images of the same shape and dtype in the same order, and the labels $k$, int64, of shape (n,), on the device of `images`.
#
# - Draw with `generator`, a CPU generator; where it is None, with torch's global one.
# - Images that are not square raise a `ValueError`. The argument stays as it is, and the result shares no memory with it.


# %% role="stub" exercise="rotate_batch"
def rotate_batch(
    images: torch.Tensor, generator: torch.Generator | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """Turn each image by a random number of quarter turns (Gidaris, Singh and Komodakis, 2018).

    Args:
        images: (n, s, s) or (n, channels, s, s), any dtype; left as they are.
        generator: CPU generator of the numbers of turns; None takes torch's global one.

    Returns:
        The turned images, and how many quarter turns counter-clockwise each got, int64 (n,), 0 to 3.

    Raises:
        ValueError: if the images are not square.
    """
    ### BEGIN SOLUTION
    if images.shape[-1] != images.shape[-2]:
        raise ValueError(f"Only square images keep their shape, not {tuple(images.shape)}.")
    turns = torch.randint(4, (len(images),), generator=generator).to(images.device)
    rotated = images.clone()
    for k in (1, 2, 3):
        rotated[turns == k] = images[turns == k].rot90(k, dims=(-2, -1))
    return rotated, turns
    ### END SOLUTION


# %% role="check" exercise="rotate_batch"
with Check("rotate_batch") as check:
    torch.manual_seed(0)
    images = torch.arange(400 * 9).reshape(400, 3, 3)
    kept = images.clone()
    with check.case("images of shape (400, 3, 3)"):
        pair = rotate_batch(images)
    check.that(
        isinstance(pair, tuple) and len(pair) == 2,
        "Return two things: the images and the turns.",
    )
    rotated, turns = pair
    check.shape(rotated, (400, 3, 3), "As many images come out as go in, in the same shape.")
    check.shape(turns, (400,), "There is one label for each image.")
    check.that(turns.dtype == torch.int64, f"The labels should be int64, not {turns.dtype}.")
    check.that(
        set(turns.tolist()) <= {0, 1, 2, 3},
        f"The labels should be numbers of quarter turns, 0 to 3; the largest of yours is {turns.max()}.",
    )
    check.that(torch.equal(images, kept), "Your function changes its argument.")
    check.that(rotated.dtype == kept.dtype, "The dtype of the images should stay.")
    check.that(
        torch.equal(rotated.flatten(1).sort(1).values, kept.flatten(1)),
        "Some image lost its pixels to another one. `torch.rot90` turns in the first two dimensions by default, which "
        "here are the batch and the rows: see its argument `dims`.",
    )
    check.that(
        len(set(turns.tolist())) > 1,
        "All images get the same number of turns: draw one for each image.",
    )
    check.that(
        set(turns.tolist()) == {0, 1, 2, 3},
        f"All of 0, 1, 2, 3 should occur, but only {sorted(set(turns.tolist()))} do.",
    )
    corner = rotated[:, 0, 0] - 9 * torch.arange(400)  # which of its pixels lands top left
    for k, (name, right, mirror) in enumerate(
        (
            ("0", 0, 0),
            ("1: the top right corner goes to the top left", 2, 6),
            ("2: the bottom right corner goes to the top left", 8, 8),
            ("3: the bottom left corner goes to the top left", 6, 2),
        )
    ):
        at = corner[turns == k]
        check.that(
            not bool((at == mirror).all()) or mirror == right,
            "Your images turn clockwise, or the labels of 1 and 3 are swapped.",
        )
        check.that(
            bool((at == right).all()),
            f"Label and image do not belong together for the label {name}.",
        )
    edge = rotated[:, 0, 1] - 9 * torch.arange(400)
    check.that(
        torch.equal(edge, torch.tensor([1, 5, 7, 3])[turns]),
        "Some images are mirrored, not turned: a transposed picture alone is a mirror image.",
    )
    first, second = (
        rotate_batch(images, torch.Generator().manual_seed(3))[1] for _ in range(2)
    )
    check.that(
        torch.equal(first, second),
        "Two generators with the same seed give different turns: use `generator`.",
    )
    with check.case("images with channels, (5, 2, 4, 4)"):
        rotated, turns = rotate_batch(torch.arange(160.0).reshape(5, 2, 4, 4))
    check.shape(rotated, (5, 2, 4, 4))
    refused = False
    with check.case("images of 3 × 4 pixels"):
        try:
            rotate_batch(torch.zeros(6, 3, 4))
        except ValueError:
            refused = True
    check.that(refused, "Images of 3 × 4 pixels should raise a ValueError.")


# %% [markdown] role="hints" exercise="rotate_batch"
# <details><summary>Hint 1: the numbers</summary>
#
# `torch.randint(4, (n,), generator=generator)` draws from 0 to 3: the upper end is not included.
#
# </details>
# <details><summary>Hint 2: four groups instead of n images</summary>
#
# All images with the same number of turns can be turned at once. A mask `turns == k` picks them, and the same mask says where they go.
#
# </details>
# <details><summary>Hint 3: which dimensions?</summary>
#
# `torch.rot90(x, k, dims=(-2, -1))` turns in the plane of rows and columns, counter-clockwise on the screen, whatever comes before. With the dimensions swapped it turns the other way.
#
# </details>

# %% role="test" exercise="rotate_batch" points=2
# Graded with hidden tests: sizes, channels, dtypes, every label against its image, chance, generators, shapes that are refused.
### BEGIN HIDDEN TESTS
with HiddenTest("rotate_batch") as test:
    for shape, dtype in (
        ((300, 5, 5), torch.float32),
        ((300, 3, 4, 4), torch.uint8),
        ((300, 2, 2), torch.float64),
        ((300, 1, 6, 6), torch.float32),
        ((1, 4, 4), torch.int64),
        ((20, 20, 20), torch.uint8),
        ((50, 4, 3, 3), torch.bool),
    ):
        images = torch.randint(256, shape).to(dtype)
        if dtype.is_floating_point:
            images = images + torch.rand(shape, dtype=dtype)
        kept = images.clone()
        with test.case(f"images of shape {shape} in {dtype}"):
            pair = rotate_batch(images)
        test.that(
            isinstance(pair, tuple) and len(pair) == 2, "Return the images and the turns."
        )
        rotated, turns = pair
        test.shape(rotated, shape)
        test.shape(turns, shape[:1])
        test.that(turns.dtype == torch.int64, "The labels should be int64.")
        test.that(rotated.dtype == dtype, "The dtype of the images should stay.")
        test.that(torch.equal(images, kept), "Your function changes its argument.")
        test.that(
            bool(((turns >= 0) & (turns <= 3)).all()), "A label is not a number from 0 to 3."
        )
        columns = torch.arange(shape[-1])
        for k in range(4):
            mine = kept[turns == k]
            for _ in range(k):  # a quarter turn: what was in column j is now row s - 1 - j
                mine = mine.transpose(-2, -1)[..., columns.flip(0), :]
            test.that(
                torch.equal(rotated[turns == k], mine),
                f"Images with the label {k} are not turned by {k} quarter turns counter-clockwise, in rows and columns.",
            )
        before = rotated.clone()
        images.fill_(1)
        test.that(
            torch.equal(rotated, before),
            "The result shares memory with the argument: what is not turned should be copied as well.",
        )
    images = torch.zeros(4_000, 1, 1)
    turns = rotate_batch(images=images)[1]
    counts = torch.bincount(turns, minlength=4)
    test.that(
        bool(((counts - 1_000).abs() < 6 * math.sqrt(4_000 * 3 / 16)).all()),
        "The four turns are not equally likely.",
    )
    same = (turns[1:] == turns[:-1]).double().mean().item()
    test.that(
        abs(same - 0.25) < 6 * math.sqrt(3 / 16 / 3_999),
        "The turn of an image depends on that of its neighbour: each image should be drawn on its own.",
    )
    test.that(
        not torch.equal(turns, rotate_batch(images)[1]),
        "Two calls draw the same turns: set no seed.",
    )
    images = images[:200]
    before = torch.get_rng_state()
    draws = [
        rotate_batch(images=images, generator=g)[1]
        for g in (torch.Generator().manual_seed(1), torch.Generator().manual_seed(1))
    ]
    test.that(
        torch.equal(*draws) and torch.equal(before, torch.get_rng_state()),
        "With a generator, the turns should come from it, and from it alone.",
    )
    g = torch.Generator().manual_seed(1)
    test.that(
        not torch.equal(rotate_batch(images, g)[1], rotate_batch(images, g)[1]),
        "A generator that goes on should give other turns: do not seed it.",
    )
    for shape in ((4, 3, 5), (4, 2, 5, 3), (3, 3, 4)):
        refused = False
        with test.case(f"images of shape {shape}"):
            try:
                rotate_batch(torch.zeros(shape))
            except ValueError:
                refused = True
        test.that(refused, "Images that are not square should raise a ValueError.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="rotate_batch"
# Quarter turns are the one kind of rotation that needs no interpolation. Any other angle would leave blurred pixels and empty corners, and a net would learn to tell the angle from those, without a look at the picture. The labels cost one call of `randint`. They are also beyond doubt, which cannot be said of every label that was made by a person.

# %% [markdown]
# Let a net learn to answer, on the heap, and look at which clothes it can tell.
#
# **Predict, then run.** Four answers, so guessing gives 25 %. How often will it be right? For which kind of clothing will it be worst, and which two answers will it confuse there?

# %%
upright = np.arange(784).reshape(28, 28)
QUARTERS = (
    torch.tensor(  # row k: where each pixel is taken from when an image is turned k times
        np.stack([np.rot90(upright, k).flatten() for k in range(4)]), device=device
    )
)


def turned(x, generator):
    """Vectors (n, 784) of images, each turned by a random number of quarter turns, and these numbers."""
    turns = torch.randint(4, (len(x),), generator=generator).to(x.device)
    return x.gather(1, QUARTERS[turns]), turns


def turn_loss(model, x, generator):
    images, turns = turned(x, generator)
    return F.cross_entropy(model(images), turns)


QUESTIONS["rotation"] = (lambda: he_(nn.Linear(100, 4)), turn_loss)
rotation = pretrain("rotation", "0 to 1", seed=0)
with torch.no_grad():
    answers = torch.stack([rotation(garments[:, order]).argmax(1) for order in QUARTERS])
truth = torch.arange(4, device=device)[:, None]
table = pd.DataFrame(
    {
        "right": (answers == truth).float().mean(0).cpu(),
        "upside down instead": (answers == (truth + 2) % 4).float().mean(0).cpu(),
        "class": [clothes.classes[k] for k in fresh_y.tolist()],
    }
)
by_class = table.groupby("class").mean().sort_values("right")
rotation_accuracy = table.right.mean()
print(f"all: {rotation_accuracy:.1%}")

shown = garments[pick]
lab.show(
    show_images([shown[:, order] for order in QUARTERS], [f"label {k}" for k in range(4)]),
    alt="Seven pieces of clothing in four rows: upright (label 0), a quarter turn counter-clockwise, so that they lie with the neck or "
    "the top to the left (label 1), upside down (label 2), and with the top to the right (label 3).",
)
by_class.round(3)

# %% [markdown]
# It is right 95 times in a hundred. A shoe has a sole, and the net is hardly ever wrong about one. A dress is narrow at one end and wide at the other, but which end is up? When the net is wrong about a dress, it mostly says *upside down*. Worst are bags, one in five wrong, and there the guess was off: only a quarter of these errors are *upside down*, the others are a quarter turn. A bag is about as wide as high.
#
# To answer, a net does well to notice soles, sleeves, necklines and handles, and nobody ever told it that such things exist. (Which of them this net uses, we have not looked at.) That is the promise of self-supervision. Note also what it did *not* have to notice: whether a garment has buttons. Buttons look the same on a shirt that stands on its head.
#
# ## What was there?
#
# The third question: cover some of the picture, and ask for what is underneath. To fill a hole in a sleeve you have to know that it is a sleeve, and where it goes on. Pathak and others did it with photographs in 2016; with words it became BERT (Devlin et al., 2019), which hides 15 % of them, and with patches of pictures the *masked autoencoder* (He et al., 2022), which hides 75 %. The shares tell something: neighbouring pixels repeat each other so much that a picture must lose most of itself before the question becomes hard. For the same reason we hide whole **patches**: a single
# missing pixel is the mean of its neighbours, and a net that has found this out need know nothing about clothes.

# %% [markdown] role="card" exercise="mask_pixels" level=2 minutes=12 topic="Self-supervision" doc="https://docs.pytorch.org/docs/stable/generated/torch.argsort.html"
# ### Cover patches
#
# `images` has the shape (n, h, w), float. Cut each into a grid of square patches of `patch` × `patch` pixels, $P = \frac{h}{\text{patch}} \cdot \frac{w}{\text{patch}}$ of them. In **each image on its own**, hide **exactly** `round(share * P)` patches, with Python's `round`, chosen at random, every choice equally likely; `patch` is 4 unless given.
#
# Return `(masked, mask)`: the images with all hidden pixels at 0, in the same dtype, and a bool tensor (n, h, w) that is **True where a pixel is hidden**, both on the device of `images`.
#
# - Draw with `generator`, a CPU generator; where it is None, with torch's global one.
# - `share` goes from 0 to 1. If h or w is no multiple of `patch`, raise a `ValueError`. The argument stays as it is.


# %% role="stub" exercise="mask_pixels"
def mask_pixels(
    images: torch.Tensor,
    share: float,
    patch: int = 4,
    generator: torch.Generator | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Hide a fixed number of random patches of each image (after He et al., 2022).

    Args:
        images: (n, h, w), float; left as they are.
        share: of the patches that are hidden, 0 to 1; the number of patches is rounded by `round`.
        patch: side of a patch in pixels.
        generator: CPU generator of the choice; None takes torch's global one.

    Returns:
        The images with 0 where pixels are hidden, and the mask, bool (n, h, w), True where hidden.

    Raises:
        ValueError: if h or w is no multiple of patch.
    """
    ### BEGIN SOLUTION
    n, h, w = images.shape
    if h % patch or w % patch:
        raise ValueError(f"{h} × {w} pixels cannot be cut into patches of {patch} × {patch}.")
    rows, cols = h // patch, w // patch
    lots = torch.rand(n, rows * cols, generator=generator)
    rank = lots.argsort(dim=1).argsort(dim=1)
    grid = (rank < round(share * rows * cols)).reshape(n, rows, cols)
    mask = grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2).to(images.device)
    return images.masked_fill(mask, 0), mask
    ### END SOLUTION


# %% role="check" exercise="mask_pixels"
with Check("mask_pixels") as check:
    torch.manual_seed(0)
    images = 1 + torch.rand(300, 4, 6)
    kept = images.clone()
    with check.case("images of shape (300, 4, 6), share=0.3, patch=2"):
        pair = mask_pixels(images, 0.3, patch=2)
    check.that(
        isinstance(pair, tuple) and len(pair) == 2,
        "Return two things: the masked images and the mask.",
    )
    masked, mask = pair
    check.shape(masked, (300, 4, 6))
    check.shape(mask, (300, 4, 6), "The mask has a value for each pixel.")
    check.that(mask.dtype == torch.bool, f"The mask should be bool, not {mask.dtype}.")
    check.that(torch.equal(images, kept), "Your function changes its argument.")
    check.that(
        not bool((masked[~mask] == 0).all()),
        "The mask is True where pixels are visible: it should be True where they are hidden.",
    )
    check.close(
        masked, kept.masked_fill(mask, 0), "Hidden pixels should be 0, visible ones as before."
    )
    corners = mask[:, ::2, ::2]
    whole = corners.repeat_interleave(2, 1).repeat_interleave(2, 2)
    check.that(
        torch.equal(whole, mask),
        "Pixels are hidden one by one, or in patches off the grid: hide whole patches of 2 × 2.",
    )
    counts = corners.flatten(1).sum(1)
    check.that(
        not bool((counts == 4).all()),
        "With share=0.3, 4 of the 6 patches are hidden in each image: `share` is what is hidden, not what stays.",
    )
    check.that(
        bool((counts == 2).all()),
        f"With share=0.3, exactly round(0.3 · 6) = 2 of the 6 patches should be hidden in each image, but it is {counts.min()} "
        f"to {counts.max()}. (A coin for each patch gives 2 on average only.)",
    )
    check.that(
        not bool((mask == mask[0]).all()),
        "All images have the same mask: draw one for each image.",
    )
    often = corners.float().mean(0)
    check.that(
        bool(((often - 1 / 3).abs() < 0.17).all()),
        "Some patches are hidden far more often than others.",
    )
    first, second = (
        mask_pixels(images, 0.5, patch=1, generator=torch.Generator().manual_seed(3))[1]
        for _ in range(2)
    )
    check.that(
        torch.equal(first, second),
        "Two generators with the same seed give different masks: use `generator`.",
    )
    for share, told in (
        (0.0, "nothing should be hidden"),
        (1.0, "everything should be hidden"),
    ):
        with check.case(f"share={share}"):
            hidden = mask_pixels(images, share, patch=2)[1]
        check.that(bool((hidden == (share == 1)).all()), f"With share={share}, {told}.")
    refused = False
    with check.case("4 × 6 pixels and patch=4"):
        try:
            mask_pixels(images, 0.5, patch=4)
        except ValueError:
            refused = True
    check.that(refused, "4 × 6 pixels cannot be cut into patches of 4 × 4: raise a ValueError.")


# %% [markdown] role="hints" exercise="mask_pixels"
# <details><summary>Hint 1: think in patches</summary>
#
# First make a small mask with one value a patch, (n, rows, cols). Only then enlarge it to pixels.
#
# </details>
# <details><summary>Hint 2: exactly so many, for all images at once</summary>
#
# Draw a lot for each patch, `torch.rand(n, P, generator=generator)`. The k patches of an image with the smallest lots are hidden. `argsort` says who comes first, second, …; `argsort` of that says which rank each patch has. Or `topk` and `scatter_`.
#
# </details>
# <details><summary>Hint 3: enlarge</summary>
#
# `grid.repeat_interleave(patch, 1).repeat_interleave(patch, 2)` makes patch × patch pixels of each value. `images.masked_fill(mask, 0)` gives a new tensor.
#
# </details>

# %% role="test" exercise="mask_pixels" points=3
# Graded with hidden tests: sizes, dtypes, exact numbers, whole patches, chance, generators, shapes that are refused.
### BEGIN HIDDEN TESTS
with HiddenTest("mask_pixels") as test:
    for (n, h, w), patch, share, dtype in (
        ((200, 28, 28), None, 0.75, torch.float32),
        ((200, 6, 15), 3, 0.41, torch.float64),
        ((100, 8, 4), 1, 0.6, torch.float32),
        ((1, 12, 12), 6, 0.7, torch.float32),
        ((9, 5, 5), 5, 0.9, torch.float64),
        ((50, 8, 8), 2, 0.0, torch.float32),
        ((50, 8, 8), 2, 1.0, torch.float32),
        ((200, 20, 10), 2, 0.14, torch.float32),
        ((200, 20, 20), 2, 0.29, torch.float32),
    ):
        images = torch.randn(n, h, w, dtype=dtype) - 3
        kept = images.clone()
        settings = {"share": share} | ({} if patch is None else {"patch": patch})
        patch = patch or 4
        with test.case(f"images of shape {(n, h, w)}, patch={patch}, share={share}"):
            pair = mask_pixels(images=images, **settings)
        test.that(isinstance(pair, tuple) and len(pair) == 2, "Return the images and the mask.")
        masked, mask = pair
        test.shape(masked, (n, h, w))
        test.shape(mask, (n, h, w))
        test.that(mask.dtype == torch.bool, "The mask should be bool.")
        test.that(masked.dtype == dtype, "The dtype of the images should stay.")
        test.that(torch.equal(images, kept), "Your function changes its argument.")
        test.that(
            torch.equal(masked, torch.where(mask, torch.zeros_like(kept), kept)),
            "Hidden pixels (True) should be 0, visible ones as they were.",
        )
        blocks = mask.reshape(n, h // patch, patch, w // patch, patch)
        test.that(
            torch.equal(blocks.amax((2, 4)), blocks.amin((2, 4))),
            "Patches are torn: each should be hidden or visible as a whole, on a grid that starts at the corner.",
        )
        counts = blocks[:, :, 0, :, 0].flatten(1).sum(1)
        want = round(share * (h // patch) * (w // patch))
        test.that(
            bool((counts == want).all()),
            "The number of hidden patches should be exactly round(share * P) in each image.",
        )
    n, cells = 3_000, 6
    masks = [mask_pixels(torch.ones(n, 2, 3), 0.5, patch=1)[1].flatten(1) for _ in range(2)]
    test.that(not torch.equal(*masks), "Two calls hide the same patches: set no seed.")
    codes = (masks[0].long() * 2 ** torch.arange(cells)).sum(1)
    counts = torch.bincount(codes, minlength=64)
    choices = torch.tensor([bin(c).count("1") == 3 for c in range(64)])
    test.that(bool((counts[~choices] == 0).all()), "Exactly three of six should be hidden.")
    sigma = math.sqrt(n / 20 * 19 / 20)
    test.that(
        bool(((counts[choices] - n / 20).abs() < 6 * sigma).all()),
        "Not every choice of patches is equally likely.",
    )
    same = (codes[1:] == codes[:-1]).double().mean().item()
    test.that(
        abs(same - 1 / 20) < 6 * math.sqrt(1 / 20 * 19 / 20 / n),
        "The mask of an image depends on that of its neighbour: each should be drawn on its own.",
    )
    before = torch.get_rng_state()
    images = torch.ones(40, 8, 8)
    pairs_of_masks = [
        mask_pixels(images=images, share=0.5, patch=2, generator=g)[1]
        for g in (torch.Generator().manual_seed(1), torch.Generator().manual_seed(1))
    ]
    test.that(
        torch.equal(*pairs_of_masks) and torch.equal(before, torch.get_rng_state()),
        "With a generator, the choice should come from it, and from it alone.",
    )
    g = torch.Generator().manual_seed(1)
    test.that(
        not torch.equal(*(mask_pixels(images, 0.5, 2, g)[1] for _ in range(2))),
        "A generator that goes on should give other masks: do not seed it.",
    )
    for h, w, patch in ((28, 28, 5), (6, 8, 4), (8, 6, 4), (3, 3, 4)):
        refused = False
        with test.case(f"{h} × {w} pixels and patch={patch}"):
            try:
                mask_pixels(torch.zeros(2, h, w), 0.5, patch)
            except ValueError:
                refused = True
        test.that(refused, "Sides that are no multiple of `patch` should raise a ValueError.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="mask_pixels"
# A coin for each patch would hide the right share on average, but one image would lose nearly everything and another one hardly anything, and the difficulty of the question would change from image to image. Ranks of random lots give a fixed number without a loop, and every choice of $k$ out of $P$ has the same chance, because every order of the lots has. It is the same as `randperm` for each image, made for all images at once.

# %% [markdown] role="card" exercise="masked_loss" level=1 minutes=7 topic="Self-supervision" doc="https://docs.pytorch.org/docs/stable/generated/torch.where.html"
# ### Only what was hidden counts
#
# Let $M$ be the set of all hidden pixels of the batch, where `mask` is True. Return the mean squared error over them, as a tensor of shape (),
#
# $$\frac{1}{|M|}\sum_{j \in M} (\hat x_j - x_j)^2 .$$
#
# One mean over all hidden pixels of the whole batch: an image with twice as many hidden pixels weighs twice as much. Gradients flow to `reconstruction`, and are 0 at visible pixels. Where nothing is hidden at all, the loss is 0, with a gradient of 0, not `nan`.
#
# All three tensors have the same shape, whatever it is; the result has the dtype of `reconstruction`. All three stay as they are.


# %% role="stub" exercise="masked_loss"
def masked_loss(
    reconstruction: torch.Tensor, images: torch.Tensor, mask: torch.Tensor
) -> torch.Tensor:
    """Mean squared error over the hidden pixels.

    Args:
        reconstruction: what the net says, any shape, float.
        images: the truth, same shape.
        mask: bool, same shape, True where a pixel was hidden.

    Returns:
        The loss, (); 0 where nothing is hidden.
    """
    ### BEGIN SOLUTION
    errors = (reconstruction - images).square() * mask
    return errors.sum() / mask.sum().clamp(min=1)
    ### END SOLUTION


# %% role="check" exercise="masked_loss"
with Check("masked_loss") as check:
    truth = torch.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    said = torch.tensor([[1.0, 1.0, 4.0], [0.0, 9.0, 5.0]], requires_grad=True)
    mask = torch.tensor([[True, False, True], [True, False, False]])
    with check.case("two images of three pixels, of which two and one are hidden"):
        loss = masked_loss(said, truth, mask)
    check.is_a(loss, torch.Tensor)
    check.close(
        loss,
        torch.tensor(14 / 3),
        "The squared errors at the hidden pixels are 1, 4 and 9; their mean should come out.",
        known=[
            (
                torch.tensor(14 / 6),
                "You divide by all pixels: divide by the number of hidden ones.",
            ),
            (
                torch.tensor(14.0),
                "That is the sum: divide by the number of hidden pixels.",
            ),
            (
                torch.tensor(25 / 3),
                "That is the mean over the *visible* pixels: True means hidden.",
            ),
            (
                torch.tensor(39 / 6),
                "That is the mean over all pixels: only hidden ones count.",
            ),
            (
                torch.tensor(5.75),
                "That is the mean of the means of the images: take one mean over all hidden pixels.",
            ),
            (
                torch.tensor(7.0),
                "You divide by the number of images: divide by the number of hidden pixels.",
            ),
            (torch.tensor(2.0), "The errors should be squared."),
            (torch.tensor(math.sqrt(14 / 3)), "That is the root of the loss: leave it out."),
        ],
    )
    check.that(loss.requires_grad, "No gradient flows back to `reconstruction`.")
    (slope,) = torch.autograd.grad(loss, said)
    check.close(
        slope,
        torch.tensor([[2.0, 0.0, 4.0], [-6.0, 0.0, 0.0]]) / 3,
        "The gradient should be 2(x̂ − x)/|M| at hidden pixels and 0 elsewhere.",
    )
    with check.case("nothing is hidden"):
        loss = masked_loss(said, truth, torch.zeros(2, 3, dtype=torch.bool))
    check.is_a(loss, torch.Tensor, "Where nothing is hidden, return a tensor too.")
    check.close(
        loss, torch.tensor(0.0), "Where nothing is hidden, the loss should be 0. (0/0 is nan.)"
    )
    check.that(
        loss.requires_grad, "Where nothing is hidden, `loss.backward()` should work too."
    )


# %% [markdown] role="hints" exercise="masked_loss"
# <details><summary>Hint 1: two ways</summary>
#
# Either pick the hidden pixels, `reconstruction[mask]`, or multiply the squared errors by the mask, which counts as 0 and 1, and add up.
#
# </details>
# <details><summary>Hint 2: divide by what?</summary>
#
# `mask.sum()` is the number of hidden pixels. `mean()` of a product divides by all of them.
#
# </details>
# <details><summary>Hint 3: nothing hidden</summary>
#
# A sum over nothing is 0, and still hangs on the graph. Divide it by `mask.sum().clamp(min=1)`.
#
# </details>

# %% role="test" exercise="masked_loss" points=1
# Graded with hidden tests: shapes, dtypes, uneven masks, gradients, empty masks, arguments that stay.
### BEGIN HIDDEN TESTS
with HiddenTest("masked_loss") as test:
    for shape, dtype in (
        ((5, 7), torch.float32),
        ((4, 6, 6), torch.float64),
        ((3, 2, 4, 4), torch.float32),
        ((9,), torch.float64),
    ):
        truth = torch.randn(shape, dtype=dtype)
        start = torch.randn(shape, dtype=dtype)
        for chance in (0.2, 0.7, 1.0, 0.0):
            mask = torch.rand(shape) < chance
            mask.view(-1)[0] = chance > 0
            hidden = mask.double()
            count = max(hidden.sum().item(), 1.0)
            gap = (start.double() - truth.double()) * hidden
            want, want_slope = (gap**2).sum() / count, 2 * gap / count
            said = start.clone().requires_grad_()
            kept = truth.clone(), mask.clone()
            with test.case(f"shape {shape}, {int(hidden.sum())} pixels hidden, {dtype}"):
                loss = masked_loss(reconstruction=said, images=truth, mask=mask)
            test.shape(loss, ())
            test.that(
                loss.dtype == dtype, "The loss should have the dtype of `reconstruction`."
            )
            test.close(
                loss.double(),
                want,
                "The loss should be one mean over all hidden pixels of the batch, and 0 where there are none.",
                rtol=1e-5,
            )
            test.that(loss.requires_grad, "No gradient flows back to `reconstruction`.")
            (slope,) = torch.autograd.grad(loss, said, allow_unused=True)
            test.that(slope is not None, "No gradient flows back to `reconstruction`.")
            test.close(
                slope.double(),
                want_slope,
                "The gradient is 2(x̂ − x)/|M| at hidden pixels and 0 elsewhere, also where nothing is hidden.",
                rtol=1e-5,
            )
            test.that(
                torch.equal(truth, kept[0])
                and torch.equal(mask, kept[1])
                and torch.equal(said.detach(), start),
                "Your function changes one of its arguments.",
            )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="masked_loss"
# Why not all pixels? At a visible pixel the answer stands in the question: the net has only to copy. Copying is a skill of its own for a dense net with a code of 100 numbers, and a loss over all pixels would spend part of its gradient on it. The division by $|M|$, and not by all pixels, keeps losses comparable when the share changes: it remains an error per hidden pixel.

# %% [markdown]
# The net is that of the autoencoder, with a covered image at the input. We cover half of the 49 patches, on average; each time an image comes round it is covered in another way, so the heap never repeats a question. (For brevity the experiment throws a coin for each patch.)
#
# Note what "covered" looks like to the net. A hidden pixel is 0, and 0 is the colour of the background. Nobody tells the net where the holes are.
#
# **Predict, then run.** Will it fill in a straight sleeve? The pattern of a print? The collar of a shirt?

# %%
SHARE, PATCH = 0.5, 4


def covered(x, generator, share=SHARE, patch=PATCH):
    """Vectors of images with random patches set to 0, and the mask (n, 784), True where hidden."""
    side = 28 // patch
    coins = torch.rand(len(x), side**2, generator=generator) < share
    patches = torch.arange(side**2).reshape(side, side)
    patch_of = patches.repeat_interleave(patch, 0).repeat_interleave(patch, 1).flatten()
    mask = coins[:, patch_of].to(x.device)
    return x.masked_fill(mask, 0), mask


def fill_loss(model, x, generator):
    images, mask = covered(x, generator)
    said = torch.where(mask, model(images), x)  # no error where nothing was hidden
    return F.mse_loss(said, x) / SHARE


QUESTIONS["masked"] = (dense_decoder, fill_loss)
masked_net = pretrain("masked", "0 to 1", seed=0)
holes, mask = covered(garments, torch.Generator().manual_seed(0))
with torch.no_grad():
    filled = torch.where(mask, masked_net(holes), garments)
error = F.mse_loss(filled[mask], garments[mask]).item()
by_mean = F.mse_loss(middle.expand_as(garments)[mask], garments[mask]).item()
print(f"hidden pixels: {1 - error / by_mean:.0%} of the variance explained")
with needs("masked_loss"):
    mine = masked_loss(filled, garments, mask).item()
    print(f"mean squared error {mine:.4f} by your own masked_loss, {error:.4f} here")

lab.show(
    show_images(
        [part[pick] for part in (garments, holes, filled)],
        ["original", "half hidden", "filled in"],
    ),
    alt="Three rows of the same seven pieces: the originals, the same with half of their square patches white, and filled in. Pullover, shoe and boot are "
    "whole again, if blurred; a dark block stands in the pullover where its hem was hidden. The sleeves of shirt and T-shirt go on in pale grey. The "
    "spots of the shirt are there only where they were visible, with smooth grey between them. Beside the dress stand pale sleeves that it never had. In "
    "place of the bag's handle there is grey, with a white square in it that was visible.",
)

# %% [markdown]
# Better than half of the variance of what it could not see: not bad, for a net that is not even told where the holes are. A sleeve mostly goes on where it should, the boot gets its sole back; the dress also gets pale sleeves that it never had. What has no continuation outside the hole cannot come back: prints, collars, and the handle of the bag turn into an even grey.
#
# The mean squared error has its part in this. Where two fillings are equally likely, a button or none, the answer with the smallest *mean* square is half a button. (Generative models exist because people wanted to see one or the other.)
#
# ## The race
#
# Now we can ask what all this is worth to somebody with twenty labels. The rules are those of the first lesson:
#
# - **Everybody is tuned**: the scale of the pixels, the learning rate of Adam, and 20 steps or 50. The search is about as wide for all, the net from scratch included: six rates, and seven for the frozen bodies, whose best ones lie furthest apart. (`at_edge` would say that a chosen rate is the smallest or largest of them, so that a better one might lie outside.) It uses draws, and pretrained bodies, that are used for nothing else, and is judged on validation images. (A thousand of them for the choice, when there are twenty for training: a luxury, granted to all alike, to see what each is capable of.)
# - The result comes from **test images** and thirty fresh draws of 20 labelled images, the same for all contenders, so that differences are paired. Draw $k$ uses body number $k$ mod 5.
# - **Five bodies are five results, not thirty.** Six draws share a body, and where that body happens to be a good one, all six gain. So we average the six first, and take each interval over the five means. It is wider than an interval over thirty numbers would be; that one would be too narrow, for it counts the luck of a body six times.
#
# The contenders: *from scratch*; *no hidden layer*, logistic regression on the pixels; and a body pretrained on each of the three questions, once *frozen* (only the head learns) and once *fine-tuned* (all layers learn). One more is a control: *random, frozen*, a body nobody has trained. A frozen body must beat **that** before we may say that the heap has taught it anything.
#
# **Predict, then run.** Two forecasts, please, one for each pair: by how many points does the best pretrained net beat the one from scratch?

# %%
LOOKS = budget((20, 50), fast=(5, 10))
N_BODIES, N_DRAWS = budget(5, fast=2), budget(30, fast=4)
SPARE = 100  # number of the body that is tuned on, and of nothing else
RATES = {
    "no hidden layer": [3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1],
    "from scratch": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
    "frozen": [1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1, 1.0],
    "fine-tuned": [1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2],
}
TUNING_DRAWS = range(1000, budget(1005, fast=1002))
CONTENDERS = ["from scratch", "no hidden layer", "random, frozen"] + [
    f"{question}, {how}" for question in QUESTIONS for how in ("frozen", "fine-tuned")
]


@functools.cache
def body_of(question, scale, number):
    """A pretrained body (or a random one), trained when it is first asked for."""
    if question == "random":
        torch.manual_seed(number)
        return dense_body()
    return pretrain(question, scale, number)[0]


@functools.cache
def features(question, scale, number, part, pair):
    """What a frozen body makes of all images of a pair; it never changes, so once is enough."""
    body = body_of(question, scale, number)
    with torch.no_grad():
        return body(pairs[part, pair, scale][0])


def run(seed, pair, method, scale, lr, part="valid", looks=LOOKS, number=SPARE):
    """Train one contender on draw `seed` of 20 images; its accuracy on a split of the pair at each look."""
    x, y = draw(pair, seed, scale)
    judge, truth = pairs[part, pair, scale]
    question, _, how = method.partition(", ")
    torch.manual_seed(seed)
    layers = []
    if how == "frozen":
        body = body_of(question, scale, number)
        x, judge = body(x).detach(), features(question, scale, number, part, pair)
    elif how == "fine-tuned":
        layers = copy.deepcopy(body_of(question, scale, number))
    elif method == "from scratch":
        layers = dense_body()
    head = nn.Linear(784 if method == "no hidden layer" else 100, 1, device=device)
    model, rows = nn.Sequential(*layers, head), []
    optimizer = torch.optim.Adam(model.parameters(), lr=lr, fused=True)
    for step in range(1, max(looks) + 1):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(x).squeeze(1), y).backward()
        optimizer.step()
        if step in looks:
            with torch.no_grad():
                right = (model(judge).squeeze(1) > 0) == (truth > 0.5)
            rows.append({"steps": step, "accuracy": right.float().mean().item()})
    return rows


def rates_of(method):
    rates = RATES[method.partition(", ")[2] or method]
    return budget(rates, fast=rates[3:4])


def tune(pair):
    """Validation accuracy of each contender at each scale, rate and step."""
    tables = [
        lab.sweep(
            lambda seed, **point: run(seed, pair, **point),
            {"method": [method], "scale": SCALES, "lr": rates_of(method)},
            TUNING_DRAWS,
        )
        for method in CONTENDERS
    ]
    return pd.concat(tables, ignore_index=True)


def choose(table, over):
    """The best setting of each contender, and whether its rate is the smallest or largest that was tried."""
    picks = lab.best(table, "method", "accuracy", over=over)
    rates = picks.method.map(rates_of)
    return picks.assign(
        at_edge=[
            len(r) > 1 and lr in (r[0], r[-1]) for lr, r in zip(picks.lr, rates, strict=True)
        ]
    )


def race(pair, best):
    """Each contender at its best setting, judged on the test images: a row a body, the mean over its draws."""
    rows = []
    for c in best.itertuples():
        for seed in range(N_DRAWS):
            number = seed % N_BODIES
            (row,) = run(seed, pair, c.method, c.scale, c.lr, "test", (c.steps,), number)
            rows.append({"method": c.method, "body": number, "accuracy": row["accuracy"]})
    return pd.DataFrame(rows).groupby(["method", "body"], sort=False, as_index=False).mean()


tuning = {pair: tune(pair) for pair in PAIRS}
best = {pair: choose(tuning[pair], ["scale", "lr", "steps"]) for pair in PAIRS}
best["easy"].merge(best["hard"], on="method", suffixes=(" easy", " hard")).filter(
    regex="method|scale|lr|at_edge|steps|mean"
).round(4)

# %%
results = {pair: race(pair, best[pair]) for pair in PAIRS}
gains = {
    pair: lab.paired_difference(results[pair], "method", "accuracy", "from scratch", "body")
    for pair in PAIRS
}
scratch = {
    pair: lab.summary(results[pair], "method", "accuracy")
    .set_index("method")
    .loc["from scratch"]
    for pair in PAIRS
}
for pair, row in scratch.items():
    print(
        f"{pair} pair, from scratch: {row['mean']:.1%} ({row['low']:.1%} to {row['high']:.1%})"
    )
pd.concat(gains, names=["pair"]).reset_index("pair").drop(columns="n").round(4)


# %%
def forest(ax, table, names):
    """Mean gains in points with their 95 % intervals, one row a contender; hollow where it includes 0."""
    for place, name in enumerate(names):
        row = table.set_index("method").loc[name]
        style = lab.line_style(2 if name.startswith("random") else int("frozen" in name))
        middle, low, high = (100 * row[k] for k in ("mean", "low", "high"))
        ax.plot(
            [low, high],
            [place, place],
            color=style["color"],
            linestyle=style["linestyle"],
            lw=2,
        )
        face = style["color"] if row["excludes_zero"] else "white"
        ax.plot(
            middle,
            place,
            marker=style["marker"],
            color=style["color"],
            markerfacecolor=face,
            ms=7,
        )
    ax.axvline(0, color="grey", linewidth=1, linestyle="-")
    ax.set_yticks(range(len(names)), names)
    ax.invert_yaxis()
    ax.set(xlabel="gain over scratch (points)")


fig, axes = lab.figure(1, 2, height=3.6)
ROWS = [name for name in CONTENDERS if name != "from scratch"]
for ax, pair, title in zip(
    axes, PAIRS, ("easy: T-shirt/top, pullover", "hard: pullover, shirt"), strict=True
):
    forest(ax, gains[pair], ROWS)
    ax.set_title(title)
axes[1].tick_params(labelleft=False)
lab.show(
    fig,
    alt="Gain over the net from scratch in points, with 95 % intervals, for eight contenders. Left, the easy pair: seven hollow marks stand between "
    "minus 2 and plus 0.5, with intervals across zero; the random frozen body alone is far off, at minus 8.5. Right, the hard pair: the fine-tuned bodies are just below "
    "zero, hollow; logistic regression is just above, filled. The three pretrained frozen bodies stand at minus 5 to minus 7 and the random one at minus 7.3, all filled, "
    "with intervals four to seven points long that overlap one another.",
)

# %% [markdown]
# (No chosen rate lies at an edge of its grid. Of the steps there are only two numbers to choose from, and 50 is the most that anybody gets.)
#
# Read the right-hand panel first. On the hard pair every frozen body **hurts**, the pretrained ones as well: the net that has never seen the heap is five to seven points better, and no interval reaches up to zero. Plain logistic regression does a little better still with these draws (0.7 points, 0.3 to 1.1). Fine-tuned, the same bodies recover nearly all of that loss and win nothing (0.4 points below scratch, with intervals that include zero): all layers may move again.
#
# Is it the questions that do the harm, or the freezing? The control knows. Body number $k$ of each question began with the weights of random body number $k$, so compare the frozen ones with that.

# %%
over_random = {
    pair: lab.paired_difference(
        results[pair][results[pair].method.str.endswith("frozen")],
        "method",
        "accuracy",
        "random, frozen",
        "body",
    ).set_index("method")
    for pair in PAIRS
}
pd.concat(over_random, names=["pair"]).drop(columns="n").round(4)

# %% [markdown]
# On the hard pair the pretrained bodies lead the random one by 2.3, 1.5 and 0.3 points, and all three intervals include zero. Whether the heap has taught them anything that helps here, five bodies cannot tell: it may be nothing, a little harm, or up to five points of help. A body that has learned nothing loses as much as they do, within what we can see. So the loss comes with the **freezing**: a hundred numbers are fixed before the task is known, and the head has to make do with them. The pretraining was to make those numbers better ones, and did little for this task. A likely reason: the questions hardly need buttons and collars. A picture can be restored, turned upright or filled in largely without them, so 100 numbers that answer the question well need not contain them.
#
# On the easy pair the same comparison shows what they did learn: nearly eight points more than the random body (5.6 at least, by the widest interval), and more on each single one of the five bodies. That brings them within a point of the net from scratch, with intervals that include zero. Sleeves *are* needed to restore a picture or to turn it upright. Still, close is not above.
#
# So this is what is so, at this budget: dense nets, small grey pictures, a heap of 20,000, two epochs. **Fine-tuned, no question gained anything that the interval can tell from nothing. Frozen, all of them lost several points on the hard pair, and so did a body that had learned nothing.** It is not a verdict on self-supervision. The same idea, with a thousand times the pictures and nets that can look at a collar wherever it is, is behind most large models of today. It is a verdict on taking a gain for granted.
#
# How do gains get into papers, then? One way is known to you from the first lesson. In the table above, the net from scratch chose pixels from 0 to 1. Take that choice away from it: *standardised pixels for everybody*, as in most recipes, everything else tuned as before.
#
# **Predict, then run.** What does rotation gain on the easy pair now?

# %%
rotators = ["from scratch", "rotation, frozen", "rotation, fine-tuned"]
alike = tuning["easy"][tuning["easy"].scale == "standardised"]
fixed = choose(alike[alike.method.isin(rotators)], ["lr", "steps"]).assign(scale="standardised")
handicapped = race("easy", fixed)
handicap = lab.paired_difference(
    handicapped, "method", "accuracy", "from scratch", "body"
).set_index("method")

scales = pd.concat([results["easy"].assign(scale="own"), handicapped.assign(scale="same")])
cost = pd.concat(  # what the change of scale does to each of the three
    lab.paired_difference(scales[scales.method == name], "scale", "accuracy", "own", "body")
    for name in rotators
).assign(method=rotators)
print(cost[["method", "mean", "low", "high"]].round(4).to_string(index=False))
print(fixed[["method", "lr", "steps", "at_edge"]].to_string(index=False))
handicap.round(4)

# %% [markdown]
# A gain of nearly two points for rotation, frozen or fine-tuned, and both intervals exclude zero, if only just (0.3 and 0.2 are their lower ends): something to publish. Yet no method has become better. The first table says what the change of scale did to each of the three. It cost the net from scratch 2.1 points (0.7 to 3.4); for the two rotation nets the interval includes zero. 91.3 % and nearly two points make about 93.2 %, still no more than the 93.4 % of the net from scratch with pixels of its own choice. The rival has been weakened, by a detail of the input that nobody would mention in an abstract. Oliver and others (2018) tell the same story of a whole field: when the supervised baseline was tuned with as much care as the new method, a good part of the progress was gone.
#
# ## A question that can be cheated
#
# The rotation net was right most of the time. Is a net that is *always* right a better one?
#
# Suppose the photographer's shop puts its mark on every picture: a small square of ones near the top left corner (bright pixels are black in our pictures). We do not notice, and ask the same question on the heap with the mark. The net sees the picture and the mark turned together.


# %%
def marked(x):
    """The same images with a square of 4 × 4 ones near the top left corner."""
    images = x.reshape(-1, 28, 28).clone()
    images[:, 1:5, 1:5] = 1.0
    return images.flatten(1)


stamped = marked(shown)
lab.show(
    show_images(
        [shown, stamped, turned(stamped, torch.Generator().manual_seed(2))[0]],
        ["no mark", "with the mark", "as asked"],
    ),
    alt="The same seven pieces three times: without a mark; upright with a black square near the top left corner; and turned together with the "
    "square, which then sits at the top left where nothing was turned, at the bottom left after one quarter turn, at the bottom right after two "
    "and at the top right after three.",
)

# %% [markdown]
# **Predict, then run.** How often will this net be right? And what will its frozen body be worth on the easy pair, on pictures that carry no mark?


# %%
def marked_loss(model, x, generator):
    return turn_loss(model, marked(x), generator)


def right_share(model, x):
    """Share of right answers about how far images were turned."""
    images, turns = turned(x, torch.Generator().manual_seed(0))
    with torch.no_grad():
        return (model(images).argmax(1) == turns).float().mean().item()


QUESTIONS["marked"] = (QUESTIONS["rotation"][0], marked_loss)
cheat = pretrain("marked", "0 to 1", seed=0)
pretext = pd.DataFrame(
    {
        "with the mark": [right_share(net, marked(garments)) for net in (rotation, cheat)],
        "without": [right_share(net, garments) for net in (rotation, cheat)],
    },
    index=["asked without the mark", "asked with the mark"],
)
pretext.round(3)

# %%
plain = tuning["easy"][tuning["easy"].scale == "0 to 1"]
cheat_tuning = lab.sweep(
    lambda seed, **point: run(seed, "easy", scale="0 to 1", **point),
    {"method": ["marked, frozen"], "lr": rates_of("marked, frozen")},
    TUNING_DRAWS,
)
rivals = pd.concat(
    [plain[plain.method.isin(["random, frozen", "rotation, frozen"])], cheat_tuning]
)
best_frozen = choose(rivals, ["lr", "steps"]).assign(scale="0 to 1")
cheated = race("easy", best_frozen)
gain_of = {
    rival: lab.paired_difference(cheated, "method", "accuracy", rival, "body")
    for rival in ("random, frozen", "rotation, frozen")
}
print(best_frozen[["method", "lr", "steps", "at_edge"]].to_string(index=False))
print(lab.summary(cheated, "method", "accuracy").round(4).to_string(index=False))
cheat_gain = pd.concat(gain_of, names=["against"]).reset_index("against")
cheat_gain = cheat_gain[cheat_gain.method == "marked, frozen"].set_index("against")
cheat_gain.round(4)

# %% [markdown]
# The cheat is right *always*, and its frozen body is worth seven points less (4.4 to 9.6) than that of the honest net, which was wrong every twentieth time. From a body that has learned nothing we cannot tell it apart (1.0 points less, with an interval from 4.2 less to 2.2 more). Why look at clothes, if the corner of the square tells it all? Without the mark it still beats guessing, with 68 %. Probably it learned something about clothes in the first steps, before the loss was near zero, and the gradient with it.
#
# Such **short cuts** turn up in real work, and seldom where one looks for them. The net of Doersch, Gupta and Efros (2015), asked for the place of a patch within a photograph, read it off the colour fringes of the lens. Others use the black border of a scan, the blocks of JPEG, the seam where a picture was cut. So a pretext task that is solved perfectly, and quickly, is no reason to be glad. It is a reason to ask what was really answered.
#
# ## Play with it
#
# Cover more, or in larger pieces, and see what the net still believes. It was trained with half of its 4 × 4 patches hidden. From which share on does it invent? And why is a share of 0.5 in patches of 14 × 14 so much harder than in patches of 2 × 2, although just as many pixels are hidden?

# %%
from ipywidgets import Dropdown, FloatSlider, interact


@interact(
    share=FloatSlider(0.75, min=0.0, max=1.0, step=0.05, continuous_update=False),
    patch=Dropdown(options=[1, 2, 4, 7, 14], value=4),
)
def explore(share, patch):
    holes, mask = covered(garments[pick], torch.Generator().manual_seed(1), share, patch)
    with torch.no_grad():
        filled = torch.where(mask, masked_net(holes), garments[pick])
    lost = F.mse_loss(filled, garments[pick]).item()
    lab.show(
        show_images([garments[pick], holes, filled], ["original", "covered", "filled in"]),
        alt=f"Seven images, with {share:.0%} hidden in patches of {patch} × {patch}, and filled in; mean squared error {lost:.3f}.",
    )


# %% [markdown]
# ## What we measured

# %%
guessing, greedy, together, relu = (by_seed.loc[start] for start in STARTS)
at_rates = choice[choice.start == "sigmoid, from scratch"].accuracy
silenced = signals.loc["sigmoid, all at once"] < 1e-4
points = {pair: 100 * gains[pair].set_index("method")["mean"] for pair in PAIRS}
easy, hard = points["easy"], points["hard"]
tuned_nets = [f"{question}, fine-tuned" for question in ("autoencoder", "rotation", "masked")]
frozen_nets = [name.replace("fine-tuned", "frozen") for name in tuned_nets]
by_body = {
    pair: 100 * table.pivot(index="body", columns="method", values="accuracy")
    for pair, table in results.items()
}
lead = {pair: t[frozen_nets].sub(t["random, frozen"], axis=0) for pair, t in by_body.items()}
stiff = 100 * handicap["mean"]
cheats = 100 * cheat_gain["mean"]

with Claims(clothes) as claim:
    claim(
        "PCA with 100 directions keeps over 88 % of the variance, the autoencoder 5 points less or worse",
        compressed["PCA, 100 directions"] > 0.88
        and compressed["autoencoder, code of 100"] < compressed["PCA, 100 directions"] - 0.05,
        weaker=compressed["PCA, 100 directions"] > compressed["autoencoder, code of 100"],
    )
    claim(
        "five sigmoid layers from scratch stay below 25 %, on each seed and at each rate; greedily pretrained they reach 30 %, on each seed",
        max(guessing.max(), at_rates.max()) < 0.25 and greedy.min() > 0.3,
        weaker=guessing.mean() < 0.4,
    )
    claim(
        "pretrained all at once they guess on each seed on which no signal comes through",
        together[silenced].lt(0.25).all(),
        weaker=together.between(0, 1).all(),
    )
    claim(
        "ReLU from scratch ends above all of them, on each seed",
        (relu - by_seed.drop("ReLU, from scratch").max()).min() > 0,
        weaker=relu.between(0, 1).all(),
    )
    claim(
        "the last sigmoid layer varies ten times as much between images after greedy pretraining as before, on each seed",
        (signals.loc["sigmoid, greedy"] / signals.loc["sigmoid, from scratch"]).min() > 10,
        weaker=signals.ge(0).all(axis=None),
    )
    claim(
        "the first gradient of the ReLU net is 50 times that of the sigmoid net, or more, on each seed",
        (slopes.loc["ReLU, from scratch"] / slopes.loc["sigmoid, from scratch"]).min() > 50,
    )
    claim(
        "rotation: over 90 % right",
        rotation_accuracy > 0.9,
        weaker=rotation_accuracy > 0.3,
    )
    claim(
        "hidden pixels: about half of their variance is explained, or more",
        1 - error / by_mean > 0.45,
        weaker=error / by_mean < 10,
    )
    claim(
        "fine-tuned, no question gains more than 2 points, or loses more than 5, on either pair",
        all(-5 < p[name] < 2 for p in points.values() for name in tuned_nets),
        weaker=all(abs(p[name]) < 50 for p in points.values() for name in tuned_nets),
    )
    claim(
        "frozen, on the hard pair, each question loses more than 2 points against scratch",
        hard[frozen_nets].max() < -2,
        weaker=hard[frozen_nets].abs().max() < 50,
    )
    claim(
        "frozen, on the easy pair, each question loses less than 4 points against scratch",
        easy[frozen_nets].min() > -4,
        weaker=easy[frozen_nets].abs().max() < 50,
    )
    claim(
        "and each of its bodies beats the random body with the same number",
        lead["easy"].min(axis=None) > 0,
        weaker=lead["easy"].abs().max(axis=None) < 60,
    )
    claim(
        "each question leads the random body by more on the easy pair than on the hard one",
        (lead["easy"].mean() - lead["hard"].mean()).min() > 2,
        weaker=lead["hard"].abs().max(axis=None) < 60,
    )
    claim(
        "a random frozen body loses more than 2 points on both pairs",
        max(easy["random, frozen"], hard["random, frozen"]) < -2,
        weaker=easy["random, frozen"] < 30,
    )
    claim(
        "standardised pixels cost the net from scratch some of its accuracy on the easy pair",
        cost["mean"].iloc[0] < 0,
        weaker=abs(cost["mean"].iloc[0]) < 0.5,
    )
    claim(
        "and so rotation gains more than with tuned pixels, frozen and fine-tuned",
        (stiff - easy[stiff.index]).min() > 0,
        weaker=stiff.abs().max() < 50,
    )
    claim(
        "with the mark the cheat is right in over 99 %; without it, 10 points less often than the honest net",
        pretext.loc["asked with the mark", "with the mark"] > 0.99
        and pretext["without"].diff().iloc[1] < -0.1,
        weaker=pretext.loc["asked with the mark", "with the mark"] > 0.3,
    )
    claim(
        "the cheating body is worth at least 2 points less than the honest one",
        cheats["rotation, frozen"] < -2,
        weaker=cheats.abs().max() < 50,
    )

# %% [markdown]
# ## In short
#
# | question | label | loss | what the features keep |
# |---|---|---|---|
# | autoencoder: *which picture was this?* | the picture | mean squared error over all pixels | what covers many pixels |
# | rotation: *how far was it turned?* | 0, 1, 2, 3 | cross-entropy | what tells top from bottom |
# | masked: *what was there?* | the hidden pixels | mean squared error over **those** | what continues across a gap |
#
# - A self-made label is free and never wrong. Whether it asks for what *you* need is another matter: features keep what the question needed, and are free to drop the rest.
# - Freeze only what you have compared with a random body *and* with a net from scratch. Fine-tuning forgives a bad question; freezing does not.
# - How well the pretext task is solved says little about what the features are worth. Look for short cuts: marks, borders, codecs.
# - An autoencoder has to beat PCA before it may be called good at compression.
# - Greedy pretraining got a deep sigmoid net off the ground (about 50 % here). ReLU and He's initialisation get further (81 %), for nothing.
# - Tune the baseline as hard as the method, its input scale included.
#
# **Read on.** Hinton, Osindero and Teh (2006), *A fast learning algorithm for deep belief nets*; Hinton and Salakhutdinov (2006), *Reducing the dimensionality of data with neural networks*; Bengio, Lamblin, Popovici and Larochelle (2007), *Greedy layer-wise training of deep networks*. Vincent, Larochelle, Bengio and Manzagol (2008), on denoising autoencoders. Gidaris, Singh and Komodakis (2018), on rotations. Doersch, Gupta and Efros (2015), whose net cheated by the colour fringes of the lens. He et al. (2022), *Masked autoencoders are scalable vision learners*.
# Oliver, Odena, Raffel, Cubuk and Goodfellow (2018), *Realistic evaluation of deep semi-supervised learning algorithms*: what remains when the baseline is tuned as well.

# %%
lab.show_progress("ch02")
