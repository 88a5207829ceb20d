# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module with what it is asked for, and every fault with what must be said of it."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cloudflare_harness import ACCOUNT, CACHE_RULES, MONITOR, PULLS, ZONE, Edge, run_module
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from geokube_lab.edge.authority import Authority, private_pem

PEM = serialization.Encoding.PEM
HOST = "style.geokube.test"
POOL = {"name": "test-ru", "origins": [{"name": "ru-1", "address": "192.0.2.1"}]}
BALANCER = {"name": HOST, "default_pools": ["test-ru"], "fallback_pool": "test-ru"}
RULE = {"name": "results", "expression": f'http.host eq "{HOST}"', "action_parameters": {"cache": True}}
LISTS = {kind: f"/accounts/{ACCOUNT}/load_balancers/{kind}" for kind in ("monitors", "pools")}
BALANCERS = f"/zones/{ZONE}/load_balancers"
CERTIFICATES = f"/certificates?zone_id={ZONE}"


@functools.cache
def request() -> str:
    """A signing request."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    return (
        x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256()).public_bytes(PEM).decode()
    )


@functools.cache
def pulls() -> dict[str, str]:
    """A client certificate and its key."""
    with TemporaryDirectory() as folder:
        key = ec.generate_private_key(ec.SECP256R1())
        signed = Authority(Path(folder), "ca", "pulls").issue(["edge.test"], key.public_key(), timedelta(days=30))
    return {"certificate": signed.public_bytes(PEM).decode(), "private_key": private_pem(key).decode()}


@dataclass(frozen=True)
class Case:
    """A module: the options of both states, what must be there before, and the list that holds what it makes."""

    module: str
    present: dict[str, Any]
    absent: dict[str, Any]
    listed: str = ""
    needs: tuple[tuple[str, dict[str, Any]], ...] = ()
    posts: bool = False
    tags: frozenset[str] = field(default_factory=frozenset)

    def params(self, state: str) -> dict[str, Any]:
        """The options that bring this state about."""
        return dict(self.present if state == "present" else self.absent)

    def prepare(self, edge: Edge, state: str) -> None:
        """Make what the module needs, and what it shall remove; leave neither faults nor a log."""
        for module, params in self.needs:
            assert not run_module(edge, module, params)["failed"]
        if state == "absent":
            result = run_module(edge, self.module, self.present)
            assert not result["failed"], result["msg"]
        edge.clear()


def _named(module: str, params: dict[str, Any], **more: Any) -> Case:
    return Case(module, {**params, "state": "present"}, {**params, "state": "absent"}, **more)


POOL_MODULE = ("cloudflare_load_balancer_pool", POOL)


def cases() -> list[Case]:
    """All modules that change something."""
    traffic = {"owner": "test", "zone": ZONE, "drain_seconds": 0, "monitors": [MONITOR], "pools": [POOL],
               "load_balancers": [BALANCER]}  # fmt: skip
    certificate = {"zone": ZONE, "csr": request(), "hostnames": [HOST]}
    origin = {"pool": "test-ru", "name": "ru-2", "address": "192.0.2.2", "drain_seconds": 0}
    on = {"zone": ZONE, **pulls()}
    rules = {"zone": ZONE, "owner": "test"}
    return [
        _named("cloudflare_load_balancer_monitor", {"owner": "test", **MONITOR}, listed=LISTS["monitors"], posts=True),
        _named("cloudflare_load_balancer_pool", {**POOL, "drain_seconds": 0}, listed=LISTS["pools"], posts=True),
        _named(
            "cloudflare_load_balancer", {"zone": ZONE, **BALANCER}, listed=BALANCERS, needs=(POOL_MODULE,), posts=True
        ),
        _named("cloudflare_traffic", traffic, listed=LISTS["monitors"], posts=True),
        _named("cloudflare_load_balancer_pool_origin", origin, listed=LISTS["pools"], needs=(POOL_MODULE,)),
        _named("cloudflare_origin_certificate", certificate, listed=CERTIFICATES, posts=True),
        Case("cloudflare_authenticated_origin_pulls", on, {"zone": ZONE, "enabled": False}, PULLS, posts=True),
        Case(
            "cloudflare_zone_settings",
            *({"zone": ZONE, "settings": {"ssl": mode}} for mode in ("strict", "full")),
            listed=f"/zones/{ZONE}/settings/ssl",
        ),
        Case("cloudflare_cache_ruleset", {**rules, "rules": [RULE]}, {**rules, "rules": []}, CACHE_RULES),
    ]


INFO = Case("cloudflare_load_balancing_info", {"zone": ZONE, "health": True}, {}, needs=(POOL_MODULE,))
# What the emulator is told to do, and how the message ends; {scope} is the permission that the request needs.
REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "401": ({"status": 401, "code": 10000}, "The API token is not accepted: it is mistyped, expired or revoked"),
    "400 no token": (
        {"status": 400, "code": 9106},
        "The request carried no usable token: check api_token, api_token_file or CLOUDFLARE_API_TOKEN",
    ),
    "403": (
        {"status": 403, "code": 10000},
        "The token lacks the permission '{scope}', or is not meant for this account or zone",
    ),
    "404": (
        {"status": 404, "code": 1001},
        "Check account_id and zone, and that nobody deletes objects at the same time",
    ),
    "1002 not enabled": (
        {"status": 400, "code": 1002, "message": "steering_policy geo is not enabled for this account"},
        "The account's plan lacks this feature: leave the option out, or add the subscription",
    ),
    "1002 invalid": (
        {"status": 400, "code": 1002, "message": "origins: validation failed"},
        "Change the option that the message names",
    ),
    "1002 referenced": (
        {"status": 400, "code": 1002, "message": "is still referenced"},
        "Something still uses the object: remove it there first, or name both in one cloudflare_traffic task",
    ),
    "1003": (
        {"status": 400, "code": 1003},
        "Another object has this name: choose another name, or manage that object by its name",
    ),
    "1005 with 412": (
        {"status": 412, "code": 1005},
        "Something still uses the object: remove it there first, or name both in one cloudflare_traffic task",
    ),
    "301": (
        {"status": 301, "headers": {"Location": "https://example.com"}},
        "base_url is redirected: give the address that is meant",
    ),
}
AGAIN = "Cloudflare or the way to it failed, also when asked again: run again later"
# Faults that last, by what is said between the request and the hint.
LASTING: dict[str, tuple[dict[str, Any], str, str]] = {
    "500": ({"status": 500}, r"HTTP 500: injected fault \(code 10000\)", AGAIN),
    "502": ({"status": 502}, r"HTTP 502: injected fault \(code 10000\)", AGAIN),
    "reset": ({"action": "reset"}, r"no answer: ConnectionResetError: .+", AGAIN),
    "torn": ({"action": "torn"}, r"no answer: ConnectionResetError: .+", AGAIN),
    "garbled": (
        {"action": "garbled"},
        r'HTTP 200: \{"success": .*',
        "That is no answer of Cloudflare's API: check base_url and what stands between, or run again later",
    ),
}
# Faults that pass.
PASSING: dict[str, dict[str, Any]] = {
    "500": {"status": 500},
    "502 twice": {"status": 502, "times": 2},
    "503": {"status": 503, "headers": {"Retry-After": "0"}},
    "reset": {"action": "reset"},
    "torn": {"action": "torn"},
    "garbled": {"action": "garbled"},
    "hang": {"action": "hang", "seconds": 30},
}
# By what the request's path holds.
SCOPES = (
    ("/accounts/", "Account > Load Balancing: Monitors and Pools"),
    ("/load_balancers", "Zone > Load Balancers"),
    ("/origin_tls_client_auth", "Zone > SSL and Certificates"),
    ("/certificates", "Zone > SSL and Certificates"),
    ("/rulesets", "Zone > Cache Rules"),
    ("/settings", "Zone > Zone Settings"),
)


def scope(asked: str) -> str:
    """The permission that a request ("GET /path") needs."""
    method, path = asked.split(" ", 1)
    name = next(name for fragment, name in SCOPES if fragment in path)
    return f"{name}: {'Read' if method == 'GET' else 'Edit'}"
