"""AWS's Price List: what an hour of a SageMaker instance costs in a region. Kept in the project's cache for a day."""

import contextlib
import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from sentictl.assets.atomic import write_atomically
from sentictl.lifecycle.resource import Context

# The Price List knows all regions, but is asked in few; the nearest of the three answers soonest.
PRICING_REGIONS = {"ap": "ap-south-1", "eu": "eu-central-1"}
ELSEWHERE = "us-east-1"
# Nobody waits long for a price: without an answer there is the built-in table.
CONFIG = Config(connect_timeout=2, read_timeout=3, retries={"total_max_attempts": 1})
# The component, and its word in a usage type.
USAGE = {"Hosting": "Host", "Training": "Train", "Notebook": "Notebk", "Processing": "Processing"}
DAY = timedelta(days=1)

Machine = tuple[str, str]  # the component, one of USAGE, and the instance type


@dataclass(frozen=True)
class Listed:
    """USD an hour for each machine asked about, and when the Price List said so of the first of them."""

    prices: Mapping[Machine, float]
    at: datetime

    @property
    def day(self) -> date:
        return self.at.date()


def listed_prices(context: Context, machines: Collection[Machine]) -> Listed | None:
    """The prices of these machines in the project's region.

    Returns:
        All of them; None where the Price List cannot be asked, or does not know one of them.
    """
    path = context.config.folder.cache / f"prices-{context.environment.region}.json"
    kept = _kept(path) or Listed({}, datetime.now(UTC))
    missing = set(machines) - kept.prices.keys()
    if not missing:
        return kept
    try:
        prices = _ask(context, missing)
    except (BotoCoreError, ClientError):
        return None
    if len(prices) < len(missing):
        return None
    listed = Listed({**kept.prices, **prices}, kept.at)
    with contextlib.suppress(OSError):  # a price that cannot be kept is asked for again
        _keep(path, listed)
    return listed


def _ask(context: Context, machines: Collection[Machine]) -> dict[Machine, float]:
    region = context.environment.region
    asked_in = PRICING_REGIONS.get(region.partition("-")[0], ELSEWHERE)
    client = context.environment.new_client("pricing", CONFIG, asked_in)
    found = {machine: _price(client, region, *machine) for machine in machines}
    return {machine: price for machine, price in found.items() if price is not None}


def _price(client: Any, region: str, component: str, instance_type: str) -> float | None:
    wanted = {"regionCode": region, "instanceName": instance_type, "component": component}
    filters = [{"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()]
    products = client.get_products(ServiceCode="AmazonSageMaker", Filters=filters)["PriceList"]
    # In us-east-1 it is "USE1-Host:ml.m5.large". Other kinds of hosting have other words there.
    usage = re.compile(rf"([A-Z0-9]+-)?{USAGE[component]}:{re.escape(instance_type)}")
    documents = [json.loads(product) for product in products]
    return next((_hourly(d) for d in documents if usage.fullmatch(d["product"]["attributes"]["usagetype"])), None)


def _hourly(document: Mapping[str, Any]) -> float | None:
    """Return what an hour on demand costs by a product's document."""
    offers = document["terms"].get("OnDemand", {}).values()
    prices = (dimension["pricePerUnit"] for offer in offers for dimension in offer["priceDimensions"].values())
    return next((float(price["USD"]) for price in prices if "USD" in price), None)


def _kept(path: Path) -> Listed | None:
    """Return what was kept less than a day ago. A file that does not say is as good as none."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        at = datetime.fromisoformat(document["at"])
        prices = {(entry["component"], entry["instance_type"]): float(entry["price"]) for entry in document["prices"]}
        fresh = timedelta() <= datetime.now(UTC) - at < DAY
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return Listed(prices, at) if fresh else None


def _keep(path: Path, listed: Listed) -> None:
    prices = sorted(listed.prices.items())
    entries = [{"component": component, "instance_type": name, "price": price} for (component, name), price in prices]
    document = {"at": listed.at.isoformat(timespec="seconds"), "prices": entries}
    with contextlib.suppress(OSError):  # they are asked again where they cannot be kept
        write_atomically(path, json.dumps(document, indent=2).encode())
