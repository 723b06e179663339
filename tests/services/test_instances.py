"""Instance types that SageMaker does not know are refused before anything is made."""

from pathlib import Path

import pytest

from sentictl.aws.environment import Environment
from sentictl.errors import SettingsError
from sentictl.folder import ProjectFolder
from sentictl.lifecycle.resource import Context
from sentictl.project import Project
from sentictl.services.instances import check_instance_types


def context(folder: Path, text: str) -> Context:
    (folder / "sentictl.toml").write_text(text)
    environment = Environment("local", "us-east-1", endpoint_url="http://127.0.0.1:9")
    return Context(Project.load(ProjectFolder(folder)), environment, lambda *_: None)


def test_the_defaults_are_known(tmp_path: Path) -> None:
    check_instance_types(context(tmp_path, ""))


@pytest.mark.parametrize("table", ["train", "deploy"])
def test_an_unknown_type_gets_a_suggestion(tmp_path: Path, table: str) -> None:
    with pytest.raises(SettingsError, match=f"ml.m5.lage is not an instance type .* for {table}") as refusal:
        check_instance_types(context(tmp_path, f'[{table}]\ninstance_type = "ml.m5.lage"\n'))
    assert "Did you mean ml.m5.large?" in refusal.value.hint
