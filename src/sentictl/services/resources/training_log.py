"""The log of a training job as CloudWatch keeps it, and the progress that its lines tell."""

import re
from collections.abc import Iterator
from typing import Any

from sentictl.aws.names import TRAINING_GROUP
from sentictl.services.resources.job_log import JobLog

PAIR = re.compile(r"\b([a-z_]+)=([0-9.]+)\b")
STAGE = re.compile(r"\bstage=(\S+)")
SMALL_STAGE = "fold-"  # how the stages begin that are not worth a line


class TrainingLog(JobLog):
    """The log of a training job.

    Args:
        client: boto3's CloudWatch Logs client.
        job: the training job's name.
    """

    def __init__(self, client: Any, job: str) -> None:
        super().__init__(client, TRAINING_GROUP, job)

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


def _epoch(values: dict[str, str]) -> str:
    return (
        f"epoch {values['epoch']} of {values['epochs']} in {float(values['seconds']):.0f} s · "
        f"loss {float(values['train_loss']):.3f} · validation {100 * float(values['validation_accuracy']):.1f} %"
    )
