# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The stand-in for CockroachDB as the role uses it: three nodes on loopback addresses, its command line, its ports."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from ansible_collections.meridian.geokube.plugins.plugin_utils.cockroachdb import (
    Wish,
    database_is_whole,
    plan_statements,
    read_state,
    state_queries,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

ROOT = Path(__file__).resolve().parents[3]
STAND_IN = ROOT / "lab" / "standins" / "cockroach" / "cockroach_standin"
SERVICE_PACKAGES = ROOT / "apps" / "style_transfer" / ".venv" / "lib" / "python3.11" / "site-packages"
PYTHON = Path("/usr/bin/python3.11")
REGIONS = ("sg", "au", "ru")
WISH = Wish("sg", REGIONS, "region", {"shop": "owner"}, {"kv.closed_timestamp.lead_for_global_reads_override": "835ms"})

pytestmark = pytest.mark.skipif(
    not (Path("/usr/lib/postgresql/15/bin/postgres").exists() and (SERVICE_PACKAGES / "psycopg").exists()),
    reason="needs Debian's postgresql-15 and the service's environment (make setup)",
)


def write_certificates(folder: Path) -> None:
    """A CA, a node's certificate for the test's addresses, and two clients'."""
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "ca")])
    authority = ec.generate_private_key(ec.SECP256R1())
    addresses = [x509.IPAddress(ip_address(f"127.0.1.{number}")) for number in (1, 2, 3)]
    for file, common_name in (("ca", "ca"), ("node", "node"), ("client.root", "root"), ("client.owner", "owner")):
        key = authority if file == "ca" else ec.generate_private_key(ec.SECP256R1())
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
            .issuer_name(name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.SubjectAlternativeName(addresses), critical=False)
            .add_extension(x509.BasicConstraints(file == "ca", None), critical=True)
            .sign(authority, hashes.SHA256())
        )
        (folder / f"{file}.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        path = folder / f"{file}.key"
        path.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
        path.chmod(0o600)


class Cluster:
    """Three nodes, one in each region."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="geokube-cockroach-"))
        self.certificates = self.folder / "certificates"
        self.certificates.mkdir()
        write_certificates(self.certificates)
        packages = self.folder / "packages"
        shutil.copytree(STAND_IN, packages / "cockroach_standin", ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("psycopg", "psycopg_binary", "psycopg_binary.libs"):
            shutil.copytree(SERVICE_PACKAGES / name, packages / name)
        shutil.copy(SERVICE_PACKAGES / "typing_extensions.py", packages)
        # PostgreSQL refuses to run as root.
        self.user = "nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        if os.geteuid() == 0:
            owner = pwd.getpwnam(self.user).pw_uid
            for path in (self.folder, *self.folder.rglob("*")):
                os.chown(path, owner, -1)
        self.environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(packages), "HOME": str(self.folder)}
        self.nodes: dict[int, subprocess.Popen[bytes]] = {}

    def command(self, *arguments: str) -> list[str]:
        return [str(PYTHON), "-m", "cockroach_standin.cli", *arguments]

    def run(self, *arguments: str, node: int = 1) -> subprocess.CompletedProcess[str]:
        flags = (f"--certs-dir={self.certificates}", f"--host=127.0.1.{node}")
        command = self.command(*arguments, *flags)
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, user=self.user, capture_output=True, text=True, check=False
        )

    def sql(self, *statements: str, node: int = 1, more: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        executed = [part for statement in statements for part in ("-e", statement)]
        return self.run("sql", "--format=csv", *more, *executed, node=node)

    def start(self, number: int) -> None:
        region, address = REGIONS[number - 1], f"127.0.1.{number}"
        command = self.command(
            "start",
            f"--certs-dir={self.certificates}",
            "--join=127.0.1.1:26257,127.0.1.2:26257,127.0.1.3:26257",
            f"--locality=region={region},zone={region}-a",
            f"--advertise-host={address}",
            f"--listen-addr={address}:26257",
            f"--http-addr={address}:8080",
            f"--store=path={self.folder}/{number}",
        )
        with (self.folder / f"{number}.log").open("ab") as log:
            self.nodes[number] = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, user=self.user, stderr=log
            )

    def status(self, number: int) -> int:
        context = ssl.create_default_context(cafile=str(self.certificates / "ca.crt"))
        try:
            url = f"https://127.0.1.{number}:8080/health?ready=1"
            with urllib.request.urlopen(url, context=context, timeout=8) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def wait(self, number: int, status: int) -> None:
        deadline = time.monotonic() + 40
        while self.status(number) != status:
            assert time.monotonic() < deadline, (self.folder / f"{number}.log").read_text()[-2000:]
            time.sleep(0.3)

    def end(self, number: int, how: signal.Signals = signal.SIGTERM) -> None:
        process = self.nodes.pop(number)
        process.send_signal(how)
        process.wait(timeout=40)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    made = Cluster()
    try:
        for number in (1, 2, 3):
            made.start(number)
        for number in (1, 2, 3):
            made.wait(number, 503)
        first = made.run("init")
        assert first.returncode == 0, first.stderr
        for number in (1, 2, 3):
            made.wait(number, 200)
        yield made
    finally:
        for number in list(made.nodes):
            made.end(number)
        shutil.rmtree(made.folder)


def needed(cluster: Cluster) -> list[str]:
    answer = cluster.sql(*state_queries(list(WISH.settings)))
    assert answer.returncode == 0, answer.stderr
    return plan_statements(read_state(answer.stdout), WISH)


def test_it_is_initialized_once(cluster: Cluster) -> None:
    for number in (1, 2):
        again = cluster.run("init", node=number)
        assert again.returncode == 1
        assert "already been initialized" in again.stderr


def test_the_roles_sql_leads_to_its_wish_and_then_to_nothing(cluster: Cluster) -> None:
    statements = needed(cluster)
    assert len(statements) >= 8
    ran = cluster.sql(*statements, node=2)
    assert ran.returncode == 0, ran.stderr
    assert needed(cluster) == []
    shown = cluster.sql("SHOW DATABASES", node=3).stdout
    assert 'shop,owner,sg,NULL,"{au,ru,sg}",region' in shown


def test_every_node_leads_to_the_same_data(cluster: Cluster) -> None:
    cluster.sql(*needed(cluster))
    as_owner = ("--user=owner", "--database=shop")
    made = cluster.sql("CREATE TABLE IF NOT EXISTS t (a int PRIMARY KEY)", "INSERT INTO t VALUES (7)", more=as_owner)
    assert made.returncode == 0, made.stderr
    for number in (1, 2, 3):
        assert cluster.sql("SELECT a FROM t", node=number, more=as_owner).stdout == "a\n7\n"
    located = cluster.sql("ALTER TABLE t SET LOCALITY REGIONAL BY ROW", "SHOW TABLES", more=("--database=shop",))
    assert "REGIONAL BY ROW" in located.stdout


def test_nodes_are_listed_and_whole(cluster: Cluster) -> None:
    deadline = time.monotonic() + 20
    while not database_is_whole(shown := cluster.run("node", "status", "--ranges", "--format=csv").stdout):
        assert time.monotonic() < deadline, shown
        time.sleep(0.5)
    assert all(f"region={region}" in shown for region in REGIONS)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("BACKUP INTO 'nodelocal://1/x'", "the stand-in does not know the statement"),
        ("LISTEN news", "the stand-in does not know the statement"),
        ("VACUUM", "the stand-in does not know the statement"),
        ("CREATE CHANGEFEED FOR t", "the stand-in does not know the statement"),
        ("SET CLUSTER SETTING server.nonsense = 1", "unknown cluster setting"),
        ("SET CLUSTER SETTING diagnostics.reporting.enabled = 7", "requires a Boolean"),
        ('ALTER DATABASE shop ADD REGION "mars"', "valid regions: au, ru, sg"),
        ('ALTER DATABASE nothing SET PRIMARY REGION "sg"', "does not exist"),
        ('ALTER DATABASE defaultdb ADD REGION "sg"', "PRIMARY REGION first"),
        ("ALTER DATABASE defaultdb SURVIVE REGION FAILURE", "must have associated regions"),
        ("SELEC 1", "the stand-in does not know"),
        ("SELECT nothing", "does not exist"),
    ],
)
def test_what_it_does_not_know_is_refused(cluster: Cluster, statement: str, said: str) -> None:
    answer = cluster.sql(statement)
    assert answer.returncode == 1
    assert said in answer.stderr


def test_commands_and_flags_that_it_does_not_know_are_refused(cluster: Cluster) -> None:
    for arguments in (("debug", "zip"), ("sql", "--insecure", "-e", "SELECT 1"), ("start-single-node",)):
        answer = cluster.run(*arguments)
        assert answer.returncode == 1
        assert "stand-in for CockroachDB" in answer.stderr


def test_a_node_without_a_zone_does_not_start(cluster: Cluster) -> None:
    flags = ("--join=x", "--locality=region=au,zone=", "--advertise-host=x")
    answer = cluster.run("start", *flags)
    assert answer.returncode == 1


def test_data_outlive_the_death_of_the_node_that_has_them(cluster: Cluster) -> None:
    cluster.sql("CREATE TABLE IF NOT EXISTS kept (a int PRIMARY KEY)", "INSERT INTO kept VALUES (1)")
    cluster.end(1, signal.SIGKILL)
    cluster.wait(2, 503)
    cluster.start(1)
    cluster.wait(2, 200)
    assert cluster.sql("SELECT a FROM kept", node=2).stdout == "a\n1\n"


def test_a_node_that_lost_its_data_says_so_instead_of_beginning_anew(cluster: Cluster) -> None:
    store = cluster.folder / "1"
    cluster.end(1)
    store.rename(cluster.folder / "away")
    cluster.start(1)
    assert cluster.nodes.pop(1).wait(timeout=40) == 1
    assert "empty" in (cluster.folder / "1.log").read_text().splitlines()[-1]
    shutil.rmtree(store, ignore_errors=True)
    (cluster.folder / "away").rename(store)
    cluster.start(1)
    cluster.wait(3, 200)
