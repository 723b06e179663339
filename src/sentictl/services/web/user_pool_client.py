"""The page's app client in the user pool: what lets people who sign in come back to it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of
from sentictl.aws.regions import dns_suffix
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.access.cognito import SCOPE
from sentictl.services.web.rest_api import STAGE, api_id, invoke_url
from sentictl.services.web.user_pool import UserPool, pool_arn, pool_id, sign_in_url, signs_in

TOKEN_MINUTES = 60  # that somebody may ask after signing in; what was handed out cannot be taken back before
REFRESH_MINUTES = 24 * 60  # of a refresh token, which the page does not keep; it has to outlast the others
HOSTED = "COGNITO"  # Cognito's name for the users that a pool has by itself
FIXED: Mapping[str, Any] = {
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthScopes": ["email", SCOPE],
    "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"],  # nobody signs in but on the hosted page
    "PreventUserExistenceErrors": "ENABLED",
    "EnableTokenRevocation": True,
    "AccessTokenValidity": TOKEN_MINUTES,
    "IdTokenValidity": TOKEN_MINUTES,
    "RefreshTokenValidity": REFRESH_MINUTES,
    "TokenValidityUnits": dict.fromkeys(("AccessToken", "IdToken", "RefreshToken"), "minutes"),
}


class UserPoolClient(Resource):
    """A public app client: no secret, the authorization code grant with PKCE alone, back to the page's own address.

    It has no tags, so that it has the project's id in its name: the pool may be of others. A pool that is
    named is in it, too: a client in another pool is another client, and the one before goes.
    """

    kind = "user-pool-client"
    command = "wire-api"
    removed_as = "users"
    on_request = True
    tagged = False
    actions = Actions(
        read="cognito-idp:ListUserPools cognito-idp:DescribeUserPool cognito-idp:ListUserPoolClients "
        "cognito-idp:DescribeUserPoolClient cognito-idp:ListIdentityProviders",
        create="cognito-idp:CreateUserPoolClient",
        update="cognito-idp:UpdateUserPoolClient",
        delete="cognito-idp:DeleteUserPoolClient",
        unscoped="cognito-idp:ListUserPools",
    )

    @property
    def name(self) -> str:
        naming, named = self.context.naming, self.context.settings.api.user_pool
        parts = [naming.project_id, digest_of(named) if named else ""]
        return naming.name("page", *filter(None, parts))

    @property
    def wanted(self) -> bool:
        return signs_in(self.context)

    def desired(self) -> Mapping[str, Any]:
        page = [invoke_url(self.context)]
        return {**FIXED, "CallbackURLs": page, "LogoutURLs": page, "SupportedIdentityProviders": self._providers()}

    def read(self, name: str) -> LiveResource | None:
        pool = self._pool()
        client = self._find(pool, name) if pool else None
        if client is None:
            return None
        fields = {key: _in_order(client.get(key)) for key in (*FIXED, *_OF_THE_PAGE)}
        arn = f"{pool_arn(self.context, pool)}/client/{client['ClientId']}"
        return LiveResource(arn, fields=fields, attributes={"id": client["ClientId"]})

    def tags(self, name: str) -> Mapping[str, str]:
        pool = self._pool()
        there = name == self.name and pool and self._find(pool, name)
        return self.context.naming.tags if there else {}

    def create(self) -> None:
        self._client.create_user_pool_client(
            UserPoolId=pool_id(self.context), ClientName=self.name, GenerateSecret=False, **self.desired()
        )

    def update(self) -> None:
        pool = pool_id(self.context)
        client = self._find(pool, self.name) or {}
        self._client.update_user_pool_client(
            UserPoolId=pool, ClientId=client["ClientId"], ClientName=self.name, **self.desired()
        )

    def delete(self, record: Record) -> None:
        client_id, pool = record.attributes.get("id"), record.arn.partition(":userpool/")[2].partition("/")[0]
        if not client_id:  # announced, and perhaps made
            pool = self._pool()
            client_id = ((pool and self._find(pool, record.name)) or {}).get("ClientId")
        if client_id:
            if_there(self._client.delete_user_pool_client, UserPoolId=pool, ClientId=client_id)

    def scope(self, action: str) -> Sequence[str]:
        named = self.context.settings.api.user_pool
        return [pool_arn(self.context, named or "*")] if action.startswith("cognito-idp:") else []

    def summary(self) -> str:
        return f"people sign in at {sign_in_url(self.context)}"

    def cloudformation(self) -> Entries:
        region = self.context.environment.region
        page = [
            f"https://{api_id(self.context)}.execute-api.{region}.{dns_suffix(region)}/{STAGE}"
        ]  # also from the twin
        properties = {
            "ClientName": self.name,
            "GenerateSecret": False,
            "UserPoolId": pool_id(self.context),
            **FIXED,
            "CallbackURLs": page,
            "LogoutURLs": page,
            "SupportedIdentityProviders": self._providers(),
        }
        return {self.logical_id: {"Type": "AWS::Cognito::UserPoolClient", "Properties": properties}}

    @property
    def _client(self) -> Any:
        return self.context.environment.client("cognito-idp")

    def _pool(self) -> str:
        """Return the id of the pool as it stands; empty where none does."""
        named = self.context.settings.api.user_pool
        own = UserPool(self.context)
        live = None if named else own.read(own.name)
        return named or (live.attributes["id"] if live else "")

    def _find(self, pool: str, name: str) -> dict[str, Any] | None:
        """Return the client of that name as AWS tells it, None where there is none."""
        named = [client["ClientId"] for client in self._listed(pool) if client["ClientName"] == name]
        told = [if_there(self._client.describe_user_pool_client, UserPoolId=pool, ClientId=found) for found in named]
        return next((answer["UserPoolClient"] for answer in told if answer), None)

    def _listed(self, pool: str) -> Iterator[dict[str, Any]]:
        """Yield what AWS lists of a pool's clients; nothing where the pool is gone."""
        more: dict[str, str] = {}
        while page := if_there(self._client.list_user_pool_clients, UserPoolId=pool, MaxResults=60, **more):
            yield from page["UserPoolClients"]
            if not page.get("NextToken"):
                return
            more = {"NextToken": page["NextToken"]}

    def _providers(self) -> list[str]:
        """Return where users of the pool may come from: a pool that is named may have more than its own."""
        named = self.context.settings.api.user_pool
        if not named:
            return [HOSTED]
        pages = self._client.get_paginator("list_identity_providers").paginate(UserPoolId=named)
        return sorted([HOSTED, *(found["ProviderName"] for page in pages for found in page["Providers"])])


_OF_THE_PAGE = ("CallbackURLs", "LogoutURLs", "SupportedIdentityProviders")


def client_id(context: Context) -> str:
    """Return the app client's id, which is no secret.

    Raises:
        MissingStepError: there is none yet.
    """
    return context.attribute(UserPoolClient, "id")


def _in_order(value: Any) -> Any:
    """Return a list in the order in which it is wanted here: AWS keeps none."""
    return sorted(value) if isinstance(value, list) else value
