"""CheckpointFolder: what training needs to go on after the epoch it has just finished."""

import hashlib
import io
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sentimodel.files import write_whole

FORMAT = 1
_DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class CheckpointFolder:
    """The checkpoints of one training in a folder, one file for each stage.

    A file holds the SHA-256 digest of what follows, and then tensors and plain values as `torch.save` writes them,
    which are read with `weights_only=True`. It appears whole or not at all.

    Attributes:
        folder: where they are; made when the first is written.
        inputs: all that the result depends on, JSON-able. A checkpoint of other inputs is left alone until it is
            written over.
        say: told in one line why a checkpoint is not used.
    """

    folder: Path
    inputs: Mapping[str, Any]
    say: Callable[[str], None]

    def write(self, stage: str, state: Mapping[str, Any]) -> None:
        """Keep the state of a stage instead of the one before.

        Args:
            stage: the stage's name.
            state: tensors, numbers, strings, and lists and dictionaries of them.
        """
        buffer = io.BytesIO()
        torch.save({"inputs": self._key(), "state": dict(state)}, buffer)
        content = buffer.getvalue()
        self.folder.mkdir(parents=True, exist_ok=True)
        write_whole(self._path(stage), hashlib.sha256(content).digest() + content)

    def content(self, stage: str) -> bytes | None:
        """Read the bytes of a stage's checkpoint, if there is one that is whole and has these inputs."""
        path = self._path(stage)
        if not path.is_file():
            return None
        content = path.read_bytes()
        body = content[_DIGEST_BYTES:]
        if hashlib.sha256(body).digest() != content[:_DIGEST_BYTES]:
            self.say(f"checkpoint={path} is damaged and not used")
            return None
        if _load(body)["inputs"] != self._key():
            self.say(f"checkpoint={path} is of other data or hyperparameters and not used")
            return None
        return body

    def _path(self, stage: str) -> Path:
        return self.folder / f"{stage or 'training'}.checkpoint"

    def _key(self) -> str:
        return json.dumps({"format": FORMAT, **self.inputs}, sort_keys=True)


def state_of(content: bytes) -> dict[str, Any]:
    """Read the state that a checkpoint's bytes hold, on the CPU."""
    state: dict[str, Any] = _load(content)["state"]
    return state


def _load(content: bytes) -> dict[str, Any]:
    document: dict[str, Any] = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    return document
