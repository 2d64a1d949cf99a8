"""Reading what was handed in, as bytes."""

import os

import pytest

from autograder.submission import Handed


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "b.ipynb").write_bytes(b"{}")
    (tmp_path / "a.csv").write_bytes(b"1,2")
    return tmp_path


def test_plain_files_are_read_notebooks_first(folder):
    assert list(Handed.in_folder(folder).files.items()) == [("b.ipynb", b"{}"), ("a.csv", b"1,2")]


@pytest.mark.parametrize("kind", ["folder", "link", "dangling", "pipe"])
def test_nothing_else_is_opened(folder, tmp_path_factory, kind):
    secret = tmp_path_factory.mktemp("host") / "secret"
    secret.write_text("secret")
    path = folder / "c"
    make = {
        "folder": path.mkdir,
        "link": lambda: path.symlink_to(secret),
        "dangling": lambda: path.symlink_to("/nowhere"),
        "pipe": lambda: os.mkfifo(path),
    }
    make[kind]()
    handed = Handed.in_folder(folder)
    assert "c" not in handed.files
    assert handed.refused == {"c": "c is no plain file."}


def test_notebooks_come_before_what_fills_the_room(folder, monkeypatch):
    monkeypatch.setattr("autograder.submission.MAX_BYTES", 4)
    handed = Handed.in_folder(folder)
    assert list(handed.files) == ["b.ipynb"]
    assert "were handed in" in handed.refused["a.csv"]


def test_of_very_many_files_the_first_are_read(folder, monkeypatch):
    monkeypatch.setattr("autograder.submission.MAX_FILES", 1)
    handed = Handed.in_folder(folder)
    assert (list(handed.files), list(handed.refused)) == (["b.ipynb"], ["a.csv"])


def test_the_version_changes_with_anything_in_it(folder):
    seen = {Handed.in_folder(folder).version}
    (folder / "a.csv").write_bytes(b"1,3")
    seen.add(Handed.in_folder(folder).version)
    (folder / "a.csv").rename(folder / "c.csv")
    seen.add(Handed.in_folder(folder).version)
    (folder / "folder").mkdir()
    seen.add(Handed.in_folder(folder).version)
    assert len(seen) == 4
    assert Handed.in_folder(folder).version in seen


def test_names_and_contents_do_not_run_together():
    assert Handed({"ab": b"c"}).version != Handed({"a": b"bc"}).version
