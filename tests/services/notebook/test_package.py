"""What goes along to a notebook of the project."""

import io
import tarfile
import tomllib
from pathlib import Path

import pytest

from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.services.notebook.package import project


def unpacked(content: bytes, folder: Path) -> set[str]:
    """The names of the files in an archive, which is unpacked into a folder."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
        return {member.name for member in archive.getmembers()}


def written(context: Context, **files: str) -> Path:
    """The project's folder, with these files in it."""
    root = context.config.folder.root
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def test_the_settings_of_the_environment_go_along_and_what_is_recorded_does_not(
    offline: Context, tmp_path: Path
) -> None:
    written(offline, **{".sentictl/models/1/model.pt": "weights", "notes.txt": "mine"})
    assert unpacked(project(offline), tmp_path / "there") == {"sentictl.toml"}
    settings = tomllib.loads((tmp_path / "there" / "sentictl.toml").read_text())
    assert settings["project"]["name"] == "films"
    assert settings["env"] == {"prod": {"region": "eu-west-1"}}
    assert settings["train"]["epochs"] == 7
    assert "state" not in settings


def test_the_projects_own_code_and_templates_go_along(offline: Context, tmp_path: Path) -> None:
    own = dict.fromkeys(("model_code/train.py", "templates/site/page.css", "ejected.sha256"), "mine")
    written(offline, **own)
    assert unpacked(project(offline), tmp_path / "there") == {*own, "sentictl.toml"}
    assert {name: (tmp_path / "there" / name).read_text() for name in own} == own


@pytest.mark.parametrize("files", [("reviews.csv",), ("reviews/pos/1.txt", "reviews/neg/1.txt")])
def test_the_reviews_go_along(offline: Context, tmp_path: Path, files: tuple[str, ...]) -> None:
    written(offline, **dict.fromkeys(files, "A film."))
    offline.config.change({"data.source": files[0].partition("/")[0]})
    assert unpacked(project(offline), tmp_path / "there") == {*files, "sentictl.toml"}


def test_reviews_on_s3_stay_there(offline: Context, tmp_path: Path) -> None:
    offline.config.change({"data.source": "s3://films/reviews.csv"})
    assert unpacked(project(offline), tmp_path / "there") == {"sentictl.toml"}


@pytest.mark.parametrize("source", ["../reviews.csv", "/etc/hostname", "~/reviews.csv", "gone.csv"])
def test_reviews_elsewhere_are_refused(offline: Context, source: str) -> None:
    (offline.config.folder.root.parent / "reviews.csv").write_text("review,label\n")
    offline.config.change({"data.source": source})
    with pytest.raises(SettingsError, match="not in the project's folder") as refusal:
        project(offline)
    assert "config set data.source" in refusal.value.hint
