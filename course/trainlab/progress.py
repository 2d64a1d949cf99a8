"""The learner's own view of the course: which exercises pass, how many points, which topic is weakest.

It lives in one small file on the learner's machine and knows only the visible checks. The hidden tests
have the last word when the lesson is graded.
"""

from __future__ import annotations

import functools
import json
import os
import warnings
from importlib import resources
from pathlib import Path

OUTCOMES = ("passed", "failed", "todo")


def home() -> Path:
    """The folder of the progress file: ``TRAINLAB_HOME``, else ``~/.trainlab``."""
    return Path(os.environ.get("TRAINLAB_HOME") or Path.home() / ".trainlab")


@functools.cache
def exercises() -> list[dict]:
    """Every exercise of the course (chapter, lesson, topic, exercise, points, level), as built."""
    return json.loads(resources.files("trainlab").joinpath("exercises.json").read_text("utf-8"))


def record(exercise: str, outcome: str) -> None:
    """Note the outcome of a visible check. A home that cannot be written costs a warning, never a check."""
    if outcome not in OUTCOMES:
        raise ValueError(f"outcome must be one of {OUTCOMES}, not {outcome!r}.")
    state = {**outcomes(), exercise: outcome}
    part = home() / f"progress.{os.getpid()}.part"
    try:
        home().mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(state, indent=1), "utf-8")
        part.replace(home() / "progress.json")  # atomic: two notebooks never leave half a file
    except OSError as error:
        warnings.warn(f"Progress is not kept: {error}. Set TRAINLAB_HOME to a folder you own.", stacklevel=2)


def outcomes() -> dict[str, str]:
    """The last outcome of each exercise tried; empty if there is no file yet, or none that can be read."""
    try:
        state = json.loads((home() / "progress.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return state if isinstance(state, dict) else {}


class Progress:
    """A table of the exercises with their outcomes; `.frame` is its pandas form."""

    _MARK = {"passed": "✓ passes", "failed": "✗ not yet right", "todo": "… not done yet"}  # noqa: RUF012

    def __init__(self, chapter: str | None = None):
        import pandas as pd

        done = outcomes()
        rows = [e for e in exercises() if chapter is None or e["chapter"].startswith(chapter)]
        if not rows:
            known = sorted({e["chapter"] for e in exercises()})
            raise ValueError(f"There is no chapter {chapter!r}. The course has: {', '.join(known)}.")
        self.frame = pd.DataFrame(rows)
        self.frame["outcome"] = [done.get(e["exercise"], "todo") for e in rows]
        self.frame["earned"] = self.frame.points.where(self.frame.outcome == "passed", 0)

    @property
    def headline(self) -> str:
        """Points so far, and the topic in which the largest share is still open."""
        earned, total = int(self.frame.earned.sum()), int(self.frame.points.sum())
        topics = self.frame.groupby("topic", sort=False)[["earned", "points"]].sum()
        share = topics.earned / topics.points
        begun = 0 < earned < total
        weakest = f" Weakest topic: {share.idxmin()} ({share.min():.0%})." if begun else ""
        return f"{earned} of {total} points by the visible checks (written questions come on top).{weakest}"

    def _shown(self):
        shown = self.frame[["lesson", "exercise", "topic", "points", "outcome"]].copy()
        shown["outcome"] = shown.outcome.map(self._MARK)
        return shown

    def __repr__(self) -> str:
        return f"{self._shown().to_string(index=False)}\n{self.headline}"

    def _repr_html_(self) -> str:
        return f"{self._shown().to_html(index=False)}<p>{self.headline}</p>"


def show_progress(chapter: str | None = None) -> Progress:
    """Which exercises pass, of one chapter (``"ch01"``) or of the whole course."""
    return Progress(chapter)
