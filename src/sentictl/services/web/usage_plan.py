"""The usage plan: which API the project's keys open, and how often each of them may ask."""

import re
from collections.abc import Mapping
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.web.api_key import COMMAND, ApiKey
from sentictl.services.web.rest_api import STAGE, api_id
from sentictl.services.web.rest_api_template import capitalized


class UsagePlan(Resource):
    """The usage plan of the API's stage, where `api.auth` is key; all keys of the project are in it."""

    kind = "usage-plan"
    command = "wire-api"
    on_request = True
    actions = Actions(
        read="apigateway:GET",
        create="apigateway:POST",
        update="apigateway:PATCH apigateway:POST",
        delete="apigateway:PATCH apigateway:DELETE",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("keys")

    @property
    def wanted(self) -> bool:
        return self.context.settings.api.auth == "key"

    def desired(self) -> Mapping[str, Any]:
        api = self.context.settings.api
        return {
            "stages": [f"{api_id(self.context)}:{STAGE}"],
            "throttle": {"rateLimit": float(api.key_rate), "burstLimit": api.key_burst},
            "quota": _quota(api.key_quota),
            "keys outside": 0,
            "copies": 0,
        }

    def read(self, name: str) -> LiveResource | None:
        found = self._find(name)
        if not found:
            return None
        plan, *copies = found
        fields = {
            "stages": [f"{stage['apiId']}:{stage['stage']}" for stage in plan.get("apiStages", [])],
            "throttle": _as_told(plan.get("throttle"), rateLimit=float, burstLimit=int),
            "quota": _as_told(plan.get("quota"), limit=int, period=str),
            "keys outside": len(self._outside(plan["id"])),
            "copies": len(copies),
        }
        return LiveResource(self._arn(plan["id"]), fields=fields, attributes={"id": plan["id"]})

    def tags(self, name: str) -> Mapping[str, str]:
        found = self._find(name)
        return dict(found[0].get("tags") or {}) if found else {}

    def tag(self, name: str) -> None:
        for plan in self._find(name):
            self._client.tag_resource(resourceArn=self._arn(plan["id"]), tags=self.context.naming.tags)

    def is_gone(self, arn: str) -> bool:
        found = re.search(r"/usageplans/(\w+)", arn)  # its ARN has the id, and not the name
        return found is not None and if_there(self._client.get_usage_plan, usagePlanId=found[1]) is None

    def create(self) -> None:
        wanted = self.desired()
        plan = self._client.create_usage_plan(
            name=self.name,
            description=f"Made by sentictl for the project {self.context.settings.project.name}",
            apiStages=[dict(zip(("apiId", "stage"), stage.split(":"), strict=True)) for stage in wanted["stages"]],
            throttle=wanted["throttle"],
            tags=self.context.naming.tags,
            **({"quota": wanted["quota"]} if wanted["quota"] else {}),
        )
        self._let_in(plan["id"])

    def update(self) -> None:
        plan, *copies = self._find(self.name)
        for copy in copies:
            self._delete(copy)
        operations = [*self._stage_patches(plan), *self._limit_patches(plan)]
        if operations:
            self._client.update_usage_plan(usagePlanId=plan["id"], patchOperations=operations)
        self._let_in(plan["id"])

    def delete(self, record: Record) -> None:
        for plan in self._find(record.name):
            self._delete(plan)

    def summary(self) -> str:
        api = self.context.settings.api
        limit, _, period = api.key_quota.partition("/")
        quota = f" and {int(limit):,} a {period}" if period else ""
        return f"POST for whoever has a key: with each {api.key_rate:g} requests a second at most{quota}"

    def scope(self, action: str) -> list[str]:
        """Name all usage plans, whose ids are API Gateway's own, as those of APIs are; and keys, to look for them."""
        arns = map(self.context.environment.api_gateway_arn, ("/usageplans", "/usageplans/*"))
        plans = list(arns) if action.startswith("apigateway:") else []
        return plans + (ApiKey(self.context).scope(action) if action == "apigateway:GET" else [])

    def cloudformation(self) -> Entries:
        wanted = self.desired()
        limits = {"Throttle": capitalized(wanted["throttle"])}
        if wanted["quota"]:
            limits["Quota"] = capitalized(wanted["quota"])
        api, stage = wanted["stages"][0].split(":")
        properties = {"UsagePlanName": self.name, "ApiStages": [{"ApiId": api, "Stage": stage}], **limits}
        return self.entry("AWS::ApiGateway::UsagePlan", properties, after=["Stage"])

    @property
    def _client(self) -> Any:
        return self.context.environment.client("apigateway")

    def _find(self, name: str) -> list[dict[str, Any]]:
        """Return this project's plans of that name as AWS tells them; names are not unique."""
        pages = self._client.get_paginator("get_usage_plans").paginate()
        every = [plan for page in pages for plan in page["items"]]
        return [plan for plan in every if plan["name"] == name and self.context.owns(plan.get("tags") or {})]

    def _arn(self, plan_id: str) -> str:
        return self.context.environment.api_gateway_arn(f"/usageplans/{plan_id}")

    def _outside(self, plan_id: str) -> list[str]:
        """Return the ids of the project's keys that are not in the plan, such as those made before there was one."""
        pages = self._client.get_paginator("get_usage_plan_keys").paginate(usagePlanId=plan_id)
        inside = {key["id"] for page in pages for key in page["items"]}
        return [key["id"] for key in ApiKey(self.context).listed() if key["id"] not in inside]

    def _let_in(self, plan_id: str) -> None:
        for key in self._outside(plan_id):
            self._client.create_usage_plan_key(usagePlanId=plan_id, keyId=key, keyType="API_KEY")

    def _stage_patches(self, plan: Mapping[str, Any]) -> list[dict[str, str]]:
        covered = {f"{stage['apiId']}:{stage['stage']}" for stage in plan.get("apiStages", [])}
        wanted = set(self.desired()["stages"])
        changes = [("remove", stage) for stage in covered - wanted] + [("add", stage) for stage in wanted - covered]
        return [{"op": operation, "path": "/apiStages", "value": stage} for operation, stage in changes]

    def _limit_patches(self, plan: Mapping[str, Any]) -> list[dict[str, str]]:
        wanted = self.desired()
        patches = [
            {"op": "replace" if plan.get(kind) else "add", "path": f"/{kind}/{member}", "value": str(value)}
            for kind in ("throttle", "quota")
            for member, value in (wanted[kind] or {}).items()
            if str((plan.get(kind) or {}).get(member)) != str(value)
        ]
        return patches + ([{"op": "remove", "path": "/quota"}] if plan.get("quota") and not wanted["quota"] else [])

    def _delete(self, plan: Mapping[str, Any]) -> None:
        """AWS deletes no plan that still covers a stage."""
        stages = [
            {"op": "remove", "path": "/apiStages", "value": f"{stage['apiId']}:{stage['stage']}"}
            for stage in plan.get("apiStages", [])
        ]
        if stages:
            if_there(self._client.update_usage_plan, usagePlanId=plan["id"], patchOperations=stages)
        if_there(self._client.delete_usage_plan, usagePlanId=plan["id"])


def nobody_has_a_key(context: Context) -> str:
    """Tell that nobody can ask, where the API takes a key and there is none; empty otherwise."""
    if context.settings.api.auth != "key" or any(ApiKey(context).found()):
        return ""
    where = env_option(context.environment.name, default=LOCAL)
    return f"The API takes a key, and nobody has one yet. Make one: sentictl {COMMAND} NAME{where}"


def _quota(text: str) -> dict[str, Any] | None:
    limit, _, period = text.partition("/")
    return {"limit": int(limit), "period": period.upper()} if text else None


def _as_told(told: Mapping[str, Any] | None, **kinds: type) -> dict[str, Any] | None:
    return {name: kind(told[name]) for name, kind in kinds.items()} if told else None
