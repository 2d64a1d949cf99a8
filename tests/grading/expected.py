"""What the demo class must score, whoever grades it: learner → exercises that give their points."""

from autograder.build import read_all
from autograder.demo import CHAPTER, LESSON
from autograder.demo_class import CLASS
from autograder.grading import Options
from autograder.kernels.sandbox import available
from autograder.repo import this_repo

_LESSON = next(le for le in read_all(this_repo(), [CHAPTER]) if le.name == LESSON)
POINTS = {exercise.name: exercise.points for exercise in _LESSON.exercises}
_LOST = {
    "ada": [],
    "ben": list(POINTS),
    "cai": [exercise for exercise in POINTS if exercise not in CLASS["cai"].only],
    "dia": ["he_std"],
    "eli": ["lecun_normal_"],
    "fay": ["init_he"],
    "gus": ["gradient_spread"],
    "hana": [],
    "ivo": ["shrink_head_"],
    "jana": [],
    "kim": ["glorot_uniform_"],
}
SCORES = {who: {e: 0 if e in lost else p for e, p in POINTS.items()} for who, lost in _LOST.items()}
UNREADABLE = "lou"

# Where no sandbox can be had, the honest class is graded all the same; what needs one says so.
OPTIONS = Options(sandbox=available())
