"""From a source of reviews to a dataset folder: the same folder, byte for byte, for the same inputs."""

import errno
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sentictl import __version__
from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.prepare.corpus import Corpus
from sentictl.reviews.prepare.making import Origin, dataset_digest, make, rows_by_part, text_settings
from sentictl.reviews.prepare.manifest import Manifest, read_manifest
from sentictl.reviews.read.source import ReportProgress, Source


@dataclass(frozen=True)
class PreparedDataset:
    """A dataset folder on this machine.

    Attributes:
        digest: 16 hex characters that follow from all that decides the content; the folder's name.
        folder: holds `train/`, `validation/`, `test/` and, where the source has such reviews, `unlabelled/`, each
            with its shards; `vocabulary/` and `manifest.json`.
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
                origin = Origin(source.description, fingerprint, f"sentictl {__version__}")
                manifest = _make_here(corpus, origin, settings, folder)
        except OSError as error:
            raise _unwritable(datasets, error) from error
    return PreparedDataset(digest, folder, manifest)


def _make_here(corpus: Corpus, origin: Origin, settings: DataSettings, folder: Path) -> Manifest:
    """Make a dataset beside its place, and put it there whole."""
    rows = rows_by_part(corpus.members, settings, origin.description)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".making-") as temporary:
        made = Path(temporary) / folder.name
        manifest = make(corpus, rows, origin, settings, made)
        manifest.write(made)
        _put_in_place(made, folder)
    return manifest


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
