# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one reconcile core: what must change so that an object is as wanted, and how that looks.

Pure functions over JSON-like values. Only what is given counts: a field that is left out (or null) keeps what the
server has. Values are compared as the server would show them: with its defaults filled in, "" and null alike, lists
of objects matched by their key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    Record = dict[str, Any]


@dataclass(frozen=True)
class Shape:
    """How one field is compared and merged.

    default: what the server shows when the field was never set.
    fields: the shapes inside an object, or inside each object of a list.
    key: the field that names an object in a list whose order does not matter.
    ordered: whether the order of a plain list matters.
    whole: the given object replaces the server's instead of being merged into it.
    """

    default: Any = None
    fields: Mapping[str, Shape] | None = None
    key: str | None = None
    ordered: bool = True
    whole: bool = False


PLAIN = Shape()


@dataclass
class Difference:
    """What one object needs: the fields to send, and the object before and after."""

    send: Record = field(default_factory=dict)
    before: Record = field(default_factory=dict)
    after: Record = field(default_factory=dict)

    @property
    def needed(self) -> bool:
        """Whether anything has to be sent."""
        return bool(self.send)


def given(wanted: Any) -> Any:
    """Drop everything that is null, at any depth: Ansible gives null for every option that was left out."""
    if isinstance(wanted, dict):
        return {name: given(value) for name, value in wanted.items() if value is not None}
    if isinstance(wanted, list):
        return [given(item) for item in wanted]
    return wanted


def canonical(value: Any, shape: Shape = PLAIN) -> Any:
    """Give a value in the form in which equal things are equal: defaults filled, order and number type settled."""
    if value is None or value == "":
        value = shape.default
    if value is None or value == "":
        return None
    if isinstance(value, dict):
        return _canonical_object(value, shape)
    if isinstance(value, list):
        items = [canonical(item, Shape(fields=shape.fields)) for item in value]
        if shape.key is not None:
            return sorted(items, key=lambda item: str(item[shape.key]))
        return items if shape.ordered else sorted(items, key=repr)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _canonical_object(value: Record, shape: Shape) -> Any:
    fields = shape.fields or {}
    names = list(value) + [name for name in fields if name not in value]
    found = {name: canonical(value.get(name), fields.get(name, PLAIN)) for name in names}
    return {name: item for name, item in found.items() if item is not None}


def merge(current: Any, wanted: Any, shape: Shape = PLAIN) -> Any:
    """Give the value that the server should hold: the wanted one, completed by what the server has besides.

    An empty object is wanted empty.
    """
    if isinstance(wanted, dict) and wanted and isinstance(current, dict) and not shape.whole:
        fields = shape.fields or {}
        merged = dict(current)
        for name, value in wanted.items():
            merged[name] = merge(current.get(name), value, fields.get(name, PLAIN))
        return merged
    if isinstance(wanted, list) and shape.key is not None:
        known = {item[shape.key]: item for item in current or []}
        return [merge(known.get(item[shape.key]), item, Shape(fields=shape.fields)) for item in wanted]
    return wanted


def difference(current: Record | None, wanted: Record, shapes: Mapping[str, Shape]) -> Difference:
    """Compare an object with what is wanted of it; `current` None means that it does not exist.

    `send` holds whole top-level values, as PATCH takes them; all of `wanted` for an object that does not exist.
    """
    shape = Shape(fields=shapes)
    if current is None:
        return Difference(dict(wanted), {}, canonical(wanted, shape))
    send = {}
    for name, value in wanted.items():
        field_shape = shapes.get(name, PLAIN)
        merged = merge(current.get(name), value, field_shape)
        if canonical(merged, field_shape) != canonical(current.get(name), field_shape):
            send[name] = merged
    after = dict(current)
    after.update(send)
    return Difference(send, canonical(current, shape), canonical(after, shape))
