"""Shell completion: commands and options by Typer's own means, and values that only the project's folder knows.

A shell asks while somebody types: nothing heavy is imported, nothing on AWS is asked, and no error is ever shown.
"""

import contextlib
import io
import os
import re
from typing import Any

import typer
from typer._completion_classes import completion_init
from typer._completion_shared import get_completion_script
from typer.completion import shell_complete

from sentictl.config.project_folder import SETTINGS_FILE, ProjectFolder

PROGRAM, VARIABLE = "sentictl", "_SENTICTL_COMPLETE"
MOST_BYTES = 8 * 1024 * 1024  # as in sentictl.config.settings_file, which imports tomlkit
LOCAL = "local"  # as in sentictl.config, which imports pydantic
TRAINING_JOB = "training-job"
LINE = re.compile(r"(?:# )?(?:\[(?P<table>[\w.]+)\]|(?P<key>\w+) = )")  # of a commented sentictl.toml


def script(shell: str) -> str:
    """Return the script that a shell evaluates to complete the program's command lines: "bash", "zsh" or "fish"."""
    return get_completion_script(prog_name=PROGRAM, complete_var=VARIABLE, shell=shell).strip()


def complete(app: typer.Typer, instruction: str) -> int:
    """Answer a shell, which asks by variables; returns the exit code."""
    completion_init()
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            return shell_complete(typer.main.get_command(app), {}, PROGRAM, VARIABLE, instruction)
    except Exception:  # noqa: BLE001  (somebody is typing: whatever it is, it would only stand in between)
        return 1


def environments() -> list[str]:
    """The environments of the nearest sentictl.toml."""
    return list(dict.fromkeys([LOCAL, *_table(_document(), "env")]))


def settings() -> list[str]:
    """Every setting's key, from the sentictl.toml that `init` writes: the models of the settings need pydantic."""
    from sentictl.assets.installed import templates

    keys, table = [], ""
    for line in (templates() / "project" / SETTINGS_FILE).read_text(encoding="utf-8").splitlines():
        if found := LINE.match(line):
            table = found["table"] or table
            keys += [f"{table}.{found['key']}"] if found["key"] else []
    return [key for key in keys if not key.startswith("env.")]


def versions(ctx: typer.Context) -> list[tuple[str, str]]:
    """Return what `deploy --model` and `evaluate --against` take: the versions that this command's environment has."""
    chosen = ctx.params.get("env") or ctx.find_root().params.get("env")
    environment = chosen or os.environ.get("SENTICTL_ENV") or LOCAL
    numbered = list(enumerate(_trained(environment), 1))
    relative = [("latest", "the newest"), ("previous", "the one before the live one")] if numbered else []
    return relative + [(str(number), name) for number, name in numbered] + [(name, "") for _, name in numbered]


def _trained(environment: str) -> list[str]:
    """The names of the versions, oldest first: finished training jobs."""
    resources = _table(_table(_document(), "state"), environment).get("resources", [])
    finished = [entry for entry in resources if entry["kind"] == TRAINING_JOB and "artifact" in entry]
    return [entry["name"] for entry in sorted(finished, key=lambda entry: (entry.get("trained", ""), entry["name"]))]


def _document() -> dict[str, Any]:
    import tomllib

    folder = ProjectFolder.find()
    if folder is None or not folder.settings_file.is_file():  # what is no file may never end
        return {}
    with folder.settings_file.open("rb") as stream:
        return tomllib.loads(stream.read(MOST_BYTES).decode("utf-8-sig"))


def _table(tables: dict[str, Any], name: str) -> dict[str, Any]:
    table = tables.get(name, {})
    return table if isinstance(table, dict) else {}
