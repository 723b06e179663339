"""Access logs of stages: a line for each request, in the format that the stage asks for."""

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from sentictl.twin.cloudwatch.logs import LogStream, LogStreams
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, rest_error
from sentictl.twin.iam.roles import AssumedRole

GATEWAY = "apigateway.amazonaws.com"
VARIABLE = re.compile(r"\$context\.([A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*)")
NAMED_BY = re.compile(r"\$context\.(requestId|extendedRequestId)\b")
ROLE_SETTING, FORMAT_SETTING = "/cloudwatchRoleArn", "/accessLogSettings/format"
MISSING = "-"  # what is written of a variable that a request has no value of
# What the role has to allow before an account can be given it: AWS's policy AmazonAPIGatewayPushToCloudWatchLogs.
WRITING = (
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "logs:GetLogEvents",
    "logs:FilterLogEvents",
)


class AccessLogs:
    """The access logs of all stages, written in the role that the account has for the logs of API Gateway."""

    def __init__(self, control: ControlPlane, logs: LogStreams) -> None:
        self._control = control
        self._logs = logs
        control.before["apigateway", "UpdateAccount"] = self._refuse_role
        control.before["apigateway", "UpdateStage"] = self._refuse_log

    def write(self, region: str, stage: Any, values: Mapping[str, Any]) -> None:
        """Write the line of a request, where its stage has a log and the account a role.

        Args:
            region: the API's.
            stage: moto's object of the stage.
            values: of the variables under `$context.`, by name.
        """
        settings, role = stage.access_log_settings or {}, self._role(region)
        if not settings.get("destinationArn") or not settings.get("format") or not role:
            return
        line = VARIABLE.sub(lambda found: str(values.get(found[1], MISSING)), settings["format"])
        group = settings["destinationArn"].partition(":log-group:")[2].removesuffix(":*")
        # API Gateway spreads the lines over streams with names like these.
        stream = hashlib.md5(f"{values['apiId']}/{stage.name}".encode(), usedforsecurity=False).hexdigest()
        self._logs.write(LogStream(region, group, stream, AssumedRole(self._control, role)), line)

    def _role(self, region: str) -> str:
        return str(self._control.backend("apigateway", region).get_account().cloudwatch_role_arn or "")

    def _refuse_role(self, call: Call) -> Response | None:
        """moto takes any role; AWS tries whether it can write logs in it."""
        for patch in call.payload.get("patchOperations") or []:
            if patch["path"] == ROLE_SETTING and patch.get("value") and not call.replaying:
                role = AssumedRole(self._control, patch["value"])
                if not role.trusts(GATEWAY) or not all(role.allows(action, "*") for action in WRITING):
                    message = (
                        "The role ARN does not have required permissions configured. Please grant trust permission for "
                        "API Gateway and add the required role policy."
                    )
                    return rest_error("BadRequestException", message, 400)
        return None

    def _refuse_log(self, call: Call) -> Response | None:
        """moto needs no role for logs, and takes any format."""
        patches = {patch["path"]: patch.get("value", "") for patch in call.payload.get("patchOperations") or []}
        if call.replaying or not any(path.startswith("/accessLogSettings/") for path in patches):
            return None
        if not self._role(call.region):
            message = "CloudWatch Logs role ARN must be set in account settings to enable logging"
            return rest_error("BadRequestException", message, 400)
        if FORMAT_SETTING in patches and not NAMED_BY.search(patches[FORMAT_SETTING]):
            message = "Access log format must contain $context.requestId or $context.extendedRequestId"
            return rest_error("BadRequestException", message, 400)
        return None
