"""The module origin_tls: what it keeps on the machine, and what the real Traefik makes of it."""

from __future__ import annotations

import socket
import ssl
import stat
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from ansible_collections.meridian.geokube.plugins.module_utils.node_commands import NodeError
from cryptography import x509
from geokube_lab.edge.authority import PEM, Authority
from origin_machine import NAME, Origin

WAIT = 60


def signed(authority: Authority, request: str) -> str:
    """A certificate for the request, PEM."""
    asked = x509.load_pem_x509_csr(request.encode())
    names = asked.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    hostnames = names.get_values_for_type(x509.DNSName)
    key = asked.public_key()
    return authority.issue(hostnames, key, timedelta(days=7)).public_bytes(PEM).decode()  # type: ignore[arg-type]


def trusted(authority: Authority) -> str:
    return authority.certificate_path.read_text()


def ask(origin: Origin, authority: Authority, client: tuple[Path, Path] | None = None) -> str:
    """The status of the answer to a client that trusts the authority; ssl.SSLError when one refuses the other."""
    context = ssl.create_default_context(cafile=str(authority.certificate_path))
    if client:
        context.load_cert_chain(*client)
    plain = socket.create_connection(("127.0.0.1", origin.port), 10)
    with plain, context.wrap_socket(plain, server_hostname=NAME) as secure:
        secure.sendall(f"HEAD / HTTP/1.1\r\nHost: {NAME}\r\nConnection: close\r\n\r\n".encode())
        return secure.recv(64).decode().split()[1]


def wait_until_taken(origin: Origin, authority: Authority, client: tuple[Path, Path]) -> None:
    deadline = time.monotonic() + WAIT
    while True:
        try:
            assert ask(origin, authority, client) == "404"
            return
        except (ssl.SSLError, ConnectionError):
            if time.monotonic() > deadline:
                raise
        time.sleep(0.2)


def test_the_key_is_made_once_and_stays_here(origin: Origin) -> None:
    first = origin.ensure()
    key = origin.folder / "origin.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert first["changed"] is True
    secret = key.read_text().splitlines()[1]
    assert secret not in str(first)
    checked = subprocess.run(
        ["openssl", "req", "-verify", "-noout", "-text"], input=first["csr"], text=True, capture_output=True, check=True
    )
    assert f"DNS:{NAME}" in checked.stdout
    again = origin.ensure()
    assert (again["changed"], again["csr"], key.read_text().splitlines()[1]) == (False, first["csr"], secret)


def test_check_mode_writes_nothing(origin: Origin, authority: Authority) -> None:
    told = origin.ensure(check_mode=True, client_authority=trusted(authority))
    assert (told["changed"], told["csr"], told["ready"]) == (True, "", False)
    assert "a private key" in told["diff"]["after"]
    assert not origin.folder.exists()
    origin.ensure(client_authority=trusted(authority))
    assert origin.ensure(check_mode=True, client_authority=trusted(authority))["changed"] is False
    assert origin.ensure(check_mode=True, client_authority="")["changed"] is True
    assert (origin.folder / "clients.yml").exists()


def test_an_open_key_is_shut(origin: Origin) -> None:
    origin.ensure()
    (origin.folder / "origin.key").chmod(0o644)
    told = origin.ensure()
    assert told["changed"] is True
    assert stat.S_IMODE((origin.folder / "origin.key").stat().st_mode) == 0o600
    assert "PRIVATE" not in str(told)


def test_a_certificate_for_another_key_is_refused(origin: Origin, authority: Authority, tmp_path: Path) -> None:
    origin.ensure()
    other, _ = authority.server_files(tmp_path, "other", [NAME])
    with pytest.raises(NodeError, match="certificate: it is for another key"):
        origin.ensure(certificate=other.read_text())
    assert not (origin.folder / "origin.yml").exists()
    with pytest.raises(NodeError, match="client_authority: it is no certificate in PEM"):
        origin.ensure(client_authority="nonsense")


def test_other_names_make_another_request_for_the_same_key(origin: Origin, authority: Authority) -> None:
    first = origin.ensure()
    kept = signed(authority, first["csr"])
    origin.ensure(certificate=kept)
    second = origin.ensure(hostnames=[NAME, "other.geokube.test"])
    assert second["csr"] != first["csr"]
    assert second["certificate"] == kept, "what there is stays until its successor is signed"
    assert origin.ensure(certificate=signed(authority, second["csr"]), hostnames=[NAME, "other.geokube.test"])[
        "changed"
    ]


def test_without_its_key_a_certificate_is_not_shown(origin: Origin, authority: Authority) -> None:
    origin.ensure(certificate=signed(authority, origin.ensure()["csr"]))
    (origin.folder / "origin.key").write_text("torn")
    told = origin.ensure()
    assert (told["changed"], told["certificate"]) == (True, "")
    assert not (origin.folder / "origin.yml").exists()


def test_where_nothing_is_wanted_nothing_is_made_and_what_was_goes(
    origin: Origin, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as without_openssl:
        without_openssl.setattr(
            "ansible_collections.meridian.geokube.plugins.module_utils.node_commands.PATH", "/nowhere"
        )
        assert origin.ensure(certificate="", client_authority="")["changed"] is False
        assert not origin.folder.exists()
        with pytest.raises(NodeError, match="install the package openssl"):
            origin.ensure()
    origin.ensure(certificate=signed(authority, origin.ensure()["csr"]), client_authority=trusted(authority))
    assert origin.ensure(check_mode=True, certificate="", client_authority="")["changed"] is True
    told = origin.ensure(certificate="", client_authority="")
    assert (told["changed"], told["ready"]) == (True, False)
    assert sorted(path.name for path in origin.folder.iterdir()) == ["origin.csr", "origin.key"]
    assert origin.ensure(certificate="", client_authority="")["changed"] is False


def test_a_listener_that_is_not_there_is_named(origin: Origin) -> None:
    told = origin.ensure()
    assert told["ready"] is False
    assert told["reason"].startswith(f"127.0.0.1:{origin.port} does not answer: ")


def test_traefik_shows_the_certificate_and_takes_whom_it_shall(
    served: Origin, authority: Authority, tmp_path: Path
) -> None:
    clients = Authority(tmp_path / "clients", "ca", "Clients")
    strangers = Authority(tmp_path / "strangers", "ca", "Strangers")
    edge = clients.server_files(tmp_path, "edge", ["edge.geokube.test"])
    stranger = strangers.server_files(tmp_path, "stranger", ["edge.geokube.test"])

    first = served.ensure(wait=WAIT)
    assert (first["ready"], first["reason"]) == (False, "it has no certificate yet")
    certificate = signed(authority, first["csr"])
    told = served.ensure(certificate=certificate, wait=WAIT)
    assert (told["ready"], told["reason"], told["changed"]) == (True, "", True)
    assert ask(served, authority) == "404", "Traefik itself answers, as nothing is behind it"

    told = served.ensure(client_authority=trusted(clients), wait=WAIT)
    assert (told["ready"], told["certificate"], told["client_authority"]) == (True, certificate, trusted(clients))
    for refused in (None, stranger):
        with pytest.raises((ssl.SSLError, ConnectionError)):
            ask(served, authority, refused)
    assert ask(served, authority, edge) == "404"

    # From outside one authority looks like two, so the module cannot wait until Traefik knows the second.
    served.ensure(client_authority=trusted(strangers) + trusted(clients), wait=WAIT)
    wait_until_taken(served, authority, stranger)
    assert ask(served, authority, edge) == "404"
    assert served.ensure(wait=WAIT)["changed"] is False

    assert served.ensure(client_authority="", wait=WAIT)["ready"] is True
    assert ask(served, authority) == "404"
    told = served.ensure(certificate="", wait=WAIT)
    assert (told["ready"], told["reason"]) == (False, "it has no certificate yet")
    assert not (served.folder / "origin.yml").exists()
