"""What a command used: its own, its children's, and what its orphans did when it had ended."""

import sys
import textwrap
import time

import pytest

from autograder.meter import Memory, Process, below, measured, memory

BUSY = "import time\nwhile time.process_time() < 0.5: pass\n"
ORPHAN = f"""
import os
if os.fork() == 0:
    {textwrap.indent(BUSY, "    ").strip()}
    os._exit(0)
"""


@pytest.fixture
def used(tmp_path):
    def run(code):
        return measured([sys.executable, "-c", code], tmp_path, tmp_path / "a.log")

    return run


@pytest.mark.parametrize("code", [BUSY, ORPHAN], ids=["by itself", "by what it left behind"])
def test_processor_time_counts_whoever_spent_it(used, code):
    assert used(code).cpu >= 0.5


def test_the_clock_stops_when_the_command_ends(used):
    start = time.perf_counter()
    told = used("import os, time\nif os.fork() == 0: time.sleep(1)\n").wall
    assert time.perf_counter() - start >= told + 1


def test_the_command_runs_where_it_is_told_and_its_words_and_its_end_are_kept(used, tmp_path):
    assert used("import os, sys; print(os.getcwd()); sys.exit(3)").code == 3
    assert (tmp_path / "a.log").read_text().strip() == str(tmp_path)


def test_memory_is_measured_while_the_command_runs(used):
    large = used("import time; a = bytearray(300 << 20); time.sleep(1)")
    assert 300 < large.memory.everything < 400


SERVER = "python -c from multiprocessing.forkserver import main"
ZYGOTE = "python /x/autograder/kernels/zygote.py /tmp/socket torch"
CLASS = [
    Process(10, 1, "python -m autograder grade ch01", 1),
    Process(20, 10, SERVER, 1),
    Process(30, 10, ZYGOTE, 1),
    *(Process(n, 20, SERVER, 1) for n in (21, 22)),
    *(Process(n, parent, "bwrap", 1) for n, parent in ((211, 21), (221, 22))),
    *(Process(n, parent, "sh", space) for n, parent, space in ((212, 211, 21), (222, 221, 22))),
    *(Process(n, 30, ZYGOTE, space) for n, space in ((31, 21), (32, 22))),
    Process(2111, 21, SERVER, 1),  # a worker about to start something
]
SIZES = {10: 100, 20: 60, 30: 200, 21: 50, 22: 40, 211: 1, 221: 1, 212: 1, 222: 1, 31: 80, 32: 10, 2111: 0}


def test_a_worker_has_a_sandbox_and_a_share_of_the_warm_processes():
    found = memory(CLASS, lambda process: SIZES[process.number])
    assert found.worker == 50 + 1 + 1 + 80
    assert found.shared == 60 + 200
    assert found.with_share == found.worker + found.shared / 2
    assert found.everything == sum(SIZES.values())


def test_without_workers_there_is_only_a_whole():
    assert memory(CLASS[:1], lambda process: 7) == Memory(everything=7)


def test_the_peak_is_kept_of_each_number():
    assert Memory(1, 5, 2, 8).peak(Memory(3, 4, 6, 7)) == Memory(3, 5, 6, 8)


def test_processes_below_are_found_in_any_order():
    assert {p.number for p in below(20, reversed(CLASS))} == {21, 22, 211, 221, 212, 222, 2111}
