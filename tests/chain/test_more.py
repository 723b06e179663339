"""More and fewer machines, and opening hours. The tests go on from one another."""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sentictl.config.hours import DAYS
from tests.chain.shell import Shell
from tests.chain.test_permissions import wait_for

PLACE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
TARGET = "endpoint/toy-local-endpoint/variant/AllTraffic"


def endpoint(shell: Shell) -> dict[str, Any]:
    found: dict[str, Any] = shell.client("sagemaker").describe_endpoint(EndpointName="toy-local-endpoint")
    return found


def machines(shell: Shell) -> int:
    variant = endpoint(shell)["ProductionVariants"][0]
    return int(variant["CurrentInstanceCount"])


def targets(shell: Shell) -> list[dict[str, Any]]:
    client = shell.client("application-autoscaling")
    found: list[dict[str, Any]] = client.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    return found


def mends(shell: Shell) -> list[str]:
    return [each["kind"] for each in shell.json("status")["resources"] if each["mend"]]


def test_max_instances_lets_it_scale_and_tells_what_it_costs(live: Shell) -> None:
    planned = live.json("deploy", "--max-instances", "3", "--dry-run")
    steps = [step["kind"] for step in planned["steps"] if step["action"] == "create"]
    assert steps == ["scalable-target", "scaling-policy"]
    assert planned["hourly_cost_most"] == pytest.approx(3 * planned["hourly_cost"])
    told = " ".join(live.run("deploy", "--max-instances", "3", "--dry-run").stdout.split())
    assert "$0.115 to $0.345 an hour, about $84 to $252 a month" in told
    assert "1 to 3 machines, by invocations" in live.run("deploy", "--max-instances", "3").stderr
    (target,) = targets(live)
    assert (target["MinCapacity"], target["MaxCapacity"]) == (1, 3)
    live.run("plan", "--exit-code")


def test_another_number_of_machines_is_no_drift_and_stays_with_another_config(live: Shell) -> None:
    client = live.client("application-autoscaling")
    for least in (2, 1):  # as if the load had come and were there still
        client.register_scalable_target(**PLACE, ResourceId=TARGET, MinCapacity=least, MaxCapacity=3)
        wait_for(lambda: machines(live) == 2 and endpoint(live)["EndpointStatus"] == "InService")
    live.run("plan", "--exit-code")
    assert mends(live) == []
    before = endpoint(live)["EndpointConfigName"]
    live.run("deploy", "--instance-count", "3")
    assert endpoint(live)["EndpointConfigName"] != before
    assert machines(live) == 2


def test_another_type_of_machine_is_taken_and_goes_on_scaling(live: Shell) -> None:
    (before,) = targets(live)
    live.run("deploy", "--instance-type", "ml.m5.xlarge")
    (after,) = targets(live)
    assert after["ScalableTargetARN"] != before["ScalableTargetARN"]  # it was taken out meanwhile
    policies = live.client("application-autoscaling").describe_scaling_policies(ServiceNamespace="sagemaker")
    assert [policy["PolicyName"] for policy in policies["ScalingPolicies"]] == ["toy-local-scaling"]
    live.run("plan", "--exit-code")


def test_without_it_they_are_as_many_as_the_settings_say(live: Shell) -> None:
    assert machines(live) == 2
    live.run("deploy", "--max-instances", "0")
    assert targets(live) == []
    wait_for(lambda: machines(live) == 3 and endpoint(live)["EndpointStatus"] == "InService")
    live.run("plan", "--exit-code")


def around_now(hours: int) -> str:
    moment = datetime.now(UTC) + timedelta(hours=hours)
    return f"{DAYS[moment.weekday()]} {moment:%H:%M}"


def test_outside_of_its_hours_the_endpoint_is_closed_and_nothing_is_wrong(live: Shell) -> None:
    opens, closes = around_now(2), around_now(-2)
    live.run("config", "set", "deploy.hours.up", opens)
    live.run("config", "set", "deploy.hours.down", closes)
    live.run("up")  # makes what is closed by its hours, until it is closed again
    assert mends(live) == []
    live.client("sagemaker").delete_endpoint(EndpointName="toy-local-endpoint")  # as its schedule does
    status = live.json("status", "--exit-code")
    assert {each["status"] for each in status["resources"] if each["kind"] == "endpoint"} == {"Closed"}
    assert any("closed until" in warning for warning in status["warnings"])
    request = urllib.request.Request(status["api_url"], data=b"a superb film")
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request, timeout=60)
    error = json.loads(refusal.value.read())["error"]
    assert (refusal.value.code, error["code"]) == (503, "closed")
    assert f"{opens} to {closes}, UTC" in error["message"]


def test_up_opens_it_again_and_down_leaves_no_schedule_that_would(live: Shell) -> None:
    assert "create endpoint" in [f"{step['action']} {step['kind']}" for step in live.json("plan")["steps"]]
    live.run("up")
    assert endpoint(live)["EndpointStatus"] == "InService"
    scheduler = live.client("scheduler")
    assert len(scheduler.list_schedules()["Schedules"]) == 2
    live.run("down", "endpoint", "--yes")
    assert scheduler.list_schedules()["Schedules"] == []
