"""The best trial of a tuning job: a version of the model like any other, and perhaps the settings from now on."""

from dataclasses import dataclass
from typing import Any

from sentictl.config.state import Record
from sentictl.errors import TrainingError
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.artifacts import fetch_artifact, make_current
from sentictl.services.resources.training import ACCURACY, TrainingJob
from sentictl.services.tuning.trials import best_of, trials_of


@dataclass(frozen=True)
class Best:
    """The best trial, recorded.

    Args:
        record: of its training job, as the version that it is.
        settings: its values of what was tuned, by dotted key.
        better_before: the version that the settings made before and that is at least as good; None where it is better,
            or there is nothing to compare it with.
    """

    record: Record
    settings: dict[str, Any]
    better_before: Record | None


def record_best(context: Context, tuning_job: str) -> Best | None:
    """Record the best trial of a tuning job as a version, and fetch its artifact.

    It becomes the model that the settings make, unless the one that they made before is at least as good on the
    validation reviews of the same dataset. The test split takes no part in it.

    Returns:
        None where no trial has come to its end.

    Raises:
        ModelError: its artifact is not in the bucket any more.
        TrainingError: its training job was deleted.
    """
    trial = best_of(trials_of(context, tuning_job))
    if trial is None:
        return None
    live = TrainingJob(context).read(trial.name)
    if live is None:
        raise TrainingError(
            f"The training job {trial.name}, the best trial of {tuning_job}, is gone: it was deleted.",
            "Train with its values again; see them with: sentictl runs",
        )
    record = Record(TrainingJob.kind, trial.name, live.arn, live.attributes)
    before = _made_before(context, record)
    folder = fetch_artifact(context, record.name, record.attributes["artifact"])
    context.state.keep(record)
    if before:
        context.state.keep(before)  # stays the latest: the one that is served
    else:
        make_current(context, folder)
    context.config.save_state()
    return Best(record, {f"train.{name}": value for name, value in trial.tuned.items()}, before)


def _made_before(context: Context, trial: Record) -> Record | None:
    """Return the version that was made last, if it learned from the trial's dataset and is at least as good."""
    versions = [record for record in context.state.of_kind(TrainingJob.kind) if "artifact" in record.attributes]
    if not versions or versions[-1].name == trial.name or ACCURACY not in versions[-1].attributes:
        return None
    latest = versions[-1].attributes
    same = latest["dataset"] == trial.attributes["dataset"]
    return versions[-1] if same and float(latest[ACCURACY]) >= float(trial.attributes.get(ACCURACY, 0)) else None
