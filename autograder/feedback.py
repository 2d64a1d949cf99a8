"""What a learner, and whoever opens formgrader, gets to see of a graded notebook.

Two preprocessors for nbgrader's own lists: `Defuse` behind the execution, so that nothing a learner wrote runs
in anybody's browser, and `HideTests` in front of the feedback page, so that tests stay hidden in it.
"""

from __future__ import annotations

import html

import bleach
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from nbconvert.exporters.exporter import ResourcesDict
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor
from nbgrader.utils import is_grade
from traitlets import Bool

from autograder.lesson import HIDDEN
from autograder.views import without

Preprocessed = tuple[NotebookNode, ResourcesDict]

# What prose and results are made of. Not here, and so shown as text: script, style, iframe, object, svg, handlers.
_WORDS = """
    br caption center dd del details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr img p pre s span
    sub summary sup table tbody td tfoot th thead tr u"""
_TAGS = bleach.ALLOWED_TAGS | set(_WORDS.split())
_ATTRIBUTES = {
    "*": ["align", "class", "style", "title"],
    "a": lambda tag, name, value: name == "href" and not value.strip().lower().startswith("data:"),
    # A picture that carries itself; one from elsewhere would tell its owner who opened the page.
    "img": lambda tag, name, value: (
        name in ("alt", "height", "style", "width")
        or (name == "src" and value.startswith("data:image/png;base64,"))
    ),
    "td": ["colspan", "rowspan"],
    "th": ["colspan", "rowspan", "scope"],
    "details": ["open"],
}
_PROTOCOLS = {"http", "https", "mailto", "data"}
_STYLES = CSSSanitizer(allowed_css_properties=ALLOWED_CSS_PROPERTIES | {"max-width"})
_PLAIN = ("text/plain", "text/latex", "image/png", "image/jpeg", "application/json")


class Defuse(NbGraderPreprocessor):
    """Takes everything out of text and outputs that a browser would run; harmless cells stay as they are."""

    def preprocess_cell(self, cell: NotebookNode, resources: ResourcesDict, index: int) -> Preprocessed:
        """Clean one cell, in place."""
        if cell.cell_type != "code":
            cell.source = harmless(cell.source)
            cell.attachments = {}
        for output in cell.get("outputs", []):
            if "data" in output:
                output.data = _harmless_data(output.data)
        return cell, resources


class HideTests(NbGraderPreprocessor):
    """Leaves of each test the sentence for the learner: no hidden code, no traceback through it."""

    reveal = Bool(False, help="Show the hidden tests and their tracebacks.").tag(config=True)

    def preprocess_cell(self, cell: NotebookNode, resources: ResourcesDict, index: int) -> Preprocessed:
        """Shorten one test cell, in place."""
        if self.reveal or cell.cell_type != "code" or not is_grade(cell):
            return cell, resources
        cell.source = without(cell.source, HIDDEN, body=True)
        told = sentence(cell)
        shown = f"✗ {told}" if told else "✓ All points."
        cell.outputs = [NotebookNode(output_type="stream", name="stdout", text=shown)]
        return cell, resources


def sentence(cell: NotebookNode, *, reveal: bool = False) -> str:
    """Why a graded cell lost its points, "" if it did not; with `reveal` in the words of any error.

    A check says itself what is wrong. The words of another error may hold what the test expects.
    """
    error = next((output for output in cell.get("outputs", []) if output.output_type == "error"), None)
    if error is None:
        return ""
    name = cell.metadata.nbgrader.grade_id.rpartition("-")[0]
    if error.ename == "CheckFailed":
        return error.evalue
    if error.ename in ("KeyboardInterrupt", "CellTimeoutError"):
        return f"{name}: ran longer than the time limit and was stopped."
    if reveal:
        return f"{name}: {error.ename}: {error.evalue}"
    said = error.evalue.splitlines()[0][:300] if error.ename == "AssertionError" and error.evalue else ""
    return f"{name}: {said or f'{error.ename} in the test.'}"


def harmless(text: str) -> str:
    """`text` with all markup that could act shown as text; unchanged if there is none."""
    options = {"tags": _TAGS, "attributes": _ATTRIBUTES, "protocols": _PROTOCOLS, "css_sanitizer": _STYLES}
    stripped = bleach.clean(text, **options, strip=True, strip_comments=False)
    # bleach also writes each & and < anew; where nothing else changed, formulas and code are better left alone.
    if html.unescape(stripped) == html.unescape(text):
        return text
    return bleach.clean(text, **options, strip_comments=False)


def _harmless_data(data: dict) -> dict:
    """The kinds of one output that are shown; a page picks the richest of them."""
    kept = {kind: content for kind, content in data.items() if kind in _PLAIN}
    for kind in ("text/html", "text/markdown"):
        if kind in data:
            content = data[kind]
            kept[kind] = harmless("".join(content) if isinstance(content, list) else str(content))
    return kept
