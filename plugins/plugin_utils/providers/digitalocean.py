# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean's droplets.

The pages after the first are fetched at the same time and counted against C(meta.total). The client library
python-digitalocean has no time limit and gives a shortened list when a later page fails, so it is not used.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host, merge_tags
from ansible_collections.meridian.geokube.plugins.plugin_utils.http_client import (
    HttpClient,
    HttpFault,
    HttpRequest,
    read_json,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import Option, OptionError
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_session import ProviderSession

NAME = "digitalocean"
#: Whether each region is a request of its own; else one list holds all regions.
ASKED_BY_REGION = False
#: Droplets on a page, the API's limit.
PAGE = 200
#: How often the whole list is read when droplets come and go meanwhile.
READINGS = 2

OPTIONS = (
    Option("api_token", environment=("DIGITALOCEAN_ACCESS_TOKEN", "DIGITALOCEAN_TOKEN", "DO_API_TOKEN"), secret=True),
    Option("regions", "list"),
    Option("endpoint", environment=("DIGITALOCEAN_END_POINT",)),
)


@dataclass(frozen=True)
class DigitalOceanConfig:
    """Where the droplets are listed and as whom; C(tag) is the whole tag that the cluster's droplets carry."""

    api_token: str
    tag: str
    regions: tuple[str, ...] = ()
    endpoint: str = "https://api.digitalocean.com/v2"


def configure(values: Mapping[str, Any], label: tuple[str, str]) -> DigitalOceanConfig:
    """Build the configuration from the options' values; C(label) is the cluster's label and its value."""
    if not values["api_token"]:
        raise OptionError("providers.digitalocean.api_token is not set; set it, or DIGITALOCEAN_ACCESS_TOKEN")
    return DigitalOceanConfig(
        api_token=values["api_token"],
        tag=":".join(label),
        regions=values["regions"],
        endpoint=(values["endpoint"] or DigitalOceanConfig.endpoint).rstrip("/"),
    )


def load() -> None:
    """Import what this provider needs."""
    import urllib3  # noqa: F401


def identity(config: DigitalOceanConfig) -> str:
    """Say what else than the configuration tells who is asking: nothing."""
    return ""


def hosts(config: DigitalOceanConfig, session: ProviderSession) -> list[Host]:
    """List the cluster's droplets; raises ProviderError when the list is not complete."""
    reader = _Reader(config, session)
    for _reading in range(READINGS):
        found, total = reader.read()
        if total is None or len(found) == total:
            break
    else:
        raise session.error(
            "",
            f"droplets: the API counts {total} and listed {len(found)}",
            "Run again; if it stays so, a page of the list is lost: report it to DigitalOcean.",
        )
    return [
        _host(droplet)
        for droplet in found.values()
        if not config.regions or droplet["region"]["slug"] in config.regions
    ]


@dataclass(frozen=True)
class _Page:
    """One page. C(total) counts all droplets, C(following) is the next page's number; None where there is none."""

    droplets: list[dict[str, Any]]
    total: int | None
    following: int | None


class _Reader:
    """Reads the list, its pages at the same time where their number is known."""

    def __init__(self, config: DigitalOceanConfig, session: ProviderSession) -> None:
        self._config = config
        self._session = session
        self._client = HttpClient(_explain)

    def read(self) -> tuple[dict[Any, dict[str, Any]], int | None]:
        """Read every page once; give the droplets by identifier and how many the API counts."""
        first = last = self._page(1)
        found = {droplet["id"]: droplet for droplet in first.droplets}
        number = 1
        if first.total is not None and first.total > len(found):
            # A server may keep its pages shorter than it was asked for.
            size = len(first.droplets) if first.following and first.droplets else PAGE
            numbers = range(2, -(-first.total // size) + 1)
            pages = self._session.map(self._page, numbers) if numbers else []
            found.update((droplet["id"], droplet) for page in pages for droplet in page.droplets)
            number, last = (numbers[-1], pages[-1]) if pages else (number, last)
        while last.following is not None and (first.total is None or len(found) < first.total):
            if last.following <= number:
                raise self._session.error(
                    "",
                    f"GET droplets: page {number} names page {last.following} as the next after {len(found)} droplets",
                    "Run again; if it stays so, the list cannot be read: see https://status.digitalocean.com.",
                )
            number = last.following
            last = self._page(number)
            found.update((droplet["id"], droplet) for droplet in last.droplets)
        return found, first.total

    def _page(self, number: int) -> _Page:
        query = urlencode({"per_page": PAGE, "page": number, "tag_name": self._config.tag})
        # The host in links.pages.next is the API's own, which need not be the one that is asked; the number counts.
        request = HttpRequest(
            "GET",
            f"{self._config.endpoint}/droplets?{query}",
            {"Authorization": f"Bearer {self._config.api_token}", "Accept": "application/json"},
        )
        return self._session.call(
            "",
            f"GET droplets, page {number}",
            lambda timeout: self._client.send(request, timeout, lambda body: _read_page(body, number)),
            _advise,
        )


def _read_page(body: bytes, number: int) -> _Page:
    answer = read_json(body)
    droplets = answer.get("droplets")
    if not isinstance(droplets, list):
        raise ValueError("it has no droplets")
    total = (answer.get("meta") or {}).get("total")
    url = ((answer.get("links") or {}).get("pages") or {}).get("next")
    following = None
    if url:
        following = int(parse_qs(urlsplit(url).query).get("page", [str(number + 1)])[0])
    elif total is None and "links" not in answer and len(droplets) >= PAGE:
        # Neither a count nor links: a page that is full may have one after it.
        following = number + 1
    return _Page(droplets, total if isinstance(total, int) else None, following)


def _host(droplet: Mapping[str, Any]) -> Host:
    networks = droplet.get("networks") or {}
    region = droplet["region"]["slug"]
    return Host(
        provider=NAME,
        account="",
        instance_id=str(droplet["id"]),
        name=str(droplet.get("name") or ""),
        cloud_region=region,
        zone=region,
        running=droplet.get("status") == "active",
        state=str(droplet.get("status") or ""),
        machine_type=str(droplet.get("size_slug") or ""),
        created=str(droplet.get("created_at") or ""),
        public_ip=_address(networks, "public"),
        private_ip=_address(networks, "private"),
        labels=merge_tags(droplet.get("tags") or []),
    )


def _address(networks: Mapping[str, Sequence[Mapping[str, Any]]], kind: str) -> str:
    """Give the first address of C(kind), IPv4 before IPv6."""
    for version in ("v4", "v6"):
        for network in networks.get(version) or ():
            if network.get("type") == kind:
                return str(ipaddress.ip_address(str(network["ip_address"])))
    return ""


def _explain(status: int, body: bytes) -> HttpFault:
    try:
        answer = json.loads(body)
        return HttpFault(f"{answer['id']}: {answer['message']}")
    except (ValueError, KeyError, TypeError):
        return HttpFault("")


def _advise(status: int | None) -> str:
    if status == 401:
        return "Give a valid token in providers.digitalocean.api_token or DIGITALOCEAN_ACCESS_TOKEN."
    if status == 403:
        return "Give the token the scopes droplet:read and tag:read."
    if status == 404:
        return "Check providers.digitalocean.endpoint; it ends in /v2."
    if status == 429:
        return "Wait for the hourly limit of the token to renew, or use a token of its own."
    if status is None:
        return "Check the network and providers.digitalocean.endpoint, or raise timeout."
    return "Run again; if it stays so, see https://status.digitalocean.com."
