"""A state on S3: kept whole, changed by one at a time, and signed."""

import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from sentictl.aws.remote_state.document import StateDocument
from sentictl.aws.remote_state.lease import Holder, Lease
from sentictl.config.state import Record, State
from sentictl.errors import (
    AccessError,
    DamagedStateError,
    ForeignError,
    LeaseError,
    SentictlError,
    SettingsError,
    StateError,
    UsageError,
)
from tests.aws.remote_state.conftest import BUCKET, LEASE_KEY, SETTINGS, STATE_KEY, Writer, WriterOf

ARN = "arn:aws:sts::123456789012:user/moto"


def kept(writer: Writer, *names: str) -> None:
    """Have a writer announce and confirm resources, each by a write of its own."""
    config, store = writer
    with store.held():
        config.reload_state()
        for name in names:
            for arn in ("", f"arn:{name}"):
                config.state.keep(Record("model", name, arn))
                config.save_state()


def read(writer: Writer) -> list[Record]:
    config, _ = writer
    config.reload_state()
    return list(config.state)


def test_nothing_is_recorded_at_first(writer_of: WriterOf) -> None:
    config, store = writer_of("ana")
    assert len(config.state) == 0
    assert store.history() == ()
    assert store.holder() is None


def test_what_one_records_the_other_reads(writer_of: WriterOf) -> None:
    kept(writer_of("ana"), "a")
    kept(writer_of("ben"), "b")
    assert [(each.name, each.arn) for each in read(writer_of("eve"))] == [("a", "arn:a"), ("b", "arn:b")]


def test_account_and_region_are_recorded_and_another_region_is_refused(writer_of: WriterOf) -> None:
    config, store = writer_of("ana")
    config.settle("eu-west-1")
    kept((config, store), "a")
    assert (config.state.account, config.state.region) == ("123456789012", "eu-west-1")
    other, _ = writer_of("ben", SETTINGS.replace("eu-west-1", "eu-central-1"))
    with pytest.raises(SettingsError, match="is in the region eu-west-1"):
        read((other, other.store))  # type: ignore[arg-type]


def test_a_run_is_one_change_signed_with_who_when_where_and_what(writer_of: WriterOf) -> None:
    writer = writer_of("ana")
    kept(writer, "a", "b")
    config, store = writer
    with store.held():
        config.reload_state()
        config.state.forget(Record("model", "a"))
        config.state.keep(Record("model", "b", "arn:c"))
        config.save_state()
    last, first = store.history()
    assert (first.who, first.command, first.added) == (ARN, "up", ("model a", "model b"))
    assert first.user.count("@") == 1
    assert first.when.endswith("UTC")
    assert (last.added, last.changed, last.removed) == ((), ("model b",), ("model a",))
    assert (first.serial, last.serial) == (4, 5)


def test_who_finds_the_lease_taken_is_told_by_whom_since_when_and_how_to_break_it(writer_of: WriterOf) -> None:
    _, ana = writer_of("ana")
    told: list[str] = []
    with ana.held():
        for settings in (SETTINGS, SETTINGS.replace("seconds = 0", "seconds = 1")):
            _, ben = writer_of("ben", settings, tell=told.append)
            with pytest.raises(LeaseError) as caught, ben.held():
                pass
            assert ARN in caught.value.message
            assert "running `up` since" in caught.value.message
            assert "holds until" in caught.value.message
            assert "sentictl state unlock --env prod" in caught.value.hint
    assert [line.split(" (")[0].split()[0] for line in told] == ["Waiting"]
    with writer_of("ben")[1].held():
        pass


@pytest.mark.usefixtures("asleep")
def test_a_write_after_the_lease_was_taken_over_is_refused_and_what_was_recorded_stays(writer_of: WriterOf) -> None:
    ana, ben = writer_of("ana", lease_seconds=-9.0), writer_of("ben")
    config, store = ana
    with store.held():
        config.reload_state()
        config.state.keep(Record("model", "a"))
        config.save_state()
        kept(ben, "b")  # whose lease it is, as that of a machine that slept has run out
        config.state.keep(Record("model", "late"))
        with pytest.raises(LeaseError, match=r"ran out at .* and was taken by"):
            config.save_state()
    assert [each.name for each in read(ben)] == ["a", "b"]


@pytest.mark.usefixtures("asleep")
@pytest.mark.parametrize("names", [["first"], []])
def test_whoever_takes_over_fences_off_a_write_that_was_on_its_way(
    writer_of: WriterOf, monkeypatch: pytest.MonkeyPatch, names: list[str]
) -> None:
    ana, ben = writer_of("ana", lease_seconds=-9.0), writer_of("ben")
    kept(ana, *names)
    config, store = ana
    with store.held():
        config.reload_state()
        with ben[1].held():
            pass  # took over, and has written nothing of its own yet
        config.state.keep(Record("model", "late"))
        monkeypatch.setattr(Lease, "check", lambda _lease: None)  # had looked just before
        with pytest.raises(LeaseError, match=r"was changed by .* while this command ran"):
            config.save_state()
    assert [each.name for each in read(ben)] == names


def test_unlocking_names_who_had_it_and_refuses_what_that_one_still_writes(writer_of: WriterOf) -> None:
    ana, ben = writer_of("ana"), writer_of("ben")
    kept(ana, "a")
    config, store = ana
    with store.held():
        config.reload_state()
        holder = ben[1].holder()
        taken = ben[1].unlock()
        assert holder is not None
        assert taken is not None
        assert taken.id == holder.id
        config.state.keep(Record("model", "late"))
        with pytest.raises(LeaseError):
            config.save_state()
    assert ben[1].unlock() is None
    assert [each.name for each in read(ben)] == ["a"]


def test_whoever_is_asked_about_one_lease_takes_no_other(writer_of: WriterOf) -> None:
    ana, ben, eve = (writer_of(name)[1] for name in ("ana", "ben", "eve"))

    def changes_hands(_holder: Holder) -> None:
        ana.release()
        stack.enter_context(ben.held())

    def is_renewed(_holder: Holder) -> None:
        assert ben._lease is not None
        ben._lease._renew()

    def declines(_holder: Holder) -> None:
        raise UsageError("Not confirmed.", "")

    with contextlib.ExitStack() as stack:
        stack.enter_context(ana.held())
        with pytest.raises(UsageError):
            eve.unlock(declines)
        with pytest.raises(LeaseError, match="changed hands just now") as caught:
            eve.unlock(changes_hands)
        assert caught.value.hint.endswith("sentictl state unlock --env prod")
        ben.check()
        assert eve.unlock(is_renewed) is not None
        with pytest.raises(LeaseError, match="its lease was lost"):
            ben.put(State())


def test_a_write_without_the_lease_is_refused(writer_of: WriterOf) -> None:
    config, _ = writer_of("ana")
    config.state.keep(Record("model", "a"))
    with pytest.raises(LeaseError):
        config.save_state()


def put(s3: Any, body: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=STATE_KEY, Body=body)


def document(s3: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(s3.get_object(Bucket=BUCKET, Key=STATE_KEY)["Body"].read())
    return found


@pytest.mark.parametrize(
    ("spoil", "kind", "says"),
    [
        (lambda _: b"{", DamagedStateError, "is damaged"),
        (lambda _: b"[]", DamagedStateError, "is damaged"),
        (lambda entry: entry | {"state": {"version": 1}}, DamagedStateError, "resources are not a list"),
        (lambda entry: {**entry, "lineage": 1}, DamagedStateError, "1 is not a text"),
        (lambda entry: {**entry, "format": 2}, StateError, "has format 2"),
        (lambda entry: {**entry, "project_id": "ba9876543210"}, ForeignError, "is the state of the project films"),
        (lambda entry: {**entry, "environment": "test"}, ForeignError, "in test, not this one's"),
    ],
)
def test_what_cannot_be_the_state_is_told_and_left_as_it_is(
    writer_of: WriterOf, s3: Any, spoil: Callable[[Any], Any], kind: type[SentictlError], says: str
) -> None:
    kept(writer_of("ana"), "a")
    spoiled = spoil(document(s3))
    body = spoiled if isinstance(spoiled, bytes) else json.dumps(spoiled).encode()
    put(s3, body)
    with pytest.raises(kind, match=says):
        kept(writer_of("ben"), "b")
    assert s3.get_object(Bucket=BUCKET, Key=STATE_KEY)["Body"].read() == body
    assert writer_of("eve")[1].holder() is None


def test_a_damaged_one_can_be_forgotten(writer_of: WriterOf, s3: Any) -> None:
    put(s3, b"{")
    kept(writer_of("ana", forget_damage=True), "a")
    assert [each.name for each in read(writer_of("ben"))] == ["a"]


def test_a_bucket_that_is_not_there_or_keeps_no_versions_is_refused(writer_of: WriterOf, s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    with pytest.raises(StateError, match="keeps no older versions") as caught:
        kept(writer_of("ana"), "a")
    assert f"put-bucket-versioning --bucket {BUCKET}" in caught.value.hint
    nowhere = writer_of("ben", SETTINGS.replace("shared", "nowhere"))
    with pytest.raises(StateError, match="The bucket nowhere is not there"):
        read(nowhere)
    with pytest.raises(StateError, match="The bucket nowhere is not there"):
        kept(nowhere, "a")


def test_a_state_or_a_bucket_that_is_deleted_meanwhile_is_told(writer_of: WriterOf, s3: Any) -> None:
    config, store = writer_of("ana")
    with store.held():
        config.state.keep(Record("model", "a"))
        config.save_state()
        s3.delete_object(Bucket=BUCKET, Key=STATE_KEY)
        config.state.keep(Record("model", "b"))
        with pytest.raises(StateError, match="was deleted while this command ran"):
            config.save_state()
        for entry in s3.list_object_versions(Bucket=BUCKET)["Versions"]:
            s3.delete_object(Bucket=BUCKET, Key=entry["Key"], VersionId=entry["VersionId"])
        for entry in s3.list_object_versions(Bucket=BUCKET)["DeleteMarkers"]:
            s3.delete_object(Bucket=BUCKET, Key=entry["Key"], VersionId=entry["VersionId"])
        s3.delete_bucket(Bucket=BUCKET)
        with pytest.raises(StateError, match="The bucket shared is not there"):
            config.save_state()
        config.state = type(config.state)()
        config.save_state()  # of nothing no record is needed


def test_what_is_not_allowed_is_told(writer_of: WriterOf, monkeypatch: pytest.MonkeyPatch) -> None:
    config, store = writer_of("ana")
    with store.held():
        config.state.keep(Record("model", "a"))
        client = store._connect().client("s3")
        client.meta.events.register("before-send.s3.PutObject", _denied)
        with pytest.raises(AccessError, match=r"s3://shared/films/prod.json be written, .*: s3:PutObject") as caught:
            config.save_state()
        assert caught.value.exit_code == 4
        client.meta.events.unregister("before-send.s3.PutObject", _denied)


def _denied(request: Any, **_: Any) -> Any:
    from tests.sweep.calls import Call
    from tests.sweep.faults import FAULTS, Moment

    call = Call("s3", "PutObject", 1)
    return FAULTS["access-denied"].before(Moment(call, call, met=True, first=True), request)


def test_a_state_in_the_file_is_not_begun_anew_on_s3(writer_of: WriterOf) -> None:
    table = '\n[state.prod]\nversion = 3\nresources = [{kind = "model", name = "a", arn = "arn:a"}]\n'
    with pytest.raises(StateError, match=r"nothing is there yet, and \[state.prod\]") as caught:
        read(writer_of("ana", SETTINGS + table))
    assert caught.value.hint == "Move it: sentictl state move s3://shared/films --env prod"


def test_a_state_that_was_moved_is_read_and_not_changed(writer_of: WriterOf) -> None:
    told: list[str] = []
    config, store = writer_of("ana")
    kept((config, store), "a")
    with store.held():
        config.reload_state()
        store.put(config.state, closed="file")
    late = writer_of("ben", tell=told.append)
    with pytest.raises(StateError, match=r"was moved from s3://shared/films/prod.json to sentictl.toml") as caught:
        kept(late, "b")
    assert "sentictl state move file --env prod" in caught.value.hint
    assert [each.name for each in read(late)] == ["a"]
    assert any("was moved" in line for line in told)


def test_the_history_has_its_end(writer_of: WriterOf, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sentictl.aws.remote_state.document.MOST_CHANGES", 3)
    for number in range(5):
        kept(writer_of("ana"), f"m{number}")
    changes = StateDocument.from_json(json.dumps(document(s3)).encode(), "it").changes
    assert [change.added for change in changes] == [("model m4",), ("model m3",), ("model m2",)]


def test_a_clock_that_is_wrong_is_told_and_leases_go_by_s3s(
    writer_of: WriterOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime, timedelta

    told: list[str] = []
    _, store = writer_of("ana", tell=told.append)
    wrong = datetime.now(UTC) + timedelta(hours=3)
    monkeypatch.setattr(store._clock, "_here", lambda: wrong)
    with store.held():
        holder = writer_of("ben")[1].holder()
        assert holder is not None
        assert holder.expires < wrong
        with pytest.raises(LeaseError), writer_of("ben")[1].held():
            pass
    assert ["ahead of S3's" in line for line in told] == [True]


def test_a_damaged_lease_is_told_and_unlocked(writer_of: WriterOf, s3: Any) -> None:
    s3.put_object(Bucket=BUCKET, Key=LEASE_KEY, Body=b"?")
    with pytest.raises(LeaseError, match="is damaged") as caught:
        kept(writer_of("ana"), "a")
    assert "sentictl state unlock" in caught.value.hint
    asked: list[Holder] = []
    taken = writer_of("ben")[1].unlock(asked.append)
    assert [taken] == asked
    kept(writer_of("ana"), "a")
