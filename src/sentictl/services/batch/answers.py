"""The answers of a transform job, joined to the rows of its input in their order, and written whole or not at all."""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import BatchError, DataError, UsageError
from sentictl.lifecycle.resource import Context
from sentictl.reviews.read.bucket import SCHEME
from sentictl.services.batch.job import TransformJob
from sentictl.services.batch.model import PART
from sentictl.services.batch.records import BatchRecords, record_of
from sentictl.services.predict.clients import honest
from sentictl.services.predict.output_file import FORMS, open_answers
from sentictl.services.predict.rows import InputRow, Prediction, answer_of, placed, whole
from sentictl.services.resources.storage import bucket_may_exist, read_object

ADDRESS = re.compile(r"s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/.+", re.DOTALL)  # S3's rules for the names of buckets


class AnsweredRow(NamedTuple):
    """A row, and what is said of it.

    Attributes:
        row: of the input.
        prediction: the model's, or an error with its reason.
    """

    row: InputRow
    prediction: Prediction


def predictions(context: Context, job: TransformJob) -> Iterator[Prediction]:
    """Yield the answers of a batch, in the order of its records.

    Raises:
        BatchError: the model answered something else.
    """
    client, bucket = context.environment.client("s3"), context.naming.bucket
    for section, key in sorted(job.answer_keys().items()):
        content = client.get_object(Bucket=bucket, Key=key)["Body"].read()
        answers = [line for line in content.split(b"\n") if line]
        if len(answers) != len(section):
            raise _odd(context, job, f"{len(answers)} answers to {len(section)} reviews ({key})")
        for answer in answers:
            yield _prediction(context, job, answer)


def joined(
    rows: Iterable[InputRow], records: BatchRecords, said: Iterator[Prediction], most_bytes: int
) -> Iterator[AnsweredRow]:
    """Put each row of an input and what is said of it together.

    Args:
        rows: the input, as it was when the records were written.
        records: what was asked.
        said: the answers to them.
        most_bytes: of a record.

    Raises:
        DataError: the input is not what it was.
    """
    digest, count = hashlib.sha256(), 0
    for row in rows:
        count += 1
        record = record_of(row, most_bytes)
        if isinstance(record, bytes):
            digest.update(record)
            prediction = next(said, None)
            if prediction is None:
                break
            yield AnsweredRow(row, placed(row, prediction))
        else:
            yield AnsweredRow(row, placed(row, record))
    if count != records.rows or digest.hexdigest() != records.digest:
        raise DataError("The input was changed while it was answered.", "Run the same command again.")


class AnswerTarget:
    """Where the answers go: a file of this machine, or an object on S3.

    Args:
        name: its path or address, which ends in .jsonl or .csv.

    Raises:
        UsageError: it is of no known form, or no address.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._on_s3 = name.startswith(SCHEME)
        self.suffix = Path(name).suffix.lower()
        if self.suffix not in FORMS:
            raise UsageError(f"{name} is of no known form.", f"Its name should end in {' or '.join(FORMS)}.")
        if self._on_s3 and not ADDRESS.fullmatch(name):
            raise UsageError(f"{name} names no object on S3.", "It is of the form s3://BUCKET/KEY.")

    def check(self, context: Context) -> None:
        """Refuse what is there already, or cannot be written.

        Raises:
            UsageError: says why.
        """
        path = Path(self.name)
        if not self._on_s3 and not path.exists():
            open_answers(path, resume=False)
        elif self._on_s3 and not bucket_may_exist(context, self._place[0]):
            raise UsageError(f"There is no bucket {self._place[0]}.", "Make it, or choose another --output.")
        elif not self._on_s3 or read_object(context, *self._place) is not None:
            raise UsageError(
                f"{self.name} is there already, and is not overwritten.", "Remove it, or choose another --output."
            )

    def write(self, context: Context, answered: Iterable[AnsweredRow], seen: Callable[[AnsweredRow], object]) -> int:
        """Write all answers, in place of nothing. Returns how many there are.

        Args:
            context: the project and environment.
            answered: the rows and what is said of them.
            seen: told of each; what it raises ends the writing, and nothing is written.

        Raises:
            DataError: it cannot be written.
        """
        place = None if self._on_s3 else Path(self.name).resolve().parent
        with tempfile.TemporaryDirectory(dir=place, prefix=".answers-") as folder:
            path = Path(folder) / f"answers{self.suffix}"
            with open_answers(path, resume=False) as answers:
                for each in answered:
                    seen(each)
                    answers.write(answer_of(each.row.fields, whole(each.prediction, explain=False)))
            self._put(context, path)
        return answers.answered

    @property
    def _place(self) -> tuple[str, str]:
        bucket, _, key = self.name.removeprefix(SCHEME).partition("/")
        return bucket, key

    def _put(self, context: Context, path: Path) -> None:
        if self._on_s3:
            context.environment.client("s3").upload_file(str(path), *self._place)
        else:
            path.replace(self.name)


def _prediction(context: Context, job: TransformJob, answer: bytes) -> Prediction:
    try:
        document: Prediction = json.loads(answer)
        return document if "error" in document else honest(document)
    except (ValueError, TypeError, KeyError):
        raise _odd(context, job, answer[:100].decode(errors="replace")) from None


def _odd(context: Context, job: TransformJob, what: str) -> BatchError:
    where = env_option(context.environment.name, default=LOCAL)
    return BatchError(
        f"The transform job {job.name} answered something else than predictions: {what}.",
        f"To ask all reviews again, give the same command after: sentictl down {PART}{where}. "
        f"The job's log: sentictl logs {PART}{where}",
    )
