"""The keys of an API in moto: a key that cannot be let in is taken back, as its value would be lost."""

from pathlib import Path
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from moto import mock_aws

from sentictl import Project
from sentictl.config.state import Record
from sentictl.services.web.rest_api import RestApi

SETTINGS = """\
[project]
name = "films"
id = "0123456789ab"

[api]
auth = "key"

[env.prod]
region = "eu-west-1"
"""


@mock_aws
def test_a_key_that_cannot_be_put_into_the_plan_is_taken_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "anybody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    (tmp_path / "sentictl.toml").write_text(SETTINGS)
    films = Project(tmp_path, "prod", tell=None)
    refuses = True

    def call(client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        if operation == "CreateUsagePlan" and refuses:
            raise ClientError({"Error": {"Code": "LimitExceededException", "Message": "Too many plans"}}, operation)
        if operation == "CreateUsagePlan":
            arguments = {**arguments, "apiStages": []}  # moto knows of no such API
        return moto(client, operation, arguments)

    moto = BaseClient._make_api_call
    monkeypatch.setattr(BaseClient, "_make_api_call", call)
    with films.session.change() as context:
        context.state.keep(Record(RestApi.kind, "films-prod-api", "arn", {"id": "a1b2c3"}))
        context.config.save_state()
    with pytest.raises(ClientError, match="Too many plans"):
        films.keys.create("alice")
    assert films.keys.list() == []
    refuses = False
    assert films.keys.create("alice").value
