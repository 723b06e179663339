"""Service Quotas for SageMaker, which moto does not know: the instance types a sentictl project begins with."""

from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane
from sentictl.twin.core.messages import Response, json_response, json_rpc_error

SERVICE = "sagemaker"
USES = (
    *("endpoint usage", "training job usage", "spot training job usage", "processing job usage"),
    "transform job usage",
)
# How many instances; of those with a GPU a new account has none.
VALUES = {"ml.m5.large": 4.0, "ml.m5.xlarge": 4.0, "ml.c5.xlarge": 4.0, "ml.c5.2xlarge": 4.0, "ml.g4dn.xlarge": 0.0}
FIRST_CODE = 0x10CA1000  # the twin's own: AWS gives its codes at random
PAGE = 100  # what AWS lists when MaxResults is not given


class Quotas:
    """Answers of Service Quotas for SageMaker."""

    def __init__(self, control: ControlPlane) -> None:
        for operation in ("ListServiceQuotas", "ListAWSDefaultServiceQuotas"):
            control.instead["servicequotas", operation] = self._list
        for operation in ("GetServiceQuota", "GetAWSDefaultServiceQuota"):
            control.instead["servicequotas", operation] = self._get

    def _list(self, call: Call) -> Response | None:
        if call.payload.get("ServiceCode") != SERVICE:
            return None
        quotas = _quotas(call.region)
        token = call.payload.get("NextToken") or "0"
        if not token.isdecimal():
            return json_rpc_error("InvalidPaginationTokenException", "Invalid pagination token given.")
        begin = int(token)
        end = begin + int(call.payload.get("MaxResults") or PAGE)
        more = {"NextToken": str(end)} if end < len(quotas) else {}
        return json_response(200, {"Quotas": quotas[begin:end], **more})

    def _get(self, call: Call) -> Response | None:
        if call.payload.get("ServiceCode") != SERVICE:
            return None
        code = call.payload["QuotaCode"]
        found = next((quota for quota in _quotas(call.region) if quota["QuotaCode"] == code), None)
        if found is None:
            return json_rpc_error("NoSuchResourceException", "The request failed because the quota does not exist.")
        return json_response(200, {"Quota": found})


def beyond_quota(use: str, instance_type: str, wanted: int) -> Response | None:
    """Return SageMaker's refusal of more machines than the account's quota has; None where it has them.

    Args:
        use: what for, such as "training job usage".
        instance_type: the machine.
        wanted: how many.
    """
    limit = VALUES.get(instance_type)
    if limit is None or wanted <= limit:
        return None
    message = (
        f"The account-level service limit '{instance_type} for {use}' is {limit:.0f} Instances, with current "
        f"utilization of 0 Instances and a request delta of {wanted} Instances. Please use AWS Service Quotas to "
        "request an increase for this quota."
    )
    return json_rpc_error("ResourceLimitExceeded", message)


def _quotas(region: str) -> list[dict[str, Any]]:
    named = {f"{instance_type} for {use}": value for use in USES for instance_type, value in VALUES.items()}
    return [_quota(region, f"L-{code:08X}", name, named[name]) for code, name in enumerate(named, start=FIRST_CODE)]


def _quota(region: str, code: str, name: str, value: float) -> dict[str, Any]:
    return {
        "ServiceCode": SERVICE,
        "ServiceName": "Amazon SageMaker",
        "QuotaArn": f"arn:aws:servicequotas:{region}:{ACCOUNT}:{SERVICE}/{code}",
        "QuotaCode": code,
        "QuotaName": name,
        "Value": value,
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
