"""The inference container's stand-in: `python inference_container.py MODEL_DIR CONTROL_FD`.

Answers invocations by the model's `inference.py`, by the contract of AWS's sagemaker-pytorch-inference: JSON and CSV
bodies reach `input_fn` as str, all others as bytes; `output_fn` may answer `(body, content_type)`; an exception is a
500 with its message. A function that the script leaves out is an error here: the defaults of AWS's container are for
TorchScript models only. CONTROL_FD is a socket: over it go one line of JSON, which is empty or has the `error` for
which there is no model, and then the connections (see `model_connections`). Each has a thread of its own.
"""

import importlib.util
import json
import os
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

from sentictl.twin.sagemaker.model_connections import accept_connection, receive, send

TEXT_TYPES = ("application/json", "text/csv")
HANDLERS = ("model_fn", "input_fn", "predict_fn", "output_fn")
Answer = Callable[[bytes, str, str], tuple[bytes, str]]


def main() -> None:
    """Load the model, tell that it is ready, answer until the twin ends."""
    model_dir, control = Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    try:
        answer = _load(model_dir)
    except Exception as error:
        traceback.print_exc()
        control.sendall(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        raise SystemExit(1) from error
    control.sendall(b"{}\n")
    workers = threading.BoundedSemaphore(os.cpu_count() or 1)  # more at once would only be in each other's way
    while connection := accept_connection(control):
        threading.Thread(target=_serve, args=(connection, answer, workers), daemon=True).start()


def _load(model_dir: Path) -> Answer:
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


def _serve(connection: Connection, answer: Answer, workers: threading.BoundedSemaphore) -> None:
    """Answer what comes over a connection, until the twin closes it."""
    with connection, suppress(EOFError, OSError):
        while True:
            content_type, accept, body = receive(connection)
            with workers:
                status, answered_type, content = _invoke(answer, body, content_type, accept)
            sys.stdout.write(f'ACCESS_LOG - "POST /invocations HTTP/1.1" {status} -\n')  # as AWS's server does
            sys.stdout.flush()
            send(connection, status, answered_type, content)


def _invoke(answer: Answer, body: bytes, content_type: str, accept: str) -> tuple[int, str, bytes]:
    try:
        content, answered_type = answer(body, content_type, accept)
    except Exception as error:  # noqa: BLE001  whatever the model's code raises is a 500
        traceback.print_exc()
        return 500, "text/plain", str(error).encode()
    return 200, answered_type, content


if __name__ == "__main__":
    main()
