"""The notebook instance: a Jupyter on AWS beside the chain, in which sentictl and the walkthrough are installed."""

import base64
import shlex
from collections.abc import Container, Iterable, Mapping
from functools import cached_property
from typing import Any

from sentictl.assets.installed import templates
from sentictl.aws.lookup import if_there
from sentictl.aws.names import NOTEBOOK_GROUP, digest_of
from sentictl.aws.waiters import poll
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import AwsError
from sentictl.lifecycle.cost import Machines
from sentictl.lifecycle.resource import Actions, Context, LiveResource, Resource
from sentictl.services.batch.job import TransformJob
from sentictl.services.batch.model import BatchModel
from sentictl.services.chain import CHAIN
from sentictl.services.iam.documents import document, together
from sentictl.services.iam.permissions import PASSING, pass_roles, policy
from sentictl.services.iam.roles import Role
from sentictl.services.notebook import package
from sentictl.services.pricing.estimate import machine_price
from sentictl.services.resources.logs import delete_streams
from sentictl.services.resources.sagemaker import SageMakerResource
from sentictl.services.resources.storage import DELETING, bucket_exists, delete_objects
from sentictl.services.tuning.job import TuningJob

# The role and the script are looked for only where there is an instance: who has none needs no permission to ask.
PART = "notebook"
COMMAND = "notebook create"
OPENING = "sagemaker:CreatePresignedNotebookInstanceUrl"
PLATFORM = "notebook-al2023-v1"  # Amazon Linux 2023 with JupyterLab 4; never changes once the instance is made
METADATA_VERSION = "2"  # of the instance metadata service: the one that takes a token
IN_PROGRESS = {"Pending", "Stopping", "Updating", "Deleting", "PendingMaintenance", "InMaintenance"}
MINUTES = 20  # an instance takes about five on AWS to start
FOLDER = "notebook/"  # what the script fetches from the project's bucket
PROJECT = f"{FOLDER}project.tar.gz"


class NotebookRole(Role):
    """The role that the notebook runs in: it may do what the commands may, stop itself and write its log."""

    kind = "notebook-role"
    command = COMMAND
    optional = True
    looked_for = False
    part = PART
    service = "sagemaker.amazonaws.com"

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        return super().found(known) if any(Notebook(self.context).found()) else []

    def _policy(self) -> dict[str, Any]:
        commands = policy(self.context, [*CHAIN, TuningJob, BatchModel, TransformJob, Notebook])
        allowed = together(commands, notebook_policy(self.context, looking=True))
        return document([*super()._policy()["Statement"], *allowed["Statement"]])


class NotebookLifecycle(Resource):
    """The script that the instance runs at each start, the wheel of sentictl that it installs, and the project.

    None of them has tags: they belong to the instance, as its role does, and to the bucket. The project is taken once,
    to begin with.
    """

    kind = "notebook-instance-lifecycle-config"
    command = COMMAND
    optional = True
    looked_for = False
    tagged = False
    actions = Actions(
        read="sagemaker:DescribeNotebookInstanceLifecycleConfig iam:GetRole sagemaker:ListTags",
        create="sagemaker:CreateNotebookInstanceLifecycleConfig s3:PutObject",
        update="sagemaker:UpdateNotebookInstanceLifecycleConfig s3:PutObject",
        delete=f"sagemaker:DeleteNotebookInstanceLifecycleConfig s3:ListBucket {DELETING}",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name(PART)

    @cached_property
    def _packed(self) -> tuple[str, bytes]:
        """The key of this sentictl's wheel in the project's bucket, and the wheel."""
        name, content = package.wheel()
        return f"{FOLDER}{digest_of(content.hex())}/{name}", content

    @property
    def _script(self) -> str:
        return script(self.context, f"s3://{self.context.naming.bucket}/{self._packed[0]}")

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        return super().found(known) if any(Notebook(self.context).found()) else []

    def desired(self) -> Mapping[str, Any]:
        return {"script": digest_of(self._script)}

    def read(self, name: str) -> LiveResource | None:
        describe = self.context.environment.client("sagemaker").describe_notebook_instance_lifecycle_config
        found = if_there(describe, NotebookInstanceLifecycleConfigName=name)
        if found is None:
            return None
        hooks = [base64.b64decode(hook["Content"]).decode("utf-8", "replace") for hook in found.get("OnStart", [])]
        return LiveResource(found["NotebookInstanceLifecycleConfigArn"], fields={"script": digest_of("".join(hooks))})

    def tags(self, name: str) -> Mapping[str, str]:
        """Return the role's tags, which is made before and deleted after; or the instance's, where that is gone."""
        role = NotebookRole(self.context)
        return role.tags(role.name) or Notebook(self.context).tags(name)

    def create(self) -> None:
        self._upload()
        self.context.environment.client("sagemaker").create_notebook_instance_lifecycle_config(**self._request())

    def update(self) -> None:
        """Put the new script, which the instance runs at its next start."""
        self._upload()
        self.context.environment.client("sagemaker").update_notebook_instance_lifecycle_config(**self._request())

    def delete(self, record: Record) -> None:
        delete = self.context.environment.client("sagemaker").delete_notebook_instance_lifecycle_config
        if_there(delete, NotebookInstanceLifecycleConfigName=record.name)
        if bucket_exists(self.context, self.context.naming.bucket):
            delete_objects(self.context, self.context.naming.bucket, FOLDER)

    def _upload(self) -> None:
        client, bucket = self.context.environment.client("s3"), self.context.naming.bucket
        key, content = self._packed
        for name, body in {PROJECT: package.project(self.context), key: content}.items():
            client.put_object(Bucket=bucket, Key=name, Body=body)

    def _request(self) -> dict[str, Any]:
        content = base64.b64encode(self._script.encode()).decode()
        return {"NotebookInstanceLifecycleConfigName": self.name, "OnStart": [{"Content": content}]}


class Notebook(SageMakerResource):
    """The notebook instance. What is changed of it is changed while it is stopped."""

    kind = "notebook-instance"
    command = COMMAND
    face = True
    optional = True
    healthy = frozenset({"InService", "Stopped"})  # it starts when it is opened
    tells_state = True
    actions = Actions(
        read="sagemaker:DescribeNotebookInstance sagemaker:ListTags",
        create="sagemaker:CreateNotebookInstance sagemaker:AddTags iam:PassRole",
        update="sagemaker:StartNotebookInstance sagemaker:StopNotebookInstance "
        "sagemaker:UpdateNotebookInstance sagemaker:CreateNotebookInstance sagemaker:DeleteNotebookInstance",
        delete="sagemaker:StopNotebookInstance sagemaker:DeleteNotebookInstance "
        "logs:DescribeLogStreams logs:DeleteLogStream",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name(PART)

    def desired(self) -> Mapping[str, Any]:
        wanted = self.context.settings.notebook
        return {
            "instance_type": wanted.instance_type,
            "volume_gb": wanted.volume_gb,
            "metadata_version": METADATA_VERSION,
            "failed": False,
        }

    def read(self, name: str) -> LiveResource | None:
        found = self._describe(name)
        if found is None:
            return None
        metadata = found.get("InstanceMetadataServiceConfiguration") or {}
        fields = {
            "instance_type": found["InstanceType"],
            "volume_gb": found["VolumeSizeInGB"],
            "metadata_version": metadata.get("MinimumInstanceMetadataServiceVersion"),
            "failed": found["NotebookInstanceStatus"] == "Failed",
        }
        return LiveResource(found["NotebookInstanceArn"], found["NotebookInstanceStatus"], fields)

    def create(self) -> None:
        client = self.context.environment.client("sagemaker")
        request = {
            **self._changeable(),
            "RoleArn": NotebookRole(self.context).arn,
            "LifecycleConfigName": NotebookLifecycle(self.context).name,
            "PlatformIdentifier": PLATFORM,
            "Tags": self.context.naming.tag_list(),
        }
        client.create_notebook_instance(**request)

    def update(self) -> None:
        if self._wait(self.name)["NotebookInstanceStatus"] == "Failed":  # it can only be made again
            self.delete(Record(self.kind, self.name))
            self.create()
            return
        self.stop()
        self.context.environment.client("sagemaker").update_notebook_instance(**self._changeable())
        self._wait(self.name)
        self.start()

    def wait_ready(self, live: LiveResource) -> LiveResource:
        if live.status not in IN_PROGRESS | {"Failed"}:
            return live
        self._check(self._wait(self.name))
        return self.read(self.name) or live

    def delete(self, record: Record) -> None:
        if self._describe(record.name) is None:
            return
        self._stop(record.name)
        if_there(
            self.context.environment.client("sagemaker").delete_notebook_instance, NotebookInstanceName=record.name
        )
        what = f"The notebook {record.name}"
        poll(lambda: self._describe(record.name), lambda found: found is None, what=what, timeout=60 * MINUTES)
        delete_streams(self.context, NOTEBOOK_GROUP, f"{record.name}/")

    def summary(self) -> str:
        if self.context.environment.endpoint_url:
            return f"notebook {self.name} on this machine"
        price, _ = machine_price(self.context, self.machines())
        minutes = self.context.settings.notebook.idle_minutes
        return f"notebook {self.name} · {price} · stops after {minutes} idle minutes"

    def machines(self) -> Machines:
        return Machines("Notebook", self.context.settings.notebook.instance_type)

    def start(self) -> None:
        """Have it in service, and wait until it is.

        Raises:
            AwsError: it failed.
        """
        if self._wait(self.name)["NotebookInstanceStatus"] == "Stopped":
            self.context.report(f"starting {self.name}")
            self.context.environment.client("sagemaker").start_notebook_instance(NotebookInstanceName=self.name)
        self._check(self._wait(self.name))

    def stop(self) -> None:
        """Have it stopped, and wait until it is. What is in its folder is kept."""
        self._stop(self.name)

    def url(self) -> str:
        """Return an address that lets whoever has it in, for a few minutes: it is never recorded."""
        client = self.context.environment.client("sagemaker")
        return str(client.create_presigned_notebook_instance_url(NotebookInstanceName=self.name)["AuthorizedUrl"])

    def _changeable(self) -> dict[str, Any]:
        wanted = self.context.settings.notebook
        return {
            "NotebookInstanceName": self.name,
            "InstanceType": wanted.instance_type,
            "VolumeSizeInGB": wanted.volume_gb,
            "InstanceMetadataServiceConfiguration": {"MinimumInstanceMetadataServiceVersion": METADATA_VERSION},
        }

    def _stop(self, name: str) -> None:
        if self._wait(name)["NotebookInstanceStatus"] == "InService":
            self.context.report(f"stopping {name}")
            self.context.environment.client("sagemaker").stop_notebook_instance(NotebookInstanceName=name)
        self._wait(name)

    def _check(self, found: Mapping[str, Any]) -> None:
        if found["NotebookInstanceStatus"] == "Failed":
            raise AwsError(
                f"The notebook {self.name} failed: {found.get('FailureReason') or 'AWS gives no reason'}",
                "When that is mended: sentictl notebook create",
            )

    def _wait(self, name: str) -> dict[str, Any]:
        return poll(
            lambda: self._describe(name) or {"NotebookInstanceStatus": "Gone"},
            lambda found: found["NotebookInstanceStatus"] not in IN_PROGRESS,
            what=f"The notebook {name}",
            timeout=60 * MINUTES,
        )

    def _describe(self, name: str) -> dict[str, Any] | None:
        describe = self.context.environment.client("sagemaker").describe_notebook_instance
        return if_there(describe, NotebookInstanceName=name)


# Beside the chain: `up` and `plan` leave it alone, while `status`, `import` and `down` know it.
OPTIONAL: tuple[type[Resource], ...] = (NotebookRole, NotebookLifecycle, Notebook)


def notebook_policy(context: Context, *, looking: bool = False) -> dict[str, Any]:
    """Make the identity policy that the notebook's commands take beside those for all others.

    Who has no notebook need not allow it. What they do in the bucket, the others allow, and that it is asked whether
    there is a notebook.

    Args:
        context: the project and environment.
        looking: only what `import` and `status` take of it where there is a notebook.
    """
    read = {action for kind in OPTIONAL if not kind.looked_for for action in kind.actions.read.split()}
    changing = {OPENING}.union(*(kind.actions.changes for kind in OPTIONAL))
    actions = sorted(read if looking else read | changing)
    role, name = NotebookRole(context), context.naming.name(PART)
    group = context.environment.arn("logs", f"log-group:{NOTEBOOK_GROUP}")
    scopes = {
        "iam:": [role.arn],
        "sagemaker:": [
            context.environment.arn("sagemaker", f"{kind}/{name}") for kind in (Notebook.kind, NotebookLifecycle.kind)
        ],
        "logs:Describe": [f"{group}{rest}" for rest in ("", ":*")],
        "logs:Delete": [f"{group}:log-stream:{name}/*"],
    }
    statements = [
        {"Effect": "Allow", "Action": names, "Resource": arns}
        for scope, arns in scopes.items()
        if (names := [action for action in actions if action.startswith(scope) and action != PASSING])
    ]
    passing = [pass_roles([role])] if PASSING in actions else []
    return document([*statements, *passing])


def script(context: Context, wheel: str) -> str:
    """Write what the instance runs at each start: its values, then `templates/notebook/on-start.sh`.

    Args:
        context: the project and environment.
        wheel: the S3 URI of the wheel that it installs.
    """
    values = {
        "NOTEBOOK": context.naming.name(PART),
        "ENVIRONMENT": context.environment.name,
        "REGION": context.environment.region,
        "WHEEL": wheel,
        "PROJECT": f"s3://{context.naming.bucket}/{PROJECT}",
        "IDLE_MINUTES": str(context.settings.notebook.idle_minutes),
    }
    lines = [f"{name}={shlex.quote(value)}" for name, value in values.items()]
    body = (templates() / "notebook" / "on-start.sh").read_text(encoding="utf-8")
    return "\n".join(["#!/bin/bash", *lines, body])


def running(context: Context) -> str:
    """Remind that a notebook costs money, where one does; empty otherwise."""
    if not context.environment.billed or context.state.latest(Notebook.kind) is None:
        return ""
    live = Notebook(context).read(Notebook(context).name)
    if live is None or live.status != "InService":
        return ""
    wanted, (price, source) = context.settings.notebook, machine_price(context, Notebook(context).machines())
    where = env_option(context.environment.name, default=LOCAL)
    return (
        f"The notebook ({wanted.instance_type}) runs and costs {price} ({source}); it stops by itself after "
        f"{wanted.idle_minutes} idle minutes. Stop it now: sentictl notebook stop{where}"
    )
