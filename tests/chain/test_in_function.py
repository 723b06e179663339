"""The model inside of the function: the whole chain without an endpoint, on the twin."""

import json
import urllib.request
from typing import Any

import pytest

from tests.chain.shell import Shell
from tests.chain.visitors import Visitors
from tests.services.web.wheels import ask_for

REVIEWS = ["A superb plot, moving.", "A tedious hero, awful.", "An unheard-of thing", "Wonderful " * 40]


def ask(url: str, body: Any) -> Any:
    """What the API answers to JSON."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def answers(url: str) -> list[Any]:
    """What the API says of the reviews, together and each with its explanation."""
    return [*ask(url, {"reviews": REVIEWS}), *(ask(url, {"review": review, "explain": True}) for review in REVIEWS)]


def rounded(value: Any) -> Any:
    """The same with numbers as they may differ: by 1e-5."""
    if isinstance(value, dict):
        return {key: rounded(member) for key, member in value.items()}
    if isinstance(value, list):
        return [rounded(member) for member in value]
    return pytest.approx(value, abs=1e-5) if isinstance(value, float) else value


def kinds(shell: Shell) -> set[str]:
    """The kinds of what stands."""
    return {resource["kind"] for resource in shell.json("status")["resources"]}


@pytest.fixture(scope="module")
def before(shell: Shell) -> list[Any]:
    """What an endpoint on a machine of its own says; then the settings ask for the function."""
    ask_for(shell.folder)  # no packages: the function runs with what this machine has
    said = answers(shell.json("up")["api_url"])
    shell.run("config", "set", "deploy.serving", "lambda")
    return said


def test_the_plan_says_what_comes_and_goes(shell: Shell, before: list[Any]) -> None:
    steps = {(step["kind"], step["action"]) for step in shell.json("plan")["steps"] if step["action"] != "keep"}
    assert {("function-archive", "create"), ("function", "update"), ("endpoint", "delete")} <= steps


def test_moving_there_fails_no_request_and_changes_no_answer(shell: Shell, before: list[Any]) -> None:
    with Visitors(shell.json("status")["api_url"], REVIEWS[0]) as visitors:
        up = shell.json("up")
    assert up["hourly_cost"] == 0
    assert visitors.answers
    assert not [answer for answer in visitors.answers if answer.startswith("failed")]
    assert answers(up["api_url"]) == rounded(before)
    assert not {"model", "endpoint-config", "endpoint-log-group", "endpoint"} & kinds(shell)
    assert shell.run("up").stderr.count("unchanged") == 6


def test_nothing_is_asked_of_an_endpoint_that_is_not_there(shell: Shell, before: list[Any]) -> None:
    for command in (["predict", "good", "--via", "endpoint"], ["logs", "endpoint"]):
        error = shell.json(*command, expect=1)["error"]
        assert error["code"] == "missing-step"
        assert "inside of the function" in error["message"]
    assert "START RequestId" in shell.run("logs", "lambda").stdout
    assert [model["live"] for model in shell.json("models")["models"]] == [True]
    status = shell.run("status").stdout
    assert "in the function · toy-local-" in status


def test_another_version_takes_its_place_and_the_first_comes_back(shell: Shell, before: list[Any]) -> None:
    shell.run("config", "set", "train.architecture", "ngram")
    first, url = shell.json("models")["models"][0]["name"], shell.json("status")["api_url"]
    second = shell.json("up")["model"]
    assert ask(url, {"review": "superb"})["model"] == second
    assert [model["live"] for model in shell.json("models")["models"]] == [False, True]
    archives = shell.client("s3").list_objects_v2(Bucket="toy-local-123456789012", Prefix="functions/")["Contents"]
    assert len(archives) == 1

    with Visitors(url, REVIEWS[0]) as visitors:
        shell.run("deploy", "--model", "previous")
    assert not [answer for answer in visitors.answers if answer.startswith("failed")]
    assert answers(url) == rounded(before)
    assert ask(url, {"review": "superb"})["model"] == first


def test_the_function_outlives_a_restart_of_the_twin(shell: Shell, before: list[Any]) -> None:
    shell.run("local", "stop")
    shell.run("local", "start")
    assert answers(shell.json("status")["api_url"]) == rounded(before)


def test_moving_back_fails_no_request(shell: Shell, before: list[Any]) -> None:
    shell.run("config", "set", "deploy.serving", "instance")
    with Visitors(shell.json("status")["api_url"], REVIEWS[0]) as visitors:
        url = shell.json("up")["api_url"]
    assert not [answer for answer in visitors.answers if answer.startswith("failed")]
    assert answers(url) == rounded(before)
    assert "function-archive" not in kinds(shell)


def test_down_leaves_nothing(shell: Shell, before: list[Any]) -> None:
    shell.run("config", "set", "deploy.serving", "lambda")
    shell.run("up")
    assert shell.json("down", "--yes")["left"] == []
    assert not (shell.folder / ".sentictl").exists()
