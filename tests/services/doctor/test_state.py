"""The check of a state on S3."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from sentictl.aws.remote_state.server_clock import ServerClock
from sentictl.aws.remote_state.store import RemoteState
from sentictl.lifecycle.resource import Context
from sentictl.services.doctor.check import CheckResult, CheckStatus, carry_out
from sentictl.services.doctor.state import state_checks
from tests.services.conftest import ContextOf

SETTINGS = '[project]\nname = "films"\nid = "0123456789ab"\nstate = "s3://shared/films"\n'
Stored = Callable[[], tuple[Context, RemoteState]]


@pytest.fixture
def stored(moto_context_of: ContextOf) -> Stored:
    """Makes a project whose state is in a bucket that is not made yet."""

    def make() -> tuple[Context, RemoteState]:
        context = moto_context_of(SETTINGS)
        store = RemoteState(lambda: context.environment, context.config, command="up")
        context.config.store = store
        return context, store

    return make


def bucket(context: Context, versioning: str = "Enabled") -> None:
    client = context.environment.client("s3")
    client.create_bucket(Bucket="shared", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.put_bucket_versioning(Bucket="shared", VersioningConfiguration={"Status": versioning})


def found(context: Context) -> CheckResult:
    ((name, result),) = carry_out(state_checks(context))
    assert name == "state"
    return result


def test_a_state_in_the_file_is_no_check_of_its_own(context_of: ContextOf) -> None:
    assert state_checks(context_of('[project]\nname = "films"\n')) == []


def test_it_tells_what_is_there_and_who_has_the_lease(stored: Stored) -> None:
    context, store = stored()
    assert found(context).status is CheckStatus.FAILED
    assert "The bucket shared is not there" in found(context).found
    bucket(context)
    assert "nothing is recorded yet in s3://shared/films/local.json" in found(context).found
    with store.held():
        store.put(context.state)
        held = found(context)
        assert (held.status, "running `up` since" in held.found) == (CheckStatus.WARNING, True)
        assert "sentictl state unlock" in held.mend
    free = found(context)
    assert (free.status, free.found) == (
        CheckStatus.OK,
        "0 resources in s3://shared/films/local.json, number 1; nobody has the lease",
    )


def test_it_tells_that_versions_are_not_kept(stored: Stored) -> None:
    context, store = stored()
    bucket(context)
    with store.held():
        store.put(context.state)
    context.environment.client("s3").put_bucket_versioning(
        Bucket="shared", VersioningConfiguration={"Status": "Suspended"}
    )
    told = found(context)
    assert (told.status, "keeps no older versions" in told.found) == (CheckStatus.WARNING, True)
    assert "put-bucket-versioning --bucket shared" in told.mend


def test_it_tells_of_a_wrong_clock(stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    context, store = stored()
    bucket(context)
    with store.held():
        store.put(context.state)
    monkeypatch.setattr(ServerClock, "skew", timedelta(minutes=9), raising=False)
    monkeypatch.setattr(ServerClock, "note", lambda *_: None)
    del store._clock.skew
    told = found(context)
    assert (told.status, told.found) == (CheckStatus.WARNING, "this machine's clock is 0:09:00 away from S3's")
