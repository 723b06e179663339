"""A training job's log, and the progress told by it."""

from typing import Any

from sentictl.services.resources.training_log import TrainingLog


class NotFoundError(Exception):
    """What boto3 raises for a group that is not there."""


class Logs:
    """A CloudWatch Logs client with pages of two events."""

    class exceptions:  # noqa: N801  (boto3's name)
        ResourceNotFoundException = NotFoundError

    def __init__(self) -> None:
        self.events: list[str] | None = None

    def describe_log_streams(self, **_: Any) -> dict[str, Any]:
        if self.events is None:
            raise NotFoundError
        return {"logStreams": [{"logStreamName": "job/algo-1-1"}]}

    def get_log_events(self, nextToken: str = "0", **_: Any) -> dict[str, Any]:  # noqa: N803  (boto3's name)
        assert self.events is not None
        begin = int(nextToken)
        page = self.events[begin : begin + 2]
        return {"events": [{"message": line} for line in page], "nextForwardToken": str(begin + len(page))}


def test_every_line_is_read_once_as_it_comes() -> None:
    client = Logs()
    log = TrainingLog(client, "job")
    assert list(log.lines()) == []
    client.events = ["a", "b", "c"]
    assert list(log.lines()) == ["a", "b", "c"]
    assert list(log.lines()) == []
    client.events += ["d"]
    assert list(log.lines()) == ["d"]


def test_progress_is_counted_in_epochs_and_epochs_are_milestones() -> None:
    client = Logs()
    client.events = [
        "loading",
        "progress epoch=2 epochs=4 batch=5 batches=10 train_loss=0.5021",
        "epoch=2 epochs=4 train_loss=0.4512 validation_loss=0.3411 validation_accuracy=0.8544 seconds=21.3",
    ]
    moving, milestone = TrainingLog(client, "job").progress()
    assert moving == ("epoch 2 of 4 · loss 0.502", 1.5, 4.0)
    assert milestone == ("epoch 2 of 4 in 21 s · loss 0.451 · validation 85.4 %", None, None)


def test_stages_are_named_and_those_of_the_folds_only_move_the_bar() -> None:
    client = Logs()
    figures = "train_loss=0.4512 validation_loss=0.3411 validation_accuracy=0.8544 seconds=21.3"
    client.events = [f"epoch=2 epochs=3 {figures} stage={stage}" for stage in ("lstm", "fold-1")]
    milestone, moving = TrainingLog(client, "job").progress()
    assert milestone == ("lstm · epoch 2 of 3 in 21 s · loss 0.451 · validation 85.4 %", None, None)
    assert moving == ("fold-1 · epoch 2 of 3 in 21 s · loss 0.451 · validation 85.4 %", 2.0, 3.0)
