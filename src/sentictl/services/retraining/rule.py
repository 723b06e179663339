"""The rule that tells when a scheduled training fails: EventBridge hears of it from Step Functions.

https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
A run that finds nothing to serve, or a model that is worse, has not failed; one that `train --every off` stops has not
either.
"""

from typing import Any

from sentictl.services.monitoring.rule import FaultRule
from sentictl.services.retraining.machine import RetrainingMachine


class TrainingRule(FaultRule):
    """The rule of the state machine's executions."""

    kind = "training-rule"
    in_template = False
    part = "training-fails"
    text, says, status = "training", "Step Functions", "$.detail.status"

    @property
    def wanted(self) -> bool:
        return self.context.settings.alerts.wanted and bool(self.context.settings.train.schedule.every)

    def pattern(self) -> dict[str, Any]:
        machine = RetrainingMachine(self.context)
        return {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [machine.arn(machine.name)], "status": ["FAILED", "TIMED_OUT"]},
        }
