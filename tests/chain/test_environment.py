"""Another environment than `local`: the same commands, on what boto3 takes for AWS, in a region of its own."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chain.shell import Shell, begin


def test_the_whole_chain_up_and_down_in_another_environment(aws: Shell) -> None:
    shown = aws.run("up", "--env", "prod", "--json")
    assert "environment prod (AWS, eu-west-1)\naccount 123456789012\n" in shown.stderr
    assert shown.stderr.rstrip().endswith("sentictl down --env prod")
    status = aws.json("status", "--env", "prod")
    assert {resource["status"] for resource in status["resources"]} == {"Active", "Completed", "InService"}
    assert status["api_url"].startswith(f"{aws.variables['AWS_ENDPOINT_URL']}/restapis/")
    assert aws.json("predict", "superb", "--via", "endpoint", "--env", "prod")["sentiment"] == 1
    assert aws.json("status")["resources"] == []  # `local` has nothing
    refused = aws.json("down", "--env", "prod", "--yes", expect=2)["error"]
    assert "--confirm toy" in refused["hint"]
    gone = aws.json("down", "--env", "prod", "--confirm", "toy")
    assert gone["left"] == []
    assert len(gone["deleted"]) == len(status["resources"])
    settings = (aws.folder / "sentictl.toml").read_text()
    assert "secret" not in settings
    assert "[state" not in settings


def test_the_whole_chain_on_a_twin_beside_that_of_local(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    try:
        shell.run("data")
        shell.run("init", "--env", "staging", "--twin")
        made = shell.json("up", "--env", "staging")
        assert shell.json("predict", "superb", "--via", "api", "--env", "staging")["sentiment"] == 1
        assert made["api_url"] == shell.json("status", "--env", "staging")["api_url"]
        assert [resource["kind"] for resource in shell.json("status")["resources"]] == ["bucket", "dataset"]
        assert shell.json("down", "--env", "staging", "--yes")["left"] == []
        assert len(shell.json("status")["resources"]) == 2
    finally:
        shell.run("down", "--env", "staging", "--yes")
        shell.run("down", "--yes")


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"AWS_EC2_METADATA_DISABLED": "true"}, "no AWS credentials"),
        ({"AWS_PROFILE": "nobody"}, "nobody"),
    ],
)
def test_without_credentials_nothing_begins(tmp_path: Path, variables: dict[str, str], words: str) -> None:
    shell = begin(tmp_path / "toy")
    with (shell.folder / "sentictl.toml").open("a") as settings:
        settings.write('\n[env.prod]\nregion = "eu-west-1"\n')
    outside = replace(shell, variables={**variables, "HOME": str(tmp_path)})
    error = outside.json("up", "--env", "prod", expect=4)["error"]
    assert words in error["message"]
    assert error["code"] == "access"
    assert "[state" not in (shell.folder / "sentictl.toml").read_text()
