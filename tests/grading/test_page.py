"""The exporter of feedback pages: the same pages, with templates compiled once."""

import jinja2
import pytest
from nbconvert.exporters import HTMLExporter

from autograder.page import Page


@pytest.mark.parametrize("template", ["classic", "lab"])
def test_a_page_is_what_nbconvert_makes_of_it(released, template):
    options = {"template_name": template}
    assert (
        Page(**options).from_notebook_node(released)[0]
        == (HTMLExporter(**options).from_notebook_node(released)[0])
    )


def test_the_second_page_compiles_no_template(released, monkeypatch):
    first, _ = Page().from_notebook_node(released)
    monkeypatch.setattr(jinja2.Environment, "compile", None)
    assert Page().from_notebook_node(released)[0] == first


def test_a_template_that_has_changed_is_compiled_again(released, tmp_path):
    template = tmp_path / "own.html.j2"
    for text in ("one", "another"):
        template.write_text(text)
        page, _ = Page(template_paths=[str(tmp_path)], template_file=template.name).from_notebook_node(
            released
        )
        assert page == text
