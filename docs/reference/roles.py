"""Write docs/roles.md from the roles and their policies; with --check only tell whether it is what they say."""

import argparse
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sentictl.assets.installed import templates
from sentictl.services.batch.schedule import BatchScheduleRole
from sentictl.services.iam.roles import ExecutionRole, FunctionRole, PageRole, ProcessingRole, Role
from sentictl.services.notebook.instance import NotebookRole
from sentictl.services.retraining.roles import RetrainingRole, TrainScheduleRole
from sentictl.services.serving.schedule import ScheduleRole
from sentictl.services.web.access_log import LogAccess

PAGE = Path(__file__).resolve().parents[1] / "roles.md"
ROLES: tuple[type[Role], ...] = (
    *(ProcessingRole, ExecutionRole, FunctionRole, PageRole),
    *(LogAccess, ScheduleRole, BatchScheduleRole, RetrainingRole, TrainScheduleRole, NotebookRole),
)
OF_THE_ACCOUNT = {LogAccess: "sentictl-api-logs-REGION"}  # a role that is no project's, and its name
HEAD = """\
# Roles

Every role that sentictl makes, the one service of AWS that may take it on, and all that it may do there. (The
notebook's may, beyond what is here, whatever `sentictl doctor --policy` prints.) PROJECT and ENV are the names of the
project and the environment, BUCKET is the project's private bucket. The policies are files, which a project with
copies of the templates can change: [your own code](customizing.md). What else keeps things apart is in
[security](security.md).
"""
# What policies leave to be filled in, and what the page calls it.
CALLED = {
    "${name}": "PROJECT-ENV",
    "${project}": "PROJECT",
    "${environment}": "ENV",
    "${bucket}": "BUCKET",
    "${partition}": "aws",
    "${region}": "",
    "${account}": "",
    "${source_bucket}": "SOURCE-BUCKET",
    "${source_key}": "SOURCE-KEY",
}


def main() -> None:
    """Write the page, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the page differs")
    content = "\n".join([HEAD, *(line for role in ROLES for line in section(role))])
    if not parser.parse_args().check:
        PAGE.write_text(content, encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != content:
        raise SystemExit("docs/roles.md is not what the policies say. Write it anew: python docs/reference/roles.py")


def section(role: type[Role]) -> Iterator[str]:
    """One role: what it is for, and the statements of its policy."""
    files = [templates() / "policies" / f"{part}.json" for part in (role.part, *role.more)]
    policies = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    yield f"## {OF_THE_ACCOUNT.get(role, f'PROJECT-ENV-{role.part}')}\n"
    yield f"{inspect.getdoc(role)} Taken on by `{role.service}`.\n"
    yield "| statement | may | on |\n|---|---|---|"
    for statement in (statement for policy in policies for statement in policy["Statement"]):
        yield f"| {listed(statement['Sid'])} | {listed(statement['Action'])} | {scope(statement)} |"
    yield ""


def scope(statement: dict[str, Any]) -> str:
    """The resources of a statement without what is the same in all ARNs, and its conditions."""
    given = statement["Resource"]
    found = listed([called(resource) for resource in ([given] if isinstance(given, str) else given)])
    met = statement.get("Condition", {})
    conditions = [f"{key} like {value}" for key, value in met.get("StringLike", {}).items()]
    conditions += [f"{key} is {filled(value)}" for key, value in met.get("StringEquals", {}).items()]
    return found + (f", where {listed(conditions)}" if conditions else "")


def called(resource: str) -> str:
    return re.sub(r"^arn:aws:[\w-]+::(\*?:)?", "", filled(resource)).removeprefix(":")


def filled(text: str) -> str:
    for blank, name in CALLED.items():
        text = text.replace(blank, name)
    return text


def listed(values: str | list[str]) -> str:
    return "<br>".join(f"`{value}`" for value in ([values] if isinstance(values, str) else values))


if __name__ == "__main__":
    main()
