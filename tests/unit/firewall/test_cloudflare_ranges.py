# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is believed of the networks that an edge publishes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.cloudflare_ranges import (
    Ranges,
    RangesError,
    fetch,
    read,
)

GOOD = {"ipv4_cidrs": ["198.51.100.0/24", "192.0.2.0/24"], "ipv6_cidrs": ["2001:db8::/32"], "etag": "a1"}


def test_networks_are_kept_in_order() -> None:
    assert read(GOOD, 3) == Ranges(("192.0.2.0/24", "198.51.100.0/24"), ("2001:db8::/32",), "a1")


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ({"ipv4_cidrs": ["0.0.0.0/0"]}, "far more than an edge"),
        ({"ipv4_cidrs": ["128.0.0.0/1", "0.0.0.0/1"]}, "far more than an edge"),
        ({"ipv6_cidrs": ["::/0"]}, "far more than an edge"),
        ({"ipv4_cidrs": []}, "only 1 networks"),
        ({"ipv4_cidrs": ["192.0.2.0/24", "192.0.2.0/24"]}, "only 2 networks"),
        ({"ipv4_cidrs": None}, "ipv4_cidrs is no list"),
        ({"ipv6_cidrs": "2001:db8::/32"}, "ipv6_cidrs is no list"),
        ({"ipv4_cidrs": ["192.0.2.1/24"]}, "host bits set"),
        ({"ipv4_cidrs": ["everywhere"]}, "'everywhere'"),
        ({"ipv4_cidrs": [7]}, "ipv4_cidrs holds 7"),
        ({"ipv4_cidrs": ["8.0.0.0/8", "9.0.0.0/8", "11.0.0.0/8", "12.0.0.0/8", "13.0.0.0/8"]}, "83886080 addresses"),
        ({"ipv4_cidrs": ["2001:db8::/32"]}, "of the other family"),
        ({"ipv4_cidrs": ["127.0.0.0/8"]}, "from which no edge can call"),
        ({"ipv4_cidrs": ["224.0.0.0/8"]}, "from which no edge can call"),
        ({"ipv6_cidrs": ["fe80::/64"]}, "from which no edge can call"),
    ],
)
def test_what_cannot_be_meant_is_refused(part: dict[str, Any], said: str) -> None:
    with pytest.raises(RangesError, match=said):
        read({**GOOD, **part}, 3)


def test_an_empty_list_is_refused_whatever_the_minimum() -> None:
    with pytest.raises(RangesError, match="only 0 networks"):
        read({"ipv4_cidrs": [], "ipv6_cidrs": []}, 0)


@pytest.mark.parametrize("url", ["http://example.com/client/v4", "ftp://example.com", "example.com"])
def test_nobody_on_the_way_can_open_the_firewall(url: str) -> None:
    with pytest.raises(RangesError, match="use https"):
        fetch(url, 1)
