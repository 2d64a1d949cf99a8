"""One submission of the suite: what is handed in, what it must earn, and the bait that it is tempted with."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import nbformat
from nbformat import NotebookNode

from tests.attacks.assignment import BY_HAND, NOTEBOOK, POINTS, RIGHT, WRONG
from tests.attacks.assignment import answered as fill_in

Points = dict[str, float]
NONE: Points = dict.fromkeys(POINTS, 0.0)


@dataclass(frozen=True)
class Link:
    """A symbolic link instead of a file."""

    target: str


Files = dict[str, "bytes | Link"]


@dataclass(frozen=True)
class Bait:
    """What attacks are told, so that they need not search: places worth spying on, and a mark for what they leave.

    Attributes:
        mark: a word of this run; all that an attack writes or starts carries it in its name.
        places: name → address; "<<NAME>>" in an attack's code is replaced by it.
    """

    mark: str
    places: dict[str, str]

    def fill(self, code: str) -> str:
        """The code with the addresses of this run."""
        for name, place in {"MARK": self.mark, **self.places}.items():
            code = code.replace(f"<<{name}>>", place)
        return code


HandIn = Callable[[NotebookNode, Bait], Files]


@dataclass(frozen=True)
class Case:
    """An attack or an accident.

    Attributes:
        id: as in the catalogue; in small letters the learner's name.
        title: what the learner did.
        stock: what stock nbgrader does with it.
        hand_in: makes the files of the submission from the released notebook.
        earns: the exact points it must be given.
        kind: whether somebody meant it.
        spies: whether it prints the secrets that it finds.
        by_hand: the questions that must wait for a person.
        says: words that must stand among the reasons and mends.
    """

    id: str
    title: str
    stock: str
    hand_in: HandIn
    earns: Points = field(default_factory=lambda: dict(POINTS))
    kind: Literal["attack", "accident"] = "attack"
    spies: bool = False
    by_hand: tuple[str, ...] = BY_HAND
    says: str = ""

    @property
    def student(self) -> str:
        """The name of the folder that is handed in."""
        return self.id.lower()


def but(**points: float) -> Points:
    """Full points but for some exercises."""
    return {**POINTS, **points}


def accident(*args: Any, **named: Any) -> Case:
    """A case that nobody meant."""
    return Case(*args, **named, kind="accident")


def answered(**answers: str | None) -> HandIn:
    """Everything answered right but for some; None leaves the cell as it was released."""
    return lambda released, bait: notebook_file(_solved(released, bait, {**RIGHT, **answers}))


def cheat(code: str, **answers: str) -> HandIn:
    """Everything answered wrong, and in front of the first answer some code that shall make it right."""
    wrong = {**RIGHT, **WRONG, **answers}
    return lambda released, bait: notebook_file(
        _solved(released, bait, {**wrong, "leaky": f"{code}\n{wrong['leaky']}"})
    )


def first(code: str, **answers: str) -> HandIn:
    """Everything answered right; in front of the first answer some code."""
    return answered(leaky=f"{code}\n{RIGHT['leaky']}", **answers)


def last(code: str) -> HandIn:
    """Everything answered right but the last, which is wrong and runs some code first; it must cost no more."""
    return answered(spread=f"{WRONG['spread']}\n{code}")


def doctored(change: Callable[[dict], object], **answers: str | None) -> HandIn:
    """The right answers in a file that was changed: `change` edits its JSON in place or returns another's bytes."""

    def hand_in(released: NotebookNode, bait: Bait) -> Files:
        raw = json.loads(nbformat.writes(_solved(released, bait, {**RIGHT, **answers})))
        made = change(raw)
        return {f"{NOTEBOOK}.ipynb": made if isinstance(made, bytes) else json.dumps(raw).encode()}

    return hand_in


def beside(files: Files, hand_in: HandIn) -> HandIn:
    """The same with more files, or with other ones under these names."""
    return lambda released, bait: {**hand_in(released, bait), **_filled(files, bait)}


def instead(files: Files) -> HandIn:
    """Other files altogether."""
    return lambda released, bait: _filled(files, bait)


def notebook_file(notebook: NotebookNode) -> Files:
    """The files of an ordinary submission."""
    return {f"{NOTEBOOK}.ipynb": nbformat.writes(notebook).encode()}


def _solved(released: NotebookNode, bait: Bait, answers: dict[str, str | None]) -> NotebookNode:
    return fill_in(released, {name: bait.fill(code) for name, code in answers.items() if code is not None})


def _filled(files: Files, bait: Bait) -> Files:
    return {n: Link(bait.fill(f.target)) if isinstance(f, Link) else f for n, f in files.items()}
