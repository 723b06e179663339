"""What is asked on the web without boto3: through the proxy and with the certificates that boto3 takes for AWS."""

import os
import ssl
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from sentictl.errors import AwsError

THIS_MACHINE = ("127.0.0.1", "localhost", "::1")
CERTIFICATES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")  # botocore's variables, in its order


def opener_for(url: str) -> urllib.request.OpenerDirector:
    """Return what opens an address: directly on this machine, else through HTTPS_PROXY or HTTP_PROXY, but for NO_PROXY.

    Args:
        url: the address, or another one on the same host.

    Raises:
        AwsError: the file of certificates that a variable names cannot be read.
    """
    if urlsplit(url).hostname in THIS_MACHINE:
        return urllib.request.build_opener(urllib.request.ProxyHandler({}))
    variable = _variable()
    if variable is None:
        return urllib.request.build_opener()
    trusting = _trusting(Path(os.environ[variable]), variable)
    return urllib.request.build_opener(urllib.request.HTTPSHandler(context=trusting))


def missing_certificates() -> str:
    """Return what to do where a variable names certificates that are not there; else nothing."""
    variable = _variable()
    if variable is None or Path(os.environ[variable]).exists():
        return ""
    return f"There is no {os.environ[variable]}. Correct {variable}, or do without: unset {variable}"


def _variable() -> str | None:
    return next((name for name in CERTIFICATES if os.environ.get(name)), None)


def _trusting(bundle: Path, variable: str) -> ssl.SSLContext:
    try:
        if bundle.is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as problem:  # ssl's own errors are some, too
        raise AwsError(
            f"The certificates of {variable}, {bundle}, cannot be read: {problem.strerror or problem}.",
            f"Name a file of certificates, or do without: unset {variable}",
        ) from None
