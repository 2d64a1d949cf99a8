import json

import pytest

from trainlab import progress


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINLAB_HOME", str(tmp_path / "new" / "home"))
    rows = [
        ("ch01_a", "L1", "f", "first", 1, 2),
        ("ch01_a", "L1", "g", "second", 2, 3),
        ("ch02_b", "L2", "h", "second", 3, 5),
    ]
    keys = ("chapter", "lesson", "exercise", "topic", "level", "points")
    monkeypatch.setattr(progress, "exercises", lambda: [dict(zip(keys, row, strict=True)) for row in rows])
    return tmp_path / "new" / "home"


def test_outcomes_are_kept_and_added_up(home):
    progress.record("f", "passed")
    progress.record("g", "failed")
    progress.record("g", "passed")
    view = progress.show_progress()
    assert view.headline == (
        "5 of 10 points by the visible checks (written questions come on top). Weakest topic: second (38%)."
    )
    assert view.frame.outcome.tolist() == ["passed", "passed", "todo"]
    assert json.loads((home / "progress.json").read_text()) == {"f": "passed", "g": "passed"}
    assert not list(home.glob("*.part"))


def test_one_chapter():
    progress.record("f", "passed")
    progress.record("g", "passed")
    assert (
        progress.show_progress("ch01").headline
        == "5 of 5 points by the visible checks (written questions come on top)."
    )
    with pytest.raises(ValueError, match="The course has: ch01_a, ch02_b"):
        progress.show_progress("ch99")


def test_both_faces_name_every_exercise():
    progress.record("h", "failed")
    view = progress.show_progress()
    for face in (repr(view), view._repr_html_()):
        assert "✗ not yet right" in face
        assert all(name in face for name in "fgh")


@pytest.mark.parametrize("text", ["", "{", "[1]", '"f"'])
def test_a_damaged_file_starts_afresh(home, text):
    home.mkdir(parents=True)
    (home / "progress.json").write_text(text)
    assert progress.outcomes() == {}
    progress.record("f", "passed")
    assert progress.outcomes() == {"f": "passed"}


def test_a_home_that_cannot_be_written_costs_a_warning_only(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("TRAINLAB_HOME", str(tmp_path / "file" / "below"))
    with pytest.warns(UserWarning, match="Set TRAINLAB_HOME to a folder you own"):
        progress.record("f", "passed")


def test_outcomes_have_three_names():
    with pytest.raises(ValueError, match="outcome must be one of"):
        progress.record("f", "maybe")


def test_nobody_has_a_weakest_topic_before_the_start():
    assert "Weakest" not in progress.show_progress().headline
