"""The alarms that tell people, brought about by the reconciler and held against moto's CloudWatch."""

import json
import re
import shlex
from typing import Any

import pytest
from typer.testing import CliRunner

from sentictl.cli.app import app
from sentictl.lifecycle.reconcile import Action, apply, destroy
from sentictl.lifecycle.resource import Context
from sentictl.services.monitoring.alarms import WATCHED, AlertAlarms
from sentictl.services.monitoring.endpoint_rule import EndpointRule
from sentictl.services.monitoring.texts import TEXTS, text_of
from tests.services.conftest import MOTO_ACCOUNT, ContextOf
from tests.services.serving.test_alarms import Silent

SETTINGS = '[project]\nname = "films"\nid = "0123456789ab"\n[alerts]\nemail = "ops@example.org"\n'
TOPIC = f"arn:aws:sns:eu-west-1:{MOTO_ACCOUNT}:films-local-alerts"
LONGEST_DESCRIPTION = 1024  # characters, by botocore's model of PutMetricAlarm
OPTIONS = {
    "--instance-count": "deploy.instance_count",
    "--max-instances": "deploy.max_instances",
    "--throttle-rate": "api.throttle_rate",
    "--throttle-burst": "api.throttle_burst",
}
COMMAND = re.compile(r"sentictl (.+)$", re.MULTILINE)


def bring(context: Context) -> list[Action]:
    return [step.action for step in apply([AlertAlarms(context)], context, Silent())]


def alarms(context: Context) -> dict[str, dict[str, Any]]:
    found = context.environment.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return {alarm["AlarmName"].removeprefix("films-local-alert-"): alarm for alarm in found}


def test_they_come_together_tell_one_topic_and_stay_as_they_are(moto_context_of: ContextOf) -> None:
    context = moto_context_of(SETTINGS)
    assert (bring(context), bring(context)) == ([Action.CREATE], [Action.KEEP])
    found = alarms(context)
    assert found.keys() == set(WATCHED)
    assert {(*alarm["AlarmActions"], *alarm["OKActions"]) for alarm in found.values()} == {(TOPIC, TOPIC)}
    of_the_api = {"ApiName": "films-local-api", "Stage": "prod"}
    filled, counted = found["idle"]["Metrics"]
    assert (filled["Expression"], counted["Id"], counted["MetricStat"]["Stat"]) == (
        "FILL(requests, 0)",
        "requests",
        "Sum",
    )
    found["idle"] |= {**counted["MetricStat"]["Metric"], "Period": counted["MetricStat"]["Period"]}
    for watched in ("errors", "latency", "refused", "idle"):
        assert {each["Name"]: each["Value"] for each in found[watched]["Dimensions"]} == of_the_api
    assert (found["errors"]["MetricName"], found["errors"]["Threshold"]) == ("5XXError", 0.05)
    assert (found["latency"]["ExtendedStatistic"], found["latency"]["Threshold"]) == ("p99", 5000.0)
    idle = found["idle"]
    assert (idle["Period"] * idle["EvaluationPeriods"], idle["TreatMissingData"]) == (604_800, "breaching")


def test_another_threshold_changes_them_in_place(moto_context_of: ContextOf) -> None:
    context = moto_context_of(SETTINGS)
    bring(context)
    context.config.change({"alerts.error_percent": 1, "alerts.idle_days": 0})
    assert (bring(context), bring(context)) == ([Action.UPDATE], [Action.KEEP])
    assert alarms(context)["errors"]["Threshold"] == 0.01
    rate = AlertAlarms(context).desired()
    context.config.change({"api.throttle_rate": 20})
    changed = AlertAlarms(context).desired()
    assert [name for name in rate if rate[name] != changed[name]] == ["texts"]  # which tell the rate to go to
    assert "idle" not in alarms(context)


@pytest.mark.parametrize("by_hand", ["delete", "silence"])
def test_one_that_somebody_deleted_or_silenced_comes_back(moto_context_of: ContextOf, by_hand: str) -> None:
    context = moto_context_of(SETTINGS)
    bring(context)
    client = context.environment.client("cloudwatch")
    change = client.delete_alarms if by_hand == "delete" else client.disable_alarm_actions
    change(AlarmNames=["films-local-alert-errors"])
    assert (bring(context), bring(context)) == ([Action.UPDATE], [Action.KEEP])


def test_none_is_left(moto_context_of: ContextOf) -> None:
    context = moto_context_of(SETTINGS)
    bring(context)
    deleted, left = destroy([AlertAlarms(context)], context, Silent())
    assert (len(deleted), left, alarms(context)) == (1, [], {})


def test_they_cost_as_cloudwatch_says(context_of: ContextOf) -> None:
    (use,) = AlertAlarms(context_of(SETTINGS)).uses()
    assert use.price == pytest.approx(0.5)
    assert not AlertAlarms(context_of('[project]\nname = "films"\n')).wanted


@pytest.mark.parametrize("serving", ["instance", "serverless", "lambda"])
@pytest.mark.parametrize("watched", TEXTS)
def test_each_says_what_happened_and_commands_that_there_are(context_of: ContextOf, watched: str, serving: str) -> None:
    text = text_of(context_of(f'{SETTINGS}[deploy]\nserving = "{serving}"\n'), watched)
    assert "films-local" in text.split("\n")[0]
    assert len(text) <= LONGEST_DESCRIPTION
    commands = COMMAND.findall(text)
    assert commands
    for command in commands:
        asked = CliRunner().invoke(app, [*shlex.split(command), "--help"])
        assert asked.exit_code == 0, f"sentictl {command}: {asked.output}"


@pytest.mark.parametrize(
    ("settings", "watched", "command"),
    [
        ("[deploy]\nmax_instances = 3\n", "latency", "deploy --max-instances 4"),
        ("[deploy]\ninstance_count = 10\n", "latency", "deploy --instance-count 10"),
        (
            '[deploy]\nserving = "serverless"\nprovisioned_concurrency = 2\nmax_concurrency = 2\n',
            "latency",
            "_concurrency 2",
        ),
        (
            "[api]\nthrottle_rate = 8000\nthrottle_burst = 4000\n",
            "refused",
            "--throttle-rate 10000 --throttle-burst 5000",
        ),
        ('[api]\nauth = "key"\n', "refused", "config set api.key_rate 10"),
        ("[api]\naccess_log = false\n", "refused", "logs lambda"),
    ],
)
def test_what_it_advises_is_what_the_settings_let_one_do(
    context_of: ContextOf, settings: str, watched: str, command: str
) -> None:
    context = context_of(SETTINGS + settings)
    text = text_of(context, watched)
    assert command in text
    asked = re.findall(r"(--[a-z-]+|[a-z]+\.[a-z_]+) ([0-9.]+)(?= |$)", text, re.MULTILINE)
    context.config.change({OPTIONS.get(name, name): value for name, value in asked})


def test_on_aws_the_commands_name_the_environment(offline: Context) -> None:
    assert all(line.endswith(" --env prod") for line in text_of(offline, "errors").split("\n")[1:])


def test_the_rule_is_of_the_projects_endpoint_alone(moto_context_of: ContextOf) -> None:
    context = moto_context_of(SETTINGS)
    rule = EndpointRule(context)
    actions = [[step.action for step in apply([rule], context, Silent())] for _ in range(2)]
    assert actions == [[Action.CREATE], [Action.KEEP]]
    client = context.environment.client("events")
    (target,) = client.list_targets_by_rule(Rule="films-local-endpoint-fails")["Targets"]
    assert target["Arn"] == TOPIC
    assert rule.desired()["pattern"]["detail"]["EndpointName"] == ["films-local-endpoint"]
    template = target["InputTransformer"]["InputTemplate"].split("\n")  # each line in quotes of its own, as AWS has it
    assert [json.loads(line) for line in template][:-1] == text_of(context, "endpoint").split("\n")
    assert template[-1] == '"SageMaker says: <status>"'
    client.disable_rule(Name="films-local-endpoint-fails")
    assert [step.action for step in apply([rule], context, Silent())] == [Action.UPDATE]
    destroy([rule], context, Silent())
    assert client.list_rules()["Rules"] == []
    assert not EndpointRule(moto_context_of(f'{SETTINGS}[deploy]\nserving = "lambda"\n')).wanted
