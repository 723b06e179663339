"""What is recorded of an environment, as tables: read back as it was, or refused with a reason."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.assets.installed import update_advice
from sentictl.config.state import STATE_VERSION, Record, State
from sentictl.errors import StateError

texts = st.text(min_size=1, max_size=20)
attributes = st.dictionaries(st.text(max_size=8).filter(lambda key: key not in ("kind", "name", "arn")), st.text())
records = st.builds(Record, st.sampled_from(["bucket", "endpoint", "model"]), texts, st.text(max_size=20), attributes)
states = st.builds(
    State,
    st.lists(records, max_size=8),
    st.sampled_from(["", "123456789012"]),
    st.sampled_from(["", "eu-west-1", "eusc-de-east-1"]),
    st.sampled_from(["", "0123456789ab"]),
)

ENTRY = {"kind": "bucket", "name": "b", "arn": "arn:b", "region": "r"}
TABLE = {"version": STATE_VERSION, "account": "123456789012", "resources": [ENTRY]}


@given(states)
def test_what_is_recorded_is_read_back(state: State) -> None:
    back = State.from_toml(state.to_toml())
    assert list(back) == list(state)
    assert (back.account, back.region, back.project_id) == (state.account, state.region, state.project_id)


@pytest.mark.parametrize(
    ("version", "unknown"), [(1, ("account", "region", "project_id")), (2, ("region", "project_id"))]
)
@given(state=states)
def test_what_an_older_version_did_not_record_is_empty(state: State, version: int, unknown: tuple[str, ...]) -> None:
    table = {key: value for key, value in state.to_toml().items() if key not in unknown} | {"version": version}
    back = State.from_toml(table)
    assert list(back) == list(state)
    assert back.to_toml() == state.to_toml() | dict.fromkeys(unknown, "")


@pytest.mark.parametrize(
    ("arns", "region"),
    [
        ([], ""),
        ([""], ""),  # announced only
        (["arn:aws:s3:::films-prod-123456789012"], ""),
        (["arn:aws:iam::123456789012:role/films-prod-sagemaker"], ""),
        (["arn:aws:s3:::films", "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/films"], "eu-west-1"),
        (["", "arn:aws-cn:lambda:cn-north-1:123456789012:function:films"], "cn-north-1"),
        (["arn:aws:apigateway:ap-south-1::/restapis/abc"], "ap-south-1"),
        (["arn:aws:s3:::films/site/index.html", "not an arn"], ""),
    ],
)
@pytest.mark.parametrize("version", [1, 2])
def test_the_region_of_an_older_version_is_that_of_its_arns(version: int, arns: list[str], region: str) -> None:
    entries = [{"kind": "bucket", "name": str(number), "arn": arn} for number, arn in enumerate(arns)]
    assert State.from_toml({"version": version, "resources": entries}).region == region


def test_a_region_that_is_recorded_is_not_guessed() -> None:
    entry = {"kind": "endpoint", "name": "e", "arn": "arn:aws:sagemaker:eu-west-1:1:endpoint/e"}
    table = {"version": STATE_VERSION, "account": "1", "region": "us-east-2", "resources": [entry]}
    assert State.from_toml(table).region == "us-east-2"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"version": None}, "version"),
        ({"version": "2"}, "version"),
        ({"version": True}, "version"),
        ({"version": 0}, "version"),
        ({"account": 123456789012}, "account is not a text"),
        ({"region": 1}, "region is not a text"),
        ({"project_id": 12}, "project_id is not a text"),
        ({"resources": None}, "resources are not a list"),
        ({"resources": "many"}, "resources are not a list"),
        ({"resources": 3}, "resources are not a list"),
        ({"resources": {"kind": "bucket", "name": "b"}}, "resources are not a list"),
        ({"resources": ["bucket"]}, "resource 1 is not a table"),
        ({"resources": [ENTRY, {"name": "b"}]}, "resource 2 has no kind"),
        ({"resources": [ENTRY, {"kind": "bucket", "arn": "a"}]}, "resource 2 has no name"),
        ({"resources": [ENTRY | {"name": ""}]}, "resource 1 has no name"),
        ({"resources": [ENTRY | {"name": 1}]}, "name of resource 1 is not a text"),
        ({"resources": [ENTRY | {"size": 1.5}]}, "size of resource 1 is not a text"),
        ({"resources": [ENTRY | {"of": {"a": "b"}}]}, "of of resource 1 is not a text"),
        ({"resources": [ENTRY, ENTRY | {"arn": ""}]}, "resource 2 .bucket b. is recorded twice"),
        ({"resource": []}, "resource means nothing"),
    ],
)
def test_a_damaged_state_is_refused_with_the_reason(change: dict[str, Any], reason: str) -> None:
    table = {key: value for key, value in (TABLE | change).items() if value is not None}
    with pytest.raises(StateError, match=rf"the state is damaged: .*{reason}") as refusal:
        State.from_toml(table)
    assert "version control" in refusal.value.hint
    assert "sentictl import" in refusal.value.hint


def test_a_newer_version_asks_for_a_newer_sentictl() -> None:
    with pytest.raises(StateError, match=rf"version {STATE_VERSION + 1}; .* up to version {STATE_VERSION}") as refusal:
        State.from_toml({"version": STATE_VERSION + 1, "resources": "of another shape"})
    assert refusal.value.hint == update_advice()


def test_a_record_is_known_by_kind_and_name_and_the_last_one_kept_is_the_latest() -> None:
    state = State([Record("model", "m1", "arn:1"), Record("model", "m2", "arn:2")])
    state.keep(Record("model", "m1", "arn:3"))
    assert [record.name for record in state.of_kind("model")] == ["m2", "m1"]
    assert state.latest("model") == Record("model", "m1", "arn:3")
    assert Record("model", "m2") in state
    state.forget(Record("model", "m2"))
    assert Record("model", "m2") not in state


def test_keeping_the_latest_of_each_kind_again_changes_nothing_that_is_written() -> None:
    state = State([Record("bucket", "b", "arn:b"), Record("model", "m1", "arn:1"), Record("model", "m2", "arn:2")])
    before = state.to_toml()
    for kind in ("bucket", "model"):
        (*_, newest) = state.of_kind(kind)
        state.keep(newest)
    assert state.to_toml() == before


def test_what_is_only_announced_is_not_the_latest() -> None:
    state = State([Record("model", "m1", "arn:1"), Record("model", "m2")])
    assert state.latest("model") == Record("model", "m1", "arn:1")
    assert state.latest("endpoint") is None


def test_a_copy_is_changed_alone() -> None:
    state = State([Record("model", "m1")], "123456789012", "eu-west-1")
    copy = state.copy()
    assert (copy.account, copy.region) == ("123456789012", "eu-west-1")
    copy.keep(Record("model", "m2"))
    copy.account, copy.region = "210987654321", "us-east-1"
    assert list(state) == [Record("model", "m1")]
    assert (state.account, state.region) == ("123456789012", "eu-west-1")
