"""Users sign in on the twin's page, and get tokens for one page, one verifier, and once."""

import json
import time
from pathlib import Path

import pytest
from joserfc import jwk, jwt

from sentictl.twin import daemon
from tests.twin.cognito.conftest import OTHER, PAGE, PASSWORD, VERIFIER, Browser, Pool, hidden
from tests.twin.conftest import Cloud


def claims(pool: Pool, token: str) -> dict[str, object]:
    """What a token says, its signature checked with the key that the twin publishes."""
    keys = Browser().ask("GET", f"{pool.cloud.url}/{pool.id}/.well-known/jwks.json")
    key_set = jwk.KeySet.import_key_set(json.loads(keys.text))
    assert all("d" not in key and key["kid"] for key in json.loads(keys.text)["keys"])
    return dict(jwt.decode(token, key_set, algorithms=["RS256"]).claims)


def test_a_user_signs_in_and_the_page_gets_tokens(pool: Pool) -> None:
    browser, email = Browser(), pool.user()
    sent = pool.authorize(browser)
    assert sent.status == 302
    assert sent.headers["Location"].startswith(f"/_cognito/{pool.domain}/login?")
    back = pool.sign_in(browser, email)
    assert back.status == 302
    assert back.headers["Location"].startswith(f"{PAGE}?code=")
    assert back.told["state"] == "s1"
    answer = pool.redeem(back.told["code"])
    assert (answer.status, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    tokens = json.loads(answer.text)
    assert (tokens["token_type"], tokens["expires_in"]) == ("Bearer", 300)
    access, identity = claims(pool, tokens["access_token"]), claims(pool, tokens["id_token"])
    assert access["iss"] == identity["iss"] == f"https://cognito-idp.us-east-1.amazonaws.com/{pool.id}"
    assert (access["token_use"], access["client_id"], access["scope"]) == ("access", pool.client, "openid email")
    assert (identity["token_use"], identity["aud"], identity["email"]) == ("id", pool.client, email)
    assert 0 < int(str(access["exp"])) - time.time() <= 300
    # Once more, without the form: the browser has signed in.
    again = pool.authorize(browser, state="s2")
    assert again.told.keys() == {"code", "state"}
    assert again.told["state"] == "s2"
    # Until it signs out, from where it goes back to the page alone.
    assert (
        browser.ask("GET", f"{pool.url}/logout?client_id={pool.client}&logout_uri=https://evil.example").status == 400
    )
    out = browser.ask("GET", f"{pool.url}/logout?client_id={pool.client}&logout_uri={PAGE}")
    assert (out.status, out.headers["Location"]) == (302, PAGE)
    assert "/login?" in pool.authorize(browser).headers["Location"]


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"code_verifier": ""},
        {"redirect_uri": f"{PAGE}/"},
    ],
)
def test_a_code_is_for_one_page_and_one_verifier(pool: Pool, changes: dict[str, str]) -> None:
    code = pool.sign_in(Browser(), pool.user()).told["code"]
    refused = pool.redeem(code, **changes)
    assert (refused.status, json.loads(refused.text)) == (400, {"error": "invalid_grant"})
    assert pool.redeem(code).status == 400  # one that was tried wrongly is used up


def test_a_code_is_good_once_and_for_its_own_client(pool: Pool, cloud: Cloud) -> None:
    code = pool.sign_in(Browser(), pool.user()).told["code"]
    assert json.loads(pool.redeem("guessed").text) == {"error": "invalid_grant"}
    assert pool.redeem(code).status == 200
    assert json.loads(pool.redeem(code).text) == {"error": "invalid_grant"}
    other = Pool.make(cloud)
    code = pool.sign_in(Browser(), pool.user()).told["code"]
    assert json.loads(other.redeem(code, client_id=other.client).text) == {"error": "invalid_grant"}
    assert json.loads(pool.redeem(code, client_id="nobody").text) == {"error": "invalid_client"}
    assert json.loads(pool.redeem(code, grant_type="password").text) == {"error": "unsupported_grant_type"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain", "code_challenge": VERIFIER}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "openid aws.cognito.signin.user.admin"}, "invalid_scope"),
    ],
)
def test_the_page_is_told_what_it_may_not_ask_for(pool: Pool, changes: dict[str, str], error: str) -> None:
    answer = pool.authorize(Browser(), **changes)
    assert (answer.told["error"], answer.told["state"]) == (error, "s1")


@pytest.mark.parametrize("changes", [{"redirect_uri": "https://evil.example"}, {"client_id": "nobody"}])
def test_nobody_is_sent_to_a_page_that_is_not_the_clients(pool: Pool, changes: dict[str, str]) -> None:
    answer = pool.authorize(Browser(), **changes)
    assert answer.status == 400
    assert "Location" not in answer.headers


def test_a_form_from_elsewhere_is_refused_and_what_is_typed_is_text(pool: Pool) -> None:
    browser, email = Browser(), pool.user()
    assert pool.form(browser, username=email, password=PASSWORD, _csrf="guessed").status == 403
    told = pool.sign_in(browser, '"><script>alert(1)</script>@films.example')
    assert "<script>" not in told.text
    assert "form-action 'self' https://films.example" in told.headers["Content-Security-Policy"]


def test_a_wrong_password_says_as_much_as_an_unknown_user_and_guessing_is_stopped(pool: Pool) -> None:
    browser, email = Browser(), pool.user()
    wrong, unknown = pool.sign_in(browser, email, "Wrong-1-password"), pool.sign_in(browser, "bob@films.example")
    assert wrong.status == unknown.status == 400
    assert "Incorrect username or password." in wrong.text
    assert "Incorrect username or password." in unknown.text
    for _ in range(8):
        last = pool.sign_in(browser, email, "Wrong-1-password")
    assert "Password attempts exceeded" in last.text
    assert "Password attempts exceeded" in pool.sign_in(browser, email).text  # the right one, too, just now


def test_a_new_user_chooses_a_password_by_the_pools_rules(pool: Pool) -> None:
    browser, email = Browser(), pool.user(permanent=False)
    asked = pool.sign_in(browser, email)
    assert asked.status == 200
    weak = pool.form(
        browser, _csrf=hidden(asked.text, "_csrf"), ticket=hidden(asked.text, "ticket"), new_password="short"
    )
    assert "Password does not conform to policy" in weak.text
    chosen = pool.form(
        browser, _csrf=hidden(weak.text, "_csrf"), ticket=hidden(weak.text, "ticket"), new_password=OTHER
    )
    assert pool.redeem(chosen.told["code"]).status == 200
    assert pool.sign_in(Browser(), email).status == 400
    assert pool.sign_in(Browser(), email, OTHER).status == 302


def test_who_is_deleted_cannot_go_on(pool: Pool, cloud: Cloud) -> None:
    browser, email = Browser(), pool.user()
    pool.sign_in(browser, email)
    cloud.cognito_idp.admin_delete_user(UserPoolId=pool.id, Username=email)
    assert "/login?" in pool.authorize(browser).headers["Location"]
    assert pool.sign_in(Browser(), email).status == 400


def test_a_code_of_somebody_who_was_removed_meanwhile_is_good_for_nothing(pool: Pool, cloud: Cloud) -> None:
    email = pool.user()
    code = pool.sign_in(Browser(), email).told["code"]
    cloud.cognito_idp.admin_delete_user(UserPoolId=pool.id, Username=email)
    assert json.loads(pool.redeem(code).text) == {"error": "invalid_grant"}


def test_a_restart_keeps_pools_users_and_tokens_and_no_password_stands_on_the_disk(own_home: Path) -> None:
    daemon.start(own_home)
    pool = Pool.make(Cloud(daemon.access(own_home)))
    email, newcomer = pool.user(), pool.user(permanent=False)
    asked = pool.sign_in(Browser(), newcomer)
    assert asked.status == 200
    browser = Browser()
    asked = pool.sign_in(browser, newcomer)
    fields = {name: hidden(asked.text, name) for name in ("_csrf", "ticket")}
    pool.form(browser, **fields, new_password=OTHER)
    tokens = json.loads(pool.redeem(pool.sign_in(Browser(), email).told["code"]).text)
    daemon.stop(own_home)
    daemon.start(own_home)
    pool.cloud = Cloud(daemon.access(own_home))
    assert pool.redeem(pool.sign_in(Browser(), email).told["code"]).status == 200
    assert pool.sign_in(Browser(), newcomer, OTHER).status == 302
    assert claims(pool, tokens["access_token"])["client_id"] == pool.client
    written = b"".join(path.read_bytes() for path in own_home.rglob("*") if path.is_file())
    for secret in (PASSWORD, OTHER, tokens["access_token"]):
        assert secret.encode() not in written
    assert (own_home / "signing-key.pem").stat().st_mode & 0o077 == 0
