"""A training job's checkpoints: a folder of the job and its place on S3, kept the same while the job runs."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sentictl.twin.iam.roles import AccessDeniedError
from sentictl.twin.s3.objects import ObjectMissingError, Objects

SECONDS_BETWEEN_LOOKS = 0.5


class CheckpointSync:
    """Keeps a job's `CheckpointConfig` as SageMaker does.

    Args:
        objects: the twin's S3.
        uri: where the checkpoints are kept, `s3://bucket/prefix`.
        folder: where the job finds and writes them.
    """

    def __init__(self, objects: Objects, uri: str, folder: Path) -> None:
        self._objects = objects
        self._uri = uri.rstrip("/") + "/"
        self._folder = folder
        self._uploaded: dict[Path, tuple[int, int]] = {}

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Download what is on S3, upload every change while the `with` lasts, and the last ones at its end.

        Raises:
            ObjectMissingError: the bucket does not exist.
            AccessDeniedError: the job's role may not list, read or write there.
        """
        self._folder.mkdir(parents=True)
        self._objects.download(self._uri, self._folder)
        self._uploaded = self._present()
        over = threading.Event()
        uploads = threading.Thread(target=self._keep_uploading, args=(over,), daemon=True)
        uploads.start()
        try:
            yield
        finally:
            over.set()
            uploads.join()
        self._upload_changes()

    def _keep_uploading(self, over: threading.Event) -> None:
        with suppress(ObjectMissingError, AccessDeniedError):  # the upload at the end raises it again
            while not over.wait(SECONDS_BETWEEN_LOOKS):
                self._upload_changes()

    def _upload_changes(self) -> None:
        present = self._present()
        for path in [path for path, seen in present.items() if self._uploaded.get(path) != seen]:
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue  # renamed or deleted since
            self._objects.write(self._uri + path.relative_to(self._folder).as_posix(), content)
            self._uploaded[path] = present[path]

    def _present(self) -> dict[Path, tuple[int, int]]:
        """Return the files, each with the time and size that a change shows in. Hidden ones are being written."""
        files = {}
        for path in self._folder.rglob("[!.]*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue  # renamed or deleted since
            if path.is_file():
                files[path] = (status.st_mtime_ns, status.st_size)
        return files
