"""What a processing job is given: its source on S3, and the code and the order that lie beside its script."""

import importlib.util
import shlex
from collections.abc import Container, Iterable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from sentictl import __version__
from sentictl.assets import archives, installed
from sentictl.aws.images import spark_image
from sentictl.aws.names import digest_of
from sentictl.errors import DataError
from sentictl.lifecycle.resource import Actions, Context, LiveResource
from sentictl.reviews.read.bucket import SCHEME, Found, look_up
from sentictl.reviews.read.command import DATA
from sentictl.reviews.read.folders.files import folder_of
from sentictl.reviews.read.source import ACCEPTED
from sentictl.reviews.read.tables.folder import is_table
from sentictl.reviews.spark.order import ARCHIVE, FILE, Order
from sentictl.services.resources.storage import DELETING, StoredObject, list_keys, read_object

FOLDER = "processing/"
DEPTH = 2  # slashes in the name of one; those of scheduled trainings lie deeper
SCRIPT = "prepare_dataset.py"
AWS = "aws"
MACHINES = ("instance_type", "instance_count", "volume_gb", "max_minutes")  # settings that change nothing in a dataset
PACKAGES = ("reviews",)  # of sentictl, that the job runs
MODULES = ("__init__.py", "errors.py")
ZSTANDARD = ".zst"
# The stemmer's two modules; what else they import of nltk they use in a demonstration alone.
STEMMER = ("stem/api.py", "stem/porter.py")
AROUND_THE_STEMMER = {
    "nltk/__init__.py": b"redos = None\n",
    "nltk/termsec.py": b"safe_print = print\n",
    "nltk/stem/__init__.py": b"from nltk.stem.porter import PorterStemmer as PorterStemmer\n",
}


class ProcessingCode(StoredObject):
    """What the job runs, and what it is asked to prepare: `processing/<digest>/code/`. The order goes last.

    The digest is of all that decides what comes of the job: the source's objects, the settings, the code, the image.
    """

    kind = "processing-code"
    command = "data"
    on_request = True
    keeps_versions = True
    actions = Actions(read="s3:ListBucket s3:GetObject s3:GetBucketTagging", create="s3:PutObject", delete=DELETING)

    @property
    def wanted(self) -> bool:
        return self.context.settings.data.on == AWS

    @cached_property
    def digest(self) -> str:
        """The digest of all that decides what comes of the job."""
        found = source_on_s3(self.context)
        objects = [(file.path, file.version, file.size) for file in found.files]
        image = spark_image(self.context.environment.region)
        return digest_of(found.name, objects, settings_of(self.context), archives_digest(self._archive), image)

    @property
    def name(self) -> str:
        return f"{FOLDER}{self.digest}/"

    @property
    def code(self) -> str:
        """The key under which the script, the archive and the order lie."""
        return f"{self.name}code/"

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        if self.wanted or self.context.state.of_kind(self.kind):
            orders = (key for key in list_keys(self.context, self.bucket, FOLDER) if key.endswith(f"/code/{FILE}"))
            names = (key.removesuffix(f"code/{FILE}") for key in orders)
            ours = (name for name in names if name.count("/") == DEPTH and name not in known)
            yield from ((name, LiveResource(self.uri(name))) for name in ours)

    def read(self, name: str) -> LiveResource | None:
        there = read_object(self.context, self.bucket, f"{name}code/{FILE}")
        return LiveResource(self.uri(name)) if there else None

    def create(self) -> None:
        script = installed.templates() / "spark" / SCRIPT
        files = {SCRIPT: script.read_bytes(), ARCHIVE: self._archive, FILE: self._order.text().encode()}
        client = self.context.environment.client("s3")
        for name, content in files.items():
            client.put_object(Bucket=self.bucket, Key=f"{self.code}{name}", Body=content)

    @cached_property
    def _archive(self) -> bytes:
        return archives.zip_stored(code_files(self.context.config.folder.root))

    @property
    def _order(self) -> Order:
        found = source_on_s3(self.context)
        again = {"start": DATA.start, "options": DATA.options, "defaults": _defaults(self.context)}
        folder = found.files[0].key.removesuffix(found.files[0].path).rstrip("/")
        address = f"{SCHEME}{found.bucket}/{folder}".rstrip("/")
        return Order(found.name, found.is_folder, settings_of(self.context), again, f"sentictl {__version__}", address)


def code_files(root: Path) -> dict[str, bytes]:
    """Return what the job imports, by its path in the archive: what reads and prepares reviews, and the stemmer.

    Args:
        root: the project's folder, whose own `sentimodel` comes before the installed one.
    """
    package = installed.PACKAGE
    paths = {name: package / name for name in MODULES}
    for folder in PACKAGES:
        paths |= {f"{folder}/{name}": path for name, path in installed.files_in(package / folder).items()}
    files = {f"{package.name}/{name}": path.read_bytes() for name, path in paths.items()}
    model = installed.model_code(root)
    files |= {name: path.read_bytes() for name, path in model.items() if name.startswith(installed.MODEL_PACKAGE)}
    nltk = Path(str(importlib.util.find_spec("nltk").origin)).parent  # type: ignore[union-attr]
    return files | {f"nltk/{name}": (nltk / name).read_bytes() for name in STEMMER} | AROUND_THE_STEMMER


def archives_digest(archive: bytes) -> str:
    """Return the digest of an archive's content."""
    return digest_of(archive.hex())


@lru_cache(maxsize=1)
def source_on_s3(context: Context) -> Found:
    """Return what `data.source` names on S3. Looked up once a run.

    Raises:
        DataError: a processing job cannot read it.
    """
    source = context.settings.data.source
    here = f"Prepare it on this machine: {DATA.again(context.settings.data, on='here')}"
    if not source.startswith(SCHEME):
        raise DataError(
            f"{source} is not on S3, where a processing job reads its source.",
            f"Put a file or a folder of tables there (aws s3 cp FILE s3://BUCKET/KEY), and name it by --source. {here}",
        )
    found = look_up(source, context.environment.client("s3"))
    names = [file.path for file in found.files]
    tables = [name for name in names if is_table(name)]
    if found.is_folder and any(folder_of(name) for name in names):
        raise DataError(f"{source} has a file for each review, and a processing job reads tables.", here)
    if not tables:
        raise DataError(f"{source} holds no table that a processing job reads.", f"{ACCEPTED} {here}")
    packed = [name for name in tables if name.lower().endswith(ZSTANDARD)]
    if packed:
        shown = shlex.quote(packed[0])
        raise DataError(f"{shown} of {source} is packed by Zstandard, which AWS's Spark image cannot unpack.", here)
    return found


def settings_of(context: Context) -> dict[str, Any]:
    """Return the settings that decide what comes of a preparation."""
    return context.settings.data.model_dump(exclude=set(MACHINES))


def _defaults(context: Context) -> Mapping[str, Any]:
    return type(context.settings.data)().model_dump(exclude=set(MACHINES))
