"""The Python API's part for what the chain's parts wrote."""

from collections.abc import Iterator
from datetime import datetime

from sentictl.api.session import Session
from sentictl.services.operations.logs import LogEvent, follow_logs, parts_of_chain, read_logs, way_of

__all__ = ["LogEvent", "ProjectLogs"]


class ProjectLogs:
    """The logs of a project in one environment. Events have a `part`, a `time` and a `message`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def read(self, *parts: str, since: datetime | None = None, text: str = "") -> Iterator[LogEvent]:
        """Yield what was written, the oldest first.

        Args:
            parts: of "api", "lambda", "endpoint", "train", "data" and "batch"; by default those that a request goes
                through.
            since: a time with its zone; by default all that is kept.
            text: what an event has to hold, as it stands.
        """
        context = self._session.read()
        return read_logs(context, parts or parts_of_chain(context), since, text)

    def follow(self, *parts: str, since: datetime | None = None, text: str = "") -> Iterator[LogEvent]:
        """Yield what was written, and then what is being written, without end. The arguments are those of `read`."""
        context = self._session.read()
        return follow_logs(context, parts or parts_of_chain(context), since, text)

    def of_request(self, request_id: str, *, since: datetime | None = None) -> list[LogEvent]:
        """Return all that the logs have of one request, on its way: the API's line, the function's, the endpoint's.

        Args:
            request_id: the answer's header x-amzn-requestid, or `request_id` in an error.
            since: how far back to look, with its zone.

        Raises:
            MissingStepError: no log has anything of it.
        """
        return way_of(self._session.read(), request_id, since)
