"""Nothing that a learner wrote runs, fetches or poses as a part of the page; honest text looks as it did."""

import re

import nbformat
import pytest
from bs4 import BeautifulSoup
from hypothesis import example, given, settings
from hypothesis import strategies as st
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import markdown2html_mistune as shown

from autograder.defuse import Defuse, harmless
from tests.grading.lessons import cell, small_lesson

PNG = "iVBORw0KGgo="
HONEST = [
    'a < b & c > d, and $x<y$ or $a \\\\& b$, "quoted", it\'s',
    "# Title\n\n**bold** `x < 3` [link](https://example.org 'title') <https://example.org>\n\n- [ ] item\n- [x] done",
    "| a | b |\n|:--|--:|\n| 1 | $x_1$ |",
    "```python\nf = lambda x: 'a' < \"b\"\n```\n\n    indented <b>\n\n> quote\n\n3. three\n4. four\n\n---",
    "$$\\begin{aligned}a &= b \\\\ c &= d\\end{aligned}$$\n\n\\begin{equation}x\\end{equation}",
    "<details><summary>Hint</summary>\n\nText.\n\n</details>",
    "&lt;script&gt; in words, &copy; &nbsp; x<sub>2</sub>  \n~~gone~~",
    f'<img alt="a figure" src="data:image/png;base64,{PNG}">',
    f"![a figure](data:image/png;base64,{PNG})",
]
ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)></svg>",
    "<iframe src='https://example.org'></iframe>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='files/javascript:alert(1)'>x</a>",
    "<a href='data:text/html,x'>x</a>",
    "<a href='//example.org/api'>x</a> <a href='/api/shutdown'>x</a>",
    "<details ontoggle=alert(1) open>x</details>",
    "<style>body {display: none}</style>",
    "<object data=x></object><embed src=x>",
    "<form action=/delete><button>Go</button><input type=image src='https://example.org/spy'></form>",
    "<base href=https://example.org><meta http-equiv=refresh content=0>",
    "<p style='background: url(https://example.org)'>x</p>",
    "<p style='cursor: url(https://example.org), auto'>x</p>",
    "<p style='c\\75rsor: url(https://example.org), auto'>x</p>",
    "<table background='https://example.org/spy'><tr><td>x</td></tr></table>",
    "<img src='https://example.org/spy.png'>",
    "<img srcset='https://example.org/spy.png'>",
    "<img src='data:image/svg+xml,x'>",
    "![x](https://example.org/spy.png)",
    "![x][there]\n\n[there]: https://example.org/spy.png",
    "[![x](https://example.org/spy.png)](https://example.org)",
    "![x](data:image/svg+xml;base64,AAAA)",
    "![x](attachment:gone.png)",
    "![x](spy.png)",
    "[x](javascript:alert(1)) <javascript:alert(1)>",
    "[x](files/javascript:alert(1))",
    "[x](jav&#x61;script:alert(1))",
    "```mermaid\n<img src=x onerror=alert(1)>\n```",
    "````\n```\n<img src=x onerror=alert(1)>\n````\n<img src=x onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<pre>\n\n![x](https://example.org/spy.png)\n\n</pre><script>alert(1)</script>\r\r![x](https://example.org/spy.png)",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "</div></div></div><h1>Score: 100</h1>",
    "<span class='full-credit'>See my figure</span>",
    "<div class='navbar-fixed-top' data-toggle='modal' id='why-answer'>x</div>",
    "# why-answer",
    "why-&#97;nswer\n===",
    "$\\href{javascript:alert(1)}{x} \\style{color:red}{y}$",
    "<p>$\\&#104;ref{javascript:alert(1)}{x}$</p>",
]
# What nbconvert makes of "- [ ]": nobody can change it, and it has no name.
TICK = {"class": ["task-list-item-checkbox"], "disabled": "", "checked": "", "type": "checkbox"}
KEPT = {"class", "href", "src", "alt", "title", "style", "align", "colspan", "rowspan", "open", "start", "id"}


def words(text):
    """What one reads of Markdown on its page."""
    page = BeautifulSoup(shown(text), "html.parser")
    for anchor in page.select("a.anchor-link"):
        anchor.decompose()
    return page.get_text(" ").split()


def assert_harmless(page):
    """A list of our own, by another parser: what is not on it is not in the HTML that nbconvert makes."""
    for tag in BeautifulSoup(page, "html.parser").find_all(True):
        if tag.name == "input" and {**tag.attrs, "checked": ""} == TICK:
            continue
        assert not re.fullmatch(
            r"script|svg|iframe|style|object|embed|form|button|input|base|meta|link|math", tag.name
        )
        assert set(tag.attrs) <= KEPT, tag
        assert re.match(r"https?://|mailto:|#", tag.get("href", "#")), tag
        assert tag.get("src", "data:image/png").startswith("data:image/png"), tag
        assert "url(" not in tag.get("style", "")
        assert not set(tag.get("class", [])) & {"full-credit", "navbar-fixed-top"}
        assert tag.get("id") != "why-answer"
    assert not re.search(r"\\(?:href|style)", BeautifulSoup(page, "html.parser").get_text())


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_stays_as_it_is(text):
    assert harmless(text) == text


def test_honest_markup_that_has_to_be_written_anew_looks_the_same():
    text = "<b>never closed <!-- a note -->\n\n# why-answer\n\n| a |\n|---|\n| $x < 1$ |"
    left = harmless(text, taken={"why-answer"})
    assert left != text
    assert words(left) == ["never", "closed", "why-answer", "a", "$x", "<", "1$"]


@pytest.mark.parametrize("attack", ATTACKS)
def test_markdown_that_acts_is_made_harmless(attack):
    for text in (attack, f"Fine words.\n\n{attack}\n\nMore, with $x_1$."):
        left = harmless(text, taken={"why-answer"})
        assert left != text
        assert_harmless(shown(left))
        assert words(harmless(left, taken={"why-answer"})) == words(
            left
        )  # a second cleaning takes nothing more


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_surrounds_an_attack_is_still_read(attack):
    left = shown(harmless(f"Fine *words*.\n\n| a |\n|---|\n| $x_1$ |\n\n{attack}", taken={"why-answer"}))
    assert "<p>Fine <em>words</em>.</p>" in left
    assert "<td>$x_1$</td>" in left


@settings(deadline=None)
@given(
    st.lists(
        st.sampled_from(
            [*ATTACKS, *HONEST, "\n", "\n\n", " ", "> ", "- ", "<", "`", "$", "\r", "\x0b", "\u2028"]
        )
    )
)
@example(["<div>", "\r\r", ATTACKS[1]])
def test_no_mixture_of_attacks_comes_through(parts):
    left = harmless("".join(parts), taken={"why-answer"})
    assert_harmless(shown(left))


@pytest.mark.parametrize(
    "text", ["[" * 20_000, "<div>" * 5_000, ">" * 5_000, "![" * 5_000, "<b>" * 5_000 + "x"]
)
def test_deep_nesting_breaks_nothing(text):
    assert_harmless(shown(harmless(text)))


def test_an_attached_picture_is_put_into_the_text():
    picture = {"a.png": {"image/png": PNG}, "b.svg": {"image/svg+xml": "<svg/>"}}
    assert f'src="data:image/png;base64,{PNG}"' in harmless("![x](attachment:a.png)", picture)
    assert "[picture: x]" in harmless("![x](attachment:b.svg)", picture)


def test_a_picture_from_elsewhere_leaves_its_words():
    for text in ("![my plot](https://example.org/plot.png)", "<img alt='my plot' src='plot.png'>"):
        assert "[picture: my plot]" in harmless(text)


@pytest.mark.parametrize("kind", ["text/html", "text/markdown"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_no_output_acts(kind, attack):
    left = defused(
        {kind: [attack], "application/javascript": "alert(1)", "image/svg+xml": attack, "text/plain": "x"}
    )
    assert left.keys() == {kind, "text/plain"}
    assert_harmless(left[kind] if kind == "text/html" else shown(left[kind]))


def defused(data, metadata=None):
    code = cell("code", "display(...)")
    code.outputs = [nbformat.v4.new_output("display_data", data=data, metadata=metadata or {})]
    notebook = nbformat.v4.new_notebook(cells=[code, *small_lesson().cells])
    Defuse().preprocess(notebook, {})
    return notebook.cells[0].outputs[0].data


def test_figures_and_tables_are_kept():
    table = "<table><tbody><tr><td>1</td></tr></tbody></table>"
    data = {"image/png": PNG, "text/plain": "<Figure>", "text/html": table, "text/latex": "$x$"}
    assert defused(dict(data)) == data


def test_a_table_of_pandas_comes_without_its_style_sheet():
    sheet = "<style scoped>.dataframe {color: red}</style>"
    table = "<table class='dataframe'><tr><td>1</td></tr></table>"
    left = defused({"text/html": f"<div>\n{sheet}\n{table}</div>"})["text/html"]
    assert "color" not in left
    assert 'class="dataframe"' in left


def test_an_output_of_which_nothing_is_shown_says_so():
    widget = {"application/vnd.jupyter.widget-view+json": {"model_id": "1"}}
    assert defused(widget) == {"text/plain": "(not shown: application/vnd.jupyter.widget-view+json)"}


@pytest.mark.filterwarnings("ignore:No lexer found")
def test_a_learners_page_holds_nothing_that_acts_wherever_it_is_hidden():
    attack = "x onerror=alert(1)"
    code = cell("code", f"'<img src={attack}>'")
    picture = {"width": f"1 {attack}", "height": 3, "alt": f"<img src={attack}>"}
    filenames = {"filenames": {"image/png": "https://example.org/spy.png"}, "image/png": picture}
    code.outputs = [
        nbformat.v4.new_output("display_data", data={"image/png": PNG}, metadata=filenames),
        nbformat.v4.new_output(
            "display_data", data={"text/html": "x"}, metadata={"text/html": {"isolated": True}}
        ),
        nbformat.v4.new_output("stream", text=f"\x1b[31m<img src={attack}>\x1b[<img src={attack}>"),
        nbformat.v4.new_output(
            "error", ename="<script>", evalue="", traceback=[f"\x1b[1m<img src={attack}>"]
        ),
        nbformat.v4.new_output(
            "display_data", data={"text/latex": f"</div><img src={attack}>\\href{{x}}{{y}}"}
        ),
    ]
    essay = small_lesson().cells[-1]
    essay.metadata.nbgrader.comment = f"<img src={attack}>"
    raw = nbformat.v4.new_raw_cell(f"<img src={attack}>", metadata={"raw_mimetype": "text/html"})
    hostile = {
        "title": f"<img src={attack}>",
        "widgets": {"x": {}},
        "language_info": {"name": f'"><img src={attack}>'},
    }
    notebook = nbformat.v4.new_notebook(cells=[code, raw, essay], metadata=hostile)
    Defuse().preprocess(notebook, {})
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    soup = BeautifulSoup(page, "html.parser")
    assert soup.find_all(onerror=True) == soup.find_all("iframe") == []
    assert [image.get("height") for image in soup.find_all("img", src=f"data:image/png;base64,{PNG}")] == [
        "3"
    ]
    assert "onerror" not in soup.title.get_text()
    assert harmless(essay.metadata.nbgrader.comment) == essay.metadata.nbgrader.comment
    assert "example.org" not in str(soup.body)
