"""How a body is read: charsets and encodings that it declares, and how large it may be."""

import gzip
import json
import zlib
from typing import Any

import pytest

from tests.model_code.scripts import load_script
from tests.templates.test_handler import JSON, Post, post

__all__ = ["post"]

TEXT = "caf\u00e9: a good film"
LIMIT = 10 * 1024 * 1024


def bare_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("utf-8", "utf-8"),
        ('"UTF-8"', "utf-8-sig"),
        ("utf8", "utf-8-sig"),
        ("iso-8859-1", "latin-1"),
        ("latin1", "latin-1"),
        ("Windows-1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16le", "utf-16-le"),
        ("utf-16be", "utf-16-be"),
    ],
)
def test_a_declared_charset_is_honoured(post: Post, endpoint: Any, charset: str, encoding: str) -> None:
    assert post(TEXT.encode(encoding), f"text/plain; charset={charset}").body == "1"
    assert endpoint.last_request["reviews"] == [TEXT]
    document = json.dumps({"review": TEXT}, ensure_ascii=False).encode(encoding)
    assert post(document, f"{JSON};Charset={charset}").json["sentiment"] == 1
    assert endpoint.last_request["reviews"] == [TEXT]


@pytest.mark.parametrize("charset", ["us-ascii", "ascii"])
def test_ascii_is_a_charset(post: Post, endpoint: Any, charset: str) -> None:
    assert post(b"good", f"text/plain; charset={charset}").body == "1"
    assert post(TEXT.encode(), f"text/plain; charset={charset}").error == "wrong_charset"


@pytest.mark.parametrize("charset", ["utf-7", "utf-32", "klingon", "unicode_escape", "idna"])
def test_another_charset_is_refused_by_its_name(post: Post, endpoint: Any, charset: str) -> None:
    answer = post(b"a good film", f"text/plain; charset={charset}")
    assert (answer.status, answer.error) == (415, "unsupported_charset")
    assert charset in answer.json["error"]["message"]
    assert not endpoint.calls


def test_a_body_that_is_not_in_its_charset_is_refused(post: Post, endpoint: Any) -> None:
    for body, charset in ((b"\xff", "us-ascii"), (b"odd", "utf-16"), (b"\xff", "utf-8")):
        answer = post(body, f"text/plain; charset={charset}")
        assert (answer.status, answer.error) == (400, "wrong_charset")
    assert not endpoint.calls


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_utf16_that_does_not_say_so_is_no_review(post: Post, endpoint: Any, encoding: str) -> None:
    answer = post("a good film".encode(encoding), "text/plain")
    assert (answer.status, answer.error) == (400, "wrong_charset")
    assert not endpoint.calls


def test_the_endpoint_reads_the_same_charsets(handler: Any) -> None:
    assert load_script("inference").CHARSETS == handler.CHARSETS


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("X-GZIP", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", bare_deflate),
        ("identity", bytes),
    ],
)
def test_a_packed_body_is_unpacked(post: Post, endpoint: Any, encoding: str, pack: Any) -> None:
    assert post(pack(TEXT.encode()), "text/plain", encoding=encoding).body == "1"
    assert post(pack(json.dumps({"review": TEXT}).encode("utf-16")), f"{JSON}; charset=utf-16", encoding=encoding).json
    assert [json.loads(call["Body"])["reviews"] for call in endpoint.calls] == [[TEXT], [TEXT]]


@pytest.mark.parametrize("encoding", ["br", "zstd", "compress", "gzip, gzip", "nonsense"])
def test_another_encoding_is_refused_by_its_name(post: Post, endpoint: Any, encoding: str) -> None:
    answer = post(b"a good film", encoding=encoding)
    assert (answer.status, answer.error) == (415, "unsupported_encoding")
    assert encoding in answer.json["error"]["message"]
    assert not endpoint.calls


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a good film",
        gzip.compress(b"good", mtime=0)[:-4],
        gzip.compress(b"good", mtime=0) + b"more",
        zlib.compress(b"good"),
    ],
    ids=["empty", "not packed", "cut", "with more behind", "another way"],
)
def test_a_body_that_is_not_packed_as_it_says_is_refused(post: Post, endpoint: Any, body: bytes) -> None:
    answer = post(body, encoding="gzip")
    assert (answer.status, answer.error) == (400, "bad_encoding")
    assert not endpoint.calls


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_body_is_not_unpacked_beyond_a_size(post: Post, endpoint: Any, encoding: str, pack: Any) -> None:
    answer = post(pack(b" " * (LIMIT + 1)), encoding=encoding)
    assert (answer.status, answer.error) == (413, "request_too_large")
    assert post(pack(b" " * LIMIT), encoding=encoding).error == "empty_review"
    assert not endpoint.calls


def test_more_than_the_endpoint_takes_is_refused_here(
    post: Post, endpoint: Any, handler: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "MAX_REVIEW_CHARACTERS", 4_000_000)
    answer = post(json.dumps({"reviews": ["good " * 700_000] * 2}), JSON)
    assert (answer.status, answer.error) == (413, "request_too_large")
    assert "6,291,456" in answer.json["error"]["message"]
    assert not endpoint.calls
    around = len(json.dumps({"reviews": [""], "explain": False}))
    monkeypatch.setattr(handler, "MAX_ENDPOINT_BODY", around + 4)
    assert [post(text).status for text in ("good", "goods")] == [200, 413]
