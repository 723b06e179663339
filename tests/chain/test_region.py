"""Regions: another one than that of the recorded resources, none at all, and one without what the chain runs in."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.chain.shell import Shell, begin
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


def test_what_stands_on_aws_is_looked_for_where_it_stands(aws: Shell) -> None:
    aws.run("data", "--env", "prod")
    text = (aws.folder / "sentictl.toml").read_text()
    assert 'region = "eu-west-1"' in text.partition("[state.prod]")[2]
    aws.run("config", "set", "env.prod.region", "us-east-2")
    error = aws.json("down", "--env", "prod", "--confirm", "toy", expect=2)["error"]
    assert all(region in error["message"] for region in ("eu-west-1", "us-east-2"))
    (aws.folder / "sentictl.toml").write_text(text.replace('region = "eu-west-1"\ntrain', "train"))
    elsewhere = replace(aws, variables={**aws.variables, "AWS_REGION": "ap-south-1"})
    found = elsewhere.json("status", "--env", "prod")["resources"]
    assert {resource["kind"] for resource in found} == {"bucket", "dataset"}
    assert "Missing" not in {resource["status"] for resource in found}
    elsewhere.run("down", "--env", "prod", "--confirm", "toy")
    assert "[state.prod]" not in (aws.folder / "sentictl.toml").read_text()


def test_an_environment_without_a_region_asks_for_one(aws: Shell) -> None:
    settings = aws.folder / "sentictl.toml"
    settings.write_text(settings.read_text() + "\n[env.lost]\ntrain.epochs = 7\n")
    nobody = replace(aws, variables={**aws.variables, "AWS_CONFIG_FILE": "/nowhere"})
    error = nobody.json("plan", "--env", "lost", expect=2)["error"]
    assert "in which region the environment lost is" in error["message"]
    command = error["hint"].partition("sentictl ")[2].partition(". ")[0]
    nobody.run(*command.split())
    assert nobody.json("config", "get", "env.lost.region") == "eu-west-1"
    assert nobody.json("status", "--env", "lost")["resources"] == []


def test_up_makes_nothing_where_no_image_could_serve(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    shell.run("config", "set", "env.local.region", "eusc-de-east-1")  # has training's image, and none for endpoints
    error = shell.json("up", expect=1)["error"]
    assert "no PyTorch 2.6.0 inference image in eusc-de-east-1" in error["message"]
    assert not shell.twin.exists()
