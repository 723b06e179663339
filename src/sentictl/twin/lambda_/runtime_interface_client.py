"""A runtime client of Lambda: `python runtime_interface_client.py HANDLER`, in the folder of the function's code.

It does what AWS's `awslambdaric` does, where that one's native part is not to be had: it asks Lambda's Runtime API for
one invocation after the other, calls the function, and sends its answer or an error document. The paths, headers and
names of errors are those of the Runtime API
(https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) and of AWS's managed Python runtimes. AWS's log format
`JSON`, SnapStart and X-Ray's documents are left out. Imports the standard library alone: a function's code may be in
any of the versions that it has.
"""

import json
import logging
import os
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from http.client import HTTPConnection, HTTPException, HTTPMessage
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

API = "/2018-06-01/runtime"
JSON = "application/json"
LOG_FORMAT = "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s"  # of Lambda's Python runtimes
LINE_BREAK = "\r"  # inside of an event of the log
Function = Callable[[Any, "LambdaContext"], Any]


class NamedError(Exception):
    """A mistake that is told by a name of AWS's, such as `Runtime.HandlerNotFound`, and without a stack trace."""

    def __init__(self, kind: str, message: str, trace: list[str] | None = None) -> None:
        super().__init__(message)
        self.kind = f"Runtime.{kind}"
        self.trace = trace or []


class LambdaContext:
    """What a function is told of its invocation, in the attributes that AWS's context object has.

    Args:
        headers: those that the invocation came with.
    """

    def __init__(self, headers: HTTPMessage) -> None:
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers.get("Lambda-Runtime-Invoked-Function-Arn")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.client_context = None  # of Amazon Cognito's mobile clients, as is the identity
        self.identity = SimpleNamespace(cognito_identity_id=None, cognito_identity_pool_id=None)
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds are left until Lambda ends the invocation."""
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message: object) -> None:
        """Write to the function's log, as it stands."""
        sys.stdout.write(str(message))


class RuntimeApi:
    """Lambda's Runtime API, over one connection.

    Args:
        address: its host and port.
    """

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(address)

    def next(self) -> tuple[bytes, HTTPMessage]:
        """Wait for the next invocation, and return its event and headers."""
        return self._call("GET", "/invocation/next")

    def answer(self, request_id: str, payload: bytes, content_type: str) -> None:
        """Send the answer to an invocation."""
        self._call("POST", f"/invocation/{request_id}/response", payload, content_type)

    def fail(self, request_id: str, document: dict[str, Any]) -> None:
        """Send the error document of an invocation; without a request id, of the function's start."""
        path = f"/invocation/{request_id}/error" if request_id else "/init/error"
        self._call("POST", path, json.dumps(document).encode(), JSON)

    def _call(
        self, method: str, path: str, body: bytes | None = None, content_type: str = ""
    ) -> tuple[bytes, HTTPMessage]:
        headers = {"Content-Type": content_type} if content_type else {}
        self._connection.request(method, API + path, body, headers)
        answer = self._connection.getresponse()
        payload = answer.read()
        if answer.status >= 300:
            raise HTTPException(f"the Runtime API answers {method} {path} with {answer.status}")
        return payload, answer.headers


def main() -> None:
    """Load the function, then run its invocations until the process is ended."""
    sys.path[0] = str(Path.cwd())  # of this script's folder a function sees nothing
    sys.stdout.reconfigure(write_through=True)  # type: ignore[union-attr]
    log = _Log()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    try:
        function = load(sys.argv[1])
    except Exception as problem:  # noqa: BLE001  whatever the function's module raises
        api.fail("", _told(problem))
        sys.exit(1)
    with suppress(ConnectionError):  # whoever ends this process closes the Runtime API first
        _serve(api, function, log)


def load(handler: str) -> Function:
    """Return the function that a handler names.

    Args:
        handler: such as `folder/module.function`.

    Raises:
        NamedError: there is none.
    """
    module, _, name = handler.rpartition(".")
    if not module:
        raise NamedError("MalformedHandlerName", f"Bad handler '{handler}': it names no module and function")
    if module.partition(".")[0] in sys.builtin_module_names:
        raise NamedError("BuiltInModuleConflict", f"Cannot use built-in module {module} as a handler module")
    try:
        loaded = import_module(module.replace("/", "."))
    except ImportError as problem:
        raise NamedError("ImportModuleError", f"Unable to import module '{module}': {problem}") from problem
    except SyntaxError as problem:
        place = f'  File "{problem.filename}" Line {problem.lineno}\n    {problem.text}'
        raise NamedError("UserCodeSyntaxError", f"Syntax error in module '{module}': {problem}", [place]) from problem
    if not hasattr(loaded, name):
        raise NamedError("HandlerNotFound", f"Handler '{name}' missing on module '{module}'")
    function: Function = getattr(loaded, name)
    return function


def _serve(api: RuntimeApi, function: Function, log: "_Log") -> NoReturn:
    """Run one invocation after the other."""
    while True:
        event, headers = api.next()
        log.request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        os.environ["_X_AMZN_TRACE_ID"] = headers.get("Lambda-Runtime-Trace-Id", "")
        try:
            answer = _run(function, event, LambdaContext(headers))
        except Exception as problem:  # noqa: BLE001  whatever the function raises
            api.fail(log.request_id, _told(problem, log.request_id))
        else:
            api.answer(log.request_id, *answer)


def _run(function: Function, event: bytes, context: LambdaContext) -> tuple[bytes, str]:
    """Return the function's answer, and the type of its content."""
    try:
        given = json.loads(event)
    except ValueError as problem:
        raise NamedError("UnmarshalError", f"Unable to unmarshal input: {problem}") from problem
    answer = function(given, context)
    if isinstance(answer, bytes):
        return answer, "application/unknown"
    try:
        return json.dumps(answer, ensure_ascii=False, default=_number).encode(), JSON
    except (TypeError, ValueError, RecursionError) as problem:
        raise NamedError("MarshalError", f"Unable to marshal response: {problem}") from problem


def _number(value: object) -> float | int:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")


def _told(problem: Exception, request_id: str = "") -> dict[str, Any]:
    """Log an error as Lambda does, and return its document."""
    if isinstance(problem, NamedError):
        kind, trace = problem.kind, problem.trace
    else:
        frames = [frame for frame in traceback.extract_tb(problem.__traceback__) if frame.filename != __file__]
        kind, trace = type(problem).__name__, traceback.format_list(frames)
    lines = [f"[ERROR] {kind}: {problem}", "Traceback (most recent call last):", *"".join(trace).splitlines()]
    sys.stdout.write(LINE_BREAK.join(lines) + "\n")
    return {"errorMessage": str(problem), "errorType": kind, "requestId": request_id, "stackTrace": trace}


class _Log(logging.StreamHandler[Any]):
    """What `logging` writes goes to the function's log, each line with the invocation that it belongs to."""

    def __init__(self) -> None:
        super().__init__(sys.stdout)
        formatter = logging.Formatter(LOG_FORMAT, "%Y-%m-%dT%H:%M:%S")
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self.request_id = ""
        logging.getLogger().addHandler(self)

    def format(self, record: logging.LogRecord) -> str:
        record.aws_request_id = self.request_id
        return super().format(record)


if __name__ == "__main__":
    main()
