"""The check of a state that is kept on S3: it can be read, S3 keeps its older versions, and who has the lease."""

from sentictl.aws.remote_state.lease import moment
from sentictl.aws.remote_state.store import TOLD_SKEW, RemoteState
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.lifecycle.resource import Context
from sentictl.services.doctor.check import Check, CheckResult, ok, warning


def state_checks(context: Context) -> list[Check]:
    """Return the check of the state; none where it is in `sentictl.toml`.

    Args:
        context: the project in its environment.
    """
    store = context.config.store
    return [Check("state", lambda: _state(context, store))] if isinstance(store, RemoteState) else []


def _state(context: Context, store: RemoteState) -> CheckResult:
    records, where = len(store.read()), env_option(context.environment.name, default=LOCAL)
    if not store.is_kept:
        return ok(f"nothing is recorded yet in {store.place.uri}")
    if not store.keeps_versions:
        return warning(
            f"the bucket {store.place.bucket} keeps no older versions: there is no way back to a state that is "
            "overwritten",
            f"sentictl up{where}" if store.place.own else store.versioning_command,
        )
    holder = store.holder()
    if holder is not None:
        return warning(
            f"leased until {moment(holder.expires)} by {holder.told()}",
            f"Wait until that is done. If that process is known to be dead: sentictl state unlock{where}",
        )
    if abs(store.skew) > TOLD_SKEW:
        return warning(f"this machine's clock is {abs(store.skew)} away from S3's", "Set this machine's clock.")
    return ok(f"{records} resources in {store.place.uri}, number {store.document.serial}; nobody has the lease")
