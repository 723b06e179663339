"""The Lambda function behind the API: it asks the endpoint, or holds the model itself."""

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
from sentictl.config.settings import ANY_ORIGIN
from sentictl.config.state import Record
from sentictl.errors import AccessError, MissingStepError, SettingsError
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.access.cors import origins
from sentictl.services.iam.roles import FunctionRole
from sentictl.services.pricing.per_use import function_uses
from sentictl.services.resources.logs import FunctionLogGroup
from sentictl.services.resources.sagemaker import endpoint_name, has_endpoint
from sentictl.services.serving.alarms import ANSWERS, measures_answers
from sentictl.services.serving.endpoint import another_stands
from sentictl.services.web.function_archive import ARTIFACT_FOLDER, MODEL_FOLDER, PART, WITH_MODEL, FunctionArchive
from sentictl.services.web.packages import ARCHITECTURE, PYTHON

RUNTIME = f"python{PYTHON}"
HANDLER = "handler.lambda_handler"
ANY_ARCHITECTURE = "x86_64"  # what a function without packages has by default
SERVERLESS_BODY = 4 * 1024 * 1024  # bytes, as the guide of serverless inference has it
UNDER_WAY_SECONDS = 5  # for requests that are on their way to an endpoint which is about to be deleted
SPARE_SECONDS = 5  # of the function's timeout: to connect, and to say that the endpoint took too long


class Function(Resource):
    """The function: `templates/lambda/`, packed reproducibly, so that the same code is known as the same.

    Where it holds the model, its code is that of the archive on S3.
    """

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

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._live: Mapping[str, Any] = {}  # its fields as they were read last

    @property
    def name(self) -> str:
        return self.context.naming.name("predict")

    @property
    def arn(self) -> str:
        return self.context.environment.arn("lambda", f"function:{self.name}")

    def desired(self) -> Mapping[str, Any]:
        return {"CodeSha256": self._code_sha256(), "Architectures": self._architectures, **self._configuration()}

    def read(self, name: str) -> LiveResource | None:
        answer = if_there(self.context.environment.client("lambda").get_function, FunctionName=name)
        if answer is None:
            return None
        found = answer["Configuration"]
        self._live = {key: found.get(key) for key in ("CodeSha256", "Architectures", *self._configuration())}
        return LiveResource(found["FunctionArn"], found.get("State", "Active"), self._live)

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
            Code=self._code(),
            Tags=self.context.naming.tags,
            **self._configuration(),
            **self._other_architecture(),
        )

    def update(self) -> None:
        """Change code and configuration, one at a time: the second is refused while the first is in progress.

        Code that holds the model can ask an endpoint as well, so between the two it is there: no request fails.
        """
        changes = [self._update_code, self._update_configuration]
        if self.holds_model and not self._is_to_hold_model:
            changes.reverse()
        for change in changes:
            self._wait()
            change()
        if another_stands(self.context):
            self._wait()
            time.sleep(UNDER_WAY_SECONDS)

    def wait_ready(self, live: LiveResource) -> LiveResource:
        self._wait()
        return self.read(self.name) or live

    def delete(self, record: Record) -> None:
        if_there(self.context.environment.client("lambda").delete_function, FunctionName=record.name)

    def sources(self) -> Mapping[str, Path]:
        """Return the files of its code where it asks an endpoint, by their path in the package."""
        files = template_files(PART, self.context.config.folder.root)
        return {name: path for name, path in files.items() if name not in WITH_MODEL}

    def summary(self) -> str:
        if self._is_to_hold_model:
            return f"{self.name} holds the model, in {self._memory_mb:,} MB"
        return f"{self.name} may invoke that endpoint and nothing else"

    def scope(self, action: str) -> Sequence[str]:
        return [self.arn] if action.startswith("lambda:") else []

    def uses(self) -> Sequence[Use]:
        return function_uses(self.context.settings)

    def cloudformation(self) -> Entries:
        if self._is_to_hold_model:
            code = {"Code": self._code(), "Architectures": self._architectures}
        else:  # the file that inline code is put in is index.py
            code = {"Code": {"ZipFile": self._inline()}, "Handler": f"index.{HANDLER.partition('.')[2]}"}
        properties = {"FunctionName": self.name, **self._configuration(), **code}
        return self.entry("AWS::Lambda::Function", properties, after=[FunctionLogGroup.__name__])

    def _inline(self) -> str:
        (code, *others) = self.sources().values()
        if others:
            raise SettingsError(
                "The function's code has several files, and a template holds one.",
                "Put all of it into templates/lambda/handler.py, or leave the function to sentictl.",
            )
        return code.read_text(encoding="utf-8")

    @cached_property
    def _packed(self) -> bytes:
        return archives.zip_stored({name: path.read_bytes() for name, path in self.sources().items()})

    @property
    def holds_model(self) -> bool:
        """Whether it answered from a model of its own when it was read last."""
        return MODEL_FOLDER in ((self._live.get("Environment") or {}).get("Variables") or {})

    @property
    def _is_to_hold_model(self) -> bool:
        return not has_endpoint(self.context)

    @property
    def _memory_mb(self) -> int:
        settings = self.context.settings
        return settings.deploy.memory_mb if self._is_to_hold_model else settings.lambda_.memory_mb

    @property
    def _architectures(self) -> list[str]:
        return [ARCHITECTURE if self._is_to_hold_model else ANY_ARCHITECTURE]

    def _other_architecture(self) -> dict[str, list[str]]:
        """Return its architecture where a call has to name it: where it is not the default, or was another."""
        named = self._architectures != [ANY_ARCHITECTURE] or self._live.get("Architectures", []) == [ARCHITECTURE]
        return {"Architectures": self._architectures} if named else {}

    def _code(self) -> dict[str, Any]:
        if self._is_to_hold_model:
            archive = FunctionArchive(self.context)
            return {"S3Bucket": archive.bucket, "S3Key": archive.name}
        return {"ZipFile": self._packed}

    def _code_sha256(self) -> str:
        """Return the digest that Lambda tells of the code.

        Raises:
            MissingStepError: the code is of an archive that has yet to be made.
        """
        if not self._is_to_hold_model:
            return base64.b64encode(hashlib.sha256(self._packed).digest()).decode()
        name = FunctionArchive(self.context).name
        for record in self.context.state.of_kind(FunctionArchive.kind):
            if record.name == name and "sha256" in record.attributes:
                return record.attributes["sha256"]
        raise MissingStepError(f"The function's archive {name} is not made yet.", "Make it with: sentictl deploy")

    def _update_code(self) -> None:
        client = self.context.environment.client("lambda")
        client.update_function_code(FunctionName=self.name, **self._code(), **self._other_architecture())

    def _update_configuration(self) -> None:
        client = self.context.environment.client("lambda")
        client.update_function_configuration(FunctionName=self.name, **self._configuration())

    def _configuration(self) -> dict[str, Any]:
        settings = self.context.settings
        return {
            "Role": FunctionRole(self.context).arn,
            "Runtime": RUNTIME,
            "Handler": HANDLER,
            "MemorySize": self._memory_mb,
            "Timeout": settings.lambda_.timeout_seconds,
            "Environment": {"Variables": self._variables()},
        }

    def _variables(self) -> dict[str, str]:
        """Return what the handler is told: where the model answers, and how much may be asked."""
        settings = self.context.settings
        limits = {
            "MAX_REVIEW_CHARACTERS": str(settings.api.max_review_characters),
            "MAX_REVIEWS": str(settings.api.max_reviews),
        }
        if origins(self.context) != ANY_ORIGIN:
            limits["CORS_ORIGINS"] = " ".join(origins(self.context))
        if self._is_to_hold_model:
            return {MODEL_FOLDER: ARTIFACT_FOLDER, **limits}
        if settings.deploy.serving == "serverless":
            limits["MAX_ENDPOINT_BODY"] = str(SERVERLESS_BODY)
        if measures_answers(self.context):
            limits["METRICS_NAMESPACE"] = ANSWERS
        if settings.deploy.hours.week:
            limits["HOURS"] = str(settings.deploy.hours)
        seconds = settings.lambda_.timeout_seconds - SPARE_SECONDS
        return {"ENDPOINT_NAME": endpoint_name(self.context), "ENDPOINT_SECONDS": str(seconds), **limits}

    def _wait(self) -> None:
        client = self.context.environment.client("lambda")
        for state in ("function_active_v2", "function_updated_v2"):
            client.get_waiter(state).wait(FunctionName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 300})
