"""`sentictl up`: the whole chain."""

import shlex
from typing import TYPE_CHECKING

import typer

from sentictl.cli.examples import REVIEW
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command
from sentictl.cli.view.lines import unbroken
from sentictl.config.environments import env_option

if TYPE_CHECKING:
    from sentictl.api.results import Live

app = typer.Typer(add_completion=False)


@app.command("up")
@command
def up(invocation: Invocation, dry_run: DryRun = False, adopt: Adopt = False) -> None:
    """Do the whole chain, from the reviews to the page.

    Its parts are data, train, deploy, wire-lambda, wire-api and site. Run it again at any time: it goes on where it was
    interrupted, and changes only what the settings changed. In a folder without a project it begins one.
    """
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan
    from sentictl.config.project_folder import ProjectFolder
    from sentictl.scaffold.init import begin

    if ProjectFolder.find() is None and not dry_run:
        begun = begin()
        invocation.output.say(f"  wrote {begun.folder.settings_file.name}: the project is called {begun.name}")
    with opened(invocation, announced=True) as project:
        if dry_run:
            show_plan(invocation.output, project.plan(adopt=adopt))
            return
        live = project.up(adopt=adopt)
    invocation.output.say("")
    invocation.output.card(
        live.document(), "Made, and not answering yet" if live.missing else "Live", _rows(live, invocation.env)
    )
    invocation.next(f"predict '{REVIEW}'", "status", "down")


def _rows(live: "Live", env: str) -> list[tuple[str, str]]:
    accuracy, (low, high) = 100 * live.evaluation.accuracy, (100 * bound for bound in live.evaluation.interval)
    missing = f"{live.missing} AWS can take some minutes more; see: sentictl status{env_option(env)}"
    return [
        *([("Missing:", missing)] if live.missing else []),
        ("Page:", live.page_url),
        ("API:", live.api_url),
        ("Test:", f"{accuracy:.1f} % right ({low:.1f} to {high:.1f}) on {live.evaluation.reviews:,} reviews"),
        ("Cost:", str(live.costs)),
        ("Try:", unbroken(_attempt(live, env))),
    ]


def _attempt(live: "Live", env: str) -> str:
    """A command that asks the API as it wants to be asked."""
    if live.access != "none":  # what tells who asks would be seen by others of the machine on curl's command line
        return f"sentictl predict --via api '{REVIEW}'{env_option(env)}"
    return f"curl --data '{REVIEW}' {shlex.quote(live.api_url)}"
