"""Names and tags. Every name follows from project + environment, plus a digest for what never changes once made."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

PROJECT_TAG = "sentictl:project"
ENVIRONMENT_TAG = "sentictl:environment"
# Log groups that AWS names: one for all training jobs of an account, one for all of its notebook instances.
TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
NOTEBOOK_GROUP = "/aws/sagemaker/NotebookInstances"


@dataclass(frozen=True)
class Naming:
    """The names and tags of one project in one environment.

    Args:
        project: the project's name, at most 20 characters.
        environment: the environment's name.
        account: the AWS account's id; part of the bucket's name, since bucket names are shared by all accounts.
    """

    project: str
    environment: str
    account: str

    def name(self, *parts: str) -> str:
        """`<project>-<environment>-<parts…>`."""
        return "-".join((self.project, self.environment, *parts))

    @property
    def bucket(self) -> str:
        return self.name(self.account)

    @property
    def website_bucket(self) -> str:
        return f"{self.bucket}-site"

    @property
    def tags(self) -> dict[str, str]:
        return {PROJECT_TAG: self.project, ENVIRONMENT_TAG: self.environment}

    def tag_list(self, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
        """The tags as most services take them: a list of {Key, Value}."""
        return [{key: name, value: text} for name, text in self.tags.items()]


def digest_of(*values: Any) -> str:
    """A short digest (12 hexadecimal digits) of JSON-able values: the same values always give the same digest."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:12]
