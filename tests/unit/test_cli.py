"""Bad input: one clear line each, and an exit code that says so."""

import socket
import subprocess
import sys

import pytest

from autograder.__main__ import main
from autograder.repo import this_repo


@pytest.mark.parametrize("command", ["build", "verify"])
def test_an_unknown_chapter(command, capsys):
    assert main([command, "ch99"]) == 2
    there = ", ".join(this_repo().chapters())
    assert capsys.readouterr().err.startswith(f"No chapter is called 'ch99'. There are: {there}")


def test_a_port_in_use(capsys):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["demo", "--formgrader", "--port", str(port)]) == 2
    assert capsys.readouterr().err == f"Port {port} is in use: choose another with --port.\n"


def test_a_missing_package_is_named(capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbgrader.api", None)
    monkeypatch.delitem(sys.modules, "autograder.grading", raising=False)
    assert main(["grade", "ch01"]) == 2
    error = capsys.readouterr().err
    assert "nbgrader" in error
    assert "make install" in error
    assert error.count("\n") == 1


def test_no_command_prints_the_usage(capsys):
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2
    assert "COMMAND" in capsys.readouterr().err


def test_the_package_runs_as_a_module(repo):
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "--help"],
        cwd=repo.root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert all(command in done.stdout for command in ("build", "verify", "grade", "demo"))
