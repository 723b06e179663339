"""Asking AWS about something that may not be there."""

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

# How the services say that there is no such thing. SageMaker says ValidationException, for want of a better code.
ABSENT = {
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NoSuchWebsiteConfiguration",
    "NoSuchBucketPolicy",
    "NotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "ValidationException",
}


def look_up(call: Callable[..., Any], **arguments: Any) -> dict[str, Any] | None:
    """Make a describe, get or head call.

    Returns:
        AWS's answer, or None where there is no such thing.

    Raises:
        ClientError: any other refusal.
    """
    try:
        answer: dict[str, Any] = call(**arguments)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] in ABSENT:
            return None
        raise
    return answer
