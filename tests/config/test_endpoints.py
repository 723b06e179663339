"""Where an environment's calls go in place of AWS, as the file and the command line say it."""

from pathlib import Path

import pytest

from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import SettingsError


@pytest.fixture
def folder(tmp_path: Path) -> ProjectFolder:
    (tmp_path / "sentictl.toml").write_text('[project]\nname = "films"\n\n[env.emulated]\nregion = "eu-west-1"\n')
    return ProjectFolder(tmp_path)


def test_addresses_are_set_and_read(folder: ProjectFolder) -> None:
    Config.load(folder).set(
        {
            "env.emulated.endpoint_url": "http://localhost:4566/",
            "env.emulated.endpoint_urls": '{"s3": "http://127.0.0.1:9000", "cloudwatch_logs": "https://logs.example"}',
        }
    )
    placement = Config.load(folder, "emulated").placement
    assert placement.endpoint_url == "http://localhost:4566"
    assert placement.endpoint_urls == {"s3": "http://127.0.0.1:9000", "cloudwatch_logs": "https://logs.example"}


def test_a_table_of_addresses(folder: ProjectFolder) -> None:
    with folder.settings_file.open("a") as settings:
        settings.write('\n[env.emulated.endpoint_urls]\nsagemaker = "http://[::1]:4600"\n')
    assert Config.load(folder, "emulated").placement.endpoint_urls == {"sagemaker": "http://[::1]:4600"}


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("endpoint_url", "127.0.0.1:4566", "an address such as"),
        ("endpoint_url", "ftp://127.0.0.1", "an address such as"),
        ("endpoint_url", "http://127.0.0.1:port", "an address such as"),
        ("endpoint_url", "http://[::1", "an address such as"),
        ("endpoint_url", "https://you:secret@aws.example", "an address such as"),
        ("endpoint_url", "http://emulator.example:4566", "in clear to another machine; it takes https://"),
        ("endpoint_url", "http://127.0.0.1.example", "in clear to another machine"),
        ("endpoint_urls", '{"s3": "http://emulator.example"}', "in clear to another machine"),
        ("endpoint_urls", '{"apigateway": "http://127.0.0.1:1"}', "apigateway is none .*: api_gateway, application_"),
        ("endpoint_urls", '{"s3": 9000}', "a table such as"),
        ("endpoint_urls", "http://127.0.0.1:1", "a table such as"),
    ],
)
def test_addresses_that_cannot_be(folder: ProjectFolder, name: str, value: str, why: str) -> None:
    with pytest.raises(SettingsError, match=why) as refusal:
        Config.load(folder).set({f"env.emulated.{name}": value})
    assert f"sentictl config set env.emulated.{name} VALUE" in refusal.value.hint
    assert name not in folder.settings_file.read_text()


@pytest.mark.parametrize("environment", ["local", "staging"])
@pytest.mark.parametrize(
    "line", ['endpoint_url = "http://127.0.0.1:1"', 'endpoint_urls.s3 = "http://127.0.0.1:1"', 'ca_bundle = "x.pem"']
)
def test_a_twin_is_nowhere_else(folder: ProjectFolder, environment: str, line: str) -> None:
    with folder.settings_file.open("a") as settings:
        settings.write(f"\n[env.staging]\ntwin = true\n{line}\n".replace("staging", environment))
    if environment == "local":
        folder.settings_file.write_text(folder.settings_file.read_text().replace("twin = true\n", ""))
    with pytest.raises(SettingsError, match=f"env.{environment}.* is on a local twin") as refusal:
        Config.load(folder, environment)
    assert "sentictl config set env.emulated.endpoint_url" in refusal.value.hint


def test_certificates_are_looked_for_from_the_projects_folder(folder: ProjectFolder) -> None:
    Config.load(folder).set({"env.emulated.ca_bundle": "trusted.pem"})
    with pytest.raises(SettingsError, match=r"no file .*trusted\.pem of certificates, which env\.emulated\.ca_bundle"):
        _ = Config.load(folder, "emulated").ca_bundle
    (folder.root / "trusted.pem").touch()
    assert Config.load(folder, "emulated").ca_bundle == str(folder.root / "trusted.pem")
