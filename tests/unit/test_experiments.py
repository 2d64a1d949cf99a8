import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trainlab.experiments import best, paired_difference, repeat, summary, sweep, t_interval


def test_t_interval_on_numbers_worked_by_hand():
    # mean 3, sd sqrt(10 / 4), t(0.975, 4) = 2.776445
    interval = t_interval([1, 2, 3, 4, 5])
    half = 2.776445 * math.sqrt(2.5) / math.sqrt(5)
    assert interval["n"] == 5
    assert interval["mean"] == 3
    assert interval["sd"] == pytest.approx(math.sqrt(2.5))
    assert (interval["low"], interval["high"]) == pytest.approx((3 - half, 3 + half))


def test_t_interval_agrees_with_scipy():
    values = np.random.default_rng(0).normal(size=7)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    interval = t_interval(values, level=0.9)
    assert (interval["low"], interval["high"]) == pytest.approx((expected.low, expected.high))


def test_t_interval_of_one_run_is_nan_and_of_a_failed_one_too():
    one = t_interval([0.5])
    assert one["mean"] == 0.5
    assert all(math.isnan(one[key]) for key in ("sd", "low", "high"))
    failed = t_interval([0.5, math.nan, 0.7])
    assert math.isnan(failed["mean"])
    assert t_interval([1.0, math.inf])["mean"] == math.inf


def test_repeat_labels_rows_with_their_seed():
    frame = repeat(lambda s: {"loss": s / 10}, [3, 1])
    assert list(frame.columns) == ["seed", "loss"]
    assert frame.to_numpy().tolist() == [[3, 0.3], [1, 0.1]]


def test_repeat_takes_several_rows_a_run():
    rows = repeat(lambda seed: [{"epoch": e, "loss": seed + e} for e in (1, 2)], range(2))
    assert rows["seed"].tolist() == [0, 0, 1, 1]
    assert rows["loss"].tolist() == [1, 2, 2, 3]
    table = repeat(lambda seed: pd.DataFrame({"epoch": [1, 2], "loss": [seed + 1, seed + 2]}), range(2))
    pd.testing.assert_frame_equal(rows, table)


def test_sweep_runs_the_full_product_with_the_same_seeds():
    calls = []

    def run(*, seed, lr, width):
        calls.append((lr, width, seed))
        return {"loss": lr * width + seed, "lr": -1.0}  # a column of the grid's name does not overwrite it

    frame = sweep(run, {"lr": [0.1, 0.2], "width": (8, 16, 32)}, range(2))
    assert len(calls) == len(set(calls)) == len(frame) == 12
    assert list(frame.columns) == ["seed", "lr", "width", "loss"]
    assert np.allclose(frame["loss"], frame["lr"] * frame["width"] + frame["seed"])


@pytest.mark.parametrize("seeds", [[], [1, 1]])
def test_seeds_must_differ(seeds):
    with pytest.raises(ValueError, match="seed"):
        repeat(lambda seed: {"loss": 0}, seeds)


def test_malformed_calls_get_a_clear_error():
    with pytest.raises(TypeError, match=r"range\(5\)"):
        repeat(lambda seed: {"loss": 0}, 5)
    with pytest.raises(TypeError, match="dict"):
        repeat(lambda seed: 0.5, range(2))
    with pytest.raises(TypeError, match="list of values for 'optimizer'"):
        sweep(lambda seed, optimizer: {}, {"optimizer": "adam"}, range(2))
    with pytest.raises(ValueError, match="'lr'"):
        sweep(lambda seed, lr: {}, {"lr": []}, range(2))


def tuned():
    """Accuracies peak at lr 0.1 for sgd and at 0.01, the edge of the grid, for adam."""
    peak = {"sgd": 0.1, "adam": 0.01}

    def run(*, seed, optimizer, lr):
        return {"accuracy": 0.9 - abs(math.log10(lr / peak[optimizer])) + 0.01 * seed}

    return sweep(run, {"optimizer": ["sgd", "adam"], "lr": [0.01, 0.1, 1.0]}, range(3))


def test_best_finds_each_contenders_own_setting_and_flags_edges():
    found = best(tuned(), "optimizer", "accuracy")
    assert list(found.columns) == ["optimizer", "lr", "n", "mean", "at_edge"]
    assert found[["optimizer", "lr", "n", "at_edge"]].to_numpy().tolist() == [
        ["sgd", 0.1, 3, False],
        ["adam", 0.01, 3, True],
    ]
    assert found["mean"].tolist() == pytest.approx([0.91, 0.91])


def test_best_minimises_too_and_takes_the_tuned_column_by_name():
    frame = tuned().rename(columns={"accuracy": "loss"})
    frame = pd.DataFrame(frame.to_dict("list"))  # a table from elsewhere remembers no grid
    with pytest.raises(ValueError, match='over="lr"'):
        best(frame, "optimizer", "loss", "min")
    found = best(frame, "optimizer", "loss", "min", over="lr")
    assert found["lr"].iloc[1] == 1.0
    assert found["at_edge"].tolist() == [True, True]


def test_the_winners_runs_can_be_kept():
    frame = tuned()
    kept = frame.merge(best(frame, "optimizer", "accuracy")[["optimizer", "lr"]])
    assert summary(kept, "optimizer", "accuracy")["n"].tolist() == [3, 3]


def test_a_setting_with_a_failed_run_never_wins():
    frame = tuned()
    frame.loc[(frame["optimizer"] == "sgd") & (frame["lr"] == 0.1) & (frame["seed"] == 2), "accuracy"] = (
        np.nan
    )
    assert best(frame, "optimizer", "accuracy")["lr"].iloc[0] != 0.1
    frame.loc[frame["optimizer"] == "sgd", "accuracy"] = np.nan
    with pytest.raises(ValueError, match="'sgd'"):
        best(frame, "optimizer", "accuracy")


def test_best_refuses_unequal_budgets():
    with pytest.raises(ValueError, match="same seeds"):
        best(tuned().iloc[1:], "optimizer", "accuracy")


def test_names_and_single_values_have_no_edge():
    grid = {"optimizer": ["sgd"], "norm": ["batch", "layer"], "width": [64]}
    frame = sweep(lambda seed, optimizer, norm, width: {"accuracy": seed}, grid, range(2))
    assert best(frame, "optimizer", "accuracy")["at_edge"].tolist() == [False]


def test_best_refuses_another_mode():
    with pytest.raises(ValueError, match="mode"):
        best(tuned(), "optimizer", "accuracy", "largest")


def test_summary_gives_the_interval_of_each_contender():
    frame = pd.DataFrame({"seed": [0, 1, 2, 0, 1, 2], "net": list("bbbaaa"), "acc": [1, 2, 3, 4.0, 4, 7]})
    table = summary(frame, "net", "acc")
    assert table["net"].tolist() == ["b", "a"]
    assert table["mean"].tolist() == [2, 5]
    half = stats.t.ppf(0.975, 2) * 1 / math.sqrt(3)
    assert table.loc[0, ["n", "sd", "low", "high"]].tolist() == pytest.approx([3, 1, 2 - half, 2 + half])
    assert summary(frame, ["net", "seed"], "acc")["low"].isna().all()


def test_summary_refuses_to_count_epochs_as_runs():
    frame = pd.DataFrame({"seed": [0, 0, 1, 1], "epoch": [1, 2, 1, 2], "net": "a", "acc": 0.5})
    with pytest.raises(ValueError, match="one epoch"):
        summary(frame, "net", "acc")
    assert len(summary(frame, ["net", "epoch"], "acc")) == 2


def test_missing_columns_are_named():
    for call in (lambda f: summary(f, "nett", "acc"), lambda f: paired_difference(f, "nett", "acc", "a")):
        with pytest.raises(KeyError, match="nett"):
            call(pd.DataFrame({"seed": [0], "net": ["a"], "acc": [1.0]}))


def paired(**contenders):
    rows = [(net, seed, acc) for net, runs in contenders.items() for seed, acc in enumerate(runs)]
    return pd.DataFrame(rows, columns=["net", "seed", "acc"])


def test_paired_difference_agrees_with_scipys_paired_test():
    rng = np.random.default_rng(1)
    ease = rng.normal(scale=5, size=6)  # what the seed does to both
    plain, norm, same = ease, ease + 1 + 0.1 * rng.normal(size=6), ease + 0.1 * rng.normal(size=6)
    frame = paired(plain=plain, norm=norm, same=same).sample(frac=1, random_state=0)  # order must not matter
    table = paired_difference(frame, "net", "acc", baseline="plain").set_index("net")
    expected = stats.ttest_rel(norm, plain).confidence_interval(0.95)
    assert table.loc["norm", ["low", "high"]].tolist() == pytest.approx([expected.low, expected.high])
    assert table.loc["norm", "mean"] == pytest.approx((norm - plain).mean())
    assert table["excludes_zero"].to_dict() == {"norm": True, "same": False}
    assert table["n"].tolist() == [6, 6]


def test_paired_difference_sees_harm_and_admits_ignorance():
    table = paired_difference(paired(a=[1, 2, 3], b=[0, 1.1, 2]), "net", "acc", "a")
    assert table["mean"].iloc[0] < 0
    assert table["excludes_zero"].tolist() == [True]
    single = paired_difference(paired(a=[1], b=[9]), "net", "acc", "a")
    assert single["mean"].tolist() == [8]
    assert single["excludes_zero"].tolist() == [False]


def test_paired_difference_refuses_what_is_not_paired():
    with pytest.raises(ValueError, match=r"'b'.*\[2\]"):
        paired_difference(paired(a=[1, 2, 3], b=[1, 2]), "net", "acc", "a")
    with pytest.raises(ValueError, match="several rows"):
        paired_difference(pd.concat([paired(a=[1], b=[1])] * 2), "net", "acc", "a")
    with pytest.raises(KeyError, match="baseline"):
        paired_difference(paired(a=[1], b=[1]), "net", "acc", "c")
