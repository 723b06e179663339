"""AWS's refusals in words that a person can act on."""

from sentictl.aws.redaction import redacted
from sentictl.aws.refusals import find_refusal
from sentictl.aws.web import missing_certificates
from sentictl.errors import AccessError, AwsError, SentictlError

EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
SKEWED = {"RequestTimeTooSkewed"}  # S3's code; other services say it as SignatureDoesNotMatch
UNKNOWN_CREDENTIALS = {
    "InvalidClientTokenId",
    "UnrecognizedClientException",
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthFailure",
}
# S3's answers to HEAD requests have no body, and so nothing but a status.
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}
REFUSED_WITHOUT_A_WORD = "400"
QUOTA = {
    "CodeStorageExceededException",
    "LimitExceeded",
    "LimitExceededException",
    "ResourceLimitExceeded",
    "ServiceQuotaExceededException",
    "TooManyBuckets",
}
TWIN_IS_FULL = {"InsufficientStorage", "507"}  # of the local twin alone
THROTTLED = {"Throttling", "ThrottlingException", "TooManyRequestsException", "RequestLimitExceeded", "SlowDown"}


def translate(problem: Exception) -> SentictlError | None:
    """Return what an exception of botocore's or boto3's means for a person, or None where it is neither's.

    Args:
        problem: any exception that came out of a service.
    """
    from boto3.exceptions import Boto3Error
    from botocore import exceptions

    from sentictl.aws.credentials import OF_CREDENTIALS, credentials_fault

    if isinstance(problem, Boto3Error) and isinstance(problem.__context__, Exception):
        problem = problem.__context__  # an upload or download that failed, and what it failed of
    if isinstance(problem, exceptions.ClientError):
        return _refusal(problem.response["Error"], problem.operation_name)
    if isinstance(problem, OF_CREDENTIALS):
        return credentials_fault(problem)
    if isinstance(problem, exceptions.BotoCoreError | Boto3Error):
        return AwsError(redacted(f"{problem}"), _next(problem))
    return None


def _next(problem: Exception) -> str:
    """Return what to do about something that never reached AWS."""
    from botocore import exceptions

    match problem:
        case exceptions.ProxyConnectionError():
            return "Check the proxy that HTTPS_PROXY names; NO_PROXY names the hosts that need none."
        case exceptions.SSLError():
            return missing_certificates() or (
                "Where a proxy has certificates of its own, name the file that holds them: export AWS_CA_BUNDLE=FILE"
            )
        case exceptions.EndpointConnectionError():
            if "//127.0.0.1" in problem.kwargs["endpoint_url"]:
                return "Start what is to answer there; a local twin: sentictl local start"
            return "Check the network and the region."
    return "Run the same command again: it goes on from here."


def _refusal(error: dict[str, str], operation: str) -> SentictlError:
    code, message = error.get("Code", "Unknown"), redacted(error.get("Message", ""))
    if known := find_refusal(operation, code, message):
        fault, hint = known.lasting
        return AwsError(f"AWS still refuses {operation} after {known.seconds:.0f} s ({code}: {message}). {fault}", hint)
    if code in SKEWED:
        return AccessError(
            f"AWS refused {operation}: this machine's clock is more than 15 minutes off ({message}).",
            "Set this machine's clock, then run this again: it goes on. How far it is off: sentictl doctor",
        )
    return _lasting(code, message, operation)


def _lasting(code: str, message: str, operation: str) -> SentictlError:
    if code in TWIN_IS_FULL:
        return AwsError(
            f"The disk of the local twin is full: it could not keep what {operation} does.",
            "Make room, then run the same command again: it goes on from here.",
        )
    if code in EXPIRED:
        return AccessError(f"The AWS credentials have expired ({operation}).", "Log in again, then run this again.")
    if code == REFUSED_WITHOUT_A_WORD:
        return AccessError(
            f"AWS refused {operation} without saying why; expired credentials are refused like that.",
            "Check: aws sts get-caller-identity. Log in again, then run this again.",
        )
    if code in UNKNOWN_CREDENTIALS:
        return AccessError(
            f"AWS does not know these credentials: {message}",
            "Check: aws sts get-caller-identity. In the environment local the twin was begun anew: run this again.",
        )
    if code in DENIED:
        return AccessError(
            f"AWS does not allow {operation}: {message}", "Ask for that permission, then run this again: it goes on."
        )
    if code in QUOTA:
        return AwsError(
            f"A quota of this account is exhausted: {message}",
            "Ask for more under Service Quotas in the AWS console, or, of machines, choose another instance type.",
        )
    if code in THROTTLED:
        return AwsError(f"AWS is throttling {operation}: {message}", "Wait a minute, then run this again: it goes on.")
    return AwsError(f"AWS refused {operation} ({code}): {message}", "Run it again with --debug for the details.")
