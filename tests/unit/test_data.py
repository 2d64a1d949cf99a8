"""The data sets: where they are looked for, what a bad network does to them, how they split and batch."""

import gzip
import hashlib
import io
import pickle
import socket
import subprocess
import sys
import tarfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from trainlab import _offline, data
from trainlab._torchvision import import_torchvision
from trainlab.data import DataError, Split, batches

LOADERS = {"mnist": data.mnist, "fashion_mnist": data.fashion_mnist, "cifar10": data.cifar10}
RAW = {"mnist": "MNIST/raw", "fashion_mnist": "FashionMNIST/raw", "cifar10": "cifar-10-batches-py"}
every_set = pytest.mark.parametrize("name", LOADERS)


# ---- tiny sets, in every layout -----------------------------------------------------------------------


def arrays(name, n_train=60, n_test=20, seed=0):
    """Random images that carry their own number in the first two pixels (training from 0, test after it)."""
    random = np.random.default_rng(seed)
    shape = (32, 32, 3) if name == "cifar10" else (28, 28)
    images = random.integers(0, 256, (n_train + n_test, *shape), dtype=np.uint8)
    number = np.arange(n_train + n_test)
    images[:, 0, 0].T[...] = number // 256  # transposed, so that all channels of a pixel get it
    images[:, 0, 1].T[...] = number % 256
    labels = (number % 10).astype(np.uint8)
    return {
        "train_images": images[:n_train],
        "train_labels": labels[:n_train],
        "test_images": images[n_train:],
        "test_labels": labels[n_train:],
    }


def numbers(split):
    """The numbers that `arrays` has written into the images."""
    high, low = (split.images[..., 0, k].reshape(len(split), -1)[:, 0].long() for k in (0, 1))
    return (high * 256 + low).tolist()


def idx(array):
    """The IDX format of MNIST: type 8 (uint8), number of axes, their lengths, the bytes."""
    sizes = b"".join(n.to_bytes(4, "big") for n in array.shape)
    return bytes([0, 0, 8, array.ndim]) + sizes + array.tobytes()


def idx_files(tiny):
    return {
        "train-images-idx3-ubyte": idx(tiny["train_images"]),
        "train-labels-idx1-ubyte": idx(tiny["train_labels"]),
        "t10k-images-idx3-ubyte": idx(tiny["test_images"]),
        "t10k-labels-idx1-ubyte": idx(tiny["test_labels"]),
    }


def cifar_files(tiny):
    """Two training batches, a test batch and the meta file."""

    def batch(images, labels):
        rows = images.transpose(0, 3, 1, 2).reshape(len(images), -1)
        return pickle.dumps({"data": rows, "labels": labels.tolist()})

    half = len(tiny["train_labels"]) // 2
    return {
        "data_batch_1": batch(tiny["train_images"][:half], tiny["train_labels"][:half]),
        "data_batch_2": batch(tiny["train_images"][half:], tiny["train_labels"][half:]),
        "test_batch": batch(tiny["test_images"], tiny["test_labels"]),
        "batches.meta": pickle.dumps({"label_names": [*"abcdefghij"]}),
    }


def tar(folder, files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


def md5(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def write(root, name, layout="torchvision", **sizes):
    """Write a tiny set into `root`, in torchvision's layout or as npz; returns its arrays."""
    tiny = arrays(name, **sizes)
    root.mkdir(parents=True, exist_ok=True)
    if layout == "npz":
        np.savez(root / f"{name}.npz", **tiny)
        return tiny
    (root / RAW[name]).mkdir(parents=True)
    for file, content in (cifar_files if name == "cifar10" else idx_files)(tiny).items():
        (root / RAW[name] / file).write_bytes(content)
    return tiny


# ---- a hub on this machine, and no other --------------------------------------------------------------


class Hub:
    """A web server on 127.0.0.1: `files` maps a path to its bytes, `trouble` a path to what goes wrong."""

    def __init__(self):
        self.files, self.trouble, self.asked = {}, {}, []
        self.closing = threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                hub.answer(self)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.handle_error = lambda *_: None  # a client that hangs up early is no news
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def answer(self, request):
        self.asked.append(request.path)
        trouble, content = self.trouble.get(request.path), self.files.get(request.path)
        if trouble == "silent":
            self.closing.wait(10)
            return
        if trouble == "missing" or content is None:
            request.send_error(404)
            return
        request.send_response(200)
        request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        if trouble == "corrupt":
            content = bytes([content[0] ^ 255]) + content[1:]
        request.wfile.write(content[: len(content) // 2] if trouble in ("truncated", "stalls") else content)
        if trouble == "stalls":
            request.wfile.flush()
            self.closing.wait(10)

    def break_all(self, trouble):
        self.trouble = dict.fromkeys(self.files, trouble)

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="module")
def datasets():
    return import_torchvision().datasets


@pytest.fixture
def hub(monkeypatch, datasets):
    """A hub that serves a tiny, faultless copy of all three sets, to which torchvision is pointed."""
    hub = Hub()
    for name, kind in (("mnist", datasets.MNIST), ("fashion_mnist", datasets.FashionMNIST)):
        packed = {f"{k}.gz": gzip.compress(v) for k, v in idx_files(arrays(name)).items()}
        hub.files.update({f"/{name}/{file}": content for file, content in packed.items()})
        monkeypatch.setattr(kind, "mirrors", [f"{hub.url}/{name}/"])
        monkeypatch.setattr(kind, "resources", [(k, md5(v)) for k, v in packed.items()])
    content = tar(RAW["cifar10"], cifar_files(arrays("cifar10")))
    hub.files["/cifar10/cifar.tar.gz"] = content
    monkeypatch.setattr(datasets.CIFAR10, "url", f"{hub.url}/cifar10/cifar.tar.gz")
    monkeypatch.setattr(datasets.CIFAR10, "filename", "cifar.tar.gz")
    monkeypatch.setattr(datasets.CIFAR10, "tgz_md5", md5(content))
    yield hub
    hub.close()


def use_tiny_cifar(monkeypatch, datasets):
    """Let torchvision accept the tiny CIFAR-10, whose files it checks one by one."""
    files = cifar_files(arrays("cifar10"))
    sums = [[file, md5(content)] for file, content in files.items()]
    monkeypatch.setattr(datasets.CIFAR10, "train_list", sums[:2])
    monkeypatch.setattr(datasets.CIFAR10, "test_list", sums[2:3])
    meta = {"filename": "batches.meta", "key": "label_names", "md5": sums[3][1]}
    monkeypatch.setattr(datasets.CIFAR10, "meta", meta)


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path, datasets):
    """A fresh session with a cache of its own, on a machine whose only network is 127.0.0.1."""
    use_tiny_cifar(monkeypatch, datasets)
    for variable in ("TRAINLAB_DATA", "TRAINLAB_OFFLINE", "TRAINLAB_FAST", "XDG_CACHE_HOME"):
        monkeypatch.delenv(variable, raising=False)
    for home in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(home, str(tmp_path / "home"))
    monkeypatch.setenv("TRAINLAB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "*")
    reach = socket.getaddrinfo

    def only_here(host, *args, **kwargs):
        assert host == "127.0.0.1", f"a test tried to reach {host}"
        return reach(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", only_here)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}/"
    for kind in (datasets.MNIST, datasets.FashionMNIST):
        monkeypatch.setattr(kind, "mirrors", [nobody])
    monkeypatch.setattr(datasets.CIFAR10, "url", f"{nobody}cifar.tar.gz")
    new_session(monkeypatch)
    yield
    data._prepare.cache_clear()


def new_session(monkeypatch):
    data._prepare.cache_clear()
    monkeypatch.setattr(data, "_session", SimpleNamespace(no_network="", told=set()))


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache"


def files_in(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def same_images(dataset, tiny):
    """Whether the splits hold the images and labels of `tiny`: test in its order, the rest shuffled."""
    pairs = [pair for part in (dataset.train, dataset.valid) for pair in zip_labels(part)]
    test = torch.from_numpy(tiny["test_images"])
    test = test.permute(0, 3, 1, 2) if test.dim() == 4 else test
    return (
        sorted(pairs) == list(enumerate(tiny["train_labels"].tolist()))
        and dataset.test.labels.tolist() == tiny["test_labels"].tolist()
        and torch.equal(dataset.test.images, test)
    )


def zip_labels(split):
    return zip(numbers(split), split.labels.tolist(), strict=True)


# ---- downloads ----------------------------------------------------------------------------------------


@every_set
def test_download_gives_the_set_and_is_kept(hub, cache, monkeypatch, name):
    first = LOADERS[name]()
    assert not first.is_offline
    assert same_images(first, arrays(name))
    assert len(files_in(cache)) == 4, "the archives, or other leftovers, were kept"
    asked = len(hub.asked)
    new_session(monkeypatch)
    again = LOADERS[name]()
    assert len(hub.asked) == asked, "the second session downloaded anew"
    assert torch.equal(first.train.images, again.train.images)


@every_set
@pytest.mark.parametrize("trouble", ["corrupt", "truncated", "stalls"])
def test_a_broken_download_is_an_error_and_the_next_one_starts_clean(hub, cache, monkeypatch, name, trouble):
    monkeypatch.setattr(data, "_TIMEOUT", 0.3)
    hub.break_all(trouble)
    with pytest.raises(DataError, match=f"download of {name} .*try again; or .*TRAINLAB_OFFLINE=1"):
        LOADERS[name]()
    assert list(cache.iterdir()) == []
    hub.trouble = {}
    assert same_images(LOADERS[name](), arrays(name))


def test_a_download_that_breaks_off_half_way_is_an_error(hub, cache):
    hub.trouble["/mnist/t10k-images-idx3-ubyte.gz"] = "missing"
    with pytest.raises(DataError, match="download of mnist broke off"):
        data.mnist()
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    "content",
    [b"<html>please log in</html>", gzip.compress(b"no images")],
    ids=["a log-in page", "not images"],  # bytes with a time stamp in them name no test twice alike
)
def test_an_unreadable_archive_with_the_right_checksum_is_an_error(
    hub, cache, monkeypatch, datasets, content
):
    hub.files["/mnist/train-images-idx3-ubyte.gz"] = content
    resources = [("train-images-idx3-ubyte.gz", md5(content)), *datasets.MNIST.resources[1:]]
    monkeypatch.setattr(datasets.MNIST, "resources", resources)
    with pytest.raises(DataError, match="download of mnist"):
        data.mnist()
    assert list(cache.iterdir()) == []


def test_a_broken_first_mirror_is_made_good_by_the_second(hub, monkeypatch, datasets):
    broken = {path.replace("/mnist/", "/broken/"): content for path, content in hub.files.items()}
    hub.files.update(broken)
    hub.trouble = dict.fromkeys(broken, "corrupt")
    monkeypatch.setattr(datasets.MNIST, "mirrors", [f"{hub.url}/broken/", f"{hub.url}/mnist/"])
    assert same_images(data.mnist(), arrays("mnist"))


def test_an_interrupted_download_leaves_nothing(hub, cache, monkeypatch, datasets):
    class Interrupted(datasets.MNIST):
        def _load_data(self):
            raise KeyboardInterrupt

    monkeypatch.setattr(datasets, "MNIST", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        data.mnist()
    assert list(cache.iterdir()) == []


@every_set
def test_the_file_that_proves_a_set_is_moved_in_last(hub, monkeypatch, name):
    moved, replace = [], Path.replace

    def noted(path, target):
        moved.append(path.name)
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", noted)
    LOADERS[name]()
    assert len(moved) == 4
    assert moved[-1] == Path(data._SOURCES[name].proof).name


def test_a_download_that_was_half_installed_counts_as_none(hub, cache):
    write(cache, "mnist", n_train=40)
    (cache / "MNIST/raw/train-images-idx3-ubyte").unlink()  # the proof, which is moved in last
    assert same_images(data.mnist(), arrays("mnist"))


@every_set
def test_a_missing_file_is_answered_by_the_built_in_set(hub, capsys, name):
    hub.break_all("missing")
    assert LOADERS[name]().is_offline
    notice = capsys.readouterr().out
    assert f"stands in for {name}" in notice
    assert "404" in notice


@every_set
def test_a_refused_connection_is_answered_by_the_built_in_set(capsys, name):
    assert LOADERS[name]().is_offline
    notice = capsys.readouterr().out
    assert "refused" in notice
    assert "TRAINLAB_DATA" in notice


@every_set
def test_a_silent_server_is_given_up(hub, monkeypatch, name):
    monkeypatch.setattr(data, "_TIMEOUT", 0.2)
    hub.break_all("silent")
    start = time.monotonic()
    assert LOADERS[name]().is_offline
    assert time.monotonic() - start < 8, "it was the server that gave up, after 10 s"


@pytest.mark.parametrize("before", [None, 77.0])
def test_the_sockets_time_out_is_restored(hub, before):
    old = socket.getdefaulttimeout()
    socket.setdefaulttimeout(before)
    try:
        hub.break_all("corrupt")
        with pytest.raises(DataError):
            data.mnist()
        assert socket.getdefaulttimeout() == before
    finally:
        socket.setdefaulttimeout(old)


def test_a_network_that_failed_is_not_asked_again_in_this_session(hub, monkeypatch):
    hub.break_all("missing")
    data.mnist()
    hub.trouble, asked = {}, len(hub.asked)
    assert data.fashion_mnist().is_offline
    assert data.mnist(flat=True).is_offline
    assert len(hub.asked) == asked
    new_session(monkeypatch)
    assert not data.fashion_mnist().is_offline


def test_the_notice_comes_once_a_set(monkeypatch, capsys):
    monkeypatch.setenv("TRAINLAB_OFFLINE", "1")
    data.mnist()
    data.mnist(flat=True)
    monkeypatch.setenv("TRAINLAB_FAST", "1")
    data.mnist()
    assert capsys.readouterr().out.count("NOTE") == 1
    data.cifar10()
    assert "stands in for cifar10" in capsys.readouterr().out


def test_a_cache_that_cannot_be_written_is_an_error(hub, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TRAINLAB_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(DataError, match=r"cannot be written .*TRAINLAB_CACHE to a folder you own"):
        data.mnist()
    assert hub.asked == []


def test_the_usual_cache_lies_under_home(hub, monkeypatch, tmp_path):
    monkeypatch.delenv("TRAINLAB_CACHE")
    data.mnist()
    assert (tmp_path / "home/.cache/trainlab/MNIST/raw").is_dir()


# ---- the order of search ------------------------------------------------------------------------------


@every_set
@pytest.mark.parametrize("layout", ["torchvision", "npz"])
def test_the_folder_comes_before_cache_and_network(hub, cache, monkeypatch, tmp_path, name, layout):
    tiny = write(tmp_path / "own", name, layout)
    write(cache, name, "npz", n_train=30)
    monkeypatch.setenv("TRAINLAB_DATA", str(tmp_path / "own"))
    loaded = LOADERS[name]()
    assert same_images(loaded, tiny)
    assert not loaded.is_offline
    assert hub.asked == []


def test_a_folder_without_the_set_leads_on_to_the_cache(cache, monkeypatch, tmp_path):
    write(tmp_path / "own", "mnist")
    write(cache, "fashion_mnist", n_train=30)
    monkeypatch.setenv("TRAINLAB_DATA", str(tmp_path / "own"))
    assert len(data.fashion_mnist().train) == 27


def test_a_folder_that_is_not_there_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("TRAINLAB_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"nowhere.*correct it, or unset it"):
        data.mnist()


def test_offline_is_obeyed_before_everything_else(hub, monkeypatch, tmp_path):
    monkeypatch.setenv("TRAINLAB_OFFLINE", "1")
    monkeypatch.setenv("TRAINLAB_DATA", str(tmp_path / "nowhere"))
    assert data.mnist().is_offline
    assert hub.asked == []
    monkeypatch.setenv("TRAINLAB_OFFLINE", "0")
    monkeypatch.delenv("TRAINLAB_DATA")
    assert not data.mnist().is_offline


def test_a_set_is_read_once_a_session(monkeypatch, tmp_path):
    write(tmp_path / "own", "mnist")
    monkeypatch.setenv("TRAINLAB_DATA", str(tmp_path / "own"))
    assert data.mnist() is data.mnist()
    assert data.mnist(flat=True).train.images is data.mnist().train.images


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda a: a.pop("test_labels"), "test_labels"),
        (lambda a: a.update(train_images=a["train_images"][:, :, :20]), "wrong images"),
        (lambda a: a.update(train_images=a["train_images"] / 255), "wrong images"),
        (
            lambda a: a.update(test_images=a["test_images"][:0], test_labels=a["test_labels"][:0]),
            "wrong images",
        ),
        (lambda a: a.update(train_labels=a["train_labels"][:-1]), "wrong labels"),
        (lambda a: a.update(train_labels=a["train_labels"] + 1), "wrong labels"),
    ],
)
def test_an_npz_that_is_not_the_set_is_an_error(monkeypatch, tmp_path, damage, told):
    tiny = arrays("cifar10")
    damage(tiny)
    np.savez(tmp_path / "cifar10.npz", **tiny)
    monkeypatch.setenv("TRAINLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match=f"cifar10.npz does not give cifar10 .*{told}"):
        data.cifar10()


@pytest.mark.parametrize("file", ["train-images-idx3-ubyte", "t10k-labels-idx1-ubyte"])
def test_a_damaged_folder_is_an_error_and_is_left_alone(monkeypatch, tmp_path, file):
    write(tmp_path, "mnist")
    path = tmp_path / "MNIST/raw" / file
    path.write_bytes(path.read_bytes()[:-5])
    monkeypatch.setenv("TRAINLAB_DATA", str(tmp_path))
    with pytest.raises(DataError, match="does not give mnist"):
        data.mnist()
    assert path.exists()


# ---- splits -------------------------------------------------------------------------------------------


@pytest.fixture
def own(monkeypatch, tmp_path):
    """Write a tiny set into TRAINLAB_DATA and load it."""

    def load(name, flat=False, **sizes):
        write(tmp_path / "own", name, "npz", **sizes)
        monkeypatch.setenv("TRAINLAB_DATA", str(tmp_path / "own"))
        return LOADERS[name](flat=flat)

    return load


@every_set
def test_shapes_types_and_class_names(own, name):
    loaded = own(name)
    shape = (3, 32, 32) if name == "cifar10" else (28, 28)
    assert loaded.name == name
    assert len(set(loaded.classes)) == 10
    for split, n in ((loaded.train, 54), (loaded.valid, 6), (loaded.test, 20)):
        assert (split.images.shape, split.images.dtype) == ((n, *shape), torch.uint8)
        assert (split.labels.shape, split.labels.dtype) == ((n,), torch.int64)
        assert len(split) == n


def test_class_names_are_torchvisions(datasets):
    assert list(data._SOURCES["fashion_mnist"].classes) == datasets.FashionMNIST.classes
    assert [name[0] for name in datasets.MNIST.classes] == list(data._SOURCES["mnist"].classes)


def test_validation_is_cut_out_of_the_training_images_for_good(own):
    first = own("mnist", n_train=600)
    train, valid, test = (numbers(split) for split in (first.train, first.valid, first.test))
    assert len(valid) == 60
    assert sorted(train + valid) == list(range(600))
    assert test == list(range(600, 620))
    data._prepare.cache_clear()
    torch.manual_seed(1)
    again = data.mnist()
    assert numbers(again.valid) == valid
    assert numbers(again.train) == train


def test_the_fixed_order_is_the_same_on_every_machine():
    assert data._order(10).tolist() == [2, 8, 4, 9, 1, 6, 7, 3, 0, 5]


def test_of_sixty_thousand_five_thousand_validate():
    raw = [
        torch.zeros(n, *s, dtype=d)
        for n in (60_000, 10_000)
        for s, d in (((1, 1), torch.uint8), ((), torch.int64))
    ]
    loaded = data._splits("mnist", tuple(raw), ("0",), is_offline=False, fast=False)
    assert [len(part) for part in (loaded.train, loaded.valid, loaded.test)] == [55_000, 5_000, 10_000]


def test_fast_mode_shrinks_every_split(own, monkeypatch):
    full = own("mnist", n_train=12_000, n_test=1_500)
    monkeypatch.setenv("TRAINLAB_FAST", "1")
    fast = data.mnist()
    assert [len(part) for part in (fast.train, fast.valid, fast.test)] == [4_000, 1_000, 1_000]
    assert set(numbers(fast.train)) < set(numbers(full.train))
    assert set(numbers(fast.valid)) < set(numbers(full.valid))
    assert set(numbers(fast.test)) < set(numbers(full.test))
    assert numbers(fast.test) != sorted(numbers(fast.test)), "a file sorted by class would lose classes"
    assert fast.train.mean != full.train.mean


@every_set
def test_the_training_split_is_standardised_by_its_own_figures(own, name):
    train = own(name).train
    axes = (0, 1, 2) if train.images.dim() == 3 else (0, 2, 3)
    pixels = train.images.double() / 255
    torch.testing.assert_close(train.mean.double(), pixels.mean(axes).reshape(-1), rtol=1e-6, atol=0)
    std = pixels.std(axes, correction=0).reshape(-1)
    torch.testing.assert_close(train.std.double(), std, rtol=1e-6, atol=0)
    x, _ = train[:]
    assert x.dtype == torch.float32
    torch.testing.assert_close(x.mean((0, 2, 3)), torch.zeros(x.shape[1]), rtol=0, atol=1e-5)
    torch.testing.assert_close(x.std((0, 2, 3), correction=0), torch.ones(x.shape[1]), rtol=0, atol=1e-5)


@every_set
def test_validation_and_test_are_standardised_by_the_training_figures(own, name):
    loaded = own(name)
    for split in (loaded.valid, loaded.test):
        channels = split.images if name == "cifar10" else split.images[:, None]
        mean, std = (t[:, None, None] for t in (loaded.train.mean, loaded.train.std))
        torch.testing.assert_close(split[:][0], (channels / 255 - mean) / std)


@pytest.mark.parametrize("name", ["mnist", "cifar10"])
@pytest.mark.parametrize("flat", [False, True])
def test_every_kind_of_index(own, name, flat):
    train = own(name, flat=flat).train
    image = (1, 28, 28) if name == "mnist" else (3, 32, 32)
    shape = (image[0] * image[1] * image[2],) if flat else image
    before = train.images.clone()
    x, y = train[5]
    assert (x.shape, y.shape) == (shape, ())
    rows = torch.tensor([5, 0, 7])
    mask = torch.zeros(len(train), dtype=torch.bool)
    mask[rows] = True
    for index in (slice(3, 6), rows, rows.tolist(), rows.numpy(), mask):
        xs, ys = train[index]
        assert (xs.shape, ys.shape) == ((3, *shape), (3,))
    assert torch.equal(train[rows][0][0], x)
    assert torch.equal(train[rows][1], train.labels[rows])
    assert torch.equal(train.images, before), "indexing changed the images"
    with pytest.raises(IndexError):
        train[len(train)]


def test_take(own):
    train = own("mnist").train
    part = train.take(7)
    assert len(part) == 7
    assert torch.equal(part[:][0], train[:7][0])
    assert len(train.take(1_000)) == len(train)
    with pytest.raises(ValueError, match="positive"):
        train.take(0)


@pytest.mark.parametrize(
    "device",
    ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"))],
)
def test_to_moves_everything(own, device):
    moved = own("cifar10").to(device)
    for split in (moved.train, moved.valid, moved.test):
        x, y = next(batches(split, 4, generator=torch.Generator().manual_seed(0)))
        assert {x.device.type, y.device.type, split.mean.device.type} == {device}


def test_the_printed_form_is_short(own):
    text = repr(own("mnist", flat=True))
    assert "54 images" in text
    assert len(text.splitlines()) == 4


# ---- batches ------------------------------------------------------------------------------------------


@pytest.fixture
def split():
    """Fifty images, the label of each being its place."""
    images = torch.zeros(50, 28, 28, dtype=torch.uint8)
    return Split(images, torch.arange(50), mean=torch.zeros(1), std=torch.ones(1))


def labels(epoch):
    return [y.tolist() for _, y in epoch]


@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("size", [1, 8, 50, 64])
def test_an_epoch_sees_every_image_once(split, size, shuffle):
    seen = labels(batches(split, size, shuffle=shuffle))
    assert sorted(chain(*seen)) == list(range(50))
    assert [len(batch) for batch in seen[:-1]] == [size] * (50 // size - (50 % size == 0))


def test_images_stay_with_their_labels(split):
    split.images[:] = torch.arange(50, dtype=torch.uint8)[:, None, None]
    for x, y in batches(split, 8):
        torch.testing.assert_close(x[:, 0, 0, 0] * 255, y.float())


def test_drop_last_drops_the_smaller_batch(split):
    seen = labels(batches(split, 8, drop_last=True))
    assert [len(batch) for batch in seen] == [8] * 6
    assert len(set(chain(*seen))) == 48
    assert len(labels(batches(split, 10, drop_last=True))) == 5


def test_the_generator_fixes_the_order_and_moves_on(split):
    def two_epochs(seed):
        generator = torch.Generator().manual_seed(seed)
        return [labels(batches(split, 8, generator=generator)) for _ in range(2)]

    torch.manual_seed(0)
    first = two_epochs(3)
    torch.manual_seed(1)
    assert two_epochs(3) == first
    assert two_epochs(4) != first
    assert first[0] != first[1]


def test_without_shuffling_the_order_is_the_stored_one_and_no_draw_is_made(split):
    state = torch.get_rng_state()
    assert list(chain(*labels(batches(split, 8, shuffle=False)))) == list(range(50))
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("arguments", [{"size": 0}, {"size": -1}, {"size": 51, "drop_last": True}])
def test_an_impossible_size_is_an_error_at_once(split, arguments):
    with pytest.raises(ValueError, match="choose a size from 1 to 50"):
        batches(split, **arguments)


# ---- the built-in set ---------------------------------------------------------------------------------


@every_set
def test_the_built_in_set_has_the_shape_of_what_it_stands_in_for(monkeypatch, name):
    monkeypatch.setenv("TRAINLAB_OFFLINE", "1")
    loaded = LOADERS[name]()
    shape = (3, 32, 32) if name == "cifar10" else (28, 28)
    assert loaded.classes == tuple("0123456789")
    for split, n in ((loaded.train, 1_350), (loaded.valid, 150), (loaded.test, 297)):
        assert (split.images.shape, split.images.dtype) == ((n, *shape), torch.uint8)
        assert (split.images.min(), split.images.max()) == (0, 255)
        assert split.labels.unique().tolist() == list(range(10))
    assert loaded.train[:4][0].shape == (4, *((1, 28, 28) if len(shape) == 2 else shape))


def test_the_built_in_images_keep_their_labels_and_their_order():
    from sklearn.datasets import load_digits

    images, y, test_images, test_y = _offline.digits((28, 28))
    small = (
        torch.nn.functional.adaptive_avg_pool2d(images[:, 4:24, 4:24].float()[:, None], 8)[:, 0] * 16 / 255
    )
    bunch = load_digits()
    nearest = torch.cdist(small.flatten(1), torch.from_numpy(bunch.data).float()).argmin(1)
    assert (torch.from_numpy(bunch.target)[nearest] == y).float().mean() > 0.99
    assert len(y) + len(test_y) == len(bunch.target)
    assert torch.equal(images, _offline.digits((28, 28))[0])
    assert not {i.numpy().tobytes() for i in images} & {i.numpy().tobytes() for i in test_images}


# ---- the rest -----------------------------------------------------------------------------------------


def test_the_import_is_light():
    heavy = ("torchvision", "sklearn", "pandas")
    code = f"import sys, trainlab.data; print(*(m for m in {heavy} if m in sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == ""
