"""`[batch]`: the machines that answer many reviews at once, and how much each is asked at a time."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from sentictl.config.tables.deploy import RecurringText, Timezone
from sentictl.config.tables.table import BatchType, Table

# Bucket names: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html. Of the characters of keys
# (object-keys.html there), those that mean nothing in a policy.
FOLDER = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/([A-Za-z0-9!_.'()-]+/)+")

MOST_MEGABYTES = 100  # that are under way to one machine, as botocore's documentation of CreateTransformJob has it
MOST_INSTANCES = 100


def _check_folder(address: str) -> str:
    folder = f"{address.rstrip('/')}/" if address else ""
    if folder and not FOLDER.fullmatch(folder):
        raise PydanticCustomError("folder", "it is a folder on S3, such as s3://our-bucket/reviews/")
    return folder


Folder = Annotated[str, AfterValidator(_check_folder)]


class BatchScheduleSettings(Table):
    """`[batch.schedule]`: reviews on S3 that are answered again and again by themselves.

    `every` is days and a time of day in `timezone`, such as "day 03:00" or "mon-fri 6:30"; left empty, nothing is
    scheduled. Every object under `input` is JSON Lines with a `review` on each line; each run writes its answers to a
    folder of its own under `output`.
    """

    every: RecurringText = ""
    timezone: Timezone = "UTC"
    input: Folder = ""
    output: Folder = ""

    @model_validator(mode="after")
    def _check_folders(self) -> Self:
        for setting, folder in (("input", self.input), ("output", self.output)):
            if self.every and not folder:
                why = (
                    "batch.schedule.every is set, and it is not: name a folder on S3, such as s3://our-bucket/reviews/"
                )
                raise PydanticCustomError("contradiction", "{why}", {"why": why, "setting": setting, "value": folder})
        if self.every and f"{self.output}x".startswith(self.input):
            why = "it lies in batch.schedule.input, so that answers would be answered"
            raise PydanticCustomError("contradiction", "{why}", {"why": why, "setting": "output", "value": self.output})
        return self


class BatchSettings(Table):
    """`[batch]`: the machines of `predict --via batch`, and how each is asked.

    A machine gets `max_concurrent` requests at a time, each with as many reviews as fit into `max_payload_mb`; their
    product is 100 at most. A longer review is not answered. AWS's PyTorch image takes 6 MB at most.
    """

    instance_type: BatchType = "ml.m5.xlarge"
    instance_count: Annotated[int, Field(ge=1, le=MOST_INSTANCES)] = 1
    max_concurrent: Annotated[int, Field(ge=1, le=MOST_MEGABYTES)] = 4
    max_payload_mb: Annotated[int, Field(ge=1, le=MOST_MEGABYTES)] = 1
    schedule: BatchScheduleSettings = BatchScheduleSettings()

    @model_validator(mode="after")
    def _check_under_way(self) -> Self:
        under_way = self.max_concurrent * self.max_payload_mb
        if under_way > MOST_MEGABYTES:
            why = (
                f"max_concurrent times max_payload_mb is {under_way} MB, and SageMaker sends {MOST_MEGABYTES} MB at a "
                "time to a machine at most"
            )
            given = {"why": why, "setting": "max_payload_mb", "value": self.max_payload_mb}
            raise PydanticCustomError("contradiction", "{why}", given)
        return self
