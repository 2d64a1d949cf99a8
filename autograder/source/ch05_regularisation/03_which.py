# ---
# jupyter:
#   lesson:
#     title: Which one? What regularisation buys
#     minutes: 100
# ---

# %% [markdown]
# A thousand labelled images, a network with ninety thousand weights, and the usual result: 98 % right on the images it was trained on, 80 % on others. The literature offers a dozen cures. You have met weight decay, L1 and dropout;
# this lesson adds early stopping, max-norm and label smoothing, looks at batch norm from this side, and then asks the question that is seldom asked of all of them at once: **what do you get for it?**
#
# The answer is not the one in the brochure. It needs three measures instead of one, intervals instead of single runs, and a control experiment that most comparisons leave out. You will
#
# - stop a training at the right moment, and bring the best weights back,
# - keep each unit's weights inside a ball,
# - soften labels, and see what a network then believes,
# - put nine methods into one fair table, with accuracy, likelihood and calibration,
# - compete with all of them by fitting a single number,
# - find out who is not beaten by anybody.
#
# You need: the two lessons before (weight decay, the proximal step of L1, dropout, MC dropout, the expected calibration error), the intervals of earlier chapters, and some patience.

# %% role="setup"
import copy
import math
import time
from numbers import Number

import numpy as np
import pandas as pd
import torch
from IPython.display import display
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget, needs

# %%
device = lab.device()
data = lab.fashion_mnist(flat=True).to(device)
N, STEPS, BATCH, RATE = budget(1_000, fast=200), budget(400, fast=40), 50, 0.002
SEEDS = budget(range(6), fast=range(2))
n_inputs, n_classes = data.train[:1][0].shape[1], len(data.classes)
cut = 2 * len(data.valid) // 5
choose_x, choose_y = data.valid[:cut]  # 2,000 images to choose by
look_x, look_y = data.valid[cut:]  # 3,000 others to look at
test_x, test_y = data.test[: budget(5_000, fast=400)]  # for the last word
data

# %% [markdown]
# ## Seven doors into a training loop
#
# Regularisation is whatever makes a network fit the training set *less well* in the hope that it does better elsewhere. It can enter a training at seven places, and the loop below has a door for each: (1) the data that go in, (2) the network, (3) the loss, (4) the optimiser, (5) the weights after each step, (6) the moment of
# stopping, and (7) the moment of prediction, when training is over.
#
# Every run draws its own training images from the 55,000 *and* its own initial weights. So our intervals include the luck of the draw, which with 1,000 images is the larger part of all luck.


# %%
def draw(n, seed):
    """n training images and their labels, drawn by `seed` from the whole training split."""
    order = torch.randperm(len(data.train), generator=torch.Generator().manual_seed(seed))
    return data.train[order[:n].to(device)]


def network(dropout=0.0, batch_norm=False, width=100):
    """Two hidden layers, (B, 784) -> (B, 10)."""
    layers, size = [], n_inputs
    for _ in range(2):
        layers += [nn.Linear(size, width)]
        layers += [nn.BatchNorm1d(width)] if batch_norm else []
        layers += [nn.ReLU()] + ([nn.Dropout(dropout)] if dropout else [])
        size = width
    return nn.Sequential(*layers, nn.Linear(size, n_classes)).to(device)


def mixed(x, y, alpha):
    """Mixup (Zhang et al., 2018): each image blended with another one, and their one-hot labels alike."""
    share = np.random.default_rng(torch.randint(2**31, ()).item()).beta(alpha, alpha)
    other = torch.randperm(len(y), device=y.device)
    targets = F.one_hot(y, n_classes).to(x.dtype)
    return share * x + (1 - share) * x[other], share * targets + (1 - share) * targets[other]


def train(
    seed,
    *,
    n=N,
    lr=RATE,
    steps=STEPS,
    mixup=0.0,  # door 1
    dropout=0.0,  # door 2
    batch_norm=False,
    smoothing=0.0,  # door 3
    l1=0.0,
    weight_decay=0.0,  # door 4
    max_norm=None,  # door 5
    shrink=0.0,
    on_step=None,  # door 6
):
    """One training from a draw and an initialisation of its own; returns the network, in evaluation mode."""
    x, y = draw(n, seed)
    torch.manual_seed(seed)
    model = network(dropout, batch_norm)
    weights = [layer.weight for layer in model if isinstance(layer, nn.Linear)]
    rest = [p for p in model.parameters() if all(p is not w for w in weights)]
    groups = [
        {"params": weights, "weight_decay": weight_decay},
        {"params": rest, "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW(groups, lr=lr, fused=True)
    order = torch.empty(0, dtype=torch.int64, device=device)
    for step in range(1, steps + 1):
        if len(order) < BATCH:
            order = torch.cat([order, torch.randperm(len(y)).to(device)])
        index, order = order[:BATCH], order[BATCH:]
        inputs, targets = mixed(x[index], y[index], mixup) if mixup else (x[index], y[index])
        loss = F.cross_entropy(model(inputs), targets, label_smoothing=smoothing)
        if l1:
            loss = loss + l1 * sum(w.abs().sum() for w in weights)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for w in weights:
                if max_norm:
                    w.copy_(torch.renorm(w, p=2, dim=0, maxnorm=max_norm))
                if shrink:
                    w.copy_(F.softshrink(w, lr * shrink))
        if on_step is not None and on_step(step, model):
            break
    return model.eval()


# %% [markdown]
# Three measures, all on images that were not trained on. **Accuracy** counts the hits. The **negative log-likelihood** (NLL), the mean of $-\log p_\text{label}$, also asks with which probability the network hit or missed: $\log 10 = 2.3$ is what you get for always saying one tenth. The **expected calibration error** (ECE) of the last lesson
# asks whether among the predictions made with 90 % confidence nine in ten are right: confidence and accuracy are compared in 15 equal bins (closed on the right, as there), and their distances averaged with the bins' sizes as weights.


# %%
def calibration_error(p, y, bins=15):
    """Expected calibration error of probabilities (N, C); bins are closed on the right, as in the last lesson."""
    confidence, guess = p.max(1)
    gap = confidence - (guess == y).to(p.dtype)
    bin_of = (confidence * bins).ceil().long().clamp(1, bins) - 1
    return (
        torch.zeros_like(p[0, 0]).expand(bins).clone().index_add(0, bin_of, gap).abs().sum()
        / len(y)
    ).item()


def measures(log_p, y):
    """Accuracy, NLL and ECE of log-probabilities or logits (N, C)."""
    log_p = log_p.log_softmax(1)
    return {
        "accuracy": (log_p.argmax(1) == y).float().mean().item(),
        "nll": F.nll_loss(log_p, y).item(),
        "ece": calibration_error(log_p.exp(), y),
    }


@torch.no_grad()
def scores(model, x):
    """Logits in evaluation mode; the modes are left as they were before."""
    training = model.training
    logits = model.eval()(x)
    model.train(training)
    return logits


# %% [markdown]
# ## What goes wrong, and when
#
# First the patient without any medicine: 20 passes over 1,000 images, six runs, a look every ten steps at the training images and at 3,000 others.
#
# **Predict, then run.** Training loss falls all the time, of course. At which step does the loss on other images turn? And when the accuracy?


# %%
def watched(seed, every=10):
    """A run with a look every ten steps at the training images and at two sets of others."""
    x, y = draw(N, seed)
    rows = []

    def look(step, model):
        if step % every == 0:
            train_now, choose, other = (
                measures(scores(model, images), labels)
                for images, labels in ((x, y), (choose_x, choose_y), (look_x, look_y))
            )
            rows.append(
                {
                    "step": step,
                    **{f"train_{name}": value for name, value in train_now.items()},
                    **{f"choose_{name}": value for name, value in choose.items()},
                    **other,
                }
            )

    plain_nets[seed] = train(seed, on_step=look)
    return rows


plain_nets = {}  # kept for later
curves = lab.repeat(watched, SEEDS)


# %%
def plot_curves(curves):
    fig, axes = lab.figure(1, 3, height=3)
    names = {"nll": "NLL", "accuracy": "accuracy", "ece": "ECE"}
    for ax, (name, label) in zip(axes, names.items(), strict=True):
        for column in (f"train_{name}", name):
            lab.band(curves, "step", column, ax=ax, ylabel=label, legend=False)
        ax.set_title(label)
    lines, _ = axes[0].get_legend_handles_labels()
    axes[0].legend(lines, ["training images", "other images"], fontsize=9, handlelength=3)
    return fig


lab.show(
    plot_curves(curves),
    alt="Three panels against the step, training images solid, other images dashed. NLL: on "
    "training images it falls towards 0; on others it falls to 0.57 near step 110 and climbs "
    "to 0.8. Accuracy: towards 0.98 on training images, level at 0.8 from step 150 on for "
    "others. ECE: on other images it falls at first, then climbs to 0.11.",
)
by_step = curves.groupby("step")[
    ["train_nll", "nll", "train_accuracy", "accuracy", "ece"]
].mean()
turn = int(by_step.nll.idxmin())
by_step.loc[
    sorted({turn, by_step.index[0], by_step.index[len(by_step) // 2], by_step.index[-1]})
].round(3)

# %% [markdown]
# The loss on other images is at its best near step 110, after five passes over the data, and then climbs for the rest of the run, from 0.57 to 0.79. Accuracy does nothing of the kind: it is 0.795 at that step, and 0.806 at the end. **The loss gets worse while the decisions get, if anything, better.**
#
# The third panel says why. The network is right as often as before, and ever more sure of itself: the calibration error goes from 0.03 to 0.11. Once the training images are classified correctly, there is only one way left to lower their loss, which is to make all logits larger. On other images the same growth makes each mistake more expensive.
#
# Remember this picture. It is most of what this lesson has to explain.
#
# ## Stop, and go back
#
# If the loss on other images has its best moment behind it, stop. That is **early stopping**, the cheapest regulariser there is: it saves time instead of costing it. Two details decide whether it works.
#
# The loss is noisy, so the first rise means nothing. One waits: **patience** is the number of looks in a row that may pass without a new best value. And when patience has run out, the weights are by definition not the best ones any more. So one keeps a **copy of the best weights**, and brings them back.

# %% [markdown] role="card" exercise="EarlyStopping" level=2 minutes=15 topic="Early stopping" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html#torch.nn.Module.state_dict"
# ### Early stopping, with the best weights kept
#
# Write a class that watches a validation loss. After each look at it, a training loop calls `update(loss, state)`, where `state` is `model.state_dict()`:
#
# - A loss **improves** if it lies below the best one so far by more than `min_delta`. Then it becomes the new best, and you keep it (`best_loss`), the number of this look (`best_look`, the first look is 1) and
#   a **copy** of the weights (`best_state`, a dict with the same keys). If not, all three stay as they are.
# - `update` returns `True`, stop, if `patience` looks *in a row* brought no improvement, otherwise `False`.
#
# Before the first look the three are `math.inf`, 0 and `None`. A loss of `nan` is no improvement. To restore the best weights, the loop calls `model.load_state_dict(stopper.best_state)`.
#
# (Conventions: some libraries stop when *more than* `patience` looks were in vain. Ours stops when that number is reached, as Keras and Lightning do.)


# %% role="stub" exercise="EarlyStopping"
class EarlyStopping:
    """Says when a validation loss has stopped improving, and keeps the best weights.

    Args:
        patience: looks in a row without an improvement after which to stop, at least 1.
        min_delta: an improvement lies below the best loss by more than this.

    Attributes:
        best_loss: the loss of the last improvement; math.inf before the first.
        best_look: its number, where the first call of `update` has number 1; 0 before.
        best_state: a copy of the weights it came with, a dict of tensors; None before.
    """

    def __init__(self, patience: int, min_delta: float = 0.0):
        ### BEGIN SOLUTION
        self.patience, self.min_delta = patience, min_delta
        self.best_loss, self.best_look, self.best_state = math.inf, 0, None
        self.looks = 0
        ### END SOLUTION

    def update(self, loss: float, state: dict[str, torch.Tensor]) -> bool:
        """Note one look at the validation loss; True if it is time to stop.

        Args:
            loss: the validation loss, which may be nan.
            state: the weights it was measured with, `model.state_dict()`; left as it is.
        """
        ### BEGIN SOLUTION
        self.looks += 1
        if loss < self.best_loss - self.min_delta:
            self.best_loss, self.best_look = loss, self.looks
            self.best_state = {name: value.clone() for name, value in state.items()}
        return self.looks - self.best_look >= self.patience
        ### END SOLUTION


# %% role="check" exercise="EarlyStopping"
with Check("EarlyStopping") as check:
    weight = torch.tensor([0.0, 0.0])

    def looks(stopper, losses):
        """What `update` returns for these losses; the weight counts the looks, in place as in training."""
        said = []
        weight.zero_()
        for loss in losses:
            weight.add_(1)
            said.append(stopper.update(loss, {"weight": weight}))
        return said

    stopper = EarlyStopping(patience=2)
    check.that(
        stopper.best_loss == math.inf and stopper.best_look == 0 and stopper.best_state is None,
        "Before the first look `best_loss` should be math.inf, `best_look` 0 and `best_state` None.",
    )
    said = looks(stopper, [1.0, 0.8])
    check.that(
        all(isinstance(value, bool | np.bool_) for value in said),
        f"`update` should return True or False each time, but it returned {said[0]!r}. Is a `return` missing?",
    )
    check.that(not any(said), "While the loss falls, `update` should return False.")
    check.close(
        stopper.best_loss, 0.8, "After losses of 1.0 and 0.8 `best_loss` should be 0.8."
    )
    check.that(
        stopper.best_look == 2,
        f"After losses of 1.0 and 0.8 `best_look` should be 2 (looks count from 1), not {stopper.best_look!r}.",
    )
    check.is_a(
        stopper.best_state, dict, "`best_state` should be a dict of tensors, like `state`."
    )
    check.that(
        list(stopper.best_state) == ["weight"],
        "`best_state` should have the keys of `state`.",
    )
    weight.fill_(77.0)  # training goes on, in the same memory
    check.close(
        stopper.best_state["weight"],
        torch.tensor([2.0, 2.0]),
        "`best_state` should hold the weights of the best look.",
        known=[
            (
                torch.tensor([77.0, 77.0]),
                "Training went on, and `best_state` changed with it: a state_dict, and a copy of the dict alone, share "
                "the memory of the weights. Copy the tensors.",
            ),
            (
                torch.tensor([1.0, 1.0]),
                "`best_state` still holds the weights of the first look.",
            ),
        ],
    )
    stopper = EarlyStopping(patience=2)
    said = looks(stopper, [1.0, 0.8, 0.9, 0.85])
    check.that(
        not said[2],
        "With a patience of 2 the first look that is worse should not stop the training yet.",
    )
    check.that(
        said[3],
        "1.0, 0.8, 0.9, 0.85: the last two looks are both worse than the best, 0.8. With a patience of 2 it is time to stop. "
        "(Compare with the best loss, not with the one before; and stop when `patience` is reached.)",
    )
    check.close(
        stopper.best_state["weight"],
        torch.tensor([2.0, 2.0]),
        "After two looks in vain `best_state` should still hold the weights of the second look.",
        known=[
            (torch.tensor([4.0, 4.0]), "`best_state` holds the last weights, not the best."),
            (torch.tensor([3.0, 3.0]), "`best_state` was replaced by a look that was worse."),
        ],
    )
    said = looks(EarlyStopping(patience=2), [1.0, 1.1, 0.9, 1.0, 0.8, 0.9, 0.95])
    check.that(
        not any(said[:6]),
        "1.0, 1.1, 0.9, 1.0, 0.8, 0.9: no two looks *in a row* were in vain. Start to count anew after each improvement.",
    )
    check.that(said[6], "After 0.8 come 0.9 and 0.95, two looks in vain: stop.")
    said = looks(EarlyStopping(patience=2), [1.0, 1.0, 1.0])
    check.that(
        said[2], "A loss that only equals the best is no improvement: 1.0, 1.0, 1.0 is to stop."
    )
    stopper = EarlyStopping(patience=2, min_delta=0.1)
    said = looks(stopper, [1.0, 0.95, 0.85, 0.8])
    check.that(
        not any(said) and stopper.best_loss == 0.85,
        "With `min_delta=0.1` and losses of 1.0, 0.95, 0.85, 0.8 the best should go from 1.0 to 0.85 and stay there: 0.95 and "
        f"0.8 are too small a gain over the best of their time. Yours is {stopper.best_loss!r}, and `update` said {said}.",
    )


# %% [markdown] role="hints" exercise="EarlyStopping"
# <details><summary>Hint 1: what to remember</summary>
#
# Besides the three public attributes one counter is enough: how many looks there were. How long the last improvement is ago then follows from it and `best_look`.
#
# </details>
# <details><summary>Hint 2: nan</summary>
#
# Every comparison with `nan` is false. Ask "is it better?" (`loss < ...`) rather than "is it not worse?", and `nan` takes care of itself.
#
# </details>
# <details><summary>Hint 3: a copy</summary>
#
# `state_dict()` returns the model's own tensors, and optimisers change them in place. `{name: value.clone() for name, value in state.items()}` or `copy.deepcopy(state)` makes new ones.
#
# </details>

# %% role="test" exercise="EarlyStopping" points=2
# Graded with hidden tests: many courses of a loss, patience, min_delta, nan, several stoppers at once, a real model's state.
### BEGIN HIDDEN TESTS
with HiddenTest("EarlyStopping") as test:

    def follow(stopper, losses):
        said, states = [], []
        for index, loss in enumerate(losses):
            state = {"a.weight": torch.full((2, 3), float(index + 1)), "n": torch.tensor(index)}
            said.append(stopper.update(loss, state))
            states.append(state)
        return said

    def judge(stopper, said, losses, best, patience, story):
        """`best`: for each look, the index of the best so far, or -1."""
        stop = [index - place >= patience for index, place in enumerate(best)]
        first = stop.index(True) if True in stop else len(stop)
        test.that(
            all(isinstance(value, bool | np.bool_) for value in said),
            "`update` should return True or False.",
        )
        test.that(not any(said[:first]), f"The training is stopped too early: {story}")
        if first < len(stop):
            test.that(said[first], f"The training is not stopped in time: {story}")
        place = best[-1]
        test.that(
            stopper.best_look == place + 1,
            f"`best_look` is wrong: looks count from 1, and only an improvement changes it. {story}",
        )
        test.close(
            float(stopper.best_loss),
            losses[place] if place >= 0 else math.inf,
            f"`best_loss` is wrong. {story}",
        )
        kept = stopper.best_state
        if place < 0:
            test.that(kept is None, "Without an improvement there is no `best_state`.")
            return
        test.that(
            isinstance(kept, dict) and set(kept) == {"a.weight", "n"},
            "`best_state` should be a dict with the keys of `state`.",
        )
        test.close(
            kept["a.weight"],
            torch.full((2, 3), place + 1.0),
            f"`best_state` should hold the weights of the best look. {story}",
        )
        test.that(
            int(kept["n"]) == place and kept["n"].dtype == torch.int64,
            "`best_state` should hold every entry of `state`, in its own dtype (counters too).",
        )

    # min_delta of 0: the best is the first smallest so far; random walks with many ties
    for patience in (1, 2, 3, 7):
        for _ in range(4):
            steps = torch.randint(-2, 3, (25,)).cumsum(0)
            losses = [3.0 + 0.25 * value for value in steps.tolist()]
            best = [losses.index(min(losses[: index + 1])) for index in range(len(losses))]
            stop = [index - place >= patience for index, place in enumerate(best)]
            end = stop.index(True) + 1 if True in stop else len(losses)
            losses, best = losses[:end], best[:end]
            stopper = EarlyStopping(patience=patience)
            with test.case(f"losses {losses}, patience {patience}"):
                said = follow(stopper, losses)
            story = "patience counts looks in a row since the best loss, and an equal loss is no improvement."
            judge(stopper, said, losses, best, patience, story)
    # losses below 0 (a likelihood of densities) and min_delta, which is measured from the best
    for losses, best, patience, delta, story in (
        (
            [2.0, 1.9, 1.8, 1.7],
            [0, 0, 0, 3],
            4,
            0.25,
            "min_delta is measured from the best loss, not from the last one.",
        ),
        (
            [2.0, 1.9, 1.8, 1.79],
            [0, 0, 0, 0],
            3,
            0.25,
            "a gain within min_delta is no improvement, and leaves best_loss alone.",
        ),
        ([-1.0, -1.5, -1.4, -3.0], [0, 1, 1, 3], 2, 0.0, "losses may be negative."),
        ([-1.0, -1.125, -1.5], [0, 0, 2], 3, 0.25, "min_delta is absolute, also below 0."),
        ([1.0, 0.5, 0.25], [0, 0, 2], 5, 0.5, "an improvement is *more* than min_delta."),
    ):
        stopper = EarlyStopping(patience, min_delta=delta)
        judge(stopper, follow(stopper, losses), losses, best, patience, story)
    nan = math.nan
    for losses, best, patience in (
        ([1.0, nan, 0.5, nan, nan], [0, 0, 2, 2, 2], 2),
        ([nan, nan], [-1, -1], 2),
        ([nan, 2.0, nan, 1.0], [-1, 1, 1, 3], 2),
    ):
        stopper = EarlyStopping(patience=patience)
        # before the first improvement, looks in vain count as well
        judge(
            stopper,
            follow(stopper, losses),
            losses,
            best,
            patience,
            "nan is no improvement, and counts as a look in vain.",
        )
    # two stoppers at once do not share anything
    first, second = EarlyStopping(patience=3), EarlyStopping(patience=1)
    said = [
        (first.update(a, {"w": torch.tensor(a)}), second.update(b, {"w": torch.tensor(b)}))
        for a, b in ((1.0, 5.0), (0.5, 4.0), (0.75, 6.0))
    ]
    test.that(
        said == [(False, False), (False, False), (False, True)]
        and (first.best_loss, second.best_loss) == (0.5, 4.0)
        and (float(first.best_state["w"]), float(second.best_state["w"])) == (0.5, 4.0),
        "Two stoppers at once disturb each other: keep what you remember in `self`, not in the class.",
    )
    # a model's own state, changed in place by training, and restored
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2)).double()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    x = torch.randn(16, 3, dtype=torch.float64)
    stopper, kept = EarlyStopping(patience=2), {}
    for index, loss in enumerate((1.0, 0.5, 0.7, 0.6)):
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
        if index == 1:
            kept = copy.deepcopy(model.state_dict())
        now = model.state_dict()
        before = {name: value.clone() for name, value in now.items()}
        with test.case("the state_dict of a model with batch norm, in float64"):
            stopper.update(loss, now)
        test.that(
            set(now) == set(before) and all(torch.equal(now[k], before[k]) for k in before),
            "`update` changes the state it is given: leave it as it is.",
        )
    model.load_state_dict(stopper.best_state)
    test.that(
        all(torch.equal(value, kept[name]) for name, value in model.state_dict().items()),
        "After `load_state_dict(best_state)` the model should be as it was at the best look, bit for bit: parameters, "
        "buffers, dtypes. Did you copy the tensors?",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="EarlyStopping"
# Nothing here needs the model, only a dict of tensors, so the same class serves a network, an average of weights or two networks at once. The copy costs memory for one more set of weights and a few milliseconds whenever the loss improves.
# Leaving it out is the most expensive mistake in this lesson, since it does not fail: the dictionary follows the training, and "the best weights" are the last ones. `nan` needs no line of its own if the question is put as *better than*. The comparison with `best_loss` rather than the loss before is what lets
# a slow descent in tiny steps, each below `min_delta`, count as an improvement once it has added up.

# %% [markdown]
# Your stopper at work, in door 6. It looks every ten steps, and waits for five looks.

# %%
with needs("EarlyStopping"):
    stopper = EarlyStopping(patience=5)

    def door_six(step, model):
        if step % 10:
            return False
        loss = F.cross_entropy(scores(model, choose_x), choose_y).item()
        return stopper.update(loss, model.state_dict())

    stopped = train(SEEDS[0], on_step=door_six)
    at_the_end = measures(scores(stopped, look_x), look_y)
    stopped.load_state_dict(stopper.best_state)
    at_the_best = measures(scores(stopped, look_x), look_y)
    print("best weights from step", 10 * stopper.best_look)
    display(pd.DataFrame({"when it stopped": at_the_end, "best": at_the_best}).T.round(3))

# %% [markdown]
# ### How much patience?
#
# This needs no further training. We have six runs with forty looks each, so we can replay every stopper on them: where it would have stopped, and with what. The 2,000 images that it watches are not the 3,000 on which it is judged.
#
# **Predict, then run.** Patience 1 or 20: which one ends with the better loss? And if the best weights are *not* brought back?


# %%
def replay(losses, patience):
    """The look at which a stopper stops, and the best one up to then (numbers from 0)."""
    best = [int(np.argmin(losses[: k + 1])) for k in range(len(losses))]
    waited = np.arange(len(losses)) - best
    stop = int(np.argmax(waited >= patience)) if (waited >= patience).any() else len(losses) - 1
    return stop, best[stop]


def replays(curves, watch="choose_nll", sign=1, patiences=(1, 2, 3, 5, 8, 12, 20)):
    rows = []
    for seed, run in curves.groupby("seed"):
        for patience in patiences:
            stop, best = replay(sign * run[watch].to_numpy(), patience)
            for weights, at in (("best weights restored", best), ("last weights", stop)):
                now = run.iloc[at]
                rows.append(
                    {
                        "seed": seed,
                        "patience": patience,
                        "weights": weights,
                        "steps": run.step.iloc[stop],
                        **now[["nll", "accuracy", "ece"]],
                    }
                )
    return pd.DataFrame(rows)


patience_runs = replays(curves)
fig, (left, right) = lab.figure(1, 2, height=3)
lab.band(
    patience_runs,
    "patience",
    "nll",
    "weights",
    ax=left,
    ylabel="NLL on other images",
    legend=False,
)
lab.band(patience_runs, "patience", "accuracy", "weights", ax=right, legend=False)
left.legend(
    *[half[:2] for half in left.get_legend_handles_labels()], fontsize=9, handlelength=3
)
for ax in (left, right):
    ax.set(xlabel="patience, in looks of ten steps")
lab.show(
    fig,
    alt="Left: NLL on other images against the patience, with the best weights restored and with "
    "the last weights. Restored, it falls from 0.7 at patience 1 to below 0.57 and stays "
    "there; with the last weights it climbs again as patience grows. Right: accuracy, 0.74 at"
    " patience 1 and 0.8 from 3 on for both.",
)
restored = patience_runs[patience_runs.weights == "best weights restored"]
restored.groupby("patience")[["steps", "nll", "accuracy", "ece"]].mean().round(3)

# %%
by_accuracy = replays(curves, "choose_accuracy", sign=-1, patiences=(8,))
watching = pd.concat(
    [
        restored[restored.patience == 8].assign(watch="loss"),
        by_accuracy[by_accuracy.weights == "best weights restored"].assign(watch="accuracy"),
        curves[curves.step == STEPS].assign(watch="nothing: all steps", steps=STEPS),
    ]
)
watching.groupby("watch", sort=False)[["steps", "nll", "accuracy", "ece"]].mean().round(3)

# %% [markdown]
# A patience of one look is hasty: it stops at the first hiccup, and costs a good deal of accuracy as well. From three or five looks on, more patience costs steps and changes little, *if the best weights are brought back* (solid line). If they are not (dashed), patience is harm: each further look is a look further up the slope.
#
# What is watched matters, too. The table above has stoppers of patience 8 that watch the loss or the accuracy. Accuracy has its best moment later, when the loss has begun to climb: a net stopped by its accuracy is a little more accurate and a little less honest. And against running to the end, both save steps and about 0.2 of NLL, and change accuracy hardly at all.
#
# ### Why stopping early is a penalty in disguise
#
# On a bowl, $L(w) = \tfrac12\sum_i \lambda_i (w_i - w_i^*)^2$, everything can be computed. Gradient descent from $w = 0$ has, after $t$ steps at rate $\eta$,
#
# $$w_i = \left(1 - (1-\eta\lambda_i)^t\right) w_i^*, \qquad\text{and with a penalty } \tfrac\alpha2\lVert w\rVert^2 \text{ the minimum is at}\qquad w_i = \frac{\lambda_i}{\lambda_i + \alpha}\, w_i^*.$$
#
# Both leave the steep directions, on which the data insist, as they are, and shrink the flat ones towards the start. With $\alpha = 1/(\eta t)$ they do nearly the same.

# %%
eta, t = 0.01, 100
curvature = torch.logspace(-2, 1.7, 200, dtype=torch.float64)
stopped_share = 1 - (1 - eta * curvature) ** t
ridge_share = curvature / (curvature + 1 / (eta * t))
walked = torch.zeros_like(curvature)  # the rule itself, step by step, towards w* = 1
for _ in range(t):
    walked -= eta * curvature * (walked - 1)
fig, ax = lab.figure(height=2.8)
for index, (name, share) in enumerate(
    {"stopped after t steps": stopped_share, "penalty α = 1/(ηt)": ridge_share}.items()
):
    ax.semilogx(curvature, share, label=name, **lab.line_style(index) | {"marker": ""})
ax.set(xlabel="curvature λ, in units of 1/(ηt)", ylabel="share of w* reached")
ax.legend(handlelength=3)
lab.show(
    fig,
    alt="Share of the minimum that is reached, against the curvature on a logarithmic axis. Both lines rise from 0 on "
    "the left to 1 on the right; the line of early stopping is a little steeper, and the two are never far apart.",
)
print(f"largest distance {(stopped_share - ridge_share).abs().max():.2f}")

# %% [markdown]
# So the number of steps times the rate is the inverse of a penalty. Keep that in mind for the table below: **a smaller learning rate in the same number of steps is a regulariser, too.**

# %% [markdown]
# ## A ball for each unit
#
# Weight decay pulls at all weights all the time. **Max-norm** (Srivastava et al., 2014, who used it together with dropout) leaves them alone until the incoming weights of a unit get longer than a limit $r$, and then puts them back on the surface of the ball with radius $r$. It is applied **after** `optimizer.step()`, outside of autograd: door 5.
# Biases are left out.

# %% [markdown] role="card" exercise="max_norm_" level=2 minutes=8 topic="Max-norm" doc="https://docs.pytorch.org/docs/stable/generated/torch.renorm.html"
# ### Max-norm, in place
#
# For each unit, that is for each index of the **first** dimension of `weight`, let $w$ be all its incoming weights. Where $\lVert w\rVert_2 > r$, scale it back to the length $r$:
#
# $$w \leftarrow w \cdot \min\left(1, \frac{r}{\lVert w\rVert_2}\right)$$
#
# `weight` is `(units, inputs)` of a linear layer, or `(units, channels, height, width)` of a convolution, where all but the first dimension count as inputs. Units within the limit stay exactly as they are; a unit of zeros stays zero.
#
# Change the numbers **in place**, without a trace in autograd's graph, for `weight` may be a parameter of a network in training; leave its `.grad` alone. Return `weight` itself, like all of PyTorch's functions whose name ends in an underscore.


# %% role="stub" exercise="max_norm_"
def max_norm_(weight: torch.Tensor, limit: float) -> torch.Tensor:
    """Scale the weights of each unit back to at most a given length, in place (Srivastava et al., 2014).

    Args:
        weight: (units, ...) of at least two dimensions, a parameter or a plain tensor.
        limit: the largest Euclidean norm r that a unit's incoming weights may have, above 0.

    Returns:
        `weight` itself.
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        norms = weight.flatten(1).norm(dim=1)
        factor = (limit / norms).clamp(max=1)
        return weight.mul_(factor.view(-1, *[1] * (weight.dim() - 1)))
    ### END SOLUTION


# %% role="check" exercise="max_norm_"
with Check("max_norm_") as check:
    rows = [[3.0, 4.0, 0.0], [0.3, 0.0, 0.4], [0.0, 0.0, 0.0], [-6.0, 0.0, 8.0]]
    weight = torch.tensor(rows)
    window = weight[:]  # looks at the same memory
    got = max_norm_(weight, 2.0)
    check.is_a(got, torch.Tensor)
    check.shape(got, (4, 3))
    check.that(
        not torch.isnan(got).any(),
        "There is a nan: a unit whose weights are all 0 has the norm 0.",
    )
    check.close(
        got,
        torch.tensor([[1.2, 1.6, 0.0], [0.3, 0.0, 0.4], [0.0, 0.0, 0.0], [-1.2, 0.0, 1.6]]),
        "The rows have the lengths 5, 0.5, 0 and 10. With a limit of 2 the first and the last should be scaled to length 2, and the others stay.",
        known=[
            (torch.tensor(rows), "Nothing has changed."),
            (
                torch.tensor(rows).clamp(-2, 2),
                "That caps each weight by itself. The limit is for the length of a row.",
            ),
            (
                torch.tensor(rows) * 2 / torch.tensor(rows).norm(dim=0).clamp(min=2),
                "That caps the columns. In PyTorch `weight` is (units, inputs): a unit is a row, whose norm sums over dimension 1.",
            ),
            (
                torch.tensor(rows) * 2 / torch.tensor(rows).norm(),
                "That scales the whole matrix by its own norm. Each unit has its own.",
            ),
            (
                torch.tensor(
                    [[1.2, 1.6, 0.0], [1.2, 0.0, 1.6], [0.0, 0.0, 0.0], [-1.2, 0.0, 1.6]]
                ),
                "Short rows were stretched to the limit. Only those above it change: the factor is at most 1.",
            ),
            (
                torch.tensor(
                    [
                        [6 / 7, 8 / 7, 0.0],
                        [0.3, 0.0, 0.4],
                        [0.0, 0.0, 0.0],
                        [-12 / 14, 0.0, 16 / 14],
                    ]
                ),
                "That is the norm of absolute values, Σ|w|. The length is √Σw².",
            ),
        ],
    )
    check.that(
        torch.equal(window, got),
        "The result is a new tensor: change the numbers of `weight` in place.",
    )
    check.that(got is weight, "Return `weight` itself.")
    layer = nn.Linear(3, 4)
    gradient = torch.full((4, 3), 10.0)
    with check.case("a layer's weight, which requires a gradient"):
        layer.weight.data.copy_(torch.tensor(rows))
        layer.weight.grad = gradient
        max_norm_(layer.weight, 2.0)
    check.that(
        layer.weight.is_leaf and layer.weight.requires_grad,
        "The parameter is no leaf of autograd any more, or has lost its `requires_grad`: work under torch.no_grad().",
    )
    check.close(
        layer.weight.detach().norm(dim=1),
        torch.tensor([2.0, 0.5, 0.0, 2.0]),
        "The rows of a layer's weight should be cut to the limit too.",
    )
    check.that(
        layer.weight.grad is gradient and torch.equal(gradient, torch.full((4, 3), 10.0)),
        "The gradient was changed: max-norm is about the weights.",
    )
    kernel = torch.ones(2, 3, 2, 2)  # two units with 12 weights each, of length √12
    with check.case("a convolution's weight (2, 3, 2, 2)"):
        max_norm_(kernel, 1.0)
    check.close(
        kernel,
        torch.full((2, 3, 2, 2), 12**-0.5),
        "In a convolution a unit is an output channel, with all of its inputs: sum over dimensions 1, 2 and 3.",
        known=[
            (
                torch.full((2, 3, 2, 2), 3**-0.5),
                "You sum over dimension 1 only. In a convolution dimensions 2 and 3 belong to a unit as well.",
            ),
            (
                torch.full((2, 3, 2, 2), 0.5),
                "You sum over the kernel's height and width only; the channels belong to a unit as well.",
            ),
            (torch.ones(2, 3, 2, 2), "The convolution's weight has not changed."),
        ],
    )


# %% [markdown] role="hints" exercise="max_norm_"
# <details><summary>Hint 1: one norm a unit</summary>
#
# `weight.flatten(1)` is `(units, everything else)` for any layer, and `.norm(dim=1)` then gives one length a unit.
#
# </details>
# <details><summary>Hint 2: the factor</summary>
#
# `(limit / norms).clamp(max=1)`. A length of 0 gives infinity there, which the clamp turns into 1.
#
# </details>
# <details><summary>Hint 3: shapes and memory</summary>
#
# Give the factors the shape `(units, 1)` or `(units, 1, 1, 1)`, so that they broadcast, for example with `torch.linalg.vector_norm(weight, dim=..., keepdim=True)`. (`weight.norm` takes three dimensions for a matrix norm, and refuses.) Then `weight.mul_(factor)` under `with torch.no_grad():`.
#
# </details>

# %% role="test" exercise="max_norm_" points=2
# Graded with hidden tests: layers of two to five dimensions, limits, dtypes, memory layouts, zeros, inside a training loop.
### BEGIN HIDDEN TESTS
with HiddenTest("max_norm_") as test:
    for shape, limit, dtype in (
        ((5, 7), 1.0, torch.float32),
        ((1, 400), 3, torch.float64),
        ((6, 6), 0.05, torch.float64),
        ((4, 1), 0.5, torch.float32),
        ((4, 3, 5), 2.0, torch.float32),
        ((4, 4, 3, 3), 2.5, torch.float64),
        ((2, 3, 2, 2, 2), 3.0, torch.float32),
    ):
        original = torch.randn(shape, dtype=dtype)
        original[0] *= 1e-3  # well within the limit
        wanted = torch.stack(
            [unit * min(1.0, limit / float(unit.norm())) for unit in original.double()]
        )
        for layout in ("plain", "parameter", "strided"):
            weight = original.clone()
            if layout == "strided":  # the same numbers, not contiguous in memory
                weight = original.transpose(0, -1).contiguous().transpose(0, -1)
            if layout == "parameter":
                weight = nn.Parameter(weight)
                weight.grad = torch.ones_like(original)
            window, version = weight.detach(), weight.data_ptr()
            with test.case(f"a {layout} weight of shape {shape}, {dtype}"):
                got = max_norm_(weight=weight, limit=limit)
            test.is_a(got, torch.Tensor)
            test.that(got is weight, "Return `weight` itself.")
            test.shape(window, shape)
            test.that(window.dtype == dtype, "The dtype of `weight` should be kept.")
            test.that(
                weight.data_ptr() == version,
                "`weight` was given new memory: change it in place.",
            )
            test.close(
                window,
                wanted,
                "Each unit (index of the first dimension) should be scaled by min(1, r/‖w‖), ‖w‖ over all other "
                "dimensions, in place"
                + (", wherever the numbers lie in memory." if layout == "strided" else "."),
                rtol=1e-5,
            )
            test.that(
                torch.equal(window[0], original[0])
                or bool((wanted[0] != original[0].double()).any()),
                "A unit within the limit should stay exactly as it is.",
            )
            if layout == "parameter":
                test.that(
                    weight.is_leaf
                    and weight.requires_grad
                    and weight.grad is not None
                    and torch.equal(weight.grad, torch.ones_like(original)),
                    "A parameter should stay a leaf that requires a gradient, and its `.grad` should stay as it is.",
                )
    for shape in ((3, 4), (3, 2, 2, 2)):
        weight = torch.zeros(shape)
        weight[1] = 5.0
        with test.case("units of zeros"):
            max_norm_(weight, 1.0)
        test.that(
            bool(weight.isfinite().all()) and not weight[0].any() and not weight[2].any(),
            "A unit of zeros should stay zero: no nan, no division by 0.",
        )
        test.close(weight[1].norm(), torch.tensor(1.0), "A long unit beside units of zeros.")
    # huge weights, and the work of a training loop
    weight = torch.full((2, 3), 1e12)
    max_norm_(weight, 1.0)
    test.close(
        weight, torch.full((2, 3), 3**-0.5), "Huge weights should come back to the limit."
    )
    layer = nn.Linear(6, 4)
    optimizer = torch.optim.SGD(layer.parameters(), lr=5.0)
    x, y = torch.randn(30, 6), torch.randint(4, (30,))
    for _ in range(5):
        optimizer.zero_grad()
        F.cross_entropy(layer(x), y).backward()
        optimizer.step()
        with test.case("after each step of a training loop"):
            max_norm_(layer.weight, 0.7)
        test.that(
            float(layer.weight.detach().norm(dim=1).max()) < 0.7 * (1 + 1e-5),
            "In a training loop a row is longer than the limit after `max_norm_`.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="max_norm_"
# It is a *projection*: the nearest point of the allowed region, which for each unit is a ball. PyTorch has it, not in place: `torch.renorm(weight, p=2, dim=0, maxnorm=r)`, where `dim` names the dimension that is *kept*, the opposite of `norm`'s. Keras counts its axes from weights of shape `(inputs, units)`, so its
# `max_norm(r, axis=0)` is our sum over dimension 1: a line copied from one library to the other caps the wrong thing, without any error. Do not mistake it for clipping: `clip_grad_norm_` limits the *gradient*, one norm for the whole network, before the step.

# %% [markdown]
# **Predict, then run.** The lengths of the hundred weight vectors in the first layer, after training: without anything, with weight decay, with max-norm 1. Which of the histograms is narrower, and which has an edge?

# %%
CAPPED = {
    "none": plain_nets[SEEDS[0]],
    "weight decay 0.3": train(SEEDS[0], weight_decay=0.3),
    "max-norm 1": train(SEEDS[0], max_norm=1.0),
}
lengths = {name: net[0].weight.detach().norm(dim=1).cpu() for name, net in CAPPED.items()}
fig, axes = lab.figure(1, 3, height=2.6)
edges = np.linspace(0.4, 2.0, 41)
for ax, (name, values) in zip(axes, lengths.items(), strict=True):
    ax.hist(values, bins=edges)
    ax.set(xlabel="length of a unit's weights", title=name)
axes[0].set(ylabel="units")
lab.show(
    fig,
    alt="Histograms of the lengths of 100 weight vectors. Without anything they spread around "
    "1.26, up to 1.7. With weight decay the same shape lies a little further left. With max-"
    "norm 1 nearly all stand in one bar at 1, and a tail of shorter ones is left of it.",
)
pd.DataFrame(lengths).describe().loc[["mean", "min", "max"]].round(2)

# %% [markdown]
# Weight decay moves the whole histogram to the left, a little. Max-norm leaves the short ones where they would be, and piles up the long ones at the limit. That is the difference between a pull and a wall: a pull costs everybody, a wall only those who come near it. (With a limit of 1.5 or more, here, nobody does, and max-norm does nothing.)

# %% [markdown]
# ## Batch norm, the accidental regulariser
#
# In training, batch norm computes mean and standard deviation from the batch. So what a network says about *your* image depends on which other images happen to be in the batch with it. That is noise, as in dropout, only that nobody ordered it. The smaller the batch, the noisier its mean: the standard error of a mean falls like $1/\sqrt B$.
#
# **Predict, then run.** How much do the logits of an image vary from batch to batch with 5, 20 and 200 images a batch? Will batch norm then act as a regulariser, that is, close the gap between training and other images?


# %%
@torch.no_grad()
def batch_noise(model, size, images, batches):
    """Standard deviation of an image's logits over the batches of `size` in which it may find itself."""
    model.train()
    for layer in model:
        if isinstance(layer, nn.BatchNorm1d):
            layer.momentum = 0.0  # look, but do not change the running statistics
    spreads = []
    for image in range(images):
        logits = []
        for _ in range(batches):
            others = torch.randint(images, len(look_x), (size - 1,), device=look_x.device)
            batch = torch.cat([look_x[image : image + 1], look_x[others]])
            logits.append(model(batch)[0])
        spreads.append(torch.stack(logits).std(0).mean().item())
    model.eval()
    return float(np.mean(spreads))


looks_at_noise = budget((5, 30), fast=(3, 15))
noise = lab.repeat(
    lambda seed: [
        {"size": size, "spread": batch_noise(normed, size, *looks_at_noise)}
        for normed in [train(seed, batch_norm=True)]
        for size in (2, 5, 10, 20, 50, 100, 200)
    ],
    SEEDS[:3],
)
typical = noise.groupby("size").spread.mean()
tail = typical[typical.index >= 10]
noise_slope = np.polyfit(np.log(tail.index), np.log(tail), 1)[0]
ax = lab.band(
    noise, "size", "spread", log=True, xlabel="images in a batch", ylabel="spread of a logit"
)
ax.set_xscale("log")
lab.show(
    ax.figure,
    alt="Spread of a logit from batch to batch against the number of images in a batch, both axes"
    " logarithmic: nearly a straight line downwards, with a slope of about one half.",
)
print(f"slope from 10 images on: {noise_slope:.2f}")

# %% [markdown]
# From ten images on the line falls nearly as a standard error should, with a slope of about minus one half. With two images in a batch the logits shake by almost two units, with 200 by a third of one. So yes, batch norm adds noise, and its strength is the batch size: one reason why results change when somebody trains the same network on a larger GPU.
#
# But noise is not the same as regularisation that helps. How much it buys is a question for the table, where batch norm competes with the others at our batches of 50.

# %% [markdown]
# ## Do not be so sure
#
# Cross-entropy with hard labels is never satisfied. It reaches 0 only when the label gets probability 1, so even on an image that is classified correctly the logits are pushed apart, for ever. **Label smoothing** (Szegedy et al., 2016) asks for less. Instead of the one-hot row its target gives every class a little, and is satisfied when the network says about 0.9.
# That is door 3.

# %% [markdown] role="card" exercise="smooth_labels" level=1 minutes=6 topic="Label smoothing" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html"
# ### Smooth labels
#
# Return the targets of label smoothing, one row an image: a share $1-\varepsilon$ goes to the label, and a share $\varepsilon$ is spread evenly over **all** $C$ classes, the label's own included:
#
# $$q_k = (1-\varepsilon)\,[k = \text{label}] + \frac{\varepsilon}{C}$$
#
# `labels` are class numbers, int64, of shape `(B,)`. The result is `(B, C)`, float32, and each row sums to 1.


# %% role="stub" exercise="smooth_labels"
def smooth_labels(labels: torch.Tensor, n_classes: int, epsilon: float = 0.1) -> torch.Tensor:
    """Soft targets for cross-entropy (Szegedy et al., 2016), in PyTorch's convention.

    Args:
        labels: class numbers (B,), int64.
        n_classes: C, at least 2.
        epsilon: the share that is spread over all classes, 0 to 1.

    Returns:
        The targets (B, C), float32.
    """
    ### BEGIN SOLUTION
    one_hot = F.one_hot(labels, n_classes).float()
    return (1 - epsilon) * one_hot + epsilon / n_classes
    ### END SOLUTION


# %% role="check" exercise="smooth_labels"
with Check("smooth_labels") as check:
    labels = torch.tensor([2, 0, 2])
    got = smooth_labels(labels, n_classes=4, epsilon=0.2)
    check.is_a(got, torch.Tensor)
    check.shape(got, (3, 4), "One row an image, one column a class.")
    check.that(got.dtype == torch.float32, f"The targets should be float32, not {got.dtype}.")
    check.close(
        got,
        torch.tensor(
            [[0.05, 0.05, 0.85, 0.05], [0.85, 0.05, 0.05, 0.05], [0.05, 0.05, 0.85, 0.05]]
        ),
        "With ε = 0.2 and four classes every class should get 0.05, and the label 0.8 on top of it.",
        known=[
            (
                torch.tensor([[0.2, 0.2, 2.4, 0.2], [2.4, 0.2, 0.2, 0.2], [0.2, 0.2, 2.4, 0.2]])
                / 3,
                "You spread ε over the other classes only, ε/(C−1) each. PyTorch spreads it over all C, the label's own included.",
            ),
            (
                torch.tensor(
                    [[0.05, 0.05, 0.8, 0.05], [0.8, 0.05, 0.05, 0.05], [0.05, 0.05, 0.8, 0.05]]
                ),
                "The rows do not sum to 1: the label gets its share of ε too.",
            ),
            (
                torch.tensor(
                    [
                        [0.05, 0.05, 1.05, 0.05],
                        [1.05, 0.05, 0.05, 0.05],
                        [0.05, 0.05, 1.05, 0.05],
                    ]
                ),
                "The rows do not sum to 1: the label keeps only 1 − ε.",
            ),
            (
                torch.tensor(
                    [[0.2, 0.2, 0.8, 0.2], [0.8, 0.2, 0.2, 0.2], [0.2, 0.2, 0.8, 0.2]]
                ),
                "The rows do not sum to 1: ε is to be divided among the classes.",
            ),
            (
                torch.tensor(
                    [[0.2, 0.2, 1.0, 0.2], [1.0, 0.2, 0.2, 0.2], [0.2, 0.2, 1.0, 0.2]]
                ),
                "The rows sum to 1.6: every class gets the whole ε, but its share is ε/C.",
            ),
            (
                torch.tensor(
                    [[0.2, 0.2, 0.4, 0.2], [0.4, 0.2, 0.2, 0.2], [0.2, 0.2, 0.4, 0.2]]
                ),
                "You have swapped the shares: 1 − ε is for the label, ε for all.",
            ),
            (F.one_hot(labels, 4).float(), "Those are hard labels, without any smoothing."),
        ],
    )
    check.that(labels.tolist() == [2, 0, 2], "Your function changes `labels`.")
    check.close(
        smooth_labels(torch.tensor([1]), 10),
        torch.tensor([[0.01, 0.91] + [0.01] * 8]),
        "Without a third argument ε is 0.1.",
    )


# %% [markdown] role="hints" exercise="smooth_labels"
# <details><summary>Hint 1: two terms</summary>
#
# The formula is a sum of two: a one-hot row times $1-\varepsilon$, and a constant.
#
# </details>
# <details><summary>Hint 2: one-hot</summary>
#
# `F.one_hot(labels, n_classes)` gives whole numbers; `.float()` makes them float32.
#
# </details>

# %% role="test" exercise="smooth_labels" points=1
# Graded with hidden tests: other shares, numbers of classes and labels, against torch's own label smoothing.
### BEGIN HIDDEN TESTS
with HiddenTest("smooth_labels") as test:
    for n, n_classes, epsilon in (
        (7, 5, 0.3),
        (1, 10, 0.1),
        (64, 2, 0.5),
        (4, 100, 0.01),
        (6, 3, 1.0),
    ):
        labels = torch.randint(n_classes, (n,))
        kept, scores = labels.clone(), torch.randn(n, n_classes) * 3
        wanted = F.cross_entropy(scores, labels, label_smoothing=epsilon)
        got = smooth_labels(labels=labels, n_classes=n_classes, epsilon=epsilon)
        test.shape(got, (n, n_classes))
        test.that(got.dtype == torch.float32, "The targets should be float32.")
        test.that(torch.equal(labels, kept), "Your function changes `labels`.")
        test.close(got.sum(1), torch.ones(n), "Each row should sum to 1.", rtol=1e-5)
        test.close(
            F.cross_entropy(scores, got),
            wanted,
            "With these targets cross-entropy should equal torch's own label_smoothing=ε: every class gets ε/C, the label 1 − ε on top.",
            rtol=1e-5,
        )
        test.close(
            got.gather(1, kept[:, None])[:, 0],
            torch.full((n,), 1 - epsilon + epsilon / n_classes),
            "The label should get 1 − ε + ε/C.",
        )
    test.close(
        smooth_labels(torch.tensor([3, 0]), 4),
        0.9 * torch.eye(4)[[3, 0]] + 0.025,
        "Without a third argument ε is 0.1.",
    )
    labels = torch.tensor([0, 0, 1, 0])  # the last classes do not occur
    test.close(
        smooth_labels(labels, 4, 0.0),
        torch.eye(4)[labels],
        "With ε = 0 the targets are one-hot, also where some classes do not occur in the batch.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="smooth_labels"
# In practice you write `F.cross_entropy(scores, labels, label_smoothing=0.1)`, which gives the same number without building the targets. Soft targets as a tensor are worth having all the same: cross-entropy takes them from any source, for example from two labels that were mixed (mixup) or from the probabilities of another network (distillation).
# Beware of the other convention, $\varepsilon/(C-1)$ for the others and $1-\varepsilon$ for the label: it is ours with an $\varepsilon$ larger by $C/(C-1)$, no difference worth a thought with a thousand classes, a factor of two with two.

# %% [markdown]
# What does a network strive for then? Cross-entropy with soft targets $q$ is smallest where the probabilities *are* $q$. So in the optimum the logit of the label lies
#
# $$\log\frac{1 - \varepsilon + \varepsilon/C}{\varepsilon/C} = \log\left(1 + \frac{C(1-\varepsilon)}{\varepsilon}\right)$$
#
# above the others: $\log 91 = 4.5$ for ten classes and $\varepsilon = 0.1$. No more, no less. (The loss does not become 0 there. Its smallest value is the entropy of the target, 0.50 for these numbers: training losses with and without smoothing cannot be compared.)
#
# **Predict, then run.** How far do the logits on *training* images lie apart, with and without? With which confidence are *other* images classified?

# %%
smooth_nets = {
    0.0: [plain_nets[seed] for seed in SEEDS[:3]],
    0.1: [train(seed, smoothing=0.1) for seed in SEEDS[:3]],
}
margins, confidences = {}, {}
for epsilon, nets in smooth_nets.items():
    lead, sure = [], []
    for seed, net in zip(SEEDS, nets, strict=False):
        x, y = draw(N, seed)
        z = scores(net, x)
        label = z.gather(1, y[:, None])[:, 0]
        lead.append(label - (z.sum(1) - label) / (n_classes - 1))
        sure.append(scores(net, look_x).softmax(1).max(1).values)
    margins[epsilon], confidences[epsilon] = torch.cat(lead).cpu(), torch.cat(sure).cpu()
fig, (left, right) = lab.figure(1, 2, height=3)
for index, epsilon in enumerate(smooth_nets):
    style = {"histtype": "step", "linewidth": 1.8, "density": True}
    style |= {k: lab.line_style(index)[k] for k in ("color", "linestyle")}
    left.hist(margins[epsilon], bins=np.linspace(-2, 25, 55), label=f"ε = {epsilon}", **style)
    right.hist(
        confidences[epsilon], bins=np.linspace(0, 1, 41), label=f"ε = {epsilon}", **style
    )
left.axvline(math.log(91), color="0.4", linestyle=":")
left.set(
    xlabel="logit of the label minus mean of the others",
    ylabel="density",
    title="Training images",
)
right.set(xlabel="largest probability", title="Other images")
left.legend(handlelength=3)
lab.show(
    fig,
    alt="Left: lead of the label's logit on training images; hard labels give a broad hump around"
    " 15, smooth ones a narrow peak at the dotted line, 4.5. Right: confidence on other "
    "images; with hard labels most of it is piled up at 1, with smooth labels it is spread, "
    "with a hump near 0.9.",
)
pd.DataFrame(
    {
        "mean lead of the label": {e: m.mean().item() for e, m in margins.items()},
        "mean confidence": {e: c.mean().item() for e, c in confidences.items()},
    }
).rename_axis("ε").round(2)

# %% [markdown]
# The lead of the label gathers round the dotted line at 4.5 where the labels are smooth, and goes on growing where they are hard. On other images the confidence no longer piles up at 1. That is regularisation of the *answer* rather than of the weights.
#
# Door 1 can soften labels as well. **Mixup** (Zhang et al., 2018) trains on blends: $x = \lambda x_a + (1-\lambda) x_b$ with the target $\lambda$ for one label and $1-\lambda$ for the other, and $\lambda$ drawn from a Beta distribution with both parameters $\alpha$. Its five lines stand in the function `mixed` above.

# %% [markdown]
# ## The table
#
# Nine methods, and none at all at two rates, one door each; the same network and the same number of steps for all. What is tuned is the learning rate of each, and then its strength, by the **likelihood of the 2,000 images** that are there to choose by, on a seed that is not used again. (Early stopping needs these images anyway, to stop by.)
#
# There are two contenders without any method. "None" stays at the rate of the curves above, 0.002, at which it learns its images by heart. "Smaller rate" is the same training with a rate that is tuned like everybody else's.


# %%
METHODS = {
    "none": (None, [None]),  # at the rate of the curves above
    "smaller rate": (None, [None]),
    "weight decay": ("weight_decay", [0.3, 1.0, 3.0]),
    "L1 in the loss": ("l1", [3e-5, 1e-4, 3e-4]),
    "L1 proximal": ("shrink", [0.02, 0.05, 0.1]),
    "max-norm": ("max_norm", [0.5, 0.7, 1.0]),
    "dropout": ("dropout", [0.2, 0.4, 0.6]),
    "batch norm": ("batch_norm", [True]),
    "early stopping": (None, [None]),
    "label smoothing": ("smoothing", [0.01, 0.02, 0.05]),
    "mixup": ("mixup", [0.2, 0.5, 1.0]),
}
RATES = budget([0.00025, 0.0005, 0.001, 0.002], fast=[0.001])


def contender(method, lr, strength, seed, **settings):
    """A trained network by one of the methods."""
    option, _ = METHODS[method]
    if option is not None:
        settings[option] = strength
    if method != "early stopping":
        return train(seed, lr=lr, **settings)
    looks = []

    def look(step, model):
        if step % 20 == 0:
            loss = F.cross_entropy(scores(model, choose_x), choose_y).item()
            looks.append((loss, copy.deepcopy(model.state_dict())))

    model = train(seed, lr=lr, on_step=look, **settings)
    model.load_state_dict(min(looks, key=lambda pair: pair[0])[1])  # unlimited patience
    return model


def trial(method, lr, strength, seed=100):
    return {
        "method": method,
        "lr": lr,
        "strength": strength,
        **measures(scores(contender(method, lr, strength, seed), choose_x), choose_y),
    }


def tune(method):
    """First the rate, at the middle strength, then the strength."""
    strengths = METHODS[method][1]
    middle = strengths[len(strengths) // 2]
    rates = [RATE] if method == "none" else RATES
    trials = [trial(method, lr, middle) for lr in rates]
    lr = min(trials, key=lambda row: row["nll"])["lr"]
    others = [] if lab.runtime.is_fast() else [s for s in strengths if s is not middle]
    return trials + [trial(method, lr, strength) for strength in others]


tuning = pd.DataFrame([row for method in METHODS for row in tune(method)])
chosen = tuning.loc[tuning.groupby("method", sort=False).nll.idxmin()].set_index("method")
chosen.round(4)


# %%
def plot_tuning(tuning):
    fig, ax = lab.figure(height=3.6)
    for index, (method, rows) in enumerate(tuning.groupby("method", sort=False)):
        style = lab.line_style(index)
        fill = style["color"] if index < 7 else "none"
        ax.plot(
            rows.nll,
            rows.accuracy,
            linestyle="",
            marker=style["marker"],
            color=style["color"],
            markerfacecolor=fill,
            label=method,
        )
    ax.set(xlabel="NLL on the images to choose by", ylabel="accuracy on the same images")
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=9)
    return fig


lab.show(
    plot_tuning(tuning),
    alt="Accuracy against NLL on the images to choose by, one mark a setting, one kind of mark a "
    "method. The marks form a broad band: NLL from about 0.5 to 0.75, accuracy within a few "
    "points of 0.8 for nearly all.",
)

# %% [markdown]
# Each mark is one setting of one method. From left to right the NLL goes from 0.51 to 0.73. From bottom to top nearly all lie between 79 and 82 %, and of these three points much is chance: with 2,000 images the standard error of an accuracy is 0.9 points. (The few at the bottom are held back too much: much dropout or a tight ball, at the smallest rates.)
#
# And look at the rates that were chosen. **Nearly everybody picks a small one**, 0.0005, where the curves above had 0.002. By likelihood, the slowest learner that still arrives is best. We met the reason in the bowl: rate times steps is the inverse of a penalty. That is why "smaller rate" is a contender of its own. A method deserves praise for what it adds to *that*. (For batch norm 0.00025 is the
# edge of the grid. Slower still would be early stopping by another name. And label smoothing took the least that was offered, 0.01.)
#
# Now the last word. Six seeds that had no part in these choices, each with images and weights of its own, and 5,000 test images that have not been used for anything. MC dropout is the same network as dropout; it only predicts differently, by averaging the *probabilities* of 100 passes with the units still dropping out.
#
# **Predict, then run.** Which of the methods is clearly better than none in accuracy? In likelihood? In calibration?


# %%
@torch.no_grad()
def mc_scores(model, x, passes=100):
    """Log of the mean probability over many passes with active dropout."""
    first = next(i for i, layer in enumerate(model) if isinstance(layer, nn.Dropout))
    hidden = model[:first](x)  # what comes before the first dropout is the same in each pass
    noisy = model[first:].train()
    mean = sum(noisy(hidden).softmax(1) for _ in range(passes)) / passes
    model.eval()
    return mean.log()


outputs, rows = {}, []
for seed in lab.training.progress_bar(SEEDS, desc="seeds"):
    for method, setting in chosen.iterrows():
        started = time.perf_counter()
        model = contender(method, setting.lr, setting.strength, seed)
        seconds = time.perf_counter() - started
        weights = torch.cat([p.detach().flatten() for p in model.parameters() if p.dim() == 2])
        x, y = draw(N, seed)
        row = {
            "seed": seed,
            "train_accuracy": measures(scores(model, x), y)["accuracy"],
            "zeros": (weights == 0).float().mean().item(),
            "seconds": seconds,
        }
        predictors = {method: scores} | (
            {"MC dropout": mc_scores} if method == "dropout" else {}
        )
        for name, predict in predictors.items():
            outputs[name, seed] = predict(model, choose_x), predict(model, test_x)
            rows.append({"method": name, **row, **measures(outputs[name, seed][1], test_y)})
results = pd.DataFrame(rows)
ORDER = [*METHODS, "MC dropout"]
ORDER.insert(ORDER.index("dropout") + 1, ORDER.pop())
means = results.groupby("method").mean().loc[ORDER].drop(columns="seed")
means.round(3)

# %%
MEASURES = {"accuracy": "accuracy", "nll": "NLL", "ece": "ECE"}
differences = pd.concat(
    {
        name: lab.paired_difference(results, "method", name, baseline="none").set_index(
            "method"
        )
        for name in MEASURES
    },
    axis=1,
).loc[ORDER[1:]]
differences.loc[:, (slice(None), ["mean", "low", "high", "excludes_zero"])].round(3)


# %%
def plot_table(*frames):
    """One panel a measure, one line a method: mean and 95 % interval of each frame."""
    fig, axes = lab.figure(1, 3, height=4)
    for ax, (name, label) in zip(axes, MEASURES.items(), strict=True):
        for index, (title, frame) in enumerate(frames):
            table = lab.summary(frame, "method", name).set_index("method").loc[ORDER[::-1]]
            style = lab.line_style(index)
            ax.errorbar(
                table["mean"],
                np.arange(len(table)) + 0.2 * index,
                xerr=[table["mean"] - table["low"], table["high"] - table["mean"]],
                linestyle="",
                capsize=3,
                marker=style["marker"],
                color=style["color"],
                label=title,
            )
        none = frames[0][1]
        ax.axvline(none[none.method == "none"][name].mean(), color="0.5", linestyle=":")
        ax.set(xlabel=label, yticks=range(len(ORDER)), yticklabels=ORDER[::-1])
        ax.label_outer()
    if len(frames) > 1:
        lines, labels = axes[0].get_legend_handles_labels()
        fig.legend(lines, labels, loc="outside upper center", ncols=2, fontsize=9)
    return fig


lab.show(
    plot_table(("as trained", results)),
    alt="Mean and 95 % interval of each method in three panels. Accuracy: all intervals overlap "
    "near 0.8. NLL: none far to the right at 0.83, the means of all others between 0.57 and 0.64. "
    "ECE: none at 0.12, the means of all others between 0.02 and 0.06.",
)

# %% [markdown]
# Read the three panels from left to right.
#
# - **Accuracy: nothing.** All means lie within half a point of "none", and none of the eleven intervals excludes 0. They are narrow enough to say more: for every method, six seeds rule out a gain of one and a half points.
# - **Likelihood: a lot, at first sight.** From 0.83 to between 0.57 and 0.64, with intervals that are far from 0, whatever the method. But the second row does it without any method at all. The smaller rate has most of the gain, 0.23. Early stopping and dropout add 0.03 or 0.04 to it; weight decay, the proximal step, max-norm and label smoothing 0.02; L1 in the loss 0.01; batch norm and mixup nothing.
# - **Calibration: the same story.** From 0.12 to 0.05 by the rate, and to somewhere between 0.02 and 0.045 by what comes on top, MC dropout apart.
#
# Two surprises. MC dropout, famous for its honesty, is *less* well calibrated here than the same networks used plainly. Averaging over passes flattens the probabilities. That is a cure for a network that boasts; with that much dropout and a small rate these hardly do, and the cure makes them too modest. ("Dropout, and doubt" saw both sides of this; with a dropout of 0.2 the vote still helped there.) And batch norm, often praised as a regulariser, has the worst likelihood of all that were tuned: it knows its training images better than anybody,
# even at the smallest rate, and its noise at 50 images a batch does not prevent it.
#
# (`zeros` is the share of weights that are exactly 0. The proximal step at the strength that likelihood likes leaves one or two in a hundred; the sparse networks of the first lesson need a stronger one. The subgradient leaves none at all, at any strength.)


# %%
def two_predictions(seed):
    model = train(seed, dropout=0.4)  # at the rate of the first section, 0.002
    ways = {"dropout": scores, "MC dropout": mc_scores}
    return [
        {"prediction": way, **measures(predict(model, look_x), look_y)}
        for way, predict in ways.items()
    ]


bold = lab.repeat(two_predictions, SEEDS[:5])
bold_lead = {
    name: lab.paired_difference(bold, "prediction", name, baseline="dropout")
    .set_index("prediction")
    .loc["MC dropout"]
    for name in ("nll", "ece")
}
print(pd.DataFrame(bold_lead).T[["mean", "low", "high", "excludes_zero"]])
bold.groupby("prediction", sort=False)[list(MEASURES)].mean().round(3)

# %% [markdown]
# At the larger rate the same network with the same dropout does boast a little, and now the mean over passes is what it is famous for: better in likelihood and in calibration (the differences above are MC minus plain, with their 95 % intervals), at the same accuracy. A method that makes a network more modest is a cure for boasting, and for nothing else.
#
# ## The control that is left out
#
# What the methods improve is honesty: they make the network less sure of itself. There is a shorter way to that. Divide all logits by the same number, the **temperature** $T$:
#
# $$p = \text{softmax}(z / T)$$
#
# $T > 1$ flattens the probabilities, $T < 1$ sharpens them, and neither changes which class is largest. One number, found in a second on images that were not trained on, after the training is over (Guo et al., 2017). Door 7. Whoever praises a regulariser for its likelihood or its calibration has to beat *this*.

# %% [markdown] role="card" exercise="fit_temperature" level=2 minutes=12 topic="Calibration" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html"
# ### Fit a temperature
#
# Return the $T > 0$ for which the probabilities $\text{softmax}(z/T)$ have the smallest mean negative log-likelihood of `labels`, as a Python float, right to within 1 %. All logits are divided by the *same* $T$.
#
# `logits` is `(N, C)`, float32 or float64, and `labels` `(N,)`. You may take it that the best $T$ lies between 0.05 and 20. It may be below 1. Any way of finding it is welcome, if it takes no more than a second for a few thousand images; a helpful fact is that the loss, as a function of $\beta = 1/T$, is convex: it has a single
# minimum, and its slope changes sign there. Leave `logits` as it is; it may require gradients.


# %% role="stub" exercise="fit_temperature"
def fit_temperature(logits: torch.Tensor, labels: torch.Tensor) -> float:
    """The temperature that makes a classifier's probabilities most likely (Guo et al., 2017).

    Args:
        logits: scores (N, C) before the softmax, of images that were not trained on.
        labels: class numbers (N,), int64.

    Returns:
        T > 0, so that softmax(logits / T) has the smallest mean cross-entropy.
    """
    ### BEGIN SOLUTION
    z = logits.detach().double()
    low, high = math.log(0.05), math.log(20)
    right = z.gather(1, labels[:, None])
    for _ in range(30):
        middle = (low + high) / 2
        expected = ((z / math.exp(middle)).softmax(1) * z).sum(1, keepdim=True)
        # the slope of the loss in 1/T is the mean of Σ p z - z_label: above 0, so T is too small
        if (expected - right).mean() > 0:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)
    ### END SOLUTION


# %% role="check" exercise="fit_temperature"
with Check("fit_temperature") as check:
    # Labels drawn from softmax(z): then z is calibrated, and 3z is too bold by a factor of 3.
    torch.manual_seed(0)
    honest = torch.randn(2000, 5) * 2
    labels = torch.multinomial(honest.softmax(1), 1)[:, 0]
    own = fit_temperature(honest, labels)
    check.is_a(
        own, float, "Return a Python float: `.item()` makes one of a tensor with one number."
    )
    check.close(
        own,
        1.0,
        "These labels were drawn from softmax(z) itself: the best T should be close to 1.",
        rtol=0.05,
    )
    bold = 3 * honest
    got = fit_temperature(bold, labels)
    check.is_a(got, float)
    check.that(
        not 1.02 * own < got < 2.94 * own,
        f"Logits that are three times as large need a T three times as large, {3 * own:.2f}. Yours, {got:.2f}, is on the way "
        "there: the search stops short. Too few or too small steps, or a range that ends too early?",
    )
    check.close(
        got,
        3 * own,
        "Logits that are three times as large need a T three times as large.",
        known=[
            (own / 3, "That is 1/T: the logits are divided by T."),
            (
                own,
                "The same T as for logits a third as large: does the search move, and is it the loss of z/T that it minimises?",
            ),
        ],
        rtol=0.02,
    )
    check.close(
        fit_temperature(honest / 4, labels),
        own / 4,
        "A network may also be too modest: then T lies below 1.",
        rtol=0.02,
    )
    check.that(torch.equal(bold, 3 * honest), "Your function changes `logits`.")


# %% [markdown] role="hints" exercise="fit_temperature"
# <details><summary>Hint 1: one number, so look at many</summary>
#
# A thousand values of T between 0.05 and 20, each 0.6 % larger than the one before (`torch.logspace` or `np.geomspace`), are precise enough, and a thousand losses of a few thousand images take a second or so.
#
# </details>
# <details><summary>Hint 2: or halve an interval</summary>
#
# The slope of the mean loss in $\beta = 1/T$ is the mean of $\sum_k p_k z_k - z_\text{label}$, with $p = \text{softmax}(\beta z)$. Where it is positive, β is too large, so T too small. Start with 0.05 and 20 and halve, best on a logarithmic scale.
#
# </details>
# <details><summary>Hint 3: or let a library do it</summary>
#
# `scipy.optimize.minimize_scalar(loss, bounds=(low, high), method="bounded")` finds the minimum of a function of one number; let that number be $\log T$. `torch.optim.LBFGS` with a closure serves as well. Plain gradient descent tends to stop short, or to blow up: its rate has to fit the logits' scale.
#
# </details>

# %% role="test" exercise="fit_temperature" points=2
# Graded with hidden tests: bold and modest networks, two to fifty classes, wrong classifiers, dtypes, large logits.
### BEGIN HIDDEN TESTS
with HiddenTest("fit_temperature") as test:
    from scipy.optimize import minimize_scalar

    def best_of(logits, labels):
        z = logits.detach().double()
        found = minimize_scalar(
            lambda log_t: F.cross_entropy(z / math.exp(log_t), labels).item(),
            bounds=(math.log(0.04), math.log(25)),
            method="bounded",
            options={"xatol": 1e-4},
        )
        return math.exp(found.x)

    for n, n_classes, spread, scale, dtype in (
        (400, 3, 2.0, 1.7, torch.float32),
        (400, 10, 3.0, 0.12, torch.float64),
        (300, 10, 3.0, 8.0, torch.float32),
        (300, 2, 1.0, 4.0, torch.float64),
        (200, 50, 2.0, 0.5, torch.float32),
    ):
        z = torch.randn(n, n_classes, dtype=torch.float64) * spread
        labels = torch.multinomial(z.softmax(1), 1)[:, 0]
        # a network is no scaled truth: add errors of its own, and a constant, which no softmax sees
        logits = (z + 0.5 * torch.randn_like(z) + 5 * torch.randn(n, 1).double()) * scale
        logits = logits.to(dtype)
        wanted, before = best_of(logits, labels), logits.clone()
        with test.case(f"{n} images, {n_classes} classes, {dtype}"):
            got = fit_temperature(logits=logits, labels=labels)
        test.that(isinstance(got, Number), "Return a Python float.")
        test.close(
            float(got),
            wanted,
            "T should have the smallest mean cross-entropy of softmax(z/T), to within 1 %, above 1 and below.",
            known=[
                (1 / wanted, "That is 1/T: the logits are divided by T."),
                (
                    1.0,
                    "T is 1, where a search may begin: it does not move, or T < 1 is shut out.",
                ),
            ],
            rtol=0.012,
        )
        test.that(torch.equal(logits, before), "Your function changes `logits`.")
    # a confident net, right in 85 of 100: the classic case; logits that carry a graph
    labels = torch.randint(10, (600,))
    guesses = torch.where(torch.rand(600) < 0.85, labels, torch.randint(10, (600,)))
    logits = (F.one_hot(guesses, 10) * 20.0 + torch.randn(600, 10)).requires_grad_()
    wanted = best_of(logits, labels)
    with test.case("logits that require gradients"):
        got = fit_temperature(logits, labels)
    test.close(
        float(got),
        wanted,
        "For a very confident network T is not right to within 1 %. Was the search stopped before it arrived?",
        rtol=0.012,
    )
    test.that(logits.grad is None, "Leave `logits` as it is: its `.grad` has changed.")
    test.close(
        float(fit_temperature(logits.detach() / 60, labels)),
        wanted / 60,
        "Logits a sixtieth as large need a T a sixtieth as large.",
        rtol=0.012,
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="fit_temperature"
# With $\beta = 1/T$ the loss of an image is $\log\sum_k e^{\beta z_k} - \beta z_\text{label}$: a log-sum-exp, which is convex, minus a line. Its slope is $\sum_k p_k z_k - z_\text{label}$, so at the best temperature **the mean logit that the network expects equals the mean logit that it gets**. That is calibration of a kind,
# one equation for one unknown. And since division by a positive number keeps the order of the logits, the predicted class, and with it the accuracy, cannot change.

# %% [markdown]
# So here is the control. For each of the networks in the table we choose the best of 81 temperatures by the 2,000 images to choose by, and then look at the test images again.
#
# **Predict, then run.** "None" with a temperature of its own, against MC dropout, label smoothing and all the others: what is left of their lead?

# %%
TEMPERATURES = torch.logspace(-0.5, 1, 81)


def nll_by_temperature(log_p, y):
    return torch.stack([F.cross_entropy(log_p / t, y) for t in TEMPERATURES])


rows = []
for (method, seed), (on_choose, on_test) in outputs.items():
    t = TEMPERATURES[nll_by_temperature(on_choose, choose_y).argmin().cpu()].item()
    rows.append({"method": method, "seed": seed, "T": t, **measures(on_test / t, test_y)})
tempered = pd.DataFrame(rows)
tempered_differences = lab.paired_difference(tempered, "method", "nll", baseline="smaller rate")
pair = pd.concat(
    {
        "as trained": means[list(MEASURES)],
        "with T": tempered.groupby("method").mean().loc[ORDER, [*MEASURES, "T"]],
    },
    axis=1,
)
lab.show(
    plot_table(("as trained", results), ("with a temperature", tempered)),
    alt="The same three panels, with a second mark a method, after a temperature. Accuracy "
    "unchanged. In NLL and ECE the new marks stand nearly in one line, none's among them; "
    "batch norm and mixup stand to the right in NLL.",
)
pair.round(3)

# %%
tempered_differences.round(3)

# %% [markdown]
# The squares stand almost in a line. **One number, fitted afterwards, does for the untouched network what all those methods do during training:** its NLL falls from 0.83 to 0.60, its calibration error from 0.12 to 0.02, and its accuracy stays to the last image. With the smaller rate *and* a temperature it is 0.58 and 0.015.
#
# That last one is the baseline of the second table: whatever is praised has to beat a tuned rate and a temperature. Weight decay, both kinds of L1, max-norm, dropout, MC dropout and label smoothing do not: each of their intervals contains 0, and none reaches 0.02 to either side. Early stopping keeps a lead of 0.01 or 0.02, but then it has looked at the 2,000 images twice, once for its weights and once for its temperature. Batch norm and mixup fall *behind*: what they do to the logits is more
# than a change of scale, and something about *which* images are doubtful is lost that no temperature brings back (Müller, Kornblith and Hinton, 2019, found the like for label smoothing as strong as 0.1). MC dropout wants a temperature below 1, as we suspected.
#
# How much of this is luck? We repeated everything, tuning included, with four other seeds. What came back: equal accuracies within a point, the fall of the NLL from 0.84 to below 0.6 by the rate alone, an untouched network with a temperature at 0.59, batch norm and mixup behind it. What did not come back is *the ranking of the rest*. That time a weaker dropout was chosen; with a temperature it led by 0.03, its interval
# without 0, MC dropout was well calibrated from the start, and the lead of early stopping was within its interval. So do not learn the order of these rows by heart. It is what one seed of tuning and a handful of runs make of differences that hardly exist.

# %% [markdown]
# ## Or simply more data
#
# Early stopping, tuning and the temperature all used 2,000 labelled images to choose by. Twice as many as we trained on! In a table one does not see that, but whoever has 3,000 labelled images could train on most of them.
#
# **Predict, then run.** "None" and dropout, with three and five times the images, and the same number of steps. Which is worth more, the images or the method?


# %%
def with_more(images, seed):
    return measures(scores(train(seed, n=images), test_x), test_y)


more = lab.sweep(with_more, {"images": [3 * N, 5 * N]}, SEEDS)
more = pd.concat([results[results.method == "none"].assign(images=N), more])
more = more[["images", "seed", *MEASURES]]
fig, axes = lab.figure(1, 2, height=3)
best_of = {"accuracy": means.accuracy.max(), "nll": means.nll.min()}
for ax, name in zip(axes, best_of, strict=True):
    lab.band(more, "images", name, ax=ax, xlabel="training images", ylabel=MEASURES[name])
    ax.axhline(best_of[name], color="0.4", linestyle=":", label="best method, 1,000 images")
axes[0].legend(handlelength=3, fontsize=9)
lab.show(
    fig,
    alt="Accuracy and NLL of training without any method, with 1,000, 3,000 and 5,000 images. "
    "Accuracy rises, NLL falls, and from 3,000 images on the line is past the dotted line of "
    "the best method with 1,000.",
)
more.groupby("images")[list(MEASURES)].mean().round(3)

# %% [markdown]
# Three times the images are worth two points of accuracy, more than any method in the table, and five times the images a little more still, although 400 steps pass over each of them only four times. Likelihood follows by itself: what cannot be learnt by heart cannot be boasted about. **The strongest regulariser is data.** Before you tune a
# fourth method, ask what it would cost to label another thousand images; and if you have set aside more images to choose by than to learn from, move some of them over.

# %% [markdown]
# ## Which one, then?
#
# With one measure, one method is best. With several, there is no "best" until somebody says what is worth how much. But some can be ruled out without asking anybody.

# %% [markdown] role="card" exercise="pareto_front" level=2 minutes=10 topic="Choosing" doc="https://docs.pytorch.org/docs/stable/generated/torch.all.html"
# ### Who is not beaten?
#
# `costs` is `(n, k)`: for each of $n$ methods $k$ measures of which **less is better** (error, loss, seconds). Method $j$ *beats* method $i$ if it is at least as good in every measure, and strictly better in at least one. Return a boolean tensor `(n,)` that is `True` for the methods that no other one beats:
# the **Pareto front**.
#
# Two methods with the same costs do not beat each other.


# %% role="stub" exercise="pareto_front"
def pareto_front(costs: torch.Tensor) -> torch.Tensor:
    """Which rows no other row beats, where less is better in each column.

    Args:
        costs: (n, k), n and k at least 1, finite.

    Returns:
        A bool tensor (n,).
    """
    ### BEGIN SOLUTION
    mine, other = costs[:, None, :], costs[None, :, :]
    beaten_by = (other <= mine).all(2) & (other < mine).any(2)
    return ~beaten_by.any(1)
    ### END SOLUTION


# %% role="check" exercise="pareto_front"
with Check("pareto_front") as check:
    costs = torch.tensor([[1.0, 9.0], [2.0, 5.0], [3.0, 6.0], [4.0, 4.0], [2.0, 5.5]])
    got = pareto_front(costs)
    check.is_a(got, torch.Tensor)
    check.that(
        got.dtype == torch.bool,
        f"The result should be boolean, one truth value a method, but its dtype is {got.dtype}.",
    )
    check.shape(got, (5,), "One truth value a method.")
    check.that(
        got.tolist() != [False, False, False, False, False],
        "Nobody is left. Does each row beat itself? It should be *better* in at least one column.",
    )
    check.that(
        got.tolist() != [True, False, False, True, False],
        "You keep only the rows that are best in some column. (2, 5) is best in none, but nothing beats it either.",
    )
    check.that(
        got.tolist() != [False, False, True, False, True],
        "Those are the beaten ones: the front is the others, and less is better.",
    )
    check.that(
        got.tolist() != [True, False, True, True, False],
        "Those are the rows that beat nobody: you have the two directions swapped. Less is better, and a row is out if some "
        "*other* row beats *it*.",
    )
    check.that(
        got.tolist() == [True, True, False, True, False],
        "(2, 5) beats (3, 6), and also (2, 5.5), to which it is equal in one column and better in the other; the other three are not "
        f"beaten. You say {got.tolist()}.",
    )
    check.that(
        pareto_front(torch.tensor([[1.0, 2.0], [1.0, 2.0], [2.0, 2.0]])).tolist()
        == [True, True, False],
        "(1, 2) stands twice: equals do not beat each other, and both beat (2, 2).",
    )
    check.that(costs[1].tolist() == [2.0, 5.0], "Your function changes `costs`.")


# %% [markdown] role="hints" exercise="pareto_front"
# <details><summary>Hint 1: two questions</summary>
#
# For methods `i` and `j`: `(costs[j] <= costs[i]).all()`, and `(costs[j] < costs[i]).any()`. Both together: `j` beats `i`.
#
# </details>
# <details><summary>Hint 2: all pairs at once</summary>
#
# `costs[:, None]` has the shape `(n, 1, k)` and `costs[None]` `(1, n, k)`; compared with each other they give `(n, n, k)`. A double loop is just as welcome.
#
# </details>

# %% role="test" exercise="pareto_front" points=2
# Graded with hidden tests: one to five measures, ties, duplicates, a single method, dtypes.
### BEGIN HIDDEN TESTS
with HiddenTest("pareto_front") as test:

    def beats(a, b):
        return all(x <= y for x, y in zip(a, b, strict=True)) and a != b

    for n, k, high, dtype in (
        (1, 3, 5, torch.float32),
        (6, 1, 4, torch.float64),
        (15, 2, 6, torch.float32),
        (20, 3, 4, torch.int64),
        (25, 2, 100, torch.float64),
        (12, 5, 3, torch.float32),
    ):
        for _ in range(6):
            rows = torch.randint(-high, high, (n, k)).tolist()
            wanted = [not any(beats(other, row) for other in rows) for row in rows]
            costs = torch.tensor(rows, dtype=dtype)
            before = costs.clone()
            with test.case(f"{n} methods, {k} measures"):
                got = pareto_front(costs)
            test.is_a(got, torch.Tensor)
            test.that(got.dtype == torch.bool, "The result should be boolean.")
            test.shape(got, (n,))
            test.that(
                not any(
                    mine and not right for mine, right in zip(got.tolist(), wanted, strict=True)
                ),
                "A method is on your front that another one beats: at least as good everywhere, and better somewhere (ties count).",
            )
            test.that(
                got.tolist() == wanted,
                "A method is missing from your front that no other one beats (equal rows do not beat each other, negative costs are costs).",
            )
            test.that(torch.equal(costs, before), "Your function changes `costs`.")
    twins = torch.tensor([[0.0, 1.0], [-1.0, 2.0], [0.0, 1.0], [1.0, 1.0], [0.0, 1.0]])
    test.that(
        pareto_front(twins).tolist() == [True, True, True, False, True],
        "Equal rows do not beat each other: all of them are on the front, or none.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="pareto_front"
# A front does not choose for you. It says which choices need no further thought, because something else is better whatever you care about; between those that remain you have to say what a point of accuracy is worth in seconds. With more measures, fewer methods are beaten: with enough of them, everybody is on the front,
# since everybody is best at something. And it takes means at face value: a method that is beaten by less than its interval is not beaten yet.

# %%
with needs("pareto_front"):
    costs = torch.tensor([*zip(1 - means.accuracy, means.nll, means.ece, strict=True)])
    print(
        "not beaten in error, NLL and ECE: ",
        *means.index[pareto_front(costs).numpy()],
        sep="  ",
    )
    coarse = (costs / torch.tensor([0.01, 0.02, 0.01])).round()  # steps that a seed could make
    print(
        "... and if small steps are no steps:",
        *means.index[pareto_front(coarse).numpy()],
        sep="  ",
    )

# %% [markdown]
# Early stopping has the smallest error and the smallest NLL, and so beats whoever is not better calibrated. Others are on the front for a hundredth in a single measure. The second line takes that away: it rounds errors and calibration errors to a point, and the NLL to 0.02, before it compares, since a seed could change as much.
#
# What we would do, and what the measurements above support:
#
# 1. **Tune the learning rate** by the validation loss, and **stop early** with the best weights restored. They cost some runs and some labelled images, and bring most of what there is to be had.
# 2. **Add one cheap method**, weight decay or dropout, if the gap between training and other images is still large; with a strength that was tuned, at a rate that was tuned anew.
# 3. **Fit a temperature** at the end, always, if anybody is going to use the probabilities.
# 4. **Get more data**, or invent some: for images, shifts and flips; for networks that exist already, transfer.
# 5. Choose the rest for *other* reasons than accuracy: L1 with a proximal step for sparse networks, MC dropout for a doubt that is more than one number, batch norm because it trains deep networks at all.
#
# One warning about our own table. It is one architecture, one data set, 1,000 images, 400 steps. On large networks with long trainings dropout, weight decay and label smoothing have brought points of accuracy. What carries over is not the ranking but the three controls: an own rate for everybody, a temperature for everybody, and the question what the same effort would have bought in data.

# %% [markdown]
# ## Play with it
#
# The reliability diagram: for each bin of confidence the share of hits. On the diagonal confidence is honest; below it the network boasts. Choose a method, and turn the temperature until it lies on the diagonal. Is the $T$ that looks best also the one with the smallest NLL? Can you reach with "none" what MC dropout has by itself?

# %%
from ipywidgets import Dropdown, FloatLogSlider, interact


@interact(
    method=Dropdown(options=ORDER, value="none"),
    temperature=FloatLogSlider(1.0, min=-0.5, max=0.7, step=0.02, continuous_update=False),
)
def reliability(method, temperature):
    logits = outputs[method, SEEDS[0]][1] / temperature
    p, right = logits.softmax(1).max(1).values, logits.argmax(1) == test_y
    bins = (p * 10).ceil().long().clamp(1, 10) - 1  # closed on the right, as before
    count = torch.bincount(bins, minlength=10).cpu()
    hits = torch.bincount(bins, weights=right.float(), minlength=10).cpu() / count.clamp(min=1)
    found = measures(logits, test_y)
    fig, ax = lab.figure(height=3)
    ax.bar(np.arange(0.05, 1, 0.1), hits, width=0.09, label="share of hits")
    ax.plot([0, 1], [0, 1], "--", color="0.3", label="honest")
    ax.set(xlabel="confidence", ylabel="share of hits", xlim=(0, 1), ylim=(0, 1))
    ax.set(
        title=f"NLL {found['nll']:.3f}, ECE {found['ece']:.3f}, accuracy {found['accuracy']:.3f}"
    )
    ax.legend(loc="upper left")
    lab.show(
        fig,
        alt=f"Reliability of {method} at temperature {temperature:.2f}: bars of the share of hits in ten bins of "
        f"confidence, and the diagonal. NLL {found['nll']:.3f}, ECE {found['ece']:.3f}.",
    )


# %% [markdown] role="question" exercise="the_price_of_dropout" minutes=8
# ### The price of dropout
#
# In at most ten sentences, and compared with the same network without dropout: (a) Does one training step take longer with dropout? And are more steps needed to reach the same training loss? (b) Does a prediction in evaluation mode take longer? (c) How much longer does a prediction by MC dropout with 100 passes take, if dropout acts on the inputs already? (d) Your network has a large convolutional body, and dropout only before its last layer. What do 100 passes cost now, and why?

# %% [markdown] role="answer" exercise="the_price_of_dropout" points=3
# (a) A step hardly: the mask is one random number and one multiplication a unit, little beside the matrix products (nothing is saved either, since the dropped units are computed and multiplied by 0). But the gradients are noisier and each step trains only a part of the network, so more steps are needed to reach the same loss, often two or three times as many; and the
# training loss in training mode does not come down as far. (b) No. In evaluation mode inverted dropout is the identity, the factor $1/(1-p)$ was paid in training. (c) A hundred times as long, since each pass runs through the whole network; the passes are independent, so they can be put into one large batch and run in parallel on a GPU, and memory rather than
# time is then the limit. (d) Hardly more than one pass: everything before the first dropout layer gives the same result each time, so the body is computed once, and only the mask and the last layer are repeated, as in `mc_scores`.

# %% [markdown] role="question" exercise="flat_accuracy" minutes=10
# ### Flat accuracy
#
# In at most ten sentences: (a) In our table the accuracies of all methods lie within a point of "none", while NLL and ECE of "none" are far worse than all others. Say what happens to the logits late in a training without any method, and which of the three measures notice it, and why. (b) A paper reports: "Our regulariser lowers NLL from 0.80 to 0.60 at equal accuracy." Which control do you ask for, and what would convince you? (c) Among ten methods one has an accuracy lead of 0.9 points, with a 95 %
# interval from 0.2 to 1.6. What do you tell the colleague who wants to adopt it for that reason?

# %% [markdown] role="answer" exercise="flat_accuracy" points=3
# (a) Accuracy asks only which logit is largest, NLL also by how much, and ECE whether the confidence that follows from it is deserved. Late in training the training images are all classified correctly, and the loss can fall further only by making the logits larger; the directions stay nearly as they are. So the decisions hardly change, but the probabilities move towards 0 and 1, also on the images that are misclassified, and each confident error costs a lot
# of NLL; the mean confidence rises, the share of hits does not, and that distance is the ECE. Regularisers prevent mainly the growth of the logits. (b) The unregularised network with a temperature fitted on validation images, at its own best learning rate, with several seeds: the same decisions, one number more. I would be convinced if the regulariser still won after *both* had been given a temperature, with an interval that excludes 0, or if it was as good without
# needing validation images. (c) That with ten comparisons at 95 % each, the chance of at least one such false alarm is up to four in ten, and the largest of ten leads is an overestimate even where it is real. It is a reason to run that one method again, with fresh seeds and no other contenders; not yet a reason to adopt it, though nothing speaks against it if it is free.

# %% [markdown]
# ## What we measured

# %%
last = by_step.iloc[-1]
waited = patience_runs[patience_runs.patience == 20].groupby("weights").nll.mean()
cool = tempered.groupby("method").mean().loc[ORDER]
at = more.groupby("images")[list(MEASURES)].mean()
others = ORDER[1:]

with Claims(data) as claim:
    claim(
        "no medicine: more than 96 % of the training images are learnt, and the NLL on others ends 0.1 above its best",
        last.train_accuracy > 0.96 and last.nll > by_step.nll.min() + 0.1,
        weaker=last.train_accuracy > 0.7 and last.nll > last.train_nll,
    )
    claim(
        "... while its accuracy ends within a point of its best, or above",
        last.accuracy > by_step.accuracy[turn] - 0.01,
        weaker=last.accuracy > by_step.accuracy[turn] - 0.1,
    )
    claim(
        "patience 20 without the best weights costs more than 0.05 of NLL",
        waited["last weights"] > waited["best weights restored"] + 0.05,
        weaker=waited["last weights"] > waited["best weights restored"] - 0.1,
    )
    claim(
        "on the bowl, stopping and the penalty are never more than 0.22 apart; the formula is what the rule does",
        (stopped_share - ridge_share).abs().max() < 0.22
        and torch.allclose(walked, stopped_share, rtol=1e-9),
    )
    claim(
        "max-norm 1: no unit is longer than 1; without, some are",
        lengths["max-norm 1"].max() < 1 + 1e-5 and lengths["none"].max() > 1.1,
        weaker=lengths["max-norm 1"].max() < 1 + 1e-5,
    )
    claim(
        "batch norm's noise falls with a slope of -0.35 to -0.6",
        -0.6 < noise_slope < -0.35,
        weaker=noise_slope < -0.2,
    )
    claim(
        "smoothing: the label leads by 3.5 to 5.5 on training images, by twice as much without",
        3.5 < margins[0.1].mean() < 5.5 and margins[0.0].mean() > 2 * margins[0.1].mean(),
        weaker=margins[0.0].mean() > margins[0.1].mean(),
    )
    claim(
        "the table: all accuracies lie within three points of none's",
        (means.accuracy - means.accuracy["none"]).abs().max() < 0.03,
        weaker=(means.accuracy - means.accuracy["none"]).abs().max() < 0.2,
    )
    claim(
        "the table: at their own rates all have an NLL more than 0.1 below none's, and a smaller ECE",
        (means.nll[others] < means.nll["none"] - 0.1).all()
        and (means.ece[others] < means.ece["none"]).all(),
        weaker=(means.nll < math.log(n_classes)).all(),
    )
    claim(
        "the smaller rate alone brings more than half of the largest gain in NLL",
        means.nll["none"] - means.nll["smaller rate"]
        > (means.nll["none"] - means.nll.min()) / 2,
        weaker=means.nll["smaller rate"] < means.nll["none"] + 0.3,
    )
    claim(
        "exact zeros: none in the networks of L1 in the loss, some with the proximal step",
        means.zeros["L1 in the loss"] < 1e-4 and means.zeros["L1 proximal"] > 0.003,
        weaker=means.zeros["L1 in the loss"] < means.zeros["L1 proximal"],
    )
    claim(
        "a temperature changes no accuracy",
        np.allclose(cool.accuracy, means.accuracy, atol=1e-3),
    )
    claim(
        "a temperature brings none's NLL down by more than 0.1, to within 0.06 of the best in the table",
        cool.nll["none"] < means.nll["none"] - 0.1
        and cool.nll["none"] < means.nll.min() + 0.06,
        weaker=cool.nll["none"] < means.nll["none"] + 0.05,
    )
    claim(
        "with a temperature for everybody nobody leads the smaller rate by more than 0.04, nor none by 0.06",
        cool.nll.min() > max(cool.nll["smaller rate"] - 0.04, cool.nll["none"] - 0.06),
        weaker=cool.nll.min() > cool.nll["none"] - 0.2,
    )
    claim(
        "with a temperature batch norm and mixup are behind the smaller rate by more than 0.01",
        min(cool.nll["batch norm"], cool.nll["mixup"]) > cool.nll["smaller rate"] + 0.01,
        weaker=min(cool.nll["batch norm"], cool.nll["mixup"]) > cool.nll["smaller rate"] - 0.2,
    )
    claim(
        "at rate 0.002 MC dropout has a smaller NLL than the plain prediction, and the interval excludes 0",
        bold_lead["nll"]["high"] < 0,
        weaker=bold_lead["nll"]["mean"] < 0.3,
    )
    claim(
        "the mean over passes flattens: MC dropout wants a smaller temperature than dropout",
        cool["T"]["MC dropout"] < cool["T"]["dropout"],
        weaker=cool["T"]["MC dropout"] < cool["T"]["dropout"] + 0.1,
    )
    claim(
        "three times the images: without any method a higher accuracy than every method with a thousand",
        at.accuracy[3 * N] > means.accuracy.max(),
        weaker=at.accuracy[3 * N] > means.accuracy["none"] - 0.05,
    )

# %% [markdown]
# ## In short
#
# | door | method | what to write |
# |---|---|---|
# | 1 data | mixup | `share * x + (1 - share) * x[other]`, the one-hot labels alike |
# | 2 network | dropout, batch norm | `nn.Dropout(0.4)`, `nn.BatchNorm1d` |
# | 3 loss | label smoothing, L1 | `F.cross_entropy(..., label_smoothing=0.05)` |
# | 4 optimiser | weight decay | `AdamW(groups, weight_decay=...)`, without biases and norms |
# | 5 after the step | max-norm, L1 proximal | `w.renorm_(2, 0, r)`, `F.softshrink(w, lr * λ)` |
# | 6 stopping | early stopping | patience, and the best weights restored |
# | 7 prediction | MC dropout, temperature | mean of *probabilities*; `softmax(z / T)` |
#
# - Late in training, logits grow and decisions hardly change. So accuracy stands still while likelihood and calibration get worse.
# - Regularisers mostly undo that growth. So does one number, fitted afterwards. Compare with it before you praise a method for its NLL.
# - The learning rate and the number of steps regularise, too. A comparison at one rate for all is none.
# - More labelled images beat all of it, in accuracy and in likelihood.
#
# **Read on.** Prechelt (1998), *Early stopping, but when?* Bishop (1995) on early stopping as a penalty. Srivastava et al. (2014) on dropout with max-norm. Szegedy et al. (2016) on label smoothing, and Müller, Kornblith and Hinton (2019), *When does label smoothing help?*, on what it erases. Zhang et al. (2018) on mixup. Guo, Pleiss, Sun and Weinberger (2017), *On calibration of modern neural networks*.
# The next chapter puts everything together.

# %%
lab.show_progress("ch05")
