"""Checks of an account on AWS: who asks, and what is needed there for the settings in force."""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

from botocore.exceptions import ClientError

from sentictl.aws.credentials import validity
from sentictl.aws.errors import DENIED
from sentictl.aws.images import age_of, pytorch_image, spark_image
from sentictl.aws.redaction import redacted
from sentictl.config.endpoints import SERVICES
from sentictl.lifecycle.reconcile import differences
from sentictl.lifecycle.resource import Context
from sentictl.services.doctor.check import Check, CheckResult, failed, ok, warning
from sentictl.services.iam.permissions import policy
from sentictl.services.iam.roles import Role
from sentictl.services.kept import KEPT
from sentictl.services.resources.processing_code import AWS
from sentictl.services.resources.sagemaker import has_endpoint
from sentictl.services.serving.endpoint import unused_gpu
from sentictl.services.serving.image import account_warning, image_uri

CLOCK = timedelta(minutes=5)  # AWS refuses what was signed earlier or later than that
MORE = "Ask for more under Service Quotas in the AWS console (a day or so)"
FUNCTIONS_AT_ONCE = "Concurrent executions"
NEWER_TO_TRAIN = "Look for a newer sentictl: its release notes say which image it trains in."
NEWER_TO_SERVE = (
    "Serve the model from an image that is patched: sentictl deploy --image ray-serve, or from one of your own; "
    "docs/serving.md says what each costs."
)
BROAD = "sentictl doctor --policy prints the policies that allow everything sentictl does"

OWN_ROLE = "Ask for iam:GetRole on the role that you are in: IAM finds it by its path, which only that tells."


def account_checks(context: Context, roles: Sequence[Role]) -> list[Check]:
    """Return the checks of the account.

    Args:
        context: the project in an environment on AWS.
        roles: the project's roles.
    """
    environment = context.environment
    return [
        Check("endpoints", lambda: _endpoints(context)),
        Check("credentials", lambda: _credentials(context)),
        Check("account", lambda: _account(context)),
        Check("clock", lambda: _clock(context)),
        Check("region", lambda: _region(context)),
        *(_machine_checks(context) if environment.endpoints.is_billed(environment.region) else []),
        Check("roles", lambda: _roles(roles)),
        Check("permissions", lambda: _permissions(context)),
    ]


def _machine_checks(context: Context) -> list[Check]:
    """Return the checks of what AWS alone has: machines, quotas and images."""
    train = context.settings.train
    training = "spot training job usage" if train.spot else "training job usage"
    return [
        Check("instance types", lambda: _instance_types(context)),
        *_preparing_checks(context),
        Check("quota for training", lambda: _quota(context, train.instance_type, training, train.instance_count)),
        Check("image for training", lambda: _training_image(context)),
        *_serving_checks(context),
        *_answering_checks(context),
    ]


def _preparing_checks(context: Context) -> list[Check]:
    """Return the checks of what prepares the reviews, where that is on AWS."""
    data = context.settings.data
    if data.on != AWS:
        return []
    return [
        Check(
            "quota for preparing",
            lambda: _quota(context, data.instance_type, "processing job usage", data.instance_count),
        ),
        Check("image for preparing", lambda: ok(spark_image(context.environment.region))),
    ]


def _answering_checks(context: Context) -> list[Check]:
    """Return the checks of what answers reviews again and again: nobody is there to read what AWS says at that time."""
    batch = context.settings.batch
    if not batch.schedule.every:
        return []
    machine, count = batch.instance_type, batch.instance_count
    return [Check("quota for answering", lambda: _quota(context, machine, "transform job usage", count))]


def _serving_checks(context: Context) -> list[Check]:
    """Return the checks of what the model answers in."""
    if not has_endpoint(context):
        return [Check("quota for function", lambda: _quota_of_functions(context))]
    deploy = context.settings.deploy
    image = Check("image for endpoint", lambda: _endpoint_image(context))
    if deploy.serving != "instance":
        return [image]
    most = max(deploy.instance_count, deploy.max_instances)
    quotas = [partial(_quota, context, name, "endpoint usage", most) for name in deploy.machine_types]
    return [*(Check("quota for endpoint", quota) for quota in quotas), image]


def _caller(context: Context) -> dict[str, Any]:
    answer: dict[str, Any] = context.environment.client("sts").get_caller_identity()
    return answer


def _endpoints(context: Context) -> CheckResult:
    """Tell where the services are asked: at AWS, or elsewhere by the settings or by boto3's variables."""
    addresses = {service: context.environment.beside_aws(service) or "AWS" for service in SERVICES}
    ((usual, _),) = Counter(addresses.values()).most_common(1)
    apart = [f"{service} at {address}" for service, address in addresses.items() if address != usual]
    return ok("; ".join([*apart, f"{'the others' if apart else 'every service'} at {usual}"]))


def _credentials(context: Context) -> CheckResult:
    arn: str = _caller(context)["Arn"]
    told = validity(context.environment.sign_in())
    return ok(f"{arn}; {told}" if told else arn)


def _account(context: Context) -> CheckResult:
    context.config.recognize(context.environment.account)
    return ok(context.environment.account)


def _clock(context: Context) -> CheckResult:
    try:
        answer = _caller(context)
    except ClientError as refusal:
        answer = refusal.response  # which tells AWS's time, too: a clock that is far off may be why it refuses
    date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
    off = abs(datetime.now(UTC) - parsedate_to_datetime(date))
    if off > CLOCK:
        return failed(f"{off} away from AWS's", "Set this machine's clock: AWS refuses what is signed at another time.")
    return ok(f"{off.total_seconds():.0f} s away from AWS's")


def _region(context: Context) -> CheckResult:
    region = context.environment.region
    known = context.environment.session.get_available_regions("sagemaker", context.environment.partition)
    if region not in known:
        return failed(f"There is no SageMaker in {region}.", f"Set region under [env.{context.environment.name}].")
    return ok(region)


def _instance_types(context: Context) -> CheckResult:
    """Look whether the machines are worth their price; those that cannot be used are refused as settings."""
    if unused_gpu(context):
        return warning(
            unused_gpu(context), "Take a machine without: sentictl config set deploy.instance_type ml.m5.large"
        )
    deploy = context.settings.deploy
    serving = [deploy.instance_type] if deploy.serving == "instance" else []
    return ok(", ".join([context.settings.train.instance_type, *serving]))


def _quota(context: Context, instance_type: str, use: str, count: int) -> CheckResult:
    """Quotas differ by machine and by use; that of a new account is often 0."""
    name = f"{instance_type} for {use}"
    value = _read_quota(context, "sagemaker", name)
    if isinstance(value, CheckResult):
        return value
    if value < count:
        return failed(f"{name}: {value:g}, {count} needed", f"{MORE}, or choose another instance type.")
    return ok(f"{name}: {value:g}")


def _quota_of_functions(context: Context) -> CheckResult:
    """All functions of an account share one quota in a region, which is 10 in many a new account."""
    value, burst = _read_quota(context, "lambda", FUNCTIONS_AT_ONCE), context.settings.api.throttle_burst
    if isinstance(value, CheckResult):
        return value
    if value < burst:
        told = f"{FUNCTIONS_AT_ONCE}: {value:g}, and api.throttle_burst lets {burst} requests in at once"
        return warning(told, f"{MORE}, or let fewer in: sentictl config set api.throttle_burst {max(value, 1):g}")
    return ok(f"{FUNCTIONS_AT_ONCE}: {value:g}")


def _read_quota(context: Context, service: str, name: str) -> float | CheckResult:
    """Return what a quota of the account is, or why it cannot be told."""
    try:
        found = (quota["Value"] for quota in _quotas(context, service) if quota["QuotaName"] == name)
        value: float | None = next(found, None)
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] not in DENIED:
            raise
        return warning("these credentials may not read quotas", BROAD)
    if value is None:
        return warning(f"AWS has no quota called {name}", "Look for it under Service Quotas in the AWS console.")
    return value


def _quotas(context: Context, service: str) -> Iterator[dict[str, Any]]:
    """This account's own first; AWS may leave those out that were never raised."""
    client = context.environment.client("service-quotas")
    for operation in ("list_service_quotas", "list_aws_default_service_quotas"):
        for page in client.get_paginator(operation).paginate(ServiceCode=service):
            yield from page["Quotas"]


def _training_image(context: Context) -> CheckResult:
    image = pytorch_image("training", context.environment.region, context.settings.train.instance_type)
    return image_age(image, datetime.now(UTC).date(), NEWER_TO_TRAIN)


def _endpoint_image(context: Context) -> CheckResult:
    if warned := account_warning(context):
        return warning(warned, "Ask for that policy there.")
    return image_age(image_uri(context), datetime.now(UTC).date(), NEWER_TO_SERVE)


def image_age(image: str, today: date, newer: str) -> CheckResult:
    """Look whether AWS still patches an image.

    Args:
        image: its URI.
        today: the day to look on.
        newer: what to do where it does not.
    """
    age = age_of(image)
    if age is None:
        return ok(f"{image}, whose age nobody here knows")
    if age.patched_until is None:
        return ok(f"{image}, of {age.released}; AWS names no day on which its patches end")
    if age.patched_until < today:
        return warning(f"{image}, of {age.released}, not patched by AWS since {age.patched_until}", newer)
    return ok(f"{image}, of {age.released}, patched by AWS until {age.patched_until}")


def _roles(roles: Sequence[Role]) -> CheckResult:
    found = [(role, role.read(role.name)) for role in roles]
    wrong = [role for role, live in found if live is not None and differences(role, live)]
    if wrong:
        role = wrong[0]
        return failed(f"{role.name} is not as it should be: trust or policy was changed", f"sentictl {role.command}")
    return ok(f"{sum(live is not None for _, live in found)} of {len(found)} made, all as they should be")


def _permissions(context: Context) -> CheckResult:
    """Ask IAM what its policies would decide about everything that sentictl does."""
    denied: set[str] = set()
    try:
        caller = _principal(context, _caller(context)["Arn"])
        for statement in policy(context, KEPT)["Statement"]:
            denied |= _denied(context, caller, statement)
    except ClientError as refusal:
        mend = OWN_ROLE if refusal.response["Error"]["Code"] == "NoSuchEntity" else BROAD
        return warning(redacted(f"not checked: {refusal.response['Error'].get('Message', refusal)}"), mend)
    if denied:
        return failed(f"not allowed: {', '.join(sorted(denied))}", BROAD)
    return ok("everything that sentictl does is allowed")


def _denied(context: Context, caller: str, statement: dict[str, Any]) -> set[str]:
    simulate = context.environment.client("iam").get_paginator("simulate_principal_policy").paginate
    pages = (
        page
        for entries in _circumstances(statement)
        for page in simulate(
            PolicySourceArn=caller,
            ActionNames=statement["Action"],
            ResourceArns=statement["Resource"],
            ContextEntries=entries,
        )
    )
    results = (result for page in pages for result in page["EvaluationResults"])
    return {result["EvalActionName"] for result in results if result["EvalDecision"] != "allowed"}


def _circumstances(statement: dict[str, Any]) -> list[list[dict[str, Any]]]:
    """Return the context of each request that the statement is about: a role is passed to one service at a time."""
    conditions = statement.get("Condition", {}).get("StringEquals", {})
    return [
        [{"ContextKeyName": key, "ContextKeyValues": [value], "ContextKeyType": "string"}]
        for key, values in conditions.items()
        for value in values
    ] or [[]]


def _principal(context: Context, arn: str) -> str:
    """Return whom IAM knows: of a session its role, with the role's path, which the ARN of the session lacks.

    Roles of IAM Identity Center (SSO) have one. Of who may not look it up, the role is taken for one that has none.
    """
    start, _, session = arn.partition(":assumed-role/")
    if not session:
        return arn
    name = session.partition("/")[0]
    try:
        found: str = context.environment.client("iam").get_role(RoleName=name)["Role"]["Arn"]
    except ClientError as refusal:
        if refusal.response["Error"]["Code"] not in DENIED:
            raise
        return f"{start.replace(':sts:', ':iam:')}:role/{name}"
    return found
