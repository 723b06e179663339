"""Shades of any accent can be read; the formula agrees with published ratios."""

import colorsys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.page.colors import DARK_SURFACE, LIGHT_SURFACE, READABLE, contrast, shades

COLORS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#000000", "#ffffff", 21), ("#ffffff", "#ffffff", 1), ("#777777", "#ffffff", 4.48), ("#0000ff", "#ffffff", 8.59)],
)
def test_the_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one) == pytest.approx(ratio, abs=0.005)


@given(COLORS)
def test_every_shade_can_be_read_on_its_page_and_under_its_text(accent: str) -> None:
    found = shades(accent)
    for name in ("accent", "accent-strong"):
        light, dark = found[name]
        assert contrast(light, LIGHT_SURFACE) >= READABLE
        assert contrast(dark, DARK_SURFACE) >= READABLE
        assert contrast(light, found["on-accent"][0]) >= READABLE
        assert contrast(dark, found["on-accent"][1]) >= READABLE


def test_a_color_that_can_be_read_stays_as_it_is() -> None:
    assert shades("#2a5f7a")["accent"][0] == "#2a5f7a"
    assert shades("#ffe600")["accent"][1] == "#ffe600"


def test_a_shade_keeps_its_hue() -> None:
    hues = [colorsys.rgb_to_hls(*bytes.fromhex(color[1:]))[0] for color in ("#c2185b", *shades("#c2185b")["accent"])]
    assert hues == pytest.approx([hues[0]] * 3, abs=0.01)
