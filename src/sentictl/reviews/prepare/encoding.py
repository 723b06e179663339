"""Reviews of a corpus as ids in a file, of which only some are in memory at a time."""

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sentimodel.vocabulary import UNK

from sentictl.reviews.prepare.corpus import Corpus, blocks
from sentictl.reviews.prepare.split_assignment import NONE


def save_encoded(path: Path, corpus: Corpus, rows: NDArray[np.int64], ids: NDArray[np.uint16]) -> int:
    """Write some reviews as `sentimodel.dataset` reads them, the same bytes as its `save` for the same reviews.

    Args:
        path: the `.npz` file; those of labelled reviews hold their labels.
        corpus: the reviews.
        rows: which of them, in their order in the file.
        ids: the id of each token of the corpus.

    Returns:
        how many of their tokens are unknown.
    """
    offsets = np.concatenate([[0], np.cumsum(corpus.lengths[rows])])
    labels = corpus.members.labels[rows].astype(np.uint8)
    unknown = 0

    def encoded() -> Iterator[NDArray[np.uint16]]:
        nonlocal unknown
        for some in blocks(rows):
            block = ids[corpus.tokens(some)]
            unknown += int((block == UNK).sum())
            yield block

    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _save_array(archive, "ids", int(offsets[-1]), ids.dtype, encoded())
        _save_array(archive, "offsets", len(offsets), offsets.dtype, [offsets])
        if corpus.members.labels[rows[0]] != NONE:
            _save_array(archive, "labels", len(labels), labels.dtype, [labels])
    return unknown


def _save_array(
    archive: zipfile.ZipFile, name: str, length: int, dtype: np.dtype, parts: Iterable[NDArray[np.generic]]
) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (length,)}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(part.tobytes())
