# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Google's partial responses: ``fields=nextPageToken,items/*/instances(name,labels)``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

# A mask is the names wanted, each with the mask of what is below; an empty one is everything.
Mask = Mapping[str, "Mask"]
_TOKEN = re.compile(r"[A-Za-z0-9_*-]+|[(),/]")


class BadFields(ValueError):
    """An expression that the API refuses."""


def parse(expression: str) -> Mask:
    """The mask of an expression. Raises BadFields."""
    text = re.sub(r"\s", "", expression)
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != text:
        raise BadFields(expression)
    mask, rest = _list(tokens, expression)
    if rest:
        raise BadFields(expression)
    return mask


def _list(tokens: list[str], expression: str) -> tuple[dict[str, Mask], list[str]]:
    mask: dict[str, Mask] = {}
    while True:
        name, below, tokens = _path(tokens, expression)
        mask[name] = _merged(mask[name], below) if name in mask else below
        if not tokens or tokens[0] != ",":
            return mask, tokens
        tokens = tokens[1:]


def _merged(one: Mask, other: Mask) -> Mask:
    """What either of the two wants; an empty mask wants everything."""
    if not one or not other:
        return {}
    both = {name: _merged(one[name], other[name]) for name in one.keys() & other.keys()}
    return {**one, **other, **both}


def _path(tokens: list[str], expression: str) -> tuple[str, Mask, list[str]]:
    if not tokens or tokens[0] in "(),/":
        raise BadFields(expression)
    name, rest = tokens[0], tokens[1:]
    if rest and rest[0] == "/":
        below, mask, rest = _path(rest[1:], expression)
        return name, {below: mask}, rest
    if rest and rest[0] == "(":
        inner, rest = _list(rest[1:], expression)
        if not rest or rest[0] != ")":
            raise BadFields(expression)
        return name, inner, rest[1:]
    return name, {}, rest


def select(document: Any, mask: Mask) -> Any:
    """What the mask leaves of a document."""
    if not mask:
        return document
    if isinstance(document, list):
        return [select(item, mask) for item in document]
    if not isinstance(document, Mapping):
        return document
    wanted = {name: mask.get(name, mask.get("*")) for name in document}
    return {name: select(document[name], below) for name, below in wanted.items() if below is not None}


def below(mask: Mask, *path: str) -> Mask | None:
    """The mask at a path; None where nothing there is wanted."""
    for name in path:
        if not mask:
            return mask
        following = mask.get(name, mask.get("*"))
        if following is None:
            return None
        mask = following
    return mask
