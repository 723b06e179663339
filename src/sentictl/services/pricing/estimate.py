"""The costs of a project on AWS, as its settings have it, by AWS's Price List, else by a dated table that is built in.

Machines are what counts: the endpoint's run until it is taken down, a training job's while it runs. All else is paid
by use, and always told by the built-in table (`prices.json`, which names its own sources).
"""

import json
from collections.abc import Container
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sentictl.lifecycle.resource import Context
from sentictl.services.pricing.price_list import Listed, listed_prices

HOURS_A_MONTH = 730  # as AWS's own pricing calculator has it
CALL_SECONDS = 0.1  # that the function is taken to run for one prediction
TABLE = Path(__file__).with_name("prices.json")


@dataclass(frozen=True)
class Use:
    """A price that is paid by use: `price` (USD) for each `per`, such as "1,000 predictions"."""

    what: str
    per: str
    price: float

    def __str__(self) -> str:
        return f"{self.what}: {dollars(self.price)} for {self.per}"


@dataclass(frozen=True)
class Estimate:
    """The costs of a project, in USD.

    Args:
        hourly: all machines of the endpoint, an hour; 0 without an endpoint, None where their price is not known.
        training_hourly: all machines of a training job, an hour, on demand; None where their price is not known.
        spot: whether the training job asks for spare machines, which cost less than that.
        uses: what is paid by use, at the prices of the built-in table.
        instance_type: the endpoint's machine.
        region: where the project is.
        source: whose prices of machines these are, and of which day.
        billed: False where nothing is paid, since all of it runs on this machine.
    """

    hourly: float | None
    training_hourly: float | None
    spot: bool
    uses: tuple[Use, ...]
    instance_type: str
    region: str
    source: str
    billed: bool

    @property
    def monthly(self) -> float | None:
        """The endpoint's machines for a month of 730 hours."""
        return None if self.hourly is None else self.hourly * HOURS_A_MONTH

    def __str__(self) -> str:
        """One line about what costs money for as long as it stands."""
        if self.hourly is None or self.monthly is None:
            return f"The price of {self.instance_type} in {self.region} is not known ({self.source})."
        if not self.hourly:
            return "Nothing of the chain costs money by the hour."
        figures = f"{dollars(self.hourly)} an hour, about ${self.monthly:,.0f} a month"
        if self.billed:
            return f"{figures} while the endpoint stands ({self.source})"
        return f"Nothing on this machine; on AWS it would cost {figures} ({self.source})"

    @property
    def training(self) -> str:
        """One line about what a training job costs while it runs."""
        if self.training_hourly is None:
            return f"The price of the training job's machines in {self.region} is not known ({self.source})."
        on_spot = "; spot machines cost less" if self.spot else ""
        verb = "costs" if self.billed else "would cost on AWS"
        return f"A training job {verb} {dollars(self.training_hourly)} an hour while it runs{on_spot} ({self.source})"

    def to_json(self) -> dict[str, Any]:
        """The same for programs. Where nothing is billed, the figures are what it would cost on AWS."""
        return {
            "hourly_cost": self.hourly,
            "monthly_cost": self.monthly,
            "training_hourly_cost": self.training_hourly,
            "spot": self.spot,
            "currency": "USD",
            "region": self.region,
            "prices": self.source,
            "billed": self.billed,
            "uses": [{"what": use.what, "per": use.per, "price": use.price} for use in self.uses],
        }


def estimate(context: Context, kinds: Container[str] = ("endpoint",)) -> Estimate:
    """Return what the project costs as the settings have it.

    AWS is asked for its prices only where it is AWS that bills, and once a day. Where it does not answer or does not
    let us ask, the built-in table answers.

    Args:
        context: the project and environment.
        kinds: the kinds of resources that stand, or will: without "endpoint" among them nothing costs by the hour.
    """
    deploy, train = context.settings.deploy, context.settings.train
    billed = not context.environment.endpoint_url
    prices = _of_price_list(context) if billed else None
    hosting, training, source = prices or _of_table(context)
    return Estimate(
        hourly=_all(hosting, deploy.instance_count) if "endpoint" in kinds else 0.0,
        training_hourly=_all(training, train.instance_count),
        spot=train.spot,
        uses=_uses(context),
        instance_type=deploy.instance_type,
        region=context.environment.region,
        source=source,
        billed=billed,
    )


def notebook_price(context: Context) -> tuple[str, str]:
    """Return what the notebook's machine costs while it runs, such as "$0.05 an hour", and whose price that is."""
    instance_type = context.settings.notebook.instance_type
    listed = listed_prices(context, {("Notebook", instance_type)})
    price = listed.prices["Notebook", instance_type] if listed else _table()["notebook_hour"].get(instance_type)
    return "a price that is not known" if price is None else f"{dollars(price)} an hour", _source(listed)


def dollars(amount: float) -> str:
    """An amount with four significant digits at most, such as "$0.115" or "$1,234"."""
    return f"${amount:,.0f}" if amount >= 1000 else f"${amount:.4g}"


Prices = tuple[float | None, float | None, str]  # of an hour of hosting, of an hour of training; and their source


def _of_price_list(context: Context) -> Prices | None:
    deploy, train = context.settings.deploy.instance_type, context.settings.train.instance_type
    listed = listed_prices(context, {("Hosting", deploy), ("Training", train)})
    if listed is None:
        return None
    return listed.prices["Hosting", deploy], listed.prices["Training", train], _source(listed)


def _of_table(context: Context) -> Prices:
    settings, hours = context.settings, _table()["instance_hour"]
    return hours.get(settings.deploy.instance_type), hours.get(settings.train.instance_type), _source(None)


def _source(listed: Listed | None) -> str:
    return f"AWS Price List, {listed.day}" if listed else f"built-in table of {_table()['date']}, {_table()['region']}"


def _all(price: float | None, count: int) -> float | None:
    return None if price is None else price * count


def _uses(context: Context) -> tuple[Use, ...]:
    table, memory_gb = _table(), context.settings.lambda_.memory_mb / 1024
    gb_seconds = table["lambda_gb_second"] * memory_gb * CALL_SECONDS
    calls = 1000 * gb_seconds + table["lambda_million_requests"] / 1000
    return (
        Use("Lambda", f"1,000 predictions of {CALL_SECONDS} s", calls),
        Use("API Gateway", "1,000 predictions", table["api_million_requests"] / 1000),
        Use("S3", "a GB kept for a month", table["s3_gb_month"]),
        Use("Logs", "a GB written", table["logs_gb_taken_in"]),
        Use("Logs", "a GB kept for a month", table["logs_gb_month"]),
    )


@cache
def _table() -> dict[str, Any]:
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table
