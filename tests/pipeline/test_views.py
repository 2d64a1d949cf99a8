"""The three views of a lesson: what each holds and must not hold, and what nbgrader is told about it."""

import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from autograder import views
from autograder.config import NAME, load
from tests.pipeline.conftest import CHAPTER, cell_of, text_of

SLUG = "someone/tiny"
SOLUTION = "twice_as_much = number + number"
HIDDEN = "A negative number has a double too."
MODEL = "A whole, because two halves are one."
WHY = "Adding a number to itself counts it twice."
ROLES = ["card", "stub", "check", "hints", "test", "why"]


def all_views(tiny):
    lesson = tiny.read()
    master = views.master(lesson, SLUG)
    return {"master": master, "release": views.released(master), "solutions": views.solved(lesson, SLUG)}


@pytest.mark.parametrize(
    ("view", "holds"),
    [
        ("master", {SOLUTION, HIDDEN, MODEL, "### BEGIN SOLUTION", "### END HIDDEN TESTS"}),
        ("release", set()),
        ("solutions", {SOLUTION, MODEL, WHY}),
    ],
)
def test_each_view_holds_what_is_meant_for_its_reader_and_nothing_else(tiny, view, holds):
    text = text_of(all_views(tiny)[view])
    telling = {SOLUTION, HIDDEN, MODEL, WHY, "### BEGIN SOLUTION", "### END HIDDEN TESTS"}
    assert {t for t in telling if t in text} == holds
    for public in ("Twice as much is often enough.", "doubled_three", "A nudge", "nothing to solve"):
        assert public in text


@pytest.mark.parametrize(
    ("view", "missing"), [("master", {"why"}), ("release", {"why"}), ("solutions", {"test"})]
)
def test_each_view_has_the_cells_of_its_roles(tiny, view, missing):
    cells = [c.id for c in all_views(tiny)[view].cells]
    wanted = [f"double-{r}" for r in ROLES if r not in missing]
    assert [c for c in cells if c.startswith("double-")] == wanted
    assert cells[:2] == ["title", "install"]
    assert cells[-2:] == ["halves-question", "halves-answer"]


def test_a_release_holds_places_for_the_answers(tiny):
    release = all_views(tiny)["release"]
    assert cell_of(release, "double-stub").source == (
        'def double(number):\n    """Twice `number`."""\n    raise NotImplementedError  # your answer goes here'
    )
    assert cell_of(release, "halves-answer").source == "*Your answer goes here.*"
    assert cell_of(release, "double-test").source == "# Graded with other numbers."


def test_a_solution_says_what_it_is(tiny):
    solutions = all_views(tiny)["solutions"]
    assert cell_of(solutions, "double-stub").source == (
        'def double(number):\n    """Twice `number`."""\n    twice_as_much = number + number\n'
        "    return twice_as_much"
    )
    assert cell_of(solutions, "double-why").source == f"**Why it is so.** {WHY}"
    assert cell_of(solutions, "halves-answer").source == f"**A model answer.** {MODEL}"
    assert "**The solutions track: every exercise solved" in cell_of(solutions, "title").source


@pytest.mark.parametrize("view", ["master", "release"])
def test_nbgrader_knows_the_role_of_each_cell(tiny, view):
    notebook = all_views(tiny)[view]
    told = {c.id: c.metadata.nbgrader for c in notebook.cells if "nbgrader" in c.metadata}
    flags = {i: (m.grade, m.solution, m.locked, m.task, m.get("points")) for i, m in told.items()}
    assert flags == {
        "double-stub": (False, True, False, False, None),
        "double-test": (True, False, True, False, 2),
        "halves-answer": (True, True, False, False, 4),
    }
    assert all(m.grade_id == ident and m.schema_version == 3 for ident, m in told.items())


@pytest.mark.parametrize("view", ["master", "release"])
def test_a_visible_check_can_neither_be_changed_nor_deleted_by_accident(tiny, view):
    notebook = all_views(tiny)[view]
    check = cell_of(notebook, "double-check").metadata
    assert (check.deletable, check.editable) == (False, False)
    assert "editable" not in cell_of(notebook, "double-card").metadata


def test_the_solutions_know_nothing_of_nbgrader_and_compare_what_the_check_prints(tiny):
    solutions = all_views(tiny)["solutions"]
    metadata = {c.id: dict(c.metadata) for c in solutions.cells if c.metadata}
    assert metadata == {"double-check": {"tags": ["nbval-check-output"]}}


def test_tags_of_the_author_are_kept_but_a_release_compares_no_outputs(tiny):
    tiny.edit("# %%\nprint", '# %% tags=["slow", "hide-input"]\nprint')
    tiny.edit('# %% role="setup"', '# %% role="setup" tags=["nbval-check-output"]')
    made = all_views(tiny)
    tags = {
        view: [c.metadata.tags for c in n.cells if "tags" in c.metadata and not c.id.startswith("double")]
        for view, n in made.items()
    }
    assert tags == {
        "master": [["slow", "hide-input"]],
        "release": [["slow", "hide-input"]],
        "solutions": [["nbval-check-output"], ["slow", "hide-input"]],
    }


def test_the_title_carries_chapter_facts_and_badge(tiny):
    for view, room in (("master", "course"), ("release", "course"), ("solutions", "solutions")):
        title = cell_of(all_views(tiny)[view], "title").source
        assert title.startswith("# Doubling\n\nChapter 1: Small numbers · ")
        facts = "1 coded exercise and 1 written, 6 points, about 5 minutes"
        assert title.splitlines()[2] == f"Chapter 1: Small numbers · {facts}"
        address = f"github/{SLUG}/blob/main/{room}/{CHAPTER}/01_doubling.ipynb"
        assert title.endswith(f"(https://colab.research.google.com/{address})")


def test_the_set_up_cell_installs_from_the_repository_it_came_from(tiny):
    for notebook in all_views(tiny).values():
        assert f'"trainlab @ git+https://github.com/{SLUG}"' in cell_of(notebook, "install").source


def test_a_card_is_stamped_with_number_level_minutes_points_and_page(tiny):
    for notebook in all_views(tiny).values():
        assert cell_of(notebook, "double-card").source == (
            "### Exercise 1 · Twice as much\n\n"
            "`double` · ●○○ · about 2 minutes · 2 points · [PyTorch's page](https://example.org/double)\n\n"
            "Write `double(number)`."
        )


def test_a_card_says_whose_page_it_links_to(tiny):
    tiny.edit("https://example.org/double", "https://docs.scipy.org/doc/double")
    assert (
        "[SciPy's page](https://docs.scipy.org/doc/double)"
        in cell_of(all_views(tiny)["release"], "double-card").source
    )


@pytest.mark.parametrize(("level", "badge"), [(1, "●○○"), (2, "●●○"), (3, "●●●")])
def test_the_level_is_three_dots(tiny, level, badge):
    tiny.edit("level=1", f"level={level}")
    assert f" · {badge} · " in cell_of(all_views(tiny)["release"], "double-card").source


def test_a_written_question_is_stamped_with_minutes_and_points(tiny):
    for notebook in all_views(tiny).values():
        assert cell_of(notebook, "halves-question").source == (
            "### Written question · Two halves\n\n*about 3 minutes · 4 points, graded by a person*\n\n"
            "What does `double` make of a half?"
        )


def test_one_point_and_one_minute_are_singular(tiny):
    tiny.edit("points=2", "points=1")
    tiny.edit("minutes=2", "minutes=1")
    tiny.edit("points=4", "points=1")
    tiny.edit("minutes=3", "minutes=1")
    release = all_views(tiny)["release"]
    assert " · about 1 minute · 1 point · [" in cell_of(release, "double-card").source
    assert "*about 1 minute · 1 point, graded by a person*" in cell_of(release, "halves-question").source


def test_ids_are_unique_even_where_cells_are_equal(tiny):
    tiny.edit("# %%\nprint", "# %%\nx = 1\n\n# %%\nx = 1\n\n# %%\nx = 1\n\n# %%\nprint")
    for notebook in all_views(tiny).values():
        ids = [c.id for c in notebook.cells]
        assert len(ids) == len(set(ids))
        same = [c.id for c in notebook.cells if c.source == "x = 1"]
        assert same == [same[0], f"{same[0]}-2", f"{same[0]}-3"]
        nbformat.validate(notebook)


def test_an_edit_changes_the_id_of_its_own_cell_alone(tiny):
    before = {view: [c.id for c in n.cells] for view, n in all_views(tiny).items()}
    tiny.edit("Twice as much is often enough.", "Twice as much is always enough.")
    tiny.edit("twice_as_much = number + number", "twice_as_much = number * 2")
    tiny.edit("Add the number to itself.", "Add the number to the number.")
    for view, notebook in all_views(tiny).items():
        after = [c.id for c in notebook.cells]
        assert sum(a != b for a, b in zip(before[view], after, strict=True)) == 1
        assert before[view].index((set(before[view]) - set(after)).pop()) == 2  # the prose that was edited


def test_a_new_cell_changes_no_other_id(tiny):
    before = {view: {c.id for c in n.cells} for view, n in all_views(tiny).items()}
    tiny.edit("# %%\nprint", '# %%\nprint("more")\n\n# %%\nprint')
    for view, notebook in all_views(tiny).items():
        assert len(notebook.cells) == len(before[view]) + 1
        assert before[view] < {c.id for c in notebook.cells}


def test_to_release_a_master_leaves_it_as_it_was(tiny):
    master = views.master(tiny.read(), SLUG)
    before = views.written(master)
    once, twice = (views.written(views.released(master)) for _ in range(2))
    assert views.written(master) == before
    assert once == twice != before


def test_what_nbgrader_is_configured_with_never_reaches_the_environment_of_a_build(repo, monkeypatch):
    for name in ("TRAINLAB_FAST", "TRAINLAB_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    before = dict(os.environ)
    config, wanted = load(repo.root / "autograder")
    assert config.CourseDirectory.release_directory == "../course"
    assert (wanted["TRAINLAB_FAST"], wanted["TRAINLAB_OFFLINE"]) == ("1", "1")
    assert dict(os.environ) | {"PATH": ""} == before | {"PATH": ""}


def test_what_stands_between_markers_goes_with_them_or_stays():
    markers = ("### BEGIN SOLUTION", "### END SOLUTION")
    text = (
        "a\n    ### BEGIN SOLUTION\n    b\n    ### END SOLUTION\nc\n### BEGIN SOLUTION\nd\n### END SOLUTION"
    )
    assert views.without(text, markers) == "a\n    b\nc\nd"
    assert views.without(text, markers, body=True) == "a\nc"


def test_stock_nbgrader_releases_the_same_bytes(tiny, repo):
    tiny.build()
    built = tiny.release.read_bytes()
    shutil.copy(repo.root / "autograder" / NAME, tiny.repo.root / "autograder")
    shutil.rmtree(tiny.release.parent)
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "generate_assignment", CHAPTER],
        cwd=tiny.repo.root / "autograder",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert tiny.release.read_bytes() == built
