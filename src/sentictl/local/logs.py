"""Lines into CloudWatch Logs, in small batches."""

import threading
import time
from typing import Any

from sentictl.local.control import ControlPlane

BATCH_SECONDS = 0.2


class LogStreams:
    """All log streams that the data plane writes to. A thread brings the pending lines to moto every 0.2 s."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._pending: dict[tuple[str, str, str], list[dict[str, Any]]] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._run, daemon=True).start()

    def write(self, region: str, group: str, stream: str, line: str) -> None:
        """Append a line; it is readable through the API within `BATCH_SECONDS`."""
        event = {"timestamp": int(time.time() * 1000), "message": line}
        with self._lock:
            self._pending.setdefault((region, group, stream), []).append(event)

    def flush(self) -> None:
        """Bring all pending lines to CloudWatch Logs now."""
        with self._control.lock:
            with self._lock:
                pending, self._pending = self._pending, {}
            for (region, group, stream), events in pending.items():
                self.put(region, group, stream, events)

    def put(self, region: str, group: str, stream: str, events: list[dict[str, Any]]) -> None:
        """Store events in order, without empty lines, as AWS does; makes the group and the stream where missing."""
        backend = self._control.backend("logs", region)
        backend.ensure_log_group(group)
        backend.ensure_log_stream(group, stream)
        kept = [event for event in sorted(events, key=lambda event: int(event["timestamp"])) if event["message"]]
        if kept:
            backend.put_log_events(group, stream, kept)

    def events(self, region: str, group: str, stream: str) -> list[dict[str, Any]]:
        """What a stream holds, as events that `put` takes."""
        self.flush()
        with self._control.lock:
            found = self._control.backend("logs", region).groups.get(group)
            kept = found.streams[stream].events if found and stream in found.streams else []
            return [{"timestamp": event.timestamp, "message": event.message} for event in kept]

    def _run(self) -> None:
        while True:
            time.sleep(BATCH_SECONDS)
            self.flush()
