"""What the state on S3 takes of IAM: nothing where it is in the file, else two objects and their bucket."""

import json

import pytest
from parliament import analyze_policy_string

from sentictl.lifecycle.resource import Context
from sentictl.services.iam.permissions import policy, reading_actions
from sentictl.services.iam.roles import ExecutionRole, FunctionRole, PageRole
from sentictl.services.iam.state_access import state_actions, state_statements
from sentictl.services.kept import KEPT
from sentictl.twin.iam.policies import decide
from tests.services.conftest import ACCOUNT, ContextOf

OWN = f"films-local-{ACCOUNT}"
PLACES = {"s3": (OWN, f"{OWN}/state/local"), "s3://shared/a": ("shared", "shared/a/local")}


def context(context_of: ContextOf, place: str) -> Context:
    return context_of(f'[project]\nname = "films"\nstate = "{place}"\n')


def test_in_the_file_it_takes_nothing(context_of: ContextOf) -> None:
    films = context(context_of, "file")
    assert state_statements(films, changing=True) == []
    assert state_actions(films) == set()


@pytest.mark.parametrize("place", PLACES)
def test_it_is_allowed_in_its_place_and_nowhere_else(context_of: ContextOf, place: str) -> None:
    films, (bucket, key) = context(context_of, place), PLACES[place]
    whole, looking = policy(films, KEPT), policy(films, KEPT, reading_actions(KEPT))
    known = json.dumps(whole, separators=(",", ":")).replace('"sagemaker:DeleteTrainingJob",', "")
    assert [(found.issue, found.detail) for found in analyze_policy_string(known).findings] == []
    assert len(known) <= 6144
    for name in (f"arn:aws:s3:::{key}.json", f"arn:aws:s3:::{key}.lease"):
        assert decide([looking], "s3:GetObject", name) == "allowed"
        assert decide([looking], "s3:PutObject", name) != "allowed"
        for action in ("s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"):
            assert decide([whole], action, name) == "allowed"
    assert decide([whole], "s3:GetObjectVersion", f"arn:aws:s3:::{bucket}/other.json") != "allowed"
    versioning = decide([whole], "s3:PutBucketVersioning", f"arn:aws:s3:::{bucket}")
    assert (versioning == "allowed") is (place == "s3")
    for each in (whole, looking):
        assert decide([each], "s3:GetBucketVersioning", f"arn:aws:s3:::{bucket}") == "allowed"
        assert decide([each], "s3:ListBucket", f"arn:aws:s3:::{bucket}") == "allowed"


@pytest.mark.parametrize("kind", [ExecutionRole, FunctionRole, PageRole])
def test_the_roles_of_the_chains_parts_reach_it_not(
    context_of: ContextOf, kind: type[ExecutionRole | FunctionRole | PageRole]
) -> None:
    films = context(context_of, "s3")
    role = kind(films)
    for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
        assert decide([role.desired()["policy"]], action, f"arn:aws:s3:::{OWN}/state/local.json") != "allowed"
