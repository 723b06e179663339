"""The Python API's part for training again and again: a schedule, and what its runs serve."""

from collections.abc import Mapping
from typing import Any

from sentictl.api import stack
from sentictl.api.results import Plan
from sentictl.api.session import Session
from sentictl.config.state import Record
from sentictl.lifecycle import reconcile
from sentictl.lifecycle.reconcile import apply, destroy
from sentictl.lifecycle.resource import Context
from sentictl.services.chain import CHAIN
from sentictl.services.iam.permissions import needed
from sentictl.services.kept import KEPT
from sentictl.services.pricing.estimate import estimate
from sentictl.services.retraining.code import PART
from sentictl.services.retraining.fitness import check_fit
from sentictl.services.retraining.price import training_run_price
from sentictl.services.retraining.rule import TrainingRule
from sentictl.services.retraining.schedule import TrainSchedule
from sentictl.services.serving.endpoint import Endpoint

Settings = Mapping[str, Any] | None


class ProjectRetraining:
    """Training by a schedule: each run prepares the source anew, trains, and serves a model that is not worse."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def schedule(self, settings: Settings = None) -> Record | None:
        """Have the model trained again and again, or no more. Returns the schedule's record; None without one.

        Args:
            settings: to change first, such as `{"train.schedule.every": "sunday 02:00"}`; "off" ends it, with the runs
                that are under way.

        Raises:
            SettingsError: no schedule can train the project; it says why.
            MissingStepError: nothing is served yet.
        """
        observer = self._session.observer
        with self._session.change(settings, _check) as context:
            observer.begin(PART)
            if context.settings.train.schedule.every:
                observer.remark(f"  At each time: {training_run_price(context)}")
                apply(stack.retraining(context), context, observer)
            else:
                destroy(stack.doomed(context, PART, keep_data=False), context, observer)
                apply([TrainingRule(context)], context, observer)
            observer.ended(PART)
            return context.state.latest(TrainSchedule.kind)

    def plan(self, settings: Settings = None) -> Plan:
        """Return what `schedule` would do, and what a run costs at most. Changes nothing on AWS."""
        context = self._session.read(settings, _check, announced=True)
        rehearsal = context.rehearsal()
        every = context.settings.train.schedule.every
        if every:
            steps = reconcile.plan(stack.retraining(rehearsal), rehearsal)
        else:
            steps = reconcile.plan_destruction(stack.doomed(rehearsal, PART, keep_data=False), rehearsal)
            steps += reconcile.plan([TrainingRule(rehearsal)], rehearsal)
        costs = estimate(context, CHAIN, stack.standing(context, steps))
        price = training_run_price(context) if every else None
        return Plan(context.environment.name, steps, costs, needed(KEPT, steps), retraining=price)

    def follow(self, context: Context) -> None:
        """Let the schedule train and serve as the settings have it now; where there is none, nothing is done."""
        if context.state.latest(TrainSchedule.kind) and context.settings.train.schedule.every:
            apply(stack.retraining(context), context, self._session.observer)


def _check(context: Context) -> None:
    if context.settings.train.schedule.every:
        check_fit(context)
        context.recorded(Endpoint)
