# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's edge: every steering policy, rules and session affinity, as users see them."""

from __future__ import annotations

import json
import time
import urllib.error
from collections import Counter
from typing import Any

import pytest
from cloudflare_harness import ACCOUNT, PLACES, Edge, Origins, wait_for
from edge_balancer import change, health, served_by

PLACED = {"ru": (55.75, 37.62), "sg": (1.35, 103.82), "au": (-33.87, 151.21), "br": (-23.55, -46.63)}


def everywhere(edge: Edge) -> dict[str, str]:
    return {place: served_by(edge, place) for place in PLACES}


def test_off_sends_all_to_the_first_healthy_pool(edge: Edge, balanced: dict[str, str], origins: Origins) -> None:
    change(edge, steering_policy="off", default_pools=[balanced["br"], balanced["sg"]])
    assert set(everywhere(edge).values()) == {"br"}
    origins.stop("br")
    wait_for(lambda: set(everywhere(edge).values()) == {"sg"}, 15)


def test_random_goes_by_weight(edge: Edge, balanced: dict[str, str]) -> None:
    weights = {balanced["ru"]: 1, balanced["au"]: 0}
    pools = [balanced["ru"], balanced["sg"], balanced["au"]]
    change(edge, steering_policy="random", default_pools=pools, random_steering={"pool_weights": weights})
    seen = Counter(served_by(edge, "br") for _ in range(40))
    assert set(seen) == {"ru", "sg"}


def test_proximity_goes_by_the_map(edge: Edge, balanced: dict[str, str]) -> None:
    for region, (latitude, longitude) in PLACED.items():
        pool = f"/accounts/{ACCOUNT}/load_balancers/pools/{balanced[region]}"
        edge.api("PATCH", pool, {"latitude": latitude, "longitude": longitude})
    change(edge, steering_policy="proximity", default_pools=list(balanced.values()), region_pools={})
    assert everywhere(edge) == {place: place for place in PLACES}
    change(edge, default_pools=[balanced["ru"], balanced["au"]])
    assert everywhere(edge) == {"ru": "ru", "sg": "au", "au": "au", "br": "ru"}


def test_dynamic_latency_goes_by_the_probes(edge: Edge, balanced: dict[str, str], origins: Origins) -> None:
    origins.servers["ru"].pause = 0.25
    change(edge, steering_policy="dynamic_latency", default_pools=[balanced["ru"], balanced["br"]])
    # Region lists are geo's: au's pool is in them and in no default list.
    wait_for(lambda: set(everywhere(edge).values()) == {"br"}, 20, lambda: health(edge, balanced["ru"]))


@pytest.mark.parametrize("policy", ["least_outstanding_requests", "least_connections"])
def test_what_answers_slowly_gets_less(edge: Edge, balanced: dict[str, str], origins: Origins, policy: str) -> None:
    change(edge, steering_policy=policy, default_pools=[balanced["ru"], balanced["br"]])
    busy = origins.servers["ru"]
    busy.pause, busy.pause_at = 30.0, "/slow"
    running = []
    try:
        while sum(path == "/slow" for path, _ in busy.seen) < 4:
            running.append(edge.curl_later("au", "/slow"))
            assert len(running) < 60
            time.sleep(0.05)
        seen = Counter(served_by(edge, "au") for _ in range(40))
    finally:
        for process in running:
            process.kill()
            process.communicate()
    # One in five or fewer, against one in two.
    assert seen["ru"] < 17
    assert set(seen) <= {"ru", "br"}


def test_a_rule_overrides_and_another_answers_by_itself(edge: Edge, balanced: dict[str, str]) -> None:
    condition = 'http.request.uri.path contains "/testing" or cf.load_balancer.region eq "SSAM"'
    override = {"name": "testing", "condition": condition, "overrides": {"default_pools": [balanced["sg"]]}}
    change(edge, steering_policy="off", rules=[override], default_pools=[balanced["ru"]])
    assert served_by(edge, "au", "/testing/1") == "sg"
    assert served_by(edge, "au", "/other") == "ru"
    assert served_by(edge, "br", "/other") == "sg"
    answer = {"status_code": 503, "message_body": "closed", "content_type": "text/plain"}
    fixed = {"name": "closed", "condition": 'http.request.method eq "POST"', "fixed_response": answer}
    assert change(edge, rules=[fixed])["rules"][0]["terminates"] is True
    assert edge.curl("au", "/", "-d", "x")[::2] == (503, "closed")
    assert served_by(edge, "au") == "ru"


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ([{"name": "a", "condition": "http.nonsense eq 1"}], "rules[a].condition"),
        ([{"name": "a"}, {"name": "b"}], "the plan allows 1 rule"),
        ([{"name": "a", "overrides": {"default_pools": ["f" * 32]}}], "does not exist"),
    ],
)
def test_rules_that_cannot_be_are_refused(
    edge: Edge, balanced: dict[str, str], rules: list[dict[str, Any]], text: str
) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        change(edge, rules=rules)
    answer = json.load(refused.value)
    assert (refused.value.code, answer["errors"][0]["code"]) == (400, 1002)
    assert text in answer["errors"][0]["message"]


@pytest.mark.parametrize(
    ("mode", "status", "then"), [("none", 521, "au"), ("temporary", 200, "au"), ("sticky", 200, "sg")]
)
def test_a_session_whose_origin_dies(
    edge: Edge, balanced: dict[str, str], origins: Origins, mode: str, status: int, then: str
) -> None:
    # A monitor this slow finds nothing before the test is over.
    monitor = edge.api("GET", f"/accounts/{ACCOUNT}/load_balancers/monitors")[0]["id"]
    edge.api("PATCH", f"/accounts/{ACCOUNT}/load_balancers/monitors/{monitor}", {"interval": 3600})
    change(edge, session_affinity="cookie", session_affinity_attributes={"zero_downtime_failover": mode})

    def ask(cookie: str) -> tuple[int, str, str]:
        code, head, body = edge.curl("au", "/", *(("-b", cookie) if cookie else ()))
        found = [line.split(": ", 1)[1].split(";")[0] for line in head.splitlines() if line.startswith("set-cookie")]
        return code, body.strip(), found[0] if found else cookie

    _, body, cookie = ask("")
    assert body == "au"
    assert ask(cookie) == (200, "au", cookie)
    origins.stop("au")
    code, body, after = ask(cookie)
    assert code == status
    assert body == "sg" if status == 200 else "521" in body
    assert (after == cookie) is (mode != "sticky")
    origins.start("au")
    edge.api("PATCH", f"/accounts/{ACCOUNT}/load_balancers/monitors/{monitor}", {"interval": 2})
    wait_for(lambda: ask(after)[1] == then, 30)


def test_a_probe_that_fails_once_changes_nothing_when_three_in_a_row_are_asked(
    edge: Edge, balanced: dict[str, str], origins: Origins
) -> None:
    path = f"/accounts/{ACCOUNT}/load_balancers/monitors"
    edge.api("PATCH", f"{path}/{edge.api('GET', path)[0]['id']}", {"consecutive_down": 3, "consecutive_up": 2})
    server = origins.servers["br"]
    asked = server.probes
    server.failing = 4
    wait_for(lambda: server.probes >= asked + 8, 20)
    assert all(place["healthy"] for place in health(edge, balanced["br"]).values())
    server.ready = False
    wait_for(lambda: not any(place["healthy"] for place in health(edge, balanced["br"]).values()), 30)
