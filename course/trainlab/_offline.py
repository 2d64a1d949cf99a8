"""The embedded stand-in for the real data sets: scikit-learn's handwritten digits, made to look alike."""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F

CLASSES = tuple("0123456789")
_TEST_IMAGES = 297  # of 1,797; leaves a round 1,500 to train on
_BORDER = 4  # pixels left black on each side, as in MNIST


def digits(shape: tuple[int, ...]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """The digits in the form of another data set, in a fixed shuffled order.

    Args:
        shape: of one image: ``(28, 28)`` for grey, ``(3, 32, 32)`` for colour (three equal channels).

    Returns:
        Training images (1500, *shape) and labels (1500,), test images (297, *shape) and labels (297,);
        images are uint8 in 0..255, labels int64 in 0..9.
    """
    from sklearn.datasets import load_digits

    bunch = load_digits()
    # NumPy guarantees RandomState's stream for good; the split is the same on every machine.
    order = np.random.RandomState(0).permutation(len(bunch.target))
    images = _drawn(torch.from_numpy(bunch.images[order]), shape)
    labels = torch.from_numpy(bunch.target[order]).to(torch.int64)
    cut = len(labels) - _TEST_IMAGES
    return images[:cut], labels[:cut], images[cut:], labels[cut:]


def _drawn(images: torch.Tensor, shape: tuple[int, ...]) -> torch.Tensor:
    """Enlarge 8 × 8 images of 0..16 to (N, *shape), uint8 in 0..255."""
    side = shape[-1] - 2 * _BORDER
    large = F.interpolate(images.float()[:, None] * (255 / 16), size=(side, side), mode="bilinear")
    framed = F.pad(large.round(), [_BORDER] * 4).to(torch.uint8)
    return framed.expand(-1, *shape).contiguous() if len(shape) == 3 else framed[:, 0]
