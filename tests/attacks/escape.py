"""Table D: getting out, using everything up, and doing harm."""

from tests.attacks.assignment import RIGHT
from tests.attacks.case import NONE, Case, answered, but, cheat, first, last

# A process that would outlive its learner, with the mark of this run among its arguments.
_SLEEP = '[sys.executable, "-c", "import time; time.sleep(40)", "<<MARK>>"]'
_ROOTS = 'ROOTS = ["../../..", "<<COURSE>>"]\n'
_UPDATE = (
    _ROOTS
    + """
import sqlite3
for root in ROOTS:
    try:
        with sqlite3.connect(f"file:{root}/gradebook.db?mode=rw", uri=True, timeout=1) as base:
            base.execute("update grade set auto_score = 99, manual_score = 99, extra_credit = 9")
            base.execute("update grade_cells set max_score = 0")
            base.execute("update source_cell set source = 'pass'")
    except sqlite3.Error as error:
        print(type(error).__name__)"""
)
_DISTURB = (
    _ROOTS
    + """
import os
for root in ROOTS:
    for name in ({}):
        try:
            with open(os.path.join(root, name), "a") as file:
                file.write("{}")
        except OSError as error:
            print(type(error).__name__)"""
)

HARM = [
    Case(
        "D01",
        "os._exit in an answer",
        "all marks lost",
        answered(spread="import os\nos._exit(0)"),
        but(spread=0),
    ),
    Case(
        "D02",
        "os._exit in a graded function",
        "all marks lost",
        answered(leaky="import os\ndef leaky(z, a=0.1):\n    os._exit(0)"),
        but(leaky=0),
    ),
    Case(
        "D03",
        "sys.exit() left under an answer",
        "fine",
        answered(leaky=RIGHT["leaky"] + "\nimport sys\nsys.exit()"),
        kind="accident",
    ),
    Case(
        "D04",
        "exit() in a graded function",
        "the kernel stops: all marks lost",
        answered(leaky="def leaky(z, a=0.1):\n    exit()"),
        but(leaky=0),
        kind="accident",
    ),
    Case(
        "D05",
        "kills its parent",
        "batch dead: nobody after it is graded",
        last("import os\nos.kill(os.getppid(), 9)"),
        but(spread=0),
    ),
    Case(
        "D06",
        "a loop without an end in an answer",
        "fine: interrupted at the time-out",
        answered(answer="while True:\n    pass\nanswer = 42"),
        but(answer=0),
        kind="accident",
        says="time limit",
    ),
    Case(
        "D07",
        "kills a process of the host that it finds by its name",
        "killed",
        last(
            """
import os, signal
for process in filter(str.isdigit, os.listdir("/proc")):
    try:
        if b"<<VICTIM>>" in open(f"/proc/{process}/cmdline", "rb").read():
            os.kill(int(process), signal.SIGKILL)
    except OSError:
        pass
try:
    os.kill(int("<<VICTIM_PID>>"), signal.SIGTERM)
except OSError as error:
    print(type(error).__name__)"""
        ),
        but(spread=0),
    ),
    Case(
        "D08",
        "a graded function that swallows every interrupt",
        "0 for that test, by luck",
        answered(
            leaky="""
def leaky(z, a=0.1):
    import time
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            while time.monotonic() < end:
                pass
        except BaseException:
            pass
    return z"""
        ),
        but(leaky=0),
    ),
    Case(
        "D09",
        "prints without an end",
        "survives, after buffering the flood in the grader's memory",
        last(
            """
import time
end = time.monotonic() + 60
while time.monotonic() < end:
    print("y" * 200)"""
        ),
        but(spread=0),
    ),
    Case(
        "D10",
        "starts 50 processes in sessions of their own",
        "50 processes left running",
        last(
            f"import subprocess, sys\nfor _ in range(50):\n    subprocess.Popen({_SLEEP}, start_new_session=True)"
        ),
        but(spread=0),
    ),
    Case(
        "D11",
        "forks 300 times",
        "fine; the children end by themselves",
        last(
            """
import os, time
for _ in range(300):
    try:
        if os.fork() == 0:
            time.sleep(20)
            os._exit(0)
    except OSError as error:
        print(type(error).__name__)
        break"""
        ),
        but(spread=0),
    ),
    Case("D12", "writes marks into the gradebook", "full marks", cheat(_UPDATE), NONE),
    Case(
        "D13",
        "a child locks the gradebook",
        "batch aborted: OperationalError",
        last(
            """
import subprocess, sys
code = '''
import sqlite3, time
for root in ["../../..", "<<COURSE>>"]:
    try:
        base = sqlite3.connect(f"file:{root}/gradebook.db?mode=rw", uri=True)
        base.execute("begin exclusive")
    except sqlite3.Error:
        continue
    time.sleep(40)
'''
subprocess.Popen([sys.executable, "-c", code, "<<MARK>>"], start_new_session=True)"""
        ),
        but(spread=0),
    ),
    Case(
        "D14",
        "asks for 50 GB at once",
        "MemoryError, fine",
        answered(leaky=RIGHT["leaky"] + "\nbig = bytearray(50 << 30)"),
        kind="accident",
    ),
    Case(
        "D15",
        "its kernel is killed, as by the system when memory is short",
        "all marks lost",
        last("import os\nos.kill(os.getpid(), 9)"),
        but(spread=0),
    ),
    Case(
        "D16",
        "a file of 200 MB in the working folder",
        "kept in autograded/, and once more in feedback/",
        last(
            """
with open("<<MARK>>.bin", "wb") as file:
    for _ in range(200):
        file.write(bytes(1 << 20))"""
        ),
        but(spread=0),
    ),
    Case(
        "D17",
        "fills /tmp, /dev/shm and /var/tmp, up to 2 GB",
        "files left in all three",
        last(
            """
import os
for folder in ("/tmp", "/dev/shm", "/var/tmp"):
    try:
        with open(f"{folder}/<<MARK>>", "wb") as file:
            for _ in range(680):
                file.write(bytes(1 << 20))
    except OSError as error:
        print(type(error).__name__)"""
        ),
        but(spread=0),
    ),
    Case(
        "D18",
        "deletes a classmate's submission",
        "the classmate gets 0, without a message",
        last(
            _ROOTS
            + "import shutil\nfor root in ROOTS:\n    for step in ('submitted', 'staged', 'autograded', 'release'):\n"
            "        shutil.rmtree(f'{root}/{step}/z_last', ignore_errors=True)"
        ),
        but(spread=0),
    ),
    Case(
        "D19",
        "20 000 empty files in the working folder",
        "20 000 files kept in autograded/",
        last("for i in range(20_000):\n    open(f'<<MARK>>-{i}', 'w').close()"),
        but(spread=0),
    ),
    Case(
        "D20",
        "adds a line to the course's configuration",
        "it runs as the instructor at the next command",
        last(_DISTURB.format('"nbgrader_config.py",', "# <<MARK>>")),
        but(spread=0),
    ),
    Case(
        "D21",
        "leaves start-up files for whoever comes next",
        "start-up files left: they run at the next start of Python or IPython",
        last(
            """
import os, site, sys
from pathlib import Path
homes = {Path.home(), Path(os.path.expanduser("~root")), Path("<<HOME_FILE>>").parent}
places = [Path(p) / "<<MARK>>.pth" for p in {*site.getsitepackages(), site.getusersitepackages(), *sys.path} if p]
places += [home / ".ipython/profile_default/startup/<<MARK>>.py" for home in homes]
places += [home / ".jupyter/<<MARK>>.py" for home in homes] + [home / "<<MARK>>.sh" for home in homes]
places += [Path(torch.__file__).parent / "<<MARK>>.py", Path("<<REPO>>/<<MARK>>.py"), Path("../<<MARK>>.py")]
for place in places:
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text("# <<MARK>>")
    except OSError as error:
        print(type(error).__name__)"""
        ),
        but(spread=0),
    ),
    Case(
        "D24",
        "changes the hidden test in the instructor's source and in the released notebook",
        "the next release uses the changed test",
        last(
            _DISTURB.format(
                '"source/ps1/p1.ipynb", "release/ps1/p1.ipynb", "submitted/z_last/ps1/p1.ipynb"', " "
            )
        ),
        but(spread=0),
    ),
    Case(
        "D25",
        "a segmentation fault",
        "all marks lost",
        last("import ctypes\nctypes.string_at(0)"),
        but(spread=0),
    ),
    Case(
        "D26",
        "closes every file of its process",
        "all marks lost",
        last("import os\nos.closerange(0, 200)"),
        but(spread=0),
    ),
    Case(
        "D27",
        "puts a link to the host's listener in the place of the kernel's sockets",
        "fine",
        last(
            """
import glob, json, os
from ipykernel.connect import get_connection_file
file = get_connection_file()
facts = json.load(open(file))
for path in {file, *glob.glob(facts["ip"] + "*")}:
    try:
        os.unlink(path)
        os.symlink("<<SOCKET>>", path)
    except OSError as error:
        print(type(error).__name__)"""
        ),
        but(spread=0),
    ),
    Case(
        "D28",
        "stops itself for good",
        "all marks lost",
        last("import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
        but(spread=0),
    ),
    Case(
        "D29",
        "kills its process group",
        "all marks lost",
        last("import os, signal\nos.killpg(os.getpgrp(), signal.SIGKILL)"),
        but(spread=0),
    ),
    Case(
        "D30",
        "ignores interrupts in an endless answer",
        "all marks lost",
        last(
            """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
end = time.monotonic() + 60
while time.monotonic() < end:
    pass"""
        ),
        but(spread=0),
    ),
    Case(
        "D31",
        "a quarter of a gigabyte in each of eight children",
        "fine",
        last(
            """
import subprocess, sys
code = "import time; big = bytearray(b'x') * (256 << 20); time.sleep(1)"
children = [subprocess.Popen([sys.executable, "-c", code, "<<MARK>>"]) for _ in range(8)]
[child.wait() for child in children]"""
        ),
        but(spread=0),
    ),
    Case(
        "D32",
        "raises its own limits, then takes 1 GB",
        "fine",
        last(
            """
import resource
for kind in range(16):
    try:
        resource.setrlimit(kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        pass
big = [bytearray(b"x") * (64 << 20) for _ in range(16)]
del big"""
        ),
        but(spread=0),
    ),
    Case(
        "D33",
        "recursion without an end, with the limit taken away",
        "fine",
        last(
            "import sys\nsys.setrecursionlimit(10**9)\ndef down(n):\n    return n and [down(n - 1)]\ndown(100_000)"
        ),
        but(spread=0),
    ),
    Case(
        "D34",
        "50 threads that print through all later cells, and one that never ends",
        "fine",
        first(
            """
import threading, time
def chatter():
    end = time.monotonic() + 30
    while time.monotonic() < end:
        print("chatter")
        time.sleep(0.5)
for _ in range(50):
    threading.Thread(target=chatter, daemon=True).start()
threading.Thread(target=time.sleep, args=(40,)).start()"""
        ),
    ),
    Case(
        "D35",
        "an atexit handler that holds on to life",
        "fine",
        first("import atexit, time\natexit.register(time.sleep, 40)"),
    ),
    Case(
        "D36",
        "mounts over the system in a namespace of its own, and writes there",
        "nothing mounted",
        last(
            """
import subprocess
script = "mount -o remount,rw / ; mount -o bind,remount,rw /usr; touch /usr/<<MARK>> /etc/<<MARK>>; "
script += "echo x > /proc/sys/kernel/core_pattern.<<MARK>>"
subprocess.run(["unshare", "-Urm", "sh", "-c", script], timeout=5, capture_output=True)
subprocess.run(["sh", "-c", script], timeout=5, capture_output=True)"""
        ),
        but(spread=0),
    ),
    Case(
        "D37",
        "writes to the instructor's terminal",
        "it appears on the terminal",
        last(
            """
import os
for name in ("/dev/tty", "/dev/console", "/dev/pts/0", "/dev/pts/1", "/proc/1/fd/1", "/proc/1/fd/2"):
    try:
        os.write(os.open(name, os.O_WRONLY | os.O_NOCTTY | os.O_NONBLOCK), b"<<MARK>>")
    except OSError as error:
        print(type(error).__name__)
for fd in (0, 1, 2):
    os.write(fd, b"<<MARK>> on the grader's own output\\n") if fd else None"""
        ),
        but(spread=0),
    ),
    Case(
        "D38",
        "leaves hard links, pipes, a folder without rights and a broken name in its folder",
        "kept in autograded/",
        last(
            """
import os
os.mkfifo("<<MARK>>.pipe")
os.symlink("/", "<<MARK>>.link")
os.makedirs("<<MARK>>/deep/" * 20)
open(b"<<MARK>>\\xff\\n\\x1b[2J", "w").close()
os.chmod("<<MARK>>", 0)"""
        ),
        but(spread=0),
    ),
    Case(
        "D39",
        "replaces its own notebook while it runs",
        "0: the notebook is in memory",
        cheat(
            """
import json
from pathlib import Path
for path in Path(".").glob("*.ipynb"):
    raw = json.loads(path.read_text())
    raw["cells"] = []
    path.write_text(json.dumps(raw))
Path("p1.ipynb").write_text("nonsense")"""
        ),
        NONE,
    ),
    Case(
        "D40",
        "os._exit in the first answer",
        "all marks lost",
        answered(leaky="import os\nos._exit(0)"),
        but(leaky=0),
    ),
]
