"""The dated table of prices that is built in: `prices.json`, which names its own sources."""

import json
from functools import cache
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_name("prices.json")
GB = 1e9  # as AWS bills what is carried and written, near enough


@cache
def prices() -> dict[str, Any]:
    """Read the table: prices in USD, by what is paid for, with the date and the region that they hold for."""
    table: dict[str, Any] = json.loads(TABLE.read_text(encoding="utf-8"))
    return table


def hourly_price(component: str, instance_type: str) -> float | None:
    """Return what an hour of a machine costs; None where the table does not know it.

    Args:
        component: "Hosting", "Training", "Processing", "Notebook" or "Serverless". The first three cost the same.
        instance_type: such as "ml.m5.large"; "2048 MB" of what is kept warm of a serverless endpoint.
    """
    if component == "Serverless":
        memory_gb = int(instance_type.partition(" ")[0]) / 1024
        return 3600 * float(prices()["serverless_provisioned_gb_second"]) * memory_gb
    hours = prices()["notebook_hour" if component == "Notebook" else "instance_hour"]
    price: float | None = hours.get(instance_type)
    return price
