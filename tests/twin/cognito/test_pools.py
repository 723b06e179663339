"""User pools as Cognito has them, where moto answers otherwise; passwords, and how often they may be guessed."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin.cognito.guesses import FREE, LONGEST, Guesses
from sentictl.twin.cognito.passwords import fits, sealed
from tests.twin.cognito.conftest import CLIENT, PASSWORD, Pool
from tests.twin.conftest import Cloud, code_of


def refusal(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    return str(caught.value.response["Error"]["Message"])


def test_nobody_is_sent_to_a_page_that_plain_http_brings_but_on_this_machine(pool: Pool, cloud: Cloud) -> None:
    make = cloud.cognito_idp.create_user_pool_client
    wanted = CLIENT | {"UserPoolId": pool.id, "ClientName": "page", "LogoutURLs": []}
    for url, says in (("http://films.example", "HTTP protocol"), ("https://films.example/#x", "not a valid")):
        assert says in refusal(make, **wanted | {"CallbackURLs": [url]})
    for url in ("http://localhost:8000/", "http://127.0.0.1:8000/", "https://films.example"):
        assert make(**wanted | {"CallbackURLs": [url]})["UserPoolClient"]["CallbackURLs"] == [url]


def test_a_domain_is_one_pools_and_a_pool_has_one(pool: Pool, cloud: Cloud) -> None:
    make = cloud.cognito_idp.create_user_pool_domain
    other = cloud.cognito_idp.create_user_pool(PoolName="other")["UserPool"]["Id"]
    assert "already exists" in refusal(make, UserPoolId=other, Domain=pool.domain)
    assert "already has a domain" in refusal(make, UserPoolId=pool.id, Domain=cloud.name("more"))
    assert "reserved word: aws" in refusal(make, UserPoolId=other, Domain="laws")


def test_a_pool_goes_after_its_domain_and_not_while_it_is_protected(cloud: Cloud) -> None:
    pool, idp = Pool.make(cloud), cloud.cognito_idp
    assert "domain configured" in refusal(idp.delete_user_pool, UserPoolId=pool.id)
    idp.delete_user_pool_domain(UserPoolId=pool.id, Domain=pool.domain)
    idp.update_user_pool(UserPoolId=pool.id, DeletionProtection="ACTIVE")
    assert "protection is activated" in refusal(idp.delete_user_pool, UserPoolId=pool.id)
    idp.update_user_pool(UserPoolId=pool.id, DeletionProtection="INACTIVE")
    idp.delete_user_pool(UserPoolId=pool.id)
    assert code_of(idp.describe_user_pool, UserPoolId=pool.id) == "ResourceNotFoundException"


def test_tags_are_kept_and_found(cloud: Cloud) -> None:
    idp = cloud.cognito_idp
    arn = idp.create_user_pool(PoolName="tagged", UserPoolTags={"a": "1"})["UserPool"]["Arn"]
    idp.tag_resource(ResourceArn=arn, Tags={"of-pool": "2", "c": "3"})
    idp.untag_resource(ResourceArn=arn, TagKeys=["c"])
    assert idp.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"a": "1", "of-pool": "2"}
    found = cloud.resourcegroupstaggingapi.get_resources(TagFilters=[{"Key": "of-pool", "Values": ["2"]}])
    assert [entry["ResourceARN"] for entry in found["ResourceTagMappingList"]] == [arn]
    assert code_of(idp.list_tags_for_resource, ResourceArn=f"{arn}x") == "ResourceNotFoundException"


def test_tokens_that_anybody_could_forge_are_not_handed_out(pool: Pool, cloud: Cloud) -> None:
    idp, email = cloud.cognito_idp, pool.user()
    parameters = {"USERNAME": email, "PASSWORD": PASSWORD}
    place = {"UserPoolId": pool.id, "ClientId": pool.client}
    signing_in = {"AuthFlow": "ADMIN_USER_PASSWORD_AUTH", "AuthParameters": parameters}
    assert "hosted page alone" in refusal(idp.admin_initiate_auth, **place, **signing_in)
    # What AWS lets anybody ask is not asked here without the twin's key.
    assert "Authentication Token" in refusal(idp.sign_up, ClientId=pool.client, Username=email, Password=PASSWORD)


def test_passwords_fit_the_pools_rules(pool: Pool, cloud: Cloud) -> None:
    idp, email = cloud.cognito_idp, pool.user()
    place = {"UserPoolId": pool.id, "Username": email}
    assert code_of(idp.admin_set_user_password, **place, Password="short") == "InvalidPasswordException"
    assert "no mail" in refusal(idp.admin_create_user, UserPoolId=pool.id, Username="eve@films.example")


def test_a_sealed_password_is_another_one_each_time_and_fits_the_same() -> None:
    one, other = sealed(PASSWORD), sealed(PASSWORD)
    assert one != other
    assert PASSWORD not in one
    assert fits(PASSWORD, one)
    assert fits(PASSWORD, other)
    assert not fits(PASSWORD.lower(), one)
    assert not fits(PASSWORD, None)


def test_each_failure_after_five_locks_out_twice_as_long() -> None:
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(FREE):
        assert not guesses.locked_out("ada")
        guesses.failed("ada")
    for pause in (1.0, 2.0, 4.0):
        now[0] += pause - 0.1
        assert guesses.locked_out("ada")
        assert not guesses.locked_out("bob")
        now[0] += 0.2
        assert not guesses.locked_out("ada")
        guesses.failed("ada")
    for _ in range(20):
        guesses.failed("ada")
    now[0] += LONGEST - 1
    assert guesses.locked_out("ada")
    now[0] += 2
    assert not guesses.locked_out("ada")
    guesses.succeeded("ada")
    guesses.failed("ada")
    assert not guesses.locked_out("ada")
