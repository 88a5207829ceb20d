# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Turns what the clouds said into the inventory's hosts, groups and variables: a pure function."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from ansible_collections.meridian.geokube.plugins.module_utils.region_catalogue import find_region
from ansible_collections.meridian.geokube.plugins.plugin_utils.home_region import HomeUnknown, home_of
from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import PROVIDERS, Host
from ansible_collections.meridian.geokube.plugins.plugin_utils.inventory_settings import (
    HOSTNAME_UNIQUE,
    Settings,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.names import (
    ANSIBLE_NAMES,
    RESERVED_GROUPS,
    GroupNames,
    NameRefused,
    clean_host_name,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.roles import (
    DEFAULT_GROUPS,
    NAME_OF_GROUP,
    groups_of_label,
    with_control_plane,
)

#: How many problems one error shows.
SHOWN = 20


class LayoutError(ValueError):
    """The machines cannot be made one inventory; the text names each machine and what to do."""

    def __init__(self, problems: Sequence[str]) -> None:
        more = f"\nand {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        super().__init__("\n".join(problems[:SHOWN]) + more)


@dataclass(frozen=True, slots=True)
class Member:
    """One host of the inventory, its variables, the role groups it is in and the machine it stands for."""

    name: str
    variables: dict[str, Any]
    groups: tuple[str, ...]
    machine: Host


@dataclass(frozen=True)
class Layout:
    """The whole inventory. C(groups) maps every group to its hosts, C(variables) are those of the group C(all).

    C(headless) says that no label names a control plane, and that a cloud which is missing may hold it.
    """

    members: tuple[Member, ...]
    groups: Mapping[str, tuple[str, ...]]
    variables: Mapping[str, Any]
    headless: bool = False


def arrange(
    machines: Sequence[Host],
    settings: Settings,
    group_names: GroupNames,
    name_of: Callable[[Mapping[str, Any]], str] | None = None,
    marked: Callable[[dict[str, Any]], dict[str, Any]] = dict,
    missing: Collection[str] = (),
) -> Layout:
    """Arrange the running machines; C(name_of(variables)) gives a host's name where C(hostname) is a template.

    C(marked(variables)) says what of it could be taken for a template; C(missing) are the providers that did not answer
    and may be missing. Raises LayoutError that lists every problem: names that clash, a machine outside
    of every region, a role that does not exist, a region without a machine.
    """
    problems: list[str] = []
    members: list[Member] = []
    for machine in machines:
        if not machine.running:
            continue
        try:
            role_groups, roles = _roles(machine, settings)
            variables = marked(_variables(machine, settings) | {"geokube_roles": roles})
            members.append(Member(_name(machine, variables, settings, name_of), variables, role_groups, machine))
        except (ValueError, NameRefused) as error:
            problems.append(str(error))
    members.sort(key=lambda member: member.name)
    problems += _duplicates(members) + _empty_regions(machines, members, settings, missing)
    if problems:
        raise LayoutError(problems)
    groups = _groups(members, settings, group_names, missing)
    shared: dict[str, Any] = {"geokube_cluster": settings.cluster}
    if settings.home_region:
        shared["geokube_home_region"] = settings.home_region
    return Layout(tuple(members), groups, marked(shared), headless=bool(members and not groups["kube_control_plane"]))


def _variables(machine: Host, settings: Settings) -> dict[str, Any]:
    region = settings.region_of(machine.provider, machine.cloud_region)
    if region is None:
        raise ValueError(
            f"{machine.described()} is in {machine.provider} {machine.cloud_region}, which no region names; "
            f"add it to regions, or take the label {settings.cluster_label} off the machine"
        )
    variables: dict[str, Any] = {
        "geokube_name": machine.name or machine.instance_id,
        "geokube_provider": machine.provider,
        "geokube_account": machine.account,
        "geokube_region": region,
        "geokube_cloud_region": machine.cloud_region,
        "geokube_zone": machine.zone,
        "geokube_public_ip": machine.public_ip,
        "geokube_private_ip": machine.private_ip,
        "geokube_instance_id": machine.instance_id,
        "geokube_machine_type": machine.machine_type,
        "geokube_state": machine.state,
        "geokube_created": machine.created,
        "geokube_labels": dict(machine.labels),
    }
    place = find_region(machine.provider, machine.cloud_region)
    if place is not None:
        variables["geokube_latitude"] = place.latitude
        variables["geokube_longitude"] = place.longitude
    bastion = settings.bastion_of(region)
    if machine.public_ip:
        variables["ansible_host"] = machine.public_ip
    elif machine.private_ip and bastion:
        variables["ansible_host"] = machine.private_ip
        variables["geokube_bastion"] = bastion
    return variables


def _roles(machine: Host, settings: Settings) -> tuple[tuple[str, ...], list[str]]:
    """Give the role groups of a machine and what its label says."""
    label = machine.labels.get(settings.role_label, "")
    if not label:
        return DEFAULT_GROUPS, []
    try:
        groups = groups_of_label(label)
    except ValueError as error:
        raise ValueError(f"the label {settings.role_label} of {machine.described()}: {error}") from error
    return groups, [NAME_OF_GROUP[group] for group in groups]


def _name(
    machine: Host,
    variables: Mapping[str, Any],
    settings: Settings,
    name_of: Callable[[Mapping[str, Any]], str] | None,
) -> str:
    raw = name_of(variables) if name_of else str(variables["geokube_name"])
    if settings.hostname == HOSTNAME_UNIQUE:
        raw = f"{raw}-{machine.provider}-{machine.zone}"
    try:
        name = clean_host_name(raw)
    except NameRefused as error:
        raise NameRefused(
            f"the host name {raw!r} of {machine.described()} {error}; set hostname or rename it"
        ) from error
    if name in ANSIBLE_NAMES or name in RESERVED_GROUPS:
        raise NameRefused(f"the host name {name!r} of {machine.described()} means something else; rename the machine")
    return name


def _duplicates(members: Sequence[Member]) -> list[str]:
    """Name both machines of each clash; C(members) are sorted by name."""
    return [
        f"two machines would be the host {first.name!r}: {first.machine.described()} and "
        f"{second.machine.described()}; rename one, or set `hostname: unique`, or a template in hostname"
        for first, second in pairwise(members)
        if first.name == second.name
    ]


def _empty_regions(
    machines: Sequence[Host], members: Sequence[Member], settings: Settings, missing: Collection[str]
) -> list[str]:
    """A region that the user names has at least one machine, or the list of its cloud is not what it seems."""
    if settings.regions is None:
        return []
    filled = {member.variables["geokube_region"] for member in members}
    resting = Counter(settings.region_of(host.provider, host.cloud_region) for host in machines if not host.running)
    problems = []
    for region in dict.fromkeys(settings.regions.values()):
        clouds = [cloud for cloud, name in settings.regions.items() if name == region]
        if region not in filled and not any(owner in missing for owner, _cloud in clouds):
            places = [" ".join(cloud) for cloud in clouds]
            rest = f" ({resting[region]} not running)" if resting[region] else ""
            problems.append(
                f"region {region} has no running machine with {settings.cluster_label}={settings.cluster} in "
                f"{', '.join(places)}{rest}; start or label one, or take the region out of regions"
            )
    return problems


def _groups(
    members: Sequence[Member], settings: Settings, group_names: GroupNames, missing: Collection[str]
) -> dict[str, tuple[str, ...]]:
    """Fill the role groups and those of region, zone and provider."""
    roles: dict[str, list[str]] = {}
    places: dict[tuple[str, str], list[str]] = {}
    problems: list[str] = []
    for member in members:
        for group in member.groups:
            roles.setdefault(group, []).append(member.name)
        for kind in ("provider", "region", "zone"):
            places.setdefault((kind, member.variables[f"geokube_{kind}"]), []).append(member.name)
    filled: dict[str, tuple[str, ...]] = {}
    for (kind, value), names in sorted(places.items(), key=lambda entry: _order(entry[0])):
        try:
            filled[group_names.clean(f"{kind}_{value}")] = tuple(names)
        except NameRefused as error:
            problems.append(str(error))
    first = None
    if "kube_control_plane" not in roles:
        try:
            first = _first(members, settings, missing)
        except HomeUnknown as error:
            problems.append(str(error))
    if problems:
        raise LayoutError(problems)
    role_groups = with_control_plane(roles, first)
    return {**role_groups, **filled}


def _order(place: tuple[str, str]) -> tuple[str, int, str]:
    kind, value = place
    return kind, PROVIDERS.index(value) if kind == "provider" else 0, value


def _first(members: Sequence[Member], settings: Settings, missing: Collection[str]) -> str | None:
    """Give the machine that is the control plane when no label says which: the first of the home region."""
    home = home_of(settings, {member.variables["geokube_region"] for member in members}, missing)
    return next((member.name for member in members if member.variables["geokube_region"] == home), None)
