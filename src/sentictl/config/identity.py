"""What a project is known by on AWS: its name, with which all names there begin, and its id. Imports nothing heavy."""

import hashlib
import re
import secrets
import unicodedata

LONGEST_NAME = 20
NAME = re.compile(rf"[a-z][a-z0-9-]{{0,{LONGEST_NAME - 2}}}[a-z0-9]")
# Bucket names that begin so are AWS's own:
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
RESERVED = ("xn--", "sthree-", "amzn-s3-demo-")
NAME_RULE = (
    f"2 to {LONGEST_NAME} lower-case letters, digits and hyphens, a letter first and no hyphen last, "
    f"and not beginning with {', '.join(RESERVED)}: AWS takes nothing else in bucket names"
)
NAMELESS = "reviews"  # where a folder's name has no letter or digit of the Latin alphabet
ID_BYTES = 6
DIGEST_LENGTH = 6


def is_name(name: str) -> bool:
    """Tell whether a project can be called so."""
    return bool(NAME.fullmatch(name)) and not name.startswith(RESERVED)


def name_of_folder(folder: str) -> str:
    """Return the name of a project that is begun in a folder.

    It is the folder's name where that can be one. Any other is brought into that form and gets a digest of the folder's
    name, since other folders' names come to the same: "Films" is "films-ef9e82", and "2024 Films" "p2024-films-cda91d".

    Args:
        folder: the folder's own name, without those above it.
    """
    if is_name(folder):
        return folder
    latin = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode().lower()
    words = re.sub(r"[^a-z0-9]+", "-", latin).strip("-") or NAMELESS
    digest = hashlib.sha256(folder.encode("utf-8", "surrogateescape")).hexdigest()[:DIGEST_LENGTH]
    name = with_suffix(words, digest)
    return name if is_name(name) else with_suffix(f"p{words}", digest)


def with_suffix(name: str, suffix: str) -> str:
    """Return a name followed by a hyphen and a suffix, shortened before that to what a project's name may have."""
    return f"{name[: LONGEST_NAME - 1 - len(suffix)].rstrip('-')}-{suffix}"


def new_id() -> str:
    """Make a project's id: 12 hexadecimal digits by chance, which no two projects of an account share."""
    return secrets.token_hex(ID_BYTES)
