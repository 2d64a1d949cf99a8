import nbformat
import pytest
from traitlets.config import Config

from autograder.enduring import EnduringExecute
from autograder.kernels.sandbox import available


@pytest.fixture(scope="session")
def sandbox():
    """Skips where there is none."""
    if not available():
        pytest.skip("needs bubblewrap and user namespaces: apt-get install bubblewrap")


@pytest.fixture
def run(sandbox, tmp_path):
    """Runs cells in a sandbox: ``run(cell, …, warm=True, memory_mb=…, timeout=…)`` gives the notebook."""

    def run(*cells, timeout=20, max_output=4 << 20, total_timeout=900, **limits):
        config = Config()
        config.SandboxProvisioner = Config({"preload": [], **limits})
        notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
        notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "", "language": "python"}
        execute = EnduringExecute(
            timeout=timeout,
            max_output=max_output,
            total_timeout=total_timeout,
            config=config,
            extra_arguments=["--log-level=40"],
        )
        execute.log.setLevel("CRITICAL")
        execute.preprocess(notebook, {"metadata": {"path": str(tmp_path)}})
        return notebook

    return run


def said(cell):
    """What a cell printed, or its last error."""
    errors = [output.evalue for output in cell.outputs if output.output_type == "error"]
    printed = "".join(output.text for output in cell.outputs if "text" in output)
    return errors[-1] if errors else printed.strip()
