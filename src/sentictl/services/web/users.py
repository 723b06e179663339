"""The users of the pool that sentictl made: who may sign in."""

import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sentictl.aws.redaction import remember
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.errors import MissingStepError, UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.web.user_pool import pool_id
from sentictl.services.web.website import page_url

PASSWORD_LETTERS = 20
KINDS = (string.ascii_lowercase, string.ascii_uppercase, string.digits)
CONFIRMED = "CONFIRMED"


@dataclass(frozen=True)
class AddedUser:
    """A user that was just made.

    Args:
        email: the address that the user signs in with.
        password: good for the first sign-in, which asks for another one; it is kept nowhere.
        page: the address of the page that leads to where they sign in.
    """

    email: str
    page: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class User:
    """A user of the pool.

    Args:
        email: the address that the user signs in with.
        status: "active", "invited" as long as nobody has signed in with the first password, or "disabled".
    """

    email: str
    status: str

    def document(self) -> dict[str, str]:
        return {"email": self.email, "status": self.status}


def add_user(context: Context, email: str) -> AddedUser:
    """Make a user, with a password by chance for the first sign-in. AWS sends no mail: who calls hands it on.

    Raises:
        UsageError: it is no e-mail address, or there is a user of that address.
        MissingStepError: there is no pool yet, or no page to sign in from.
    """
    pool, page = _own_pool(context), page_url(context)  # before anybody is made whose password could not be told
    client, password = _client(context), _password()
    remember(password)
    try:
        client.admin_create_user(
            UserPoolId=pool,
            Username=email,
            TemporaryPassword=password,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": "email", "Value": email}, {"Name": "email_verified", "Value": "true"}],
        )
    except client.exceptions.UsernameExistsException:
        raise UsageError(
            f"There is a user {email} already.", f"See who there is: sentictl users list{_where(context)}"
        ) from None
    except client.exceptions.InvalidParameterException:
        raise UsageError(
            f"{email} is no e-mail address.", f"Such as: sentictl users add ada@example.com{_where(context)}"
        ) from None
    return AddedUser(email, page, password)


def list_users(context: Context) -> list[User]:
    """Return the users, by their addresses."""
    return sorted((_user(told) for told in _told(context)), key=lambda user: user.email)


def remove_user(context: Context, email: str) -> None:
    """Delete a user, who can sign in no more; a token that was handed out holds for an hour at most.

    Raises:
        UsageError: there is no such user.
    """
    client = _client(context)
    try:
        client.admin_delete_user(UserPoolId=_own_pool(context), Username=email)
    except client.exceptions.UserNotFoundException:
        raise UsageError(
            f"There is no user {email}.", f"See who there is: sentictl users list{_where(context)}"
        ) from None


def _own_pool(context: Context) -> str:
    named, where = context.settings.api.user_pool, _where(context)
    if named:
        raise UsageError(
            f"api.user_pool names the pool {named}, whose users are not sentictl's to make or to delete.",
            f"Make them where that pool is kept, or: aws cognito-idp admin-create-user --user-pool-id {named} "
            "--username EMAIL --user-attributes Name=email,Value=EMAIL Name=email_verified,Value=true "
            "--desired-delivery-mediums EMAIL",
        )
    try:
        return pool_id(context)
    except MissingStepError:
        raise MissingStepError(
            "There is no user pool in this environment yet.",
            f"Have people sign in: sentictl config set api.auth cognito{where} && sentictl up{where}",
        ) from None


def _told(context: Context) -> Iterator[dict[str, Any]]:
    pages = _client(context).get_paginator("list_users").paginate(UserPoolId=_own_pool(context))
    for page in pages:
        yield from page["Users"]


def _user(told: dict[str, Any]) -> User:
    attributes = {attribute["Name"]: attribute["Value"] for attribute in told.get("Attributes", [])}
    status = "active" if told["UserStatus"] == CONFIRMED else "invited"
    return User(attributes.get("email", told["Username"]), status if told["Enabled"] else "disabled")


def _password() -> str:
    """Return a password that fits the rules of the pool: a letter of each case and a digit at least."""
    while True:
        password = "".join(secrets.choice("".join(KINDS)) for _ in range(PASSWORD_LETTERS))
        if all(set(kind) & set(password) for kind in KINDS):
            return password


def _where(context: Context) -> str:
    return env_option(context.environment.name, default=LOCAL)


def _client(context: Context) -> Any:
    return context.environment.client("cognito-idp")
