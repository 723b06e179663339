"""The notebook and what belongs to it, brought about by the reconciler on a twin."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from parliament import analyze_policy_string

from sentictl.api.stack import resources
from sentictl.aws.environment import Environment
from sentictl.errors import AwsError, SettingsError
from sentictl.lifecycle.reconcile import Action, Step, apply, destroy
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.documents import LONGEST_INLINE, LONGEST_MANAGED, length
from sentictl.services.notebook.instance import Notebook, NotebookLifecycle, NotebookRole, notebook_policy
from sentictl.services.resources.storage import Bucket
from sentictl.twin import daemon
from sentictl.twin.core.environment import Access
from tests.services.conftest import ACCOUNT, MOTO_ACCOUNT, ContextOf

NAME = "films-prod-notebook"


class Silent:
    """An observer that is told everything and says nothing."""

    def started(self, step: Step) -> None:
        """A step begins."""

    def finished(self, step: Step, summary: str) -> None:
        """A step has ended."""


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Access]:
    home = tmp_path_factory.mktemp("notebook") / "twin"
    daemon.start(home)
    yield daemon.access(home)
    daemon.destroy(home)


@pytest.fixture
def context(offline: Context, twin: Access) -> Context:
    """A context on the twin; a notebook that an earlier test left is one to go on with."""
    environment = Environment("prod", "eu-west-1", endpoint=twin.url, access_key=lambda: twin.key)
    context = replace(offline, environment=environment)
    apply([Bucket(context)], context, Silent())
    return context


def bring(context: Context) -> list[Action]:
    return [step.action for step in apply(resources(context, "notebook create"), context, Silent())]


def take_away(context: Context) -> None:
    destroy(resources(context, "notebook create"), context, Silent())


def described(context: Context) -> dict[str, Any]:
    client = context.environment.client("sagemaker")
    found: dict[str, Any] = client.describe_notebook_instance(NotebookInstanceName=NAME)
    return found


def test_the_notebook_is_made_as_the_settings_say_and_a_second_run_changes_nothing(context: Context) -> None:
    take_away(context)
    assert bring(context) == [Action.CREATE] * 3
    found = described(context)
    assert (found["NotebookInstanceStatus"], found["InstanceType"], found["VolumeSizeInGB"]) == (
        "InService",
        "ml.t3.medium",
        5,
    )
    assert found["PlatformIdentifier"] == "notebook-al2023-v1"
    assert found["InstanceMetadataServiceConfiguration"] == {"MinimumInstanceMetadataServiceVersion": "2"}
    assert found["RoleArn"] == f"arn:aws:iam::{MOTO_ACCOUNT}:role/{NAME}"
    assert found["NotebookInstanceLifecycleConfigName"] == NAME
    assert Notebook(context).tags(NAME) == {"sentictl:project": "films", "sentictl:environment": "prod"}
    assert bring(context) == [Action.KEEP] * 3


def test_a_stopped_one_is_as_it_should_be_and_starts_when_it_is_asked_to(context: Context) -> None:
    bring(context)
    notebook = Notebook(context)
    notebook.stop()
    assert described(context)["NotebookInstanceStatus"] == "Stopped"
    assert bring(context) == [Action.KEEP] * 3
    assert described(context)["NotebookInstanceStatus"] == "Stopped"
    notebook.start()
    assert described(context)["NotebookInstanceStatus"] == "InService"
    assert notebook.url().startswith("http://127.0.0.1:")


def test_another_machine_and_another_script_are_taken_in_place(context: Context) -> None:
    bring(context)
    arn = described(context)["NotebookInstanceArn"]
    context.config.change({"notebook.instance_type": "ml.t3.large", "notebook.volume_gb": 8, "train.epochs": 9})
    assert bring(context) == [Action.KEEP, Action.KEEP, Action.UPDATE]
    found = described(context)
    assert (found["InstanceType"], found["VolumeSizeInGB"], found["NotebookInstanceArn"]) == ("ml.t3.large", 8, arn)
    assert found["NotebookInstanceStatus"] == "InService"
    context.config.change({"notebook.idle_minutes": 30})
    assert bring(context) == [Action.KEEP, Action.UPDATE, Action.KEEP]
    assert bring(context) == [Action.KEEP] * 3
    take_away(context)  # its volume could not become smaller again


def test_what_runs_is_stopped_and_deleted_and_gone_already_is_no_error(context: Context) -> None:
    bring(context)
    records = [context.state.of_kind(resource.kind)[0] for resource in resources(context, "notebook create")]
    deleted, left = destroy(resources(context, "notebook create"), context, Silent())
    assert [record.kind for record in deleted] == [record.kind for record in reversed(records)]
    assert not left
    for resource, record in zip(resources(context, "notebook create"), records, strict=True):
        assert resource.read(record.name) is None
        resource.delete(record)


def test_why_it_failed_is_told(context: Context) -> None:
    reason = "Notebook Instance Lifecycle Config took longer than 5 minutes"

    def fail(parsed: dict[str, Any], **_: Any) -> None:
        parsed.update({"NotebookInstanceStatus": "Failed", "FailureReason": reason})

    events = context.environment.client("sagemaker").meta.events
    event = "after-call.sagemaker.DescribeNotebookInstance"
    events.register(event, fail)
    with pytest.raises(AwsError, match=f"The notebook {NAME} failed: {reason}"):
        bring(context)
    events.unregister(event, fail)


def test_the_role_may_do_what_the_commands_may_and_no_more(offline: Context) -> None:
    desired = NotebookRole(offline).desired()
    assert desired["trust"]["Statement"][0]["Principal"] == {"Service": "sagemaker.amazonaws.com"}
    actions = {action for entry in desired["policy"]["Statement"] for action in _listed(entry["Action"])}
    assert {"sagemaker:CreateTrainingJob", "lambda:CreateFunction", "sagemaker:StopNotebookInstance"} <= actions
    assert not actions & {"sagemaker:CreateNotebookInstance", "sagemaker:CreatePresignedNotebookInstanceUrl", "*"}
    document = json.dumps(desired["policy"], separators=(",", ":"))
    assert [found.issue for found in _findings(document)] == []


@pytest.mark.parametrize("region", ["ap-southeast-7", "us-gov-west-1", "us-isof-south-1"])
def test_with_the_longest_names_and_everything_switched_on_its_policy_is_no_longer_than_an_inline_one_may_be(
    context_of: ContextOf, region: str
) -> None:
    environment = Environment("e" * 20, region, endpoint="http://127.0.0.1:9")
    environment.__dict__["account"] = ACCOUNT
    settings = f'[project]\nname = "{"f" * 20}"\n[deploy]\nmax_instances = 3\n[train.tune]\nepochs = [2, 3]\n'
    context = replace(context_of(settings), environment=environment)
    role = NotebookRole(context).desired()["policy"]
    assert "sagemaker:CreateHyperParameterTuningJob" in json.dumps(role)  # as the commands may
    assert length(role) <= LONGEST_INLINE
    assert length(notebook_policy(context)) <= LONGEST_MANAGED


def test_the_policy_of_its_commands_is_one_that_iam_takes_and_about_this_notebook_alone(offline: Context) -> None:
    document = notebook_policy(offline)
    assert [found.issue for found in _findings(json.dumps(document))] == []
    named = [arn for entry in document["Statement"] for arn in entry["Resource"]]
    assert all(arn.endswith((NAME, f"{NAME}/*", "NotebookInstances", "NotebookInstances:*")) for arn in named)


def test_reviews_that_cannot_go_along_are_refused_before_anything_is_put_anywhere(offline: Context) -> None:
    offline.config.change({"data.source": "/elsewhere/reviews.csv"})
    with pytest.raises(SettingsError, match="cannot go along"):
        NotebookLifecycle(offline).create()


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _findings(document: str) -> list[Any]:
    """What parliament finds, whose table is older than the action that is taken out here."""
    return list(analyze_policy_string(document.replace('"sagemaker:DeleteTrainingJob",', "")).findings)
