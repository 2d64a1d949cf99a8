"""Table F: notebooks that were damaged on the way, or doctored."""

from __future__ import annotations

import json
from collections.abc import Callable

from tests.attacks.assignment import RIGHT
from tests.attacks.case import NONE, Case, HandIn, accident, beside, but, doctored, instead

Cells = list[dict]


def _facts(cell: dict) -> dict:
    return cell["metadata"].get("nbgrader", {})


def _at(raw: dict, name: str) -> int:
    return next(i for i, cell in enumerate(raw["cells"]) if _facts(cell).get("grade_id") == name)


def _edit(name: str, edit: Callable[[dict], object], **answers: str) -> HandIn:
    """The right answers, with one cell edited in place."""
    return doctored(lambda raw: edit(raw["cells"][_at(raw, name)]), **answers)


def _facts_of(name: str, **changed: object) -> HandIn:
    return _edit(name, lambda cell: _facts(cell).update(changed))


def _each(edit: Callable[[dict], object]) -> HandIn:
    """The right answers, with every cell edited in place."""
    return doctored(lambda raw: [edit(cell) for cell in raw["cells"]])


def _retyped(cell: dict) -> None:
    cell["metadata"].clear()
    cell.pop("id")


def _markdown(cell: dict) -> None:
    cell["cell_type"] = "markdown"
    cell.pop("outputs")
    cell.pop("execution_count")


def _copied(raw: dict) -> None:
    at = _at(raw, "leaky-test")
    raw["cells"].insert(at, {**raw["cells"][at], "id": "a-copy"})


def _copied_answer(raw: dict) -> None:
    at = _at(raw, "leaky-stub")
    raw["cells"].insert(at, {**raw["cells"][at], "id": "a-copy", "source": "# first try\ndef leaky(z): pass"})


def _deleted(name: str) -> HandIn:
    return doctored(lambda raw: raw["cells"].pop(_at(raw, name)))


def _moved(raw: dict) -> None:
    test = raw["cells"].pop(_at(raw, "leaky-test"))
    raw["cells"].insert(1, test)


def _as_format_3(raw: dict) -> bytes:
    cells = []
    for cell in raw["cells"]:
        old = {**cell, "language": "python", "prompt_number": 1}
        old.pop("id")
        if cell["cell_type"] == "code":
            old["input"] = old.pop("source")
        cells.append(old)
    document = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": ""},
        "worksheets": [{"cells": cells}],
    }
    return json.dumps(document).encode()


def _large(raw: dict) -> None:
    text = "y" * 1_000_000
    outputs = [{"output_type": "stream", "name": "stdout", "text": text} for _ in range(30)]
    raw["cells"][_at(raw, "leaky-stub")]["outputs"] = outputs


def _as_colab(raw: dict) -> None:
    raw |= {"nbformat": 4, "nbformat_minor": 0}
    raw["metadata"]["colab"] = {"provenance": [], "toc_visible": True}
    for cell in raw["cells"]:
        cell["metadata"] |= {"id": cell.pop("id"), "colab": {"base_uri": "https://localhost:8080/"}}
    raw["cells"].insert(0, {**_extra("!nvidia-smi"), "metadata": {"id": "gpu"}})


def _as_vscode(raw: dict) -> None:
    raw |= {"nbformat": 4, "nbformat_minor": 2}
    raw["metadata"]["kernelspec"] = {"display_name": ".venv", "language": "python", "name": "venv"}
    for cell in raw["cells"]:
        del cell["id"]
        cell["metadata"]["vscode"] = {"languageId": "python"}


def _latin(raw: dict) -> bytes:
    raw["cells"][0]["source"] = "Größe"
    return json.dumps(raw, ensure_ascii=False).encode("latin-1")


def _merged(raw: dict) -> bytes:
    text = json.dumps(raw, indent=1)
    line = f' "nbformat": {raw["nbformat"]},'
    both = f"<<<<<<< HEAD\n{line}\n=======\n{line}\n>>>>>>> theirs"
    return text.replace(line, both).encode()


def _no_metadata(raw: dict) -> None:
    del raw["cells"][_at(raw, "leaky-stub")]["metadata"]


def _extra(source: str) -> dict:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": [], "execution_count": None}


def _not_this_one(raw: dict) -> None:
    raw["cells"] = [{**_extra("print('hello')"), "id": "hello"}]


def _as_other_file(name: str) -> HandIn:
    right = doctored(lambda raw: None)
    return lambda released, bait: {name: right(released, bait)["p1.ipynb"]}


def _one_cell(raw: dict) -> None:
    code = "\n\n".join(RIGHT[name] for name in ("leaky", "relu_", "total", "spread"))
    raw["cells"].insert(1, {**_extra(code), "id": "all-of-it"})


DOCTORED = [
    Case(
        "F24",
        "the mark 'to be graded by hand' taken off a cell",
        "full marks at once: no person ever sees it",
        _facts_of("drawing-answer", solution=False),
    ),
    Case("F26", "1000 points for one test", "repaired", _facts_of("leaky-test", points=1000)),
    Case(
        "F28",
        "the tests replaced by nothing, in place",
        "repaired",
        _edit(
            "leaky-test", lambda cell: cell.update(source="pass"), leaky="def leaky(z, a=0.1):\n    return z"
        ),
        but(leaky=0),
        says="leaky-test: the test had been changed",
    ),
    Case(
        "F29",
        "a time stamp of 1999",
        "accepted: the late policy is beaten",
        beside({"timestamp.txt": b"1999-12-31 23:59:59 UTC"}, doctored(lambda raw: None)),
        says="timestamp.txt says 1999-12-31",
    ),
    Case(
        "F31",
        "a time stamp that is none",
        "formgrader's list of submissions fails",
        beside({"timestamp.txt": b"\x00\xff tomorrow, or never"}, doctored(lambda raw: None)),
    ),
    Case(
        "F33",
        "a file nested 100 000 deep",
        "submission fails",
        instead({"p1.ipynb": b"[" * 100_000}),
        NONE,
        by_hand=(),
        says="too deeply",
    ),
    Case(
        "F35",
        "start-up files beside the notebook",
        "0 for the wrong answer",
        beside(
            {
                "sitecustomize.py": b"raise SystemExit",
                "usercustomize.py": b"raise SystemExit",
                "ipython_config.py": b"c.InteractiveShellApp.exec_lines = ['1/0']",
            },
            doctored(lambda raw: None, leaky="def leaky(z, a=0.1):\n    return z"),
        ),
        but(leaky=0),
    ),
]

DAMAGED = [
    accident(
        "F01",
        "all of nbgrader's metadata gone",
        "no marks, no message",
        _each(lambda cell: cell["metadata"].clear()),
    ),
    accident("F02", "a test cell copied", "batch aborted: 'old schema'", doctored(_copied)),
    accident(
        "F03", "an answer cell copied, an earlier try left above", "batch aborted", doctored(_copied_answer)
    ),
    accident("F04", "a test cell become markdown", "repaired", _edit("leaky-test", _markdown)),
    accident("F05", "an answer cell become markdown", "repaired", _edit("leaky-stub", _markdown)),
    accident("F06", "a test cell deleted", "no mark, for ever", _deleted("leaky-test"), says="leaky-test"),
    accident("F07", "an answer retyped without metadata", "graded", _edit("leaky-stub", _retyped)),
    accident("F08", "an essay retyped without metadata", "no mark possible", _edit("why-answer", _retyped)),
    accident("F09", "a test moved above its answer", "0 for a right answer", doctored(_moved)),
    accident(
        "F10",
        "the file cut off behind the third answer",
        "submission fails; absent from the list",
        doctored(lambda raw: json.dumps(raw).encode().partition(b'"total-stub"')[0]),
        but(total=0, spread=0),
        by_hand=(),
        says="damaged or cut off",
    ),
    accident("F11", "nbformat 3", "graded", doctored(_as_format_3)),
    accident(
        "F12",
        "saved with a byte order mark",
        "submission fails",
        doctored(lambda raw: b"\xef\xbb\xbf" + json.dumps(raw).encode()),
    ),
    accident("F13", "30 MB of stored output", "graded", doctored(_large)),
    accident("F14", "saved as latin-1", "submission fails", doctored(_latin)),
    accident("F15", "the marks of a git merge in the file", "submission fails", doctored(_merged)),
    accident(
        "F16",
        "called 'p1 (1).ipynb'",
        "submission fails",
        _as_other_file("p1 (1).ipynb"),
        says="p1 (1).ipynb",
    ),
    accident(
        "F17",
        "another notebook beside it",
        "skipped",
        beside({"scratch.ipynb": b"{}"}, doctored(lambda raw: None)),
    ),
    accident(
        "F18",
        "a file of 0 bytes",
        "submission fails",
        instead({"p1.ipynb": b""}),
        NONE,
        by_hand=(),
        says="empty",
    ),
    accident("F19", "saved by Colab", "graded", doctored(_as_colab)),
    accident("F20", "saved by VS Code", "graded", doctored(_as_vscode)),
    accident(
        "F21", "an old schema version in one cell", "batch aborted", _facts_of("leaky-test", schema_version=1)
    ),
    accident(
        "F22",
        "a schema version of the future in one cell",
        "batch aborted",
        _facts_of("leaky-test", schema_version=99),
    ),
    accident(
        "F23",
        "the name of a graded cell gone",
        "submission fails: KeyError",
        _edit("leaky-test", lambda c: _facts(c).pop("grade_id")),
    ),
    accident(
        "F25",
        "grade=false on a test cell",
        "submission fails: inconsistent checksums",
        _facts_of("leaky-test", grade=False),
    ),
    accident(
        "F27",
        "another kernel named",
        "repaired",
        doctored(
            lambda raw: raw["metadata"].update(
                kernelspec={"name": "ir", "display_name": "R", "language": "R"}
            )
        ),
    ),
    accident(
        "F30",
        "a folder called p1.ipynb",
        "submission fails",
        instead({"p1.ipynb/p1.ipynb": b"{}"}),
        NONE,
        by_hand=(),
        says="no plain file",
    ),
    accident("F32", "a cell without the key 'metadata'", "submission fails", doctored(_no_metadata)),
    accident(
        "F34",
        "another notebook under this name",
        "no marks, no message",
        doctored(_not_this_one),
        NONE,
        by_hand=(),
        says="none of this notebook's exercises",
    ),
    accident(
        "F36",
        "all answers in one cell at the top, the stubs as they were",
        "0",
        doctored(_one_cell, leaky=None, relu_=None, total=None, spread=None),
        says="stood in a cell of its own",
    ),
]
