import copy
import math

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import SGD, Adam
from torch.optim.lr_scheduler import StepLR

from trainlab.health import network_health


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def batch():
    generator = torch.Generator().manual_seed(0)
    return torch.randn(32, 6, generator=generator), torch.randint(0, 3, (32,), generator=generator)


def mlp(activation=nn.ReLU):
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 10), activation(), nn.Linear(10, 8), activation(), nn.Linear(8, 3))


def test_rows_match_hand_computations(batch):
    x, y = batch
    model = mlp()
    frame = network_health(model, x, y, optimizer=SGD(model.parameters(), lr=0.3)).frame.set_index("layer")
    assert frame.index.tolist() == ["0", "2", "4"]
    pre = model[0](x)
    post = pre.relu()
    F.cross_entropy(model(x), y).backward()
    weight, gradient = model[0].weight, model[0].weight.grad
    expected = {
        "preactivation_mean": pre.mean(),
        "preactivation_std": pre.std(),
        "activation_mean": post.mean(),
        "activation_std": post.std(),
        "gradient_norm": gradient.norm(),
        "gradient_std": gradient.std(),
        "weight_std": weight.std(),
        "log10_update_ratio": torch.log10(0.3 * gradient.std() / weight.std()),
    }
    for column, value in expected.items():
        assert frame.loc["0", column] == pytest.approx(value.item(), rel=1e-3), column
    assert frame["kind"].tolist() == ["Linear"] * 3
    assert frame["activation"].tolist()[:2] == ["ReLU", "ReLU"]
    last = frame.loc["4"]
    assert last["activation"] is None or np.isnan(last["activation"])
    assert np.isnan([last["activation_std"], last["dead"], last["saturated"]]).all()


def test_the_default_step_is_sgd_with_a_tenth(batch):
    model = mlp()
    default = network_health(model, *batch).frame
    explicit = network_health(model, *batch, optimizer=SGD(model.parameters(), lr=0.1)).frame
    assert default["log10_update_ratio"].tolist() == explicit["log10_update_ratio"].tolist()


def test_the_optimizers_own_state_counts(batch):
    x, y = batch
    model = mlp()
    optimizer = SGD(model.parameters(), lr=0.1, momentum=0.9)
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    ratio = network_health(model, x, y, optimizer=optimizer).frame["log10_update_ratio"].iloc[0]
    before = model[0].weight.detach().clone()
    optimizer.zero_grad()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    expected = torch.log10((model[0].weight - before).std() / before.std()).item()
    assert ratio == pytest.approx(expected, abs=1e-3)


def test_dead_units_are_counted(batch):
    model = mlp()
    with torch.no_grad():
        model[0].bias[:4] = -1e3  # 4 of 10 never fire
    frame = network_health(model, *batch).frame
    assert frame["dead"].iloc[0] == pytest.approx(0.4)
    assert math.isnan(frame["saturated"].iloc[0])


def test_dead_channels_of_a_convolution_are_counted():
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4, 3)
    )
    with torch.no_grad():
        model[0].bias[0] = -1e3
        model[0].bias[1:] = 1e3
    x = torch.rand(5, 1, 4, 4)
    health = network_health(model, x, torch.zeros(5, dtype=torch.long))
    assert health.frame["kind"].tolist() == ["Conv2d", "Linear"]
    assert health.frame["dead"].iloc[0] == pytest.approx(0.25)
    # The ReLU works in place, and still the layer's own output is what is measured.
    assert health.frame["preactivation_mean"].iloc[0] == pytest.approx(model[0](x).mean().item(), rel=1e-4)


@pytest.mark.parametrize(
    ("activation", "expected"),
    [(nn.Tanh, lambda a: a.abs() > 0.97), (nn.Sigmoid, lambda a: (a < 0.03) | (a > 0.97))],
)
def test_saturation_is_counted(batch, activation, expected):
    model = mlp(activation)
    with torch.no_grad():
        model[0].weight *= 5
    values = model[:2](batch[0])
    share = network_health(model, *batch).frame["saturated"].iloc[0]
    assert share == pytest.approx(expected(values).float().mean().item())
    assert 0.05 < share < 0.95


def test_the_activation_is_found_behind_norm_and_dropout(batch):
    class Swish(nn.Module):
        def forward(self, x):
            return x * x.sigmoid()

    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(), Swish(), nn.Linear(8, 3))
    assert network_health(model, *batch).frame["activation"].iloc[0] == "Swish"


def snapshot(model, optimizer):
    grads = [None if p.grad is None else p.grad.clone() for p in model.parameters()]
    return (
        copy.deepcopy((model.state_dict(), optimizer.state_dict())),
        grads,
        [m.training for m in model.modules()],
    )


def test_nothing_of_the_callers_changes(batch):
    x, y = batch
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(), nn.Linear(8, 3))
    optimizer = Adam(model.parameters())
    StepLR(optimizer, 1)  # a scheduler wraps the optimizer's step
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    before, hooks = snapshot(model, optimizer), len(model[0]._forward_hooks)
    inputs, rng = (x.clone(), y.clone()), torch.get_rng_state()
    with torch.no_grad():
        network_health(model, x, y, optimizer=optimizer)
    assert torch.equal(rng, torch.get_rng_state())
    assert len(model[0]._forward_hooks) == hooks
    after = snapshot(model, optimizer)
    torch.testing.assert_close(after[0], before[0], rtol=0, atol=0)
    torch.testing.assert_close(after[1], before[1], rtol=0, atol=0)
    assert after[2] == before[2]
    assert torch.equal(x, inputs[0])
    assert optimizer.param_groups[0]["params"][0] is model[0].weight


def test_a_broken_network_is_shown_not_raised(batch):
    model = mlp(nn.Tanh)
    with torch.no_grad():
        model[2].weight[0, 0] = math.nan
        model[4].weight.fill_(math.inf)
    health = network_health(model, *batch)
    frame = health.frame
    assert frame["nonfinite"].tolist() == pytest.approx([0, 1 / 8, 1])
    assert np.isnan(frame.loc[1, ["preactivation_std", "dead", "saturated"]].astype(float)).all()
    fig = health.plot()
    fig.canvas.draw()
    texts = [text.get_text() for ax in fig.axes for text in ax.texts]
    assert "nan/inf" in texts
    assert "nan" in texts  # the update
    legend = [text.get_text() for text in fig.legends[0].get_texts()]
    assert all("nan/inf" in text for text in legend)


def test_a_frozen_layer_has_no_update(batch):
    model = mlp()
    model[0].requires_grad_(False)
    health = network_health(model, *batch)
    assert health.frame["log10_update_ratio"].iloc[0] == -math.inf
    assert math.isnan(health.frame["gradient_norm"].iloc[0])
    health.plot().canvas.draw()


def test_plot_has_four_labelled_panels(batch):
    fig = network_health(mlp(), *batch).plot()
    assert len(fig.axes) == 4
    assert all(ax.get_xlabel() and ax.get_ylabel() and ax.get_title() for ax in fig.axes)
    activations, gradients, shares, ratios = fig.axes
    assert len(activations.get_lines()) == len(gradients.get_lines()) == 3
    assert gradients.get_xscale() == "log"
    assert len(shares.patches) == 6
    assert any(list(line.get_ydata()) == [-3, -3] for line in ratios.get_lines())
    fig.canvas.draw()


def test_histograms_are_densities(batch):
    health = network_health(mlp(), *batch)
    for histograms in (health.activations, health.gradients):
        for centres, density in histograms.values():
            assert (density.sum() * (centres[1] - centres[0])) == pytest.approx(1)


def test_misuse_gets_a_clear_error(batch):
    model = mlp()
    with pytest.raises(ValueError, match=r"Conv2d.*`layers`"):
        network_health(model, *batch, layers=(nn.Conv2d,))
    with pytest.raises(ValueError, match="build it on"):
        network_health(model, *batch, optimizer=SGD(mlp().parameters(), lr=0.1))


def test_the_panel_of_a_deep_net_stays_readable(batch):
    layers = [layer for _ in range(40) for layer in (nn.Linear(6, 6), nn.ReLU())]
    fig = network_health(nn.Sequential(*layers, nn.Linear(6, 3)), *batch).plot()
    legend = [text.get_text() for text in fig.legends[0].get_texts()]
    assert len(legend) == 6
    assert legend[0].startswith("0 ")
    assert legend[-1].startswith("80 ")
    assert len(fig.axes[2].get_xticks()) == 8
