# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The measuring tools' output, as fping 5.1, iputils 20221126 and chrony 4.3 print it, and what is made of it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.clock import clock_error, parse_tracking
from ansible_collections.meridian.geokube.plugins.module_utils.interfaces import interface_addresses
from ansible_collections.meridian.geokube.plugins.module_utils.path_mtu import local_mtu, path_mtu, path_mtus
from ansible_collections.meridian.geokube.plugins.module_utils.round_trips import (
    ProbeError,
    Sample,
    measure,
    parse_fping,
    parse_ping,
)

FPING = """198.51.100.10 : 360 361 - 364 360
ICMP Host Unreachable from 192.0.2.1 for ICMP Echo sent to 192.0.2.138
192.0.2.138   : - - - - -
"""
PING = """PING 192.0.2.138 (192.0.2.138) 56(84) bytes of data.
64 bytes from 192.0.2.138: icmp_seq=1 ttl=63 time=195 ms
64 bytes from 192.0.2.138: icmp_seq=1 ttl=63 time=196 ms (DUP!)
64 bytes from 192.0.2.138: icmp_seq=3 ttl=63 time=0.412 ms

--- 192.0.2.138 ping statistics ---
"""
TRACKING = "C0000201,ntp.example,3,1700000000.1,-0.002500,0.0001,0.0002,1.5,0.01,0.1,0.020000,0.001000,64.2,Normal"
ADDRESSES = ["198.51.100.10", "192.0.2.138"]


class Path1400:
    """A path of a given MTU behind an interface of 1500: answers as ping does, and counts the questions."""

    def __init__(self, mtu: int, hints: bool) -> None:
        self.mtu, self.hints, self.asked = mtu, hints, 0

    def __call__(self, argv: Sequence[str], seconds: float) -> tuple[int, str, str]:
        self.asked += 1
        size = int(argv[argv.index("-s") + 1]) + 28
        assert argv[argv.index("-M") + 1] == "do"
        if size <= self.mtu:
            return 0, "3 packets transmitted, 3 received", ""
        return 1, f"From 192.0.2.1 icmp_seq=1 Frag needed and DF set (mtu = {self.mtu})" if self.hints else "", ""


def test_fping_is_read_line_by_line_and_noise_is_passed_over() -> None:
    found = parse_fping(FPING, ADDRESSES, 5)
    assert found == {"198.51.100.10": Sample((360, 361, 364, 360), 5), "192.0.2.138": Sample((), 5)}
    assert found["198.51.100.10"].loss == 0.2
    assert found["198.51.100.10"].summary() == {"min": 360, "median": 360.5, "p95": 364, "max": 364}
    assert found["192.0.2.138"].loss == 1


def test_ping_is_read_and_a_doubled_reply_counts_once() -> None:
    assert parse_ping(PING, 4) == Sample((195, 0.412), 4)


@pytest.mark.parametrize("answer", [(4, "", "fping: can't create socket"), (0, "", ""), (1, FPING[:30], "")])
def test_fping_that_fails_or_says_too_little_is_an_error(answer: tuple[int, str, str]) -> None:
    with pytest.raises(ProbeError, match="fping ended with"):
        measure(lambda argv, seconds: answer, ADDRESSES, 5, 100, "fping", "ping")


def test_without_fping_ping_measures() -> None:
    found = measure(lambda argv, seconds: (0, PING, ""), ["192.0.2.138"], 4, 100, None, "ping")
    assert found["192.0.2.138"].replies == (195, 0.412)
    with pytest.raises(ProbeError, match=r"ping 192\.0\.2\.138 ended with 2: unknown"):
        measure(lambda argv, seconds: (2, "", "unknown host"), ["192.0.2.138"], 4, 100, None, "ping")


@pytest.mark.parametrize("mtu", [576, 1280, 1381, 1420, 1460, 1499, 1500])
@pytest.mark.parametrize("hints", [True, False])
def test_the_path_mtu_is_found_to_the_byte(mtu: int, hints: bool) -> None:
    path = Path1400(mtu, hints)
    assert path_mtu(path, "ping", "192.0.2.138", 1500) == mtu
    assert path.asked <= (2 if hints else 13)


def test_a_jumbo_interface_finds_an_ethernet_path_fast() -> None:
    path = Path1400(1500, hints=True)
    assert path_mtu(path, "ping", "192.0.2.138", 9001) == 1500
    assert path.asked == 2


def test_a_path_that_carries_nothing_is_an_error_for_that_path_only() -> None:
    found = path_mtus(Path1400(100, hints=False), "ping", "ip", ["192.0.2.138"], 1500)
    assert isinstance(found["192.0.2.138"], ProbeError)


def test_the_local_mtu_is_the_one_of_the_interface_on_the_way(tmp_path: Path) -> None:
    (tmp_path / "eth0").mkdir()
    (tmp_path / "eth0" / "mtu").write_text("1460\n")
    route = "198.51.100.10 via 192.0.2.1 dev eth0 src 192.0.2.10 uid 0 \\    cache\n"
    assert local_mtu(lambda argv, seconds: (0, route, ""), "ip", "198.51.100.10", tmp_path) == 1460
    assert local_mtu(lambda argv, seconds: (2, "", "unreachable"), "ip", "198.51.100.10", tmp_path) == 1500


def test_the_clock_error_is_chronys_bound() -> None:
    assert parse_tracking(TRACKING) == 13.5
    assert parse_tracking(TRACKING.replace("Normal", "Not synchronised")) is None
    assert parse_tracking("506 Cannot talk to daemon") is None
    assert clock_error(lambda argv, seconds: (1, "", ""), "chronyc") is None
    assert clock_error(lambda argv, seconds: (0, TRACKING, ""), None) is None


def test_the_interfaces_are_read() -> None:
    text = """[{"ifname": "lo", "addr_info": [{"local": "127.0.0.1", "prefixlen": 8, "scope": "host"}]},
      {"ifname": "wg0", "addr_info": [{"local": "10.255.0.1", "prefixlen": 24, "scope": "global"}]}]"""
    assert interface_addresses(lambda argv, seconds: (0, text, ""), "ip") == {"lo": [], "wg0": ["10.255.0.1/24"]}
    for answer in ((1, "", "no"), (0, "torn", ""), (0, "[{}]", "")):
        with pytest.raises(ProbeError, match="ip address show"):
            interface_addresses(lambda argv, seconds, answer=answer: answer, "ip")
