"""API Gateway: the REST API in front of the function, and the permission to call it.

The stage's root takes POST (the function), OPTIONS (preflight, answered by the gateway itself) and, where the page is
published with the API, GET (the page's object on S3). Every answer of the gateway's own carries the CORS headers, and
where the stage is throttled it says when to ask again.
"""

import json
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from sentictl.aws.lookup import if_there
from sentictl.aws.names import digest_of
from sentictl.config.state import Record
from sentictl.lifecycle.cost import Use
from sentictl.lifecycle.resource import Actions, Context, Entries, LiveResource, Resource
from sentictl.services.iam.roles import PageRole
from sentictl.services.page.render import HEADERS
from sentictl.services.pricing.table import prices
from sentictl.services.web.function import Function
from sentictl.services.web.rest_api_template import parts_of_api

STAGE = "prod"
PAGE_KEY = "site/index.html"
CORS = {
    "Access-Control-Allow-Origin": "'*'",
    "Access-Control-Allow-Methods": "'GET,POST,OPTIONS'",
    "Access-Control-Allow-Headers": "'Content-Type,Accept'",
}
PREFLIGHT = CORS | {"Access-Control-Max-Age": "'600'"}
# Where Lambda refuses to run the function, because too many of its invocations run, API Gateway would answer 500; of
# which type that is, its users tell differently (https://stackoverflow.com/questions/36363280, and AWS re:Post). A new
# permission is an API_CONFIGURATION_ERROR for its first minutes, too.
FOR_THE_MOMENT = ("INTEGRATION_FAILURE", "API_CONFIGURATION_ERROR")
AGAIN_SECONDS = 1
# The same shape as the errors of the function, so that a page needs to understand only one.
ERROR_TEMPLATE = '{"error":{"code":"$context.error.responseType","message":$context.error.messageString}}'
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
            "methods": self._methods,
            "gateway_responses": self._gateway_responses,
            "deployed": self._definition,
            "throttling": {"rateLimit": float(api.throttle_rate), "burstLimit": api.throttle_burst},
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
            "methods": self._read_methods(api_id),
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
        for verb in METHODS:
            self._put_method(api_id, root, verb)
        for kind, response in self._gateway_responses.items():
            self._client.put_gateway_response(restApiId=api_id, responseType=kind, **response)
        self._client.create_deployment(restApiId=api_id, stageName=STAGE, description=self._definition)
        throttling = self.desired()["throttling"]
        stage = self._client.update_stage(
            restApiId=api_id,
            stageName=STAGE,
            patchOperations=[
                {"op": "replace", "path": f"/*/*/throttling/{limit}", "value": str(value)}
                for limit, value in throttling.items()
            ],
        )
        self._delete_old_deployments(api_id, serving=stage["deploymentId"])

    def delete(self, record: Record) -> None:
        for api in self._find(record.name):
            self._delete(api["id"])

    def summary(self) -> str:
        api = self.context.settings.api
        return f"POST for everybody, {api.throttle_rate:g} requests a second at most"

    def facts(self, record: Record) -> Sequence[str]:
        return [invoke_url(self.context)] if record.arn else []

    def scope(self, action: str) -> Sequence[str]:
        """Name all APIs: their ids are API Gateway's own, so that no pattern tells this project's from others."""
        place = f"arn:{self.context.environment.partition}:apigateway:{self.context.environment.region}::"
        arns = [f"{place}/restapis", f"{place}/restapis/*", f"{place}/tags/*"]
        return arns if action.startswith("apigateway:") else []

    def uses(self) -> Sequence[Use]:
        return [Use("API Gateway", "1,000 predictions", prices()["api_million_requests"] / 1000)]

    def cloudformation(self) -> Entries:
        desired = self.desired()
        properties = {
            "Name": self.name,
            "EndpointConfiguration": {"Types": ["REGIONAL"]},
            "BinaryMediaTypes": desired["binary_media_types"],
        }
        return self.entry("AWS::ApiGateway::RestApi", properties) | parts_of_api(self.logical_id, STAGE, desired)

    @property
    def _client(self) -> Any:
        return self.context.environment.client("apigateway")

    @cached_property
    def _methods(self) -> dict[str, Any]:
        page = self.context.settings.site.publish == "api"
        methods = {"POST": _function_method(self.context), "OPTIONS": _preflight_method()}
        return methods | ({"GET": _page_method(self.context)} if page else {})

    @cached_property
    def _gateway_responses(self) -> dict[str, Any]:
        # The bucket of a throttled stage gets `throttle_rate` new tokens a second: so long does one take to come.
        next_token = math.ceil(1 / self.context.settings.api.throttle_rate)
        unavailable = {"statusCode": "503", **_gateway_response({"Retry-After": f"'{AGAIN_SECONDS}'"})}
        return {
            "DEFAULT_4XX": _gateway_response({}),
            "DEFAULT_5XX": _gateway_response({}),
            "THROTTLED": _gateway_response({"Retry-After": f"'{next_token}'"}),
            **dict.fromkeys(FOR_THE_MOMENT, unavailable),
        }

    @property
    def _definition(self) -> str:
        """The digest of what a deployment has to hold: it is the deployment's description."""
        return digest_of(BINARY_MEDIA_TYPES, self._methods, self._gateway_responses)

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
        region, partition = self.context.environment.region, self.context.environment.partition
        return f"arn:{partition}:apigateway:{region}::/restapis/{api_id}"

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

    def _put_method(self, api_id: str, root: str, verb: str) -> None:
        place = {"restApiId": api_id, "resourceId": root, "httpMethod": verb}
        if if_there(self._client.get_method, **place):
            if_there(
                self._client.delete_method, **place
            )  # a method cannot be put twice; the deployed stage serves on meanwhile
        wanted = self._methods.get(verb)
        if wanted is None:
            return
        self._client.put_method(**place, authorizationType="NONE")
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
        return {verb: _as_wanted(method, self._methods.get(verb, {})) for verb, method in found.items() if method}

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
            return {"deployed": None, "throttling": None}
        deployment = self._client.get_deployment(restApiId=api_id, deploymentId=stage["deploymentId"])
        limits = stage.get("methodSettings", {}).get("*/*", {})
        throttling = {"rateLimit": limits.get("throttlingRateLimit"), "burstLimit": limits.get("throttlingBurstLimit")}
        return {"deployed": deployment.get("description"), "throttling": throttling}


class Permission(Resource):
    """API Gateway's permission to call the function: from this API's POST on the root and from nowhere else."""

    kind = "permission"
    command = "wire-api"
    tagged = False
    actions = Actions(
        read="lambda:GetPolicy lambda:GetFunction lambda:ListTags",
        create="lambda:AddPermission",
        update="lambda:RemovePermission lambda:AddPermission",
        delete="lambda:RemovePermission",
    )

    @property
    def name(self) -> str:
        return self.context.naming.name("api")

    def desired(self) -> Mapping[str, Any]:
        return {"source_arn": self._source_arn()}

    def read(self, name: str) -> LiveResource | None:
        client = self.context.environment.client("lambda")
        answer = if_there(client.get_policy, FunctionName=self.context.naming.name("predict"))
        statements = json.loads(answer["Policy"])["Statement"] if answer else []
        for statement in statements:
            if statement["Sid"] == name:
                source = statement.get("Condition", {}).get("ArnLike", {}).get("AWS:SourceArn")
                return LiveResource(statement["Resource"], fields={"source_arn": source})
        return None

    def tags(self, name: str) -> Mapping[str, str]:  # noqa: ARG002  (the function's)
        function = Function(self.context)
        return function.tags(function.name)

    def create(self) -> None:
        self.context.environment.client("lambda").add_permission(
            FunctionName=self.context.naming.name("predict"),
            StatementId=self.name,
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
            SourceArn=self._source_arn(),
        )

    def update(self) -> None:
        self._remove(self.name)
        self.create()

    def delete(self, record: Record) -> None:
        self._remove(record.name)

    def cloudformation(self) -> Entries:
        properties = {
            "FunctionName": Function(self.context).arn,
            "Action": "lambda:InvokeFunction",
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": self._source_arn(),
        }
        return {self.logical_id: {"Type": "AWS::Lambda::Permission", "Properties": properties}}

    def _remove(self, name: str) -> None:
        remove = self.context.environment.client("lambda").remove_permission
        if_there(remove, FunctionName=self.context.naming.name("predict"), StatementId=name)

    def _source_arn(self) -> str:
        return self.context.environment.arn("execute-api", f"{api_id(self.context)}/{STAGE}/POST/")


def api_id(context: Context) -> str:
    """Return the id that API Gateway gave the project's API.

    Raises:
        MissingStepError: there is no API yet.
    """
    return context.attribute(RestApi, "id")


def invoke_url(context: Context) -> str:
    """Return the public address of the API, where reviews are posted."""
    return context.environment.invoke_url(api_id(context), STAGE)


def _function_method(context: Context) -> dict[str, Any]:
    environment = context.environment
    path = f"path/2015-03-31/functions/{Function(context).arn}/invocations"
    integration = {
        "type": "AWS_PROXY",
        "integrationHttpMethod": "POST",
        "uri": f"arn:{environment.partition}:apigateway:{environment.region}:lambda:{path}",
    }
    return {"integration": integration, "method_responses": {}, "integration_responses": {}}


def _preflight_method() -> dict[str, Any]:
    integration = {
        "type": "MOCK",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "contentHandling": "CONVERT_TO_TEXT",  # the template needs text where all media types count as binary
        "passthroughBehavior": "WHEN_NO_TEMPLATES",  # a body of another type is a 415; passed on, it would be a 500
    }
    return {
        "integration": integration,
        "method_responses": {"200": _declared(PREFLIGHT)},
        "integration_responses": {"200": {"responseParameters": _method_headers(PREFLIGHT)}},
    }


def _page_method(context: Context) -> dict[str, Any]:
    environment, bucket = context.environment, context.naming.bucket
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "GET",
        "uri": f"arn:{environment.partition}:apigateway:{environment.region}:s3:path/{bucket}/{PAGE_KEY}",
        "credentials": PageRole(context).arn,
    }
    passed_on = {header: f"integration.response.header.{header}" for header in ("Content-Type", "Cache-Control")}
    found = CORS | {header: f"'{value}'" for header, value in HEADERS.items()} | passed_on
    failed = CORS | {"Content-Type": passed_on["Content-Type"]}
    return {
        "integration": integration,
        "method_responses": {"200": _declared(found), "404": _declared(failed), "502": _declared(failed)},
        # By what S3 answers. It says 403 of a missing object to those who may not list the bucket; the one without a
        # pattern is for all else: S3's own failures, and redirects, which API Gateway does not follow.
        "integration_responses": {
            "200": {"responseParameters": _method_headers(found), "selectionPattern": r"2\d{2}"},
            "404": {"responseParameters": _method_headers(failed), "selectionPattern": "40[34]"},
            "502": {"responseParameters": _method_headers(failed)},
        },
    }


def _gateway_response(headers: Mapping[str, str]) -> dict[str, Any]:
    sent = {**CORS, "Access-Control-Expose-Headers": "'Retry-After'", **headers}
    return {
        "responseParameters": {f"gatewayresponse.header.{header}": value for header, value in sent.items()},
        "responseTemplates": {"application/json": ERROR_TEMPLATE},
    }


def _method_headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {f"method.response.header.{header}": value for header, value in headers.items()}


def _declared(headers: Mapping[str, str]) -> dict[str, bool]:
    return dict.fromkeys(_method_headers(headers), False)


def _as_wanted(method: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Put a method as AWS tells it into the shape of the definitions here, without the fields that AWS adds."""
    integration = method.get("methodIntegration", {})
    told = integration | {
        "integrationHttpMethod": integration.get("httpMethod")
    }  # put under one name, told under another
    return {
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
