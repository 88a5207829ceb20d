# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a folder's certificates are what is wanted, without a process for each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

try:
    from cryptography import x509
    from cryptography.hazmat.primitives import serialization
    from cryptography.x509.oid import NameOID

    HAS_CRYPTOGRAPHY = True
except ImportError:
    HAS_CRYPTOGRAPHY = False


def certificates_are_current(
    directory: Path, wanted: Mapping[str, str], server: str, server_names: Sequence[str], renew_days: float
) -> bool:
    """Whether C(ca.crt) and every wanted certificate are there, belong to their keys and will do for a while.

    :arg wanted: name of the file without its suffix to the certificate's common name.
    :arg server: which of them carries the server's names.
    :arg server_names: C(DNS:...) and C(IP:...).
    :arg renew_days: days before their end from which certificates are made anew.
    """
    if not HAS_CRYPTOGRAPHY:
        return False
    soon = datetime.now(UTC) + timedelta(days=renew_days)
    try:
        authority = _load(directory, "ca")
        if _end(authority) <= soon:
            return False
        for file, common_name in wanted.items():
            certificate = _load(directory, file)
            certificate.verify_directly_issued_by(authority)
            names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
            if _end(certificate) <= soon or [name.value for name in names] != [common_name]:
                return False
            if file == server and _alternatives(certificate) != set(server_names):
                return False
    except Exception:
        # Whatever is wrong with a file, it is made anew, and what makes it says what is wrong.
        return False
    return True


def _load(directory: Path, name: str) -> x509.Certificate:
    """Read a certificate and check that the key beside it is its own."""
    certificate = x509.load_pem_x509_certificate((directory / f"{name}.crt").read_bytes())
    key = serialization.load_pem_private_key((directory / f"{name}.key").read_bytes(), password=None)
    form = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    if certificate.public_key().public_bytes(*form) != key.public_key().public_bytes(*form):
        raise ValueError(f"{name}.key is not the key of {name}.crt")
    return certificate


def _end(certificate: x509.Certificate) -> datetime:
    return certificate.not_valid_after_utc


def _alternatives(certificate: x509.Certificate) -> set[str]:
    extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    dns = [f"DNS:{name}" for name in extension.get_values_for_type(x509.DNSName)]
    addresses = [f"IP:{address}" for address in extension.get_values_for_type(x509.IPAddress)]
    return {*dns, *addresses}
