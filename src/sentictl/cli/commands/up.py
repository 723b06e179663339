"""`sentictl up`: the whole chain."""

import shlex
from typing import Any

import typer

from sentictl.cli.invocation import Adopt, DryRun, Invocation, command

app = typer.Typer(add_completion=False)


@app.command("up")
@command
def up(invocation: Invocation, dry_run: DryRun = False, adopt: Adopt = False) -> None:
    """Do the whole chain: data, train, deploy, wire-lambda, wire-api, site.

    Run it again at any time: it goes on where it was interrupted, and changes only what the settings changed.
    In a folder without a project it begins one.
    """
    from sentictl.cli.planning import show_plan
    from sentictl.cli.session import opened
    from sentictl.folder import ProjectFolder
    from sentictl.services.initializing import begin

    if ProjectFolder.find() is None and not dry_run:
        invocation.output.say(f"  wrote {begin().settings_file.name}")
    with opened(invocation) as project:
        if dry_run:
            show_plan(invocation.output, project.plan(adopt=adopt))
            return
        live = project.up(adopt=adopt)
    document = live.document()
    invocation.output.result(document, _summary(document, str(live.costs)))
    invocation.next("predict 'what a film'", "status", "down")


def _summary(document: dict[str, Any], costs: str) -> str:
    test = document["test"]
    low, high = (100 * bound for bound in test["interval"])
    curl = f"curl --data {shlex.quote('what a film')} {shlex.quote(document['api_url'])}"
    return "\n".join(
        (
            "",
            f"Page: {document['page_url']}",
            f"API:  {document['api_url']}",
            f"Test: {100 * test['accuracy']:.1f} % right ({low:.1f} to {high:.1f}) on {test['reviews']:,} reviews",
            f"Cost: {costs}",
            f"Try:  {curl}",
        )
    )
