"""`[alerts]`: who is told when something is wrong with what stands, and from when on it counts as wrong."""

import re
from typing import Annotated, Any, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from pydantic_core import PydanticCustomError

from sentictl.config.tables.table import Table, from_json

# What SNS takes for an address is not documented; what has no such form reaches nobody.
# These are the signs that need no quotes by RFC 5322, section 3.2.3, with the letters of all languages.
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})+")
# A topic whose name ends in .fifo takes no mail addresses, and is no target of EventBridge's rules.
TOPIC = re.compile(r"arn:aws[a-z-]*:sns:(?P<region>[a-z0-9-]+):\d{12}:[A-Za-z0-9_-]{1,256}")
MOST_ADDRESSES = 10
MOST_IDLE_DAYS = 7  # that one alarm looks back, by botocore's description of PutMetricAlarm
NOBODY: list[str] = []


def _addresses(given: Any) -> list[str]:
    listed = given
    if isinstance(given, str):
        listed = from_json(given) if given.startswith("[") else given.split(",")
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
        raise PydanticCustomError("addresses", "it is an address such as ops@example.org, or a list of such")
    found = [each.strip() for each in listed if each.strip()]
    wrong = next((each for each in found if not ADDRESS.fullmatch(each)), None)
    if wrong is not None:
        why = "{wrong} is no mail address; it is one such as ops@example.org, or a list of such"
        raise PydanticCustomError("addresses", why, {"wrong": wrong})
    if len(found) > MOST_ADDRESSES:
        why = "there are {most} addresses at most; a mailing list has one for more"
        raise PydanticCustomError("addresses", why, {"most": MOST_ADDRESSES})
    return list(dict.fromkeys(found))


def _check_topic(arn: str) -> str:
    if arn and not TOPIC.fullmatch(arn):
        why = "it is the ARN of an SNS topic, such as arn:aws:sns:eu-west-1:123456789012:ops, and no FIFO topic"
        raise PydanticCustomError("topic", why)
    return arn


class AlertSettings(Table):
    """`[alerts]`: who is told when something is wrong, and from when on it is.

    `email` is an address, or a list of them: an SNS topic is made that sends mails there. `topic` is the ARN of an SNS
    topic of your own in the same region, which is told instead. While both are empty, nothing is watched, made or paid.

    An alert is sent when more than `error_percent` of the requests fail (5xx), when one request in 100 takes longer
    than `latency_ms`, when requests are turned away because there are too many, when the endpoint fails, when there was
    no request for `idle_days` (0: never; 7 at most), and when the month's cost is over `monthly_budget` USD (0: never).
    `dashboard` makes a CloudWatch dashboard beside them.
    """

    email: Annotated[list[str], BeforeValidator(_addresses)] = NOBODY
    topic: Annotated[str, AfterValidator(_check_topic)] = ""
    error_percent: Annotated[float, Field(gt=0, le=100)] = 5
    latency_ms: Annotated[int, Field(ge=1, le=29_000)] = 5_000
    idle_days: Annotated[int, Field(ge=0, le=MOST_IDLE_DAYS)] = MOST_IDLE_DAYS
    monthly_budget: Annotated[float, Field(ge=0, le=1_000_000_000)] = 100
    dashboard: bool = True

    @property
    def wanted(self) -> bool:
        """Whether anybody is to be told of anything."""
        return bool(self.email or self.topic)

    @model_validator(mode="after")
    def _check_one_way(self) -> Self:
        if self.email and self.topic:
            why = "alerts.email is set, too: subscribe those addresses to your topic, or let sentictl make one for them"
            raise PydanticCustomError("contradiction", "{why}", {"why": why, "setting": "topic", "value": self.topic})
        return self
