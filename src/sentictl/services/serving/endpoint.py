"""The endpoint, and the endpoint config that says which model it serves on which machines."""

from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of
from sentictl.aws.waiters import poll
from sentictl.config.instance_types import has_gpu
from sentictl.config.state import Record
from sentictl.config.tables.deploy import DeploySettings
from sentictl.errors import EndpointError
from sentictl.lifecycle.cost import Machines, Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource
from sentictl.services.pricing.per_use import endpoint_machines, endpoint_uses
from sentictl.services.resources.logs import EndpointLogGroup
from sentictl.services.resources.sagemaker import (
    MADE_OF,
    DigestNamed,
    SageMakerResource,
    endpoint_name,
    endpoint_names,
    has_endpoint,
)
from sentictl.services.serving.model import Model
from sentictl.services.serving.rollout import (
    alarm_logical_id,
    deployment_config,
    gone_off,
    rollback_alarms,
    waits,
)
from sentictl.services.serving.shadow import ShadowModel, data_capture, standing_shadow

VARIANT = "AllTraffic"
# What an endpoint config is told of its variant; all else that AWS tells of one is its own.
VARIANT_KEYS = ("VariantName", "ModelName", "InstanceType", "InitialInstanceCount", "InstancePools", "ServerlessConfig")
SCALABLE_TARGET = "scalable-target"  # the kind of resource that its registration for scaling is
SCALING_NAMESPACE = {"ServiceNamespace": "sagemaker", "ScalableDimension": "sagemaker:variant:DesiredInstanceCount"}
SCALING = "Scaling"  # our word for an endpoint that is updating only in that its machines become more, or fewer
BROKEN = {"Failed", "OutOfService"}  # an endpoint that can only be made again
NOT_LIVE = {"Creating", "Deleting", *BROKEN}
GONE = "Gone"  # in place of AWS's word, where there is none any more
IN_PROGRESS = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
MINUTES = 30  # an endpoint takes 3 to 8 minutes on AWS; half an hour is where it is stuck


class EndpointConfig(DigestNamed):
    """Which model on how many machines of which type. Never changes: another choice is another endpoint config."""

    kind = "endpoint-config"
    command = "deploy"
    actions = Actions(
        read="sagemaker:DescribeEndpointConfig sagemaker:ListEndpointConfigs sagemaker:ListTags",
        create="sagemaker:CreateEndpointConfig sagemaker:AddTags",
        delete="sagemaker:DeleteEndpointConfig",
        unscoped="sagemaker:ListEndpointConfigs",
    )
    named_by = ("name", "EndpointConfigName")
    operation, listed, listed_name = "list_endpoint_configs", "EndpointConfigs", "EndpointConfigName"

    @property
    def name(self) -> str:
        return self.named_for(digest_of({**self.variant(), **self._shadowed()}))

    @property
    def wanted(self) -> bool:
        return has_endpoint(self.context)

    def read(self, name: str) -> LiveResource | None:
        describe = self.context.environment.client("sagemaker").describe_endpoint_config
        config = if_there(describe, EndpointConfigName=name)
        if config is None:
            return None
        variant = {key: value for key, value in config["ProductionVariants"][0].items() if key in VARIANT_KEYS}
        made_of = {MADE_OF: digest_of(variant)} if self.of_schedule(name) else {}
        return LiveResource(config["EndpointConfigArn"], attributes=made_of)

    def create(self) -> None:
        self.context.environment.client("sagemaker").create_endpoint_config(
            EndpointConfigName=self.name,
            ProductionVariants=[self.variant()],
            **self._shadowed(),
            Tags=self.context.naming.tag_list(),
        )

    def delete(self, record: Record) -> None:
        delete = self.context.environment.client("sagemaker").delete_endpoint_config
        if_there(delete, EndpointConfigName=record.name)

    def cloudformation(self) -> Entries:
        properties = {"EndpointConfigName": self.name, "ProductionVariants": [self.variant()], **self._shadowed()}
        return self.entry("AWS::SageMaker::EndpointConfig", properties)

    def variant(self) -> dict[str, Any]:
        """Return the one production variant: the model and what it runs on."""
        return {"VariantName": VARIANT, "ModelName": Model(self.context).name, **self._capacity()}

    def _shadowed(self) -> dict[str, Any]:
        """Return the shadow variant, and where it is kept what both answer; nothing where there is no shadow."""
        shadow = ShadowModel(self.context)
        if not shadow.wanted:
            return {}
        return {
            "ShadowProductionVariants": [shadow.variant()],
            "DataCaptureConfig": data_capture(self.context),
        }

    def _capacity(self) -> dict[str, Any]:
        deploy = self.context.settings.deploy
        if deploy.serving != "serverless":
            return {**machines(deploy), "InitialInstanceCount": deploy.instance_count}
        capacity = {"MemorySizeInMB": deploy.memory_mb, "MaxConcurrency": deploy.max_concurrency}
        if deploy.provisioned_concurrency:
            capacity["ProvisionedConcurrency"] = deploy.provisioned_concurrency
        return {"ServerlessConfig": capacity}


def machines(deploy: DeploySettings) -> dict[str, Any]:
    """Return what a variant says of the types of its machines: one, or several in the order in which they are taken."""
    if not deploy.fallback_types:
        return {"InstanceType": deploy.instance_type}
    pools = [{"InstanceType": name, "Priority": place} for place, name in enumerate(deploy.machine_types, 1)]
    return {"InstancePools": pools}


class Endpoint(SageMakerResource):
    """The endpoint. A new endpoint config is taken in place, without a failed request.

    One that serves in another way has another name, and is deleted when the function asks the new one.
    """

    kind = "endpoint"
    command = "deploy"
    face = True
    removed_as = "endpoint"
    healthy = frozenset({"InService", SCALING})
    tells_state = True
    actions = Actions(
        read="sagemaker:DescribeEndpoint sagemaker:ListTags",
        create="sagemaker:CreateEndpoint sagemaker:AddTags",
        update="sagemaker:UpdateEndpoint sagemaker:CreateEndpoint sagemaker:DeleteEndpoint",
        delete="sagemaker:DeleteEndpoint",
    )

    @property
    def name(self) -> str:
        return endpoint_name(self.context)

    @property
    def wanted(self) -> bool:
        return has_endpoint(self.context)

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        for name in endpoint_names(self.context):
            if name not in known and (live := self.read(name)):
                yield name, live

    def desired(self) -> Mapping[str, Any]:
        return {"endpoint_config": EndpointConfig(self.context).name, "failed": False}

    def read(self, name: str) -> LiveResource | None:
        endpoint = self._describe(name)
        return _live(endpoint) if endpoint else None

    def create(self) -> None:
        self.context.environment.client("sagemaker").create_endpoint(
            EndpointName=self.name,
            EndpointConfigName=EndpointConfig(self.context).name,
            Tags=self.context.naming.tag_list(),
        )

    def update(self) -> None:
        endpoint = self._wait(self.name)  # an endpoint that is still changing takes no update
        if endpoint["EndpointStatus"] in (GONE, *BROKEN):
            self._delete(self.name)
            self.create()
        elif endpoint["EndpointConfigName"] != EndpointConfig(self.context).name:
            self._release(endpoint["EndpointConfigName"])
            rollout = deployment_config(self.context)
            # As many machines as there are, whatever the new config begins with, where their number follows the load.
            self.context.environment.client("sagemaker").update_endpoint(
                EndpointName=self.name,
                EndpointConfigName=EndpointConfig(self.context).name,
                **({"RetainAllVariantProperties": True} if self.context.settings.deploy.scales else {}),
                **({"DeploymentConfig": rollout} if rollout else {}),
            )

    def wait_ready(self, live: LiveResource) -> LiveResource:
        wanted = EndpointConfig(self.context).name
        if live.status in self.healthy and live.fields["endpoint_config"] == wanted:
            return live
        endpoint = self._wait(self.name)
        if endpoint["EndpointStatus"] == GONE:  # it was just being deleted, by its own schedule, say
            self.create()
            endpoint = self._wait(self.name)
        if endpoint["EndpointStatus"] != "InService" or endpoint["EndpointConfigName"] != wanted:
            served = endpoint.get("EndpointConfigName", wanted)
            back = "" if served == wanted else f" and serves {served}, as before: AWS went back to it by itself"
            alarms = gone_off(self.context)
            because = f", since an alarm went off: {alarms}" if back and alarms else ""
            raise EndpointError(
                f"The endpoint {self.name} is {endpoint['EndpointStatus']}{back}{because}: "
                f"{endpoint.get('FailureReason', 'AWS gives no reason')}",
                "Make it anew: sentictl down endpoint, and then: sentictl deploy"
                if endpoint["EndpointStatus"] == "UpdateRollbackFailed"
                else "Its log: sentictl logs endpoint. When that is mended, run the same command again.",
            )
        return _live(endpoint)

    def delete(self, record: Record) -> None:
        self._delete(record.name)

    def settled(self) -> dict[str, Any]:
        """Wait until the endpoint is not changing any more, and return it as AWS describes it."""
        return self._wait(self.name)

    def summary(self) -> str:
        return f"endpoint {self.name} in service"

    def facts(self, record: Record) -> Sequence[str]:
        return [record.name, "with a shadow"] if standing_shadow(self.context) else [record.name]

    def machines(self) -> Machines | None:
        return endpoint_machines(self.context.settings.deploy)

    def uses(self) -> Sequence[Use]:
        return endpoint_uses(self.context.settings.deploy)

    @property
    def gone_as(self) -> str:
        closed = self.context.settings.deploy.hours.closed_at(datetime.now(UTC))
        return "Closed" if closed else super().gone_as

    def cloudformation(self) -> Entries:
        rollout = deployment_config(self.context)
        properties = {
            "EndpointName": self.name,
            "EndpointConfigName": EndpointConfig(self.context).name,
            **({"DeploymentConfig": rollout} if rollout else {}),
        }
        alarms = [alarm_logical_id(watched) for watched in rollback_alarms(self.context)]
        return self.entry("AWS::SageMaker::Endpoint", properties, after=[EndpointLogGroup.__name__, *alarms])

    def _release(self, config: str) -> None:
        """Take it out of Application Auto Scaling where its machines become others: SageMaker refuses that otherwise.

        Args:
            config: the endpoint config that it serves.
        """
        registered = self.context.state.latest(SCALABLE_TARGET)
        if registered is None:
            return
        client = self.context.environment.client("sagemaker")
        served = if_there(client.describe_endpoint_config, EndpointConfigName=config)
        wanted = machines(self.context.settings.deploy)
        if served is None or {key: served["ProductionVariants"][0].get(key) for key in wanted} != wanted:
            deregister = self.context.environment.client("application-autoscaling").deregister_scalable_target
            if_there(deregister, **SCALING_NAMESPACE, ResourceId=registered.name)

    def _delete(self, name: str) -> None:
        if self._wait(name)["EndpointStatus"] == GONE:
            return
        if_there(self.context.environment.client("sagemaker").delete_endpoint, EndpointName=name)
        poll(lambda: self._describe(name), lambda found: found is None, what=name, timeout=60 * MINUTES)

    def _wait(self, name: str) -> dict[str, Any]:
        return poll(
            lambda: self._describe(name) or {"EndpointStatus": GONE},
            lambda endpoint: endpoint["EndpointStatus"] not in IN_PROGRESS,
            what=f"The endpoint {name}",
            timeout=60 * MINUTES + waits(self.context).total_seconds(),
        )

    def _describe(self, name: str) -> dict[str, Any] | None:
        return if_there(self.context.environment.client("sagemaker").describe_endpoint, EndpointName=name)


def _live(endpoint: Mapping[str, Any]) -> LiveResource:
    status = endpoint["EndpointStatus"]
    fields = {"endpoint_config": endpoint["EndpointConfigName"], "failed": status in BROKEN}
    variants = endpoint.get("ProductionVariants", [])
    moving = [each for each in variants if each.get("CurrentInstanceCount") != each.get("DesiredInstanceCount")]
    scaling = status == "Updating" and moving and "PendingDeploymentSummary" not in endpoint
    return LiveResource(endpoint["EndpointArn"], SCALING if scaling else status, fields)


def unused_gpu(context: Context) -> str:
    """Tell that the endpoint's machine has a GPU, which its model server leaves idle; empty where it has none."""
    deploy = context.settings.deploy
    if deploy.serving != "instance" or not has_gpu(deploy.instance_type):
        return ""
    return f"The endpoint answers on the processor: the GPU of {deploy.instance_type} is idle"


def another_stands(context: Context) -> bool:
    """Tell whether an endpoint is recorded whose place another one takes, or none: it is deleted last."""
    wanted = {endpoint_name(context)} if has_endpoint(context) else set()
    return any(record.name not in wanted for record in context.state.of_kind(Endpoint.kind))


def live_artifact(context: Context) -> str:
    """Return the S3 URI of what the endpoint answers with, as AWS tells it; "" where nothing is live."""
    client = context.environment.client("sagemaker")
    stands = context.state.latest(Endpoint.kind)
    name = stands.name if stands else endpoint_name(context)
    endpoint = if_there(client.describe_endpoint, EndpointName=name)
    if endpoint is None or endpoint["EndpointStatus"] in NOT_LIVE:
        return ""
    config = if_there(client.describe_endpoint_config, EndpointConfigName=endpoint["EndpointConfigName"])
    served = config["ProductionVariants"][0]["ModelName"] if config else ""
    model = if_there(client.describe_model, ModelName=served) if served else None
    return str(model["PrimaryContainer"]["ModelDataUrl"]) if model else ""
