"""The schedule that ends the endpoint, brought about by the reconciler and held against moto's Scheduler and IAM."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sentictl.config.state import Record
from sentictl.config.tables.deploy import duration
from sentictl.errors import ForeignError, SettingsError
from sentictl.lifecycle.reconcile import Action, Step, apply, destroy
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.serving.schedule import Schedule, ScheduleRole, ending, renew
from tests.services.conftest import MOTO_ACCOUNT, ContextOf

NAME = "films-local-endpoint"
READING = ("Get", "List", "Describe")


class Silent:
    """An observer that is told everything and says nothing."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def finished(self, step: Step, summary: str) -> None:
        """A step has ended."""


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    return moto_context_of('[project]\nname = "films"\n[deploy]\nttl = "8h"\n')


def kept(context: Context) -> list[Resource]:
    return [ScheduleRole(context), Schedule(context)]


def bring(context: Context) -> list[Action]:
    return [step.action for step in apply(kept(context), context, Silent())]


def schedule(context: Context) -> dict[str, Any]:
    found: dict[str, Any] = context.environment.client("scheduler").get_schedule(Name=NAME)
    return found


def stands(context: Context) -> bool:
    return Schedule(context).read(NAME) is not None


def end(context: Context) -> datetime:
    return datetime.strptime(schedule(context)["ScheduleExpression"], "at(%Y-%m-%dT%H:%M:%S)").replace(tzinfo=UTC)


def move(context: Context, **changes: Any) -> None:
    """Change the schedule by hand."""
    found = schedule(context)
    names = ("Name", "Description", "ScheduleExpression", "State", "Target", "FlexibleTimeWindow")
    context.environment.client("scheduler").update_schedule(**{name: found[name] for name in names} | changes)


def is_in(hours: float, moment: datetime) -> bool:
    return abs(moment - datetime.now(UTC) - timedelta(hours=hours)) < timedelta(minutes=2)


def test_the_schedule_deletes_that_endpoint_once_and_then_itself(context: Context) -> None:
    assert bring(context) == [Action.CREATE, Action.CREATE]
    found = schedule(context)
    assert is_in(8, end(context))
    assert found["ScheduleExpressionTimezone"] == "UTC"
    assert found["ActionAfterCompletion"] == "DELETE"
    assert found["FlexibleTimeWindow"] == {"Mode": "OFF"}
    assert found["Target"]["Arn"] == "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint"
    assert json.loads(found["Target"]["Input"]) == {"EndpointName": NAME}
    assert found["Target"]["RoleArn"] == f"arn:aws:iam::{MOTO_ACCOUNT}:role/films-local-schedule"
    # Tried again for long enough that an endpoint gets out of an update, and no longer.
    assert found["Target"]["RetryPolicy"]["MaximumEventAgeInSeconds"] == 3600


def test_its_role_may_delete_the_projects_endpoints_and_nothing_else(context: Context) -> None:
    bring(context)
    role = ScheduleRole(context).desired()
    assert role["trust"]["Statement"][0]["Principal"] == {"Service": "scheduler.amazonaws.com"}
    (statement,) = role["policy"]["Statement"]
    assert statement["Action"] == "sagemaker:DeleteEndpoint"
    endpoints = f"arn:aws:sagemaker:eu-west-1:{MOTO_ACCOUNT}:endpoint"
    assert statement["Resource"] == [f"{endpoints}/{NAME}", f"{endpoints}/{NAME.removesuffix('endpoint')}serverless"]


def test_a_second_run_makes_no_call_that_changes_anything_and_the_end_stays(context: Context) -> None:
    bring(context)
    sooner = (datetime.now(UTC) + timedelta(hours=1)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    move(context, ScheduleExpression=sooner)  # as if seven hours had gone by
    called: list[str] = []
    for service in ("scheduler", "iam"):
        context.environment.client(service).meta.events.register(
            "before-call", lambda model, **_: called.append(model.name)
        )
    assert bring(context) == [Action.KEEP, Action.KEEP]
    assert schedule(context)["ScheduleExpression"] == sooner
    assert called
    assert all(name.startswith(READING) for name in called)


def test_given_anew_the_time_begins_anew(context: Context) -> None:
    bring(context)
    move(context, ScheduleExpression="at(2027-01-01T00:00:00)")
    renew(context)
    assert is_in(8, end(context))
    assert bring(context) == [Action.KEEP, Action.KEEP]


def test_another_ttl_begins_now(context: Context) -> None:
    bring(context)
    context.config.change({"deploy.ttl": "3d"})
    assert bring(context) == [Action.KEEP, Action.UPDATE]
    assert is_in(72, end(context))
    assert bring(context) == [Action.KEEP, Action.KEEP]


@pytest.mark.parametrize("off", ["off", ""])
def test_off_takes_the_schedule_and_its_role_away(context: Context, off: str) -> None:
    bring(context)
    context.config.change({"deploy.ttl": off})
    assert context.settings.deploy.ttl == ""
    assert bring(context) == [Action.DELETE, Action.DELETE]
    assert not stands(context)
    assert ScheduleRole(context).read("films-local-schedule") is None
    assert not len(context.state)
    renew(context)  # nothing is left that could be renewed
    assert not stands(context)


def test_without_a_ttl_nothing_is_made(moto_context_of: ContextOf) -> None:
    context = moto_context_of('[project]\nname = "films"\n')
    assert bring(context) == []
    renew(context)
    assert not stands(context)


def test_one_that_has_fired_is_made_again(context: Context) -> None:
    bring(context)
    context.environment.client("scheduler").delete_schedule(Name=NAME)  # as it does itself
    assert bring(context) == [Action.KEEP, Action.CREATE]
    assert is_in(8, end(context))


def test_renewing_makes_none_where_it_has_fired(context: Context) -> None:
    bring(context)
    context.environment.client("scheduler").delete_schedule(Name=NAME)
    renew(context)
    assert not stands(context)


def test_what_was_changed_by_hand_is_mended(context: Context) -> None:
    bring(context)
    move(context, State="DISABLED", Target=schedule(context)["Target"] | {"Input": '{"EndpointName": "another"}'})
    assert bring(context) == [Action.KEEP, Action.UPDATE]
    assert schedule(context)["State"] == "ENABLED"
    assert json.loads(schedule(context)["Target"]["Input"]) == {"EndpointName": NAME}


def test_down_takes_it_away_and_gone_already_is_no_error(context: Context) -> None:
    bring(context)
    record = context.state.of_kind("schedule")[0]
    _, left = destroy(kept(context), context, Silent())
    assert not left
    assert not stands(context)
    Schedule(context).delete(record)


def test_somebody_else_s_schedule_of_that_name_is_not_touched(context: Context) -> None:
    client = context.environment.client("scheduler")
    theirs = {"Arn": "arn:aws:lambda:eu-west-1:1:function:x", "RoleArn": "arn:aws:iam::1:role/x"}
    rest = {"ScheduleExpression": "rate(1 day)", "FlexibleTimeWindow": {"Mode": "OFF"}}
    client.create_schedule(Name=NAME, Description="watch the films", Target=theirs, **rest)
    renew(context)
    with pytest.raises(ForeignError, match=NAME):
        bring(context)
    destroy(kept(context), context, Silent())
    assert schedule(context)["ScheduleExpression"] == "rate(1 day)"
    apply(kept(context), context, Silent(), adopt=True)
    assert is_in(8, end(context))


def test_the_end_is_recorded_and_told(context: Context) -> None:
    bring(context)
    ends = end(context).strftime("%Y-%m-%d %H:%M:%S")
    assert context.attribute(Schedule, "ends").replace("T", " ") == ends
    assert Schedule(context).summary() == f"endpoint {NAME} in service until {ends} UTC"
    assert ending(context) == f"The endpoint is taken down by itself at {ends} UTC (deploy.ttl)."


@pytest.mark.parametrize(("ttl", "hours"), [("5m", 1 / 12), ("30m", 0.5), ("8h", 8), ("3d", 72), ("30d", 720)])
def test_a_time_to_live_is_minutes_hours_or_days(moto_context_of: ContextOf, ttl: str, hours: float) -> None:
    context = moto_context_of(f'[deploy]\nttl = "{ttl}"\n')
    assert duration(context.settings.deploy.ttl) == timedelta(hours=hours)


@pytest.mark.parametrize("ttl", ["4m", "31d", "8", "8 h", "h", "-8h", "8H", "1w", "999999d", "٨h", "\\n"])
def test_any_other_time_to_live_is_refused_by_name(moto_context_of: ContextOf, ttl: str) -> None:
    with pytest.raises(SettingsError, match=r"deploy\.ttl cannot be .*: it is a time from 5m to 30d, such as 30m"):
        moto_context_of(f'[deploy]\nttl = "{ttl}"\n')


def test_an_end_that_is_past_is_told_as_such_and_one_that_is_not_scheduled_is_not_told(context: Context) -> None:
    assert ending(context) == ""
    context.state.keep(Record(Schedule.kind, NAME, "arn:schedule", {"ends": "2020-02-20T20:20:20"}))
    assert ending(context) == "The endpoint was taken down by itself at 2020-02-20 20:20:20 UTC (deploy.ttl)."


@pytest.mark.parametrize(("name", "where"), [("local", ""), ("prod", " --env prod")])
def test_an_endpoint_that_outlived_its_end_is_told_with_what_takes_it_down(
    context: Context, name: str, where: str
) -> None:
    context.environment.name = name
    client = context.environment.client("sagemaker")
    client.create_model(ModelName="m", ExecutionRoleArn=f"arn:aws:iam::{MOTO_ACCOUNT}:role/any")
    variant = {"VariantName": "v", "ModelName": "m", "InstanceType": "ml.t2.medium", "InitialInstanceCount": 1}
    client.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    client.create_endpoint(EndpointName=context.naming.name("endpoint"), EndpointConfigName="c")
    context.state.keep(Record(Schedule.kind, NAME, "arn:schedule", {"ends": "2020-02-20T20:20:20"}))
    assert ending(context).endswith(f"and stands: sentictl down endpoint{where}")


@pytest.mark.parametrize("ttl", ["8h", "off"])
def test_the_projects_id_is_put_on_a_schedule_that_stays_as_it_is(context: Context, ttl: str) -> None:
    bring(context)
    move(context, State="DISABLED")
    before = schedule(context)
    context.config.change({"deploy.ttl": ttl})
    context.config.identify()
    Schedule(context).tag(NAME)
    after = schedule(context)
    assert Schedule(context).tags(NAME) == {**context.naming.tags, "ttl": "8h"}
    told = {"Description", "LastModificationDate", "ResponseMetadata"}
    assert {key: after[key] for key in after.keys() - told} == {key: before[key] for key in before.keys() - told}
