"""`sentictl train`: a SageMaker training job, followed to its end."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command, setting
from sentictl.errors import UsageError

if TYPE_CHECKING:
    from sentictl.api.project import Project

app = typer.Typer(add_completion=False)
MODEL, LEARNING, MACHINES = "Settings: the model", "Settings: how it learns", "Settings: the machines"
TUNING = "Settings: how --tune searches"
SCHEDULE = "A schedule"
# What says nothing of a schedule, and is refused beside it.
APART = {"--tune": "tuning", "--no-resume": "resume", "--no-wait": "wait", "--adopt": "adopt"}
APART_DEFAULTS = {"tuning": False, "resume": True, "wait": True, "adopt": False}
SCHEDULE_SETTINGS = ("every", "tolerance")
TUNING_SETTINGS = ("strategy", "max_trials", "parallel_trials", "early_stopping")


class Architecture(StrEnum):
    """The parts of the model: scores of n-grams, an LSTM, or both."""

    NGRAM = "ngram"
    LSTM = "lstm"
    WIDE_LSTM = "wide-lstm"


class Strategy(StrEnum):
    """How a tuning job chooses the values of its trials."""

    BAYESIAN = "bayesian"
    RANDOM = "random"
    HYPERBAND = "hyperband"
    GRID = "grid"


@app.command("train")
@command
def train(
    invocation: Invocation,
    architecture: Annotated[
        Architecture | None, setting("What the model is made of.", "--arch", "--architecture", group=MODEL)
    ] = None,
    unlabelled: Annotated[
        bool | None, setting("Learn from unlabelled reviews as well.", "--unlabelled/--no-unlabelled", group=MODEL)
    ] = None,
    ngrams: Annotated[int | None, setting("N-grams that have a score, at most.", group=MODEL)] = None,
    lstm_vocabulary_size: Annotated[
        int | None, setting("Words that the LSTM tells apart, at most.", group=MODEL)
    ] = None,
    embedding_dim: Annotated[int | None, setting("Units of a token's embedding.", group=MODEL)] = None,
    hidden_dim: Annotated[int | None, setting("Units of the LSTM.", group=MODEL)] = None,
    max_tokens: Annotated[int | None, setting("Tokens of a review that are read, at most.", group=MODEL)] = None,
    epochs: Annotated[int | None, setting("Passes of the LSTM over the reviews, at most.", group=LEARNING)] = None,
    patience: Annotated[int | None, setting("Stop after so many epochs without progress.", group=LEARNING)] = None,
    batch_size: Annotated[int | None, setting("Reviews that go through the network at once.", group=LEARNING)] = None,
    accumulation: Annotated[int | None, setting("Batches that make one step.", group=LEARNING)] = None,
    learning_rate: Annotated[float | None, setting("The highest step size.", group=LEARNING)] = None,
    dropout: Annotated[float | None, setting("The share of units dropped in training.", group=LEARNING)] = None,
    mixed_precision: Annotated[
        bool | None,
        setting("16 bits where a GPU may use them.", "--mixed-precision/--full-precision", group=LEARNING),
    ] = None,
    seed: Annotated[int | None, setting("The same seed gives the same model.", group=LEARNING)] = None,
    instance_type: Annotated[str | None, setting("The machine on AWS, such as ml.m5.xlarge.", group=MACHINES)] = None,
    instance_count: Annotated[int | None, setting("Machines that train together.", group=MACHINES)] = None,
    spot: Annotated[
        bool | None, setting("Use AWS's spare machines: cheaper, interrupted at times.", group=MACHINES)
    ] = None,
    max_minutes: Annotated[int | None, setting("The job is stopped after so long.", group=MACHINES)] = None,
    strategy: Annotated[Strategy | None, setting("How values are chosen.", group=TUNING)] = None,
    max_trials: Annotated[int | None, setting("Training jobs, at most.", group=TUNING)] = None,
    parallel_trials: Annotated[int | None, setting("Training jobs at a time.", group=TUNING)] = None,
    early_stopping: Annotated[
        bool | None, setting("End trials that fall behind.", "--early-stopping/--no-early-stopping", group=TUNING)
    ] = None,
    tuning: Annotated[
        bool, typer.Option("--tune", help="Search better hyperparameters, in the ranges of [train.tune].")
    ] = False,
    every: Annotated[
        str | None,
        setting("Train again each time, such as sunday 02:00; off: no more.", metavar="WHEN", group=SCHEDULE),
    ] = None,
    tolerance: Annotated[
        float | None, setting("Points of accuracy that a new model may lack.", metavar="POINTS", group=SCHEDULE)
    ] = None,
    resume: Annotated[bool, typer.Option(help="Go on from what a job of the same inputs has done.")] = True,
    wait: Annotated[bool, typer.Option(help="Follow the job to its end.")] = True,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the running job, or the tuning job, instead.")] = False,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Train the model as a SageMaker training job.

    Options given here are written to sentictl.toml. The same data, code and hyperparameters again train nothing, or go
    on where a job of theirs stopped; --no-resume begins anew.

    With --tune many training jobs, the trials of a tuning job, try values between the ranges of [train.tune]. The best
    becomes a version of the model, and its values the settings.

    With --every a schedule prepares the source on S3 anew at that time, trains, and serves the new model unless it is
    worse than the one that is served, on the same validation reviews.
    """
    given = dict(locals())
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    invocation.check_alone("--stop", "stops the job that trains")
    with opened(invocation, announced=True) as project:
        if stop:
            _stop(invocation, project)
            return
        settings = _settings(project, given)
        if every is not None:
            _schedule(invocation, project, settings, dry_run=dry_run, apart=given)
            return
        if dry_run:
            planned = project.plan_tune(settings, anew=not resume, adopt=adopt) if tuning else None
            show_plan(invocation.output, planned or project.plan("train", settings=settings, adopt=adopt))
            return
        if tuning:
            record = project.tune(settings, anew=not resume, wait=wait, adopt=adopt)
        else:
            record = project.train(settings, resume=resume, wait=wait, adopt=adopt)
        metrics = project.metrics(record.name) if wait else None
    made = {"name": record.name, "arn": record.arn, "artifact": record.attributes.get("artifact")}
    invocation.output.result({**made, "metrics": metrics}, record.name)
    again = "train --tune" if tuning else "train"
    invocation.next(*(("runs", "deploy") if tuning and wait else ("evaluate", "deploy") if wait else (again,)))


def _settings(project: "Project", given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that options were given for; each option has the name of its setting."""
    train = project.settings.train
    tables = {"train": train.model_dump(exclude={"tune", "schedule"}), "train.tune": TUNING_SETTINGS}
    tables["train.schedule"] = SCHEDULE_SETTINGS
    return {f"{table}.{name}": given[name] for table, names in tables.items() for name in names if name in given}


def _schedule(
    invocation: Invocation, project: "Project", settings: Mapping[str, Any], *, dry_run: bool, apart: Mapping[str, Any]
) -> None:
    """Have the model trained by itself, or no more."""
    from sentictl.cli.view.plan import show_plan

    if odd := [option for option, name in APART.items() if apart[name] is not APART_DEFAULTS[name]]:
        raise UsageError(f"{odd[0]} does not go with --every.", "Leave it out.")
    if dry_run:
        show_plan(invocation.output, project.retraining.plan(settings))
        return
    record = project.retraining.schedule(settings)
    name = record.name if record else ""
    invocation.output.result({"schedule": name}, name or "Nothing is scheduled.")


def _stop(invocation: Invocation, project: "Project") -> None:
    name = project.stop_training()
    invocation.output.result({"stopped": name}, f"Stopped {name}." if name else "No training job is running.")
