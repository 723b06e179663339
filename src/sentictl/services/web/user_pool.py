"""The Cognito user pool whose users may ask, named or made, and the domain of its sign-in page."""

from collections.abc import Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.errors import SettingsError
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.pricing.table import prices

COGNITO = "cognito"  # as `api.auth` calls it
# What a domain's prefix may not hold: docs.aws.amazon.com/cognito/latest/developerguide/
# cognito-user-pools-assign-domain-prefix.html
RESERVED = ("aws", "amazon", "cognito")
LONGEST_DOMAIN = 63
FREE_USERS = 10_000  # a month, of an account
RULES: Mapping[str, Any] = {
    "UserPoolTier": "LITE",  # has all that is used here: the classic sign-in page, passwords, tokens
    "UsernameAttributes": ["email"],
    "UsernameConfiguration": {"CaseSensitive": False},
    "AutoVerifiedAttributes": ["email"],
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": True},
    "AccountRecoverySetting": {"RecoveryMechanisms": [{"Priority": 1, "Name": "verified_email"}]},
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 12,
            "RequireUppercase": True,
            "RequireLowercase": True,
            "RequireNumbers": True,
            "RequireSymbols": False,
            "TemporaryPasswordValidityDays": 7,
        }
    },
}


class UserPool(Resource):
    """The pool that is made where none is named. Only who runs sentictl makes users in it.

    Once made, it stays until `down`, whatever `api.auth` is by then: its users are data. Its rules are people's to
    change; they are not put right again.
    """

    kind = "user-pool"
    command = "wire-api"
    removed_as = "users"
    holds_data = True
    on_request = True
    arn_pattern = r":userpool/(?P<name>[^/]+)"
    actions = Actions(
        read="cognito-idp:ListUserPools cognito-idp:DescribeUserPool",
        create="cognito-idp:CreateUserPool cognito-idp:TagResource",
        update="cognito-idp:AdminCreateUser cognito-idp:AdminDeleteUser cognito-idp:ListUsers",  # by `sentictl users`
        delete="cognito-idp:DeleteUserPool",
        unscoped="cognito-idp:ListUserPools cognito-idp:CreateUserPool",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("users")

    @property
    def wanted(self) -> bool:
        return makes_pool(self.context) or bool(self.context.state.of_kind(self.kind))

    def read(self, name: str) -> LiveResource | None:
        pools = self._find(name)
        return LiveResource(pools[0]["Arn"], attributes={"id": pools[0]["Id"]}) if pools else None

    def is_gone(self, arn: str) -> bool:
        pool = arn.rpartition(":userpool/")[2]
        return ":userpool/" in arn and if_there(self._client.describe_user_pool, UserPoolId=pool) is None

    def tags(self, name: str) -> Mapping[str, str]:
        pools = self._find(name)
        return pools[0]["UserPoolTags"] if pools else {}

    def tag(self, name: str) -> None:
        for pool in self._find(name):
            self._client.tag_resource(ResourceArn=pool["Arn"], Tags=self.context.naming.tags)

    def create(self) -> None:
        self._client.create_user_pool(PoolName=self.name, **RULES, UserPoolTags=self.context.naming.tags)

    def delete(self, record: Record) -> None:
        for pool in self._find(record.name):
            if_there(self._client.delete_user_pool, UserPoolId=pool["Id"])

    def summary(self) -> str:
        return "users that you make alone may ask"

    def scope(self, action: str) -> Sequence[str]:
        """Name all pools: their ids are Cognito's own, so that no pattern tells this project's from others."""
        return [pool_arn(self.context, "*")] if action.startswith("cognito-idp:") else []

    def uses(self) -> Sequence[Use]:
        if not makes_pool(self.context):
            return []
        return [Use("Cognito", f"a user who signs in, a month, beyond {FREE_USERS:,}", prices()["cognito_user_month"])]

    def cloudformation(self) -> Entries:
        properties = {"UserPoolName": self.name, **RULES, "UserPoolTags": self.context.naming.tags}
        stays = {"DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain"}  # its users are data
        return {self.logical_id: {"Type": "AWS::Cognito::UserPool", **stays, "Properties": properties}}

    @property
    def _client(self) -> Any:
        return self.context.environment.client("cognito-idp")

    def _find(self, name: str) -> list[dict[str, Any]]:
        """Return this project's pools of that name as AWS tells them, oldest first: names are not unique."""
        pages = self._client.get_paginator("list_user_pools").paginate(PaginationConfig={"PageSize": 60})
        named = [pool["Id"] for page in pages for pool in page["UserPools"] if pool["Name"] == name]
        told = [if_there(self._client.describe_user_pool, UserPoolId=pool) for pool in named]
        pools = [{"UserPoolTags": {}} | answer["UserPool"] for answer in told if answer]
        return sorted(filter(self._is_ours, pools), key=lambda pool: pool["CreationDate"])

    def _is_ours(self, pool: Mapping[str, Any]) -> bool:
        return self.context.owns(pool["UserPoolTags"])


class UserPoolDomain(Resource):
    """The address of the made pool's sign-in page."""

    kind = "user-pool-domain"
    command = "wire-api"
    removed_as = "users"
    on_request = True
    tagged = False
    actions = Actions(
        read="cognito-idp:ListUserPools cognito-idp:DescribeUserPool",
        create="cognito-idp:CreateUserPoolDomain",
        delete="cognito-idp:DeleteUserPoolDomain",
        unscoped="cognito-idp:ListUserPools",
    )

    @property
    def name(self) -> str:
        """The prefix, which no other pool of the region has, in any account."""
        naming = self.context.naming
        digest = digest_of(naming.account, naming.project_id, naming.name())
        readable = naming.name()[: LONGEST_DOMAIN - len(digest) - 1]
        return f"{'sign-in' if any(word in readable for word in RESERVED) else readable}-{digest}"

    @property
    def wanted(self) -> bool:
        return makes_pool(self.context)

    def read(self, name: str) -> LiveResource | None:
        pool = UserPool(self.context).read(self.context.naming.name("users"))
        told = describe_pool(self.context, pool.attributes["id"]) if pool else {}
        return LiveResource(pool.arn) if pool and told.get("Domain") == name else None

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (the pool's)
        pool = UserPool(self.context)
        return pool.tags(pool.name)

    def create(self) -> None:
        client = self.context.environment.client("cognito-idp")
        # The hosted page of before: "managed login" shows nothing to an app client that has no style of its own.
        version = {"ManagedLoginVersion": 1}
        client.create_user_pool_domain(Domain=self.name, UserPoolId=pool_id(self.context), **version)

    def delete(self, record: Record) -> None:
        pool = UserPool(self.context)
        live = pool.read(pool.name)
        if live:
            client = self.context.environment.client("cognito-idp")
            if_there(client.delete_user_pool_domain, Domain=record.name, UserPoolId=live.attributes["id"])

    def scope(self, action: str) -> Sequence[str]:
        return UserPool(self.context).scope(action)

    def summary(self) -> str:
        return sign_in_url(self.context)

    def cloudformation(self) -> Entries:
        properties = {"Domain": self.name, "UserPoolId": pool_id(self.context)}
        return {self.logical_id: {"Type": "AWS::Cognito::UserPoolDomain", "Properties": properties}}


def signs_in(context: Context) -> bool:
    """Tell whether people sign in before they may ask."""
    return context.settings.api.auth == COGNITO


def makes_pool(context: Context) -> bool:
    """Tell whether the settings ask for a pool of the project's own."""
    return signs_in(context) and not context.settings.api.user_pool


def pool_id(context: Context) -> str:
    """Return the id of the pool whose users may ask.

    Raises:
        MissingStepError: it is to be made, and is not there yet.
    """
    return context.settings.api.user_pool or context.attribute(UserPool, "id")


def pool_arn(context: Context, pool: str) -> str:
    """Return the ARN of a pool of this account and region."""
    return context.environment.arn("cognito-idp", f"userpool/{pool}")


def describe_pool(context: Context, pool: str) -> dict[str, Any]:
    """Return what AWS tells of a pool; nothing where there is none."""
    told = if_there(context.environment.client("cognito-idp").describe_user_pool, UserPoolId=pool)
    return dict(told["UserPool"]) if told else {}


def sign_in_url(context: Context) -> str:
    """Return the address under which people sign in."""
    named = context.settings.api.user_pool
    if not named:
        return context.environment.sign_in_url(UserPoolDomain(context).name)
    told = describe_pool(context, named)
    custom = told.get("CustomDomain")
    return f"https://{custom}" if custom else context.environment.sign_in_url(told.get("Domain", ""))


def check_user_pool(context: Context) -> None:
    """Look whether people can sign in as the settings want it, before anything is made.

    Raises:
        SettingsError: the page is served over plain HTTP, or there is no such pool, or it has no sign-in page.
    """
    if not signs_in(context):
        return
    where = env_option(context.environment.name, default="local")
    if context.settings.site.publish == "s3":
        raise SettingsError(
            'api.auth is "cognito" and site.publish is "s3": S3 serves the page over plain HTTP, and Cognito sends '
            "nobody who has signed in to such a page.",
            f"Let the API serve the page: sentictl config set site.publish api{where}",
        )
    if context.settings.api.user_pool:
        _check_named(context, context.settings.api.user_pool, where)


def _check_named(context: Context, pool: str, where: str) -> None:
    region = context.environment.region
    make = f"Name another one, or have one made: sentictl config set api.user_pool '' {where}".rstrip()
    if pool.rpartition("_")[0] != region:
        raise SettingsError(f"The user pool {pool} is not in {region}, where the environment is.", make)
    if context.environment.unseen:
        return
    told = describe_pool(context, pool)
    if not told:
        raise SettingsError(f"There is no user pool {pool} in the account {context.environment.account}.", make)
    if not told.get("Domain") and not told.get("CustomDomain"):
        raise SettingsError(
            f"The user pool {pool} has no domain, so that nobody can sign in there.",
            f"Give it one: aws cognito-idp create-user-pool-domain --user-pool-id {pool} --region {region} "
            f"--domain {context.naming.name('users')}",
        )
