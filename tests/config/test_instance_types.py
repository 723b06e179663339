"""Instance types: those that there are not, or that no image runs on, are refused; from the file, too."""

from pathlib import Path

import pytest

from sentictl.config.config import Config
from sentictl.config.instance_types import LISTS, Use, usable_instance_types
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.settings import Settings
from sentictl.errors import SettingsError


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    (tmp_path / "sentictl.toml").write_text("[project]\nname = 'films'\n")
    return ProjectFolder(tmp_path)


@pytest.mark.parametrize("use", LISTS)
def test_the_defaults_can_be_used(use: Use) -> None:
    assert use in usable_instance_types()[getattr(Settings(), use).instance_type]


@pytest.mark.parametrize("use", LISTS)
def test_every_type_that_is_listed_can_be_set(folder: ProjectFolder, use: Use) -> None:
    usable = [name for name, uses in usable_instance_types().items() if use in uses]
    config = Config.load(folder)
    for name in usable[::10]:
        config.change({f"{use}.instance_type": name})
        assert getattr(config.settings, use).instance_type == name


@pytest.mark.parametrize("use", LISTS)
def test_an_unknown_type_gets_a_suggestion(folder: ProjectFolder, use: Use) -> None:
    with pytest.raises(
        SettingsError, match=f'{use}.instance_type cannot be "ml.m5.xlage": there is no such'
    ) as refusal:
        Config.load(folder).set({f"{use}.instance_type": "ml.m5.xlage"})
    assert refusal.value.hint.startswith("Did you mean ml.m5.xlarge?")
    assert refusal.value.hint.endswith(f"sentictl config set {use}.instance_type ml.m5.xlarge")


@pytest.mark.parametrize(
    ("use", "name", "reason"),
    [
        ("deploy", "ml.inf1.xlarge", "accelerator"),
        ("deploy", "ml.inf2.xlarge", "accelerator"),
        ("deploy", "ml.trn1.2xlarge", "accelerator"),
        ("deploy", "ml.dl1.24xlarge", "accelerator"),
        ("deploy", "ml.p6e-gb200.36xlarge", "ARM"),
        ("train", "ml.trn1.2xlarge", "accelerator"),
        ("train", "ml.trn1n.32xlarge", "accelerator"),
        ("train", "ml.trn2.48xlarge", "accelerator"),
        ("train", "ml.p6e-gb200.36xlarge", "ARM"),
        ("train", "ml.p2.xlarge", "P2"),
        ("deploy", "ml.p2.xlarge", "P2"),
        ("train", "ml.p3.2xlarge", "CUDA 13"),
        ("train", "ml.p3dn.24xlarge", "CUDA 13"),
        ("train", "ml.c7g.large", "no such instance type"),  # SageMaker trains on no Graviton
    ],
)
def test_a_type_that_no_image_runs_on_is_refused_when_set_and_when_read(
    folder: ProjectFolder, use: Use, name: str, reason: str
) -> None:
    before = folder.settings_file.read_text()
    with pytest.raises(SettingsError, match=f'{use}.instance_type cannot be "{name}": .*{reason}'):
        Config.load(folder).set({f"{use}.instance_type": name})
    assert folder.settings_file.read_text() == before
    folder.settings_file.write_text(f"{before}[{use}]\ninstance_type = '{name}'\n")
    with pytest.raises(SettingsError, match=f'{use}.instance_type cannot be "{name}": .*{reason}') as refusal:
        Config.load(folder)
    assert "Correct it in " in refusal.value.hint


@pytest.mark.parametrize("name", ["ml.p3.2xlarge", "ml.g5.xlarge", "ml.c8g.large", "ml.m7i.large"])
def test_older_gpus_and_graviton_serve(folder: ProjectFolder, name: str) -> None:
    assert Config.load(folder).set({"deploy.instance_type": name}) == {"deploy.instance_type": name}


def test_a_variable_is_checked_as_well(folder: ProjectFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SENTICTL_DEPLOY_INSTANCE_TYPE", "ml.inf2.xlarge")
    with pytest.raises(SettingsError, match="accelerator") as refusal:
        Config.load(folder)
    assert refusal.value.hint == "Correct the variable SENTICTL_DEPLOY_INSTANCE_TYPE."
