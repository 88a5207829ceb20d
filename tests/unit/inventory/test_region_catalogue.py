# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The catalogue against the data that botocore ships, and against itself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import botocore.session
import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.region_catalogue import (
    distance_km,
    find_region,
    regions,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import PROVIDERS

#: Partitions that no account outside of one government has; their places are not public.
SECRET = ("aws-iso",)
CLOUDFLARE = {"WNAM", "ENAM", "WEU", "EEU", "NSAM", "SSAM", "OC", "ME", "NAF", "SAF", "SAS", "SEAS", "NEAS"}


def partitions() -> list[dict[str, Any]]:
    """Read botocore's endpoint data."""
    loader = botocore.session.get_session().get_component("data_loader")
    found: list[dict[str, Any]] = loader.load_data("endpoints")["partitions"]
    return found


def test_aws_is_whole() -> None:
    """Every region that botocore knows is there, and none that it does not."""
    known = {name for part in partitions() if not part["partition"].startswith(SECRET) for name in part["regions"]}
    assert {region.name for region in regions("aws")} == known


def test_aws_cities() -> None:
    """The places are those of botocore's descriptions, where these name a city or a country."""
    described = {name: entry["description"] for part in partitions() for name, entry in part["regions"].items()}
    for region in regions("aws"):
        place = described[region.name].rpartition("(")[2].rstrip(")")
        if place in {"Frankfurt", "London", "Paris", "Milan", "Sydney", "Tokyo", "Osaka", "Seoul", "Mumbai", "Jakarta"}:
            assert region.city == place
    countries = {"Ireland": "IE", "Bahrain": "BH", "UAE": "AE", "Thailand": "TH", "Malaysia": "MY", "Spain": "ES"}
    for name, text in described.items():
        for country, code in countries.items():
            if f"({country})" in text:
                found = find_region("aws", name)
                assert found is not None and found.country == code


def test_route53_names() -> None:
    """Each nearest region is one that Route53's API takes for a latency record."""
    model = botocore.session.get_session().get_service_model("route53")
    taken = set(model.shape_for("ResourceRecordSetRegion").enum)
    assert {region.route53_region for region in regions()} <= taken


def test_nearest() -> None:
    """The nearest is the place itself where AWS is there, and next door where it is not."""
    wanted = {
        ("digitalocean", "sgp1"): "ap-southeast-1",
        ("gcp", "southamerica-east1"): "sa-east-1",
        ("gcp", "australia-southeast2"): "ap-southeast-4",
        ("yandex", "ru-central1"): "eu-north-1",
        ("aws", "ap-southeast-2"): "ap-southeast-2",
        ("aws", "cn-north-1"): "ap-northeast-2",
    }
    for (provider, name), nearest in wanted.items():
        region = find_region(provider, name)
        assert region is not None and region.route53_region == nearest


@pytest.mark.parametrize("region", regions(), ids=lambda region: f"{region.provider}-{region.name}")
def test_sound(region: Any) -> None:
    """Codes and coordinates are possible, and close to the nearest region where that is the same city."""
    assert region.provider in PROVIDERS
    assert region.cloudflare_region in CLOUDFLARE
    assert -60 < region.latitude < 70
    assert -180 <= region.longitude <= 180
    assert len(region.country) == 2 and region.country.isupper()
    for other in regions():
        if other.city == region.city and other.country == region.country:
            assert distance_km(region, other) == 0
        if other.country == region.country and other.country not in {"US", "CA"}:
            assert other.cloudflare_region == region.cloudflare_region


def test_distances() -> None:
    """Great circles of places whose distance is known, within 1%."""
    moscow, sydney, sao_paulo = (
        find_region(*key)
        for key in (("yandex", "ru-central1"), ("aws", "ap-southeast-2"), ("gcp", "southamerica-east1"))
    )
    assert moscow and sydney and sao_paulo
    assert distance_km(moscow, sydney) == pytest.approx(14490, rel=0.01)
    assert distance_km(moscow, sao_paulo) == pytest.approx(11800, rel=0.01)


def module(parameters: dict[str, Any]) -> dict[str, Any]:
    """Run the module as Ansible does, with its arguments on the standard input."""
    arguments = {"ANSIBLE_MODULE_ARGS": {"_ansible_remote_tmp": "/tmp", **parameters}}
    name = "ansible_collections.meridian.geokube.plugins.modules.regions_info"
    code = f"import runpy; from ansible.module_utils import basic; runpy.run_module('{name}', run_name='__main__')"
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(arguments), capture_output=True, text=True, check=False
    )
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_module() -> None:
    """The module gives regions by name, in the order asked for."""
    answer = module({"names": ["sgp1", "southamerica-east1"]})
    assert not answer["changed"]
    assert [region["name"] for region in answer["regions"]] == ["sgp1", "southamerica-east1"]
    assert answer["regions"][1] == {
        "provider": "gcp",
        "name": "southamerica-east1",
        "city": "Sao Paulo",
        "country": "BR",
        "latitude": -23.55,
        "longitude": -46.63,
        "cloudflare_region": "SSAM",
        "route53_region": "sa-east-1",
    }


def test_module_all_of_one() -> None:
    """The module gives all of one cloud in check mode too."""
    answer = module({"provider": "yandex", "_ansible_check_mode": True})
    assert [region["name"] for region in answer["regions"]] == ["ru-central1", "kz1"]


def test_module_unknown() -> None:
    """A name that is none is an error that names it."""
    answer = module({"provider": "aws", "names": ["us-east-1", "us-east-9"]})
    assert answer["failed"]
    assert answer["msg"] == "names: aws has no region us-east-9; leave names out to see all"
