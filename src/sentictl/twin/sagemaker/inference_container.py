"""The inference container's stand-in: `python inference_container.py MODEL_DIR READY_FD TWIN_PID`.

Serves `GET /ping` and `POST /invocations` over the model's `inference.py`, by the contract of AWS's
sagemaker-pytorch-inference: JSON and CSV bodies reach `input_fn` as str, all others as bytes; `output_fn` may answer
`(body, content_type)`; an exception is a 500 with its message. A function that the script leaves out is an error here:
the defaults of AWS's container are for TorchScript models only. Only the twin is answered. Writes one
JSON line to READY_FD: the port, or why there is none.
"""

import importlib.util
import json
import os
import sys
import traceback
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import psutil

from sentictl.twin.core.private_server import PrivateServer

TEXT_TYPES = ("application/json", "text/csv")
HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn")


def main() -> None:
    """Load the model, tell that it is ready, serve until killed."""
    model_dir, ready, twin = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    try:
        answer = _load(model_dir)
        server = PrivateServer(("127.0.0.1", 0), _handler(answer))
        server.caller = psutil.Process(twin)
    except Exception as error:
        traceback.print_exc()
        os.write(ready, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        raise SystemExit(1) from error
    server.daemon_threads = True
    os.write(ready, json.dumps({"port": server.server_port}).encode())
    os.close(ready)
    server.serve_forever()


def _load(model_dir: Path) -> Callable[[bytes, str, str], tuple[bytes, str]]:
    code = model_dir / "code"
    sys.path.insert(0, str(code))
    program = code / os.environ.get("SAGEMAKER_PROGRAM", "inference.py")
    spec = importlib.util.spec_from_file_location(program.stem, program)
    if spec is None or spec.loader is None:
        raise ImportError(f"{program.name} is not a Python script")
    script = importlib.util.module_from_spec(spec)
    sys.modules[program.stem] = script
    spec.loader.exec_module(script)
    missing = [name for name in HANDLERS if not hasattr(script, name)]
    if missing:
        raise ImportError(f"{program.name} has no {', '.join(missing)}")
    model = script.model_fn(str(model_dir))

    def answer(body: bytes, content_type: str, accept: str) -> tuple[bytes, str]:
        media_type = content_type.partition(";")[0].strip().lower()
        data = script.input_fn(body.decode() if media_type in TEXT_TYPES else body, content_type)
        output = script.output_fn(script.predict_fn(data, model), accept)
        content, answered_type = output if isinstance(output, tuple) else (output, accept)
        return content if isinstance(content, bytes) else str(content).encode(), answered_type

    return answer


def _handler(answer: Callable[[bytes, str, str], tuple[bytes, str]]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # headers and body leave in one packet

        def do_GET(self) -> None:
            self._reply(200 if self.path == "/ping" else 404, b"", "text/plain")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            content_type = self.headers.get("Content-Type", "application/octet-stream")
            try:
                content, answered_type = answer(body, content_type, self.headers.get("Accept", "*/*"))
            except Exception as error:  # noqa: BLE001  whatever the model's code raises is a 500
                traceback.print_exc()
                self._reply(500, str(error).encode(), "text/plain")
            else:
                self._reply(200, content, answered_type)

        def _reply(self, status: int, body: bytes, content_type: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class's name
            """Write one line a request, as AWS's server does, and none for a ping."""
            if self.command == "POST":
                sys.stdout.write(f"ACCESS_LOG - {format % args}\n")
                sys.stdout.flush()

    return Handler


if __name__ == "__main__":
    main()
