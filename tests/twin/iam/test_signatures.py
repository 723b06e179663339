"""Signature Version 4: AWS's own vectors, botocore's signatures, and what is refused."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from sentictl.twin.iam.signatures import FORM, RequestSignature, SentRequest, SignatureError
from tests.twin.iam.aws_vectors import HOST, KEY, REGION, SECRET, SERVICE, VECTORS, WHEN, Headers

NOW = datetime.strptime(WHEN, FORM).replace(tzinfo=UTC)


def vector(method: str, target: str, headers: Headers, body: str, signed: str, signature: str) -> SentRequest:
    path, _, query = target.partition("?")
    credential = f"{KEY}/{WHEN[:8]}/{REGION}/{SERVICE}/aws4_request"
    authorization = f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders={signed}, Signature={signature}"
    every = (("Host", HOST), *headers, ("X-Amz-Date", WHEN), ("Authorization", authorization))
    return SentRequest(method, path, query, every, body.encode())


def check(request: SentRequest, secret: str = SECRET, now: datetime = NOW) -> None:
    RequestSignature.of(request).check(request, secret, REGION, SERVICE, now)


def refusal(request: SentRequest, **known: object) -> tuple[str, str]:
    with pytest.raises(SignatureError) as caught:
        check(request, **known)  # type: ignore[arg-type]
    return caught.value.code, caught.value.message


@pytest.mark.parametrize(
    ("method", "target", "headers", "body", "signed", "signature"),
    [v[1:] for v in VECTORS],
    ids=[v[0] for v in VECTORS],
)
def test_aws_own_vectors(method: str, target: str, headers: Headers, body: str, signed: str, signature: str) -> None:
    request = vector(method, target, headers, body, signed, signature)
    check(request)
    assert refusal(request, secret=SECRET[:-1])[0] == "InvalidSignatureException"


def encoded(chance: random.Random) -> str:
    return quote("".join(chance.choices("abcXYZ019-_.~ /%+=&ü", k=4)), safe="")


def signed_by_botocore(chance: random.Random) -> SentRequest:
    """A request of any kind, as botocore signs it."""
    path = "/" + "/".join(encoded(chance) for _ in range(chance.randrange(4)))
    query = "&".join(f"{encoded(chance)}={encoded(chance)}" for _ in range(chance.randrange(4)))
    url = f"https://{HOST}{path}{'?' + query if query else ''}"
    body = chance.randbytes(chance.randrange(200))
    token = "token" * 9 if chance.random() < 0.5 else None
    request = AWSRequest("POST", url, data=body, headers={"Content-Type": "application/json"})
    SigV4Auth(Credentials(KEY, SECRET, token), SERVICE, REGION).add_auth(request)
    parts = urlsplit(url)
    headers = [("Host", HOST), *((name, str(value)) for name, value in request.headers.items())]
    return SentRequest("POST", parts.path, parts.query, headers, body)


def test_what_botocore_signs_is_accepted_and_any_changed_byte_refused() -> None:
    chance = random.Random(0)
    for _ in range(100):
        request = signed_by_botocore(chance)
        check(request, now=datetime.now(UTC))
        place = chance.randrange(len(request.body) + 1)
        changed = request.body[:place] + bytes([chance.randrange(256)]) + request.body[place:]
        for other in (
            replace(request, body=changed),
            replace(request, method="PUT"),
            replace(request, path=request.path + "x"),
            replace(request, query=request.query + "&x=1"),
            replace(request, headers=changed_header(request.headers, "Content-Type")),
            replace(request, headers=changed_header(request.headers, "Host")),
        ):
            assert refusal(other, now=datetime.now(UTC))[0] == "InvalidSignatureException"


def changed_header(headers: Sequence[tuple[str, str]], name: str) -> list[tuple[str, str]]:
    return [(key, value + "x" if key == name else value) for key, value in headers]


PLAIN = vector("POST", "/", (), "", "host;x-amz-date", {v[0]: v[6] for v in VECTORS}["post-vanilla"])


def without(request: SentRequest, name: str) -> SentRequest:
    return replace(request, headers=[header for header in request.headers if header[0].lower() != name])


def with_authorization(request: SentRequest, before: str, after: str) -> SentRequest:
    return replace(request, headers=[(name, value.replace(before, after)) for name, value in request.headers])


EXPIRED = "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
EARLY = "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"


@pytest.mark.parametrize(
    ("request_", "now", "code", "words"),
    [
        (without(PLAIN, "authorization"), NOW, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        (without(PLAIN, "x-amz-date"), NOW, "IncompleteSignatureException", "'X-Amz-Date'"),
        (
            with_authorization(PLAIN, "Signature=", "Seal="),
            NOW,
            "IncompleteSignatureException",
            "'Signature' parameter",
        ),
        (with_authorization(PLAIN, "AWS4-HMAC-SHA256 ", "Bearer "), NOW, "IncompleteSignatureException", "algorithm"),
        (with_authorization(PLAIN, "/aws4_request", ""), NOW, "IncompleteSignatureException", "5 slash-delimited"),
        (with_authorization(PLAIN, REGION, "eu-west-1"), NOW, "InvalidSignatureException", "not 'eu-west-1'"),
        (
            with_authorization(PLAIN, "/service/", "/s3/"),
            NOW,
            "InvalidSignatureException",
            "correct service: 'service'",
        ),
        (with_authorization(PLAIN, "=host;", "="), NOW, "InvalidSignatureException", "'Host' must be"),
        (with_authorization(PLAIN, "20150830/", "20150831/"), NOW, "InvalidSignatureException", "Date in Credential"),
        (PLAIN, NOW + timedelta(minutes=5, seconds=1), "InvalidSignatureException", EXPIRED),
        (PLAIN, NOW - timedelta(minutes=5, seconds=1), "InvalidSignatureException", EARLY),
    ],
)
def test_what_is_refused_is_told_in_aws_words(request_: SentRequest, now: datetime, code: str, words: str) -> None:
    found, message = refusal(request_, now=now)
    assert (found, words in message) == (code, True), message


@pytest.mark.parametrize("minutes", [-5, 0, 5])
def test_a_clock_may_be_five_minutes_off(minutes: int) -> None:
    check(PLAIN, now=NOW + timedelta(minutes=minutes))
