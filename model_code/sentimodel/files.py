"""The files of a dataset and of an artifact: their names, and writing one so that nobody ever reads half of it."""

from pathlib import Path

# Of a dataset, beside its shards: how a review became ids.
TEXT = "text.json"
VOCABULARY = "vocabulary.txt"  # in the artifact, too

# Of an artifact.
WEIGHTS = "model.pt"
ONNX = "model.onnx"
NGRAMS = "ngrams.npy"
METADATA = "metadata.json"
CODE = "code"


def shard_name(number: int) -> str:
    """Return what a shard is called: a file that holds some of a folder's reviews. Numbers begin with 0."""
    return f"reviews-{number:05d}.npz"


def shards(folder: Path) -> list[Path]:
    """List the shards of a folder in the order of their numbers; those of a folder that is not there are none."""
    return sorted(folder.glob("reviews-*.npz"), key=lambda path: (len(path.name), path.name))


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name in its folder, then rename it: it appears whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
