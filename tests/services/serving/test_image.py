"""The image that the endpoint is made from, and who may pull it."""

import json
from dataclasses import replace

import pytest

from sentictl.aws.environment import Environment
from sentictl.config.state import Record
from sentictl.errors import AwsError, SettingsError
from sentictl.lifecycle.reconcile import Action, Step, apply
from sentictl.lifecycle.resource import Context
from sentictl.services.iam.roles import ExecutionRole
from sentictl.services.serving.image import ImageAccess, account_warning, image_uri
from tests.services.conftest import ACCOUNT, MOTO_ACCOUNT, ContextOf

PULLING = {"ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"}


def settings(image: str = "", more: str = "") -> str:
    chosen = f'image = "{image}"\n' if image else ""
    return f'[project]\nname = "films"\n[deploy]\n{chosen}{more}'


def own(account: str = ACCOUNT, region: str = "eu-west-1", version: str = ":1") -> str:
    return f"{account}.dkr.ecr.{region}.amazonaws.com/team/reviews{version}"


@pytest.mark.parametrize(
    ("more", "image"),
    [
        ("", "/pytorch-inference:2.6.0-cpu-py312"),
        ('instance_type = "ml.c7g.large"\n', "/pytorch-inference-arm64:2.6.0-cpu-py312"),
        ('instance_type = "ml.c7g.large"\nserving = "serverless"\n', "/pytorch-inference:2.6.0-cpu-py312"),
    ],
)
def test_the_pytorch_image_is_that_of_the_machine(context_of: ContextOf, more: str, image: str) -> None:
    assert image in image_uri(context_of(settings(more=more)))


def test_the_ray_serve_image_is_the_one_for_processors_on_every_machine(context_of: ContextOf) -> None:
    for machine in ("ml.m5.large", "ml.g5.xlarge"):
        image = image_uri(context_of(settings("ray-serve", f'instance_type = "{machine}"\n')))
        assert image == "763104351884.dkr.ecr.eu-west-1.amazonaws.com/ray:serve-ml-sagemaker-cpu-v1.4"


def test_ray_serve_on_an_arm_processor_is_refused_as_a_setting(context_of: ContextOf) -> None:
    with pytest.raises(SettingsError, match=r"deploy\.image .* ARM processors, as ml\.c7g\.large has"):
        context_of(settings("ray-serve", 'instance_type = "ml.c7g.large"\n'))
    context_of(settings("ray-serve", 'instance_type = "ml.c7g.large"\nserving = "serverless"\n'))


def test_an_image_that_is_no_image_is_refused_as_a_setting(context_of: ContextOf) -> None:
    with pytest.raises(SettingsError, match=r"deploy\.image cannot be \"reviews:1\""):
        context_of(settings("reviews:1"))


def test_an_image_of_ones_own_is_taken_as_it_is(context_of: ContextOf) -> None:
    assert image_uri(context_of(settings(own()))) == own()


@pytest.mark.parametrize("there", ["us-east-1", "cn-north-1"])
def test_an_image_in_another_region_is_refused_with_where_it_has_to_be(context_of: ContextOf, there: str) -> None:
    context = replace(context_of(settings(own(region=there))), environment=Environment("prod", "eu-west-1"))
    with pytest.raises(SettingsError, match="eu-west-1, the region of the environment prod") as refusal:
        image_uri(context)
    assert f"sentictl deploy --image {own()} --env prod" in refusal.value.hint


def test_a_region_without_the_image_is_told(context_of: ContextOf) -> None:
    context = replace(context_of(settings("ray-serve")), environment=Environment("prod", "mars-1"))
    with pytest.raises(AwsError, match="no Ray Serve"):
        image_uri(context)


def test_another_accounts_image_is_told(context_of: ContextOf) -> None:
    assert "444455556666" in account_warning(context_of(settings(own("444455556666"))))
    for mine in (own(), "ray-serve", "pytorch"):
        assert account_warning(context_of(settings(mine))) == ""


@pytest.mark.parametrize(
    ("image", "repository"),
    [("ray-serve", "eu-west-1:763104351884:repository/ray"), (own(), f"eu-west-1:{ACCOUNT}:repository/team/reviews")],
)
def test_the_role_may_pull_that_one_repository(context_of: ContextOf, image: str, repository: str) -> None:
    (entry,) = ImageAccess(context_of(settings(image))).cloudformation().values()
    (statement,) = entry["Properties"]["PolicyDocument"]["Statement"]
    assert (set(statement["Action"]), statement["Resource"]) == (PULLING, f"arn:aws:ecr:{repository}")
    assert entry["Properties"]["Roles"] == ["films-local-sagemaker"]


@pytest.mark.parametrize("more", ["", 'serving = "lambda"\nimage = "ray-serve"\n'])
def test_what_needs_no_other_image_needs_no_leave_to_pull_one(context_of: ContextOf, more: str) -> None:
    assert not ImageAccess(context_of(settings(more=more))).wanted


def test_another_image_is_another_policy_and_the_first_one_goes_after_it(moto_context_of: ContextOf) -> None:
    context = moto_context_of(settings("ray-serve"))
    ExecutionRole(context).create()
    assert [step.action for step in bring(context)] == [Action.CREATE]
    assert [step.action for step in bring(context)] == [Action.KEEP]
    first = policies(context)
    context.config.change({"deploy.image": own(MOTO_ACCOUNT)})
    assert [step.action for step in bring(context)] == [Action.REPLACE, Action.DELETE]
    assert len(first) == len(policies(context)) == 1
    assert first.isdisjoint(policies(context))
    context.config.change({"deploy.image": own(MOTO_ACCOUNT, version=":2")})  # of the same repository
    assert [step.action for step in bring(context)] == [Action.KEEP]
    context.config.change({"deploy.image": "pytorch"})
    assert [step.action for step in bring(context)] == [Action.DELETE]
    assert policies(context) == set()
    assert not context.state.of_kind(ImageAccess.kind)


def test_what_is_gone_already_is_no_error_when_it_is_deleted(moto_context_of: ContextOf) -> None:
    ImageAccess(moto_context_of(settings("ray-serve"))).delete(Record(ImageAccess.kind, "films-local-image-0", "arn"))


class Silent:
    """Told of every step, it says nothing."""

    def started(self, step: object) -> None:
        pass

    def finished(self, step: object, summary: str) -> None:
        pass


def bring(context: Context) -> list[Step]:
    return apply([ImageAccess(context)], context, Silent())


def policies(context: Context) -> set[str]:
    """The role's policies that let it pull an image beside AWS's PyTorch images."""
    client = context.environment.client("iam")
    role = ExecutionRole(context).name
    names = client.list_role_policies(RoleName=role)["PolicyNames"]
    told = {name: client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"] for name in names}
    return {name for name, document in told.items() if "PullTheImage" in json.dumps(document)}
