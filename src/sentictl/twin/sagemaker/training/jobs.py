"""Training jobs that really run, can be stopped and deleted, and what a restart makes of them."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.control_plane.pagination import JSON_RPC
from sentictl.twin.core.environment import Access
from sentictl.twin.core.messages import Response, json_response, json_rpc_error
from sentictl.twin.iam.roles import AssumedRole, refuse_unassumable
from sentictl.twin.s3.objects import Objects
from sentictl.twin.sagemaker.running_jobs import RunningJobs
from sentictl.twin.sagemaker.training.record import TrainingRecord
from sentictl.twin.sagemaker.training.run import LOG_GROUP, TrainingRun


class TrainingJobs(RunningJobs[TrainingRecord, TrainingRun]):
    """The data plane of SageMaker's training jobs."""

    KIND = "Training"

    def __init__(self, control: ControlPlane, objects: Objects, logs: LogStreams, folder: Path, access: Access) -> None:
        super().__init__(control, objects, logs, folder, access)
        # Told of each value of a metric (region, job, metric, value), and of each job that is over (region, job).
        self.reported: Callable[[str, str, str, float], None] = lambda *_: None
        self.over: Callable[[str, str], None] = lambda *_: None
        control.in_order.add(("sagemaker", "CreateTrainingJob"))
        control.before["sagemaker", "CreateTrainingJob"] = self._refuse
        control.after["sagemaker", "CreateTrainingJob"] = self._created
        control.instead["sagemaker", "StopTrainingJob"] = self._stop
        control.instead["sagemaker", "DeleteTrainingJob"] = self._delete
        control.instead["sagemaker", "ListTrainingJobs"] = self._list
        control.facts["training-job-ended"] = self._restore
        control.facts["training-log"] = self._restore_log

    def _refuse(self, call: Call) -> Response | None:
        name = call.payload["TrainingJobName"]
        if name not in self._store(call.region):
            return refuse_unassumable(self._control, call.payload["RoleArn"])
        message = f"Training job names must be unique within an AWS account and region, and {name} exists."
        return json_rpc_error("ResourceInUse", message)

    def _created(self, call: Call) -> None:
        record = TrainingRecord(self._control, call.region, call.payload["TrainingJobName"])
        record.begin(call.payload, call.when)
        if call.replaying:
            return
        role = AssumedRole(self._control, call.payload["RoleArn"])
        folder = self._folder / record.name
        reported = partial(self._report, call.region, record.name)
        self._begin(TrainingRun(record, call.payload, folder, role, self._objects, self._logs, self._access, reported))

    def _keep(self, run: TrainingRun) -> None:
        for stream in run.other_streams:
            region = run.record.region
            events = self._logs.events(region, LOG_GROUP, stream)
            self._control.record("training-log", json.dumps(events).encode(), region=region, stream=stream)
        self._journal(run.record)
        self.over(run.record.region, run.record.name)

    def _report(self, region: str, name: str, metric: str, value: float) -> None:
        self.reported(region, name, metric, value)

    def _stop(self, call: Call) -> Response:
        name = call.payload["TrainingJobName"]
        if name not in self._store(call.region):
            return json_rpc_error("ValidationException", f"Requested resource not found: training job {name}.")
        return self._stop_job(TrainingRecord(self._control, call.region, name))

    def _delete(self, call: Call) -> Response:
        name = call.payload["TrainingJobName"]
        if name not in self._store(call.region):
            return json_rpc_error("ResourceNotFound", f"Requested resource not found: training job {name}.")
        record = TrainingRecord(self._control, call.region, name)
        if not record.is_over:
            message = f"The training job {name} is in status {record.status} and cannot be deleted."
            return json_rpc_error("ResourceInUse", message)
        del self._store(call.region)[name]
        return json_response(200, {}, JSON_RPC)

    def _records(self) -> Iterable[TrainingRecord]:
        regions = self._control.regions("sagemaker")
        return (TrainingRecord(self._control, region, name) for region in regions for name in list(self._store(region)))

    def _store(self, region: str) -> dict[str, Any]:
        jobs: dict[str, Any] = self._control.backend("sagemaker", region).training_jobs
        return jobs

    def _journal(self, record: TrainingRecord) -> None:
        stream = record.log_stream
        events = self._logs.events(record.region, LOG_GROUP, stream) if stream else []
        log = json.dumps(events).encode()
        self._control.record("training-job-ended", log, region=record.region, name=record.name, job=record.to_json())

    def _restore(self, data: dict[str, Any], log: bytes) -> None:
        record = TrainingRecord(self._control, data["region"], data["name"])
        record.restore(data["job"])
        if record.log_stream:
            self._logs.put(record.region, LOG_GROUP, record.log_stream, json.loads(log))

    def _restore_log(self, data: dict[str, Any], log: bytes) -> None:
        self._logs.put(data["region"], LOG_GROUP, data["stream"], json.loads(log))
