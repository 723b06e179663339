"""Refusals that AWS takes back by itself, and for how long each is asked again.

What was just made, allowed or deleted is not known everywhere on AWS at once. The calls that meet that are refused for
seconds, at worst for minutes, with words that a lasting fault has as well. So each is asked again for as long as AWS is
known to take, and then told as the fault that it must be.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

logger = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 5.0  # seconds between two attempts; each pause is half as long again as the last
NOTED = "sentictl: refused since"  # in the context that botocore keeps of one call


@dataclass(frozen=True)
class TransientRefusal:
    """One reason for which AWS refuses some calls at first.

    Args:
        reason: what is not so yet, for a person.
        calls: the operations that are refused so.
        says: what AWS's code and message look like, as "Code: message".
        seconds: for how long a call is repeated.
        lasting: what it means when it is refused still, and the next step then.
    """

    reason: str
    calls: frozenset[str]
    says: re.Pattern[str]
    seconds: float
    lasting: tuple[str, str]


def _refusal(reason: str, calls: str, says: str, seconds: float, fault: str, hint: str) -> TransientRefusal:
    pattern = re.compile(says, re.IGNORECASE | re.DOTALL)
    return TransientRefusal(reason, frozenset(calls.split()), pattern, seconds, (fault, hint))


# Sources of the words: amazon-sagemaker-examples 2267 and 2489, chalice 1069, terraform-provider-aws 4633, 5849 and
# 17527, 31363, aws-controllers-k8s/community 188, terraform 3222 and 8533, jazz-installer 597, botocore's documentation
# of CreateEndpoint and of RegisterScalableTarget, and API Gateway's quotas. IAM's and S3's own documentation call what
# was just changed eventually consistent.
REFUSALS = (
    _refusal(
        "the new role cannot be used yet",
        "CreateProcessingJob CreateTrainingJob CreateHyperParameterTuningJob CreateModel CreateNotebookInstance "
        "CreateFunction UpdateFunctionConfiguration CreateSchedule UpdateSchedule CreateTransformJob",
        r"^(ValidationException|InvalidParameterValueException): .*("
        r"\bassume\b|assumed by|trust relationship|invalid for CreateGrant|not refer to a valid principal|"
        r"No S3 objects found|Could not access model data)",
        120,
        "AWS cannot use the role, or what is in the bucket with it.",
        "See what the role lacks: sentictl status, then: sentictl up",
    ),
    _refusal(
        "its sign-in page is still being deleted",
        "DeleteUserPool",
        r"^InvalidParameterException: .*domain configured",
        120,
        "AWS is still deleting the pool's domain.",
        "Run it again in a minute.",
    ),
    _refusal(
        "Step Functions cannot use the new role yet",
        "CreateStateMachine UpdateStateMachine",
        r"^AccessDeniedException: .*authorized to assume the provided role",
        120,
        "Step Functions cannot use the role.",
        "See what the role lacks: sentictl status",
    ),
    _refusal(
        "API Gateway cannot write logs in the new role yet",
        "UpdateAccount",
        r"^BadRequestException: .*(role ARN does not have required permissions|could not successfully write to "
        r"CloudWatch Logs using the ARN)",
        120,
        "API Gateway cannot write logs in the role.",
        "Mend the role: sentictl wire-api. Or do without access logs: sentictl config set api.access_log false",
    ),
    _refusal(
        "the new role is not known everywhere yet",
        "PutRolePolicy UpdateAssumeRolePolicy TagRole",
        r"^NoSuchEntity: .*\brole\b",
        30,
        "The role is gone.",
        "Make it again: sentictl up",
    ),
    _refusal(
        "the role's policies are not gone yet",
        "DeleteRole",
        r"^DeleteConflict: ",
        60,
        "Somebody attached something to the role that sentictl did not make.",
        "Detach it in the IAM console, then run this again: it goes on.",
    ),
    _refusal(
        "the new endpoint config is not known everywhere yet",
        "CreateEndpoint UpdateEndpoint",
        r"^ValidationException: .*could not find endpoint conf",
        60,
        "The endpoint config is gone.",
        "Make it again: sentictl deploy",
    ),
    _refusal(
        "the new scalable target is not known everywhere yet",
        "PutScalingPolicy",
        r"^ObjectNotFoundException: ",
        60,
        "The scalable target is gone.",
        "Make it again: sentictl deploy",
    ),
    _refusal(
        "the function is still changing",
        "UpdateFunctionCode UpdateFunctionConfiguration AddPermission",
        r"^ResourceConflictException: .*(in the following state: Pending|in progress)",
        120,
        "Something else is changing it at the same time.",
        "Wait until that is over, then run this again: it goes on.",
    ),
    _refusal(
        "S3 is still giving up the bucket's name, or its last change",
        "CreateBucket DeleteBucket PutBucketTagging PutPublicAccessBlock PutBucketPolicy PutBucketWebsite "
        "DeletePublicAccessBlock PutBucketVersioning",
        r"^OperationAborted: ",
        120,
        "S3 takes up to an hour to give up the name of a bucket that was deleted.",
        "Run this again then: it goes on. Or give the project another name: sentictl config set project.name NAME",
    ),
    _refusal(
        "the new bucket is not known everywhere yet",
        "PutBucketTagging PutPublicAccessBlock DeletePublicAccessBlock PutBucketPolicy PutBucketWebsite "
        "PutBucketVersioning",
        r"^NoSuchBucket: ",
        30,
        "The bucket is gone.",
        "Make it again: sentictl up",
    ),
    _refusal(
        "the bucket's public access block is not lifted yet",
        "PutBucketPolicy",
        r"^AccessDenied: (Access Denied\.?$|.*public polic)",
        90,
        "Block Public Access of the account, or of its organization, forbids public buckets.",
        "Let the API serve the page, from the private bucket: sentictl config set site.publish api",
    ),
    _refusal(
        "API Gateway takes few changes a minute",
        "CreateRestApi DeleteRestApi CreateDeployment UpdateStage DeleteDeployment PutMethod PutIntegration "
        "PutMethodResponse PutIntegrationResponse PutGatewayResponse DeleteMethod UpdateRestApi UpdateAccount "
        "CreateUsagePlan UpdateUsagePlan DeleteUsagePlan CreateUsagePlanKey CreateApiKey DeleteApiKey",
        r"^(TooManyRequestsException: |ConflictException: .*concurrent modification)",
        180,
        "Something else is changing APIs of this account at the same time.",
        "Wait a minute, then run this again: it goes on.",
    ),
    _refusal(
        "WAF does not know the new web ACL, or the stage, everywhere yet",
        "AssociateWebACL CreateWebACL UpdateWebACL DeleteWebACL",
        r"^(WAFUnavailableEntityException|WAFAssociatedItemException): ",
        180,
        "Something else stands behind the web ACL, or changes it at the same time.",
        "See what does in the WAF console, then run this again: it goes on.",
    ),
    _refusal(
        "another change of the log group is in progress",
        "CreateLogGroup DeleteLogGroup PutRetentionPolicy",
        r"^OperationAbortedException: ",
        60,
        "Something else is changing the log group at the same time.",
        "Wait a minute, then run this again: it goes on.",
    ),
)


def find_refusal(operation: str, code: str, message: str) -> TransientRefusal | None:
    """Return what is known of a refusal, or None where asking again would not help.

    Args:
        operation: AWS's name of the operation, such as `CreateRole`.
        code: AWS's code of the error.
        message: AWS's message.
    """
    told = f"{code}: {message}"
    return next((known for known in REFUSALS if operation in known.calls and known.says.search(told)), None)


class Patience:
    """Asks again where a client's call meets one of these refusals.

    Args:
        clock: seconds that only go forward.
        note: called with the operation and the reason, each time a call is refused so.
    """

    def __init__(
        self, note: Callable[[str, str], object] = lambda *_: None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._note = note
        self._clock = clock

    def attach(self, client: Any) -> None:
        """Let a boto3 client ask again."""
        client.meta.events.register("needs-retry", self.pause)

    def pause(self, response: Any, operation: Any, request_dict: dict[str, Any], **_: Any) -> float | None:
        """Tell botocore in how many seconds to ask again; None to leave it at the answer that came.

        Args:
            response: botocore's pair of the HTTP response and the parsed one; None where none came.
            operation: botocore's model of the operation.
            request_dict: botocore's request, whose context lives as long as the call.
        """
        error = response[1].get("Error", {}) if response else {}
        refusal = find_refusal(operation.name, error.get("Code", ""), error.get("Message", "")) if error else None
        if refusal is None:
            return None
        since: float
        pause: float
        since, pause = request_dict["context"].get(NOTED, (self._clock(), FIRST_PAUSE))
        if self._clock() - since > refusal.seconds:
            return None
        request_dict["context"][NOTED] = since, min(pause * 1.5, LONGEST_PAUSE)
        self._note(operation.name, refusal.reason)
        logger.info("%s is asked again, as %s: %s", operation.name, refusal.reason, error.get("Message", ""))
        return pause
