#!/usr/bin/env bash
# polars, DuckDB and Arrow's datasets leave out a field of JSON Lines that comes late, each from another place on.
#
# Packages: polars==2.1.0, duckdb==2.0.1, pyarrow==26.0.1.
# Expected: all fields are read, as by pyarrow.json.read_json, or the first row that has an unknown one is refused.
# Seen: the text under `seen` below. No reader warns; in a table whose first rows have no label, the label is gone. The
# script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check polars==2.1.0 duckdb==2.0.1 pyarrow==26.0.1

cat >"$folder/try.py" <<'PYTHON'
import json
import pathlib
import sys

import duckdb
import polars
import pyarrow.dataset
import pyarrow.json

folder = pathlib.Path(sys.argv[1])
READERS = {
    "pyarrow.json.read_json": lambda path: pyarrow.json.read_json(path).schema.names,
    "pyarrow.dataset": lambda path: pyarrow.dataset.dataset(path, format="json").to_table().schema.names,
    "polars.read_ndjson": lambda path: polars.read_ndjson(path).columns,
    "duckdb read_json": lambda path: duckdb.sql(f"SELECT * FROM read_json('{path}')").columns,
}


def rows(count):
    texts = ({"review": f"{n:08} " + "a fine film " * 10} for n in range(count))
    return "".join(json.dumps(row) + "\n" for row in texts)


late = '{"review": "a fine film", "label": 1}\n'
for number in (2, 101, 20_481):
    (folder / "reviews.jsonl").write_text(rows(number - 1) + late)
    for name, read in READERS.items():
        found = "label" in read(folder / "reviews.jsonl")
        print(f"label first in row {number:>6}: {name:<22} {'read' if found else 'left out'}")
for number in (2, 33):
    for old in folder.glob("part-*.jsonl"):
        old.unlink()
    for n in range(1, number + 1):
        (folder / f"part-{n:02}.jsonl").write_text(late if n == number else rows(1))
    places = dict.fromkeys(READERS, str(folder / "part-*.jsonl"))
    places["pyarrow.dataset"] = sorted(map(str, folder.glob("part-*.jsonl")))
    for name, read in list(READERS.items())[1:]:
        found = "label" in read(places[name])
        print(f"label first in file {number:>5}: {name:<22} {'read' if found else 'left out'}")
PYTHON

cat >"$folder/seen" <<'SEEN'
label first in row      2: pyarrow.json.read_json read
label first in row      2: pyarrow.dataset        read
label first in row      2: polars.read_ndjson     read
label first in row      2: duckdb read_json       read
label first in row    101: pyarrow.json.read_json read
label first in row    101: pyarrow.dataset        read
label first in row    101: polars.read_ndjson     left out
label first in row    101: duckdb read_json       read
label first in row  20481: pyarrow.json.read_json read
label first in row  20481: pyarrow.dataset        left out
label first in row  20481: polars.read_ndjson     left out
label first in row  20481: duckdb read_json       left out
label first in file     2: pyarrow.dataset        left out
label first in file     2: polars.read_ndjson     left out
label first in file     2: duckdb read_json       read
label first in file    33: pyarrow.dataset        left out
label first in file    33: polars.read_ndjson     left out
label first in file    33: duckdb read_json       left out
SEEN

"$folder/venv/bin/python" "$folder/try.py" "$folder" \
  2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
