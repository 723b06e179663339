"""The rule that tells when the endpoint fails: EventBridge hears of it from SageMaker, also while nobody asks.

SageMaker's events: https://docs.aws.amazon.com/sagemaker/latest/dg/automating-sagemaker-with-eventbridge.html
An endpoint that is deleted is no fault: `down endpoint`, `deploy.ttl` and `deploy.hours` do that. Where somebody else
does, requests fail from then on, and the alarm on errors tells.
"""

from typing import Any

from sentictl.services.monitoring.rule import FaultRule
from sentictl.services.resources.sagemaker import has_endpoint
from sentictl.services.serving.endpoint import Endpoint

# As the events have them, other than DescribeEndpoint.
FAULTS = ["FAILED", "OUT_OF_SERVICE", "ROLLING_BACK", "UPDATE_ROLLBACK_FAILED"]


class EndpointRule(FaultRule):
    """The rule of the project's endpoint."""

    kind = "endpoint-rule"
    part = "endpoint-fails"
    text, says, status = "endpoint", "SageMaker", "$.detail.EndpointStatus"

    @property
    def wanted(self) -> bool:
        return self.context.settings.alerts.wanted and has_endpoint(self.context)

    def pattern(self) -> dict[str, Any]:
        return {
            "source": ["aws.sagemaker"],
            "detail-type": ["SageMaker Endpoint State Change"],
            "detail": {"EndpointName": [Endpoint(self.context).name], "EndpointStatus": FAULTS},
        }
