#!/usr/bin/env bash
# DuckDB reads a score of 0.9 as 1, silently, where the first 20,480 rows, or the first Parquet file, had whole numbers.
#
# Packages: duckdb==2.0.1.
# Expected: 0.9, or an error, as it raises for a text in the same place; and the same numbers whatever the order of the
# files.
# Seen: the text under `seen` below. The guessed type is enforced by a cast, and a cast of a fraction to a whole number
# rounds. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check duckdb==2.0.1

cat >"$folder/try.py" <<'PYTHON'
import pathlib
import sys

import duckdb

folder = pathlib.Path(sys.argv[1])
COUNT = 20_480  # rows that are looked at for the types
whole = [str(n % 2) for n in range(COUNT)]
readers = {
    "csv": ("read_csv", lambda values: "score\n" + "\n".join(values) + "\n"),
    "json": ("read_json", lambda values: "".join(f'{{"score": {value}}}\n' for value in values)),
}


def last(source):
    try:
        return duckdb.sql(f"SELECT score FROM {source} OFFSET {COUNT - 1}").fetchall()[-1][0]
    except duckdb.Error as error:
        return type(error).__name__


for kind, (reader, text) in readers.items():
    for value in ("0.9", '"good"'):
        path = folder / f"scores.{kind}"
        path.write_text(text([*whole, value]))
        print(f"{kind:<7} {value:<6} in row {COUNT + 1} is read as", last(f"{reader}('{path}')"))
for name, values in (("a", "(0::BIGINT), (1)"), ("b", "(0.9::DOUBLE), (0.2)")):
    duckdb.sql(f"COPY (SELECT * FROM (VALUES {values}) AS t(score)) TO '{folder}/{name}.parquet'")
for files in ("a.parquet b.parquet", "b.parquet a.parquet"):
    listed = [f"{folder}/{name}" for name in files.split()]
    rows = duckdb.sql(f"SELECT score FROM read_parquet({listed})").fetchall()
    print("parquet", files, "are read as", [row[0] for row in rows])
PYTHON

cat >"$folder/seen" <<'SEEN'
csv     0.9    in row 20481 is read as 1
csv     "good" in row 20481 is read as ConversionException
json    0.9    in row 20481 is read as 1
json    "good" in row 20481 is read as InvalidInputException
parquet a.parquet b.parquet are read as [0, 1, 1, 0]
parquet b.parquet a.parquet are read as [0.9, 0.2, 0.0, 1.0]
SEEN

"$folder/venv/bin/python" "$folder/try.py" "$folder" \
  2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
