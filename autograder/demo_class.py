"""The made-up class of the demo: who they are, what they got wrong, and what their editors did to the file."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode


@dataclass(frozen=True)
class Member:
    """One made-up learner: the wrong answers handed in (the rest is right), and what became of the file.

    Attributes:
        story: what an instructor should know.
        wrong: exercise → title of a wrong answer in the bank.
        only: exercises solved at all; None for every one.
        saved: what the learner's editor or accident makes of the notebook: notebook → bytes of the file.
    """

    story: str
    wrong: dict[str, str]
    only: tuple[str, ...] | None = None
    saved: Callable[[NotebookNode], bytes] = lambda notebook: nbformat.writes(notebook).encode()


def _as_colab(notebook: NotebookNode) -> bytes:
    """Colab: nbformat 4.0, ids in the metadata, a block of its own, outputs kept."""
    raw = json.loads(nbformat.writes(notebook))
    raw |= {"nbformat": 4, "nbformat_minor": 0}
    raw["metadata"] = {
        "accelerator": "GPU",
        "colab": {"provenance": [], "toc_visible": True},
        "kernelspec": {"name": "python3", "display_name": "Python 3"},
        "language_info": {"name": "python"},
    }
    for cell in raw["cells"]:
        cell["metadata"] |= {"id": cell.pop("id"), "colab": {"base_uri": "https://localhost:8080/"}}
    return json.dumps(raw).encode()


def _as_vscode(notebook: NotebookNode) -> bytes:
    """VS Code: nbformat 4.2 without ids, its own language tag, the kernel named after the environment."""
    raw = json.loads(nbformat.writes(notebook))
    raw |= {"nbformat": 4, "nbformat_minor": 2}
    raw["metadata"]["kernelspec"] = {
        "display_name": ".venv (3.12.4)",
        "language": "python",
        "name": "python3",
    }
    raw["metadata"]["language_info"] |= {"version": "3.12.4", "file_extension": ".py"}
    for cell in raw["cells"]:
        del cell["id"]
        cell["metadata"]["vscode"] = {"languageId": "python"}
    return json.dumps(raw, indent=1).encode()


def _without_a_test(notebook: NotebookNode) -> bytes:
    notebook.cells = [c for c in notebook.cells if c.id != "he_std-test"]
    return nbformat.writes(notebook).encode()


def _cut_off(notebook: NotebookNode) -> bytes:
    return nbformat.writes(notebook).encode()[:2500]


CLASS = {
    "ada": Member("everything right", {}),
    "ben": Member("handed in the untouched notebook", {}, only=()),
    "cai": Member("did the first three", {}, only=("glorot_uniform_", "he_std", "lecun_normal_")),
    "dia": Member("took the variance for the standard deviation", {"he_std": "the variance"}),
    "eli": Member("swapped fan-in and fan-out", {"lecun_normal_": "the first dimension for the fan-in"}),
    "fay": Member("forgot layers without bias", {"init_he": "crash without bias"}),
    "gus": Member("let old gradients add up", {"gradient_spread": "never clears"}),
    "hana": Member("works on Colab", {}, saved=_as_colab),
    "ivo": Member("works in VS Code", {"shrink_head_": "every linear layer"}, saved=_as_vscode),
    "jana": Member("deleted a test cell", {}, saved=_without_a_test),
    "kim": Member("loops for ever", {"glorot_uniform_": "a rejection loop that never accepts"}),
    "lou": Member("cut the file off while copying", {}, saved=_cut_off),
}
