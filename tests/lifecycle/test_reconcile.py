"""Reconciling, against a cloud that is a dict: what is made, changed, kept and deleted, and what a kill leaves."""

from collections.abc import Container, Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.aws.environment import Environment
from sentictl.config.config import Config
from sentictl.config.project_folder import ProjectFolder
from sentictl.config.state import Record
from sentictl.errors import ForeignError, LeaseError, MissingStepError
from sentictl.lifecycle.reconcile import (
    Action,
    Step,
    apply,
    claim,
    destroy,
    import_,
    plan,
    plan_destruction,
    refresh,
    remove,
)
from sentictl.lifecycle.resource import Context, LiveResource, Resource


class KilledError(Exception):
    """Stands for a kill in the middle of a call."""


class Cloud:
    """What exists, by kind and name, and a list of the calls that changed it."""

    def __init__(self) -> None:
        self.things: dict[tuple[str, str], dict[str, Any]] = {}
        self.tags: dict[str, Mapping[str, str]] = {}  # by name
        self.foreign: set[str] = set()  # names of what somebody else made
        self.calls: list[str] = []
        self.kill_after = -1

    def change(self, call: str) -> None:
        self.calls.append(call)
        if len(self.calls) == self.kill_after:
            raise KilledError


class Thing(Resource):
    """A resource in the dict, with one field."""

    kind = "thing"
    command = "make"
    cloud: Cloud
    title = "thing"
    color = "red"

    @property
    def name(self) -> str:
        return self.title

    def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
        names = [name for kind, name in self.cloud.things if kind == self.kind and name not in known]
        return [(name, live) for name in names if (live := self.read(name))]

    def tags(self, name: str) -> Mapping[str, str]:
        there = (self.kind, name) in self.cloud.things and name not in self.cloud.foreign
        return self.cloud.tags.get(name, self.context.naming.tags) if there else {}

    def tag(self, name: str) -> None:
        self.cloud.foreign.discard(name)
        self.cloud.tags[name] = {**self.cloud.tags.get(name, {}), **self.context.naming.tags}
        self.cloud.change(f"tag {self.kind} {name}")

    def foreseen(self) -> Mapping[str, str]:
        return {"id": self.name}

    def desired(self) -> Mapping[str, Any]:
        return {"color": self.color}

    def read(self, name: str) -> LiveResource | None:
        fields = self.cloud.things.get((self.kind, name))
        return None if fields is None else LiveResource(f"arn:{name}", fields=fields, attributes={"id": name})

    def create(self) -> None:
        self.cloud.things[self.kind, self.name] = dict(self.desired())
        self.cloud.tags[self.name] = self.context.naming.tags
        self.cloud.change(f"create {self.kind} {self.name}")

    def update(self) -> None:
        self.cloud.things[self.kind, self.name] = dict(self.desired())
        self.cloud.change(f"update {self.kind} {self.name}")

    def delete(self, record: Record) -> None:
        if self.cloud.things.pop((self.kind, record.name), None) is not None:
            self.cloud.change(f"delete {self.kind} {record.name}")


class Other(Thing):
    kind = "other"
    title = "other"


class Sign(Thing):
    """One that shows the color of whatever thing stands, which is known only once it is made."""

    kind = "sign"
    title = "sign"

    def desired(self) -> Mapping[str, Any]:
        return {"color": self.context.attribute(Thing, "born")}


class Version(Thing):
    kind = "version"
    keeps_versions = True


class Watcher:
    """An observer that remembers."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.summaries: list[str] = []

    def started(self, step: Step) -> None:
        self.steps.append(step)

    def finished(self, step: Step, summary: str) -> None:
        assert self.steps[-1] == step
        self.summaries.append(summary)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "sentictl.toml").write_text("")
    environment = Environment("local", "us-east-1")
    environment.account = "123456789012"
    return Context(Config.load(ProjectFolder(tmp_path)), environment, lambda *_: None)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    cloud = Cloud()
    monkeypatch.setattr(Thing, "cloud", cloud, raising=False)
    return cloud


def reloaded(context: Context) -> Context:
    """As the next command would see it: from the file."""
    return Context(Config.load(context.config.folder), context.environment, context.report)


def actions(steps: list[Step]) -> list[str]:
    return [f"{step.action} {step.name}" for step in steps]


def test_what_is_missing_is_made_and_recorded(context: Context, cloud: Cloud) -> None:
    watcher = Watcher()
    steps = apply([Thing(context), Other(context)], context, watcher)
    assert actions(steps) == ["create thing", "create other"]
    assert (watcher.steps, watcher.summaries) == (steps, ["", ""])
    assert [step.changes for step in steps] == [{}, {}]
    assert [record.arn for record in reloaded(context).state] == ["arn:thing", "arn:other"]
    assert context.recorded(Thing).attributes == {"id": "thing"}


def test_a_second_run_changes_nothing(context: Context, cloud: Cloud) -> None:
    apply([Thing(context), Other(context)], context, Watcher())
    before = context.config.folder.settings_file.read_bytes()
    cloud.calls.clear()
    steps = apply([Thing(context), Other(context)], context, Watcher())
    assert {step.action for step in steps} == {Action.KEEP}
    assert cloud.calls == []
    assert context.config.folder.settings_file.read_bytes() == before


def test_a_field_that_differs_is_updated(context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    apply([Thing(context)], context, Watcher())
    monkeypatch.setattr(Thing, "color", "blue")
    (step,) = apply([Thing(context)], context, Watcher())
    assert step.action is Action.UPDATE
    assert step.changes == {"color": ("red", "blue")}
    assert cloud.things["thing", "thing"] == {"color": "blue"}


def test_a_new_name_replaces_the_old_one_after_the_new_one_stands(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply([Thing(context)], context, Watcher())
    monkeypatch.setattr(Thing, "title", "thing-2")
    steps = apply([Thing(context)], context, Watcher())
    assert actions(steps) == ["replace thing-2", "delete thing"]
    assert list(cloud.things) == [("thing", "thing-2")]
    assert [record.name for record in reloaded(context).state] == ["thing-2"]


def test_versions_are_kept_and_the_one_in_force_is_the_latest(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("a", "b", "a"):
        monkeypatch.setattr(Version, "title", title)
        apply([Version(context)], context, Watcher())
    assert sorted(name for _, name in cloud.things) == ["a", "b"]
    assert context.recorded(Version).name == "a"
    assert cloud.calls == ["create version a", "create version b"]


def test_nothing_is_changed_once_somebody_else_may(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost() -> None:
        raise LeaseError("The lease was lost.", "")

    apply([Thing(context)], context, Watcher())
    cloud.calls.clear()
    monkeypatch.setattr(context.config.store, "check", lost)
    monkeypatch.setattr(Thing, "color", "blue")
    with pytest.raises(LeaseError):  # an update is recorded by nothing that would find out
        apply([Thing(context)], context, Watcher())
    with pytest.raises(LeaseError):
        destroy([Thing(context)], context, Watcher())
    assert cloud.calls == []


def test_what_the_settings_do_not_want_any_more_is_deleted(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply([Thing(context), Other(context)], context, Watcher())
    monkeypatch.setattr(Other, "wanted", False)
    steps = apply([Thing(context), Other(context)], context, Watcher())
    assert actions(steps) == ["keep thing", "delete other"]
    assert list(cloud.things) == [("thing", "thing")]


@pytest.mark.parametrize("kill_after", range(1, 5))
def test_a_kill_after_any_call_leaves_nothing_twice_and_nothing_behind(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, kill_after: int
) -> None:
    apply([Thing(context)], context, Watcher())
    monkeypatch.setattr(Thing, "title", "thing-2")  # the old one is to be deleted
    cloud.calls.clear()
    cloud.kill_after = kill_after
    try:
        apply([Thing(context), Other(context), Version(context)], context, Watcher())
    except KilledError:
        context = reloaded(context)
    apply([Thing(context), Other(context), Version(context)], context, Watcher())
    assert set(cloud.things) == {("thing", "thing-2"), ("other", "other"), ("version", "thing-2")}
    assert len(cloud.calls) == len(set(cloud.calls))
    destroy([Thing(context), Other(context), Version(context)], context, Watcher())
    assert cloud.things == {}


@pytest.mark.parametrize("kill_after", range(1, 3))
def test_what_a_killed_run_made_is_found_by_destroy_alone(context: Context, cloud: Cloud, kill_after: int) -> None:
    cloud.kill_after = kill_after
    with pytest.raises(KilledError):
        apply([Thing(context), Other(context)], context, Watcher())
    context = reloaded(context)
    destroy([Thing(context), Other(context)], context, Watcher())
    assert cloud.things == {}
    assert len(reloaded(context).state) == 0


def test_destroying_goes_backwards_and_reports_what_is_left(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply([Thing(context), Other(context)], context, Watcher())
    monkeypatch.setattr(Thing, "delete", lambda self, record: None)  # a thing that does not go away
    watcher = Watcher()
    deleted, left = destroy([Thing(context), Other(context)], context, watcher)
    assert actions(watcher.steps) == ["delete other", "delete thing"]
    assert [record.name for record in deleted] == []
    assert [record.name for record in left] == ["other", "thing"]


def test_what_others_made_again_for_themselves_meanwhile_is_not_left(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another project shares the thing: it begins to use it while this one deletes it."""
    apply([Thing(context)], context, Watcher())
    theirs: list[Record] = []
    monkeypatch.setattr(Thing, "delete", lambda self, record: theirs.append(record))
    monkeypatch.setattr(Thing, "left_to_others", lambda self, record: record in theirs)
    deleted, left = destroy([Thing(context)], context, Watcher())
    assert [record.name for record in deleted] == ["thing"]
    assert left == []


def test_what_the_first_to_go_made_until_then_goes_as_well(context: Context, cloud: Cloud) -> None:
    """Such as the jobs that a state machine begins while it is being stopped."""

    class Maker(Other):
        def delete(self, record: Record) -> None:
            cloud.things["thing", "late"] = {}
            cloud.tags["late"] = context.naming.tags
            super().delete(record)

    kinds = [Thing(context), Maker(context)]
    apply(kinds, context, Watcher())
    deleted, left = destroy(kinds, context, Watcher())
    assert [record.name for record in deleted] == ["other", "late", "thing"]
    assert (left, cloud.things) == ([], {})


def test_what_is_found_by_another_is_found_before_that_goes(context: Context, cloud: Cloud) -> None:
    class Found(Thing):
        looked_for = False

        def found(self, known: Container[str] = ()) -> Iterable[tuple[str, LiveResource]]:
            return super().found(known) if ("other", "other") in cloud.things else []

    kinds = [Found(context), Other(context)]
    apply(kinds, context, Watcher())
    for record in list(context.state):
        context.state.forget(record)
    assert [record.name for record in destroy(kinds, context, Watcher())[0]] == ["other", "thing"]


def test_what_is_recorded_is_read_only_after_it_was_deleted(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply([Thing(context), Other(context)], context, Watcher())
    read, reads = Thing.read, []

    def counted(self: Thing, name: str) -> LiveResource | None:
        reads.append((name, (self.kind, name) in cloud.things))
        return read(self, name)

    monkeypatch.setattr(Thing, "read", counted)
    destroy([Thing(context), Other(context)], context, Watcher())
    assert reads == [("other", False), ("thing", False)]


def test_refreshing_tells_what_was_deleted_by_hand(context: Context, cloud: Cloud) -> None:
    apply([Thing(context), Other(context)], context, Watcher())
    del cloud.things["thing", "thing"]
    found = {record.name: live is not None for _, record, live in refresh([Thing(context), Other(context)], context)}
    assert found == {"thing": False, "other": True}


@pytest.mark.parametrize("changed", [{}, {"color": "blue"}, {"title": "thing-2"}])
def test_a_plan_says_what_is_then_done_and_does_nothing(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, changed: dict[str, str]
) -> None:
    apply([Thing(context)], context, Watcher())
    for name, value in changed.items():
        monkeypatch.setattr(Thing, name, value)
    cloud.calls.clear()
    rehearsal = context.rehearsal()
    before = context.config.folder.settings_file.read_bytes()
    planned = plan([Thing(rehearsal), Other(rehearsal)], rehearsal)
    assert cloud.calls == []
    assert context.config.folder.settings_file.read_bytes() == before
    assert planned == apply([Thing(context), Other(context)], context, Watcher())


def test_a_plan_says_what_depends_on_something_yet_to_be_made(context: Context, cloud: Cloud) -> None:
    cloud.things["sign", "sign"] = {"color": "red"}
    rehearsal = context.rehearsal()
    steps = plan([Thing(rehearsal), Sign(rehearsal)], rehearsal)
    assert actions(steps) == ["create thing", "update sign"]
    assert steps[1].changes == {"color": ("red", "(known when it is made)")}


def test_what_somebody_else_made_is_neither_touched_nor_deleted(context: Context, cloud: Cloud) -> None:
    cloud.things["thing", "thing"] = {"color": "blue"}
    cloud.foreign.add("thing")
    rehearsal = context.rehearsal()
    why = "There is a thing called thing already, and it is not this project's: it lacks the project's tags."
    with pytest.raises(ForeignError, match=why):
        plan([Thing(rehearsal)], rehearsal)
    with pytest.raises(ForeignError, match=why) as refusal:
        apply([Thing(context)], context, Watcher())
    assert "--adopt" in refusal.value.hint
    assert destroy([Thing(context)], context, Watcher()) == ([], [])
    assert cloud.calls == []


def test_what_took_the_place_of_a_recorded_resource_is_not_changed(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply([Thing(context)], context, Watcher())
    cloud.foreign.add("thing")
    monkeypatch.setattr(Thing, "color", "blue")
    with pytest.raises(ForeignError):
        apply([Thing(context)], context, Watcher())
    assert cloud.things["thing", "thing"] == {"color": "red"}


def test_it_is_taken_over_where_that_is_asked_for(context: Context, cloud: Cloud) -> None:
    cloud.things["thing", "thing"] = {"color": "blue"}
    cloud.foreign.add("thing")
    rehearsal = context.rehearsal()
    assert actions(plan([Thing(rehearsal)], rehearsal, adopt=True)) == ["update thing"]
    apply([Thing(context)], context, Watcher(), adopt=True)
    assert cloud.calls == ["tag thing thing", "update thing thing"]


def test_what_took_the_place_of_a_recorded_resource_is_left_and_reported(context: Context, cloud: Cloud) -> None:
    apply([Thing(context)], context, Watcher())
    cloud.foreign.add("thing")
    _, left = destroy([Thing(context)], context, Watcher())
    assert [record.name for record in left] == ["thing"]
    assert list(cloud.things) == [("thing", "thing")]
    assert len(reloaded(context).state) == 0


def test_what_has_the_projects_names_and_no_id_is_taken_over_only_where_that_is_asked_for(
    context: Context, cloud: Cloud
) -> None:
    unmarked = context.naming.tags
    context.config.identify()
    context = reloaded(context)
    claim([], context)
    context = reloaded(context)
    cloud.things["thing", "thing"], cloud.tags["thing"] = {"color": "red"}, unmarked
    with pytest.raises(ForeignError, match="it has no project's id, and is not recorded here") as refusal:
        apply([Thing(context)], context, Watcher())
    assert refusal.value.hint.endswith("Or take that one over: sentictl up --adopt")
    apply([Thing(context)], context, Watcher(), adopt=True)
    assert cloud.calls == ["tag thing thing"]


def another_project(context: Context) -> Mapping[str, str]:
    """The tags of another project of that name."""
    return context.naming.tags | {"sentictl:project-id": "ba9876543210"}


@pytest.mark.parametrize("adopt", [False, True])
def test_what_another_project_of_that_name_made_is_never_taken_over(
    context: Context, cloud: Cloud, adopt: bool
) -> None:
    cloud.things["thing", "thing"] = {"color": "red"}  # just as it should be
    cloud.tags["thing"] = another_project(context)
    rehearsal = context.rehearsal()
    with pytest.raises(ForeignError, match="ba9876543210"):
        plan([Thing(rehearsal)], rehearsal, adopt=adopt)
    with pytest.raises(ForeignError, match="ba9876543210") as refusal:
        apply([Thing(context)], context, Watcher(), adopt=adopt)
    assert "it belongs to another project called reviews, with the id ba9876543210" in str(refusal.value)
    assert "--adopt" not in refusal.value.hint
    assert "sentictl config set project.id ba9876543210" in refusal.value.hint
    assert "sentictl config set project.name reviews-" in refusal.value.hint
    with pytest.raises(ForeignError, match="ba9876543210"):
        import_([Thing(context)], context)
    assert destroy([Thing(context)], context, Watcher()) == ([], [])
    assert cloud.calls == []


def test_where_something_stands_already_a_refusal_begins_with_taking_it_down(context: Context, cloud: Cloud) -> None:
    apply([Other(context)], context, Watcher())
    cloud.things["thing", "thing"] = {"color": "red"}
    cloud.tags["thing"] = another_project(context)
    with pytest.raises(ForeignError) as refusal:
        apply([Thing(context)], context, Watcher())
    assert refusal.value.hint.index("sentictl down") < refusal.value.hint.index("config set project.name")


@pytest.mark.parametrize("change", [{}, {"color": "blue"}])
def test_what_another_project_made_in_the_place_of_a_recorded_resource_is_refused(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, change: dict[str, str]
) -> None:
    apply([Thing(context)], context, Watcher())
    cloud.tags["thing"] = another_project(context)
    for name, value in change.items():
        monkeypatch.setattr(Thing, name, value)
    with pytest.raises(ForeignError):
        apply([Thing(context)], context, Watcher())
    assert cloud.calls == ["create thing thing"]


class Part(Thing):
    """A thing that is kept in another, and has its tags."""

    kind = "part"
    title = "part"
    tagged = False

    def tags(self, name: str) -> Mapping[str, str]:
        return Thing(self.context).tags("thing")


def test_nothing_is_made_changed_or_deleted_within_what_another_project_made(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply([Thing(context), Part(context)], context, Watcher())
    cloud.tags["thing"] = another_project(context)
    calls = list(cloud.calls)
    destroy([Part(context)], context, Watcher())
    with pytest.raises(ForeignError):
        apply([Part(context)], context, Watcher())
    del cloud.things["part", "part"]
    with pytest.raises(ForeignError):
        apply([Part(context)], context, Watcher())
    assert cloud.calls == calls


def test_a_part_can_be_made_where_what_it_is_kept_in_is_gone(context: Context, cloud: Cloud) -> None:
    assert actions(apply([Part(context)], context, Watcher())) == ["create part"]


@pytest.fixture
def old(context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Context:
    """The context of a project of before there were ids, with a thing and two versions of another."""
    for title in ("a", "b"):
        monkeypatch.setattr(Version, "title", title)
        apply([Thing(context), Version(context)], context, Watcher())
    cloud.calls.clear()
    assert context.config.before_ids
    assert "project-id" not in "".join(key for tags in cloud.tags.values() for key in tags)
    return reloaded(context)


def test_all_that_an_old_project_has_recorded_gets_its_id(old: Context, cloud: Cloud) -> None:
    cloud.foreign.add("a")  # somebody made it anew
    assert old.config.identify()
    claim([Thing(old), Version(old)], old)
    assert cloud.calls == ["tag thing thing", "tag version b"]
    new = reloaded(old)
    assert new.settings.project.id == new.state.project_id == old.settings.project.id != ""
    assert not new.config.before_ids
    assert new.owns(cloud.tags["b"])
    claim([Thing(new), Version(new)], new)
    assert len(cloud.calls) == 2


@pytest.mark.parametrize("kill_after", [1, 2, 3])
def test_a_kill_while_ids_are_given_is_made_good_by_the_next_change(
    old: Context, cloud: Cloud, kill_after: int
) -> None:
    cloud.kill_after = kill_after
    old.config.identify()
    with pytest.raises(KilledError):
        claim([Thing(old), Version(old)], old)
    again = reloaded(old)
    assert not again.config.identify()
    claim([Thing(again), Version(again)], again)
    assert sorted(cloud.calls) == ["tag thing thing", "tag version a", "tag version b"]
    new = reloaded(again)
    assert {new.owns(cloud.tags[name]) for name in ("thing", "a", "b")} == {True}
    assert actions(apply([Thing(new)], new, Watcher())) == ["keep thing"]


def test_what_an_old_project_has_and_did_not_record_gets_the_id_as_it_is_brought_up(old: Context, cloud: Cloud) -> None:
    old.config.folder.settings_file.write_text("")
    lost = reloaded(old)
    lost.config.identify()
    claim([Thing(lost)], lost)
    apply([Thing(lost)], lost, Watcher())
    assert cloud.calls == ["tag thing thing"]
    assert reloaded(lost).owns(cloud.tags["thing"])


def test_a_repeated_call_that_meets_its_own_work_is_finished(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def create(self: Thing) -> None:
        cloud.things["thing", "thing"] = {"color": "half painted"}
        raise ClientError({"Error": {"Code": "EntityAlreadyExists", "Message": "it exists"}}, "CreateThing")

    monkeypatch.setattr(Thing, "create", create)
    apply([Thing(context)], context, Watcher())
    assert cloud.things["thing", "thing"] == {"color": "red"}
    assert [record.arn for record in reloaded(context).state] == ["arn:thing"]


def test_a_lost_state_is_found_again_and_does_not_hide_a_bill(context: Context, cloud: Cloud) -> None:
    apply([Thing(context), Version(context)], context, Watcher())
    cloud.things["thing", "strange"] = {"color": "red"}
    cloud.foreign.add("strange")
    context.config.folder.settings_file.write_text("")
    forgetful = reloaded(context)
    assert plan_destruction([Thing(forgetful), Version(forgetful)], forgetful) == [
        Step(Action.DELETE, "version", "thing", {}),
        Step(Action.DELETE, "thing", "thing", {}),
    ]
    assert len(import_([Thing(forgetful), Version(forgetful)], forgetful)) == 2
    assert list(reloaded(context).state) == list(context.state)


def test_what_was_never_made_is_asked_for_by_command(context: Context) -> None:
    with pytest.raises(MissingStepError, match="no other in the environment local") as refusal:
        context.recorded(Other)
    assert refusal.value.hint.endswith("sentictl make")


def test_it_is_announced_before_it_is_made_and_confirmed_before_it_is_waited_for(
    context: Context, cloud: Cloud
) -> None:
    found: list[tuple[str, str]] = []

    class Looking(Thing):
        def create(self) -> None:
            found.extend(("made", record.arn) for record in reloaded(context).state.of_kind("thing"))
            super().create()

        def wait_ready(self, live: LiveResource) -> LiveResource:
            found.extend(("waited for", record.arn) for record in reloaded(context).state.of_kind("thing"))
            return LiveResource(live.arn, fields=live.fields, attributes={"id": "thing", "ready": "yes"})

    apply([Looking(context)], context, Watcher())
    assert found == [("made", ""), ("waited for", "arn:thing")]
    assert reloaded(context).state.of_kind("thing")[0].attributes == {"id": "thing", "ready": "yes"}


def test_what_is_not_waited_for_is_confirmed_as_it_is(context: Context, cloud: Cloud) -> None:
    class Slow(Thing):
        def wait_ready(self, live: LiveResource) -> LiveResource:
            raise AssertionError("it was waited for")

    watcher = Watcher()
    apply([Slow(context)], context, watcher, wait=False)
    assert watcher.summaries == ["thing, not waited for"]
    assert [record.arn for record in reloaded(context).state.of_kind("thing")] == ["arn:thing"]


def test_a_rehearsal_notes_what_there_would_be(context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    apply([Thing(context)], context, Watcher())
    monkeypatch.setattr(Thing, "title", "second")
    rehearsal = context.rehearsal()
    plan([Thing(rehearsal), Other(rehearsal)], rehearsal)
    noted = {record.kind: (record.name, record.attributes) for record in rehearsal.state}
    assert noted == {"thing": ("second", {"id": "second"}), "other": ("other", {"id": "other"})}
    assert [record.name for record in context.state] == ["thing"]


def test_one_with_another_arn_than_the_recorded_one_is_asked_whose_it_is(context: Context, cloud: Cloud) -> None:
    apply([Thing(context)], context, Watcher())

    class Made(Thing):
        """Somebody made it again in the place of ours, and it looks the same."""

        def read(self, name: str) -> LiveResource | None:
            live = super().read(name)
            return live and LiveResource("arn:another", fields=live.fields)

    cloud.foreign.add("thing")
    with pytest.raises(ForeignError):
        apply([Made(context)], context, Watcher())


def hide(thing: Thing, monkeypatch: pytest.MonkeyPatch, *, times: int) -> None:
    """Let a thing be unknown to so many readings once it is there."""
    read, left = thing.read, [None] * times
    monkeypatch.setattr("time.sleep", lambda _: None)
    monkeypatch.setattr(thing, "read", lambda name: left.pop() if read(name) and left else read(name))


def test_what_is_new_is_read_until_it_is_known(context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    thing = Thing(context)
    hide(thing, monkeypatch, times=2)
    apply([thing], context, Watcher())
    assert cloud.calls == ["create thing thing"]
    assert context.recorded(Thing).attributes == {"id": "thing"}


def test_what_is_taken_and_not_known_yet_is_finished_once_it_is(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = Thing(context)
    cloud.things["thing", "thing"] = {"color": "blue"}
    hide(thing, monkeypatch, times=3)

    def refuse() -> None:
        raise ClientError({"Error": {"Code": "EntityAlreadyExists", "Message": "It exists."}}, "CreateThing")

    monkeypatch.setattr(thing, "create", refuse)
    apply([thing], context, Watcher())
    assert cloud.things["thing", "thing"] == {"color": "red"}


class Shared(Thing):
    """One of which others of the account need the version a."""

    kind = "shared"

    def left_to_others(self, record: Record) -> bool:
        return record.name == "a"


def test_what_others_need_is_forgotten_and_stays(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("a", "b"):
        monkeypatch.setattr(Shared, "title", title)
        apply([Shared(context)], context, Watcher())
    assert [record.name for record in reloaded(context).state] == ["b"]
    cloud.tags["a"] = {}  # as it is the account's
    assert actions(plan_destruction([Shared(context)], context)) == ["delete b"]
    deleted, left = destroy([Shared(context)], context, Watcher())
    assert ([record.name for record in deleted], left) == (["b"], [])
    assert list(cloud.things) == [("shared", "a")]


def test_what_is_destroyed_and_needed_by_others_is_forgotten(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Shared, "title", "a")
    apply([Shared(context)], context, Watcher())
    assert plan_destruction([Shared(context)], context) == []
    assert destroy([Shared(context)], context, Watcher()) == ([], [])
    assert (list(cloud.things), len(reloaded(context).state)) == ([("shared", "a")], 0)


def test_some_versions_are_removed_last_made_first(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    for title in ("a", "b", "c"):
        monkeypatch.setattr(Version, "title", title)
        apply([Version(context)], context, Watcher())
    cloud.calls.clear()
    watcher = Watcher()
    remove(Version(context), context.state.of_kind("version")[:2], context, watcher)
    assert cloud.calls == ["delete version b", "delete version a"]
    assert actions(watcher.steps) == ["delete b", "delete a"]
    assert [record.name for record in reloaded(context).state] == ["c"]


def test_what_has_no_tags_of_its_own_is_not_asked_for_them_as_ids_are_given(
    old: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply([Part(old)], old, Watcher())
    asked: list[str] = []

    def tags(self: Part, name: str) -> Mapping[str, str]:
        asked.append(name)
        return {}

    monkeypatch.setattr(Part, "tags", tags)
    again = reloaded(old)
    again.config.identify()
    claim([Part(again)], again)
    assert asked == []


def test_where_no_account_is_looked_at_all_is_yet_to_be_made(
    context: Context, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.things["thing", "thing"] = {"color": "blue"}
    cloud.foreign.add("thing")
    monkeypatch.setattr(context.environment, "unseen", True)
    rehearsal = context.rehearsal()
    assert actions(plan([Thing(rehearsal), Sign(rehearsal)], rehearsal)) == ["create thing", "create sign"]
