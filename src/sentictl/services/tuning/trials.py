"""The trials of a tuning job, as AWS tells of them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.lifecycle.resource import Context

RUNNING = ("InProgress", "Stopping")


@dataclass(frozen=True)
class Trial:
    """A training job that a tuning job began.

    Args:
        name: the training job's name.
        status: AWS's word for its state.
        tuned: the values of the hyperparameters that are searched.
        accuracy: validation accuracy as it was reported last, from 0 to 1; None where it was not.
        seconds: how long its machines worked; None before they did.
        created: when it was begun.
        reason: why it failed; empty where it did not.
    """

    name: str
    status: str
    tuned: Mapping[str, Any]
    accuracy: float | None
    seconds: float | None
    created: datetime
    reason: str

    @property
    def is_over(self) -> bool:
        return self.status not in RUNNING


def describe_tuning_job(context: Context, name: str) -> dict[str, Any] | None:
    """Return what DescribeHyperParameterTuningJob tells, or None for a name that was never used."""
    describe = context.environment.client("sagemaker").describe_hyper_parameter_tuning_job
    return if_there(describe, HyperParameterTuningJobName=name)


def trials_of(context: Context, tuning_job: str) -> list[Trial]:
    """Return the trials of a tuning job, in the order in which they were begun."""
    pages = context.environment.client("sagemaker").get_paginator("list_training_jobs_for_hyper_parameter_tuning_job")
    listed = pages.paginate(HyperParameterTuningJobName=tuning_job, SortBy="CreationTime", SortOrder="Ascending")
    return [_trial(summary) for page in listed for summary in page["TrainingJobSummaries"]]


def best_of(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial of the highest validation accuracy among those that came to their end; of equals the first.

    AWS's own choice may be one that was ended early, which has no artifact.
    """
    whole = [trial for trial in trials if trial.status == "Completed" and trial.accuracy is not None]
    return max(whole, key=lambda trial: trial.accuracy or 0.0, default=None)


def values_text(tuned: Mapping[str, Any]) -> str:
    """Write hyperparameters such as "hidden_dim 64 · learning_rate 0.00134"."""
    return " · ".join(f"{name} {_short(value)}" for name, value in sorted(tuned.items()))


def _trial(summary: Mapping[str, Any]) -> Trial:
    metric = summary.get("FinalHyperParameterTuningJobObjectiveMetric")
    began, ended = summary.get("TrainingStartTime"), summary.get("TrainingEndTime")
    return Trial(
        name=summary["TrainingJobName"],
        status=summary["TrainingJobStatus"],
        tuned={name: json.loads(value) for name, value in summary["TunedHyperParameters"].items()},
        accuracy=metric["Value"] if metric else None,
        seconds=(ended - began).total_seconds() if began and ended else None,
        created=summary["CreationTime"].astimezone(UTC),
        reason=summary.get("FailureReason", ""),
    )


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
