"""Artifact folders: written, read, and distrusted."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sentimodel import artifact, files
from sentimodel.artifact import ArtifactError, Metadata

FILES = {
    files.WEIGHTS: b"weights",
    files.ONNX: b"graph",
    files.NGRAMS: b"keys",
    files.VOCABULARY: b"<pad>\n<unk>\n",
}
DESCRIPTION = Metadata(
    model="m",
    architecture="lstm",
    hyperparameters={"epochs": 1},
    text={"stem": True},
    dataset="d",
    metrics={"best_epoch": 1},
    files={},
    versions={"python": "3"},
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A written artifact."""
    code = tmp_path / "source"
    (code / "sentimodel").mkdir(parents=True)
    for name in ("inference.py", "deployment.py", "config.yaml", "requirements.txt", "train.py", "sentimodel/text.py"):
        (code / name).write_text(f"# {name}")
    artifact.write(tmp_path / "artifact", FILES, code, DESCRIPTION)
    return tmp_path / "artifact"


def rewrite(folder: Path, **changes: Any) -> None:
    """Change values of the metadata; None takes one out."""
    path = folder / files.METADATA
    values = json.loads(path.read_text()) | changes
    path.write_text(json.dumps({name: value for name, value in values.items() if value is not None}))


def test_what_was_written_is_read_and_verified(folder: Path) -> None:
    metadata = artifact.read_metadata(folder)
    assert metadata.files == {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    assert (metadata.model, metadata.metrics, metadata.format) == ("m", {"best_epoch": 1}, artifact.FORMAT)
    artifact.verify(folder, metadata, FILES)


def test_it_holds_the_inference_code_and_nothing_left_over(folder: Path) -> None:
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "code/inference.py",
        "code/requirements.txt",
        "code/sentimodel/text.py",
        "config.yaml",
        "deployment.py",
        "metadata.json",
        "model.onnx",
        "model.pt",
        "ngrams.npy",
        "vocabulary.txt",
    ]


@pytest.mark.parametrize("name", FILES)
def test_a_changed_file_is_noticed(folder: Path, name: str) -> None:
    (folder / name).write_bytes(FILES[name] + b"x")
    with pytest.raises(ArtifactError, match=rf"{name}.*SHA-256.*Train the model again"):
        artifact.verify(folder, artifact.read_metadata(folder), FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_noticed(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ArtifactError, match=f"{name} is missing"):
        artifact.verify(folder, artifact.read_metadata(folder), FILES)


def test_a_folder_without_metadata_holds_no_model(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"metadata\.json is missing"):
        artifact.read_metadata(tmp_path)


def test_another_format_is_named_with_a_way_out(folder: Path) -> None:
    rewrite(folder, format=1)
    with pytest.raises(ArtifactError, match="format 1, and this program reads format 2"):
        artifact.read_metadata(folder)


@pytest.mark.parametrize(
    "changes",
    [{"model": None}, {"surprise": 1}, {"model": 3}, {"files": []}, {"text": "x"}, {"format": "1"}, {"format": None}],
)
def test_damaged_metadata_is_refused(folder: Path, changes: dict[str, Any]) -> None:
    rewrite(folder, **changes)
    with pytest.raises(ArtifactError, match=r"metadata\.json"):
        artifact.read_metadata(folder)


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff"])
def test_metadata_that_is_no_json_object_is_refused(folder: Path, content: bytes) -> None:
    (folder / files.METADATA).write_bytes(content)
    with pytest.raises(ArtifactError, match=r"metadata\.json"):
        artifact.read_metadata(folder)


def test_an_interrupted_rewrite_leaves_no_artifact(folder: Path, tmp_path: Path) -> None:
    class Interrupted(dict[str, bytes]):
        def items(self) -> Any:
            yield files.WEIGHTS, b"new"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        artifact.write(folder, Interrupted(), tmp_path / "source", DESCRIPTION)
    with pytest.raises(ArtifactError):
        artifact.read_metadata(folder)
