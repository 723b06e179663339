"""The endpoint's server in a container of one's own, as a WSGI application: SageMaker's `/ping` and `/invocations`.

The artifact's own `code/` says what is answered, as it does in AWS's images; ONNX Runtime runs the network. An artifact
that cannot be used ends the server, and so the container, with the reason in its log.
"""

import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

MODEL = Path(os.environ.get("SAGEMAKER_BASE_DIR", "/opt/ml")) / "model"
sys.path.insert(0, str(MODEL / "code"))

from inference import JSON, input_fn, output_fn, predict_fn  # noqa: E402  (they are in the artifact)
from sentimodel.predictor import Predictor  # noqa: E402

predictor = Predictor.load(MODEL, threads=1)  # reviews come one by one, and there is a process for each core


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Answer one request (PEP 3333)."""
    match environ["REQUEST_METHOD"], environ["PATH_INFO"]:
        case "GET", "/ping":
            status, content_type, content = "200 OK", "text/plain", b""
        case "POST", "/invocations":
            status, content_type, content = "200 OK", *_answer(environ)
        case _:
            status, content_type, content = "404 Not Found", "text/plain", b"Ask GET /ping or POST /invocations.\n"
    start_response(status, [("Content-Type", content_type), ("Content-Length", str(len(content)))])
    return [content]


def _answer(environ: dict[str, Any]) -> tuple[str, bytes]:
    body = environ["wsgi.input"].read()
    asked = input_fn(body, environ.get("CONTENT_TYPE"))
    content, content_type = output_fn(predict_fn(asked, predictor), environ.get("HTTP_ACCEPT", JSON))
    return content_type, content.encode()
