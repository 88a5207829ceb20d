# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of a JSON body against a table of fields, and the defaults of what was left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geokube_lab.edge.errors import invalid

ABSENT: Any = object()
KINDS: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "list": (list,),
    "map": (dict,),
}


@dataclass(frozen=True)
class Field:
    """What the API takes for one field; `default` is what it stores when the field is left out."""

    kind: str
    default: Any = ABSENT
    required: bool = False
    choices: tuple[Any, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    item: Field | None = None
    fields: Mapping[str, Field] | None = None


def complete(fields: Mapping[str, Field], given: Any, where: str, read_only: frozenset[str]) -> dict[str, Any]:
    """Give the object as the API would store it: checked, with defaults, nulls taken as left out.

    Raises ApiError 1002 naming the field.
    """
    if not isinstance(given, dict):
        raise invalid(where, "must be an object")
    unknown = sorted(set(given) - set(fields) - read_only)
    if unknown:
        raise invalid(where, f"unknown field {unknown[0]}")
    result: dict[str, Any] = {}
    for name, field in fields.items():
        value = given.get(name)
        if value is None:
            if field.required:
                raise invalid(f"{where}.{name}", "is required")
            if field.default is not ABSENT:
                result[name] = _copy(field.default)
            continue
        result[name] = check(field, value, f"{where}.{name}")
    return result


def check(field: Field, value: Any, where: str) -> Any:
    """Give the value as stored; raises ApiError 1002 when it does not fit the field."""
    if type(value) not in KINDS[field.kind]:
        raise invalid(where, f"must be of type {field.kind}")
    if field.choices and value not in field.choices:
        raise invalid(where, f"{value!r} is not one of {', '.join(repr(choice) for choice in field.choices)}")
    if field.minimum is not None and value < field.minimum:
        raise invalid(where, f"{value} is below the minimum {field.minimum:g}")
    if field.maximum is not None and value > field.maximum:
        raise invalid(where, f"{value} is above the maximum {field.maximum:g}")
    if field.kind == "list" and field.item:
        return [check(field.item, item, f"{where}[{index}]") for index, item in enumerate(value)]
    if field.kind == "map" and field.item:
        return {key: check(field.item, item, f"{where}.{key}") for key, item in value.items()}
    if field.kind == "object" and field.fields is not None:
        return complete(field.fields, value, where, frozenset({"disabled_at"}))
    return value


def _copy(value: Any) -> Any:
    return type(value)(value) if isinstance(value, dict | list) else value
