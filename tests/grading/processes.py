"""The command that grades, as a process of its own that tests may stop, kill and look after."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import psutil

from tests.grading.classroom import written

PATIENCE = 120  # seconds, after which something hangs


def _hear_ctrl_c():
    """What a shell starts in the background is deaf to it, and so would be what that starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Grader:
    """``python -m autograder grade ps1`` in a process group of its own, as at a terminal."""

    def __init__(self, repo, course, ground, *options):
        command = [sys.executable, "-m", "autograder", "grade", "ps1", "--course", str(course.root)]
        self.process = subprocess.Popen(
            [*command, "--workers", "2", *options],
            cwd=repo.root,
            env={**os.environ, "TMPDIR": str(ground)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            preexec_fn=_hear_ctrl_c,
        )
        self.course, self.seen = course, set()

    def until(self, condition):
        """Wait for something that happens while it runs."""
        deadline = time.monotonic() + PATIENCE
        while not (found := condition()):
            assert self.process.poll() is None, self.process.communicate()[1]
            assert time.monotonic() < deadline
            self.look()
            time.sleep(0.02)
        self.look()
        return found

    def look(self):
        """Remember its processes, sandboxes and all."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self.seen |= set(psutil.Process(self.process.pid).children(recursive=True))

    def has_graded(self, number):
        return lambda: len(written(self.course)) >= number

    def busy_worker(self):
        """One of its processes that is busy in sandboxes, and all below it; nobody else's, ever."""
        for process in self.seen:
            with contextlib.suppress(psutil.Error):
                below = process.children(recursive=True)
                if _is_worker(process) and in_sandboxes(process):
                    return [process, *below]
        return []

    def done(self):
        """Its exit code, and the lines that it said and complained; the bar does not count."""
        output, errors = self.process.communicate(timeout=PATIENCE)
        complaints = [line for line in errors.splitlines() if line and "submission/s" not in line]
        return self.process.returncode, complaints, output

    def left(self):
        """What still runs of its processes a moment after its end."""
        return still_there(self.seen)

    def end(self):
        """End whatever a failed test left."""
        self.look()
        self.process.kill()
        self.process.communicate()
        for process in self.seen:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()  # never a stranger: psutil knows a process by its number and its start


def in_sandboxes(worker):
    """Whether both sandboxes of a notebook stand, its own and the tests'.

    While bubblewrap still builds one, whoever kills it may leave its inner half behind, asleep for good: that half is
    told to end with the outer one only after the outer one has let it go on.
    """
    boxes = [child for child in worker.children() if child.name() == "bwrap"]
    inside = [{process.name() for process in box.children(recursive=True)} for box in boxes]
    return len(boxes) == 2 and all("sh" in names for names in inside)


def _is_worker(process):
    """Forked by the server that multiprocessing keeps for it, and so with the same command line."""
    return "multiprocessing.forkserver" in " ".join(process.cmdline()) and process.cmdline() == (
        process.parent().cmdline()
    )


def still_there(processes):
    """Which of the processes have not ended within a few seconds."""
    _, alive = psutil.wait_procs(processes, timeout=5)
    return [process for process in alive if process.status() != psutil.STATUS_ZOMBIE]
