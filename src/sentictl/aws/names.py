"""Names and tags. Every name follows from project + environment, plus a digest for what never changes once made.

Two projects can have one name, and what is made under it is told apart by the project's id, which is a tag.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

PROJECT_TAG = "sentictl:project"
ENVIRONMENT_TAG = "sentictl:environment"
ID_TAG = "sentictl:project-id"
# Log groups that AWS names: one each for all processing, training and transform jobs and all notebooks of an account.
PROCESSING_GROUP = "/aws/sagemaker/ProcessingJobs"
TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
TRANSFORM_GROUP = "/aws/sagemaker/TransformJobs"
NOTEBOOK_GROUP = "/aws/sagemaker/NotebookInstances"


@dataclass(frozen=True)
class Naming:
    """The names and tags of one project in one environment.

    Args:
        project: the project's name, at most 20 characters.
        environment: the environment's name.
        account: the AWS account's id; part of the bucket's name, since bucket names are shared by all accounts.
        project_id: the project's id; empty for a project of before there were ids, until its next change gives it one.
    """

    project: str
    environment: str
    account: str
    project_id: str = ""

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
        return self.names | ({ID_TAG: self.project_id} if self.project_id else {})

    def tag_list(self, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
        """The tags as most services take them: a list of {Key, Value}."""
        return [{key: name, value: text} for name, text in self.tags.items()]

    def named_in(self, tags: Mapping[str, str]) -> bool:
        """Tell whether tags are of a project and environment of these names, whatever its id."""
        return tags.items() >= self.names.items()

    @property
    def names(self) -> dict[str, str]:
        """The tags without the id, which another project of that name has as well."""
        return {PROJECT_TAG: self.project, ENVIRONMENT_TAG: self.environment}


def tags_in(tag_list: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """Return tags by their names, of a list of {Key, Value} as most services tell them."""
    return {tag["Key"]: tag["Value"] for tag in tag_list}


def digest_of(*values: Any) -> str:
    """A short digest (12 hexadecimal digits) of JSON-able values: the same values always give the same digest."""
    return hashlib.sha256(json.dumps(values, sort_keys=True, default=str).encode()).hexdigest()[:12]
