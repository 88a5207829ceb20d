# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates between Cloudflare's edge and the origins: those that origins show, and those that the edge shows."""

from __future__ import annotations

import re
import time
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import (
    AmbiguousError,
    CloudflareError,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account

    Record = dict[str, Any]

# What becomes of a client certificate that was uploaded, and how often it is asked for, seconds.
ACTIVE, COMING, PAUSE = "active", ("initializing", "pending_deployment"), 2.0
_FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S")


def moment(text: str) -> datetime:
    """A time as the API writes it ("2014-01-01 05:20:00 +0000 UTC" or ISO 8601), in UTC."""
    for pattern in _FORMATS:
        try:
            return datetime.strptime(text[:19], pattern).replace(tzinfo=timezone.utc)  # noqa: UP017
        except ValueError:
            continue
    raise CloudflareError(f"the API gave a time that is not understood: {text!r}")


def same_pem(one: str, other: str) -> bool:
    """Whether two PEM texts hold the same, whatever their line ends."""
    return re.sub(r"\s", "", one) == re.sub(r"\s", "", other)


class OriginCertificates:
    """The certificates that the Origin CA signed for one request."""

    def __init__(self, account: Account, csr: str, check_mode: bool) -> None:
        """Raises CloudflareError when the request is none."""
        if "CERTIFICATE REQUEST-----" not in csr:
            raise CloudflareError("csr is no certificate signing request in PEM")
        self.account, self.csr, self.check_mode = account, csr, check_mode

    def signed(self) -> list[Record]:
        """All of them, the one that lasts longest first."""
        found: list[Record] = []
        page = 1
        while True:
            query = {"zone_id": self.account.zone_id, "page": str(page), "per_page": "50"}
            part = self.account.client.get("/certificates", **query) or []
            found += [record for record in part if same_pem(record.get("csr") or "", self.csr)]
            if len(part) < 50:
                return sorted(found, key=lambda record: moment(record["expires_on"]), reverse=True)
            page += 1

    def present(
        self, hostnames: list[str], request_type: str, validity: int, renew_before: int, revoke_replaced: bool
    ) -> Record:
        """Give a certificate that is good for `renew_before` days at least; times in days."""
        known = self.signed()
        limit = datetime.now(timezone.utc) + timedelta(days=renew_before)  # noqa: UP017
        names = sorted(hostnames)
        good = [one for one in known if sorted(one["hostnames"]) == names and moment(one["expires_on"]) > limit]
        result: Record = {}
        if good:
            kept, after = good[0], _shown(good[0])
            result.update(_told(kept))
        elif self.check_mode:
            kept = {}
            after = {"hostnames": names, "request_type": request_type, "requested_validity": validity}
        else:
            body = {"csr": self.csr, "hostnames": hostnames, "request_type": request_type}
            kept = self._sign({**body, "requested_validity": validity}, {record["id"] for record in known})
            after = _shown(kept)
            result.update(_told(kept))
        others = [record for record in known if record["id"] != kept.get("id")]
        gone = others if revoke_replaced else []
        self._revoke(gone)
        before: Record = _shown(good[0] if good else known[0]) if known else {}
        if gone:
            before, after = {**before, "revoked": []}, {**after, "revoked": [record["id"] for record in gone]}
        replaced = [record["id"] for record in others if record not in gone]
        changed = bool(gone) or not good
        return {**result, "changed": changed, "replaced": replaced, "diff": {"before": before, "after": after}}

    def _revoke(self, records: list[Record]) -> None:
        for record in [] if self.check_mode else records:
            self.account.client.request("DELETE", f"/certificates/{record['id']}")

    def _sign(self, body: Record, known: set[str]) -> Record:
        try:
            made: Record = self.account.client.request("POST", "/certificates", body)
            return made
        except AmbiguousError:
            for record in self.signed():
                if record["id"] not in known and sorted(record["hostnames"]) == sorted(body["hostnames"]):
                    return record
            raise

    def absent(self) -> Record:
        """Revoke all of them."""
        known = self.signed()
        self._revoke(known)
        before = [_shown(record) for record in known]
        return {"changed": bool(known), "diff": {"before": {"certificates": before}, "after": {"certificates": []}}}


def _shown(record: Record) -> Record:
    return {
        "id": record["id"],
        "hostnames": sorted(record["hostnames"]),
        "expires_on": moment(record["expires_on"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _told(record: Record) -> Record:
    expires_on = moment(record["expires_on"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"certificate": record["certificate"], "certificate_id": record["id"], "expires_on": expires_on}


class OriginPulls:
    """The client certificate that the edge shows to a zone's origins."""

    def __init__(self, account: Account, check_mode: bool, sleep: Callable[[float], None] = time.sleep) -> None:
        self.account, self.check_mode, self._sleep = account, check_mode, sleep
        self.path = f"/zones/{account.zone_id}/origin_tls_client_auth"

    def ensure(
        self, enabled: bool, certificate: str | None, private_key: str | None, exclusive: bool, wait: float
    ) -> Record:
        """Upload the certificate if it is not there, switch once it is everywhere, and last remove others if asked.

        `wait` is how many seconds the API gets to bring it everywhere.
        """
        client = self.account.client
        held = list(client.get(self.path) or [])
        was = bool((client.get(f"{self.path}/settings") or {}).get("enabled"))
        mine = [one for one in held if certificate and same_pem(one["certificate"], certificate)]
        mine.sort(key=lambda one: _rank(one.get("status", ACTIVE)))
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
            gone = [one for one in after if one not in mine]
            for one in [] if self.check_mode else gone:
                client.request("DELETE", f"{self.path}/{one['id']}")
            after = mine
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


def _rank(status: str) -> int:
    """The order in which records of one certificate are taken: there, on the way, failed."""
    return 0 if status == ACTIVE else 1 if status in COMING else 2


def _pull(record: Record) -> Record:
    return {name: record.get(name) for name in ("id", "issuer", "expires_on")}
