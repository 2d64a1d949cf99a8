"""Bring what a learner handed in back onto the released notebook, so that nbgrader finds what it expects.

The notebook that is graded is always the instructor's: its cells, their order, types, points and names. Only the
learner's text is taken over, wherever it was found, and every mend is said in a sentence.
"""

from __future__ import annotations

import ast
import difflib
import re
from collections.abc import Iterable, Iterator
from copy import deepcopy

import nbformat
from nbformat import NotebookNode
from nbgrader.utils import is_solution

from autograder.feedback import exercise
from autograder.handed import HandedCell, Unreadable

Places = dict[int, int]  # released cell → the handed-in cell that belongs there


def bring_back(released: NotebookNode, cells: list[HandedCell]) -> tuple[NotebookNode, list[str]]:
    """The released notebook with the learner's answers and extra cells, and a sentence for each mend.

    Args:
        released: what the learner was given.
        cells: what came back, in any order, with or without names, some twice, some missing.

    Raises:
        Unreadable: if not one exercise or question of this notebook is among the cells.
    """
    slots = released.cells
    places = _by_name(slots, cells)
    _by_ident(slots, cells, places)
    _by_content(slots, cells, places)
    if not any(is_solution(slots[slot]) for slot in places):
        raise Unreadable(
            "none of this notebook's exercises is in the file. Is it another notebook under this name?"
        )
    _by_neighbours(slots, cells, places)
    elsewhere = _answered_elsewhere(slots, cells, places)
    notebook = nbformat.v4.new_notebook(metadata=deepcopy(released.metadata))
    extras = _extras(slots, cells, places)
    notebook.cells += extras.get(-1, [])
    for slot, cell in enumerate(slots):
        notebook.cells += [
            _filled(cell, cells[places[slot]] if slot in places else None),
            *extras.get(slot, []),
        ]
    _distinct_ids(notebook.cells)
    return notebook, [*_mends(slots, cells, places), *elsewhere]


def _filled(slot: NotebookNode, cell: HandedCell | None) -> NotebookNode:
    """The instructor's cell with the learner's text, unless it is a test."""
    filled = deepcopy(slot)
    if cell is not None and not _is_test(slot):
        filled.source = cell.text
        _add_pictures(filled, cell)
    return filled


def _add_pictures(filled: NotebookNode, cell: HandedCell) -> None:
    if cell.pictures and filled.cell_type == "markdown":
        filled.attachments = nbformat.from_dict(cell.pictures)


def _by_name(slots: list[NotebookNode], cells: list[HandedCell]) -> Places:
    """By nbgrader's name; of several copies the last that was edited and still defines what is asked for."""
    places: Places = {}
    for slot, given in enumerate(slots):
        copies = [i for i, cell in enumerate(cells) if cell.name and cell.name == _name(given)]
        if copies:
            wanted = _defined(given.source)
            edited = [i for i in copies if not _same(cells[i], given)]
            right = [i for i in edited if wanted & _defined(cells[i].text)]
            places[slot] = (right or edited or copies)[-1]
    return places


def _by_ident(slots: list[NotebookNode], cells: list[HandedCell], places: Places) -> None:
    free = {
        cell.ident: i
        for i, cell in enumerate(cells)
        if cell.ident and i not in places.values() and not cell.name
    }
    for slot, given in enumerate(slots):
        if slot not in places and given.id in free:
            places[slot] = free.pop(given.id)


def _by_content(slots: list[NotebookNode], cells: list[HandedCell], places: Places) -> None:
    """By identical text, and an exercise by the function or class that it defines."""
    for slot, given in enumerate(slots):
        if slot in places:
            continue
        free = [i for i in range(len(cells)) if i not in places.values() and not cells[i].name]
        wanted = _defined(given.source) if _is_stub(given) else set()
        equal = [i for i in free if _same(cells[i], given)]
        defining = [i for i in free if wanted and wanted <= _defined(cells[i].text)]
        if defining or equal:
            places[slot] = (defining or equal)[-1 if defining else 0]


def _by_neighbours(slots: list[NotebookNode], cells: list[HandedCell], places: Places) -> None:
    """An answer that lost all else: of what stands between the same neighbours, the most similar."""
    for slot, given in enumerate(slots):
        if slot in places or not is_solution(given):
            continue
        before = max((places[s] for s in places if s < slot), default=-1)
        after = min((places[s] for s in places if s > slot and places[s] > before), default=len(cells))
        free = [i for i in range(before + 1, after) if i not in places.values() and cells[i].text.strip()]
        free = [i for i in free if cells[i].kind == given.cell_type]
        if free:
            places[slot] = max(free, key=lambda i: _likeness(cells[i].text, given.source))


def _answered_elsewhere(slots: list[NotebookNode], cells: list[HandedCell], places: Places) -> list[str]:
    """Exercises whose stub was left as it is while the answer was typed into a cell of the learner's own."""
    found = []
    for slot, given in enumerate(slots):
        if not _is_stub(given) or slot not in places or not _same(cells[places[slot]], given):
            continue
        wanted = _defined(given.source)
        others = [i for i in range(len(cells)) if wanted <= _defined(cells[i].text)]
        others = [i for i in others if not _same(cells[i], given)]
        # A cell that answers several exercises stands, and runs, in the place of each.
        free = [i for i in others if i not in places.values()]
        if wanted and others:
            places[slot] = (free or others)[-1]
            found.append(
                f"{_exercise(given)}: the answer stood in a cell of its own and was put into its place."
            )
    return found


def _extras(
    slots: list[NotebookNode], cells: list[HandedCell], places: Places
) -> dict[int, list[NotebookNode]]:
    """The learner's own cells, by the released cell behind which they stand; -1 is the beginning.

    A second copy of a cell is not run again: one that was edited is kept as text, for a person to read.
    """
    at = {i: slot for slot, i in places.items()}
    originals = {slot.source.strip() for slot in slots}
    names = {_name(slot) for slot in slots} - {""}
    extras: dict[int, list[NotebookNode]] = {}
    for i, cell in enumerate(cells):
        if i in at or not cell.text.strip() or cell.text.strip() in originals:
            continue
        previous = next((at[k] for k in range(i - 1, -1, -1) if k in at), -1)
        following = next((at[k] for k in range(i + 1, len(cells)) if k in at), len(slots))
        kept = _as_text(cell) if cell.name in names else _as_is(cell)
        extras.setdefault(min(previous, following - 1), []).append(kept)
    return extras


def _as_is(cell: HandedCell) -> NotebookNode:
    new = nbformat.v4.new_code_cell if cell.kind == "code" else nbformat.v4.new_markdown_cell
    made = new(cell.text)
    _add_pictures(made, cell)
    return made


def _as_text(cell: HandedCell) -> NotebookNode:
    fence = "`" * (3 + max(map(len, re.findall("`+", cell.text)), default=0))
    return nbformat.v4.new_markdown_cell(
        f"*Another copy of this answer, not graded:*\n\n{fence}\n{cell.text}\n{fence}"
    )


def _mends(slots: list[NotebookNode], cells: list[HandedCell], places: Places) -> Iterator[str]:
    missing = [given for slot, given in enumerate(slots) if slot not in places]
    for given in filter(is_solution, missing):
        yield f"{_exercise(given)}: no answer was found, so it counts as not done."
    restored = [given for given in missing if not is_solution(given) and given.cell_type == "code"]
    if restored:
        names = [_label(given) for given in restored]
        more = f" and {len(names) - 5} more" if len(names) > 5 else ""
        yield f"Missing cells of the released notebook were put back: {', '.join(names[:5])}{more}."
    for slot, i in places.items():
        given, cell = slots[slot], cells[i]
        if not _name(given):
            continue
        if cell.name != _name(given) and is_solution(given):
            yield f"{_exercise(given)}: the cell had lost its name and was recognised by its content or place."
        if cell.kind != given.cell_type:
            yield f"{_label(given)}: the cell had become {cell.kind}; it is {given.cell_type} again."
        if _is_test(given) and not _same(cell, given):
            yield f"{_label(given)}: the test had been changed; it was replaced by the released one."
        if sum(other.name == _name(given) for other in cells) > 1:
            yield f"{_label(given)}: the cell was there more than once; the last edited copy counts."
    order = [slot for slot, _ in sorted(places.items(), key=lambda place: place[1])]
    if order != sorted(order):
        yield "Cells had been moved; they are graded in the released order."


def _distinct_ids(cells: Iterable[NotebookNode]) -> None:
    seen: set[str] = set()
    for cell in cells:
        while cell.id in seen:
            cell.id = nbformat.v4.new_code_cell().id
        seen.add(cell.id)


def _facts(cell: NotebookNode) -> dict:
    return cell.metadata.get("nbgrader", {})


def _name(cell: NotebookNode) -> str:
    return _facts(cell).get("grade_id", "")


def _is_stub(cell: NotebookNode) -> bool:
    return is_solution(cell) and cell.cell_type == "code"


def _is_test(cell: NotebookNode) -> bool:
    return bool(_facts(cell)) and not is_solution(cell)


def _exercise(cell: NotebookNode) -> str:
    return exercise(_name(cell))


def _label(cell: NotebookNode) -> str:
    return _name(cell) or cell.id


def _same(cell: HandedCell, given: NotebookNode) -> bool:
    return cell.text.split() == given.source.split()


def _likeness(one: str, other: str) -> float:
    # Bounded, because the matcher's time grows with the square: a learner may paste a book.
    return difflib.SequenceMatcher(None, one[:2000], other[:2000], autojunk=False).ratio()


def _defined(source: str) -> set[str]:
    """The functions and classes that a cell defines at its top level, even where it has a syntax error."""
    try:
        body = ast.parse(source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return set(re.findall(r"^(?:async +)?(?:def|class) +(\w+)", source, flags=re.M))
    return {
        node.name for node in body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
    }
