# Copyright: (c) 2026, Meridian
# SPDX-License-Identifier: GPL-3.0-or-later
"""An HTTPS proxy that answers for hosts of the internet from servers on this machine.

For clients that have no option for their API's address: they are given this as HTTPS_PROXY, and its authority to trust.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CHUNK = 1 << 16


class TlsFront:
    """Serves C(hosts), name to local port, on a free port; C(folder) takes the authority's certificate and key."""

    def __init__(self, hosts: Mapping[str, int], folder: Path) -> None:
        self._hosts = dict(hosts)
        self.authority = folder / "authority.pem"
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(_certificate(list(hosts), self.authority, folder / "server.pem"))
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _address = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        host = head.split()[1].decode().partition(":")[0]
        client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        upstream = socket.create_connection(("127.0.0.1", self._hosts[host]))
        secure = self._context.wrap_socket(client, server_side=True)
        threading.Thread(target=_copy, args=(upstream, secure), daemon=True).start()
        _copy(secure, upstream)


def _copy(source: socket.socket, target: socket.socket) -> None:
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
    except OSError:
        pass
    finally:
        for each in (source, target):
            each.close()


def _certificate(hosts: list[str], authority: Path, server: Path) -> Path:
    """Write a certificate that is its own authority, and the file that the server loads."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, hosts[0])])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    authority.write_bytes(public)
    server.touch(mode=0o600)
    server.write_bytes(private + public)
    return server
