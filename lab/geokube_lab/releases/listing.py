"""Which files and images the lab's cluster needs: Kubespray's own variables say it."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from geokube_lab import topology
from geokube_lab.errors import LabError
from geokube_lab.images.store import write_atomically
from geokube_lab.paths import LAB, cache

ROOT = LAB.parent
PLAYBOOKS = LAB / "releases"
GROUP_VARS = ROOT / "inventories" / "lab" / "group_vars" / "all"
TOLD = (GROUP_VARS / "lab.yml", GROUP_VARS / "kubespray.yml")
SECONDS = 900


@dataclass(frozen=True)
class ReleaseFile:
    """A file that nodes download: its name in Kubespray's list, its path on a server of releases, and its sha256."""

    name: str
    path: str
    sha256: str


@dataclass(frozen=True)
class ReleaseImage:
    """An image that nodes pull: `registry`/`name`:`tag`."""

    registry: str
    name: str
    tag: str


@dataclass(frozen=True)
class Listing:
    """All that the nodes of the lab's cluster download."""

    files: tuple[ReleaseFile, ...]
    images: tuple[ReleaseImage, ...]


def directory() -> Path:
    """Where releases are kept."""
    return cache() / "releases"


def listing(extra: Mapping[str, Any] | None = None) -> Listing:
    """The files and images; asks Kubespray once and remembers it until anything changes that decides it.

    `extra` are variables of the role that win over the lab's inventory. LabError with Ansible's words when Kubespray
    cannot be had or does not take what it is told.
    """
    extra = dict(extra or {})
    remembered = directory() / f"listing-{_digest(extra)}.json"
    if not remembered.exists():
        write_atomically(remembered, json.dumps(asdict(_ask(extra)), indent=1).encode())
    content = json.loads(remembered.read_text())
    files = tuple(ReleaseFile(**one) for one in content["files"])
    return Listing(files, tuple(ReleaseImage(**one) for one in content["images"]))


def _digest(extra: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(json.dumps(extra, sort_keys=True).encode())
    role = ROOT / "roles" / "kubespray"
    parts = [*TOLD, *sorted(PLAYBOOKS.glob("*.yml")), *sorted(role.glob("*/main.yml")), _topology(), Path(__file__)]
    for path in parts:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _topology() -> Path:
    return Path(os.environ.get(topology.VARIABLE) or topology.DEFAULT_PATH)


def _ask(extra: Mapping[str, Any]) -> Listing:
    state = directory() / "told"
    answer = state / "answer.json"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    inventory = state / "hosts.json"
    inventory.write_text(json.dumps(_inventory()))
    addresses = {name: f"10.255.0.{number}" for number, name in enumerate(_inventory()["all"]["hosts"], 1)}
    variables = {
        "geokube_cluster": topology.load().cluster,
        "geokube_state_dir": str(state),
        "geokube_plan": {"values": {}},
        "kubespray_mesh_addresses": addresses,
        "geokube_lab_real_kubespray": True,
        "geokube_lab_answer": str(answer),
        "ansible_python_interpreter": sys.executable,
        **extra,
    }
    told = [argument for path in TOLD for argument in ("-e", f"@{path}")]
    _play("told.yml", ["-i", str(inventory), *told, "-e", json.dumps(variables)], {})
    where = json.loads(answer.read_text())
    only = json.dumps({name: variables[name] for name in ("geokube_lab_answer", "ansible_python_interpreter")})
    roles = {"ANSIBLE_ROLES_PATH": f"{where['tree']}/roles", "ANSIBLE_LIBRARY": f"{where['tree']}/library"}
    _play("listing.yml", ["-i", where["inventory"], "-e", only], roles)
    return read(json.loads(answer.read_text()))


def _inventory() -> dict[str, Any]:
    """The lab's machines, as Ansible's YAML inventory has them."""
    world = topology.load()
    nodes = [node for region in world.regions.values() for node in region.nodes]
    hosts = {
        node.name: {"ansible_host": str(node.public_address), "geokube_region": node.region, "geokube_zone": node.zone}
        for node in nodes
    }
    groups = {"kube_control_plane": "control-plane", "etcd": "etcd", "kube_node": "worker"}
    children: dict[str, Any] = {
        group: {"hosts": {node.name: {} for node in nodes if role in node.roles}} for group, role in groups.items()
    }
    return {"all": {"hosts": hosts, "children": children}}


def _play(playbook: str, arguments: list[str], environment: Mapping[str, str]) -> None:
    command = [str(Path(sys.executable).with_name("ansible-playbook")), *arguments, str(PLAYBOOKS / playbook)]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    kept |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_NOCOLOR": "1", **environment}
    try:
        done = subprocess.run(
            command, env=kept, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"{playbook}: Ansible did not end in {SECONDS} s") from error
    if done.returncode != 0:
        found = re.search(r'"msg": "((?:[^"\\]|\\.)*)"', done.stdout)
        words = json.loads(f'"{found[1]}"') if found else "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise LabError(f"what the nodes download cannot be listed: {words}")


def read(answer: Mapping[str, Any]) -> Listing:
    """The listing in what listing.yml wrote; LabError for what nodes of the lab would not reach."""
    server = answer["files_repo"].rstrip("/") + "/"
    files = []
    for name, (url, checksum) in sorted(answer["files"].items()):
        if not url.startswith(server):
            raise LabError(
                f"nodes would have {name} from {url}, which they do not reach: its URL has to begin {server}"
            )
        kind, _, digest = str(checksum).partition(":")
        if kind != "sha256" or not re.fullmatch(r"[0-9a-f]{64}", digest):
            raise LabError(f"Kubespray's checksum of {name} is {checksum!r}: sha256: and 64 digits were expected")
        files.append(ReleaseFile(name, url.removeprefix(server), digest))
    images = []
    for repository, tag in sorted(map(tuple, answer["images"])):
        registry, _, name = repository.partition("/")
        if registry not in answer["mirrored"]:
            raise LabError(
                f"nodes would pull {repository}:{tag}, and containerd_registries_mirrors of the lab has no {registry}"
            )
        images.append(ReleaseImage(registry, name, str(tag)))
    return Listing(tuple(files), tuple(images))
