"""Archives that depend on nothing but what is in them."""

import io
import tarfile
import zipfile

from hypothesis import given
from hypothesis import strategies as st

from sentictl.assets.archives import tar_gz, zip_stored

paths = st.from_regex(r"[a-z]{1,8}(/[a-z]{1,8}){0,2}\.py", fullmatch=True)
files = st.dictionaries(paths, st.binary(max_size=200), max_size=5)


@given(files)
def test_the_order_of_the_files_does_not_matter(content: dict[str, bytes]) -> None:
    backwards = dict(reversed(content.items()))
    assert tar_gz(content) == tar_gz(backwards)
    assert zip_stored(content) == zip_stored(backwards)


@given(files)
def test_what_goes_in_comes_out(content: dict[str, bytes]) -> None:
    with tarfile.open(fileobj=io.BytesIO(tar_gz(content))) as archive:
        unpacked = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    with zipfile.ZipFile(io.BytesIO(zip_stored(content))) as archive_zip:
        unzipped = {name: archive_zip.read(name) for name in archive_zip.namelist()}
    assert unpacked == unzipped == content


def test_lambda_may_read_what_is_in_the_zip() -> None:
    with zipfile.ZipFile(io.BytesIO(zip_stored({"handler.py": b"x"}))) as archive:
        assert archive.getinfo("handler.py").external_attr >> 16 == 0o644
