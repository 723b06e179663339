"""Doctor, on this machine and against an account that is a twin."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chain.shell import Shell, begin

PROD = ("--env", "prod")


def statuses(document: dict[str, Any]) -> dict[str, str]:
    return {check["name"]: check["status"] for check in document["checks"]}


def check(document: dict[str, Any], name: str) -> dict[str, str]:
    found: dict[str, str] = next(check for check in document["checks"] if check["name"] == name)
    return found


def client(aws: Shell, service: str) -> Any:
    return aws.client(service, "eu-west-1")


@contextmanager
def signed_in_as(aws: Shell, policy: dict[str, Any], path: str = "/") -> Iterator[Shell]:
    """A shell whose credentials are a session of a role with this policy and path."""
    iam = client(aws, "iam")
    trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="engineer", Path=path, AssumeRolePolicyDocument=json.dumps(trust))["Role"]
    iam.put_role_policy(RoleName="engineer", PolicyName="mine", PolicyDocument=json.dumps(policy))
    session = client(aws, "sts").assume_role(RoleArn=role["Arn"], RoleSessionName="monday")["Credentials"]
    keys = {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }
    yield replace(aws, variables={**aws.variables, **keys})
    iam.delete_role_policy(RoleName="engineer", PolicyName="mine")
    iam.delete_role(RoleName="engineer")


def test_this_machine_is_checked_without_a_project(tmp_path: Path) -> None:
    document = Shell(tmp_path).json("doctor")
    assert set(statuses(document).values()) == {"ok"}
    assert "disk" in statuses(document)
    assert not list(tmp_path.iterdir())


def test_settings_that_are_not_right_are_one_finding_among_others(tmp_path: Path) -> None:
    shell = begin(tmp_path / "toy")
    (shell.folder / "sentictl.toml").write_text("[train]\nepoch = 3\n")
    document = shell.json("doctor", expect=1)
    assert check(document, "settings and state")["status"] == "failed"
    assert "train.epochs" in check(document, "settings and state")["mend"]
    assert check(document, "folder")["status"] == "ok"


def test_an_account_that_has_everything_passes(aws: Shell) -> None:
    document = aws.json("doctor", *PROD)
    ages = ("image for training", "image for endpoint")  # they come to their end by themselves
    assert {status for name, status in statuses(document).items() if name not in ages} == {"ok"}
    assert check(document, "endpoints")["found"] == f"every service at {aws.variables['AWS_ENDPOINT_URL']}"
    assert check(document, "account")["found"] == "123456789012"
    assert "pytorch-training" in check(document, "image for training")["found"]
    endpoint = check(document, "image for endpoint")
    assert endpoint["status"] == "warning"
    assert "not patched by AWS since 2026-06-30" in endpoint["found"]
    assert "sentictl deploy --env prod --image ray-serve" in endpoint["mend"]
    shown = aws.run("doctor", *PROD).stdout
    assert "✓ quota for endpoint" in shown


def test_a_quota_of_zero_is_told_before_anything_is_made(aws: Shell) -> None:
    shell = replace(aws, variables={**aws.variables, "SENTICTL_TRAIN_INSTANCE_TYPE": "ml.g4dn.xlarge"})
    finding = check(shell.json("doctor", *PROD, expect=1), "quota for training")
    assert finding["status"] == "failed"
    assert "ml.g4dn.xlarge for training job usage: 0, 1 needed" in finding["found"]
    assert "Service Quotas" in finding["mend"]


def test_what_prepares_the_reviews_is_looked_at_where_that_is_on_aws(aws: Shell) -> None:
    given = {"SENTICTL_DATA_ON": "aws", "SENTICTL_DATA_INSTANCE_TYPE": "ml.g4dn.xlarge"}
    document = replace(aws, variables={**aws.variables, **given}).json("doctor", *PROD, expect=1)
    assert "ml.g4dn.xlarge for processing job usage: 0, 1 needed" in check(document, "quota for preparing")["found"]
    assert "sagemaker-spark-processing:3.5" in check(document, "image for preparing")["found"]


def test_what_answers_again_and_again_is_looked_at_where_it_is_scheduled(aws: Shell) -> None:
    given = {
        "SENTICTL_BATCH_INSTANCE_TYPE": "ml.g4dn.xlarge",
        "SENTICTL_BATCH_SCHEDULE_EVERY": "day 03:00",
        "SENTICTL_BATCH_SCHEDULE_INPUT": "s3://a-b/c/",
        "SENTICTL_BATCH_SCHEDULE_OUTPUT": "s3://a-b/d/",
    }
    document = replace(aws, variables={**aws.variables, **given}).json("doctor", *PROD, expect=1)
    assert "ml.g4dn.xlarge for transform job usage: 0, 1 needed" in check(document, "quota for answering")["found"]


def test_a_type_that_there_is_not_is_a_finding_about_the_settings(aws: Shell) -> None:
    shell = replace(aws, variables={**aws.variables, "SENTICTL_DEPLOY_INSTANCE_TYPE": "ml.m5.huge"})
    finding = check(shell.json("doctor", *PROD, expect=1), "settings and state")
    assert "ml.m5.huge" in finding["found"]
    assert "Did you mean" in finding["mend"]


def test_a_gpu_that_would_be_idle_is_a_warning(aws: Shell) -> None:
    shell = replace(aws, variables={**aws.variables, "SENTICTL_DEPLOY_INSTANCE_TYPE": "ml.g4dn.xlarge"})
    finding = check(shell.json("doctor", *PROD, expect=1), "instance types")  # 1: the quota of such machines is 0
    assert finding["status"] == "warning"
    assert "ml.g4dn.xlarge is idle" in finding["found"]
    assert "deploy.instance_type ml.m5.large" in finding["mend"]


def test_a_role_that_was_changed_is_named_with_the_command_that_mends_it(aws: Shell) -> None:
    iam = client(aws, "iam")
    trust = {"Version": "2012-10-17", "Statement": []}
    iam.create_role(RoleName="toy-prod-predict", AssumeRolePolicyDocument=json.dumps(trust))
    finding = check(aws.json("doctor", *PROD, expect=1), "roles")
    iam.delete_role(RoleName="toy-prod-predict")
    assert "toy-prod-predict" in finding["found"]
    assert finding["mend"] == "sentictl wire-lambda --env prod"


def policy_to_ask_for(aws: Shell) -> dict[str, Any]:
    """All that doctor says to ask for, as one policy."""
    policies = aws.json("doctor", *PROD, "--policy").values()
    return {"Version": "2012-10-17", "Statement": [each for policy in policies for each in policy["Statement"]]}


@pytest.mark.parametrize("path", ["/", "/aws-reserved/sso.amazonaws.com/eu-west-1/"])
def test_who_has_the_policy_that_it_prints_is_allowed_everything(aws: Shell, path: str) -> None:
    policy = policy_to_ask_for(aws)
    with signed_in_as(aws, policy, path) as shell:
        document = shell.json("doctor", *PROD)
    assert check(document, "permissions")["status"] == "ok"
    assert "they expire" in check(document, "credentials")["found"]


@pytest.mark.parametrize("variables", [{"AWS_EC2_METADATA_DISABLED": "true"}, {"AWS_PROFILE": "nobody"}])
def test_credentials_that_are_missing_are_one_failure(aws: Shell, tmp_path: Path, variables: dict[str, str]) -> None:
    outside = replace(aws, variables={**variables, "HOME": str(tmp_path)})
    document = outside.json("doctor", *PROD, expect=1)
    failures = [entry["name"] for entry in document["checks"] if entry["status"] == "failed"]
    assert failures == ["credentials"]
    unknown = check(document, "not checked")
    assert unknown["status"] == "warning"
    assert "account" in unknown["found"]
    assert "permissions" in unknown["found"]
    assert "account" not in statuses(document)


@pytest.mark.parametrize("variables", [{"AWS_EC2_METADATA_DISABLED": "true"}, {"AWS_PROFILE": "nobody"}])
def test_what_to_ask_for_is_printed_without_credentials(aws: Shell, tmp_path: Path, variables: dict[str, str]) -> None:
    outside = replace(aws, variables={**variables, "HOME": str(tmp_path)})
    done = outside.run("doctor", *PROD, "--policy")
    assert "arn:aws:s3:::toy-prod-*" in done.stdout
    assert "account is not known" in done.stderr
    policies = json.loads(done.stdout)
    assert {policy["Version"] for policy in policies.values()} == {"2012-10-17"}
    written = outside.run("doctor", *PROD, "--policy", "--output", str(tmp_path / "policies")).stdout.splitlines()
    assert {Path(file).stem: json.loads(Path(file).read_text()) for file in written} == policies
    refused = outside.run("doctor", *PROD, "--policy", "--output", written[0], expect=2)
    assert f"{written[0]} cannot be written to" in refused.stderr
    assert "--policy --output FOLDER" in outside.run("doctor", *PROD, "--output", "x", expect=2).stderr
    roles = outside.json("doctor", *PROD, "--github", "you/films")
    assert "arn:aws:s3:::toy-prod-${AWS::AccountId}" in json.dumps(roles)
    role = json.dumps(outside.json("doctor", *PROD, "--github", "you/films", "--previews"))
    assert "arn:aws:s3:::toy-pr-*-${AWS::AccountId}" in role
    assert "toy-prod" not in role
    assert "--github OWNER/REPO --previews" in outside.run("doctor", *PROD, "--previews", expect=2).stderr


@pytest.mark.parametrize("missing", ["sagemaker:CreateEndpoint", "iam:PassRole"])
def test_a_permission_that_is_missing_is_named(aws: Shell, missing: str) -> None:
    policy = policy_to_ask_for(aws)
    deny = {"Effect": "Deny", "Action": missing, "Resource": "*"}
    with signed_in_as(aws, policy | {"Statement": [*policy["Statement"], deny]}) as shell:
        finding = check(shell.json("doctor", *PROD, expect=1), "permissions")
    assert missing in finding["found"]
    assert "--policy" in finding["mend"]


def test_a_service_that_roles_may_not_be_passed_to_is_seen_behind_one_that_they_may(aws: Shell) -> None:
    policy = policy_to_ask_for(aws)
    (passing,) = [statement for statement in policy["Statement"] if statement["Action"] == ["iam:PassRole"]]
    passing["Condition"]["StringEquals"]["iam:PassedToService"] = ["apigateway.amazonaws.com"]
    with signed_in_as(aws, policy) as shell:
        finding = check(shell.json("doctor", *PROD, expect=1), "permissions")
    assert finding["found"] == "not allowed: iam:PassRole"


def test_instance_types_are_listed_with_what_they_are_for(tmp_path: Path) -> None:
    types = Shell(tmp_path).json("doctor", "--instances")
    assert types["ml.m5.large"] == ["data", "train", "deploy", "batch"]
    assert types["ml.m5.xlarge"] == ["data", "train", "deploy", "batch", "notebook"]
    assert types["ml.c7g.large"] == ["deploy"]
    assert types["ml.inf2.xlarge"] == ["notebook"]
