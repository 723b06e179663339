"""Pruning: deleting what nothing serves any more, and saying when there is much of it."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import FileError, SentictlError
from sentictl.lifecycle.reconcile import Action, Observer, Step
from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.manifest import MANIFEST
from sentictl.services.batch.job import TransformJob, folder_of
from sentictl.services.operations.unused import DELETING, KEEP, Survey, Unused, survey
from sentictl.services.resources.storage import delete_objects
from sentictl.services.resources.training import PRUNED

MUCH_BYTES, MANY_DATASETS = 10**9, 10  # more than these, and `data` and `status` say so


def prune(context: Context, observer: Observer, keep: int = KEEP) -> Survey:
    """Delete what nothing serves. A kill in the middle is healed by doing it again.

    Args:
        context: the project and environment, under the project's lock.
        observer: told of each thing that is deleted.
        keep: as in `survey`.

    Returns:
        What was deleted, and what was left.

    Raises:
        FileError: a folder on this machine cannot be deleted.
    """
    found = survey(context, keep)
    for unused in found.unused:
        step = Step(Action.DELETE, unused.kind, unused.name, {})
        observer.started(step)
        _delete(context, unused)
        observer.finished(step, "")
    return found


def piled_up(context: Context) -> str:
    """Say that there is much that nothing serves, and how it is deleted; "" where there is little, or none can tell."""
    try:
        found = survey(context)
    except (SentictlError, BotoCoreError, ClientError):
        return ""
    datasets = sum(each.kind == "dataset" for each in found.unused)
    if found.size <= MUCH_BYTES and datasets <= MANY_DATASETS:
        return ""
    where = env_option(context.environment.name, default=LOCAL)
    return (
        f"{len(found.unused)} datasets, versions and leftovers that nothing serves take {found.size / 10**9:.1f} GB. "
        f"Look at them: sentictl prune{where}"
    )


def _delete(context: Context, unused: Unused) -> None:
    record = unused.record
    if record and unused.kind == "version":  # first: what is half deleted is not to be served
        day = datetime.now(UTC).date().isoformat()
        context.state.amend(replace(record, attributes={**record.attributes, PRUNED: day}))
        context.config.save_state()
    if unused.kind == "dataset" and unused.prefix:
        delete_objects(context, context.naming.bucket, unused.prefix + MANIFEST)  # which vouches for the rest
    if unused.kind == "batch":
        _forget_jobs(context, unused.prefix)
    if unused.prefix:
        delete_objects(context, context.naming.bucket, unused.prefix)
    if unused.path:
        _delete_folder(unused.path)
    if record and unused.kind in ("dataset", "preparation"):
        context.state.forget(record)
        context.config.save_state()


def _forget_jobs(context: Context, prefix: str) -> None:
    """Delete what is left of the transform jobs of a batch."""
    job = TransformJob(context)
    for record in [each for each in context.state.of_kind(job.kind) if folder_of(each.name) == prefix]:
        job.delete(record)
        context.state.forget(record)
        context.config.save_state()


def _delete_folder(path: Path) -> None:
    """Delete a folder; under another name first, since one that is half deleted would be taken for whole."""
    hidden = path if path.name.startswith(".") else path.with_name(f"{DELETING}{path.name}")
    try:
        if hidden != path:
            shutil.rmtree(hidden, ignore_errors=True)
            path.rename(hidden)
        shutil.rmtree(hidden)
    except OSError as problem:
        raise FileError(
            f"{path} cannot be deleted: {problem.strerror}.", "Make it writable, then run this again: it goes on."
        ) from None
