"""Tuning jobs that really run: their trials are training jobs of the twin, at most two at a time."""

import json
import secrets
import threading
import time
from collections.abc import Mapping
from typing import Any

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.control_plane.pagination import JSON_RPC, listing
from sentictl.twin.core.messages import Request, Response, authorization, json_response, json_rpc_error
from sentictl.twin.iam.roles import refuse_unassumable
from sentictl.twin.sagemaker.running_jobs import ENDED
from sentictl.twin.sagemaker.training.jobs import TrainingJobs
from sentictl.twin.sagemaker.tuning import refusals
from sentictl.twin.sagemaker.tuning.record import TrialRecord, TuningRecord
from sentictl.twin.sagemaker.tuning.search import parameters_of, propose
from sentictl.twin.sagemaker.tuning.stopping import falls_behind, is_cut

AT_A_TIME = 2  # trials, whatever the job asks for: this is one machine
OBJECTIVE = "_tuning_objective_metric"  # the hyperparameter that tells a trial what it is searched by
# What of a definition a training job has as well.
COMMON = (
    *("RoleArn", "AlgorithmSpecification", "InputDataConfig", "OutputDataConfig", "ResourceConfig", "VpcConfig"),
    *("StoppingCondition", "CheckpointConfig", "EnableManagedSpotTraining", "EnableNetworkIsolation", "Environment"),
)
TRIES, SECONDS_BETWEEN_TRIES = 5, 0.2  # of beginning a trial: in rough weather it is refused at first


class TuningJobs:
    """SageMaker's tuning jobs.

    Args:
        control: the twin's control plane.
        training: the training jobs, among them the trials.
    """

    def __init__(self, control: ControlPlane, training: TrainingJobs) -> None:
        self._control = control
        self._jobs: dict[tuple[str, str], TuningRecord] = {}
        self._changed: dict[tuple[str, str], threading.Event] = {}
        self._closing = False
        training.reported, training.over = self._reported, self._trial_over
        control.in_order.add(("sagemaker", "CreateHyperParameterTuningJob"))
        control.before["sagemaker", "CreateHyperParameterTuningJob"] = self._refuse
        control.after["sagemaker", "CreateHyperParameterTuningJob"] = self._created
        control.instead["sagemaker", "DescribeHyperParameterTuningJob"] = self._describe
        control.instead["sagemaker", "StopHyperParameterTuningJob"] = self._stop
        control.instead["sagemaker", "ListHyperParameterTuningJobs"] = self._list
        control.instead["sagemaker", "ListTrainingJobsForHyperParameterTuningJob"] = self._list_trials
        control.before["sagemaker", "DeleteHyperParameterTuningJob"] = self._refuse_deletion
        control.after["sagemaker", "DeleteHyperParameterTuningJob"] = self._deleted
        control.facts["tuning-trial"] = self._restore_trial
        control.facts["tuning-trial-ended"] = self._restore_reports
        control.facts["tuning-job-ended"] = self._restore_end

    def bring_back(self) -> None:
        """After a replay: let the jobs go on that were running when the twin ended. Their trials then have failed."""
        for job in list(self._jobs.values()):
            if job.status not in ENDED:
                self._conduct(job)

    def close(self) -> None:
        """Begin no more trials."""
        self._closing = True

    def _refuse(self, call: Call) -> Response | None:
        if refused := refusals.refusal(call.payload):
            return refused
        return refuse_unassumable(self._control, call.payload["TrainingJobDefinition"]["RoleArn"])

    def _created(self, call: Call) -> None:
        job = TuningRecord(self._control, call.region, call.payload, call.when)
        moto = self._control.backend("sagemaker", call.region).hyper_parameter_tuning_jobs[job.name]
        moto.tags = call.payload.get("Tags") or []
        self._jobs[call.region, job.name] = job
        if not call.replaying:
            self._conduct(job)

    def _conduct(self, job: TuningRecord) -> None:
        self._changed[job.region, job.name] = threading.Event()
        threading.Thread(target=self._run, args=(job,), daemon=True).start()

    def _run(self, job: TuningRecord) -> None:
        """Begin trials, as many as may run at a time, until there are enough and all are over."""
        changed = self._changed[job.region, job.name]
        while True:
            changed.clear()
            failed = self._begin_trials(job)
            with self._control.lock:
                if failed and job.status == "InProgress":
                    job.enter("Stopping", failed)
                if self._closing:
                    return
                if not job.running:
                    self._end(job)
                    return
            changed.wait()

    def _begin_trials(self, job: TuningRecord) -> str:
        """Begin as many trials as may run now. Returns why one could not be begun; empty where all could."""
        many = min(job.config["ResourceLimits"]["MaxParallelTrainingJobs"], AT_A_TIME)
        while True:
            with self._control.lock:
                over = self._closing or job.status != "InProgress" or job.begun >= job.most
                if over or len(job.running) >= many:
                    return ""
                number = job.begun + 1
                seed = str(job.config.get("RandomSeed", job.name))
                parameters = parameters_of(job.config["ParameterRanges"])
                tuned = propose(job.config["Strategy"], parameters, job.tried, seed, number)
            if tuned is None:
                return ""
            if refused := self._begin(job, number, tuned):
                return refused

    def _begin(self, job: TuningRecord, number: int, tuned: Mapping[str, str]) -> str:
        name = f"{job.name}-{number:03}-{secrets.token_hex(4)}"
        static = job.definition.get("StaticHyperParameters") or {}
        request = {
            **{key: job.definition[key] for key in COMMON if key in job.definition},
            "TrainingJobName": name,
            "HyperParameters": {**static, **tuned, OBJECTIVE: job.objective},
            "Tags": job.request.get("Tags") or [],
        }
        for _ in range(TRIES):
            with self._control.lock:
                answer = self._call(job.region, "CreateTrainingJob", request)
                if answer.ok:
                    told: dict[str, Any] = {"job": job.name, "name": name, "tuned": dict(tuned)}
                    self._control.record("tuning-trial", region=job.region, **told)
                    job.note(name, tuned)
                    return ""
            time.sleep(SECONDS_BETWEEN_TRIES)
        return str(json.loads(answer.get_data())["message"])

    def _reported(self, region: str, name: str, metric: str, value: float) -> None:
        """Note what a training job reported; end it where it is a trial that falls behind."""
        with self._control.lock:
            job = self._of_trial(region, name)
            if job is None or metric != job.objective or name not in job.trials:
                return
            job.trials[name].reports.append(value if job.maximizes else -value)
            if job.is_running(name) and self._is_weak(job, job.trials[name]):
                self._call(region, "StopTrainingJob", {"TrainingJobName": name})

    def _is_weak(self, job: TuningRecord, trial: TrialRecord) -> bool:
        others = [other for other in job.trials.values() if other is not trial]
        if job.config["Strategy"] == "Hyperband":
            most = refusals.most_reports(job.config, job.definition) or 1
            return is_cut(trial.reports, [each.reports for each in others], refusals.least_reports(job.config), most)
        if job.config.get("TrainingJobEarlyStoppingType") != "Auto":
            return False
        running = job.running
        return falls_behind(trial.reports, [each.reports for each in others if each not in running])

    def _trial_over(self, region: str, name: str) -> None:
        job = self._of_trial(region, name)
        if job is not None and name in job.trials:
            reports = job.trials[name].reports
            self._control.record("tuning-trial-ended", region=region, job=job.name, name=name, reports=reports)
            self._changed[region, job.name].set()

    def _of_trial(self, region: str, name: str) -> TuningRecord | None:
        """Return the tuning job whose trial a training job is, by its name."""
        return self._jobs.get((region, name.rsplit("-", 2)[0]))

    def _end(self, job: TuningRecord) -> None:
        counters = job.summary()["TrainingJobStatusCounters"]
        if job.status == "Stopping":
            job.enter("Failed" if job.reason else "Stopped", job.reason)
        elif counters["Completed"] or counters["Stopped"]:
            job.enter("Completed")
        else:
            job.enter("Failed", "All training jobs failed. Please take a look at the training jobs for failures.")
        self._control.record("tuning-job-ended", region=job.region, name=job.name, job=job.to_json())

    def _describe(self, call: Call) -> Response:
        job = self._jobs.get((call.region, call.payload["HyperParameterTuningJobName"]))
        return _missing(call) if job is None else json_response(200, job.describe(), JSON_RPC)

    def _stop(self, call: Call) -> Response:
        job = self._jobs.get((call.region, call.payload["HyperParameterTuningJobName"]))
        if job is None:
            return _missing(call)
        if job.status in ENDED:
            message = f"The request was rejected because the hyperparameter tuning job is in status {job.status}."
            return json_rpc_error("ValidationException", message)
        job.enter("Stopping")
        if not call.replaying:
            for trial in job.running:
                self._call(call.region, "StopTrainingJob", {"TrainingJobName": trial.name})
            self._changed[call.region, job.name].set()
        return json_response(200, {}, JSON_RPC)

    def _list(self, call: Call) -> Response:
        found = [job.summary() for (region, _), job in self._jobs.items() if region == call.region]
        return listing("HyperParameterTuningJobSummaries", "HyperParameterTuningJob", found, call.payload)

    def _list_trials(self, call: Call) -> Response:
        job = self._jobs.get((call.region, call.payload["HyperParameterTuningJobName"]))
        if job is None:
            return _missing(call)
        if call.payload.get("SortBy") == "FinalObjectiveMetricValue":
            return json_rpc_error("ValidationException", "The local twin does not sort by FinalObjectiveMetricValue.")
        return listing("TrainingJobSummaries", "TrainingJob", job.summaries(), {"SortBy": "Name"} | call.payload)

    def _refuse_deletion(self, call: Call) -> Response | None:
        job = self._jobs.get((call.region, call.payload["HyperParameterTuningJobName"]))
        if job is None:
            return _missing(call)
        if job.status in ENDED:
            return None
        message = f"The hyperparameter tuning job {job.name} is in status {job.status} and cannot be deleted."
        return json_rpc_error("ResourceInUse", message)

    def _deleted(self, call: Call) -> None:
        self._jobs.pop((call.region, call.payload["HyperParameterTuningJobName"]), None)

    def _restore_trial(self, data: dict[str, Any], _body: bytes) -> None:
        self._jobs[data["region"], data["job"]].note(data["name"], data["tuned"])

    def _restore_reports(self, data: dict[str, Any], _body: bytes) -> None:
        self._jobs[data["region"], data["job"]].trials[data["name"]].reports = data["reports"]

    def _restore_end(self, data: dict[str, Any], _body: bytes) -> None:
        self._jobs[data["region"], data["name"]].restore(data["job"])

    def _call(self, region: str, operation: str, parameters: Mapping[str, Any]) -> Response:
        """Make a call as anybody would: it is journalled."""
        headers = {
            "authorization": authorization("sagemaker", region),
            "x-amz-target": f"SageMaker.{operation}",
            "content-type": "application/x-amz-json-1.1",
        }
        return self._control.handle(Request.make("POST", "/", headers=headers, body=json.dumps(parameters).encode()))


def _missing(call: Call) -> Response:
    name = call.payload["HyperParameterTuningJobName"]
    return json_rpc_error("ResourceNotFound", f"Could not find hyper parameter tuning job '{name}'.")
