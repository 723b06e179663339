"""The shape of a resource: what one is that says nothing else, and what the project knows of those that it has."""

from pathlib import Path

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError
from sentictl.lifecycle.reconcile import apply, claim
from sentictl.lifecycle.resource import Actions, Context, Resource
from tests.lifecycle.test_reconcile import Cloud, Other, Thing, Watcher, cloud, context, reloaded

__all__ = ["cloud", "context"]

ARN = "arn:aws:things:eu-west-1:123456789012:thing/thing"


class Listed(Thing):
    """A thing that AWS lists by ARN."""

    arn_pattern = r":thing/(?P<name>.+)$"


def test_the_actions_of_a_step_are_its_own_and_those_of_reading() -> None:
    actions = Actions("t:Get t:List", create="t:Create t:Tag", update="t:Update t:Tag", delete="t:Delete")
    reading = {"t:Get", "t:List"}
    assert {step: actions.of(step) - reading for step in ("keep", "create", "replace", "update", "delete")} == {
        "keep": set(),
        "create": {"t:Create", "t:Tag"},
        "replace": {"t:Create", "t:Tag"},
        "update": {"t:Update", "t:Tag"},
        "delete": {"t:Delete"},
    }
    assert actions.of("delete") == {*reading, "t:Delete"}
    assert actions.changes == {"t:Create", "t:Tag", "t:Update", "t:Delete"}
    assert Actions("t:Get").of("create") == {"t:Get"}
    assert Actions("t:Get").changes == set()


def test_what_aws_lists_and_has_no_more_is_gone(context: Context, cloud: Cloud) -> None:
    assert Listed(context).is_gone(ARN)
    cloud.things["thing", "thing"] = {}
    assert not Listed(context).is_gone(ARN)
    assert not Listed(context).is_gone("arn:aws:other:eu-west-1:123456789012:other/other")
    assert not Thing(context).is_gone(ARN)  # nothing says which name that is


class Looked(Thing):
    """A thing that is looked for as most are."""

    found = Resource.found


def test_one_that_is_not_wanted_is_looked_for_unless_it_is_only_on_request(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(Looked(context).found()) == []
    cloud.things["thing", "thing"] = {}
    assert [name for name, _ in Looked(context).found()] == ["thing"]
    assert list(Looked(context).found(known={"thing"})) == []
    monkeypatch.setattr(Looked, "wanted", False)
    assert [name for name, _ in Looked(context).found()] == ["thing"]
    monkeypatch.setattr(Looked, "on_request", True)
    assert list(Looked(context).found()) == []


def test_one_that_says_nothing_else_costs_nothing_and_shows_its_name(context: Context, cloud: Cloud) -> None:
    thing = Thing(context)
    assert (thing.wanted, thing.gone_as, thing.summary()) == (True, "Missing", "")
    assert (thing.machines(), thing.uses(), thing.scope("t:Get")) == (None, [], [])
    assert thing.facts(Record("thing", "a")) == ["a"]
    flags = ("face", "keeps_versions", "holds_data", "holds_logs", "optional", "on_request", "tells_state")
    assert not any(getattr(thing, flag) for flag in (*flags, "removed_as", "named_by"))
    assert all(getattr(thing, flag) for flag in ("looked_for", "in_template", "tagged"))
    assert thing.healthy == {"Active"}
    live = thing.read("thing")
    assert live is None
    cloud.things["thing", "thing"] = {}
    live = thing.read("thing")
    assert live is not None
    assert live.status == "Active"
    assert thing.wait_ready(live) is live


def test_what_it_cannot_do_is_said_with_its_kind(context: Context) -> None:
    thing = Thing(context)
    with pytest.raises(NotImplementedError, match="thing a cannot be tagged"):
        Resource.tag(thing, "a")
    with pytest.raises(NotImplementedError, match="thing cannot be updated"):
        Resource.update(thing)
    with pytest.raises(NotImplementedError, match="thing cannot be written as CloudFormation"):
        thing.cloudformation()


def test_an_entry_of_a_template_is_tagged_and_named_after_its_class(context: Context) -> None:
    plain = {"Type": "AWS::Things::Thing", "Properties": {"Color": "red", "Tags": context.naming.tag_list()}}
    entry = Thing(context).entry
    assert entry("AWS::Things::Thing", {"Color": "red"}) == {"Thing": plain}
    assert entry("AWS::Things::Thing", {"Color": "red"}, ["Other"]) == {"Thing": {**plain, "DependsOn": ["Other"]}}


def test_an_attribute_is_that_of_what_is_recorded(context: Context, cloud: Cloud) -> None:
    apply([Thing(context)], context, Watcher())
    assert context.attribute(Thing, "id") == "thing"
    with pytest.raises(MissingStepError, match=r"The thing thing is not made yet\.") as refusal:
        context.attribute(Thing, "address")
    assert refusal.value.hint == "Make it with: sentictl make"
    with pytest.raises(MissingStepError, match=r"There is no other in the environment local yet\."):
        context.attribute(Other, "id")


def test_a_project_can_take_a_name_with_its_id_or_else_of_its_folder(context: Context, tmp_path: Path) -> None:
    name, before = context.settings.project.name, context.another_name
    assert before.startswith(f"{name}-")
    assert len(before) == len(name) + 5
    context.config.identify()
    again = reloaded(context)
    assert again.another_name == f"{name}-{again.settings.project.id[:4]}" != before


def test_what_is_the_projects_has_its_names_and_its_id(context: Context, cloud: Cloud) -> None:
    apply([Thing(context)], context, Watcher())
    unmarked = context.naming.tags
    assert context.owns(unmarked)
    context.config.identify()
    again = reloaded(context)
    marked = again.naming.tags
    assert again.owns(marked)
    assert again.owns(unmarked)  # it has just begun to have one
    claim([], again)
    new = reloaded(again)
    assert new.owns(marked)
    assert not new.owns(unmarked)
    assert not new.owns({**marked, "sentictl:environment": "prod"})
    assert [new.may_adopt(tags) for tags in (marked, unmarked, {}, {"sentictl:project-id": "ba9876543210"})] == [
        True,
        True,
        True,
        False,
    ]
