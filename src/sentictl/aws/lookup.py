"""Asking AWS about, and for the removal of, something that may not be there."""

import re
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

# How the services say that there is no such thing.
ABSENT = {
    "404",
    "NoSuchBucket",
    "NoSuchEntity",
    "NoSuchKey",
    "NoSuchPublicAccessBlockConfiguration",
    "NoSuchTagSet",
    "NoSuchWebsiteConfiguration",
    "NoSuchBucketPolicy",
    "NotFound",
    "NotFoundException",
    "ObjectNotFoundException",
    "ResourceNotFound",
    "ResourceNotFoundException",
    "StateMachineDoesNotExist",
    "ExecutionDoesNotExist",
    "WAFNonexistentItemException",
}
# How they say that there is one already.
TAKEN = {
    "BucketAlreadyOwnedByYou",
    "ConflictException",
    "DuplicateRecordException",
    "EntityAlreadyExists",
    "ResourceAlreadyExistsException",
    "ResourceConflictException",
    "ResourceInUse",
    "WAFDuplicateItemException",
}
# SageMaker says both with a code that stands for anything, and only its words tell.
UNCLEAR = "ValidationException"
ABSENT_WORDS = re.compile(r"could not find|cannot find|not ?found|does not exist", re.IGNORECASE)
OVER_WORDS = re.compile(r"in status (Completed|Failed|Stopped)\b")
TAKEN_WORDS = re.compile(r"already exist|in-progress|in progress", re.IGNORECASE)


def if_there(call: Callable[..., Any], **arguments: Any) -> dict[str, Any] | None:
    """Make a call about something that may not be there.

    Returns:
        AWS's answer, or None where there is no such thing.

    Raises:
        ClientError: any other refusal.
    """
    try:
        answer: dict[str, Any] = call(**arguments)
    except ClientError as refusal:
        if _says(refusal, ABSENT, ABSENT_WORDS):
            return None
        raise
    return answer


def says_taken(refusal: ClientError) -> bool:
    """Whether AWS refused to make something because it is there already, or is just being changed."""
    return _says(refusal, TAKEN, TAKEN_WORDS)


def says_over(refusal: ClientError) -> bool:
    """Whether AWS refused to stop something because it has ended already."""
    return _says(refusal, set(), OVER_WORDS)


def _says(refusal: ClientError, codes: set[str], words: re.Pattern[str]) -> bool:
    error = refusal.response["Error"]
    return error["Code"] in codes or (error["Code"] == UNCLEAR and bool(words.search(error.get("Message", ""))))
