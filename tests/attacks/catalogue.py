"""All submissions of the suite, and the honest class that they sit in."""

from __future__ import annotations

from tests.attacks.accidents import ACCIDENTS as LEFT_IN
from tests.attacks.case import Case
from tests.attacks.damaged import DAMAGED, DOCTORED
from tests.attacks.escape import HARM
from tests.attacks.outputs import COMPARISON, OUTPUTS
from tests.attacks.pages import PAGES
from tests.attacks.spying import SPYING

CASES: list[Case] = [*OUTPUTS, *COMPARISON, *SPYING, *HARM, *DOCTORED, *DAMAGED, *PAGES, *LEFT_IN]
ATTACKS = [case for case in CASES if case.kind == "attack"]
ACCIDENTS = [case for case in CASES if case.kind == "accident"]
# Before, between and after all others, and one whose name means something to a shell and to a table.
HONEST = ["0_first", "b99_between", "m_middle", "o'neil, =b.", "z_last"]
