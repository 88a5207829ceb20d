"""The machines' root file system: Debian 12, made once, kept in the cache under the digest of its recipe."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from fcntl import LOCK_EX, flock
from pathlib import Path

from geokube_lab import kernel, paths
from geokube_lab.errors import LabError

_RECIPE = paths.LAB / "machine"
_PACKAGES = paths.LAB / "packages" / "machine.txt"
_SUITE = "bookworm"
_UNNEEDED = ("/usr/share/man/*", "/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/info/*")
# What a kernel that has them built in must be able to say to modprobe: option of the kernel -> module.
_BUILT_IN = {
    "BRIDGE": "net/bridge/bridge",
    "BRIDGE_NETFILTER": "net/bridge/br_netfilter",
    "DUMMY": "drivers/net/dummy",
    "EXT4_FS": "fs/ext4/ext4",
    "FUSE_FS": "fs/fuse/fuse",
    "IP6_NF_IPTABLES": "net/ipv6/netfilter/ip6_tables",
    "IP_NF_FILTER": "net/ipv4/netfilter/iptable_filter",
    "IP_NF_IPTABLES": "net/ipv4/netfilter/ip_tables",
    "IP_NF_MANGLE": "net/ipv4/netfilter/iptable_mangle",
    "IP_NF_NAT": "net/ipv4/netfilter/iptable_nat",
    "IP_SET": "net/netfilter/ipset/ip_set",
    "IP_VS": "net/netfilter/ipvs/ip_vs",
    "IP_VS_RR": "net/netfilter/ipvs/ip_vs_rr",
    "IP_VS_SH": "net/netfilter/ipvs/ip_vs_sh",
    "IP_VS_WRR": "net/netfilter/ipvs/ip_vs_wrr",
    "NETFILTER_XT_MATCH_COMMENT": "net/netfilter/xt_comment",
    "NETFILTER_XT_MATCH_CONNTRACK": "net/netfilter/xt_conntrack",
    "NETFILTER_XT_TARGET_MASQUERADE": "net/netfilter/xt_MASQUERADE",
    "NF_CONNTRACK": "net/netfilter/nf_conntrack",
    "NF_NAT": "net/netfilter/nf_nat",
    "NF_TABLES": "net/netfilter/nf_tables",
    "OVERLAY_FS": "fs/overlayfs/overlay",
    "TUN": "drivers/net/tun",
    "VETH": "drivers/net/veth",
    "VXLAN": "drivers/net/vxlan/vxlan",
    "WIREGUARD": "drivers/net/wireguard/wireguard",
}


def ensure(progress: Callable[[str], None]) -> Path:
    """The folder of the root file system for this kernel; made when it is not in the cache (about a minute)."""
    packages = _lines(_PACKAGES)
    modules = modules_builtin(_kernel_config())
    store = paths.cache() / "rootfs"
    root = store / _digest(packages, modules)
    if root.is_dir():
        return root
    store.mkdir(parents=True, exist_ok=True)
    with (store / ".lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not root.is_dir():
            # Older ones stay: machines may stand on them.
            for leftover in store.glob("*.unfinished"):
                shutil.rmtree(leftover)
            _build(root, packages, modules, progress)
    return root


def modules_builtin(config: str) -> str:
    """The text of modules.builtin for a kernel's configuration, of the modules that Kubernetes may ask for."""
    enabled = {line.removeprefix("CONFIG_").removesuffix("=y") for line in config.splitlines() if line.endswith("=y")}
    return "".join(f"kernel/{module}.ko\n" for option, module in sorted(_BUILT_IN.items()) if option in enabled)


def has_host_modules() -> bool:
    """Whether this kernel has modules in the usual place, which the machines then see too."""
    return Path("/lib/modules", os.uname().release).is_dir()


def _kernel_config() -> str:
    if has_host_modules():
        return ""
    try:
        return gzip.decompress(Path("/proc/config.gz").read_bytes()).decode()
    except OSError:
        return ""


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and not line.startswith("#")]


def _digest(packages: list[str], modules: str) -> str:
    digest = hashlib.sha256("\n".join([_SUITE, *packages, os.uname().release, modules]).encode())
    for path in sorted(_RECIPE.rglob("*")):
        if path.is_file():
            mode = path.stat().st_mode & 0o111
            digest.update(f"\n{path.relative_to(_RECIPE)} {mode}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:20]


def _build(root: Path, packages: list[str], modules: str, progress: Callable[[str], None]) -> None:
    unfinished = root.with_name(root.name + ".unfinished")
    extra = root.with_name(root.name + ".files.unfinished")
    if modules:
        folder = extra / "lib/modules" / os.uname().release
        folder.mkdir(parents=True)
        (folder / "modules.builtin").write_text(modules)
        (folder / "modules.order").write_text("")
    extra.mkdir(exist_ok=True)
    command = [
        # Its mounts and children end with it, and it ends with this process.
        *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"),
        *("mmdebstrap", "--mode=root", "--variant=minbase", "--format=directory"),
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _UNNEEDED),
        "--dpkgopt=force-unsafe-io",
        f"--include={','.join(packages)}",
        f"--customize-hook=sync-in {_RECIPE / 'files'} /",
        # /lib is a symbolic link that a copied folder would replace.
        f"--customize-hook=sync-in {extra}/lib /usr/lib" if modules else "--customize-hook=true",
        f'--customize-hook={_RECIPE / "customize"} "$1"',
        _SUITE,
        str(unfinished),
    ]
    log_path = root.with_name("build.log")
    began = time.monotonic()
    with log_path.open("w") as log:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=kernel.die_with_parent,
        )
        try:
            while child.poll() is None:
                progress(f"{_step(log_path)} ({time.monotonic() - began:.0f} s, usually 40 to 80)")
                time.sleep(1)
        except BaseException:
            child.terminate()
            child.wait()
            raise
    if child.returncode != 0:
        tail = "\n".join(log_path.read_text(errors="replace").splitlines()[-15:])
        raise LabError(f"mmdebstrap ended with {child.returncode}; the end of {log_path}:\n{tail}")
    shutil.rmtree(extra)
    unfinished.rename(root)


def _step(log: Path) -> str:
    said = [line for line in log.read_text(errors="replace").splitlines() if line.startswith("I: ")]
    return said[-1].removeprefix("I: ").rstrip(".") if said else "starting mmdebstrap"
