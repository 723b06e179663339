"""Models that a person names."""

import shutil
import tarfile
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from sentimodel.predictor import Predictor

from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.state import Record
from sentictl.errors import ModelError
from sentictl.lifecycle.resource import Context
from sentictl.services.evaluate import local_models


@pytest.fixture
def models(tmp_path: Path, toy_artifact: Path) -> Config:
    """A project with one model on this machine and a link to it, which is version 1."""
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "reviews"\n')
    config = Config.load(ProjectFolder(tmp_path))
    folder = config.folder.models
    shutil.copytree(toy_artifact, folder / "reviews-1")
    (folder / "current-local").symlink_to("reviews-1")
    (folder / ".fetching-x").mkdir()
    config.state.keep(Record("training-job", "reviews-1", "arn:1", {"artifact": "s3://b/reviews-1", "trained": "1"}))
    return config


def opened_model(given: str, config: Config) -> AbstractContextManager[Predictor]:
    return local_models.opened_model(given, config, nothing_is_fetched)


def nothing_is_fetched() -> Context:
    pytest.fail("AWS was asked")


@pytest.mark.parametrize("given", ["reviews-1", "1"])
def test_by_its_name_or_number(models: Config, given: str) -> None:
    with opened_model(given, models) as predictor:
        assert predictor.predict(["superb"])[0].label == "positive"


def test_by_its_folder(models: Config, toy_artifact: Path) -> None:
    with opened_model(str(toy_artifact), models) as predictor:
        assert predictor.metadata.model == "toy"


def test_by_its_archive_which_leaves_nothing_behind(
    models: Config, toy_artifact: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(toy_artifact, arcname=".")
    with opened_model(str(archive), models) as predictor:
        assert predictor.predict(["superb"])[0].label == "positive"
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"not an archive", b"\x1f\x8b\x08\x00 cut short"])
def test_a_file_that_is_no_archive_is_refused(models: Config, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "model.tar.gz"
    file.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.tar\.gz cannot be unpacked"), opened_model(str(file), models):
        pytest.fail("opened")


def test_an_archive_that_climbs_out_is_refused(models: Config, tmp_path: Path) -> None:
    archive = tmp_path / "model.tar.gz"
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(models.folder.models / "reviews-1" / "metadata.json", arcname="../outside.json")
    with pytest.raises(ModelError, match="cannot be unpacked"), opened_model(str(archive), models):
        pytest.fail("opened")


def test_a_folder_without_a_model_is_refused(models: Config, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="holds no model"), opened_model(str(tmp_path), models):
        pytest.fail("opened")


def test_an_unknown_name_gets_a_suggestion_or_the_list(models: Config) -> None:
    with pytest.raises(ModelError) as close, opened_model("review-1", models):
        pytest.fail("opened")
    assert close.value.hint == "Did you mean reviews-1?"
    with pytest.raises(ModelError) as far, opened_model("zzz", models):
        pytest.fail("opened")
    assert far.value.hint == "Models on this machine: reviews-1."
