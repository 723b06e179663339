"""What it takes to read and to change a state that is kept on S3, beside what the chain's resources take."""

from typing import Any

from sentictl.aws.remote_state.place import StatePlace
from sentictl.config.state_store import IN_FILE
from sentictl.lifecycle.resource import Context

READING = ("s3:GetBucketVersioning", "s3:ListBucket")
# The older versions are the way back to a state that was overwritten.
CHANGING_OBJECTS = ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject")


def state_statements(context: Context, *, changing: bool) -> list[dict[str, Any]]:
    """Return the statements of an identity policy for whoever works with the state; none where it is in the file.

    Args:
        context: the project and environment.
        changing: whether it is changed as well.
    """
    setting = context.settings.project.state
    if setting == IN_FILE:
        return []
    place = StatePlace.of(setting, context.naming.bucket, context.environment.name)
    bucket = f"arn:{context.environment.partition}:s3:::{place.bucket}"
    on_bucket = [*READING, *(["s3:ListBucketVersions"] if changing else [])]
    on_bucket += ["s3:PutBucketVersioning"] if changing and place.own else []
    objects = [f"{bucket}/{place.state_key}", f"{bucket}/{place.lease_key}"]
    return [
        {"Effect": "Allow", "Action": sorted(on_bucket), "Resource": bucket},
        {"Effect": "Allow", "Action": list(CHANGING_OBJECTS) if changing else "s3:GetObject", "Resource": objects},
    ]


def state_actions(context: Context) -> set[str]:
    """Return the IAM actions of a command that changes a state on S3."""
    statements = state_statements(context, changing=True)
    return {action for statement in statements for action in statement["Action"]}
