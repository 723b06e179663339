"""Opening an address in the browser that lets in whoever has it."""

import webbrowser
from html import escape

from sentictl.assets.atomic import write_atomically
from sentictl.config.project_folder import ProjectFolder


def open_privately(url: str) -> bool:
    """Open an address in the browser, which reads it from a file: all users of a machine see command lines.

    Returns:
        Whether there is a browser to open it in.

    Raises:
        StateError: there is no `sentictl.toml` at or above the working directory.
    """
    page = ProjectFolder.open().cache.resolve() / "open.html"
    refresh = f'<meta http-equiv="refresh" content="0; url={escape(url)}">'
    write_atomically(page, f"<!doctype html><title>sentictl</title>{refresh}\n".encode(), mode=0o600)
    return webbrowser.open(page.as_uri())
