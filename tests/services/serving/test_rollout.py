"""How UpdateEndpoint is asked for a rollout, as botocore's model and the API reference allow it."""

from typing import Any

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from sentictl.config.state import Record
from sentictl.config.tables.deploy import DeploySettings
from sentictl.errors import EndpointError, SettingsError
from sentictl.lifecycle.resource import Context, LiveResource
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.rollout import deployment_config, waits
from sentictl.twin.sagemaker.rollouts import rollout
from tests.services.conftest import ContextOf
from tests.services.serving.test_endpoint import ARN, OLD, told

FILMS = '[project]\nname = "films"\n[deploy]\n'


def with_model(context: Context) -> Context:
    context.state.keep(Record("training-job", "films-local-a", "arn", {"artifact": "s3://films/model.tar.gz"}))
    return context


def test_by_default_the_endpoint_is_changed_at_once(context_of: ContextOf) -> None:
    context = with_model(context_of(FILMS))
    assert deployment_config(context) == {}
    with Stubber(context.environment.client("sagemaker")) as stubber:
        stubber.add_response("describe_endpoint", told(OLD))
        asked = {"EndpointName": "films-local-endpoint", "EndpointConfigName": EndpointConfig(context).name}
        stubber.add_response("update_endpoint", {"EndpointArn": ARN}, asked)
        Endpoint(context).update()


def test_a_canary(context_of: ContextOf) -> None:
    context = with_model(context_of(FILMS + 'instance_count = 4\nrollout = "canary"\nrollback_on = ["errors"]\n'))
    assert deployment_config(context) == {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": {
                "Type": "CANARY",
                "WaitIntervalInSeconds": 600,
                "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 25},
            },
            "TerminationWaitInSeconds": 60,
            "MaximumExecutionTimeoutInSeconds": 2 * 600 + 60 + 1800,
        },
        "AutoRollbackConfiguration": {
            "Alarms": [{"AlarmName": "films-local-rollback-errors"}, {"AlarmName": "films-local-rollback-abort"}]
        },
    }


@given(
    kind=st.sampled_from(["all-at-once", "canary", "linear"]),
    percent=st.integers(1, 50),
    minutes=st.integers(0, 60),
    count=st.integers(1, 10),
)
def test_whatever_the_settings_take_is_what_aws_allows(kind: str, percent: int, minutes: int, count: int) -> None:
    given_settings: dict[str, Any] = {"rollout": kind, "rollout_percent": percent, "rollout_minutes": minutes}
    try:
        settings = DeploySettings(**given_settings, instance_count=count, rollback_on=["errors"])
    except ValueError:
        return
    context = _Bare(settings)
    planned = rollout(deployment_config(context), count)  # type: ignore[arg-type]  # raises what AWS would refuse
    assert planned.shares[-1] == 1
    assert waits(context).total_seconds() >= planned.wait * len(planned.shares)  # type: ignore[arg-type]


class _Bare:
    """As much of a context as a deployment config is made of."""

    def __init__(self, deploy: DeploySettings) -> None:
        self.settings = self
        self.deploy = deploy
        self.naming = self

    def name(self, *parts: str) -> str:
        return "-".join(("films", "local", *parts))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ('rollout = "canary"', "deploy.rollout cannot be .*begins with a part of the instances"),
        ('instance_count = 2\nrollout = "linear"\nrollout_percent = 5', "takes steps of 10 to 50 percent"),
        ('instance_count = 2\nserving = "serverless"\nrollout = "canary"', "of instances alone"),
        ('serving = "lambda"\nrollback_on = ["errors"]', "deploy.rollback_on cannot be .*of instances alone"),
        ('rollback_on = ["erors"]', "a list of errors, latency, undecided and probability"),
        (
            'instance_count = 10\nrollout = "linear"\nrollout_percent = 10\nrollout_minutes = 60',
            "longer than SageMaker allows: 42 at most",
        ),
    ],
)
def test_settings_that_contradict_are_refused(context_of: ContextOf, settings: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why):
        context_of(FILMS + settings)


def test_a_rollback_names_the_alarm_that_did_it(context_of: ContextOf) -> None:
    context = with_model(context_of(FILMS + 'rollback_on = ["errors"]\n'))
    live = LiveResource(ARN, "InService", {"endpoint_config": OLD, "failed": False})
    alarm = {"AlarmName": "films-local-rollback-errors", "StateValue": "ALARM", "StateReason": "Threshold Crossed"}
    with (
        Stubber(context.environment.client("sagemaker")) as stubber,
        Stubber(context.environment.client("cloudwatch")) as watching,
    ):
        stubber.add_response("describe_endpoint", told(OLD))
        watching.add_response("describe_alarms", {"MetricAlarms": [alarm]})
        with pytest.raises(
            EndpointError, match=r"an alarm went off: films-local-rollback-errors \(Threshold Crossed\)"
        ):
            Endpoint(context).wait_ready(live)


def test_a_rollout_waits_for_as_many_steps_as_any_number_of_machines_takes(context_of: ContextOf) -> None:
    scaling = 'instance_count = 2\nmin_instances = 2\nmax_instances = 10\nrollout = "linear"\nrollout_percent = 10\n'
    longest = waits(with_model(context_of(FILMS + scaling)))
    for count in range(2, 11):
        fixed = f'instance_count = {count}\nrollout = "linear"\nrollout_percent = 10\n'
        assert waits(with_model(context_of(FILMS + fixed))) <= longest
