"""The endpoint's scaling: Application Auto Scaling adds machines and takes some away, as the load has it."""

from collections.abc import Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Entries, LiveResource, Resource
from sentictl.services.pricing.table import prices
from sentictl.services.resources.sagemaker import ENDPOINTS
from sentictl.services.serving.endpoint import SCALABLE_TARGET, SCALING_NAMESPACE, VARIANT, Endpoint

# What is tracked, by `deploy.scale_on`, and how much of it one machine is taken to bear. By AWS's guide, "Load testing
# your auto scaling configuration": half of the requests a second at which it is busy, times 60. An ml.m5.large has two
# processors, on which TorchServe answers 400 a second, and no more where over 4 ask at once (docs/benchmarks.md).
METRICS = {
    "invocations": ("SageMakerVariantInvocationsPerInstance", 400 * 0.5 * 60),
    "concurrency": ("SageMakerVariantConcurrentRequestsPerModelHighResolution", 4),
}
# Seconds until the next activity: a minute after adding machines, as requests wait; AWS's default after taking some.
COOLDOWNS = {"ScaleOutCooldown": 60, "ScaleInCooldown": 300}
ALARMS = 2  # that AWS keeps for a policy: one to scale out by, and one to scale in by
SERVICE_ROLE = "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*"


class ScalableTarget(Resource):
    """The endpoint's variant as something that scales, between the fewest and the most machines.

    AWS makes the service-linked role that it scales in, where the account has none yet. Whoever deletes the endpoint
    takes this away with it.
    """

    kind = SCALABLE_TARGET
    command = "deploy"
    on_request = True
    actions = Actions(
        read="application-autoscaling:DescribeScalableTargets application-autoscaling:ListTagsForResource",
        create="application-autoscaling:RegisterScalableTarget application-autoscaling:TagResource "
        "iam:CreateServiceLinkedRole sagemaker:UpdateEndpointWeightsAndCapacities",
        update="application-autoscaling:RegisterScalableTarget",
        delete="application-autoscaling:DeregisterScalableTarget sagemaker:DescribeEndpoint "
        "sagemaker:UpdateEndpointWeightsAndCapacities",
        unscoped="application-autoscaling:DescribeScalableTargets",
    )

    @property
    def name(self) -> str:
        return f"endpoint/{self.context.naming.name(ENDPOINTS['instance'])}/variant/{VARIANT}"

    @property
    def wanted(self) -> bool:
        return self.context.settings.deploy.scales

    def desired(self) -> Mapping[str, Any]:
        deploy = self.context.settings.deploy
        return {"MinCapacity": deploy.min_instances, "MaxCapacity": deploy.max_instances}

    def read(self, name: str) -> LiveResource | None:
        target = self._describe(name)
        if target is None:
            return None
        return LiveResource(target["ScalableTargetARN"], fields={key: target[key] for key in self.desired()})

    def tags(self, name: str) -> Mapping[str, str]:
        target = self._describe(name)
        if target is None:
            return {}
        answer = if_there(self._client.list_tags_for_resource, ResourceARN=target["ScalableTargetARN"]) or {"Tags": {}}
        tags: dict[str, str] = answer["Tags"]
        return tags

    def tag(self, name: str) -> None:
        target = self._describe(name)
        if target:
            self._client.tag_resource(ResourceARN=target["ScalableTargetARN"], Tags=self.context.naming.tags)

    def create(self) -> None:
        self._client.register_scalable_target(**self._place(self.name), **self.desired(), Tags=self.context.naming.tags)

    def update(self) -> None:
        self._client.register_scalable_target(**self._place(self.name), **self.desired())

    def delete(self, record: Record) -> None:
        if_there(self._client.deregister_scalable_target, **self._place(record.name))
        if not self.wanted and self.context.settings.deploy.serving == "instance":
            self._give_back()

    def _give_back(self) -> None:
        """Leave the endpoint on as many machines as the settings ask for: AWS would leave those that there are."""
        count, endpoint = self.context.settings.deploy.instance_count, Endpoint(self.context)
        variants = endpoint.settled().get("ProductionVariants", [])
        if any(each["VariantName"] == VARIANT and each.get("DesiredInstanceCount") != count for each in variants):
            self.context.environment.client("sagemaker").update_endpoint_weights_and_capacities(
                EndpointName=endpoint.name,
                DesiredWeightsAndCapacities=[{"VariantName": VARIANT, "DesiredInstanceCount": count}],
            )

    def summary(self) -> str:
        deploy = self.context.settings.deploy
        return f"{deploy.min_instances} to {deploy.max_instances} machines, by {deploy.scale_on}"

    def scope(self, action: str) -> Sequence[str]:
        environment = self.context.environment
        if action == "iam:CreateServiceLinkedRole":
            return [environment.arn("iam", SERVICE_ROLE, region=False)]
        own = action.startswith("application-autoscaling:")  # whose targets have names by chance
        return [environment.arn("application-autoscaling", "scalable-target/*")] if own else []

    def cloudformation(self) -> Entries:
        properties = {**self._place(self.name), **self.desired()}  # of tags CloudFormation has none
        after = [Endpoint.__name__]
        entry = {"Type": "AWS::ApplicationAutoScaling::ScalableTarget", "DependsOn": after, "Properties": properties}
        return {self.logical_id: entry}

    @property
    def _client(self) -> Any:
        return self.context.environment.client("application-autoscaling")

    def _place(self, name: str) -> dict[str, str]:
        return {**SCALING_NAMESPACE, "ResourceId": name}

    def _describe(self, name: str) -> dict[str, Any] | None:
        answer = self._client.describe_scalable_targets(**SCALING_NAMESPACE, ResourceIds=[name])
        return next(iter(answer["ScalableTargets"]), None)


class ScalingPolicy(Resource):
    """The policy by which machines come and go: so many that each has about as much to answer as it shall have."""

    kind = "scaling-policy"
    command = "deploy"
    on_request = True
    tagged = False
    actions = Actions(
        read="application-autoscaling:DescribeScalingPolicies",
        create="application-autoscaling:PutScalingPolicy cloudwatch:PutMetricAlarm cloudwatch:DescribeAlarms",
        update="application-autoscaling:PutScalingPolicy cloudwatch:PutMetricAlarm cloudwatch:DescribeAlarms "
        "cloudwatch:DeleteAlarms",
        delete="application-autoscaling:DeleteScalingPolicy cloudwatch:DeleteAlarms",
        unscoped="application-autoscaling:DescribeScalingPolicies",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("scaling")

    @property
    def wanted(self) -> bool:
        return self.context.settings.deploy.scales

    def desired(self) -> Mapping[str, Any]:
        deploy = self.context.settings.deploy
        metric, bears = METRICS[deploy.scale_on]
        return {
            "TargetValue": float(deploy.scale_target or bears),
            "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            **COOLDOWNS,
        }

    def read(self, name: str) -> LiveResource | None:
        client = self.context.environment.client("application-autoscaling")
        answer = client.describe_scaling_policies(**self._place, PolicyNames=[name])
        policy = next(iter(answer["ScalingPolicies"]), None)
        if policy is None:
            return None
        found = policy.get("TargetTrackingScalingPolicyConfiguration", {})
        return LiveResource(policy["PolicyARN"], fields={key: found.get(key) for key in self.desired()})

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (it has those of what it scales)
        target = ScalableTarget(self.context)
        return target.tags(target.name)

    def create(self) -> None:
        self.context.environment.client("application-autoscaling").put_scaling_policy(
            **self._place,
            PolicyName=self.name,
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration=self.desired(),
        )

    def update(self) -> None:
        self.create()

    def delete(self, record: Record) -> None:
        client = self.context.environment.client("application-autoscaling")
        if_there(client.delete_scaling_policy, **self._place, PolicyName=record.name)

    def scope(self, action: str) -> Sequence[str]:
        alarms = f"alarm:TargetTracking-endpoint/{Endpoint(self.context).name}/*"
        return [self.context.environment.arn("cloudwatch", alarms)] if action.startswith("cloudwatch:") else []

    def uses(self) -> Sequence[Use]:
        alarms = Use("Scaling", f"{ALARMS} alarms kept for a month", ALARMS * prices()["alarm_month"])
        return [alarms] if self.wanted else []

    def cloudformation(self) -> Entries:
        properties = {
            "PolicyName": self.name,
            "PolicyType": "TargetTrackingScaling",
            "ScalingTargetId": {"Ref": ScalableTarget.__name__},
            "TargetTrackingScalingPolicyConfiguration": self.desired(),
        }
        return {self.logical_id: {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": properties}}

    @property
    def _place(self) -> dict[str, str]:
        return {**SCALING_NAMESPACE, "ResourceId": ScalableTarget(self.context).name}
