# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""EC2's answers, read from XML. Every reader raises ValueError for an answer that is not whole."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host

Element = ElementTree.Element


def read_instances(body: bytes, region: str) -> tuple[list[Host], str]:
    """Read DescribeInstances: the instances of one page and the token of the next, "" on the last."""
    root, namespace = _parse(body, "DescribeInstancesResponse")
    reservations = root.find(f"{namespace}reservationSet")
    if reservations is None:
        raise ValueError("it has no reservationSet")
    found = [
        _host(instance, namespace, _text(reservation, f"{namespace}ownerId"), region)
        for reservation in reservations
        for instance in reservation.iterfind(f"{namespace}instancesSet/{namespace}item")
    ]
    return found, _text(root, f"{namespace}nextToken")


def read_regions(body: bytes) -> list[str]:
    """Read DescribeRegions: the names of the regions that the account has enabled."""
    root, namespace = _parse(body, "DescribeRegionsResponse")
    names = sorted(
        _text(region, f"{namespace}regionName")
        for region in root.iterfind(f"{namespace}regionInfo/{namespace}item")
        if _text(region, f"{namespace}optInStatus") != "not-opted-in"
    )
    if not names:
        raise ValueError("it names no region")
    return names


def read_error(body: bytes) -> tuple[str, str]:
    """Read an error answer: the code and the message; raises ElementTree.ParseError when it is not XML."""
    error = ElementTree.fromstring(body).find(".//{*}Error")
    if error is None:
        raise ElementTree.ParseError("no Error")
    return error.findtext("{*}Code") or "error", error.findtext("{*}Message") or "no message"


def _parse(body: bytes, expected: str) -> tuple[Element, str]:
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError(f"it is not whole XML: {error}") from error
    namespace, _brace, name = root.tag.rpartition("}")
    if name != expected:
        raise ValueError(f"it is {name}, not {expected}")
    return root, f"{namespace}}}" if namespace else ""


def _host(instance: Element, namespace: str, owner: str, region: str) -> Host:
    labels = {
        _text(tag, f"{namespace}key"): _text(tag, f"{namespace}value")
        for tag in instance.iterfind(f"{namespace}tagSet/{namespace}item")
    }
    state = _text(instance, f"{namespace}instanceState/{namespace}name")
    ipv6 = "" if (interfaces := instance.find(f"{namespace}networkInterfaceSet")) is None else _ipv6(interfaces)
    return Host(
        provider="aws",
        account=owner,
        instance_id=_text(instance, f"{namespace}instanceId"),
        name=labels.get("Name", ""),
        cloud_region=region,
        zone=_text(instance, f"{namespace}placement/{namespace}availabilityZone"),
        running=state == "running",
        state=state,
        machine_type=_text(instance, f"{namespace}instanceType"),
        created=_text(instance, f"{namespace}launchTime"),
        public_ip=_text(instance, f"{namespace}ipAddress") or ipv6,
        private_ip=_text(instance, f"{namespace}privateIpAddress"),
        labels=labels,
    )


def _ipv6(interfaces: Element) -> str:
    """Give the first IPv6 address of the interfaces; EC2's are all public."""
    return interfaces.findtext(".//{*}ipv6Address") or ""


def _text(element: Element, path: str) -> str:
    return element.findtext(path) or ""
