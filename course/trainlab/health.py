"""The network-health panel: what one step of training does to every layer."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Histogram = tuple[np.ndarray, np.ndarray]
_SATURATED: dict[type, Callable[[Tensor], Tensor]] = {
    nn.Tanh: lambda a: a.abs() > 0.97,
    nn.Sigmoid: lambda a: (a < 0.03) | (a > 0.97),
}


@dataclass
class NetworkHealth:
    """What `network_health` measured.

    Attributes:
        rows: one dict a layer, in the order of execution (see `network_health`).
        activations: for each layer the histogram (centres, density) of its activation, or of its
            pre-activation where no activation module follows.
        gradients: for each layer the histogram (centres, density) of log10 |gradient| of its weight, zeros
            left out.
    """

    rows: list[dict[str, Any]]
    activations: dict[str, Histogram]
    gradients: dict[str, Histogram]

    @property
    def frame(self) -> pd.DataFrame:
        """The rows as a pandas table."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    def plot(self) -> Figure:
        """Four panels: activations, gradients, dead and saturated shares, size of the update.

        Returns:
            The figure, 8 inches wide; pass it to `show` with an alt text. What is nan or infinite is written
            as such.
        """
        from trainlab.plots import figure

        fig, axes = figure(2, 2)
        _plot_histograms(axes[0, 0], self.activations, self.rows)
        axes[0, 0].set(xlabel="activation", ylabel="density", title="Activations", yscale="log")
        _plot_histograms(axes[0, 1], {name: (10**c, d) for name, (c, d) in self.gradients.items()}, self.rows)
        axes[0, 1].set(
            xlabel="|gradient|", ylabel="density per decade", title="Gradients of the weights", xscale="log"
        )
        lines = axes[0, 1].get_lines()
        fig.legend(handles=lines, title="layer", loc="outside right upper", frameon=False, handlelength=3)
        _plot_shares(axes[1, 0], self.rows)
        _plot_ratios(axes[1, 1], self.rows)
        return fig


def network_health(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    loss_fn: Callable[[Tensor, Tensor], Tensor] = F.cross_entropy,
    optimizer: torch.optim.Optimizer | None = None,
    layers: tuple[type[nn.Module], ...] = (nn.Linear, nn.Conv2d),
) -> NetworkHealth:
    """Run one batch and one step of the optimizer on a copy of the model, and measure every layer.

    The caller's weights, gradients, running statistics, optimizer and random state stay as they are; only
    hooks that the caller put on the model fire once more. The copy is in the mode (training or evaluation) of
    the model.

    The rows hold `layer` and `kind`; `preactivation_mean`, `preactivation_std` of the layer's output;
    `activation` (the kind of the activation module that runs next, None if there is none, as after the last
    layer or where the activation is a function), `activation_mean`, `activation_std`; `dead` (share of units,
    channels for a convolution, that are 0 on the whole batch); `saturated` (share of values beyond ±0.97 for
    Tanh, outside 0.03 to 0.97 for Sigmoid, nan for others); `nonfinite` (share of nan and infinite values in
    the output); `gradient_norm`, `gradient_std`, `weight_std`; `log10_update_ratio`, which is log10(std of
    the update / std of the weight), around -3 in a network that trains well.

    Args:
        model: any module in which the layers are modules.
        x: a batch, shaped as the model takes it; brought to the model's device.
        y: labels of the batch.
        loss_fn: maps (scores, labels) to the mean loss of the batch.
        optimizer: built on the model's parameters; None is plain SGD with a learning rate of 0.1.
        layers: the kinds of layer to measure; each needs a `weight`. A layer that runs twice shows its last
            run.

    Returns:
        The `NetworkHealth`. Numbers that are nan or infinite are reported, not raised.

    Raises:
        ValueError: if no such layer runs, or the optimizer belongs to another model.
    """
    if optimizer is not None and not _parameters_of(optimizer) & {id(p) for p in model.parameters()}:
        raise ValueError("The optimizer holds no parameter of this model: build it on model.parameters().")
    # Copied in one go, so that the copied optimizer holds the copied parameters and its own state for them.
    model, optimizer = copy.deepcopy((model, optimizer))
    if optimizer is None:
        optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1)
    device = next(model.parameters()).device
    optimizer.zero_grad()
    with _random_state_kept(device), torch.enable_grad(), _recorded(model, layers) as records:
        loss_fn(model(x.to(device)), y.to(device)).backward()
    if not records:
        kinds = ", ".join(kind.__name__ for kind in layers)
        raise ValueError(f"No layer of the kinds {kinds} ran: name the kinds of your model in `layers`.")

    before = [record.module.weight.detach().clone() for record in records]
    optimizer.step()
    rows = [_row(record, old) for record, old in zip(records, before, strict=True)]
    return NetworkHealth(
        rows=rows,
        activations={
            r.name: _histogram(r.preactivation if r.activation is None else r.activation) for r in records
        },
        gradients={r.name: _histogram(_log10_magnitude(r.module.weight.grad)) for r in records},
    )


@dataclass
class _Record:
    name: str
    module: nn.Module
    preactivation: Tensor
    follower: nn.Module | None = None
    activation: Tensor | None = None


@contextmanager
def _recorded(model: nn.Module, layers: tuple[type[nn.Module], ...]) -> Iterator[list[_Record]]:
    """Record every layer's output, and the output of the first activation that runs after it."""
    records: list[_Record] = []

    def after_layer(name: str) -> Callable:
        def hook(module: nn.Module, _inputs: Any, output: Tensor) -> None:
            records[:] = [record for record in records if record.module is not module]
            # A clone, since an activation with inplace=True would overwrite it.
            records.append(_Record(name, module, output.detach().float().clone()))

        return hook

    def after_activation(module: nn.Module, _inputs: Any, output: Tensor) -> None:
        if records and records[-1].activation is None:
            records[-1].follower, records[-1].activation = module, output.detach().float().clone()

    handles = []
    for name, module in model.named_modules():
        if isinstance(module, layers):
            handles.append(module.register_forward_hook(after_layer(name or type(module).__name__)))
        elif _is_activation(module):
            handles.append(module.register_forward_hook(after_activation))
    try:
        yield records
    finally:
        for handle in handles:
            handle.remove()


def _is_activation(module: nn.Module) -> bool:
    """Torch's own activations; of other people's modules, those without parts and parameters."""
    if any(module.children()):
        return False
    if type(module).__module__.startswith("torch.nn."):  # pooling, dropout and the like are no activations
        return type(module).__module__ == "torch.nn.modules.activation"
    return not any(True for _ in module.parameters())


@contextmanager
def _random_state_kept(device: torch.device) -> Iterator[None]:
    devices = [] if device.type == "cpu" else [device.index or 0]
    with torch.random.fork_rng(devices, device_type="cuda" if device.type == "cpu" else device.type):
        yield


def _parameters_of(optimizer: torch.optim.Optimizer) -> set[int]:
    return {id(p) for group in optimizer.param_groups for p in group["params"]}


def _row(record: _Record, old_weight: Tensor) -> dict[str, Any]:
    weight, gradient = record.module.weight.detach(), record.module.weight.grad
    gradient = torch.full_like(weight, torch.nan) if gradient is None else gradient
    activation = torch.full((1, 1), torch.nan) if record.activation is None else record.activation
    # Units stand in the last dimension of a linear layer's output, channels in the second of a convolution's.
    units = activation.movedim(-1 if isinstance(record.module, nn.Linear) else 1, 0).flatten(1)
    saturated = _SATURATED.get(type(record.follower))
    with np.errstate(all="ignore"):  # 0 / 0 and log 0 are findings here
        ratio = np.log10(np.float64(_std(weight - old_weight)) / np.float64(_std(old_weight)))
    return {
        "layer": record.name,
        "kind": type(record.module).__name__,
        "preactivation_mean": record.preactivation.mean().item(),
        "preactivation_std": _std(record.preactivation),
        "activation": None if record.follower is None else type(record.follower).__name__,
        "activation_mean": activation.mean().item(),
        "activation_std": _std(activation),
        "dead": _share((units == 0).all(1), activation),
        "saturated": _share(saturated(activation), activation) if saturated else np.nan,
        "nonfinite": (~record.preactivation.isfinite()).float().mean().item(),
        "gradient_norm": gradient.float().norm().item(),
        "gradient_std": _std(gradient),
        "weight_std": _std(old_weight),
        "log10_update_ratio": float(ratio),
    }


def _std(values: Tensor) -> float:
    return values.float().std().item() if values.numel() > 1 else float("nan")


def _share(mask: Tensor, activation: Tensor) -> float:
    # nan compares as False everywhere: a broken layer would look healthy.
    return mask.float().mean().item() if activation.isfinite().all() else float("nan")


def _log10_magnitude(gradient: Tensor | None) -> Tensor:
    magnitude = torch.empty(0) if gradient is None else gradient.float().abs()
    return magnitude[magnitude > 0].log10()


def _histogram(values: Tensor) -> Histogram:
    finite = values[values.isfinite()].cpu().double().numpy()
    if not finite.size:
        return np.empty(0), np.empty(0)
    bins = min(60, max(10, int(finite.size**0.5)))  # few values in many bins would draw a comb
    density, edges = np.histogram(finite, bins=bins, density=True)
    return (edges[:-1] + edges[1:]) / 2, density


def _plot_histograms(ax: Axes, histograms: dict[str, Histogram], rows: list[dict]) -> None:
    from trainlab.plots import line_style

    every = list(zip(rows, histograms.values(), strict=True))
    for index, (row, (centres, density)) in enumerate(every[place] for place in _shown(len(every), 6)):
        broken = row["nonfinite"] > 0 or not np.isfinite(row["gradient_norm"])
        label = f"{row['layer']} {row['kind']}" + (" (nan/inf)" if broken else "")
        # An empty bin has no place on a logarithmic axis: a gap, not a fall to nothing.
        density = np.where(density > 0, density, np.nan)
        ax.plot(centres, density, **{**line_style(index), "marker": ""}, label=label)


def _plot_shares(ax: Axes, rows: list[dict]) -> None:
    from trainlab.plots import COLORS

    places = np.arange(len(rows))
    for offset, column, hatch, color in ((-0.2, "dead", "", COLORS[0]), (0.2, "saturated", "//", COLORS[1])):
        heights = np.array([row[column] for row in rows], dtype=float)
        ax.bar(places + offset, heights, 0.4, label=column, color=color, hatch=hatch, edgecolor="white")
    for place, row in zip(places, rows, strict=True):
        if row["nonfinite"] > 0:
            ax.annotate("nan/inf", (place, 0), ha="center", va="bottom", rotation=90)
    ax.set(ylabel="share (0 to 1)", title="Dead units, saturated values", ylim=(0, 1))
    _layer_axis(ax, rows)
    ax.legend(frameon=False, fontsize=9)


def _plot_ratios(ax: Axes, rows: list[dict]) -> None:
    from trainlab.plots import COLORS

    places = np.arange(len(rows))
    ratios = np.array([row["log10_update_ratio"] for row in rows], dtype=float)
    finite = np.isfinite(ratios)
    ax.plot(places, np.where(finite, ratios, np.nan), "o-", color=COLORS[0])
    ax.axhline(-3, color=COLORS[1], linestyle="--", label="usual: -3")
    for place in _shown(len(rows), 8):
        if not finite[place]:
            at = {"xy": (place, 0.03), "xycoords": ("data", "axes fraction")}
            ax.annotate(str(ratios[place]), **at, ha="center", va="bottom", rotation=90, fontsize=8)
    ax.set(ylabel="log10(update / weight)", title="Size of one update")
    _layer_axis(ax, rows)
    ax.legend(frameon=False, fontsize=9)


def _layer_axis(ax: Axes, rows: list[dict]) -> None:
    places = _shown(len(rows), 8)
    names = [rows[place]["layer"] for place in places]
    # Long names (`features.0.conv`) would run into each other side by side.
    ax.set_xticks(places, names, rotation=0 if sum(map(len, names)) < 24 else 90)
    ax.set(xlabel="layer", xlim=(-0.5, len(rows) - 0.5))


def _shown(n: int, most: int) -> list[int]:
    """All of n places, or `most` of them evenly, first and last included: more would hide each other."""
    return np.unique(np.linspace(0, n - 1, min(n, most)).round().astype(int)).tolist()
