"""Write docs/openapi.json, the API of the default settings; with --check only compare."""

import argparse
import json
from pathlib import Path

from sentictl.config.settings import Settings
from sentictl.services.export.openapi import description

DOCUMENT = Path(__file__).resolve().parents[1] / "openapi.json"


def main() -> None:
    """Write the document, or check it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where the document differs")
    content = json.dumps(description(Settings()), indent=2, ensure_ascii=False) + "\n"
    if not parser.parse_args().check:
        DOCUMENT.write_text(content, encoding="utf-8")
    elif not DOCUMENT.exists() or DOCUMENT.read_text(encoding="utf-8") != content:
        raise SystemExit("docs/openapi.json is not what the API is. Write it anew: python docs/reference/openapi.py")


if __name__ == "__main__":
    main()
