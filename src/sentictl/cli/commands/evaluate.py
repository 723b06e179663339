"""`sentictl evaluate`: how good the model is."""

from pathlib import Path
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("evaluate")
@command
def evaluate(
    invocation: Invocation,
    data: Annotated[
        Path | None, typer.Option(help="Labelled reviews to measure on, of any form that `data --source` takes.")
    ] = None,
) -> None:
    """Measure the model on the test split, or on other labelled reviews.

    The test split neither trained the model nor chose anything about it.
    """
    from sentictl.cli.session import looking, open_project
    from sentictl.reviews.sources import open_source, user_cache
    from sentictl.services.evaluation import evaluate_source, load_model
    from sentictl.services.testing import evaluate_test_split

    project = open_project(invocation)
    if data is None:
        result = evaluate_test_split(project, lambda: looking(invocation))
    else:
        settings = project.settings.data.model_copy(update={"source": str(data)})
        predictor = load_model(project.folder.current_model)
        source = open_source(settings, Path.cwd(), user_cache(), lambda *_: None)
        result = evaluate_source(predictor, source)
    low, high = (100 * bound for bound in result.interval)
    area = "" if result.roc_auc is None else f" · ROC AUC {result.roc_auc:.3f}"
    text = (
        f"{100 * result.accuracy:.1f} % right, 95 % interval {low:.1f} to {high:.1f}, "
        f"on {result.reviews:,} reviews\nF1 {result.f1:.3f}{area}"
    )
    invocation.output.result(result.to_json(), text)
