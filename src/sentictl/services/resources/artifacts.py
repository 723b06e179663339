"""Model artifacts: from the bucket to this machine, and which of those here is the current one."""

import shutil
import tempfile
from pathlib import Path

from sentictl.assets.archives import ArchiveError, unpack_tar_gz
from sentictl.errors import ModelError
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.storage import read_object


def fetch_artifact(context: Context, name: str, artifact: str) -> Path:
    """Bring a model artifact to this machine, unless it is there already.

    Args:
        name: the training job that made it; the folder's name under `.sentictl/models/`.
        artifact: its S3 URI.

    Returns:
        The folder that holds the artifact's files.

    Raises:
        ModelError: it is not in the bucket any more, or cannot be unpacked.
    """
    models = context.config.folder.models
    folder = models / name
    if not folder.is_dir():
        check_artifact(context, name, artifact)
        models.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=models, prefix=".fetching-") as scratch:
            _unpack(context, artifact, Path(scratch))
            (Path(scratch) / "artifact").rename(folder)
    return folder


def artifact_is_there(context: Context, artifact: str) -> bool:
    """Whether the bucket still has a model artifact, given its S3 URI."""
    return read_object(context, *_place(artifact)) is not None


def check_artifact(context: Context, name: str, artifact: str) -> None:
    """Refuse a model whose artifact is not in the bucket any more.

    Raises:
        ModelError: says so.
    """
    if not artifact_is_there(context, artifact):
        raise ModelError(f"The artifact of {name} is not there any more: {artifact}", "See the others: sentictl models")


def make_current(context: Context, folder: Path) -> None:
    """Make an artifact the one that `predict` and `evaluate` read in this environment, unless it is that already."""
    link = context.config.current_model
    if link.is_symlink() and link.resolve() == folder.resolve():
        return
    if link.is_dir() and not link.is_symlink():
        shutil.rmtree(link)
    fresh = link.with_name(f".{link.name}.new")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(folder.name)
    fresh.replace(link)


def _place(artifact: str) -> tuple[str, str]:
    """The bucket and the key of an S3 URI."""
    bucket, _, key = artifact.removeprefix("s3://").partition("/")
    return bucket, key


def _unpack(context: Context, artifact: str, scratch: Path) -> None:
    packed = scratch / "model.tar.gz"
    context.environment.client("s3").download_file(*_place(artifact), str(packed))
    try:
        with packed.open("rb") as stream:
            unpack_tar_gz(stream, scratch / "artifact")
    except ArchiveError as problem:
        raise ModelError(
            f"The artifact {artifact} cannot be unpacked: {problem}.", "Train it again, or see others: sentictl models"
        ) from None
