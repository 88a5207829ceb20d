# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When certificates can stay as they are."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.certificates import certificates_are_current
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

WANTED = {"node": "node", "client.root": "root"}
NAMES = ["DNS:localhost", "IP:127.0.0.1"]


class Authority:
    """A CA that writes certificates into a folder."""

    def __init__(self, folder: Path, days: int = 3650) -> None:
        self.folder = folder
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
        self.key = self.write("ca", "ca", days, authority=True)

    def write(self, file: str, name: str, days: int = 365, authority: bool = False) -> ec.EllipticCurvePrivateKey:
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        alternatives = [x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(self.name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        )
        certificate = builder.sign(key if authority else self.key, hashes.SHA256())
        (self.folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (self.folder / f"{file}.key").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
        return key


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    made = Authority(tmp_path)
    for file, name in WANTED.items():
        made.write(file, name)
    return made


def current(folder: Path, names: list[str] = NAMES, days: float = 90) -> bool:
    return certificates_are_current(folder, WANTED, "node", names, days)


def test_good_certificates_stay(authority: Authority) -> None:
    assert current(authority.folder)


def test_a_missing_file_a_foreign_key_and_rubbish_do_not(authority: Authority) -> None:
    folder = authority.folder
    kept = (folder / "node.key").read_bytes()
    for bad in (None, (folder / "client.root.key").read_bytes(), b"rubbish"):
        if bad is None:
            (folder / "node.key").unlink()
        else:
            (folder / "node.key").write_bytes(bad)
        assert not current(folder)
    (folder / "node.key").write_bytes(kept)
    assert current(folder)


def test_an_end_that_is_near_does_not(authority: Authority) -> None:
    assert not current(authority.folder, days=400)
    authority.write("client.root", "root", days=30)
    assert not current(authority.folder)


def test_other_names_do_not(authority: Authority) -> None:
    assert not current(authority.folder, names=[*NAMES, "DNS:crdb-mars"])
    authority.write("client.root", "admin")
    assert not current(authority.folder)


def test_another_authority_does_not(authority: Authority) -> None:
    Authority(authority.folder)
    assert not current(authority.folder)


def test_an_empty_folder_does_not(tmp_path: Path) -> None:
    assert not current(tmp_path)
