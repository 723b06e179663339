"""The model that answers now, wherever it does: at an endpoint, or inside of the function."""

from sentictl.lifecycle.resource import Context
from sentictl.services.serving import endpoint
from sentictl.services.web.function import Function
from sentictl.services.web.function_archive import FunctionArchive


def live_artifact(context: Context) -> str:
    """Return the S3 URI of what answers, as AWS tells it; "" where nothing is live."""
    return _in_function(context) or endpoint.live_artifact(context)


def _in_function(context: Context) -> str:
    """Return the artifact that the function holds and answers with; "" where it holds none, or asks an endpoint."""
    archives = {
        record.attributes["sha256"]: record.attributes["artifact"]
        for record in context.state.of_kind(FunctionArchive.kind)
        if "sha256" in record.attributes
    }
    function = Function(context)
    live = function.read(function.name) if archives else None
    return archives.get(live.fields["CodeSha256"], "") if live and function.holds_model else ""
