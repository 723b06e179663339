"""sentictl: from labelled reviews to a live sentiment web app on AWS, and back to nothing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sentictl.api.project import Project

    __version__: str

__all__ = ["Project", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "Project":  # imported when it is asked for: the command line starts without all that it needs
        from sentictl.scaffold.overrides import use_model_code_here

        use_model_code_here()  # before what follows imports it
        from sentictl.api.project import Project

        return Project
    if name == "__version__":  # of what is installed; reading it takes longer than `--help` may
        from importlib.metadata import version

        return version(__name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
