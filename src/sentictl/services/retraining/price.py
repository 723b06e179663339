"""What a scheduled training costs at most."""

from dataclasses import dataclass

from sentictl.lifecycle.resource import Context
from sentictl.services.pricing.estimate import at_most, hourly_price_of, preparation_price, unless_billed
from sentictl.services.resources.training import TrainingJob


@dataclass(frozen=True)
class TrainingRunPrice:
    """What one run costs at most, in USD: its machines for as long as they may take.

    Args:
        preparing: minutes of the processing job.
        training: minutes of the training job.
        most: both together; None where a machine's price is not known.
        source: whose price that is.
        billed: False where nothing is paid, since all of it runs on this machine.
    """

    preparing: int
    training: int
    most: float | None
    source: str
    billed: bool

    def __str__(self) -> str:
        minutes = f"{self.preparing} minutes to prepare and {self.training} to train"
        return f"{unless_billed(self.billed)}{minutes} each run: {at_most(self.most)} ({self.source})"


def training_run_price(context: Context) -> TrainingRunPrice:
    """Return what one run costs at most."""
    preparation, train = preparation_price(context), context.settings.train
    hourly, source = hourly_price_of(context, TrainingJob(context).machines())
    known = preparation.most is not None and hourly is not None
    most = (preparation.most or 0.0) + (hourly or 0.0) * train.max_minutes / 60
    return TrainingRunPrice(preparation.minutes, train.max_minutes, most if known else None, source, preparation.billed)
