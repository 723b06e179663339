"""Conditional writes on the twin, as S3 answers them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from botocore.exceptions import ClientError

from sentictl.twin.control_plane.control_plane import ControlPlane
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.weather import Weather
from sentictl.twin.core.messages import Request, authorization
from sentictl.twin.s3.conditional_writes import ConditionalWrites
from tests.twin.conftest import Cloud, code_of


def test_what_is_there_is_overwritten_by_whoever_has_read_it(cloud: Cloud) -> None:
    where = {"Bucket": cloud.bucket, "Key": cloud.name("object")}
    assert code_of(cloud.s3.put_object, **where, Body=b"1", IfMatch='"0"') == "NoSuchKey"
    etag = cloud.s3.put_object(**where, Body=b"1", IfNoneMatch="*")["ETag"]
    assert code_of(cloud.s3.put_object, **where, Body=b"2", IfNoneMatch="*") == "PreconditionFailed"
    assert code_of(cloud.s3.put_object, **where, Body=b"2", IfMatch='"0"') == "PreconditionFailed"
    assert code_of(cloud.s3.put_object, **where, Body=b"2", IfNoneMatch='"0"') == "NotImplemented"
    cloud.s3.put_object(**where, Body=b"2", IfMatch=etag)
    assert code_of(cloud.s3.put_object, **where, Body=b"3", IfMatch=etag) == "PreconditionFailed"
    assert cloud.s3.get_object(**where)["Body"].read() == b"2"


def test_a_delete_marker_is_nothing_to_match(cloud: Cloud) -> None:
    where = {"Bucket": cloud.name("versioned"), "Key": "object"}
    cloud.s3.create_bucket(Bucket=where["Bucket"])
    cloud.s3.put_bucket_versioning(Bucket=where["Bucket"], VersioningConfiguration={"Status": "Enabled"})
    etag = cloud.s3.put_object(**where, Body=b"1")["ETag"]
    cloud.s3.delete_object(**where)
    assert code_of(cloud.s3.put_object, **where, Body=b"2", IfMatch=etag) == "NoSuchKey"
    cloud.s3.put_object(**where, Body=b"2", IfNoneMatch="*")
    assert len(cloud.s3.list_object_versions(Bucket=where["Bucket"])["Versions"]) == 2


def test_of_many_at_once_only_one_writes(cloud: Cloud) -> None:
    where = {"Bucket": cloud.bucket, "Key": cloud.name("object")}
    etag = cloud.s3.put_object(**where, Body=b"begun")["ETag"]

    def write(number: int) -> str:
        try:
            cloud.s3.put_object(**where, Body=str(number).encode(), IfMatch=etag)
        except ClientError as refusal:
            return str(refusal.response["Error"]["Code"])
        return ""

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(24)))
    assert answers.count("") == 1
    assert answers.count("PreconditionFailed") == 23
    assert cloud.s3.get_object(**where)["Body"].read() == str(answers.index("")).encode()


def test_in_rough_weather_writes_meet_once_and_a_replay_meets_nothing(tmp_path: Path) -> None:
    (tmp_path / "weather").write_text("rough")

    def begun() -> ControlPlane:
        control = ControlPlane(Journal(tmp_path / "journal"), Weather(tmp_path / "weather"))
        ConditionalWrites(control)
        return control

    def put(control: ControlPlane, target: str, body: bytes = b"", **headers: str) -> int:
        signed = {"authorization": authorization("s3", "us-east-1"), **headers}
        status: int = control.handle(Request.make("PUT", target, headers=signed, body=body)).status_code
        return status

    control = begun()
    assert put(control, "/bucket") == 200
    assert put(control, "/bucket/it", b"1", **{"if-none-match": "*"}) == 200
    etag = '"c4ca4238a0b923820dcc509a6f75849b"'  # the MD5 of "1"
    assert [put(control, "/bucket/it", b"2", **{"if-match": etag}) for _ in range(3)] == [409, 200, 412]
    again = begun()
    again.backend("s3").reset()  # as it is in a process that has just begun
    again.replay()
    assert again.left_out == []
