"""Every error that sentictl raises on purpose: what happened, what to do next, and the exit code it ends with.

Exit codes: 0 ok, 1 failed, 2 usage, 3 a difference was found, 4 credentials or access, 130 interrupted.
"""

import errno
from typing import ClassVar

ROOM = "Make room on the disks of the project, of the home and of TMPDIR; then run this again."
ALLOW = "Give yourself the right to it, or have it on a disk that can be written; then run this again."
MOVE = "Put right what stands in that place; then run this again."
HINTS = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), ALLOW),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENOTEMPTY, errno.ELOOP), MOVE),
    errno.ENAMETOOLONG: "Give a shorter name or path.",
    errno.EIO: "The disk fails: look at the system's log.",
    errno.EMFILE: "Allow more open files (ulimit -n 4096), then run this again.",
}


class SentictlError(Exception):
    """Something a person can act on. Shown as one message and a hint, never as a traceback.

    Args:
        message: what went wrong, naming the thing and the reason.
        hint: the next step, a sentence or a command.
    """

    code: ClassVar[str] = "failed"
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SentictlError):
    """The command line asked for something that makes no sense."""

    code = "usage"
    exit_code = 2


class SettingsError(SentictlError):
    """`sentictl.toml` holds something that is not a setting, or a value that is not allowed."""

    code = "settings"
    exit_code = 2


class UndescribedEnvironmentError(SettingsError):
    """An environment that `sentictl.toml` does not describe, under a name that one could have.

    Args:
        message: what happened.
        hint: what to do next.
        environment: its name.
    """

    def __init__(self, message: str, hint: str, *, environment: str) -> None:
        super().__init__(message, hint)
        self.environment = environment


class StateError(SentictlError):
    """The recorded state cannot be read, written or locked."""

    code = "state"


class DamagedStateError(StateError):
    """The recorded state is not in the shape that sentictl writes."""


class LeaseError(StateError):
    """Somebody else changes the environment, or began to while this command did."""

    code = "lease"


class DataError(SentictlError):
    """The reviews cannot be used as they are."""

    code = "data"


class ModelError(SentictlError):
    """There is no model on this machine, or it cannot be used."""

    code = "model"


class MissingStepError(SentictlError):
    """A command needs what an earlier command makes."""

    code = "missing-step"


class ForeignError(SentictlError):
    """Something on AWS has the name of one of the project's resources, but is not the project's."""

    code = "foreign"


class TrainingError(SentictlError):
    """The training job failed, was stopped, or ran out of time."""

    code = "training"


class BatchError(SentictlError):
    """The transform job failed, was stopped, or answered something else than predictions."""

    code = "batch"


class PackagingError(SentictlError):
    """The function cannot be packed together with the model."""

    code = "packaging"


class EndpointError(SentictlError):
    """The endpoint failed to come into service, or cannot answer.

    Args:
        message: as of any error.
        hint: as of any error.
        status: the HTTP status that the API answered with; None where it did not answer, or was not asked.
    """

    code = "endpoint"

    def __init__(self, message: str, hint: str = "", *, status: int | None = None) -> None:
        super().__init__(message, hint)
        self.status = status


class RefusedError(EndpointError):
    """A deployed model cannot answer a request because of the reviews in it.

    Args:
        message: as of any error.
        hint: as of any error.
        reason: the API's code, such as "review_too_long".
    """

    def __init__(self, message: str, hint: str = "", *, reason: str = "refused") -> None:
        super().__init__(message, hint)
        self.reason = reason


class NotAdmittedError(EndpointError):
    """The API lets only some callers in, and not this one."""

    code = "not-admitted"
    exit_code = 4


class WorseModelError(SentictlError):
    """A model is not served because it is worse than the live one, or cannot be compared with it."""

    code = "worse-model"


class TwinError(SentictlError):
    """The local twin does not start, stop or answer."""

    code = "twin"


class AwsError(SentictlError):
    """AWS refused a call for a reason that a person can mend."""

    code = "aws"


class AccessError(AwsError):
    """Credentials are missing, expired, or do not allow the call."""

    code = "access"
    exit_code = 4


class NoCredentialsError(AccessError):
    """There are no credentials at all: nobody is logged in."""


class StreamError(SentictlError):
    """The answer cannot be written to stdout."""

    code = "stream"


class FileError(SentictlError):
    """A file or folder cannot be read or written, for a reason that lies with this machine."""

    code = "file"

    @classmethod
    def of(cls, problem: OSError) -> "FileError | None":
        """Return what an error of the operating system means; None where it is not about files."""
        hint = HINTS.get(problem.errno or 0)
        if hint is None:
            return None
        file = f"{problem.filename} cannot be used" if problem.filename else "A file cannot be read or written"
        return cls(f"{file}: {problem.strerror}.", f"{hint} Where it was needed: --debug")


class InterruptedByUserError(SentictlError):
    """Ctrl-C while something runs on AWS; the message says what runs on."""

    code = "interrupted"
    exit_code = 130
