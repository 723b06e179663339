"""The model artifact: a folder with everything that is needed to predict, and how to trust it.

No torch here: predictions with ONNX Runtime start from this as well.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from sentimodel.files import CODE, METADATA, write_whole

FORMAT = 2
# The architectures, as choices of parts.
PARTS = {
    "ngram": ("ngram",),
    "lstm": ("lstm",),
    "wide-lstm": ("ngram", "lstm"),
}
# By the part, the names of what it reads:
# rows: the numbers of the n-grams that a review holds, `[batch, n-grams]`, 0 for none;
# ids: its token ids, `[batch, time]`, PAD after its end; ends: the n-grams that end there, `[batch, time, LONGEST]`.
INPUTS = {"ngram": ("rows",), "lstm": ("ids", "ends")}

_CODE_FILES = ("inference.py", "requirements.txt", "sentimodel/*.py")
_ROOT_FILES = ("config.yaml", "deployment.py")  # AWS's Ray Serve image looks for them beside the weights
_TRAIN_AGAIN = "Train the model again, or fetch the artifact again."


class ArtifactError(ValueError):
    """An artifact cannot be used. The message names the file, the reason and the next step."""


@dataclass(frozen=True)
class Metadata:
    """The facts about a model, kept beside it as JSON.

    Attributes:
        model: the model's name, the training job's on SageMaker.
        architecture: the kind of network, one of `PARTS`.
        hyperparameters: all values the model was trained with, the sizes of the network among them.
        text: the text settings, as `TextSettings.to_dict` gives them.
        dataset: the digest of the dataset, or "" if it had none.
        metrics: best epoch, validation accuracy and loss, and the figures of each epoch.
        files: the SHA-256 digest of each file of the artifact, in hexadecimal.
        versions: of Python and the libraries that trained it.
        format: the version of this layout.
    """

    model: str
    architecture: str
    hyperparameters: dict[str, Any]
    text: dict[str, Any]
    dataset: str
    metrics: dict[str, Any]
    files: dict[str, str]
    versions: dict[str, str]
    format: int = FORMAT


def write(folder: Path, files: Mapping[str, bytes], code: Path, metadata: Metadata) -> Metadata:
    """Write an artifact, `metadata.json` last: without it a folder is no artifact.

    Args:
        folder: where to; made if absent.
        files: the content of `WEIGHTS`, `ONNX`, `NGRAMS` and `VOCABULARY`.
        code: the folder of the code that serves it, copied into the artifact.
        metadata: everything but `files`, which is filled in here.

    Returns:
        The metadata as written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / METADATA).unlink(missing_ok=True)
    for name, content in files.items():
        write_whole(folder / name, content)
    _copy(code, _CODE_FILES, folder / CODE)
    _copy(code, _ROOT_FILES, folder)
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    complete = Metadata(**{**asdict(metadata), "files": digests})
    write_whole(folder / METADATA, json.dumps(asdict(complete), indent=2).encode() + b"\n")
    return complete


def read_metadata(folder: Path) -> Metadata:
    """Read the metadata of an artifact. Raises ArtifactError if it is missing, damaged or of another format."""
    path = folder / METADATA
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ArtifactError(f"{path} is missing: {folder} holds no model. {_TRAIN_AGAIN}") from error
    except (OSError, ValueError) as error:
        raise ArtifactError(f"{path} cannot be read: {error}. {_TRAIN_AGAIN}") from error
    if not isinstance(values, dict) or not isinstance(values.get("format"), int):
        raise ArtifactError(f"{path} is not a model's metadata: it has no format number. {_TRAIN_AGAIN}")
    if values["format"] != FORMAT:
        raise ArtifactError(
            f"{path} has format {values['format']}, and this program reads format {FORMAT}. "
            "Train the model again, or use the version that wrote it."
        )
    return _parse(path, values)


def verify(folder: Path, metadata: Metadata, names: Iterable[str]) -> None:
    """Check that files of the artifact are the ones it was written with. Raises ArtifactError if one is not."""
    for name in names:
        path = folder / name
        try:
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except FileNotFoundError as error:
            raise ArtifactError(f"{path} is missing: the artifact is incomplete. {_TRAIN_AGAIN}") from error
        except OSError as error:
            raise ArtifactError(f"{path} cannot be read: {error}. {_TRAIN_AGAIN}") from error
        if digest != metadata.files.get(name):
            raise ArtifactError(f"{path} is not the one {METADATA} describes: its SHA-256 differs. {_TRAIN_AGAIN}")


def _parse(path: Path, values: dict[str, Any]) -> Metadata:
    names = {field.name for field in fields(Metadata)}
    if set(values) != names:
        wrong = ", ".join(sorted(names.symmetric_difference(values)))
        raise ArtifactError(f"{path} is damaged: missing or unknown: {wrong}. {_TRAIN_AGAIN}")
    metadata = Metadata(**values)
    texts = (metadata.model, metadata.architecture, metadata.dataset)
    tables = (metadata.hyperparameters, metadata.text, metadata.metrics, metadata.files, metadata.versions)
    if not all(isinstance(value, str) for value in texts) or not all(isinstance(value, dict) for value in tables):
        raise ArtifactError(f"{path} is damaged: a value is of the wrong kind. {_TRAIN_AGAIN}")
    return metadata


def _copy(source: Path, patterns: Iterable[str], target: Path) -> None:
    for pattern in patterns:
        for path in sorted(source.glob(pattern)):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            write_whole(copy, path.read_bytes())
