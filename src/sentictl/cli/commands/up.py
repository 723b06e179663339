"""`sentictl up`: the whole chain."""

import shlex
from typing import Any

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("up")
@command
def up(invocation: Invocation) -> None:
    """Do the whole chain: data, train, deploy, wire-lambda, wire-api, site.

    Run it again at any time: it goes on where it was interrupted, and changes only what the settings changed.
    In a folder without a project it begins one.
    """
    from sentictl.cli.session import changing
    from sentictl.folder import ProjectFolder
    from sentictl.services.evaluation import ask, evaluate
    from sentictl.services.gateway import invoke_url
    from sentictl.services.initializing import begin
    from sentictl.services.models import load_model
    from sentictl.services.samples import open_test_split
    from sentictl.services.website import page_url
    from sentictl.stack import CHAIN

    if ProjectFolder.find() is None:
        invocation.output.say(f"  wrote {begin().settings_file.name}")
    with changing(invocation) as (context, progress):
        for name in CHAIN:
            progress.run(name, context)
        predictor = load_model(context.project.folder.current_model)
        sample = open_test_split(context.project, predictor.metadata.dataset, lambda: context)
        evaluation = evaluate(ask(predictor, sample), sample, mistakes=0)
        document = {
            "environment": context.environment.name,
            "page_url": page_url(context),
            "api_url": invoke_url(context),
            "model": evaluation.model,
            "test": evaluation.figures(),
        }
    invocation.output.result(document, _summary(document))
    invocation.next("predict 'what a film'", "status", "down")


def _summary(document: dict[str, Any]) -> str:
    test = document["test"]
    low, high = (100 * bound for bound in test["interval"])
    curl = f"curl --data {shlex.quote('what a film')} {shlex.quote(document['api_url'])}"
    return "\n".join(
        (
            "",
            f"Page: {document['page_url']}",
            f"API:  {document['api_url']}",
            f"Test: {100 * test['accuracy']:.1f} % right ({low:.1f} to {high:.1f}) on {test['reviews']:,} reviews",
            f"Try:  {curl}",
        )
    )
