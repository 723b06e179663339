"""Runs a class of Spark's own, as its script `spark-class` does: `python spark_class.py CLASS args…`."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path


def main() -> int:
    """Run it to its end; returns its exit code."""
    spec = find_spec("pyspark")
    if spec is None or spec.origin is None:
        return 1
    return subprocess.call([str(Path(spec.origin).parent / "bin" / "spark-class"), *sys.argv[1:]])


if __name__ == "__main__":
    sys.exit(main())
