"""What users, points of presence and machines find in their region."""

from __future__ import annotations

import pytest
from conftest import SmallLab

REGIONS = ("ru", "sg", "au")


@pytest.mark.parametrize("region", REGIONS)
def test_each_region_is_answered_by_its_own_point_of_presence(small: SmallLab, region: str) -> None:
    small.sandbox.run("sh", "-c", "echo painting > /var/lib/geokube-lab/files/hello")
    output = small.lab("client", region, "--", "curl", "-sS", "-w", " %{time_total}", "http://203.0.113.30/hello")
    content, seconds = output.split()
    assert content == "painting"
    assert float(seconds) < 0.08
    registry = small.lab("client", region, "--", "curl", "-sS", "-w", " %{http_code}", "http://203.0.113.20:5000/v2/")
    assert registry.endswith("200")


def test_machines_use_the_anycast_addresses_too(small: SmallLab) -> None:
    assert small.on("devfest-au-01", "curl -sS -o /dev/null -w %{http_code} http://203.0.113.30/").endswith("200")


def test_an_image_pushed_in_one_region_is_seen_in_the_others(small: SmallLab) -> None:
    upload = (
        "location=$(curl -sS -X POST -D- -o /dev/null http://203.0.113.20:5000/v2/trial/blobs/uploads/ "
        '| tr -d "\\r" | sed -n "s/^Location: //p"); '
        "digest=sha256:$(printf blob | sha256sum | cut -d' ' -f1); "
        'curl -sS -X PUT --data-binary blob -H "Content-Type: application/octet-stream" '
        '-w "%{http_code} $digest" "$location&digest=$digest"'
    )
    code, digest = small.lab("client", "ru", "--", "sh", "-c", upload).split()
    assert code == "201"
    url = f"http://203.0.113.20:5000/v2/trial/blobs/{digest}"
    for region in REGIONS:
        assert small.lab("client", region, "--", "curl", "-sS", url) == "blob"


def test_a_tls_hello_to_the_plain_port_is_answered_with_400(small: SmallLab) -> None:
    script = (
        "import socket; s = socket.create_connection(('203.0.113.30', 80)); "
        "s.sendall(bytes.fromhex('160301006f0100006b0303') + bytes(100) + bytes([10])); print(s.recv(100))"
    )
    assert "HTTP/1.1 400" in small.lab("client", "au", "--", "python3", "-c", script)


def test_names_resolve_and_strangers_do_not_exist(small: SmallLab) -> None:
    output = small.on("devfest-sg-01", "getent hosts style.geokube.test devfest-au-01 devfest-sg-01; hostname -f")
    assert "203.0.113.10" in output
    assert "198.51.100.10" in output
    answer = small.on("devfest-sg-01", "dig +tries=1 +time=2 example.org")
    assert "NXDOMAIN" in answer


def test_a_client_is_a_user_there_and_stays_in_the_callers_folder(small: SmallLab) -> None:
    code, output = small.sandbox.run(
        "sh",
        "-c",
        f"cd /usr/share && echo in | {' '.join(small.command('client', 'au', '--'))} sh -c 'cat; pwd; exit 7'",
    )
    assert (code, output.split()) == (7, ["in", "/usr/share"])
    assert small.lab("client", "au", "--", "cat", "/etc/resolv.conf") == "nameserver 203.0.113.53\n"
    assert "198.51.100.74/26" in small.lab("client", "au", "--", "ip", "-brief", "address", "show", "eth0")
    assert "nosuch: No such file" in small.lab("client", "au", "--", "nosuch", code=127)
    # The host's own files are as they were.
    assert "203.0.113.53" not in small.sandbox.run("cat", "/etc/resolv.conf")[1]


def test_a_client_trusts_the_labs_authority_and_the_worlds(small: SmallLab) -> None:
    verify = 'openssl verify -CAfile "$SSL_CERT_FILE" /var/lib/geokube-lab/ca/ca.crt && grep -c BEGIN "$SSL_CERT_FILE"'
    output = small.lab("client", "au", "--", "sh", "-c", verify)
    assert "ca.crt: OK" in output
    assert int(output.split()[-1]) > 50
    mode = small.sandbox.run(
        "stat", "-c", "%a", "/var/lib/geokube-lab/ca/ca.key", "/var/lib/geokube-lab/ssh/id_ed25519"
    )[1]
    assert mode.split() == ["600", "600"]
