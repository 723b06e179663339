"""What of a person's environment reaches the code that runs in a twin."""

import json
from pathlib import Path

import pytest

from sentictl.twin import daemon
from tests.twin.conftest import INFERENCE, Cloud
from tests.twin.lambda_.test_functions import ECHO, invoke
from tests.twin.sagemaker.training.test_jobs import GROUP

SECRETS = {
    "GITHUB_TOKEN": "planted",
    "DB_PASSWORD": "planted",
    "HTTPS_PROXY": "http://somebody:planted@127.0.0.1:9",
    "BOTO_CONFIG": "/planted",
    "AWS_SECRET_ACCESS_KEY": "planted",
    "AWS_SESSION_TOKEN": "planted",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9/planted",
    "SENTICTL_ENV": "planted",
}
WANTED = {"TZ": "Pacific/Auckland", "OMP_NUM_THREADS": "1"}
TRAIN = "import json, os; print(json.dumps(dict(os.environ)))"
ANSWER = "\ndef predict_fn(data, model):\n    return {'environment': dict(os.environ)}\n"


@pytest.fixture
def cloud(own_home: Path) -> Cloud:
    """A twin that a person with secrets in the environment has started."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (SECRETS | WANTED).items():
            patch.setenv(name, value)
        daemon.start(own_home)
    return Cloud(daemon.access(own_home))


def test_code_in_the_twin_sees_no_secret_of_the_persons(cloud: Cloud) -> None:
    job = cloud.train(TRAIN)
    endpoint = cloud.endpoint(cloud.endpoint_config({"code/inference.py": INFERENCE + ANSWER}))
    in_function = invoke(cloud, cloud.function(ECHO))[0]["environment"]
    assert cloud.settled(endpoint)["EndpointStatus"] == "InService"
    in_server = cloud.ask(endpoint)["environment"]
    cloud.trained(job)
    in_job = json.loads(next(line for line in cloud.lines(GROUP, job) if line.startswith("{")))
    for environment in (in_function, in_server, in_job):
        assert "planted" not in json.dumps(environment)
        assert environment["AWS_ENDPOINT_URL"] == cloud.url
    for environment in (in_server, in_job):
        assert environment.items() >= WANTED.items()
