"""Tables of pandas cross as plain values: names, an index, and for each column its numbers or its texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

_MAX_ROWS = 100_000


def encode(value: Any, inner: Callable[[Any], Any]) -> list | None:
    """A DataFrame as a tagged list; None for anything else."""
    import pandas as pd

    if not isinstance(value, pd.DataFrame):
        return None
    columns = [_column(value.iloc[:, i], inner) for i in range(value.shape[1])]
    return [
        "frame",
        inner(list(value.columns)),
        inner(value.index.tolist()),
        columns,
        inner(dict(value.attrs)),
    ]


def _column(series: Any, inner: Callable[[Any], Any]) -> list:
    if series.dtype.name == "category":
        kinds = series.cat
        return [
            "category",
            inner(kinds.categories.tolist()),
            inner(kinds.codes.to_numpy()),
            bool(kinds.ordered),
        ]
    values = series.to_numpy()
    plain = isinstance(series.dtype, np.dtype) and values.dtype.kind in "biufc"
    return ["values", series.dtype.name, inner(values if plain else values.tolist())]


def decode(parts: list, inner: Callable[[Any], Any]) -> Any:
    """The DataFrame that was encoded so."""
    import pandas as pd

    names, index, columns, attributes = parts
    names, index = inner(names), inner(index)
    if len(index) > _MAX_ROWS or len(columns) != len(names):
        raise ValueError("no table")
    made = {}
    for place, (kind, *facts) in enumerate(columns):
        if kind == "category":
            categories, codes, ordered = facts
            column = pd.Categorical.from_codes(inner(codes), inner(categories), ordered=bool(ordered))
        else:
            dtype = facts[0] if facts[0] in ("object", "str", "string") else None
            column = pd.Series(inner(facts[1]), dtype=dtype, index=range(len(index)))
        made[place] = column
    frame = pd.DataFrame(made, index=range(len(index)))
    frame.index, frame.columns = index, names
    frame.attrs.update(inner(attributes))
    return frame


def replace(old: Any, new: Any) -> bool:
    """Make the table `old` what `new` is, in place; False if they are no tables."""
    if type(old).__name__ != "DataFrame" or type(new) is not type(old):
        return False
    if not old.equals(new) or list(old.columns) != list(new.columns):
        old._update_inplace(new)
    return True
