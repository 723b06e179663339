"""The Python API's part for `doctor`, which looks at the machine where there is no project, too."""

from collections.abc import Iterator

from sentictl.api.observer import Lines
from sentictl.api.session import Session
from sentictl.api.stack import KEPT
from sentictl.config.config import LOCAL
from sentictl.config.paths import working_directory
from sentictl.config.project_folder import ProjectFolder
from sentictl.errors import SentictlError
from sentictl.services.chain import CHAIN
from sentictl.services.doctor.account import account_checks
from sentictl.services.doctor.check import Check, CheckResult, carry_out, ok, warning
from sentictl.services.doctor.ejected import ejected_checks
from sentictl.services.doctor.machine import machine_checks, project_checks
from sentictl.services.iam.roles import Role
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
    yield from machine_checks(environment, folder.root if folder else working_directory())
    if folder is None:
        return
    yield from project_checks(folder, environment)
    yield from ejected_checks(folder.root)
    if environment == LOCAL:
        yield Check("local twin", lambda: _twin(folder))
    else:
        yield from _of_account(Session(folder, environment, Lines(None)))


def _of_account(session: Session) -> Iterator[Check]:
    try:
        context = session.read(anonymous=True)  # whose account it is, is one of the checks
    except SentictlError:
        return  # the check of the settings has said so
    # Who has no notebook needs no permission to ask for its role.
    kinds = KEPT if context.state.latest(NotebookRole.kind) else CHAIN
    yield from account_checks(context, [kind(context) for kind in kinds if issubclass(kind, Role)])


def _twin(folder: ProjectFolder) -> CheckResult:
    status = daemon.status(folder.twin_home)
    if status.running:
        return ok(f"runs on port {status.port}")
    if folder.twin_home.is_dir():
        return warning("does not run", "It is started by the next command, or by: sentictl local start")
    return ok("not begun yet")
