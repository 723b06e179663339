"""Writes of objects that depend on what is there, where moto does otherwise than AWS.

One call is carried out after the other, so that of two writers only one meets what both have read. In rough weather the
first that would overwrite an object meets what AWS says of two at the same moment, and is to be tried again:
https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, s3_error

ANYTHING = "*"


class ConditionalWrites:
    """The handler of conditional PutObject."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._met: set[tuple[str, str]] = set()  # the objects whose writers have met
        control.before["s3", "PutObject"] = self._refuse

    def _refuse(self, call: Call) -> Response | None:
        must_be, must_not_be = (call.request.headers.get(name, "") for name in ("if-match", "if-none-match"))
        if must_not_be not in ("", ANYTHING):
            message = "A header you provided implies functionality that is not implemented"
            return s3_error("NotImplemented", message, 501)
        name = call.labels["Bucket"], call.labels["Key"]
        if call.replaying or not must_be or name in self._met or not self._control.weather.rough:
            return None
        self._met.add(name)
        return s3_error(
            "ConditionalRequestConflict", "The conditional request cannot succeed due to a conflicting operation.", 409
        )
