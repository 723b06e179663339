"""State machines as moto keeps them, and their executions, which really run: each in a thread of its own."""

import json
import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from moto.moto_api._internal import mock_random

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, json_response, json_rpc_error
from sentictl.twin.iam.roles import AssumedRole
from sentictl.twin.stepfunctions import tasks
from sentictl.twin.stepfunctions.definitions import DefinitionError, parsed
from sentictl.twin.stepfunctions.interpreter import FailedError, Interpreter, StoppedError

logger = logging.getLogger("sentictl.twin")

STATES = "states.amazonaws.com"
# How an event of EventBridge's is told: region, source, detail-type, the ARN of what it is about, and its detail.
Tell = Callable[[str, str, str, str, Mapping[str, Any]], None]
RUNNING = "RUNNING"
PAGE = 100
JSON_RPC = {"Content-Type": "application/x-amz-json-1.0"}


@dataclass(frozen=True)
class Execution:
    """An execution, as DescribeExecution tells of it.

    Args:
        executionArn: its ARN.
        stateMachineArn: the machine's.
        name: its name.
        input: as JSON.
        startDate: in seconds since the epoch.
        status: AWS's word.
        stopDate: in seconds since the epoch; None while it runs.
        output: as JSON; None where it has none.
        error: the name of what it failed with.
        cause: why.
    """

    # The names are AWS's.
    executionArn: str  # noqa: N815
    stateMachineArn: str  # noqa: N815
    name: str
    input: str
    startDate: float  # noqa: N815
    status: str = RUNNING
    stopDate: float | None = None  # noqa: N815
    output: str | None = None
    error: str | None = None
    cause: str | None = None
    stop: threading.Event = field(default_factory=threading.Event, compare=False)

    def describe(self) -> dict[str, Any]:
        """Return what DescribeExecution answers."""
        members = ((name, getattr(self, name)) for name in self.__dataclass_fields__ if name != "stop")
        return {name: value for name, value in members if value is not None}

    def summary(self) -> dict[str, Any]:
        """Return the entry in the answer of ListExecutions."""
        listed = ("executionArn", "stateMachineArn", "name", "status", "startDate", "stopDate")
        return {name: value for name, value in self.describe().items() if name in listed}


class Executions:
    """Step Functions: refuses definitions that AWS would refuse, and carries executions out.

    Args:
        control: the twin's control plane.
        tell: tells EventBridge's rules of an execution that has ended.
    """

    def __init__(self, control: ControlPlane, tell: Tell) -> None:
        self._control = control
        self._tell = tell
        self._all: dict[str, Execution] = {}  # by ARN, in the order in which they began
        self._closing = False
        for operation in ("CreateStateMachine", "UpdateStateMachine"):
            control.before["states", operation] = self._refuse
        control.before["states", "DeleteStateMachine"] = self._end_all
        control.instead["states", "StartExecution"] = self._start
        control.instead["states", "StopExecution"] = self._stop
        control.instead["states", "DescribeExecution"] = self._describe
        control.instead["states", "ListExecutions"] = self._list
        control.facts["execution-ended"] = self._restore

    def fail_interrupted(self) -> None:
        """After a replay: end what was running when the twin ended."""
        for execution in [each for each in self._all.values() if each.status == RUNNING]:
            cause = "The local twin ended while the execution ran."
            self._end(execution, status="FAILED", error="States.Runtime", cause=cause)

    def close(self) -> None:
        """Let executions go no further, without a word: the twin is going down."""
        self._closing = True
        for execution in list(self._all.values()):
            execution.stop.set()

    def _refuse(self, call: Call) -> Response | None:
        """Refuse what AWS refuses: moto takes every definition and every role."""
        wanted = call.payload
        if "definition" in wanted:
            try:
                parsed(wanted["definition"])
            except DefinitionError as problem:
                return _error("InvalidDefinition", f"Invalid State Machine Definition: '{problem}'")
        if "roleArn" in wanted and not AssumedRole(self._control, wanted["roleArn"]).trusts(STATES):
            message = "Neither the global service principal states.amazonaws.com, nor the regional one is authorized "
            return _error("AccessDeniedException", f"{message}to assume the provided role.")
        return None

    def _start(self, call: Call) -> Response:
        arn, name = call.payload["stateMachineArn"], call.payload.get("name") or str(mock_random.uuid4())
        if self._machine(call.region, arn) is None:
            return _error("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        execution_arn = f"{arn.replace(':stateMachine:', ':execution:')}:{name}"
        given = call.payload.get("input", "{}")
        known = self._all.get(execution_arn)
        if known is not None and (known.status != RUNNING or known.input != given):
            return _error("ExecutionAlreadyExists", f"Execution Already Exists: '{execution_arn}'")
        if known is None:
            known = Execution(execution_arn, arn, name, given, call.when)
            self._all[execution_arn] = known
            if not call.replaying:
                threading.Thread(target=self._run, args=(call.region, known), daemon=True).start()
        return json_response(200, {"executionArn": execution_arn, "startDate": known.startDate}, JSON_RPC)

    def _run(self, region: str, execution: Execution) -> None:
        with self._control.lock:
            machine = self._machine(region, execution.stateMachineArn)
            definition, role = json.loads(machine.definition), machine.roleArn
        caller = tasks.TaskRole(self._control, region, AssumedRole(self._control, role, execution.name))
        about = {
            "Execution": {
                "Id": execution.executionArn,
                "Name": execution.name,
                "StartTime": f"{datetime.fromtimestamp(execution.startDate, UTC):%Y-%m-%dT%H:%M:%SZ}",
            }
        }
        interpreter = Interpreter(definition, about, partial(tasks.call, caller), execution.stop)
        try:
            output = json.dumps(interpreter.run(json.loads(execution.input)))
            self._end(execution, status="SUCCEEDED", output=output)
        except FailedError as failure:
            self._end(execution, status="FAILED", error=failure.error, cause=failure.cause)
        except StoppedError:
            self._end(execution, status="ABORTED")
        except Exception as problem:
            logger.exception("execution %s", execution.executionArn)
            self._end(execution, status="FAILED", error="States.Runtime", cause=f"{type(problem).__name__}: {problem}")

    def _end(self, execution: Execution, **changes: Any) -> None:
        with self._control.lock:
            if self._closing or self._all.get(execution.executionArn) is not execution:
                return
            ended = replace(execution, stopDate=time.time(), **changes)
            self._all[execution.executionArn] = ended
            self._control.record("execution-ended", arn=execution.executionArn, execution=ended.describe())
            told = {name: value for name, value in ended.describe().items() if name not in ("error", "cause")}
            region = execution.executionArn.split(":")[3]
            self._tell(region, "aws.states", "Step Functions Execution Status Change", execution.executionArn, told)

    def _restore(self, data: dict[str, Any], _body: bytes) -> None:
        if data["arn"] in self._all:
            self._all[data["arn"]] = Execution(**data["execution"])

    def _stop(self, call: Call) -> Response:
        arn = call.payload["executionArn"]
        execution = self._all.get(arn)
        if execution is None:
            return _missing(arn)
        if execution.status == RUNNING:
            told = {name: call.payload[name] for name in ("error", "cause") if name in call.payload}
            execution.stop.set()
            self._all[arn] = replace(execution, status="ABORTED", stopDate=call.when, **told)
        return json_response(200, {"stopDate": self._all[arn].stopDate}, JSON_RPC)

    def _describe(self, call: Call) -> Response:
        execution = self._all.get(call.payload["executionArn"])
        if execution is None:
            return _missing(call.payload["executionArn"])
        return json_response(200, execution.describe(), JSON_RPC)

    def _list(self, call: Call) -> Response:
        arn = call.payload["stateMachineArn"]
        if self._machine(call.region, arn) is None:
            return _error("StateMachineDoesNotExist", f"State Machine Does Not Exist: '{arn}'")
        wanted = call.payload.get("statusFilter")
        found = [
            each.summary()
            for each in reversed(self._all.values())
            if each.stateMachineArn == arn and wanted in (None, each.status)
        ]
        begin, page = int(call.payload.get("nextToken") or 0), int(call.payload.get("maxResults") or PAGE)
        more = {"nextToken": str(begin + page)} if begin + page < len(found) else {}
        return json_response(200, {"executions": found[begin : begin + page], **more}, JSON_RPC)

    def _end_all(self, call: Call) -> None:
        """End the executions of a machine that is deleted, and forget them."""
        for arn, execution in list(self._all.items()):
            if execution.stateMachineArn == call.payload["stateMachineArn"]:
                execution.stop.set()
                del self._all[arn]

    def _machine(self, region: str, arn: str) -> Any:
        machines = self._control.backend("states", region).state_machines
        return next((each for each in machines if each.arn == arn), None)


def _error(code: str, message: str) -> Response:
    return json_rpc_error(code, message)


def _missing(arn: str) -> Response:
    return _error("ExecutionDoesNotExist", f"Execution Does Not Exist: '{arn}'")
