"""Programs of others that are heavy to install and to start, Ray and Spark: only `make test-peers` starts them."""

import os
import shutil
from importlib.util import find_spec

import pytest

WANTED = "TESTS_PEERS"
# For the JVM: what is compiled quickly suits a few hundred reviews, and costs a third less.
QUICK = {"JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


def require_ray() -> None:
    """Skip the module unless peers are wanted; fail where they are, and Ray is not installed."""
    _require("Ray", {"ray[serve]": find_spec("ray"), "Starlette, of ray[serve],": find_spec("starlette")})


def require_spark() -> None:
    """Skip the module unless peers are wanted; fail where they are, and PySpark or Java is not installed."""
    _require("Spark", {"PySpark": find_spec("pyspark"), "Java 17": os.environ.get("JAVA_HOME") or shutil.which("java")})
    os.environ |= QUICK


def _require(name: str, needed: dict[str, object]) -> None:
    if not os.environ.get(WANTED):
        pytest.skip(f"{name} is heavy: make test-peers runs this", allow_module_level=True)
    missing = [part for part, found in needed.items() if not found]
    if missing:
        pytest.fail(f"{' and '.join(missing)} is not installed")
