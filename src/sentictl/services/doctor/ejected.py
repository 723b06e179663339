"""Checks of a project's own copies of the model code and the templates, against the installed ones."""

import hashlib
import shlex
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from sentictl.assets.installed import (
    CHANGEABLE,
    MODEL_CODE,
    MODEL_PACKAGE,
    TEMPLATES,
    files_in,
    model_code,
    own_package,
    template_files,
)
from sentictl.config.settings import ANY_ORIGIN, Settings
from sentictl.scaffold.init import changeable_files, ejected_digests
from sentictl.services.doctor.check import Check, CheckResult, ok, warning

# What the page's templates cannot do without, where `api.auth` is that: the field or the address in the page, and what
# its script does with it.
ASKING = {"key": ('id="key"', "x-api-key"), "cognito": ("data-sign-in-url", "oauth2/authorize")}
ORIGINS_VARIABLE = "CORS_ORIGINS"  # that the function gets


class Copy(StrEnum):
    """How a project's own file stands to the installed one."""

    SAME = "as installed"
    CHANGED = "changed here"
    OUTDATED = "changed in sentictl since"
    BOTH = "changed here and in sentictl since"
    MISSING = "missing"
    EXTRA = "this project's alone"


def ejected_checks(root: Path) -> list[Check]:
    """One check for each folder that the project has of its own.

    Args:
        root: the project's folder.
    """
    folders = [MODEL_CODE, *(f"{TEMPLATES}/{part}" for part in CHANGEABLE)]
    return [_check(root, folder) for folder in folders if (root / folder).is_dir()]


def access_checks(root: Path, settings: Settings) -> list[Check]:
    """One check of whether the project's own templates know who may ask, where it has any that have to.

    Args:
        root: the project's folder.
        settings: those of the environment.
    """
    own = [part for part in ("site", "lambda") if (root / TEMPLATES / part).is_dir()]
    return [Check("own templates and who may ask", lambda: _look_at_access(root, settings))] if own else []


def _look_at_access(root: Path, settings: Settings) -> CheckResult:
    auth, told = settings.api.auth, []
    if any(word not in _text("site", root) for word in ASKING.get(auth, ())):
        told.append(f'api.auth is "{auth}", of which {TEMPLATES}/site knows nothing: nobody can ask from the page')
    if settings.api.cors_origins != ANY_ORIGIN and ORIGINS_VARIABLE not in _text("lambda", root):
        told.append(f"{TEMPLATES}/lambda does not read {ORIGINS_VARIABLE}, so api.cors_origins keeps no page out")
    if not told:
        return ok("they ask as the settings want it")
    return warning(
        "; ".join(told), "Take over what sentictl's own templates do: delete these, or compare them with it."
    )


def _text(part: str, root: Path) -> str:
    return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in template_files(part, root).values())


def compare(root: Path, folder: str) -> dict[str, Copy]:
    """How each file in one of the project's own folders stands to the installed one, by its path in the project.

    Args:
        root: the project's folder.
        folder: such as "model_code" or "templates/site".
    """
    own = {f"{folder}/{name}": path for name, path in files_in(root / folder).items()}
    installed, ejected = changeable_files(), ejected_digests(root)
    # Elsewhere a file that is not there is no loss: the installed one is used.
    whole = f"{MODEL_CODE}/{MODEL_PACKAGE}/" if folder == MODEL_CODE and own_package(root) else None
    missing = [path for path in installed if whole and path.startswith(whole) and path not in own]
    return {path: _copy(own[path], installed.get(path), ejected.get(path)) for path in own} | dict.fromkeys(
        missing, Copy.MISSING
    )


def _copy(own: Path, installed: Path | None, ejected: str | None) -> Copy:
    if installed is None:
        return Copy.EXTRA
    here, there = _digest(own), _digest(installed)
    if here == there:
        return Copy.SAME
    if here == ejected:
        return Copy.OUTDATED
    return Copy.CHANGED if ejected in (None, there) else Copy.BOTH


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _check(root: Path, folder: str) -> Check:
    return Check(f"own {folder}", lambda: _look(root, folder))


def _look(root: Path, folder: str) -> CheckResult:
    if folder == MODEL_CODE:
        model_code(root)  # refuses a package that is not whole
    found = compare(root, folder)
    groups = {kind: [path for path, copy in found.items() if copy is kind] for kind in Copy}
    same = groups.pop(Copy.SAME)
    told = [f"{kind}: {', '.join(_names(folder, paths))}" for kind, paths in groups.items() if paths]
    if not told:
        return ok(f"all {len(same)} {Copy.SAME}")
    return warning("; ".join([f"{len(same)} {Copy.SAME}", *told]), _mend(root, groups))


def _names(folder: str, paths: list[str]) -> list[str]:
    return [path.removeprefix(f"{folder}/") for path in paths]


def _mend(root: Path, groups: Mapping[Copy, list[str]]) -> str:
    steps = []
    if groups[Copy.MISSING]:
        steps.append("Add what is missing: sentictl init --eject.")
    if groups[Copy.OUTDATED]:
        steps.append("Take sentictl's newer files: delete these, then: sentictl init --eject.")
    differing = [*groups[Copy.BOTH], *groups[Copy.CHANGED]]
    if differing:
        installed = changeable_files()[differing[0]]
        steps.append(f"See a change: {shlex.join(['diff', '-u', str(installed), str(root / differing[0])])}")
    return " ".join(steps) or "Nothing to mend: sentictl uses it as well."
