# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""How Yandex Cloud hands out IAM tokens: to a service account's signed assertion."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from functools import cached_property

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from geokube_lab.clouds.credentials import Tokens

SERVICE_ACCOUNT_ID = "ajegeokubelab0000000"
KEY_ID = "ajegeokubelabkey0000"
AUDIENCE = "https://iam.api.cloud.yandex.net/iam/v1/tokens"
_LIFETIME = timedelta(hours=12)


class InvalidAssertion(ValueError):
    """An assertion that is not signed by the service account's key, is late, or is for somebody else."""


class IdentityProvider:
    """Knows one service account and its key."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    @cached_property
    def _key(self) -> rsa.RSAPrivateKey:
        return rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def service_account_key(self) -> dict[str, str]:
        """The content of a key file as ``yc iam key create`` writes it."""
        private = self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        public = self._key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        return {
            "id": KEY_ID,
            "service_account_id": SERVICE_ACCOUNT_ID,
            "created_at": "2026-01-15T09:30:00Z",
            "key_algorithm": "RSA_2048",
            "public_key": public.decode(),
            "private_key": private.decode(),
        }

    def exchange(self, assertion: str) -> tuple[str, datetime]:
        """A token for an assertion, and when it ends. Raises InvalidAssertion."""
        try:
            jwt.decode(
                assertion,
                self._key.public_key(),
                algorithms=["PS256"],
                audience=AUDIENCE,
                issuer=SERVICE_ACCOUNT_ID,
                leeway=10,
            )
        except jwt.PyJWTError as error:
            raise InvalidAssertion(str(error)) from error
        return self.issue()

    def issue(self) -> tuple[str, datetime]:
        """A new token and when it ends."""
        token = f"t1.{secrets.token_urlsafe(24)}"
        self._tokens.issue(token)
        return token, datetime.now(UTC) + _LIFETIME
