"""`sentictl prune`: delete what nothing serves."""

import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from sentictl.cli.hints import in_environment
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.cli.view.lines import hanging, unbroken

app = typer.Typer(add_completion=False)


@app.command("prune")
@command
def prune(
    invocation: Invocation,
    keep: Annotated[int, typer.Option("--keep", min=1, help="How many of the newest versions stay in any case.")] = 3,
    yes: Annotated[bool, typer.Option("--yes", help="Delete it, and do not ask.")] = False,
) -> None:
    """Delete datasets, versions and leftovers that nothing serves.

    First it is shown, with its size; a terminal asks, and elsewhere nothing is deleted without --yes. What is live,
    pinned or asked on this machine stays, as does the version before the live one, and the datasets of all of these.
    """
    from sentictl.cli.open_project import agreed, opened

    with opened(invocation, announced=True) as project:
        found = project.prune(keep) if yes else project.plan_prune(keep)
    _show(invocation, found.document(), deleted=yes)
    if yes or not found.unused:
        return
    if invocation.json or not sys.stdin.isatty():
        again = in_environment(f"sentictl prune --keep {keep} --yes", invocation.env)
        invocation.output.say("\n" + hanging("", f"Nothing was deleted yet. Delete it: {unbroken(again)}"))
        return
    agreed(invocation, "this", yes=False, confirm=None)
    with opened(invocation, announced=True) as project:
        pruned = project.prune(keep)
    invocation.output.result(None, f"Freed {_size(pruned.size)}.")


def _show(invocation: Invocation, found: dict[str, Any], *, deleted: bool) -> None:
    rows = [(each["kind"], _told(each)) for each in found["unused"]]
    rows += [("left alone", f"{each['where']}: {each['why']}") for each in found["untouched"]]
    lines = [hanging(f"  {kind:<12} ", told, invocation.output.width) for kind, told in rows]
    total = f"{'Freed' if deleted else 'This frees'} {_size(found['bytes'])}."
    invocation.output.result(
        {**found, "deleted": deleted}, "\n".join([*lines, total if found["unused"] else "There is nothing to prune."])
    )


def _told(unused: dict[str, Any]) -> str:
    return " · ".join([unbroken(unused["name"]), *(unbroken(place) for place in _places(unused))])


def _places(unused: dict[str, Any]) -> Iterator[str]:
    if unused["bytes_on_s3"]:
        yield f"{_size(unused['bytes_on_s3'])} on S3"
    if unused["bytes_here"]:
        yield f"{_size(unused['bytes_here'])} here"


def _size(count: int) -> str:
    """A number of bytes as a person reads it, in powers of ten."""
    for unit, one in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if count >= one:
            return f"{count / one:.1f} {unit}"
    return f"{count} bytes"
