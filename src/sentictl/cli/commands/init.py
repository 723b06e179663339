"""`sentictl init`: begin a project."""

import shlex
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command
from sentictl.cli.questions import answer, told_of_described
from sentictl.config.project_folder import SETTINGS_FILE
from sentictl.errors import UsageError

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
    region: Annotated[
        str | None, typer.Option(help="Of the environment on AWS that --env names, which is then described.")
    ] = None,
    twin: Annotated[
        bool, typer.Option("--twin", help="Describe what --env names as an environment on a local twin of its own.")
    ] = False,
) -> None:
    """Begin a project in this folder, or add what its folder lacks.

    Writes a commented sentictl.toml, a Makefile, a .gitignore and a GitHub Actions workflow. What is there stays as
    it is. After --eject the project uses its own copies of the model code and the templates. With --env an environment
    is described, too, on AWS or on a twin: its table is added to sentictl.toml.
    """
    from sentictl.config.config import checked_place
    from sentictl.scaffold.init import describe, initialize

    region = _region(invocation, region, twin)
    if region:  # before anything is written
        example = f"For example: {_example(invocation.env, 'eu-west-1')}"
        checked_place(f"env.{invocation.env}.region", region, Path(SETTINGS_FILE), mend=lambda _: example)
    elif twin:
        checked_place(f"env.{invocation.env}.twin", "true", Path(SETTINGS_FILE))
    done = initialize(name, eject=eject)
    described = bool(region or twin) and describe(done.folder, invocation.env, region)
    document = {
        "folder": str(done.folder.root),
        "name": done.name,
        "written": done.written,
        "kept": done.kept,
        "advice": done.advice,
        "environment": invocation.env if described else None,
    }
    named = [f"The project is called {done.name}."] if done.name else []
    lines = [f"Wrote {path}" for path in _together(done.written)]
    lines += [f"Kept  {path}: it was there already" for path in _together(done.kept)]
    if described:
        lines.append(told_of_described(invocation.env, region))
    invocation.output.result(document, "\n".join([*lines, *named, *done.advice]))
    invocation.next("plan", "up")


def _region(invocation: Invocation, region: str | None, twin: bool) -> str:
    """Return the region of the environment that is to be described; empty where none is, or one on a twin."""
    if twin and region is not None:
        raise UsageError("An environment on a local twin is in no region of AWS.", "Give --twin or --region.")
    if invocation.env in ("", "local"):
        if twin:
            raise UsageError(
                "The environment local is always on a twin.", "Name another: sentictl init --env staging --twin"
            )
        if region is not None:
            raise UsageError("--region is of an environment on AWS.", f"Name it: {_example('prod', region)}")
        return ""
    if twin:
        return ""
    if region is None:
        region = answer(invocation.output, f"In which region of AWS is {invocation.env}, such as eu-west-1? ")
    if not region:
        raise UsageError(
            f"In which region of AWS is {invocation.env}?",
            f"Say it: {_example(invocation.env, 'eu-west-1')}; or have it on a local twin: "
            f"sentictl init --env {shlex.quote(invocation.env)} --twin",
        )
    return region


def _example(environment: str, region: str) -> str:
    return f"sentictl init --env {shlex.quote(environment)} --region {shlex.quote(region)}"


def _together(paths: list[str]) -> list[str]:
    """The paths, where the copies of one folder are summed up in one line."""
    groups = Counter(_group(path) for path in paths)
    return [f"{group} ({count} files)" if group.endswith("/") else group for group, count in groups.items()]


def _group(path: str) -> str:
    first, _, rest = path.partition("/")
    if first == "model_code":
        return f"{first}/"
    return f"{first}/{rest.partition('/')[0]}/" if first == "templates" else path
