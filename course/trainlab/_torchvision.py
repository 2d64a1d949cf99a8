"""The one way in which trainlab imports torchvision.

PyPI's torchvision wheel is built against the CUDA build of torch. Beside a CPU-only torch its C extension
does not load; torchvision accepts that quietly, then attaches shape rules to operators which only the
extension would have declared, and the import dies with ``operator torchvision::nms does not exist``.
Nothing in this course needs the extension, so the missing operators are declared without a kernel: data
sets, transforms and models then work, and calling ``nms`` itself still fails with torchvision's own
explanation. On a healthy machine none of this runs.
"""

from __future__ import annotations

import functools
import importlib
import sys
from types import ModuleType

import torch

# The operators that torchvision/_meta_registrations.py decorates with `register_fake`, extension or not.
# Its other rules (`register_meta`) are skipped when the extension is missing.
_OPERATORS = ("nms", "qnms")
_SCHEMA = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"


def import_torchvision() -> ModuleType:
    """Import torchvision, also where its C extension does not fit the installed torch.

    Returns:
        The module, with `datasets`, `transforms` and `models` ready to use. A plain ``import torchvision``
        works from here on as well.

    Raises:
        ImportError: if torchvision is not installed.
        RuntimeError: if its import fails for any other reason than the missing operators.
    """
    try:
        return importlib.import_module("torchvision")
    except RuntimeError as error:
        if "operator torchvision::" not in str(error):
            raise
    # Python drops only the package that failed; its submodules would be found half-made.
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
        del sys.modules[name]
    _declare_operators()
    return importlib.import_module("torchvision")


@functools.cache  # declares once, and keeps the library alive: with it the declarations would go
def _declare_operators() -> torch.library.Library:
    library = torch.library.Library("torchvision", "DEF")
    for operator in _OPERATORS:
        library.define(f"{operator}{_SCHEMA}")
    return library
