"""Model artifacts on this machine, opened to be asked."""

import contextlib
import difflib
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sentimodel.artifact import ArtifactError
from sentimodel.predictor import Predictor

from sentictl.assets.archives import ArchiveError, unpack_tar_gz
from sentictl.config.paths import without_tilde
from sentictl.errors import ModelError


def load_model(folder: Path) -> Predictor:
    """The model artifact in a folder.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    try:
        return Predictor.load(folder)
    except ArtifactError as problem:
        raise ModelError(str(problem), "Train one: sentictl train") from None


@contextlib.contextmanager
def opened_model(given: str, models: Path) -> Iterator[Predictor]:
    """The model that a person names, for as long as the block runs.

    Args:
        given: the name of a model under `models`, or the path of an artifact's folder or of a `model.tar.gz`.
        models: the folder that keeps artifacts under their models' names.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    path = models / given if given in _names(models) else without_tilde(given)
    if path.is_dir():
        yield load_model(path)
    elif path.is_file():
        with tempfile.TemporaryDirectory(prefix="sentictl-") as scratch:
            _unpack(path, Path(scratch))
            yield load_model(Path(scratch))
    else:
        raise _unknown(given, _names(models))


def _names(models: Path) -> list[str]:
    return sorted(path.name for path in models.glob("[!.]*") if path.is_dir())


def _unpack(archive: Path, folder: Path) -> None:
    try:
        with archive.open("rb") as packed:
            unpack_tar_gz(packed, folder)
    except (ArchiveError, OSError) as problem:
        raise ModelError(
            f"{archive} cannot be unpacked: {problem}.", "Give a model.tar.gz as a training job leaves it."
        ) from None


def _unknown(given: str, names: list[str]) -> ModelError:
    close = difflib.get_close_matches(given, names, n=1)
    hint = f"Did you mean {close[0]}?" if close else f"Models on this machine: {', '.join(names) or 'none'}."
    return ModelError(f"{given} is neither a model on this machine nor an artifact's folder or archive.", hint)
