"""A bridge between our twin and another emulator: one address, behind which some services are the other's.

Every call of AWS's API goes to both. The one whose service it is answers; the other's answer is kept beside it. So the
twin's SageMaker finds the roles and the objects that were made in the other emulator; what its jobs write is carried
over.
"""

import json
import re
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit
from xml.etree.ElementTree import fromstring

from tests.emulators.emulator import Asked, Emulator, Reply
from tests.emulators.exchange import Exchange
from tests.listener import running

SCOPE = re.compile(r"Credential=[^/\s]+/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
SAGEMAKERS_LOGS = b"/aws/sagemaker/"
# Ids that an emulator makes up and that later calls name: API Gateway's and S3's.
MADE_UP = re.compile(r"id|rootResourceId|parentId|UploadId|VersionId")
CHECKSUM = re.compile(r"content-md5|x-amz-(sdk-)?checksum-|x-amz-content-sha256", re.IGNORECASE)
OF_ONE_CONNECTION = {"connection", "content-length", "date", "keep-alive", "server", "transfer-encoding"}


class Bridge:
    """What was asked across the bridge so far, and by whom it is answered.

    Args:
        twin: ours.
        other: the emulator that others wrote.
        theirs: the services that the other one answers, as they sign; the twin answers all others.
    """

    def __init__(self, twin: Emulator, other: Emulator, theirs: Collection[str] = ()) -> None:
        self.twin, self.other, self._theirs = twin, other, theirs
        self.exchanges: list[Exchange] = []
        self._ids: dict[str, str] = {}  # of whoever answers, and what the other calls the same
        self._carried: set[str] = set()
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Reply:
        """Ask whoever answers, and the other one after it; return the former's answer."""
        first, second = (self.other, self.twin) if self._is_theirs(asked) else (self.twin, self.other)
        reply = first.ask(asked)
        if not asked.service or self._is_of_one(asked):
            return reply
        with self._lock:
            also = second.ask(self._in_others_words(asked))
            self._learn(reply, also)
            ours, theirs = (also, reply) if first is self.other else (reply, also)
            self.exchanges.append(Exchange(asked, ours, theirs))
            self._carry(asked, ours)
        return reply

    def _is_theirs(self, asked: Asked) -> bool:
        return (asked.service or "apigateway") in self._theirs and not self._is_of_one(asked)

    def _is_of_one(self, asked: Asked) -> bool:
        """Whether a call is about what only a running model has: its answers, and the logs that SageMaker writes."""
        in_logs = asked.service == "logs" and SAGEMAKERS_LOGS in asked.body
        return in_logs or (asked.service == "sagemaker" and asked.target.startswith("/endpoints/"))

    def _in_others_words(self, asked: Asked) -> Asked:
        target, body = asked.target, asked.body
        for one, other in self._ids.items():
            target, body = target.replace(one, other), body.replace(one.encode(), other.encode())
        kept = {
            name: value
            for name, value in asked.headers.items()
            if body == asked.body or not CHECKSUM.match(name)  # of what is not sent any more
        }
        return Asked(asked.service, asked.region, asked.method, target, kept, body)

    def _learn(self, reply: Reply, also: Reply) -> None:
        if reply.ok and also.ok:
            self._ids |= dict(_pairs(_document(reply), _document(also)))

    def _carry(self, asked: Asked, ours: Reply) -> None:
        """Carry what a training job of the twin's has written, under its name, over to the other emulator."""
        if not asked.headers.get("X-Amz-Target", "").endswith(".DescribeTrainingJob") or not ours.ok:
            return
        job = json.loads(ours.body)
        name, bucket = job["TrainingJobName"], urlsplit(job["OutputDataConfig"]["S3OutputPath"]).netloc
        if job["TrainingJobStatus"] != "Completed" or name in self._carried:
            return
        self._carried.add(name)
        source, target = (each.client("s3", asked.region) for each in (self.twin, self.other))
        keys = [entry["Key"] for entry in source.list_objects_v2(Bucket=bucket).get("Contents", [])]
        for key in (key for key in keys if f"/{name}/" in key):
            target.put_object(Bucket=bucket, Key=key, Body=source.get_object(Bucket=bucket, Key=key)["Body"].read())


@contextmanager
def open_bridge(bridge: Bridge, port: int = 0) -> Iterator[str]:
    """Let calls cross within the `with`. Gives the address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # whoever asked has hung up
                self.close_connection = True

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            scope = SCOPE.search(self.headers.get("Authorization", ""))
            service, region = (scope["service"], scope["region"]) if scope else ("", "")
            reply = bridge.answer(Asked(service, region, self.command, self.path, dict(self.headers.items()), body))
            self.send_response_only(reply.status)
            for name, value in reply.headers.items():
                if name.lower() not in OF_ONE_CONNECTION:
                    self.send_header(name, value)
            length = reply.headers.get("Content-Length", "0") if self.command == "HEAD" else str(len(reply.body))
            self.send_header("Content-Length", length)
            self.end_headers()
            self.wfile.write(reply.body)

        do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = do_PATCH = do_OPTIONS = _answer  # noqa: N815  (names of the base class)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    with running(server):
        yield f"http://127.0.0.1:{server.server_port}"


def _document(reply: Reply) -> Any:
    """Return an answer as nested mappings and lists; nothing where it is neither JSON nor XML."""
    try:
        if reply.body[:1] in (b"{", b"["):
            return json.loads(reply.body)
        return _element(fromstring(reply.body)) if reply.body[:1] == b"<" else None
    except (ValueError, SyntaxError):
        return None


def _element(element: Any) -> Any:
    children = [(child.tag.rpartition("}")[2], _element(child)) for child in element]
    return children or element.text


def _pairs(one: Any, other: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Yield the made-up ids at the same places of two answers."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in one.keys() & other.keys():
            yield from _pairs(one[key], other[key], key)
    elif isinstance(one, list) and isinstance(other, list):
        for mine, yours in zip(one, other, strict=False):
            if isinstance(mine, tuple) and isinstance(yours, tuple) and mine[0] == yours[0]:
                yield from _pairs(mine[1], yours[1], mine[0])
            elif isinstance(mine, Mapping):
                yield from _pairs(mine, yours)
    elif isinstance(one, str) and isinstance(other, str) and one != other and MADE_UP.fullmatch(name):
        yield one, other
