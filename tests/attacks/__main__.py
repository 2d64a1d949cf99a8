"""``python -m tests.attacks``: attacks and accidents, with what stock nbgrader does and what our grader does."""

from __future__ import annotations

import argparse
import sys

from tests.attacks.case import Case
from tests.attacks.catalogue import ACCIDENTS, ATTACKS, CASES, HONEST


def main() -> int:
    """Grade the suite and print it; 1 if a case fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument(
        "--stock", action="store_true", help="measure stock nbgrader anew, each case in a box"
    )
    parser.add_argument("cases", nargs="*", metavar="CASE", help="e.g. A03; all if none is named")
    args = parser.parse_args()
    chosen = [case for case in CASES if not args.cases or case.id in args.cases]
    return _stock(chosen) if args.stock else _ours(chosen)


def _stock(cases: list[Case]) -> int:
    from tests.attacks.stock import measure

    for case in cases:
        print(f"{case.id:4} {case.title}: {measure(case)}", flush=True)
    return 0


def _ours(cases: list[Case]) -> int:
    from tests.attacks.run import run, verdict

    done = run(cases, HONEST)
    verdicts = {case.id: verdict(case, done) for case in cases}
    for title, table in (("Attacks", ATTACKS), ("Accidents", ACCIDENTS)):
        print(
            f"\n## {title}\n\n| id | what | stock nbgrader | points | due | verdict |\n|---|---|---|---|---|---|"
        )
        for case in (case for case in table if case in cases):
            points = f"{done.results[case.student].score:g} | {sum(case.earns.values()):g}"
            print(f"| {case.id} | {case.title} | {case.stock} | {points} | {verdicts[case.id]} |")
    failed = [name for name, said in verdicts.items() if said.startswith("FAIL")]
    print(f"\n{len(cases)} cases, {len(failed)} failed ({', '.join(failed)}).")
    print(f"Graded with {len(HONEST)} honest learners in {done.seconds:.0f} s.")
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
