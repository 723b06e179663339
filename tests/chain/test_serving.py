"""What the model answers in: one choice takes the other's place while people ask. The tests go on from one another."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from tests.chain.shell import Shell
from tests.chain.visitors import Visitors

REVIEW = "A superb plot, moving. Who wrote it?"


@pytest.fixture(scope="module")
def answer(live: Shell) -> dict[str, Any]:
    """What the API said of the review before anything was changed."""
    return asked(live)


def asked(shell: Shell) -> dict[str, Any]:
    found: dict[str, Any] = shell.json("predict", REVIEW, "--via", "api")
    return found


def endpoints(shell: Shell) -> list[str]:
    return [each["EndpointName"] for each in shell.client("sagemaker").list_endpoints()["Endpoints"]]


def all_the_same(answers: Sequence[str], answer: dict[str, Any]) -> bool:
    return len(answers) > 1 and all(
        json.loads(each) == answer | {"probability": pytest.approx(answer["probability"], abs=1e-5)} for each in answers
    )


def test_serverless_takes_the_instances_place_without_a_failed_request(live: Shell, answer: dict[str, Any]) -> None:
    with Visitors(live.json("status")["api_url"], REVIEW) as visitors:
        said = live.run("deploy", "--serving", "serverless").stderr
    assert all_the_same(visitors.answers, answer)
    assert 'wrote deploy.serving = "serverless"' in said
    assert endpoints(live) == ["toy-local-serverless"]
    assert asked(live) == answer
    function = live.client("lambda").get_function_configuration(FunctionName="toy-local-predict")
    assert function["Environment"]["Variables"]["ENDPOINT_NAME"] == "toy-local-serverless"


def test_then_there_is_nothing_to_do(live: Shell) -> None:
    live.run("plan", "--exit-code")
    assert not [each for each in live.json("status")["resources"] if each["mend"]]
    assert live.json("predict", REVIEW, "--via", "endpoint")["label"] == "positive"


def test_another_memory_is_taken_in_place(live: Shell, answer: dict[str, Any]) -> None:
    live.run("config", "set", "deploy.memory_mb", "3072")
    with Visitors(live.json("status")["api_url"], REVIEW) as visitors:
        live.run("up")
    assert all_the_same(visitors.answers, answer)
    (variant,) = live.client("sagemaker").describe_endpoint(EndpointName="toy-local-serverless")["ProductionVariants"]
    assert variant["CurrentServerlessConfig"]["MemorySizeInMB"] == 3072


def test_up_goes_back_to_an_instance_without_a_failed_request(live: Shell, answer: dict[str, Any]) -> None:
    live.run("config", "set", "deploy.serving", "instance")
    plan = live.json("plan")
    order = [f"{step['action']} {step['kind']}" for step in plan["steps"]]
    assert order.index("update function") < order.index("delete endpoint")
    with Visitors(live.json("status")["api_url"], REVIEW) as visitors:
        live.run("up")
    assert all_the_same(visitors.answers, answer)
    assert endpoints(live) == ["toy-local-endpoint"]


def test_what_was_not_waited_for_is_moved_to_later(live: Shell, answer: dict[str, Any]) -> None:
    live.run("deploy", "--serving", "serverless", "--no-wait")
    assert asked(live) == answer
    assert "toy-local-endpoint" in endpoints(live)
    live.run("up")
    assert endpoints(live) == ["toy-local-serverless"]
    assert asked(live) == answer


@pytest.mark.parametrize(
    ("setting", "value", "why"),
    [
        ("deploy.memory_mb", "1500", "a multiple of 1024"),
        ("deploy.memory_mb", "7168", "less than or equal to 6144"),
        ("deploy.max_concurrency", "201", "less than or equal to 200"),
        ("deploy.provisioned_concurrency", "6", "at most deploy.max_concurrency, 5"),
        ("deploy.serving", "server", "'instance', 'serverless' or 'lambda'"),
    ],
)
def test_what_sagemaker_does_not_offer_is_refused(live: Shell, setting: str, value: str, why: str) -> None:
    settings = (live.folder / "sentictl.toml").read_bytes()
    error = live.json("config", "set", setting, value, expect=2)["error"]
    assert why in error["message"]
    assert setting in error["message"]
    assert (live.folder / "sentictl.toml").read_bytes() == settings


def test_what_stands_is_found_also_without_a_record_of_it(live: Shell) -> None:
    settings = live.folder / "sentictl.toml"
    settings.write_text(settings.read_text().partition("[state")[0].replace('serving = "serverless"', ""))
    assert "toy-local-serverless" in live.run("import").stdout
    live.run("down", "endpoint", "--yes")
    assert endpoints(live) == []
