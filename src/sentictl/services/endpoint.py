"""The endpoint: the model made from a training job's artifact, the endpoint config, and the endpoint that serves it."""

from collections.abc import Mapping
from typing import Any

from sentictl.aws.images import pytorch_image
from sentictl.aws.lookup import look_up
from sentictl.aws.naming import digest_of
from sentictl.aws.waiting import once_role_is_known, poll
from sentictl.errors import EndpointError
from sentictl.lifecycle.resource import Context, Live, Resource
from sentictl.services.roles import ExecutionRole
from sentictl.state import Record

VARIANT = "AllTraffic"
IN_PROGRESS = {"Creating", "Updating", "SystemUpdating", "RollingBack", "Deleting"}
MINUTES = 30  # an endpoint takes 3 to 8 minutes on AWS; half an hour is where it is stuck


class Model(Resource):
    """The artifact together with the container that serves it. Never changes: another artifact is another model."""

    kind = "model"

    @property
    def name(self) -> str:
        return self.context.naming.name(digest_of(self._container()))

    def read(self, name: str) -> Live | None:
        model = look_up(self.context.environment.client("sagemaker").describe_model, ModelName=name)
        return Live(model["ModelArn"]) if model else None

    def create(self) -> None:
        client = self.context.environment.client("sagemaker")
        once_role_is_known(
            lambda: client.create_model(
                ModelName=self.name,
                PrimaryContainer=self._container(),
                ExecutionRoleArn=ExecutionRole(self.context).arn,
                Tags=self.context.naming.tag_list(),
            )
        )

    def delete(self, record: Record) -> None:
        if self.read(record.name):
            self.context.environment.client("sagemaker").delete_model(ModelName=record.name)

    def _container(self) -> dict[str, Any]:
        region = self.context.environment.region
        return {
            "Image": pytorch_image("inference", region, self.context.settings.deploy.instance_type),
            "ModelDataUrl": trained(self.context).attributes["artifact"],
            "Environment": {
                "SAGEMAKER_PROGRAM": "inference.py",
                "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
                "SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
                "SAGEMAKER_REGION": region,
            },
        }


class EndpointConfig(Resource):
    """Which model on how many machines of which type. Never changes: another choice is another endpoint config."""

    kind = "endpoint-config"

    @property
    def name(self) -> str:
        return self.context.naming.name(digest_of(self._variant()))

    def read(self, name: str) -> Live | None:
        describe = self.context.environment.client("sagemaker").describe_endpoint_config
        config = look_up(describe, EndpointConfigName=name)
        return Live(config["EndpointConfigArn"]) if config else None

    def create(self) -> None:
        self.context.environment.client("sagemaker").create_endpoint_config(
            EndpointConfigName=self.name,
            ProductionVariants=[self._variant()],
            Tags=self.context.naming.tag_list(),
        )

    def delete(self, record: Record) -> None:
        if self.read(record.name):
            client = self.context.environment.client("sagemaker")
            client.delete_endpoint_config(EndpointConfigName=record.name)

    def _variant(self) -> dict[str, Any]:
        deploy = self.context.settings.deploy
        return {
            "VariantName": VARIANT,
            "ModelName": Model(self.context).name,
            "InstanceType": deploy.instance_type,
            "InitialInstanceCount": deploy.instance_count,
        }


class Endpoint(Resource):
    """The endpoint. A new endpoint config is taken in place, without a failed request."""

    kind = "endpoint"

    @property
    def name(self) -> str:
        return self.context.naming.name("endpoint")

    def desired(self) -> Mapping[str, Any]:
        return {"endpoint_config": EndpointConfig(self.context).name, "failed": False}

    def read(self, name: str) -> Live | None:
        endpoint = self._describe(name)
        if endpoint is None:
            return None
        status = endpoint["EndpointStatus"]
        fields = {"endpoint_config": endpoint["EndpointConfigName"], "failed": status == "Failed"}
        return Live(endpoint["EndpointArn"], status, fields)

    def create(self) -> None:
        self.context.environment.client("sagemaker").create_endpoint(
            EndpointName=self.name,
            EndpointConfigName=EndpointConfig(self.context).name,
            Tags=self.context.naming.tag_list(),
        )

    def update(self) -> None:
        endpoint = self._wait(self.name)  # an endpoint that is still changing takes no update
        if endpoint["EndpointStatus"] == "Failed":  # nor does one that failed: it can only be made again
            self._delete(self.name)
            self.create()
        elif endpoint["EndpointConfigName"] != EndpointConfig(self.context).name:
            self.context.environment.client("sagemaker").update_endpoint(
                EndpointName=self.name, EndpointConfigName=EndpointConfig(self.context).name
            )

    def settle(self, live: Live) -> Live:
        if live.status == "InService":
            return live
        endpoint = self._wait(self.name)
        wanted = EndpointConfig(self.context).name
        if endpoint["EndpointStatus"] != "InService" or endpoint["EndpointConfigName"] != wanted:
            raise EndpointError(
                f"The endpoint {self.name} is {endpoint['EndpointStatus']}: "
                f"{endpoint.get('FailureReason', 'AWS gives no reason')}",
                "Its log: sentictl logs endpoint. When that is mended, run the same command again.",
            )
        return self.read(self.name) or live

    def delete(self, record: Record) -> None:
        if self._describe(record.name) is not None:
            self._delete(record.name)

    def summary(self) -> str:
        return f"endpoint {self.name} in service"

    def _delete(self, name: str) -> None:
        if self._wait(name)["EndpointStatus"] != "Gone":
            self.context.environment.client("sagemaker").delete_endpoint(EndpointName=name)
        poll(lambda: self._describe(name), lambda found: found is None, what=name, timeout=60 * MINUTES)

    def _wait(self, name: str) -> dict[str, Any]:
        return poll(
            lambda: self._describe(name) or {"EndpointStatus": "Gone"},
            lambda endpoint: endpoint["EndpointStatus"] not in IN_PROGRESS,
            what=f"The endpoint {name}",
            timeout=60 * MINUTES,
        )

    def _describe(self, name: str) -> dict[str, Any] | None:
        return look_up(self.context.environment.client("sagemaker").describe_endpoint, EndpointName=name)


def trained(context: Context) -> Record:
    """The record of the training job whose artifact is to be served.

    Raises:
        MissingStepError: nothing was trained yet, or the job was not followed to its end.
    """
    record = context.recorded("training-job", "train")
    if "artifact" not in record.attributes:
        raise EndpointError(
            f"The training job {record.name} has not finished.", "Follow it to its end with: sentictl train"
        )
    return record
