"""The journal by itself: what is written comes back, whatever happened to the last line."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.errors import TwinError
from sentictl.local.journal import INLINE_BYTES, Journal
from sentictl.local.messages import Request

HEADERS = {
    "content-type": "text/plain",
    "authorization": "secret",
    "x-amz-security-token": "secret",
    "x-amz-meta-a": "b",
}


@given(body=st.binary(max_size=300) | st.just(b"\x00\xff\n" * INLINE_BYTES), cut=st.integers(0, 40))
def test_entries_survive_a_kill(body: bytes, cut: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        journal = Journal(Path(folder))
        request = Request("PUT", "/bucket/a%20b", "x=1", HEADERS, body)
        journal.record_call(request, "eu-west-1", "s3", 1.0, seed="1")
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
    body = bytes(range(256)) * 20
    journal.record_call(Request("PUT", "/bucket/a%20b", "x=1", HEADERS, body), "eu-west-1", "s3", 1.0, seed="1")
    (entry,) = journal.entries()
    request = journal.request_of(entry)
    assert (request.method, request.path, request.query, request.body) == ("PUT", "/bucket/a b", "x=1", body)
    assert request.headers["x-amz-meta-a"] == "b"
    assert "eu-west-1/s3" in request.headers["authorization"]
    assert b"secret" not in (tmp_path / "calls.jsonl").read_bytes()
    journal.close()


def test_damage_is_told(tmp_path: Path) -> None:
    Journal(tmp_path).close()
    with (tmp_path / "calls.jsonl").open("ab") as stream:
        stream.write(b"{not json\n{}\n")
    with pytest.raises(TwinError, match="line 2 is not JSON"):
        list(Journal(tmp_path).entries())
