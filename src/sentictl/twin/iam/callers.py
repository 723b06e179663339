"""Who may call the twin: whoever holds its key. Everybody else gets AWS's own refusal, in the service's own format."""

import re

from sentictl.twin.control_plane.control_plane import ControlPlane, signer
from sentictl.twin.core.credentials import KEY_HEADER, opens, same
from sentictl.twin.core.messages import Request, Response, error_for, protocol_of, rest_error

HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")  # RFC 9110, section 7.2, without odd characters
LOCAL_HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.IGNORECASE)
FROM_OTHER_PAGES = ("cross-site", "same-site")  # values of Sec-Fetch-Site, which no script can set or leave out
# AWS's codes and messages: for a request without any key, and for one with a key that is not known.
S3 = (
    ("AccessDenied", "Access Denied"),
    ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
)
QUERY = (
    ("MissingAuthenticationToken", "Request is missing Authentication Token"),
    ("InvalidClientTokenId", "The security token included in the request is invalid."),
)
JSON = (
    ("MissingAuthenticationTokenException", "Missing Authentication Token"),
    ("UnrecognizedClientException", "The security token included in the request is invalid."),
)


def refuse_host(request: Request) -> Response | None:
    """Return what a request gets whose Host header is none, or names another machine; None if it is in order.

    The latter is how a web page reaches this machine under a name of its own (DNS rebinding).
    """
    host = request.headers.get("host", "")
    if not HOST.fullmatch(host):
        return rest_error("BadRequestException", "The request has no Host header, or one that is no host.", 400)
    if LOCAL_HOST.fullmatch(host):
        return None
    return rest_error("AccessDeniedException", "The local twin takes no requests for other hosts.", 403)


class Callers:
    """Knows the twin's own callers from strangers.

    Args:
        control: the control plane, which knows the access keys that it gave out itself (CreateAccessKey, AssumeRole).
        key: the twin's key.
    """

    def __init__(self, control: ControlPlane, key: str) -> None:
        self._control = control
        self._key = key

    def refuse(self, request: Request) -> Response | None:
        """Return what a stranger's request or one from a web page gets; None if its caller may make it."""
        if "origin" in request.headers or request.headers.get("sec-fetch-site") in FROM_OTHER_PAGES:
            message = "The local twin's control plane takes no requests from web pages."
            return rest_error("AccessDeniedException", message, 403)
        signed_by, _, service = signer(request)
        key = request.headers.get(KEY_HEADER) or signed_by
        if key and (opens(key, self._key) or self._gave_out(key)):
            return None
        return _refusal(request, service, unknown=bool(key))

    def _gave_out(self, key: str) -> bool:
        with self._control.lock:
            users = self._control.backend("iam").access_keys
            sessions = [role.access_key_id for role in self._control.backend("sts").assumed_roles]
            return any(same(key, known) for known in [*users, *sessions])


def _refusal(request: Request, service: str, *, unknown: bool) -> Response:
    words = {"query": QUERY, "s3": S3}.get(protocol_of(request, service), JSON)
    return error_for(request, service, *words[unknown], status=403)
