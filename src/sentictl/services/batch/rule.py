"""The rule that tells when a scheduled transform job fails: EventBridge hears of it from SageMaker.

https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
"""

from typing import Any

from sentictl.services.batch.schedule import RUN, is_scheduled
from sentictl.services.monitoring.rule import FaultRule


class BatchRule(FaultRule):
    """The rule of the jobs that the schedule begins."""

    kind = "batch-rule"
    in_template = False
    part = "batch-fails"
    text, says, status = "batch", "SageMaker", "$.detail.TransformJobStatus"

    @property
    def wanted(self) -> bool:
        return self.context.settings.alerts.wanted and is_scheduled(self.context)

    def pattern(self) -> dict[str, Any]:
        jobs = {"prefix": self.context.naming.name(f"{RUN}-")}
        return {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Transform Job State Change"],
            "detail": {"TransformJobName": [jobs], "TransformJobStatus": ["Failed"]},
        }
