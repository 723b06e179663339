"""ImportRestApi: what an OpenAPI document says, and what its API then does."""

import json

from tests.twin.apigateway.test_gateway import HTTP, Api
from tests.twin.conftest import Cloud


def test_an_api_of_an_openapi_document(cloud: Cloud) -> None:
    answer = {"statusCode": "200", "responseParameters": {"method.response.header.X-Told": "'yes'"}}
    operation = {
        "responses": {"200": {"description": "", "headers": {"X-Told": {"schema": {"type": "string"}}}}},
        "x-amazon-apigateway-integration": {
            "type": "mock",
            "requestTemplates": {"application/json": '{"statusCode": 200}'},
            "responses": {"default": answer},
        },
    }
    refusal = {"statusCode": "404", "responseParameters": {"gatewayresponse.header.X-Refused": "'yes'"}}
    document = {
        "openapi": "3.0.1",
        "info": {"title": "told", "version": "1", "description": "of a document"},
        "paths": {"/": {"get": operation}, "/below": {"get": operation}},
        "x-amazon-apigateway-binary-media-types": ["image/png"],
        "x-amazon-apigateway-gateway-responses": {"DEFAULT_4XX": refusal},
    }
    made = cloud.apigateway.import_rest_api(body=json.dumps(document).encode(), failOnWarnings=True)
    api = Api(cloud, made["id"], made["rootResourceId"])
    url = api.deploy()
    assert cloud.apigateway.get_rest_api(restApiId=api.id)["binaryMediaTypes"] == ["image/png"]
    asked = (("GET", url), ("GET", f"{url}below"), ("PUT", url))
    answers = [HTTP.request(method, where) for method, where in asked]
    assert [answer.status for answer in answers] == [200, 200, 404]
    assert [answer.headers.get("X-Told") for answer in answers] == ["yes", "yes", None]
    assert answers[-1].headers["X-Refused"] == "yes"
