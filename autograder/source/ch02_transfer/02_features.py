# ---
# jupyter:
#   lesson:
#     title: What transfers
#     minutes: 100
# ---

# %% [markdown]
# The last lesson took a famous success apart and found next to nothing in it: fairly compared, borrowed layers gained nothing that thirty draws could show, and some ways of using them lost a point or two. And yet half of the world's image software stands on borrowed layers. Both can be true. A pullover differs from a T-shirt at pixels that are always in the same place, and
# twenty pictures are enough to find them. Nobody needs a teacher for that.
#
# So the interesting question is not *whether* transfer works but *what* transfers: which layers, of which nets, to which tasks. In this lesson you open the teacher and look. After it you can
#
# - read the features of any layer of any net, and leave the net as you found it,
# - measure what a layer knows with a linear probe, and how alike two layers are with CKA,
# - say when to reuse few layers and when all of them, and check it,
# - put a real pretrained network to use: its sizes, its numbers, a new head, and the rights of those who stand in its data.
#
# You need: the previous lesson (freezing, rates for each layer, paired intervals), and what a convolution computes.

# %% role="setup"
import copy
import math
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from torch import nn

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %% [markdown]
# ## Three strangers, and a careless photographer
#
# **Task A** is now seven classes of Fashion-MNIST; T-shirts, pullovers *and* shirts are held out. (In the last lesson the teacher had been trained on shirts, which lie between the other two. That was a help you cannot count on.) The three strangers make three pairs. We shall learn two of them from 20 pictures, ten of each:
#
# - T-shirt against pullover, the **easy pair** of the last lesson,
# - pullover against shirt, the **hard pair**: many shirts have long sleeves too, and at 28 × 28 pixels hardly any buttons.
#
# And there is a third difficulty, which costs every real photograph dearly and which Fashion-MNIST has politely removed: its garments fill the frame, always at the same place. Our second set of pictures comes from a careless photographer. Each garment is smaller, 20 × 20 pixels, and lies somewhere in the frame. Nothing else has changed. We call the two sets *centred* and *scattered*, and train teachers for each.

# %%
device = lab.device()
clothes = lab.fashion_mnist().to(device)
EASY, HARD = (0, 2), (2, 6)
TASK_A = (1, 3, 4, 5, 7, 8, 9)


@dataclass
class Pictures:
    """Images on the scale 0 to 1, (n, 1, 28, 28), and labels: what `lab.fit` needs of a split."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.images[index], self.labels[index]

    def to(self, device):
        return Pictures(self.images.to(device), self.labels.to(device))


def centred(images):
    """Pixels (n, 28, 28) as they are, on the scale 0 to 1, with a channel."""
    return images[:, None].float() / 255


def scattered(images, seed=0):
    """The same things at 20 × 20 pixels, each at a place of its own in the frame."""
    small = F.interpolate(centred(images), size=(20, 20), mode="bilinear", antialias=True)
    frame = small.new_zeros(len(small), 1, 28, 28)
    places = torch.randint(9, (len(small), 2), generator=torch.Generator().manual_seed(seed))
    for top in range(9):
        for left in range(9):
            here = (places == torch.tensor([top, left])).all(1).to(frame.device)
            frame[here, :, top : top + 20, left : left + 20] = small[here]
    return frame


WORLDS = {"centred": centred, "scattered": scattered}


def gather(split, classes, world, limit=None):
    """The pictures of some classes, which are numbered anew from 0."""
    wanted = torch.tensor(classes, device=split.labels.device)
    rows = torch.nonzero(torch.isin(split.labels, wanted)).flatten()[:limit]
    labels = torch.searchsorted(wanted, split.labels[rows])
    return Pictures(WORLDS[world](split.images[rows]), labels)


def task(data, classes, world, limit=None):
    """Training, validation and test pictures of some classes."""
    return SimpleNamespace(
        train=gather(data.train, classes, world, limit),
        valid=gather(data.valid, classes, world, 1_000),
        test=gather(data.test, classes, world, budget(1_000, fast=200)),
    )


def draw(pair, n, seed):
    """n labelled training pictures of a pair, as many of each class; their labels as 0. and 1."""
    generator = torch.Generator().manual_seed(seed)
    labels, rows = pair.train.labels.cpu(), []
    for label in (0, 1):
        own = torch.nonzero(labels == label).flatten()
        rows.append(own[torch.randperm(len(own), generator=generator)[: n // 2]])
    x, y = pair.train[torch.cat(rows).to(device)]
    return x, y.float()


task_a = {w: task(clothes, TASK_A, w, budget(10_000, fast=600)) for w in WORLDS}
TASKS = {
    "easy pair, centred": task(clothes, EASY, "centred"),
    "hard pair, centred": task(clothes, HARD, "centred"),
    "easy pair, scattered": task(clothes, EASY, "scattered"),
}

rows = [("T-shirts", "easy pair, centred", 0), ("pullovers", "hard pair, centred", 0)]
rows += [("shirts", "hard pair, centred", 1), ("pullovers,\nscattered", "easy pair, scattered", 1)]  # fmt: skip
fig, axes = lab.figure(4, 10, height=0.85)
for row, (name, which, label) in enumerate(rows):
    images, labels = TASKS[which].valid[:]
    for col, image in enumerate(images[labels == label][:10].cpu()):
        axes[row, col].imshow(image[0], cmap="gray_r")
        axes[row, col].set(xticks=[], yticks=[])
    axes[row, 0].set_ylabel(name, fontsize=9)
lab.show(
    fig,
    alt="Ten pictures each of T-shirts, pullovers and shirts that fill the frame, and, in the last row, of pullovers that "
    "are smaller and lie at different places. A few of the shirts can hardly be told from pullovers.",
)

# %% [markdown]
# Three nets will take part. The **dense** one has four hidden layers of 100 units. The **conv** net has three convolutions with stride 2, each of which halves the picture, then a dense layer of 64 units on the 512 numbers that are left; it has less than half as many weights. Both are nets from the textbook. The third, **pooled**, comes in later: it keeps of each channel only the largest answer, wherever
# in the picture it was given. Pixels go from 0 to 1, which the last lesson found to be the better scale for learning from few pictures.


# %%
def he(layers):
    """A Sequential with He's initialisation and zero biases."""
    for layer in layers:
        if isinstance(layer, (nn.Linear, nn.Conv2d)):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    return nn.Sequential(*layers).to(device)


def dense(n_outputs):
    layers = [nn.Flatten()]
    for n_inputs in (784, 100, 100, 100):
        layers += [nn.Linear(n_inputs, 100), nn.ReLU()]
    return he([*layers, nn.Linear(100, n_outputs)])


def strokes(*plan):
    """Convolutions with ReLU from (width, kernel size, stride), the first on one channel."""
    layers, n_inputs = [], 1
    for width, size, stride in plan:
        layers += [nn.Conv2d(n_inputs, width, size, stride, padding=size // 2), nn.ReLU()]
        n_inputs = width
    return layers


def conv(n_outputs):
    layers = [*strokes((16, 5, 2), (16, 3, 2), (32, 3, 2)), nn.Flatten()]
    return he([*layers, nn.Linear(512, 64), nn.ReLU(), nn.Linear(64, n_outputs)])


def pooled(n_outputs):
    layers = strokes((16, 5, 2), (32, 3, 2), (64, 3, 1))
    return he([*layers, nn.AdaptiveMaxPool2d(1), nn.Flatten(), nn.Linear(64, n_outputs)])


NETS = {"dense": dense, "conv": conv, "pooled": pooled}
PEAK = {"dense": 3e-3, "conv": 1e-2, "pooled": 1e-2}  # of the one-cycle schedule


def teach(net, data, n_classes, seed):
    """A net trained on many pictures, and its accuracy on the validation pictures."""
    torch.manual_seed(seed)
    model, epochs, size = NETS[net](n_classes), 2, 128
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, fused=True)
    updates = epochs * math.ceil(len(data.train) / size)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, PEAK[net], total_steps=updates)
    settings = {"epochs": epochs, "batch_size": size, "scheduler": scheduler, "seed": seed}
    history = lab.fit(model, data, optimizer, **settings, bar=False)
    return model.eval(), history.last["valid_accuracy"]


N_TEACHERS = budget(3, fast=1)
teachers, taught = {}, {}
for world, net in (
    *((w, n) for w in WORLDS for n in ("dense", "conv")),
    ("scattered", "pooled"),
):
    pairs = [teach(net, task_a[world], len(TASK_A), seed) for seed in range(N_TEACHERS)]
    teachers[world, net] = [model for model, _ in pairs]
    taught[world, net] = float(np.mean([acc for _, acc in pairs]))
print({" ".join(key): f"{acc:.1%} on task A" for key, acc in taught.items()})

# %% [markdown]
# (What the text says of numbers holds for the full run on the real images. Fast mode and the built-in digits show less.)
#
# Seven classes without shirts are easy: 95 or 96 % with centred garments. Scattered ones cost the dense net nine or ten points and the convolutional net about seven; the pooled net reaches 91 % in spite of them.
#
# What have they learned? The weights of a first layer can be looked at. A dense unit has a weight for each of the 784 pixels, so its weights are a picture. A convolution has 16 filters of 5 × 5.
#
# **Predict, then run.** What will the dense units look like? And the filters? Which of the two do you think could be of use for shoes, for digits, for X-rays?

# %%
fig, axes = lab.figure(2, 16, height=0.75)
for row, (layer, name) in enumerate(((1, "dense"), (0, "conv"))):
    weights = teachers["centred", name][0][layer].weight.detach().cpu()
    size = (28, 28) if name == "dense" else (5, 5)
    loudest = weights.flatten(1).norm(dim=1).argsort(descending=True)[:16]
    for col, index in enumerate(loudest):
        picture = weights[index].reshape(size)
        top = picture.abs().max()
        axes[row, col].imshow(picture, cmap="RdBu_r", vmin=-top, vmax=top)
        axes[row, col].set(xticks=[], yticks=[])
    axes[row, 0].set_ylabel(name, fontsize=9)
lab.show(
    fig,
    alt="First-layer weights of two teachers, sixteen each. The dense units are pictures of 28 by 28, mostly noise "
    "with broad patches of red and blue. The filters are squares of 5 by 5, in some of which a light side meets a dark one.",
)

# %% [markdown]
# After two epochs there is more noise than form: most of what you see is the random beginning. The dense units show broad patches of red and blue, each at one place in the frame; one calls such weights **templates**. In some of the filters a light side meets a dark one, and a convolution tries its filter everywhere; these are **strokes**. A template of a trouser leg is of little use for a shoe. A border is a border.
#
# That is the old argument for convolutional features. It is a story told about pictures, and these pictures hardly bear it out. Let us measure.

# %% [markdown]
# ## What does a layer know?
#
# Take the output of a layer for the 20 pictures, and forget the net. Can a *straight line* tell the two classes apart in these features? If so, the layer "knows" the difference, in a form that the next layer can use at once. That is a **linear probe** (Alain and Bengio, 2016): logistic regression on frozen features. It needs two tools: one to get at the features, and one to fit the probe.

# %% [markdown] role="card" exercise="extract_features" level=3 minutes=15 topic="Features" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.register_forward_hook"
# ### Listen inside a network
#
# A model returns its last output and keeps the rest to itself. A **forward hook** listens in: after `handle = module.register_forward_hook(f)`, each time the module has computed something, PyTorch calls `f(module, inputs, output)`. `handle.remove()` ends it.
#
# Run `model` once on the batch `x` and return what the modules called `names` have put out: a dict from name to a tensor $(n, d)$, everything behind the batch axis flattened, in the order of `names`. Names are those of `model.named_modules()`, such as `"3"` or `"layer1.0.relu"`, or `""` for the model itself; `model.get_submodule(name)` finds a module by its name. The list may be empty; the model runs once all the same, and the dict is empty.
#
# - The model runs in evaluation mode and without autograd.
# - What you return is a **copy**. Many nets contain `nn.ReLU(inplace=True)`, which overwrites the output of the layer before it an instant after your hook has seen it.
# - Afterwards the model is as it was: no hook of yours is left, and each of its modules is in the mode in which it was before (some may have been training, others not). That holds **even if the model raises an error** on `x`, which your function lets pass. Hooks of other people stay.


# %% role="stub" exercise="extract_features"
def extract_features(
    model: nn.Module, x: torch.Tensor, names: list[str]
) -> dict[str, torch.Tensor]:
    """What some modules of a model put out for a batch.

    Args:
        model: any module; afterwards it is as it was before, hooks and modes included.
        x: a batch of n inputs; not to be changed.
        names: names of modules as in `model.named_modules()`, each of them called once in a forward pass.

    Returns:
        name -> outputs (n, d), flattened, copied, without gradient history, in the order of `names`.
    """
    ### BEGIN SOLUTION
    found = {}

    def listener(name):
        def hook(module, inputs, output):
            found[name] = output.detach().flatten(1).clone()

        return hook

    handles = []
    modes = [(module, module.training) for module in model.modules()]
    try:
        for name in names:
            module = model.get_submodule(name)
            handles.append(module.register_forward_hook(listener(name)))
        model.eval()
        with torch.no_grad():
            model(x)
    finally:
        for handle in handles:
            handle.remove()
        for module, training in modes:
            module.training = training
    return {name: found[name] for name in names}
    ### END SOLUTION


# %% role="check" exercise="extract_features"
with Check("extract_features") as check:
    net = nn.Sequential(
        nn.Linear(2, 2, bias=False),
        nn.ReLU(inplace=True),
        nn.Dropout(0.5),
        nn.Unflatten(1, (1, 2)),
        nn.Sequential(nn.Flatten(), nn.Linear(2, 1, bias=False)),
    )
    with torch.no_grad():
        net[0].weight.copy_(torch.eye(2))
        net[4][1].weight.fill_(10.0)
    net[4].eval()  # a part that was put to rest, in a model that trains
    x = torch.tensor([[1.0, -2.0], [3.0, 4.0], [-5.0, 6.0]])
    passed = torch.tensor([[1.0, 0.0], [3.0, 4.0], [0.0, 6.0]])
    with check.case('the modules "4.1", "0", "1", "2" and "3" of a small net, three samples'):
        features = extract_features(net, x.clone(), ["4.1", "0", "1", "2", "3"])
    check.is_a(features, dict)
    check.that(
        set(features) == {"4.1", "0", "1", "2", "3"},
        f"The dict should hold the names that were asked for, but it holds {sorted(features)}. (A hook "
        "that uses the loop's variable sees its *last* value: make the hook in a function of its own.)",
    )
    check.that(
        list(features) == ["4.1", "0", "1", "2", "3"],
        "The names should stand in the order of `names`, not in that of the forward pass.",
    )
    check.shape(features["3"], (3, 2), "Flatten everything behind the batch axis.")
    check.close(
        features["1"],
        passed,
        'The output of "1", the ReLU, is off.',
    )
    check.close(
        features["0"],
        x,
        'The output of "0" is off.',
        known=[
            (
                passed,
                'The output of "0" has lost its negative numbers: the in-place ReLU behind it has overwritten it. '
                "Keep a copy, `.clone()`.",
            )
        ],
    )
    check.close(
        features["2"],
        passed,
        "Dropout was at work: the model should run in evaluation mode.",
    )
    check.shape(
        features["4.1"],
        (3, 1),
        'Is that the *input* of "4.1"? A hook gets (module, inputs, output).',
    )
    check.close(
        features["4.1"], torch.tensor([[10.0], [70.0], [60.0]]), 'The output of "4.1" is off.'
    )
    check.that(
        not any(f.requires_grad for f in features.values()),
        "The features hang on a graph: run the model under `torch.no_grad()`.",
    )
    check.that(
        net.training and net[2].training,
        "The model was in training mode and is not any more: put each module back in its mode.",
    )
    check.that(
        not net[4].training and not net[4][1].training,
        "A part that was in evaluation mode before is in training mode now: `model.train()` switches all parts on. "
        "Remember the mode of each module.",
    )
    check.that(
        not any(m._forward_hooks for m in net.modules()),
        "Your hooks are still there: keep what `register_forward_hook` returns, and call its `remove()`.",
    )
    raised = False
    try:
        extract_features(net, torch.zeros(3, 7), ["0", "2"])
    except RuntimeError:
        raised = True
    check.that(
        raised, "The model cannot take 7 inputs: its error should pass through your function."
    )
    check.that(
        not any(m._forward_hooks for m in net.modules()) and net.training and net[2].training,
        "When the model raises an error, hooks or modes are left behind: clean up in a `finally:` block.",
    )


# %% [markdown] role="hints" exercise="extract_features"
# <details><summary>Hint 1: one hook, one name</summary>
#
# A hook knows the module but not its name. Write a small function `listener(name)` that returns a hook which stores under that `name`. A `lambda` in a loop does not do: it looks the variable up when it is called, and by then the loop is over.
#
# </details>
# <details><summary>Hint 2: tidy up</summary>
#
# Before you begin: `modes = [(m, m.training) for m in model.modules()]`. Then `try:` hooks, `model.eval()`, `with torch.no_grad(): model(x)`, and `finally:` remove all handles and set `m.training = mode` for each pair.
#
# </details>
# <details><summary>Hint 3: in the hook</summary>
#
# `output.flatten(1).clone()`. For an output that is flat already, `flatten` returns the same memory, so the `clone` is needed.
#
# </details>

# %% role="test" exercise="extract_features" points=3
# Graded with hidden tests: convolutions, nested names, in-place layers, modes, other people's hooks, errors.
### BEGIN HIDDEN TESTS
with HiddenTest("extract_features") as test:

    class Residual(nn.Module):
        """A block as in ResNets: its ReLU works in place and is an attribute, not the last of a Sequential."""

        def __init__(self, channels):
            super().__init__()
            self.conv = nn.Conv2d(channels, channels, 3, padding=1)
            self.norm = nn.BatchNorm2d(channels)
            self.relu = nn.ReLU(inplace=True)

        def forward(self, x):
            return self.relu(self.norm(self.conv(x)) + x)

    def build(dtype):
        torch.manual_seed(3)
        return nn.Sequential(
            nn.Conv2d(2, 4, 3),
            nn.BatchNorm2d(4),
            nn.LeakyReLU(0.5, inplace=True),
            Residual(4),
            nn.Dropout2d(0.5),
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(16, 5),
            nn.Tanh(),
        ).to(dtype)

    for dtype, n, names in (
        (torch.float32, 4, ["0", "1", "2", "3.conv", "3.norm", "3", "4", "5", "6", "7", "8"]),
        (torch.float64, 1, ["7", "3.norm", "1"]),
        (torch.float32, 3, ["5"]),
        (torch.float32, 2, []),
    ):
        net = build(dtype)
        net(3 + torch.randn(20, 2, 6, 6, dtype=dtype))  # running statistics of its own
        net[3].eval()
        net[4].train(n != 4)
        x = torch.randn(n, 2, 6, 6, dtype=dtype)
        # The oracle: the same net, layer by layer, each output copied at once.
        twin, want = copy.deepcopy(net).eval(), {}
        with torch.no_grad():
            h = x.clone()
            for k, layer in enumerate(twin):
                if k == 3:
                    c = layer.conv(h)
                    want["3.conv"] = c.clone().reshape(n, -1)
                    want["3.norm"] = layer.norm(c).clone().reshape(n, -1)
                h = layer(h)
                want[str(k)] = h.clone().reshape(n, -1)
        calls = []
        foreign = net[5].register_forward_hook(
            lambda module, inputs, output, calls=calls: calls.append(1)
        )
        modes = [m.training for m in net.modules()]
        before = copy.deepcopy(net.state_dict())
        given = x.clone().requires_grad_(n == 1)
        with test.case(f"{len(names)} names, {n} samples in {dtype}"):
            features = extract_features(model=net, x=given, names=names)
        test.is_a(features, dict)
        test.that(
            list(features) == names,
            "The dict should hold the names that were asked for, in their order.",
        )
        for name in names:
            test.shape(
                features[name], tuple(want[name].shape), "Flatten behind the batch axis."
            )
            test.that(
                not features[name].requires_grad,
                "The features hang on a graph: run the model under `torch.no_grad()`.",
            )
            test.close(
                features[name],
                want[name],
                "The output of a module is off: is it the output and not the input, a copy that no in-place layer can "
                "overwrite, from a run in evaluation mode?",
                atol=1e-5,
            )
        test.that(
            modes == [m.training for m in net.modules()],
            "Afterwards each module should be in the mode in which it was before.",
        )
        test.that(
            all(torch.equal(v, before[k]) for k, v in net.state_dict().items()),
            "Running statistics have moved: the model should run in evaluation mode.",
        )
        test.that(torch.equal(given.detach(), x), "The batch was changed.")
        test.that(
            given.grad is None and all(p.requires_grad for p in net.parameters()),
            "Leave gradients and `requires_grad` flags alone.",
        )
        test.that(
            len(calls) == 1,
            "The model should run exactly once, and hooks of other people should stay and be called.",
        )
        kept = {name: features[name].clone() for name in names}
        net.eval()
        with torch.no_grad():
            net(torch.zeros_like(x))
        test.that(
            len(calls) == 2,
            "A hook of somebody else has gone: remove your own only, by their handles.",
        )
        test.that(
            list(features) == names
            and all(torch.equal(features[name], kept[name]) for name in names),
            "When the model runs again, the features that you returned change: your hooks are still there.",
        )
        test.that(
            sum(len(m._forward_hooks) for m in net.modules()) == 1,
            "Your hooks are still there after the call: remove each by its handle.",
        )
        foreign.remove()
    # an error on the way
    net = build(torch.float32)
    net[3].eval()
    modes = [m.training for m in net.modules()]
    raised = False
    try:
        extract_features(net, torch.zeros(2, 3, 6, 6), ["0", "3.relu", "7"])
    except RuntimeError:
        raised = True
    test.that(raised, "An error of the model should pass through your function.")
    test.that(
        not any(m._forward_hooks for m in net.modules()),
        "After an error of the model hooks are left behind: remove them in a `finally:` block.",
    )
    test.that(
        modes == [m.training for m in net.modules()],
        "After an error of the model its modules are not in the modes in which they were.",
    )
    single = nn.Linear(3, 2)
    x = torch.randn(4, 3)
    want = (x @ single.weight.T + single.bias).detach()
    with test.case('the name "", which is the model itself'):
        features = extract_features(single, x, [""])
    test.close(features[""], want, 'The name "" should give the output of the model itself.')
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="extract_features"
# A hook gets the very tensor that travels on through the net, not a copy. `nn.ReLU(inplace=True)` saves memory by writing over it, and so a stored reference shows the numbers *after* the ReLU under the name of the layer before. Torchvision's ResNets are full of such ReLUs; "the batch normalisation puts out no negative numbers" is an observation that people have puzzled over. A hook that is left behind is worse than a leak: it goes on
# running at each forward pass, in training too, and holds on to what it stores. The alternative without hooks is to cut the model (`model[:k]`), which works where the model is a Sequential and nowhere else; `torchvision.models.feature_extraction` rewrites a traced graph instead.

# %% [markdown] role="card" exercise="linear_probe" level=2 minutes=12 topic="Features" doc="https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html"
# ### A linear probe
#
# Fit logistic regression on given features, to the very end. For features $f_i$ (the rows of an $(n, d)$ tensor) and labels $y_i \in \{0, 1\}$ (integers), find the weight $w$ and the bias $b$ that minimise
#
# $$\frac1n\sum_i \Big[\ln\!\big(1 + e^{z_i}\big) - y_i z_i\Big] + \frac\lambda2 \lVert w\rVert^2, \qquad z_i = w\cdot f_i + b .$$
#
# The bracket is the binary cross-entropy of the logit $z_i$. The bias is **not** penalised. With $\lambda$ = `l2` $> 0$ and both labels present there is exactly one minimum, even where $d > n$, so the answer depends on no seed and no learning rate, as long as you do get there: aim at four correct digits. How you get there is up to you.
#
# Return `(weight, bias)`, of shapes $(d)$ and $()$, in the dtype of the features and without gradient history. The features may hang on a graph; nothing of it may change, and no gradient may reach it.


# %% role="stub" exercise="linear_probe"
def linear_probe(
    features: torch.Tensor, labels: torch.Tensor, l2: float = 1e-2
) -> tuple[torch.Tensor, torch.Tensor]:
    """Logistic regression with a penalty on the weights, at its minimum.

    Args:
        features: (n, d), floating point.
        labels: (n,), int64, 0 or 1, both present.
        l2: λ > 0.

    Returns:
        weight (d,) and bias (); `features @ weight + bias` are the logits of label 1.
    """
    ### BEGIN SOLUTION
    f, y = features.detach().double(), labels.double()
    weight = torch.zeros_like(f[0], requires_grad=True)
    bias = torch.zeros_like(y[0], requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=500,
        tolerance_grad=1e-9,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def closure():
        optimizer.zero_grad()
        loss = F.binary_cross_entropy_with_logits(f @ weight + bias, y)
        loss = loss + l2 / 2 * weight.square().sum()
        loss.backward()
        return loss

    optimizer.step(closure)
    return weight.detach().to(features.dtype), bias.detach().to(features.dtype)
    ### END SOLUTION


# %% role="check" exercise="linear_probe"
with Check("linear_probe") as check:

    def root(f):
        """Where a falling function of one number crosses 0, by bisection."""
        low, high = 0.0, 100.0
        for _ in range(100):
            middle = (low + high) / 2
            low, high = (middle, high) if f(middle) > 0 else (low, middle)
        return low

    def sigma(z):
        return 1 / (1 + math.exp(-z))

    # Features 1 and −1 with labels 1 and 0: b = 0 by symmetry, and λw = σ(−w). With λ = σ(−1) that is w = 1.
    l2 = sigma(-1)
    with check.case("features (1) and (−1) with labels 1 and 0"):
        result = linear_probe(torch.tensor([[1.0], [-1.0]]), torch.tensor([1, 0]), l2=l2)
    check.that(
        isinstance(result, (tuple, list)) and len(result) == 2, "Return weight and bias."
    )
    weight, bias = result
    check.shape(weight, (1,))
    check.shape(bias, (), "The bias is a single number, a tensor without axes.")
    check.that(
        not weight.requires_grad and not bias.requires_grad,
        "The result hangs on a graph: `detach()` it.",
    )
    check.close(
        weight,
        torch.ones(1),
        "With λ = σ(−1) the weight should be 1.",
        known=[
            (
                torch.tensor([root(lambda w: 2 * sigma(-w) - l2 * w)]),
                "The loss should be the *mean* over the samples.",
            ),
            (
                torch.tensor([root(lambda w: sigma(-w) - 2 * l2 * w)]),
                "Your penalty is λ‖w‖²; it should be half of that.",
            ),
            (torch.tensor([-1.0]), "The labels are the other way round."),
        ],
        rtol=1e-3,
    )
    check.close(bias, torch.tensor(0.0), "By symmetry the bias should be 0.", atol=1e-3)
    with check.case("three features of 0, labels 1, 1, 0"):
        weight, bias = linear_probe(torch.zeros(3, 2), torch.tensor([1, 1, 0]), l2=0.5)
    check.close(
        bias,
        torch.tensor(math.log(2)),
        "Where the features say nothing, the bias should be ln 2, the log odds of two to one.",
        known=[
            (torch.tensor(0.0), "Without a bias the share of the classes cannot be learned."),
            (
                torch.tensor(root(lambda b: 2 / 3 - sigma(b) - 0.5 * b)),
                "The bias is penalised: the penalty is on the weight alone.",
            ),
        ],
        rtol=1e-3,
    )
    check.close(weight, torch.zeros(2), "Features of 0 should get the weight 0.", atol=1e-3)
    # Twelve samples, thirty features: at the minimum the gradient is zero.
    torch.manual_seed(0)
    f = (2 + torch.randn(12, 30, dtype=torch.float64)).requires_grad_()
    y = torch.tensor([0, 1] * 6)
    with check.case("12 samples with 30 features, which hang on a graph"):
        weight, bias = linear_probe(f, y, l2=0.05)
    check.that(f.grad is None, "Gradients have reached the features: `detach()` them first.")
    check.that(
        weight.dtype == torch.float64 and bias.dtype == torch.float64,
        "The result should have the dtype of the features.",
    )
    check.shape(weight, (30,))
    pull = torch.sigmoid(f.detach() @ weight + bias) - y
    check.that(
        pull.mean().abs() < 1e-4
        and (f.detach().T @ pull / 12 + 0.05 * weight).abs().max() < 1e-4,
        "This is not the minimum yet: the gradient is not 0. Train longer, or with a better method.",
    )


# %% [markdown] role="hints" exercise="linear_probe"
# <details><summary>Hint 1: the loss</summary>
#
# `F.binary_cross_entropy_with_logits(f @ weight + bias, y)` is the mean cross-entropy; `y` has to be floating point. Add `l2 / 2 * weight.square().sum()`.
#
# </details>
# <details><summary>Hint 2: the method</summary>
#
# The loss is convex and has few parameters: `torch.optim.LBFGS([weight, bias], max_iter=500, tolerance_grad=1e-9, tolerance_change=1e-14, line_search_fn="strong_wolfe")`, and one call of `optimizer.step(closure)`. The closure clears the gradients, computes the loss, calls `backward()` and returns the loss. Work in `float64`.
#
# </details>
# <details><summary>Hint 3: or Newton's</summary>
#
# Append a column of ones to the features and repeat $\theta \leftarrow \theta - H^{-1} g$ a dozen times, with $g = F^\top(p - y)/n + \Lambda\theta$ and $H = F^\top \mathrm{diag}(p(1-p)) F/n + \Lambda$, where $\Lambda$ is $\lambda$ on the diagonal and 0 in the bias's place.
#
# </details>

# %% role="test" exercise="linear_probe" points=2
# Graded with hidden tests: other sizes, scales, dtypes and penalties, against Newton's method in float64.
### BEGIN HIDDEN TESTS
with HiddenTest("linear_probe") as test:

    def by_newton(f, y, l2):
        """The minimum by damped Newton steps in float64."""
        f = torch.cat([f.double(), torch.ones(len(f), 1, dtype=torch.float64)], 1)
        y, n = y.double(), len(y)
        penalty = torch.full((f.shape[1],), l2, dtype=torch.float64)
        penalty[-1] = 0.0

        def value(t):
            return (
                F.softplus(f @ t).sum() / n
                - (y * (f @ t)).sum() / n
                + (penalty * t * t).sum() / 2
            )

        theta = torch.zeros(f.shape[1], dtype=torch.float64)
        for _ in range(60):
            p = 1 / (1 + torch.exp(-(f @ theta)))
            gradient = f.T @ (p - y) / n + penalty * theta
            hessian = f.T @ ((p * (1 - p))[:, None] * f) / n + torch.diag(penalty)
            hessian.diagonal().add_(1e-12)
            step, size = torch.linalg.solve(hessian, gradient), 1.0
            while size > 1e-6 and value(theta - size * step) > value(theta):
                size /= 2
            theta = theta - size * step
        return theta[:-1], theta[-1]

    for n, d, l2, dtype, mean, scale in (
        (20, 3, 0.1, torch.float32, 0.0, 1.0),
        (200, 5, 0.003, torch.float64, 0.0, 1.0),
        (20, 40, 0.01, torch.float32, 0.5, 1.0),
        (15, 2, 1.0, torch.float64, -3.0, 2.0),
        (50, 8, 0.02, torch.float32, 0.2, 0.3),
        (2, 1, 0.05, torch.float32, 0.0, 1.0),
    ):
        f = (mean + scale * torch.randn(n, d, dtype=torch.float64)).to(dtype)
        y = (f[:, 0] - mean + 0.5 * scale * torch.randn(n) > 0.3 * scale).long()
        y[:2] = torch.tensor([0, 1])
        want_w, want_b = by_newton(f, y, l2)
        given, told = f.clone(), y.clone()
        with test.case(f"{n} samples, {d} features, λ = {l2}, {dtype}"):
            result = linear_probe(features=given, labels=told, l2=l2)
        test.that(
            isinstance(result, (tuple, list)) and len(result) == 2, "Return weight and bias."
        )
        weight, bias = result
        test.shape(weight, (d,))
        test.shape(bias, ())
        test.that(
            weight.dtype == dtype and bias.dtype == dtype,
            "Weight and bias should have the dtype of the features.",
        )
        test.that(
            not weight.requires_grad and not bias.requires_grad, "The result hangs on a graph."
        )
        test.that(
            torch.equal(given, f) and torch.equal(told, y), "Features or labels were changed."
        )
        size = float(want_w.norm())
        test.close(
            weight,
            want_w.to(dtype),
            "The weight is not that of the minimum: mean loss, half a penalty, on the weight alone, and trained to the "
            "end?",
            rtol=2e-3,
            atol=2e-3 * size,
        )
        test.close(
            bias,
            want_b.to(dtype),
            "The bias is not that of the minimum: is it left out of the penalty?",
            rtol=2e-3,
            atol=2e-3 * max(1.0, size),
        )
    # columns of different size, which a method that stops early has not fitted yet
    f = 0.5 + torch.randn(40, 20, dtype=torch.float64) * torch.logspace(-0.5, 0.5, 20)
    y = (f[:, 0] * 3 + f[:, -1] / 3 + torch.randn(40) > 2.5).long()
    y[:2] = torch.tensor([0, 1])
    want_w, want_b = by_newton(f, y, 3e-3)
    with test.case("40 samples, 20 features of different size, λ = 0.003"):
        weight, bias = linear_probe(f, y, l2=3e-3)
    size = float(want_w.norm())
    for got, want in ((weight, want_w), (bias, want_b)):
        test.close(
            got,
            want,
            "Where the features differ in size, this is not the minimum yet: train to the end.",
            rtol=2e-3,
            atol=2e-3 * max(1.0, size),
        )
    # classes that are far from balanced, labels that one feature separates
    f = torch.cat([torch.full((30, 1), -1.0), torch.full((2, 1), 1.0)])
    y = torch.tensor([0] * 30 + [1] * 2)
    want_w, want_b = by_newton(f, y, 1e-2)
    weight, bias = linear_probe(f, y)
    test.close(
        torch.stack([weight[0], bias]).double(),
        torch.stack([want_w[0], want_b]),
        "Separable and unbalanced classes with the default λ = 0.01 give a wrong result.",
        rtol=3e-3,
    )
    # features with a history
    body = nn.Linear(4, 3)
    f = body(torch.randn(10, 4))
    y = torch.tensor([0, 1] * 5)
    weight, bias = linear_probe(f, y, l2=0.1)
    test.that(
        all(p.grad is None for p in body.parameters()) and f.requires_grad,
        "Gradients have reached the body that made the features: `detach()` them first.",
    )
    again = linear_probe(f, y, l2=0.1)
    test.close(
        again[0], weight, "Two calls differ: the minimum is unique.", rtol=2e-3, atol=1e-4
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="linear_probe"
# On top of fixed features the loss is convex: no bad minima, no seeds, no schedule. That makes the probe the most reproducible instrument of this chapter. Its one dial is $\lambda$, and there has to be one: twenty points in a hundred dimensions can always be separated by a plane, and without a penalty the weights would grow for ever. The bias stays out of it, since where the classes lie relative to zero is nobody's fault.
# The penalty has units: features ten times larger need weights ten times smaller, and pay a hundredth. Who compares probes on different layers therefore brings the features to one scale first, or tunes $\lambda$ for each; we do both.

# %% [markdown]
# Now both tools together. For each layer of both teachers: take the features of the 20 pictures, fit a probe, and judge it on the test pictures; with 12 draws, and $\lambda$ chosen for each layer on three other draws and the validation pictures. Layer 0 is the pixels themselves, which makes the probe plain logistic regression.
#
# (So that this runs before your own probe does, the experiment has one of its own. It uses a trick: with $n$ samples in $d > n$ dimensions the best $w$ lies in the span of the samples, so 20 coordinates are enough.)
#
# **Predict, then run.** For the easy pair: does the accuracy rise from layer to layer? And when the garments are scattered, in which of the two nets?


# %%
@torch.no_grad()
def fit_probe(f, y, l2):
    """Logistic regression as in `linear_probe`, by Newton's method in the span of the samples."""
    f, y, n = f.double(), y.double(), len(y)
    basis = torch.linalg.svd(f - f.mean(0), full_matrices=False)[2][: n - 1]
    inner = torch.cat([(f - f.mean(0)) @ basis.T, torch.ones_like(f[:, :1])], 1)
    penalty = torch.full_like(inner[0], l2)
    penalty[-1] = 0
    theta = torch.zeros_like(penalty)
    for _ in range(25):
        p = torch.sigmoid(inner @ theta)
        gradient = inner.T @ (p - y) / n + penalty * theta
        hessian = (inner.T * (p * (1 - p))) @ inner / n + torch.diag(penalty + 1e-9)
        step = torch.linalg.solve(hessian, gradient)
        theta -= step * min(1.0, 3.0 / (step.norm().item() + 1e-12))
    weight = basis.T @ theta[:-1]
    return weight, theta[-1] - f.mean(0) @ weight


def probe_accuracy(f, y, judge, truth, l2):
    """Fit a probe on features brought to one scale; its accuracy on others."""
    scale = f.std() + 1e-12
    weight, bias = fit_probe(f / scale, y, l2)
    return (
        (((judge / scale).double() @ weight + bias > 0) == (truth > 0.5)).float().mean().item()
    )


PENALTIES = (1e-3, 1e-2, 1e-1, 1.0)
N_DRAWS = budget(12, fast=2)
TUNING = range(1000, budget(1003, fast=1001))
ENDS = {"dense": (0, 3, 5, 7, 9), "conv": (0, 2, 4, 6, 9)}  # where to cut for 0, 1, ... layers


@torch.no_grad()
def features_of(model, net, x):
    """Pixels, and the features of each hidden layer, flattened."""
    outputs, h = [x.flatten(1)], x
    for begin, end in zip(ENDS[net], ENDS[net][1:], strict=False):
        h = model[begin:end](h)
        outputs.append(h.flatten(1))
    return outputs


def probes(which, net, dials, seeds, part):
    """Probe each layer of a teacher; `dials` maps a layer to the penalties to try."""
    world = which.rpartition(" ")[2]
    judge, truth = getattr(TASKS[which], part)[:]
    known = [features_of(model, net, judge) for model in teachers[world, net]]
    rows = []
    for seed in seeds:
        x, y = draw(TASKS[which], 20, seed)
        k = seed % N_TEACHERS
        for layer, f in enumerate(features_of(teachers[world, net][k], net, x)):
            for l2 in dials[layer]:
                acc = probe_accuracy(f, y, known[k][layer], truth, l2)
                rows.append({"seed": seed, "layer": layer, "l2": l2, "accuracy": acc})
    return pd.DataFrame(rows).assign(task=which, net=net)


tables = []
for which in TASKS:
    for net in ("dense", "conv"):
        tried = probes(which, net, [PENALTIES] * 5, TUNING, "valid")
        own = lab.best(tried, "layer", "accuracy", over="l2").set_index("layer").l2
        tables.append(probes(which, net, [[own[k]] for k in range(5)], range(N_DRAWS), "test"))
layers = pd.concat(tables, ignore_index=True)

# %%
fig, axes = lab.figure(1, 3, height=3.0)
for ax, (which, group) in zip(axes, layers.groupby("task", sort=False), strict=True):
    lab.band(
        group.assign(percent=100 * group.accuracy), "layer", "percent", "net", ax=ax, legend=False
    )  # fmt: skip
    ax.set(title=which, xlabel="layer (0: pixels)", ylabel="")
axes[0].set_ylabel("accuracy of the probe (%)")
axes[0].legend(fontsize=9, handlelength=3)
lab.show(
    fig,
    alt="Accuracy of linear probes against the layer, with 95 % bands, for the dense and the convolutional teacher in three "
    "tasks. With centred garments all lines fall or stay level; none rises above the pixels. With scattered garments the "
    "dense line rises steeply in the first layer and slowly after that; the convolutional one stays low for three layers "
    "and jumps to about the same height at the fourth.",
)
layer_means = layers.groupby(["task", "net", "layer"]).accuracy.mean()
layer_means.unstack("layer").round(3)

# %% [markdown]
# Two different stories. Where the garments are **centred**, the pixels are as good as it gets. No layer of either teacher tells the two classes apart better than the pixels do, in the mean of the draws. In the last layers the probes are a little worse for the easy pair, by about one point, and four or five points worse for the hard one: it looks as if these layers had thrown away what trousers, shoes and bags did not need. A probe finds nothing there to transfer.
#
# Where they are **scattered**, the pixels are of little use, for each of them shows a sleeve today and nothing tomorrow. The dense teacher has learned most of what it knows about that in its first layer, which takes the probe from 70 to 79 %; the three others add four points. The convolutional one adds only three points in three layers: its convolutions answer *where* a stroke is, and that is scattered as the garment is. Only the last one, a dense layer, seems to say *what* is there, wherever it may be. It adds eleven points, and with it the net has caught up.

# %% [markdown]
# ## The race
#
# Now the race of the last lesson, with several nets in three tasks; the pooled net takes part where the garments are scattered. Everybody learns from the same 20 pictures:
#
# - **pixels**: logistic regression, no net at all;
# - **from scratch**: the same net, freshly initialised;
# - **probe**: linear probe on the teacher's last features, $\lambda$ tuned;
# - **frozen**: the same features and a linear head too, but trained with Adam and held back by stopping early rather than by a penalty;
# - **fine-tuned**: all layers, one rate;
# - **ramp**: all layers, each with 0.3 of the rate of the layer above it.
#
# Each contender is tuned on three draws and the validation pictures: rate and number of steps, or $\lambda$. Then come 12 fresh draws and the test pictures. The differences to the *same net* from scratch are paired.
#
# **Predict, then run.** Where will borrowing pay? And which is better, to leave the borrowed layers alone or to train them? Write down a guess for each task.


# %%
LOOKS = budget((20, 50), fast=(3, 6))
DIALS = {
    "pixels": PENALTIES,
    "from scratch": (1e-3, 3e-3, 1e-2),
    "probe": PENALTIES,
    "frozen": (3e-3, 1e-2, 3e-2),
    "fine-tuned": (3e-4, 1e-3, 3e-3),
    "ramp": (1e-3, 3e-3, 1e-2),
}


def train(model, x, y, groups, lr, looks, judge, truth):
    """Full-batch Adam; the accuracy on other pictures at each look."""
    optimizer, rows = torch.optim.Adam(groups, lr=lr, fused=True), []
    for step in range(1, max(looks) + 1):
        optimizer.zero_grad()
        F.binary_cross_entropy_with_logits(model(x).squeeze(1), y).backward()
        optimizer.step()
        if step in looks:
            rows.append({"steps": step, "accuracy": lab.binary_accuracy(model, judge, truth)})
    return rows


def with_new_head(net):
    """Copies of all layers but the head, and a head as `nn.Linear` draws it, for fresh and borrowed bodies alike."""
    width = net[-1].in_features
    return nn.Sequential(*copy.deepcopy(net[:-1]), nn.Linear(width, 1, device=device))


def ramp_groups(model, lr, factor=0.3):
    """Parameter groups with rates that fall from the head to the first layer."""
    layers = [layer for layer in model if isinstance(layer, (nn.Linear, nn.Conv2d))]
    return [
        {"params": list(layer.parameters()), "lr": lr * factor**depth}
        for depth, layer in enumerate(reversed(layers))
    ]


def run(seed, task, net, method, dial, part="valid", looks=LOOKS):
    """One contender on one draw of 20 pictures."""
    x, y = draw(TASKS[task], 20, seed)
    judge, truth = getattr(TASKS[task], part)[:]
    torch.manual_seed(seed)
    teacher = teachers[task.rpartition(" ")[2], net][seed % N_TEACHERS]
    if method in ("pixels", "probe"):
        body = nn.Flatten() if method == "pixels" else teacher[:-1]
        with torch.no_grad():
            f, known = body(x), body(judge)
        return [{"steps": 0, "accuracy": probe_accuracy(f, y, known, truth, dial)}]
    model = with_new_head(NETS[net](1) if method == "from scratch" else teacher)
    if method == "frozen":  # features that never change are computed once
        with torch.no_grad():
            x, judge = model[:-1](x), model[:-1](judge)
        model = model[-1:]
    groups = ramp_groups(model, dial) if method == "ramp" else model.parameters()
    return train(model, x, y, groups, dial, looks, judge, truth)


def tune(task, net, method):
    """The best setting of a contender: its rate and number of steps, or its penalty."""
    dials = budget(DIALS[method], fast=DIALS[method][1:2])
    grid = {"task": [task], "net": [net], "method": [method], "dial": dials}
    return lab.best(lab.sweep(run, grid, TUNING), KEYS, "accuracy", over=["dial", "steps"])


KEYS = ["task", "net", "method"]
POOLED_METHODS = ("from scratch", "probe", "fine-tuned")  # its steps are the dearest ones
CONTENDERS = [
    (task, net, method)
    for task in TASKS
    for net in NETS
    for method in DIALS
    if (net == "dense" or method != "pixels")
    and (net != "pooled" or ("scattered" in task and method in POOLED_METHODS))
]
best = pd.concat([tune(*contender) for contender in CONTENDERS], ignore_index=True)
best.pivot(index=["task", "net"], columns="method", values="dial")


# %%
def race(c, seeds):
    """A contender at its best setting, on fresh draws, judged on the test pictures."""
    settings = {"dial": c.dial, "part": "test", "looks": (max(c.steps, 1),)}
    table = lab.repeat(lambda seed: run(seed, c.task, c.net, c.method, **settings), seeds)
    return table.assign(task=c.task, net=c.net, method=c.method)


results = pd.concat([race(c, range(N_DRAWS)) for c in best.itertuples()], ignore_index=True)
means = lab.summary(results, KEYS, "accuracy")


def plot_race(means):
    fig, axes = lab.figure(1, 3, height=3.0)
    order = [m for m in DIALS if m != "pixels"]
    for ax, (which, group) in zip(axes, means.groupby("task", sort=False), strict=True):
        pixels = group[group.method == "pixels"].iloc[0]
        ax.axvspan(100 * pixels.low, 100 * pixels.high, color="grey", alpha=0.25, linewidth=0)
        ax.axvline(100 * pixels["mean"], color="grey", linewidth=1, linestyle=":")
        for k, net in enumerate(group.net.unique()):
            rows = group[group.net == net].set_index("method").reindex(order)
            style = lab.line_style(k) | {"linestyle": ""}
            errors = 100 * np.stack([rows["mean"] - rows.low, rows.high - rows["mean"]])
            places = np.arange(len(order)) + 0.22 * k - 0.2
            ax.errorbar(
                100 * rows["mean"], places, xerr=errors, label=net, markersize=5, **style
            )
        ax.set_yticks(range(len(order)), order if ax is axes[0] else [])
        ax.invert_yaxis()
        ax.set(title=which, xlabel="test accuracy (%)")
    handles = axes[2].get_legend_handles_labels()  # which has all three nets
    fig.legend(*handles, loc="outside upper center", ncols=3, fontsize=9)
    return fig


lab.show(
    plot_race(means),
    alt="Test accuracy with 95 % intervals of five ways to train on 20 pictures, for each net in three tasks; a grey stripe "
    "shows logistic regression on the pixels. Centred, easy pair: all lie between 90 and 93 %, probe and frozen lowest. "
    "Hard pair: probe and frozen lie below the pixels, and so does conv from scratch; the rest lies at them or a little above. Scattered: "
    "pixels, dense and conv from scratch are far behind, the probes of dense and conv are level, and the pooled net leads, even from "
    "scratch.",
)

# %%
gains = pd.concat(
    [
        lab.paired_difference(group, "method", "accuracy", "from scratch").assign(task=t, net=n)
        for (t, n), group in results.groupby(["task", "net"], sort=False)
    ],
    ignore_index=True,
)


def in_words(row):
    return f"{100 * row['mean']:+.1f} ± {50 * (row['high'] - row['low']):.1f}"


gains.assign(points=gains.apply(in_words, axis=1)).pivot(
    index=["task", "net"], columns="method", values="points"
).fillna("")

# %% [markdown]
# Four findings.
#
# - **Easy pair, centred:** nobody gains, and the probe and the frozen body lose about two points, with either net. The lesson before this one stands, for convolutions as well.
# - **Hard pair, centred:** here the *sign* hangs on the method. The probe and the frozen body of the dense net lie four to six points below scratch; those of the convolutional one lie one to three below, and the intervals include zero. Fine-tuning all layers lies above the probe, by five to seven points. Over scratch it gains four points with the convolutional net, with the ramp as without; with the dense net one, and the interval includes zero. What tells a shirt from a pullover, perhaps a row of buttons or a collar, was of no use to anyone who had to know trousers from shoes, and the last features seem to have lost it. Fine-tuning can learn it; a frozen body cannot.
# - **Easy pair, scattered:** now borrowing pays, and most for training the borrowed layers little or not at all. Probes and frozen bodies lead the same nets from scratch by 10 to 12 points, the dense as well as the convolutional one, and the intervals stay far from zero. Fine-tuning with one rate gives much of that away: the convolutional net keeps nothing clear of ten, the dense one six of eleven. Twenty pictures at twenty places seem to be enough to unlearn what 10,000 taught, that the place does not matter. The ramp, which moves the lower layers less, keeps all of it with the dense net and about four points with the convolutional one.
# - **The pooled net** is far ahead from scratch already, by 15 points and more. The layer before its head keeps the largest answer wherever it was given, so it need not learn that the place does not matter; it was *built in*. With that much built in, there is nothing left to borrow that we could see: half a point or less, by the probe as by fine-tuning, and intervals that include zero.

# %%
wide = results.pivot(index=["task", "seed"], columns=["net", "method"], values="accuracy")
comparisons = {
    "probe: gain of conv minus gain of dense": wide["conv", "probe"]
    - wide["conv", "from scratch"]
    - (wide["dense", "probe"] - wide["dense", "from scratch"]),
    "fine-tuned minus probe, dense": wide["dense", "fine-tuned"] - wide["dense", "probe"],
    "fine-tuned minus probe, conv": wide["conv", "fine-tuned"] - wide["conv", "probe"],
}
versus = pd.concat(
    [
        lab.summary(
            values.rename("gap").reset_index().assign(what=what), ["what", "task"], "gap"
        )
        for what, values in comparisons.items()
    ],
    ignore_index=True,
)
versus.assign(points=versus.apply(in_words, axis=1)).pivot(
    index="what", columns="task", values="points"
)

# %% [markdown]
# So do convolutional features transfer better than dense ones, as one reads everywhere? Look at the first row, the gain of the one minus the gain of the other, and at its intervals. Where both gain much, with scattered garments, we have found no such advantage: −1.2 ± 4.0 points; nor on the easy centred pair, 0.0 ± 2.0. On the hard one the convolutional probe loses less, by 4.8 ± 4.8: an interval that ends at zero, of three. What made the difference with scattered garments was neither of the two, but the pooled net: its probe is more than five points ahead of the other two, and its convolutions do not lead into a dense layer that has to learn every place by itself. (Three cautions. All heads are drawn alike, as `nn.Linear` does it; when the nets from scratch alone had He's larger draw, as we first had it, some of these differences came out two points smaller or larger. Four draws share each teacher, so twelve draws are not quite twelve independent experiments: differences of many points survive that, differences of one or two may not. And about half of the dials in the table above lie at the edge of their grid, so the contenders are tuned within it, no further.)

# %% [markdown]
# ## How many layers?
#
# Yosinski, Clune, Bengio and Lipson (2014) cut nets into pieces: reuse the first $k$ layers of a teacher, let the layers above begin afresh, train on the new task. They found the first layers general and the later ones ever more specific to the old task. The rule of thumb that came of it: *the more alike the tasks, the more layers to reuse*. Let us see whether it holds here, with two targets in each of the two worlds:
#
# - **near**: T-shirt against pullover, more garments;
# - **far**: handwritten digits, fours against nines. The same size of picture, the same black ground, and nothing else in common with trousers and shoes.
#
# The first $k$ layers of the convolutional teacher of that world are borrowed and frozen, those above are fresh and trained on 20 pictures; $k=0$ is from scratch, $k=4$ a frozen body with a new head. Rate and steps are tuned for each $k$, on two draws; then come 12 fresh ones.
#
# **Predict, then run.** Four curves over $k = 0, \dots, 4$. For which of them is $k=4$ the best choice, and for which the worst?


# %%
digits = lab.mnist().to(device)
TARGETS = {
    (world, name): TASKS[f"easy pair, {world}"]
    if name == "garments (near)"
    else task(digits, (4, 9), world)
    for world in WORLDS
    for name in ("garments (near)", "digits (far)")
}


def reuse_first(seed, target, k, dial, part="valid", looks=LOOKS):
    """Freeze the first k layers of a teacher; train fresh ones above them on 20 pictures."""
    x, y = draw(TARGETS[target], 20, seed)
    judge, truth = getattr(TARGETS[target], part)[:]
    torch.manual_seed(seed)
    fresh, cut = conv(1)[ENDS["conv"][k] :], ENDS["conv"][k]
    with torch.no_grad():
        below = teachers[target[0], "conv"][seed % N_TEACHERS][:cut]
        x, judge = below(x), below(judge)
    return train(fresh, x, y, fresh.parameters(), dial, looks, judge, truth)


grid = {
    "target": list(TARGETS),
    "k": range(5),
    "dial": budget((1e-3, 3e-3, 1e-2), fast=(3e-3,)),
}
tried = lab.sweep(reuse_first, grid, TUNING[:2])
cuts = lab.best(tried, ["target", "k"], "accuracy", over=["dial", "steps"])
by_k = pd.concat(
    [
        lab.repeat(
            lambda seed, c=c: reuse_first(seed, c.target, c.k, c.dial, "test", (c.steps,)),
            range(N_DRAWS),
        ).assign(world=c.target[0], target=c.target[1], k=c.k)
        for c in cuts.itertuples()
    ],
    ignore_index=True,
)
k_gains = pd.concat(
    [
        lab.paired_difference(group, "k", "accuracy", 0).assign(world=world, target=target)
        for (world, target), group in by_k.groupby(["world", "target"], sort=False)
    ]
)
k_gains.assign(points=k_gains.apply(in_words, axis=1)).pivot(
    index=["world", "target"], columns="k", values="points"
)

# %%
fig, axes = lab.figure(1, 2, height=3.0)
for ax, (world, group) in zip(axes, by_k.groupby("world", sort=False), strict=True):
    group = group.assign(percent=100 * group.accuracy)
    lab.band(group, "k", "percent", "target", ax=ax, legend=False)
    ax.set(xlabel="layers reused (of 4)", ylabel="test accuracy (%)", title=world)
    ax.set_xticks(range(5))
axes[1].legend(fontsize=9, handlelength=3, loc="upper left")
lab.show(
    fig,
    alt="Test accuracy against the number of layers that are reused, with 95 % bands, for garments and digits. Centred: the line "
    "of the garments is nearly flat and bends down at the end, that of the digits falls. Scattered: both dip at one layer, then "
    "rise, and are highest with all four.",
)

# %% [markdown]
# Centred, the rule of thumb holds. The near task can take up to three layers and lose nothing that we could see; the fourth costs two points. The far task loses with the second and the third layer already, four or five points; with all four it is nearly 13 points worse than from scratch.
#
# Scattered, the rule fails, on the same digits. A net from scratch can hardly tell a four from a nine: 55 %. The first reused layer alone does not help, not even the garments; but with all four the digits gain about 7 points and the garments about 10, and $k=4$ is the best choice for both, though those layers were trained for nothing but garments. What they know about places seems to be true for digits as well.
#
# So likeness is not the question. The question is: **what does the new task need, can its few labels teach it, and in which layer is it?**

# %% [markdown]
# ## How alike are two layers?
#
# Lower layers are said to serve all tasks. Why should they? Perhaps because any net that looks at pictures learns much the same there. To ask that, we must compare layers of *different nets*. Their units stand in no common order: unit 7 of one net may do what unit 31 of another does, or what three of them do together. So compare not the units but what the layer makes of the *inputs*: which pictures it takes for alike.
#
# **Centred kernel alignment** (Kornblith, Norouzi, Lee and Hinton, 2019) does that. It cares neither for the order of the units, nor for a rotation of the whole feature space, nor for its scale.

# %% [markdown] role="card" exercise="linear_cka" level=2 minutes=12 topic="Similarity of features" doc="https://docs.pytorch.org/docs/stable/generated/torch.linalg.matrix_norm.html"
# ### Linear CKA
#
# $X$ ($n\times d_1$) and $Y$ ($n\times d_2$) hold two nets' features of the same $n$ inputs, one row an input. Subtract from each column its mean, and return
#
# $$\mathrm{CKA}(X, Y) = \frac{\lVert Y^\top X\rVert_F^2}{\lVert X^\top X\rVert_F\,\lVert Y^\top Y\rVert_F}$$
#
# as a Python float; $\lVert\cdot\rVert_F$ is the Frobenius norm, the root of the sum of all squares. It lies between 0 and 1.
#
# - Leave both arguments as they are. They may have different widths and dtypes.
# - Compute in float64. Where one of the two, or both, are constant (after centring all zeros, up to rounding), nothing varies that could be similar: return `0.0` where the denominator is below $10^{-20}$. Features that are merely small, of size $10^{-4}$ say, are far from that.


# %% role="stub" exercise="linear_cka"
def linear_cka(x: torch.Tensor, y: torch.Tensor) -> float:
    """Linear centred kernel alignment (Kornblith et al., 2019) of two sets of features.

    Args:
        x: (n, d1), floating point, n ≥ 2.
        y: (n, d2), the features of the same inputs in the same order.

    Returns:
        A number from 0 (nothing in common) to 1 (equal up to rotation and scale).
    """
    ### BEGIN SOLUTION
    x, y = (f.detach().double() - f.detach().double().mean(0) for f in (x, y))
    norms = torch.linalg.norm(x.T @ x) * torch.linalg.norm(y.T @ y)
    if norms < 1e-20:
        return 0.0
    return (torch.linalg.norm(y.T @ x).square() / norms).item()
    ### END SOLUTION


# %% role="check" exercise="linear_cka"
with Check("linear_cka") as check:
    # Columns that are centred and at right angles make the sums easy.
    a = torch.tensor([1.0, 1.0, -1.0, -1.0])
    b = torch.tensor([1.0, -1.0, 1.0, -1.0])
    c = torch.tensor([1.0, -1.0, -1.0, 1.0])
    x = torch.stack([a, b], 1)
    with check.case("features compared with themselves"):
        same = linear_cka(x, x)
    check.is_a(same, float, "Return a Python float: `.item()` makes one of a tensor.")
    check.close(
        same,
        1.0,
        "Features are equal to themselves: CKA 1.",
        known=[
            (math.sqrt(2) / 8, "The numerator should be squared."),
            (1 / 32, "The norms in the denominator should not be squared."),
            (0.5, "Take the Frobenius norm of XᵀX in the denominator, not its trace."),
        ],
    )
    # ‖YᵀX‖² = 16 for the shared column; ‖XᵀX‖ = 4√2, ‖YᵀY‖ = 4√2.
    y = torch.stack([a, c], 1)
    check.close(
        linear_cka(x, y),
        0.5,
        "Two pairs of columns at right angles that share one: CKA ½.",
        known=[(1 / math.sqrt(2), "There is a square root too many.")],
    )
    # One shared direction of three: 16 / (4 · 4√3).
    with check.case("one column against three"):
        wide = linear_cka(a[:, None], torch.stack([a, b, c], 1))
    check.close(
        wide,
        1 / math.sqrt(3),
        "One column against three of which it is one: CKA 1/√3.",
    )
    check.close(
        linear_cka(x, torch.stack([a + b, a - b], 1)), 1.0, "A rotation should change nothing."
    )
    check.close(linear_cka(x, -7 * x), 1.0, "A common factor should change nothing.")
    check.close(
        linear_cka(x + torch.tensor([3.0, -2.0]), y + 5),
        0.5,
        "Adding a constant to a column should change nothing: subtract the mean of each *column*, for both.",
    )
    # Stretched by 3 along b: ‖YᵀX‖² = 16 + 144, ‖XᵀX‖ = 4√2, ‖YᵀY‖ = 4√82.
    check.close(
        linear_cka(x, torch.stack([a, 3 * b], 1)),
        160 / (16 * math.sqrt(2 * 82)),
        "Stretching one direction should give 0.781.",
        known=[(1.0, "The columns seem to be standardised: subtract their means, no more.")],
    )
    check.close(linear_cka(x, torch.stack([c, c], 1)), 0.0, "Nothing in common: CKA 0.")
    with check.case("constant features"):
        nothing = linear_cka(x, torch.ones(4, 3))
    check.close(
        nothing, 0.0, "Constant features have no similarity to anything: return 0.0, not nan."
    )


# %% [markdown] role="hints" exercise="linear_cka"
# <details><summary>Hint 1: centre</summary>
#
# `x - x.mean(0)`: dimension 0 is the inputs, so each column (each feature) loses its own mean. Do it in float64, for the sums are long.
#
# </details>
# <details><summary>Hint 2: norms</summary>
#
# `torch.linalg.norm(m)` of a matrix is its Frobenius norm. The numerator is the square of one norm, the denominator a product of two.
#
# </details>

# %% role="test" exercise="linear_cka" points=2
# Graded with hidden tests: random features of many shapes against a formula with n × n matrices, and all invariances.
### BEGIN HIDDEN TESTS
with HiddenTest("linear_cka") as test:

    def by_kernels(x, y):
        """The same by the inner products of the samples: tr(KHLH) / √(tr(KHKH) tr(LHLH))."""
        x, y = x.double(), y.double()
        n = len(x)
        h = torch.eye(n, dtype=torch.float64) - 1 / n
        k, m = h @ x @ x.T @ h, h @ y @ y.T @ h
        return float((k * m).sum() / ((k * k).sum() * (m * m).sum()).sqrt())

    for n, d1, d2, dtype, shift in (
        (10, 3, 3, torch.float64, 0.0),
        (50, 4, 7, torch.float32, 2.0),
        (6, 40, 15, torch.float32, -5.0),
        (30, 1, 20, torch.float64, 0.5),
        (200, 8, 8, torch.float32, 30.0),
        (2, 5, 2, torch.float64, 0.0),
    ):
        x = torch.randn(n, d1, dtype=torch.float64)
        mix = torch.randn(d1, d2, dtype=torch.float64)
        y = x @ mix + torch.randn(n, d2, dtype=torch.float64) * 2
        x = (x * torch.linspace(0.5, 2, d1) + shift).to(dtype)
        y = (y - 3 * shift * torch.arange(d2)).to(dtype)
        want = by_kernels(x, y)
        given = x.clone(), y.clone()
        with test.case(f"({n}, {d1}) against ({n}, {d2}) in {dtype}"):
            got = linear_cka(x=given[0], y=given[1])
        test.is_a(got, float, "Return a Python float.")
        test.that(
            torch.equal(given[0], x) and torch.equal(given[1], y), "The arguments were changed."
        )
        test.close(
            got,
            want,
            "The value is off: columns centred in both, numerator squared, Frobenius norms multiplied?",
            rtol=1e-3,
            atol=1e-4,
        )
        test.close(
            linear_cka(given[1], given[0]),
            want,
            "CKA(Y, X) should equal CKA(X, Y).",
            rtol=1e-3,
            atol=1e-4,
        )
        turn = torch.linalg.qr(torch.randn(d2, d2, dtype=torch.float64))[0].to(dtype)
        centred_y = y - y.mean(0)
        test.close(
            linear_cka(x, 0.01 * centred_y @ turn + 4),
            want,
            "Rotating, scaling or shifting all features should change nothing.",
            rtol=1e-3,
            atol=1e-4,
        )
    x = torch.randn(40, 6, dtype=torch.float64)
    stretched = x * torch.tensor([100.0, 1, 1, 1, 1, 1], dtype=torch.float64)
    test.close(
        linear_cka(x, stretched),
        by_kernels(x, stretched),
        "Columns of different size should weigh differently: do not standardise them.",
    )
    test.close(
        linear_cka(x.float(), stretched),
        by_kernels(x, stretched),
        "Features in float32 and float64 should be comparable.",
    )
    order = torch.arange(39, -1, -1)
    test.that(
        linear_cka(x, x[order]) < 0.7,
        "The rows belong together in pairs: features of other inputs should not count as equal.",
    )
    history = x.clone().requires_grad_()
    test.close(linear_cka(history, x), 1.0, "Features with a history should work like others.")
    test.close(linear_cka(1e-4 * x, 1e4 * x), 1.0, "Very small features are still features.")
    for constant in (torch.zeros(40, 3), torch.full((40, 2), 7.0), torch.full((40, 1), 0.1)):
        for pair in ((x, constant), (constant, x), (constant, constant)):
            with test.case("constant features"):
                got = linear_cka(*pair)
            test.is_a(got, (float, int))
            test.close(
                float(got), 0.0, "With constant features 0.0 is wanted, not nan, and not 1."
            )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="linear_cka"
# $XX^\top$ holds the inner products of all pairs of inputs: which inputs a layer takes for alike. Since $\lVert Y^\top X\rVert_F^2 = \mathrm{tr}(XX^\top YY^\top)$, CKA is the cosine of the angle between two such tables, and a rotation of the features, which changes no inner product, cannot change it. It may be computed by $d\times d$ or by $n\times n$ matrices, whichever are smaller. Directions of large variance count most (the numerator is a sum of
# squared covariances), so two nets may agree to 0.95 and differ in just the small direction that a task hangs on. With few inputs and many features CKA is too high by chance; take many inputs.

# %% [markdown]
# Now compare, layer by layer, on 600 scattered garments of the three classes that nobody was trained on. Each of our three teachers of garments against (1) the other teachers of garments, trained from other seeds, (2) three nets of the same form that learned the ten *digits*, scattered as well, and (3) three nets that have learned nothing: their weights are as they were drawn.
#
# **Predict, then run.** Draw the three curves from layer 1 to layer 4. Where is the untrained net?


# %%
bodies = teachers["scattered", "conv"]
digit_data = task(digits, range(10), "scattered", budget(10_000, fast=600))
readers = [teach("conv", digit_data, 10, seed)[0] for seed in range(N_TEACHERS)]
torch.manual_seed(0)
untrained = [conv(len(TASK_A)) for _ in range(N_TEACHERS)]
strangers = gather(clothes.test, (0, 2, 6), "scattered", budget(600, fast=100)).images


def cka(x, y):
    """Linear CKA as in the exercise, by the inner products of the pictures."""
    x, y = (f.double() - f.double().mean(0) for f in (x, y))
    k, m = x @ x.T, y @ y.T
    return ((k * m).sum() / ((k * k).sum() * (m * m).sum()).sqrt()).item()


def compare(a, b):
    """CKA of two nets, layer by layer."""
    pair = [features_of(model, "conv", strangers)[1:] for model in (a, b)]
    return [cka(x, y) for x, y in zip(*pair, strict=True)]


others = {"garments, other seed": bodies, "digits": readers, "untrained": untrained}
alike = pd.DataFrame(
    [
        {"against": name, "pair": f"{i}-{k}", "layer": layer, "CKA": value}
        for name, nets in others.items()
        for i, body in enumerate(bodies)
        for k, net in enumerate(nets)
        if nets is not bodies or i < k or len(bodies) == 1
        for layer, value in enumerate(compare(body, net), start=1)
    ]
)
alike_means = alike.groupby(["against", "layer"], sort=False).CKA.mean()
fig, ax = lab.figure(height=2.9)
for index, (name, group) in enumerate(alike.groupby("against", sort=False)):
    style, pairs = lab.line_style(index), group.groupby("layer").CKA
    ax.plot(pairs.mean(), label=name, markersize=5, **style)
    ax.fill_between(range(1, 5), pairs.min(), pairs.max(), color=style["color"], alpha=0.15)
ax.set(xlabel="layer", ylabel="CKA with a teacher of garments", ylim=(0.6, 1.02))
ax.set_xticks(range(1, 5))
ax.legend(title="against", fontsize=9, handlelength=3, loc="lower left")
lab.show(
    fig,
    alt="CKA of teachers of garments with other nets, layer by layer: lines for the means over pairs of nets, shades from the least "
    "alike pair to the most alike one. All three lines begin near 1, lie close together up to the third layer and part in the fourth: "
    "other teachers at 0.88 in a narrow band, digits at 0.81 and untrained nets at 0.77 in wide bands that overlap.",
)
ranges = alike.groupby(["against", "layer"], sort=False).CKA.agg(["mean", "min", "max"])
told = [f"{mean:.2f} ({low:.2f} to {high:.2f})" for mean, low, high in ranges.to_numpy()]
pd.Series(told, ranges.index).unstack("layer")

# %%
with needs("linear_cka", "extract_features"):
    names = [str(end - 1) for end in ENDS["conv"][1:]]
    mine, other = (extract_features(net, strangers, names) for net in (bodies[0], readers[0]))
    print("by your own functions:", {n: round(linear_cka(mine[n], other[n]), 2) for n in names})

# %% [markdown]
# All curves begin close to 1 and fall. If we had drawn the first two only, up to the third layer, we would have a pretty story: "the lower layers are general, all nets learn much the same there, whether garments or digits". The third curve spoils it. In the first two layers a net that has learned *nothing* is as similar to a teacher as the others are, to 0.01, and in the third layer it is 0.04 less similar than another teacher, as the nets of the digits are too. In the first layers that is no wonder: a handful of small filters, whatever they are, keep most of what is in the picture, and so which pictures are alike hardly changes. What learning made alike is at most what lies *between* the curve of the other teachers and that of the untrained nets. It shows in the last layer: 0.88 against 0.77, and the ranges do not touch. And the digits? In the last layer their pairs reach from 0.76, less than an untrained net has on average, to 0.89, as much as two teachers of garments have. Whoever compares a single pair can tell either story.
#
# The moral is not that CKA is useless. It is that a similarity needs a **baseline**, as an accuracy does, and that similar is not the same as useful. To know what a layer is good for, probe it.

# %% [markdown]
# ## The same thing in other numbers
#
# A teacher has expectations: pictures of a certain size, on a certain scale, dark on light or light on dark. Who gives it others gets an answer all the same; nothing raises an error. How much does it cost? Take the pooled teacher of the scattered garments, which keeps one number of each channel and thus accepts pictures of *any* size, and a probe for the easy pair from 20 pictures. The pictures are changed in one way or another: **always**, in training the probe and in use, or **only in use**, as when the probe was trained carefully and the camera's software is not.
#
# **Predict, then run.** Which change costs most? Is there one that costs nothing?


# %%
CHANGES = {
    "as the teacher knows them": lambda x: x,
    "0 to 255 instead of 0 to 1": lambda x: 255 * x,
    "standardised": lambda x: (x - 0.286) / 0.353,
    "dark on a white ground": lambda x: 1 - x,
    "56 × 56 pixels": lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"),
    "14 × 14 pixels": lambda x: F.interpolate(
        x, size=(14, 14), mode="bilinear", antialias=True
    ),
}


@torch.no_grad()
def changed(seeds, l2=0.1):
    """Accuracy of a probe when the pictures are changed always, or only in use."""
    pair, rows = TASKS["easy pair, scattered"], []
    judge, truth = pair.test[:]
    for k, teacher in enumerate(teachers["scattered", "pooled"]):
        body = teacher[:-1]
        known = {name: body(change(judge)) for name, change in CHANGES.items()}
        for seed in (s for s in seeds if s % N_TEACHERS == k):
            x, y = draw(pair, 20, seed)
            for name, change in CHANGES.items():
                for when in ("always", "only in use"):
                    f = body(change(x) if when == "always" else x)
                    acc = probe_accuracy(f, y, known[name], truth, l2)
                    rows.append({"seed": seed, "change": name, "when": when, "accuracy": acc})
    return pd.DataFrame(rows)


changes = changed(range(N_DRAWS))
change_means = changes.groupby(["change", "when"], sort=False).accuracy.mean()
change_means.unstack("when").round(3)

# %% [markdown]
# A common factor costs nothing *if it is always there*: the probe makes up for it. A shift of the ground is another matter. With a white ground every border has its contrast reversed, and other filters answer than in the teacher's school. Besides, convolutions pad the frame with zeros: on a black ground nobody sees that, on a white one each picture gets a border of its own, and the largest answer of a channel may well come from there. Standardising moves the ground too, to −0.8, and costs ten points. Another size shows the filters borders at other distances. And whatever the change is, it costs most when it comes as a surprise: the probe then gets features it has never seen, and answers all the same.
#
# That is what **similar sizes and similar domains** mean in practice: before you ask how many layers to reuse, bring the new pictures to the old size, scale and ground. It is cheaper than any training.

# %% [markdown]
# ## A teacher of a thousand classes
#
# So far our teachers were small, and their school was short. A **ResNet-18** (He, Zhang, Ren and Sun, 2016) with 11.7 million weights, trained on the 1.28 million colour photographs of ImageNet, comes with torchvision in one line. With it comes what it is used to: `weights.transforms()` resizes the shorter side to 256 pixels, cuts 224 × 224 out of the middle, divides by 255, and normalises each channel with ImageNet's mean and standard deviation. **These numbers belong to the weights, not to your data.** Other weights of the same net may have others.
#
# Our garments are grey, 28 × 28, and light on a black ground: other channels, another size, other means than it is used to. Here is the tool that sees to the form; it cannot turn a garment into a photograph.

# %% [markdown] role="card" exercise="adapt_input" level=2 minutes=10 topic="Pretrained networks" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.interpolate.html"
# ### Give a network what it is used to
#
# `images` is a batch of **uint8** pixels 0 to 255, grey $(n, h, w)$ or $(n, 1, h, w)$, or colour $(n, 3, h, w)$. Return a float32 batch $(n, 3, s, s)$ with $s$ = `size`, made like this:
#
# 1. divide by 255,
# 2. repeat a grey channel three times,
# 3. bring it to $s\times s$ with `F.interpolate`, bilinear and with `antialias=True` (without it, a picture that shrinks is sampled here and there instead of averaged; the picture may be stretched, nothing is cut off),
# 4. subtract `mean[c]` from channel $c$ and divide by `std[c]`; both are sequences of three numbers.
#
# `images` stays as it is; the result is on its device.


# %% role="stub" exercise="adapt_input"
def adapt_input(
    images: torch.Tensor, size: int, mean: tuple[float, ...], std: tuple[float, ...]
) -> torch.Tensor:
    """A batch of pictures in the form that a pretrained colour network expects.

    Args:
        images: uint8, (n, h, w), (n, 1, h, w) or (n, 3, h, w).
        size: height and width of the result, in pixels.
        mean: three numbers on the scale 0..1, one a channel.
        std: likewise.

    Returns:
        float32, (n, 3, size, size).
    """
    ### BEGIN SOLUTION
    x = images.float() / 255
    if x.dim() == 3:
        x = x.unsqueeze(1)
    x = x.expand(-1, 3, -1, -1)
    x = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    mean, std = (torch.tensor(v, device=x.device).reshape(3, 1, 1) for v in (mean, std))
    return (x - mean) / std
    ### END SOLUTION


# %% role="check" exercise="adapt_input"
with Check("adapt_input") as check:
    mean, std = (0.4, 0.2, 0.0), (0.5, 0.25, 1.0)
    white = torch.full((2, 6, 6), 255, dtype=torch.uint8)
    with check.case("two white grey pictures (2, 6, 6), size=3"):
        out = adapt_input(white, 3, mean, std)
    check.is_a(out, torch.Tensor)
    check.shape(out, (2, 3, 3, 3), "A grey channel is repeated three times.")
    check.that(
        out.dtype == torch.float32, f"The result should be float32, but it is {out.dtype}."
    )
    check.close(
        out[0, :, 1, 1],
        torch.tensor([1.2, 3.2, 1.0]),
        "White, which is 1 after the division, should become (1 − mean) / std in each channel: 1.2, 3.2 and 1.",
        known=[
            (torch.tensor([509.2, 1019.2, 255.0]), "The pixels have not been divided by 255."),
            (
                torch.tensor([1 / 255 - 0.4, 1 / 255 - 0.2, 1 / 255])
                / torch.tensor([0.5, 0.25, 1]),
                "The pixels have been divided by 255 twice.",
            ),
            (
                torch.tensor([3.2, 3.2, 3.2]),
                "Each channel has the mean and std of the middle column: numbers of shape (3,) go along the *width*. "
                "Reshape them to (3, 1, 1).",
            ),
            (torch.tensor([1.6, 3.8, 1.0]), "Subtract the mean first, then divide."),
            (torch.ones(3), "Mean and std have not been applied."),
        ],
    )
    check.that(
        white.dtype == torch.uint8 and bool((white == 255).all()), "The pictures were changed."
    )
    # Columns of black and white in turn: averaged, they are grey.
    stripes = torch.zeros(1, 1, 15, 15, dtype=torch.uint8)
    stripes[..., ::2] = 200
    with check.case("stripes (1, 1, 15, 15), size=3"):
        out = adapt_input(stripes, 3, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
    check.shape(out, (1, 3, 3, 3))
    check.that(
        (out - 100 / 255).abs().max() < 0.05,
        "Fine stripes, shrunk five times, should come out grey: is `antialias=True` set, and the mode bilinear?",
    )
    colour = torch.zeros(1, 3, 4, 4, dtype=torch.uint8)
    colour[:, 0], colour[:, 2] = 255, 51
    with check.case("a colour picture (1, 3, 4, 4), size=8"):
        out = adapt_input(colour, 8, mean, std)
    check.shape(out, (1, 3, 8, 8), "A picture in colour keeps its three channels.")
    check.close(
        out[0, :, 0, 0],
        torch.tensor([1.2, -0.8, 0.2]),
        "A colour picture has its channels mixed up, or mean and std on the wrong ones.",
        known=[(torch.tensor([-0.4, -0.8, 1.0]), "Red and blue are exchanged.")],
    )


# %% [markdown] role="hints" exercise="adapt_input"
# <details><summary>Hint 1: channels</summary>
#
# `images.dim() == 3` means that there is no channel axis; `unsqueeze(1)` makes one. Then `x.expand(-1, 3, -1, -1)` turns one channel into three and leaves three as they are.
#
# </details>
# <details><summary>Hint 2: mean and std</summary>
#
# Broadcasting lines shapes up from the right, so a tensor of shape (3,) meets the *width*. As (3, 1, 1) it meets the channels.
#
# </details>
# <details><summary>Hint 3: resizing</summary>
#
# `F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)`; it wants floats with a channel axis.
#
# </details>

# %% role="test" exercise="adapt_input" points=2
# Graded with hidden tests: grey and colour, up and down, non-square pictures, batches of three, channels that differ.
### BEGIN HIDDEN TESTS
with HiddenTest("adapt_input") as test:

    def overlap(n_in, n_out):
        """The (n_out, n_in) matrix of bilinear resizing along one axis; a triangle as wide as the step when it shrinks."""
        scale = n_in / n_out
        reach = max(scale, 1.0)
        centres = (torch.arange(n_out, dtype=torch.float64) + 0.5) * scale
        places = torch.arange(n_in, dtype=torch.float64) + 0.5
        weights = (1 - (places - centres[:, None]).abs() / reach).clamp(min=0)
        return weights / weights.sum(1, keepdim=True)

    def by_matrices(images, size, mean, std):
        x = images.double() / 255
        x = x[:, None] if x.dim() == 3 else x
        rows, columns = overlap(x.shape[-2], size), overlap(x.shape[-1], size)
        x = torch.einsum("ih,nchw,jw->ncij", rows, x, columns)
        return torch.stack(
            [(x[:, c % x.shape[1]] - mean[c]) / std[c] for c in range(3)], 1
        ).float()

    imagenet = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    for shape, size, (mean, std) in (
        ((3, 9, 9), 3, imagenet),
        ((3, 1, 5, 7), 3, imagenet),
        ((2, 3, 12, 8), 4, ((0.1, 0.5, 0.9), (1.0, 0.5, 0.2))),
        ((1, 28, 28), 32, imagenet),
        ((4, 3, 6, 6), 6, imagenet),
        ((3, 3, 3, 3), 3, ((0.0, 0.3, 0.6), (0.2, 0.4, 0.8))),
        ((3, 3, 20), 10, imagenet),
    ):
        images = torch.randint(0, 256, shape, dtype=torch.uint8)
        want = by_matrices(images, size, mean, std)
        given = images.clone()
        with test.case(f"pictures {shape}, size {size}"):
            out = adapt_input(images=given, size=size, mean=mean, std=std)
        test.is_a(out, torch.Tensor)
        test.shape(out, (shape[0], 3, size, size))
        test.that(out.dtype == torch.float32, "The result should be float32.")
        test.that(torch.equal(given, images), "The pictures were changed.")
        test.close(
            out,
            want,
            "The values are off: divided by 255, three channels, bilinear with antialias, mean and std of the "
            "*channel*?",
            rtol=1e-3,
            atol=2e-3,
        )
    listed = adapt_input(
        torch.zeros(1, 2, 2, dtype=torch.uint8), 2, [0.5, 0.25, 0.0], [1, 2, 4]
    )
    test.close(
        listed[0, :, 0, 0],
        torch.tensor([-0.5, -0.125, 0.0]),
        "Lists, and whole numbers in them, should do for mean and std.",
    )
    out = adapt_input(torch.zeros(2, 4, 4, dtype=torch.uint8), 4, *imagenet)
    out[0, 0] += 1  # who gets this batch may write into it
    test.that(
        not torch.equal(out[0, 0], out[0, 1]),
        "The three channels share one memory: writing into one changes the others.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="adapt_input"
# A network is a function of *numbers*, and its weights were fitted to numbers of a certain range, at a certain size of things. Resizing and normalising are both linear in the pixels and each row of the resizing weights sums to one, so their order does not matter, except for rounding: who resizes in uint8 rounds to whole grey values first. What does matter is the broadcast. A mean of shape (3,) is subtracted from the *columns*: at a width of 3 that raises no error and is wrong, and at most other widths you are lucky and get one. `(3, 1, 1)` is right at every width. (`weights.transforms()` of torchvision does all this, with a centre crop besides.)

# %% [markdown]
# Then the head. ImageNet's has a thousand outputs for a thousand classes; ours needs one.

# %% [markdown] role="card" exercise="replace_head_" level=2 minutes=10 topic="Pretrained networks" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.named_modules"
# ### A new head, wherever the old one hangs
#
# In a ResNet the head is `model.fc`, in a VGG `model.classifier[6]`, in a vision transformer `model.heads.head`. Write one function for all of them. Take the **last `nn.Linear`** in the order of `model.named_modules()` for the head (one of a subclass counts, too), and, in place,
#
# - put a new `nn.Linear` with a bias and `n_outputs` outputs where it was, with as many inputs, freshly initialised, in the old one's dtype and on its device,
# - freeze everything else: only the new head's parameters have `requires_grad=True`.
#
# Return the model. Raise a `ValueError` if it contains no `nn.Linear`, or is one itself, since then there is no place to put the new one into; in that case leave it as it is.


# %% role="stub" exercise="replace_head_"
def replace_head_(model: nn.Module, n_outputs: int) -> nn.Module:
    """Replace the last linear layer of a model by a fresh one, and freeze the rest.

    Args:
        model: holds at least one nn.Linear, at any depth; changed in place.
        n_outputs: outputs of the new head.

    Returns:
        The same model.

    Raises:
        ValueError: if the model holds no nn.Linear, or is one.
    """
    ### BEGIN SOLUTION
    names = [name for name, m in model.named_modules() if isinstance(m, nn.Linear)]
    if not names or names[-1] == "":
        raise ValueError(f"No linear layer to replace in {type(model).__name__}.")
    path, _, attribute = names[-1].rpartition(".")
    old = model.get_submodule(names[-1])
    model.requires_grad_(False)
    head = nn.Linear(
        old.in_features, n_outputs, device=old.weight.device, dtype=old.weight.dtype
    )
    setattr(model.get_submodule(path), attribute, head)
    return model
    ### END SOLUTION


# %% role="check" exercise="replace_head_"
with Check("replace_head_") as check:

    class Photo(nn.Module):
        """A net whose head is an attribute, as in ResNets."""

        def __init__(self):
            super().__init__()
            self.body = nn.Sequential(nn.Linear(4, 6), nn.ReLU(), nn.BatchNorm1d(6))
            self.fc = nn.Linear(6, 10)

        def forward(self, x):
            return self.fc(self.body(x))

    model = Photo()
    old, first = model.fc, model.body[0].weight.detach().clone()
    with check.case("a net with the head `fc`, n_outputs=3"):
        same = replace_head_(model, 3)
    check.is_a(same, nn.Module)
    check.that(same is model, "Change the model in place, and return that same model.")
    check.that(model.fc is not old, "`model.fc` is still the old head.")
    check.is_a(model.fc, nn.Linear, "The new head should be an nn.Linear.")
    check.that(
        (model.fc.in_features, model.fc.out_features) == (6, 3),
        f"The head should be Linear(6, 3), but it is Linear({model.fc.in_features}, {model.fc.out_features}).",
    )
    check.that(
        all(p.requires_grad for p in model.fc.parameters()),
        "The new head is frozen: freeze first, then put the head in.",
    )
    check.that(
        not any(p.requires_grad for p in model.body.parameters()),
        "The rest should be frozen, the batch normalisation's parameters too.",
    )
    check.that(
        torch.equal(model.body[0].weight, first),
        "The weights of the body have changed.",
    )
    deep = nn.Sequential(
        nn.Linear(2, 5), nn.Sequential(nn.ReLU(), nn.Sequential(nn.Linear(5, 4), nn.Dropout()))
    )
    with check.case('a net whose head has the name "1.1.0" and is not its last module'):
        replace_head_(deep, 7)
    check.that(
        len(list(deep.modules())) == 7 and isinstance(deep[1][1][0], nn.Linear),
        'The new head should stand where the old one stood, at "1.1.0". (setattr takes one name, not a path: find the '
        "parent first.)",
    )
    check.that(
        deep[1][1][0].out_features == 7 and deep[0].out_features == 5,
        "The *last* nn.Linear is the head, however deep it lies.",
    )
    check.shape(deep.eval()(torch.randn(3, 2)), (3, 7))
    for bad, what in ((nn.Sequential(nn.ReLU()), "no linear layer"), (nn.Linear(2, 3), "the model is one")):  # fmt: skip
        refused = False
        with check.case(what):
            try:
                replace_head_(bad, 2)
            except ValueError:
                refused = True
        check.that(refused, f"A ValueError is wanted here: {what}.")


# %% [markdown] role="hints" exercise="replace_head_"
# <details><summary>Hint 1: find it</summary>
#
# `[name for name, m in model.named_modules() if isinstance(m, nn.Linear)][-1]`. The model itself has the name `""`.
#
# </details>
# <details><summary>Hint 2: put it in</summary>
#
# `"classifier.6".rpartition(".")` gives `("classifier", ".", "6")`, and `"fc"` gives `("", "", "fc")`. `model.get_submodule("")` is the model. `setattr(parent, "6", head)` works for the children of a Sequential too.
#
# </details>
# <details><summary>Hint 3: freeze</summary>
#
# `model.requires_grad_(False)` freezes all there is. What comes in afterwards is trainable.
#
# </details>

# %% role="test" exercise="replace_head_" points=2
# Graded with hidden tests: nets built like VGG, ResNet and a transformer, dtypes, no bias, what stays, what trains.
### BEGIN HIDDEN TESTS
with HiddenTest("replace_head_") as test:

    class Vision(nn.Module):
        """Names as in torchvision's transformer; a linear layer is registered after the trunk, the head within."""

        def __init__(self):
            super().__init__()
            self.trunk = nn.ModuleList(
                [nn.Linear(5, 5), nn.LayerNorm(5), nn.Linear(5, 9), nn.Linear(9, 5)]
            )
            self.heads = nn.Sequential()
            self.heads.add_module("head", nn.Linear(5, 8, bias=False))
            self.scale = nn.Parameter(torch.ones(1))

        def forward(self, x):
            for layer in self.trunk:
                x = layer(x)
            return self.heads(self.scale * x)

    def vgg():
        return nn.Sequential(
            nn.Conv2d(1, 4, 3),
            nn.BatchNorm2d(4),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Sequential(
                nn.Linear(4, 6), nn.ReLU(), nn.Dropout(), nn.Linear(6, 3), nn.Softplus()
            ),
        )

    class Twin(nn.Linear):
        """A kind of nn.Linear is an nn.Linear."""

    for build, name, x, n_outputs, dtype in (
        (vgg, "4.3", torch.randn(3, 1, 5, 5), 2, torch.float32),
        (Vision, "heads.head", torch.randn(4, 5), 1, torch.float64),
        (lambda: nn.Sequential(nn.Linear(3, 3), Twin(3, 4)), "1", torch.randn(2, 3), 4, torch.float32),
        (lambda: nn.Sequential(nn.Sequential(nn.Linear(3, 2))), "0.0", torch.randn(2, 3), 5, torch.float64),
    ):  # fmt: skip
        model = build().to(dtype)
        next(model.parameters()).requires_grad_(False)
        old = model.get_submodule(name)
        nn.init.constant_(old.weight, 5.0)
        inputs = old.in_features
        before = copy.deepcopy(model.state_dict())
        structure = [n for n, _ in model.named_modules()]
        training = [m.training for m in model.eval().modules()]
        with test.case(f"the head {name!r}, n_outputs={n_outputs}, {dtype}"):
            result = replace_head_(model=model, n_outputs=n_outputs)
        test.that(result is model, "Return the model that was given, changed in place.")
        test.that(
            [n for n, _ in model.named_modules()] == structure,
            "The new head should stand exactly where the old one stood, and everything else stay in its place.",
        )
        head = model.get_submodule(name)
        test.that(
            head is not old,
            "The head was not replaced by a new layer: the *last* nn.Linear is meant, however deep it lies.",
        )
        test.is_a(head, nn.Linear)
        test.shape(head.weight, (n_outputs, inputs))
        test.that(head.bias is not None, "The new head should have a bias.")
        test.that(
            head.weight.dtype == dtype and head.bias.dtype == dtype,
            "The new head should have the dtype of the old one.",
        )
        bound = 1 / math.sqrt(inputs)
        test.that(
            head.weight.abs().max() <= bound + 1e-6 and head.weight.abs().max() > 0,
            "The new head should be freshly initialised, as nn.Linear does it.",
        )
        flags = {n for n, p in model.named_parameters() if p.requires_grad}
        test.that(
            flags == {f"{name}.weight", f"{name}.bias"},
            "Exactly the new head's weight and bias should be trainable, and all other parameters frozen.",
        )
        test.that(
            all(torch.equal(v, before[k]) for k, v in model.state_dict().items() if not k.startswith(name)),
            "Other parameters or buffers have changed.",
        )  # fmt: skip
        test.that(
            training[0] == model.training and not model.training,
            "The mode of the model has changed: leave it.",
        )
        out = model(x.to(dtype))
        test.that(out.shape[-1] == n_outputs, "The model does not use its new head.")
        out.sum().backward()
        test.that(
            head.weight.grad is not None
            and all(
                p.grad is None for n, p in model.named_parameters() if not n.startswith(name)
            ),
            "After a backward pass exactly the new head should have gradients.",
        )
    first, second = (
        replace_head_(nn.Sequential(nn.Linear(50, 9)), 9)[0].weight for _ in range(2)
    )
    test.that(not torch.equal(first, second), "Two new heads are equal: set no seed.")
    for bad in (nn.Linear(3, 2), nn.Sequential(nn.Conv2d(1, 1, 1), nn.ReLU()), nn.ReLU()):
        flags = [p.requires_grad for p in bad.parameters()]
        refused = False
        with test.case("a model without a place for a head"):
            try:
                replace_head_(bad, 4)
            except ValueError:
                refused = True
        test.that(
            refused, "A ValueError is wanted where no nn.Linear is held, or the model is one."
        )
        test.that(
            flags == [p.requires_grad for p in bad.parameters()],
            "Where a ValueError is raised the model should be left as it was: look first, then freeze.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="replace_head_"
# Modules form a tree, and a layer does not know its parent; so one goes by the *name*, which is a path. The order decides twice. Look before you freeze, or a refusal leaves a frozen model behind. Freeze before you put the head in, or the head is frozen with the rest, nothing learns, and autograd complains that no tensor requires a gradient. A net with two outputs (detectors, or Inception with its auxiliary classifier) needs a closer look: "the last linear layer" is a rule of thumb, and `model.fc = nn.Linear(...)`
# with the eyes open is the safer line where you know the model.

# %% [markdown]
# Now fetch it: 45 MB, once. Where the weights cannot be had, the cell says so in one line, and an untrained ResNet takes their place, so that everything below still runs. (Torchvision is imported through the toolkit, which helps it over a missing extension.)

# %%
import contextlib
import io
import os
import socket
from pathlib import Path

models = lab.import_torchvision().models
weights = models.ResNet18_Weights.IMAGENET1K_V1


def pretrained_resnet(timeout=5.0):
    """ResNet-18 with ImageNet's weights, or None and a line that says why."""
    file = Path(torch.hub.get_dir(), "checkpoints", weights.url.rpartition("/")[2])
    offline = lab.is_fast() or os.environ.get("TRAINLAB_OFFLINE", "0") not in ("", "0")
    before = socket.getdefaulttimeout()
    try:
        if offline and not file.is_file():
            raise OSError("fast and offline mode download nothing")
        socket.setdefaulttimeout(timeout)  # torch sets none, and a silent server would hang
        with contextlib.redirect_stdout(io.StringIO()):  # it would print where it downloads to
            return models.resnet18(weights=weights, progress=False).to(device).eval()
    except Exception as error:  # whatever the network does, the lesson goes on
        reason = f"{type(error).__name__}: {error}"
        print(f"NOTE: no pretrained weights here ({reason[:90]}). The lesson goes on without.")
        return None
    finally:
        socket.setdefaulttimeout(before)


resnet = pretrained_resnet()
torch.manual_seed(0)
blank = models.resnet18(weights=None).to(device).eval()
print(weights.transforms())

# %% [markdown]
# With your three tools the whole recipe is a few lines: adapt the pictures, read the features, exchange the head. Watch the *features behind the first batch normalisation*, `bn1`. The ReLU that follows works in place. What does a hook see that keeps no copy?

# %%
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
anyone = resnet if resnet is not None else blank
raw = clothes.valid.images[:4]

with needs("adapt_input", "extract_features"):
    batch = adapt_input(raw, 96, *IMAGENET)
    print(
        f"pictures {tuple(raw.shape)} {raw.dtype} -> batch {tuple(batch.shape)} {batch.dtype}"
    )
    for name, f in extract_features(
        anyone, batch, ["bn1", "layer1", "layer4", "avgpool"]
    ).items():
        print(
            f"{name:8} {f.shape[1]:7,} numbers a picture, {(f < 0).float().mean():.0%} negative"
        )
    careless = {}
    listener = anyone.bn1.register_forward_hook(lambda m, i, out: careless.update(bn1=out))
    with torch.no_grad():
        anyone(batch)
    listener.remove()
    print(f"bn1, no copy kept: {(careless['bn1'] < 0).float().mean():.0%} negative")

with needs("replace_head_"):
    mine = replace_head_(copy.deepcopy(anyone), 1)
    counts = [
        sum(p.numel() for p in mine.parameters() if p.requires_grad is flag)
        for flag in (True, False)
    ]
    print(f"new head: {counts[0]:,} weights to train, {counts[1]:,} frozen")

# %% [markdown]
# (For a frozen body remember the last lesson: its batch normalisations have to stay in evaluation mode as well, or they forget ImageNet's statistics for those of your twenty pictures.)
#
# And what is it worth? A probe on its 512 last features against one on the pixels, one on our small teacher, and one on a ResNet that has learned nothing, for both pairs, 20 labels. To spare time the pictures are brought to 96 × 96 only, the draws come from a pool of 100 pictures (so they overlap, and the intervals are a little too narrow), and $\lambda = 0.1$ for all.


# %%
def to_imagenet(x, size=96):
    """Grey pictures (n, 1, h, w) from 0 to 1 as ImageNet's nets want them."""
    x = F.interpolate(x.expand(-1, 3, -1, -1), (size, size), mode="bilinear", antialias=True)
    shift, spread = (torch.tensor(v, device=x.device)[:, None, None] for v in IMAGENET)
    return (x - shift) / spread


@torch.no_grad()
def last_features(model, x):
    """The 512 numbers in front of a ResNet's head."""
    trunk = nn.Sequential(*list(model.children())[:-1], nn.Flatten())
    return torch.cat([trunk(to_imagenet(part)) for part in x.split(50)])


def resnet_race(which, seeds):
    """Probes on several kinds of features, from 20 of a pool of labelled pictures."""
    pair = TASKS[which]
    pool, labels = draw(pair, budget(100, fast=24), 0)
    judge, truth = (part[: budget(300, fast=40)] for part in pair.test[:])
    small = teachers["centred", "conv"][0][:-1]
    readers = {"pixels": nn.Flatten(), "our teacher": small, "ResNet-18, untrained": blank}
    readers |= {"ResNet-18, ImageNet": resnet} if resnet is not None else {}
    rows, half = [], len(labels) // 2
    for name, model in readers.items():
        with torch.no_grad():
            read = (lambda x, m=model: last_features(m, x)) if "ResNet" in name else model
            known, told = read(pool), read(judge)
        for seed in seeds:
            order = torch.Generator().manual_seed(seed)
            chosen = [k * half + torch.randperm(half, generator=order)[:10] for k in (0, 1)]
            index = torch.cat(chosen).to(device)
            acc = probe_accuracy(known[index], labels[index], told, truth, 0.1)
            rows.append({"task": which, "features": name, "seed": seed, "accuracy": acc})
    return pd.DataFrame(rows)


big = pd.concat(
    [
        resnet_race(which, range(N_DRAWS))
        for which in ("easy pair, centred", "hard pair, centred")
    ],
    ignore_index=True,
)
big_means = lab.summary(big, ["task", "features"], "accuracy")
big_means.round(3)

# %% [markdown]
# What does your machine say? This page was made on one that reaches no network, so of the two ResNets you see only the untrained one above: 11 million weights as they were drawn. It does not even reach the pixels on the easy pair, 84 % against 90 %; on the hard pair, 67 % against 72 %, the intervals overlap. To beat it is the least that one may ask of a pretrained net; the pixels are the higher bar. With ImageNet's weights in place, ask two things of your own numbers. Does the big teacher beat the pixels on the easy pair, where we found that there is nothing to gain? And on the hard pair, where features of buttons and collars are wanted, which a net that knows a thousand kinds of things may well have?

# %% [markdown]
# ## Whose pictures?
#
# A pretrained net is made of other people's pictures, and the line that loads it does not say whose. This course cannot give you legal advice, but it can tell you what to ask.
#
# **Faces are the hard case.** MS-Celeb-1M held about ten million photographs of 100,000 people, collected from the web; journalists and activists were among the "celebrities", and nobody had been asked. Microsoft took it down in 2019. Copies still circulate, and so do the nets that were trained on it. MegaFace took millions of faces out of Flickr albums; the pictures had Creative Commons licences, most of which forbid commercial use, and all of which ask for the photographer to be named.
#
# - **Copyright and privacy are two questions.** A licence says what may be done with the *picture*. It is given by the photographer, and says nothing about the consent of the person *in* it. In the European Union, a face that is processed in order to identify somebody is biometric data, which the GDPR (Article 9) protects specially.
# - **Taking down a data set does not take down its weights.** What was learned stays learned, and some of it can be got out again: recognisers have been inverted into blurred but recognisable faces (Fredrikson, Jha and Ristenpart, 2015), and image generators have been made to repeat single training photographs (Carlini et al., 2023).
# - **Caution costs little.** Yang, Yau, Fei-Fei, Deng and Russakovsky (2022) hid all faces in ImageNet, whose classes hardly ever are people, and trained anew: accuracy fell by a point at most, and the features transferred as well as before.
#
# So before you build on a net: read where its data came from, and the licence of the *weights* besides that of the code. Ask whether those in the pictures could have said no. Prefer data that were given to data that were taken. Blur what you do not need. And do not publish features of faces as if they were harmless numbers: after this lesson you know how much is in them.

# %% [markdown]
# ## Look through a teacher's eyes
#
# Choose a picture and a layer, and see what the channels answer. Which of them find borders, which find surfaces, and from which layer on can you no longer tell? Move to the same garment in the other world: what moves along, and what stays?

# %%
from ipywidgets import Dropdown, IntSlider, interact


@interact(
    index=IntSlider(3, min=0, max=50, continuous_update=False),
    world=Dropdown(options=list(WORLDS)),
    layer=IntSlider(1, min=1, max=3, continuous_update=False),
)
def look(index, world, layer):
    image = TASKS[f"easy pair, {world}"].valid.images[index : index + 1]
    model = teachers[world, "conv"][0]
    with torch.no_grad():
        maps = model[: 2 * layer](image)[0].cpu()
    fig, axes = lab.figure(2, 8, height=0.95)
    loudest = maps.flatten(1).std(1).argsort(descending=True)[:15]
    for ax, picture in zip(axes.flat, [image[0, 0].cpu(), *maps[loudest]], strict=True):
        ax.imshow(picture, cmap="gray_r")
        ax.set(xticks=[], yticks=[])
    axes[0, 0].set_title("picture", fontsize=9)
    lab.show(
        fig,
        alt=f"A picture and the 15 channels of layer {layer} that vary most over it, {world}.",
    )


# %% [markdown] role="question" exercise="what_to_borrow" minutes=10
# ### What to borrow
#
# In your own words, at most twelve sentences. (a) A colleague has 60 labelled microscope pictures of two kinds of cells: grey, 12 bits, 1,000 × 1,000 pixels, cells at any place. She feeds them to a ResNet-18 with ImageNet's weights and a new head, trained frozen, and gets 55 %; logistic regression on the pixels gets 58 %. She concludes that nothing transfers. What would you check first, which layers would you try, and which comparison would convince you?
# (b) Another colleague shows you that the CKA between layer 3 of a pretrained net and layer 3 of the same net after fine-tuning is 0.97, and says that the layer is therefore "equally good for both tasks". Why does that not follow? (c) A gym wants to recognise its members at the door, and proposes a net pretrained on faces from the web, which "are public anyway". What do you ask?

# %% [markdown] role="answer" exercise="what_to_borrow" points=3
# (a) First the input: 12 bits divided by 255 gives numbers up to 16, after the normalisation up to 70, where the net expects about −2 to 2.6; divide by 4,095, repeat the channel, use the mean and standard deviation that belong to the weights. Then the size: squeezed to 224 pixels a cell may be a few pixels wide, so I would cut out patches in which cells are about as large as things in ImageNet. Check that the batch normalisations of the frozen body are in evaluation mode, and that the head can fit its 60 pictures. Cells are far
# from ImageNet, so I would probe every layer and reuse those up to the best one, with fresh layers above, or fine-tune with lower rates below. Convincing is a paired comparison on many splits (cross-validation, for there are only 60) of probe, fine-tuned net, the same net from scratch and the pixels, each tuned on pictures that are not used for the report, with a 95 % interval.
# (b) CKA says that the layer takes the same pictures for alike, weighted by variance: the few large directions dominate. What a task hangs on may be a small direction that changed, or that was never there. Nor does it say anything about quality: two useless layers can have a CKA of 1, and in the lower layers an untrained net comes close to it. A probe for the task answers the question.
# (c) Where do the faces come from, were those people asked, and what do the licences of pictures and weights allow? "Public" means that one may look, not that a face may be turned into a biometric template; the members, too, need to give consent freely, with another way through the door for those who do not. I would ask who stores the features, for how long, what happens at a mistake, for whom the error rate is high, and whether a card would do.

# %% [markdown]
# ## What we measured

# %%
gain = gains.set_index(["task", "net", "method"])
points = 100 * gain["mean"]
easy, hard, wild = TASKS
level = 100 * means.set_index(["task", "net", "method"])["mean"]
last, first = layer_means.xs(4, level="layer"), layer_means.xs(0, level="layer")
by_cut = 100 * k_gains.set_index(["world", "target", "k"])["mean"]
always, in_use = (change_means.xs(when, level="when") for when in ("always", "only in use"))
as_taught = "as the teacher knows them"
teacher_minus_untrained = alike_means["garments, other seed"] - alike_means["untrained"]

with Claims(clothes) as claim:
    claim(
        "the teachers know their own classes: over 93 % centred, over 80 % scattered",
        all(acc > (0.93 if world == "centred" else 0.80) for (world, _), acc in taught.items()),
        weaker=all(0 <= acc <= 1 for acc in taught.values()),
    )
    claim(
        "scattered: the pixels tell less than 75 %, the last convolutional features more than 82 %",
        first[wild, "conv"] < 0.75 and last[wild, "conv"] > 0.82,
        weaker=last.between(0.3, 1).all(),
    )
    claim(
        "centred: the last features tell the easy pair apart no better than the pixels",
        all(last[easy, net] < first[easy, net] + 0.01 for net in ("dense", "conv")),
        weaker=first.between(0.3, 1).all(),
    )
    claim(
        "easy pair, centred: no way of borrowing gains more than 2 points, with either net",
        points[easy].max() < 2,
        weaker=points[easy].notna().all(),
    )
    claim(
        "scattered: probes gain more than 4 points with either net, and their intervals exclude zero",
        all(
            points[wild, net, "probe"] > 4 and gain.low[wild, net, "probe"] > 0
            for net in ("dense", "conv")
        ),
        weaker=points[wild].notna().all(),
    )
    claim(
        "scattered: fine-tuning the convolutional net gives away more than 4 of these points",
        points[wild, "conv", "probe"] - points[wild, "conv", "fine-tuned"] > 4,
        weaker=points[wild].notna().all(),
    )
    claim(
        "hard pair: probes do worse than fine-tuned nets",
        all(
            points[hard, n, "probe"] < points[hard, n, "fine-tuned"] for n in ("dense", "conv")
        ),
        weaker=points[hard].notna().all(),
    )
    claim(
        "scattered: the pooled net from scratch beats the other two from scratch by 8 points or more",
        level[wild, "pooled", "from scratch"]
        > 8 + max(level[wild, net, "from scratch"] for net in ("dense", "conv")),
        weaker=level[wild].between(20, 100).all(),
    )
    claim(
        "and so does its probe, by 3 points or more",
        level[wild, "pooled", "probe"]
        > 3 + max(level[wild, net, "probe"] for net in ("dense", "conv")),
        weaker=level[wild].between(20, 100).all(),
    )
    claim(
        "and has less than 3 points left to borrow",
        gains[gains.net == "pooled"]["mean"].max() < 0.03,
        weaker=gains["mean"].notna().all(),
    )
    claim(
        "four reused layers: digits lose more than 6 points centred and gain more than 6 scattered",
        by_cut["centred", "digits (far)", 4] < -6
        and by_cut["scattered", "digits (far)", 4] > 6,
        weaker=by_cut.notna().all(),
    )
    claim(
        "CKA: in layers 1 to 3 untrained nets are within 0.07 of other teachers, in layer 4 more than 0.03 below",
        all(teacher_minus_untrained[k] < 0.07 for k in (1, 2, 3))
        and teacher_minus_untrained[4] > 0.03,
        weaker=alike_means.between(0, 1.000001).all(),
    )
    claim(
        "and all curves begin above 0.95 and end below 0.95",
        all(alike_means[name, 1] > 0.95 > alike_means[name, 4] for name in others),
        weaker=alike_means.between(0, 1.000001).all(),
    )
    claim(
        "changed pictures cost nothing where only the scale is another, and a white ground more than 8 points",
        always["0 to 255 instead of 0 to 1"] > always[as_taught] - 0.02
        and always["dark on a white ground"] < always[as_taught] - 0.08,
        weaker=always.between(0.2, 1).all(),
    )
    claim(
        "a white ground or another size that comes as a surprise leaves less than 70 %",
        max(in_use.drop([as_taught, "0 to 255 instead of 0 to 1", "standardised"])) < 0.7,
        weaker=in_use.between(0, 1).all(),
    )

# %% [markdown]
# ## In short
#
# | | what it is good for | in PyTorch | watch out |
# |---|---|---|---|
# | hook | features of any layer | `module.register_forward_hook(f)` | copy what you keep, remove the handle |
# | probe | what a layer knows | logistic regression, to its minimum | one scale for all layers, $\lambda$ tuned |
# | CKA | whether two layers see alike | $\lVert Y^\top X\rVert^2/(\lVert X^\top X\rVert\,\lVert Y^\top Y\rVert)$ | compare with an untrained net; alike is not useful |
# | adapt | the teacher's size, scale, ground | `F.interpolate(..., antialias=True)`, mean and std $(3,1,1)$ | they belong to the weights |
# | head | a new question | replace the last `nn.Linear` | freeze first, then put it in |
#
# - **What transfers is what the new task needs, its few labels cannot teach, and the teacher has learned.** Where twenty pictures teach enough by themselves, we saw no teacher help. Where they cannot teach that a thing is the same thing elsewhere, a teacher who has learned it is worth many points.
# - Knowledge can be borrowed from a teacher or built into the net. A pooling layer is transfer too: from the engineer.
# - Frozen or fine-tuned? Frozen keeps what the teacher knows; fine-tuning can add what it does not know, and can lose what it does. Neither is always better, so try both, and a ramp between them.
# - "The more alike, the more layers" is a rule of thumb. Probe the layers, and you need no thumb.
#
# **Read on.** Alain and Bengio (2016), on linear probes. Yosinski, Clune, Bengio and Lipson (2014), on the number of layers. Kornblith, Norouzi, Lee and Hinton (2019), on CKA; Davari, Horoi, Natik, Lajoie, Wolf and Belilovsky (2022), on how it can be fooled. Kumar, Raghunathan, Jones, Ma and Liang (2022), on fine-tuning that distorts good features. Raghu, Zhang, Kleinberg and Bengio (2019), on what ImageNet does and does not give to medical images. The next lesson needs no labels at all.

# %%
lab.show_progress("ch02")
