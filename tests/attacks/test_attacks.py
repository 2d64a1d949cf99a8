"""Submissions that cheat, spy, break out or break down, in one class with honest learners, graded once."""

import pytest

from autograder.grading import Course, grade_class, release
from autograder.repo import UserError, this_repo
from tests.attacks import watch
from tests.attacks.assignment import ASSIGNMENT, POINTS, write
from tests.attacks.catalogue import ACCIDENTS, ATTACKS, CASES, HONEST
from tests.attacks.run import run


@pytest.fixture(scope="module")
def done():
    return run(CASES, HONEST)


def test_the_suite_is_as_large_as_it_says():
    assert len(ATTACKS) >= 50
    assert len(ACCIDENTS) >= 30
    assert len({case.student for case in CASES} | set(HONEST)) == len(CASES) + len(HONEST)


def test_everyone_is_in_the_table_once(done):
    assert sorted(done.results) == sorted([*(case.student for case in CASES), *HONEST])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_earns_exactly(done, case):
    assert done.results[case.student].earned == case.earns
    assert done.results[case.student].possible == POINTS


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_questions_wait_for_a_person(done, case):
    assert tuple(sorted(done.results[case.student].by_hand)) == case.by_hand


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_every_lost_point_has_its_reason(done, case):
    result = done.results[case.student]
    lost = [name for name, points in POINTS.items() if result.earned.get(name) != points]
    assert [name for name in lost if not any(r.startswith(f"{name}: ") for r in result.reasons)] == []


@pytest.mark.parametrize("case", [case for case in CASES if case.says], ids=lambda case: case.id)
def test_says_what_happened(done, case):
    result = done.results[case.student]
    assert case.says in "\n".join(result.reasons + result.mends)


@pytest.mark.parametrize("case", [case for case in CASES if case.spies], ids=lambda case: case.id)
def test_spies_find_nothing(done, case):
    assert done.leaks[case.student] == set()


def test_nobody_else_is_shown_a_secret(done):
    assert {c.id: done.leaks[c.student] for c in CASES if not c.spies and done.leaks[c.student]} == {}
    # An honest learner's page holds the own answer, and there the secret that classmates are after.
    assert {who: done.leaks[who] for who in HONEST} == {who: {"classmate"} for who in HONEST}


@pytest.mark.parametrize("who", HONEST)
def test_honest_classmates_lose_nothing(done, who):
    assert done.results[who].earned == done.results[who].possible == POINTS
    assert (done.results[who].reasons, done.results[who].mends) == ([], [])


def test_the_course_stays_as_it_was(done):
    assert done.changed == []


def test_no_process_outlives_the_run(done):
    assert done.processes == []


def test_no_file_is_left_behind(done):
    assert done.files == []


def test_what_was_made_in_the_working_folder_is_not_kept(done):
    handed_in = {"p1.ipynb", "timestamp.txt", "sitecustomize.py", "usercustomize.py", "ipython_config.py"}
    assert {who: names - handed_in for who, names in done.kept.items() if names - handed_in} == {}


def test_no_listener_of_the_host_was_called(done):
    assert done.calls == []


def test_no_process_of_the_host_was_killed(done):
    assert done.victim


def test_nothing_acts_in_a_browser(done):
    assert {who: found for who, found in done.acts.items() if found} == {}


def test_the_table_says_only_what_the_grader_says(done):
    assert watch.control_characters(done.table) == []
    lines = done.table.splitlines()
    assert len([line for line in lines if not line.startswith(" ")]) == len(done.results)
    assert max(map(len, lines)) < 1000


def test_nothing_is_written_on_the_graders_own_terminal(done):
    assert done.mark not in done.printed


def test_a_learner_whose_name_is_a_way_out_of_the_folder_is_refused(tmp_path):
    root = tmp_path / "course"
    write(root, "secret", this_repo().root / "autograder")
    course = Course.at(root)
    release(course, ASSIGNMENT)
    for path in ("submitted/z_last", "x", "submitted/a/b"):
        (root / path / ASSIGNMENT).mkdir(parents=True)
        (root / path / ASSIGNMENT / "p1.ipynb").write_text("precious")
    before = watch.course_files(root)
    for name in ("../x", "../submitted/z_last", "a/b", "/tmp", ".", "..", ""):
        with pytest.raises(UserError, match="no learner's name, but a way to another folder"):
            grade_class(course, ASSIGNMENT, ["z_last", name])
    assert watch.course_files(root) == before
