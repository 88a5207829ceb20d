"""Identifiers of machines in the shape that each cloud gives them, derived from the machine's name."""

from __future__ import annotations

import hashlib

_LETTERS = "abcdefghijklmnopqrstuv0123456789"


def instance_id(cloud: str, name: str) -> str:
    """A stable identifier: i-<17 hex> (aws), 19 digits (gcp), 9 digits (digitalocean), fhm<17> (yandex)."""
    digest = hashlib.sha256(f"{cloud}/{name}".encode()).digest()
    number = int.from_bytes(digest[:8], "big")
    match cloud:
        case "aws":
            return f"i-0{digest.hex()[:16]}"
        case "gcp":
            return str(10**18 + number % (8 * 10**18))
        case "digitalocean":
            return str(10**8 + number % (9 * 10**8))
        case "yandex":
            return "fhm" + "".join(_LETTERS[byte % 32] for byte in digest[:17])
    raise ValueError(f"no identifiers for cloud {cloud!r}")
