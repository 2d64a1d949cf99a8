"""The benchmark itself, on the smallest class there is."""

import shutil
from functools import cache

import pytest

from autograder.__main__ import main
from autograder.bank import bank
from autograder.bench import Bench, answered, bench
from autograder.build import read_all
from autograder.course import Course
from autograder.meter import Memory, Used
from autograder.repo import UserError

CHAPTER, LESSON = "ch00_losses", "01_losses"


@pytest.fixture(scope="module")
def lesson(repo):
    return next(lesson for lesson in read_all(repo, [CHAPTER]) if lesson.name == LESSON)


@pytest.fixture(scope="module")
def kept(repo, tmp_path_factory):
    """The folder of one real run, its exit code, and what it printed."""
    folder = tmp_path_factory.mktemp("bench")
    arguments = ["--lessons", "01", "--submissions", "2", "--scaling", "2", "3", "--keep", str(folder)]
    with pytest.MonkeyPatch.context() as patch:
        printed = []
        graded_once(patch)
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(map(str, words))))
        code = main(["bench", "ch00", *arguments])
    return folder, code, "\n".join(printed)


def graded_once(patch):
    """One class graded by ours stands for those of other sizes too: they differ in nothing but that."""
    grade = cache(Bench.ours)
    patch.setattr(Bench, "ours", lambda self, *_: grade(self, "ours", 2))


def test_a_real_run_finds_the_same_scores_and_says_what_it_measured(kept):
    _, code, printed = kept
    assert code == 0
    assert "bar met     0 of " in printed
    for figure in ("submissions an hour", "processor seconds a submission", "without", "MB a worker"):
        assert figure in printed


def test_both_graded_the_same_files_and_ours_wrote_the_feedback(kept):
    folder, *_ = kept
    stock, ours = (sorted((folder / name / "submitted").rglob("*.ipynb")) for name in ("stock", "ours"))
    assert len(stock) == len(ours) == 2
    assert [p.read_bytes() for p in stock] == [p.read_bytes() for p in ours]
    assert len(list((folder / "ours" / "feedback").rglob("*.html"))) == 2


def test_a_score_that_differs_is_an_error(repo, kept, tmp_path, monkeypatch, capsys):
    folder, *_ = kept

    def pretend(_command, _folder, log):
        """Take the gradebook of the real run; in ours one test has lost its points."""
        course = Course.at(log.parent)
        source = "stock" if course.root.name == "stock" else "ours"
        shutil.copy(folder / source / "gradebook.db", course.root)
        if course.root.name == "ours":
            with course.gradebook() as gradebook:
                grade = gradebook.find_submission(CHAPTER, "learner_001").notebooks[0].grades[0]
                grade.auto_score = -1
                gradebook.db.commit()
        return Used(0, 1.0, 1.0, Memory())

    graded_once(monkeypatch)
    monkeypatch.setattr("autograder.bench.measured", pretend)
    assert bench(repo, "ch00", ["01"], 2, (2, 2), tmp_path / "again") == 1
    assert "learner_001 01_losses" in capsys.readouterr().out


def test_no_two_learners_answer_alike_and_every_answer_is_handed_in(repo, lesson):
    banks = {e.name: bank(repo, lesson, e) for e in lesson.exercises}
    handed = [answered(number, lesson, banks) for number in range(300)]
    assert len({tuple(sorted(answers.items())) for answers in handed}) == 300
    for name, answers in banks.items():
        given = {answer[name].rpartition("\n")[0] for answer in handed}
        assert given == {answer.code for answer in answers}
        right = {answer.code for answer in answers if answer.right}
        assert sum(answer[name].rpartition("\n")[0] in right for answer in handed) == 200


def test_answers_that_end_or_never_end_the_kernel_are_left_out(repo):
    lesson = read_all(repo, ["ch01_unstable_gradients"])[0]
    banks = {e.name: bank(repo, lesson, e) for e in lesson.exercises}
    given = {code for number in range(300) for code in answered(number, lesson, banks).values()}
    for says in ("never returns", "SystemExit"):
        code = next(a.code for answers in banks.values() for a in answers if a.says == says)
        assert not any(code in answer for answer in given)


@pytest.mark.parametrize("sizes", [(1, (2, 3)), (2, (1, 3)), (2, (2, 0))])
def test_a_class_of_one_is_refused(repo, sizes):
    with pytest.raises(UserError, match="From one submission nothing follows"):
        bench(repo, "ch00", (), *sizes)


def test_an_unknown_lesson_is_one_line_and_leaves_nothing_behind(repo, tmp_path):
    with pytest.raises(UserError, match=r"No lesson is called 09\. There are: 01_losses, 02_loss_shapes"):
        bench(repo, "ch00", ["01", "09"], keep=tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
