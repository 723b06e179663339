"""ministack, an emulator of AWS that others wrote, as a process of its own: https://github.com/ministackorg/ministack"""

import os
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.emulators.emulator import Emulator

START_SECONDS = 60
PROGRAM = "TESTS_MINISTACK"  # the variable that names it: `make test-emulator` installs it and says where
ACCOUNT = "123456789012"  # the twin's, so that both call things the same
SERVICES = ("s3", "iam", "sts", "lambda", "apigateway", "logs")


@contextmanager
def ministack(folder: Path, port: int, region: str, endpoints: str) -> Iterator[Emulator]:
    """Run ministack within the `with`.

    Args:
        folder: for its files and its log.
        port: where it listens.
        region: the region that it takes calls without one for.
        endpoints: where its functions find SageMaker's endpoints, which it has none of.
    """
    program = Path(os.environ[PROGRAM]).absolute()
    variables = {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": ",".join(SERVICES),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_REGION": region,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": endpoints,
    }
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen([program], env=variables, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}"
        limit = time.monotonic() + START_SECONDS
        while not _answers(url):
            if process.poll() is not None or time.monotonic() > limit:
                pytest.fail((folder / "ministack.log").read_text())
            time.sleep(0.1)
        yield Emulator(url)
    finally:
        process.terminate()
        process.wait()


def _answers(url: str) -> bool:
    try:
        urllib.request.urlopen(f"{url}/_ministack/health", timeout=1).close()
    except OSError:
        return False
    return True
