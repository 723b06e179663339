"""The files that travel with sentictl: the model code and the templates, from a checkout or from an installed wheel.

A project can have copies of its own in `model_code/` and `templates/`, beside its `sentictl.toml`. A file there is used
in place of the installed one of the same path, and further files are used as well. Only the package `sentimodel` is
taken whole, as Python imports it.
"""

import json
import shlex
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from sentictl.errors import StateError

if TYPE_CHECKING:
    from botocore.loaders import Loader

PACKAGE = Path(__file__).parents[1]
CHECKOUT = PACKAGE.parents[1]
TEMPLATES = "templates"
MODEL_CODE = "model_code"
NOTEBOOKS = "notebooks"
MODEL_PACKAGE = "sentimodel"
SCRIPTS = ("train.py", "inference.py", "deployment.py", "config.yaml", "requirements.txt")
CHANGEABLE = ("container", "lambda", "policies", "site")  # the templates that a project can have copies of


def templates() -> Path:
    """The folder of installed templates: `lambda/`, `container/`, `site/`, `report/`, `policies/` and others."""
    return _installed(TEMPLATES)


def template_files(part: str, root: Path) -> dict[str, Path]:
    """The templates of one of the `CHANGEABLE` parts, by path: the project's own before the installed ones.

    Args:
        part: such as "site".
        root: the project's folder.
    """
    return files_in(templates() / part) | files_in(root / TEMPLATES / part)


def walkthrough() -> Path:
    """The notebook that goes through the chain."""
    return _installed(NOTEBOOKS) / "walkthrough.ipynb"


def model_code(root: Path | None = None) -> dict[str, Path]:
    """Return what a training job's source archive holds: paths inside the archive and the files they come from.

    Args:
        root: the project's folder, whose own files come before the installed ones; None: only those.

    Raises:
        StateError: the project has a part of the package `sentimodel`, which is taken whole or not at all.
    """
    installed = {name: _installed(MODEL_CODE) / name for name in SCRIPTS}
    package = {f"{MODEL_PACKAGE}/{name}": path for name, path in files_in(installed_package()).items()}
    if root is None:
        return installed | package
    own = files_in(root / MODEL_CODE)
    if own_package(root):
        return installed | own
    if any(name.startswith(f"{MODEL_PACKAGE}/") for name in own):
        raise StateError(
            f"{root / MODEL_CODE / MODEL_PACKAGE} is no whole package: it has no __init__.py.",
            "Add what is missing: sentictl init --eject; or delete that folder to use the installed one.",
        )
    return installed | package | own


def package_files() -> dict[str, Path]:
    """All that the wheel installs: paths in it, and the files they come from."""
    scripts = {f"{MODEL_CODE}/{name}": _installed(MODEL_CODE) / name for name in SCRIPTS}
    folders = {
        f"{folder}/{name}": path
        for folder in (TEMPLATES, NOTEBOOKS)
        for name, path in files_in(_installed(folder)).items()
    }
    own = files_in(PACKAGE) | scripts | folders
    model = {f"{MODEL_PACKAGE}/{name}": path for name, path in files_in(installed_package()).items()}
    return {f"{PACKAGE.name}/{name}": path for name, path in own.items()} | model


def installed_package() -> Path:
    """The folder of the installed `sentimodel`."""
    beside = PACKAGE.with_name(MODEL_PACKAGE)  # both packages of the wheel are put in one folder
    return beside if beside.is_dir() else CHECKOUT / MODEL_CODE / MODEL_PACKAGE


def own_package(root: Path) -> Path | None:
    """The project's own `sentimodel`, if it has one."""
    package = root / MODEL_CODE / MODEL_PACKAGE
    return package if (package / "__init__.py").is_file() else None


def pip(*words: str) -> str:
    """Return the command that has pip install something beside this sentictl, as a shell takes it.

    Args:
        words: what to install, and options. An installation by uv has no pip, and is told to uv.
    """
    python = shlex.quote(sys.executable)
    installer = f"uv pip install --python {python}" if _installer() == "uv" else f"{python} -m pip install"
    return f"{installer} {shlex.join(words)}"


def install_command(*extras: str) -> str:
    """Return the command that installs this sentictl with extras, from where this copy came.

    That is a checkout, a wheel, a git repository, or an index of packages, under the name that it has there.

    Args:
        extras: such as "local".
    """
    wanted = f"[{','.join(extras)}]" if extras else ""
    came = _origin()
    if not came:
        return pip(f"{PACKAGE.name}{wanted}")
    if "dir_info" in came:
        editable = ["--editable"] if came["dir_info"].get("editable") else []
        return pip(*editable, f"{_path(came)}{wanted}")
    if "vcs_info" in came:
        return pip(f"{PACKAGE.name}{wanted} @ {_repository(came, came['vcs_info'].get('commit_id', ''))}")
    return pip(f"{PACKAGE.name}{wanted} @ {came['url']}")


def update_advice() -> str:
    """Return how to have a newer sentictl, by where this copy came from: a sentence that ends in a command."""
    came = _origin()
    if not came:
        return f"Update sentictl: {pip('--upgrade', PACKAGE.name)}"
    if "dir_info" in came:
        return f"Update sentictl: git -C {shlex.quote(_path(came))} pull, then: {install_command()}"
    if "vcs_info" in came:
        newest = _repository(came, came["vcs_info"].get("requested_revision", ""))
        return f"Update sentictl: {pip('--upgrade', f'{PACKAGE.name} @ {newest}')}"
    return f"Update sentictl: install a newer one than {came['url']}, with: {pip('NEWER.whl')}"


def _origin() -> dict[str, Any]:
    """Return what the installer recorded (PEP 610) of a copy that came from no index; else nothing."""
    from importlib import metadata  # not at the start of every command

    try:
        recorded = metadata.distribution(PACKAGE.name).read_text("direct_url.json")
        origin: dict[str, Any] = json.loads(recorded or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        return {}
    return origin


def _installer() -> str:
    from importlib import metadata

    try:
        return (metadata.distribution(PACKAGE.name).read_text("INSTALLER") or "").strip()
    except metadata.PackageNotFoundError:
        return ""


def _path(origin: dict[str, Any]) -> str:
    return unquote(urlsplit(origin["url"]).path)


def _repository(origin: dict[str, Any], revision: str) -> str:
    at = f"@{revision}" if revision else ""
    below = f"#subdirectory={origin['subdirectory']}" if origin.get("subdirectory") else ""
    return f"{origin['vcs_info']['vcs']}+{origin['url']}{at}{below}"


@cache
def botocore_data() -> "Loader":
    """Return what reads botocore's own data about AWS, and not those of `~/.aws/models`; it reads each file once."""
    from botocore.loaders import Loader  # which few commands need: it takes a while to import

    return Loader([Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)


def files_in(folder: Path) -> dict[str, Path]:
    """The files in a folder and below, by their path in it; without hidden ones, and what Python and editors leave."""
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.as_posix(): folder / path for path in paths if not _stray(path)}


def _stray(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts) or path.name.endswith("~")


def _installed(name: str) -> Path:
    installed = PACKAGE / name
    return installed if installed.is_dir() else CHECKOUT / name
