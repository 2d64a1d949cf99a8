# ---
# jupyter:
#   lesson:
#     title: Activations that stay alive
#     minutes: 100
# ---

# %% [markdown]
# A network of 400 ReLU units, well initialised. It takes **one** step with a learning rate that is too large, then trains on with the right one. The loss
# jumps, comes down again, and the run looks saved. Two epochs later about a third of its units answer 0 to every image we show. Such a unit gets no gradient, it is
# switched off until luck switches it on again. The loss curve shows that something is worse; it does not say what.
#
# In the last lesson we fixed the weights. The other half of the factor per layer is the activation. At the end of this lesson you can
#
# - find dead units, and tell a dead one from a quiet one,
# - write the ReLUs that cannot die: leaky, PReLU, RReLU, and ELU without the nan that hides in it,
# - compute how **any** activation passes on the length of a signal, and read off whether a deep stack of it holds, dies or explodes,
# - build a network of fifty layers that normalises itself, and say which of its conditions you may break.
#
# You need: the lesson on initialisation.

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

_ = torch.set_flush_denormal(True)  # a vanishing network is slow otherwise; see the last lesson

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
images, labels = data.train[:512]  # one fixed batch, standardised, to look at networks with
small = data.take(train=budget(10_000, fast=2_000), valid=2_000)  # to train on
n_inputs, n_classes = images.shape[1], len(data.classes)
data

# %% [markdown]
# ## Dead units
#
# A ReLU passes on what is positive and blocks the rest, its gradient too. If a step pushes the weights or the bias of a unit so far that $z \le 0$
# for **every** input, the unit's output is 0, the gradient of its incoming weights is 0, and no further step moves them. The unit is **dead**.
#
# Not quite for good: its inputs are made by the layers below, and these still learn. If they move, $z$ may become positive for some image,
# and the unit is back. Nothing pushes it there, though; it has to be lucky.
#
# A large step is what kills. Call $\delta = \partial L/\partial z$ a unit's **error** for one image: positive if the loss would fall with a smaller $z$. The gradient of an incoming weight $w_i$ is $\delta\,x_i$, averaged
# over the batch. The inputs $x_i$ of a deeper unit are outputs of ReLUs, none of them negative, so if $\delta$ is positive for most images, (nearly) **all** its weights go down together, its bias too, and one long
# stride may carry $z$ below 0 everywhere.

# %% [markdown] role="card" exercise="dead_units" level=2 minutes=12 topic="Dead units" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Sequential.html"
# ### Find the dead units
#
# Given a model and batches of inputs, say for each `nn.ReLU` in it which units are dead: those whose **output is 0 for every input of every batch**.
#
# - The model is a flat `nn.Sequential` of any modules (linear layers, dropout, normalisation, other activations); each of its ReLUs appears in it once.
# - `batches` is an iterable of tensors `(B, n_in)` and may be a generator, which can be walked through only once. Batches may differ in size.
# - Count in **evaluation mode** (dropout would blur the answer), and leave model and batches as you found them: in training or evaluation mode as a whole, same dtype, parameters and hooks, no gradients computed, no graph recorded.
# - An output of $10^{-20}$ is small, but it is not 0, and its gradient flows: that unit lives.


# %% role="stub" exercise="dead_units"
def dead_units(model: nn.Sequential, batches) -> list[torch.Tensor]:
    """Which ReLU units are silent on all the data.

    Args:
        model: modules applied one after another.
        batches: iterable of tensors (B, n_in), at least one; it is walked through once.

    Returns:
        For each `nn.ReLU`, in the order of the model, a bool tensor (units,): True where the unit's output
        is 0 for every input. An empty list if the model has no `nn.ReLU`.
    """
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    fired = {}
    with torch.no_grad():
        for x in batches:
            for place, layer in enumerate(model):
                x = layer(x)
                if isinstance(layer, nn.ReLU):
                    fired[place] = (x > 0).any(dim=0) | fired.get(place, False)
    model.train(was_training)
    return [~alive for alive in fired.values()]
    ### END SOLUTION


# %% role="check" exercise="dead_units"
with Check("dead_units") as check:
    model = nn.Sequential(nn.Linear(1, 5), nn.ReLU(), nn.Linear(5, 2), nn.ReLU())
    with torch.no_grad():
        model[0].weight[:, 0] = torch.tensor([1.0, -1.0, 0.0, 0.0, 1e-20])
        model[0].bias[:] = torch.tensor([0.0, 0.0, -1.0, 0.0, 0.0])
        model[2].weight[:] = torch.tensor([[-1.0, -1.0, 0, 0, 0], [-1.0, 1.0, 0, 0, 0]])
        model[2].bias.zero_()
    masks = dead_units(model, [torch.tensor([[1.0], [2.0]]), torch.tensor([[-1.0], [-3.0]])])
    check.is_a(masks, list)
    check.that(len(masks) == 2, "The model has two ReLUs, so the list should have two masks.")
    for mask in masks:
        check.is_a(mask, torch.Tensor, "Each entry of the list should be a tensor, one a ReLU.")
    check.shape(masks[0], (5,), "One entry a unit.")
    check.shape(masks[1], (2,), "One entry a unit.")
    check.that(all(m.dtype == torch.bool for m in masks), "The masks should be bool tensors.")
    wrong = {
        (0, 0, 0, 0, 0): "No unit counts as dead, though some are 0 for every input.",
        (1, 1, 1, 1, 1): "A unit that is 0 for one input, or on one batch, is only quiet. "
        "Dead means 0 for every input of every batch.",
        (0, 1, 1, 1, 0): "You looked at the first batch only: one unit wakes up in the second.",
        (
            1,
            0,
            1,
            1,
            1,
        ): "You looked at the last batch only: two units were awake in the first.",
        (
            1,
            1,
            0,
            0,
            1,
        ): "Your mask is True where a unit lives. It should be True where it is dead.",
        (
            1,
            0,
            0,
            0,
            1,
        ): "That does not follow from the outputs being 0. Compare with exactly 0.",
        (
            0,
            0,
            1,
            1,
            1,
        ): "An output of 1e-20 is not 0: that unit lives. Compare with exactly 0.",
        (
            0,
            0,
            1,
            0,
            0,
        ): "A unit with z = 0 throughout outputs 0, and is dead. Look at the output.",
    }
    check.close(
        masks[0].double(),
        torch.tensor([0.0, 0, 1, 1, 0]),
        "The mask of the first ReLU is off.",
        known=[(torch.tensor(mask), sentence) for mask, sentence in wrong.items()],
    )
    check.close(
        masks[1].double(), torch.tensor([1.0, 0]), "The mask of the second ReLU is off."
    )
    again = dead_units(model, [torch.tensor([[-1.0], [-3.0]])])
    check.that(
        again[0].tolist() == [True, False, True, True, True],
        "A second call, on other batches, remembers the first: start afresh in each call.",
    )


# %% [markdown] role="hints" exercise="dead_units"
# <details><summary>Hint 1: turn the question round</summary>
#
# "Zero for every input of every batch" is tedious to collect. "Positive for at least one input" is easy to accumulate: once true, it stays true.
#
# </details>
# <details><summary>Hint 2: no hooks needed</summary>
#
# The model is a flat `nn.Sequential`: you can loop over its modules and hand the batch from one to the next yourself.
#
# </details>
# <details><summary>Hint 3: leave no trace</summary>
#
# Remember `model.training`, call `model.eval()`, and at the end `model.train(...)` with what you remembered; both calls reach all modules inside. `torch.no_grad()` keeps autograd out.
#
# </details>

# %% role="test" exercise="dead_units" points=3
# Graded with hidden tests: generators, batches of one, dropout and normalisation, other activations, traces left behind.
### BEGIN HIDDEN TESTS
with HiddenTest("dead_units") as test:

    class Spy(nn.Module):
        """Passes its input on, and remembers how it was called."""

        def __init__(self):
            super().__init__()
            self.training_seen, self.graph_seen = False, False

        def forward(self, x):
            self.training_seen |= self.training
            self.graph_seen |= x.requires_grad
            return x

    def masks_of(model, batches):
        """The masks, once their form is right."""
        n, dtypes = (
            sum(type(m) is nn.ReLU for m in model),
            [p.dtype for p in model.parameters()],
        )
        got = dead_units(model, batches)
        test.that(
            [p.dtype for p in model.parameters()] == dtypes,
            "The model's dtype has changed: leave the model as you found it.",
        )
        test.is_a(got, list)
        test.that(
            len(got) == n,
            f"Only nn.ReLU is meant, so a model with {n} of them should give {n} masks, not {len(got)}.",
        )
        for mask in got:
            test.is_a(mask, torch.Tensor, "Each entry of the list should be a tensor.")
            test.that(mask.dtype == torch.bool, "The masks should be bool tensors.")
        return got

    def grouped(n_in, hidden, dtype):
        """A random network in which many units are dead or nearly so, and its masks."""
        model = nn.Sequential(
            nn.Linear(n_in, hidden),
            nn.ReLU(),
            nn.Linear(hidden, 30),
            nn.ReLU(),
            nn.Linear(30, 3),
        ).to(dtype)
        with torch.no_grad():
            model[0].weight.normal_(0, 0.7)
            model[0].bias.fill_(-2.0)
            model[2].weight.normal_()
            model[2].bias.fill_(-1.5)
        return model

    for dtype, n_in, hidden, sizes in (
        (torch.float32, 6, 50, (1, 40, 7)),
        (torch.float64, 3, 80, (16, 16, 1, 1)),
        (torch.float32, 10, 20, (1,)),
    ):
        model = grouped(n_in, hidden, dtype)
        batches = [torch.randn(size, n_in, dtype=dtype) for size in sizes]
        everything = torch.cat(batches).double()
        kept = [b.clone() for b in batches]
        with torch.no_grad():
            w, b, v, c = (p.double() for p in list(model.parameters())[:4])
            first = (everything @ w.T + b).clamp_min(0)
            second = (first @ v.T + c).clamp_min(0)
        want = [(h.max(dim=0).values == 0).double() for h in (first, second)]
        got = masks_of(model, batches)
        for mask, truth in zip(got, want, strict=True):
            test.shape(mask, tuple(truth.shape), "One entry a unit.")
            test.close(
                mask.double(),
                truth,
                "A mask is wrong: dead means 0 for every input of every batch, in any layer.",
                known=[(1 - truth, "The mask should be True where a unit is dead, not alive.")],
            )
        test.that(
            len(batches) == len(kept)
            and all(torch.equal(a, b) for a, b in zip(batches, kept, strict=True)),
            "The batches have changed: leave them as they are.",
        )
        for mask, truth in zip(masks_of(model, (b for b in batches)), want, strict=True):
            test.close(
                mask.double(),
                truth,
                "With a generator the masks differ: it can be walked through only once.",
            )
    faint = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU())
    with torch.no_grad():
        faint[0].weight[:] = torch.tensor([[1e-25, 0.0], [0.0, 0.0], [-1.0, 0.0]])
    test.close(
        masks_of(faint, [torch.eye(2), torch.tensor([[1.0, 0.0]])])[0].double(),
        torch.tensor([0.0, 1.0, 1.0]),
        "Compare with exactly 0: an output of 1e-25 lives, and z = 0 for every input is dead.",
    )
    with torch.no_grad():
        faint[0].weight[0, 0] = 1.0
    test.close(
        masks_of(faint, [torch.zeros(3000, 2), torch.eye(2)])[0].double(),
        torch.tensor([0.0, 1.0, 1.0]),
        "A unit that answers to one input in three thousand is rare, not dead: no share of zeros will do.",
    )
    for relus in (nn.LeakyReLU(0.1), nn.GELU()):
        others = nn.Sequential(nn.Linear(4, 5), relus, nn.Linear(5, 2))
        test.that(
            masks_of(others, [torch.randn(3, 4)]) == [],
            "Only nn.ReLU is meant; a model without one should give an empty list.",
        )
    mixed = nn.Sequential(nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 6), nn.Tanh())
    test.that(
        len(masks_of(mixed, [torch.randn(3, 4)])) == 1,
        "One mask for each nn.ReLU, and no other.",
    )

    spy = Spy()
    model = nn.Sequential(
        nn.Linear(8, 40), nn.BatchNorm1d(40), nn.Dropout(0.5), spy, nn.ReLU(), nn.Linear(40, 2)
    )
    with torch.no_grad():
        model[1].bias.uniform_(-2.0, 1.0)
        model[1].bias[::3] = -50.0
        model[1].running_var.fill_(0.3)
    model[0].bias.requires_grad_(False)  # the owner's choices, which must all survive
    model[0].weight.grad, seen = torch.ones_like(model[0].weight), []
    model[4].register_forward_hook(lambda *_: seen.append(True))
    statistics, batches = model[1].running_mean.clone(), [torch.randn(20, 8) for _ in range(2)]
    with torch.no_grad():
        w, b = model[0].weight, model[0].bias
        z = (torch.cat(batches) @ w.T + b) / math.sqrt(0.3 + model[1].eps) + model[1].bias
    truth = (z.clamp_min(0).max(dim=0).values == 0).double()
    for training in (True, False):
        model.train(training)
        (mask,) = masks_of(model, batches)
        test.that(
            not spy.training_seen,
            "Count in evaluation mode: modules of the model ran in training mode.",
        )
        test.that(not spy.graph_seen, "Autograd records your passes: use torch.no_grad().")
        test.close(mask.double(), truth, "With dropout and batch norm in it, the mask is off.")
        test.that(
            all(m.training is training for m in model.modules()),
            "The model is left in another mode than it was: put `training` back.",
        )
    test.that(
        torch.equal(model[1].running_mean, statistics), "The running statistics have changed."
    )
    first, *others = model.parameters()
    test.that(
        first.grad is not None and bool((first.grad == 1).all()),
        "A gradient that was there before has changed: leave the model as you found it.",
    )
    test.that(all(p.grad is None for p in others), "No gradients should be computed.")
    test.that(
        [p.requires_grad for p in model.parameters()] == [True, False, True, True, True, True],
        "Some requires_grad is not as it was: parameters that were frozen should stay so, and no others.",
    )
    hooks = [len(m._forward_hooks) + len(m._forward_pre_hooks) for m in model.modules()]
    test.that(
        sum(hooks) <= 1,
        "Hooks are left behind: remove each with its handle's remove().",
    )
    seen.clear()
    model[4](batches[0])
    test.that(
        bool(seen), "A hook that was there before is gone: remove your own only, by its handle."
    )
    model.train()
    spy.training_seen = False
    model(batches[0])
    test.that(spy.training_seen, "After your function the model no longer trains as before.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="dead_units"
# "Dead" quantifies over all inputs, so one positive output anywhere settles the matter, and a running *or* is all the memory needed: one bool per unit, whatever the
# size of the data. The output is the right place to look, and exactly 0 the right threshold, because that is where ReLU's gradient is 0 as well. On less than all the data the answer can only err in one
# direction: a batch calls units dead that are merely rare.


# %% [markdown]
# ### One unlucky step
#
# Four careers of the same kind of network (4 × 100 ReLU units, He's draw, SGD with momentum, two epochs over 10,000 images): three learning rates, of which the last is too large, and one network that trains at the good
# rate but takes **its first step with $\eta = 2$**. Along the way we count the units that are silent on 2,000 validation images, and which of them came back.
#
# (All figures in the text are from the full run on the real images. In fast mode, with fewer images, seeds and epochs, yours will differ.)
#
# **Predict, then run.** What share of the units dies by the one bad step? Is the damage repaired two epochs later? And could you tell from the loss?


# %%
def plain(activation, gain, depth=4, width=100):
    """`depth` hidden layers Linear → activation and a linear head; weights N(0, gain²/f_in), biases 0."""
    modules = []
    for n_in, n_out in pairwise([n_inputs] + [width] * depth + [n_classes]):
        dense = nn.Linear(n_in, n_out)
        dense.weight.data.normal_(0, gain / math.sqrt(n_in))
        dense.bias.data.zero_()
        modules += [dense, activation()]
    return nn.Sequential(*modules[:-1]).to(device)  # no activation behind the head


@torch.no_grad()
def silent(model, hidden):
    """One mask over all ReLU units of the network: those that are 0 on the whole batch `hidden`."""
    masks = []
    for module in model:
        hidden = module(hidden)
        if type(module) is nn.ReLU:
            masks.append(hidden.amax(dim=0) == 0)
    return torch.cat(masks).cpu().numpy()


CAREERS = {"η = 0.003": 0.003, "η = 0.01": 0.01, "η = 0.1": 0.1, "one step of 2": 0.01}
probe = small.valid[:2_000][0]
every, epochs = 5, budget(2, fast=1)


def career(name, seed):
    """Share of silent units and training loss every few steps; revivals and accuracy at the end."""
    torch.manual_seed(seed)
    model = plain(nn.ReLU, math.sqrt(2))
    optimizer = torch.optim.SGD(model.parameters(), lr=CAREERS[name], momentum=0.9)
    if name == "one step of 2":
        optimizer.param_groups[0]["lr"] = 2.0
    masks, rows = [silent(model, probe)], []

    def look(step, loss):
        optimizer.param_groups[0]["lr"] = CAREERS[name]
        if step % every == 0:
            masks.append(silent(model, probe))
            rows.append({"step": step + 1, "dead": masks[-1].mean(), "loss": loss})

    lab.fit(model, small, optimizer, epochs=epochs, seed=seed, bar=False, on_batch=look)
    masks = np.stack(masks)
    was_dead = np.logical_or.accumulate(masks)[:-1]  # at some earlier look
    ends = {
        "ever dead": masks.any(0).sum(),
        "came back": (was_dead & ~masks[1:]).any(0).sum(),
        "dead at the end": masks[-1].sum(),
        "accuracy": lab.evaluate(model, small.test)["accuracy"],
    }
    return [{**row, **ends} for row in rows]


seeds = budget(range(5), fast=range(2))
careers = lab.sweep(career, {"name": list(CAREERS)}, seeds)


# %%
def plot_careers(frame):
    fig, (left, right) = lab.figure(1, 2, height=3.4)
    frame = frame.rename(columns={"name": "learning rate"})
    lab.band(frame, "step", "dead", by="learning rate", ax=left, legend=False)
    lab.band(frame, "step", "loss", by="learning rate", ax=right, log=True)
    left.set(ylabel="share of the units", title="Silent on 2,000 images")
    left.set_ylim(0, min(1, left.get_ylim()[1]))  # an interval over two seeds may reach beyond
    right.set(ylabel="loss of the batch", title="Training loss")
    return fig


lab.show(
    plot_careers(careers),
    alt="Left: share of dead units against the training step for four careers. With rates 0.003 and 0.01 it stays "
    "near 0.01; with 0.1 it rises to some hundredths; after one step with rate 2 it jumps to about a quarter and "
    "creeps up to about a third. Right: the training losses, logarithmic; after the bad step the loss jumps and "
    "comes down towards the others within a few dozen steps.",
)
ends = careers.drop_duplicates(["name", "seed"], keep="last")
COUNTS = ["ever dead", "came back", "dead at the end", "accuracy"]
ends.pivot_table(index="name", values=COUNTS, sort=False)[COUNTS].round(3)

# %% [markdown]
# The table and the lines are means over the seeds, and the table counts units, of 400. "Dead" means silent on those 2,000 images. A unit can die, come back and die again; it then counts in all three columns, so they do not add up. What to take from them:
#
# - **One step is enough.** A first step with $\eta = 2$ silences about a quarter of all units at once. Training on with the good rate does not heal the network: two epochs later
#   even more are silent, about a third, and the accuracy is some ten points lower than without that step. (Seeds differ here more than anywhere else in this lesson. Five others gave us half of the units and thirty points.)
# - **At a usual rate it hardly happens.** With 0.003 and 0.01 one or two units in a hundred are silent. That is no illness, and a dead unit costs little while there are enough others.
# - **Dead is not for ever.** With $\eta = 0.1$ most units that were dead at some time came back, some of them only to die again, and after the bad step about half of them or more: the layers below still move, and what they send up changes. Others
#   fall silent meanwhile. A better word for such units is *asleep*, except that nobody wakes them on purpose.
# - **The loss does not say what is wrong.** It jumps, and after some dozens of steps it falls as the others do, only higher: at the end at one and a half times the loss of the undamaged run or more. That tells you that something is worse. Anyone who
#   sees only the last hundred steps takes it for a network that learns slowly, and reaches for the learning rate. Count instead.
#
# How much the verdict depends on the data you ask, with your own function and a network that took the bad step:

# %%
dead_by_layer = []
with needs("dead_units"):
    torch.manual_seed(0)
    model = plain(nn.ReLU, math.sqrt(2))
    optimizer = torch.optim.SGD(model.parameters(), lr=2.0)
    F.cross_entropy(model(images[:128]), labels[:128]).backward()
    optimizer.step()
    for n, split in ((32, 32), (512, 128), (len(small.train), 1_000)):
        found = dead_units(model, (x for x, _ in lab.batches(small.train.take(n), split)))
        dead_by_layer = [mask.sum().item() for mask in found]
        print(f"{n:6,} images: dead units in the four layers", dead_by_layer)

# %% [markdown]
# The more images you ask, the fewer units are dead: in a small batch, rare is easily mistaken for dead. In the first layer nearly all of them turn out to be alive (30, 5 and 2 in our run), while the deeper layers hardly change (49, 48, 48 in the fourth): the pixels that feed the first layer
# are standardised and have both signs, so no step pushes all of its units' $z$ the same way.

# %% [markdown]
# ## A slope on the left: leaky, PReLU, RReLU
#
# The cure is a small slope $\alpha$ below 0: gradient comes through, and no unit can die.
#
# $$\operatorname{leaky}_\alpha(z) = \begin{cases} z & z > 0\\ \alpha z & z \le 0\end{cases}$$
#
# - **Leaky ReLU** (Maas, Hannun and Ng, 2013) fixes $\alpha$. PyTorch's default is 0.01; 0.2 is often recommended instead (Xu et al., 2015, found $1/5.5 \approx 0.18$ better than 0.01 on small images).
# - **PReLU** (He et al., 2015) makes $\alpha$ a parameter and learns it. PyTorch starts it at 0.25.
# - **RReLU** (Xu et al., 2015) draws $\alpha$ afresh for each element in each training pass, and uses the mean of the distribution in evaluation, as dropout does with its noise.
#   (Conventions differ: the paper's recipe divides $z$ by a number from $\mathcal U(3, 8)$ and by its mean in evaluation, a slope of $1/5.5 = 0.18$. PyTorch draws the slope itself from $\mathcal U(1/8, 1/3)$, with the mean 0.23.)
#
# Papers often write $\max(\alpha z, z)$. That is the same only as long as $\alpha \le 1$, and nobody tells a learned slope to stay there.

# %% [markdown] role="card" exercise="LeakyReLU" level=2 minutes=12 topic="The ReLU family" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.PReLU.html"
# ### Leaky ReLU, with a fixed or a learned slope
#
# Write the module. With `learnable=False` the slope is a constant and **not** among the module's parameters. With `learnable=True` it is its **only** parameter: one number for
# the whole module, float32, shape `()` or `(1,)`, that starts at `slope` (an integer such as 1 will do) and receives gradients. The right formula holds for **every** slope: above 1 and negative too, given or learned.
#
# Training and evaluation mode make no difference. Inputs have any shape of one dimension or more, float32 or float64 (the module is converted with them); the output has shape and dtype of the input, and the input stays as it is. At $z = 0$ exactly, either slope will do. Leave `nn.LeakyReLU` and `nn.PReLU` alone.


# %% role="stub" exercise="LeakyReLU"
class LeakyReLU(nn.Module):
    """Leaky ReLU (Maas et al., 2013); with a learned slope, PReLU (He et al., 2015)."""

    def __init__(self, slope: float = 0.2, learnable: bool = False):
        """Take the slope for z <= 0: as a constant, or as the start of a parameter."""
        ### BEGIN SOLUTION
        super().__init__()
        self.slope = nn.Parameter(torch.tensor(float(slope))) if learnable else slope
        ### END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """z where z > 0, slope · z elsewhere; same shape and dtype as z."""
        ### BEGIN SOLUTION
        return torch.where(z > 0, z, self.slope * z)
        ### END SOLUTION


# %% role="check" exercise="LeakyReLU"
with Check("LeakyReLU") as check:
    z = torch.tensor([-3.0, -0.5, 0.0, 2.0])
    module = LeakyReLU()
    check.is_a(module, nn.Module)
    out = module(z)
    check.shape(out, (4,))
    check.that(z.tolist() == [-3, -0.5, 0, 2], "The input has changed: make a new tensor.")
    check.close(
        out,
        torch.tensor([-0.6, -0.1, 0.0, 2.0]),
        "With the default slope of 0.2, [-3, -0.5, 0, 2] should become [-0.6, -0.1, 0, 2].",
        known=[
            (
                torch.tensor([0.0, 0, 0, 2]),
                "That is the plain ReLU: the left side needs its slope.",
            ),
            (
                torch.tensor([0.6, 0.1, 0, 2]),
                "On the left the sign is wrong: slope · z is negative.",
            ),
            (
                torch.tensor([-0.03, -0.005, 0, 2]),
                "That is PyTorch's slope of 0.01. The default here is 0.2.",
            ),
            (
                torch.tensor([-3.0, -0.5, 0, 0.4]),
                "The sides are swapped: the slope belongs to z < 0.",
            ),
            (torch.tensor([-0.6, -0.1, 0, 1.4]), "Right of 0 the output should be z itself."),
        ],
    )
    check.that(
        not list(module.parameters()), "A fixed slope should not be among the parameters."
    )
    check.close(
        LeakyReLU(slope=1.5)(z),
        torch.tensor([-4.5, -0.75, 0.0, 2.0]),
        "With slope 1.5, [-3, -0.5] should become [-4.5, -0.75].",
        known=[
            (
                torch.tensor([-3.0, -0.5, 0, 3]),
                "max(αz, z) is the leaky ReLU only for slopes up to 1. Ask whether z > 0.",
            ),
            (torch.tensor([-0.6, -0.1, 0, 2]), "The argument `slope` makes no difference."),
        ],
    )
    learner = LeakyReLU(slope=0.3, learnable=True)
    check.that(
        len(list(learner.parameters())) == 1,
        "With learnable=True the module should have one parameter: wrap the slope in nn.Parameter.",
    )
    (alpha,) = learner.parameters()
    check.that(
        alpha.numel() == 1, "One slope for the whole module: a parameter with one element."
    )
    check.close(alpha.item(), 0.3, "The learned slope should start at `slope`.")
    out = learner(z)
    check.that(
        out.requires_grad,
        "The slope's parameter gets no gradient: use the parameter itself, not its value.",
    )
    out.sum().backward()
    check.that(alpha.grad is not None, "The slope's parameter gets no gradient.")
    check.close(
        alpha.grad.sum().item(),
        -3.5,
        "The gradient of Σ out for the slope is the sum of all z < 0.",
    )


# %% [markdown] role="hints" exercise="LeakyReLU"
# <details><summary>Hint 1: a parameter is an attribute</summary>
#
# Call `super().__init__()` first. An `nn.Parameter` assigned to `self` is registered by that alone; a plain float is not.
#
# </details>
# <details><summary>Hint 2: one formula for every slope</summary>
#
# Do not compare $\alpha z$ with $z$. Ask for the sign of $z$: `torch.where(condition, a, b)`.
#
# </details>
# <details><summary>Hint 3: the parameter's own gradient</summary>
#
# `nn.Parameter(torch.tensor(...))` wants a float inside. In `forward`, use the parameter itself: `.item()` or `.data` would cut it off from autograd.
#
# </details>

# %% role="test" exercise="LeakyReLU" points=2
# Graded with hidden tests: all kinds of slopes, gradients, dtypes and shapes, state dicts, an optimiser's step.
### BEGIN HIDDEN TESTS
with HiddenTest("LeakyReLU") as test:

    def reference(z, slope):
        """Output and gradient of Σ out² for z, in float64, on copies."""
        z = z.detach().double().requires_grad_()
        out = F.leaky_relu(z, slope)
        return out.detach(), torch.autograd.grad(out.square().sum(), z)[0]

    one, two = LeakyReLU(0.1, learnable=True), LeakyReLU(0.9, learnable=True)
    out = one(torch.tensor([-1.0]))
    test.shape(out, (1,))
    test.close(
        out.item(),
        -0.1,
        "With a learned slope of 0.1, -1 should become -0.1, also after another module was made.",
        known=[(-0.9, "Two modules share a slope: each has its own.")],
    )
    for learnable in (False, True):
        kind = "learned" if learnable else "fixed"
        for slope in (0.2, 0.01, 0.0, 1.0, 1.7, -0.6):
            for shape in ((7,), (1, 5), (4, 3, 2, 6), (0, 3)):
                for dtype in (torch.float32, torch.float64):
                    module = LeakyReLU(slope=slope, learnable=learnable)
                    test.is_a(module, nn.Module)
                    module = module.to(dtype)
                    z = torch.randn(shape, dtype=dtype) * 3
                    z = z.transpose(0, 1) if z.dim() > 1 else z  # not contiguous
                    kept, (want, slopes) = z.clone(), reference(z, slope)
                    z = z.requires_grad_()
                    out = module(z)
                    test.shape(out, tuple(kept.shape))
                    test.that(
                        out.dtype == dtype, "The output should have the dtype of the input."
                    )
                    test.close(
                        out,
                        want,
                        f"A {kind} slope of {slope} gives wrong values.",
                        known=[
                            (
                                torch.maximum(slope * kept, kept),
                                "max(αz, z) is the leaky ReLU only for slopes up to 1.",
                            ),
                            (F.leaky_relu(kept, 0.2), "The argument `slope` is ignored."),
                            (
                                F.leaky_relu(kept, min(max(slope, 0.0), 1.0)),
                                "The slope is kept between 0 and 1: it may be any number.",
                            ),
                            (
                                F.leaky_relu(kept, abs(slope)),
                                "The slope has lost its sign: it may be negative.",
                            ),
                        ],
                    )
                    test.that(
                        torch.equal(z, kept), "The input has changed: do not work in place."
                    )
                    if z.numel():
                        test.that(out.requires_grad, "No gradient flows back to z.")
                        (got,) = torch.autograd.grad(out.square().sum(), z)
                        test.close(got, slopes, "The gradient for z is wrong.", atol=1e-4)
    for default in (LeakyReLU(), LeakyReLU(learnable=True)):
        test.close(default(-torch.ones(1)).item(), -0.2, "The default slope should be 0.2.")
    fixed, learned = LeakyReLU(0.4), LeakyReLU(0.4, True)
    test.that(not list(fixed.parameters()), "A fixed slope must not be a parameter.")
    test.that(
        not fixed(torch.ones(2)).requires_grad,
        "A fixed slope is a constant: it should not require a gradient.",
    )
    parameters = list(learned.parameters())
    test.that(len(parameters) == 1, "A learned slope should be the only parameter.")
    (alpha,) = parameters
    test.that(
        tuple(alpha.shape) in ((), (1,)), "One slope for the whole module: shape () or (1,)."
    )
    test.that(alpha.dtype == torch.float32, "The parameter should be float32.")
    test.that(alpha.requires_grad and alpha.is_leaf, "The slope should be trainable.")
    test.that(
        LeakyReLU(1, learnable=True)(torch.tensor([-2.0])).item() == -2,
        "The integer 1 is a slope too.",
    )
    z = torch.randn(60, 5)
    below, above = z.clamp(max=0), torch.randn(60, 5)
    (learned(z) * above).sum().backward()
    test.that(alpha.grad is not None, "The learned slope gets no gradient.")
    test.close(
        alpha.grad.sum().item(),
        (below * above).sum().item(),
        "The learned slope's gradient is not Σ z over z < 0, times what arrives from above.",
        known=[
            (
                below.sum().item(),
                "The learned slope's gradient leaves out what arrives from above: the loss is not Σ out.",
            )
        ],
        atol=1e-3,
    )
    for value in (2.5, -1.0):
        with torch.no_grad():
            alpha.fill_(value)
        test.close(
            learned(torch.tensor([-2.0, 3.0])),
            torch.tensor([-2.0 * value, 3.0]),
            "After the parameter has moved, the output should follow it, above 1 and below 0 too.",
            known=[
                (
                    torch.tensor([-0.8, 3.0]),
                    "The output ignores what the parameter has become.",
                ),
                (
                    torch.tensor([max(-2.0, -2 * value), max(3.0, 3 * value)]),
                    "max(αz, z) is the leaky ReLU only for slopes up to 1, and a learned one may leave.",
                ),
            ],
        )
    twin = LeakyReLU(learnable=True)
    twin.load_state_dict(learned.state_dict())
    test.close(
        twin(torch.tensor([-2.0])).item(),
        2.0,
        "A state dict should carry the learned slope over.",
    )
    for module in (fixed, LeakyReLU(0.4, learnable=True)):
        test.close(
            module.eval()(torch.tensor([-2.0])).item(),
            -0.8,
            "In evaluation mode the slope is another: the mode should make no difference.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="LeakyReLU"
# `torch.where` asks the one question that defines the function, the sign of $z$, and is right for every slope. The gradient for the slope is the sum of all negative inputs (times what arrives from above):
# every element of every image pulls at the same number, so it is learned quickly and can hardly overfit. A plain float stays out of `parameters()`, so no optimiser moves it and no weight decay shrinks it. Decay on a *learned* slope
# pulls PReLU towards ReLU; He et al. leave it out.

# %% [markdown] role="card" exercise="RReLU" level=1 minutes=10 topic="The ReLU family" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.RReLU.html"
# ### RReLU: a slope drawn afresh
#
# Write the module. **Training mode:** each element has a slope of its own, drawn from $\mathcal U(\text{lower}, \text{upper})$ anew in every call; what is positive passes unchanged.
# **Evaluation mode:** all slopes are the mean of that distribution, without chance.
#
# Gradients pass with the slope that was used. Inputs have any shape, float32 or float64; the output keeps shape and dtype, and the input stays as it is. Nothing is learned, so there are no parameters.
# `torch.rand_like`, `torch.empty_like(z).uniform_` and their kind are yours to use; `nn.RReLU` and `F.rrelu` are what you are writing.


# %% role="stub" exercise="RReLU"
class RReLU(nn.Module):
    """Randomised leaky ReLU (Xu et al., 2015)."""

    def __init__(self, lower: float = 1 / 8, upper: float = 1 / 3):
        """Take the bounds of the slopes, lower <= upper."""
        ### BEGIN SOLUTION
        super().__init__()
        self.lower, self.upper = lower, upper
        ### END SOLUTION

    def forward(self, z: torch.Tensor) -> torch.Tensor:
        """z where z > 0, elsewhere z times a random slope (training) or the mean slope (evaluation)."""
        ### BEGIN SOLUTION
        if self.training:
            slope = torch.empty_like(z).uniform_(self.lower, self.upper)
        else:
            slope = (self.lower + self.upper) / 2
        return torch.where(z > 0, z, slope * z)
        ### END SOLUTION


# %% role="check" exercise="RReLU"
with Check("RReLU") as check:
    torch.manual_seed(0)
    module = RReLU(lower=0.1, upper=0.5)
    check.is_a(module, nn.Module)
    module.eval()
    z = torch.tensor([-2.0, -1.0, 3.0])
    out = module(z)
    check.shape(out, (3,))
    check.that(z.tolist() == [-2, -1, 3], "The input has changed: make a new tensor.")
    check.that(
        torch.equal(out, module(z)), "In evaluation mode two calls differ: no chance there."
    )
    check.close(
        out,
        torch.tensor([-0.6, -0.3, 3.0]),
        "In evaluation mode, with bounds 0.1 and 0.5, [-2, -1, 3] should become [-0.6, -0.3, 3].",
        known=[
            (torch.tensor([0.0, 0, 3]), "In evaluation mode that is the plain ReLU."),
            (
                torch.tensor([-11 / 24, -11 / 48, 3]),
                "The bounds are ignored: that is the mean of the default ones.",
            ),
            (
                torch.tensor([-0.4, -0.2, 3]),
                "That is half the width of the interval. The mean is (lower + upper) / 2.",
            ),
            (
                torch.tensor([0.6, 0.3, 3]),
                "On the left the sign is wrong: slope · z is negative.",
            ),
            (
                torch.tensor([-1 / 3, -1 / 6, 3]),
                "You divide, as the paper does. Here the slope is a factor, with mean (lower + upper) / 2.",
            ),
            (torch.tensor([-1.2, -0.6, 3]), "That is the sum of the bounds, not their mean."),
            (torch.tensor([-0.6, -0.3, 0.9]), "What is positive should pass unchanged."),
        ],
    )
    module.train()
    ones = torch.ones(200, 300)
    slopes = -module(-ones)
    check.shape(slopes, (200, 300))
    check.that(
        slopes.std() > 0, "In training all elements have the same slope: each draws its own."
    )
    check.that(
        slopes.std(dim=0).min() > 0 and slopes.std(dim=1).min() > 0,
        "Whole rows or columns share a slope: each element draws its own.",
    )
    check.that(
        slopes.min() >= 0.1 - 1e-6 and slopes.max() <= 0.5 + 1e-6,
        "In training some slopes lie outside the bounds.",
    )
    check.that(
        slopes.min() < 0.11 and slopes.max() > 0.49,
        "In training the slopes do not reach up to both bounds.",
    )
    check.that(
        abs(slopes.mean() - 0.3) < 0.01,
        "In training the mean slope should be (lower + upper) / 2: draw the slope itself, not a divisor.",
    )
    check.that(
        not torch.equal(slopes, -module(-ones)),
        "Two calls in training give the same slopes: draw anew in `forward`.",
    )
    check.that(torch.equal(module(ones), ones), "What is positive should pass unchanged.")


# %% [markdown] role="hints" exercise="RReLU"
# <details><summary>Hint 1: which mode am I in?</summary>
#
# Every module has `self.training`; `.train()` and `.eval()` set it.
#
# </details>
# <details><summary>Hint 2: a uniform draw of the right shape</summary>
#
# `torch.rand_like(z)` draws from $\mathcal U(0, 1)$, with shape, dtype and device of `z`. Stretch and shift it.
#
# </details>
# <details><summary>Hint 3: the gradient</summary>
#
# Multiply `z` by the slopes and autograd does the rest: the product's derivative for $z$ is the slope that was used.
#
# </details>

# %% role="test" exercise="RReLU" points=2
# Graded with hidden tests: the distribution of the slopes, gradients, both modes, bounds, dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("RReLU") as test:
    module = RReLU()
    test.is_a(module, nn.Module)
    test.that(
        not list(module.parameters()), "Nothing is learned: there should be no parameters."
    )
    cube, twin = -torch.ones(30, 30, 30), RReLU()
    slopes = -module(cube)
    test.shape(slopes, (30, 30, 30))
    test.that(
        not torch.equal(slopes, -twin(cube)),
        "Two modules draw the same slopes: do not fix the seed.",
    )
    test.that(
        all(slopes.std(dim=d).min() > 0 for d in range(3)),
        "In a tensor of three dimensions elements share a slope: each draws its own.",
    )
    for lower, upper, dtypes in (
        (None, None, (torch.float32, torch.float64)),
        (0.0, 1.0, (torch.float64,)),
        (0.3, 0.4, (torch.float32,)),
        (-0.2, 0.1, (torch.float64,)),
    ):
        for dtype in dtypes:
            module = RReLU() if lower is None else RReLU(lower=lower, upper=upper)
            low, high = (1 / 8, 1 / 3) if lower is None else (lower, upper)
            z = torch.randn(120, 100, dtype=dtype).t()
            z[z == 0] = 1.0
            below, kept = z < 0, z.clone()
            for training in (True, False, True):
                module.train(training)
                leaf = z.detach().clone().requires_grad_()
                out = module(leaf)
                test.shape(out, (100, 120))
                test.that(out.dtype == dtype, "The output should have the dtype of the input.")
                test.that(
                    torch.equal(leaf, kept), "The input has changed: do not work in place."
                )
                test.that(out.requires_grad, "No gradient flows back to z.")
                got = out.detach()
                test.that(
                    torch.equal(got[~below], kept[~below]),
                    "What is positive should pass unchanged.",
                )
                (gradient,) = torch.autograd.grad(out.sum(), leaf)
                slopes = (got / kept)[below].double()
                if not training:
                    test.close(
                        slopes,
                        torch.full_like(slopes, (low + high) / 2),
                        "In evaluation mode every slope should be the mean of the bounds.",
                    )
                    test.that(
                        torch.equal(module(z), got), "In evaluation mode nothing is random."
                    )
                else:
                    width = high - low
                    test.that(
                        slopes.min() > low - 1e-5 and slopes.max() < high + 1e-5,
                        "In training some slopes lie outside the bounds.",
                    )
                    test.that(
                        (slopes.max() - slopes.min()) > 0.99 * width,
                        "In training the slopes do not fill the interval: each element draws its own.",
                    )
                    test.that(
                        abs(slopes.mean() - (low + high) / 2) < 0.025 * width,
                        "In training the mean slope is off.",
                    )
                    test.close(
                        slopes.var().item(),
                        width**2 / 12,
                        "In training the slopes are not uniformly distributed.",
                        rtol=0.08,
                    )
                    # nearly all of a unit's slopes in a row would agree if they were shared
                    grid = torch.where(below, got / kept, torch.nan).double()
                    for dim in (0, 1):
                        spread = (grid.nanmean(dim) - (low + high) / 2).abs().max()
                        test.that(
                            spread < 0.3 * width,
                            "Whole rows or columns share a slope: each element draws its own.",
                        )
                    test.that(not torch.equal(module(z), got), "Draw new slopes in every call.")
                test.close(
                    gradient[below].double(),
                    slopes,
                    "The gradient for negative z should be the very slope that was used.",
                )
                test.close(
                    gradient[~below],
                    torch.ones_like(gradient[~below]),
                    "For positive z the gradient should be 1.",
                )
    for shape in ((1,), (), (0, 4), (2, 3, 4, 5)):
        for training in (True, False):
            test.shape(RReLU(0.1, 0.2).train(training)(torch.randn(shape)), shape)
    fixed = RReLU(0.25, 0.25)
    test.close(fixed(torch.tensor([-4.0])).item(), -1.0, "Equal bounds are allowed.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="RReLU"
# The noise is multiplicative and fresh for each element, as in dropout, and evaluation replaces it by its mean, as dropout's scaling does. Because the layer is linear in the slope, the mean slope gives exactly the mean *output of this
# layer*; through several layers it is an approximation. (PyTorch's own `rrelu` draws slopes for the negative elements only; nobody can see those of the others.)


# %% [markdown]
# ### Does the leak help?
#
# Five activations, the same 4 × 100 network, each with its own He factor $\sqrt{2/(1+\alpha^2)}$ and its own best learning rate, ten seeds. We keep one rate in the grid that is too large on purpose: 0.15.
#
# **Predict, then run.** Is 0.2 better than 0.01? And which of the five survives the rate of 0.15?


# %%
FAMILY = {  # activation, and the slope that its He factor reckons with
    "ReLU": (nn.ReLU, 0.0),
    "leaky 0.01": (lambda: nn.LeakyReLU(0.01), 0.01),
    "leaky 0.2": (lambda: nn.LeakyReLU(0.2), 0.2),
    "PReLU": (nn.PReLU, 0.25),
    "RReLU": (nn.RReLU, 11 / 48),  # the mean slope
}


def contest(name, lr, seed, data=small, epochs=epochs, size=128, judge=("valid",)):
    torch.manual_seed(seed)
    activation, slope = FAMILY[name]
    model = plain(activation, math.sqrt(2 / (1 + slope**2)))
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    lab.fit(model, data, optimizer, epochs=epochs, batch_size=size, seed=seed, bar=False)
    return {part: lab.evaluate(model, getattr(data, part))["accuracy"] for part in judge}


names = list(FAMILY)
rates = budget([0.003, 0.01, 0.03, 0.15], fast=[0.01, 0.15])
tuning = lab.sweep(contest, {"name": names, "lr": rates}, budget(range(100, 102), fast=[100]))
chosen = lab.best(tuning, by="name", over="lr", value="valid").set_index("name")
family = lab.sweep(
    lambda name, seed: contest(name, chosen.lr[name], seed, judge=("test",)),
    {"name": names},
    budget(range(10), fast=range(2)),
)
print("validation accuracy at each rate")
print(tuning.pivot_table(index="name", columns="lr", values="valid", sort=False).round(3))
lab.summary(family, "name", "test").join(chosen[["lr", "at_edge"]], on="name").round(4)

# %%
print("lead over ReLU, seed by seed")
print(lab.paired_difference(family, "name", "test", "ReLU").round(4).to_string(index=False))
print("\nlead over the leaky ReLU with slope 0.01, seed by seed")
print(
    lab.paired_difference(family, "name", "test", "leaky 0.01").round(4).to_string(index=False)
)

# %% [markdown]
# Three findings, and none of them is the one that is usually told.
#
# - **At a good rate, all five are equal as far as ten seeds can tell.** The leads over ReLU are below one point, and their intervals reach from below 0 to nearly two. Few ReLU units die at a good rate (we counted), so there is little for a leak to save.
# - **0.2 against 0.01: a fraction of a point, and not decided here.** If you read that 0.2 is better, ask at which budget and with which interval. It is a sensible default all the same, because it costs nothing.
# - **A leak prevents death, not divergence.** At the rate of 0.15 the networks with slopes of 0.2 and more guess, every one of them, while ReLU and its cousin with 0.01 still learn something (two runs each, so do not read more into it). No unit is switched off, yet
#   nothing works: the weights have been thrown too far out to come back. A rate that kills ReLUs is too large for their relatives too.

# %% [markdown]
# PReLU is said to overfit small data sets. We give it 500 images and 20 epochs, in two versions: one slope per layer (PyTorch's default) and one per unit. The control is the leaky ReLU with the slope at which both start.

# %%
tiny = data.take(train=500, valid=1_000)
FAMILY["leaky 0.25"] = (lambda: nn.LeakyReLU(0.25), 0.25)
FAMILY["PReLU, one per unit"] = (lambda: nn.PReLU(100), 0.25)


def overfit(name, lr, seed, judge=("valid",)):
    return contest(name, lr, seed, tiny, epochs=budget(20, fast=2), size=50, judge=judge)


trio_names = ["leaky 0.25", "PReLU", "PReLU, one per unit"]
trio_tuning = lab.sweep(
    overfit,
    {"name": trio_names, "lr": budget([0.003, 0.01, 0.03], fast=[0.01])},
    budget(range(100, 102), fast=[100]),
)
trio_best = lab.best(trio_tuning, by="name", over="lr", value="valid").set_index("name")
trio_rate = trio_best.lr
few = lab.sweep(
    lambda name, seed: overfit(name, trio_rate[name], seed, judge=("train", "test")),
    {"name": trio_names},
    budget(range(6), fast=range(2)),
)
few["gap"] = few.train - few.test
few_means = few.groupby("name", sort=False)[["train", "test", "gap"]].mean()
print(few_means.join(trio_best[["lr", "at_edge"]]).round(3))
gaps = lab.paired_difference(few, "name", "gap", "leaky 0.25")
gaps.round(4)

# %% [markdown]
# `gap` is training minus test accuracy, and the table compares it with the control seed by seed. A warning that is repeated in textbooks does not show here: one learned slope per layer adds four numbers to 110,000 weights and changes nothing that we can measure,
# and with 400 of them (one per unit) no larger gap appears either. (Six seeds could not see an extra gap of a point or two; a large one they would.) All three networks overfit 500 images thoroughly; their weights see to that. Where slopes are a bigger share of the parameters it may be otherwise: measure the gap.

# %% [markdown]
# ## ELU: smooth, and nearer to 0
#
# Clevert, Unterthiner and Hochreiter (2016) let the left side bend towards a floor:
#
# $$\operatorname{elu}_\alpha(z) = \begin{cases} z & z > 0\\ \alpha\,(e^z - 1) & z \le 0\end{cases}\qquad
# \operatorname{elu}_\alpha'(z) = \begin{cases} 1 & z > 0\\ \alpha\,e^z & z < 0\end{cases}$$
#
# Three properties follow. Negative outputs bring the **mean activation nearer to 0**, so the next layer's inputs are better centred. The slope on the left is never exactly 0, only very small, so no unit dies outright (in theory; far out on the left float32 rounds it to 0). And with $\alpha = 1$ the
# slope is 1 from both sides of 0: the function has no kink; with any other $\alpha$ it has one. (**Smooth** means just that here: the slope is continuous. Its own slope, the second derivative, still jumps at 0.) The price is an exponential for each element; the next lesson holds the stopwatch.
#
# It is also the first function of this course that is easy to write down and easy to get wrong, twice: once for $z$ far above 0, once for $z$ just below it.

# %% [markdown] role="card" exercise="elu" level=2 minutes=12 topic="The ReLU family" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.elu.html"
# ### ELU, value and gradient
#
# Write ELU for tensors of any shape, float32 or float64, so that
#
# - values **and autograd's gradients** are finite and right for $|z|$ up to 1000 (and to $10^{30}$), in a tensor with both signs,
# - values just below 0 keep full precision: for $z = -10^{-6}$ in float32 and $z = -10^{-13}$ in float64, four digits of the result are right,
# - with $\alpha = 1$, autograd gives a slope of 1 at $z = 0$ exactly.
#
# The input stays as it is, and the dtype is kept, with its digits. $\alpha > 0$ is a float. PyTorch's `F.elu` and `nn.ELU` are what you are writing.


# %% role="stub" exercise="elu"
def elu(z: torch.Tensor, alpha: float = 1.0) -> torch.Tensor:
    """Exponential linear unit (Clevert et al., 2016).

    Args:
        z: any shape, float32 or float64.
        alpha: minus the value approached for z → −∞, above 0.

    Returns:
        z where z > 0, alpha · (exp(z) − 1) elsewhere; a new tensor of the shape and dtype of z.
    """
    ### BEGIN SOLUTION
    return torch.where(z > 0, z, alpha * torch.expm1(z.clamp(max=0)))
    ### END SOLUTION


# %% role="check" exercise="elu"
with Check("elu") as check:
    z = torch.tensor([-1.0, 0.0, 2.0, -math.log(2)], requires_grad=True)
    out = elu(z)
    check.shape(out, (4,))
    check.that(
        z.tolist()[:3] == [-1, 0, 2] and z[3] < -0.6,
        "The input has changed: make a new tensor.",
    )
    check.close(
        out,
        torch.tensor([1 / math.e - 1, 0.0, 2.0, -0.5]),
        "elu([-1, 0, 2, -log 2]) should be [1/e - 1, 0, 2, -0.5].",
        known=[
            (torch.tensor([1 / math.e, 1.0, 2.0, 0.5]), "The -1 is missing: α(e^z − 1)."),
            (
                torch.tensor([1 - 1 / math.e, 0.0, 2.0, 0.5]),
                "The sign is wrong on the left: e^z − 1 is negative there.",
            ),
            (
                torch.tensor([-1.0, 0.0, math.e**2 - 1, -math.log(2)]),
                "The sides are swapped: the exponential belongs to z < 0.",
            ),
        ],
    )
    check.close(
        elu(torch.tensor([-math.log(2), 3.0]), alpha=0.5),
        torch.tensor([-0.25, 3.0]),
        "With α = 0.5, [-log 2, 3] should become [-0.25, 3].",
        known=[
            (torch.tensor([-0.5, 3.0]), "The argument `alpha` makes no difference."),
            (torch.tensor([-0.75, 3.0]), "Mind the brackets: α(e^z − 1), not α e^z − 1."),
            (torch.tensor([-0.25, 1.5]), "α belongs to the left side only."),
            (torch.tensor([-0.375, 3.0]), "That is CELU: no α belongs into the exponent."),
            (
                torch.tensor([math.exp(-math.log(2) / 2) - 1, 3.0]),
                "α multiplies the bracket; it does not stand in the exponent.",
            ),
        ],
    )
    check.close(
        elu(torch.tensor([-1000.0, 1000.0])),
        torch.tensor([-1.0, 1000.0]),
        "elu(-1000) should be -1 and elu(1000) should be 1000.",
    )
    far = torch.tensor([1000.0, -1000.0], requires_grad=True)
    elu(far).sum().backward()
    check.that(far.grad is not None, "No gradient flows back to z.")
    check.that(
        not far.grad.isnan().any(),
        "The gradient at z = 1000 or −1000 is nan: where() picks the right value, but the unused "
        "branch still overflows to inf on the way back, and 0 · inf is nan.",
    )
    check.close(
        far.grad,
        torch.tensor([1.0, 0.0]),
        "The gradient should be 1 at z = 1000 and 0 at −1000.",
    )
    check.close(
        elu(torch.tensor([-1e-6])).item(),
        -1e-6,
        "elu(-1e-6) has lost its digits: e^z is rounded near 1 before 1 is subtracted.",
        atol=0,
    )
    out.sum().backward()
    check.close(
        z.grad[1].item(),
        1.0,
        "With α = 1 the slope at z = 0 should be 1.",
        known=[
            (0.0, "The slope at z = 0 is 0 in your answer: both parts switch off there."),
            (0.5, "The slope at 0 is ½: minimum and maximum share the gradient of a tie."),
            (1.5, "The slope at 0 is 1.5: minimum and maximum share the gradient of a tie."),
            (2.0, "The slope at 0 is 2: both parts are counted there."),
        ],
    )


# %% [markdown] role="hints" exercise="elu"
# <details><summary>Hint 1: the nan</summary>
#
# `torch.where(z > 0, z, f(z))` computes both branches everywhere. At $z = 1000$ the gradient of the unused one is $0 \cdot \infty$. Do not let the large $z$ reach the exponential.
#
# </details>
# <details><summary>Hint 2: the digits</summary>
#
# In float32 there is no number between 1 and $1 - 6 \cdot 10^{-8}$. PyTorch has a function that computes $e^z - 1$ without passing near 1.
#
# </details>
# <details><summary>Hint 3: nearly there</summary>
#
# `z.clamp(max=0)` is $z$ on the left and 0 on the right; at 0 itself it lets the gradient through. `torch.expm1` of that is harmless everywhere.
#
# </details>

# %% role="test" exercise="elu" points=2
# Graded with hidden tests: values and gradients against float64, huge and tiny inputs, shapes and dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("elu") as test:
    for dtype in (torch.float32, torch.float64):
        for alpha in (1.0, 0.3, 2.5):
            for shape in ((50,), (6, 1), (3, 4, 5), (), (0, 3)):
                z = torch.randn(shape, dtype=dtype) * 4
                z = z.transpose(0, 1) if z.dim() > 1 else z  # not contiguous
                kept = z.clone()
                exact = kept.double().requires_grad_()
                want = F.elu(exact, alpha)
                (slopes,) = torch.autograd.grad(want.square().sum(), exact)
                z = z.requires_grad_()
                out = elu(z, alpha=alpha)
                test.shape(out, tuple(kept.shape))
                test.that(out.dtype == dtype, "The output should have the dtype of the input.")
                test.close(
                    out,
                    want,
                    "Values are wrong.",
                    known=[
                        (F.elu(kept), "The argument `alpha` is ignored."),
                        (
                            torch.where(kept > 0, kept, alpha * kept.exp() - 1),
                            "Mind the brackets: α(e^z − 1), not α e^z − 1.",
                        ),
                        (alpha * F.elu(kept), "α belongs to the left side only."),
                        (F.celu(kept, alpha), "That is CELU: no α belongs into the exponent."),
                    ],
                )
                test.that(torch.equal(z, kept), "The input has changed: do not work in place.")
                if dtype == torch.float64:
                    test.close(
                        out,
                        want,
                        "In float64 the result has the digits of float32 only: keep the dtype throughout.",
                        rtol=1e-9,
                        atol=1e-12,
                    )
                if z.numel():
                    test.that(out.requires_grad, "No gradient flows back to z.")
                    (got,) = torch.autograd.grad(out.square().sum(), z)
                    test.close(got, slopes, "Gradients are wrong.", atol=1e-5)
        for size in (12.0, 30.0, 90.0, 800.0, 1000.0, 1e30):
            z = torch.tensor([size, -size, 0.5, -0.5], dtype=dtype, requires_grad=True)
            out = elu(z, alpha=2.0)
            test.close(
                out,
                torch.tensor(
                    [size, 2 * math.expm1(-size), 0.5, 2 * math.expm1(-0.5)],
                    dtype=torch.float64,
                ),
                "Values are wrong for large |z|.",
            )
            (got,) = torch.autograd.grad(out.sum(), z)
            test.that(
                bool(torch.isfinite(got).all()),
                "The gradient is nan or infinite for large |z|: the unused branch overflows.",
            )
            test.close(
                got,
                torch.tensor(
                    [1, 2 * math.exp(-size), 1, 2 * math.exp(-0.5)], dtype=torch.float64
                ),
                "Gradients are wrong for large |z|.",
            )
        tiny = (1e-13,) if dtype == torch.float64 else ()
        for size in (1e-3, 3e-4, 1e-4, 7e-5, 3e-5, 1e-5, 1e-6, 3e-9, *tiny):
            z = torch.tensor([-size, size], dtype=dtype, requires_grad=True)
            out = elu(z)
            test.close(
                out,
                torch.tensor([math.expm1(-size), size], dtype=torch.float64),
                "Just below 0 the result has lost its digits: e^z is rounded before 1 is subtracted.",
                atol=0,
            )
            (got,) = torch.autograd.grad(out.sum(), z)
            test.close(
                got,
                torch.tensor([math.exp(-size), 1.0], dtype=torch.float64),
                "Just beside 0 the gradient is wrong.",
            )
        zero = torch.zeros(3, dtype=dtype, requires_grad=True)
        (got,) = torch.autograd.grad(elu(zero).sum(), zero)
        test.close(
            got, torch.ones(3), "With α = 1 autograd should give a slope of 1 at z = 0 exactly."
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="elu"
# Reverse mode multiplies what arrives by the local slope. For the branch not taken, `where` sends 0 and the exponential's slope at 1000 is infinite: $0 \cdot \infty$ is nan, and one nan in a batch poisons every weight
# below. Clamping *before* the exponential makes the unused branch harmless; clamping the result would come too late. `expm1` is the other half: near 0, $e^z - 1$ subtracts two nearly equal numbers and keeps one digit of seven.
# Both tricks return in every stable loss function.

# %% [markdown]
# **Predict, then run.** Standardised pre-activations go through six activations. Which mean outputs are nearest to 0? And is it still true behind the layers of a real network?


# %%
CENTRED = {
    "ReLU": nn.ReLU(),
    "leaky 0.2": nn.LeakyReLU(0.2),
    "ELU": nn.ELU(),
    "SELU": nn.SELU(),
    "SiLU": nn.SiLU(),
    "tanh": nn.Tanh(),
}


def mean_activation(name, seed):
    """Mean output for z from N(0, 1), and behind the second layer of a network on images."""
    torch.manual_seed(seed)
    net = plain(lambda: CENTRED[name], math.sqrt(2))
    with torch.no_grad():
        hidden = net[:4](images)
    return {
        "N(0, 1)": CENTRED[name](torch.randn(200_000)).mean().item(),
        "network": hidden.mean().item(),
    }


centred = lab.sweep(mean_activation, {"name": list(CENTRED)}, seeds)
centred.groupby("name", sort=False)[["N(0, 1)", "network"]].mean().round(3)

# %% [markdown]
# For standardised $z$, ELU's mean output is 0.16 and SiLU's 0.21, where ReLU's is 0.40; SELU's and tanh's are 0. Behind two layers of a real network all means but tanh's are larger, because He's draw makes the
# pre-activations wider than standard ones. Both ends of the list stay as they were: tanh and SELU are nearest to 0, ReLU and its leaky relative farthest. In between, ELU (0.32) and SiLU (0.29) are now close, ELU no longer the
# nearer one. A mean that is not 0 acts like a bias that all images share; the next layer has to learn it away.

# %% [markdown]
# ## The length map: one curve tells the fate of fifty layers
#
# He's factor came from one number, $\mathbb E[\operatorname{relu}(z)^2] = \tfrac12\operatorname{Var}(z)$. The same question can be put to every activation, and for every length of the signal. Let $q$ be the
# mean square of a layer's inputs. With weights of variance $g^2/f_\text{in}$ a unit's pre-activation has variance $g^2 q$, and in a very wide layer it is normal, as a sum of many terms. So behind the
# activation $f$ the mean square is
#
# $$L(q) = \mathbb E_{x \sim \mathcal N(0,1)}\!\left[f\!\left(g\sqrt q\,x\right)^2\right] = \int f\!\left(g\sqrt q\,x\right)^2 \frac{e^{-x^2/2}}{\sqrt{2\pi}}\,\mathrm dx$$
#
# This is the **length map** (Poole et al., 2016; they follow the pre-activations' variance, our $g^2 q$, which is the same chain read half a layer later). Depth applies it again and again: $q,\ L(q),\ L(L(q)), \dots$ A **fixed point**, $L(q) = q$, is a length that the layers hand on unchanged.

# %% [markdown] role="card" exercise="length_map" level=3 minutes=15 topic="Self-normalisation" doc="https://docs.pytorch.org/docs/stable/generated/torch.trapezoid.html"
# ### The length map, by integration
#
# Compute $L(q)$ for any activation: integrate numerically, **without random numbers**. A relative error below $10^{-3}$ is asked for wherever $g\sqrt q$ lies between 0.01 and 3; $q = 0$ must work too.
#
# - `activation` is any elementwise function or module (`torch.tanh`, `nn.SiLU()`); it may have a kink. It takes tensors of any shape and of float64.
# - `q` is a float, and then the result is one number (a float, or a tensor of shape `()`); or it is a tensor of any shape, float32 or float64, and then the result is a tensor of that shape, element by element. `q` stays as it is.
# - Work in float64, in front of the activation too. The trapezoid rule (`torch.trapezoid`) with a few thousand points for $x$ on $[-8, 8]$ is plenty: beyond 8 the density is below $10^{-14}$.


# %% role="stub" exercise="length_map"
def length_map(activation, q, gain: float = 1.0):
    """Mean square behind a very wide layer with weights of variance gain²/fan_in (Poole et al., 2016).

    Args:
        activation: elementwise function of a tensor.
        q: mean square of the layer's inputs, at least 0; a float or a tensor of any shape.
        gain: factor g of the weights.

    Returns:
        E[activation(gain · √q · x)²] for x from N(0, 1): one number, or a tensor of the shape of q.
    """
    ### BEGIN SOLUTION
    q = torch.as_tensor(q, dtype=torch.float64)
    x = torch.linspace(-8, 8, 4001, dtype=torch.float64)
    density = torch.exp(-x.square() / 2) / math.sqrt(2 * math.pi)
    z = gain * q.sqrt().unsqueeze(-1) * x
    return torch.trapezoid(activation(z).square() * density, x, dim=-1)
    ### END SOLUTION


# %% role="check" exercise="length_map"
with Check("length_map") as check:
    value = length_map(torch.relu, 1.0)
    check.is_a(value, (float, torch.Tensor))
    check.that(
        float(length_map(torch.relu, 1.0)) == float(value),
        "Two calls differ: integrate, without random numbers.",
    )
    check.close(
        float(value),
        0.5,
        "For ReLU, q = 1 and gain 1 half of the mean square should be left: 0.5.",
        known=[
            (
                1 / math.sqrt(2 * math.pi),
                "That is the mean of relu(z). Square it before averaging.",
            ),
            (
                0.5 - 1 / (2 * math.pi),
                "That is the variance. The mean square does not subtract the mean.",
            ),
            (0.5 * math.sqrt(2 * math.pi), "The density is not normalised: divide by √(2π)."),
            (0.5 * math.sqrt(math.pi), "Divide the sum of Hermite weights by √π."),
            (0.25, "Half is lost: integrate over both sides; Hermite nodes need a factor √2."),
            (math.sqrt(0.5), "That is the root mean square. The map gives the mean square."),
        ],
        rtol=1e-3,
    )
    check.close(
        float(length_map(lambda z: z, 4.0)),
        4.0,
        "Without an activation, q = 4 should stay 4.",
        known=[
            (16.0, "q is a mean square: the pre-activation's standard deviation is √q, not q."),
            (1.0, "The value of q makes no difference, or you divided by it."),
            (8.0, "The nodes are stretched by a √2 too many."),
            (2.0, "Half is lost: integrate over both sides; Hermite nodes need a factor √2."),
            (0.5, "The density belongs to x, which is standard normal, not to z = g √q x."),
        ],
        rtol=1e-3,
    )
    check.close(
        float(length_map(torch.relu, 1.0, gain=3.0)),
        4.5,
        "A gain of 3 should multiply ReLU's mean square by 9.",
        known=[
            (0.5, "The gain makes no difference."),
            (1.5, "The gain should stretch z: it enters the mean square as g², not g."),
            (4.5 / 9 * 81, "The gain enters once too often: z = g √q x."),
        ],
        rtol=1e-3,
    )
    check.close(
        float(length_map(torch.sin, 2.25)),
        (1 - math.exp(-4.5)) / 2,
        "For the sine and q = 2.25 the mean square should be (1 − exp(−2q)) / 2.",
        rtol=1e-3,
    )
    dtypes = set()
    length_map(lambda z: (dtypes.add(z.dtype), z)[1], 1.0)
    check.that(
        dtypes == {torch.float64},
        "Work in float64: the activation gets another dtype from you.",
    )
    lengths = torch.tensor([[0.0, 0.04, 1.0], [2.0, 4.0, 8.0]])
    values = length_map(torch.relu, lengths, gain=0.5)
    check.shape(values, (2, 3), "The result should have the shape of q.")
    check.close(
        values, lengths / 8, "A tensor q should be mapped element by element.", rtol=1e-3
    )


# %% [markdown] role="hints" exercise="length_map"
# <details><summary>Hint 1: a sum with weights</summary>
#
# On a fine grid `x` the integral is the sum of $f(g\sqrt q\,x)^2$ times the density of $x$ times the step. Test it with $f(z) = z$: the result must be $g^2 q$.
#
# </details>
# <details><summary>Hint 2: many q at once</summary>
#
# Give `q` a last dimension of 1 (`unsqueeze(-1)`), let it broadcast against the grid, and integrate over the last dimension.
#
# </details>
# <details><summary>Hint 3: the calls</summary>
#
# `torch.as_tensor(q, dtype=torch.float64)` takes floats and tensors alike. `torch.trapezoid(values, x, dim=-1)` integrates.
#
# </details>

# %% role="test" exercise="length_map" points=3
# Graded with hidden tests: activations with a closed form, other lengths and gains, shapes, modules.
### BEGIN HIDDEN TESTS
with HiddenTest("length_map") as test:
    rule = {"rtol": 1e-3, "atol": 1e-9}

    def erf_squared(s2):  # E[erf(s x)²], Williams (1997)
        return 2 / math.pi * torch.asin(2 * s2 / (1 + 2 * s2))

    exact = {
        "the identity": (lambda z: z, lambda s2: s2),
        "ReLU": (torch.relu, lambda s2: s2 / 2),
        "a leaky ReLU": (nn.LeakyReLU(0.3), lambda s2: s2 * 1.09 / 2),
        "the absolute value": (torch.abs, lambda s2: s2),
        "the sine": (torch.sin, lambda s2: (1 - torch.exp(-2 * s2)) / 2),
        "erf": (torch.erf, erf_squared),
        "a constant of 2": (lambda z: torch.full_like(z, 2.0), lambda s2: 4 + 0 * s2),
        "z + 1": (lambda z: z + 1, lambda s2: s2 + 1),
    }
    state = torch.get_rng_state()
    value = length_map(torch.tanh, 1.0)
    test.that(
        torch.equal(torch.get_rng_state(), state),
        "You draw random numbers, or set their seed: integrate without them.",
    )
    for name, (activation, formula) in exact.items():
        for gain in (0.5, 1.0, 2.0):
            for q in (1e-4, 0.3, 1.0, 6.0):
                if not 0.01 <= gain * math.sqrt(q) <= 3:
                    continue
                value = length_map(activation, q, gain=gain)
                test.is_a(value, (float, torch.Tensor))
                test.that(
                    isinstance(value, float) or value.dim() == 0,
                    "For a float q the result should be one number: a float, or a tensor of shape ().",
                )
                s2 = torch.tensor(gain * gain * q, dtype=torch.float64)
                unit = torch.tensor(gain * gain, dtype=torch.float64)
                test.close(
                    float(value),
                    formula(s2).item(),
                    f"For {name} the mean square is off by more than 1/1000.",
                    known=[
                        (
                            formula(s2 * s2 / unit).item(),
                            "z should be g √q x: here q is not under the root.",
                        ),
                        (formula(s2 / unit).item(), "The gain is ignored."),
                        (formula(unit).item(), "The value of q is ignored."),
                        (formula(s2).item() / q, "That is the ratio L(q)/q, not L(q)."),
                        (math.sqrt(formula(s2).item()), "That is the root of the mean square."),
                    ],
                    **rule,
                )
    dtypes = set()
    length_map(lambda z: (dtypes.add(z.dtype), z)[1], torch.tensor([0.5, 2.0]))
    test.that(
        dtypes == {torch.float64},
        "Work in float64: the activation gets another dtype from you.",
    )
    for shape in ((4,), (2, 3), (1, 1, 2), ()):
        for dtype in (torch.float32, torch.float64):
            q = torch.rand(shape, dtype=dtype) * 5 + 0.01
            kept = q.clone()
            want = (1 - torch.exp(-2 * q.double() * 0.49)) / 2
            got = length_map(torch.sin, q, gain=0.7)
            test.shape(got, shape, "The result should have the shape of q.")
            test.close(got, want, "A tensor q should be mapped element by element.", **rule)
            test.that(torch.equal(q, kept), "The tensor q has changed: leave it as it is.")
    test.close(float(length_map(torch.sigmoid, 0.0)), 0.25, "At q = 0, L is f(0)².", **rule)
    test.close(
        length_map(torch.sigmoid, torch.zeros(2)),
        torch.full((2,), 0.25),
        "At q = 0, L is f(0)².",
        **rule,
    )
    value = float(length_map(nn.SELU(), 1.0))
    test.close(
        value, 1.0, "SELU, a module with a kink, should keep a mean square of 1.", **rule
    )
    test.that(
        float(length_map(nn.SELU(), 1.0)) == value,
        "Two calls differ: integrate, without random numbers.",
    )
    test.close(
        float(length_map(activation=torch.relu, q=2.0, gain=1.5)),
        2.25,
        "The names of the arguments must stay.",
        **rule,
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="length_map"
# In a wide layer the central limit theorem makes the pre-activations normal whatever the weights' distribution, so one integral in one dimension replaces the whole layer. For smooth integrands that vanish at
# both ends the trapezoid rule converges faster than any power of the step; a kink costs some of that, which 4,000 points can afford. Averaging a million random numbers instead would still be off by a thousandth or more.

# %% [markdown]
# ### Every activation has its own He factor, and that is not enough
#
# Give each activation the gain for which a standard deviation of 1 in front of it is handed on to the next layer, $g = 1/\sqrt{\mathbb E[f(x)^2]}$. That is He's argument, for any $f$. Then $q^* = 1/g^2$ is a
# fixed point for all of them. What differs is what happens **beside** it, and the ratio $L(q)/q$ says so: above 1 the signal grows, below 1 it shrinks.
#
# **Predict, then run.** For ReLU the ratio is the same at every length (why?). In which direction do the curves of tanh, SELU and SiLU cross 1? A curve that falls through 1 pulls the signal back to the fixed
# point. And one that rises?


# %%
GAINS = {
    "ReLU": 1.4142,
    "tanh": 1.5925,
    "SELU": 1.0,
    "ELU": 1.2452,
    "GELU": 1.5335,
    "SiLU": 1.6765,
}
MODULES = {
    "ReLU": nn.ReLU(),
    "tanh": nn.Tanh(),
    "SELU": nn.SELU(),
    "ELU": nn.ELU(),
    "GELU": nn.GELU(),
    "SiLU": nn.SiLU(),
}
spreads = np.geomspace(0.05, 20, 13)  # of the pre-activations: s = g√q


def one_layer(name, seed, width=1_000):
    """The ratio L(q)/q of a real layer of `width` units, at several lengths of its input."""
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(64, width, generator=generator)
    z = x @ torch.randn(width, width, generator=generator) / math.sqrt(width)
    z = z / z.square().mean().sqrt()
    return [
        {"s": s, "ratio": (GAINS[name] / s) ** 2 * MODULES[name](s * z).square().mean().item()}
        for s in spreads
    ]


measured = lab.sweep(one_layer, {"name": list(GAINS)}, seeds)

theory = {}
with needs("length_map"):
    fine = torch.from_numpy(np.geomspace(0.05, 20, 200))
    for name, gain in GAINS.items():
        theory[name] = length_map(MODULES[name], (fine / gain) ** 2, gain) / (fine / gain) ** 2
    gains = {name: 1 / math.sqrt(float(length_map(f, 1.0))) for name, f in MODULES.items()}
    print("gain 1/√E[f²]: ", "  ".join(f"{name} {gain:.4f}" for name, gain in gains.items()))


# %%
def plot_ratios(measured, theory):
    fig, ax = lab.figure(height=4.0)
    points = measured.groupby(["name", "s"], sort=False).ratio.mean()
    for name, marker in zip(GAINS, "os^DvP", strict=True):
        part = points[name]
        (dots,) = ax.plot(part.index, part, marker, linestyle="none", markersize=5)
        curve = (fine, theory[name]) if theory else (part.index, part)
        ax.plot(
            *curve,
            ls=LINES[name],
            color=dots.get_color(),
            marker=marker,
            markevery=[-1],
            label=name,
        )
    ax.axhline(1, color="grey", linewidth=0.8)
    ax.axvline(1, color="grey", linewidth=0.8)
    ax.plot(1, 1, "k*", markersize=12, zorder=5)
    ax.annotate("fixed point of all six", (1, 1), (1.15, 1.9), arrowprops={"arrowstyle": "-"})
    ax.text(4, 2.3, "ratio > 1: grows", color="grey")
    ax.text(0.052, 0.12, "ratio < 1: shrinks", color="grey")
    ax.set(
        xscale="log",
        ylim=(0, 2.6),
        xlabel="standard deviation s of the pre-activations, each with its own gain",
        ylabel="L(q) / q",
        title="How one layer changes the mean square. Lines: theory. Dots: a real layer",
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, handlelength=3)
    return fig


LINES = dict(zip(GAINS, ["-", "--", "-.", ":", (0, (5, 1, 1, 1)), (0, (1, 1))], strict=True))
lab.show(
    plot_ratios(measured, theory),
    alt="Ratio of the mean squares behind and before a layer against the standard deviation of the pre-activations, for "
    "six activations. All pass through 1 at s = 1. ReLU is flat at 1. Tanh, SELU and ELU fall from above 1 to below; "
    "GELU and SiLU rise from 0.6 and 0.7 to 1.2 and 1.4. The dots of a real layer lie on the lines.",
)

# %% [markdown]
# Three kinds of activation, told apart by how they cross the star:
#
# - **Flat: ReLU and its leaky relatives.** $f(cz) = c f(z)$ for $c > 0$, so the ratio is 1 at *every* length. Nothing corrects a deviation, and nothing enlarges it.
# - **Falling: tanh, SELU, ELU. The fixed point is stable.** A signal that is too small grows, one that is too large shrinks. The network regulates itself.
# - **Rising: SiLU and GELU. The fixed point is unstable.** A signal slightly too small gets smaller in every layer, one slightly too large gets larger. The gain that is right for one layer is a pencil balanced on its
#   tip.
#
# **Predict, then run.** Fifty layers of 200 units, each activation with its own exact gain. The signal starts at half the right length, at the right length, and at twice the right length. Draw the nine lines before you look.


# %%
def fifty_layers(name, start, seed, depth=50, width=200):
    """Root mean square behind each layer, relative to the fixed point's, from `start` times that length."""
    generator = torch.Generator().manual_seed(seed)
    gain = GAINS[name]
    hidden = start / gain * torch.randn(64, width, generator=generator, dtype=torch.float64)
    rows = [{"layer": 0, "rms": start, "shortest": start, "longest": start}]
    for layer in range(1, depth + 1):
        weight = torch.randn(width, width, generator=generator, dtype=torch.float64)
        hidden = MODULES[name](hidden @ weight * gain / math.sqrt(width))
        lengths = gain * hidden.square().mean(dim=1).sqrt()  # of each input
        rms = lengths.square().mean().sqrt().item()
        ends = {"shortest": lengths.min().item(), "longest": lengths.max().item()}
        rows.append({"layer": layer, "rms": rms, **ends})
    return rows


TRIO = ["ReLU", "SELU", "SiLU"]
deep = lab.sweep(fifty_layers, {"name": TRIO, "start": [2.0, 1.0, 0.5]}, seeds)
predicted = {}
with needs("length_map"):
    for name in TRIO:
        q = torch.tensor([2.0, 1.0, 0.5], dtype=torch.float64).square() / GAINS[name] ** 2
        path = [q]
        for _ in range(50):
            path.append(length_map(MODULES[name], path[-1], GAINS[name]))
        predicted[name] = GAINS[name] * torch.stack(path).sqrt()


# %%
def plot_deep(frame, predicted):
    fig, axes = lab.figure(1, 3, height=3.6)
    kinds = ("flat: length kept", "falling: pulled back", "rising: driven apart")
    for ax, name, kind in zip(axes, TRIO, kinds, strict=True):
        part = frame[frame.name == name].assign(
            start=lambda f: f.start.astype(str) + " × fixed point"
        )
        lab.band(part, "layer", "rms", by="start", ax=ax, log=True, legend=name == TRIO[-1])
        if name in predicted:
            ax.plot(predicted[name], color="black", linestyle=":", linewidth=1.2, zorder=5)
        ax.set(
            ylim=(1e-4, 2e4),
            title=f"{name}\n{kind}",
            ylabel="rms / fixed point" if ax is axes[0] else "",
        )
    return fig


lab.show(
    plot_deep(deep, predicted),
    alt="Root mean square behind each of 50 layers relative to the fixed point, logarithmic, from starts at 2, 1 and 0.5. ReLU: three "
    "level, parallel lines. SELU: all three run into 1 within about 10 layers. SiLU: the lines part, "
    "from 2 up to 1e4, from 0.5 down to 1e-4, and the one that starts at 1 drifts up into the hundreds.",
)
if predicted:
    ends_at = {name: [f"{v:.2g}" for v in path[-1]] for name, path in predicted.items()}
    print("theory behind layer 50, from 2, 1 and 0.5:", ends_at)
balanced = deep[(deep.name == "SiLU") & (deep.start == 1) & (deep.layer == 50)]
print("SiLU from 1, shortest and longest of the 64 inputs behind layer 50, seed by seed:")
print(balanced[["shortest", "longest"]].map("{:.1g}".format).to_string(index=False))

# %% [markdown]
# (Coloured: measured, mean and interval over seeds. Black dots: your length map, applied fifty times.) The theory knows neither width nor data, and is right within the wobble of 200 units (SiLU at the right length excepted, as we shall see).
#
# - ReLU keeps whatever you start with: three parallel lines. In a single network all three wander off together, at this width sometimes by a factor of 2 or more, because nothing pulls them back.
# - SELU forgets the start: within ten layers all three are within 10 % of the fixed point.
# - SiLU turns a factor of 2 into nearly $10^4$ and a factor of ½ into $10^{-4}$. At exactly the right length theory would hold it, but only just: our gain of 1.6765 is 0.00003 too small, and after 50 layers that error alone leaves 0.73 of the length.
#   Nor do two inputs ever have exactly the same length: in one and the same network some die away and others explode, into the thousands, and the large ones rule the mean (the printed lengths).
#
# That is the answer to the riddle of the last lesson: He's $\sqrt 2$ is not right for SiLU in deep networks, and neither is any other number.

# %% [markdown]
# ### The corridor of gains
#
# No integral is needed for the two ends of such a curve. Very near 0 each of these activations looks like two straight lines that meet at 0, and seen from very far away it does so again. Two lines with the slopes $a_-$ on the left and $a_+$ on the
# right act like a leaky ReLU, with the ratio $g^2\,(a_-^2 + a_+^2)/2$. SELU, for example: near 0 the slopes are $\lambda\alpha = 1.758$ and $\lambda = 1.051$, so the ratio starts at $2.097\,g^2$; far out
# they are 0 (the floor) and 1.051, so it ends at $0.552\,g^2$. It starts above 1 if $g > 1/\sqrt{2.097} = 0.69$, and ends below 1 if $g < 1/\sqrt{0.552} = 1.35$. Between these two gains the curve
# must cross 1 somewhere: there is a fixed point $q > 0$. For tanh, far out both slopes are 0, so its ratio ends below 1 at any gain. All six:

# %%
rows = []
for name, module in MODULES.items():
    slopes = {}
    for place, size in (("short", 1e-6), ("long", 1e6)):
        z = torch.tensor([-size, size], dtype=torch.float64)
        slopes[place] = (module(z) / z).square().mean().item()
    low, high = sorted(1 / math.sqrt(max(s, 1e-9)) for s in slopes.values())
    kind = (
        "neutral"
        if high / low < 1.001
        else "stable"
        if slopes["short"] > slopes["long"]
        else "unstable"
    )
    rows.append(
        {
            "activation": name,
            "L(q)/(g²q), q → 0": slopes["short"],
            "q → ∞": slopes["long"],
            "g from": low,
            "g to": math.inf if high > 1e4 else high,
            "fixed point": kind,
        }
    )
corridor = pd.DataFrame(rows).set_index("activation")
corridor.round(3)

# %% [markdown]
# Read it row by row.
#
# - **SELU** has a stable fixed point for every gain between 0.69 and 1.35. LeCun's rule, 1, sits comfortably inside; PyTorch's default, $1/\sqrt 3 = 0.58$, is below, and its signal must die; He's $\sqrt 2$ lies just above, and its signal
#   must grow without end.
# - **tanh** regulates itself for every gain above 1, He's for example. At 1 exactly (Glorot's and LeCun's draws in square layers) its fixed point has shrunk to $q = 0$, but the way down is slow: behind layer $\ell$ about $1/\sqrt{2\ell}$ is left, 0.1 behind
#   layer 50. That is why tanh looked level in the last lesson under draws as different as these.
# - **ELU** has a stable one from 1 to $\sqrt 2$. He's rule sits exactly on the edge.
# - **ReLU** has one gain and no tolerance: He's.
# - **SiLU and GELU** have a fixed point for gains from $\sqrt 2$ to 2, and it is unstable. With He's $\sqrt 2$ the ratio is below 1 at every length, so **the signal always dies**: by half of its mean square per layer once it is
#   small. At 2 and above it always explodes. In between it does one or the other. **No gain holds SiLU in a deep plain network.** (In practice normalisation layers and skip connections hold it; the next lessons.)

# %% [markdown]
# ## SELU: the activation that was solved for
#
# Klambauer et al. (2017) asked for an activation that hands on **mean 0 and variance 1**, both, and solved for it. Take ELU, scale it,
#
# $$\operatorname{selu}(z) = \lambda \operatorname{elu}_\alpha(z),$$
#
# and demand for $z \sim \mathcal N(0, 1)$ that $\mathbb E[\operatorname{selu}(z)] = 0$ and $\mathbb E[\operatorname{selu}(z)^2] = 1$. Two equations, two unknowns. The right half, $z > 0$, contributes $\lambda/\sqrt{2\pi}$ to the mean and $\lambda^2/2$ to the mean square. The left half
# is made of exponentials, and these can be averaged in closed form (complete the square in the exponent): with the normal density $\varphi$ and its distribution function $\Phi$,
# $\int_{-\infty}^0 e^{kz}\varphi(z)\,\mathrm dz = e^{k^2/2}\,\Phi(-k)$. With $k = 1$ and 2 the two demands read
#
# $$\frac{1}{\sqrt{2\pi}} + \alpha\left(\sqrt e\,\Phi(-1) - \tfrac12\right) = 0,\qquad
# \lambda^2\left[\tfrac12 + \alpha^2\left(e^2\,\Phi(-2) - 2\sqrt e\,\Phi(-1) + \tfrac12\right)\right] = 1$$

# %%
Phi = torch.special.ndtr
minus_one, minus_two = (Phi(torch.tensor(-k, dtype=torch.float64)).item() for k in (1.0, 2.0))
alpha = 1 / math.sqrt(2 * math.pi) / (0.5 - math.sqrt(math.e) * minus_one)
bracket = math.e**2 * minus_two - 2 * math.sqrt(math.e) * minus_one + 0.5
scale = 1 / math.sqrt(0.5 + alpha**2 * bracket)
far_left = F.selu(torch.tensor(-100.0, dtype=torch.float64)).item()
print(f"solved: α = {alpha:.7f}, λ = {scale:.7f}, floor −λα = {-scale * alpha:.7f}")
print(
    f"nn.SELU: λ = selu(1) = {F.selu(torch.ones(1, dtype=torch.float64)).item():.7f}, floor {far_left:.7f}"
)

# %% [markdown]
# PyTorch's constants are the solution of these two equations. They hold for inputs with mean 0 and variance 1 **and** for weights with $\sum w = 0$ and $\sum w^2 = 1$ per unit, which LeCun's draw gives on average. So self-normalisation is a
# contract with conditions: standardised inputs, LeCun-normal weights, a plain stack of dense layers, and nothing that disturbs the statistics. You build the network first; then we break the conditions one by one.

# %% [markdown] role="card" exercise="selu_mlp" level=2 minutes=12 topic="Self-normalisation" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.SELU.html"
# ### A self-normalising network
#
# From `sizes = [n_in, hidden, ..., n_out]` build an `nn.Sequential` of `nn.Linear` and `nn.SELU` in turn: one linear layer for each neighbouring pair of sizes, an `nn.SELU` behind each **but the last**, whose output stays linear.
#
# All weights, the last layer's too: LeCun's **normal** draw, $\sigma = 1/\sqrt{f_\text{in}}$. All biases: present, and 0. All parameters stay trainable. `sizes` has at least two entries and stays as it is; with two, the network is a single linear layer.


# %% role="stub" exercise="selu_mlp"
def selu_mlp(sizes: list[int]) -> nn.Sequential:
    """Plain self-normalising network (Klambauer et al., 2017).

    Args:
        sizes: numbers of units from the input to the output, at least two.

    Returns:
        Linear → SELU → ... → Linear, with LeCun-normal weights and zero biases.
    """
    ### BEGIN SOLUTION
    layers = []
    for fan_in, fan_out in pairwise(sizes):
        linear = nn.Linear(fan_in, fan_out)
        nn.init.kaiming_normal_(linear.weight, nonlinearity="linear")
        nn.init.zeros_(linear.bias)
        layers += [linear, nn.SELU()]
    return nn.Sequential(*layers[:-1])
    ### END SOLUTION


# %% role="check" exercise="selu_mlp"
with Check("selu_mlp") as check:
    torch.manual_seed(0)
    model = selu_mlp([400, 300, 200, 10])
    check.is_a(model, nn.Sequential)
    kinds = [type(m).__name__ for m in model]
    check.that(
        kinds != ["Linear", "SELU"] * 3,
        "There is a SELU behind the last layer: its output should stay linear.",
    )
    check.that(
        kinds == ["Linear", "SELU", "Linear", "SELU", "Linear"],
        f"For four sizes it should be Linear, SELU, Linear, SELU, Linear, but it is {', '.join(kinds)}.",
    )
    check.shape(model(torch.randn(5, 400)), (5, 10))
    for place, (fan_in, fan_out) in zip(
        (0, 2, 4), ((400, 300), (300, 200), (200, 10)), strict=True
    ):
        weight = model[place].weight
        check.shape(weight, (fan_out, fan_in))
        check.close(
            weight.std().item(),
            fan_in**-0.5,
            f"The standard deviation of the weights from {fan_in} to {fan_out} units is off.",
            known=[
                ((2 / fan_in) ** 0.5, "That is He's draw. SELU wants LeCun's variance 1/f_in."),
                (
                    fan_out**-0.5,
                    "The weights were drawn by fan-out. LeCun's rule takes fan-in.",
                ),
                (
                    (3 * fan_in) ** -0.5,
                    f"From {fan_in} to {fan_out} units that is PyTorch's default draw.",
                ),
                (
                    (2 / (fan_in + fan_out)) ** 0.5,
                    "That is Glorot's average of both fans. LeCun uses fan-in alone.",
                ),
                (
                    1 / fan_in,
                    "The variance 1/f_in was passed where a standard deviation belongs.",
                ),
                (0.75 * fan_in**-0.5, "A gain of 3/4 is in your draw. LeCun's rule has none."),
            ],
            rtol=max(0.03, 6 / math.sqrt(2 * weight.numel())),  # six standard deviations
        )
        check.that(model[place].bias is not None, "The biases should be there, and be 0.")
        check.that((model[place].bias == 0).all(), "The biases should be 0.")
    first = model[0].weight
    check.that(
        first.abs().max() > 3 * first.std(),
        "The draw is not normal: it has no tails beyond 3σ.",
    )


# %% [markdown] role="hints" exercise="selu_mlp"
# <details><summary>Hint 1: pairs</summary>
#
# `pairwise([784, 100, 10])` gives (784, 100) and (100, 10): fan-in and fan-out of each layer.
#
# </details>
# <details><summary>Hint 2: the draw</summary>
#
# You wrote LeCun's draw in the last lesson. In `nn.init`, take the normal draw named after Kaiming He, with `nonlinearity="linear"`, which sets its gain to 1.
#
# </details>
# <details><summary>Hint 3: the last layer</summary>
#
# Collect the modules in a list, a linear layer and a SELU for each pair, and leave out the last entry when you build the `nn.Sequential`.
#
# </details>

# %% role="test" exercise="selu_mlp" points=3
# Graded with hidden tests: fifty layers, other sizes, the draw, biases, what is trainable.
### BEGIN HIDDEN TESTS
with HiddenTest("selu_mlp") as test:

    def built(sizes):
        """The model, once its form is right."""
        want, kept = (["Linear", "SELU"] * (len(sizes) - 1))[:-1], list(sizes)
        model = selu_mlp(sizes)
        test.is_a(model, nn.Sequential)
        test.that(list(sizes) == kept, "The list `sizes` has changed: leave it as it is.")
        kinds = [type(m).__name__ for m in model]
        test.that(
            kinds != [*want, "SELU"],
            "There is a SELU behind the last layer: it should be linear.",
        )
        test.that(
            kinds == want,
            f"{len(sizes)} sizes should give {', '.join(want[:5])} ..., one Linear a pair of sizes, "
            f"but they give {len(kinds)} modules: {', '.join(kinds[:7])} ...",
        )
        return model

    for sizes in ([700, 250, 400], [300, 600], [900, 200, 500, 100]):
        model = built(sizes)
        test.shape(model(torch.randn(3, sizes[0])), (3, sizes[-1]))
        test.that(
            all(p.requires_grad and p.is_leaf for p in model.parameters()),
            "All parameters should be trainable leaves.",
        )
        for place, (fan_in, fan_out) in enumerate(pairwise(sizes)):
            layer = model[2 * place]
            which = "the last layer" if place == len(sizes) - 2 else f"layer {place + 1}"
            weight = layer.weight.detach()
            test.shape(weight, (fan_out, fan_in))
            sigma = fan_in**-0.5
            for lengths in (weight.norm(dim=0), weight.norm(dim=1)):
                test.that(
                    lengths.std() > 1e-3 * lengths.mean(),
                    f"In {which} all rows or columns have the same length: draw each weight independently.",
                )
            test.close(
                weight.std().item(),
                sigma,
                f"The weights of {which} do not have the standard deviation 1/√f_in.",
                known=[
                    (sigma * math.sqrt(2), f"In {which} that is He's draw; SELU wants 1/f_in."),
                    (sigma / math.sqrt(3), f"In {which} that is PyTorch's default draw."),
                    (fan_out**-0.5, f"In {which} the fan-out was taken for the fan-in."),
                ],
                rtol=0.03,
            )
            test.that(
                abs(weight.mean().item()) < 0.03 * sigma,
                f"The weights of {which} are not centred.",
            )
            tails = (weight.abs() > 2 * sigma).float().mean().item()
            test.that(
                0.038 < tails < 0.054,
                f"The weights of {which} are not normal: 4.6 % should lie beyond 2σ.",
            )
            test.that(layer.bias is not None, f"The bias of {which} is missing.")
            test.shape(layer.bias, (fan_out,))
            test.that(bool((layer.bias == 0).all()), f"The biases of {which} are not 0.")
    deep = built([300] * 52)
    with torch.no_grad():
        hidden = torch.randn(300, 300)
        for module in deep[:-1]:
            hidden = module(hidden)
            if isinstance(module, nn.SELU):
                test.that(
                    abs(hidden.mean().item()) < 0.3 and 0.75 < hidden.std().item() < 1.3,
                    "Behind some of 50 layers mean and standard deviation are not near 0 and 1.",
                )
        out = deep(torch.randn(300, 300))
    test.that(
        out.min() < -2, "The output seems to pass through an activation: it should be linear."
    )
    one, two = built([20, 20, 20]), built([20, 20, 20])
    test.that(
        not torch.equal(one[0].weight, two[0].weight),
        "Two networks start with the same weights: do not fix the seed inside.",
    )
    test.that(
        not torch.equal(one[0].weight, one[2].weight), "Two layers have the same weights."
    )
    one(torch.randn(4, 20)).sum().backward()
    test.that(
        all(p.grad is not None for p in one.parameters()), "Some parameters get no gradient."
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="selu_mlp"
# The derivation needs the mean square of a unit's incoming weights to be $1/f_\text{in}$ and their mean 0; independence and many inputs do the rest through the central limit theorem. The last layer has no SELU, because its outputs are logits: a floor at
# $-1.76$ and a mean pinned to 0 are the last thing they need. It still takes LeCun's variance, so the first logits have variance 1. (`kaiming_normal_`'s `nonlinearity="selu"` has a gain of 3/4 instead of 1. That is in the corridor, but its fixed point is far below 1. Do not use it here.)


# %% [markdown]
# ### The contract, and ten ways to break it
#
# Fifty SELU layers of 100 units, a batch of 512 images, before any training. One condition at a time is violated, and we look at the standard deviation over all numbers of a layer, which the contract promises to be 1. The table adds the
# mean and, as `signal`, the standard deviation from image to image, unit by unit, as in the last lesson.
#
# **Predict, then run.** The theory says: "inputs must be standardised". Feed raw pixels from 0 to 255, and where is the standard deviation after 50 layers? Sort the ten into harmless and harmful before you scroll.


# %%
class Skip(nn.Module):
    """x + selu(W x), where the shapes allow it."""

    def __init__(self, dense):
        super().__init__()
        self.dense = dense

    def forward(self, x):
        new = F.selu(self.dense(x))
        return x + new if x.shape == new.shape else new


def broken(violation, depth=50, width=100):
    """A list of `depth` blocks: LeCun-normal SELU layers, with one condition violated."""
    blocks = []
    for n_in, n_out in pairwise([n_inputs] + [width] * depth):
        dense = nn.Linear(n_in, n_out)
        if violation != "PyTorch's default":
            gain = {"He's draw": math.sqrt(2), "weights × 0.8": 0.8}.get(violation, 1.0)
            dense.bias.data.zero_()
            dense.weight.data.normal_(0, gain / math.sqrt(n_in))
        if violation == "Glorot, uniform":
            nn.init.xavier_uniform_(dense.weight)
        if violation == "max-norm ½":
            dense.weight.data.renorm_(2, 0, 0.5)
        extra = {
            "batch norm": lambda n=n_out: [nn.BatchNorm1d(n), nn.SELU()],
            "dropout 10 %": lambda: [nn.SELU(), nn.Dropout(0.1)],
            "alpha dropout 10 %": lambda: [nn.SELU(), nn.AlphaDropout(0.1)],
        }.get(violation, lambda: [nn.SELU()])()
        blocks.append(
            Skip(dense) if violation == "skip connections" else nn.Sequential(dense, *extra)
        )
    return nn.ModuleList(blocks).to(device)


def contract(violation, seed):
    """Mean, standard deviation and signal behind each layer, in training mode; layers that start at 0."""
    torch.manual_seed(seed)
    hidden = images
    if violation == "raw pixels 0–255":
        hidden = data.train.images[:512].flatten(1).float()
    rows = []
    for layer, block in enumerate(broken(violation), start=1):
        hidden = block(hidden).detach()
        rows.append(
            {
                "layer": layer,
                "mean": hidden.mean().item(),
                "std": hidden.std().item(),
                "signal": hidden.std(dim=0).mean().item(),
            }
        )
    return rows


KEPT = [
    "as prescribed",
    "raw pixels 0–255",
    "Glorot, uniform",
    "alpha dropout 10 %",
    "batch norm",
]
MOVED = [
    "dropout 10 %",
    "weights × 0.8",
    "PyTorch's default",
    "He's draw",
    "max-norm ½",
    "skip connections",
]
contracts = lab.sweep(contract, {"violation": KEPT + MOVED}, seeds)


# %%
def plot_contracts(frame):
    fig, axes = lab.figure(2, 1, height=2.7)
    for ax, group, verdict in zip(axes, (KEPT, MOVED), ("kept", "broken"), strict=True):
        lab.band(
            frame[frame.violation.isin(group)], "layer", "std", by="violation", ax=ax, log=True
        )
        ax.axhline(1, color="grey", linewidth=0.8)
        ax.set(title=f"The promise is {verdict}", ylabel="standard deviation")
    axes[0].set(ylim=(0.3, 150), xlabel="")
    axes[1].set(ylim=(1e-8, 1e9))
    return fig


lab.show(
    plot_contracts(contracts),
    alt="Standard deviation over all numbers of a layer for 50 SELU layers, two panels. Above: five networks that end at 1; raw pixels start "
    "near 70 and are back at 1 after about 20 layers. Below, on a scale of 17 powers of ten: with dropout the line stays just above 1, with pressed weights (0.35) and PyTorch's "
    "default (0.13) somewhat below; He's draw climbs to some tens, max-norm falls below 1e-7, skip connections rise above 1e7.",
)
table = contracts[contracts.layer == 50].groupby("violation", sort=False)
table[["mean", "std", "signal"]].mean().map(lambda v: f"{v:.3g}")

# %% [markdown]
# The theory of the corridor explains all of it, and some famous conditions turn out to be harmless *for this promise*:
#
# - **Raw pixels, 0 to 255**, start seventy times too large and are back at 1 after some twenty layers: the fixed point attracts. Standardise all the same, for the first layers' sake: their gradients feel the factor.
# - **Glorot's uniform draw** is LeCun's variance in square layers, and only the variance counts in wide ones. **Batch norm** forces 1 by itself; it makes SELU's trick superfluous rather than breaking it.
# - **Dropout** adds variance in every layer, so the fixed point moves: to a standard deviation of 1.25 at 10 %. Not a disaster, but no longer variance 1. **Alpha dropout** drops to the floor $-\lambda\alpha$ instead of 0, then shifts and rescales: both are kept.
# - **Weights pressed to 0.8** of their size, as L2 or L1 penalties do, stay in the corridor (0.69 to 1.35): a stable length, but 0.35. **Max-norm ½** and **PyTorch's default** (0.58) leave it, and the signal dies. The default's standard deviation of
#   0.13 deceives: its random biases make it, and the last column shows that three millionths depend on the image.
# - **He's draw** lies just above the corridor and grows without end, if slowly. **Skip connections** add to each output an input of about the same size, so that the mean square grows roughly by a factor of 2 in every layer, and more once the means have grown large: about $10^8$ in the standard deviation after fifty.
#
# So the contract has hard conditions (variance of the weights within the corridor, no skip connections) and soft ones. And yours?

# %%
with needs("selu_mlp"):
    torch.manual_seed(0)
    mine = selu_mlp([n_inputs] + [100] * 50 + [n_classes]).to(device)
    hidden = images
    for place, module in enumerate(mine):
        hidden = module(hidden)
        if place in (1, 19, 49, 99):
            print(
                f"yours, layer {place // 2 + 1:2}: mean {hidden.mean():+.3f}, std {hidden.std():.3f}"
            )

# %% [markdown]
# ## Thirty layers, one epoch, no normalisation
#
# Does the length map predict *training*? Four networks of 30 × 100, one epoch over 10,000 images, SGD with momentum, each at its own best rate; judged on test images over ten seeds. SiLU gets two chances: He's
# gain, and the gain that is exactly right for one layer.
#
# **Predict, then run.** Which of the four learn?


# %%
RACERS = {
    "ReLU, He": (nn.ReLU, math.sqrt(2)),
    "SELU, LeCun": (nn.SELU, 1.0),
    "SiLU, He": (nn.SiLU, math.sqrt(2)),
    "SiLU, gain 1.6765": (nn.SiLU, GAINS["SiLU"]),
}


def race(name, lr, seed, judge="valid"):
    torch.manual_seed(seed)
    model = plain(*RACERS[name], depth=30)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    lab.fit(model, small, optimizer, epochs=1, seed=seed, bar=False)
    return {judge: lab.evaluate(model, getattr(small, judge))["accuracy"]}


race_tuning = lab.sweep(
    race,
    {"name": list(RACERS), "lr": budget([1e-4, 3e-4, 1e-3, 3e-3, 1e-2], fast=[1e-3])},
    budget(range(100, 102), fast=[100]),
)
race_rate = lab.best(race_tuning, by="name", over="lr", value="valid").set_index("name")
results = lab.sweep(
    lambda name, seed: race(name, race_rate.lr[name], seed, judge="test"),
    {"name": list(RACERS)},
    budget(range(10), fast=range(2)),
)
ranking = lab.summary(results, "name", "test")
print("validation accuracy at each rate")
print(race_tuning.pivot_table(index="name", columns="lr", values="valid", sort=False).round(3))
print("\ntest accuracy at the best of them")
print(ranking.join(race_rate[["lr", "at_edge"]], on="name").round(4).to_string(index=False))
lab.paired_difference(results, "name", "test", "ReLU, He").round(3)


# %%
def plot_ranking(ranking):
    fig, ax = lab.figure(height=2.4)
    for place, row in enumerate(ranking.itertuples()):
        reach = [[row.mean - row.low], [row.high - row.mean]]
        ax.errorbar(row.mean, place, xerr=reach, fmt="os^D"[place], capsize=4)
    ax.axvline(1 / n_classes, color="grey", linestyle=":", label="guessing")
    ax.set(
        yticks=range(len(ranking)), yticklabels=ranking.name, ylim=(-0.6, len(ranking) - 0.4)
    )
    ax.set(
        xlim=(0, 1), xlabel="test accuracy after one epoch, mean and 95 % interval over seeds"
    )
    ax.legend(loc="lower right")
    return fig


lab.show(
    plot_ranking(ranking),
    alt="Test accuracy of four 30-layer networks with 95 % intervals: SELU with LeCun's draw near 0.73, ReLU with He's near 0.5, "
    "both versions of SiLU near guessing.",
)

# %% [markdown]
# The map predicts training. SELU, which regulates its length, learns in one epoch at this depth without any normalisation, and leads He's ReLU, which merely keeps its length, by some 25 percentage points (ReLU's seeds differ widely, so the interval is wide too).
# SiLU with He's gain guesses at every rate in the first table: its signal is dead before it arrives. (Where every rate guesses, the chosen one is an accident, and `at_edge` says nothing.) With the gain that is right for one layer it hardly gets off the ground.
#
# Do not conclude that SELU is the best activation. In four layers and two epochs above, plain ReLU did well, and with normalisation or skip connections, the next lessons' subjects, SiLU is among the best there are. It is the *plain deep stack* that this race is about.

# %% [markdown]
# ## Play with it
#
# Choose an activation and move the gain. On the left the ratio of one layer (1 is the grey line), on the right fifty layers from three starts. Find the ends of SELU's corridor. Then try to hold SiLU, and watch how every gain fails.

# %%
from ipywidgets import Dropdown, FloatSlider, interact

normal = torch.randn(20_000, generator=torch.Generator().manual_seed(0))


@interact(
    activation=Dropdown(options=list(MODULES), value="SELU"),
    gain=FloatSlider(1.0, min=0.4, max=2.4, step=0.05, continuous_update=False),
)
def explore(activation, gain):
    f, weights = MODULES[activation], torch.Generator().manual_seed(1)
    lengths = torch.logspace(-2, 2, 40)
    ratio = [f(gain * r * normal).square().mean() / r**2 for r in lengths]
    fig, (left, right) = lab.figure(1, 2, height=2.9, title=f"{activation}, gain {gain:.2f}")
    left.plot(lengths, ratio)
    left.axhline(1, color="grey", linewidth=0.8)
    left.set(xscale="log", xlabel="rms of the inputs", ylabel="L(q) / q", ylim=(0, 4))
    matrices = gain / math.sqrt(200) * torch.randn(50, 200, 200, generator=weights)
    for start in (4.0, 1.0, 0.25):
        hidden, rms = start * normal[:6_400].view(32, 200), [start]
        for matrix in matrices:
            hidden = f(hidden @ matrix)
            rms.append(hidden.square().mean().sqrt().item())
        right.semilogy(np.clip(rms, 1e-8, 1e8), label=f"start at {start:g}")
    right.set(xlabel="layer", ylabel="rms", ylim=(1e-6, 1e6))
    right.legend(fontsize=9)
    lab.show(
        fig,
        alt=f"{activation} with gain {gain:.2f}: ratio L(q)/q of one layer against the rms of its inputs, and the rms over 50 layers from three starts.",
    )


# %% [markdown] role="question" exercise="holding_signals" minutes=15
# ### What holds a signal?
#
# In your own words, at most ten sentences: (a) A colleague's loss falls steadily, yet half of their ReLU units output 0 for all images. How can both be true, and may such a unit come back? (b) Explain with the
# ratio $L(q)/q$ why SELU corrects a signal that starts too long or too short, why ReLU merely keeps the error, and why no gain rescues SiLU in a deep plain network. (c) In training, dropout with probability $p$ divides the mean square
# by $1 - p$ on average. To which gain does that correspond in a SELU network with LeCun's draw? From which $p$ on does the network leave its corridor, and what do you expect then behind 50 layers, in training and in evaluation mode? What would you advise?

# %% [markdown] role="answer" exercise="holding_signals" points=3
# (a) A unit is dead if its pre-activation is at most 0 for every input; it then contributes nothing and gets no gradient, but the other units go on learning, and the loss only sees the network as a whole, which
# looks like a smaller or slower one. It may come back if the layers below move so that its inputs change; nothing pushes it, because no gradient reaches its own weights. (b) The ratio says by what factor a layer multiplies the mean
# square. SELU's falls through 1: signals that are too long shrink and those that are too short grow, so the fixed point is stable and attracts. ReLU is homogeneous, its ratio is constant (1 for He's gain), so an error
# in length is neither corrected nor enlarged. SiLU's ratio rises from $g^2/4$ to $g^2/2$: for $g \le \sqrt 2$ it is below 1 everywhere and the signal dies, for $g \ge 2$ above 1 everywhere and it explodes, and in between
# the fixed point is unstable, so any small deviation, which finite width alone supplies, is driven apart. (c) The next layer sees a mean square larger by $1/(1-p)$, as if
# its gain were $g = 1/\sqrt{1-p}$. That leaves the corridor when $g > 1.346$, so $1 - p < 0.552$: from $p \approx 0.45$ on. Below, the fixed point moves up (to a standard deviation of about 1.25 at 10 %) but stays stable; above,
# with dropout of 50 % say ($g = \sqrt 2$, like He's draw), the signal grows from layer to layer without end, by about 10 % of its mean square. In evaluation mode nothing is dropped and the standard deviation is 1 again, so the last layers
# see other lengths than those they were trained on. I would advise alpha dropout, which keeps mean and variance in training too.

# %% [markdown]
# ## What we measured
#
# Every figure that the text above relies on, asserted on this machine, with a margin.

# %%
kicked, calm = (careers[careers.name == name] for name in ("one step of 2", "η = 0.01"))
tail = careers[careers.step > 120].groupby("name").loss.mean().reindex(list(CAREERS))
end = ends.set_index(["name", "seed"])
at_one = measured[np.isclose(measured.s, 1.0)].ratio
flat = measured[measured.name == "ReLU"].ratio
short = measured[measured.s < 0.1].groupby("name").ratio.mean()
long = measured[measured.s > 10].groupby("name").ratio.mean()
last = deep[deep.layer == 50].groupby(["name", "start"]).rms.agg(["min", "max"])
promised = (
    contracts[contracts.violation == "as prescribed"].groupby("layer").mean(numeric_only=True)
)
final = contracts[contracts.layer == 50].groupby("violation").mean(numeric_only=True)
outputs = centred.groupby("name").mean(numeric_only=True)
means = outputs.network.abs()
reached = results.groupby("name").test.mean()
too_large = tuning[tuning.lr == 0.15].groupby("name").valid.mean()

with Claims(data) as claim:
    claim(
        "one step of 2 silences more than a tenth of the units at once",
        kicked[kicked.step == 1].dead.mean() > 0.1,
    )
    claim(
        "two epochs later more than a tenth are dead, and at the rate 0.01 less than a twentieth",
        end.dead["one step of 2"].mean() > 0.1 and end.dead["η = 0.01"].mean() < 0.05,
        weaker=end.dead["one step of 2"].mean() > end.dead["η = 0.01"].mean(),
    )
    claim(
        "with the rate 0.1 more than half of the units that were ever dead came back",
        end["came back"]["η = 0.1"].mean() > 0.5 * end["ever dead"]["η = 0.1"].mean(),
        weaker=end["came back"]["η = 0.1"].mean() > 0,
    )
    claim(
        "the damaged network's loss jumps above 4, comes back below 2, and stays above the other's",
        kicked.loss.max() > 4 and 1.2 * tail["η = 0.01"] < tail["one step of 2"] < 2,
        weaker=kicked.loss.max() > calm.loss.mean(),
    )
    claim(
        "after the bad step the first layer has the fewest dead units, on all images",
        not dead_by_layer or dead_by_layer[0] < min(dead_by_layer[1:]),
        weaker=not dead_by_layer or dead_by_layer[0] <= max(dead_by_layer),
    )
    claim(
        "it ends below the undamaged one in accuracy",
        end.accuracy["one step of 2"].mean() < end.accuracy["η = 0.01"].mean() - 0.02,
        weaker=end.accuracy["one step of 2"].mean() < end.accuracy["η = 0.01"].mean(),
    )
    claim(
        "at its own best rate no member of the family is more than 3 points from ReLU",
        (family.groupby("name").test.mean() - family[family.name == "ReLU"].test.mean())
        .abs()
        .max()
        < 0.03,
        weaker=family.test.min() > 0.2,
    )
    claim(
        "learned slopes change the gap between training and test by less than 5 points",
        gaps["mean"].abs().max() < 0.05,
        weaker=gaps["mean"].abs().max() < 0.3,
    )
    claim(
        "at the rate of 0.15 the leaky ReLU with slope 0.2 does not learn",
        too_large["leaky 0.2"] < 0.3,
        weaker=too_large["leaky 0.2"] < tuning[tuning.lr == 0.01].valid.max(),
    )
    claim(
        "for standardised z ELU's mean output is nearer to 0 than ReLU's: 0.16 and 0.40",
        abs(outputs["N(0, 1)"]["ELU"] - 0.16) < 0.01
        and abs(outputs["N(0, 1)"]["ReLU"] - 0.40) < 0.01,
    )
    claim(
        "behind two layers of a network tanh and SELU are nearest to 0, then ELU and SiLU, then the ReLUs",
        max(means["tanh"], means["SELU"])
        < min(means["ELU"], means["SiLU"])
        <= max(means["ELU"], means["SiLU"])
        < means["leaky 0.2"]
        < means["ReLU"],
        weaker=means["ELU"] < 0.85 * means["ReLU"],
    )
    claim(
        "with its own gain every activation has L(q)/q = 1 at s = 1, within 5 % in a real layer",
        (at_one - 1).abs().max() < 0.05,
    )
    claim("ReLU's ratio is 1 at every length, within 5 %", (flat - 1).abs().max() < 0.05)
    claim(
        "tanh, SELU and ELU fall through 1; GELU and SiLU rise",
        all(short[n] > 1.1 > 0.9 > long[n] for n in ("tanh", "SELU", "ELU"))
        and all(short[n] < 0.9 < 1.1 < long[n] for n in ("GELU", "SiLU")),
    )
    claim(
        "SELU: from half and from twice the length, 50 layers lead back within 15 %",
        last.loc["SELU", "min"].min() > 0.85 and last.loc["SELU", "max"].max() < 1.15,
    )
    claim(
        "it takes ten layers to come within 10 %, on average over the seeds",
        (deep[(deep.name == "SELU") & (deep.layer == 10)].groupby("start").rms.mean() - 1)
        .abs()
        .max()
        < 0.1,
    )
    claim(
        "SiLU: from half the length below 1/500, from twice the length above 500",
        last.loc[("SiLU", 0.5), "max"] < 1 / 500 and last.loc[("SiLU", 2.0), "min"] > 500,
    )
    claim(
        "SiLU at the right length: some inputs fall below 1/100, others exceed 100",
        balanced.shortest.max() < 0.01 and balanced.longest.min() > 100,
    )
    claim(
        "ReLU: twice and half stay apart by a factor of 4, within 1 %",
        np.allclose(
            deep[(deep.name == "ReLU") & (deep.layer == 50) & (deep.start == 2)].rms.to_numpy()
            / deep[
                (deep.name == "ReLU") & (deep.layer == 50) & (deep.start == 0.5)
            ].rms.to_numpy(),
            4,
            rtol=0.01,
        ),
    )
    claim(
        "SELU's corridor of gains runs from 0.69 to 1.35, tanh's from 1, ELU's from 1 to √2, SiLU's from √2 to 2",
        np.allclose(
            corridor.loc[["ELU", "SiLU"], ["g from", "g to"]], [[1, 2**0.5], [2**0.5, 2]]
        )
        and np.allclose(corridor.loc["tanh", ["g from", "g to"]].astype(float), [1, np.inf])
        and abs(corridor.loc["SELU", "g from"] - 0.69) < 0.005
        and abs(corridor.loc["SELU", "g to"] - 1.346) < 0.005,
    )
    claim(
        "SELU's two equations give PyTorch's constants",
        abs(scale * F.elu(torch.tensor(1.0)).item() - F.selu(torch.tensor(1.0)).item()) < 1e-6
        and abs(scale * alpha + far_left) < 1e-6,
    )
    claim(
        "SELU as prescribed: mean within 0.2 of 0 and standard deviation within 0.2 of 1, in all 50 layers",
        promised["mean"].abs().max() < 0.2 and (promised["std"] - 1).abs().max() < 0.2,
    )
    claim(
        "raw pixels, Glorot, alpha dropout and batch norm end within 0.25 of 1",
        all(abs(final["std"][name] - 1) < 0.25 for name in KEPT),
    )
    claim(
        "dropout of 10 % moves the standard deviation to 1.25, weights × 0.8 to 0.35, within 0.12",
        abs(final["std"]["dropout 10 %"] - 1.25) < 0.12
        and abs(final["std"]["weights × 0.8"] - 0.35) < 0.12,
    )
    claim(
        "PyTorch's default: less than 1/10,000 of the signal is left; max-norm ½: less than 1e-6",
        final.signal["PyTorch's default"] < 1e-4 and final["std"]["max-norm ½"] < 1e-6,
    )
    claim(
        "He's draw exceeds 5, skip connections exceed a million",
        final["std"]["He's draw"] > 5 and final["std"]["skip connections"] > 1e6,
    )
    claim(
        "30 layers, one epoch: SELU beats He's ReLU by more than 10 points",
        reached["SELU, LeCun"] > reached["ReLU, He"] + 0.1,
        weaker=reached["SELU, LeCun"] > reached["ReLU, He"],
    )
    claim(
        "SiLU with He's gain guesses, at every rate that was tried",
        reached["SiLU, He"] < 0.2
        and race_tuning[race_tuning.name == "SiLU, He"].valid.max() < 0.2,
    )
    claim(
        "SiLU with the gain of one layer stays below 0.4",
        reached["SiLU, gain 1.6765"] < 0.4,
    )

# %% [markdown]
# ## In short
#
# | activation | left of 0 | dies? | $g$ that holds depth | fixed point |
# |---|---|---|---|---|
# | ReLU | 0 | yes | $\sqrt 2$ (He) exactly | neutral |
# | leaky, PReLU, RReLU | $\alpha z$: fixed, learned, drawn | no | $\sqrt{2/(1+\alpha^2)}$ exactly | neutral |
# | ELU | $\alpha(e^z - 1)$ | no | 1 to $\sqrt 2$ ($\alpha = 1$) | stable |
# | tanh | saturates on both sides | no, it saturates | above 1 | stable |
# | SELU | $\lambda\alpha(e^z - 1)$ | no | 0.69 to 1.35; use 1 (LeCun) | stable, at mean 0 and variance 1 |
# | SiLU, GELU | dips, then 0 | no | none | unstable |
#
# - A dead ReLU outputs 0 for every input. Too large a step makes it, the loss does not name it, luck in the layers below may revive it. Count on many images.
# - A leak prevents death, not divergence. Choose the learning rate first.
# - `torch.where` does not protect the gradient: keep bad numbers out of the unused branch.
# - Plot $L(q)/q$: flat keeps an error, falling mends it, rising enlarges it.
# - SELU holds 50 layers by itself if the weights are LeCun's and nothing is added. It tolerates inputs of almost any scale, a gain within its corridor, and no skip connections.
#
# **Read on.** Maas, Hannun and Ng (2013) on leaky ReLU. He, Zhang, Ren and Sun (2015) on PReLU. Xu, Wang, Chen and Li (2015) on RReLU. Clevert, Unterthiner and Hochreiter (2016) on ELU. Poole, Lahiri, Raghu,
# Sohl-Dickstein and Ganguli (2016) on the length map. Klambauer, Unterthiner, Mayr and Hochreiter (2017) on SELU. The next lesson is about the smooth ones, GELU, SiLU and Mish, and about gates.

# %%
lab.show_progress("ch01")
