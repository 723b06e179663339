"""Credentials that lead to another account than the one in which the recorded resources are."""

from collections.abc import Iterator

import pytest

from tests.chain.shell import Shell

HERE, ELSEWHERE = "123456789012", "210987654321"


@pytest.fixture(scope="module")
def elsewhere(shell: Shell) -> Iterator[Shell]:
    """A project whose resources are recorded in another account."""
    shell.run("data")
    settings = shell.folder / "sentictl.toml"
    text = settings.read_text()
    assert f'account = "{HERE}"' in text
    settings.write_text(text.replace(f'account = "{HERE}"', f'account = "{ELSEWHERE}"'))
    yield shell
    settings.write_text(text)


COMMANDS = pytest.mark.parametrize(
    "command",
    [
        ("up",),
        ("data",),
        ("deploy",),
        ("down", "--yes"),
        ("status",),
        ("plan",),
        ("up", "--dry-run"),
        ("logs", "train"),
        ("train", "--stop"),
        ("predict", "superb", "--via", "endpoint"),
    ],
)


@COMMANDS
def test_a_command_in_another_account_stops(elsewhere: Shell, command: tuple[str, ...]) -> None:
    before = elsewhere.journal(), (elsewhere.folder / "sentictl.toml").read_bytes()
    error = elsewhere.json(*command, expect=4)["error"]
    assert error["code"] == "access"
    assert all(word in error["message"] for word in (HERE, ELSEWHERE, "environment local"))
    assert "AWS_PROFILE" in error["hint"]
    assert (elsewhere.journal(), (elsewhere.folder / "sentictl.toml").read_bytes()) == before


def test_what_is_public_needs_no_account(elsewhere: Shell) -> None:
    assert "wire-api" in elsewhere.json("predict", "superb", "--via", "api", expect=1)["error"]["hint"]
    assert elsewhere.json("config", "get", "train.epochs") == 8
