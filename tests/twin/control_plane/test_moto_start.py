"""moto without what it does over and over: it finds the same services, and refuses the same documents."""

import gc
import sys
import time
import weakref
from importlib import import_module
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.stub import Stubber
from moto import backends
from moto.apigateway.models import APIGatewayBackend
from moto.core import models
from moto.core.common_models import BaseModel
from moto.logs.models import LogsBackend

from sentictl.twin.control_plane import moto_start

utils: Any = import_module("moto.core.utils")
VALID = {"openapi": "3.0.1", "info": {"title": "t", "version": "1"}, "paths": {}}


@pytest.fixture(autouse=True)
def lightened(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == moto_start.VALIDATOR]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(utils, "create_loader", utils.create_loader)
    monkeypatch.setattr(botocore.session, "create_loader", botocore.session.create_loader)
    monkeypatch.setattr(backends, "list_of_moto_modules", backends.list_of_moto_modules)
    monkeypatch.setattr(BaseModel, "__new__", BaseModel.__new__)
    monkeypatch.setattr(models.responses_mock, "add", models.responses_mock.add)
    moto_start.lighten()


def test_documents_are_validated_by_the_validator_once_one_is_to_be() -> None:
    from openapi_spec_validator import validate
    from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

    assert not hasattr(sys.modules[moto_start.VALIDATOR], "OpenAPIV30SpecValidator")
    for _ in range(2):
        validate(VALID)
        with pytest.raises(OpenAPIValidationError) as refusal:
            validate({"openapi": "3.0.1", "paths": {}})
        assert "info" in refusal.value.message
    assert hasattr(sys.modules[moto_start.VALIDATOR], "OpenAPIV30SpecValidator")


def test_a_client_of_s3_leaves_the_paths_that_moto_reads_as_they_are() -> None:
    session = boto3.Session("nobody", "secret", region_name="us-east-1", botocore_session=botocore.session.Session())
    client = session.client("s3")
    with Stubber(client) as stubbed:
        stubbed.add_response("put_object", {})
        client.put_object(Bucket="bucket", Key="it")
    assert client.meta.service_model.operation_model("PutObject").http["requestUri"] == "/{Key+}"
    read = utils.create_loader().load_service_model("s3", "service-2")
    assert read["operations"]["PutObject"]["http"]["requestUri"] == "/{Bucket}/{Key+}"


def test_every_service_is_found_each_time() -> None:
    assert {"s3", "iam", "sagemaker"} <= set(backends.list_of_moto_modules())
    assert {"s3", "iam", "sagemaker"} <= set(backends.list_of_moto_modules())


def test_what_is_deleted_is_let_go_of() -> None:
    logs = LogsBackend("us-east-1", "123456789012")
    logs.create_log_group("g", tags={})
    logs.create_log_stream("g", "s")
    logs.put_log_events("g", "s", [{"timestamp": int(time.time() * 1000), "message": "a line"}] * 3)
    events = [weakref.ref(event) for event in logs.groups["g"].streams["s"].events]
    assert len(events) == 3
    assert all(event() for event in events)
    logs.delete_log_group("g")
    gc.collect()
    assert [event() for event in events] == [None] * 3


def test_an_api_that_was_deployed_and_is_deleted_is_let_go_of() -> None:
    gateway = APIGatewayBackend("us-east-1", "123456789012")
    api = gateway.create_rest_api("a", "")
    (root,) = api.resources.values()
    root.add_method("GET", "NONE", None)
    root.add_integration("GET", "MOCK", uri="")
    gateway.create_deployment(api.id, "prod")
    let_go = weakref.ref(api)
    gateway.delete_rest_api(api.id)
    del api, root
    gc.collect()
    assert let_go() is None
