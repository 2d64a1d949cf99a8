"""nbgrader's configuration for this course; every stock command typed in this folder reads it."""

import os
import sys
from pathlib import Path

# nbgrader calls `alembic` by its bare name; let it be found where the virtual environment is not activated.
_BIN = str(Path(sys.executable).parent)
if _BIN not in os.environ["PATH"].split(os.pathsep):
    os.environ["PATH"] = os.pathsep.join([_BIN, os.environ["PATH"]])

# Grading needs the exercises, not the figures: notebooks run on their fast budget and the built-in data, on one
# thread each (two kernels that share cores and spin cost minutes), without progress bars, and without touching
# the instructor's own progress file. What is set in the environment already is left alone.
os.environ.setdefault("TRAINLAB_FAST", "1")
os.environ.setdefault("TRAINLAB_OFFLINE", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TQDM_DISABLE", "1")
os.environ.setdefault("TRAINLAB_HOME", "/nonexistent" if os.name == "posix" else "NUL")

# Stock commands find our plugins, whatever folder they are typed in.
sys.path.append(str(Path(__file__).resolve().parents[1]))

c = get_config()

c.CourseDirectory.root = str(Path(__file__).resolve().parent)
c.CourseDirectory.course_id = "training-deep-networks"
c.CourseDirectory.source_directory = "master"
c.CourseDirectory.release_directory = "../course"

c.ClearSolutions.code_stub = {"python": "raise NotImplementedError  # your answer goes here"}
c.ClearSolutions.text_stub = "*Your answer goes here.*"

# A learner who deleted a test cell gets it back, with the points that hang on it.
c.OverwriteCells.add_missing_cells = True
# nbclient skips cells that carry this tag, and nbgrader takes a cell without output for a right one:
# a learner could tag the tests away. No tag can contain a NUL.
c.Execute.skip_cells_with_tag = "\0"
c.Execute.timeout = 60
# ipykernel warns at every start that its loopback socket is not encrypted; errors are still shown.
c.Execute.extra_arguments = ["--log-level=40"]

# What the lessons import, so that a warm process has it; the guard of torchvision comes before it.
c.SandboxProvisioner.preload = [
    "torch",
    "torch._dynamo",  # the first optimiser imports it: a second, and 70 MB that kernels then share
    "torch._decomp.decompositions_for_jvp",  # so does the first forward derivative
    "trainlab._torchvision",
    "torchvision.transforms",
    "numpy",
    "pandas",
    "scipy.stats",
    "sklearn.datasets",
    "matplotlib.pyplot",
    "ipywidgets",
    "tqdm.auto",
]

# nbgrader writes names into its table of grades as they are: with commas, and with formulas that a spreadsheet runs.
c.ExportApp.plugin_class = "autograder.export.SafeCsvExport"

# The pages hide the tests' hidden lines, and nothing that a learner wrote acts in them, whoever has them written.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "autograder.defuse.Defuse",
    "autograder.feedback.Summary",
    "autograder.feedback.HideTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
