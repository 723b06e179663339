"""From a source of reviews to a dataset folder: the same folder, byte for byte, for the same inputs."""

import errno
import json
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentimodel.dataset
import sentimodel.text
import sentimodel.vocabulary
from numpy.typing import NDArray
from sentimodel.dataset import Reviews, Split
from sentimodel.files import GROUPS, REVIEWS, TEXT, VOCABULARY
from sentimodel.text import TextSettings
from sentimodel.vocabulary import UNK, Vocabulary

from sentictl import __version__
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.prepare import corpus as corpus_module
from sentictl.reviews.prepare import split_assignment, tokenization
from sentictl.reviews.prepare.corpus import Corpus
from sentictl.reviews.prepare.counted import CountedCorpus, note_overlaps, read_counted
from sentictl.reviews.prepare.manifest import FORMAT, FileFacts, Manifest, ReviewsFacts, SplitFacts, read_manifest
from sentictl.reviews.prepare.split_assignment import UNLABELLED, Part, assign_splits, group_keys, shuffled
from sentictl.reviews.read.folders import layout
from sentictl.reviews.read.source import ReportProgress, Source, SplitName, file_sha256, json_sha256

SPLITS: tuple[SplitName, ...] = ("train", "validation", "test")
SHAPING_SETTINGS = ("validation_fraction", "test_fraction", "seed", "vocabulary_size")
SHAPING_CODE = (
    sentimodel.text,
    sentimodel.vocabulary,
    sentimodel.dataset,
    corpus_module,
    layout,
    split_assignment,
    tokenization,
)
DIGEST_CHARACTERS = 16
FEWEST_TRAINING_REVIEWS = 20


@dataclass(frozen=True)
class PreparedDataset:
    """A dataset folder on this machine.

    Attributes:
        digest: 16 hex characters that follow from all that decides the content; the folder's name.
        folder: holds `train/`, `validation/`, `test/` and, where the source has such reviews, `unlabelled/`, each
            with `reviews.npz`; `vocabulary/` and `manifest.json`.
        manifest: what is in it.
    """

    digest: str
    folder: Path
    manifest: Manifest


def prepare(
    source: Source, settings: DataSettings, datasets: Path, report: ReportProgress, processes: int | None = None
) -> PreparedDataset:
    """The dataset of a source's reviews; made if it is not there yet, and then put in place whole.

    Args:
        source: the reviews.
        settings: how to split and encode them.
        datasets: the folder that keeps datasets under their digests; made if it is not there.
        report: told how far the reading has come.
        processes: how many tokenize, by default as many as there are cores; the dataset is the same for any number.

    Raises:
        DataError: the source cannot be used, holds too few reviews or only one label, or the disk is full.
    """
    fingerprint = source.fingerprint()
    digest = dataset_digest(fingerprint, settings)
    folder = datasets / digest
    manifest = read_manifest(folder)
    if manifest is None:
        corpus = read_counted(source, text_settings(settings), report, processes)
        report("encoding", 0)
        manifest = _make(corpus, source.description, fingerprint, settings, folder)
    return PreparedDataset(digest, folder, manifest)


def dataset_digest(fingerprint: str, settings: DataSettings) -> str:
    """The digest of a dataset: of its source, the settings that shape it, and the code that they steer."""
    code = [file_sha256(Path(str(module.__file__))) for module in SHAPING_CODE]
    return json_sha256([FORMAT, fingerprint, _shaping(settings), code])[:DIGEST_CHARACTERS]


def text_settings(settings: DataSettings) -> TextSettings:
    """The part of the settings that says how a text becomes tokens."""
    return TextSettings(
        strip_html=settings.strip_html,
        lowercase=settings.lowercase,
        remove_stop_words=settings.remove_stop_words,
        keep_negations=settings.keep_negations,
        stem=settings.stem,
    )


def _shaping(settings: DataSettings) -> dict[str, bool | int | float]:
    own = {name: getattr(settings, name) for name in SHAPING_SETTINGS}
    return own | text_settings(settings).to_dict()


def _make(corpus: CountedCorpus, description: str, fingerprint: str, settings: DataSettings, folder: Path) -> Manifest:
    rows = _rows_by_part(corpus, settings)
    _check(corpus, rows, description)
    shared = note_overlaps(corpus, rows)
    text = text_settings(settings)
    vocabulary = Vocabulary.build(corpus.counts(rows["train"]), settings.vocabulary_size, text)
    ids = np.array(vocabulary.encode(corpus.words), dtype=np.uint16)
    splits: dict[Part, Split] = {name: _split(corpus, rows[name], ids) for name in SPLITS}
    unlabelled = _encoded(corpus, rows[UNLABELLED], ids) if rows[UNLABELLED] else None
    manifest = Manifest(
        format=FORMAT,
        digest=folder.name,
        source=description,
        fingerprint=fingerprint,
        created_by=f"sentictl {__version__}",
        settings=_shaping(settings),
        splits={name: _split_facts(split) for name, split in splits.items()},
        unlabelled=_facts(unlabelled) if unlabelled else None,
        vocabulary_ids=len(vocabulary),
        vocabulary_words=int((ids != UNK).sum()),
        validation_by_film=any(corpus.members[row].film for row in rows["validation"]),
        warnings=dict(sorted(corpus.warnings.items())),
        examples={kind: corpus.examples[kind] for kind in sorted(corpus.warnings) if kind in corpus.examples},
        shared_films=shared,
        files={},
    )
    parts: dict[Part, Reviews] = {**splits, UNLABELLED: unlabelled} if unlabelled else {**splits}
    return _store(manifest, parts, _groups(corpus, rows["train"]), vocabulary, text, folder)


def _store(
    manifest: Manifest,
    parts: Mapping[Part, Reviews],
    groups: NDArray[np.int32],
    vocabulary: Vocabulary,
    text: TextSettings,
    folder: Path,
) -> Manifest:
    """Writes the dataset beside its place and moves it there whole; returns the manifest with the files in it."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as temporary:
            made = Path(temporary) / folder.name
            files = _write(made, parts, groups, vocabulary, text)
            whole = manifest.model_copy(update={"files": files})
            whole.write(made)
            _put_in_place(made, folder)
    except OSError as error:
        raise _unwritable(folder.parent, error) from error
    return whole


def _rows_by_part(corpus: Corpus, settings: DataSettings) -> dict[Part, list[int]]:
    parts = assign_splits(corpus.members, settings.validation_fraction, settings.test_fraction, settings.seed)
    rows: dict[Part, list[int]] = {name: [] for name in (*SPLITS, UNLABELLED)}
    for row in shuffled(corpus.members, settings.seed):
        rows[parts[row]].append(row)
    return rows


def _check(corpus: Corpus, rows: Mapping[Part, Sequence[int]], description: str) -> None:
    reviews = f"{sum(len(rows[name]) for name in SPLITS):,} reviews"
    labels = {corpus.members[row].label for name in SPLITS for row in rows[name]}
    if not labels:
        raise DataError(f"No review of {description} has a token.", "Check the text settings under data.")
    if len(labels) == 1:
        only = "positive" if labels == {1} else "negative"
        raise DataError(f"All {reviews} of {description} are {only}.", "Add reviews of the other label.")
    left = len(rows["train"])
    if left < FEWEST_TRAINING_REVIEWS:
        raise DataError(
            f"{description} holds {reviews}, which leaves {left} to train on; {FEWEST_TRAINING_REVIEWS} are needed.",
            "Add labelled reviews; a useful model takes some thousands.",
        )
    for name in SPLITS:
        if len({corpus.members[row].label for row in rows[name]}) < 2:
            raise DataError(
                f"The {name} split of {description} ({len(rows[name]):,} of {reviews}) lacks a label.",
                "Add reviews of both labels.",
            )


def _split(corpus: Corpus, rows: Sequence[int], ids: NDArray[np.uint16]) -> Split:
    reviews = _encoded(corpus, rows, ids)
    labels = np.array([corpus.members[row].label for row in rows], dtype=np.uint8)
    return Split(reviews.ids, reviews.offsets, labels)


def _encoded(corpus: Corpus, rows: Sequence[int], ids: NDArray[np.uint16]) -> Reviews:
    """These reviews of the corpus; `ids` holds the id of each of its words."""
    tokens, offsets = corpus.tokens(rows)
    return Reviews(ids[tokens], offsets)


def _groups(corpus: Corpus, rows: Sequence[int]) -> NDArray[np.int32]:
    """For each of these reviews the number of its group: those of one film have one, as have those of one text."""
    numbers: dict[bytes, int] = {}
    groups = [numbers.setdefault(key, len(numbers)) for key in group_keys(corpus.members, rows).values()]
    return np.array(groups, dtype=np.int32)


def _split_facts(split: Split) -> SplitFacts:
    positive = int(split.labels.sum())
    return SplitFacts(positive=positive, negative=len(split) - positive, **_facts(split).model_dump())


def _facts(reviews: Reviews) -> ReviewsFacts:
    unknown_rate = round(float((reviews.ids == UNK).mean()), 6)
    return ReviewsFacts(reviews=len(reviews), tokens=len(reviews.ids), unknown_rate=unknown_rate)


def _write(
    folder: Path,
    parts: Mapping[Part, Reviews],
    groups: NDArray[np.int32],
    vocabulary: Vocabulary,
    settings: TextSettings,
) -> dict[str, FileFacts]:
    for name in parts:
        (folder / name).mkdir(parents=True)
    with ThreadPoolExecutor() as threads:  # compressing them takes as long as half of all the tokenizing
        saving = [threads.submit(reviews.save, folder / name / REVIEWS) for name, reviews in parts.items()]
        for saved in saving:
            saved.result()
    np.save(folder / "train" / GROUPS, groups)
    (folder / "vocabulary").mkdir()
    vocabulary.save(folder / "vocabulary" / VOCABULARY)
    text = json.dumps(settings.to_dict(), indent=2) + "\n"
    (folder / "vocabulary" / TEXT).write_text(text, encoding="utf-8")
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): FileFacts(bytes=path.stat().st_size, sha256=file_sha256(path))
        for path in paths
    }


def _put_in_place(made: Path, folder: Path) -> None:
    """Renames the finished folder, in place of a damaged one, or not at all where another process was quicker."""
    if folder.exists() and read_manifest(folder) is None:
        shutil.rmtree(folder)
    try:
        made.rename(folder)
    except OSError:
        if read_manifest(folder) is None:
            raise


def _unwritable(datasets: Path, error: OSError) -> DataError:
    if error.errno == errno.ENOSPC:
        return DataError(f"The disk of {datasets} is full.", "Make room, and run the command again.")
    return DataError(f"{datasets} cannot be written: {error.strerror or error}.", "Check its permissions.")
