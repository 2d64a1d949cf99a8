"""The arithmetic and the table of the benchmark, with made-up figures."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from autograder.meter import Memory, Used
from autograder.ratios import Comparison, Run, steady

SCORES = {("ada", "01", f"{n}-test"): 1.0 for n in "abc"}
MEMORY = Memory(700, 250, 300, 400)
NOON = datetime(2026, 1, 1, 12)


def a_run(submissions, wall, each=0.0, scores=SCORES, memory=MEMORY):
    return Run(submissions, Used(0, wall, 2 * wall, memory), scores, each)


@pytest.fixture
def compared():
    return Comparison(
        stock=a_run(48, 480, memory=Memory(900)),
        ours=a_run(48, 60, each=1.0),
        beside=a_run(48, 60),
        small=[a_run(24, 34, each=1.1), a_run(24, 30, each=0.9)],
        large=[a_run(96, 116, each=1.1)],
    )


def test_the_ratios(compared):
    assert compared.speed == 8
    assert compared.spread == pytest.approx(1.1)
    assert compared.ours.start == 12
    assert compared.apart == 1.0
    assert compared.differing == []


def test_the_table(compared):
    rows = [line.split() for line in str(compared).splitlines() if line]
    assert rows[:9] == [
        ["48", "submissions", "stock", "ours", "ratio"],
        ["submissions", "an", "hour", "360.00", "2880.00", "8.00"],
        ["seconds", "a", "submission", "10.00", "1.25", "8.00"],
        ["processor", "seconds", "a", "submission", "20.00", "2.50", "8.00"],
        ["MB", "at", "the", "peak,", "all", "processes", "900.00", "700.00"],
        ["seconds", "a", "submission,", "class", "of", "24", "96", "ratio"],
        ["with", "the", "start", "1.33", "1.21", "0.91"],
        ["without", "1.00", "1.10", "1.10"],
        ["the", "start,", "once", "8.00", "10.40", "1.30"],
    ]
    assert [row[:2] for row in rows[9:]] == [["bar", "met"]] * 5


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ours": a_run(48, 81)}, "5.9 times the throughput"),
        ({"ours": a_run(48, 60, scores={})}, "3 of 3 scores differ"),
        ({"beside": a_run(48, 39)}, "1.54 times the time of one process"),
        ({"large": [a_run(96, 200, each=1.3)]}, "1.30 times the cost"),
        ({"large": [a_run(96, 200, each=0.7)]}, "0.70 times the cost"),
        ({"large": [a_run(96, 96, each=1, memory=Memory(0, 300, 402, 501))]}, "501 MB a worker"),
    ],
)
def test_what_is_missed_is_said_and_nothing_else_is(compared, change, said):
    lines = [line for line in str(replace(compared, **change)).splitlines() if line.startswith("bar missed")]
    assert len(lines) == 1
    assert said in lines[0]


@pytest.mark.parametrize(
    ("ours", "said"),
    [
        ({**SCORES, ("ada", "01", "b-test"): 0.5}, "ada 01 b-test: stock 1.0, ours 0.5"),
        ({**SCORES, ("ada", "01", "b-test"): None}, "ada 01 b-test: stock 1.0, ours None"),
        ({k: v for k, v in SCORES.items() if k[2] != "b-test"}, "ada 01 b-test: stock 1.0, ours no row"),
        ({**SCORES, ("ben", "01", "a-test"): None}, "ben 01 a-test: stock no row, ours None"),
    ],
)
def test_a_score_that_differs_is_named(compared, ours, said):
    doctored = replace(compared, ours=a_run(48, 60, scores=ours))
    assert len(doctored.differing) == 1
    assert said in str(doctored)


def test_of_very_many_some_are_named(compared):
    many = {("ada", "01", f"{n:03}"): 1.0 for n in range(100)} | SCORES
    text = str(replace(compared, ours=a_run(48, 60, scores=many)))
    assert text.count("stock no row, ours 1.0") == 20
    assert "… and 80 more" in text


def moments(*seconds):
    return [NOON + timedelta(seconds=s) for s in seconds]


@pytest.mark.parametrize(
    ("done", "workers", "expected"),
    [
        (moments(9, 10, 11, 12), 1, 1.0),
        # two workers, each 2 s a submission: the first two moments are start, the rest is work
        (moments(9, 9, 11, 11, 13, 13), 2, 1.0),
        (moments(9, 12), 2, 3.0),
    ],
)
def test_the_start_does_not_count_into_the_cost_of_a_submission(done, workers, expected):
    assert steady(done, workers) == expected


def test_one_submission_has_no_cost_without_the_start():
    with pytest.raises(ValueError, match="says nothing"):
        steady(moments(9), 2)
