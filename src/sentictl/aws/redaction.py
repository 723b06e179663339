"""Credentials taken out of a text before anybody sees it, also out of a traceback. Imports nothing heavy."""

import functools
import re

HIDDEN = "***"
SHORTEST = 16  # characters of an access key id, by IAM's API reference: nothing shorter is a secret of AWS's
HEADERS = "(?:proxy-)?authorization|x-amz-security-token|x-amz-sso_bearer_token|x-aws-ec2-metadata-token|dpop"
NAMES = (
    "secret_?access_?key|access_?key_?id|(?:aws_|session_?|security_?|access_?|refresh_?|id_?|identity_?)token"
    "|client_?secret|authorization_?token"
)
# Each keeps its group `kept`, and hides the rest of what it finds.
PATTERNS = (
    r"(?P<kept>\bAWS4-[A-Z0-9-]+ )Credential=[^'\"\r\n]+",  # how a request is signed
    r"(?P<kept>\b(?:x-amz-)?(?:signature|credential|security-token)=)[^&\s'\",]+",
    rf"(?P<kept>\b(?:{HEADERS})(?:['\"]\s*[:,]|\s*[:=])\s*b?['\"]?)[^'\"\r\n]+",
    rf"(?P<kept>(?:{NAMES})['\"]?\s*[:=]\s*b?['\"]?)[^\s'\",;&}})]+",
    rf"(?P<kept>(?:{NAMES})\s+)(?!aws_)[^\s'\"]{{{SHORTEST},}}",  # a line of a file whose = is missing
    r"(?P<kept>\bbearer )[\w.~+/=-]{16,}",
    r"(?P<kept>://)[^\s/@:'\"]*:[^\s/@'\"]+(?=@)",  # the user and password of a proxy
    # The prefixes of access keys: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html
    r"(?P<kept>)\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}",
    r"(?P<kept>)\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]+)?",  # a JSON Web Token
)
_known: set[str] = set()


def remember(*secrets: str | None) -> None:
    """Have `redacted` take these out of every text from now on, however they are written there.

    Args:
        secrets: an access key id, its secret, a session token; what is too short to be one is ignored.
    """
    for secret in filter(None, secrets):
        written = {secret, secret.strip(), secret.encode("unicode_escape").decode()}
        _known.update(form for form in written if len(form) >= SHORTEST)


def redacted(text: str) -> str:
    """Return a text without the credentials that are in it.

    Args:
        text: such as an error of botocore's, which may quote a signed request, or a whole traceback.
    """
    for secret in sorted(_known, key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    for pattern in _patterns():
        text = pattern.sub(rf"\g<kept>{HIDDEN}", text)
    return text


@functools.cache
def _patterns() -> list[re.Pattern[str]]:
    return [re.compile(pattern, re.IGNORECASE) for pattern in PATTERNS]
