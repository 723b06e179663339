"""Where AWS's services are asked: at AWS, or at what stands in for it by the settings or by boto3's variables."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from botocore.config import Config

from sentictl.aws.regions import is_of_aws
from sentictl.config.endpoints import SERVICES
from sentictl.config.hosts import THIS_MACHINE


@dataclass(frozen=True)
class ServiceEndpoints:
    """Addresses in place of AWS's own.

    Args:
        url: that of all services; empty for AWS's own, or for what boto3's variables name.
        of_services: those of single services, by AWS's names in configuration files, such as "api_gateway".
        ca_bundle: the path of a file of certificates that are trusted in place of the usual ones, at AWS as well;
            empty for those.
    """

    url: str = ""
    of_services: Mapping[str, str] = field(default_factory=dict)
    ca_bundle: str = ""

    def beside_aws(self, service: str, region: str) -> str:
        """Return the address of what stands in for a service; empty on AWS, whose own addresses in a VPC count as such.

        Args:
            service: as boto3 calls its client.
            region: where AWS would be asked.
        """
        address = self.of_settings(service) or _of_variables(service)
        return "" if is_of_aws(urlsplit(address).hostname or "", region) else address.rstrip("/")

    def is_billed(self, region: str) -> bool:
        """Return whether AWS bills what is made: it does, but where a setting puts something else in SageMaker's place.

        A variable is not enough, as it may be missing the next time that somebody looks.
        """
        return not (self.of_settings("sagemaker") and self.beside_aws("sagemaker", region))

    def client_options(self, service: str, region: str, config: Config) -> dict[str, Any]:
        """Return what boto3 makes a client with, so that it asks where the settings say.

        Args:
            service: as boto3 calls its client.
            region: where AWS would be asked.
            config: its time limits and retries.
        """
        verified = {"verify": self.ca_bundle} if self.ca_bundle else {}
        address = self.of_settings(service)
        if not address:
            return {"config": config, **verified}
        if self.beside_aws(service, region):  # there are no host names of buckets there
            config = config.merge(Config(s3={"addressing_style": "path"}))
        if urlsplit(address).hostname in THIS_MACHINE:  # a proxy would look for it on its own machine
            config = config.merge(Config(proxies={}))
        return {"config": config, "endpoint_url": address, **verified}

    def of_settings(self, service: str) -> str:
        """Return the address that the settings name for a service, by boto3's name; empty where they name none."""
        return self.of_services.get(SERVICES.get(service, ""), "") or self.url


def _of_variables(service: str) -> str:
    if os.environ.get("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "").lower() == "true":
        return ""
    own = f"AWS_ENDPOINT_URL_{SERVICES.get(service, service).upper()}"
    return os.environ.get(own) or os.environ.get("AWS_ENDPOINT_URL", "")
