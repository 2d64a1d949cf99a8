"""The set-up cell: nothing where the toolkit is installed, an installation where it is not."""

import subprocess
import sys

import nbformat
import pytest

from autograder.views import _INSTALL

SIMULATION = """
import sys
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
calls = []
shell.register_magic_function(calls.append, "line", "pip")
if {missing}:
    sys.modules["trainlab"] = None  # makes `import trainlab` raise ModuleNotFoundError
result = shell.run_cell({cell!r})
assert result.success, result
print(calls)
"""


def install_cells(repo):
    for path in sorted([*repo.course.rglob("*.ipynb"), *repo.solutions.rglob("*.ipynb")]):
        notebook = nbformat.read(path, as_version=4)
        yield next(c.source for c in notebook.cells if c.id == "install")


@pytest.mark.parametrize("missing", [True, False])
def test_the_cell_installs_only_what_is_missing(repo, missing):
    (cell,) = set(install_cells(repo))
    script = SIMULATION.format(missing=missing, cell=cell)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    url = f"git+https://github.com/{repo.slug}"
    expected = [f'install --quiet "trainlab @ {url}"'] if missing else []
    assert done.stdout.splitlines()[-1] == repr(expected)


def test_the_slug_stands_in_one_place(repo):
    assert "{slug}" in _INSTALL
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=repo.root, capture_output=True, text=True
    ).stdout.split()
    named = [
        name
        for name in tracked
        if not name.endswith(".ipynb") and repo.slug in (repo.root / name).read_text("utf-8", errors="ignore")
    ]
    assert named in (["pyproject.toml"], [])  # [] in an unpacked archive, which has no git


def test_what_colab_installs_can_be_imported(repo, tmp_path):
    """The package as pip makes it from a clone, without an editable install to hide a missing file."""
    if not (repo.root / ".git").exists():
        pytest.skip("needs a git clone to install from")
    source = f"git+file://{repo.root}"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(tmp_path), source]
    subprocess.run(pip, check=True, capture_output=True)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); import trainlab; "
        "print(trainlab.__file__, len(trainlab.show_progress().frame), trainlab.budget(1, 2))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    where, exercises, _ = done.stdout.split()
    assert where.startswith(str(tmp_path))
    assert int(exercises) > 0
