#!/usr/bin/env bash
# A table as RFC 4180 describes it has three rows for Python and DuckDB, and for Spark four, of which one is right.
#
# Packages: pyspark==3.5.9, duckdb==1.4.1; Java 17 or newer is needed as well.
# Expected: a quotation mark within a quoted field is written twice (RFC 4180, 2.7), and such a field may hold line
# feeds (2.6), so that all three read the same three reviews.
# Seen: the text under `seen` below. Spark takes a backslash for what escapes, and ends a row at each line feed, unless
# it is told otherwise by `escape` and `multiLine`; nothing warns. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyspark==3.5.9 duckdb==1.4.1

cat >"$folder/try.py" <<'PYTHON'
import csv
import io
import pathlib
import sys

import duckdb
from pyspark.sql import SparkSession

path = pathlib.Path(sys.argv[1]) / "reviews.csv"
reviews = ['It is "great", says he', "Two\nlines", "plain"]
text = io.StringIO()
table = csv.writer(text)  # RFC 4180, as spreadsheets write it as well
table.writerows([("review", "label"), *((review, "1") for review in reviews)])
path.write_text(text.getvalue(), newline="")


def tell(reader, rows):
    found = [row[0] for row in rows]
    print(f"{reader:<26} {len(found)} rows, {sum(review in found for review in reviews)} of them right: {found}")


with path.open(newline="") as stream:
    tell("csv", list(csv.reader(stream))[1:])
tell("duckdb", duckdb.sql(f"SELECT * FROM read_csv('{path}', header = true)").fetchall())
spark = SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
tell("spark", spark.read.csv(str(path), header=True).collect())
tell("spark, told both options", spark.read.csv(str(path), header=True, multiLine=True, escape='"').collect())
spark.stop()
PYTHON

cat >"$folder/seen" <<'SEEN'
csv                        3 rows, 3 of them right: ['It is "great", says he', 'Two\nlines', 'plain']
duckdb                     3 rows, 3 of them right: ['It is "great", says he', 'Two\nlines', 'plain']
spark                      4 rows, 1 of them right: ['"It is ""great""', 'Two', 'lines"', 'plain']
spark, told both options   3 rows, 3 of them right: ['It is "great", says he', 'Two\nlines', 'plain']
SEEN

"$folder/venv/bin/python" "$folder/try.py" "$folder" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
