#!/usr/bin/env bash
# Spark reads the second CSV file of a folder by the places of its columns, though both files have headers.
#
# Packages: pyspark==3.5.9, duckdb==2.0.1; Java 17 or newer is needed as well.
# Expected: columns are found by the names in each file's own header, as by DuckDB, or files whose headers differ are
# refused.
# Seen: the text under `seen` below. The header of the first file counts for all (`enforceSchema`, on by default); the
# others are skipped unread. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 duckdb==2.0.1

cat >"$folder/try.py" <<'PYTHON'
import pathlib
import sys

import duckdb
from pyspark.sql import SparkSession

folder = pathlib.Path(sys.argv[1]) / "reviews"
folder.mkdir()
(folder / "monday.csv").write_text("review,summary\nIt goes on for hours,too long\n")
(folder / "tuesday.csv").write_text("summary,review\ngood,I saw it twice\n")


def tell(reader, rows):
    for review, summary in sorted(rows):
        print(f"{reader:<10} review = {review!r}, summary = {summary!r}")


tell("duckdb", duckdb.sql(f"SELECT review, summary FROM read_csv('{folder}/*.csv', header = true)").fetchall())
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
for what, path in (("spark, one", folder / "tuesday.csv"), ("spark, all", folder)):
    tell(what, spark.read.csv(str(path), header=True).select("review", "summary").collect())
spark.stop()
PYTHON

cat >"$folder/seen" <<'SEEN'
duckdb     review = 'I saw it twice', summary = 'good'
duckdb     review = 'It goes on for hours', summary = 'too long'
spark, one review = 'I saw it twice', summary = 'good'
spark, all review = 'It goes on for hours', summary = 'too long'
spark, all review = 'good', summary = 'I saw it twice'
SEEN

"$folder/venv/bin/python" "$folder/try.py" "$folder" \
  2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
