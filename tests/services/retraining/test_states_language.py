"""The words of the Amazon States Language, as the twin's interpreter understands them."""

import json
from collections.abc import Mapping
from threading import Event
from typing import Any

import pytest

from sentictl.lifecycle.resource import Context
from sentictl.services.retraining.states_language import (
    State,
    catch,
    choice,
    end,
    equals,
    equals_path,
    fail,
    formatted,
    is_present,
    matches,
    pass_state,
    refused,
    task,
    task_if_possible,
    wait,
)
from sentictl.twin.core.clock import SPEED_VARIABLE
from sentictl.twin.stepfunctions.definitions import parsed
from sentictl.twin.stepfunctions.interpreter import FailedError, Interpreter
from sentictl.twin.stepfunctions.tasks import TaskError
from tests.services.conftest import FILMS, ContextOf

REFUSAL = TaskError("SageMaker.SageMakerException", "it is there already")


class Aws:
    """Answers every call alike, and keeps what it was asked."""

    def __init__(self, answer: Any) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self._answer = answer

    def __call__(self, resource: str, parameters: Mapping[str, Any]) -> Any:
        self.calls.append((resource, dict(parameters)))
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


@pytest.fixture
def context(context_of: ContextOf, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setenv(SPEED_VARIABLE, "1000000")
    return context_of(FILMS)


def run(states: Mapping[str, State], given: Mapping[str, Any], aws: Aws | None = None) -> Any:
    """What a machine of these states ends with; it begins with the first."""
    machine = parsed(json.dumps({"StartAt": next(iter(states)), "States": states}))
    return Interpreter(machine, {"Execution": {"Name": "any"}}, aws or Aws({}), Event()).run(given)


def test_a_task_makes_a_call_of_the_service_that_it_names(context: Context) -> None:
    aws = Aws({"ETag": "e"})
    copy = task(context, "s3:copyObject", {"Bucket": "b", "Key.$": "$.key"}, "Done", ResultPath="$.copied")
    states = {"Copy": copy, "Done": end(**{"etag.$": "$.copied.ETag"})}
    assert run(states, {"key": "k"}, aws) == {"etag": "e"}
    assert aws.calls == [("arn:aws:states:::aws-sdk:s3:copyObject", {"Bucket": "b", "Key": "k"})]


def test_what_was_caught_can_be_told_apart_by_its_cause(context: Context) -> None:
    states = {
        "Make": task(context, "sagemaker:createModel", {}, "Made", Catch=catch("Why")),
        "Why": choice((refused("*there already"), "Made"), otherwise="Failed"),
        "Made": end(outcome="made"),
        "Failed": fail("Failed", "$.error.Cause"),
    }
    assert run(states, {}, Aws(REFUSAL)) == {"outcome": "made"}
    with pytest.raises(FailedError, match="denied"):
        run(states, {}, Aws(TaskError("SageMaker.SageMakerException", "denied")))


def test_all_goes_on_without_a_call_that_need_not_be_made(context: Context) -> None:
    tag = task_if_possible(context, "sagemaker:addTags", {}, "Done")
    states = {"Tag": tag, "Done": end(**{"name.$": "$.name"})}
    assert run(states, {"name": "n"}, Aws(REFUSAL)) == {"name": "n"}


@pytest.mark.parametrize(
    ("rule", "holds"),
    [
        (equals("$.a", "one"), True),
        (equals("$.b", "one"), False),
        (equals_path("$.a", "$.same"), True),
        (equals_path("$.a", "$.b"), False),
        (matches("$.a", "o*"), True),
        (matches("$.b", "o*"), False),
        (is_present("$.a"), True),
        (is_present("$.c"), False),
    ],
)
def test_a_choice_goes_by_its_rules(rule: State, holds: bool) -> None:
    states = {"Ask": choice((rule, "Yes"), otherwise="No"), "Yes": end(is_it="yes"), "No": end(is_it="no")}
    assert run(states, {"a": "one", "b": "two", "same": "one"}) == {"is_it": "yes" if holds else "no"}


def test_values_are_put_into_texts() -> None:
    states = {
        "Wait": wait(30, "Name"),
        "Name": pass_state({"name.$": formatted("{}-{}", "$.project", "$.day")}, "Done"),
        "Done": end(**{"name.$": "$.name"}),
    }
    assert run(states, {"project": "films", "day": "monday"}) == {"name": "films-monday"}
