"""The datasets, versions of the model and leftovers that nothing serves any more, on S3 and on this machine.

What serves something stays: in this environment the newest versions, the one that is live and the one before it, the
pinned one, the one that `predict` asks here, and the datasets of all of these; the newest dataset, and what a training
or tuning job needs that is not over, or a transform job that is not over or was so within a day. On this machine the
same holds for what is recorded in any environment.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sentimodel.artifact import ArtifactError, read_metadata

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record, State
from sentictl.errors import ForeignError
from sentictl.lifecycle.resource import Context
from sentictl.reviews.prepare.manifest import read_manifest
from sentictl.services.batch.job import FOLDER as BATCHES
from sentictl.services.batch.job import TransformJob, describe_transform_job, folder_of, going_on
from sentictl.services.resources.dataset import FOLDER as DATASETS
from sentictl.services.resources.dataset import Dataset
from sentictl.services.resources.processing import ProcessingJob
from sentictl.services.resources.processing_code import FOLDER as PREPARATIONS
from sentictl.services.resources.processing_code import ProcessingCode
from sentictl.services.resources.storage import bucket_exists, bucket_tags, folder_sizes
from sentictl.services.resources.training import (
    CHECKPOINTS_FOLDER,
    MODELS,
    PRUNED,
    TrainingJob,
    dataset_of,
    describe_training_job,
    version_of,
    versions_of,
)
from sentictl.services.retraining.code import EVERY
from sentictl.services.tuning.job import ENDED, TuningJob
from sentictl.services.tuning.trials import describe_tuning_job
from sentictl.services.web.live import live_artifact

Folders = dict[str, tuple[Path, int]]  # paths and bytes, by name
KEEP = 3
A_DAY = 24 * 60 * 60  # seconds; what is being made now is younger
DELETING = ".pruned-"  # what the name of a folder begins with while it is deleted
ENDED_BADLY = {"Failed", "Stopped"}


@dataclass(frozen=True)
class Unused:
    """Something that nothing serves.

    Args:
        kind: "dataset", "version", "trial" of a tuning job that is no version, "checkpoints" of a training job,
            "preparation", what a processing job was given and left beside its dataset, "batch", the reviews and answers
            of a transform job, or "unfinished", what a killed command left.
        name: the dataset's digest, the training job's name, or the file's.
        prefix: of its keys in the bucket; empty where it is on this machine alone.
        bytes_on_s3: how much it takes there.
        path: its folder on this machine; None where it is in the bucket alone.
        bytes_here: how much it takes on this machine.
        record: what is recorded of it in this environment.
    """

    kind: str
    name: str
    prefix: str = ""
    bytes_on_s3: int = 0
    path: Path | None = None
    bytes_here: int = 0
    record: Record | None = None


@dataclass(frozen=True)
class Survey:
    """What there is to prune in an environment and on this machine.

    Args:
        environment: the environment's name.
        unused: what nothing serves.
        kept: the names of the versions that stay.
        untouched: what is left alone because it is not known or damaged, each with the reason.
    """

    environment: str
    unused: Sequence[Unused]
    kept: Sequence[str]
    untouched: Sequence[tuple[str, str]]

    @property
    def size(self) -> int:
        """How many bytes all that is unused takes."""
        return sum(each.bytes_on_s3 + each.bytes_here for each in self.unused)

    def document(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "unused": [
                {"kind": it.kind, "name": it.name, "bytes_on_s3": it.bytes_on_s3, "bytes_here": it.bytes_here}
                for it in self.unused
            ],
            "bytes": self.size,
            "kept": list(self.kept),
            "untouched": [{"where": where, "why": why} for where, why in self.untouched],
        }


@dataclass(frozen=True)
class _Served:
    """What stays: versions and datasets of the environment, datasets on this machine, and keys of checkpoints."""

    versions: set[str]
    datasets: set[str]
    datasets_here: set[str]
    checkpoints: set[str]


def survey(context: Context, keep: int = KEEP) -> Survey:
    """Find what nothing serves. Changes nothing.

    Args:
        context: the project and environment.
        keep: how many of the newest versions stay, whether they are live or not.

    Raises:
        ForeignError: the bucket is another project's.
        StateError: what is recorded in another environment cannot be read.
    """
    served, on_s3 = _served(context, keep), _on_s3(context)
    folder = context.config.folder
    models, datasets = _here(folder.models, _is_model), _here(folder.datasets, _is_dataset)
    unused = [
        *_versions(context, served, on_s3, models),
        *_trials(context, on_s3),
        *_datasets(context, served, on_s3, datasets),
        *_checkpoints(context, served, on_s3),
        *_batches(context, on_s3),
        *_preparations(context, served, on_s3),
        *_unfinished(folder.models, folder.datasets, folder.cache),
    ]
    known = [record.name for record in versions_of(context.state) if record.name in served.versions]
    return Survey(context.environment.name, unused, known, [*_unknown_on_s3(context, on_s3), *_unknown_here(context)])


def _served(context: Context, keep: int) -> _Served:
    folder, states = context.config.folder, context.config.states()
    linked = [path.resolve() for path in _entries(folder.models) if path.is_symlink()]
    jobs = _going_on(context)
    versions = _served_versions(context, keep) | {path.name for path in linked}
    datasets = _datasets_of(context.state, versions) | {dataset_of(job) for job in jobs} | _searched(context)
    others = [_datasets_of(state, None) for name, state in states.items() if name != context.config.environment]
    here = datasets.union(*others, *(_dataset_of_artifact(path) for path in linked))
    return _Served(versions, datasets, here, {job.get("CheckpointConfig", {}).get("S3Uri", "") for job in jobs})


def _served_versions(context: Context, keep: int) -> set[str]:
    """Return the names of the versions that stay, in this environment."""
    state, known = context.state, [each for each in versions_of(context.state) if PRUNED not in each.attributes]
    live = live_artifact(context) if known else ""
    places = [place for place, each in enumerate(known) if each.attributes["artifact"] == live]
    served = known[max(len(known) - keep, 0) :] + [
        each for place in places for each in known[max(place - 1, 0) : place + 1]
    ]
    deploy = context.settings.deploy
    pinned = [version for name in (deploy.model, deploy.shadow) if (version := version_of(state, name))]
    made = state.of_kind(TrainingJob.kind)[-1:]  # what the settings make
    return {each.name for each in [*served, *made, *pinned]}


def _datasets_of(state: State, versions: set[str] | None) -> set[str]:
    """Return the digests of the newest dataset, and of those that versions learned from: all, where none is named."""
    newest = {_digest(record) for record in state.of_kind(Dataset.kind)[-1:]}
    trained = [each for each in versions_of(state) if PRUNED not in each.attributes]
    return newest | {
        each.attributes.get("dataset", "") for each in trained if versions is None or each.name in versions
    }


def _dataset_of_artifact(folder: Path) -> set[str]:
    try:
        return {read_metadata(folder).dataset}
    except ArtifactError:
        return set()


def _going_on(context: Context) -> list[dict[str, Any]]:
    """Describe the training jobs of which no end is recorded, and which may still make a model or be resumed."""
    records = [each for each in context.state.of_kind(TrainingJob.kind) if "artifact" not in each.attributes]
    newest = context.state.of_kind(TrainingJob.kind)[-1:]
    jobs = [(record, describe_training_job(context, record.name)) for record in records]
    return [job for record, job in jobs if job and (job["TrainingJobStatus"] not in ENDED_BADLY or record in newest)]


def _searched(context: Context) -> set[str]:
    """Return the digests of the datasets that tuning jobs learn from of which no end is recorded."""
    names = [each.name for each in context.state.of_kind(TuningJob.kind) if ENDED not in each.attributes]
    definitions = [job["TrainingJobDefinition"] for name in names if (job := describe_tuning_job(context, name))]
    return {dataset_of({"HyperParameters": each["StaticHyperParameters"]}) for each in definitions}


def _on_s3(context: Context) -> dict[str, int]:
    """Return how many bytes each dataset, model and job's checkpoints take in the bucket, by the keys' prefix."""
    bucket = context.naming.bucket
    if not len(context.state) or not bucket_exists(context, bucket):
        return {}
    if not context.owns(bucket_tags(context, bucket)):
        where = env_option(context.environment.name, default=LOCAL)
        raise ForeignError(f"The bucket {bucket} is not this project's.", f"Look at it: sentictl status{where}")
    folders = (DATASETS, MODELS, CHECKPOINTS_FOLDER, PREPARATIONS, BATCHES)
    return {prefix: size for folder in folders for prefix, size in folder_sizes(context, bucket, folder).items()}


def _here(folder: Path, is_whole: Callable[[Path], bool]) -> Folders:
    """Return the whole ones of the folders in a folder on this machine, with their bytes, by name."""
    return {path.name: (path, _bytes(path)) for path in _visible(folder) if is_whole(path)}


def _versions(context: Context, served: _Served, on_s3: dict[str, int], models: Folders) -> Iterator[Unused]:
    for record in versions_of(context.state):
        prefix, (path, here) = f"{MODELS}{record.name}/", models.get(record.name, (None, 0))
        there = prefix in on_s3 or path or PRUNED not in record.attributes
        if there and record.name not in served.versions:
            yield Unused("version", record.name, _listed(prefix, on_s3), on_s3.get(prefix, 0), path, here, record)


def _trials(context: Context, on_s3: dict[str, int]) -> Iterator[Unused]:
    """Yield the artifacts of trials that are no version, where their tuning job is over."""
    over = [record.name for record in context.state.of_kind(TuningJob.kind) if ENDED in record.attributes]
    versions = {record.name for record in context.state.of_kind(TrainingJob.kind)}
    for prefix, size in on_s3.items():
        name = prefix.removeprefix(MODELS).rstrip("/")
        if prefix.startswith(MODELS) and name not in versions and name.startswith(tuple(f"{job}-" for job in over)):
            yield Unused("trial", name, prefix, size)


def _datasets(context: Context, served: _Served, on_s3: dict[str, int], datasets: Folders) -> Iterator[Unused]:
    recorded = {_digest(record): record for record in context.state.of_kind(Dataset.kind)}
    gone, gone_here = recorded.keys() - served.datasets, datasets.keys() - served.datasets_here
    for digest in sorted(gone | gone_here):
        unused = Unused("dataset", digest)
        if digest in gone:
            prefix = f"{DATASETS}{digest}/"
            size = on_s3.get(prefix, 0)
            unused = replace(unused, prefix=_listed(prefix, on_s3), bytes_on_s3=size, record=recorded[digest])
        if digest in gone_here:
            path, here = datasets[digest]
            unused = replace(unused, path=path, bytes_here=here)
        yield unused


def _checkpoints(context: Context, served: _Served, on_s3: dict[str, int]) -> Iterator[Unused]:
    for prefix, size in on_s3.items():
        job = prefix.removeprefix(CHECKPOINTS_FOLDER).rstrip("/")
        ours = prefix.startswith(CHECKPOINTS_FOLDER) and _recorded(context, prefix)
        if ours and f"s3://{context.naming.bucket}/{prefix}" not in served.checkpoints:
            yield Unused("checkpoints", job, prefix, size)


def _batches(context: Context, on_s3: dict[str, int]) -> Iterator[Unused]:
    """Yield the reviews and answers of transform jobs that were over a day ago, and that nobody fetched.

    Also of those that somebody else began, whose record this checkout has not.
    """
    jobs = {record.name: job for record, job in going_on(context)}
    if any(prefix.startswith(BATCHES) for prefix in on_s3):
        jobs |= {name: describe_transform_job(context, name) or {} for name, _ in TransformJob(context).found(jobs)}
    kept = {folder_of(name) for name, job in jobs.items() if not _is_long_over(job)}
    for prefix, size in on_s3.items():
        if prefix.startswith(BATCHES) and prefix not in kept:
            yield Unused("batch", prefix.removeprefix(BATCHES).rstrip("/"), prefix, size)


def _is_long_over(job: Mapping[str, Any]) -> bool:
    ended = job.get("TransformEndTime")
    return not job or (ended is not None and time.time() - ended.timestamp() > A_DAY)


def _preparations(context: Context, served: _Served, on_s3: dict[str, int]) -> Iterator[Unused]:
    """Yield what processing jobs were given and left, but for the newest and those whose dataset stays."""
    jobs = context.state.of_kind(ProcessingJob.kind)
    for record in context.state.of_kind(ProcessingCode.kind)[:-1]:
        first = context.naming.name(record.name.removeprefix(PREPARATIONS).rstrip("/"))
        made = {job.attributes.get("dataset", "") for job in jobs if job.name.startswith(first)}
        if record.name in on_s3 and not made & served.datasets:
            yield Unused("preparation", first, record.name, on_s3[record.name], record=record)


def _unfinished(*folders: Path) -> Iterator[Unused]:
    """Yield the hidden folders that commands made and were killed over."""
    for path in (path for folder in folders for path in _entries(folder)):
        hidden = path.name.startswith(".") and path.is_dir() and not path.is_symlink()
        if hidden and (path.name.startswith(DELETING) or time.time() - path.stat().st_mtime > A_DAY):
            yield Unused("unfinished", path.name, path=path, bytes_here=_bytes(path))


def _unknown_on_s3(context: Context, on_s3: dict[str, int]) -> Iterator[tuple[str, str]]:
    again = f"record it with: sentictl import{env_option(context.environment.name, default=LOCAL)}"
    for prefix in on_s3:
        if not _recorded(context, prefix):
            yield f"s3://{context.naming.bucket}/{prefix}", f"it is not recorded here; {again}"


def _unknown_here(context: Context) -> Iterator[tuple[str, str]]:
    folder = context.config.folder
    jobs = {each.name for state in context.config.states().values() for each in state.of_kind(TrainingJob.kind)}
    for path in _visible(folder.models):
        if path.name not in jobs:
            yield str(path), "it is of no version that is recorded"
        elif not _is_model(path):
            yield str(path), "it is no whole model"
    for path in _visible(folder.datasets):
        if not _is_dataset(path):
            yield str(path), "it is no whole dataset"


def _recorded(context: Context, prefix: str) -> bool:
    """Tell whether what lies under a prefix in the bucket follows from something that is recorded."""
    folder, _, name = prefix.partition("/")
    if f"{folder}/" == BATCHES:
        return True
    if f"{folder}/" == DATASETS:
        return any(record.name == prefix for record in context.state.of_kind(Dataset.kind))
    if prefix == EVERY:  # what scheduled trainings were given
        return True
    if f"{folder}/" == PREPARATIONS:
        return any(record.name == prefix for record in context.state.of_kind(ProcessingCode.kind))
    jobs = [record.name for record in context.state.of_kind(TrainingJob.kind)]
    # The jobs of one digest share their checkpoints, and have numbers behind their names.
    several = f"{folder}/" == CHECKPOINTS_FOLDER
    name = name.rstrip("/")
    if f"{folder}/" == MODELS and any(name.startswith(f"{it.name}-") for it in context.state.of_kind(TuningJob.kind)):
        return True  # a trial
    return any(job == name or (several and job.startswith(f"{name}-")) for job in jobs)


def _listed(prefix: str, on_s3: Mapping[str, int]) -> str:
    return prefix if prefix in on_s3 else ""


def _digest(dataset: Record) -> str:
    return dataset.name.removeprefix(DATASETS).rstrip("/")


def _is_model(path: Path) -> bool:
    return bool(_dataset_of_artifact(path))


def _is_dataset(path: Path) -> bool:
    return read_manifest(path) is not None


def _visible(folder: Path) -> list[Path]:
    """Return what is in a folder and is neither hidden nor a link."""
    return [path for path in _entries(folder) if not path.name.startswith(".") and not path.is_symlink()]


def _entries(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _bytes(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
