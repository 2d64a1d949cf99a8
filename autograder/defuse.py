"""Make what a learner wrote safe to open: nothing runs, nothing is fetched, nothing looks like the page's own.

A page is made from a notebook in two steps: Markdown becomes HTML, and a browser (with MathJax, with formgrader's
own scripts) reads that. So Markdown is judged by the HTML that nbconvert makes of it. If that is harmless, the cell
stays as it is; if not, the cleaned HTML takes the place of the Markdown, and the page looks as before without it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Set

import bleach
from bleach.css_sanitizer import ALLOWED_CSS_PROPERTIES, CSSSanitizer
from bs4 import BeautifulSoup
from mistune import HTMLRenderer
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.filters.markdown_mistune import InvalidNotebook, IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from nbgrader.preprocessors import NbGraderPreprocessor

Preprocessed = tuple[NotebookNode, ResourcesDict]

# What prose and results are made of. Not here, and so shown as text: script, style, iframe, object, svg, handlers.
_WORDS = """
    br caption center dd del details div dl dt figcaption figure h1 h2 h3 h4 h5 h6 hr img p pre s span
    sub summary sup table tbody td tfoot th thead tr u"""
_TAGS = bleach.ALLOWED_TAGS | set(_WORDS.split())
_ATTRIBUTES = {
    "*": {"align", "title"},
    "details": {"open"},
    "img": {"alt", "height", "width"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
# Names of the colours of code and of a table of pandas. Any other could be one of the page's own: formgrader makes a
# button of whatever is called "full-credit", and bootstrap has classes that cover the page.
_CLASS = re.compile(r"\w{1,3}|highlight|dataframe|mermaid|jp-Mermaid|language-[\w+-]+")
# A relative address is none of these: it leads nowhere from a feedback page, and into Jupyter from formgrader.
_LINK = re.compile(r"(?:https?://|mailto:|#)", flags=re.I)
# A picture that carries itself; one from elsewhere would tell its owner who opened the page.
_PICTURE = re.compile(r"data:image/(?:png|jpeg|gif|webp);base64,", flags=re.I)
_PICTURES = ("image/png", "image/jpeg")
_PROTOCOLS = {"http", "https", "mailto", "data"}
_STYLES = CSSSanitizer(
    allowed_css_properties=(ALLOWED_CSS_PROPERTIES | {"max-width"}) - {"cursor"}
)  # url(...)
# MathJax's ways to make links, styles and names. A space behind the backslash makes plain letters of the rest.
_MACRO = re.compile(r"\\(?=(?:class|cssId|href|html\w*|require|style|unicode)(?![A-Za-z]))")
_SPACE = r"\\ "
_PLAIN = ("text/plain", "image/png", "image/jpeg", "application/json")


class Defuse(NbGraderPreprocessor):
    """Takes everything out of text and outputs that a browser would run; harmless cells stay as they are."""

    _taken: Set[str] = frozenset()

    def preprocess(self, nb: NotebookNode, resources: ResourcesDict) -> Preprocessed:
        """Clean all cells of `nb`, in place, and its metadata."""
        self._taken = _taken(nb)
        for name in ("title", "widgets"):
            nb.metadata.pop(name, None)
        return super().preprocess(nb, resources)

    def preprocess_cell(self, cell: NotebookNode, resources: ResourcesDict, index: int) -> Preprocessed:
        """Clean one cell, in place."""
        if cell.cell_type == "markdown":
            cell.source = harmless(cell.source, cell.pop("attachments", {}), self._taken)
        elif cell.cell_type == "raw":
            cell.source = clean(cell.source)
        if comment := cell.metadata.get("nbgrader", {}).get("comment"):
            cell.metadata.nbgrader.comment = harmless(comment, taken=self._taken)
        for output in cell.get("outputs", []):
            if "data" in output:
                output.metadata = _size(output.get("metadata", {}))
                output.data = self._shown(output.data)
        return cell, resources

    def _shown(self, data: dict) -> dict:
        """The kinds of one output that are shown; a page picks the richest of them."""
        texts = {kind: _joined(content) for kind, content in data.items() if kind.startswith("text/")}
        kept = {kind: content for kind, content in data.items() if kind in _PLAIN}
        if "text/html" in texts:
            kept["text/html"] = clean(_without_styles(texts["text/html"]))
        if "text/markdown" in texts:
            kept["text/markdown"] = harmless(texts["text/markdown"], taken=self._taken)
        if "text/latex" in texts:
            kept["text/latex"] = _MACRO.sub(_SPACE, texts["text/latex"])
        return kept or {"text/plain": f"(not shown: {', '.join(sorted(data))})"}


def harmless(markdown: str, attachments: dict | None = None, taken: Set[str] = frozenset()) -> str:
    """Markdown that shows the same and does nothing; `markdown` itself if it is so already.

    Args:
        markdown: by a learner.
        attachments: pictures that were pasted into the cell; those in common formats are put into the text.
        taken: names of elements that belong to the page. No heading may be called so: formgrader would take it for
            the field of that name, and give the points of one exercise to another.
    """
    renderer = _Renderer(attachments or {}, taken)
    try:
        shown = MarkdownWithMath(renderer=renderer).render(markdown)
        cleaned = clean(shown)
    except RecursionError:  # brackets in brackets in brackets
        return _as_block(f"<pre>{html.escape(markdown)}</pre>")
    if not renderer.replaced and _signs(cleaned) == _signs(shown):
        return markdown
    return _as_block(cleaned)


def clean(markup: str) -> str:
    """HTML without anything that could act; tags that could are shown as text."""
    options = {"tags": _TAGS, "attributes": _may_stay, "protocols": _PROTOCOLS, "css_sanitizer": _STYLES}
    return _in_words(bleach.clean(markup, **options))


class _Renderer(IPythonRenderer):
    """nbconvert's own, but that pictures from elsewhere become words; `replaced` tells if that was so."""

    def __init__(self, attachments: dict, taken: Set[str]):
        super().__init__(escape=False, attachments=attachments)
        self.taken = taken
        self.replaced = False

    def image(self, text: str, url: str, title: str | None = None) -> str:
        picture = self._carried(url)
        self.replaced |= picture != url
        if picture is None:
            return f'<span title="{html.escape(url)}">[picture: {text or url}]</span>'
        return HTMLRenderer.image(self, text, picture, title)

    def heading(self, text: str, level: int, **attrs: object) -> str:
        """Without a name of its own, which nbconvert adds unless the cell is replaced."""
        named = BeautifulSoup(super().heading(text, level, **attrs), "html.parser").find(id=True)
        self.replaced |= named is not None and named["id"] in self.taken
        return HTMLRenderer.heading(self, text, level, **attrs)

    def task_list_item(self, text: str, checked: bool = False) -> str:
        """Without a form's field, of which a page may have a use of its own."""
        return f"<li>{'☑' if checked else '☐'} {text}</li>\n"

    def _carried(self, url: str) -> str | None:
        """The picture as an address that carries it, None if it lies elsewhere or is no plain picture."""
        try:
            address = self._embed_image_or_attachment(url)
        except (InvalidNotebook, StopIteration):  # nbconvert would make no page at all
            return None
        return address if _PICTURE.match(address) else None


def _may_stay(tag: str, name: str, value: str) -> bool:
    if name == "class":
        return all(map(_CLASS.fullmatch, value.split()))
    if name == "href":
        return tag == "a" and bool(_LINK.match(value))
    if name == "src":
        return tag == "img" and bool(_PICTURE.match(value))
    return name == "style" or name in _ATTRIBUTES["*"] or name in _ATTRIBUTES.get(tag, ())


def _signs(markup: str) -> str:
    """One spelling for what bleach and mistune write differently and a browser reads alike. Never < or >."""
    alike = {" />": ">", "&quot;": '"', "&#39;": "'", ';"': '"'}
    for one, other in alike.items():
        markup = markup.replace(one, other)
    return markup


def _as_block(markup: str) -> str:
    """HTML as a block of Markdown, which ends at the first blank line: there shall be none."""
    lines = "\n".join(markup.splitlines())  # all that anybody takes for the end of a line
    return "<div>" + re.sub(r"\n(?=\s*\n)", "&#10;", lines) + "</div>"


def _in_words(markup: str) -> str:
    """With words in place of a picture that had to go, and of the macros of a formula."""
    soup = BeautifulSoup(markup, "html.parser")
    images, formulas = soup("img", src=False), soup.find_all(string=_MACRO)
    for image in images:
        image.replace_with(f"[picture: {image.get('alt') or 'from elsewhere'}]")
    for text in formulas:
        text.replace_with(_MACRO.sub(_SPACE, text))
    return str(soup) if images or formulas else markup


def _without_styles(markup: str) -> str:
    """Without the style sheets that pandas puts into every table; as text they would only stand in the way."""
    if "<style" not in markup:
        return markup
    soup = BeautifulSoup(markup, "html.parser")
    for sheet in soup("style"):
        sheet.decompose()
    return str(soup)


def _size(metadata: dict) -> dict:
    """Width and height of a figure, if they are numbers: nbconvert writes them into the page as they are."""
    sizes = {kind: facts for kind, facts in metadata.items() if kind in _PICTURES and isinstance(facts, dict)}
    return {
        kind: {name: facts[name] for name in ("width", "height") if isinstance(facts.get(name), int | float)}
        for kind, facts in sizes.items()
    }


def _taken(nb: NotebookNode) -> set[str]:
    names = {cell.metadata.get("nbgrader", {}).get("grade_id") for cell in nb.cells} - {None}
    return {f"{name}{part}" for name in names for part in ("", "-comment", "_extra_credit")}


def _joined(content: object) -> str:
    return "".join(content) if isinstance(content, list) else str(content)
