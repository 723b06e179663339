"""The Python API's part for what serving costs: it needs no project, no account and no twin.

from sentictl.api.costs import costs

print(costs("10000/day").cheapest)
"""

from sentictl.config.config import LOCAL
from sentictl.config.environments import env_option
from sentictl.config.settings import Settings
from sentictl.lifecycle.resource import Context
from sentictl.services.pricing.costs import CostComparison, compare, compared_types
from sentictl.services.pricing.estimate import hosting_prices
from sentictl.services.pricing.table import prices
from sentictl.services.pricing.traffic import WORDS, Traffic, requests_a_month


def costs(
    requests: str | float,
    *,
    reviews_per_request: int = 1,
    words: int = WORDS,
    seconds: float | None = None,
    context: Context | None = None,
) -> CostComparison:
    """Compare what each way to serve the model costs a month.

    Args:
        requests: such as "10000/day"; a number, or one without a unit, is of a month.
        reviews_per_request: how many reviews each has.
        words: of a review.
        seconds: that a processor core is busy with a request; by default what follows from the reviews.
        context: the project and environment whose settings and region it is about; by default all settings' defaults,
            at the prices of the built-in table.

    Raises:
        UsageError: one of these cannot be, or the API of these settings refuses such requests.
    """
    traffic = Traffic(requests_a_month(requests), reviews_per_request, words, seconds)
    settings = context.settings if context else Settings()
    hourly, source = hosting_prices(context, compared_types(settings))
    region = context.environment.region if context else prices()["region"]
    where = env_option(context.environment.name, default=LOCAL) if context else ""
    return compare(settings, traffic, hourly, source, region, where)
