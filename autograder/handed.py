"""Read what learners hand in: whatever the file went through, the cells that are still in it.

A pure function from bytes to cells. Nothing is executed, and nothing but kind, text, names and pasted pictures is
kept: outputs and the rest of the metadata end here.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

_PICTURES = ("image/png", "image/jpeg")
_BASE64 = re.compile(r"[A-Za-z0-9+/\s]+=*\s*")
MAX_BYTES = 128 << 20


class Unreadable(Exception):
    """There is no notebook in the file; the message says why, to be read behind "it could not be read:"."""


@dataclass(frozen=True)
class HandedCell:
    """A cell as the learner left it.

    Attributes:
        kind: "code" or "markdown".
        text: its source.
        name: nbgrader's grade_id, "" if lost.
        ident: the file's own id, "" if lost.
        pictures: pasted into the text, in nbformat's form: file name → kind of picture → base64.
    """

    kind: str
    text: str
    name: str = ""
    ident: str = ""
    pictures: dict[str, dict[str, str]] = field(default_factory=dict)


def read(raw: bytes) -> tuple[list[HandedCell], list[str]]:
    """The cells of a notebook file in any state, and a sentence for each thing that was mended on the way.

    Raises:
        Unreadable: if no cell can be found in it.
    """
    if not raw.strip():
        raise Unreadable("the file is empty.")
    if len(raw) > MAX_BYTES:
        raise Unreadable(
            f"the file is larger than {MAX_BYTES >> 20} MB: clear its outputs and hand it in again."
        )
    text, mends = _decoded(raw)
    if re.search(r"^<{7} .*?^={7}$.*?^>{7} ", text, flags=re.M | re.S):
        text = re.sub(r"^(?:<{7} .*|={7}|>{7} .*)\n?", "", text, flags=re.M)
        mends.append("The file held the marks of an unfinished git merge; they were taken out.")
    document = _document(text, mends)
    cells = [cell for found in _cells(document) if (cell := _cell(found))]
    if not cells:
        raise Unreadable("the file holds no cell of a notebook. Hand in the .ipynb file itself.")
    return cells, mends


def _decoded(raw: bytes) -> tuple[str, list[str]]:
    for codec in ["utf-16"] if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ["utf-8-sig", "cp1252", "latin-1"]:
        try:
            text = raw.decode(codec)
        except UnicodeDecodeError:
            continue
        return text, [] if codec == "utf-8-sig" else [f"The file was not saved as UTF-8 but as {codec}."]
    raise Unreadable("the file's characters follow no encoding that notebooks use.")


def _document(text: str, mends: list[str]) -> dict:
    try:
        document = json.loads(text)
    except (RecursionError, MemoryError):
        raise Unreadable("the file holds too much, or nests it too deeply, for a notebook.") from None
    except ValueError:
        document = {"cells": _salvaged(text)}
        if n := len(document["cells"]):
            mends.append(f"The file is damaged or cut off: only its first {n} cells could be read.")
    if not isinstance(document, dict):
        raise Unreadable("the file is no notebook. Hand in the .ipynb file itself.")
    return document


def _salvaged(text: str) -> list:
    """The whole cells at the beginning of a file that breaks off."""
    start = re.search(r'"cells"\s*:\s*\[', text)
    if start is None:
        return []
    cells, decoder, at = [], json.JSONDecoder(), start.end()
    gap = re.compile(r"[\s,]*")
    while True:
        at = gap.match(text, at).end()
        try:
            cell, at = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            return cells
        cells.append(cell)


def _cells(document: dict) -> list:
    """The raw cells; nbformat 3 and older kept them in worksheets."""
    sheets = document.get("worksheets")
    if not isinstance(sheets, list):
        cells = document.get("cells")
        return cells if isinstance(cells, list) else []
    found = [sheet["cells"] for sheet in sheets if isinstance(sheet, dict) and "cells" in sheet]
    return [cell for cells in found if isinstance(cells, list) for cell in cells]


def _cell(raw: Any) -> HandedCell | None:
    if not isinstance(raw, dict):
        return None
    text = raw.get("source", raw.get("input", ""))
    text = "".join(map(str, text)) if isinstance(text, list) else str(text)
    metadata = raw.get("metadata") if isinstance(raw.get("metadata"), dict) else {}
    nbgrader = metadata.get("nbgrader") if isinstance(metadata.get("nbgrader"), dict) else {}
    return HandedCell(
        kind="code" if raw.get("cell_type") == "code" else "markdown",
        text=text,
        name=_word(nbgrader.get("grade_id")),
        ident=_word(raw.get("id")) or _word(metadata.get("id")),  # Colab keeps it in the metadata
        pictures=_pictures(raw.get("attachments")),
    )


def _pictures(attachments: Any) -> dict[str, dict[str, str]]:
    """Those of an answer's attachments that are plain pictures."""
    if not isinstance(attachments, dict):
        return {}
    bundles = {name: b for name, b in attachments.items() if isinstance(b, dict)}
    kept = {
        name: {kind: bundle[kind] for kind in _PICTURES if _BASE64.fullmatch(_word(bundle.get(kind)))}
        for name, bundle in bundles.items()
    }
    return {name: bundle for name, bundle in kept.items() if bundle}


def _word(value: Any) -> str:
    return value if isinstance(value, str) else ""
