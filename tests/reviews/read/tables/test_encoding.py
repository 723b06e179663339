"""Files in the encodings that people have."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.tables.encoding import detect
from sentictl.reviews.read.tables.table import TableSource

TEXT = "review,label\nUn numéro – “n°” déjà vu,1\nНе скучно ни минуты,0\n"
WESTERN = "review,label\nUn numéro – “n°” déjà vu,1\nPas mal,0\n"


def source(path: Path, content: bytes, encoding: str = "") -> TableSource:
    """The source that a file of this content is."""
    path.write_bytes(content)
    return TableSource(path, DataSettings(source=str(path), encoding=encoding))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_unicode_is_read_with_and_without_a_mark(tmp_path: Path, encoding: str, suffix: str) -> None:
    text = TEXT if suffix == ".csv" else '{"review": "Не скучно – “n°”", "label": 1}\n{"review": "x", "label": 0}\n'
    reviews = list(source(tmp_path / f"a{suffix}", text.encode(encoding)).reviews())
    assert [review.text in text for review in reviews] == [True, True]


def test_zero_bytes_alone_are_no_utf_16(tmp_path: Path) -> None:
    content = b"review,label\nabcd\0f\0h\0j,1\nx,0\n"
    assert next(source(tmp_path / "a.csv", content).reviews()).text == "abcd\0f\0h\0j"


def test_what_is_no_unicode_is_windows_1252_and_that_is_told(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", WESTERN.encode("cp1252"))
    assert [review.text for review in table.reviews()] == ["Un numéro – “n°” déjà vu", "Pas mal"]
    assert table.warnings == {"review with letters read as Windows-1252": 1}
    assert "numéro – “n°”" in table.warnings.examples["review with letters read as Windows-1252"]


def test_bytes_that_windows_1252_lacks_are_latin_1s(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", b"review,label\nd\xe9j\xe0 \x81\x8d vu,1\nx,0\n")
    assert next(table.reviews()).text == "déjà \x81\x8d vu"


def test_the_whole_file_decides_beyond_an_ascii_start(tmp_path: Path) -> None:
    plain = b"review,label\n" + b"good film,1\n" * 100_000  # longer than what is read at once
    for content in ("déjà vu,0\n".encode("cp1252"), "déjà vu,0\n".encode()):
        assert list(source(tmp_path / "a.csv", plain + content).reviews())[-1].text == "déjà vu"


def test_a_little_damage_is_replaced_and_counted(tmp_path: Path) -> None:
    table = source(tmp_path / "a.csv", "review,label\ndéjà vu,1\ncafé,0\n".encode() + b"caf\xe9,1\n")
    assert [review.text for review in table.reviews()] == ["déjà vu", "café", "caf\ufffd"]
    assert table.warnings.examples == {"invalid UTF-8 replaced": "line 4 of a.csv: caf\ufffd"}


@pytest.mark.parametrize("chosen", ["", "utf-8"])
def test_much_damage_is_refused_with_a_command_that_reads_it_otherwise(tmp_path: Path, chosen: str) -> None:
    rows = "".join(f"déjà vu café {number},1\n" for number in range(11)).encode() + b"caf\xe9,1\n" * 11
    table = source(tmp_path / "a.csv", b"review,label\n" + rows, chosen)
    with pytest.raises(DataError, match="is damaged: it is UTF-8, but for 11 bytes") as caught:
        list(table.reviews())
    assert caught.value.hint.endswith(f"sentictl data --source {tmp_path / 'a.csv'} --encoding cp1252")


def test_another_encoding_is_chosen(tmp_path: Path) -> None:
    content = "review,label\nЭто неплохо,1\n".encode("cp1251")
    assert next(source(tmp_path / "a.csv", content, "cp1251").reviews()).text == "Это неплохо"
    with pytest.raises(DataError, match="There is no encoding 'klingon'") as caught:
        list(source(tmp_path / "a.csv", content, "klingon").reviews())
    assert "--encoding utf-8" in caught.value.hint
    with pytest.raises(DataError, match="is not ASCII throughout"):
        list(source(tmp_path / "a.csv", content, "ascii").reviews())


@pytest.mark.parametrize("cut", range(1, 12))
def test_characters_may_be_cut_between_chunks(cut: int) -> None:
    content = "aé€😀é".encode()

    def chunks() -> Iterator[bytes]:
        yield from (content[:cut], content[cut:])

    assert detect(chunks()).damage == 0
