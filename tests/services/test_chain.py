"""A new kind of resource is one class and one line in the chain: all else follows from what the class says."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from sentictl.api import stack
from sentictl.api.results import Status
from sentictl.cli.commands.down import ChainPart
from sentictl.cli.view.status import draw
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Machines, Use
from sentictl.lifecycle.reconcile import Action, Step
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.chain import CHAIN
from sentictl.services.export.cloudformation import template
from sentictl.services.iam.permissions import every_action, needed, policy, reading_actions
from sentictl.services.kept import KEPT
from sentictl.services.pricing.estimate import estimate
from tests.services.conftest import ACCOUNT, ContextOf

ARN = f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:films-local-alarm"
FILMS = '[project]\nname = "films"\n'


class Alarm(Resource):
    """An alarm of CloudWatch's, on two machines of its own. AWS has it as `state` says."""

    kind = "alarm"
    command = "watch"
    face = True
    removed_as = "alarm"
    healthy = frozenset({"OK"})
    actions = Actions(
        read="cloudwatch:DescribeAlarms cloudwatch:ListMetrics",
        create="cloudwatch:PutMetricAlarm",
        delete="cloudwatch:DeleteAlarms",
        unscoped="cloudwatch:ListMetrics",
    )
    named_by = ("arn", "Arn")
    state = "OK"

    @property
    def name(self) -> str:
        return self.context.naming.name("alarm")

    @property
    def arn(self) -> str:
        return self.context.environment.arn("cloudwatch", f"alarm:{self.name}")

    def read(self, name: str) -> LiveResource | None:
        return LiveResource(self.arn, self.state, {"threshold": 1}) if self.state else None

    def desired(self) -> Mapping[str, Any]:
        return {"threshold": 1}

    def tags(self, name: str) -> Mapping[str, str]:
        return self.context.naming.tags

    def create(self) -> None:
        raise NotImplementedError

    def delete(self, record: Record) -> None:
        raise NotImplementedError

    def facts(self, record: Record) -> Sequence[str]:
        return [record.name, "rings at 1"]

    def scope(self, action: str) -> Sequence[str]:
        return [self.arn] if action.startswith("cloudwatch:") else []

    def machines(self) -> Machines:
        return Machines("Hosting", "ml.t2.medium", count=2)

    def uses(self) -> Sequence[Use]:
        return [Use("CloudWatch", "an alarm kept for a month", 0.1)]

    def cloudformation(self) -> Entries:
        return self.entry("AWS::CloudWatch::Alarm", {"AlarmName": self.name, "AlarmActions": [self.arn]})


LONGER: tuple[type[Resource], ...] = (*CHAIN, Alarm)


@pytest.fixture
def context(context_of: ContextOf, monkeypatch: pytest.MonkeyPatch) -> Context:
    monkeypatch.setattr(stack, "KEPT", (*KEPT, Alarm))
    context = context_of(FILMS)
    context.state.keep(Record("alarm", "films-local-alarm", ARN))
    return context


@pytest.mark.parametrize(
    ("command", "face", "serving"),
    [
        ("data", "dataset", "instance"),
        ("train", "training-job", "instance"),
        ("deploy", "endpoint", "instance"),
        ("deploy", "endpoint", "serverless"),
        ("deploy", "function-archive", "lambda"),
        ("wire-lambda", "function", "instance"),
        ("wire-lambda", "function", "lambda"),
        ("wire-api", "rest-api", "instance"),
        ("site", "page", "instance"),
        ("alerts", "alert-alarms", "instance"),
        ("notebook create", "notebook-instance", "instance"),
        ("train --tune", "hyper-parameter-tuning-job", "instance"),
        ("predict --every", "batch-schedule", "lambda"),
    ],
)
def test_each_command_has_one_resource_that_stands_for_it(
    context_of: ContextOf, command: str, face: str, serving: str
) -> None:
    scheduled = "[batch.schedule]\nevery = 'day 3:00'\ninput = 's3://films/in'\noutput = 's3://films/out'\n"
    asked_for = f"[train.tune]\nepochs = [2, 3]\n[alerts]\nemail = 'ops@example.org'\n{scheduled}"
    context = context_of(f"[deploy]\nserving = '{serving}'\n{asked_for}")
    faces = [kind for kind in KEPT if kind.command == command and kind.face]
    assert [kind.kind for kind in faces if kind(context).wanted] == [face]


@pytest.mark.parametrize(
    ("part", "kinds"),
    [
        (
            "endpoint",
            {
                *("image-access", "model", "shadow-model", "capture-access", "endpoint-config", "endpoint-log-group"),
                *("alarms", "endpoint", "scalable-target", "scaling-policy"),
                *("schedule-role", "schedule", "closing", "opening"),
            },
        ),
        ("lambda", {"function-archive", "function-role", "log-group", "function"}),
    ],
)
def test_a_part_goes_with_all_that_is_there_for_it_alone(context: Context, part: str, kinds: set[str]) -> None:
    assert {resource.kind for resource in stack.doomed(context, part, keep_data=False)} == kinds


def test_what_commands_keep_stands_together_in_the_chain() -> None:
    commands = [kind.command for kind in CHAIN]
    assert commands == sorted(commands, key=stack.COMMANDS.index)


def test_its_permissions_are_asked_for_on_its_own_arn(context: Context) -> None:
    taken = {"cloudwatch:DescribeAlarms", "cloudwatch:ListMetrics", "cloudwatch:PutMetricAlarm"}
    assert taken <= set(needed(LONGER, [Step(Action.CREATE, "alarm", "films-local-alarm", {})]))
    assert set(every_action(LONGER)) - set(every_action(CHAIN)) == {"cloudwatch:ListMetrics"}
    assert "cloudwatch:PutMetricAlarm" not in reading_actions(LONGER)
    allowed = {
        (action, arn)
        for entry in policy(context, LONGER)["Statement"]
        for action in entry["Action"]
        for arn in entry["Resource"]
    }
    of_rollouts = f"arn:aws:cloudwatch:eu-west-1:{ACCOUNT}:alarm:films-local-rollback-*"
    assert {arn for action, arn in allowed if action == "cloudwatch:PutMetricAlarm"} == {of_rollouts, ARN}
    assert {arn for action, arn in allowed if action == "cloudwatch:ListMetrics"} == {"*"}


@pytest.mark.parametrize(
    ("state", "line"),
    [
        ("OK", "● watch        films-local-alarm · rings at 1"),
        ("ALARM", "✗ watch        films-local-alarm · rings at 1 · ALARM"),
    ],
)
def test_it_is_in_the_picture(context: Context, monkeypatch: pytest.MonkeyPatch, state: str, line: str) -> None:
    monkeypatch.setattr(Alarm, "state", state)
    picture = str(draw(Status("local", stack.inspect(context)), "", 100)).replace("\N{NO-BREAK SPACE}", " ")
    assert line in [each.strip() for each in picture.split("\n")]
    assert ("sentictl watch" in picture) == (state != "OK")


def test_what_can_be_taken_down_by_itself_is_what_the_command_line_offers() -> None:
    assert list(dict.fromkeys(kind.removed_as for kind in KEPT if kind.removed_as)) == list(ChainPart)


def test_it_can_be_taken_down_by_itself(context: Context) -> None:
    assert [type(resource) for resource in stack.doomed(context, "alarm", keep_data=False)] == [Alarm]


def test_it_is_paid_for(context: Context) -> None:
    without, having = estimate(context, CHAIN, {"alarm"}), estimate(context, LONGER, {"alarm"})
    assert without.hourly == 0
    assert having.hourly == pytest.approx(2 * 0.056)
    assert set(having.uses) - set(without.uses) == {Use("CloudWatch", "an alarm kept for a month", 0.1)}


def test_an_endpoint_that_the_settings_do_not_ask_for_costs_nothing(context_of: ContextOf) -> None:
    costs = {
        serving: estimate(context_of(f"[deploy]\nserving = '{serving}'\n"), CHAIN).hourly
        for serving in ("instance", "lambda")
    }
    assert costs["lambda"] == 0
    assert costs["instance"]


def test_it_is_exported(context: Context) -> None:
    artifact = {"artifact": f"s3://films-local-{ACCOUNT}/model.tar.gz"}
    context.state.keep(Record("training-job", "films-local-0123456789ab", "arn", artifact))
    document = template(context, LONGER)
    assert document["Resources"]["Alarm"]["Type"] == "AWS::CloudWatch::Alarm"
    assert document["Resources"]["Alarm"]["Properties"]["AlarmName"] == "films-local-alarm"
    assert "alarm" not in document["Metadata"]["sentictl"]["NotInThisTemplate"]


def test_the_users_and_the_api_are_taken_down_each_by_itself(context_of: ContextOf) -> None:
    users, api, alerts = (
        {resource.kind for resource in stack.doomed(context_of(FILMS), part, keep_data=False)}
        for part in ("users", "api", "alerts")
    )
    assert users == {"user-pool", "user-pool-domain", "user-pool-client"}
    assert api >= {"rest-api", "permission", "usage-plan", "web-acl", "web-acl-association"}
    assert {"alert-topic", "dashboard"} <= alerts
    assert users & api == api & alerts == set()
