"""The model of transform jobs: the artifact and the container that are served, under a name of its own."""

from sentictl.aws.images import pytorch_image
from sentictl.config.images import PYTORCH
from sentictl.config.instance_types import is_graviton
from sentictl.config.state import Record
from sentictl.lifecycle.resource import Context
from sentictl.services.resources.artifacts import fetch_artifact
from sentictl.services.resources.sagemaker import has_endpoint
from sentictl.services.serving.image import image_uri
from sentictl.services.serving.model import Model, trained

COMMAND = "predict --via batch"
PART = "batch"
JSON, JSON_LINES = "application/json", "application/jsonlines"
SCRIPT = "code/inference.py"


class BatchModel(Model):
    """The model that transform jobs ask: a newer endpoint, or none, leaves the jobs that run alone.

    Its image is the endpoint's; where the model answers inside of the function, or on a Graviton machine, it is AWS's
    PyTorch image.
    """

    kind = "batch-model"
    command = COMMAND
    removed_as = PART
    arn_type = Model.kind
    before_digest = f"{PART}-"
    keeps_versions = True  # others may be asked still
    in_template = False

    @property
    def wanted(self) -> bool:
        return True

    @property
    def image(self) -> str:
        settings = self.context.settings
        # What is made for Graviton runs on no machine that transform jobs have.
        runs = not is_graviton(settings.deploy.instance_type)
        if has_endpoint(self.context) and settings.deploy.image != PYTORCH and runs:
            return image_uri(self.context)
        return pytorch_image("inference", self.context.environment.region, settings.batch.instance_type)


def record_form(context: Context) -> tuple[str, str]:
    """Return the content type of the records, and how many of them the model takes in a request (BatchStrategy).

    An artifact of before there were batches does not read JSON Lines. It is asked about each review by itself.
    """
    version: Record = trained(context)
    script = fetch_artifact(context, version.name, version.attributes["artifact"]) / SCRIPT
    reads_lines = script.is_file() and JSON_LINES in script.read_text(encoding="utf-8", errors="replace")
    return (JSON_LINES, "MultiRecord") if reads_lines else (JSON, "SingleRecord")
