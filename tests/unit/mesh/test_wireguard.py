# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WireGuard's file, its dump, and what has to change on a running interface."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.wireguard import (
    Interface,
    Live,
    LivePeer,
    Peer,
    commands,
    endpoints_in,
    is_key,
    parse_dump,
    render,
    silent,
)


def key(letter: str) -> str:
    """Give a well-formed key."""
    return b64encode(letter.encode() * 32).decode()


OWN = key("o")
INTERFACE = Interface("wg0", "10.255.0.1/24", 51820, 1420, "/etc/wireguard/wg0.key")
AU = Peer("au-01", key("a"), "198.51.100.10:51820", ("10.255.0.3/32",), 25)
SG = Peer("sg-01", key("s"), "192.0.2.138:51820", ("10.255.0.2/32",), 25)
LIVE_AU = LivePeer("198.51.100.10:51820", frozenset({"10.255.0.3/32"}), 25)
LIVE_SG = LivePeer("192.0.2.138:51820", frozenset({"10.255.0.2/32"}), 25)
BOTH = {AU.public_key: LIVE_AU, SG.public_key: LIVE_SG}
DUMP = (
    f"{key('p')}\t{OWN}\t51820\toff\n"
    f"{AU.public_key}\t(none)\t198.51.100.10:51820\t10.255.0.3/32\t1700000000\t10\t20\t25\n"
    f"{SG.public_key}\t(none)\t(none)\t(none)\t0\t0\t0\toff\n"
)


def test_the_file_names_the_private_keys_file_and_holds_no_key() -> None:
    text = render(INTERFACE, [SG, AU])
    assert "PostUp = wg set %i private-key /etc/wireguard/wg0.key" in text
    assert "PrivateKey" not in text
    assert text.index("# au-01") < text.index("# sg-01")
    assert endpoints_in(text) == {AU.public_key: AU.endpoint, SG.public_key: SG.endpoint}
    assert render(INTERFACE, [AU, SG]) == text


def test_a_dump_is_read_without_its_private_key() -> None:
    live = parse_dump(DUMP)
    assert live == Live(
        OWN,
        51820,
        {AU.public_key: replace(LIVE_AU, handshake=1700000000), SG.public_key: LivePeer(None, frozenset(), 0)},
    )
    assert key("p") not in repr(live)


@pytest.mark.parametrize("text", ["", "Unable to access interface", DUMP[:-20].replace("\t", " ")])
def test_anything_else_than_a_dump_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(ValueError, match=r"^wg show printed something else than a dump$"):
        parse_dump(text)


def test_nothing_differs_nothing_is_done() -> None:
    assert commands(INTERFACE, [AU, SG], Live(OWN, 51820, BOTH), OWN, {}) == ([], [])


def test_a_new_peer_is_only_added() -> None:
    live = Live(OWN, 51820, {AU.public_key: LIVE_AU})
    arguments, words = commands(INTERFACE, [AU, SG], live, OWN, {})
    assert arguments == [
        "peer", SG.public_key, "endpoint", SG.endpoint, "persistent-keepalive", "25", "allowed-ips", "10.255.0.2/32",
    ]  # fmt: skip
    assert words == ["peer sg-01 added"]


def test_a_peer_that_is_gone_is_removed() -> None:
    assert commands(INTERFACE, [AU], Live(OWN, 51820, BOTH), OWN, {})[0] == ["peer", SG.public_key, "remove"]


def test_a_roamed_endpoint_is_left_alone_and_a_changed_one_is_set() -> None:
    roamed = Live(OWN, 51820, {AU.public_key: LivePeer("203.0.113.9:40000", LIVE_AU.allowed_ips, 25)})
    assert commands(INTERFACE, [AU], roamed, OWN, {AU.public_key: AU.endpoint}) == ([], [])
    moved = commands(INTERFACE, [AU], roamed, OWN, {AU.public_key: "198.51.100.99:51820"})[0]
    assert moved == ["peer", AU.public_key, "endpoint", AU.endpoint]


def test_drift_of_key_port_addresses_and_keepalive_is_corrected() -> None:
    drifted = LivePeer(AU.endpoint, frozenset({"10.255.0.9/32"}), 0)
    arguments, words = commands(INTERFACE, [AU], Live(key("x"), 4000, {AU.public_key: drifted}), OWN, {})
    assert arguments[:4] == ["private-key", "/etc/wireguard/wg0.key", "listen-port", "51820"]
    assert arguments[4:] == ["peer", AU.public_key, "persistent-keepalive", "25", "allowed-ips", "10.255.0.3/32"]
    assert words[-1] == "peer au-01 corrected: persistent-keepalive, allowed-ips"


def test_a_peer_without_a_recent_handshake_is_silent() -> None:
    live = Live(OWN, 51820, {AU.public_key: replace(LIVE_AU, handshake=1000), SG.public_key: LIVE_SG})
    assert silent([AU, SG], live, 1100) == ["sg-01"]
    assert silent([AU, SG], live, 1200) == ["au-01", "sg-01"]
    assert silent([replace(SG, keepalive=0)], live, 1100) == []
    assert silent([Peer("br-01", key("b"), "", (), 25)], live, 1100) == []


@pytest.mark.parametrize(("text", "good"), [(OWN, True), (OWN[:-1], False), ("", False), ("é" * 44, False)])
def test_keys_are_told_apart_from_other_texts(text: str, good: bool) -> None:
    assert is_key(text) is good
