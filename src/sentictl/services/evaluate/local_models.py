"""Model artifacts on this machine, opened to be asked."""

import contextlib
import difflib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from sentimodel.artifact import ArtifactError
from sentimodel.predictor import Predictor

from sentictl.assets.archives import ArchiveError, unpack_tar_gz
from sentictl.config.config import Config
from sentictl.config.paths import without_tilde
from sentictl.errors import ModelError
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.artifacts import fetch_artifact
from sentictl.services.resources.training import version_of


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
def opened_model(given: str, config: Config, connect: Callable[[], Context]) -> Iterator[Predictor]:
    """The model that a person names, for as long as the block runs.

    Args:
        given: a version's number or name, the name of a model on this machine, or the path of an artifact's folder or
            of a `model.tar.gz`.
        config: the project and environment.
        connect: called only if a version's artifact has to be fetched.

    Raises:
        ModelError: there is no such model, or it is damaged.
    """
    models, version = config.folder.models, version_of(config.state, given)
    name = version.name if version else given
    if version and name not in _names(models):
        path = fetch_artifact(connect(), name, version.attributes["artifact"])
    else:
        path = models / name if name in _names(models) else without_tilde(given)
    if path.is_dir():
        yield load_model(path)
    elif path.is_file():
        with tempfile.TemporaryDirectory(prefix="sentictl-") as scratch:
            _unpack(path, Path(scratch))
            yield load_model(Path(scratch))
    else:
        raise _unknown(given, _names(models))


def _names(models: Path) -> list[str]:
    return sorted(path.name for path in models.glob("[!.]*") if path.is_dir() and not path.is_symlink())


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
    return ModelError(
        f"{given} is neither a version of the model, nor a model on this machine, nor an artifact's folder or archive.",
        hint,
    )
