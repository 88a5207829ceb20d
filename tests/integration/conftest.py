"""The longest files first: files are what processes share the work by, and a long one at the end would run alone."""

from __future__ import annotations

import pytest

LONGEST = (
    "test_service_image",
    "test_role",
    "test_inventory_faults",
    "test_dockerfile",
    "test_fault_table",
    "test_inventory_binary",
    "test_inventory_whole",
    "test_inventory_auth",
    "test_kubespray_role_sources",
    "test_traffic_role",
    "test_route53_role",
    "test_guards",
    "test_examples",
    "test_inventory_cache",
    "test_clouds_faults",
    "test_stand_in",
    "test_open_road",
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Sort by file, the order within a file kept."""
    order = {name: place for place, name in enumerate(LONGEST)}
    items.sort(key=lambda item: order.get(item.path.stem, len(order)))
