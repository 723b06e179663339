"""The files that travel with sentictl."""

import tomllib
from string import Template

from sentictl.bundled import model_code, templates
from sentictl.settings import Settings


def test_the_source_archive_has_the_scripts_and_the_package() -> None:
    files = model_code()
    assert {"train.py", "inference.py", "requirements.txt", "sentimodel/__init__.py"} <= files.keys()
    assert all(path.is_file() for path in files.values())


def test_the_commented_settings_show_every_default_and_are_allowed() -> None:
    text = Template((templates() / "project" / "sentictl.toml").read_text()).substitute(name="films")
    settings_part, _, _ = text.partition("# An environment on AWS")
    shown = "\n".join(line.removeprefix("# ") if " = " in line else line for line in settings_part.splitlines())
    values = tomllib.loads(shown)
    expected = Settings().model_dump(by_alias=True)
    expected["project"]["name"] = "films"
    assert values == expected
