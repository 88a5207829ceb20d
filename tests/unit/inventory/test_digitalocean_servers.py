# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean's list from servers that page in other ways than the lab's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import ProviderError
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers import digitalocean
from small_servers import Answer, served, session


def droplet(number: int) -> dict[str, Any]:
    """Make a droplet with the least that there is."""
    return {
        "id": number,
        "name": f"web-{number}",
        "status": "active",
        "region": {"slug": "fra1"},
        "networks": {"v4": [{"type": "public", "ip_address": "203.0.113.9"}]},
        "tags": ["geokube-cluster:k1"],
    }


def listed(answer: Answer) -> list[int]:
    """Give the numbers of the droplets that are found."""
    values = {"api_token": "token", "regions": (), "endpoint": ""}
    with served(answer) as address:
        config = digitalocean.configure({**values, "endpoint": f"{address}/v2/"}, ("geokube-cluster", "k1"))
        return sorted(int(host.instance_id) for host in digitalocean.hosts(config, session("digitalocean")))


def pages(count: int, limit: int, *, total: bool = True, links: bool = True, empty: tuple[int, ...] = ()) -> Answer:
    """Make a server of C(count) droplets, C(limit) a page at most; C(empty) pages are put between the others."""

    def answer(path: str, query: Mapping[str, str]) -> Any:
        if path != "/v2/droplets":
            return None
        number, size = int(query["page"]), min(limit, int(query["per_page"]))
        before = sum(page < number for page in empty)
        start = (number - 1 - before) * size
        shown = [] if number in empty else [droplet(each) for each in range(start, min(count, start + size))]
        document: dict[str, Any] = {"droplets": shown}
        if total:
            document["meta"] = {"total": count}
        if links:
            more = start + len(shown) < count
            following = f"https://api.example/v2/droplets?page={number + 1}&per_page={size}"
            document["links"] = {"pages": {"next": following}} if more else {}
        return document

    return answer


@pytest.mark.parametrize("total", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize("limit", [200, 100, 20])
@pytest.mark.parametrize("count", [0, 1, 200, 450])
def test_pages(count: int, limit: int, total: bool) -> None:
    """All are found however short the pages, whatever host the links name, with a total or without."""
    assert listed(pages(count, limit, total=total)) == list(range(count))


def test_neither_total_nor_links() -> None:
    """A server that only counts pages is asked until one is not full."""
    assert listed(pages(450, 200, total=False, links=False)) == list(range(450))


@pytest.mark.parametrize("total", [True, False], ids=["counted", "not counted"])
@pytest.mark.parametrize("empty", [(1,), (2,), (2, 3)])
def test_empty_page_with_another_after_it(empty: tuple[int, ...], total: bool) -> None:
    """An empty page that names a next one is not the end."""
    assert listed(pages(450, 200, total=total, empty=empty)) == list(range(450))


def test_link_to_itself() -> None:
    """A list that never ends is an error."""

    def answer(path: str, query: Mapping[str, str]) -> Any:
        return {"droplets": [droplet(1)], "links": {"pages": {"next": f"https://api.example/v2/droplets?page={1}"}}}

    with pytest.raises(ProviderError, match="page 1 names page 1 as the next after 1 droplets"):
        listed(answer)


def test_fewer_than_counted() -> None:
    """Droplets that are counted and on no page are an error."""

    def answer(path: str, query: Mapping[str, str]) -> Any:
        return {"droplets": [droplet(1)], "meta": {"total": 2}}

    with pytest.raises(ProviderError, match="the API counts 2 and listed 1"):
        listed(answer)
