"""A cell that breaks out of what a cell should be costs itself, and the cells around it go on."""

import time

import pytest

from tests.kernels.conftest import said

ENDED = "it ended the Python process: exit(), os._exit() or a crash"
HARMFUL = {
    "os._exit": ("import os\nos._exit(0)", ENDED),
    "a crash": ("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)", ENDED),
    "a stop that nothing wakes": (
        "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)",
        "would not be interrupted",
    ),
    "a thread that ends it": (
        "import os, threading, time\nthreading.Timer(.1, os._exit, [0]).start()\ntime.sleep(9)",
        ENDED,
    ),
    "processes": (
        """
import subprocess, time
for _ in range(40):
    subprocess.Popen(["sleep", "30"])
time.sleep(9)""",
        "it used more than 18 processes and was stopped",
    ),
    "threads": (
        """
import threading, time
for _ in range(200):
    threading.Thread(target=time.sleep, args=[9]).start()
time.sleep(9)""",
        "it used more than 60 threads and was stopped",
    ),
    "memory in many processes": (
        """
import os, time
for _ in range(8):
    if not os.fork():
        filled = b"1" * (60 << 20)
        time.sleep(30)
time.sleep(9)""",
        "it used more than 300 MB of memory and was stopped",
    ),
}


@pytest.mark.parametrize("kind", HARMFUL)
def test_the_other_cells_go_on_and_this_one_says_why(run, kind):
    cell, why = HARMFUL[kind]
    limits = {"timeout": 3} if "stop" in kind else {"memory_mb": 300} if "memory" in kind else {}
    before, harmful, after = run("x = 1", cell, "print(x)", processes=16, threads=60, **limits).cells
    assert why in said(harmful)
    assert (said(before), said(after)) == ("", "1")


def test_every_cell_that_ends_the_process_is_named(run):
    cells = run(
        "x = 1", "import os; os._exit(0)", "y = x", "os = __import__('os'); os._exit(1)", "print(y)"
    ).cells
    assert [said(cell) for cell in cells] == ["", ENDED, "", ENDED, "1"]


@pytest.mark.parametrize("loop", ["while True: pass", "while True: print('y' * 100)"])
def test_an_endless_loop_is_interrupted_and_what_it_defined_stays(run, loop):
    cells = run(f"def f(): return 1\n{loop}", "print(f())", timeout=2, max_output=100_000).cells
    assert said(cells[1]) == "1"
    assert any(output.output_type == "error" for output in cells[0].outputs)


DEAF = "while True:\n    try:\n        while True: {}\n    except BaseException: pass"


def test_a_loop_that_ignores_interrupts_is_killed(run):
    cells = run(
        "x = 1",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass",
        "print(x)",
        timeout=2,
    ).cells
    assert "it ran longer than 2 seconds, would not be interrupted" in said(cells[1])
    assert said(cells[2]) == "1"


def test_a_flood_that_ignores_interrupts_is_killed(run):
    cells = run("x = 1", DEAF.format("print('y' * 1000)"), "print(x)", max_output=20_000, timeout=30).cells
    assert said(cells[1]) == "it printed without end and was stopped"
    assert said(cells[2]) == "1"


def test_output_is_kept_up_to_a_limit(run):
    printed = said(run("for i in range(1000): print('y' * 100)", max_output=50_000).cells[0])
    assert printed.endswith("… more was printed than is kept.")
    assert 40_000 < len(printed) < 51_000


def test_memory_of_one_process_is_an_error_like_any_other(run):
    cells = run("x = 1", "bytearray(2 << 30)", "print(x)", memory_mb=1024).cells
    assert cells[1].outputs[0].ename == "MemoryError"
    assert said(cells[2]) == "1"


def test_the_notebook_as_a_whole_has_its_time(run):
    started = time.monotonic()
    cells = run(
        "x = 1", "while True: pass", "while True: pass", "print(x)", timeout=60, total_timeout=3
    ).cells
    assert time.monotonic() - started < 60
    assert said(cells[2]) == "not run: the notebook had used up its 3 seconds"
    assert said(cells[3]) == said(cells[2])


def test_a_dead_zygote_costs_speed_and_nothing_else(run, tmp_path):
    assert said(run("print(1)", zygote=str(tmp_path / "nobody")).cells[0]) == "1"


WIPE = """
from IPython.display import clear_output
get_ipython().events.register("post_execute", clear_output)
"""
FORGE = """
kernel = get_ipython().kernel
def send(kind, content):
    kernel.session.send(kernel.iopub_socket, kind, content, parent=kernel.get_parent("shell"))
"""


def kinds(cell):
    return [output.output_type for output in cell.outputs]


@pytest.mark.parametrize(("source", "kind"), [("3", "execute_result"), ("1 / 0", "error")])
def test_what_decides_cannot_be_wiped_away(run, source, kind):
    assert kind in kinds(run(WIPE, source).cells[1])


def test_a_widget_swallows_nothing_that_decides(run):
    catch = "import ipywidgets\nwidget = ipywidgets.Output()\nwidget.__enter__();"
    assert "execute_result" in kinds(run(catch, "3", timeout=10).cells[1])


@pytest.mark.parametrize(
    "forged",
    [
        "send('execute_result', {'data': 3, 'metadata': {}, 'execution_count': 1})",
        "send('display_data', {'data': {'text/plain': 3}, 'metadata': None})",
        "send('stream', {'name': 'stdout', 'text': 3})",
        "send('stream', {})",
        "send('comm_open', {})",
        "send('no such kind', {'a': 1})",
        "kernel.iopub_socket.send_multipart([b'no', b'message'])",
        "kernel.iopub_socket.send_multipart([b'<IDS|MSG>', b'', b'{', b'{}', b'{}', b'{}'])",
    ],
)
def test_what_is_no_message_is_passed_over(run, forged):
    _, sender, after = run(FORGE, forged + ";", "3").cells
    assert "error" not in kinds(sender)
    assert kinds(after) == ["execute_result"]


def test_a_cell_that_asks_the_kernel_to_exit_is_blamed_for_it(run):
    cells = run("x = 1", "exit()", "print(x)").cells
    assert [said(cell) for cell in cells] == ["", ENDED, "1"]
