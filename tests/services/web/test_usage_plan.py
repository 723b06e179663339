"""The usage plan and the keys, in moto: made once, changed in place, healed, and deleted."""

from collections.abc import Mapping
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any, cast

import pytest

from sentictl.api.keys import ProjectKeys
from sentictl.api.session import Session
from sentictl.config.state import Record
from sentictl.errors import MissingStepError, UsageError
from sentictl.lifecycle.reconcile import Action, Step, apply, destroy
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.web.api_key import ApiKey, check_label
from sentictl.services.web.rest_api import STAGE, RestApi
from sentictl.services.web.usage_plan import UsagePlan, nobody_has_a_key
from tests.services.conftest import ContextOf

SETTINGS = "[project]\nname = 'films'\nid = '0123456789ab'\n[api]\nauth = 'key'\nkey_quota = '100/week'\n"


class Silent:
    """Hears of the steps, and says nothing."""

    def started(self, step: Step) -> None: ...

    def finished(self, step: Step, summary: str) -> None: ...


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    """A project whose API stands."""
    made = moto_context_of(SETTINGS)
    client = made.environment.client("apigateway")
    api = client.create_rest_api(name="films-local-api")
    place = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    client.put_method(**place, authorizationType="NONE")
    client.put_integration(**place, type="MOCK")
    client.create_deployment(restApiId=api["id"], stageName=STAGE)
    made.state.keep(Record(RestApi.kind, "films-local-api", "arn", {"id": api["id"]}))
    return made


def bring(*resources: Resource) -> list[Action]:
    return [step.action for step in apply(resources, resources[0].context, Silent())]


def plan_of(context: Context) -> Mapping[str, Any]:
    (plan,) = context.environment.client("apigateway").get_usage_plans()["items"]
    found: Mapping[str, Any] = plan
    return found


def test_a_plan_is_made_once_and_changed_in_place(context: Context) -> None:
    assert bring(UsagePlan(context)) == [Action.CREATE]
    made = plan_of(context)
    assert made["throttle"] == {"rateLimit": 5.0, "burstLimit": 10}
    assert made["quota"] == {"limit": 100, "period": "WEEK"}
    assert bring(UsagePlan(context)) == [Action.KEEP]
    context.config.change({"api.key_quota": "", "api.key_burst": 7})
    assert bring(UsagePlan(context)) == [Action.UPDATE]
    assert bring(UsagePlan(context)) == [Action.KEEP]
    changed = plan_of(context)
    assert (changed["id"], changed["throttle"]["burstLimit"], changed.get("quota")) == (made["id"], 7, None)


def test_keys_are_let_in_whether_they_were_made_before_the_plan_or_after(context: Context) -> None:
    assert "sentictl keys create" in nobody_has_a_key(context)
    alice, bob = ApiKey(context, "alice"), ApiKey(context, "bob")
    assert bring(alice) == [Action.CREATE]
    assert bring(UsagePlan(context)) == [Action.CREATE]
    assert bring(bob) == [Action.CREATE]
    assert bring(UsagePlan(context)) == [Action.UPDATE]  # as after a kill between the two
    assert bring(UsagePlan(context)) == [Action.KEEP]
    client = context.environment.client("apigateway")
    inside = client.get_usage_plan_keys(usagePlanId=plan_of(context)["id"])["items"]
    assert {key["name"] for key in inside} == {"films-local-key-alice", "films-local-key-bob"}
    assert len(alice.value) >= 20
    assert nobody_has_a_key(context) == ""


def test_a_value_is_in_no_record_and_in_no_file(context: Context) -> None:
    key = ApiKey(context, "alice")
    bring(key)
    assert context.state.latest(ApiKey.kind) is not None
    assert key.value not in context.config.folder.settings_file.read_text()


def test_keys_go_with_the_project_recorded_or_not(context: Context) -> None:
    for label in ("alice", "bob"):
        bring(ApiKey(context, label))
    bring(UsagePlan(context))
    client = context.environment.client("apigateway")
    client.create_api_key(name="films-local-key-eve", enabled=True)  # not this project's: it has no tags
    record = context.state.of_kind(ApiKey.kind)[0]
    context.state.forget(record)
    assert [name for name, _ in ApiKey(context).found(["films-local-key-bob"])] == ["films-local-key-alice"]
    deleted, left = destroy([UsagePlan(context), ApiKey(context)], context, Silent())
    assert (len(deleted), left) == (3, [])
    assert client.get_usage_plans()["items"] == []
    assert [key["name"] for key in client.get_api_keys()["items"]] == ["films-local-key-eve"]
    assert ApiKey(context).is_gone(record.arn)


def test_a_second_key_of_one_name_that_nobody_knows_goes(context: Context) -> None:
    client = context.environment.client("apigateway")
    lost = client.create_api_key(name="films-local-key-alice", enabled=True, tags=context.naming.tags)
    key = ApiKey(context, "alice")
    key.create()
    (found,) = client.get_api_keys(includeValues=True)["items"]
    assert (found["value"], found["id"] != lost["id"]) == (key.value, True)


def test_a_key_that_was_deleted_elsewhere_can_be_revoked_and_is_forgotten(context: Context) -> None:
    alice = ApiKey(context, "alice")
    bring(alice)
    alice.delete(Record(ApiKey.kind, alice.name))
    keys = ProjectKeys(cast(Session, SimpleNamespace(change=lambda: nullcontext(context))))
    keys.revoke("alice")
    assert context.state.of_kind(ApiKey.kind) == []
    with pytest.raises(MissingStepError, match="There is no key called alice"):
        keys.revoke("alice")


def test_what_nobody_asks_for_is_not_looked_for(context: Context) -> None:
    context.config.change({"api.auth": "none"})
    assert not UsagePlan(context).wanted
    assert not ApiKey(context).wanted
    assert nobody_has_a_key(context) == ""


@pytest.mark.parametrize("label", ["", "-a", "a b", "ä", "a" * 65, "a/b"])
def test_a_name_that_none_has(label: str) -> None:
    with pytest.raises(UsageError):
        check_label(label)
