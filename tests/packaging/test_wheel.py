"""The built wheel, in an environment that has its dependencies but nothing of this checkout."""

import io
import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import sentictl
from sentictl.services.notebook import package
from tests.chain.shell import begin

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    version = {"SETUPTOOLS_SCM_PRETEND_VERSION_FOR_SENTICTL": sentictl.__version__}  # of before the newest commits
    subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True, env=os.environ | version)
    (wheel,) = folder.glob("sentictl-*.whl")
    return wheel


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The program `sentictl` of the wheel. Its dependencies are looked up where these tests have theirs."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", str(python), "install", "--no-deps", "--no-index", str(wheel)],
        check=True,
        capture_output=True,
    )
    (packages,) = folder.glob("lib/python*/site-packages")
    # A path in a .pth file is searched, but the .pth files in it, this checkout's among them, are not read.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "bin" / "sentictl"


def test_the_wheel_carries_model_code_and_templates(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    targets = {
        "templates": "sentictl/templates",
        "notebooks": "sentictl/notebooks",
        "model_code/sentimodel": "sentimodel",
    }
    for folder, target in targets.items():
        for path in (CHECKOUT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert f"{target}/{path.relative_to(CHECKOUT / folder).as_posix()}" in names
    scripts = {path.name for path in (CHECKOUT / "model_code").iterdir() if path.is_file()}
    assert {f"sentictl/model_code/{name}" for name in scripts} <= names
    assert not [name for name in names if name.startswith(("tests", "benchmarks")) or "__pycache__" in name]


def test_what_is_installed_packs_itself_as_the_wheel_that_was_built(wheel: Path, installed: Path) -> None:
    built = {name for name in zipfile.ZipFile(wheel).namelist() if "/licenses/" not in name}
    name, content = package.wheel()
    here = set(zipfile.ZipFile(io.BytesIO(content)).namelist())
    # Where commits came since the checkout was installed, what was built now has another version.
    assert {part.replace(sentictl.__version__, version(wheel)) for part in {name, *here}} == {wheel.name, *built}
    code = "import sys; from sentictl.services.notebook.package import wheel; sys.stdout.buffer.write(wheel()[1])"
    again = subprocess.run([installed.with_name("python"), "-c", code], capture_output=True, check=True).stdout
    assert set(zipfile.ZipFile(io.BytesIO(again)).namelist()) == built


def version(wheel: Path) -> str:
    return wheel.name.split("-")[1]


def test_what_the_wheel_asks_for_is_what_these_tests_ran_with(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        lines = archive.read(name).decode().splitlines()
    for line in lines:
        if line.startswith("Requires-Dist: "):
            requirement = Requirement(line.removeprefix("Requires-Dist: "))
            if requirement.marker and any(extra in str(requirement.marker) for extra in ("bench", "ray", "spark")):
                continue  # what benchmarks compare with, and what `make test-peers` installs
            assert requirement.specifier.contains(distribution(requirement.name).version, prereleases=True), line


def test_the_installed_wheel_does_the_whole_chain_in_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    reviews = begin(tmp_path / "elsewhere").folder / "reviews.csv"
    empty = tmp_path / "empty"
    empty.mkdir()
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    environment |= {
        "SENTICTL_DATA_SOURCE": str(reviews),
        "SENTICTL_TRAIN_EPOCHS": "8",
        "SENTICTL_TRAIN_BATCH_SIZE": "16",
        "SENTICTL_TRAIN_LEARNING_RATE": "0.02",
        "SENTICTL_TRAIN_EMBEDDING_DIM": "8",
        "SENTICTL_TRAIN_HIDDEN_DIM": "8",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [installed, *arguments], cwd=empty, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    try:
        live = json.loads(run("up", "--json"))
        assert live["test"]["accuracy"] > 0.9
        assert json.loads(run("predict", "a superb film", "--via", "api", "--json"))["label"] == "positive"
        assert json.loads(run("predict", "a superb film", "--json"))["model"] == live["model"]
        where = subprocess.run(
            [installed.with_name("python"), "-c", "import sentictl, sentimodel; print(sentictl.__file__)"],
            cwd=empty,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        assert str(CHECKOUT / "src") not in where
    finally:
        run("down", "--yes")
    assert [path.name for path in empty.iterdir()] == ["sentictl.toml"]
