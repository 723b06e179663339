"""The model code of a project of its own, in Python processes that use the Python API."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sentictl.assets.installed import installed_package

HERE = "from sentictl import Project; Project(tell=None); import sentimodel.text; print(sentimodel.text.__file__)"
THERE = "from sentictl import Project; from sentictl.errors import StateError\ntry:\n    Project({!r}, tell=None)\n"
THERE += "except StateError as problem:\n    print(problem.message)\nelse:\n    print('opened')"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A project with model code of its own."""
    return project(tmp_path / "own", ejected=True)


def project(folder: Path, *, ejected: bool) -> Path:
    folder.mkdir()
    (folder / "sentictl.toml").write_text('[project]\nname = "films"\n')
    if ejected:
        shutil.copytree(installed_package(), folder / "model_code" / "sentimodel")
    return folder


def python(folder: Path, script: str) -> str:
    done = subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_python_in_a_project_uses_the_projects_own(own: Path) -> None:
    assert python(own, HERE) == str(own / "model_code" / "sentimodel" / "text.py")


def test_python_in_a_project_without_uses_the_installed_one(tmp_path: Path) -> None:
    assert python(project(tmp_path / "plain", ejected=False), HERE) == str(installed_package() / "text.py")


def test_one_process_cannot_use_two(own: Path, tmp_path: Path) -> None:
    plain = project(tmp_path / "plain", ejected=False)
    assert "has another" in python(own, THERE.format(str(plain)))
    assert "has another" in python(plain, THERE.format(str(own)))
    assert python(own, THERE.format(str(own))) == "opened"


def test_model_code_without_a_project_beside_it_is_not_used(own: Path) -> None:
    (own / "sentictl.toml").unlink()
    script = "import sentictl.api.project, sentimodel.text; print(sentimodel.text.__file__)"
    assert python(own, f"from sentictl import Project; {script}") == str(installed_package() / "text.py")
