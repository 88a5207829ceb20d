# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From a live table to a wanted one: new sources before old ones, and nothing more than differs."""

from __future__ import annotations

from ansible_collections.meridian.geokube.plugins.module_utils.firewall_changes import (
    overlap,
    take_apart,
    transaction,
)
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_rules import replacing

FRAME = """\
table inet geokube {{
	set ingress_ipv4 {{
		type ipv4_addr
		flags interval
{ingress}	}}

	set ingress_ipv6 {{
		type ipv6_addr
		flags interval
		elements = {{ 2001:db8::/32 }}
	}}

	chain outside {{
		type filter hook prerouting priority mangle; policy accept;
		iifname != {{ "eth0", "eth1" }} accept
		ip saddr @ingress_ipv4 tcp dport {{ 80, 443 }} accept comment "ingress"
		counter drop
	}}
}}
"""


def table(*elements: str) -> str:
    """Give a table as nft lists it: two elements a line."""
    pairs = [", ".join(elements[at : at + 2]) for at in range(0, len(elements), 2)]
    text = "\t\telements = { " + (",\n\t\t\t     ".join(pairs)) + " }\n" if elements else ""
    return FRAME.format(ingress=text)


def test_a_listed_table_is_taken_apart() -> None:
    parts = take_apart(table("192.0.2.0/24", "198.51.100.7", "203.0.113.4-203.0.113.9"))
    assert parts.sets == {
        "ingress_ipv4": ("192.0.2.0/24", "198.51.100.7", "203.0.113.4-203.0.113.9"),
        "ingress_ipv6": ("2001:db8::/32",),
    }
    assert "elements" not in parts.frame
    assert parts.frame == take_apart(table()).frame
    assert '{ "eth0", "eth1" }' in parts.frame


def test_nothing_differs_nothing_is_done() -> None:
    assert transaction("geokube", table("192.0.2.0/24"), table("192.0.2.0/24")) == ""


def test_new_sources_come_before_old_ones_go() -> None:
    found = transaction("geokube", table("192.0.2.0/24", "198.51.100.7"), table("192.0.2.0/24", "203.0.113.0/24"))
    assert found.splitlines() == [
        "add element inet geokube ingress_ipv4 { 203.0.113.0/24 }",
        "delete element inet geokube ingress_ipv4 { 198.51.100.7 }",
    ]


def test_only_what_overlaps_goes_first() -> None:
    found = transaction("geokube", table("192.0.2.0/25", "198.51.100.7"), table("192.0.2.0/24"))
    assert found.splitlines() == [
        "delete element inet geokube ingress_ipv4 { 192.0.2.0/25 }",
        "add element inet geokube ingress_ipv4 { 192.0.2.0/24 }",
        "delete element inet geokube ingress_ipv4 { 198.51.100.7 }",
    ]


def test_an_empty_set_is_filled_and_emptied() -> None:
    filled = transaction("geokube", table(), table("192.0.2.1"))
    emptied = transaction("geokube", table("192.0.2.1"), table())
    assert filled == "add element inet geokube ingress_ipv4 { 192.0.2.1 }\n"
    assert emptied == "delete element inet geokube ingress_ipv4 { 192.0.2.1 }\n"


def test_any_other_difference_replaces_the_table_at_once() -> None:
    other = table("192.0.2.1").replace("443", "8443")
    assert transaction("geokube", table("192.0.2.1"), other) == replacing("geokube", other)
    assert transaction("geokube", "", other) == replacing("geokube", other)
    assert transaction("geokube", other, "") == replacing("geokube", "")


def test_elements_overlap_when_they_share_an_address() -> None:
    assert overlap("192.0.2.0/24", "192.0.2.255")
    assert overlap("192.0.2.4-192.0.2.9", "192.0.2.8/31")
    assert not overlap("192.0.2.0/25", "192.0.2.128/25")
    assert not overlap("::/0", "192.0.2.1")
    assert overlap("2001:db8::/32", "2001:db8:1::1")
