"""The opening hours, brought about by the reconciler and held against moto's Scheduler and IAM."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sentictl.config.hours import DAYS
from sentictl.config.state import Record
from sentictl.lifecycle.reconcile import Action, apply, destroy
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.pricing.per_use import endpoint_machines
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.hours import Closing, Opening, opening_note
from sentictl.services.serving.schedule import Schedule, ScheduleRole
from tests.services.conftest import MOTO_ACCOUNT, ContextOf
from tests.services.serving.test_schedule import READING, Silent

HOURS = """
[project]
name = "films"
[deploy.hours]
up = "mon-fri 08:00"
down = "mon-fri 19:00"
timezone = "Europe/Berlin"
"""
OFFICE = {"ScheduleExpressionTimezone": "Europe/Berlin", "State": "ENABLED"}


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return trained(moto_context_of(HOURS))


def trained(context: Context) -> Context:
    artifact = {"artifact": f"s3://films-local-{MOTO_ACCOUNT}/model.tar.gz"}
    context.state.keep(Record("training-job", "films-local-0123456789ab", "arn", artifact))
    return context


def kept(context: Context) -> list[Resource]:
    return [ScheduleRole(context), Schedule(context), Closing(context), Opening(context)]


def bring(context: Context) -> list[Action]:
    return [step.action for step in apply(kept(context), context, Silent())]


def schedule(context: Context, name: str) -> dict[str, Any]:
    found: dict[str, Any] = context.environment.client("scheduler").get_schedule(Name=f"films-local-{name}")
    return found


def names(context: Context) -> list[str]:
    return [entry["Name"] for entry in context.environment.client("scheduler").list_schedules()["Schedules"]]


def statements(context: Context) -> dict[str, Any]:
    policy = ScheduleRole(context).desired()["policy"]
    return {statement["Action"]: statement["Resource"] for statement in policy["Statement"]}


def test_two_schedules_bring_the_endpoint_up_and_take_it_down_in_its_time_zone(context: Context) -> None:
    assert bring(context) == [Action.CREATE] * 3
    up, down = schedule(context, "opening"), schedule(context, "closing")
    assert up["ScheduleExpression"] == "cron(0 8 ? * MON,TUE,WED,THU,FRI *)"
    assert down["ScheduleExpression"] == "cron(0 19 ? * MON,TUE,WED,THU,FRI *)"
    for found in (up, down):
        assert {key: found[key] for key in OFFICE} == OFFICE
        assert found.get("ActionAfterCompletion", "NONE") == "NONE"
        assert found["Target"]["RoleArn"] == f"arn:aws:iam::{MOTO_ACCOUNT}:role/films-local-schedule"
    assert up["Target"]["Arn"].endswith(":aws-sdk:sagemaker:createEndpoint")
    assert down["Target"]["Arn"].endswith(":aws-sdk:sagemaker:deleteEndpoint")
    assert json.loads(down["Target"]["Input"]) == {"EndpointName": "films-local-endpoint"}
    assert json.loads(up["Target"]["Input"]) == {
        "EndpointName": "films-local-endpoint",
        "EndpointConfigName": EndpointConfig(context).name,
        "Tags": context.naming.tag_list(),
    }


def test_the_role_may_do_what_the_schedules_do_and_nothing_else(context: Context) -> None:
    allowed = statements(context)
    assert set(allowed) == {"sagemaker:DeleteEndpoint", "sagemaker:CreateEndpoint", "sagemaker:AddTags"}
    place = f"arn:aws:sagemaker:eu-west-1:{MOTO_ACCOUNT}"
    assert allowed["sagemaker:CreateEndpoint"] == [
        f"{place}:endpoint/films-local-endpoint",
        f"{place}:endpoint-config/films-local-*",
    ]
    assert allowed["sagemaker:AddTags"] == f"{place}:endpoint/films-local-endpoint"
    context.config.change({"deploy.hours.up": ""})
    assert set(statements(context)) == {"sagemaker:DeleteEndpoint"}


def test_a_second_run_makes_no_call_that_changes_anything(context: Context) -> None:
    bring(context)
    called: list[str] = []
    for service in ("scheduler", "iam"):
        context.environment.client(service).meta.events.register(
            "before-call", lambda model, **_: called.append(model.name)
        )
    assert bring(context) == [Action.KEEP] * 3
    assert called
    assert all(name.startswith(READING) for name in called)


def test_other_hours_and_another_endpoint_config_change_the_schedules(context: Context) -> None:
    bring(context)
    context.config.change({"deploy.hours.down": "daily 20:30"})
    assert bring(context) == [Action.KEEP, Action.UPDATE, Action.KEEP]
    assert schedule(context, "closing")["ScheduleExpression"] == "cron(30 20 * * ? *)"
    context.config.change({"deploy.instance_type": "ml.m5.xlarge"})
    assert bring(context) == [Action.KEEP, Action.KEEP, Action.UPDATE]
    made_of = json.loads(schedule(context, "opening")["Target"]["Input"])["EndpointConfigName"]
    assert made_of == EndpointConfig(context).name


def test_without_hours_nothing_is_made_and_what_was_is_taken_away(context: Context) -> None:
    bring(context)
    context.config.change({"deploy.hours.up": "", "deploy.hours.down": ""})
    assert bring(context) == [Action.DELETE] * 3
    assert names(context) == []
    assert bring(context) == []


def test_only_going_down_by_itself_is_a_choice_too(moto_context_of: ContextOf) -> None:
    context = trained(moto_context_of('[project]\nname = "films"\n[deploy]\nhours.down = "daily 19:00"\n'))
    assert bring(context) == [Action.CREATE, Action.CREATE]
    assert names(context) == ["films-local-closing"]
    assert opening_note(context) == ""
    assert Endpoint(context).gone_as == "Missing"


def test_down_finds_them_without_a_record_and_without_a_model(context: Context) -> None:
    bring(context)
    for record in list(context.state):
        context.state.forget(record)
    _, left = destroy(kept(context), context, Silent())
    assert not left
    assert names(context) == []


def around_now(hours: int) -> str:
    moment = datetime.now(UTC) + timedelta(hours=hours)
    return f"{DAYS[moment.weekday()]} {moment:%H:%M}"


def test_outside_of_the_hours_a_missing_endpoint_is_closed(moto_context_of: ContextOf) -> None:
    hours = f'up = "{around_now(2)}"\ndown = "{around_now(-2)}"\n'
    context = moto_context_of(f'[project]\nname = "films"\n[deploy.hours]\n{hours}')
    assert Endpoint(context).gone_as == "Closed"
    day, time = around_now(2).split()
    assert opening_note(context) == f"The endpoint is closed until {day.capitalize()} {time}, UTC (deploy.hours)."
    context.config.change({"deploy.hours.up": around_now(-2), "deploy.hours.down": around_now(2)})
    assert Endpoint(context).gone_as == "Missing"
    assert opening_note(context).startswith("The endpoint is open until ")


def test_the_machines_are_paid_for_in_the_hours_alone(context: Context) -> None:
    machines = endpoint_machines(context.settings.deploy)
    assert machines is not None
    assert machines.share == pytest.approx(55 / 168)
