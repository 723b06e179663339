"""The manifest: what a dataset folder says of itself. It holds no time, so that the same inputs give the same bytes."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sentictl.reviews.read.source import file_sha256

FORMAT = 3
MANIFEST = "manifest.json"


@dataclass(frozen=True)
class ReviewsFacts:
    """How much there is of some reviews; `unknown_rate` is the share of their tokens that the vocabulary lacks."""

    reviews: int
    tokens: int
    unknown_rate: float


@dataclass(frozen=True)
class SplitFacts(ReviewsFacts):
    """How much a split holds."""

    positive: int
    negative: int


@dataclass(frozen=True)
class FileFacts:
    """The size and checksum of a file."""

    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """All that is known of a dataset.

    Attributes:
        format: the version of the folder's layout.
        digest: the folder's name.
        source: what a person calls the source.
        fingerprint: the sha256 of the source.
        created_by: the program and version that made it.
        settings: those that shaped it.
        splits: by name: train, validation, test.
        unlabelled: the unlabelled reviews, or None where there are none.
        vocabulary_ids: ids in the vocabulary, padding and unknown included.
        vocabulary_words: surface words that have an id other than unknown.
        validation_by_film: whether validation is of films that training does not hold.
        warnings: how often each kind of thing was met that is not used as it stands, or not to be expected.
        examples: one of each of these kinds.
        shared_films: which reviews of the test split are of a film of the training split, as positions in the split.
        files: every other file, by its path in the folder.
    """

    format: int
    digest: str
    source: str
    fingerprint: str
    created_by: str
    settings: dict[str, bool | int | float]
    splits: dict[str, SplitFacts]
    unlabelled: ReviewsFacts | None
    vocabulary_ids: int
    vocabulary_words: int
    validation_by_film: bool
    warnings: dict[str, int]
    examples: dict[str, str] = field(default_factory=dict)
    shared_films: list[int] = field(default_factory=list)
    files: dict[str, FileFacts] = field(default_factory=dict)

    @classmethod
    def parse(cls, content: bytes) -> "Manifest":
        """Read what `write` wrote. Raises ValueError for anything else."""
        try:
            return cls._of(json.loads(content))
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a manifest: {error}") from error

    @classmethod
    def _of(cls, values: Mapping[str, Any]) -> "Manifest":
        unlabelled = values["unlabelled"]
        return cls(
            **{
                **values,
                "splits": {name: SplitFacts(**facts) for name, facts in values["splits"].items()},
                "unlabelled": unlabelled if unlabelled is None else ReviewsFacts(**unlabelled),
                "files": {name: FileFacts(**facts) for name, facts in values["files"].items()},
            }
        )

    def write(self, folder: Path) -> None:
        """Writes the manifest into its folder."""
        text = json.dumps(asdict(self), indent=2, ensure_ascii=False)
        (folder / MANIFEST).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder that is whole: every file is there and has its size. Else None."""
    try:
        manifest = Manifest.parse((folder / MANIFEST).read_bytes())
        sizes = {name: (folder / name).stat().st_size for name in manifest.files}
    except (OSError, ValueError):
        return None
    if manifest.digest != folder.name or any(sizes[name] != file.bytes for name, file in manifest.files.items()):
        return None
    return manifest


def file_facts(path: Path) -> FileFacts:
    """Return what a manifest says of a file."""
    return FileFacts(bytes=path.stat().st_size, sha256=file_sha256(path))
