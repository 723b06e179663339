"""An artifact of each architecture."""

import os
from pathlib import Path

import pytest
import torch
from sentimodel.artifact import PARTS

from tests.conftest import TOY_OPTIONS, once
from tests.model_code.scripts import load_script


@pytest.fixture(scope="session")
def artifacts(tmp_path_factory: pytest.TempPathFactory, toy_dataset: Path, toy_artifact: Path) -> dict[str, Path]:
    """By its architecture, an artifact folder trained as `toy_artifact` was, which is the default one's."""

    def make(folder: Path) -> None:
        folders = {name: toy_dataset / name for name in ("train", "validation", "vocabulary")}
        with pytest.MonkeyPatch.context() as patch:
            for name in [name for name in os.environ if name.startswith(("SM_", "TRAINING_JOB"))]:
                patch.delenv(name)
            for architecture in others:
                own = {"architecture": architecture, "model-dir": folder / architecture}
                options = {**TOY_OPTIONS, **folders, **own}
                arguments = [part for name, value in options.items() for part in (f"--{name}", str(value))]
                assert load_script("train").main(arguments) == 0
        torch.use_deterministic_algorithms(False)

    others = [architecture for architecture in PARTS if architecture != "wide-lstm"]
    folder = once(tmp_path_factory, "artifacts", make)
    return {"wide-lstm": toy_artifact} | {architecture: folder / architecture for architecture in others}
