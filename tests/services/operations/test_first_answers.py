"""The first answers of an API and its page, from a server that begins to answer late."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context
from sentictl.services.operations.first_answers import wait_for_answers
from tests.services.conftest import ContextOf


class Api(ThreadingHTTPServer):
    """Answers POST and GET with the statuses that are left for them, and then as it should."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.statuses: dict[str, list[int]] = {"POST": [], "GET": []}
        self.asked: list[str] = []


class Handler(BaseHTTPRequestHandler):
    server: Api

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        assert json.loads(self.rfile.read(length))["reviews"]
        self._answer(b'[{"sentiment": 1}]')

    def do_GET(self) -> None:
        self._answer(b"<html>")

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass

    def _answer(self, body: bytes) -> None:
        self.server.asked.append(self.command)
        waiting = self.server.statuses[self.command]
        self.send_response(waiting.pop(0) if waiting else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def api() -> Iterator[Api]:
    with Api() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def context(context_of: ContextOf, api: Api) -> Context:
    context = context_of('[project]\nname = "films"\n')
    context.environment.__dict__["endpoint_url"] = f"http://127.0.0.1:{api.server_port}"
    context.state.keep(Record("rest-api", "films-local-api", "arn", {"id": "a1"}))
    return context


def test_what_answers_at_once_is_not_waited_for(context: Context, api: Api) -> None:
    assert wait_for_answers(context, waiting, sleep=lambda _: pytest.fail("waited")) == ""
    assert api.asked == ["POST", "GET"]


def test_a_permission_and_a_page_role_that_take_effect_late_are_waited_for(context: Context, api: Api) -> None:
    api.statuses = {"POST": [500, 403], "GET": [500]}
    said: list[str] = []
    assert wait_for_answers(context, said.append, sleep=lambda _: None) == ""
    assert [text[:21] for text in said] == ["The API answered 500:"]


def test_what_does_not_answer_in_time_is_named(context: Context, api: Api) -> None:
    api.statuses["GET"] = [404] * 50
    assert wait_for_answers(context, lambda _: None, seconds=0, sleep=lambda _: None) == "The page answers 404."


def test_a_throttled_answer_is_one(context: Context, api: Api) -> None:
    api.statuses = {"POST": [429], "GET": [429]}
    assert wait_for_answers(context, waiting, sleep=lambda _: pytest.fail("waited")) == ""


def waiting(missing: str) -> None:
    pytest.fail(f"waited for {missing}")
