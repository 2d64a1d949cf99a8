"""What holds the repository itself together."""

import ast
import fnmatch
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from autograder.build import check, read_all

CONDA_NAME = {"torch": "pytorch"}


def requirements(repo):
    lines = (line.split("#")[0].strip() for line in (repo.root / "requirements.txt").read_text().splitlines())
    return [Requirement(line) for line in lines if line]


def test_both_package_lists_name_the_same_versions(repo):
    if not all(r.specifier for r in requirements(repo)):
        pytest.skip("requirements.txt is unpinned here: the weekly run on the newest versions")
    pinned = {
        CONDA_NAME.get(r.name, r.name): str(r.specifier).removeprefix("==")
        for r in requirements(repo)
        if not r.marker or r.marker.evaluate({"python_version": "3.12"})
    }
    listed = yaml.safe_load((repo.root / "environment.yml").read_text())["dependencies"]
    pip = next(entry["pip"] for entry in listed if isinstance(entry, dict))
    conda = dict(
        entry.split("=", 1) for entry in listed if isinstance(entry, str) and re.search(r"\w=\d", entry)
    )
    conda |= dict(entry.split("==") for entry in pip if "==" in entry)
    assert conda == pinned


@pytest.mark.parametrize("version", ["3.10", "3.11", "3.13"])
def test_every_package_is_pinned_once_for_every_python(repo, version):
    names = [
        r.name for r in requirements(repo) if not r.marker or r.marker.evaluate({"python_version": version})
    ]
    assert len(names) == len(set(names))
    assert {"torch", "nbgrader", "nbval", "jupyterlab"} <= set(names)


def test_the_toolkit_needs_nothing_that_is_not_installed(repo):
    from autograder.repo import tomllib

    project = tomllib.loads((repo.root / "pyproject.toml").read_text())["project"]
    needed = {Requirement(line).name for line in project["dependencies"]}
    assert needed <= {r.name for r in requirements(repo)} | {"ipython"}  # ipython comes with ipykernel


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]])
def test_ruff_is_content(repo, command):
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *command, "."], cwd=repo.root, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_generated_files_match_their_sources(repo):
    assert check(repo, repo.chapters()) == []


def test_the_toolkit_knows_nothing_of_the_autograder(repo):
    for path in (repo.course / "trainlab").glob("*.py"):
        assert "autograder" not in imported(path.read_text("utf-8")), path


def test_lessons_import_the_toolkit_and_public_libraries_only(repo):
    for lesson in read_all(repo, repo.chapters()):
        code = "\n".join(c.text for c in lesson.cells if c.kind == "code")
        assert "autograder" not in imported(code), lesson.path


def imported(code):
    nodes = ast.walk(ast.parse(code))
    names = (
        [a.name for a in n.names] if isinstance(n, ast.Import) else [n.module or ""]
        for n in nodes
        if isinstance(n, (ast.Import, ast.ImportFrom))
    )
    return {name.split(".")[0] for group in names for name in group}


@pytest.mark.parametrize("name", ["test", "gpu", "newest"])
def test_workflows_run_the_same_command_as_everybody(repo, name):
    workflow = yaml.safe_load((repo.root / ".github" / "workflows" / f"{name}.yml").read_text())
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert any(step.get("run") == ".ci/run" for step in steps)


def test_make_says_what_is_missing(repo, tmp_path):
    if not shutil.which("make"):
        pytest.skip("needs make")
    shutil.copy(repo.root / "Makefile", tmp_path)
    for name in ("requirements.txt", "pyproject.toml"):
        (tmp_path / name).touch()
    done = subprocess.run(["make", "test", "PYTHON=python9"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "There is no 'python9'" in done.stdout
    assert not (tmp_path / ".venv").exists()


def test_every_test_file_is_collected_by_pytest_and_kept_by_git(repo, pytestconfig):
    """A folder called "build" once cost the course its tests: pytest, ruff and git pass over such a folder."""
    files = sorted((repo.root / "tests").rglob("test_*.py"))
    names = [p.relative_to(repo.root) for p in files]
    passed_over = pytestconfig.getini("norecursedirs")
    assert "build" in passed_over
    folders = {part for name in names for part in name.parent.parts}
    assert {f for f in folders for pattern in passed_over if fnmatch.fnmatch(f, pattern)} == set()
    assert Path(__file__).relative_to(repo.root) in names
    collected = pytestconfig.getini("python_files")
    assert [n for n in names if not any(fnmatch.fnmatch(n.name, pattern) for pattern in collected)] == []
    if not shutil.which("git") or not (repo.root / ".git").exists():
        pytest.skip("needs a git clone to ask what is ignored")
    ask = ["git", "check-ignore", "--no-index", "--", *map(str, names)]
    done = subprocess.run(ask, cwd=repo.root, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (1, ""), done.stderr  # 1: none is ignored
