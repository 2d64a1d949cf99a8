"""A time stamp is believed as far as it fits what the collector saw."""

from datetime import datetime, timedelta

import pytest

from autograder import arrivals
from autograder.arrivals import STAMP, Arrival, read_stamp, stamped
from autograder.grading import Options, grade_class, look, receive
from autograder.kernels.sandbox import available
from autograder.submission import Handed
from tests.grading.classroom import hand_in

NINE, TEN, NOON = (datetime(2026, 11, 30, hour) for hour in (9, 10, 12))


def handed(text=b"{}", stamp=None):
    return Handed({"p1.ipynb": text} | ({STAMP: stamp} if stamp else {}))


def looked(gradebook, now, **found):
    return arrivals.look(gradebook, "ps1", found.items(), now)


def test_the_first_look_knows_no_earlier_one(gradebook):
    assert looked(gradebook, NINE, ada=handed()) == ["ada"]
    assert arrivals.arrivals(gradebook, "ps1")["ada"].after is None


def test_what_is_new_arrived_since_the_look_before(gradebook):
    looked(gradebook, NINE, ada=handed())
    assert looked(gradebook, NOON, ada=handed(), ben=handed()) == ["ben"]
    known = arrivals.arrivals(gradebook, "ps1")
    assert (known["ada"].after, known["ada"].seen) == (None, NINE)
    assert (known["ben"].after, known["ben"].seen) == (NINE, NOON)


def test_what_has_changed_arrived_again_but_not_for_another_stamp(gradebook):
    looked(gradebook, NINE, ada=handed(), ben=handed(stamp=b"2026-11-30 08:00:00 UTC"))
    changed = {"ada": handed(b"[]"), "ben": handed(stamp=b"1999-12-31 23:59:59 UTC")}
    assert looked(gradebook, NOON, **changed) == ["ada"]
    assert arrivals.arrivals(gradebook, "ps1")["ben"].after is None


def test_assignments_are_looked_at_each_by_itself(gradebook):
    looked(gradebook, NINE, ada=handed())
    arrivals.look(gradebook, "ps2", [("ada", handed())], NOON)
    assert arrivals.arrivals(gradebook, "ps2")["ada"].after is None


def test_a_look_that_is_stopped_half_way_has_seen_nothing(gradebook):
    def torn():
        yield "ada", handed()
        raise OSError("disk gone")

    with pytest.raises(OSError, match="gone"):
        arrivals.look(gradebook, "ps1", torn(), NINE)
    gradebook.db.rollback()
    looked(gradebook, NOON, ada=handed())
    assert arrivals.arrivals(gradebook, "ps1")["ada"] == Arrival(
        arrivals.arrivals(gradebook, "ps1")["ada"].content, None, NOON
    )


@pytest.mark.parametrize(
    ("stamp", "believed", "says"),
    [
        (b"2026-11-30 11:00:00 UTC", datetime(2026, 11, 30, 11), ""),
        (b"2026-11-30T12:00:00+01:00", datetime(2026, 11, 30, 11), ""),
        (b"1999-12-31 23:59:59 UTC", TEN, "says 1999-12-31 23:59, but it arrived between 2026-11-30 10:00"),
        (b"2031-01-01 00:00:00 UTC", NOON, "says 2031-01-01"),
        (b"tomorrow, or never", TEN, ""),
        (b"\x00\xff", TEN, ""),
        (None, TEN, ""),
    ],
)
def test_a_stamp_is_believed_between_two_looks(stamp, believed, says):
    result, said = stamped(handed(stamp=stamp), Arrival("", TEN, NOON))
    assert read_stamp(result.files[STAMP]) == believed
    assert says in " ".join(said)
    assert bool(said) is bool(says)


@pytest.mark.parametrize("stamp", [b"1999-12-31 23:59:59 UTC", b"tomorrow, or never", None])
def test_without_an_earlier_look_nobody_knows_better(stamp):
    before = handed(stamp=stamp)
    assert stamped(before, Arrival("", None, NOON)) == (before, [])


@pytest.mark.parametrize(
    "stamp", [b"9" * 300, b"2026-11-30 11:00:00 UTC" + b" " * 300, b"[[[", b"1 2 /etc/passwd"]
)
def test_no_stamp_stops_the_class(stamp):
    assert read_stamp(stamp) is None


def test_a_name_that_nobody_can_be_graded_by_stops_no_look(small_class):
    for name in ("\udc80", "<b>eve", "x" * 200):
        hand_in(small_class, "ps1", name, [])
    assert "ada" in look(small_class, "ps1")
    with small_class.gradebook() as gradebook:
        assert len(arrivals.arrivals(gradebook, "ps1")) == 6


def test_a_link_in_place_of_the_stamp_is_none():
    tricky = Handed({"p1.ipynb": b"{}"}, {STAMP: "timestamp.txt is no plain file.", "notes": "a folder."})
    result, _ = stamped(tricky, Arrival("", TEN, NOON))
    assert read_stamp(result.files[STAMP]) == TEN
    assert result.refused == {"notes": "a folder."}


def test_who_hands_in_after_the_deadline_and_says_it_was_before(small_class, capsys):
    """The gradebook believes the collector; whoever was there at the deadline keeps their own stamp."""
    course, stamp = small_class, b"1999-12-31 23:59:59 UTC"
    for learner in ("ada", "ben"):
        (course.path("submitted", learner, "ps1") / STAMP).write_bytes(stamp)
    assert receive(course, "ps1") == 0
    assert "6 handed in, 6 of them new" in capsys.readouterr().out
    hand_in(course, "ps1", "ben", ["double", "square", "negate"])
    assert look(course, "ps1") == ["ben"]
    results = {r.student: r for r in grade_class(course, "ps1", ["ada", "ben"], Options(sandbox=available()))}
    with course.gradebook() as gradebook:
        deadline = arrivals.arrivals(gradebook, "ps1")["ada"].seen
        ada, ben = (gradebook.find_submission("ps1", who).timestamp for who in ("ada", "ben"))
    assert ada == datetime(1999, 12, 31, 23, 59, 59)
    assert abs(ben - deadline) < timedelta(seconds=1)
    assert not results["ada"].mends
    assert "says 1999-12-31 23:59" in results["ben"].mends[0]
