"""The shadow: what it is made of, and what it cannot be."""

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError, ModelError, SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.serving.endpoint import EndpointConfig
from sentictl.services.serving.model import Model
from sentictl.services.serving.shadow import CaptureAccess, ShadowModel, check_shadow, standing_shadow
from tests.services.conftest import ContextOf


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    """Two versions; the newest is served, and the other one is its shadow."""
    context = moto_context_of('[project]\nname = "films"\n[deploy]\nshadow = "films-local-a"\n')
    for name in ("a", "b"):
        attributes = {"artifact": f"s3://films/{name}/model.tar.gz"}
        context.state.keep(Record("training-job", f"films-local-{name}", "arn", attributes))
    return context


def test_the_endpoint_config_has_it_and_captures_both(context: Context) -> None:
    for kind in (Model, ShadowModel, EndpointConfig):
        kind(context).create()
    (properties,) = [entry["Properties"] for entry in EndpointConfig(context).cloudformation().values()]
    (shadow,) = properties["ShadowProductionVariants"]
    assert (shadow["ModelName"], shadow["InitialInstanceCount"]) == (ShadowModel(context).name, 1)
    assert properties["DataCaptureConfig"]["InitialSamplingPercentage"] == 100
    bucket, models = context.naming.bucket, f"{ShadowModel(context).name}/{Model(context).name}"
    assert properties["DataCaptureConfig"]["DestinationS3Uri"] == f"s3://{bucket}/captures/{models}"


def test_without_one_the_endpoint_config_is_as_it_was(context: Context) -> None:
    with_shadow = EndpointConfig(context).name
    context.config.change({"deploy.shadow": ""})
    assert EndpointConfig(context).name != with_shadow
    assert "DataCaptureConfig" not in str(EndpointConfig(context).cloudformation())
    assert not ShadowModel(context).wanted
    assert ShadowModel(context).machines() is None


def test_its_model_is_no_model_of_the_endpoint(context: Context) -> None:
    Model(context).create()
    ShadowModel(context).create()
    assert [name for name, _ in Model(context).found()] == [Model(context).name]
    ((name, live),) = ShadowModel(context).found()
    assert name == ShadowModel(context).name
    context.state.keep(Record("shadow-model", name, live.arn, live.attributes))
    assert standing_shadow(context) == "s3://films/a/model.tar.gz"
    assert ShadowModel(context).is_gone(live.arn) is False
    assert ShadowModel(context).tags(name) == context.naming.tags


def test_it_takes_what_was_captured_along(context: Context) -> None:
    client, bucket = context.environment.client("s3"), context.naming.bucket
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    ShadowModel(context).create()
    for key in (f"captures/{ShadowModel(context).name}/a/b.jsonl", "captures/another/b.jsonl", "models/a"):
        client.put_object(Bucket=bucket, Key=key)
    ShadowModel(context).delete(Record("shadow-model", ShadowModel(context).name))
    left = [each["Key"] for each in client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert left == ["captures/another/b.jsonl", "models/a"]


def test_the_role_may_write_captures_and_nothing_else(context: Context) -> None:
    (entry,) = CaptureAccess(context).cloudformation().values()
    (statement,) = entry["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:PutObject"
    assert statement["Resource"] == f"arn:aws:s3:::{context.naming.bucket}/captures/*"
    assert CaptureAccess(context).wanted
    context.config.change({"deploy.shadow": ""})
    assert not CaptureAccess(context).wanted


def test_it_is_not_the_version_that_is_served(context: Context) -> None:
    check_shadow(context)
    context.config.change({"deploy.model": "films-local-a"})
    with pytest.raises(ModelError, match="films-local-a cannot be the shadow of itself") as caught:
        check_shadow(context)
    assert "sentictl deploy --shadow off" in caught.value.hint


def test_one_that_there_is_not_is_refused(context: Context) -> None:
    context.config.change({"deploy.shadow": "films-local-c"})
    with pytest.raises(MissingStepError, match=r"deploy.shadow names films-local-c") as caught:
        check_shadow(context)
    assert "sentictl deploy --shadow off" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"deploy.serving": "serverless"},
        {"deploy.serving": "lambda"},
        {"deploy.rollback_on": ["errors"]},
        {"deploy.instance_count": 2, "deploy.rollout": "canary"},
    ],
)
def test_what_contradicts_it_is_refused(context: Context, changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"deploy.shadow cannot be") as caught:
        context.config.change(changes)
    assert "sentictl config set deploy.shadow off" in caught.value.hint
    context.config.change({"deploy.shadow": "off"})
    context.config.change(changes)
