"""From raw reviews to tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.text import NEGATIONS, STOP_WORDS, TextSettings, tokenize

DEFAULT = TextSettings()
PLAIN = TextSettings(remove_stop_words=False)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A great film.<br /><br />Really!", ["a", "great", "film", "really"]),
        ("<p class='x'>fine</p>good", ["fine", "good"]),
        ("Tom &amp; Jerry&#39;s caf&eacute;", ["tom", "jerry's", "café"]),
        ("I don\u2019t, don`t, don\u02bct, don't", ["i", "don't", "don't", "don't", "don't"]),
        ("'quoted' rock 'n' roll'", ["quoted", "rock", "n", "roll"]),
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("Отличный фильм हिन्दी 映画", ["отличный", "фильм", "हिन्दी", "映画"]),
        ("7/10, 8.5/10 or 10", ["7/10", "8.5/10", "or", "10"]),
        ("snake_case well-made", ["snake", "case", "well", "made"]),
        ("loved it 😍😍 ★", ["loved", "it", "😍", "😍", "★"]),
        ("x < 3 and y > 2", ["x", "3", "and", "y", "2"]),
        ("", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert tokenize(text, PLAIN) == tokens


def test_html_stays_when_asked() -> None:
    assert tokenize("a<br />b", TextSettings(strip_html=False, remove_stop_words=False)) == ["a", "br", "b"]


def test_case_stays_when_asked() -> None:
    assert tokenize("The Film", TextSettings(lowercase=False)) == ["Film"]


def test_stop_words_go_and_negations_stay() -> None:
    assert tokenize("It is not what I didn't want", DEFAULT) == ["not", "didn't", "want"]


def test_negations_go_when_asked() -> None:
    assert tokenize("It is not what I didn't want", TextSettings(keep_negations=False)) == ["want"]


def test_negations_are_no_stop_words() -> None:
    assert {"not", "no", "nor", "never", "don't"} <= NEGATIONS
    assert not STOP_WORDS & NEGATIONS


@pytest.mark.parametrize("word", sorted(STOP_WORDS | NEGATIONS))
def test_every_listed_word_is_one_token(word: str) -> None:
    assert tokenize(word, PLAIN) == [word]


@pytest.mark.parametrize(
    "hostile",
    ["<", "<a", "</a ", "&", "&#9", "&#x", "'", "a'", "\u0301", "a\u0300\u0323", "1/", "1.", "<!--", "\u0130", "😍"],
)
def test_hostile_text_of_200000_characters_is_read_whole(hostile: str) -> None:
    text = hostile * (200_000 // len(hostile)) + " end"
    assert tokenize(text, DEFAULT)[-1:] == ["end"]


def test_an_entity_with_thousands_of_digits_is_text() -> None:
    assert tokenize(f"&#{'9' * 5000};", DEFAULT) == ["9" * 5000]


def test_a_long_review_is_read_whole() -> None:
    assert len(tokenize("wonderful " * 100_000, DEFAULT)) == 100_000


@given(st.text(), st.booleans(), st.booleans())
def test_tokens_hold_no_white_space_and_no_brackets(text: str, strip: bool, lower: bool) -> None:
    for token in tokenize(text, TextSettings(strip_html=strip, lowercase=lower)):
        assert token
        assert token.split() == [token]
        assert not set("<>") & set(token)


@given(st.lists(st.sampled_from(["great", "don't", "café", "7/10", "фильм"])))
def test_tokens_joined_by_spaces_give_the_same_tokens(words: list[str]) -> None:
    assert tokenize(" ".join(words), DEFAULT) == words


@given(st.builds(TextSettings, *[st.booleans()] * 5))
def test_settings_survive_a_round_trip(settings: TextSettings) -> None:
    assert TextSettings.from_dict(settings.to_dict()) == settings


@pytest.mark.parametrize("values", [{}, {**DEFAULT.to_dict(), "more": True}, {**DEFAULT.to_dict(), "stem": "yes"}])
def test_wrong_settings_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="text settings"):
        TextSettings.from_dict(values)
