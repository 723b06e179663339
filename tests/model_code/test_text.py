"""From raw reviews to tokens."""

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sentimodel.text import NEGATIONS, STOP_WORDS, Located, TextSettings, locate, tokenize

DEFAULT = TextSettings()
WITHOUT_STOP_WORDS = TextSettings(remove_stop_words=True)

# Letters and digits of any script, but for what is an apostrophe to a reviewer.
letters = st.characters(categories=["L", "N"], exclude_characters="\u02bc")
words = st.text(letters, min_size=1, max_size=12)
# What the rules of tokens are about, in every order.
pieces = st.sampled_from(
    ["a", "Z", "7", "10", "é", "e\u0301", "हि", "ж", "'", "\u2019", "`", "!", "!!!", "?", "/", ".", "-", "_", " ", "😍"]
)

PLAIN_WORD = r"[^\W_](?:[^\W_]|[\u0301\u093f])*"
PLAIN_TOKEN = re.compile(rf"[0-9]+(?:\.[0-9]+)?/[0-9]+|{PLAIN_WORD}(?:'{PLAIN_WORD})*|!+|\?+|[\U0001f300-\U0001faff]")


def plainly(text: str) -> list[str]:
    """The tokens of a text without HTML, in the plain form of the rules."""
    found = PLAIN_TOKEN.findall(text.replace("\u2019", "'").replace("`", "'").lower())
    return [token[0] if token[0] in "!?" else unicodedata.normalize("NFC", token) for token in found]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A great film.<br /><br />Really!", ["a", "great", "film", "really", "!"]),
        ("<p class='x'>fine</p>good", ["fine", "good"]),
        ("Tom &amp; Jerry&#39;s caf&eacute;", ["tom", "jerry's", "café"]),
        ("I don\u2019t, don`t, don\u02bct, don't", ["i", "don't", "don't", "don't", "don't"]),
        ("'quoted' rock 'n' roll'", ["quoted", "rock", "n", "roll"]),
        ("cafe\u0301 CAFÉ", ["café", "café"]),
        ("Отличный фильм हिन्दी 映画", ["отличный", "фильм", "हिन्दी", "映画"]),
        ("7/10, 8.5/10 or 10", ["7/10", "8.5/10", "or", "10"]),
        ("snake_case well-made", ["snake", "case", "well", "made"]),
        ("loved it 😍😍 ★", ["loved", "it", "😍", "😍", "★"]),
        ("What?! No!!! Why??", ["what", "?", "!", "no", "!", "why", "?"]),
        ("so good !!", ["so", "good", "!"]),
        ("¡Qué película! &iquest;no?", ["qué", "película", "!", "no", "?"]),
        ("!", ["!"]),
        ("x < 3 and y > 2", ["x", "3", "and", "y", "2"]),
        ("", []),
    ],
)
def test_tokens(text: str, tokens: list[str]) -> None:
    assert tokenize(text, DEFAULT) == tokens


@given(st.lists(pieces))
def test_the_tokens_are_those_of_the_plain_rules(text: list[str]) -> None:
    assert tokenize("".join(text), DEFAULT) == plainly("".join(text))


@given(st.text(st.characters(max_codepoint=127)))
def test_the_tokens_of_ascii_are_those_of_the_plain_rules(text: str) -> None:
    assert tokenize(text, TextSettings(strip_html=False)) == plainly(text)


@given(words)
def test_a_word_of_any_script_is_one_token(word: str) -> None:
    assert tokenize(word, DEFAULT) == [unicodedata.normalize("NFC", word.lower())]


@given(words)
def test_a_word_of_entities_is_the_word(word: str) -> None:
    assert tokenize("".join(f"&#{ord(letter)};" for letter in word), DEFAULT) == tokenize(word, DEFAULT)


@given(st.lists(words), st.sampled_from(["<br />", "<br /><br />", " ", "\n", " &mdash; ", "... ", "<i>"]))
def test_what_stands_between_words_leaves_no_trace(texts: list[str], between: str) -> None:
    assert tokenize(between.join(texts), DEFAULT) == [token for text in texts for token in tokenize(text, DEFAULT)]


@given(words, st.sampled_from("'\u2019\u2018\u02bc\uff07\u00b4`"), words)
def test_a_contraction_is_one_token_with_any_apostrophe(before: str, apostrophe: str, after: str) -> None:
    assert tokenize(before + apostrophe + after, DEFAULT) == tokenize(f"{before}'{after}", DEFAULT)
    assert len(tokenize(before + apostrophe + after, DEFAULT)) == 1


@given(st.lists(st.sampled_from(["😍", "🎬", "★", "☹", "🤮"])))
def test_each_emoji_is_a_token(emoji: list[str]) -> None:
    assert tokenize("".join(emoji), DEFAULT) == emoji


def test_html_stays_when_asked() -> None:
    assert tokenize("a<br />b", TextSettings(strip_html=False)) == ["a", "br", "b"]


def test_case_stays_when_asked() -> None:
    assert tokenize("The Film", TextSettings(lowercase=False)) == ["The", "Film"]
    assert tokenize("The Film", TextSettings(lowercase=False, remove_stop_words=True)) == ["Film"]


def test_stop_words_go_and_negations_stay() -> None:
    assert tokenize("It is not what I didn't want", WITHOUT_STOP_WORDS) == ["not", "didn't", "want"]


@pytest.mark.parametrize("word", sorted(NEGATIONS))
def test_every_negation_survives_in_any_spelling(word: str) -> None:
    for spelled in (word, word.upper(), word.capitalize(), word.replace("'", "\u2019")):
        assert tokenize(f"the <b>{spelled}</b>, of", WITHOUT_STOP_WORDS) == [word]


def test_negations_go_when_asked() -> None:
    assert tokenize("It is not what I didn't want", TextSettings(remove_stop_words=True, keep_negations=False)) == [
        "want"
    ]


def test_negations_are_no_stop_words() -> None:
    assert {"not", "no", "nor", "never", "don't"} <= NEGATIONS
    assert not STOP_WORDS & NEGATIONS


@pytest.mark.parametrize("word", sorted(STOP_WORDS | NEGATIONS))
def test_every_listed_word_is_one_token(word: str) -> None:
    assert tokenize(word, DEFAULT) == [word]


@pytest.mark.parametrize(
    "hostile",
    [
        "<",
        "<a",
        "</a ",
        "&",
        "&#9",
        "&#x",
        "'",
        "a'",
        "\u0301",
        "a\u0300\u0323",
        "\u0905",
        "\u0905\u093f",
        "1/",
        "1.",
        "<!--",
        "\u0130",
        "😍",
        "!",
        "?!",
    ],
)
def test_hostile_text_of_200000_characters_is_read_whole(hostile: str) -> None:
    text = hostile * (200_000 // len(hostile)) + " end"
    assert tokenize(text, DEFAULT)[-1:] == ["end"]


def test_an_entity_with_thousands_of_digits_is_text() -> None:
    assert tokenize(f"&#{'9' * 5000};", DEFAULT) == ["9" * 5000]


def test_a_long_review_is_read_whole() -> None:
    assert len(tokenize("wonderful " * 100_000, DEFAULT)) == 100_000


@given(st.lists(words, min_size=1, max_size=20), st.sampled_from([" ", "<br />", "! "]))
@settings(max_examples=5)
def test_a_review_of_100000_words_is_the_sum_of_its_parts(texts: list[str], between: str) -> None:
    part = between.join([*texts, ""])
    times = 100_000 // len(texts)
    assert tokenize(part * times, DEFAULT) == tokenize(part, DEFAULT) * times


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


PIECES = (
    *("<br />", "<", ">", "&amp;", "&eacute;", "&ouml;", "&notit;", "&fjlig;", "&#x130;", "_", "'", "!", "?", " "),
    *("\u0130", "\u03a3", "e\u0301", "\u1e9e", "\u00df", "\u2019", "\U0001f60d", "\u0939\u093f"),
    *("don", "t", "7/10", "8.5/10", "wonderful", "the"),
)
MARKUP = st.text() | st.lists(st.sampled_from(PIECES)).map("".join)
ANY_SETTINGS = st.builds(TextSettings, *[st.booleans()] * 5)


@given(MARKUP, ANY_SETTINGS)
def test_located_tokens_are_the_tokens_in_their_places(text: str, settings: TextSettings) -> None:
    located = locate(text, settings)
    assert [each.token for each in located] == tokenize(text, settings)
    last = 0
    for _, start, end in located:
        assert last <= start < end <= len(text)
        last = end


@given(st.text("abcXYZ '!?/.,07\n"), ANY_SETTINGS)
def test_a_plain_texts_places_hold_the_tokens_themselves(text: str, settings: TextSettings) -> None:
    for token, start, end in locate(text, settings):
        assert (text[start:end].lower() if settings.lowercase else text[start:end]) == token


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("<b>Fine</b> film", [("fine", "Fine"), ("film", "film")]),
        ("caf&eacute;s too", [("caf\u00e9s", "caf&eacute;s"), ("too", "too")]),
        ("Cafe\u0301 bar", [("caf\u00e9", "Cafe\u0301"), ("bar", "bar")]),
        ("\u0130 x don\u2019t", [("i\u0307", "\u0130"), ("x", "x"), ("don't", "don\u2019t")]),
        ("so good!!! &amp; Jerry&#39;s", [("so", "so"), ("good", "good"), ("!", "!"), ("jerry's", "Jerry&#39;s")]),
        ("\U0001f60d yes", [("\U0001f60d", "\U0001f60d"), ("yes", "yes")]),
    ],
)
def test_places_are_those_in_the_review_as_it_was_given(text: str, places: list[tuple[str, str]]) -> None:
    assert [(token, text[start:end]) for token, start, end in locate(text, TextSettings())] == places


def test_a_long_review_is_located_whole() -> None:
    text = "&eacute;t&eacute; <br />" * 50_000 + "end"
    assert locate(text, TextSettings())[-1] == Located("end", len(text) - 3, len(text))
