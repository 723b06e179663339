"""The flat scripts of the model code as modules: containers load them from their files as well."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

MODEL_CODE = Path(__file__).parents[2] / "model_code"


def load_script(name: str) -> ModuleType:
    """`train` or `inference`, loaded from its file under a name that no package has."""
    spec = importlib.util.spec_from_file_location(f"{name}_script", MODEL_CODE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
