"""`sentictl models`: the versions of the model."""

from collections.abc import Iterator
from typing import Any

import typer

from sentictl.cli.hints import in_environment
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.cli.view.lines import hanging, unbroken

app = typer.Typer(add_completion=False)


@app.command("models")
@command
def models(invocation: Invocation) -> None:
    """List what each training made, and which of it is live.

    The oldest comes first. "live" is what the endpoint serves, "here" what predict and evaluate ask on this machine.
    "pruned" is one whose artifact was deleted by `sentictl prune`.
    """
    from sentictl.cli.open_project import opened

    with opened(invocation) as project:
        found = [version.document() for version in project.models()]
        pinned = project.settings.deploy.model
    lines = [_lines(model, invocation.output.width) for model in found]
    none = f"There is no model in the environment {invocation.environment} yet."
    invocation.output.result({"models": found, "pinned": pinned}, "\n".join(lines) or none)
    if pinned:
        again = unbroken(in_environment("sentictl deploy --model latest", invocation.env))
        invocation.output.say("\n" + hanging("", f"Pinned to {pinned}. The newest is served again by: {again}"))


def _lines(model: dict[str, Any], width: int) -> str:
    marks = [word for word, key in (("live", "live"), ("here", "current"), ("pruned", "pruned")) if model[key]]
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
