"""The files that travel with sentictl."""

import json
import re
import shlex
import sys
import tomllib
from pathlib import Path
from string import Template

import pytest

from sentictl.assets.installed import install_command, model_code, pip, template_files, templates, update_advice
from sentictl.config.settings import Settings
from sentictl.errors import StateError


def test_the_source_archive_has_the_scripts_and_the_package() -> None:
    files = model_code()
    assert {"train.py", "inference.py", "requirements.txt", "sentimodel/__init__.py"} <= files.keys()
    assert all(path.is_file() for path in files.values())


def test_the_commented_settings_show_every_default_and_are_allowed() -> None:
    text = Template((templates() / "project" / "sentictl.toml").read_text()).substitute(name="films", id="")
    settings_part, _, _ = text.partition("# An environment on AWS")
    _, project, tables = settings_part.partition("[project]")
    values = tomllib.loads(re.sub("^# ", "", project + tables, flags=re.MULTILINE))
    expected = Settings().model_dump(by_alias=True)
    expected["project"]["name"] = "films"
    assert values == expected


def test_a_projects_own_file_is_used_in_place_of_the_installed_one(tmp_path: Path) -> None:
    own = tmp_path / "templates" / "site" / "page.css"
    own.parent.mkdir(parents=True)
    own.write_text("body {}")
    files = template_files("site", tmp_path)
    assert files["page.css"] == own
    assert files["index.html"] == templates() / "site" / "index.html"


def test_scripts_are_taken_one_by_one_and_the_package_whole(tmp_path: Path) -> None:
    code = tmp_path / "model_code"
    (code / "sentimodel").mkdir(parents=True)
    (code / "train.py").touch()
    assert model_code(tmp_path) == model_code() | {"train.py": code / "train.py"}
    (code / "sentimodel" / "__init__.py").touch()
    own = {"train.py": code / "train.py", "sentimodel/__init__.py": code / "sentimodel" / "__init__.py"}
    scripts = {name: path for name, path in model_code().items() if "/" not in name}
    assert model_code(tmp_path) == scripts | own


def test_a_part_of_the_package_is_refused(tmp_path: Path) -> None:
    package = tmp_path / "model_code" / "sentimodel"
    package.mkdir(parents=True)
    (package / "text.py").touch()
    with pytest.raises(StateError, match="__init__"):
        model_code(tmp_path)


def test_what_python_and_editors_leave_is_no_part_of_the_code(tmp_path: Path) -> None:
    code = tmp_path / "model_code"
    for name in ("__pycache__/train.pyc", ".train.py.swp", "train.py~", ".ipynb_checkpoints/train.py", "lib/more.py"):
        (code / name).parent.mkdir(parents=True, exist_ok=True)
        (code / name).touch()
    assert model_code(tmp_path) == model_code() | {"lib/more.py": code / "lib" / "more.py"}


@pytest.mark.parametrize(
    ("origin", "words"),
    [
        (None, ["sentictl[local,train]"]),
        ({"url": "file:///my%20films", "dir_info": {"editable": True}}, ["--editable", "/my films[local,train]"]),
        ({"url": "file:///films", "dir_info": {}}, ["/films[local,train]"]),
        (
            {"url": "https://example.com/sentictl-1.whl", "archive_info": {}},
            ["sentictl[local,train] @ https://example.com/sentictl-1.whl"],
        ),
        (
            {
                "url": "https://example.com/films.git",
                "subdirectory": "cli",
                "vcs_info": {"vcs": "git", "requested_revision": "main", "commit_id": "c0ffee"},
            },
            ["sentictl[local,train] @ git+https://example.com/films.git@c0ffee#subdirectory=cli"],
        ),
    ],
    ids=["index", "editable", "folder", "wheel", "git"],
)
def test_extras_are_installed_from_where_this_copy_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None, words: list[str]
) -> None:
    _installed_as(tmp_path, monkeypatch, origin, "pip")
    command = install_command("local", "train")
    assert shlex.split(command) == [sys.executable, "-m", "pip", "install", *words]
    assert update_advice().startswith("Update sentictl: ")
    if "vcs_info" in (origin or {}):
        assert "films.git@main#" in update_advice()


def test_an_installation_without_pip_is_told_to_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _installed_as(tmp_path, monkeypatch, None, "uv")
    assert shlex.split(pip("moto[server]")) == ["uv", "pip", "install", "--python", sys.executable, "moto[server]"]


def _installed_as(
    folder: Path, monkeypatch: pytest.MonkeyPatch, origin: dict[str, object] | None, installer: str
) -> None:
    """Put what an installer records of a copy before that of the copy which runs here."""
    record = folder / "sentictl-1.0.dist-info"
    record.mkdir()
    (record / "METADATA").write_text("Metadata-Version: 2.1\nName: sentictl\nVersion: 1.0\n")
    (record / "INSTALLER").write_text(f"{installer}\n")
    if origin is not None:
        (record / "direct_url.json").write_text(json.dumps(origin))
    monkeypatch.syspath_prepend(str(folder))
