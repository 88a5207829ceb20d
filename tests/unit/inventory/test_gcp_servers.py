# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute Engine's list from servers that know less of the API than the lab's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_errors import ProviderError
from ansible_collections.meridian.geokube.plugins.plugin_utils.providers import gcp
from small_servers import Answer, served, session

LABEL = ("geokube-cluster", "k1")


def instance(number: int, **more: Any) -> dict[str, Any]:
    """Make an instance with the least that there is: no zone, no address."""
    return {"id": str(number), "name": f"web-{number}", "status": "RUNNING", "labels": {LABEL[0]: LABEL[1]}, **more}


def listed(answer: Answer, endpoint: str = "", label: tuple[str, str] = LABEL) -> list[Any]:
    """Give the machines that are found."""
    values = dict.fromkeys(("auth_kind", "service_account_file", "service_account_contents"), "")
    given = {**values, "service_account_email": "", "access_token": "token", "projects": ("p1",), "regions": ()}
    with served(answer) as address:
        config = gcp.configure({**given, "endpoint": address + endpoint}, label)
        return gcp.hosts(config, session("gcp"))


@pytest.mark.parametrize("endpoint", ["", "/", "/compute/v1", "/compute/v1/"])
def test_bare(endpoint: str) -> None:
    """An endpoint with the API's path or without; the zone is the scope's where the instance names none."""

    def answer(path: str, query: Mapping[str, str]) -> Any:
        assert path == "/compute/v1/projects/p1/aggregated/instances"
        return {"items": {"zones/us-central1-a": {"instances": [instance(1)]}, "zones/us-central1-b": {}}}

    (host,) = listed(answer, endpoint)
    assert (host.zone, host.cloud_region, host.public_ip) == ("us-central1-a", "us-central1", "")


def test_nothing() -> None:
    """A project without machines may answer without items."""
    assert listed(lambda path, query: {"kind": "compute#instanceAggregatedList"}) == []


def test_scopes_over_pages() -> None:
    """A zone may go on on the next page, and pages may have zones without machines only."""
    pages: dict[str, Any] = {
        "": {"items": {"zones/a-b-c": {"instances": [instance(1)]}}, "nextPageToken": "two"},
        "two": {
            "items": {"zones/a-b-d": {"warning": {"code": "NO_RESULTS_ON_PAGE", "message": "-"}}},
            "nextPageToken": "three",
        },
        "three": {"items": {"zones/a-b-c": {"instances": [instance(2)]}}},
    }
    assert [host.name for host in listed(lambda path, query: pages[query.get("pageToken", "")])] == ["web-1", "web-2"]


@pytest.mark.parametrize(
    ("label", "wanted"),
    [
        (LABEL, "labels.geokube-cluster=k1"),
        (("geokube-cluster", "1"), 'labels.geokube-cluster="1"'),
        (("geokube-cluster", "true"), 'labels.geokube-cluster="true"'),
        (("Geokube", "k1"), None),
    ],
)
def test_filter(label: tuple[str, str], wanted: str | None) -> None:
    """The filter is written as plainly as the value allows, and not at all for a label that cannot be."""
    asked: list[str | None] = []

    def answer(path: str, query: Mapping[str, str]) -> Any:
        asked.append(query.get("filter"))
        return {}

    listed(answer, label=label)
    assert asked == [wanted]


@pytest.mark.parametrize(
    "document",
    [
        {"unreachables": ["projects/p1/zones/us-central1-b"]},
        {"unreachables": ["zones/us-central1-b"], "items": {}},
        {"items": {"zones/us-central1-b": {"warning": {"code": "UNREACHABLE", "message": "away"}}}},
        {"items": {"zones/us-central1-b": {"warning": {"code": "UNREACHABLE"}, "instances": [instance(1)]}}},
    ],
)
def test_unreachable(document: dict[str, Any]) -> None:
    """Either way of saying that a zone is away is an error that names it."""
    with pytest.raises(ProviderError, match=r"gcp, project p1, us-central1-b: GET aggregated instances: "):
        listed(lambda path, query: document)


def test_warning_of_the_whole() -> None:
    """A warning about the whole list, too."""
    with pytest.raises(ProviderError, match="the whole project: GET aggregated instances: PARTIAL_SUCCESS: some"):
        listed(lambda path, query: {"warning": {"code": "PARTIAL_SUCCESS", "message": "some are away"}})
