# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Origin certificates, authenticated origin pulls and cache rules, up to what the edge does with them."""

from __future__ import annotations

import json
import ssl
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cloudflare_harness import ACCOUNT, CACHE_RULES, ZONE, Edge, Origins, run_module, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from geokube_lab.edge.authority import Authority, private_pem

HOST = "style.geokube.test"
PEM = serialization.Encoding.PEM


def request() -> tuple[str, ec.EllipticCurvePrivateKey]:
    """A signing request and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    made = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    return made.public_bytes(PEM).decode(), key


def balance(edge: Edge, origins: Origins) -> None:
    """One balancer over au's origin."""
    pool = edge.api(
        "POST",
        f"/accounts/{ACCOUNT}/load_balancers/pools",
        {"name": "au", "origins": [{"name": "au", "address": origins.addresses["au"], "port": origins.port}]},
    )["id"]
    body = {"name": HOST, "default_pools": [pool], "fallback_pool": pool, "proxied": True}
    edge.api("POST", f"/zones/{ZONE}/load_balancers", body)


def certificate(edge: Edge, params: dict[str, Any], check: bool = False) -> dict[str, Any]:
    return run_module(edge, "cloudflare_origin_certificate", {"zone": "geokube.test", **params}, check)


def test_a_certificate_is_signed_once_and_renewed_in_time(edge: Edge) -> None:
    csr, key = request()
    params = {"csr": csr, "hostnames": [HOST], "requested_validity": 90}
    foretold = certificate(edge, params, check=True)
    assert foretold["changed"]
    assert edge.api("GET", f"/certificates?zone_id={ZONE}") == []
    made = certificate(edge, params)
    assert made["changed"]
    assert x509.load_pem_x509_certificate(made["certificate"].encode()).public_key() == key.public_key()
    again = certificate(edge, dict(params, csr=csr.replace("\n", "\r\n")))
    assert not again["changed"]
    assert again["certificate_id"] == made["certificate_id"]
    assert certificate(edge, dict(params, hostnames=[HOST, "*.geokube.test"]))["changed"]
    renewed = certificate(edge, dict(params, renew_before=89))
    assert not renewed["changed"]
    short = certificate(edge, {"csr": csr, "hostnames": [HOST], "renew_before": 100, "revoke_replaced": True})
    assert short["changed"]
    assert len(edge.api("GET", f"/certificates?zone_id={ZONE}")) == 1
    assert certificate(edge, {"csr": csr, "state": "absent"})["changed"]
    assert not certificate(edge, {"csr": csr, "state": "absent"})["changed"]


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ({"csr": "nonsense", "hostnames": [HOST]}, "csr is no certificate signing request"),
        ({"hostnames": ["example.com"]}, "no such zone"),
        ({"hostnames": [HOST], "requested_validity": 7}, "renew_before must be less than requested_validity"),
        ({}, "hostnames"),
    ],
)
def test_what_cannot_be_signed(edge: Edge, params: dict[str, Any], text: str) -> None:
    result = certificate(edge, {"csr": request()[0], **params})
    assert result["failed"]
    assert text in result["msg"]


@pytest.mark.parametrize("committed", [True, False])
def test_a_lost_signature_is_looked_for(edge: Edge, committed: bool) -> None:
    edge.fault(method="POST", path="certificates$", status=502, committed=committed)
    result = certificate(edge, {"csr": request()[0], "hostnames": [HOST]})
    assert result["failed"] is not committed
    assert len(edge.api("GET", f"/certificates?zone_id={ZONE}")) == (1 if committed else 0)


def test_full_strict_takes_origin_ca_certificates_only(edge: Edge, origins: Origins, tmp_path: Path) -> None:
    balance(edge, origins)
    edge.api("PATCH", f"/zones/{ZONE}/settings/ssl", {"value": "strict"})
    assert edge.curl("au", "/")[0] == 526
    csr, key = request()
    signed = certificate(edge, {"csr": csr, "hostnames": [HOST]})
    (tmp_path / "good.crt").write_text(signed["certificate"])
    (tmp_path / "good.key").write_bytes(private_pem(key))
    origins.stop("au")
    origins.files = (tmp_path / "good.crt", tmp_path / "good.key")
    origins.start("au")
    assert edge.curl("au", "/")[0] == 200


def test_origins_that_ask_see_the_zones_certificate(edge: Edge, origins: Origins, tmp_path: Path) -> None:
    balance(edge, origins)
    authority = Authority(tmp_path, "pulls-ca", "pulls")
    key = ec.generate_private_key(ec.SECP256R1())
    signed = authority.issue(["edge.geokube.test"], key.public_key(), timedelta(days=30))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*origins.files)
    context.load_verify_locations(authority.certificate_path)
    context.verify_mode = ssl.CERT_REQUIRED
    origins.stop("au")
    origins.context = context
    origins.start("au")
    assert edge.curl("au", "/")[0] in (520, 525)
    params: dict[str, Any] = {"zone": ZONE, "certificate": signed.public_bytes(PEM).decode()}
    module = "cloudflare_authenticated_origin_pulls"
    assert "private_key is needed" in run_module(edge, module, params)["msg"]
    assert "give certificate and private_key" in run_module(edge, module, {"zone": ZONE})["msg"]
    params["private_key"] = private_pem(key).decode()
    assert run_module(edge, module, params, check=True)["changed"]
    made = run_module(edge, module, params)
    assert made["changed"]
    assert "PRIVATE KEY" not in json.dumps({name: made[name] for name in ("diff", "certificates")})
    assert not run_module(edge, module, params)["changed"]
    assert wait_for(lambda: edge.curl("au", "/")[0] == 200, 5)
    off = run_module(edge, module, {"zone": ZONE, "enabled": False})
    assert off["changed"]
    assert off["diff"]["after"]["enabled"] is False


RULE = {
    "name": "results",
    "expression": f'http.host eq "{HOST}" and\n  starts_with(http.request.uri.path, "/results/")',
    "action_parameters": {"cache": True, "edge_ttl": {"mode": "override_origin", "default": 60}},
}


def rules(edge: Edge, wanted: list[dict[str, Any]], check: bool = False) -> dict[str, Any]:
    result = run_module(edge, "cloudflare_cache_ruleset", {"zone": ZONE, "owner": "test", "rules": wanted}, check)
    assert not result["failed"], result["msg"]
    return result


def test_cache_rules_of_one_owner_leave_others_alone(edge: Edge) -> None:
    by_hand = {"action": "set_cache_settings", "expression": "true", "action_parameters": {"cache": False}}
    kept = edge.api("PUT", CACHE_RULES, {"rules": [by_hand]})["rules"][0]["id"]
    assert rules(edge, [RULE], check=True)["changed"]
    assert len(edge.api("GET", CACHE_RULES)["rules"]) == 1
    assert rules(edge, [RULE])["changed"]
    assert not rules(edge, [RULE])["changed"]
    found = edge.api("GET", CACHE_RULES)["rules"]
    assert found[0]["id"] == kept
    assert rules(edge, [dict(RULE, enabled=False)])["changed"]
    assert edge.api("GET", CACHE_RULES)["rules"][1]["id"] == found[1]["id"]
    second = dict(RULE, name="second")
    assert rules(edge, [second, RULE])["changed"]
    assert rules(edge, [RULE, second])["changed"]
    assert rules(edge, [])["changed"]
    assert [rule["id"] for rule in edge.api("GET", CACHE_RULES)["rules"]] == [kept]


def test_the_edge_keeps_what_the_rules_say(edge: Edge, origins: Origins) -> None:
    balance(edge, origins)
    origins.servers["au"].headers["Cache-Control"] = "no-cache"

    def status(path: str, *arguments: str) -> str:
        head = edge.curl("au", path, *arguments)[1]
        return next(line.split(": ")[1] for line in head.splitlines() if line.startswith("cf-cache-status"))

    assert status("/results/1") == "dynamic"
    rules(edge, [RULE])
    assert [status("/results/1"), status("/results/1"), status("/results/2")] == ["miss", "hit", "miss"]
    assert len([path for path, _ in origins.servers["au"].seen if path == "/results/1"]) == 2
    assert status("/other") == "dynamic"
    assert status("/results/1", "-X", "POST") == "dynamic"
    assert status("/site.css") == "bypass"
    origins.servers["au"].headers["Cache-Control"] = "max-age=60"
    assert [status("/site.css"), status("/site.css")] == ["miss", "hit"]
    origins.servers["au"].headers["Set-Cookie"] = "a=b"
    assert [status("/results/3"), status("/results/3")] == ["bypass", "bypass"]
    origins.stop("au")
    assert edge.curl("au", "/results/1")[2] == "au"


def test_an_error_is_kept_unless_the_rule_says_never(edge: Edge, origins: Origins) -> None:
    """The real edge keeps a 404 without Cache-Control for three minutes: long after the region is whole again."""
    balance(edge, origins)
    plain = {"cache": True, "edge_ttl": {"mode": "respect_origin"}}
    never = {"status_code_range": {"from": 400, "to": 599}, "value": -1}
    for parameters, status in (
        (plain, 404),
        ({**plain, "edge_ttl": {**plain["edge_ttl"], "status_code_ttl": [never]}}, 200),  # type: ignore[dict-item]
    ):
        rules(edge, [dict(RULE, action_parameters=parameters)])
        path = f"/results/{status}"
        origins.servers["au"].missing = True
        assert edge.curl("au", path)[0] == 404
        origins.servers["au"].missing = False
        assert edge.curl("au", path)[0] == status


def test_a_rule_that_is_not_understood_is_told(edge: Edge) -> None:
    wanted = [dict(RULE, expression="nonsense")]
    result = run_module(edge, "cloudflare_cache_ruleset", {"zone": ZONE, "owner": "test", "rules": wanted})
    assert result["failed"]
    assert "'nonsense' is not understood" in result["msg"]
    result = run_module(edge, "cloudflare_cache_ruleset", {"zone": ZONE, "owner": "a b", "rules": []})
    assert "owner 'a b' may hold only" in result["msg"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("expression", "true"),
        ("enabled", False),
        ("action_parameters", {"cache": False}),
        ("description", "by hand [geokube:test/results]"),
    ],
)
def test_drift_of_a_cache_rule_is_taken_back(edge: Edge, field: str, value: Any) -> None:
    rules(edge, [RULE, dict(RULE, name="second")])
    before = edge.api("GET", CACHE_RULES)["rules"]
    edge.api("PUT", CACHE_RULES, {"rules": [{**before[0], field: value}, before[1]]})
    foretold, done = (
        rules(edge, [RULE, dict(RULE, name="second")], check=True),
        rules(edge, [RULE, dict(RULE, name="second")]),
    )
    assert done["changed"]
    assert foretold["diff"] == done["diff"]
    after = edge.api("GET", CACHE_RULES)["rules"]
    assert [{**rule, "last_updated": ""} for rule in after] == [{**rule, "last_updated": ""} for rule in before]
    assert not rules(edge, [RULE, dict(RULE, name="second")])["changed"]


@pytest.mark.parametrize("drift", ["order", "gone", "double"])
def test_drift_of_the_list_of_cache_rules_is_taken_back(edge: Edge, drift: str) -> None:
    wanted = [RULE, dict(RULE, name="second")]
    rules(edge, wanted)
    first, second = edge.api("GET", CACHE_RULES)["rules"]
    found = {"order": [second, first], "gone": [second], "double": [first, second, {**first, "id": "f" * 32}]}[drift]
    edge.api("PUT", CACHE_RULES, {"rules": found})
    assert rules(edge, wanted)["changed"]
    names = [rule["description"] for rule in edge.api("GET", CACHE_RULES)["rules"]]
    assert names == ["[geokube:test/results]", "[geokube:test/second]"]
    assert not rules(edge, wanted)["changed"]


@pytest.mark.parametrize("drift", ["switched off", "certificate gone", "another certificate"])
def test_drift_of_origin_pulls_is_taken_back(edge: Edge, tmp_path: Path, drift: str) -> None:
    module, path = "cloudflare_authenticated_origin_pulls", f"/zones/{ZONE}/origin_tls_client_auth"

    def signed() -> dict[str, str]:
        key = ec.generate_private_key(ec.SECP256R1())
        made = Authority(tmp_path, "pulls-ca", "pulls").issue(["edge.test"], key.public_key(), timedelta(days=30))
        return {"certificate": made.public_bytes(PEM).decode(), "private_key": private_pem(key).decode()}

    params = {"zone": ZONE, "exclusive": True, **signed()}
    assert run_module(edge, module, params)["changed"]
    if drift == "switched off":
        edge.api("PUT", f"{path}/settings", {"enabled": False})
    elif drift == "certificate gone":
        edge.api("DELETE", f"{path}/{edge.api('GET', path)[0]['id']}")
    else:
        edge.api("POST", path, signed())
    foretold, done = run_module(edge, module, params, check=True), run_module(edge, module, params)
    assert foretold["changed"]
    assert done["changed"]
    assert edge.api("GET", f"{path}/settings")["enabled"] is True
    assert [one["certificate"] for one in edge.api("GET", path)] == [params["certificate"]]
    assert not run_module(edge, module, params)["changed"]


def test_a_certificate_that_was_revoked_is_signed_again(edge: Edge) -> None:
    params = {"csr": request()[0], "hostnames": [HOST]}
    first = certificate(edge, params)["certificate_id"]
    edge.api("DELETE", f"/certificates/{first}")
    again = certificate(edge, params)
    assert again["changed"]
    assert again["certificate_id"] != first
    assert not certificate(edge, params)["changed"]
