"""The Python API's part for many reviews at once: a file that a transform job answers."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from sentictl.api import stack
from sentictl.api.results import Plan
from sentictl.api.session import Session
from sentictl.config.settings import DataSettings
from sentictl.config.state import Record
from sentictl.errors import DataError
from sentictl.lifecycle import reconcile
from sentictl.lifecycle.reconcile import apply, remove
from sentictl.lifecycle.resource import Context
from sentictl.reviews.read.bucket import SCHEME, fetch, look_up
from sentictl.reviews.read.reader import read_inputs
from sentictl.reviews.read.resolve import user_cache
from sentictl.reviews.read.source import Warnings
from sentictl.services.batch.answers import AnsweredRow, AnswerTarget, joined, predictions
from sentictl.services.batch.job import BatchRequest, TransformJob
from sentictl.services.batch.model import PART, BatchModel
from sentictl.services.batch.price import batch_price, run_price
from sentictl.services.batch.records import MB, write_records
from sentictl.services.batch.schedule import BatchSchedule, check_folders
from sentictl.services.chain import CHAIN
from sentictl.services.iam.permissions import needed
from sentictl.services.kept import KEPT
from sentictl.services.predict.rows import InputRow, Prediction
from sentictl.services.pricing.estimate import estimate
from sentictl.services.serving.model import trained

Rows = Callable[[], Iterator[InputRow]]  # the input, from its beginning each time
Settings = Mapping[str, Any] | None
RECORDS = "records.jsonl"


@dataclass(frozen=True)
class BatchOutcome:
    """A file of answers.

    Args:
        output: its path or address.
        reviews: how many answers it has.
        failed: how many of them are errors.
        counted: what of the input was not used as it stands: "what" it is, its "count" and an "example".
    """

    output: str
    reviews: int
    failed: int
    counted: Sequence[dict[str, Any]] = ()

    def document(self) -> dict[str, Any]:
        return {"output": self.output, "reviews": self.reviews, "failed": self.failed}


class ProjectBatch:
    """Many reviews at once, answered by a transform job over the model that is served."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def answer(
        self,
        file: Path | str,
        output: Path | str,
        *,
        instances: int | None = None,
        reading: Mapping[str, str] | None = None,
        seen: Callable[[InputRow, Prediction], object] = lambda *_: None,
    ) -> BatchOutcome:
        """Answer a file of reviews into another file, which is written whole or not at all.

        What was interrupted, or failed, goes on when the same is asked again: no review is asked about twice.

        Args:
            file: a table or .txt file as `predict --file` takes it: a path, or an address s3://BUCKET/KEY.
            output: a path or an address; its name ends in .jsonl or .csv.
            instances: how many machines answer, for this once; by default `batch.instance_count`.
            reading: settings of `data` that hold for this file alone, such as {"review_column": "text"}.
            seen: told of each row and what is said of it, in order; what it raises ends it, and nothing is written.

        Raises:
            UsageError: the output is there already, or of no known form.
            DataError: the file cannot be read.
            BatchError: the job failed.
        """
        target, warnings = AnswerTarget(str(output)), Warnings()

        def check(context: Context) -> None:
            trained(context)
            target.check(context)

        with self._session.change(check=check) as context, self._scratch(context) as folder:
            rows = self._rows(context, file, reading, warnings)
            failed = 0

            def tell(each: AnsweredRow) -> None:
                nonlocal failed
                failed += "error" in each.prediction
                seen(*each)

            batch = self._batch(context, rows, folder, instances)
            answered = self._answered(context, batch, rows)
            count = target.write(context, answered, tell)
            self._clear(context, batch)
        return BatchOutcome(target.name, count, failed, warnings.listed)

    def plan(
        self,
        file: Path | str,
        *,
        instances: int | None = None,
        reading: Mapping[str, str] | None = None,
    ) -> Plan:
        """Return what `answer` would do and about what it costs. Changes nothing on AWS."""
        context = self._session.read(check=trained, announced=True)
        with self._scratch(context) as folder:
            batch = self._batch(context, self._rows(context, file, reading, Warnings()), folder, instances)
            rehearsal = context.rehearsal()
            steps = reconcile.plan(stack.answering(rehearsal, TransformJob(rehearsal, batch)), rehearsal)
            return Plan(
                context.environment.name,
                steps,
                estimate(context, CHAIN, stack.standing(context, steps)),
                needed(KEPT, steps),
                batch=batch_price(context, batch),
            )

    def schedule(self, settings: Settings = None) -> Record | None:
        """Have reviews on S3 answered again and again, or no more. Returns the schedule's record; None without one.

        Args:
            settings: to change first, such as `{"batch.schedule.every": "day 03:00", "batch.schedule.input":
                "s3://our-bucket/reviews/", "batch.schedule.output": "s3://our-bucket/answers/"}`; "off" ends it.

        Raises:
            SettingsError: the bucket of the input or of the output does not exist.
        """
        observer = self._session.observer
        with self._session.change(settings, _check_schedule) as context:
            if context.settings.batch.schedule.every:
                observer.remark(f"  Each run, by what lies there now: {run_price(context)}")
            observer.begin(PART)
            apply(stack.scheduling(context), context, observer)
            observer.ended(PART)
            return context.state.latest(BatchSchedule.kind)

    def plan_schedule(self, settings: Settings = None) -> Plan:
        """Return what `schedule` would do, and about what a run costs. Changes nothing on AWS."""
        context = self._session.read(settings, _check_schedule, announced=True)
        rehearsal = context.rehearsal()
        steps = reconcile.plan(stack.scheduling(rehearsal), rehearsal)
        price = run_price(context) if context.settings.batch.schedule.every else None
        costs = estimate(context, CHAIN, stack.standing(context, steps))
        return Plan(context.environment.name, steps, costs, needed(KEPT, steps), batch=price)

    def follow(self, context: Context) -> None:
        """Let a schedule ask the model that is served now; where there is none, nothing is done."""
        if context.state.latest(BatchSchedule.kind) and context.settings.batch.schedule.every:
            apply(stack.scheduling(context), context, self._session.observer)

    def predict(self, texts: Mapping[str, str]) -> list[Prediction]:
        """Return the answers to texts, each given by what a message calls it."""
        rows = [InputRow(text, where=where) for where, text in texts.items()]
        with self._session.change(check=trained) as context, self._scratch(context) as folder:
            batch = self._batch(context, partial(iter, rows), folder, None)
            answers = [each.prediction for each in self._answered(context, batch, partial(iter, rows))]
            self._clear(context, batch)
        return answers

    def _scratch(self, context: Context) -> "tempfile.TemporaryDirectory[str]":
        cache = context.config.folder.cache
        cache.mkdir(parents=True, exist_ok=True)
        return tempfile.TemporaryDirectory(dir=cache, prefix=".batch-")

    def _rows(self, context: Context, file: Path | str, reading: Mapping[str, str] | None, warnings: Warnings) -> Rows:
        settings, path = self._reading(reading), Path(file)
        if str(file).startswith(SCHEME):
            client = context.environment.client("s3")
            if look_up(str(file), client).is_folder:  # all of which would be fetched
                raise DataError(f"{file} is a folder, and one file is answered.", "Name one of its files.")
            path = fetch(str(file), user_cache(), client, self._session.observer.report)

        def rows() -> Iterator[InputRow]:
            warnings.clear()
            return (InputRow(*found) for found in read_inputs(path, settings, warnings))

        return rows

    def _reading(self, reading: Mapping[str, str] | None) -> DataSettings:
        """Return how the file is read: how the one for training is written says nothing of it."""
        config = self._session.load()
        given = {"delimiter": "", "encoding": "", **(reading or {})}
        config.change({f"data.{name}": value for name, value in given.items()})
        return config.settings.data

    def _batch(self, context: Context, rows: Rows, folder: str, instances: int | None) -> BatchRequest:
        most = context.settings.batch.max_payload_mb * MB
        records = write_records(rows(), Path(folder) / RECORDS, most)
        count = instances or context.settings.batch.instance_count
        return BatchRequest(records, max(1, min(count, len(records))))

    def _answered(self, context: Context, batch: BatchRequest, rows: Rows) -> Iterable[AnsweredRow]:
        """Have the job answer, and return every row with what is said of it."""
        most = context.settings.batch.max_payload_mb * MB
        if not len(batch.records):  # nobody can be asked about any of them
            return joined(rows(), batch.records, iter(()), most)
        observer = self._session.observer
        observer.remark(f"  {_capitalized(str(batch_price(context, batch)))}")
        observer.begin(PART)
        job = TransformJob(context, batch)
        apply(stack.answering(context, job), context, observer)
        observer.ended(PART)
        return joined(rows(), batch.records, predictions(context, job), most)

    def _clear(self, context: Context, batch: BatchRequest) -> None:
        """Delete the job's inputs and answers, and the model where no other job asks it."""
        job = TransformJob(context, batch)
        remove(job, job.of_batch(), context, self._session.observer)
        if not context.state.of_kind(TransformJob.kind):
            remove(BatchModel(context), context.state.of_kind(BatchModel.kind), context, self._session.observer)


def _check_schedule(context: Context) -> None:
    trained(context)
    check_folders(context)


def _capitalized(text: str) -> str:
    return text[:1].upper() + text[1:]
