# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A geo-steered balancer over four origins, made by the official SDK."""

from __future__ import annotations

from typing import Any

import cloudflare
import pytest
from cloudflare_harness import ACCOUNT, REGION_ORDER, TOKEN, ZONE, Edge, Origins, wait_for


@pytest.fixture
def client(edge: Edge) -> cloudflare.Cloudflare:
    return cloudflare.Cloudflare(api_token=TOKEN, base_url=edge.url, max_retries=0)


@pytest.fixture
def balanced(client: cloudflare.Cloudflare, edge: Edge, origins: Origins) -> dict[str, str]:
    """Monitor, four pools and a geo-steered balancer; gives the pools' ids by region."""
    monitor = client.load_balancers.monitors.create(
        account_id=ACCOUNT,
        type="https",
        path="/readyz",
        interval=2,
        retries=0,
        allow_insecure=True,
        header={"Host": ["style.geokube.test"]},
        extra_body={"timeout": 1},
    )
    pools: dict[str, str] = {}
    for region, address in Origins.addresses.items():
        pool = client.load_balancers.pools.create(
            account_id=ACCOUNT,
            name=f"test-{region}",
            monitor=str(monitor.id),
            origins=[{"name": f"{region}-1", "address": address, "port": origins.port}],
        )
        pools[region] = str(pool.id)
    client.load_balancers.create(
        zone_id=ZONE,
        name="style.geokube.test",
        default_pools=[pools["ru"], pools["sg"]],
        fallback_pool=pools["ru"],
        proxied=True,
        steering_policy="geo",
        region_pools={code: [pools[region] for region in order] for code, order in REGION_ORDER.items()},
        adaptive_routing={"failover_across_pools": True},
    )
    wait_for(lambda: all(len(health(edge, pool)) == 4 for pool in pools.values()), 10)
    return pools


def health(edge: Edge, pool: str) -> dict[str, Any]:
    result: dict[str, Any] = edge.api("GET", f"/accounts/{ACCOUNT}/load_balancers/pools/{pool}/health")["pop_health"]
    return result


def served_by(edge: Edge, place: str, path: str = "/") -> str:
    status, head, body = edge.curl(place, path)
    assert status == 200, (status, head, body)
    return body


def change(edge: Edge, **fields: Any) -> dict[str, Any]:
    """PATCH the one balancer; give it as it is then."""
    balancer = edge.api("GET", f"/zones/{ZONE}/load_balancers")[0]
    changed: dict[str, Any] = edge.api("PATCH", f"/zones/{ZONE}/load_balancers/{balancer['id']}", fields)
    return changed
