"""The page served on this machine: what a browser gets, over HTTP."""

import socket
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import urllib3

from sentictl.errors import StateError, UsageError
from sentictl.services.page.preview import serving
from sentictl.services.page.render import HEADERS

HTTP = urllib3.PoolManager(retries=False)


def test_the_page_is_served_with_its_headers() -> None:
    with serving("<p>é</p>".encode) as url:
        assert url.startswith("http://127.0.0.1:")
        for path in ("", "index.html", "?from=mail"):
            answer = HTTP.request("GET", url + path)
            assert (answer.status, answer.data.decode()) == (200, "<p>é</p>")
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert answer.headers["Cache-Control"] == "no-store"
        assert HEADERS.items() <= dict(answer.headers).items()
        assert HTTP.request("HEAD", url).headers["Content-Length"] == "9"
        assert HTTP.request("GET", url + "other").status == 404


def test_only_who_was_told_its_address_finds_it() -> None:
    with serving(lambda: b"a draft") as url, serving(lambda: b"") as other:
        host, _, secret = url.removeprefix("http://").partition("/")
        assert len(secret) > 20
        assert secret not in other
        for path in ("/", "/index.html", "//"):
            assert HTTP.request("GET", f"http://{host}{path}").status == 404


def test_a_reload_shows_what_changed_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    template = tmp_path / "index.html"

    def render() -> bytes:
        if not template.exists():
            raise StateError("There is no template.", "Write one.")
        return template.read_bytes()

    with serving(render) as url:
        broken = HTTP.request("GET", url)
        assert (broken.status, broken.data) == (500, b"There is no template.\nWrite one.\n")
        for text in (b"one", b"two"):
            template.write_bytes(text)
            assert HTTP.request("GET", url).data == text


def test_it_is_gone_when_the_block_ends() -> None:
    with serving(lambda: b"") as url:
        assert HTTP.request("GET", url).status == 200
    with pytest.raises(urllib3.exceptions.HTTPError):
        HTTP.request("GET", url, timeout=2)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"port {port}: Address already in use"), serving(lambda: b"", port):
            pytest.fail("it was served")


def test_a_connection_that_says_nothing_is_closed() -> None:
    with serving(lambda: b"the page") as url:
        parts = urlsplit(url)
        with socket.create_connection((parts.hostname, parts.port), timeout=60) as silent:
            assert HTTP.request("GET", url).data == b"the page"
            assert silent.recv(1) == b""
