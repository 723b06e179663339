"""A project's own copy of the package `sentimodel`, in place of the installed one. Imports nothing heavy.

Whoever runs sentictl in a project's folder runs its code and templates, as `make` runs what is in a folder's Makefile.
But a project is also found from the folders below it: there, what belongs to another user is refused.
"""

import os
import shlex
import sys
import traceback
from pathlib import Path

from sentictl.assets.installed import MODEL_CODE, MODEL_PACKAGE, TEMPLATES, installed_package, own_package
from sentictl.config.paths import working_directory
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import StateError


def use_model_code_here() -> None:
    """Do `use_model_code` for the project at or above the working directory, if there is one.

    Raises:
        StateError: as there; or the project is above the working directory and has files of another user.
    """
    folder = ProjectFolder.find()
    if folder is None:
        return
    if folder.root != working_directory().resolve():
        _check_owner(folder)
    use_model_code(folder.root)


def use_model_code(root: Path) -> None:
    """Have `import sentimodel` find the project's own copy where it has one, here and in processes started from here.

    Args:
        root: the project's folder.

    Raises:
        StateError: this process has imported another one already.
    """
    package = own_package(root)
    loaded = sys.modules.get(MODEL_PACKAGE)
    wanted = package or installed_package()
    if loaded is not None and not wanted.samefile(Path(str(loaded.__file__)).parent):
        raise StateError(
            f"This Python process uses the model code in {loaded.__file__}, and the project in {root} has another.",
            f"Use one project a process: start Python after: cd {shlex.quote(str(root))}",
        )
    if package and str(package.parent) not in sys.path:
        sys.path.insert(0, str(package.parent))


def place_of(problem: BaseException, root: Path) -> str:
    """Where in the project's own model code an error arose, such as "model_code/sentimodel/text.py, line 7", or ""."""
    code = root / MODEL_CODE
    if isinstance(problem, ImportError) and (problem.name or "").partition(".")[0] == MODEL_PACKAGE:
        return MODEL_CODE if own_package(root) else ""  # sentictl asks for what an older copy does not have
    if isinstance(problem, SyntaxError) and problem.filename and Path(problem.filename).is_relative_to(code):
        return f"{Path(problem.filename).relative_to(root)}, line {problem.lineno}"
    for frame in reversed(traceback.extract_tb(problem.__traceback__)):
        if Path(frame.filename).is_relative_to(code):
            return f"{Path(frame.filename).relative_to(root)}, line {frame.lineno}"
    return ""


def _check_owner(folder: ProjectFolder) -> None:
    """Refuse another user's settings, code and templates: all that decides what runs here."""
    copies = [folder.root / MODEL_CODE, folder.root / TEMPLATES]
    for path in [folder.settings_file, *copies, *(path for copy in copies for path in sorted(copy.rglob("*")))]:
        owner = path.lstat().st_uid if os.path.lexists(path) else 0
        if owner not in (os.geteuid(), 0):
            raise StateError(
                f"The project's {path} is used here, and belongs to another user (id {owner}).",
                f"If you trust it, go to that folder: cd {shlex.quote(str(folder.root))}",
            )
