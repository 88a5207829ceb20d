# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The reconcile core."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.ensure import (
    Shape,
    canonical,
    difference,
    given,
    merge,
)

SHAPES = {
    "text": Shape(),
    "number": Shape(default=5),
    "table": Shape(default={}, whole=True),
    "names": Shape(default=[], ordered=False),
    "order": Shape(default=[]),
    "nested": Shape(default={}, fields={"a": Shape(default=0), "b": Shape(default="x")}),
    "items": Shape(default=[], key="name", fields={"name": Shape(), "weight": Shape(default=1)}),
}


def test_given_drops_nulls_at_any_depth() -> None:
    assert given({"a": None, "b": {"c": None, "d": 0}, "e": [{"f": None}]}) == {"b": {"d": 0}, "e": [{}]}


@pytest.mark.parametrize(
    ("current", "wanted"),
    [
        ({"text": None}, {"text": ""}),
        ({}, {"text": ""}),
        ({}, {"number": 5}),
        ({"number": 5.0}, {"number": 5}),
        ({}, {"table": {}}),
        ({"table": None}, {"table": {}}),
        ({"names": ["a", "b"]}, {"names": ["b", "a"]}),
        ({"names": None}, {"names": []}),
        ({}, {"nested": {"a": 0}}),
        ({"nested": {"a": 7, "b": "y"}}, {"nested": {"a": 7}}),
        ({"nested": {"a": 0, "b": "x"}}, {"nested": {}}),
        ({"items": [{"name": "b", "weight": 1}, {"name": "a"}]}, {"items": [{"name": "a"}, {"name": "b"}]}),
        ({"items": [{"name": "a", "weight": 0.5}]}, {"items": [{"name": "a"}]}),
        ({"other": 1}, {}),
    ],
)
def test_nothing_to_do(current: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert not difference(current, wanted, SHAPES).needed


@pytest.mark.parametrize(
    ("current", "wanted", "send"),
    [
        ({"text": "a"}, {"text": ""}, {"text": ""}),
        ({"number": 6}, {"number": 5}, {"number": 5}),
        ({"table": {"a": ["b"]}}, {"table": {}}, {"table": {}}),
        ({"table": {"a": ["b"], "c": ["d"]}}, {"table": {"a": ["b"]}}, {"table": {"a": ["b"]}}),
        ({"table": {"a": ["b", "c"]}}, {"table": {"a": ["c", "b"]}}, {"table": {"a": ["c", "b"]}}),
        ({"order": ["a", "b"]}, {"order": ["b", "a"]}, {"order": ["b", "a"]}),
        ({"nested": {"a": 7, "b": "y"}}, {"nested": {"a": 8}}, {"nested": {"a": 8, "b": "y"}}),
        ({"nested": {"a": 7, "b": "x"}}, {"nested": {}}, {"nested": {}}),
        (
            {"items": [{"name": "a", "weight": 0.5}, {"name": "c"}]},
            {"items": [{"name": "b"}, {"name": "a"}]},
            {"items": [{"name": "b"}, {"name": "a", "weight": 0.5}]},
        ),
    ],
)
def test_what_is_sent(current: dict[str, Any], wanted: dict[str, Any], send: dict[str, Any]) -> None:
    found = difference(current, wanted, SHAPES)
    assert found.send == send
    assert found.before != found.after


def test_a_new_object_is_sent_whole_and_shown_with_defaults() -> None:
    found = difference(None, {"text": "a"}, SHAPES)
    assert found.send == {"text": "a"}
    assert found.before == {}
    assert found.after["number"] == 5
    assert found.after["nested"] == {"a": 0, "b": "x"}


def test_merging_leaves_its_arguments_alone() -> None:
    current = {"nested": {"a": 1}, "items": [{"name": "a", "weight": 0.5}]}
    merge(current, {"nested": {"b": 2}, "items": [{"name": "a", "weight": 1}]}, Shape(fields=SHAPES))
    assert current == {"nested": {"a": 1}, "items": [{"name": "a", "weight": 0.5}]}


@pytest.mark.parametrize("value", [{"x": [{"y": 1.5}]}, [3, 1], "a", 0, False, 1.25])
def test_canonical_twice_is_canonical_once(value: Any) -> None:
    assert canonical(canonical(value)) == canonical(value)


def test_false_is_not_left_out() -> None:
    assert difference({"flag": True}, {"flag": False}, {"flag": Shape(default=True)}).send == {"flag": False}
