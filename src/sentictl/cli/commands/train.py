"""`sentictl train`: a SageMaker training job, followed to its end."""

import json
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("train")
@command
def train(
    invocation: Invocation,
    epochs: Annotated[int | None, typer.Option(help="Passes over the training reviews, at most.")] = None,
    patience: Annotated[int | None, typer.Option(help="Stop after so many epochs without progress.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Reviews in a step.")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="The highest step size.")] = None,
    embedding_dim: Annotated[int | None, typer.Option(help="Units of a token's embedding.")] = None,
    hidden_dim: Annotated[int | None, typer.Option(help="Units of the LSTM.")] = None,
    dropout: Annotated[float | None, typer.Option(help="The share of units dropped in training.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="Tokens of a review that are read, at most.")] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same model.")] = None,
    instance_type: Annotated[str | None, typer.Option(help="The machine on AWS, such as ml.m5.xlarge.")] = None,
    max_minutes: Annotated[int | None, typer.Option(help="The job is stopped after so long.")] = None,
    wait: Annotated[bool, typer.Option(help="Follow the job to its end.")] = True,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the running job instead.")] = False,
) -> None:
    """Train the model as a SageMaker training job.

    Options given here are written to sentictl.toml. The same data, code and hyperparameters again train nothing.
    """
    from sentictl.cli.session import changing
    from sentictl.services.instances import check_instance_types

    flags = {
        "train.epochs": epochs,
        "train.patience": patience,
        "train.batch_size": batch_size,
        "train.learning_rate": learning_rate,
        "train.embedding_dim": embedding_dim,
        "train.hidden_dim": hidden_dim,
        "train.dropout": dropout,
        "train.max_tokens": max_tokens,
        "train.seed": seed,
        "train.instance_type": instance_type,
        "train.max_minutes": max_minutes,
    }
    if stop:
        _stop(invocation)
        return
    with changing(invocation, flags, check=lambda context, _: check_instance_types(context)) as (context, progress):
        context.recorded("dataset", "data")
        progress.run("train", context, wait=wait)
        record = context.recorded("training-job", "train")
        metadata = context.project.folder.models / record.name / "metadata.json"
        metrics = json.loads(metadata.read_text(encoding="utf-8"))["metrics"] if wait else None
    document = {"name": record.name, "arn": record.arn, **record.attributes, "metrics": metrics}
    invocation.output.result(document, record.name)
    invocation.next(*(("evaluate", "deploy") if wait else ("train",)))


def _stop(invocation: Invocation) -> None:
    from sentictl.cli.session import looking
    from sentictl.services.training import stop_running_job

    name = stop_running_job(looking(invocation))
    invocation.output.result({"stopped": name}, f"Stopped {name}." if name else "No training job is running.")
