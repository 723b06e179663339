"""The archive of a function that holds the model: its code, the packages that run the model, and the artifact."""

import base64
import hashlib
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from sentimodel.files import METADATA, NGRAMS, ONNX, VOCABULARY

from sentictl.assets.archives import ArchiveError
from sentictl.assets.installed import template_files
from sentictl.assets.zip_members import Member, zip_members
from sentictl.aws.names import digest_of
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import PackagingError, SettingsError
from sentictl.lifecycle.resource import Actions, Context, LiveResource
from sentictl.services.resources.artifacts import fetch_artifact
from sentictl.services.resources.sagemaker import has_endpoint
from sentictl.services.resources.storage import DELETING, StoredObject, list_keys, read_object
from sentictl.services.serving.model import trained
from sentictl.services.web.packages import ARCHITECTURE, LEFT_OUT, PYTHON, installed_files, wheels

FOLDER = "functions/"  # in the bucket
PART = "lambda"  # of the templates
REQUIREMENTS = "requirements.txt"
HANDLER_FILE = "handler.py"
# The files of that part that only a function that holds the model has.
WITH_MODEL = ("held_model.py", REQUIREMENTS)
MODEL_FOLDER = "MODEL_FOLDER"  # the variable that tells the handler where in the archive the artifact is
ARTIFACT_FOLDER = "artifact"
ARTIFACT_FILES = (METADATA, ONNX, NGRAMS, VOCABULARY)  # not the weights, which torch alone reads
CODE_FOLDER = "code"  # of the artifact: what it was trained with, and is asked with
MOST_BYTES = 262_144_000  # unpacked (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html)
MEGABYTE = 1_000_000
LAYOUT = 1  # to be raised where the same inputs are packed otherwise


class FunctionArchive(StoredObject):
    """The archive on S3, `functions/<digest>/function.zip`, named by the digest of all that goes into it.

    Of its content AWS is told the digest that Lambda tells of a function's code. So it is packed only to be uploaded,
    and no other command needs its packages.
    """

    kind = "function-archive"
    command = "deploy"
    face = True
    removed_as = "lambda"
    actions = Actions(read="s3:ListBucket s3:GetObject s3:GetBucketTagging", create="s3:PutObject", delete=DELETING)

    @property
    def name(self) -> str:
        files = {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in self._templates().items()}
        artifact = trained(self.context).attributes["artifact"]
        return f"{FOLDER}{digest_of(files, artifact, PYTHON, ARCHITECTURE, LEFT_OUT.pattern, LAYOUT)}/function.zip"

    @property
    def wanted(self) -> bool:
        return not has_endpoint(self.context)

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        for name in list_keys(self.context, self.bucket, FOLDER):
            if name not in known and (live := self.read(name)):
                yield name, live

    def read(self, name: str) -> LiveResource | None:
        head = read_object(self.context, self.bucket, name)
        return LiveResource(self.uri(name), attributes=head["Metadata"]) if head else None

    def create(self) -> None:
        packed, served = self._packed(), trained(self.context)
        told = {
            "sha256": base64.b64encode(hashlib.sha256(packed).digest()).decode(),
            "model": served.name,
            "artifact": served.attributes["artifact"],
            "bytes": str(len(packed)),
        }
        self.context.report(f"putting {len(packed) / MEGABYTE:.0f} MB on S3")
        self.context.environment.client("s3").put_object(Bucket=self.bucket, Key=self.name, Body=packed, Metadata=told)

    def summary(self) -> str:
        return " · ".join(self.facts(self.context.recorded(FunctionArchive)))

    def facts(self, record: Record) -> Sequence[str]:
        size = record.attributes.get("bytes", "")
        packed = f"{int(size) / MEGABYTE:.1f} MB packed" if size else ""
        return [fact for fact in ("in the function", record.attributes.get("model", ""), packed) if fact]

    def _templates(self) -> Mapping[str, Path]:
        return template_files(PART, self.context.config.folder.root)

    def _packed(self) -> bytes:
        record = trained(self.context)
        check_handler(self.context)
        artifact = fetch_artifact(self.context, record.name, record.attributes["artifact"])
        packages = package_files(self.context)
        self.context.report("packing the function")
        try:
            files = [*packages, *_code(self._templates()), *_model(artifact)]
            _check_size(self.context, files, sum(member.size for member in packages))
            return zip_members(files)
        except (ArchiveError, OSError) as problem:
            raise PackagingError(
                f"The function cannot be packed: {problem}.",
                "Look at templates/lambda, at its requirements.txt and at the model: sentictl models",
            ) from None


def check_packages(context: Context) -> None:
    """Make sure, where a function is to hold the model for the first time, that it can, before that is trained.

    Raises:
        PackagingError: its packages cannot be had, or are too large.
        SettingsError: the project's own handler knows of no model.
    """
    if not has_endpoint(context) and not context.state.of_kind(FunctionArchive.kind):
        check_handler(context)
        packages = package_files(context)
        _check_size(context, packages, sum(member.size for member in packages))


def check_handler(context: Context) -> None:
    """Refuse a project's own handler of before the model could be in the function.

    Raises:
        SettingsError: it is one.
    """
    handler = template_files(PART, context.config.folder.root)[HANDLER_FILE]
    if MODEL_FOLDER not in handler.read_text(encoding="utf-8"):
        where = env_option(context.environment.name, default=LOCAL)
        raise SettingsError(
            f"{handler} asks an endpoint alone: it is of before the model could be in the function.",
            f"Take sentictl's newer one: delete yours, then: sentictl init --eject; or have an endpoint: "
            f"sentictl config set deploy.serving instance{where}",
        )


def package_files(context: Context) -> list[Member]:
    """Return the files of the packages that the function has, by their place beside its code.

    Raises:
        PackagingError: they cannot be had.
    """
    requirements = template_files(PART, context.config.folder.root)[REQUIREMENTS]
    return [member for wheel in wheels(context, requirements) for member in installed_files(wheel)]


def _code(templates: Mapping[str, Path]) -> Iterator[Member]:
    return (Member.stored(name, path.read_bytes()) for name, path in templates.items() if name != REQUIREMENTS)


def _model(artifact: Path) -> Iterator[Member]:
    """Yield the artifact's files, and those of the inference code that it came with."""
    for name in ARTIFACT_FILES:
        yield Member.stored(f"{ARTIFACT_FOLDER}/{name}", (artifact / name).read_bytes())
    code = artifact / CODE_FOLDER
    for path in sorted(code.rglob("*.py")):
        yield Member.stored(path.relative_to(code).as_posix(), path.read_bytes())


def _check_size(context: Context, files: Iterable[Member], packages: int) -> None:
    size = sum(member.size for member in files)
    if size > MOST_BYTES:
        where = env_option(context.environment.name, default=LOCAL)
        raise PackagingError(
            f"The function would weigh {size / MEGABYTE:,.0f} MB unpacked, {packages / MEGABYTE:,.0f} MB of it "
            f"packages; Lambda takes {MOST_BYTES / MEGABYTE:,.0f} MB.",
            f"Train a smaller model (sentictl config set train.ngrams 200000{where}), have fewer packages in "
            f"templates/lambda/requirements.txt, or an endpoint: sentictl config set deploy.serving serverless{where}",
        )
