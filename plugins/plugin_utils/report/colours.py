# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Colours of the heat map: one hue from light to dark, and a text colour that can be read on each."""

from __future__ import annotations

Colour = tuple[int, int, int]

# From near to far; lightness falls evenly, so that the order is seen without telling hues apart.
SCALE: tuple[Colour, ...] = (
    (232, 244, 241),
    (170, 217, 207),
    (98, 178, 178),
    (46, 125, 150),
    (30, 75, 118),
    (20, 38, 76),
)
DARK: Colour = (0, 0, 0)
LIGHT: Colour = (255, 255, 255)


def shade(share: float) -> Colour:
    """Give the colour for a share between 0 (light) and 1 (dark); outside it is clipped."""
    position = min(1.0, max(0.0, share)) * (len(SCALE) - 1)
    lower = min(int(position), len(SCALE) - 2)
    part = position - lower
    mixed = [round(a + (b - a) * part) for a, b in zip(SCALE[lower], SCALE[lower + 1], strict=True)]
    return mixed[0], mixed[1], mixed[2]


def luminance(colour: Colour) -> float:
    """Give the relative luminance by WCAG 2.2, 0 to 1."""
    channels = [one / 255 for one in colour]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: Colour, other: Colour) -> float:
    """Give the contrast ratio by WCAG 2.2, 1 to 21."""
    brighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def text_on(background: Colour) -> Colour:
    """Give the text colour, dark or light, that has more contrast."""
    return max((DARK, LIGHT), key=lambda text: contrast(text, background))


def css(colour: Colour) -> str:
    """Give a colour as CSS writes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
