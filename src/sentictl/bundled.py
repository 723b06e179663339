"""The files that travel with sentictl: the model code and the templates, from a checkout or from an installed wheel."""

from importlib.util import find_spec
from pathlib import Path

PACKAGE = Path(__file__).parent
CHECKOUT = PACKAGE.parents[1]


def templates() -> Path:
    """The folder of templates: `lambda/`, `site/`, `report/`, `policies/`, `project/`."""
    return _folder("templates")


def model_code() -> dict[str, Path]:
    """What a training job's source archive holds: paths inside the archive and the files they come from."""
    scripts = _folder("model_code")
    files = {name: scripts / name for name in ("train.py", "inference.py", "requirements.txt")}
    spec = find_spec("sentimodel")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("sentimodel is missing from this installation of sentictl")
    package = Path(next(iter(spec.submodule_search_locations)))
    return files | {f"sentimodel/{path.name}": path for path in sorted(package.glob("*.py"))}


def _folder(name: str) -> Path:
    installed = PACKAGE / name
    return installed if installed.is_dir() else CHECKOUT / name
