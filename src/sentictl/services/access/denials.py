"""Why the API does not let a caller in, and what to do about it: by the codes of API Gateway's own answers."""

import re

from sentictl.errors import NotAdmittedError
from sentictl.services.access.caller import MAKE, SIGN_IN

TIMES = re.compile(r"Signature (?:expired|not yet current): (?P<ours>\w+) is .*\((?P<theirs>\w+) [+-]")
CHECK = "Check them: aws sts get-caller-identity"


def denial(status: int, code: str, reason: str, error_type: str, source: str) -> NotAdmittedError | None:
    """Return the error that an answer of API Gateway's means; None where it is about something else.

    Args:
        status: of the answer.
        code: its code, a response type of API Gateway's, such as INVALID_API_KEY.
        reason: its message.
        error_type: its header x-amzn-ErrorType.
        source: where the caller's key or credentials come from; empty where it has none.
    """
    if code == "INVALID_SIGNATURE" and (times := TIMES.match(reason)):
        told = (
            f"AWS refused the signature: this machine's clock says {times['ours']}, AWS's says {times['theirs']}, "
            "and they may be 5 minutes apart.",
            "Set the clock: sudo timedatectl set-ntp true",
        )
    elif code == "INVALID_SIGNATURE" and error_type == "UnrecognizedClientException":
        told = (f"AWS does not know the access key, or session, of {source}.", f"Log in again. {CHECK}")
    elif code == "INVALID_SIGNATURE":
        told = (
            f"AWS calculates another signature than {source} made: the secret access key is wrong, or something on the "
            "way, such as a proxy, changed the request.",
            f"Give the keys again: aws configure. {CHECK}",
        )
    else:
        told = _others(source, reason).get(code, ("", ""))
    message, hint = told
    return NotAdmittedError(message, hint, status=status) if message else None


def _others(source: str, reason: str) -> dict[str, tuple[str, str]]:
    key = (
        (
            f"The API does not take the key in {source}: it was revoked, or is another API's.",
            f"Those that there are: sentictl keys list. {MAKE}",
        )
        if source
        else (
            "The API takes a key, and none was sent: here api.auth says otherwise.",
            "See what differs: sentictl plan",
        )
    )
    return {
        "INVALID_API_KEY": key,
        "QUOTA_EXCEEDED": (
            "The key has asked as often as its quota allows (api.key_quota).",
            "When it may again, and what is left: sentictl keys list. More for each key: sentictl config set "
            "api.key_quota 20000/day && sentictl wire-api",
        ),
        "UNAUTHORIZED": (
            f"The API does not take the token in {source}: "
            + ("it has expired." if "expired" in reason else "it is another user pool's, or somebody changed it."),
            SIGN_IN,
        )
        if source
        else (
            "The API asks people to sign in, and no token was sent: here api.auth says otherwise.",
            "See what differs: sentictl plan",
        ),
        "WAF_FILTERED": (
            "This address has asked as often as one may in five minutes (api.caller_rate_limit).",
            "Wait five minutes, then ask again. More for each address: sentictl config set api.caller_rate_limit 1000 "
            "&& sentictl wire-api",
        ),
        "EXPIRED_TOKEN": (f"The session of {source} is over.", f"Log in again: aws sso login. {CHECK}"),
        "ACCESS_DENIED": (
            f"IAM does not allow to ask this API: {reason}",
            "Attach the policy that callers need: sentictl doctor --callers-policy",
        ),
        "MISSING_AUTHENTICATION_TOKEN": (
            "The API takes no such request without a signature, or there is no API at its address any more.",
            "See what differs: sentictl plan",
        ),
    }
