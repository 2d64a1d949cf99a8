"""The look of every figure, still or moving: labelled, colour-blind safe, told apart by line style, with alt text."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from cycler import cycler
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from trainlab.experiments import check_columns, summary

# Okabe and Ito's palette, without its yellow, which is faint on white.
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
LINESTYLES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
WIDTH, DPI = 8.0, 110  # inches and dots an inch: 880 pixels, the width of a notebook
_STYLE = {
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.labelsize": 11,
    "axes.prop_cycle": cycler(color=COLORS * len(LINESTYLES), linestyle=LINESTYLES * len(COLORS)),
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": 11,
    "figure.facecolor": "white",
    "figure.titlesize": 12,
    "grid.alpha": 0.4,
    "grid.linewidth": 0.6,
    "xtick.labelsize": 10,
    "ytick.labelsize": 10,
}


def figure(
    rows: int = 1, cols: int = 1, *, height: float = 3.2, title: str | None = None
) -> tuple[Figure, Any]:
    """A figure as wide as a notebook, in the house style.

    Args:
        rows: of panels.
        cols: of panels.
        height: of one row, in inches.
        title: of the whole figure.

    Returns:
        The figure and its axes as `plt.subplots` gives them: one `Axes`, or an array of them.
    """
    with plt.rc_context(_STYLE):
        fig, axes = plt.subplots(rows, cols, figsize=(WIDTH, height * rows), layout="constrained")
        if title:
            fig.suptitle(title)
    return fig, axes


def line_style(index: int) -> dict[str, str]:
    """Colour, line style and marker of contender `index` (28 differ), as keywords for `ax.plot`."""
    return {
        "color": COLORS[index % len(COLORS)],
        "linestyle": LINESTYLES[index % len(LINESTYLES)],
        "marker": MARKERS[index % len(MARKERS)],
    }


def band(
    frame: pd.DataFrame,
    x: str,
    y: str,
    by: str | None = None,
    *,
    ax: Axes | None = None,
    log: bool = False,
    xlabel: str | None = None,
    ylabel: str | None = None,
    legend: bool = True,
) -> Axes:
    """Draw the mean of `y` over the seeds against `x`, with the 95 % t-interval of that mean as a band.

    A line ends where a seed has no row any more, because its run diverged: the mean of the survivors would
    flatter. With a single seed there is a line but no band.

    Args:
        frame: one row for each contender, seed and `x`.
        x: column of the horizontal axis.
        y: column of the vertical axis.
        by: column that names the contenders, one line each; None draws a single line.
        ax: where to draw; None makes a new figure.
        log: use a logarithmic axis and the geometric mean, with the interval of the logarithms.
        xlabel: label with its unit; None takes the name of the column.
        ylabel: label with its unit; None takes the name of the column.
        legend: name the contenders, where there are several; one panel of a row is enough.

    Returns:
        The axes; `ax.figure` is the figure to `show`.

    Raises:
        KeyError: if a column is missing.
        ValueError: if a contender has several rows with the same seed and `x`, or `log` meets a number <= 0.
    """
    means = _means(frame, x, y, by, log)
    ax = figure()[1] if ax is None else ax
    offset = len(ax.get_legend_handles_labels()[0])
    lines = means.groupby("line", sort=False, observed=True) if by else [(_words(y), means)]
    for index, (name, line) in enumerate(lines, start=offset):
        line = line.sort_values("x")
        style, gap = line_style(index), max(1, len(line) // 8)
        ax.plot(line["x"], line["mean"], label=str(name), markersize=4, markevery=gap, **style)
        low, high = (np.ma.masked_invalid(line[bound].to_numpy(float)) for bound in ("low", "high"))
        ax.fill_between(line["x"], low, high, color=style["color"], alpha=0.18, linewidth=0)

    if log:
        ax.set_yscale("log")
    if pd.api.types.is_integer_dtype(frame[x]) and ax.get_xscale() == "linear":
        ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True))
    ax.set(xlabel=xlabel or _words(x), ylabel=ylabel or _words(y))
    if legend and len(ax.get_legend_handles_labels()[0]) > 1:
        # handlelength: a dashed line must be long enough in the legend to be told from a dotted one.
        place = {"loc": "upper left", "bbox_to_anchor": (1.01, 1), "frameon": False, "handlelength": 3}
        ax.legend(title=_words(by) if by else None, fontsize=10, **place)
    return ax


def show(fig: Figure, alt: str) -> None:
    """Display a figure in the notebook together with a text for those who cannot see it, and close it.

    Args:
        fig: any matplotlib figure.
        alt: what the figure shows, in a sentence or two: the axes, the lines and what is to be seen in them.

    Raises:
        ValueError: if `alt` is empty.
    """
    png = io.BytesIO()
    fig.savefig(png, format="png", dpi=DPI, bbox_inches="tight", facecolor="white")
    plt.close(fig)
    display({"text/html": _image("png", png.getvalue(), alt), "text/plain": alt}, raw=True)


def animate(
    fig: Figure, draw: Callable[[int], object], frames: int, alt: str, *, seconds: float = 6.0
) -> None:
    """Display a moving figure, in a fold that stops it, and close it. It needs no server: it is a GIF.

    Args:
        fig: any matplotlib figure; its size stays as it is.
        draw: `draw(frame)` moves the figure on to `frame`, counted from 0.
        frames: how many there are; 40 to 80 are smooth and stay below a megabyte.
        alt: what moves and what is to be seen in it.
        seconds: of a round; the last frame rests for another two.

    Raises:
        ValueError: if `alt` is empty or there is no frame.
    """
    if frames < 1:
        raise ValueError(f"An animation needs at least one frame, not {frames}.")
    pictures = [_frame(fig, draw, index) for index in range(frames)]
    plt.close(fig)
    pause = round(1000 * seconds / frames)
    gif = io.BytesIO()
    pictures[0].save(
        gif,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=[pause] * (frames - 1) + [2000],
        loop=0,
    )
    image = _image("gif", gif.getvalue(), alt)
    html_text = f"<details open><summary>Animation (fold to stop it)</summary>{image}</details>"
    display({"text/html": html_text, "text/plain": alt}, raw=True)


def _frame(fig: Figure, draw: Callable[[int], object], index: int) -> Image.Image:
    draw(index)
    if index == 0:
        # Laid out once: the axes must not move, and laying out takes most of the time.
        fig.canvas.draw()
        fig.set_layout_engine("none")
    png = io.BytesIO()
    fig.savefig(png, format="png", dpi=80, facecolor="white")
    # Without dither: what stands still does not flicker.
    return Image.open(png).convert("RGB").quantize(128, dither=Image.Dither.NONE)


def _image(kind: str, content: bytes, alt: str) -> str:
    """An HTML image that holds its own bytes."""
    if not alt.strip():
        raise ValueError("Describe the figure in `alt`, in a sentence, for those who cannot see it.")
    source = f"data:image/{kind};base64," + base64.b64encode(content).decode()
    return f'<img alt="{html.escape(alt)}" src="{source}" style="max-width: 100%">'


def _means(frame: pd.DataFrame, x: str, y: str, by: str | None, log: bool) -> pd.DataFrame:
    """Means and intervals of the lines, nan where a line has fewer runs than elsewhere.

    The columns are called "line" (where there is a `by`), "x", "n", "mean", "sd", "low" and "high".
    """
    keys, curve = [by, x] if by else [x], ["mean", "low", "high"]
    check_columns(frame, [*keys, y])
    frame = _logarithms(frame, y) if log else frame
    # Under another name a column of the frame that is called "n" or "low" is not taken for the summary's own.
    own = {key: f"column {key}" for key in keys}
    means = summary(frame.rename(columns=own), list(own.values()), y)
    means.columns = [*["line", "x"][-len(keys) :], *means.columns[len(keys) :]]
    most = means.groupby("line", observed=True)["n"].transform("max") if by else means["n"].max()
    means.loc[means["n"] < most, curve] = np.nan
    means[curve] = np.exp(means[curve]) if log else means[curve]
    return means


def _logarithms(frame: pd.DataFrame, y: str) -> pd.DataFrame:
    if (frame[y] <= 0).any():
        raise ValueError(f"A logarithmic axis needs numbers above 0, and {y!r} has others: pass log=False.")
    return frame.assign(**{y: np.log(frame[y])})


def _words(column: str) -> str:
    return str(column).replace("_", " ")
