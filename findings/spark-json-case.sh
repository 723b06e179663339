#!/usr/bin/env bash
# A field that one line of JSON Lines writes in capitals is null in Spark, which takes both names for one column.
#
# Packages: pyspark==3.5.9, duckdb==2.0.1; Java 17 or newer is needed as well.
# Expected: names are one without regard to capitals, as Spark says of them elsewhere, and then both values are in the
# column; or they are two, as in DuckDB. Spark refuses a line that has both.
# Seen: the text under `seen` below. The schema is inferred without regard to capitals, the values are then looked up
# with it. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 duckdb==2.0.1

cat >"$folder/try.py" <<'PYTHON'
import pathlib
import sys

import duckdb
from pyspark.errors import AnalysisException
from pyspark.sql import SparkSession

path = pathlib.Path(sys.argv[1]) / "reviews.jsonl"
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")


def read():
    try:
        return [row.asDict() for row in spark.read.json(str(path)).collect()]
    except AnalysisException as error:
        return error.getErrorClass()


path.write_text('{"text": "a fine film"}\n{"Text": "a dull film"}\n')
print("duckdb", duckdb.sql(f"SELECT * FROM read_json('{path}')").fetchall())
print("spark ", read())
print("select", [row[0] for row in spark.read.json(str(path)).selectExpr("TEXT").collect()])
path.write_text('{"text": "a fine film", "Text": "a dull film"}\n')
print("in one", read())
spark.stop()
PYTHON

cat >"$folder/seen" <<'SEEN'
duckdb [('a fine film', None), (None, 'a dull film')]
spark  [{'text': 'a fine film'}, {'text': None}]
select ['a fine film', None]
in one COLUMN_ALREADY_EXISTS
SEEN

"$folder/venv/bin/python" "$folder/try.py" "$folder" \
  2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
