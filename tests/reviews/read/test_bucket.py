"""Reviews on S3."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.resolve import open_source
from sentictl.reviews.read.source import Source

CSV = b"review,label\nGood,1\nBad,0\n"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A client of an S3 that has a bucket."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket="films")
        yield client


def opened(address: str, s3: Any, cache: Path, said: list[Any] | None = None) -> Source:
    """The source of this address."""

    def report(what: str, done: int | None = None, total: int | None = None) -> None:
        if said is not None:
            said.append((what, done, total))

    return open_source(DataSettings(source=address), cache, cache, report, s3=lambda: s3)


def test_an_object_is_fetched_once_for_each_version(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="films", Key="in/a b.csv", Body=CSV)
    s3.put_object(Bucket="films", Key="in/a b.csv.old", Body=b"x")
    said: list[Any] = []
    source = opened("s3://films/in/a b.csv", s3, tmp_path, said)
    assert [review.text for review in source.reviews()] == ["Good", "Bad"]
    assert said[-1] == ("downloading", len(CSV), len(CSV))
    said.clear()
    assert opened("s3://films/in/a b.csv", s3, tmp_path, said).fingerprint() == source.fingerprint()
    assert said == []
    s3.put_object(Bucket="films", Key="in/a b.csv", Body=CSV + b"So so,0\n")
    assert len(list(opened("s3://films/in/a b.csv", s3, tmp_path).reviews())) == 3


@pytest.mark.parametrize("address", ["s3://films/mine", "s3://films/mine/"])
def test_a_folder_is_all_that_stands_under_it(s3: Any, tmp_path: Path, address: str) -> None:
    for key in ("mine/", "mine/pos/a.txt", "mine/neg/b.txt", "mine2/pos/c.txt"):
        s3.put_object(Bucket="films", Key=key, Body=key.encode())
    assert sorted(review.text for review in opened(address, s3, tmp_path).reviews()) == [
        "mine/neg/b.txt",
        "mine/pos/a.txt",
    ]


@pytest.mark.parametrize("address", ["s3://films/gone.csv", "s3://elsewhere/a.csv", "s3://"])
def test_what_is_not_there_is_refused_with_a_way_on(s3: Any, tmp_path: Path, address: str) -> None:
    with pytest.raises(DataError) as caught:
        opened(address, s3, tmp_path)
    assert address in caught.value.message
    assert "s3" in caught.value.hint


def test_a_key_that_leads_out_of_its_folder_is_refused(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="films", Key="mine/../../a.txt", Body=b"x")
    with pytest.raises(DataError, match="escapes its folder"):
        opened("s3://films/mine", s3, tmp_path)


@pytest.mark.parametrize("address", ["s3://films/2026", "s3://films/2026/"])
def test_tables_under_an_address_are_one_source_called_as_it_ends(s3: Any, tmp_path: Path, address: str) -> None:
    s3.put_object(Bucket="films", Key="2026/b/part-1.jsonl", Body=b'{"review": "Fine", "label": "pos"}\n')
    s3.put_object(Bucket="films", Key="2026/a.csv", Body=CSV)
    source = opened(address, s3, tmp_path)
    assert [review.text for review in source.reviews()] == ["Good", "Bad", "Fine"]
    assert source.description == "2026"


def test_a_whole_bucket_is_called_as_the_bucket(s3: Any, tmp_path: Path) -> None:
    s3.put_object(Bucket="films", Key="a.csv", Body=CSV)
    assert opened("s3://films", s3, tmp_path).description == "films"
