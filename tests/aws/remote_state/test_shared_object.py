"""One object that several write: nobody over what was not read, and nobody's own write taken for another's."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.aws.remote_state.server_clock import ServerClock
from sentictl.aws.remote_state.shared_object import NoBucketError, OvertakenError, SharedObject
from sentictl.errors import AwsError
from tests.aws.remote_state.conftest import BUCKET


class Moody:
    """S3's client, whose PutObject ends in one of these ways first."""

    def __init__(self, s3: Any, *moods: str) -> None:
        self._s3 = s3
        self._moods = list(moods)

    def get_object(self, **arguments: Any) -> Any:
        return self._s3.get_object(**arguments)

    def put_object(self, **arguments: Any) -> Any:
        mood = self._moods.pop(0) if self._moods else ""
        if mood == "lost":  # carried out, and asked again as the answer was lost
            self._s3.put_object(**arguments)
        if mood == "conflict":
            raise ClientError({"Error": {"Code": "ConditionalRequestConflict"}}, "PutObject")
        return self._s3.put_object(**arguments)


def stored(client: Any, bucket: str = BUCKET) -> SharedObject:
    return SharedObject(lambda: client, bucket, "it", ServerClock())


def test_only_the_first_of_two_writes_over_what_both_read(s3: Any) -> None:
    first, second = stored(s3), stored(s3)
    assert first.read() is None
    begun = first.write(b"1", None)
    with pytest.raises(OvertakenError) as caught:
        second.write(b"2", None)
    assert caught.value.version == begun == second.read()
    first.write(b"3", begun)
    with pytest.raises(OvertakenError):
        second.write(b"4", begun)
    assert s3.get_object(Bucket=BUCKET, Key="it")["Body"].read() == b"3"


def test_a_write_whose_answer_was_lost_is_recognized(s3: Any) -> None:
    moody = stored(Moody(s3, "lost", "lost"))
    written = moody.write(b"2", moody.write(b"1", None))
    assert moody.read() == written


def test_a_conflict_is_tried_again_and_has_its_end(s3: Any) -> None:
    begun = stored(Moody(s3, "conflict", "conflict")).write(b"1", None)
    assert stored(s3).read() == begun
    with pytest.raises(AwsError, match="in 20 attempts"):
        stored(Moody(s3, *["conflict"] * 20)).write(b"2", begun)
    after = stored(s3).write(b"3", begun)
    with pytest.raises(OvertakenError):
        stored(Moody(s3, "conflict")).write(b"4", begun)
    assert stored(s3).read() == after


def test_what_was_deleted_is_no_longer_what_was_read(s3: Any) -> None:
    begun = stored(s3).write(b"1", None)
    s3.delete_object(Bucket=BUCKET, Key="it")
    with pytest.raises(OvertakenError) as caught:
        stored(s3).write(b"2", begun)
    assert caught.value.version is None


def test_a_bucket_that_is_not_there_is_told(s3: Any) -> None:
    with pytest.raises(NoBucketError, match="nowhere"):
        stored(s3, "nowhere").read()
    with pytest.raises(NoBucketError, match="nowhere"):
        stored(s3, "nowhere").write(b"1", None)
