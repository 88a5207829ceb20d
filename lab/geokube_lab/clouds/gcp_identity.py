# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Google hands out access tokens: to a service account's signed assertion, and from the metadata server."""

from __future__ import annotations

import json
import secrets
from functools import cached_property
from urllib.parse import parse_qs

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from geokube_lab.clouds.credentials import Tokens
from geokube_lab.clouds.machine import GCP_PROJECT
from geokube_lab.clouds.messages import Request, Response, json_response

EMAIL = f"inventory@{GCP_PROJECT}.iam.gserviceaccount.com"
# google-auth signs for this one whatever the key file says.
_GOOGLE_TOKEN_URI = "https://oauth2.googleapis.com/token"
_LIFETIME = 3600
_METADATA = "/computeMetadata/v1/"


class IdentityProvider:
    """The token endpoint (``/token``) and a machine's metadata (``GCE_METADATA_HOST``), on Compute Engine's port."""

    def __init__(self, tokens: Tokens, endpoint: str) -> None:
        self._tokens = tokens
        self._token_uri = f"{endpoint}/token"

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def service_account(self) -> dict[str, str]:
        """The content of a service account's key file whose assertions this endpoint takes."""
        pem = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return {
            "type": "service_account",
            "project_id": GCP_PROJECT,
            "private_key_id": "geokube-lab-key",
            "private_key": pem.decode(),
            "client_email": EMAIL,
            "client_id": "100000000000000000001",
            "token_uri": self._token_uri,
        }

    def respond(self, request: Request) -> Response:
        """The answer to a request for a token or for metadata."""
        if request.path == "/token" and request.method == "POST":
            return self._exchange(request)
        if request.path == "/":
            return Response(200, b"", "text/html", {"Metadata-Flavor": "Google"})
        if request.path.startswith(_METADATA):
            if request.headers.get("Metadata-Flavor") != "Google":
                return Response(403, b"Missing required header: Metadata-Flavor", "text/plain")
            return self._metadata(request, request.path.removeprefix(_METADATA).strip("/"))
        return Response(404, b"not found", "text/plain")

    def _exchange(self, request: Request) -> Response:
        form = parse_qs(request.body.decode("utf-8", "replace"))
        assertion = form.get("assertion", [""])[0]
        try:
            jwt.decode(
                assertion,
                self._key.public_key(),
                algorithms=["RS256"],
                audience=[self._token_uri, _GOOGLE_TOKEN_URI],
                issuer=EMAIL,
                leeway=10,
            )
        except jwt.PyJWTError as error:
            return json_response(400, {"error": "invalid_grant", "error_description": f"Invalid JWT: {error}"})
        return json_response(200, self._issued())

    def _metadata(self, request: Request, path: str) -> Response:
        account = path.removeprefix("instance/service-accounts/")
        match account.split("/"):
            case [_, "token"]:
                return _metadata_response(json.dumps(self._issued()), "application/json")
            case [_, "email"]:
                return _metadata_response(EMAIL)
            case [_] if account != path:
                document = {
                    "aliases": ["default"],
                    "email": EMAIL,
                    "scopes": ["https://www.googleapis.com/auth/compute"],
                }
                return _metadata_response(json.dumps(document), "application/json")
        if path == "project/project-id":
            return _metadata_response(GCP_PROJECT)
        if path == "universe/universe-domain":
            return _metadata_response("googleapis.com")
        return Response(404, b"not found", "text/plain", {"Metadata-Flavor": "Google"})

    def _issued(self) -> dict[str, str | int]:
        token = f"ya29.{secrets.token_urlsafe(24)}"
        self._tokens.issue(token)
        return {"access_token": token, "expires_in": _LIFETIME, "token_type": "Bearer"}


def _metadata_response(text: str, content_type: str = "application/text") -> Response:
    return Response(200, text.encode(), content_type, {"Metadata-Flavor": "Google"})
