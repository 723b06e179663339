"""What `predict --via api` says where the API does not let it in, each time with what to do."""

import pytest

from sentictl.services.access.denials import denial

EXPIRED = "Signature expired: 20260101T000000Z is now earlier than 20260101T001000Z (20260101T001500Z - 5 min.)"
EARLY = "Signature not yet current: 20260101T003000Z is still later than 20260101T002000Z (20260101T001500Z + 5 min.)"

LATE_CLOCK = "clock says 20260101T000000Z, AWS's says 20260101T001500Z"
EARLY_CLOCK = "clock says 20260101T003000Z, AWS's says 20260101T001500Z"
UNKNOWN, WRONG = "UnrecognizedClientException", "InvalidSignatureException"


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason", "source", "words", "next_step"),
    [
        (403, "INVALID_API_KEY", "", "Forbidden", "the variable X", "take the key in the variable X", "keys list"),
        (403, "INVALID_API_KEY", "", "Forbidden", "", "none was sent", "sentictl plan"),
        (429, "QUOTA_EXCEEDED", "", "Limit Exceeded", "x", "as often as its quota", "api.key_quota"),
        (403, "INVALID_SIGNATURE", "", EXPIRED, "x", LATE_CLOCK, "timedatectl"),
        (403, "INVALID_SIGNATURE", "", EARLY, "x", EARLY_CLOCK, "timedatectl"),
        (403, "INVALID_SIGNATURE", UNKNOWN, "invalid", "x", "does not know the access key", "aws sts"),
        (403, "INVALID_SIGNATURE", WRONG, "does not match", "x", "another signature", "aws configure"),
        (403, "EXPIRED_TOKEN", "", "expired", "x", "session of x is over", "aws sso login"),
        (403, "ACCESS_DENIED", "", "User: me is not", "x", "User: me is not", "sentictl doctor --callers-policy"),
        (403, "MISSING_AUTHENTICATION_TOKEN", "", "Missing", "", "without a signature", "sentictl plan"),
    ],
)  # fmt: skip
def test_each_denial_has_its_reason_and_a_next_step(
    status: int, code: str, kind: str, reason: str, source: str, words: str, next_step: str
) -> None:
    error = denial(status, code, reason, kind, source)
    assert error is not None
    assert (words in error.message, next_step in error.hint, error.status, error.exit_code) == (True, True, status, 4)


@pytest.mark.parametrize(("status", "code"), [(429, "THROTTLED"), (400, "empty_review"), (503, ""), (403, "")])
def test_other_answers_are_no_denial(status: int, code: str) -> None:
    assert denial(status, code, "reason", "", "x") is None
