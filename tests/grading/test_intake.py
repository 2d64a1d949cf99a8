"""What comes back, brought back: no accident costs an answer, and each mend is said."""

import json
import random
from contextlib import suppress

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.handed import HandedCell, Unreadable, read
from tests.grading.lessons import ANSWER, ESSAY, STUB, answers, by_name, file_of, mended, solved, texts


def test_an_honest_file_comes_back_unchanged_and_without_a_word(released):
    cells = solved(released)
    notebook, mends = mended(released, file_of(cells))
    assert mends == []
    assert [c.source for c in notebook.cells] == ["".join(raw["source"]) for raw in cells]
    assert [c.metadata for c in notebook.cells] == [c.metadata for c in released.cells]


# What an editor or a learner does to the file, and a part of the sentence that says so ("" where nothing is said).


def forget_names(cells):
    for raw in cells:
        raw["metadata"] = {}


def forget_all(cells):
    for raw in cells:
        raw["metadata"] = {}
        raw.pop("id")


def forget_ids(cells):
    for raw in cells:
        raw.pop("id")


def colab(cells):
    for raw in cells:
        raw["metadata"] |= {"id": raw.pop("id"), "colab": {"base_uri": "x"}}


def delete_a_test(cells):
    cells.remove(by_name(cells, "second-test"))


def delete_the_imports(cells):
    del cells[1]


def change_a_test(cells):
    by_name(cells, "first-test")["source"] = "pass"


def change_the_facts_of_a_test(cells):
    by_name(cells, "first-test")["metadata"]["nbgrader"] |= {"points": 1000, "grade": False}
    by_name(cells, "first-test")["metadata"]["tags"] = ["skip-execution"]


def retype_a_solution(cells):
    by_name(cells, "first-stub")["cell_type"] = "markdown"


def copy_a_test(cells):
    cells.append(json.loads(json.dumps(by_name(cells, "third-test"))))


def copy_an_untouched_stub_to_the_end(cells):
    cells.append({**by_name(cells, "first-stub"), "source": STUB.format("first")})


def move_the_tests_to_the_top(cells):
    cells.sort(key=lambda raw: not raw["metadata"].get("nbgrader", {}).get("grade", False))


def answer_in_a_new_cell(cells):
    raw = by_name(cells, "second-stub")
    new = {"cell_type": "code", "source": raw["source"], "metadata": {}, "outputs": [], "execution_count": 3}
    cells.insert(cells.index(raw) + 1, new)
    raw["source"] = STUB.format("second")


def retype_the_essay_without_metadata(cells):
    raw = by_name(cells, "why-answer")
    raw["metadata"] = {}
    raw.pop("id")


def break_the_facts(cells):
    for raw in cells:
        if "nbgrader" in raw["metadata"]:
            raw["metadata"]["nbgrader"] = raw["metadata"]["nbgrader"]["grade_id"]


def drop_the_metadata_key(cells):
    cells[1].pop("metadata")


def add_nonsense(cells):
    cells += [None, 3, {"cell_type": "code"}, {"source": ["a = ", 1], "metadata": []}]


@pytest.mark.parametrize(
    ("accident", "sentence"),
    [
        (forget_names, "first: the cell had lost its name"),
        (forget_all, "third: the cell had lost its name"),
        (forget_ids, ""),
        (colab, ""),
        (delete_a_test, "put back: second-test"),
        (delete_the_imports, "Missing cells of the released notebook were put back: plain-"),
        (change_a_test, "first-test: the test had been changed"),
        (change_the_facts_of_a_test, ""),
        (retype_a_solution, "first-stub: the cell had become markdown; it is code again."),
        (copy_a_test, "third-test: the cell was there more than once"),
        (copy_an_untouched_stub_to_the_end, "first-stub: the cell was there more than once"),
        (move_the_tests_to_the_top, "Cells had been moved"),
        (answer_in_a_new_cell, "second: the answer stood in a cell of its own"),
        (retype_the_essay_without_metadata, "why: the cell had lost its name"),
        (break_the_facts, "second: the cell had lost its name"),
        (drop_the_metadata_key, ""),
        (add_nonsense, ""),
    ],
)
def test_no_accident_costs_an_answer_and_each_mend_is_said(released, accident, sentence):
    cells = solved(released)
    wanted = answers(cells)
    accident(cells)
    notebook, mends = mended(released, file_of(cells))
    found = texts(notebook)
    assert {name: found[name] for name in wanted} == wanted
    for name, text in texts(released).items():
        assert name in wanted or found[name] == text
    graded = [c.metadata for c in notebook.cells if "nbgrader" in c.metadata]
    assert graded == [c.metadata for c in released.cells if "nbgrader" in c.metadata]
    assert bool(mends) == bool(sentence)
    assert any(sentence in mend for mend in mends) or not sentence


def test_a_learners_own_cells_stay_where_they_were(released):
    cells = solved(released)
    helper = {"cell_type": "code", "source": "def helper():\n    return 1", "metadata": {}, "outputs": []}
    cells.insert(cells.index(by_name(cells, "second-stub")), helper)
    notebook, mends = mended(released, file_of(cells))
    at = [c.source for c in notebook.cells].index(helper["source"])
    assert notebook.cells[at + 1].metadata.nbgrader.grade_id == "second-stub"
    assert mends == []


def test_an_edited_import_cell_is_the_learners(released):
    cells = solved(released)
    cells[1]["source"] = "import math\nimport random"
    notebook, mends = mended(released, file_of(cells))
    assert (notebook.cells[1].source, mends) == ("import math\nimport random", [])


def test_a_second_edited_answer_is_kept_as_text_and_not_run(released):
    cells = solved(released)
    first = by_name(cells, "first-stub")
    cells.append({**first, "source": "def first(x):\n    return '```'"})
    notebook, _ = mended(released, file_of(cells))
    assert texts(notebook)["first-stub"] == "def first(x):\n    return '```'"
    kept = [c for c in notebook.cells if first["source"] in c.source]
    assert [c.cell_type for c in kept] == ["markdown"]


def test_another_notebook_under_this_name_is_refused(released):
    other = [{"cell_type": "code", "source": "print('my holidays')", "metadata": {}, "outputs": []}]
    with pytest.raises(Unreadable, match="none of this notebook's exercises"):
        mended(released, file_of(other))


# Files that are damaged as files


@pytest.mark.parametrize(
    ("encode", "sentence"),
    [
        (lambda text: text.encode("utf-8-sig"), ""),
        (lambda text: text.encode("utf-16"), "not saved as UTF-8 but as utf-16"),
        (lambda text: text.replace("Because", "Größe, because").encode("cp1252"), "but as cp1252"),
        (lambda text: text.replace("Because", "Größe\x81, because").encode("latin-1"), "but as latin-1"),
    ],
)
def test_any_encoding_is_read(released, encode, sentence):
    document = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": solved(released)}
    notebook, mends = mended(released, encode(json.dumps(document, ensure_ascii=False)))
    assert texts(notebook)["why-answer"].endswith("the sum of their variances.")
    assert any(sentence in mend for mend in mends) or not sentence


def test_old_worksheets_are_read():
    code = {"cell_type": "code", "input": ["a = 1\n", "b = 2"], "metadata": {}}
    cells, _ = read(
        json.dumps({"nbformat": 3, "worksheets": [{"cells": [code]}, None, {"cells": 5}]}).encode()
    )
    assert cells == [HandedCell("code", "a = 1\nb = 2")]


def test_a_file_that_breaks_off_gives_its_whole_cells(released):
    raw = file_of(solved(released))
    cut = raw[: raw.index(b"def third")]
    notebook, mends = mended(released, cut)
    found = texts(notebook)
    assert "return x" in found["second-stub"]
    assert found["third-stub"] == STUB.format("third")
    assert "only its first 11 cells could be read" in mends[0]
    assert "third: no answer was found, so it counts as not done." in mends


def test_marks_of_a_merge_are_taken_out(released):
    text = json.dumps({"metadata": {}, "cells": solved(released)}, indent=1)
    line = '   "cell_type": "markdown",'
    both = f"<<<<<<< HEAD\n{line}\n=======\n{line}\n>>>>>>> mine"
    _, mends = mended(released, text.replace(line, both, 1).encode())
    assert "unfinished git merge" in mends[0]


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "the file is empty."),
        (b" \n ", "the file is empty."),
        (b"%PDF-1.4 ...", "holds no cell"),
        (b'"a string"', "is no notebook"),
        (b"[1, 2]", "is no notebook"),
        (b'{"cells": {}}', "holds no cell"),
        (b'{"cells": [], "metadata": {}}', "holds no cell"),
        (b"\xff\xfe\x00", "no encoding"),
        (b'{"cells":' + b"[" * 200_000, "too deeply|holds no cell"),
    ],
)
def test_what_is_no_notebook_is_refused_with_the_reason(raw, why):
    with pytest.raises(Unreadable, match=why):
        read(raw)


def test_a_giant_file_is_refused(monkeypatch):
    monkeypatch.setattr("autograder.handed.MAX_BYTES", 10)
    with pytest.raises(Unreadable, match="clear its outputs"):
        read(b"x" * 11)


# At random


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    forgetful=st.sampled_from(["nothing", "names", "ids", "both"]),
    shuffled=st.booleans(),
    copies=st.integers(0, 3),
    lost=st.integers(0, 4),
    own=st.integers(0, 3),
)
def test_no_scramble_loses_an_answer(released, seed, forgetful, shuffled, copies, lost, own):
    rng = random.Random(seed)
    cells = solved(released)
    wanted = answers(cells)
    plain = [raw for raw in cells if not raw["metadata"].get("nbgrader", {}).get("solution")]
    for raw in rng.sample(plain, lost):
        cells.remove(raw)
    for raw in rng.sample(plain, copies):
        cells.insert(rng.randrange(len(cells)), json.loads(json.dumps(raw)))
    for number in range(own):
        new = {"cell_type": "code", "source": f"own = {number}", "metadata": {}, "outputs": []}
        cells.insert(rng.randrange(len(cells)), new)
    for raw in cells:
        if forgetful in ("names", "both") and rng.random() < 0.7:
            raw["metadata"] = {}
        if forgetful in ("ids", "both") and rng.random() < 0.7:
            raw.pop("id", None)
        if rng.random() < 0.1:
            raw["cell_type"] = rng.choice(["code", "markdown", "raw", "heading"])
    if shuffled:
        rng.shuffle(cells)
    notebook, _ = mended(released, file_of(cells))
    found = texts(notebook)
    assert {name: found[name] for name in wanted if name != "why-answer"} == {
        name: text for name, text in wanted.items() if name != "why-answer"
    }
    assert any(ESSAY in c.source for c in notebook.cells)
    assert [c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata] == [
        c.metadata.nbgrader for c in released.cells if "nbgrader" in c.metadata
    ]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_break_the_reader(raw):
    try:
        cells, _ = read(raw)
    except Unreadable:
        return
    assert cells


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_no_cut_breaks_the_reader(released, data):
    raw = file_of(solved(released))
    at = data.draw(st.integers(1, len(raw)))
    with suppress(Unreadable):
        mended(released, raw[:at])


def test_pictures_that_were_pasted_into_an_answer_come_along(released):
    cells = solved(released)
    picture = {"a.png": {"image/png": "iVBORw0KGgo="}}
    by_name(cells, "why-answer")["attachments"] = picture
    by_name(cells, "first-stub")["attachments"] = picture  # where nbformat knows none
    cells.append({"cell_type": "markdown", "metadata": {}, "source": "Mine.", "attachments": picture})
    notebook, mends = mended(released, file_of(cells))
    assert mends == []
    kept = [cell.source for cell in notebook.cells if cell.get("attachments") == picture]
    assert kept == [ESSAY, "Mine."]


@pytest.mark.parametrize(
    "attachments",
    [
        None,
        [],
        {"a": 3},
        {"a": {"image/svg+xml": "PHN2Zz4="}},
        {"a": {"image/png": "no base64!"}},
        {"a": {"image/png": 3}},
    ],
)
def test_other_attachments_do_not(released, attachments):
    cells = solved(released)
    by_name(cells, "why-answer")["attachments"] = attachments
    notebook, _ = mended(released, file_of(cells))
    assert not any(cell.get("attachments") for cell in notebook.cells)


def test_a_cell_that_answers_several_exercises_stands_in_the_place_of_each(released):
    cells = json.loads(nbformat.writes(released))["cells"]
    answer = "\n\n".join(ANSWER.format(name, 7) for name in ("first", "second"))
    cells.insert(
        1, {"cell_type": "code", "metadata": {}, "source": answer, "outputs": [], "execution_count": None}
    )
    notebook, mends = mended(released, file_of(cells))
    assert [texts(notebook)[f"{name}-stub"] for name in ("first", "second")] == [answer, answer]
    assert len([mend for mend in mends if "stood in a cell of its own" in mend]) == 2
    assert [cell.source for cell in notebook.cells].count(answer) == 2
