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
from urllib.parse import urlencode

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
    client = HttpClient(_explain)
    for _reading in range(READINGS):
        droplets, total = _read_all(config, session, client)
        found = {droplet["id"]: droplet for droplet in droplets}
        if len(found) == total:
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


def _read_all(
    config: DigitalOceanConfig, session: ProviderSession, client: HttpClient
) -> tuple[list[dict[str, Any]], int]:
    first, total = _page(config, session, client, 1)
    pages = range(2, -(-total // PAGE) + 1)
    rest = session.map(lambda page: _page(config, session, client, page)[0], pages) if pages else []
    return first + [droplet for page in rest for droplet in page], total


def _page(
    config: DigitalOceanConfig, session: ProviderSession, client: HttpClient, page: int
) -> tuple[list[dict[str, Any]], int]:
    query = urlencode({"per_page": PAGE, "page": page, "tag_name": config.tag})
    request = HttpRequest(
        "GET",
        f"{config.endpoint}/droplets?{query}",
        {"Authorization": f"Bearer {config.api_token}", "Accept": "application/json"},
    )
    return session.call(
        "", f"GET droplets, page {page}", lambda timeout: client.send(request, timeout, _read_page), _advise
    )


def _read_page(body: bytes) -> tuple[list[dict[str, Any]], int]:
    answer = read_json(body)
    droplets, total = answer.get("droplets"), answer.get("meta", {}).get("total")
    if not isinstance(droplets, list) or not isinstance(total, int):
        raise ValueError("it has no droplets or no meta.total")
    return droplets, total


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
