"""The schedule that trains: what is put into it, when it pauses, and what it cannot be set up for."""

import json
from typing import Any

import pytest

from sentictl.api import stack
from sentictl.config.state import Record
from sentictl.errors import SettingsError
from sentictl.lifecycle.reconcile import Step, apply
from sentictl.lifecycle.resource import Context
from sentictl.services.batch.schedule import BatchScheduleRole
from sentictl.services.iam.permissions import policy
from sentictl.services.kept import KEPT, RETRAINED
from sentictl.services.monitoring.alarms import AlertAlarms
from sentictl.services.monitoring.texts import text_of
from sentictl.services.resources.training import SERVED_TAG, TrainingJob, versions_of
from sentictl.services.retraining import fitness
from sentictl.services.retraining.definition import definition, run_of
from sentictl.services.retraining.fitness import check_fit
from sentictl.services.retraining.jobs import UnservedTraining, absorb
from sentictl.services.retraining.price import training_run_price
from sentictl.services.retraining.roles import RetrainingRole, TrainScheduleRole
from sentictl.services.retraining.rule import TrainingRule
from sentictl.services.retraining.schedule import TrainSchedule, training_note
from sentictl.services.serving.model import Model
from sentictl.services.serving.schedule import ScheduleRole
from tests.services.retraining.conftest import ARTIFACT

SCHEDULE = "films-local-train"
KINDS = (TrainingJob, UnservedTraining)


class Silent:
    """An observer that keeps the steps."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, str]] = []

    def started(self, step: Step) -> None:
        self.steps.append((str(step.action), step.kind))

    def finished(self, step: Step, summary: str) -> None:
        """Nothing is told."""


def bring(context: Context, **settings: Any) -> list[tuple[str, str]]:
    """Bring all of it to what the settings ask for. Returns what was done, without what was kept."""
    context.config.change({key.replace("__", "."): value for key, value in settings.items()})
    observer = Silent()
    apply([kind(context) for kind in RETRAINED if kind.__name__ != "ScheduledCode"], context, observer)
    return [step for step in observer.steps if step[0] != "keep"]


def found(context: Context) -> dict[str, Any]:
    told: dict[str, Any] = context.environment.client("scheduler").get_schedule(Name=SCHEDULE)
    return told


def test_it_starts_the_state_machine_with_the_time_of_the_run(context: Context) -> None:
    made = [kind for _, kind in bring(context)]
    assert made == ["retraining-role", "training-state-machine", "train-schedule-role", "train-schedule"]
    schedule = found(context)
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("cron(0 2 ? * SUN *)", "ENABLED")
    assert schedule["Target"]["Arn"].endswith(":stateMachine:films-local-retrain")
    assert json.loads(schedule["Target"]["Input"]) == {"time": "<aws.scheduler.scheduled-time>"}
    assert bring(context) == []


def test_what_is_trained_with_and_served_on_is_the_definitions_business(context: Context) -> None:
    bring(context)
    assert bring(context, train__epochs=9) == [("update", "training-state-machine")]
    assert bring(context, deploy__instance_count=2) == [("update", "training-state-machine")]


def test_it_pauses_while_a_version_is_pinned(context: Context) -> None:
    bring(context)
    assert bring(context, deploy__model="films-local-a") == [("update", "train-schedule")]
    assert found(context)["State"] == "DISABLED"
    assert "pauses, as deploy.model is set" in training_note(context)
    bring(context, deploy__model="")
    assert found(context)["State"] == "ENABLED"


@pytest.mark.parametrize(
    ("settings", "why", "hint"),
    [
        ({"data.source": "reviews.csv", "data.on": "here"}, "learn from the same dataset", "--on aws"),
        ({"data.on": "here"}, "learn from the same dataset", "--on aws"),
        ({"deploy.serving": "lambda"}, "packed into the function", "--serving instance"),
        ({"deploy.shadow": "films-local-a"}, "deploy.shadow is set", "--shadow off"),
        ({"deploy.hours.up": "day 8:00", "deploy.hours.down": "day 9:00"}, "deploy.hours.up is set", "deploy.hours.up"),
        ({"deploy.model": "films-local-a"}, "deploy.model is set", "--model latest"),
        ({"deploy.rollback_on": ["errors"]}, "watch what the last deploy made", "--rollback-on ''"),
        ({"deploy.rollout": "canary", "deploy.instance_count": 2}, "watch what the last deploy made", "all-at-once"),
    ],
)
def test_a_project_that_it_cannot_train_is_refused(
    context: Context, settings: dict[str, str], why: str, hint: str
) -> None:
    check_fit(context)
    context.config.change(settings)
    with pytest.raises(SettingsError) as caught:
        check_fit(context)
    assert why in caught.value.message
    assert hint in caught.value.hint
    context.config.change({"train.schedule.every": "off"})
    check_fit(context)


def test_names_that_sagemaker_would_not_take_are_refused(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    name = "films-local-retrain-20261206020000"
    monkeypatch.setattr(fitness, "NAME_CHARACTERS", len(name))
    check_fit(context)
    monkeypatch.setattr(fitness, "NAME_CHARACTERS", len(name) - 1)
    with pytest.raises(SettingsError, match=f"more than the {len(name) - 1} characters"):
        check_fit(context)


def test_a_long_run_has_no_more_events_than_step_functions_takes(context: Context) -> None:
    context.config.change({"data.max_minutes": 1_000, "train.max_minutes": 1_000})
    states = definition(context)["States"]
    looks = sum(60_000 / states[f"WaitForThe{job}"]["Seconds"] for job in ("Preparation", "Training"))
    assert 9 * looks < 25_000  # events


def test_a_run_costs_both_jobs_at_most(context: Context) -> None:
    context.config.change({"data.max_minutes": 30, "train.max_minutes": 90})
    price = training_run_price(context)
    assert (price.preparing, price.training) == (30, 90)
    # Built-in table, us-east-1: ml.m5.xlarge has $0.23 an hour for both.
    assert price.most == pytest.approx(0.23 * 2, abs=0.01)


def test_whoever_runs_the_commands_may_do_it_only_where_the_settings_ask_for_it(context: Context) -> None:
    asked = json.dumps(policy(context, KEPT))
    assert "stateMachine:films-local-retrain" in asked
    assert "states.amazonaws.com" in asked
    context.config.change({"train.schedule.every": "off"})
    assert "stateMachine" not in json.dumps(policy(context, KEPT))


def test_a_run_that_fails_is_told_where_alerts_are(context: Context) -> None:
    rule = TrainingRule(context)
    assert not rule.wanted
    context.config.change({"alerts.email": ["ops@example.org"]})
    assert rule.wanted
    detail = rule.pattern()["detail"]
    assert detail["stateMachineArn"] == ["arn:aws:states:eu-west-1:123456789012:stateMachine:films-local-retrain"]
    assert "ABORTED" not in detail["status"]  # which is what `train --every off` makes of a run
    assert "Why, and whether the endpoint answers: sentictl status" in text_of(context, rule.text)
    context.config.change({"train.schedule.every": "off"})
    assert not rule.wanted


def train(context: Context, name: str, *tags: dict[str, str]) -> None:
    """Train as a run does."""
    context.environment.client("sagemaker").create_training_job(
        TrainingJobName=name,
        AlgorithmSpecification={"TrainingImage": "any", "TrainingInputMode": "File"},
        RoleArn="arn:aws:iam::123456789012:role/any",
        OutputDataConfig={"S3OutputPath": "s3://any/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        StoppingCondition={"MaxRuntimeInSeconds": 60},
        Tags=[*context.naming.tag_list(), *tags],
    )


def test_a_version_is_what_its_run_says_was_served(context: Context) -> None:
    bring(context)
    served, taken_back = "films-local-retrain-20261206020000", "films-local-retrain-20261213020000"
    train(context, served, {"Key": SERVED_TAG, "Value": "true"})
    train(context, taken_back)
    absorb(context)
    assert [version.name for version in versions_of(context.state)] == ["films-local-a", served]
    assert [name for name, _ in UnservedTraining(context).found()] == [taken_back]


def test_what_is_served_is_a_version_and_what_is_on_its_way_is_left_alone(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run may be stopped before it says so."""
    served, coming, refused = (f"films-local-retrain-2026120{day}020000" for day in (1, 2, 3))
    endpoint = {
        "EndpointStatus": "InService",
        "EndpointConfigName": served,
        "PendingDeploymentSummary": {"EndpointConfigName": coming},
    }
    for name in (served, coming, refused):
        train(context, name)
    client = context.environment.client("sagemaker")
    monkeypatch.setattr(client, "describe_endpoint", lambda **_: endpoint)
    of_kind = {kind: [name for name in (served, coming, refused) if kind(context).is_of_kind(name)] for kind in KINDS}
    assert of_kind == {TrainingJob: [served], UnservedTraining: [refused]}


def test_an_environment_without_alerts_gets_no_rule_that_nobody_hears(context: Context) -> None:
    context.config.change({"alerts.email": ["ops@example.org"]})
    assert not any(isinstance(each, TrainingRule) for each in stack.retraining(context))
    context.state.keep(Record(AlertAlarms.kind, "films-local-alert", "arn"))
    assert any(isinstance(each, TrainingRule) for each in stack.retraining(context))


def test_of_what_a_run_replaced_the_record_goes_at_once(context: Context) -> None:
    """Also where the new one was recorded before."""
    bring(context)
    new, old = "films-local-retrain-20261206020000", "films-local-0123456789ab"
    context.environment.client("sagemaker").create_model(
        ModelName=new,
        ExecutionRoleArn="arn:aws:iam::123456789012:role/any",
        PrimaryContainer={"Image": "any", "ModelDataUrl": ARTIFACT, "Environment": {}},
        Tags=context.naming.tag_list(),
    )
    for name in (old, new):
        context.state.keep(Record(Model.kind, name, "arn"))
    absorb(context)
    assert [record.name for record in context.state.of_kind(Model.kind)] == [new]


def test_a_run_of_somebodys_own_is_named_by_nothing() -> None:
    assert run_of({"input": '{"time": "2026-12-06T02:00:00Z"}'}) == "20261206020000"
    assert [run_of({"input": given}) for given in ("{}", '{"time": 5}', "[]", '{"time": "soon"}')] == [""] * 4


def test_what_it_deletes_has_the_tags_of_this_environment(context: Context) -> None:
    """The names of `films-local-eu` begin with those of `films-local`, too."""
    (statement,) = [
        each for each in RetrainingRole(context).desired()["policy"]["Statement"] if "Delete" in each["Sid"]
    ]
    names = {"sentictl:project": "films", "sentictl:environment": "local"}
    assert statement["Condition"] == {"StringEquals": {f"aws:ResourceTag/{tag}": value for tag, value in names.items()}}


def test_only_this_account_lets_services_into_its_roles(context: Context) -> None:
    for kind in (RetrainingRole, TrainScheduleRole, ScheduleRole, BatchScheduleRole):
        (statement,) = kind(context).desired()["trust"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}


def test_nothing_is_told_without_one(context: Context) -> None:
    context.config.change({"train.schedule.every": "off"})
    assert not TrainSchedule(context).wanted
    assert training_note(context) == ""
