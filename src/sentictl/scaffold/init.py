"""Beginning a project: the files of its folder, and copies of sentictl's own to change."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from sentictl.assets.atomic import write_atomically
from sentictl.assets.installed import CHANGEABLE, MODEL_CODE, TEMPLATES, files_in, model_code, templates
from sentictl.config.identity import NAME_RULE, is_name, name_of_folder, new_id
from sentictl.config.paths import working_directory
from sentictl.config.project_folder import SETTINGS_FILE, ProjectFolder
from sentictl.errors import SettingsError, StateError

if TYPE_CHECKING:
    from sentictl.config.config import Config

IGNORED = ".gitignore"
WORKFLOW = ".github/workflows/sentictl.yml"
FILES = {"Makefile": "Makefile", IGNORED: "gitignore", WORKFLOW: "workflow.yml"}  # and the templates they come from
CACHE_LINE = ".sentictl/"
# Costs nothing while nobody asks, starts in a second or two, and holds the models that are trained by default. A
# serverless endpoint costs more a request, and its container takes several times as long to start.
SERVING_ON_AWS = "lambda"
EJECTED = "ejected.sha256"  # as sha256sum writes it; tells the project's own changes from those of a newer sentictl


@dataclass(frozen=True)
class Initialized:
    """The outcome of `begin` or `initialize`.

    Args:
        folder: the project's folder.
        name: what the project is called, where that was chosen now; None where the project was there already.
        written: the files it wrote, by their path in the folder.
        kept: those it would have written and that were there already.
        advice: what to do by hand about some of those.
    """

    folder: ProjectFolder
    name: str | None
    written: list[str]
    kept: list[str]
    advice: list[str]


def begin(name: str | None = None, root: Path | None = None) -> Initialized:
    """Write `sentictl.toml` in a folder, which is made if it is not there.

    Args:
        name: the project's name; by default one that follows from the folder's.
        root: the folder; by default the working directory.

    Raises:
        SettingsError: there is one already, or the name cannot be one.
        StateError: the folder cannot be written.
    """
    folder = ProjectFolder((root or working_directory()).resolve())
    if folder.settings_file.exists():
        raise SettingsError(
            f"There is a {SETTINGS_FILE} here already.", "Change it by hand or with: sentictl config set KEY VALUE"
        )
    chosen = _chosen(folder.root, name)
    try:
        folder.root.mkdir(parents=True, exist_ok=True)
        write_atomically(folder.settings_file, _settings(chosen))
    except OSError as problem:
        raise _unwritable(folder.root, problem) from None
    return Initialized(folder, chosen, [SETTINGS_FILE], [], [])


def initialize(name: str | None = None, *, eject: bool = False) -> Initialized:
    """Write what a project's folder lacks of `sentictl.toml`, `Makefile`, `.gitignore` and a GitHub Actions workflow.

    All of it or, where a file cannot be written, nothing. What is there stays as it is.

    Args:
        name: the project's name; by default one that follows from the working directory's.
        eject: write the model code and the changeable templates, too, which the project then uses.

    Raises:
        SettingsError: the name cannot be one, or the project has one already.
        StateError: the folder cannot be written.
    """
    root = working_directory().resolve()
    if name is not None and (root / SETTINGS_FILE).exists():
        raise SettingsError(
            f"There is a {SETTINGS_FILE} here already, with the project's name in it.",
            "Leave --name out; or rename the project before anything is made: sentictl config set project.name NAME",
        )
    chosen = _chosen(root, name)
    files = {SETTINGS_FILE: _settings(chosen), **_files()}
    copies = _copies() if eject else {}
    missing = {path: content for path, content in (files | copies).items() if not os.path.lexists(root / path)}
    kept = [path for path in files | copies if path not in missing]
    ejected = {path: content for path, content in missing.items() if path in copies}
    record = _record(root, ejected)
    _write(root, missing | record)
    begun = chosen if SETTINGS_FILE in missing else None
    return Initialized(ProjectFolder(root), begun, [*missing, *record], kept, _advice(root, missing))


def describe(folder: ProjectFolder, environment: str, region: str = "") -> bool:
    """Describe an environment in `sentictl.toml`, unless it is described. Returns whether it was not.

    On AWS it serves the model where an unused one costs nothing, unless the project's settings say otherwise.

    Args:
        folder: the project's.
        environment: its name.
        region: where on AWS it is; empty for one on a local twin of its own.

    Raises:
        SettingsError: the name or the region cannot be one, or it is described otherwise.
    """
    key, value = (f"env.{environment}.region", region) if region else (f"env.{environment}.twin", "true")
    with folder.locked():
        from sentictl.config.config import Config  # slow to import, and needed for an environment alone

        config = Config.load(folder)
        there, twin = (config.get(f"env.{environment}.{name}") for name in ("region", "twin"))
        if region and twin:
            raise SettingsError(
                f"The environment {environment} is described already, on a local twin.",
                f"To change that, first: sentictl config set env.{environment}.twin false",
            )
        if there not in ("", region) and not twin:
            raise SettingsError(
                f"The environment {environment} is described already, in the region {there}.",
                f"To change that: sentictl config set {key} {value}",
            )
        return config.set_place(key, value, _serving(config, environment) if region else {})


def _serving(config: "Config", environment: str) -> dict[str, str]:
    """Return how an environment on AWS begins to serve, where nothing says so and no other setting is against it."""
    from sentictl.config.settings_file import SettingsFile

    document = SettingsFile(config.folder.settings_file).read()
    tables = (document, document.get("env", {}).get(environment, {}))
    if any("serving" in table.get("deploy", {}) for table in tables):
        return {}
    try:
        config.change({"deploy.serving": SERVING_ON_AWS})
    except SettingsError:
        return {}
    return {f"env.{environment}.deploy.serving": SERVING_ON_AWS}


def ejected_digests(root: Path) -> dict[str, str]:
    """The SHA-256 digests that the copies in a project's folder had when they were written, by path."""
    try:
        lines = (root / EJECTED).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return {}
    return {path: digest for digest, _, path in (line.partition("  ") for line in lines)}


def changeable_files() -> dict[str, Path]:
    """The installed files that a project can have copies of, by their path in its folder."""
    files = {f"{MODEL_CODE}/{name}": path for name, path in model_code().items()}
    for part in CHANGEABLE:
        files |= {f"{TEMPLATES}/{part}/{name}": path for name, path in files_in(templates() / part).items()}
    return files


def _chosen(root: Path, name: str | None) -> str:
    """Return the project's name: the one that was given, or the folder's."""
    if name is None:
        return name_of_folder(root.name)
    if not is_name(name):
        raise SettingsError(
            f"{name} cannot be a project's name.",
            f"{NAME_RULE}. For example: sentictl init --name {name_of_folder(name)}",
        )
    return name


def _settings(name: str) -> bytes:
    text = (templates() / "project" / SETTINGS_FILE).read_text(encoding="utf-8")
    return Template(text).substitute(name=name, id=new_id()).encode()


def _files() -> dict[str, bytes]:
    return {path: (templates() / "project" / name).read_bytes() for path, name in FILES.items()}


def _copies() -> dict[str, bytes]:
    return {path: source.read_bytes() for path, source in changeable_files().items()}


def _record(root: Path, ejected: Mapping[str, bytes]) -> dict[str, bytes]:
    """The file that records the digests of copies, with these in it; nothing where there are none."""
    if not ejected:
        return {}
    digests = ejected_digests(root) | {path: hashlib.sha256(content).hexdigest() for path, content in ejected.items()}
    return {EJECTED: "".join(f"{digest}  {path}\n" for path, digest in sorted(digests.items())).encode()}


def _write(root: Path, contents: Mapping[str, bytes]) -> None:
    """Write files beside their places first, and take them back if one of the places cannot be written."""
    files = dict(reversed(list(contents.items())))  # sentictl.toml, which makes it a project, comes last
    new = {path for path in files if not os.path.lexists(root / path)}
    written: list[str] = []
    try:
        with tempfile.TemporaryDirectory(dir=root, prefix=".init-") as scratch:
            for number, (path, content) in enumerate(files.items()):
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (Path(scratch) / str(number)).write_bytes(content)
            for number, path in enumerate(files):
                (Path(scratch) / str(number)).replace(root / path)
                written.append(path)
    except OSError as problem:
        for path in new.intersection(written):
            (root / path).unlink()
        raise _unwritable(root, problem) from None


def _unwritable(root: Path, problem: OSError) -> StateError:
    where = problem.filename2 or problem.filename or root  # of a move, the place that it was to
    return StateError(
        f"The project's files cannot be written: {where}: {problem.strerror}.",
        "Make the folder writable or make room, then run this again. Nothing was written.",
    )


def _advice(root: Path, written: Mapping[str, bytes]) -> list[str]:
    advice = []
    ignored = root / IGNORED
    if IGNORED not in written and ignored.is_file() and CACHE_LINE not in ignored.read_text(errors="replace").split():
        advice.append(f"Add the line {CACHE_LINE} to your {IGNORED}: it is a cache.")
    if WORKFLOW in written and not (root / ".git").exists():
        top = next((folder for folder in root.parents if (folder / ".git").exists()), None)
        if top:
            advice.append(
                f"GitHub runs workflows from the top of a repository alone: move {WORKFLOW} to {top}, "
                f"and set its working-directory to {root.relative_to(top)}."
            )
    return advice
