"""Shades of a color that can be read: contrast as WCAG 2.2 defines it."""

import colorsys
from collections.abc import Mapping

READABLE = 4.5  # to 1: WCAG 2.2, success criterion 1.4.3, for text of ordinary size
WHITE = "#ffffff"
# The surfaces of the page's style that are nearest to the shades, and the text on a shade in dark.
LIGHT_SURFACE, DARK_SURFACE, ON_DARK_ACCENT = "#f6f4ef", "#262d32", "#10181d"
STEPS = 100
POINTED_AT = 0.25  # of the way to black or white


def shades(accent: str) -> Mapping[str, tuple[str, str]]:
    """The accent as the page uses it, each for a light and a dark page.

    A color that cannot be read is made darker on a light page, lighter on a dark one, until it can: it keeps its hue
    and saturation, and one that can be read is left as it is.

    Args:
        accent: a color as "#rrggbb".

    Returns:
        `accent`, for what is drawn and written in it; `accent-strong`, the same pointed at; `on-accent`, text on it.
    """
    light, dark = _readable(accent, LIGHT_SURFACE, 0), _readable(accent, DARK_SURFACE, 1)
    return {
        "accent": (light, dark),
        "accent-strong": (_moved(light, 0, POINTED_AT), _moved(dark, 1, POINTED_AT)),
        "on-accent": (WHITE, ON_DARK_ACCENT),
    }


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colors, from 1 to 21: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def _readable(color: str, surface: str, lightness: float) -> str:
    nearer = (_moved(color, lightness, step / STEPS) for step in range(STEPS + 1))
    return next(shade for shade in nearer if contrast(shade, surface) >= READABLE)


def _moved(color: str, lightness: float, share: float) -> str:
    """The color with its lightness (of HLS) moved by a share of the way to another one."""
    if not share:
        return color
    hue, own, saturation = colorsys.rgb_to_hls(*_channels(color))
    channels = colorsys.hls_to_rgb(hue, own + (lightness - own) * share, saturation)
    return "#" + "".join(f"{round(channel * 255):02x}" for channel in channels)


def _luminance(color: str) -> float:
    """The relative luminance: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance."""
    red, green, blue = (_linear(channel) for channel in _channels(color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def _channels(color: str) -> tuple[float, float, float]:
    """Red, green and blue, each from 0 to 1."""
    return int(color[1:3], 16) / 255, int(color[3:5], 16) / 255, int(color[5:7], 16) / 255
