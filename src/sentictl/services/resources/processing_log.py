"""The log of a processing job, and the stages that its lines tell."""

import re
from collections.abc import Iterator
from typing import Any

from sentictl.aws.names import PROCESSING_GROUP
from sentictl.services.resources.job_log import JobLog

STAGE = re.compile(r"stage=(\w+)((?: \w+=\S+)*)")
PAIR = re.compile(r"(\w+)=(\S+)")


class ProcessingLog(JobLog):
    """The log of a processing job.

    Args:
        client: boto3's CloudWatch Logs client.
        job: the processing job's name.
    """

    def __init__(self, client: Any, job: str) -> None:
        super().__init__(client, PROCESSING_GROUP, job)

    def stages(self) -> Iterator[str]:
        """Return the stages that have begun since the last call, for people."""
        for line in self.lines():
            if found := STAGE.fullmatch(line.strip()):
                counted = (f"{int(count):,} {what}" for what, count in PAIR.findall(found[2]) if count.isdecimal())
                yield f"{found[1]} {', '.join(counted)}".strip()
