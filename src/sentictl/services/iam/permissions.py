"""What the person who runs sentictl must be allowed to do: IAM actions, on this project's ARNs where AWS has some.

The table says it for each kind of resource and step. A test holds it against the calls of a whole `up` and `down`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from sentictl.aws.names import NOTEBOOK_GROUP, TRAINING_GROUP
from sentictl.lifecycle.reconcile import Action, Step
from sentictl.lifecycle.resource import Context

READ = "read"
ROLE = {
    READ: "iam:GetRole iam:GetRolePolicy",
    Action.CREATE: "iam:CreateRole iam:TagRole iam:PutRolePolicy",
    Action.UPDATE: "iam:UpdateAssumeRolePolicy iam:PutRolePolicy",
    Action.DELETE: "iam:ListRolePolicies iam:DeleteRolePolicy iam:DeleteRole",
}
LOG_GROUP = {
    READ: "logs:DescribeLogGroups logs:ListTagsForResource",
    Action.CREATE: "logs:CreateLogGroup logs:TagResource logs:PutRetentionPolicy",
    Action.UPDATE: "logs:PutRetentionPolicy",
    Action.DELETE: "logs:DeleteLogGroup",
}
# For each kind of resource, by step; whoever changes something reads it, too.
NEEDED: Mapping[str, Mapping[str, str]] = {
    "bucket": {
        READ: "s3:ListBucket s3:GetBucketPublicAccessBlock s3:GetBucketTagging",
        Action.CREATE: "s3:CreateBucket s3:PutBucketTagging s3:TagResource s3:PutBucketPublicAccessBlock",
        Action.UPDATE: "s3:PutBucketPublicAccessBlock",
        Action.DELETE: "s3:ListBucketVersions s3:DeleteObject s3:DeleteObjectVersion s3:DeleteBucket",
    },
    "dataset": {
        READ: "s3:ListBucket s3:GetObject",
        Action.CREATE: "s3:PutObject s3:AbortMultipartUpload",
        Action.DELETE: "s3:DeleteObject",
    },
    "execution-role": ROLE,
    "source-archive": {
        READ: "s3:ListBucket s3:GetObject",
        Action.CREATE: "s3:PutObject",
        Action.DELETE: "s3:DeleteObject",
    },
    "training-job": {
        READ: "sagemaker:DescribeTrainingJob sagemaker:ListTrainingJobs sagemaker:ListTags s3:GetObject",
        Action.CREATE: "sagemaker:CreateTrainingJob sagemaker:AddTags iam:PassRole "
        "logs:DescribeLogStreams logs:GetLogEvents s3:DeleteObject",
        Action.DELETE: "sagemaker:StopTrainingJob sagemaker:DeleteTrainingJob "
        "logs:DescribeLogStreams logs:DeleteLogStream",
    },
    "model": {
        READ: "sagemaker:DescribeModel sagemaker:ListModels sagemaker:ListTags",
        Action.CREATE: "sagemaker:CreateModel sagemaker:AddTags iam:PassRole",
        Action.DELETE: "sagemaker:DeleteModel",
    },
    "endpoint-config": {
        READ: "sagemaker:DescribeEndpointConfig sagemaker:ListEndpointConfigs sagemaker:ListTags",
        Action.CREATE: "sagemaker:CreateEndpointConfig sagemaker:AddTags",
        Action.DELETE: "sagemaker:DeleteEndpointConfig",
    },
    "endpoint-log-group": LOG_GROUP,
    "endpoint": {
        READ: "sagemaker:DescribeEndpoint sagemaker:ListTags",
        Action.CREATE: "sagemaker:CreateEndpoint sagemaker:AddTags",
        Action.UPDATE: "sagemaker:UpdateEndpoint sagemaker:CreateEndpoint sagemaker:DeleteEndpoint",
        Action.DELETE: "sagemaker:DeleteEndpoint",
    },
    "schedule-role": ROLE,
    "schedule": {
        READ: "scheduler:GetSchedule",
        Action.CREATE: "scheduler:CreateSchedule iam:PassRole",
        Action.UPDATE: "scheduler:UpdateSchedule iam:PassRole",
        Action.DELETE: "scheduler:DeleteSchedule",
    },
    "function-role": ROLE,
    "log-group": LOG_GROUP,
    "function": {
        READ: "lambda:GetFunction lambda:ListTags",
        Action.CREATE: "lambda:CreateFunction lambda:TagResource iam:PassRole",
        Action.UPDATE: "lambda:UpdateFunctionCode lambda:UpdateFunctionConfiguration iam:PassRole",
        Action.DELETE: "lambda:DeleteFunction",
    },
    "page-role": ROLE,
    "rest-api": {
        READ: "apigateway:GET",
        Action.CREATE: "apigateway:POST apigateway:PUT apigateway:PATCH apigateway:DELETE iam:PassRole",
        Action.UPDATE: "apigateway:POST apigateway:PUT apigateway:PATCH apigateway:DELETE iam:PassRole",
        Action.DELETE: "apigateway:DELETE",
    },
    "permission": {
        READ: "lambda:GetPolicy",
        Action.CREATE: "lambda:AddPermission",
        Action.UPDATE: "lambda:RemovePermission lambda:AddPermission",
        Action.DELETE: "lambda:RemovePermission",
    },
    "website-bucket": {
        READ: "s3:ListBucket s3:GetBucketWebsite s3:GetBucketPolicy s3:GetBucketTagging",
        Action.CREATE: "s3:CreateBucket s3:PutBucketTagging s3:TagResource "
        "s3:PutBucketPublicAccessBlock s3:PutBucketPolicy s3:PutBucketWebsite",
        Action.UPDATE: "s3:PutBucketPublicAccessBlock s3:PutBucketPolicy s3:PutBucketWebsite",
        Action.DELETE: "s3:ListBucketVersions s3:DeleteObject s3:DeleteObjectVersion s3:DeleteBucket",
    },
    "page": {
        READ: "s3:ListBucket s3:GetObject",
        Action.CREATE: "s3:PutObject",
        Action.UPDATE: "s3:PutObject",
        Action.DELETE: "s3:DeleteObject",
    },
    # Whether there is one is asked by commands of the chain; all else of it is in NOTEBOOK.
    "notebook-instance": {READ: "sagemaker:DescribeNotebookInstance sagemaker:ListTags"},
}
# The same of what stands beside the chain: only who has a notebook needs it.
NOTEBOOK: Mapping[str, Mapping[str, str]] = {
    "notebook-role": ROLE,
    "notebook-instance-lifecycle-config": {
        READ: "sagemaker:DescribeNotebookInstanceLifecycleConfig",
        Action.CREATE: "sagemaker:CreateNotebookInstanceLifecycleConfig s3:PutObject",
        Action.UPDATE: "sagemaker:UpdateNotebookInstanceLifecycleConfig s3:PutObject",
        Action.DELETE: "sagemaker:DeleteNotebookInstanceLifecycleConfig s3:ListBucket s3:DeleteObject",
    },
    "notebook-instance": {
        Action.CREATE: "sagemaker:CreateNotebookInstance sagemaker:AddTags iam:PassRole",
        Action.UPDATE: "sagemaker:StartNotebookInstance sagemaker:StopNotebookInstance "
        "sagemaker:UpdateNotebookInstance sagemaker:CreateNotebookInstance sagemaker:DeleteNotebookInstance",
        Action.DELETE: "sagemaker:StopNotebookInstance sagemaker:DeleteNotebookInstance "
        "logs:DescribeLogStreams logs:DeleteLogStream",
    },
}
OPENING = "sagemaker:CreatePresignedNotebookInstanceUrl"
ALWAYS = "sts:GetCallerIdentity"
# What commands do beside keeping resources, each with the commands that do it.
BESIDES = {
    "sagemaker:InvokeEndpoint": "predict --via endpoint",
    "sagemaker:StopTrainingJob": "train --stop",
    "logs:FilterLogEvents": "logs",
    "cloudwatch:GetMetricStatistics": "status",
    "pricing:GetProducts": "plan, status and up",
    "tag:GetResources": "down",
    "servicequotas:ListServiceQuotas": "doctor",
    "servicequotas:ListAWSDefaultServiceQuotas": "doctor",
    "iam:SimulatePrincipalPolicy": "doctor",
}
# Those of them that `plan` and `status` take.
LOOKING = ("cloudwatch:GetMetricStatistics", "pricing:GetProducts")
PASSING = "iam:PassRole"
# Actions that AWS allows on everything or not at all.
UNSCOPED = {
    "sts:GetCallerIdentity",
    "sagemaker:ListTrainingJobs",
    "sagemaker:ListModels",
    "sagemaker:ListEndpointConfigs",
    "logs:DescribeLogGroups",
    "cloudwatch:GetMetricStatistics",
    "pricing:GetProducts",
    "tag:GetResources",
    "servicequotas:ListServiceQuotas",
    "servicequotas:ListAWSDefaultServiceQuotas",
    "iam:SimulatePrincipalPolicy",  # of the person's own identity, whose name is not the project's business
}
OBJECT_ACTIONS = {
    "s3:GetObject",
    "s3:PutObject",
    "s3:AbortMultipartUpload",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
}
LOG_STREAM_ACTIONS = {"logs:GetLogEvents", "logs:DeleteLogStream"}
# AWS decides on these by the group, so that in the one that all training jobs share they reach the others' streams.
LOG_READING_ACTIONS = {"logs:DescribeLogStreams", "logs:FilterLogEvents"}
PASSED_TO = ("apigateway", "lambda", "sagemaker", "scheduler")


def needed(steps: Iterable[Step]) -> list[str]:
    """The IAM actions that a plan's steps take.

    Args:
        steps: the plan; what is kept is only read.
    """
    actions = set(ALWAYS.split())
    for step in steps:
        table = {**NEEDED.get(step.kind, {}), **NOTEBOOK.get(step.kind, {})}
        # Replacing is creating under another name.
        action = Action.CREATE if step.action is Action.REPLACE else step.action
        actions |= {*table[READ].split(), *table.get(action, "").split()}
    return sorted(actions)


def every_action() -> list[str]:
    """The IAM actions of a project's whole life, with every command."""
    tables = [actions for table in NEEDED.values() for actions in table.values()]
    return sorted({ALWAYS, *BESIDES, *(action for actions in tables for action in actions.split())})


def reading_actions() -> list[str]:
    """The IAM actions of `import`, `plan` and `status`, which change nothing."""
    return sorted({ALWAYS, *LOOKING, *(action for table in NEEDED.values() for action in table[READ].split())})


def policy(context: Context, actions: Sequence[str] | None = None) -> dict[str, Any]:
    """The identity policy for commands on this project in this environment, as IAM takes it.

    Args:
        context: the project and environment.
        actions: what the commands take; None: what all of them do.
    """
    scopes: dict[tuple[str, ...], list[str]] = {}
    asked = every_action() if actions is None else actions
    for action in asked:
        if action != PASSING:
            scopes.setdefault(tuple(_resources(context, action)), []).append(action)
    statements = [{"Effect": "Allow", "Action": names, "Resource": list(arns)} for arns, names in scopes.items()]
    passing = [_pass(PASSED_TO, _roles(context))] if PASSING in asked else []
    return {"Version": "2012-10-17", "Statement": [*statements, *passing]}


def notebook_policy(context: Context, *, looking: bool = False) -> dict[str, Any]:
    """The identity policy that the notebook's commands take beside the one for all others.

    Together they would be longer than a managed policy may be. What they do in the bucket, the other one allows.

    Args:
        context: the project and environment.
        looking: only what `import` and `status` take of it where there is a notebook.
    """
    tables = [names for table in NOTEBOOK.values() for step, names in table.items() if step == READ or not looking]
    actions = sorted({action for names in tables for action in names.split()} | (set() if looking else {OPENING}))
    notebook = context.naming.name("notebook")
    kinds = ("notebook-instance", "notebook-instance-lifecycle-config")
    role = context.environment.arn("iam", f"role/{notebook}", region=False)
    group = context.environment.arn("logs", f"log-group:{NOTEBOOK_GROUP}")
    scopes = {
        "iam:": [role],
        "sagemaker:": [context.environment.arn("sagemaker", f"{kind}/{notebook}") for kind in kinds],
        "logs:Describe": [f"{group}{rest}" for rest in ("", ":*")],
        "logs:Delete": [f"{group}:log-stream:{notebook}/*"],
    }
    statements = [
        {"Effect": "Allow", "Action": names, "Resource": arns}
        for scope, arns in scopes.items()
        if (names := [action for action in actions if action.startswith(scope) and action != PASSING])
    ]
    passing = [_pass(["sagemaker"], [role])] if PASSING in actions else []
    return {"Version": "2012-10-17", "Statement": [*statements, *passing]}


def together(*policies: Mapping[str, Any]) -> dict[str, Any]:
    """One policy with the statements of several."""
    return {"Version": "2012-10-17", "Statement": [each for policy in policies for each in policy["Statement"]]}


def _resources(context: Context, action: str) -> Sequence[str]:
    if action in UNSCOPED:
        return ["*"]
    service = action.partition(":")[0]
    scopes: Mapping[str, Callable[[Context], Sequence[str]]] = {
        "s3": _objects if action in OBJECT_ACTIONS else _buckets,
        "iam": _roles,
        "sagemaker": _sagemaker,
        "lambda": _function,
        "logs": partial(_logs, action=action),
        "apigateway": _apis,
        "scheduler": _schedule,
    }
    return scopes[service](context)


def _pass(services: Sequence[str], roles: Sequence[str]) -> dict[str, Any]:
    """Passing a role on is limited to the services that are to run as it."""
    condition = {"StringEquals": {"iam:PassedToService": [f"{service}.amazonaws.com" for service in services]}}
    return {"Effect": "Allow", "Action": PASSING, "Resource": roles, "Condition": condition}


def _buckets(context: Context) -> list[str]:
    partition = context.environment.partition
    return [f"arn:{partition}:s3:::{name}" for name in (context.naming.bucket, context.naming.website_bucket)]


def _objects(context: Context) -> list[str]:
    return [f"{arn}/*" for arn in _buckets(context)]


def _roles(context: Context) -> list[str]:
    parts = ("sagemaker", "predict", "page", "schedule")
    names = [context.naming.name(part) for part in parts]
    return [context.environment.arn("iam", f"role/{name}", region=False) for name in names]


def _sagemaker(context: Context) -> list[str]:
    types = ("training-job", "model", "endpoint-config", "endpoint", "notebook-instance")
    return [context.environment.arn("sagemaker", f"{kind}/{context.naming.name('*')}") for kind in types]


def _function(context: Context) -> list[str]:
    return [context.environment.arn("lambda", f"function:{context.naming.name('predict')}")]


def _logs(context: Context, action: str) -> list[str]:
    """The group of all training jobs is not the project's: in it, only its own streams may be deleted."""
    if action in LOG_STREAM_ACTIONS:
        streams = f"log-group:{TRAINING_GROUP}:log-stream:{context.naming.name('*')}"
        return [context.environment.arn("logs", streams)]
    groups = [
        f"/aws/lambda/{context.naming.name('predict')}",
        f"/aws/sagemaker/Endpoints/{context.naming.name('endpoint')}",
        *([TRAINING_GROUP] if action in LOG_READING_ACTIONS else []),
    ]
    return [context.environment.arn("logs", f"log-group:{group}{rest}") for group in groups for rest in ("", ":*")]


def _apis(context: Context) -> list[str]:
    """The ids of APIs are API Gateway's own, so that no pattern tells this project's from others."""
    place = f"arn:{context.environment.partition}:apigateway:{context.environment.region}::"
    return [f"{place}/restapis", f"{place}/restapis/*", f"{place}/tags/*"]


def _schedule(context: Context) -> list[str]:
    return [context.environment.arn("scheduler", f"schedule/default/{context.naming.name('endpoint')}")]
