# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of a request, from its query or its form."""

from __future__ import annotations

import math
from collections.abc import Iterable
from http import HTTPStatus

from style_transfer.painting import MEDIA_TYPES, Wish
from style_transfer.problems import Problem
from style_transfer.styles import parse_styles

MIN_SIZE, MAX_SIZE = 256, 1536
_SWITCH = {"1": True, "true": True, "on": True, "yes": True, "0": False, "false": False, "off": False, "no": False}
OPTIONS = ("styles", "size", "strength", "preserve_color", "format", "quality")


def parse_wish(items: Iterable[tuple[str, str]]) -> Wish:
    """Read the options; Problem 422 names the one that is unknown, given twice or wrong. Empty ones are left out."""
    given: dict[str, str] = {}
    for name, value in items:
        if name not in OPTIONS:
            raise _refuse(name, value, f"there is no such option; there are {', '.join(OPTIONS)}")
        if name in given:
            raise _refuse(name, value, "it is given twice")
        given[name] = value.strip()
    values: dict[str, object] = {}
    for name, text in given.items():
        if text:
            values[name] = _read(name, text)
    return Wish(**values)  # type: ignore[arg-type]


def _read(name: str, text: str) -> object:
    match name:
        case "styles":
            return parse_styles(text)
        case "size":
            return _whole(name, text, MIN_SIZE, MAX_SIZE)
        case "quality":
            return _whole(name, text, 1, 100)
        case "strength":
            return _share(name, text)
        case "preserve_color":
            if text.lower() not in _SWITCH:
                raise _refuse(name, text, "it must be true or false")
            return _SWITCH[text.lower()]
        case _:
            chosen = "jpeg" if text == "jpg" else text
            if chosen not in MEDIA_TYPES:
                raise _refuse(name, text, f"it must be one of {', '.join(MEDIA_TYPES)}")
            return chosen


def _whole(name: str, text: str, least: int, most: int) -> int:
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 9 else -1
    if not least <= number <= most:
        raise _refuse(name, text, f"it must be a whole number from {least} to {most}")
    return number


def _share(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= 1:
        raise _refuse(name, text, "it must be a number from 0 to 1")
    return round(number, 3)


def _refuse(name: str, value: str, reason: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "option-invalid", f"{name[:40]}={value[:80]!r}: {reason}.")
