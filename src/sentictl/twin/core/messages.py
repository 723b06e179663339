"""HTTP requests and answers as the twin passes them around, and AWS's wire shapes of errors."""

import io
import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote

type_of_start_response = Callable[[str, list[tuple[str, str]]], Any]


@dataclass(frozen=True)
class Request:
    """One HTTP request.

    Args:
        method: upper case.
        target: path as it arrived, percent-encoded, without the query.
        query: the query string as it arrived.
        headers: values by lower-case name.
        body: all of it.
        client: the caller's IP address.
    """

    method: str
    target: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = "127.0.0.1"

    @property
    def path(self) -> str:
        return unquote(self.target)

    @property
    def query_pairs(self) -> list[tuple[str, str]]:
        return parse_qsl(self.query, keep_blank_values=True)

    @classmethod
    def from_environ(cls, environ: dict[str, Any]) -> "Request":
        """Read a WSGI environ, its body included."""
        headers = {
            name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")
        }
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if environ.get(name):
                headers[name.replace("_", "-").lower()] = environ[name]
        target = re.sub(r"^https?://[^/]*", "", environ["REQUEST_URI"]).partition("?")[0]
        return cls(
            method=environ["REQUEST_METHOD"],
            target=target or "/",
            query=environ.get("QUERY_STRING", ""),
            headers=headers,
            body=environ["wsgi.input"].read(),
            client=environ.get("REMOTE_ADDR", "127.0.0.1"),
        )

    def to_environ(self, port: int) -> dict[str, Any]:
        """The WSGI environ that moto's application is called with."""
        environ: dict[str, Any] = {
            "REQUEST_METHOD": self.method,
            "SCRIPT_NAME": "",
            # PEP 3333: the decoded path's bytes, each as one Latin-1 character.
            "PATH_INFO": self.path.encode().decode("latin-1"),
            "RAW_URI": f"{self.target}?{self.query}" if self.query else self.target,
            "QUERY_STRING": self.query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": str(port),
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": self.client,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(self.body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        environ |= {"HTTP_" + name.upper().replace("-", "_"): value for name, value in self.headers.items()}
        environ["CONTENT_TYPE"] = environ.pop("HTTP_CONTENT_TYPE", "")
        environ.pop("HTTP_CONTENT_LENGTH", None)
        environ["CONTENT_LENGTH"] = str(len(self.body))
        environ.setdefault("HTTP_HOST", f"127.0.0.1:{port}")
        return environ


@dataclass(frozen=True)
class Response:
    """One HTTP answer."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def ok(self) -> bool:
        return self.status < HTTPStatus.BAD_REQUEST

    def send(self, start_response: type_of_start_response, *, with_body: bool = True) -> Iterable[bytes]:
        """Answer a WSGI call. For HEAD the body is left out and its length kept."""
        names = {name.lower() for name, _ in self.headers}
        headers = list(self.headers)
        if "content-length" not in names:
            headers.append(("Content-Length", str(len(self.body))))
        start_response(f"{self.status} {reason(self.status)}", headers)
        return [self.body] if with_body else []


def reason(status: int) -> str:
    """The reason phrase of a status code."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"


def json_response(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """An answer whose body is JSON."""
    pairs = {"Content-Type": "application/json", **(headers or {})}
    return Response(status, json.dumps(document).encode(), tuple(pairs.items()))


def json_rpc_error(code: str, message: str, status: int = 400) -> Response:
    """An error of a JSON 1.1 service (SageMaker, CloudWatch Logs): boto3 raises `code`."""
    document = {"__type": code, "message": message}
    return json_response(status, document, {"x-amzn-ErrorType": code, "Content-Type": "application/x-amz-json-1.1"})


def rest_error(code: str, message: str, status: int, **members: Any) -> Response:
    """An error of a REST-JSON service (Lambda, API Gateway, SageMaker Runtime)."""
    return json_response(status, {"message": message, "Message": message, **members}, {"x-amzn-ErrorType": code})
