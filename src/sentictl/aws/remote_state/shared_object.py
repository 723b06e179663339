"""One object on S3 that several write, none over what it has not read: conditional reads and writes.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sentictl.aws.remote_state.server_clock import ServerClock
from sentictl.errors import AccessError, AwsError, StateError

OVERTAKEN = {"PreconditionFailed", "412", "NoSuchKey", "404"}
CONFLICT = {"ConditionalRequestConflict", "409"}  # another write is on its way: the same one may be tried again
DENIED = {"AccessDenied", "403", "AllAccessDisabled"}
MOST_CONFLICTS = 20


@dataclass(frozen=True)
class ObjectVersion:
    """An object's content as it was read or written, and the ETag that S3 gave that."""

    body: bytes
    etag: str


class OvertakenError(Exception):
    """The object is not as it was read; `version` is how it is now, None where it is gone."""

    def __init__(self, version: ObjectVersion | None) -> None:
        super().__init__("overtaken")
        self.version = version


class NoBucketError(StateError):
    """The bucket that holds the state is not there."""


class SharedObject:
    """An object under one key.

    Args:
        connect: gives the S3 client.
        bucket: the bucket's name.
        key: the object's key.
        clock: is told S3's time by every answer.
    """

    def __init__(self, connect: Callable[[], Any], bucket: str, key: str, clock: ServerClock) -> None:
        self._connect = connect
        self._where = {"Bucket": bucket, "Key": key}
        self._clock = clock
        self.uri = f"s3://{bucket}/{key}"

    def read(self) -> ObjectVersion | None:
        """Return what is there; None where nothing is.

        Raises:
            NoBucketError: there is no such bucket.
            AccessError: these credentials may not read it.
        """
        try:
            answer = self._connect().get_object(**self._where)
        except ClientError as refusal:
            self._clock.note(refusal.response)
            if _code(refusal) in ("NoSuchKey", "404"):
                return None
            raise self._told(refusal, "read", "s3:GetObject and s3:ListBucket") from refusal
        self._clock.note(answer)
        return ObjectVersion(answer["Body"].read(), answer["ETag"])

    def write(self, body: bytes, before: ObjectVersion | None) -> ObjectVersion:
        """Put other content in the place of what was read.

        A call that is repeated because its answer was lost meets what it wrote itself; that is recognized, as no two
        writers write the same bytes.

        Args:
            body: what is to be there.
            before: what was read; None where nothing was there.

        Raises:
            OvertakenError: it is something else by now.
            NoBucketError: there is no such bucket.
            AccessError: these credentials may not write it.
        """
        condition = {"IfMatch": before.etag} if before else {"IfNoneMatch": "*"}
        for _ in range(MOST_CONFLICTS):
            try:
                answer = self._connect().put_object(
                    **self._where, Body=body, ContentType="application/json", **condition
                )
            except ClientError as refusal:
                self._clock.note(refusal.response)
                code = _code(refusal)
                if code not in OVERTAKEN | CONFLICT:
                    raise self._told(refusal, "written", "s3:PutObject") from refusal
                now = self.read()
                if now is not None and now.body == body:
                    return now
                if code in CONFLICT and _etag(now) == _etag(before):
                    continue
                raise OvertakenError(now) from None
            self._clock.note(answer)
            return ObjectVersion(body, answer["ETag"])
        raise AwsError(
            f"S3 did not take {self.uri} in {MOST_CONFLICTS} attempts, as something else writes there all the time.",
            "Wait until it is done, then run this again: it goes on.",
        )

    def _told(self, refusal: ClientError, done: str, actions: str) -> Exception:
        """Return what a refusal means for a person; the refusal itself where that is told elsewhere."""
        code = _code(refusal)
        if code == "NoSuchBucket":
            return NoBucketError(
                f"The bucket {self._where['Bucket']} is not there, which project.state names for the state.",
                'The project\'s own, which project.state = "s3" is, goes with sentictl down; sentictl up makes it '
                "again. One of your own you make, or name another: sentictl config get project.state. What stands on "
                "AWS is found by its names then: sentictl import",
            )
        if code in DENIED:
            return AccessError(
                f"These credentials do not let {self.uri} be {done}, where the state is: {actions} on it are needed.",
                "See what is needed: sentictl doctor --policy",
            )
        told: Exception = refusal
        return told


def _code(refusal: ClientError) -> str:
    return str(refusal.response["Error"]["Code"])


def _etag(version: ObjectVersion | None) -> str:
    return version.etag if version else ""
