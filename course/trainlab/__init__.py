"""The toolkit of the course: data, training loop, experiments, plots and checks.

Names are imported on first use, so that ``import trainlab`` costs hardly more than ``import torch``.
What is being taught stands in the lessons; here stands only what is not.
"""

from __future__ import annotations

import importlib

_HOME = {
    "runtime": ("budget", "device", "is_fast", "seed_everything"),
    "data": ("DataError", "Dataset", "Split", "batches", "cifar10", "fashion_mnist", "mnist"),
    "training": ("History", "binary_accuracy", "evaluate", "fit"),
    "experiments": ("best", "paired_difference", "repeat", "summary", "sweep"),
    "plots": ("animate", "band", "figure", "line_style", "show"),
    "schedules": ("rate_curve",),
    "stacks": ("NetStack", "reached", "train_stack", "two_moons"),
    "surfaces": ("contours", "descend"),
    "health": ("NetworkHealth", "network_health"),
    "checks": ("Check", "Claims", "HiddenTest", "needs"),
    "progress": ("show_progress",),
    "_torchvision": ("import_torchvision",),
}
_MODULE_OF = {name: module for module, names in _HOME.items() for name in names}
__all__ = sorted(_MODULE_OF)


def __getattr__(name: str):
    """Import the module that holds `name` (PEP 562)."""
    if name not in _MODULE_OF:
        raise AttributeError(f"trainlab has no {name!r}. It offers: {', '.join(__all__)}")
    value = getattr(importlib.import_module(f".{_MODULE_OF[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
