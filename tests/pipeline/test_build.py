"""``build`` and ``build --check``: the disk holds what the sources say, all of it or nothing of it."""

import json
import shutil

import nbformat
import pytest

from autograder import __main__
from autograder.build import build, check, read_all, rendered
from autograder.repo import Repo
from tests.pipeline.conftest import CHAPTER, SOURCE, cell_of, printed, replace, told

ROOMS = ["master", "release", "solved"]
STALE = "differs from its source; edit the source and run `python -m autograder build`."


@pytest.fixture
def command(tiny, monkeypatch, capsys):
    """``python -m autograder`` in the tiny repository: what it returns, prints and complains of."""
    monkeypatch.setattr(__main__, "this_repo", lambda: tiny.repo)

    def run(*args):
        code = __main__.main(args)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return run


def problems(tiny):
    return check(tiny.repo, tiny.repo.chapters())


def name(tiny, path):
    return str(path.relative_to(tiny.repo.root))


# ---- writing --------------------------------------------------------------------------------------------


def test_a_build_writes_three_notebooks_and_the_index(tiny):
    before = tiny.files()
    changed = tiny.build()
    expected = [tiny.master, tiny.release, tiny.solved, tiny.repo.index]
    assert sorted(changed) == sorted(expected)
    assert {p: c for p, c in tiny.files().items() if p not in expected} == before
    assert all(p.exists() for p in expected)


def test_a_second_build_changes_nothing(tiny):
    tiny.build()
    before = {p: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino) for p in tiny.files()}
    assert tiny.build() == []
    assert {p: (p.read_bytes(), p.stat().st_mtime_ns, p.stat().st_ino) for p in tiny.files()} == before


def test_to_render_writes_nothing_and_gives_the_same_twice(tiny):
    before = tiny.files()
    lessons = read_all(tiny.repo, tiny.repo.chapters())
    once = rendered(tiny.repo, lessons)
    assert once == rendered(tiny.repo, lessons) == rendered(tiny.repo, read_all(tiny.repo, [CHAPTER]))
    assert tiny.files() == before
    assert set(once) == {tiny.master, tiny.release, tiny.solved}


def test_the_same_source_gives_the_same_bytes_elsewhere(tiny, tmp_path):
    tiny.build()
    other = Repo(tmp_path / "elsewhere")
    shutil.copytree(tiny.repo.source, other.source)
    shutil.copy(tiny.repo.root / "pyproject.toml", other.root)
    build(other, other.chapters())
    for room in (tiny.master, tiny.release, tiny.solved, tiny.repo.index):
        assert (other.root / room.relative_to(tiny.repo.root)).read_bytes() == room.read_bytes()


def test_only_what_differs_is_written(built):
    built.edit("Adding a number to itself", "To add a number to itself")
    assert built.build() == [built.solved]  # the only view that has "why it is so"
    built.edit("twice_as_much = number + number", "twice_as_much = 2 * number")
    assert built.build() == [built.master, built.solved]
    built.edit("points=2", "points=3")
    assert built.build() == [built.master, built.release, built.solved, built.repo.index]


@pytest.mark.parametrize("room", ROOMS)
def test_a_build_puts_a_changed_or_missing_file_right(built, room):
    path = getattr(built, room)
    good = path.read_bytes()
    built.change(path, lambda n: n.cells.pop(2))
    assert built.build() == [path]
    assert path.read_bytes() == good
    path.write_bytes(b"\xff\xfe no text")
    assert built.build() == [path]
    path.unlink()
    assert built.build() == [path]


def test_the_index_lists_every_exercise_of_every_chapter(tiny):
    other = SOURCE.replace('"double"', '"treble"').replace("title: Doubling", "title: Più")
    tiny.add_lesson(other, chapter="ch02_more")
    build(tiny.repo, [CHAPTER])
    row = {"topic": "Arithmetic", "level": 1, "points": 2}
    assert json.loads(tiny.repo.index.read_text("utf-8")) == [
        {"chapter": CHAPTER, "lesson": "Doubling", "exercise": "double", **row},
        {"chapter": "ch02_more", "lesson": "Più", "exercise": "treble", **row},
    ]
    assert "Più" in tiny.repo.index.read_text("utf-8")  # for people to read, too
    assert not (tiny.repo.course / "ch02_more").exists()


def test_one_faulty_source_keeps_all_from_being_written(tiny):
    other = tiny.add_lesson(SOURCE.replace('"double"', '"treble"').replace("level=1", "level=7"))
    third = tiny.add_lesson(SOURCE.replace('"double"', '"half"').replace("points=2", "points=0"), "03_less")
    before = tiny.files()
    said = told(tiny.build).splitlines()
    assert [line.partition(": ")[0] for line in said] == [f"{other}:14", f"{third}:38"]
    assert tiny.files() == before


def test_a_run_that_fails_costs_the_other_lessons_nothing(tiny):
    unlucky = SOURCE.replace('"double"', '"treble"').replace("def double", "def treble")
    tiny.add_lesson(unlucky.replace('print("nothing', 'raise ValueError("no luck")\nprint("nothing'))
    assert "no luck" in told(tiny.build, run=True)
    assert outputs(tiny)[0][0] == 1


def test_a_second_run_executes_only_what_changed(built, monkeypatch):
    ran = []
    monkeypatch.setattr("autograder.build.execute", lambda notebook, path, **_: ran.append(path) or notebook)
    assert built.build(run=True) == []
    assert ran == []
    built.build(run=True, again=True)
    assert ran == [built.solved]
    built.edit('print("nothing', 'print("next to nothing')
    built.build(run=True)
    assert ran == [built.solved] * 2


def test_an_exercise_that_exists_in_another_lesson_is_named_with_both_places(tiny):
    other = tiny.add_lesson(SOURCE)
    third = tiny.add_lesson(SOURCE, chapter="ch02_more")
    assert told(tiny.build).splitlines() == [
        f"{path}:14: exercise 'double' exists already, at {tiny.source}:14." for path in (other, third)
    ]
    assert not tiny.repo.master.exists()
    assert "exists already" in told(build, tiny.repo, [CHAPTER])
    other.unlink()
    assert "exists already" in told(build, tiny.repo, [CHAPTER])  # the index has all chapters


def test_notebooks_without_a_source_are_removed(built):
    old = built.add_lesson(SOURCE.replace('"double"', '"treble"'))
    built.build()
    orphans = [(p.parent / "02_more.ipynb") for p in (built.master, built.release, built.solved)]
    assert all(p.exists() for p in orphans)
    keep = built.release.parent / "notes.txt"
    keep.touch()
    old.unlink()
    assert built.build() == [built.repo.index, *sorted(orphans)]
    assert not any(p.exists() for p in orphans)
    assert all(p.exists() for p in (built.master, built.release, built.solved, keep))


def test_notebooks_of_a_chapter_without_a_source_are_removed(built):
    old = built.add_lesson(SOURCE.replace('"double"', '"treble"'), chapter="ch02_more")
    built.build()
    own = built.repo.course / "my_notes" / "diary.ipynb"
    own.parent.mkdir()
    own.touch()
    old.unlink()
    rooms = (built.repo.course, built.repo.master, built.repo.solutions)
    orphans = sorted(r / "ch02_more" / "02_more.ipynb" for r in rooms)
    assert [p.partition(": ")[0] for p in problems(built)] == [
        name(built, built.repo.index),
        *(name(built, p) for p in orphans),
    ]
    assert built.build() == [built.repo.index, *orphans]
    assert own.exists()
    assert problems(built) == []


def test_a_chapter_that_is_not_built_keeps_its_notebooks(built):
    built.add_lesson(SOURCE.replace('"double"', '"treble"'), chapter="ch02_more")
    built.build()
    stray = built.repo.course / "ch02_more" / "stray.ipynb"
    stray.touch()
    assert build(built.repo, [CHAPTER]) == []
    assert stray.exists()


@pytest.mark.parametrize("room", ["master", "course", "solutions"])
def test_a_folder_that_cannot_be_written_is_one_line(tiny, room):
    folder = getattr(tiny.repo, room)
    folder.parent.mkdir(exist_ok=True)
    folder.write_text("a file is in the way")
    said = told(tiny.build)
    assert said.startswith(f"Cannot write {folder}")
    assert said.endswith("Are you the owner of the folder?")
    assert "\n" not in said


def test_a_folder_that_cannot_be_written_is_told_before_anything_runs(tiny, command, monkeypatch):
    monkeypatch.setattr("autograder.build.execute", None)
    tiny.repo.solutions.write_text("a file is in the way")
    code, out, err = command("build", "--execute")
    assert (code, out) == (2, "")
    assert err.startswith(f"Cannot write {tiny.solved.parent}")


def test_a_write_that_fails_leaves_the_old_file_and_no_part_of_the_new(built, monkeypatch):
    built.edit("Twice as much is", "Thrice as much is")
    before = built.files()

    def fail(*_):
        raise OSError(28, "No space left on device", str(built.master))

    monkeypatch.setattr("autograder.build.os.replace", fail)
    assert told(built.build).startswith(f"Cannot write {built.master}: No space left on device.")
    assert built.files() == before


def test_generated_files_can_be_read_by_everybody(tiny):
    assert {p.stat().st_mode & 0o777 for p in tiny.build()} == {0o644}


# ---- outputs --------------------------------------------------------------------------------------------


def outputs(tiny):
    cells = nbformat.read(tiny.solved, as_version=4).cells
    return [(c.execution_count, c.outputs) for c in cells if c.cell_type == "code"]


def test_outputs_stay_where_only_prose_changed(built):
    def add_state(notebook):
        notebook.metadata.widgets = {"application/vnd.jupyter.widget-state+json": {"state": {}}}
        cell_of(notebook, "install").metadata.author = "somebody"

    built.change(built.solved, add_state)
    before = outputs(built)
    assert before[0][0] == 1
    built.edit("Twice as much is often enough.", "Once is not enough.")
    built.edit("Adding a number", "To add a number")
    assert built.solved in built.build()
    assert outputs(built) == before
    notebook = nbformat.read(built.solved, as_version=4)
    assert "widgets" in notebook.metadata
    assert not cell_of(notebook, "install").metadata  # outputs and nothing else
    assert "Once is not enough." in built.solved.read_text("utf-8")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("number + number", "2 * number"),
        ('print("nothing', 'print("next to nothing'),
        ("# %%\nprint", "# %%\nx = 1\n\n# %%\nprint"),
        ("import Check, HiddenTest", "import HiddenTest, Check"),
    ],
)
def test_outputs_go_where_any_code_changed(built, old, new):
    built.edit(old, new)
    built.build()
    assert set(map(str, outputs(built))) == {"(None, [])"}
    assert any("was not executed since its code changed" in p for p in problems(built))


def test_outputs_stay_where_only_hidden_code_changed(built):
    before = outputs(built)
    built.edit('HiddenTest("double") as test:\n', 'HiddenTest("double") as test:\n    spare = 1\n')
    built.build()
    assert outputs(built) == before
    assert problems(built) == []


def test_a_run_fills_the_solutions_on_the_full_budget_and_satisfies_every_rule(tiny, command, monkeypatch):
    for name in ("TRAINLAB_FAST", "TRAINLAB_OFFLINE"):
        monkeypatch.setenv(name, "1")
    ask = 'import os\n\nprint(os.environ["TRAINLAB_FAST"], os.environ["TRAINLAB_OFFLINE"])\n'
    tiny.edit('print("nothing', f'{ask}print("nothing')
    code, out, err = command("build", "--execute")
    assert (code, err) == (0, "")
    assert out.count("wrote ") == 4
    ran = nbformat.read(tiny.solved, as_version=4)
    assert printed("0 0\nnothing to solve in an experiment\n") in [
        o for c in ran.cells for o in c.get("outputs", [])
    ]
    assert cell_of(ran, "double-check").outputs == [printed("✓ double: all 2 checks pass.\n")]
    assert command("build", "--check") == (0, "1 chapter(s): all generated files match their sources.\n", "")
    assert command("build") == (0, "Nothing to do: all generated files match their sources.\n", "")


# ---- check ----------------------------------------------------------------------------------------------


def test_a_check_of_a_good_repository_finds_nothing_and_writes_nothing(built, command):
    before = built.files()
    assert problems(built) == []
    assert command("build", "--check", "ch01")[0] == 0
    assert built.files() == before


@pytest.mark.parametrize("room", ROOMS)
def test_a_check_finds_a_file_edited_by_hand(built, room):
    path = getattr(built, room)
    replace(path, "Twice as much is often enough.", "Twice as much is never enough.")
    before = built.files()
    assert problems(built) == [f"{name(built, path)}: {STALE}"]
    assert built.files() == before


def test_a_check_finds_an_index_edited_by_hand(built):
    replace(built.repo.index, '"points": 2', '"points": 200')
    assert problems(built) == [f"{name(built, built.repo.index)}: {STALE}"]


def test_a_check_finds_a_file_that_is_no_text(built):
    built.master.write_bytes(b"\xff\xfe")
    assert problems(built) == [f"{name(built, built.master)}: {STALE}"]


def test_a_check_finds_a_source_that_was_edited_since(built, command):
    built.edit("Twice as much is often enough.", "Twice as much is never enough.")
    code, out, _ = command("build", "--check")
    assert code == 1
    rooms = (built.master, built.release, built.solved)
    assert out.splitlines() == [f"{name(built, p)}: {STALE}" for p in rooms]


@pytest.mark.parametrize("room", ROOMS)
def test_a_check_finds_a_missing_notebook(built, room):
    path = getattr(built, room)
    path.unlink()
    assert problems(built)[0] == f"{name(built, path)}: is missing; run `python -m autograder build`."


def test_a_check_finds_a_missing_index(built):
    built.repo.index.unlink()
    line = f"{name(built, built.repo.index)}: is missing; run `python -m autograder build`."
    assert problems(built) == [line]


@pytest.mark.parametrize("room", ROOMS)
def test_a_check_finds_a_notebook_without_a_source(built, room):
    path = getattr(built, room)
    stray = path.parent / "99_stray.ipynb"
    shutil.copy(path, stray)
    assert problems(built) == [f"{name(built, stray)}: has no source; run `python -m autograder build`."]


def test_a_check_of_a_faulty_source_is_an_error_and_no_finding(built, command):
    built.edit("level=1", "level=7")
    code, out, err = command("build", "--check")
    assert (code, out) == (2, "")
    assert err == f"{built.source}:14: level is 1, 2 or 3, not 7.\n"


# ---- chapters -------------------------------------------------------------------------------------------


def test_a_chapter_is_found_by_its_beginning_and_a_doubtful_one_is_refused(tiny):
    tiny.add_lesson(SOURCE, chapter="ch02_more")
    (tiny.repo.source / "ch03_empty").mkdir()
    assert tiny.repo.chapters() == [CHAPTER, "ch02_more"]
    assert tiny.repo.chapter("ch02") == tiny.repo.chapter("ch02_more") == "ch02_more"
    tiny.add_lesson(SOURCE, chapter="ch02_more_still")
    assert tiny.repo.chapter("ch02_more") == "ch02_more"  # a full name is never doubtful
    known = f"There are: {CHAPTER}, ch02_more, ch02_more_still."
    assert told(tiny.repo.chapter, "ch0") == f"More than one chapter is called 'ch0'. {known}"
    assert told(tiny.repo.chapter, "ch03") == f"No chapter is called 'ch03'. {known}"
    assert told(tiny.repo.chapter, "") == f"More than one chapter is called ''. {known}"
