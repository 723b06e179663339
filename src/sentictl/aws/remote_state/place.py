"""Where on S3 the state of an environment is: follows from `sentictl.toml` and the account alone."""

from dataclasses import dataclass

OWN = "s3"  # the setting `project.state` of a state in the project's own bucket
SCHEME = "s3://"
STATE_FOLDER = "state/"
VERSIONED = "Enabled"  # S3's word for a bucket that keeps older versions


@dataclass(frozen=True)
class StatePlace:
    """The bucket and the keys of a state and of its lease.

    Args:
        bucket: the bucket's name.
        prefix: what the keys begin with: empty, or ending with a slash.
        environment: the environment's name.
        own: whether the bucket is the project's own, which is made for it.
    """

    bucket: str
    prefix: str
    environment: str
    own: bool

    @classmethod
    def of(cls, setting: str, own_bucket: str, environment: str) -> "StatePlace":
        """Return the place that the setting `project.state` names, which is "s3" or an address on S3.

        Args:
            setting: the setting.
            own_bucket: the name of the project's bucket in that environment.
            environment: the environment's name.
        """
        if setting == OWN:
            return cls(own_bucket, STATE_FOLDER, environment, own=True)
        bucket, _, prefix = setting.removeprefix(SCHEME).partition("/")
        return cls(bucket, f"{prefix}/" if prefix else "", environment, own=False)

    @property
    def state_key(self) -> str:
        return f"{self.prefix}{self.environment}.json"

    @property
    def lease_key(self) -> str:
        return f"{self.prefix}{self.environment}.lease"

    @property
    def uri(self) -> str:
        """The address of the state."""
        return f"{SCHEME}{self.bucket}/{self.state_key}"
