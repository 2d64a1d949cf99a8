"""Attacks on the boundary: none gains a point, reads a hidden value, or harms the process of the tests.

A test that is attacked has to fail, or to see plain values; and it has to end soon.
"""

import os
import secrets
import socket
import struct
import time

import pytest
import torch

from autograder.trust import wire
from autograder.trust.peer import Ended, Peer

_MODEL_IS_LEFT_ALONE = """
model = nn.Linear(3, 2)
before = {k: v.clone() for k, v in model.state_dict().items()}
f(model)
assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
"""
# Each of these code cells tries to pass a test that its function does not deserve to pass.
LIES = {
    "a number that equals everything": (
        "class Any(int):\n    __eq__ = lambda *_: True\n    __hash__ = int.__hash__\ndef f(x): return Any(0)",
        "assert f(1) == 42",
    ),
    "an object that equals everything": (
        "class Any:\n    __eq__ = lambda *_: True\n    __bool__ = lambda *_: True\ndef f(x): return Any()",
        "assert f(1) == 42",
    ),
    "an object that is true": (
        "class Yes:\n    __bool__ = lambda *_: True\ndef f(x): return Yes()",
        "assert f(1)",
    ),
    "an object that lies about its class": (
        "class Liar:\n    __class__ = property(lambda self: float)\ndef f(x): return Liar()",
        "assert isinstance(f(1), float)",
    ),
    "a tensor of a class of its own": (
        "class Near(torch.Tensor):\n    @classmethod\n    def __torch_function__(cls, *_, **__): return True\n"
        "def f(x): return torch.zeros(2).as_subclass(Near)",
        "assert torch.allclose(f(1), torch.ones(2))",
    ),
    "an array that equals everything": (
        "import numpy as np\nclass Near(np.ndarray):\n    __eq__ = lambda *_: True\n"
        "def f(x): return np.zeros(2).view(Near)",
        "assert all(f(1) == 1)",
    ),
    "torch's comparisons bent": (
        "torch.allclose = torch.equal = torch.isclose = lambda *_, **__: True\ndef f(x): return torch.zeros(2)",
        "assert torch.allclose(f(1), torch.ones(2))",
    ),
    "the reference bent": (
        "F.relu = torch.relu = lambda z: z\ntorch.Tensor.relu = lambda z: z\ndef f(x): return x",
        "assert torch.equal(f(torch.tensor([-1.0])), torch.relu(torch.tensor([-1.0])))",
    ),
    "an error that ends the loop of the test": (
        "def f(x):\n    raise StopIteration",
        "for _ in map(f, [1]): assert False\nassert not list(map(f, [1]))",
    ),
    "an error that passes for Ctrl-C": (
        "def f(x):\n    raise KeyboardInterrupt",
        "try: f(1)\nexcept KeyboardInterrupt: pass\nexcept BaseException: assert False",
    ),
    "an error that ends the process of the test": (
        "def f(x):\n    raise SystemExit(0)",
        "try: f(1)\nexcept SystemExit: pass\nexcept BaseException: assert False",
    ),
    "the process ends": ("import os\ndef f(x): os._exit(0)", "f(1)\nassert False"),
    "the protocol replaced": (
        "from autograder.trust import wire\nwire.encode = lambda *_: ['object', 2]\ndef f(x): return 0",
        "assert f(1) is not None",
    ),
    "a test's object sent back with another mind": (
        "def f(x):\n    x.seen = 7\n    x.weight = None",
        "class Spy(nn.Module):\n    seen = 0\nspy = Spy()\nf(spy)\nassert spy.seen == 7",
    ),
    "methods put on the test's own model": (
        """
def f(model):
    model.state_dict = lambda: {}
    model.named_parameters = lambda: iter(())
    with torch.no_grad():
        model.weight.zero_()
""",
        _MODEL_IS_LEFT_ALONE,
    ),
    "the class of the test's own model changed": (
        """
class Empty(nn.Linear):
    def state_dict(self): return {}
def f(model):
    model.__class__ = Empty
    with torch.no_grad():
        model.weight.zero_()
""",
        _MODEL_IS_LEFT_ALONE,
    ),
    "a tensor put in front of the test's own parameter": (
        "def f(model): model.__dict__['weight'] = torch.zeros(2, 3)",
        "model = nn.Linear(3, 2)\nf(model)\nassert not model.weight.any()",
    ),
    "a random state of nothing but zeros": (
        "def f(x):\n    s = torch.get_rng_state()\n    s[24:-32] = 0\n    torch.set_rng_state(s)",
        "f(1)\nassert torch.rand(9).unique().numel() < 9",
    ),
    "the input changed after the call": (
        "import threading, time\n"
        "def f(x): threading.Thread(target=lambda: (time.sleep(0.1), x.zero_())).start()",
        "import time\nx = torch.ones(2)\nf(x)\ntime.sleep(0.3)\nassert not x.any()",
    ),
    "a loss function asked without end": (
        "def f(g):\n    def h(): return g(h)\n    return g(h)",
        "assert f(lambda h: h()) == 42",
    ),
}


@pytest.mark.parametrize("what", LIES)
def test_a_lie_gains_nothing(across, what):
    code, test = LIES[what]
    compile(test, what, "exec")  # else any answer would fail
    begun = time.monotonic()
    with pytest.raises(Exception):  # noqa: B017, PT011 - any error is no points
        across(code).run(test)
    assert time.monotonic() - begun < 15


# Each of these looks for what only the test knows.
SPIES = {
    "walks all objects": """
import gc
def f(x, g):
    texts = (r for o in gc.get_objects() for r in gc.get_referents(o) if type(r) is str)
    return " ".join({text for text in texts if len(text) == 16})
""",
    "walks the frames": """
import sys
def f(x, g):
    frame, found = sys._getframe(), []
    while frame:
        found.append(repr(frame.f_locals) + repr(frame.f_globals))
        frame = frame.f_back
    return str(found)
""",
    "reads its own memory": """
def f(x, g):
    found = b""
    for line in open("/proc/self/maps"):
        place, rights, *_ = line.split()
        if "rw" in rights and len(found) < 40_000_000:
            low, high = (int(p, 16) for p in place.split("-"))
            try:
                with open("/proc/self/mem", "rb", 0) as memory:
                    memory.seek(low)
                    found += memory.read(min(high - low, 20_000_000))
            except (OSError, ValueError, OverflowError):
                pass
    return found.decode("latin-1")
""",
    "looks into the function of the test": """
def f(x, g):
    found = []
    for name in ("__closure__", "__code__", "__defaults__", "__globals__", "__self__", "__dict__"):
        try: found.append(repr(g._peer.ask("get", g, name)))
        except Exception: pass
    return str(found) + repr(vars(g))
""",
    "looks beyond the view that it is given": """
def f(x, g):
    wide = torch.empty(0).set_(x.untyped_storage())
    return "".join(map(chr, wide.long().tolist()))
""",
}


@pytest.mark.parametrize("what", SPIES)
def test_what_only_the_test_knows_stays_with_it(across, what):
    learner = across(SPIES[what])
    hidden = secrets.token_hex(8)
    hidden = "".join(chr(ord("g") + int(c, 16) % 16) for c in hidden)  # made after the fork
    test = """
table = torch.tensor([[0.0, ord(c)] for c in hidden])
x = table[:, 0]
def g(a, wanted=hidden): return 0.0 if wanted else 1.0
got = f(x, g)
"""
    told = learner.run(test, hidden=hidden)["got"]
    assert isinstance(told, str)
    assert hidden not in told


def _frame(message, buffers=()):
    ours, theirs = socket.socketpair()
    ours.setblocking(True)
    wire.send(ours, message, list(buffers))
    ours.close()
    data = theirs.recv(1 << 20)
    theirs.close()
    return data


NOTHING = {"memories": [], "tensors": [], "gone": []}
EMPTY = {"made": [], "states": [], "gone": []}


def _answer(value, **more):
    return {"value": value, "tensors": NOTHING, "objects": EMPTY, "grad": True} | more


def _tensor(*facts, size=8):
    return {"memories": [[3, size, 0]], "tensors": [[5, 3, *facts, False, False, None, None]], "gone": []}


MALFORMED = {
    "a giant frame announced": struct.pack("<IQ", 1, 1 << 60),
    "a million buffers": struct.pack("<I", 1_000_000),
    "no JSON": struct.pack("<IQ", 1, 4) + b"\x80\x04N.",
    "nested without end": struct.pack("<IQ", 1, 200_000) + b"[" * 200_000,
    "a number without end": struct.pack("<IQ", 1, 5_000) + b"9" * 5_000,
    "no message": _frame([1, 2]),
    "a message without its parts": _frame({"value": ["tuple"]}),
    "an unknown tag": _frame(_answer(["pickle", "gASVAA=="])),
    "a function of the system by name": _frame(_answer(["tuple", ["global", "os:system"]])),
    "eval by name": _frame(_answer(["tuple", ["global", "builtins:eval"]])),
    "a tensor that nobody knows": _frame(_answer(["tuple", ["tensor", 77]])),
    "a tensor beyond its storage": _frame(
        _answer(["tuple", ["tensor", 5]], tensors=_tensor("float64", 0, [100], [1])), [b"\0" * 8]
    ),
    "a tensor that looks larger than all memory": _frame(
        _answer(["tuple", ["tensor", 5]], tensors=_tensor("float64", 0, [1 << 40], [0])), [b"\0" * 8]
    ),
    "a tensor before its storage": _frame(
        _answer(["tuple", ["tensor", 5]], tensors=_tensor("float64", -5, [1], [1])), [b"\0" * 8]
    ),
    "a storage of another size than its bytes": _frame(
        _answer(["tuple", ["tensor", 5]], tensors=_tensor("float64", 0, [1], [1], size=1 << 40)), [b"\0" * 8]
    ),
    "a class above all others": _frame(
        _answer(
            ["tuple", ["object", 3]],
            objects={"made": [[3, "class", "T", "torch:Tensor", [], [], []]], "states": [], "gone": []},
        )
    ),
    "an object under a number of the test's": _frame(
        _answer(["tuple", ["object", 4]], objects={"made": [[4, "function", "g"]], "states": [], "gone": []})
    ),
    "a module with a number for a parameter": _frame(
        _answer(
            ["tuple", ["object", 3]],
            objects={
                "made": [[3, "module", "torch.nn.modules.linear:Linear"]],
                "states": [[3, [True, [[["weight", 7]], [], []], [], [[], []], [[], [], []], []]]],
                "gone": [],
            },
        )
    ),
    "an error that is none": _frame(
        {"error": {"name": 3}, "tensors": NOTHING, "objects": EMPTY, "grad": True}
    ),
    "an error of the test's that it never raised": _frame(
        {"error": {"number": 4}, "tensors": NOTHING, "objects": EMPTY, "grad": True}
    ),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_a_message_that_breaks_the_rules_ends_the_conversation(hostile, what):
    def work(connection):
        connection.recv(1 << 16)
        connection.sendall(MALFORMED[what])
        time.sleep(20)

    connection = hostile(work).connection
    connection.settimeout(5)
    begun = time.monotonic()
    with pytest.raises(Ended):
        Peer(connection, trusted=True).ask("name", "f")
    assert time.monotonic() - begun < 10


def test_a_slow_answer_is_not_waited_for(across):
    with pytest.raises(Ended):
        across("import time\ndef f(x): time.sleep(60)").run("f(1)", seconds=1)


def test_nothing_is_asked_of_a_process_that_has_ended(across):
    learner = across("import os\ndef f(): os._exit(0)\ndef g(): return 1")
    test = "try: f()\nexcept Exception: pass\ng()"
    begun = time.monotonic()
    with pytest.raises(Ended):
        learner.run(test)
    assert time.monotonic() - begun < 5


def test_a_state_kept_between_calls_finds_no_expected_value(across):
    """It may recognise an input, but the process has never held what is expected of it."""
    code = "seen = []\ndef f(x):\n    seen.append(x.clone())\n    return seen[0] if len(seen) > 1 else x"
    test = "a, b = torch.randn(3), torch.randn(3)\nwant = a + b\nfirst, second = f(a), f(b)"
    found = across(code).run(test)
    assert torch.equal(found["second"], found["a"])
    assert not torch.equal(found["second"], found["want"])


def test_the_child_of_a_test_is_not_this_process(across):
    assert across("import os\ndef f(): return os.getpid()").run("got = f()")["got"] != os.getpid()
