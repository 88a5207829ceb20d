# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The official SDK against the emulator: what it sends is understood, what it reads has the shape it expects."""

from __future__ import annotations

import json

import cloudflare
import pytest
from cloudflare_harness import ACCOUNT, TOKEN, ZONE, Edge, run_module, wait_for, wanted
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from fault_cases import pulls


@pytest.fixture
def client(edge: Edge) -> cloudflare.Cloudflare:
    return cloudflare.Cloudflare(api_token=TOKEN, base_url=edge.url, max_retries=0)


def test_monitor_from_birth_to_death(client: cloudflare.Cloudflare) -> None:
    monitors = client.load_balancers.monitors
    made = monitors.create(account_id=ACCOUNT, type="https", interval=15, description="one")
    assert made.id
    assert (made.path, made.method, made.expected_codes, made.retries, made.timeout) == ("/", "GET", "200", 2, 5)
    changed = monitors.edit(made.id, account_id=ACCOUNT, type="https", path="/readyz")
    assert (changed.path, changed.interval, changed.description) == ("/readyz", 15, "one")
    replaced = monitors.update(made.id, account_id=ACCOUNT, type="http", interval=20)
    assert (replaced.path, replaced.interval, replaced.description) == ("/", 20, "")
    assert [monitor.id for monitor in monitors.list(account_id=ACCOUNT)] == [made.id]
    assert monitors.get(made.id, account_id=ACCOUNT).type == "http"
    assert list(monitors.references.get(made.id, account_id=ACCOUNT) or []) == []
    monitors.delete(made.id, account_id=ACCOUNT)
    with pytest.raises(cloudflare.NotFoundError, match="1001"):
        monitors.get(made.id, account_id=ACCOUNT)


def test_pool_and_balancer_from_birth_to_death(client: cloudflare.Cloudflare) -> None:
    pools = client.load_balancers.pools
    origins = [{"name": "b", "address": "192.0.2.2"}, {"name": "a", "address": "192.0.2.1", "weight": 0.5}]
    pool = pools.create(account_id=ACCOUNT, name="p", origins=origins)
    assert pool.id
    assert [origin.name for origin in pool.origins or []] == ["a", "b"]
    assert (pool.enabled, pool.minimum_origins) == (True, 1)
    balancer = client.load_balancers.create(
        zone_id=ZONE, name="x.geokube.test", default_pools=[pool.id], fallback_pool=pool.id, proxied=True
    )
    assert balancer.id
    assert balancer.steering_policy == "off"
    users = pools.references.get(pool.id, account_id=ACCOUNT)
    assert [(user.resource_type, user.resource_name) for user in users or []] == [("load_balancer", "x.geokube.test")]
    with pytest.raises(cloudflare.APIStatusError) as refused:
        pools.delete(pool.id, account_id=ACCOUNT)
    assert refused.value.status_code == 412
    assert pools.health.get(pool.id, account_id=ACCOUNT).pool_id == pool.id
    edited = client.load_balancers.edit(balancer.id, zone_id=ZONE, region_pools={"OC": [pool.id]})
    assert edited.region_pools == {"OC": [pool.id]}
    client.load_balancers.delete(balancer.id, zone_id=ZONE)
    pools.delete(pool.id, account_id=ACCOUNT)
    assert list(pools.list(account_id=ACCOUNT)) == []


def test_what_the_modules_made_reads_well(edge: Edge, client: cloudflare.Cloudflare) -> None:
    assert not run_module(edge, "cloudflare_traffic", wanted())["failed"]
    (balancer,) = client.load_balancers.list(zone_id=ZONE)
    names = {pool.id: pool.name for pool in client.load_balancers.pools.list(account_id=ACCOUNT)}
    assert [names[pool] for pool in (balancer.region_pools or {})["OC"]] == ["test-au", "test-sg", "test-br", "test-ru"]
    found = edge.api("GET", f"/accounts/{ACCOUNT}/load_balancers/search?query=test-a")["resources"]
    assert [(one["resource_type"], one["resource_name"]) for one in found] == [("pool", "test-au")]
    assert client.load_balancers.regions.list(account_id=ACCOUNT) is not None


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"interval": 0}, "interval"),
        ({"timeout": 99}, "timeout"),
        ({"type": "ftp"}, "type"),
        ({"unknown": 1}, "unknown field"),
        ({"path": "x", "type": "https"}, "path"),
        ({"retries": "2"}, "retries"),
    ],
)
def test_wrong_monitors_are_1002(client: cloudflare.Cloudflare, body: dict[str, object], text: str) -> None:
    with pytest.raises(cloudflare.BadRequestError, match=text) as refused:
        client.load_balancers.monitors.create(account_id=ACCOUNT, extra_body=body)
    assert "1002" in str(refused.value)


@pytest.mark.parametrize(
    ("pool", "code"),
    [
        ({"name": "a b", "origins": [{"name": "a", "address": "192.0.2.1"}]}, 1002),
        ({"name": "a", "origins": []}, 1002),
        ({"name": "a", "origins": [{"name": "a", "address": "x"}, {"name": "b", "address": "x", "port": 1}]}, 1002),
        ({"name": "a", "origins": [{"name": "a", "address": "x"}], "latitude": 1}, 1002),
        ({"name": "a", "origins": [{"name": "a", "address": "x"}], "check_regions": ["ALL_REGIONS"]}, 1002),
        ({"name": "taken", "origins": [{"name": "a", "address": "x"}]}, 1003),
        ({"name": "a", "origins": [{"name": f"o{n}", "address": f"192.0.2.{n}"} for n in range(21)]}, 1002),
    ],
)
def test_wrong_pools(edge: Edge, client: cloudflare.Cloudflare, pool: dict[str, object], code: int) -> None:
    pools = f"/accounts/{ACCOUNT}/load_balancers/pools"
    edge.api("POST", pools, {"name": "taken", "origins": [{"name": "a", "address": "192.0.2.1"}]})
    with pytest.raises(cloudflare.BadRequestError) as refused:
        client.post(pools, cast_to=object, body=pool)
    assert str(code) in str(refused.value)


def test_the_account_has_limits(edge: Edge, client: cloudflare.Cloudflare) -> None:
    for number in range(20):
        client.load_balancers.pools.create(
            account_id=ACCOUNT, name=f"p{number}", origins=[{"name": "a", "address": "192.0.2.1"}]
        )
    with pytest.raises(cloudflare.BadRequestError, match="limit of 20 pools"):
        client.load_balancers.pools.create(
            account_id=ACCOUNT, name="p20", origins=[{"name": "a", "address": "192.0.2.1"}]
        )


def test_zones_tokens_and_addresses(client: cloudflare.Cloudflare) -> None:
    (zone,) = client.zones.list(name="geokube.test")
    assert zone.id == ZONE
    assert list(client.zones.list(name="example.com")) == []
    verified = client.user.tokens.verify()
    assert verified is not None
    assert verified.status == "active"
    ranges = client.ips.list()
    assert ranges is not None
    assert getattr(ranges, "ipv4_cidrs", None)


def test_a_wrong_token_is_401_and_a_narrow_one_403(edge: Edge) -> None:
    wrong = cloudflare.Cloudflare(api_token="wrong", base_url=edge.url, max_retries=0)
    with pytest.raises(cloudflare.AuthenticationError):
        wrong.zones.list()
    narrow = cloudflare.Cloudflare(api_token="reader", base_url=edge.url, max_retries=0)
    assert list(narrow.load_balancers.pools.list(account_id=ACCOUNT)) == []
    with pytest.raises(cloudflare.PermissionDeniedError):
        narrow.load_balancers.monitors.create(account_id=ACCOUNT)
    with pytest.raises(cloudflare.PermissionDeniedError):
        narrow.load_balancers.pools.list(account_id="f" * 32)


def test_origin_ca_signs_what_belongs_to_a_zone(client: cloudflare.Cloudflare) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    pem = request.public_bytes(serialization.Encoding.PEM).decode()
    made = client.origin_ca_certificates.create(
        csr=pem, hostnames=["style.geokube.test"], request_type="origin-ecc", requested_validity=7
    )
    assert made is not None
    assert made.certificate
    certificate = x509.load_pem_x509_certificate(made.certificate.encode())
    assert certificate.public_key() == key.public_key()
    assert made.id in [one.id for one in client.origin_ca_certificates.list(zone_id=ZONE)]
    client.origin_ca_certificates.delete(str(made.id))
    assert made.id not in [one.id for one in client.origin_ca_certificates.list(zone_id=ZONE)]
    with pytest.raises(cloudflare.BadRequestError, match="1010"):
        client.origin_ca_certificates.create(csr=pem, hostnames=["example.com"], request_type="origin-ecc")


def test_settings_rules_and_records(client: cloudflare.Cloudflare) -> None:
    assert client.zones.settings.get("ssl", zone_id=ZONE) is not None
    phase = "http_request_cache_settings"
    rule = {
        "action": "set_cache_settings",
        "expression": 'starts_with(http.request.uri.path, "/results/")',
        "action_parameters": {"cache": True},
    }
    made = client.rulesets.phases.with_raw_response.update(phase, zone_id=ZONE, rules=[rule])  # type: ignore[list-item]
    assert [one["action"] for one in json.loads(made.text())["result"]["rules"]] == ["set_cache_settings"]
    kept = client.rulesets.phases.with_raw_response.get(phase, zone_id=ZONE)
    assert json.loads(kept.text())["result"]["phase"] == phase
    record = client.dns.records.create(zone_id=ZONE, name="a", type="A", content="192.0.2.1", ttl=60)
    assert record is not None
    assert record.name == "a.geokube.test"
    client.dns.records.delete(record.id, zone_id=ZONE)


def test_client_certificates_of_origin_pulls(client: cloudflare.Cloudflare) -> None:
    held = client.origin_tls_client_auth.zone_certificates
    made = held.create(zone_id=ZONE, **pulls())
    assert made is not None
    assert (made.status, made.private_key) == ("pending_deployment", None)

    def status() -> list[str | None]:
        return [one.status for one in held.list(zone_id=ZONE) if one.id == made.id]

    assert wait_for(lambda: status() == ["active"], 20)
    switch = client.origin_tls_client_auth.settings.update(zone_id=ZONE, enabled=True)
    assert switch is not None
    assert switch.enabled is True
    gone = held.delete(str(made.id), zone_id=ZONE)
    assert gone is not None
    assert gone.status == "pending_deletion"
    assert status() == []
