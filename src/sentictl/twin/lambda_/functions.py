"""Lambda functions that really run: Invoke, with execution environments that are made, reused and replaced."""

import base64
import json
import re
import secrets
import shutil
import tempfile
import threading
import time
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sentictl.assets.archives import ArchiveError, Limits, unpack_zip
from sentictl.twin.cloudwatch.logs import LogStream, LogStreams
from sentictl.twin.cloudwatch.metrics import LAMBDA, Metrics
from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane, name_call
from sentictl.twin.core.environment import Access
from sentictl.twin.core.messages import Request, Response, rest_error, unknown_operation
from sentictl.twin.iam.roles import AssumedRole
from sentictl.twin.lambda_.line import Abandoned, Line, TooManyCallersError, never
from sentictl.twin.lambda_.native import leave_out_foreign
from sentictl.twin.lambda_.runtime import ExecutionEnvironment, FunctionSpec, Outcome
from sentictl.twin.s3.objects import ObjectMissingError, Objects

INVOCATION = re.compile(r"/2015-03-31/functions/(?P<function>.+)/invocations")
ARN = re.compile(r"(?:arn:aws:lambda:(?P<region>[^:]+):\d+:)?(?:function:)?(?P<name>[^:/]+)(?::[^:]+)?")
MAX_PAYLOAD = 6 * 1024 * 1024  # Lambda's limit for synchronous calls
MAX_ENVIRONMENTS = 4
# Callers beyond this many are refused, as Lambda's quota of concurrent executions has it.
MAX_CALLERS = 64
PATIENCE = 10.0  # seconds that a caller waits in line. AWS makes more environments instead, and then refuses at once
RETRY_AFTER = 1  # seconds, as Lambda says
TAIL_BYTES = 4096
LEFT_OUT = "The local twin takes what this machine has installed in place of packages that are not built for it"
CODE = Limits(262_144_000, 100_000)  # unzipped: Lambda's quota of 250 MB for function and layers


class UnknownFunctionError(Exception):
    """There is no such function."""


class Functions:
    """The data plane of Lambda."""

    def __init__(self, control: ControlPlane, logs: LogStreams, metrics: Metrics, folder: Path, access: Access) -> None:
        self._control = control
        self._logs = logs
        self._metrics = metrics
        self._folder = folder
        self._access = access
        self._lock = threading.Lock()
        self._pools: dict[tuple[str, str], Pool] = {}
        self._callers = threading.BoundedSemaphore(MAX_CALLERS)
        control.before["lambda", "CreateFunction"] = self._refuse
        control.before["lambda", "UpdateFunctionCode"] = lambda call: self._refuse_code(call, call.payload)
        control.after["lambda", "DeleteFunction"] = self._deleted

    def answer(self, request: Request) -> Response:
        """Answer Invoke of the Lambda API."""
        if request.method != "POST":
            return unknown_operation()
        call = name_call(request, time.time())
        found = INVOCATION.fullmatch(request.path)
        arn = found["function"] if found else ""
        payload = request.get_data()
        if len(payload) > MAX_PAYLOAD:
            message = f"Request must be smaller than {MAX_PAYLOAD} bytes for the InvokeFunction operation"
            return rest_error("RequestTooLargeException", message, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, Type="User")
        if payload and not _is_json(payload):
            message = "Could not parse request body into json: the payload is not JSON"
            return rest_error("InvalidRequestContentException", message, HTTPStatus.BAD_REQUEST, Type="User")
        kind = request.headers.get("x-amz-invocation-type", "RequestResponse")
        try:
            pool = self._pool(arn, call.region)
            if kind == "DryRun":
                return Response(status=HTTPStatus.NO_CONTENT)
            if kind == "Event":
                threading.Thread(target=self.invoke, args=(arn, payload), daemon=True).start()
                return Response(status=HTTPStatus.ACCEPTED)
            outcome = self._run(pool, payload, request.abandoned)
        except UnknownFunctionError as error:
            return rest_error(
                "ResourceNotFoundException", f"Function not found: {error}", HTTPStatus.NOT_FOUND, Type="User"
            )
        except TooManyCallersError:
            return _too_many_requests()
        return _answer(outcome, tail=request.headers.get("x-amz-log-type") == "Tail")

    def invoke(self, arn: str, payload: bytes, region: str = "us-east-1", abandoned: Abandoned = never) -> Outcome:
        """Run a function and wait for it.

        Args:
            arn: its ARN or its name (looked up in `region`).
            abandoned: tells whether nobody waits for the answer any more.

        Raises:
            UnknownFunctionError: with the ARN.
            TooManyCallersError: Lambda's TooManyRequestsException.
        """
        return self._run(self._pool(arn, region), payload, abandoned)

    def function(self, arn: str, region: str = "us-east-1") -> Any:
        """Return moto's function object.

        Raises:
            UnknownFunctionError: with the ARN.
        """
        parts = ARN.fullmatch(arn)
        name, where = (parts["name"], parts["region"] or region) if parts else (arn, region)
        with self._control.lock:
            known = {
                function.function_name: function for function in self._control.backend("lambda", where).list_functions()
            }
        if name not in known:
            raise UnknownFunctionError(f"arn:aws:lambda:{where}:{ACCOUNT}:function:{name}")
        return known[name]

    def running(self) -> int:
        """Return how many execution environments there are."""
        return sum(pool.size for pool in self._pools.values())

    def close(self) -> None:
        """End all execution environments."""
        for pool in list(self._pools.values()):
            pool.close()

    def _run(self, pool: "Pool", payload: bytes, abandoned: Abandoned) -> Outcome:
        begun = time.perf_counter()
        try:
            outcome = self._invoke(pool, payload, abandoned)
        except TooManyCallersError:
            self._tell(pool.spec, {"Throttles": 1.0})
            raise
        milliseconds = 1000 * (time.perf_counter() - begun)
        failed = float(bool(outcome.error))
        self._tell(pool.spec, {"Invocations": 1.0, "Errors": failed, "Throttles": 0.0, "Duration": milliseconds})
        return outcome

    def _invoke(self, pool: "Pool", payload: bytes, abandoned: Abandoned) -> Outcome:
        if not self._callers.acquire(blocking=False):
            raise TooManyCallersError
        try:
            return pool.invoke(payload or b"{}", abandoned)
        finally:
            self._callers.release()

    def _tell(self, spec: FunctionSpec, values: dict[str, float]) -> None:
        """Tell CloudWatch of an invocation, as Lambda does."""
        whole = {"FunctionName": spec.name}
        self._metrics.put(spec.region, LAMBDA, (whole, {**whole, "Resource": spec.name}), values)

    def _pool(self, arn: str, region: str) -> "Pool":
        """The execution environments of a function as it is now: an update of code or configuration makes new ones."""
        function = self.function(arn, region)
        spec = _spec(function)
        with self._lock:
            pool = self._pools.get((spec.region, spec.name))
            if pool is None or pool.spec != spec:
                if pool:
                    threading.Thread(target=pool.close, daemon=True).start()
                folder = self._folder / secrets.token_hex(8)
                role = AssumedRole(self._control, function.role, spec.name)
                pool = Pool(spec, function.code_bytes, folder, self._access, self._logs, role)
                self._pools[spec.region, spec.name] = pool
            return pool

    def _refuse(self, call: Call) -> Response | None:
        """moto asks only whether there is such a role."""
        if not AssumedRole(self._control, call.payload["Role"]).trusts("lambda.amazonaws.com"):
            return _invalid("The role defined for the function cannot be assumed by Lambda.")
        return self._refuse_code(call, call.payload["Code"])

    def _refuse_code(self, call: Call, code: dict[str, Any]) -> Response | None:
        """Refuse what is no ZIP archive or too large, wherever it is; moto takes anything."""
        if call.replaying:  # it was looked at then
            return None
        try:
            if "ZipFile" in code:
                content = base64.b64decode(code["ZipFile"])
            elif "S3Bucket" in code:
                content = Objects(self._control).read(f"s3://{code['S3Bucket']}/{code['S3Key']}")
            else:
                return None
            with tempfile.TemporaryDirectory(prefix="sentictl-") as scratch:
                unpack_zip(content, Path(scratch), CODE)
        except ObjectMissingError:
            return None  # moto refuses it
        except (ArchiveError, ValueError) as problem:
            return _invalid(f"Could not unzip uploaded file: {problem}. Please check your file, then try again.")
        return None

    def _deleted(self, call: Call) -> None:
        name = ARN.fullmatch(call.request.path.rpartition("/")[2])
        with self._lock:
            pool = self._pools.pop((call.region, name["name"] if name else ""), None)
        if pool:
            threading.Thread(target=pool.close, daemon=True).start()


class Pool:
    """One version of a function: at most `MAX_ENVIRONMENTS` execution environments, reused, the warmest first."""

    def __init__(
        self, spec: FunctionSpec, code: bytes, folder: Path, access: Access, logs: LogStreams, role: AssumedRole
    ) -> None:
        self.spec = spec
        self.size = 0
        self._folder = folder
        self._access = access
        self._logs = logs
        self._role = role
        self._idle: list[ExecutionEnvironment] = []
        self._line = Line(MAX_ENVIRONMENTS)
        self._lock = threading.Lock()
        self._closed = False
        unpack_zip(code, folder, CODE)
        self._left_out = leave_out_foreign(folder, spec.runtime)

    def invoke(self, payload: bytes, abandoned: Abandoned) -> Outcome:
        """Run an invocation in a free environment; waits in line for one if all are busy.

        Raises:
            TooManyCallersError: none came free in time, or the caller has gone before one did.
        """
        with self._line.turn(PATIENCE, abandoned):
            environment = self._take()
            try:
                return environment.invoke(payload)
            finally:
                self._give_back(environment)

    def close(self) -> None:
        """End the idle environments now and the busy ones after their invocation."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            self.size -= len(idle)
        for environment in idle:
            environment.close()
        if self.size == 0:
            shutil.rmtree(self._folder, ignore_errors=True)

    def _take(self) -> ExecutionEnvironment:
        with self._lock:
            while self._idle:
                environment = self._idle.pop()
                if environment.usable:
                    return environment
                self.size -= 1  # its process ended between two invocations
                environment.close()
            self.size += 1
            left_out, self._left_out = self._left_out, []
        now = time.gmtime()
        name = f"{time.strftime('%Y/%m/%d', now)}/[$LATEST]{secrets.token_hex(16)}"
        stream = LogStream(self.spec.region, f"/aws/lambda/{self.spec.name}", name, self._role, looking=False)
        if left_out:
            self._logs.write(stream, f"{LEFT_OUT}: {', '.join(left_out)}")
        return ExecutionEnvironment(self.spec, self._folder, self._access, name, partial(self._logs.write, stream))

    def _give_back(self, environment: ExecutionEnvironment) -> None:
        with self._lock:
            keep = environment.usable and not self._closed
            if keep:
                self._idle.append(environment)
            else:
                self.size -= 1
            last = self._closed and self.size == 0
        if not keep:
            environment.close()
        if last:
            shutil.rmtree(self._folder, ignore_errors=True)


def _invalid(message: str) -> Response:
    return rest_error("InvalidParameterValueException", message, HTTPStatus.BAD_REQUEST, Type="User")


def _too_many_requests() -> Response:
    message, reason = "Rate Exceeded.", "ConcurrentInvocationLimitExceeded"
    refusal = rest_error("TooManyRequestsException", message, HTTPStatus.TOO_MANY_REQUESTS, Type="User", Reason=reason)
    refusal.headers["Retry-After"] = str(RETRY_AFTER)
    return refusal


def _spec(function: Any) -> FunctionSpec:
    return FunctionSpec(
        name=function.function_name,
        region=function.region,
        arn=function.function_arn,
        code_sha256=function.code_sha_256,
        handler=function.handler or "",
        runtime=function.run_time or "",
        role=function.role.rpartition("/")[2],
        timeout=float(function.timeout),
        memory_mb=int(function.memory_size),
        variables=tuple(sorted((function.environment_vars or {}).items())),
    )


def _is_json(payload: bytes) -> bool:
    try:
        json.loads(payload)
    except (ValueError, RecursionError):
        return False
    return True


def _answer(outcome: Outcome, *, tail: bool) -> Response:
    headers = {"Content-Type": "application/json", "X-Amz-Executed-Version": "$LATEST"}
    if outcome.error:
        headers["X-Amz-Function-Error"] = outcome.error
    if tail:
        log = "\n".join([*outcome.log, ""]).encode()[-TAIL_BYTES:]
        headers["X-Amz-Log-Result"] = base64.b64encode(log).decode()
    return Response(outcome.payload, headers=headers)
