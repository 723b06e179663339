"""`sentictl site`: the web page in front of the API."""

from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("site")
@command
def site(
    invocation: Invocation,
    title: Annotated[str | None, typer.Option(help="The page's heading.")] = None,
    publish: Annotated[
        str | None, typer.Option(help="Who serves it: api (the API's own GET) or s3 (a public website bucket).")
    ] = None,
) -> None:
    """Render the web page and publish it."""
    from sentictl.cli.session import changing
    from sentictl.services.website import page_url

    with changing(invocation, {"site.title": title, "site.publish": publish}) as (context, progress):
        context.recorded("rest-api", "wire-api")
        if publish:
            progress.run("wire-api", context)  # whether the API serves the page is part of the API
        progress.run("site", context)
        url = page_url(context)
        copy = context.project.folder.page
    invocation.output.result({"page_url": url, "file": str(copy)}, url)
