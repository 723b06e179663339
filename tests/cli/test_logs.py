"""`sentictl logs`, called in ways that ask for nothing."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from sentictl.cli.app import app


def test_an_empty_id_is_none_and_not_every_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "toy"\nid = "0123456789ab"\n')
    monkeypatch.chdir(tmp_path)
    asked = CliRunner().invoke(app, ["logs", "--request", ""])
    assert (asked.exit_code, "'' is no id of a request." in asked.output) == (2, True)
