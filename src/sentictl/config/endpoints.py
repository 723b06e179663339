"""Where an environment's calls go in place of AWS: one address for all services, or one for each."""

from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

from sentictl.config.hosts import THIS_MACHINE
from sentictl.config.tables.table import from_json

# The services that sentictl asks, by boto3's name of the client, each with AWS's name of it in configuration files:
# https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html
SERVICES = {
    "apigateway": "api_gateway",
    "application-autoscaling": "application_auto_scaling",
    "budgets": "budgets",
    "cloudwatch": "cloudwatch",
    "cognito-idp": "cognito_identity_provider",
    "events": "eventbridge",
    "iam": "iam",
    "lambda": "lambda",
    "logs": "cloudwatch_logs",
    "pricing": "pricing",
    "resourcegroupstaggingapi": "resource_groups_tagging_api",
    "s3": "s3",
    "sagemaker": "sagemaker",
    "sagemaker-runtime": "sagemaker_runtime",
    "scheduler": "scheduler",
    "service-quotas": "service_quotas",
    "sns": "sns",
    "stepfunctions": "sfn",
    "sts": "sts",
    "wafv2": "wafv2",
}


def _check_url(url: str) -> str:
    if not url:
        return url
    try:
        parts = urlsplit(url)
        whole = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # a port that is none, half a bracket
        whole = False
    if not whole or parts.query or parts.fragment or parts.username is not None:
        raise PydanticCustomError("endpoint", "it is an address such as http://127.0.0.1:4566")
    if parts.scheme == "http" and parts.hostname not in THIS_MACHINE:
        raise PydanticCustomError(
            "endpoint", "reviews and session tokens would travel in clear to another machine; it takes https:// there"
        )
    return url.rstrip("/")


def _check_urls(given: Any) -> dict[str, str]:
    urls = from_json(given) if isinstance(given, str) else given
    if not isinstance(urls, dict) or not all(isinstance(url, str) for url in urls.values()):
        raise PydanticCustomError("endpoints", 'it is a table such as { s3 = "http://127.0.0.1:9000" }')
    for service in urls:
        if service not in SERVICES.values():
            raise PydanticCustomError(
                "endpoints",
                "{service} is none of the services that sentictl asks: {known}",
                {"service": str(service), "known": ", ".join(SERVICES.values())},
            )
    return {service: _check_url(url) for service, url in urls.items()}


EndpointUrl = Annotated[str, AfterValidator(_check_url)]
EndpointUrls = Annotated[dict[str, str], BeforeValidator(_check_urls)]
