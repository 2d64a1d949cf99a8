"""What two graders' runs say next to each other: a table of ratios, and which parts of the bar are met."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import mean

from autograder.meter import Memory, Used

SPEED, SPREAD, MEGABYTES, APART = 6, 0.2, 500, 1.5  # the bar
_SHOWN = 20

Scores = dict[tuple[str, str, str], float | None]  # learner, notebook, cell → points


@dataclass(frozen=True)
class Run:
    """One class graded.

    Attributes:
        submissions: how many.
        used: what it took.
        scores: of every graded cell.
        steady: seconds a submission without what is done once, for the whole class; 0 if nobody knows.
    """

    submissions: int
    used: Used
    scores: Scores
    steady: float = 0.0

    @property
    def wall(self) -> float:
        """Seconds a submission."""
        return self.used.wall / self.submissions

    @property
    def cpu(self) -> float:
        """Processor seconds a submission."""
        return self.used.cpu / self.submissions

    @property
    def start(self) -> float:
        """Seconds for what is done once for the whole class."""
        return self.used.wall - self.steady * self.submissions


@dataclass(frozen=True)
class Comparison:
    """Stock nbgrader, ours, and ours in one process on one class; ours on a small and a large one, several times."""

    stock: Run
    ours: Run
    beside: Run
    small: Sequence[Run]
    large: Sequence[Run]

    @property
    def speed(self) -> float:
        """Our throughput in units of stock's."""
        return self.stock.wall / self.ours.wall

    @property
    def spread(self) -> float:
        """Cost of a submission in the large class in units of that in the small one, without the start."""
        return mean(r.steady for r in self.large) / mean(r.steady for r in self.small)

    @property
    def apart(self) -> float:
        """Seconds that ours takes, in units of what it takes with tests and answers in one process."""
        return self.ours.wall / self.beside.wall

    @property
    def memory(self) -> Memory:
        """Our peaks over all runs."""
        peak = Memory()
        for run in (self.ours, *self.small, *self.large):
            peak = peak.peak(run.used.memory)
        return peak

    @property
    def differing(self) -> list[tuple[str, str, str]]:
        """The cells whose points are not the same, or that not all of them have points for."""
        ours = self.ours.scores.items()
        return sorted({cell for run in (self.stock, self.beside) for cell, _ in run.scores.items() ^ ours})

    def __str__(self) -> str:
        return "\n\n".join("\n".join(part) for part in (self._class(), self._scaling(), self._bar()))

    def _class(self) -> list[str]:
        stock, ours = self.stock, self.ours
        rows = [
            ("submissions an hour", 3600 / stock.wall, 3600 / ours.wall, self.speed),
            ("seconds a submission", stock.wall, ours.wall, stock.wall / ours.wall),
            ("processor seconds a submission", stock.cpu, ours.cpu, stock.cpu / ours.cpu),
            ("MB at the peak, all processes", *_megabytes(stock, ours), None),
        ]
        head = f"{f'{ours.submissions} submissions':32}{'stock':>10}{'ours':>10}{'ratio':>10}"
        return [head, *(f"{what:32}{a:10.2f}{b:10.2f}{_or_none(ratio)}" for what, a, b, ratio in rows)]

    def _scaling(self) -> list[str]:
        small, large = self.small, self.large
        rows = [
            ("with the start", *(mean(r.wall for r in runs) for runs in (small, large))),
            ("without", *(mean(r.steady for r in runs) for runs in (small, large))),
            ("the start, once", *(mean(r.start for r in runs) for runs in (small, large))),
        ]
        sizes = "".join(f"{runs[0].submissions:10}" for runs in (small, large))
        lines = [f"{what:32}{a:10.2f}{b:10.2f}{b / a:10.2f}" for what, a, b in rows]
        return [f"{'seconds a submission, class of':32}{sizes}{'ratio':>10}", *lines]

    def _bar(self) -> list[str]:
        peak, differing = self.memory, self.differing
        cells = len(self.stock.scores.keys() | self.ours.scores.keys())
        rows = [
            (
                self.speed >= SPEED,
                f"{self.speed:.1f} times the throughput of stock nbgrader (at least {SPEED})",
            ),
            (not differing, f"{len(differing)} of {cells} scores differ (0)"),
            (
                abs(self.spread - 1) <= SPREAD,
                f"{self.spread:.2f} times the cost of a submission in the larger class (within {SPREAD:.0%})",
            ),
            (
                self.apart <= APART,
                f"{self.apart:.2f} times the time of one process (at most {APART}); "
                f"{self.ours.cpu / self.beside.cpu:.2f} times the processor's",
            ),
            (
                peak.with_share <= MEGABYTES,
                f"{peak.with_share:.0f} MB a worker with its sandbox and its share of the warm processes "
                f"(at most {MEGABYTES}); {peak.worker:.0f} without, the warm processes {peak.shared:.0f}",
            ),
        ]
        lines = [f"{'bar met   ' if met else 'bar missed'}  {what}" for met, what in rows]
        more = [f"  … and {len(differing) - _SHOWN} more"] if len(differing) > _SHOWN else []
        return [*lines, *map(self._difference, differing[:_SHOWN]), *more]

    def _difference(self, cell: tuple[str, str, str]) -> str:
        stock, ours = (run.scores.get(cell, "no row") for run in (self.stock, self.ours))
        return f"  {' '.join(cell)}: stock {stock}, ours {ours}"


def steady(done: Sequence[datetime], workers: int) -> float:
    """Seconds a submission, from the moments in which submissions were done.

    It counts from the moment in which each worker had done its first one, or from the first at all where the class
    is no larger than that.
    """
    skipped = workers - 1 if len(done) > workers else 0
    counted = done[skipped:]
    if len(counted) < 2:
        raise ValueError("One submission says nothing about the cost of the next one.")
    return (counted[-1] - counted[0]).total_seconds() / (len(counted) - 1)


def _megabytes(*runs: Run) -> list[float]:
    return [run.used.memory.everything for run in runs]


def _or_none(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:10.2f}"
