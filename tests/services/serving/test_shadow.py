"""The shadow: what it is made of, and what it cannot be."""

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError, ModelError, SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.serving.endpoint import Endpoint, EndpointConfig
from sentictl.services.serving.model import Model
from sentictl.services.serving.scaling import ScalableTarget
from sentictl.services.serving.shadow import CaptureAccess, ShadowModel, check_shadow, standing_shadow


def test_the_endpoint_config_has_it_and_captures_both(shadowed: Context) -> None:
    for kind in (Model, ShadowModel, EndpointConfig):
        kind(shadowed).create()
    (properties,) = [entry["Properties"] for entry in EndpointConfig(shadowed).cloudformation().values()]
    (shadow,) = properties["ShadowProductionVariants"]
    assert (shadow["ModelName"], shadow["InitialInstanceCount"]) == (ShadowModel(shadowed).name, 1)
    assert properties["DataCaptureConfig"]["InitialSamplingPercentage"] == 100
    bucket, models = shadowed.naming.bucket, f"{ShadowModel(shadowed).name}/{Model(shadowed).name}"
    assert properties["DataCaptureConfig"]["DestinationS3Uri"] == f"s3://{bucket}/captures/{models}"


def test_without_one_the_endpoint_config_is_as_it_was(shadowed: Context) -> None:
    with_shadow = EndpointConfig(shadowed).name
    shadowed.config.change({"deploy.shadow": ""})
    assert EndpointConfig(shadowed).name != with_shadow
    assert "DataCaptureConfig" not in str(EndpointConfig(shadowed).cloudformation())
    assert not ShadowModel(shadowed).wanted
    assert ShadowModel(shadowed).machines() is None


def test_beside_it_the_endpoint_scales_and_it_stays_on_one_machine(shadowed: Context) -> None:
    """AWS advises to let a shadow scale as well; one that is only compared needs no more than it can answer."""
    shadowed.config.change({"deploy.max_instances": 3, "deploy.fallback_types": ["ml.m6i.large"]})
    (properties,) = [entry["Properties"] for entry in EndpointConfig(shadowed).cloudformation().values()]
    (shadow,), (served,) = properties["ShadowProductionVariants"], properties["ProductionVariants"]
    assert (shadow["InstanceType"], shadow["InitialInstanceCount"]) == ("ml.m5.large", 1)
    assert ScalableTarget(shadowed).name.endswith(f"/variant/{served['VariantName']}")
    machines = ShadowModel(shadowed).machines()
    assert machines is not None
    assert (machines.count, machines.most) == (1, 0)


def test_it_comes_and_goes_with_the_endpoint_and_costs_by_its_hours(shadowed: Context) -> None:
    shadowed.config.change({"deploy.hours.up": "mon-fri 08:00", "deploy.hours.down": "mon-fri 19:00"})
    endpoint, shadow = Endpoint(shadowed).machines(), ShadowModel(shadowed).machines()
    assert endpoint is not None
    assert shadow is not None
    assert shadow.share == endpoint.share == pytest.approx(55 / 168)


def test_its_model_is_no_model_of_the_endpoint(shadowed: Context) -> None:
    Model(shadowed).create()
    ShadowModel(shadowed).create()
    assert [name for name, _ in Model(shadowed).found()] == [Model(shadowed).name]
    ((name, live),) = ShadowModel(shadowed).found()
    assert name == ShadowModel(shadowed).name
    shadowed.state.keep(Record("shadow-model", name, live.arn, live.attributes))
    assert standing_shadow(shadowed) == "s3://films/a/model.tar.gz"
    assert ShadowModel(shadowed).is_gone(live.arn) is False
    assert ShadowModel(shadowed).tags(name) == shadowed.naming.tags


def test_it_takes_what_was_captured_along(shadowed: Context) -> None:
    client, bucket = shadowed.environment.client("s3"), shadowed.naming.bucket
    client.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    ShadowModel(shadowed).create()
    for key in (f"captures/{ShadowModel(shadowed).name}/a/b.jsonl", "captures/another/b.jsonl", "models/a"):
        client.put_object(Bucket=bucket, Key=key)
    ShadowModel(shadowed).delete(Record("shadow-model", ShadowModel(shadowed).name))
    left = [each["Key"] for each in client.list_objects_v2(Bucket=bucket)["Contents"]]
    assert left == ["captures/another/b.jsonl", "models/a"]


def test_the_role_may_write_captures_and_nothing_else(shadowed: Context) -> None:
    (entry,) = CaptureAccess(shadowed).cloudformation().values()
    (statement,) = entry["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Action"] == "s3:PutObject"
    assert statement["Resource"] == f"arn:aws:s3:::{shadowed.naming.bucket}/captures/*"
    assert CaptureAccess(shadowed).wanted
    shadowed.config.change({"deploy.shadow": ""})
    assert not CaptureAccess(shadowed).wanted


def test_it_is_not_the_version_that_is_served(shadowed: Context) -> None:
    check_shadow(shadowed)
    shadowed.config.change({"deploy.model": "films-local-a"})
    with pytest.raises(ModelError, match="films-local-a cannot be the shadow of itself") as caught:
        check_shadow(shadowed)
    assert "sentictl deploy --shadow off" in caught.value.hint


def test_one_that_there_is_not_is_refused(shadowed: Context) -> None:
    shadowed.config.change({"deploy.shadow": "films-local-c"})
    with pytest.raises(MissingStepError, match=r"deploy.shadow names films-local-c") as caught:
        check_shadow(shadowed)
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
def test_what_contradicts_it_is_refused(shadowed: Context, changes: dict[str, object]) -> None:
    with pytest.raises(SettingsError, match=r"deploy.shadow cannot be") as caught:
        shadowed.config.change(changes)
    assert "sentictl config set deploy.shadow off" in caught.value.hint
    shadowed.config.change({"deploy.shadow": "off"})
    shadowed.config.change(changes)
