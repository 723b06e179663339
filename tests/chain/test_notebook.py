"""The notebook's commands on the twin, where a notebook is a JupyterLab on this machine."""

import json
import urllib.error
import urllib.request
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentictl import Project
from sentictl.assets.installed import install_command
from tests.chain.shell import Shell, begin

NAME = "toy-local-notebook"
WALKTHROUGH = "walkthrough.ipynb"


@pytest.fixture(scope="module")
def made(shell: Shell) -> Shell:
    assert shell.json("notebook", "create")["name"] == NAME
    return shell


def opened(shell: Shell) -> str:
    url: str = shell.json("notebook", "open")["url"]
    return url


def status_of(url: str) -> int:
    """What a browser without any cookie is answered, without following it elsewhere."""

    class Still(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *arguments: Any) -> None:
            """Not followed."""

    try:
        with urllib.request.build_opener(Still).open(url) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as refusal:
        return refusal.code


def found(shell: Shell) -> dict[str, str]:
    """The status of each resource by its kind."""
    return {entry["kind"]: entry["status"] for entry in shell.json("status")["resources"]}


def test_only_who_has_its_address_is_let_in(made: Shell) -> None:
    url = opened(made)
    page, _, token = url.partition("?token=")
    assert page.startswith("http://127.0.0.1:")
    assert page.endswith(f"/lab/tree/{WALKTHROUGH}")
    assert (status_of(url), status_of(page)) == (200, 302)
    files = page.partition("/lab/")[0] + "/api/contents"
    assert status_of(files) == 403
    listed = json.loads(urllib.request.urlopen(f"{files}?token={token}").read())
    assert WALKTHROUGH in {entry["name"] for entry in listed["content"]}
    kept = [path for path in made.folder.rglob("*") if path.is_file() and "run" not in path.parts]
    assert not [path for path in kept if token.encode() in path.read_bytes()]


def test_the_browser_is_told_its_address_by_a_file(made: Shell, tmp_path: Path) -> None:
    program = tmp_path / "browser"
    program.write_text('#!/bin/sh\necho "$1" > "$(dirname "$0")/opened"\n')
    program.chmod(0o755)
    url = replace(made, variables={"BROWSER": str(program)}).run("notebook", "open").stdout.strip()
    page = made.folder / ".sentictl" / "open.html"
    assert (tmp_path / "opened").read_text().strip() == page.as_uri()
    assert url in page.read_text()
    assert page.stat().st_mode & 0o077 == 0
    assert url.partition("?token=")[2] not in command_lines()


def command_lines() -> str:
    """The command lines of all processes of this machine, which all its users can see."""
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has ended
            lines.append(path.read_bytes().decode(errors="replace"))
    return "\n".join(lines)


def test_what_jupyter_writes_is_in_the_logs_without_the_token(made: Shell) -> None:
    token = opened(made).partition("?token=")[2]
    logs = made.client("logs").filter_log_events(logGroupName="/aws/sagemaker/NotebookInstances")["events"]
    assert {event["logStreamName"] for event in logs} == {f"{NAME}/jupyter.log"}
    written = "\n".join(event["message"] for event in logs)
    assert "Jupyter Server" in written
    assert token not in written


def test_a_second_create_changes_nothing(made: Shell) -> None:
    before = made.journal()
    assert "unchanged" in made.run("notebook", "create").stderr
    assert made.journal() == before


def test_a_stopped_one_is_no_fault_and_opening_it_starts_it_with_what_was_in_it(made: Shell) -> None:
    url = opened(made)
    page, _, token = url.partition("?token=")
    mine = json.dumps({"type": "file", "format": "text", "content": "mine"}).encode()
    address = f"{page.partition('/lab/')[0]}/api/contents/mine.txt?token={token}"
    urllib.request.urlopen(urllib.request.Request(address, mine, method="PUT")).close()
    made.run("notebook", "stop")
    with pytest.raises(urllib.error.URLError):
        status_of(url)
    assert found(made)["notebook-instance"] == "Stopped"
    assert not any(entry["mend"] for entry in made.json("status")["resources"])
    page, _, token = opened(made).partition("?token=")
    again = f"{page.partition('/lab/')[0]}/api/contents/mine.txt?token={token}"
    assert json.loads(urllib.request.urlopen(again).read())["content"] == "mine"


def test_the_twin_brings_it_back_when_it_is_started_again(made: Shell) -> None:
    made.run("local", "stop")
    assert status_of(opened(made)) == 200


def test_what_runs_in_it_can_take_everything_else_down(made: Shell) -> None:
    made.run("data")
    removal = Project(made.folder, tell=None).down(keep_notebook=True)
    assert {record.kind for record in removal.deleted} == {"bucket", "dataset"}
    assert list(removal.left) == []
    assert found(made) == {
        "notebook-role": "Active",
        "notebook-instance-lifecycle-config": "Active",
        "notebook-instance": "InService",
    }


def test_it_is_deleted_alone_or_with_everything(made: Shell) -> None:
    url = opened(made)
    assert len(made.json("notebook", "delete", "--yes")["deleted"]) == 3
    assert found(made) == {}
    with pytest.raises(urllib.error.URLError):
        status_of(url)
    for command in ("open", "stop"):
        assert made.json("notebook", command, expect=1)["error"]["code"] == "missing-step"
    made.run("notebook", "create")
    planned = made.json("down", "--dry-run")["steps"]
    assert [step["kind"] for step in planned][:2] == ["notebook-instance", "notebook-instance-lifecycle-config"]
    assert len(made.json("down", "--yes")["deleted"]) == 4  # the bucket as well, from which AWS would fetch sentictl
    assert not (made.folder / ".sentictl").exists()


def test_its_policy_is_about_it_alone(shell: Shell) -> None:
    statements = shell.json("notebook", "policy")["Statement"]
    assert all(NAME in str(entry["Resource"]) or "NotebookInstances" in str(entry["Resource"]) for entry in statements)


def test_without_jupyter_the_refusal_names_the_extra(tmp_path: Path) -> None:
    # What is None among the modules counts as not installed, here and in the twin that this starts.
    (tmp_path / "sitecustomize.py").write_text('import sys\nsys.modules["jupyterlab"] = None\n')
    shell = replace(begin(tmp_path / "toy"), variables={"PYTHONPATH": str(tmp_path)})
    refused = shell.json("notebook", "create", expect=1)["error"]
    assert install_command("notebook") in f"{refused['message']} {refused.get('hint', '')}"
    shell.run("down", "--yes")
    assert not (shell.folder / ".sentictl").exists()
