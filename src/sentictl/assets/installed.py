"""The files that travel with sentictl: the model code and the templates, from a checkout or from an installed wheel.

A project can have copies of its own in `model_code/` and `templates/`, beside its `sentictl.toml`. A file there is used
in place of the installed one of the same path, and further files are used as well. Only the package `sentimodel` is
taken whole, as Python imports it.
"""

from pathlib import Path

from sentictl.errors import StateError

PACKAGE = Path(__file__).parents[1]
CHECKOUT = PACKAGE.parents[1]
TEMPLATES = "templates"
MODEL_CODE = "model_code"
NOTEBOOKS = "notebooks"
MODEL_PACKAGE = "sentimodel"
SCRIPTS = ("train.py", "inference.py", "requirements.txt")
CHANGEABLE = ("lambda", "policies", "site")  # the templates that a project can have copies of


def templates() -> Path:
    """The folder of installed templates: `lambda/`, `site/`, `report/`, `policies/`, `notebook/`, `project/`."""
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


def files_in(folder: Path) -> dict[str, Path]:
    """The files in a folder and below, by their path in it; without hidden ones, and what Python and editors leave."""
    paths = (path.relative_to(folder) for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.as_posix(): folder / path for path in paths if not _stray(path)}


def _stray(path: Path) -> bool:
    return any(part.startswith(".") or part == "__pycache__" for part in path.parts) or path.name.endswith("~")


def _installed(name: str) -> Path:
    installed = PACKAGE / name
    return installed if installed.is_dir() else CHECKOUT / name
