"""`sentictl site`: the web page in front of the API."""

from typing import TYPE_CHECKING, Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import Adopt, DryRun, command, setting
from sentictl.errors import UsageError

if TYPE_CHECKING:
    from sentictl.api.project import Project

app = typer.Typer(add_completion=False)


@app.command("site")
@command
def site(
    invocation: Invocation,
    title: Annotated[str | None, setting("The page's heading.")] = None,
    publish: Annotated[
        str | None, setting("Who serves it: api (the API's own GET) or s3 (a public website bucket).")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve", help="Publish nothing: serve it on this machine until Ctrl-C.")
    ] = False,
    port: Annotated[int, typer.Option(help="The port for --serve; 0: a free one.", min=0, max=65535)] = 0,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    dry_run: DryRun = False,
    adopt: Adopt = False,
) -> None:
    """Render the web page, and publish it or serve it here.

    What --title and --publish say is written to sentictl.toml. Colors, texts and examples are settings in [site]; a
    template of the project's own in templates/site/ goes before the installed one.
    """
    from sentictl.cli.open_project import opened
    from sentictl.cli.view.plan import show_plan

    settings = {"site.title": title, "site.publish": publish}
    invocation.check_alone("--serve", "shows the page on this machine", "--port", "--open")
    if "--port" in invocation.given and not serve:
        raise UsageError("--port is of --serve.", f"Say both: sentictl site --serve --port {port}")
    with opened(invocation, announced=True) as project:
        if serve:
            _serve(invocation, project, port, open_=open_)
            return
        if dry_run:
            show_plan(invocation.output, project.plan("site", settings=settings, adopt=adopt))
            return
        project.site(settings, adopt=adopt)
        url = project.page_url
        copy = project.page_file
    invocation.output.result({"page_url": url, "file": str(copy)}, url)
    if open_:
        import webbrowser

        _tell(invocation, url, opened=webbrowser.open(url))


def _serve(invocation: Invocation, project: "Project", port: int, *, open_: bool) -> None:
    from threading import Event

    with project.preview(port) as preview:
        url, api_url = preview.page_url, preview.api_url
        try:
            invocation.output.result({"page_url": url, "api_url": api_url}, url)
            told = f"Served on this machine until Ctrl-C; a reload shows a changed template. API: {api_url}"
            invocation.output.say(told)
            if open_:
                from sentictl.cli.browser import open_privately

                _tell(invocation, url, opened=open_privately(url))
            Event().wait()
        except KeyboardInterrupt:
            invocation.output.say("\nStopped.")


def _tell(invocation: Invocation, url: str, *, opened: bool) -> None:
    if not opened:
        invocation.output.say(f"No browser can be opened from here. Open it yourself: {url}")
