"""The certificates of a `--certs-dir`, named as CockroachDB names them."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from cockroach_standin import StandInError


@dataclass(frozen=True)
class CertificatesDirectory:
    """ca.crt, node.crt with node.key, client.<user>.crt with client.<user>.key."""

    path: Path

    def file(self, name: str) -> Path:
        """Return a file's path; StandInError when it is not there."""
        path = self.path / name
        if not path.is_file():
            raise StandInError(f"cannot load certificates: {path} is missing (--certs-dir={self.path})")
        return path

    def pair(self, owner: str) -> tuple[Path, Path]:
        """Return certificate and key of `node` or `client.<user>`."""
        return self.file(f"{owner}.crt"), self.file(f"{owner}.key")

    def server_context(self) -> ssl.SSLContext:
        """TLS as the node; a client's certificate is checked when it shows one."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.pair("node"))
        context.load_verify_locations(self.file("ca.crt"))
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def client_context(self, owner: str) -> ssl.SSLContext:
        """TLS towards a node, as `node` or `client.<user>`."""
        context = ssl.create_default_context(cafile=str(self.file("ca.crt")))
        context.load_cert_chain(*self.pair(owner))
        return context

    def connection_parameters(self, user: str) -> dict[str, str]:
        """What psycopg needs to connect as a user (`node` uses the node's certificate)."""
        certificate, key = self.pair("node" if user == "node" else f"client.{user}")
        return {
            "user": user,
            "sslmode": "verify-full",
            "sslrootcert": str(self.file("ca.crt")),
            "sslcert": str(certificate),
            "sslkey": str(key),
        }


def common_name(certificate: object) -> str | None:
    """The common name in what SSLObject.getpeercert returns."""
    subject = certificate.get("subject", ()) if isinstance(certificate, dict) else ()
    return next((value for part in subject for key, value in part if key == "commonName"), None)
