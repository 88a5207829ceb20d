# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's fixed credentials: they open nothing but the emulators on loopback.

Each cloud has two identities: the lab's own and a guest, who is known but may read nothing (403).
"""

from __future__ import annotations

from typing import Literal

AWS_ACCESS_KEY_ID = AWS_SECRET_ACCESS_KEY = "geokube-lab"
AWS_GUEST_ACCESS_KEY_ID = AWS_GUEST_SECRET_ACCESS_KEY = "geokube-lab-guest"
GCP_TOKEN = "geokube-lab-gcp-token"
DIGITALOCEAN_TOKEN = "geokube-lab-digitalocean-token"
YANDEX_TOKEN = "geokube-lab-yandex-token"

Identity = Literal["owner", "guest", "unknown", "missing"]


def guest(token: str) -> str:
    """The guest's token beside the lab's own."""
    return token.replace("-token", "-guest-token")


def environment() -> dict[str, str]:
    """The lab's credentials in the environment variables that each cloud's users know."""
    return {
        "AWS_ACCESS_KEY_ID": AWS_ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": AWS_SECRET_ACCESS_KEY,
        # Without this a client asks the machine's metadata server when a key is missing.
        "AWS_EC2_METADATA_DISABLED": "true",
        "GCP_AUTH_KIND": "accesstoken",
        "GCP_ACCESS_TOKEN": GCP_TOKEN,
        "DIGITALOCEAN_ACCESS_TOKEN": DIGITALOCEAN_TOKEN,
        "YC_IAM_TOKEN": YANDEX_TOKEN,
    }


class Tokens:
    """Which bearer tokens an emulator takes; those that it issues itself are added while it runs."""

    def __init__(self, owner: str) -> None:
        self._identities: dict[str, Identity] = {owner: "owner", guest(owner): "guest"}

    def issue(self, token: str, identity: Identity = "owner") -> None:
        """Makes a token known."""
        self._identities[token] = identity

    def revoke(self, token: str) -> None:
        """Makes a token unknown."""
        self._identities.pop(token, None)

    def identity(self, token: str | None) -> Identity:
        """Whose token it is."""
        return "missing" if token is None else self._identities.get(token, "unknown")
