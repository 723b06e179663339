"""`sentictl config`: show and change settings."""

import json
import os
from typing import Annotated

import typer

from sentictl.cli.completer import settings
from sentictl.cli.invocation import Invocation
from sentictl.cli.options import command

app = typer.Typer(
    name="config", help="Show and change the settings in sentictl.toml.", no_args_is_help=True, add_completion=False
)
Key = Annotated[
    str, typer.Argument(help="A setting, such as train.epochs or env.prod.region.", autocompletion=settings)
]


@app.command("show")
@command
def show(invocation: Invocation) -> None:
    """Show every setting in force in this environment."""
    from sentictl.cli.open_project import load_config
    from sentictl.config.dotted_keys import all_keys, get

    settings = load_config(invocation).settings
    values = {key: get(settings, key) for key in all_keys()}
    width = max(map(len, values))
    lines = [f"{key:<{width}}  {_shown(value)}" for key, value in values.items()]
    invocation.output.result(settings.model_dump(by_alias=True), "\n".join(lines))


@app.command("get")
@command
def get_setting(invocation: Invocation, key: Key) -> None:
    """Show one setting."""
    from sentictl.cli.open_project import load_config

    value = load_config(invocation).get(key)
    invocation.output.result(value, _shown(value))


@app.command("set")
@command
def set_setting(invocation: Invocation, key: Key, value: Annotated[str, typer.Argument(help="Its new value.")]) -> None:
    """Change one setting, if the value is allowed."""
    from sentictl.config.config import Config
    from sentictl.config.dotted_keys import variable
    from sentictl.config.effects import without_effect
    from sentictl.config.project_folder import ProjectFolder

    folder = ProjectFolder.open()
    with folder.locked():
        config = Config.load(folder, invocation.environment)
        written = config.set({key: value})
    lines = [f"{name} = {_shown(new)}" for name, new in written.items()]
    invocation.output.result(written, "\n".join(lines) or f"{key} is {value} already.")
    for idle in without_effect(config.settings, [key] if written else []):
        invocation.output.say(idle)
    if variable(key) in os.environ:
        invocation.output.say(f"The variable {variable(key)} goes before it, as long as it is set.")


def _shown(value: object) -> str:
    """A value as `config set` takes it."""
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | list | dict) else str(value)
