"""Transform jobs that really run and can be stopped, and what a restart makes of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane
from sentictl.twin.core.environment import Access
from sentictl.twin.core.messages import Response, json_rpc_error
from sentictl.twin.core.processes import StartFailedError
from sentictl.twin.events.rules import Rules
from sentictl.twin.iam.roles import AccessDeniedError, AssumedRole
from sentictl.twin.s3.objects import Objects
from sentictl.twin.sagemaker.running_jobs import RunningJobs
from sentictl.twin.sagemaker.transform import refusals
from sentictl.twin.sagemaker.transform.record import TransformRecord
from sentictl.twin.sagemaker.transform.run import LOG_GROUP, TransformRun
from sentictl.twin.sagemaker.variants import variant_of


class TransformJobs(RunningJobs[TransformRecord, TransformRun]):
    """The data plane of SageMaker's transform jobs. As on AWS, none of them can be deleted."""

    KIND = "Transform"

    def __init__(
        self, control: ControlPlane, objects: Objects, logs: LogStreams, rules: Rules, folder: Path, access: Access
    ) -> None:
        super().__init__(control, objects, logs, folder, access)
        self._rules = rules
        control.in_order.add(("sagemaker", "CreateTransformJob"))
        control.before["sagemaker", "CreateTransformJob"] = self._refuse
        control.after["sagemaker", "CreateTransformJob"] = self._created
        control.instead["sagemaker", "StopTransformJob"] = self._stop
        control.instead["sagemaker", "ListTransformJobs"] = self._list
        control.facts["transform-job-ended"] = self._restore
        control.facts["transform-log"] = self._restore_log

    def _refuse(self, call: Call) -> Response | None:
        name, model = call.payload["TransformJobName"], call.payload["ModelName"]
        arn = f"arn:aws:sagemaker:{call.region}:{ACCOUNT}"
        if name in self._store(call.region):
            message = (
                f"Job name must be unique within an AWS account and region, and {arn}:transform-job/{name} exists."
            )
            return json_rpc_error("ResourceInUse", message)
        if model not in self._control.backend("sagemaker", call.region)._models:
            return json_rpc_error("ValidationException", f'Could not find model "{arn}:model/{model}".')
        return refusals.refusal(call.payload) or (None if call.replaying else self._refuse_empty(call))

    def _refuse_empty(self, call: Call) -> Response | None:
        """Refuse a prefix under which the model's role finds nothing: as on AWS, there is no job of it then."""
        source = call.payload["TransformInput"]["DataSource"]["S3DataSource"]
        role = self._control.backend("sagemaker", call.region)._models[call.payload["ModelName"]].execution_role_arn
        objects = self._objects.acting_as(AssumedRole(self._control, role))
        if source["S3DataType"] != "S3Prefix" or _finds(objects, source["S3Uri"]):
            return None
        message = (
            f'No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source. Please ensure that the '
            f"bucket exists in the selected region, that objects exist under that S3 prefix, and that the role "
            f'"{role}" has "s3:ListBucket" permissions on the bucket.'
        )
        return json_rpc_error("ValidationException", message)

    def _created(self, call: Call) -> None:
        record = TransformRecord(self._control, call.region, call.payload["TransformJobName"])
        record.begin(call.when)
        if call.replaying:
            return
        try:
            backend = self._control.backend("sagemaker", call.region)
            model = variant_of(backend, {"VariantName": record.name, "ModelName": record.model})
        except StartFailedError as error:
            record.fail(f"ClientError: {error}")
            self._journal(record)
            return
        folder, role = self._folder / call.region / record.name, AssumedRole(self._control, model.role)
        folder.mkdir(parents=True)
        self._begin(TransformRun(record, call.payload, folder, role, self._objects, self._logs, self._access, model))

    def _keep(self, run: TransformRun) -> None:
        for stream in run.streams:
            region = run.record.region
            if events := self._logs.events(region, LOG_GROUP, stream):
                self._control.record("transform-log", json.dumps(events).encode(), region=region, stream=stream)
        self._journal(run.record)

    def _stop(self, call: Call) -> Response:
        name = call.payload["TransformJobName"]
        if name not in self._store(call.region):
            arn = f"arn:aws:sagemaker:{call.region}:{ACCOUNT}:transform-job/{name}"
            return json_rpc_error("ResourceNotFound", f'Could not find transform job "{arn}".')
        return self._stop_job(TransformRecord(self._control, call.region, name))

    def _records(self) -> Iterable[TransformRecord]:
        regions = self._control.regions("sagemaker")
        return (
            TransformRecord(self._control, region, name) for region in regions for name in list(self._store(region))
        )

    def _store(self, region: str) -> dict[str, Any]:
        jobs: dict[str, Any] = self._control.backend("sagemaker", region).transform_jobs
        return jobs

    def _journal(self, record: TransformRecord) -> None:
        self._control.record("transform-job-ended", region=record.region, name=record.name, job=record.to_json())
        detail = {"TransformJobName": record.name, "TransformJobStatus": record.status}
        self._rules.tell(record.region, "aws.sagemaker", "SageMaker Transform Job State Change", record.arn, detail)

    def _restore(self, data: dict[str, Any], _body: bytes) -> None:
        TransformRecord(self._control, data["region"], data["name"]).restore(data["job"])

    def _restore_log(self, data: dict[str, Any], log: bytes) -> None:
        self._logs.put(data["region"], LOG_GROUP, data["stream"], json.loads(log))


def _finds(objects: Objects, uri: str) -> bool:
    try:
        return any(True for _ in objects.under(uri))
    except AccessDeniedError:
        return False
