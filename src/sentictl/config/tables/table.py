"""What every table of settings is made of: the strict model, and the kinds of values that several tables have."""

import json
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    field_validator,
)
from pydantic_core import PydanticCustomError

from sentictl.config.instance_types import Use, refusal

Fraction = Annotated[float, Field(gt=0, lt=0.5)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what numpy's and torch's generators both take
# CloudWatch takes no others: botocore's PutRetentionPolicy.
LOG_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)


def _check_log_days(days: int) -> int:
    if days not in LOG_DAYS:
        raise PydanticCustomError("log_days", "input should be one of {days}", {"days": ", ".join(map(str, LOG_DAYS))})
    return days


LogDays = Annotated[int, AfterValidator(_check_log_days), Field(json_schema_extra={"enum": list(LOG_DAYS)})]


def _instance_type(use: Use) -> AfterValidator:
    def check(name: str) -> str:
        refused = refusal(name, use)
        if refused:
            why, near = refused
            raise PydanticCustomError("instance_type", "{why}", {"why": why, "instead": near})
        return name

    return AfterValidator(check)


InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$")]
TrainingType = Annotated[InstanceType, _instance_type("train")]
HostingType = Annotated[InstanceType, _instance_type("deploy")]
BatchType = Annotated[InstanceType, _instance_type("batch")]
ProcessingType = Annotated[InstanceType, _instance_type("data")]
NotebookType = Annotated[InstanceType, _instance_type("notebook")]


def from_json(text: str) -> Any:
    """Return what a text says as JSON, and None where it is none: the command line and variables give text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


class Table(BaseModel):
    """A table of settings: immutable, and strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _check_text(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:  # no path and no request to AWS can hold one
            raise PydanticCustomError("text", "it is a text without NUL characters")
        return value
