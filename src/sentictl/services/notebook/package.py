"""Packages that go along to a notebook: sentictl itself as a wheel, and the project as an archive."""

import base64
import hashlib
from importlib.metadata import distribution
from pathlib import Path, PurePosixPath

import tomlkit

from sentictl.assets import archives, installed
from sentictl.config.project_folder import SETTINGS_FILE
from sentictl.errors import SettingsError
from sentictl.lifecycle.resource import Context
from sentictl.reviews.read.bucket import SCHEME
from sentictl.reviews.read.package import PACKAGE
from sentictl.reviews.read.resolve import IMDB
from sentictl.scaffold.init import EJECTED

NAME = "sentictl"
# https://packaging.python.org/en/latest/specifications/binary-distribution-format/
WHEEL = "Wheel-Version: 1.0\nGenerator: sentictl\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
OWN_METADATA = ("METADATA", "entry_points.txt")
OWN = (installed.MODEL_CODE, installed.TEMPLATES)  # the folders of a project's own copies


def wheel() -> tuple[str, bytes]:
    """The wheel of what is installed here: a checkout or a wheel, whatever was changed in it.

    Returns:
        Its file name and its content, byte for byte the same for the same files.
    """
    distribution_here = distribution(NAME)
    stem = f"{NAME}-{distribution_here.version}"
    information = PurePosixPath(f"{stem}.dist-info")
    files = {name: path.read_bytes() for name, path in installed.package_files().items()}
    files |= {f"{information / name}": (distribution_here.read_text(name) or "").encode() for name in OWN_METADATA}
    files[f"{information / 'WHEEL'}"] = WHEEL.encode()
    record = f"{information / 'RECORD'}"
    lines = [f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in sorted(files.items())]
    files[record] = "".join([*lines, f"{record},,\n"]).encode()
    return f"{stem}-py3-none-any.whl", archives.zip_stored(files)


def project(context: Context) -> bytes:
    """The project as another machine goes on with it: a gzipped tar archive.

    It holds a `sentictl.toml` with the settings in force in this one environment, the project's own model code and
    templates, and the reviews that `data.source` names. What is recorded stays here: it is found again there.

    Raises:
        SettingsError: the reviews are not in the project's folder.
    """
    root = context.config.folder.root
    own = {f"{folder}/{name}": path for folder in OWN for name, path in installed.files_in(root / folder).items()}
    own |= {EJECTED: root / EJECTED} if (root / EJECTED).is_file() else {}
    files = {name: path.read_bytes() for name, path in (own | _reviews(context)).items()}
    return archives.tar_gz(files | {SETTINGS_FILE: _settings(context).encode()})


def _reviews(context: Context) -> dict[str, Path]:
    """The files of the setting `data.source`, by their path in the project's folder."""
    source, root = context.settings.data.source, context.config.folder.root
    if source in (PACKAGE, IMDB) or source.startswith(SCHEME) or context.environment.on_twin:
        # Where a notebook is on the twin, it is in the project's folder.
        return {}
    path = (root / source).resolve()
    if Path(source).is_absolute() or not path.is_relative_to(root.resolve()) or not path.exists():
        raise SettingsError(
            f"The reviews in {source} cannot go along to a notebook: they are not in the project's folder.",
            f"Put them into {root}, and name them by their path there: sentictl config set data.source PATH",
        )
    if path.is_dir():
        return {f"{source}/{name}": file for name, file in installed.files_in(path).items()}
    return {source: path}


def _settings(context: Context) -> str:
    tables = context.settings.model_dump(by_alias=True, exclude_defaults=True, mode="json")
    tables["project"] = {key: value for key, value in context.settings.project.model_dump().items() if value}
    if not context.environment.on_twin:
        tables["env"] = {context.environment.name: {"region": context.environment.region}}
    return tomlkit.dumps(tables)


def _digest(content: bytes) -> str:
    """A digest as the wheel format writes it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
