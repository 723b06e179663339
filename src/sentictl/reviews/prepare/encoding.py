"""Reviews as ids in a file, of which only some need be in memory at a time."""

import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sentictl.reviews.prepare.split_assignment import NONE


def save_shard(
    path: Path,
    ids: Iterable[NDArray[np.uint16]],
    lengths: NDArray[np.int64],
    labels: NDArray[np.int8],
    groups: NDArray[np.int32] | None,
) -> None:
    """Write some reviews as `sentimodel.dataset` reads them, the same bytes as its `save` for the same reviews.

    Args:
        path: the `.npz` file.
        ids: the ids of all reviews one after the other, of whole reviews at a time.
        lengths: how many ids each review has.
        labels: of each of the reviews; those of unlabelled ones are not written.
        groups: of each of them, where they are known.
    """
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        _save_array(archive, "ids", int(offsets[-1]), np.dtype(np.uint16), ids)
        _save_array(archive, "offsets", len(offsets), offsets.dtype, [offsets])
        if labels[0] != NONE:
            _save_array(archive, "labels", len(labels), np.dtype(np.uint8), [labels.astype(np.uint8)])
        if groups is not None:
            _save_array(archive, "groups", len(groups), groups.dtype, [groups])


def _save_array(
    archive: zipfile.ZipFile, name: str, length: int, dtype: np.dtype, parts: Iterable[NDArray[np.generic]]
) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": (length,)}
    with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(part.tobytes())
