# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real Kubespray takes what the role renders.

GEOKUBE_KUBESPRAY_MIRROR names a git repository with Kubespray's v2.31.0: the role itself brings the tree and builds
its environment. Or GEOKUBE_KUBESPRAY_TREE names a checkout, GEOKUBE_KUBESPRAY_ANSIBLE an ansible-playbook of the
release that it pins (by default the one of .venv-2.18).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
STANDINS = ROOT / "lab" / "standins"
MIRROR = os.environ.get("GEOKUBE_KUBESPRAY_MIRROR", "")
TREE = Path(os.environ.get("GEOKUBE_KUBESPRAY_TREE", "/nonexistent"))
ANSIBLE = Path(os.environ.get("GEOKUBE_KUBESPRAY_ANSIBLE", ROOT / ".venv-2.18" / "bin" / "ansible-playbook"))
PLAYBOOKS = {"cluster.yml": 600, "scale.yml": 400, "upgrade_cluster.yml": 600, "remove_node.yml": 50, "reset.yml": 100}

pytestmark = pytest.mark.skipif(
    not MIRROR and not (TREE.is_dir() and ANSIBLE.exists()),
    reason="neither GEOKUBE_KUBESPRAY_MIRROR nor GEOKUBE_KUBESPRAY_TREE names Kubespray v2.31.0",
)


def run(argv: list[str | Path], folder: Path, **environment: str) -> str:
    """Run a command without this environment's own Ansible settings; give its output."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        argv, cwd=folder, env={**kept, **environment}, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


def play(folder: Path, variables: dict[str, Any], *files: str) -> None:
    """Run some of the role's tasks with these variables, in a folder with its hosts.yml."""
    (folder / "variables.json").write_text(json.dumps({**variables, "ansible_python_interpreter": sys.executable}))
    tasks = [{"include_role": {"name": "meridian.geokube.kubespray", "tasks_from": name}} for name in files]
    told = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
    (folder / "play.yml").write_text(json.dumps([told]))
    (folder / "ansible.cfg").write_text("[defaults]\n")
    playbook = Path(sys.executable).with_name("ansible-playbook")
    argv: list[str | Path] = [playbook, "-i", "hosts.yml", "-e", "@variables.json", "play.yml"]
    run(argv, folder, ANSIBLE_CONFIG=str(folder / "ansible.cfg"))


@pytest.fixture(scope="module")
def kubespray(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Give Kubespray's tree and the ansible-playbook for it."""
    if not MIRROR:
        return TREE, ANSIBLE
    folder = tmp_path_factory.mktemp("kubespray")
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": {}}}))
    state = folder / "state"
    variables = {"geokube_cluster": "devfest", "geokube_state_dir": str(state), "kubespray_source": MIRROR}
    play(folder, variables, "source.yml", "environment.yml")
    [tree], [environment] = (list((state / "kubespray").glob(name)) for name in ("source-*", "venv-*"))
    return tree, environment / "bin" / "ansible-playbook"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory, kubespray: tuple[Path, Path]) -> Path:
    """Give the folder into which the role has rendered a cluster of the lab's shape, with the lab's settings."""
    folder = tmp_path_factory.mktemp("rendered")
    hosts = {
        f"devfest-{region}-01": {
            "ansible_host": f"192.0.2.{number}",
            "ansible_user": "debian",
            "geokube_region": region,
            "geokube_zone": f"{region}-a",
        }
        for number, region in enumerate(("ru", "sg", "au", "br"), 10)
    }
    first = {"hosts": {"devfest-ru-01": {}}}
    children = {"kube_control_plane": first, "etcd": first, "kube_node": {"hosts": {name: {} for name in hosts}}}
    (folder / "hosts.yml").write_text(json.dumps({"all": {"hosts": hosts, "children": children}}))
    lab = yaml.safe_load((ROOT / "inventories/lab/group_vars/all/kubespray.yml").read_text())
    values = {
        "etcd_heartbeat_interval": {"value": 250, "consumer": "kubespray"},
        "kubelet_status_update_frequency": {"value": "20s", "consumer": "kubespray"},
    }
    variables = {
        "geokube_cluster": "devfest",
        "geokube_state_dir": str(folder / "state"),
        "geokube_plan": {"values": values},
        "kubespray_mesh_addresses": {name: f"10.255.0.{number}" for number, name in enumerate(hosts, 1)},
        "kubespray_source": str(kubespray[0]),
        "kubespray_vars": {**lab["geokube_lab_kubespray_vars"], **lab["geokube_lab_release_vars"]},
    }
    play(folder, variables, "render.yml")
    return folder / "state" / "kubespray"


def names_in(tree: Path) -> list[str]:
    return run([sys.executable, STANDINS / "extract_kubespray_variables.py", tree], ROOT).split()


def test_the_tree_is_the_release_that_the_list_is_of(kubespray: tuple[Path, Path]) -> None:
    tree = kubespray[0]
    assert yaml.safe_load((tree / "galaxy.yml").read_text())["version"] == "2.31.0"
    assert names_in(tree) == (STANDINS / "kubespray" / "known_variables.txt").read_text().split()


def test_it_runs_with_the_ansible_that_it_pins(kubespray: tuple[Path, Path]) -> None:
    tree, pinned = kubespray
    assert "[core 2.18." in run([pinned, "--version"], ROOT)
    if MIRROR:
        wanted = [line for line in (tree / "requirements.txt").read_text().splitlines() if "==" in line]
        installed = run([pinned.with_name("python"), "-m", "pip", "freeze"], ROOT).splitlines()
        assert set(wanted) <= set(installed)


def test_kubespray_knows_every_variable(kubespray: tuple[Path, Path], rendered: Path) -> None:
    inventory = yaml.safe_load((rendered / "inventory/hosts.yml").read_text())
    told = set(yaml.safe_load((rendered / "inventory/group_vars/all/geokube.yml").read_text()))
    for values in inventory["all"]["hosts"].values():
        told |= {name for name in values if not name.startswith("ansible_")}
    assert told - set(names_in(kubespray[0])) == set()


@pytest.mark.parametrize("playbook", PLAYBOOKS)
def test_its_playbooks_are_sound_with_what_is_rendered(
    kubespray: tuple[Path, Path], rendered: Path, playbook: str
) -> None:
    tree, pinned = kubespray
    config = {"ANSIBLE_CONFIG": str(rendered / "ansible.cfg")}
    argv = [pinned, "-i", rendered / "inventory/hosts.yml", "-e", '{"node": "devfest-br-01"}', playbook]
    run([*argv, "--syntax-check"], tree, **config)
    listed = run([*argv, "--list-tasks"], tree, **config)
    assert listed.count("TAGS: [") >= PLAYBOOKS[playbook]
