"""Beginning a project: the commented `sentictl.toml`."""

import re
from pathlib import Path
from string import Template

from sentictl.bundled import templates
from sentictl.errors import SettingsError
from sentictl.files import write_atomically
from sentictl.folder import SETTINGS_FILE, ProjectFolder

NAME = re.compile(r"[a-z][a-z0-9-]{0,18}[a-z0-9]")
FALLBACK = "reviews"


def begin(name: str | None = None) -> ProjectFolder:
    """Write `sentictl.toml` in the working directory.

    Args:
        name: the project's name; by default the folder's, where that can be one.

    Raises:
        SettingsError: there is one already, or the name cannot be one.
    """
    folder = ProjectFolder(Path.cwd())
    if folder.settings_file.exists():
        raise SettingsError(
            f"There is a {SETTINGS_FILE} here already.", "Change it by hand or with: sentictl config set KEY VALUE"
        )
    if name is not None and not NAME.fullmatch(name):
        raise SettingsError(
            f"{name} cannot be a project's name.",
            "2 to 20 lower-case letters, digits and hyphens, a letter first: AWS takes nothing else in bucket names.",
        )
    text = (templates() / "project" / SETTINGS_FILE).read_text(encoding="utf-8")
    content = Template(text).substitute(name=name or _name_of(folder.root))
    write_atomically(folder.settings_file, content.encode())
    return folder


def _name_of(root: Path) -> str:
    slug = re.sub(r"[^a-z0-9]+", "-", root.name.lower()).strip("-")
    return slug if NAME.fullmatch(slug) else FALLBACK
