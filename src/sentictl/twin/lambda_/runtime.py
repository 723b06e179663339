"""One Lambda execution environment: a runtime client in a child process, and its Runtime API."""

import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from queue import Empty, Queue
from socketserver import StreamRequestHandler
from typing import NamedTuple

import psutil

from sentictl.twin.core import processes
from sentictl.twin.core.environment import Access
from sentictl.twin.core.private_server import PrivateServer
from sentictl.twin.lambda_ import runtime_interface_client

INIT_SECONDS = 10.0  # Lambda's limit for the init phase
DRAIN_SECONDS = 0.05
MAX_LINE = 2 << 20  # bytes; the runtime client describes a fault in a header of up to 1 MiB
UNHANDLED = "Unhandled"


@dataclass(frozen=True)
class Outcome:
    """The result of an invocation.

    Args:
        payload: the function's answer, or the error document.
        error: the value of the `X-Amz-Function-Error` header, if it failed.
        log: the invocation's log lines.
        request_id: that they name the invocation by.
    """

    payload: bytes
    error: str | None = None
    log: list[str] = field(default_factory=list)
    request_id: str = ""


@dataclass(frozen=True)
class FunctionSpec:
    """A version of a function's code and configuration; two that are equal share execution environments."""

    name: str
    region: str
    arn: str
    code_sha256: str
    handler: str
    runtime: str
    role: str
    timeout: float
    memory_mb: int
    variables: tuple[tuple[str, str], ...]


class RuntimeClient(NamedTuple):
    """A program that runs functions: what it is called, and how it is started."""

    name: str
    program: tuple[str, ...]


@cache
def client() -> RuntimeClient:
    """Return AWS's runtime client, or the twin's own where the native part of AWS's is not to be had."""
    try:
        import awslambdaric
        import runtime_client  # noqa: F401  the native part
    except ImportError:
        return RuntimeClient("sentictl's own runtime client", (runtime_interface_client.__file__,))
    return RuntimeClient(f"AWS's runtime client, awslambdaric {awslambdaric.__version__}", ("-m", "awslambdaric"))


class ExecutionEnvironment:
    """A process that runs one invocation after the other. It is used by one caller at a time."""

    def __init__(
        self, spec: FunctionSpec, code: Path, access: Access, stream: str, on_line: Callable[[str], None]
    ) -> None:
        self.spec = spec
        self._on_line = on_line
        self._invocations: Queue[tuple[str, bytes] | None] = Queue()  # None: there will be no more
        self._answers: Queue[tuple[bytes, str | None] | None] = Queue()  # None: the process has ended
        self._asked = threading.Event()  # the runtime has asked for its first invocation
        self._lines: list[str] = []
        self._broken = False
        self._api = PrivateServer(("127.0.0.1", 0), type("RuntimeApi", (_RuntimeApi,), {"environment": self}))
        self._api.daemon_threads = True
        self._init_ms = 0.0
        self._peak_memory = 0
        self._started = time.monotonic()
        address = f"127.0.0.1:{self._api.server_port}"
        environment = _environment(spec, code, access, stream, address)
        self._process = processes.start_child([*client().program, spec.handler], code, environment)
        self._api.caller = psutil.Process(self._process.pid)
        threading.Thread(target=self._api.serve_forever, args=(0.05,), daemon=True).start()
        self._outputs = [processes.OutputReader(pipe, self._log) for pipe in processes.pipes(self._process)]
        threading.Thread(target=self._watch, daemon=True).start()

    @property
    def usable(self) -> bool:
        """Whether it can run another invocation."""
        return not self._broken and self._process.poll() is None

    def invoke(self, payload: bytes) -> Outcome:
        """Run the function once: log START, END and REPORT as Lambda does."""
        request_id = str(uuid.uuid4())
        self._lines = []
        cold = not self._asked.is_set()
        answer = self._await_init(request_id)
        begun = time.monotonic()
        self._log(f"START RequestId: {request_id} Version: $LATEST")
        if answer is None:
            self._invocations.put((request_id, payload))
            answer = self._await_answer(request_id)
        self._drain()
        self._log(f"END RequestId: {request_id}")
        self._log(self._report(request_id, time.monotonic() - begun, cold=cold))
        return Outcome(answer[0], answer[1], self._lines, request_id)

    def take_answer(self, payload: bytes, error: str | None) -> None:
        """Take what the runtime has sent: the function's answer, or its error document."""
        self._answers.put((payload, error))

    def next_invocation(self) -> tuple[str, bytes] | None:
        """Wait for the runtime's next invocation, and return its id and payload; None if there will be no more."""
        if not self._asked.is_set():
            self._init_ms = (time.monotonic() - self._started) * 1000
            self._asked.set()
        return self._invocations.get()

    def close(self) -> None:
        """End the process and its Runtime API."""
        self._invocations.put(None)
        processes.terminate(self._process, grace=0)
        self._api.shutdown()
        self._api.server_close()

    def _await_init(self, request_id: str) -> tuple[bytes, str | None] | None:
        """Wait until the handler's module is loaded, and return the error if it cannot be."""
        limit = self._started + INIT_SECONDS
        while not self._asked.wait(0.002):
            if time.monotonic() > limit:
                return self._time_out(request_id, INIT_SECONDS)
            with suppress(Empty):
                answer = self._answers.get_nowait() or self._exit_error(request_id)
                self._broken = True
                return answer
        return None

    def _await_answer(self, request_id: str) -> tuple[bytes, str | None]:
        try:
            return self._answers.get(timeout=self.spec.timeout) or self._exit_error(request_id)
        except Empty:
            return self._time_out(request_id, self.spec.timeout)

    def _exit_error(self, request_id: str) -> tuple[bytes, str]:
        code = self._process.wait()
        how = f"signal {-code}" if code < 0 else f"exit status {code}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {how}"
        self._log(message)
        return json.dumps({"errorType": "Runtime.ExitError", "errorMessage": message}).encode(), UNHANDLED

    def _time_out(self, request_id: str, seconds: float) -> tuple[bytes, str]:
        self._broken = True
        processes.terminate(self._process, grace=0)
        text = f"RequestId: {request_id} Error: Task timed out after {seconds:.2f} seconds"
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self._log(f"{now} {request_id} Task timed out after {seconds:.2f} seconds")
        return json.dumps({"errorType": "Sandbox.Timedout", "errorMessage": text}).encode(), UNHANDLED

    def _report(self, request_id: str, seconds: float, *, cold: bool) -> str:
        spent = seconds * 1000
        init = f"\tInit Duration: {self._init_ms:.2f} ms" if cold else ""
        return (
            f"REPORT RequestId: {request_id}\tDuration: {spent:.2f} ms\tBilled Duration: {int(spent) + 1} ms\t"
            f"Memory Size: {self.spec.memory_mb} MB\tMax Memory Used: {self._memory_mb()} MB{init}"
        )

    def _memory_mb(self) -> int:
        """Return the most that the process has held after any of its invocations."""
        with suppress(psutil.NoSuchProcess):
            self._peak_memory = max(self._peak_memory, self._api.caller.memory_info().rss)
        return self._peak_memory >> 20

    def _log(self, line: str) -> None:
        self._lines.append(line)
        self._on_line(line)

    def _drain(self) -> None:
        """Let what the function has printed reach the log before the END line."""
        limit = time.monotonic() + DRAIN_SECONDS
        while self.usable and any(output.holds_more() for output in self._outputs) and time.monotonic() < limit:
            time.sleep(0.0005)

    def _watch(self) -> None:
        self._process.wait()
        for output in self._outputs:
            output.join(DRAIN_SECONDS)
        self._answers.put(None)


class _RuntimeApi(StreamRequestHandler):
    """Lambda's Runtime API: next, response, error, init error. Subclassed for each environment.

    Python's own HTTP handler would take the headers for those of a mail, which is most of what a call costs here.
    """

    environment: "ExecutionEnvironment"
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer one request after the other, until the runtime or the environment ends."""
        while request := self.rfile.readline(MAX_LINE):
            method, path, _ = request.split()
            headers = dict(self._headers())
            if not (self._next() if method == b"GET" else self._take(path, headers)):
                return

    def _headers(self) -> Iterator[tuple[bytes, bytes]]:
        while line := self.rfile.readline(MAX_LINE).strip():
            name, _, value = line.partition(b":")
            yield name.strip().lower(), value.strip().lower()

    def _next(self) -> bool:
        invocation = self.environment.next_invocation()
        if invocation is None:
            return False
        request_id, payload = invocation
        spec = self.environment.spec
        headers = {
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + spec.timeout) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": spec.arn,
            "Lambda-Runtime-Trace-Id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
        }
        self._reply("200 OK", payload, headers)
        return True

    def _take(self, path: bytes, headers: Mapping[bytes, bytes]) -> bool:
        body = self._body(headers)
        self.environment.take_answer(body, UNHANDLED if path.endswith(b"/error") else None)
        self._reply("202 Accepted", b"{}", {})
        return True

    def _body(self, headers: Mapping[bytes, bytes]) -> bytes:
        if b"chunked" not in headers.get(b"transfer-encoding", b""):
            return self.rfile.read(int(headers.get(b"content-length", 0)))
        body = b""
        while size := int(self.rfile.readline(MAX_LINE), 16):
            body += self.rfile.read(size)
            self.rfile.readline(MAX_LINE)
        self.rfile.readline(MAX_LINE)
        return body

    def _reply(self, status: str, body: bytes, headers: Mapping[str, str]) -> None:
        fields = {**headers, "Content-Type": "application/json", "Content-Length": len(body)}
        lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in fields.items())]
        self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)


def _environment(spec: FunctionSpec, code: Path, access: Access, stream: str, address: str) -> dict[str, str]:
    """Return the variables that Lambda sets, its reserved ones last so that no configuration overrides them."""
    plain = {name: os.environ[name] for name in ("PATH", "PYTHONPATH", "VIRTUAL_ENV") if name in os.environ}
    reserved = {
        "_HANDLER": spec.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{spec.name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_SESSION_TOKEN": "local",
        "LAMBDA_TASK_ROOT": str(code),
        "LAMBDA_RUNTIME_DIR": str(code),
    }
    defaults = {"LANG": "en_US.UTF-8", "TZ": ":UTC", "PYTHONUNBUFFERED": "1"}
    return plain | defaults | dict(spec.variables) | access.variables(spec.region, spec.role) | reserved
