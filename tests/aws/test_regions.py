"""Which region an environment is in, and the ends of AWS's host names, by region."""

from pathlib import Path

import boto3
import pytest

from sentictl.aws.regions import dns_suffix, settle_region
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.settings import EnvironmentSettings
from sentictl.config.state import Record, State
from sentictl.errors import SettingsError

PROFILES = "[profile work]\nregion = eu-north-1\n[default]\nregion = eu-south-1\n[profile idle]\n"
RECORDED = State([Record("endpoint", "e", "arn:aws:sagemaker:eu-west-3:111111111111:endpoint/e")], "111111111111")


@pytest.fixture
def no_region(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """A machine on which nothing says a region."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_DEFAULT_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    return monkeypatch


@pytest.fixture
def profiles(no_region: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    (tmp_path / "config").write_text(PROFILES)
    no_region.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return no_region


def settled(folder: Path, environment: str = "prod", own: str = "", state: State | None = None) -> str:
    """The region of a project's environment: with these lines under [env.prod], and what is recorded."""
    (folder / "sentictl.toml").write_text(f"[project]\nname = 'films'\n[env.prod]\n{own}\n")
    config = Config.load(ProjectFolder(folder), environment)
    config.state = state or State()
    settle_region(config)
    return config.placement.region


@pytest.mark.usefixtures("no_region")
def test_where_nothing_says_a_region_it_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="in which region the environment prod is") as refusal:
        settled(tmp_path)
    assert "sentictl config set env.prod.region eu-west-1" in refusal.value.hint
    assert "AWS_REGION" in refusal.value.hint
    Config.load(ProjectFolder(tmp_path), "prod").set({"env.prod.region": "eu-west-1"})
    config = Config.load(ProjectFolder(tmp_path), "prod")
    settle_region(config)
    assert config.placement.region == "eu-west-1"


@pytest.mark.usefixtures("no_region")
def test_this_machine_needs_no_region(tmp_path: Path) -> None:
    assert settled(tmp_path, "local") == "us-east-1"


def test_this_machine_is_in_no_other_region_for_a_variable(no_region: pytest.MonkeyPatch, tmp_path: Path) -> None:
    no_region.setenv("AWS_REGION", "eu-west-1")
    assert settled(tmp_path, "local") == "us-east-1"


def test_the_tools_of_aws_say_it_where_the_file_does_not(profiles: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert settled(tmp_path) == "eu-south-1"
    assert settled(tmp_path, own="profile = 'work'") == "eu-north-1"
    profiles.setenv("AWS_PROFILE", "work")
    assert settled(tmp_path) == "eu-north-1"
    with pytest.raises(SettingsError, match="in which region"):
        settled(tmp_path, own="profile = 'idle'")
    profiles.setenv("AWS_DEFAULT_REGION", "eu-central-2")
    assert settled(tmp_path) == "eu-central-2"
    profiles.setenv("AWS_REGION", "eu-west-1")
    assert settled(tmp_path) == "eu-west-1"
    assert settled(tmp_path, own="region = 'us-west-2'") == "us-west-2"


def test_what_stands_keeps_its_region_whatever_the_tools_say(profiles: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profiles.setenv("AWS_REGION", "eu-west-1")
    state = State(RECORDED, RECORDED.account, "eu-west-3")
    assert settled(tmp_path, state=state) == "eu-west-3"
    with pytest.raises(SettingsError, match=r"is in the region eu-west-3, .* says eu-west-1"):
        settled(tmp_path, own="region = 'eu-west-1'", state=state)


def test_what_was_made_before_regions_were_recorded_stays_where_it_is(
    profiles: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    profiles.setenv("AWS_REGION", "eu-west-1")
    of_arns = State.from_toml({"version": 2, "resources": RECORDED.to_toml()["resources"]})
    assert settled(tmp_path, state=of_arns) == "eu-west-3"
    of_s3_alone = State([Record("bucket", "b", "arn:aws:s3:::b")], "111111111111")
    assert settled(tmp_path, state=of_s3_alone) == "us-east-1"  # where an environment was that named no region
    assert settled(tmp_path, own="region = 'eu-west-2'", state=of_s3_alone) == "eu-west-2"


def test_every_region_that_aws_has_can_be_set() -> None:
    session = boto3.Session()
    for partition in session.get_available_partitions():
        for region in session.get_available_regions("s3", partition_name=partition):
            if not region.startswith("fips") and "-" in region:
                assert EnvironmentSettings(region=region).region == region


@pytest.mark.parametrize(
    ("region", "suffix"),
    [
        ("us-east-1", "amazonaws.com"),
        ("us-gov-west-1", "amazonaws.com"),
        ("cn-north-1", "amazonaws.com.cn"),
        ("eusc-de-east-1", "amazonaws.eu"),
        ("mars-1", "amazonaws.com"),
    ],
)
def test_each_part_of_aws_has_its_own_suffix(region: str, suffix: str) -> None:
    assert dns_suffix(region) == suffix
