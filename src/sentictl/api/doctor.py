"""The Python API's part for `doctor`, which looks at the machine where there is no project, too."""

from collections.abc import Iterator
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from sentictl.api.observer import Lines
from sentictl.api.session import Session
from sentictl.config.config import LOCAL, Config
from sentictl.config.environments import env_option
from sentictl.config.paths import working_directory
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import SentictlError
from sentictl.lifecycle.resource import Context
from sentictl.services.chain import CHAIN
from sentictl.services.doctor.account import account_checks
from sentictl.services.doctor.check import Check, CheckResult, carry_out, ok, warning
from sentictl.services.doctor.ejected import access_checks, ejected_checks
from sentictl.services.doctor.machine import machine_checks, project_checks
from sentictl.services.doctor.state import state_checks
from sentictl.services.iam.roles import Role
from sentictl.services.kept import KEPT
from sentictl.services.notebook.instance import NotebookRole
from sentictl.twin import daemon


def diagnose(environment: str = LOCAL) -> Iterator[tuple[str, CheckResult]]:
    """Yield the name and the result of each check, one after the other.

    The machine is checked always; the project and the account where there is a project at or above the working
    directory.

    Args:
        environment: `local`, or one that `sentictl.toml` describes.
    """
    return carry_out(_checks(environment))


def _checks(environment: str) -> Iterator[Check]:
    folder = ProjectFolder.find()
    twin_home = _twin_home(folder, environment)
    yield from machine_checks(twin_home is not None, folder.root if folder else working_directory())
    if folder is None:
        return
    yield from project_checks(folder, environment)
    yield from ejected_checks(folder.root)
    yield from _of_settings(folder, environment)
    if twin_home:
        yield Check("local twin", lambda: _twin(twin_home, environment))
        if daemon.status(twin_home).running:
            yield from _of_state(Session(folder, environment, Lines(None)))
    else:
        yield from _of_account(Session(folder, environment, Lines(None)))


def _of_settings(folder: ProjectFolder, environment: str) -> Iterator[Check]:
    try:
        settings = Config.load(folder, environment, forget_damage=True).settings
    except SentictlError:
        return  # the check of the settings has said so
    yield from access_checks(folder.root, settings)


def _of_account(session: Session) -> Iterator[Check]:
    try:
        context = session.read(anonymous=True)  # whose account it is, is one of the checks
    except SentictlError:
        return  # the check of the settings has said so
    yield from state_checks(context)
    # Who has no notebook needs no permission to ask for its role.
    kinds = KEPT if _has_notebook(context) else CHAIN
    yield from account_checks(context, [kind(context) for kind in kinds if issubclass(kind, Role)])


def _has_notebook(context: Context) -> bool:
    try:
        return context.state.latest(NotebookRole.kind) is not None
    except (SentictlError, BotoCoreError, ClientError):
        return False  # the check of the state has said so


def _of_state(session: Session) -> Iterator[Check]:
    try:
        context = session.read(anonymous=True)
    except SentictlError:
        return  # the check of the settings has said so
    yield from state_checks(context)


def _twin_home(folder: ProjectFolder | None, environment: str) -> Path | None:
    """The folder of the environment's twin, or where one would be; None for an environment on AWS."""
    if environment == LOCAL:
        return (folder or ProjectFolder(working_directory())).twin_home
    if folder is None:
        return None
    try:
        config = Config.load(folder, environment, forget_damage=True)
    except SentictlError:
        return None  # the check of the settings says so
    return config.twin_home if config.on_twin else None


def _twin(home: Path, environment: str) -> CheckResult:
    status = daemon.status(home)
    if status.running:
        client = (status.details or {}).get("runtime_client", "what it was started with")
        return ok(f"runs on port {status.port}, and functions under {client}")
    where = env_option(environment, default=LOCAL)
    if home.is_dir():
        return warning("does not run", f"It is started by the next command, or by: sentictl local start{where}")
    return ok("not begun yet")
