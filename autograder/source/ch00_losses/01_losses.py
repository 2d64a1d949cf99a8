# ---
# jupyter:
#   lesson:
#     title: What training minimises
#     minutes: 90
# ---

# %% [markdown]
# Training changes the weights of a network so that **one number** goes down: the loss. It never sees the accuracy, your customers or your good intentions. Whatever
# the loss does not punish, the network will not learn, and where the loss is flat, it learns nothing at all.
#
# So the choice of that number matters, and it is easy to get quietly wrong: by two shapes that do not fit, by one softmax too many, by a formula that is right on paper and
# gives `nan` at three in the morning. None of these stops with an error. After this lesson you can
#
# - write the three losses that most networks are trained with, and say why each belongs to its output layer,
# - compute softmax and cross-entropy so that no score, however extreme, breaks them,
# - derive the gradient that makes softmax and cross-entropy such a good pair,
# - find out how much of a famous gap between two losses is really due to the loss.
#
# You need: PyTorch basics, the chain rule, logarithms, and to have trained a small network once.
#
# **How a lesson works.** Run the cells from top to bottom. Where it says *Predict, then run*, guess first: a guess that turns out wrong is what you will remember. An exercise is a
# card that says what is wanted, a cell for your code, a check that tells you in a sentence what is wrong, and hints to unfold one by one. Hidden tests grade it afterwards with other numbers and
# ask nothing that the card does not say. A check that is not solved yet stops nothing, so you may read on. The cell under "What we measured" asserts the figures that the text
# relies on.

# %% role="setup"
import math
import warnings

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

import trainlab as lab
from trainlab import Check, Claims, HiddenTest, budget


# What people add to a probability, or clamp it at, to keep it away from 0.
SMALL = *(10.0**-n for n in range(5, 21)), 2.0**-23, 2.0**-52, 1e-30, 1e-37, 1e-38, 2.0**-126


def refusal(function, *args, **kwargs):
    """The text of the ValueError that a call raises; None if it raises none."""
    try:
        function(*args, **kwargs)
    except ValueError as error:
        return str(error)
    return None


# %%
device = lab.device()
data = lab.mnist(flat=True).to(device)
n_inputs, n_classes = 784, len(data.classes)
data

# %% [markdown]
# ## A number to predict: the squared error
#
# A network predicts $\hat y$, the truth is $y$. The classic loss for numbers is the **squared error**, $(\hat y - y)^2$, added up or averaged over everything that was predicted. Its slope
# is $2(\hat y - y)$: twice the miss, twice the pull.
#
# **Predict, then run.** Five predictions and their truths. Which of the five contributes most to the loss, and how large is its share?

# %%
prediction = torch.tensor([-0.10, -0.24, 1.43, -0.14, -0.59])
truth = torch.tensor([0.59, -1.92, -1.27, -0.40, 0.50])
squares = F.mse_loss(prediction, truth, reduction="none")
total = F.mse_loss(prediction, truth, reduction="sum").item()
average = F.mse_loss(prediction, truth).item()
print("misses  ", (prediction - truth).numpy().round(2))
print("squares ", squares.numpy().round(4))
print("shares  ", (squares / total).numpy().round(2))
print(f"sum {total:.4f}, mean {average:.4f}")

# %% [markdown]
# One miss of 2.7 makes up more than 60 % of the loss. Squares listen to whoever shouts loudest: fine if large misses really are that bad, a nuisance if they are typing errors in your data.
# Two relatives are calmer. The **absolute error** (L1) pulls with the same force however large the miss; the **Huber loss** is a parabola for small misses and a straight line beyond a threshold δ. The best constant guess
# shows the difference in one line: for the truths 1, 2, 4, 5 and 100, squares want the mean, 22.4, and absolute errors want the median, 4.


# %%
def plot_regression_losses():
    fig, (left, right) = lab.figure(1, 2, height=2.9)
    miss = torch.linspace(-3, 3, 301, requires_grad=True)
    zero = torch.zeros(301)
    for f, name, style in (
        (F.mse_loss, "squared", "-"),
        (F.l1_loss, "absolute (L1)", "--"),
        (F.huber_loss, "Huber, δ = 1", "-."),
    ):
        loss = f(miss, zero, reduction="none")
        (pull,) = torch.autograd.grad(loss.sum(), miss)
        left.plot(miss.detach(), loss.detach(), style, label=name)
        right.plot(miss.detach(), pull, style)
    left.set(xlabel="miss, prediction − truth", ylabel="loss", ylim=(0, 5))
    right.set(xlabel="miss, prediction − truth", ylabel="slope of the loss", ylim=(-6, 6))
    left.legend(fontsize=9)
    return fig


lab.show(
    plot_regression_losses(),
    alt="Left: three losses against the miss from -3 to 3; the squared error is a parabola, L1 a V, "
    "Huber a parabola that turns into straight lines beyond 1. Right: their slopes; the squared "
    "error's grows without bound, L1's jumps from -1 to 1 at 0, Huber's is limited to -1 and 1.",
)

guesses = torch.linspace(0, 110, 1101)[:, None]
truths = torch.tensor([1.0, 2, 4, 5, 100]).expand(1101, 5)
best_guess = {}
for f, name in ((F.mse_loss, "squared"), (F.l1_loss, "absolute")):
    losses = f(guesses.expand(1101, 5), truths, reduction="none").sum(1)
    best_guess[name] = guesses[losses.argmin()].item()
    print(f"{name:9} errors are smallest with the guess {best_guess[name]:.1f}")

# %% [markdown]
# **Sum or mean?** The minimum lies at the same place; the gradient does not have the same length. A sum over 100 numbers has 100 times the gradient of their mean, so it wants a rate 100 times
# smaller. With several outputs there are three conventions. PyTorch's `"mean"` divides by *all* numbers, batch times outputs. Many books add up the outputs and divide by the batch only,
# which for ten outputs is ten times as much. Say which one you use whenever you quote a learning rate.
#
# Now a trap that has cost people weeks. Your network ends in `nn.Linear(20, 1)` and returns shape `(B, 1)`. Your targets have shape `(B,)`. Subtraction *broadcasts* them to `(B, B)`: each prediction is compared
# with each target.
#
# **Predict, then run.** A line is fitted to $y = 2x + 1$, once with matching shapes and once with $(B, 1)$ against $(B,)$. What does the second one learn?


# %%
def fit_line(squeeze, steps=300):
    """Slope and intercept found by gradient descent on the squared error, and the last loss."""
    torch.manual_seed(0)
    x = torch.linspace(-1, 1, 64)[:, None]
    y = 2 * x[:, 0] + 1
    line = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(line.parameters(), lr=0.1)
    for _ in range(steps):
        optimizer.zero_grad()
        output = line(x).squeeze(1) if squeeze else line(x)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # F.mse_loss warns about the shapes, once
            loss = F.mse_loss(output, y)
        loss.backward()
        optimizer.step()
    return line.weight.item(), line.bias.item(), loss.item()


lines = {"(64,) and (64,)": fit_line(True), "(64, 1) and (64,)": fit_line(False)}
for shapes, (slope, intercept, loss) in lines.items():
    print(f"{shapes:18} y = {slope:.2f} x + {intercept:.2f}, loss {loss:.2f}")

# %% [markdown]
# Compared with *all* targets, the best answer is the same for each $x$: their mean. The line comes out flat, the loss goes down and settles, no error is raised. `F.mse_loss` at least gives a warning (which we
# silenced); the same arithmetic written by hand says nothing. That is why yours will refuse such shapes.

# %% [markdown] role="card" exercise="squared_error" level=1 minutes=8 topic="Regression losses" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.mse_loss.html"
# ### The squared error, with a guard
#
# Compute $(\hat y - y)^2$ for each number, and reduce as PyTorch does:
#
# - `"mean"`: the mean over **all** numbers, whatever the shape; `"sum"`: their sum. Both give a tensor without dimensions.
# - `"none"`: no reduction, a tensor of the shape of the arguments.
#
# Prediction and target are floating-point tensors of one dtype, which the result has too, and of one shape: any shape, that of a single number included. They stay as they are. If the two shapes differ, even where they would broadcast, raise a `ValueError`. For any other `reduction` raise a
# `ValueError` whose text names all three choices. Gradients must flow back to the prediction. `F.mse_loss` is the model: write your own.


# %% role="stub" exercise="squared_error"
def squared_error(
    prediction: torch.Tensor, target: torch.Tensor, reduction: str = "mean"
) -> torch.Tensor:
    """Squared error, reduced as asked.

    Args:
        prediction: floating-point tensor of any shape.
        target: tensor of exactly the same shape.
        reduction: "mean" over all numbers, "sum", or "none".

    Returns:
        A tensor without dimensions, or of the shape of the arguments for "none".

    Raises:
        ValueError: if the shapes differ, or `reduction` is none of the three.
    """
    ### BEGIN SOLUTION
    if prediction.shape != target.shape:
        raise ValueError(f"shapes differ: {tuple(prediction.shape)}, {tuple(target.shape)}")
    squared = (prediction - target) ** 2
    if reduction == "none":
        return squared
    if reduction == "sum":
        return squared.sum()
    if reduction == "mean":
        return squared.mean()
    raise ValueError(f'reduction is "mean", "sum" or "none", not {reduction!r}')
    ### END SOLUTION


# %% role="check" exercise="squared_error"
with Check("squared_error") as check:
    guess = torch.tensor([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], requires_grad=True)
    wanted = torch.tensor([[1.0, 0.0], [0.0, 0.0], [5.0, 5.0]])  # misses 0, 2, 3, 4, 0, 1
    kept = guess.detach().clone(), wanted.clone()
    loss = squared_error(guess, wanted)
    check.is_a(loss, torch.Tensor)
    check.that(
        torch.equal(guess, kept[0]) and torch.equal(wanted, kept[1]),
        "Your function changed its arguments: work on a copy.",
    )
    check.close(
        loss,
        5.0,
        "Misses of 0, 2, 3, 4, 0 and 1 have a mean squared error of 5.",
        known=[
            (30.0, "The default gives the sum. It should be the mean."),
            (
                10.0,
                "You add up the outputs and average over the batch. Average over all numbers.",
            ),
            (15.0, "You divide by the number of columns. Average over all numbers."),
            (10 / 6, "You average the misses. Square each of them first."),
            (100 / 36, "You square the mean. Square each miss, then average."),
            (2.5, "There is an extra factor of ½: some books have it, PyTorch does not."),
            (math.sqrt(5), "That is the root mean square. Leave out the root."),
        ],
    )
    check.that(
        loss.requires_grad,
        "The loss is cut off from autograd: no `.item()`, `.detach()` or `.data`.",
    )
    check.close(
        squared_error(guess, wanted, reduction="sum"),
        30.0,
        'With reduction="sum" the squares 0, 4, 9, 16, 0 and 1 add up to 30.',
        known=[(5.0, '`reduction="sum"` makes no difference: the mean comes back.')],
    )
    each = squared_error(guess, wanted, reduction="none")
    check.shape(each, (3, 2), 'With reduction="none" nothing is reduced.')
    check.close(
        each,
        torch.tensor([[0.0, 4.0], [9.0, 16.0], [0.0, 1.0]]),
        'With reduction="none" each square should stand in its place.',
        known=[
            (
                torch.tensor([[0.0, 2.0], [3.0, 4.0], [0.0, 1.0]]),
                'With reduction="none", too, each miss is squared.',
            )
        ],
    )
    with check.case("a prediction of shape (4, 1) and a target of shape (4,)"):
        told = refusal(squared_error, torch.zeros(4, 1), torch.zeros(4))
    check.that(
        told is not None,
        "Shapes (4, 1) and (4,) broadcast to (4, 4). Compare the shapes and raise a ValueError if they differ.",
    )
    with check.case('the reduction "average"'):
        told = refusal(squared_error, torch.zeros(4), torch.zeros(4), reduction="average")
    check.that(told is not None, 'The reduction "average" should raise a ValueError.')
    check.that(
        all(word in told for word in ("mean", "sum", "none")),
        'The text of the ValueError should name all three choices, "mean", "sum" and "none".',
    )


# %% [markdown] role="hints" exercise="squared_error"
# <details><summary>Hint 1: the guard</summary>
#
# `a.shape != b.shape` compares two shapes as a whole. Raise before you subtract.
#
# </details>
# <details><summary>Hint 2: three ways out</summary>
#
# Compute the squares once. Then one `if` for each reduction, each with its own `return`; whoever gets past all three asked for something that does not exist.
#
# </details>

# %% role="test" exercise="squared_error" points=1
# Graded with hidden tests: other shapes and dtypes, shapes that broadcast, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("squared_error") as test:
    for shape in ((7,), (5, 3), (1, 4), (2, 3, 4), ()):
        for dtype in (torch.float32, torch.float64):
            a = torch.randn(shape, dtype=dtype, requires_grad=True)
            b = torch.randn(shape, dtype=dtype)
            saved = a.detach().clone(), b.clone()
            for how in ("mean", "sum", "none"):
                want = F.mse_loss(a.detach().double(), b.double(), reduction=how)
                with test.case(f"shape {shape}, {how}"):
                    got = squared_error(prediction=a, target=b, reduction=how)
                test.is_a(got, torch.Tensor)
                test.shape(got, tuple(want.shape), f'This was reduction="{how}".')
                test.close(got, want, f'reduction="{how}" is wrong for shape {shape}.')
                test.that(got.dtype == dtype, "The dtype should stay that of the arguments.")
                test.close(
                    got,
                    want,
                    f"Only the digits of float32 are right, though the arguments are {dtype}.",
                    rtol=1e-4 if dtype == torch.float32 else 1e-9,
                    atol=1e-6 if dtype == torch.float32 else 1e-12,
                )
                test.that(got.requires_grad, "The loss is cut off from autograd.")
                (pull,) = torch.autograd.grad(got.sum(), a, allow_unused=True)
                test.that(pull is not None, "No gradient flows back to the prediction.")
                test.that(
                    torch.equal(a, saved[0]) and torch.equal(b, saved[1]),
                    "Your arguments changed.",
                )
                slope = 2 * (saved[0] - saved[1]) / (a.numel() if how == "mean" else 1)
                test.close(pull, slope, f'The gradient under reduction="{how}" is wrong.')
            test.close(
                squared_error(a, b),
                F.mse_loss(*saved),
                'Without a reduction, "mean" should be meant.',
            )
    test.close(
        squared_error(torch.randn(4, 6).T, torch.zeros(6, 4), reduction="none").shape[0],
        6,
        "A transposed prediction is a tensor like any other.",
    )
    for first, second in (
        ((5,), (5, 1)),
        ((5, 1), (5,)),
        ((3, 4), (4,)),
        ((3, 4), (1, 4)),
        ((), (3,)),
        ((2, 3), (3, 2)),
    ):
        for how in ("mean", "sum", "none"):
            with test.case(f"shapes {first} and {second}"):
                told = refusal(squared_error, torch.zeros(first), torch.ones(second), how)
            test.that(
                told is not None,
                f"Shapes {first} and {second} differ: that should raise a ValueError, whatever the reduction.",
            )
    for how in ("average", "Mean", "", "batchmean"):
        with test.case(f"reduction {how!r}"):
            told = refusal(squared_error, torch.zeros(3), torch.ones(3), how)
        test.that(told is not None, f"The reduction {how!r} should raise a ValueError.")
        test.that(
            all(word in told for word in ("mean", "sum", "none")),
            "The text of the ValueError should name all three choices.",
        )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="squared_error"
# Two lines of guard, and the bug of the flat line cannot happen to you. Libraries are lenient about shapes because broadcasting is useful nearly everywhere; in a loss it hardly ever is. If you want it, say it,
# with `expand_as`.

# %% [markdown]
# ## A class to predict: cross-entropy
#
# Now the network names a class. It answers with a probability for each of $K$ classes, and the truth is a **one-hot** vector $t$: 1 at the right class, 0 elsewhere. The loss is the **cross-entropy**
#
# $$L = -\sum_{k=1}^{K} t_k \log p_k$$
#
# With one-hot $t$ a single term survives: $L = -\log p_c$, where $c$ is the right class. It is 0 for $p_c = 1$ and infinite for $p_c = 0$. The logarithm is the natural one. Whoever minimises the sum of it over all
# images *maximises the probability that the network gives to all the labels together*: logarithms turn that product into a sum.
#
# **Predict, then run.** Of four classes the first is right. How large is the loss of $(0.8,\ 0.15,\ 0.04,\ 0.01)$? And of a network that knows nothing and says ¼ each time?

# %%
answers = torch.tensor([[0.80, 0.15, 0.04, 0.01], [0.25, 0.25, 0.25, 0.25]])
good, clueless = F.nll_loss(answers.log(), torch.tensor([0, 0]), reduction="none").tolist()
print(f"good {good:.4f}, clueless {clueless:.4f} = log 4; twice log 4 is {2 * math.log(4):.4f}")


# %%
def plot_surprise():
    fig, ax = lab.figure(height=2.8)
    p = np.linspace(0.005, 1, 400)
    ax.plot(p, -np.log(p), label="cross-entropy, −log p")
    ax.plot(p, (1 - p) ** 2, "--", label="squared error, (1 − p)²")
    for probability, name in ((0.8, "good"), (0.25, "clueless"), (1 / 16, "1/16")):
        ax.plot(probability, -math.log(probability), "ko", markersize=5)
        ax.annotate(
            name, (probability, -math.log(probability)), (6, 5), textcoords="offset points"
        )
    ax.set(
        xlabel="probability of the right class, p", ylabel="loss", ylim=(0, 5.5), xlim=(0, 1.02)
    )
    ax.legend()
    return fig


lab.show(
    plot_surprise(),
    alt="Loss against the probability of the right class. Minus log p falls from beyond 5 near 0 "
    "through 2.77 at 1/16, 1.39 at a quarter and 0.22 at 0.8 to 0 at 1. The squared error falls "
    "from 1 to 0 in a flat arc.",
)

# %% [markdown]
# $\log K$ is the loss of a clueless network, with the same probability for each of the $K$ classes. Remember it: a ten-class network should start at $\log 10 \approx 2.303$, and one that starts far above is confidently wrong before it has seen anything.
#
# The figure shows the character of this loss. Each time the probability of the right class is squared, the loss doubles: log 4 for ¼, twice that for 1/16, and so on without limit. So it forgives doubt and punishes false certainty. The squared error of that
# probability, $(1 - p)^2$, never charges more than 1 for being certain and wrong.
#
# Nothing in the formula asks for one-hot targets. Any distribution over the classes will do, such as the votes of several annotators: **soft targets**. Two traps are left. A target of 0 must silence its class even
# where $p_k = 0$, though $0 \cdot \log 0$ is `nan` on a computer. And the mean goes over the batch, not over batch times classes.

# %% [markdown] role="card" exercise="cross_entropy_one_hot" level=1 minutes=8 topic="Cross-entropy" doc="https://docs.pytorch.org/docs/stable/special.html#torch.special.xlogy"
# ### Cross-entropy from probabilities
#
# Return the mean over the **batch** of $-\sum_k t_k \log p_k$, as a tensor without dimensions, with natural logarithms. Probabilities and targets have shape $(B, K)$ and the same floating-point dtype, which the result has as well; the targets are one-hot or soft, and each row adds up to 1. The arguments stay as they are.
#
# - A class with $t_k = 0$ contributes exactly 0, even where $p_k = 0$.
# - If $p_k = 0$ for a class with $t_k > 0$, the loss is `inf`. That is the truth, and you should not hide it.
# - Gradients must flow back to the probabilities. They are asked for only where all probabilities are above 0.


# %% role="stub" exercise="cross_entropy_one_hot"
def cross_entropy_one_hot(probabilities: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of probabilities with one-hot or soft targets, mean over the batch.

    Args:
        probabilities: (B, K), each from 0 to 1, rows add up to 1.
        target: (B, K), likewise.

    Returns:
        A tensor without dimensions, in nats; inf where a class that the target wants has probability 0.
    """
    ### BEGIN SOLUTION
    return -torch.xlogy(target, probabilities).sum(dim=1).mean()
    ### END SOLUTION


# %% role="check" exercise="cross_entropy_one_hot"
with Check("cross_entropy_one_hot") as check:
    said = torch.tensor([[0.8, 0.15, 0.04, 0.01], [0.25, 0.25, 0.25, 0.25]], requires_grad=True)
    is_so = torch.tensor([[1.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]])
    loss = cross_entropy_one_hot(said, is_so)
    check.is_a(loss, torch.Tensor)
    check.close(
        loss,
        0.8047190,
        "The losses of the two rows are 0.2231 and 1.3863, so their mean is 0.8047.",
        known=[
            (1.6094379, "You add up the batch. Take its mean."),
            (
                0.2011797,
                "You average over batch times classes. Add up the classes, average the batch.",
            ),
            (
                0.4023595,
                "You divide by the number of classes. Divide by the size of the batch.",
            ),
            (-0.8047190, "The sign is missing: logarithms of probabilities are negative."),
            (1.1609640, "That is with logarithms to base 2. Take natural ones."),
            (0.3494850, "That is with logarithms to base 10. Take natural ones."),
            (-0.525, "The logarithm is missing."),
            (0.475, "That is the mean of 1 − p. Take −log p."),
            (
                math.inf,
                "inf, though no probability is 0. Is it the target whose logarithm you take?",
            ),
            (
                1.1398746,
                "The probabilities went through a softmax. They are probabilities already.",
            ),
            (
                1.3429377,
                "You add the terms of the wrong classes, −log(1 − p), too. That is the binary form.",
            ),
        ],
    )
    check.that(
        loss.requires_grad,
        "The loss is cut off from autograd: no `.item()`, `.detach()` or `.data`.",
    )
    soft = cross_entropy_one_hot(
        torch.tensor([[0.5, 0.25, 0.125, 0.125]]), torch.tensor([[0.25, 0.25, 0.5, 0.0]])
    )
    check.close(
        soft,
        1.5595812,
        "With soft targets each class counts with its weight: 2.25 · log 2 = 1.5596 for this row.",
        known=[
            (
                2.0794415,
                "You count only the likeliest class of the target. With soft targets each counts with its weight.",
            ),
            (
                1.2130076,
                "The roles are swapped: the logarithm is that of the probabilities, the weights are the targets.",
            ),
        ],
    )
    sure = cross_entropy_one_hot(
        torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.5, 0.5]]),
        torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]),
    )
    check.that(
        not sure.isnan(),
        "It gives nan where p = 0 and t = 0: 0 · log 0. Such a class should contribute 0.",
    )
    check.close(
        sure,
        0.3465736,
        "With p = 1 at the right class of the first row and ½ in the second, the mean is log(2)/2 = 0.3466.",
    )
    wrong = cross_entropy_one_hot(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 0.0]]))
    check.that(
        wrong == math.inf,
        "A right class with p = 0 should cost inf. Did you clamp the probability, add a small number to it, or replace infinities (`nan_to_num` does)?",
    )


# %% [markdown] role="hints" exercise="cross_entropy_one_hot"
# <details><summary>Hint 1: the order of things</summary>
#
# Multiply entry by entry, add up the classes of a row, change the sign, average the rows.
#
# </details>
# <details><summary>Hint 2: zero times minus infinity</summary>
#
# The product is `nan`, so it has to be avoided or replaced where the *target* is 0: by `torch.where`, by picking the entries with $t > 0$, or by a function made for $x \log y$. Search PyTorch for that name.
#
# </details>

# %% role="test" exercise="cross_entropy_one_hot" points=1
# Graded with hidden tests: other shapes and dtypes, soft targets, zeros, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("cross_entropy_one_hot") as test:
    for rows, columns in ((1, 3), (6, 6), (9, 2), (40, 10)):
        for dtype in (torch.float32, torch.float64):
            p = torch.softmax(2 * torch.randn(rows, columns, dtype=dtype), 1)
            hard = F.one_hot(torch.randint(columns, (rows,)), columns).to(dtype)
            mixed = torch.softmax(torch.randn(rows, columns, dtype=dtype), 1)
            for t, name in ((hard, "one-hot"), (mixed, "soft")):
                want = sum(
                    -math.log(q) * w
                    for q, w in zip(p.flatten().tolist(), t.flatten().tolist(), strict=True)
                )
                x, saved = p.clone().requires_grad_(), t.clone()
                with test.case(f"{rows} rows, {columns} classes, {name} targets"):
                    got = cross_entropy_one_hot(probabilities=x, target=t)
                test.is_a(got, torch.Tensor)
                test.close(
                    got,
                    want / rows,
                    f"The loss is wrong for {rows} rows, {columns} classes and {name} targets.",
                )
                test.that(got.dtype == dtype, "The dtype should stay that of the arguments.")
                test.close(
                    got,
                    torch.tensor(want / rows, dtype=torch.float64),
                    f"Only the digits of float32 are right, though the arguments are {dtype}.",
                    rtol=1e-4 if dtype == torch.float32 else 1e-9,
                    atol=1e-6 if dtype == torch.float32 else 1e-12,
                )
                test.that(got.requires_grad, "The loss is cut off from autograd.")
                (pull,) = torch.autograd.grad(got, x, allow_unused=True)
                test.that(pull is not None, "No gradient flows back to the probabilities.")
                test.close(
                    pull, -saved / p / rows, "The gradient should be −t/p over the batch."
                )
                test.that(
                    torch.equal(x, p) and torch.equal(t, saved), "Your arguments changed."
                )
    p = torch.tensor([[0.0, 1.0, 0.0], [0.0, 0.25, 0.75], [0.0, 0.0, 1.0]])
    t = torch.tensor([[0.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    got = cross_entropy_one_hot(p, t)
    test.that(
        not got.isnan(), "It gives nan where p = 0 and t = 0; such a class contributes 0."
    )
    test.close(
        got, math.log(4) / 3, "Classes with t = 0 and p = 0 should contribute 0.", atol=1e-7
    )
    tiny = torch.tensor([[1e-30, 1.0]])
    test.close(
        cross_entropy_one_hot(tiny, torch.tensor([[1.0, 0.0]])),
        30 * math.log(10),
        "A probability of 1e-30 costs 69.08: do not clamp it, or add anything to it.",
    )
    test.that(
        cross_entropy_one_hot(
            torch.tensor([[0.5, 0.5], [0.0, 1.0]]), torch.tensor([[0.0, 1.0], [0.1, 0.9]])
        )
        == math.inf,
        "A class with t > 0 and p = 0 should make the loss inf, with soft targets too.",
    )
    p, t = torch.tensor([[0.2, 0.6], [0.8, 0.4]]).T, torch.tensor([[1.0, 0.0], [0.0, 1.0]]).T
    test.close(
        cross_entropy_one_hot(p, t),
        -(math.log(0.2) + math.log(0.4)) / 2,
        "Transposed views are tensors like any others.",
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="cross_entropy_one_hot"
# `xlogy(t, p)` is $t \log p$ with the mathematician's convention $0 \log 0 = 0$. The *gradient* at $p = 0$ is another matter: $-t/p$ is $0/0$ there, and autograd says `nan`, with `torch.where` as well. Clamping hides both, and with them the
# gradient of whatever is clamped. The way out is not to form the probability at all, which is where this lesson is heading.

# %% [markdown]
# ## Yes or no: binary cross-entropy
#
# With two classes one probability is enough: $p$ for yes and $1 - p$ for no. The cross-entropy becomes
#
# $$L = -\big[\,y \log p + (1 - y) \log(1 - p)\,\big]$$
#
# One of the two terms is silent if $y$ is 0 or 1. But $y$ may lie between: the grey value of a pixel that an autoencoder (a network that learns to paint its own input again) should paint, or an annotator's "probably yes". Setting the slope to zero,
#
# $$\frac{\mathrm dL}{\mathrm dp} = \frac{p - y}{p\,(1 - p)} = 0 \quad\Longleftrightarrow\quad p = y,$$
#
# so the best answer is the target itself, as it should be.
#
# **Predict, then run.** How large is the loss there, at $p = y$, for $y = \tfrac14$? And for an MNIST image that is reconstructed without a single error?


# %%
def plot_binary(targets=(0.0, 0.25, 0.5, 1.0)):
    fig, ax = lab.figure(height=3.2)
    p = torch.linspace(0.004, 0.996, 400)
    for i, y in enumerate(targets):
        style = lab.line_style(i) | {"marker": ""}
        loss = F.binary_cross_entropy(p, torch.full_like(p, y), reduction="none")
        ax.plot(p, loss, label=f"y = {y:g}", **style)
        lowest = torch.tensor(y)
        ax.plot(y, F.binary_cross_entropy(lowest, lowest), "o", color=style["color"])
    ax.set(xlabel="probability p", ylabel="loss", ylim=(-0.1, 4))
    ax.legend(title="target", handlelength=3)
    return fig


lab.show(
    plot_binary(),
    alt="Binary cross-entropy against p for targets 0, 0.25, 0.5 and 1. The curves for 0 and 1 rise "
    "from 0 at their own end beyond 4 at the other. Those for 0.25 and 0.5 are bowls with their "
    "lowest points, 0.56 and 0.69, at p = 0.25 and 0.5, well above 0.",
)
quarter = torch.tensor(0.25)
at_quarter = F.binary_cross_entropy(quarter, quarter).item()
pixels = data.test.images[:1000].float() / 255
pixel_floor = F.binary_cross_entropy(pixels, pixels).item()
print(f"y = p = 0.25: {at_quarter:.4f}")
print(
    f"perfect images: {pixel_floor:.4f}, with the squared error {F.mse_loss(pixels, pixels):.4f}"
)

# %% [markdown]
# The minimum lies in the right place and is **not zero**. At $p = y$ the loss is the *entropy* of the target, $-y\log y - (1-y)\log(1-y)$: 0.562 for ¼, 0.693 for ½, and 0 only for $y = 0$ or 1. A perfect
# reconstruction of the digits costs about 0.057 per pixel, all from the grey rims of the strokes. If your autoencoder's loss sticks near there, it is not stuck; it is done. Subtract the entropy of the targets
# (the difference is called the *Kullback–Leibler divergence*) when you report such a loss, and perfection is 0 again.
#
# At the ends $\log 0$ waits once more. PyTorch's `F.binary_cross_entropy` limits each logarithm from below at $-100$, so the largest loss of one number is 100 and never infinite.

# %% [markdown] role="card" exercise="binary_cross_entropy" level=2 minutes=10 topic="Cross-entropy" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.BCELoss.html"
# ### Binary cross-entropy
#
# Return the mean over **all** numbers of $-[\,y \log p + (1-y)\log(1-p)\,]$, as a tensor without dimensions. Both arguments have one and the same shape, whatever it is (no guard this time), and one floating-point dtype, which the result has too; both lie in $[0, 1]$, ends included, and targets may be soft. The arguments stay as they are.
#
# As in PyTorch, **each of the two logarithms** is limited from below at $-100$. So the loss is finite everywhere: for $y = 1$ it is 100 at $p = 0$, for $y = \tfrac14$ it is 25 there, and for $y = p = 0$ it is 0.
#
# Gradients must flow back to $p$. They are asked for only where $0 < p < 1$. `F.binary_cross_entropy` is the model: write your own.


# %% role="stub" exercise="binary_cross_entropy"
def binary_cross_entropy(probability: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Binary cross-entropy, mean over all numbers, logarithms limited at -100.

    Args:
        probability: of "yes", floating-point tensor of any shape, entries in [0, 1].
        target: the same shape, entries in [0, 1].

    Returns:
        A tensor without dimensions, in nats, always finite.
    """
    ### BEGIN SOLUTION
    log_yes = probability.log().clamp(min=-100)
    log_no = (1 - probability).log().clamp(min=-100)
    return -(target * log_yes + (1 - target) * log_no).mean()
    ### END SOLUTION


# %% role="check" exercise="binary_cross_entropy"
with Check("binary_cross_entropy") as check:
    said = torch.tensor([0.8, 0.8], requires_grad=True)
    loss = binary_cross_entropy(said, torch.tensor([1.0, 0.0]))
    check.is_a(loss, torch.Tensor)
    check.close(
        loss,
        0.9162907,
        "p = 0.8 costs 0.2231 for y = 1 and 1.6094 for y = 0; the mean is 0.9163.",
        known=[
            (0.1115718, "The second term is missing: for y = 0 it is −log(1 − p) that counts."),
            (0.8047190, "The first term is missing: for y = 1 it is −log p that counts."),
            (1.8325815, "You add up. Take the mean over all numbers."),
            (-0.9162907, "The sign is missing: logarithms of probabilities are negative."),
            (0.7711007, "They are probabilities already: apply no sigmoid to them."),
            (1.3219281, "That is with logarithms to base 2. Take natural ones."),
            (0.3979400, "That is with logarithms to base 10. Take natural ones."),
            (
                -0.6931472,
                "The two terms are subtracted. Both are losses: add them, then change the sign.",
            ),
            (
                0.6931472,
                "The two terms are subtracted. Both are losses: add them, then change the sign.",
            ),
        ],
    )
    check.that(
        loss.requires_grad,
        "The loss is cut off from autograd: no `.item()`, `.detach()` or `.data`.",
    )
    lone = binary_cross_entropy(torch.tensor([[0.8], [0.8]]), torch.tensor([[1.0], [1.0]]))
    check.close(
        lone,
        0.2231436,
        "p = 0.8 costs 0.2231 for y = 1.",
        known=[
            (1.6094379, "The targets are swapped: y goes with log p, 1 − y with log(1 − p).")
        ],
    )
    quarter_row = torch.tensor([0.25, 0.25, 0.25])
    check.close(
        binary_cross_entropy(quarter_row, quarter_row),
        0.5623351,
        "For y = p = ¼ the loss should be 0.5623.",
        known=[
            (
                0.2876821,
                "You decide between the two terms by a threshold. With soft targets both count, with weights y and 1 − y.",
            ),
            (0.0, "You subtract the entropy of the target. It is part of this loss."),
        ],
    )
    ends = binary_cross_entropy(torch.tensor([0.0, 1.0]), torch.tensor([0.0, 1.0]))
    check.that(
        ends.isfinite(),
        "For y = p = 0, or y = p = 1, it gives nan: 0 · log 0. Limit each logarithm at −100.",
    )
    check.close(
        ends,
        0.0,
        "For y = p = 0 and y = p = 1 the loss should be 0.",
        known=[
            (
                -math.log(1 - e),
                "You keep p away from 0 by a small ε. Limit the logarithm instead.",
            )
            for e in (1e-5, 1e-4, 1e-3)
        ],
    )
    worst_case = binary_cross_entropy(torch.tensor([0.0]), torch.tensor([1.0]))
    check.close(
        worst_case,
        100.0,
        "For y = 1 and p = 0 the loss should be 100.",
        known=[
            (math.inf, "For y = 1 and p = 0 it gives inf. Limit each logarithm at −100."),
            *(
                (
                    -math.log(e),
                    "You keep p away from 0 by a small ε. Limit the logarithm instead.",
                )
                for e in SMALL
            ),
            (
                99.983,
                "You limit p at exp(−100), which float32 holds to one digit. Limit the logarithm instead.",
            ),
        ],
    )
    check.close(
        binary_cross_entropy(torch.tensor([0.0]), torch.tensor([0.25])),
        25.0,
        "For y = ¼ and p = 0 the loss should be 25: a quarter of a logarithm that is limited at −100.",
        known=[
            (
                100.0,
                "You limit the product y · log p. Limit the logarithm itself, then multiply.",
            ),
        ],
    )


# %% [markdown] role="hints" exercise="binary_cross_entropy"
# <details><summary>Hint 1: two logarithms</summary>
#
# Compute the logarithm of $p$ and that of $1 - p$ first, each with its limit. Only then multiply.
#
# </details>
# <details><summary>Hint 2: a limit from below</summary>
#
# `Tensor.clamp` takes `min=`, and turns $-\infty$ into that number. `torch.maximum` would do as well.
#
# </details>

# %% role="test" exercise="binary_cross_entropy" points=2
# Graded with hidden tests: other shapes and dtypes, soft targets, both ends, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("binary_cross_entropy") as test:
    for shape in ((6,), (5, 3), (1, 4), (2, 3, 4), ()):
        for dtype in (torch.float32, torch.float64):
            p = torch.rand(shape, dtype=dtype) * 0.98 + 0.01
            hard, soft = torch.rand(shape).round().to(dtype), torch.rand(shape, dtype=dtype)
            for t, name in ((hard, "hard"), (soft, "soft")):
                exact = p.double().clone().requires_grad_()
                want = F.binary_cross_entropy(exact, t.double())
                (slope,) = torch.autograd.grad(want, exact)
                x, saved = p.clone().requires_grad_(), t.clone()
                with test.case(f"shape {shape}, {name} targets"):
                    got = binary_cross_entropy(probability=x, target=t)
                test.is_a(got, torch.Tensor)
                test.close(
                    got, want, f"The loss is wrong for shape {shape} and {name} targets."
                )
                test.that(got.dtype == dtype, "The dtype should stay that of the arguments.")
                test.close(
                    got,
                    want,
                    f"Only the digits of float32 are right, though the arguments are {dtype}.",
                    rtol=1e-4 if dtype == torch.float32 else 1e-9,
                    atol=1e-6 if dtype == torch.float32 else 1e-12,
                )
                test.that(got.requires_grad, "The loss is cut off from autograd.")
                (pull,) = torch.autograd.grad(got, x, allow_unused=True)
                test.that(pull is not None, "No gradient flows back to the probabilities.")
                test.close(pull, slope, "The gradient should be (p − y)/(p(1 − p)), averaged.")
                test.that(
                    torch.equal(x, p) and torch.equal(t, saved), "Your arguments changed."
                )
    for p, t, want in (
        (0.0, 0.0, 0.0),
        (1.0, 1.0, 0.0),
        (0.0, 1.0, 100.0),
        (1.0, 0.0, 100.0),
        (1.0, 0.25, 75.0),
        (0.0, 0.75, 75.0),
        (1e-30, 1.0, 69.0775527),
    ):
        for dtype in (torch.float32, torch.float64):
            got = binary_cross_entropy(
                torch.full((2, 3), p, dtype=dtype), torch.full((2, 3), t, dtype=dtype)
            )
            test.that(not got.isnan(), f"It gives nan for p = {p} and y = {t}.")
            test.close(got, want, f"The loss is wrong for p = {p} and y = {t}.")
    test.close(
        binary_cross_entropy(
            torch.tensor([1e-60], dtype=torch.float64), torch.ones(1, dtype=torch.float64)
        ),
        100.0,
        "In float64 1e-60 is above 0, and its logarithm below −100: the limit holds there, too.",
    )
    p, t = torch.rand(5, 4).T, torch.rand(5, 4).T
    want = F.binary_cross_entropy(p.double(), t.double())
    test.close(
        binary_cross_entropy(p, t), want, "Transposed views are tensors like any others."
    )
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="binary_cross_entropy"
# A limit on the logarithm keeps $y\log p$ exact for every $p$ above $e^{-100}$, and turns what was `nan` into $0 \cdot (-100) = 0$. The usual alternatives are worse. An ε added inside the logarithm distorts every value a little. Clamping $p$ to $[\varepsilon, 1 - \varepsilon]$ with ε = 1e-8
# fails in float32: there `1 - 1e-8` *is* 1, and $\log(1 - p)$ is still $-\infty$. And once a sigmoid has been rounded to 0 or 1, none of the three gives a useful gradient, though that is where you may be most wrong; the next sections do better.

# %% [markdown]
# ## From scores to probabilities: softmax
#
# A network's last layer gives **scores**, also called **logits**: any real numbers, one per class. The class it names is the one with the largest. As probabilities that would be a one-hot vector (1 for the winner, 0 for the rest),
# useless for training: it is a step, with slope 0 nearly everywhere. **Softmax** is its smooth stand-in:
#
# $$p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}$$
#
# All $p_k$ are positive and add up to 1, the order of the scores is kept, and every score has an influence.
#
# **Predict, then run.** The scores are $(9.99,\ 10,\ 0.01,\ -10)$. Which probabilities come out? What happens to the named class, and what to the probabilities, when the first score rises by 0.02? And if 100 is added to all four scores?

# %%
scores = torch.tensor([9.99, 10.0, 0.01, -10.0], dtype=torch.float64)
raised = scores + torch.tensor([0.02, 0, 0, 0])
for name, z in (("scores", scores), ("first + 0.02", raised), ("all + 100", scores + 100)):
    p = torch.softmax(z, 0)
    print(f"{name:13} class {z.argmax()}  ", "  ".join(f"{q:.3g}" for q in p.tolist()))


# %%
def plot_softmax():
    fig, ax = lab.figure(height=2.8)
    first = torch.linspace(5, 15, 401)
    z = torch.stack([first, torch.full_like(first, 10), torch.full_like(first, 0.01)], 1)
    ax.plot(first, torch.softmax(z, 1)[:, 0], label="softmax")
    ax.plot(first, (z.argmax(1) == 0).float(), "--", label="one-hot of the largest")
    ax.set(
        xlabel="score of the first class (its rival has 10)",
        ylabel="output for the first class",
    )
    ax.legend()
    return fig


lab.show(
    plot_softmax(),
    alt="Output for the first class while its score goes from 5 to 15 and its rival has 10. The "
    "one-hot output jumps from 0 to 1 at 10; softmax rises smoothly through one half there.",
)

# %% [markdown]
# A change of 0.02 makes another class the winner and moves no probability by more than 0.006. And a **shift of all scores changes nothing**, since $e^{z_k + c} = e^c e^{z_k}$ and $e^c$ cancels. Only differences count.
#
# This invariance is not just pretty. In float32 $e^{89}$ is already too large and becomes `inf`, and $\text{inf}/\text{inf}$ is `nan`; with all scores at $-110$ every exponential is 0, and $0/0$ is `nan` as well.
# Since you may shift as you like, shift each row so that its **largest score is 0**. No exponential can then overflow, and their sum is at least 1.

# %% [markdown] role="card" exercise="softmax" level=2 minutes=10 topic="Softmax" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.softmax.html"
# ### A softmax that does not break
#
# Write softmax along dimension `dim` of a floating-point tensor with at least one dimension. The result has the shape and dtype of `z` and adds up to 1 along `dim`.
#
# - It must be right, up to rounding, for scores of any size, $\pm 10^4$ and larger, also where the scores of one row (one slice along `dim`) are very much larger than those of another.
# - A score of $-\infty$ is a class that is ruled out: its probability is 0. Each row has at least one finite score.
# - `z` itself stays as it is, and gradients flow back to it (asked for at finite scores).
#
# Use `exp`, not PyTorch's softmax.


# %% role="stub" exercise="softmax"
def softmax(z: torch.Tensor, dim: int = -1) -> torch.Tensor:
    """Softmax along one dimension, for scores of any size.

    Args:
        z: scores, any shape with at least one dimension; entries finite, or -inf for a class ruled out.
        dim: the dimension along which the result adds up to 1; negative ones count from the end.

    Returns:
        Probabilities, of the shape and dtype of `z`.
    """
    ### BEGIN SOLUTION
    powers = (z - z.amax(dim=dim, keepdim=True)).exp()
    return powers / powers.sum(dim=dim, keepdim=True)
    ### END SOLUTION


# %% role="check" exercise="softmax"
with Check("softmax") as check:
    z = torch.tensor([9.99, 10.0, 0.01, -10.0], requires_grad=True)
    p = softmax(z)
    check.is_a(p, torch.Tensor)
    check.shape(p, (4,))
    check.close(
        p,
        torch.tensor([0.49749, 0.50249, 2.3042e-05, 1.0357e-09]),
        "The scores (9.99, 10, 0.01, −10) should give (0.497, 0.502, 2.3e−5, 1.04e−9).",
        known=[
            (
                torch.tensor([0.999, 1.0, 0.001, -1.0]),
                "You divide scores. Exponentials come first.",
            ),
            (
                torch.tensor([-0.698183, -0.688183, -10.678183, -20.688183]),
                "That is the logarithm of softmax.",
            ),
            (
                torch.tensor([0.99005, 1.0, 4.58562e-05, 2.06115e-09]),
                "The probabilities should add up to 1: divide by the sum of the exponentials.",
            ),
            (
                torch.tensor([2.08177e-09, 2.06106e-09, 4.494617e-05, 0.999955]),
                "The sign is turned round: the largest score should get the largest probability.",
            ),
        ],
        rtol=2e-4,
        atol=1e-8,
    )
    check.that(
        p.requires_grad,
        "The result is cut off from autograd: no `.item()`, `.detach()` or `.data`.",
    )
    table = torch.tensor([[0.0, math.log(3)], [math.log(3), 0.0], [0.0, 0.0]])
    before = table.clone()
    by_rows = softmax(table)
    check.that(
        torch.equal(table, before), "Your function changed its argument: work on a copy."
    )
    check.close(
        by_rows,
        torch.tensor([[0.25, 0.75], [0.75, 0.25], [0.5, 0.5]]),
        "Without `dim` each row of a matrix should add up to 1.",
        known=[
            (
                torch.tensor([[0.1, 0.3], [0.3, 0.1], [0.1, 0.1]]),
                "You divide by the sum over the whole tensor. Take the sum along `dim` only.",
            ),
            (
                torch.tensor([[1, 3], [3, 1], [3, 3]]) / 14,
                "You divide by the sum over the whole tensor. Take the sum along `dim` only.",
            ),
            (
                torch.tensor([[0.2, 0.6], [0.6, 0.2], [0.2, 0.2]]),
                "Here the columns add up to 1. The default is the last dimension.",
            ),
        ],
    )
    check.close(
        softmax(table, dim=0),
        torch.tensor([[0.2, 0.6], [0.6, 0.2], [0.2, 0.2]]),
        "With `dim=0` each column of a matrix should add up to 1.",
        known=[
            (
                torch.tensor([[0.25, 0.75], [0.75, 0.25], [0.5, 0.5]]),
                "`dim=0` makes no difference: the rows still add up to 1.",
            )
        ],
    )
    apart = torch.tensor([[1e4, 0.0], [0.0, 0.0], [-1e4, -1e4]])
    kept = apart.clone()
    p = softmax(apart)
    check.that(torch.equal(apart, kept), "Your function changed its argument: work on a copy.")
    check.that(
        not p[0].isnan().any(),
        "Scores of 10,000 give nan: the exponential overflows. Subtract the largest score first.",
    )
    check.that(
        not p.isnan().any(),
        "A row of −10,000 beside one of 10,000 gives nan: 0/0. Subtract from each row its own largest score.",
    )
    check.close(
        p,
        torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.5, 0.5]]),
        "Rows of (10,000, 0), (0, 0) and (−10,000, −10,000) should give (1, 0), (½, ½) and (½, ½).",
        atol=2e-3,  # of a float32 near 10,000 only three digits are left behind the point
    )
    masked = softmax(torch.tensor([0.0, -math.inf, 0.0]))
    check.close(
        masked,
        torch.tensor([0.5, 0.0, 0.5]),
        "(0, −inf, 0) should give (½, 0, ½): −inf rules a class out.",
    )


# %% [markdown] role="hints" exercise="softmax"
# <details><summary>Hint 1: one number a row</summary>
#
# You need two reductions along `dim`: a maximum before the exponential, and a sum after it.
#
# </details>
# <details><summary>Hint 2: shapes that fit</summary>
#
# With `keepdim=True` a reduction leaves a dimension of size 1, so that the result broadcasts against `z`, whatever `dim` is.
#
# </details>
# <details><summary>Hint 3: a trap in PyTorch</summary>
#
# `z.max(dim=...)` returns a pair, values and indices. `z.amax(...)` returns the values alone.
#
# </details>

# %% role="test" exercise="softmax" points=2
# Graded with hidden tests: other shapes, dimensions and dtypes, extreme scores, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("softmax") as test:
    for shape, dims in (
        ((5,), (0, -1)),
        ((1, 7), (1, 0)),
        ((4, 4), (0, 1, -1, -2)),
        ((2, 3, 5), (0, 1, 2, -2)),
        ((2, 3, 4, 2), (1, -3)),
    ):
        for dtype in (torch.float32, torch.float64):
            values = 3 * torch.randn(shape, dtype=dtype)
            for dim in dims:
                exact = values.double().clone().requires_grad_()
                want = torch.softmax(exact, dim)
                weights = torch.randn(shape, dtype=torch.float64)
                (slope,) = torch.autograd.grad((want * weights).sum(), exact)
                x = values.clone().requires_grad_()
                with test.case(f"shape {shape}, dim {dim}"):
                    got = softmax(x, dim=dim)
                test.is_a(got, torch.Tensor)
                test.shape(got, shape)
                test.close(got, want, f"The result is wrong for shape {shape} and dim {dim}.")
                test.that(got.dtype == dtype, "The dtype should stay that of the scores.")
                test.close(
                    got,
                    want,
                    f"Only the digits of float32 are right, though the scores are {dtype}: is something rounded, or a small ε added?",
                    rtol=1e-4 if dtype == torch.float32 else 1e-9,
                    atol=1e-6 if dtype == torch.float32 else 1e-12,
                )
                test.that(got.requires_grad, "The result is cut off from autograd.")
                weighted = (got * weights.to(dtype)).sum()
                (pull,) = torch.autograd.grad(weighted, x, allow_unused=True)
                test.that(pull is not None, "No gradient flows back to the scores.")
                test.close(
                    pull,
                    slope,
                    "The gradient is wrong: is a part of the formula cut off by `.detach()`?",
                    atol=1e-5,
                )
                test.that(torch.equal(x, values), "Your function changed its argument.")
    for size in (1e2, 1e4, 3e5):
        for dtype in (torch.float32, torch.float64):
            z = size * torch.tensor([[1, -1, 0.5], [-1, -1, -1], [0, 0, 0], [-3, -2, -4]])
            z = z.to(dtype)
            for dim in (0, 1):
                want = torch.softmax(z.double(), dim)
                got = softmax(z.clone(), dim)
                test.that(
                    not got.isnan().any(), f"Scores of size {size:g} give nan along dim {dim}."
                )
                # Who goes through log-sum-exp adds a number of this size, and rounds accordingly.
                rounding = 1e-6 + 2 * size * torch.finfo(dtype).eps
                test.close(
                    got,
                    want,
                    f"Scores of size {size:g} are wrong along dim {dim}.",
                    atol=min(rounding, 0.1),
                )
    masked = torch.randn(4, 6)
    masked[:, 2] = masked[1, 4] = masked[3, :5] = -math.inf
    want = torch.softmax(masked.double(), 1)
    got = softmax(masked.clone())
    test.that(not got.isnan().any(), "A score of −inf gives nan: it should give probability 0.")
    test.close(got, want, "Scores of −inf should get probability 0, the others share the rest.")
    test.that(
        (got[masked.isinf()] == 0).all(),
        "Scores of −inf should get probability 0, not nearly 0: clamp no score, and add nothing.",
    )
    test.close(
        softmax(torch.tensor([-math.inf, -3e9])),
        torch.tensor([0.0, 1.0]),
        "(−inf, −3·10⁹) should give (0, 1): a number in place of −inf may be the larger score.",
    )
    fine = torch.tensor([0.0, -30.0])
    test.close(
        softmax(fine)[1],
        math.exp(-30),
        "Small probabilities should be right, too: add no ε anywhere.",
        atol=1e-16,
    )
    test.close(
        softmax(torch.tensor([0.0, -500.0], dtype=torch.float64))[1].log(),
        -500.0,
        "exp(−500) is a number in float64: clamp no score.",
    )
    z = torch.randn(6, 3).T
    want = torch.softmax(z.double(), 1)
    test.close(softmax(z, dim=1), want, "A transposed view is a tensor like any other.")
    z = (100 * torch.randn(3, 5)).requires_grad_()
    (pull,) = torch.autograd.grad(softmax(100 * z)[:, 0].sum(), z)
    test.that(pull.isfinite().all(), "The gradient is not finite for large scores.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="softmax"
# After the shift each row holds a 0, so the sum lies between 1 and $K$: no overflow, no division by zero. What still underflows are probabilities below $10^{-45}$, which as probabilities are 0 for all purposes. One maximum for the whole tensor
# avoids the overflow, too, but a row that lies 104 below it underflows as a whole, to $0/0$.

# %% [markdown]
# ## Together: softmax and cross-entropy in one step
#
# Two networks see the same image; the second class is right (class 1: from here on we count from 0, as PyTorch does). One has the scores $(9.99, 10)$, the other $(4.25, 10)$.

# %%
two = torch.tensor([[9.99, 10.0], [4.25, 10.0]])
two_losses = F.cross_entropy(two, torch.tensor([1, 1]), reduction="none")
for z, loss in zip(two, two_losses, strict=True):
    print(f"scores {z.numpy()}  p {torch.softmax(z, 0).numpy().round(3)}  loss {loss:.4f}")

# %% [markdown]
# Both name the right class, so both have the same accuracy. The loss tells them apart, 0.688 against 0.0032, and that is what makes it worth following: it moves long before the accuracy does.
#
# The obvious way to compute it is softmax, then the logarithm of the right class's probability.
#
# **Predict, then run.** The scores are $(0, 200)$ and class 0 is right. What is the exact loss? What do you get in float32 with softmax and `log`, and which gradient?

# %%
hopeless = torch.tensor([[0.0, 200.0]], requires_grad=True)
naive = -torch.softmax(hopeless, 1)[0, 0].log()
(naive_pull,) = torch.autograd.grad(naive, hopeless)
fused = F.cross_entropy(hopeless, torch.tensor([0]))
(fused_pull,) = torch.autograd.grad(fused, hopeless)
print(f"softmax, then log: loss {naive.item()}, gradient {naive_pull.tolist()[0]}")
print(f"in one step:       loss {fused.item()}, gradient {fused_pull.tolist()[0]}")

# %% [markdown]
# $e^{-200}$ does not fit into a float32, so the probability is 0, the loss `inf` and the gradient `nan`: exactly where the network is most wrong it learns nothing and ruins its weights. Put the
# logarithm inside, and nothing extreme is left:
#
# $$L = -\log \frac{e^{z_c}}{\sum_j e^{z_j}} = \underbrace{m + \log \sum_j e^{z_j - m}}_{\text{log-sum-exp}} - z_c, \qquad m = \max_j z_j$$
#
# Log-sum-exp is a smooth maximum: it lies between $m$ and $m + \log K$. So for a confident mistake the loss is just how far the right score lies behind the best one, here $200 - 0$. This is what `F.cross_entropy` computes, and why it wants
# **logits and class numbers**, not probabilities.

# %% [markdown] role="card" exercise="softmax_cross_entropy" level=2 minutes=12 topic="Softmax" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.functional.cross_entropy.html"
# ### Softmax and cross-entropy, fused
#
# From logits $(B, K)$ and class numbers $(B,)$, return the mean over the batch of $\log\sum_j e^{z_j} - z_c$, as a tensor without dimensions.
#
# Logits are finite floating-point numbers of any size up to $\pm 10^6$, and both the loss and its gradient must be finite and, up to the rounding of numbers of that size, right for them. Labels are int64, from 0 to $K-1$. The result has the dtype of the logits. The arguments stay as they are.
#
# Write log-sum-exp yourself, with `exp` and `log`; `torch.logsumexp`, `log_softmax` and `F.cross_entropy` would do it for you.


# %% role="stub" exercise="softmax_cross_entropy"
def softmax_cross_entropy(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy of softmax(logits) with class numbers, mean over the batch.

    Args:
        logits: scores (B, K), finite, of any size.
        labels: right classes (B,), int64, 0 to K - 1.

    Returns:
        A tensor without dimensions, in nats, finite; so is its gradient.
    """
    ### BEGIN SOLUTION
    top = logits.amax(dim=1, keepdim=True)
    log_sum = top.squeeze(1) + (logits - top).exp().sum(dim=1).log()
    right = logits.gather(1, labels.unsqueeze(1)).squeeze(1)
    return (log_sum - right).mean()
    ### END SOLUTION


# %% role="check" exercise="softmax_cross_entropy"
with Check("softmax_cross_entropy") as check:
    z = torch.tensor([[0.0, math.log(3)], [math.log(4), 0.0], [0.0, 0.0]], requires_grad=True)
    loss = softmax_cross_entropy(z, torch.tensor([0, 0, 1]))
    check.is_a(loss, torch.Tensor)
    check.close(
        loss,
        0.7675284,
        "The right classes have probabilities ¼, 0.8 and ½, so the mean loss is log(4 · 1.25 · 2)/3 = 0.7675.",
        known=[
            (2.3025851, "You add up the batch. Take its mean."),
            (
                0.3837642,
                "You average over batch times classes. Divide by the size of the batch only.",
            ),
            (
                -0.7675284,
                "The sign is turned round: the loss is log-sum-exp minus the right score.",
            ),
            (-0.5166667, "The logarithm is missing: that is minus the mean probability."),
            (
                0.4013243,
                "You take the loss of the class with the largest score. Take that of the label.",
            ),
            (
                0.7015707,
                "The logits went through softmax twice: the loss takes logits, not probabilities.",
            ),
            (
                0.7994930,
                "You take the columns of all labels in every row. Take one entry a row: its own label's.",
            ),
            (
                -0.0607738,
                "The maximum that was subtracted has to be added again behind the logarithm.",
            ),
            (
                1.2688876,
                "You apply softmax along the batch. Each row is one example: sum over its classes.",
            ),
            (1.2296265, "The right score is not subtracted: the loss is log-sum-exp − z_c."),
        ],
    )
    check.that(
        loss.requires_grad,
        "The loss is cut off from autograd: no `.item()`, `.detach()` or `.data`.",
    )
    bad = torch.tensor([[0.0, 200.0]], requires_grad=True)
    loss = softmax_cross_entropy(bad, torch.tensor([0]))
    check.that(
        loss.isfinite(),
        "Logits (0, 200) with class 0: the loss is inf or nan. Subtract the maximum, and take no logarithm of a "
        "probability.",
    )
    check.close(
        loss,
        200.0,
        "Logits (0, 200) with class 0 should cost exactly 200.",
        known=[
            *(
                (
                    -math.log(e),
                    "You keep the probability away from 0 by a small ε: that caps the loss.",
                )
                for e in SMALL
            ),
            (
                100.0,
                "The logarithm is limited at −100: that caps the loss. Form no probability at all.",
            ),
        ],
    )
    (pull,) = torch.autograd.grad(loss, bad)
    check.close(
        pull,
        torch.tensor([[-1.0, 1.0]]),
        "The gradient for logits (0, 200) with class 0 should be (−1, 1).",
    )
    apart = torch.tensor([[1e4, 1e4], [-1e4, -1e4]])
    kept = apart.clone()
    check.close(
        softmax_cross_entropy(apart, torch.tensor([0, 1])),
        0.6931472,
        "Two equal scores cost log 2, whether they are 10,000 or −10,000. Does each row have its own maximum?",
        rtol=2e-3,
    )
    check.that(torch.equal(apart, kept), "Your function changed its logits: work on a copy.")


# %% [markdown] role="hints" exercise="softmax_cross_entropy"
# <details><summary>Hint 1: two parts</summary>
#
# Log-sum-exp, one number a row, minus the score of the right class, one number a row. Then the mean.
#
# </details>
# <details><summary>Hint 2: picking one score a row</summary>
#
# Index with two lists, of rows and of columns: `table[torch.arange(n), columns]`. (`gather` does it, too.)
#
# </details>
# <details><summary>Hint 3: log-sum-exp</summary>
#
# Shift each row by its own maximum, take the exponentials, add them up, take the logarithm, and add the maximum again. Do not forget the last step.
#
# </details>

# %% role="test" exercise="softmax_cross_entropy" points=2
# Graded with hidden tests: other shapes and dtypes, extreme logits, gradients.
### BEGIN HIDDEN TESTS
with HiddenTest("softmax_cross_entropy") as test:
    for rows, columns in ((1, 4), (5, 5), (30, 10), (7, 2), (3, 1)):
        for dtype in (torch.float32, torch.float64):
            for size in (0.0, 2.0, 50.0, 1e4, 1e6):
                values = size * torch.randn(rows, columns, dtype=dtype)
                y = torch.randint(columns, (rows,))
                exact = values.double().clone().requires_grad_()
                want = F.cross_entropy(exact, y)
                (slope,) = torch.autograd.grad(want, exact)
                x, saved = values.clone().requires_grad_(), y.clone()
                with test.case(f"logits ({rows}, {columns}) of size {size:g}"):
                    got = softmax_cross_entropy(logits=x, labels=y)
                test.is_a(got, torch.Tensor)
                test.shape(got, (), "The loss is one number.")
                test.that(got.isfinite(), f"Logits of size {size:g} give inf or nan.")
                # Adding a large maximum to a small logarithm rounds: eps of float32 times the size.
                test.close(
                    got,
                    want,
                    f"The loss is wrong for logits of shape ({rows}, {columns}) and size {size:g}.",
                    atol=2e-6 + 2e-6 * size,
                )
                test.that(got.dtype == dtype, "The dtype should stay that of the logits.")
                test.close(
                    got,
                    want,
                    f"Only the digits of float32 are right, though the logits are {dtype}.",
                    rtol=1e-4 if dtype == torch.float32 else 1e-9,
                    atol=2e-6 + 2e-6 * size if dtype == torch.float32 else 1e-12 * (1 + size),
                )
                test.that(got.requires_grad, "The loss is cut off from autograd.")
                (pull,) = torch.autograd.grad(got, x, allow_unused=True)
                test.that(pull is not None, "No gradient flows back to the logits.")
                test.that(
                    pull.isfinite().all(),
                    f"Logits of size {size:g}: the gradient is not finite.",
                )
                test.close(pull, slope, "The gradient is wrong.", atol=1e-5)
                test.that(
                    torch.equal(x, values) and torch.equal(y, saved), "Your arguments changed."
                )
    z = torch.tensor([[3e4, -3e4, 0.0], [-3e4, -3e4, -3e4], [0.0, 1.0, 2.0], [0.0, 0.0, 3e4]])
    y = torch.tensor([1, 2, 0, 2])
    want = F.cross_entropy(z.double(), y)
    got = softmax_cross_entropy(z.clone(), y)
    test.close(got, want, "Rows of very different size: each needs its own maximum.", rtol=1e-5)
    z, y = torch.randn(4, 6).T, torch.tensor([0, 9, 1, 9, 2, 9, 3, 9, 0, 9, 1, 9])[::2]
    want = F.cross_entropy(z.double(), y)
    test.close(softmax_cross_entropy(z, y), want, "Views are tensors like any others.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="softmax_cross_entropy"
# The logarithm and the exponential cancel on paper. On a computer whatever underflows in between is lost, so the cancelling has to be done on paper first. The same goes for one logit and a sigmoid: use `F.binary_cross_entropy_with_logits`, not a sigmoid
# followed by `F.binary_cross_entropy`.

# %% [markdown]
# ## The gradient: prediction minus truth
#
# How does the loss pull at the scores? The slope of log-sum-exp with respect to $z_k$ is $e^{z_k}/\sum_j e^{z_j} = p_k$, and that of $-z_c$ is $-1$ for $k = c$. Hence
#
# $$\frac{\partial L}{\partial z_k} = p_k - t_k$$
#
# Prediction minus truth. The logarithm is gone, nothing is divided by a tiny probability, each entry lies between $-1$ and 1, and each row adds up to 0: what one class gains the others lose. Under `"mean"` each row is divided by the batch size $B$ as well.
#
# It is also about as cheap as a backward pass can be, which is why libraries do not let autograd walk back through `exp` and `log` one by one.

# %% [markdown] role="card" exercise="softmax_cross_entropy_grad" level=2 minutes=8 topic="Softmax" needs="softmax" doc="https://docs.pytorch.org/docs/stable/generated/torch.nn.CrossEntropyLoss.html"
# ### The gradient by hand
#
# Return the gradient of the **mean** softmax cross-entropy with respect to the logits: a tensor of shape $(B, K)$ and of the logits' dtype, for finite logits of any size. Labels are as before. The arguments stay as they are, and so does the logits' `requires_grad`.
#
# Use the formula rather than autograd. You may call your `softmax` or PyTorch's.


# %% role="stub" exercise="softmax_cross_entropy_grad"
def softmax_cross_entropy_grad(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Gradient of the mean softmax cross-entropy with respect to the logits.

    Args:
        logits: scores (B, K), finite.
        labels: right classes (B,), int64, 0 to K - 1.

    Returns:
        The gradient (B, K).
    """
    ### BEGIN SOLUTION
    pull = torch.softmax(logits, dim=1)
    pull[torch.arange(len(labels)), labels] -= 1
    return pull / len(labels)
    ### END SOLUTION


# %% role="check" exercise="softmax_cross_entropy_grad"
with Check("softmax_cross_entropy_grad") as check:
    z = torch.tensor([[0.0, math.log(3)], [0.0, 0.0]])
    kept = z.clone()
    pull = softmax_cross_entropy_grad(z, torch.tensor([0, 1]))
    check.is_a(pull, torch.Tensor)
    check.shape(pull, (2, 2))
    check.that(torch.equal(z, kept), "Your function changed its logits: work on a copy.")
    check.that(
        not z.requires_grad,
        "Your function switched `requires_grad` of its logits on. The formula needs no autograd.",
    )
    check.close(
        pull,
        torch.tensor([[-0.375, 0.375], [0.25, -0.25]]),
        "Probabilities (¼, ¾) and (½, ½) with labels 0 and 1 should give (−0.375, 0.375) and (0.25, −0.25).",
        known=[
            (
                torch.tensor([[-0.1875, 0.1875], [0.125, -0.125]]),
                "You divide by batch times classes. Divide by the size of the batch only.",
            ),
            (
                torch.tensor([[0.125, -0.125], [-0.25, 0.25]]),
                "You subtract 1 at the likeliest class. Subtract it at the label's.",
            ),
            (
                torch.tensor([[-0.25, 0.375], [0.25, -0.375]]),
                "You apply softmax along the batch. Each row is one example: apply it along the classes.",
            ),
            (
                torch.tensor([[-0.75, 0.75], [0.5, -0.5]]),
                "The division by the batch size is missing: it is the mean loss.",
            ),
            (
                torch.tensor([[0.375, -0.375], [-0.25, 0.25]]),
                "The sign is turned round: prediction minus truth.",
            ),
            (
                torch.tensor([[0.75, -0.75], [-0.5, 0.5]]),
                "The sign is turned round: prediction minus truth.",
            ),
            (
                torch.tensor([[0.125, 0.375], [0.25, 0.25]]),
                "Those are the probabilities. Subtract 1 at the right class of each row.",
            ),
            (
                torch.tensor([[-0.5, 0.5493061], [0.0, -0.5]]),
                "You subtract the truth from the logits. Apply softmax first.",
            ),
            (
                torch.tensor([[-0.375, 0.0], [0.0, -0.25]]),
                "Only the right class gets a gradient. The others get theirs, p_k, as well.",
            ),
            (
                torch.tensor([[-0.375, -0.125], [-0.25, -0.25]]),
                "You subtract 1 from every class of a row. Subtract it at the row's own label only.",
            ),
        ],
    )
    with check.case("one row of four equal scores, label 2"):
        one = softmax_cross_entropy_grad(
            torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([2])
        )
    check.close(
        one,
        torch.tensor([[0.25, 0.25, -0.75, 0.25]]),
        "Four equal scores and label 2 should give (¼, ¼, −¾, ¼).",
        known=[
            (
                torch.tensor([[0.0625, 0.0625, -0.1875, 0.0625]]),
                "You divide by the number of classes. Divide by the size of the batch.",
            )
        ],
    )
    check.close(
        softmax_cross_entropy_grad(torch.tensor([[0.0, 1e4]]), torch.tensor([0])),
        torch.tensor([[-1.0, 1.0]]),
        "Logits (0, 10,000) with class 0 should give (−1, 1).",
    )


# %% [markdown] role="hints" exercise="softmax_cross_entropy_grad"
# <details><summary>Hint 1: three steps</summary>
#
# Probabilities; minus 1 at one place of each row; divided by the number of rows.
#
# </details>
# <details><summary>Hint 2: one place a row</summary>
#
# Either a one-hot matrix from `F.one_hot(labels, K)`, or an index of two lists, rows and labels. If you change something in place, be sure that it is your own tensor.
#
# </details>

# %% role="test" exercise="softmax_cross_entropy_grad" points=2
# Graded with hidden tests: other shapes and dtypes, extreme logits, autograd as the referee.
### BEGIN HIDDEN TESTS
with HiddenTest("softmax_cross_entropy_grad") as test:
    for rows, columns in ((1, 4), (6, 6), (30, 10), (4, 2), (2, 7)):
        for dtype in (torch.float32, torch.float64):
            for size in (0.0, 2.0, 1e2, 1e5):
                values = size * torch.randn(rows, columns, dtype=dtype)
                y = torch.randint(columns, (rows,))
                exact = values.double().clone().requires_grad_()
                (want,) = torch.autograd.grad(F.cross_entropy(exact, y), exact)
                x, saved = values.clone(), y.clone()
                with test.case(f"logits ({rows}, {columns}) of size {size:g}"):
                    got = softmax_cross_entropy_grad(logits=x, labels=y)
                test.is_a(got, torch.Tensor)
                test.shape(got, (rows, columns))
                test.that(
                    torch.equal(x, values) and torch.equal(y, saved),
                    "Your function changed its arguments: work on copies.",
                )
                test.that(
                    not x.requires_grad,
                    "Your function switched `requires_grad` of its logits on: work on a copy.",
                )
                test.that(not got.isnan().any(), f"Logits of size {size:g} give nan.")
                test.close(
                    got,
                    want,
                    f"The gradient is wrong for logits ({rows}, {columns}) of size {size:g}.",
                    known=[(want * rows, "The division by the batch size is missing.")],
                )
                test.that(got.dtype == dtype, "The dtype should stay that of the logits.")
                test.close(
                    got,
                    want,
                    f"Only the digits of float32 are right, though the logits are {dtype}.",
                    rtol=1e-4 if dtype == torch.float32 else 1e-9,
                    atol=1e-6 if dtype == torch.float32 else 1e-12,
                )
    z, y = torch.randn(4, 6).T, torch.tensor([0, 3, 3, 1, 2, 0])
    exact = z.double().clone().requires_grad_()
    (want,) = torch.autograd.grad(F.cross_entropy(exact, y), exact)
    got = softmax_cross_entropy_grad(z, y)
    test.close(got, want, "A transposed view is a tensor like any other.")
### END HIDDEN TESTS

# %% [markdown] role="why" exercise="softmax_cross_entropy_grad"
# The same formula holds for soft targets, for one sigmoid with binary cross-entropy, and for a linear output with half the squared error: prediction minus truth each time. That is no accident: in each case the output function is the one
# that belongs to the loss (statisticians call it the *canonical link*), and its slope cancels.

# %% [markdown]
# ## Why not the squared error for classes?
#
# One could just as well send the scores through a sigmoid, $\sigma(z) = 1/(1 + e^{-z})$, and take the squared error to 0 and 1. Books from the 1990s do. The trouble is in the slope. For a target of 1,
#
# $$\frac{\mathrm d}{\mathrm dz}\,(\sigma(z) - 1)^2 = 2\,(\sigma - 1)\;\sigma\,(1 - \sigma) \qquad\text{against}\qquad \frac{\mathrm d}{\mathrm dz}\,(-\log\sigma(z)) = \sigma - 1$$
#
# **Predict, then run.** The target is 1 and the network is sure of the opposite: $z = -8$. How strongly does each loss pull?

# %%
z = torch.linspace(-10, 10, 401, dtype=torch.float64, requires_grad=True)
ones = torch.ones_like(z)
PAIR = {
    "sigmoid + MSE": F.mse_loss(z.sigmoid(), ones, reduction="none"),
    "sigmoid + BCE": F.binary_cross_entropy_with_logits(z, ones, reduction="none"),
}
pulls = {
    name: torch.autograd.grad(loss.sum(), z, retain_graph=True)[0]
    for name, loss in PAIR.items()
}
for at in (-8.0, -4.0, 0.0):
    place = (z - at).abs().argmin()
    print(
        f"z = {at:4}: ", ", ".join(f"{name} {pull[place]:.5f}" for name, pull in pulls.items())
    )


# %%
def plot_pulls():
    fig, (left, right) = lab.figure(1, 2, height=2.9)
    for (name, loss), style in zip(PAIR.items(), ("--", "-"), strict=True):
        left.plot(z.detach(), loss.detach(), style, label=name)
        right.plot(z.detach(), pulls[name].abs(), style)
    left.set(xlabel="score z, for target 1", ylabel="loss", ylim=(-0.2, 6))
    right.set(xlabel="score z, for target 1", ylabel="strength of the pull, |dL/dz|")
    left.legend(fontsize=9)
    right.annotate(
        "confidently wrong", (-8, 0), (-9.8, 0.4), fontsize=9, arrowprops={"arrowstyle": "->"}
    )
    return fig


lab.show(
    plot_pulls(),
    alt="Left: loss against the score for target 1; BCE is a straight slope for negative scores, MSE "
    "a step from 1 to 0. Right: the size of the gradient; BCE's falls from 1 to 0, MSE's is a bump "
    "near 0 with a peak of 0.3, and near 0 on both sides.",
)

# %% [markdown]
# At $z = -8$ cross-entropy pulls with full force, 0.9997, and the squared error with 0.0007: its slope carries the factor $\sigma(1-\sigma)$, which dies on *both* flat ends of the sigmoid, the right one and the wrong one.
# The more confidently wrong an output is, the less it learns. The logarithm cancels that factor.

# %% [markdown]
# ## A famous gap, taken apart
#
# Does it matter in training? A well-known textbook ladder (Weidman, 2019) begins with a net of 89 tanh units on MNIST, weights and biases drawn from $\mathcal N(0, 1)$, batches of 60, plain SGD with rate 0.1. With ten sigmoid outputs and the squared error it
# ends at 72.6 %, with softmax and cross-entropy at 91.0 %, after 50 epochs. We give it 20,000 images and 3 epochs, and five seeds.
#
# Our squared error adds up the ten outputs and averages over the batch, as there. The third contender has ten sigmoids with binary cross-entropy, added up in the same way: the outputs of the first, the kind of loss of the second.
#
# **Predict, then run.** Same network, same images, same rate of 0.1. How far is softmax with cross-entropy ahead of the squared error?


# %%
def one_hot(labels):
    return F.one_hot(labels, n_classes).float()


def sigmoid_mse(scores, labels):
    return F.mse_loss(scores.sigmoid(), one_hot(labels), reduction="sum") / len(labels)


def sigmoid_bce(scores, labels):
    loss = F.binary_cross_entropy_with_logits(scores, one_hot(labels), reduction="sum")
    return loss / len(labels)


def softmax_twice(scores, labels):
    return F.cross_entropy(torch.softmax(scores, dim=1), labels)  # a bug, on purpose


LOSSES = {
    "sigmoid + MSE": sigmoid_mse,
    "sigmoid + BCE": sigmoid_bce,
    "softmax + CE": F.cross_entropy,
    "softmax twice": softmax_twice,
}


def network(start, seed):
    """784-89-10, tanh; weights from N(0, 1), biases too, or by Glorot's rule with biases 0."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(n_inputs, 89), nn.Tanh(), nn.Linear(89, n_classes))
    for layer in (model[0], model[2]):
        if start == "N(0, 1)":
            nn.init.normal_(layer.weight)
            nn.init.normal_(layer.bias)
        else:
            nn.init.xavier_normal_(layer.weight)
            nn.init.zeros_(layer.bias)
    return model.to(device)


def train(loss, start, lr, seed, split="test"):
    """One run: accuracy and log loss (of a single softmax) on `split`, last training loss."""
    model = network(start, seed)
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    history = lab.fit(
        model,
        race_data,
        optimizer,
        epochs=race_epochs,
        batch_size=60,
        loss_fn=LOSSES[loss],
        seed=seed,
        bar=False,
    )
    judged = lab.evaluate(model, getattr(race_data, split))
    return {
        "accuracy": judged["accuracy"],
        "log loss": judged["loss"],
        "training loss": history.last["train_loss"],
    }


race_data = data.take(train=budget(20_000, fast=2_000))
race_epochs = budget(3, fast=2)
seeds = budget(range(5), fast=range(2))
RACERS = ["sigmoid + MSE", "sigmoid + BCE", "softmax + CE"]
STARTS = ["N(0, 1)", "Glorot"]

textbook = lab.sweep(
    lambda loss, seed: train(loss, "N(0, 1)", 0.1, seed), {"loss": RACERS}, seeds
)
lab.summary(textbook, "loss", "accuracy").round(3)

# %% [markdown]
# (The text speaks of the full run on the real images; in fast mode, or on the built-in digits, the figures differ. `mean` is over the seeds, `sd` the spread from seed to seed, `low` and `high` the 95 % interval of the mean.)
#
# About 50 points between the squared error and softmax with cross-entropy. The third contender shows that it is not the softmax that does it: sigmoids with the right loss do just as well. This is where the textbooks stop.
#
# We do not. Two things in this comparison were chosen, and neither was chosen for the squared error. **The rate:** 0.1 for all. A loss with a weaker gradient may just want a larger rate. **The start:** with weights from $\mathcal N(0, 1)$ the
# scores are spread so widely that most sigmoids sit on a flat end before the first step. Glorot's rule (the next chapter derives it) draws them with variance $2/(f_\text{in} + f_\text{out})$ instead, for a layer with $f_\text{in}$ inputs and $f_\text{out}$ outputs.


# %%
def outputs_at_start(start):
    """Median slope of the sigmoid outputs, the share of them that are wrong by more than 0.9, and
    the share of hidden outputs beyond ±0.96, where the slope of tanh is below 0.08."""
    images, labels = data.train[:512]
    with torch.no_grad():
        model = network(start, seed=0)
        hidden = model[:2](images)
        p = model[2](hidden).sigmoid()
    wrong = (p - one_hot(labels)).abs() > 0.9
    saturated = hidden.abs() > 0.96
    return (
        (p * (1 - p)).median().item(),
        wrong.float().mean().item(),
        saturated.float().mean().item(),
    )


at_start = {start: outputs_at_start(start) for start in STARTS}
for start, (slope, wrong, saturated) in at_start.items():
    print(
        f"{start:8} median slope of the sigmoid {slope:.4f}, confidently wrong {wrong:.0%}, "
        f"hidden units saturated {saturated:.0%}"
    )

# %% [markdown]
# **Predict, then run.** Now each loss gets its own best rate, chosen on validation images, with both starts; then five fresh runs on test images. How much of the gap of 50 points is left with $\mathcal N(0, 1)$? And with Glorot's start?

# %%
rates = budget([0.03, 0.1, 0.3, 1.0, 3.0, 10.0], fast=[0.1, 0.3, 1.0])
tuning_seeds = budget([100, 101], fast=[100])
tuning = lab.sweep(
    lambda loss, start, lr, seed: train(loss, start, lr, seed, split="valid"),
    {"loss": RACERS, "start": STARTS, "lr": rates},
    tuning_seeds,
)
chosen = lab.best(tuning, by=["loss", "start"], over="lr", value="accuracy")
own_rate = chosen.set_index(["loss", "start"]).lr
results = lab.sweep(
    lambda loss, start, seed: train(loss, start, own_rate[loss, start], seed),
    {"loss": RACERS, "start": STARTS},
    seeds,
)
table = lab.summary(results, ["start", "loss"], "accuracy")
table = table.merge(chosen[["loss", "start", "lr", "at_edge"]])
table.sort_values(["start", "mean"], ascending=[False, True]).round(3)


# %%
def plot_tuning(frame):
    fig, axes = lab.figure(1, 2, height=3.2)
    for ax, (start, part) in zip(axes, frame.groupby("start", sort=False), strict=True):
        for i, (name, line) in enumerate(part.groupby("loss", sort=False)):
            means = line.groupby("lr").accuracy.mean()
            ax.semilogx(means.index, means, label=name, **lab.line_style(i))
        ax.axvline(0.1, color="grey", linewidth=1)
        ax.set(title=f"weights: {start}", xlabel="learning rate", ylim=(0, 1))
    axes[0].set_ylabel("validation accuracy")
    axes[1].legend(fontsize=9, handlelength=3, loc="lower left")
    return fig


lab.show(
    plot_tuning(tuning),
    alt="Validation accuracy against the learning rate, from 0.03 to 10, for three losses. With N(0, 1) "
    "weights the two cross-entropies peak at 0.85 near rate 0.3; MSE climbs from 0.2 to its best, about 0.7, at "
    "rates ten times higher. With Glorot's weights all three are above 0.9 for rates up to 0.3; there MSE is "
    "as good as the others. Beyond, all three fall, MSE to 0.1 at rate 3.",
)

# %% [markdown]
# The grey line marks the textbook's rate. (`at_edge` would be True where the best rate were the smallest or largest we tried.) Seed by seed, how far are the other losses ahead of the squared error, in accuracy?

# %%
leads = {
    start: lab.paired_difference(part, "loss", "accuracy", baseline="sigmoid + MSE")
    for start, part in results.groupby("start", sort=False)
}
for start, lead in leads.items():
    print(f"weights: {start}")
    print(lead.round(3).to_string(index=False), "\n")

# %% [markdown]
# `mean` is the lead, `low` to `high` its 95 % interval, and `excludes_zero` says whether that interval leaves out 0. Three numbers tell the story of this famous gap (which is wider here than the book's 18 points, because it shrinks in the course of 50 epochs, and we train for three):
#
# - about **50 points** with the textbook's rate and start,
# - **a third to two thirds** of it, depending on the seeds, with the textbook's start, but each loss at its own rate. The squared error wants at least ten times the textbook's rate, and its runs scatter so widely that five of them say little more: the interval reaches from about ten points to more than forty,
# - **one point** or less with a decent start.
#
# So most of what looked like the work of the loss was the work of saturated outputs and of a rate that did not suit the squared error. The mechanism is real all the same: cross-entropy *forgives* a start that kills the squared error, because its gradient is not multiplied by the slope of the flat ends.
# That is reason enough to prefer it, and a better one than the book's lead of 18 points (91.0 against 72.6 %). With $\mathcal N(0, 1)$ even cross-entropy stays ten points below its own best: there the *hidden* units are saturated, too (95 % of them in the cell above that looked at the start), and no choice of loss can cure that. That is the subject of the next chapter.
#
# Keep the method. Whenever somebody shows you that A beats B, ask at whose learning rate.

# %% [markdown]
# ## One softmax too many
#
# `nn.CrossEntropyLoss` takes logits. A network whose last layer is already a softmax, trained with that loss, gets softmax **twice**. It is among the most common bugs in classifiers, because nothing fails.
#
# The inner softmax gives numbers between 0 and 1, which the outer one takes for scores. A perfect answer has score 1 for the right class and 0 for the others, so the loss cannot fall below
#
# $$-\log\frac{e^1}{e^1 + (K - 1)\,e^0} = \log\Big(1 + \frac{K-1}{e}\Big)$$
#
# **Predict, then run.** How large is this floor for 2, 10 and 1,000 classes, and how much smaller than it should be is the gradient at the start, with all scores 0?

# %%
floors = {K: math.log(1 + (K - 1) / math.e) for K in (2, 10, 1000)}
for K, floor in floors.items():
    print(f"{K:5} classes: start {math.log(K):.3f}, floor {floor:.3f}")

right = torch.tensor([0])
strength = {}
for name, values in (
    ("all scores 0", [0.0] * 10),
    ("wrong by 8", [0.0, 8.0] + [0.0] * 8),
    ("right by 8", [8.0] + [0.0] * 9),
):
    leaf = torch.tensor([values], requires_grad=True)
    once, twice = (
        torch.autograd.grad(LOSSES[loss](leaf, right), leaf)[0].norm().item()
        for loss in ("softmax + CE", "softmax twice")
    )
    strength[name] = once / twice
    print(f"{name:13} gradient: softmax once {once:.5f}, twice {twice:.5f}")

# %% [markdown]
# Ten classes: a loss that starts at 2.303, as it should, and never gets below **1.461**. With all scores equal the gradient is exactly $K$ times too small (the slope of the inner softmax), and where the network is confidently wrong it dies, just as the squared error's did.
#
# **Predict, then run.** How much accuracy does the bug cost, at the rate 0.1 and at the best rate for each, with Glorot's start?

# %%
bug_tuning = lab.sweep(
    lambda lr, seed: train("softmax twice", "Glorot", lr, seed, split="valid"),
    {"lr": budget([0.1, 0.3, 1.0, 3.0], fast=[0.3, 1.0, 3.0])},
    tuning_seeds,
)
bug_rate = bug_tuning.groupby("lr").accuracy.mean().idxmax()
once_rate = own_rate["softmax + CE", "Glorot"]
RUNS = {
    "once, rate 0.1": ("softmax + CE", 0.1),
    "twice, rate 0.1": ("softmax twice", 0.1),
    f"once, own rate {once_rate:g}": ("softmax + CE", once_rate),
    f"twice, own rate {bug_rate:g}": ("softmax twice", bug_rate),
}
bug = lab.sweep(
    lambda softmax, seed: train(RUNS[softmax][0], "Glorot", RUNS[softmax][1], seed),
    {"softmax": list(RUNS)},
    seeds,
)
bug.groupby("softmax", sort=False)[["accuracy", "log loss", "training loss"]].mean().round(3)

# %%
lab.paired_difference(
    bug, "softmax", "accuracy", baseline=f"once, own rate {once_rate:g}"
).round(4)

# %% [markdown]
# Two or three points at the rate 0.1; one or less at a rate several times higher, which makes up for the weak gradient. (Where the correct network's own rate is 0.1, its two rows are the same runs.) With other seeds we met a run that lost ten points: no image at all was named a 9. That is the dead gradient
# of the confidently wrong: what the network has once ruled out, it may never get back. But most runs look healthy, which is why the bug lives on in working programs: someone tuned the rate, and the accuracy looked fine.
#
# Two things give it away. The training loss sticks at
# 1.5 while nearly everything is classified correctly. And the probabilities are worse than they need be: the `log loss` column is the true cross-entropy, with one softmax, on test images, and the double softmax has clearly the higher one.
#
# The rule: the network ends in a linear layer. Softmax is for looking at its answers, after training.

# %% [markdown]
# ## Play with it
#
# Four classes; the first one is right. Move the right score and one rival's; the other two stay at 0. Find a loss of log 4, then one of about 5. Add a shift to all four and watch nothing happen. Then look at the lower bars: the pull on each score, prediction minus truth.

# %%
from ipywidgets import FloatSlider, interact


@interact(
    right=FloatSlider(1, min=-10, max=10, step=0.25, continuous_update=False),
    rival=FloatSlider(2, min=-10, max=10, step=0.25, continuous_update=False),
    shift=FloatSlider(0, min=-50, max=50, step=5, continuous_update=False),
)
def explore(right, rival, shift):
    z = torch.tensor([right, rival, 0.0, 0.0]) + shift
    p = torch.softmax(z, 0)
    loss = F.cross_entropy(z, torch.tensor(0)).item()
    fig, (left, middle) = lab.figure(1, 2, height=2.6, title=f"loss {loss:.3f}")
    names = ["right", "rival", "third", "fourth"]
    left.bar(names, p, color=lab.line_style(0)["color"])
    left.set(ylim=(0, 1), ylabel="probability")
    middle.bar(names, p - torch.tensor([1.0, 0, 0, 0]), color=lab.line_style(1)["color"])
    middle.set(ylim=(-1, 1), ylabel="gradient, p − t")
    lab.show(
        fig,
        alt=f"Probabilities and gradients of four classes with scores {z.tolist()}; loss {loss:.3f}.",
    )


# %% [markdown]
# ## Which loss for which output?
#
# | what is predicted | last layer gives | loss on it | for looking at |
# |---|---|---|---|
# | numbers | any real numbers, no activation | `F.mse_loss`; `F.huber_loss` or `F.l1_loss` if outliers should not rule | as they are |
# | yes or no | one logit | `F.binary_cross_entropy_with_logits` | sigmoid |
# | one of $K$ classes | $K$ logits | `F.cross_entropy`, with class numbers or soft targets | softmax |
# | any subset of $K$ labels | $K$ logits | `F.binary_cross_entropy_with_logits` on each | sigmoid |
#
# In all four rows the gradient with respect to the last layer is prediction minus truth, up to a constant (for L1 and Huber, its sign, or as much of it as they allow). In no row does the network itself end in an activation.

# %% [markdown] role="question" exercise="stuck_losses" minutes=10
# ### Two losses that are stuck
#
# In your own words, at most ten sentences. (a) A colleague's classifier for ten classes starts at a loss of 2.30; it falls to 1.50 and stays there, though 94 % of the training images are classified correctly. They want a larger network. What do you suspect, why do these two numbers fit,
# and which line of their code would you look at? (b) Another trains an autoencoder with binary cross-entropy on grey pixels. Its loss sticks at 0.06 per pixel, "so it is far from perfect". Why may that be wrong, and what should they report instead? (c) A third shows that loss A beats loss B by
# 50 points of accuracy, both with rate 0.1. What do you ask for before you believe it?

# %% [markdown] role="answer" exercise="stuck_losses" points=3
# (a) A softmax in front of a loss that takes logits, so that softmax is applied twice. Equal scores still give $\log 10 = 2.303$, so the start looks right; but the outer softmax sees numbers between 0 and 1, so even perfect answers cost $\log(1 + 9/e) = 1.461$, and 1.50 is
# nearly that. With 94 % correct a true cross-entropy would be far lower. I would look at the last layer of the model (or the last line of `forward`) and take the softmax out; then choose the rate anew, since the gradient was ten times too small at the start, and smaller still where the network is confidently wrong. A larger network cannot pass the floor.
# (b) With soft targets the minimum of binary cross-entropy is at $p = y$ but is not 0: it is the entropy of the targets, 0.562 for a pixel of ¼, and about 0.06 on average over MNIST. The loss may be nearly as low as it can be. They should report the difference to that entropy (the Kullback–Leibler divergence), or the squared error beside it.
# (c) For each loss's own best rate, chosen on validation data from a grid whose edges are not the best; the same for what else was chosen for A only, such as the initialisation; several seeds and an interval of the difference. In this lesson 50 points shrank to one or less.

# %% [markdown]
# ## What we measured
#
# Every figure that the text above relies on, asserted on this machine, with a margin.

# %%
first, last = "sigmoid + MSE", "softmax + CE"
book = textbook.groupby("loss").accuracy.mean()
own = results.groupby(["start", "loss"]).accuracy.mean()
book_gap = book[last] - book[first]
gap = {start: own[start, last] - own[start, first] for start in STARTS}
seen = bug.groupby("softmax")[["accuracy", "log loss", "training loss"]].mean()
once_fixed, twice_fixed, once_own, twice_own = (seen.loc[name] for name in RUNS)
expected = torch.tensor([0.49749, 0.50249, 2.3042e-05, 1.0357e-09], dtype=torch.float64)
moved = (torch.softmax(raised, 0) - torch.softmax(scores, 0)).abs().max()
mse_pull, bce_pull = (pulls[name][40].item() for name in PAIR)  # z = -8

with Claims(data) as claim:
    claim("the worked pair: sum 11.8442, mean 2.36884", abs(total - 11.8442) < 1e-3)
    claim("one miss of five makes up more than 60 % of it", (squares / total).max() > 0.6)
    claim(
        "the best constant is the mean for squares, 22.4, and the median for L1, 4",
        abs(best_guess["squared"] - 22.4) < 0.11 and abs(best_guess["absolute"] - 4) < 0.11,
    )
    claim(
        "shapes that broadcast learn a flat line, matching ones the slope 2",
        abs(lines["(64, 1) and (64,)"][0]) < 0.05
        and abs(lines["(64,) and (64,)"][0] - 2) < 0.01,
    )
    claim(
        "cross-entropy: 0.2231 for 0.8, log 4 for a clueless one",
        abs(good - 0.2231) < 1e-3 and abs(clueless - math.log(4)) < 1e-5,
    )
    claim("binary cross-entropy at y = p = ¼ is 0.562", abs(at_quarter - 0.5623) < 1e-3)
    claim(
        "perfect MNIST images cost about 0.057 per pixel",
        abs(pixel_floor - 0.057) < 0.005,
        weaker=pixel_floor > 0.01,
    )
    claim(
        "softmax of (9.99, 10, 0.01, −10) is (0.497, 0.502, 2.3e−5, 1.04e−9)",
        torch.allclose(torch.softmax(scores, 0), expected, rtol=1e-3, atol=0),
    )
    claim(
        "0.02 more flips the named class and moves no probability by more than 0.006",
        scores.argmax() == 1 and raised.argmax() == 0 and moved < 0.006,
    )
    claim(
        "two right answers, losses 0.688 and 0.0032",
        abs(two_losses[0] - 0.688) < 1e-3 and abs(two_losses[1] - 0.0032) < 1e-4,
    )
    claim(
        "(0, 200), class 0: softmax and log give inf and nan, the fused form 200",
        naive.isinf()
        and naive_pull.isnan().any()
        and fused == 200
        and fused_pull.isfinite().all(),
    )
    claim(
        "confidently wrong at z = −8: MSE pulls with less than 1/1000 of BCE's 0.9997",
        abs(bce_pull + 0.9997) < 1e-4 and abs(mse_pull) < abs(bce_pull) / 1000,
    )
    claim(
        "N(0, 1): half of the sigmoids have a slope below 0.02, and more than a quarter are confidently wrong",
        at_start["N(0, 1)"][0] < 0.02 and at_start["N(0, 1)"][1] > 0.25,
    )
    claim(
        "Glorot: the median slope is above 0.15, fewer than 1 in 8 are confidently wrong",
        at_start["Glorot"][0] > 0.15 and at_start["Glorot"][1] < 0.125,
    )
    claim(
        "N(0, 1) saturates more than 85 % of the hidden outputs, Glorot fewer than 30 %",
        at_start["N(0, 1)"][2] > 0.85 and at_start["Glorot"][2] < 0.3,
        weaker=at_start["N(0, 1)"][2] > at_start["Glorot"][2],
    )
    claim(
        "rate 0.1, N(0, 1): softmax + CE leads by more than 35 points",
        book_gap > 0.35,
        weaker=book_gap > 0.1,
    )
    claim(
        "sigmoid + BCE is within 6 points of softmax + CE there",
        abs(book["sigmoid + BCE"] - book[last]) < 0.06,
        weaker=book["sigmoid + BCE"] > book[first],
    )
    claim(
        "own rates, N(0, 1): it still leads by more than 8 points, but by less than before",
        0.08 < gap["N(0, 1)"] < book_gap - 0.05,
        weaker=gap["N(0, 1)"] > 0,
    )
    claim(
        "own rates, Glorot: the two are within 2 points",
        abs(gap["Glorot"]) < 0.02,
        weaker=abs(gap["Glorot"]) < 0.15,
    )
    claim(
        "the squared error's own rate with N(0, 1) is at least ten times the textbook's",
        own_rate[first, "N(0, 1)"] >= 1.0,
        weaker=own_rate[first, "N(0, 1)"] > 0.1,
    )
    claim(
        "cross-entropy: Glorot's start is more than 5 points better than N(0, 1)",
        own["Glorot", last] > own["N(0, 1)", last] + 0.05,
        weaker=own["Glorot", last] > own["N(0, 1)", last],
    )
    claim("softmax twice: ten classes, a floor of 1.461", abs(floors[10] - 1.4612) < 1e-3)
    claim(
        "its gradient is 10 times too small at equal scores, dead when confidently wrong",
        abs(strength["all scores 0"] - 10) < 1e-2 and strength["wrong by 8"] > 100,
    )
    claim(
        "its training loss stays above the floor",
        min(twice_fixed["training loss"], twice_own["training loss"]) > floors[10],
    )
    claim(
        "rate 0.1: it costs between 1 and 8 points",
        0.01 < once_fixed.accuracy - twice_fixed.accuracy < 0.08,
        weaker=once_fixed.accuracy > twice_fixed.accuracy,
    )
    claim(
        "own rates: it costs less than 2 points",
        once_own.accuracy - twice_own.accuracy < 0.02,
        weaker=once_own.accuracy - twice_own.accuracy
        < once_fixed.accuracy - twice_fixed.accuracy,
    )
    claim(
        "own rates: its log loss is more than a fifth higher",
        twice_own["log loss"] > 1.2 * once_own["log loss"],
        weaker=twice_own["log loss"] > once_own["log loss"],
    )

# %% [markdown]
# ## In short
#
# | loss | formula | gradient at the output | mind |
# |---|---|---|---|
# | squared error | $(\hat y - y)^2$ | $2(\hat y - y)$ | equal shapes; say what the mean is over |
# | cross-entropy | $-\sum_k t_k \log p_k$ | $-t_k/p_k$ | $\log K$ is guessing; $0 \log 0$ |
# | binary cross-entropy | $-y\log p - (1-y)\log(1-p)$ | $\sigma - y$, for the logit | soft targets: the minimum is their entropy, not 0 |
# | softmax + cross-entropy | $\log\sum_j e^{z_j} - z_c$ | $p_k - t_k$, for the logits | logits in, no softmax before |
#
# - Choose the loss whose gradient is prediction minus truth for your output; it keeps pulling where the network is most wrong.
# - Shift by the maximum, keep exponential and logarithm together, and no score is too extreme.
# - A comparison of losses is fair when each has its own learning rate. Ask for the start as well.
#
# **Read on.** Bridle (1990) named the softmax. Glorot and Bengio (2010) compare the plateaus of both losses. Weidman (2019), *Deep Learning from Scratch*, has the ladder. Goodfellow, Bengio and Courville (2016), *Deep Learning*, section 6.2, derive losses from maximum likelihood. The next lesson
# turns to losses for hard cases, and to the landscape that they form.

# %%
lab.show_progress("ch00")
