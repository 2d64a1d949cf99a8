"""Grade one course in a process of its own, as an instructor would: ``-m tests.attacks.grade COURSE RESULTS``."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

from autograder.grading import Course, grade_class, look
from tests.attacks.assignment import ASSIGNMENT


def main(root: str, results: str) -> None:
    """Grade the class of the course at `root`, and write what the grader says to the file `results`."""
    course = Course.at(root)
    look(course, ASSIGNMENT)  # as the command does
    graded = grade_class(course, ASSIGNMENT, course.students(ASSIGNMENT))
    Path(results).write_text(json.dumps([asdict(result) for result in graded]), "utf-8")


# Guarded, because a grader may start its workers by importing this file.
if __name__ == "__main__":
    main(*sys.argv[1:])
