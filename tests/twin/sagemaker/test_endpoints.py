"""Endpoints, and what InvokeEndpoint answers."""

import threading
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.conftest import INFERENCE, Cloud, code_of, wait_for


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud) -> str:
    name = cloud.endpoint(cloud.endpoint_config())
    assert cloud.settled(name)["EndpointStatus"] == "InService"
    return name


def test_an_endpoint_comes_into_service(cloud: Cloud) -> None:
    config = cloud.endpoint_config()
    name = cloud.endpoint(config)
    assert cloud.sagemaker.describe_endpoint(EndpointName=name)["EndpointStatus"] in ("Creating", "InService")
    found = cloud.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", config)
    assert found["ProductionVariants"][0]["VariantName"] == "AllTraffic"
    assert found["ProductionVariants"][0]["DeployedImages"][0]["SpecifiedImage"] == "pytorch-inference"


@pytest.mark.parametrize(
    ("content_type", "kind"), [("text/plain", "bytes"), ("application/json", "str"), ("text/csv", "str")]
)
def test_bodies_arrive_as_the_container_hands_them_on(
    cloud: Cloud, endpoint: str, content_type: str, kind: str
) -> None:
    assert cloud.ask(endpoint, "schön".encode(), content_type) == {
        "model": "one",
        "kind": kind,
        "text": "schön",
        "accept": "*/*",
    }


def test_headers_of_an_answer(cloud: Cloud, endpoint: str) -> None:
    answer = cloud.sagemaker_runtime.invoke_endpoint(EndpointName=endpoint, Body=b"x", Accept="application/json")
    assert (answer["ContentType"], answer["InvokedProductionVariant"]) == ("application/json", "AllTraffic")


def test_a_raising_model_is_a_model_error(cloud: Cloud, endpoint: str) -> None:
    with pytest.raises(cloud.sagemaker_runtime.exceptions.ModelError) as caught:
        cloud.ask(endpoint, b"raise")
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert caught.value.response["OriginalStatusCode"] == 500
    assert caught.value.response["OriginalMessage"] == "cannot predict"


def test_what_the_model_prints_is_logged(cloud: Cloud, endpoint: str) -> None:
    wait_for(lambda: "loaded one" in cloud.lines(f"/aws/sagemaker/Endpoints/{endpoint}"))


def test_unknown_endpoints(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match=r"ValidationError.*unknown of account 123456789012 not found"):
        cloud.ask("unknown")
    with pytest.raises(ClientError, match="ValidationException"):
        cloud.sagemaker.describe_endpoint(EndpointName="unknown")


def test_bodies_over_the_limit(cloud: Cloud, endpoint: str) -> None:
    with pytest.raises(ClientError) as caught:
        cloud.ask(endpoint, b"x" * (6 * 1024 * 1024 + 1))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_a_missing_artifact_fails_the_endpoint(cloud: Cloud) -> None:
    found = cloud.settled(cloud.endpoint(cloud.endpoint_config(files={})))
    assert found["EndpointStatus"] == "Failed"
    assert "Failed to download model data" in found["FailureReason"]


def test_a_model_that_does_not_load_fails_the_endpoint(cloud: Cloud) -> None:
    name = cloud.endpoint(cloud.endpoint_config(BROKEN="yes"))
    found = cloud.settled(name)
    assert found["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in found["FailureReason"]
    assert "weights are missing" in found["FailureReason"]
    with pytest.raises(ClientError, match="ValidationError"):
        cloud.ask(name)


def test_an_update_fails_no_request(cloud: Cloud) -> None:
    name = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(name)
    answers: list[str] = []
    enough = threading.Event()

    def ask() -> None:
        while not enough.is_set():
            answers.append(cloud.ask(name)["model"])

    asking = threading.Thread(target=ask)
    asking.start()
    config = cloud.endpoint_config(WORD="two")
    cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=config)
    assert cloud.settled(name)["EndpointConfigName"] == config
    wait_for(lambda: answers[-1:] == ["two"])
    enough.set()
    asking.join()
    assert sorted(set(answers)) == ["one", "two"]
    assert answers == sorted(answers)


def test_a_failed_update_leaves_the_old_model_in_service(cloud: Cloud) -> None:
    config = cloud.endpoint_config()
    name = cloud.endpoint(config)
    cloud.settled(name)
    cloud.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=cloud.endpoint_config(BROKEN="yes"))
    found = cloud.settled(name)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", config)
    assert "weights are missing" in found["FailureReason"]
    assert cloud.ask(name)["model"] == "one"


def test_what_aws_refuses(cloud: Cloud, endpoint: str) -> None:
    with pytest.raises(ClientError, match="Could not find endpoint configuration"):
        cloud.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName="unknown")
    with pytest.raises(ClientError, match="Could not find endpoint"):
        cloud.sagemaker.update_endpoint(EndpointName="unknown", EndpointConfigName="unknown")
    slow = cloud.endpoint(cloud.endpoint_config({"code/inference.py": "import time\ntime.sleep(1)\n" + INFERENCE}))
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        cloud.sagemaker.update_endpoint(EndpointName=slow, EndpointConfigName=cloud.endpoint_config())
    with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
        cloud.sagemaker.delete_endpoint(EndpointName=slow)


def test_a_deleted_endpoint_is_gone(cloud: Cloud) -> None:
    name = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(name)
    cloud.sagemaker.delete_endpoint(EndpointName=name)
    with pytest.raises(ClientError, match="not found"):
        cloud.ask(name)


def test_names_are_unique(cloud: Cloud) -> None:
    config = cloud.endpoint_config()
    name = cloud.endpoint(config)
    with pytest.raises(ClientError, match="Cannot create already existing endpoint"):
        cloud.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)


def test_a_model_that_ends_its_process_is_started_again(cloud: Cloud) -> None:
    code = INFERENCE.replace('if body == b"raise"', 'if body == b"die":\n        os._exit(9)\n    if body == b"raise"')
    name = cloud.endpoint(cloud.endpoint_config({"code/inference.py": code}))
    cloud.settled(name)
    with pytest.raises(ClientError, match="ModelError") as caught:
        cloud.ask(name, b"die")
    assert caught.value.response["OriginalStatusCode"] == 503
    refusals = []

    def answer() -> Any:
        try:
            return cloud.ask(name)["text"]
        except ClientError as refusal:
            refusals.append(refusal.response)
            return None

    assert wait_for(answer) == "good"
    assert {refusal["Error"]["Code"] for refusal in refusals} == {"ServiceUnavailable"}
    assert {refusal["ResponseMetadata"]["HTTPStatusCode"] for refusal in refusals} == {503}
    wait_for(lambda: cloud.lines(f"/aws/sagemaker/Endpoints/{name}").count("loaded one") == 2)
    assert cloud.settled(name)["EndpointStatus"] == "InService"


def test_a_serverless_endpoint(cloud: Cloud) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 1}
    name = cloud.endpoint(cloud.endpoint_config(serverless=serverless))
    found = cloud.settled(name)["ProductionVariants"][0]
    assert found["CurrentServerlessConfig"] == serverless
    assert "CurrentInstanceCount" not in found
    assert cloud.ask(name)["model"] == "one"
    with pytest.raises(ClientError) as caught:
        cloud.ask(name, b"x" * (4 * 1024 * 1024 + 1))
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_between_serverless_and_instances_no_endpoint_is_updated(cloud: Cloud, endpoint: str) -> None:
    serverless = cloud.endpoint_config(serverless={"MemorySizeInMB": 1024, "MaxConcurrency": 1})
    refused = code_of(cloud.sagemaker.update_endpoint, EndpointName=endpoint, EndpointConfigName=serverless)
    assert refused == "ValidationException"
    assert cloud.ask(endpoint)["model"] == "one"
