"""`sentictl predict`: positive or negative?"""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer

from sentictl.cli import answers
from sentictl.cli.answers import Via
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command, setting
from sentictl.errors import UsageError

app = typer.Typer(add_completion=False)
BATCH = "Many reviews at once: --via batch"


def of_file(meaning: str) -> Any:
    """An option about the reviews of `--file`; the settings stay as they are."""
    return typer.Option(help=meaning, rich_help_panel="How --file is read")


@app.command("predict")
@command
def predict(
    invocation: Invocation,
    reviews: Annotated[list[str] | None, typer.Argument(help="Reviews, or - for one a line on stdin.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show which words and phrases made it so.")] = False,
    file: Annotated[str | None, typer.Option(metavar="PATH", help="A table or .txt file of reviews.")] = None,
    review_column: Annotated[str | None, of_file("The column of the reviews.")] = None,
    delimiter: Annotated[str | None, of_file("What parts the fields, such as ; or tab. Else found out.")] = None,
    encoding: Annotated[str | None, of_file("The encoding of the file, such as cp1252. Else found out.")] = None,
    output: Annotated[
        str | None, typer.Option(metavar="PATH", help="Write the answers to this .jsonl or .csv file.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on where the answers in --output end.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Stop at the first row that cannot be answered.")] = False,
    via: Annotated[
        Via, typer.Option(help="The model on this machine, the deployed API or endpoint, or a transform job.")
    ] = Via.LOCAL,
    instances: Annotated[
        int | None, typer.Option(min=1, max=100, help="Machines of the transform job.", rich_help_panel=BATCH)
    ] = None,
    every: Annotated[
        str | None,
        setting("Answer what lies on S3 each time, such as day 03:00; off: no more.", metavar="WHEN", group=BATCH),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be done, and its price.", rich_help_panel=BATCH)
    ] = False,
) -> None:
    """Tell whether reviews are positive or negative.

    By default the model artifact on this machine is asked, which needs no server. With --via batch, machines of AWS's
    answer a file of any size and end; both files can be on S3 then, as s3://BUCKET/KEY. The same command again goes on
    where one was interrupted. With --every, a schedule has JSON Lines on S3 answered at that time, again and again.
    """
    if resume and not output:
        raise UsageError("--resume goes on with answers in a file.", "Name it with --output.")
    form = {"review_column": review_column, "delimiter": delimiter, "encoding": encoding}
    if every is not None:
        apart = {"instances": instances, "explain": explain, "strict": strict, "resume": resume, **form}
        _check_schedule(reviews, via, apart)
        _schedule(invocation, every, file, output, dry_run=dry_run)
        return
    if via is Via.BATCH:
        _check_batch(reviews, file, output, explain=explain, resume=resume, dry_run=dry_run)
        if dry_run:
            _plan_batch(invocation, str(file), form, instances)
        else:
            answers.write_batch(invocation, str(file), str(output), form, instances, strict=strict)
        return
    _check_here(file, output, batch_alone={"--instances": instances, "--dry-run": dry_run})
    asked = answers.given(invocation, reviews or [], Path(file) if file else None, form)
    with closing(answers.asker_of(invocation, via, explain=explain, many=asked.many)) as asker:
        if output:
            answers.write(invocation, Path(output), asked, asker, resume=resume, strict=strict)
        else:
            answers.tell(invocation, asked, asker, strict=strict)


def _schedule(invocation: Invocation, every: str, file: str | None, output: str | None, *, dry_run: bool) -> None:
    """Have reviews on S3 answered by themselves, or no more."""
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    settings = {f"batch.schedule.{name}": value for name, value in (("input", file), ("output", output)) if value}
    settings["batch.schedule.every"] = every
    with opened(invocation, announced=True) as project:
        if dry_run:
            show_plan(invocation.output, project.batch.plan_schedule(settings))
            return
        record = project.batch.schedule(settings)
    name = record.name if record else ""
    invocation.output.result({"schedule": name}, name or "Nothing is scheduled.")


def _check_batch(
    reviews: list[str] | None, file: str | None, output: str | None, *, explain: bool, resume: bool, dry_run: bool
) -> None:
    """Refuse what a transform job cannot do."""
    if reviews or not file:
        raise UsageError("A transform job answers a file.", "Name it with --file, or ask --via endpoint.")
    if not output and not dry_run:
        raise UsageError("A transform job writes its answers to a file.", "Name it with --output.")
    if explain:
        raise UsageError("A transform job explains nothing.", "Leave out --explain, or ask --via local.")
    if resume:
        raise UsageError("A transform job is gone on with by itself.", "Leave out --resume.")


def _check_schedule(reviews: list[str] | None, via: Via, apart: Mapping[str, object]) -> None:
    """Refuse what says nothing of a schedule, instead of leaving it aside."""
    if reviews:
        raise UsageError("A schedule answers a folder on S3.", "Name it with --file, and leave out the reviews.")
    if via not in (Via.LOCAL, Via.BATCH):
        raise UsageError(f"A schedule begins transform jobs, and asks no {via}.", "Leave out --via.")
    if odd := next((name for name, value in apart.items() if value), None):
        machines = " Machines are told with: sentictl config set batch.instance_count N" if odd == "instances" else ""
        raise UsageError(f"--{odd.replace('_', '-')} does not go with --every.", f"Leave it out.{machines}")


def _check_here(file: str | None, output: str | None, batch_alone: dict[str, object]) -> None:
    """Refuse what a transform job alone can do."""
    given = [option for option, value in batch_alone.items() if value]
    given += [name for name in (file, output) if name and name.startswith("s3://")]
    if given:
        raise UsageError(f"{given[0]} goes with --via batch alone.", "Add that, or leave it out.")


def _plan_batch(invocation: Invocation, file: str, form: dict[str, str | None], instances: int | None) -> None:
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    reading = {name: value for name, value in form.items() if value}
    with opened(invocation, announced=True) as project:
        show_plan(invocation.output, project.batch.plan(file, instances=instances, reading=reading))
