"""The state of one environment on S3, read by anybody and changed by whoever has the lease."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sentictl.aws.environment import Environment
from sentictl.aws.lookup import if_there
from sentictl.aws.names import Naming
from sentictl.aws.remote_state.document import MOVED, Change, StateDocument, entries
from sentictl.aws.remote_state.lease import SECONDS, Holder, Lease, end_by_hand, moment
from sentictl.aws.remote_state.place import OWN, VERSIONED, StatePlace
from sentictl.aws.remote_state.server_clock import ServerClock
from sentictl.aws.remote_state.shared_object import NoBucketError, ObjectVersion, OvertakenError, SharedObject
from sentictl.aws.remote_state.signature import signature
from sentictl.config.config import LOCAL, Config
from sentictl.config.environments import env_option
from sentictl.config.state import State
from sentictl.config.state_store import IN_FILE
from sentictl.errors import DamagedStateError, LeaseError, StateError

TOLD_SKEW = timedelta(minutes=1)  # from which on it is worth a word that this machine's clock is wrong


class RemoteState:
    """The state as an object on S3, with its lease beside it.

    Args:
        connect: gives the environment, when it is first needed.
        config: the project's settings in that environment.
        setting: where the state is to be moved, as `project.state` will have it; by default it is where that says.
        command: what signs the changes, such as "up".
        tell: called with lines for people.
        forget_damage: whether what cannot be read counts as an empty state.
        lease_seconds: for how long its lease holds without being renewed.
    """

    def __init__(
        self,
        connect: Callable[[], Environment],
        config: Config,
        *,
        setting: str = "",
        command: str = "",
        tell: Callable[[str], object] = lambda _: None,
        forget_damage: bool = False,
        lease_seconds: float = SECONDS,
    ) -> None:
        self._connect = connect
        self._config = config
        self._is_target = bool(setting)
        self._setting = setting or config.settings.project.state
        self._command = command
        self._tell = tell
        self._forget_damage = forget_damage
        self._lease_seconds = lease_seconds
        self._clock = ServerClock()
        self._where = env_option(config.environment, default=LOCAL)
        self._lease: Lease | None = None
        self._read: tuple[StateDocument, ObjectVersion | None] | None = None  # as it was read or written last
        self._base: Mapping[str, Any] = {}  # the records when the lease was taken

    @property
    def place(self) -> StatePlace:
        """Where it is."""
        environment, project = self._connect(), self._config.settings.project
        # The account is asked for only where the bucket's name has it.
        account = environment.account if self._setting == OWN else ""
        own = Naming(project.name, environment.name, account).bucket
        return StatePlace.of(self._setting, own, environment.name)

    @property
    def skew(self) -> timedelta:
        """By how much this machine's clock is ahead of S3's, by S3's last answer."""
        return self._clock.skew

    @property
    def document(self) -> StateDocument:
        """What was read or written last, with its history."""
        return self._known()[0]

    @property
    def is_kept(self) -> bool:
        """Whether there is an object at all."""
        return self._known()[1] is not None

    @property
    def is_here(self) -> bool:
        """Whether the state is here: there is an object, and it was not moved elsewhere since."""
        try:
            return self.is_kept and not self.document.closed
        except NoBucketError:
            return False

    def _known(self) -> tuple[StateDocument, ObjectVersion | None]:
        """What was read or written last, which is read now if nothing was."""
        if self._read is None:
            self._look()
        return self._read or (self._begun(), None)

    def read(self) -> State:
        self._look()
        document, version = self._known()
        if version is None and not self._is_target and not self._connect().unseen:
            self._check_none_left_behind()
        if document.closed and not self._is_target:
            self._tell(f"  {self._moved(document)}")
        return document.state.copy()

    def _look(self) -> None:
        """Read what is there."""
        if self._connect().unseen:
            self._read = self._begun(), None
            return
        stored = self._stored(self.place.state_key)
        try:
            version = stored.read()
        except NoBucketError:
            if not self.place.own:
                raise
            version = None  # it is made when something is first to be recorded
        self._read = self._parsed(version, stored.uri), version

    def check(self) -> None:
        if self._lease is not None:
            self._lease.check()

    def write(self, state: State) -> None:
        self.put(state)

    def put(self, state: State, *, closed: str = "", serial: int = 0) -> None:
        """Keep a state, signed, if this process has the lease and nobody has written since it was read.

        Args:
            state: the records.
            closed: where they move to; then nobody changes them here any more.
            serial: the lowest number that this write may have; by default the one behind the last.

        Raises:
            LeaseError: the lease was lost, or somebody wrote without one.
            StateError: it cannot be written; it is as it was before.
        """
        stored = self._stored(self.place.state_key)
        if not len(state) and self._is_bucket_gone(stored):
            self._forget_lease()
            return
        if self._lease is None:
            raise LeaseError("The state is changed only under its lease.", "Run this again.")
        self._lease.check()
        document, version = self._read or (self._begun(), None)
        signed = signature(self._connect().caller, self._command)
        last = replace(document, serial=max(document.serial, serial - 1), project_id=self._config.settings.project.id)
        following = last.followed(state, signed, self._lease.id, moment(self._clock.now()), self._base, closed)
        try:
            self._read = following, stored.write(following.to_json(), version)
        except OvertakenError as overtaken:
            raise self._overtaken(overtaken.version, stored.uri) from None

    @contextmanager
    def held(self, *, moving: bool = False) -> Iterator[None]:
        """Have the lease in this block, and the state as whoever had it before left it.

        Args:
            moving: whether a state that was closed may be taken up.

        Raises:
            LeaseError: somebody else has it.
            StateError: the state is not here any more, or S3 keeps no older versions of it.
        """
        self._check_versions()
        stored = self._stored(self.place.lease_key)
        signed = signature(self._connect().caller, self._command)
        lease = Lease(stored, self._clock, signed, where=self._where, tell=self._tell, seconds=self._lease_seconds)
        taken_over = lease.take(self._config.settings.project.state_wait_seconds)
        self._lease = lease
        try:
            self._tell_skew()
            state = self.read()
            if self.document.closed and not moving:
                raise StateError(self._moved(self.document), self._after_move(self.document))
            self._base = entries(state)
            if taken_over:
                self.put(state, closed=self.document.closed)  # whoever had it writes no more: its ETag is another
            yield
        finally:
            self.release()

    def release(self) -> None:
        """Give the lease back, if this process has it."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.release()

    def history(self) -> tuple[Change, ...]:
        """Return who changed what, newest first."""
        return self.document.changes

    def holder(self) -> Holder | None:
        """Return who has the lease now; None where nobody has."""
        stored = self._stored(self.place.lease_key)
        try:
            found = stored.read()
        except NoBucketError:
            return None
        holder = Holder.from_json(found.body, stored.uri, self._where) if found else None
        return None if holder is None or holder.may_be_taken(self._clock.now()) else holder

    def unlock(self, agreed: Callable[[Holder], object] = lambda _: None) -> Holder | None:
        """Take the lease from whoever has it, and fence off what that one may still write. Returns who it was.

        Args:
            agreed: called with who has it, before it is taken; what it raises leaves it there.

        Raises:
            LeaseError: it changed hands meanwhile.
        """
        try:
            holder = end_by_hand(self._stored(self.place.lease_key), self._clock, agreed)
        except NoBucketError:
            return None
        except OvertakenError:
            raise LeaseError(
                "The lease changed hands just now, or was given back: nothing was done.",
                f"See who has it: sentictl state unlock{self._where}",
            ) from None
        if holder is not None:
            with self.held(moving=True):
                pass  # which fences off who had it
        return holder

    @property
    def keeps_versions(self) -> bool:
        """Whether S3 keeps older versions of it."""
        answer = if_there(self._connect().client("s3").get_bucket_versioning, Bucket=self.place.bucket)
        return str((answer or {}).get("Status", "")) == VERSIONED

    @property
    def versioning_command(self) -> str:
        """The command by which S3 keeps older versions in a bucket that is not the project's own."""
        bucket, status = self.place.bucket, f"Status={VERSIONED}"
        return f"aws s3api put-bucket-versioning --bucket {bucket} --versioning-configuration {status}"

    def _check_versions(self) -> None:
        place = self.place
        if not place.own and not self.keeps_versions:
            self._stored(place.state_key).read()  # says so where there is no such bucket
            raise StateError(
                f"The bucket {place.bucket} keeps no older versions, so that there would be no way back to a state "
                "that was overwritten.",
                f"Turn that on: {self.versioning_command}",
            )

    def _check_none_left_behind(self) -> None:
        """Refuse to begin anew on S3 what is recorded in the file still."""
        if self._config.has_state_in_file:
            raise StateError(
                f"project.state is {self._setting}, but nothing is there yet, and [state.{self._config.environment}] "
                f"in {self._config.folder.settings_file} is not empty.",
                f"Move it: sentictl state move {self._setting}{self._where}",
            )

    def _stored(self, key: str) -> SharedObject:
        return SharedObject(lambda: self._connect().client("s3"), self.place.bucket, key, self._clock)

    def _begun(self) -> StateDocument:
        project = self._config.settings.project
        return StateDocument.begun(project.name, project.id, self._config.environment)

    def _parsed(self, version: ObjectVersion | None, where: str) -> StateDocument:
        if version is None:
            return self._begun()
        try:
            document = StateDocument.from_json(version.body, where)
        except DamagedStateError:
            if self._forget_damage:
                return self._begun()
            raise
        project = self._config.settings.project
        document.check_of(project.name, project.id, self._config.environment, where)
        return document

    def _is_bucket_gone(self, stored: SharedObject) -> bool:
        """Whether the bucket was deleted, and with it the state: that is how `down` ends."""
        try:
            stored.read()
        except NoBucketError:
            return True
        return False

    def _forget_lease(self) -> None:
        self._read = self._begun(), None
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.forget()

    def _overtaken(self, version: ObjectVersion | None, where: str) -> StateError:
        if version is None:
            return StateError(
                f"{where}, the state, was deleted while this command ran.",
                f"Put it back from its older versions, or rebuild it: sentictl import{self._where}",
            )
        change = StateDocument.from_json(version.body, where).changes[:1]
        who = f" by {change[0].user} ({change[0].command}, {change[0].when})" if change else ""
        return LeaseError(
            f"The state was changed{who} while this command ran: its lease was lost. Nothing more was changed.",
            f"See what was done: sentictl history{self._where}. Then run this again: it goes on, and finds what was "
            "made by its names.",
        )

    def _moved(self, document: StateDocument) -> str:
        to = "sentictl.toml" if document.closed == IN_FILE else document.closed
        change = next((each for each in document.changes if each.command == MOVED), None)
        by = f" by {change.user} at {change.when}" if change else ""
        return f"The state of {document.environment} was moved from {self.place.uri} to {to}{by}."

    def _after_move(self, document: StateDocument) -> str:
        return (
            "Get the sentictl.toml that says so: git pull. If it was being moved here, and was interrupted: "
            f"sentictl state move {document.closed}{self._where}"
        )

    def _tell_skew(self) -> None:
        skew = self._clock.skew
        if abs(skew) > TOLD_SKEW:
            ahead = "ahead of" if skew > timedelta() else "behind"
            self._tell(
                f"  This machine's clock is {abs(skew)} {ahead} S3's: set it. Leases go by S3's, and AWS refuses what "
                "is signed 15 minutes off."
            )
