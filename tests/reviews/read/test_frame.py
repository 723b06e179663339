"""DataFrames of reviews."""

from pathlib import Path
from typing import Any

import pytest

from sentictl.config.settings import DataSettings
from sentictl.errors import DataError
from sentictl.reviews.read.frame import keep_frame
from sentictl.reviews.read.tables.table import TableSource

COLUMNS = {"review": ["Good – “so”", "Bad", "None"], "label": [1.0, 0.0, None]}


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_is_kept_as_a_file_that_is_named_for_its_content(tmp_path: Path, library: str) -> None:
    frame = pytest.importorskip(library).DataFrame(COLUMNS)
    name = keep_frame(frame, tmp_path)
    source = TableSource(tmp_path / name, DataSettings())
    assert [(review.text, review.label) for review in source.reviews()] == [("Good – “so”", 1), ("Bad", 0)]
    assert source.warnings == {"review without a label skipped": 1}
    assert keep_frame(frame, tmp_path) == name
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("frame", [[1, 2], "text", None, {"review": []}])
def test_anything_else_is_refused(tmp_path: Path, frame: Any) -> None:
    with pytest.raises(DataError, match="is no DataFrame"):
        keep_frame(frame, tmp_path)


def test_an_empty_frame_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="has no rows"):
        keep_frame(pytest.importorskip("pandas").DataFrame({"review": [], "label": []}), tmp_path)
