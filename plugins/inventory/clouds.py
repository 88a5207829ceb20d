# Copyright: (c) 2026, Meridian
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventory of one cluster over several clouds."""

from __future__ import annotations

DOCUMENTATION = r"""
name: clouds
short_description: The machines of one cluster over AWS, Compute Engine, DigitalOcean and Yandex Cloud
version_added: 0.1.0
author: Meridian (@meridian)
description:
  - Lists the virtual machines of four clouds that carry the label of one cluster, all clouds at the same time, and
    arranges them for Kubespray.
  - The list is complete or the run fails. A page, a region or a zone that did not answer, a project that does not
    exist, a machine without an address and two machines under one name are errors, and no host is added then.
  - The file's name ends in C(geokube.yml) or C(geokube.yaml).
  - Every host has C(geokube_provider), C(geokube_account), C(geokube_region), C(geokube_cloud_region), C(geokube_zone),
    C(geokube_public_ip), C(geokube_private_ip), C(geokube_instance_id), C(geokube_name), C(geokube_machine_type),
    C(geokube_state), C(geokube_created), C(geokube_labels) (labels and tags as one mapping), C(geokube_roles) (what
    the role label says) and, where the region is known, C(geokube_latitude) and C(geokube_longitude).
  - The groups are C(kube_control_plane), C(etcd), C(kube_node), C(ingress), C(database), and C(region_...),
    C(zone_...) and C(provider_...) for each that has a machine.
notes:
  - Ansible turns the error of an inventory plugin into a warning, tries other plugins, and goes on without the hosts
    unless C(any_unparsed_is_failed) is set in the section C([inventory]) of its configuration. So this plugin shows
    its error and ends the process itself, with code 4, whatever that setting is.
  - What Ansible does not let a plugin decide, so that C(any_unparsed_is_failed) is worth setting still, is a file that
    is not YAML, has another name or another C(plugin). Ansible does not ask this plugin about those.
  - Machines that are not running are left out; C(-v) counts them for each provider.
extends_documentation_fragment:
  - constructed
  - inventory_cache
  - meridian.geokube.clouds_providers
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices: [meridian.geokube.clouds]
  cluster:
    description: The name of the cluster; its machines carry it as the value of O(cluster_label).
    type: str
    required: true
  cluster_label:
    description:
      - The label or tag that says which cluster a machine belongs to.
      - On DigitalOcean the tag is C(key:value).
    type: str
    default: geokube-cluster
  role_label:
    description:
      - The label or tag that says what a machine does, C(control-plane), C(etcd), C(worker), C(ingress),
        C(database) or Kubespray's own group names (C(calico_rr) among them), separated by commas, or by C(--) where a
        cloud allows no comma.
      - A machine without it is a worker, an ingress and a database. When no machine is C(control-plane), the first of
        O(home_region) is; when none is C(etcd), the control plane is.
    type: str
    default: geokube-role
  regions:
    description:
      - The regions of the cluster, each with its cloud regions by provider. Every region must have a running machine.
      - Left out, every cloud region is a region of its own, C(<provider>-<cloud region>).
    type: dict
  home_region:
    description:
      - The region of the control plane when no machine is labelled C(control-plane).
      - Left out, it is the first in O(regions).
    type: str
  hostname:
    description:
      - V(name) takes the machine's own name, V(unique) appends the provider and the zone to it.
      - Anything else is a Jinja template over the host's variables, such as V({{ geokube_name }}.{{ geokube_zone }}).
      - The result is made DNS-1123. Two machines with one name are an error that names both.
    type: str
    default: name
  bastion:
    description:
      - The jump host (C(user@host)) for machines that have no public address, one for all or one for each region.
      - Such a machine has its private address in C(ansible_host) and the bastion in C(geokube_bastion), for
        C(ansible_ssh_common_args). Without a bastion it is an error, unless O(compose) sets C(ansible_host).
    type: raw
  allow_partial:
    description:
      - The providers that may be missing; what is missing is shown in a warning.
      - When a missing provider could hold the control plane that no label names, there is none, rather than a second.
    type: list
    elements: str
    default: []
  deadline:
    description: The time for everything together, seconds. It holds even against a server that never ends its answer.
    type: float
    default: 60
  timeout:
    description: The time for one request, seconds.
    type: float
    default: 10
  retries:
    description:
      - How often a request is sent again after the status 429, a 5xx, a reset or a timeout.
      - The waits are random, up to 0.5, 1, 2 seconds and so on to 8, or as long as the server asks.
    type: int
    default: 3
"""

EXAMPLES = r"""
# clouds.geokube.yml: four regions, a cloud each
plugin: meridian.geokube.clouds
cluster: devfest
regions:
  ru: {yandex: [ru-central1]}
  sg: {digitalocean: [sgp1]}
  au: {aws: [ap-southeast-2]}
  br: {gcp: [southamerica-east1]}
providers:
  aws: {profile: prod}
  gcp: {projects: [my-project]}
  digitalocean: {}
  yandex: {folders: [b1g0123456789abcdefg]}

# one cloud, every enabled region, groups by a tag
---
plugin: meridian.geokube.clouds
cluster: k1
providers:
  aws: {}
keyed_groups:
  - prefix: team
    key: geokube_labels.team | default('nobody')
"""

import gc
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from ansible.errors import AnsibleError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible_collections.meridian.geokube.plugins.plugin_utils.collect import Answer, collect, hidden
from ansible_collections.meridian.geokube.plugins.plugin_utils.host_cache import cache_key, pack, unpack
from ansible_collections.meridian.geokube.plugins.plugin_utils.hosts import Host
from ansible_collections.meridian.geokube.plugins.plugin_utils.inventory_settings import (
    Settings,
    check_names,
    read_settings,
)
from ansible_collections.meridian.geokube.plugins.plugin_utils.layout import Layout, LayoutError, arrange
from ansible_collections.meridian.geokube.plugins.plugin_utils.marks import Marker
from ansible_collections.meridian.geokube.plugins.plugin_utils.names import RESERVED_GROUPS, GroupNames, NameRefused
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_options import OptionError
from ansible_collections.meridian.geokube.plugins.plugin_utils.provider_registry import Provider, configured
from ansible_collections.meridian.geokube.plugins.plugin_utils.recorder import Recorder

if TYPE_CHECKING:
    from ansible.inventory.data import InventoryData
    from ansible.parsing.dataloader import DataLoader

#: Ansible's own code for an error of a parser.
EXIT_CODE = 4
#: Options whose values are expressions over a host's variables; they are not templated as a whole.
EXPRESSIONS = frozenset({"compose", "groups", "hostname", "keyed_groups"})


def _decrypted(value: Any) -> Any:
    """Give the value with what C(!vault) encrypts as text, which core 2.18's templates leave to their reader."""
    if isinstance(value, Mapping):
        return {key: _decrypted(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_decrypted(entry) for entry in value]
    return str(value) if getattr(value, "__ENCRYPTED__", False) else value


@contextmanager
def _without_collector() -> Iterator[None]:
    """Keep Python from looking for garbage among machines that all stay: two seconds at 10000 of them.

    Frozen, they stay shared with the process that Ansible forks for each task and host. The next reading of the
    inventory thaws them, so that what it replaces can go.
    """
    gc.unfreeze()
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_on:
            gc.enable()


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Fills Ansible's inventory; what is asked and how it is arranged is in plugin_utils."""

    NAME = "meridian.geokube.clouds"
    #: Ansible's inventory, or what stands for it while the user's expressions are evaluated.
    inventory: Any
    #: What no message may hold.
    _secrets: Sequence[str] = ()

    def verify_file(self, path: str) -> bool:
        """Say whether C(path) is a file of this plugin."""
        return bool(super().verify_file(path)) and path.endswith(("geokube.yml", "geokube.yaml"))

    def parse(self, inventory: InventoryData, loader: DataLoader, path: str, cache: bool = True) -> None:
        """Add the cluster's machines; ends the process when they are not all there."""
        super().parse(inventory, loader, path, cache)
        try:
            given = self._read_config_data(path)
            with _without_collector():
                self._parse(given, cache)
        except (OptionError, LayoutError, NameRefused, IncompleteError) as error:
            self._fail(f"{path}: {error}")
        except Exception as error:
            if not self._is_ours(path):
                raise
            # Ansible would make it a warning, and go on without the hosts.
            self.display.vvv(hidden(traceback.format_exc(), self._secrets))
            kind = "" if isinstance(error, AnsibleError) else f"{type(error).__name__}: "
            self._fail(f"{path}: {kind}{error}")

    def _is_ours(self, path: str) -> bool:
        """Say whether the file names this plugin: others may be tried on it, and are Ansible's to report."""
        try:
            return bool(self.loader.load_from_file(path)["plugin"] == self.NAME)
        except (AnsibleError, KeyError, TypeError):
            return False

    def _parse(self, given: Mapping[str, Any], cache: bool) -> None:
        check_names(given, self._options)
        settings = read_settings(self._option)
        machines, missing = self._machines(settings, self._providers(settings), cache)
        self._fill(settings, machines, missing)

    def _option(self, name: str) -> Any:
        """Give an option's value with its templates filled in."""
        value = self.get_option(name)
        if name in EXPRESSIONS or value is None:
            return value
        self.templar.available_variables = self._vars
        try:
            return _decrypted(self.templar.template(value))
        except AnsibleError as error:
            raise OptionError(f"the template in {name} cannot be filled in: {error}") from error

    def _providers(self, settings: Settings) -> list[Provider]:
        given = self._option("providers")
        providers = [configured(name, settings, given[name]) for name in settings.providers]
        self._secrets = [secret for provider in providers for secret in provider.secrets]
        return providers

    def _machines(
        self, settings: Settings, providers: Sequence[Provider], cache: bool
    ) -> tuple[list[Host], tuple[str, ...]]:
        """Give the machines from the cache, else from the clouds, and who is missing; only a whole answer is cached."""
        caching = self.get_option("cache")
        key = cache_key(settings, providers) if caching else ""
        if caching and cache:
            machines = self._cached(key)
            if machines is not None:
                self.display.v(f"geokube: {len(machines)} machines from the cache")
                return machines, ()
        answers = collect(providers, settings)
        for answer in answers:
            self.display.v(f"geokube: {answer.summary()}")
        self._judge(answers, settings)
        machines = [machine for answer in answers for machine in answer.machines]
        missing = tuple(answer.provider for answer in answers if answer.failures)
        if caching and not missing:
            self._cache[key] = pack(machines)
        return machines, missing

    def _cached(self, key: str) -> list[Host] | None:
        """Give the cached machines; what a cache plugin cannot read is not there."""
        try:
            return unpack(self._cache.get(key))
        except Exception as error:
            self.display.v(f"geokube: the cache is passed over: {type(error).__name__}: {error}")
            return None

    def _judge(self, answers: Sequence[Answer], settings: Settings) -> None:
        """Warn of the failures that the user allows; raise IncompleteError for the others."""
        allowed = [answer for answer in answers if answer.failures and answer.provider in settings.allow_partial]
        for answer in allowed:
            text = "\n".join(failure.text() for failure in answer.failures)
            message = f"The machines of {answer.provider} are missing (allow_partial): {text}"
            self.display.warning(hidden(message, self._secrets))
        refused = [answer for answer in answers if answer.failures and answer not in allowed]
        if refused:
            lines = [failure.text() for answer in refused for failure in answer.failures]
            raise IncompleteError("\n".join(["the list of machines is not complete", *lines]))

    def _fill(self, settings: Settings, machines: Sequence[Host], missing: Sequence[str]) -> None:
        """Arrange the machines, evaluate the user's expressions, and only then add anything."""
        explicit = {*(self.get_option("groups") or {})}
        explicit |= {str(keyed.get("parent_group")) for keyed in self.get_option("keyed_groups") or []}
        group_names = GroupNames()
        layout = arrange(machines, settings, group_names, self._namer(), Marker().variables, missing)
        if layout.headless:
            self.display.warning(
                f"No machine is labelled control-plane, and {' and '.join(missing)} may hold the first of the home "
                "region: kube_control_plane and etcd are empty, so that no other machine becomes a second control plane"
            )
        if not layout.members and not missing:
            resting = f"; {len(machines)} not running" if machines else ""
            label = f"{settings.cluster_label}={settings.cluster}"
            self.display.warning(f"No running machine carries {label}{resting}: check cluster and cluster_label")
        recorder = self._constructed(layout, group_names.reserving(RESERVED_GROUPS - explicit))
        unreachable = [
            member.machine.described()
            for member in layout.members
            if "ansible_host" not in member.variables and "ansible_host" not in recorder.variables.get(member.name, {})
        ]
        if unreachable:
            raise LayoutError(
                [
                    f"{machine} has no public address, and no bastion is set for its private one; "
                    "set bastion, or ansible_host in compose"
                    for machine in unreachable
                ]
            )
        self._add(layout, recorder)

    def _namer(self) -> Any:
        """Give the function that makes a host's name of its variables, None when no template is set."""
        template = self.get_option("hostname")
        if template in {"name", "unique"}:
            return None
        if "{{" not in template and "{%" not in template:
            raise OptionError(f"hostname is {template!r}; it must be name, unique or a template with {{{{ }}}}")

        def name_of(variables: Mapping[str, Any]) -> str:
            self.templar.available_variables = variables
            try:
                return str(self.templar.template(template))
            except AnsibleError as error:
                raise NameRefused(f"hostname, for {variables['geokube_name']}: {error}") from error

        return name_of

    def _constructed(self, layout: Layout, group_names: GroupNames) -> Recorder:
        """Evaluate compose, groups and keyed_groups, where the user wrote them, against a stand-in inventory."""
        recorder = Recorder()
        compose, groups = self.get_option("compose"), self.get_option("groups")
        keyed_groups, strict = self.get_option("keyed_groups"), self.get_option("strict")
        if not (compose or groups or keyed_groups):
            return recorder
        real, self.inventory = self.inventory, recorder
        self._sanitize_group_name = group_names.clean
        try:
            for member in layout.members:
                variables = {**layout.variables, **member.variables}
                self._set_composite_vars(compose, variables, member.name, strict=strict)
                variables.update(recorder.variables.get(member.name, {}))
                self._add_host_to_composed_groups(groups, variables, member.name, strict=strict, fetch_hostvars=False)
                self._add_host_to_keyed_groups(
                    keyed_groups, variables, member.name, strict=strict, fetch_hostvars=False
                )
        except AnsibleError as error:
            raise LayoutError([str(error)]) from error
        finally:
            self.inventory = real
        return recorder

    def _add(self, layout: Layout, recorder: Recorder) -> None:
        inventory = self.inventory
        # What the user's expressions made stays as it is; Ansible knows already what of it came from a cloud.
        composed = Marker(possible=lambda text: text)
        for name, value in layout.variables.items():
            inventory.set_variable("all", name, value)
        for member in layout.members:
            inventory.add_host(member.name)
            host = inventory.hosts[member.name]
            # The host's own method: the inventory's would copy each value, of which most belong to many hosts.
            for name, value in member.variables.items():
                host.set_variable(name, value)
            for name, value in recorder.variables.get(member.name, {}).items():
                inventory.set_variable(member.name, name, composed.value(value))
        for group in [*layout.groups, *recorder.groups]:
            inventory.add_group(group)
        for group, hosts in layout.groups.items():
            for host in hosts:
                inventory.add_child(group, host)
        for group, child in [*recorder.memberships, *recorder.children]:
            inventory.add_child(group, child)

    def _fail(self, message: str) -> NoReturn:
        """Show one error and end the process.

        An exception that Ansible catches would become a warning, be followed by those of the plugins that Ansible
        tries next, and let the run go on without the hosts unless C(any_unparsed_is_failed) is set.
        """
        self.display.error(hidden(message, self._secrets), wrap_text=False)
        raise SystemExit(EXIT_CODE)


class IncompleteError(Exception):
    """A provider did not answer in full and may not be missing."""
