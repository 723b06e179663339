"""A person's credentials on AWS: fetched in one place, and whatever goes wrong with that told with what mends it.

botocore looks for them in a dozen places, and each fails in its own way, down to a KeyError. All of it ends here.
"""

import getpass
import os
import shlex
from datetime import datetime
from typing import Any, NamedTuple

import boto3
from botocore import exceptions

from sentictl.assets.installed import pip
from sentictl.aws.redaction import redacted, remember
from sentictl.errors import AccessError, NoCredentialsError, SentictlError

DEFAULT = "default"
FROM_VARIABLES, OF_A_ROLE = "env", "assume-role"  # botocore's names of two of the ways
PARTS = ("access key id", "secret access key", "session token")
# What is wrong with the way to AWS, and not with the credentials.
NOT_OF_CREDENTIALS = (exceptions.ConnectionError, exceptions.HTTPClientError)


class Fault(NamedTuple):
    """A kind of fault, and how it is told.

    Args:
        kinds: the exceptions that it comes as.
        message: what happened, with `{profile}` and `{why}`, the exception's own words.
        mend: the next step, with `{option}`, which names the profile to the command `aws`.
    """

    kinds: tuple[type[Exception], ...]
    message: str
    mend: str


CHECK = "then check it: aws sts get-caller-identity{option}"
SETTINGS = "Correct it in ~/.aws/config, in ~/.aws/credentials or in the variable that sets it, " + CHECK
# Whatever it is about, only credentials fail like this.
OWN = (
    Fault(
        (exceptions.NoCredentialsError, exceptions.NoAuthTokenError),
        "There are no AWS credentials: none in variables, and none of the profile {profile}.",
        "Log in: aws sso login{option} (or: aws configure{option}), or name another profile under [env.NAME] in "
        "sentictl.toml.",
    ),
    Fault(
        (exceptions.ProfileNotFound,),
        "There is no AWS profile called {profile}.",
        "List those that there are: aws configure list-profiles",
    ),
    Fault(
        (exceptions.ConfigParseError,),
        "The AWS profile {profile} cannot be read: {why}.",
        "Correct that file, then check it: aws configure list-profiles",
    ),
    Fault(
        (exceptions.PartialCredentialsError,),
        "The credentials of the AWS profile {profile} are not whole: {why}.",
        "Give them again: aws configure{option}",
    ),
    Fault(
        (exceptions.SSOError, exceptions.TokenRetrievalError),
        "The AWS login has expired, of the profile {profile}: {why}.",
        "Log in again: aws sso login{option}",
    ),
    Fault(
        (exceptions.LoginInsufficientPermissions,),
        "The AWS login is not allowed, of the profile {profile}: {why}.",
        "Ask for that permission, then log in again: aws login{option}",
    ),
    Fault(
        (exceptions.LoginError,),
        "The AWS login has expired, of the profile {profile}: {why}.",
        "Log in again: aws login{option}",
    ),
    Fault(
        (exceptions.RefreshWithMFAUnsupportedError,),
        "The credentials of the AWS profile {profile} take the code of a device (MFA), which is asked on a terminal.",
        "Run the same command in a terminal.",
    ),
    Fault(
        (exceptions.CredentialRetrievalError, exceptions.MetadataRetrievalError),
        "The credentials of the AWS profile {profile} cannot be fetched: {why}.",
        "Mend that, " + CHECK,
    ),
    Fault(
        (
            exceptions.InfiniteLoopConfigError,
            exceptions.UnknownCredentialError,
            exceptions.UnknownTokenProviderError,
            exceptions.InvalidIMDSEndpointError,
            exceptions.InvalidIMDSEndpointModeError,
        ),
        "The AWS profile {profile} is not set up right: {why}.",
        SETTINGS,
    ),
)
# Other things fail like this, too: it is about credentials where they were being fetched.
BESIDES = (
    Fault((exceptions.InvalidConfigError,), "The AWS profile {profile} is not set up right: {why}.", SETTINGS),
    Fault(
        (exceptions.MissingDependencyException,),
        "The credentials of the AWS profile {profile} take one more package: {why}.",
        pip("botocore[crt]"),
    ),
    Fault(
        (exceptions.ClientError,),
        "AWS refuses credentials to the profile {profile}: {why}.",
        "Ask for that permission, or log in again, " + CHECK,
    ),
    Fault(
        (OSError,),
        "A program or file that the AWS profile {profile} takes its credentials from cannot be used: {why}.",
        "Correct credential_process or web_identity_token_file in ~/.aws/config, or the variable that names the file, "
        + CHECK,
    ),
    Fault(
        (Exception,),
        "The credentials of the AWS profile {profile} cannot be used: {why}.",
        SETTINGS,
    ),
)
OF_CREDENTIALS = tuple(kind for fault in OWN for kind in fault.kinds)


def open_session(profile: str, region: str) -> Any:
    """Return a boto3 session of a person, as they set it up: `~/.aws` and the variables are read.

    Args:
        profile: the AWS profile; empty for the one in force.
        region: the region that its calls are for; empty for that of the profile or the variables.

    Raises:
        AccessError: there is no such profile, or a file of AWS's settings cannot be read.
    """
    try:
        session = boto3.Session(profile_name=profile or None, region_name=region or None)  # noqa: TID251  (here it is)
        # By default the code of an MFA device is read from stdin where there is no terminal: there may be reviews.
        session._session.get_component("credential_provider").get_provider(OF_A_ROLE)._prompter = _ask
    except Exception as problem:  # noqa: BLE001  (whatever it is, a person has to learn of it)
        raise credentials_fault(problem, profile) from _shown_in_logs(problem)
    return session


def sign_in(session: Any, profile: str) -> Any:
    """Fetch the session's credentials, or renew them where that is due.

    Args:
        session: of `open_session`.
        profile: what it was opened with.

    Returns:
        botocore's credentials.

    Raises:
        AccessError: there are none, or they cannot be had or used.
    """
    try:
        credentials = session.get_credentials()
        keys = credentials.get_frozen_credentials() if credentials else None
        if keys is None:
            raise exceptions.NoCredentialsError  # noqa: TRY301  (as botocore says it where it notices)
    except NOT_OF_CREDENTIALS:
        raise
    except Exception as problem:  # noqa: BLE001  (same)
        raise credentials_fault(problem, profile) from _shown_in_logs(problem)
    remember(*keys[: len(PARTS)])
    _check(keys, credentials.method, profile)
    return credentials


def validity(credentials: Any) -> str:
    """Tell how long credentials hold, in a few words; empty where they hold until somebody deletes them.

    Args:
        credentials: botocore's.
    """
    # botocore has no public name for it; `aws configure export-credentials` reads this one, too.
    end: datetime | None = getattr(credentials, "_expiry_time", None)
    if end is not None:
        renewed = "" if credentials.method == FROM_VARIABLES else ", and are renewed then"
        return f"they expire at {end:%Y-%m-%d %H:%M} UTC{renewed}"
    return "they expire, AWS does not say when" if credentials.token else ""


def credentials_fault(problem: Exception, profile: str = "") -> SentictlError:
    """Return what it means for a person that credentials could not be had.

    Args:
        problem: whatever came out of botocore's looking for them.
        profile: the AWS profile; empty for the one in force.
    """
    if isinstance(problem, SentictlError):
        return problem
    fault = next(fault for fault in OWN + BESIDES if isinstance(problem, fault.kinds))
    name = _in_force(profile)
    told = isinstance(problem, exceptions.BotoCoreError | exceptions.ClientError | OSError)
    why = " ".join(redacted(f"{problem}" if told else f"{type(problem).__name__}: {problem}").split()).rstrip(".")
    mend = (_mend_of_half(problem) or fault.mend).format(option=_option(name))
    none = isinstance(problem, exceptions.NoCredentialsError | exceptions.NoAuthTokenError)
    return (NoCredentialsError if none else AccessError)(fault.message.format(profile=name, why=why), mend)


def _mend_of_half(problem: Exception) -> str:
    """Return the next step where `aws configure` does not give what is missing; else nothing."""
    if not isinstance(problem, exceptions.PartialCredentialsError):
        return ""
    if problem.kwargs["provider"] == FROM_VARIABLES:  # which come before any profile
        return f"Set {problem.kwargs['cred_var']}, or do without: unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"
    return SETTINGS if problem.kwargs["provider"] == OF_A_ROLE else ""


def _check(keys: Any, method: str, profile: str) -> None:
    """Refuse keys that cannot be sent, before an error quotes the header that they would stand in."""
    for part, value in zip(PARTS, keys, strict=False):
        if value and not (value.isascii() and value.isprintable() and " " not in value):
            name = _in_force(profile)
            mend = f"Give it again, without line breaks: aws configure{_option(name)}"
            if method == FROM_VARIABLES:
                mend = f"Set the variable AWS_{part.upper().replace(' ', '_')} again, without a line break."
            raise AccessError(
                f"The {part} of the AWS profile {name} has a line break, a space or another character that none has.",
                mend,
            )


def _in_force(profile: str) -> str:
    """Return the name of the profile that botocore takes."""
    return profile or os.environ.get("AWS_DEFAULT_PROFILE") or os.environ.get("AWS_PROFILE") or DEFAULT


def _option(name: str) -> str:
    return "" if name == DEFAULT else f" --profile {shlex.quote(name)}"


def _shown_in_logs(problem: Exception) -> Exception | None:
    """Return the cause that a traceback may show: that of a file that cannot be read quotes its lines."""
    return None if isinstance(problem, exceptions.ConfigParseError) else problem


def _ask(prompt: str) -> str:
    """Ask for the code of a device on the terminal itself, whatever stdin is.

    Raises:
        RefreshWithMFAUnsupportedError: there is no terminal.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        raise exceptions.RefreshWithMFAUnsupportedError from None
    return getpass.getpass(prompt)
