"""Every kind of resource that sentictl keeps: the chain's, and what stands beside it."""

from sentictl.lifecycle.resource import Resource
from sentictl.services.batch.job import TransformJob
from sentictl.services.batch.model import BatchModel
from sentictl.services.batch.rule import BatchRule
from sentictl.services.batch.schedule import BatchSchedule, BatchScheduleRole, ScheduledAccess, ScheduledModel
from sentictl.services.chain import CHAIN
from sentictl.services.notebook.instance import OPTIONAL
from sentictl.services.retraining.code import ScheduledCode
from sentictl.services.retraining.jobs import ScheduledPreparation, UnservedTraining
from sentictl.services.retraining.machine import RetrainingMachine
from sentictl.services.retraining.roles import RetrainingRole, TrainScheduleRole
from sentictl.services.retraining.rule import TrainingRule
from sentictl.services.retraining.schedule import TrainSchedule
from sentictl.services.tuning.job import TuningJob
from sentictl.services.web.api_key import ApiKey

# What stands by itself, and what answers reviews again and again.
BESIDE: tuple[type[Resource], ...] = (ApiKey, TuningJob, BatchModel, TransformJob)
SCHEDULED: tuple[type[Resource], ...] = (ScheduledAccess, ScheduledModel, BatchScheduleRole, BatchSchedule, BatchRule)
# What trains again and again. The last are deleted first, so that no run begins what is not found.
RETRAINED: tuple[type[Resource], ...] = (
    UnservedTraining,
    ScheduledPreparation,
    ScheduledCode,
    RetrainingRole,
    RetrainingMachine,
    TrainScheduleRole,
    TrainSchedule,
    TrainingRule,
)
KEPT: tuple[type[Resource], ...] = (*CHAIN, *OPTIONAL, *BESIDE, *SCHEDULED, *RETRAINED)
