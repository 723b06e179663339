"""What answering a batch costs, as far as that can be told beforehand."""

import contextlib
from dataclasses import dataclass

from botocore.exceptions import ClientError

from sentictl.lifecycle.cost import Machines, dollars
from sentictl.lifecycle.resource import Context
from sentictl.services.batch.job import BatchRequest, TransformJob
from sentictl.services.pricing.estimate import hourly_price_of, unless_billed
from sentictl.services.pricing.traffic import BYTES_A_WORD, REVIEW_SECONDS, WORDS

REVIEW_BYTES = WORDS * BYTES_A_WORD
START_MINUTES = 5  # that a machine takes on AWS until it answers, and is paid for


@dataclass(frozen=True)
class BatchPrice:
    """What a batch costs, in USD, about.

    Args:
        reviews: how many are asked about.
        minutes: that the machines run, their start included.
        instance_type: the machine of each.
        instance_count: how many there are.
        price: of all of them together, on demand; None where the machine's price is not known.
        source: whose price that is.
        billed: False where nothing is paid, since all of it runs on this machine.
    """

    reviews: int
    minutes: float
    instance_type: str
    instance_count: int
    price: float | None
    source: str
    billed: bool

    def __str__(self) -> str:
        machines = f"{self.instance_count} {self.instance_type}" if self.instance_count > 1 else self.instance_type
        work = f"{self.reviews:,} reviews in about {self.minutes:.0f} minutes on {machines}"
        price = "at a price that is not known" if self.price is None else f"about {dollars(self.price)}"
        return f"{unless_billed(self.billed)}{work}: {price} ({self.source})"


def batch_price(context: Context, batch: BatchRequest) -> BatchPrice:
    """Return what a batch costs, by the time that reviews of that length take a processor core.

    Each request that is under way to a machine is taken to have a core of it. The time of a review is the one that
    `costs` reckons with, ten times what was measured here, since nobody has measured it on AWS.
    """
    return _price(context, TransformJob(context, batch).machines(), len(batch.records), batch.records.size)


def run_price(context: Context) -> BatchPrice:
    """Return what the scheduled run would cost that began now, by the size of all that lies in its input folder.

    Where nobody may look there, it is the price of the start alone.
    """
    bucket, _, prefix = context.settings.batch.schedule.input.removeprefix("s3://").partition("/")
    pages = context.environment.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    size = 0
    with contextlib.suppress(ClientError):
        size = sum(entry["Size"] for page in pages for entry in page.get("Contents", []))
    return _price(context, TransformJob(context).machines(), round(size / REVIEW_BYTES), size)


def _price(context: Context, machines: Machines, reviews: int, size: int) -> BatchPrice:
    settings = context.settings.batch
    price, source = hourly_price_of(context, machines)
    seconds = REVIEW_SECONDS * size / REVIEW_BYTES
    minutes = START_MINUTES + seconds / (60 * machines.count * settings.max_concurrent)
    return BatchPrice(
        reviews=reviews,
        minutes=minutes,
        instance_type=settings.instance_type,
        instance_count=machines.count,
        price=None if price is None else price * minutes / 60,
        source=source,
        billed=context.environment.billed,
    )
