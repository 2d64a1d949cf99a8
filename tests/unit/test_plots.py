import base64
import html
import io
import math
import re

import matplotlib as mpl

mpl.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from trainlab import plots
from trainlab.experiments import t_interval
from trainlab.plots import animate, band, figure, line_style, show


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture
def frame():
    rows = [
        {"net": net, "seed": seed, "epoch": epoch, "valid_loss": scale * (1 + seed) / epoch}
        for net, scale in (("plain", 1.0), ("norm", 0.5))
        for seed in range(3)
        for epoch in range(1, 5)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def shown(monkeypatch):
    calls = []
    monkeypatch.setattr(plots, "display", lambda bundle, raw: calls.append(bundle))
    return calls


def band_of(ax, index=0):
    """Lower and upper edge of a band, by x."""
    vertices = ax.collections[index].get_paths()[0].vertices
    return {
        x: (ys.min(), ys.max())
        for x in np.unique(vertices[:, 0])
        for ys in [vertices[vertices[:, 0] == x, 1]]
    }


def test_figure_has_the_width_of_a_notebook_and_leaves_matplotlib_alone():
    before = dict(mpl.rcParams)
    fig, axes = figure(2, 3, height=2, title="Six panels")
    assert axes.shape == (2, 3)
    assert fig.get_size_inches().tolist() == [plots.WIDTH, 4]
    assert fig.get_suptitle() == "Six panels"
    assert dict(mpl.rcParams) == before
    _, ax = figure()
    assert isinstance(ax, mpl.axes.Axes)


def test_lines_of_a_plain_plot_differ_in_colour_and_style():
    _, ax = figure()
    lines = [ax.plot([0, 1])[0] for _ in range(7)]
    assert len({to_hex(line.get_color()) for line in lines}) == 7
    assert len({line.get_linestyle() for line in lines}) == 4
    assert len({tuple(line_style(i).values()) for i in range(28)}) == 28


def test_band_draws_the_mean_and_its_interval(frame):
    ax = band(frame, "epoch", "valid_loss", "net", ylabel="loss (nats)")
    plain, norm = ax.get_lines()
    assert plain.get_xdata().tolist() == [1, 2, 3, 4]
    assert plain.get_ydata().tolist() == pytest.approx([2, 1, 2 / 3, 0.5])
    assert norm.get_ydata().tolist() == pytest.approx([1, 0.5, 1 / 3, 0.25])
    expected = t_interval([1, 2, 3])
    assert band_of(ax)[1.0] == pytest.approx((expected["low"], expected["high"]))
    assert plain.get_color() != norm.get_color()
    assert plain.get_linestyle() != norm.get_linestyle()


def test_band_labels_axes_and_contenders(frame):
    ax = band(frame, "epoch", "valid_loss", "net", xlabel="epoch (passes)")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch (passes)", "valid loss")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["plain", "norm"]
    ax.figure.canvas.draw()
    assert ax.get_legend().get_window_extent().x0 >= ax.get_window_extent().x1 - 1  # outside


def test_band_on_a_log_axis_is_geometric(frame):
    ax = band(frame, "epoch", "valid_loss", "net", log=True)
    assert ax.get_yscale() == "log"
    assert ax.get_lines()[0].get_ydata()[0] == pytest.approx(6 ** (1 / 3))
    expected = t_interval(np.log([1, 2, 3]))
    assert band_of(ax)[1.0] == pytest.approx((math.exp(expected["low"]), math.exp(expected["high"])))
    with pytest.raises(ValueError, match="log=False"):
        band(frame.assign(valid_loss=0.0), "epoch", "valid_loss", log=True)


def test_bands_on_the_same_axes_get_styles_of_their_own(frame):
    _, ax = figure()
    for name, group in frame.groupby("net"):
        assert (
            band(group.rename(columns={"valid_loss": f"{name}_loss"}), "epoch", f"{name}_loss", ax=ax) is ax
        )
    first, second = ax.get_lines()
    assert first.get_color() != second.get_color()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["norm loss", "plain loss"]


def test_one_line_needs_no_legend_and_one_seed_has_no_band(frame):
    ax = band(frame[(frame["net"] == "plain") & (frame["seed"] == 0)], "epoch", "valid_loss")
    assert ax.get_legend() is None
    assert ax.get_lines()[0].get_ydata().tolist() == pytest.approx([1, 1 / 2, 1 / 3, 1 / 4])
    ax.figure.canvas.draw()


def test_a_line_ends_where_a_run_was_lost(frame):
    lost = frame[~((frame["net"] == "plain") & (frame["seed"] == 2) & (frame["epoch"] > 2))]
    plain, norm = band(lost, "epoch", "valid_loss", "net").get_lines()
    assert np.isfinite(plain.get_ydata()).tolist() == [True, True, False, False]
    assert np.isfinite(norm.get_ydata()).all()


def test_nan_and_inf_do_not_stop_the_plot(frame):
    frame.loc[3, "valid_loss"] = np.nan
    frame.loc[15, "valid_loss"] = np.inf
    for log in (False, True):
        band(frame, "epoch", "valid_loss", "net", log=log).figure.canvas.draw()


def test_band_refuses_several_settings_in_one_line(frame):
    with pytest.raises(ValueError, match="several rows"):
        band(frame, "epoch", "valid_loss")
    with pytest.raises(KeyError, match="loss"):
        band(frame, "epoch", "loss", "net", log=True)
    assert not plt.get_fignums()  # no empty figure is left behind


@pytest.mark.parametrize("name", ["n", "mean", "sd", "low", "high", "x", "line"])
def test_columns_may_have_the_names_of_the_summary(frame, name):
    expected = band(frame, "epoch", "valid_loss", "net").get_lines()
    for column, x, by in (("epoch", name, "net"), ("net", "epoch", name)):
        ax = band(frame.rename(columns={column: name}), x, "valid_loss", by)
        for got, want in zip(ax.get_lines(), expected, strict=True):
            assert got.get_xydata().tolist() == want.get_xydata().tolist()
            assert got.get_label() == want.get_label()
    alone = frame[frame["net"] == "plain"].rename(columns={"epoch": name})
    ax = band(alone, name, "valid_loss", log=True)
    assert ax.get_xlabel() == name
    assert ax.get_lines()[0].get_xdata().tolist() == [1, 2, 3, 4]
    with pytest.raises(ValueError, match="several rows"):
        band(frame.rename(columns={"epoch": name}), name, "valid_loss")


def test_show_emits_an_image_with_escaped_alt_text_and_closes(frame, shown):
    alt = 'Loss <0.5 & "falling"'
    show(band(frame, "epoch", "valid_loss", "net").figure, alt)
    (bundle,) = shown
    assert bundle["text/plain"] == alt
    tag = re.fullmatch(
        r'<img alt="([^"<>]*)" src="data:image/png;base64,([^"]+)"[^<>]*>', bundle["text/html"]
    )
    assert html.unescape(tag[1]) == alt
    png = base64.b64decode(tag[2])
    assert png.startswith(b"\x89PNG")
    assert 800 < int.from_bytes(png[16:20], "big") < 960  # pixels wide
    assert not plt.get_fignums()


@pytest.mark.parametrize("alt", ["", "  \n"])
def test_show_refuses_a_figure_without_description(shown, alt):
    fig, _ = figure()
    with pytest.raises(ValueError, match="alt"):
        show(fig, alt)
    assert not shown


def test_animate_emits_a_gif_in_a_fold_and_closes(shown):
    fig, ax = figure()
    (dot,) = ax.plot([], [], "o")
    ax.set(xlim=(0, 3), ylim=(0, 3))
    animate(fig, lambda frame: dot.set_data([frame], [frame]), 3, 'A "dot" moves', seconds=0.6)
    assert not plt.get_fignums()
    text = shown[0]["text/html"]
    assert text.startswith("<details open><summary>")
    assert html.unescape(re.search('alt="(.*?)"', text)[1]) == 'A "dot" moves'
    gif = Image.open(io.BytesIO(base64.b64decode(re.search('base64,(.*?)"', text)[1])))
    assert (gif.format, gif.n_frames, gif.info["loop"]) == ("GIF", 3, 0)
    frames = []
    for index, pause in enumerate([200, 200, 2000]):
        gif.seek(index)
        assert gif.info["duration"] == pause
        frames.append(np.asarray(gif.convert("RGB")).astype(int))
    assert abs(frames[0] - frames[2]).max() > 100


def test_animate_refuses_what_it_cannot_show(shown):
    with pytest.raises(ValueError, match="at least one frame"):
        animate(figure()[0], print, 0, "nothing")
    with pytest.raises(ValueError, match="Describe the figure"):
        animate(figure()[0], lambda frame: None, 1, " ")
    assert shown == []
