"""The answers of a project: each as Python's own objects, and as the document that `--json` prints."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sentictl.api.stack import Finding
from sentictl.config.state import Record
from sentictl.lifecycle.reconcile import Action, Step
from sentictl.reviews.prepare.manifest import Manifest
from sentictl.reviews.read.source import listed
from sentictl.services.batch.price import BatchPrice
from sentictl.services.evaluate.evaluation import Evaluation
from sentictl.services.operations.rollouts import RolloutProgress
from sentictl.services.pricing.estimate import Estimate, PreparationPrice, TuningPrice
from sentictl.services.resources.training import TrainingJob
from sentictl.services.retraining.price import TrainingRunPrice


@dataclass(frozen=True)
class Live:
    """The whole chain, up.

    Args:
        environment: the environment's name.
        page_url: where the web page is.
        api_url: where reviews are posted.
        evaluation: what the model that is served is worth on the test split.
        costs: what it costs while it stands.
        access: who may ask, as `api.auth` has it.
        missing: what did not answer yet after a minute and a half; empty where all of it did.
    """

    environment: str
    page_url: str
    api_url: str
    evaluation: Evaluation
    costs: Estimate
    access: str = "none"
    missing: str = ""

    def document(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "page_url": self.page_url,
            "api_url": self.api_url,
            "model": self.evaluation.model,
            "test": self.evaluation.figures(),
            "missing": self.missing,
            **self.costs.document(),
        }


@dataclass(frozen=True, kw_only=True)
class Prepared(Record):
    """The record of a dataset, and what is in it.

    Args:
        manifest: what the dataset says of itself.
    """

    manifest: Manifest

    def document(self) -> dict[str, Any]:
        manifest = self.manifest
        return {
            "kind": self.kind,
            "name": self.name,
            "uri": self.arn,
            "source": manifest.source,
            "reviews": sum(split.reviews for split in manifest.splits.values()),
            "splits": {name: asdict(split) for name, split in manifest.splits.items()},
            "unlabelled": manifest.unlabelled.reviews if manifest.unlabelled else 0,
            "counted": listed(manifest.warnings, manifest.examples),
        }


@dataclass(frozen=True)
class Preview:
    """The web page while this machine serves it.

    Args:
        page_url: where the page is.
        api_url: where it posts reviews.
    """

    page_url: str
    api_url: str


@dataclass(frozen=True)
class Plan:
    """The steps that a command would take.

    Args:
        environment: the environment's name.
        steps: in the order in which they would be done.
        costs: what it would cost while what there would be then stands.
        permissions: the actions that IAM would have to allow.
        account_seen: False where no account was looked at, since nobody is logged in.
        tuning: what the tuning job would cost at most; None for what is no tuning.
        batch: what answering a batch would cost; None for what is no batch.
        retraining: what a run of the training schedule would cost at most; None without one.
        preparation: what preparing the dataset on AWS would cost at most; None where nothing is prepared there.
    """

    environment: str
    steps: Sequence[Step]
    costs: Estimate
    permissions: Sequence[str]
    account_seen: bool = True
    tuning: TuningPrice | None = None
    batch: BatchPrice | None = None
    retraining: TrainingRunPrice | None = None
    preparation: PreparationPrice | None = None

    @property
    def changes(self) -> bool:
        """Whether there is anything to do."""
        return any(step.action is not Action.KEEP for step in self.steps)

    @property
    def trains(self) -> bool:
        """Whether a training job is among the steps, which costs by the hour while it runs."""
        return any(
            step.kind == TrainingJob.kind and step.action in (Action.CREATE, Action.REPLACE) for step in self.steps
        )

    def document(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "steps": [
                {"action": step.action, "kind": step.kind, "name": step.name, "changes": step.changes}
                for step in self.steps
            ],
            **self.costs.document(),
            "permissions": self.permissions,
            "account_seen": self.account_seen,
            **({"tuning": asdict(self.tuning)} if self.tuning else {}),
            **({"batch": asdict(self.batch)} if self.batch else {}),
            **({"retraining": asdict(self.retraining)} if self.retraining else {}),
            **({"preparation": asdict(self.preparation)} if self.preparation else {}),
        }


@dataclass(frozen=True)
class Status:
    """The resources that stand.

    Args:
        environment: the environment's name.
        findings: each recorded resource as AWS has it, in the order of the chain.
        page_url: where the web page is; None where there is none.
        api_url: where reviews are posted; None where there is no API.
        costs: what it costs; None where nothing was ever made.
        warnings: what a person should know beside it.
        rollout: how far a rollout is; None where none is on its way.
        dashboard_url: where the dashboard is in AWS's console; empty where there is none.
    """

    environment: str
    findings: Sequence[Finding] = ()
    page_url: str | None = None
    api_url: str | None = None
    costs: Estimate | None = None
    warnings: Sequence[str] = ()
    rollout: RolloutProgress | None = None
    dashboard_url: str = ""

    @property
    def differs(self) -> bool:
        """Whether something is not as the settings want it."""
        return any(finding.mend for finding in self.findings)

    def document(self) -> dict[str, Any]:
        return {
            "environment": self.environment,
            "resources": [finding.document() for finding in self.findings],
            "page_url": self.page_url,
            "api_url": self.api_url,
            **(self.costs.document() if self.costs else {"hourly_cost": 0.0}),
            "warnings": list(self.warnings),
            "rollout": self.rollout.document() if self.rollout else None,
            "dashboard_url": self.dashboard_url or None,
        }


@dataclass(frozen=True)
class Removal:
    """The resources that were taken down.

    Args:
        deleted: what is gone.
        left: what should not be there any more and is.
    """

    deleted: Sequence[Record] = ()
    left: Sequence[dict[str, str]] = ()

    def document(self) -> dict[str, Any]:
        deleted = [{"kind": record.kind, "name": record.name} for record in self.deleted]
        return {"deleted": deleted, "left": list(self.left)}
