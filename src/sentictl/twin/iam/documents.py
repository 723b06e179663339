"""IAM refuses a text that is no policy; moto keeps it, and whatever reads it later breaks."""

from functools import partial

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, query_error
from sentictl.twin.iam import policies

NAMESPACE = "https://iam.amazonaws.com/doc/2010-05-08/"
TRUST, PERMISSIONS = "AssumeRolePolicyDocument", "PolicyDocument"
OPERATIONS = {
    "CreateRole": TRUST,
    "UpdateAssumeRolePolicy": PERMISSIONS,
    "PutRolePolicy": PERMISSIONS,
    "CreatePolicy": PERMISSIONS,
    "CreatePolicyVersion": PERMISSIONS,
}


class PolicyDocuments:
    """Looks at the policies that calls bring along, before moto does."""

    def __init__(self, control: ControlPlane) -> None:
        for operation, parameter in OPERATIONS.items():
            control.before["iam", operation] = partial(self._refuse, parameter)

    def _refuse(self, parameter: str, call: Call) -> Response | None:
        if policies.is_document(call.request.form_parameter(parameter)):
            return None
        return query_error("MalformedPolicyDocument", "This policy contains invalid Json", 400, NAMESPACE)
