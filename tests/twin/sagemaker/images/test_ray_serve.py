"""Endpoints of AWS's Ray Serve image, and what their deployments are handed."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.conftest import Cloud

IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/ray:serve-ml-sagemaker-cpu-v1.4"
CONFIG = "applications:\n  - name: a\n    route_prefix: /\n    import_path: deployment:app\n"
DEPLOYMENT = """
import json
from helper import WORD
from ray import serve
from starlette.requests import Request
from starlette.responses import Response

@serve.deployment(num_replicas=2)
class Echo:
    def __init__(self, word: str) -> None:
        self.word = word

    async def __call__(self, request: Request):
        body = await request.body()
        match body:
            case b"nothing":
                return None
            case b"bytes":
                return b"bytes"
            case b"raise":
                raise RuntimeError("cannot predict")
            case b"refuse":
                return Response("not this", status_code=422, media_type="text/plain")
            case b"text":
                return "a text"
            case b"value":
                return {"plain": True}
        told = {"word": self.word, "kind": type(body).__name__, "text": body.decode()}
        told |= {name: request.headers[name] for name in ("Content-Type", "accept")}
        return Response(json.dumps(told), media_type="application/json")

app = Echo.bind(WORD)
"""
FILES = {"config.yaml": CONFIG, "deployment.py": DEPLOYMENT, "code/helper.py": "WORD = 'one'\n"}


def served(cloud: Cloud, files: dict[str, str], **environment: Any) -> dict[str, Any]:
    """An endpoint of the image that has come to rest."""
    return cloud.settled(cloud.endpoint(cloud.endpoint_config(files, image=IMAGE, serverless=None, **environment)))


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud) -> str:
    found = served(cloud, FILES)
    assert found["EndpointStatus"] == "InService", found.get("FailureReason")
    return str(found["EndpointName"])


@pytest.mark.parametrize("content_type", ["text/plain", "application/json", "text/csv; charset=latin1"])
def test_every_body_arrives_as_bytes(cloud: Cloud, endpoint: str, content_type: str) -> None:
    assert cloud.ask(endpoint, "schön".encode(), content_type) == {
        "word": "one",
        "kind": "bytes",
        "text": "schön",
        "Content-Type": content_type,
        "accept": "*/*",
    }


@pytest.mark.parametrize(
    ("body", "content_type", "answer"),
    [
        (b"text", "text/plain; charset=utf-8", b"a text"),
        (b"bytes", "text/plain", b"bytes"),
        (b"nothing", "text/plain", b""),
        (b"value", "application/json", b'{"plain":true}'),
    ],
)
def test_what_is_no_response_becomes_one(
    cloud: Cloud, endpoint: str, body: bytes, content_type: str, answer: bytes
) -> None:
    given = cloud.sagemaker_runtime.invoke_endpoint(EndpointName=endpoint, Body=body)
    assert (given["ContentType"], given["Body"].read()) == (content_type, answer)


@pytest.mark.parametrize(("body", "status"), [(b"raise", 500), (b"refuse", 422)])
def test_a_status_of_the_deployments_is_a_model_error(cloud: Cloud, endpoint: str, body: bytes, status: int) -> None:
    with pytest.raises(cloud.sagemaker_runtime.exceptions.ModelError) as caught:
        cloud.ask(endpoint, body)
    assert caught.value.response["OriginalStatusCode"] == status


def test_an_artifact_without_a_config_is_served_by_the_variable(cloud: Cloud) -> None:
    files = {name: text for name, text in FILES.items() if name != "config.yaml"}
    found = served(cloud, files, SM_RAYSERVE_APP="deployment:app")
    assert cloud.ask(found["EndpointName"])["word"] == "one"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"config.yaml": "applications: []\n"}, "has to have one application"),
        ({"config.yaml": CONFIG.replace("route_prefix: /", "route_prefix: /other")}, "with the route_prefix /"),
        ({"deployment.py": "app = 1\n"}, "app in deployment.py is no bound deployment"),
        ({"deployment.py": "from ray import serve\nserve.ingress(1)\n"}, "not for ray.serve.ingress"),
        ({"deployment.py": f"{DEPLOYMENT}\napp = Echo.bind(app)\n"}, "one deployment alone"),
        ({"deployment.py": f"{DEPLOYMENT}\napp = Echo.bind()\n"}, "TypeError"),
    ],
)
def test_what_cannot_be_served_fails_with_the_reason(cloud: Cloud, changed: dict[str, str], reason: str) -> None:
    found = served(cloud, FILES | changed)
    assert found["EndpointStatus"] == "Failed"
    assert reason in found["FailureReason"]


def test_an_artifact_that_names_no_deployment_fails(cloud: Cloud) -> None:
    found = served(cloud, {"code/inference.py": "pass"})
    assert "No Ray Serve application found" in found["FailureReason"]


def test_a_model_of_an_image_that_nothing_stands_in_for_is_refused(cloud: Cloud) -> None:
    for member in ("PrimaryContainer", "Containers"):
        container = {"Image": "111122223333.dkr.ecr.us-east-1.amazonaws.com/reviews:1"}
        given: dict[str, Any] = {member: container if member == "PrimaryContainer" else [container]}
        with pytest.raises(ClientError, match=r"image .*/reviews:1 not found: a local twin runs no containers"):
            cloud.sagemaker.create_model(ModelName="own", ExecutionRoleArn=cloud.execution_role, **given)
