"""Changes with a net on the twin: a canary that goes over, one that an alarm takes back, and one that is stopped."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin import daemon
from sentictl.twin.core.clock import SPEED_VARIABLE
from tests.chain.shell import Shell, copy
from tests.chain.visitors import Visitors
from tests.twin.conftest import wait_for

SPEED = "60"  # a minute takes a second
REVIEW = "a superb film"
ENDPOINT = "toy-local-endpoint"


@pytest.fixture(scope="module")
def shell(standing: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    shell = replace(copy(standing, tmp_path_factory.mktemp("rollouts") / "toy"), variables={SPEED_VARIABLE: SPEED})
    for setting in (
        *("deploy.instance_count=2", "deploy.rollout=canary", "deploy.rollout_minutes=1"),
        *("deploy.rollback_on=errors,undecided,probability", "api.throttle_rate=100"),
    ):
        shell.run("config", "set", *setting.split("="))
    yield shell
    daemon.destroy(shell.twin)


@pytest.fixture(scope="module")
def first(shell: Shell) -> str:
    """The model that is up."""
    return str(shell.json("up")["model"])


def train_another(shell: Shell, ngrams: int) -> None:
    shell.run("train", "--ngrams", str(ngrams))


def served(shell: Shell) -> str:
    return str(shell.json("predict", REVIEW, "--via", "endpoint")["model"])


def endpoint(shell: Shell) -> dict[str, Any]:
    found: dict[str, Any] = shell.client("sagemaker").describe_endpoint(EndpointName=ENDPOINT)
    return found


def states(shell: Shell) -> dict[str, str]:
    alarms = shell.client("cloudwatch").describe_alarms(AlarmNamePrefix="toy-local-rollback-")["MetricAlarms"]
    return {alarm["AlarmName"]: alarm["StateValue"] for alarm in alarms}


def test_the_alarms_stand_and_cost(shell: Shell, first: str) -> None:
    assert set(states(shell)) == {
        f"toy-local-rollback-{watched}" for watched in ("errors", "undecided", "probability", "abort")
    }
    uses = {use["what"]: use["price"] for use in shell.json("plan")["uses"]}
    assert uses["Alarms"] == pytest.approx(0.6)
    assert shell.json("status")["rollout"] is None
    assert shell.run("up").stderr.count("unchanged") == 6


def test_a_canary_goes_over_and_fails_no_request(shell: Shell, first: str) -> None:
    train_another(shell, 4000)
    with Visitors(shell.json("status")["api_url"], REVIEW) as visitors:
        shell.run("deploy")
    assert served(shell) != first
    assert visitors.answers
    assert not [answer for answer in visitors.answers if "failed" in answer]
    (update,) = [json.loads(line) for line in shell.journal().splitlines() if b"UpdateEndpoint" in line][-1:]
    asked = json.loads(update["call"]["body"])["DeploymentConfig"]
    assert asked["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]["Type"] == "CANARY"
    assert len(asked["AutoRollbackConfiguration"]["Alarms"]) == 4


def test_one_that_is_stopped_goes_back_and_fails_no_request(shell: Shell, first: str) -> None:
    before = served(shell)
    train_another(shell, 3000)
    with Visitors(shell.json("status")["api_url"], REVIEW) as visitors:
        shell.run("deploy", "--rollout-minutes", "60", "--no-wait")
        wait_for(lambda: len({json.loads(answer)["model"] for answer in visitors.answers}) == 2)
        rollout = shell.json("status")["rollout"]
        assert rollout["kind"] == "canary"
        assert (rollout["steps"], rollout["going_back"]) == (2, False)
        assert 0 < rollout["share"] < 1
        assert rollout["alarms"]["errors"] == "OK"
        assert "A rollout (canary) to" in shell.run("status").stdout
        error = shell.json("deploy", "--instance-type", "ml.m5.xlarge", expect=1)["error"]
        assert "is on its way since" in error["message"]
        assert "sentictl deploy --abort" in error["hint"]
        shell.run("deploy", "--abort")
    assert served(shell) == before
    assert not [answer for answer in visitors.answers if "failed" in answer]
    assert "No rollout" in shell.json("deploy", "--abort", expect=1)["error"]["message"]
    differs = {each["kind"]: each["mend"] for each in shell.json("status")["resources"] if each["mend"]}
    assert differs["endpoint"] == "sentictl deploy"


def test_another_begins_after_that_and_an_alarm_takes_it_back(shell: Shell, first: str) -> None:
    before = served(shell)
    with ThreadPoolExecutor(1) as pool:
        deploying = pool.submit(shell.run, "deploy", "--json", expect=1)
        wait_for(lambda: is_watched(shell), 120)
        assert states(shell)["toy-local-rollback-abort"] == "OK"
        go_off(shell, "toy-local-rollback-errors")
        error = json.loads(deploying.result().stdout)["error"]
    assert "an alarm went off: toy-local-rollback-errors (Threshold crossed" in error["message"]
    assert served(shell) == before
    shell.run("deploy", "--rollout-minutes", "0")
    assert served(shell) != before
    assert set(states(shell).values()) <= {"OK", "INSUFFICIENT_DATA"}


def is_watched(shell: Shell) -> bool:
    """Whether a rollout waits, with its alarms watched."""
    pending = endpoint(shell).get("PendingDeploymentSummary") or {"ProductionVariants": []}
    stages = [stage["Status"] for variant in pending["ProductionVariants"] for stage in variant["VariantStatus"]]
    return stages == ["Baking"]


def go_off(shell: Shell, alarm: str) -> None:
    """Change an alarm so that what it watches is too much."""
    shell.client("cloudwatch").put_metric_alarm(
        AlarmName=alarm,
        Namespace="AWS/SageMaker",
        MetricName="Invocations",
        Dimensions=[{"Name": "EndpointName", "Value": ENDPOINT}, {"Name": "VariantName", "Value": "AllTraffic"}],
        Statistic="Sum",
        Period=3600,
        EvaluationPeriods=1,
        Threshold=-1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="breaching",
    )


def test_nothing_is_left(shell: Shell, first: str) -> None:
    client = shell.client("cloudwatch")
    shell.run("down", "endpoint", "--yes")
    assert client.describe_alarms()["MetricAlarms"] == []
