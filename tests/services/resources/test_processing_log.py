"""The stages of a processing job, as its log tells them."""

from typing import Any

from sentictl.services.resources.processing_log import ProcessingLog


class Logs:
    """CloudWatch Logs with one stream, whose lines are told in pages."""

    class exceptions:  # noqa: N801  (as boto3 has it)
        ResourceNotFoundException = LookupError

    def __init__(self, pages: list[list[str]]) -> None:
        self._pages = pages

    def describe_log_streams(self, **asked: str) -> dict[str, Any]:
        assert asked == {"logGroupName": "/aws/sagemaker/ProcessingJobs", "logStreamNamePrefix": "films-prod-a/"}
        return {"logStreams": [{"logStreamName": "films-prod-a/algo-1-1"}]}

    def get_log_events(self, **asked: Any) -> dict[str, Any]:
        page = int(asked.get("nextToken", "0"))
        lines = self._pages[page] if page < len(self._pages) else []
        return {
            "events": [{"message": line} for line in lines],
            "nextForwardToken": str(min(page + 1, len(self._pages))),
        }


def test_stages_are_told_once_and_other_lines_are_not() -> None:
    pages = [
        ["24/11/30 WARN something of Spark's stage=1", "stage=reading files=1200", ""],
        ["stage=tokenizing reviews=25000 pieces=8", "stage=done dataset=0123456789abcdef"],
    ]
    log = ProcessingLog(Logs(pages), "films-prod-a")
    assert list(log.stages()) == ["reading 1,200 files", "tokenizing 25,000 reviews, 8 pieces", "done"]
    assert list(log.stages()) == []
