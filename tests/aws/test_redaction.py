"""Credentials in texts that others wrote: gone, with the rest of the text left as it is."""

import pytest

from sentictl.aws.redaction import redacted, remember

KEY, SECRET, TOKEN = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "IQoJb3JpZ2luX2VjEXAMPLE/TOKEN==",
)
SIGNED = f"AWS4-HMAC-SHA256 Credential={KEY}/20261129/eu-west-1/sts/aws4_request, SignedHeaders=host, Signature=0a1b2c"


@pytest.mark.parametrize(
    "text",
    [
        f"Invalid header value b'{SIGNED}'",
        f"Invalid header value b'{SIGNED.replace('/2026', chr(92) + 'n/2026')}'",
        SIGNED.replace("/2026", "\n/2026"),
        f"Invalid header value b'{SIGNED.replace('AWS4-HMAC-SHA256', 'AWS4-ECDSA-P256-SHA256')}'",
        f"{{'Authorization': '{SIGNED}', 'X-Amz-Security-Token': '{TOKEN}'}}",
        f"headers: [('Authorization', b'{SIGNED}')]",
        f"Authorization: Bearer {TOKEN}",
        f"x-amz-sso_bearer_token: {TOKEN}",
        f"https://x/?X-Amz-Credential={KEY}%2F2026&X-Amz-Security-Token={TOKEN}&X-Amz-Signature=0a1b2c",
        f'{{"SecretAccessKey": "{SECRET}", "SessionToken": "{TOKEN}", "AccessKeyId": "{KEY}"}}',
        f"{{'secretAccessKey': '{SECRET}', 'accessToken': '{TOKEN}', 'refreshToken': '{TOKEN}'}}",
        f"AWS_SECRET_ACCESS_KEY={SECRET} AWS_SESSION_TOKEN={TOKEN} aws s3 ls",
        f"[line 3]: 'aws_secret_access_key {SECRET}\\n'",
        f"aws_secret_access_key = {SECRET}",
        f"no such key: {KEY}",
        f"no such key: ASIA{KEY[4:]}",
        "a token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w",
        "Cannot connect to proxy http://you:hunter2@proxy:3128/",
    ],
)
def test_what_is_known_by_its_shape_is_hidden(text: str) -> None:
    shown = redacted(text)
    secrets = (KEY, KEY[4:], SECRET, TOKEN, "0a1b2c", "hunter2", "eyJhbGciOiJIUzI1NiJ9")
    assert [secret for secret in secrets if secret in shown] == []
    assert "***" in shown


@pytest.mark.parametrize("ending", ["", "\n", "\r\n", " ", "\x00", "\u2026"])
def test_what_was_used_is_hidden_however_it_is_written(ending: str) -> None:
    odd = f"of no shape {ending and 'at all'} 0123456789{ending}"
    remember(odd, None, "")
    for written in (odd, repr(odd), str(odd.encode()), f"<{odd.strip()}>"):
        assert "of no shape" not in redacted(written)


@pytest.mark.parametrize(
    "text",
    [
        "Set AWS_SECRET_ACCESS_KEY, or do without: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY",
        "The session token of the AWS profile default has a line break.",
        "https://abcdef.execute-api.eu-west-1.amazonaws.com/prod answers 403.",
        "arn:aws:iam::111122223333:role/films-prod-sagemaker is not allowed to sagemaker:CreateEndpoint",
        "This takes an authorization, and the bearer of an id token has none: ask for it.",
        "The token of a review, such as wonderful, is an id.",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    remember("local", "secret", "is")  # too short to be any
    assert redacted(text) == text
