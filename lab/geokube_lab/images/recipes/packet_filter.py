"""What programs that write packet filter rules call: iptables over nftables, nft and conntrack."""

from __future__ import annotations

from geokube_lab.images import Layer, Symlink, debian_layer, files_layer

NAMES = ("iptables", "iptables-restore", "iptables-save", "ip6tables", "ip6tables-restore", "ip6tables-save")


def packet_filter_layers() -> list[Layer]:
    """Debian's tools, with the alternatives that its maintainer scripts would have chosen."""
    links = {f"/usr/sbin/{name}": Symlink("xtables-nft-multi") for name in NAMES}
    # coreutils: flannel's manifest copies its configuration with cp.
    return [debian_layer(["iptables", "nftables", "conntrack", "coreutils", "iproute2"]), files_layer(links)]
