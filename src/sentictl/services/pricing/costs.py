"""What each way to serve the model costs a month for the same traffic, side by side, and where one becomes cheaper."""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentictl.config.instance_types import family, usable_instance_types
from sentictl.config.settings import Settings
from sentictl.config.tables.deploy import MOST_AT_ONCE, DeploySettings
from sentictl.errors import UsageError
from sentictl.lifecycle.cost import HOURS_A_MONTH
from sentictl.services.pricing import per_use
from sentictl.services.pricing.table import GB, hourly_price, prices
from sentictl.services.pricing.traffic import A_MONTH, REQUEST_SECONDS, REVIEW_SECONDS, WORDS, Traffic

# docs.aws.amazon.com/sagemaker/latest/dg: realtime-endpoints, serverless-endpoints-invoke; botocore's InvokeEndpoint;
# docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html. API Gateway gives up on any of them after 29 s.
ENDPOINT_MB, SERVERLESS_MB, FUNCTION_MB = 6, 4, 6
MB = 2**20
API_SECONDS = 29.0
BURSTABLE = 0.2  # of a processor, all day: the EC2 guide's burstable-credits-baseline-concepts, for ml.t2.medium
FUNCTIONS_AT_ONCE = 1000  # of an account and region, which AWS raises; a new account has fewer
LOG_BYTES = 500  # that a function, an endpoint, or the API writes about one request
STARTS = {  # what a request waits for where nothing runs yet; measured on two busy cores: docs/serving.md
    "instance": "about 1 s: the function in front starts (1.2 s measured here)",
    "serverless": "about 10 s: container and TorchServe start (7 s measured here), and the function in front",
    "warm": "about 1 s, as for an instance, up to as many requests at once as are kept warm",
    "lambda": "about 1 s: the function starts and loads the model (1.4 s measured here)",
}


@dataclass(frozen=True)
class Part:
    """A part of a bill.

    Args:
        what: is paid for.
        fixed: USD a month, whatever the traffic; None where the price is not known.
        each: USD a request.
    """

    what: str
    fixed: float | None = 0.0
    each: float = 0.0


@dataclass(frozen=True)
class Choice:
    """A way to serve the model.

    Args:
        serving: as `deploy.serving` has it.
        on: what it runs on, such as "1 x ml.m5.large".
        parts: of its bill.
        cold_start: what a request waits for when nothing runs yet.
        limits: what a request may be, in words.
        at_once: requests that it can answer at one time.
        seconds: that one takes.
        most_bytes: of a request.
        more: USD a month beside that, where all machines stand that come with the load.
    """

    serving: str
    on: str
    parts: Sequence[Part]
    cold_start: str
    limits: str
    at_once: float
    seconds: float
    most_bytes: float
    more: float = 0.0

    @property
    def fixed(self) -> float | None:
        """USD a month, whatever the traffic."""
        known = [part.fixed for part in self.parts if part.fixed is not None]
        return sum(known) if len(known) == len(self.parts) else None

    @property
    def each(self) -> float:
        """USD a request."""
        return sum(part.each for part in self.parts)

    @property
    def most_requests(self) -> float:
        """Requests a month that it can answer, one after the other without a pause."""
        return self.at_once / self.seconds * A_MONTH["second"]

    def monthly(self, requests: float) -> float | None:
        """Return USD a month for so many requests a month."""
        return None if self.fixed is None else self.fixed + self.each * requests

    def monthly_most(self, requests: float) -> float | None:
        """Return the same for all machines that come with the load."""
        least = self.monthly(requests)
        return None if least is None else least + self.more

    def cannot(self, traffic: Traffic) -> str:
        """Tell why it cannot take such traffic; empty where it can."""
        if traffic.request_bytes > self.most_bytes:
            return f"a request of {traffic.request_bytes / MB:.1f} MB is too large for it"
        if self.seconds > API_SECONDS:
            return f"a request would take {self.seconds:g} s, and API Gateway gives up after {API_SECONDS:g}"
        if traffic.requests > self.most_requests:
            return f"it answers {self.at_once / self.seconds:,.0f} requests a second, not {traffic.a_second:,.0f}"
        return ""


@dataclass(frozen=True)
class Crossing:
    """From how many requests on, a month, one choice costs less than another; and whether it can answer as many."""

    dear: Choice
    cheap: Choice
    requests: float

    @property
    def requests_a_day(self) -> float:
        return self.requests / A_MONTH["day"]

    @property
    def within_reach(self) -> bool:
        return self.requests <= self.cheap.most_requests


@dataclass(frozen=True)
class CostComparison:
    """The choices for some traffic.

    Args:
        traffic: that all of them answer.
        choices: the cheapest first; those whose price is not known last.
        source: whose prices of machines these are, and of which day.
        region: that they hold for.
        warnings: what a person should know beside it.
    """

    traffic: Traffic
    choices: Sequence[Choice]
    source: str
    region: str
    warnings: Sequence[str] = ()

    @property
    def cheapest(self) -> Choice | None:
        """The cheapest that can take the traffic."""
        able = [choice for choice in self.choices if choice.fixed is not None and not choice.cannot(self.traffic)]
        return able[0] if able else None

    @property
    def crossings(self) -> list[Crossing]:
        """Where machines become cheaper than what is paid by use, the first one first."""
        machines = [choice for choice in self.choices if choice.serving == "instance"]
        others = [choice for choice in self.choices if choice.serving != "instance"]
        found = [crossing for one in others for other in machines if (crossing := _crossing(one, other))]
        return sorted(found, key=lambda crossing: crossing.requests)

    @property
    def assumptions(self) -> list[tuple[str, str]]:
        """What nobody can know beforehand, and what it rests on."""
        seconds = f"{self.traffic.core_seconds:g} s of one processor core for a request"
        grounds = (
            "as told"
            if self.traffic.seconds is not None
            else f"{REQUEST_SECONDS:g} s, and {REVIEW_SECONDS:g} s for {WORDS} words: ten times what is measured in "
            "docs/benchmarks.md, since nobody has measured it on AWS"
        )
        return [
            (seconds, grounds),
            (f"{per_use.WAIT_SECONDS:g} s more for the function that asks an endpoint", "a guess"),
            (f"{LOG_BYTES} bytes of log for a request, of function and endpoint each", "Lambda's own three lines"),
        ]

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        requests, cheapest = self.traffic.requests, self.cheapest
        return {
            "requests_a_month": requests,
            "requests_a_day": self.traffic.a_day,
            "reviews_per_request": self.traffic.reviews,
            "words": self.traffic.words,
            "currency": "USD",
            "region": self.region,
            "prices": self.source,
            "choices": [_document(choice, self.traffic) for choice in self.choices],
            "cheapest": cheapest and {"serving": cheapest.serving, "on": cheapest.on},
            "crossings": [
                {
                    "from": {"serving": crossing.dear.serving, "on": crossing.dear.on},
                    "to": {"serving": crossing.cheap.serving, "on": crossing.cheap.on},
                    "requests_a_day": crossing.requests_a_day,
                    "within_reach": crossing.within_reach,
                }
                for crossing in self.crossings
            ],
            "assumptions": [{"what": what, "grounds": grounds} for what, grounds in self.assumptions],
            "warnings": list(self.warnings),
        }


def compared_types(settings: Settings) -> list[str]:
    """Return the instance types that are compared: the settings' own, and the cheapest of the built-in table."""
    usable = usable_instance_types()
    known = [(price, name) for name, price in prices()["instance_hour"].items() if "deploy" in usable.get(name, [])]
    return list(dict.fromkeys([settings.deploy.instance_type, min(known)[1]]))


def compare(
    settings: Settings,
    traffic: Traffic,
    hourly: Mapping[str, float | None],
    source: str,
    region: str,
    where: str = "",
) -> CostComparison:
    """Compare what each way to serve the model costs.

    Args:
        settings: the project's, or the defaults.
        traffic: that is to be answered.
        hourly: USD an hour by instance type; None where it is not known.
        source: whose prices these are.
        region: where the project is.
        where: what follows a command so that it goes to this environment, such as " --env prod".

    Raises:
        UsageError: the API of these settings refuses such requests.
    """
    _check_api(settings, traffic)
    choices = sorted(_choices(settings, traffic, hourly), key=lambda choice: _rank(choice.monthly(traffic.requests)))
    return CostComparison(traffic, choices, source, region, list(_warnings(settings, traffic, where)))


def _choices(settings: Settings, traffic: Traffic, hourly: Mapping[str, float | None]) -> Iterator[Choice]:
    deploy = settings.deploy
    for instance_type, price in hourly.items():
        yield _instance(settings, traffic, instance_type, price)
    yield _serverless(settings, deploy.model_copy(update={"provisioned_concurrency": 0}), traffic)
    warm = max(1, deploy.provisioned_concurrency)
    yield _serverless(settings, deploy.model_copy(update={"provisioned_concurrency": warm}), traffic)
    yield _function(settings, traffic)


def _instance(settings: Settings, traffic: Traffic, instance_type: str, price: float | None) -> Choice:
    least, most = settings.deploy.machine_counts if instance_type == settings.deploy.instance_type else (1, 1)
    model = Part("machines", None if price is None else price * least * HOURS_A_MONTH)
    seconds = traffic.core_seconds
    return Choice(
        "instance",
        f"{least} x {instance_type}" if least == most else f"{least} to {most} x {instance_type}",
        [model, *_around_endpoint(settings, traffic, seconds)],
        STARTS["instance"],
        f"requests of {ENDPOINT_MB} MB",
        most * _cores(instance_type),
        seconds,
        MB * ENDPOINT_MB,
        (price or 0.0) * (most - least) * HOURS_A_MONTH,
    )


def _serverless(settings: Settings, deploy: DeploySettings, traffic: Traffic) -> Choice:
    warm, seconds = deploy.provisioned_concurrency, traffic.seconds_in(deploy.memory_mb)
    hour = hourly_price("Serverless", f"{deploy.memory_mb} MB") or 0.0
    kept = [Part("kept warm", warm * hour * HOURS_A_MONTH)] if warm else []
    used = Part("inference", each=per_use.serverless_price(deploy, traffic))
    return Choice(
        "serverless",
        f"{deploy.memory_mb} MB" + (f", {warm} kept warm" if warm else ""),
        [*kept, used, *_around_endpoint(settings, traffic, seconds)],
        STARTS["warm" if warm else "serverless"],
        f"requests of {SERVERLESS_MB} MB, {deploy.max_concurrency} at once ({MOST_AT_ONCE} at most)",
        deploy.max_concurrency,
        seconds,
        MB * SERVERLESS_MB,
    )


def _function(settings: Settings, traffic: Traffic) -> Choice:
    memory = settings.deploy.memory_mb
    function = Part("function", each=per_use.model_function_price(memory, traffic))
    return Choice(
        "lambda",
        f"{memory} MB, arm64",
        [function, *_in_front(settings), _logs(settings, 1)],
        STARTS["lambda"],
        f"requests of {FUNCTION_MB} MB, code of 250 MB, {FUNCTIONS_AT_ONCE:,} at once in an account",
        FUNCTIONS_AT_ONCE,
        traffic.seconds_in(memory),
        MB * FUNCTION_MB,
    )


def _around_endpoint(settings: Settings, traffic: Traffic, seconds: float) -> list[Part]:
    """Return what stands in front of an endpoint, and what goes in and out of it."""
    function = Part("function in front", each=per_use.front_function_price(settings.lambda_.memory_mb, seconds))
    return [Part("data", each=per_use.data_price(traffic)), function, *_in_front(settings), _logs(settings, 2)]


def _in_front(settings: Settings) -> list[Part]:
    """Return what stands in front of all else."""
    limited = settings.api.caller_rate_limit > 0
    waf = Part("WAF", per_use.web_acl_month_price(), per_use.web_acl_price())
    return [Part("API Gateway", each=per_use.api_price()), *([waf] if limited else [])]


def _logs(settings: Settings, writers: int) -> Part:
    """Return what logs cost that so many parts write beside the API, and that are kept for `logs.days`."""
    months = settings.logs.days * 24 / HOURS_A_MONTH
    price = prices()["logs_gb_taken_in"] + prices()["logs_gb_month"] * months
    return Part("logs", each=(writers + settings.api.access_log) * LOG_BYTES / GB * price)


def _cores(instance_type: str) -> float:
    """Return how many processors a machine has, by its size, and how much of them all day where it is burstable.

    docs.aws.amazon.com/ec2/latest/instancetypes
    """
    size = instance_type.rpartition(".")[2]
    cores = 4 * int(size.removesuffix("xlarge") or 1) if size.endswith("xlarge") else 2
    return cores * (BURSTABLE if re.fullmatch(r"t\d\w?", family(instance_type)) else 1.0)


def _crossing(one: Choice, other: Choice) -> Crossing | None:
    """Return where the second, which has more that is fixed, becomes the cheaper one; None where it never does."""
    if one.fixed is None or other.fixed is None or other.fixed <= one.fixed or one.each <= other.each:
        return None
    return Crossing(one, other, (other.fixed - one.fixed) / (one.each - other.each))


def _rank(price: float | None) -> float:
    return math.inf if price is None else price


def _warnings(settings: Settings, traffic: Traffic, where: str) -> Iterator[str]:
    rate = settings.api.throttle_rate
    if traffic.a_second > rate:
        yield (
            f"The API lets {rate:g} requests a second through, and there are {traffic.a_second:,.0f}: "
            f"sentictl config set api.throttle_rate {math.ceil(2 * traffic.a_second)}{where}"
        )


def _check_api(settings: Settings, traffic: Traffic) -> None:
    api = settings.api
    for what, asked, most, key in (
        (f"{traffic.reviews} reviews in a request", traffic.reviews, api.max_reviews, "api.max_reviews"),
        (
            f"{traffic.words} words, about {traffic.review_characters} characters, in a review",
            traffic.review_characters,
            api.max_review_characters,
            "api.max_review_characters",
        ),
    ):
        if asked > most:
            raise UsageError(
                f"{what}: the API takes {most} at most.",
                f"Ask for less, or raise it in a project: sentictl config set {key} {asked}",
            )


def _document(choice: Choice, traffic: Traffic) -> dict[str, Any]:
    requests = traffic.requests
    return {
        "serving": choice.serving,
        "on": choice.on,
        "monthly_cost": choice.monthly(requests),
        "monthly_cost_most": choice.monthly_most(requests),
        "fixed_cost": choice.fixed,
        "request_cost": choice.each,
        "parts": {
            part.what: None if part.fixed is None else part.fixed + part.each * requests for part in choice.parts
        },
        "seconds": choice.seconds,
        "cold_start": choice.cold_start,
        "limits": choice.limits,
        "cannot": choice.cannot(traffic),
    }
