"""Load an nbgrader configuration without letting it change the process that reads it."""

from __future__ import annotations

import os
from pathlib import Path

from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

NAME = "nbgrader_config.py"


def load(folder: Path) -> tuple[Config, dict[str, str]]:
    """The configuration in `folder`, and the environment that it wants for grading.

    The file sets environment variables, because stock nbgrader offers no other way to reach its kernels.
    Here they are handed to the caller: a build must not run on grading's small budget. PATH alone is kept,
    because nbgrader looks there for a tool of its own whenever it opens a gradebook.
    """
    before = dict(os.environ)
    try:
        config = PyFileConfigLoader(NAME, path=str(folder)).load_config()
        wanted = {key: value for key, value in os.environ.items() if before.get(key) != value}
    finally:
        path = os.environ["PATH"]
        os.environ.clear()
        os.environ.update(before, PATH=path)
    return config, wanted
