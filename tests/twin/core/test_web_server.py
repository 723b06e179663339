"""Connections that ask nothing, or slowly, or too much: they are closed, and nobody else notices."""

import http.client
import random
import socket
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from urllib.parse import urlsplit

import urllib3

from sentictl.twin.core import web_server
from sentictl.twin.core.credentials import KEY_HEADER
from sentictl.twin.core.messages import authorization
from tests.twin.conftest import Cloud

HTTP = urllib3.PoolManager()


def asking(cloud: Cloud) -> bytes:
    """The head of a request for the status page, as far as its last header."""
    return f"GET /_twin/status HTTP/1.1\r\nHost: 127.0.0.1\r\n{KEY_HEADER}: {cloud.key}\r\n".encode()


def status(cloud: Cloud) -> int:
    """What the status page is answered with."""
    return HTTP.request("GET", f"{cloud.url}/_twin/status", headers={KEY_HEADER: cloud.key}).status


def connect(url: str) -> socket.socket:
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=web_server.FIRST_SECONDS + 30)


def read_to_end(connection: socket.socket) -> bytes:
    """All that comes until the other side hangs up, which it must."""
    return b"".join(iter(lambda: connection.recv(65_536), b""))


def test_many_idle_connections_stop_nobody(cloud: Cloud) -> None:
    with ExitStack() as stack:
        for _ in range(web_server.MOST_CONNECTIONS + 100):
            stack.enter_context(connect(cloud.url))
        assert status(cloud) == 200


def test_connections_that_do_not_come_to_an_end_are_closed(cloud: Cloud) -> None:
    beginnings = {
        "nothing": b"",
        "half a line": b"GET /_twin/sta",
        "half a head": asking(cloud) + b"X-Slow: ",
        "half a body": asking(cloud) + b"Content-Length: 100\r\n\r\nhalf",
        "half of chunks": asking(cloud) + b"Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "blank lines": b"\r\n\r\n",
    }
    with ExitStack() as stack:
        opened = {name: stack.enter_context(connect(cloud.url)) for name in beginnings}
        for name, connection in opened.items():
            connection.sendall(beginnings[name])
        assert {name: read_to_end(connection) for name, connection in opened.items()} == dict.fromkeys(beginnings, b"")


def test_a_byte_now_and_then_does_not_keep_a_connection(cloud: Cloud) -> None:
    with connect(cloud.url) as connection:
        connection.sendall(asking(cloud))
        connection.settimeout(0.5)
        closed = False
        limit = time.monotonic() + web_server.FIRST_SECONDS + 60
        while not closed and time.monotonic() < limit:
            try:
                connection.sendall(b"X-More: a\r\n")
                closed = connection.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                closed = True
        assert closed


def test_a_connection_is_kept_from_one_request_to_the_next(cloud: Cloud) -> None:
    connection = http.client.HTTPConnection(urlsplit(cloud.url).netloc)
    connection.connect()
    first = connection.sock
    for _ in range(3):
        connection.request("GET", "/_twin/status", headers={KEY_HEADER: cloud.key})
        assert connection.getresponse().read()
        assert connection.sock is first
    connection.close()


def test_an_empty_body_is_not_waited_for(cloud: Cloud) -> None:
    with connect(cloud.url) as connection:
        head = asking(cloud) + b"Expect: 100-continue\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        connection.sendall(head)
        assert read_to_end(connection).startswith(b"HTTP/1.1 200")
    cloud.upload("empty", b"")
    assert cloud.s3.get_object(Bucket=cloud.bucket, Key="empty")["Body"].read() == b""


def test_heads_and_bodies_have_a_largest_size(cloud: Cloud) -> None:
    with connect(cloud.url) as connection:
        connection.sendall(asking(cloud) + b"X-Long: " + b"x" * web_server.MAX_HEADER + b"\r\n\r\n")
        assert read_to_end(connection).startswith(b"HTTP/1.0 431")
    with connect(cloud.url) as connection:  # 413 comes before the body
        connection.sendall(asking(cloud) + b"Content-Length: %d\r\n\r\n" % (web_server.MAX_BODY + 1))
        assert read_to_end(connection).startswith(b"HTTP/1.1 413")
    with connect(cloud.url) as connection:
        path = b"/restapis/abc/prod/_user_request_/"
        connection.sendall(asking(cloud).replace(b"/_twin/status", path) + b"Content-Length: 100000000\r\n\r\n")
        assert read_to_end(connection).startswith(b"HTTP/1.1 413")


def requests(cloud: Cloud) -> tuple[bytes, ...]:
    """Requests of several kinds, each of which is answered."""
    signed = authorization("sagemaker", "us-east-1", cloud.key).encode()
    key = f"{KEY_HEADER}: {cloud.key}\r\n".encode()
    return (
        asking(cloud) + b"\r\n",
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: "
        + signed
        + b"\r\nX-Amz-Target: SageMaker.ListModels\r\n"
        b"Content-Type: application/x-amz-json-1.1\r\nContent-Length: 2\r\n\r\n{}",
        b"POST /restapis/abc/prod/_user_request_/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\n\r\ngood",
        b"PUT /bucket-r/key HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        + key
        + b"Transfer-Encoding: chunked\r\n\r\n4\r\ngood\r\n0\r\n\r\n",
        b"GET /bucket-r?list-type=2 HTTP/1.1\r\nHost: 127.0.0.1\r\n" + key + b"Expect: 100-continue\r\n\r\n",
    )


TOKENS = (
    b"\r\n",
    b"\n",
    b"\0",
    b"\xff",
    b" ",
    b":",
    b"%",
    b"%00",
    b"..",
    b"/",
    b"-1",
    b"99999999999",
    b"chunked",
    b"\t",
)


def spoilt(rng: random.Random, whole: Sequence[bytes]) -> bytes:
    """One or two requests, of which some bytes were changed, doubled, left out or put in."""
    content = bytearray(b"".join(rng.choices(whole, k=rng.randint(1, 2))))
    for _ in range(rng.randint(0, 6)):
        place = rng.randrange(len(content))
        length = rng.choice((0, 1, 1, 8))
        content[place : place + length] = rng.choice((*TOKENS, rng.randbytes(3), bytes(content[place : place + 20])))
    return bytes(content)


def answer_to(url: str, content: bytes) -> bytes:
    """What comes first; nothing where the connection is closed without an answer."""
    with connect(url) as connection:
        try:
            connection.sendall(content)
            return connection.recv(65_536)
        except (BrokenPipeError, ConnectionResetError):  # closed before all that was sent had been read
            return b""


def test_whatever_comes_is_answered_or_the_connection_closed(cloud: Cloud) -> None:
    rng = random.Random(20_260)
    contents = [spoilt(rng, requests(cloud)) for _ in range(360)]
    with ThreadPoolExecutor(120) as pool:
        answers = list(pool.map(partial(answer_to, cloud.url), contents))
    answered = [answer for answer in answers if answer]
    assert all(answer.startswith(b"HTTP/1.") for answer in answered)
    assert {answer.split()[1] for answer in answered} >= {b"200", b"400"}
    assert b"500" not in {answer.split()[1] for answer in answered}
    assert status(cloud) == 200
