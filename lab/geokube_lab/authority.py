"""The lab's certificate authority, which the users of the lab trust."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from geokube_lab import paths, storage

CERTIFICATE = paths.CA / "ca.crt"
KEY = paths.CA / "ca.key"


def ensure() -> None:
    """Make the authority once: ECDSA P-256, ten years, key readable by its owner alone."""
    if CERTIFICATE.exists() and KEY.exists():
        return
    # Only needed once, and slow to import.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    paths.CA.mkdir(parents=True, exist_ok=True)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "geokube lab")])
    now = datetime.now(UTC)
    usage = {name: name in ("key_cert_sign", "crl_sign") for name in _KEY_USAGES}
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    storage.replace(KEY, private, 0o600)
    storage.replace(CERTIFICATE, certificate.public_bytes(serialization.Encoding.PEM))


_KEY_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
    "encipher_only",
    "decipher_only",
)
