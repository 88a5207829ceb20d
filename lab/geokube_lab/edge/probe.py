# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One health monitor request to one origin."""

from __future__ import annotations

import asyncio
import socket
import time
from dataclasses import dataclass

import aiohttp

from geokube_lab.edge.netns import inside
from geokube_lab.edge.store import Record
from geokube_lab.edge.upstream import OriginError, Upstream

BODY_LIMIT = 10 * 1024
AGENT = "Mozilla/5.0 (compatible; Cloudflare-Traffic-Manager/1.0; pool-id: {pool})"


@dataclass(frozen=True)
class Outcome:
    """How a probe ended; `failure` None means well. Round trip in milliseconds."""

    failure: str | None
    code: int = 0
    rtt_ms: float = 0.0


async def probe(
    upstream: Upstream, pool: str, origin: Record, monitor: Record, session: aiohttp.ClientSession | None = None
) -> Outcome:
    """Ask the origin until it answers within the timeout; only a timeout or lost connection is tried again."""
    outcome = Outcome("not tried")
    for _ in range(monitor["retries"] + 1):
        started = time.monotonic()
        try:
            async with asyncio.timeout(monitor["timeout"]):
                if monitor["type"] in ("http", "https"):
                    outcome = await _http(upstream, pool, origin, monitor, session or upstream.fresh)
                elif monitor["type"] == "tcp":
                    outcome = await _tcp(upstream, origin, monitor)
                else:
                    return Outcome(f"{monitor['type']} probes are not emulated")
        except TimeoutError:
            outcome = Outcome("TCP connection or HTTP response timeout")
            continue
        except (OriginError, OSError) as error:
            outcome = Outcome(f"{error}")
            continue
        return Outcome(outcome.failure, outcome.code, (time.monotonic() - started) * 1000)
    return outcome


async def _http(
    upstream: Upstream, pool: str, origin: Record, monitor: Record, session: aiohttp.ClientSession
) -> Outcome:
    headers = {name: values[0] for name, values in monitor["header"].items() if values}
    headers.update({name: values[0] for name, values in origin.get("header", {}).items() if values})
    headers.setdefault("User-Agent", AGENT.format(pool=pool))
    port = monitor["port"] or origin["port"] or (443 if monitor["type"] == "https" else 80)
    url = f"{monitor['type']}://{origin['address']}:{port}{monitor['path']}"
    name = str(headers.get("Host", origin["address"])).split(":")[0]
    response = await upstream.request(
        session,
        monitor["method"],
        url,
        verify=not monitor["allow_insecure"],
        # Only a probe that is sent as the zone's own request is authenticated as such.
        pulling=monitor["probe_zone"] == upstream.zone,
        name=name,
        headers=headers,
    )
    async with response:
        body = await response.content.read(BODY_LIMIT)
        if response.content.at_eof():
            response.release()
    if not code_expected(response.status, monitor["expected_codes"]):
        return Outcome(f"Response code mismatch: {response.status}", response.status)
    if monitor["expected_body"].lower() not in body.decode(errors="replace").lower():
        return Outcome("Response body mismatch", response.status)
    return Outcome(None, response.status)


async def _tcp(upstream: Upstream, origin: Record, monitor: Record) -> Outcome:
    loop = asyncio.get_running_loop()
    with inside(upstream.place.namespace):
        connection = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with connection:
        connection.setblocking(False)
        await loop.sock_connect(connection, (origin["address"], monitor["port"]))
    return Outcome(None)


def code_expected(status: int, expected: str) -> bool:
    """Whether a status fits a list such as "200,3xx"."""
    for pattern in expected.split(","):
        text = pattern.strip().lower()
        if text == str(status) or (text.endswith("xx") and text[:-2] == str(status)[:-2]):
            return True
    return False
