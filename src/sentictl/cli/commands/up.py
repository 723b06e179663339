"""`sentictl up`: the whole chain."""

import shlex
from typing import TYPE_CHECKING, Any

import typer

from sentictl.cli.invocation import Adopt, DryRun, Invocation, command

if TYPE_CHECKING:
    from sentictl.cli.progress import Progress
    from sentictl.lifecycle.resource import Context
    from sentictl.services.evaluation import Evaluation

app = typer.Typer(add_completion=False)


@app.command("up")
@command
def up(invocation: Invocation, dry_run: DryRun = False, adopt: Adopt = False) -> None:
    """Do the whole chain: data, train, deploy, wire-lambda, wire-api, site.

    Run it again at any time: it goes on where it was interrupted, and changes only what the settings changed.
    In a folder without a project it begins one.
    """
    from sentictl.cli.session import changing
    from sentictl.folder import ProjectFolder
    from sentictl.services.gateway import invoke_url
    from sentictl.services.initializing import begin
    from sentictl.services.pricing import estimate
    from sentictl.services.website import page_url

    if dry_run:
        from sentictl.cli.planning import show_plan
        from sentictl.stack import CHAIN

        show_plan(invocation, list(CHAIN), adopt=adopt)
        return
    if ProjectFolder.find() is None:
        invocation.output.say(f"  wrote {begin().settings_file.name}")
    with changing(invocation) as (context, progress):
        _bring_up(context, progress, adopt=adopt)
        evaluation, costs = _evaluate(context), estimate(context)
        document = {
            "environment": context.environment.name,
            "page_url": page_url(context),
            "api_url": invoke_url(context),
            "model": evaluation.model,
            "test": evaluation.figures(),
            **costs.document(),
        }
    invocation.output.result(document, _summary(document, str(costs)))
    invocation.next("predict 'what a film'", "status", "down")


def _bring_up(context: "Context", progress: "Progress", *, adopt: bool) -> None:
    from sentictl.services.versions import check_not_worse, follow_served
    from sentictl.stack import CHAIN

    for name in CHAIN:
        if name == "deploy":
            progress.begin(name)
            check_not_worse(context)
        progress.run(name, context, adopt=adopt)
        if name == "deploy":
            follow_served(context)


def _evaluate(context: "Context") -> "Evaluation":
    """Measure the model that is served on the test split."""
    from sentictl.services.evaluation import ask, evaluate
    from sentictl.services.models import load_model
    from sentictl.services.samples import open_test_split
    from sentictl.services.versions import keep_evaluation

    folder = context.config.folder.current_model
    predictor = load_model(folder)
    sample = open_test_split(context.config, predictor.metadata.dataset, lambda: context)
    evaluation = evaluate(ask(predictor, sample), sample, mistakes=0)
    keep_evaluation(folder, evaluation)
    return evaluation


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
