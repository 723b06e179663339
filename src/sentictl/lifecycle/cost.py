"""The cost of a resource: machines by the hour, and what is paid by use. In USD."""

from collections.abc import Iterator
from dataclasses import dataclass

HOURS_A_MONTH = 730  # as AWS's own pricing calculator has it


@dataclass(frozen=True)
class Machines:
    """Machines that are paid by the hour.

    Args:
        component: the Price List's word for what they do: "Hosting", "Training", "Processing" or "Notebook";
            "Serverless" for what is kept warm of a serverless endpoint.
        instance_type: such as "ml.m5.large"; of a serverless endpoint its memory, such as "2048 MB".
        count: how many there are, at the least.
        standing: True where they run as long as the resource stands, False where only while there is work.
        most: how many there can be; 0 for never more than `count`.
        fallback_types: the types that can stand in their place.
        share: of the time that the resource stands, in which they do.
    """

    component: str
    instance_type: str
    count: int = 1
    standing: bool = True
    most: int = 0
    fallback_types: tuple[str, ...] = ()
    share: float = 1.0

    @property
    def kinds(self) -> Iterator[tuple[str, str]]:
        """What a price is to be known of: the component, with each instance type."""
        return ((self.component, name) for name in (self.instance_type, *self.fallback_types))


@dataclass(frozen=True)
class Use:
    """Something paid by use: `price` (USD) for each `per`, such as "1,000 predictions"."""

    what: str
    per: str
    price: float

    def __str__(self) -> str:
        return f"{self.what}: {dollars(self.price)} for {self.per}"


def dollars(amount: float) -> str:
    """Write an amount with four significant digits at most, such as "$0.115" or "$1,234"."""
    return f"${amount:,.0f}" if amount >= 1000 else f"${amount:,.4g}"
