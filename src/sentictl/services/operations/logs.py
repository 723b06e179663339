"""The logs of the chain's parts, as CloudWatch keeps them: read, followed, and searched for one request."""

import heapq
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain

from sentictl.aws.names import PROCESSING_GROUP, TRAINING_GROUP, TRANSFORM_GROUP
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import MissingStepError, UsageError
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.batch.job import TransformJob
from sentictl.services.batch.schedule import last_run
from sentictl.services.predict.clients import REQUEST_ID
from sentictl.services.resources.logs import ApiLogGroup, EndpointLogGroup, FunctionLogGroup, read_events
from sentictl.services.resources.processing import ProcessingJob
from sentictl.services.resources.training import TrainingJob
from sentictl.services.retraining.schedule import last_training

WAY = ("api", "lambda", "endpoint")  # the parts that a request goes through, in this order
PARTS = (*WAY, "train", "data", "batch")
PAUSE_SECONDS = 2.0  # between two looks; CloudWatch answers FilterLogEvents five times a second in all
LATE = timedelta(minutes=1)  # by which an event may come after younger ones: API Gateway and SageMaker send them late
NEAR = timedelta(minutes=5)  # of the API's line, in which the other lines of a request are
FEW = 10_000  # ids of events, before those are looked for that cannot come again


@dataclass(frozen=True)
class LogEvent:
    """An event in the log of a part.

    Args:
        part: "api", "lambda", "endpoint", "train", "data" or "batch".
        time: when it was, with its zone.
        message: what was written, without line ends.
        identifier: CloudWatch's own, by which it is the same event when it is read again.
    """

    part: str
    time: datetime
    message: str
    identifier: str = ""

    def document(self) -> dict[str, str]:
        return {"part": self.part, "time": self.time.isoformat(timespec="milliseconds"), "message": self.message}


@dataclass(frozen=True)
class LogPlace:
    """Where a part's log is: a log group, and the prefix of its streams there; empty where all are the part's."""

    part: str
    group: str
    streams: str = ""


class SeenEvents:
    """The events that were told already, of those that can be read once more: no more than a minute's of each part."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[str, datetime]] = {}
        self._newest: dict[str, datetime] = {}
        self._room = FEW

    def is_new(self, event: LogEvent) -> bool:
        """Tell whether an event was not told yet; it is now."""
        if event.identifier in self._seen:
            return False
        self._seen[event.identifier] = event.part, event.time
        self._newest[event.part] = max(event.time, self._newest.get(event.part, event.time))
        if len(self._seen) > self._room:
            near = {name: (part, moment) for name, (part, moment) in self._seen.items() if self._is_near(part, moment)}
            self._seen, self._room = near, max(FEW, 2 * len(near))
        return True

    def again_from(self, part: str, since: datetime | None) -> datetime | None:
        """Return the time from which a part is to be read the next time; `since` is where it began."""
        if part not in self._newest:
            return since
        late = self._newest[part] - LATE
        return max(late, since) if since else late

    def _is_near(self, part: str, moment: datetime) -> bool:
        return moment >= self._newest[part] - LATE


def parts_of_chain(context: Context) -> list[str]:
    """Return the parts whose logs a request can be found in: those that the settings ask for, or that stand."""
    return [part for part in WAY if part == "lambda" or _is_there(_group(context, part))]


def read_logs(
    context: Context, parts: Sequence[str], since: datetime | None = None, text: str = ""
) -> Iterator[LogEvent]:
    """Read the logs of some parts, the oldest event first. No more than a page of each is held.

    Args:
        context: the project and environment.
        parts: some of "api", "lambda", "endpoint", "train", which is the latest training job, "data", which is the
            latest processing job, and "batch", which is the latest transform job whose answers are not written yet, or
            where there is none the schedule's last run.
        since: the time of the first event to read; all that is kept where there is none.
        text: what an event has to hold, as it stands.

    Raises:
        MissingStepError: a part was never made, or the settings have none of it.
    """
    places = [_place(context, part) for part in parts]
    return _by_time(context, places, dict.fromkeys(parts, since), text)


def follow_logs(
    context: Context,
    parts: Sequence[str],
    since: datetime | None = None,
    text: str = "",
    pause: Callable[[], object] = lambda: time.sleep(PAUSE_SECONDS),
) -> Iterator[LogEvent]:
    """Read as `read_logs` does, then what comes, without end. Each event is told once.

    Args:
        context: as of `read_logs`.
        parts: as of `read_logs`.
        since: as of `read_logs`.
        text: as of `read_logs`.
        pause: waits until the next look.
    """
    places = [_place(context, part) for part in parts]
    seen = SeenEvents()
    while True:
        # Everything is looked at, and only then sorted out by its text: so the looks go forward.
        for event in _by_time(context, places, {part: seen.again_from(part, since) for part in parts}):
            if seen.is_new(event) and text in event.message:
                yield event
        pause()


def way_of(context: Context, request_id: str, since: datetime | None = None) -> list[LogEvent]:
    """Return all that the logs have of one request: the API's line, the function's, the endpoint's.

    Args:
        context: the project and environment.
        request_id: as the API answered it, in the header x-amzn-requestid or in an error.
        since: how far back to look; as far as anything is kept where there is none.

    Raises:
        UsageError: it cannot be an id.
        MissingStepError: nothing was found; it tells where.
    """
    if not REQUEST_ID.fullmatch(request_id):
        raise UsageError(
            f"{request_id!r} is no id of a request.",
            "It is letters, digits and hyphens, in the answer's header x-amzn-requestid: sentictl logs --request ID",
        )
    places = {part: _place(context, part) for part in parts_of_chain(context)}
    found = {part: list(_naming(context, place, request_id, since)) for part, place in places.items() if part == "api"}
    known = [event.time for event in found.get("api", ())]
    window = (min(known) - NEAR, max(known) + NEAR) if known else (since, None)
    for part in places.keys() - found.keys():
        found[part] = list(_naming(context, places[part], request_id, *window))
    invocations = {name for event in chain(*found.values()) if (name := _invocation(event.message))} - {request_id}
    for invocation in invocations:  # what Lambda itself writes has its own id
        found["lambda"] += _naming(context, places["lambda"], invocation, *window)
    way = [event for part in WAY for event in _in_order(found.get(part, ()))]
    if not way:
        looked = ", ".join(place.group for place in places.values())
        days = context.settings.logs.days
        raise MissingStepError(
            f"No log has anything of the request {request_id}. Looked in: {looked}. Each keeps {days} days.",
            "CloudWatch gets some lines a minute late: then the same command finds them. All lines: sentictl logs",
        )
    return way


def _by_time(
    context: Context, places: Sequence[LogPlace], begin: dict[str, datetime | None], text: str = ""
) -> Iterator[LogEvent]:
    """Merge the events of several places, each of which CloudWatch tells by time, to one row by time."""
    rows = [_events(context, place, begin[place.part]) for place in places]
    return (event for event in heapq.merge(*rows, key=lambda event: event.time) if text in event.message)


def _events(
    context: Context, place: LogPlace, since: datetime | None, until: datetime | None = None, pattern: str = ""
) -> Iterator[LogEvent]:
    """Read what is at a place.

    Args:
        context: the project and environment.
        place: where.
        since: the time of the first event.
        until: the time of the last one.
        pattern: a filter pattern of CloudWatch's.
    """
    read = read_events(context, place.group, streams=place.streams, since=since, until=until, pattern=pattern)
    for event in read:
        moment = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        yield LogEvent(place.part, moment, event["message"].rstrip(), event["eventId"])


def _naming(
    context: Context, place: LogPlace, identifier: str, since: datetime | None, until: datetime | None = None
) -> Iterator[LogEvent]:
    """Find the events that hold an id."""
    return _events(context, place, since, until, f'"{identifier}"')


def _in_order(events: Sequence[LogEvent]) -> list[LogEvent]:
    """Return each event once, by time; those of one moment as CloudWatch tells them."""
    once = {event.identifier: event for event in events}
    return sorted(once.values(), key=lambda event: event.time)


def _invocation(message: str) -> str:
    """Return Lambda's id in a line of ours; empty in any other line."""
    try:
        line = json.loads(message)
    except ValueError:
        return ""
    named = line.get("invocation") if isinstance(line, dict) else None
    return named if isinstance(named, str) and REQUEST_ID.fullmatch(named) else ""


def _group(context: Context, part: str) -> Resource:
    return {"api": ApiLogGroup, "lambda": FunctionLogGroup}.get(part, EndpointLogGroup)(context)


def _is_there(group: Resource) -> bool:
    return group.wanted or bool(group.context.state.of_kind(group.kind))


def _place(context: Context, part: str) -> LogPlace:
    if part == "train":
        return LogPlace(part, TRAINING_GROUP, f"{_announced(context, TrainingJob)}/")
    if part == "batch":
        return LogPlace(part, TRANSFORM_GROUP, f"{_transform_job(context)}/")
    if part == "data":
        return LogPlace(part, PROCESSING_GROUP, f"{_announced(context, ProcessingJob)}/")
    group = _group(context, part)
    if _is_there(group):
        return LogPlace(part, group.name)
    where = env_option(context.environment.name, default=LOCAL)
    if part == "api":
        raise MissingStepError(
            "The API has no log, as api.access_log is false.",
            f"Let it write one: sentictl config set api.access_log true{where}. Then: sentictl wire-api{where}",
        )
    raise MissingStepError(
        'There is no endpoint, as deploy.serving is "lambda": the model answers inside of the function.',
        f"Its log: sentictl logs lambda{where}",
    )


def _transform_job(context: Context) -> str:
    """Return the name of the newest recorded transform job; where there is none, of the schedule's last run."""
    run = None if context.state.of_kind(TransformJob.kind) else last_run(context)
    return run["TransformJobName"] if run else _announced(context, TransformJob)


def _announced(context: Context, kind: type[Resource]) -> str:
    """Return the name of the newest job of a kind, also of one that failed; the schedule's, where it has one."""
    jobs = context.state.of_kind(kind.kind)
    run = last_training(context) if kind in (TrainingJob, ProcessingJob) else ""
    if run and kind(context).read(run):
        return run
    return jobs[-1].name if jobs else context.recorded(kind).name
