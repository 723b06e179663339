"""Processing jobs: created, described, listed, stopped and deleted, and what a restart makes of them."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.control_plane.pagination import JSON_RPC
from sentictl.twin.core.environment import Access
from sentictl.twin.core.messages import Response, json_response, json_rpc_error
from sentictl.twin.iam.roles import AssumedRole, refuse_unassumable
from sentictl.twin.s3.objects import Objects
from sentictl.twin.sagemaker.processing.record import ProcessingRecord
from sentictl.twin.sagemaker.processing.run import LOG_GROUP, ProcessingRun
from sentictl.twin.sagemaker.running_jobs import RunningJobs


class ProcessingJobs(RunningJobs[ProcessingRecord, ProcessingRun]):
    """The data plane of SageMaker's processing jobs."""

    KIND = "Processing"

    def __init__(self, control: ControlPlane, objects: Objects, logs: LogStreams, folder: Path, access: Access) -> None:
        super().__init__(control, objects, logs, folder, access)
        self._jobs: dict[tuple[str, str], ProcessingRecord] = {}
        control.in_order.add(("sagemaker", "CreateProcessingJob"))
        control.before["sagemaker", "CreateProcessingJob"] = self._refuse
        control.after["sagemaker", "CreateProcessingJob"] = self._created
        control.instead["sagemaker", "DescribeProcessingJob"] = self._describe
        control.instead["sagemaker", "StopProcessingJob"] = self._stop
        control.instead["sagemaker", "DeleteProcessingJob"] = self._delete
        control.instead["sagemaker", "ListProcessingJobs"] = self._list
        control.facts["processing-job-ended"] = self._restore

    def _refuse(self, call: Call) -> Response | None:
        name = call.payload["ProcessingJobName"]
        if (call.region, name) not in self._jobs:
            return refuse_unassumable(self._control, call.payload["RoleArn"])
        message = f"Processing job names must be unique within an AWS account and region, and {name} exists."
        return json_rpc_error("ResourceInUse", message)

    def _created(self, call: Call) -> None:
        record = ProcessingRecord(self._control, call.region, call.payload, call.when)
        self._jobs[call.region, record.name] = record
        if call.replaying:
            return
        role = AssumedRole(self._control, call.payload["RoleArn"])
        folder = self._folder / record.name
        self._begin(ProcessingRun(record, folder, role, self._objects, self._logs, self._access))

    def _describe(self, call: Call) -> Response:
        record = self._of(call)
        return _missing(call) if record is None else json_response(200, record.describe(), JSON_RPC)

    def _stop(self, call: Call) -> Response:
        record = self._of(call)
        if record is None:
            return _missing(call)
        return self._stop_job(record)

    def _delete(self, call: Call) -> Response:
        record = self._of(call)
        if record is None:
            return _missing(call)
        if not record.is_over:
            message = f"The processing job {record.name} is in status {record.status} and cannot be deleted."
            return json_rpc_error("ResourceInUse", message)
        del self._jobs[call.region, record.name]
        self._control.backend("sagemaker", call.region).processing_jobs.pop(record.name, None)
        return json_response(200, {}, JSON_RPC)

    def _records(self) -> Iterable[ProcessingRecord]:
        return self._jobs.values()

    def _of(self, call: Call) -> ProcessingRecord | None:
        return self._jobs.get((call.region, call.payload["ProcessingJobName"]))

    def _journal(self, record: ProcessingRecord) -> None:
        events = self._logs.events(record.region, LOG_GROUP, record.log_stream) if record.log_stream else []
        log = json.dumps(events).encode()
        told: dict[str, Any] = {"region": record.region, "name": record.name, "job": record.to_json()}
        self._control.record("processing-job-ended", log, **told)

    def _restore(self, data: dict[str, Any], log: bytes) -> None:
        record = self._jobs[data["region"], data["name"]]
        record.restore(data["job"])
        if record.log_stream:
            self._logs.put(record.region, LOG_GROUP, record.log_stream, json.loads(log))


def _missing(call: Call) -> Response:
    name = call.payload["ProcessingJobName"]
    return json_rpc_error("ValidationException", f"Could not find requested job with name: {name}")
