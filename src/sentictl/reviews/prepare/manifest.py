"""The manifest: what a dataset folder says of itself. It holds no time, so that the same inputs give the same bytes."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

FORMAT = 2
MANIFEST = "manifest.json"


class Facts(BaseModel):
    """A part of the manifest."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ReviewsFacts(Facts):
    """How much there is of some reviews; `unknown_rate` is the share of their tokens that the vocabulary lacks."""

    reviews: int
    tokens: int
    unknown_rate: float


class SplitFacts(ReviewsFacts):
    """How much a split holds."""

    positive: int
    negative: int


class FileFacts(Facts):
    """The size and checksum of a file."""

    bytes: int
    sha256: str


class Manifest(Facts):
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
    examples: dict[str, str] = {}
    shared_films: list[int] = []
    files: dict[str, FileFacts]

    def write(self, folder: Path) -> None:
        """Writes the manifest into its folder."""
        (folder / MANIFEST).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest | None:
    """The manifest of a folder that is whole: every file is there and has its size. Else None."""
    try:
        manifest = Manifest.model_validate_json((folder / MANIFEST).read_bytes())
        sizes = {name: (folder / name).stat().st_size for name in manifest.files}
    except (OSError, ValidationError):
        return None
    if manifest.digest != folder.name or any(sizes[name] != file.bytes for name, file in manifest.files.items()):
        return None
    return manifest
