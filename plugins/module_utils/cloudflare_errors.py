# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Cloudflare's refusals mean and what to do about them."""

from __future__ import annotations

from typing import Any

# The permission that each part of the API asks of a token, the first fragment that fits the path counts.
PERMISSIONS = (
    ("/accounts/", "Account > Load Balancing: Monitors and Pools"),
    ("/load_balancers", "Zone > Load Balancers"),
    ("/origin_tls_client_auth", "Zone > SSL and Certificates"),
    ("/certificates", "Zone > SSL and Certificates"),
    ("/rulesets", "Zone > Cache Rules"),
    ("/settings", "Zone > Zone Settings"),
    ("/dns_records", "Zone > DNS"),
    ("/zones", "Zone > Zone"),
)
NOT_FOUND, INVALID, NOT_UNIQUE, REFERENCED = 1001, 1002, 1003, 1005


class CloudflareError(Exception):
    """The API refused, or could not be asked. `status` is 0 when there was no answer."""

    def __init__(self, message: str, status: int = 0, codes: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.codes = codes


class AmbiguousError(CloudflareError):
    """A POST whose effect is not known: look before posting again."""

    def __init__(self, cause: CloudflareError) -> None:
        super().__init__(cause.message, cause.status, cause.codes)


class RefusedError(CloudflareError):
    """This collection refuses, to keep users served or others' objects safe; `force` overrides."""


def explain(method: str, path: str, status: int, answer: Any) -> CloudflareError:
    """Turn an answer into an error that says what was asked, what was wrong, and what to do."""
    entries = answer.get("errors") or [] if isinstance(answer, dict) else []
    codes = tuple(int(entry.get("code") or 0) for entry in entries if isinstance(entry, dict))
    told = "; ".join(f"{entry.get('message', '')} (code {entry.get('code')})" for entry in entries)
    if not told:
        told = str(answer).strip()[:200] if status == 0 or not isinstance(answer, dict) else "no reason given"
    what = f"{method} {path}: HTTP {status}: {told}" if status else f"{method} {path}: no answer: {told}"
    hint = _hint(method, path, status, codes, told.lower())
    return CloudflareError(f"{what}. {hint}" if hint else what, status, codes)


def _hint(method: str, path: str, status: int, codes: tuple[int, ...], told: str) -> str:
    if status == 401 or 9109 in codes or 1000 in codes:
        return "The API token is not accepted: it is mistyped, expired or revoked"
    if status == 400 and (6003 in codes or 9106 in codes):
        return "The request carried no usable token: check api_token, api_token_file or CLOUDFLARE_API_TOKEN"
    if status == 403:
        scope = next((scope for fragment, scope in PERMISSIONS if fragment in path), "")
        return (
            f"The token lacks the permission '{scope}: {'Read' if method == 'GET' else 'Edit'}', "
            "or is not meant for this account or zone"
        )
    if REFERENCED in codes or (INVALID in codes and "referenced" in told):
        return "Something still uses the object: remove it there first, or name both in one cloudflare_traffic task"
    if NOT_UNIQUE in codes:
        return "Another object has this name: choose another name, or manage that object by its name"
    if INVALID in codes and "not enabled" in told:
        return "The account's plan lacks this feature: leave the option out, or add the subscription"
    if INVALID in codes:
        return "Change the option that the message names"
    if NOT_FOUND in codes or status == 404:
        return "Check account_id and zone, and that nobody deletes objects at the same time"
    if 300 <= status < 400:
        return "base_url is redirected: give the address that is meant"
    if 200 <= status < 300:
        return "That is no answer of Cloudflare's API: check base_url and what stands between, or run again later"
    if status >= 500 or status == 0:
        return "Cloudflare or the way to it failed, also when asked again: run again later"
    return ""
