"""WAF in front of the API: how often each address may ask."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import tags_in
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.pricing.per_use import web_acl_month_price, web_acl_price
from sentictl.services.web.rest_api import STAGE, RestApi, api_id
from sentictl.services.web.rest_api_definition import CALLER_WINDOW_SECONDS

SCOPE = "REGIONAL"
RULE = "requests-of-one-address"
ALLOW: Mapping[str, Any] = {"Allow": {}}


class WebAcl(Resource):
    """The web ACL: one rate-based rule. What it blocks is answered by the API's own gateway response."""

    kind = "web-acl"
    command = "wire-api"
    on_request = True
    arn_pattern = r":regional/webacl/(?P<name>[^/]+)/"
    actions = Actions(
        read="wafv2:ListWebACLs wafv2:GetWebACL wafv2:ListTagsForResource",
        create="wafv2:CreateWebACL wafv2:TagResource",
        update="wafv2:UpdateWebACL",
        delete="wafv2:DeleteWebACL",
        unscoped="wafv2:ListWebACLs",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("api")

    @property
    def wanted(self) -> bool:
        return self.context.settings.api.caller_rate_limit > 0

    def desired(self) -> Mapping[str, Any]:
        return {"rules": [_rule(self.context.settings.api.caller_rate_limit)], "otherwise": ALLOW}

    def read(self, name: str) -> LiveResource | None:
        acl = self._find(name)
        if acl is None:
            return None
        told = if_there(self._client.get_web_acl, Name=name, Scope=SCOPE, Id=acl["Id"])
        if told is None:
            return None
        wanted = _rule(0)
        rules = [{key: rule.get(key) for key in wanted} for rule in told["WebACL"].get("Rules", [])]
        return LiveResource(acl["ARN"], fields={"rules": rules, "otherwise": told["WebACL"]["DefaultAction"]})

    def tags(self, name: str) -> Mapping[str, str]:
        acl = self._find(name)
        return tags_of_acl(self.context, acl["ARN"]) if acl else {}

    def tag(self, name: str) -> None:
        acl = self._find(name)
        if acl:
            self._client.tag_resource(ResourceARN=acl["ARN"], Tags=self.context.naming.tag_list())

    def create(self) -> None:
        self._client.create_web_acl(
            Name=self.name,
            Scope=SCOPE,
            DefaultAction=ALLOW,
            Rules=self.desired()["rules"],
            VisibilityConfig=_visible(self.name),
            Tags=self.context.naming.tag_list(),
        )

    def update(self) -> None:
        acl = self._find(self.name) or {}
        self._client.update_web_acl(
            Name=self.name,
            Scope=SCOPE,
            Id=acl["Id"],
            LockToken=acl["LockToken"],
            DefaultAction=ALLOW,
            Rules=self.desired()["rules"],
            VisibilityConfig=_visible(self.name),
        )

    def delete(self, record: Record) -> None:
        acl = self._find(record.name)
        if acl:
            client = self._client
            if_there(client.delete_web_acl, Name=record.name, Scope=SCOPE, Id=acl["Id"], LockToken=acl["LockToken"])

    def summary(self) -> str:
        limit = self.context.settings.api.caller_rate_limit
        return f"{limit:,} predictions in {CALLER_WINDOW_SECONDS // 60} minutes from one address"

    def scope(self, action: str) -> Sequence[str]:
        arn = self.context.environment.arn("wafv2", f"regional/webacl/{self.name}/*")
        return [arn] if action.startswith("wafv2:") else []

    def uses(self) -> Sequence[Use]:
        if not self.wanted:
            return []
        standing = Use("WAF", "a month of the web ACL and its rule", web_acl_month_price())
        return [standing, Use("WAF", "1,000 predictions", 1000 * web_acl_price())]

    def cloudformation(self) -> Entries:
        properties = {
            "Name": self.name,
            "Scope": SCOPE,
            "DefaultAction": ALLOW,
            "Rules": [_rule(self.context.settings.api.caller_rate_limit, method="POST")],
            "VisibilityConfig": _visible(self.name),
        }
        return self.entry("AWS::WAFv2::WebACL", properties)

    @property
    def _client(self) -> Any:
        return self.context.environment.client("wafv2")

    def _find(self, name: str) -> dict[str, Any] | None:
        return next((acl for acl in self._listed() if acl["Name"] == name), None)

    def _listed(self) -> Iterator[dict[str, Any]]:
        page = self._client.list_web_acls(Scope=SCOPE)
        while page["WebACLs"]:
            yield from page["WebACLs"]
            if not page.get("NextMarker"):
                return
            page = self._client.list_web_acls(Scope=SCOPE, NextMarker=page["NextMarker"])


class WebAclAssociation(Resource):
    """That the API's stage stands behind the web ACL."""

    kind = "web-acl-association"
    command = "wire-api"
    on_request = True
    tagged = False
    actions = Actions(
        read="wafv2:GetWebACLForResource wafv2:GetWebACL wafv2:ListTagsForResource apigateway:GET",
        create="wafv2:AssociateWebACL apigateway:SetWebACL",
        update="wafv2:AssociateWebACL apigateway:SetWebACL",
        delete="wafv2:DisassociateWebACL apigateway:SetWebACL",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("api")

    @property
    def wanted(self) -> bool:
        return WebAcl(self.context).wanted

    def desired(self) -> Mapping[str, Any]:
        return {"stage": self._stage(api_id(self.context))}

    def read(self, name: str) -> LiveResource | None:  # noqa: ARG002  (a stage has one)
        acl, stage = self._acl()
        return LiveResource(stage, fields={"stage": stage}) if acl else None

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002
        """Return the tags of the web ACL that the stage stands behind: it may be somebody else's."""
        acl, _ = self._acl()
        return tags_of_acl(self.context, acl["ARN"]) if acl else {}

    def create(self) -> None:
        acl = self.context.recorded(WebAcl)
        self._client.associate_web_acl(WebACLArn=acl.arn, ResourceArn=self._stage(api_id(self.context)))

    def update(self) -> None:
        self.create()

    def delete(self, record: Record) -> None:
        _, stage = self._acl()
        if record.arn or stage:
            if_there(self._client.disassociate_web_acl, ResourceArn=record.arn or stage)

    def scope(self, action: str) -> Sequence[str]:
        if action == "apigateway:SetWebACL":
            return [self._stage("*")]
        # Decided on by the web ACL and by the stage.
        own = action in ("wafv2:AssociateWebACL", "wafv2:DisassociateWebACL", "wafv2:GetWebACLForResource")
        return [self._stage("*"), *WebAcl(self.context).scope(action)] if own else []

    def cloudformation(self) -> Entries:
        properties = {
            "WebACLArn": {"Fn::GetAtt": [WebAcl.__name__, "Arn"]},
            "ResourceArn": self._stage(api_id(self.context)),
        }
        entry = {"Type": "AWS::WAFv2::WebACLAssociation", "DependsOn": ["Stage"], "Properties": properties}
        return {self.logical_id: entry}

    @property
    def _client(self) -> Any:
        return self.context.environment.client("wafv2")

    def _acl(self) -> tuple[dict[str, Any] | None, str]:
        """Return the web ACL that the API's stage stands behind, None for none, and the stage's ARN."""
        record = self.context.state.latest(RestApi.kind)
        found = record.attributes.get("id", "") if record else ""
        if not found:
            api = RestApi(self.context)
            live = api.read(api.name)
            found = live.attributes["id"] if live else ""
        stage = self._stage(found) if found else ""
        told = if_there(self._client.get_web_acl_for_resource, ResourceArn=stage) if stage else None
        return (told or {}).get("WebACL"), stage

    def _stage(self, api: str) -> str:
        return self.context.environment.api_gateway_arn(f"/restapis/{api}/stages/{STAGE}")


def tags_of_acl(context: Context, arn: str) -> dict[str, str]:
    """Return the tags of a web ACL; none where it is gone."""
    client = context.environment.client("wafv2")
    told = if_there(client.list_tags_for_resource, ResourceARN=arn) or {"TagInfoForResource": {"TagList": []}}
    return tags_in(told["TagInfoForResource"]["TagList"])


def _rule(limit: int, method: str | bytes = b"POST") -> dict[str, Any]:
    """Return the rule that counts who asks for predictions; looking at the page is free.

    Args:
        limit: requests of one address in the window.
        method: that of those requests; AWS's clients take bytes, CloudFormation a text.
    """
    posts: dict[str, Any] = {
        "SearchString": method,
        "FieldToMatch": {"Method": {}},
        "TextTransformations": [{"Priority": 0, "Type": "NONE"}],
        "PositionalConstraint": "EXACTLY",
    }
    rate = {
        "Limit": limit,
        "EvaluationWindowSec": CALLER_WINDOW_SECONDS,
        "AggregateKeyType": "IP",
        "ScopeDownStatement": {"ByteMatchStatement": posts},
    }
    return {
        "Name": RULE,
        "Priority": 0,
        "Statement": {"RateBasedStatement": rate},
        "Action": {"Block": {}},
        "VisibilityConfig": _visible(RULE),
    }


def _visible(name: str) -> dict[str, Any]:
    """Return what is told of requests: counts, and no samples, which would hold parts of them."""
    return {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": name}
