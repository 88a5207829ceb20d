# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificate authorities of the lab: one that users trust, and Cloudflare's Origin CA that only the edge trusts."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
PublicKey = CertificateIssuerPublicKeyTypes


class Authority:
    """A certificate and its key in a folder (NAME.crt, NAME.key), made when it is not there yet."""

    def __init__(self, folder: Path, name: str, title: str) -> None:
        self.certificate_path, self.key_path = folder / f"{name}.crt", folder / f"{name}.key"
        if not (self.certificate_path.exists() and self.key_path.exists()):
            self._create(title)
        self.certificate = x509.load_pem_x509_certificate(self.certificate_path.read_bytes())
        key = serialization.load_pem_private_key(self.key_path.read_bytes(), None)
        self.key = key

    def _create(self, title: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        certificate = (
            _builder(name, name, key.public_key(), timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(_usage(sign=True), critical=True)
            .sign(key, hashes.SHA256())
        )
        self.certificate_path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self.key_path, private_pem(key))
        self.certificate_path.write_bytes(certificate.public_bytes(PEM))

    def issue(self, hostnames: list[str], public_key: PublicKey, validity: timedelta) -> x509.Certificate:
        """Sign a certificate for a server; the first name becomes its common name."""
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hostnames[0][:64])])
        key_identifier = self.certificate.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        return (
            _builder(subject, self.certificate.subject, public_key, validity)
            .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in hostnames]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
                critical=False,
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(key_identifier), critical=False
            )
            .sign(self.key, hashes.SHA256())  # type: ignore[arg-type]
        )

    def server_files(self, folder: Path, name: str, hostnames: list[str]) -> tuple[Path, Path]:
        """Make a key and a certificate for these names in a folder; give the paths of certificate and key."""
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self.issue(hostnames, key.public_key(), timedelta(days=397))
        folder.mkdir(parents=True, exist_ok=True)
        certificate_path, key_path = folder / f"{name}.crt", folder / f"{name}.key"
        write_private(key_path, private_pem(key))
        certificate_path.write_bytes(certificate.public_bytes(PEM))
        return certificate_path, key_path


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """The key as PKCS #8, not encrypted."""
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, from its first byte on."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: PublicKey, validity: timedelta
) -> x509.CertificateBuilder:
    start = datetime.now(UTC) - timedelta(minutes=5)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + validity)
    )


def _usage(sign: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True, content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, key_cert_sign=sign, crl_sign=sign, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
