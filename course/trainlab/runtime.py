"""Where and how long a lesson runs: the device, the random seed, the full or the fast budget."""

from __future__ import annotations

import functools
import os
import random
from typing import TypeVar

import numpy as np
import torch

T = TypeVar("T")


@functools.cache
def device() -> torch.device:
    """The device of this session, chosen once: CUDA, else Apple's MPS, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def seed_everything(seed: int) -> torch.Generator:
    """Seed Python, NumPy and torch, and return a CPU generator with the same seed.

    Args:
        seed: any non-negative integer below 2**32.

    Returns:
        A `torch.Generator` on the CPU, for draws that must not depend on the global state.
    """
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)
    return torch.Generator().manual_seed(seed)


def is_fast() -> bool:
    """True where ``TRAINLAB_FAST=1`` asks for seconds instead of minutes."""
    return os.environ.get("TRAINLAB_FAST", "0") not in ("", "0")


def budget(full: T, fast: T) -> T:
    """Return `full`, or `fast` where ``TRAINLAB_FAST=1``: epochs, seeds, sizes, grids."""
    return fast if is_fast() else full
