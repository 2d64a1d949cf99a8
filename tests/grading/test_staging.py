"""From the folder that was handed in to the one that nbgrader reads."""

import os

import nbformat
import pytest

from autograder import staging
from autograder.submission import Handed
from tests.grading.lessons import file_of, solved, texts

NAME = "01_lesson"


@pytest.fixture
def folders(tmp_path, released):
    handed_in = tmp_path / "submitted"
    handed_in.mkdir()
    (handed_in / f"{NAME}.ipynb").write_bytes(file_of(solved(released)))
    return handed_in, {NAME: released}, tmp_path / "staged"


def stage(folders):
    return staging.stage(Handed.in_folder(folders[0]), *folders[1:])


def staged(folders, name=NAME):
    return nbformat.read(folders[2] / f"{name}.ipynb", as_version=4)


def test_an_honest_notebook_is_staged_without_a_word(folders, released):
    assert stage(folders) == []
    assert [c.metadata for c in staged(folders).cells] == [c.metadata for c in released.cells]
    assert [p.name for p in folders[2].iterdir()] == [f"{NAME}.ipynb"]


def test_mends_stand_in_front_of_the_notebook(folders, released):
    (folders[0] / f"{NAME}.ipynb").write_bytes(
        file_of([c for c in solved(released) if "import math" not in c["source"]])
    )
    said = stage(folders)
    assert len(said) == 1
    assert said[0].startswith(f"{NAME}: Missing cells of the released notebook were put back")
    first = staged(folders).cells[0]
    assert first.cell_type == "markdown"
    assert said[0].removeprefix(f"{NAME}: ") in first.source
    assert [c.source for c in staged(folders).cells].count("import math") == 1


@pytest.mark.parametrize("wreck", [b"", b"nonsense", b'{"cells": []}'])
def test_an_unreadable_notebook_counts_as_not_done(folders, released, wreck):
    (folders[0] / f"{NAME}.ipynb").write_bytes(wreck)
    said = stage(folders)
    assert said[0].startswith(f"{NAME}: It could not be read and counts as not done: ")
    assert texts(staged(folders)) == texts(released)
    assert texts(released)["first-stub"].endswith("your answer goes here")


@pytest.mark.parametrize("kind", ["folder", "link", "pipe"])
def test_what_is_no_plain_file_is_not_opened(folders, kind, tmp_path):
    path = folders[0] / f"{NAME}.ipynb"
    path.unlink()
    secret = tmp_path / "secret.ipynb"
    secret.write_text("{}")
    {"folder": path.mkdir, "link": lambda: path.symlink_to(secret), "pipe": lambda: os.mkfifo(path)}[kind]()
    assert "is no plain file" in stage(folders)[0]


@pytest.mark.parametrize(
    "name", [f"{NAME} (1)", f"{NAME}-Copy1", f"Copy of {NAME}", f"{NAME.upper()}", f"{NAME}_final_2"]
)
def test_the_only_file_that_is_nearly_called_so_is_taken(folders, name):
    (folders[0] / f"{NAME}.ipynb").rename(folders[0] / f"{name}.ipynb")
    assert stage(folders) == [f"{NAME}: The file was called {name}.ipynb; it was taken for {NAME}.ipynb."]
    assert "return x" in texts(staged(folders))["first-stub"]


def test_of_two_near_names_none_is_guessed(folders, released):
    path = folders[0] / f"{NAME}.ipynb"
    (folders[0] / f"{NAME} (1).ipynb").write_bytes(path.read_bytes())
    path.rename(folders[0] / f"{NAME} (2).ipynb")
    folders[1]["02_other"] = released
    (folders[0] / "02_other.ipynb").write_bytes((folders[0] / f"{NAME} (1).ipynb").read_bytes())
    assert stage(folders) == [f"Left out: {NAME} (1).ipynb, {NAME} (2).ipynb."]
    assert [p.name for p in folders[2].iterdir()] == ["02_other.ipynb"]


@pytest.mark.parametrize("instead", [None, "thesis.ipynb", "thesis.pdf"])
def test_who_handed_in_none_of_the_notebooks_gets_them_back_untouched(folders, released, instead):
    path = folders[0] / f"{NAME}.ipynb"
    path.rename(folders[0] / instead) if instead else path.unlink()
    said = stage(folders)
    assert said[0] == f"{NAME}: It was not handed in and counts as not done."
    assert "was not handed in" in staged(folders).cells[0].source
    assert texts(staged(folders)) == texts(released)


def test_small_plain_files_come_along_and_nothing_else(folders, tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.staging.MAX_EXTRA_BYTES", 100)
    (folders[0] / "data.csv").write_text("1,2")
    (folders[0] / "giant.bin").write_bytes(bytes(101))
    (folders[0] / "link").symlink_to(tmp_path)
    (folders[0] / "folder").mkdir()
    (folders[0] / "other.ipynb").write_text("{}")
    assert stage(folders) == ["Left out: folder, giant.bin, link, other.ipynb."]
    assert sorted(p.name for p in folders[2].iterdir()) == [f"{NAME}.ipynb", "data.csv"]


@pytest.mark.parametrize(
    ("stamp", "kept"), [("2026-11-21 10:00:00 UTC", True), ("yesterday", False), ("\0\0", False)]
)
def test_only_a_time_stamp_that_can_be_read_is_kept(folders, stamp, kept):
    (folders[0] / "timestamp.txt").write_text(stamp)
    assert stage(folders) == ([] if kept else ["Left out: timestamp.txt."])
    assert (folders[2] / "timestamp.txt").exists() is kept


def test_staging_again_leaves_nothing_of_the_last_time(folders):
    stage(folders)
    (folders[2] / "old.txt").touch()
    assert stage(folders) == []
    assert [p.name for p in folders[2].iterdir()] == [f"{NAME}.ipynb"]


def test_what_was_handed_in_is_only_read(folders):
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folders[0].iterdir()}
    stage(folders)
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in folders[0].iterdir()} == before
