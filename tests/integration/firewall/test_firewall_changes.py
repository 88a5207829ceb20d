# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Changes of the table on a real kernel: sources that come and go, kills, roll-backs, boots, drift."""

from __future__ import annotations

import ipaddress
import random

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils import firewall_boot, firewall_host
from ansible_collections.meridian.geokube.plugins.module_utils.firewall_rules import FirewallError, Wish, render
from firewall_machine import Killed, Machine, wish

OTHER = wish("198.51.100.0/24", "2001:db8:2::/48")


def settle(machine: Machine, wanted: Wish) -> None:
    """Run as the action plugin does: bring the rules, and confirm them where that is needed."""
    node = machine.node()
    node.ensure(wanted)
    if node.unconfirmed:
        machine.node().confirm(wanted)


def assert_settled(machine: Machine, wanted: Wish) -> None:
    """The wanted rules hold, come back at boot, and a further run changes nothing."""
    node = machine.node()
    node.ensure(wanted)
    assert (node.changed, node.unconfirmed) == (False, False), node.changes
    assert machine.timer is None
    live = machine.live()
    machine.reboot()
    assert machine.live() == live


def test_a_second_run_changes_nothing(machine: Machine) -> None:
    settle(machine, wish())
    count = len(machine.transactions)
    assert_settled(machine, wish())
    assert len(machine.transactions) == count


def test_check_mode_tells_and_does_nothing(machine: Machine) -> None:
    node = machine.node(check_mode=True)
    node.ensure(wish())
    assert node.changed and node.before == "" and "chain outside" in node.after
    assert f"{firewall_boot.RULES} written" in node.changes
    assert machine.live() == "" and machine.timer is None and not firewall_boot.RULES.exists()
    settle(machine, wish())
    node = machine.node(check_mode=True)
    node.ensure(wish())
    assert not node.changed
    node.remove()
    assert node.changed and machine.live() != ""


def test_new_sources_are_added_before_old_ones_are_removed(machine: Machine) -> None:
    settle(machine, wish("192.0.2.0/24", "203.0.113.7"))
    settle(machine, wish("192.0.2.0/24", "198.51.100.0/24"))
    commands = [line.split()[0] for line in machine.transactions[-1].splitlines()]
    assert commands == ["add", "delete"]
    assert_settled(machine, wish("192.0.2.0/24", "198.51.100.0/24"))


@pytest.mark.parametrize("seed", range(3))
def test_any_sources_follow_any_others(machine: Machine, seed: int) -> None:
    dice = random.Random(seed)
    for _ in range(12):
        v4 = [f"10.{dice.randrange(2)}.{dice.randrange(4)}.0/{dice.choice((22, 23, 24))}" for _ in range(4)]
        v6 = [f"2001:db8:{dice.randrange(4):x}::/{dice.choice((46, 47, 48))}" for _ in range(3)]
        sources = [str(ipaddress.ip_network(one, strict=False)) for one in (*v4, *v6)]
        settle(machine, wish(*sources))
    assert_settled(machine, wish(*sources))


@pytest.mark.parametrize("before", [None, OTHER], ids=["nothing", "other-rules"])
def test_killed_at_any_point_and_run_again_it_converges(machine: Machine, before: Wish | None) -> None:
    at = 0
    while True:
        machine.node().remove()
        if before is not None:
            settle(machine, before)
        earlier = machine.live()
        machine.kill_at = at
        try:
            settle(machine, wish())
            break
        except Killed:
            machine.kill_at = None
        # Either nobody comes back in time, or the next run does.
        if at % 2 and machine.timer is not None:
            machine.time_is_up()
            assert machine.live() == earlier
        settle(machine, wish())
        assert_settled(machine, wish())
        at += 1
    machine.kill_at = None
    assert at > 10


def wanted_text(machine: Machine) -> str:
    """Give the wished table as the machine lists it."""
    return firewall_host.listed("geokube", render(wish()))


@pytest.mark.parametrize("before", [None, OTHER], ids=["nothing", "other-rules"])
def test_rules_that_nobody_confirms_are_rolled_back(machine: Machine, before: Wish | None) -> None:
    if before is not None:
        settle(machine, before)
    earlier = machine.live()
    node = machine.node()
    node.ensure(wish())
    assert node.unconfirmed and machine.live() == wanted_text(machine)
    machine.time_is_up()
    assert machine.live() == earlier
    with pytest.raises(FirewallError, match="no new connection confirmed them within 60 s"):
        machine.node().confirm(wish())
    machine.reboot()
    assert machine.live() == earlier


def test_what_is_rolled_back_is_what_was_confirmed_last(machine: Machine) -> None:
    settle(machine, OTHER)
    earlier = machine.live()
    machine.node().ensure(wish())
    machine.node().ensure(wish("203.0.113.0/24"))
    machine.time_is_up()
    assert machine.live() == earlier


def test_the_next_run_says_that_there_was_a_roll_back(machine: Machine) -> None:
    machine.node().ensure(wish())
    machine.time_is_up()
    node = machine.node()
    node.ensure(wish())
    assert node.warnings == ["the rules of an earlier run were rolled back, as no new connection confirmed them"]


def test_a_connection_from_before_confirms_nothing(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.node().ensure(wish())
    since = firewall_host.seconds_since_boot()
    monkeypatch.setattr(firewall_host, "ssh_session_start", lambda: since - 60)
    with pytest.raises(FirewallError, match="from before the new rules"):
        machine.node().confirm(wish())
    monkeypatch.setattr(firewall_host, "ssh_session_start", lambda: since + 60)
    machine.node().confirm(wish())
    assert_settled(machine, wish())


def test_drift_in_the_table_is_put_right(machine: Machine) -> None:
    settle(machine, wish())
    for drift in (
        "insert rule inet geokube outside accept",
        "add element inet geokube ingress_ipv4 { 203.0.113.0/24 }",
        "flush chain inet geokube outside",
        "delete table inet geokube",
    ):
        machine.places.run("machine", "nft", drift)
        node = machine.node()
        node.ensure(wish())
        assert node.changed and node.before != node.after
        machine.node().confirm(wish())
        assert_settled(machine, wish())


def test_lost_files_come_back_without_a_new_confirmation(machine: Machine) -> None:
    settle(machine, wish())
    firewall_boot.RULES.unlink()
    node = machine.node()
    node.ensure(wish())
    assert node.changed and not node.unconfirmed and node.before == node.after
    assert_settled(machine, wish())


def test_a_file_of_somebody_else_is_not_overwritten(machine: Machine) -> None:
    firewall_boot.RULES.parent.mkdir(parents=True)
    firewall_boot.RULES.write_text("table inet mine {}\n")
    with pytest.raises(FirewallError, match="was not made by this role"):
        settle(machine, wish())
    firewall_boot.RULES.unlink()
