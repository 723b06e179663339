"""`sentictl train`: a SageMaker training job, followed to its end."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Adopt, DryRun, Invocation, command

if TYPE_CHECKING:
    from sentictl.project import Project

app = typer.Typer(add_completion=False)


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
        Architecture | None, typer.Option("--arch", "--architecture", help="What the model is made of.")
    ] = None,
    unlabelled: Annotated[
        bool | None, typer.Option("--unlabelled/--no-unlabelled", help="Learn from unlabelled reviews as well.")
    ] = None,
    ngrams: Annotated[int | None, typer.Option(help="N-grams that have a score, at most.")] = None,
    ngram_epochs: Annotated[int | None, typer.Option(help="Passes of the linear part.")] = None,
    lstm_vocabulary_size: Annotated[int | None, typer.Option(help="Words that the LSTM tells apart, at most.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Passes of the LSTM over the reviews, at most.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many epochs without progress.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Reviews that go through the network at once.")] = None,
    accumulation: Annotated[int | None, typer.Option(help="Batches that make one step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest step size.")] = None,
    embedding_dim: Annotated[int | None, typer.Option(help="Units of a token's embedding.")] = None,
    hidden_dim: Annotated[int | None, typer.Option(help="Units of the LSTM.")] = None,
    dropout: Annotated[float | None, typer.Option(help="The share of units dropped in training.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens of a review that are read, at most.")] = None,
    mixed_precision: Annotated[
        bool | None, typer.Option("--mixed-precision/--full-precision", help="16 bits where a GPU may use them.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same model.")] = None,
    instance_type: Annotated[str | None, typer.Option(help="The machine on AWS, such as ml.m5.xlarge.")] = None,
    instance_count: Annotated[int | None, typer.Option(help="Machines that train together.")] = None,
    spot: Annotated[bool | None, typer.Option(help="Use AWS's spare machines: cheaper, interrupted at times.")] = None,
    max_minutes: Annotated[int | None, typer.Option(help="The job is stopped after so long.")] = None,
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
    from sentictl.cli.planning import show_plan
    from sentictl.cli.session import opened
    from sentictl.settings import TrainSettings

    # Each option has the name of its setting.
    settings = {f"train.{name}": given[name] for name in TrainSettings.model_fields if name in given}
    with opened(invocation) as project:
        if stop:
            _stop(invocation, project)
            return
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
