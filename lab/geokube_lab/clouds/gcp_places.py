# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compute Engine's regions and zones."""

from __future__ import annotations

REGIONS = (
    "africa-south1",
    "asia-east1",
    "asia-east2",
    "asia-northeast1",
    "asia-northeast2",
    "asia-northeast3",
    "asia-south1",
    "asia-south2",
    "asia-southeast1",
    "asia-southeast2",
    "australia-southeast1",
    "australia-southeast2",
    "europe-central2",
    "europe-north1",
    "europe-north2",
    "europe-southwest1",
    "europe-west1",
    "europe-west2",
    "europe-west3",
    "europe-west4",
    "europe-west6",
    "europe-west8",
    "europe-west9",
    "europe-west10",
    "europe-west12",
    "me-central1",
    "me-central2",
    "me-west1",
    "northamerica-northeast1",
    "northamerica-northeast2",
    "northamerica-south1",
    "southamerica-east1",
    "southamerica-west1",
    "us-central1",
    "us-east1",
    "us-east4",
    "us-east5",
    "us-south1",
    "us-west1",
    "us-west2",
    "us-west3",
    "us-west4",
)
_LETTERS = {"us-central1": "abcf", "us-east1": "bcd", "europe-west1": "bcd"}
ZONES: dict[str, str] = {f"{region}-{letter}": region for region in REGIONS for letter in _LETTERS.get(region, "abc")}


def zone_document(base: str, zone: str, number: int) -> dict[str, object]:
    """A zone as the API shows it; ``base`` is the project's URL."""
    return {
        "kind": "compute#zone",
        "id": str(2000 + number),
        "creationTimestamp": "1969-12-31T16:00:00.000-08:00",
        "name": zone,
        "description": zone,
        "status": "UP",
        "region": f"{base}/regions/{ZONES[zone]}",
        "selfLink": f"{base}/zones/{zone}",
        "supportsPzs": False,
    }


def region_document(base: str, region: str, number: int) -> dict[str, object]:
    """A region as the API shows it."""
    return {
        "kind": "compute#region",
        "id": str(1000 + number),
        "creationTimestamp": "1969-12-31T16:00:00.000-08:00",
        "name": region,
        "description": region,
        "status": "UP",
        "zones": [f"{base}/zones/{zone}" for zone, its_region in ZONES.items() if its_region == region],
        "selfLink": f"{base}/regions/{region}",
        "supportsPzs": False,
    }
