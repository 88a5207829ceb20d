# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where every region of the four clouds is, and what Cloudflare and Route53 call that place.

The city is the one the provider names, else the nearest large one; latitude and longitude are that city's, degrees.
Cloudflare's region is the one whose load balancer serves the city's country.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

EARTH_RADIUS_KM = 6371.0


@dataclass(frozen=True)
class CloudRegion:
    """One region of one cloud; C(route53_region) is the nearest that latency records can name."""

    provider: str
    name: str
    city: str
    country: str
    latitude: float
    longitude: float
    cloudflare_region: str

    @property
    def route53_region(self) -> str:
        """The nearest AWS region by great circle, among those of the partition that Route53 serves everywhere."""
        if self.provider == "aws" and self.name in _ROUTE53_REGIONS:
            return self.name
        return min(_ROUTE53_REGIONS, key=lambda name: distance_km(self, _BY_KEY["aws", name]))

    def record(self) -> dict[str, Any]:
        """Give the region as plain values."""
        return {**asdict(self), "route53_region": self.route53_region}


def find_region(provider: str, name: str) -> CloudRegion | None:
    """Give a region of a cloud, None when the catalogue does not have it."""
    return _BY_KEY.get((provider, name))


def regions(provider: str | None = None) -> list[CloudRegion]:
    """Give every region, or those of one cloud, in the order of the catalogue."""
    return [region for region in _BY_KEY.values() if provider in {None, region.provider}]


def distance_km(one: CloudRegion, other: CloudRegion) -> float:
    """Give the great-circle distance, km."""
    latitude, longitude = math.radians(one.latitude), math.radians(one.longitude)
    other_latitude, other_longitude = math.radians(other.latitude), math.radians(other.longitude)
    half = (
        math.sin((other_latitude - latitude) / 2) ** 2
        + math.cos(latitude) * math.cos(other_latitude) * math.sin((other_longitude - longitude) / 2) ** 2
    )
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(half))


#: provider | region | city | country (ISO 3166) | latitude | longitude | Cloudflare region
_TABLE = """
aws | us-east-1 | Ashburn | US | 39.04 | -77.49 | ENAM
aws | us-east-2 | Columbus | US | 39.96 | -83.00 | ENAM
aws | us-west-1 | San Francisco | US | 37.77 | -122.42 | WNAM
aws | us-west-2 | Boardman | US | 45.84 | -119.70 | WNAM
aws | ca-central-1 | Montreal | CA | 45.50 | -73.57 | ENAM
aws | ca-west-1 | Calgary | CA | 51.05 | -114.07 | WNAM
aws | mx-central-1 | Queretaro | MX | 20.59 | -100.39 | NSAM
aws | sa-east-1 | Sao Paulo | BR | -23.55 | -46.63 | SSAM
aws | eu-west-1 | Dublin | IE | 53.35 | -6.26 | WEU
aws | eu-west-2 | London | GB | 51.51 | -0.13 | WEU
aws | eu-west-3 | Paris | FR | 48.86 | 2.35 | WEU
aws | eu-central-1 | Frankfurt | DE | 50.11 | 8.68 | WEU
aws | eu-central-2 | Zurich | CH | 47.37 | 8.54 | WEU
aws | eu-north-1 | Stockholm | SE | 59.33 | 18.07 | WEU
aws | eu-south-1 | Milan | IT | 45.46 | 9.19 | WEU
aws | eu-south-2 | Zaragoza | ES | 41.65 | -0.89 | WEU
aws | eusc-de-east-1 | Potsdam | DE | 52.39 | 13.06 | WEU
aws | af-south-1 | Cape Town | ZA | -33.92 | 18.42 | SAF
aws | il-central-1 | Tel Aviv | IL | 32.09 | 34.78 | ME
aws | me-south-1 | Manama | BH | 26.23 | 50.59 | ME
aws | me-central-1 | Dubai | AE | 25.20 | 55.27 | ME
aws | ap-south-1 | Mumbai | IN | 19.08 | 72.88 | SAS
aws | ap-south-2 | Hyderabad | IN | 17.38 | 78.49 | SAS
aws | ap-southeast-1 | Singapore | SG | 1.35 | 103.82 | SEAS
aws | ap-southeast-2 | Sydney | AU | -33.87 | 151.21 | OC
aws | ap-southeast-3 | Jakarta | ID | -6.21 | 106.85 | SEAS
aws | ap-southeast-4 | Melbourne | AU | -37.81 | 144.96 | OC
aws | ap-southeast-5 | Kuala Lumpur | MY | 3.14 | 101.69 | SEAS
aws | ap-southeast-6 | Auckland | NZ | -36.85 | 174.76 | OC
aws | ap-southeast-7 | Bangkok | TH | 13.76 | 100.50 | SEAS
aws | ap-northeast-1 | Tokyo | JP | 35.68 | 139.69 | NEAS
aws | ap-northeast-2 | Seoul | KR | 37.57 | 126.98 | NEAS
aws | ap-northeast-3 | Osaka | JP | 34.69 | 135.50 | NEAS
aws | ap-east-1 | Hong Kong | HK | 22.32 | 114.17 | NEAS
aws | ap-east-2 | Taipei | TW | 25.03 | 121.57 | NEAS
aws | cn-north-1 | Beijing | CN | 39.90 | 116.41 | NEAS
aws | cn-northwest-1 | Zhongwei | CN | 37.51 | 105.19 | NEAS
aws | us-gov-east-1 | Columbus | US | 39.96 | -83.00 | ENAM
aws | us-gov-west-1 | Boardman | US | 45.84 | -119.70 | WNAM
gcp | africa-south1 | Johannesburg | ZA | -26.20 | 28.05 | SAF
gcp | asia-east1 | Changhua | TW | 24.08 | 120.54 | NEAS
gcp | asia-east2 | Hong Kong | HK | 22.32 | 114.17 | NEAS
gcp | asia-northeast1 | Tokyo | JP | 35.68 | 139.69 | NEAS
gcp | asia-northeast2 | Osaka | JP | 34.69 | 135.50 | NEAS
gcp | asia-northeast3 | Seoul | KR | 37.57 | 126.98 | NEAS
gcp | asia-south1 | Mumbai | IN | 19.08 | 72.88 | SAS
gcp | asia-south2 | Delhi | IN | 28.61 | 77.21 | SAS
gcp | asia-southeast1 | Singapore | SG | 1.35 | 103.82 | SEAS
gcp | asia-southeast2 | Jakarta | ID | -6.21 | 106.85 | SEAS
gcp | asia-southeast3 | Bangkok | TH | 13.76 | 100.50 | SEAS
gcp | australia-southeast1 | Sydney | AU | -33.87 | 151.21 | OC
gcp | australia-southeast2 | Melbourne | AU | -37.81 | 144.96 | OC
gcp | europe-central2 | Warsaw | PL | 52.23 | 21.01 | EEU
gcp | europe-north1 | Hamina | FI | 60.57 | 27.20 | WEU
gcp | europe-north2 | Stockholm | SE | 59.33 | 18.07 | WEU
gcp | europe-southwest1 | Madrid | ES | 40.42 | -3.70 | WEU
gcp | europe-west1 | Saint-Ghislain | BE | 50.45 | 3.82 | WEU
gcp | europe-west2 | London | GB | 51.51 | -0.13 | WEU
gcp | europe-west3 | Frankfurt | DE | 50.11 | 8.68 | WEU
gcp | europe-west4 | Eemshaven | NL | 53.44 | 6.83 | WEU
gcp | europe-west6 | Zurich | CH | 47.37 | 8.54 | WEU
gcp | europe-west8 | Milan | IT | 45.46 | 9.19 | WEU
gcp | europe-west9 | Paris | FR | 48.86 | 2.35 | WEU
gcp | europe-west10 | Berlin | DE | 52.52 | 13.41 | WEU
gcp | europe-west12 | Turin | IT | 45.07 | 7.69 | WEU
gcp | me-central1 | Doha | QA | 25.29 | 51.53 | ME
gcp | me-central2 | Dammam | SA | 26.43 | 50.10 | ME
gcp | me-west1 | Tel Aviv | IL | 32.09 | 34.78 | ME
gcp | northamerica-northeast1 | Montreal | CA | 45.50 | -73.57 | ENAM
gcp | northamerica-northeast2 | Toronto | CA | 43.65 | -79.38 | ENAM
gcp | northamerica-south1 | Queretaro | MX | 20.59 | -100.39 | NSAM
gcp | southamerica-east1 | Sao Paulo | BR | -23.55 | -46.63 | SSAM
gcp | southamerica-west1 | Santiago | CL | -33.45 | -70.67 | SSAM
gcp | us-central1 | Council Bluffs | US | 41.26 | -95.86 | WNAM
gcp | us-east1 | Moncks Corner | US | 33.20 | -80.01 | ENAM
gcp | us-east4 | Ashburn | US | 39.04 | -77.49 | ENAM
gcp | us-east5 | Columbus | US | 39.96 | -83.00 | ENAM
gcp | us-south1 | Dallas | US | 32.78 | -96.80 | WNAM
gcp | us-west1 | The Dalles | US | 45.59 | -121.18 | WNAM
gcp | us-west2 | Los Angeles | US | 34.05 | -118.24 | WNAM
gcp | us-west3 | Salt Lake City | US | 40.76 | -111.89 | WNAM
gcp | us-west4 | Las Vegas | US | 36.17 | -115.14 | WNAM
digitalocean | nyc1 | New York | US | 40.71 | -74.01 | ENAM
digitalocean | nyc2 | New York | US | 40.71 | -74.01 | ENAM
digitalocean | nyc3 | New York | US | 40.71 | -74.01 | ENAM
digitalocean | atl1 | Atlanta | US | 33.75 | -84.39 | ENAM
digitalocean | ric1 | Richmond | US | 37.54 | -77.44 | ENAM
digitalocean | tor1 | Toronto | CA | 43.65 | -79.38 | ENAM
digitalocean | sfo1 | San Francisco | US | 37.77 | -122.42 | WNAM
digitalocean | sfo2 | San Francisco | US | 37.77 | -122.42 | WNAM
digitalocean | sfo3 | San Francisco | US | 37.77 | -122.42 | WNAM
digitalocean | ams2 | Amsterdam | NL | 52.37 | 4.90 | WEU
digitalocean | ams3 | Amsterdam | NL | 52.37 | 4.90 | WEU
digitalocean | fra1 | Frankfurt | DE | 50.11 | 8.68 | WEU
digitalocean | lon1 | London | GB | 51.51 | -0.13 | WEU
digitalocean | blr1 | Bangalore | IN | 12.97 | 77.59 | SAS
digitalocean | sgp1 | Singapore | SG | 1.35 | 103.82 | SEAS
digitalocean | syd1 | Sydney | AU | -33.87 | 151.21 | OC
yandex | ru-central1 | Moscow | RU | 55.75 | 37.62 | EEU
yandex | kz1 | Karaganda | KZ | 49.81 | 73.10 | SAS
"""


def _parsed(line: str) -> CloudRegion:
    provider, name, city, country, latitude, longitude, cloudflare = (field.strip() for field in line.split("|"))
    return CloudRegion(provider, name, city, country, float(latitude), float(longitude), cloudflare)


_BY_KEY = {(region.provider, region.name): region for region in map(_parsed, _TABLE.strip().splitlines())}
#: Those outside the common partition need an account of their own, so a record for users cannot count on them.
_ROUTE53_REGIONS = tuple(
    name
    for provider, name in _BY_KEY
    if provider == "aws" and name.split("-", 1)[0] not in {"cn", "eusc"} and not name.startswith("us-gov-")
)
