"""What a dataset holds that whoever made it may not expect."""

from collections.abc import Sequence
from pathlib import Path

from sentictl.config.settings import DataSettings
from sentictl.reviews.prepare.manifest import read_manifest
from sentictl.reviews.prepare.preparation import PreparedDataset, prepare
from sentictl.reviews.read.source import Review, Source, SplitName

SETTINGS = DataSettings(vocabulary_size=200)


class Given(Source):
    """A source of given reviews."""

    def __init__(self, reviews: Sequence[Review]) -> None:
        super().__init__("given")
        self._reviews = reviews

    def fingerprint(self) -> str:
        return str(hash(tuple(self._reviews)))

    def _all(self) -> "Sequence[Review]":  # type: ignore[override]
        return self._reviews


def prepared(folder: Path, *further: Review, split: bool = False) -> PreparedDataset:
    """The dataset of 80 reviews and further ones."""
    splits: Sequence[SplitName | None] = ("train", "train", "validation", "test") if split else (None,)
    reviews = [Review(f"film number {n}", n // 4 % 2, splits[n % len(splits)]) for n in range(80)]
    return prepare(Given([*reviews, *further]), SETTINGS, folder, lambda *_: None, 1)


def test_texts_with_both_labels_are_counted_with_an_example(tmp_path: Path) -> None:
    further = [Review(f"film number {n}", 1 - n // 4 % 2) for n in range(3)]
    manifest = prepared(tmp_path, *further, Review("film number 5", 1), Review("film number 5", 1)).manifest
    assert manifest.warnings == {"review with the same text as another": 5, "text with both labels": 3}
    assert manifest.examples["text with both labels"] == "film number 0"


def test_texts_and_films_in_two_splits_are_counted(tmp_path: Path) -> None:
    further = [
        Review("film number 0", 0, "test"),
        Review("of one film", 1, "train", "tt7"),
        Review("of it, too", 0, "test", "tt7"),
        Review("again", 0, "validation", "tt7"),
    ]
    dataset = prepared(tmp_path, *further, split=True)
    manifest = dataset.manifest
    assert manifest.warnings["text that stands in two splits"] == 1
    assert manifest.warnings["film that is in two splits"] == 1
    assert manifest.examples["film that is in two splits"] == "tt7"
    assert len(manifest.shared_films) == 1
    assert read_manifest(dataset.folder) == manifest


def test_a_review_without_tokens_is_shown(tmp_path: Path) -> None:
    manifest = prepared(tmp_path, Review("… — …", 1)).manifest
    assert manifest.examples["review without tokens skipped"] == "'… — …'"
