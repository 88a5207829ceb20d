# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The network's 26 styles, which have no names of their own, and how a request blends them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

import numpy as np
import numpy.typing as npt

from style_transfer.problems import Problem

STYLE_COUNT = 26
#: Beyond this many, a blend is grey soup and only makes the result id longer.
MAX_BLENDED = 5


@dataclass(frozen=True)
class Style:
    """One style: its number in the network, a neutral name, and what was seen when it was tried on photos."""

    number: int
    name: str
    description: str
    recommended: bool = False


STYLES: tuple[Style, ...] = (
    Style(0, "Warm pastel", "soft chalk, blue against ochre", recommended=True),
    Style(1, "Yellow ink", "flat yellow under thick black lines"),
    Style(2, "Pale charcoal", "charcoal lines on light paper"),
    Style(3, "Neon shards", "bright shards on black; fine detail is lost"),
    Style(4, "Burgundy canvas", "dark red, gold and light blue on coarse cloth"),
    Style(5, "Autumn oil", "thick warm brush strokes", recommended=True),
    Style(6, "Indigo dots", "dark blue with a pattern of dots; contours stay faint"),
    Style(7, "Bold primaries", "large areas of blue, red and yellow", recommended=True),
    Style(8, "Watercolour ink", "thin ink lines on white, a little cyan and pink"),
    Style(9, "Linocut leaves", "small leaf shapes in teal and red"),
    Style(10, "Terracotta", "reds and browns, smooth shading"),
    Style(11, "Engraving", "dark hatched lines on warm paper", recommended=True),
    Style(12, "Lilac pastel", "soft chalk, violet against gold"),
    Style(13, "Green mosaic", "green and teal with a grain"),
    Style(14, "Porcelain", "pale blue and cream, thin lines", recommended=True),
    Style(15, "Stained glass", "light panes between thin dark lines"),
    Style(16, "Violet weave", "violet and orange threads"),
    Style(17, "Woven blocks", "red and orange blocks; the photo can hardly be made out"),
    Style(18, "Sepia woodgrain", "brown grain on straw yellow"),
    Style(19, "Blue swirl", "short strokes of blue and yellow", recommended=True),
    Style(20, "Crimson night", "deep reds, near black shadows"),
    Style(21, "Candy cut-out", "paper shapes in light blue, cream and pink"),
    Style(22, "Graphite and red", "grey pencil with red and blue accents"),
    Style(23, "Misty monochrome", "soft greys with a hint of blue"),
    Style(24, "Sea print", "teal and cream, printed with a relief"),
    Style(25, "Dark relief", "blue and copper, strongly textured"),
)


def parse_styles(text: str) -> dict[int, float]:
    """Read ``5:0.7,11:0.3`` (or ``5``) as style number -> weight; the weights are scaled to a sum of 1.

    Weights are rounded to 1/1000, so that equal blends have equal result ids.
    """

    def refuse(reason: str) -> Problem:
        return Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "styles-invalid",
            f"styles={text[:80]!r}: {reason}. Give numbers from /v1/styles, for example styles=5 or "
            "styles=5:0.7,11:0.3.",
        )

    weights: dict[int, float] = {}
    for part in text.split(","):
        number_text, colon, weight_text = part.strip().partition(":")
        if not (number_text.isascii() and number_text.isdigit() and len(number_text) <= 3):
            raise refuse(f"{part[:20]!r} does not start with the number of a style")
        number = int(number_text)
        if number >= STYLE_COUNT:
            raise refuse(f"there is no style {number}; the last one is {STYLE_COUNT - 1}")
        if number in weights:
            raise refuse(f"style {number} is given twice")
        try:
            weight = float(weight_text) if colon else 1.0
        except ValueError:
            raise refuse(f"{weight_text[:20]!r} is not a number") from None
        if not (math.isfinite(weight) and 0 < weight <= 1000):
            raise refuse(f"the weight of style {number} must be more than 0 and at most 1000")
        weights[number] = weight
    if len(weights) > MAX_BLENDED:
        raise refuse(f"{len(weights)} styles are blended, at most {MAX_BLENDED} can be")
    total = sum(weights.values())
    scaled = {number: round(weight / total, 3) for number, weight in sorted(weights.items())}
    return {number: weight for number, weight in scaled.items() if weight > 0}


def format_styles(weights: Mapping[int, float]) -> str:
    """The one way a blend is written in result ids and records."""
    return ",".join(f"{number}:{weight:.3f}" for number, weight in sorted(weights.items()))


def style_vector(weights: Mapping[int, float]) -> npt.NDArray[np.float32]:
    """Return the network's input: 26 floats that sum to 1."""
    vector = np.zeros(STYLE_COUNT, np.float32)
    for number, weight in weights.items():
        vector[number] = weight
    vector /= vector.sum()
    return vector
