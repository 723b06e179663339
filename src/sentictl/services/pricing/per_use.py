"""What is paid by use: the price of a request, by what answers it and what stands in front. In USD, by the table."""

from collections.abc import Sequence

from sentictl.config.settings import Settings
from sentictl.config.tables.deploy import DeploySettings
from sentictl.lifecycle.cost import Machines, Use
from sentictl.services.pricing.table import GB, prices
from sentictl.services.pricing.traffic import Traffic

WAIT_SECONDS = 0.05  # that the function in front waits for an endpoint beside what the model takes
THOUSAND = 1000
ONE = Traffic(THOUSAND)  # a thousand requests of a review each


def serverless_price(deploy: DeploySettings, traffic: Traffic) -> float:
    """Return the price of what a serverless endpoint does for one request."""
    kind = "serverless_provisioned_use_gb_second" if deploy.provisioned_concurrency else "serverless_gb_second"
    price: float = prices()[kind] * deploy.memory_mb / 1024 * traffic.seconds_in(deploy.memory_mb)
    return price


def model_function_price(memory_mb: int, traffic: Traffic) -> float:
    """Return the price of a request to a function that has the model in it, on arm64."""
    return _function_price("lambda_arm_gb_second", memory_mb, traffic.seconds_in(memory_mb))


def front_function_price(memory_mb: int, seconds: float) -> float:
    """Return the price of a request to the function that waits `seconds` for an endpoint, on x86_64."""
    return _function_price("lambda_gb_second", memory_mb, seconds + WAIT_SECONDS)


def data_price(traffic: Traffic) -> float:
    """Return the price of what a request carries to an endpoint and back."""
    price: float = prices()["endpoint_gb"] * (traffic.request_bytes + traffic.answer_bytes) / GB
    return price


def api_price() -> float:
    """Return the price of a request to API Gateway."""
    price: float = prices()["api_million_requests"] / 1e6
    return price


def web_acl_month_price() -> float:
    """Return the price of a web ACL with its one rule for a month, whatever comes."""
    return float(prices()["web_acl_month"]) + float(prices()["web_acl_rule_month"])


def web_acl_price() -> float:
    """Return the price of a request to a stage that stands behind a web ACL."""
    price: float = prices()["web_acl_million_requests"] / 1e6
    return price


def endpoint_machines(deploy: DeploySettings) -> Machines | None:
    """Return what of the endpoint is paid by the hour: its machines, or what is kept warm of a serverless one."""
    if deploy.serving == "instance":
        least, most = deploy.machine_counts
        share = deploy.hours.share
        fallback = tuple(deploy.fallback_types)
        return Machines("Hosting", deploy.instance_type, least, most=most, fallback_types=fallback, share=share)
    if deploy.serving == "serverless" and deploy.provisioned_concurrency:
        return Machines("Serverless", f"{deploy.memory_mb} MB", deploy.provisioned_concurrency)
    return None


def endpoint_uses(deploy: DeploySettings) -> Sequence[Use]:
    """Return what of the endpoint is paid by use."""
    if deploy.serving != "serverless":
        return []
    per = f"1,000 predictions of {ONE.seconds_in(deploy.memory_mb)} s"
    return [Use("Serverless inference", per, THOUSAND * serverless_price(deploy, ONE))]


def function_uses(settings: Settings) -> Sequence[Use]:
    """Return what of the function is paid by use, whether it has the model in it or asks an endpoint."""
    deploy = settings.deploy
    if deploy.serving == "lambda":
        seconds = ONE.seconds_in(deploy.memory_mb)
        price = model_function_price(deploy.memory_mb, ONE)
    else:
        waited = ONE.seconds_in(deploy.memory_mb) if deploy.serving == "serverless" else ONE.core_seconds
        seconds = waited + WAIT_SECONDS
        price = front_function_price(settings.lambda_.memory_mb, waited)
    return [Use("Lambda", f"1,000 predictions of {seconds:g} s", THOUSAND * price)]


def _function_price(gb_second: str, memory_mb: int, seconds: float) -> float:
    per_second: float = prices()[gb_second] * memory_mb / 1024
    return per_second * seconds + float(prices()["lambda_million_requests"]) / 1e6
