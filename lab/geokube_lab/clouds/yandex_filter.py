# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Yandex Compute's list filters: conditions such as ``name = "a"`` and ``zone_id IN ("x", "y")`` joined by AND."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

FIELDS = frozenset({"id", "name", "created_at", "status", "zone_id", "platform_id", "host_id"})
Predicate = Callable[[Mapping[str, str]], bool]
_STRING = r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
_VALUE = rf"(?:{_STRING}|[A-Za-z0-9_.:-]+)"
_CONDITION = re.compile(
    rf"\s*(?P<field>[a-zA-Z_][\w.-]*)\s*(?P<operator>!=|=|NOT\s+IN\b|IN\b)\s*"
    rf"(?P<value>\(\s*{_VALUE}(?:\s*,\s*{_VALUE})*\s*\)|{_VALUE})\s*"
)


class BadFilter(ValueError):
    """An expression that the API refuses; the text says why."""


def compile_filter(expression: str) -> Predicate:
    """A function that says whether an instance's fields meet the filter. Raises BadFilter."""
    conditions: list[Predicate] = []
    position = 0
    while expression.strip():
        match = _CONDITION.match(expression, position)
        if match is None:
            raise BadFilter(f"Illegal filter expression at character {position}")
        conditions.append(_condition(match))
        position = match.end()
        if position == len(expression):
            break
        joint = re.compile(r"AND\b").match(expression, position)
        if joint is None:
            raise BadFilter(f"Illegal filter expression at character {position}: AND expected")
        position = joint.end()
    return lambda fields: all(condition(fields) for condition in conditions)


def _condition(match: re.Match[str]) -> Predicate:
    field, operator, value = match["field"], " ".join(match["operator"].split()), match["value"]
    if field not in FIELDS:
        raise BadFilter(f"Illegal filter expression: field {field!r} cannot be filtered by")
    listed = value.startswith("(")
    if listed is not operator.endswith("IN"):
        raise BadFilter(f"Illegal filter expression: {operator} does not go with {value}")
    values = {_unquoted(text) for text in re.findall(_VALUE, value[1:-1] if listed else value)}
    wanted = operator in ("=", "IN")
    return lambda fields: (fields.get(field, "") in values) is wanted


def _unquoted(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text[0] in "\"'" else text
