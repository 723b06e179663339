"""Planning, drift and taking down parts, on a chain that stands. The tests go on from one another, in this order."""

import json
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from tests.chain.shell import Shell, begin

LEFT_ALONE = {"keep"}


@pytest.fixture
def clients(live: Shell) -> Any:
    """boto3 as somebody has it who works by hand."""
    return live.client


def changed(plan: dict[str, Any]) -> list[str]:
    return [f"{step['action']} {step['kind']}" for step in plan["steps"] if step["action"] not in LEFT_ALONE]


def problems(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {r["kind"]: (r["status"], r["mend"]) for r in status["resources"] if r["mend"]}


def test_a_plan_of_nothing_foretells_all_that_an_up_makes_and_makes_nothing(live: Shell, tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    shell.run("config", "set", "train.architecture", "ngram")
    plan = shell.json("plan")
    assert {step["action"] for step in plan["steps"]} == {"create"}
    assert plan["hourly_cost"] > 0
    assert plan["monthly_cost"] == pytest.approx(730 * plan["hourly_cost"])
    assert "sagemaker:CreateEndpoint" in plan["permissions"]
    told = shell.run("plan", "--exit-code", expect=3).stderr
    assert "sentictl-api-logs-us-east-1 is made for it" in " ".join(told.split())
    assert shell.json("up", "--dry-run")["steps"] == plan["steps"]
    assert "[state" not in (shell.folder / "sentictl.toml").read_text()
    assert shell.journal().count(b"\n") == 1  # the twin was asked, and nothing in it was changed
    shell.run("down", "--yes")
    foretold = {(step["kind"], step["name"]) for step in plan["steps"]}
    assert {(each["kind"], each["name"]) for each in live.json("status")["resources"]} == foretold


def test_a_second_up_has_nothing_to_plan_and_changes_nothing(live: Shell) -> None:
    live.run("plan", "--exit-code")
    before = live.journal(), (live.folder / "sentictl.toml").read_bytes()
    said = live.run("up").stderr
    assert (live.journal(), (live.folder / "sentictl.toml").read_bytes()) == before
    assert said.count("unchanged") == 6


@pytest.mark.parametrize(
    ("setting", "value", "expected"),
    [
        ("site.title", "Good or bad?", ["update page"]),
        ("lambda.memory_mb", "512", ["update function"]),
        ("logs.days", "7", ["update endpoint-log-group", "update log-group", "update api-log-group"]),
        ("api.throttle_rate", "5", ["update rest-api"]),
        (
            "train.epochs",
            "9",
            [
                "create training-job",
                "replace model",
                "replace endpoint-config",
                "update endpoint",
                "delete endpoint-config",
                "delete model",
            ],
        ),
        ("deploy.instance_count", "2", ["replace endpoint-config", "update endpoint", "delete endpoint-config"]),
    ],
)
def test_a_setting_changes_what_depends_on_it(live: Shell, setting: str, value: str, expected: list[str]) -> None:
    live.run("config", "set", setting, value)
    assert changed(live.json("plan")) == expected
    live.run("up")


def test_a_dry_run_of_a_flag_writes_no_setting(live: Shell) -> None:
    before = (live.folder / "sentictl.toml").read_bytes(), live.journal()
    plan = live.json("wire-lambda", "--memory-mb", "1024", "--dry-run")
    assert plan["steps"][-1]["changes"] == {"MemorySize": [512, 1024]}
    assert changed(live.json("down", "--dry-run"))[0] == "delete page"
    assert ((live.folder / "sentictl.toml").read_bytes(), live.journal()) == before


def test_status_shows_what_was_changed_and_deleted_by_hand_and_up_mends_it(live: Shell, clients: Any) -> None:
    clients("lambda").update_function_configuration(FunctionName="toy-local-predict", MemorySize=3008)
    clients("logs").delete_log_group(logGroupName="/aws/lambda/toy-local-predict")
    clients("iam").put_role_policy(RoleName="toy-local-predict", PolicyName="sentictl", PolicyDocument=json.dumps(OPEN))
    status = live.json("status")
    assert problems(status) == {
        "function-role": ("Changed", "sentictl wire-lambda"),
        "log-group": ("Missing", "sentictl wire-lambda"),
        "function": ("Changed", "sentictl wire-lambda"),
    }
    shown = live.run("status", "--exit-code", expect=3).stdout
    assert "MemorySize: 3008 → 512" in shown
    assert "sentictl wire-lambda" in shown
    live.run("up")
    assert problems(live.json("status")) == {}
    live.run("status", "--exit-code")


OPEN = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def test_an_endpoint_deleted_by_hand_is_made_again_without_training(live: Shell, clients: Any) -> None:
    clients("sagemaker").delete_endpoint(EndpointName="toy-local-endpoint")
    clients("apigateway").delete_rest_api(restApiId=clients("apigateway").get_rest_apis()["items"][0]["id"])
    assert {"endpoint": "Missing", "rest-api": "Missing"}.items() <= {
        kind: status for kind, (status, _) in problems(live.json("status")).items()
    }.items()
    assert changed(live.json("plan")) == ["create endpoint", "create rest-api", "update permission", "update page"]
    live.run("up")
    assert live.json("predict", "superb", "--via", "api")["sentiment"] == 1


def test_one_part_is_taken_down_and_brought_back_without_training(live: Shell) -> None:
    jobs = [r["name"] for r in live.json("status")["resources"] if r["kind"] == "training-job"]
    gone = live.json("down", "endpoint", "--yes")
    assert {entry["kind"] for entry in gone["deleted"]} >= {"endpoint", "endpoint-config", "model"}
    assert gone["left"] == []
    assert live.json("status")["hourly_cost"] == 0
    assert live.json("predict", "superb", "--via", "api", expect=1)["error"]["code"] == "endpoint"
    live.run("deploy")
    assert live.json("predict", "superb", "--via", "api")["sentiment"] == 1
    assert [r["name"] for r in live.json("status")["resources"] if r["kind"] == "training-job"] == jobs


def test_the_state_is_found_again_from_what_aws_has(live: Shell) -> None:
    settings = live.folder / "sentictl.toml"
    before = live.json("status")["resources"]
    document = tomlkit.parse(settings.read_text())
    del document["state"]
    settings.write_text(tomlkit.dumps(document))
    imported = live.json("import")["imported"]
    assert {(r["kind"], r["name"]) for r in imported} == {(r["kind"], r["name"]) for r in before}
    live.run("plan", "--exit-code")


def test_what_somebody_else_put_in_the_place_of_ours_is_left_alone_unless_it_is_adopted(
    live: Shell, clients: Any
) -> None:
    function, role = clients("lambda"), "toy-local-predict"
    arn = function.get_function(FunctionName=role)["Configuration"]["FunctionArn"]
    function.untag_resource(Resource=arn, TagKeys=["sentictl:project", "sentictl:environment"])
    function.update_function_configuration(FunctionName=role, MemorySize=3008)
    for command in ("plan", "up", "wire-lambda"):
        error = live.json(command, expect=1)["error"]
        assert error["code"] == "foreign"
        assert "--adopt" in error["hint"]
    assert function.get_function(FunctionName=role)["Configuration"]["MemorySize"] == 3008
    gone = live.json("down", "lambda", "--yes", expect=1)
    assert [entry["kind"] for entry in gone["left"]] == ["function"]
    live.run("wire-lambda", "--adopt")
    assert function.get_function(FunctionName=role)["Configuration"]["MemorySize"] == 512
    live.run("up")


def test_data_is_kept_on_request_and_nothing_else_is(live: Shell) -> None:
    gone = live.json("down", "--keep-data", "--yes")
    assert gone["left"] == []
    assert {r["kind"] for r in live.json("status")["resources"]} == {
        "bucket",
        "dataset",
        "source-archive",
        "training-job",
    }
    assert "create training-job" not in changed(live.json("plan"))
