"""To execute a notebook: what its kernel finds around it, what comes back, and how a failure is told."""

import asyncio
import contextlib
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import Empty

import nbformat
import pytest
import zmq
import zmq.asyncio
from jupyter_client import AsyncKernelClient

from autograder.execute import (
    CellError,
    IOPubChannel,
    KernelClient,
    KernelManager,
    ShellChannel,
    execute,
    quiet_environment,
)
from tests.pipeline.conftest import told

NAMES = ("OMP_NUM_THREADS", "TQDM_DISABLE", "TRAINLAB_HOME", "TRAINLAB_FAST", "TINY")
ASK = f"import json, os, sys\nprint(json.dumps([os.getcwd(), {{k: os.environ.get(k) for k in {NAMES}}}]))"


def notebook(*cells):
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])


def test_the_quiet_environment_is_quiet_and_leaves_no_trace(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("TRAINLAB_HOME", "/somebody/else")
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    before = dict(os.environ)
    with pytest.raises(RuntimeError, match="as it was"), quiet_environment(TINY="1"):
        home = Path(os.environ["TRAINLAB_HOME"])
        assert home.is_dir()
        assert not list(home.iterdir())
        found = [os.environ[k] for k in ("OMP_NUM_THREADS", "TQDM_DISABLE", "TINY")]
        assert found == ["1", "1", "1"]
        os.environ["LEFT_BEHIND"] = "1"
        raise RuntimeError("as it was")
    assert dict(os.environ) == before
    assert not home.exists()


def test_the_caller_chooses_the_threads_but_never_whose_progress_is_kept():
    with quiet_environment(OMP_NUM_THREADS="2", TQDM_DISABLE="0", TRAINLAB_HOME="/somebody/else"):
        assert os.environ["OMP_NUM_THREADS"] == "2"
        assert os.environ["TQDM_DISABLE"] == "1"
        assert os.environ["TRAINLAB_HOME"] != "/somebody/else"


def test_a_notebook_runs_in_its_folder_under_the_environment_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("TRAINLAB_FAST", "1")
    before = dict(os.environ)
    path = tmp_path / "not" / "yet" / "there.ipynb"
    ran = execute(notebook(ASK, "x = 2", "x + 1"), path, TRAINLAB_FAST="0", TINY="yes")
    folder, found = json.loads(ran.cells[0].outputs[0].text)
    assert Path(folder) == path.parent.resolve()
    home = found.pop("TRAINLAB_HOME")
    assert home != before.get("TRAINLAB_HOME")
    assert not Path(home).exists()  # it was the kernel's alone
    assert found == {"OMP_NUM_THREADS": "1", "TQDM_DISABLE": "1", "TRAINLAB_FAST": "0", "TINY": "yes"}
    assert [c.execution_count for c in ran.cells] == [1, 2, 3]
    assert ran.cells[2].outputs[0].data == {"text/plain": "3"}
    assert not any("execution" in c.metadata for c in ran.cells)  # no times: they would differ at every run
    assert dict(os.environ) == before
    assert not path.exists()  # to write it is the caller's business


def test_a_cell_that_fails_is_told_with_its_code_and_its_error(tmp_path):
    path = tmp_path / "fails.ipynb"
    said = told(execute, notebook("x = 1", "y = x / 0", "print('never')"), path)
    assert said.startswith(f"{path}: a cell fails.\n")
    assert "y = x / 0" in said
    plain = re.sub(r"\x1b\[[0-9;]*m", "", said)
    assert plain.rstrip().endswith("ZeroDivisionError: division by zero")
    assert "x = 1" not in said
    assert "never" not in said


def test_what_was_put_out_before_a_cell_failed_comes_with_the_error(tmp_path):
    with pytest.raises(CellError) as failure:
        execute(notebook("print('one')", "1 / 0", "print('never')"), tmp_path / "fails.ipynb")
    first, second, third = failure.value.notebook.cells
    assert first.outputs[0].text == "one\n"
    assert second.outputs[0].ename == "ZeroDivisionError"
    assert third.outputs == []


def test_a_build_keeps_a_solution_that_fails_where_its_author_is_told(tiny):
    tiny.edit('print("nothing', 'print("as far as here")\nassert 1 > 2, "a claim"\nprint("nothing')
    said = told(tiny.build, run=True)
    kept = tiny.repo.failed / tiny.solved.relative_to(tiny.repo.solutions)
    assert "a claim" in said
    assert said.endswith(f"\nWhat it put out until then is kept in {kept}")
    for path, is_there in ((kept, True), (tiny.solved, False)):
        outputs = [c.get("outputs") for c in nbformat.read(path, as_version=4).cells]
        assert ("as far as here" in str(outputs)) is is_there
    tiny.edit("assert 1 > 2", "assert 1 < 2")
    tiny.build(run=True)
    assert not kept.exists()


@pytest.mark.parametrize(
    ("code", "part"),
    [("while True: pass", "timed out"), ("import os\nos._exit(1)", "Kernel died")],
)
def test_a_cell_that_never_ends_or_ends_its_kernel_is_told(tmp_path, code, part):
    path = tmp_path / "stuck.ipynb"
    said = told(execute, notebook(code), path, timeout=1)
    assert said.startswith(f"{path}: a cell fails.\n")
    assert part in said


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    said = told(execute, notebook("1"), tmp_path / "file" / "here" / "x.ipynb")
    assert said == f"Cannot write {tmp_path / 'file' / 'here'}: Not a directory."


class Deaf(zmq.asyncio.Socket):
    """A socket that says once that nothing is there although a message is: its wake-up was lost."""

    asked = 0

    async def poll(self, timeout):
        assert timeout <= 1000
        Deaf.asked += 1
        return Deaf.asked > 1


def alone(coroutine):
    """Run it in a thread of its own: in this one a browser's event loop may still be running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


def test_a_reply_whose_arrival_was_told_to_somebody_else_is_found_at_the_next_look(monkeypatch):
    reply = {
        "header": {},
        "parent_header": {},
        "metadata": {},
        "content": {"status": "ok"},
        "msg_type": "reply",
    }

    async def receive(_):
        return reply

    async def listen(timeout):
        with zmq.asyncio.Context() as context, Deaf(context, zmq.DEALER) as socket:
            return await ShellChannel(socket, session=None).get_msg(timeout)

    monkeypatch.setattr(ShellChannel, "_recv", receive)
    monkeypatch.setattr(Deaf, "asked", 0)
    with pytest.raises(Empty):
        alone(listen(timeout=0))
    monkeypatch.setattr(Deaf, "asked", 0)
    assert alone(listen(timeout=60)) == reply


def test_kernels_are_heard_through_that_channel():
    assert KernelManager().client().shell_channel_class is ShellChannel


def patience(while_getting_ready, monkeypatch):
    """For how long the channel of outputs listens, first while the client gets ready and then later."""
    heard = []

    async def get_msg(_, timeout=None):
        heard.append(timeout)

    async def get_ready(client, _=None):
        await client.iopub_channel.get_msg(0.2)
        if while_getting_ready:
            raise while_getting_ready

    async def listen():
        with zmq.asyncio.Context() as context, context.socket(zmq.SUB) as socket:
            client = KernelClient()
            client._iopub_channel = IOPubChannel(socket, session=None)
            with contextlib.suppress(RuntimeError):
                await client.wait_for_ready()
            for timeout in (None, 4, 0):
                await client.iopub_channel.get_msg(timeout)

    monkeypatch.setattr(IOPubChannel.__base__, "get_msg", get_msg)
    monkeypatch.setattr(AsyncKernelClient, "wait_for_ready", get_ready)
    alone(listen())
    return heard


@pytest.mark.parametrize("failure", [None, RuntimeError("Kernel died")])
def test_outputs_are_waited_for_as_long_as_asked_but_while_the_client_gets_ready(failure, monkeypatch):
    first, *later = patience(failure, monkeypatch)
    assert first < 0.2
    assert later == [None, 4, 0]
