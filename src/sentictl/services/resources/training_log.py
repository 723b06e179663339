"""The log of a training job as CloudWatch keeps it, and the progress that its lines tell."""

import re
from collections.abc import Iterator
from typing import Any

GROUP = "/aws/sagemaker/TrainingJobs"
PAIR = re.compile(r"\b([a-z_]+)=([0-9.]+)\b")
STAGE = re.compile(r"\bstage=(\S+)")
SMALL_STAGE = "fold-"  # how the stages begin that are not worth a line


class TrainingLog:
    """Reads a job's log from where it stopped reading before.

    Args:
        client: boto3's CloudWatch Logs client.
        job: the training job's name, with which its log streams begin.
    """

    def __init__(self, client: Any, job: str) -> None:
        self._client = client
        self._job = job
        self._tokens: dict[str, str] = {}

    def lines(self) -> Iterator[str]:
        """The lines written since the last call, oldest first."""
        for stream in self._streams():
            yield from self._read(stream)

    def progress(self) -> Iterator[tuple[str, float | None, float | None]]:
        """Return what the new lines tell of the training: (text, done, total) with progress counted in epochs.

        A finished epoch has no count: it is worth a line of its own.
        """
        for line in self.lines():
            values = dict(PAIR.findall(line))
            stage = "".join(f"{name} · " for name in STAGE.findall(line))
            if line.startswith("epoch="):
                small = stage.startswith(SMALL_STAGE)
                total = float(values["epochs"])
                yield stage + _epoch(values), float(values["epoch"]) if small else None, total if small else None
            elif line.startswith("progress "):
                done = float(values["epoch"]) - 1 + float(values["batch"]) / float(values["batches"])
                text = f"epoch {values['epoch']} of {values['epochs']} · loss {float(values['train_loss']):.3f}"
                yield stage + text, done, float(values["epochs"])

    def _streams(self) -> list[str]:
        try:
            answer = self._client.describe_log_streams(logGroupName=GROUP, logStreamNamePrefix=f"{self._job}/")
        except self._client.exceptions.ResourceNotFoundException:
            return []  # the group comes with the account's first job
        return [stream["logStreamName"] for stream in answer["logStreams"]]

    def _read(self, stream: str) -> Iterator[str]:
        while True:
            token = self._tokens.get(stream)
            page = self._client.get_log_events(
                logGroupName=GROUP,
                logStreamName=stream,
                startFromHead=True,
                **({"nextToken": token} if token else {}),
            )
            yield from (event["message"] for event in page["events"])
            self._tokens[stream] = page["nextForwardToken"]
            if page["nextForwardToken"] == token or not page["events"]:
                return


def _epoch(values: dict[str, str]) -> str:
    return (
        f"epoch {values['epoch']} of {values['epochs']} in {float(values['seconds']):.0f} s · "
        f"loss {float(values['train_loss']):.3f} · validation {100 * float(values['validation_accuracy']):.1f} %"
    )
