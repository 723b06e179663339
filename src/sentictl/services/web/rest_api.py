"""API Gateway: the REST API in front of the function.

The stage's root takes POST (the function), OPTIONS (preflight, answered by the gateway itself) and, where the page is
published with the API, GET (the page's object on S3). Every answer of the gateway's own carries the CORS headers, and
where the stage is throttled it says when to ask again.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from botocore.exceptions import ClientError

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.reconcile import Step
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.access.none import OPEN
from sentictl.services.access.ways import way_of
from sentictl.services.pricing.table import prices
from sentictl.services.resources.logs import ApiLogGroup
from sentictl.services.web.access_log import FORMAT, LogAccess, says_no_role
from sentictl.services.web.authorizer import (
    delete_other_authorizers,
    make_authorizer,
    read_authorizer,
    wanted_authorizer,
)
from sentictl.services.web.rest_api_definition import gateway_responses, methods
from sentictl.services.web.rest_api_template import parts_of_api

STAGE = "prod"
METHODS = ("POST", "OPTIONS", "GET")
# Bodies reach the function as bytes, in base64. Of a body taken for text, the gateway replaces what is not UTF-8 before
# the function could tell.
BINARY_MEDIA_TYPES = ["*/*"]


class RestApi(Resource):
    """The REST API with its methods, gateway responses, deployment and throttled stage."""

    kind = "rest-api"
    command = "wire-api"
    face = True
    removed_as = "api"
    actions = Actions(
        read="apigateway:GET",
        create="apigateway:POST apigateway:PUT apigateway:PATCH apigateway:DELETE iam:PassRole",
        update="apigateway:POST apigateway:PUT apigateway:PATCH apigateway:DELETE iam:PassRole",
        delete="apigateway:DELETE",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("api")

    def desired(self) -> Mapping[str, Any]:
        api = self.context.settings.api
        return {
            "binary_media_types": BINARY_MEDIA_TYPES,
            "authorizer": wanted_authorizer(self.context),
            "methods": self._methods,
            "gateway_responses": self._gateway_responses,
            "deployed": self._definition,
            "throttling": {"rateLimit": float(api.throttle_rate), "burstLimit": api.throttle_burst},
            "access_log": self._access_log,
            "copies": 0,
        }

    def read(self, name: str) -> LiveResource | None:
        found = self._find(name)
        if not found:
            return None
        api, *copies = found
        api_id = api["id"]
        fields = {
            "binary_media_types": api.get("binaryMediaTypes", []),
            **self._read_methods(api_id),
            "gateway_responses": self._read_gateway_responses(api_id),
            **self._read_stage(api_id),
            "copies": len(copies),
        }
        return LiveResource(self._arn(api_id), "Active", fields, {"id": api_id})

    def tags(self, name: str) -> Mapping[str, str]:
        """Return the tags that all of the project's APIs of that name have; those of others are not in its way."""
        every = [api["tags"].items() for api in self._find(name)]
        return dict(set.intersection(*map(set, every))) if every else {}

    def tag(self, name: str) -> None:
        for api in self._find(name):
            self._client.tag_resource(resourceArn=self._arn(api["id"]), tags=self.context.naming.tags)

    def is_gone(self, arn: str) -> bool:
        found = re.search(r"/restapis/(\w+)", arn)  # its ARN has the id, and not the name
        return found is not None and if_there(self._client.get_rest_api, restApiId=found[1]) is None

    def create(self) -> None:
        self._client.create_rest_api(
            name=self.name,
            description=f"Made by sentictl for the project {self.context.settings.project.name}",
            endpointConfiguration={"types": ["REGIONAL"]},
            binaryMediaTypes=BINARY_MEDIA_TYPES,
            tags=self.context.naming.tags,
        )
        self.update()

    def update(self) -> None:
        api, *copies = self._find(self.name)
        for copy in copies:
            self._delete(copy["id"])
        api_id = api["id"]
        self._put_binary_media_types(api)
        root = self._root(api_id)
        authorizer_id = make_authorizer(self._client, api_id, wanted_authorizer(self.context))
        for verb in METHODS:
            self._put_method(api_id, root, verb, authorizer_id)
        for kind, response in self._gateway_responses.items():
            self._client.put_gateway_response(restApiId=api_id, responseType=kind, **response)
        self._client.create_deployment(restApiId=api_id, stageName=STAGE, description=self._definition)
        stage = self._set_stage(api_id)
        self._delete_old_deployments(api_id, serving=stage["deploymentId"])
        delete_other_authorizers(self._client, api_id, used=authorizer_id)

    def delete(self, record: Record) -> None:
        for api in self._find(record.name):
            self._delete(api["id"])

    def summary(self) -> str:
        api = self.context.settings.api
        return f"POST for {way_of(self.context.settings).who}, {api.throttle_rate:g} requests a second at most"

    def facts(self, record: Record) -> Sequence[str]:
        return [invoke_url(self.context)] if record.arn else []

    def scope(self, action: str) -> Sequence[str]:
        """Name all APIs: their ids are API Gateway's own, so that no pattern tells this project's from others."""
        arns = map(self.context.environment.api_gateway_arn, ("/restapis", "/restapis/*", "/tags/*"))
        return list(arns) if action.startswith("apigateway:") else []

    def uses(self) -> Sequence[Use]:
        return [Use("API Gateway", "1,000 predictions", prices()["api_million_requests"] / 1000)]

    def cloudformation(self) -> Entries:
        desired = self.desired()
        properties = {
            "Name": self.name,
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "BinaryMediaTypes": desired["binary_media_types"],
        }
        return self.entry("AWS::ApiGateway::RestApi", properties) | parts_of_api(
            self.logical_id, STAGE, desired, logged_after=self._logged_after()
        )

    def _logged_after(self) -> list[str]:
        """Return the entries of a template that have to be there before the stage can write its access log."""
        access = LogAccess(self.context)
        if not access.wanted:
            return []
        return [ApiLogGroup.__name__, *(["ApiAccount"] if access.is_sentictls else [])]

    @property
    def _client(self) -> Any:
        return self.context.environment.client("apigateway")

    @cached_property
    def _methods(self) -> dict[str, Any]:
        return methods(self.context)

    @cached_property
    def _gateway_responses(self) -> dict[str, Any]:
        return gateway_responses(self.context)

    @property
    def _access_log(self) -> dict[str, str] | None:
        if not self.context.settings.api.access_log:
            return None
        return {"destinationArn": ApiLogGroup(self.context).arn, "format": FORMAT}

    def _set_stage(self, api_id: str) -> dict[str, Any]:
        """Give the stage its throttling and its access log. Returns what UpdateStage answers.

        The account's role for logs is of no project: another one's `down` may just have taken it away.
        """
        throttling = [
            {"op": "replace", "path": f"/*/*/throttling/{limit}", "value": str(value)}
            for limit, value in self.desired()["throttling"].items()
        ]
        operations = [*throttling, *self._access_log_operations(api_id)]
        change = partial(self._client.update_stage, restApiId=api_id, stageName=STAGE, patchOperations=operations)
        try:
            changed: dict[str, Any] = change()
        except ClientError as refusal:
            if not says_no_role(refusal):
                raise
            LogAccess(self.context).create()
            changed = change()
        return changed

    def _access_log_operations(self, api_id: str) -> list[dict[str, str]]:
        """Return what gives the stage its access log, or takes away one that is not wanted any more."""
        if self._access_log:
            return [
                {"op": "replace", "path": f"/accessLogSettings/{member}", "value": value}
                for member, value in self._access_log.items()
            ]
        return [{"op": "remove", "path": "/accessLogSettings"}] if self._read_stage(api_id)["access_log"] else []

    @property
    def _definition(self) -> str:
        """The digest of what a deployment has to hold: it is the deployment's description."""
        wanted = wanted_authorizer(self.context)
        told = [wanted] if wanted else []
        return digest_of(BINARY_MEDIA_TYPES, self._methods, self._gateway_responses, *told)

    def _find(self, name: str) -> list[dict[str, Any]]:
        """Return this project's APIs of that name as AWS tells them, oldest first.

        Names are not unique: where the answer to a creation was lost and the call repeated, there are two.
        """
        pages = self._client.get_paginator("get_rest_apis").paginate()
        found = [
            api
            for page in pages
            for api in page["items"]
            if api["name"] == name and self.context.owns(api.get("tags", {}))
        ]
        return sorted(found, key=lambda api: api["createdDate"])

    def _arn(self, api_id: str) -> str:
        return self.context.environment.api_gateway_arn(f"/restapis/{api_id}")

    def _delete(self, api_id: str) -> None:
        if_there(self._client.delete_rest_api, restApiId=api_id)

    def _delete_old_deployments(self, api_id: str, serving: str) -> None:
        """Delete the deployments that no stage serves: they have nothing more to do."""
        for page in self._client.get_paginator("get_deployments").paginate(restApiId=api_id):
            for deployment in page["items"]:
                if deployment["id"] != serving:
                    if_there(self._client.delete_deployment, restApiId=api_id, deploymentId=deployment["id"])

    def _root(self, api_id: str) -> str:
        resources = self._client.get_resources(restApiId=api_id)["items"]
        return str(next(resource["id"] for resource in resources if resource["path"] == "/"))

    def _put_binary_media_types(self, api: Mapping[str, Any]) -> None:
        found = api.get("binaryMediaTypes", [])
        operations = [
            {"op": operation, "path": f"/binaryMediaTypes/{kind.replace('/', '~1')}"}
            for operation, kinds in (
                ("remove", set(found) - set(BINARY_MEDIA_TYPES)),
                ("add", set(BINARY_MEDIA_TYPES) - set(found)),
            )
            for kind in sorted(kinds)
        ]
        if operations:
            self._client.update_rest_api(restApiId=api["id"], patchOperations=operations)

    def _put_method(self, api_id: str, root: str, verb: str, authorizer_id: str) -> None:
        place = {"restApiId": api_id, "resourceId": root, "httpMethod": verb}
        if if_there(self._client.get_method, **place):
            if_there(
                self._client.delete_method, **place
            )  # a method cannot be put twice; the deployed stage serves on meanwhile
        wanted = self._methods.get(verb)
        if wanted is None:
            return
        by = {"authorizerId": authorizer_id} if authorizer_id and verb == "POST" else {}
        self._client.put_method(**place, **wanted["authorization"], **by)
        for status, headers in wanted["method_responses"].items():
            self._client.put_method_response(**place, statusCode=status, responseParameters=headers)
        self._client.put_integration(**place, **wanted["integration"])
        for status, response in wanted["integration_responses"].items():
            self._client.put_integration_response(**place, statusCode=status, **response)

    def _read_methods(self, api_id: str) -> dict[str, Any]:
        root = self._root(api_id)
        found = {
            verb: if_there(self._client.get_method, restApiId=api_id, resourceId=root, httpMethod=verb)
            for verb in METHODS
        }
        wanted = self._methods
        return {
            "authorizer": read_authorizer(self._client, api_id, found["POST"] or {}),
            "methods": {verb: _as_wanted(method, wanted.get(verb, {})) for verb, method in found.items() if method},
        }

    def _read_gateway_responses(self, api_id: str) -> dict[str, Any]:
        responses = self._client.get_gateway_responses(restApiId=api_id)["items"]
        return {
            response["responseType"]: {
                key: response.get(key) for key in self._gateway_responses[response["responseType"]]
            }
            for response in responses
            if response["responseType"] in self._gateway_responses
        }

    def _read_stage(self, api_id: str) -> dict[str, Any]:
        stage = if_there(self._client.get_stage, restApiId=api_id, stageName=STAGE)
        if stage is None:
            return {"deployed": None, "throttling": None, "access_log": None}
        deployment = self._client.get_deployment(restApiId=api_id, deploymentId=stage["deploymentId"])
        limits = stage.get("methodSettings", {}).get("*/*", {})
        throttling = {"rateLimit": limits.get("throttlingRateLimit"), "burstLimit": limits.get("throttlingBurstLimit")}
        access_log = stage.get("accessLogSettings") or None
        return {"deployed": deployment.get("description"), "throttling": throttling, "access_log": access_log}


def api_id(context: Context) -> str:
    """Return the id that API Gateway gave the project's API.

    Raises:
        MissingStepError: there is no API yet.
    """
    return context.attribute(RestApi, "id")


def invoke_url(context: Context) -> str:
    """Return the public address of the API, where reviews are posted."""
    return context.environment.invoke_url(api_id(context), STAGE)


def method_arn(context: Context) -> str:
    """Return the ARN of what callers invoke: the POST on the stage's root.

    Raises:
        MissingStepError: there is no API yet.
    """
    return context.environment.arn("execute-api", f"{api_id(context)}/{STAGE}/POST/")


def who_is_shut_out(context: Context, steps: Iterable[Step]) -> str:
    """Tell whom a change of who may ask shuts out from now on; empty where it changed nobody's leave."""
    found = [step.changes["methods"] for step in steps if step.kind == RestApi.kind and "methods" in step.changes]
    for before, after in found:
        was, becomes = (methods.get("POST", {}).get("authorization") for methods in (before, after))
        # Where there was no POST, as after a kill half way, nobody was let in.
        if was and was != becomes and becomes != OPEN.method():
            way = way_of(context.settings)
            return f"From now on {way.who} may ask; all others, and pages that are open already, get {way.refusal}."
    return ""


def _as_wanted(method: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Put a method as AWS tells it into the shape of the definitions here, without the fields that AWS adds."""
    integration = method.get("methodIntegration", {})
    told = integration | {
        "integrationHttpMethod": integration.get("httpMethod")
    }  # put under one name, told under another
    return {
        "authorization": {key: method.get(key) for key in wanted.get("authorization", {})},
        "integration": {key: told.get(key) for key in wanted.get("integration", {})},
        "method_responses": {
            status: response.get("responseParameters", {})
            for status, response in method.get("methodResponses", {}).items()
        },
        "integration_responses": {
            status: {key: value for key, value in response.items() if value and key != "statusCode"}
            for status, response in integration.get("integrationResponses", {}).items()
        },
    }
