"""What people open afterwards: nothing acts in their browser, and what a person grades arrives."""

import csv
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from nbconvert.filters.markdown_mistune import markdown2html_mistune as shown

from autograder.grading import Options, export, grade_class
from autograder.kernels.sandbox import available
from tests.browser import hostile
from tests.browser.conftest import jupyter
from tests.browser.course import CHAPTER, LESSON, hand_in, small_course

MATHJAX = "https://cdnjs.cloudflare.com/ajax/libs/mathjax/"


@dataclass
class Listener:
    """A server on loopback that attacks call, and what they called for."""

    url: str
    heard: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def listener():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            listener.heard.append(self.path.strip("/"))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener = Listener(f"http://127.0.0.1:{server.server_port}")
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield listener
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def course(repo, tmp_path_factory, listener):
    """Ada is honest; Eve's notebook is one attack after another."""
    course = small_course(repo, tmp_path_factory.mktemp("class") / "course")
    right = {f"{name}-stub": f"def {name}(x):\n    return x" for name in ("first", "second")}
    hand_in(course, "ada", right | {"why-answer": "Because $x = x$."})
    attacks = hostile.in_markdown(listener.url)
    # these two pose as parts of formgrader, where a person grades the question
    essay = "\n\n".join([attacks.pop("full-credit"), attacks.pop("name-of-a-field")])
    wrong = {"first-stub": hostile.answer(listener.url), "second-stub": hostile.error(listener.url)}
    hand_in(course, "eve", wrong | {"why-answer": f"Because.\n\n{essay}"}, attacks.values())
    results = grade_class(course, CHAPTER, ["ada", "eve"], Options(sandbox=available()))
    assert [r.earned for r in results] == [{"first": 2, "second": 2}, {"first": 2, "second": 0}]
    return course


@pytest.fixture(scope="module")
def formgrader(course, tmp_path_factory):
    with jupyter(course.root, tmp_path_factory.mktemp("settings")) as url:
        yield f"{url}/formgrader"


@pytest.fixture
def watched(page, listener):
    """A page without a way out of this machine; `acted` fills with what it should not do."""
    page.acted = []
    listener.heard.clear()
    page.on("dialog", lambda dialog: (page.acted.append("dialog"), dialog.dismiss()))
    page.route(lambda url: not url.startswith(("http://127.0.0.1", "file:", "data:")), _refuse(page))
    return page


def _refuse(page):
    def refuse(route):
        if not route.request.url.startswith(MATHJAX):  # the page's own
            page.acted.append(route.request.url)
        route.abort()

    return refuse


def settle(page):
    """Wait until everything that a page starts by itself has been asked for, then try its links."""
    page.wait_for_load_state("networkidle")
    follow(page)
    page.wait_for_timeout(500)


def follow(page):
    """Click what runs a script where a link should lead."""
    page.evaluate("document.querySelectorAll('a[href^=javascript]').forEach(link => link.click())")


def feedback(course, student):
    return course.path("feedback", student, CHAPTER) / f"{LESSON}.html"


def open_submission(page, formgrader, course, student):
    with course.gradebook() as gradebook:
        ident = gradebook.find_submission_notebook(LESSON, CHAPTER, student).id
    page.goto(f"{formgrader}/submissions/{ident}/")
    page.locator("#why-answer-comment").wait_for()
    page.wait_for_function("formgrader.grades.loaded && formgrader.comments.loaded")


def acts(page, listener, name, text):
    """Whether one attack gets through on a page that nothing protects."""
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.set_content(shown(text), wait_until="commit")
    follow(page)
    for _ in range(10):
        page.wait_for_timeout(50)
        if name in listener.heard or page.title() == hostile.OWNED:
            return True
    return False


def test_the_attacks_act_where_nothing_stops_them(browser, listener):
    listener.heard.clear()
    acting = set()
    for name, text in hostile.in_markdown(listener.url).items():
        page = browser.new_page()
        acting |= {name} if acts(page, listener, name, text) else set()
        page.close()
    assert len(acting) >= 30


def test_nothing_acts_on_a_feedback_page(course, watched, listener, tmp_path):
    watched.goto(feedback(course, "eve").as_uri())
    settle(watched)
    watched.screenshot(path=tmp_path / "feedback.png", full_page=True)
    assert (watched.acted, listener.heard, watched.title()) == ([], [], LESSON)
    assert watched.get_by_text("waits for a person to read it").count() == 1
    assert watched.get_by_text("[picture: x]").count() >= 5


def test_what_came_through_would_still_be_stopped_by_the_policy(course, watched, listener, tmp_path):
    """As if nothing had been cleaned: no script runs and nothing is fetched, because the page forbids it."""
    attacks = hostile.in_markdown(listener.url)
    del attacks["refresh"]  # leaving the page is the one thing that a policy does not forbid
    raw = "".join(map(shown, attacks.values()))
    path = tmp_path / "page.html"
    path.write_text(feedback(course, "ada").read_text("utf-8").replace("</body>", f"{raw}</body>"), "utf-8")
    watched.goto(path.as_uri())
    settle(watched)
    assert (watched.acted, listener.heard, watched.title()) == ([], [], LESSON)


def test_nothing_acts_in_formgrader(course, formgrader, watched, listener, tmp_path):
    open_submission(watched, formgrader, course, "eve")
    settle(watched)
    watched.screenshot(path=tmp_path / "formgrader.png", full_page=True)
    assert (watched.acted, listener.heard, watched.title()) == ([], [], LESSON)


def test_no_text_of_a_learner_is_a_part_of_formgrader(course, formgrader, page):
    open_submission(page, formgrader, course, "eve")
    for text in page.get_by_text("See my figure").all():
        text.click()  # were it a button, it would give all points
    give(page, "why-answer", "1", "Not an answer.")  # were the heading a field, its points would be these
    with course.gradebook() as gradebook:
        notebook = gradebook.find_submission_notebook(LESSON, CHAPTER, "eve")
        assert {g.name: g.score for g in notebook.grades} == {
            "first-test": 2,
            "why-answer": 1,
            "second-test": 0,
        }


def give(page, name, points, comment):
    """As a person would: type points and a comment, and see that both are saved."""
    with page.expect_response(lambda r: "/api/grade/" in r.url and r.ok):
        page.locator(f"input#{name}").fill(points)
        page.locator(f"input#{name}").press("Tab")
    with page.expect_response(lambda r: "/api/comment/" in r.url and r.ok):
        page.locator(f"#{name}-comment").fill(comment)
        page.locator(f"#{name}-comment").press("Tab")


def test_points_and_comment_of_a_person_reach_the_learner_and_the_table(course, formgrader, page, tmp_path):
    page.goto(f"{formgrader}/gradebook/{CHAPTER}/{LESSON}")
    page.get_by_text("Submission #1").wait_for()
    assert page.get_by_text("Submission #").count() == 2
    open_submission(page, formgrader, course, "ada")
    page.screenshot(path=tmp_path / "formgrader.png", full_page=True)
    give(page, "why-answer", "2.5", "Say *which* $x$.")

    assert course.pages.generate_feedback(CHAPTER, "ada")["success"]
    page.goto(feedback(course, "ada").as_uri())
    page.get_by_text("6.5 of 7 points").wait_for()
    page.screenshot(path=tmp_path / "feedback.png")
    line = page.locator("tr", has_text="why").inner_text().split()
    assert line == ["◐", "why", "2.5", "/", "3", "See", "the", "comment."]
    assert page.locator(".panel-footer em", has_text="which").count() == 1

    with export(course).open(encoding="utf-8", newline="") as file:
        rows = {row["student_id"]: row for row in csv.DictReader(file)}
    assert float(rows["ada"]["score"]) == 6.5
