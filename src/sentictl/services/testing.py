"""The evaluation on the test split of the dataset that the model was trained on."""

import tempfile
from collections.abc import Callable
from pathlib import Path

from sentimodel.dataset import Split

from sentictl.errors import ModelError
from sentictl.lifecycle.resource import Context
from sentictl.project import Project
from sentictl.services.evaluation import Evaluation, evaluate_split, load_model
from sentictl.services.storage import download_folder

TEST = "test/reviews.npz"


def evaluate_test_split(project: Project, connect: Callable[[], Context]) -> Evaluation:
    """Measure the current model on the test split, which neither trained nor chose anything.

    Args:
        project: whose model and datasets.
        connect: called only if the dataset has to be fetched from S3.

    Raises:
        ModelError: there is no model on this machine.
    """
    predictor = load_model(project.folder.current_model)
    digest = predictor.metadata.dataset
    folder = project.folder.datasets / digest
    if not (folder / TEST).exists():
        _fetch(connect(), digest, folder)
    return evaluate_split(predictor, Split.load(folder / TEST), f"test split of dataset {digest}")


def _fetch(context: Context, digest: str, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".fetching-") as scratch:
        fetched = Path(scratch) / digest
        download_folder(context, context.naming.bucket, f"datasets/{digest}/", fetched)
        if not (fetched / TEST).exists():
            raise ModelError(
                f"The dataset {digest} that the model was trained on is neither here nor on S3.",
                "Name labelled reviews to measure on: sentictl evaluate --data PATH",
            )
        fetched.rename(folder)
