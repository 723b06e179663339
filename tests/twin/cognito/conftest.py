"""A user pool on the worker's twin, a page that its users sign in for, and a browser's part in that."""

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import urllib3

from tests.twin.conftest import Cloud

PAGE = "https://films.example/prod"
PASSWORD, OTHER = "Correct-horse-7", "Battery-staple-8"
VERIFIER = "v" * 43
HTTP = urllib3.PoolManager(retries=False)
CLIENT: dict[str, Any] = {
    "AllowedOAuthFlows": ["code"],
    "AllowedOAuthFlowsUserPoolClient": True,
    "AllowedOAuthScopes": ["openid", "email"],
    "CallbackURLs": [PAGE],
    "LogoutURLs": [PAGE],
    "AccessTokenValidity": 5,
    "TokenValidityUnits": {"AccessToken": "minutes"},
}


def challenge(verifier: str = VERIFIER) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    text: str

    @property
    def told(self) -> dict[str, str]:
        """What a redirect tells the page."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.headers.get("Location", "")).query).items()}


@dataclass
class Browser:
    """Follows no redirect by itself, and keeps cookies."""

    cookies: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, url: str, form: dict[str, str] | None = None) -> Answer:
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = urlencode(form).encode() if form is not None else None
        answer = HTTP.request(method, url, body=body, headers=headers, redirect=False)
        for cookie in answer.headers.getlist("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return Answer(answer.status, dict(answer.headers), answer.data.decode())


@dataclass
class Pool:
    """A user pool with a domain and an app client, and what its sign-in takes."""

    cloud: Cloud
    id: str
    arn: str
    client: str
    domain: str

    @classmethod
    def make(cls, cloud: Cloud, **client: Any) -> "Pool":
        idp = cloud.cognito_idp
        made = idp.create_user_pool(PoolName=cloud.name("films"), UsernameAttributes=["email"])["UserPool"]
        request = CLIENT | client
        app = idp.create_user_pool_client(UserPoolId=made["Id"], ClientName="page", **request)["UserPoolClient"]
        domain = cloud.name("films")
        idp.create_user_pool_domain(UserPoolId=made["Id"], Domain=domain)
        return cls(cloud, made["Id"], made["Arn"], app["ClientId"], domain)

    @property
    def url(self) -> str:
        return f"{self.cloud.url}/_cognito/{self.domain}"

    def user(self, *, permanent: bool = True) -> str:
        email = f"{self.cloud.name('ada')}@films.example"
        idp = self.cloud.cognito_idp
        idp.admin_create_user(UserPoolId=self.id, Username=email, TemporaryPassword=PASSWORD, MessageAction="SUPPRESS")
        if permanent:
            idp.admin_set_user_password(UserPoolId=self.id, Username=email, Password=PASSWORD, Permanent=True)
        return email

    def query(self, **changes: str) -> str:
        asked = {
            "response_type": "code",
            "client_id": self.client,
            "redirect_uri": PAGE,
            "state": "s1",
            "scope": "openid email",
            "code_challenge": challenge(),
            "code_challenge_method": "S256",
        }
        return urlencode({name: value for name, value in (asked | changes).items() if value})

    def authorize(self, browser: Browser, **changes: str) -> Answer:
        return browser.ask("GET", f"{self.url}/oauth2/authorize?{self.query(**changes)}")

    def form(self, browser: Browser, **fields: str) -> Answer:
        """Send the sign-in form, as it is in the browser."""
        login = f"{self.url}/login?{self.query()}"
        if "_csrf" not in fields:
            fields["_csrf"] = hidden(browser.ask("GET", login).text, "_csrf")
        return browser.ask("POST", login, fields)

    def sign_in(self, browser: Browser, email: str, password: str = PASSWORD) -> Answer:
        return self.form(browser, username=email, password=password)

    def redeem(self, code: str, **changes: str) -> Answer:
        form = {"grant_type": "authorization_code", "client_id": self.client, "code": code}
        form |= {"redirect_uri": PAGE, "code_verifier": VERIFIER} | changes
        return Browser().ask("POST", f"{self.url}/oauth2/token", form)


def hidden(html: str, name: str) -> str:
    """The value of a hidden field."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found, html
    return found[1]


@pytest.fixture(scope="session")
def pool(cloud: Cloud) -> Pool:
    """A pool that tests share: each has a user of its own."""
    return Pool.make(cloud)
