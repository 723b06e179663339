"""`sentictl models`: the versions of the model."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from sentictl.cli.hints import in_environment
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.cli.view.lines import hanging, unbroken

app = typer.Typer(add_completion=False)


class What(StrEnum):
    """What is asked besides the list."""

    COMPARE_LIVE = "compare-live"


@app.command("models")
@command
def models(
    invocation: Invocation,
    what: Annotated[
        What | None,
        typer.Argument(
            metavar="[compare-live]",
            help="Instead of the list, how the shadow differs from the live one.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """List what each training made, and which of it is live.

    The oldest comes first. "live" is what the endpoint serves, "here" what predict and evaluate ask on this machine.
    "shadow" is what gets a copy of the endpoint's requests and answers nobody, as deploy --shadow has it. "pruned" is
    one whose artifact was deleted by `sentictl prune`.
    """
    from sentictl.cli.open_project import opened

    if what:
        with opened(invocation) as project:
            found = project.compare_live().document()
        invocation.output.result(found, "\n".join(_compared(found)))
        return
    with opened(invocation) as project:
        known = [version.document() for version in project.models()]
        pinned = project.settings.deploy.model
    lines = [_lines(model, invocation.output.width) for model in known]
    none = f"There is no model in the environment {invocation.environment} yet."
    invocation.output.result({"models": known, "pinned": pinned}, "\n".join(lines) or none)
    if pinned:
        again = unbroken(in_environment("sentictl deploy --model latest", invocation.env))
        invocation.output.say("\n" + hanging("", f"Pinned to {pinned}. The newest is served again by: {again}"))


def _lines(model: dict[str, Any], width: int) -> str:
    words = (("live", "live"), ("shadow", "shadow"), ("here", "current"), ("pruned", "pruned"))
    marks = [word for word, key in words if model[key]]
    trained = f"{model['trained'][:16].replace('T', ' ')} UTC"
    known = [model["name"], model["architecture"], unbroken(trained), *filter(None, [", ".join(marks)])]
    first = hanging(f"{model['number']:>2}  ", " · ".join(known), width)
    return f"{first}\n{hanging(' ' * 4, ' · '.join(map(unbroken, _figures(model))), width)}"


def _figures(model: dict[str, Any]) -> Iterator[str]:
    if model["validation_accuracy"] is not None:
        yield f"validation {100 * model['validation_accuracy']:.1f} %"
    if model["test"]:
        low, high = (100 * bound for bound in model["test"]["interval"])
        yield f"test {100 * model['test']['accuracy']:.1f} % ({low:.1f} to {high:.1f})"


def _compared(found: dict[str, Any]) -> Iterator[str]:
    yield f"{found['shadow']} is the shadow, {found['live']} answers."
    yield f"Both answered {found['requests']:,} requests, with {found['reviews']:,} reviews."
    if found["reviews"]:
        low, high = (100 * bound for bound in found["interval"])
        yield f"Another verdict: {found['differing']:,}, {100 * found['share']:.1f} % ({low:.1f} to {high:.1f})"
        absolute, signed = found["mean_absolute_difference"], found["mean_difference"]
        yield f"Probability of positive: {absolute:.3f} apart on average, the shadow's {signed:+.3f}"
    if found["only_live"] or found["only_shadow"]:
        yield f"Only the live one answered {found['only_live']:,} requests, only the shadow {found['only_shadow']:,}."
    if not found["enough"]:
        yield "That is not enough yet to say how they differ."
