"""A shadow on the twin: it gets a copy of what visitors ask, is compared, answers nobody, and goes without a trace."""

from typing import Any

import pytest

from tests.chain.shell import Shell
from tests.chain.visitors import Visitors
from tests.twin.conftest import wait_for

REVIEW = "a superb film"


@pytest.fixture(scope="module")
def shell(live: Shell) -> Shell:
    live.run("config", "set", "api.throttle_rate", "100")
    return live


@pytest.fixture(scope="module")
def versions(shell: Shell) -> list[str]:
    """Two versions, of which the first is live and the second its shadow."""
    shell.run("up")
    shell.run("train", "--architecture", "lstm", "--epochs", "1")
    names = [version["name"] for version in shell.json("models")["models"]]
    with Visitors(shell.json("status")["api_url"], REVIEW) as visitors:
        shell.run("deploy", "--model", "1", "--shadow", "2")
    assert not [answer for answer in visitors.answers if "failed" in answer]
    return names


def captures(shell: Shell) -> list[str]:
    client = shell.client("s3")
    (bucket,) = [each["Name"] for each in client.list_buckets()["Buckets"] if each["Name"].startswith("toy-local")]
    return [each["Key"] for each in client.list_objects_v2(Bucket=bucket, Prefix="captures/").get("Contents", [])]


def marks(shell: Shell, mark: str) -> list[int]:
    return [version["number"] for version in shell.json("models")["models"] if version[mark]]


def test_visitors_are_answered_by_the_live_one_and_compared_with_the_shadow(shell: Shell, versions: list[str]) -> None:
    assert (marks(shell, "live"), marks(shell, "shadow")) == ([1], [2])
    assert not shell.json("models", "compare-live")["enough"]
    with Visitors(shell.json("status")["api_url"], REVIEW) as visitors:
        wait_for(lambda: len(visitors.answers) > 5)
    assert not [answer for answer in visitors.answers if "failed" in answer]
    assert all(versions[0] in answer for answer in visitors.answers)
    shell.run("predict", "a dreadful film", "a charming plot", "--via", "endpoint")
    found = wait_for(lambda: compared(shell, len(visitors.answers) + 1))
    assert (found["live"], found["shadow"]) == tuple(versions)
    assert (found["only_live"], found["only_shadow"]) == (0, 0)
    assert found["reviews"] == found["requests"] + 1
    assert 0 <= found["interval"][0] <= found["share"] <= found["interval"][1] <= 1
    assert 0 < found["mean_absolute_difference"] < 1
    assert "Both answered" in shell.run("models", "compare-live").stdout


def compared(shell: Shell, requests: int) -> dict[str, Any] | None:
    found: dict[str, Any] = shell.json("models", "compare-live")
    return found if found["requests"] >= requests else None


def test_what_stands_of_it_costs_and_stays(shell: Shell, versions: list[str]) -> None:
    status = shell.json("status")
    assert not [each for each in status["resources"] if each["mend"]]
    assert "shadow-model" in [each["kind"] for each in status["resources"]]
    assert status["hourly_cost"] == pytest.approx(2 * 0.115)
    assert shell.json("prune", "--keep", "1")["unused"] == []


def test_the_endpoint_scales_beside_it(shell: Shell, versions: list[str]) -> None:
    shell.run("deploy", "--max-instances", "2")
    status = shell.json("status")
    assert {"scalable-target", "shadow-model"} <= {each["kind"] for each in status["resources"]}
    assert not [each for each in status["resources"] if each["mend"]]
    assert marks(shell, "shadow") == [2]
    assert versions[0] in shell.run("predict", REVIEW, "--via", "endpoint", "--json").stdout
    shell.run("deploy", "--max-instances", "0")


def test_what_it_cannot_be(shell: Shell, versions: list[str]) -> None:
    itself = shell.json("deploy", "--shadow", "1", expect=1)["error"]
    assert f"{versions[0]} cannot be the shadow of itself" in itself["message"]
    unknown = shell.json("deploy", "--shadow", "7", expect=1)["error"]
    assert "There is no version 7" in unknown["message"]
    for option in (["--serving", "lambda"], ["--rollback-on", "errors"]):
        refused = shell.json("deploy", *option, expect=2)["error"]
        assert "The setting deploy.shadow cannot be" in refused["message"]
        assert "sentictl config set deploy.shadow off" in refused["hint"]
    assert marks(shell, "shadow") == [2]


def test_the_twin_brings_it_back(shell: Shell, versions: list[str]) -> None:
    shell.run("local", "stop")
    before = shell.json("models", "compare-live")["requests"]
    shell.run("predict", REVIEW, "--via", "endpoint")
    assert wait_for(lambda: compared(shell, before + 1))


def test_it_is_promoted_and_leaves_nothing(shell: Shell, versions: list[str]) -> None:
    assert captures(shell)
    with Visitors(shell.json("status")["api_url"], REVIEW) as visitors:
        shell.run("deploy", "--model", "latest", "--shadow", "off", "--force")
    assert not [answer for answer in visitors.answers if "failed" in answer]
    assert (marks(shell, "live"), marks(shell, "shadow"), captures(shell)) == ([2], [], [])
    assert "There is no shadow" in shell.json("models", "compare-live", expect=1)["error"]["message"]


def test_down_takes_it_along(shell: Shell, versions: list[str]) -> None:
    shell.run("deploy", "--shadow", "previous")
    assert marks(shell, "shadow") == [1]
    shell.run("predict", REVIEW, "--via", "endpoint")
    assert wait_for(lambda: captures(shell))
    shell.run("down", "endpoint", "--yes")
    assert captures(shell) == []
    names = [each["ModelName"] for each in shell.client("sagemaker").list_models()["Models"]]
    assert names == []
    assert shell.json("down", "--yes")["left"] == []
    assert shell.json("config", "get", "deploy.shadow") == ""
