"""The vocabulary: built from counts, saved, loaded, and looked up."""

import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.text import TextSettings
from sentimodel.vocabulary import PAD, UNK, Vocabulary, VocabularyError

STEMMED = TextSettings(stem=True)
UNSTEMMED = TextSettings()
COUNTS = {"films": 3, "film": 4, "film's": 1, "good": 6, "loved": 2, "loving": 1, "rare": 1}

words = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=12)


def test_words_of_one_stem_share_an_id() -> None:
    vocabulary = Vocabulary.build(COUNTS, 100, STEMMED)
    assert vocabulary.encode(["film", "films", "film's", "good", "loved", "loving", "rare"]) == [2, 2, 2, 3, 4, 4, 5]
    assert len(vocabulary) == 6


def test_without_stemming_each_word_has_its_own_id() -> None:
    vocabulary = Vocabulary.build(COUNTS, 100, UNSTEMMED)
    assert vocabulary.encode(["good", "film", "films", "loved", "film's", "loving", "rare"]) == [2, 3, 4, 5, 6, 7, 8]


def test_the_stemmer_is_loaded_for_stems_only() -> None:
    program = f"""
import sys
from sentimodel.text import TextSettings
from sentimodel.vocabulary import Vocabulary
for stem in (False, True):
    Vocabulary.build({COUNTS}, 100, TextSettings(stem=stem))
    print("nltk" in sys.modules)
"""
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert loaded.split() == ["False", "True"]


def test_an_id_is_shown_as_its_most_frequent_word() -> None:
    vocabulary = Vocabulary.build(COUNTS, 100, STEMMED)
    assert vocabulary.words(vocabulary.encode(["films", "good", "unheard", "loving"])) == ["film", "good", "…", "loved"]


def test_only_the_most_frequent_stems_stay() -> None:
    vocabulary = Vocabulary.build(COUNTS, 4, STEMMED)
    assert len(vocabulary) == 4
    assert vocabulary.encode(["films", "good", "loved", "unheard"]) == [2, 3, UNK, UNK]
    assert "good" in vocabulary
    assert "loved" not in vocabulary


def test_case_separates_words_when_it_matters() -> None:
    vocabulary = Vocabulary.build({"Loved": 2, "loved": 1}, 10, TextSettings(lowercase=False, stem=True))
    assert vocabulary.encode(["Loved", "loved"]) == [2, 3]


@pytest.mark.parametrize("size", [0, 2])
def test_a_size_without_room_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="room"):
        Vocabulary.build(COUNTS, size, STEMMED)


def test_the_file_lists_the_words_of_each_id(tmp_path: Path) -> None:
    path = tmp_path / "vocabulary.txt"
    Vocabulary.build(COUNTS, 100, STEMMED).save(path)
    assert path.read_text().splitlines() == ["<pad>", "<unk>", "film films film's", "good", "loved loving", "rare"]


@given(st.dictionaries(words, st.integers(1, 9)), st.booleans())
def test_a_vocabulary_survives_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, counts: dict[str, int], stem: bool
) -> None:
    path = tmp_path_factory.mktemp("vocabulary") / "vocabulary.txt"
    built = Vocabulary.build(counts, 20, TextSettings(stem=stem, lowercase=False))
    built.save(path)
    loaded = Vocabulary.load(path)
    assert len(loaded) == len(built) <= 20
    assert loaded.encode(counts) == built.encode(counts)
    assert PAD not in loaded.encode(counts)


@given(st.dictionaries(words, st.integers(1, 9)), st.randoms())
def test_the_order_of_the_counts_does_not_matter(counts: dict[str, int], rng: random.Random) -> None:
    shuffled = list(counts.items())
    rng.shuffle(shuffled)
    one, other = (Vocabulary.build(dict(pairs), 10, STEMMED) for pairs in (counts.items(), shuffled))
    assert one.encode(counts) == other.encode(counts)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "first two lines"),
        (b"film\ngood\n", "first two lines"),
        (b"<pad>\n<unk>\nfilm films\ngo", "cut off"),
        (b"<pad>\n<unk>\nfilm\n\ngood\n", "line 4"),
        (b"<pad>\n<unk>\nfilm\nfilm good\n", "twice"),
        (b"<pad>\n<unk>\nfilm film\n", "twice"),
        (b"<pad>\n<unk>\n\xff\xfe\n", "UTF-8"),
    ],
)
def test_a_damaged_file_is_named_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "vocabulary.txt"
    path.write_bytes(content)
    with pytest.raises(VocabularyError, match=reason) as caught:
        Vocabulary.load(path)
    assert str(path) in str(caught.value)
