# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of the firewall's table, and what is refused before there is one."""

from __future__ import annotations

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_rules import (
    FirewallError,
    Opening,
    Wish,
    read_opening,
    render,
    replacing,
)

ANYONE = ("0.0.0.0/0", "::/0")


def ssh(*sources: str) -> Opening:
    """Give the opening that lets people log in."""
    return read_opening("ssh", "tcp", ["22"], sources or ANYONE)


def wish(*openings: Opening, interfaces: tuple[str, ...] = ("eth0",)) -> Wish:
    """Give a wish for one interface."""
    return Wish("geokube", interfaces, openings)


def test_it_looks_before_addresses_are_translated_and_ends_with_a_drop() -> None:
    lines = render(wish(ssh())).splitlines()
    assert "\t\ttype filter hook prerouting priority mangle; policy accept;" in lines
    assert lines[-3:] == ["\t\tcounter drop", "\t}", "}"]
    assert lines.index('\t\tiifname != { "eth0" } accept') < lines.index("\t\tct state established,related accept")


def test_everybody_is_a_rule_of_each_family_and_no_set() -> None:
    text = render(wish(ssh()))
    assert 'meta nfproto ipv4 tcp dport { 22 } accept comment "ssh"' in text
    assert 'meta nfproto ipv6 tcp dport { 22 } accept comment "ssh"' in text
    assert "set " not in text


def test_sources_are_sets_of_their_family_without_networks_in_others() -> None:
    text = render(wish(ssh("192.0.2.7", "192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32")))
    assert "elements = { 192.0.2.0/24 }" in text
    assert 'ip saddr @ssh_ipv4 tcp dport { 22 } accept comment "ssh"' in text
    assert "elements = { 2001:db8::/32 }" in text
    assert 'ip6 saddr @ssh_ipv6 tcp dport { 22 } accept comment "ssh"' in text


def test_a_family_without_sources_is_not_let_in() -> None:
    text = render(wish(ssh("192.0.2.0/24")))
    assert "ip6 saddr @" not in text and "nfproto ipv6" not in text
    assert "dport { 22 }" not in render(wish(Opening("ssh", "tcp", ("22",), ())))


def test_the_text_depends_on_no_order_of_interfaces_ports_or_sources() -> None:
    one = wish(read_opening("web", "tcp", ["443", "80", "8000-8010"], ["192.0.2.1", "198.51.100.0/24"]))
    other = wish(read_opening("web", "tcp", ["8000-8010", "80", "443", "80"], ["198.51.100.0/24", "192.0.2.1"]))
    assert render(one) == render(other)
    assert "dport { 80, 443, 8000-8010 }" in render(one)
    assert render(wish(ssh(), interfaces=("a", "b"))) == render(wish(ssh(), interfaces=("b", "a")))


def test_a_replacement_can_run_whether_or_not_there_is_a_table() -> None:
    assert replacing("geokube", "x\n") == "table inet geokube\ndelete table inet geokube\nx\n"


@pytest.mark.parametrize(
    ("name", "ports", "sources", "said"),
    [
        ("ssh", ["0"], ANYONE, "openings: '0' of ssh is no port"),
        ("ssh", ["65536"], ANYONE, "openings: '65536' of ssh is no port"),
        ("ssh", ["90-80"], ANYONE, "openings: '90-80' of ssh is no port"),
        ("ssh", ["http; drop"], ANYONE, "openings: 'http; drop' of ssh is no port"),
        ("ssh", [], ANYONE, "openings: ssh has no ports"),
        ("ssh", ["22"], ["192.0.2.1/24"], "openings: the source '192.0.2.1/24' of ssh is no network"),
        ("ssh", ["22"], ["example.com"], "openings: the source 'example.com' of ssh is no network"),
        ('x" accept', ["22"], ANYONE, "openings: the name"),
        ("", ["22"], ANYONE, "openings: the name"),
    ],
)
def test_an_opening_that_cannot_be_meant_is_refused(name: str, ports: list[str], sources: list[str], said: str) -> None:
    with pytest.raises(FirewallError) as refused:
        read_opening(name, "tcp", ports, sources)
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (wish(ssh(), ssh()), "openings: the name ssh is there twice"),
        (wish(ssh(), interfaces=()), "interfaces: there is none"),
        (wish(ssh(), interfaces=('eth0" }',)), "interfaces: "),
    ],
)
def test_a_wish_that_cannot_be_meant_is_refused(wanted: Wish, said: str) -> None:
    with pytest.raises(FirewallError) as refused:
        render(wanted)
    assert str(refused.value).startswith(said)
