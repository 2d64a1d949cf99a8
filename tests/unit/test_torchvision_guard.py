"""The import of torchvision on a machine where its C extension loads, and on one where it does not."""

import subprocess
import sys

import pytest

# torchvision swallows this error, exactly as it does when the wheel does not fit torch.
BREAK_EXTENSION = """
import torch
def refuse(path):
    raise OSError("libcudart.so: cannot open shared object file")
torch.ops.load_library = refuse
"""


def run(code, folder=None):
    """Run `code` in a fresh interpreter that looks for packages in `folder` first."""
    prefix = f"import sys; sys.path.insert(0, {str(folder)!r})\n" if folder else ""
    done = subprocess.run([sys.executable, "-c", prefix + code], capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout.strip(), done.stderr


def fake_torchvision(folder, body):
    (folder / "torchvision").mkdir()
    (folder / "torchvision" / "__init__.py").write_text(body)
    return folder


@pytest.fixture(scope="module")
def sick():
    """What a machine without the extension does, as the lines of one run."""
    code = f"""{BREAK_EXTENSION}
from trainlab import import_torchvision
torchvision = import_torchvision()
print(import_torchvision() is torchvision is sys.modules["torchvision"])
print(torchvision.models.resnet18(weights=None).eval()(torch.zeros(1, 3, 32, 32)).shape)
from torchvision.transforms import v2
print(v2.functional.resize(torch.zeros(3, 8, 8), [4, 4]).shape)
print(torchvision.datasets.MNIST.__name__)
try:
    torchvision.ops.nms(torch.zeros(1, 4), torch.zeros(1), 0.5)
except RuntimeError as error:
    print(error)
"""
    status, out, err = run("import sys\n" + code)
    assert status == 0, err
    return out.splitlines()


def test_the_trouble_is_the_one_the_guard_waits_for():
    status, _, err = run(f"{BREAK_EXTENSION}\nimport torchvision")
    if status == 0:
        pytest.skip("this torchvision imports without its extension: the guard has nothing to do")
    assert "RuntimeError: operator torchvision::" in err


def test_without_the_extension_models_transforms_and_datasets_work(sick):
    assert sick[:4] == ["True", "torch.Size([1, 1000])", "torch.Size([3, 4, 4])", "MNIST"]


def test_without_the_extension_nms_itself_says_what_is_missing(sick):
    assert "Couldn't load custom C++ ops" in sick[4]


def test_a_failed_plain_import_before_does_no_harm():
    code = f"""{BREAK_EXTENSION}
try:
    import torchvision
except RuntimeError:
    from trainlab._torchvision import import_torchvision
    print(import_torchvision().models.resnet18.__name__)
"""
    assert run(code)[1] == "resnet18"


def test_a_healthy_import_is_left_alone(tmp_path):
    fake_torchvision(tmp_path, "HEALTHY = True")
    code = """
import torch
from trainlab import _torchvision
print(_torchvision.import_torchvision().HEALTHY)
print(_torchvision._declare_operators.cache_info().currsize, hasattr(torch.ops.torchvision, "nms"))
"""
    assert run(code, tmp_path)[1].split() == ["True", "0", "False"]


@pytest.mark.parametrize("error", ["RuntimeError('no memory')", "ImportError('no PIL')"])
def test_another_error_comes_through(tmp_path, error):
    fake_torchvision(tmp_path, f"raise {error}")
    code = "from trainlab._torchvision import import_torchvision; import_torchvision()"
    status, _, err = run(code, tmp_path)
    assert status != 0
    assert err.strip().splitlines()[-1] == error.replace("('", ": ").replace("')", "")
