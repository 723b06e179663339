"""A headless Chromium, small servers on 127.0.0.1 for its pages to talk to, and axe to judge them."""

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from sentictl.assets.installed import files_in, templates
from sentictl.config.settings import SiteSettings
from sentictl.services.page.render import render
from tests.listener import running

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Accept, X-Api-Key",
    "Access-Control-Expose-Headers": "Retry-After, x-amzn-RequestId",
}


@dataclass(frozen=True)
class Request:
    """What a server was asked."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


Reply = tuple[int, str, dict[str, str]]  # status, body, headers
Answerer = Callable[[Request], Reply]
Serve = Callable[[Answerer], AbstractContextManager[str]]
MakePage = Callable[..., str]
Audit = Callable[[Page], list[str]]


@contextmanager
def _serving(answer: Answerer) -> Iterator[str]:
    """A server on a free port that answers with a function; gives its address."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, text, headers = answer(Request(self.command, self.path, dict(self.headers), body))
            content = text.encode()
            self.send_response(status)
            for name, value in ({"Content-Type": "application/json"} | CORS | headers).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_OPTIONS = answer  # noqa: N815 - the names that http.server looks for

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
            """Leave the tests' output alone."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running(server):
        yield f"http://127.0.0.1:{server.server_port}"


@pytest.fixture(scope="session")
def serve() -> Serve:
    return _serving


class Api:
    """The API, played. Gives the replies it was told to in turn, the last one for ever; without any, "positive"."""

    def __init__(self) -> None:
        self.url = ""
        self.posts: list[Request] = []
        self.others: list[str] = []  # the methods of what else it was asked
        self.speaks = threading.Event()  # while it is cleared, requests are taken and wait for their answer
        self.speaks.set()
        self.replies: list[Reply] = []

    def reply(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        """Answer the next request with a JSON document."""
        self.replies.append((status, json.dumps(document), headers or {}))

    def predict(
        self,
        label: str,
        probability: float,
        model: str = "reviews-1",
        explanation: Any = None,
        *,
        undecided: bool = False,
    ) -> None:
        """Answer the next request with a prediction."""
        document = {"label": label, "sentiment": int(label == "positive"), "probability": probability, "model": model}
        document["undecided"] = undecided
        self.reply(200, document | ({"explanation": explanation} if explanation else {}))

    def refuse(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        """Answer the next request with an error."""
        self.reply(status, {"error": {"code": "some_code", "message": message}}, headers)

    def answer(self, request: Request) -> Reply:
        if request.method != "POST":
            self.others.append(request.method)
            return 204, "", {}
        self.posts.append(request)
        self.speaks.wait(30)
        if not self.replies:
            self.predict("positive", 0.97)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def playing() -> Iterator[Api]:
    """The played API on a free port."""
    played = Api()
    with _serving(played.answer) as address:
        played.url = f"{address}/prod/"
        yield played
        played.speaks.set()


@pytest.fixture
def api() -> Iterator[Api]:
    with playing() as played:
        yield played


def page_html(api_url: str, access: str = "none", **site: Any) -> bytes:
    """The installed page for an API that takes 1,000 characters, with settings of `[site]`; who may ask is `access`."""
    return render(SiteSettings(**site), api_url, 1_000, files_in(templates() / "site"), access)


@pytest.fixture
def make_page(tmp_path: Path) -> MakePage:
    """Writes the page for an API's address as a file, with settings of `[site]`; gives the file's address."""

    def make(api_url: str, **site: Any) -> str:
        path = tmp_path / "index.html"
        path.write_bytes(page_html(api_url, **site))
        return path.as_uri()

    return make


@pytest.fixture
def site_url(api: Api, make_page: MakePage) -> str:
    """The page for the played API, as a file."""
    return make_page(api.url)


# What fades in has its colors at the end; what waits moves on and on.
ARRIVED = """Promise.all(document.getAnimations()
    .filter(each => each.effect.getTiming().iterations !== Infinity).map(each => each.finished))"""


@pytest.fixture(scope="session")
def audit() -> Audit:
    """What axe finds in a tab as it is: broken rules, and words of HTML whose contrast it could not tell."""
    axe = Axe()

    def run(tab: Page) -> list[str]:
        tab.evaluate(ARRIVED)
        found = axe.run(tab, options={"resultTypes": ["violations", "incomplete"]}).response
        doubtful = [rule for rule in found["incomplete"] if rule["id"] == "color-contrast"]
        broken = [(rule["id"], node) for rule in found["violations"] for node in rule["nodes"]]
        unclear = [(rule["id"], node) for rule in doubtful for node in rule["nodes"] if "<text" not in node["html"]]
        return [f"{rule}: {node['html']} {node['any'][:1]}" for rule, node in broken + unclear]

    return run


def find_browser() -> str | None:
    """The program of a browser on this machine."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = find_browser()
    if executable is None:
        reason = f"no browser on this machine: none of {', '.join(BROWSERS)} is on the PATH"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """An empty tab. Fails the test when the page logs an error of its own or breaks its security policy."""
    context = browser.new_context()
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield tab
    context.close()
    assert [text for text in complaints if "Failed to load resource" not in text] == []
