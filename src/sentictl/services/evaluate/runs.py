"""Runs: every training job that is recorded, as a version of the model or as a tuning job's trial, side by side."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from typing import Any

from sentictl.lifecycle.cost import Machines
from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.manifest import read_manifest
from sentictl.services.evaluate.metrics import Interval, wilson_interval
from sentictl.services.evaluate.versions import Version, versions
from sentictl.services.pricing.estimate import hourly_price_of
from sentictl.services.resources.training import RESERVED, dataset_of, describe_training_job
from sentictl.services.tuning.job import TuningJob
from sentictl.services.tuning.trials import Trial, describe_tuning_job, trials_of

SORTS = ("started", "accuracy", "seconds", "price")


@dataclass(frozen=True)
class Run:
    """A training job: a version of the model, a tuning job's trial, or both.

    Attributes:
        name: the training job's name.
        number: the version's; None for a trial that is none.
        tuning_job: whose trial it is; "" where it is none.
        status: AWS's word for its state; "Gone" where only a version's record is left.
        settings: its hyperparameters.
        validation_accuracy: what it reported last; None where it reported nothing.
        interval: the 95 % confidence interval of that; None where the dataset is not on this machine.
        seconds: how long its machines worked, or were paid for; None where that is not known.
        price: what that costs on AWS, in USD, at the price of the machines that it asked for; None where unknown.
        started: when the training job was created, in ISO 8601, UTC.
        live: whether the endpoint serves it.
        pruned: when its artifact was deleted by `prune`, an ISO date; "" where it was not.
    """

    name: str
    number: int | None
    tuning_job: str
    status: str
    settings: Mapping[str, Any]
    validation_accuracy: float | None
    interval: Interval | None
    seconds: float | None
    price: float | None
    started: str
    live: bool
    pruned: str

    def document(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Runs:
    """All runs of an environment.

    Attributes:
        runs: oldest first, or as `by` sorts them.
        prices: whose prices of machines these are, and of which day.
        billed: False where nothing is paid, since all of it runs on this machine.
    """

    runs: Sequence[Run]
    prices: str
    billed: bool

    def by(self, sort: str) -> "Runs":
        """Return the same, by "started", "seconds" or "price", the least first, or by "accuracy", the best first."""
        return replace(self, runs=sorted(self.runs, key=lambda run: _order(run, sort)))

    @property
    def differing(self) -> list[str]:
        """The hyperparameters in which the runs differ."""
        names = sorted({name for run in self.runs for name in run.settings})
        return [name for name in names if len({json.dumps(run.settings.get(name)) for run in self.runs}) > 1]

    def document(self) -> dict[str, Any]:
        return {
            "runs": [run.document() for run in self.runs],
            "differing": self.differing,
            "prices": self.prices,
            "billed": self.billed,
        }


def runs(context: Context) -> Runs:
    """Return all runs of the environment, oldest first."""
    known = versions(context)
    price = _Prices(context)
    tried = [run for record in context.state.of_kind(TuningJob.kind) for run in _trials(context, record.name, price)]
    by_name = {version.name: version for version in known}
    trials = [_as_version(run, by_name[run.name]) if run.name in by_name else run for run in tried]
    names = {run.name for run in trials}
    others = [_of_version(context, version, price) for version in known if version.name not in names]
    billed = context.environment.billed
    return Runs(sorted([*trials, *others], key=lambda run: (run.started, run.name)), price.source, billed)


class _Prices:
    """The prices of training machines, each asked for once."""

    def __init__(self, context: Context) -> None:
        self._hourly = cache(lambda machines: hourly_price_of(context, machines))
        train = context.settings.train
        self.source = self._hourly(Machines("Training", train.instance_type, 1, standing=False))[1]

    def of(self, resources: Mapping[str, Any], seconds: float | None) -> float | None:
        """Return what a training job's machines cost, given its `ResourceConfig` and how long they worked."""
        machines = Machines("Training", resources["InstanceType"], resources["InstanceCount"], standing=False)
        hourly, _ = self._hourly(machines)
        return None if hourly is None or seconds is None else hourly * seconds / 3600


def _trials(context: Context, tuning_job: str, price: _Prices) -> Iterator[Run]:
    job = describe_tuning_job(context, tuning_job)
    if job is None:
        return
    definition = job["TrainingJobDefinition"]
    static = _decoded(definition["StaticHyperParameters"])
    reviews = _validation_reviews(context, static.pop("dataset", ""))
    for trial in trials_of(context, tuning_job):
        yield _of_trial(trial, tuning_job, static, reviews, price.of(definition["ResourceConfig"], trial.seconds))


def _of_trial(trial: Trial, tuning_job: str, static: Mapping[str, Any], reviews: int, price: float | None) -> Run:
    return Run(
        name=trial.name,
        number=None,
        tuning_job=tuning_job,
        status=trial.status,
        settings={**static, **trial.tuned},
        validation_accuracy=trial.accuracy,
        interval=_interval(trial.accuracy, reviews),
        seconds=trial.seconds,
        price=price,
        started=trial.created.isoformat(timespec="milliseconds"),
        live=False,
        pruned="",
    )


def _as_version(run: Run, version: Version) -> Run:
    return replace(run, number=version.number, live=version.live, pruned=version.pruned)


def _of_version(context: Context, version: Version, price: _Prices) -> Run:
    job = describe_training_job(context, version.name) or {}
    seconds = job.get("BillableTimeInSeconds", job.get("TrainingTimeInSeconds"))
    settings = _decoded(job.get("HyperParameters", {}))
    settings.pop("dataset", None)
    return Run(
        name=version.name,
        number=version.number,
        tuning_job="",
        status=job.get("TrainingJobStatus", "Gone"),
        settings=settings,
        validation_accuracy=version.validation_accuracy,
        interval=_interval(version.validation_accuracy, _validation_reviews(context, version.dataset)),
        seconds=seconds,
        price=price.of(job["ResourceConfig"], seconds) if job else None,
        started=version.trained,
        live=version.live,
        pruned=version.pruned,
    )


def _decoded(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Return those that the script takes, each decoded."""
    own = {name: value for name, value in hyperparameters.items() if not name.startswith(RESERVED)}
    dataset = {"dataset": dataset_of({"HyperParameters": own})} if "dataset" in own else {}
    return {name: json.loads(value) for name, value in own.items() if name != "dataset"} | dataset


def _validation_reviews(context: Context, dataset: str) -> int:
    """Return how many validation reviews a dataset has; 0 where it is not on this machine."""
    manifest = read_manifest(context.config.folder.datasets / dataset) if dataset else None
    return manifest.splits["validation"].reviews if manifest else 0


def _interval(accuracy: float | None, reviews: int) -> Interval | None:
    return wilson_interval(round(accuracy * reviews), reviews) if accuracy is not None and reviews else None


def _order(run: Run, sort: str) -> tuple[bool, float, str]:
    """Return what a run is sorted by; one that lacks it comes last."""
    values = {
        "accuracy": None if run.validation_accuracy is None else -run.validation_accuracy,
        "seconds": run.seconds,
        "price": run.price,
        "started": 0.0,
    }
    value = values[sort]
    return value is None, value or 0.0, run.started
