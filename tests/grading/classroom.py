"""A small class: an assignment that needs no torch, and learners of whom each could do other exercises."""

import shutil
import sqlite3
from contextlib import closing

import nbformat

from autograder.course import Course
from autograder.grading import release
from tests.grading.lessons import ESSAY, cell

NOTEBOOK = "p1"
POINTS = {"double": 1.0, "square": 2.0, "negate": 4.0}
LEARNERS = ("ada", "ben", "cai", "dia", "eli", "fay")
HIDDEN = {name: f"{name}(3) == {value}" for name, value in (("double", 6), ("square", 9), ("negate", -3))}
_RIGHT = {"double": "x + x", "square": "x * x", "negate": "-x"}
_CONFIG = """\
from pathlib import Path

c = get_config()
load_subconfig("nbgrader_config.py", path={settings!r})
c.CourseDirectory.root = str(Path(__file__).parent)
c.CourseDirectory.course_id = "small"
c.CourseDirectory.source_directory = "source"
c.CourseDirectory.release_directory = "release"
c.SandboxProvisioner.preload = []
{more}
"""


def lay_out(repo, root, *assignments, more=""):
    """A course at `root` with these assignments in its source, and nothing else."""
    for assignment in assignments:
        folder = root / "source" / assignment
        folder.mkdir(parents=True)
        nbformat.write(master(), folder / f"{NOTEBOOK}.ipynb")
    config = _CONFIG.format(settings=str(repo.root / "autograder"), more=more)
    (root / "nbgrader_config.py").write_text(config, "utf-8")
    return Course.at(root)


def a_class(repo, root, *assignments, learners=LEARNERS, seconds=0.0, more=""):
    """A course whose learners have handed in; each answer takes some `seconds` to run."""
    course = lay_out(repo, root, *assignments, more=more)
    for assignment in assignments:
        release(course, assignment)
        for learner in learners:
            hand_in(course, assignment, learner, solved_by(learner), seconds=seconds)
    return course


def copied(course, root):
    """The same course elsewhere."""
    shutil.copytree(course.root, root)
    return Course.at(root)


def solved_by(learner):
    """The exercises that a learner can do: another choice for each of the class."""
    number = LEARNERS.index(learner) + 1
    return [name for position, name in enumerate(POINTS) if number >> position & 1]


def earned(learner):
    return {name: points * (name in solved_by(learner)) for name, points in POINTS.items()}


def hand_in(course, assignment, learner, solved, *, seconds=0.0):
    path = course.path("submitted", learner, assignment) / f"{NOTEBOOK}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    notebook = nbformat.read(course.path("release", ".", assignment) / path.name, as_version=4)
    for given in notebook.cells:
        name, _, role = given.id.rpartition("-")
        if role == "stub":
            wait = f"import time\ntime.sleep({seconds})\n" if seconds else ""
            given.source = f"{wait}def {name}(x):\n    return {_RIGHT[name] if name in solved else None}"
        if role == "answer":
            given.source = ESSAY
    nbformat.write(notebook, path)


def master():
    cells = []
    for name, points in POINTS.items():
        stub = f"def {name}(x):\n    ### BEGIN SOLUTION\n    return {_RIGHT[name]}\n    ### END SOLUTION"
        hidden = f"### BEGIN HIDDEN TESTS\nassert {HIDDEN[name]}\n### END HIDDEN TESTS"
        cells += [
            cell("code", stub, f"{name}-stub", solution=True, grade=False, locked=False),
            cell(
                "code",
                f"assert {name}(0) == 0\n{hidden}",
                f"{name}-test",
                solution=False,
                grade=True,
                locked=True,
                points=points,
            ),
        ]
    question = {"solution": True, "grade": True, "locked": False, "points": 3}
    cells.append(cell("markdown", "*Your words.*", "why-answer", **question))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})


def watch(course):
    """From now on the gradebook itself notes whoever is graded."""
    with closing(sqlite3.connect(course.root / "gradebook.db")) as rows:
        rows.execute("create table writes (student)")
        rows.execute(
            "create trigger note after insert on autograder_ledger "
            "begin insert into writes values (new.student); end"
        )


def written(course):
    """Whom the gradebook took grades of, in this order, as often as it did."""
    with closing(sqlite3.connect(f"file:{course.root}/gradebook.db?mode=ro", uri=True, timeout=60)) as rows:
        return [student for (student,) in rows.execute("select student from writes order by rowid")]


def kept_whole(course, learners, assignment="ps1"):
    """These learners, and no others, are in the gradebook, with the points of every test and their folders."""
    with course.gradebook() as gradebook:
        found = {s.student.id: s for s in gradebook.find_assignment(assignment).submissions}
        assert set(found) == set(learners)
        for learner, submission in found.items():
            scores = {
                g.name.removesuffix("-test"): g.auto_score for n in submission.notebooks for g in n.grades
            }
            assert scores == {**earned(learner), "why-answer": None}
            for step in ("autograded", "feedback"):
                folders = course.path(step, learner, assignment).parent
                assert (folders / assignment).is_dir()
            assert not list(folders.glob(".*"))


def grade_by_hand(course, learner, cell, score, assignment="ps1"):
    """As a person does in formgrader."""
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade(cell, NOTEBOOK, assignment, learner)
        grade.manual_score, grade.needs_manual_grade = score, False
        gradebook.db.commit()


def by_hand(course, learner, cell, assignment="ps1"):
    """The score that a person gave, and whether nbgrader asks for another look."""
    with course.gradebook() as gradebook:
        grade = gradebook.find_grade(cell, NOTEBOOK, assignment, learner)
        return grade.manual_score, grade.needs_manual_grade
