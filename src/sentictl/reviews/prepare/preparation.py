"""From a source of reviews to a dataset folder: the same folder, byte for byte, for the same inputs."""

import errno
import json
import shutil
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import sentimodel.dataset
import sentimodel.text
import sentimodel.vocabulary
from numpy.typing import NDArray
from sentimodel.files import GROUPS, REVIEWS, TEXT, VOCABULARY
from sentimodel.text import TextSettings
from sentimodel.vocabulary import Vocabulary

from sentictl import __version__
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.prepare import corpus as corpus_module
from sentictl.reviews.prepare import encoding, lexicons, split_assignment, tokenization
from sentictl.reviews.prepare.corpus import Corpus
from sentictl.reviews.prepare.counted import note_equal_texts, note_overlaps
from sentictl.reviews.prepare.encoding import save_encoded
from sentictl.reviews.prepare.manifest import FORMAT, FileFacts, Manifest, ReviewsFacts, SplitFacts, read_manifest
from sentictl.reviews.prepare.split_assignment import NONE, PARTS, SPLITS, UNLABELLED, Part, assign_splits, shuffled
from sentictl.reviews.read.folders import layout
from sentictl.reviews.read.source import ReportProgress, Source, file_sha256, json_sha256

SHAPING_SETTINGS = ("validation_fraction", "test_fraction", "seed", "vocabulary_size")
SHAPING_CODE = (
    sentimodel.text,
    sentimodel.vocabulary,
    sentimodel.dataset,
    corpus_module,
    encoding,
    layout,
    lexicons,
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
        try:
            with Corpus(_existing(datasets)) as corpus:
                corpus.read(source, text_settings(settings), report, processes)
                report("encoding", 0)
                manifest = _make(corpus, source.description, fingerprint, settings, folder)
        except OSError as error:
            raise _unwritable(datasets, error) from error
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


def _make(corpus: Corpus, description: str, fingerprint: str, settings: DataSettings, folder: Path) -> Manifest:
    rows = _rows_by_part(corpus, settings)
    _check(corpus, rows, description)
    note_equal_texts(corpus)
    shared = note_overlaps(corpus, rows)
    text = text_settings(settings)
    most = None if text.stem else settings.vocabulary_size
    counts = corpus.lexicons.counts(corpus.occurrences(rows["train"]), most)
    vocabulary = Vocabulary.build(counts, settings.vocabulary_size, text)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as temporary:
        made = Path(temporary) / folder.name
        facts = _write(made, corpus, rows, vocabulary, text)
        manifest = Manifest(
            format=FORMAT,
            digest=folder.name,
            source=description,
            fingerprint=fingerprint,
            created_by=f"sentictl {__version__}",
            settings=_shaping(settings),
            splits={name: _split_facts(corpus, rows[name], facts[name]) for name in SPLITS},
            unlabelled=facts.get(UNLABELLED),
            vocabulary_ids=len(vocabulary),
            vocabulary_words=sum(word in vocabulary for word in counts),
            validation_by_film=bool((corpus.members.films[rows["validation"]] != NONE).any()),
            warnings=dict(sorted(corpus.warnings.items())),
            examples={kind: corpus.examples[kind] for kind in sorted(corpus.warnings) if kind in corpus.examples},
            shared_films=shared,
            files=_file_facts(made),
        )
        manifest.write(made)
        _put_in_place(made, folder)
    return manifest


def _rows_by_part(corpus: Corpus, settings: DataSettings) -> dict[Part, NDArray[np.int64]]:
    parts = assign_splits(corpus.members, settings.validation_fraction, settings.test_fraction, settings.seed)
    order = shuffled(corpus.members, settings.seed)
    return {name: order[parts[order] == number] for number, name in enumerate(PARTS)}


def _check(corpus: Corpus, rows: Mapping[Part, NDArray[np.int64]], description: str) -> None:
    reviews = f"{sum(len(rows[name]) for name in SPLITS):,} reviews"
    labels = {name: set(corpus.members.labels[rows[name]].tolist()) for name in SPLITS}
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


def _groups(corpus: Corpus, rows: NDArray[np.int64]) -> NDArray[np.int32]:
    """For each of these reviews the number of its group: those of one film have one, as have those of one text."""
    _, firsts, groups = np.unique(corpus.members.groups(rows), return_index=True, return_inverse=True)
    return np.argsort(np.argsort(firsts))[groups].astype(np.int32)  # numbered as they come


def _split_facts(corpus: Corpus, rows: NDArray[np.int64], facts: ReviewsFacts) -> SplitFacts:
    positive = int(corpus.members.labels[rows].sum())
    return SplitFacts(positive=positive, negative=len(rows) - positive, **facts.model_dump())


def _write(
    folder: Path,
    corpus: Corpus,
    rows: Mapping[Part, NDArray[np.int64]],
    vocabulary: Vocabulary,
    settings: TextSettings,
) -> dict[Part, ReviewsFacts]:
    """Writes all files but the manifest; returns how much there is in each part."""
    parts = [name for name in PARTS if len(rows[name])]
    for name in parts:
        (folder / name).mkdir(parents=True)
    ids = corpus.lexicons.ids(vocabulary)
    with ThreadPoolExecutor() as threads:  # compressing takes a third as long as all the tokenizing
        saving = {
            name: threads.submit(save_encoded, folder / name / REVIEWS, corpus, rows[name], ids) for name in parts
        }
        np.save(folder / "train" / GROUPS, _groups(corpus, rows["train"]))
        (folder / "vocabulary").mkdir()
        vocabulary.save(folder / "vocabulary" / VOCABULARY)
        text = json.dumps(settings.to_dict(), indent=2) + "\n"
        (folder / "vocabulary" / TEXT).write_text(text, encoding="utf-8")
    return {name: _facts(corpus, rows[name], saved.result()) for name, saved in saving.items()}


def _facts(corpus: Corpus, rows: NDArray[np.int64], unknown: int) -> ReviewsFacts:
    tokens = int(corpus.lengths[rows].sum())
    return ReviewsFacts(reviews=len(rows), tokens=tokens, unknown_rate=round(unknown / tokens, 6))


def _file_facts(folder: Path) -> dict[str, FileFacts]:
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


def _existing(folder: Path) -> Path:
    """The folder that a folder is or will be made in: on the same disk, as far as can be told."""
    return next(above for above in folder.absolute().parents if above.is_dir())


def _unwritable(datasets: Path, error: OSError) -> DataError:
    if error.errno == errno.ENOSPC:
        return DataError(f"The disk of {datasets} is full.", "Make room, and run the command again.")
    return DataError(f"{datasets} cannot be written: {error.strerror or error}.", "Check its permissions.")
