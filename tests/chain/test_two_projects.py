"""Two projects of one name in one account, and a project of before there were ids, on an AWS that is a twin.

The tests go on from one another, in this order.
"""

import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sentictl.api.stack import COMMANDS
from sentictl.cli.app import app
from sentictl.services.chain import CHAIN
from sentictl.services.iam.permissions import every_action
from sentictl.services.kept import KEPT
from sentictl.services.notebook.instance import OPTIONAL
from sentictl.twin import daemon
from tests.chain.shell import Shell, begin
from tests.golden.requests import Request, complaints, record
from tests.services.iam.test_permissions import actions_for

OURS, THEIRS = "0123456789ab", "ba9876543210"
# What these projects' settings do not ask for.
BY_CHOICE = {
    *("function-archive", "image-access", "shadow-model", "capture-access", "alarms"),
    *("scalable-target", "scaling-policy", "opening", "closing"),
    *("usage-plan", "user-pool", "user-pool-domain", "user-pool-client", "web-acl", "web-acl-association"),
    *("alert-topic", "alert-alarms", "endpoint-rule", "cost-budget", "dashboard"),
    *("processing-role", "processing-code", "processing-job"),
    *("scheduled-model", "scheduled-access", "batch-schedule-role", "batch-schedule"),
}
STANDING = tuple(kind for kind in (*CHAIN, *OPTIONAL) if kind.kind not in BY_CHOICE)
CONFIRMED = ("down", "--env", "prod", "--confirm", "toy")
IN_PROD = """
[env.prod]
region = "eu-west-1"

[deploy]
ttl = "8h"

[site]
publish = "s3"
"""


@dataclass(frozen=True)
class Account:
    """An AWS account with two projects, of which the first stands there."""

    first: Shell
    second: Shell
    twin_home: Path

    def calls(self) -> bytes:
        """Every call so far that changed something."""
        return (self.twin_home / "journal" / "calls.jsonl").read_bytes()

    def client(self, service: str) -> Any:
        """boto3 as somebody has it who works by hand."""
        return self.first.client(service, "eu-west-1")


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    home = tmp_path_factory.mktemp("aws") / "twin"
    folders = [begin(tmp_path_factory.mktemp(name) / "toy").folder for name in ("first", "second")]
    for folder, project_id in zip(folders, (OURS, THEIRS), strict=True):
        settings = folder / "sentictl.toml"
        settings.write_text(settings.read_text().replace(OURS, project_id) + IN_PROD)
    daemon.start(home)
    access = daemon.access(home)
    credentials = {"AWS_ACCESS_KEY_ID": access.key, "AWS_SECRET_ACCESS_KEY": "secret"}
    variables = credentials | {"AWS_ENDPOINT_URL": access.url}
    first, second = (Shell(folder, variables) for folder in folders)
    try:
        bring_up(first)
        first.run("notebook", "create", "--env", "prod")
        yield Account(first, second, home)
    finally:
        daemon.destroy(home)


def bring_up(shell: Shell) -> None:
    """Run the commands of `up` one by one: at its end that would wait for answers, which only AWS's addresses give."""
    for command in COMMANDS[:-1]:  # without alerts: nobody is to be told
        shell.run(command, "--env", "prod")


def in_process(shell: Shell, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[str, list[Request]]:
    """Run a command. Returns what it said, and what it asked of AWS."""
    for name, value in shell.variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(shell.folder)
    requests = record(monkeypatch)
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    return done.output, requests


def standing(shell: Shell) -> set[tuple[str, str]]:
    return {(entry["kind"], entry["name"]) for entry in shell.json("status", "--env", "prod")["resources"]}


def without_state(shell: Shell) -> str:
    """What its sentictl.toml says, but for what is recorded."""
    return (shell.folder / "sentictl.toml").read_text().partition("\n[state.")[0] + "\n"


def pasted(shell: Shell, hint: str, beginning: str) -> list[str]:
    """The command of a hint that begins so, as it is typed behind `sentictl`."""
    command = re.search(rf"sentictl ({re.escape(beginning)}[^.]*?(?: --env \S+?)?)(?:\. |\.?$)", hint)
    assert command, hint
    return shlex.split(command[1])


def test_the_first_project_has_every_kind_of_resource(account: Account) -> None:
    assert {kind for kind, _ in standing(account.first)} == {kind.kind for kind in STANDING}


@pytest.mark.parametrize("command", ["up", "plan", "data", "import", "up --adopt", "notebook create"])
def test_the_second_is_refused_whatever_it_would_do_with_the_firsts(account: Account, command: str) -> None:
    before = account.calls()
    error = account.second.json(*command.split(), "--env", "prod", expect=1)["error"]
    assert error["code"] == "foreign"
    assert OURS in error["message"]
    assert "toy-prod" in error["message"]
    assert account.calls() == before
    assert "[state" not in (account.second.folder / "sentictl.toml").read_text()


def test_the_second_shows_and_deletes_nothing_of_it(account: Account) -> None:
    before = account.calls()
    assert standing(account.second) == set()
    assert account.second.json("down", "--env", "prod", "--dry-run")["steps"] == []
    gone = account.second.json(*CONFIRMED)
    assert (gone["deleted"], gone["left"]) == ([], [])
    assert account.calls() == before
    account.first.run("status", "--exit-code", "--env", "prod")


@pytest.fixture
def mistaken(account: Account, tmp_path: Path) -> Shell:
    """The second project, in whose file all that the first made is recorded."""
    folder = tmp_path / "toy"
    shutil.copytree(account.second.folder, folder, ignore=shutil.ignore_patterns(".sentictl"))
    recorded = (account.first.folder / "sentictl.toml").read_text().replace(OURS, THEIRS)
    (folder / "sentictl.toml").write_text(recorded)
    return replace(account.second, folder=folder)


def test_of_what_it_has_recorded_by_mistake_each_is_shown_as_anothers(mistaken: Shell) -> None:
    status = mistaken.json("status", "--env", "prod", "--exit-code", expect=3)
    states = {entry["kind"]: entry["status"] for entry in status["resources"]}
    assert states.pop("rest-api") == "Missing"  # names of APIs are not unique: it could have one of its own
    assert states.pop("api-log-access") == "Active"  # the account's, for all of its APIs
    assert set(states.values()) == {"Another's"}
    assert status["hourly_cost"] == 0
    assert status["warnings"] == []


@pytest.mark.parametrize(
    "command",
    ["up", "plan", "data", "train", "train --no-resume", "deploy --ttl 9h", "wire-lambda", "wire-api", "site"],
)
def test_of_what_it_has_recorded_by_mistake_nothing_is_changed(account: Account, mistaken: Shell, command: str) -> None:
    before = account.calls()
    assert mistaken.json(*command.split(), "--env", "prod", expect=1)["error"]["code"] == "foreign"
    assert account.calls() == before


@pytest.mark.parametrize("command", ["open", "stop", "delete"])
def test_the_firsts_notebook_is_none_of_the_seconds(account: Account, mistaken: Shell, command: str) -> None:
    before = account.calls()
    mistaken.run("notebook", command, *(["--yes"] if command == "delete" else []), "--env", "prod", expect=None)
    assert account.calls() == before


@pytest.mark.parametrize("part", [None, "endpoint", "lambda", "api", "site"])
def test_of_what_it_has_recorded_by_mistake_nothing_is_deleted(
    account: Account, mistaken: Shell, part: str | None
) -> None:
    before = account.calls()
    mistaken.run(*(("down", part, "--env", "prod", "--yes") if part else CONFIRMED), expect=1)
    assert account.calls() == before


def test_the_name_that_a_refusal_proposes_is_free(account: Account, tmp_path: Path) -> None:
    folder = shutil.copytree(account.second.folder, tmp_path / "toy")
    renamed = replace(account.second, folder=folder)
    hint = renamed.json("up", "--env", "prod", expect=1)["error"]["hint"]
    renamed.run(*pasted(renamed, hint, "config set project.name"))
    steps = renamed.json("plan", "--env", "prod")["steps"]
    assert {step["kind"] for step in steps if step["action"] != "create"} == {
        "api-log-access"
    }  # which is there for all
    assert all("toy-ba98-prod" in step["name"] for step in steps if step["kind"] in ("bucket", "endpoint"))


def test_a_project_whose_file_was_lost_is_found_again_by_the_id_that_a_refusal_tells(
    account: Account, tmp_path: Path
) -> None:
    folder = shutil.copytree(account.second.folder, tmp_path / "toy")
    found = replace(account.first, folder=folder)
    hint = found.json("import", "--env", "prod", expect=1)["error"]["hint"]
    found.run(*pasted(found, hint, "config set project.id"))
    found.run("import", "--env", "prod")
    assert standing(found) == standing(account.first)
    found.run("plan", "--exit-code", "--env", "prod")


@pytest.fixture(scope="module")
def old(account: Account) -> Shell:
    """The first project as a sentictl that knew no ids left it: in its file, and on AWS."""
    account.first.run("deploy", "--env", "prod")  # its record of the schedule is the newest
    for kind, name in standing(account.first):
        _take_id_off(account, kind, name)
    settings = account.first.folder / "sentictl.toml"
    text, header, recorded = settings.read_text().partition("[state.prod]")
    assert "version = 3" in recorded
    recorded = re.sub(r"(?m)^(region|project_id) = .*\n", "", recorded).replace("version = 3", "version = 2", 1)
    settings.write_text(text.replace(f'id = "{OURS}"\n', "") + header + recorded)
    return account.first


def _take_id_off(account: Account, kind: str, name: str) -> None:
    key = "sentictl:project-id"
    match kind:
        case "bucket" | "website-bucket":
            s3 = account.client("s3")
            tags = [tag for tag in s3.get_bucket_tagging(Bucket=name)["TagSet"] if tag["Key"] != key]
            s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags})
        case _ if kind.endswith("-role"):
            account.client("iam").untag_role(RoleName=name, TagKeys=[key])
        case "training-job" | "model" | "endpoint-config" | "endpoint" | "notebook-instance":
            arn = f"arn:aws:sagemaker:eu-west-1:123456789012:{kind}/{name}"
            account.client("sagemaker").delete_tags(ResourceArn=arn, TagKeys=[key])
        case _ if kind.endswith("log-group"):
            arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{name}"
            account.client("logs").untag_resource(resourceArn=arn, tagKeys=[key])
        case "function":
            arn = f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
            account.client("lambda").untag_resource(Resource=arn, TagKeys=[key])
        case "rest-api":
            gateway = account.client("apigateway")
            (api,) = gateway.get_rest_apis()["items"]
            arn = f"arn:aws:apigateway:eu-west-1::/restapis/{api['id']}"
            gateway.untag_resource(resourceArn=arn, tagKeys=[key])
        case "schedule":
            scheduler = account.client("scheduler")
            asked = scheduler.get_schedule(Name=name)
            asked["Description"] = re.sub(rf" ?{key}=\w+", "", asked["Description"])
            parameters = ("Name", "Description", "ScheduleExpression", "FlexibleTimeWindow", "Target", "State")
            scheduler.update_schedule(**{parameter: asked[parameter] for parameter in parameters})


def test_reading_commands_take_an_old_project_as_it_is(account: Account, old: Shell) -> None:
    before = account.calls(), (old.folder / "sentictl.toml").read_bytes()
    old.run("status", "--exit-code", "--env", "prod")
    old.run("plan", "--exit-code", "--env", "prod")
    assert (account.calls(), (old.folder / "sentictl.toml").read_bytes()) == before


def test_a_new_project_of_that_name_is_refused_and_told_how_it_could_take_over(account: Account, old: Shell) -> None:
    for command in ("up", "plan", "import"):
        error = account.second.json(command, "--env", "prod", expect=1)["error"]
        assert "no project's id" in error["message"]
        assert "sentictl up --adopt --env prod" in error["hint"]
    gone = account.second.json(*CONFIRMED)
    assert (gone["deleted"], gone["left"]) == ([], [])


def test_an_old_project_whose_state_was_lost_is_found_again(account: Account, old: Shell, tmp_path: Path) -> None:
    lost = replace(old, folder=shutil.copytree(old.folder, tmp_path / "toy"))
    (lost.folder / "sentictl.toml").write_text(without_state(old))
    before = account.calls()
    lost.run("import", "--env", "prod")
    assert account.calls() == before
    assert standing(lost) == standing(old)


def test_the_next_change_gives_an_old_project_an_id_and_puts_it_on_all_that_it_has(
    account: Account, old: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ends = account.client("scheduler").get_schedule(Name="toy-prod-endpoint")["ScheduleExpression"]
    said, requests = in_process(old, monkeypatch, "wire-lambda", "--env", "prod")
    settings = tomllib.loads((old.folder / "sentictl.toml").read_text())
    project_id = settings["project"]["id"]
    assert re.fullmatch("[0-9a-f]{12}", project_id)
    assert project_id in said
    assert settings["state"]["prod"]["project_id"] == project_id
    assert account.client("scheduler").get_schedule(Name="toy-prod-endpoint")["ScheduleExpression"] == ends
    assert [complaint for request in requests for complaint in complaints(request)] == []
    taken = {action for request in requests for action in actions_for(request.service, request.operation)}
    assert "iam:TagRole" in taken
    assert taken - set(every_action(KEPT)).union(*(kind.actions.changes for kind in OPTIONAL)) == set()
    # A project with an id takes nothing for its own that does not carry it.
    fresh = replace(old, folder=shutil.copytree(old.folder, tmp_path / "toy"))
    (fresh.folder / "sentictl.toml").write_text(without_state(old))
    fresh.run("import", "--env", "prod")
    assert standing(fresh) == standing(old)
    before = account.calls()
    bring_up(old)
    assert account.calls() == before


def test_it_is_then_taken_down_to_the_last(account: Account, old: Shell) -> None:
    gone = old.json(*CONFIRMED)
    assert gone["left"] == []
    assert len(gone["deleted"]) == len(STANDING)
    assert account.client("s3").list_buckets()["Buckets"] == []
