# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that origins show to Cloudflare's edge, signed by its Origin CA."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_errors import (
    AmbiguousError,
    CloudflareError,
)

if TYPE_CHECKING:
    from ansible_collections.meridian.geokube.plugins.module_utils.cloudflare_account import Account

    Record = dict[str, Any]

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
        """All that are still good for anything, the one that lasts longest first."""
        found: list[Record] = []
        page = 1
        while True:
            query = {"zone_id": self.account.zone_id, "page": str(page), "per_page": "50"}
            part = self.account.client.get("/certificates", **query) or []
            found += [record for record in part if same_pem(record.get("csr") or "", self.csr) and _alive(record)]
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


def _alive(record: Record) -> bool:
    return not record.get("revoked_at") and moment(record["expires_on"]) > datetime.now(timezone.utc)  # noqa: UP017


def _shown(record: Record) -> Record:
    return {
        "id": record["id"],
        "hostnames": sorted(record["hostnames"]),
        "expires_on": moment(record["expires_on"]).strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


def _told(record: Record) -> Record:
    expires_on = moment(record["expires_on"]).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"certificate": record["certificate"], "certificate_id": record["id"], "expires_on": expires_on}
