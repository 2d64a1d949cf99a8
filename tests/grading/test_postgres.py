"""The class's gradebook in PostgreSQL: a server of the tests' own, without a port, as an unprivileged user."""

import csv
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from autograder.course import Course
from autograder.grading import Options, export, grade_class, release
from autograder.kernels.sandbox import refuse_if_missing
from autograder.repo import UserError
from tests.grading.classroom import (
    LEARNERS,
    a_class,
    by_hand,
    copied,
    earned,
    grade_by_hand,
    hand_in,
    kept_whole,
)

PATIENCE = 120  # seconds, after which something hangs
TWO = LEARNERS[:2]


def tools():
    """The folder of the newest server on this machine; Debian keeps it out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    found = found[-1] if found else shutil.which("initdb")
    return Path(found).parent if found else None


def unprivileged():
    """A server refuses to run as root."""
    if os.geteuid():
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    user = known.get("postgres") or known["nobody"]
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@pytest.fixture(scope="module")
def server():
    """The folder of its socket."""
    pytest.importorskip("psycopg", reason="needs psycopg")
    if sys.platform == "win32" or not tools():
        pytest.skip("needs a PostgreSQL server: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))  # a short name: it holds a socket
    whose = unprivileged()
    if whose:
        os.chown(folder, whose["user"], whose["group"])
    common = {"cwd": folder, "stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, **whose}
    setup = ["--auth=trust", "--username=grader", "--encoding=UTF8", "--no-locale", "--no-sync"]
    subprocess.run([tools() / "initdb", *setup, f"--pgdata={folder}/data"], check=True, **common)
    quick = ["-c", "fsync=off", "-c", "listen_addresses=", "-c", f"unix_socket_directories={folder}"]
    with open(folder / "log", "w") as log:
        running = subprocess.Popen(
            [tools() / "postgres", "-D", folder / "data", *quick], stderr=log, **common
        )
    try:
        _wait_for(folder, running)
        yield folder
    finally:
        running.send_signal(signal.SIGINT)  # a fast shutdown
        running.wait(PATIENCE)
        shutil.rmtree(folder)


def _wait_for(folder, running):
    import psycopg

    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return psycopg.connect(host=str(folder), user="grader", dbname="postgres").close()
        except psycopg.OperationalError:
            assert running.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)


def database(server, name):
    """The address of a new, empty database."""
    import psycopg

    with psycopg.connect(host=str(server), user="grader", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"create database {name}")
    return address(server, name)


def address(server, name):
    return f"postgresql+psycopg://grader@/{name}?host={server}"


def setting(url):
    return f"c.CourseDirectory.db_url = {url!r}\n"


@pytest.fixture(scope="module")
def graded(server, repo, tmp_path_factory):
    try:
        refuse_if_missing()
    except UserError as missing:
        pytest.skip(str(missing))
    root = tmp_path_factory.mktemp("postgres") / "class"
    course = a_class(repo, root, "ps1", more=setting(database(server, "graded")))
    results = grade_class(course, "ps1", list(LEARNERS))
    assert {r.student: r.earned for r in results} == {who: earned(who) for who in LEARNERS}
    return course


def test_the_gradebook_holds_the_points_that_sqlite_would_and_no_file_is_made(graded):
    kept_whole(graded, LEARNERS)
    assert not list(graded.root.rglob("*.db"))


def test_grading_again_grades_nobody(graded, monkeypatch):
    monkeypatch.setattr("autograder.crew.run", None)
    results = grade_class(graded, "ps1", list(LEARNERS))
    assert {r.student: r.earned for r in results} == {who: earned(who) for who in LEARNERS}


def test_points_by_hand_stay(graded):
    grade_by_hand(graded, "ada", "why-answer", 2.5)
    grade_class(graded, "ps1", ["ada"], Options(force=True))
    assert by_hand(graded, "ada", "why-answer") == (2.5, True)
    grade_by_hand(graded, "ada", "why-answer", None)


def test_grades_are_exported(graded):
    with export(graded).open(encoding="utf-8") as file:
        scores = {row["student_id"]: float(row["score"]) for row in csv.DictReader(file)}
    assert scores == {who: sum(earned(who).values()) for who in LEARNERS}


def test_formgrader_finds_everything_that_it_shows(graded):
    assert [a["name"] for a in graded.api.get_assignments()] == ["ps1"]
    submissions = {s["student"]: s for s in graded.api.get_submissions("ps1")}
    assert {who: s["autograded"] for who, s in submissions.items()} == dict.fromkeys(LEARNERS, True)
    assert {who: s["score"] for who, s in submissions.items()} == {
        who: sum(earned(who).values()) for who in LEARNERS
    }
    assert {s["id"] for s in graded.api.get_students()} == set(LEARNERS)
    assert len(graded.api.get_notebook_submissions("ps1", "p1")) == len(LEARNERS)


def test_a_learner_whom_the_database_does_not_take_takes_nobody_along(graded, tmp_path):
    course = copied(graded, tmp_path / "class")
    giant = "x" * 200
    shutil.copytree(course.path("submitted", "ada", "ps1"), course.path("submitted", giant, "ps1"))
    hand_in(course, "ps1", "fay", [])
    first, second = grade_class(course, "ps1", [giant, "fay"])
    assert "value too long" in first.reasons[0]
    assert second.score == 0
    hand_in(course, "ps1", "fay", ["square", "negate"])
    grade_class(course, "ps1", ["fay"])
    kept_whole(graded, LEARNERS)


def test_two_graders_of_two_assignments_meet_in_an_empty_database(server, repo, tmp_path):
    course = a_class(repo, tmp_path / "class", "ps1", "ps2", learners=TWO)
    config = course.root / "nbgrader_config.py"
    config.write_text(config.read_text("utf-8") + setting(database(server, "met")), "utf-8")
    graders = [
        subprocess.Popen(
            [sys.executable, "-m", "autograder", "grade", name, "--course", course.root, "--workers", "1"],
            cwd=repo.root,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name in ("ps1", "ps2")
    ]
    said = [grader.communicate(timeout=PATIENCE)[1] for grader in graders]
    assert [grader.returncode for grader in graders] == [0, 0], said
    course = Course.at(course.root)
    for name in ("ps1", "ps2"):
        kept_whole(course, TWO, name)


def test_a_database_that_is_not_there_is_one_line_without_the_password(server, repo, handed_in, tmp_path):
    course = copied(handed_in, tmp_path / "class")
    url = address(server, "nowhere").replace("grader@", "grader:secret@")
    with (course.root / "nbgrader_config.py").open("a") as config:
        config.write(setting(url))
    with pytest.raises(UserError, match=r'cannot be opened: .*"nowhere" does not exist') as error:
        release(Course.at(course.root), "ps1")
    assert "secret" not in str(error.value)
