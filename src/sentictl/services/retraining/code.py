"""What the processing job of each scheduled training is given: `processing/every/<digest>/code/`."""

from collections.abc import Container, Iterable
from functools import cached_property

from sentictl.aws.images import spark_image
from sentictl.aws.names import digest_of
from sentictl.lifecycle.resource import LiveResource
from sentictl.reviews.read.tables.folder import is_table
from sentictl.services.resources.processing_code import FOLDER, ProcessingCode, archives_digest, settings_of
from sentictl.services.resources.storage import list_keys

COMMAND = "train --every"
PART = "train"
EVERY = f"{FOLDER}every/"


class ScheduledCode(ProcessingCode):
    """What the job runs, whatever the source holds by then."""

    kind = "scheduled-code"
    command = COMMAND
    removed_as = PART
    in_template = False
    keeps_versions = False
    holds_data = False

    @property
    def wanted(self) -> bool:
        return bool(self.context.settings.train.schedule.every)

    @cached_property
    def digest(self) -> str:
        """The digest of the settings, the code and the image: all but the source's objects."""
        image = spark_image(self.context.environment.region)
        return digest_of(settings_of(self.context), archives_digest(self._archive), image)

    @property
    def name(self) -> str:
        return f"{EVERY}{self.digest}/"

    @property
    def source_uri(self) -> str:
        """The address of the source: a table, or a folder, as the processing job's role has it."""
        source = self.context.settings.data.source
        return source if is_table(source.rpartition("/")[2]) else f"{source.removesuffix('/')}/"

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        if not (self.wanted or self.context.state.of_kind(self.kind)):
            return
        names = {f"{EVERY}{key.removeprefix(EVERY).partition('/')[0]}/" for key in self._keys()}
        yield from ((name, LiveResource(self.uri(name))) for name in sorted(names) if name not in known)

    def _keys(self) -> Iterable[str]:
        return list_keys(self.context, self.bucket, EVERY)
