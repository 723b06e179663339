"""The files of a dataset and of an artifact: their names, and writing one so that nobody ever reads half of it."""

from pathlib import Path

# Of a dataset: the reviews of a split, which of the training reviews belong together, and how a review became ids.
REVIEWS = "reviews.npz"
GROUPS = "groups.npy"
TEXT = "text.json"
VOCABULARY = "vocabulary.txt"  # in the artifact, too

# Of an artifact.
WEIGHTS = "model.pt"
ONNX = "model.onnx"
NGRAMS = "ngrams.npy"
METADATA = "metadata.json"
CODE = "code"


def write_whole(path: Path, content: bytes) -> None:
    """Write a file under a temporary name in its folder, then rename it: it appears whole or not at all."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
