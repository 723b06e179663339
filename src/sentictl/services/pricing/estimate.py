"""The costs of a project on AWS, as its settings have it, by AWS's Price List, else by a dated table that is built in.

Machines are what counts: the endpoint's run until it is taken down, a training job's while it runs. All else is paid
by use, and always told by the built-in table.
"""

import contextlib
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sentictl.errors import AccessError
from sentictl.lifecycle.cost import HOURS_A_MONTH, Machines, Use, dollars
from sentictl.lifecycle.resource import Context, Resource
from sentictl.services.pricing.price_list import USAGE, Listed, listed_prices
from sentictl.services.pricing.table import hourly_price, prices

PREDICTIONS = "1,000 predictions"
HOURS_A_WEEK = 168


@dataclass(frozen=True)
class Estimate:
    """The costs of a project, in USD.

    Args:
        hourly: all machines of the endpoint, an hour, or what is kept warm of a serverless one; 0 without an endpoint
            or where it is paid by use alone, None where the price is not known. The least, where the number or the type
            of machines can change.
        hourly_most: the most that they can cost an hour.
        share: of a week, in which they stand.
        training_hourly: all machines of a training job, an hour, on demand; None where their price is not known.
        spot: whether the training job asks for spare machines, which cost less than that.
        uses: what is paid by use, at the prices of the built-in table.
        instance_type: the endpoint's machine, or those that it may be.
        region: where the project is.
        source: whose prices of machines these are, and of which day.
        billed: False where nothing is paid, since all of it runs on this machine.
        by_use: whether predictions are all that is paid, by the settings.
    """

    hourly: float | None
    hourly_most: float | None
    share: float
    training_hourly: float | None
    spot: bool
    uses: tuple[Use, ...]
    instance_type: str
    region: str
    source: str
    billed: bool
    by_use: bool = False

    @property
    def monthly(self) -> float | None:
        """The endpoint's machines for a month of 730 hours, as many of them as they stand. The least."""
        return self._a_month(self.hourly)

    @property
    def monthly_most(self) -> float | None:
        """The most that they can cost a month."""
        return self._a_month(self.hourly_most)

    def __str__(self) -> str:
        """One line about what costs money for as long as it stands."""
        if self.hourly is None or self.hourly_most is None:
            return f"The price of {self.instance_type} in {self.region} is not known ({self.source})."
        if not self.hourly:
            return f"Nothing of the chain costs money by the hour{self._of_predictions()}."
        figures = f"{self._hours} an hour, about {self._months} a month{self._opened}"
        if self.billed:
            return f"{figures} while the endpoint stands ({self.source})"
        return f"Nothing on this machine; on AWS it would cost {figures} ({self.source})"

    def _of_predictions(self) -> str:
        """What predictions cost, where they are what is paid."""
        if not self.by_use:
            return ""
        total = sum(use.price for use in self.uses if use.per.startswith(PREDICTIONS))
        return f"; {PREDICTIONS} {'cost' if self.billed else 'would cost'} {dollars(total)} on AWS ({_source(None)})"

    @property
    def _hours(self) -> str:
        return _from_to(self.hourly, self.hourly_most, dollars)

    @property
    def _months(self) -> str:
        return _from_to(self.monthly, self.monthly_most, lambda amount: f"${amount:,.0f}")

    @property
    def _opened(self) -> str:
        return "" if self.share == 1 else f" at {self.share * HOURS_A_WEEK:.4g} hours a week"

    def _a_month(self, hourly: float | None) -> float | None:
        return None if hourly is None else hourly * HOURS_A_MONTH * self.share

    @property
    def training(self) -> str:
        """One line about what a training job costs while it runs."""
        if self.training_hourly is None:
            return f"The price of the training job's machines in {self.region} is not known ({self.source})."
        on_spot = "; spot machines cost less" if self.spot else ""
        verb = "costs" if self.billed else "would cost on AWS"
        return f"A training job {verb} {dollars(self.training_hourly)} an hour while it runs{on_spot} ({self.source})"

    def document(self) -> dict[str, Any]:
        """The same for programs. Where nothing is billed, the figures are what it would cost on AWS."""
        return {
            "hourly_cost": self.hourly,
            "monthly_cost": self.monthly,
            "hourly_cost_most": self.hourly_most,
            "monthly_cost_most": self.monthly_most,
            "hours_a_week": self.share * HOURS_A_WEEK,
            "training_hourly_cost": self.training_hourly,
            "spot": self.spot,
            "currency": "USD",
            "region": self.region,
            "prices": self.source,
            "billed": self.billed,
            "uses": [{"what": use.what, "per": use.per, "price": use.price} for use in self.uses],
        }


def estimate(context: Context, kinds: Iterable[type[Resource]], standing: Container[str] | None = None) -> Estimate:
    """Return what the project costs as the settings have it.

    AWS is asked for its prices only where it is AWS that bills, and once a day. Where it does not answer or does not
    let us ask, the built-in table answers.

    Args:
        context: the project and environment.
        kinds: the kinds of resources that the chain is made of.
        standing: those of them that stand, or will, by their names: what is not among them costs nothing by the hour.
            None: all.
    """
    resources = [kind(context) for kind in kinds]
    found = [(resource.kind, machines) for resource in resources if (machines := resource.machines())]
    always = [machines for kind, machines in found if machines.standing and (standing is None or kind in standing)]
    working = [machines for _, machines in found if machines.component == "Training"]
    billed = context.environment.billed
    asked = billed and not context.environment.unseen and all(each.component in USAGE for _, each in found)
    listed = listed_prices(context, [kind for _, each in found for kind in each.kinds]) if asked else None
    return Estimate(
        hourly=_hourly(always, listed, min),
        hourly_most=_hourly(always, listed, max),
        share=min((machines.share for machines in always), default=1.0),
        training_hourly=_hourly(working, listed, min),
        spot=context.settings.train.spot,
        uses=_uses(resources),
        instance_type=" or ".join(context.settings.deploy.machine_types),
        region=context.environment.region,
        source=_source(listed),
        billed=billed,
        by_use=not any(machines.standing for _, machines in found),
    )


def hosting_prices(context: Context | None, types: Sequence[str]) -> tuple[Mapping[str, float | None], str]:
    """Return what an hour of an endpoint's machine costs, by its type, and whose prices these are.

    The built-in table answers where there is no project, where AWS bills nothing, and where nobody is logged in.
    """
    listed = None
    if context and context.environment.billed:
        with contextlib.suppress(AccessError):
            listed = listed_prices(context, [("Hosting", name) for name in types])
    return {name: _price(("Hosting", name), listed) for name in types}, _source(listed)


@dataclass(frozen=True)
class TuningPrice:
    """What a tuning job costs at most, in USD: every trial as long as it may take.

    Args:
        trials: how many there are at most.
        minutes: how long each may take.
        instance_type: the machine of each.
        instance_count: how many machines each has.
        most: what all of it costs on demand; None where the machine's price is not known.
        spot: whether spare machines are asked for, which cost less.
        source: whose price that is.
        billed: False where nothing is paid, since all of it runs on this machine.
    """

    trials: int
    minutes: int
    instance_type: str
    instance_count: int
    most: float | None
    spot: bool
    source: str
    billed: bool

    def __str__(self) -> str:
        machines = f"{self.instance_count} {self.instance_type} each" if self.instance_count > 1 else self.instance_type
        trials = f"{self.trials} trials of {self.minutes} minutes on {machines}"
        price, on_aws = at_most(self.most), unless_billed(self.billed)
        on_spot = "; spot machines cost less" if self.spot else ""
        return f"{on_aws}{trials}: {price}{on_spot} ({self.source})"


def tuning_price(context: Context, machines: Machines, trials: int) -> TuningPrice:
    """Return what a tuning job of so many trials costs at most.

    Args:
        context: the project and environment.
        machines: those of one trial.
        trials: how many there are at most.
    """
    train = context.settings.train
    price, source = hourly_price_of(context, machines)
    most = None if price is None else price * trials * train.max_minutes / 60
    billed = context.environment.billed
    return TuningPrice(
        trials, train.max_minutes, machines.instance_type, machines.count, most, train.spot, source, billed
    )


@dataclass(frozen=True)
class PreparationPrice:
    """What a processing job costs at most, in USD: all its machines as long as it may take.

    Args:
        minutes: how long that is.
        instance_type: the machine.
        instance_count: how many there are.
        most: what all of it costs; None where the machine's price is not known.
        source: whose price that is.
        billed: False where nothing is paid, since all of it runs on this machine.
    """

    minutes: int
    instance_type: str
    instance_count: int
    most: float | None
    source: str
    billed: bool

    def __str__(self) -> str:
        many = f"{self.instance_count} machines " if self.instance_count > 1 else ""
        price, on_aws = at_most(self.most), unless_billed(self.billed)
        return f"{on_aws}{self.minutes} minutes of {many}{self.instance_type}: {price} ({self.source})"


def preparation_price(context: Context) -> PreparationPrice:
    """Return what the processing job that prepares the dataset costs at most."""
    data = context.settings.data
    machines = Machines("Processing", data.instance_type, data.instance_count, standing=False)
    price, source = hourly_price_of(context, machines)
    most = None if price is None else price * data.max_minutes / 60
    billed = context.environment.billed
    return PreparationPrice(data.max_minutes, data.instance_type, data.instance_count, most, source, billed)


def hourly_price_of(context: Context, machines: Machines) -> tuple[float | None, str]:
    """Return what an hour of all of these machines costs, None where it is not known, and whose price that is."""
    asked = context.environment.billed and not context.environment.unseen
    listed = listed_prices(context, [(machines.component, machines.instance_type)]) if asked else None
    return _hourly([machines], listed, min), _source(listed)


def machine_price(context: Context, machines: Machines) -> tuple[str, str]:
    """Return what an hour of a machine costs, such as "$0.05 an hour", and whose price that is."""
    listed = listed_prices(context, list(machines.kinds))
    price = _hourly([machines], listed, min)
    return "a price that is not known" if price is None else f"{dollars(price)} an hour", _source(listed)


def at_most(price: float | None) -> str:
    """Return the words for the highest price of something, in USD; None where it is not known."""
    return "at a price that is not known" if price is None else f"{dollars(price)} at most"


def unless_billed(billed: bool) -> str:
    """Return what a price begins with where nothing is paid; empty where it is."""
    return "" if billed else "nothing on this machine; on AWS it would be "


def _hourly(
    machines: Iterable[Machines], listed: Listed | None, extreme: Callable[[Iterable[float]], float]
) -> float | None:
    """Add up what machines cost an hour; None where a price is not known.

    Args:
        machines: those that are paid for.
        listed: the prices; None for the built-in table's.
        extreme: `min` for the fewest of the cheapest machines that can stand, `max` for the most of the dearest.
    """
    total = 0.0
    for each in machines:
        prices = [_price(kind, listed) for kind in each.kinds]
        known = [price for price in prices if price is not None]
        if len(known) < len(prices):
            return None
        total += extreme(known) * extreme((each.count, each.most or each.count))
    return total


def _price(kind: tuple[str, str], listed: Listed | None) -> float | None:
    return hourly_price(*kind) if listed is None else listed.prices[kind]


def _from_to(least: float | None, most: float | None, shown: Callable[[float], str]) -> str:
    bounds = dict.fromkeys(shown(amount) for amount in (least, most) if amount is not None)
    return " to ".join(bounds)


def _source(listed: Listed | None) -> str:
    return f"AWS Price List, {listed.day}" if listed else f"built-in table of {prices()['date']}, {prices()['region']}"


def _uses(resources: Iterable[Resource]) -> tuple[Use, ...]:
    """Return what is paid by use, each once: what predictions cost, then what is kept."""
    uses = dict.fromkeys(use for resource in resources for use in resource.uses())
    return tuple(sorted(uses, key=lambda use: not use.per.startswith(PREDICTIONS)))
