"""Doctor's checks where something is wrong that the twin cannot be brought to."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from typing import Any

import pytest
from botocore.awsrequest import AWSResponse

from sentictl.aws.endpoints import ServiceEndpoints
from sentictl.aws.environment import Environment
from sentictl.lifecycle.resource import Context
from sentictl.services.doctor.account import account_checks, image_age
from sentictl.services.doctor.check import Check, CheckResult, CheckStatus, carry_out
from sentictl.services.doctor.machine import project_checks
from tests.services.conftest import ACCOUNT, ContextOf

ANSWER = b"<Response><GetCallerIdentityResult><Arn>arn</Arn></GetCallerIdentityResult></Response>"
REFUSAL = b"<ErrorResponse><Error><Code>SignatureDoesNotMatch</Code><Message>expired</Message></Error></ErrorResponse>"


class Body(BytesIO):
    """A body as urllib3 hands it on."""

    def stream(self) -> list[bytes]:
        return [self.read()]


@pytest.fixture
def context(context_of: ContextOf) -> Context:
    return context_of('[project]\nname = "films"\n')


def answer_sts(context: Context, status: int, body: bytes, ahead: timedelta) -> None:
    """Have STS answer with this, from where it is so much later."""
    headers = {"Date": format_datetime(datetime.now(UTC) + ahead, usegmt=True)}

    def answer(request: Any, **_: Any) -> AWSResponse:
        return AWSResponse(request.url, status, headers, Body(body))

    context.environment.client("sts").meta.events.register("before-send.sts", answer)


def look(checks: list[Check], name: str) -> CheckResult:
    return dict(carry_out(check for check in checks if check.name == name))[name]


@pytest.mark.parametrize(
    ("endpoints", "found", "on_machines"),
    [
        (ServiceEndpoints(), "every service at AWS", True),
        (
            ServiceEndpoints(of_services={"s3": "http://127.0.0.1:9000"}),
            "s3 at http://127.0.0.1:9000; the others at AWS",
            True,
        ),
        (ServiceEndpoints("http://127.0.0.1:4566"), "every service at http://127.0.0.1:4566", False),
    ],
)
def test_where_services_are_asked_is_told(
    context: Context,
    monkeypatch: pytest.MonkeyPatch,
    endpoints: ServiceEndpoints,
    found: str,
    on_machines: bool,
) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    emulated = replace(context, environment=Environment("emulated", "eu-west-1", endpoints=endpoints))
    checks = account_checks(emulated, [])
    assert look(checks, "endpoints").found == found
    assert ("instance types" in [check.name for check in checks]) is on_machines


@pytest.mark.parametrize("ahead", [timedelta(hours=1), timedelta(hours=-1)])
def test_a_clock_that_is_far_off_is_found_although_aws_refuses_what_it_signed(
    context: Context, ahead: timedelta
) -> None:
    answer_sts(context, 403, REFUSAL, ahead)
    finding = look(account_checks(context, []), "clock")
    assert finding.status == CheckStatus.FAILED
    assert "clock" in finding.mend
    assert look(account_checks(context, []), "credentials").status == CheckStatus.FAILED


def test_a_clock_that_is_minutes_off_is_found_while_aws_still_answers(context: Context) -> None:
    answer_sts(context, 200, ANSWER, timedelta(minutes=8))
    assert look(account_checks(context, []), "clock").status == CheckStatus.FAILED
    assert look(account_checks(context, []), "credentials") == CheckResult(CheckStatus.OK, "arn")


def test_a_clock_that_is_right_passes_with_credentials_that_are_refused(context: Context) -> None:
    answer_sts(context, 403, REFUSAL, timedelta())
    assert look(account_checks(context, []), "clock").status == CheckStatus.OK


def test_a_role_that_may_not_look_itself_up_and_is_not_found_is_told_what_it_lacks(context: Context) -> None:
    session = b"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_engineer_0123/you"
    answer_sts(context, 200, ANSWER.replace(b"<Arn>arn<", b"<Arn>" + session + b"<"), timedelta())
    refuse = context.environment.client("iam").meta.events.register
    for operation, code in (("GetRole", b"AccessDenied"), ("SimulatePrincipalPolicy", b"NoSuchEntity")):
        answer = AWSResponse("", 404, {}, Body(REFUSAL.replace(b"SignatureDoesNotMatch", code)))
        refuse(f"before-send.iam.{operation}", lambda answer=answer, **_: answer)
    finding = look(account_checks(context, []), "permissions")
    assert finding.status == CheckStatus.WARNING
    assert "iam:GetRole" in finding.mend


def test_a_region_that_there_is_not_is_named_with_where_it_is_set(context: Context) -> None:
    lost = replace(context, environment=Environment("prod", "eu-wset-1"))
    finding = look(account_checks(lost, []), "region")
    assert finding.status == CheckStatus.FAILED
    assert "eu-wset-1" in finding.found
    assert "[env.prod]" in finding.mend


@pytest.mark.parametrize(("quota", "status"), [(10, CheckStatus.WARNING), (1000, CheckStatus.OK)])
def test_without_an_endpoint_the_quota_that_counts_is_that_of_functions(
    context_of: ContextOf, quota: int, status: CheckStatus
) -> None:
    context = context_of('[project]\nname = "films"\n[deploy]\nserving = "lambda"\n')
    body = {"Quotas": [{"QuotaName": "Concurrent executions", "Value": quota}]}
    answer = AWSResponse("", 200, {}, Body(json.dumps(body).encode()))
    context.environment.client("service-quotas").meta.events.register("before-send.service-quotas", lambda **_: answer)
    checks = account_checks(context, [])
    assert look(checks, "quota for function").status == status
    assert "quota for endpoint" not in {check.name for check in checks}


def test_who_holds_the_lock_is_told_and_a_free_one_is_free(context: Context) -> None:
    folder = context.config.folder
    with folder.locked():
        held = look(project_checks(folder, "local"), "lock")
    assert held.status == CheckStatus.WARNING
    assert "process" in held.found
    assert "Wait" in held.mend
    assert look(project_checks(folder, "local"), "lock").status == CheckStatus.OK


def test_a_lock_that_cannot_be_taken_is_not_said_to_be_held(context: Context) -> None:
    context.config.folder.lock_file.mkdir(parents=True)  # whoever may write everywhere cannot open a folder, either
    finding = look(project_checks(context.config.folder, "local"), "lock")
    assert "cannot be taken" in finding.found
    assert "writable" in finding.mend


PYTORCH = "763104351884.dkr.ecr.eu-west-1.amazonaws.com/pytorch-inference:2.6.0-cpu-py312"


def test_an_image_is_right_as_long_as_aws_patches_it() -> None:
    assert image_age(PYTORCH, date(2026, 6, 30), "newer") == CheckResult(
        CheckStatus.OK, f"{PYTORCH}, of 2025-01-29, patched by AWS until 2026-06-30"
    )


def test_an_image_that_is_patched_no_more_is_told_with_what_to_do() -> None:
    finding = image_age(PYTORCH, date(2026, 7, 1), "newer")
    assert finding == CheckResult(
        CheckStatus.WARNING, f"{PYTORCH}, of 2025-01-29, not patched by AWS since 2026-06-30", "newer"
    )


def test_the_endpoints_image_is_the_one_that_the_settings_ask_for(context_of: ContextOf) -> None:
    finding = look(account_checks(context_of('[deploy]\nimage = "ray-serve"\n'), []), "image for endpoint")
    assert finding.status == CheckStatus.OK
    assert "ray:serve-ml-sagemaker-cpu-v1.4, of 2026-08-12" in finding.found


def test_an_image_of_ones_own_is_taken_and_another_accounts_is_told(context_of: ContextOf) -> None:
    image = '[deploy]\nimage = "{}.dkr.ecr.eu-west-1.amazonaws.com/team/reviews:1"\n'
    mine, theirs = (
        look(account_checks(context_of(image.format(account)), []), "image for endpoint")
        for account in (ACCOUNT, "444455556666")
    )
    assert (mine.status, theirs.status) == (CheckStatus.OK, CheckStatus.WARNING)
    assert "444455556666" in theirs.found


def test_an_image_that_the_region_lacks_is_a_failure(context: Context) -> None:
    lost = replace(context, environment=Environment("prod", "mars-1"))
    assert look(account_checks(lost, []), "image for endpoint").status == CheckStatus.FAILED
