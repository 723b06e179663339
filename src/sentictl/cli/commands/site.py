"""`sentictl site`: the web page in front of the API."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Adopt, DryRun, Invocation, command

app = typer.Typer(add_completion=False)


@app.command("site")
@command
def site(
    invocation: Invocation,
    title: Annotated[str | None, typer.Option(help="The page's heading.")] = None,
    publish: Annotated[
        str | None, typer.Option(help="Who serves it: api (the API's own GET) or s3 (a public website bucket).")
    ] = None,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Render the web page and publish it."""
    from sentictl.cli.session import changing
    from sentictl.services.website import page_url
    from sentictl.stack import check_ready

    flags = {"site.title": title, "site.publish": publish}
    # Whether the API serves the page is part of the API.
    commands = ["wire-api", "site"] if publish else ["site"]
    if dry_run:
        from sentictl.cli.planning import show_plan

        show_plan(invocation, commands, flags, adopt=adopt)
        return
    with changing(invocation, flags) as (context, progress):
        check_ready(context, "site")
        for name in commands:
            progress.run(name, context, adopt=adopt)
        url = page_url(context)
        copy = context.config.folder.page
    invocation.output.result({"page_url": url, "file": str(copy)}, url)
