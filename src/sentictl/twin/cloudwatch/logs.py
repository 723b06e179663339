"""Lines into CloudWatch Logs, in small batches."""

import json
import threading
import time
from dataclasses import dataclass
from typing import Any

from sentictl.twin.cloudwatch import embedded_metrics
from sentictl.twin.cloudwatch.filter_patterns import PatternError, compiled
from sentictl.twin.cloudwatch.metrics import Metrics
from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane
from sentictl.twin.core.messages import Response, json_response, json_rpc_error
from sentictl.twin.iam.roles import AssumedRole

# The newest that a log group keeps. CloudWatch keeps all; here they are in memory, and each request writes some.
MOST_EVENTS = 20_000
BATCH_SECONDS = 1.0  # for which a stream's policies are asked once; whoever reads does not wait


@dataclass(frozen=True)
class LogStream:
    """A log stream, and the role in which it is written.

    Args:
        region: of the log group.
        group: its name.
        name: the stream's name.
        role: of the service that writes.
        looking: whether that service looks the stream up before it writes: SageMaker does, Lambda does not.
    """

    region: str
    group: str
    name: str
    role: AssumedRole
    looking: bool = True


class LogStreams:
    """All log streams that the data plane writes to. A thread brings the pending lines to moto every second.

    Metrics that lines tell are noted then, too.
    """

    def __init__(self, control: ControlPlane, metrics: Metrics) -> None:
        self._control = control
        self._metrics = metrics
        self._pending: dict[LogStream, list[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        for operation in ("DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents"):
            control.before["logs", operation] = self._before_reading
        control.instead["logs", "FilterLogEvents"] = self._filter
        threading.Thread(target=self._run, daemon=True).start()

    def write(self, stream: LogStream, line: str) -> None:
        """Append a line. Whoever reads the log next finds it."""
        event = {"timestamp": int(time.time() * 1000), "message": line}
        with self._lock:
            self._pending.setdefault(stream, []).append(event)

    def flush(self) -> None:
        """Bring all pending lines to CloudWatch Logs now."""
        with self._control.lock:
            with self._lock:
                pending, self._pending = self._pending, {}
            for stream, events in pending.items():
                if self._may_write(stream):
                    self.put(stream.region, stream.group, stream.name, events)
                    for event in events:
                        embedded_metrics.tell(self._metrics, stream.region, event["message"])

    def put(self, region: str, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        """Store events in order, without empty lines, as AWS does; makes the group and the stream where missing."""
        kept = [event for event in sorted(events, key=lambda event: int(event["timestamp"])) if event["message"]]
        if not kept:
            return
        backend = self._control.backend("logs", region)
        backend.ensure_log_group(group)
        backend.ensure_log_stream(group, stream)
        backend.put_log_events(group, stream, kept)
        self._forget_oldest(backend.groups[group])

    def events(self, region: str, group: str, stream: str) -> list[dict[str, Any]]:
        """Return the events that a stream holds, in the form that `put` takes."""
        self.flush()
        with self._control.lock:
            found = self._control.backend("logs", region).groups.get(group)
            kept = found.streams[stream].events if found and stream in found.streams else []
            return [{"timestamp": event.timestamp, "message": event.message} for event in kept]

    def _filter(self, call: Call) -> Response:
        """Answer FilterLogEvents.

        moto does not know logStreamNamePrefix, tells one stream after the other instead of all by time, and takes most
        patterns for matched by every line.
        """
        wanted = call.payload | {"interleaved": True}
        prefix, pattern = wanted.pop("logStreamNamePrefix", None), wanted.pop("filterPattern", "")
        try:
            matches = compiled(pattern)
        except PatternError as problem:
            return json_rpc_error("InvalidParameterException", str(problem))
        group = self._control.backend("logs", call.region).groups.get(wanted.get("logGroupName"))
        if prefix and group:
            # No names at all would mean every stream.
            wanted["logStreamNames"] = [name for name in group.streams if name.startswith(prefix)] or [""]
        answer = self._control.ask_moto(call.request.changed(json.dumps(wanted).encode()))
        if not pattern or not answer.ok:
            return answer
        page = json.loads(answer.get_data())
        return json_response(200, page | {"events": [each for each in page["events"] if matches(each["message"])]})

    def _may_write(self, stream: LogStream) -> bool:
        """As on AWS, nobody is told of lines that a role does not let its service write."""
        # A call about a whole group is asked about by the ARN of a stream without a name.
        group = f"arn:aws:logs:{stream.region}:{ACCOUNT}:log-group:{stream.group}:log-stream:"
        asked = {"logs:CreateLogStream": group + stream.name, "logs:PutLogEvents": group + stream.name}
        if stream.group not in self._control.backend("logs", stream.region).groups:
            asked["logs:CreateLogGroup"] = group
        if stream.looking:
            asked["logs:DescribeLogStreams"] = group
        return all(stream.role.allows(action, resource) for action, resource in asked.items())

    @staticmethod
    def _forget_oldest(group: Any) -> None:
        """Drop what a group has too much, from the streams that were made first."""
        surplus = sum(len(stream.events) for stream in group.streams.values()) - MOST_EVENTS
        for stream in group.streams.values():
            if surplus <= 0:
                return
            dropped = min(surplus, len(stream.events))
            del stream.events[:dropped]
            surplus -= dropped

    def _before_reading(self, _call: Call) -> None:
        self.flush()

    def _run(self) -> None:
        while True:
            time.sleep(BATCH_SECONDS)
            self.flush()
