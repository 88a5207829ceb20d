# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's edge, driven by the official SDK and asked by curl: steering, probes, failover, proxying."""

from __future__ import annotations

import hashlib
import json
import socket
import time
from pathlib import Path

import pytest
from cloudflare_harness import ACCOUNT, ZONE, Edge, Origins, wait_for
from edge_balancer import health, served_by


def test_each_place_serves_its_own_region(edge: Edge, balanced: dict[str, str]) -> None:
    for place, code in {"ru": "dme", "sg": "sin", "au": "syd", "br": "gru"}.items():
        status, head, body = edge.curl(place, "/")
        assert (status, body) == (200, place)
        assert f"-{code}\n" in head + "\n"
        assert "cf-cache-status: dynamic" in head


def test_origin_sees_the_user(edge: Edge, balanced: dict[str, str], origins: Origins) -> None:
    edge.curl("au", "/who?x=%2F", "-H", "X-Forwarded-For: 192.0.2.1", "-A", "tester")
    path, headers = origins.servers["au"].seen[-1]
    assert path == "/who?x=%2F"
    assert headers["x-forwarded-for"] == "192.0.2.1, 127.0.0.1"
    assert headers["cf-connecting-ip"] == "127.0.0.1"
    assert headers["cf-ipcountry"] == "AU"
    assert headers["host"] == "style.geokube.test"
    assert headers["user-agent"] == "tester"


def test_dead_origin_is_covered_at_once_and_found_by_probes(
    edge: Edge, balanced: dict[str, str], origins: Origins
) -> None:
    origins.stop("au")
    assert served_by(edge, "au") == "sg"
    wait_for(lambda: not edge.api("GET", f"/accounts/{ACCOUNT}/load_balancers/pools/{balanced['au']}")["healthy"], 8)
    assert "Web server is down" in json.dumps(health(edge, balanced["au"]))
    origins.stop("sg")
    assert served_by(edge, "au") == "br"
    origins.start("au")
    wait_for(lambda: served_by(edge, "au") == "au", 10)


def test_origin_that_is_not_ready_gets_no_users(edge: Edge, balanced: dict[str, str], origins: Origins) -> None:
    origins.servers["br"].ready = False
    wait_for(lambda: served_by(edge, "br") == "ru", 8)
    assert "Response code mismatch" in json.dumps(health(edge, balanced["br"]))


def test_without_failover_across_pools_the_user_sees_521(
    edge: Edge, balanced: dict[str, str], origins: Origins
) -> None:
    balancer = edge.api("GET", f"/zones/{ZONE}/load_balancers")[0]
    edge.api("PATCH", f"/zones/{ZONE}/load_balancers/{balancer['id']}", {"adaptive_routing": None})
    origins.stop("au")
    status, _, body = edge.curl("au", "/")
    assert (status, body.strip()) == (521, "error code: 521 Web server is down")


@pytest.mark.parametrize("size", [0, 100_000, 20_000_000])
def test_bodies_pass_unchanged_and_survive_a_retry(
    edge: Edge, balanced: dict[str, str], origins: Origins, tmp_path: Path, size: int
) -> None:
    photo = tmp_path / "photo"
    photo.write_bytes(bytes(index % 251 for index in range(1000)) * (size // 1000))
    back = tmp_path / "back"
    origins.stop("au")
    status, _, _ = edge.curl("au", "/echo", "--data-binary", f"@{photo}", "-o", str(back))
    assert status == 200
    assert hashlib.sha256(back.read_bytes()).digest() == hashlib.sha256(photo.read_bytes()).digest()


def test_too_large_a_body_is_refused(edge: Edge, balanced: dict[str, str]) -> None:
    status, _, _ = edge.curl("au", "/echo", "-X", "POST", "-H", f"Content-Length: {200 * 1024 * 1024}")
    assert status == 413


def test_strict_mode_refuses_an_unknown_certificate(edge: Edge, balanced: dict[str, str]) -> None:
    edge.api("PATCH", f"/zones/{ZONE}/settings/ssl", {"value": "strict"})
    try:
        status, _, _ = edge.curl("au", "/")
    finally:
        edge.api("PATCH", f"/zones/{ZONE}/settings/ssl", {"value": "full"})
    assert status == 526


def test_unknown_name_is_no_site(edge: Edge, balanced: dict[str, str]) -> None:
    assert edge.curl("au", "/", host="other.geokube.test")[0] == 409


def test_state_survives_a_restart(edge: Edge, balanced: dict[str, str]) -> None:
    edge.stop()
    edge.start()
    assert served_by(edge, "br") == "br"
    assert len(edge.api("GET", f"/accounts/{ACCOUNT}/load_balancers/pools")) == 4


def test_an_origin_that_accepts_and_says_nothing_is_left_quickly(
    edge: Edge, balanced: dict[str, str], origins: Origins
) -> None:
    origins.stop("au")
    with socket.create_server((Origins.addresses["au"], origins.port)) as silent:
        started = time.monotonic()
        assert served_by(edge, "au") == "sg"
        assert time.monotonic() - started < 5
        # Known from then on, so that the next user does not wait.
        started = time.monotonic()
        assert served_by(edge, "au") == "sg"
        assert time.monotonic() - started < 1
        wait_for(lambda: not pool_healthy(edge, balanced["au"]), 20)
        assert silent.fileno() > 0


def pool_healthy(edge: Edge, pool: str) -> bool:
    return bool(edge.api("GET", f"/accounts/{ACCOUNT}/load_balancers/pools/{pool}")["healthy"])
