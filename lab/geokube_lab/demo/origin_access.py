"""How to ask an origin itself, past the edge: as the edge does, with its certificate and its trust."""

from __future__ import annotations

from pathlib import Path

from geokube_lab import paths

NAME = "style.geokube.test"
ORIGIN_CA = paths.DATA / "edge" / "origin-ca" / "ca.crt"


def authorities(state: Path, bundle: Path) -> Path:
    """Write one file of all authorities, the edge's and the origins', so that all requests check the same."""
    known = (paths.CA / "ca.crt", state / "certificates" / "ca.crt", ORIGIN_CA)
    bundle.write_bytes(b"".join(path.read_bytes() for path in known if path.exists()))
    return bundle


def past_the_edge(address: str, state: Path) -> tuple[str, ...]:
    """Give curl's options to go to one origin itself, which takes nobody without the edge's client certificate."""
    certificate, key = (state / "certificates" / "pulls" / f"client.{kind}" for kind in ("crt", "key"))
    shown = ("--cert", str(certificate), "--key", str(key)) if certificate.exists() else ()
    return ("--connect-to", f"{NAME}:443:{address}:443", *shown)
