"""Write docs/config.md from the settings' models and the commented template; with --check only compare."""

import argparse
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from sentictl.assets.installed import templates
from sentictl.config.dotted_keys import TABLES
from sentictl.config.settings import EnvironmentSettings

PAGE = Path(__file__).resolve().parents[1] / "config.md"
HEAD = """\
# Settings

`sentictl.toml` is the one file of a project. `sentictl init` writes it with every setting as a comment, `sentictl
config show` prints what is in force, `sentictl config get` and `sentictl config set` are for one setting. A key or a
value that cannot be is refused, with a suggestion. People's comments and order stay when sentictl writes to the file.

A setting comes from the command's option, else from its variable, else from `[env.NAME]`, else from its table, else
from its default. The variable of `train.epochs` is `SENTICTL_TRAIN_EPOCHS`, and so on. An option that says what the
project is, such as `sentictl train --epochs 5`, is written here, and the command says so: [commands](cli.md) has them.
"""
ENVIRONMENTS = """\
## env.NAME

An environment on AWS: `sentictl up --env NAME`. NAME is up to 20 lower-case letters, digits and hyphens. Any setting of
the tables above can stand in it as `TABLE.KEY`, and holds in that environment alone. The environment `local` needs no
table, and can have one.
"""
STATE = """\
## state.NAME

What sentictl recorded of an environment: the AWS account and region, and for each resource its kind, name, ARN and what
other resources need of it, in the order in which they were made. It is not for editing. There is no secret in it. Where
it is lost or damaged, `sentictl import` makes it again.
"""
USED_BY = {  # where a table is not called as the one command that it is for
    "project": "every command",
    "lambda": "`sentictl wire-lambda`",
    "api": "`sentictl wire-api`, and the limits by `sentictl wire-lambda` and `sentictl site`",
    "logs": "`sentictl deploy`, `sentictl wire-lambda` and `sentictl wire-api`",
    "site": "`sentictl site`, and `publish` by `sentictl wire-api`",
    "batch": "`sentictl predict --via batch`",
    "train.schedule": "`sentictl train --every`",
    "batch.schedule": "`sentictl predict --every`",
    "notebook": "`sentictl notebook create`",
    "train.tune": "`sentictl train --tune`",
    "deploy.hours": "`sentictl deploy`",
}
BOUNDS = {"minimum": "at least", "exclusiveMinimum": "above", "maximum": "at most", "exclusiveMaximum": "below"}
# A line of the template: a setting, commented out or not, its value, and what it means.
LINE = re.compile(r"^(?:# )?(?P<key>[a-z_.]+) = (?P<value>\"(?:[^\"\\]|\\.)*\"|\S+) *(?:# (?P<meaning>.*))?$")


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the page differs")
    content = page()
    if not parser.parse_args().check:
        PAGE.write_text(content, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != content:
        raise SystemExit("docs/config.md is not what the settings are. Write it anew: python docs/reference/config.py")


def page() -> str:
    """The whole page."""
    meanings = read_meanings((templates() / "project" / "sentictl.toml").read_text(encoding="utf-8"))
    parts = [HEAD]
    for name, info in TABLES.items():
        model: Any = info.annotation  # a class, as every field of Settings is declared with one
        used = f"Used by {USED_BY.get(name, f'`sentictl {name}`')}.\n"
        parts += [f"## {name}\n", about(model), used, *rows(model, meanings.get(name, {}))]
    return "\n".join([*parts, ENVIRONMENTS, *rows(EnvironmentSettings, meanings.get("env", {})), STATE])


def about(model: type[BaseModel]) -> str:
    """What a table is for: its docstring, without the table's name that it begins with."""
    text = inspect.getdoc(model) or ""
    text = re.sub(r"^`\[[a-z.]+\]`: ", "", text)
    return text[0].upper() + text[1:] + "\n"


def rows(model: type[BaseModel], meanings: dict[str, str]) -> Iterator[str]:
    """The table's settings."""
    yield "| setting | default | takes | |\n|---|---|---|---|"
    for key, field in model.model_json_schema()["properties"].items():
        if "$ref" in field:  # a table of its own
            continue
        yield f"| `{key}` | {shown(field.get('default'))} | {takes(field)} | {meanings.get(key, '')} |"
    yield ""


def takes(field: dict[str, Any]) -> str:
    """Which values a setting can have."""
    if "enum" in field:
        return ", ".join(f"`{json.dumps(value)}`" for value in field["enum"])
    if "anyOf" in field:
        return "list of values, or `{ min, max, scale }`"
    kind = {
        "integer": "whole number",
        "number": "number",
        "boolean": "`true`, `false`",
        "array": "list of texts",
        "object": "table of texts",
    }
    name = kind.get(field.get("type", ""), "text")
    if "minimum" in field and "maximum" in field:
        return f"{name} from {field['minimum']:,} to {field['maximum']:,}"
    bounds = [f"{word} {field[bound]:,}" for bound, word in BOUNDS.items() if bound in field]
    return ", ".join([name, *bounds, *([f"at most {field['maxLength']} characters"] if "maxLength" in field else [])])


def shown(default: Any) -> str:
    """A default as the file would have it."""
    if isinstance(default, list) and default:
        return f"{len(default)} texts"
    return f"`{json.dumps(default, ensure_ascii=False)}`"


def read_meanings(template: str) -> dict[str, dict[str, str]]:
    """The comments behind the settings in the template, by table and key."""
    meanings: dict[str, dict[str, str]] = {}
    table = ""
    for line in template.splitlines():
        heading = re.match(r"^(?:# )?\[([a-z.]+)\]", line)
        found = LINE.match(line)
        if heading:
            table = heading[1] if heading[1] in TABLES else heading[1].partition(".")[0]
        elif found and found["meaning"]:
            meanings.setdefault(table, {})[found["key"]] = cell(found["meaning"])
    return meanings


def cell(text: str) -> str:
    """A text that neither ends its cell nor is taken for HTML."""
    return text.replace("|", "\\|").replace("<", "&lt;")


if __name__ == "__main__":
    main()
