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
    from sentictl.cli.planning import show_plan
    from sentictl.cli.session import opened

    settings = {"site.title": title, "site.publish": publish}
    with opened(invocation) as project:
        if dry_run:
            show_plan(invocation.output, project.plan("site", settings=settings, adopt=adopt))
            return
        project.site(settings, adopt=adopt)
        url = project.page_url
        copy = project.session.folder.page
    invocation.output.result({"page_url": url, "file": str(copy)}, url)
