# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signature Version 4: whose request it is, and whether it was signed with that key's secret.

The steps are those of AWS's reference, "Create a signed AWS API request".
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlsplit

from geokube_lab.clouds.messages import Request

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/(?P<date>\d{8})/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request,"
    r"\s*SignedHeaders=(?P<headers>[^,\s]+),\s*Signature=(?P<signature>[0-9a-f]{64})"
)


@dataclass(frozen=True, slots=True)
class Credential:
    """What a signed request says of itself."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def credential_of(request: Request) -> Credential | None:
    """The credential in the Authorization header; None where there is none or it is malformed."""
    match = _AUTHORIZATION.fullmatch(request.headers.get("Authorization", ""))
    if match is None:
        return None
    headers = tuple(match["headers"].split(";"))
    return Credential(match["key"], match["date"], match["region"], match["service"], headers, match["signature"])


def is_valid(request: Request, credential: Credential, secret: str) -> bool:
    """Whether the signature is what the secret gives for this request."""
    scope = f"{credential.date}/{credential.region}/{credential.service}/aws4_request"
    to_sign = "\n".join(
        [
            "AWS4-HMAC-SHA256",
            request.headers.get("X-Amz-Date", ""),
            scope,
            hashlib.sha256(_canonical(request, credential).encode()).hexdigest(),
        ]
    )
    key = f"AWS4{secret}".encode()
    for part in (credential.date, credential.region, credential.service, "aws4_request"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    expected = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected, credential.signature)


def _canonical(request: Request, credential: Credential) -> str:
    parts = urlsplit(request.target)
    path = parts.path or "/"
    query = sorted(parse_qsl(parts.query, keep_blank_values=True))
    headers = [f"{name}:{' '.join(request.headers.get(name, '').split())}" for name in credential.signed_headers]
    payload = request.headers.get("X-Amz-Content-SHA256") or hashlib.sha256(request.body).hexdigest()
    return "\n".join(
        [
            request.method,
            # S3 alone signs the path as it is sent.
            path if credential.service == "s3" else quote(path, safe="/~"),
            "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in query),
            *headers,
            "",
            ";".join(credential.signed_headers),
            payload,
        ]
    )
