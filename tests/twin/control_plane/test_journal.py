"""The journal by itself: what is written comes back, whatever happened to the last line."""

import contextlib
import json
import os
import resource
import tempfile
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.errors import TwinError
from sentictl.twin.control_plane.journal import INLINE_BYTES, Journal
from sentictl.twin.core.messages import Request

BODY = bytes(range(256)) * 20
HEADERS = {
    "content-type": "text/plain",
    "authorization": "secret",
    "x-amz-security-token": "secret",
    "x-amz-meta-a": "b",
}


def carry_out(journal: Journal, request: Request, region: str, service: str) -> None:
    """Write down a call that moto carries out."""
    with journal.room_for_call(request, region, service, 1.0, "1") as record:
        record({})


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """A disk onto which files of 1,000 bytes go, and no larger ones."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@given(body=st.binary(max_size=300) | st.just(b"\x00\xff\n" * INLINE_BYTES), cut=st.integers(0, 40))
def test_entries_survive_a_kill(body: bytes, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        request = Request.make("PUT", "/bucket/a%20b", "x=1", HEADERS, body)
        carry_out(journal, request, "eu-west-1", "s3")
        whole = (Path(folder) / "calls.jsonl").stat().st_size
        journal.record_fact("endpoint-settled", body, name="e")
        journal.close()
        with (Path(folder) / "calls.jsonl").open("r+b") as stream:
            stream.truncate(whole + cut)
        again = Journal(Path(folder))
        again.record_fact("later")
        entries = list(again.entries())
        again.close()
    assert "fact" not in entries[0]
    assert entries[-1]["fact"] == "later"
    assert len(entries) == 2


def test_a_call_comes_back_without_its_secrets(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    body = BODY
    carry_out(journal, Request.make("PUT", "/bucket/a%20b", "x=1", HEADERS, body), "eu-west-1", "s3")
    (entry,) = journal.entries()
    request = journal.request_of(entry)
    assert (request.method, request.path, request.query, request.get_data()) == ("PUT", "/bucket/a b", "x=1", body)
    assert request.headers["x-amz-meta-a"] == "b"
    assert "eu-west-1/s3" in request.headers["authorization"]
    assert b"secret" not in (tmp_path / "calls.jsonl").read_bytes()
    journal.close()


FACT = {"fact": "ended", "data": {}, "body": ""}
CALL = {"method": "PUT", "target": "/b", "query": "", "headers": {"authorization": "x"}, "body": ""}
ENTRY = {"call": CALL, "time": 1.0, "seed": "1"}


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (b"{not json", "is not JSON"),
        (b"[" * 100_000, "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"", "is not JSON"),
        (b"3", "lacks the form of an object"),
        (b"{}", "lacks call"),
        *((json.dumps({k: v for k, v in FACT.items() if k != key}).encode(), "lacks ") for key in FACT),
        *((json.dumps(FACT | {key: 3}).encode(), f"lacks {key}") for key in FACT),
        *((json.dumps(ENTRY | {key: []}).encode(), f"lacks {key}") for key in ENTRY),
        *((json.dumps(ENTRY | {"call": CALL | {key: 3}}).encode(), f"lacks {key}") for key in CALL),
        (json.dumps(ENTRY | {"call": CALL | {"headers": {"if-match": 3}}}).encode(), "lacks if-match"),
        (json.dumps(FACT | {"sha256": "../calls.jsonl"}).encode(), r"needs \.\./calls.jsonl, which is missing"),
        (json.dumps(FACT | {"sha256": "0" * 64}).encode(), "needs 0{64}, which is missing from bodies"),
    ],
)
def test_a_line_that_is_no_entry_is_named(tmp_path: Path, line: bytes, why: str) -> None:
    journal = Journal(tmp_path)
    journal.record_fact("began")
    journal.close()
    with (tmp_path / "calls.jsonl").open("ab") as stream:
        stream.write(line + b"\n")
    with pytest.raises(TwinError, match=f"line 3 of .*calls.jsonl {why}") as refusal:
        Journal(tmp_path).compact()
    assert f"sed -i.bak 3d {tmp_path / 'calls.jsonl'} " in refusal.value.hint


def test_a_line_that_no_entry_has_is_not_read_to_its_end(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    os.truncate(tmp_path / "calls.jsonl", 1 << 33)
    tracemalloc.start()
    with pytest.raises(TwinError, match=r"line 2 of .* is longer than 16 MiB"):
        Journal(tmp_path).compact()
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100 << 20


@pytest.mark.parametrize("header", ["3", '{"format": 99}', '{"format": null}'])
def test_a_journal_of_another_version_is_refused(tmp_path: Path, header: str) -> None:
    (tmp_path / "calls.jsonl").write_text(f"{header}\n")
    with pytest.raises(TwinError, match="another version of sentictl wrote"):
        list(Journal(tmp_path).entries())


@pytest.mark.parametrize("body", [b"a" * 2000, b"a" * 2 * INLINE_BYTES], ids=["inline", "a file"])
def test_on_a_full_disk_a_call_is_not_carried_out_and_leaves_no_half_entry(tmp_path: Path, body: bytes) -> None:
    journal, done = Journal(tmp_path), []
    journal.record_fact("before")
    written = (tmp_path / "calls.jsonl").read_bytes()
    request = Request.make("PUT", "/bucket/key", "", HEADERS, body)
    with (
        full_disk(),
        pytest.raises(OSError, match="File too large"),
        journal.room_for_call(request, "eu-west-1", "s3", 1.0, "1"),
    ):
        done.append("carried out")
    assert done == []
    assert (tmp_path / "calls.jsonl").read_bytes() == written
    assert list((tmp_path / "bodies").iterdir()) == []
    journal.close()


@pytest.mark.parametrize("body", [b"a" * 2000, b"a" * 2 * INLINE_BYTES], ids=["inline", "a file"])
def test_on_a_full_disk_facts_wait_until_there_is_room(tmp_path: Path, body: bytes) -> None:
    journal = Journal(tmp_path)
    journal.record_fact("before")
    with full_disk():
        journal.record_fact("too large", body)
        with (
            pytest.raises(OSError, match="File too large"),  # what comes after it must not be written before it
            journal.room_for_call(Request.make("PUT", "/small", "", {}, b""), "eu-west-1", "s3", 1.0, "1"),
        ):
            pass
        assert [entry["fact"] for entry in journal.entries()] == ["before"]
    journal.record_fact("after")
    *_, waited, _ = entries = list(journal.entries())
    assert [entry["fact"] for entry in entries] == ["before", "too large", "after"]
    assert journal.body_of(waited) == body
    journal.close()


def test_a_call_that_was_refused_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    written = (tmp_path / "calls.jsonl").read_bytes()
    with journal.room_for_call(Request.make("PUT", "/bucket", "", {}, b""), "eu-west-1", "s3", 1.0, "1"):
        pass
    assert (tmp_path / "calls.jsonl").read_bytes() == written
    journal.close()


def test_a_kill_while_a_call_is_carried_out_leaves_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_fact("before")
    with journal.room_for_call(Request.make("PUT", "/bucket", "", {}, b""), "eu-west-1", "s3", 1.0, "1"):
        again = Journal(tmp_path)  # as the twin of after the kill has it
        assert [entry["fact"] for entry in again.entries()] == ["before"]
        again.close()
    journal.close()


def test_what_is_cut_off_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    Journal(tmp_path).close()
    assert not caplog.messages
    with (tmp_path / "calls.jsonl").open("ab") as stream:
        stream.write(b'{"fact": "en')
    Journal(tmp_path).close()
    assert caplog.messages == [
        f"cut off the last line of {tmp_path / 'calls.jsonl'}: the twin was ended while it wrote it"
    ]


def record(journal: Journal, method: str, path: str, query: str = "", body: bytes = BODY, **headers: str) -> None:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    carry_out(journal, Request.make(method, path, query, named, body), "us-east-1", "s3")


def kept(journal: Journal) -> list[tuple[str, str]]:
    """Compact, and return the method and path of the calls that are left, and the facts' names."""
    journal.compact()
    calls = [entry.get("call", {"method": "fact", "target": entry.get("fact")}) for entry in journal.entries()]
    return [(call["method"], call["target"]) for call in calls]


def bodies(folder: Path) -> int:
    return len(list((folder / "bodies").iterdir()))


def test_contents_that_were_overwritten_or_deleted_are_dropped(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number, key in enumerate(("a", "b", "c%20%26", "a", "d")):
        record(journal, "PUT", f"/bucket/{key}", body=bytes([number]) * 5000)
    journal.record_fact("ended", b"z" * 5000)
    record(journal, "PUT", "/bucket/d", "tagging=", b"tags")
    record(journal, "DELETE", "/bucket/b", body=b"")
    record(journal, "POST", "/bucket", "delete=", b"<Delete><Object><Key>c &amp;</Key></Object></Delete>")
    assert kept(journal) == [
        ("PUT", "/bucket/a"),
        ("PUT", "/bucket/d"),
        ("fact", "ended"),
        ("PUT", "/bucket/d"),
        ("DELETE", "/bucket/b"),
        ("POST", "/bucket"),
    ]
    assert bodies(tmp_path) == 3
    first, *_ = journal.entries()
    assert journal.request_of(first).get_data() == bytes([3]) * 5000
    record(journal, "PUT", "/bucket/e")
    journal.close()
    assert ("PUT", "/bucket/e") in kept(Journal(tmp_path))


@pytest.mark.parametrize(
    "document",
    [
        {"FunctionName": "f", "Code": {"S3Bucket": "bucket", "S3Key": "a"}},
        {"S3Bucket": "bucket", "S3Key": "a", "Architectures": ["arm64"]},
    ],
)
def test_code_that_a_function_was_made_of_stays_and_all_else_may_go(tmp_path: Path, document: dict[str, Any]) -> None:
    journal = Journal(tmp_path)
    record(journal, "PUT", "/bucket/a")
    record(journal, "PUT", "/bucket/b")
    call = Request.make("PUT", "/2015-03-31/functions/f/code", "", {}, json.dumps(document).encode())
    carry_out(journal, call, "us-east-1", "lambda")
    record(journal, "DELETE", "/bucket/a", body=b"")
    record(journal, "DELETE", "/bucket/b", body=b"")
    assert [path for method, path in kept(journal) if method == "PUT"] == ["/bucket/a", call.target]
    journal.close()


@pytest.mark.parametrize(
    ("path", "query", "headers"),
    [
        ("/bucket/b", "", {"x_amz_copy_source": "bucket/a"}),
        ("/bucket/a", "", {"if_match": "etag"}),
        ("/bucket", "versioning=", {}),
    ],
)
def test_nothing_is_dropped_that_a_later_call_may_need(
    tmp_path: Path, path: str, query: str, headers: dict[str, str]
) -> None:
    journal = Journal(tmp_path)
    record(journal, "PUT", "/bucket/a")
    record(journal, "PUT", path, query, b"", **headers)
    record(journal, "DELETE", "/bucket/a", body=b"")
    assert len(kept(journal)) == 3
    assert bodies(tmp_path) == 1
    journal.close()
