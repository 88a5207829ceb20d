# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The stand-in refuses what Kubespray does not know, and what it does not honour itself."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
STANDIN = ROOT / "lab" / "standins" / "kubespray"
PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")

HOST = {"ip": "10.255.0.1", "ansible_host": "192.0.2.10", "etcd_member_name": "etcd1", "node_labels": {}}
VARIABLES = {
    "kube_network_plugin": "flannel",
    "flannel_interface": "wg0",
    "enable_nodelocaldns": False,
    "resolvconf_mode": "none",
    "kube_proxy_mode": "iptables",
    "loadbalancer_apiserver_localhost": False,
    "upstream_dns_servers": ["192.0.2.53"],
}


def names(file: str) -> set[str]:
    return set((STANDIN / file).read_text().split())


def boilerplate(folder: Path, **variables: Any) -> subprocess.CompletedProcess[str]:
    group = {"hosts": {"a-01": {}}}
    children = {"kube_control_plane": group, "etcd": group, "kube_node": group}
    inventory = {"all": {"hosts": {"a-01": HOST}, "vars": VARIABLES | variables, "children": children}}
    (folder / "hosts.yml").write_text(yaml.safe_dump(inventory))
    (folder / "ansible.cfg").write_text("[defaults]\n")
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ANSIBLE_CONFIG": str(folder / "ansible.cfg"),
        "ANSIBLE_ROLES_PATH": str(STANDIN / "roles"),
    }
    return subprocess.run(
        [PLAYBOOK, "-i", folder / "hosts.yml", "playbooks/boilerplate.yml"],
        cwd=STANDIN,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_lists_agree_with_the_standin() -> None:
    path = STANDIN.parent / "extract_kubespray_variables.py"
    spec = importlib.util.spec_from_file_location("extract_kubespray_variables", path)
    assert spec and spec.loader
    extractor = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(extractor)
    read = set(extractor.known_variables(STANDIN))
    assert names("honoured_variables.txt") == read & names("known_variables.txt")


def test_all_that_role_and_lab_set_is_known_and_honoured() -> None:
    class Loader(yaml.SafeLoader):
        """Takes !unsafe as text."""

    Loader.add_constructor("!unsafe", lambda loader, node: loader.construct_scalar(node))
    role = yaml.load((ROOT / "roles/kubespray/vars/main.yml").read_text(), Loader=Loader)
    lab = yaml.safe_load((ROOT / "inventories/lab/group_vars/all/kubespray.yml").read_text())
    told = {*role["kubespray_settings"], *lab["geokube_lab_kubespray_vars"], "ip", "node_labels", "etcd_member_name"}
    assert told - names("known_variables.txt") == set()
    assert told - names("honoured_variables.txt") == {"artifacts_dir", "credentials_dir"}
    assert set(lab["geokube_lab_release_vars"]) - names("known_variables.txt") == set()
    assert set(role["kubespray_calico_settings"]) - names("known_variables.txt") == set()


def test_known_values_pass(tmp_path: Path) -> None:
    done = boilerplate(tmp_path)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"kube_proxi_mode": "iptables"}, "Kubespray v2.31.0 knows no variable kube_proxi_mode"),
        ({"cilium_mtu": 1400}, "does not honour cilium_mtu"),
        ({"kube_network_plugin": "calico"}, "kube_network_plugin == 'flannel'"),
    ],
)
def test_others_are_refused(tmp_path: Path, variables: dict[str, Any], says: str) -> None:
    done = boilerplate(tmp_path, **variables)
    assert done.returncode != 0
    assert says in " ".join(done.stdout.split())
