"""Dataset folders, from end to end."""

import csv
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from sentimodel.dataset import GroupedSplit, Reviews, Split
from sentimodel.files import shards
from sentimodel.vocabulary import UNK, Vocabulary

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.prepare import corpus, lexicons, tokenization
from sentictl.reviews.prepare.making import dataset_digest
from sentictl.reviews.prepare.manifest import read_manifest
from sentictl.reviews.prepare.preparation import PreparedDataset, prepare
from sentictl.reviews.read.folders.archive import ArchiveSource
from sentictl.reviews.read.folders.folder import FolderSource
from sentictl.reviews.read.source import Review, Source
from sentictl.reviews.read.tables.table import TableSource

Files = dict[str, bytes]
Pack = Callable[[Mapping[str, bytes]], Path]
Rows = list[tuple[str, int]]


def toy(count: int) -> Rows:
    """So many reviews, half of them positive."""
    return [(f"{'wonderful' if number % 2 else 'dreadful'} film number{number}", number % 2) for number in range(count)]


def csv_of(path: Path, rows: Rows) -> TableSource:
    """The reviews as a CSV file."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("review", "label"), *rows])
    return TableSource(path, DataSettings())


def jsonl_of(path: Path, rows: Rows) -> TableSource:
    """The reviews as a JSON-lines file."""
    path.write_text("".join(json.dumps({"review": text, "label": label}) + "\n" for text, label in rows))
    return TableSource(path, DataSettings())


def prepared(source: Source, folder: Path, settings: DataSettings | None = None) -> PreparedDataset:
    """The dataset of a source."""
    return prepare(source, settings or DataSettings(), folder, lambda *_: None)


def contents(dataset: PreparedDataset) -> dict[str, bytes]:
    """The dataset's files but for the manifest."""
    return {name: (dataset.folder / name).read_bytes() for name in dataset.manifest.files}


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_csv_file_becomes_a_dataset(tmp_path: Path) -> None:
    dataset = prepared(csv_of(tmp_path / "a.csv", toy(200)), tmp_path / "datasets")
    assert dataset.folder == tmp_path / "datasets" / dataset.digest
    assert sorted(snapshot(dataset.folder)) == [
        "manifest.json", "test/reviews-00000.npz", "train/reviews-00000.npz", "validation/reviews-00000.npz",
        "vocabulary/text.json", "vocabulary/vocabulary.txt",
    ]  # fmt: skip
    groups = GroupedSplit.load(dataset.folder / "train").groups
    assert sorted(groups) == list(range(160))  # all texts differ, and none is of a film
    facts = {name: (split.reviews, split.positive) for name, split in dataset.manifest.splits.items()}
    assert facts == {"train": (160, 80), "validation": (20, 10), "test": (20, 10)}
    assert json.loads((dataset.folder / "vocabulary" / "text.json").read_text())["stem"] is False


def test_each_review_is_encoded_with_its_label_by_the_vocabulary_of_training(tmp_path: Path) -> None:
    dataset = prepared(csv_of(tmp_path / "a.csv", toy(200)), tmp_path / "datasets")
    vocabulary = Vocabulary.load(dataset.folder / "vocabulary" / "vocabulary.txt")
    words = vocabulary.encode(["dreadful", "wonderful", "film"])
    train = Split.load(dataset.folder / "train")
    test = Split.load(dataset.folder / "test")
    for split, number_known in ((train, True), (test, False)):
        for row in range(len(split)):
            first, second, number = split.review(row)
            assert first == words[split.labels[row]]
            assert second == words[2]
            assert (number != UNK) == number_known
    assert dataset.manifest.splits["train"].unknown_rate == 0
    assert dataset.manifest.splits["test"].unknown_rate == pytest.approx(1 / 3, abs=1e-6)
    assert dataset.manifest.vocabulary_ids == len(vocabulary) == 2 + 3 + 160


def test_reviews_are_mixed_within_their_split(tmp_path: Path) -> None:
    dataset = prepared(csv_of(tmp_path / "a.csv", sorted(toy(200), key=lambda row: row[1])), tmp_path / "datasets")
    labels = Split.load(dataset.folder / "train").labels
    assert 20 < labels[:80].sum() < 60


def test_archive_and_folder_give_equal_files(official: Files, pack: Pack, unpack: Pack, tmp_path: Path) -> None:
    archived = prepared(ArchiveSource(pack(official)), tmp_path / "datasets")
    unpacked = prepared(FolderSource(unpack(official)), tmp_path / "datasets")
    assert contents(archived) == contents(unpacked)
    assert archived.manifest.validation_by_film
    groups = GroupedSplit.load(archived.folder / "train").groups
    assert 1 < len(set(groups.tolist())) < len(groups)  # the reviews of a film are one group
    assert archived.manifest.splits["test"].reviews == 40
    assert archived.manifest.splits["validation"].reviews == pytest.approx(12, abs=3)


def test_unlabelled_reviews_have_a_file_of_their_own(official: Files, pack: Pack, tmp_path: Path) -> None:
    texts = {f"train/unsup/{number}_0.txt": f"wonderful or not, unheard{number}".encode() for number in range(9)}
    dataset = prepared(ArchiveSource(pack(official | texts)), tmp_path / "datasets")
    unlabelled = Reviews.load(dataset.folder / "unlabelled")
    vocabulary = Vocabulary.load(dataset.folder / "vocabulary" / "vocabulary.txt")
    wonderful = vocabulary.encode(["wonderful"])[0]
    assert len(unlabelled) == 9
    for row in range(9):
        assert unlabelled.review(row).tolist() == [wonderful, UNK, UNK, UNK]
    assert dataset.manifest.unlabelled
    assert dataset.manifest.unlabelled.reviews == 9
    assert dataset.manifest.unlabelled.unknown_rate == pytest.approx(0.75)
    without = prepared(ArchiveSource(pack(official)), tmp_path / "without")
    for name in ("train", "validation", "test"):
        file = f"{name}/reviews-00000.npz"
        assert (dataset.folder / file).read_bytes() == (without.folder / file).read_bytes()


def test_a_source_without_unlabelled_reviews_has_no_such_file(tmp_path: Path) -> None:
    dataset = prepared(csv_of(tmp_path / "a.csv", toy(100)), tmp_path / "datasets")
    assert dataset.manifest.unlabelled is None
    assert not (dataset.folder / "unlabelled").exists()


@pytest.mark.parametrize("processes", [2, 3])
def test_any_number_of_processes_gives_the_same_bytes(
    official: Files, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processes: int
) -> None:
    monkeypatch.setattr(tokenization, "CHUNK_CHARACTERS", 500)
    source = ArchiveSource(pack(official))
    for count in (1, processes):
        prepare(source, DataSettings(), tmp_path / str(count), lambda *_: None, count)
    assert snapshot(tmp_path / "1") == snapshot(tmp_path / str(processes))


@pytest.mark.parametrize("stem", [False, True])
def test_what_is_in_memory_at_a_time_decides_nothing(
    official: Files, pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stem: bool
) -> None:
    source = ArchiveSource(pack(official))
    settings = DataSettings(stem=stem, vocabulary_size=100)
    whole = prepared(source, tmp_path / "whole", settings)
    for module, name, few in (
        (tokenization, "CHUNK_CHARACTERS", 500),
        (tokenization, "MOST_WORDS", 9),
        (lexicons, "MOST_COUNTED", 50),
        (corpus, "ROWS", 3),
    ):
        monkeypatch.setattr(module, name, few)
    prepare(source, settings, tmp_path / "parts", lambda *_: None, 1)
    assert whole.manifest.vocabulary_ids == 100
    assert snapshot(tmp_path / "whole") == snapshot(tmp_path / "parts")


def test_the_files_are_those_that_the_model_code_writes(official: Files, pack: Pack, tmp_path: Path) -> None:
    dataset = prepared(ArchiveSource(pack(official)), tmp_path / "datasets")
    kinds: dict[str, type[Reviews]] = {"train": GroupedSplit, "validation": Split, "test": Split}
    for name, kind in kinds.items():
        path = dataset.folder / name / "reviews-00000.npz"
        kind.read(path).save(tmp_path / name)
        assert path.read_bytes() == (tmp_path / name).read_bytes()


def test_version_after_version_makes_the_same_of_the_same_reviews(official: Files, pack: Pack, tmp_path: Path) -> None:
    twice = {"train/pos/990_8.txt": official["train/neg/0_2.txt"], "train/unsup/0_0.txt": b"Caf&eacute; 7/10 n't!!"}
    dataset = prepared(ArchiveSource(pack(official | twice)), tmp_path / "datasets")
    digest = hashlib.sha256((dataset.folder / "vocabulary" / "vocabulary.txt").read_bytes())
    for name in ("train", "validation", "test", "unlabelled"):
        with np.load(dataset.folder / name / "reviews-00000.npz", allow_pickle=False) as file:
            for array in (file[key] for key in file if key != "groups"):
                digest.update(array.tobytes())
    digest.update(GroupedSplit.load(dataset.folder / "train").groups.tobytes())
    digest.update(json.dumps([dataset.manifest.warnings, dataset.manifest.examples], sort_keys=True).encode())
    assert digest.hexdigest() == "dcf96abb301ff385ae551aec84cec7b8229cf2e7421a6fb8eb19f4dfeeed3cb5"


@pytest.mark.parametrize("size", [10, 13, 1000])
def test_each_part_is_kept_in_files_of_so_many_reviews(official: Files, pack: Pack, tmp_path: Path, size: int) -> None:
    texts = {f"train/unsup/{number}_0.txt": f"wonderful or not, unheard{number}".encode() for number in range(25)}
    source = ArchiveSource(pack(official | texts))
    whole = prepared(source, tmp_path / "datasets")
    parts = prepared(source, tmp_path / "datasets", DataSettings(shard_reviews=size))
    kinds: dict[str, type[Reviews]] = {"train": GroupedSplit, "validation": Split, "test": Split, "unlabelled": Reviews}
    for name, kind in kinds.items():
        one, several = kind.load(whole.folder / name), kind.load(parts.folder / name)
        sizes = [len(kind.read(path)) for path in shards(parts.folder / name)]
        assert sizes == [min(size, len(one) - first) for first in range(0, len(one), size)]
        for field in fields(kind):
            np.testing.assert_array_equal(getattr(one, field.name), getattr(several, field.name))
    assert parts.manifest.splits == whole.manifest.splits
    assert parts.manifest.unlabelled == whole.manifest.unlabelled


def test_csv_and_json_lines_in_any_order_give_equal_files(tmp_path: Path) -> None:
    rows = toy(100)
    from_csv = prepared(csv_of(tmp_path / "a.csv", rows), tmp_path / "datasets")
    from_json = prepared(jsonl_of(tmp_path / "a.jsonl", rows[::-1]), tmp_path / "datasets")
    assert from_csv.digest != from_json.digest
    assert contents(from_csv) == contents(from_json)


def test_the_same_inputs_give_the_same_bytes(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "a.csv", toy(100))
    prepared(source, tmp_path / "one")
    prepared(source, tmp_path / "other")
    assert snapshot(tmp_path / "one") == snapshot(tmp_path / "other")


class Unreadable(TableSource):
    """A table that may be asked for its fingerprint only."""

    def _all(self) -> Iterator[Review]:
        raise AssertionError("the reviews were read again")


def test_a_dataset_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "a.csv", toy(100))
    first = prepared(source, tmp_path / "datasets")
    again = prepared(Unreadable(source.path, DataSettings()), tmp_path / "datasets")
    assert again == first


@pytest.mark.parametrize("damage", ["removed", "shortened", "no manifest", "broken manifest"])
def test_a_damaged_dataset_is_made_again(tmp_path: Path, damage: str) -> None:
    source = csv_of(tmp_path / "a.csv", toy(100))
    dataset = prepared(source, tmp_path / "datasets")
    whole = snapshot(tmp_path)
    if damage == "removed":
        shutil.rmtree(dataset.folder / "test")
    elif damage == "shortened":
        (dataset.folder / "train" / "reviews-00000.npz").write_bytes(b"PK")
    elif damage == "no manifest":
        (dataset.folder / "manifest.json").unlink()
    else:
        (dataset.folder / "manifest.json").write_text('{"format": 1')
    assert read_manifest(dataset.folder) is None
    assert prepared(source, tmp_path / "datasets") == dataset
    assert snapshot(tmp_path) == whole


def test_the_digest_follows_the_source_and_the_settings_that_matter() -> None:
    first = dataset_digest("a" * 64, DataSettings())
    assert len(first) == 16
    assert dataset_digest("a" * 64, DataSettings(source="elsewhere", review_column="x")) == first
    changes: list[dict[str, object]] = [
        {"validation_fraction": 0.2}, {"test_fraction": 0.2}, {"seed": 2}, {"vocabulary_size": 100},
        {"strip_html": False}, {"lowercase": False}, {"remove_stop_words": True}, {"keep_negations": False},
        {"stem": True}, {"shard_reviews": 10},
    ]  # fmt: skip
    digests = {dataset_digest("a" * 64, DataSettings.model_validate(change)) for change in changes}
    assert len({first, dataset_digest("b" * 64, DataSettings()), *digests}) == len(changes) + 2


def test_the_seed_changes_the_splits(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "a.csv", toy(100))
    one = prepared(source, tmp_path / "datasets", DataSettings(seed=1))
    other = prepared(source, tmp_path / "datasets", DataSettings(seed=2))
    assert contents(one) != contents(other)


def test_the_vocabulary_keeps_to_its_size(tmp_path: Path) -> None:
    source = csv_of(tmp_path / "a.csv", toy(300))
    dataset = prepared(source, tmp_path / "datasets", DataSettings(vocabulary_size=100))
    ids = np.load(dataset.folder / "train" / "reviews-00000.npz", allow_pickle=False)["ids"]
    assert dataset.manifest.vocabulary_ids == 100
    assert ids.max() == 99
    assert dataset.manifest.splits["train"].unknown_rate == pytest.approx((ids == UNK).mean(), abs=1e-6)


def test_harmless_faults_are_counted_in_the_manifest(tmp_path: Path) -> None:
    rows = [*toy(100), toy(100)[0], ("the of a", 1), ("  ", 0), ("<br />", 1)]
    settings = DataSettings(remove_stop_words=True)
    dataset = prepared(csv_of(tmp_path / "a.csv", rows), tmp_path / "datasets", settings)
    assert dataset.manifest.warnings == {
        "empty review skipped": 1,
        "review with the same text as another": 1,
        "review without tokens skipped": 2,
    }
    assert sum(split.reviews for split in dataset.manifest.splits.values()) == 101


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[str, int | None, int | None]] = []

    def report(what: str, done: int | None = None, total: int | None = None) -> None:
        told.append((what, done, total))

    source = csv_of(tmp_path / "a.csv", toy(1000))
    prepare(source, DataSettings(), tmp_path / "datasets", report)
    size = source.path.stat().st_size
    assert ("reading a.csv", size, size) in told
    assert told[-1][0] == "encoding"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (toy(10), "a.csv holds 10 reviews, which leaves 6 to train on; 20 are needed"),
        ([row for row in toy(100) if row[1]], "All 50 reviews of a.csv are positive"),
        ([row for row in toy(100) if not row[1]], "All 50 reviews of a.csv are negative"),
        ([*(row for row in toy(100) if row[1]), ("bad", 0)], "split of a.csv .* lacks a label"),
        ([("...", 1), ("<br />", 0)], "No review of a.csv has a token"),
    ],
)
def test_too_few_reviews_or_labels_are_refused_and_nothing_is_left(tmp_path: Path, rows: Rows, message: str) -> None:
    source = csv_of(tmp_path / "a.csv", rows)
    with pytest.raises(DataError, match=message) as caught:
        prepared(source, tmp_path / "datasets")
    assert caught.value.hint
    assert list(tmp_path.iterdir()) == [tmp_path / "a.csv"]


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "datasets").write_text("a file")
    with pytest.raises(DataError, match="datasets cannot be written"):
        prepared(csv_of(tmp_path / "a.csv", toy(100)), tmp_path / "datasets")
