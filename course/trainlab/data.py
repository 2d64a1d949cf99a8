"""MNIST, Fashion-MNIST and CIFAR-10 as plain tensors: fixed splits, standardised on access, batched by index.

A set is looked for in the folder ``TRAINLAB_DATA``, then in the cache of earlier downloads
(``TRAINLAB_CACHE``, else ``~/.cache/trainlab``), then on the network. A machine that reaches no network gets
a small built-in set, and is told so; ``TRAINLAB_OFFLINE=1`` asks for that set outright.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import http.client
import os
import socket
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from trainlab import _offline
from trainlab._torchvision import import_torchvision
from trainlab.runtime import is_fast

_FAST = {"train": 4_000, "valid": 1_000, "test": 1_000}  # images at most
_TIMEOUT = 15.0  # seconds without a byte until a server counts as silent
_KEYS = ("train_images", "train_labels", "test_images", "test_labels")
_HELP = "set TRAINLAB_DATA to a folder that holds the set, or TRAINLAB_OFFLINE=1 for the small built-in set"
_REAL = "go online without TRAINLAB_OFFLINE, or set TRAINLAB_DATA to a folder that holds them"
# What this session has learned: why the network was given up, and which sets had their notice.
_session = SimpleNamespace(no_network="", told=set())

Raw = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]


class DataError(RuntimeError):
    """A data set cannot be had; the message says why and how to go on."""


class _Unreachable(Exception):
    """The network gave nothing at all: the one failure that the built-in set answers."""


@dataclass(frozen=True, eq=False)
class Split:
    """Images with their labels; an index gives them standardised: ``x, y = split[:512]``.

    Attributes:
        images: uint8 pixels 0..255, (N, 28, 28) for grey, (N, 3, 32, 32) for colour.
        labels: int64 class numbers, (N,).
        mean: of the training split, per channel (1,) or (3,), with pixels on the scale 0..1.
        std: likewise the standard deviation.
        flat: whether an index gives vectors instead of images.
    """

    images: torch.Tensor
    labels: torch.Tensor
    mean: torch.Tensor
    std: torch.Tensor
    flat: bool = False

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Any) -> tuple[torch.Tensor, torch.Tensor]:
        """The images at `index` (a number, slice, list, index tensor or mask), and their labels.

        Returns:
            `x`, float32, (n, channels, height, width) with one channel for grey images, or
            (n, channels · height · width) if `flat`; and `y`, int64, (n,). A single number drops the n.
        """
        x = self.images[index].to(torch.float32)  # a copy, so what follows may work in place
        x = x.unsqueeze(-3) if self.images.dim() == 3 else x
        x.div_(255).sub_(self.mean[:, None, None]).div_(self.std[:, None, None])
        return (x.flatten(-3) if self.flat else x), self.labels[index]

    def __repr__(self) -> str:
        shape = " × ".join(map(str, self.images.shape[1:]))
        return f"Split of {len(self):,} images, {shape}{', flat' * self.flat}, on {self.images.device}"

    def to(self, device: torch.device | str) -> Split:
        """The same split on `device`; moved once, its batches need no moving."""
        moved = {name: getattr(self, name).to(device) for name in ("images", "labels", "mean", "std")}
        return dataclasses.replace(self, **moved)

    def take(self, n: int) -> Split:
        """The first `n` images (all of them if there are fewer), standardised as before.

        Raises:
            ValueError: if `n` is not positive.
        """
        if n < 1:
            raise ValueError(f"take() needs a positive number of images, not {n}.")
        return dataclasses.replace(self, images=self.images[:n], labels=self.labels[:n])


@dataclass(frozen=True, eq=False)
class Dataset:
    """A data set in its three splits.

    Attributes:
        name: ``"mnist"``, ``"fashion_mnist"`` or ``"cifar10"``.
        is_offline: True if the built-in handwritten digits stand in for the real images.
        classes: what the label numbers mean, of the images that are really there.
        train: to fit on.
        valid: to choose by: cut out of the training images, the same on each call and machine.
        test: to report on, once.
    """

    name: str
    is_offline: bool
    classes: tuple[str, ...]
    train: Split
    valid: Split
    test: Split

    def __repr__(self) -> str:
        note = ", the built-in stand-in" if self.is_offline else ""
        lines = (f"  {part}: {getattr(self, part)!r}" for part in ("train", "valid", "test"))
        return "\n".join([f"Dataset {self.name}{note}, {len(self.classes)} classes", *lines])

    def to(self, device: torch.device | str) -> Dataset:
        """The same data set with all three splits on `device`."""
        moved = {part: getattr(self, part).to(device) for part in ("train", "valid", "test")}
        return dataclasses.replace(self, **moved)

    def take(self, **sizes: int) -> Dataset:
        """The same data set with smaller splits: ``data.take(train=20_000, valid=2_000)``."""
        return dataclasses.replace(self, **{part: getattr(self, part).take(n) for part, n in sizes.items()})


def mnist(*, flat: bool = False) -> Dataset:
    """Handwritten digits: 55,000 training, 5,000 validation and 10,000 test images, 28 × 28, grey.

    Args:
        flat: give vectors of 784 instead of images of 1 × 28 × 28.

    Raises:
        DataError: if a folder or a download is broken; the message says how to go on.
    """
    return _load("mnist", flat)


def fashion_mnist(*, flat: bool = False) -> Dataset:
    """Articles of clothing: 55,000 training, 5,000 validation and 10,000 test images, 28 × 28, grey.

    Args:
        flat: give vectors of 784 instead of images of 1 × 28 × 28.

    Raises:
        DataError: if a folder or a download is broken; the message says how to go on.
    """
    return _load("fashion_mnist", flat)


def cifar10(*, flat: bool = False) -> Dataset:
    """Animals and vehicles: 45,000 training, 5,000 validation and 10,000 test images, 3 × 32 × 32, colour.

    Args:
        flat: give vectors of 3072 instead of images of 3 × 32 × 32.

    Raises:
        DataError: if a folder or a download is broken; the message says how to go on.
    """
    return _load("cifar10", flat)


def batches(
    split: Split,
    size: int,
    *,
    shuffle: bool = True,
    drop_last: bool = False,
    generator: torch.Generator | None = None,
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Go through a split once: one epoch.

    ``for x, y in batches(data.train, 128, generator=g): ...``

    Args:
        split: anything with a length that an index tensor indexes, with the labels in `.labels`.
        size: images a batch; the last batch may be smaller.
        shuffle: visit the images in a fresh random order instead of the stored one.
        drop_last: leave out a smaller last batch.
        generator: CPU generator of the order; None takes torch's global one.

    Returns:
        An iterator of pairs `x, y` as ``split[index]`` gives them, on the split's device.

    Raises:
        ValueError: if `size` is not positive, or leaves no batch at all.
    """
    n = len(split)
    if size < 1 or (drop_last and size > n):
        raise ValueError(f"Batches of {size} cannot be made from {n:,} images: choose a size from 1 to {n}.")
    order = torch.randperm(n, generator=generator) if shuffle else torch.arange(n)
    order = order.to(split.labels.device)  # once an epoch, not once a batch
    stop = n - n % size if drop_last else n
    return (split[order[start : start + size]] for start in range(0, stop, size))


@dataclass(frozen=True)
class _Source:
    """What must be known of a set to find it: names, and the shape of an image."""

    kind: str  # torchvision's class
    proof: str  # the file of torchvision's layout that shows the set is there; installed last
    shape: tuple[int, ...]
    classes: tuple[str, ...]

    def is_in(self, root: Path) -> bool:
        return (root / self.proof).is_file()


_DIGITS = tuple("0123456789")
_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_THINGS = "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"
_SOURCES = {
    "mnist": _Source("MNIST", "MNIST/raw/train-images-idx3-ubyte", (28, 28), _DIGITS),
    "fashion_mnist": _Source("FashionMNIST", "FashionMNIST/raw/train-images-idx3-ubyte", (28, 28), _CLOTHES),
    "cifar10": _Source("CIFAR10", "cifar-10-batches-py/data_batch_1", (3, 32, 32), _THINGS),
}


def _load(name: str, flat: bool) -> Dataset:
    """The set under today's environment, read once a session."""
    usual = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "trainlab"
    data = _prepare(
        name,
        folder=os.environ.get("TRAINLAB_DATA", ""),
        cache=os.environ.get("TRAINLAB_CACHE") or str(usual),
        offline=os.environ.get("TRAINLAB_OFFLINE", "0") not in ("", "0"),
        fast=is_fast(),
    )
    if not flat:
        return data
    parts = {p: dataclasses.replace(getattr(data, p), flat=True) for p in ("train", "valid", "test")}
    return dataclasses.replace(data, **parts)


@functools.cache  # by the settings too, so that a changed environment is obeyed
def _prepare(name: str, *, folder: str, cache: str, offline: bool, fast: bool) -> Dataset:
    source = _SOURCES[name]
    raw = None if offline else _real(name, folder, cache)
    if raw is not None:
        return _splits(name, raw, source.classes, is_offline=False, fast=fast)
    _tell(name, "TRAINLAB_OFFLINE=1 asks for it" if offline else _session.no_network)
    return _splits(name, _offline.digits(source.shape), _offline.CLASSES, is_offline=True, fast=fast)


def _real(name: str, folder: str, cache: str) -> Raw | None:
    """The real set from the first place that has it; None if only the network could have helped."""
    if folder and not Path(folder).expanduser().is_dir():
        raise DataError(f"TRAINLAB_DATA names {folder!r}, which is no folder: correct it, or unset it.")
    keep = Path(cache).expanduser()
    for root in ([Path(folder).expanduser()] if folder else []) + [keep]:
        raw = _read(name, root)
        if raw is not None:
            return raw
    if _session.no_network:
        return None
    try:
        return _download(name, keep)
    except _Unreachable as error:
        _session.no_network = f"no data came over the network ({error})"
        return None


def _read(name: str, root: Path) -> Raw | None:
    """The set as it lies in `root`; None if it does not lie there."""
    source, archive = _SOURCES[name], root / f"{name}.npz"
    if source.is_in(root):
        where, read = root / source.proof, functools.partial(_read_folder, _torchvision_class(source), root)
    elif archive.is_file():
        where, read = archive, functools.partial(_read_npz, archive)
    else:
        return None
    try:
        return _checked(source, read())
    except Exception as error:  # whatever a damaged file makes its reader raise
        raise DataError(
            f"{where} does not give {name} ({_reason(error)}). "
            f"Put a good copy there or delete it, and call again; or {_HELP}."
        ) from error


def _torchvision_class(source: _Source) -> Any:
    return getattr(import_torchvision().datasets, source.kind)


def _read_folder(kind: Any, root: Path) -> list[Any]:
    """The four arrays from torchvision's own layout."""
    parts = [kind(root, train=train) for train in (True, False)]
    return [array for part in parts for array in (part.data, part.targets)]


def _read_npz(path: Path) -> list[Any]:
    with np.load(path, allow_pickle=False) as archive:
        return [archive[key] for key in _KEYS]


def _checked(source: _Source, arrays: list[Any]) -> Raw:
    """The arrays as tensors of the promised shapes and types; ValueError if they are something else."""
    train_x, train_y, test_x, test_y = (torch.as_tensor(array) for array in arrays)
    train_y, test_y = train_y.to(torch.int64), test_y.to(torch.int64)
    if len(source.shape) == 3:  # files keep the channels last, torch wants them first
        train_x, test_x = train_x.movedim(-1, 1), test_x.movedim(-1, 1)
    for x, y in ((train_x, train_y), (test_x, test_y)):
        if x.dtype != torch.uint8 or x.shape[1:] != source.shape or not len(x):
            raise ValueError(f"wrong images: {x.dtype} {tuple(x.shape)}, not uint8 (N, *{source.shape})")
        if y.shape != x.shape[:1] or y.min() < 0 or y.max() >= len(source.classes):
            raise ValueError(f"wrong labels: not {len(x)} numbers from 0 to {len(source.classes) - 1}")
    return train_x, train_y, test_x, test_y


def _download(name: str, cache: Path) -> Raw:
    """Let torchvision download the set beside the cache, and move it in once it has proved good.

    Raises:
        _Unreachable: if not one byte arrived.
        DataError: if something arrived but is not the set, or if the cache cannot be written.
    """
    source = _SOURCES[name]
    kind = _torchvision_class(source)
    with _staging(cache) as part:
        try:
            with _impatient_sockets():
                kind(part, download=True)
            raw = _checked(source, _read_folder(kind, part))
            _install(source, part, cache)
        except Exception as error:
            if any(path.is_file() for path in part.rglob("*")):
                raise DataError(
                    f"The download of {name} broke off or arrived damaged ({_reason(error)}). "
                    f"What arrived is removed: try again; or {_HELP}."
                ) from error
            if isinstance(error, (OSError, RuntimeError, http.client.HTTPException)):
                raise _Unreachable(_reason(error)) from error
            raise
    return raw


@contextlib.contextmanager
def _staging(cache: Path) -> Iterator[Path]:
    """A folder in the cache that is gone afterwards, whatever happens, with all that is still in it."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(prefix=".download-", dir=cache)
    except OSError as error:
        raise DataError(
            f"The cache folder {cache} cannot be written ({_reason(error)}): "
            f"set TRAINLAB_CACHE to a folder you own, or {_HELP}."
        ) from error
    with folder as path:
        yield Path(path)


def _install(source: _Source, part: Path, cache: Path) -> None:
    """Move the extracted files into the cache, the proof last: where it lies, the rest lies too."""
    top = part / Path(source.proof).parts[0]
    files = [path for path in top.rglob("*") if path.is_file() and path.suffix != ".gz"]
    for path in sorted(files, key=lambda path: path == part / source.proof):
        target = cache / path.relative_to(part)
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)


@contextlib.contextmanager
def _impatient_sockets() -> Iterator[None]:
    """Give every new socket a time-out: torchvision sets none, and a silent server would hang for ever."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"


def _tell(name: str, why: str) -> None:
    """Say once that, and why, the built-in set is used, and how to get the real one."""
    if name in _session.told:
        return
    _session.told.add(name)
    print(
        f"NOTE: the small built-in set stands in for {name} (scikit-learn's 1,797 handwritten digits, "
        f"enlarged), because {why}. Everything runs, but the figures differ from the text. "
        f"For the real images {_REAL}, and restart the kernel."
    )


def _splits(name: str, raw: Raw, classes: tuple[str, ...], *, is_offline: bool, fast: bool) -> Dataset:
    """Cut the validation images out of the training ones; what is left sets mean and std for all."""
    train_x, train_y, test_x, test_y = raw
    n = len(train_y)
    held_out = 5_000 if n == 60_000 else n // 10
    order, test = _order(n), torch.arange(len(test_y))
    valid, train = order[:held_out], order[held_out:]
    if fast:  # the test images by a fixed draw too: a folder may hold them sorted by class
        train, valid = train[: _FAST["train"]], valid[: _FAST["valid"]]
        test = _order(len(test_y))[: _FAST["test"]]
    images = train_x[train]
    mean, std = _mean_std(images)
    return Dataset(
        name,
        is_offline,
        classes,
        train=Split(images, train_y[train], mean, std),
        valid=Split(train_x[valid], train_y[valid], mean, std),
        test=Split(test_x[test], test_y[test], mean, std),
    )


def _order(n: int) -> torch.Tensor:
    """A fixed permutation of n; NumPy guarantees RandomState's stream for good, torch its own does not."""
    return torch.from_numpy(np.random.RandomState(0).permutation(n)).to(torch.int64)


def _mean_std(images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation per channel on the scale 0..1, float32, (channels,).

    Counting the 256 values is exact, and spares a float copy of the whole set.
    """
    channels = [images] if images.dim() == 3 else images.unbind(1)
    counts = torch.stack([torch.bincount(c.reshape(-1), minlength=256) for c in channels]).double()
    share = counts / counts.sum(1, keepdim=True)
    value = torch.arange(256, dtype=torch.float64) / 255
    mean = share @ value
    variance = (share * (value - mean[:, None]) ** 2).sum(1)
    return mean.float(), variance.sqrt().float()
