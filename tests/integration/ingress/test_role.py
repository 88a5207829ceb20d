"""The ingress role against a real API server, and the real Traefik with the rights that it gives."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from geokube_lab.binaries import program, target
from geokube_lab.control_plane import ControlPlane
from geokube_lab.errors import LabError

PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")
PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  roles: [meridian.geokube.ingress]
"""


class Site:
    """An inventory of two regions, and the role run with it."""

    def __init__(self, folder: Path, plane: ControlPlane) -> None:
        self.folder, self.plane = folder, plane
        self.state = folder / ".geokube" / "test"
        self.state.mkdir(parents=True)
        shutil.copy(plane.kubeconfig, self.state / "kubeconfig")
        (folder / "play.yml").write_text(PLAY)

    def hosts(self, regions: dict[str, list[str]], spare: dict[str, list[str]]) -> None:
        children: dict[str, Any] = {"ingress": {"hosts": {}}, "kube_node": {"hosts": {}}}
        for group, places in (("ingress", regions), ("", spare)):
            for region, names in places.items():
                for name in names:
                    facts = {"geokube_region": region}
                    if group:
                        children[group]["hosts"][name] = facts
                    children["kube_node"]["hosts"][name] = facts
                    children.setdefault(f"region_{region}", {"hosts": {}})["hosts"][name] = {}
        content = {"all": {"vars": {"geokube_cluster": "test", "geokube_domain": "geokube.test"}, "children": children}}
        (self.folder / "hosts.yml").write_text(yaml.safe_dump(content))

    def run(self, *arguments: str) -> tuple[int, str]:
        command = [str(PLAYBOOK), "-i", str(self.folder / "hosts.yml"), str(self.folder / "play.yml"), *arguments]
        (self.folder / "ansible.cfg").write_text("[defaults]\n")
        environment = {**os.environ, "ANSIBLE_CONFIG": str(self.folder / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
        return done.returncode, done.stdout + done.stderr

    def changed(self, *arguments: str) -> int:
        code, output = self.run(*arguments)
        assert code == 0, output
        found = re.search(r"changed=(\d+)", output)
        assert found is not None, output
        return int(found[1])

    def kubectl(self, *arguments: str) -> str:
        command = [
            str(program(target("kubernetes"))),
            "kubectl",
            "--kubeconfig",
            str(self.plane.kubeconfig),
            *arguments,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def names(self, kind: str, *arguments: str) -> set[str]:
        return set(self.kubectl("get", kind, *arguments, "-o", "jsonpath={.items[*].metadata.name}").split())


@pytest.fixture(scope="module")
def site(control_plane: ControlPlane, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"), control_plane)


@pytest.fixture
def two_regions(site: Site) -> Site:
    site.hosts({"ru": ["ru-1"], "au": ["au-1"]}, spare={"au": ["au-2"]})
    return site


@pytest.fixture
def empty(two_regions: Site) -> Site:
    """Nothing of the role is there, whichever tests ran before."""
    two_regions.kubectl("delete", "namespace", "ingress", "style-transfer", "--ignore-not-found")
    two_regions.kubectl("delete", "ingressclass", "--all")
    shutil.rmtree(two_regions.state / "certificates", ignore_errors=True)
    return two_regions


@pytest.fixture
def applied(two_regions: Site) -> Site:
    """The role was run, whichever tests ran before."""
    if "traefik-au" not in two_regions.names("daemonset", "-n", "ingress"):
        assert two_regions.changed() > 0
    return two_regions


def test_check_mode_on_an_empty_cluster_changes_nothing(empty: Site) -> None:
    assert empty.changed("--check", "--diff") >= 1
    assert not (empty.state / "certificates").exists()
    assert "ingress" not in empty.names("namespace")


def test_first_run_applies_and_second_changes_nothing(empty: Site) -> None:
    assert empty.changed() > 0
    assert empty.names("daemonset", "-n", "ingress") == {"traefik-ru", "traefik-au"}
    assert empty.names("ingressclass") == {"traefik-ru", "traefik-au"}
    assert empty.changed("--diff") == 0


def test_keys_are_private_and_never_shown(applied: Site) -> None:
    certificates = applied.state / "certificates"
    for name in ("ca.key", "ingress.key"):
        assert stat.S_IMODE((certificates / name).stat().st_mode) == 0o600
    (certificates / "ingress.crt").unlink()
    key = "".join((certificates / "ingress.key").read_text().splitlines()[1:-1])
    code, output = applied.run("--diff", "-vvv")
    assert code == 0
    assert key not in output.replace("\\n", "")
    assert subprocess.run(["grep", "-rq", "PRIVATE", str(applied.folder / "hosts.yml")], check=False).returncode == 1
    verify = ["openssl", "verify", "-CAfile", str(certificates / "ca.crt"), str(certificates / "ingress.crt")]
    assert subprocess.run(verify, check=False, capture_output=True).returncode == 0


def test_pods_are_confined(applied: Site) -> None:
    item = json.loads(applied.kubectl("get", "daemonset", "traefik-au", "-n", "ingress", "-o", "json"))
    pod = item["spec"]["template"]["spec"]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
    }
    assert {port.get("hostPort") for port in container["ports"]} == {80, 443, None}
    endless = [t for t in pod["tolerations"] if t["effect"] == "NoExecute"]
    assert {t["key"] for t in endless} == {"node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"}
    assert all("tolerationSeconds" not in t for t in endless)
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    assert terms[0]["matchExpressions"][0]["values"] == ["au-1"], "au-2 takes in no users"


def test_other_names_make_another_certificate_and_other_pods(applied: Site) -> None:
    before = applied.kubectl("get", "daemonset", "traefik-au", "-n", "ingress", "-o", "jsonpath={.spec.template}")
    names = json.dumps({"ingress_certificate_names": ["a.geokube.test"]})
    assert applied.changed("-e", names) > 0
    after = applied.kubectl("get", "daemonset", "traefik-au", "-n", "ingress", "-o", "jsonpath={.spec.template}")
    assert after != before
    assert applied.changed("--check", "-e", names) == 0


def test_half_a_certificate_is_refused(two_regions: Site) -> None:
    code, output = two_regions.run("-e", "ingress_private_key=secret-text")
    assert code != 0
    assert "Only one of ingress_certificate and ingress_private_key is set" in output
    assert "secret-text" not in output


def test_unreachable_cluster_is_named(two_regions: Site, tmp_path: Path) -> None:
    broken = tmp_path / "kubeconfig"
    broken.write_text(re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:1", two_regions.plane.kubeconfig.read_text()))
    code, output = two_regions.run("-e", f"geokube_kubeconfig={broken}")
    assert code != 0
    assert str(broken) in output
    assert "Connection refused" in output


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


SERVICE = """
apiVersion: v1
kind: Service
metadata: {{name: style-{region}, namespace: style-transfer}}
spec: {{ports: [{{port: 80}}]}}
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: {{name: style-{region}, namespace: style-transfer, labels: {{kubernetes.io/service-name: style-{region}}}}}
addressType: IPv4
ports: [{{port: 80}}]
endpoints: [{{addresses: ["192.0.2.{number}"], conditions: {{ready: true}}}}]
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: style-{region}, namespace: style-transfer}}
spec:
  ingressClassName: traefik-{region}
  rules:
    - host: style.geokube.test
      http:
        paths:
          - path: /
            pathType: Prefix
            backend: {{service: {{name: style-{region}, port: {{number: 80}}}}}}
"""


@pytest.fixture
def traefik(applied: Site, tmp_path: Path) -> Iterator[tuple[int, Path]]:
    """The real Traefik as region au's: the role's own arguments, the role's own service account."""
    try:
        binary = program(target("traefik"))
    except LabError as error:
        pytest.skip(str(error))
    applied.kubectl("apply", "-f", str(_manifest(tmp_path)))
    item = json.loads(applied.kubectl("get", "daemonset", "traefik-au", "-n", "ingress", "-o", "json"))
    arguments = item["spec"]["template"]["spec"]["containers"][0]["args"]
    web = free_port()
    moved = {":8082": free_port(), ":8000": free_port(), ":8443": free_port()}
    for old, new in moved.items():
        arguments = [a.replace(f"address={old}", f"address=127.0.0.1:{new}") for a in arguments]
    token = tmp_path / "token"
    token.write_text(applied.kubectl("create", "token", "traefik", "-n", "ingress").strip())
    cluster = json.loads(applied.plane.kubeconfig.read_text())["clusters"][0]["cluster"]
    arguments += [
        f"--providers.kubernetesingress.endpoint={cluster['server']}",
        f"--providers.kubernetesingress.certauthfilepath={cluster['certificate-authority']}",
        f"--providers.kubernetesingress.token={token}",
        "--api.insecure=true",
        f"--entrypoints.traefik.address=127.0.0.1:{web}",
    ]
    arguments = [a for a in arguments if not a.startswith("--providers.file")]
    log = tmp_path / "traefik.log"
    with log.open("wb") as output, subprocess.Popen([str(binary), *arguments], stdout=output, stderr=output) as process:
        yield web, log
        # Asked to end, it would wait for requests that are under way.
        process.kill()


def _manifest(folder: Path) -> Path:
    path = folder / "services.yml"
    path.write_text("---".join(SERVICE.format(region=r, number=n) for n, r in enumerate(("ru", "au"), 10)))
    return path


def test_traefik_serves_its_own_region_with_the_rights_of_the_role(traefik: tuple[int, Path]) -> None:
    port, log = traefik
    deadline = time.monotonic() + 30
    services: dict[str, Any] = {}
    while time.monotonic() < deadline and not any(name.endswith("@kubernetes") for name in services):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/rawdata", timeout=5) as answer:
                services = json.load(answer).get("services", {})
        except OSError:
            time.sleep(0.3)
    targets = [
        server["url"]
        for name, service in services.items()
        if name.endswith("@kubernetes")
        for server in service["loadBalancer"]["servers"]
    ]
    assert targets == ["http://192.0.2.11:80"], log.read_text()
    assert "forbidden" not in log.read_text().lower()


def test_region_without_machines_loses_its_traefik(applied: Site) -> None:
    applied.hosts({"ru": ["ru-1"]}, spare={"au": ["au-1"]})
    assert applied.changed() > 0
    assert applied.names("daemonset", "-n", "ingress") == {"traefik-ru"}
