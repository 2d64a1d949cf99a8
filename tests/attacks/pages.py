"""Table G: what acts or misleads when somebody opens the result: markup, control characters, endless texts."""

from tests.attacks.case import Case, answered, but

_RAISE = "def leaky(z, a=0.1):\n    raise {}"

PAGES = [
    Case(
        "G02",
        "a picture with a handler in a written answer",
        "it runs in formgrader and on the feedback page",
        answered(why='<img src=x onerror="alert(`<<MARK>>`)"> <a href="javascript:alert(`<<MARK>>`)">x</a>'),
    ),
    Case(
        "G03",
        "scripts, frames and drawings with handlers among the outputs",
        "they run in formgrader and on the feedback page",
        answered(
            drawing="""
from IPython.display import HTML, SVG, Javascript, IFrame, Markdown, display
display(HTML("<script>alert('<<MARK>>')</script><b onclick=alert('<<MARK>>')>x</b>"))
display(Javascript("alert('<<MARK>>')"))
display(IFrame("javascript:alert('<<MARK>>')", 1, 1))
display(Markdown("<img src='x' onerror='alert(`<<MARK>>`)'> [x](javascript:alert`<<MARK>>`)"))
display({"image/svg+xml": "<svg onload=alert('<<MARK>>')></svg>", "text/plain": "x"}, raw=True)
display({"text/latex": "</script><script>//<<MARK>></script>"}, raw=True)
display({"image/png": "x' onerror='alert(1)//<<MARK>>"}, raw=True)
print("</pre><script>alert('<<MARK>>')</script>")"""
        ),
    ),
    Case(
        "G07",
        "an exception with a terminal's control codes",
        "they reach the terminal",
        answered(leaky=_RAISE.format(r'ValueError("\x1b[2J\x1b]0;graded\x07\r\b\x9b31m fine \x00")')),
        but(leaky=0),
    ),
    Case(
        "G08",
        "an exception whose text looks like a classmate's line of the table",
        "no table; the text stands in the feedback page",
        answered(
            leaky=_RAISE.format(r'AssertionError("no\nz_last   0/12\n\rm_middle   0/12\u2028a01   12/12")')
        ),
        but(leaky=0),
    ),
    Case(
        "G09",
        "an exception of 5 MB, through 300 frames",
        "fine",
        answered(
            leaky="def leaky(z, a=0.1, n=300):\n    if n:\n        return leaky(z, a, n - 1)\n"
            "    raise ValueError('y' * 5 * 10**6)"
        ),
        but(leaky=0),
    ),
    Case(
        "G10",
        "an exception that turns the line's direction round and hides in spaces without width",
        "no table; the text stands in the feedback page",
        answered(leaky=_RAISE.format(r'ValueError("\u202e21/21\u202c \u2066\u200b\ufeff \U000e0041")')),
        but(leaky=0),
    ),
    Case(
        "G11",
        "an exception that cannot be shown",
        "0",
        answered(
            leaky="class Silent(Exception):\n    def __str__(self):\n        raise self\n    __repr__ = __str__\n"
            + _RAISE.format("Silent()")
        ),
        but(leaky=0),
    ),
    Case(
        "G12",
        "an exception that takes for ever to show",
        "all marks lost",
        answered(
            leaky="import time\nclass Slow(Exception):\n    def __str__(self):\n        time.sleep(30)\n"
            "        return ''\n" + _RAISE.format("Slow()")
        ),
        but(leaky=0),
    ),
    Case(
        "G13",
        "an exception whose class has markup and control codes for a name",
        "0; markup shown as text",
        answered(
            leaky=_RAISE.format(r'type("<script>alert(`<<MARK>>`)</script>\x1b[2J\n", (Exception,), {})("x")')
        ),
        but(leaky=0),
    ),
    Case(
        "G14",
        "a traceback with links and a title for the terminal",
        "they stand in the feedback page",
        answered(
            leaky=_RAISE.format(
                r'ValueError("\x1b]8;;javascript:alert(`<<MARK>>`)\x07click\x1b]8;;\x07<script>//<<MARK>></script>")'
            )
        ),
        but(leaky=0),
    ),
]
