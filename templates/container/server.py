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

import inference  # noqa: E402  (it is in the artifact)
from inference import JSON, input_fn, output_fn  # noqa: E402
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
    content, content_type = output_fn(_predict(asked, environ), environ.get("HTTP_ACCEPT", JSON))
    return content_type, content.encode()


def _predict(asked: Any, environ: dict[str, Any]) -> Any:
    """Answer a request, in whose line in the log is what its caller put in InvokeEndpoint's CustomAttributes."""
    if not hasattr(inference, "answer"):  # an artifact of before leaves no such line
        return inference.predict_fn(asked, predictor)
    return inference.answer(asked, predictor, environ.get("HTTP_X_AMZN_SAGEMAKER_CUSTOM_ATTRIBUTES", ""))
