#!/usr/bin/env bash
# croniter takes EventBridge's cron expressions for valid and fires them every second, and on the wrong weekday.
#
# Packages: croniter==7.0.0, cron-descriptor==2.2.1.
# Expected: EventBridge's sixth field is the year, and its weekday 2 is Monday (EventBridge Scheduler's user guide,
# schedule types). croniter refuses an expression that it reads otherwise; cron-descriptor, which knows years, knows
# the weekdays.
# Seen: the text under `seen` below. croniter's sixth field is seconds, so `*` is all sixty of them, and 2 is Tuesday
# for both. The script fails if the packages say anything else.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check croniter==7.0.0 cron-descriptor==2.2.1

cat >"$folder/try.py" <<'PYTHON'
from datetime import datetime

from cron_descriptor import get_description
from croniter import croniter

sunday = datetime(2026, 11, 29, 12)
for expression in ("0 8 ? * 2 *", "0 8 ? * MON-FRI *", "0/15 * * * ? *"):
    print(f"cron({expression})")
    print("  valid for croniter: ", croniter.is_valid(expression))
    times = croniter(expression, sunday)
    print("  its next times:     ", ", ".join(f"{times.get_next(datetime):%a %H:%M:%S}" for _ in range(3)))
    print("  cron-descriptor says:", get_description(expression))
PYTHON

cat >"$folder/seen" <<'SEEN'
cron(0 8 ? * 2 *)
  valid for croniter:  True
  its next times:      Tue 08:00:00, Tue 08:00:01, Tue 08:00:02
  cron-descriptor says: At 08:00 AM, only on Tuesday
cron(0 8 ? * MON-FRI *)
  valid for croniter:  True
  its next times:      Mon 08:00:00, Mon 08:00:01, Mon 08:00:02
  cron-descriptor says: At 08:00 AM, Monday through Friday
cron(0/15 * * * ? *)
  valid for croniter:  True
  its next times:      Sun 12:00:01, Sun 12:00:02, Sun 12:00:03
  cron-descriptor says: Every 15 minutes
SEEN

"$folder/venv/bin/python" "$folder/try.py" 2>"$folder/err" >"$folder/said" || { cat "$folder/err" >&2; exit 1; }
diff "$folder/seen" "$folder/said" && cat "$folder/said"
