"""Prepares a dataset by Spark, with the code in the archive beside this file."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "code.zip"))

from sentictl.reviews.spark.job import main  # noqa: E402  (in the archive)

main(HERE)
