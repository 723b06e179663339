"""Where moto's control plane answers otherwise than AWS, in operations that a sentictl project uses."""

import json
import os
import re
import sys
from collections.abc import Callable
from typing import Any

from moto.core.utils import get_service_model
from moto.s3.models import FakeKey
from moto.sagemaker import exceptions
from moto.sagemaker.models import FakeEndpointConfig, FakeSagemakerNotebookInstance

from sentictl.twin.control_plane.control_plane import ACCOUNT, Call, ControlPlane, naive_utc, seconds
from sentictl.twin.control_plane.pagination import listing
from sentictl.twin.core.messages import Request, Response, authorization, json_response, json_rpc_error, rest_error

MANAGED_POLICIES = "MOTO_IAM_LOAD_MANAGED_POLICIES"
ASKING = {
    "x-amz-target": "ResourceGroupsTaggingAPI_20170126.GetResources",
    "content-type": "application/x-amz-json-1.1",
}
# moto's classes that check an instance type, with AWS's own list of those allowed there.
INSTANCE_TYPES: dict[Any, str] = {
    FakeEndpointConfig: "ProductionVariantInstanceType",
    FakeSagemakerNotebookInstance: "InstanceType",
}
MOST_POOLS = 5
SAGEMAKER_ARN = re.compile(r"arn:[^:]*:sagemaker:[^:]*:\d*:[^:/]+/[^:]+")
FUNCTION_ARN = re.compile(r"arn:[^:]*:lambda:[^:]*:\d*:function:[^:]+(:[^:]+)?")
TAGGED_API = re.compile(r"arn:aws:apigateway:[^:]*::/(?P<kind>restapis|usageplans|apikeys)/(?P<id>[^/]+)")


class MotoPatches:
    """Handlers that answer as AWS does where moto does not."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        # moto's API Gateway imports jsonschema, and that a package which builds a grammar of IRIs for a second or more,
        # where JupyterLab has brought it. Nothing here checks IRIs, and jsonschema does without.
        sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # its import fails
        for kind, listed in INSTANCE_TYPES.items():
            kind.validate_instance_type = _instance_type_check(listed)
        # A copy that goes out of use would close the parts of its upload, which the object itself still has.
        stored: Any = FakeKey
        stored.__del__ = lambda _key: None
        config: Any = FakeEndpointConfig
        config.validate_production_variants = _check_variants
        for operation in ("AttachRolePolicy", "GetPolicy", "GetPolicyVersion", "ListPolicies"):
            control.before["iam", operation] = self._load_managed_policies
        control.after["lambda", "UpdateFunctionCode"] = self._set_architectures
        control.before["lambda", "AddPermission"] = self._refuse_second_permission
        for operation in ("ListTags", "TagResource", "UntagResource"):
            control.before["lambda", operation] = self._not_a_function
        control.before["apigateway", "PutMethod"] = self._refuse_second_method
        control.before["apigateway", "PutMethodResponse"] = self._refuse_second_response
        control.before["apigateway", "GetIntegration"] = self._missing_integration
        control.before["apigateway", "DeleteRestApi"] = self._missing_api
        control.before["apigateway", "DeleteDeployment"] = self._let_go_of_stage
        control.in_order |= {("apigateway", "CreateRestApi"), ("apigateway", "CreateApiKey")}
        control.after["apigateway", "CreateRestApi"] = self._complete_api
        control.after["apigateway", "CreateApiKey"] = self._keep_key_time
        control.after["apigateway", "UpdateRestApi"] = self._patch_binary_media_types
        for operation in ("GetTags", "TagResource", "UntagResource"):
            control.instead["apigateway", operation] = self._api_tags
        control.after["sagemaker", "AddTags"] = self._replace_tags
        for operation in ("AddTags", "ListTags", "DeleteTags"):
            control.before["sagemaker", operation] = self._missing_resource
        control.in_order |= {("sagemaker", "CreateModel"), ("sagemaker", "CreateEndpointConfig")}
        control.after["sagemaker", "CreateModel"] = self._keep_model_time
        control.after["sagemaker", "CreateEndpointConfig"] = self._complete_config
        control.instead["sagemaker", "ListModels"] = self._list_models
        for operation in ("TagResource", "UntagResource", "ListTagsForResource"):
            control.before["logs", operation] = self._missing_log_group
        control.instead["tagging", "GetResources"] = self._tagged_resources
        control.weather.tagged = self._all_tags

    def _load_managed_policies(self, _call: Call) -> None:
        """moto would load AWS's managed policies at its first call, for six partitions, half a second each."""
        backend = self._control.backend("iam")
        if not backend.aws_managed_policies:
            os.environ[MANAGED_POLICIES] = "true"
            backend.aws_managed_policies = backend._init_aws_policies()
            backend.managed_policies |= backend._init_managed_policies()

    def _apis(self, call: Call) -> dict[str, Any]:
        apis: dict[str, Any] = self._control.backend("apigateway", call.region).apis
        return apis

    def _set_architectures(self, call: Call) -> None:
        """moto leaves the processor that a function's code is for as it was."""
        if "Architectures" in call.payload:
            name = call.labels["FunctionName"].rpartition(":")[2]
            self._functions(call)[name].architectures = call.payload["Architectures"]

    def _functions(self, call: Call) -> dict[str, Any]:
        backend = self._control.backend("lambda", call.region)
        return {function.function_name: function for function in backend.list_functions()}

    def _refuse_second_permission(self, call: Call) -> Response | None:
        """moto keeps two statements under one id."""
        name, functions = call.labels["FunctionName"].rpartition(":")[2], self._functions(call)
        wanted = call.payload.get("StatementId")
        if name not in functions or all(s.get("Sid") != wanted for s in functions[name].policy.statements):
            return None
        message = f"The statement id ({wanted}) provided already exists. Provide a new one, or remove the statement."
        return rest_error("ResourceConflictException", message, 409, Type="User")

    def _not_a_function(self, call: Call) -> Response | None:
        """moto breaks on what is no ARN."""
        if FUNCTION_ARN.fullmatch(call.labels["Resource"]):
            return None
        message = f"Invalid ARN: {call.labels['Resource']}"
        return rest_error("InvalidParameterValueException", message, 400, Type="User")

    def _method(self, call: Call) -> Any:
        """Return moto's object of the method that a call is about; None if there is none."""
        api = self._apis(call).get(call.labels["restapi_id"])
        resource = api.resources.get(call.labels["resource_id"]) if api else None
        return resource.resource_methods.get(call.labels["http_method"]) if resource else None

    def _refuse_second_method(self, call: Call) -> Response | None:
        """moto overwrites a method and loses its integration."""
        if not self._method(call):
            return None
        return rest_error("ConflictException", "Method already exists for this resource", 409)

    def _refuse_second_response(self, call: Call) -> Response | None:
        method = self._method(call)
        if not method or method.get_response(call.labels["status_code"]) is None:
            return None
        return rest_error("ConflictException", "Response already exists for this resource", 409)

    def _missing_integration(self, call: Call) -> Response | None:
        """moto answers an empty integration."""
        method = self._method(call)
        if method and method.method_integration:
            return None
        what = "Integration" if method else "Method"
        return rest_error("NotFoundException", f"Invalid {what} identifier specified", 404)

    def _missing_api(self, call: Call) -> Response | None:
        """moto breaks on an unknown API."""
        name = call.labels["restapi_id"]
        if name in self._apis(call):
            return None
        return rest_error("NotFoundException", f"Invalid API identifier specified {ACCOUNT}:{name}", 404)

    def _let_go_of_stage(self, call: Call) -> None:
        """moto refuses to delete a deployment whose stage serves another one by now."""
        identifier = call.labels["deployment_id"]
        api = self._apis(call).get(call.labels["restapi_id"])
        deployment = api.deployments.get(identifier) if api else None
        if api and deployment and all(stage.deployment_id != identifier for stage in api.stages.values()):
            deployment.stage_name = None

    def _complete_api(self, call: Call) -> None:
        """moto would say that it was made when the twin was started last, and drops the binary media types."""
        api = next(reversed(self._apis(call).values()))
        api.create_date = int(call.when)
        if "binaryMediaTypes" in call.payload:
            api.binaryMediaTypes = list(call.payload["binaryMediaTypes"])

    def _keep_key_time(self, call: Call) -> None:
        """moto would say that a key was made when the twin was started last."""
        key = next(reversed(self._control.backend("apigateway", call.region).keys.values()))
        key.created_date = key.last_updated_date = int(call.when)

    def _patch_binary_media_types(self, call: Call) -> None:
        """AWS has the media type in the patch's path, moto looks for it in its value."""
        api = self._apis(call)[call.labels["restapi_id"]]
        api.binaryMediaTypes = [kind for kind in api.binaryMediaTypes if kind]
        for patch in call.payload.get("patchOperations") or []:
            kind = patch["path"].removeprefix("/binaryMediaTypes/").replace("~1", "/")
            if kind == patch["path"]:
                continue
            kept = [known for known in api.binaryMediaTypes if known != kind]
            api.binaryMediaTypes = kept if patch["op"] == "remove" else [*kept, kind]

    def _api_tags(self, call: Call) -> Response:
        """moto has no tags of REST APIs, usage plans and keys apart from those that they are created with."""
        found = TAGGED_API.fullmatch(call.labels["resource_arn"])
        tagged = self._tagged_in_gateway(call.region)[found["kind"]].get(found["id"]) if found else None
        if tagged is None:
            return rest_error("NotFoundException", "Invalid API identifier specified", 404)
        tags = dict(tagged.tags or {})
        if call.request.method == "PUT":
            tagged.tags = tags | call.payload["tags"]
        if call.request.method == "DELETE":
            gone = call.request.args.getlist("tagKeys")
            tagged.tags = {name: value for name, value in tags.items() if name not in gone}
        return json_response(200, {"tags": tags}) if call.request.method == "GET" else Response(status=204)

    def _replace_tags(self, call: Call) -> None:
        """moto adds a second tag of the same key."""
        resource = self._control.backend("sagemaker", call.region)._get_resource_from_arn(call.payload["ResourceArn"])
        newest = {tag["Key"]: tag["Value"] for tag in resource.tags}
        resource.tags = [{"Key": key, "Value": value} for key, value in newest.items()]

    def _missing_resource(self, call: Call) -> Response | None:
        """moto breaks on the tags of what is not there, and on what is no ARN."""
        arn = call.payload["ResourceArn"]
        if not SAGEMAKER_ARN.fullmatch(arn):
            return json_rpc_error("ValidationException", f"Invalid ARN: {arn}")
        sagemaker = self._control.backend("sagemaker", call.region)
        kind, _, name = arn.rpartition(":")[2].partition("/")
        stores = {
            "training-job": sagemaker.training_jobs,
            "processing-job": sagemaker.processing_jobs,
            "hyper-parameter-tuning-job": sagemaker.hyper_parameter_tuning_jobs,
            "model": sagemaker._models,
            "endpoint-config": sagemaker.endpoint_configs,
            "endpoint": sagemaker.endpoints,
            "notebook-instance": sagemaker.notebook_instances,
        }
        if kind not in stores or name in stores[kind]:
            return None
        return json_rpc_error("ValidationException", f'Could not find {kind.replace("-", " ")} "{arn}".')

    def _list_models(self, call: Call) -> Response:
        """moto neither filters nor sorts nor pages."""
        models = self._control.backend("sagemaker", call.region)._models.values()
        found = [
            {"ModelName": m.model_name, "ModelArn": m.arn, "CreationTime": seconds(m.creation_time)} for m in models
        ]
        return listing("Models", "Model", found, {"SortOrder": "Descending"} | call.payload)

    def _keep_model_time(self, call: Call) -> None:
        """moto would say that a model was made when the twin was started last."""
        model = self._control.backend("sagemaker", call.region)._models[call.payload["ModelName"]]
        model.creation_time = naive_utc(call.when)

    def _complete_config(self, call: Call) -> None:
        """moto would say that it was made when the twin was started last, and drops the shadow variants."""
        config = self._control.backend("sagemaker", call.region).endpoint_configs[call.payload["EndpointConfigName"]]
        config.creation_time = naive_utc(call.when)
        config.shadow_production_variants = call.payload.get("ShadowProductionVariants")

    def _missing_log_group(self, call: Call) -> Response | None:
        """moto keeps tags of whatever it is told; AWS of log groups, whose ARN here does not end with `:*`."""
        name = call.payload["resourceArn"].partition(":log-group:")[2]
        if name in self._control.backend("logs", call.region).groups:
            return None
        return json_rpc_error("ResourceNotFoundException", "The specified log group does not exist.")

    def _tagged_resources(self, call: Call) -> Response:
        """GetResources for the services that moto's answer leaves out or gets wrong, joined with moto's own answer."""
        answer = self._control.ask_moto(call.request)
        document = json.loads(answer.get_data())
        if not answer.ok or document.get("PaginationToken"):
            return answer
        own = re.compile(r"\('?arn:|arn:aws:(sagemaker|apigateway):")
        kept = [entry for entry in document["ResourceTagMappingList"] if not own.match(entry["ResourceARN"])]
        known = {**self._control.weather.ghosts(call.region), **self._own_tags(call.region)}
        wanted = {arn: tags for arn, tags in known.items() if _is_wanted(arn, tags, call.payload)}
        mine = [{"ResourceARN": arn, "Tags": _tag_list(tags)} for arn, tags in wanted.items()]
        return json_response(200, document | {"ResourceTagMappingList": kept + mine})

    def _all_tags(self, region: str) -> dict[str, dict[str, str]]:
        """Return the tags of all that GetResources tells of in a region, by ARN."""
        request = Request.make("POST", "/", "", {"authorization": authorization("tagging", region), **ASKING}, b"{}")
        listed = json.loads(self._control.ask_moto(request).get_data())["ResourceTagMappingList"]
        own = self._own_tags(region)
        return {entry["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in entry["Tags"]} for entry in listed} | own

    def _own_tags(self, region: str) -> dict[str, dict[str, str]]:
        sagemaker = self._control.backend("sagemaker", region)
        stores = (
            *(sagemaker.training_jobs, sagemaker.processing_jobs, sagemaker.hyper_parameter_tuning_jobs),
            *(sagemaker._models, sagemaker.endpoints, sagemaker.notebook_instances, sagemaker.transform_jobs),
        )
        resources = {resource.arn: resource.tags for store in stores for resource in store.values()}
        resources |= {config.endpoint_config_arn: config.tags for config in sagemaker.endpoint_configs.values()}
        tags = {arn: {tag["Key"]: tag["Value"] for tag in listed} for arn, listed in resources.items()}
        gateway = self._tagged_in_gateway(region)
        place = f"arn:aws:apigateway:{region}::"
        return (
            tags
            | self._pool_tags(region)
            | self._web_acl_tags(region)
            | {
                f"{place}/{kind}/{name}": dict(resource.tags or {})
                for kind, tagged in gateway.items()
                for name, resource in tagged.items()
            }
        )

    def _tagged_in_gateway(self, region: str) -> dict[str, dict[str, Any]]:
        """API Gateway's resources that have tags, by the part of their ARNs that says of what kind they are."""
        backend = self._control.backend("apigateway", region)
        return {"restapis": backend.apis, "usageplans": backend.usage_plans, "apikeys": backend.keys}

    def _pool_tags(self, region: str) -> dict[str, dict[str, str]]:
        """User pools' tags, which moto's own list lacks. Where none was made, their backend is not even loaded."""
        if region not in self._control.regions("cognito-idp"):
            return {}
        pools = self._control.backend("cognito-idp", region).user_pools.values()
        return {pool.arn: dict(pool.extended_config.get("UserPoolTags") or {}) for pool in pools}

    def _web_acl_tags(self, region: str) -> dict[str, dict[str, str]]:
        if region not in self._control.regions("wafv2"):
            return {}
        backend = self._control.backend("wafv2", region)
        listed = {arn: backend.tagging_service.list_tags_for_resource(arn)["Tags"] for arn in backend.wacls}
        return {arn: {tag["Key"]: tag["Value"] for tag in tags} for arn, tags in listed.items()}


def _instance_type_check(listed: str) -> Callable[[Any, str], None]:
    """Make the check of an instance type against AWS's list; moto's own lists lack most of what SageMaker has."""

    def check(_checked: Any, instance_type: str) -> None:
        types = get_service_model("sagemaker").shape_for(listed).enum
        if instance_type not in types:
            raise exceptions.ValidationError(
                f"Value '{instance_type}' at 'instanceType' failed to satisfy constraint: "
                f"Member must satisfy enum value set: [{', '.join(types)}]"
            )

    return check


def _check_variants(config: Any, variants: list[dict[str, Any]]) -> None:
    """Check what the variants of an endpoint config run on; moto knows no pools of instances."""
    for variant in variants:
        _check_capacity(variant)
        for pool in variant.get("InstancePools") or [variant]:
            if "InstanceType" in pool:
                config.validate_instance_type(pool["InstanceType"])
        if "ServerlessConfig" in variant:
            config.validate_serverless_config(variant["ServerlessConfig"])


def _check_capacity(variant: dict[str, Any]) -> None:
    given = [kind for kind in ("InstanceType", "InstancePools", "ServerlessConfig") if kind in variant]
    if len(given) != 1:
        raise exceptions.ValidationError(
            f"The variant {variant['VariantName']} needs one of InstanceType, InstancePools and ServerlessConfig."
        )
    priorities = [pool["Priority"] for pool in variant.get("InstancePools") or []]
    if len(set(priorities)) < len(priorities) or len(priorities) > MOST_POOLS:
        raise exceptions.ValidationError(
            f"The variant {variant['VariantName']} can have {MOST_POOLS} instance pools, each of another priority."
        )


def _is_wanted(arn: str, tags: dict[str, str], wanted: dict[str, Any]) -> bool:
    if not tags or not _is_of_type(arn, wanted.get("ResourceTypeFilters") or []):
        return False
    if wanted.get("ResourceARNList") and arn not in wanted["ResourceARNList"]:
        return False
    filters = wanted.get("TagFilters") or []
    return all(f["Key"] in tags and (not f.get("Values") or tags[f["Key"]] in f["Values"]) for f in filters)


def _is_of_type(arn: str, types: list[str]) -> bool:
    """Types are `sagemaker` or `sagemaker:endpoint`; API Gateway's resources begin with a slash."""
    service, resource = arn.split(":")[2], arn.split(":")[5].strip("/").partition("/")[0]
    return not types or service in types or f"{service}:{resource}" in types


def _tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
