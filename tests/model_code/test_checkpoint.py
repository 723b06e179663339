"""CheckpointFolder: what is written is what is read, and nothing else is."""

from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.checkpoint import CheckpointFolder, state_of

STATE = {"weights": torch.arange(6).reshape(2, 3), "history": [{"epoch": 1, "train_loss": 0.1}], "rate": 0.5}


def checkpoints(folder: Path, **inputs: object) -> tuple[CheckpointFolder, list[str]]:
    """CheckpointFolder of these inputs, and what they say."""
    lines: list[str] = []
    return CheckpointFolder(folder, inputs, lines.append), lines


def test_a_state_comes_back_as_it_was(tmp_path: Path) -> None:
    written, _ = checkpoints(tmp_path / "new", seed=1)
    assert written.content("teacher") is None
    written.write("teacher", STATE)
    content = written.content("teacher")
    assert content is not None
    state = state_of(content)
    torch.testing.assert_close(state["weights"], STATE["weights"])
    assert (state["history"], state["rate"]) == (STATE["history"], STATE["rate"])
    assert written.content("student") is None
    assert len(list((tmp_path / "new").iterdir())) == 1


def test_one_of_other_inputs_is_left_alone_and_named(tmp_path: Path) -> None:
    checkpoints(tmp_path, seed=1)[0].write("", STATE)
    other, lines = checkpoints(tmp_path, seed=2)
    assert other.content("") is None
    assert len(lines) == 1
    assert "other data or hyperparameters" in lines[0]
    assert checkpoints(tmp_path, seed=1)[0].content("") is not None


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 4000])
def test_what_is_no_checkpoint_is_named(tmp_path: Path, content: bytes) -> None:
    written, lines = checkpoints(tmp_path)
    written.write("", STATE)
    (path,) = tmp_path.iterdir()
    path.write_bytes(content)
    assert written.content("") is None
    assert len(lines) == 1
    assert "damaged" in lines[0]
    assert path.name in lines[0]


@pytest.fixture(scope="module")
def factory(tmp_path_factory: pytest.TempPathFactory) -> pytest.TempPathFactory:
    """For a folder of each example's own."""
    return tmp_path_factory


@given(st.data())
def test_a_changed_byte_or_a_missing_end_is_found(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("checkpoints")
    written, lines = checkpoints(folder)
    written.write("", STATE)
    (path,) = folder.iterdir()
    content = bytearray(path.read_bytes())
    place = data.draw(st.integers(0, len(content) - 1))
    if data.draw(st.booleans()):
        content[place] ^= data.draw(st.integers(1, 255))
    else:
        del content[place:]
    path.write_bytes(content)
    assert written.content("") is None
    assert "damaged" in lines[0]
