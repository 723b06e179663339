"""`[train]`, `[train.tune]` and `[train.schedule]`: the hyperparameters, where better ones are looked for, and when."""

import json
from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import PydanticCustomError

from sentictl.config.tables.deploy import RecurringText, Timezone
from sentictl.config.tables.table import Seed, Table, TrainingType, from_json

MOST_MINUTES = 5 * 24 * 60  # that a training job may take, as SageMaker has it
Range = dict[str, Any] | list[Any]
NOT_SEARCHED: Range = []
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
    architecture: Range = NOT_SEARCHED
    ngrams: Range = NOT_SEARCHED
    lstm_vocabulary_size: Range = NOT_SEARCHED
    epochs: Range = NOT_SEARCHED
    patience: Range = NOT_SEARCHED
    batch_size: Range = NOT_SEARCHED
    accumulation: Range = NOT_SEARCHED
    learning_rate: Range = NOT_SEARCHED
    embedding_dim: Range = NOT_SEARCHED
    hidden_dim: Range = NOT_SEARCHED
    dropout: Range = NOT_SEARCHED
    max_tokens: Range = NOT_SEARCHED

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
        return _checked_range(name, from_json(given) if isinstance(given, str) else given)


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


class TrainScheduleSettings(Table):
    """`[train.schedule]`: training again and again by itself, from a source on S3 that is prepared anew each time.

    `every` is days and a time of day in `timezone`, such as "sunday 02:00"; left empty, nothing is scheduled. The new
    model is served unless its accuracy on the new validation reviews is lower than the served model's by more than
    `tolerance` percentage points.
    """

    every: RecurringText = ""
    timezone: Timezone = "UTC"
    tolerance: Annotated[float, Field(ge=0, le=100)] = 0.5


class TrainSettings(Table):
    """`[train]`: the model's hyperparameters and the training job's machines. Sizes are in units, lengths in tokens.

    The linear part is trained until it fits. All that is about steps is about the LSTM's: `batch_size` reviews go
    through the network at once, in all machines together, and a step is taken on `accumulation` such batches. So the
    model is the same for any `instance_count`. `unlabelled` reviews are learned from as well where the source has some.
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
    schedule: TrainScheduleSettings = TrainScheduleSettings()
