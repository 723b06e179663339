"""`sentictl train`: a SageMaker training job, followed to its end."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command, setting

if TYPE_CHECKING:
    from sentictl.api.project import Project

app = typer.Typer(add_completion=False)
MODEL, LEARNING, MACHINES = "Settings: the model", "Settings: how it learns", "Settings: the machines"


class Architecture(StrEnum):
    """The parts of the model: scores of n-grams, an LSTM, or both."""

    NGRAM = "ngram"
    LSTM = "lstm"
    WIDE_LSTM = "wide-lstm"


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
    resume: Annotated[bool, typer.Option(help="Go on from the checkpoints of a job that did not finish.")] = True,
    wait: Annotated[bool, typer.Option(help="Follow the job to its end.")] = True,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the running job instead.")] = False,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Train the model as a SageMaker training job.

    Options given here are written to sentictl.toml. The same data, code and hyperparameters again train nothing, or go
    on where a job of theirs stopped; --no-resume begins anew.
    """
    given = dict(locals())
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    with opened(invocation, announced=True) as project:
        if stop:
            _stop(invocation, project)
            return
        # Each option has the name of its setting.
        settings = {f"train.{name}": given[name] for name in project.settings.train.model_dump() if name in given}
        if dry_run:
            show_plan(invocation.output, project.plan("train", settings=settings, adopt=adopt))
            return
        record = project.train(settings, resume=resume, wait=wait, adopt=adopt)
        metrics = project.metrics(record.name) if wait else None
    made = {"name": record.name, "arn": record.arn, "artifact": record.attributes.get("artifact")}
    invocation.output.result({**made, "metrics": metrics}, record.name)
    invocation.next(*(("evaluate", "deploy") if wait else ("train",)))


def _stop(invocation: Invocation, project: "Project") -> None:
    name = project.stop_training()
    invocation.output.result({"stopped": name}, f"Stopped {name}." if name else "No training job is running.")
