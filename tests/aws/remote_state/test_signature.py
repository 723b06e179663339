"""Who signs: a person on a machine, or a run on GitHub."""

import getpass
import socket

from sentictl.aws.remote_state.place import StatePlace
from sentictl.aws.remote_state.signature import Process, signature

ARN = "arn:aws:iam::1:user/ana"


def test_a_person_signs_with_user_and_machine() -> None:
    signed = signature(ARN, "up", {})
    assert (signed.who, signed.command, signed.where) == (ARN, "up", socket.gethostname())
    assert signed.user == f"{getpass.getuser()}@{socket.gethostname()}"


def test_a_run_on_github_signs_with_its_address() -> None:
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_ACTOR": "ana",
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "you/films",
        "GITHUB_RUN_ID": "42",
    }
    signed = signature(ARN, "up", variables)
    assert (signed.user, signed.where) == ("ana@github", "https://github.com/you/films/actions/runs/42")


def test_a_process_that_runs_is_not_dead() -> None:
    assert not Process.this().is_dead


def test_places() -> None:
    own = StatePlace.of("s3", "films-prod-1", "prod")
    assert (own.own, own.uri, own.lease_key) == (True, "s3://films-prod-1/state/prod.json", "state/prod.lease")
    named = StatePlace.of("s3://shared/a/b", "films-prod-1", "prod")
    assert (named.own, named.uri, named.lease_key) == (False, "s3://shared/a/b/prod.json", "a/b/prod.lease")
    assert StatePlace.of("s3://shared", "films-prod-1", "prod").uri == "s3://shared/prod.json"
