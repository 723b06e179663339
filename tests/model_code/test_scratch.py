"""Numbers in a file without a name."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.scratch import Scratch


@given(st.lists(st.lists(st.integers(-9, 9), max_size=9)), st.integers(0, 50), st.integers(0, 50))
def test_what_was_appended_is_read(parts: list[list[int]], first: int, last: int) -> None:
    scratch, every = Scratch(np.int32), [number for part in parts for number in part]
    for part in parts:
        scratch.append(np.array(part, dtype=np.int64))
    assert len(scratch) == len(every)
    assert scratch.read(first, last).tolist() == every[first:last]
    assert scratch.mapped().tolist() == every


def test_it_leaves_no_name_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    Scratch(np.int64).append(np.arange(1000))
    assert not list(tmp_path.iterdir())
