"""The log of a job as CloudWatch keeps it, read as it grows."""

from collections.abc import Iterator
from typing import Any


class JobLog:
    """Reads a job's log from where it stopped reading before.

    Args:
        client: boto3's CloudWatch Logs client.
        group: the log group of all jobs of its kind.
        job: the job's name, with which its log streams begin.
    """

    def __init__(self, client: Any, group: str, job: str) -> None:
        self._client = client
        self._group = group
        self._job = job
        self._tokens: dict[str, str] = {}

    def lines(self) -> Iterator[str]:
        """The lines written since the last call, oldest first."""
        for stream in self._streams():
            yield from self._read(stream)

    def _streams(self) -> list[str]:
        try:
            answer = self._client.describe_log_streams(logGroupName=self._group, logStreamNamePrefix=f"{self._job}/")
        except self._client.exceptions.ResourceNotFoundException:
            return []  # the group comes with the account's first job
        return [stream["logStreamName"] for stream in answer["logStreams"]]

    def _read(self, stream: str) -> Iterator[str]:
        while True:
            token = self._tokens.get(stream)
            page = self._client.get_log_events(
                logGroupName=self._group,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            yield from (event["message"] for event in page["events"])
            self._tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token or not page["events"]:
                return
