"""What is asked on the web without boto3: through the proxy and with the certificates that boto3 takes for AWS."""

import os
import ssl
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

from sentictl.config.hosts import THIS_MACHINE
from sentictl.errors import AwsError

CERTIFICATES = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")  # botocore's variables, in its order


def opener_for(url: str, ca_bundle: str = "") -> urllib.request.OpenerDirector:
    """Return what opens an address: directly on this machine, else through HTTPS_PROXY or HTTP_PROXY, but for NO_PROXY.

    Args:
        url: the address, or another one on the same host.
        ca_bundle: the path of a file of certificates to trust at that address; else those that a variable names.

    Raises:
        AwsError: the file of certificates cannot be read.
    """
    handlers: list[urllib.request.BaseHandler] = []
    if urlsplit(url).hostname in THIS_MACHINE:
        handlers.append(urllib.request.ProxyHandler({}))
    if urlsplit(url).scheme == "https" and (trusted := _trusted(ca_bundle)):
        handlers.append(urllib.request.HTTPSHandler(context=trusted))
    return urllib.request.build_opener(*handlers)


def missing_certificates() -> str:
    """Return what to do where a variable names certificates that are not there; else nothing."""
    variable = _variable()
    if variable is None or Path(os.environ[variable]).exists():
        return ""
    return f"There is no {os.environ[variable]}. Correct {variable}, or do without: unset {variable}"


def _variable() -> str | None:
    return next((name for name in CERTIFICATES if os.environ.get(name)), None)


def _trusted(ca_bundle: str) -> ssl.SSLContext | None:
    """Return whom a file of certificates trusts, or that of a variable; None where neither is named."""
    variable = _variable()
    if ca_bundle:
        return _trusting(Path(ca_bundle), "ca_bundle under [env.NAME]", "take it out of sentictl.toml")
    return _trusting(Path(os.environ[variable]), variable, f"do without: unset {variable}") if variable else None


def _trusting(bundle: Path, named: str, without: str) -> ssl.SSLContext:
    try:
        if bundle.is_dir():
            return ssl.create_default_context(capath=bundle)
        return ssl.create_default_context(cafile=bundle)
    except OSError as problem:  # ssl's own errors are some, too
        raise AwsError(
            f"The certificates of {named}, {bundle}, cannot be read: {problem.strerror or problem}.",
            f"Name a file of certificates, or {without}",
        ) from None
