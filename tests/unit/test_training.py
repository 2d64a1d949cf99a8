import dataclasses
import math
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import SGD
from torch.optim.lr_scheduler import OneCycleLR, ReduceLROnPlateau, StepLR

from trainlab.data import Split
from trainlab.training import History, binary_accuracy, evaluate, fit


def make_split(n, seed=0):
    """Four-pixel images whose class is the brightest pixel."""
    images = torch.randint(
        0, 256, (n, 2, 2), generator=torch.Generator().manual_seed(seed), dtype=torch.uint8
    )
    return Split(
        images, images.flatten(1).long().argmax(1), torch.tensor([0.5]), torch.tensor([0.3]), flat=True
    )


@pytest.fixture
def data():
    return SimpleNamespace(train=make_split(50, 1), valid=make_split(23, 2), test=make_split(20, 3))


def make_model(seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 4))


def train(data, seed=0, init=0, lr=0.1, **options):
    model = make_model(init)
    torch.manual_seed(99 + seed)  # the global state must not matter
    optimizer = SGD(model.parameters(), lr=lr)
    return model, optimizer, fit(model, data, optimizer, seed=seed, batch_size=8, **{"epochs": 2, **options})


def test_fit_learns_and_reports_each_epoch(data):
    model, _, history = train(data, epochs=60)
    frame = history.frame
    columns = ["epoch", "train_loss", "learning_rate", "valid_loss", "valid_accuracy", "seconds"]
    assert sorted(frame.columns) == sorted(columns)
    assert frame["epoch"].tolist() == list(range(1, 61))
    assert frame["train_loss"].iloc[-1] < 0.5 * frame["train_loss"].iloc[0]
    assert history.last["valid_accuracy"] > 0.6
    assert not history.diverged
    result = evaluate(model, data.valid)
    assert (history.last["valid_loss"], history.last["valid_accuracy"]) == (
        result["loss"],
        result["accuracy"],
    )


def test_one_full_batch_is_one_step_of_gradient_descent(data):
    model, reference = make_model(), make_model()
    history = fit(model, data, SGD(model.parameters(), lr=0.2), epochs=1, batch_size=50)
    x, y = data.train[torch.arange(50)]
    loss = F.cross_entropy(reference(x.flatten(1)), y)
    loss.backward()
    for ours, theirs in zip(model.parameters(), reference.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs - 0.2 * theirs.grad)
    assert history.last["train_loss"] == pytest.approx(loss.item(), rel=1e-5)


def test_train_loss_weighs_samples_not_batches(data):
    losses = []
    _, _, history = train(data, epochs=1, on_batch=lambda step, loss: losses.append(loss))
    sizes = [8] * 6 + [2]  # 50 images
    expected = sum(size * loss for size, loss in zip(sizes, losses, strict=True)) / 50
    assert history.last["train_loss"] == pytest.approx(expected)


def test_the_seed_alone_decides_the_run(data):
    first, again, other = train(data, seed=3)[2], train(data, seed=3)[2], train(data, seed=4)[2]
    losses = [[row["train_loss"] for row in history.rows] for history in (first, again, other)]
    assert losses[0] == losses[1] != losses[2]


def test_fit_leaves_the_global_generator_alone(data):
    model = make_model()
    before = torch.get_rng_state()
    fit(model, data, SGD(model.parameters(), lr=0.1), epochs=1)
    assert torch.equal(before, torch.get_rng_state())


def test_clipping_bounds_every_step(data):
    model = make_model()
    norms, steps = [], []

    def record(step, loss):
        steps.append(step)
        norms.append(torch.cat([p.grad.flatten() for p in model.parameters()]).norm().item())

    options = {"epochs": 2, "batch_size": 8, "on_batch": record}
    fit(model, data, SGD(model.parameters(), lr=0.1), max_norm=0.05, **options)
    assert steps == list(range(14))
    assert max(norms) == pytest.approx(0.05, rel=1e-3)
    norms.clear()
    fit(model, data, SGD(model.parameters(), lr=0.1), **options)
    assert max(norms) > 0.1


@pytest.mark.parametrize(("each", "steps"), [("batch", 14), ("epoch", 2)])
def test_scheduler_is_stepped_as_asked(data, each, steps):
    model = make_model()
    optimizer = SGD(model.parameters(), lr=1.0)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.9)
    options = {"scheduler": scheduler, "step_scheduler_each": each}
    history = fit(model, data, optimizer, epochs=2, batch_size=8, max_norm=0.1, **options)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.9**steps)
    assert history.last["learning_rate"] == pytest.approx(0.9 ** (steps - 1))  # the last one used


def test_one_cycle_gets_exactly_its_steps(data):
    model = make_model()
    optimizer = SGD(model.parameters(), lr=0.1)
    scheduler = OneCycleLR(optimizer, max_lr=0.1, total_steps=14)
    history = fit(model, data, optimizer, epochs=2, batch_size=8, scheduler=scheduler)
    assert history.last["learning_rate"] < 1e-5  # the cycle's last rate went to the last batch
    with pytest.raises(ValueError, match="step"):
        scheduler.step()


def test_plateau_follows_the_validation_loss(data):
    model = make_model()
    optimizer = SGD(model.parameters(), lr=0.1)
    scheduler = ReduceLROnPlateau(optimizer, factor=0.5, patience=0, threshold=1e9, threshold_mode="abs")
    fit(model, data, optimizer, epochs=3, scheduler=scheduler, step_scheduler_each="epoch")
    assert optimizer.param_groups[0]["lr"] == pytest.approx(
        0.1 * 0.5**2
    )  # the first loss always counts as better
    with pytest.raises(ValueError, match='"epoch"'):
        fit(model, data, optimizer, epochs=1, scheduler=scheduler)


def test_a_diverging_run_stops_early_and_says_so(data):
    calls = []

    def loss_fn(scores, labels):
        calls.append(1)
        return F.cross_entropy(scores, labels) * (math.nan if len(calls) == 3 else 1.0)

    _, _, history = train(data, epochs=5, loss_fn=loss_fn)
    assert history.diverged
    assert len(history.rows) == 1
    assert math.isnan(history.last["train_loss"])


def test_a_real_explosion_is_flagged(data):
    _, _, history = train(data, epochs=20, lr=1e30)
    assert history.diverged
    assert len(history.rows) < 20


def test_a_last_step_that_breaks_the_weights_is_flagged_too(data):
    model = make_model()
    options = {"epochs": 3, "batch_size": 50, "on_batch": lambda *_: model[0].weight.data.fill_(math.nan)}
    history = fit(model, data, SGD(model.parameters(), lr=0.1), **options)
    assert history.diverged
    assert len(history.rows) == 1
    assert math.isfinite(history.last["train_loss"])


def test_evaluate_weighs_an_uneven_last_batch(data):
    model = make_model()
    x, y = data.valid[torch.arange(23)]
    scores = model(x.flatten(1))
    for batch_size in (1, 10, 22, 1024):
        result = evaluate(model, data.valid, batch_size=batch_size)
        assert result["loss"] == pytest.approx(F.cross_entropy(scores, y).item(), rel=1e-5)
        assert result["accuracy"] == pytest.approx((scores.argmax(1) == y).float().mean().item())


def test_evaluate_restores_the_mode_of_every_part(data):
    class Model(nn.Sequential):
        def forward(self, x):
            seen.append((self.training, torch.is_grad_enabled()))
            return super().forward(x)

    seen = []
    model = Model(nn.Linear(4, 4), nn.Dropout(0.5))
    model.train()
    model[1].eval()  # a frozen part in a model that trains
    evaluate(model, data.valid)
    assert set(seen) == {(False, False)}
    assert (model.training, model[0].training, model[1].training) == (True, True, False)


def test_evaluate_restores_the_mode_after_an_error(data):
    model = make_model()
    with pytest.raises(RuntimeError):
        evaluate(model, dataclasses.replace(data.valid, flat=False))  # a layer of 4 cannot read 1 x 2 x 2
    assert model.training


def test_a_convolution_trains_on_images(data):
    data = SimpleNamespace(**{k: dataclasses.replace(v, flat=False) for k, v in vars(data).items()})
    model = nn.Sequential(nn.Conv2d(1, 4, 2), nn.Flatten())
    history = fit(model, data, SGD(model.parameters(), lr=0.1), epochs=1)
    assert math.isfinite(history.last["valid_loss"])


def test_fit_trains_in_training_mode(data):
    modes = []

    class Spy(nn.Identity):
        def forward(self, x):
            modes.append(self.training)
            return x

    model = nn.Sequential(Spy(), nn.Linear(4, 4)).eval()
    fit(model, data, SGD(model.parameters(), lr=0.1), epochs=2, batch_size=50)
    assert modes == [True, False, True, False]


def test_bar_can_be_silenced(data, monkeypatch, capsys):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    train(data)
    assert "training" in capsys.readouterr().err
    train(data, bar=False)
    monkeypatch.setenv("TQDM_DISABLE", "1")
    train(data)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch_size": 0}, {"step_scheduler_each": "step"}])
def test_bad_options_are_refused(data, wrong):
    model = make_model()
    with pytest.raises(ValueError, match=r"\."):
        fit(model, data, SGD(model.parameters(), lr=0.1), **{"epochs": 1, **wrong})


def test_an_empty_split_is_refused(data):
    empty = Split(data.valid.images[:0], data.valid.labels[:0], data.valid.mean, data.valid.std)
    with pytest.raises(ValueError, match="empty"):
        evaluate(make_model(), empty)


def test_an_empty_history_has_no_last_row():
    with pytest.raises(IndexError):
        _ = History().last


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64, torch.bool])
@pytest.mark.parametrize("head", [nn.Identity(), nn.Flatten(0)], ids=["(n, 1)", "(n,)"])
def test_binary_accuracy_counts_the_right_side_of_zero(dtype, head):
    # A logit of exactly 0 is not above one half, and an answer of 0.
    logits = torch.tensor([[-2.0], [-1e-6], [0.0], [1e-6], [300.0]])
    labels = torch.tensor([0, 1, 0, 1, 0]).to(dtype)
    assert binary_accuracy(head, logits, labels) == pytest.approx(3 / 5)


def test_binary_accuracy_leaves_modes_gradients_and_statistics_alone():
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5), nn.Linear(4, 1))
    model[1].eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    x, labels = torch.randn(50, 3), torch.randint(2, (50,))
    first = binary_accuracy(model, x, labels)
    assert [module.training for module in model] == [True, False, True, True]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert all(p.grad is None for p in model.parameters())
    assert all(binary_accuracy(model, x, labels) == first for _ in range(5))  # dropout is off


@pytest.mark.parametrize(
    ("logits", "labels", "said"),
    [
        (torch.zeros(0, 1), torch.zeros(0), "no sample"),
        (torch.zeros(4, 2), torch.zeros(4), r"logits \(4, 2\)"),
        (torch.zeros(4, 1), torch.zeros(4, 1), r"labels \(4, 1\)"),
        (torch.zeros(4, 1), torch.zeros(1), r"labels \(1,\)"),
    ],
)
def test_binary_accuracy_refuses_what_would_broadcast(logits, labels, said):
    with pytest.raises(ValueError, match=said):
        binary_accuracy(nn.Identity(), logits, labels)


def test_training_imports_nothing_heavy():
    heavy = "{'pandas', 'matplotlib', 'scipy', 'torchvision', 'torchmetrics', 'sklearn'}"
    code = f"import sys, trainlab.training, trainlab.health; print({heavy} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "set()", done.stderr
