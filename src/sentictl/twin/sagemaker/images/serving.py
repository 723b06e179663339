"""The common part of the stand-ins: a program that loads a model, and then answers over the twin's connections.

Each is started as `python PROGRAM MODEL_DIR CONTROL_FD`. CONTROL_FD is a socket: over it go one line of JSON, which is
empty or has the `error` for which there is no model, and then the connections (see `model_connections`). Each has a
thread of its own.
"""

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

# Of a body, its content type, what is accepted and custom attributes: a status, the answer's content type, the answer.
Answer = Callable[[bytes, str, str, str], tuple[int, str, bytes]]
CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"  # the header in which SageMaker hands them on


def run(load: Callable[[Path], Answer]) -> None:
    """Load the model, tell that it is ready, answer until the twin ends.

    Args:
        load: makes of an unpacked artifact what answers; what it raises is the reason why there is no model.
    """
    model_dir, control = Path(sys.argv[1]), socket.socket(fileno=int(sys.argv[2]))
    try:
        answer = load(model_dir)
    except Exception as error:
        traceback.print_exc()
        control.sendall(json.dumps({"error": f"{type(error).__name__}: {error}"}).encode() + b"\n")
        raise SystemExit(1) from error
    control.sendall(b"{}\n")
    workers = threading.BoundedSemaphore(os.cpu_count() or 1)  # more at once would only be in each other's way
    while connection := accept_connection(control):
        threading.Thread(target=_serve, args=(connection, answer, workers), daemon=True).start()


def _serve(connection: Connection, answer: Answer, workers: threading.BoundedSemaphore) -> None:
    """Answer what comes over a connection, until the twin closes it."""
    with connection, suppress(EOFError, OSError):
        while True:
            (content_type, accept, attributes), body = receive(connection)
            with workers:
                status, answered_type, content = _invoke(answer, body, content_type, accept, attributes)
            sys.stdout.write(f'ACCESS_LOG - "POST /invocations HTTP/1.1" {status} -\n')  # as AWS's server does
            sys.stdout.flush()
            send(connection, [status, answered_type], content)


def _invoke(answer: Answer, body: bytes, content_type: str, accept: str, attributes: str) -> tuple[int, str, bytes]:
    try:
        return answer(body, content_type, accept, attributes)
    except Exception as error:  # noqa: BLE001  whatever the model's code raises is a 500
        traceback.print_exc()
        return 500, "text/plain", str(error).encode()
