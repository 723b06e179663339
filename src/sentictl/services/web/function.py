"""The Lambda function in front of the endpoint."""

import base64
import hashlib
import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from sentictl.assets import archives
from sentictl.assets.installed import template_files
from sentictl.aws.lookup import if_there
from sentictl.config.state import Record
from sentictl.errors import AccessError, SettingsError
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Entries, LiveResource, Resource
from sentictl.services.iam.roles import FunctionRole
from sentictl.services.pricing.per_use import function_uses
from sentictl.services.resources.logs import FunctionLogGroup
from sentictl.services.resources.sagemaker import endpoint_name
from sentictl.services.serving.endpoint import another_stands

RUNTIME = "python3.13"
HANDLER = "handler.lambda_handler"
SERVERLESS_BODY = 4 * 1024 * 1024  # bytes, as the guide of serverless inference has it
UNDER_WAY_SECONDS = 5  # for requests that are on their way to an endpoint which is about to be deleted
SPARE_SECONDS = 5  # of the function's timeout: to connect, and to say that the endpoint took too long


class Function(Resource):
    """The function: `templates/lambda/`, packed reproducibly, so that the same code is known as the same."""

    kind = "function"
    command = "wire-lambda"
    face = True
    removed_as = "lambda"
    actions = Actions(
        read="lambda:GetFunction lambda:ListTags",
        create="lambda:CreateFunction lambda:TagResource iam:PassRole",
        update="lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration iam:PassRole",
        delete="lambda:DeleteFunction",
    )
    arn_pattern = r":function:(?P<name>[^:]+)"
    named_by = ("arn", "Arn")

    @property
    def name(self) -> str:
        return self.context.naming.name("predict")

    @property
    def arn(self) -> str:
        return self.context.environment.arn("lambda", f"function:{self.name}")

    def desired(self) -> Mapping[str, Any]:
        sha256 = base64.b64encode(hashlib.sha256(self._packed).digest()).decode()
        return {"CodeSha256": sha256, **self._configuration()}

    def read(self, name: str) -> LiveResource | None:
        answer = if_there(self.context.environment.client("lambda").get_function, FunctionName=name)
        if answer is None:
            return None
        found = answer["Configuration"]
        fields = {key: found.get(key) for key in ("CodeSha256", *self._configuration())}
        return LiveResource(found["FunctionArn"], found.get("State", "Active"), fields)

    def tags(self, name: str) -> Mapping[str, str]:
        answer = if_there(self.context.environment.client("lambda").get_function, FunctionName=name) or {}
        if "TagsError" in answer:  # so AWS says that these credentials may see the function, but not its tags
            raise AccessError(
                f"AWS does not allow ListTags on the function {name}: {answer['TagsError'].get('Message', '')}",
                "Ask for lambda:ListTags; all that is needed: sentictl doctor --policy",
            )
        tags: dict[str, str] = answer.get("Tags", {})
        return tags

    def tag(self, name: str) -> None:
        arn = self.context.environment.arn("lambda", f"function:{name}")
        self.context.environment.client("lambda").tag_resource(Resource=arn, Tags=self.context.naming.tags)

    def create(self) -> None:
        self.context.environment.client("lambda").create_function(
            FunctionName=self.name,
            Code={"ZipFile": self._packed},
            Tags=self.context.naming.tags,
            **self._configuration(),
        )

    def update(self) -> None:
        client = self.context.environment.client("lambda")
        # One change at a time: the second is refused while the first is in progress.
        self._wait()
        client.update_function_code(FunctionName=self.name, ZipFile=self._packed)
        self._wait()
        client.update_function_configuration(FunctionName=self.name, **self._configuration())
        if another_stands(self.context):
            self._wait()
            time.sleep(UNDER_WAY_SECONDS)

    def wait_ready(self, live: LiveResource) -> LiveResource:
        self._wait()
        return self.read(self.name) or live

    def delete(self, record: Record) -> None:
        if_there(self.context.environment.client("lambda").delete_function, FunctionName=record.name)

    def sources(self) -> Mapping[str, Path]:
        """Return the files of its code, by their path in the package."""
        return template_files("lambda", self.context.config.folder.root)

    def summary(self) -> str:
        return f"{self.name} may invoke that endpoint and nothing else"

    def scope(self, action: str) -> Sequence[str]:
        return [self.arn] if action.startswith("lambda:") else []

    def uses(self) -> Sequence[Use]:
        return function_uses(self.context.settings)

    def cloudformation(self) -> Entries:
        (code, *others) = self.sources().values()
        if others:
            raise SettingsError(
                "The function's code has several files, and a template holds one.",
                "Put all of it into templates/lambda/handler.py, or leave the function to sentictl.",
            )
        configuration = {key: value for key, value in self.desired().items() if key != "CodeSha256"}
        properties = {
            "FunctionName": self.name,
            "Code": {"ZipFile": code.read_text(encoding="utf-8")},
            **configuration,
            "Handler": f"index.{HANDLER.partition('.')[2]}",  # the file that inline code is put in is index.py
        }
        return self.entry("AWS::Lambda::Function", properties, after=[FunctionLogGroup.__name__])

    @cached_property
    def _packed(self) -> bytes:
        return archives.zip_stored({name: path.read_bytes() for name, path in self.sources().items()})

    def _configuration(self) -> dict[str, Any]:
        settings = self.context.settings
        return {
            "Role": FunctionRole(self.context).arn,
            "Runtime": RUNTIME,
            "Handler": HANDLER,
            "MemorySize": settings.lambda_.memory_mb,
            "Timeout": settings.lambda_.timeout_seconds,
            "Environment": {"Variables": self._variables()},
        }

    def _variables(self) -> dict[str, str]:
        settings = self.context.settings
        variables = {
            "ENDPOINT_NAME": endpoint_name(self.context),
            "ENDPOINT_SECONDS": str(settings.lambda_.timeout_seconds - SPARE_SECONDS),
            "MAX_REVIEW_CHARACTERS": str(settings.api.max_review_characters),
            "MAX_REVIEWS": str(settings.api.max_reviews),
        }
        if settings.deploy.serving == "serverless":
            variables["MAX_ENDPOINT_BODY"] = str(SERVERLESS_BODY)
        return variables

    def _wait(self) -> None:
        client = self.context.environment.client("lambda")
        for state in ("function_active_v2", "function_updated_v2"):
            client.get_waiter(state).wait(FunctionName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
