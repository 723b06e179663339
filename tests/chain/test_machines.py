"""Machines other than the default: those with a Graviton processor, and those with a GPU."""

from tests.chain.shell import Shell


def image(live: Shell) -> str:
    """The image that the endpoint runs in, as SageMaker tells it."""
    client = live.client("sagemaker")
    config = client.describe_endpoint(EndpointName="toy-local-endpoint")["EndpointConfigName"]
    (variant,) = client.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    return str(client.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]["Image"])


def test_the_endpoint_moves_to_graviton_and_to_a_gpu_with_the_image_of_each(live: Shell) -> None:
    assert "/pytorch-inference:" in image(live)
    live.run("deploy", "--instance-type", "ml.c8g.large")
    assert "/pytorch-inference-arm64:" in image(live)
    assert live.json("predict", "superb", "--via", "endpoint")["sentiment"] == 1
    shown = live.run("deploy", "--instance-type", "ml.g5.xlarge").stderr
    assert "-gpu-" in image(live)
    assert "the GPU of ml.g5.xlarge is idle" in shown
    assert any("the GPU of ml.g5.xlarge is idle" in warning for warning in live.json("status")["warnings"])
    assert live.json("predict", "superb", "--via", "endpoint")["sentiment"] == 1


def test_a_machine_that_no_image_runs_on_is_refused_before_anything_changes(live: Shell) -> None:
    before = live.journal(), (live.folder / "sentictl.toml").read_bytes()
    for command in (("deploy", "--instance-type", "ml.inf2.xlarge"), ("train", "--instance-type", "ml.p3.2xlarge")):
        error = live.json(*command, expect=2)["error"]
        assert command[-1] in error["message"]
    live.run("config", "set", "deploy.instance_type", "ml.trn1.2xlarge", expect=2)
    assert (live.journal(), (live.folder / "sentictl.toml").read_bytes()) == before
