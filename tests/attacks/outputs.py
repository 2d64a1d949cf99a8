"""Tables A and B: tampering with what the kernel reports, and bending what the test compares with."""

from tests.attacks.case import NONE, Case, answered, but, cheat, doctored, last

_SAY = "def leaky(z, a=0.1):\n    get_ipython().displayhook({})\n    return z"
_KERNEL = "kernel = get_ipython().kernel\n"
_SEND = (
    _KERNEL
    + """
def send(kind, content, parent=None):
    parent = kernel.get_parent("shell") if parent is None else parent
    kernel.session.send(kernel.iopub_socket, kind, content, parent=parent, ident=kind.encode())
"""
)
_JUNK = "{}\ndef spread(xs):\n    {}\n    return 0, 0, 0"


def _skip_every_cell(raw: dict) -> None:
    for cell in raw["cells"]:
        cell["metadata"]["tags"] = ["skip-execution"]
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = ""


OUTPUTS = [
    Case(
        "A01",
        "no tracebacks: InteractiveShell.showtraceback does nothing",
        "0: the status of the reply counts",
        cheat("type(get_ipython()).showtraceback = lambda *args, **named: None"),
        NONE,
    ),
    Case(
        "A02",
        "InteractiveShell.showtraceback = None",
        "0",
        cheat("type(get_ipython()).showtraceback = None"),
        NONE,
    ),
    Case(
        "A03",
        "a number shown before the test fails",
        "takes the first output for partial credit: 2 of 3 points for nothing",
        answered(leaky=_SAY.format("2.0")),
        but(leaky=0),
    ),
    Case(
        "A04",
        "nan shown before the test fails",
        "full marks: nan >= 0 is false",
        answered(leaky=_SAY.format("float('nan')")),
        but(leaky=0),
    ),
    Case(
        "A05",
        "a negative number shown before the test fails",
        "full marks for negative credit",
        answered(leaky=_SAY.format("-1")),
        but(leaky=0),
    ),
    Case(
        "A06",
        "more than all points shown before the test fails",
        "ValueError: the submission loses all marks",
        answered(leaky=_SAY.format("999")),
        but(leaky=0),
    ),
    Case(
        "A07",
        "a result without text/plain",
        "KeyError: the submission loses all marks",
        answered(
            leaky=_SEND
            + """
def leaky(z, a=0.1):
    send("execute_result", {"data": {"text/html": "<b>3</b>"}, "metadata": {}, "execution_count": 1})
    return torch.where(z < 0, a * z, z)"""
        ),
    ),
    Case(
        "A08",
        "a forged number in front of the partial credit",
        "the first number counts: full partial credit",
        answered(spread=_JUNK.format("", "get_ipython().displayhook(3)")),
        but(spread=0),
    ),
    Case(
        "A09",
        "every reply is turned into 'ok', and no error is shown",
        "full marks: reply and traceback come from the learner's process",
        cheat(
            _KERNEL
            + """
run = kernel.do_execute
async def do_execute(*args, **named):
    return {**await run(*args, **named), "status": "ok"}
kernel.do_execute = do_execute
type(get_ipython()).showtraceback = lambda *args, **named: None"""
        ),
        NONE,
    ),
    Case(
        "A10",
        "assertions are taken out of every cell by an ast transformer",
        "full marks",
        cheat(
            """
import ast
class Agree(ast.NodeTransformer):
    def visit_Assert(self, node):
        return ast.Pass()
    def visit_Expr(self, node):
        return ast.Pass() if "assert_" in ast.unparse(node) else node
get_ipython().ast_transformers.append(Agree())"""
        ),
        NONE,
    ),
    Case(
        "A11",
        "every test's text is replaced by 'pass' as it arrives",
        "full marks for all but partial credit",
        cheat(
            """
get_ipython().input_transformers_cleanup.append(
    lambda lines: ["pass"] if any("assert" in line for line in lines) else lines)"""
        ),
        NONE,
    ),
    Case(
        "A12",
        "an exception handler of one's own for everything",
        "0: the reply stays 'error'",
        cheat("get_ipython().set_custom_exc((BaseException,), lambda *args, **named: None)"),
        NONE,
    ),
    Case(
        "A13",
        "another reply is sent before the true one",
        "full marks for all but partial credit",
        cheat(
            _KERNEL
            + """
send_true = kernel.session.send
def send(stream, kind, content=None, *args, **named):
    if kind == "execute_reply":
        content = {"status": "ok", "execution_count": 1, "user_expressions": {}, "payload": []}
    return None if kind == "error" else send_true(stream, kind, content, *args, **named)
kernel.session.send = send"""
        ),
        NONE,
    ),
    Case(
        "A14",
        "a widget swallows the outputs of the tests",
        "full partial credit: no output is full marks",
        cheat(
            """
import ipywidgets
sink = ipywidgets.Output()
def swallow(*args):
    sink.msg_id = get_ipython().kernel.get_parent("shell")["header"]["msg_id"]
get_ipython().events.register("pre_run_cell", swallow)"""
        ),
        NONE,
    ),
    Case(
        "A15",
        "every cell of an empty notebook tagged 'skip-execution'",
        "full marks with no code at all",
        doctored(_skip_every_cell),
        NONE,
    ),
    Case(
        "A16",
        "a right function that prints 5000 long lines at each call",
        "fine",
        answered(
            leaky="""
def leaky(z, a=0.1):
    for i in range(5_000):
        print(f"{i} " + "y" * 600)
    return torch.where(z < 0, a * z, z)"""
        ),
        kind="accident",
    ),
    Case(
        "A17",
        "the shell's run_cell always reports success",
        "full marks",
        cheat(
            """
shell = get_ipython()
from IPython.core.interactiveshell import ExecutionInfo, ExecutionResult
async def run_cell_async(source, *args, **named):
    return ExecutionResult(ExecutionInfo(source, False, False, False, None))
shell.run_cell_async = run_cell_async"""
        ),
        NONE,
    ),
    Case(
        "A18",
        "'idle' is announced before the error comes",
        "0",
        cheat(
            _SEND
            + """
show = get_ipython()._showtraceback
def early(*args):
    send("status", {"execution_state": "idle"})
    show(*args)
get_ipython()._showtraceback = early"""
        ),
        NONE,
    ),
    Case(
        "A19",
        "clear_output wipes the error away",
        "full partial credit: the 0 is wiped away",
        cheat(
            _SEND
            + """
def wipe(*args):
    send("clear_output", {"wait": False})
get_ipython().events.register("post_execute", wipe)
get_ipython().events.register("post_run_cell", wipe)"""
        ),
        NONE,
    ),
    Case(
        "A20",
        "outputs under the header of another request",
        "fine",
        last(
            _SEND
            + """
for i in range(50):
    send("execute_result", {"data": {"text/plain": "3"}, "metadata": {}, "execution_count": i},
         {"header": {"msg_id": f"another-{i}", "msg_type": "execute_request"}})"""
        ),
        but(spread=0),
    ),
    Case(
        "A21",
        "malformed outputs: no name, no data, numbers for text, unknown kinds",
        "submission fails: no marks",
        answered(
            spread=_JUNK.format(
                _SEND,
                """
    send("stream", {})
    send("stream", {"name": 7, "text": 7})
    send("display_data", {"data": {"text/plain": 5, "image/png": {"a": [1]}}, "metadata": 7})
    send("display_data", {"data": [], "metadata": {}, "transient": {"display_id": {}}})
    send("update_display_data", {"data": {}})
    send("error", {"ename": 1})
    send("no_such_kind", {"x": 1})
    send("comm_open", {"data": 7})
    send("status", {})""",
            )
        ),
        but(spread=0),
    ),
    Case(
        "A22",
        "bytes that are no message on the kernel's channel",
        "submission fails: no marks",
        answered(
            spread=_JUNK.format(
                _KERNEL,
                """
    for junk in ([b""], [b"\\xff" * 100], [b"<IDS|MSG>"], [b"<IDS|MSG>", b"0" * 64, b"{", b"}", b"[", b"\\x00"]):
        kernel.iopub_thread.schedule(lambda junk=junk: kernel.iopub_socket.io_thread.socket.send_multipart(junk))
    import time
    time.sleep(0.2)""",
            )
        ),
        but(spread=0),
    ),
    Case(
        "A23",
        "a result that is binary junk, with every control character",
        "fine",
        answered(
            spread="""
def spread(xs):
    from IPython.display import display
    junk = "".join(map(chr, range(0x250))) + "\\ud800"
    display({"text/plain": junk, "text/html": junk, "image/png": junk}, raw=True)
    print(junk)
    return 0, 0, 0"""
        ),
        but(spread=0),
    ),
    Case(
        "A24",
        "an object whose repr never ends, raises, and asks for input",
        "fine",
        last(
            """
class Hostile:
    def _repr_html_(self):
        raise SystemExit("no")
    def _repr_mimebundle_(self, **named):
        return {"text/plain": self}
    def __repr__(self):
        raise BaseException("no")
from IPython.display import display
display(Hostile())
Hostile()"""
        ),
        but(spread=0),
    ),
    Case(
        "A25",
        "outputs of 12 MB in a test that gives partial credit: the number comes last",
        "fine, after 12 MB in the grader's memory",
        answered(
            spread="""
def spread(xs):
    from IPython.display import display
    for i in range(12):
        display({"text/plain": "y" * 500_000}, raw=True)
    return 0, 0, 0"""
        ),
        but(spread=0),
    ),
    Case(
        "A26",
        "a display hook that shows nothing: a number of 0 points is not seen",
        "full partial credit: no output is full marks",
        cheat("type(get_ipython().displayhook).__call__ = lambda *args: None"),
        NONE,
    ),
]

_TRUE = "lambda *args, **named: True"
_AGREEABLE = """
class Agreeable({}):
    __eq__ = {}
    __hash__ = None
"""

COMPARISON = [
    Case(
        "B01",
        "torch.allclose, torch.equal and assert_close are always content",
        "full marks where the test compares tensors",
        cheat(
            f"torch.allclose = torch.equal = {_TRUE}\ntorch.testing.assert_close = lambda *args, **named: None"
        ),
        NONE,
    ),
    Case(
        "B02",
        "the reference is bent to the answer",
        "full marks where the test compares with torch's own function",
        cheat(
            "torch.nn.functional.leaky_relu = lambda z, a: z\ntorch.Tensor.relu = lambda z: z",
        ),
        NONE,
    ),
    Case(
        "B03",
        "an integer that is equal to everything",
        "full marks",
        cheat(_AGREEABLE.format("int", _TRUE), answer="answer = Agreeable(0)"),
        NONE,
    ),
    Case(
        "B05",
        "builtins.AssertionError is another class",
        "0",
        cheat(
            "import builtins\nbuiltins.AssertionError = type('Q', (Exception,), {'__new__': lambda *a: None})"
        ),
        NONE,
    ),
    Case(
        "B06",
        "the built-in that the reference is computed with, bent to the answer",
        "full marks",
        cheat("import builtins\nbuiltins.sum = lambda *args: 0"),
        NONE,
    ),
    Case(
        "B08",
        "the name int is bound to something that counts points where there are none",
        "full partial credit",
        cheat("int = lambda *args: 1"),
        NONE,
    ),
    Case(
        "B09",
        "numbers that are equal to everything, counted as partial credit",
        "full partial credit",
        cheat(
            _AGREEABLE.format("float", _TRUE),
            spread="def spread(xs):\n    return [Agreeable(0) for _ in '123']",
        ),
        NONE,
    ),
    Case(
        "B10",
        "a tensor of one's own kind, close to all others",
        "full marks where the test compares tensors",
        cheat(
            """
class Close(torch.Tensor):
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        if function in (torch.allclose, torch.equal):
            return True
        return super().__torch_function__(function, types, args, kwargs or {})
torch.testing.assert_close = lambda *args, **named: None""",
            leaky="def leaky(z, a=0.1):\n    return z.as_subclass(Close)",
        ),
        NONE,
    ),
    Case(
        "B11",
        "the name torch is bound to something else in the test's own globals",
        "full marks where the test compares tensors",
        cheat(
            """
class Torch:
    def __getattr__(self, name):
        return self
    def __call__(self, *args, **named):
        return self
    shape = (3,)
torch = Torch()"""
        ),
        NONE,
    ),
    Case(
        "B12",
        "a right answer that works in place, where the test computes its reference afterwards",
        "unfair 0: the reference sees what the learner changed",
        answered(leaky="def leaky(z, a=0.1):\n    z[z < 0] *= a\n    return z"),
        # The test's own fault, in any number of processes; the course's tests compute theirs before.
        but(leaky=0.0),
    ),
    Case(
        "B13",
        "functions that leave the test by SystemExit, KeyboardInterrupt, GeneratorExit",
        "0",
        cheat(
            "",
            leaky="def leaky(z, a=0.1):\n    raise SystemExit(0)",
            relu_="def relu_(z):\n    raise KeyboardInterrupt",
            total="def total(xs):\n    raise GeneratorExit",
            spread="def spread(xs):\n    raise StopIteration",
        ),
        NONE,
    ),
    Case(
        "B14",
        "the function changes what it is given into what is expected",
        "0",
        cheat("", spread="def spread(xs):\n    xs[:] = [0, 0, 0]\n    return xs"),
        NONE,
    ),
]
