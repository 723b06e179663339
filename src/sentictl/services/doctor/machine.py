"""Checks of this machine and of the project's folder."""

import os
import platform
import shutil
from functools import partial
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

from sentictl.assets.installed import install_command
from sentictl.aws.regions import settle_region
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import StateError
from sentictl.services.doctor.check import Check, CheckResult, failed, ok, warning

PACKAGE = "sentictl"
EXTRAS = ("local", "train")  # what a local twin needs besides
GIGABYTE = 1 << 30
NEEDED_GIGABYTES = 2  # a dataset, a few models, and what the twin keeps of them


def machine_checks(on_twin: bool, folder: Path) -> list[Check]:
    """Return the checks of the machine, which hold without any project.

    Args:
        on_twin: whether the packages that a local twin needs are looked for, too.
        folder: where a project is or would be.
    """
    extras = EXTRAS if on_twin else ()
    return [
        Check("python", _python),
        Check("packages", lambda: _packages("")),
        *(Check(f"packages of [{extra}]", partial(_packages, extra)) for extra in extras),
        Check("disk", lambda: _disk(folder)),
    ]


def project_checks(folder: ProjectFolder, environment: str) -> list[Check]:
    """Return the checks of a project in its folder."""
    return [
        Check("settings and state", lambda: _settings(folder, environment)),
        Check("folder", lambda: _writable(folder)),
        Check("lock", lambda: _lock(folder)),
    ]


def _python() -> CheckResult:
    return ok(f"Python {platform.python_version()} on {platform.system()}")


def _packages(extra: str) -> CheckResult:
    """Whether what sentictl (or one of its extras) asks for is installed, in versions that were tried."""
    asked = [Requirement(line) for line in metadata.requires(PACKAGE) or []]
    wanted = [entry for entry in asked if _belongs(entry, extra)]
    problems = [problem for entry in wanted if (problem := _problem(entry))]
    if problems:
        return failed(", ".join(problems), install_command(*EXTRAS))
    return ok(f"{len(wanted)} as asked for")


def _belongs(entry: Requirement, extra: str) -> bool:
    if entry.marker is None:
        return not extra
    in_base = entry.marker.evaluate({"extra": ""})
    return in_base if not extra else not in_base and entry.marker.evaluate({"extra": extra})


def _problem(entry: Requirement) -> str:
    try:
        version = metadata.version(entry.name)
    except metadata.PackageNotFoundError:
        return f"{entry.name} is missing"
    return (
        ""
        if entry.specifier.contains(version, prereleases=True)
        else f"{entry.name} {version} is not {entry.specifier}"
    )


def _disk(folder: Path) -> CheckResult:
    free = shutil.disk_usage(folder).free / GIGABYTE
    if free < NEEDED_GIGABYTES:
        return failed(f"{free:.1f} GB free, {NEEDED_GIGABYTES} GB needed", f"Make room on the disk of {folder}.")
    return ok(f"{free:.0f} GB free")


def _settings(folder: ProjectFolder, environment: str) -> CheckResult:
    config = Config.load(folder, environment)
    settle_region(config)
    if config.is_state_remote:
        return ok(f"{folder.settings_file.name} is right, the state is kept on S3 ({config.settings.project.state})")
    return ok(f"{folder.settings_file.name} is right, {len(config.state)} resources are recorded")


def _writable(folder: ProjectFolder) -> CheckResult:
    if not os.access(folder.root, os.W_OK):
        return failed(f"{folder.root} cannot be written", "Make it writable for you.")
    return ok(str(folder.root))


def _lock(folder: ProjectFolder) -> CheckResult:
    if not folder.cache.is_dir():
        return ok("free")
    try:
        with folder.locked():
            return ok("free")
    except StateError as held:
        return warning(held.message, held.hint)
