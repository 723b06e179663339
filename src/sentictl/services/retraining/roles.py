"""The roles of scheduled training: the state machine's, and the one in which the schedule starts it."""

from sentictl.services.iam.roles import Role
from sentictl.services.retraining.code import COMMAND, PART


class _TrainingRole(Role):
    command = COMMAND
    removed_as = PART
    on_request = True
    in_template = False
    tells_account = True

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.train.schedule.every)


class RetrainingRole(_TrainingRole):
    """The role that the state machine runs in: it may prepare, train and serve, each under names of its own."""

    kind = "retraining-role"
    part = "retrain"
    service = "states.amazonaws.com"


class TrainScheduleRole(_TrainingRole):
    """The role that the schedule runs in: it may start the state machine, and nothing else."""

    kind = "train-schedule-role"
    part = "every"
    service = "scheduler.amazonaws.com"
