"""The users of the pool that was made, in moto: nobody is made whose password could not be told."""

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError, UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.web.rest_api import RestApi
from sentictl.services.web.user_pool import UserPool
from sentictl.services.web.users import User, add_user, list_users, remove_user
from tests.services.conftest import ContextOf

SETTINGS = '[project]\nname = "films"\nid = "0123456789ab"\n[api]\nauth = "cognito"\n'
ADA = "ada@example.com"


@pytest.fixture
def context(moto_context_of: ContextOf) -> Context:
    """A project whose pool stands, without an API, as after `down api`."""
    made = moto_context_of(SETTINGS)
    pool = UserPool(made)
    pool.create()
    live = pool.read(pool.name)
    assert live
    made.state.keep(Record(UserPool.kind, pool.name, live.arn, live.attributes))
    return made


def test_without_a_page_to_sign_in_from_nobody_is_made(context: Context) -> None:
    with pytest.raises(MissingStepError, match="rest-api"):
        add_user(context, ADA)
    assert list_users(context) == []


def test_users_are_made_once_listed_and_removed(context: Context) -> None:
    context.state.keep(Record(RestApi.kind, "films-local-api", "arn", {"id": "a1b2c3"}))
    user = add_user(context, ADA)
    assert "a1b2c3" in user.page
    assert user.password not in repr(user)
    assert list_users(context) == [User(ADA, "invited")]
    with pytest.raises(UsageError, match="already"):
        add_user(context, ADA)
    remove_user(context, ADA)
    assert list_users(context) == []
    with pytest.raises(UsageError, match="There is no user"):
        remove_user(context, ADA)


def test_the_next_step_is_one_in_the_same_environment(context: Context) -> None:
    context.environment.__dict__["name"] = "prod"
    with pytest.raises(UsageError) as refused:
        remove_user(context, ADA)
    assert refused.value.hint.endswith("sentictl users list --env prod")
    context.state.forget(context.state.of_kind(UserPool.kind)[0])
    with pytest.raises(MissingStepError) as missing:
        list_users(context)
    assert missing.value.hint.endswith("sentictl config set api.auth cognito --env prod && sentictl up --env prod")
