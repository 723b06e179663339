"""From tokenized reviews to the files of a dataset: the same bytes for the same inputs, wherever the reviews are."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np
import sentimodel.dataset
import sentimodel.text
import sentimodel.vocabulary
from numpy.typing import NDArray
from sentimodel.files import TEXT, VOCABULARY
from sentimodel.text import TextSettings
from sentimodel.vocabulary import Vocabulary

from sentictl.errors import DataError
from sentictl.reviews.prepare import corpus as corpus_module
from sentictl.reviews.prepare import encoding, lexicons, split_assignment, tokenization
from sentictl.reviews.prepare.counted import note_equal_texts, note_overlaps
from sentictl.reviews.prepare.manifest import FORMAT, FileFacts, Manifest, ReviewsFacts, SplitFacts, file_facts
from sentictl.reviews.prepare.split_assignment import (
    NONE,
    PARTS,
    SPLITS,
    UNLABELLED,
    Members,
    Part,
    assign_splits,
    shuffled,
)
from sentictl.reviews.prepare.tokenized_reviews import Shard, TokenizedReviews
from sentictl.reviews.read import labels, source
from sentictl.reviews.read.folders import files, folder, layout
from sentictl.reviews.read.source import json_sha256
from sentictl.reviews.read.tables import delimited, dialect, json_rows, parquet, row, table

if TYPE_CHECKING:
    from sentictl.config.settings import DataSettings

SHAPING_SETTINGS = ("validation_fraction", "test_fraction", "seed", "vocabulary_size", "shard_reviews")
SHAPING_CODE = (
    *(sentimodel.text, sentimodel.vocabulary, sentimodel.dataset),
    *(corpus_module, encoding, lexicons, split_assignment, tokenization),
    *(labels, source, files, folder, layout),
    *(delimited, dialect, json_rows, parquet, row, table),
)
DIGEST_CHARACTERS = 16
FEWEST_TRAINING_REVIEWS = 20


Rows = Mapping[Part, NDArray[np.int64]]  # which reviews are in each part, as rows of `Members`, in their order there


@dataclass(frozen=True)
class Origin:
    """Where a dataset comes from.

    Attributes:
        description: what a person calls the source.
        fingerprint: the sha256 of the source.
        created_by: the program and version that makes the dataset.
    """

    description: str
    fingerprint: str
    created_by: str


def dataset_digest(fingerprint: str, settings: "DataSettings") -> str:
    """The digest of a dataset: of its source, the settings that shape it, and the code that they steer."""
    code = [_sha256(module) for module in SHAPING_CODE]
    return json_sha256([FORMAT, fingerprint, _shaping(settings), code])[:DIGEST_CHARACTERS]


def text_settings(settings: "DataSettings") -> TextSettings:
    """The part of the settings that says how a text becomes tokens."""
    return TextSettings(
        strip_html=settings.strip_html,
        lowercase=settings.lowercase,
        remove_stop_words=settings.remove_stop_words,
        keep_negations=settings.keep_negations,
        stem=settings.stem,
    )


def _shaping(settings: "DataSettings") -> dict[str, bool | int | float]:
    own = {name: getattr(settings, name) for name in SHAPING_SETTINGS}
    return own | text_settings(settings).to_dict()


def rows_by_part(members: Members, settings: "DataSettings", description: str) -> Rows:
    """Return which reviews are in each part of a dataset, in their order in it.

    Args:
        members: all reviews.
        settings: how to split them.
        description: what a person calls their source.

    Raises:
        DataError: there are too few reviews, or only those of one label.
    """
    parts = assign_splits(members, settings.validation_fraction, settings.test_fraction, settings.seed)
    order = shuffled(members, settings.seed)
    rows: Rows = {name: order[parts[order] == number] for number, name in enumerate(PARTS)}
    _check(members, rows, description)
    return rows


def make(reviews: TokenizedReviews, rows: Rows, origin: Origin, settings: "DataSettings", folder: Path) -> Manifest:
    """Write all files of a dataset but for its manifest.

    Args:
        reviews: what it is made from; what is found in them is counted there.
        rows: which of them are in each part.
        origin: where they come from.
        settings: how to split and encode them.
        folder: the dataset's, called by its digest; made here.

    Returns:
        its manifest.
    """
    note_equal_texts(reviews)
    shared = note_overlaps(reviews, rows)
    text = text_settings(settings)
    counts = reviews.counts(rows["train"], None if text.stem else settings.vocabulary_size)
    vocabulary = Vocabulary.build(counts, settings.vocabulary_size, text)
    for name in (*(name for name in PARTS if len(rows[name])), "vocabulary"):
        (folder / name).mkdir(parents=True)
    shards = _shards(reviews.members, rows, settings.shard_reviews)
    saved = list(zip(shards, reviews.save(folder, shards, vocabulary), strict=True))
    files = _write_vocabulary(folder, vocabulary, text) | {shard.path: each.facts for shard, each in saved}
    unknown = Counter[Part]()
    for shard, each in saved:
        unknown[shard.part] += each.unknown
    facts = {name: _facts(reviews, rows[name], unknown[name]) for name in PARTS if len(rows[name])}
    return Manifest(
        format=FORMAT,
        digest=folder.name,
        source=origin.description,
        fingerprint=origin.fingerprint,
        created_by=origin.created_by,
        settings=_shaping(settings),
        splits={name: _split_facts(reviews.members, rows[name], facts[name]) for name in SPLITS},
        unlabelled=facts.get(UNLABELLED),
        vocabulary_ids=len(vocabulary),
        vocabulary_words=sum(word in vocabulary for word in counts),
        validation_by_film=bool((reviews.members.films[rows["validation"]] != NONE).any()),
        warnings=dict(sorted(reviews.warnings.items())),
        examples={kind: reviews.examples[kind] for kind in sorted(reviews.warnings) if kind in reviews.examples},
        shared_films=shared,
        files=dict(sorted(files.items())),
    )


def _sha256(module: ModuleType) -> str:
    """The sha256 of a module's file, which may be in an archive."""
    loader: Any = module.__loader__
    return hashlib.sha256(loader.get_data(module.__file__)).hexdigest()


def _check(members: Members, rows: Rows, description: str) -> None:
    reviews = f"{sum(len(rows[name]) for name in SPLITS):,} reviews"
    labels = {name: set(members.labels[rows[name]].tolist()) for name in SPLITS}
    every = set().union(*labels.values())
    if not every:
        raise DataError(f"No review of {description} has a token.", "Check the text settings under data.")
    if len(every) == 1:
        only = "positive" if every == {1} else "negative"
        raise DataError(f"All {reviews} of {description} are {only}.", "Add reviews of the other label.")
    left = len(rows["train"])
    if left < FEWEST_TRAINING_REVIEWS:
        raise DataError(
            f"{description} holds {reviews}, which leaves {left} to train on; {FEWEST_TRAINING_REVIEWS} are needed.",
            "Add labelled reviews; a useful model takes some thousands.",
        )
    for name in SPLITS:
        if len(labels[name]) < 2:
            raise DataError(
                f"The {name} split of {description} ({len(rows[name]):,} of {reviews}) lacks a label.",
                "Add reviews of both labels.",
            )


def _shards(members: Members, rows: Rows, size: int) -> list[Shard]:
    """The files that hold the reviews of each part, so many a file."""
    groups = _groups(members, rows["train"])
    return [
        Shard(name, number, rows[name][start : start + size], groups[start : start + size] if name == "train" else None)
        for name in PARTS
        for number, start in enumerate(range(0, len(rows[name]), size))
    ]


def _groups(members: Members, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """For each of these reviews the number of its group: those of one film have one, as have those of one text."""
    _, firsts, groups = np.unique(members.groups(rows), return_index=True, return_inverse=True)
    return np.argsort(np.argsort(firsts))[groups].astype(np.int32)  # numbered as they come


def _facts(reviews: TokenizedReviews, rows: NDArray[np.int64], unknown: int) -> ReviewsFacts:
    tokens = int(reviews.lengths[rows].sum())
    return ReviewsFacts(reviews=len(rows), tokens=tokens, unknown_rate=round(unknown / tokens, 6))


def _split_facts(members: Members, rows: NDArray[np.int64], facts: ReviewsFacts) -> SplitFacts:
    positive = int(members.labels[rows].sum())
    return SplitFacts(positive=positive, negative=len(rows) - positive, **asdict(facts))


def _write_vocabulary(folder: Path, vocabulary: Vocabulary, settings: TextSettings) -> dict[str, FileFacts]:
    """Write the vocabulary and how a review becomes tokens; return what is known of both files, by path."""
    vocabulary.save(folder / "vocabulary" / VOCABULARY)
    text = json.dumps(settings.to_dict(), indent=2) + "\n"
    (folder / "vocabulary" / TEXT).write_text(text, encoding="utf-8")
    return {f"vocabulary/{name}": file_facts(folder / "vocabulary" / name) for name in (VOCABULARY, TEXT)}
