"""What happens to a class when its grading is stopped, killed, starved or disturbed: real processes, real signals."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from autograder.course import Course
from autograder.kernels.sandbox import refuse_if_missing
from autograder.repo import UserError
from tests.grading.classroom import LEARNERS, hand_in, kept_whole, solved_by, written
from tests.grading.processes import PATIENCE, still_there

SQLITE_ITSELF_WAITS = 5
DISK = 64 << 20  # bytes: room for the class, and soon full


@pytest.fixture(autouse=True)
def _sandbox():
    try:
        refuse_if_missing()
    except UserError as missing:
        pytest.skip(str(missing))


def goes_on(start, course, ground):
    """Grade again: nobody is graded twice, and everybody has the points of an undisturbed run."""
    kept_whole(course, written(course))
    assert start().done()[0] == 0
    kept_whole(course, LEARNERS)
    assert sorted(written(course)) == sorted(LEARNERS)
    assert list(ground.iterdir()) == []


def test_ctrl_c_is_one_line_and_what_is_graded_stays(start, small_class, ground):
    hand_in(small_class, "ps1", LEARNERS[0], [], seconds=2 * PATIENCE)  # nobody waits for her
    grader = start()
    grader.until(grader.has_graded(1))
    os.killpg(grader.process.pid, signal.SIGINT)
    assert grader.done() == (130, ["Stopped. What is done is kept; the same command goes on from there."], "")
    assert grader.left() == []
    assert list(ground.iterdir()) == []
    assert LEARNERS[0] not in written(small_class)
    hand_in(small_class, "ps1", LEARNERS[0], solved_by(LEARNERS[0]))
    goes_on(start, small_class, ground)


def test_a_killed_grader_leaves_no_process_and_the_next_one_tidies_up(start, small_class, ground):
    grader = start()
    grader.until(grader.has_graded(1))
    grader.process.kill()
    assert grader.done()[0] == -signal.SIGKILL
    assert grader.left() == []
    assert len(list(ground.iterdir())) == 1
    assert 1 <= len(written(small_class)) < len(LEARNERS)
    goes_on(start, small_class, ground)


def test_a_worker_that_is_killed_costs_nobody_a_point(start, small_class, ground):
    grader = start()
    worker, *below = grader.until(grader.busy_worker)
    worker.kill()
    assert still_there([worker, *below]) == []
    assert grader.done()[0] == 0
    kept_whole(small_class, LEARNERS)
    assert sorted(written(small_class)) == sorted(LEARNERS)
    assert grader.left() == []
    assert list(ground.iterdir()) == []


def test_a_locked_gradebook_is_waited_for_and_a_second_grader_is_told(start, small_class, ground):
    grader = start()
    grader.until(grader.has_graded(1))
    with contextlib.closing(sqlite3.connect(small_class.root / "gradebook.db", timeout=PATIENCE)) as other:
        other.execute("begin exclusive")
        told = start().done()
        time.sleep(SQLITE_ITSELF_WAITS)
        other.rollback()
    reason = "ps1 is being graded by another process already: wait until it is done."
    assert told == (2, [reason], "")
    assert grader.done()[0] == 0
    kept_whole(small_class, LEARNERS)
    assert sorted(written(small_class)) == sorted(LEARNERS)
    assert list(ground.iterdir()) == []


@pytest.mark.skipif(not shutil.which("bwrap"), reason="needs bubblewrap for a small disk")
def test_a_full_disk_is_one_line_and_with_room_again_it_goes_on(repo, small_class, ground, tmp_path):
    full, mended, disk = tmp_path / "full", tmp_path / "mended", tmp_path / "disk"
    disk.mkdir()
    grade = f"{sys.executable} -m autograder grade ps1 --course {disk} --no-sandbox"
    # Where the second learner's pages are, the first learner's grades are kept; then somebody fills the disk. (Or the
    # grader has ended before: nothing to wait for, and the codes say so.)
    script = f"""
        cp -r {small_class.root}/. {disk}
        (until [ "$(ls {disk}/feedback | wc -l)" -ge 2 ] || [ -s {tmp_path}/codes ]; do sleep 0.05; done
         cat /dev/zero > {disk}/film) &
        {grade} 2> {tmp_path}/said; echo $? > {tmp_path}/codes
        wait; cp -r {disk} {full}; rm {disk}/film
        {grade}; echo $? >> {tmp_path}/codes; cp -r {disk} {mended}
    """
    box = ["bwrap", "--dev-bind", "/", "/", "--size", str(DISK), "--tmpfs", str(disk)]
    box += ["--unshare-pid", "--proc", "/proc", "--die-with-parent"]
    done = subprocess.run(
        [*box, "sh", "-c", script],
        cwd=repo.root,
        env={**os.environ, "TMPDIR": str(ground)},
        timeout=4 * PATIENCE,
    )
    if done.returncode:
        pytest.skip("bubblewrap cannot make a small disk here")
    *_, line = (tmp_path / "said").read_text().splitlines()
    assert (tmp_path / "codes").read_text().split() == ["2", "0"]
    assert line.startswith("Stopped: grades cannot be written (")
    full, mended = Course.at(full), Course.at(mended)
    assert 1 <= len(written(full)) < len(LEARNERS)
    kept_whole(full, written(full))
    kept_whole(mended, LEARNERS)
    assert sorted(written(mended)) == sorted(LEARNERS)
    assert list(ground.iterdir()) == []
