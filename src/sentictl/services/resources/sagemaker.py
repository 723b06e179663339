"""The common part of SageMaker's training jobs, models, endpoint configs and endpoints: their tags and their lists."""

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from typing import ClassVar

from botocore.exceptions import ClientError

from sentictl.aws.lookup import if_there, says_over
from sentictl.aws.names import tags_in
from sentictl.aws.waiters import poll
from sentictl.lifecycle.resource import Context, LiveResource, Resource

# What an endpoint's name ends with, by what serves there. There are two, so that one can take the other's place:
# SageMaker updates no endpoint from instances to serverless, or back.
ENDPOINTS = {"instance": "endpoint", "serverless": "serverless"}


# What the names begin with of all that a scheduled training makes, behind project and environment.
OF_SCHEDULE = "retrain-"
MADE_OF = "made_of"  # the attribute with the digest that would be in the name, had sentictl made it
OVER = {"Completed", "Failed", "Stopped", "Deleting", "DeleteFailed"}  # SageMaker's words for jobs that do nothing more
STOP_SECONDS = 300
PENDING = "PendingDeploymentSummary"


def endpoint_name(context: Context) -> str:
    """Return the name of the endpoint that the settings ask for; where they ask for none, that of an instance's."""
    return context.naming.name(ENDPOINTS.get(context.settings.deploy.serving, ENDPOINTS["instance"]))


def endpoint_names(context: Context) -> list[str]:
    """Return the names that the project's endpoints can have."""
    return [context.naming.name(part) for part in ENDPOINTS.values()]


def served_configs(context: Context) -> tuple[set[str], set[str]]:
    """Return the endpoint configs that the project's endpoints serve, and those that they are just going over to."""
    describe = context.environment.client("sagemaker").describe_endpoint
    found = [if_there(describe, EndpointName=name) or {} for name in endpoint_names(context)]
    served = {each["EndpointConfigName"] for each in found if each.get("EndpointStatus") == "InService"}
    return served, {each[PENDING]["EndpointConfigName"] for each in found if PENDING in each}


def has_endpoint(context: Context) -> bool:
    """Tell whether the settings ask for an endpoint at all."""
    return context.settings.deploy.serving in ENDPOINTS


def stop_job(stop: Callable[[], object], status: Callable[[], str], name: str) -> None:
    """Stop a job and wait until it is over. One that has just ended by itself is left as it is.

    Args:
        stop: asks SageMaker to.
        status: tells SageMaker's word for the state that it is in.
        name: the job's.
    """
    try:
        stop()
    except ClientError as refusal:
        if not says_over(refusal):
            raise
    poll(status, lambda word: word in OVER, what=name, timeout=STOP_SECONDS)


def because(reason: str) -> str:
    """Return how a sentence on what failed ends: with the reason that AWS gives, in one line, if it gives one."""
    told = " ".join(reason.split())
    return f": {told}" if told else "."


class SageMakerResource(Resource):
    """A resource of SageMaker's. Its kind is also the type in its ARN, unless `arn_type` is."""

    arn_type: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.arn_pattern = f":sagemaker:.*:{cls.arn_type or getattr(cls, 'kind', '')}/(?P<name>.+)"

    def tags(self, name: str) -> Mapping[str, str]:
        client = self.context.environment.client("sagemaker")
        answer = if_there(client.list_tags, ResourceArn=self._arn(name)) or {"Tags": []}
        return tags_in(answer["Tags"])

    def tag(self, name: str) -> None:
        client = self.context.environment.client("sagemaker")
        client.add_tags(ResourceArn=self._arn(name), Tags=self.context.naming.tag_list())

    def scope(self, action: str) -> Sequence[str]:
        return [self._arn(self.context.naming.name("*"))] if action.startswith("sagemaker:") else []

    def _arn(self, name: str) -> str:
        return self.context.environment.arn("sagemaker", f"{self.arn_type or self.kind}/{name}")


class DigestNamed(SageMakerResource):
    """One that is named by the digest of what it is made of, so that there can be several.

    `operation` is the boto3 method that lists them, `listed` the key of its answer, `listed_name` that of a name in it.
    `before_digest` is what its name has before the digest.
    """

    operation: ClassVar[str]
    listed: ClassVar[str]
    listed_name: ClassVar[str]
    before_digest: ClassVar[str] = ""

    def named_for(self, digest: str) -> str:
        """Return the name of what has a digest: that of what a scheduled training made of the same, where it did."""
        same = (each.name for each in self.context.state.of_kind(self.kind) if each.attributes.get(MADE_OF) == digest)
        return next(same, self.context.naming.name(f"{self.before_digest}{digest}"))

    def of_schedule(self, name: str) -> bool:
        """Tell whether a scheduled training has made what has this name."""
        return name.startswith(self.context.naming.name(OF_SCHEDULE))

    def is_of_kind(self, name: str) -> bool:  # noqa: ARG002  (all are, unless a kind says otherwise)
        """Tell whether what has a name of the project's is of this kind: some share their names with another."""
        return True

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        prefix = self.context.naming.name(self.before_digest)
        # Another environment's name can begin with this one's: only what a digest follows is of this one.
        ours = re.compile(rf"{re.escape(prefix)}([0-9a-f]{{12}}(-\d+)?|{OF_SCHEDULE}[0-9a-z]+)")
        pages = self.context.environment.client("sagemaker").get_paginator(self.operation)
        for page in pages.paginate(NameContains=prefix, SortBy="CreationTime", SortOrder="Ascending"):
            names = [str(entry[self.listed_name]) for entry in page[self.listed]]
            for name in names:
                new = ours.fullmatch(name) and name not in known
                if new and self.is_of_kind(name) and (live := self.read(name)):
                    yield name, live
