# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The client certificate that Cloudflare's edge shows to a zone's origins."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_certificates import same_pem
from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import (
    AmbiguousError,
    CloudflareError,
)

try:
    from cryptography import x509

    HAS_CRYPTOGRAPHY = True
except ImportError:
    HAS_CRYPTOGRAPHY = False

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account

    Record = dict[str, Any]

# What becomes of a client certificate that was uploaded, and how often it is asked for, seconds.
ACTIVE, COMING, PAUSE = "active", ("initializing", "pending_deployment"), 2.0


class OriginPulls:
    """The client certificate that the edge shows to a zone's origins."""

    def __init__(self, account: Account, check_mode: bool, sleep: Callable[[float], None] = time.sleep) -> None:
        self.account, self.check_mode, self._sleep = account, check_mode, sleep
        self.path = f"/zones/{account.zone_id}/origin_tls_client_auth"

    def ensure(
        self,
        enabled: bool,
        certificate: str | None,
        private_key: str | None,
        exclusive: bool,
        wait: float,
        keep_foreign: bool = False,
    ) -> Record:
        """Upload the certificate if it is not there, switch once it is everywhere, and last remove others if asked.

        `wait` is how many seconds the API gets to bring it everywhere. With `keep_foreign` those of other issuers are
        not removed, and an active one is an error.
        """
        client = self.account.client
        held = list(client.get(self.path) or [])
        was = bool((client.get(f"{self.path}/settings") or {}).get("enabled"))
        mine = [one for one in held if certificate and same_pem(one["certificate"], certificate)]
        mine.sort(key=lambda one: _rank(one.get("status", ACTIVE)))
        foreign = _foreign(held, certificate) if certificate and keep_foreign else []
        for one in foreign:
            if enabled and one.get("status", ACTIVE) == ACTIVE:
                raise CloudflareError(
                    f"the zone shows its origins client certificate {one['id']} of another issuer "
                    f"({one.get('issuer')}), and the edge shows only one: delete it if nobody needs it, or set "
                    "keep_foreign to false to replace it"
                )
        after = list(held)
        if was and not enabled and not self.check_mode:
            # Off comes first: it does not depend on what becomes of a certificate.
            client.request("PUT", f"{self.path}/settings", {"enabled": False})
        if certificate and not mine:
            if not private_key:
                raise CloudflareError("private_key is needed: the certificate is not uploaded yet")
            made = {"id": "(new)", "certificate": certificate, "status": ACTIVE}
            if not self.check_mode:
                made = self._upload(certificate, private_key)
            mine = [made]
            after.append(made)
        if enabled and not after:
            raise CloudflareError("the zone has no client certificate yet: give certificate and private_key")
        if enabled and not was and not mine and all(one.get("status", ACTIVE) != ACTIVE for one in held):
            states = ", ".join(f"{one['id']} is {one['status']}" for one in held)
            raise CloudflareError(f"no client certificate of the zone is active: {states}")
        if mine and mine[0].get("status", ACTIVE) != ACTIVE and not self.check_mode:
            active = self._active(mine[0], wait)
            after = [active if one is mine[0] else one for one in after]
            mine = [active]
        if enabled and not was and not self.check_mode:
            client.request("PUT", f"{self.path}/settings", {"enabled": True})
        if exclusive and mine:
            gone = [one for one in after if one not in mine and one not in foreign]
            for one in [] if self.check_mode else gone:
                client.request("DELETE", f"{self.path}/{one['id']}")
            after = [one for one in after if one not in gone]
        before = {"enabled": was, "certificates": [_pull(one) for one in held]}
        shown = {"enabled": enabled, "certificates": [_pull(one) for one in after]}
        return {
            "changed": before != shown,
            "enabled": enabled,
            "certificates": after,
            "diff": {"before": before, "after": shown},
        }

    def _active(self, record: Record, wait: float) -> Record:
        """The record once the edge has it everywhere."""
        end = time.monotonic() + wait
        while record.get("status") in COMING and time.monotonic() < end:
            self._sleep(min(PAUSE, max(0.0, end - time.monotonic())))
            found = [one for one in self.account.client.get(self.path) or [] if one["id"] == record["id"]]
            record = dict(found[0]) if found else {**record, "status": "deleted"}
        if record.get("status", ACTIVE) != ACTIVE:
            still = f"is {record['status']}" + (f" after {wait:.0f} s" if record["status"] in COMING else "")
            raise CloudflareError(
                f"client certificate {record['id']} {still}, so origins cannot rely on it yet: run again later"
                + ("" if record["status"] in COMING else ", after deleting it if it is still listed")
            )
        return record

    def _upload(self, certificate: str, private_key: str) -> Record:
        client = self.account.client
        try:
            made: Record = client.request("POST", self.path, {"certificate": certificate, "private_key": private_key})
            return made
        except AmbiguousError:
            for record in client.get(self.path) or []:
                if same_pem(record["certificate"], certificate):
                    return dict(record)
            raise


def _foreign(held: list[Record], certificate: str) -> list[Record]:
    """The records whose certificate has another issuer."""
    if not HAS_CRYPTOGRAPHY:
        raise CloudflareError("keep_foreign needs the Python package cryptography, to read who issued a certificate")
    try:
        ours = _issuer(certificate)
    except ValueError as error:
        raise CloudflareError("certificate is no certificate in PEM") from error
    return [one for one in held if _issuer(one["certificate"]) != ours]


def _issuer(pem: str) -> bytes:
    return x509.load_pem_x509_certificate(pem.encode()).issuer.public_bytes()


def _rank(status: str) -> int:
    """The order in which records of one certificate are taken: there, on the way, failed."""
    return 0 if status == ACTIVE else 1 if status in COMING else 2


def _pull(record: Record) -> Record:
    return {name: record.get(name) for name in ("id", "issuer", "expires_on")}
