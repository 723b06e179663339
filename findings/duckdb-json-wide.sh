#!/usr/bin/env bash
# DuckDB makes one column of a whole table in JSON Lines as soon as its rows have 200 fields, or ten rows a field each.
#
# Packages: duckdb==2.0.1.
# Expected: a column for each field, however many there are: `SELECT word0` works with 200 fields as it does with 199.
# Seen: the text under `seen` below. What looks to it like a map becomes a MAP, and that is decided of the row itself,
# too; the column is called `json`. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1

cat >"$folder/try.py" <<'PYTHON'
import json
import pathlib
import sys

import duckdb

path = pathlib.Path(sys.argv[1]) / "rows.jsonl"


def tell(what, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    columns = duckdb.sql(f"SELECT * FROM read_json('{path}')").columns
    print(f"{what}: {len(columns)} columns, the first is {columns[0]}")


for count in (199, 200):
    tell(f"3 rows, each with the same {count} numbers", [{f"word{n}": 0.5 for n in range(count)}] * 3)
for count in (9, 10):
    tell(f"{count} rows, each with one answer of its own", [{f"question{n}": n} for n in range(count)])
PYTHON

cat >"$folder/seen" <<'SEEN'
3 rows, each with the same 199 numbers: 199 columns, the first is word0
3 rows, each with the same 200 numbers: 1 columns, the first is json
9 rows, each with one answer of its own: 9 columns, the first is question0
10 rows, each with one answer of its own: 1 columns, the first is json
SEEN

"$folder/venv/bin/python" "$folder/try.py" "$folder" \
  2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
