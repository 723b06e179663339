"""Settings that name another region than the one in which the recorded resources are."""

from collections.abc import Iterator

import pytest

from tests.chain.shell import Shell
from tests.chain.test_account import COMMANDS


@pytest.fixture
def moved(shell: Shell) -> Iterator[Shell]:
    """The same project, whose settings name another region than the recorded one."""
    shell.run("data")
    settings = shell.folder / "sentictl.toml"
    text = settings.read_text()
    assert 'region = "us-east-1"' in text
    settings.write_text(text + '\n[env.local]\nregion = "eu-west-1"\n')
    yield shell
    settings.write_text(text)


@COMMANDS
def test_a_command_in_another_region_stops(moved: Shell, command: tuple[str, ...]) -> None:
    before = moved.journal(), (moved.folder / "sentictl.toml").read_bytes()
    error = moved.json(*command, expect=2)["error"]
    assert error["code"] == "settings"
    assert all(word in error["message"] for word in ("us-east-1", "eu-west-1", "environment local"))
    assert "sentictl config set env.local.region us-east-1" in error["hint"]
    assert (moved.journal(), (moved.folder / "sentictl.toml").read_bytes()) == before


def test_doctor_and_what_is_public_name_the_other_region_too(moved: Shell) -> None:
    checks = moved.json("doctor", expect=1)["checks"]
    (finding,) = [check for check in checks if check["name"] == "settings and state"]
    assert "us-east-1" in finding["found"]
    assert "region us-east-1" in moved.json("predict", "superb", "--via", "api", expect=2)["error"]["message"]


def test_the_way_back_works_as_it_is_told(moved: Shell) -> None:
    hint = moved.json("status", expect=2)["error"]["hint"]
    command = hint.partition("sentictl ")[2].partition(". ")[0]
    moved.run(*command.split())
    assert moved.json("status")["resources"]
