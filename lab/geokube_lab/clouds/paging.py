# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Opaque page tokens, bound to the query that they came from."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from geokube_lab.clouds.faults import Fault

Item = TypeVar("Item")


class BadPageToken(ValueError):
    """A token that this emulator did not give, or gave for another query."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page starts: how many items come before it, and its number from 1."""

    offset: int = 0
    page: int = 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of one page and the token of the next one; the token is empty on the last page."""

    items: Sequence[Item]
    next_token: str


def encode(position: Position, query: str) -> str:
    """The token for a position; at most 60 characters."""
    document = json.dumps([position.offset, position.page, _digest(query)], separators=(",", ":"))
    return base64.urlsafe_b64encode(document.encode()).decode().rstrip("=")


def decode(token: str, query: str) -> Position:
    """The position that a token stands for. Raises BadPageToken."""
    if not token:
        return Position()
    try:
        document = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        offset, page, digest = document
    except (ValueError, TypeError, binascii.Error) as error:
        raise BadPageToken(token) from error
    if digest != _digest(query) or not isinstance(offset, int) or not isinstance(page, int):
        raise BadPageToken(token)
    return Position(offset, page)


def page_number(token: str) -> int:
    """The number of the page that a token stands for, whatever the query; 1 where there is no token."""
    try:
        document = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))) if token else [0, 1]
        return int(document[1])
    except (ValueError, TypeError, IndexError, binascii.Error):
        return 1


def cut(items: Sequence[Item], token: str, size: int, query: str, fault: Fault | None) -> Page[Item]:
    """One page of at most ``size`` items, spoilt as the fault says. Raises BadPageToken."""
    position = decode(token, query)
    end = position.offset + size
    following = encode(Position(end, position.page + 1), query)
    match fault.kind if fault is not None else "":
        case "empty-page":
            return Page((), encode(Position(position.offset, position.page + 1), query))
        case "token-loop":
            return Page(items[position.offset : end], token or following)
        case "drop-page":
            return Page((), following if end < len(items) else "")
        case _:
            return Page(items[position.offset : end], following if end < len(items) else "")


def _digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:8]
