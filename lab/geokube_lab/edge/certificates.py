# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The API's answers about Origin CA certificates and authenticated origin pulls."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import timedelta
from typing import Any

from aiohttp import web
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from geokube_lab.edge.authority import PEM, Authority
from geokube_lab.edge.errors import ApiError
from geokube_lab.edge.paging import page_of
from geokube_lab.edge.store import Record, Store, new_id, now

VALIDITIES = (7, 30, 90, 365, 730, 1095, 5475)
REQUEST_TYPES = ("origin-rsa", "origin-ecc")
# Seconds until a client certificate is at all places; the real ones take minutes.
DEPLOYMENT = 1.0


class Issuer:
    """Signs requests with the Origin CA."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority

    def sign(self, given: Record, zones: list[str]) -> Record:
        """Give the certificate's record; ApiError 1010 and the like for a request that cannot be signed."""
        hostnames, validity = given.get("hostnames"), given.get("requested_validity", 5475)
        if not isinstance(hostnames, list) or not hostnames:
            raise ApiError(400, 1008, "hostnames is required")
        for hostname in hostnames:
            if not any(hostname == zone or str(hostname).endswith("." + zone) for zone in zones):
                raise ApiError(400, 1010, f"Failed to validate requested hostname {hostname}: no such zone")
        if validity not in VALIDITIES:
            raise ApiError(400, 1009, f"requested_validity must be one of {', '.join(map(str, VALIDITIES))}")
        if given.get("request_type") not in REQUEST_TYPES:
            raise ApiError(400, 1011, f"request_type must be one of {', '.join(REQUEST_TYPES)}")
        try:
            request = x509.load_pem_x509_csr(str(given.get("csr", "")).encode())
            if not request.is_signature_valid:
                raise InvalidSignature
        except (ValueError, InvalidSignature) as error:
            raise ApiError(400, 1012, "Failed to parse the certificate signing request") from error
        key: Any = request.public_key()
        certificate = self.authority.issue(hostnames, key, timedelta(days=validity))
        return {
            "id": str(certificate.serial_number)[:40],
            "certificate": certificate.public_bytes(PEM).decode(),
            "csr": given["csr"],
            "hostnames": hostnames,
            "request_type": given["request_type"],
            "requested_validity": validity,
            "expires_on": certificate.not_valid_after_utc.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
        }


def revoked(store: Store) -> set[int]:
    """The serial numbers of the certificates that were revoked."""
    return {int(record["serial"]) for record in store["revoked_certificates"].values()}


def deploy(store: Store) -> None:
    """Have every uploaded client certificate at all places."""
    for record in list(store["origin_pull_certificates"].values()):
        if record["status"] == "pending_deployment":
            store.put("origin_pull_certificates", {**record, "status": "active"}, record["id"])


class Certificates:
    """Handlers over one store."""

    def __init__(self, store: Store, issuer: Issuer) -> None:
        self.store, self.issuer = store, issuer

    async def create(self, request: web.Request) -> web.Response:
        """POST /certificates."""
        zones = [zone["name"] for zone in self.store["zones"].values()]
        return _ok(_shown(self.store.put("certificates", self.issuer.sign(await request.json(), zones))))

    async def list_all(self, request: web.Request) -> web.Response:
        """GET /certificates of a zone; zone_id is required as in the real API."""
        zone = self.store.get("zones", request.query.get("zone_id", ""))["name"]
        found = [
            _shown(record)
            for record in self.store["certificates"].values()
            if any(name == zone or name.endswith("." + zone) for name in record["hostnames"])
        ]
        return page_of(request, found, 50)

    async def get(self, request: web.Request) -> web.Response:
        """GET of one certificate."""
        return _ok(_shown(self.store.get("certificates", request.match_info["id"])))

    async def revoke(self, request: web.Request) -> web.Response:
        """DELETE of one certificate: from now on the edge does not take it."""
        record = self.store.get("certificates", request.match_info["id"])
        serial = x509.load_pem_x509_certificate(record["certificate"].encode()).serial_number
        self.store.put("revoked_certificates", {"serial": str(serial)}, record["id"])
        self.store.delete("certificates", record["id"])
        return _ok({"id": request.match_info["id"], "revoked_at": now()})

    async def pull_settings(self, request: web.Request) -> web.Response:
        """GET of whether origin pulls are authenticated."""
        return _ok({"enabled": self.store["origin_pulls"].get(request.match_info["zone"], {}).get("enabled", False)})

    async def set_pull_settings(self, request: web.Request) -> web.Response:
        """PUT of whether origin pulls are authenticated."""
        enabled = (await request.json()).get("enabled")
        if not isinstance(enabled, bool):
            raise ApiError(400, 1400, "enabled must be a boolean")
        self.store.put("origin_pulls", {"enabled": enabled}, request.match_info["zone"])
        return _ok({"enabled": enabled})

    async def pull_certificates(self, request: web.Request) -> web.Response:
        """GET of the zone's client certificates."""
        zone = request.match_info["zone"]
        found = [record for record in self.store["origin_pull_certificates"].values() if record["zone_id"] == zone]
        return _ok([_without_key(record) for record in found])

    async def upload_pull_certificate(self, request: web.Request) -> web.Response:
        """POST of a client certificate with its key."""
        given = await request.json()
        try:
            certificate = x509.load_pem_x509_certificate(str(given.get("certificate", "")).encode())
            key = serialization.load_pem_private_key(str(given.get("private_key", "")).encode(), None)
        except ValueError as error:
            raise ApiError(400, 1402, "certificate or private_key is not PEM") from error
        if key.public_key() != certificate.public_key():
            raise ApiError(400, 1404, "private_key does not belong to the certificate")
        record = {
            "id": new_id(),
            "zone_id": request.match_info["zone"],
            "certificate": given["certificate"],
            "private_key": given["private_key"],
            "issuer": certificate.issuer.rfc4514_string(),
            "signature": "ECDSAWithSHA256",
            "expires_on": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "status": "pending_deployment",
            "uploaded_on": now(),
            "fingerprint": hashlib.sha256(given["certificate"].encode()).hexdigest(),
        }
        shown = _without_key(self.store.put("origin_pull_certificates", record))
        asyncio.get_running_loop().call_later(DEPLOYMENT, deploy, self.store)
        return _ok(shown)

    async def delete_pull_certificate(self, request: web.Request) -> web.Response:
        """DELETE of a client certificate."""
        record = self.store.get("origin_pull_certificates", request.match_info["id"])
        self.store.delete("origin_pull_certificates", record["id"])
        return _ok(_without_key(record) | {"status": "pending_deletion"})


def _shown(record: Record) -> Record:
    return {key: value for key, value in record.items() if key not in ("created_on", "modified_on")}


def _without_key(record: Record) -> Record:
    return {key: value for key, value in record.items() if key not in ("private_key", "zone_id", "fingerprint")}


def _ok(result: Any, **extra: Any) -> web.Response:
    return web.json_response({"success": True, "errors": [], "messages": [], "result": result, **extra})


def add_routes(router: web.UrlDispatcher, store: Store, issuer: Issuer) -> None:
    """Add the routes of certificates."""
    handlers = Certificates(store, issuer)
    base = "/client/v4/certificates"
    router.add_post(base, handlers.create)
    router.add_get(base, handlers.list_all)
    router.add_get(base + "/{id}", handlers.get)
    router.add_delete(base + "/{id}", handlers.revoke)
    pulls = "/client/v4/zones/{zone}/origin_tls_client_auth"
    router.add_get(pulls + "/settings", handlers.pull_settings)
    router.add_put(pulls + "/settings", handlers.set_pull_settings)
    router.add_get(pulls, handlers.pull_certificates)
    router.add_post(pulls, handlers.upload_pull_certificate)
    router.add_delete(pulls + "/{id}", handlers.delete_pull_certificate)
