"""A headless Chromium, and small servers on 127.0.0.1 for its pages to talk to."""

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
from playwright.sync_api import Browser, Page, sync_playwright

from sentictl.services.page import render

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
TEMPLATES = Path(__file__).parents[2] / "templates"
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type, Accept",
    "Access-Control-Expose-Headers": "Retry-After",
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
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="session")
def serve() -> Serve:
    return _serving


class Api:
    """The API, played. Gives the replies it was told to in turn, the last one for ever; without any, "positive"."""

    def __init__(self) -> None:
        self.url = ""
        self.posts: list[Request] = []
        self._replies: list[Reply] = []

    def reply(self, status: int, document: Any, headers: dict[str, str] | None = None) -> None:
        """Answer the next request with a JSON document."""
        self._replies.append((status, json.dumps(document), headers or {}))

    def predict(self, label: str, probability: float, model: str = "reviews-1") -> None:
        """Answer the next request with a prediction."""
        sentiment = int(label == "positive")
        self.reply(200, {"label": label, "sentiment": sentiment, "probability": probability, "model": model})

    def refuse(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        """Answer the next request with an error."""
        self.reply(status, {"error": {"code": "some_code", "message": message}}, headers)

    def answer(self, request: Request) -> Reply:
        if request.method != "POST":
            return 204, "", {}
        self.posts.append(request)
        if not self._replies:
            self.predict("positive", 0.97)
        return self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]


@pytest.fixture
def api() -> Iterator[Api]:
    played = Api()
    with _serving(played.answer) as address:
        played.url = f"{address}/prod/"
        yield played


@pytest.fixture
def site_url(api: Api, tmp_path: Path) -> str:
    """The page for the played API, as a file."""
    path = tmp_path / "index.html"
    path.write_bytes(render("Is this review positive?", api.url, 1_000, TEMPLATES))
    return path.as_uri()


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, BROWSERS)), None)
    if executable is None:
        reason = f"no browser on this machine: none of {', '.join(BROWSERS)} is on the PATH"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        chromium = playwright.chromium.launch(executable_path=executable, args=arguments)
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
