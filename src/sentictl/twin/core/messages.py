"""HTTP requests and answers as the twin passes them around, and AWS's wire shapes of errors."""

import json
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from html import escape
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs

from werkzeug import wrappers
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

BEFORE_PATH = re.compile(r"(https?://[^/?]*)?/*")


class Request(wrappers.Request):
    """A request that came in, or one that the twin makes itself."""

    @classmethod
    def make(
        cls,
        method: str,
        target: str,
        query: str = "",
        headers: Headers | Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> "Request":
        """Return a request as if it had come in.

        Args:
            target: the path, percent-encoded.
            query: the query string.
        """
        builder = EnvironBuilder(
            target, query_string=query, method=method, headers=Headers(headers), input_stream=BytesIO(body)
        )
        return cls(builder.get_environ(), populate_request=False)

    @cached_property
    def target(self) -> str:
        """The path as it arrived, percent-encoded, without the query."""
        arrived = self.environ["REQUEST_URI"].encode("latin-1").decode("utf-8", "replace")
        return BEFORE_PATH.sub("/", arrived, count=1).partition("?")[0]

    def abandoned(self) -> bool:
        """Tell whether its client has hung up, and waits for no answer any more."""
        has_gone: Callable[[], bool] | None = self.environ.get("waitress.client_disconnected")
        return has_gone is not None and has_gone()

    @property
    def query(self) -> str:
        """The query string as it arrived."""
        return self.query_string.decode("utf-8", "replace")

    def form_parameter(self, name: str) -> str:
        """Return a parameter of a form in the body; empty if it has none of that name."""
        return parse_qs(self.get_data(as_text=True)).get(name, [""])[0]

    def changed(self, body: bytes, query: str | None = None) -> "Request":
        """Return the same request with another body, and perhaps another query string."""
        return Request.make(self.method, self.target, self.query if query is None else query, self.headers, body)


class Response(wrappers.Response):
    """An answer. It says of what type it is only if it was told so."""

    default_mimetype = None

    @property
    def ok(self) -> bool:
        return self.status_code < HTTPStatus.BAD_REQUEST


def authorization(service: str, region: str, key: str = "local") -> str:
    """Return an Authorization header by which moto finds the service and the region. Nobody checks its signature.

    Args:
        key: the access key; calls that come from outside need one that the twin knows.
    """
    scope = f"{key}/20260101/{region}/{service}/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=none"


def json_response(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer whose body is JSON."""
    return Response(json.dumps(document), status, {"Content-Type": "application/json", **(headers or {})})


def json_rpc_error(code: str, message: str, status: int = 400) -> Response:
    """Return an error of a JSON 1.1 service (SageMaker, CloudWatch Logs): boto3 raises `code`."""
    document = {"__type": code, "message": message}
    return json_response(status, document, {"x-amzn-ErrorType": code, "Content-Type": "application/x-amz-json-1.1"})


def query_error(code: str, message: str, status: int, namespace: str = "") -> Response:
    """Return an error of a service that is asked by forms (IAM, STS).

    Args:
        code: AWS's code.
        message: AWS's message.
        status: the HTTP status.
        namespace: the service's XML namespace.
    """
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    named = f' xmlns="{namespace}"' if namespace else ""
    return Response(f"<ErrorResponse{named}>{error}</ErrorResponse>", status, {"Content-Type": "text/xml"})


def s3_error(code: str, message: str, status: int) -> Response:
    """Return an error of S3."""
    error = f"<Error><Code>{code}</Code><Message>{escape(message)}</Message></Error>"
    return Response(f'<?xml version="1.0" encoding="UTF-8"?>\n{error}', status, {"Content-Type": "application/xml"})


def cbor_error(code: str, message: str, status: int) -> Response:
    """Return an error in Smithy's RPC v2 CBOR (CloudWatch): a map of two texts (RFC 8949, section 3.1)."""
    texts = [text.encode() for text in ("__type", code, "message", message)]
    body = b"\xa2" + b"".join(b"\x79" + len(text).to_bytes(2, "big") + text for text in texts)
    return Response(body, status, {"Content-Type": "application/cbor", "smithy-protocol": "rpc-v2-cbor"})


def protocol_of(request: Request, service: str) -> str:
    """Return by which protocol a service is asked: cbor, json, query, s3 or rest. Some services speak several."""
    if "smithy-protocol" in request.headers:
        return "cbor"
    if "x-amz-target" in request.headers:
        return "json"
    if request.mimetype == "application/x-www-form-urlencoded":
        return "query"
    return "s3" if service == "s3" else "rest"


def error_for(request: Request, service: str, code: str, message: str, status: int) -> Response:
    """Return an error in the form in which whoever sent a request reads one.

    Args:
        request: to any service.
        service: its signing name, such as `s3`.
        code: AWS's code.
        message: AWS's message.
        status: the HTTP status.
    """
    forms = {"cbor": cbor_error, "json": json_rpc_error, "query": query_error, "s3": s3_error, "rest": rest_error}
    return forms[protocol_of(request, service)](code, message, status)


def unknown_operation() -> Response:
    """Return what a service says of a method that it does not have at an address."""
    return rest_error("UnknownOperationException", "There is no such operation.", HTTPStatus.NOT_FOUND)


def rest_error(code: str, message: str | None, status: int, **members: Any) -> Response:
    """Return an error of a REST-JSON service (Lambda, API Gateway, SageMaker Runtime)."""
    return json_response(status, {"message": message, "Message": message, **members}, {"x-amzn-ErrorType": code})
