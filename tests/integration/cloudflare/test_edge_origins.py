# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The emulator's edge towards origins: whose certificates it takes, and to whom it shows its own."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from cloudflare_harness import ACCOUNT, PULLS, ZONE, Edge, OriginServer, free_port, wait_for
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from geokube_lab.edge.__main__ import client_certificates
from geokube_lab.edge.authority import PEM, Authority, private_pem, write_private
from geokube_lab.edge.certificates import deploy
from geokube_lab.edge.store import Store

NAME, ADDRESS = "style.geokube.test", "127.0.2.5"
BALANCING = f"/accounts/{ACCOUNT}/load_balancers"
Start = Callable[..., OriginServer]
# An origin that refuses a client says so after its handshake (525), or its reset overtakes what it says (520).
REFUSED = (520, 525)


@pytest.fixture
def start(edge: Edge) -> Iterator[Start]:
    """Start an origin with a certificate's files, which takes clients of an authority, and send users to it."""
    made: list[OriginServer] = []

    def started(files: tuple[Path, Path], clients: Authority | None = None, probe_zone: str = "") -> OriginServer:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*files)
        if clients:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(clients.certificate_path)
        port = free_port(ADDRESS)
        made.append(OriginServer("au", ADDRESS, port, context))
        register(edge, port, probe_zone)
        return made[-1]

    yield started
    for server in made:
        server.shutdown()
        server.server_close()


def register(edge: Edge, port: int, probe_zone: str) -> None:
    monitor = {"type": "https", "path": "/readyz", "interval": 2, "timeout": 1, "retries": 0, "allow_insecure": True,
               "header": {"Host": [NAME]}, "probe_zone": probe_zone}  # fmt: skip
    monitor_id = edge.api("POST", f"{BALANCING}/monitors", monitor)["id"]
    origin = {"name": "au-1", "address": ADDRESS, "port": port}
    pool = edge.api("POST", f"{BALANCING}/pools", {"name": "au", "monitor": monitor_id, "origins": [origin]})["id"]
    balancer = {"name": NAME, "default_pools": [pool], "fallback_pool": pool, "proxied": True}
    edge.api("POST", f"/zones/{ZONE}/load_balancers", balancer)


def from_origin_ca(edge: Edge, folder: Path) -> tuple[str, tuple[Path, Path]]:
    """Have the API sign a certificate; give its identifier, and the files of certificate and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    body = {"csr": request.public_bytes(PEM).decode(), "hostnames": [NAME], "request_type": "origin-ecc",
            "requested_validity": 7}  # fmt: skip
    signed = edge.api("POST", "/certificates", body)
    files = folder / "signed.crt", folder / "signed.key"
    files[0].write_text(signed["certificate"])
    write_private(files[1], private_pem(key))
    return signed["id"], files


def trust(edge: Edge, mode: str) -> None:
    edge.api("PATCH", f"/zones/{ZONE}/settings/ssl", {"value": mode})


def show(edge: Edge, files: tuple[Path, Path]) -> str:
    """Upload a client certificate; give its status once it is no more what it was at first."""
    body = {"certificate": files[0].read_text(), "private_key": files[1].read_text()}
    uploaded = edge.api("POST", PULLS, body)
    assert uploaded["status"] == "pending_deployment"
    edge.api("PUT", f"{PULLS}/settings", {"enabled": True})
    found: list[str] = []

    def deployed() -> bool:
        found[:] = [record["status"] for record in edge.api("GET", PULLS) if record["id"] == uploaded["id"]]
        return found != ["pending_deployment"]

    wait_for(deployed, 20)
    return found[0]


def status(edge: Edge) -> int:
    return edge.curl("au", "/")[0]


def test_strict_takes_what_the_origin_ca_signed_until_it_is_revoked(edge: Edge, start: Start, tmp_path: Path) -> None:
    identifier, files = from_origin_ca(edge, tmp_path)
    start(files)
    trust(edge, "strict")
    assert status(edge) == 200
    edge.api("DELETE", f"/certificates/{identifier}")
    # A connection that stands is not looked at again.
    wait_for(lambda: edge.curl("br", "/")[0] == 526, 20)
    trust(edge, "full")
    assert edge.curl("br", "/")[0] == 200


@pytest.mark.parametrize(("ours", "name"), [(True, "other.geokube.test"), (False, NAME)])
def test_strict_refuses_other_names_and_other_authorities(
    edge: Edge, start: Start, tmp_path: Path, ours: bool, name: str
) -> None:
    known = Authority(edge.folder / "edge" / "origin-ca", "ca", "")
    authority = known if ours else Authority(tmp_path, "unknown", "unknown CA")
    start(authority.server_files(tmp_path, "origin", [name]))
    assert status(edge) == 200, "the zone is on full"
    trust(edge, "strict")
    assert edge.curl("sg", "/")[0] == 526


def test_an_origin_that_demands_a_certificate_is_reached_only_with_the_zones(
    edge: Edge, start: Start, tmp_path: Path
) -> None:
    clients, strangers = (Authority(tmp_path, name, name) for name in ("clients", "strangers"))
    origin = start(clients.server_files(tmp_path, "origin", [NAME]), clients)
    assert status(edge) in REFUSED
    assert show(edge, strangers.server_files(tmp_path, "stranger", ["edge.test"])) == "active"
    assert status(edge) in REFUSED
    assert origin.seen == []
    assert show(edge, clients.server_files(tmp_path, "client", ["edge.test"])) == "active"
    assert status(edge) == 200
    edge.api("PUT", f"{PULLS}/settings", {"enabled": False})
    assert edge.curl("br", "/")[0] in REFUSED


def test_a_certificate_is_not_shown_before_it_is_everywhere(tmp_path: Path) -> None:
    certificate, key = Authority(tmp_path, "ca", "clients").server_files(tmp_path, "client", ["edge.test"])
    store = Store(None, {"zones": {ZONE: {"name": "geokube.test"}}})
    store.put("origin_pulls", {"enabled": True}, ZONE)
    record = {"certificate": certificate.read_text(), "private_key": key.read_text(), "status": "pending_deployment"}
    identifier = store.put("origin_pull_certificates", record)["id"]
    place = SimpleNamespace(client_certificate=None, zone="")
    client_certificates(store, [place], tmp_path)  # type: ignore[list-item]
    assert place.client_certificate is None
    deploy(store)
    client_certificates(store, [place], tmp_path)  # type: ignore[list-item]
    assert place.client_certificate == (tmp_path / f"pull-{identifier}.crt", tmp_path / f"pull-{identifier}.key")


@pytest.mark.parametrize("probe_zone", ["", "example.com", "geokube.test"])
def test_probes_show_the_certificate_only_for_a_zone(edge: Edge, start: Start, tmp_path: Path, probe_zone: str) -> None:
    clients = Authority(tmp_path, "clients", "clients")
    show(edge, clients.server_files(tmp_path, "client", ["edge.test"]))
    origin = start(clients.server_files(tmp_path, "origin", [NAME]), clients, probe_zone)
    pool = edge.api("GET", f"{BALANCING}/pools")[0]["id"]

    def probed() -> bool:
        return len(edge.api("GET", f"{BALANCING}/pools/{pool}/health")["pop_health"]) == 4

    wait_for(probed, 20)
    healthy = [place["healthy"] for place in edge.api("GET", f"{BALANCING}/pools/{pool}/health")["pop_health"].values()]
    shown = probe_zone == "geokube.test"
    assert healthy == [shown] * 4
    assert bool(origin.probes) is shown
    assert status(edge) == 200, "the only pool gets the users, healthy or not"
