"""The recorded state of a project: moved there and back, pulled and pushed, and its history, in moto's S3."""

import itertools
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.client import BaseClient
from moto import mock_aws

from sentictl import Project
from sentictl.aws.remote_state.signature import Process
from sentictl.config.state import Record
from sentictl.errors import AccessError, ForeignError, LeaseError, SettingsError, StateError, UsageError

SETTINGS = """\
[project]
name = "films"
id = "0123456789ab"

[env.prod]
region = "eu-west-1"
"""
TABLE = """
[state.prod]
version = 3
account = "123456789012"
region = "eu-west-1"
project_id = "0123456789ab"

[[state.prod.resources]]
kind = "model"
name = "a"
arn = "arn:a"
note = "ä"

[[state.prod.resources]]
kind = "model"
name = "b"
arn = ""
"""
RECORDS = [Record("model", "a", "arn:a", {"note": "ä"}), Record("model", "b")]
EACH = 4  # how far the calls are apart at which a move is killed; 1: at every call
OWN, SHARED = "films-prod-123456789012", "s3://shared/films"


@pytest.fixture(autouse=True)
def _tagged_from_the_first_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on AWS, and on the twin: moto ignores the tags of CreateBucket."""

    def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        answer = moto(client, operation, arguments)
        if operation == "CreateBucket" and "Tags" in arguments["CreateBucketConfiguration"]:
            tagging = {"TagSet": arguments["CreateBucketConfiguration"]["Tags"]}
            moto(client, "PutBucketTagging", {"Bucket": arguments["Bucket"], "Tagging": tagging})
        return answer

    moto = BaseClient._make_api_call
    monkeypatch.setattr(BaseClient, "_make_api_call", call)


class KilledError(BaseException):
    """Stands for the end of a process."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account with a bucket that others share; gives S3's client."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with mock_aws():
        yield shared()


def shared() -> Any:
    client = boto3.client("s3", region_name="eu-west-1")
    client.create_bucket(Bucket="shared", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client.put_bucket_versioning(Bucket="shared", VersioningConfiguration={"Status": "Enabled"})
    return client


def project(folder: Path, settings: str = SETTINGS + TABLE, told: list[str] | None = None) -> Project:
    folder.mkdir(exist_ok=True)
    (folder / "sentictl.toml").write_text(settings)
    return Project(folder, "prod", tell=None if told is None else told.append)


def records(of: Project) -> list[Record]:
    return list(of.session.read().state)


def document(of: Project) -> dict[str, Any]:
    return tomllib.loads((of.folder / "sentictl.toml").read_text())


def test_a_state_moves_to_s3_and_back_and_on_and_nothing_is_lost(tmp_path: Path, aws: Any) -> None:
    films = project(tmp_path / "films")
    before = (films.folder / "sentictl.toml").read_text()
    for place, bucket in (("s3", OWN), (SHARED, "shared"), ("s3", OWN)):
        assert films.state.move(place) == 2
        assert records(films) == RECORDS
        assert document(films)["env"]["prod"]["project"] == {"state": place}
        assert "state" not in document(films)
        assert aws.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"
    assert films.state.move("file") == 2
    assert records(films) == RECORDS
    assert document(films)["state"]["prod"] == tomllib.loads(before)["state"]["prod"]
    with pytest.raises(UsageError, match="there already: file"):
        films.state.move("file")
    with pytest.raises(SettingsError, match=r"it is file, s3 or an address"):
        films.state.move("ftp://here")


def test_who_has_an_older_checkout_reads_and_does_not_change(tmp_path: Path, aws: Any) -> None:
    films = project(tmp_path / "films")
    films.state.move("s3")
    old = project(tmp_path / "old", (films.folder / "sentictl.toml").read_text())
    films.state.move("file")
    assert records(old) == RECORDS
    with (
        pytest.raises(StateError, match=f"was moved from s3://{OWN}/state/prod.json to sentictl.toml by"),
        old.session.change(),
    ):
        pass
    assert aws.head_object(Bucket=OWN, Key="state/prod.lease")


def test_another_state_in_the_new_place_is_not_written_over(tmp_path: Path, aws: Any) -> None:
    films = project(tmp_path / "films")
    films.state.move("s3")
    with films.session.change() as context:
        context.state.keep(Record("model", "c", "arn:c"))
        context.config.save_state()
    old = project(tmp_path / "old")
    with pytest.raises(StateError, match=r"There is another state in .*: 3 resources, last changed by"):
        old.state.move("s3")
    assert records(old) == RECORDS
    assert len(records(films)) == 3


def test_a_table_that_came_back_to_the_file_takes_the_place_of_no_state_on_s3(tmp_path: Path, aws: Any) -> None:
    films = project(tmp_path / "films")
    films.state.move("s3")
    with films.session.change() as context:
        context.state.keep(Record("model", "c", "arn:c"))
        context.config.save_state()
    merged = project(tmp_path / "merged", (films.folder / "sentictl.toml").read_text() + TABLE)
    assert merged.state.move(SHARED) == 3
    assert [each.name for each in records(merged)] == ["a", "b", "c"]
    assert merged.state.move("file") == 3
    by_hand = project(tmp_path / "hand", (films.folder / "sentictl.toml").read_text() + TABLE)
    assert by_hand.state.move(SHARED) == 2  # whose own place is closed: the file has what counts


def test_the_setting_alone_moves_nothing_and_is_refused(tmp_path: Path, aws: Any) -> None:
    films = project(tmp_path / "films")
    with pytest.raises(SettingsError, match=r"project.state cannot be set by itself") as caught:
        films.set({"project.state": "s3"})
    assert caught.value.hint == "Move it: sentictl state move s3 --env prod"
    by_hand = project(tmp_path / "hand", SETTINGS.replace("\n\n[env", '\nstate = "s3"\n\n[env') + TABLE)
    with pytest.raises(StateError, match="nothing is there yet"):
        records(by_hand)
    assert by_hand.state.move("s3") == 2
    assert records(by_hand) == RECORDS
    new = project(tmp_path / "new", SETTINGS)
    assert new.set({"project.state": "s3"}) == {"env.prod.project.state": "s3"}


@pytest.mark.parametrize(("before", "after", "first"), [("file", "s3", 1), ("s3", "file", 2), ("s3", SHARED, 3)])
def test_a_move_that_is_killed_leaves_one_truth_and_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, after: str, first: int
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    for number in itertools.count(first, EACH):
        with mock_aws():
            shared()
            films = project(tmp_path / f"films{number}")
            if before != "file":
                films.state.move(before)
            with killed_after(number, monkeypatch) as met:
                try:
                    films.state.move(after)
                except KilledError:
                    assert met()
            assert records(films) == RECORDS
            if document(films).get("env", {})["prod"].get("project", {}).get("state", "file") != after:
                films.state.move(after)
            assert records(films) == RECORDS
            with films.session.change():
                pass
            assert records(films) == RECORDS
            assert ("state" in document(films)) is (after == "file")
        if not met():
            break
    assert number > 5


class killed_after:  # noqa: N801  (used as a context)
    """Ends the process, as it were, behind its nth call; whoever comes then knows that it is dead."""

    def __init__(self, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._left, self._patch, self._call = number, monkeypatch, BaseClient._make_api_call

    def __enter__(self) -> Callable[[], bool]:
        def call(client: Any, *arguments: Any) -> Any:
            if self._left <= 0:
                raise KilledError
            answer = self._call(client, *arguments)
            self._left -= 1
            if self._left <= 0:
                raise KilledError
            return answer

        self._patch.setattr(BaseClient, "_make_api_call", call)
        return lambda: self._left <= 0

    def __exit__(self, *_: object) -> None:
        self._patch.setattr(BaseClient, "_make_api_call", self._call)
        self._patch.setattr(Process, "is_dead", property(lambda _: True))


def test_what_was_pulled_can_be_pushed_while_it_is_the_newest(tmp_path: Path, aws: Any) -> None:
    films = project(tmp_path / "films")
    films.state.move("s3")
    first = films.state.pull()
    assert [entry["name"] for entry in first["state"]["resources"]] == ["a", "b"]
    assert films.state.push(first) == 2
    with pytest.raises(StateError, match="it is older than the recorded one: number 1, and 2 is recorded") as caught:
        films.state.push(first)
    assert "--force --env prod" in caught.value.hint
    shorter = first | {"state": first["state"] | {"resources": first["state"]["resources"][:1]}}
    with pytest.raises(StateError, match="their lineages differ"):
        films.state.push(shorter | {"lineage": "another"}, force=False)
    with pytest.raises(ForeignError, match="The given state is the state of the project songs"):
        films.state.push(shorter | {"project": "songs"}, force=True)
    with pytest.raises(AccessError, match="is in the account 999999999999"):
        films.state.push(shorter | {"state": shorter["state"] | {"account": "999999999999"}}, force=True)
    assert films.state.push(shorter, force=True) == 1
    assert records(films) == RECORDS[:1]
    last = films.state.history()[0]
    assert (last.serial, last.removed) == (3, ("model b",))


def test_a_state_in_the_file_is_pulled_and_pushed_as_well_and_has_no_history(tmp_path: Path, aws: Any) -> None:
    films = project(tmp_path / "films")
    pulled = films.state.pull()
    pulled["state"]["resources"].pop()
    assert films.state.push(pulled) == 1
    assert records(films) == RECORDS[:1]
    for asked in (films.state.history, films.state.unlock):
        with pytest.raises(StateError, match="version control keeps its history") as caught:
            asked()
        assert "sentictl state move s3 --env prod" in caught.value.hint
    assert films.state.holder() is None


def test_the_first_change_makes_the_bucket_and_down_takes_it_away_with_the_state(
    tmp_path: Path, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_PRICING", "http://127.0.0.1:9")
    films = project(tmp_path / "films", SETTINGS.replace("\n\n[env", '\nstate = "s3"\n\n[env'))
    assert films.status().findings == ()
    assert films.state.history() == ()
    assert films.down().document() == {"deleted": [], "left": []}
    assert [bucket["Name"] for bucket in aws.list_buckets()["Buckets"]] == ["shared"]
    with films.session.change() as context:
        assert films.state.holder() is not None
        context.state.keep(Record("bucket", OWN, f"arn:aws:s3:::{OWN}"))
        context.config.save_state()
        other = project(tmp_path / "other", (films.folder / "sentictl.toml").read_text())
        other.session.load()
        with pytest.raises(LeaseError), other.session.change({"project.state_wait_seconds": 0}):
            pass
    tags = {tag["Key"]: tag["Value"] for tag in aws.get_bucket_tagging(Bucket=OWN)["TagSet"]}
    assert tags["sentictl:project-id"] == "0123456789ab"
    assert films.status().findings[0].status == "Active"
    removal = films.down()
    assert [record["kind"] for record in removal.document()["deleted"]] == ["bucket"]
    assert removal.document()["left"] == []
    assert [bucket["Name"] for bucket in aws.list_buckets()["Buckets"]] == ["shared"]


def test_when_its_bucket_is_emptied_the_state_goes_last(
    tmp_path: Path, aws: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    films = project(tmp_path / "films", SETTINGS.replace("\n\n[env", '\nstate = "s3"\n\n[env'))
    with films.session.change() as context:
        context.state.keep(Record("bucket", OWN, f"arn:aws:s3:::{OWN}"))
        context.config.save_state()
    for key in ("datasets/a", "zebra"):
        aws.put_object(Bucket=OWN, Key=key, Body=b"x")
    emptied: list[set[str]] = []

    def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "DeleteObjects":
            emptied.append({entry["Key"] for entry in arguments["Delete"]["Objects"]})
        return moto(client, operation, arguments)

    moto = BaseClient._make_api_call
    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    assert films.down().document()["left"] == []
    assert emptied == [{"datasets/a", "zebra"}, {"state/prod.json", "state/prod.lease"}]


def test_a_bucket_of_another_project_is_not_written_to(tmp_path: Path, aws: Any) -> None:
    aws.create_bucket(Bucket=OWN, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    films = project(tmp_path / "films")
    with pytest.raises(ForeignError, match="is not this project's: its state cannot be kept there") as refused:
        films.state.move("s3")
    assert refused.value.hint.endswith("sentictl config set project.state s3://BUCKET/PREFIX --env prod")
    assert "Contents" not in aws.list_objects_v2(Bucket=OWN)
    assert records(films) == RECORDS
