# ---
# jupyter:
#   lesson:
#     title: "Capstone: twenty layers deep"
#     minutes: 150
# ---

# %% [markdown]
# Twenty hidden layers of a hundred units, nothing but dense layers, on small colour photographs. Nobody would choose this network for images. That is why it is a good test: it has no convolutions to lean on, and it is deep enough to fail for each of the reasons that this course is about. Signals can fade on the way up, gradients on the way down, the
# learning rate can be wrong, and a few thousand images are soon learnt by heart.
#
# So here is the whole course on one bench. You build the parts, the notebook runs the contest: initialisation and activation, batch norm, self-normalisation, alpha dropout, Monte Carlo dropout, two optimisers, 1cycle, and skip connections. At the end stands **one table** with accuracy, epochs and seconds, each entry at a learning rate of its own and over several seeds, and a
# function of yours that says which places in it mean anything. After this lesson you can
#
# - build a deep stack whose initialisation fits its activation, and see in two curves where signal or gradient is in trouble,
# - write a training loop that stops early and gives the best network back, whole,
# - check whether a network may call itself self-normalising,
# - switch on Monte Carlo dropout in a trained network without touching its weights,
# - compare recipes that differ in *one* thing at a time, and claim no more than the intervals do.
#
# You need all the chapters before; each exercise says which. Nothing here is new mathematics. What is new is that all of it has to work at the same time.

# %% role="setup"
import copy
import functools
import itertools
import math
import time

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from scipy import stats
from torch import nn
from torch.nn import functional as F
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

_ = torch.set_flush_denormal(True)
ACTIVATIONS = (
    nn.Sigmoid,
    nn.Tanh,
    nn.ReLU,
    nn.LeakyReLU,
    nn.PReLU,
    nn.ELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
)
NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)
PLAIN_DROPOUT = (nn.Dropout, nn.Dropout1d, nn.Dropout2d)
DROPOUT_LAYERS = (*PLAIN_DROPOUT, nn.AlphaDropout)

# %%
device = lab.device()
data = lab.cifar10(flat=True).take(train=18_000, valid=2_000, test=5_000).to(device)
n_inputs, n_classes = data.train[:1][0].shape[1], len(data.classes)
N_TRAIN = min(budget(5_000, fast=256), len(data.train))  # the built-in set is smaller
BATCH = 128
DEPTH, WIDTH = 20, 100
data


# %% [markdown]
# ## The task
#
# CIFAR-10 (Krizhevsky, 2009): ten kinds of things, $32 \times 32$ pixels, three colours, 3072 numbers an image. Guessing gives 10 %. To keep the whole contest within ten minutes, each run draws 5,000 training images of its own from the 18,000 that we take from the set (so the luck of the draw is in our intervals); 2,000 validation images
# choose learning rates and the moment to stop; 5,000 test images are looked at once, at the end.


# %%
def plot_images(split, labels, columns=10):
    fig, axes = lab.figure(1, columns, height=1.0)
    images = split.images.cpu()
    for c, ax in enumerate(axes):
        image = images[(split.labels.cpu() == c).nonzero()[0, 0]]
        ax.imshow(image.movedim(0, -1))
        ax.set_title(labels[c], fontsize=7.5)
        ax.axis("off")
    return fig


lab.show(
    plot_images(data.train, data.classes),
    alt="One training image of each of the ten classes, 32 by 32 pixels in colour.",
)

# %% [markdown]
# **Predict.** The literature's best networks exceed 99 % on this task, with convolutions or attention and all the data. What will a good dense network reach with 5,000 images? And what do you expect from each of the recipes above: which one comes first, and by how much? Write your ranking down now. It will be interesting to see it beside the table.
#
# ## The stack
#
# Two of our rules for a healthy start, in one builder. **He** for the ReLU family, $\sigma = \sqrt{2/f_\text{in}}$, and **LeCun** for SELU and for layers without an activation, $\sigma = 1/\sqrt{f_\text{in}}$: they differ by the *gain* $g$ alone, $\sigma = g/\sqrt{f_\text{in}}$, with $g = \sqrt 2$ or $g = 1$. Batch norm stands between a linear layer and its activation, and makes that layer's
# bias useless. Alpha dropout, where we use it, stands behind the last hidden activation, the place where it costs least.

# %% [markdown] role="card" exercise="deep_stack" level=2 minutes=15 topic="Putting it together" doc="https://docs.pytorch.org/docs/stable/nn.init.html"
# ### The deep stack
#
# Return an `nn.Sequential` of `depth` hidden layers of `width` units and an output layer:
#
# - **A hidden layer** is an `nn.Linear`, then an `nn.BatchNorm1d` if `batch_norm`, then a *new* `activation()`. `activation` is a class, or any function without arguments that makes a module (so that an `nn.PReLU` learns a slope for each layer).
# - **Weights** of the hidden layers: normal, $\sigma = \text{gain}/\sqrt{f_\text{in}}$, with the layer's own $f_\text{in}$. **Biases**: 0; none at all (`bias=False`) in front of batch norm.
# - If `alpha_dropout` is above 0: one `nn.AlphaDropout` of that rate, behind the last activation.
# - **The output layer** is an `nn.Linear` with a bias of 0 and $\sigma = 1/\sqrt{f_\text{in}}$, whatever the gain, and nothing behind it.
#
# `depth` is at least 1. From "Initialisation", "Normalisation" and "Dropout, and doubt".


# %% role="stub" exercise="deep_stack"
def deep_stack(
    n_in: int,
    n_out: int,
    depth: int = 20,
    width: int = 100,
    *,
    activation=nn.SiLU,
    gain: float = math.sqrt(2),
    batch_norm: bool = False,
    alpha_dropout: float = 0.0,
) -> nn.Sequential:
    """Dense network whose start fits its activation.

    Args:
        n_in: inputs.
        n_out: outputs, which stay linear.
        depth: hidden layers, at least 1.
        width: units of each.
        activation: makes the activation of a layer: a module class, or a function without arguments.
        gain: g of the hidden layers' σ = g / √f_in; √2 is He's draw, 1 is LeCun's.
        batch_norm: put batch norm in front of each activation.
        alpha_dropout: rate of alpha dropout behind the last activation; 0 leaves it out.

    Returns:
        Linear → [BatchNorm1d] → activation, `depth` times, → [AlphaDropout] → Linear.
    """
    ### BEGIN SOLUTION
    layers, fan_in = [], n_in
    for _ in range(depth):
        layers.append(nn.Linear(fan_in, width, bias=not batch_norm))
        nn.init.normal_(layers[-1].weight, std=gain / math.sqrt(fan_in))
        if batch_norm:
            layers.append(nn.BatchNorm1d(width))
        else:
            nn.init.zeros_(layers[-1].bias)
        layers.append(activation())
        fan_in = width
    if alpha_dropout > 0:
        layers.append(nn.AlphaDropout(alpha_dropout))
    head = nn.Linear(width, n_out)
    nn.init.normal_(head.weight, std=1 / math.sqrt(width))
    nn.init.zeros_(head.bias)
    return nn.Sequential(*layers, head)
    ### END SOLUTION


# %% role="check" exercise="deep_stack"
with Check("deep_stack") as check:
    torch.manual_seed(0)

    def parts(net):
        """The modules without children, in order."""
        return [module for module in net.modules() if not list(module.children())]

    net = deep_stack(300, 7, depth=3, width=200)
    check.is_a(net, nn.Sequential)
    kinds = [type(part).__name__ for part in parts(net)]
    linears = [part for part in parts(net) if isinstance(part, nn.Linear)]
    check.that(
        len(linears) == 4,
        f"`depth=3` means three hidden layers and an output layer: 4 nn.Linear, not {len(linears)}.",
    )
    check.that(
        kinds == ["Linear", "SiLU"] * 3 + ["Linear"],
        f"The order should be Linear, SiLU three times and a Linear at the end, but it is {', '.join(kinds)}.",
    )
    sizes = [(part.in_features, part.out_features) for part in linears]
    check.that(
        sizes == [(300, 200), (200, 200), (200, 200), (200, 7)],
        f"The layers should be 300 → 200 → 200 → 200 → 7, but (inputs, outputs) are {sizes}.",
    )
    check.shape(net(torch.randn(5, 300)), (5, 7))
    check.that(
        all(part.bias is not None and bool((part.bias == 0).all()) for part in linears),
        "Without batch norm each linear layer should have a bias, and it should be 0.",
    )

    def gain_of(part):
        return (part.weight.std() * math.sqrt(part.in_features)).item()

    check.that(
        abs(gain_of(linears[1]) - math.sqrt(2)) < 0.05,
        f"σ · √f_in of a hidden layer should be the gain, 1.41, but it is {gain_of(linears[1]):.2f}.",
    )
    check.that(
        abs(gain_of(linears[0]) - math.sqrt(2)) < 0.05,
        f"In the first layer σ · √f_in is {gain_of(linears[0]):.2f}, not 1.41: its f_in is `n_in`, here 300.",
    )
    check.that(
        abs(gain_of(linears[3]) - 1) < 0.12,
        f"In the output layer σ · √f_in should be 1, but it is {gain_of(linears[3]):.2f}.",
    )
    net = deep_stack(30, 5, depth=2, width=40, activation=nn.SELU, gain=1.0, alpha_dropout=0.1)
    check.that(
        sum(isinstance(part, nn.SELU) for part in parts(net)) == 2,
        "`activation` makes no difference: with `activation=nn.SELU` there should be an nn.SELU behind each hidden layer.",
    )
    kinds = [type(part).__name__ for part in parts(net)]
    check.that(
        kinds == ["Linear", "SELU", "Linear", "SELU", "AlphaDropout", "Linear"],
        f"With `alpha_dropout` there should be one AlphaDropout, behind the last activation, but the order is {', '.join(kinds)}.",
    )
    check.that(parts(net)[4].p == 0.1, "The AlphaDropout should have the rate `alpha_dropout`.")
    net = deep_stack(30, 5, depth=2, width=40, batch_norm=True)
    kinds = [type(part).__name__ for part in parts(net)]
    check.that(
        kinds == ["Linear", "BatchNorm1d", "SiLU"] * 2 + ["Linear"],
        f"With `batch_norm` it should stand between each hidden Linear and its activation, but the order is {', '.join(kinds)}.",
    )
    check.that(
        [part.bias is None for part in parts(net) if isinstance(part, nn.Linear)]
        == [True, True, False],
        "In front of batch norm a Linear needs no bias (`bias=False`); the output layer keeps its own.",
    )


# %% [markdown] role="hints" exercise="deep_stack"
# <details><summary>Hint 1: a list that grows</summary>
#
# Collect the modules in a list, in a loop over the hidden layers, and give the list to `nn.Sequential(*layers)`. The number of inputs is `n_in` for the first one and `width` from then on.
#
# </details>
# <details><summary>Hint 2: the draw</summary>
#
# `nn.init.normal_(linear.weight, std=...)` draws in place; `nn.init.zeros_(linear.bias)` needs a bias to be there.
#
# </details>
# <details><summary>Hint 3: one activation, or twenty?</summary>
#
# `activation` is what *makes* a module. Call it once for each layer. With `act = activation()` in front of the loop all layers would share one object, and an `nn.PReLU` one slope.
#
# </details>

# %% role="test" exercise="deep_stack" points=3
# Graded with hidden tests: sizes, order, draws, gains, batch norm, alpha dropout, layers of their own.
### BEGIN HIDDEN TESTS
with HiddenTest("deep_stack") as test:

    def leaves(net):
        return [module for module in net.modules() if not list(module.children())]

    for n_in, n_out, depth, width, options in (
        (50, 3, 1, 300, {}),
        (20, 4, 5, 120, {"activation": nn.SELU, "gain": 1.0}),
        (64, 2, 4, 100, {"activation": nn.Tanh, "gain": 5 / 3, "batch_norm": True}),
        (90, 6, 2, 80, {"activation": nn.SELU, "gain": 1.0, "alpha_dropout": 0.25}),
        (40, 5, 3, 60, {"activation": nn.GELU, "batch_norm": True, "alpha_dropout": 0.5}),
        (33, 1, 6, 90, {"activation": nn.PReLU, "gain": 0.5}),
    ):
        with test.case(f"n_in = {n_in}, depth = {depth}, {options}"):
            net = deep_stack(n_in, n_out, depth=depth, width=width, **options)
            again = deep_stack(n_in, n_out, depth, width, **options)
        test.is_a(net, nn.Sequential)
        act = options.get("activation", nn.SiLU)
        want = [nn.Linear, act]
        if options.get("batch_norm"):
            want.insert(1, nn.BatchNorm1d)
        want = want * depth + [nn.AlphaDropout] * ("alpha_dropout" in options) + [nn.Linear]
        got = [type(part) for part in leaves(net)]
        said = ", ".join(kind.__name__ for kind in got)
        test.that(got == want, f"With {options} and depth {depth} the order is {said}.")
        linears = [part for part in leaves(net) if isinstance(part, nn.Linear)]
        sizes = [n_in] + [width] * depth + [n_out]
        test.that(
            [(part.in_features, part.out_features) for part in linears]
            == list(itertools.pairwise(sizes)),
            "A layer has the wrong numbers of inputs and outputs.",
        )
        for place, part in enumerate(linears):
            head = place == depth
            gain = 1.0 if head else options.get("gain", math.sqrt(2))
            if options.get("batch_norm") and not head:
                test.that(
                    part.bias is None, "In front of batch norm a Linear should have no bias."
                )
            else:
                test.that(
                    part.bias is not None and bool((part.bias == 0).all()),
                    "A bias is missing, or is not 0.",
                )
            unit = part.weight.detach().double().flatten() * math.sqrt(part.in_features) / gain
            n = len(unit)
            where = "output" if head else "first" if place == 0 else "a later hidden"
            test.that(
                abs(unit.std() - 1) < 6 / math.sqrt(2 * n),
                f"The weights of the {where} layer have the wrong standard deviation "
                f"(gain {gain:.2f}, {part.in_features} inputs).",
            )
            test.that(
                abs(unit.mean()) < 6 / math.sqrt(n), "The weights should have a mean of 0."
            )
            if n > 2_000:
                beyond = (unit.abs() > 2).double().mean()
                test.that(
                    abs(beyond - 0.0455) < 6 * math.sqrt(0.0455 / n),
                    "The weights should be drawn from a normal distribution.",
                )
            test.that(part.weight.requires_grad, "All parameters stay trainable.")
        test.that(
            not torch.equal(linears[0].weight, leaves(again)[0].weight),
            "Two calls give the same weights: do not fix the seed.",
        )
        if depth > 2:
            test.that(
                not torch.equal(linears[1].weight, linears[2].weight),
                "Two layers have the same weights.",
            )
        acts = [part for part in leaves(net) if isinstance(part, act)]
        test.that(
            len({id(part) for part in acts}) == depth,
            "All layers share one activation object: make a new one for each layer.",
        )
        if act is nn.PReLU:
            slopes = [p for p in net.parameters() if p.shape == (1,)]
            test.that(
                len(slopes) == depth + (n_out == 1), "Each PReLU should learn its own slope."
            )
        rates = [part.p for part in leaves(net) if isinstance(part, nn.AlphaDropout)]
        test.that(
            all(rate == options["alpha_dropout"] for rate in rates),
            "The AlphaDropout should have the rate `alpha_dropout`.",
        )
        test.shape(net(torch.randn(8, n_in)), (8, n_out))
    with test.case("a function that makes activations"):
        net = deep_stack(4, 2, depth=3, width=5, activation=lambda: nn.LeakyReLU(0.2))
    test.that(
        [part.negative_slope for part in leaves(net) if isinstance(part, nn.LeakyReLU)]
        == [0.2] * 3,
        "`activation` may be any function without arguments that makes a module.",
    )
    default = deep_stack(12, 3)
    test.that(
        sum(isinstance(part, nn.Linear) for part in leaves(default)) == 21
        and leaves(default)[0].out_features == 100,
        "The defaults are 20 layers of 100 units.",
    )
    with torch.no_grad():
        deep = deep_stack(400, 400, 30, 400, activation=nn.SELU, gain=1.0)
        out = deep(torch.randn(200, 400))
    test.that(
        0.7 < out.std() < 1.3,
        "SELU with gain 1 should keep a standard deviation of 1 through 30 layers.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="deep_stack"
# The gain is all that distinguishes the classic draws: $\sqrt 2$ makes good for the half of the signal that ReLU throws away; SELU is built so that nothing has to be made good; a layer without an activation loses nothing, which is why the output layer has a gain of 1. `nn.init.kaiming_normal_` computes the same numbers: `nonlinearity="relu"` is our $\sqrt 2$, `"linear"` our 1 (and `"selu"`, in PyTorch, is $3/4$,
# which is *not* what self-normalisation wants). For SiLU nobody has a gain that works at any depth, as "Activations that stay alive" showed; He's is the custom.


# %% [markdown]
# Will it train? Before spending minutes on the question, spend a second: one batch up, one gradient down, and a look at each layer.
#
# **Predict, then run.** Three stacks, untrained: He + SiLU, the same with batch norm, LeCun + SELU. In which one does the signal fade on the way up? In which one does the gradient change most on the way down?


# %%
RECIPES = {
    "He + SiLU": {"activation": nn.SiLU, "gain": math.sqrt(2)},
    "+ batch norm": {"activation": nn.SiLU, "gain": math.sqrt(2), "batch_norm": True},
    "SELU + LeCun": {"activation": nn.SELU, "gain": 1.0},
    "+ alpha dropout": {"activation": nn.SELU, "gain": 1.0, "alpha_dropout": 0.1},
}


def start_of(net, x, y):
    """Standard deviation of what leaves each hidden layer, and norm of its weight's gradient, a row a layer."""
    seen, hooks = [], []
    for module in net.modules():
        if isinstance(module, (nn.SiLU, nn.SELU)):
            hooks.append(module.register_forward_hook(lambda *args: seen.append(args[2].std())))
    F.cross_entropy(net.train()(x), y).backward()
    for hook in hooks:
        hook.remove()
    weights = [module.weight for module in net.modules() if isinstance(module, nn.Linear)]
    return [
        {"layer": layer, "activations": std.item(), "gradient": weight.grad.norm().item()}
        for layer, (std, weight) in enumerate(zip(seen, weights, strict=False), start=1)
    ]


@functools.cache
def starts():
    """What a batch meets in five untrained nets of each recipe."""

    def one(recipe, seed):
        torch.manual_seed(seed)
        net = deep_stack(n_inputs, n_classes, DEPTH, WIDTH, **RECIPES[recipe]).to(device)
        return start_of(net, *data.train[256 * seed : 256 * (seed + 1)])

    return lab.sweep(one, {"recipe": list(RECIPES)[:3]}, seeds=range(5))


def plot_starts(table):
    fig, axes = lab.figure(1, 2, height=3.2)
    for ax, value, label in zip(
        axes,
        ("activations", "gradient"),
        ("standard deviation of the activations", "norm of the weight's gradient"),
        strict=True,
    ):
        lab.band(
            table, "layer", value, by="recipe", ax=ax, log=True, ylabel=label, legend=False
        )
        ax.set(xlabel="hidden layer")
    axes[0].legend(fontsize=9, handlelength=3)
    return fig


with needs("deep_stack"):
    lab.show(
        plot_starts(starts()),
        alt="Two panels with logarithmic axes against the hidden layer, 1 to 20. Left, standard deviation of the "
        "activations: SELU stays at 1, batch norm near 0.6, He + SiLU falls from 0.8 to 0.015. Right, norm of the "
        "gradient: SELU falls from 8 to 1.3 and stays there, He + SiLU lies near 0.01, and with batch norm it "
        "rises from 0.4 in the last layer to 18 in the first.",
    )
    ends = starts().groupby(["recipe", "layer"], sort=False).mean()[["activations", "gradient"]]
    display(ends.unstack("recipe").loc[[1, DEPTH // 2, DEPTH]].map("{:.2g}".format))

# %% [markdown]
# SELU keeps its word: a standard deviation of 0.98 behind layer 20, and a gradient that comes down between 1.2 and 1.4 (8 in the first layer, which has thirty times as many weights as the others). He + SiLU loses the signal, from 0.82 to 0.03 in the mean of five nets, and how much of it is a matter of luck (the band; the line is a geometric mean, and ends at half of that): He's gain makes good for what ReLU throws away, and SiLU throws away more. That net is not dead, but its scores hardly depend on the
# image, and its gradients are a hundredth of SELU's. Plain SGD would crawl; optimisers that divide each gradient by its own size, as Adam's family does, care less.
#
# Batch norm sets the way up right, layer by layer, and pays on the way down: the gradient grows from 0.4 at the top to 2.9 in the second layer, and 18 in the first. You have seen that in "Normalisation": forward perfect, backward growing, as long as there are no skip connections.
#
# ## The loop
#
# Each of these nets will be trained by the same loop. It has to do four things right at once, and most home-made loops get one of them wrong: switch between training and evaluation mode (batch norm, dropout), step the schedule once a **batch**, stop when the validation loss has had its best moment, and give back **everything** that belonged to that moment. Batch norm's running
# statistics are no parameters, but they belong to it too.

# %% [markdown] role="card" exercise="fit_early" level=3 minutes=20 topic="Putting it together" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict"
# ### Train, stop early, restore
#
# Train `model` for at most `max_epochs` epochs. In each epoch:
#
# - put the model into training mode; call `batches()`, which gives a **new** pass over the training data, an iterable of pairs `x, y`; for each pair do one update with the cross-entropy of `model(x)` and with the gradient of this pair alone (a parameter may come with a `.grad` left over from somebody else), then one step of the `scheduler`, if there is one;
# - put the model into evaluation mode and call `valid_loss(model)`, without recording gradients. It returns a float; the lower the better.
#
# **Stop** as soon as `patience` epochs *in a row* have brought no loss below the best one so far, or the last validation loss is not finite (nan, or infinite with either sign: that run is lost), or `max_epochs` are done.
#
# **Restore**: afterwards `model` has the parameters and buffers of the epoch with the lowest finite validation loss (the first, if several are equal), and is in evaluation mode. If the very first loss is not finite, there is no best epoch, and the model gets back the parameters and buffers with which it came, in evaluation mode all the same. The parameters stay the same objects throughout.
#
# **Return** a dictionary: `"best_epoch"`, counted from 1 (0 if the very first loss is not finite), and `"losses"`, the list of all validation losses in order, a last one that is not finite included.
#
# From "Normalisation", "High first, then low" and "Which one? What regularisation buys".


# %% role="stub" exercise="fit_early"
def fit_early(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    batches,
    valid_loss,
    max_epochs: int,
    patience: int,
    scheduler=None,
) -> dict:
    """Training with early stopping, which leaves the best state in the model.

    Args:
        model: classifier, trained in place; maps a batch to scores (B, classes).
        optimizer: built on the model's parameters.
        batches: called without arguments once an epoch; gives an iterable of pairs x, y.
        valid_loss: called with the model after each epoch; gives a float.
        max_epochs: epochs at most, at least 1.
        patience: epochs in a row without a lower loss after which to stop, at least 1.
        scheduler: stepped after each update; None for a constant rate.

    Returns:
        {"best_epoch": int, "losses": [a float for each epoch]}.
    """
    ### BEGIN SOLUTION
    best_loss, best_epoch, losses = math.inf, 0, []
    best_state = copy.deepcopy(model.state_dict())
    for epoch in range(1, max_epochs + 1):
        model.train()
        for x, y in batches():
            optimizer.zero_grad()
            F.cross_entropy(model(x), y).backward()
            optimizer.step()
            if scheduler is not None:
                scheduler.step()
        model.eval()
        with torch.no_grad():
            losses.append(valid_loss(model))
        if not math.isfinite(losses[-1]):
            break  # asked first: -inf is below every loss, and would be called the best
        if losses[-1] < best_loss:
            best_loss, best_epoch = losses[-1], epoch
            best_state = copy.deepcopy(model.state_dict())
        if epoch - best_epoch >= patience:
            break
    model.load_state_dict(best_state)
    return {"best_epoch": best_epoch, "losses": losses}
    ### END SOLUTION


# %% role="check" exercise="fit_early"
with Check("fit_early") as check:

    class Script:
        """A validation loss that reads its values from a list, and notes how it was called."""

        def __init__(self, losses):
            self.losses, self.states, self.modes, self.grads = list(losses), [], [], []

        def __call__(self, model):
            self.modes.append(model.training)
            self.grads.append(torch.is_grad_enabled())
            self.states.append({k: v.detach().clone() for k, v in model.state_dict().items()})
            return self.losses[len(self.states) - 1]

    class Pass:
        """Batches that can be gone through once, and a count of the passes."""

        def __init__(self, x, y, size):
            self.x, self.y, self.size, self.calls = x, y, size, 0

        def __call__(self):
            self.calls += 1
            return zip(self.x.split(self.size), self.y.split(self.size), strict=True)

    def trial(losses, max_epochs, patience, scheduled=False):
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.ReLU(), nn.Linear(4, 2))
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        scheduler = LambdaLR(optimizer, lambda step: 0.99**step) if scheduled else None
        passes = Pass(torch.randn(20, 3), torch.arange(20) % 2, 5)
        script = Script(losses)
        out = fit_early(
            model, optimizer, passes, script, max_epochs, patience, scheduler=scheduler
        )
        return out, model, script, passes, scheduler

    out, model, script, passes, scheduler = trial([3.0, 2.0, 1.0], 3, 2, scheduled=True)
    check.is_a(out, dict)
    check.that(
        set(out) == {"best_epoch", "losses"},
        f'The dictionary should have the keys "best_epoch" and "losses", not {sorted(out)}.',
    )
    check.that(
        len(script.states) == 3,
        f"`max_epochs=3` with a falling loss: `valid_loss` should be called 3 times, not {len(script.states)}.",
    )
    check.that(
        passes.calls == 3,
        f"`batches()` should be called once an epoch, 3 times, not {passes.calls}: a pass can be gone through once.",
    )
    check.that(
        out["losses"] == [3.0, 2.0, 1.0],
        f'"losses" should hold the three validation losses, not {out["losses"]!r}.',
    )
    check.that(
        out["best_epoch"] == 3,
        f'With losses of 3, 2, 1 "best_epoch" should be 3 (epochs count from 1), not {out["best_epoch"]!r}.',
    )
    check.that(not any(script.modes), "`valid_loss` should see the model in evaluation mode.")
    check.that(not any(script.grads), "`valid_loss` should be called under `torch.no_grad()`.")
    tracked = [state["1.num_batches_tracked"].item() for state in script.states]
    check.that(
        tracked == [4, 8, 12],
        f"After 1, 2, 3 epochs of 4 batches batch norm should have seen 4, 8, 12 of them in training mode, but it has seen {tracked}. Is the model in training mode again after each evaluation?",
    )
    check.that(
        scheduler.last_epoch == 12,
        f"3 epochs of 4 batches: the scheduler should have made 12 steps, not {scheduler.last_epoch}.",
    )
    out, model, script, *_ = trial([2.0, 1.0, 1.5, 1.2, 0.5, 0.4], 6, 2)
    check.that(
        len(out["losses"]) == 4,
        f"Losses 2, 1, 1.5, 1.2 with a patience of 2: stop after epoch 4, not {len(out['losses'])}.",
    )
    check.that(
        out["best_epoch"] == 2,
        f"The lowest of these losses was that of epoch 2, not {out['best_epoch']!r}.",
    )
    state, best, last = model.state_dict(), script.states[1], script.states[-1]
    check.that(
        not torch.equal(state["0.weight"], last["0.weight"]),
        "Afterwards the model has the weights of the last epoch, not of the best. `state_dict()` holds references, not copies: is yours copied?",
    )
    check.that(
        torch.equal(state["0.weight"], best["0.weight"]),
        "Afterwards the weights are not those of the best epoch.",
    )
    check.that(
        torch.equal(state["1.running_mean"], best["1.running_mean"]),
        "The weights are restored, but batch norm's running statistics are not those of the best epoch: restore buffers, too.",
    )
    check.that(not model.training, "Afterwards the model should be in evaluation mode.")
    out, *_ = trial([2.0, 3.0, 1.0, 3.0, 0.9, 3.0], 6, 2)
    check.that(
        len(out["losses"]) == 6,
        "Patience counts epochs *in a row*: with losses 2, 3, 1, 3, 0.9, 3 and a patience of 2 all six are trained.",
    )
    out, *_ = trial([1.0, 1.0, 1.0, 1.0], 4, 3)
    check.that(
        out["best_epoch"] == 1,
        "An equal loss is no improvement: of equally good epochs the first is the best.",
    )
    out, model, script, *_ = trial([1.0, math.nan, 0.5], 3, 3)
    check.that(
        len(out["losses"]) == 2,
        "After a validation loss of nan the run is lost: stop at once, and restore the best.",
    )
    out, *_ = trial([1.0, -math.inf, 0.5], 3, 3)
    check.that(
        len(out["losses"]) == 2 and out["best_epoch"] == 1,
        "A validation loss of -inf is not finite either: the run is lost, and the best epoch is the one before. Ask whether a loss is finite before you ask whether it is lower.",
    )


# %% [markdown] role="hints" exercise="fit_early"
# <details><summary>Hint 1: the frame</summary>
#
# Two loops: epochs outside, `for x, y in batches():` inside. Around them three things to remember: the best loss (`math.inf` at first), its epoch, and a copy of the state that it came with, taken once before training as well.
#
# </details>
# <details><summary>Hint 2: a copy of everything</summary>
#
# `copy.deepcopy(model.state_dict())` copies parameters *and* buffers. Without the copy you hold references, and "the best state" goes on training. `model.load_state_dict(...)` puts it back.
#
# </details>
# <details><summary>Hint 3: when to stop</summary>
#
# No counter is needed: the epochs in a row without an improvement are `epoch - best_epoch`. For nan and both infinities, ask `math.isfinite`, and ask it first: a comparison with nan is always false, and -inf is below everything.
#
# </details>

# %% role="test" exercise="fit_early" points=3
# Graded with hidden tests: updates, modes, schedules, patience, ties, divergence, what is restored.
### BEGIN HIDDEN TESTS
with HiddenTest("fit_early") as test:

    class Watch:
        """A scripted validation loss that notes state, mode, gradients; it may be called too often."""

        def __init__(self, losses):
            self.losses, self.states, self.training, self.grads = losses, [], [], []

        def __call__(self, model):
            self.training += [any(part.training for part in model.modules())]
            self.grads += [torch.is_grad_enabled()]
            self.states += [{k: v.detach().clone() for k, v in model.state_dict().items()}]
            place = len(self.states) - 1
            return self.losses[place] if place < len(self.losses) else 1e9

    class Passes:
        def __init__(self, dtype):
            self.x, self.y, self.calls = (
                torch.randn(10, 5, dtype=dtype),
                torch.arange(10) % 3,
                0,
            )

        def __call__(self):
            self.calls += 1
            start = self.calls  # another order in each epoch, and a smaller last batch
            x, y = self.x.roll(start, 0), self.y.roll(start, 0)
            return ((x[k : k + 4], y[k : k + 4]) for k in range(0, 10, 4))

    def same(state, want):
        return set(state) == set(want) and all(
            torch.allclose(state[k].double(), want[k].double(), rtol=1e-5, atol=1e-7)
            for k in want
        )

    def oracle(model, make, passes, epochs, gamma):
        """The states after each epoch of a plain training."""
        optimizer, states = make(model.parameters()), []
        base = [group["lr"] for group in optimizer.param_groups]
        steps = 0
        for _ in range(epochs):
            model.train()
            for x, y in passes():
                for group, rate in zip(optimizer.param_groups, base, strict=True):
                    group["lr"] = rate * gamma**steps
                grads = torch.autograd.grad(
                    F.cross_entropy(model(x), y), list(model.parameters())
                )
                for p, g in zip(model.parameters(), grads, strict=True):
                    p.grad = g
                optimizer.step()
                steps += 1
            states.append({k: v.detach().clone() for k, v in model.state_dict().items()})
        return states

    nan, inf = math.nan, math.inf
    for losses, epochs, patience, best, count, gamma, dtype in (
        ([0.9, 0.8, 0.7, 0.6, 0.5], 5, 1, 5, 5, 1.0, torch.float32),
        ([0.9, 0.8, 0.85, 0.1], 4, 1, 2, 3, 0.9, torch.float64),
        ([0.9, 1.1, 1.0, 0.95, 0.1], 5, 3, 1, 4, 0.8, torch.float32),
        ([0.9, 1.1, 0.8, 1.0, 0.7, 2.0, 2.0, 0.1], 8, 2, 5, 7, 0.9, torch.float32),
        ([0.5, 0.5, 0.5, 0.4], 4, 2, 1, 3, 1.0, torch.float32),
        ([0.5, 0.4, 0.45, 0.44], 4, 10, 2, 4, 0.95, torch.float64),
        ([0.5, 0.4, nan, 0.1], 4, 3, 2, 3, 1.0, torch.float32),
        ([0.5, inf, 0.1], 3, 3, 1, 2, 1.0, torch.float32),
        ([nan, 0.5], 2, 2, 0, 1, 1.0, torch.float32),
        ([inf, 0.5], 2, 2, 0, 1, 1.0, torch.float32),
        ([-inf, 0.5], 2, 2, 0, 1, 1.0, torch.float32),
        ([0.5, 0.4, -inf, 0.1], 4, 3, 2, 3, 0.9, torch.float64),
        ([-0.5, -0.7, -0.6], 3, 1, 2, 3, 1.0, torch.float32),
        ([3.0], 1, 1, 1, 1, 0.9, torch.float32),
    ):
        model = nn.Sequential(
            nn.Linear(5, 6, bias=False), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3)
        ).to(dtype)
        first = copy.deepcopy(model)
        start = {k: v.clone() for k, v in first.state_dict().items()}

        def make(params):
            return torch.optim.SGD(params, lr=0.3, momentum=0.5)

        passes, watch = Passes(dtype), Watch(losses)
        replay = Passes(dtype)
        replay.x, replay.y = passes.x.clone(), passes.y.clone()
        states = oracle(first, make, replay, count, gamma)
        optimizer = make(model.parameters())
        held = list(model.parameters())
        model[0].weight.grad = torch.ones_like(model[0].weight)  # from somebody else
        model.train(count % 2 == 0)
        scheduler = LambdaLR(optimizer, lambda s, g=gamma: g**s) if gamma != 1 else None
        with test.case(f"losses {losses}, patience {patience}"):
            out = fit_early(
                model,
                optimizer,
                batches=passes,
                valid_loss=watch,
                max_epochs=epochs,
                patience=patience,
                scheduler=scheduler,
            )
        test.is_a(out, dict)
        test.that(
            set(out) == {"best_epoch", "losses"},
            'The keys should be "best_epoch" and "losses".',
        )
        lost = not all(math.isfinite(loss) for loss in losses[:count])
        test.that(
            len(watch.states) == count,
            f"With losses {losses} and a patience of {patience} the training should end after epoch "
            f"{count}, not {len(watch.states)}."
            + (" A loss that is not finite ends it at once." if lost else ""),
        )
        test.that(passes.calls == count, "`batches()` should be called once an epoch.")
        test.that(
            len(out["losses"]) == count
            and all(
                a == b or (math.isnan(a) and math.isnan(b))
                for a, b in zip(out["losses"], losses, strict=False)
            ),
            '"losses" should hold all validation losses, in order.',
        )
        test.that(
            out["best_epoch"] == best,
            f"With losses {losses[:count]} the best epoch is {best}, not {out['best_epoch']}.",
        )
        test.that(not any(watch.grads), "`valid_loss` was called with gradients recorded.")
        test.that(
            not any(watch.training), "`valid_loss` was called with a module in training mode."
        )
        if scheduler is not None:
            test.that(
                scheduler.last_epoch == 3 * count,
                f"The scheduler made {scheduler.last_epoch} steps in {count} epochs of 3 batches: "
                "one after each update.",
            )
        test.that(
            all(same(a, b) for a, b in zip(watch.states, states, strict=True)),
            "The updates are not those of plain training with the cross-entropy: gradients that add "
            "up or were there before, a mode, or the order of optimiser and scheduler.",
        )
        state, want = model.state_dict(), watch.states[best - 1] if best else start
        params = {k for k, _ in model.named_parameters()}
        test.that(
            same({k: state[k] for k in params}, {k: want[k] for k in params}),
            f"With losses {losses[:count]} the parameters afterwards are not those of the "
            + ("best epoch." if best else "start, though no loss was finite."),
        )
        test.that(
            same(state, want),
            "The buffers (running statistics) are not those of the best epoch.",
        )
        test.that(
            not any(part.training for part in model.modules()),
            "Afterwards the whole model should be in evaluation mode.",
        )
        test.that(
            all(a is b for a, b in zip(held, model.parameters(), strict=True)),
            "The parameters are not the same objects as before.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="fit_early"
# The state before training counts as epoch 0 with a loss of infinity. That one line makes the case of an instant divergence an ordinary one, and `epoch - best_epoch` the number of epochs in vain without a counter. The question for a finite loss comes before the comparison: a run that has got to minus infinity has not won, it has broken. `state_dict()` is a view: its tensors *are* the model's, so a best state that is not copied always equals the last. And a list of `model.parameters()` would have forgotten the running statistics: the best weights
# behind the last statistics are a network that never existed.


# %% [markdown]
# ## Self-normalising, or not?
#
# SELU keeps mean 0 and standard deviation 1 through any depth, under conditions. In "Activations that stay alive" we broke them one at a time. In practice they break silently, when somebody adds "a little dropout" to a stack, or forgets to standardise. Write the inspection.

# %% [markdown] role="card" exercise="selu_faults" level=2 minutes=12 topic="Self-normalisation" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html"
# ### The inspection
#
# Return the list of the conditions that are broken, from these five, in this order; an empty list is a pass:
#
# - `"inputs"`: the mean of all numbers in `x` is further than 0.1 from 0, or their standard deviation further than 0.1 from 1;
# - `"init"`: some `nn.Linear` has weights whose standard deviation differs from LeCun's, $1/\sqrt{f_\text{in}}$, by more than 10 % of it, or a bias that is not all 0. No bias at all is fine;
# - `"activation"`: there is an activation (one of `ACTIVATIONS`) other than `nn.SELU`;
# - `"norm"`: there is a normalisation layer (one of `NORMS`);
# - `"dropout"`: there is plain dropout (one of `PLAIN_DROPOUT`). Alpha dropout is allowed.
#
# The three tuples stand in the set-up cell. Modules count at any depth, and so does `model` itself (it may be a single `nn.Linear`). Only look: neither `model` nor `x` changes, and the model need not be run. From "Activations that stay alive" and "Dropout, and doubt".


# %% role="stub" exercise="selu_faults"
def selu_faults(model: nn.Module, x: torch.Tensor) -> list[str]:
    """The conditions of self-normalisation that an untrained network breaks.

    Args:
        model: any network; each of its `nn.Linear` has enough weights for a standard deviation.
        x: a batch of its inputs (n, features).

    Returns:
        Those of "inputs", "init", "activation", "norm", "dropout" that are broken, in this order.
    """
    ### BEGIN SOLUTION
    modules = list(model.modules())
    linears = [m for m in modules if isinstance(m, nn.Linear)]
    activations = [m for m in modules if isinstance(m, ACTIVATIONS)]
    stretch = [m.weight.std().item() * math.sqrt(m.in_features) for m in linears]
    biases = [m.bias for m in linears if m.bias is not None]
    broken = {
        "inputs": abs(x.mean()) > 0.1 or abs(x.std() - 1) > 0.1,
        "init": any(abs(s - 1) > 0.1 for s in stretch) or any(b.any() for b in biases),
        "activation": any(not isinstance(m, nn.SELU) for m in activations),
        "norm": any(isinstance(m, NORMS) for m in modules),
        "dropout": any(isinstance(m, PLAIN_DROPOUT) for m in modules),
    }
    return [name for name, is_broken in broken.items() if is_broken]
    ### END SOLUTION


# %% role="check" exercise="selu_faults"
with Check("selu_faults") as check:
    torch.manual_seed(0)

    def selu_net(*extra, gain=1.0, act=nn.SELU, bias=0.0):
        """Two hidden layers of 200 units, with `extra` modules in a nested part."""
        net = nn.Sequential(
            nn.Linear(300, 200), act(), nn.Sequential(nn.Linear(200, 200), act(), *extra)
        )
        for part in (net[0], net[2][0]):
            nn.init.normal_(part.weight, std=gain / math.sqrt(part.in_features))
            nn.init.constant_(part.bias, bias)
        return net

    x = torch.randn(100, 300)
    got = selu_faults(selu_net(), x)
    check.is_a(got, list)
    check.that(
        got == [], f"A plain SELU stack with LeCun's draw has no fault, but you return {got}."
    )
    for what, net, inputs, want in (
        ("pixels from 0 to 1", selu_net(), torch.rand(100, 300), ["inputs"]),
        ("inputs of the right mean, twice too wide", selu_net(), 2 * x, ["inputs"]),
        ("inputs of the right width around 0.5", selu_net(), x + 0.5, ["inputs"]),
        ("He's draw", selu_net(gain=math.sqrt(2)), x, ["init"]),
        ("biases of 0.2", selu_net(bias=0.2), x, ["init"]),
        ("ReLU", selu_net(act=nn.ReLU), x, ["activation"]),
        ("batch norm in a nested part", selu_net(nn.BatchNorm1d(200)), x, ["norm"]),
        ("plain dropout in a nested part", selu_net(nn.Dropout(0.1)), x, ["dropout"]),
        ("alpha dropout", selu_net(nn.AlphaDropout(0.1)), x, []),
        (
            "GELU, layer norm and pixels",
            selu_net(nn.LayerNorm(200), act=nn.GELU),
            torch.rand(100, 300),
            ["inputs", "activation", "norm"],
        ),
    ):
        with check.case(what):
            got = selu_faults(net, inputs)
        check.that(
            list(got) == want, f"The case was {what}: the list should be {want}, not {got}."
        )


# %% [markdown] role="hints" exercise="selu_faults"
# <details><summary>Hint 1: at any depth</summary>
#
# `model.modules()` goes through all modules, nested ones and the model itself included. `isinstance(module, NORMS)` accepts a tuple of classes.
#
# </details>
# <details><summary>Hint 2: LeCun's draw</summary>
#
# `linear.weight.std() * math.sqrt(linear.in_features)` should lie between 0.9 and 1.1 for *each* linear layer. A layer made with `bias=False` has `linear.bias is None`.
#
# </details>
# <details><summary>Hint 3: the right order for free</summary>
#
# Put the five answers into a dictionary, name → broken or not, in the order of the card, and collect the names whose answer is true.
#
# </details>

# %% role="test" exercise="selu_faults" points=2
# Graded with hidden tests: each condition alone and combined, nested networks, borderline cases.
### BEGIN HIDDEN TESTS
with HiddenTest("selu_faults") as test:

    def stack(gains=(1.0, 1.0, 1.0), acts=(nn.SELU, nn.SELU), extra=(), bias=True, dtype=None):
        sizes = ((400, 150), (150, 150), (150, 120))
        linears = [nn.Linear(a, b, bias=bias) for a, b in sizes]
        for linear, gain in zip(linears, gains, strict=True):
            draw = torch.randn_like(linear.weight)
            with torch.no_grad():  # to the point, so that no verdict hangs on luck
                linear.weight.copy_(
                    (draw - draw.mean()) / draw.std() * gain / math.sqrt(linear.in_features)
                )
                if bias:
                    linear.bias.zero_()
        inner = nn.Sequential(linears[1], nn.Sequential(acts[1](), *extra))
        return nn.Sequential(linears[0], acts[0](), inner, linears[2]).to(
            dtype or torch.float32
        )

    def inputs(mean=0.0, std=1.0, n=80):
        x = torch.randn(n, 400)
        return (x - x.mean()) / x.std() * std + mean

    he, third = math.sqrt(2), 1 / math.sqrt(3)
    biased = stack()
    with torch.no_grad():
        biased[3].bias[7] = 0.3
    negative = stack()
    with torch.no_grad():
        negative[0].bias[0], negative[0].bias[1] = 0.5, -0.5
    glorot = stack()
    with torch.no_grad():
        for module in glorot.modules():
            if isinstance(module, nn.Linear):
                nn.init.xavier_normal_(module.weight)
    trials = [
        ("a stack without a fault", stack(), inputs(), []),
        ("a stack without biases", stack(bias=False), inputs(), []),
        ("float64", stack(dtype=torch.float64), inputs().double(), []),
        ("a gain of 1.08", stack((1.0, 1.08, 1.0)), inputs(), []),
        ("a gain of 0.93", stack((0.93, 1.0, 1.0)), inputs(), []),
        ("a gain of 1.15 in one layer", stack((1.0, 1.15, 1.0)), inputs(), ["init"]),
        ("a gain of 0.85 in the last layer", stack((1.0, 1.0, 0.85)), inputs(), ["init"]),
        ("gains whose mean is right", stack((he, 1.0, 2 - he)), inputs(), ["init"]),
        ("He's draw", stack((he,) * 3), inputs(), ["init"]),
        ("PyTorch's default width", stack((third,) * 3), inputs(), ["init"]),
        ("Glorot's draw", glorot, inputs(), ["init"]),
        ("one bias of 0.3", biased, inputs(), ["init"]),
        ("two biases that cancel", negative, inputs(), ["init"]),
        ("a mean of 0.08 and a deviation of 1.07", stack(), inputs(0.08, 1.07), []),
        ("a mean of 0.15", stack(), inputs(0.15), ["inputs"]),
        ("a mean of -0.15", stack(), inputs(-0.15), ["inputs"]),
        ("a deviation of 0.85", stack(), inputs(std=0.85), ["inputs"]),
        ("a deviation of 1.2", stack(), inputs(std=1.2), ["inputs"]),
        ("one activation of two", stack(acts=(nn.SELU, nn.SiLU)), inputs(), ["activation"]),
        ("ELU", stack(acts=(nn.ELU, nn.ELU)), inputs(), ["activation"]),
        ("no activation", stack(acts=(nn.Identity, nn.Identity)), inputs(), []),
        ("alpha dropout", stack(extra=[nn.AlphaDropout(0.3)]), inputs(), []),
        ("plain dropout", stack(extra=[nn.Dropout(0.3)]), inputs(), ["dropout"]),
        ("layer norm", stack(extra=[nn.LayerNorm(150)]), inputs(), ["norm"]),
        (
            "all five",
            stack((he,) * 3, (nn.Tanh, nn.SELU), [nn.BatchNorm1d(150), nn.Dropout(0.5)]),
            inputs(1.0),
            ["inputs", "init", "activation", "norm", "dropout"],
        ),
        (
            "dropout and wide inputs",
            stack(extra=[nn.AlphaDropout(0.1), nn.Dropout(0.1)]),
            inputs(std=3.0),
            ["inputs", "dropout"],
        ),
    ]
    for what, net, x, want in trials:
        state = {k: v.clone() for k, v in net.state_dict().items()}
        modes, before = [part.training for part in net.modules()], x.clone()
        with test.case(what):
            got = selu_faults(net, x)
        test.is_a(got, list)
        test.that(got == want, f"The case was {what}: the list should be {want}, not {got}.")
        test.that(
            all(torch.equal(v, state[k]) for k, v in net.state_dict().items())
            and torch.equal(x, before)
            and modes == [part.training for part in net.modules()],
            "Only look: the model or `x` has changed.",
        )
    with test.case("a model that is one linear layer"):
        got = selu_faults(nn.Linear(300, 300), inputs()[:, :300])
    test.that(
        got == ["init"],
        "The model itself may be the module to look at: PyTorch's default draw.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="selu_faults"
# An inspection by type and number costs nothing and says *what* to mend; it does not see everything. A skip connection is a `+` in somebody's `forward`, an activation may be called as `F.relu`, weights may be shared: none of it shows in `model.modules()`. So the checklist comes first, and the measurement, the standard deviation at the top of the stack, has the last word.


# %% [markdown]
# Now both, the checklist and the measurement, on six ways to build the stack.
#
# **Predict, then run.** Which fault moves the standard deviation behind layer 20 furthest from 1, as a factor? Which ones are harmless, at least here?


# %%
x = data.train[:500][0]
pixels = x * data.train.std.mean() + data.train.mean.mean()  # back to about 0 to 1
SUSPECTS = {
    "as it should be": ({"activation": nn.SELU, "gain": 1.0}, x),
    "pixels from 0 to 1": ({"activation": nn.SELU, "gain": 1.0}, pixels),
    "He's draw": ({"activation": nn.SELU}, x),
    "SiLU, LeCun": ({"activation": nn.SiLU, "gain": 1.0}, x),
    "batch norm": ({"activation": nn.SELU, "gain": 1.0, "batch_norm": True}, x),
    "alpha dropout": ({"activation": nn.SELU, "gain": 1.0, "alpha_dropout": 0.1}, x),
}


@functools.cache
def inspections():
    rows = []
    for name, (options, inputs) in SUSPECTS.items():
        torch.manual_seed(0)
        net = deep_stack(n_inputs, n_classes, DEPTH, WIDTH, **options).to(device)
        top = start_of(net, inputs, torch.zeros(len(inputs), dtype=torch.long, device=device))
        faults = ", ".join(selu_faults(net, inputs)) or "none"
        rows.append({"net": name, "faults": faults, "std at 20": top[-1]["activations"]})
    return pd.DataFrame(rows).set_index("net")


with needs("deep_stack", "selu_faults"):
    display(
        inspections().assign(**{"std at 20": lambda t: t["std at 20"].map("{:.2g}".format)})
    )

# %% [markdown]
# Two faults are serious. SiLU with LeCun's draw, which nearly halves a small signal in every layer, leaves less than two millionths of it; SELU with He's draw stands at more than six, and goes on growing with depth. Pixels from 0 to 1 look harmless, at least to this measure: SELU pulls nearly any scale of the inputs back. Batch norm breaks the letter of the contract and keeps the spirit, by force. So a fault is a reason to measure, not a verdict; and "none" is
# a reason to be calm, not to stop looking.
#
# ## Doubt, without retraining
#
# Monte Carlo dropout asks a network with dropout many times and averages the probabilities. "Dropout, and doubt" did it by switching modes from outside for the time of a call. In practice one often wants the other way: a *network* that has its dropout on whatever mode it is in, to be handed to code that knows nothing of it and calls `.eval()` first thing. It should have the weights of the trained one; retraining is neither needed nor wanted.

# %% [markdown] role="card" exercise="mc_twin" level=3 minutes=15 topic="Uncertainty" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_pre_hook"
# ### A twin that keeps dropping
#
# Return a **copy** of `model` that is the same network with one difference: its dropout layers (instances of one of `DROPOUT_LAYERS`, at any depth) drop in **both** modes, each at its own rate, with new masks in every call.
#
# - Everything else obeys `.train()` and `.eval()` as usual: in evaluation mode batch norm uses its running statistics.
# - The twin comes in evaluation mode. Its `state_dict` has the keys and values of the model's, in tensors of its own.
# - `model` may come in either mode, or with parts in a mode of their own, and stays as it was: weights, the mode of every module, and in evaluation mode it drops nothing. Without any dropout layer the twin is a plain copy.
#
# You may swap layers for others, change the copied layers themselves, or use a hook. From "Dropout, and doubt".


# %% role="stub" exercise="mc_twin"
def mc_twin(model: nn.Module) -> nn.Module:
    """A copy of a trained network whose dropout is always on.

    Args:
        model: any network that can be deep-copied, itself no dropout layer; left as it is.

    Returns:
        The copy, in evaluation mode.
    """

    ### BEGIN SOLUTION
    def switch_on(layer, inputs):
        layer.training = True

    twin = copy.deepcopy(model).eval()
    for layer in twin.modules():
        if isinstance(layer, DROPOUT_LAYERS):
            layer.register_forward_pre_hook(switch_on)
    return twin
    ### END SOLUTION


# %% role="check" exercise="mc_twin"
with Check("mc_twin") as check:
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(20, 50),
        nn.BatchNorm1d(50),
        nn.SELU(),
        nn.Sequential(nn.Linear(50, 50), nn.AlphaDropout(0.5)),
        nn.Linear(50, 3),
    )
    x = torch.randn(64, 20)
    model(x)  # batch norm has seen something
    model.eval()
    plain = model(x)
    kept = {name: value.clone() for name, value in model.state_dict().items()}
    twin = mc_twin(model)
    check.is_a(twin, nn.Module)
    check.that(twin is not model, "Return a copy: the model itself should stay as it is.")
    check.shape(twin(x), (64, 3))
    check.that(
        torch.equal(model(x), plain) and not model.training,
        "The model itself has changed: in evaluation mode it should drop nothing, as before. Work on `copy.deepcopy(model)`.",
    )
    check.that(
        not torch.equal(twin(x), twin(x)),
        "Two calls of the twin give the same: dropout is off, though it should be on in both modes.",
    )
    twin.eval()
    check.that(
        not torch.equal(twin(x), twin(x)),
        "After `twin.eval()` dropout is off. It should stay on, whatever mode is asked for.",
    )
    check.that(
        list(twin.state_dict()) == list(kept),
        "The `state_dict` of the twin should have the keys of the model's.",
    )
    check.that(
        all(torch.equal(value, kept[name]) for name, value in twin.state_dict().items()),
        "The values in the twin's `state_dict` have changed: in evaluation mode batch norm's running statistics should stand still.",
    )
    dropped = nn.Sequential(nn.Identity(), nn.Sequential(nn.Dropout(0.3)))
    dropped = mc_twin(dropped.eval()).eval()(torch.ones(100, 100)) == 0
    check.that(
        abs(dropped.float().mean() - 0.3) < 0.03,
        f"A twin of a plain `nn.Dropout(0.3)` should drop 30 %, but it drops {dropped.float().mean():.0%}. Are both kinds of dropout found, each with its own rate?",
    )


# %% [markdown] role="hints" exercise="mc_twin"
# <details><summary>Hint 1: why does `.eval()` reach the layer?</summary>
#
# `model.eval()` sets `training = False` in every module below. You can prevent that in the layer (a subclass whose `train` ignores its argument), or undo it just before the layer runs.
#
# </details>
# <details><summary>Hint 2: undo it just before</summary>
#
# `layer.register_forward_pre_hook(f)` has `f(layer, inputs)` called before each pass through the layer. What `f` returns replaces the inputs, unless it is `None`.
#
# </details>
# <details><summary>Hint 3: or swap</summary>
#
# `for name, child in module.named_children():` and `setattr(module, name, ...)`, recursively. The new layer calls `F.dropout(x, self.p, training=True)`, or `F.alpha_dropout` where the old one was an `nn.AlphaDropout`.
#
# </details>

# %% role="test" exercise="mc_twin" points=3
# Graded with hidden tests: rates, both kinds of dropout, nesting, modes, batch norm, independence.
### BEGIN HIDDEN TESTS
with HiddenTest("mc_twin") as test:

    class Branch(nn.Module):
        """A module with a skip connection and dropout as an attribute."""

        def __init__(self, width, p, kind):
            super().__init__()
            self.linear, self.noise = nn.Linear(width, width), kind(p)

        def forward(self, x):
            return x + self.noise(self.linear(x))

    def network(p, q):
        return nn.Sequential(
            nn.Linear(12, 30, bias=False),
            nn.BatchNorm1d(30),
            nn.SELU(),
            nn.AlphaDropout(p),
            nn.Sequential(Branch(30, q, nn.Dropout), nn.Identity()),
            nn.Linear(30, 4),
        )

    for p, q in ((0.3, 0.0), (0.0, 0.6), (0.2, 0.5)):
        model = network(p, q)
        x = torch.randn(200, 12) * 3 + 1
        model(x), model(x)
        for mode in (True, False):
            model.train(mode)
            model[1].eval()  # a part with a mode of its own
            modes = [part.training for part in model.modules()]
            state = {k: v.clone() for k, v in model.state_dict().items()}
            hidden = model[:3].eval()(x).detach()
            model.train(mode)
            model[1].eval()
            with test.case(f"alpha dropout {p}, dropout {q}"):
                twin = mc_twin(model)
            test.is_a(twin, nn.Module)
            test.that(twin is not model, "Return a copy, not the model.")
            test.that(
                modes == [part.training for part in model.modules()],
                "The modes of the model's own modules have changed.",
            )
            test.that(
                not twin.training and not twin[1].training,
                "The twin should come in evaluation mode, batch norm included.",
            )
            first, second = twin(x), twin(x)
            test.that(not torch.equal(first, second), "Two calls of the twin give the same.")
            test.that(
                all(torch.equal(v, state[k]) for k, v in twin.state_dict().items())
                and list(twin.state_dict()) == list(state),
                "Keys or values of the twin's state_dict are not the model's. (In evaluation mode batch norm learns nothing.)",
            )
            test.close(
                twin[:3](x).detach(),
                hidden,
                "In evaluation mode the twin's batch norm should use its running statistics.",
                atol=1e-5,
            )
            twin.eval()
            test.that(
                not torch.equal(twin(x), twin(x)), "After `twin.eval()` nothing is dropped."
            )
            noisy = twin[3](hidden)
            replaced = (noisy == noisy.flatten().mode().values).float().mean()
            want = p if p else 0.0
            test.that(
                p == 0 or abs(replaced - want) < 6 * math.sqrt(p * (1 - p) / 6_000),
                f"An nn.AlphaDropout({p}) replaces {replaced:.0%} in the twin.",
            )
            test.that(
                p > 0 or torch.equal(noisy, hidden), "With a rate of 0 nothing is dropped."
            )
            if p > 0:
                whole = torch.randn(40_000)
                noisy = twin[3](whole)
                test.that(
                    abs(noisy.mean()) < 0.05 and abs(noisy.std() - 1) < 0.05,
                    "The twin of alpha dropout does not keep mean 0 and deviation 1: is it plain dropout?",
                )
            branch = twin[4][0]
            gone = (branch(hidden) == hidden).float().mean()
            test.that(
                abs(gone - q) < 6 * math.sqrt(q * (1 - q) / 6_000) + 1e-9,
                f"An nn.Dropout({q}) inside a module of its own drops {gone:.0%} in the twin.",
            )
            twin.train()
            tracked = twin[1].num_batches_tracked.item()
            test.that(
                twin[1].training and not torch.equal(twin(x), twin(x)),
                "In training mode the twin should be an ordinary network in training.",
            )
            test.that(
                twin[1].num_batches_tracked.item() > tracked,
                "In training mode the twin's batch norm should follow the batches.",
            )
            test.that(
                torch.equal(model.eval()(x), model(x)),
                "The model itself drops in evaluation mode.",
            )
            model.train(mode)
            with torch.no_grad():
                for value in twin.parameters():
                    value.add_(1)
            test.that(
                all(torch.equal(v, state[k]) for k, v in model.state_dict().items()),
                "The twin shares tensors with the model: what changes one changes the other.",
            )
            model.train()
            noisy = model[3](torch.full((50_000,), 2.0))
            floor = (noisy == noisy.max()).float().mean()
            test.that(
                abs(floor - (1 - p)) < 0.02, "In training mode the model should drop as before."
            )
    with test.case("a network without dropout"):
        model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
        twin = mc_twin(model)
    x = torch.randn(5, 3)
    test.close(twin(x), model(x), "Without dropout the twin should be a plain copy.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="mc_twin"
# A layer asks its own `training` flag, and `.eval()` sets the flags of all modules from above. The hook sets this one back a moment before it is read, so nobody can switch it off by accident; everything else, batch norm above all, follows the mode it is told. Since dropout layers own no parameters, neither swapping nor hooking them changes a `state_dict`: trained weights fit as they are, and that is all that "without retraining" means.


# %% [markdown]
# ## A road through the stack
#
# The last part is from "Normalisation": a **pre-norm residual block**,
#
# $$x \;\leftarrow\; x + W\,\operatorname{silu}\big(\operatorname{LN}(x)\big) + b .$$
#
# The normalisation stands at the entrance of the branch, not on the road (that would be post-norm, and the road would pass through twenty normalisations). Whatever the branches do, signal and gradient have a way on which nothing is multiplied. And with $W = 0$ at the start, the block *is* the road: a network of twenty such blocks begins its life as a shallow one, and grows deep as it learns.

# %% [markdown] role="card" exercise="PreNormBlock" level=2 minutes=10 topic="Skip connections" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.LayerNorm.html"
# ### The pre-norm block
#
# Write the module of the formula for inputs of shape `(..., width)`, from one `nn.LayerNorm(width)` and one `nn.Linear(width, width)`. The linear layer's weight **and** bias are 0 at the start, so that a new block passes its input on as it is; all parameters are trainable.
#
# The input tensor itself stays as it is. It may have any number of dimensions in front of the last, or none; any floating-point dtype works after `block.to(dtype)`.


# %% role="stub" exercise="PreNormBlock"
class PreNormBlock(nn.Module):
    """x + W silu(LN(x)) + b, the identity at the start."""

    def __init__(self, width: int):
        """Take the number of units, the size of the input's last dimension."""
        ### BEGIN SOLUTION
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.linear = nn.Linear(width, width)
        nn.init.zeros_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        ### END SOLUTION

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(..., width) -> (..., width)."""
        ### BEGIN SOLUTION
        return x + self.linear(F.silu(self.norm(x)))
        ### END SOLUTION


# %% role="check" exercise="PreNormBlock"
with Check("PreNormBlock") as check:
    torch.manual_seed(0)
    block = PreNormBlock(6)
    check.is_a(block, nn.Module)
    norms = [m for m in block.modules() if isinstance(m, nn.LayerNorm)]
    linears = [m for m in block.modules() if isinstance(m, nn.Linear)]
    check.that(
        len(norms) == 1 and len(linears) == 1,
        f"The block should own one nn.LayerNorm and one nn.Linear, but it has {len(norms)} and {len(linears)}. Are they attributes, made in `__init__`?",
    )
    x = torch.randn(4, 6) * 3 + 1
    kept = x.clone()
    out = block(x)
    check.shape(out, (4, 6))
    check.that(
        torch.equal(x, kept), "The block changes its input: write `x + ...`, not `x += ...`."
    )
    check.close(
        out,
        kept,
        "A new block should pass its input on as it is: weight and bias of the linear layer are 0.",
        known=[
            (
                torch.zeros(4, 6),
                "A new block gives 0: the `x +` in front of the branch is missing.",
            ),
            (
                F.layer_norm(kept, (6,)),
                "A new block gives the *normalised* input: the norm belongs into the branch, not on the road.",
            ),
        ],
    )
    with torch.no_grad():
        linears[0].weight.normal_()
        linears[0].bias.normal_()
        norms[0].weight.uniform_(0.5, 2.0)
    centred = kept - kept.mean(1, keepdim=True)
    unit = centred / (centred.square().mean(1, keepdim=True) + 1e-5).sqrt() * norms[0].weight

    def dense(z):
        return z @ linears[0].weight.T + linears[0].bias

    check.close(
        block(x),
        (kept + dense(unit * unit.sigmoid())).detach(),
        "With other weights the output should be x + W·silu(LN(x)) + b.",
        known=[
            (
                (kept + (z := dense(unit)) * z.sigmoid()).detach(),
                "The order in the branch is norm, activation, linear: your activation comes last.",
            ),
            ((kept + dense(unit)).detach(), "There is no activation in the branch."),
            (
                (kept + dense(kept * kept.sigmoid())).detach(),
                "The branch does not normalise its input.",
            ),
            (
                (unit + dense(unit * unit.sigmoid())).detach(),
                "The road should carry x, not the normalised x.",
            ),
            (
                (kept + dense(unit.relu())).detach(),
                "The activation should be SiLU, not ReLU.",
            ),
        ],
        atol=1e-4,
    )
    check.that(
        torch.equal(x, kept), "The block changes its input: write `x + ...`, not `x += ...`."
    )


# %% [markdown] role="hints" exercise="PreNormBlock"
# <details><summary>Hint 1: what the block owns</summary>
#
# `super().__init__()` first, then `self.norm = ...` and `self.linear = ...`. `nn.init.zeros_` fills a parameter in place and leaves it trainable.
#
# </details>
# <details><summary>Hint 2: from the inside out</summary>
#
# Read the formula from the inside: norm, then `F.silu`, then the linear layer, then plus `x`. It is one line.
#
# </details>

# %% role="test" exercise="PreNormBlock" points=2
# Graded with hidden tests: the start, other weights, shapes, dtypes, gradients, training, depth.
### BEGIN HIDDEN TESTS
with HiddenTest("PreNormBlock") as test:
    for width, shape, dtype in (
        (5, (7,), torch.float64),
        (16, (3, 4), torch.float32),
        (8, (), torch.float64),
        (3, (2, 1, 5), torch.float64),
    ):
        with test.case(f"width {width}, inputs of shape {(*shape, width)}, {dtype}"):
            block = PreNormBlock(width).to(dtype)
            x = torch.randn(*shape, width, dtype=dtype) * 2 - 1
            before = x.clone()
            out = block(x)
        test.shape(out, (*shape, width))
        test.that(out.dtype == dtype, "The output should have the dtype of the input.")
        test.that(torch.equal(x, before), "The input has changed.")
        test.close(out, before, "A new block should pass its input on as it is.")
        sizes = sorted(tuple(p.shape) for p in block.parameters())
        test.that(
            sizes == sorted([(width,), (width,), (width,), (width, width)]),
            "The parameters should be those of one LayerNorm and one Linear.",
        )
        test.that(
            all(p.requires_grad for p in block.parameters()), "All parameters are trainable."
        )
        norm = next(m for m in block.modules() if isinstance(m, nn.LayerNorm))
        linear = next(m for m in block.modules() if isinstance(m, nn.Linear))
        with torch.no_grad():
            for p in (linear.weight, linear.bias, norm.bias):
                p.normal_()
            norm.weight.uniform_(0.5, 2)
        ref = before.double()
        centred = ref - ref.mean(-1, keepdim=True)
        unit = centred / (centred.square().mean(-1, keepdim=True) + 1e-5).sqrt()
        unit = unit * norm.weight.double() + norm.bias.double()
        branch = (unit * unit.sigmoid()) @ linear.weight.double().T + linear.bias.double()
        for mode in (True, False):
            test.close(
                block.train(mode)(x).double(),
                ref + branch,
                "The output should be x + W·silu(LN(x)) + b.",
                rtol=1e-4 if dtype == torch.float32 else 1e-6,
                atol=1e-4 if dtype == torch.float32 else 1e-6,
            )
        test.that(torch.equal(x, before), "The input has changed.")
    blocks = [PreNormBlock(10) for _ in range(20)]
    deep = nn.Sequential(*blocks)
    x = torch.randn(6, 10, requires_grad=True)
    (slope,) = torch.autograd.grad(deep(x).sum(), x)
    test.close(
        slope,
        torch.ones(6, 10),
        "Through 20 new blocks the gradient should come down as it is.",
    )
    optimizer = torch.optim.SGD(deep.parameters(), lr=0.05)
    target = torch.randn(6, 10)
    start = F.mse_loss(deep(x), target).item()
    for _ in range(3):
        optimizer.zero_grad()
        F.mse_loss(deep(x), target).backward()
        optimizer.step()
    test.that(
        F.mse_loss(deep(x), target).item() < start,
        "Twenty blocks in a row should be trainable.",
    )
    test.that(
        not torch.equal(
            next(m for m in blocks[0].modules() if isinstance(m, nn.Linear)).weight,
            torch.zeros(10, 10),
        ),
        "The weights stay 0 in training.",
    )
    test.that(
        len({id(p) for p in deep.parameters()}) == 4 * 20, "Blocks share their parameters."
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="PreNormBlock"
# $\partial\,\text{out}/\partial x = I + \ldots$: the identity in this sum is the road. Zero weights may look like the symmetry trap of "Initialisation", where equal weights make equal gradients for ever. They are not: the gradient of $W$ is an outer product of what comes from above and of $\operatorname{silu}(\operatorname{LN}(x))$, and both differ from unit to unit from the first step on. The branch is asleep, not symmetric.


# %% [markdown]
# ## The contest
#
# The parts are ready. Eight trainings:
#
# | contender | start and activation | optimiser | rate |
# |---|---|---|---|
# | He + SiLU | He, SiLU | NAdam | constant |
# | + batch norm | the same with batch norm | NAdam | constant |
# | SELU + LeCun | LeCun, SELU | NAdam | constant |
# | + alpha dropout | the same with alpha dropout 0.1 | NAdam | constant |
# | SELU, AdamW | LeCun, SELU | AdamW | constant |
# | SELU, 1cycle | LeCun, SELU | AdamW | 1cycle |
# | residual, AdamW | 19 pre-norm blocks | AdamW | constant |
# | residual, 1cycle | 19 pre-norm blocks | AdamW | 1cycle |
#
# and a ninth entry that costs no training: **+ MC dropout**, the networks of "+ alpha dropout" with their dropout left on.
#
# The fifth row may look superfluous. It keeps the books straight. A tempting comparison is "SELU with NAdam" against "SELU with AdamW and 1cycle", and if the second wins, 1cycle gets the praise, though two things have changed. With the row in between each step changes one: NAdam → AdamW, constant → 1cycle, SELU → residual, and the last two in either order.
#
# Equal terms for all: the same 10 epochs at most, the same batches of 128, all inputs standardised (so the third row changes activation and draw, nothing else), the same decoupled weight decay of 0.01, validation loss after each epoch, the best epoch restored. A constant rate stops early, with a patience of 3; 1cycle has to run to its end, because its low rates come last. (Two conventions of PyTorch hide in the table. `OneCycleLR` also moves Adam's
# $\beta_1$, from 0.95 down to 0.85 and back. And `NAdam` warms its Nesterov momentum up: in these short runs it is below 0.5, not 0.9, so that half of each step is the bare gradient of the moment.)
#
# One detail that looks like none: 5,000 images make 39 batches of 128 and a **rest of 8**, which we leave out of each pass (`drop_last=True` in a `DataLoader`; the next shuffle leaves out another eight). A rest of one image would stop batch norm with an error, for one number has no variance. A rest of eight does harm in silence: it makes a full step, and that step is the last one before the validation. In a trial on two seeds
# that kept the rest, the validation losses of NAdam's nets came out higher by 0.03 to 0.27 at all rates but the very smallest, and those of AdamW's at a constant rate differed by less than 0.03 either way. Half of NAdam's step is the gradient of the moment; of AdamW's it is a tenth. Eight photographs would have had a say in this contest.


# %%
EPOCHS, PATIENCE = budget(10, fast=2), budget(3, fast=1)
PARTS = ("deep_stack", "fit_early", "mc_twin", "PreNormBlock")
CONTENDERS = {
    "He + SiLU": ("He + SiLU", "NAdam", "constant"),
    "+ batch norm": ("+ batch norm", "NAdam", "constant"),
    "SELU + LeCun": ("SELU + LeCun", "NAdam", "constant"),
    "+ alpha dropout": ("+ alpha dropout", "NAdam", "constant"),
    "SELU, AdamW": ("SELU + LeCun", "AdamW", "constant"),
    "SELU, 1cycle": ("SELU + LeCun", "AdamW", "1cycle"),
    "residual, AdamW": ("residual", "AdamW", "constant"),
    "residual, 1cycle": ("residual", "AdamW", "1cycle"),
}
valid_x, valid_y = data.valid[:]


def residual_stack():
    """One linear layer, 19 pre-norm blocks, a last norm, and the output layer: 20 hidden layers again."""
    ends = nn.Linear(n_inputs, WIDTH), nn.Linear(WIDTH, n_classes)
    for end in ends:
        nn.init.kaiming_normal_(end.weight, nonlinearity="linear")  # LeCun's draw
        nn.init.zeros_(end.bias)
    blocks = [PreNormBlock(WIDTH) for _ in range(DEPTH - 1)]
    return nn.Sequential(ends[0], *blocks, nn.LayerNorm(WIDTH), ends[1])


def build(net):
    if net == "residual":
        return residual_stack().to(device)
    return deep_stack(n_inputs, n_classes, DEPTH, WIDTH, **RECIPES[net]).to(device)


def make_optimizer(name, model, lr):
    if name == "NAdam":
        return torch.optim.NAdam(
            model.parameters(), lr=lr, weight_decay=0.01, decoupled_weight_decay=True
        )
    return torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=0.01, fused=True)


def compete(contender, lr, seed):
    """Train one contender on a draw of its own; returns the best network and the story of its training."""
    net, optimizer, schedule = CONTENDERS[contender]
    order = torch.Generator().manual_seed(seed)
    draw = torch.randperm(len(data.train), generator=order)[:N_TRAIN].to(device)
    images, labels = data.train[draw]

    # Whole batches only: a rest of one image would stop batch norm, which needs two for a variance.
    # Each pass is shuffled anew, so it leaves out other images.
    n_batches = N_TRAIN // BATCH

    def one_pass():
        for index in torch.randperm(N_TRAIN, generator=order).split(BATCH)[:n_batches]:
            yield images[index.to(device)], labels[index.to(device)]

    torch.manual_seed(seed)
    model = build(net)
    rule = make_optimizer(optimizer, model, lr)
    cycle = None
    if schedule == "1cycle":
        cycle = OneCycleLR(rule, lr, total_steps=EPOCHS * n_batches)
    started = time.process_time()
    story = fit_early(
        model,
        rule,
        one_pass,
        lambda model: F.cross_entropy(model(valid_x), valid_y).item(),
        EPOCHS,
        EPOCHS if cycle else PATIENCE,
        scheduler=cycle,
    )
    return model, {**story, "seconds": time.process_time() - started}


@torch.no_grad()
def scores(model, x, y, passes=1):
    """Accuracy and NLL of the mean probabilities over so many passes, in the mode that the model is in."""
    hidden = model[:-2](x)  # nothing is ever dropped down there, so once is enough
    p = torch.stack([model[-2:](hidden).softmax(1) for _ in range(passes)]).mean(0)
    nll = F.nll_loss(p.clamp_min(1e-9).log(), y).item()
    return {"accuracy": (p.argmax(1) == y).float().mean().item(), "nll": nll}


# %% [markdown]
# ### A rate for each
#
# Each contender is tried at three rates, a factor of about three apart, on a tuning seed that plays no part later, with the full budget of epochs; the lowest validation loss of the restored networks decides. (Where the three lie came out of a first trial on that same seed, with wider grids.) Even so, one seed a rate is
# the thriftiest search that one can call a search, and we will have to remember that.
#
# (On the full budget this cell takes some minutes; it starts when the four parts it needs are there.)
#
# **Predict, then run.** Who wants the largest rate, who the smallest? By which factor do they differ?

# %%
GRID = {
    "He + SiLU": [1e-3, 3e-3, 1e-2],
    "+ batch norm": [1e-3, 3e-3, 1e-2],
    "SELU + LeCun": [1e-4, 3e-4, 1e-3],
    "+ alpha dropout": [3e-4, 1e-3, 3e-3],
    "SELU, AdamW": [1e-4, 3e-4, 1e-3],
    "SELU, 1cycle": [1e-3, 3e-3, 1e-2],
    "residual, AdamW": [1e-4, 3e-4, 1e-3],
    "residual, 1cycle": [1e-3, 3e-3, 1e-2],
}
TUNING_SEEDS = [100]


@functools.cache
def search():
    """Validation loss of each contender at each rate. Runs once: run this cell again to search again."""
    # A part that is missing says so at once, not after minutes.
    mc_twin(build("+ alpha dropout"))
    build("residual")

    def attempt(contender, lr, seed):
        model, story = compete(contender, lr, seed)
        result = scores(model, valid_x, valid_y)
        return {**result, "epochs": len(story["losses"]), "seconds": story["seconds"]}

    return pd.concat(
        lab.sweep(
            attempt, {"contender": [name], "lr": budget(rates, fast=rates[1:2])}, TUNING_SEEDS
        )
        for name, rates in GRID.items()
    )


@functools.cache
def picks():
    """The rate of each contender, and whether it lies at an edge of the grid."""
    chosen = lab.best(search(), by="contender", over="lr", value="nll", mode="min")
    return chosen.set_index("contender")


def losses_of(table, contender):
    """Mean validation loss at each rate, the smallest rate first."""
    return table[table.contender == contender].groupby("lr").nll.mean()


def shape_of(losses):
    """A curve in words: its numbers from left to right, and how it runs."""
    ways = ["rises" if step > 0 else "falls" for step in np.diff(losses)]
    way = ", then ".join(way for way, _ in itertools.groupby(ways)) or "a single point"
    return f"{way} ({', '.join(f'{loss:.2f}' for loss in losses)})"


def plot_search(table):
    fig, axes = lab.figure(1, 2, height=3.4)
    for index, contender in enumerate(CONTENDERS):
        means = losses_of(table, contender)
        ax, style = axes[index // 4], lab.line_style(index % 4)
        ax.semilogx(means.index, means, label=contender, **style)
        chosen = picks().lr[contender]
        ax.plot(
            chosen, means[chosen], "o", markersize=13, fillstyle="none", color=style["color"]
        )
    low, high = (f(table.nll) for f in (min, max))
    for ax in axes:
        ax.set(xlabel="learning rate (of 1cycle: the peak)", ylabel="validation loss")
        ax.set(xlim=(7e-5, 1.5e-2), ylim=(low - 0.05, min(high, 2.4) + 0.05))
        ax.legend(fontsize=8.5, handlelength=3)
    return fig


with needs(*PARTS):
    lab.show(
        plot_search(search()),
        alt="Validation loss against the learning rate, four contenders with NAdam on the left and four with AdamW on "
        "the right, a ring round each pick. From the smallest rate to the largest: "
        + "; ".join(
            f"{name}, {GRID[name][0]:g} to {GRID[name][-1]:g}, {shape_of(losses_of(search(), name))}, pick {rate:g}"
            for name, rate in picks().lr.items()
        )
        + ".",
    )
    display(
        picks()
        .drop(columns="n")
        .rename(columns={"mean": "validation loss"})
        .round({"validation loss": 3})
    )

# %% [markdown]
# (What the text says of numbers holds for the full run on the real images.)
#
# On the very same SELU net NAdam and AdamW both want 0.0003, while 1cycle bears a peak of 0.003: a rate that comes down later may be higher in between. The two SiLU nets, with batch norm and without, took 0.003 at a constant rate. The residual nets are the good-natured ones: over a factor of ten in the rate their losses move by less than 0.03. SELU with 1cycle shows what the same factor can do: at a peak of 0.01 its loss is 2.09, where the residual net has 1.72. A net that forgives a wrong rate is worth something even before it wins anything.
#
# Read the column `at_edge`, too. Each pick has a rate on either side that was worse, so none of the grids cut anybody short on this seed. But look at the curves: 0.001 and 0.003 are within about 0.01 of each other for He + SiLU and for batch norm. With one seed a rate, such a pick is close to drawing lots.
#
# ### The table
#
# Now eight fresh seeds for each, at its own rate, and for the first time the test images. A seed is a draw of 5,000 training images, a start and an order of the batches; the contenders share the draw and the order.
#
# **Predict, then run.** Take out the ranking that you wrote down.

# %%
SEEDS = budget(range(8), fast=range(2))
PASSES = budget(100, fast=3)
test_x, test_y = data.test[:]


@functools.cache
def final():
    """Test results of each contender and seed, a row each, and of MC dropout besides."""

    def run(contender, seed):
        model, story = compete(contender, picks().lr[contender], seed)
        epochs = {"epochs": len(story["losses"]), "best epoch": story["best_epoch"]}
        epochs["seconds"] = story["seconds"]
        rows = [{"entry": contender, **scores(model, test_x, test_y), **epochs}]
        if contender == "+ alpha dropout":
            voted = scores(mc_twin(model), test_x, test_y, PASSES)
            rows.append({"entry": "+ MC dropout", **voted, **epochs})
        return rows

    runs = lab.sweep(run, {"contender": list(CONTENDERS)}, SEEDS)
    return runs.drop(columns="contender").rename(columns={"entry": "contender"})


def table_of(runs):
    """The one table: rate, accuracy in percent with its interval, loss, epochs, seconds."""
    accuracy = lab.summary(runs, by="contender", value="accuracy").set_index("contender")
    percent = (100 * accuracy[["mean", "low", "high"]]).round(1)
    columns = ["nll", "epochs", "best epoch", "seconds"]
    means = runs.groupby("contender", sort=False)[columns].mean()
    rates = picks().lr.reindex(accuracy.index).fillna(picks().lr["+ alpha dropout"])
    table = percent.rename(columns={"mean": "accuracy %"})
    return table.join(
        means.round({"nll": 3, "epochs": 1, "best epoch": 1, "seconds": 1})
    ).assign(rate=rates, seeds=accuracy.n)


with needs(*PARTS):
    display(table_of(final()))


# %%
def plot_table(runs):
    fig, (left, right) = lab.figure(1, 2, height=3.8)
    means = lab.summary(runs, by="contender", value="accuracy")
    seconds = runs.groupby("contender", sort=False).seconds.mean()
    for index, row in means.iterrows():
        style = lab.line_style(index) | {"linestyle": "none"}
        bar = [[100 * (row["mean"] - row.low)], [100 * (row.high - row["mean"])]]
        left.errorbar(100 * row["mean"], -index, xerr=bar, capsize=4, **style)
        right.errorbar(
            seconds[row.contender],
            100 * row["mean"],
            yerr=bar,
            capsize=4,
            **style,
        )
        # MC dropout uses the networks of alpha dropout: one point, two numbers.
        shared = {"+ alpha dropout": f"{index + 1}, {index + 2}", "+ MC dropout": ""}
        right.annotate(
            shared.get(row.contender, str(index + 1)),
            (seconds[row.contender], 100 * row["mean"]),
            xytext=(7, 4),
            textcoords="offset points",
        )
    left.set(
        yticks=[-i for i in means.index],
        yticklabels=[f"{name}  {i + 1}" for i, name in means.contender.items()],
    )
    left.set(xlabel="test accuracy in %, mean and 95 % interval")
    right.set(xlabel="CPU seconds of one training", ylabel="test accuracy in %")
    right.margins(x=0.12)  # room for the numbers
    return fig


with needs(*PARTS):
    shown = table_of(final()).reset_index()
    lab.show(
        plot_table(final()),
        alt="Left, test accuracy in percent with its interval for each of nine entries; right, the same against the CPU "
        "seconds of one training, each point with its number from the left, the fourth and the fifth as one. "
        + "; ".join(
            f"{index + 1}, {row.contender}: {row['accuracy %']:.1f} ({row.low:.1f} to {row.high:.1f}), "
            f"{row.seconds:.1f} seconds"
            for index, row in shown.iterrows()
        )
        + ".",
    )

# %% [markdown]
# Guessing gives 10 %, the best row reaches 41 %, and no photograph was ever treated as one. The columns of epochs and seconds matter as much as the first. With a constant rate the SELU nets and the residual net have seen their best after four or five epochs, on average, then early stopping sends them home. He + SiLU is the slow one: its best epoch is 8.5 of ten, so it may not have been finished. 1cycle runs to its end by rule. On SELU it needs the way, and the best epoch is the ninth; on the residual net the best epoch is 5.0, when the rate still stands at about three quarters of its peak: with so few images the low rates at the end seem only to learn them by heart. (The seconds are CPU seconds of one thread, with
# the validation after each epoch; AdamW runs in PyTorch's fused version and NAdam has none, so compare them with care. The 100 passes of MC dropout come on top of its row.)
#
# In the right-hand picture each entry bears its number from the left one. The residual nets, 8 and 9, are the two highest, and cost no more than nets that stand far below them; batch norm, 2, takes the longest. Entries 4 and 5 share a point: MC dropout uses the same trained networks.
#
# He + SiLU is last, more than seven points below the residual nets. The faded signal of the untrained net was a warning: in 390 steps at most such a net seems to find its way, but late. More images and more steps change the picture. In a trial with 18,000 images and up to 14 epochs, one seed each (and the rest kept), the first four rows all ended between 41.5 and 43.5 %, which nobody could tell apart, while SELU with AdamW and 1cycle reached 47.7 % and the residual net with the two 51.8 %. **A table like this one is a statement about its budget.**
#
# ### One step at a time
#
# All contenders share a seed's draw of images and the order of its batches, and some draws are luckier than others. So differences are taken seed by seed, and only between rows that differ in one part of the recipe (and in the learning rate, which each has chosen for itself).

# %%
STEPS = {
    "batch norm, on He + SiLU": ("He + SiLU", "+ batch norm"),
    "SELU + LeCun for He + SiLU": ("He + SiLU", "SELU + LeCun"),
    "alpha dropout, on SELU": ("SELU + LeCun", "+ alpha dropout"),
    "MC, on alpha dropout": ("+ alpha dropout", "+ MC dropout"),
    "AdamW for NAdam, on SELU": ("SELU + LeCun", "SELU, AdamW"),
    "1cycle, on SELU": ("SELU, AdamW", "SELU, 1cycle"),
    "1cycle, on residual": ("residual, AdamW", "residual, 1cycle"),
    "residual for SELU, constant": ("SELU, AdamW", "residual, AdamW"),
    "residual for SELU, 1cycle": ("SELU, 1cycle", "residual, 1cycle"),
}


@functools.cache
def changes(value="accuracy"):
    """What each step brought, paired by seed, with its 95 % interval."""
    rows = []
    for step, (before, after) in STEPS.items():
        both = final()[final().contender.isin([before, after])]
        gain = lab.paired_difference(both, by="contender", value=value, baseline=before)
        rows.append({"step": step, **gain.iloc[0].drop(["contender", "sd"])})
    return pd.DataFrame(rows).set_index("step")


with needs(*PARTS):
    gains = changes()
    display(
        (100 * gains[["mean", "low", "high"]].astype(float)).round(1).join(gains.excludes_zero)
    )
    display(
        changes("nll")
        .loc[["MC, on alpha dropout"], ["mean", "low", "high"]]
        .astype(float)
        .round(3)
    )

# %% [markdown]
# Read the fifth line first. **AdamW in place of NAdam: nothing that could be told from zero** (−1.2 points, −2.8 to 0.4). That is what the row was for. "SELU, 1cycle" is 2.4 points ahead of "SELU + LeCun", with two changes between them, and only now do we know where to book them: no gain of the optimiser is in sight, while the schedule, with the same optimiser on both sides, gains 3.5 (2.5 to 4.5). (When we kept the rest of eight images in each pass, with five seeds and the rates picked then, this line read 3.3 points for AdamW, 1.5 to 5.0: a clear result, about eight photographs.) The residual blocks bring 4.7 points at a constant rate (3.1 to 6.4) and 1.8 under 1cycle (0.6 to 3.0). (The blocks as a whole: skip connection, layer norm, SiLU and the start at 0 came together, and this table cannot divide the credit among them.)
#
# Each of these two changes was measured twice, with the other one held still, and the two answers need not agree. On the residual net 1cycle brings 0.5 points, and the interval reaches from −0.6 to 1.7: less than on SELU, where the interval begins at 2.5. A likely reason: the residual net has its best epoch while the rate is still high, and what the low rates could do for it comes too late. So "1cycle is worth three points" would be a sentence about SELU.
#
# Batch norm and SELU are both ahead of He + SiLU, by more than three points, but the intervals are wide, and one unlucky pick of its rate is in all eight of its runs. Alpha dropout: nothing that could be told from zero. Monte Carlo dropout costs at most a fifth of a point of accuracy (−0.2 to 0.0), and lowers the NLL by 0.044, with an interval clear of 0. That is what "Dropout, and doubt" led us to expect: the vote softens a network that was too sure, and hardly changes how often it is right.
#
# Five of these nine intervals leave out 0. Each of them stands for itself, though: asked jointly, nine questions need a $t$ of 3.9 instead of 2.4, and then three lines would still be clear of 0: batch norm, 1cycle on SELU, and residual for SELU at a constant rate. None of them knows what the search did, either: a contender whose rate was picked unluckily pays in every seed. And look at what the pairing has gained: a great deal for MC dropout, whose two rows are the same weights, something for the three steps from one SELU net to another, next to nothing elsewhere. There the shared draw of images is not what scatters most. Pairing is still the right way; it is not always a bargain.
#
# ## Which places mean anything?
#
# A table invites us to read it from top to bottom: first, second, third. With nine entries there are 36 pairs, and 36 intervals at 95 % give about two false alarms on average even where nothing is to be found. The honest reading of a table is not a ranking but, for each entry, a **range of places**: from the number of those that are clearly better, plus one, to the number of those that are not clearly worse, the entry itself included.
#
# "Clearly" has to hold for all pairs at once. The simplest way is Bonferroni's: with $P$ pairs, give each interval the level $1 - 0.05/P$. If each of them keeps its own level, the chance that *any* misses is at most 5 %, and one may even pick the pairs after having seen the table.

# %% [markdown] role="card" exercise="rank_ranges" level=3 minutes=18 topic="Fair comparisons" doc="https://docs.scipy.org/doc/scipy/reference/generated/scipy.stats.t.html"
# ### The range of places
#
# `runs` has the columns `contender`, `seed` and `accuracy`, a row a run, in any order, with any index, perhaps with other columns; all $k \ge 2$ contenders have run with the same $n \ge 2$ seeds. For two of them, $A$ and $B$, take the differences $d = $ accuracy of $A$ − accuracy of $B$, seed by seed. $A$ is **clearly better** than $B$ if the whole interval
#
# $$\bar d \pm t\,\frac{s}{\sqrt n}\qquad\text{lies above 0},\qquad t = \text{the } \Big(1 - \frac{1 - \text{level}}{2P}\Big)\text{ quantile of Student's } t \text{ with } n-1 \text{ degrees of freedom},\quad P = \frac{k(k-1)}{2},$$
#
# $s$ the standard deviation of the $d$ with $n - 1$ in the divisor. Return a table with the columns `contender`, `mean` (accuracy), `best` and `worst`, a row a contender, highest mean first, numbered 0, 1, 2 … from the top:
#
# - `best` = 1 + the number of contenders that are clearly better than this one,
# - `worst` = $k$ − the number of contenders that this one is clearly better than.
#
# Leave `runs` as it is. `stats.t.ppf` gives quantiles. From "The MNIST ladder", for all pairs at once.


# %% role="stub" exercise="rank_ranges"
def rank_ranges(runs: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """The places that each contender may hold, at a joint level of confidence.

    Args:
        runs: columns `contender`, `seed`, `accuracy`, a row a run; all contenders share at least two seeds.
        level: joint confidence of all comparisons, such as 0.95.

    Returns:
        Columns `contender`, `mean`, `best`, `worst`, sorted by `mean`, the highest first.
    """
    ### BEGIN SOLUTION
    table = runs.pivot(index="seed", columns="contender", values="accuracy")
    n, k = table.shape
    pairs = k * (k - 1) / 2
    t = stats.t.ppf(1 - (1 - level) / (2 * pairs), n - 1)
    rows = []
    for name in table.columns:
        leads = table.drop(columns=name).rsub(table[name], axis=0)
        mean, half = leads.mean(), t * leads.std(ddof=1) / math.sqrt(n)
        worse, better = (mean - half > 0).sum(), (mean + half < 0).sum()
        rows.append((name, table[name].mean(), 1 + better, k - worse))
    ranges = pd.DataFrame(rows, columns=["contender", "mean", "best", "worst"])
    return ranges.sort_values("mean", ascending=False, ignore_index=True)
    ### END SOLUTION


# %% role="check" exercise="rank_ranges"
with Check("rank_ranges") as check:
    clear = {
        "slow": [10.0, 12.0, 11.0, 10.5],
        "fast": [20.0, 22.1, 21.0, 20.5],
        "twin": [20.1, 22.0, 21.1, 20.4],
    }
    rows = [
        (name, seed, value)
        for seed in range(4)
        for name, part in clear.items()
        for value in [part[seed]]
    ]
    runs = pd.DataFrame(rows, columns=["contender", "seed", "accuracy"])
    kept = runs.copy()
    got = rank_ranges(runs)
    check.is_a(got, pd.DataFrame)
    check.that(
        list(got.columns) == ["contender", "mean", "best", "worst"],
        f"The columns should be contender, mean, best, worst, but they are {list(got.columns)}.",
    )
    check.that(
        len(got) == 3, f"There should be a row for each of 3 contenders, not {len(got)}."
    )
    check.that(got["mean"].is_monotonic_decreasing, "The highest mean should come first.")
    check.that(runs.equals(kept), "`runs` has changed: work on a table of your own.")
    places = {row.contender: (int(row.best), int(row.worst)) for row in got.itertuples()}
    check.that(
        places["slow"] == (3, 3),
        f"`slow` loses to both others by ten points in each seed: its range should be 3 to 3, not {places['slow']}.",
    )
    check.that(
        places["fast"] == (1, 2) and places["twin"] == (1, 2),
        f"`fast` and `twin` cannot be told apart, and both are clearly ahead of `slow`: their ranges should be 1 to 2, not {places['fast']} and {places['twin']}.",
    )
    check.close(
        float(got["mean"].iloc[-1]),
        10.875,
        "`mean` should be the mean accuracy of the contender.",
    )

    def ladder(leads, k=2):
        """Contender b leads a by these amounts; both have large ups and downs in common."""
        luck = [0.0, 30.0, -20.0, 5.0, 11.0][: len(leads)]
        parts = {"a": luck, "b": [x + d for x, d in zip(luck, leads, strict=True)]}
        parts |= {f"far {i}": [x - 500.0 * i for x in luck] for i in range(1, k - 1)}
        rows = [(c, s, v) for c, part in parts.items() for s, v in enumerate(part)]
        return pd.DataFrame(rows, columns=["contender", "seed", "accuracy"])

    def range_of(runs, name, **options):
        got = rank_ranges(runs, **options).set_index("contender").loc[name]
        return int(got.best), int(got.worst)

    steady = [1.0, 1.1, 0.9, 1.05, 0.95]
    check.that(
        range_of(ladder(steady), "b") == (1, 1),
        "b leads a by about 1 in every seed, while the seeds differ by 50: take the differences seed by seed.",
    )
    shaky = [1.0, 2.0, 0.2, 1.6, 0.4]  # mean 1.04, t·s/√5 = 0.95 for one pair, 1.66 for six
    check.that(
        range_of(ladder(shaky), "b") == (1, 1),
        "Two contenders make one pair: a lead of 1.04 ± 0.95 is clear. (t has n − 1 = 4 degrees of freedom, and is two-sided.)",
    )
    check.that(
        range_of(ladder(shaky, k=4), "b") == (1, 2),
        "With four contenders there are P = 6 pairs, and the same lead, now 1.04 ± 1.7, is no longer clear: divide 1 − level by P.",
    )
    check.that(
        range_of(ladder(shaky), "b", level=0.99) == (1, 2),
        "At `level=0.99` the lead of 1.04 ± 1.6 is not clear.",
    )


# %% [markdown] role="hints" exercise="rank_ranges"
# <details><summary>Hint 1: seeds beside contenders</summary>
#
# `runs.pivot(index="seed", columns="contender", values="accuracy")` has a row a seed and a column a contender. The difference of two columns is $d$.
#
# </details>
# <details><summary>Hint 2: one pair</summary>
#
# `d.mean() - t * d.std() / math.sqrt(n) > 0`; pandas' `std` divides by $n - 1$ already, NumPy's does not. `t` is the same for all pairs.
#
# </details>
# <details><summary>Hint 3: counting</summary>
#
# Put "is $A$ clearly better than $B$?" into a function. For each contender count those that are clearly better, and those it is clearly better than; a contender is not clearly better than itself.
#
# </details>

# %% role="test" exercise="rank_ranges" points=3
# Graded with hidden tests: numbers of contenders and seeds, levels, ties, order, other columns.
### BEGIN HIDDEN TESTS
with HiddenTest("rank_ranges") as test:

    def frame(values):
        """values: contender -> {seed: accuracy}; shuffled, with other columns."""
        rows = [(s, "x", c, v) for c, part in values.items() for s, v in part.items()]
        rows = [rows[i] for i in torch.randperm(len(rows)).tolist()]
        table = pd.DataFrame(rows, columns=["seed", "split", "contender", "accuracy"])
        table.index = [3] * len(table)
        return table

    def reference(values, level):
        names, k = list(values), len(values)
        pairs = k * (k - 1) // 2
        beats = set()
        for a, b in itertools.permutations(names, 2):
            d = [values[a][s] - values[b][s] for s in values[a]]
            if max(d) - min(d) < 1e-12:
                clear = d[0] > 1e-12
            else:
                low = stats.ttest_1samp(d, 0.0).confidence_interval(1 - (1 - level) / pairs).low
                clear = low > 0
            if clear:
                beats.add((a, b))
        return {
            a: (
                sum(values[a].values()) / len(values[a]),
                1 + sum((b, a) in beats for b in names),
                k - sum((a, b) in beats for b in names),
            )
            for a in names
        }

    def margins(values, level):
        """How near any pair comes to the border, relative to its half-width."""
        k = len(values)
        near = math.inf
        for a, b in itertools.combinations(values, 2):
            d = torch.tensor(
                [values[a][s] - values[b][s] for s in values[a]], dtype=torch.float64
            )
            t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), len(d) - 1)
            half = t * d.std().item() / math.sqrt(len(d))
            near = min(near, abs(abs(d.mean().item()) - half) / half)
        return near

    names = ["He", "SELU", "1cycle", "residual", "z", "a", "mid", "BN"]
    done = 0
    while done < 14:
        k, n = int(torch.randint(2, 9, ())), int(torch.randint(3, 12, ()))
        level = (0.95, 0.9, 0.99)[done % 3]
        luck = 5 * torch.randn(n, dtype=torch.float64)
        level_of = 2.0 * torch.randn(k, dtype=torch.float64)
        noise = (0.2 + torch.rand(k, 1, dtype=torch.float64)) * torch.randn(
            k, n, dtype=torch.float64
        )
        grid = (60 + luck + level_of[:, None] + noise).tolist()
        values = {names[i]: {10 * s + 3: grid[i][s] for s in range(n)} for i in range(k)}
        if margins(values, level) < 1e-3:
            continue
        done += 1
        runs, want = frame(values), reference(values, level)
        kept = runs.copy()
        with test.case(f"{k} contenders, {n} seeds, level {level}"):
            got = rank_ranges(runs, level=level) if level != 0.95 else rank_ranges(runs)
        test.is_a(got, pd.DataFrame)
        test.that(
            list(got.columns) == ["contender", "mean", "best", "worst"],
            "The columns should be contender, mean, best, worst.",
        )
        test.that(runs.equals(kept), "`runs` has changed: work on a table of your own.")
        test.that(
            list(got.contender) == sorted(want, key=lambda name: -want[name][0]),
            "There should be a row for each contender, the highest mean first.",
        )
        for row in got.itertuples():
            mean, best, worst = want[row.contender]
            test.close(float(row.mean), mean, "`mean` is not the mean accuracy.")
            test.that(
                (row.best, row.worst) == (best, worst),
                f"With {k} contenders, {n} seeds and level {level} a range is wrong: differences by "
                f"seed, s with n − 1, t with n − 1 degrees of freedom at 1 − (1 − level)/(2P), P = {k * (k - 1) // 2}.",
            )
    # leads that lie just above and just below the border
    for k, n, level in ((2, 5, 0.95), (3, 4, 0.95), (5, 6, 0.9), (7, 5, 0.99), (9, 10, 0.95)):
        noise = torch.randn(n, dtype=torch.float64)
        noise -= noise.mean()
        t = stats.t.ppf(1 - (1 - level) / (k * (k - 1)), n - 1)
        half = t * noise.std().item() / math.sqrt(n)
        luck = (50 * torch.randn(n, dtype=torch.float64)).tolist()
        for factor in (1.02, 0.98):
            leads = [x + y + half * factor for x, y in zip(luck, noise.tolist(), strict=True)]
            grid = {"behind": luck, "ahead": leads}
            grid |= {f"far {i}": [x - 1e4 * i for x in luck] for i in range(1, k - 1)}
            values = {c: dict(enumerate(part)) for c, part in grid.items()}
            with test.case(f"{k} contenders, {n} seeds, level {level}"):
                got = rank_ranges(frame(values), level=level).set_index("contender")
            want = (1, 1, 2, 2) if factor > 1 else (1, 2, 1, 2)
            test.that(
                tuple(int(got[at][c]) for c in ("ahead", "behind") for at in ("best", "worst"))
                == want,
                f"With {k} contenders, {n} seeds and level {level} the interval is too "
                + ("wide" if factor > 1 else "narrow")
                + f": s with n − 1, t with n − 1 degrees of freedom at 1 − (1 − level)/(2P), P = {k * (k - 1) // 2}.",
            )
    # not transitive: a is clearly ahead of c, while b can be told from neither
    values = {
        "c": {0: 0.0, 1: 0.1, 2: -0.1, 3: 0.0},
        "b": {0: 3.0, 1: -2.0, 2: 2.5, 3: -1.0},
        "a": {0: 1.0, 1: 1.1, 2: 0.9, 3: 1.05},
    }
    got = rank_ranges(frame(values)).set_index("contender")
    test.that(
        {name: (got.best[name], got.worst[name]) for name in values}
        == {"a": (1, 2), "b": (1, 3), "c": (2, 3)},
        "Ranges may overlap: one that can be told from neither of two others ranges over the places of both.",
    )
    equal = {name: {s: float(s) for s in range(3)} for name in ("x", "y", "w")}
    with test.case("three contenders with the very same runs"):
        got = rank_ranges(frame(equal))
    test.that(
        all((row.best, row.worst) == (1, 3) for row in got.itertuples()),
        "Contenders with the very same runs cannot be told apart: their ranges go from 1 to k.",
    )
    two = {"p": {0: 1.0, 1: 2.0}, "q": {0: 3.0, 1: 4.01}}
    with test.case("two seeds, two contenders"):
        got = rank_ranges(frame(two)).set_index("contender")
    test.that(
        (got.best["q"], got.worst["q"], got.best["p"]) == (1, 1, 2),
        "Two seeds are enough for an interval (n − 1 = 1).",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="rank_ranges"
# "Not clearly different" is not an equivalence: $A$ may be clearly ahead of $C$ while $B$ can be told from neither. That is why the answer is a range for each entry, and not a list of groups. The price of the joint level is wide intervals: with eight seeds and 36 pairs, $t$ is 5.1 instead of 2.4, and with five seeds it would be 7.9 instead of 2.8. If that hurts, the cure is not a lower level but more seeds, or fewer questions: decide *before* the contest which comparisons matter.


# %% [markdown]
# Now your function reads the table.

# %%
ALL_PARTS = (*PARTS, "rank_ranges")


def plot_ranges(ranges):
    fig, ax = lab.figure(height=3.4)
    for index, row in ranges.iterrows():
        style = lab.line_style(index) | {"marker": "|"}
        ax.plot([row.best, row.worst], [-index, -index], linewidth=3, markersize=10, **style)
        ax.plot(index + 1, -index, "o", color="k", markersize=5)
    ax.set(yticks=[-i for i in ranges.index], yticklabels=ranges.contender)
    ax.set(
        xticks=range(1, len(ranges) + 1),
        xlabel="place in the table (dot) and range of places (bar)",
    )
    return fig


with needs(*ALL_PARTS):
    ranges = rank_ranges(final())
    lab.show(
        plot_ranges(ranges),
        alt="A bar for each entry from the best to the worst place it may hold, and a dot at its place in the table. "
        + ", ".join(
            f"{row.contender}: {row.best} to {row.worst}" for row in ranges.itertuples()
        )
        + ".",
    )
    display(ranges.round(3))

# %% [markdown]
# Look at the first two lines. The highest mean belongs to "residual, 1cycle", but it may be anything from first to sixth, because its runs scatter; the second, "residual, AdamW", is first to fourth. A lower mean, and the stronger claim. Below these two the ranges overlap so much that the order is hardly worth reading aloud: batch norm may be anything from first to eighth, alpha dropout from second to last. Only He + SiLU is clearly behind four others, and even it, 3.6 points below "SELU + LeCun", cannot be told from that net jointly.
#
# Did we not just see that SELU with LeCun's draw beats He + SiLU, with an interval that excludes 0? Yes, and both are honest. That was *one* question, asked because of a reason that we had before the run. The ranges answer *all* questions at once, those that nobody had in mind included, and pay for it with a factor of 5.1 instead of 2.4. Questions fixed in advance are cheap; a ranking is expensive. Most leaderboards are rankings of single runs.
#
# **And your own ranking?** Compare it with the ranges, not with the dots: our runs contradict it only where it puts an entry outside its range.
#
# ## What we measured

# %%
with needs(*ALL_PARTS), Claims(data) as claim:
    begin = starts().groupby(["recipe", "layer"])[["activations", "gradient"]].mean()
    top = begin.activations.unstack("recipe").loc[DEPTH]
    down = begin.gradient.unstack("recipe")["+ batch norm"]
    looked = inspections()["std at 20"]
    spread = {name: np.ptp(losses_of(search(), name)) for name in CONTENDERS}
    mean = final().groupby("contender").accuracy.mean()
    gain, calmer = changes()["mean"].astype(float), changes("nll")["mean"].astype(float)
    places = rank_ranges(final()).set_index("contender")
    sane = bool(np.isfinite(gain).all() and mean.between(0, 1).all())

    claim(
        "untrained, behind layer 20: SELU keeps a deviation of 0.9 to 1.1, He + SiLU less than 0.06",
        0.9 < top["SELU + LeCun"] < 1.1 and top["He + SiLU"] < 0.06,
        weaker=0.6 < top["SELU + LeCun"] < 1.4 and top["He + SiLU"] < 0.3,
    )
    claim(
        "untrained, batch norm: the first layer's gradient is more than 15 times that of layer 20",
        down[1] > 15 * down[DEPTH],
        weaker=down[1] > 3 * down[DEPTH],
    )
    claim(
        "inspection: SELU with He's draw grows beyond 3, SiLU with LeCun's falls below 0.0001",
        looked["He's draw"] > 3 and looked["SiLU, LeCun"] < 1e-4,
        weaker=looked["He's draw"] > 2 and looked["SiLU, LeCun"] < 1e-3,
    )
    claim(
        "search: over a factor of ten the residual nets' losses move by less than 0.08, SELU's with 1cycle by more than 0.12",
        max(spread["residual, AdamW"], spread["residual, 1cycle"]) < 0.08
        and spread["SELU, 1cycle"] > 0.12,
        weaker=sane,
    )
    claim(
        "SELU for He + SiLU: more than a point of test accuracy",
        gain["SELU + LeCun for He + SiLU"] > 0.01,
        weaker=sane,
    )
    claim(
        "alpha dropout on SELU, and MC on it: less than three points either way",
        abs(gain["alpha dropout, on SELU"]) < 0.03 and abs(gain["MC, on alpha dropout"]) < 0.03,
        weaker=sane,
    )
    claim(
        "MC dropout lowers the NLL by more than 0.015",
        calmer["MC, on alpha dropout"] < -0.015,
        weaker=sane,
    )
    claim(
        "AdamW for NAdam, on SELU: less than three points either way",
        abs(gain["AdamW for NAdam, on SELU"]) < 0.03,
        weaker=sane,
    )
    claim("1cycle, on SELU: a gain", gain["1cycle, on SELU"] > 0, weaker=sane)
    claim(
        "residual for SELU: more than a point and a half at a constant rate, a gain with 1cycle",
        gain["residual for SELU, constant"] > 0.015 and gain["residual for SELU, 1cycle"] > 0,
        weaker=sane,
    )
    claim(
        "a residual net has the highest mean, more than three points above He + SiLU",
        mean.idxmax().startswith("residual") and mean.max() > mean["He + SiLU"] + 0.03,
        weaker=sane,
    )
    claim(
        "places: some residual net is clearly better than somebody, and the ranges add up to twenty places or more",
        places.worst.filter(like="residual").min() < len(places)
        and (places.worst - places.best).sum() >= 20,
        weaker=(places.best <= places.worst).all(),
    )

# %% [markdown]
# ## In short
#
# | part | what to remember | where it is from |
# |---|---|---|
# | the stack | $\sigma = g/\sqrt{f_\text{in}}$: $g = \sqrt 2$ for the ReLU family, 1 for SELU and the output | chapter 1 |
# | the loop | train / eval, a schedule step a batch, copies of the whole `state_dict`, buffers included | chapters 1, 4, 5 |
# | the inspection | inputs, draw, activation, no norm, no plain dropout; then measure | chapter 1 |
# | the twin | dropout layers on, all others obedient; the weights stay | chapter 5 |
# | the road | norm inside the branch, identity at the start | chapter 1 |
# | the verdict | differences by seed, all pairs at once, ranges instead of ranks | chapters 3 to 5 |
#
# - Change one thing at a time, and give each contender its own learning rate. Between a recipe and "the same with two improvements" stands a row that tells you which of the two it was.
# - The last batch counts like any other, however small: leave a rest out, or know what its step does just before you validate.
# - A gain belongs to the net on which it was measured: that of 1cycle was clear on SELU, and on the residual net it was not.
# - An optimiser is part of the recipe. So is the number of steps: a table is a statement about *its* budget.
# - What you do not measure over seeds you do not know. What your intervals do not separate you should not rank.
#
# **Read on.** Krizhevsky (2009), *Learning multiple layers of features from tiny images*. Klambauer, Unterthiner, Mayr and Hochreiter (2017), *Self-normalizing neural networks*. Dozat (2016), *Incorporating Nesterov momentum into Adam*. He, Zhang, Ren and Sun (2016), *Identity mappings in deep residual networks*, on norms inside the branch. Smith and Topin (2018), *Super-convergence*. Mogstad, Romano, Shaikh and Wilhelm (2024),
# *Inference for ranks*, on what may be said of places in a table. The next lesson turns the course into a practical guide, and sets you a challenge of your own.

# %%
lab.show_progress("ch06")
