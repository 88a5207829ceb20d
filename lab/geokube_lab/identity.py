"""Who is who: the lab's ssh key, the machines' host keys and names."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from geokube_lab import paths, storage
from geokube_lab.processes import run
from geokube_lab.topology import Node, Topology

USER = "debian"
_UID = 1000


def ensure_key() -> None:
    """The key pair that opens the machines, made once."""
    paths.SSH.mkdir(parents=True, exist_ok=True)
    paths.SSH.chmod(0o700)
    if not paths.KEY.exists():
        _generate(paths.KEY, "geokube-lab")


def write_identity(world: Topology, node: Node, root: Path) -> None:
    """Name, addresses of name servers, host key and the user's authorized key, below a folder."""
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {node.name}\n::1 localhost ip6-localhost ip6-loopback\n"
    _write(root / "etc/hostname", f"{node.name}\n")
    _write(root / "etc/hosts", hosts)
    _write(root / "etc/resolv.conf", f"nameserver {world.anycast['dns']}\nsearch {world.domain}\n")
    _write(root / "etc/machine-id", hashlib.sha256(f"{world.cluster}/{node.name}".encode()).hexdigest()[:32] + "\n")
    (root / "etc/ssh").mkdir(parents=True, exist_ok=True)
    _generate(root / "etc/ssh/ssh_host_ed25519_key", node.name)
    authorized = root / "home" / USER / ".ssh/authorized_keys"
    _write(authorized, paths.KEY.with_suffix(".pub").read_text())
    authorized.chmod(0o600)
    authorized.parent.chmod(0o700)
    for path in (authorized, authorized.parent, authorized.parent.parent):
        os.chown(path, _UID, _UID)


def write_known_hosts(world: Topology) -> None:
    """The machines' host keys, as ssh reads them."""
    lines = []
    for node in world.nodes:
        public = paths.MACHINES / node.name / "upper/etc/ssh/ssh_host_ed25519_key.pub"
        kind, key, *_ = public.read_text().split()
        lines.append(f"{node.public_address},{node.name} {kind} {key}\n")
    storage.replace(paths.KNOWN_HOSTS, "".join(lines))


def ssh_options() -> list[str]:
    """What ssh must be told to reach a machine from the host, without a configuration file."""
    return [
        *("-F", "none", "-i", str(paths.KEY)),
        *("-o", f"ProxyCommand=ip netns exec {paths.CONTROLLER} nc -F %h %p"),
        *("-o", "ProxyUseFdpass=yes"),
        *("-o", f"UserKnownHostsFile={paths.KNOWN_HOSTS}"),
        *("-o", "StrictHostKeyChecking=yes"),
        *("-o", "IdentitiesOnly=yes"),
        *("-o", "ServerAliveInterval=15"),
        *("-o", "ServerAliveCountMax=4"),
    ]


def _generate(path: Path, comment: str) -> None:
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
