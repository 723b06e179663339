"""`[deploy]` and `[deploy.hours]`: what the model answers in, on what, when, and how another one takes its place."""

import difflib
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, reduce
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sentictl.config import images
from sentictl.config.hours import OpeningHours, WeeklyTime, minute_of_week
from sentictl.config.tables.table import (
    HostingType,
    Table,
    from_json,
)

TTL = re.compile(r"([0-9]{1,5})([mhd])")
TTL_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
SHORTEST_TTL, LONGEST_TTL = timedelta(minutes=5), timedelta(days=30)


def duration(ttl: str) -> timedelta:
    """How long a time to live is, such as "30m", "8h" or "3d".

    Raises:
        ValueError: it is not written so.
    """
    found = TTL.fullmatch(ttl)
    if found is None:
        raise ValueError(f"{ttl} is not a time such as 30m, 8h or 3d")
    return timedelta(**{TTL_UNITS[found[2]]: int(found[1])})


def _check_ttl(ttl: str) -> str:
    if ttl in ("", "off"):
        return ""
    if not TTL.fullmatch(ttl) or not SHORTEST_TTL <= duration(ttl) <= LONGEST_TTL:
        raise PydanticCustomError("ttl", "it is a time from 5m to 30d, such as 30m, 8h or 3d, or off")
    return ttl


def _check_weekly(text: str) -> str:
    try:
        return text and _weekly(text)
    except ValueError:
        raise PydanticCustomError(
            "weekly", "it is days and a time of day, such as mon-fri 08:00, sat,sun 10:30 or daily 7:00"
        ) from None


def _weekly(text: str) -> str:
    words = " ".join(text.lower().split())
    WeeklyTime.parse(words)
    return words


_timezones = cache(available_timezones)


def _check_timezone(name: str) -> str:
    if name != "UTC" and name not in _timezones():
        near = difflib.get_close_matches(name, sorted(_timezones()), n=1)
        raise PydanticCustomError(
            "timezone",
            "there is no such time zone; they are called as in IANA's list, such as Europe/Berlin or UTC",
            {"instead": near[0] if near else ""},
        )
    return name


def _nothing_for_off(given: Any) -> Any:
    return "" if given == OFF else given


OFF = "off"  # what a person says for none
WeeklyText = Annotated[str, AfterValidator(_check_weekly)]
RecurringText = Annotated[WeeklyText, BeforeValidator(_nothing_for_off)]  # of what is done again and again, or not
Timezone = Annotated[str, AfterValidator(_check_timezone)]


def _check_memory(megabytes: int) -> int:
    if megabytes % 1024:
        raise PydanticCustomError("memory", "it is a multiple of 1024")
    return megabytes


class HoursSettings(Table):
    """`[deploy.hours]`: when the endpoint is brought up and taken down by itself.

    Each is days and a time of day in `timezone`, such as "mon-fri 08:00" or "daily 7:00"; left empty, it never is.
    """

    up: WeeklyText = ""
    down: WeeklyText = ""
    timezone: Timezone = "UTC"

    @property
    def week(self) -> OpeningHours | None:
        """The hours themselves; None where the endpoint is not both brought up and taken down."""
        return OpeningHours(WeeklyTime.parse(self.up), WeeklyTime.parse(self.down)) if self.up and self.down else None

    @property
    def share(self) -> float:
        """The share of the week that the endpoint stands in; 1 where it is not both brought up and taken down."""
        return self.week.share if self.week else 1.0

    def minute(self, moment: datetime) -> int:
        """Return which minute of the week a moment is in their time zone."""
        return minute_of_week(moment.astimezone(ZoneInfo(self.timezone)))

    def closed_at(self, moment: datetime) -> bool:
        """Tell whether a moment is outside of them."""
        return self.week is not None and not self.week.is_open(self.minute(moment))

    def __str__(self) -> str:
        return f"{self.up} to {self.down}, {self.timezone}"


MEMORY_MB = (1024, 6144)  # of a serverless endpoint, as SageMaker has it; a function has more to choose from
MOST_AT_ONCE = 200  # requests of one serverless endpoint
MOST_MACHINES = 10  # of one endpoint
MOST_FALLBACKS = 4  # beside the one type: a variant has five pools of instances at most, as SageMaker has it
BURSTABLE = "ml.t2."
NO_TYPES: list[HostingType] = []


def _types(given: Any) -> Any:
    """Return a list of types from a text, such as "ml.m6i.large,ml.c5.large" or a JSON list."""
    if not isinstance(given, str):
        return given
    return from_json(given) if given.startswith("[") else [name.strip() for name in given.split(",") if name.strip()]


ROLLOUT_NEEDS_INSTANCES = "it is of instances alone, and deploy.serving has none"
SHADOW_NEEDS_INSTANCES = "it answers on an instance, and deploy.serving has none"
SHADOW_OR_ROLLOUT = (
    "a rollout that AWS can take back has no shadow beside it: deploy.rollout or deploy.rollback_on is set"
)
Rollout = Literal["all-at-once", "canary", "linear"]
Watched = Literal["errors", "latency", "undecided", "probability"]
NOT_WATCHED: list[Watched] = []
MOST_PERCENT, LEAST_LINEAR_PERCENT = 50, 10  # of a rollout's step, as SageMaker has it
LONGEST_ROLLOUT = timedelta(hours=7)  # SageMaker allows 8, of which the new machines need some to start


def rollout_steps(rollout: str, percent: int, instances: int) -> list[float]:
    """Return the share of the new instances after each step of a rollout, of which whole ones are turned on."""
    if rollout == "all-at-once":
        return [1.0]
    step = max(1, instances * percent // 100)
    numbers = [step, instances] if rollout == "canary" else [*range(step, instances, step), instances]
    return [number / instances for number in numbers]


def _check_watched(given: Any) -> Any:
    watched = given
    if isinstance(given, str):
        listed = from_json(given)
        words = [word.strip() for word in given.split(",")]
        watched = listed if isinstance(listed, list) else [word for word in words if word]
    if not isinstance(watched, list) or not all(each in get_args(Watched) for each in watched):
        raise PydanticCustomError("watched", "it is a list of errors, latency, undecided and probability, or of some")
    return watched


class DeploySettings(Table):
    """`[deploy]`: what the model answers in, how long its log is kept, and which version of it that is.

    `serving` is an endpoint on machines of its own ("instance"), one that is paid by use ("serverless"), or the
    function itself, without an endpoint ("lambda"). The last two have `memory_mb`; a serverless endpoint answers
    `max_concurrency` requests at once, and keeps room for `provisioned_concurrency` of them warm. `model` is a training
    job's name; left empty, the model that the other settings make is served. `image` is what the endpoint's container
    is made from: AWS's PyTorch image ("pytorch"), AWS's Ray Serve image ("ray-serve"), or the URI of an image of your
    own in Amazon ECR. `ttl` is how long the endpoint stands, such as "30m", "8h" or "3d"; left empty, it stays.

    With `max_instances` the number of machines follows the load, from `min_instances` on; `instance_count` is what it
    begins with. `scale_on` is "invocations", requests a minute, or "concurrency", requests at once. `scale_target` is
    how many of them one machine shall have; 0 stands for what an ml.m5.large is taken to bear. `fallback_types` are
    taken, in their order, where AWS has no machine of `instance_type` to spare.

    `rollout` is how another model takes the live one's place on instances: "all-at-once"; "canary": first on
    `rollout_percent` of them, then on all; "linear": on so many more at each step. After each step AWS waits for
    `rollout_minutes`, and goes back by itself when an alarm goes off on what `rollback_on` names: the share of
    "errors", the "latency", the share of answers that are "undecided", or a mean "probability" far from the last
    week's. Left empty, a canary and a linear rollout watch errors and latency, and all-at-once watches nothing and does
    not wait.

    `shadow` is the training job of another version, which gets a copy of the endpoint's requests on an instance of its
    own and answers nobody; left empty, there is none.
    """

    serving: Literal["instance", "serverless", "lambda"] = "instance"
    memory_mb: Annotated[int, Field(ge=MEMORY_MB[0], le=MEMORY_MB[1]), AfterValidator(_check_memory)] = 2048
    max_concurrency: Annotated[int, Field(ge=1, le=MOST_AT_ONCE)] = 5
    provisioned_concurrency: Annotated[int, Field(ge=0, le=MOST_AT_ONCE)] = 0
    model: Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]{0,63}$")] = ""
    instance_type: HostingType = "ml.m5.large"
    instance_count: Annotated[int, Field(ge=1, le=MOST_MACHINES)] = 1
    image: str = images.PYTORCH
    fallback_types: Annotated[list[HostingType], BeforeValidator(_types), Field(max_length=MOST_FALLBACKS)] = NO_TYPES
    min_instances: Annotated[int, Field(ge=1, le=MOST_MACHINES)] = 1
    max_instances: Annotated[int, Field(ge=0, le=MOST_MACHINES)] = 0
    scale_on: Literal["invocations", "concurrency"] = "invocations"
    scale_target: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    ttl: Annotated[str, AfterValidator(_check_ttl)] = ""
    hours: HoursSettings = HoursSettings()
    rollback_on: Annotated[list[Watched], BeforeValidator(_check_watched)] = NOT_WATCHED
    rollout_percent: Annotated[int, Field(ge=1, le=MOST_PERCENT)] = 25
    rollout: Rollout = "all-at-once"
    rollout_minutes: Annotated[int, Field(ge=0, le=60)] = 10
    shadow: Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]{0,63}$")] = ""

    @field_validator("rollback_on")
    @classmethod
    def _check_rollback(cls, watched: list[Watched], info: ValidationInfo) -> list[Watched]:
        if watched and info.data.get("serving", "instance") != "instance":
            raise PydanticCustomError("rollback_on", ROLLOUT_NEEDS_INSTANCES, {"instead": "[]"})
        return list(dict.fromkeys(watched))

    @field_validator("rollout")
    @classmethod
    def _check_rollout(cls, rollout: Rollout, info: ValidationInfo) -> Rollout:
        known, instead = info.data, {"instead": "all-at-once"}
        if rollout == "all-at-once":
            return rollout
        if known.get("serving", "instance") != "instance":
            raise PydanticCustomError("rollout", ROLLOUT_NEEDS_INSTANCES, instead)
        if known.get("instance_count", 2) < 2:
            why = "it begins with a part of the instances, and deploy.instance_count is 1"
            raise PydanticCustomError("rollout", why, instead)
        if rollout == "linear" and known.get("rollout_percent", MOST_PERCENT) < LEAST_LINEAR_PERCENT:
            why = "a linear rollout takes steps of 10 to 50 percent, and deploy.rollout_percent is less"
            raise PydanticCustomError("rollout", why, {"instead": "canary"})
        return rollout

    @field_validator("rollout_minutes")
    @classmethod
    def _check_minutes(cls, minutes: int, info: ValidationInfo) -> int:
        known = info.data
        if {"rollout", "rollout_percent", "instance_count"} <= known.keys():  # and so allowed
            steps = rollout_steps(known["rollout"], known["rollout_percent"], known["instance_count"])
            most = LONGEST_ROLLOUT // timedelta(minutes=len(steps))
            if minutes > most:
                why = "all steps together would take longer than SageMaker allows: {most} at most"
                raise PydanticCustomError("rollout_minutes", why, {"most": most, "instead": str(most)})
        return minutes

    @field_validator("shadow")
    @classmethod
    def _check_shadow(cls, shadow: str, info: ValidationInfo) -> str:
        known, instead = info.data, {"instead": OFF}
        if shadow in ("", OFF):
            return ""
        if known.get("serving", "instance") != "instance":
            raise PydanticCustomError("shadow", SHADOW_NEEDS_INSTANCES, instead)
        if known.get("rollout", "all-at-once") != "all-at-once" or known.get("rollback_on"):
            raise PydanticCustomError("shadow", SHADOW_OR_ROLLOUT, instead)
        return shadow

    @property
    def watched(self) -> tuple[Watched, ...]:
        """What a rollout watches: its alarms make AWS go back. Nothing where a change is made at once."""
        if self.rollback_on or self.rollout == "all-at-once":
            return tuple(self.rollback_on)
        return ("errors", "latency")

    @property
    def guarded(self) -> bool:
        """Whether another model takes the live one's place in a way that AWS can go back on by itself."""
        return self.serving == "instance" and bool(self.watched)

    @property
    def scales(self) -> bool:
        """Whether the number of machines follows the load."""
        return self.max_instances > 0

    @property
    def machine_counts(self) -> tuple[int, int]:
        """The fewest and the most machines that it stands on."""
        return (self.min_instances, self.max_instances) if self.scales else (self.instance_count, self.instance_count)

    @property
    def machine_types(self) -> list[str]:
        """All types of machines that it may stand on, the first choice first."""
        return [self.instance_type, *self.fallback_types]

    @field_validator("provisioned_concurrency")
    @classmethod
    def _check_provisioned(cls, warm: int, others: ValidationInfo) -> int:
        most = others.data.get("max_concurrency", MOST_AT_ONCE)
        if warm > most:
            raise PydanticCustomError("provisioned", "it is at most deploy.max_concurrency, {most}", {"most": most})
        return warm

    @field_validator("ttl")
    @classmethod
    def _check_ends(cls, ttl: str, others: ValidationInfo) -> str:
        if ttl and others.data.get("serving") == "lambda":
            raise PydanticCustomError("no_endpoint", 'with deploy.serving = "lambda" there is no endpoint to take down')
        return ttl

    @field_validator("image")
    @classmethod
    def _check_image(cls, image: str, others: ValidationInfo) -> str:
        machine = others.data.get("instance_type", "") if others.data.get("serving") == "instance" else ""
        why = images.refusal(image) or (machine and images.refusal_on(image, machine))
        if why:
            raise PydanticCustomError("image", "{why}", {"why": why})
        return image

    @model_validator(mode="after")
    def _check_machines(self) -> Self:
        """Refuse what does not go together, as a fault of one setting."""
        for setting, refused, why in (*self._against_serving(), *self._against_scaling(), *self._against_fallback()):
            if refused:
                value = reduce(getattr, setting.split("."), self)
                raise PydanticCustomError("contradiction", "{why}", {"why": why, "setting": setting, "value": value})
        return self

    def _against_serving(self) -> Iterator[tuple[str, bool, str]]:
        other = self.serving != "instance"
        without = f"deploy.serving is {self.serving}, which has no machines of its own"
        yield "max_instances", other and self.scales, without
        yield "fallback_types", other and bool(self.fallback_types), without
        yield "hours.up", other and bool(self.hours.up), without
        yield "hours.down", other and bool(self.hours.down), without
        yield "ttl", bool(self.ttl and self.hours.down), "deploy.hours.down takes the endpoint down already"
        yield "ttl", bool(self.ttl and self.hours.up), "deploy.hours.up would bring the endpoint back"

    def _against_scaling(self) -> Iterator[tuple[str, bool, str]]:
        least, most, count = self.min_instances, self.max_instances, self.instance_count
        yield "min_instances", least > 1 and not most, "deploy.max_instances is 0, so that nothing scales"
        yield "min_instances", self.scales and least > most, f"deploy.max_instances is {most}"
        yield "instance_count", self.scales and count < least, f"deploy.min_instances is {least}"
        yield "instance_count", self.scales and count > most, f"deploy.max_instances is {most}"
        burst = next((name for name in self.machine_types if name.startswith(BURSTABLE)), "")
        yield (
            "max_instances",
            self.scales and bool(burst),
            f"burstable machines such as {burst} do not scale on SageMaker",
        )
        hours = bool(self.hours.up or self.hours.down)
        gone = "how an endpoint scales is forgotten on AWS when deploy.hours takes it down"
        yield "max_instances", self.scales and hours, gone

    def _against_fallback(self) -> Iterator[tuple[str, bool, str]]:
        for name in self.fallback_types:
            other = not images.same_on(self.image, self.instance_type, name)
            yield "fallback_types", other, f"{name} takes another container image than {self.instance_type}"
        twice = len(set(self.machine_types)) < len(self.machine_types)
        yield "fallback_types", twice, "a type is named twice"
