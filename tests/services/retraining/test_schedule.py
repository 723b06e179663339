"""The schedule that trains: what is put into it, when it pauses, and what it cannot be set up for."""

import json
from typing import Any

import pytest

from sentictl.errors import SettingsError
from sentictl.lifecycle.reconcile import Step, apply
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.permissions import policy
from sentictl.services.kept import KEPT, RETRAINED
from sentictl.services.retraining import fitness
from sentictl.services.retraining.definition import definition
from sentictl.services.retraining.fitness import check_fit
from sentictl.services.retraining.price import training_run_price
from sentictl.services.retraining.schedule import TrainSchedule, training_note

SCHEDULE = "films-local-train"


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


def test_it_starts_the_state_machine_with_the_id_of_the_run(context: Context) -> None:
    made = [kind for _, kind in bring(context)]
    assert made == ["retraining-role", "training-state-machine", "train-schedule-role", "train-schedule"]
    schedule = found(context)
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("cron(0 2 ? * SUN *)", "ENABLED")
    assert schedule["Target"]["Arn"].endswith(":stateMachine:films-local-retrain")
    assert json.loads(schedule["Target"]["Input"]) == {"run": "<aws.scheduler.execution-id>"}
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
    name = "films-local-retrain-0123456789abcdef"
    monkeypatch.setattr(fitness, "NAME_CHARACTERS", len(name))
    check_fit(context)
    monkeypatch.setattr(fitness, "NAME_CHARACTERS", len(name) - 1)
    with pytest.raises(SettingsError, match="more than the 35 characters"):
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


def test_nothing_is_told_without_one(context: Context) -> None:
    context.config.change({"train.schedule.every": "off"})
    assert not TrainSchedule(context).wanted
    assert training_note(context) == ""
