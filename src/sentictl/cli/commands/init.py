"""`sentictl init`: begin a project."""

from collections import Counter
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation, command

app = typer.Typer(add_completion=False)


@app.command("init")
@command
def init(
    invocation: Invocation,
    name: Annotated[
        str | None, typer.Option(help="The project's name; by default one that follows from the folder's.")
    ] = None,
    eject: Annotated[
        bool, typer.Option("--eject", help="Also copy model_code/ and templates/ here, to change them.")
    ] = False,
) -> None:
    """Begin a project in this folder, or add what its folder lacks.

    Writes a commented sentictl.toml, a Makefile, a .gitignore and a GitHub Actions workflow. What is there stays as
    it is. After --eject the project uses its own copies of the model code and the templates.
    """
    from sentictl.scaffold.init import initialize

    done = initialize(name, eject=eject)
    document = {
        "folder": str(done.folder.root),
        "name": done.name,
        "written": done.written,
        "kept": done.kept,
        "advice": done.advice,
    }
    named = [f"The project is called {done.name}."] if done.name else []
    lines = [f"Wrote {path}" for path in _together(done.written)]
    lines += [f"Kept  {path}: it was there already" for path in _together(done.kept)]
    invocation.output.result(document, "\n".join([*lines, *named, *done.advice]))
    invocation.next("plan", "up")


def _together(paths: list[str]) -> list[str]:
    """The paths, where the copies of one folder are summed up in one line."""
    groups = Counter(_group(path) for path in paths)
    return [f"{group} ({count} files)" if group.endswith("/") else group for group, count in groups.items()]


def _group(path: str) -> str:
    first, _, rest = path.partition("/")
    if first == "model_code":
        return f"{first}/"
    return f"{first}/{rest.partition('/')[0]}/" if first == "templates" else path
