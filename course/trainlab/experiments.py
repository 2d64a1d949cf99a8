"""Fair comparisons: runs over several seeds, each contender at its best setting, 95 % intervals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy import stats

from trainlab.training import progress_bar

Rows = Mapping[str, Any] | Sequence[Mapping[str, Any]] | pd.DataFrame


def repeat(run: Callable[[int], Rows], seeds: Iterable[int]) -> pd.DataFrame:
    """Call `run(seed)` for each seed and gather what it returns in one table.

    Args:
        run: returns a mapping of numbers (one row), such as `fit(...).last`, or several: `fit(...).rows`.
        seeds: different integers, such as `range(5)`.

    Returns:
        The rows, with a first column `seed`.

    Raises:
        TypeError: if `seeds` is no list or `run` returns no mapping.
        ValueError: if there is no seed, or one stands twice.
    """
    return sweep(run, {}, seeds)


def sweep(run: Callable[..., Rows], grid: Mapping[str, Iterable], seeds: Iterable[int]) -> pd.DataFrame:
    """Call `run(seed=..., **point)` for each point of the full grid and each seed.

    Args:
        run: takes `seed` and the names of the grid as keywords, and returns one mapping of numbers or
            several.
        grid: name -> list of values, for example `{"optimizer": ["sgd", "adam"], "lr": [0.01, 0.1]}`.
        seeds: different integers, such as `range(5)`; every point gets the same ones.

    Returns:
        The rows, with first columns `seed` and the names of the grid. Where `run` returns a column of the
        same name, the grid's value stays. The names are kept in `.attrs["grid"]`, which `best` reads.

    Raises:
        TypeError: if `seeds` or a value of the grid is no list, or `run` returns no mapping.
        ValueError: if there is no seed, one stands twice, or a list of the grid is empty.
    """
    seeds = _checked_seeds(seeds)
    grid = {name: _checked_values(name, values) for name, values in grid.items()}
    points = [dict(zip(grid, point, strict=True)) for point in itertools.product(*grid.values())]
    rows: list[dict] = []
    for point, seed in progress_bar(list(itertools.product(points, seeds)), desc="runs"):
        labels = {"seed": seed, **point}
        # A repeated run takes its seed by position, so that its parameter may have any name.
        result = run(**labels) if grid else run(seed)
        rows += [{**labels, **row, **labels} for row in _as_rows(result)]
    frame = pd.DataFrame(rows)
    frame.attrs["grid"] = list(grid)
    return frame


def best(
    frame: pd.DataFrame,
    by: str | list[str],
    value: str,
    mode: Literal["max", "min"] = "max",
    *,
    over: str | list[str] | None = None,
) -> pd.DataFrame:
    """For each contender, the setting with the best mean over the seeds, such as its own best learning rate.

    A setting in which a run ended in nan never wins. To keep the runs of the winners only:
    `frame.merge(best(frame, "optimizer", "accuracy")[["optimizer", "lr"]])`.

    Args:
        frame: one row a run, from `sweep`.
        by: the column or columns that name the contenders.
        value: the column to be judged by.
        mode: whether "max" or "min" is best.
        over: the column or columns that were tuned; None takes every other column of the sweep's grid.

    Returns:
        One row a contender: `by`, `over`, `n` (runs), `mean`, and `at_edge`, which is True where the pick is
        the smallest or largest number tried: the best may then lie outside, so widen the grid before
        comparing.

    Raises:
        KeyError: if a column is missing.
        ValueError: if a contender's settings ran a different number of times or all ended in nan, a seed has
            several rows, the columns that were tuned are not known, or `mode` is neither.
    """
    if mode not in ("max", "min"):
        raise ValueError(f'mode is "max" or "min", not {mode!r}.')
    by = _names(by)
    over = _names(over) or [name for name in frame.attrs.get("grid", []) if name not in by]
    if not over:
        raise ValueError('Which columns were tuned is not known here: name them, for example over="lr".')
    means = summary(frame, by + over, value)[[*by, *over, "n", "mean"]]
    picks = [_best_setting(group, by, over, mode) for _, group in means.groupby(by, sort=False, dropna=False)]
    return pd.concat(picks, ignore_index=True)


def summary(frame: pd.DataFrame, by: str | list[str], value: str) -> pd.DataFrame:
    """Mean of `value` for each contender, with the 95 % t-interval of that mean.

    Args:
        frame: one row a run.
        by: the column or columns that name the contenders.
        value: a column of numbers. One nan makes the mean nan: a run that failed is not left out in silence.

    Returns:
        One row a contender, in order of appearance: `by`, `n` (runs), `mean`, `sd` (of the runs), `low`,
        `high`. With a single run, `sd`, `low` and `high` are nan.

    Raises:
        KeyError: if a column is missing.
        ValueError: if a contender has several rows with the same seed.
    """
    by = _names(by)
    check_columns(frame, [*by, value])
    _check_one_row_a_seed(frame, by)
    groups = frame.groupby(by, sort=False, dropna=False, observed=True)[value]
    rows = [{**dict(zip(by, key, strict=True)), **t_interval(values)} for key, values in groups]
    return pd.DataFrame(rows, columns=[*by, "n", "mean", "sd", "low", "high"])


def paired_difference(
    frame: pd.DataFrame, by: str, value: str, baseline: Any, pair: str = "seed"
) -> pd.DataFrame:
    """Difference of each contender to `baseline`, taken seed by seed, with the 95 % t-interval of its mean.

    What a seed does to all contenders alike cancels in the difference, so the interval is often far narrower
    than those of the means. Each interval stands for its own comparison: of twenty without any effect, one
    excludes zero.

    Args:
        frame: one row a run.
        by: the column that names the contenders.
        value: a column of numbers.
        baseline: the contender to which the others are compared.
        pair: the column that says which runs belong together.

    Returns:
        One row for each other contender: `by`, `n` (pairs), `mean` (contender minus baseline), `sd`, `low`,
        `high`, `excludes_zero` (False where the interval is nan).

    Raises:
        KeyError: if a column or the baseline is missing.
        ValueError: if a contender lacks a partner for a run, or has several rows for a pair.
    """
    check_columns(frame, [by, value, pair])
    _check_one_row_a_seed(frame, [by], pair)
    runs = {
        name: group.set_index(pair)[value] for name, group in frame.groupby(by, sort=False, observed=True)
    }
    if baseline not in runs:
        raise KeyError(f"No run has {by} == {baseline!r}; choose the baseline from {list(runs)}.")
    reference = runs.pop(baseline)
    rows = []
    for name, values in runs.items():
        unpaired = sorted(set(values.index) ^ set(reference.index))
        if unpaired:
            raise ValueError(
                f"{name!r} and {baseline!r} do not share {pair} {unpaired}: run both with the same ones."
            )
        interval = t_interval(values - reference)
        rows.append({by: name, **interval, "excludes_zero": interval["low"] > 0 or interval["high"] < 0})
    return pd.DataFrame(rows, columns=[by, "n", "mean", "sd", "low", "high", "excludes_zero"])


def t_interval(values: Iterable[float], level: float = 0.95) -> dict[str, float]:
    """Mean of independent runs, with the t-interval that covers the true mean in `level` of all cases.

    Args:
        values: one number a run.
        level: the coverage, 0 to 1.

    Returns:
        `n`, `mean`, `sd` (with n - 1), `low`, `high`; nan where the values do not determine them.
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    with np.errstate(invalid="ignore"):  # inf - inf, of a run that diverged
        mean = float(values.mean()) if n else math.nan
        sd = float(values.std(ddof=1)) if n > 1 else math.nan
    half = float(stats.t.ppf((1 + level) / 2, n - 1)) * sd / math.sqrt(n) if n > 1 else math.nan
    return {"n": n, "mean": mean, "sd": sd, "low": mean - half, "high": mean + half}


def check_columns(frame: pd.DataFrame, names: list[str]) -> None:
    """Raise a `KeyError` that lists the columns there are, where one of `names` is missing."""
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise KeyError(f"The table has no column {missing}; it has {list(frame.columns)}.")


def _best_setting(means: pd.DataFrame, by: list[str], over: list[str], mode: str) -> pd.DataFrame:
    contender = ", ".join(f"{name}={means[name].iloc[0]!r}" for name in by)
    if means["n"].nunique() > 1:
        raise ValueError(
            f"The settings of {contender} ran a different number of times: give each the same seeds."
        )
    if means["mean"].isna().all():
        raise ValueError(f"Every setting of {contender} has a run that ended in nan: try gentler ones.")
    pick = means.loc[[means["mean"].idxmax() if mode == "max" else means["mean"].idxmin()]]
    return pick.assign(at_edge=any(_at_edge(pick[name].iloc[0], means[name]) for name in over))


def _at_edge(pick: Any, tried: pd.Series) -> bool:
    # Names have no order, and a single value was fixed, not tuned: neither has an edge to fall off.
    ordered = pd.api.types.is_numeric_dtype(tried) and not pd.api.types.is_bool_dtype(tried)
    return bool(ordered and tried.nunique() > 1 and pick in (tried.min(), tried.max()))


def _as_rows(result: Rows) -> list[Mapping[str, Any]]:
    if isinstance(result, pd.DataFrame):
        return result.to_dict("records")
    rows = [result] if isinstance(result, Mapping) else result
    if not isinstance(rows, Sequence) or not all(isinstance(row, Mapping) for row in rows):
        raise TypeError(f"A run returns a dict of numbers or a list of them, not {type(result).__name__}.")
    return list(rows)


def _checked_seeds(seeds: Iterable[int]) -> list[int]:
    if not isinstance(seeds, Iterable):
        raise TypeError(f"seeds is a list such as range(5), not {seeds!r}.")
    seeds = list(seeds)
    if not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            f"Give at least one seed and each only once, not {seeds}: a run twice is no new evidence."
        )
    return seeds


def _checked_values(name: str, values: Iterable) -> list:
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise TypeError(f"The grid needs a list of values for {name!r}, not {values!r}: write [{values!r}].")
    values = list(values)
    if not values:
        raise ValueError(f"The grid has no value for {name!r}: give at least one.")
    return values


def _names(columns: str | list[str] | None) -> list[str]:
    return [columns] if isinstance(columns, str) else list(columns or [])


def _check_one_row_a_seed(frame: pd.DataFrame, by: list[str], pair: str = "seed") -> None:
    # Epochs or settings counted as runs would make every interval too narrow.
    if pair in frame.columns and pair not in by and frame.duplicated([*by, pair]).any():
        raise ValueError(
            f"{', '.join(by)} has several rows a {pair}: pick one epoch and one setting first (see `best`)."
        )
