# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks that Cloudflare calls origins from, as it publishes them: asked for, and checked before use."""

from __future__ import annotations

import ipaddress
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .http_client import HttpClient, HttpFault, HttpRequest, read_json
from .provider_errors import AttemptFailed

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Larger networks than these are nobody's edge: Cloudflare's largest are a /12 and a /29.
LARGEST = {4: 8, 6: 19}
# Cloudflare's have 1.5 million addresses of IPv4 in all.
MOST_ADDRESSES = 1 << 26
# Seconds between tries.
PAUSES = (1.0, 2.0)


class RangesError(ValueError):
    """What was published cannot be the edge's networks. The text says what was wrong and what to do."""


class FetchError(Exception):
    """The networks cannot be had now. The text says why."""


@dataclass(frozen=True)
class Ranges:
    """Networks of both families, in order, and the tag by which the publisher knows their version."""

    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    etag: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give what is kept in the state folder."""
        return {"version": 1, "etag": self.etag, "ipv4": list(self.ipv4), "ipv6": list(self.ipv6)}


def fetch(base_url: str, timeout: float, sleep: Callable[[float], None] = time.sleep) -> dict[str, Any]:
    """Ask C(base_url)/ips, which needs no token, and give its result; C(timeout) is seconds for each of three tries.

    Raises FetchError when there is no usable answer, RangesError for an address that must not be asked.
    """
    parts = urlsplit(base_url)
    if parts.scheme != "https" and parts.hostname not in LOOPBACK:
        raise RangesError(f"base_url {base_url!r} could be answered by anybody on the way: use https")
    client, request = HttpClient(_explain), HttpRequest("GET", base_url.rstrip("/") + "/ips")
    pauses = iter(PAUSES)
    while True:
        try:
            return client.send(request, timeout, _result)
        except AttemptFailed as error:
            pause = next(pauses, None)
            if pause is None or not error.retry:
                status = f"HTTP {error.status}: " if error.status else ""
                raise FetchError(f"GET {request.url}: {status}{error}") from error
            sleep(min(error.retry_after or pause, 10.0))


def read(result: dict[str, Any], minimum: int) -> Ranges:
    """Check what was published; C(minimum) is how many networks there must be in all. Raises RangesError."""
    found: dict[int, list[str]] = {}
    for version, name in ((4, "ipv4_cidrs"), (6, "ipv6_cidrs")):
        given = result.get(name)
        if not isinstance(given, list):
            raise RangesError(f"{name} is no list in the answer")
        networks = sorted({_network(name, version, one) for one in given})
        addresses = sum(one.num_addresses for one in networks)
        if version == 4 and addresses > MOST_ADDRESSES:
            raise RangesError(f"{name} holds {addresses} addresses, far more than an edge has")
        found[version] = [str(one) for one in networks]
    count = sum(map(len, found.values()))
    if count < max(minimum, 1):
        raise RangesError(f"only {count} networks, and {max(minimum, 1)} are expected at least (minimum)")
    return Ranges(tuple(found[4]), tuple(found[6]), str(result.get("etag") or ""))


def _network(name: str, version: int, text: object) -> Any:
    try:
        network = ipaddress.ip_network(str(text))
    except ValueError as error:
        raise RangesError(f"{name} holds {text!r}: {error}") from error
    if network.version != version:
        raise RangesError(f"{name} holds {text!r}, which is of the other family")
    if network.prefixlen < LARGEST[version]:
        raise RangesError(f"{name} holds {network}, which would let in far more than an edge")
    if network.is_loopback or network.is_multicast or network.is_link_local or network.is_unspecified:
        raise RangesError(f"{name} holds {network}, from which no edge can call")
    return network


def _result(body: bytes) -> dict[str, Any]:
    answer = read_json(body)
    result = answer.get("result")
    if not answer.get("success") or not isinstance(result, dict):
        raise ValueError("it holds no result")
    return result


def _explain(status: int, body: bytes) -> HttpFault:
    try:
        errors: Sequence[Any] = json.loads(body)["errors"]
        return HttpFault("; ".join(str(one["message"]) for one in errors))
    except (ValueError, KeyError, TypeError):
        return HttpFault("")
