"""The endpoint, as AWS tells of it after an update."""

from typing import Any

import pytest
from botocore.stub import Stubber

from sentictl.config.state import Record
from sentictl.errors import EndpointError
from sentictl.lifecycle.resource import Context, LiveResource
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from tests.services.conftest import ContextOf

ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/films-local-endpoint"
OLD = "films-local-0123456789ab"


@pytest.fixture
def context(context_of: ContextOf) -> Context:
    context = context_of('[project]\nname = "films"\n')
    context.state.keep(Record("training-job", "films-local-a", "arn", {"artifact": "s3://films/model.tar.gz"}))
    return context


def told(config: str, status: str = "InService", **more: str) -> dict[str, Any]:
    return {
        "EndpointName": "films-local-endpoint",
        "EndpointArn": ARN,
        "EndpointConfigName": config,
        "EndpointStatus": status,
        "CreationTime": 0,
        "LastModifiedTime": 0,
        **more,
    }


def test_an_update_that_aws_took_back_by_itself_is_no_success(context: Context) -> None:
    live = LiveResource(ARN, "InService", {"endpoint_config": OLD, "failed": False})
    with Stubber(context.environment.client("sagemaker")) as stubber:
        stubber.add_response("describe_endpoint", told(OLD, FailureReason="Alarms went off."))
        with pytest.raises(EndpointError, match=f"serves {OLD}, as before: AWS went back .*: Alarms went off"):
            Endpoint(context).wait_ready(live)


def test_an_update_is_done_when_the_wanted_config_is_served(context: Context) -> None:
    wanted = EndpointConfig(context).name
    live = LiveResource(ARN, "Updating", {"endpoint_config": OLD, "failed": False})
    with Stubber(context.environment.client("sagemaker")) as stubber:
        stubber.add_response("describe_endpoint", told(OLD, "Updating"))
        stubber.add_response("describe_endpoint", told(wanted))
        assert Endpoint(context).wait_ready(live).fields["endpoint_config"] == wanted


def test_one_that_is_just_being_deleted_is_made_again(context: Context) -> None:
    """By its own schedule, say."""
    config = EndpointConfig(context).name
    live = LiveResource(ARN, "Deleting", {"endpoint_config": config, "failed": False})
    with Stubber(context.environment.client("sagemaker")) as stubber:
        stubber.add_client_error("describe_endpoint", "ValidationException", 'Could not find endpoint "films".')
        stubber.add_response("create_endpoint", {"EndpointArn": ARN})
        stubber.add_response("describe_endpoint", told(config))
        assert Endpoint(context).wait_ready(live).status == "InService"
    with Stubber(context.environment.client("sagemaker")) as stubber:
        for _ in range(2):
            stubber.add_client_error("describe_endpoint", "ValidationException", 'Could not find endpoint "films".')
        stubber.add_response("create_endpoint", {"EndpointArn": ARN})
        Endpoint(context).update()


@pytest.mark.parametrize("status", ["Failed", "OutOfService"])
def test_one_that_can_only_be_made_again_differs_from_what_is_wanted(context: Context, status: str) -> None:
    with Stubber(context.environment.client("sagemaker")) as stubber:
        stubber.add_response("describe_endpoint", told(EndpointConfig(context).name, status))
        live = Endpoint(context).read("films-local-endpoint")
    assert live is not None
    assert live.fields != Endpoint(context).desired()
