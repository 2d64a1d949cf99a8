"""``python -m autograder``: build the lessons, verify the tests, grade a class, see the demo, measure."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from autograder.repo import UserError, this_repo
from autograder.scratch import claim


def _build(args: argparse.Namespace) -> int:
    from autograder.build import build, check

    repo = this_repo()
    chapters = [repo.chapter(name) for name in args.chapters] or repo.chapters()
    if args.check:
        problems = check(repo, chapters)
        print("\n".join(problems) or f"{len(chapters)} chapter(s): all generated files match their sources.")
        return int(bool(problems))
    changed = build(repo, chapters, run=args.execute or args.again, again=args.again)
    for path in changed:
        print(f"wrote {path.relative_to(repo.root)}")
    if not changed:
        print("Nothing to do: all generated files match their sources.")
    return 0


def _verify(args: argparse.Namespace) -> int:
    from autograder.bank import verify

    repo = this_repo()
    return verify(
        repo,
        [repo.chapter(name) for name in args.chapters] or repo.chapters(),
        args.seeds,
        args.only,
        args.across,
    )


def _grade(args: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.grading import Options, grade

    if not args.sandbox:
        print("Warning: without a sandbox every submission runs with your own rights.", file=sys.stderr)
    names = ("workers", "scheduler", "force", "sandbox", "warm", "apart", "reveal")
    options = Options(**{name: getattr(args, name) for name in names})
    return grade(Course.at(args.course), args.chapter, options)


def _receive(args: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.grading import receive

    return receive(Course.at(args.course), args.chapter)


def _feedback(args: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.grading import write_feedback

    return write_feedback(Course.at(args.course), args.chapter, reveal=args.reveal)


def _leaderboard(args: argparse.Namespace) -> int:
    from autograder.course import Course
    from autograder.leaderboard import leaderboard

    return leaderboard(
        Course.at(args.course), args.chapter, exercise=args.exercise, names=args.names, to=args.to
    )


def _demo(args: argparse.Namespace) -> int:
    from autograder.demo import demo

    return demo(this_repo(), formgrader=args.formgrader, port=args.port)


def _bench(args: argparse.Namespace) -> int:
    from autograder.bench import bench

    return bench(this_repo(), args.chapter, args.lessons, args.submissions, tuple(args.scaling), args.keep)


def parser() -> argparse.ArgumentParser:
    """The command line of the package."""
    top = argparse.ArgumentParser(prog="python -m autograder", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    build = commands.add_parser("build", help="make master, release and solutions from the sources")
    build.add_argument("chapters", nargs="*", metavar="CHAPTER", help="e.g. ch01; all if none is named")
    build.add_argument("--check", action="store_true", help="change nothing; fail if a build would")
    build.add_argument(
        "--execute", action="store_true", help="run the solutions that changed, keep their outputs"
    )
    build.add_argument("--again", action="store_true", help="the same, but run all of them")
    build.set_defaults(run=_build)

    verify = commands.add_parser("verify", help="run the answer bank against visible checks and hidden tests")
    verify.add_argument("chapters", nargs="*", metavar="CHAPTER")
    verify.add_argument("--seeds", type=int, default=1, metavar="N", help="repeat with N seeds of the tests")
    verify.add_argument("--only", nargs="+", default=(), metavar="EXERCISE", help="these exercises alone")
    verify.add_argument(
        "--across", action="store_true", help="run tests in a process of their own as well, as grading does"
    )
    verify.set_defaults(run=_verify)

    grade = commands.add_parser("grade", help="grade a class, write feedback and grades.csv")
    grade.add_argument("chapter", metavar="CHAPTER")
    grade.add_argument("--course", default="autograder", help="folder of the nbgrader course")
    grade.add_argument(
        "--workers", type=int, default=0, metavar="N", help="processes; one a core if not given"
    )
    grade.add_argument(
        "--scheduler", default="", metavar="ADDRESS", help="a Dask cluster, tcp://…, works instead"
    )
    grade.add_argument("--force", action="store_true", help="grade what has not changed, too")
    grade.add_argument("--reveal", action="store_true", help="show the hidden tests on the feedback pages")
    grade.add_argument("--cold", dest="warm", action="store_false", help="start every kernel anew")
    grade.add_argument(
        "--one-process",
        dest="apart",
        action="store_false",
        help="run hidden tests beside the learner's code, as stock nbgrader does",
    )
    grade.add_argument(
        "--no-sandbox", dest="sandbox", action="store_false", help="run submissions with your own rights"
    )
    grade.set_defaults(run=_grade)

    receive = commands.add_parser("receive", help="note who has handed in by now, against false time stamps")
    receive.add_argument("chapter", metavar="CHAPTER")
    receive.add_argument("--course", default="autograder", help="folder of the nbgrader course")
    receive.set_defaults(run=_receive)

    feedback = commands.add_parser("feedback", help="write the feedback pages again, after grading by hand")
    feedback.add_argument("chapter", metavar="CHAPTER")
    feedback.add_argument("--course", default="autograder", help="folder of the nbgrader course")
    feedback.add_argument("--reveal", action="store_true", help="show the hidden tests")
    feedback.set_defaults(run=_feedback)

    board = commands.add_parser("leaderboard", help="who stands where in the open challenge")
    board.add_argument("chapter", nargs="?", default="", metavar="CHAPTER", help="the one that has it")
    board.add_argument("--exercise", default="challenger", metavar="NAME", help="another exercise's points")
    board.add_argument("--names", action="store_true", help="show who stands behind the aliases")
    board.add_argument("--to", type=Path, metavar="FILE", help="write it, too: .html or .csv")
    board.add_argument("--course", default="autograder", help="folder of the nbgrader course")
    board.set_defaults(run=_leaderboard)

    demo = commands.add_parser("demo", help="the instructor's tour: release, a class, grades, feedback")
    demo.add_argument("--formgrader", action="store_true", help="open formgrader on the result")
    demo.add_argument("--port", type=int, default=8888, help="where formgrader listens (8888)")
    demo.set_defaults(run=_demo)

    bench = commands.add_parser("bench", help="this grader against stock nbgrader on one class, as ratios")
    bench.add_argument("chapter", nargs="?", default="ch01", metavar="CHAPTER", help="ch01 if none is named")
    bench.add_argument("--lessons", nargs="+", default=(), metavar="LESSON", help="e.g. 01; all if not given")
    bench.add_argument("--submissions", type=int, default=48, metavar="N", help="graded by both (48)")
    bench.add_argument(
        "--scaling",
        type=int,
        nargs=2,
        default=(24, 96),
        metavar=("N", "M"),
        help="a small and a large class for ours alone (24 96)",
    )
    bench.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the courses there")
    bench.set_defaults(run=_bench)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; an error that the user can mend is one line and exit code 2."""
    args = parser().parse_args(argv)
    try:
        return args.run(args)
    except UserError as error:
        print(error, file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        print(f"{error}: install what the course needs with `make install`.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Stopped. What is done is kept; the same command goes on from there.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    claim()
    sys.exit(main())
