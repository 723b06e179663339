"""The tuning job, followed until its trials are over."""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC
from itertools import count
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of
from sentictl.aws.waiters import poll
from sentictl.config.state import Record
from sentictl.errors import InterruptedByUserError, TrainingError
from sentictl.lifecycle.resource import Actions, Context, LiveResource
from sentictl.services.resources.sagemaker import OVER, SageMakerResource, because, stop_job
from sentictl.services.resources.training import TrainingJob
from sentictl.services.tuning.search import DIGEST_LENGTH, OBJECTIVE, OBJECTIVE_REGEX, trials, tuning_config
from sentictl.services.tuning.trials import Trial, best_of, describe_tuning_job, trials_of, values_text

COMMAND = "train --tune"
ENDED = "ended"  # the attribute that says when it was over
STATUS = "HyperParameterTuningJobStatus"  # the member that says whether the job is over


class TuningJob(SageMakerResource):
    """The tuning job, named by the digest of all that its trials learn from and of what is searched.

    The same search again finds the same job and trains nothing. Names cannot be used twice, so one that made no model
    is followed by one with another digest. Its trials are training jobs with its tags and names that begin with its
    own; they go with it.

    Args:
        context: the project and environment.
        anew: search again even where the same search is over.
    """

    kind = "hyper-parameter-tuning-job"
    command = COMMAND
    face = True
    on_request = True
    in_template = False  # CloudFormation has no type for it
    healthy = frozenset({"Completed", "InProgress", "Stopping", "Stopped"})
    tells_state = True
    keeps_versions = True
    holds_data = True
    actions = Actions(
        read="sagemaker:DescribeHyperParameterTuningJob sagemaker:ListHyperParameterTuningJobs "
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob sagemaker:ListTags",
        create="sagemaker:CreateHyperParameterTuningJob sagemaker:AddTags iam:PassRole",
        delete="sagemaker:StopHyperParameterTuningJob sagemaker:DeleteHyperParameterTuningJob "
        "sagemaker:StopTrainingJob sagemaker:DeleteTrainingJob logs:DescribeLogStreams logs:DeleteLogStream",
        unscoped="sagemaker:ListHyperParameterTuningJobs",
    )

    def __init__(self, context: Context, *, anew: bool = False) -> None:
        super().__init__(context)
        self._anew = anew
        self._job = TrainingJob(context)
        self._name: str | None = None
        self._told = ""

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.train.tune.ranges)

    @property
    def name(self) -> str:
        """The name that `find` chose, by which names were used already."""
        if self._name is None:
            raise RuntimeError("Which name a tuning job takes is known only after find()")
        return self._name

    def find(self) -> LiveResource | None:
        for attempt in count(1):
            self._name = self.context.naming.name(digest_of(self._inputs, attempt)[:DIGEST_LENGTH])
            job = None if self.context.environment.unseen else describe_tuning_job(self.context, self._name)
            if job is None or self._usable(job):
                break
        return _live(job)

    def read(self, name: str) -> LiveResource | None:
        return _live(describe_tuning_job(self.context, name))

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        if not (self.wanted or self.context.state.of_kind(self.kind)):
            return
        prefix = self.context.naming.name("")
        ours = re.compile(re.escape(prefix) + rf"[0-9a-f]{{{DIGEST_LENGTH}}}")
        pages = self.context.environment.client("sagemaker").get_paginator("list_hyper_parameter_tuning_jobs")
        for page in pages.paginate(NameContains=prefix, SortBy="CreationTime", SortOrder="Ascending"):
            names = [str(each["HyperParameterTuningJobName"]) for each in page["HyperParameterTuningJobSummaries"]]
            for name in names:
                if ours.fullmatch(name) and name not in known and (live := self.read(name)):
                    yield name, live

    def create(self) -> None:
        self._job.check_inputs()
        self.context.environment.client("sagemaker").create_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=self.name,
            HyperParameterTuningJobConfig=tuning_config(self.context.settings.train),
            TrainingJobDefinition=self._definition(),
            Tags=self.context.naming.tag_list(),
        )

    def wait_ready(self, live: LiveResource) -> LiveResource:
        job = self._follow()
        if not job:
            raise TrainingError(
                f"The tuning job {self.name} is gone: it was deleted.", f"Tune anew: sentictl {COMMAND}"
            )
        every = trials_of(self.context, self.name)
        best = best_of(every)
        if best is None:
            raise self._failure(job, every)
        stopped = "stopped · " if job[STATUS] == "Stopped" else ""
        self._told = f"{stopped}{_counted(job)} · best {_percent(best)}: {values_text(best.tuned)}"
        return _live(job) or live

    def delete(self, record: Record) -> None:
        job = describe_tuning_job(self.context, record.name)
        if job is None:
            return
        stop_tuning_job(self.context, record.name)
        for trial in trials_of(self.context, record.name):
            self._job.delete(Record(TrainingJob.kind, trial.name))
        delete = self.context.environment.client("sagemaker").delete_hyper_parameter_tuning_job
        if_there(delete, HyperParameterTuningJobName=record.name)
        gone = f"The tuning job {record.name}"
        poll(lambda: describe_tuning_job(self.context, record.name), lambda job: job is None, what=gone, timeout=120)

    def summary(self) -> str:
        return self._told

    def facts(self, record: Record) -> Sequence[str]:
        return [record.name, record.attributes.get("trials", "")]

    def _usable(self, job: Mapping[str, Any]) -> bool:
        """Tell whether a job runs, or has made a model that may be taken."""
        if job[STATUS] not in OVER:
            return True
        if job[STATUS] in ("Deleting", "DeleteFailed"):
            return False
        return not self._anew and job["TrainingJobStatusCounters"].get("Completed", 0) > 0

    @property
    def _static(self) -> dict[str, str]:
        """The hyperparameters that all trials have in common."""
        tuned = self.context.settings.train.tune.ranges
        return {name: value for name, value in self._job.hyperparameters.items() if name not in tuned}

    @property
    def _inputs(self) -> tuple[Any, ...]:
        config = tuning_config(self.context.settings.train)
        most = config.pop("ResourceLimits")["MaxNumberOfTrainingJobs"]  # how many run at a time makes no other search
        return self._job.digest_with(self._static), config, most

    def _definition(self) -> dict[str, Any]:
        definition = self._job.definition()
        algorithm = definition["AlgorithmSpecification"]
        metrics = [*algorithm["MetricDefinitions"], {"Name": OBJECTIVE, "Regex": OBJECTIVE_REGEX}]
        return {
            **definition,
            "AlgorithmSpecification": {**algorithm, "MetricDefinitions": metrics},
            "StaticHyperParameters": self._static | self._job.script_mode(self.name),
        }

    def _follow(self) -> Mapping[str, Any]:
        """Report each trial that ends until all have. Returns what AWS tells of the job then; nothing if it is gone."""
        told: set[str] = set()

        def look() -> Mapping[str, Any]:
            job = describe_tuning_job(self.context, self.name)
            if job:
                self._report(job, trials_of(self.context, self.name), told)
            return job or {}

        train = self.context.settings.train
        most, at_a_time = trials(train), train.tune.parallel_trials
        rounds = -(-most // at_a_time)
        try:
            self.context.report(f"{most} trials, {min(at_a_time, most)} at a time")
            return poll(
                look,
                lambda job: not job or job[STATUS] in OVER,
                what=self.name,
                timeout=rounds * (120 * train.max_minutes + 1800),  # of each trial as long as it is waited for alone
            )
        except KeyboardInterrupt:
            raise InterruptedByUserError(
                f"Interrupted. The tuning job {self.name} runs on.",
                f"Follow it with the same command again, sentictl {COMMAND}, or stop it with: sentictl train --stop",
            ) from None

    def _report(self, job: Mapping[str, Any], every: Sequence[Trial], told: set[str]) -> None:
        for trial in every:
            if trial.is_over and trial.name not in told:
                told.add(trial.name)
                measured = f" · validation {_percent(trial)}" if trial.accuracy is not None else ""
                self.context.report(f"trial {len(told)}: {trial.status.lower()}{measured} · {values_text(trial.tuned)}")
        running, best = sum(not trial.is_over for trial in every), best_of(every)
        most = job["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"]
        best_so_far = f" · best {_percent(best)}" if best else ""
        self.context.report(f"{len(told)} of {most} trials, {running} running{best_so_far}", len(told), most)

    def _failure(self, job: Mapping[str, Any], every: Sequence[Trial]) -> TrainingError:
        status = job[STATUS]
        reasons = [job.get("FailureReason", ""), *(trial.reason for trial in every)]
        why = because(next(filter(None, reasons), ""))
        return TrainingError(
            f"The tuning job {self.name} ended as {status}, and none of its trials made a model{why}",
            f"See what its trials came to: sentictl runs. Search anew: sentictl {COMMAND}",
        )


def stop_tuning_job(context: Context, name: str) -> None:
    """Stop a tuning job and its trials, and wait until all have stopped. One that is over is left as it is."""
    client = context.environment.client("sagemaker")
    job = describe_tuning_job(context, name)
    if job is None or job[STATUS] in OVER:
        return
    stop_job(
        lambda: client.stop_hyper_parameter_tuning_job(HyperParameterTuningJobName=name),
        lambda: (describe_tuning_job(context, name) or {STATUS: "Stopped"})[STATUS],
        name,
    )


def running_tuning_job(context: Context) -> str:
    """Return the name of the project's tuning job that runs; empty where none does."""
    for record in reversed(context.state.of_kind(TuningJob.kind)):
        job = describe_tuning_job(context, record.name)
        if job and job[STATUS] not in OVER and context.owns(TuningJob(context).tags(record.name)):
            return record.name
    return ""


def _live(job: Mapping[str, Any] | None) -> LiveResource | None:
    if not job:
        return None
    attributes = {"trials": _counted(job)}
    if job[STATUS] in OVER and (ended := job.get("HyperParameterTuningEndTime")):
        attributes[ENDED] = ended.astimezone(UTC).isoformat(timespec="seconds")
    return LiveResource(job["HyperParameterTuningJobArn"], job[STATUS], attributes=attributes)


def _counted(job: Mapping[str, Any]) -> str:
    counters = job["TrainingJobStatusCounters"]
    done = counters.get("Completed", 0)
    early = counters.get("Stopped", 0)
    failed = counters.get("RetryableError", 0) + counters.get("NonRetryableError", 0)
    words = [f"{early} ended early" if early else "", f"{failed} failed" if failed else ""]
    return ", ".join([f"{done} trial" + ("s" if done != 1 else ""), *filter(None, words)])


def _percent(trial: Trial) -> str:
    return f"{100 * (trial.accuracy or 0.0):.1f} %"
