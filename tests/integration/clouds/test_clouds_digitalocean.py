# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DigitalOcean, driven by python-digitalocean and pydo."""

from __future__ import annotations

from typing import Any

import digitalocean
import pytest
from azure.core.exceptions import HttpResponseError
from clouds_sdks import digitalocean_manager, pydo_client
from geokube_lab.clouds import Clouds, Machine, credentials
from geokube_lab.clouds.fleets import fleet, from_topology
from geokube_lab.topology import load


def test_the_lab_has_exactly_its_machine_in_singapore(clouds: Clouds) -> None:
    node = load().regions["sg"].nodes[0]
    clouds.load(from_topology(load()))
    (droplet,) = digitalocean_manager(clouds).get_all_droplets()
    assert str(droplet.id) == node.instance_id
    assert droplet.name == node.name
    assert droplet.ip_address == str(node.public_address)
    assert droplet.private_ip_address == str(node.private_address)
    assert droplet.region["slug"] == node.cloud_region
    assert droplet.status == "active"
    roles = [f"geokube-role:{role}" for role in node.roles]
    assert droplet.tags == ["geokube-cluster:devfest", *roles]


def test_both_clients_find_all_of_450_over_pages_of_200(clouds: Clouds) -> None:
    machines = fleet(450, clouds=("digitalocean",))
    clouds.load(machines)
    names = sorted(machine.name for machine in machines)
    assert sorted(each.name for each in digitalocean_manager(clouds).get_all_droplets()) == names
    assert [call.page for call in clouds.digitalocean.faults.calls()] == [1, 2, 3]
    client, found = pydo_client(clouds), []
    for page in (1, 2, 3):
        answer = client.droplets.list(per_page=200, page=page, enforce_https=False)
        assert answer["meta"]["total"] == 450
        assert ("next" in answer["links"].get("pages", {})) is (page < 3)
        found += [droplet["name"] for droplet in answer["droplets"]]
    assert sorted(found) == names


@pytest.mark.parametrize(("size", "count"), [(1, 1), (200, 200), (201, 200), (1000, 200)])
def test_the_page_size_ends_at_200(clouds: Clouds, size: int, count: int) -> None:
    clouds.load(fleet(210, clouds=("digitalocean",)))
    answer = pydo_client(clouds).droplets.list(per_page=size, enforce_https=False)
    assert len(answer["droplets"]) == count


def test_the_default_page_has_20_and_one_past_the_end_has_none(clouds: Clouds) -> None:
    clouds.load(fleet(30, clouds=("digitalocean",)))
    client = pydo_client(clouds)
    assert len(client.droplets.list(enforce_https=False)["droplets"]) == 20
    answer = client.droplets.list(page=9, enforce_https=False)
    assert answer["droplets"] == []
    assert answer["meta"]["total"] == 30


def test_filters(clouds: Clouds) -> None:
    manager = digitalocean_manager(clouds)
    assert len(manager.get_all_droplets(tag_name="geokube-cluster:k1")) == 10
    assert manager.get_all_droplets(tag_name="geokube-cluster:k2") == []
    (droplet,) = manager.get_all_droplets(params={"name": "N00002"})
    assert droplet.name == "n00002"
    with pytest.raises(digitalocean.DataReadError, match="cannot be combined"):
        manager.get_all_droplets(params={"name": "n00002"}, tag_name="geokube-cluster:k1")


def test_states_and_addresses(clouds: Clouds) -> None:
    place = ("digitalocean", "sgp1", "sgp1")
    clouds.load(
        [
            Machine("off", *place, "10.0.0.2", state="stopped"),
            Machine("new", *place, "10.0.0.3", state="starting", tags=("web",)),
            Machine("six", *place, None, public_ipv6="2001:db8::5"),
        ]
    )
    found = {each["name"]: each for each in pydo_client(clouds).droplets.list(enforce_https=False)["droplets"]}
    assert {name: each["status"] for name, each in found.items()} == {"off": "off", "new": "new", "six": "active"}
    assert found["new"]["tags"] == ["web"]
    assert found["six"]["networks"] == {
        "v4": [],
        "v6": [{"ip_address": "2001:db8::5", "netmask": 64, "gateway": "2001:db8::1", "type": "public"}],
    }


@pytest.mark.parametrize(
    ("token", "status", "identifier"),
    [("wrong", 401, "unauthorized"), (credentials.guest(credentials.DIGITALOCEAN_TOKEN), 403, "forbidden")],
)
def test_refused(clouds: Clouds, token: str, status: int, identifier: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        pydo_client(clouds, token).droplets.list(enforce_https=False)
    assert caught.value.status_code == status
    assert caught.value.response.json()["id"] == identifier
    with pytest.raises(digitalocean.DataReadError):
        digitalocean_manager(clouds, token).get_all_droplets()


def test_one_droplet_and_one_that_is_not_there(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> None:
    client = pydo_client(clouds)
    machine = clouds.digitalocean.machines[0]
    droplet = client.droplets.get(int(machine.instance_id), enforce_https=False)["droplet"]
    assert droplet["name"] == machine.name
    answer: Any = client.droplets.get(1, enforce_https=False)
    assert answer["id"] == "not_found"
    # Objects that the manager makes take the endpoint from here only.
    monkeypatch.setenv("DIGITALOCEAN_END_POINT", f"{clouds.digitalocean.endpoint}/")
    assert digitalocean_manager(clouds).get_droplet(int(machine.instance_id)).name == machine.name
    with pytest.raises(digitalocean.NotFoundError):
        digitalocean_manager(clouds).get_droplet(1)


def test_regions_tags_and_account(clouds: Clouds) -> None:
    client = pydo_client(clouds)
    assert {"sgp1", "fra1"} <= {region["slug"] for region in client.regions.list(enforce_https=False)["regions"]}
    tags = {tag["name"]: tag for tag in client.tags.list(enforce_https=False)["tags"]}
    assert tags["geokube-cluster:k1"]["resources"]["droplets"]["count"] == 10
    assert client.account.get(enforce_https=False)["account"]["status"] == "active"


def test_the_rate_limit_is_told(clouds: Clouds) -> None:
    manager = digitalocean_manager(clouds)
    manager.get_all_droplets()
    assert manager.ratelimit_limit == "5000"
    assert manager.ratelimit_remaining == "4999"
