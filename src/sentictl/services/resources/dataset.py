"""The dataset: reviews prepared here or on AWS, kept on S3 under the digest of everything that shaped them."""

import tempfile
from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from pathlib import Path

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import DataError, MissingStepError
from sentictl.lifecycle.reconcile import TO_COME
from sentictl.lifecycle.resource import Actions, Context, LiveResource
from sentictl.reviews.prepare.manifest import MANIFEST
from sentictl.reviews.prepare.preparation import PreparedDataset, prepare
from sentictl.reviews.read.resolve import open_source, user_cache
from sentictl.services.resources.processing import ProcessingJob, prepared_on_aws
from sentictl.services.resources.processing_code import AWS
from sentictl.services.resources.storage import DELETING, StoredObject, list_keys, list_sizes, read_object

FOLDER = "datasets/"


class Dataset(StoredObject):
    """`datasets/<digest>/`: the splits and the vocabulary. The manifest goes last, so that it vouches for the rest."""

    kind = "dataset"
    command = "data"
    face = True
    actions = Actions(
        read="s3:ListBucket s3:GetObject s3:GetBucketTagging",
        create="s3:PutObject s3:AbortMultipartUpload s3:DeleteObject",
        delete=DELETING,
    )
    keeps_versions = True

    @property
    def prepared(self) -> PreparedDataset:
        """The dataset on this machine, prepared now unless the same inputs were prepared before.

        Raises:
            DataError: the reviews cannot be used as they are.
        """
        if not self._on_aws:
            return _prepared(self.context)
        manifest = prepared_on_aws(self.context)
        if manifest is None:
            raise MissingStepError("The dataset is not prepared yet.", "Prepare it: sentictl data")
        return PreparedDataset(manifest.digest, self.context.config.folder.datasets / manifest.digest, manifest)

    @property
    def digest(self) -> str:
        """Its digest; of one that is yet to be prepared on AWS, what stands in its place in a plan."""
        if self._on_aws and prepared_on_aws(self.context) is None:
            return TO_COME
        return self.prepared.digest

    @property
    def name(self) -> str:
        return f"{FOLDER}{self.digest}/"

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        manifests = (key for key in list_keys(self.context, self.bucket, FOLDER) if key.endswith(f"/{MANIFEST}"))
        names = (key.removesuffix(MANIFEST) for key in manifests)
        return ((name, LiveResource(self.uri(name))) for name in names if name not in known)

    def read(self, name: str) -> LiveResource | None:
        return LiveResource(self.uri(name)) if read_object(self.context, self.bucket, name + MANIFEST) else None

    def create(self) -> None:
        if self._on_aws:
            self._vouch()
            return
        folder = self.prepared.folder
        files = sorted((path for path in folder.rglob("*") if path.is_file()), key=_manifest_last)
        client = self.context.environment.client("s3")
        for number, path in enumerate(files):
            self.context.report("uploading", number, len(files))
            client.upload_file(str(path), self.bucket, self.name + path.relative_to(folder).as_posix())

    def _vouch(self) -> None:
        """Put the manifest beside the files that a processing job has put there, once all of them are there whole."""
        client, manifest = self.context.environment.client("s3"), self.prepared.manifest
        expected = {f"{self.name}{name}": facts.bytes for name, facts in manifest.files.items()}
        there = dict(list_sizes(self.context, self.bucket, self.name))
        missing = [key for key, size in expected.items() if there.get(key) != size]
        if missing:
            job, environment = self.context.recorded(ProcessingJob).name, self.context.environment
            delete = environment.aws_cli(f"sagemaker delete-processing-job --processing-job-name {job}")
            where = env_option(environment.name, default=LOCAL)
            raise DataError(
                f"{self.uri(missing[0])} is not there whole, though the processing job has ended well.",
                f"Delete the job, and prepare the dataset again: {delete} && sentictl data{where}",
            )
        for key in there.keys() - expected.keys():  # what a task left that was killed while it wrote
            client.delete_object(Bucket=self.bucket, Key=key)
        with tempfile.TemporaryDirectory() as scratch:
            manifest.write(Path(scratch))
            client.upload_file(str(Path(scratch) / MANIFEST), self.bucket, self.name + MANIFEST)

    @property
    def _on_aws(self) -> bool:
        return self.context.settings.data.on == AWS

    def summary(self) -> str:
        manifest = self.prepared.manifest
        parts = {name: split.reviews for name, split in manifest.splits.items()}
        if manifest.unlabelled:
            parts["unlabelled"] = manifest.unlabelled.reviews
        shares = " · ".join(f"{reviews:,} {name}" for name, reviews in parts.items())
        warnings = "".join(f" · {what}: {count:,}" for what, count in manifest.warnings.items())
        return f"{sum(parts.values()):,} reviews from {manifest.source} → {shares}{warnings}"

    def facts(self, record: Record) -> Sequence[str]:
        return [record.arn]


def _manifest_last(path: Path) -> tuple[bool, str]:
    return path.name == MANIFEST, str(path)


@lru_cache(maxsize=1)
def _prepared(context: Context) -> PreparedDataset:
    """Once a run, whoever asks: only to recognize the source, all of it has to be read."""
    folder, data = context.config.folder, context.settings.data
    source = open_source(data, folder.root, user_cache(), context.report, s3=lambda: context.environment.client("s3"))
    return prepare(source, data, folder.datasets, context.report)
