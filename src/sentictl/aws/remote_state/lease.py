"""The lease of an environment: an object on S3 that says who may change the environment now, and until when.

It is taken, renewed and given back by conditional writes: of two that want it only one gets it. A process that dies
renews it no more, so that it runs out, by S3's clock; on the machine where the process was, it is known at once.
"""

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from sentictl.aws.remote_state.server_clock import ServerClock, steady_seconds
from sentictl.aws.remote_state.shared_object import ObjectVersion, OvertakenError, SharedObject
from sentictl.aws.remote_state.signature import Process, Signature
from sentictl.errors import LeaseError, SentictlError

SECONDS = 120.0  # that it holds without being renewed
RENEWALS = 3  # in that time
LONG_AGO = datetime.fromtimestamp(0, UTC)
POLL_SECONDS = 1.0  # between two looks of who waits for it


@dataclass(frozen=True)
class Holder:
    """Who has the lease.

    Args:
        id: of this lease alone.
        signed: who that is.
        process: which process.
        since: when it was taken, by S3's clock.
        expires: when it runs out unless it is renewed, by S3's clock.
        free: whether it was given back: then nobody has it.
    """

    id: str
    signed: Signature
    process: Process
    since: datetime
    expires: datetime
    free: bool = False

    def to_json(self) -> bytes:
        """Write it as the object's content. No two are the same, bytes and all."""
        times = {"since": self.since.isoformat(), "expires": self.expires.isoformat()}
        return json.dumps({**asdict(self), **times, "write": uuid.uuid4().hex}, indent=1).encode()

    @classmethod
    def from_json(cls, body: bytes, uri: str, where: str = "") -> "Holder":
        """Read what `to_json` wrote.

        Args:
            body: the content.
            uri: the object's address.
            where: what follows a command so that it goes to this environment, such as " --env prod".

        Raises:
            LeaseError: it is not in that form.
        """
        try:
            entry = json.loads(body)
            signed, process = Signature(**entry["signed"]), Process(**entry["process"])
            since, expires = (datetime.fromisoformat(entry[key]).astimezone(UTC) for key in ("since", "expires"))
            return cls(str(entry["id"]), signed, process, since, expires, bool(entry["free"]))
        except (ValueError, TypeError, KeyError) as problem:
            raise LeaseError(
                f"The lease {uri} is damaged: {type(problem).__name__}: {problem}.",
                f"Look at that object; then, when nobody is at work: sentictl state unlock{where}",
            ) from None

    def may_be_taken(self, now: datetime) -> bool:
        """Whether nobody has it any more at a time of S3's."""
        return self.free or self.expires <= now or self.process.is_dead

    def told(self) -> str:
        """Return who it is in one line."""
        signed = self.signed
        place = f", {signed.where}" if "://" in signed.where else f", process {self.process.pid}"
        return f"{signed.user} ({signed.who}{place}), running `{signed.command}` since {moment(self.since)}"


def moment(time_of: datetime) -> str:
    """Return a time as people read it."""
    return f"{time_of:%Y-%m-%d %H:%M:%S} UTC"


class Lease:
    """One process's hold of an environment.

    Args:
        stored: the object.
        clock: S3's.
        signed: who takes it.
        where: what follows a command so that it goes to this environment, such as " --env prod".
        tell: called with a line when there is something to wait for.
        seconds: that it holds without being renewed.
    """

    def __init__(
        self,
        stored: SharedObject,
        clock: ServerClock,
        signed: Signature,
        *,
        where: str = "",
        tell: Callable[[str], object] = lambda _: None,
        seconds: float = SECONDS,
    ) -> None:
        self._stored = stored
        self._clock = clock
        self._signed = signed
        self._where = where
        self._tell = tell
        self._seconds = timedelta(seconds=seconds)
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._mine: tuple[Holder, ObjectVersion] | None = None
        self._lost = ""

    @property
    def id(self) -> str:
        """The id of the lease that is held; empty where none is."""
        return self._mine[0].id if self._mine else ""

    def take(self, wait_seconds: float = 0) -> bool:
        """Take it, and keep it until it is released.

        Args:
            wait_seconds: how long to wait for somebody else who has it.

        Returns:
            Whether it was taken from somebody who had not given it back: what that one may still write has to be
            fenced off.

        Raises:
            LeaseError: somebody else has it.
        """
        deadline, told = steady_seconds() + wait_seconds, False
        while True:
            found = self._stored.read()
            holder = Holder.from_json(found.body, self._stored.uri, self._where) if found else None
            if holder is None or holder.may_be_taken(self._clock.now()):
                with contextlib.suppress(OvertakenError):
                    self._begin(found)
                    return holder is not None and not holder.free
                continue
            if steady_seconds() >= deadline:
                raise self._held(holder)
            if not told:
                self._tell(f"  Waiting for {holder.told()}: it holds the lease of this environment.")
                told = True
            time.sleep(POLL_SECONDS)

    def check(self) -> None:
        """Make sure that it is still held, and renew it where it should have been by now.

        Raises:
            LeaseError: it is not.
        """
        with self._lock:
            if not self._lost and (self._mine is None or self._mine[0].expires <= self._clock.now()):
                self._renew()
            if self._lost:
                raise LeaseError(
                    f"The lease of this environment was lost midway: {self._lost} Nothing more was changed.",
                    f"See who is at work: sentictl history{self._where}. When that one is done, run this again: it "
                    "goes on, and finds what was made by its names.",
                )

    def release(self) -> None:
        """Give it back. What cannot be reached any more runs out by itself."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        with self._lock:
            mine, self._mine = self._mine, None
            if mine is None or self._lost:
                return
            with contextlib.suppress(OvertakenError, SentictlError, ClientError, BotoCoreError):
                self._stored.write(replace(mine[0], free=True).to_json(), mine[1])

    def forget(self) -> None:
        """Hold it no more, where the bucket that it was in is gone."""
        self._stop.set()
        with self._lock:
            self._mine = None

    def _begin(self, found: ObjectVersion | None) -> None:
        now = self._clock.now()
        holder = Holder(uuid.uuid4().hex, self._signed, Process.this(), now, now + self._seconds)
        self._mine = holder, self._stored.write(holder.to_json(), found)
        self._lost = ""
        self._stop.clear()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def _keep(self) -> None:
        """Renew it again and again; where that fails, try until it has run out."""
        while not self._stop.wait(self._seconds.total_seconds() / RENEWALS):
            with self._lock:
                if self._mine is None or self._lost:
                    return
                with contextlib.suppress(Exception):  # whatever it is: a thread that ended would renew nothing
                    self._renew()

    def _renew(self) -> None:
        if self._mine is None:
            self._lost = "it was not taken, or given back."
            return
        holder, version = self._mine
        renewed = replace(holder, expires=self._clock.now() + self._seconds)
        try:
            self._mine = renewed, self._stored.write(renewed.to_json(), version)
        except OvertakenError as overtaken:
            self._lost = self._told_lost(overtaken.version)

    def _told_lost(self, version: ObjectVersion | None) -> str:
        if version is None:
            return f"{self._stored.uri} was deleted."
        taker = Holder.from_json(version.body, self._stored.uri, self._where)
        mine = self._mine[0] if self._mine else taker
        if taker.id == mine.id:
            return "it was unlocked by hand."
        return f"it ran out at {moment(mine.expires)}, and was taken by {taker.told()}."

    def _held(self, holder: Holder) -> LeaseError:
        return LeaseError(
            f"This environment is being changed by {holder.told()}. The lease holds until {moment(holder.expires)} "
            "unless it is renewed.",
            "Wait until that is done, then run this again; to wait longer: SENTICTL_PROJECT_STATE_WAIT_SECONDS=600. "
            f"If that process is known to be dead: sentictl state unlock{self._where}",
        )


def end_by_hand(stored: SharedObject, clock: ServerClock, agreed: Callable[[Holder], object]) -> Holder | None:
    """Have the lease run out now. It counts as not given back: whoever takes it next fences off who had it.

    Args:
        stored: the object.
        clock: S3's.
        agreed: called before, with who has it, unless that one is dead or it ran out; what it raises leaves the lease
            as it is. Whoever has it may renew it meanwhile; if somebody else takes it, that is another lease.

    Returns:
        Who had it; None where nobody had.

    Raises:
        OvertakenError: it changed hands, or was given back, meanwhile.
    """
    found = stored.read()
    holder = _read_leniently(found, stored.uri) if found else None
    if holder is None or holder.free:
        return None
    if not holder.may_be_taken(clock.now()):
        agreed(holder)
    ended = replace(holder, expires=LONG_AGO).to_json()
    while True:
        try:
            stored.write(ended, found)
        except OvertakenError as overtaken:
            found = overtaken.version
            now = _read_leniently(found, stored.uri) if found else None
            if now is None or now.free or now.id != holder.id:
                raise
        else:
            return holder


def _read_leniently(version: ObjectVersion, where: str) -> Holder:
    """Return who has it; of one that is damaged, nobody knows."""
    try:
        return Holder.from_json(version.body, where)
    except LeaseError:
        unknown = Signature("unknown", "somebody", "the lease is damaged", "unknown")
        return Holder("", unknown, Process("", 0, ""), LONG_AGO, datetime.max.replace(tzinfo=UTC))
