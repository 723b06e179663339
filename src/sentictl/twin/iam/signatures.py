"""Signature Version 4: whether a request is signed by whom it names, and was not changed on its way.

By AWS's description of it, https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html,
with the signature in the Authorization header, for every service but S3: paths are normalized, and encoded once more
than they arrive. The messages are AWS's.
"""

import hashlib
import hmac
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from posixpath import normpath
from urllib.parse import quote, unquote

from sentictl.twin.core.credentials import same

ALGORITHM = "AWS4-HMAC-SHA256"
SKEW = timedelta(minutes=5)
FORM = "%Y%m%dT%H%M%SZ"
PARTS = ("Credential", "Signature", "SignedHeaders")
SPACES = re.compile(r"\s+")
MISMATCH = (
    "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key "
    "and signing method. Consult the service documentation for details."
)


class SignatureError(Exception):
    """A request is not signed as it has to be.

    Args:
        code: AWS's code, such as `InvalidSignatureException`.
        message: AWS's message.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class SentRequest:
    """What a signature is about.

    Args:
        method: such as `POST`.
        path: as it arrived, percent-encoded.
        query: as it arrived, without the question mark.
        headers: every one of them, name and value; of names that are there twice the values come in their order.
        body: the bytes.
    """

    method: str
    path: str
    query: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return a header's canonical value: its values joined, spaces at the ends gone, others one each."""
        values = [SPACES.sub(" ", value.strip()) for key, value in self.headers if key.lower() == name]
        return ",".join(values)


@dataclass(frozen=True)
class RequestSignature:
    """What an Authorization header says.

    Args:
        key: the access key id.
        scope: day, region, service and `aws4_request`.
        signed: the names of the headers that were signed.
        value: the signature, in hexadecimal digits.
    """

    key: str
    scope: tuple[str, str, str, str]
    signed: tuple[str, ...]
    value: str

    @classmethod
    def of(cls, request: SentRequest) -> "RequestSignature":
        """Read a request's signature.

        Raises:
            SignatureError: there is none, or it is not whole.
        """
        header = request.header("authorization")
        if not header:
            raise SignatureError("MissingAuthenticationTokenException", "Missing Authentication Token")
        scheme, _, rest = header.partition(" ")
        named = dict(part.strip().partition("=")[::2] for part in rest.split(","))
        faults = [f"Authorization header requires '{part}' parameter." for part in PARTS if not named.get(part)]
        if not request.header("x-amz-date"):
            faults.append("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        if scheme != ALGORITHM or faults:
            raise SignatureError("IncompleteSignatureException", " ".join(faults) or "Unsupported AWS 'algorithm'.")
        key, *scope = named["Credential"].split("/")
        if len(scope) != 4:
            message = "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term"
            raise SignatureError("IncompleteSignatureException", message)
        signed = tuple(named["SignedHeaders"].split(";"))
        return cls(key, (scope[0], scope[1], scope[2], scope[3]), signed, named["Signature"])

    def check(self, request: SentRequest, secret: str, region: str, service: str, now: datetime) -> None:
        """Check that the request is what was signed with a secret, for this region and service, just now.

        Args:
            request: the request.
            secret: of the access key that it names.
            region: of what is asked.
            service: as AWS names it in scopes, such as `execute-api`.
            now: the time, in UTC.

        Raises:
            SignatureError: it is not.
        """
        sent = request.header("x-amz-date")
        for fault in (*_scope_faults(self.scope, region, service, sent), *_time_faults(sent, now)):
            raise SignatureError("InvalidSignatureException", fault)
        if "host" not in self.signed:
            raise SignatureError(
                "InvalidSignatureException", "'Host' must be a 'SignedHeader' in the AWS Authorization."
            )
        canonical = canonical_request(request, self.signed)
        to_sign = string_to_sign(canonical, sent, self.scope)
        if not same(sign(to_sign, secret, self.scope), self.value):
            told = (
                f"\n\nThe Canonical String for this request should have been\n'{canonical}'"
                f"\n\nThe String-to-Sign should have been\n'{to_sign}'\n"
            )
            raise SignatureError("InvalidSignatureException", MISMATCH + told)


def canonical_request(request: SentRequest, signed: Iterable[str]) -> str:
    """Return a request in the one form that is signed.

    Args:
        request: the request.
        signed: the names of the headers that are part of it, in small letters.
    """
    names = sorted(signed)
    headers = "".join(f"{name}:{request.header(name)}\n" for name in names)
    digest = hashlib.sha256(request.body).hexdigest()
    lines = (request.method, _path(request.path), _query(request.query), headers, ";".join(names), digest)
    return "\n".join(lines)


def string_to_sign(canonical: str, when: str, scope: tuple[str, str, str, str]) -> str:
    """Return what is signed: when and for what, and the digest of the canonical request."""
    return "\n".join((ALGORITHM, when, "/".join(scope), hashlib.sha256(canonical.encode()).hexdigest()))


def sign(text: str, secret: str, scope: tuple[str, str, str, str]) -> str:
    """Return the signature of a string to sign, in hexadecimal digits."""
    key = f"AWS4{secret}".encode()
    for part in scope:
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _path(path: str) -> str:
    normal = normpath(path) if path else "/"
    normal = "/" + normal.lstrip("/")
    if normal != "/" and path.endswith(("/", "/.", "/..")):
        normal += "/"
    return quote(normal, safe="/-_.~")


def _query(query: str) -> str:
    pairs = [part.partition("=")[::2] for part in query.split("&") if part]
    encoded = [tuple(quote(unquote(text), safe="-_.~") for text in pair) for pair in pairs]
    return "&".join(f"{name}={value}" for name, value in sorted(encoded))


def _scope_faults(scope: tuple[str, str, str, str], region: str, service: str, sent: str) -> Iterable[str]:
    day, for_region, for_service, end = scope
    if for_region != region:
        yield f"Credential should be scoped to a valid region, not '{for_region}'. "
    if for_service != service:
        yield f"Credential should be scoped to correct service: '{service}'. "
    if end != "aws4_request":
        yield f"Credential should be scoped with a valid terminator: 'aws4_request', not '{end}'. "
    if day != sent[:8]:
        what = "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"
        yield f"{what}: '{day}' != '{sent[:8]}', from '{sent}'."


def _time_faults(sent: str, now: datetime) -> Iterable[str]:
    told: Callable[[datetime], str] = lambda moment: moment.strftime(FORM)  # noqa: E731  (a name for one line)
    try:
        when = datetime.strptime(sent, FORM).replace(tzinfo=UTC)
    except ValueError:
        yield f"Date must be in ISO-8601 'basic format'. Got '{sent}'."
        return
    if when < now - SKEW:
        yield f"Signature expired: {sent} is now earlier than {told(now - SKEW)} ({told(now)} - 5 min.)"
    if when > now + SKEW:
        yield f"Signature not yet current: {sent} is still later than {told(now + SKEW)} ({told(now)} + 5 min.)"
