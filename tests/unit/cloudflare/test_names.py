# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Owners' marks and pools by name."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_names import (
    Tag,
    pools_of,
    renamed,
    split,
    without_pool,
)

BALANCER: dict[str, Any] = {
    "name": "x",
    "default_pools": ["a", "b"],
    "fallback_pool": "a",
    "region_pools": {"OC": ["c", "a"], "WEU": ["a"]},
    "country_pools": {},
    "pop_pools": {"SYD": ["d"]},
    "random_steering": {"default_weight": 1, "pool_weights": {"e": 0.5, "a": 0.1}},
    "rules": [{"name": "r", "overrides": {"default_pools": ["f"], "fallback_pool": "g"}}],
    "pool_sets": [{"name": "s", "overrides": {"pools": ["h"], "fallback_pool": "i", "pool_weights": {"j": 1}}}],
}


@pytest.mark.parametrize("text", ["", "words", "words [in] brackets", "ends with [geokube:]"])
def test_a_mark_is_read_as_it_was_written(text: str) -> None:
    tag = Tag("devfest", "style.example.com")
    assert split(tag.on(text)) == (text, tag)


def test_a_description_without_a_mark() -> None:
    assert split("by hand") == ("by hand", None)
    assert split(None) == ("", None)


def test_every_reference_is_found_and_renamed() -> None:
    assert sorted(pools_of(BALANCER)) == list("abcdefghij")
    there = renamed(BALANCER, str.upper)
    assert sorted(pools_of(there)) == list("ABCDEFGHIJ")
    assert renamed(there, str.lower) == BALANCER


def test_taking_a_pool_out() -> None:
    changed = without_pool(BALANCER, "a")
    assert changed == {
        "default_pools": ["b"],
        "fallback_pool": "b",
        "region_pools": {"OC": ["c"]},
        "random_steering": {"default_weight": 1, "pool_weights": {"e": 0.5}},
    }
    assert without_pool(BALANCER, "z") == {}
