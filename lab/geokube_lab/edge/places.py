# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edge's points of presence: where they are for Cloudflare, and where they listen here."""

from __future__ import annotations

from dataclasses import dataclass

from geokube_lab import seas
from geokube_lab.errors import LabError
from geokube_lab.topology import Topology, load

REGIONS = ("WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME", "NAF", "SAF", "SAS", "SEAS", "NEAS")
# Of each cloud region: the airport that names Cloudflare's place, its region code, the country.
PLACES = {
    "ru-central1": ("DME", "EEU", "RU"),
    "sgp1": ("SIN", "SEAS", "SG"),
    "ap-southeast-2": ("SYD", "OC", "AU"),
    "southamerica-east1": ("GRU", "SSAM", "BR"),
    "eu-central-1": ("FRA", "WEU", "DE"),
    "fra1": ("FRA", "WEU", "DE"),
    "europe-west3": ("FRA", "WEU", "DE"),
    "us-east-1": ("IAD", "ENAM", "US"),
    "nyc3": ("EWR", "ENAM", "US"),
    "us-west-2": ("PDX", "WNAM", "US"),
    "asia-northeast1": ("NRT", "NEAS", "JP"),
    "ap-south-1": ("BOM", "SAS", "IN"),
}


@dataclass(frozen=True)
class Place:
    """A point of presence. Coordinates in degrees; `namespace` None means the process's own network."""

    name: str
    city: str
    code: str
    region: str
    country: str
    latitude: float
    longitude: float
    namespace: str | None
    address: str
    https_port: int
    http_port: int

    @property
    def label(self) -> str:
        """The place as the health answers name it."""
        return f"{self.city}, {self.country}"


def is_down(place: Place) -> bool:
    """Whether the lab has withdrawn this place: it neither answers nor probes. One outside the lab is never down."""
    if place.namespace is None:
        return False
    try:
        return place.name in seas.current().withdrawn
    except LabError:
        return False


def from_topology(addresses: dict[str, str] | None = None, topology: Topology | None = None) -> tuple[Place, ...]:
    """Give one place a region, inside the regions' namespaces.

    With `addresses` (region to ADDRESS[:HTTPS_PORT[:HTTP_PORT]]) only those regions, in the process's own network.
    """
    world = topology or load()
    wanted = addresses or {name: str(world.anycast["edge"]) for name in world.regions}
    places = []
    for name, listen in wanted.items():
        region = world.region(name)
        if region.cloud_region not in PLACES:
            raise LabError(f"region {name}: no point of presence is known near {region.cloud_region}: add it to PLACES")
        code, cloudflare_region, country = PLACES[region.cloud_region]
        address, *ports = listen.split(":")
        places.append(
            Place(
                name=name,
                city=region.city,
                code=code,
                region=cloudflare_region,
                country=country,
                latitude=region.latitude,
                longitude=region.longitude,
                namespace=None if addresses else f"geokube-pop-{name}",
                address=address,
                https_port=int(ports[0]) if ports else 443,
                http_port=int(ports[1]) if len(ports) > 1 else 80,
            )
        )
    return tuple(places)
