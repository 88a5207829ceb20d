"""The sea: round trips, cuts, loss, live changes, as packets see them."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from statistics import median

import pytest
from conftest import SmallLab

RTT = {("ru", "sg"): 195.0, ("ru", "au"): 360.0, ("sg", "au"): 150.0}
MACHINE = {"ru": "192.0.2.10", "sg": "192.0.2.138", "au": "198.51.100.10"}
CLIENT = {"ru": "192.0.2.74", "sg": "192.0.2.202", "au": "198.51.100.74"}


def node(region: str) -> str:
    return f"geokube-node-devfest-{region}-01"


def check_round_trip(small: SmallLab, namespace: str, address: str, wanted: float, slack: float = 0.0) -> None:
    """Within 3% (or `slack` ms), in one of three measurements: the processors may be busy with something else."""
    for _ in range(3):
        measured = median(small.round_trips(namespace, address))
        if abs(measured - wanted) <= max(0.03 * wanted, slack):
            return
    pytest.fail(f"{namespace} -> {address}: {measured} ms, {wanted} wanted")


@pytest.fixture(autouse=True)
def calm(small: SmallLab) -> Iterator[None]:
    """No test leaves a storm to the next one."""
    yield
    small.lab("heal")


@pytest.mark.parametrize(("a", "b"), [*RTT, *((b, a) for a, b in RTT)])
def test_every_ordered_pair_is_within_three_percent(small: SmallLab, a: str, b: str) -> None:
    check_round_trip(small, node(a), MACHINE[b], RTT.get((a, b)) or RTT[b, a])


def test_users_cross_the_same_sea_and_none_at_home(small: SmallLab) -> None:
    check_round_trip(small, "geokube-client-au", MACHINE["ru"], 360)
    check_round_trip(small, "geokube-client-au", CLIENT["sg"], 150)
    check_round_trip(small, "geokube-client-au", MACHINE["au"], 0, slack=3)
    check_round_trip(small, "geokube-controller", MACHINE["ru"], 0, slack=3)


def test_a_cut_region_loses_its_machines_and_keeps_its_users(small: SmallLab) -> None:
    small.lab("cut", "au")
    assert small.round_trips(node("ru"), MACHINE["au"], 2) == []
    assert small.round_trips(node("au"), MACHINE["sg"], 2) == []
    assert small.round_trips("geokube-pop-au", MACHINE["au"], 2) == []
    assert len(small.round_trips("geokube-client-au", MACHINE["ru"], 2)) == 2
    assert len(small.round_trips("geokube-pop-au", MACHINE["sg"], 2)) == 2
    assert len(small.round_trips(node("ru"), MACHINE["sg"], 2)) == 2
    assert "machines cut off: au" in small.lab("status")
    small.lab("heal", "au")
    assert len(small.round_trips(node("ru"), MACHINE["au"], 2)) == 2


def test_two_regions_cut_from_each_other_reach_the_third(small: SmallLab) -> None:
    small.lab("cut", "sg", "ru")
    assert small.round_trips(node("ru"), MACHINE["sg"], 2) == []
    assert small.round_trips(node("sg"), MACHINE["ru"], 2) == []
    assert small.round_trips("geokube-client-sg", MACHINE["ru"], 2) == []
    assert len(small.round_trips(node("ru"), MACHINE["au"], 2)) == 2
    assert len(small.round_trips(node("sg"), MACHINE["au"], 2)) == 2
    small.lab("heal", "ru", "au")
    assert small.round_trips(node("ru"), MACHINE["sg"], 2) == []
    small.lab("heal", "ru", "sg")
    assert len(small.round_trips(node("ru"), MACHINE["sg"], 2)) == 2


def test_a_connection_outlives_a_cut(small: SmallLab) -> None:
    reader = small.sandbox.popen(*small.command("ssh", "devfest-au-01", "--", "sleep 4; echo still here"))
    time.sleep(2.5)
    small.lab("cut", "ru", "au")
    time.sleep(2)
    small.lab("heal", "ru", "au")
    assert "still here" in reader.communicate(timeout=30)[0]


def test_a_round_trip_changes_live_and_both_ways(small: SmallLab) -> None:
    try:
        small.lab("rtt", "au", "ru", "40")
        check_round_trip(small, node("ru"), MACHINE["au"], 40, slack=2)
        check_round_trip(small, node("au"), MACHINE["ru"], 40, slack=2)
        check_round_trip(small, node("au"), MACHINE["sg"], 150)
        assert "40" in small.lab("status")
    finally:
        small.lab("rtt", "au", "ru", "360")


def test_loss_is_counted_in_each_direction(small: SmallLab) -> None:
    small.lab("loss", "ru", "au", "20")
    output = small.inside(node("ru"), "fping", "-q", "-c", "400", "-p", "10", "-t", "1000", MACHINE["au"])
    lost = int(re.search(r"/(\d+)%", output).group(1))  # type: ignore[union-attr]
    # A ping survives both ways with 0.8 * 0.8.
    assert 36 - 10 <= lost <= 36 + 10, output
    output = small.inside(node("ru"), "fping", "-q", "-c", "100", "-p", "10", "-t", "1000", MACHINE["sg"])
    assert "100/100/0%" in output
    assert "loss au-ru: 20% each way" in small.lab("status")


def test_a_flood_does_not_stretch_the_round_trips_of_others(small: SmallLab) -> None:
    small.on("devfest-sg-01", "iperf3 -s -D -1")
    flood = small.sandbox.popen(*small.command("ssh", "devfest-ru-01", "--", f"iperf3 -c {MACHINE['sg']} -t 6 -P 4 -J"))
    time.sleep(2.5)
    during = median(small.round_trips(node("au"), MACHINE["ru"], 15))
    output = flood.communicate(timeout=30)[0]
    received = float(re.findall(r'"bits_per_second":\s*([\d.e+]+)', output)[-1])
    assert received > 20e6, output[-2000:]
    assert during == pytest.approx(360, rel=0.03)


def test_the_path_mtu_is_the_smaller_networks(small: SmallLab) -> None:
    assert "pmtu 1460" in small.on("devfest-ru-01", f"tracepath -n {MACHINE['au']}")
    assert "pmtu 1500" in small.on("devfest-ru-01", f"tracepath -n {MACHINE['sg']}")


def test_private_addresses_do_not_cross_the_sea(small: SmallLab) -> None:
    assert small.round_trips(node("ru"), "10.3.0.10", 1) == []


def test_cut_and_heal_refuse_what_makes_no_sense(small: SmallLab) -> None:
    assert "cut takes one region, or two different ones" in small.lab("cut", "au", "au", code=1)
    assert "there is no region 'mars'" in small.lab("cut", "mars", code=1)
    assert "inside au there is no sea" in small.lab("rtt", "au", "au", "5", code=1)
