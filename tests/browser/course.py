"""A course on disk as small as a course can be: one notebook of two exercises and a question."""

import nbformat

from autograder.course import Course
from autograder.grading import release
from tests.grading.lessons import cell

CHAPTER, LESSON = "ps1", "n1"
_CONFIG = """\
c = get_config()
load_subconfig("nbgrader_config.py", path={ours!r})
c.CourseDirectory.root = {root!r}
c.CourseDirectory.release_directory = "release"
"""
_SOLVED = "def {0}(x):\n    ### BEGIN SOLUTION\n    return x\n    ### END SOLUTION"
_STUB = {"solution": True, "grade": False, "locked": False}
_TEST = {"solution": False, "grade": True, "locked": True, "points": 2}


def small_course(repo, root):
    """The course, released."""
    essay = {"solution": True, "grade": True, "locked": False, "points": 3}
    cells = [
        cell("markdown", "# A lesson"),
        cell("code", _SOLVED.format("first"), "first-stub", **_STUB),
        cell("code", "assert first(1) == 1", "first-test", **_TEST),
        cell("markdown", "Why?", "why-answer", **essay),
        cell("code", _SOLVED.format("second"), "second-stub", **_STUB),
        cell("code", "assert second(1) == 1", "second-test", **_TEST),
    ]
    path = root / "master" / CHAPTER / f"{LESSON}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    config = _CONFIG.format(ours=str(repo.root / "autograder"), root=str(root))
    (root / "nbgrader_config.py").write_text(config, "utf-8")
    course = Course.at(root)
    release(course, CHAPTER)
    return course


def hand_in(course, student, answers, extras=()):
    """A learner's notebook: cells filled in by name, and Markdown cells of their own in front."""
    notebook = nbformat.read(course.path("release", ".", CHAPTER) / f"{LESSON}.ipynb", as_version=4)
    for part in notebook.cells:
        part.source = answers.get(part.id, part.source)
    notebook.cells[1:1] = [nbformat.v4.new_markdown_cell(text) for text in extras]
    path = course.path("submitted", student, CHAPTER) / f"{LESSON}.ipynb"
    path.parent.mkdir(parents=True)
    nbformat.write(notebook, path)
