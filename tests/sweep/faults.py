"""What can happen to a call: the process is killed, AWS refuses, AWS fails, the connection breaks."""

import io
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from botocore.awsrequest import AWSResponse
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from tests.sweep.calls import Call

XML = {"s3", "iam", "sts"}


@dataclass(frozen=True)
class Moment:
    """A call as a fault sees it.

    Args:
        call: the call that is being made.
        target: the call that the fault is for.
        met: the target was reached, by this call or an earlier one.
        first: this is the first attempt at the target.
    """

    call: Call
    target: Call
    met: bool
    first: bool


class Fault:
    """Something that happens to calls.

    Attributes:
        exits: the exit codes with which a run may end that meets it; a negative one is a signal's number.
    """

    exits: tuple[int, ...]

    def before(self, moment: Moment, request: Any) -> AWSResponse | None:
        """An answer given in place of AWS's, or None to send the request; what it raises is a broken connection."""
        return None

    def after(self, moment: Moment) -> None:
        """Called when AWS's answer has come, and before anybody acts on it."""


class Kill(Fault):
    """The process ends at once: nothing of what it knew is written down any more."""

    exits = (-signal.SIGKILL,)

    def after(self, moment: Moment) -> None:
        if moment.call == moment.target:
            os.kill(os.getpid(), signal.SIGKILL)


class Reset(Fault):
    """AWS does what it was asked, but its answer never arrives."""

    exits = (0,)

    def before(self, moment: Moment, request: Any) -> AWSResponse | None:
        if not moment.first:
            return None
        _ = URLLib3Session().send(request).content
        raise ConnectionClosedError(endpoint_url=request.url)


class Reach(Enum):
    """For how long AWS refuses."""

    ONCE = "the first attempt at one call"
    OPERATION = "one operation, from one call on"
    EVERYTHING = "everything, from one call on"


@dataclass(frozen=True)
class Refusal(Fault):
    """AWS answers with an error, and does nothing.

    Args:
        code: the error's code, and the HTTP status that goes with it.
        exits: see `Fault`.
        reach: what is refused.
        by_service: the services that have another code or status.
    """

    code: tuple[str, int]
    exits: tuple[int, ...]
    reach: Reach
    by_service: Mapping[str, tuple[str, int]] = field(default_factory=dict)

    def before(self, moment: Moment, request: Any) -> AWSResponse | None:
        if not self._meant(moment):
            return None
        code, status = self.by_service.get(moment.call.service, self.code)
        body = b"" if moment.call.answers_without_body else _error(moment.call.service, code).encode()
        headers = {"x-amzn-errortype": code, "content-length": str(len(body))}
        return AWSResponse(request.url, status, headers, Body(body))

    def _meant(self, moment: Moment) -> bool:
        if self.reach is Reach.ONCE:
            return moment.first
        if self.reach is Reach.OPERATION:
            call, target = moment.call, moment.target
            return moment.met and (call.service, call.operation) == (target.service, target.operation)
        return moment.met


class Body(io.BytesIO):
    """A body as botocore reads one."""

    def stream(self, **_: Any) -> "Body":
        return self


def _error(service: str, code: str) -> str:
    message = "The fault sweep refuses this call."
    if service not in XML:
        return f'{{"__type": "{code}", "message": "{message}"}}'
    error = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return error if service == "s3" else f"<ErrorResponse>{error}<RequestId>sweep</RequestId></ErrorResponse>"


# Codes and statuses as the services' API references list them under their common errors.
FAULTS: dict[str, Fault] = {
    "kill": Kill(),
    "throttling": Refusal(
        ("ThrottlingException", 400),
        (0,),
        Reach.ONCE,
        {
            "s3": ("SlowDown", 503),
            "iam": ("Throttling", 400),
            "sts": ("Throttling", 400),
            "lambda": ("TooManyRequestsException", 429),
            "apigateway": ("TooManyRequestsException", 429),
        },
    ),
    "500": Refusal(
        ("InternalFailure", 500),
        (0,),
        Reach.ONCE,
        {
            "s3": ("InternalError", 500),
            "iam": ("ServiceFailure", 500),
            "lambda": ("ServiceException", 500),
        },
    ),
    "reset": Reset(),
    "expired-token": Refusal(
        ("ExpiredTokenException", 400),
        (4,),
        Reach.EVERYTHING,
        {
            "s3": ("ExpiredToken", 400),
            "iam": ("ExpiredToken", 403),
            "sts": ("ExpiredToken", 403),
            "lambda": ("ExpiredTokenException", 403),
            "apigateway": ("ExpiredTokenException", 403),
        },
    ),
    "access-denied": Refusal(
        ("AccessDeniedException", 400),
        (0, 4),
        Reach.OPERATION,
        {
            "s3": ("AccessDenied", 403),
            "iam": ("AccessDenied", 403),
            "sts": ("AccessDenied", 403),
            "lambda": ("AccessDeniedException", 403),
            "apigateway": ("AccessDeniedException", 403),
        },
    ),
    "limit-exceeded": Refusal(
        ("ResourceLimitExceeded", 400),
        (0, 1),
        Reach.OPERATION,
        {
            "s3": ("TooManyBuckets", 400),
            "iam": ("LimitExceeded", 409),
            "lambda": ("CodeStorageExceededException", 400),
            "apigateway": ("LimitExceededException", 429),
            "logs": ("LimitExceededException", 400),
            "scheduler": ("ServiceQuotaExceededException", 402),
            "application-autoscaling": ("LimitExceededException", 400),
        },
    ),
}
